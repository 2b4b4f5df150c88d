"""What a task is: an environment. A sequence task is one that never looks at the answers."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float
from pydantic import ValidationError
from torch import Tensor

from evo_ntm.errors import TaskError, nearest
from evo_ntm.experiment.model import Settings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.lives import Lives, World
from evo_ntm.topology import Block

S = TypeVar("S", bound=Settings)
Extent = dict[str, int | list[int]]


class Episodes(NamedTuple):
    """Sequences to answer, one a lane: inputs, targets, the steps that count, their lengths."""

    inputs: Float[Tensor, "T B I"]
    targets: Float[Tensor, "T B O"]
    scored: Bool[Tensor, "T B"]
    lengths: tuple[int, ...]

    def to(self, device: torch.device | str) -> "Episodes":
        """Move the sequences to a device."""
        inputs, targets, scored, lengths = self
        return Episodes(inputs.to(device), targets.to(device), scored.to(device), lengths)


Drawn = Episodes | Lives


class Grades(NamedTuple):
    """How each sequence was answered: its cross-entropy in bits and its count of wrong bits.

    `worth` is what a task makes of it that has a way of its own.
    """

    bits: Float[Tensor, "*population B"]
    wrong_bits: Float[Tensor, "*population B"]
    worth: Float[Tensor, "*population B"] | None = None


@runtime_checkable
class Task(Protocol):
    """What is to be done: channels, and episodes made from a stream of random numbers.

    The episodes of a sequence task are sequences; those of a task that rewards are lives.
    """

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks; a block of exchangeable bits is `per_bit`."""

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""

    def episodes(self, generator: Generator, lanes: int) -> Drawn:
        """Make the episodes of so many lanes, all from the generator."""


@runtime_checkable
class SequenceTask(Task, Protocol):
    """A task whose episodes are sequences."""

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""


@runtime_checkable
class KnownTask(Task, Protocol):
    """A task that a task file can name: made of settings, without any it has the paper's."""

    @property
    def name(self) -> str:
        """Name the task as task files do."""

    def extent(self) -> Extent:
        """Tell how large the sequences are, under the words of an exam's rows."""

    def with_settings(self, /, **overrides: object) -> "KnownTask":
        """Make the same task with some settings changed. Raises TaskError."""


@runtime_checkable
class RewardTask(KnownTask, World, Protocol):
    """A task that rewards what is done; what is seen next may depend on it.

    An answer is a `choice`, the largest of several numbers, or as many numbers from 0 to 1.
    """

    @property
    def choice(self) -> bool:
        """Tell what an answer is."""

    def episodes(self, generator: Generator, lanes: int) -> Lives:
        """Draw what befalls so many lanes, all from the generator."""


@runtime_checkable
class Measured(Protocol):
    """A task that has more measures than the bits and the wrong bits."""

    def measures(self, episodes: Episodes, grades: Grades) -> dict[str, Tensor]:
        """Tell the task's own measures, each of shape [*population]."""


@runtime_checkable
class Worthy(Protocol):
    """A task that says itself what answers are worth: that is fitness, instead of the bits."""

    def worth(
        self, episodes: Episodes, logits: Float[Tensor, "T *population B O"]
    ) -> Float[Tensor, "*population B"]:
        """Say what answers are worth, at most 1 a sequence."""


def sequences(drawn: Drawn, verb: str) -> Episodes:
    """Give the episodes of a sequence task, to do something with. Raises TaskError of another."""
    if isinstance(drawn, Lives):
        raise TaskError(
            f"expected a task that asks for sequences, to {verb}, but came one that rewards what "
            "is done"
        )
    return drawn


def revised(task: str, settings: S, overrides: Mapping[str, object]) -> S:
    """Change some settings of a task and check them all anew. Raises TaskError."""
    known = type(settings).model_fields
    for key in overrides:
        if key not in known:
            raise TaskError(f"{task} has no setting {key!r}: {nearest(key, known)}")
    try:
        return type(settings).model_validate({**settings.model_dump(), **overrides})
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        expected = first["msg"].removeprefix("Input should be ")
        raise TaskError(f"{task}: {key} must be {expected}, not {first['input']!r}") from None


def span(low: int, high: int) -> int | list[int]:
    """Write a range as an exam's row does: as one number where it is one."""
    return low if low == high else [low, high]
