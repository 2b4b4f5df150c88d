"""The figures of the paper, from trainings of a moment: what is made, gone on with and refused."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evo_ntm import exits, verbs
from evo_ntm.experiment import load
from evo_ntm.reports.claims import read_claims
from evo_ntm.reports.learning import last_trained
from evo_ntm.runs.store import open_run

ROOT = Path(__file__).parents[1]
PART = "rows: 8, sequences: 8, at_most: {wrong_bits: 0}"
TINY = (
    "with={bits: 1, longest: 2}",
    "finetune.batch=4",
    f"exam={{validation: [{{name: as trained, {PART}}}], parts: [{{name: length 2, with: "
    f"{{shortest: 2}}, {PART}}}, {{name: length 9, with: {{shortest: 9, longest: 9}}, {PART}}}]}}",
)


@pytest.fixture
def script(monkeypatch, tmp_path):
    """The script, with machines of a moment, in an empty folder."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.delitem(sys.modules, "reproduce_graves", raising=False)
    import reproduce_graves

    plan = reproduce_graves.PLANS["copy"]
    small = {name: (*changes, "machine.units=[4]") for name, changes in plan.machines.items()}
    tiny = replace(plan, machines=small, all=(*plan.all, *TINY))
    monkeypatch.setattr(reproduce_graves, "PLANS", {**reproduce_graves.PLANS, "copy": tiny})
    monkeypatch.chdir(tmp_path)
    return reproduce_graves


def everything(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_three_machines_are_trained_drawn_and_told_of(script, capsys):
    assert script.main(["--sequences", "24", "--seeds", "1,2"]) == exits.DONE
    folder = Path("runs/graves-copy")
    pictures = ["generalisation", "learning", "memory-lstm", "memory-ntm-feed-forward",
                "memory-ntm-lstm"]  # fmt: skip
    made = {path.name for path in folder.iterdir() if path.is_file()}
    assert made == {f"{name}.{kind}" for name in pictures for kind in ("png", "svg")} | {
        "exam.csv", "learning.csv"
    }  # fmt: skip
    for name, controller, heads in (("ntm-feed-forward", "dense", 1), ("ntm-lstm", "lstm", 1),
                                    ("lstm", "lstm", 0)):  # fmt: skip
        for seed in (1, 2):
            run = open_run(folder / name / f"seed-{seed}")
            assert run.experiment.finetune.seed == seed
            machine = run.experiment.machine
            assert (machine.controller, machine.readers, machine.writers) == (
                controller, heads, heads
            )  # fmt: skip
            assert verbs.read(run.folder, 2).topology.controller.kind == controller
    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert re.split("  +", heading.strip()) == [
        "machine", "weights", "sequences", "bits, last met", "0.1 bits after", "length 2",
        "length 9",
    ]  # fmt: skip
    assert [row.split()[0] for row in rows[:3]] == ["ntm-feed-forward", "ntm-lstm", "lstm"]


def test_what_is_trained_already_is_taken_as_it_is(script, capsys):
    typed = ["--sequences", "16", "--only", "lstm", "--to", "here"]
    assert script.main(typed) == exits.DONE
    before = everything(Path("here"))
    assert script.main(typed) == exits.DONE
    assert everything(Path("here")) == before
    first, second = capsys.readouterr().out.split("machine ")[1:]
    assert first == second


def test_an_interrupted_training_goes_on_to_the_same_figures(script, monkeypatch, capsys):
    typed = ["--sequences", "40", "--only", "ntm-lstm", "--to"]
    assert script.main([*typed, "whole"]) == exits.DONE
    look = script.screen.ProgressLine.__call__

    def stop(line, progress):
        if progress.sequences >= 20:
            raise KeyboardInterrupt

    monkeypatch.setattr(script.screen.ProgressLine, "__call__", stop)
    assert script.main([*typed, "here"]) == exits.INTERRUPTED
    assert capsys.readouterr().err.endswith("evo-ntm: interrupted: the same command goes on\n")
    assert not Path("here/learning.csv").exists()
    monkeypatch.setattr(script.screen.ProgressLine, "__call__", look)
    assert script.main([*typed, "here"]) == exits.DONE
    for name in ("learning.csv", "exam.csv", "learning.png", "memory-ntm-lstm.png"):
        assert Path("here", name).read_bytes() == Path("whole", name).read_bytes()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["--task", "copi"], "--task: expected a task of the paper, but came 'copi': did you mean "
                             "'copy'?"),
        (["--only", "lstm,gru"], "--only: expected machines, but came 'gru'"),
        (["--sequences", "0"], "--sequences: expected a whole number from 1, but came '0'"),
        (["--seeds", "3-1"], "--seeds: expected a range upwards"),
        (["--device", "tpu"], "--set run.device=tpu: run.device: expected one of cpu, cuda"),
        (["--champion", "nobody"], "nobody/card.json: expected the card of a genome, but "
                                   "there is none"),
        (["--to", "", "--quick"], "--to: expected a folder, but came ''"),
        (["--champion", str(ROOT / "genomes/copy-tuned")], "against the validation set of this"),
        pytest.param(["--device", "cuda"], "run.device: expected cpu, as torch finds no GPU",
                     marks=pytest.mark.skipif(torch.cuda.is_available(), reason="here is one")),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--to", "file/within"], "file: expected a folder, but it is a file"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line_before_anything_is_trained(script, capsys, typed, sentence):
    Path("file").write_text("")
    assert script.main(typed) == exits.BAD_INPUT
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert sentence in told.err
    assert list(Path().iterdir()) == [Path("file")]


