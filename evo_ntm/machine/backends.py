"""Whose arithmetic a machine is run with: torch, or a fused kernel where there is one.

All give the same answers up to rounding. A run keeps the backend with which it began, for births
are the same byte for byte only within one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.errors import MachineError, nearest
from evo_ntm.machine.kernels import cpu, cuda, layout, program
from evo_ntm.machine.machine import Machine
from evo_ntm.machine.state import State
from evo_ntm.topology import Topology

NAMES = ("auto", "torch", "fused")
WIDE = {"AVX2": "AVX2 or wider", "AVX512": "AVX2 or wider"}
FUSED: dict[str, type[cpu.FusedCPU] | type[cuda.FusedCUDA]] = {
    "cpu": cpu.FusedCPU,
    "cuda": cuda.FusedCUDA,
}


@runtime_checkable
class Runs(Protocol):
    """A machine of one topology, whoever computes it; `Machine` says what the words mean."""

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Any:  # noqa: ANN401
        """Lay flat weights out as `run` takes them."""

    def initial_state(self, weights: Any, *, lanes: int, rows: int) -> State:
        """Begin."""

    def run(
        self,
        weights: Any,
        inputs: Float[Tensor, "T *shown I"],
        state: State,
        *,
        lengths: Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "T *batch O"], State]:
        """Answer a sequence, in logits."""

    def episode(
        self,
        flat: Float[Tensor, "*population D"],
        inputs: Float[Tensor, "T *shown I"],
        *,
        rows: int,
        lengths: Sequence[int] | None = None,
    ) -> Float[Tensor, "T *batch O"]:
        """Answer a whole episode, in logits, from the initial state on."""


@dataclass(frozen=True)
class Backend:
    """A device, and whether machines are fused there."""

    device: str
    fused: bool

    def machine(self, topology: Topology, eps: float) -> Runs:
        """Make the machine of a topology."""
        if self._fuses_tape(topology):
            return cpu.FusedTape(topology)
        if self.fused and layout.supports(topology):
            return FUSED[device_type(self.device)](topology, eps)
        return Machine(topology, eps)

    def fuses(self, topology: Topology, rows: int) -> bool:
        """Tell whether a machine with so many rows is fused, or the torch path answers for it."""
        if self._fuses_tape(topology):
            return True
        if not self.fused or not layout.supports(topology):
            return False
        if device_type(self.device) != "cuda":
            return True
        return cuda.FusedCUDA(topology).fits(rows)

    def _fuses_tape(self, topology: Topology) -> bool:
        here = self.fused and self.device == "cpu"
        return here and layout.supports_tape(topology)

    @property
    def arithmetic(self) -> dict[str, str]:
        """Name what the bits of a score depend on: with another of any, they may be others.

        The fused kernel gives the same bits by every instruction set, and on any number of
        threads. The grading of answers, which is torch's also where it is fused, and numpy's
        products do with AVX2 and all that is wider, but not without. torch's own machines give
        the same bits only by the same instruction set.
        """
        told = {"torch": torch.__version__, "numpy": np.__version__}
        vectors = torch.backends.cpu.get_cpu_capability()
        told["instructions"] = vectors if not self.fused else WIDE.get(vectors, vectors)
        if device_type(self.device) == "cuda":
            told["device"] = torch.cuda.get_device_name(self.device)
            if self.fused:
                told["triton"] = cuda.version()
        elif self.fused:
            told["fused kernel"] = str(program.ARITHMETIC)
        return told

    @property
    def facts(self) -> dict[str, Any]:
        """Tell by whose arithmetic is computed, as the facts of a run do."""
        return {"backend": str(self), "arithmetic": self.arithmetic}

    def __str__(self) -> str:
        if not self.fused:
            return f"torch on {self.device}"
        if device_type(self.device) == "cuda":
            return f"fused on {self.device}, triton {cuda.version()}"
        found = program.load()
        return f"fused on {self.device}, {found.levels[0] if found else 'absent'}"


def choose(device: str = "cpu", name: str = "auto") -> Backend:
    """Choose a backend; `auto` is the fused one where there is one.

    Raises MachineError where the one asked for is not there.
    """
    if name not in NAMES:
        raise MachineError(f"expected a backend, but came {name!r}: {nearest(name, NAMES)}")
    if name == "torch":
        return Backend(device, fused=False)
    lacking = missing(device)
    if name == "fused" and lacking:
        raise MachineError(f"expected the backend fused on {device}, but {lacking}")
    return Backend(device, fused=not lacking)


def missing(device: str) -> str | None:
    """Say what a fused backend lacks on a device, None where it is there."""
    if device_type(device) == "cuda":
        return cuda.missing()
    if device != "cpu":
        return "there is none for it yet"
    return None if cpu.available() else program.missing()


def device_type(device: str) -> str:
    """Say what kind of device it is: `cuda` of `cuda:1`."""
    return device.partition(":")[0]
