"""The line as a page tells it: steps that matter one by one, stretches of others folded."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from xml.etree.ElementTree import Element

from evo_ntm.reports.chapters import Measured, Step, Trunk
from evo_ntm.reports.charts.trunk import shown
from evo_ntm.reports.digits import decimals_of
from evo_ntm.reports.drawings.svg import drawing, element, line
from evo_ntm.reports.palette import VERDICTS
from evo_ntm.words import counted

WIDTH, HEIGHT, ROOM = 112.0, 16.0, 6.0
MOST_MACHINES = 24
LEAST_DECIMALS, MOST_DECIMALS = 1, 2
REACHES = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Stretch:
    """Steps in a row that do not matter. `steps` are those that are shown, of `count`."""

    steps: tuple[Step, ...]
    count: int
    told: str

    folded = True


@dataclass(frozen=True)
class Alone:
    """A step that matters, or one that is not worth folding."""

    step: Step

    folded = False


def story(trunk: Trunk) -> list[Stretch | Alone]:
    """Fold the steps of a line: every run of two or more that do not matter."""
    there = {step.number for step in shown(trunk.steps)}
    told: list[Stretch | Alone] = []
    idle: list[Step] = []
    for step in trunk.steps:
        if step.matters:
            told += [*_folded(idle, there), Alone(step)]
            idle = []
        else:
            idle.append(step)
    return [*told, *_folded(idle, there)]


def listed(items: Iterable[Stretch | Alone]) -> set[int]:
    """Give the births that have a row of their own."""
    return {
        step.number
        for item in items
        for step in ((item.step,) if isinstance(item, Alone) else item.steps)
    }


def digits(trunk: Trunk) -> int:
    """Choose the decimals of costs and gains, the same along the line."""
    gains = [step.measured.gain for step in trunk.steps if step.measured is not None]
    return min(max(decimals_of(gains), LEAST_DECIMALS), MOST_DECIMALS)


def beside(step: Step, *, alone: bool) -> Measured | None:
    """Give what a step is put beside the row above it: of a folded one, its parent."""
    if step.verdict == "founder":
        return None
    return step.since if alone and step.since is not None else step.measured


def reach(items: Sequence[Stretch | Alone]) -> float:
    """Choose how far a forest reaches to both sides, as a share of the cost before."""
    shares = [abs(share) for item in items if isinstance(item, Alone)
              if (share := _share(beside(item.step, alone=True))) is not None]  # fmt: skip
    return next((each for each in REACHES if each >= max(shares, default=0.0)), REACHES[-1])


def forest(measured: Measured | None, verdict: str, reach: float) -> Element | None:
    """Draw a gain with its interval, as a share of the cost before; None where it is not known."""
    if measured is None or _share(measured) is None:
        return None
    before = measured.bits + measured.gain
    low, middle, high = (
        _across(value / before / reach) for value in (measured.low, measured.gain, measured.high)
    )
    level = HEIGHT / 2
    return drawing(
        WIDTH, HEIGHT,
        line(WIDTH / 2, 0, WIDTH / 2, HEIGHT, class_="zero"),
        line(low, level, high, level, stroke=VERDICTS.get(verdict), stroke_width=1.6),
        element("circle", cx=middle, cy=level, r=3.0, fill=VERDICTS.get(verdict)),
        class_="forest", aria_hidden="true",
    )  # fmt: skip


def machines(trunk: Trunk) -> list[tuple[Step, Step | None]]:
    """List the steps at which the machine changed, the founder first, each with the one before.

    Of very many, the last ones.
    """
    pairs = zip(trunk.steps[1:], trunk.steps, strict=False)
    changed = [(step, before) for step, before in pairs if step.topology != before.topology]
    first: list[tuple[Step, Step | None]] = [(step, None) for step in trunk.steps[:1]]
    return [*first, *changed[-MOST_MACHINES:]]


def _folded(steps: Sequence[Step], there: set[int]) -> list[Stretch | Alone]:
    if len(steps) < 2:
        return [Alone(step) for step in steps]
    verdicts = Counter(step.verdict for step in steps)
    judged = ", ".join(f"{many} {verdict}" for verdict, many in sorted(verdicts.items()))
    told = (
        f"{counted(len(steps), 'step')} from generation {steps[0].generation} to "
        f"{steps[-1].generation}: {judged}"
    )
    return [Stretch(tuple(step for step in steps if step.number in there), len(steps), told)]


def _share(measured: Measured | None) -> float | None:
    """Give a gain as a share of the cost before, None where either is not known."""
    if measured is None or not isfinite(measured.gain) or not measured.bits + measured.gain > 0:
        return None
    return measured.gain / (measured.bits + measured.gain)


def _across(share: float) -> float:
    """Place a share from -1 to 1; what is beyond stands at the edge."""
    return WIDTH / 2 + (WIDTH / 2 - ROOM) * max(-1.0, min(1.0, share))
