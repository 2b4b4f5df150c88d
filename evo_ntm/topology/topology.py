"""The topology of one machine: channels, controller, memory columns and heads."""

from collections.abc import Hashable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from evo_ntm.errors import TopologyError
from evo_ntm.topology.ends import fitting
from evo_ntm.topology.graph import Graph
from evo_ntm.topology.parts import Block, Controller, Head, HeadKind, Tape, total
from evo_ntm.words import counted


@dataclass(frozen=True)
class Topology:
    """What a machine is made of. Never changes, and holds no weights and no memory rows.

    Heads are kept in order: writers first, then readers, the eldest of each first. Heads of a tape
    are the only ones where there are any, and then there is a `tape`.
    """

    inputs: tuple[Block, ...]
    outputs: tuple[Block, ...]
    controller: Controller
    columns: tuple[Block, ...]
    heads: tuple[Head, ...] = ()
    tape: Tape | None = None

    def __post_init__(self) -> None:
        if not self.inputs or not self.outputs or not self.columns:
            raise TopologyError("a machine has at least 1 input, 1 output and 1 memory column")
        if len({block.size for block in self._blocks() if block.per_bit}) > 1:
            raise TopologyError("all blocks of one unit a bit must have the same number of bits")
        if self.controller.kind != "lstm" and any(h.source == "cell" for h in self.heads):
            raise TopologyError(
                f"a head takes orders from the cell, but a {self.controller.kind} controller "
                "has none"
            )
        kinds = {head.kind for head in self.heads}
        if self.tape is None and "tape" in kinds:
            object.__setattr__(self, "tape", Tape())
        if self.tape is not None and not kinds <= {"tape"}:
            raise TopologyError("the heads of a machine with a tape are all of the kind tape, but "
                                f"were given as {', '.join(sorted(kinds))}")  # fmt: skip
        self._refuse_twins("heads", self.heads)
        self._refuse_twins("inputs", self.inputs)
        self._refuse_twins("outputs", self.outputs)
        self._refuse_twins("memory columns", self.columns)
        for number, layer in enumerate(self.controller.layers, start=1):
            self._refuse_twins(f"the blocks of layer {number}", layer)
        ordered = sorted(self.heads, key=lambda head: (head.kind == "reader", head.birth))
        object.__setattr__(self, "heads", tuple(ordered))
        if self.controller.graph is not None:
            self._fit_the_graph()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Everything about a topology is looked up by it, and a graph has many parts."""
        return hash(tuple(getattr(self, field.name) for field in fields(self)))

    def __getstate__(self) -> dict[str, Any]:
        """Travel without what was worked out: a hash is another in another process."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _fit_the_graph(self) -> None:
        """Cut off what leads to parts that are not there. Only a tape is told by a graph."""
        for head in self.heads:
            if head.kind != "tape" or head.target != "controller":
                raise TopologyError(
                    "a graph has heads of a tape, whose target is the controller, "
                    f"but was given {head.name}, of the target {head.target}"
                )
        graph = self.controller.graph
        if isinstance(graph, Graph):
            kept = fitting(graph, self.inputs, self.outputs, self.columns, self.heads)
            object.__setattr__(self, "controller", Controller("graph", graph=kept))

    def _refuse_twins(self, what: str, parts: tuple[Block, ...] | tuple[Head, ...]) -> None:
        """Genes are known by birth ids: of twins, one would be lost."""
        births = [part.birth for part in parts]
        if len(set(births)) < len(births):
            raise TopologyError(f"{what} have different birth ids, but were given {births}")

    def _blocks(self) -> tuple[Block, ...]:
        hidden = sum(self.controller.layers, ())
        return (*self.inputs, *self.outputs, *hidden, *self.columns)

    @property
    def bits(self) -> int | None:
        """Count the exchangeable bits of the task, None where there are none."""
        return next((block.size for block in self.inputs if block.per_bit), None)

    @property
    def width(self) -> int:
        """Count the memory columns."""
        return total(self.columns)

    @cached_property
    def writers(self) -> tuple[Head, ...]:
        """List the writing heads, the eldest first."""
        return tuple(head for head in self.heads if head.kind == "writer")

    @cached_property
    def readers(self) -> tuple[Head, ...]:
        """List the reading heads, the eldest first."""
        return tuple(head for head in self.heads if head.kind == "reader")

    @cached_property
    def tape_heads(self) -> tuple[Head, ...]:
        """List the heads of a tape, the eldest first."""
        return tuple(head for head in self.heads if head.kind == "tape")

    @cached_property
    def reading(self) -> tuple[Head, ...]:
        """List the heads that read: the readers, or the heads of a tape."""
        return self.tape_heads or self.readers

    def listened(self, by: str) -> tuple[bool, ...]:
        """Tell of each head that reads whether the controller, or the output, listens to it."""
        return tuple(head.target in (by, "both") for head in self.reading)

    def of_kind(self, kind: HeadKind) -> tuple[Head, ...]:
        """List the heads of one kind."""
        return tuple(head for head in self.heads if head.kind == kind)

    def births(self) -> set[int]:
        """List the ids of every part, so that a new part can choose one of its own."""
        return {block.birth for block in self._blocks()} | {head.birth for head in self.heads}

    @cached_property
    def shape_key(self) -> Hashable:
        """Say what two machines must share to run in one cohort: all but birth ids."""
        genes = tuple(head.genes for head in self.heads)
        channels = total(self.inputs), total(self.outputs)
        controller = self.controller
        units = controller.units if controller.graph is None else controller.frame
        shape = channels, controller.kind, units, self.width, genes
        return shape if self.tape is None else (*shape, self.tape)

    @cached_property
    def species_key(self) -> Hashable:
        """Say what two machines must share to be of one species: controller and heads."""
        genes = tuple(sorted(map(repr, (head.genes for head in self.heads))))
        species = self.controller.kind, len(self.controller.layers), genes
        return species if self.tape is None else (*species, repr(self.tape))

    @cached_property
    def framed(self) -> "Topology":
        """Give the machine that runs graphs of one shape side by side; others run as they are."""
        if not isinstance(self.controller.graph, Graph):
            return self
        return replace(self, controller=Controller("graph", graph=self.controller.frame))

    def with_bits(self, bits: int) -> "Topology":
        """Build the same machine for another number of exchangeable bits."""
        if self.bits is None:
            raise TopologyError(f"this machine has no exchangeable bits to make {bits} of")

        def resized(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
            return tuple(replace(b, size=bits) if b.per_bit else b for b in blocks)

        layers = tuple(map(resized, self.controller.layers))
        return replace(
            self,
            inputs=resized(self.inputs),
            outputs=resized(self.outputs),
            columns=resized(self.columns),
            controller=replace(self.controller, layers=layers),
        )

    def __str__(self) -> str:
        kind: str = self.controller.kind
        layers = "+".join(map(str, self.controller.units)) or "without layers"
        if isinstance(graph := self.controller.graph, Graph):
            nodes = counted(len(graph.nodes), "node")
            layers = f"of {nodes} and {counted(len(graph.connections), 'connection')}"
            kind = f"recurrent {kind}" if graph.recurrent else kind
        parts = [f"{kind} {layers}"]
        kinds = [(self.readers, "reader"), (self.writers, "writer")]
        for heads, noun in [(self.tape_heads, "tape head")] if self.tape else kinds:
            parts.append(counted(len(heads), noun))
        return ", ".join([*parts, f"width {self.width}"])
