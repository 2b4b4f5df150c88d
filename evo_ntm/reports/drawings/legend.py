"""What the lines and marks of a chart stand for, each as a small drawing."""

from xml.etree.ElementTree import Element

from evo_ntm.reports.charts.layers import Band, Bars, Chart, Layer, Line, Marks, Rules, Shade
from evo_ntm.reports.drawings.svg import box, drawing, element, line

WIDTH, HEIGHT = 22.0, 12.0
MIDDLE, LEVEL = WIDTH / 2, HEIGHT / 2
DASHES = {"solid": None, "dash": "5 3", "dot": "1.5 2.5"}
SHAPES = {
    "square": "M-4 -4H4V4H-4Z", "diamond": "M0 -5L5 0L0 5L-5 0Z",
    "triangle-up": "M0 -5L5 4H-5Z", "triangle-down": "M0 5L5 -4H-5Z",
    "star": "M0 -5.5L1.5 -1.8L5.3 -1.7L2.3 .8L3.3 4.5L0 2.4L-3.3 4.5L-2.3 .8L-5.3 -1.7L-1.5 -1.8Z",
    "cross": "M-4 -2L-2 -4L0 -2L2 -4L4 -2L2 0L4 2L2 4L0 2L-2 4L-4 2L-2 0Z",
}  # fmt: skip


def legend(chart: Chart) -> list[tuple[str, Element]]:
    """Name all that a chart's title does not, each with its sign."""
    return [(name, _sign(layer)) for name, layer in chart.named().items()]


def _sign(layer: Layer) -> Element:
    return drawing(WIDTH, HEIGHT, *_drawn(layer), class_="sign", aria_hidden="true")


def _drawn(layer: Layer) -> list[Element]:
    if isinstance(layer, Line):
        return [line(1, LEVEL, WIDTH - 1, LEVEL, stroke=layer.colour, stroke_width=2,
                     stroke_dasharray=DASHES[layer.dash])]  # fmt: skip
    if isinstance(layer, Rules):
        return [line(MIDDLE, 0, MIDDLE, HEIGHT, stroke=layer.colour, stroke_width=1.6,
                     stroke_dasharray=DASHES[layer.dash])]  # fmt: skip
    if isinstance(layer, Band | Shade):
        opacity = max(layer.opacity, 0.3) if isinstance(layer, Band) else 0.25
        return [box(1, 1, WIDTH - 2, HEIGHT - 2, fill=layer.colour, fill_opacity=opacity)]
    if isinstance(layer, Bars):
        return [box(1, 2, WIDTH - 2, HEIGHT - 4, fill=layer.colour)]
    if isinstance(layer, Marks):
        return [_mark(layer)]
    return []


def _mark(layer: Marks) -> Element:
    place = f"translate({MIDDLE:g} {LEVEL:g})"
    if layer.symbol in SHAPES:
        return element("path", d=SHAPES[layer.symbol], transform=place, fill=layer.colour)
    radius = 5.0 if layer.size > 9 else 3.6
    if "open" in layer.symbol:
        return element("circle", r=radius, transform=place, fill="none", stroke=layer.colour,
                       stroke_width=1.6)  # fmt: skip
    return element("circle", r=radius, transform=place, fill=layer.colour)
