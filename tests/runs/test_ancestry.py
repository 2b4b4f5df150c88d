"""Who descends from whom: trunks, ancestors, descendants, common ancestors, children."""

from operator import attrgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_ntm import verbs
from evo_ntm.errors import RunError
from evo_ntm.experiment import load, parse
from evo_ntm.runs.ancestry import ancestors, children, common_ancestor, descendants, trunk
from evo_ntm.runs.store import create, open_run
from tests.conftest import SMALL
from tests.evolution.cases import told
from tests.runs.test_store import birth


def filled(folder, parents):
    """Make a run of births 1, 2 …, of which each has the parents that are named for it."""
    founder = birth(0)
    with create(folder, load_small(folder)) as recorder:
        with recorder.whole():
            recorder.record("births", [
                {**founder, "number": number, "generation": number, "parents": those}
                for number, those in enumerate(parents, start=1)
            ])  # fmt: skip
        recorder.commit()
    return recorder.run


def load_small(folder):
    path = folder.with_suffix(".yaml")
    path.write_text(SMALL, encoding="utf-8")
    return load(path)


@pytest.fixture
def family(tmp_path):
    """Two founders; 3 and 4 of the first; 5 of both; 6 of 5 and 2; 7 of the second alone."""
    return filled(tmp_path / "family", [[], [], [1], [1], [4, 2], [5, 2], [2]])


def numbers(steps):
    return [step.number for step in steps]


def test_a_trunk_follows_the_primary_parents_and_ancestors_are_all(family):
    assert numbers(trunk(family, 6)) == [1, 4, 5, 6]
    assert numbers(ancestors(family, 6)) == [1, 2, 4, 5, 6]
    assert numbers(trunk(family, 2)) == numbers(ancestors(family, 2)) == [2]


def test_descendants_are_found_through_every_parent(family):
    assert descendants(family, 1) == [1, 3, 4, 5, 6]
    assert descendants(family, 2) == [2, 5, 6, 7]
    assert descendants(family, 7) == [7]


def test_the_common_ancestor_is_the_most_recent(family):
    assert common_ancestor(family, [3, 6]) == 1
    assert common_ancestor(family, [5, 6]) == 5  # one of them itself
    assert common_ancestor(family, [6]) == 6
    assert common_ancestor(family, [6, 7]) is None  # by primary parents
    assert common_ancestor(family, [7, 2, 7]) == 2


def test_children_are_those_of_a_primary_parent(family):
    assert children(family) == {1: 2, 2: 1, 4: 1, 5: 1}


@pytest.mark.parametrize("ask", [trunk, ancestors, descendants])
@pytest.mark.parametrize("number", [12345, 0, -1, 2**63])
def test_an_unknown_birth_is_named_in_one_line(family, ask, number):
    with pytest.raises(RunError) as refusal:
        ask(family, number)
    expected = f"{family.folder}: expected the number of a birth, but there is no {number}"
    assert str(refusal.value) == expected


def test_of_several_births_the_unknown_one_is_named(family):
    with pytest.raises(RunError, match="expected the number of a birth, but there is no 99"):
        common_ancestor(family, [1, 99, 2])
    with pytest.raises(RunError, match="expected the numbers of births, but came none"):
        common_ancestor(family, [])


LONG = 20_000


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Make one line of births, and another that leaves it in its middle."""
    line = [[number] if number else [] for number in range(LONG)]
    line.append([LONG // 2])
    return filled(tmp_path_factory.mktemp("runs") / "long", line)


def test_a_long_line_takes_no_recursion_of_python(long):
    assert numbers(trunk(long, LONG)) == list(range(1, LONG + 1))
    assert numbers(ancestors(long, LONG)) == list(range(1, LONG + 1))
    assert descendants(long, 1) == list(range(1, LONG + 2))
    assert common_ancestor(long, [LONG, LONG + 1]) == LONG // 2
    assert children(long)[LONG // 2] == 2 and len(children(long)) == LONG - 1


def test_a_trunk_leads_from_a_founder_to_a_birth_step_by_step(tmp_path):
    verbs.evolve(parse({**told("genetic", generations=18), "run": {"threads": 1}}),
                 to=tmp_path / "run")  # fmt: skip
    run = open_run(tmp_path / "run")
    question = "SELECT births.*, told FROM births JOIN topologies ON topology = topologies.number"
    rows = {row["number"]: row for row in run.rows(question)}
    steps = trunk(run, max(rows))
    assert steps[-1].number == max(rows) and steps[0].operators == ("found",)
    assert [step.parents[0] for step in steps[1:]] == [step.number for step in steps[:-1]]
    assert sorted(steps, key=attrgetter("generation")) == steps
    for step in steps:
        row = rows[step.number]
        came = step.generation, step.fitness, step.topology
        assert came == (row["generation"], row["fitness"], row["told"])


@st.composite
def families(draw):
    """Draw births with up to two parents each, all of them older."""
    parents = [[]]
    for number in range(2, draw(st.integers(2, 25))):
        older = st.integers(1, number - 1)
        parents.append(draw(st.lists(older, max_size=2, unique=True)))
    return parents


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("families")


@settings(max_examples=20)
@given(families())
def test_ancestors_and_descendants_are_two_sides_of_one_thing(folder, parents):
    run = filled(folder / str(len(list(folder.iterdir()))), parents)
    births = range(1, len(parents) + 1)
    back = {number: {*numbers(ancestors(run, number))} for number in births}
    lines = {number: {*numbers(trunk(run, number))} for number in births}
    last = births[-1]
    for number in births[::3]:
        assert descendants(run, number) == [other for other in births if number in back[other]]
        shared = lines[number] & lines[last]
        assert common_ancestor(run, [number, last]) == max(shared, default=None)
