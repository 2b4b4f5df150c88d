"""Topologies in the rows: each once, and what comes back is what was kept."""

import json
import sqlite3
from contextlib import closing
from itertools import count

import pytest
from hypothesis import given

from evo_ntm.errors import RunError
from evo_ntm.experiment import parse
from evo_ntm.genome.drawing import add_node
from evo_ntm.genome.notation import read_topology, topology_json
from evo_ntm.runs.store import create, open_run
from evo_ntm.runs.topologies import kept, whole
from evo_ntm.seeds import derive
from tests.evolution.cases import told
from tests.genome.machines import graph, topologies
from tests.runs.test_store import birth


@given(topology=topologies())
def test_what_is_taken_apart_is_put_together_again(topology):
    row = kept(str(topology), topology_json(topology))
    text = whole(row.shape, row.graph, "here")
    assert text == topology_json(topology)
    assert read_topology(text, "here") == topology
    assert (row.graph is None) == (topology.controller.graph is None)


def graphs(number):
    """Grow a graph node by node."""
    grown = [graph(nodes=0)]
    for node in range(1, number):
        grown.append(add_node(grown[-1], generator=derive(1, "node", node)))
    return grown


def test_machines_that_differ_in_their_graphs_alone_share_a_shape_and_little_is_kept_of_each(
    tmp_path,
):
    several = [genome.topology for genome in graphs(40)]
    numbers = count(1)
    with create(tmp_path / "run", parse(told("genetic"))) as recorder:
        for _ in range(2):  # the second time all are known
            recorder.record("births", [
                birth(next(numbers), topology=topology) for topology in several
            ])  # fmt: skip
            recorder.commit()
    run = open_run(tmp_path / "run")
    rows = run.rows("SELECT * FROM topologies ORDER BY number")
    assert [whole(row["shape"], row["graph"], "it") for row in rows] == [
        topology_json(topology) for topology in several
    ]
    assert len({row["shape"] for row in rows}) == 1
    spoken = sum(len(topology_json(topology)) for topology in several)
    assert sum(len(row["graph"]) for row in rows) < spoken / 3
    born = run.rows("SELECT topology FROM births ORDER BY number")
    assert [row["topology"] for row in born] == 2 * list(range(1, 41))


def test_a_recorder_remembers_topologies_for_as_long_as_somebody_has_them(tmp_path):
    texts = [topology_json(genome.topology) for genome in graphs(30)]
    several = [read_topology(text, "here") for text in texts]
    with create(tmp_path / "run", parse(told("genetic"))) as recorder:
        recorder.record("births", [birth(n, topology=one) for n, one in enumerate(several)])
        assert len(recorder._topologies) == 30
        topology_json.cache_clear()
        del several[1:]
        assert len(recorder._topologies) == 1
        recorder.record("births", [birth(99, topology=read_topology(texts[7], "here"))])
        recorder.commit()
    (row,) = open_run(tmp_path / "run").rows("SELECT topology FROM births WHERE number = 99")
    assert row["topology"] == 8


@pytest.mark.parametrize(
    ("shape", "graph"),
    [('{"controller": {}}', b"torn"), ("[", b""), ("[]", None), ('{"controller": 3}', None)],
)
def test_a_graph_that_is_torn_is_named(shape, graph):
    torn = kept("", topology_json(graphs(1)[0].topology)).graph if graph is None else graph
    with pytest.raises(RunError, match="^topology 7: expected a shape and a graph, but "):
        whole(shape, torn, "topology 7")


def test_an_index_over_hashes_finds_a_topology(tmp_path):
    with create(tmp_path / "run", parse(told("genetic"))):
        pass
    with closing(sqlite3.connect(tmp_path / "run" / "run.sqlite")) as rows:
        plan = rows.execute("EXPLAIN QUERY PLAN SELECT number FROM topologies WHERE hash = ''")
        assert "INDEX" in json.dumps(plan.fetchall())
