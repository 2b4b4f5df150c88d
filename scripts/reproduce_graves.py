"""Draw the figures of Graves et al. (2014) from machines that are trained here.

    python scripts/reproduce_graves.py --quick         copy, in a minute or two
    python scripts/reproduce_graves.py --task associative_recall --seeds 1-3
    python scripts/reproduce_graves.py --champion genomes/copy-tuned

An NTM with a feed-forward controller, an NTM with an LSTM and an LSTM without a memory are trained
from random weights, as `evo-ntm finetune TASK.yaml --from-scratch` does, each in a run of its own.
Runs that are there already are taken as they are, and what was interrupted goes on. Out come the
learning curves (figures 3, 7, 10, 13 and 18), bits and wrong bits by the size of test sequences
(figures 4, 5, 9 and 11), the memory in use (figures 6, 8, 12 and 16), and their numbers as CSV.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NoReturn

from evo_ntm import screen, tables, verbs
from evo_ntm.arguments import read_seeds
from evo_ntm.errors import ArgumentError, EvoNTMError, RunError, nearest
from evo_ntm.evolution.workers import backend_of
from evo_ntm.exits import (
    BAD_INPUT,
    DONE,
    INTERRUPTED,
    STOPPED,
    complain,
    heard,
    heed_signals,
    stopped,
    told,
)
from evo_ntm.experiment import Experiment, load
from evo_ntm.reports.documents import make_folder
from evo_ntm.reports.learning import (
    Champion,
    Learner,
    last_trained,
    read_champion,
    read_course,
    write_all,
)
from evo_ntm.runs.store import open_run

TASKS = Path(__file__).parents[1] / "tasks"
LOOKS, QUICK_LOOKS = 50, 16  # at a training
ALONE = "run.threads=1"  # batches are too small for several, which would wait for each other
NOTHING = 0.1  # bits a sequence that are as good as none
FEED_FORWARD, WITH_LSTM, LSTM = "ntm-feed-forward", "ntm-lstm", "lstm"

Overrides = tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """How a task is trained: its file, what is set, for all and for each, and for how long."""

    file: str
    sequences: int
    quick: int
    machines: Mapping[str, Overrides]
    all: Overrides = ()


def machine(controller: str, units: Sequence[int], heads: int, **finetune: object) -> Overrides:
    """Set a machine as tables 1 to 3 of the paper do, and what else its training needs."""
    shape = {"controller": controller, "units": list(units), "readers": heads, "writers": heads,
             "width": 20, "encoding": "direct", "heads.source": "hidden"}  # fmt: skip
    bounds = "{readers: [0, 16], writers: [0, 16], units: [1, 1024], layers: [1, 3]}"
    return (f"machine.bounds={bounds}", *(f"machine.{key}={value}" for key, value in shape.items()),
            *(f"finetune.{key}={value}" for key, value in finetune.items()))  # fmt: skip


# Machines are those of the paper; step sizes, batches and memory rows are those of the task files,
# by which NTMs learn from fewer sequences than by the paper's.
PLANS = {
    "copy": Plan("copy-tuned", 50_000, 4_000, {
        FEED_FORWARD: machine("dense", [100], 1),
        WITH_LSTM: machine("lstm", [100], 1),
        LSTM: machine("lstm", [256] * 3, 0, learning_rate=0.0003, batch=16),
    }, ("curriculum=[]",)),  # the paper draws all vectors alike
    "repeat_copy": Plan("repeat-copy-tuned", 100_000, 5_000, {
        FEED_FORWARD: machine("dense", [100], 1),
        WITH_LSTM: machine("lstm", [100], 1),
        LSTM: machine("lstm", [512] * 3, 0),
    }),
    "associative_recall": Plan("associative-recall-tuned", 200_000, 10_000, {
        FEED_FORWARD: machine("dense", [256], 4),
        WITH_LSTM: machine("lstm", [100], 1),
        LSTM: machine("lstm", [256] * 3, 0),
    }),
    "ngrams": Plan("ngrams-tuned", 100_000, 2_000, {
        FEED_FORWARD: machine("dense", [100], 1),
        WITH_LSTM: machine("lstm", [100], 1),
        LSTM: machine("lstm", [128] * 3, 0),
    }),
    "priority_sort": Plan("priority-sort-tuned", 200_000, 2_000, {
        FEED_FORWARD: machine("dense", [512], 8),
        WITH_LSTM: machine("lstm", [100, 100], 5),
        LSTM: machine("lstm", [128] * 3, 0),
    }),
}  # fmt: skip
NAMES = (FEED_FORWARD, WITH_LSTM, LSTM)


class Parser(argparse.ArgumentParser):
    """Says in one line what it cannot read."""

    def error(self, message: str) -> NoReturn:
        """Raise ArgumentError."""
        raise ArgumentError(f"{message} (--help tells more)")


def arguments(typed: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line. Raises ArgumentError."""
    parser = Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--task", default="copy", metavar="TASK", help=f"one of {', '.join(PLANS)}")
    add("--sequences", metavar="N", help="how many each machine is trained on")
    add("--seeds", default="1", metavar="1-3", help="several: medians, and bands around them")
    add("--only", metavar="NAMES", help=f"some of {','.join(NAMES)}")
    add("--champion", type=Path, metavar="DIR", help="a published machine that evolved, beside")
    add("--to", metavar="DIR", help="where runs and figures go: runs/graves-TASK[-quick]")
    add("--device", metavar="cpu|cuda", help="where it is computed")
    add("--quick", action="store_true", help="few sequences: a minute or two for copy")
    asked = parser.parse_args(typed)
    if asked.task not in PLANS:
        raise ArgumentError(f"--task: expected a task of the paper, but came {asked.task!r}: "
                            f"{nearest(asked.task, PLANS)}")  # fmt: skip
    plan = PLANS[asked.task]
    asked.seeds = read_seeds(asked.seeds)
    asked.only = list(NAMES) if asked.only is None else asked.only.split(",")
    for name in asked.only:
        if name not in NAMES:
            raise ArgumentError(f"--only: expected machines, but came {name!r}: "
                                f"{nearest(name, NAMES)}")  # fmt: skip
    asked.only = [name for name in NAMES if name in asked.only]
    if asked.sequences is None:
        asked.sequences = plan.quick if asked.quick else plan.sequences
    elif not str(asked.sequences).isdecimal() or not 0 < int(asked.sequences) <= 10**9:
        raise ArgumentError("--sequences: expected a whole number from 1, "
                            f"but came {asked.sequences!r}")  # fmt: skip
    asked.sequences = int(asked.sequences)
    if asked.to == "":
        raise ArgumentError("--to: expected a folder, but came ''")
    ours = Path("runs") / f"graves-{asked.task}{'-quick' if asked.quick else ''}"
    asked.to = ours if asked.to is None else Path(asked.to)
    return asked


