"""What may be set of every strategy: budgets, episodes and operators."""

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Literal, NoReturn, Self, get_args

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from evo_ntm.experiment.model import Amount, Many, Positive, Seed, Settings, Share, refuse, within
from evo_ntm.experiment.operators import Operator, OwnOperator, operator_settings

Patience = Annotated[Positive, Field(description="generations without progress before a restart")]
Progress = Annotated[
    Share, Field(description="by which bits or wrong bits must fall to count as progress")
]


class Hardest(Settings):
    """Episodes that are chosen because the best machine so far fails at them."""

    episodes: Annotated[Many, Field(description="how many of the episodes of a generation")] = 4
    among: Annotated[
        int, Field(ge=2, le=10_000, description="of how many fresh ones they are the hardest")
    ] = 128
    stage: Annotated[
        Positive | None,
        Field(description="stage of the curriculum to begin with, 1 the first; null: the first"),
    ] = None

    @model_validator(mode="after")
    def _a_choice(self) -> Self:
        if self.among <= self.episodes:
            refuse(("among",), f"more than episodes ({self.episodes})", self.among)
        return self


class Evolution(Settings):
    """How to evolve, whatever the strategy."""

    strategy: Annotated[str, Field(description="where the next generation comes from")]
    seed: Annotated[Seed, Field(description="every random number of the run derives from it")] = 1
    population: Annotated[Many, Field(description="genomes scored in a generation")] = 256
    generations: Annotated[Positive, Field(description="stop after so many")] = 1500
    minutes: Annotated[
        Amount | None, Field(description="stop after so much time; null: no limit")
    ] = None
    evaluations: Annotated[
        Positive | None, Field(description="stop after so many scored genomes; null: no limit")
    ] = None
    episodes: Annotated[
        Many, Field(description="sequences a generation, shared by the whole population")
    ] = 16
    hardest: Annotated[
        Hardest | None,
        Field(
            description="replace some by the hardest of many for the best so far, as "
            "{episodes: 4, among: 128}; null: none"
        ),
    ] = None
    validate_every: Annotated[
        Positive, Field(description="generations between two looks at the validation set")
    ] = 10
    progress_in: Annotated[
        Literal["validation", "stage"],
        Field(
            description="where progress is looked for: in the validation set, or in the stage of "
            "the curriculum that is the top one so far"
        ),
    ] = "validation"
    operators: Annotated[
        Mapping[str, SerializeAsAny[Operator | OwnOperator]],
        Field(description="changes to a child, each with its share among all of them"),
    ] = {}

    @field_validator("operators", mode="before")
    @classmethod
    def _known_operators(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            return told
        return {name: _operator(name, settings) for name, settings in told.items()}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.operators and not any(operator.share for operator in self.operators.values()):
            refuse(("operators",), "a share above 0 for at least one operator", 0)
        if self.hardest is not None and self.hardest.episodes >= self.episodes:
            fewer = f"fewer than the episodes of a generation ({self.episodes})"
            refuse(("hardest", "episodes"), fewer, self.hardest.episodes)
        return self

    def refuse_beside_population(
        self, key: str, fewer: str = "at most", more: str = "at least", why: str = ""
    ) -> NoReturn:
        """Refuse a key beside the population, or the population where that key was not set."""
        value = getattr(self, key)
        if key in self.model_fields_set:
            refuse((key,), f"{fewer} the population ({self.population}){why}", value)
        refuse(("population",), f"{more} {key} ({value}){why}", self.population)

    @classmethod
    def meant(cls, key: str) -> str:
        """Name the strategies that have a key, where others do."""
        others = [kind for kind in Evolution.__subclasses__() if key in kind.keys()]
        names = [get_args(kind.model_fields["strategy"].annotation)[0] for kind in others]
        return f"a key of {' and '.join(names)}" if names else super().meant(key)

    @property
    def by_episode(self) -> bool:
        """Tell whether the strategy asks what everyone is worth in each episode."""
        return False

    def chosen_among(self, stage: int) -> int:
        """Tell how many sequences the hardest of a generation are chosen among, 0 where none are.

        Stages of the curriculum are counted from 0 here.
        """
        if self.hardest is None or stage + 1 < (self.hardest.stage or 1):
            return 0
        return self.hardest.among

    def answered(self, scored: int, generations: Mapping[int, int]) -> int:
        """Count the sequences that so many genomes answered, in so many generations a stage."""
        chosen = sum(count * self.chosen_among(stage) for stage, count in generations.items())
        return scored * self.episodes + chosen

    def spent(self, generations: int, seconds: float, scored: int) -> str | None:
        """Name a budget that is spent; None where there is something left of each."""
        if generations >= self.generations:
            return "generations"
        if self.minutes is not None and seconds > 60 * self.minutes:
            return "minutes"
        return "evaluations" if scored >= (self.evaluations or inf) else None

    def seconds_left(self, generations: int, seconds: float) -> float:
        """Tell how long it takes at most to spend a budget, at the pace of the generations done."""
        left = (self.generations - generations) * seconds / generations
        if self.minutes is not None:
            left = min(left, 60 * self.minutes - seconds)
        return max(left, 0.0)


def _operator(name: str, told: Any) -> Operator | OwnOperator:
    model = operator_settings(name)
    return within((name,), model, told)
