"""Whether a run that is evolved again from a checkpoint comes out as it did."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evo_ntm.errors import RunError
from evo_ntm.runs.checkpoints import Tensors, Words, find_checkpoint, state_hash
from evo_ntm.runs.run import Run

SAME = ("number", "parents", "operators", "genome", "fitness")


def births_drift(run: Run, generation: int, births: Sequence[Mapping[str, Any]]) -> str | None:
    """Tell how the births of a generation differ from those that were committed before."""
    question = f"SELECT {', '.join(SAME)} FROM births WHERE generation = ? AND number >= ?"
    first = births[0]["number"] if births else 0
    before = [tuple(row) for row in run.rows(question, generation, first)]
    now = [tuple(_value(birth[name]) for name in SAME) for birth in births]
    for was, came in zip(before, now, strict=False):
        if was != came:
            return f"birth {was[0]} was {_told(was)}, but is now {_told(came)}"
    if len(before) != len(now):
        return f"there were {len(before)} births, but now there are {len(now)}"
    return None


def state_drift(run: Run, words: Words, tensors: Tensors) -> str | None:
    """Tell how what follows a generation differs from its checkpoint, if there was one.

    Births may be the same although a step size or a moment is not. Clocks are no part of it, nor
    whether the run was to end there, for it may have been given other limits since.
    """
    was = _state_of(run, int(words["generation"]))
    if was in {None, *(state_hash({**words, "ended": ended}, tensors) for ended in (True, False))}:
        return None
    return f"the state after it was {was}, but is now {state_hash(words, tensors)}"


def _state_of(run: Run, generation: int) -> str | None:
    for row in run.rows("SELECT state FROM checkpoints WHERE generation = ?", generation):
        if row["state"] is not None:
            return str(row["state"])
    try:  # committed by version 2, or published and never committed
        return state_hash(*find_checkpoint(run.checkpoint_file(generation)))
    except RunError:
        return None


def _value(value: object) -> object:
    return json.dumps(value) if isinstance(value, list) else value


def _told(birth: Sequence[Any]) -> str:
    _, parents, operators, genome, fitness = birth
    return f"{operators} of {parents}, genome {genome}, fitness {fitness!r}"
