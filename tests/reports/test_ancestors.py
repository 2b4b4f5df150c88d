"""The graph of ancestors against a plain search, and its layout against the rules of one."""

from collections import Counter

import pytest

from evo_ntm.reports import ancestors
from evo_ntm.reports.ancestors import MOST_NODES, tell_ancestry
from evo_ntm.reports.line import read_line
from evo_ntm.reports.pedigree import read_pedigree
from evo_ntm.runs import ancestry
from tests.reports import populations
from tests.reports.populations import made

MUTATION = ["perturb"]


def told(run, birth, milestones=()):
    return tell_ancestry(read_pedigree(run), read_line(run, birth), milestones)


def parents_of(run):
    return {step.number: step.parents for birth in run.rows("SELECT max(number) AS n FROM births")
            for step in ancestry.ancestors(run, birth["n"])}  # fmt: skip


def lengths(parents, child, ancestor):
    """List how many births there can be between two, on all ways up from the one to the other."""
    passed = {child: {-1}}
    for number in range(child, ancestor, -1):
        for parent in parents[number] if number in passed else ():
            passed.setdefault(parent, set()).update(count + 1 for count in passed[number])
    return passed[ancestor]


def line_run(folder, count, **told):
    births = [(0, [], ["found"], 0, -1.0)]
    births += [(n, [n], MUTATION, 0, -1.0 / (n + 1)) for n in range(1, count)]
    return made(folder, births, strategy="cma", **told)


def test_a_line_without_branches_is_drawn_by_its_milestones(tmp_path):
    run = line_run(tmp_path / "run", 3000)
    chapter = told(run, 3000, milestones=[40, 41, 2000])
    assert [node.number for node in chapter.nodes] == [1, 40, 41, 2000, 3000]
    assert [(e.child, e.parent, e.primary, e.skipped) for e in chapter.edges] == [
        (3000, 2000, True, 999),
        (2000, 41, True, 1958),
        (41, 40, True, 0),
        (40, 1, True, 38),
    ]
    assert chapter.all_ancestors == 2999
    assert {node.place for node in chapter.nodes} == {0.0}
    assert [node.layer for node in chapter.nodes] == [0, 1, 2, 3, 4]
    assert all(node.on_trunk for node in chapter.nodes)
    founder = chapter.nodes[0]
    assert (founder.operators, founder.fitness, founder.generation) == (("found",), -1.0, 0)


def test_a_founder_alone_is_a_graph_of_one(tmp_path):
    chapter = told(line_run(tmp_path / "run", 4), 1)
    assert [node.number for node in chapter.nodes] == [1]
    assert chapter.edges == () and chapter.all_ancestors == 0


def test_other_parents_are_shown_and_who_is_a_parent_twice_once(tmp_path):
    run = made(tmp_path / "run", [
        (0, [], ["found"], 0, -1.0), (0, [], ["found"], 0, -1.0), (0, [], ["found"], 0, -1.0),
        (1, [2], MUTATION, 0, -1.0), (1, [1, 3], ["cross"], 1, -2.0),
        (2, [5, 4], ["cross"], 0, -1.0), (3, [6, 6], ["cross"], 0, -1.0),
    ])  # fmt: skip
    chapter = told(run, 7)
    assert {node.number for node in chapter.nodes} == {1, 2, 3, 5, 6, 7}  # 4 is on an edge
    assert {(e.child, e.parent, e.primary, e.skipped) for e in chapter.edges} == {
        (7, 6, True, 0),
        (6, 5, True, 0),
        (6, 2, False, 1),
        (5, 1, True, 0),
        (5, 3, False, 0),
    }
    assert chapter.all_ancestors == 6
    trunk = {node.number for node in chapter.nodes if node.on_trunk}
    assert trunk == {1, 5, 6, 7}
    by_number = {node.number: node for node in chapter.nodes}
    assert by_number[5].topology.endswith("1 writer, width 2")
    assert by_number[5].operators == ("cross",)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("crossover", [0.0, 0.3, 1.0])
def test_graphs_of_populations_tell_the_truth(tmp_path, seed, crossover):
    run = populations.evolved(tmp_path / "run", seed=seed, size=12, generations=25,
                              crossover=crossover)  # fmt: skip
    last = run.rows("SELECT max(number) AS n FROM births")[0]["n"]
    steps = {step.number: step for step in ancestry.ancestors(run, last)}
    parents = {number: step.parents for number, step in steps.items()}
    trunk = [step.number for step in ancestry.trunk(run, last)]
    chapter = told(run, last, milestones=trunk[::7])
    check(chapter, parents, trunk, steps)
    children = Counter(parent for those in parents.values() for parent in {*those})
    shown = {node.number for node in chapter.nodes}
    # All ancestors are there but those with one parent and one child.
    for number, those in parents.items():
        assert number in shown or (len({*those}) == 1 and children[number] == 1)


