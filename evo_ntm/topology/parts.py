"""The parts that evolution can add and take away: blocks of units, heads, the controller.

Every part carries the id of the birth that brought it. By these ids, never by position,
a child's parts are matched with those of its parents.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from evo_ntm.errors import TopologyError, nearest

ControllerKind = Literal["dense", "lstm"]
HeadKind = Literal["reader", "writer"]
Source = Literal["hidden", "cell"]
Target = Literal["controller", "output", "both"]

MOST_LAYERS = 3
MOST_SHIFTS = 999


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


@dataclass(frozen=True, order=True)
class Head:
    """A reader or a writer, with its own genes."""

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

    @property
    def name(self) -> str:
        """Name the head as wires and reports do."""
        return f"{self.kind} {self.birth}"

    @property
    def genes(self) -> tuple[object, ...]:
        """List all that makes this head compute as it does: everything but its birth."""
        target = self.target if self.kind == "reader" else None
        shifts = self.shifts if self.stages.shift else None
        return self.kind, self.source, target, self.stages, shifts


@dataclass(frozen=True)
class Controller:
    """The network between input and heads: its kind and its layers of hidden blocks."""

    kind: ControllerKind
    layers: tuple[tuple[Block, ...], ...]

    def __post_init__(self) -> None:
        one_of(self.kind, ControllerKind, "the kind of a controller")
        if not 1 <= len(self.layers) <= MOST_LAYERS or not all(self.layers):
            given = [total(layer) for layer in self.layers]
            raise TopologyError(f"a controller has 1 to {MOST_LAYERS} layers of at least 1 unit, "
                                f"but was given {given}")  # fmt: skip

    @property
    def units(self) -> tuple[int, ...]:
        """Count the hidden units of each layer."""
        return tuple(total(layer) for layer in self.layers)
