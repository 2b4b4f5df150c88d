"""An experiment that is written loads back to itself, whatever it says."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evo_ntm.errors import ExperimentError
from evo_ntm.experiment import Experiment, dump, load, parse
from evo_ntm.experiment.operators import OF_GRAPHS, OPERATORS
from evo_ntm.experiment.rewards import REWARD_SETTINGS
from evo_ntm.experiment.tasks import TASK_SETTINGS, measures
from tests.evolution import cases

NAMES = st.from_regex("[A-Za-z0-9_-][A-Za-z0-9_ .-]{0,99}", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
COUNTS = st.integers(1, 10**6)
AMOUNTS = st.floats(1e-9, 10.0)
RANGES = st.lists(st.integers(3, 10**6), min_size=2, max_size=2).map(sorted)

OWN = {
    "evolution_strategy": {
        "sigma": AMOUNTS,
        "learning_rate": AMOUNTS,
        "starts": COUNTS,
        "challenger_share": st.floats(0, 0.25),
        "grace": st.integers(0, 100),
    },
    "genetic": {"sigma": AMOUNTS, "crossover": st.floats(0, 1), "species_age": COUNTS},
    "neat": {"threshold": AMOUNTS, "crossover": st.floats(0, 1), "stagnation": COUNTS},
    "cma": {"sigma": AMOUNTS, "patience": COUNTS},
}


def parts(task: str, *, limited: bool = False) -> st.SearchStrategy[list[dict[str, Any]]]:
    limits = st.dictionaries(
        st.sampled_from(measures(task)), st.floats(0, 1e6) | st.integers(0, 100), min_size=1
    )
    at_most = {"at_most": limits if limited else limits | st.none()}
    always = {"name": WORDS, "rows": st.integers(3, 10**6), "sequences": COUNTS}
    sometimes = {"with": st.just({})}
    (always if limited else sometimes).update(at_most)
    part = st.fixed_dictionaries(always, optional=sometimes)
    return st.lists(part, min_size=1, max_size=3, unique_by=lambda one: one["name"])


TAPED = st.fixed_dictionaries(
    {"tape_heads": st.integers(1, 4), "units": st.lists(st.integers(1, 128), max_size=3)},
    optional={
        "rows": st.just("unbounded") | RANGES | st.integers(1, 10**6),
        "tape": st.fixed_dictionaries(
            {},
            optional={
                "write": st.sampled_from(["interpolate", "overwrite"]),
                "initial": st.floats(0, 1),
                "fresh_cell": st.booleans(),
                "least_similarity": st.floats(0, 1),
                "did_write": st.floats(0, 1),
            },
        ),
    },
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a task file may say."""
    task = draw(st.sampled_from(sorted(TASK_SETTINGS)))
    strategy = draw(st.sampled_from(sorted(OWN)))
    evolve = {"strategy": strategy, "population": draw(st.integers(8, 500)) * 2}
    evolve |= draw(st.fixed_dictionaries({}, optional=OWN[strategy]))
    if strategy != "cma":
        shares = st.fixed_dictionaries({"share": st.floats(1e-3, 1e3)})
        names = sorted(OPERATORS.keys() - {"finetune", *OF_GRAPHS})
        evolve["operators"] = draw(st.dictionaries(st.sampled_from(names), shares))
    if strategy == "genetic" and task not in REWARD_SETTINGS and draw(st.booleans()):
        taught = {"share": st.floats(1e-3, 1), "steps": st.integers(1, 100)}
        evolve["operators"]["finetune"] = draw(st.fixed_dictionaries({}, optional=taught))
    machine = st.fixed_dictionaries(
        {},
        optional={
            "rows": RANGES | st.integers(3, 10**6),
            "units": st.lists(st.integers(1, 128), min_size=1, max_size=3),
            "controller": st.sampled_from(["dense", "lstm"]),
            "epsilon": st.floats(1e-12, 1.0),
            "readers": st.integers(0, 4),
        },
    )
    if draw(st.booleans()):
        machine = TAPED
    finetune = st.fixed_dictionaries(
        {},
        optional={
            "optimiser": st.sampled_from(["adam", "rmsprop"]),
            "learning_rate": AMOUNTS | st.none(),
            "clip": AMOUNTS | st.none(),
            "schedule": st.sampled_from(["constant", "linear", "cosine"]),
            "batch": COUNTS,
            "seed": st.integers(0, 2**63 - 1) | st.none(),
        },
    )
    told = {
        "task": task,
        "exam": {"validation": draw(parts(task, limited=True)), "parts": draw(parts(task))},
        "machine": draw(machine),
        "evolve": evolve,
        "finetune": draw(finetune),
    }
    if draw(st.booleans()):
        told["curriculum"] = [
            {"with": {}, "until": {measures(task)[0]: draw(AMOUNTS)}},
            {"with": {}, "rows": draw(st.integers(20, 40) | st.none())},
        ]
    return told


