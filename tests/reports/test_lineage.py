"""The whole report: every chapter there, the same each time, and what is not there told plainly."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from math import isfinite
from pathlib import Path

import pytest

from evo_ntm import journal, verbs
from evo_ntm.errors import EvoNTMError, ReportError, RunError
from evo_ntm.experiment import load, parse
from evo_ntm.reports import lineage as report
from evo_ntm.reports.chapters import Lineage
from evo_ntm.reports.explanation import Explanation
from evo_ntm.reports.lineage import as_json, lineage
from evo_ntm.runs.ancestry import trunk
from evo_ntm.runs.digest import digest
from evo_ntm.runs.run import Run
from evo_ntm.runs.store import create, open_run
from evo_ntm.tasks import make
from tests.evolution.cases import STRATEGIES
from tests.evolution.cases import experiment as experiment_of
from tests.evolution.cases import told as told_by_file

every = pytest.mark.parametrize("strategy", STRATEGIES)


@pytest.fixture
def brief(monkeypatch):
    """Leave explanations out, which take a while, and are tested where they are made."""
    made = Explanation(("It copies.",), ("copy",), (), (), 10, 0, (), 6)
    monkeypatch.setattr(report, "explain_genome", lambda *about, **more: made)


def text(chapters):
    return json.dumps(as_json(chapters), allow_nan=False)


@every
def test_every_chapter_is_told_of_a_run_whose_line_was_kept(evolved, strategy, brief):
    run = evolved(strategy)
    told = lineage(run)
    assert isinstance(told, Lineage)
    header, champion = told.header, run.champion()
    named = "genetic" if strategy == "lexicase" else strategy
    assert (header.name, header.task, header.strategy) == (strategy, "copy", named)
    assert header.birth == champion and header.is_champion and header.state == "not solved"
    assert header.generations == 12 and header.seconds > 0 and header.processes == 1
    (sums,) = run.rows("SELECT sum(scored) AS scored, count(*) AS count FROM generations")
    assert header.scored == sums["scored"] and len(told.history.generations) == sums["count"]
    assert header.births == run.rows("SELECT count(*) AS count FROM births")[0]["count"]
    numbers = [step.number for step in trunk(run, champion)]
    assert [step.number for step in told.trunk.steps] == numbers
    assert all(step.measured is not None for step in told.trunk.steps)
    assert told.trunk.steps[-1].topology == run.genome(champion).topology == header.topology
    assert {use.name for use in told.operators if use.on_trunk} == {*told.trunk.mutations}
    assert (told.population is None) == (strategy not in ("genetic", "lexicase", "neat"))
    assert (told.search is None) == (strategy in ("genetic", "lexicase", "neat"))
    if told.search:
        assert told.search.displacement.births == tuple(numbers)
    assert told.species.lives and {*numbers[:1], numbers[-1]} <= {
        node.number for node in told.ancestry.nodes
    }
    shown = {step.number for step in told.trunk.steps if step.matters}
    assert shown <= {node.number for node in told.ancestry.nodes}
    assert [portrait.birth for portrait in told.portraits][-1] == champion
    assert told.portraits[0].name == "founder" and told.portraits[-1].name == "champion"
    assert [c.birth for c in told.generalisation.curves] == [p.birth for p in told.portraits]
    assert told.tuned == () and told.explanation.summary == ("It copies.",)
    again = told.again
    assert again.digest == digest(run) and again.task_hash == run.experiment.task_hash
    assert parse(again.experiment).config_hash == again.config_hash == run.experiment.config_hash
    assert [command.split()[1] for command in again.commands] == ["evolve", "digest", "lineage"]
    assert again.processes[0]["versions"]["evo_ntm"]
    assert not [warning for warning in header.warnings if "measured" in warning]


def test_the_history_is_that_of_the_rows(evolved, brief):
    run = evolved("evolution_strategy")
    history = lineage(run).history
    rows = run.rows("SELECT * FROM generations ORDER BY number")
    for place, row in enumerate(rows):
        statistics = json.loads(row["statistics"])
        told = {**{n: v[place] for n, v in history.quantiles.items()},
                **{n: v[place] for n, v in history.figures.items()}}  # fmt: skip
        assert {name: value for name, value in told.items() if isfinite(value)} == {
            name: value for name, value in statistics.items() if value is not None
        }
        assert (history.stages[place], history.rows[place]) == (row["stage"], row["rows"])
    assert tuple(history.quantiles) == ("worst", "lower", "median", "upper", "best")
    assert tuple(history.figures) == ("step", "agreement", "norm")
    looks = run.rows("SELECT * FROM validations ORDER BY generation")
    assert [(look.generation, look.birth, look.champion) for look in history.looks] == [
        (row["generation"], row["birth"], bool(row["champion"])) for row in looks
    ]
    events = run.rows("SELECT * FROM events ORDER BY rowid")
    assert [(e.generation, e.kind, e.told) for e in history.events] == [tuple(e) for e in events]


@every
def test_a_report_is_the_same_warm_cold_and_without_a_sidecar(evolved, strategy, tmp_path, brief):
    run, path = evolved(strategy), tmp_path / "report.scores.json"
    cold = text(lineage(run, sidecar=path))
    kept = path.read_bytes()
    heard = []
    assert text(lineage(run, sidecar=path, progress=heard.append)) == cold
    assert text(lineage(run)) == cold
    assert path.read_bytes() == kept and heard[0] == "reading the rows"
    path.write_bytes(kept[: len(kept) // 2])
    assert text(lineage(run, sidecar=path)) == cold and path.read_bytes() == kept


def test_an_explanation_is_kept_as_well(evolved, tmp_path, monkeypatch):
    run, path = evolved("cma"), tmp_path / "scores.json"
    cold = lineage(run, sidecar=path)
    assert cold.explanation.program and cold.explanation.ablations
    monkeypatch.setattr(report, "explain_genome", None)
    assert text(lineage(run, sidecar=path)) == text(cold)
    assert lineage(run, sidecar=path, explain=False).explanation is None


def test_another_birth_than_the_champion_is_told_of_where_it_is_asked_for(evolved, brief):
    run = evolved("genetic")
    first = lineage(run, 1)
    assert [step.number for step in first.trunk.steps] == [1] and not first.header.is_champion
    assert first.ancestry.edges == () and first.ancestry.all_ancestors == 0
    last = run.rows("SELECT max(number) AS n FROM births")[0]["n"]
    told = lineage(run, last)
    assert told.header.birth == told.trunk.steps[-1].number == last
    if told.portraits:
        assert told.portraits[-1].name in ("founder", f"birth {last}", "earliest kept")


def test_what_was_not_kept_is_not_measured_and_the_reader_is_told_what_to_do(evolved, brief):
    run = evolved("genetic", "champions")
    told = lineage(run)
    missing = told.trunk.verdicts["not measured"]
    assert missing > 0
    (warning,) = [each for each in told.header.warnings if "run.keep" in each]
    count = sum(step.measured is None for step in told.trunk.steps)
    assert warning.startswith(f"{count} of the {len(told.trunk.steps)} births of the line are not")
    assert warning.endswith("and those that died out with all")
    assert [p.name for p in told.portraits] == ["champion"] and told.explanation
    unkept = next(step.number for step in told.trunk.steps if step.measured is None)
    other = lineage(run, unkept)
    assert other.portraits == () and other.explanation is None
    assert other.generalisation is None and text(other)


def test_a_birth_that_is_not_there_is_refused(evolved):
    with pytest.raises(RunError, match="the number of a birth, but there is no 98765") as refused:
        lineage(evolved("cma"), 98765)
    assert "\n" not in str(refused.value)


def test_a_run_with_no_generation_and_one_without_champion_are_refused(tmp_path, small):
    with create(tmp_path / "run", load(small)):
        pass
    with pytest.raises(ReportError, match="a generation that is over, but there is none yet"):
        lineage(open_run(tmp_path / "run"))
    young = tmp_path / "young"

    def stop(progress):
        if progress.generation == 1:
            raise KeyboardInterrupt

    verbs.evolve(experiment_of("genetic"), to=young, on_generation=stop)
    with pytest.raises(RunError, match="expected a champion, but nobody has been validated yet"):
        lineage(open_run(young))
    told = lineage(open_run(young), 3)
    assert told.header.birth == 3 and not told.header.is_champion
    assert told.header.state == "interrupted"
    assert any("evo-ntm resume" in warning for warning in told.header.warnings)
    assert told.again.digest is None


@every
def test_a_run_that_goes_on_is_told_of_and_goes_as_if_nobody_looked(
    tmp_path, strategy, brief, monkeypatch
):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)
    asked = experiment_of(strategy)
    asked = asked.model_copy(update={"run": asked.run.model_copy(update={"keep": "lineage"})})
    folder, seen = tmp_path / "seen", []

    def look(progress):
        if progress.generation in (4, 8):
            seen.append(lineage(Run(folder), sidecar=tmp_path / "scores.json"))

    verbs.evolve(asked, to=folder, on_generation=look)
    verbs.evolve(asked, to=tmp_path / "alone")
    assert verbs.digest(folder) == verbs.digest(tmp_path / "alone")
    assert [told.header.generations for told in seen] == [5, 9]
    for told in seen:
        assert told.header.state == "running" and told.again.digest is None
        assert any(warning.startswith("the run goes on") for warning in told.header.warnings)
        assert told.history.generations[-1] == told.header.generations - 1
        assert max(step.generation for step in told.trunk.steps) < told.header.generations
    assert not list(folder.glob("*-wal")) and not list(folder.glob("*-shm"))


def test_what_is_written_meanwhile_is_told_the_next_time(tmp_path, brief, monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)
    folder, seen, read = tmp_path / "run", [], report.read_line

    def meanwhile(run, birth):
        with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
            rows.execute("INSERT INTO events VALUES (8, 'stage', 'meanwhile')")
            rows.commit()
        return read(run, birth)

    def look(progress):
        if progress.generation == 8:
            monkeypatch.setattr(report, "read_line", meanwhile)
            seen.append(lineage(Run(folder)))
            monkeypatch.setattr(report, "read_line", read)
            seen.append(lineage(Run(folder)))

    verbs.evolve(experiment_of("genetic"), to=folder, on_generation=look)
    assert [[event.told for event in told.history.events] for told in seen] == [[], ["meanwhile"]]


class Mine:
    """Somebody's own task: copy, but nobody else knows."""

    def __init__(self, longest=2):
        self._copy = make("copy", {"bits": 1, "longest": longest})
        self.inputs, self.outputs = self._copy.inputs, self._copy.outputs

    def episodes(self, generator, lanes):
        return self._copy.episodes(generator, lanes)


