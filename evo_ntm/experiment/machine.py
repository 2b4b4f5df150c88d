"""What may be set of the machine: the founder, and the bounds within which it may evolve."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from evo_ntm.experiment.model import (
    UNBOUNDED,
    NaturalRange,
    NumberOrRange,
    PositiveRange,
    Settings,
    Share,
    Size,
    SizeRange,
    join,
    refuse,
)
from evo_ntm.topology.parts import (
    MOST_LAYERS,
    TAPE_SHIFTS,
    ControllerKind,
    Source,
    Target,
    WriteMode,
)

Stage = Literal["content", "interpolation", "shift", "sharpening"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Layers = Annotated[tuple[Size, ...], Field(max_length=MOST_LAYERS)]
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


class TapeSettings(Settings):
    """How the cells of a tape are written and found again."""

    write: Annotated[
        WriteMode,
        Field(description="interpolate between old and new, or overwrite from a half on"),
    ] = "interpolate"
    initial: Annotated[Share, Field(description="what an unwritten cell holds")] = 0.0
    fresh_cell: Annotated[
        bool, Field(description="keep the last cell unwritten: one that is written appends another")
    ] = False
    least_similarity: Annotated[
        Share, Field(description="a jump that finds nothing as similar goes to the last cell")
    ] = 0.0
    did_write: Annotated[
        Share, Field(description="the last cell counts as written if no more similar to before")
    ] = 0.9


class Bounds(Settings):
    """Within what the machine may evolve, both ends included."""

    readers: Annotated[NaturalRange, Field(description="reading heads")] = (0, 4)
    writers: Annotated[NaturalRange, Field(description="writing heads")] = (0, 4)
    tape_heads: Annotated[NaturalRange, Field(description="heads of a tape")] = (0, 4)
    width: Annotated[SizeRange, Field(description="memory columns")] = (1, 64)
    units: Annotated[SizeRange, Field(description="hidden units of a layer")] = (1, 128)
    layers: Annotated[PositiveRange, Field(description="layers of the controller")] = (1, 3)
    shifts: Annotated[PositiveRange, Field(description="offsets of a head, odd numbers")] = (3, 7)
    nodes: Annotated[NaturalRange, Field(description="hidden nodes of a graph")] = (0, 64)
    connections: Annotated[SizeRange, Field(description="connections of a graph")] = (1, 4096)
    controllers: Annotated[
        tuple[ControllerKind, ...],
        Field(min_length=1, description="kinds of controller: dense, lstm, graph"),
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

    controller: Annotated[
        ControllerKind, Field(description="dense (feed-forward), lstm, or graph, of single nodes")
    ] = "dense"
    units: Annotated[
        Layers, Field(description="hidden units, a number for each layer; [] for no layer")
    ] = (16,)
    connected: Annotated[
        float, Field(gt=0, le=1, description="of a graph's connections, the share at the beginning")
    ] = 1.0
    recurrent: Annotated[
        bool, Field(description="whether nodes of a graph hear what nodes said the step before")
    ] = False
    per_bit: Annotated[
        bool, Field(description="units and columns in blocks of one a bit, also in direct encoding")
    ] = False
    alike: Annotated[
        bool, Field(description="bits are treated alike at the beginning; needs per_bit")
    ] = False
    width: Annotated[Size, Field(description="memory columns")] = 10
    rows: Annotated[
        NumberOrRange,
        UNBOUNDED,
        Field(
            description="memory rows: a number, or a range drawn anew each generation; "
            "of a tape the most cells, or unbounded"
        ),
    ] = (12, 32)
    epsilon: Annotated[
        float, Field(gt=0, le=1, description="damps the cosine, so that a blank row scores low")
    ] = 0.01
    readers: Annotated[Heads, Field(description="reading heads")] = 1
    writers: Annotated[Heads, Field(description="writing heads")] = 1
    tape_heads: Annotated[
        Heads, Field(description="heads that write and read at one cell, instead of the others")
    ] = 0
    tape: Annotated[TapeSettings, Field(description="how its cells are written and found")] = (
        TapeSettings()
    )
    heads: Annotated[HeadSettings, Field(description="the genes of the founder's heads")] = (
        HeadSettings()
    )
    encoding: Annotated[
        Literal["direct", "tied"],
        Field(description="direct: a gene a weight; tied: bits are treated alike"),
    ] = "direct"
    bounds: Annotated[Bounds, Field(description="within which it may evolve")] = Bounds()

    @model_validator(mode="before")
    @classmethod
    def _taped(cls, told: Any) -> Any:
        """Leave a tape without other heads and without end, where nothing else is said.

        And a graph without layers.
        """
        if not isinstance(told, Mapping):
            return told
        if told.get("controller") == "graph":
            told = {"units": (), "readers": 0, "writers": 0, **told}
            beginnings: dict[str, dict[str, Any]] = {
                "heads": {"target": "controller"},
                "bounds": {"controllers": ("graph",)},
            }
            for key, own in beginnings.items():
                if isinstance(said := told.get(key, {}), Mapping):
                    told = {**told, key: {**own, **said}}
        if not told.get("tape_heads"):
            return told
        return {"readers": 0, "writers": 0, "rows": "unbounded", **told}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        bounds = self.bounds
        if self.heads.source == "cell" and self.controller != "lstm":
            expected = f"hidden, as a {self.controller} controller has no cell"
            refuse(("heads", "source"), expected, "cell")
        _within(self.readers, bounds.readers, ("readers",))
        _within(self.writers, bounds.writers, ("writers",))
        _within(self.tape_heads, bounds.tape_heads, ("tape_heads",))
        self._of_one_kind()
        if self.controller == "graph":
            self._of_a_graph()
        else:
            self._of_no_graph()
        _within(self.width, bounds.width, ("width",))
        if self.units:
            _within(len(self.units), bounds.layers, ("units",), "layers")
        elif self.controller == "lstm":
            refuse(("units",), "at least 1 layer, as the controller is an lstm", self.units)
        for number, units in enumerate(self.units):
            _within(units, bounds.units, ("units", number))
        _within(self.heads.shifts, bounds.shifts, ("heads", "shifts"))
        if self.controller not in bounds.controllers:
            kinds = join(bounds.controllers)
            refuse(("controller",), f"one of bounds.controllers ({kinds})", self.controller)
        return self.enough_rows(self.rows[0], "rows")

    def _of_one_kind(self) -> None:
        """Refuse a tape's heads beside others, and a range of shifts that they do not have."""
        for key in ("readers", "writers") if self.tape_heads else ():
            if (count := getattr(self, key)) > 0:
                refuse((key,), f"none beside tape_heads ({self.tape_heads})", count)
        if self.tape_heads and self.heads.shifts != TAPE_SHIFTS:
            expected = f"{TAPE_SHIFTS}, as a tape's head goes one cell to either side"
            refuse(("heads", "shifts"), expected, self.heads.shifts)

    def _of_no_graph(self) -> None:
        """Refuse what only a graph can be."""
        why = f"as the controller is {self.controller} and no graph"
        if self.recurrent:
            refuse(("recurrent",), f"false, {why}", True)
        if self.connected != 1.0:
            refuse(("connected",), f"1.0, {why}", self.connected)

    def _of_a_graph(self) -> None:
        """Refuse layers, tied bits, and heads that are not of a tape or that others hear."""
        if self.units:
            refuse(("units",), "no layers, as the controller is a graph", self.units)
        if self.encoding == "tied":
            refuse(("encoding",), "direct, as the controller is a graph", "tied")
        for key in ("readers", "writers"):
            if (count := getattr(self, key)) > 0:
                refuse((key,), "none, as a graph has heads of a tape (tape_heads)", count)
        if self.heads.target != "controller":
            refuse(("heads", "target"), "controller, as this is a graph", self.heads.target)
        if (least := self.bounds.nodes[0]) > 0:
            refuse(("bounds", "nodes", 0), "0, as a graph begins without nodes", least)

    def enough_rows(self, rows: int, *path: str | int) -> Self:
        """Refuse a memory that is shorter than a shift may reach, or without end but no tape."""
        if self.tape_heads or (rows == UNBOUNDED and not (self.readers or self.writers)):
            return self
        if rows == UNBOUNDED:
            refuse(path, "a number of rows, as only a tape is unbounded", "unbounded")
        reach = max(self.heads.shifts, self.bounds.shifts[1]) // 2
        if rows < reach:
            refuse(path, f"at least {reach} rows, as a shift may reach that far", rows)
        return self


def _within(value: int, span: tuple[int, int], path: tuple[str | int, ...], name: str = "") -> None:
    if not span[0] <= value <= span[1]:
        what = f"{name} " if name else ""
        where = f"bounds.{name or path[-1] if isinstance(path[-1], str) else path[0]}"
        refuse(path, f"{what}within {where} ({span[0]} to {span[1]})", value)
