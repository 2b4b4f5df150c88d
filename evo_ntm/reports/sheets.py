"""Tables of what figures show, for those who want numbers: every chapter's, with units and digits.

A cell is what it is told as; numbers of one column have the same decimals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from evo_ntm.experiment.model import told_rows
from evo_ntm.reports.chapters import (
    Ancestry,
    Generalisation,
    History,
    OperatorUse,
    Population,
    Search,
    SpeciesStream,
    Tuned,
)
from evo_ntm.reports.digits import UNKNOWN, clock, decimals_of, number, share
from evo_ntm.reports.explanation import Ablation, Asked, Failing
from evo_ntm.words import ENDED

Kind = Literal["words", "number", "gain", "share", "birth", "rows"]


@dataclass(frozen=True)
class Column:
    """A heading, and what stands below it; all but words are set flush right."""

    title: str
    kind: Kind = "number"
    decimals: int | None = None


@dataclass(frozen=True)
class Sheet:
    """Rows of values below their headings. A row with a birth leads to where that is told of."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    def told(self) -> list[list[str]]:
        """Write every cell."""
        if not self.rows:
            return []
        columns = zip(self.columns, zip(*self.rows, strict=True), strict=True)
        return [list(row) for row in zip(*(_told(*column) for column in columns), strict=True)]

    def births(self) -> list[int | None]:
        """Give the birth that each row is of, None where it is of none."""
        places = [n for n, column in enumerate(self.columns) if column.kind == "birth"]
        return [row[places[0]] if places else None for row in self.rows]


def _told(column: Column, values: Sequence[Any]) -> list[str]:
    if column.kind == "words":
        return [UNKNOWN if value is None else str(value) for value in values]
    if column.kind == "rows":
        return [UNKNOWN if value is None else str(told_rows(value)) for value in values]
    if column.kind == "birth":
        return [str(value) for value in values]
    if column.kind == "share":
        return [share(value) for value in values]
    decimals = decimals_of(values) if column.decimals is None else column.decimals
    return [number(value, decimals, signed=column.kind == "gain") for value in values]


def _sheet(title: str, rows: Iterable[Sequence[Any]], *columns: Column | str) -> Sheet:
    """Make a sheet; a heading alone is that of numbers."""
    headed = tuple(column if isinstance(column, Column) else Column(column) for column in columns)
    return Sheet(title, headed, tuple(map(tuple, rows)))


GENERATION, BIRTH = Column("generation"), Column("birth", "birth")
ROWS = Column("memory rows", "rows")


def history(chapter: History) -> Sheet:
    """Tell of every generation that is told of: rows of memory, stage, fitness, own figures."""
    told = {**chapter.quantiles, **chapter.figures}
    stages = [stage + 1 for stage in chapter.stages]
    rows = zip_longest(chapter.generations, stages, chapter.rows, *told.values())
    return _sheet("Generations", rows, GENERATION, "stage", ROWS, *told)


def looks(chapter: History) -> Sheet:
    """Tell of every look at the validation set."""
    rows = ((look.generation, look.birth, look.wrong_bits, look.bits,
             "new champion" if look.champion else "") for look in chapter.looks)  # fmt: skip
    return _sheet("Looks at the validation set", rows, GENERATION, BIRTH,
                  chapter.words.wrong_an_episode, chapter.words.cost_an_episode,
                  Column("", "words"))  # fmt: skip


def sittings(chapter: History) -> Sheet:
    """Tell of every sitting of the exam, a part a row."""
    words = chapter.words
    rows = []
    for sitting in chapter.sittings:
        for row in sitting.rows:
            measures = row.get("measures", {})
            wrong = measures.get(words.wrong, row["wrong_bits"])
            cost = measures.get(words.cost, row["bits"])
            rows.append((sitting.generation, sitting.birth, row["name"], row["rows"],
                         row["sequences"], wrong, cost, measures.get("chance"),
                         ENDED[row["passed"]]))  # fmt: skip
    return _sheet("Sittings of the exam", rows, GENERATION, BIRTH, Column("part", "words"),
                  ROWS, words.episodes, words.wrong_an_episode,
                  words.cost_an_episode, "by chance", Column("", "words"))  # fmt: skip


def events(chapter: History) -> Sheet:
    """Tell what happened."""
    rows = ((event.generation, event.kind, event.told) for event in chapter.events)
    return _sheet("Events", rows, GENERATION, Column("event", "words"), Column("told", "words"))


def operators(chapter: Sequence[OperatorUse]) -> Sheet:
    """Tell how often operators were tried, and what came of it."""
    rows = (
        (use.name, use.parameters, use.attempts, use.successes,
         use.successes / use.attempts if use.attempts else None, use.had_children, use.on_trunk,
         use.enrichment)
        for use in sorted(chapter, key=lambda use: (-use.attempts, use.name))
    )  # fmt: skip
    return _sheet(
        "Operators",
        rows,
        Column("operator", "words"),
        Column("parameters", "words"),
        "attempts",
        "successes",
        Column("success", "share"),
        "had children",
        "on the line",
        Column("enrichment", decimals=2),
    )


def population(chapter: Population) -> Sheet:
    """Tell of the population's tree, generation by generation."""
    rows = zip(chapter.generations, chapter.alive, chapter.common_ancestor, chapter.age,
               chapter.mean_pairwise_distance, chapter.phylogenetic_diversity,
               chapter.effective_parents, strict=True)  # fmt: skip
    return _sheet(
        "The population's tree",
        rows,
        GENERATION,
        "alive",
        Column("common ancestor", "words"),
        "its age",
        "mean pairwise distance",
        "phylogenetic diversity",
        "effective parents",
    )


