from dataclasses import replace

from evo_ntm.reports.chapters import Ancestry, Edge, Node
from evo_ntm.reports.drawings.ancestry import ancestry
from evo_ntm.reports.drawings.svg import markup
from tests.reports.made_up import bred, searched


def marks(drawn):
    """Give where the mark of every birth lies."""
    found = {}
    for node in drawn.iter("a"):
        for part in node:
            if part.get("class") == "mark":
                x = float(part.get("cx") or float(part.get("x")) + float(part.get("width")) / 2)
                y = float(part.get("cy") or float(part.get("y")) + float(part.get("height")) / 2)
                found[int(node.get("data-birth"))] = x, y
    return found


def test_every_birth_leads_to_its_row_and_no_two_overlap():
    told = bred().ancestry
    drawn = ancestry(told, bred().header.birth)
    places = marks(drawn)
    assert places.keys() == {node.number for node in told.nodes}
    assert len(set(places.values())) == len(places)
    for node in drawn.iter("a"):
        assert node.get("href") == f"#birth-{node.get('data-birth')}"
        assert node.get("id") == f"node-{node.get('data-birth')}"
        assert node.find("title").text.startswith(f"birth {node.get('data-birth')}, generation")


def test_time_goes_from_left_to_right():
    told = bred().ancestry
    places = marks(ancestry(told, 1))
    across = {node.layer: places[node.number][0] for node in told.nodes}
    assert sorted(across.values()) == [across[layer] for layer in sorted(across)]
    for edge in told.edges:
        assert places[edge.parent][0] < places[edge.child][0]


def test_births_of_a_layer_keep_their_order():
    told = bred().ancestry
    places = marks(ancestry(told, 1))
    for layer in {node.layer for node in told.nodes}:
        mine = sorted((node.place, places[node.number][1]) for node in told.nodes
                      if node.layer == layer)  # fmt: skip
        assert [y for _, y in mine] == sorted(y for _, y in mine)


def test_a_line_is_drawn_and_of_few_layers_it_is_told_what_is_left_out():
    told = searched().ancestry
    few = replace(told, nodes=told.nodes[:3], edges=(Edge(told.nodes[1].number,
                  told.nodes[0].number, True, 41),))  # fmt: skip
    text = markup(ancestry(few, told.nodes[2].number))
    assert ">41</text>" in text and "41 births in between" in text


def test_an_edge_to_a_birth_that_is_not_there_is_left_out():
    node = Node(7, 3, 0, 0.0, (), -1.0, "dense", True)
    drawn = ancestry(Ancestry((node,), (Edge(7, 2, True),), 5), 7)
    assert not [part for part in drawn.iter("path") if "edge" in part.get("class", "")]


def test_many_births_of_a_layer_stay_within_a_screen():
    nodes = [Node(n, 1, 1, float(n), ("perturb",), 0.0, "dense", False) for n in range(499)]
    drawn = ancestry(Ancestry((*nodes, Node(999, 2, 2, 0.0, ("cross",), 0.0, "dense", True)), (),
                     500), 999)  # fmt: skip
    assert float(drawn.get("height")) < 800