def check(chapter, parents, trunk, steps):
    shown = {node.number: node for node in chapter.nodes}
    assert chapter.all_ancestors == len(parents) - 1
    assert len(shown) == len(chapter.nodes) <= MOST_NODES
    assert {trunk[0], trunk[-1]} <= shown.keys()
    for number, node in shown.items():
        step = steps[number]
        assert (node.generation, node.operators) == (step.generation, step.operators)
        assert (node.fitness, node.topology) == (step.fitness, step.topology)
        assert node.on_trunk == (number in trunk)
    for edge in chapter.edges:
        assert edge.skipped in lengths(parents, edge.child, edge.parent)
        assert shown[edge.child].layer > shown[edge.parent].layer
        if not edge.skipped:
            assert edge.primary == (parents[edge.child][0] == edge.parent)
    assert len({(edge.child, edge.parent) for edge in chapter.edges}) == len(chapter.edges)
    # Generations are layers, without gaps, and nobody is where another is.
    generations = sorted({node.generation for node in chapter.nodes})
    assert all(generations[node.layer] == node.generation for node in chapter.nodes)
    spots = [(node.layer, node.place) for node in chapter.nodes]
    assert len({*spots}) == len(spots)
    # The line is drawn from one end to the other, and straight.
    line = [number for number in trunk if number in shown]
    drawn = {(edge.child, edge.parent) for edge in chapter.edges if edge.primary}
    assert {*zip(line[1:], line, strict=False)} <= drawn
    assert {shown[number].place for number in line} == {0.0}


def test_of_very_many_ancestors_the_nearest_and_the_milestones_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(ancestors, "MOST_NODES", 60)
    run = populations.evolved(tmp_path / "run", size=40, generations=40, crossover=1.0)
    last = run.rows("SELECT max(number) AS n FROM births")[0]["n"]
    steps = {step.number: step for step in ancestry.ancestors(run, last)}
    trunk = [step.number for step in ancestry.trunk(run, last)]
    chapter = told(run, last, milestones=trunk[::5])
    assert len(chapter.nodes) == 60 < chapter.all_ancestors
    shown = {node.number for node in chapter.nodes}
    assert {*trunk[::5], trunk[0], trunk[-1], *steps[last].parents} <= shown
    nearest = [node.generation for node in chapter.nodes if node.number not in trunk[::5]]
    assert sorted(nearest)[1] >= max(nearest) - 12
    line = [number for number in trunk if number in shown]
    drawn = {(edge.child, edge.parent): edge for edge in chapter.edges if edge.primary}
    for parent, child in zip(line, line[1:], strict=False):
        passed = trunk.index(child) - trunk.index(parent) - 1
        assert drawn[child, parent].skipped == passed


def test_the_same_graph_comes_out_every_time_and_its_edges_seldom_cross(tmp_path):
    run = populations.evolved(tmp_path / "run", size=16, generations=30, crossover=0.4)
    last = run.rows("SELECT max(number) AS n FROM births")[0]["n"]
    one, other = told(run, last), told(run, last)
    assert one == other
    assert crossings(one) < crossings(one, by_number=True)


def crossings(chapter, by_number=False):
    """Count the pairs of edges between the same two layers that cross."""
    nodes = {node.number: node for node in chapter.nodes}
    at = {n: (node.number if by_number else node.place) for n, node in nodes.items()}
    spans = {}
    for edge in chapter.edges:
        layers = nodes[edge.parent].layer, nodes[edge.child].layer
        spans.setdefault(layers, []).append((at[edge.parent], at[edge.child]))
    return sum((one[0] - other[0]) * (one[1] - other[1]) < 0
               for pairs in spans.values() for one in pairs for other in pairs)  # fmt: skip


def test_a_birth_that_was_tuned_has_the_ancestors_of_its_parent(tmp_path):
    births = [(0, [], ["found"], 0, -1.0), (1, [1], MUTATION, 0, -1.0),
              (2, [2], MUTATION, 0, -1.0), (2, [3], ["finetune"], 0, -0.5),
              (2, [4], ["finetune"], 0, -0.4)]  # fmt: skip
    run = made(tmp_path / "run", births, tuned=(4, 5))
    chapter = told(run, 5, milestones=[4])
    assert [node.number for node in chapter.nodes if node.generation < 2] == [1]
    assert {(e.child, e.parent, e.skipped) for e in chapter.edges} == {(5, 4, 0), (4, 1, 2)}
    assert chapter.all_ancestors == 4
    assert {node.operators for node in chapter.nodes} == {("found",), ("finetune",)}
