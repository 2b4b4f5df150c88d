"""What is wrong with a task file, in one line: file, key, what was expected, what came."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from evo_ntm.errors import ExperimentError, nearest
from evo_ntm.experiment.model import Path, join

EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a group of keys",
    "mapping_type": "a group of keys",
    "model_type": "a group of keys",
    "model_attributes_type": "a group of keys",
    "none_required": "null",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "text of at least {min_length} letter",
    "string_too_long": "text of at most {max_length} letters",
    "string_pattern_mismatch": "letters a to z, digits, spaces, -, _ or ., first no space and no .",
    "literal_error": "one of {expected}",
    "union_tag_invalid": "one of {expected_tags}",
}
MOST_WHOLE = 1e15
POWER = re.compile(r"([-+]?[0-9]+)(\.[0-9]*)?[eE]([-+]?)([0-9]+)")
LONGEST = 60


def complaint(error: ValidationError, told: Any, source: str) -> ExperimentError:
    """Say the first thing that is wrong."""
    first = _first(error)
    path = dotted(_path(first, told))
    return ExperimentError(": ".join(part for part in (source, path, _sentence(first)) if part))


def touching(error: ValidationError, told: Any, overrides: Sequence[str]) -> list[str]:
    """Choose the overrides of the key that is complained of, or of what is above or below it."""
    path = dotted(_path(_first(error), told)) + "."
    keys = [(override, override.partition("=")[0] + ".") for override in overrides]
    return [override for override, key in keys if path.startswith(key) or key.startswith(path)]


def _first(error: ValidationError) -> ErrorDetails:
    # A misspelt key comes before what it leaves missing.
    return min(error.errors(include_url=False), key=lambda one: one["type"] != "refused")


def refusal(
    source: str, path: Path, expected: str, came: object, suggestion: str = ""
) -> ExperimentError:
    """Say what was expected at a key of a file, what came, and what was perhaps meant."""
    told = f": {suggestion}" if suggestion else ""
    where = f"{source}: {dotted(path)}"
    return ExperimentError(f"{where}: expected {expected}, but came {shown(came)}{told}")


def _sentence(error: ErrorDetails) -> str:
    kind, context, came = error["type"], error.get("ctx", {}), error["input"]
    if kind in ("missing", "union_tag_not_found"):
        return "expected this key, but it is missing"
    if kind == "refused":
        told = f": {context['suggestion']}" if context["suggestion"] else ""
        return f"expected {context['expected']}, but came {shown(came)}{told}"
    if kind == "union_tag_invalid":
        came = came[_tag(error)]
    words = {name: _plainly(value) for name, value in context.items()}
    expected = EXPECTED[kind].format(**words) if kind in EXPECTED else error["msg"]
    return f"expected {expected}, but came {shown(came)}{_suggestion(error, came)}"


def _plainly(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace("'", "").replace(" or ", ", ")


def _tag(error: ErrorDetails) -> str:
    return str(error["ctx"]["discriminator"]).strip("'")


def _suggestion(error: ErrorDetails, came: object) -> str:
    if not isinstance(came, str):
        return ""
    told = ""
    if error["type"] in ("literal_error", "union_tag_invalid"):
        words = error["ctx"].get("expected", error["ctx"].get("expected_tags"))
        told = nearest(came, re.findall(r"'([^']*)'", str(words)))
    elif error["type"] in ("int_type", "float_type"):
        told = _as_yaml_would(came, whole=error["type"] == "int_type")
    return f": {told}" if told and not told.startswith("known") else ""


def _as_yaml_would(came: str, *, whole: bool) -> str:
    if not (match := POWER.fullmatch(came)):
        return ""
    if whole:  # for 1.0e+9 is none
        number = float(came)
        fits = number.is_integer() and abs(number) < MOST_WHOLE
        return f"YAML takes {came} for text, write {number:.0f}" if fits else ""
    integer, fraction, sign, power = match.groups()
    digits = fraction if fraction and len(fraction) > 1 else ".0"
    return f"YAML takes {came} for text, write {integer}{digits}e{sign or '+'}{power}"


def _path(error: ErrorDetails, told: Any) -> Path:
    """Give the path of keys to an error, without the tags of alternatives that pydantic adds."""
    path: list[str | int] = []
    here, last = told, len(error["loc"]) - 1
    for place, part in enumerate(error["loc"]):
        if isinstance(here, Mapping) and part in here:
            within = here[part] if isinstance(here[part], Mapping) else ()
            if error["loc"][place + 1 : place + 2] == (part,) and part not in within:
                continue  # a tag, before an unknown key of its name
            here = here[part]
        elif isinstance(part, int) and isinstance(here, Sequence) and part < len(here):
            here = here[part] if not isinstance(here, str) else None
        elif place < last or isinstance(part, int):
            continue
        path.append(part)
    if error["type"].startswith("union_tag"):
        path.append(_tag(error))
    return tuple(path)


def dotted(path: Path) -> str:
    """Write a path of keys as `--set` takes it."""
    return ".".join(part if _plain(part) else shown(part) for part in map(str, path))


def _plain(word: str) -> bool:
    return re.fullmatch(r"[\w-]{1,60}", word) is not None


def shown(value: object) -> str:
    """Show a value on one line, as short as it takes to be recognised."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        text = f"a group of keys ({join(value)})" if value else "an empty group of keys"
        return shorten(text)
    if isinstance(value, list | tuple):
        return shorten(f"[{join(map(shown, value))}]")
    return shorten(repr(value))


def shorten(text: str) -> str:
    """Cut a long text in its middle."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]} … {text[-LONGEST // 4 :]}"
