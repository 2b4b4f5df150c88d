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

    They begin at the first look at the validation set after the stage has opened, or with
    `patience` at the first since when progress has failed for so long, and last until a restart.
    Samples are smaller at once, steps over the next thousand generations, as Adam forgets.
    """

    times: Annotated[
        float, Field(gt=0, le=1, description="what sigma and learning_rate are multiplied by")
    ] = 0.4
    stage: Annotated[
        Positive | None, Field(description="from which stage of the curriculum on; null: the first")
    ] = None
    patience: Annotated[
        Positive | None,
        Field(description="generations without progress before they begin; null: at once"),
    ] = None

    def due(self, stage: int, stalled: int) -> bool:
        """Tell whether they begin in a stage, counted from 0, after so long without progress."""
        return (self.stage or 1) <= stage + 1 and (self.patience or 0) <= stalled


Several = Annotated[tuple[Finer, ...], Field(min_length=1)]


def _several(told: Any) -> Any:
    if not isinstance(told, Mapping | Finer | list | tuple | None):
        refuse((), "a group like {times: 0.4, stage: 6}, a list of these, or null", told)
    return (told,) if isinstance(told, Mapping | Finer) else told


def _shortly(several: tuple[Finer, ...] | None) -> object:
    told = [finer.model_dump() for finer in several or ()]
    for finer in told:
        if finer["patience"] is None:  # which came later: files without it keep their hashes
            del finer["patience"]
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
            description="smaller samples and steps later on, once or several times, each in place "
            "of those before; null: none"
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

    def times(self, finer: int) -> float:
        """Tell what sigma and learning rate are multiplied by once so many of `finer` began."""
        return self.finer[finer - 1].times if self.finer and finer else 1.0

    def finer_begun(self, stage: int, stalled: int) -> int:
        """Count those of `finer` up to the last that begins in a stage, counted from 0.

        `stalled` says for how many generations there was no progress.
        """
        several = enumerate(self.finer or (), 1)
        return max((number for number, finer in several if finer.due(stage, stalled)), default=0)

    @model_validator(mode="after")
    def _possible_here(self) -> Self:
        trained = self.operators.get("finetune")
        if isinstance(trained, FinetuneChildren) and not trained.write_back:
            refuse(("operators", "finetune", "write_back"), "true, as a search goes on "
                   "from what was scored", False)  # fmt: skip
        for place, (before, after) in enumerate(pairwise(self.finer or ()), 1):
            order = [(told.stage or 1, told.patience or 0) for told in (before, after)]
            if order[0] >= order[1]:
                expected = (f"a later stage than {before.stage or 1}, where the one before begins, "
                            "or more patience there")  # fmt: skip
                refuse(("finer", place, "stage"), expected, after.stage)
            if after.times > before.times:
                expected = f"at most {before.times:g}, as the steps before are that fine"
                refuse(("finer", place, "times"), expected, after.times)
        if self.population % 2:
            refuse(("population",), "an even number, as samples come in pairs", self.population)
        return self
