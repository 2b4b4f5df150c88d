"""Drawings for a page, as SVG: elements whose words are escaped by the standard library."""

from xml.etree.ElementTree import Element, tostring

DECIMALS = 2


def element(name: str, *inside: Element | str | None, **attributes: object) -> Element:
    """Make an element; `class_` and `for_` lose their underscore, others become hyphens.

    An attribute that is None is left out.
    """
    made = Element(name)
    for key, value in attributes.items():
        if value is not None:
            made.set(key.rstrip("_").replace("_", "-"), _written(value))
    for part in inside:
        if isinstance(part, Element):
            made.append(part)
        elif part is not None and len(made):
            made[-1].tail = (made[-1].tail or "") + part
        elif part is not None:
            made.text = (made.text or "") + part
    return made


def drawing(width: float, height: float, *inside: Element | None, **attributes: object) -> Element:
    """Make a drawing of this size, which shrinks where there is less room."""
    return element("svg", *inside, viewBox=f"0 0 {_written(width)} {_written(height)}",
                   width=width, height=height, **attributes)  # fmt: skip


def words(x: float, y: float, text: str, **attributes: object) -> Element:
    """Write words at a place."""
    return element("text", text, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Element:
    """Draw a line from one place to another."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def box(x: float, y: float, width: float, height: float, **attributes: object) -> Element:
    """Draw a box."""
    return element("rect", x=x, y=y, width=width, height=height, **attributes)


def title(text: str) -> Element:
    """Tell what an element is: where a pointer rests on it, and to those who do not see it."""
    return element("title", text)


def markup(drawn: Element) -> str:
    """Write an element as the text of a page."""
    return tostring(drawn, encoding="unicode", short_empty_elements=drawn.tag != "div")


def _written(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".") or "0"
    return str(value)
