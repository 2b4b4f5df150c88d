"""Descent: genomes in, genomes out, and in between one gradient step after the other.

Nothing is mutated: a step takes where the descent stands and gives where it stands then. The same
steps from the same place lead to the same bits on any number of threads.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.experiment.finetune import Finetune
from evo_ntm.genome import Encoding, Genome
from evo_ntm.genome.encoding import code
from evo_ntm.machine import Backend, Machine
from evo_ntm.machine.kernels.gradient import differentiable_episode
from evo_ntm.machine.kernels.layout import supports
from evo_ntm.machine.threads import one_thread
from evo_ntm.tasks import Episodes, grade
from evo_ntm.topology import Topology
from evo_ntm.training.optimisers import (
    Adam,
    Moments,
    Optimiser,
    RMSProp,
    clip_elements,
    clip_norm,
    norm,
)
from evo_ntm.training.schedules import rate

OPTIMISERS: dict[str, type[Adam | RMSProp]] = {"adam": Adam, "rmsprop": RMSProp}


class Standing(NamedTuple):
    """Where a descent stands: the genes, what the optimiser remembers, and the steps behind it."""

    genes: Float[Tensor, "*population G"]
    moments: Moments
    step: int

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give all of it but the steps as named arrays."""
        told = {"genes": self.genes, **self.moments}
        return {name: tensor.cpu().numpy() for name, tensor in told.items()}


class Slope(NamedTuple):
    """What a step met: the mean cost of its sequences, and how long the gradient was, unclipped.

    It is `steady` where cost, gradient and genes stayed finite; elsewhere nothing was changed.
    """

    bits: Float[Tensor, "*population"]
    wrong_bits: Float[Tensor, "*population"]
    norm: Float[Tensor, "*population"]
    steady: Bool[Tensor, "*population"]


@dataclass(frozen=True)
class Descent:
    """How machines of one topology are trained; several at once have an axis in front."""

    topology: Topology
    encoding: Encoding
    epsilon: float
    settings: Finetune
    backend: Backend

    @property
    def optimiser(self) -> Optimiser:
        """Make the optimiser that the settings name."""
        names = ("momentum", "decay", "epsilon")
        told = {name: self.settings.own(name) for name in names}
        return OPTIMISERS[self.settings.optimiser](**told)

    def begin(self, genes: NDArray[np.float32]) -> Standing:
        """Begin with some genes, [*population, G]."""
        placed = torch.from_numpy(genes.copy()).to(self.backend.device)
        return Standing(placed, self.optimiser.begin(placed), 0)

    def restore(self, tensors: Mapping[str, NDArray[np.float32]], step: int) -> Standing:
        """Go on from where a descent stood."""
        device = self.backend.device
        told = {
            name: torch.from_numpy(tensor.copy()).to(device) for name, tensor in tensors.items()
        }
        return Standing(told.pop("genes"), told, step)

    def genome(self, standing: Standing) -> Genome:
        """Give the genome that stands there. Raises GenomeError where a gene is not finite."""
        return Genome(self.topology, standing.genes.cpu().numpy(), self.encoding)

    def step(self, standing: Standing, episodes: Episodes, rows: int) -> tuple[Standing, Slope]:
        """Go one step down on some sequences; whoever would leave the numbers stays."""
        settings, (genes, moments, number) = self.settings, standing
        slope, gradient = self.slope(genes, episodes, rows)
        if settings.clip_norm is not None:
            gradient = clip_norm(gradient, settings.clip_norm)
        if settings.clip is not None:
            gradient = clip_elements(gradient, settings.clip)
        change, after = self.optimiser.change(
            gradient, moments, rate=rate(settings, number), step=number
        )
        moved = genes + change
        steady = slope.steady & torch.isfinite(moved).all(-1)
        if bool(steady.all()):
            return Standing(moved, after, number + 1), slope

        def kept(new: Tensor, old: Tensor) -> Tensor:
            return torch.where(steady.unsqueeze(-1), new, old)

        after = {name: kept(moment, moments[name]) for name, moment in after.items()}
        return Standing(kept(moved, genes), after, number + 1), slope._replace(steady=steady)

    def slope(
        self, genes: Float[Tensor, "*population G"], episodes: Episodes, rows: int
    ) -> tuple[Slope, Float[Tensor, "*population G"]]:
        """Give the mean cost of some sequences, in bits, and its gradient by the genes."""
        episodes = episodes.to(self.backend.device)
        flat = self._express(genes).requires_grad_()
        in_kernel = self.backend.fused and supports(self.topology)
        with nullcontext() if in_kernel else one_thread():
            answers = self._answers(flat, episodes, rows)
            with one_thread():
                heard = answers.detach().requires_grad_()
                grades = grade(episodes, heard)
                bits = grades.bits.mean(-1)
                torch.autograd.backward(bits.sum())
            torch.autograd.backward(answers, heard.grad)
        assert flat.grad is not None
        gradient, bits = self._gather(flat.grad), bits.detach()
        length = norm(gradient)
        steady = torch.isfinite(bits) & torch.isfinite(length)
        return Slope(bits, grades.wrong_bits.mean(-1), length, steady), gradient

    def _answers(self, flat: Tensor, episodes: Episodes, rows: int) -> Tensor:
        inputs, lengths = episodes.inputs, episodes.lengths
        if self.backend.fused:
            told = self.topology, self.epsilon, flat, inputs
            return differentiable_episode(*told, rows=rows, lengths=lengths)
        return Machine(self.topology, self.epsilon).episode(
            flat, inputs, rows=rows, lengths=lengths
        )

    def _express(self, genes: Tensor) -> Tensor:
        if self.encoding == "direct":
            return genes.detach().clone()
        expression = torch.from_numpy(code(self.topology, self.encoding).expression)
        return genes.detach()[..., expression.to(genes.device)]

    def _gather(self, gradient: Tensor) -> Tensor:
        """Add the gradients of weights that read the same gene up, always in the same order."""
        if self.encoding == "direct":
            return gradient
        expression, keys, _ = code(self.topology, self.encoding)
        rows = gradient.reshape(-1, gradient.shape[-1]).double().cpu().numpy()
        summed = np.stack([np.bincount(expression, row, keys.size) for row in rows])
        return torch.from_numpy(summed.reshape(*gradient.shape[:-1], keys.size)).to(gradient)


def parameters(genome: Genome, settings: Finetune) -> Genome:
    """Give the genome whose genes are tuned: a tied one as it is, or with a gene a wire."""
    if settings.encoding == "wires" and genome.encoding != "direct":
        return Genome(genome.topology, genome.weights, "direct")
    return genome


def descent_of(genome: Genome, settings: Finetune, *, epsilon: float, backend: Backend) -> Descent:
    """Prepare the descent of a genome and all others of its topology and encoding."""
    genome = parameters(genome, settings)
    return Descent(genome.topology, genome.encoding, epsilon, settings, backend)
