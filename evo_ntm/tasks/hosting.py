"""A task may be anybody's: what it raises, or is, is told in one line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.errors import TaskError, in_words, somebody_elses
from evo_ntm.tasks.lives import MISSED, REWARD, Fates, Life, World
from evo_ntm.tasks.task import Episodes, Grades, KnownTask, Measured, RewardTask, Task, Worthy
from evo_ntm.topology import Block
from evo_ntm.topology.parts import total

T = TypeVar("T")

OURS = __name__.partition(".")[0]
MEMBERS = "name", "choice", "best", "live", "extent", "with_settings"
"""What a task has that rewards what is done, beside channels and episodes."""
OF_LIVES = "observation", "reward", "done", "score", "marks", "react", "among"
SINGLE = "numbers of torch.float32"  # as machines compute
HAIR = 1e-5  # that a worth may exceed 1 by being rounded


@contextmanager
def answering(task: object, what: str) -> Iterator[None]:
    """Let a task of somebody else's raise, for what is our own fault shall look like one."""
    if is_ours(task):
        yield
        return
    with somebody_elses(f"{what} of {called(task)}", TaskError):
        yield


def is_ours(task: object) -> bool:
    """Tell whether a task is one of this package."""
    return type(task).__module__.partition(".")[0] == OURS


def called(task: object) -> str:
    """Name a task as its file does, or by its class."""
    return f"task {getattr(task, 'name', type(task).__name__)!r}"


def changed(task: T, settings: Mapping[str, object]) -> T:
    """Give a task with some settings changed. Raises TaskError, also where it has none."""
    if not settings:
        return welcome(task)
    if not isinstance(task, KnownTask):
        raise TaskError(f"expected a task with settings ({', '.join(settings)}), but "
                        f"{type(task).__name__} lacks some of KnownTask")  # fmt: skip
    with answering(task, "settings"):
        return welcome(cast(T, task.with_settings(**settings)))


def welcome(task: T) -> T:
    """Give a task as it is, if it is one. Raises TaskError where it has no such channels."""
    with answering(task, "channels"):
        came: Any = task
        if isinstance(came, type) or not isinstance(came, Task):
            told = f"the class {came.__name__}" if isinstance(came, type) else in_words(came)
            raise TaskError("expected a task, an object with inputs, outputs and episodes, but "
                            f"came {told}")  # fmt: skip
        blocks = [*_blocks(task, "inputs"), *_blocks(task, "outputs")]
        rewards = hasattr(task, "live")
    births = [block.birth for block in blocks]
    for number, birth in enumerate(births):
        if birth in births[:number]:
            raise TaskError(f"expected every block of channels of {called(task)} to have a birth "
                            f"of its own, but {birth} came twice")  # fmt: skip
    if isinstance(task, KnownTask):
        _refuse_extent(task)
    if rewards:
        rewarding(task)
    return task


def rewarding(task: object) -> RewardTask:
    """Give a task that rewards what is done. Raises TaskError where it lacks what these have."""
    with answering(task, "members"):
        lacks = [name for name in MEMBERS if getattr(task, name, None) is None]
        if lacks:
            raise TaskError(f"expected {called(task)} to have all that a task has that rewards "
                            f"what is done, but it has no {', no '.join(lacks)}")  # fmt: skip
        assert isinstance(task, RewardTask)
        if not isinstance(choice := task.choice, bool):
            raise TaskError(f"expected choice of {called(task)} to be true or false, but came "
                            f"{choice!r}")  # fmt: skip
    return task


def begun(world: World, fates: Fates, lanes: int) -> Life:
    """Begin the lives that these fates are of. Raises TaskError where these cannot be led."""
    with answering(world, "lives"):
        life: Any = world.live(fates)
        _refuse_lifeless(world, life)
        channels = total(world.inputs) if isinstance(world, Task) else life.observation.shape[-1]
        for name, kind, shape in (
            ("observation", SINGLE, (lanes, channels)),
            ("done", "truths", (lanes,)),
            ("score", "numbers", (lanes,)),
        ):
            _refuse_part(world, name, getattr(life, name), kind, shape)
        marks = life.marks
        if not isinstance(marks, Mapping):
            raise TaskError(f"expected marks of {called(world)} by name, but came "
                            f"{in_words(marks)}")  # fmt: skip
        for name in (MISSED, REWARD):
            _refuse_part(world, f"marks[{name!r}]", marks.get(name), None, (lanes,))
    return life  # type: ignore[no-any-return]


