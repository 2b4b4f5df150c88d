"""Exports: other programs read back from them what the rows tell, and nothing is half written."""

import csv
import json
import os
from math import inf

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phylotrackpy.systematics import Systematics

from evo_ntm import verbs
from evo_ntm.errors import ReportError
from evo_ntm.experiment import parse
from evo_ntm.reports import exports
from evo_ntm.reports.exports import export, newick
from evo_ntm.reports.pedigree import NOBODY, read_pedigree
from evo_ntm.reports.phylogeny import common_ancestors, distances
from evo_ntm.runs.store import create, open_run
from tests.evolution.cases import STRATEGIES, told
from tests.reports.populations import TOPOLOGIES, evolved, made

NAMES = ["phylogeny.csv", "tree.csv", "tree.nwk", "phylogeny.graphml", "births.csv",
         "generations.csv"]  # fmt: skip
FOUND, PERTURB = ["found"], ["perturb"]
FAMILY = [
    (0, [], FOUND, 0, -3.0),
    (0, [], FOUND, 0, -inf),
    (1, [1], PERTURB, 0, -2.5),
    (1, [2, 1], ["cross", "perturb"], 1, -2.0),
    (2, [4, 1, 3], ["cross"], 1, -1.0),
    (2, [5], ["finetune"], 1, -0.5),
]


@pytest.fixture
def family(tmp_path):
    """A small family: two founders, crossings, and a birth that was tuned; with its exports."""
    run = made(tmp_path / "run", FAMILY, survivors={1: [1], 2: [1, 4]}, tuned=[6])
    export(run, tmp_path / "exports")
    return tmp_path / "exports"


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(path, name):
    return [row[name] for row in rows(path)]


