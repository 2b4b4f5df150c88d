"""What an experiment is known by: two hashes, of what is solved and of how."""

from pathlib import Path

import pytest

from evo_ntm.experiment import load, parse
from evo_ntm.experiment.finetune import Finetune

TASK = ["with.longest=3", "exam.parts.1.sequences=5", "curriculum=[{with: {longest: 1}}]"]
WAY = ["evolve.seed=2", "evolve.sigma=0.1", "machine.width=4"]
PLACE = ["run.threads=2", "run.device=cuda", "name=another"]


@pytest.mark.parametrize("override", TASK)
def test_another_task_has_other_hashes(small, override):
    before, after = load(small), load(small, [override])
    assert after.task_hash != before.task_hash
    assert after.config_hash != before.config_hash


def test_what_is_not_set_of_a_stage_changes_no_hash(small):
    before = load(small, ["curriculum=[{with: {}}]"])
    assert load(small, ["curriculum=[{with: {}, rows: null}]"]).task_hash == before.task_hash
    assert load(small, ["curriculum=[{with: {}, rows: 9}]"]).task_hash != before.task_hash


@pytest.mark.parametrize("override", WAY)
def test_another_way_to_the_same_task_keeps_its_hash(small, override):
    before, after = load(small), load(small, [override])
    assert after.task_hash == before.task_hash
    assert after.config_hash != before.config_hash


@pytest.mark.parametrize("override", PLACE)
def test_where_and_under_what_name_it_runs_is_no_part_of_a_hash(small, override):
    before, after = load(small), load(small, [override])
    assert (after.task_hash, after.config_hash) == (before.task_hash, before.config_hash)


def test_writing_out_a_default_changes_no_hash(small):
    defaults = ["machine.encoding=direct", "machine.alike=false", "evolve.alike=null"]
    before, after = load(small), load(small, [*defaults, "with.bits=1"])
    assert (after.task_hash, after.config_hash) == (before.task_hash, before.config_hash)


def test_the_order_of_keys_changes_no_hash(small):
    before = load(small)
    small.write_text(
        small.read_text().replace("  units: [4]\n  width: 3\n", "  width: 3\n  units: [4]\n")
    )
    assert load(small).config_hash == before.config_hash


@pytest.mark.parametrize("override", ["finetune.steps=5", "finetune.optimiser=adam"])
def test_how_it_is_tuned_afterwards_is_no_part_of_a_hash(small, override):
    before, after = load(small), load(small, [override])
    assert after.finetune != before.finetune
    assert (after.task_hash, after.config_hash) == (before.task_hash, before.config_hash)


@pytest.mark.parametrize("version", [2, 3])  # whose settings were those of today
def test_runs_from_before_there_was_tuning_keep_their_hashes(version):
    folder = Path(__file__).parents[1] / "runs"
    rows = (folder / f"version_{version}.sql").read_text()
    told = (folder / f"version_{version}.yaml").read_text()
    experiment = parse(told, tasks=None, of_a_run=True)
    assert experiment.finetune == Finetune()
    for name in ("task_hash", "config_hash"):
        assert f"('{name}','\"{getattr(experiment, name)}\"')" in rows
