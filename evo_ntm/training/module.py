"""A genome as a `torch.nn.Module`: the machine and its genes, ready for gradients."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from evo_ntm.genome import Genome
from evo_ntm.machine import Machine, State, Weights
from evo_ntm.machine.kernels.gradient import differentiable_episode

ROWS = 128  # as in section 4 of Graves et al. (2014)


class NeuralTuringMachine(nn.Module):
    """A machine whose one parameter is the genes of a genome, flat, in their order.

    Where the encoding ties weights, they read the same gene and their gradients add up in it.
    """

    expression: Tensor

    def __init__(self, genome: Genome, *, epsilon: float, rows: int) -> None:
        super().__init__()
        self.machine, self.rows = Machine(genome.topology, epsilon), rows
        self.encoding = genome.encoding
        self.genes = nn.Parameter(torch.tensor(genome.genes))
        expression = torch.from_numpy(genome.code.expression.copy())
        self.register_buffer("expression", expression, persistent=False)

    def genome(self) -> Genome:
        """Give the genes as they now are. Raises GenomeError where one is not finite."""
        return Genome(self.machine.topology, self.genes.detach().cpu().numpy(), self.encoding)

    def initial_state(self, lanes: int, rows: int | None = None) -> State:
        """Begin with an empty memory of so many rows, of the module's own if none are named."""
        return self._begin(self._wired(), lanes, rows)

    def run(
        self,
        inputs: Float[Tensor, "T lanes I"],
        state: State,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T lanes O"], State]:
        """Answer a sequence in logits; with `lengths`, a lane stops after its own steps."""
        return self.machine.run(self._wired(), inputs, state, lengths=lengths)

    def step(
        self, inputs: Float[Tensor, "lanes I"], state: State
    ) -> tuple[Float[Tensor, "lanes O"], State]:
        """Answer one step in logits, so that the next input may depend on the answer."""
        answers, state = self.run(inputs.unsqueeze(0), state)
        return answers.squeeze(0), state

    def forward(
        self, inputs: Float[Tensor, "T lanes I"], rows: int | None = None
    ) -> Float[Tensor, "T lanes O"]:
        """Answer a sequence in logits, beginning with an empty memory.

        In float32 the fused kernel of the CPU answers, where it was compiled, or that of a GPU, and
        takes gradients; for gradients of gradients go through `run`.
        """
        flat, rows = self._flat(), self.rows if rows is None else rows
        machine = self.machine
        return differentiable_episode(machine.topology, machine.eps, flat, inputs, rows=rows)

    def extra_repr(self) -> str:
        """Say what machine it is."""
        return f"{self.machine.topology}, {self.encoding}, rows={self.rows}"

    def _wired(self) -> Weights:
        return self.machine.wire_up(self._flat())

    def _flat(self) -> Tensor:
        """Express the genes, wire after wire."""
        return self.genes if self.encoding == "direct" else self.genes[self.expression]

    def _begin(self, weights: Weights, lanes: int, rows: int | None) -> State:
        rows = self.rows if rows is None else rows
        return self.machine.initial_state(weights, lanes=lanes, rows=rows)


def machine_of(genome: Genome, *, epsilon: float = 0.01, rows: int = ROWS) -> NeuralTuringMachine:
    """Make a module of a genome, for `torch.optim` and for use in anyone's code.

    `epsilon` damps the cosine of content addressing and should be that with which the genome
    evolved, `machine.epsilon` of its task file. `rows` are those of the memory where a call does
    not say how many.
    """
    return NeuralTuringMachine(genome, epsilon=epsilon, rows=rows)
