"""What tuning leaves: children of runs, and runs of its own; what it refuses; how it goes on."""

import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evo_ntm import verbs
from evo_ntm.errors import EvoNTMError, ExperimentError, GenomeError, RunError
from evo_ntm.evolution.school import School
from evo_ntm.experiment import dump, parse
from evo_ntm.genome.encoding import likes
from evo_ntm.genome.files import read_genome, write_genome
from evo_ntm.runs.recorder import Recorder
from evo_ntm.runs.store import open_run
from evo_ntm.screen import tuning_summary
from evo_ntm.tuning import journal
from tests.evolution.cases import rewritten
from tests.evolution.cases import told as evolved
from tests.tuning.cases import PART, genome_of, told

ENDLESS = [{**PART, "name": "endless", "with": {"shortest": 30, "longest": 30}, "rows": 4}]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run that has ended, of machines that can be taught."""
    folder = tmp_path_factory.mktemp("runs") / "made"
    asked = {**told(), "run": {"threads": 1, "keep": "all"}}
    verbs.evolve(parse(asked), to=folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


@pytest.fixture
def file(tmp_path):
    """A task file that is learned in a moment."""
    return written(tmp_path / "tiny.yaml")


def written(path, **changes):
    path.write_text(dump(parse(told(**changes))))
    return path


def rows(folder, table, where="1"):
    return [dict(row) for row in open_run(folder).rows(f"SELECT * FROM {table} WHERE {where}")]


def everything(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_run_that_has_ended_gets_the_child_as_a_birth(run):
    champion, births = open_run(run).champion(), len(rows(run, "births"))
    tuned = verbs.finetune(run)
    assert tuned.solved and tuned.passed and not tuned.interrupted
    assert (tuned.parent, tuned.child) == (champion, births + 1)
    (child,) = rows(run, "births", f"number = {tuned.child}")
    assert json.loads(child["operators"]) == ["finetune"]
    assert json.loads(child["parents"]) == [champion]
    assert child["generation"] == open_run(run).generation() + 1
    assert child["genome"] == open_run(run).genome(tuned.child).id
    assert [row["reason"] for row in rows(run, "genomes", f"birth = {tuned.child}")] == ["gradient"]
    (sitting,) = rows(run, "sittings", f"birth = {tuned.child}")
    assert sitting["solved"] == 1
    assert open_run(run).champion() == tuned.child
    assert verbs.exam(run).passed


def test_a_tuning_is_recorded_with_its_settings_and_its_curve(run):
    tuned = verbs.finetune(run, overrides=["finetune.learning_rate=0.04"], seed=8)
    (row,) = rows(run, "tunings")
    settings, curve = json.loads(row["settings"]), json.loads(row["curve"])
    assert (settings["learning_rate"], settings["seed"]) == (0.04, 8)
    assert (row["birth"], row["steps"], row["sequences"]) == (
        tuned.child, tuned.kept, 8 * tuned.kept
    )  # fmt: skip
    assert [point["step"] for point in curve] == list(range(0, tuned.steps + 1, 20))
    assert curve[0]["bits"] is None and curve[1]["bits"] > 0
    assert (curve[0]["validation_bits"], curve[0]["validation_wrong_bits"]) == tuned.before
    assert (curve[-1]["validation_bits"], curve[-1]["validation_wrong_bits"]) == tuned.after


def test_the_process_that_tuned_is_recorded(run):
    before = len(rows(run, "processes"))
    verbs.finetune(run)
    assert len(rows(run, "processes")) == before + 1
    told = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in told][-2:] == ["tuning", "ended"]
    assert {line["stage"] for line in told if line["kind"] == "tuning"} == {1}


def test_the_digest_of_a_run_stays_what_it_was(run):
    before = verbs.digest(run)
    assert verbs.finetune(run).champion
    assert verbs.digest(run) == before


def test_another_birth_than_the_champion_may_be_tuned_and_a_child_be_tuned_again(run):
    first = verbs.finetune(run, birth=3, steps=20)
    second = verbs.finetune(run, birth=first.child, steps=20, seed=5)
    assert (first.parent, second.parent) == (3, first.child)
    generations = [row["generation"] for row in rows(run, "births", f"number >= {first.child}")]
    assert generations[1] == generations[0] + 1


def test_a_child_that_does_worse_is_recorded_but_no_champion(run):
    better = verbs.finetune(run)
    worse = verbs.finetune(run, birth=1, steps=20)
    assert better.champion and not worse.champion
    assert open_run(run).champion() == better.child
    assert open_run(run).genome(worse.child).id


def test_two_tunings_of_one_seed_come_to_the_same_bits_on_any_number_of_threads(made, tmp_path):
    ids = []
    for name, changes in (("one", []), ("two", ["run.threads=2"])):
        copy = shutil.copytree(made, tmp_path / name)
        tuned = verbs.finetune(copy, overrides=changes)
        ids.append((tuned.child, tuned.steps, open_run(copy).genome(tuned.child).id))
    assert ids[0] == ids[1]


def test_from_scratch_a_run_is_made_whose_founder_is_random(file, tmp_path):
    tuned = verbs.finetune(file, from_scratch=True, to=tmp_path / "scratch")
    assert tuned.solved
    founder, child = rows(tuned.path, "births")
    assert json.loads(founder["operators"]) == ["found"]
    assert (founder["generation"], child["generation"]) == (0, 1)
    experiment = open_run(tuned.path).experiment
    assert founder["genome"] == genome_of(experiment, seed=1).id
    assert [row["kind"] for row in rows(tuned.path, "events")] == ["found"]
    assert len(rows(tuned.path, "generations")) == 1
    status = verbs.status(tuned.path)
    assert (status.state, status.champion.birth) == ("solved", tuned.child)
    assert verbs.outcome(tuned.path).solved
    assert verbs.exam(tuned.path).passed


def test_random_weights_in_the_topology_of_a_run_begin_alike_where_its_founder_did(file, tmp_path):
    asked = ["with.bits=2", "machine.per_bit=true", "machine.alike=true"]
    first = verbs.finetune(file, from_scratch=True, steps=2, to=tmp_path / "1", overrides=asked)
    other = verbs.finetune(first.path, from_scratch=True, steps=2, seed=7, to=tmp_path / "2")
    founders = [verbs.read(run.path, birth=1) for run in (first, other)]
    assert not np.array_equal(founders[0].genes, founders[1].genes)
    for genome in founders:
        kinds = likes(genome.topology)
        assert all(len(np.unique(genome.genes[kinds == kind])) == 1 for kind in kinds)


def test_another_seed_is_another_founder(file, tmp_path):
    ids = set()
    for seed in (None, 1, 2):
        tuned = verbs.finetune(
            file, from_scratch=True, steps=20, seed=seed, to=tmp_path / f"{seed}"
        )
        ids.add(rows(tuned.path, "births")[0]["genome"])
    assert len(ids) == 2


def test_a_baseline_without_memory_is_trained_by_the_same_verb(file, tmp_path):
    machine = ["machine.readers=0", "machine.writers=0", "machine.controller=lstm"]
    tuned = verbs.finetune(
        file, from_scratch=True, steps=40, to=tmp_path / "lstm", overrides=machine
    )
    assert tuned.topology.startswith("lstm") and tuned.after[0] < tuned.before[0]


def test_a_published_genome_becomes_the_founder_of_a_run(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    published = tmp_path / "genomes" / "mine"
    published.mkdir(parents=True)
    champion = open_run(run).champion()
    shutil.copy(open_run(run).champion_file(champion), published / "genome.safetensors")
    tuned = verbs.finetune(published, steps=40)
    assert tuned.path == Path("runs", "tiny-1")
    founder, child = rows(tuned.path, "births")
    source = read_genome(published / "genome.safetensors")
    assert (founder["genome"], json.loads(founder["operators"])) == (source.id, ["import"])
    assert json.loads(child["parents"]) == [founder["number"]] == [1]
    (event,) = rows(tuned.path, "events")
    assert event["kind"] == "import" and source.id in event["told"]
    assert str(published) in event["told"]


def test_a_founder_from_elsewhere_that_passes_the_exam_is_not_outdone_by_a_child_that_does_not(
    run, tmp_path, monkeypatch
):
    good = verbs.finetune(run, to=tmp_path / "good")
    assert good.solved and good.champion
    failing = replace(good.rows[0], passed=False)
    examine = School.examine

    def fail(school, individual, spread):
        sitting = examine(school, individual, spread)
        return sitting if individual.operators == ("import",) else replace(sitting, rows=(failing,))

    monkeypatch.setattr(School, "examine", fail)
    monkeypatch.setattr(journal, "mark", lambda *told: (1e9, 1e9))  # nothing that is not better
    tuned = verbs.finetune(tmp_path / "good", steps=10, to=tmp_path / "own")
    assert not tuned.solved and not tuned.champion and tuned.child == 2
    [founder] = [row for row in rows(tuned.path, "sittings") if row["birth"] == 1]
    assert (founder["generation"], founder["solved"]) == (0, 1)
    told = verbs.outcome(tuned.path)
    assert told.solved and verbs.exam(tuned.path).passed


def test_who_never_sat_the_exam_stays_the_champion_before_a_child_that_is_no_better(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr(journal, "mark", lambda *told: (-1.0, -1.0))
    tuned = verbs.finetune(run, to=tmp_path / "own")
    assert tuned.solved and not tuned.champion
    assert open_run(tmp_path / "own").champion() == tuned.parent


def test_with_a_place_of_its_own_a_run_is_left_as_it_is(run, tmp_path):
    before = everything(run)
    tuned = verbs.finetune(run, birth=2, steps=20, to=tmp_path / "other")
    assert everything(run) == before
    assert rows(tuned.path, "births")[0]["genome"] == open_run(run).genome(2).id
    assert "birth 2" in rows(tuned.path, "events")[0]["told"]


def test_a_control_has_random_weights_in_the_topology_of_what_evolved(run, tmp_path):
    tuned = verbs.finetune(run, from_scratch=True, seed=3, steps=20, to=tmp_path / "control")
    control, champion = open_run(tuned.path).genome(1), open_run(run).genome()
    assert control.topology == champion.topology and control.id != champion.id
    again = verbs.finetune(run, from_scratch=True, seed=3, steps=20, to=tmp_path / "again")
    assert open_run(again.path).genome(1).id == control.id


def test_a_bare_genome_needs_a_task_file(file, tmp_path):
    bare = tmp_path / "bare.safetensors"
    write_genome(bare, genome_of(parse(told())))
    refused(RunError, "but the file has none; --on TASK.yaml says on what to tune it", bare)
    tuned = verbs.finetune(bare, on=file, steps=20, to=tmp_path / "run")
    assert tuned.child == 2


def test_a_run_is_tuned_as_another_file_of_its_task_says(run, tmp_path):
    other = written(tmp_path / "other.yaml", steps=40, validate_every=10)
    assert verbs.finetune(run, on=other).steps <= 40


@pytest.mark.parametrize(("encoding", "expected"), [("genes", "tied"), ("wires", "direct")])
def test_a_tied_genome_stays_tied_or_is_untied(tmp_path, encoding, expected):
    file = written(tmp_path / "tied.yaml", machine={"encoding": "tied"}, encoding=encoding)
    tuned = verbs.finetune(file, from_scratch=True, steps=20, to=tmp_path / "run")
    run = open_run(tuned.path)
    assert (run.genome(1).encoding, run.genome(2).encoding) == ("tied", expected)


def test_a_tied_genome_is_tuned_with_as_many_bits_as_the_task_has(tmp_path):
    def asked(name, bits):
        changed = {**told(machine={"encoding": "tied"}), "with": {"bits": bits, "longest": 2}}
        path = tmp_path / f"{name}.yaml"
        path.write_text(dump(parse(changed)))
        return path

    small = verbs.finetune(asked("two", 2), from_scratch=True, steps=20, to=tmp_path / "two")
    large = verbs.finetune(small.path, on=asked("three", 3), steps=20, to=tmp_path / "three")
    run = open_run(large.path)
    assert [run.genome(birth).topology.bits for birth in (1, 2)] == [2, 3]


# What is refused


def refused(kind, sentence, path, **told):
    with pytest.raises(kind) as refusal:
        verbs.finetune(path, **told)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_task_file_alone_is_refused(file):
    refused(RunError, "this is a task file; --from-scratch begins with random weights", file)


def test_a_birth_of_a_task_file_is_refused(file):
    refused(
        RunError, "expected no --birth, as this is a task file", file, from_scratch=True, birth=1
    )


def test_nothing_is_refused(tmp_path):
    refused(EvoNTMError, "nothing", tmp_path / "nothing")
    refused(ExperimentError, "nothing.yaml", tmp_path / "nothing.yaml", from_scratch=True)


def test_a_live_run_is_refused(run):
    before = everything(run)
    with Recorder(open_run(run)):
        refused(RunError, "is being written by another process", run)
    assert everything(run) == before


def test_a_run_whose_evolution_was_interrupted_is_refused(tmp_path):
    def stop(progress):
        raise KeyboardInterrupt

    run = tmp_path / "run"
    asked = {"validate_every": 1}
    verbs.evolve(parse(evolved("cma", **asked)), to=run, on_generation=stop)
    before = everything(run)
    refused(RunError, "was interrupted after 1 generations: evo-ntm resume", run)
    assert everything(run) == before
    assert verbs.finetune(run, steps=5, to=tmp_path / "other").child == 2


def test_a_file_of_another_task_is_refused_and_both_are_named(run, tmp_path):
    changed = {**told(), "task": "mirror_copy", "with": {"bits": 1, "longest": 2}}
    other = tmp_path / "mirror.yaml"
    other.write_text(dump(parse(changed)))
    before = everything(run)
    for place in (None, tmp_path / "other"):
        with pytest.raises(ExperimentError) as refusal:
            verbs.finetune(run, on=other, to=place)
        assert "copy (" in str(refusal.value) and "mirror_copy (" in str(refusal.value)
        assert "--to" not in str(refusal.value)  # which would not help
    assert everything(run) == before and not (tmp_path / "other").exists()


def test_a_run_is_not_tuned_on_other_settings_of_its_task_unless_elsewhere(run, tmp_path):
    other = tmp_path / "longer.yaml"
    other.write_text(dump(parse({**told(), "with": {"bits": 1, "longest": 3}})))
    refused(ExperimentError, "--to DIR makes a run of its own", run, on=other)
    assert verbs.finetune(run, on=other, steps=20, to=tmp_path / "longer").child == 2


def test_a_machine_of_other_channels_is_refused(run, tmp_path):
    other = tmp_path / "wider.yaml"
    other.write_text(dump(parse({**told(), "with": {"bits": 2, "longest": 2}})))
    refused(GenomeError, "expected a machine of 3 inputs and 2 outputs", run, on=other,
            to=tmp_path / "wider")  # fmt: skip
    assert not (tmp_path / "wider").exists()


def test_untying_before_an_exam_of_other_bits_is_refused(tmp_path):
    more = [{**PART, "with": {"bits": 3}}]
    asked = {**told(exam=more, machine={"encoding": "tied"}, encoding="wires")}
    asked["with"] = {"bits": 2, "longest": 2}
    file = tmp_path / "tied.yaml"
    file.write_text(dump(parse(asked)))
    refused(GenomeError, "asks for 3 bits, not 2", file, from_scratch=True, to=tmp_path / "run")


@pytest.mark.parametrize("change", ["with.longest=3", "evolve.seed=2", "machine.epsilon=0.1"])
def test_only_tuning_and_its_place_may_be_overridden_in_a_run(run, change):
    refused(ExperimentError, "expected an override of finetune", run, overrides=[change])


def test_the_machine_of_a_genome_is_not_overridden_but_its_memory_is(run, tmp_path):
    told = "expected no override of machine.readers, as the machine is the genome that is there"
    own = tmp_path / "own"
    refused(ExperimentError, told, run, to=own, overrides=["machine.readers=2"])
    refused(ExperimentError, "no override of machine, as", run, to=own, overrides=["machine={}"])
    assert not own.exists()
    verbs.finetune(run, to=own, steps=1, overrides=["machine.rows=9", "machine.epsilon=0.1"])
    assert open_run(own).experiment.machine.epsilon == 0.1


def test_an_unknown_optimiser_is_refused(run, file):
    sentence = "expected one of adam, rmsprop, but came 'adma': did you mean 'adam'?"
    for path, way in ((run, {}), (file, {"from_scratch": True})):
        asked = {"overrides": ["finetune.optimiser=adma"], **way}
        refused(ExperimentError, sentence, path, **asked)


def test_a_place_that_is_taken_is_refused(file, tmp_path):
    refused(RunError, "expected no such folder yet", file, from_scratch=True, to=tmp_path)


# What is interrupted, killed, or diverges


class Killed(Exception):
    """As if the process had been killed: nothing hears of it."""


def stopping(after, how):
    """Stop at a look."""

    def heard(progress):
        nonlocal after
        after -= 1
        if not after:
            raise how

    return heard


HOW = pytest.mark.parametrize("how", [KeyboardInterrupt, Killed])


def stopped(how, after, path, **told):
    """Tune until a look, and then be stopped."""
    if how is KeyboardInterrupt:
        tuned = verbs.finetune(path, on_look=stopping(after, how), **told)
        assert tuned.interrupted and tuned.child is None
        return tuned.path
    with pytest.raises(Killed):
        verbs.finetune(path, on_look=stopping(after, how), **told)
    return told.get("to", path)


def left(folder, child):
    """Tell all that a tuning leaves, but for the clocks."""
    births, (tuning,) = rows(folder, "births"), rows(folder, "tunings")
    curve = [{**point, "seconds": 0} for point in json.loads(tuning["curve"])]
    kept = {**tuning, "seconds": 0, "curve": curve}
    tables = [rows(folder, table) for table in ("validations", "sittings", "events")]
    return births, kept, tables, open_run(folder).genome(child).genes.tobytes()


@HOW
@pytest.mark.parametrize("after", [1, 2, 4])
@pytest.mark.parametrize("every", [0.0, 1000.0])
def test_what_was_stopped_goes_on_to_the_same_bits(made, tmp_path, monkeypatch, how, after, every):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_PLACES", every)
    one, other = (shutil.copytree(made, tmp_path / name) for name in ("one", "other"))
    whole = verbs.finetune(one, overrides=["finetune.early_stop=false"], steps=110)
    stopped(how, after, other, overrides=["finetune.early_stop=false"], steps=110)
    assert verbs.is_being_tuned(other)
    again = verbs.resume_tuning(other)
    assert not verbs.is_being_tuned(other)
    assert replace(again, path=one, seconds=0) == replace(whole, seconds=0)
    assert left(other, again.child) == left(one, whole.child)
    assert not (other / "tuning.safetensors").exists()


@HOW
def test_a_run_of_its_own_that_was_stopped_goes_on(file, tmp_path, how):
    whole = verbs.finetune(file, from_scratch=True, steps=60, to=tmp_path / "one")
    other = stopped(how, 2, file, from_scratch=True, steps=60, to=tmp_path / "other")
    assert verbs.status(other).state == "interrupted"
    again = verbs.resume_tuning(other)
    assert left(other, again.child) == left(whole.path, whole.child)
    assert verbs.status(other).state in ("solved", "not solved")


def test_while_a_tuning_is_interrupted_no_other_begins_unless_it_is_dropped(run):
    stopped(KeyboardInterrupt, 2, run)
    refused(RunError, "was interrupted: evo-ntm resume", run)
    with pytest.raises(RunError, match="a tuning was"):
        verbs.resume(run)
    tuned = verbs.finetune(run, anew=True, seed=9)
    assert tuned.child and json.loads(rows(run, "tunings")[0]["settings"])["seed"] == 9
    assert not verbs.is_being_tuned(run)


def test_what_has_passed_has_passed_while_another_tuning_is_interrupted(run):
    tuned = verbs.finetune(run)
    stopped(KeyboardInterrupt, 2, run, overrides=["finetune.early_stop=false"])
    assert tuned.solved
    told = verbs.status(run)
    assert (told.state, told.passed) == ("interrupted", True)


def test_where_nothing_was_interrupted_nothing_goes_on(run):
    with pytest.raises(RunError, match="expected a tuning that was interrupted"):
        verbs.resume_tuning(run)


def test_what_is_torn_is_refused(run):
    stopped(KeyboardInterrupt, 2, run)
    place = run / "tuning.safetensors"
    data = bytearray(place.read_bytes())
    data[-5] ^= 1
    for content in (bytes(data), b"torn"):
        place.write_bytes(content)
        with pytest.raises(
            RunError, match="the file is torn .*evo-ntm finetune .* --anew"
        ) as refusal:
            verbs.resume_tuning(run)
        assert str(refusal.value).count(str(place)) == 1
    place.unlink()
    assert verbs.resume_tuning(run).child


def test_what_is_interrupted_while_it_is_recorded_is_recorded_by_going_on(run, monkeypatch):
    def interrupt(*told):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("evo_ntm.tuning.journal._record", interrupt)
        tuned = verbs.finetune(run, steps=3)
    assert (tuned.interrupted, tuned.child) == (True, None)
    assert verbs.status(run).being_tuned == tuned.parent
    assert verbs.resume_tuning(run).child
    assert verbs.status(run).being_tuned is None


def test_other_arithmetic_than_it_began_with_is_refused_unless_it_is_accepted(run):
    stopped(KeyboardInterrupt, 2, run)
    run_ = open_run(run)
    fact = run_.facts()["tuning"]
    fact["arithmetic"]["torch"] = "0.1"
    with Recorder(run_) as recorder:
        recorder.fact("tuning", fact)
        recorder.commit()
    with pytest.raises(RunError, match=r"began with torch 0\.1, but here is .*--accept-drift"):
        verbs.resume_tuning(run)
    assert verbs.resume_tuning(run, accept_drift=True).child


def test_another_experiment_than_it_began_with_is_refused_unless_it_is_accepted(run):
    stopped(KeyboardInterrupt, 2, run)
    rewritten(run, exam={"validation": [PART], "parts": [{**PART, "sequences": 50}]})
    with pytest.raises(RunError, match=r"began with another experiment\.yaml: .*--accept-drift"):
        verbs.resume_tuning(run)
    assert verbs.resume_tuning(run, accept_drift=True).child
    (event,) = rows(run, "events", "kind = 'drift'")
    assert event["told"].startswith("began with another experiment.yaml: ")


def test_what_has_come_further_than_its_curriculum_is_not_gone_on_with(tmp_path):
    stages = [{"with": {"longest": 1}, "until": {"wrong_bits": 100}}, {"with": {}}]
    run, before = tmp_path / "run", told(curriculum=stages)
    verbs.evolve(parse(before), to=run)
    stopped(KeyboardInterrupt, 2, run)
    rewritten(run, curriculum=[])
    with pytest.raises(ExperimentError, match=r"run: curriculum: expected at least 2 stages, as "):
        verbs.resume_tuning(run, accept_drift=True)
    rewritten(run, curriculum=stages)
    assert verbs.resume_tuning(run).child


def test_a_run_whose_experiment_was_edited_since_is_tuned_elsewhere(run, tmp_path):
    rewritten(run, exam={"validation": [PART], "parts": [{**PART, "sequences": 50}]})
    refused(
        RunError, "run: expected the experiment that the run began with, but it began with ", run
    )
    refused(RunError, "; --to DIR makes a run of its own", run)
    tuned = verbs.finetune(run, to=tmp_path / "other")
    assert tuned.rows[0].sequences == 50


@pytest.mark.parametrize("further", [
    {"exam": {"validation": [PART], "parts": [{**PART, "sequences": 60}]}},
    {"evolve": {"strategy": "evolution_strategy", "population": 6}},
])  # fmt: skip
def test_an_experiment_that_was_accepted_once_is_not_any_other(run, further):
    rewritten(run, exam={"validation": [PART], "parts": [{**PART, "sequences": 50}]})
    edited = open_run(run).edited()
    with sqlite3.connect(run / "run.sqlite") as rows:
        rows.execute("INSERT INTO events VALUES (0, 'drift', ?)", [f"arithmetic; {edited}"])
    assert verbs.finetune(run).rows[0].sequences == 50
    rewritten(run, **further)
    refused(RunError, "but it began with another experiment.yaml", run)


def test_what_diverges_keeps_the_last_good_and_says_where(run, monkeypatch):
    lose_the_way(monkeypatch, at=31)
    tuned = verbs.finetune(run, overrides=["finetune.early_stop=false"])
    assert (tuned.diverged, tuned.steps) == (31, 30)
    assert np.isfinite(open_run(run).genome(tuned.child).genes).all()
    (event,) = rows(run, "events", "kind = 'diverged'")
    assert "in step 31" in event["told"]


def test_what_diverges_without_having_done_better_leaves_no_child(run, monkeypatch):
    births, champion = rows(run, "births"), open_run(run).champion()
    lose_the_way(monkeypatch, at=31)
    lost = ["finetune.optimiser=adam", "finetune.learning_rate=10", "finetune.early_stop=false"]
    tuned = verbs.finetune(run, overrides=lost)
    assert (tuned.diverged, tuned.steps, tuned.child) == (31, 30, None)
    told = tuning_summary(tuned)
    assert told.endswith(f"Nothing is kept, as nothing did better than birth {champion}.")
    assert rows(run, "births") == births and open_run(run).champion() == champion
    assert len(rows(run, "events", "kind = 'diverged'")) == 1 and not verbs.is_being_tuned(run)


def test_what_diverges_at_once_leaves_no_child(run, monkeypatch):
    births = rows(run, "births")
    lose_the_way(monkeypatch, at=1)
    tuned = verbs.finetune(run)
    assert (tuned.diverged, tuned.child) == (1, None)
    assert rows(run, "births") == births and not verbs.is_being_tuned(run)


def lose_the_way(monkeypatch, at):
    from evo_ntm.training import Descent

    right = Descent.step

    def wrong(self, standing, episodes, rows):
        after, slope = right(self, standing, episodes, rows)
        if after.step == at:
            slope = slope._replace(steady=~slope.steady, bits=slope.bits * float("nan"))
        return after, slope

    monkeypatch.setattr(Descent, "step", wrong)
