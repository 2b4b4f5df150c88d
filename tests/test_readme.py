"""The README tells the truth: its examples run, and what it names is there."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import typer.main

import evo_ntm
from evo_ntm import cli, exits, screen, tables
from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.exam import ExamRow
from evo_ntm.experiment import Experiment, load, parse
from evo_ntm.experiment.tasks import describe
from evo_ntm.runs.log import read_log
from evo_ntm.runs.run import Run
from evo_ntm.seeds import derive
from evo_ntm.tasks import KnownTask, grade, make
from evo_ntm.words import ENDED
from tests.evolution.cases import told

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "genomes" / "RESULTS.md").read_text(encoding="utf-8")
CELL = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONGEST_OPTIMISER = 15


class Cell(NamedTuple):
    """A block of code, and the line of the README that it begins on."""

    code: str
    line: int


def cells(language: str, page: str = PAGE) -> list[Cell]:
    return [
        Cell(found[2], page.count("\n", 0, found.start(2)) + 1)
        for found in CELL.finditer(page)
        if found[1] == language
    ]


def cell(language: str, part: str) -> str:
    """Find the one block of a language that holds a text."""
    (found,) = [code for code, _ in cells(language) if part in code]
    return found


def table(heading: str) -> dict[str, list[str]]:
    """Read the table whose first heading is given: its rows by their first cell."""
    _, found, rest = PAGE.partition(f"\n| {heading} |")
    assert found, f"the README has no table of {heading!r}"
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    rows = [[part.strip() for part in line.strip("| ").split(" | ")] for line in lines]
    return {name.strip("`"): others for name, *others in rows}


def commands() -> dict[str, Any]:
    return typer.main.get_command(cli.app).commands


def options(command: str) -> set[str]:
    """List the options of a command, but for `--help`."""
    found = {name for parameter in commands()[command].params for name in parameter.opts}
    return {name for name in found if name.startswith("--")} - {"--help"}


# The commands, and what they print


def shown_commands() -> list[str]:
    """List every `evo-ntm …` that both pages show, in words, tables and blocks."""
    spans = re.findall(r"`(evo-ntm [^`\n]+)`", CELL.sub("", PAGE + RESULTS))
    lines = [line for page in (PAGE, RESULTS) for kind in ("bash", "text")
             for code, _ in cells(kind, page) for line in code.splitlines()]  # fmt: skip
    typed = [part.strip(" $") for line in lines for part in line.split("&&")]
    return sorted({*spans, *(part for part in typed if part.startswith("evo-ntm "))})


@pytest.mark.parametrize("shown", shown_commands())
def test_every_command_shown_is_one_that_the_command_line_takes(shown):
    _, name, *arguments = shlex.split(shown)
    assert name in commands()
    if arguments:
        commands()[name].make_context(name, arguments)


def test_the_commands_shown_are_found():
    shown = shown_commands()
    assert "evo-ntm evolve tasks/copy.yaml" in shown
    assert {line.split()[1] for line in shown} == {*commands()}


def test_the_verbs_have_the_options_that_the_table_says():
    rows = {row.split()[1]: others for row, others in table("verb").items()}
    assert {*rows} == {*commands()}
    for name, others in rows.items():
        assert {*re.findall(r"--[\w-]+", " ".join(others))} == options(name), name


@pytest.mark.parametrize("page", ["README.md", "genomes/README.md", "genomes/RESULTS.md"])
def test_every_link_to_a_place_in_the_project_leads_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert links
    for link in links:
        path, _, heading = link.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.is_file(), link
        headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", found.lower()).replace(" ", "-") for found in headings}
        assert not heading or heading in anchors, link


def test_every_exit_status_is_in_the_table():
    known = {exits.DONE, exits.NOT_PASSED, exits.BAD_INPUT, exits.STOPPED, exits.OUR_FAULT,
             exits.INTERRUPTED, exits.PIPE_CLOSED,
             *(128 + getattr(signal, name) for name in exits.ENDING)}  # fmt: skip
    assert {int(status) for status in table("exit status")} == known


def test_every_kind_of_line_in_a_log_is_in_the_table(tmp_path):
    known = {kind for cell in table("`kind`") for kind in re.findall("[a-z]+", cell)}
    asked = told("evolution_strategy", generations=24)
    easily = {**asked["exam"]["validation"][0], "at_most": {"wrong_bits": 100}}
    experiment = parse({**asked, "exam": {**asked["exam"], "validation": [easily]}})
    evo_ntm.evolve(experiment, to=tmp_path / "run")
    kinds = {line["kind"] for line in read_log(Run(tmp_path / "run"))}
    assert {"began", "generation", "challenge", "champion", "sitting", "ended"} <= kinds <= known


def test_the_two_commands_of_the_set_up_are_there_each_in_a_block_of_its_own():
    evolve = "python -m pip install -c constraints.txt -e . && evo-ntm evolve tasks/copy.yaml\n"
    test = "python -m pip install -c constraints.txt -e '.[test]' && python -m pytest\n"
    assert [code for code, _ in cells("bash")][:2] == [evolve, test]


def test_a_mistake_is_told_as_the_readme_shows(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    typed, complaint = cell("text", "$ evo-ntm").removeprefix("$ evo-ntm ").splitlines()
    assert cli.run(shlex.split(typed)) == exits.BAD_INPUT
    assert capsys.readouterr().err == f"{complaint}\n"


def test_the_exam_of_the_first_run_is_laid_out_as_it_is_printed(capsys):
    printed = cell("text", "What next:").partition("\npart ")[2].partition("\nWhat next:")[0]
    lines = f"part {printed}".splitlines()
    verdicts = {word: passed for passed, word in ENDED.items()}
    rows = []
    for line in lines[2:]:
        name, extent, *numbers, verdict = re.split(r"  +", line)
        memory, sequences, wrong, bits, chance = map(float, numbers)
        rows.append(ExamRow(name, {"length": extent.split(" to ")}, int(memory), int(sequences),
                            wrong, bits, {"chance": chance}, verdicts[verdict]))  # fmt: skip
    tables.show_table(screen.exam_table(rows))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == lines
    parts = load(ROOT / "tasks" / "copy.yaml").exam.parts
    asked = [(part.name, part.rows, part.sequences) for part in parts]
    assert [(row.name, row.rows, row.sequences) for row in rows] == asked


def test_what_is_said_of_the_first_run_is_what_its_task_file_says():
    experiment = load(ROOT / "tasks" / "copy.yaml")
    low, high = experiment.machine.rows
    longest = experiment.settings().longest
    words = " ".join(PAGE.split())
    assert f"up to {longest} vectors and memories of {low} to {high} rows" in words
    assert f"vectors of {experiment.settings().bits} random bits" in words


# Task files


def test_the_task_file_that_is_explained_can_be_loaded():
    experiment = parse(cell("yaml", "task: copy"))
    assert experiment.evolve.operators["widen_memory"].columns == 2
    shown = set(re.findall(r"^(\w+):", cell("yaml", "task: copy"), flags=re.MULTILINE))
    assert shown == {*Experiment.keys()} - {"name", "finetune", "overrides"}


def test_what_has_to_be_there_has_to_be_there_and_nothing_else():
    part = {"name": "any", "rows": 8, "sequences": 8}
    passes = {**part, "at_most": {"bits": 1}}
    least = {
        "task": "copy",
        "exam": {"validation": [passes], "parts": [part]},
        "evolve": {"strategy": "cma"},
    }
    assert parse(least).task == "copy"
    for key in least:
        with pytest.raises(ExperimentError, match=key):
            parse({other: value for other, value in least.items() if other != key})
    with pytest.raises(ExperimentError, match=r"evolve\.strategy"):
        parse({**least, "evolve": {}})


def test_the_overrides_that_are_shown_can_be_loaded():
    (shown,) = [line for line in shown_commands() if "machine.units=[24]" in line]
    words = shlex.split(shown)
    overrides = [after for word, after in zip(words, words[1:], strict=False) if word == "--set"]
    experiment = load(ROOT / "tasks" / "copy.yaml", overrides)
    assert (experiment.evolve.generations, experiment.machine.units) == (60, (24,))


def test_the_tasks_are_those_that_are_listed():
    assert {name: sentence for name, (sentence,) in table("task").items()} == describe()


def test_every_task_has_a_task_file_and_every_strategy_one_for_copy():
    there = [load(path) for path in (ROOT / "tasks").glob("*.yaml")]
    assert {experiment.task for experiment in there} == {*describe()}
    strategies = {found.evolve.strategy for found in there if "copy" in found.task}
    assert strategies == {"evolution_strategy", "genetic", "cma", "neat"}
    assert strategies == set(re.findall(r"^- \*\*(\w+)\*\* ", PAGE, flags=re.MULTILINE))


# The notebook


class Notebook(NamedTuple):
    """What the Python blocks left behind: their names, and what was printed on which line."""

    names: dict[str, Any]
    printed: dict[int, list[str]]
    folder: Path


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    """Run the Python blocks, one after the other as in a notebook, beside the task files."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copytree(ROOT / "tasks", folder / "tasks")
    printed: dict[int, list[str]] = {}

    def listen(*values: object) -> None:
        line = sys._getframe(1).f_lineno
        printed.setdefault(line, []).append(" ".join(map(str, values)))

    names: dict[str, Any] = {"__name__": "notebook", "print": listen}
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        for code, line in cells("python"):
            exec(compile("\n" * (line - 1) + code, ROOT / "README.md", "exec"), names)
    return Notebook(names, printed, folder)