def test_all_exports_are_written_and_listed(tmp_path):
    run = evolved(tmp_path / "run")
    folder = tmp_path / "deep" / "exports"
    assert export(run, folder) == [folder / name for name in NAMES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    export(run, folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_phylogeny_names_all_parents_and_a_tree_the_primary_ones(family):
    phylogeny, tree = family / "phylogeny.csv", family / "tree.csv"
    assert column(phylogeny, "id") == column(tree, "id") == ["1", "2", "3", "4", "5"]
    assert column(phylogeny, "ancestor_list") == ["[none]", "[none]", "[1]", "[2,1]", "[4,1,3]"]
    assert column(tree, "ancestor_list") == ["[none]", "[none]", "[1]", "[2]", "[4]"]
    assert column(tree, "ancestor_id") == ["1", "2", "1", "2", "4"]
    for path in (phylogeny, tree):
        assert column(path, "origin_time") == ["0", "0", "1", "1", "2"]
        assert column(path, "destruction_time") == ["inf", "1", "2", "inf", "inf"]
        assert column(path, "operators")[3] == "cross;perturb"
        assert column(path, "topology")[4] == str(TOPOLOGIES[1])


def test_where_survivors_are_not_known_nobody_is_destroyed_at_any_time(tmp_path):
    export(made(tmp_path / "run", FAMILY[:5], scored={2: 3}), tmp_path / "exports")
    (first, *_) = rows(tmp_path / "exports" / "tree.csv")
    assert "origin_time" in first and "destruction_time" not in first


@pytest.mark.parametrize("name", ["phylogeny.csv", "tree.csv"])
def test_phylotrackpy_reads_a_phylogeny_and_gives_it_back(tmp_path, name):
    run = evolved(tmp_path / "run", generations=30)
    export(run, tmp_path)
    loaded = Systematics(lambda number: number, True, True, False, False)
    # It never ends where a leaf is dead, unless it may take leaves for living.
    loaded.load_from_file(str(tmp_path / name), "id", True)
    loaded.snapshot(str(tmp_path / "back.csv"))
    ours = {row["id"]: row for row in rows(tmp_path / name)}
    back = {row["id"]: row for row in rows(tmp_path / "back.csv")}
    assert len(back) == len(ours) == loaded.get_num_taxa()
    for number, row in ours.items():
        other = back[number]
        assert other["ancestor_list"].strip("[] ").lower() == row["ancestor_list"].strip("[]")
        assert float(other["origin_time"]) == float(row["origin_time"])
        assert float(other["destruction_time"]) == float(row["destruction_time"])


@pytest.mark.parametrize("seed", range(2))
def test_phylotrackpy_measures_what_was_exported_as_it_is_measured_here(tmp_path, seed):
    run = evolved(tmp_path / "run", seed=seed, generations=40, elites=3)
    export(run, tmp_path)
    pruned = [row for row in rows(tmp_path / "tree.csv") if row["id"] in living(tmp_path)]
    with (tmp_path / "pruned.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, pruned[0].keys())
        writer.writeheader()
        writer.writerows(pruned)
    loaded = Systematics(lambda number: number, True, True, False, False)
    loaded.load_from_file(str(tmp_path / "pruned.csv"), "id", False)
    pedigree = read_pedigree(run)
    place = int(common_ancestors(pedigree)[-1])
    distance, diversity = distances(pedigree, 39, place)
    assert loaded.get_num_active() == 16
    assert loaded.get_mrca().get_info() == pedigree.numbers[place]
    assert loaded.get_mean_pairwise_distance(False) == distance
    above = loaded.get_distance_to_root(loaded.get_mrca())
    assert loaded.get_phylogenetic_diversity() == diversity + above


def living(folder):
    """List those alive at the end, and their ancestors."""
    tree = {row["id"]: row for row in rows(folder / "tree.csv")}
    found = set()
    for number in [number for number, row in tree.items() if row["destruction_time"] == "inf"]:
        while number not in found:
            found.add(number)
            number = tree[number]["ancestor_id"]
    return found


def test_networkx_reads_the_graph_of_all_parents(family):
    graph = networkx.read_graphml(family / "phylogeny.graphml")
    expected = {(str(parent), str(number)): place == 0
                for number, birth in enumerate(FAMILY, start=1)
                for place, parent in enumerate(birth[1])}  # fmt: skip
    edges = graph.edges(data="primary", default=True)
    assert {(one, other): primary for one, other, primary in edges} == expected
    assert list(graph.nodes) == ["1", "2", "3", "4", "5", "6"]
    assert graph.nodes["4"] == {
        "generation": 1, "operators": "cross;perturb", "topology": str(TOPOLOGIES[1]),
        "fitness": -2.0,
    }  # fmt: skip
    assert "fitness" not in graph.nodes["2"] and graph.nodes["6"]["tuned"] is True


def test_births_are_told_with_all_that_was_measured(family):
    told = rows(family / "births.csv")
    assert [row["number"] for row in told] == ["1", "2", "3", "4", "5", "6"]
    assert told[4]["parents"] == "4;1;3" and told[1]["fitness"] == "-inf"
    assert told[0]["parents"] == "" and told[2]["measures.bits"] == "2.5"
    assert told[1]["measures.bits"] == ""
    assert [row["tuned_steps"] for row in told] == [""] * 5 + ["10"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_exported_of_a_run_is_what_its_rows_tell(tmp_path, strategy):
    verbs.evolve(parse(told(strategy)), to=tmp_path / "run")
    run = open_run(tmp_path / "run")
    export(run, tmp_path / "exports")
    births = run.rows("SELECT * FROM births ORDER BY number")
    sheet = rows(tmp_path / "exports" / "births.csv")
    for row, birth in zip(sheet, births, strict=True):
        assert float(row["fitness"]) == birth["fitness"] and row["genome"] == birth["genome"]
        measures = json.loads(birth["measures"])
        assert {name: float(row[f"measures.{name}"]) for name in measures} == measures
    sheet = rows(tmp_path / "exports" / "generations.csv")
    looks = {row["generation"]: row for row in run.rows("SELECT * FROM validations")}
    generations = run.rows("SELECT * FROM generations ORDER BY number")
    for row, generation in zip(sheet, generations, strict=True):
        statistics = json.loads(generation["statistics"])
        assert {name: float(row[f"statistics.{name}"]) for name in statistics} == statistics
        assert int(row["survivors"]) == len(json.loads(generation["survivors"]))
        look = looks.get(generation["number"])
        assert row["validation.bits"] == ("" if look is None else repr(look["bits"]))
    assert any(row["validation.champion"] == "1" for row in sheet)


def parsed(text):
    """Read a Newick tree without calling oneself: parent and branch of every name."""
    found, inside, last, place = {}, [[]], [], 0
    while text[place] != ";":
        letter = text[place]
        place += 1
        if letter == "(":
            inside.append([])
        elif letter == ")":
            last = inside.pop()
        elif letter != ",":
            end = min(text.find(mark, place) for mark in ",);" if text.find(mark, place) > 0)
            name, _, length = text[place - 1 : end].partition(":")
            for child in last:
                found[child][0] = name
            last, place = [], end
            found[name] = [None, int(length)]
            inside[-1].append(name)
    return found


def check_newick(pedigree):
    numbers = pedigree.numbers
    expected = {}
    for place, parent in enumerate(pedigree.primary):
        elder = None if parent == NOBODY else str(numbers[parent])
        since = 0 if parent == NOBODY else pedigree.generation[parent]
        expected[str(numbers[place])] = [elder, pedigree.generation[place] - since]
    assert parsed("".join(newick(pedigree))) == expected


@st.composite
def forests(draw):
    """Draw the primary parents of births, each born a generation or more after its parent."""
    births = []
    for number in range(draw(st.integers(1, 20))):
        parent = draw(st.integers(0, number))
        births.append((number, [parent] if parent else [], PERTURB, 0, -1.0))
    return births


@settings(max_examples=12)
@given(forests())
def test_a_newick_tree_joins_children_to_their_primary_parents(tmp_path_factory, births):
    check_newick(read_pedigree(made(tmp_path_factory.mktemp("forest") / "run", births)))


def test_a_deep_line_and_many_founders_are_one_newick_tree(tmp_path):
    line = [(number, [number] if number else [], PERTURB, 0, -1.0) for number in range(10_000)]
    alone = read_pedigree(made(tmp_path / "line", line))
    text = "".join(newick(alone))
    assert text.startswith("(" * 9_999 + "10000:1)9999:1)") and text.endswith(")1:0;\n")
    founders = read_pedigree(made(tmp_path / "founders", [(0, [], FOUND, 0, -1.0)] * 3))
    assert "".join(newick(founders)) == "(1:0,2:0,3:0);\n"
    check_newick(alone)


def test_words_of_a_run_do_no_harm_in_a_file(tmp_path):
    wicked = 'a<b>&"c",;]]>\'\n'
    run = made(tmp_path / "run", [(0, [], [wicked], 0, -1.0), (1, [1], [wicked], 0, -1.0)])
    export(run, tmp_path / "exports")
    for name in ("phylogeny.csv", "tree.csv", "births.csv"):
        assert column(tmp_path / "exports" / name, "operators") == [wicked, wicked]
    graph = networkx.read_graphml(tmp_path / "exports" / "phylogeny.graphml")
    assert graph.nodes["1"]["operators"] == wicked


def test_what_fails_halfway_leaves_what_was_there(tmp_path, monkeypatch):
    run, folder = evolved(tmp_path / "run"), tmp_path / "exports"
    export(run, folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def fail(pedigree):
        yield "half a tree"
        raise KeyboardInterrupt

    monkeypatch.setattr(exports, "newick", fail)
    with pytest.raises(KeyboardInterrupt):
        export(run, folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path):
    run = evolved(tmp_path / "run")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ReportError) as refusal:
        export(run, tmp_path / "file")
    assert str(refusal.value) == f"{tmp_path / 'file'}: expected a folder, but it is a file"
    (tmp_path / "exports" / "tree.nwk").mkdir(parents=True)
    with pytest.raises(ReportError, match=r"tree.nwk: expected the name of a file, but it is a"):
        export(run, tmp_path / "exports")


def test_of_a_run_without_a_generation_nothing_is_exported(tmp_path):
    with create(tmp_path / "run", parse(told("genetic"))) as recorder:
        pass
    with pytest.raises(ReportError, match="expected a generation that is over"):
        export(recorder.run, tmp_path / "exports")
    assert not os.listdir(tmp_path / "exports")
