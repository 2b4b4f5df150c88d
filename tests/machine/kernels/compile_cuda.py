"""Compile the CUDA program for GPUs that need not be there, and print each that it was made for.

Without TRITON_INTERPRET, in a process of its own: Triton is for either, from its import on.
"""

from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile

from evo_ntm.machine.kernels import cuda_program

SIDES = {"LANES": 2, "ROWS": 32, "WIDTH": 4, "HEADS": 2, "COLUMNS": 64}
MODES = {"RECURRENT": True, "FRESH": False, "KEEP": True, "RECORD": True}
KINDS = {"ends": "*i32", "layer_table": "*i32", "eps": "fp32"}


def kind(name: str) -> str:
    if name in SIDES or name in MODES:
        return "constexpr"
    return KINDS.get(name, "i32" if name in cuda_program.SIZES else "*fp32")


program = cuda_program.episode
source = ASTSource(program, {name: kind(name) for name in program.arg_names}, {**SIDES, **MODES})
for capability in (80, 90):
    target = GPUTarget("cuda", capability, 32)
    made = compile(source, target=target, options={"num_warps": 2, "num_stages": 1})
    assert made.asm["cubin"] and made.metadata.shared <= 48 * 1024
    print(capability)
