"""What notebooks call: runs that leave what they should, whatever ends them."""

import json
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite

import numpy as np
import pytest
import torch
from deap import base

import evo_ntm
from evo_ntm import journal, verbs
from evo_ntm.errors import EvoNTMError, ExperimentError, GenomeError, RunError, TaskError
from evo_ntm.evolution.exam import ExamRow
from evo_ntm.experiment import dump as written
from evo_ntm.experiment import parse
from evo_ntm.genome.files import write_genome
from evo_ntm.runs.store import create, open_run
from evo_ntm.tasks import make
from tests.evolution.cases import STRATEGIES, experiment, told
from tests.runs.disk import room_for
from tests.runs.test_store import birth as a_birth

TABLES = ("births", "generations", "validations", "sittings", "events")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def dump(folder):
    """Write all that a run knows, but for the time it took."""
    with (
        closing(sqlite3.connect(folder / "run.sqlite")) as rows,
        closing(sqlite3.connect(":memory:")) as copied,
    ):
        rows.backup(copied)
        copied.execute("UPDATE generations SET seconds = 0")
        copied.execute("DELETE FROM facts WHERE name = 'seconds'")
        copied.execute("DELETE FROM processes")
        copied.execute("UPDATE checkpoints SET hash = ''")  # the time it took is in there
        return list(copied.iterdump())


def generations(folder):
    return [row["number"] for row in open_run(folder).rows("SELECT number FROM generations")]


def champions(folder):
    return {path.name: path.read_bytes() for path in (folder / "champions").iterdir()}


def everything(tmp_path):
    return sorted(tmp_path.rglob("*"))


def interrupting(calls):
    """Fill a toolbox whose map is interrupted after so many calls, in the middle of scoring."""

    def spread(function, items):
        nonlocal calls
        calls -= 1
        for number, item in enumerate(items):
            if calls < 0 and number == len(items) - 1:
                raise KeyboardInterrupt
            yield function(item)

    toolbox = base.Toolbox()
    toolbox.register("map", spread)
    return toolbox


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_runs_of_one_seed_leave_the_same_bytes_on_any_number_of_threads(
    tmp_path, strategy, monkeypatch
):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)  # or a slow run keeps another ring
    for name, threads in (("one", 1), ("again", 1), ("two", 2)):
        asked = parse({**told(strategy), "run": {"threads": threads}})
        evo_ntm.evolve(asked, to=tmp_path / name)
    one, again, two = (dump(tmp_path / name) for name in ("one", "again", "two"))
    assert sum(line.startswith("INSERT INTO") for line in one) > 25
    assert one == again == two
    assert champions(tmp_path / "one") == champions(tmp_path / "again")


def test_an_outcome_tells_how_a_run_ended(folder):
    asked = experiment(generations=9)
    outcome = evo_ntm.evolve(asked, to=folder)
    assert outcome == verbs.outcome(folder) == verbs.finished(folder)
    assert (outcome.path, outcome.generation, outcome.interrupted) == (folder, 8, False)
    assert outcome.topology == str(evo_ntm.read(folder).topology)
    assert outcome.seconds > 0
    assert (outcome.solved, outcome.rows, outcome.sittings) == (False, (), 0)


def test_every_generation_is_told_of(folder):
    heard = []
    asked = experiment(generations=6)
    evo_ntm.evolve(asked, to=str(folder), on_generation=heard.append)
    assert [progress.generation for progress in heard] == list(range(6))
    assert {progress.generations for progress in heard} == {6}
    for progress in heard:
        assert isfinite(progress.best_fitness) and progress.wrong_bits >= 0
        assert progress.rate > 0 and progress.seconds_left >= 0 and progress.failures == 0
    assert heard[-1].seconds_left == 0.0
    assert heard[0].species == 2
    assert ("2 starts, 1 kept",) in [progress.events for progress in heard]


