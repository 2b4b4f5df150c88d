"""What is installed, and with what."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import evo_ntm

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()
SECOND_COMMAND = "python -m pip install -c constraints.txt -e '.[test]' && python -m pytest"


def pinned() -> dict[str, str]:
    pairs = (line.split("==") for line in CONSTRAINTS)
    return {canonicalize_name(name): version for name, version in pairs}


def declared() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(text) for group in [PROJECT["dependencies"], *extras] for text in group]


def test_constraints_are_names_with_exact_public_versions_in_order():
    for line in CONSTRAINTS:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line), line
    names = [canonicalize_name(line.split("==")[0]) for line in CONSTRAINTS]
    assert names == sorted({*names})
    assert "torch==2.13.0" in CONSTRAINTS


def test_every_dependency_is_pinned_within_its_range():
    for requirement in declared():
        version = pinned()[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_the_dependencies_of_dependencies_are_pinned_too():
    waiting, seen = [requirement.name for requirement in declared()], set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        assert name in pinned(), name
        try:
            needs = [Requirement(text) for text in requires(name) or []]
        except PackageNotFoundError:  # an extra that is not installed here
            continue
        waiting += [
            need.name
            for need in needs
            if need.marker is None or need.marker.evaluate({"extra": ""})
        ]


def test_the_console_command_is_there():
    module, _, function = PROJECT["scripts"]["evo-ntm"].partition(":")
    assert callable(getattr(import_module(module), function))


def test_what_the_package_offers_is_there():
    for name in evo_ntm.__all__:
        assert getattr(evo_ntm, name).__name__ == name
        assert name in dir(evo_ntm)
    with pytest.raises(AttributeError, match="has no attribute 'evlove'"):
        evo_ntm.__getattr__("evlove")


def test_ci_runs_what_the_readme_says():
    assert SECOND_COMMAND in (ROOT / "README.md").read_text()
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert SECOND_COMMAND in map(str.strip, lines)


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path):
    source = tmp_path / "source"
    shutil.copytree(
        ROOT / "evo_ntm", source / "evo_ntm", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for decoy in ("tasks", "genomes", "tests", "runs", "scripts"):
        (source / decoy).mkdir()
        (source / decoy / "__init__.py").touch()
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*build, "-w", tmp_path, source], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"evo_ntm", f"evo_ntm-{evo_ntm.__version__}.dist-info"}
    assert {"evo_ntm/py.typed", "evo_ntm/runs/schema.sql"} <= {*names}
    shipped = {name for name in names if name.endswith(".py")}
    there = {str(path.relative_to(source)) for path in (source / "evo_ntm").rglob("*.py")}
    assert shipped == there


def test_the_script_is_the_verb():
    script = ROOT / "scripts" / "evolve.py"
    ended = subprocess.run(
        [sys.executable, script, "missing.yaml"],
        capture_output=True, text=True, check=False, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("evo-ntm: missing.yaml: expected a task file")
