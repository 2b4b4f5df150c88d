"""What a report says in whole sentences: its abstract, and why a chapter is not there."""

from collections.abc import Iterator

from evo_ntm.reports.chapters import Lineage, Trunk, Verdict
from evo_ntm.reports.digits import clock, number, times
from evo_ntm.words import counted

STRATEGIES = {
    "evolution_strategy": "an evolution strategy",
    "genetic": "a genetic algorithm",
    "cma": "CMA-ES",
    "neat": "NEAT",
}
VERDICTS: tuple[Verdict, ...] = ("beneficial", "neutral", "deleterious")

ABSENT = {
    "fitness": "No generation of this run is finished, so that there is no fitness to show.",
    "operators": "No birth of this run was made by an operator yet.",
    "selection": "Neither a population's tree nor a search is told of: the rows of this run do not "
    "say who was alive when.",
    "species": "No species are told of: where one topology at a time is evolved, or rows do not "
    "say who was alive when, there is no stream to draw.",
    "memory": "No genome of the line was kept, so that none can be watched at work.",
    "words": "What the machine does was not put in words: its genome was not kept, or nobody "
    "asked for it.",
    "generalisation": "Wrong bits by size were not measured: the task has no size to vary, or no "
    "genome of the line was kept.",
    "tuned": "No gradient has tuned a birth of this run.",
}


def abstract(lineage: Lineage) -> list[str]:
    """Sum a lineage up in a few sentences."""
    return [*_evolved(lineage), *_line(lineage.trunk), *_examined(lineage), *_explained(lineage)]


def subject(lineage: Lineage) -> str:
    """Name whose lineage is told."""
    header = lineage.header
    return f"{'the champion, ' if header.is_champion else ''}birth {header.birth}"


def strategy(name: str) -> str:
    """Name a strategy as a sentence does."""
    return STRATEGIES.get(name, name)


def _evolved(lineage: Lineage) -> Iterator[str]:
    header = lineage.header
    yield (
        f"In {counted(header.generations, 'generation')}, {strategy(header.strategy)} with the "
        f"{header.encoding} encoding made {counted(header.births, 'birth')} and scored "
        f"{counted(header.scored, 'machine')} on {header.task}, in {clock(header.seconds)}."
    )
    if header.is_champion:
        yield f"Its champion is birth {header.birth}, a machine of {header.topology}."
    else:
        yield (f"Told here is birth {header.birth}, a machine of {header.topology}, which is not "
               "the champion.")  # fmt: skip


def _line(trunk: Trunk) -> Iterator[str]:
    if not trunk.steps:
        return
    told = [f"{number(trunk.verdicts[verdict])} {verdict}" for verdict in VERDICTS
            if trunk.verdicts.get(verdict)]  # fmt: skip
    sentence = f"Its line from the founder counts {counted(len(trunk.steps) - 1, 'step')}"
    yield sentence + (f", {', '.join(told)}." if told else ".")
    first, last = trunk.steps[0].measured, trunk.steps[-1].measured
    if first is not None and last is not None:
        yield (
            f"Along it the cost went from {number(first.bits)} to {number(last.bits)} "
            f"{trunk.words.cost_an_episode}, on the same {trunk.episodes} episodes."
        )


def _examined(lineage: Lineage) -> Iterator[str]:
    header = lineage.header
    if not header.sittings:
        yield "The exam has not been sat yet."
    elif header.passed_at is not None:
        yield f"The exam was passed, at the {_ordinal(header.passed_at)} sitting."
    else:
        yield f"The exam was sat {times(header.sittings)} and not passed."


def _explained(lineage: Lineage) -> Iterator[str]:
    if lineage.explanation is not None:
        yield from lineage.explanation.summary[:1]


def _ordinal(place: int) -> str:
    words = {1: "first", 2: "second", 3: "third"}
    ending = {1: "st", 2: "nd", 3: "rd"}.get(0 if place // 10 % 10 == 1 else place % 10, "th")
    return words.get(place, f"{place}{ending}")
