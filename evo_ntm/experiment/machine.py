"""What may be set of the machine: the founder, and the bounds within which it may evolve."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from evo_ntm.experiment.model import (
    NaturalRange,
    NumberOrRange,
    PositiveRange,
    Settings,
    Size,
    SizeRange,
    join,
    refuse,
)
from evo_ntm.topology.parts import MOST_LAYERS, ControllerKind, Source, Target

Stage = Literal["content", "interpolation", "shift", "sharpening"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Layers = Annotated[tuple[Size, ...], Field(min_length=1, max_length=MOST_LAYERS)]
Heads = Annotated[int, Field(ge=0, le=64)]


def odd(number: int, *path: str | int) -> None:
    """Refuse a shift range that has no middle."""
    if number < 3 or number % 2 == 0:
        refuse(path, "an odd number of at least 3", number)


class HeadSettings(Settings):
    """The genes that every head of the founder has."""

    source: Annotated[
        Source, Field(description="whose orders a head takes: hidden, or the LSTM's cell")
    ] = "hidden"
    target: Annotated[
        Target, Field(description="who listens to a reader: controller, output or both")
    ] = "both"
    stages: Annotated[
        tuple[Stage, ...], Field(description="the addressing stages in use, any of these four")
    ] = STAGES
    shifts: Annotated[
        int, Field(ge=3, le=99, description="offsets that a shift may choose from, an odd number")
    ] = 3

    @model_validator(mode="after")
    def _possible(self) -> Self:
        odd(self.shifts, "shifts")
        for number, stage in enumerate(self.stages):
            if stage in self.stages[:number]:
                refuse(("stages", number), "each stage once", stage)
        if "interpolation" in self.stages and "content" not in self.stages:
            refuse(("stages",), "content where interpolation is", self.stages)
        return self


class Bounds(Settings):
    """Within what the machine may evolve, both ends included."""

    readers: Annotated[NaturalRange, Field(description="reading heads")] = (0, 4)
    writers: Annotated[NaturalRange, Field(description="writing heads")] = (0, 4)
    width: Annotated[SizeRange, Field(description="memory columns")] = (1, 64)
    units: Annotated[SizeRange, Field(description="hidden units of a layer")] = (1, 128)
    layers: Annotated[PositiveRange, Field(description="layers of the controller")] = (1, 3)
    shifts: Annotated[PositiveRange, Field(description="offsets of a head, odd numbers")] = (3, 7)
    controllers: Annotated[
        tuple[ControllerKind, ...],
        Field(min_length=1, description="kinds of controller: dense, lstm"),
    ] = ("dense", "lstm")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for number, shifts in enumerate(self.shifts):
            odd(shifts, "shifts", number)
        if self.layers[1] > MOST_LAYERS:
            refuse(("layers", 1), f"at most {MOST_LAYERS}", self.layers[1])
        return self


class MachineSettings(Settings):
    """The founder: its controller, its memory and its heads."""

    controller: Annotated[ControllerKind, Field(description="dense (feed-forward) or lstm")] = (
        "dense"
    )
    units: Annotated[Layers, Field(description="hidden units, a number for each layer")] = (16,)
    width: Annotated[Size, Field(description="memory columns")] = 10
    rows: Annotated[
        NumberOrRange,
        Field(description="memory rows: a number, or a range drawn anew each generation"),
    ] = (12, 32)
    epsilon: Annotated[
        float, Field(gt=0, le=1, description="damps the cosine, so that a blank row scores low")
    ] = 0.01
    readers: Annotated[Heads, Field(description="reading heads")] = 1
    writers: Annotated[Heads, Field(description="writing heads")] = 1
    heads: Annotated[HeadSettings, Field(description="the genes of the founder's heads")] = (
        HeadSettings()
    )
    encoding: Annotated[
        Literal["direct", "tied"],
        Field(description="direct: a gene a weight; tied: bits are treated alike"),
    ] = "direct"
    bounds: Annotated[Bounds, Field(description="within which it may evolve")] = Bounds()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        bounds = self.bounds
        if self.heads.source == "cell" and self.controller != "lstm":
            refuse(("heads", "source"), "hidden, as a dense controller has no cell", "cell")
        _within(self.readers, bounds.readers, ("readers",))
        _within(self.writers, bounds.writers, ("writers",))
        _within(self.width, bounds.width, ("width",))
        _within(len(self.units), bounds.layers, ("units",), "layers")
        for number, units in enumerate(self.units):
            _within(units, bounds.units, ("units", number))
        _within(self.heads.shifts, bounds.shifts, ("heads", "shifts"))
        if self.controller not in bounds.controllers:
            kinds = join(bounds.controllers)
            refuse(("controller",), f"one of bounds.controllers ({kinds})", self.controller)
        return self.enough_rows(self.rows[0], "rows")

    def enough_rows(self, rows: int, *path: str | int) -> Self:
        """Refuse a memory that is shorter than a shift may reach."""
        reach = max(self.heads.shifts, self.bounds.shifts[1]) // 2
        if rows < reach:
            refuse(path, f"at least {reach} rows, as a shift may reach that far", rows)
        return self


def _within(value: int, span: tuple[int, int], path: tuple[str | int, ...], name: str = "") -> None:
    if not span[0] <= value <= span[1]:
        what = f"{name} " if name else ""
        where = f"bounds.{name or path[-1] if isinstance(path[-1], str) else path[0]}"
        refuse(path, f"{what}within {where} ({span[0]} to {span[1]})", value)
