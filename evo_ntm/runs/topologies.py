"""Topologies in the rows: each once, under its hash, with what its graph connects kept apart.

NEAT makes a hundred new graphs a generation, each of hundreds of connections, so that these are
deflated; without them what machines of one species are made of reads alike. Older rows have them
within the shape.
"""

import hashlib
import json
import zlib
from typing import NamedTuple

from evo_ntm.canonical import canonical
from evo_ntm.errors import RunError

KEEP = "INSERT OR IGNORE INTO topologies (told, shape, graph, hash) VALUES (?, ?, ?, ?)"
NUMBER = "SELECT number FROM topologies WHERE hash = ?"


class Kept(NamedTuple):
    """What the rows keep of a topology."""

    told: str
    shape: str
    graph: bytes | None
    hash: str


def kept(told: str, text: str) -> Kept:
    """Say what to keep of a topology, of its words and its JSON as `topology_json` writes it."""
    shape, graph = apart(text)
    deflated = None if graph is None else zlib.compress(graph.encode())
    return Kept(told, shape, deflated, name_of(text))


def name_of(text: str) -> str:
    """Hash the JSON of a topology."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def apart(text: str) -> tuple[str, str | None]:
    """Take the JSON of a topology apart: without its graph, and that of the graph, if it is one."""
    parts = json.loads(text)
    graph = parts["controller"].pop("graph", None)
    return (text, None) if graph is None else (canonical(parts), canonical(graph))


def whole(shape: str, graph: bytes | None, source: str) -> str:
    """Put the JSON of a topology together again. Raises RunError where its graph is torn."""
    if graph is None:
        return shape
    try:
        parts = json.loads(shape)
        parts["controller"]["graph"] = json.loads(zlib.decompress(graph))
    except (zlib.error, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{source}: expected a shape and a graph, but {error}") from error
    return canonical(parts)
