"""A file that `new` prints is complete, explained and valid."""

import pytest

from evo_ntm.errors import ExperimentError
from evo_ntm.experiment import Experiment, parse, template
from evo_ntm.experiment.model import Settings
from evo_ntm.experiment.tasks import TASK_SETTINGS


@pytest.mark.parametrize("task", TASK_SETTINGS)
def test_every_template_loads_and_is_of_its_task(task):
    experiment = parse(template(task))
    assert experiment.task == task
    assert any(part.at_most for part in experiment.exam.parts)


@pytest.mark.parametrize("task", TASK_SETTINGS)
def test_a_template_leaves_no_key_to_be_guessed(task):
    lines = [line.split("#")[0] for line in template(task).splitlines()]
    experiment = parse(template(task))

    def keys(settings: Settings) -> set[str]:
        below = [getattr(settings, name) for name in type(settings).model_fields]
        groups = [keys(value) for value in below if isinstance(value, Settings)]
        return {*type(settings).keys()}.union(*groups)

    written = {line.split(":")[0].strip() for line in lines if ":" in line}
    assert keys(experiment) - {"name", "overrides"} <= written


def every_model(model: type[Settings] = Experiment) -> set[type[Settings]]:
    found = {*Settings.__subclasses__()}
    while True:
        more = found.union(*(kind.__subclasses__() for kind in found))
        if more == found:
            return found
        found = more


@pytest.mark.parametrize("model", sorted(every_model(), key=lambda model: model.__name__))
def test_every_key_is_described(model):
    for name, field in model.model_fields.items():
        assert field.description, name
    assert model.__doc__


def test_a_template_for_an_unknown_task_is_refused():
    with pytest.raises(ExperimentError) as refusal:
        template("ngram")
    assert str(refusal.value) == (
        "expected the name of a task, but came 'ngram': did you mean 'ngrams'?"
    )
