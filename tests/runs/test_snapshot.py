"""What is read of a run at one moment stays as it was, while the run goes on."""

import pytest

from evo_ntm import journal, verbs
from evo_ntm.errors import RunError
from evo_ntm.experiment import load
from evo_ntm.runs.run import Run
from evo_ntm.runs.snapshot import snapshot
from evo_ntm.runs.store import create, open_run
from tests.evolution.cases import experiment
from tests.runs.test_store import birth


def births(run):
    return run.rows("SELECT count(*) AS count FROM births")[0]["count"]


def test_what_is_held_stays_as_it_was_while_more_is_written(tmp_path, small):
    with create(tmp_path / "run", load(small)) as recorder:
        recorder.record("births", [birth(1)])
        recorder.commit()
        with snapshot(recorder.run) as held:
            recorder.record("births", [birth(2), birth(3)])
            recorder.commit()
            assert births(held) == 1 and births(recorder.run) == 3
            recorder.forget(0)
            recorder.commit()
            assert births(held) == 1 and births(recorder.run) == 0
    assert births(open_run(tmp_path / "run")) == 0


def test_a_run_that_is_looked_at_every_generation_goes_as_one_that_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)
    seen = []

    def look(progress):
        with snapshot(Run(tmp_path / "seen")) as held:
            seen.append((held.generation(), births(held), held.facts()["interrupted"]))

    verbs.evolve(experiment("genetic"), to=tmp_path / "seen", on_generation=look)
    verbs.evolve(experiment("genetic"), to=tmp_path / "alone")
    assert verbs.digest(tmp_path / "seen") == verbs.digest(tmp_path / "alone")
    assert [generation for generation, _, _ in seen] == list(range(12))
    assert sorted(seen) == seen and all(interrupted for _, _, interrupted in seen)
    assert {path.name for path in (tmp_path / "seen").iterdir()} == {
        path.name for path in (tmp_path / "alone").iterdir()
    }


def test_a_mistake_of_who_reads_is_not_taken_for_one_of_the_rows(tmp_path, small):
    with create(tmp_path / "run", load(small)):
        pass
    with snapshot(open_run(tmp_path / "run")) as held:
        with pytest.raises(RunError, match="no such table: elsewhere"):
            held.rows("SELECT * FROM elsewhere")
    with pytest.raises(ValueError, match="^mine$"), snapshot(held):
        raise ValueError("mine")


def test_genomes_are_read_all_at_once_wherever_they_are_kept(tmp_path):
    told = experiment("evolution_strategy")
    kept = told.model_copy(update={"run": told.run.model_copy(update={"keep": "lineage"})})
    verbs.evolve(kept, to=tmp_path / "run")
    run = open_run(tmp_path / "run")
    numbers = [row["number"] for row in run.rows("SELECT number FROM births ORDER BY number DESC")]
    with snapshot(run) as held:
        found = held.genomes(numbers)
    one_by_one = {}
    for number in numbers:
        try:
            one_by_one[number] = run.genome(number).id
        except RunError:
            continue
    assert {number: genome.id for number, genome in found.items()} == one_by_one
    assert list(found) == list(one_by_one) and 0 < len(found) < len(numbers)
    assert run.champion() in found and run.genomes([]) == run.genomes([10**6]) == {}