def test_a_task_that_is_not_here_costs_only_what_needs_it(tmp_path, brief):
    asked = {key: value for key, value in told_by_file("genetic").items() if key != "with"}
    asked = parse({**asked, "task": "mine", "run": {"threads": 1, "keep": "lineage"}},
                  tasks=["mine"])  # fmt: skip
    verbs.evolve(asked, to=tmp_path / "run", task=Mine())
    run = open_run(tmp_path / "run")
    without = lineage(run)
    assert without.explanation is None and without.generalisation is None
    assert without.portraits == () and without.trunk.verdicts["not measured"] > 0
    (warning,) = [each for each in without.header.warnings if "measured again" in each]
    assert warning.startswith(
        "nothing could be measured again: expected the name of a task, but came 'mine'"
    )
    assert without.population and without.operators and without.ancestry.nodes and text(without)
    assert [command.split()[1] for command in without.again.commands] == ["lineage"]
    brought = lineage(run, task=Mine())
    assert brought.trunk.verdicts["not measured"] == 0 and brought.portraits
    assert brought.generalisation is None and brought.explanation
    too_long = lineage(run, task=Mine(longest=4000))
    (warning,) = [each for each in too_long.header.warnings if each.startswith("no portraits: ")]
    assert "at most 2500 steps" in warning and too_long.portraits == ()


