"""What may be set of the strategy `cma`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from evo_ntm.experiment.evolution import Evolution, Patience
from evo_ntm.experiment.model import join, refuse


class CMA(Evolution):
    """The covariance matrix adaptation of DEAP, for machines of up to 500 weights."""

    strategy: Annotated[Literal["cma"], Field(description="CMA-ES; the topology stays as it is")]
    sigma: Annotated[float, Field(gt=0, le=10, description="first step size")] = 0.5
    patience: Patience = 300

    @model_validator(mode="after")
    def _fixed(self) -> Self:
        if self.operators:
            refuse(("operators",), "no operators, as cma keeps the topology", join(self.operators))
        if self.population < 4:
            refuse(("population",), "at least 4", self.population)
        return self