def test_the_time_left_is_never_more_than_the_minutes_allow(folder):
    heard = []
    asked = experiment(generations=100_000, minutes=0.002)
    evo_ntm.evolve(asked, to=folder, on_generation=heard.append)
    assert all(progress.seconds_left <= 0.12 for progress in heard)


def test_ctrl_c_in_the_callback_keeps_what_was_told(folder):
    def stop(progress):
        if progress.generation == 5:
            raise KeyboardInterrupt

    outcome = evo_ntm.evolve(experiment(), to=folder, on_generation=stop)
    assert outcome.interrupted and outcome.generation == 5
    assert generations(folder) == list(range(6))
    assert verbs.finished(folder) is None
    assert evo_ntm.read(folder).topology  # the champion of generation 3


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ctrl_c_in_the_middle_of_scoring_drops_the_generation_whole(tmp_path, strategy):
    asked = experiment(strategy, validate_every=3)
    evo_ntm.evolve(asked, to=tmp_path / "whole")
    cut = evo_ntm.evolve(asked, to=tmp_path / "cut", toolbox=interrupting(8))
    assert cut.interrupted
    assert generations(tmp_path / "cut") == list(range(cut.generation + 1))
    assert 3 <= cut.generation < 11
    for table in ("births", "validations"):
        question = f"SELECT * FROM {table} WHERE generation <= ?"
        kept = open_run(tmp_path / "cut").rows(f"SELECT * FROM {table}")
        expected = open_run(tmp_path / "whole").rows(question, cut.generation)
        assert list(map(tuple, kept)) == list(map(tuple, expected))
    assert evo_ntm.exam(tmp_path / "cut").rows


def test_ctrl_c_before_any_validation_leaves_a_run_without_a_champion(folder):
    cut = evo_ntm.evolve(experiment(validate_every=100), to=folder, toolbox=interrupting(4))
    assert cut == verbs.outcome(folder)
    assert (cut.interrupted, cut.topology, cut.sittings, cut.rows) == (True, "none yet", 0, ())
    with pytest.raises(RunError, match="expected a champion, but nobody has been validated yet"):
        evo_ntm.read(folder)


def test_ctrl_c_in_the_first_generation_leaves_nothing(tmp_path, folder):
    with pytest.raises(KeyboardInterrupt):
        evo_ntm.evolve(experiment(), to=folder, toolbox=interrupting(0))
    assert everything(tmp_path) == []


def test_a_mistake_in_the_callback_leaves_a_run_that_counts_as_interrupted(folder):
    def fail(progress):
        if progress.generation == 4:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        evo_ntm.evolve(experiment(), to=folder, on_generation=fail)
    assert verbs.finished(folder) is None
    assert verbs.outcome(folder).interrupted
    assert generations(folder) == list(range(5))


def test_a_full_disk_is_one_sentence_and_leaves_a_run_that_can_be_read(folder):
    def fill(progress):
        limit.enter_context(room_for((folder / "run.sqlite").stat().st_size))

    with ExitStack() as limit, pytest.raises(RunError) as refusal:
        evo_ntm.evolve(experiment("genetic"), to=folder, on_generation=fill)
    assert str(refusal.value).startswith(f"{folder}: cannot be written: ")
    assert "\n" not in str(refusal.value)
    assert verbs.outcome(folder).interrupted
    assert verbs.finished(folder) is None


def test_a_folder_that_no_longer_takes_champions_is_one_sentence(folder):
    def obstruct(progress):
        if progress.generation == 1:
            (folder / "champions").rmdir()
            (folder / "champions").write_text("in the way")

    with pytest.raises(RunError, match=f"^{folder}: cannot be written: Not a directory"):
        evo_ntm.evolve(experiment(validate_every=4), to=folder, on_generation=obstruct)
    ended = verbs.outcome(folder)
    assert ended.interrupted and ended.generation == 2  # the one with the champion is dropped


def unheard():
    toolbox = base.Toolbox()
    toolbox.register("evaluate", map)
    return {"toolbox": toolbox}


