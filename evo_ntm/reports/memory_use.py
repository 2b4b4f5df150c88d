"""The memory in use on one sequence, after figure 6 of Graves, Wayne and Danihelka (2014).

Time goes from left to right, and memory rows, which the paper calls locations, go downwards. On
the left is what goes in: inputs, add vectors, write weightings; on the right what comes out:
answers, read vectors, read weightings. White stands for nothing, where the paper has black.
"""

from functools import partial
from itertools import pairwise, zip_longest
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evo_ntm.errors import ReportError
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.reports.ink import BITS, NOT_ASKED, VECTORS, WEIGHTS, WRONG, Ink, ink, largest
from evo_ntm.reports.life import observe_life
from evo_ntm.reports.observation import Observation, observe, rows_to_show, task_to_show
from evo_ntm.reports.panels import Key, Panel, Scale, Slot, lay_out
from evo_ntm.reports.pictures import picture_format, write_picture
from evo_ntm.reports.ways import ways
from evo_ntm.tasks import KnownTask, RewardTask
from evo_ntm.tasks.gymnasium import Gymnasium
from evo_ntm.tasks.lives import REWARD
from evo_ntm.topology import Block, Head, Topology
from evo_ntm.topology.parts import HeadKind

Numbers = NDArray[np.float64]

IN_USE = 0.01
MOST_ROWS = 2500
LABELS = 9  # numbers of rows beside a panel
LETTERS = 17  # of a channel's name beside a panel
WORDS_HEIGHT = 1.4  # inches that the words beside a weighting need


def draw(
    genome: Genome,
    experiment: Experiment,
    *,
    to: Path,
    length: int | None = None,
    rows: int | None = None,
    seed: int = 0,
) -> None:
    """Draw the memory in use on one sequence, or life, of the experiment's task, as PNG or SVG.

    Without `length`, `task_to_show` chooses; without `rows`, the memory has as many as the largest
    part of the exam. The same arguments give the same bytes. Raises ReportError, and TaskError
    where the task cannot be of that length.
    """
    picture_format(to)
    task = task_to_show(experiment, length)
    rows = rows_to_show(experiment, task) if rows is None else rows
    epsilon = experiment.machine.epsilon
    if isinstance(task, RewardTask):
        seen = observe_life(genome, task, rows=rows, epsilon=epsilon, seed=seed)
    else:
        seen = observe(genome, task, rows=rows, epsilon=epsilon, seed=seed)
    write_picture(to, lambda: compose(genome, task, seen))


def compose(genome: Genome, task: KnownTask, seen: Observation) -> Figure:
    """Lay the panels of one sequence out: what goes in on the left, what comes out on the right."""
    limit = largest(seen.add, seen.reads)
    rows, steps = rows_in_use(seen), len(seen.inputs)
    written, read = heads_at_work(genome.topology, seen, limit=limit, rows=rows)
    marks = answers_begin(seen)
    left: list[Slot] = [
        inputs_panel(task.inputs, seen),
        _key(genome.topology, seen, limit if rows.size else None, marks),
    ]
    asked = targets_panel(task.outputs, seen) if seen.earned is None else rewards_panel(seen.earned)
    right: list[Slot] = [asked, answers_panel(task.outputs, seen)]
    if not rows.size:
        left.reverse()  # so that the inputs are level with the answers, and time below both
    pairs = [*zip(left, right, strict=True), *zip_longest(written, read)]
    if seen.way is not None:
        pairs.append(ways(seen.way))
    title, subtitle = _title(task, seen), _subtitle(genome, seen)
    return lay_out(pairs, title=title, subtitle=subtitle, steps=steps, marks=marks)


def rows_in_use(seen: Observation, above: float = IN_USE) -> NDArray[np.int64]:
    """List the memory rows on which any head ever puts more than a weight; all where none does.

    Rows form a ring: the list begins behind the widest stretch that is not in use. Raises
    ReportError where there are too many to be shown.
    """
    weightings = np.concatenate([seen.write_weightings, seen.read_weightings], axis=1)
    used = np.flatnonzero((weightings > above).any(axis=(0, 1)))
    if len(used) > MOST_ROWS:
        raise ReportError(f"expected at most {MOST_ROWS} memory rows in use to show, "
                          f"but {len(used)} are")  # fmt: skip
    if not len(used):
        return np.arange(seen.rows)[:MOST_ROWS]
    idle = (np.roll(used, -1) - used - 1) % seen.rows
    widest = len(idle) - 1 - int(np.argmax(idle[::-1]))
    return np.roll(used, -(widest + 1))


