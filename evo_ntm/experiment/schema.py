"""The JSON Schema of task files, which editors use to complete, explain and check them."""

from typing import Any

from evo_ntm.experiment.experiment import Experiment
from evo_ntm.experiment.operators import OPERATOR_SETTINGS, OPERATORS, Operator
from evo_ntm.experiment.tasks import TASK_SETTINGS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def json_schema() -> Schema:
    """Generate the schema. What `with` may hold depends on the task."""
    schema = Experiment.model_json_schema(by_alias=True)
    definitions: Schema = schema["$defs"]
    for models in (TASK_SETTINGS, OPERATOR_SETTINGS):
        for model in models.values():
            definitions[model.__name__] = model.model_json_schema()
    schema["required"].remove("name")
    del schema["properties"]["overrides"]  # which only the file of a run may have
    schema["properties"]["task"]["examples"] = list(TASK_SETTINGS)
    schema["allOf"] = [
        _case(task, f"#/$defs/{model.__name__}") for task, model in TASK_SETTINGS.items()
    ]
    for name in ("EvolutionStrategy", "Genetic", "NEAT", "CMA"):
        _operators(definitions[name]["properties"]["operators"])
    told: Schema = _without_titles({"$schema": DRAFT, **schema})
    return told


def _without_titles(told: Any) -> Any:
    """Leave out the titles, which only repeat the keys."""
    if isinstance(told, list):
        return [_without_titles(item) for item in told]
    if not isinstance(told, dict):
        return told
    kept = {key: _without_titles(item) for key, item in told.items()}
    return {key: item for key, item in kept.items() if key != "title" or isinstance(item, dict)}


def _case(task: str, settings: str) -> Schema:
    """Say what `with` may hold, at every place, where the task is this one."""
    here = {"properties": {"with": {"$ref": settings}}}
    many = {"items": here}
    exam = {"properties": {"validation": many, "parts": many}}
    told = {"with": {"$ref": settings}, "curriculum": many, "exam": exam}
    return {
        "if": {"properties": {"task": {"const": task}}, "required": ["task"]},
        "then": {"properties": told},
    }


def _operators(place: Schema) -> None:
    """Name the operators of this package; those of others may hold anything."""
    place["properties"] = {
        name: {
            "$ref": f"#/$defs/{OPERATOR_SETTINGS.get(name, Operator).__name__}",
            "description": description,
        }
        for name, description in OPERATORS.items()
    }
    place["additionalProperties"] = {"$ref": "#/$defs/OwnOperator"}
