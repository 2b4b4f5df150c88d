"""Heads that are at one place each: the tape of the Evolving Neural Turing Machine.

A step of Greve, Jacobsen and Risi (2016), section 3: write, jump, step to a side, read. Where their
paper and their programs differ, it is as the programs do it: similarity is 1 less the mean distance
of the numbers, and everything from 0.5 on is yes. The fresh cell is that of Lüders et al. (2017).

| letter  | word          | made by | range                         |
|---------|---------------|---------|-------------------------------|
| `a`     | write         | sigmoid | (0, 1)                        |
| `w`     | interpolation | sigmoid | (0, 1)                        |
| `j`     | jump          | sigmoid | (0, 1), from 0.5 on it jumps  |
| `s`     | shift         | sigmoid | (0, 1), the largest decides   |

Decisions are made on the sums that sigmoids would be taken of, which comes to the same with less
rounding: from 0 on for yes; and of shifts the largest, where all are equal of which a double takes
the sigmoid for 1, as the published programs did.

All lanes share one long strip of cells, the tape of each lane being a part of it that grows at both
ends. Axes of cells and columns come first, those of the batch last, as they are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from evo_ntm.machine.controller import Carry, arrive
from evo_ntm.machine.lanes import innermost
from evo_ntm.machine.soft import Step, Trace
from evo_ntm.machine.state import State, Tape
from evo_ntm.machine.weights import Weights
from evo_ntm.topology import Tape as Settings
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import TAPE_SHIFTS as S
from evo_ntm.topology.parts import total

UNBOUNDED = 2**62  # cells
LOUD, QUIET = 36.74, -745.0  # sums of which a double takes the sigmoid for 1 and for 0
SAME = 0.9999  # as similar, a cell is not looked past
FOUND, OUTSIDE = 2.0, -1.0  # above and below every similarity


class Orders(NamedTuple):
    """What the controller tells the heads in one step; where it overwrites, w is 0 or 1."""

    a: Float[Tensor, "H M *batch"]
    w: Float[Tensor, "H *batch"]
    j: Bool[Tensor, "H *batch"]
    s: Int[Tensor, "H *batch"]


class Moment(NamedTuple):
    """Where all tapes lie on the strip, from `low` to `high`, and their heads.

    No tape lies outside of the cells from `reach[0]` up to `reach[1]`. `ring` tells whether any
    tape closes to a ring at `most` cells. `written` is where heads were when they wrote;
    `focus` is where they are, in weights, which only who learns needs.
    """

    carry: Carry
    reads: Float[Tensor, "*batch H M"]
    cells: Float[Tensor, "N M *batch"]
    low: Int[Tensor, "*batch"]
    high: Int[Tensor, "*batch"]
    head: Int[Tensor, "H *batch"]
    most: Int[Tensor, "*batch"]
    ring: bool
    reach: tuple[int, int]
    written: Int[Tensor, "H *batch"]
    focus: Float[Tensor, "H N *batch"] | None = None

    def state(self) -> State:
        """Give what is worth keeping between two runs: the tapes, cut out of the strip."""
        cells, low, extent = self.cells, self.low, self.high - self.low + 1
        place = torch.arange(int(extent.max()), device=low.device).view(-1, *[1] * low.ndim)
        index = (low + place).clamp_max(len(cells) - 1).unsqueeze(1)
        cut = cells.gather(0, index.expand(-1, cells.shape[1], *low.shape))
        cut = torch.where((place < extent).unsqueeze(1), cut, 0.0)
        head = (self.head - low).movedim(0, -1)
        store = Tape(cut.movedim((0, 1), (-2, -1)), extent, head, self.most)
        return State(self.carry, self.reads, store)


def similarity(
    cells: Float[Tensor, "N M *batch"], a: Float[Tensor, "M *batch"]
) -> Float[Tensor, "N *batch"]:
    """Say how much alike cells and a vector are, from 0 to 1."""
    return 1 - (cells - a).abs().sum(1) / cells.shape[1]


def find(
    cells: Float[Tensor, "N M *batch"],
    a: Float[Tensor, "M *batch"],
    low: Int[Tensor, "*batch"],
    high: Int[Tensor, "*batch"],
    least: float,
) -> Int[Tensor, "*batch"]:
    """Look for a vector between two cells: the first that is the same, or the most similar one.

    Of several such it is the first. Where none is as similar as `least`, it is the last cell.
    """
    alike = similarity(cells, a)
    place = torch.arange(len(cells), device=cells.device).view(-1, *[1] * low.ndim)
    alike = torch.where(alike > SAME, FOUND, alike)
    best, found = torch.where((place < low) | (place > high), OUTSIDE, alike).max(0)
    return torch.where(best < least, high, found)


def at(cells: Float[Tensor, "N M *batch"], head: Int[Tensor, "*batch"]) -> Tensor:
    """Give the cells [M, *batch] that a head is at."""
    return cells.gather(0, _index(cells, head)).squeeze(0)


def _index(cells: Tensor, head: Tensor) -> Tensor:
    return head.expand(1, cells.shape[1], *head.shape)


def growth(topology: Topology, steps: int) -> tuple[int, int]:
    """Say by how many cells a tape can grow at its left and at its right end in so many steps."""
    assert topology.tape is not None
    furthest = steps * len(topology.tape_heads)
    return furthest, furthest * (1 + topology.tape.fresh_cell)


def longest(topology: Topology, rows: int, steps: int) -> int:
    """Say how many cells a strip has in which a tape of at most `rows` may go for some steps.

    No rows stand for any number of them.
    """
    ends = (min(more, rows - 1) if rows else more for more in growth(topology, steps))
    return 1 + sum(ends)


@dataclass(frozen=True)
class TapeHeads:
    """The heads of one topology's tape."""

    topology: Topology

    @property
    def _settings(self) -> Settings:
        assert self.topology.tape is not None
        return self.topology.tape

    def begin(self, like: Tensor, batch: tuple[int, ...], rows: int) -> Tape:
        """Begin with one unwritten cell, and every head at it. Without rows a tape has no end."""
        heads, width = len(self.topology.tape_heads), self.topology.width
        one = torch.ones(batch, dtype=torch.int64, device=like.device)
        cells = like.new_full((1, width, *batch), self._settings.initial)
        head = one.new_zeros(heads, *batch).movedim(0, -1)
        return Tape(cells.movedim((0, 1), (-2, -1)), one, head, one * (rows or UNBOUNDED))

    def open(self, state: State, steps: int, *, overwrite: bool) -> Moment:
        """Lay all tapes on a strip that is long enough for so many steps."""
        assert isinstance(state.store, Tape)
        cells, extent, head, most = state.store
        cells, head = cells.movedim((-2, -1), (0, 1)), head.movedim(-1, 0)
        least = int(most.min())
        left, right = (min(more, int(most.max()) - 1) for more in growth(self.topology, steps))
        count, width, *batch = cells.shape
        strip = cells.new_full((left + count + right, width, *batch), self._settings.initial)
        place = torch.arange(count, device=cells.device).view(-1, *[1] * (1 + extent.ndim))
        strip[left : left + count] = torch.where(place < extent, cells, self._settings.initial)
        low = torch.full_like(extent, left)
        reach = left, left + count
        return Moment(state.carry, state.reads, strip, low, low + extent - 1, head + left, most,
                      least < UNBOUNDED, reach, head + left)  # fmt: skip

    def act(
        self, weights: Weights, said: Tensor, carry: Carry, before: Moment, *, overwrite: bool
    ) -> Step:
        """All heads write, all jump, then each steps and reads; answer."""
        orders, answer = self._speak(said)
        cells, high = self._write(before, orders, overwrite=overwrite)
        near, far = before.reach
        heads = len(orders.w)
        far = min(far + heads * self._settings.fresh_cell, len(cells))
        jumped = self._jump(cells[near:far], before, high, orders, near)
        low, high, head = self._step(before, high, jumped, orders)
        reach = max(near - heads, 0), min(far + heads, len(cells))
        reads = torch.stack([at(cells, one) for one in head]).movedim((0, 1), (-2, -1))
        answer = arrive(answer, reads.flatten(-2), weights.reads)
        after = Moment(carry, reads, cells, low, high, head, before.most, before.ring, reach,
                       before.head)  # fmt: skip
        return Step(answer, before, after, orders)

    def trace(self, step: Step) -> Trace:
        """Keep what is told of a step: weights are 1 at the cell that a head is at.

        Of a write it is as much as was written.
        """
        moment, orders = step.after, step.orders
        cells = moment.cells
        place = torch.arange(len(cells), device=cells.device)

        def there(head: Tensor, weight: Tensor) -> Tensor:
            chosen = head.movedim(0, -1).unsqueeze(-1) == place
            return chosen * weight.movedim(0, -1).unsqueeze(-1)

        w, a = orders.w, orders.a.movedim((0, 1), (-2, -1))
        whole = torch.ones_like(w)
        erase = w.movedim(0, -1).unsqueeze(-1).expand(a.shape)
        memory = cells.movedim((0, 1), (-2, -1)).clone()
        return Trace(there(moment.written, w), there(moment.head, whole), moment.reads, erase, a,
                     memory)  # fmt: skip

    def traced(self, seen: Trace, last: Moment) -> Trace:
        """Tell of all steps, and of the cells that tapes then had only, the leftmost first."""
        low, high = int(last.low.min()), int(last.high.max()) + 1
        write, read, reads, erase, add, memory = seen
        return Trace(write[..., low:high], read[..., low:high], reads, erase, add,
                     memory[..., low:high, :])  # fmt: skip

    def _speak(self, said: Tensor) -> tuple[Orders, Tensor]:
        """Tell every head its orders, each number in its range, and begin the answer."""
        H, M = len(self.topology.tape_heads), self.topology.width
        outputs = total(self.topology.outputs)
        told, answer = said.split_with_sizes([said.shape[-1] - outputs, outputs], -1)
        a, w, j, s = innermost(told).movedim(-1, 0).split_with_sizes([H * M, H, H, H * S])
        a = torch.unflatten(torch.sigmoid(a), 0, (H, M))
        w = torch.sigmoid(w) if self._settings.write == "interpolate" else (w >= 0).to(w)
        s = torch.unflatten(s.clamp(QUIET, LOUD), 0, (H, S)).argmax(1) - S // 2
        return Orders(a, w, j >= 0, s), answer.clone()

    def _write(self, before: Moment, orders: Orders, *, overwrite: bool) -> tuple[Tensor, Tensor]:
        """Let every head write, the later over the earlier, and append a cell for one that is used.

        Gives the cells and the last of them.
        """
        settings, cells, high = self._settings, before.cells, before.high
        for a, w, head in zip(orders.a, orders.w, before.head, strict=True):
            found = at(cells, head)
            written = w * a + (1 - w) * found
            index = _index(cells, head)
            if overwrite:
                cells.scatter_(0, index, written.unsqueeze(0))
            else:
                cells = cells.scatter(0, index, written.unsqueeze(0))
            if settings.fresh_cell:
                used = similarity(found.unsqueeze(0), written).squeeze(0) <= settings.did_write
                room = high - before.low + 1 < before.most
                high = high + ((head == high) & used & room)
        return cells, high

    def _jump(
        self, cells: Tensor, before: Moment, high: Tensor, orders: Orders, near: int
    ) -> Sequence[Tensor]:
        """Send the heads that are to jump to what they look for; the first cell is at `near`."""
        if cells.is_cpu and not bool(orders.j.any()):
            return before.head.unbind()
        low, high, least = before.low - near, high - near, self._settings.least_similarity
        return [
            torch.where(j, find(cells, a, low, high, least) + near, head)
            for j, a, head in zip(orders.j, orders.a, before.head, strict=True)
        ]

    def _step(
        self, before: Moment, high: Tensor, head: Sequence[Tensor], orders: Orders
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Let one head after another step to a side, where a cell is appended if there is none.

        Gives the first and the last cells and the heads.
        """
        low, heads = before.low, []
        for one, offset in zip(head, orders.s, strict=True):
            to = one + offset
            if before.ring:
                full = high - low + 1 >= before.most
                to = torch.where(full & (to > high), low, torch.where(full & (to < low), high, to))
            low, high = torch.minimum(low, to), torch.maximum(high, to)
            heads.append(to)
        return low, high, torch.stack(heads)
