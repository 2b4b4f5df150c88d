"""The card of a published genome: what is claimed of it, how it came about, how to check it.

`card.json` is for programs, `README.md` beside it says the same to people. Every claim can be
measured again: `evo-ntm exam genomes/NAME` does so, and holds it against the card.
"""

import csv
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path

from evo_ntm.evolution.exam import ExamRow
from evo_ntm.evolution.tape_use import JUMPS, LONGEST, SHIFTS, UNREAD
from evo_ntm.experiment.model import told_rows
from evo_ntm.genome import Encoding
from evo_ntm.runs.ancestry import Step
from evo_ntm.runs.database import finite
from evo_ntm.tasks.grading import SHORTFALL
from evo_ntm.tasks.lives import MISSED, REWARD
from evo_ntm.words import ENDED, counted

VERSION = 3
RANDOM: dict[Encoding, str] = {"direct": "random weights", "tied": "random tied genes"}
IMPORTED = "an imported genome"
CARD, WORDS, LINE = "card.json", "README.md", "lineage.csv"


@dataclass(frozen=True)
class Look:
    """How a tuning stood after so many sequences, on the validation set, in bits a sequence."""

    sequences: int
    seconds: float
    bits: float
    wrong_bits: float


@dataclass(frozen=True)
class Tuning:
    """What gradients did: from which weights, and by how many sequences.

    `passed_after` are those that the first machine had met that passed the exam, None where none
    did, and `met` all of them. `answered` are the sequences, and `evolved` the seconds, that
    evolution took before.
    """

    began: str
    seed: int
    passed_after: int | None
    met: int
    curve: tuple[Look, ...]
    answered: int = 0
    evolved: float = 0.0

    def after(self, began: str, *, answered: int, evolved: float) -> "Tuning":
        """Say what evolution took before."""
        return replace(self, began=began, answered=answered, evolved=evolved)

    @property
    def cost(self) -> str:
        """Say after how many sequences the exam was passed."""
        if self.passed_after is None:
            return f"not within {self.met:,} sequences"
        return f"after {self.passed_after:,} sequences"


@dataclass(frozen=True)
class Card:
    """What is claimed of a genome, with all that is needed to check it or to do it again.

    `answered` counts the sequences that machines were scored on while it evolved. `tuning` is None
    where none followed; `controls` are the same tuning from random weights in the same topology, or
    from an ancestor. `imported` says that its line begins with a genome from elsewhere, `trained`
    how many births of it were trained while it evolved. `commands` are those of every process that
    wrote to the run.
    """

    name: str
    task: str
    environment: str | None
    task_hash: str
    config_hash: str
    seed: int
    genome: str
    topology: str
    encoding: str
    weights: int
    birth: int
    strategy: str
    imported: bool
    trained: int
    generations: int
    scored: int
    answered: int
    seconds: float
    exam: tuple[ExamRow, ...]
    passed: bool | None
    tuning: Tuning | None
    controls: tuple[Tuning, ...]
    commands: tuple[str, ...]
    versions: Mapping[str, str]
    commit: str | None

    @property
    def contribution(self) -> str:
        """Say what evolution contributed, as far as the controls tell."""
        if not self.generations:
            return self._without_evolution
        if self.tuning is None:
            return self._while_it_evolved
        others = [each for each in self.controls if each.began in RANDOM.values()]
        if not others:
            return "No control was run, so that what evolution contributed is not known."
        own = self.tuning.passed_after
        told = (
            f"Tuned from what evolved, the exam was passed {self.tuning.cost}; from random "
            f"weights in the same topology {', '.join(each.cost for each in others)}."
        )
        if any(
            each.passed_after is None and each.met < (own or self.tuning.met) for each in others
        ):
            return f"{told} Some were stopped sooner than this, so that only their curves compare."
        ahead = own is not None and all(
            other.passed_after is None or own < other.passed_after for other in others
        )
        if not ahead:
            return f"{told} Evolution contributed nothing that shows in this."
        told += f" Before that, evolution had answered {self.answered:,} sequences."
        return f"{told} {self._while_it_evolved}" if self.trained else told

    @property
    def _without_evolution(self) -> str:
        if self.imported:
            return "It was imported, and what that took is not told here."
        if self.tuning is None:
            return "Nothing evolved, and nothing was trained: its weights are random."
        return f"Nothing evolved: gradients began with {self.tuning.began}."

    @property
    def _while_it_evolved(self) -> str:
        if not self.trained:
            return "No gradient was used: all of it evolved."
        return f"Of the births of its line {self.trained:,} were trained by gradients."


