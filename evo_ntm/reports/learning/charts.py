"""Charts of learners: what they cost while they were trained, and what their exams came to."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

from evo_ntm.evolution.exam import ExamRow
from evo_ntm.reports.charts.layers import (
    Band,
    Chart,
    Dash,
    Layer,
    Line,
    Marks,
    Plot,
    Values,
    briefly,
)
from evo_ntm.reports.comparison.charts import part_sizes
from evo_ntm.reports.digits import number
from evo_ntm.reports.learning.champion import Champion, Points
from evo_ntm.reports.learning.learner import Course, Learner
from evo_ntm.reports.palette import DASHES, GREY, PINK, series

LEAST = 0.01  # bits a sequence: whatever is less is drawn there
WIDE = 20  # times that the largest is of the smallest, for an axis of bits to be logarithmic
FAR = 4  # the same of an axis of sizes
SYMBOLS = ("circle-open", "diamond", "square")
SIZES = (14.0, 7.0, 8.0)  # so that all marks in one place are seen
CONSTANT, ESTIMATOR = "best constant answer", "best possible estimator"
THIN: tuple[tuple[str, Dash, str], ...] = (
    (CONSTANT, "solid", "triangle-up"),
    (ESTIMATOR, "dash", "triangle-down"),
)

Spread = Sequence[tuple[float, Sequence[float]]]
"""Places, each with the values of all seeds."""


def charts(learners: Sequence[Learner], champion: Champion | None = None) -> dict[str, Chart]:
    """Chart all that there is, by the names of the charts."""
    found = [learning(learners, champion), generalisation(learners)]
    return {chart.name: chart for chart in found}


def learning(learners: Sequence[Learner], champion: Champion | None = None) -> Chart:
    """Chart bits a sequence by sequences seen: medians over seeds, and bands between extremes.

    With a champion the validation set follows below, as it is what is known of a tuning.
    """
    met = "Bits a sequence, of sequences just met"
    told = f"Bits a sequence by the number of sequences seen, of {_names(learners)}"
    if champion is None:
        plots = [_curves(met, learners, lambda course: course.bits, *_least(learners))]
    else:
        evolving = _line(f"{champion.name}, evolving", champion.evolved, width=1.0)
        tuned = _line(f"{champion.name}, tuned after that", champion.tuned, width=1.6)
        stars = Marks(tuned.name, tuned.x, tuned.y, PINK, "star", 10)  # for all is in one place
        plots = [
            _curves(met, learners, lambda course: course.bits, evolving),
            _curves("Bits, all of the validation set added up", learners,
                    lambda course: course.validation, tuned, stars),
        ]  # fmt: skip
        told += (f" and of {champion.name}, whose tuning began after evolution had answered "
                 f"{champion.answered:,} sequences")  # fmt: skip
    return Chart(
        "learning",
        f"{told}: medians over seeds, in bands from the lowest to the highest.",
        "sequences seen, in thousands",
        tuple(plots),
        logarithmic=champion is not None,
        together=True,
    )


def generalisation(learners: Sequence[Learner]) -> Chart:
    """Chart bits and wrong bits by how large the sequences of the exam's parts are."""
    exams = [course.exam for learner in learners for course in learner.courses]
    sizes, axis = _sizes(exams)
    parts = sorted(sizes, key=lambda name: sizes[name])
    chance = {row.name: row.measures["chance"] for row in exams[0]}
    bits, wrong = list[Layer](), list[Layer]()
    for learner in learners:
        rows = [(sizes[name], learner.part(name)) for name in parts]
        spent = [(size, [row.bits for row in part]) for size, part in rows]
        erred = [(size, [row.wrong_bits for row in part]) for size, part in rows]
        bits += _marked(learner, "bits", spent, joined=bool(axis))
        wrong += _marked(learner, "wrong bits", erred, joined=bool(axis))
    for (name, dash, symbol), told in zip(THIN, (chance, _best(exams[0])), strict=True):
        if told:
            x, y = (briefly(tuple(known[part] for part in parts)) for known in (sizes, told))
            line = Line(name, x, y, GREY, dash, width=1.0)
            bits.append(line if axis else Marks(name, x, y, GREY, symbol, 9))
    return Chart(
        "generalisation",
        f"Bits and wrong bits a sequence in each part of the exam, of {_names(learners)}: medians "
        "over seeds, and all from the lowest to the highest.",
        f"{axis} of test sequences" if axis else "",
        (scaled("Bits a sequence, in the exam", bits, 250),
         Plot("Wrong bits a sequence, in the exam", tuple(wrong), 210)),
        logarithmic=bool(axis) and max(sizes.values()) >= FAR * min(sizes.values()),
        ticks=tuple((sizes[name], f"{sizes[name]:g}" if axis else name.replace(", ", ",\n"))
                    for name in parts),
    )  # fmt: skip


