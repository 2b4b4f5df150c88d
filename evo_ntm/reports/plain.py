"""Values of a report as JSON takes them, and read back."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import inf, isfinite
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from evo_ntm.topology import Topology

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Make dicts, lists, texts and numbers of a value; what is not finite is None.

    A topology is told in words, too. Raises TypeError where something else is in it.
    """
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Topology):
        return {"told": str(value), **_named(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return _named(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"expected what JSON takes, but came {type(value).__name__}")


def restored(kind: type[T], told: Mapping[str, Any]) -> T:
    """Read a frozen value of texts, numbers and the like back from what `plain` made of it.

    What was not finite is infinite. Raises TypeError, ValueError or KeyError where it makes none.
    """
    hints = get_type_hints(kind)
    values = {each.name: _value(hints[each.name], told[each.name]) for each in fields(kind)}  # type: ignore[arg-type]
    return kind(**values)


def _named(value: Any) -> dict[str, Any]:
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}


def _value(hint: Any, told: Any) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(told, list):
            raise TypeError(f"expected a list, but came {told!r}")
        return tuple(_value(get_args(hint)[0], item) for item in told)
    if is_dataclass(hint):
        return restored(hint, told)  # type: ignore[arg-type]
    if hint is float:
        return inf if told is None else float(told)
    if isinstance(hint, type) and type(told) is not hint:
        raise TypeError(f"expected {hint.__name__}, but came {told!r}")
    if not isinstance(hint, type) and told not in get_args(hint):
        raise ValueError(f"expected one of {get_args(hint)}, but came {told!r}")
    return told
