"""An LSTM without a memory, the baseline of the paper, goes the way of every other machine."""

import json

import pytest

from evo_ntm import cli, exits, verbs
from evo_ntm.experiment import dump, parse
from evo_ntm.runs.store import open_run

PART = {"name": "as trained", "rows": 4, "sequences": 32, "at_most": {"wrong_bits": 0.2}}
NONE = {"readers": [0, 0], "writers": [0, 0], "units": [4, 16], "layers": [1, 2]}
EVOLVE = {"population": 12, "generations": 4, "episodes": 4, "validate_every": 2}
STRATEGIES = {
    "evolution_strategy": {"starts": 1, "challenger_every": 1, "grace": 0, "window": 2,
                           "operators": {"grow_controller": {}, "drop_reader": {}}},
    "genetic": {"operators": {"perturb": {}, "cross": {}, "grow_controller": {},
                              "finetune": {"steps": 2}}},
    "neat": {"species": 3, "operators": {"perturb": {}, "grow_controller": {}}},
    "cma": {"operators": {}},
}  # fmt: skip


def asked(strategy="cma", units=(6,)):
    """Tell an experiment whose machine has neither readers nor writers."""
    return {
        "name": "alone",
        "task": "copy",
        "with": {"bits": 1, "longest": 2},
        "exam": {
            "validation": [PART],
            "parts": [PART, {**PART, "name": "length 3", "with": {"shortest": 3, "longest": 3},
                             "at_most": None}],
        },
        "machine": {"controller": "lstm", "units": list(units), "width": 1, "rows": 4,
                    "readers": 0, "writers": 0, "bounds": NONE},
        "evolve": {"strategy": strategy, **EVOLVE, **STRATEGIES[strategy]},
        "finetune": {"optimiser": "adam", "learning_rate": 0.03, "batch": 8, "steps": 400,
                     "validate_every": 50},
        "run": {"threads": 1},
    }  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run whose machine of two layers was trained from random weights until it passed."""
    folder = tmp_path_factory.mktemp("runs")
    file = folder / "alone.yaml"
    file.write_text(dump(parse(asked(units=(6, 6)))))
    tuned = verbs.finetune(file, from_scratch=True, to=folder / "run")
    assert tuned.solved and "0 readers, 0 writers" in tuned.topology
    return tuned.path


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_evolves_by_every_strategy_and_is_tuned_then(strategy, tmp_path):
    outcome = verbs.evolve(parse(asked(strategy)), to=tmp_path / "run")
    assert outcome.generation == 3 and "0 readers, 0 writers" in outcome.topology
    tuned = verbs.finetune(outcome.path, steps=5)
    assert tuned.child and open_run(outcome.path).genome(tuned.child).topology.heads == ()


def told(capsys, *typed):
    status = cli.run([str(word) for word in typed])
    printed = capsys.readouterr()
    assert status == exits.DONE, printed.err
    return printed.out


def test_it_sits_the_exam(trained, capsys):
    [row, *_] = json.loads(told(capsys, "exam", trained, "--json"))
    assert row["passed"]


@pytest.mark.parametrize("part", ["reads", "content"])
def test_a_memory_that_it_has_not_cannot_be_taken_away(trained, capsys, part):
    status = cli.run(["exam", str(trained), "--ablate", part])
    printed = capsys.readouterr()
    assert (status, printed.out) == (exits.BAD_INPUT, "")
    refused = f"expected a part that this machine has, to take it away, but came '{part}'"
    assert printed.err == f"evo-ntm: {trained}: {refused}; it has: none\n"


def test_it_is_published_and_the_card_can_be_measured_again(trained, tmp_path, capsys):
    told(capsys, "publish", trained, "alone", "--to", tmp_path)
    claims = json.loads((tmp_path / "alone" / "card.json").read_text())
    sat = json.loads(told(capsys, "exam", tmp_path / "alone", "--json"))
    assert [row["bits_per_sequence"] for row in sat] == [row["bits"] for row in claims["exam"]]
    again = verbs.finetune(tmp_path / "alone", steps=5, to=tmp_path / "again")
    assert again.child == 2


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_what_it_does_is_drawn_without_weightings(trained, tmp_path, capsys, kind):
    picture = tmp_path / f"alone.{kind}"
    told(capsys, "show", trained, "--to", picture)
    drawn = picture.read_bytes()
    assert drawn and b"weightings" not in drawn


def test_its_lineage_is_told_and_its_program_does_without_a_memory(trained, tmp_path, capsys):
    assert "0 readers, 0 writers" in told(capsys, "lineage", trained, "--quiet")
    told(capsys, "lineage", trained, "--html", tmp_path / "page.html", "--quiet")
    told(capsys, "lineage", trained, "--export", tmp_path / "exports", "--quiet")
    assert "no memory is used" in told(capsys, "explain", trained, "--quiet")
    assert "reader" not in told(capsys, "wires", trained)
