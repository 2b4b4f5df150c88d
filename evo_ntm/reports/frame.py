"""What all pages share: each is one HTML file that holds all it needs, and asks nobody for more.

Words and looks are in `templates`. What comes from a run is text there, never markup: it is escaped
wherever it stands, and a page forbids scripts other than its own, and all that is not within it.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from importlib.resources import files
from itertools import count as counting
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from evo_ntm.reports import digits, palette
from evo_ntm.reports.charts.layers import Chart
from evo_ntm.reports.drawings.legend import SHAPES, legend
from evo_ntm.reports.drawings.svg import markup
from evo_ntm.reports.figures import draw
from evo_ntm.words import counted

Filters = Mapping[str, Callable[..., Any]]

TEMPLATES = "templates"
UNSAFE = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
"""Letters that could end a script, or a line of one, as JSON writes them otherwise."""


def page(
    template: str, charts: Mapping[str, Chart], filters: Filters = MappingProxyType({}), **told: Any
) -> str:
    """Write a page by its template, with the figures that it draws: always the same text.

    `filters` and what else is `told` are the template's own.
    """
    scripts = {"plotly": get_plotlyjs(), "own": _source("report.js")}
    environment = _environment()
    environment.filters |= filters
    return environment.get_template(template).render(
        charts=charts,
        policy=_policy(scripts),
        style=Markup(_source("report.css")),
        scripts={name: Markup(text) for name, text in scripts.items()},
        island=Markup(island({name: _plain(chart) for name, chart in charts.items()})),
        next_figure=partial(next, counting(1)),
        **told,
    )


def island(value: Mapping[str, Any]) -> str:
    """Write a value as JSON that may stand within a script, whatever the words in it are."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.translate(UNSAFE)


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("evo_ntm.reports", TEMPLATES), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=StrictUndefined,
    )  # fmt: skip
    made.filters |= {
        "number": digits.number, "share": digits.share, "clock": digits.clock,
        "told_count": counted, "times": digits.times, "drawn": _drawn,
    }  # fmt: skip
    made.globals |= {"palette": palette, "shapes": SHAPES, "legend": legend}
    return made


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


def _drawn(element: Any) -> Markup:
    """Take a drawing as markup: the library that wrote it has escaped its words."""
    return Markup(markup(element))
