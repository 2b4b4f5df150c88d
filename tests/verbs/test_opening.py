"""What lies at a path, and what is said where it is nothing that can be opened."""

import re
import shutil
from pathlib import Path

import pytest

import evo_ntm
from evo_ntm.errors import EvoNTMError, ExperimentError, RunError
from evo_ntm.verbs.opening import opened

PUBLISHED = Path(__file__).parents[2] / "genomes"


@pytest.fixture
def shelf(tmp_path):
    for name in ("copy", "season"):
        (tmp_path / name).mkdir()
        shutil.copy(PUBLISHED / "copy" / "genome.safetensors", tmp_path / name)
    return tmp_path


def test_a_path_to_nothing_names_what_was_probably_meant(shelf):
    said = re.escape(f"but there is nothing: did you mean {shelf / 'copy'}?")
    with pytest.raises(RunError, match=said):
        opened(shelf / "copi", None)
    with pytest.raises(RunError, match="but there is nothing$"):
        opened(shelf / "nowhere" / "copi", None)
    (shelf / "seasons").symlink_to(shelf / "gone")  # which is there, and leads nowhere
    with pytest.raises(RunError, match="but there is nothing$"):
        opened(shelf / "seasons", None)


def test_a_folder_of_published_genomes_names_them(shelf):
    with pytest.raises(RunError, match="this folder holds 2 of them: copy, season"):
        opened(shelf, None)


def test_a_folder_without_any_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"there is no run.sqlite in it"):
        opened(tmp_path, None)


@pytest.mark.parametrize("verb", [evo_ntm.evolve, evo_ntm.founder])
@pytest.mark.parametrize("given", [None, "tasks/copy.yaml"])
def test_what_is_no_experiment_is_refused(verb, given):
    told = f"expected an Experiment, as load(path) gives one, but came {given!r}"
    with pytest.raises(ExperimentError, match=re.escape(told)):
        verb(given)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: evo_ntm.load("tasks/copy.yaml", "evolve.seed=2"),
         "a list of overrides, as ['evolve.seed=2'], but came 'evolve.seed=2'"),
        (lambda: evo_ntm.load("tasks/copy.yaml", tasks="own"),
         "a list of names of tasks, but came 'own'"),
        (lambda: evo_ntm.finetune("genomes/copy", overrides="finetune.steps=2"),
         "a list of overrides, as ['finetune.batch=8'], but came 'finetune.steps=2'"),
        (lambda: evo_ntm.compare("runs"), "a list of runs, or folders of runs, but came 'runs'"),
        (lambda: evo_ntm.compare(Path("runs")),
         "a list of runs, or folders of runs, but came 'runs'"),
    ],
)  # fmt: skip
def test_a_text_where_a_list_is_meant_is_not_taken_letter_by_letter(call, told):
    with pytest.raises(EvoNTMError, match=re.escape(f"expected {told}")):
        call()
