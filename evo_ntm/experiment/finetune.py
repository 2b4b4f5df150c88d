"""What may be set of training by gradients: the optimiser, and when it looks and ends."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from evo_ntm.experiment.model import (
    Amount,
    Many,
    Natural,
    NumberOrRange,
    Positive,
    Seed,
    Settings,
    refuse,
)

OptimiserName = Literal["adam", "rmsprop"]
Rate = Annotated[float, Field(gt=0, le=10)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Limit = Annotated[float, Field(gt=0, le=10**9)]

# As in each optimiser's source: Kingma & Ba (2015), Graves (2013, arXiv:1308.0850). The step sizes
# are from this project's own trials on copy; the sources have 0.001 and 0.0001.
OWN: dict[OptimiserName, dict[str, float]] = {
    "adam": {"learning_rate": 0.003, "momentum": 0.9, "decay": 0.999, "epsilon": 1e-8},
    "rmsprop": {"learning_rate": 0.0005, "momentum": 0.9, "decay": 0.95, "epsilon": 1e-4},
}


class Finetune(Settings):
    """Training by gradients, of what evolved or from scratch."""

    after_evolution: Annotated[
        bool,
        Field(description="tune the champion once evolution has ended without passing the exam"),
    ] = False
    optimiser: Annotated[
        OptimiserName,
        Field(description="adam, or rmsprop as in Graves (2013): centred, with momentum"),
    ] = "rmsprop"
    learning_rate: Annotated[
        Rate | None, Field(description="step size; null: 0.003 for adam, 0.0005 for rmsprop")
    ] = None
    momentum: Annotated[
        Momentum | None, Field(description="of earlier gradients or changes; null: 0.9")
    ] = None
    decay: Annotated[
        Momentum | None,
        Field(description="of earlier squares; null: 0.999 for adam, 0.95 for rmsprop"),
    ] = None
    epsilon: Annotated[
        Rate | None,
        Field(description="keeps steps finite; null: 1e-8 for adam, 1e-4 in the root of rmsprop"),
    ] = None
    clip_norm: Annotated[
        Limit | None, Field(description="longest gradient, longer ones are cut; null: any")
    ] = 10.0
    clip: Annotated[
        Limit | None, Field(description="largest component of a gradient, after that; null: any")
    ] = None
    schedule: Annotated[
        Literal["constant", "linear", "cosine"],
        Field(
            description="how the step size falls to 0 in the end: constant (not), linear, cosine"
        ),
    ] = "constant"
    warmup: Annotated[Natural, Field(description="steps over which the step size rises")] = 0
    rows: Annotated[
        NumberOrRange | None,
        Field(description="memory rows, drawn anew each step; null: those of machine"),
    ] = None
    batch: Annotated[Many, Field(description="sequences a step")] = 2
    steps: Annotated[Positive, Field(description="stop after so many")] = 20_000
    minutes: Annotated[
        Amount | None, Field(description="stop after so much time; null: no limit")
    ] = None
    validate_every: Annotated[
        Positive, Field(description="steps between two looks at the validation set")
    ] = 200
    early_stop: Annotated[bool, Field(description="stop once the exam is passed")] = True
    curriculum: Annotated[
        bool, Field(description="go through the stages of the curriculum; false: its last alone")
    ] = True
    encoding: Annotated[
        Literal["genes", "wires"],
        Field(description="what is tuned of tied genomes: genes, or wires, which unties them"),
    ] = "genes"
    seed: Annotated[
        Seed | None, Field(description="sequences and fresh weights; null: that of evolve")
    ] = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.warmup >= self.steps:
            refuse(("warmup",), f"fewer than all steps ({self.steps})", self.warmup)
        return self

    def own(self, name: str) -> float:
        """Give a setting of the optimiser, its own where none is set."""
        told: float | None = getattr(self, name)
        return OWN[self.optimiser][name] if told is None else told
