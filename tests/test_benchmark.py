"""The benchmark: that it measures what it names, and needs little to do so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evo_ntm.machine.kernels import cpu

ROOT = Path(__file__).parents[1]
BENCHMARK = ROOT / "scripts" / "benchmark.py"
STRANGERS = ("deap", "jaxtyping", "matplotlib", "pydantic", "ray", "rich", "safetensors", "typer",
             "yaml")  # fmt: skip
ALONE = f"""
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {STRANGERS}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import importlib.util
found = importlib.util.find_spec
def find_spec(name, package=None):
    return None if name.split(".")[0] in {STRANGERS} else found(name, package)
importlib.util.find_spec = find_spec
sys.path.insert(0, {str(ROOT)!r})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
QUICK = ["--only", "ff-16/32x9/64x16", "--population", "2", "--repeats", "1", "--no-memory",
         "--threads", "1", "--kinds", "forward"]  # fmt: skip


def measured(tmp_path, *arguments):
    told = tmp_path / "rows.json"
    command = [sys.executable, "-c", ALONE, str(BENCHMARK), *arguments, "--json", str(told)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(told.read_text()), ended.stdout


@pytest.mark.skipif(not cpu.available(), reason="installed without the fused kernel")
def test_contenders_answer_alike_and_are_told_one_a_row_without_anything_but_torch(tmp_path):
    contenders = ["single", "vmap", "population", "fused"]
    rows, printed = measured(tmp_path, *QUICK, "--contenders", *contenders)
    assert [row["contender"] for row in rows] == contenders
    for row in rows:
        assert row["shape"] == "ff-16/32x9/2x16"
        assert row["kind"] == "forward"
        assert row["rate"] > 0
        assert row[f"times_{row['contender']}"] == 1.0
    assert printed.startswith("| shape | contender | rate |")
    assert printed.count("\n") == 2 + len(contenders)