def card_json(card: Card) -> str:
    """Write a card for programs; numbers that are not finite are null."""
    told = {"version": VERSION, **asdict(card), "contribution": card.contribution}
    return json.dumps(finite(told), indent=1, allow_nan=False) + "\n"


def line_csv(steps: Sequence[Step]) -> str:
    """List the line from a founder to the genome, a birth a row."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["number", "generation", "parents", "operators", "fitness", "topology"])
    for step in steps:
        parents, operators = (" ".join(map(str, told)) for told in (step.parents, step.operators))
        rows.writerow([step.number, step.generation, parents, operators, step.fitness,
                       step.topology])  # fmt: skip
    return text.getvalue()


def card_words(card: Card, folder: Path, pictures: Sequence[str]) -> str:
    """Write a card for people, in Markdown; `folder` is where it will lie."""
    within = f" in `{card.environment}`" if card.environment else ""
    told = [f"A machine for the task `{card.task}`{within}: {card.topology}, {card.weights:,} "
            f"weights, {card.encoding} encoding."]  # fmt: skip
    if card.generations:
        told.append(
            f"It evolved by `{card.strategy}` in {counted(card.generations, 'generation')}, in "
            f"which {card.scored:,} machines {_did(card)}."
        )
    told += [card.contribution, f"All of it took {card.seconds:,.0f} seconds."]
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    return "\n".join([
        f"# {card.name}", "", *told, "", *_exam_table(card.exam), "",
        *_tape_table(card.exam),
        "Measured again by", "", "```bash", shlex.join(["evo-ntm", "exam", str(folder)]), "```", "",
        "Made by", "", "```bash", *card.commands, "```", "",
        f"with {versions}, commit `{card.commit}`. Seed {card.seed}, birth {card.birth}, genome "
        f"`{card.genome}`, task `{card.task_hash}`, experiment `{card.config_hash}`.", "",
        *_tuning_table(card),
        *(f"![{Path(name).stem}]({name})" for name in pictures), "",
    ])  # fmt: skip


def _did(card: Card) -> str:
    if _of_lives(card.exam):
        return f"led {card.answered:,} lives"
    return f"answered {card.answered:,} sequences"


def _of_lives(rows: Sequence[ExamRow]) -> bool:
    return any(MISSED in row.measures for row in rows)


def _exam_table(rows: Sequence[ExamRow]) -> list[str]:
    if _of_lives(rows):
        return _lives_table(rows)
    head = ["| exam | rows | sequences | wrong bits a sequence | bits a sequence | |",
            "|---|---:|---:|---:|---:|---|"]  # fmt: skip
    return head + [
        f"| {row.name} | {told_rows(row.rows)} | {row.sequences} | {row.wrong_bits:.4g} | "
        f"{row.bits:.4g} | {ENDED[row.passed]} |"
        for row in rows
    ]


def _lives_table(rows: Sequence[ExamRow]) -> list[str]:
    head = ["| exam | rows | lives | missed a life | less than the best | reward a life | |",
            "|---|---:|---:|---:|---:|---:|---|"]  # fmt: skip
    return head + [
        f"| {row.name} | {told_rows(row.rows)} | {row.sequences} | {row.measures[MISSED]:.4g} | "
        f"{row.measures[SHORTFALL]:.4g} | {row.measures[REWARD]:.4g} | {ENDED[row.passed]} |"
        for row in rows
    ]


def _tape_table(rows: Sequence[ExamRow]) -> list[str]:
    if not all(LONGEST in row.measures for row in rows):
        return []
    [lacks] = [name for name in rows[0].measures if name.endswith(UNREAD)]
    head = [f"| exam | cells of the longest tape | steps with a jump | with a shift | {lacks} |",
            "|---|---:|---:|---:|---:|"]  # fmt: skip
    told = [
        f"| {row.name} | {row.measures[LONGEST]:,.0f} | {row.measures[JUMPS]:.1%} | "
        f"{row.measures[SHIFTS]:.1%} | {row.measures[lacks]:.4g} |"
        for row in rows
    ]
    return [*head, *told, ""]


def _tuning_table(card: Card) -> list[str]:
    if card.tuning is None:
        return []
    rows = [f"| {each.began}, seed {each.seed} | {each.cost} | {each.met:,} | "
            f"{each.curve[-1].bits:.4g} |" for each in (card.tuning, *card.controls)]  # fmt: skip
    head = ["| tuned from | exam passed | sequences tuned on | validation set, bits after them |",
            "|---|---|---:|---:|"]  # fmt: skip
    return [*head, *rows, ""]