@given(told=files(), name=NAMES)
def test_an_experiment_that_is_dumped_loads_back_to_itself(told: dict[str, Any], name: str):
    experiment = parse(told, name=name)
    again = parse(dump(experiment))
    assert again == experiment
    assert (again.task_hash, again.config_hash) == (experiment.task_hash, experiment.config_hash)
    assert dump(again) == dump(experiment)


@given(told=files())
def test_what_was_said_is_what_comes_out(told: dict[str, Any]):
    written = yaml.safe_load(dump(parse(told)))

    def contains(whole: Any, part: Any) -> bool:
        if isinstance(part, dict):
            return all(contains(whole[key], value) for key, value in part.items())
        if isinstance(part, list) and part and isinstance(part[0], dict):
            return all(contains(a, b) for a, b in zip(whole, part, strict=True))
        return whole == part or [whole] * 2 == part  # a range of one number may be written so

    assert contains(written, told)


@given(text=st.text(max_size=60))
def test_any_text_is_an_experiment_or_one_line_of_complaint(text: str):
    try:
        parse(text, "task.yaml")
    except ExperimentError as refusal:
        assert str(refusal).startswith("task.yaml")
        assert len(str(refusal).splitlines()) == 1


@given(
    key=st.sampled_from(["task", "with", "machine.rows", "evolve.operators", "exam.parts.0"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)
def test_any_value_is_taken_or_refused_in_one_line(key: str, value: Any):
    from tests.conftest import SMALL

    try:
        parse(SMALL, overrides=[f"{key}={yaml.safe_dump(value, allow_unicode=True)}"])
    except ExperimentError as refusal:
        assert "but" in str(refusal)


def test_a_file_names_its_experiment(small):
    assert load(small).name == "small"
    small.write_text(f"name: another\n{small.read_text()}")
    assert load(small).name == "another"


def test_overrides_are_taken_and_recorded(small):
    changes = ["evolve.generations=60", "exam.parts.1.rows=9"]
    experiment = load(small, changes)
    assert experiment.evolve.generations == 60
    assert experiment.exam.parts[1].rows == 9
    assert experiment.overrides == tuple(changes)
    assert parse(dump(experiment), of_a_run=True) == experiment


def test_only_the_file_of_a_run_says_what_was_overridden(small, tmp_path):
    text = f"{small.read_text()}overrides: [evolve.seed=3]\n"
    small.write_text(text)
    for overrides in ((), ["evolve.seed=2"]):
        with pytest.raises(ExperimentError) as refusal:
            load(small, overrides)
        assert str(refusal.value).startswith(
            f"{small}: overrides: expected a known key, but came 'overrides': known: curriculum, "
        )
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "experiment.yaml").write_text(text)
    with pytest.raises(ExperimentError, match="overrides: expected a known key"):
        load(folder / "experiment.yaml")
    (folder / "run.sqlite").touch()
    assert load(folder / "experiment.yaml").overrides == ("evolve.seed=3",)
    again = load(folder / "experiment.yaml", ["evolve.seed=4"])
    assert again.overrides == ("evolve.seed=3", "evolve.seed=4")


def test_what_was_overridden_cannot_be_overridden(small):
    for override in ("overrides=[]", "overrides.0=x=3"):
        with pytest.raises(ExperimentError, match="overrides"):
            load(small, [override])


def test_the_last_override_of_a_key_stands(small):
    assert load(small, ["evolve.seed=2", "evolve.seed=3"]).evolve.seed == 3


def test_a_seed_given_afterwards_is_as_good_as_one_in_the_file(small):
    experiment = load(small)
    assert experiment.with_seed(7) == load(small, ["evolve.seed=7"])


def test_one_number_of_rows_is_a_range_of_one(small):
    assert load(small, ["machine.rows=9"]).machine.rows == (9, 9)
    assert "rows: 9\n" in dump(load(small, ["machine.rows=9"]))


def test_finer_steps_are_written_as_they_were_told_one_or_several(small):
    one, other = {"times": 0.4, "stage": 1}, {"times": 0.1, "stage": 2}
    stages = "curriculum=[{with: {}, until: {wrong_bits: 1}}, {with: {}}]"
    for told in (one, [one, other], {**one, "patience": 9}, [one, {**one, "patience": 9}, other]):
        asked_for = load(small, [stages, f"evolve.finer={told}"])
        assert yaml.safe_load(dump(asked_for))["evolve"]["finer"] == told
        assert parse(dump(asked_for), of_a_run=True).config_hash == asked_for.config_hash
    alone = load(
        small, [stages, f"evolve.finer={[one]}"]
    )  # as a file from before there were several
    assert alone.config_hash == load(small, [stages, f"evolve.finer={one}"]).config_hash
    assert (
        load(small, [stages, "evolve.finer=null"]).config_hash == load(small, [stages]).config_hash
    )


def test_merges_and_aliases_are_taken(small):
    text = small.read_text().replace(
        "- {name: length 3,", "- {<<: {at_most: {bits: 2}}, name: length 3,"
    )
    small.write_text(text)
    assert load(small).exam.parts[1].at_most == {"bits": 2}


def test_an_experiment_never_changes(small):
    experiment = load(small)
    with pytest.raises(ValueError, match="frozen"):
        experiment.task = "ngrams"
    with pytest.raises(ValueError, match="frozen"):
        experiment.machine.heads.shifts = 5


def test_stages_and_parts_override_the_settings_of_the_task(small):
    experiment = load(small)
    part = experiment.exam.parts[1]
    settings = experiment.settings(part.with_)
    assert (settings.bits, settings.shortest, settings.longest) == (1, 3, 3)
    assert experiment.settings() == experiment.with_


def test_a_task_that_the_caller_brings_may_have_any_settings(small):
    changes = ["task=mine", "with={colours: [red, blue]}", "exam.parts.1.with={colours: [red]}"]
    experiment = load(small, changes, tasks=["mine"])
    assert experiment.with_.colours == ("red", "blue")
    assert experiment.settings(experiment.exam.parts[1].with_).colours == ("red",)
    assert parse(dump(experiment), tasks=None, of_a_run=True) == experiment
    with pytest.raises(ExperimentError, match="expected the name of a task, but came 'mine'"):
        load(small, changes)


def test_an_experiment_is_typed_all_the_way(small):
    experiment = load(small)
    assert isinstance(experiment, Experiment)
    assert type(experiment.with_) is TASK_SETTINGS["copy"]
    assert experiment.evolve.strategy == "evolution_strategy"
    assert experiment.machine.units == (4,)


def test_a_run_opens_that_did_not_set_a_key_that_was_taken_back():
    experiment = parse(cases.told("genetic"), name="older")
    older = yaml.safe_load(dump(experiment))
    older["evolve"]["refine"] = None
    assert parse(older, of_a_run=True) == experiment
    with pytest.raises(ExperimentError, match=r"evolve.refine: expected a known key"):
        parse(older)
    older["evolve"]["refine"] = {"population": 12}
    with pytest.raises(ExperimentError, match=r"evolve.refine: expected a known key"):
        parse(older, of_a_run=True)
