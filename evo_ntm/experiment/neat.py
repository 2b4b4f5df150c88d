"""What may be set of the strategy `neat`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from evo_ntm.experiment.evolution import Evolution, Patience, Progress
from evo_ntm.experiment.model import Amount, Positive, Share, refuse

Weight = Annotated[float, Field(ge=0, le=1000)]


class NEAT(Evolution):
    """Species by compatibility that share fitness, crossover by innovation, graphs that grow.

    Source of the defaults: Stanley and Miikkulainen (2002), and Greve, Jacobsen and Risi (2016).
    """

    strategy: Annotated[
        Literal["neat"], Field(description="NEAT: species by compatibility, graphs that grow")
    ]
    species: Annotated[
        Positive, Field(description="how many species there should be; the threshold follows")
    ] = 10
    threshold: Annotated[
        Amount, Field(description="how far a genome may be from its species, at the beginning")
    ] = 1.0
    disjoint: Annotated[
        Weight, Field(description="what genes that only one has weigh in this distance")
    ] = 1.0
    difference: Annotated[
        Weight, Field(description="what the mean difference of shared genes weighs in it")
    ] = 0.4
    survival: Annotated[
        float, Field(gt=0, le=1, description="share of a species that has children")
    ] = 0.2
    elite_from: Annotated[
        Positive, Field(description="members from which on a species keeps its best unchanged")
    ] = 2
    crossover: Annotated[Share, Field(description="share of children that have two parents")] = 0.5
    stagnation: Annotated[
        Positive,
        Field(description="generations without progress after which a species has no children"),
    ] = 30
    start: Annotated[
        float, Field(gt=0, le=100, description="standard deviation of the first genes")
    ] = 1.0
    sigma: Annotated[float, Field(gt=0, le=10, description="largest step size of a mutation")] = 2.0
    least_sigma: Annotated[float, Field(gt=0, le=10, description="smallest step size")] = 0.05
    largest: Annotated[Amount, Field(description="genes stay within plus and minus this")] = 10.0
    patience: Patience = 300
    progress: Progress = 0.01

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.elite_from > self.population:
            self.refuse_beside_population("elite_from")
        if self.least_sigma > self.sigma:
            refuse(("least_sigma",), f"at most sigma ({self.sigma:g})", self.least_sigma)
        return self
