"""A tape to learn on: what its heads do is hard, and the slope to follow is that of soft ones.

Where a head is, is also kept as weights on all cells: 1 at one of them, 0 elsewhere. Forward these
are what was decided; backward they are made of the softmax of similarities where a head jumps, of
sigmoids for whether it does, and of the softmax of its shifts (the straight-through estimator of
Bengio, Léonard and Courville, 2013). So answers are those of the tape itself. Where a tape is
closed to a ring, the slope does not know it: a shift over the seam has none.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.controller import Carry, arrive
from evo_ntm.machine.lanes import innermost
from evo_ntm.machine.soft import Step
from evo_ntm.machine.state import State
from evo_ntm.machine.tape import Moment, TapeHeads, find, similarity
from evo_ntm.machine.weights import Weights
from evo_ntm.topology.parts import TAPE_SHIFTS as S

STRENGTH = 20.0  # of similarities, which are at most 1 apart


def straight(hard: Tensor, soft: Tensor) -> Tensor:
    """Give a hard value with the slope of a soft one."""
    return hard.detach() + (soft - soft.detach())


def chosen(place: Tensor, head: Tensor, like: Tensor) -> Float[Tensor, "N *batch"]:
    """Put weight 1 at one cell."""
    return (place == head).to(like)


class RelaxedTapeHeads(TapeHeads):
    """The heads of one topology's tape, with a slope."""

    def open(self, state: State, steps: int, *, overwrite: bool) -> Moment:
        """Lay all tapes on a strip; where heads are has no slope yet."""
        moment = super().open(state, steps, overwrite=overwrite)
        place = self._places(moment)
        focus = [chosen(place, head, moment.cells) for head in moment.head]
        return moment._replace(focus=torch.stack(focus))

    def act(
        self, weights: Weights, said: Tensor, carry: Carry, before: Moment, *, overwrite: bool
    ) -> Step:
        """All heads write, all jump, then each steps and reads; answer."""
        orders, answer = self._speak(said)
        with torch.no_grad():
            plain = before._replace(cells=before.cells.detach())
            _, high = self._write(plain, orders, overwrite=False)
        w, j, s = self._soft(said)
        focus = before.focus
        assert focus is not None
        w = w if self._settings.write == "interpolate" else straight(orders.w, w)
        cells = self._written(before.cells, focus, orders.a, w)
        place, heads, wanted = self._places(before), [], []
        for number, head in enumerate(before.head):
            a, jumps = orders.a[number], orders.j[number]
            with torch.no_grad():
                least = self._settings.least_similarity
                found = find(cells, a, before.low, high, least)
                heads.append(torch.where(jumps, found, head))
            alike = STRENGTH * similarity(cells, a)
            inside = (place >= before.low) & (place <= high)
            alike = torch.softmax(alike.masked_fill(~inside, -torch.inf), 0)
            there = straight(chosen(place, found, cells), alike)
            jumped = straight(jumps.to(cells), j[number])
            wanted.append(jumped * there + (1 - jumped) * focus[number])
        low, high, head = self._step(before, high, heads, orders)
        moved = [_moved(one, shares) for one, shares in zip(wanted, s, strict=True)]
        focus = torch.stack([straight(chosen(place, one, cells), soft)
                             for one, soft in zip(head, moved, strict=True)])  # fmt: skip
        reads = (focus.unsqueeze(2) * cells).sum(1).movedim((0, 1), (-2, -1))
        answer = arrive(answer, reads.flatten(-2), weights.reads)
        after = Moment(carry, reads, cells, low, high, head, before.most, before.ring,
                       (0, len(cells)), before.head, focus)  # fmt: skip
        return Step(answer, before, after, orders)

    def _written(self, cells: Tensor, focus: Tensor, a: Tensor, w: Tensor) -> Tensor:
        for number in range(len(focus)):
            one = focus[number].unsqueeze(1)
            cells = one * (w[number] * a[number]) + (1 - one * w[number]) * cells
        return cells

    def _soft(self, said: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give how much is written, jumped and shifted either way, were it not decided."""
        heads, width = len(self.topology.tape_heads), self.topology.width
        told = innermost(said).movedim(-1, 0)
        begun = heads * width
        w, j = torch.sigmoid(told[begun : begun + 2 * heads]).split_with_sizes([heads, heads])
        s = told[begun + 2 * heads : begun + (2 + S) * heads]
        return w, j, torch.softmax(torch.unflatten(s, 0, (heads, S)), 1)

    def _places(self, moment: Moment) -> Tensor:
        place = torch.arange(len(moment.cells), device=moment.cells.device)
        return place.view(-1, *[1] * moment.low.ndim)


def _moved(focus: Float[Tensor, "N *batch"], shares: Float[Tensor, "S *batch"]) -> Tensor:
    """Move weights to either side by shares; what leaves the strip is lost, as at a ring's seam."""
    edge = torch.zeros_like(focus[:1])
    left, right = torch.cat([focus[1:], edge]), torch.cat([edge, focus[:-1]])
    return shares[0] * left + shares[1] * focus + shares[2] * right