def test_a_folder_that_takes_no_sidecar_costs_a_warning(evolved, tmp_path, brief):
    told = lineage(evolved("cma"), sidecar=tmp_path / "none" / "scores.json")
    (warning,) = [each for each in told.header.warnings if "kept for the next time" in each]
    assert str(tmp_path / "none") in warning and told.trunk.verdicts["not measured"] == 0


def copied(run, folder, *statements):
    """Copy a run and change its rows."""
    shutil.copytree(run.folder, folder)
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        for statement in statements:
            rows.execute(statement)
        rows.commit()
    return open_run(folder)


def test_the_reader_is_warned_of_what_went_wrong(evolved, tmp_path, brief):
    run = copied(
        evolved("evolution_strategy"),
        tmp_path / "run",
        "UPDATE generations SET failures = 2 WHERE number IN (1, 5)",
        "INSERT INTO events VALUES (3, 'failure', 'a worker died'), (4, 'drift', 'other bits')",
    )
    with (run.folder / "log.jsonl").open("a") as log:
        log.write('{"version": 1, "kind": "lost", "told": "worker 1"}\n')
    warnings = lineage(run).header.warnings
    assert "4 machines in 2 generations answered with no number" in warnings[0]
    assert warnings[1].startswith("scoring failed 1 time, ")
    assert warnings[2].startswith("1 generation came out otherwise")
    assert warnings[3] == "1 worker went away meanwhile, and others did their work"