def reacted(world: World, life: Life, answer: Tensor) -> Life:
    """Let lives go on from an answer, given in logits.

    Raises TaskError where these are none any more, or where a life that was done goes on.
    """
    after = life.react(answer)
    if is_ours(world):
        return after
    _refuse_lifeless(world, after)
    over = life.done
    moved = over & (life.score != after.score)
    if moved.any() or not (~over | after.done).all():
        raise TaskError(f"expected a life of {called(world)} that is done to stay as it is, "
                        "whatever it is answered, but one goes on")  # fmt: skip
    return after


def _refuse_lifeless(world: World, life: object) -> None:
    """Refuse what lacks anything that a life has. Raises TaskError."""
    if lacks := [name for name in OF_LIVES if not hasattr(life, name)]:
        raise TaskError(f"expected lives of {called(world)} to have all that a Life has, but "
                        f"they have no {', no '.join(lacks)}")  # fmt: skip


def finite(world: World, name: str, numbers: Tensor) -> Tensor:
    """Give numbers of a life. Raises TaskError where any is none."""
    if not numbers.isfinite().all():
        odd = numbers[~numbers.isfinite()][0]
        raise TaskError(f"expected {name} of {called(world)} to be a number, but came {odd:g}")
    return numbers


def _refuse_part(
    world: World, name: str, value: object, kind: str | None, shape: tuple[int, ...]
) -> None:
    """Refuse a part of a life that is no tensor for all lanes."""
    came: object = type(value).__name__
    if isinstance(value, Tensor):
        if _is_of(kind, value.dtype) and tuple(value.shape[-len(shape) :]) == shape:
            return
        came = f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    raise TaskError(f"expected {name} of {called(world)} to be a tensor of {kind or 'numbers'} "
                    f"{list(shape)}, but came {came}")  # fmt: skip


def _is_of(kind: str | None, dtype: torch.dtype) -> bool:
    """Tell whether a tensor holds what a part of a life is to hold; None is anything."""
    if kind == SINGLE:
        return dtype == torch.float32
    return kind is None or (dtype == torch.bool) == (kind == "truths")


def _blocks(task: object, side: str) -> tuple[Block, ...]:
    """Give the channels of a side. Raises TaskError where there are none."""
    blocks: Any = getattr(task, side)
    if not (isinstance(blocks, tuple) and blocks and all(isinstance(one, Block) for one in blocks)):
        raise TaskError(f"expected {side} of {called(task)} to be a tuple of Block, "
                        f"but came {blocks!r}")  # fmt: skip
    return blocks


def own_measures(task: Measured, episodes: Episodes, grades: Grades) -> dict[str, Tensor]:
    """Ask for a task's own measures. Raises TaskError where they are none of a population."""
    told: Any = task.measures(episodes, grades)
    if not isinstance(told, Mapping):
        raise TaskError(f"expected measures of {called(task)} by name, but came {told!r}")
    for name, value in told.items():
        _refuse_shape(f"the measure {name!r} of {called(task)}", value, grades.bits.shape[:-1])
    return dict(told)


def own_worth(
    task: Worthy, episodes: Episodes, logits: Float[Tensor, "T *population B O"]
) -> Float[Tensor, "*population B"]:
    """Ask a task what answers are worth. Raises TaskError where that is more than 1 a sequence."""
    worth: Any = task.worth(episodes, logits)
    _refuse_shape(f"the worth by {called(task)}", worth, logits.shape[1:-1])
    if (worth > 1 + HAIR).any():
        raise TaskError(f"expected the worth by {called(task)} to be at most 1 a sequence, but "
                        f"came {worth.max():g}")  # fmt: skip
    return worth  # type: ignore[no-any-return]


def _refuse_shape(what: str, value: object, expected: torch.Size) -> None:
    came = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
    if came != list(expected):
        raise TaskError(f"expected {what} to be a tensor of shape {list(expected)}, "
                        f"but came {came}")  # fmt: skip


def _refuse_extent(task: KnownTask) -> None:
    """Refuse an extent that tables cannot show. Raises TaskError."""
    with answering(task, "extent"):
        told: Any = task.extent()
    numbers = told.values() if isinstance(told, Mapping) else [None]
    if not all(_counts(one) for one in numbers):
        raise TaskError(f"expected the extent of {called(task)} to name whole numbers, or lists "
                        f"of two, but came {told!r}")  # fmt: skip


def _counts(told: object) -> bool:
    if isinstance(told, list):
        return len(told) == 2 and all(_counts(one) for one in told)
    return isinstance(told, int)
