"""What lies at a path, and what is said where it is nothing that can be opened."""

import re
import shutil
from pathlib import Path

import pytest

from evo_ntm.errors import RunError
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


def test_a_folder_of_published_genomes_names_them(shelf):
    with pytest.raises(RunError, match="this folder holds 2 of them: copy, season"):
        opened(shelf, None)


def test_a_folder_without_any_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"there is no run.sqlite in it"):
        opened(tmp_path, None)