def heads_at_work(
    topology: Topology, seen: Observation, *, limit: float, rows: NDArray[np.int64]
) -> tuple[list[Panel], list[Panel]]:
    """Make two panels for each head that writes, and two for each that reads.

    The head of a tape does both: it writes, jumps and steps, and reads where it then is.
    """
    panels_of = partial(_head_panels, limit=limit, rows=rows)
    (writes, aims), (reads, looks) = titles("writer"), titles("reader")
    if topology.tape_heads:
        writes, reads, aims, looks = titles("tape")
    writing, reading = topology.writers or topology.tape_heads, topology.reading
    return (
        panels_of(writing, writes, seen.add, aims, seen.write_weightings),
        panels_of(reading, reads, seen.reads, looks, seen.read_weightings),
    )


def titles(kind: HeadKind) -> tuple[str, ...]:
    """Name the panels of a head of one kind: its vectors, then where it was."""
    if kind == "tape":
        return "write vectors", "read vectors", "where it writes", "where it reads"
    verb = "write" if kind == "writer" else "read"
    return "add vectors" if kind == "writer" else "read vectors", f"{verb} weightings"


def _head_panels(
    heads: tuple[Head, ...],
    vectors: str,
    numbers: Numbers,
    weightings: str,
    weights: Numbers,
    *,
    limit: float,
    rows: NDArray[np.int64],
) -> list[Panel]:
    """Make two panels for each head of one kind: its vectors up to a limit, and where it was."""
    panels = []
    for number, head in enumerate(heads):
        vector, weight = numbers[:, number].T, weights[:, number]
        panels.append(
            Panel(f"{head.name}: {vectors}", "column", ink(VECTORS, vector, -limit, limit))
        )
        noun = "cell" if head.kind == "tape" else "memory row"
        panels.append(_weighting(f"{head.name}: {weightings}", weight, rows, noun))
    return panels


def _weighting(title: str, weights: Numbers, rows: NDArray[np.int64], noun: str) -> Panel:
    count = weights.shape[1]
    used = "in use" if noun == "cell" else f"weight > {IN_USE}"
    shown = f"{len(rows)} of {count}: {used}"
    if not (weights > IN_USE).any() and len(rows) == count:
        shown = f"all {count}: no weight > {IN_USE}"
    breaks = [place + 0.5 for place, (row, after) in enumerate(pairwise(rows))
              if after != (row + 1) % count]  # fmt: skip
    return Panel(title, f"{noun}\n({shown})", ink(WEIGHTS, weights[:, rows].T),
                 ticks=_numbered(rows), lines=tuple(breaks), lowest=WORDS_HEIGHT)  # fmt: skip


def _numbered(rows: NDArray[np.int64]) -> tuple[tuple[float, str], ...]:
    """Number some of the rows, round numbers where there are enough of them."""
    steps = (size * power for power in (1, 10, 100, 1000) for size in (1, 2, 5))
    for step in steps:
        chosen = [(float(place), str(row)) for place, row in enumerate(rows) if row % step == 0]
        if len(chosen) <= LABELS:
            break
    return tuple(chosen)


def inputs_panel(blocks: tuple[Block, ...], seen: Observation) -> Panel:
    """Show what goes in, by channels; those beyond bits on a scale of their own."""
    parts, names = [], []
    for block, numbers in zip(blocks, _cut(seen.inputs.T, blocks), strict=True):
        if numbers.min() >= 0 and numbers.max() <= 1:
            parts.append(ink(BITS, numbers))
            names.append(block.name)
        else:
            limit = max(largest(numbers), 1.0)
            parts.append(ink(VECTORS, numbers, -limit, limit))
            names.append(f"{block.name} ±{limit:.3g}")
    return _channels("inputs", blocks, names, np.concatenate(parts))


