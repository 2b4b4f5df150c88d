"""Names that other packages have made known through entry points, without importing them."""

from functools import cache
from importlib.metadata import entry_points


@cache
def provided(group: str) -> tuple[str, ...]:
    """List the names in a group of entry points."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))
