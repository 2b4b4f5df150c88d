"""The lineage report as one HTML page that holds all it needs, and asks nobody for anything.

Words and looks are in `templates`. What comes from a run is text there, never markup: it is escaped
wherever it stands, and the page forbids scripts other than its own, and all that is not within it.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from importlib.resources import files
from itertools import count as counting
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from evo_ntm.reports import digits, palette, sentences, sheets, steps
from evo_ntm.reports.chapters import Lineage
from evo_ntm.reports.charts import charts
from evo_ntm.reports.charts.layers import Chart
from evo_ntm.reports.documents import write_document
from evo_ntm.reports.drawings.ancestry import ancestry
from evo_ntm.reports.drawings.legend import SHAPES, legend
from evo_ntm.reports.drawings.machine import machine
from evo_ntm.reports.drawings.memory import memories, scales, vector_limit
from evo_ntm.reports.drawings.svg import markup
from evo_ntm.reports.figures import draw

TEMPLATES = "templates"
UNSAFE = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
"""Letters that could end a script, or a line of one, as JSON writes them otherwise."""


def page(lineage: Lineage) -> str:
    """Write a lineage as a page: the same text for the same lineage."""
    every = charts(lineage)
    scripts = {"plotly": get_plotlyjs(), "own": _source("report.js")}
    story = steps.story(lineage.trunk)
    births = steps.listed(story)
    graph = {node.number for node in lineage.ancestry.nodes}
    template = _environment().get_template("page.html")
    return template.render(
        told=lineage,
        charts=every,
        policy=_policy(scripts),
        style=Markup(_source("report.css")),
        scripts={name: Markup(text) for name, text in scripts.items()},
        island=Markup(island({name: _plain(chart) for name, chart in every.items()})),
        abstract=sentences.abstract(lineage),
        story=story,
        reach=steps.reach(story),
        digits=steps.digits(lineage.trunk),
        trunk_births=births,
        graph_births=graph,
        leads=births | graph,
        next_figure=partial(next, counting(1)),
        limit=vector_limit(lineage.portraits),
    )


def write_page(lineage: Lineage, path: Path) -> None:
    """Write a lineage as a page, whole or not at all, over what is there. Raises ReportError."""
    write_document(path, page(lineage))


def island(value: Mapping[str, Any]) -> str:
    """Write a value as JSON that may stand within a script, whatever the words in it are."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.translate(UNSAFE)


def _plain(chart: Chart) -> Any:
    return json.loads(draw(chart).to_json(engine="json"))


def _policy(scripts: Mapping[str, str]) -> str:
    """Say what a browser may load: the scripts of this page, and nothing from anywhere."""
    hashes = (b64encode(sha256(text.encode()).digest()).decode() for text in scripts.values())
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
            "img-src data: blob:; base-uri 'none'; form-action 'none'")  # fmt: skip


def _source(name: str) -> str:
    return files(__package__).joinpath(TEMPLATES, name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("evo_ntm.reports", TEMPLATES), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=StrictUndefined,
    )  # fmt: skip
    environment.filters |= {"number": digits.number, "share": digits.share, "clock": digits.clock,
                            "told_count": digits.count, "times": digits.times, "drawn": _drawn,
                            "beside": steps.beside}  # fmt: skip
    environment.globals |= {
        "sheets": sheets, "absent": sentences.ABSENT, "strategy_of": sentences.strategy,
        "subject_of": sentences.subject, "palette": palette, "shapes": SHAPES, "legend": legend,
        "machine": machine, "machines": steps.machines, "forest": steps.forest,
        "ancestry": ancestry, "memories": memories, "scales": scales,
    }  # fmt: skip
    return environment


def _drawn(element: Any) -> Markup:
    """Take a drawing as markup: the library that wrote it has escaped its words."""
    return Markup(markup(element))