def test_the_reader_is_warned_of_an_experiment_that_was_edited_since(evolved, tmp_path, brief):
    run = copied(evolved("genetic"), tmp_path / "run")
    path = run.folder / "experiment.yaml"
    path.write_text(path.read_text().replace("generations: ", "generations: 1"))
    warning = lineage(run).header.warnings[0]
    assert warning.startswith("the run began with another experiment.yaml: its config hash was ")


def test_a_champion_whose_file_is_torn_is_refused_in_one_line(evolved, tmp_path):
    source = evolved("genetic", "champions")
    run = copied(source, tmp_path / "run")
    path = run.champion_file(run.champion())
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(EvoNTMError) as refused:
        lineage(run)
    assert "\n" not in str(refused.value) and path.name in str(refused.value)


def test_branches_that_were_tuned_are_told_with_what_they_gained(evolved, tmp_path, brief):
    source = evolved("evolution_strategy")
    champion = source.champion()
    (other,) = source.rows("SELECT birth FROM genomes WHERE birth <> ? ORDER BY birth LIMIT 1",
                           champion)  # fmt: skip
    line = lineage(source).trunk.steps
    tuned = line[-2].number  # whose genome stands for one that a gradient made
    run = copied(
        source,
        tmp_path / "run",
        f"INSERT INTO births SELECT 9001, 12, '[{champion}]', '[\"finetune\"]', genome, topology,"
        f" fitness, measures FROM births WHERE number = {tuned}",
        f"INSERT INTO genomes SELECT 9001, 'gradient', file FROM genomes WHERE birth = {tuned}",
        "INSERT INTO tunings VALUES (9001, 50, 1600, 2.5, '{}', '[]')",
    )
    assert other["birth"] != champion
    told = lineage(run)
    (branch,) = told.tuned
    assert (branch.birth, branch.parent, branch.steps) == (9001, champion, 50)
    assert (branch.sequences, branch.seconds) == (1600, 2.5)
    costs = {step.number: step.measured.bits for step in told.trunk.steps}
    assert (branch.before, branch.after) == (costs[champion], costs[tuned])
    assert branch.displacement > 0
    assert told.generalisation.curves[-1].name == "best tuned"
    assert told.generalisation.curves[-1].birth == 9001
    assert told.again.digest == lineage(source).again.digest
    as_subject = lineage(run, 9001)
    assert as_subject.trunk.steps[-1].operators == ("finetune",)
    assert as_subject.trunk.steps[-1].matters
    assert [c.name for c in as_subject.generalisation.curves][-1] == "birth 9001"
    assert as_subject.ancestry.all_ancestors == len(as_subject.trunk.steps) - 1


OLD = Path(__file__).parents[1] / "runs"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_runs_of_older_versions_are_told_of_or_refused_in_one_line(tmp_path, version, brief):
    folder = tmp_path / "old"
    folder.mkdir()
    shutil.copy(OLD / f"version_{version}.yaml", folder / "experiment.yaml")
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        rows.executescript((OLD / f"version_{version}.sql").read_text("utf-8"))
    before = (folder / "run.sqlite").read_bytes()
    try:
        told = lineage(open_run(folder))
        assert text(told) and told.header.generations > 0
        assert version > 1
    except ReportError as error:
        assert version == 1 and "begun by an early version" in str(error)
    assert (folder / "run.sqlite").read_bytes() == before


def test_a_long_history_is_thinned_and_champions_stay(evolved, monkeypatch):
    from evo_ntm.reports import history as chapter

    run = evolved("evolution_strategy")
    whole = chapter.tell_history(run)
    monkeypatch.setattr(chapter, "MOST_POINTS", 4)
    thin = chapter.tell_history(run)
    assert thin.generations == (0, 4, 7, 11)
    champions = [look for look in whole.looks if look.champion]
    assert [look for look in thin.looks if look.champion] == champions
    assert len(thin.events) <= 4 and replace(thin, events=()) != replace(whole, events=())
