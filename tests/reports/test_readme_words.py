"""The README's drawing of the heads says what `evo-ntm wires` prints."""

import re
from pathlib import Path

import pytest

from evo_ntm import verbs
from evo_ntm.topology import Block, Controller, Head, Topology, wires

ROOT = Path(__file__).parents[2]
TITLE = "## How the heads are attached to the controller"
LINE = re.compile(
    r"([a-z][\w ]*? < [\w ]+?)(?:, step t\+1)?  +"  # the wire
    r"(\S+(?: \S+)*)  +"  # its activation
    r"(hidden|answer|eq\. [\d, ]*\d)"  # what it feeds
)
WIDEST = 90


@pytest.fixture(scope="module")
def section():
    """Cut the section out of the README."""
    _, found, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"{TITLE}\n")
    assert found, f"the README has no section {TITLE!r}"
    return rest.partition("\n## ")[0]


@pytest.fixture(scope="module")
def drawing(section):
    """Cut the drawing out of the section."""
    return section.partition("```text\n")[2].partition("```")[0]


@pytest.fixture(scope="module")
def printed():
    """Say what `evo-ntm wires` prints of the machine that is drawn."""
    rows = verbs.wires(ROOT / "tasks" / "copy.yaml")
    return {row.name: (row.activation, row.feeds) for row in rows}


def test_every_line_of_the_drawing_says_what_wires_prints(drawing, printed):
    drawn = {name: (activation, feeds) for name, activation, feeds in LINE.findall(drawing)}
    assert drawn == {name: told for name, told in printed.items() if not name.endswith("< bias")}


def test_no_line_with_a_wire_is_overlooked(drawing):
    lines = [line for line in drawing.splitlines() if " < " in line]
    heading, *rest = lines
    assert heading.split() == ["wire:", "receiver", "<", "sender", "activation", "feeds"]
    assert all(LINE.search(line) for line in rest)


def test_the_drawing_fits_a_terminal(drawing):
    assert max(map(len, drawing.splitlines())) <= WIDEST


def test_every_wire_named_in_the_words_exists(section, printed):
    inputs, outputs, columns = (Block(1, 9),), (Block(101, 8),), (Block(5, 10),)
    heads = Head(3, "writer", source="cell"), Head(4, "reader", source="cell")
    lstm = Topology(inputs, outputs, Controller("lstm", ((Block(6, 16),),)), columns, heads)
    named = set(re.findall(r"`([^`\n]+ < [^`\n]+)`", section))
    assert {"reader 4 start < bias", "writer 3 key < layer 1 cell"} <= named
    assert named <= printed.keys() | wires(lstm).keys()


def test_every_gene_of_a_head_is_in_the_table(section):
    genes = set(re.findall(r"^\| (\w+) \|", section, flags=re.MULTILINE))
    assert genes - {"gene"} == set(Head.__dataclass_fields__) - {"birth", "kind"}
