"""A topology as JSON and back. The form is described in `genomes/README.md`."""

import json
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from evo_ntm.errors import EvoNTMError, GenomeError, nearest
from evo_ntm.topology import Block, Controller, Head, Stages, Tape, Topology

BLOCK = {"birth": int, "size": int, "per_bit": bool, "name": str}
HEAD: dict[str, Any] = {
    "birth": int,
    "kind": str,
    "source": str,
    "target": str,
    "stages": {"content": bool, "interpolation": bool, "shift": bool, "sharpening": bool},
    "shifts": int,
}
TOPOLOGY: dict[str, Any] = {
    "inputs": [BLOCK],
    "outputs": [BLOCK],
    "controller": {"kind": str, "layers": [[BLOCK]]},
    "columns": [BLOCK],
    "heads": [HEAD],
}
TAPE = {
    "write": str,
    "initial": float,
    "fresh_cell": bool,
    "least_similarity": float,
    "did_write": float,
}
LONGEST = 60


@lru_cache(maxsize=4096)
def topology_json(topology: Topology) -> str:
    """Write a topology as one line of JSON, always the same for the same topology."""
    told = asdict(topology)
    if topology.tape is None:
        del told["tape"]  # which a machine that has none does not tell of
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def read_topology(text: str, source: str) -> Topology:
    """Read a topology back. Raises GenomeError, naming the source, where it does not make one."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GenomeError(f"{source}: expected the JSON of a topology, but {error}") from error
    try:
        taped = isinstance(told, dict) and "tape" in told
        _check(told, {**TOPOLOGY, "tape": TAPE} if taped else TOPOLOGY, "")
        return Topology(
            inputs=_blocks(told["inputs"]),
            outputs=_blocks(told["outputs"]),
            controller=Controller(
                told["controller"]["kind"],
                tuple(_blocks(layer) for layer in told["controller"]["layers"]),
            ),
            columns=_blocks(told["columns"]),
            heads=tuple(
                Head(**{**head, "stages": Stages(**head["stages"])}) for head in told["heads"]
            ),
            tape=Tape(**told["tape"]) if taped else None,
        )
    except EvoNTMError as error:
        raise GenomeError(f"{source}: {error}") from error


def _check(told: Any, form: Any, key: str) -> None:
    """Raise GenomeError where what is told at a key has not the form that is expected there."""
    expected, came_as = _words(form), type(told)
    if came_as is not (form if isinstance(form, type) else type(form)):
        came = json.dumps(told)
        came = came if len(came) <= LONGEST else f"{came[:LONGEST]} …"
        raise GenomeError(f"{key and f'{key}: '}expected {expected}, but came {came}")
    if isinstance(form, list):
        for number, item in enumerate(told):
            _check(item, form[0], f"{key}.{number}")
    if isinstance(form, dict):
        prefix = f"{key}." if key else ""
        for name in form:
            if name not in told:
                raise GenomeError(f"{prefix}{name}: expected this key, but it is missing")
        for name, item in told.items():
            if name not in form:
                raise GenomeError(f"{prefix}{name[:LONGEST]}: expected a known key: "
                                  f"{nearest(name, form)}")  # fmt: skip
            _check(item, form[name], f"{prefix}{name}")


def _words(form: Any) -> str:
    known = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    if isinstance(form, type):
        return known[form]
    return "a list" if isinstance(form, list) else f"an object of {', '.join(form)}"


def _blocks(told: list[dict[str, Any]]) -> tuple[Block, ...]:
    return tuple(Block(**block) for block in told)