def no_genes():
    toolbox = base.Toolbox()
    toolbox.register("generate", lambda: [np.zeros(3)])
    toolbox.register("update", lambda individuals: None)
    return {"toolbox": toolbox}


def gauge(**changes):
    """Tell an experiment of a task that is called gauge."""
    return {**told(**changes), "task": "gauge", "with": {}}


@pytest.mark.parametrize(
    ("asked", "brought", "error"),
    [
        (experiment("cma", machine={"units": [64]}), {}, ExperimentError),
        (experiment(), unheard(), ExperimentError),
        (experiment(), no_genes(), GenomeError),
        (parse(gauge(), tasks=["gauge"]), {}, TaskError),
        (experiment(), {"task": make("ngrams")}, TaskError),
    ],
    ids=["cma", "evaluate", "generate", "no task", "another task"],
)
def test_what_cannot_be_evolved_leaves_nothing(tmp_path, folder, asked, brought, error):
    with pytest.raises(error) as refusal:
        evo_ntm.evolve(asked, to=folder, **brought)
    assert "\n" not in str(refusal.value)
    assert everything(tmp_path) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_is_refused(tmp_path, folder):
    asked = parse({**told(), "run": {"device": "cuda"}})
    with pytest.raises(ExperimentError, match="torch finds no GPU"):
        evo_ntm.evolve(asked, to=folder)
    assert everything(tmp_path) == []
    evo_ntm.evolve(experiment(generations=1), to=folder)
    with pytest.raises(ExperimentError, match="torch finds no GPU"):
        evo_ntm.exam(folder, device="cuda")


def test_a_folder_that_is_there_is_refused_before_anything_is_computed(folder):
    folder.mkdir()
    with pytest.raises(RunError, match="expected no such folder yet"):
        evo_ntm.evolve(experiment(), to=folder, toolbox=interrupting(0))
    assert list(folder.iterdir()) == []


def solved(limit=1000.0):
    part = {"name": "as trained", "rows": 5, "sequences": 16, "at_most": {"wrong_bits": limit}}
    reported = {"name": "long", "with": {"longest": 4}, "rows": 9, "sequences": 8}
    exam = {"validation": [part], "parts": [part, reported]}
    return parse({**told(), "exam": exam})


def test_an_exam_sat_again_gives_the_rows_of_the_run(folder):
    outcome = evo_ntm.evolve(solved(), to=folder)
    assert outcome.solved and outcome.sittings == 1
    again = evo_ntm.exam(folder)
    assert again.rows == outcome.rows
    assert again.passed is True
    assert [row.passed for row in again.rows] == [True, None]


def test_an_exam_of_an_experiment_that_was_edited_since_says_so(folder):
    evo_ntm.evolve(solved(), to=folder)
    assert evo_ntm.exam(folder).edited is None
    path = folder / "experiment.yaml"
    path.write_text(path.read_text().replace("sequences: 16", "sequences: 12"))
    again = evo_ntm.exam(folder)
    assert again.rows[0].sequences == 12
    assert again.edited.startswith("began with another experiment.yaml: its task hash was ")


def test_a_genome_file_of_a_champion_sits_its_exam_anywhere(tmp_path, folder):
    outcome = evo_ntm.evolve(solved(), to=folder)
    (kept,) = (folder / "champions").iterdir()
    published = tmp_path / "genomes" / "copy"
    published.mkdir(parents=True)
    kept.rename(published / "genome.safetensors")
    for path in (published, published / "genome.safetensors"):
        assert evo_ntm.exam(path).rows == outcome.rows
        assert evo_ntm.read(path).id


def test_an_exam_without_a_part_is_another(folder):
    evo_ntm.evolve(solved(), to=folder)
    whole = evo_ntm.exam(folder)
    assert evo_ntm.exam(folder, ablate="reads").rows != whole.rows
    with pytest.raises(
        GenomeError, match="run: expected a part that this machine has.* came 'reeds'"
    ):
        evo_ntm.exam(folder, ablate="reeds")