def test_a_training_with_other_settings_is_not_taken_for_this_one(script, capsys):
    typed = ["--only", "lstm", "--to", "here", "--sequences"]
    assert script.main([*typed, "16"]) == exits.DONE
    before = everything(Path("here"))
    capsys.readouterr()
    assert script.main([*typed, "32"]) == exits.BAD_INPUT
    assert "with the settings asked for now, but it is one with others" in capsys.readouterr().err
    assert everything(Path("here")) == before


def test_every_plan_is_for_the_paper_s_machines_and_can_be_loaded(script):
    for task in script.PLANS:
        asked = script.arguments(["--task", task])
        for name in script.NAMES:
            file, changes = script.settings(asked, name, 7)
            experiment = load(file, changes)
            machine, finetune = experiment.machine, experiment.finetune
            assert (experiment.task, finetune.seed, finetune.early_stop) == (task, 7, False)
            assert (machine.width, machine.encoding) == (20, "direct")
            assert finetune.optimiser == "rmsprop"
            assert 0 <= asked.sequences - finetune.steps * finetune.batch < finetune.batch


def test_a_champion_that_evolved_has_a_row_of_its_own(script, capsys):
    asked = script.arguments(["--sequences", "16", "--only", "lstm", "--to", "here"])
    file, changes = script.settings(asked, "lstm", 1)
    evolve = ("evolve.generations=2", "evolve.population=8", "machine.controller=dense",
              "machine.units=[4]", "machine.readers=1", "machine.writers=1",
              "finetune.after_evolution=false")  # fmt: skip
    verbs.evolve(load(file, (*changes, *evolve)), to="run")
    verbs.finetune("run", steps=2)
    verbs.publish("run", "tiny", birth=last_trained(open_run(Path("run"))), to="genomes")
    typed = ["--sequences", "16", "--only", "lstm", "--to", "here", "--champion", "genomes/tiny"]
    assert script.main(typed) == exits.DONE
    heading, _, trained, evolved, *notes = capsys.readouterr().out.splitlines()
    name, weights, sequences, *wrong = evolved.split()
    assert name == "tiny" and len(wrong) == 2
    genome = verbs.read("genomes/tiny")
    assert int(weights.replace(",", "")) == genome.weights.size
    rows = {row.name: row for row in verbs.exam("genomes/tiny").rows}
    assert wrong == [f"{rows[part].wrong_bits:.2f}" for part in ("length 2", "length 9")]
    tuned = 2 * load(file, changes).finetune.batch
    answered = read_claims(Path("genomes/tiny"))["answered"]
    assert int(sequences.replace(",", "")) == answered + tuned
    assert notes[-1] == "note  The sequences of tiny are those of evolution, too."
    refused_before_training(script, capsys, Path("genomes/tiny"))


def refused_before_training(script, capsys, folder):
    """Edit and tear a card, and the genome beside it: each is one line, and nothing is trained."""
    card, genome = folder / "card.json", folder / "genome.safetensors"
    whole, claims = card.read_text(), read_claims(folder)
    tuning = claims["tuning"]
    for edited in (
        {"answered": "x"},
        {"generations": [1]},
        *({"tuning": {**tuning, "curve": curve}} for curve in ([], "abc", [{"sequences": 1}])),
    ):
        card.write_text(json.dumps({**claims, **edited}))
        assert script.main(["--only", "lstm", "--to", "there", "--champion", str(folder)]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and "card.json: expected" in told
    card.write_text(whole)
    torn = bytearray(genome.read_bytes())
    torn[-1] ^= 1
    genome.write_bytes(torn)
    assert script.main(["--only", "lstm", "--to", "there", "--champion", str(folder)]) == 2
    assert "genome.safetensors: expected the genome" in capsys.readouterr().err
    assert not Path("there").exists()
