"""YAML in and out, stricter than YAML: no key twice, no surprises, no bombs."""

import re
from typing import Any, NoReturn

import yaml

from evo_ntm.errors import ExperimentError

LARGEST = 1_000_000
MOST_VALUES = 20_000
DEEPEST = 50
LONGEST_NUMBER = 400
DECIMAL = re.compile(
    r"[-+]?(0|[1-9][0-9_]*)(\.[0-9_]*([eE][-+][0-9]+)?)?|[-+]?\.([0-9]+|inf|nan)", re.I
)


class _Loader(yaml.SafeLoader):
    """Reads words, lists and groups, and numbers to the base of ten only."""

    def decimal(self, node: yaml.ScalarNode) -> int | float:
        if not DECIMAL.fullmatch(node.value) or len(node.value) > LONGEST_NUMBER:
            raise _refused(node, f"a plain decimal number, but came {_shown(node)}")
        whole = node.tag == f"{_TAG}int"
        return self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)

    def text(self, node: yaml.ScalarNode) -> str:
        return str(node.value)

    def nothing(self, node: yaml.Node) -> NoReturn:
        raise _refused(node, f"plain values, but came the tag {node.tag!r}")


_TAG = "tag:yaml.org,2002:"
for _kind in ("int", "float"):
    _Loader.add_constructor(f"{_TAG}{_kind}", _Loader.decimal)
for _kind in ("binary", "omap", "pairs", "set"):
    _Loader.add_constructor(f"{_TAG}{_kind}", _Loader.nothing)
_Loader.add_constructor(f"{_TAG}timestamp", _Loader.text)


def read_yaml(text: str, source: str) -> Any:
    """Read one document. Raises ExperimentError, naming the source and the line."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark and "\n" in text else ""
        problem = " ".join(str(error.problem or error.context).split())
        told = problem.startswith("expected")
        came = problem if told else f"expected YAML, but {problem.removeprefix('but ')}"
        raise ExperimentError(f"{source}{line}: {came}") from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ExperimentError(f"{source}: expected YAML, but {problem}") from error
    except RecursionError as error:
        raise ExperimentError(
            f"{source}: expected at most {DEEPEST} levels, but it is nested deeper"
        ) from error
    except (ValueError, KeyError) as error:  # an explicit tag that its value belies
        raise ExperimentError(f"{source}: expected plain values, but {error!r}") from error


def write_yaml(told: Any) -> str:
    """Write a document that `read_yaml` reads back."""
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)


def inline(value: Any) -> str:
    """Write a value on one line."""
    text = yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10**6
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _refused(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, f"expected {problem}", node.start_mark)


def _check(root: yaml.Node) -> None:
    """Refuse a key that comes twice, aliases that unfold to far too much, and endless ones."""
    values, level = 0, [root]
    for _ in range(DEEPEST):
        following: list[yaml.Node] = []
        for node in level:
            values += 1
            if isinstance(node, yaml.MappingNode):
                _check_keys(node)
                following += [part for _, part in node.value]
            elif isinstance(node, yaml.SequenceNode):
                following += node.value
            if values + len(following) > MOST_VALUES:
                raise _refused(node, f"at most {MOST_VALUES} values, but there are more")
        level = following
        if not level:
            return
    raise _refused(level[0], f"at most {DEEPEST} levels, but it is nested deeper")


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.tag not in (f"{_TAG}str", f"{_TAG}merge"):
            raise _refused(key, f"a word as a key, but came {_shown(key)}")
        if key.value in seen:
            raise _refused(key, f"each key once, but {key.value!r} came twice")
        seen.add(key.value)


def _shown(node: yaml.Node) -> str:
    return repr(node.value[:40]) if isinstance(node, yaml.ScalarNode) else "a list or a group"
