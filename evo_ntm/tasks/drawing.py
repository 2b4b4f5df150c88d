"""Drawing episodes of a task that may be anybody's: what it raises or gives is told in one line."""

from collections.abc import Iterator, Mapping, Sized
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from evo_ntm.errors import TaskError, in_words
from evo_ntm.seeds import Generator
from evo_ntm.tasks.hosting import answering, called, rewarding
from evo_ntm.tasks.lives import Lives, Share
from evo_ntm.tasks.task import Drawn, Episodes, Task
from evo_ntm.topology.parts import total

LONGEST = 10**9  # steps


def draw(task: Task, generator: Generator, lanes: int) -> Drawn:
    """Ask a task for the episodes of so many lanes, all from the generator.

    Raises TaskError where it raises, with its line, or where what it gives cannot be scored.
    """
    with answering(task, "episodes"):
        drawn = task.episodes(generator, lanes)
        if isinstance(drawn, Lives):
            rewarding(task)
        for part, expected, came in _faults(task, drawn, lanes):
            raise TaskError(f"expected {part} of {called(task)} to be {expected}, but came {came}")
    return drawn


def draw_lives(task: Task, generator: Generator, lanes: int) -> Share:
    """Ask a task that rewards for so many lives of one world, all from the generator.

    Raises TaskError, also where it gives sequences, or lives of several worlds.
    """
    drawn = draw(task, generator, lanes)
    shares = drawn.shares if isinstance(drawn, Lives) else ()
    if len(shares) != 1:
        raise TaskError(f"expected lives of one world by {called(task)}, but came "
                        f"{len(shares) or 'no'} worlds")  # fmt: skip
    return shares[0]


def _faults(task: Task, drawn: object, lanes: int) -> Iterator[tuple[str, str, object]]:
    """Tell what is wrong with episodes: of which part, what was expected, what came."""
    if isinstance(drawn, Lives):
        yield from _faults_of_lives(drawn, lanes)
        return
    if not isinstance(drawn, Episodes):
        yield "episodes", "Episodes or Lives", type(drawn).__name__
        return
    inputs, targets, scored, lengths = drawn
    for part in ("inputs", "targets", "scored"):
        if not isinstance(tensor := getattr(drawn, part), Tensor):
            yield part, "a tensor", type(tensor).__name__
    steps = len(inputs)
    shapes = {
        "inputs": (inputs, (steps, lanes, total(task.inputs)), torch.float32),
        "targets": (targets, (steps, lanes, total(task.outputs)), targets.dtype),
        "scored": (scored, (steps, lanes), torch.bool),
    }
    for part, (tensor, expected, kind) in shapes.items():
        if tuple(tensor.shape) != expected:
            yield part, f"of shape {list(expected)}", list(tensor.shape)
        if tensor.dtype != kind:
            yield part, f"of {kind}", tensor.dtype
    if not steps:
        yield "inputs", "of at least one step", "none"
    if not targets.is_floating_point():
        yield "targets", "of a kind that has fractions, as torch.float32", targets.dtype
    if not isinstance(lengths, Sized) or len(lengths) != lanes:
        yield "lengths", f"{lanes} numbers", _count(lengths)
    asked = targets[scored]
    if odd := [length for length in lengths if not _counts(length, steps)]:
        yield "lengths", f"whole numbers of Python from 1 to {steps}", _kindly(odd[0])
    elif not scored.any():
        yield "scored", "true in some step", "none that is"
    elif not (inputs.isfinite().all() and asked.isfinite().all()):
        yield "inputs and targets", "numbers", "some that are none"
    elif (others := asked[(asked != 0) & (asked != 1)]).numel():
        yield "targets", "bits, 0 or 1", f"{others[0]:g}"


def _count(lengths: object) -> str:
    """Tell how many there are, or what came instead of any."""
    return str(len(lengths)) if isinstance(lengths, Sized) else in_words(lengths)


def _kindly(came: object) -> str:
    """Show a value with its kind where it is no whole number of Python."""
    return str(came) if type(came) is int else f"{came} ({type(came).__name__})"


def _counts(length: object, most: int) -> bool:
    return isinstance(length, int) and 1 <= length <= most


def _faults_of_lives(lives: Lives, lanes: int) -> Iterator[tuple[str, str, object]]:
    """Tell what is wrong with lives, before anybody leads them."""
    for share in lives.shares:
        theirs: Any = share
        if not isinstance(theirs.lengths, Sized):
            yield "lengths", "numbers, one a lane", in_words(theirs.lengths)
        if not isinstance(theirs.fates, Mapping):
            yield "fates", "tensors by name", in_words(theirs.fates)
    if len(lives.lengths) != lanes:
        yield "lengths", f"{lanes} numbers", len(lives.lengths)
    if odd := [length for length in lives.lengths if not _counts(length, LONGEST)]:
        yield "lengths", f"whole numbers of Python from 1 to {LONGEST:,}", _kindly(odd[0])
    for world, fates, lengths, _ in lives.shares:
        if not isinstance(world.best, int | float) or not isfinite(world.best):
            yield "best", "a number", world.best
        for name, fate in fates.items():
            if not isinstance(fate, Tensor) or len(fate) != len(lengths):
                came = list(fate.shape) if isinstance(fate, Tensor) else type(fate).__name__
                yield f"fates {name!r}", f"a tensor of {len(lengths)} lanes", came
