"""The package is a staircase: a module imports only from steps below its own."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "evo_ntm"
STEPS = [
    ["errors", "seeds", "paths", "words", "canonical"],
    ["topology", "exits"],
    ["genome", "experiment"],
    ["machine", "tasks", "genome.variation", "genome.adapter"],
    ["training"],
    ["evolution.cohort", "evolution.closed_loop", "evolution.evaluate"],
    ["evolution", "runs"],  # workers and strategies
    ["evolution.engine", "reports"],
    ["outcome", "beginnings", "watch"],
    ["journal"],
    ["tuning"],
    ["verbs.opening"],
    ["verbs", "series"],
    ["tables", "next_steps"],
    ["arguments"],
    ["screen", "options"],
    ["waiting"],
    ["commands"],
    ["cli"],
    ["__init__", "__main__"],
]
STEP = {name: number for number, names in enumerate(STEPS) for name in names}

STRANGERS = [("machine", "genome"), ("machine", "experiment"), ("genome", "machine")]
HOMES = {
    "torch": ["machine", "tasks", "training", "evolution", "reports", "verbs"],
    "deap": ["evolution"],
    "ray": ["evolution.workers"],
    "triton": ["machine.kernels"],
    "yaml": ["experiment"],
    "matplotlib": ["reports"],
    "plotly": ["reports"],
    "tensorboard": ["reports"],
    "jinja2": ["reports"],
    "sqlite3": ["runs"],
    "safetensors": ["genome.files", "runs"],
    "typer": ["cli", "commands", "options"],
    "rich": ["screen", "tables", "waiting"],
}
BANNED = {"base", "manager", "handler", "utils", "util", "helpers", "misc", "common"}
LONGEST = 400


def modules() -> dict[str, Path]:
    """List the modules by name, without `evo_ntm.`; a package goes by its own name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join(parts)] = path
    return found


MODULES = modules()


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a module, but for what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from statements(node)


def imports(name: str, *, typed: bool = False) -> set[str]:
    """List what a module imports, wherever it does; ours without `evo_ntm.`."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree) if typed else statements(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                ours = inner.removeprefix("evo_ntm.") in MODULES
                found.add(inner if ours else node.module)
    return {target.removeprefix("evo_ntm.") for target in found}


def step(name: str) -> int:
    """Find the step of a module: that of its name, or of the nearest package around it."""
    parts = name.split(".")
    around = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    known = [part for part in around if part in STEP]
    assert known, f"{name} has no step: give it one"
    return STEP[known[0]]


def within(name: str, places: list[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name: str):
    for target in imports(name, typed=True) & MODULES.keys():
        family = name.split(".")[0] == target.split(".")[0]
        down = step(target) < step(name) or (family and step(target) == step(name))
        # A package gathers what its modules offer, whatever their step.
        gathers = MODULES[name].name == "__init__.py" and target.startswith(f"{name}.")
        assert down or gathers, f"{name} imports {target}"


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: imports(name) & MODULES.keys() - {name} for name in MODULES}
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", MODULES)
def test_strangers_stay_strangers(name: str):
    for here, there in STRANGERS:
        if within(name, [here]):
            assert not [target for target in imports(name) if within(target, [there])]


@pytest.mark.parametrize("name", MODULES)
def test_heavy_imports_have_one_home(name: str):
    for target in imports(name):
        library = target.split(".")[0]
        home = HOMES.get(library) if target not in MODULES else None
        assert home is None or within(name, home), f"{name} imports {target}"


@pytest.mark.parametrize("name", MODULES)
def test_no_module_has_two_nouns_in_it(name: str):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_modules_are_nouns():
    words = {word for name in MODULES for part in name.split(".") for word in part.split("_")}
    assert not words & BANNED


def test_the_tests_mirror_the_package():
    folders = {name.split(".")[0] for name in MODULES if (PACKAGE / name.split(".")[0]).is_dir()}
    tests = Path(__file__).parent
    tested = {path.name for path in tests.iterdir() if any(path.glob("test_*.py"))}
    assert folders - tested <= {"training", "runs"}