def test_a_genome_without_an_experiment_knows_of_no_exam(tmp_path):
    path = tmp_path / "genome.safetensors"
    write_genome(path, evo_ntm.founder(experiment()))
    with pytest.raises(RunError, match="expected a genome with its experiment, but the file has"):
        evo_ntm.exam(path)
    with pytest.raises(RunError, match="expected a run to choose birth 3 from, but this is a file"):
        evo_ntm.read(path, birth=3)


def test_a_genome_of_another_task_is_refused(tmp_path):
    path = tmp_path / "genome.safetensors"
    card = {"experiment": written(parse({**told(), "with": {"bits": 2}}))}
    write_genome(path, evo_ntm.founder(experiment()), card=card)
    with pytest.raises(GenomeError, match="safetensors: expected a machine of 3 inputs and 2 out"):
        evo_ntm.exam(path)
    with pytest.raises(GenomeError, match="safetensors: expected a machine of 3 inputs and 2 out"):
        verbs.show(path, to=tmp_path / "figure.png")


def test_a_task_file_sits_no_exam(small):
    with pytest.raises(RunError, match="small.yaml: expected a run, .*, but this is a task file"):
        evo_ntm.exam(small)


def test_a_run_that_is_written_or_cannot_be_read_is_not_one_to_begin_again(folder):
    with create(folder, experiment()):
        with pytest.raises(RunError, match="is being written by another process"):
            verbs.finished(folder)
    assert verbs.finished(folder) is None
    (folder / "run.sqlite").write_bytes(b"broken")
    with pytest.raises(RunError, match="expected the rows of a run"):
        verbs.finished(folder)


def test_a_run_gives_the_genomes_of_its_champions(folder):
    evo_ntm.evolve(experiment("genetic", validate_every=1, sigma=0.3), to=folder)
    rows = open_run(folder).rows("SELECT birth FROM validations WHERE champion ORDER BY generation")
    births = [row["birth"] for row in rows]
    assert len(births) > 1
    assert evo_ntm.read(folder).id == evo_ntm.read(folder, birth=births[-1]).id
    for birth in births:
        (row,) = open_run(folder).rows("SELECT genome FROM births WHERE number = ?", birth)
        assert evo_ntm.read(folder, birth).id == row["genome"]


def test_the_founder_of_a_task_file_is_the_one_whose_wires_are_told(small):
    genome = evo_ntm.founder(evo_ntm.load(small))
    assert [row.name for row in verbs.wires(small)] == list(genome.express())
    assert [row.shape for row in verbs.wires(small)] == [w.shape for w in genome.express().values()]
    assert evo_ntm.founder(evo_ntm.load(small)).id == genome.id


COPY = make("copy", {"bits": 1, "longest": 2})


@dataclass(frozen=True)
class Plain:
    """No more than a Task: channels and episodes."""

    inputs = COPY.inputs
    outputs = COPY.outputs

    def episodes(self, generator, lanes):
        return COPY.episodes(generator, lanes)


@dataclass(frozen=True)
class Gauge(Plain):
    """A KnownTask, with one setting."""

    name = "gauge"
    longest: int = 1

    def episodes(self, generator, lanes):
        return COPY.with_settings(longest=self.longest).episodes(generator, lanes)

    def extent(self):
        return {"length": [1, self.longest]}

    def with_settings(self, **settings):
        return replace(self, **settings)


def test_any_task_will_do(folder):
    asked = parse(gauge(generations=3), tasks=["gauge"])
    outcome = evo_ntm.evolve(asked, task=Plain(), to=folder)
    assert outcome.generation == 2
    rows = evo_ntm.exam(folder, task=Plain()).rows
    assert [row.extent for row in rows] == [{}]
    assert evo_ntm.founder(asked, task=Plain()).topology == evo_ntm.read(folder).topology
    with pytest.raises(TaskError, match="the name of a task, but came 'gauge'"):
        evo_ntm.exam(folder)


