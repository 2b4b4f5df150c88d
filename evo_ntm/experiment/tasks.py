"""What may be set of each task, under the key `with`. The tasks themselves are in `evo_ntm.tasks`.

Source of the defaults: Graves et al. (2014), sections 4.1 to 4.5.
"""

from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from evo_ntm.experiment.model import Settings

S = TypeVar("S", bound=Settings)
Count = Annotated[int, Field(ge=1, le=100_000)]
Bits = Annotated[int, Field(ge=1, le=4096)]


class CopySettings(Settings):
    """Vectors of random bits, and how many of them a sequence has."""

    bits: Bits = 8
    shortest: Count = 1
    longest: Count = 20

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(self, "shortest", "longest")


class MirrorCopySettings(CopySettings):
    """As for copy."""


class RepeatCopySettings(Settings):
    """As for copy, and how often the vectors are to be repeated."""

    bits: Bits = 8
    shortest: Count = 1
    longest: Count = 10
    fewest: Count = 1
    most: Count = 10

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(ordered(self, "shortest", "longest"), "fewest", "most")


class AssociativeRecallSettings(Settings):
    """Items of a few vectors each, and how many items are shown before the query."""

    bits: Bits = 6
    vectors: Count = 3
    fewest: Annotated[int, Field(ge=2, le=100_000)] = 2
    most: Annotated[int, Field(ge=2, le=100_000)] = 6

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(self, "fewest", "most")


class NGramsSettings(Settings):
    """How many bits a sequence has, and how many of the last ones decide on the next."""

    steps: Annotated[int, Field(ge=2, le=100_000)] = 200
    context: Annotated[int, Field(ge=1, le=16)] = 5

    @model_validator(mode="after")
    def _something_to_predict(self) -> Self:
        if self.context >= self.steps:
            raise ValueError(f"context must be below steps ({self.steps}), not {self.context}")
        return self


class PrioritySortSettings(Settings):
    """How many vectors come in, and how many of them are to go out, highest priority first."""

    bits: Bits = 8
    items: Count = 20
    answers: Count = 16

    @model_validator(mode="after")
    def _enough_items(self) -> Self:
        return ordered(self, "answers", "items")


TASK_SETTINGS: dict[str, type[Settings]] = {
    "copy": CopySettings,
    "mirror_copy": MirrorCopySettings,
    "repeat_copy": RepeatCopySettings,
    "associative_recall": AssociativeRecallSettings,
    "ngrams": NGramsSettings,
    "priority_sort": PrioritySortSettings,
}


def ordered(settings: S, low: str, high: str) -> S:
    """Refuse a range that ends before it begins."""
    least, most = getattr(settings, low), getattr(settings, high)
    if least > most:
        raise ValueError(f"{low} must not be above {high} ({most}), not {least}")
    return settings
