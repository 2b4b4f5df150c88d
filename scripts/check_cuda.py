"""Compare the fused CUDA path with the torch path on a GPU, there and back: a line a case of each.

Exits with 1 on a mismatch.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import shapes  # noqa: F401 - before anything of evo_ntm
import torch

from evo_ntm.machine import Machine
from evo_ntm.machine.backends import missing
from evo_ntm.machine.kernels import cuda_gradient
from evo_ntm.machine.kernels.cuda import FusedCUDA
from evo_ntm.machine.kernels.gradient import differentiable_episode
from evo_ntm.machine.state import tensors
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Controller, Head, Stages, Topology
from evo_ntm.topology.parts import ControllerKind
from evo_ntm.topology.wires import size

EPSILON = 0.01
TOLERANCE = 1e-4
POPULATION, LANES, STEPS = 48, 10, 41
GOING_BACK = 2  # of the population: autograd of the torch path keeps all that happens
READER, WRITER = Head(30, "reader"), Head(31, "writer")
BARE = Stages(content=False, interpolation=False)


@dataclass(frozen=True)
class Case:
    """A machine that hears 9 channels and answers 8, its rows, and how it is shown sequences."""

    name: str
    controller: ControllerKind
    units: tuple[int, ...]
    width: int
    heads: tuple[Head, ...]
    rows: int
    ragged: bool = False

    @property
    def topology(self) -> Topology:
        """Build the machine."""
        layers = tuple((Block(10 + n, units),) for n, units in enumerate(self.units))
        controller = Controller(self.controller, layers)
        channels = (Block(1, 9),), (Block(2, 8),)
        return Topology(*channels, controller, (Block(3, self.width),), self.heads)

    @property
    def lengths(self) -> list[int] | None:
        """Let each lane end at another step, or all at the last."""
        return [1 + 7 * lane % STEPS for lane in range(LANES)] if self.ragged else None


CASES = [
    Case("no heads", "lstm", (20,), 1, (), 1),
    Case("dense", "dense", (16,), 9, (READER, WRITER), 32),
    Case("dense, wide", "dense", (100,), 20, (READER, WRITER), 128),
    Case("lstm", "lstm", (100,), 20, (READER, WRITER), 128),
    Case("lstm, layers", "lstm", (30, 20, 10), 20, (READER, WRITER), 100, ragged=True),
    Case("several heads", "lstm", (40,), 17,
         (*(Head(n, "writer", "cell", shifts=2 * n + 3) for n in range(3)),
          *(Head(n, "reader", target="output") for n in range(3, 8))), 67, ragged=True),
    Case("without stages", "dense", (12, 8), 6,
         (Head(1, "writer", stages=BARE, shifts=5), Head(2, "reader", stages=BARE), READER), 21),
    Case("ragged", "dense", (16,), 9, (READER, WRITER), 20, ragged=True),
    Case("many rows", "dense", (16,), 20, (READER, WRITER), 1000),
    Case("beyond the chip", "dense", (16,), 20, (READER, WRITER), 4000, ragged=True),
]  # fmt: skip


def material(case: Case, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw weights and inputs."""
    stream = derive(1, "check", case.name)
    flat = 0.2 * torch.from_numpy(stream.normal((POPULATION, size(case.topology)))).to(device)
    return flat, torch.from_numpy(stream.bits((STEPS, LANES, 9))).to(device).double()


def differences(case: Case, device: str) -> Iterator[float]:
    """Give how far an episode's answers, a run's and its last state are from the torch path's.

    The torch path counts in float64, so that only one of them rounds, unless it answers for both.
    Beyond TOLERANCE of a number's own size, or NaN, is a mismatch.
    """
    flat, inputs = material(case, device)
    exact, fused = Machine(case.topology, EPSILON), FusedCUDA(case.topology, EPSILON)
    fine = torch.float64 if fused.fits(case.rows) else torch.float32
    found = []
    for machine, kind in ((exact, fine), (fused, torch.float32)):
        weights = machine.wire_up(flat.to(kind))
        state = machine.initial_state(weights, lanes=LANES, rows=case.rows)
        answers, ended = machine.run(weights, inputs.to(kind), state, lengths=case.lengths)
        whole = machine.episode(flat.to(kind), inputs.to(kind), rows=case.rows,
                                lengths=case.lengths)  # fmt: skip
        found.append([whole, answers, *tensors(ended)])
    for expected, came in zip(*found, strict=True):
        if expected.numel():
            yield float(((came - expected).abs() / (1 + expected.abs())).max())


def differences_back(case: Case, device: str) -> Iterator[float]:
    """Give how far gradients of weights and of inputs are from autograd's, beside the largest.

    Weights are halved, for with larger ones rounding grows from step to step.
    """
    flat, inputs = material(case, device)
    fits = cuda_gradient.fits(case.topology, case.rows)
    found = []
    for kind in (torch.float64 if fits else torch.float32, torch.float32):
        leaves = [x.to(kind).requires_grad_() for x in (flat[:GOING_BACK] / 2, inputs)]
        told = {"rows": case.rows, "lengths": case.lengths}
        answers = (
            differentiable_episode(case.topology, EPSILON, *leaves, **told)
            if found
            else Machine(case.topology, EPSILON).episode(*leaves, **told)
        )
        found.append(torch.autograd.grad(answers.square().mean(), leaves))
    for expected, came in zip(*found, strict=True):
        yield float((came - expected).abs().max() / expected.abs().max())


def check(device: str = "cuda") -> bool:
    """Print a line a case and way; tell whether all agree."""
    agreed = True
    for case in CASES:
        for way, compare in (("there", differences), ("back", differences_back)):
            with torch.inference_mode(way == "there"):
                apart = torch.tensor(list(compare(case, device))).max().item()
            agrees = apart <= TOLERANCE
            agreed &= agrees
            print(f"{'agrees' if agrees else 'DIFFERS':<8} {way:<6} {case.name:<16} "
                  f"{case.topology}, {case.rows} rows: {apart:.1e}", flush=True)  # fmt: skip
    return agreed


if __name__ == "__main__":
    lacking = missing("cuda")
    sys.exit(f"check_cuda: {lacking}" if lacking else not check())
