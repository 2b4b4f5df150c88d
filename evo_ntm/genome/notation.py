"""A topology as JSON and back. The form is described in `genomes/README.md`."""

import json
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

from evo_ntm.canonical import canonical
from evo_ntm.errors import EvoNTMError, GenomeError, nearest
from evo_ntm.topology import (
    Block,
    Connection,
    Controller,
    Graph,
    Head,
    Stages,
    Tape,
    Topology,
)

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
GRAPH = {"nodes": [int], "connections": [[str]]}
LONGEST = 60


@lru_cache(maxsize=1024)  # a graph takes some ten thousand letters
def topology_json(topology: Topology) -> str:
    """Write a topology as one line of JSON, always the same for the same topology."""
    graph = topology.controller.graph
    plain = replace(topology, controller=Controller("dense")) if graph else topology
    told = asdict(plain)
    if topology.tape is None:
        del told["tape"]  # which a machine that has none does not tell of
    if graph is None:
        del told["controller"]["graph"]
    else:
        assert isinstance(graph, Graph), "a frame is no machine of its own"
        connections = [list(each) for each in graph.connections]
        drawn = {"nodes": list(graph.nodes), "connections": connections}
        if graph.recurrent:
            drawn["recurrent"] = True
        told["controller"] = {"kind": "graph", "graph": drawn}
    return canonical(told)


def read_topology(text: str, source: str) -> Topology:
    """Read a topology back. Raises GenomeError, naming the source, where it does not make one."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GenomeError(f"{source}: expected the JSON of a topology, but {error}") from error
    try:
        taped = isinstance(told, dict) and "tape" in told
        form = {**TOPOLOGY, "tape": TAPE} if taped else TOPOLOGY
        if graph := isinstance(told, dict) and _has_graph(told.get("controller")):
            drawn = told["controller"]["graph"]
            recurrent = isinstance(drawn, dict) and "recurrent" in drawn
            of_graph = {**GRAPH, "recurrent": bool} if recurrent else GRAPH
            form = {**form, "controller": {"kind": str, "graph": of_graph}}
        _check(told, form, "")
        topology = Topology(
            inputs=_blocks(told["inputs"]),
            outputs=_blocks(told["outputs"]),
            controller=_controller(told["controller"]),
            columns=_blocks(told["columns"]),
            heads=tuple(
                Head(**{**head, "stages": Stages(**head["stages"])}) for head in told["heads"]
            ),
            tape=Tape(**told["tape"]) if taped else None,
        )
        if graph:
            _whole(topology, told["controller"]["graph"]["connections"])
        return topology
    except EvoNTMError as error:
        raise GenomeError(f"{source}: {error}") from error


def _has_graph(told: Any) -> bool:
    return isinstance(told, dict) and "graph" in told


def _controller(told: dict[str, Any]) -> Controller:
    if not _has_graph(told):
        return Controller(told["kind"], tuple(_blocks(layer) for layer in told["layers"]))
    nodes, connections = told["graph"]["nodes"], told["graph"]["connections"]
    for number, ends in enumerate(connections):
        if len(ends) != 2:
            raise GenomeError(f"controller.graph.connections.{number}: expected a sender and a "
                              f"receiver, but came {json.dumps(ends)[:LONGEST]}")  # fmt: skip
    recurrent = told["graph"].get("recurrent", False)
    graph = Graph(tuple(nodes), tuple(Connection(*ends) for ends in connections), recurrent)
    return Controller(told["kind"], graph=graph)


def _whole(topology: Topology, told: list[list[str]]) -> None:
    """Refuse connections to parts that are not there, which a topology cuts off."""
    graph = topology.controller.graph
    assert isinstance(graph, Graph)
    there = set(graph.connections)
    for number, ends in enumerate(told):
        if Connection(*ends) not in there:
            raise GenomeError(f"controller.graph.connections.{number}: expected two ends that the "
                              f"machine has, but came {json.dumps(ends)[:LONGEST]}")  # fmt: skip


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
