"""What lies at a path, for who is about to read it: some things never end, or never begin."""

import stat
from pathlib import Path

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def no_file(path: Path) -> str | None:
    """Name what lies at a path where that is no file. Raises OSError where nothing does.

    What a shell hands over, as /dev/stdin or /dev/fd/63, may be a pipe.
    """
    kind = stat.S_IFMT(path.stat().st_mode)
    if kind == stat.S_IFIFO and path.parts[:2] == ("/", "dev"):
        return None
    return None if kind == stat.S_IFREG else KINDS.get(kind, "no file")