def test_the_examples_print_what_they_say(notebook):
    said = {
        line + number: found[1]
        for code, line in cells("python")
        for number, text in enumerate(code.splitlines())
        if (found := re.match(r"print\(.*\)  # (.+)$", text))
    }
    assert len(said) >= 5
    assert {line: notebook.printed.get(line) for line in said} == {
        line: [text] for line, text in said.items()
    }


def test_the_callback_hears_of_every_generation(notebook):
    heard = [texts for texts in notebook.printed.values() if texts[0].startswith("9 ")]
    assert [[text.split()[0] for text in texts] for texts in heard] == [["9", "19", "29", "39"]]


def test_the_machine_that_is_trained_on_improves(notebook):
    genome = evo_ntm.read(notebook.folder / "runs" / "one-bit")
    episodes = make("copy", {"bits": 1, "longest": 3}).episodes(derive(9, "held out"), 64)

    @torch.no_grad()
    def bits(machine: torch.nn.Module) -> float:
        answers, _ = machine.run(episodes.inputs, machine.initial_state(lanes=64, rows=32))
        return grade(episodes, answers).bits.mean().item()

    assert bits(notebook.names["machine"]) < bits(evo_ntm.machine_of(genome, epsilon=0.01))


def test_the_task_of_one_s_own_is_one_that_a_task_file_can_name(notebook):
    task = notebook.names["Echo"]()
    assert isinstance(task, KnownTask)
    longer = task.with_settings(delay=2, steps=5).episodes(derive(1, "test"), 3)
    assert longer.inputs[:-2].equal(longer.targets[2:])
    assert longer.scored.sum(0).tolist() == [3, 3, 3]


