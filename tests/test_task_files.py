"""Every task file that is shipped: it can be read, begun, and reached from the README."""

from pathlib import Path

import pytest

from evo_ntm import verbs
from evo_ntm.experiment import load

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "tasks").glob("*.yaml"))
SMALL = ("evolve.generations=1", "evolve.episodes=4", "evolve.hardest=null", "evolve.minutes=null",
         "run.threads=1")  # fmt: skip
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def begun(path, folder):
    population = 4 if load(path).evolve.strategy == "cma" else 8
    elites = ["evolve.elites=2"] if load(path).evolve.strategy == "genetic" else []
    small = load(path, [*SMALL, f"evolve.population={population}", *elites])
    return verbs.evolve(small, to=folder)


@every_file
def test_one_generation_leaves_a_run_with_a_champion(path, tmp_path):
    outcome = begun(path, tmp_path / "run")
    assert (outcome.generation, outcome.solved, outcome.interrupted) == (0, False, False)
    assert verbs.read(tmp_path / "run").encoding == load(path).machine.encoding


@every_file
def test_it_says_how_to_run_it(path):
    assert f"evo-ntm evolve tasks/{path.name}\n" in path.read_text("utf-8")


def test_there_is_a_file_for_every_task():
    from evo_ntm.experiment.tasks import describe

    assert {load(path).task for path in FILES} == set(describe())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("copy", 1),
        ("copy-tied", 1),
        ("copy-cma", 1),
        ("copy-genetic", 1),
        ("copy-grow", 1),
        ("entm-copy-1", 1),
        ("entm-copy-2", 1),
        ("entm-copy-8-tied", 1),
    ],
)
def test_copy_is_solved(name, seed, tmp_path):
    experiment = load(ROOT / "tasks" / f"{name}.yaml", [f"evolve.seed={seed}"])
    assert verbs.evolve(experiment, to=tmp_path / "run").solved
