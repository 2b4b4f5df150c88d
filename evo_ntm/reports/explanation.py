"""What can be said of a machine in words: its program, what its parts are worth, where it fails."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Ablation:
    """What the machine is without a part: its cost beside that of the whole, on common episodes.

    There the whole has `whole_wrong_bits` of a sequence wrong.
    """

    part: str
    bits: float
    wrong_bits: float
    whole_wrong_bits: float
    loss: float
    low: float
    high: float
    matters: bool


@dataclass(frozen=True)
class Failing:
    """Something that sequences answered wrongly have in common, or the first wrong answer in each.

    `share_wrong` is the share of sequences with it that were answered wrongly, `share_otherwise`
    that of those without it. Every failing is told of what those before it do not explain: of
    sequences, or answers, that have nothing of them. Answers count up to a sequence's first wrong
    one; then `sequences` is how many answers have it.
    """

    told: str
    sequences: int
    share_wrong: float
    share_otherwise: float
    of: Literal["sequences", "answers"] = "sequences"


@dataclass(frozen=True)
class Asked:
    """Sequences of one sort that a machine was asked, and how many it answered wrongly."""

    name: str
    rows: int
    sequences: int
    wrong_sequences: int


@dataclass(frozen=True)
class Explanation:
    """What a machine does, in words.

    `summary` is a few sentences; `program` the lines of pseudo-code, indented by two spaces a
    level; `evidence` what was measured for them, each a sentence with its numbers. `asked` are the
    parts that its sequences come from, and `wrong_means` says when one counts as wrong. The first
    two were traced, and the ablations measured, on `rows` rows.
    """

    summary: tuple[str, ...]
    program: tuple[str, ...]
    evidence: tuple[str, ...]
    ablations: tuple[Ablation, ...]
    sequences: int
    wrong_sequences: int
    failings: tuple[Failing, ...]
    rows: int
    asked: tuple[Asked, ...] = ()
    wrong_means: str = "at least one bit is wrong"
