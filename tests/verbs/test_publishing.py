import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from evo_ntm import cli, exits, verbs
from evo_ntm.errors import ReportError, RunError
from evo_ntm.experiment import parse
from evo_ntm.reports.card import Card, Look, Tuning
from evo_ntm.reports.claims import Verdict, read_claims
from evo_ntm.reports.learning.tunings import tunings
from evo_ntm.runs.ancestry import trunk
from evo_ntm.runs.store import open_run
from evo_ntm.verbs.publishing import card_of
from tests.evolution.cases import told

STEP_BY_STEP = ["finetune.validate_every=1"]


def evolved(folder, bits=1, **changes):
    easily = {"name": "as trained", "rows": 5, "sequences": 32, "at_most": {"wrong_bits": 9}}
    asked = {**told("genetic", generations=4, **changes), "with": {"bits": bits, "longest": 2},
             "exam": {"validation": [easily], "parts": [{**easily, "sequences": 48}]}}  # fmt: skip
    verbs.evolve(parse(asked), to=folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return evolved(tmp_path_factory.mktemp("published") / "run")


def test_a_published_genome_stands_by_itself_and_its_exam_comes_out_as_claimed(run, tmp_path):
    folder = verbs.publish(run, "tiny", to=tmp_path)
    assert {path.name for path in folder.iterdir()} == {
        "genome.safetensors", "card.json", "README.md", "lineage.csv", "memory.png"
    }  # fmt: skip
    claims = read_claims(folder)
    assert claims["genome"] == verbs.read(folder).id == verbs.read(run).id
    sat = verbs.exam(folder)
    for row, claim in zip(sat.rows, claims["exam"], strict=True):
        assert (row.bits, row.wrong_bits) == (claim["bits"], claim["wrong_bits"])
    assert sat.passed is claims["passed"] is True
    assert sat.card == Verdict(True, f"{folder / 'card.json'} says the same of genome and exam")
    assert cli.run(["exam", str(folder)]) == exits.DONE
    assert verbs.exam(folder, ablate="reads").card is None  # which no card tells of
    (folder / "card.json").write_text("{")
    assert "expected the card of a genome" in verbs.exam(folder).card.told
    assert cli.run(["exam", str(folder)]) == exits.NOT_PASSED
    assert claims["contribution"] == "No gradient was used: all of it evolved."
    lines = (folder / "lineage.csv").read_text().splitlines()
    assert lines[0].startswith("number,generation,parents,operators")
    assert lines[-1].startswith(f"{claims['birth']},")
    assert "![memory](memory.png)" in (folder / "README.md").read_text()


def test_a_run_whose_task_file_was_edited_since_is_not_published(run, tmp_path):
    edited = shutil.copytree(run, tmp_path / "run")
    told = (edited / "experiment.yaml").read_text().replace("sequences: 48", "sequences: 2")
    (edited / "experiment.yaml").write_text(told)
    with pytest.raises(RunError, match="experiment that the run began with, but it began with an"):
        verbs.publish(edited, "tiny", to=tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_nothing_is_left_where_publishing_failed(run, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ReportError("no picture")

    monkeypatch.setattr("evo_ntm.verbs.publishing.draw", fail)
    (tmp_path / "kept").mkdir()
    for to in (tmp_path / "a" / "b", tmp_path / "kept"):
        with pytest.raises(ReportError, match="no picture"):
            verbs.publish(run, "tiny", to=to)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept"]


def test_a_card_tells_what_a_machine_makes_of_its_tape(tmp_path):
    part = {"name": "once", "rows": 2, "sequences": 12, "at_most": {"missed": 40}}
    asked = {
        "task": "t_maze",
        "with": {"maze": "single", "trials": 1},
        "exam": {"validation": [part], "parts": [part]},
        "machine": {"units": [], "width": 2, "rows": 2, "tape_heads": 1},
        "evolve": {"strategy": "genetic", "population": 8, "elites": 1, "generations": 1},
    }
    verbs.evolve(parse(asked), to=tmp_path / "run")
    folder = verbs.publish(tmp_path / "run", "tiny", to=tmp_path)
    (claim,) = read_claims(folder)["exam"]
    taken = claim["measures"]
    row = (f"| once | {taken['longest tape']} | {taken['jumps']:.1%} | {taken['shifts']:.1%} | "
           f"{taken['shortfall without reads']:.4g} |")  # fmt: skip
    assert row in (folder / "README.md").read_text().splitlines()
    assert taken["longest tape"] in (1, 2)
    assert (folder / "memory.png").is_file()


def test_publishing_again_gives_the_same_card_which_names_its_place(run, tmp_path, monkeypatch):
    published = []
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        folder = verbs.publish(run, "tiny", to="some place")
        published.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert published[0] == published[1]
    assert b"\nevo-ntm exam 'some place/tiny'\n" in published[0]["README.md"]


def test_a_place_within_a_file_is_refused(run, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ReportError) as refusal:
        verbs.publish(run, "tiny", to=tmp_path / "file")
    assert str(refusal.value) == f"{tmp_path / 'file'}: expected a folder, but it is a file"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_gradients_did_stands_beside_its_controls(tmp_path):
    run = evolved(tmp_path / "run", seed=2)
    tuned = verbs.finetune(run, steps=3, overrides=STEP_BY_STEP)
    control = tmp_path / "control"
    verbs.finetune(run, steps=3, from_scratch=True, to=control, seed=7,
                   overrides=STEP_BY_STEP)  # fmt: skip
    card = card_of(open_run(run), "tiny", tuned.child, [open_run(control)])
    assert card.tuning is not None
    seen = [look.sequences for look in card.tuning.curve]
    assert seen[0] == 0 and seen == sorted(set(seen))
    assert [each.began for each in (card.tuning, *card.controls)] == [
        "what evolved", "random weights"
    ]  # fmt: skip
    assert card.controls[0].seed == 7
    assert (card.controls[0].answered, card.tuning.answered) == (0, card.answered)
    assert card.answered == card.scored * 8 > 0
    with pytest.raises(RunError, match="it is the run that it would be held against"):
        card_of(open_run(run), "tiny", tuned.child, [open_run(run)])
    with pytest.raises(RunError, match="its founder evolved"):
        card_of(
            open_run(run),
            "tiny",
            tuned.child,
            [open_run(shutil.copytree(run, tmp_path / "copied"))],
        )


def test_of_an_ancestor_only_what_evolution_took_until_then_is_counted(tmp_path):
    run = evolved(tmp_path / "run", seed=2)
    champion = open_run(run).champion()
    whole = card_of(open_run(run), "tiny", champion)
    [done] = open_run(run).rows("SELECT count(*) AS number, sum(scored) AS scored FROM generations")
    assert (whole.generations, whole.scored) == (done["number"], done["scored"])
    ancestor = next(step for step in trunk(open_run(run), champion) if step.generation == 0)
    child = verbs.finetune(run, birth=ancestor.number, steps=2, overrides=STEP_BY_STEP).child
    [first] = open_run(run).rows("SELECT scored, seconds FROM generations WHERE number = 0")
    for birth in (ancestor.number, child):
        card = card_of(open_run(run), "tiny", birth)
        assert (card.generations, card.scored) == (1, first["scored"])
        assert card.answered == first["scored"] * 8 < whole.answered
    assert card.tuning.answered == card.answered
    assert card.tuning.evolved == first["seconds"] < whole.seconds


def test_random_weights_that_treat_bits_alike_are_told_apart(tmp_path):
    short = {"steps": 2, "overrides": STEP_BY_STEP}
    run = evolved(tmp_path / "run", bits=2, machine={"encoding": "tied"})
    tuned, control = verbs.finetune(run, **short), tmp_path / "control"
    verbs.finetune(run, from_scratch=True, to=control, **short)
    card = card_of(open_run(run), "tiny", tuned.child, [open_run(control)])
    assert card.controls[0].began == "random tied genes"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """Give a run that evolved, and the birth that was tuned in it then."""
    folder = evolved(tmp_path_factory.mktemp("tuned") / "run", seed=2)
    return folder, verbs.finetune(folder, steps=2, overrides=STEP_BY_STEP).child


def test_what_diverged_in_the_end_is_told_of_by_the_last_numbers(tuned, tmp_path):
    run = shutil.copytree(tuned[0], tmp_path / "run")
    with closing(sqlite3.connect(run / "run.sqlite")) as rows:
        [told] = rows.execute("SELECT curve FROM tunings").fetchone()
        *_, last = curve = json.loads(told)
        lost = {**last, "sequences": 999, "validation_bits": None, "validation_wrong_bits": None}
        rows.execute("UPDATE tunings SET curve = ?", [json.dumps([*curve, lost])])
        rows.commit()
    folder = verbs.publish(run, "tiny", birth=tuned[1], to=tmp_path)
    words = (folder / "README.md").read_text()
    assert f" | 999 | {last['validation_bits']:.4g} |" in words


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["finetune.learning_rate=0.1"], "finetune.learning_rate is 0.0005, but came 0.1"),
        (["finetune.batch=3"], "finetune.batch is 2, but came 3"),
        (["with.longest=3"], "task, curriculum and exam of .*, copy .*, but came copy"),
    ],
)
def test_another_tuning_is_no_control(tuned, tmp_path, overrides, said):
    run, child = tuned
    control = tmp_path / "control"
    verbs.finetune(run, steps=2, from_scratch=True, to=control,
                   overrides=[*STEP_BY_STEP, *overrides])  # fmt: skip
    with pytest.raises(RunError, match=f"control: expected the .*{said}"):
        verbs.publish(run, "tiny", birth=child, controls=[control], to=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["control"]


def test_random_weights_in_another_topology_are_no_control(tuned, tmp_path):
    run, child = tuned
    wider, control = evolved(tmp_path / "wider", machine={"width": 5}), tmp_path / "control"
    verbs.finetune(wider, steps=2, from_scratch=True, to=control, overrides=STEP_BY_STEP)
    with pytest.raises(RunError, match="expected the topology of birth .*, but came .*width 5"):
        card_of(open_run(run), "tiny", child, [open_run(control)])


def test_a_birth_that_was_not_tuned_has_no_controls(tuned, tmp_path):
    (run, child), control = tuned, tmp_path / "control"
    verbs.finetune(run, steps=2, from_scratch=True, to=control, overrides=STEP_BY_STEP)
    with pytest.raises(
        RunError, match="expected a birth that was tuned, .* but birth [0-9]+ was not"
    ):
        card_of(open_run(run), "tiny", trunk(open_run(run), child)[-2].number, [open_run(control)])


def test_what_was_tuned_twice_is_told_by_all_that_it_met(tmp_path):
    run = evolved(tmp_path / "run", seed=2)
    first = verbs.finetune(run, steps=2, overrides=STEP_BY_STEP)
    second = verbs.finetune(run, birth=first.child, steps=3,
                            overrides=[*STEP_BY_STEP, "finetune.early_stop=false"])  # fmt: skip
    once, twice = (card_of(open_run(run), "tiny", birth.child).tuning for birth in (first, second))
    rows = open_run(run).rows("SELECT sequences FROM tunings ORDER BY birth")
    begun = rows[0]["sequences"]
    assert [look.sequences for look in once.curve][0] == 0
    assert [look.sequences for look in twice.curve] == [begun + 2 * step for step in range(4)]
    assert twice.met == begun + 6
    assert begun < twice.passed_after <= twice.met


def test_what_did_not_evolve_is_not_said_to_have(run, tmp_path):
    scratch, brought = tmp_path / "scratch", tmp_path / "brought"
    verbs.finetune(run, from_scratch=True, steps=2, to=scratch, overrides=STEP_BY_STEP)
    verbs.finetune(run, steps=2, to=brought, overrides=STEP_BY_STEP)
    told = {
        (folder, birth): card_of(open_run(folder), "tiny", birth)
        for folder in (scratch, brought) for birth in (1, 2)
    }  # fmt: skip
    assert [card.contribution for card in told.values()] == [
        "Nothing evolved, and nothing was trained: its weights are random.",
        "Nothing evolved: gradients began with random weights.",
        *["It was imported, and what that took is not told here."] * 2,
    ]
    assert all(card.generations == 0 and card.commands for card in told.values())
    assert told[brought, 2].tuning.began == "an imported genome"


def test_what_was_trained_while_it_evolved_is_said_to_have_been(tmp_path):
    run = evolved(tmp_path / "run", operators={"finetune": {"share": 1.0, "steps": 1}})
    card = card_of(open_run(run), "tiny", open_run(run).champion())
    assert card.trained > 0
    assert card.contribution == (
        f"Of the births of its line {card.trained} were trained by gradients."
    )


def test_a_tuning_that_was_interrupted_is_gone_on_with_first(run, tmp_path):
    def stop(progress):
        raise KeyboardInterrupt

    control = tmp_path / "control"
    verbs.finetune(run, from_scratch=True, steps=9, to=control, overrides=STEP_BY_STEP,
                   on_look=stop)  # fmt: skip
    told = "tuning of birth 1 goes on or was interrupted: evo-ntm resume .* goes"
    with pytest.raises(RunError, match=told):
        verbs.publish(control, "tiny", to=tmp_path)


def test_an_ancestor_that_was_tuned_stands_beside_by_what_evolution_took_until_then(tmp_path):
    run, short = evolved(tmp_path / "run", seed=2), {"steps": 2, "overrides": STEP_BY_STEP}
    tuned = verbs.finetune(run, **short)
    ancestor = trunk(open_run(run), open_run(run).champion())[0]
    early = tmp_path / "early"
    verbs.finetune(run, birth=ancestor.number, to=early, **short)
    folder = verbs.publish(run, "tiny", birth=tuned.child, controls=[early], to=tmp_path)
    claims = read_claims(folder)
    (control,) = claims["controls"]
    assert control["began"] == f"birth {ancestor.number} of generation {ancestor.generation}"
    assert 0 < control["answered"] < claims["tuning"]["answered"] == claims["answered"]
    assert control["evolved"] <= claims["tuning"]["evolved"]
    assert claims["contribution"].endswith("is not known.")  # for nothing was random
    words = (folder / "README.md").read_text()
    for picture in ("tuning.png", "tuning-seconds.png"):
        assert f"({picture})" in words and (folder / picture).read_bytes().startswith(b"\x89PNG")

    strange = tmp_path / "strange"
    verbs.finetune(evolved(tmp_path / "other", seed=3), to=strange, **short)
    refusal = "or an ancestor, but its founder, [0-9a-f]{32}, is none of birth "
    with pytest.raises(RunError, match=refusal):
        verbs.publish(run, "other-one", birth=tuned.child, controls=[strange], to=tmp_path)
    cousin = tmp_path / "cousin"
    sibling = verbs.finetune(run, birth=ancestor.number, **short)
    verbs.finetune(run, birth=sibling.child, to=cousin, **short)
    with pytest.raises(RunError, match=refusal):
        verbs.publish(run, "other-one", birth=tuned.child, controls=[cousin], to=tmp_path)


def test_curves_of_tunings_begin_after_what_evolution_took(run):
    card = card_of(open_run(run), "tiny", open_run(run).champion())
    looks = tuple(Look(n, n / 10, 90.0 - n, 1.0) for n in (0, 10, 20))
    tuned = Tuning("what evolved", 1, None, 20, looks, answered=1000, evolved=5.0)
    by_sequences, by_seconds = tunings(replace(card, tuning=tuned, controls=(tuning(None),)))
    (line, control) = by_sequences.plots[0].layers
    assert line.name == "what evolved, seed 1" and line.x == (1.0, 1.01, 1.02)
    assert line.y == (90.0, 80.0, 70.0)
    assert control.x == ()  # where nothing was seen yet, there is no logarithm of it
    assert by_seconds.plots[0].layers[0].x == (5.0, 6.0, 7.0)
    assert tunings(card) == ()


def tuning(passed_after):
    return Tuning("random weights", 1, passed_after, 400, (Look(0, 0.0, 9.0, 4.0),))


@pytest.mark.parametrize(
    ("own", "others", "contributed"),
    [
        (100, [200, None], True),
        (100, [None], True),
        (200, [200], False),
        (300, [200, None], False),
        (None, [None], False),
    ],
)
def test_a_card_says_where_evolution_contributed_nothing(run, own, others, contributed):
    whole = card_of(open_run(run), "tiny", open_run(run).champion())
    card = Card(**{**vars(whole), "tuning": tuning(own), "controls": tuple(map(tuning, others))})
    assert ("contributed nothing" not in card.contribution) is contributed
    for other in others:
        cost = f"after {other} sequences" if other else "not within 400 sequences"
        assert cost in card.contribution
    if own:
        cut = replace(tuning(None), met=own - 1)
        short = Card(**{**vars(card), "controls": (cut,)})
        assert short.contribution.endswith("so that only their curves compare.")
    alone = Card(**{**vars(card), "controls": ()})
    assert alone.contribution.endswith("is not known.")


@pytest.mark.parametrize("name", ["", "A", "../up", "a b", "x" * 81])
def test_a_name_that_is_no_folder_s_is_refused(run, tmp_path, name):
    with pytest.raises(RunError, match="expected a name of small letters"):
        verbs.publish(run, name, to=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused(run, tmp_path):
    (tmp_path / "tiny").mkdir()
    with pytest.raises(RunError, match="is there already"):
        verbs.publish(run, "tiny", to=tmp_path)
