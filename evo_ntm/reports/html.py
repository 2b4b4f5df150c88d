"""The lineage report as one HTML page."""

from pathlib import Path

from evo_ntm.reports import frame, sentences, sheets, steps
from evo_ntm.reports.chapters import Lineage
from evo_ntm.reports.charts import charts
from evo_ntm.reports.documents import require_place, write_document
from evo_ntm.reports.drawings.ancestry import ancestry
from evo_ntm.reports.drawings.machine import machine
from evo_ntm.reports.drawings.memory import memories, scales, vector_limit


def page(lineage: Lineage) -> str:
    """Write a lineage as a page: the same text for the same lineage."""
    story = steps.story(lineage.trunk)
    births = steps.listed(story)
    graph = {node.number for node in lineage.ancestry.nodes}
    return frame.page(
        "page.html",
        charts(lineage),
        {"beside": steps.beside},
        told=lineage,
        abstract=sentences.abstract(lineage),
        story=story,
        reach=steps.reach(story),
        digits=steps.digits(lineage.trunk),
        trunk_births=births,
        graph_births=graph,
        leads=births | graph,
        limit=vector_limit(lineage.portraits),
        sheets=sheets,
        absent=sentences.ABSENT,
        strategy_of=sentences.strategy,
        subject_of=sentences.subject,
        machine=machine,
        machines=steps.machines,
        forest=steps.forest,
        ancestry=ancestry,
        memories=memories,
        scales=scales,
    )


def write_page(lineage: Lineage, path: Path) -> None:
    """Write a lineage as a page, whole or not at all, over what is there. Raises ReportError."""
    require_place(path)  # before anything is made
    write_document(path, page(lineage))
