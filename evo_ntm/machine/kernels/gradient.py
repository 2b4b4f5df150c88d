"""An episode with gradients: forward and back in the fused kernel, as one function of autograd."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.kernels import cpu, cuda, cuda_gradient, graphs
from evo_ntm.machine.kernels.cpu import FusedCPU
from evo_ntm.machine.kernels.cuda import FusedCUDA
from evo_ntm.machine.kernels.layout import supports
from evo_ntm.machine.machine import Machine
from evo_ntm.topology import Topology


def differentiable_episode(
    topology: Topology,
    eps: float,
    flat: Float[Tensor, "*population D"],
    inputs: Float[Tensor, "T *shown I"],
    *,
    rows: int,
    lengths: Sequence[int] | None = None,
) -> Float[Tensor, "T *batch O"]:
    """Answer a whole episode as `Machine.episode` does, with gradients several times as fast.

    Weights and inputs in float32 on the CPU go to the fused kernel, where it was compiled; in
    float32 on a GPU to the fused programs, where triton is and memory and gradients fit on the
    chip, or to CUDA graphs of the reference; any others, float64 among them, and those within
    `torch.func` to the reference itself. Kernel, programs and graphs can be differentiated once:
    `create_graph=True` raises MachineError. Between forward and back kernel and graphs keep nothing
    but weights and inputs, for the episode is run again; the programs a recording.
    """
    if not supports(topology):
        return Machine(topology, eps).episode(flat, inputs, rows=rows, lengths=lengths)
    if on_gpu(flat, inputs):
        if cuda.missing() is None and cuda_gradient.fits(topology, rows):
            return cuda_gradient.differentiable_episode(
                FusedCUDA(topology, eps), flat, inputs, rows=rows, lengths=lengths
            )
        return graphs.differentiable_episode(
            Machine(topology, eps), flat, inputs, rows=rows, lengths=lengths
        )
    if not fused(flat, inputs):
        return Machine(topology, eps).episode(flat, inputs, rows=rows, lengths=lengths)
    told = FusedCPU(topology, eps), flat, inputs, rows, lengths
    answers: Tensor = _Episode.apply(*told)  # type: ignore[no-untyped-call]
    return answers


def on_gpu(*tensors: Tensor) -> bool:
    """Tell whether gradients of these tensors come from a fused program or a CUDA graph."""
    wanted = torch.is_grad_enabled() and any(x.requires_grad for x in tensors)
    plain = not torch._C._are_functorch_transforms_active()
    return plain and wanted and all(x.is_cuda and x.dtype == torch.float32 for x in tensors)


def fused(*tensors: Tensor) -> bool:
    """Tell whether gradients of these tensors come from the fused kernel."""
    plain = not torch._C._are_functorch_transforms_active()
    told = all(x.is_cpu and x.dtype == torch.float32 for x in tensors)
    return plain and told and cpu.available()


class _Episode(torch.autograd.Function):
    """An episode of weights and inputs."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        machine: FusedCPU,
        flat: Tensor,
        inputs: Tensor,
        rows: int,
        lengths: Sequence[int] | None,
    ) -> Tensor:
        """Answer."""
        ctx.save_for_backward(flat, inputs)
        ctx.machine, ctx.rows, ctx.lengths = machine, rows, lengths
        return machine.episode(flat, inputs, rows=rows, lengths=lengths)

    @staticmethod
    def backward(ctx: Any, answers: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """Go back; what is shown to a population hears from all of it."""
        graphs.refuse_second_gradients()
        flat, inputs = ctx.saved_tensors
        of_flat, of_inputs = ctx.needs_input_grad[1:3]
        ours, theirs = ctx.machine.gradients(
            flat, inputs, answers, rows=ctx.rows, lengths=ctx.lengths, of_inputs=of_inputs
        )
        if theirs is not None and theirs.shape != inputs.shape:
            theirs = theirs.flatten(1, -3).sum(1)
        return None, ours if of_flat else None, theirs, None, None
