"""Dynamic N-grams: predict the next bit of a source whose odds are drawn anew for each sequence."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.experiment.tasks import NGramsSettings
from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Episodes, Extent, Grades, revised
from evo_ntm.tasks.timeline import compose
from evo_ntm.topology import Block


@dataclass(frozen=True)
class NGrams:
    """Predict the next bit from the few bits before it, learning the odds on the way.

    Each step shows a bit and asks for the next one, from the first that has a full context before
    it to the last; the last step has nothing to ask. Each of the contexts has odds of its own,
    drawn from Beta(1/2, 1/2).
    Source: Graves et al. (2014), section 4.4.
    """

    settings: NGramsSettings = NGramsSettings()
    name: ClassVar[str] = "ngrams"

    @property
    def inputs(self) -> tuple[Block, ...]:
        """List the input channels in blocks."""
        return (Block(1, 1, name="bit"),)

    @property
    def outputs(self) -> tuple[Block, ...]:
        """List the output channels in blocks."""
        return (Block(101, 1, name="next bit"),)

    def episodes(self, generator: Generator, lanes: int) -> Episodes:
        """Make the sequences of so many lanes, all from the generator."""
        steps, context = self.settings.steps, self.settings.context
        bits = self._bits(generator, lanes).astype(np.float32)[..., None]
        scored = np.zeros((steps, lanes), dtype=np.bool_)
        scored[context - 1 : -1] = True
        upcoming = np.zeros_like(bits)
        upcoming[context - 1 : -1] = bits[context:]
        return compose([bits], [upcoming], scored, np.full(lanes, steps))

    def _bits(self, generator: Generator, lanes: int) -> NDArray[np.int64]:
        steps, context = self.settings.steps, self.settings.context
        # The quantile function of Beta(1/2, 1/2). A sine may differ in its last digit between
        # platforms, which would turn one bit in some 10^16.
        odds = np.sin(np.pi / 2 * generator.random((2**context, lanes))) ** 2
        bits = np.empty((steps, lanes), dtype=np.int64)
        bits[:context] = generator.bits((context, lanes))
        luck = generator.random((steps - context, lanes))
        before = (2 ** np.arange(context)[::-1]) @ bits[:context]
        lane = np.arange(lanes)
        # The one loop over steps: each bit's odds hang on the bits before it. Lanes go together.
        for step in range(context, steps):
            bits[step] = luck[step - context] < odds[before, lane]
            before = (2 * before + bits[step]) % 2**context
        return bits

    def optimal_bits(self, episodes: Episodes) -> Float[Tensor, "B"]:
        """Tell what the best possible learner pays for each sequence, in bits.

        It expects a one with probability (N1 + 1/2) / (N1 + N0 + 1), where N1 and N0 count the
        ones and zeros that came after the same context before.
        Source: Graves et al. (2014), equation 10, after Murphy (2012).
        """
        context = self.settings.context
        shown = episodes.inputs[..., 0].mT.long()  # [B, T]
        windows = shown.unfold(1, context, 1)  # one for each step from context - 1 on
        powers = 2 ** torch.arange(context - 1, -1, -1, device=shown.device)
        scored = episodes.scored.mT[:, context - 1 :]
        lane, _ = scored.nonzero(as_tuple=True)
        situation = lane * 2**context + (windows * powers).sum(-1)[scored]
        came = episodes.targets[..., 0].mT[:, context - 1 :][scored].long()

        # Sorted by lane and context, and in order of time within each: what came before
        # in the same situation is now what stands before.
        situation, order = situation.sort(stable=True)
        came = came[order]
        first = torch.searchsorted(situation, situation)
        ones = came.cumsum(0) - came
        ones = ones - ones[first]
        total = torch.arange(len(came), device=came.device) - first
        same = torch.where(came == 1, ones, total - ones)
        cost = -torch.log2((same + 0.5) / (total + 1.0))
        paid = torch.zeros(len(shown), dtype=torch.float64, device=shown.device)
        return paid.index_add(0, lane[order], cost.double())

    def measures(self, episodes: Episodes, grades: Grades) -> dict[str, Tensor]:
        """Tell the regret: the bits a sequence paid beyond the best possible learner's."""
        return {"regret": (grades.bits - self.optimal_bits(episodes)).mean(-1).to(grades.bits)}

    def extent(self) -> Extent:
        """Tell how many bits a sequence has."""
        return {"steps": self.settings.steps}

    def with_settings(self, /, **overrides: object) -> "NGrams":
        """Make the same task with some settings changed. Raises TaskError."""
        return replace(self, settings=revised(self.name, self.settings, overrides))