def test_a_task_of_ones_own_gets_the_settings_of_the_experiment(folder):
    asked = {**gauge(generations=2), "with": {"longest": 2}}
    asked["exam"]["parts"].append(
        {"name": "long", "with": {"longest": 5}, "rows": 8, "sequences": 4}
    )
    evo_ntm.evolve(parse(asked, tasks=["gauge"]), task=Gauge(), to=folder)
    rows = evo_ntm.exam(folder, task=Gauge()).rows
    assert [row.extent for row in rows] == [{"length": [1, 2]}, {"length": [1, 5]}]


def test_settings_for_a_task_that_takes_none_are_refused(tmp_path, folder):
    asked = parse({**gauge(), "with": {"longest": 2}}, tasks=["gauge"])
    with pytest.raises(TaskError, match=r"expected a task with settings \(longest\), but Plain"):
        evo_ntm.evolve(asked, task=Plain(), to=folder)
    assert everything(tmp_path) == []


def test_a_task_of_another_name_is_refused():
    asked = parse(gauge(), tasks=["gauge"])
    with pytest.raises(TaskError) as refusal:
        evo_ntm.founder(asked, task=COPY)
    assert str(refusal.value) == "task: expected 'gauge', as the experiment says, but came 'copy'"


class Fitness(base.Fitness):
    weights = (1.0,)


class Genes(list):
    def __init__(self, genes):
        super().__init__(genes)
        self.fitness = Fitness()


def exploding(size):
    toolbox = base.Toolbox()
    toolbox.register("generate", lambda: [Genes([3e38] * size), Genes([0.0] * size)])
    toolbox.register("update", lambda individuals: None)
    return toolbox


def test_what_is_not_finite_is_counted_and_no_nan_in_the_rows(folder):
    asked, heard = solved(), []
    size = evo_ntm.founder(asked).genes.size
    evo_ntm.evolve(asked, to=folder, toolbox=exploding(size), on_generation=heard.append)
    assert {progress.failures for progress in heard} == {1}
    run = open_run(folder)
    rows = run.rows("SELECT fitness, measures FROM births ORDER BY number LIMIT 2")
    assert [row["fitness"] for row in rows][0] == -inf < rows[1]["fitness"]
    assert json.loads(rows[0]["measures"]) == {"bits": None, "wrong_bits": None}
    for table in TABLES:
        for row in run.rows(f"SELECT * FROM {table}"):
            told = [value for value in row if isinstance(value, str)]
            assert not any("NaN" in value or "Infinity" in value for value in told)


def test_an_exam_of_which_nothing_is_finite_is_told_as_it_was(folder):
    row = ExamRow("as trained", {}, 5, 16, inf, inf, {"regret": inf, "chance": 2.0}, False)
    sitting = {"generation": 0, "birth": 1, "solved": 0, "rows": [asdict(row)]}
    with create(folder, experiment()) as recorder:
        recorder.record("births", [a_birth(1)])
        recorder.record("sittings", [sitting])
        recorder.commit()
    assert verbs.outcome(folder).rows == (row,)


def test_every_refusal_of_a_verb_is_an_error_of_this_package(tmp_path):
    for verb in (evo_ntm.read, evo_ntm.exam, verbs.wires, verbs.outcome, verbs.finished):
        with pytest.raises(EvoNTMError):
            verb(tmp_path / "nowhere")
        with pytest.raises(EvoNTMError):
            verb(tmp_path)


def test_the_package_offers_what_it_lists():
    assert {name for name in evo_ntm.__all__ if getattr(evo_ntm, name) is None} == set()
    assert set(evo_ntm.__all__) <= set(dir(evo_ntm))
    with pytest.raises(AttributeError, match="no attribute 'evolv'"):
        evo_ntm.evolv  # noqa: B018
