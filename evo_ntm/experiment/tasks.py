"""What may be set of each task, under the key `with`. The tasks themselves are in `evo_ntm.tasks`.

Source of the defaults: Graves et al. (2014), sections 4.1 to 4.5, and for `entm_copy` Greve,
Jacobsen and Risi (2016).
"""

from collections.abc import Collection
from typing import Annotated, NamedTuple, Self, TypeVar

from pydantic import Field, model_validator

from evo_ntm.errors import nearest
from evo_ntm.experiment.model import OwnSettings, Settings, Share, refuse
from evo_ntm.experiment.plugins import provided
from evo_ntm.experiment.rewards import REWARD_SETTINGS

S = TypeVar("S", bound=Settings)
GROUP = "evo_ntm.tasks"

Count = Annotated[int, Field(ge=1, le=100_000)]
Bits = Annotated[int, Field(ge=1, le=4096, description="bits of a vector")]
Shortest = Annotated[Count, Field(description="vectors of the shortest sequence")]
Longest = Annotated[Count, Field(description="vectors of the longest sequence")]
Uneven = Annotated[
    float,
    Field(ge=0, le=1, description="share of vectors of which few or many bits are 1; to train on"),
]
Items = Annotated[int, Field(ge=2, le=100_000)]


class CopySettings(Settings):
    """Vectors of random bits, to be repeated once in the same order."""

    bits: Bits = 8
    shortest: Shortest = 1
    longest: Longest = 20
    uneven: Uneven = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(self, "shortest", "longest")


class MirrorCopySettings(Settings):
    """Vectors of random bits, to be repeated forwards and backwards at once."""

    bits: Bits = 8
    shortest: Shortest = 1
    longest: Longest = 20
    uneven: Uneven = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(self, "shortest", "longest")


class RepeatCopySettings(Settings):
    """Vectors of random bits, to be repeated as often as a number says, then an end marker."""

    bits: Bits = 8
    shortest: Shortest = 1
    longest: Longest = 10
    fewest: Annotated[Count, Field(description="repetitions, at least")] = 1
    most: Annotated[Count, Field(description="repetitions, at most")] = 10
    uneven: Uneven = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(ordered(self, "shortest", "longest"), "fewest", "most")


class AssociativeRecallSettings(Settings):
    """Items of a few vectors; shown one of them again, the machine answers with the next."""

    bits: Bits = 6
    vectors: Annotated[Count, Field(description="vectors of an item")] = 3
    fewest: Annotated[Items, Field(description="items before the query, at least")] = 2
    most: Annotated[Items, Field(description="items before the query, at most")] = 6

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(self, "fewest", "most")


class NGramsSettings(Settings):
    """Bits whose odds depend on the last few; the machine foretells each from those before."""

    steps: Annotated[int, Field(ge=2, le=100_000, description="bits of a sequence")] = 200
    context: Annotated[int, Field(ge=1, le=16, description="bits that decide on the next")] = 5

    @model_validator(mode="after")
    def _something_to_predict(self) -> Self:
        if self.context >= self.steps:
            refuse(("context",), f"less than steps ({self.steps})", self.context)
        return self


class PrioritySortSettings(Settings):
    """Vectors with priorities, to be given back with the highest priority first."""

    bits: Bits = 8
    items: Annotated[Count, Field(description="vectors that come in")] = 20
    answers: Annotated[Count, Field(description="vectors that go out")] = 16
    in_order: Annotated[
        Share, Field(description="share of sequences in which they come in order already")
    ] = 0.0

    @model_validator(mode="after")
    def _enough_items(self) -> Self:
        return ordered(self, "answers", "items")


class EntmCopySettings(Settings):
    """Vectors of random bits between two signals, to be repeated, and only close answers count."""

    bits: Bits = 8
    shortest: Shortest = 1
    longest: Longest = 10

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        return ordered(self, "shortest", "longest")


TASK_SETTINGS: dict[str, type[Settings]] = {
    "copy": CopySettings,
    "mirror_copy": MirrorCopySettings,
    "repeat_copy": RepeatCopySettings,
    "associative_recall": AssociativeRecallSettings,
    "ngrams": NGramsSettings,
    "priority_sort": PrioritySortSettings,
    "entm_copy": EntmCopySettings,
    **REWARD_SETTINGS,
}

MEASURES: tuple[str, ...] = ("bits", "wrong_bits")
REWARD_MEASURES: tuple[str, ...] = ("shortfall", "missed", "reward")
OWN_MEASURES: dict[str, tuple[str, ...]] = {
    "ngrams": ("regret",),
    "entm_copy": ("shortfall",),
}


def task_settings(task: str) -> type[Settings]:
    """Find what may be set of a task; of somebody's own, anything."""
    return TASK_SETTINGS.get(task, OwnSettings)


def known_task(task: str, brought: Collection[str] = ()) -> str:
    """Refuse the name of a task that neither this package, nor another, nor the caller has."""
    if task in TASK_SETTINGS or task in brought or task in provided(GROUP):
        return task
    known = {*TASK_SETTINGS, *brought, *provided(GROUP)}
    refuse((), "the name of a task", task, nearest(task, known))


def known_measure(task: str, measure: str) -> bool:
    """Tell whether a task has a measure of this name. Anybody's own task may have any."""
    if task not in TASK_SETTINGS:
        return True
    return measure in measures(task)


def measures(task: str) -> tuple[str, ...]:
    """List the measures of a task of this package."""
    return REWARD_MEASURES if task in REWARD_SETTINGS else MEASURES + OWN_MEASURES.get(task, ())


class CostWords(NamedTuple):
    """What reports call the two measures by which champions are chosen."""

    wrong: str
    cost: str
    episode: str
    episodes: str
    sentence: str

    @property
    def measure(self) -> str:
        """Name the first one as scores do."""
        return self.wrong.replace(" ", "_")

    @property
    def wrong_an_episode(self) -> str:
        """Say what the first one counts, and of what."""
        return f"{self.wrong} a {self.episode}"

    @property
    def cost_an_episode(self) -> str:
        """Say what the second one measures, and of what."""
        return f"{self.cost} a {self.episode}"

    def told(self, wrong: str, cost: str) -> str:
        """Say how a champion did."""
        return self.sentence.format(wrong, cost)


OF_SEQUENCES = CostWords("wrong bits", "bits", "sequence", "sequences",
                         "{} wrong bits, {} bits a sequence")  # fmt: skip
OF_LIVES = CostWords("missed", "shortfall", "life", "lives", "{} missed, {} less than the best")


def cost_words(task: str, *, rewards: bool = False) -> CostWords:
    """Say what the measures of a task are called by which its champions are chosen.

    A task of somebody's own `rewards` what is done where its runs say so.
    """
    return OF_LIVES if rewards or task in REWARD_SETTINGS else OF_SEQUENCES


def ordered(settings: S, low: str, high: str) -> S:
    """Refuse a range that ends before it begins."""
    least, most = getattr(settings, low), getattr(settings, high)
    if least > most:
        refuse((low,), f"at most {high} ({most})", least)
    return settings


def describe() -> dict[str, str]:
    """Say of every task in one line what it asks for, and who provides it if others do."""
    told = {name: model.__doc__ or "" for name, model in TASK_SETTINGS.items()}
    return told | {name: "Provided by another package." for name in provided(GROUP)}
