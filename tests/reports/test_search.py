"""How a search went: its starts, restarts and stages, and how the trials of challengers ended."""

import pytest

from evo_ntm import verbs
from evo_ntm.experiment import parse
from evo_ntm.reports.chapters import Challenge, Displacement
from evo_ntm.reports.pedigree import read_pedigree
from evo_ntm.reports.search import tell_search
from evo_ntm.runs.store import open_run
from tests.evolution.cases import told
from tests.reports.populations import TOPOLOGIES, made

FOLLOW, ADD, WIDEN = ["follow_gradient"], ["add_reader"], ["widen_memory"]
NOWHERE = Displacement((), (), (), ())
ONE, TWO = map(str, TOPOLOGIES[1:3])


def chapter(run):
    return tell_search(run, read_pedigree(run), NOWHERE)


def test_every_challenger_is_told_of_with_its_end(tmp_path):
    births = [
        (0, [], ["found"], 1, -9.0),
        (1, [1], FOLLOW, 1, -8.0),
        (2, [2], FOLLOW, 1, -7.0), (2, [2], ADD, 2, -8.0),
        (3, [3], FOLLOW, 1, -6.0), (3, [4], FOLLOW, 2, -5.0),
        (4, [6], FOLLOW, 2, -4.0),
        (5, [7], FOLLOW, 2, -4.0), (5, [7], WIDEN, 2, -4.0),
        (6, [7], ["restore"], 2, -4.0),
        (7, [], ["found"], 1, -9.0),
        (8, [11], FOLLOW, 1, -9.0), (8, [11], ADD, 2, -8.0),
        (9, [12], FOLLOW, 1, -9.0),
        (10, [14], FOLLOW, 1, -9.0), (10, [14], WIDEN, 1, -9.0),
    ]  # fmt: skip
    events = [
        (1, "challenge", f"add_reader: {TWO}"),
        (3, "replace", f"{ONE} by {TWO}"),
        (4, "challenge", f"widen_memory: {TWO}"),
        (4, "finer", "samples and steps of 0.4 times their usual size"),
        (5, "stage", "stage 2 opens"),
        (5, "restore", "back to birth 7"),
        (6, "challenge", f"add_reader: {TWO}"),  # which nobody lived to see
        (6, "restart", "no progress for 3 generations"),
        (7, "challenge", f"add_reader: {TWO}"),
        (8, "reject", TWO),
        (9, "challenge", f"widen_memory: {ONE}"),
        (10, "failure", "a worker was lost"),
    ]
    run = made(tmp_path / "run", births, strategy="evolution_strategy", events=events,
               stages={6: 1})  # fmt: skip
    told = chapter(run)
    assert told.challenges == (
        Challenge(4, 2, ("add_reader",), TWO, "replaced", 3),
        Challenge(9, 5, ("widen_memory",), TWO, "dropped", 5),
        Challenge(13, 8, ("add_reader",), TWO, "rejected", 8),
        Challenge(16, 10, ("widen_memory",), ONE, "still on trial", None),
    )
    assert (told.starts, told.restarts, told.restores, told.finer) == (2, (6,), (5,), (4,))
    assert told.stages == ((0, 0), (6, 1))
    assert told.displacement is NOWHERE


def test_a_challenger_that_was_trained_is_told_of_by_both_of_its_operators(tmp_path):
    both = ["add_reader", "finetune"]
    births = [(0, [], ["found"], 1, -9.0), (1, [1], FOLLOW, 1, -8.0), (1, [1], both, 2, -7.0)]
    events = [(0, "challenge", f"add_reader, finetune: {TWO}"), (1, "replace", "")]
    run = made(tmp_path / "run", births, strategy="evolution_strategy", events=events)
    assert chapter(run).challenges == (Challenge(3, 1, tuple(both), TWO, "replaced", 1),)


def test_a_challenger_that_is_not_born_yet_is_not_told_of(tmp_path):
    events = [(0, "challenge", f"add_reader: {TWO}")]
    births = [(0, [], ["found"], 1, -9.0)]
    run = made(tmp_path / "run", births, strategy="evolution_strategy", events=events)
    assert chapter(run).challenges == ()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Evolve long enough for some trials."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = {
        "generations": 60,
        "starts": 3,
        "validate_every": 3,
        "decline": 1.001,
        "declines": 1,
        "learning_rate": 0.5,
        "finer": [{"times": 0.9}, {"times": 0.8, "patience": 3}],
    }
    verbs.evolve(parse(told("evolution_strategy", **settings)), to=folder)
    return open_run(folder)


def test_the_events_of_a_run_are_all_told(run):
    told = chapter(run)
    rows = run.rows("SELECT * FROM events ORDER BY rowid")
    assert told.starts == 3
    kinds = ("restart", "restore", "finer", "challenge", "replace", "reject")
    when = {kind: tuple(row["generation"] for row in rows if row["kind"] == kind) for kind in kinds}
    assert (told.restarts, told.restores) == (when["restart"], when["restore"])
    assert told.finer == when["finer"] and len(told.finer) == 1
    assert told.restores and len(when["challenge"]) >= len(told.challenges) > 2
    decided = [each.ended for each in told.challenges if each.ending in ("replaced", "rejected")]
    assert decided == sorted((*when["replace"], *when["reject"]))
    births = {row["number"]: row for row in run.rows("SELECT * FROM births")}
    for challenge in told.challenges:
        row = births[challenge.birth]
        assert row["generation"] == challenge.generation
        assert challenge.generation - 1 in when["challenge"]
        assert challenge.operators in {("add_reader",), ("widen_memory",)}


def test_of_a_population_no_search_is_told(tmp_path):
    assert chapter(made(tmp_path / "run", [(0, [], ["found"], 0, -1.0)])) is None


def test_of_covariances_restarts_are_told(tmp_path):
    births = [(0, [], ["found"], 1, -9.0), (1, [1], ["recombine"], 1, -8.0),
              (2, [], ["found"], 1, -9.0)]  # fmt: skip
    events = [(1, "restart", "the covariance has broken down")]
    told = chapter(made(tmp_path / "run", births, strategy="cma", events=events))
    assert (told.starts, told.restarts, told.restores, told.challenges) == (2, (1,), (), ())
