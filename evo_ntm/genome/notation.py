"""A topology as JSON and back. The form is described in `genomes/README.md`."""

import json
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from evo_ntm.errors import EvoNTMError, GenomeError
from evo_ntm.topology import Block, Controller, Head, Stages, Topology


@lru_cache(maxsize=4096)
def topology_json(topology: Topology) -> str:
    """Write a topology as one line of JSON, always the same for the same topology."""
    return json.dumps(asdict(topology), sort_keys=True, separators=(",", ":"))


def read_topology(text: str, source: str) -> Topology:
    """Read a topology back. Raises GenomeError, naming the source, where it does not make one."""
    try:
        told = json.loads(text)
        return Topology(
            inputs=_blocks(told["inputs"]),
            outputs=_blocks(told["outputs"]),
            controller=Controller(
                told["controller"]["kind"],
                tuple(_blocks(layer) for layer in told["controller"]["layers"]),
            ),
            columns=_blocks(told["columns"]),
            heads=tuple(_head(head) for head in told["heads"]),
        )
    except EvoNTMError as error:
        raise GenomeError(f"{source}: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GenomeError(f"{source}: expected the JSON of a topology, but {error!r}") from error


def _blocks(told: list[dict[str, Any]]) -> tuple[Block, ...]:
    return tuple(_block(**block) for block in told)


def _block(birth: int, size: int, per_bit: bool, name: str) -> Block:
    counts = _is_count(birth) and _is_count(size)
    if not counts or not isinstance(per_bit, bool) or not isinstance(name, str):
        raise TypeError(f"a block of {birth!r}, {size!r}, {per_bit!r}, {name!r}")
    return Block(birth, size, per_bit, name)


def _head(told: dict[str, Any]) -> Head:
    if not _is_count(told["birth"]) or not _is_count(told["shifts"]):
        raise TypeError(f"a head of birth {told['birth']!r} with shifts {told['shifts']!r}")
    if not all(isinstance(used, bool) for used in told["stages"].values()):
        raise TypeError(f"a head with stages {told['stages']!r}")
    return Head(**{**told, "stages": Stages(**told["stages"])})


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
