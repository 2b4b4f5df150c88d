"""What may be set of the strategy `evolution_strategy`.

Source of the method: Salimans et al. (2017); of the defaults: this project's own trials on copy.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from evo_ntm.experiment.evolution import Evolution, Patience, Progress
from evo_ntm.experiment.model import Natural, Positive, Settings, Share, refuse
from evo_ntm.experiment.operators import FinetuneChildren


class Finer(Settings):
    """Smaller samples and steps from a stage on: coarse ones miss the last bits.

    They begin at the first look at the validation set after the stage has opened.
    """

    times: Annotated[
        float, Field(gt=0, le=1, description="what sigma and learning_rate are multiplied by")
    ] = 0.4
    stage: Annotated[
        Positive | None, Field(description="from which stage of the curriculum on; null: the first")
    ] = None


Several = Annotated[tuple[Finer, ...], Field(min_length=1)]


def _several(told: Any) -> Any:
    return (told,) if isinstance(told, Mapping | Finer) else told


def _shortly(several: tuple[Finer, ...] | None) -> object:
    told = [finer.model_dump() for finer in several or ()]
    return told[0] if len(told) == 1 else told or None


class EvolutionStrategy(Evolution):
    """A search distribution for each topology, and challengers beside the incumbent."""

    strategy: Annotated[
        Literal["evolution_strategy"], Field(description="antithetic samples around a mean")
    ]
    sigma: Annotated[float, Field(gt=0, le=10, description="standard deviation of the samples")] = (
        0.05
    )
    learning_rate: Annotated[float, Field(gt=0, le=10, description="step size of Adam")] = 0.02
    finer: Annotated[
        Several | None,
        BeforeValidator(_several, json_schema_input_type=Finer | Several | None),
        PlainSerializer(_shortly),
        Field(
            description="smaller samples and steps later on, from one stage on or from several, "
            "each in place of the one before; null: none"
        ),
    ] = None
    alike: Annotated[
        float | None,
        Field(
            gt=0,
            le=1,
            description="of the samples, those that move direct genes of all bits alike, rounded "
            "to whole pairs; null: none",
        ),
    ] = None
    averaging: Annotated[
        Positive, Field(description="generations over which the mean is averaged for its birth")
    ] = 40
    starts: Annotated[
        Positive, Field(description="independent starts, of which the better half survives a round")
    ] = 2
    start_generations: Annotated[
        Positive, Field(description="generations of a start before the first judgement")
    ] = 80
    patience: Patience = 300
    progress: Progress = 0.1
    challenger_share: Annotated[
        Share, Field(le=0.25, description="of the samples that a challenger may use, at most 0.25")
    ] = 0.125
    challenger_every: Annotated[
        Positive, Field(description="generations between two challengers")
    ] = 100
    grace: Annotated[Natural, Field(description="generations before a challenger is judged")] = 50
    decline: Annotated[
        float,
        Field(
            gt=1,
            le=1000,
            description="times the best bits, where progress is judged, that are a decline",
        ),
    ] = 4.0
    declines: Annotated[
        Positive, Field(description="declines in a row before the best mean is restored")
    ] = 5
    window: Annotated[
        int, Field(ge=2, description="generations over which a challenger is judged")
    ] = 20

    def times(self, stage: int) -> float:
        """Tell what sigma and learning rate are multiplied by in a stage, counted from 0 here."""
        begun = [finer.times for finer in self.finer or () if (finer.stage or 1) <= stage + 1]
        return begun[-1] if begun else 1.0

    @model_validator(mode="after")
    def _possible_here(self) -> Self:
        trained = self.operators.get("finetune")
        if isinstance(trained, FinetuneChildren) and not trained.write_back:
            refuse(("operators", "finetune", "write_back"), "true, as a search goes on "
                   "from what was scored", False)  # fmt: skip
        for place, (before, after) in enumerate(pairwise(self.finer or ()), 1):
            if (after.stage or 1) <= (before.stage or 1):
                expected = f"a later stage than {before.stage or 1}, where the one before begins"
                refuse(("finer", place, "stage"), expected, after.stage)
        if self.population % 2:
            refuse(("population",), "an even number, as samples come in pairs", self.population)
        return self
