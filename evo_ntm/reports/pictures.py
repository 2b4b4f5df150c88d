"""Figures on disk: PNG or SVG, the same bytes for the same figure, whatever the user's style is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from evo_ntm.errors import ReportError
from evo_ntm.reports.documents import require_place, write_document

# A file says nothing of the clock, nor of matplotlib's version.
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": "evo-ntm"}}


def picture_format(path: Path) -> str:
    """Tell the format of a picture by the end of its name.

    Raises ReportError where it is neither PNG nor SVG, or where no file can be there.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in METADATA:
        raise ReportError(f"{path}: expected a name that ends in .png or .svg, "
                          f"but it ends in {path.suffix!r}")  # fmt: skip
    require_place(path)
    return kind


def write_picture(path: Path, compose: Callable[[], Figure]) -> None:
    """Compose a figure and write it, whole or not at all, over what is there. Raises ReportError.

    Needs no display: no window system of matplotlib is ever chosen.
    """
    kind = picture_format(path)
    content = BytesIO()
    with _house_style():
        figure = compose()
        figure.savefig(content, format=kind, dpi=figure.dpi, metadata=METADATA[kind])
    write_document(path, content.getvalue())


@contextmanager
def _house_style() -> Iterator[None]:
    """Set matplotlib's defaults, whatever the user's are, and go back to the user's in the end."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rc("font", family="sans-serif")
        matplotlib.rc("text", parse_math=False)
        matplotlib.rc("axes", linewidth=0.6, edgecolor="#555555")
        # Words stay words, to be searched for; names of parts do not change from time to time.
        matplotlib.rc("svg", fonttype="none", hashsalt="evo-ntm")
        yield
