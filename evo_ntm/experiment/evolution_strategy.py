"""What may be set of the strategy `evolution_strategy`.

Source of the method: Salimans et al. (2017); of the defaults: this project's own trials on copy.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
        Finer | None, Field(description="smaller samples and steps later on; null: none")
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
        if self.finer is None or stage + 1 < (self.finer.stage or 1):
            return 1.0
        return self.finer.times

    @model_validator(mode="after")
    def _possible_here(self) -> Self:
        trained = self.operators.get("finetune")
        if isinstance(trained, FinetuneChildren) and not trained.write_back:
            refuse(("operators", "finetune", "write_back"), "true, as a search goes on "
                   "from what was scored", False)  # fmt: skip
        if self.population % 2:
            refuse(("population",), "an even number, as samples come in pairs", self.population)
        return self
