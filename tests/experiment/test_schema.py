"""The JSON Schema takes what `load` takes, and refuses what it can know to be wrong."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from evo_ntm.experiment import dump, json_schema, load, parse, template
from evo_ntm.experiment.tasks import TASK_SETTINGS

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
WRONG = [
    "evolve.generatons=3",
    "evolve.strategy=genetik",
    "with.lngest=3",
    "exam.parts.1.with.longst=3",
    "curriculum=[{with: {longst: 2}}]",
    "evolve.operators={add_reader: {shar: 1}}",
    "machine.readers=-1",
    "machine.rows=0",
    "machine.units=[0]",
    "evolve.sigma=0",
    "exam={}",
]


def overridden(text: str, override: str):
    """Change one value, checking nothing."""
    told = yaml.safe_load(text)
    key, _, value = override.partition("=")
    *above, last = key.split(".")
    here = told
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here[part]
    here[last] = yaml.safe_load(value)
    return told


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("task", TASK_SETTINGS)
def test_the_schema_takes_every_template(task):
    VALIDATOR.validate(yaml.safe_load(template(task)))
    VALIDATOR.validate(yaml.safe_load(dump(parse(template(task)))))


def test_the_schema_takes_a_file_that_leaves_out_all_defaults(small):
    VALIDATOR.validate(yaml.safe_load(small.read_text()))


@pytest.mark.parametrize("override", WRONG)
def test_the_schema_refuses_what_load_refuses(small, override):
    with pytest.raises(Exception, match="expected"):
        load(small, [override])
    assert not VALIDATOR.is_valid(overridden(small.read_text(), override))


@pytest.mark.parametrize("path", sorted(ROOT.glob("tasks/*.yaml")), ids=lambda path: path.name)
def test_the_schema_takes_every_task_file(path):
    load(path)
    VALIDATOR.validate(yaml.safe_load(path.read_text()))


def test_the_schema_beside_the_task_files_is_the_current_one():
    assert (ROOT / "tasks" / "schema.json").read_text() == json.dumps(
        json_schema(), indent=1
    ) + "\n"
