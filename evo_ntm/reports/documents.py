"""Documents on disk: written whole or not at all, and refused in one line where they cannot be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evo_ntm.errors import ReportError


def require_place(path: Path) -> None:
    """Raise ReportError where no file can be written."""
    with _refused_in_words(path):
        if not path.parent.is_dir():
            raise ReportError(f"{path}: expected an existing folder, but {path.parent} is none")
        if path.is_dir():
            raise ReportError(f"{path}: expected the name of a file, but it is a folder")


def write_document(path: Path, content: str | bytes) -> None:
    """Write a file over what is there, text as UTF-8. Raises ReportError."""
    require_place(path)
    part = path.with_name(f".{os.getpid()}.part")
    with _refused_in_words(path):
        try:
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _refused_in_words(path: Path) -> Iterator[None]:
    """Say in one line what the disk does not allow."""
    try:
        yield
    except OSError as error:
        raise ReportError(f"{path}: cannot be written: {error.strerror}") from error
