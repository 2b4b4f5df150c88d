"""What lies at a path: some things never end, or never begin, or must not be replaced."""

import stat
from pathlib import Path

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def kind_of(path: Path) -> str | None:
    """Name what lies at a path where that is no file. Raises OSError where nothing does."""
    kind = stat.S_IFMT(path.stat().st_mode)
    return None if kind == stat.S_IFREG else KINDS.get(kind, "no file")


def no_file(path: Path) -> str | None:
    """Name what lies at a path where nothing can be read from it as from a file.

    What a shell hands over, as /dev/stdin or /dev/fd/63, may be a pipe. Raises OSError where
    nothing lies there.
    """
    kind = kind_of(path)
    return None if kind == "a pipe" and path.parts[:2] == ("/", "dev") else kind