def targets_panel(blocks: tuple[Block, ...], seen: Observation) -> Panel:
    """Show what was asked, where anything was."""
    shown = _asked(ink(BITS, seen.targets.T), seen)
    return _channels("targets", blocks, [block.name for block in blocks], shown)


def rewards_panel(earned: Numbers) -> Panel:
    """Show what each step earned."""
    limit = largest(earned)
    return Panel(f"rewards, ±{limit:.3g}", "", ink(VECTORS, earned[None], -limit, limit))


def answers_panel(blocks: tuple[Block, ...], seen: Observation) -> Panel:
    """Show what was answered where it was asked, and which of it is wrong."""
    right, wrong = (ink(scale, seen.answers.T) for scale in (BITS, WRONG))
    shown = _asked(np.where(seen.wrong.T[..., None], wrong, right), seen)
    return _channels("answers", blocks, [block.name for block in blocks], shown)


def _asked(shown: Ink, seen: Observation) -> Ink:
    return np.where(seen.scored[:, None], shown, NOT_ASKED)


def _channels(title: str, blocks: tuple[Block, ...], names: list[str], shown: Ink) -> Panel:
    """Make a panel of a task's channels, whose blocks are named and set apart by lines."""
    ends = np.cumsum([block.size for block in blocks])
    middles = [end - (block.size + 1) / 2 for end, block in zip(ends, blocks, strict=True)]
    short = [name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…" for name in names]
    ticks = tuple(zip(map(float, middles), short, strict=True))
    return Panel(title, "", shown, ticks, tuple(float(end) - 0.5 for end in ends[:-1]))


def _cut(numbers: Numbers, blocks: tuple[Block, ...]) -> list[Numbers]:
    return np.split(numbers, np.cumsum([block.size for block in blocks])[:-1])


def answers_begin(seen: Observation) -> list[int]:
    """Find where answers begin to be due."""
    return [int(step) for step in np.flatnonzero(np.diff(seen.scored.astype(int)) == 1) + 1]


def _key(topology: Topology, seen: Observation, limit: float | None, marks: list[int]) -> Key:
    asked, scales = seen.earned is None, [Scale("bit, or its probability", BITS)]
    if asked:
        scales.append(Scale("the same, answered wrongly", WRONG))
    if limit is not None:
        place = "where the head is" if topology.tape_heads else "weight on a memory row"
        scales.append(Scale(place, WEIGHTS))
        scales.append(Scale("number in a vector", VECTORS, -limit, limit))
    elif not asked or seen.inputs.min() < 0:
        scales.append(Scale("number, in shares of what ± says", VECTORS, -1, 1))
    return Key(tuple(scales), "not asked" if asked else "",
               "answers are due from here" if marks else "")  # fmt: skip


def _title(task: KnownTask, seen: Observation) -> str:
    extent = [f"{word} {size if isinstance(size, int) else '{} to {}'.format(*size)}"
              for word, size in task.extent().items()]  # fmt: skip
    if seen.earned is not None:
        name = task.settings.id if isinstance(task, Gymnasium) else task.name
        return f"{', '.join([name, *extent])}: {seen.measures[REWARD]:.4g} earned"
    asked = int(seen.scored.sum()) * seen.targets.shape[1]
    return f"{', '.join([task.name, *extent])}: {int(seen.wrong.sum())} of {asked} bits wrong"


def _subtitle(genome: Genome, seen: Observation) -> str:
    told = [str(genome.topology), f"genome {genome.id[:12]}"]
    if seen.failed:
        told.insert(0, f"the environment failed in step {len(seen.inputs) - 1}")
    if genome.topology.heads:
        told.append(f"{seen.rows} {'cells' if genome.topology.tape_heads else 'memory rows'}")
    if seen.earned is None:
        told.append(f"cross-entropy {seen.measures['bits']:.3g} bits")
    told += [f"{name} {value:.3g}" for name, value in seen.measures.items()
             if name not in ("bits", "wrong_bits", REWARD)]  # fmt: skip
    return " · ".join(told)
