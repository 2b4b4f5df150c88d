"""A task file to begin with, every key of it explained, made from the models themselves."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from pydantic.fields import FieldInfo

from evo_ntm.errors import ExperimentError, nearest
from evo_ntm.experiment.files import parse
from evo_ntm.experiment.model import OwnSettings, Settings
from evo_ntm.experiment.notation import inline
from evo_ntm.experiment.operators import OF_GRAPHS, OPERATORS, UNSTRUCTURED
from evo_ntm.experiment.tasks import describe

MARGIN, WIDTH = 34, 100
STRUCTURAL = [name for name in OPERATORS if name not in (*UNSTRUCTURED, *OF_GRAPHS)]


def template(task: str) -> str:
    """Write a complete task file for a task. Raises ExperimentError where it is not known."""
    known = describe()
    if task not in known:
        raise ExperimentError(
            f"expected the name of a task, but came {task!r}: {nearest(task, known)}"
        )
    experiment = parse({"task": task, **_beginning(task)}, name=task)
    sentence = known[task].strip()
    head = [f"# {sentence}", "#", f"#     evo-ntm evolve {task}.yaml", ""]
    return "\n".join([*head, *_lines(experiment, set(), skip=("name", "overrides"))]) + "\n"


def _lines(
    settings: Settings, told_of: set[type], *, indent: int = 0, skip: tuple[str, ...] = ()
) -> Iterator[str]:
    """Write key by key; what the items of lists hold is told of each kind of item once."""
    margin = " " * indent
    for name, field in type(settings).model_fields.items():
        value, key = getattr(settings, name), field.alias or name
        if name in skip:
            continue
        if indent == 0 and _long(value):
            yield ""
        if isinstance(value, OwnSettings) and not value.model_dump():
            yield _explained(f"{margin}{key}: {{}}", field)
        elif isinstance(value, Settings):
            yield _explained(f"{margin}{key}:", field)
            yield from _lines(value, told_of, indent=indent + 2)
        elif isinstance(value, Mapping) and value:
            yield _explained(f"{margin}{key}:", field)
            for operator, its in value.items():
                text = f"{margin}  {operator}: {inline(_told(its))}"
                yield _commented(text, OPERATORS.get(operator, ""))
        elif isinstance(value, tuple) and any(isinstance(item, Settings) for item in value):
            yield _explained(f"{margin}{key}:", field)
            if type(value[0]) not in told_of:
                yield from _keys_of(type(value[0]), f"{margin}  # ")
                told_of.add(type(value[0]))
            yield from (f"{margin}  - {inline(_told(item))}" for item in value)
        else:
            told = settings.model_dump(mode="json", by_alias=True, include={name})[key]
            yield _explained(f"{margin}{key}: {inline(told)}", field)


def _keys_of(model: type[Settings], margin: str) -> Iterator[str]:
    for key, field in zip(model.keys(), model.model_fields.values(), strict=True):
        yield f"{margin}{key}: {field.description}"


def _long(value: Any) -> bool:
    return isinstance(value, Settings | tuple)


def _told(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", by_alias=True, exclude_none=True)


def _explained(text: str, field: FieldInfo) -> str:
    return _commented(text, field.description or "")


def _commented(text: str, comment: str) -> str:
    """Put a comment beside the text, or above it where it is too long for that."""
    beside = f"{text:<{MARGIN - 2}}  # {comment}" if comment else text
    if len(beside) <= WIDTH:
        return beside
    margin = " " * (len(text) - len(text.lstrip()))
    above = [f"{margin}# {line}" for line in wrap(comment, WIDTH - len(margin) - 2)]
    return "\n".join([*above, text])


def _beginning(task: str) -> dict[str, Any]:
    """Choose what the models leave open: the exam, and whatever suits a task better."""
    told = _BEGINNINGS.get(task, _OWN)
    limit = told.get("at_most", {"wrong_bits": 0})
    parts = [
        {"name": name, "with": with_, "rows": rows, "sequences": sequences}
        for name, with_, rows, sequences in told["exam"]
    ]
    for part in parts[: told.get("deciding", 1)]:
        part["at_most"] = limit
    operators = {name: {"share": 1.0} for name in STRUCTURAL}
    return {
        "with": told.get("with", {}),
        "curriculum": told.get("curriculum", ()),
        "machine": told.get("machine", {}),
        "exam": {"validation": [{**parts[0], "sequences": 128}], "parts": parts},
        "evolve": {"operators": operators, **told.get("evolve", _EVOLUTION_STRATEGY)},
    }


_EVOLUTION_STRATEGY = {"strategy": "evolution_strategy"}
_OWN: dict[str, Any] = {"exam": [("as it is set", {}, 64, 1000)]}
_TIED = {"units": [16], "width": 12, "encoding": "tied"}
# A tape gives no gradient to follow, also not to an evolution strategy.
_GENETIC = {"strategy": "genetic", "sigma": 2.0, "operators": {"perturb": {"share": 1.0}}}
_TAPE = {"units": [], "tape_heads": 1, "heads": {"target": "controller"}}
_BEGINNINGS: dict[str, dict[str, Any]] = {
    "copy": {
        "with": {"longest": 10},
        "deciding": 2,
        "exam": [
            ("lengths 1 to 20", {"shortest": 1, "longest": 20}, 128, 1000),
            ("length 120", {"shortest": 120, "longest": 120}, 128, 100),
            ("length 500", {"shortest": 500, "longest": 500}, 512, 20),
        ],
    },
    "mirror_copy": {
        "with": {"longest": 10},
        "deciding": 2,
        "exam": [
            ("lengths 1 to 20", {"shortest": 1, "longest": 20}, 128, 1000),
            ("length 120", {"shortest": 120, "longest": 120}, 128, 100),
        ],
    },
    "repeat_copy": {
        "with": {"longest": 5, "most": 4},
        "machine": _TIED,
        "exam": [
            ("1 to 5 vectors, 1 to 4 times", {}, 64, 1000),
            ("10 vectors, 4 times", {"shortest": 10, "longest": 10}, 64, 100),
            ("5 vectors, 10 times", {"fewest": 10, "most": 10}, 64, 100),
        ],
    },
    "associative_recall": {
        "with": {"most": 6},
        "curriculum": [
            {"with": {"most": 3}, "until": {"wrong_bits": 1.0}},
            {"with": {"most": 4}, "until": {"wrong_bits": 1.0}},
            {"with": {"most": 6}},
        ],
        "machine": {**_TIED, "rows": [24, 64]},
        "exam": [
            ("2 to 6 items", {}, 64, 1000),
            ("10 items", {"fewest": 10, "most": 10}, 64, 100),
            ("20 items", {"fewest": 20, "most": 20}, 128, 100),
        ],
    },
    "ngrams": {
        "at_most": {"regret": 20.0},
        "exam": [("200 bits", {}, 128, 1000), ("400 bits", {"steps": 400}, 128, 100)],
    },
    "priority_sort": {
        "machine": {**_TIED, "rows": [24, 48]},
        "exam": [
            ("16 of 20 vectors", {}, 64, 1000),
            ("20 of 25 vectors", {"items": 25, "answers": 20}, 64, 100),
        ],
    },
    "entm_copy": {
        "at_most": {"shortfall": 0.001},
        "machine": {**_TAPE, "encoding": "tied", "tape": {"write": "overwrite"}},
        "exam": [
            ("lengths 1 to 10", {}, "unbounded", 1000),
            ("length 100", {"shortest": 100, "longest": 100}, "unbounded", 100),
        ],
        "evolve": {
            **_GENETIC,
            "population": 512,
            "generations": 200,
            "episodes": 50,
            "tournament": 3,
            "crossover": 0.5,
            "patience": 40,
            "operators": {"perturb": {"sigma": 4.0}},
        },
    },
    "t_maze": {
        "at_most": {"missed": 0},
        "machine": {**_TAPE, "width": 2, "rows": 8},
        "exam": [("all pairs of ends", {}, 8, 60)],
        "evolve": {**_GENETIC, "population": 300, "episodes": 12},
    },
    "season": {
        "at_most": {"shortfall": 0.05},
        "machine": {**_TAPE, "width": 10, "rows": 25},
        "exam": [
            ("3 years", {}, 25, 100),
            ("20 years", {"years": 20, "fewest_days": 4, "most_days": 10}, 25, 50),
        ],
        "evolve": {**_GENETIC, "population": 250, "episodes": 50},
    },
    "memory_length": {
        "at_most": {"missed": 0},
        "machine": {"width": 4},
        "exam": [
            ("up to 20 steps", {}, 32, 200),
            ("100 steps", {"shortest": 100, "longest": 100}, 32, 100),
        ],
    },
    "gymnasium": {
        "with": {"id": "CartPole-v1", "best": 500.0},
        "at_most": {"shortfall": 25.0},
        "machine": {"width": 4, "rows": 16},
        "exam": [("episodes", {}, 16, 100)],
    },
}
