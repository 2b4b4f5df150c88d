"""Branches that a gradient made of births of a finished run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evo_ntm.genome import Genome
from evo_ntm.reports.chapters import Tuned
from evo_ntm.reports.difference import displacement
from evo_ntm.reports.line import Birth, read_births
from evo_ntm.reports.rescoring import Marks
from evo_ntm.runs.run import Run

MOST_BRANCHES = 100

TUNINGS = """
SELECT birth, steps, sequences, seconds, json_extract(parents, '$[0]') AS parent FROM tunings
JOIN births ON births.number = birth ORDER BY birth DESC LIMIT ?
"""


@dataclass(frozen=True)
class Branch:
    """A birth that was tuned, its parent, and what it took; an imported one has no parent."""

    birth: Birth
    parent: Birth | None
    steps: int
    sequences: int
    seconds: float

    @property
    def genomes(self) -> list[Genome]:
        """List the genomes of both, as far as they were kept."""
        both = (self.birth, self.parent)
        return [each.genome for each in both if each is not None and each.genome is not None]


def read_branches(run: Run) -> tuple[Branch, ...]:
    """Read the last hundred branches of a run at most, by number. Raises RunError."""
    rows = run.rows(TUNINGS, MOST_BRANCHES)[::-1]
    numbers = {number for row in rows for number in (row["birth"], row["parent"])} - {None}
    births = {birth.number: birth for birth in read_births(run, sorted(numbers))}
    return tuple(
        Branch(births[row["birth"]], births.get(row["parent"]), row["steps"], row["sequences"],
               row["seconds"])
        for row in rows
    )  # fmt: skip


def tell_tuned(branches: Sequence[Branch], marks: Mapping[str, Marks]) -> tuple[Tuned, ...]:
    """Tell of branches, with the marks of those genomes that were scored again."""
    return tuple(_told(branch, marks) for branch in branches if branch.parent is not None)


def best_branch(branches: Sequence[Branch], marks: Mapping[str, Marks]) -> Birth | None:
    """Choose the tuned birth that costs least; None where none was measured."""
    births = [branch.birth for branch in branches if branch.birth.id in marks]
    return min(births, key=lambda birth: marks[birth.id].cost, default=None)


def _told(branch: Branch, marks: Mapping[str, Marks]) -> Tuned:
    birth, parent = branch.birth, branch.parent
    assert parent is not None
    moved = None
    if birth.genome is not None and parent.genome is not None:
        moved = displacement(parent.genome, birth.genome)
    before, after = marks.get(parent.id), marks.get(birth.id)
    return Tuned(
        birth=birth.number,
        parent=parent.number,
        steps=branch.steps,
        sequences=branch.sequences,
        seconds=branch.seconds,
        before=None if before is None else before.cost,
        after=None if after is None else after.cost,
        displacement=moved,
    )