def _sizes(exams: Sequence[Sequence[ExamRow]]) -> tuple[dict[str, float], str]:
    """Tell how large the parts are, and by what; by nothing where that does not tell them apart."""
    rows = [row for exam in exams for row in exam]
    sizes, axis = part_sizes(rows)
    if axis.startswith("part") or len(set(sizes.values())) < len(sizes):
        return {name: float(number) for number, name in enumerate(sizes, start=1)}, ""
    return sizes, axis.removesuffix(", at most")


def _least(learners: Sequence[Learner]) -> list[Line]:
    """Draw what sequences cost at least, as far as the exam tells."""
    best = list(_best(learners[0].courses[0].exam).values())
    last = max(course.sequences[-1] for learner in learners for course in learner.courses)
    x = briefly((0.0, last / 1000))
    return [Line(ESTIMATOR, x, briefly((best[0],) * 2), GREY, "dash", width=1.0)] if best else []


def _best(exam: Sequence[ExamRow]) -> dict[str, float]:
    """Tell what each part costs at least, where that is known: what is beyond it is the regret."""
    return {row.name: row.bits - row.measures["regret"] for row in exam if "regret" in row.measures}


def _curves(
    title: str, learners: Sequence[Learner], of: Callable[[Course], Sequence[float]], *also: Layer
) -> Plot:
    layers: list[Layer] = []
    for learner in learners:
        spread = learner.spread(of)
        x = briefly(tuple(sequences / 1000 for sequences, _ in spread))
        low, middle, high = _summed_up(spread)
        colour, dash = series(learner.place), DASHES[learner.place % len(DASHES)]
        if len(learner.courses) > 1:
            layers.append(Band(learner.name, x, low, high, colour, 0.16))
        layers.append(Line(learner.name, x, middle, colour, dash, width=2.2))
    return scaled(title, [*layers, *also], 270)


def _line(name: str, points: Points, width: float) -> Line:
    x = briefly(tuple(sequences / 1000 for sequences, _ in points))
    return Line(name, x, briefly(tuple(bits for _, bits in points)), PINK, width=width)


def _marked(learner: Learner, what: str, spread: Spread, *, joined: bool) -> list[Layer]:
    x = briefly(tuple(size for size, _ in spread))
    low, middle, high = _summed_up(spread)
    told = tuple(f"{learner.name}: {number(value)} {what} a sequence, median of {len(values)}"
                 for value, (_, values) in zip(middle, spread, strict=True))  # fmt: skip
    several, place = len(learner.courses) > 1, learner.place
    colour, dash = series(place), DASHES[place % len(DASHES)]
    return [
        *([Line(learner.name, x, middle, colour, dash)] if joined else []),
        Marks(learner.name, x, middle, colour, SYMBOLS[place % len(SYMBOLS)],
              SIZES[place % len(SIZES)], low if several else (), high if several else (), told),
    ]  # fmt: skip


def _summed_up(spread: Spread) -> tuple[Values, Values, Values]:
    """Give the lowest, the middle and the highest values over the seeds."""
    return (
        briefly(tuple(min(values) for _, values in spread)),
        briefly(tuple(median(values) for _, values in spread)),
        briefly(tuple(max(values) for _, values in spread)),
    )


def scaled(title: str, layers: Sequence[Layer], height: int) -> Plot:
    """Make a plot of bits; where they differ widely its axis is logarithmic, and has a bottom."""
    known = [value for layer in layers for value in _upright(layer) if value is not None]
    if max(known, default=0.0) < WIDE * max(min(known, default=0.0), LEAST):
        return Plot(title, tuple(layers), height)
    if min(known) < LEAST:
        title = f"{title}; {LEAST} stands for less, too"
    return Plot(title, tuple(map(_raised, layers)), height, logarithmic=True)


def _upright(layer: Layer) -> Values:
    return layer.y if isinstance(layer, Line | Marks) else ()


def _raised(layer: Layer) -> Layer:
    """Raise what is too little to the bottom of the axis."""
    if isinstance(layer, Line):
        return replace(layer, y=_at_least(layer.y))
    if isinstance(layer, Marks):
        return replace(layer, y=_at_least(layer.y), low=_at_least(layer.low),
                       high=_at_least(layer.high))  # fmt: skip
    if isinstance(layer, Band):
        return replace(layer, low=_at_least(layer.low), high=_at_least(layer.high))
    return layer


def _at_least(values: Values) -> Values:
    return tuple(None if value is None else max(value, LEAST) for value in values)


def _names(learners: Sequence[Learner]) -> str:
    return " and ".join(learner.name for learner in learners)
