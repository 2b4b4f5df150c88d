"""What may be set of the strategy `genetic`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from evo_ntm.experiment.evolution import Evolution, Patience, Progress
from evo_ntm.experiment.model import Natural, Positive, Settings, Share, refuse


class Lexicase(Settings):
    """Parents that are the best at single episodes, one after another in a random order."""

    share: Annotated[Share, Field(description="of the children, the rest by tournaments")] = 0.5
    within: Annotated[
        Literal["ties", "deviation"],
        Field(
            description="who counts as the best at an episode: whoever is as good as the best, or "
            "lacks no more than the median absolute deviation, as where bits are counted"
        ),
    ] = "ties"


class Genetic(Evolution):
    """Tournaments, elites, crossover and mutation; species by topology."""

    strategy: Annotated[
        Literal["genetic"], Field(description="selection, crossover and mutation of genomes")
    ]
    elites: Annotated[Natural, Field(description="best genomes that live on unchanged")] = 8
    tournament: Annotated[Positive, Field(description="genomes that compete to be a parent")] = 3
    lexicase: Annotated[
        Lexicase | None,
        Field(
            description="choose the parents of a share of the children by single episodes, as "
            "{share: 0.5, within: ties}; null: all by their means"
        ),
    ] = None
    crossover: Annotated[Share, Field(description="share of children that have two parents")] = 0.25
    sigma: Annotated[
        float, Field(gt=0, le=10, description="first step size of a mutation; it is inherited")
    ] = 0.1
    least_sigma: Annotated[
        float, Field(ge=0, le=10, description="least step size: on a plateau they shrink to none")
    ] = 0.02
    most_sigma: Annotated[
        float | None,
        Field(
            gt=0,
            le=100,
            description="draw each step size anew, between the least and this; null: inherit them",
        ),
    ] = None
    species_size: Annotated[
        Positive, Field(description="places that a young species is granted")
    ] = 8
    species_age: Annotated[
        Natural, Field(description="generations for which a species counts as young")
    ] = 20
    patience: Patience = 300
    progress: Progress = 0.05

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.elites >= self.population:
            why = ", or nobody is born"
            self.refuse_beside_population("elites", "fewer than", "more than", why)
        for key in ("tournament", "species_size"):
            if getattr(self, key) > self.population:
                self.refuse_beside_population(key)
        if self.most_sigma is not None and not 0 < self.least_sigma <= self.most_sigma:
            refuse(("least_sigma",), f"above 0 and at most most_sigma ({self.most_sigma:g})",
                   self.least_sigma)  # fmt: skip
        return self

    @property
    def by_episode(self) -> bool:
        """Tell whether the strategy asks what everyone is worth in each episode."""
        return self.lexicase is not None
