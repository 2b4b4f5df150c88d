"""What can be said of a machine in words: its program, what its parts are worth, where it fails."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ablation:
    """What the machine is without a part: its cost beside that of the whole, on common episodes."""

    part: str
    bits: float
    wrong_bits: float
    loss: float
    low: float
    high: float
    matters: bool


@dataclass(frozen=True)
class Failing:
    """Something that sequences answered wrongly have in common.

    `share_wrong` is the share of sequences with it that were answered wrongly, `share_otherwise`
    that of those without it.
    """

    told: str
    sequences: int
    share_wrong: float
    share_otherwise: float


@dataclass(frozen=True)
class Explanation:
    """What a machine does, in words.

    `summary` is a few sentences; `program` the lines of pseudo-code, indented by two spaces a
    level; `evidence` what was measured for them, each a sentence with its numbers.
    """

    summary: tuple[str, ...]
    program: tuple[str, ...]
    evidence: tuple[str, ...]
    ablations: tuple[Ablation, ...]
    sequences: int
    wrong_sequences: int
    failings: tuple[Failing, ...]
    rows: int
