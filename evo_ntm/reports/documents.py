"""Documents on disk: written whole or not at all, and refused in one line where they cannot be."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from evo_ntm.errors import ReportError
from evo_ntm.paths import kind_of


def require_place(path: Path) -> None:
    """Raise ReportError where no file can be written."""
    with _refused_in_words(path):
        if not path.parent.is_dir():
            raise ReportError(f"{path}: expected an existing folder, but {path.parent} is none")
        if path.exists() and (kind := kind_of(path)) is not None:
            raise ReportError(f"{path}: expected the name of a file, but it is {kind}")
        _try(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder where there is none yet. Raises ReportError, also where it takes no files."""
    with _refused_in_words(path):
        for place in (path, *path.parents):
            if place.exists() and not place.is_dir():
                raise ReportError(
                    f"{place}: expected a folder, but it is {kind_of(place) or 'a file'}"
                )
        path.mkdir(parents=True, exist_ok=True)
        _try(path)


def write_document(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Write a file over what is there, text as UTF-8, if need be piece by piece.

    Raises ReportError, or what is raised while pieces are made.
    """
    require_place(path)
    part = path.with_name(f".{os.getpid()}.part")
    with _refused_in_words(path):
        try:
            if isinstance(content, bytes):
                part.write_bytes(content)
            else:
                with part.open("w", encoding="utf-8", newline="") as file:
                    file.writelines([content] if isinstance(content, str) else content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _try(folder: Path) -> None:
    """Find out whether a folder takes files, before minutes go into what is to lie there."""
    with TemporaryFile(dir=folder):
        pass


@contextmanager
def _refused_in_words(path: Path) -> Iterator[None]:
    """Say in one line what the disk does not allow."""
    try:
        yield
    except OSError as error:
        raise ReportError(f"{path}: cannot be written: {error.strerror}") from error
