"""What a task file may say is what the package can do."""

import inspect
from dataclasses import fields
from typing import get_args

import pytest

from evo_ntm.experiment import load
from evo_ntm.experiment.machine import STAGES, Bounds, HeadSettings, MachineSettings
from evo_ntm.experiment.operators import OPERATORS, operator_settings
from evo_ntm.experiment.tasks import TASK_SETTINGS, measures
from evo_ntm.genome import ENCODINGS, bounds, variation
from evo_ntm.seeds import derive
from evo_ntm.tasks import REWARD_TASKS, TASKS, grade, make
from evo_ntm.tasks import measures as measure
from evo_ntm.topology import Head, Stages


def test_the_tasks_are_the_same():
    assert TASK_SETTINGS.keys() == TASKS.keys() | REWARD_TASKS.keys()


def test_the_operators_are_the_same():
    assert OPERATORS.keys() == variation.OPERATORS.keys() | {"finetune"}  # which is no variation


@pytest.mark.parametrize("name", variation.OPERATORS)
def test_what_may_be_set_of_an_operator_is_a_parameter_of_it(name):
    takes = inspect.signature(variation.OPERATORS[name]).parameters
    settings = operator_settings(name).model_fields
    for key in settings.keys() - {"share"}:
        assert takes[key].kind is inspect.Parameter.KEYWORD_ONLY
        if settings[key].default is not None:
            assert takes[key].default == settings[key].default


def test_the_encodings_are_the_same():
    assert get_args(MachineSettings.model_fields["encoding"].annotation) == ENCODINGS


def test_the_bounds_are_the_same():
    assert {field.name: field.default for field in fields(bounds.Bounds)} == Bounds().model_dump()


def test_the_stages_and_the_genes_of_a_head_are_the_same():
    assert {field.name for field in fields(Stages)} == {*STAGES}
    genes = {field.name for field in fields(Head)} - {"birth", "kind"}
    assert HeadSettings.model_fields.keys() == genes


@pytest.mark.parametrize("task", TASKS)
def test_the_measures_of_a_task_are_those_that_a_gate_may_name(task):
    import torch

    made = make(task, TASK_SETTINGS[task]())
    episodes = made.episodes(derive(1, "test"), 2)
    outputs = sum(block.size for block in made.outputs)
    grades = grade(episodes, torch.zeros(*episodes.scored.shape, outputs), made)
    assert {*measure(made, episodes, grades)} == {*measures(task)}


def test_the_settings_of_a_file_make_its_task(small):
    experiment = load(small)
    task = make(experiment.task, experiment.with_)
    assert sum(block.size for block in task.outputs) == 1
