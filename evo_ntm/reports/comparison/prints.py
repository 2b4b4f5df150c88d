"""The same figures for print, as SVG or PNG."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evo_ntm.reports.comparison.charts import charts
from evo_ntm.reports.comparison.comparison import Comparison
from evo_ntm.reports.pictures import write_picture
from evo_ntm.reports.prints import FORMATS, draw


def write_figures(
    comparison: Comparison, folder: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Write every figure into a folder, named as its chart. Raises ReportError."""
    written = []
    for name, chart in charts(comparison).items():
        for kind in formats:
            path = folder / f"{name}.{kind}"
            write_picture(path, partial(draw, chart))
            written.append(path)
    return written