def ancestors(chapter: Population) -> Sheet:
    """Tell how many ancestors those alive at the end had."""
    rows = enumerate(chapter.ancestors_back)
    return _sheet("Ancestors", rows, "generations back", "different ancestors")


def fecund(chapter: Population) -> Sheet:
    """Tell of those with the most children."""
    rows = ((parent.number, parent.generation, parent.children, parent.topology)
            for parent in chapter.fecund)  # fmt: skip
    return _sheet("Births with the most children", rows, BIRTH, GENERATION, "children",
                  Column("machine", "words"))  # fmt: skip


def challenges(chapter: Search) -> Sheet:
    """Tell of every trial of a challenger."""
    rows = ((c.birth, c.generation, ", ".join(c.operators), c.topology, c.ending, c.ended)
            for c in chapter.challenges)  # fmt: skip
    return _sheet(
        "Trials of challengers",
        rows,
        BIRTH,
        GENERATION,
        Column("operators", "words"),
        Column("machine", "words"),
        Column("ending", "words"),
        "ended at generation",
    )


def displacement(chapter: Search) -> Sheet:
    """Tell how far every wire had moved."""
    told = chapter.displacement
    rows = ((wire, *moved) for wire, moved in zip(told.wires, told.moved, strict=True))
    return _sheet(
        "How far each wire had moved",
        rows,
        Column("wire", "words"),
        *(f"generation {g}" for g in told.generations),
    )


def sizes(chapter: SpeciesStream) -> Sheet:
    """Tell how large species were."""
    rows = zip(chapter.generations, *chapter.sizes, strict=True)
    return _sheet("Sizes of species", rows, GENERATION, *chapter.names)


def lives(chapter: SpeciesStream) -> Sheet:
    """Tell when species were there, and how large they grew."""
    rows = ((life.name, life.born, "alive" if life.last_seen is None else life.last_seen,
             life.births, life.peak, life.peak_generation) for life in chapter.lives)  # fmt: skip
    return _sheet(
        "Lives of species",
        rows,
        Column("species", "words"),
        "first seen",
        Column("last seen", "words"),
        "births",
        "largest size",
        "at generation",
    )


def ancestry(chapter: Ancestry) -> Sheet:
    """Tell of every birth of the graph and of its parents there."""
    parents: dict[int, list[str]] = {}
    for edge in sorted(chapter.edges, key=lambda edge: not edge.primary):
        skipped = f" ({edge.skipped} between)" if edge.skipped else ""
        parents.setdefault(edge.child, []).append(f"{edge.parent}{skipped}")
    rows = (
        (node.number, node.generation, ", ".join(node.operators),
         ", ".join(parents.get(node.number, ())), node.topology, node.fitness,
         "on the line" if node.on_trunk else "")
        for node in sorted(chapter.nodes, key=lambda node: node.number)
    )  # fmt: skip
    return _sheet(
        "Ancestors",
        rows,
        BIRTH,
        GENERATION,
        Column("operators", "words"),
        Column("parents", "words"),
        Column("machine", "words"),
        "fitness at birth",
        Column("", "words"),
    )


def generalisation(chapter: Generalisation) -> Sheet:
    """Tell of wrong bits at every size."""
    headings: list[Column] = []
    columns: list[tuple[float, ...]] = []
    for curve in chapter.curves:
        headings += [Column(f"{curve.name}, wrong", "share"),
                     Column(f"{curve.name}, bits a sequence")]  # fmt: skip
        columns += [curve.shares, curve.bits]
    rows = zip(chapter.sizes, chapter.rows, *columns, strict=True)
    return _sheet("Wrong bits by size", rows, chapter.axis, ROWS, *headings)


def tuned(chapter: Sequence[Tuned]) -> Sheet:
    """Tell of the branches that gradients made."""
    rows = ((t.birth, str(t.parent), t.steps, t.sequences, clock(t.seconds), t.before, t.after,
             None if t.before is None or t.after is None else t.before - t.after, t.displacement)
            for t in chapter)  # fmt: skip
    return _sheet("Fine-tuned branches", rows, BIRTH, Column("of birth", "words"), "steps",
                  "sequences", Column("time", "words"), "bits before", "bits after",
                  Column("gain", "gain"), Column("weights moved", "share"))  # fmt: skip


def ablations(chapter: Sequence[Ablation]) -> Sheet:
    """Tell what the machine is without each of its parts."""
    digits = decimals_of([a.loss for a in chapter])
    rows = ((a.part, a.bits, a.wrong_bits, a.loss,
             f"{number(a.low, digits, signed=True)} to {number(a.high, digits, signed=True)}",
             "matters" if a.matters else "does not matter") for a in chapter)  # fmt: skip
    return _sheet("What is lost without a part", rows, Column("without", "words"),
                  "bits a sequence", "wrong bits", Column("loss", "gain"),
                  Column("95 % interval", "words"), Column("", "words"))  # fmt: skip


def asked(chapter: Sequence[Asked]) -> Sheet:
    """Tell of the sequences that a machine was asked to be explained."""
    rows = ((a.name, a.rows, a.sequences, a.wrong_sequences) for a in chapter)
    return _sheet("What was asked", rows, Column("part", "words"), "memory rows", "sequences",
                  "answered wrongly")  # fmt: skip


def failings(chapter: Sequence[Failing]) -> Sheet:
    """Tell what sequences, or answers, that are wrong have in common."""
    rows = ((f.told, f.of, f.sequences, f.share_wrong, f.share_otherwise) for f in chapter)
    return _sheet("What it fails on", rows, Column("what they have in common", "words"),
                  Column("of", "words"), "how many", Column("wrong of these", "share"),
                  Column("wrong of the others", "share"))  # fmt: skip
