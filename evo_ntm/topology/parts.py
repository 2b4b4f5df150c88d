"""The parts that evolution can add and take away: blocks of units, heads, the controller.

Every part carries the id of the birth that brought it. By these ids, never by position,
a child's parts are matched with those of its parents.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from evo_ntm.errors import TopologyError, nearest
from evo_ntm.topology.graph import Frame, Graph

ControllerKind = Literal["dense", "lstm", "graph"]
HeadKind = Literal["reader", "writer", "tape"]
Source = Literal["hidden", "cell"]
Target = Literal["controller", "output", "both"]
WriteMode = Literal["interpolate", "overwrite"]

MOST_LAYERS = 3
MOST_SHIFTS = 999
TAPE_SHIFTS = 3  # left, stay, right


def one_of(value: str, kinds: object, what: str) -> None:
    """Refuse a word that is not among the kinds of a Literal."""
    words = get_args(kinds)
    if value not in words:
        raise TopologyError(f"{what} is one of {', '.join(words)}, not {value!r}: "
                            f"{nearest(value, words)}")  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Units that come and go together: channels, hidden units or memory columns.

    A block that is `per_bit` has one unit for each of the task's exchangeable bits.
    """

    birth: int
    size: int
    per_bit: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise TopologyError(f"a block has at least 1 unit, but was given {self.size}")


def total(blocks: tuple[Block, ...]) -> int:
    """Count the units of several blocks."""
    return sum(block.size for block in blocks)


@dataclass(frozen=True)
class Stages:
    """The addressing stages that a head uses, in the order of Graves et al. (2014), figure 2."""

    content: bool = True
    interpolation: bool = True
    shift: bool = True
    sharpening: bool = True

    def __post_init__(self) -> None:
        if self.interpolation and not self.content:
            raise TopologyError("a head that interpolates needs content to interpolate with")


@dataclass(frozen=True)
class Tape:
    """How the cells of a tape are written and found again; all heads of one tape share it.

    `initial` is what an unwritten cell holds. A content jump that finds nothing as similar as
    `least_similarity` goes to the last cell. With a `fresh_cell` the last cell is kept unwritten: a
    write to it that leaves it no more similar to what it was than `did_write` appends another
    (Lüders et al., 2017: the default jump).
    """

    write: WriteMode = "interpolate"
    initial: float = 0.0
    fresh_cell: bool = False
    least_similarity: float = 0.0
    did_write: float = 0.9

    def __post_init__(self) -> None:
        one_of(self.write, WriteMode, "the way of writing to a tape")
        for name in ("initial", "least_similarity", "did_write"):
            value = float(getattr(self, name))
            if not 0 <= value <= 1:
                raise TopologyError(f"{name} of a tape is from 0 to 1, but was given {value:g}")
            object.__setattr__(self, name, value)


@dataclass(frozen=True, order=True)
class Head:
    """A reader, a writer, or the head of a tape, which does both at one place; with its own genes.

    Of the stages a tape's head has two: content is its jump, shift its step to either side.
    """

    birth: int
    kind: HeadKind
    source: Source = "hidden"
    target: Target = "both"
    stages: Stages = Stages()
    shifts: int = 3

    def __post_init__(self) -> None:
        one_of(self.kind, HeadKind, "the kind of a head")
        one_of(self.source, Source, "the source of a head's orders")
        one_of(self.target, Target, "the target of a head's read")
        if not 3 <= self.shifts <= MOST_SHIFTS or self.shifts % 2 == 0:
            raise TopologyError(f"a shift range is odd and from 3 to {MOST_SHIFTS}, "
                                f"but was given {self.shifts}")  # fmt: skip
        if self.kind == "tape":
            if self.shifts != TAPE_SHIFTS:
                raise TopologyError(f"the head of a tape steps left, stays or steps right, but was "
                                    f"given a shift range of {self.shifts}")  # fmt: skip
            used = Stages(self.stages.content, False, self.stages.shift, False)
            object.__setattr__(self, "stages", used)

    @property
    def name(self) -> str:
        """Name the head as wires and reports do."""
        return f"{self.kind} {self.birth}"

    @property
    def genes(self) -> tuple[object, ...]:
        """List all that makes this head compute as it does: everything but its birth."""
        target = self.target if self.kind != "writer" else None
        shifts = self.shifts if self.stages.shift else None
        return self.kind, self.source, target, self.stages, shifts


@dataclass(frozen=True)
class Controller:
    """The network between input and heads: its kind and its layers of hidden blocks, or its graph.

    Without layers, which a dense one may be, heads and output hear the input itself.
    """

    kind: ControllerKind
    layers: tuple[tuple[Block, ...], ...] = ()
    graph: Graph | Frame | None = None

    def __post_init__(self) -> None:
        one_of(self.kind, ControllerKind, "the kind of a controller")
        given = [total(layer) for layer in self.layers]
        if len(self.layers) > MOST_LAYERS or not all(self.layers):
            raise TopologyError(f"a controller has up to {MOST_LAYERS} layers of at least 1 unit, "
                                f"but was given {given}")  # fmt: skip
        if not self.layers and self.kind == "lstm":
            raise TopologyError("an lstm controller has at least 1 layer, but was given none")
        if (self.kind == "graph") != (self.graph is not None) or (self.graph and self.layers):
            raise TopologyError("a controller has a graph instead of layers if it is of the kind "
                                f"graph, but {self.kind} was given {self.graph}")  # fmt: skip

    @property
    def units(self) -> tuple[int, ...]:
        """Count the hidden units of each layer."""
        return tuple(total(layer) for layer in self.layers)

    @property
    def frame(self) -> Frame:
        """Give the room that its graph takes."""
        assert self.graph is not None, "a controller of layers has no frame"
        return self.graph if isinstance(self.graph, Frame) else self.graph.frame
