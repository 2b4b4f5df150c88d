"""What all tests share: hypothesis without clocks or luck, torch on one thread, a small task."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("evo_ntm", deadline=None, derandomize=True)
settings.load_profile("evo_ntm")
torch.set_num_threads(1)

SMALL = """\
task: copy
with: {bits: 1, shortest: 1, longest: 2}
exam:
  validation:
    - {name: as trained, rows: 4, sequences: 8, at_most: {wrong_bits: 0}}
  parts:
    - {name: as trained, rows: 4, sequences: 8, at_most: {wrong_bits: 0}}
    - {name: length 3, with: {shortest: 3, longest: 3}, rows: 5, sequences: 4}
machine:
  units: [4]
  width: 3
  rows: [4, 6]
evolve:
  strategy: evolution_strategy
  population: 8
  generations: 4
  episodes: 4
  validate_every: 2
  starts: 2
  start_generations: 1
  operators: {add_reader: {share: 1}}
run: {threads: 1}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A task file whose run takes a moment: copy with one bit, four generations."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def elsewhere():
    """A process in which nobody checks the shapes of every step, which takes as long as these."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "error")
        one = {"initializer": torch.set_num_threads, "initargs": (1,)}
        with ProcessPoolExecutor(1, get_context("spawn"), **one) as pool:
            yield pool
