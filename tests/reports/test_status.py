"""How far a run has come: while it is written, when it was interrupted, once it has ended."""

import pytest

from evo_ntm import cli, journal, verbs
from evo_ntm.errors import RunError
from tests.evolution.cases import experiment


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_COMMITS", 0.0)


def test_a_run_tells_how_far_it_has_come_at_any_time(tmp_path):
    folder, heard = tmp_path / "one", []

    def look(progress):
        heard.append(verbs.status(folder))
        if progress.generation == 7:
            raise KeyboardInterrupt

    verbs.evolve(experiment("genetic"), to=folder, on_generation=look)
    assert [status.generation for status in heard] == list(range(8))
    assert {status.state for status in heard} == {"running"}
    assert [status.champion is None for status in heard] == [True] * 3 + [False] * 5
    cut = verbs.status(folder)
    assert (cut.state, cut.generation, cut.generations) == ("interrupted", 7, 12)
    assert cut.births == heard[-1].births > heard[0].births == 20
    verbs.resume(folder)
    over = verbs.status(folder)
    assert (over.state, over.generation, over.checkpoint) == ("not solved", 11, 11)
    assert over.seconds > 0 and over.sittings == 0


def test_the_command_line_tells_of_one_run_and_of_all(tmp_path, capsys):
    for name, strategy in (("a", "cma"), ("b", "genetic")):
        verbs.evolve(experiment(strategy, generations=4), to=tmp_path / name)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.sqlite").write_bytes(b"broken")
    (tmp_path / "no run").mkdir()
    assert cli.run(["status", str(tmp_path / "a")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [str(tmp_path / "a"), "not", "solved"]
    assert any(line.split()[:4] == ["generations", "4", "of", "4"] for line in lines)
    assert cli.run(["runs", str(tmp_path)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:] if line.strip()]
    assert [row[0] for row in rows][0] == "a" and rows[0][1:4] == ["not", "solved", "4/4"]
    assert [row[0] for row in rows][-1] != "no" and "expected" in sum(rows, [])


def test_where_there_is_nothing_a_sentence_says_so(tmp_path):
    with pytest.raises(RunError, match="expected a run, but there is no run.sqlite"):
        verbs.status(tmp_path)
    with pytest.raises(RunError, match="expected a folder with runs, but there is none"):
        verbs.runs(tmp_path / "nowhere")
    assert verbs.runs(tmp_path) == {}
