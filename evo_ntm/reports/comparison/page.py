"""A comparison as one HTML page, made as that of a lineage is."""

from pathlib import Path

from evo_ntm.reports import frame
from evo_ntm.reports.comparison.charts import charts
from evo_ntm.reports.comparison.comparison import Comparison
from evo_ntm.reports.comparison.results import MEASURES
from evo_ntm.reports.comparison.tables import tables
from evo_ntm.reports.documents import write_document
from evo_ntm.words import counted

TEMPLATE, MOST_NAMES = "comparison.html", 3
DRAWN = {"rates": ("rates",), "costs": tuple(f"solved-by-{measure}" for measure in MEASURES)}


def page(comparison: Comparison) -> str:
    """Write a comparison as a page: the same text for the same comparison."""
    every = charts(comparison)
    told = {_place(table.name): table for table in tables(comparison)}
    drawn = {place: [name for name in DRAWN.get(place, (place,)) if name in every]
             for place in told}  # fmt: skip
    return frame.page(
        TEMPLATE,
        every,
        title=_title(comparison),
        sections=[(place, table.title) for place, table in told.items()],
        deck=_deck(comparison),
        told=comparison,
        tables=told,
        drawn=drawn,
    )


def write_page(comparison: Comparison, path: Path) -> None:
    """Write a comparison as a page, whole or not at all, over what is there. Raises ReportError."""
    write_document(path, page(comparison))


def _place(name: str) -> str:
    """Name a place of the page, as that of an exam's chart is."""
    return name.replace(" ", "-")


def _title(comparison: Comparison) -> str:
    names = [group.name for group in comparison.groups]
    if len(names) > MOST_NAMES:
        return f"{len(names)} groups of runs"
    return "; ".join(names)


def _deck(comparison: Comparison) -> str:
    groups = comparison.groups
    runs, ended = sum(len(g.results) for g in groups), sum(len(g.ended) for g in groups)
    tasks = sorted({group.task for group in groups})
    return (f"{counted(runs, 'run')}, of which {ended} have ended, in "
            f"{counted(len(groups), 'group')} for {' and '.join(tasks)}: how often they "
            "solve their task, at what cost, and how surely.")  # fmt: skip