def settings(asked: argparse.Namespace, name: str, seed: int) -> tuple[Path, Overrides]:
    """Give the task file of a training, and what is overridden of it."""
    plan = PLANS[asked.task]
    file, changes = TASKS / f"{plan.file}.yaml", (ALONE, *plan.all, *plan.machines[name])
    if asked.device is not None:
        changes = (*changes, f"run.device={asked.device}")
    finetune = load(file, changes).finetune
    steps = max(asked.sequences // finetune.batch, 1)
    every = max(steps // (QUICK_LOOKS if asked.quick else LOOKS), 1)
    return file, (*changes, f"finetune.warmup={min(finetune.warmup, steps // 10)}",
                  f"finetune.steps={steps}", f"finetune.validate_every={every}",
                  "finetune.early_stop=false", f"finetune.seed={seed}")  # fmt: skip


def train(folder: Path, file: Path, changes: Overrides) -> int:
    """Train in a folder, go on there, or take what is there; give the birth that was trained."""
    asked = load(file, changes)
    with screen.ProgressLine(f"{folder}: trained by gradients", screen.tuning_line) as line:
        heard_by = {"on_begin": line.begin, "on_look": line}
        if not folder.exists():
            make_folder(folder.parent)
            how = {"from_scratch": True, "overrides": changes}
            tuned = verbs.finetune(file, to=folder, **how, **heard_by)
        else:
            _same(folder, open_run(folder).experiment, asked)
            if not verbs.is_being_tuned(folder):
                return _trained(folder)
            tuned = verbs.resume_tuning(folder, **heard_by)
    if tuned.interrupted:
        raise KeyboardInterrupt
    return _trained(folder)


def _same(folder: Path, there: Experiment, asked: Experiment) -> None:
    """Refuse a run that was trained otherwise."""
    if (there.config_hash, there.finetune) != (asked.config_hash, asked.finetune):
        raise RunError(f"{folder}: expected a training with the settings asked for now, but it is "
                       "one with others; use another --to")  # fmt: skip


def _trained(folder: Path) -> int:
    birth = last_trained(open_run(folder))
    if birth is None:
        raise RunError(f"{folder}: expected a machine that was trained, but its training left none")
    return birth


def learner(asked: argparse.Namespace, name: str) -> Learner:
    """Train a machine with every seed, let it sit the exam, and draw the memory of the first."""
    courses = []
    for seed in asked.seeds:
        folder = asked.to / name / f"seed-{seed}"
        birth = train(folder, *settings(asked, name, seed))
        courses.append(read_course(open_run(folder), verbs.exam(folder, birth=birth).rows))
        if seed == asked.seeds[0]:
            for kind in ("png", "svg"):
                verbs.show(folder, birth=birth, to=asked.to / f"memory-{name}.{kind}")
    return Learner(name, tuple(courses), NAMES.index(name))


def summary(learners: Sequence[Learner], parts: Sequence[str]) -> tables.Table:
    """Lay out what came of all machines, one a row: medians, and ranges over several seeds."""
    met, good = "bits, last met", f"{NOTHING} bits after"
    table = tables.new_table("machine", "weights", "sequences", met, good, *parts)
    for each in learners:
        courses = each.courses
        reached = [sequences for course in courses if (sequences := course.below(NOTHING))]
        after = _ranged(reached, 0) if len(reached) == len(courses) else (
            f"{len(reached)} of {len(courses)} seeds" if len(courses) > 1 else "never")  # fmt: skip
        table.add_row(
            each.name,
            f"{courses[0].weights:,}",
            f"{max(course.sequences[-1] for course in courses):,}",
            _ranged([course.bits[-1] for course in courses], 2),
            after,
            *(_ranged([row.wrong_bits for row in each.part(name)], 2) for name in parts),
        )
    return table


def beside(champion: Champion, folder: Path, parts: Sequence[str]) -> tuple[str, ...]:
    """Lay out what came of a machine that evolved: its sequences are also those of evolution.

    What it met last, and so when that cost nothing, is not known of it.
    """
    exam = {row.name: f"{row.wrong_bits:,.2f}" for row in verbs.exam(folder).rows}
    weights, sequences = verbs.read(folder).weights.size, champion.tuned[-1][0]
    return (champion.name, f"{weights:,}", f"{sequences:,.0f}", "", "",
            *(exam.get(name, "") for name in parts))  # fmt: skip


def _ranged(values: Sequence[float], digits: int) -> str:
    middle, low, high = (
        f"{value:,.{digits}f}" for value in (median(values), min(values), max(values))
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def reproduce(asked: argparse.Namespace) -> None:
    """Train, draw and tell."""
    experiment = load(*settings(asked, asked.only[0], asked.seeds[0]))
    backend_of(experiment.run)  # what cannot be computed here is refused before a folder is made
    champion = None if asked.champion is None else read_champion(asked.champion, experiment)
    make_folder(asked.to)
    learners = [learner(asked, name) for name in asked.only]
    written = write_all(learners, asked.to, champion)
    parts = [row.name for row in learners[0].courses[0].exam]
    table = summary(learners, parts)
    if champion is not None:
        table.add_row(*beside(champion, asked.champion, parts))
    tables.show_table(table)
    print("note  Bits a sequence of those met last, then wrong bits a sequence in each part of "
          "the exam.")  # fmt: skip
    if champion is not None:
        print(f"note  The sequences of {champion.name} are those of evolution, too.")
    for each in learners:
        for course in each.courses:
            if course.diverged:
                print(f"note  {each.name}, seed {course.seed}: {course.diverged}.")
    pictures = [f"memory-{each.name}.png" for each in learners]
    named = ", ".join([*(path.name for path in written if path.suffix != ".svg"), *pictures])
    screen.tell(f"{asked.to}: {named}; each figure also as SVG")


def main(typed: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and give the exit status. Every mistake becomes one line."""
    try:
        reproduce(arguments(typed))
        return DONE
    except KeyboardInterrupt:
        return complain("interrupted: the same command goes on", INTERRUPTED)
    except (EvoNTMError, OSError) as error:
        return complain(told(error), STOPPED if stopped(error) else BAD_INPUT)


if __name__ == "__main__":
    heed_signals()
    ended = main()
    sys.exit(heard() or ended)
