"""A compiled program that is not there, or is damaged, is named and done without."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from evo_ntm.machine.kernels import cpu, program

pytestmark = pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")
TELL = """
import sys
from importlib.machinery import ModuleSpec
from evo_ntm.errors import MachineError
from evo_ntm.machine import choose
from evo_ntm.machine.kernels import program
program.find_spec = lambda name: ModuleSpec(name, None, origin=sys.argv[1])
print(choose("cpu", "torch"), choose(), sep=";")
try:
    choose("cpu", "fused")
except MachineError as error:
    print(error)
"""


def damaged(path: Path, how: str) -> Path:
    whole = Path(find_spec(program.PROGRAM).origin).read_bytes()
    cut = {"empty": b"", "text": b"not a library", "a little": whole[:4000],
           "half": whole[: len(whole) // 2], "all but a byte": whole[:-1]}  # fmt: skip
    if how == "another library":
        shutil.copy(find_spec("_ctypes").origin, path)
    else:
        path.write_bytes(cut[how])
    return path


@pytest.mark.parametrize(
    "how", ["empty", "text", "a little", "half", "all but a byte", "another library"]
)
def test_a_damaged_program_is_named_and_torch_goes_on(tmp_path, how):
    path = damaged(tmp_path / "_cpu.so", how)
    command = [sys.executable, "-c", TELL, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    chosen, told = ended.stdout.splitlines()
    assert chosen == "torch on cpu;torch on cpu"
    assert f"{path} cannot be loaded (" in told and told.endswith("install evo-ntm again")
