"""Which genomes are kept: those of the champions, those whose line lives on, or all."""


import pytest

from evo_ntm import journal, verbs
from evo_ntm.experiment import parse
from evo_ntm.runs.store import open_run
from tests.evolution.cases import STRATEGIES, told

every = pytest.mark.parametrize("strategy", STRATEGIES)


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)


def asked(strategy, keep, every=4):
    run = {"threads": 1, "keep": keep, "checkpoint_every": every}
    return parse({**told(strategy, generations=18, validate_every=6), "run": run})


def evolved(folder, *about):
    verbs.evolve(asked(*about), to=folder)
    return open_run(folder)


def kept(run):
    return [row["birth"] for row in run.rows("SELECT birth FROM genomes ORDER BY birth")]


def ids(run):
    return {row["number"]: row["genome"] for row in run.rows("SELECT number, genome FROM births")}


@every
def test_only_champions_are_kept_unless_asked_for(tmp_path, strategy):
    assert kept(evolved(tmp_path / "run", strategy, "champions")) == []


@every
def test_all_genomes_are_kept_where_all_are_asked_for(tmp_path, strategy):
    run = evolved(tmp_path / "run", strategy, "all")
    assert kept(run) == sorted(ids(run))
    for birth, genome in ids(run).items():
        assert run.genome(birth).id == genome


@every
def test_those_are_kept_whose_line_lives_on(tmp_path, strategy):
    run = evolved(tmp_path / "run", strategy, "lineage")
    parents = {row["number"]: row["parents"] for row in run.rows("SELECT * FROM births")}
    births = kept(run)
    assert len(births) < len(parents) or strategy == "cma"  # one line only
    for birth in births:  # every line is whole, back to its founder
        primary = parents[birth].strip("[]").split(",")[0]
        assert not primary or int(primary) in births
        assert run.genome(birth).id == ids(run)[birth]
    assert max(births) > len(parents) - 30


@every
def test_how_often_is_looked_does_not_change_whose_line_lives_on(tmp_path, strategy):
    runs = [evolved(tmp_path / str(n), strategy, "lineage", n) for n in (1, 5, 100)]
    assert kept(runs[0]) == kept(runs[1]) == kept(runs[2])


@every
@pytest.mark.parametrize("keep", ["lineage", "all"])
def test_a_run_that_was_resumed_has_kept_the_same(tmp_path, strategy, keep):
    def stop(progress):
        if progress.generation == 9:
            raise KeyboardInterrupt

    whole = evolved(tmp_path / "whole", strategy, keep)
    verbs.evolve(asked(strategy, keep), to=tmp_path / "cut", on_generation=stop)
    verbs.resume(tmp_path / "cut")
    assert kept(open_run(tmp_path / "cut")) == kept(whole)