def test_the_optimiser_of_one_s_own_finds_better_weights_in_few_lines(notebook):
    code = cell("python", "import cma")
    assert len([line for line in code.splitlines() if line.strip()]) <= LONGEST_OPTIMISER
    problem, search = notebook.names["problem"], notebook.names["search"]
    first, last = (
        sum(problem.score(weights[None], seed)[0] for seed in range(100, 110))
        for weights in (search.x0, search.mean)
    )
    assert last > first


def test_a_package_that_provides_a_task_and_operators_is_heard(tmp_path):
    blocks = [cell("python", "class Echo"), cell("python", "def decay")]
    (tmp_path / "my_package.py").write_text("\n".join(blocks), encoding="utf-8")
    groups = tomllib.loads(cell("toml", "entry-points"))["project"]["entry-points"]
    information = tmp_path / "my_package-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    lines = [f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in points.items())
             for group, points in groups.items()]  # fmt: skip
    (information / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "echo.yaml").write_text(cell("yaml", "task: echo"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "evo_ntm", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False, cwd=tmp_path
        )

    assert "\necho " in told("tasks").stdout
    (tmp_path / "new.yaml").write_text(told("new", "echo").stdout, encoding="utf-8")
    assert told("wires", "new.yaml").returncode == exits.DONE
    ended = told("evolve", "echo.yaml", "--quiet")
    assert ended.returncode in (exits.DONE, exits.NOT_PASSED), ended.stderr
    assert ended.stdout.startswith("runs/echo-1: ") and ended.stderr == ""
    examined = told("exam", "runs/echo-1", "--json")
    assert '"steps": 8' in examined.stdout, examined.stderr


# What lies where


def drawn() -> tuple[set[str], set[str]]:
    """Read the tree: the names at the top, and those in the package."""
    names = re.findall(r"^( *)(\S+)  +\S", cell("text", "evo_ntm/ "), flags=re.MULTILINE)
    top = {name.rstrip("/") for margin, name in names if not margin}
    return top, {name.rstrip("/") for margin, name in names if margin}


def test_the_tree_lists_what_is_at_the_top():
    listing = ["git", "ls-files"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout")
    assert drawn()[0] == {path.split("/")[0] for path in listed.stdout.splitlines()} - {
        ".gitignore"
    }


def test_the_tree_lists_what_is_in_the_package():
    there = {path.name for path in (ROOT / "evo_ntm").iterdir() if not path.name.startswith("__")}
    assert drawn()[1] == there - {"py.typed"}
