"""Charts of the line from founder to champion, and of the operators that made it."""

from collections.abc import Sequence

from evo_ntm.reports.chapters import Measured, OperatorUse, Step, Trunk, Verdict
from evo_ntm.reports.charts.layers import (
    Bars,
    Chart,
    Layer,
    Line,
    Marks,
    Plot,
    Rules,
    brief,
    briefly,
)
from evo_ntm.reports.digits import number
from evo_ntm.reports.palette import AMBER, BLUE, GREEN, GREY, SYMBOLS, VERDICTS

WIDE = 30  # times that the highest cost is of the lowest, for the axis to be logarithmic
MOST_MARKS = 1500  # of steps that do not matter, beside those that do
ORDER: tuple[Verdict, ...] = ("neutral", "not measured", "deleterious", "beneficial", "founder")
LEAST_COST = 1e-3
SIZES = ((100, 9.0), (400, 7.0), (10**9, 5.0))  # of marks, where there are at most so many steps


def trunk(chapter: Trunk) -> Chart:
    """Chart the cost of every birth of the line, a mark a step, by what the step did."""
    steps = shown(chapter.steps)
    places = _placed(steps)
    costs = [cost for cost in places if cost > 0]
    logarithmic = len(costs) == len(places) and max(costs, default=0) >= WIDE * min(
        costs, default=1
    )
    measured = [step for step in steps if step.measured is not None]
    layers: list[Layer] = []
    if measured:
        layers.append(
            Line("cost", briefly(tuple(step.generation for step in measured)),
                 briefly(tuple(_cost(step.measured) for step in measured)), GREY,
                 stepped=True, width=1.0)
        )  # fmt: skip
    changed = [number for number, step in enumerate(steps) if step.changes]
    if changed:
        layers.append(
            Marks("changes the machine", briefly(tuple(steps[n].generation for n in changed)),
                  briefly(tuple(places[n] for n in changed)), AMBER, "circle-open", 16,
                  told=tuple(tell(steps[n]) for n in changed))
        )  # fmt: skip
    for verdict in ORDER:
        chosen = [number for number, step in enumerate(steps) if step.verdict == verdict]
        if chosen:
            size = next(size for most, size in SIZES if len(steps) <= most)
            there = [steps[n] for n in chosen], [places[n] for n in chosen]
            layers.append(_marks(verdict, *there, size))
    counts = ", ".join(f"{count} {verdict}" for verdict, count in chapter.verdicts.items() if count)
    return Chart(
        "trunk",
        f"The cost of {len(chapter.steps)} births from founder to subject, on the same "
        f"{chapter.episodes} episodes, by generation; by what the step did: {counts}.",
        "generation",
        (Plot(f"Cost in {chapter.words.cost_an_episode}, on the same episodes", tuple(layers), 360,
              logarithmic=logarithmic),),
    )  # fmt: skip


def shown(steps: Sequence[Step]) -> list[Step]:
    """Choose the steps that are drawn: those that matter, and of the others not too many."""
    others = [number for number, step in enumerate(steps) if not step.matters]
    every = -(-len(others) // MOST_MARKS) or 1
    kept = set(others[::every])
    return [step for number, step in enumerate(steps) if step.matters or number in kept]


def tell(step: Step) -> str:
    """Tell of a step in one line."""
    told = [f"birth {step.number}, generation {step.generation}: {', '.join(step.operators)}"]
    if step.measured is not None:
        told.append(f"cost {number(step.measured.bits)}")
    if step.measured is not None and step.verdict != "founder":
        told.append(f"gain {number(step.measured.gain, signed=True)}")
    return " · ".join([*told, step.verdict, *step.changes])


def operators(chapter: Sequence[OperatorUse]) -> Chart:
    """Chart how often operators were tried, how often they succeeded, and on the line."""
    uses = sorted(
        (use for use in chapter if use.attempts), key=lambda use: (use.attempts, use.name)
    )
    names = tuple(use.name for use in uses)
    rates = tuple(100 * use.successes / use.attempts for use in uses)
    tried = tuple(f"{use.name}: {number(use.attempts)} attempts" for use in uses)
    worked = tuple(f"{use.name}: {number(use.successes)} of {number(use.attempts)} stood higher "
                   "than their parent" for use in uses)  # fmt: skip
    there = tuple(f"{use.name}: {use.on_trunk} on the line, {number(use.enrichment)} its share"
                  for use in uses)  # fmt: skip
    attempts = Bars("attempts", names, briefly(tuple(use.attempts for use in uses)), GREY,
                    told=tried)  # fmt: skip
    successes = Bars("successes", names, briefly(rates), BLUE, told=worked)
    enriched = Bars("enrichment", names, briefly(tuple(use.enrichment for use in uses)), GREEN,
                    told=there)  # fmt: skip
    height = 60 + 26 * max(len(uses), 1)
    return Chart(
        "operators",
        "Of each operator: how often it was tried, how often its children stood higher than their "
        "parents, and its share of the line over its share of all births.",
        "",
        (
            Plot("Attempts", (attempts,), height),
            Plot("Successes, in %", (successes,), height),
            Plot("Enrichment", (enriched, Rules("as often on the line as elsewhere", (1.0,), GREY)),
                 height),
        ),
        beside=True,
        least_width=600,
    )  # fmt: skip


def _marks(verdict: Verdict, steps: Sequence[Step], places: Sequence[float], size: float) -> Marks:
    lows, highs = [], []
    for step in steps:
        low, high = (
            _interval(step.measured) if step.measured and verdict != "founder" else (None,) * 2
        )
        lows.append(low)
        highs.append(high)
    return Marks(
        verdict,
        briefly(tuple(step.generation for step in steps)),
        briefly(tuple(places)),
        VERDICTS[verdict],
        SYMBOLS[verdict],
        size * (0.7 if verdict in ("neutral", "not measured") else 1.0),
        low=tuple(lows) if any(low is not None for low in lows) else (),
        high=tuple(highs) if any(high is not None for high in highs) else (),
        told=tuple(map(tell, steps)),
        births=tuple(step.number for step in steps),
    )


def _cost(measured: Measured | None) -> float:
    assert measured is not None
    return measured.bits


def _interval(measured: Measured) -> tuple[float | None, float | None]:
    """Give the cost's interval as that of the gain, counted from the cost of the parent."""
    parent = measured.bits + measured.gain
    low = max(parent - measured.high, min(LEAST_COST, measured.bits))
    return brief(low), brief(parent - measured.low)


def _placed(steps: Sequence[Step]) -> list[float]:
    """Place what was not measured at the cost that was measured last, or first."""
    known = [step.measured.bits for step in steps if step.measured is not None]
    last, places = (known[0] if known else 0.0), []
    for step in steps:
        last = step.measured.bits if step.measured is not None else last
        places.append(last)
    return places
