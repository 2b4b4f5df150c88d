"""Which genomes are kept: those of the champions, those whose line lives on, or all."""

import pytest

from evo_ntm import journal, verbs
from evo_ntm.experiment import load, parse
from evo_ntm.runs import lineage as lines
from evo_ntm.runs.store import create, open_run
from tests.evolution.cases import STRATEGIES, tiny, told
from tests.runs.test_checkpoints import TENSORS, WORDS
from tests.runs.test_store import birth

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
    for number, genome in ids(run).items():
        assert run.genome(number).id == genome


@every
def test_those_are_kept_whose_line_lives_on(tmp_path, strategy):
    run = evolved(tmp_path / "run", strategy, "lineage")
    parents = {row["number"]: row["parents"] for row in run.rows("SELECT * FROM births")}
    births = kept(run)
    assert len(births) < len(parents) or strategy == "cma"  # one line only
    for number in births:  # every line is whole, back to its founder
        primary = parents[number].strip("[]").split(",")[0]
        assert not primary or int(primary) in births
        assert run.genome(number).id == ids(run)[number]
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


def reasons(run):
    return {row["birth"]: row["reason"] for row in run.rows("SELECT birth, reason FROM genomes")}


@every
def test_now_and_then_the_best_are_kept_though_their_lines_end(tmp_path, strategy, monkeypatch):
    monkeypatch.setattr(lines, "SNAPSHOT_EVERY", 6)
    monkeypatch.setattr(lines, "SNAPSHOT_OF", 3)
    run = evolved(tmp_path / "run", strategy, "lineage")
    births = {row["number"]: row for row in run.rows("SELECT * FROM births")}
    found = reasons(run)
    portrayed = [number for number in found if found[number] == "snapshot"]
    for generation in (5, 11, 17):
        born = [row for row in births.values() if row["generation"] == generation]
        best = min(born, key=lambda row: (-row["fitness"], row["number"]))
        there = [number for number in portrayed if births[number]["generation"] <= generation]
        assert there
        # Unless older ones are fitter by this generation's episodes, the best newborn is there.
        assert best["number"] in there or strategy == "genetic"
        assert len([n for n in there if births[n]["generation"] == generation]) <= 3
    for number in portrayed:
        assert run.genome(number).id == births[number]["genome"]
    assert {"lineage"} <= {*found.values()} or strategy == "cma"


@every
def test_snapshots_do_not_depend_on_when_checkpoints_were_taken_or_runs_resumed(
    tmp_path, strategy, monkeypatch
):
    monkeypatch.setattr(lines, "SNAPSHOT_EVERY", 4)

    def stop(progress):
        if progress.generation == 9:
            raise KeyboardInterrupt

    runs = [evolved(tmp_path / str(n), strategy, "lineage", n) for n in (1, 100)]
    verbs.evolve(asked(strategy, "lineage"), to=tmp_path / "cut", on_generation=stop)
    verbs.resume(tmp_path / "cut")
    runs.append(open_run(tmp_path / "cut"))
    assert len({tuple(sorted(reasons(run).items())) for run in runs}) == 1
    assert "snapshot" in reasons(runs[0]).values()


def test_where_only_champions_are_kept_no_snapshots_are(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "SNAPSHOT_EVERY", 1)
    assert kept(evolved(tmp_path / "run", "genetic", "champions")) == []
    run = evolved(tmp_path / "all", "genetic", "all")
    assert {*reasons(run).values()} == {"all"}


@pytest.mark.parametrize("keep", ["champions", "lineage", "all"])
def test_what_a_gradient_touched_is_kept_whatever_else_is(tmp_path, small, keep):
    with create(tmp_path / "run", load(small, [f"run.keep={keep}"])) as recorder:
        operators = {1: ["found"], 2: ["perturb", "finetune"], 3: ["follow_gradient"],
                     4: ["finetune"]}  # fmt: skip
        with recorder.whole():
            for number, names in operators.items():
                born = birth(number, operators=names, parents=[number - 1] if number > 1 else [])
                recorder.record("births", [{**born, "genome": tiny(seed=number).id}])
                recorder.bear(number, tiny(seed=number), names)
            recorder.portray(49, [(3, tiny(seed=3)), (4, tiny(seed=4))])
            zeros = dict.fromkeys(("rows", "stage", "scored", "timesteps", "failures"), 0)
            row = {"number": 3, **zeros, "species": 1, "statistics": {}, "seconds": 0.0}
            recorder.record("generations", [row])
        # All lines end but that of the founder, who lives on himself.
        recorder.publish(WORDS, TENSORS, [1], [])
    expected = {2: "gradient", 4: "gradient"}
    if keep == "lineage":
        expected[3] = "snapshot"
    if keep == "all":
        expected |= {1: "all", 3: "all"}
    assert reasons(recorder.run) == expected
    assert recorder.run.genome(4).id == tiny(seed=4).id


def test_a_birth_of_the_line_that_is_portrayed_stays_when_its_line_ends(tmp_path, small):
    with create(tmp_path / "run", load(small, ["run.keep=lineage"])) as recorder:
        zeros = dict.fromkeys(("rows", "stage", "scored", "timesteps", "failures", "species"), 0)
        for number in range(3):
            row = {"number": number, **zeros, "statistics": {}, "seconds": 0.0}
            recorder.record("generations", [row])
        recorder.record("births", [birth(1), birth(2, parents=[1]), birth(3, parents=[1])])
        for number in (1, 2, 3):
            recorder.bear(number, tiny(seed=number), ["found"])
        recorder.publish({**WORDS, "generation": 0}, TENSORS, [2], [])
        assert reasons(recorder.run) == {1: "lineage"}
        recorder.portray(49, [(1, tiny(seed=1))])
        recorder.publish({**WORDS, "generation": 1}, TENSORS, [], [])
        assert reasons(recorder.run) == {1: "snapshot"}


def test_every_checkpoint_is_kept_where_all_is(tmp_path):
    run = evolved(tmp_path / "run", "genetic", "all")
    there = sorted(int(path.stem) for path in (run.folder / "checkpoints").iterdir())
    assert there == [3, 7, 11, 15, 17]
    assert [row["generation"] for row in run.rows("SELECT * FROM checkpoints")] == there
