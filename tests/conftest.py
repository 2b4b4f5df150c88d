"""What all tests share: hypothesis without clocks or luck, torch on one thread, a small task."""

import os
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings

settings.register_profile("evo_ntm", deadline=None, derandomize=True)
settings.load_profile("evo_ntm")
torch.set_num_threads(1)
# Processes that tests begin have threads of their own; who waits there leaves the core to others.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

HERE = Path(__file__).parent
OF_SHAPES = [HERE / layer for layer in ("tasks", "machine", "training")]


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "check all shapes in every test, not only in those of tasks, machines and gradients"
    parser.addoption("--all-shapes", action="store_true", help=told)


@pytest.hookimpl(tryfirst=True)  # before the fixtures of the test
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Check the shapes of every step where steps are tested; elsewhere that takes half the time."""
    checked = any(item.path.is_relative_to(folder) for folder in OF_SHAPES)
    everywhere = item.config.getoption("all_shapes")
    jaxtyping.config.update("jaxtyping_disable", not (checked or everywhere))


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
