"""What a report is as JSON, and what of it is read back."""

import json
from dataclasses import dataclass
from math import inf, nan
from typing import Literal, NamedTuple

import numpy as np
import pytest

from evo_ntm.reports.plain import plain, restored
from tests.evolution.cases import tiny


class Pair(NamedTuple):
    left: float
    right: object


@dataclass(frozen=True)
class Inner:
    name: str
    worth: float


@dataclass(frozen=True)
class Outer:
    count: int
    flag: bool
    kind: Literal["one", "other"]
    words: tuple[str, ...]
    inners: tuple[Inner, ...]
    best: Inner


OUTER = Outer(3, True, "other", ("a", "b"), (Inner("x", 1.5), Inner("y", inf)), Inner("z", 0.0))


def test_values_become_what_json_takes_and_nothing_else():
    told = plain({
        "numbers": np.array([[1.0, nan], [inf, 2.5]]),
        "flags": np.array([True, False]),
        "one": np.float32(0.5),
        "pair": Pair(-inf, {1: (2, None)}),
        "value": OUTER,
    })  # fmt: skip
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["numbers"] == [[1.0, None], [None, 2.5]] and told["flags"] == [True, False]
    assert told["one"] == 0.5 and told["pair"] == {"left": None, "right": {"1": [2, None]}}
    assert told["value"]["inners"] == [{"name": "x", "worth": 1.5}, {"name": "y", "worth": None}]


def test_a_topology_is_told_in_words_and_in_parts():
    topology = tiny(heads=1).topology
    told = plain(topology)
    assert told["told"] == str(topology)
    assert [head["kind"] for head in told["heads"]] == ["writer", "reader"]
    assert told["controller"]["layers"][0][0]["size"] == 1


def test_what_json_does_not_take_is_refused():
    with pytest.raises(TypeError, match="^expected what JSON takes, but came set$"):
        plain([{1, 2}])


def test_a_value_comes_back_from_json():
    assert restored(Outer, json.loads(json.dumps(plain(OUTER)))) == OUTER


@pytest.mark.parametrize(
    "change",
    [
        {"count": "3"},
        {"count": True},
        {"flag": 1},
        {"kind": "third"},
        {"words": "ab"},
        {"words": [1]},
        {"inners": [{"name": "x"}]},
        {"best": None},
        {"best": {"name": "z", "worth": "much"}},
    ],
)
def test_what_makes_no_value_is_refused(change):
    told = {**plain(OUTER), **change}
    with pytest.raises((TypeError, ValueError, KeyError)):
        restored(Outer, told)
