"""Compile the CUDA programs for a GPU that need not be there, say 90, and print each.

Without TRITON_INTERPRET, in a process of its own: Triton is for either, from its import on.
"""

import sys

from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile

from evo_ntm.machine.kernels import cuda_backward, cuda_program

SIDES = {"LANES": 2, "ROWS": 32, "WIDTH": 4, "HEADS": 2}
THERE = {"COLUMNS": 64, "RECURRENT": True, "FRESH": False, "KEEP": True, "RECORD": True}
BACK = {"COLUMNS": 32, "PARTS": 2, "RECURRENT": True}
KINDS = {"ends": "*i32", "layer_table": "*i32", "eps": "fp32"}


def made(module, program, modes: dict[str, int], capability: int):
    constants = {**SIDES, **modes}

    def kind(name: str) -> str:
        if name in constants:
            return "constexpr"
        return KINDS.get(name, "i32" if name in module.SIZES else "*fp32")

    source = ASTSource(program, {name: kind(name) for name in program.arg_names}, constants)
    target = GPUTarget("cuda", capability, 32)
    return compile(source, target=target, options={"num_warps": 2, "num_stages": 1})


THERE_AND_BACK = [
    (cuda_program, cuda_program.episode, THERE),
    (cuda_backward, cuda_backward.way_back, BACK),
]
for module, program, modes in THERE_AND_BACK:
    found = made(module, program, modes, int(sys.argv[1]))
    assert found.asm["cubin"] and found.metadata.shared <= 48 * 1024
    # a cache for what never changes would not hear what another thread has left
    assert "ld.global.nc" not in found.asm["ptx"]
    print(program.__name__)
