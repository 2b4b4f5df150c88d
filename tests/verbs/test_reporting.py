import csv
import json
from pathlib import Path

import pytest

from evo_ntm import verbs
from evo_ntm.errors import ReportError, RunError
from evo_ntm.experiment import parse
from evo_ntm.verbs.reporting import REPORT
from tests.evolution.cases import told as experiment_of


def evolved(folder, strategy="genetic", **changes):
    run = {"threads": 1, "checkpoint_every": 4}
    told = {**experiment_of(strategy, generations=8, validate_every=4, **changes), "run": run}
    verbs.evolve(parse(told), to=folder)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [evolved(folder / f"run-{seed}", seed=seed) for seed in (1, 2)]


def test_a_page_goes_into_the_run_and_its_measures_beside_it(runs):
    told = verbs.lineage(runs[0], report=True)
    page = runs[0] / REPORT
    assert str(told.header.birth) in page.read_text("utf-8")
    kept = json.loads((runs[0] / "report.scores.json").read_text("utf-8"))
    assert kept["results"]
    before = page.read_bytes()
    verbs.lineage(runs[0], report=True)
    assert page.read_bytes() == before


def test_what_was_measured_for_a_page_is_not_measured_again(runs, monkeypatch):
    verbs.lineage(runs[0], report=True)

    scored = []

    def count(genomes, trial, spread):
        scored.extend(genomes)
        return []

    monkeypatch.setattr("evo_ntm.reports.rescoring._scored", count)
    assert verbs.lineage(runs[0], explain=False).trunk.steps
    assert scored == []


def test_exports_are_files_that_others_read(runs, tmp_path):
    verbs.lineage(runs[0], explain=False, export=tmp_path / "exports")
    with (tmp_path / "exports" / "phylogeny.csv").open(newline="") as file:
        births = list(csv.DictReader(file))
    assert births[0]["ancestor_list"] == "[none]"
    names = {path.name for path in (tmp_path / "exports").iterdir()}
    assert {"tree.nwk", "phylogeny.graphml", "births.csv", "fitness.svg", "trunk.png"} <= names


def test_a_machine_is_explained_from_a_run_and_from_its_file(runs):
    from_run = verbs.explain(runs[0])
    run = verbs.lineage(runs[0], explain=False)
    file = runs[0] / "champions" / f"{run.header.birth}.safetensors"
    assert verbs.explain(file) == from_run
    assert from_run.summary


def test_runs_are_put_side_by_side_and_written(runs, tmp_path):
    files = {name: tmp_path / f"runs.{name}" for name in ("html", "csv", "latex")}
    told = verbs.compare(runs, **files, export=tmp_path / "figures")
    (group,) = told.groups
    assert sorted(result.seed for result in group.results) == [1, 2]
    with files["csv"].open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    assert files["latex"].read_text("utf-8").count("\\begin{tabular") >= 1
    assert "<html" in files["html"].read_text("utf-8")
    assert list((tmp_path / "figures").glob("*.svg"))


@pytest.mark.parametrize("name", ["html", "csv", "latex"])
def test_a_target_that_cannot_be_written_is_refused_before_anything_is_read(runs, tmp_path, name):
    place = tmp_path / "nowhere" / "file"
    with pytest.raises(ReportError, match="expected an existing folder"):
        verbs.compare(runs, **{name: place})
    with pytest.raises(ReportError, match="expected an existing folder"):
        verbs.lineage(runs[0], html=place)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run_is_refused(tmp_path):
    for verb in (verbs.lineage, verbs.explain):
        with pytest.raises(RunError):
            verb(tmp_path)
    with pytest.raises((RunError, ReportError)):
        verbs.compare([tmp_path])
    with pytest.raises(ReportError, match="at least one run"):
        verbs.compare([])


def test_a_birth_that_there_is_not_is_refused(runs):
    with pytest.raises(RunError, match="there is no 99999"):
        verbs.lineage(runs[0], birth=99999)
    assert Path(runs[0]).is_dir()
