"""The model that all settings share: frozen, strict, and closed to unknown keys."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from evo_ntm.errors import nearest

S = TypeVar("S", bound="Settings")
Path = tuple[str | int, ...]


class Settings(BaseModel):
    """A frozen group of keys of a task file. Unknown keys are refused, and lists become tuples."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, told: Any) -> Any:
        # A misspelt key is often a missing one too: saying how it is spelt comes first.
        if not isinstance(told, Mapping):
            return told
        known = cls.keys()
        for key in told:
            if key not in known and cls.model_config.get("extra") == "forbid":
                refuse((key,), "a known key", key, cls.meant(str(key)))
        return frozen(dict(told))

    @classmethod
    def meant(cls, key: str) -> str:
        """Suggest what was meant by an unknown key."""
        return nearest(key, cls.keys())

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """List the keys as a task file spells them."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


class OwnSettings(Settings):
    """The settings of somebody's own task or operator, which only its author can check."""

    model_config = ConfigDict(extra="allow")


def frozen(value: Any) -> Any:
    """Turn lists into tuples, at every depth."""
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    return value


def refuse(path: Path, expected: str, came: object, suggestion: str = "") -> NoReturn:
    """Raise the error that says what was expected at a key, and what came."""
    kind = PydanticCustomError(
        "refused", "{expected}", {"expected": expected, "suggestion": suggestion}
    )
    details = InitErrorDetails(type=kind, loc=path, input=came)
    raise ValidationError.from_exception_data("task file", [details])


def within(path: Path, model: type[S], told: object) -> S:
    """Check a group of keys that lies below another, so that errors name the whole path."""
    try:
        return model.model_validate(told)
    except ValidationError as error:
        found = [
            InitErrorDetails(
                type=PydanticCustomError(one["type"], one["msg"], one.get("ctx")),
                loc=(*path, *one["loc"]),
                input=one["input"],
            )
            for one in error.errors(include_url=False)
        ]
        raise ValidationError.from_exception_data("task file", found) from error


def join(words: Iterable[object]) -> str:
    """List words as a sentence does."""
    return ", ".join(map(str, words))


UNBOUNDED = 0
"""Stands for as many memory rows as it takes, which a task file calls `unbounded`."""


def _endless(told: Any) -> Any:
    if told == "unbounded":
        return UNBOUNDED
    if isinstance(told, int) and not isinstance(told, bool) and told < 1:
        refuse((), "at least 1, or unbounded", told)
    return told


def told_rows(rows: int) -> int | str:
    """Say how many memory rows there are, as a task file does."""
    return "unbounded" if rows == UNBOUNDED else rows


def shown_rows(rows: int) -> str:
    """Say the same in a table."""
    return "unbounded" if rows == UNBOUNDED else f"{rows:,}"


def most_rows(*rows: int) -> int:
    """Choose the most of some numbers of memory rows, above which UNBOUNDED is."""
    return UNBOUNDED if UNBOUNDED in rows else max(rows)


def _pair(told: Any) -> Any:
    whole = isinstance(told, int) and not isinstance(told, bool)
    both = (told, told) if whole or told == "unbounded" else told
    if not isinstance(both, tuple | list) or len(both) != 2:
        refuse((), "a whole number or a range [low, high]", told)
    return tuple(both)


def _range(told: Any) -> Any:
    if not isinstance(told, tuple | list) or len(told) != 2:
        refuse((), "a range [low, high]", told)
    return tuple(told)


def _ordered(span: tuple[int, int]) -> tuple[int, int]:
    if span[0] > span[1]:
        refuse((), "a range whose low end comes first", span)
    return span


def _endless_alone(span: tuple[int, int]) -> tuple[int, int]:
    if UNBOUNDED in span and span[0] != span[1]:
        refuse((), "unbounded, or a range of two numbers", list(map(told_rows, span)))
    return span


def _shortly(span: tuple[int, int]) -> int | str | list[int]:
    return told_rows(span[0]) if span[0] == span[1] else list(span)


Positive = Annotated[int, Field(ge=1, le=10**9)]
Many = Annotated[int, Field(ge=1, le=10**6)]
"""As many genomes, sequences or memory rows as any computer may hold."""
Size = Annotated[int, Field(ge=1, le=4096)]
"""As many units or columns."""
Natural = Annotated[int, Field(ge=0, le=10**9)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(gt=0, le=10**9)]

PositiveRange = Annotated[
    tuple[Positive, Positive], BeforeValidator(_range), AfterValidator(_ordered)
]
"""A pair of whole numbers from 1, both included."""
SizeRange = Annotated[tuple[Size, Size], BeforeValidator(_range), AfterValidator(_ordered)]
NaturalRange = Annotated[tuple[Natural, Natural], BeforeValidator(_range), AfterValidator(_ordered)]
"""A pair of whole numbers from 0, both included."""

_WHOLE = {"type": "integer", "minimum": 1, "maximum": 10**6}
_PAIR = {"type": "array", "items": _WHOLE, "minItems": 2, "maxItems": 2}
_ENDLESS = {"const": "unbounded"}
Cells = Annotated[
    int,
    Field(ge=0, le=10**6),
    BeforeValidator(_endless),
    PlainSerializer(told_rows),
    WithJsonSchema({"anyOf": [_WHOLE, _ENDLESS]}),
]
"""A number of memory rows, or UNBOUNDED."""
NumberOrRange = Annotated[
    tuple[Cells, Cells],
    BeforeValidator(_pair),
    AfterValidator(_endless_alone),
    AfterValidator(_ordered),
    PlainSerializer(_shortly),
    WithJsonSchema({"anyOf": [_WHOLE, _PAIR, _ENDLESS]}),
]
"""A pair of numbers of memory rows; where both are equal, one number stands for it."""
