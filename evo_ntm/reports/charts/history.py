"""Charts over time, of fitness and a strategy's own figures, and over size, of wrong bits."""

from statistics import quantiles

from evo_ntm.experiment.model import shown_rows
from evo_ntm.reports.chapters import Generalisation, History
from evo_ntm.reports.charts.layers import (
    Band,
    Chart,
    Layer,
    Line,
    Marks,
    Plot,
    Rules,
    Shade,
    briefly,
)
from evo_ntm.reports.digits import number, share
from evo_ntm.reports.palette import BLUE, DASHES, GREEN, GREY, PINK, RED, SHAPES, series
from evo_ntm.words import counted

WIDE = 20  # times that the largest is of the smallest, for an axis to be logarithmic
MOST_FIGURES = 8


def fitness(history: History) -> Chart:
    """Chart fitness by generation, what the validation set said, and the sittings of the exam."""
    x = briefly(history.generations)
    told = {name: briefly(values) for name, values in history.quantiles.items()}
    above: list[Layer] = []
    if {"lower", "upper"} <= told.keys():
        above.append(Band("middle half", x, told["lower"], told["upper"], BLUE))
    for name, colour, width in (("median", GREY, 1.2), ("best", BLUE, 1.8)):
        if name in told:
            above.append(Line(name, x, told[name], colour, width=width))
    pairs = zip(history.generations[1:], history.stages, history.stages[1:], strict=False)
    opened = tuple(float(generation) for generation, before, after in pairs if before != after)
    if opened:
        above.append(Rules("a curriculum stage opens", opened, PINK))
    restarts = tuple(float(e.generation) for e in history.events if e.kind == "restart")
    if restarts:
        above.append(Rules("a restart", restarts, GREY, "dash"))
    plots = [Plot("Fitness, each generation by its own episodes", tuple(above), 250,
                  span=_span(history))]  # fmt: skip
    wrong = history.words.wrong_an_episode
    if history.looks:
        plots.append(Plot(f"{wrong.capitalize()}, on the validation set", _looks(history), 190))
    best = max((v for v in told.get("best", ()) if v is not None), default=None)
    return Chart(
        "fitness",
        f"Fitness over {counted(len(x), 'generation')}, the best being {number(best)}, above the "
        f"{wrong} of the best of some generations on the validation set.",
        "generation",
        tuple(plots),
        together=True,
    )


def strategy(history: History) -> Chart | None:
    """Chart the figures that a strategy keeps of itself, each in a plot; None where it has none."""
    x = briefly(history.generations)
    kept = {name: briefly(values) for name, values in history.figures.items()}
    plots = tuple(
        Plot(name, (Line(name, x, values, series(place)),), 120)
        for place, (name, values) in enumerate(kept.items())
        if any(value is not None for value in values)
    )[:MOST_FIGURES]  # fmt: skip
    if not plots:
        return None
    told = f"The strategy's own figures by generation: {', '.join(plot.title for plot in plots)}."
    return Chart("strategy", told, "generation", plots)


def generalisation(chapter: Generalisation) -> Chart:
    """Chart wrong bits against the size of sequences; sizes that were trained are shaded."""
    x = briefly(chapter.sizes)
    low, high = chapter.trained
    layers: list[Layer] = [Shade("sizes evolved with", float(low), float(high), GREY)]
    for place, curve in enumerate(chapter.curves):
        y = briefly(tuple(100 * wrong for wrong in curve.shares))
        told = tuple(
            f"{curve.name}, birth {curve.birth}: {share(wrong, 2)} wrong, {number(bits)} bits "
            f"a sequence at {chapter.axis} {size}, {shown_rows(rows)} rows"
            for wrong, bits, size, rows in zip(
                curve.shares, curve.bits, chapter.sizes, chapter.rows, strict=True
            )
        )
        colour, dash = series(place), DASHES[place % len(DASHES)]
        layers.append(Line(curve.name, x, y, colour, dash=dash))
        layers.append(Marks(curve.name, x, y, colour, SHAPES[place % len(SHAPES)], 7, told=told))
    sizes = [size for size in chapter.sizes if size > 0]
    names = " and ".join(curve.name for curve in chapter.curves)
    return Chart(
        "generalisation",
        f"The share of wrong bits against {chapter.axis}, of {names}.",
        chapter.axis,
        (Plot("Wrong bits, in % of those asked", tuple(layers), 300),),
        logarithmic=len(sizes) == len(x) and max(sizes) >= WIDE * min(sizes),
    )


def _looks(history: History) -> tuple[Layer, ...]:
    looks = history.looks
    champions = [look for look in looks if look.champion]
    told = tuple(
        f"generation {look.generation}: birth {look.birth} becomes champion, "
        + history.words.told(number(look.wrong_bits), number(look.bits))
        for look in champions
    )
    layers: list[Layer] = [
        Line("best of the generation", briefly(tuple(look.generation for look in looks)),
             briefly(tuple(look.wrong_bits for look in looks)), GREY, stepped=True, width=1.2),
        Marks("new champion", briefly(tuple(look.generation for look in champions)),
              briefly(tuple(look.wrong_bits for look in champions)), BLUE, "diamond", 8, told=told,
              births=tuple(look.birth for look in champions)),
    ]  # fmt: skip
    for name, solved, colour in (("exam not passed", False, RED), ("exam passed", True, GREEN)):
        places = tuple(float(s.generation) for s in history.sittings if s.solved is solved)
        if places:
            layers.append(Rules(name, places, colour, "solid" if solved else "dash"))
    return tuple(layers)


def _span(history: History) -> tuple[float, float] | None:
    """Leave out of sight the few generations whose lower quarter is far below the others'."""
    lower = [v for v in briefly(history.quantiles.get("lower", ())) if v is not None]
    best = [v for v in briefly(history.quantiles.get("best", ())) if v is not None]
    if len(lower) < 2 or len(best) < 2:
        return None
    low, high = min(quantiles(lower, n=20)[0], quantiles(best, n=50)[0]), max(best)
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room
