"""The command line: what it prints where, and the status it ends with."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from evo_ntm import cli
from evo_ntm.experiment import load, parse
from evo_ntm.experiment.tasks import TASK_SETTINGS
from evo_ntm.machine import choose
from evo_ntm.runs.log import read_log
from evo_ntm.runs.run import Run
from evo_ntm.runs.store import open_run
from tests.experiment.test_bad_files import BAD_TEXTS, BAD_VALUES

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "evolve",
    "resume",
    "status",
    "runs",
    "digest",
    "exam",
    "new",
    "tasks",
    "show",
    "wires",
    "schema",
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]):
    """Run a command in this process: its status, its stdout and its stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.run([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


def process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "evo_ntm", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, **options
    )


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(("override", "sentence"), BAD_VALUES, ids=[key for key, _ in BAD_VALUES])
def test_a_bad_value_ends_in_one_line_and_leaves_nothing(small, tmp_path, told, override, sentence):
    before = files(tmp_path)
    status, out, complaint = told("evolve", small, "--set", override)
    assert (status, out) == (2, "")
    assert complaint == f"evo-ntm: {small} --set {override}: {sentence}\n"
    assert files(tmp_path) == before


@pytest.mark.parametrize(("content", "sentence"), BAD_TEXTS, ids=[text for _, text in BAD_TEXTS])
def test_a_bad_file_ends_in_one_line_and_leaves_nothing(tmp_path, told, content, sentence):
    path = tmp_path / "task.yaml"
    path.write_bytes(content)
    status, out, complaint = told("evolve", path, "--to", tmp_path / "run")
    assert (status, out) == (2, "")
    assert complaint == f"evo-ntm: {path}{sentence}\n"
    assert files(tmp_path) == [path]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evlove"], "No such command 'evlove'. Did you mean 'evolve'?"),
        (["evolve"], "Missing argument 'TASK.yaml'."),
        (["evolve", "a.yaml", "--sed", "3"], "No such option: --sed (Possible options: --seed"),
        (["evolve", "{small}", "--seed", "x"], "evolve.seed: expected a whole number, "
         "but came 'x'"),
        (["evolve", "{small}", "--device", "gpu"], "run.device: expected one of cpu, cuda, "
         "but came 'gpu'"),
        (["exam", "a", "--device", "gpu"], "'gpu' is not one of 'cpu', 'cuda'"),
        (["evolve", "{small}", "--seed", "1", "--seeds", "1-3"], "give --seed or --seeds, "
         "not both"),
        (["evolve", "{small}", "--seeds", "3-1"], "expected a range upwards of at most 10000, "
         "but came '3-1'"),
        (["evolve", "{small}", "--seeds", "1-3x"], "expected 1-10 or 1,3,7, but came '1-3x'"),
        (["exam", "a", "--ablate", "raeds"], "expected one of reads, writes, content, shift, "
         "sharpening, head N, head N STAGE, but came 'raeds': did you mean 'reads'?"),
        (["exam", "a", "--birth", "x"], "--birth: expected a whole number from 0, but came 'x'"),
        (["exam", "a", "--birth", "-3"], "--birth: expected a whole number from 0, but came '-3'"),
        (["show", "a"], "Missing option '--to'."),
        (["show", "a", "--to", ""], "--to: expected something, but came an empty text"),
        (["lineage", "a", "--export="], "--export: expected something, but came an empty text"),
        (["exam", " "], "exam '': expected something, but came an empty text"),
        (["publish", "a b", ""], "publish 'a b' '': expected something, but came an empty text"),
        (["new", "copi"], "expected the name of a task, but came 'copi': did you mean 'copy'?"),
    ],
)  # fmt: skip
def test_a_mistake_on_the_command_line_is_one_line(small, told, arguments, sentence):
    filled = [argument.replace("{small}", str(small)) for argument in arguments]
    status, out, complaint = told(*filled)
    assert (status, out) == (2, "")
    assert sentence in complaint
    assert complaint.startswith("evo-ntm: ") and complaint.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([command, "--help"] for command in COMMANDS),
        ["--version"],
        ["tasks"],
        ["new", "copy"],
        ["schema"],
        ["evolve", "{small}", "--set", "machine.readers=-1"],
        ["evolve", "missing.yaml"],
        ["evlove"],
    ],
    ids=" ".join,
)
def test_what_needs_no_machine_needs_no_torch(small, arguments):
    filled = [argument.replace("{small}", str(small)) for argument in arguments]
    code = (
        "import sys; from evo_ntm.cli import run; status = run(sys.argv[1:]); "
        "heavy = {'torch', 'deap', 'matplotlib', 'scipy', 'plotly', 'jinja2'}; "
        "heavy &= sys.modules.keys(); "
        "sys.exit(f'{status} {heavy}' if heavy else 0)"
    )
    command = [sys.executable, "-c", code, *filled]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_version_is_the_package_s(told):
    import evo_ntm

    assert told("--version") == (0, f"evo-ntm {evo_ntm.__version__}\n", "")


def test_importing_the_package_imports_no_torch():
    code = "import sys, evo_ntm; evo_ntm.load; dir(evo_ntm); sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


def test_help_names_every_command(told):
    status, out, _ = told("--help")
    assert status == 0
    assert all(f"  {command} " in out for command in COMMANDS)
    assert told() == (0, out, "")


@pytest.mark.parametrize("task", TASK_SETTINGS)
def test_a_new_task_file_is_one_that_evolve_takes(told, task):
    status, out, beside = told("new", task)
    assert (status, beside) == (0, "")
    assert parse(out).task == task


def test_the_tasks_are_listed_one_a_line(told):
    status, out, _ = told("tasks")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(TASK_SETTINGS)


def test_the_schema_that_is_printed_is_the_one_beside_the_task_files(told):
    assert told("schema") == (0, (ROOT / "tasks" / "schema.json").read_text(), "")


def test_a_run_can_be_evolved_examined_shown_and_wired(small, tmp_path, told):
    run = tmp_path / "there" / "run"
    status, out, beside = told("evolve", small, "--to", run, "--seed", 3)
    assert status in (0, 1)
    assert out.startswith(f"{run}: ") and "4 generations" in out
    assert f"evo-ntm exam {run}" in beside
    assert load(run / "experiment.yaml") == load(small, ["evolve.seed=3"])

    status, out, beside = told("exam", run, "--json")
    rows = json.loads(out)
    assert beside == ""
    assert [row["name"] for row in rows] == ["as trained", "length 3"]
    assert [row["length"] for row in rows] == [[1, 2], 3]
    assert [row["rows"] for row in rows] == [4, 5]
    assert [row["sequences"] for row in rows] == [8, 4]
    assert rows[1]["passed"] is None
    assert status == (0 if rows[0]["passed"] else 1)
    assert all(
        {"wrong_bits_per_sequence", "bits_per_sequence", "measures"} <= row.keys() for row in rows
    )

    status, out, _ = told("exam", run)
    assert "as trained" in out and "1 to 2" in out and "reported" in out

    status, out, _ = told("wires", run)
    assert status == 0
    assert "output < layer 1" in out and "eq. 8" in out

    figure = tmp_path / "figure.svg"
    assert told("show", run, "--to", figure) == (0, f"{figure}\n", "")
    assert figure.read_text().startswith("<?xml")


def test_who_looks_at_a_run_is_told_where_its_experiment_was_edited(small, tmp_path, told):
    run, figure = tmp_path / "run", tmp_path / "figure.svg"
    told("evolve", small, "--to", run)
    path = run / "experiment.yaml"
    path.write_text(path.read_text().replace("sequences: 4", "sequences: 3"))
    warning = f"{run}: the run began with another experiment.yaml: its task hash was "
    for words in (["show", run, "--to", figure], ["explain", run, "--quiet"], ["exam", run]):
        status, out, beside = told(*words)
        assert status in (0, 1) and out
        assert beside.count("\n") == 1 and beside.startswith(warning)
    (copied,) = (run / "champions").iterdir()
    assert told("show", copied, "--to", figure) == (0, f"{figure}\n", "")


@pytest.mark.parametrize("part", [["reads"], ["writes"], ["sharpening"]])
def test_a_part_can_be_taken_away_for_an_exam(small, tmp_path, told, part):
    run = tmp_path / "run"
    told("evolve", small, "--to", run)
    status, out, _ = told("exam", run, "--json", "--ablate", *part)
    assert status in (0, 1)
    assert len(json.loads(out)) == 2


def test_a_head_can_be_taken_away_with_or_without_quotes(small, tmp_path, told):
    run = tmp_path / "run"
    told("evolve", small, "--to", run)
    heads = {line.split()[1] for line in told("wires", run)[1].splitlines() if "writer " in line}
    number = sorted(heads)[0]
    apart = told("exam", run, "--ablate", "head", number)
    assert apart == told("exam", run, "--ablate", f"head {number}")
    assert apart[0] in (0, 1)
    stage = told("exam", run, "--ablate", "head", number, "shift")
    assert stage == told("exam", run, "--ablate", f"head {number} shift") != apart


def test_a_quiet_run_prints_results_only(small, tmp_path, told):
    status, out, beside = told("evolve", small, "--to", tmp_path / "run", "--quiet")
    assert status in (0, 1)
    assert out and beside == ""


def test_runs_go_to_the_first_free_folder(small, tmp_path, told):
    told("evolve", small, "--quiet")
    told("evolve", small, "--quiet")
    assert [path.name for path in sorted((tmp_path / "runs").iterdir())] == ["small-1", "small-2"]


def test_an_existing_folder_is_refused(small, tmp_path, told):
    (tmp_path / "run").mkdir()
    status, out, complaint = told("evolve", small, "--to", tmp_path / "run")
    assert (status, out) == (2, "")
    last = complaint.splitlines()[-1]
    assert last.startswith(f"evo-ntm: {tmp_path / 'run'}: ") and last.endswith("another --to")
    assert files(tmp_path / "run") == []


def test_what_cannot_be_evolved_leaves_nothing(small, tmp_path, told):
    strategy = "evolve={strategy: cma, population: 8}"
    changes = ["--set", strategy, "--set", "machine.units=[100]"]
    status, out, complaint = told("evolve", small, "--to", tmp_path / "run", *changes)
    assert (status, out) == (2, "")
    last = complaint.splitlines()[-1]
    assert last.startswith(f"evo-ntm: {small}: ") and "up to 500 genes" in last
    assert files(tmp_path) == [small]


def test_overrides_and_the_device_reach_the_run(small, tmp_path, told):
    run = tmp_path / "run"
    told("evolve", small, "--to", run, "--set", "evolve.generations=2", "--device", "cpu")
    experiment = load(run / "experiment.yaml")
    assert experiment.evolve.generations == 2
    assert experiment.overrides == ("evolve.generations=2", "run.device=cpu")


def test_without_the_kernel_a_run_says_once_how_to_get_it(small, tmp_path, told, monkeypatch):
    monkeypatch.setattr("evo_ntm.machine.kernels.program.load", lambda: None)
    _, _, heard = told("evolve", small, "--to", tmp_path / "run")
    assert heard.count("the fused kernel was not compiled") == 1
    assert "C++ compiler" in heard and "install evo-ntm again" in heard
    assert open_run(tmp_path / "run").facts()["backend"] == "torch on cpu"
    _, _, heard = told("evolve", small, "--to", tmp_path / "asked", "--backend", "torch")
    assert "the fused kernel" not in heard
    _, _, heard = told("evolve", small, "--to", tmp_path / "quiet", "--quiet")
    assert heard == ""


def test_a_kernel_that_is_not_there_is_not_begun_with(small, tmp_path, told, monkeypatch):
    monkeypatch.setattr("evo_ntm.machine.kernels.program.load", lambda: None)
    status, out, complaint = told("evolve", small, "--to", tmp_path / "run", "--backend", "fused")
    assert (status, out) == (2, "")
    assert complaint.count("\n") == 1 and "install evo-ntm again" in complaint
    assert files(tmp_path) == [small]


def test_the_backend_of_a_run_is_told_among_its_facts(small, tmp_path, told):
    told("evolve", small, "--to", tmp_path / "run", "--backend", "torch")
    assert open_run(tmp_path / "run").facts()["backend"] == "torch on cpu"
    told("evolve", small, "--to", tmp_path / "other")
    assert open_run(tmp_path / "other").facts()["backend"] == str(choose())


def test_a_series_ends_with_a_table_and_goes_on_where_it_was_interrupted(small, tmp_path, told):
    series = tmp_path / "series"
    told("evolve", small, "--seeds", "1-2", "--to", series, "--quiet")
    first = (series / "seed-1" / "run.sqlite").read_bytes()
    with closing(sqlite3.connect(series / "seed-2" / "run.sqlite")) as rows:
        rows.execute("UPDATE facts SET value = 'true' WHERE name = 'interrupted'")
        rows.commit()

    status, out, beside = told("evolve", small, "--seeds", "1-3", "--to", series)
    assert status in (0, 1)
    table = out[out.index("seed ") :].splitlines()
    assert [line.split()[0] for line in table[2:] if line.strip()] == ["1", "2", "3"]
    assert (series / "seed-1" / "run.sqlite").read_bytes() == first
    assert sorted(path.name for path in series.iterdir()) == ["seed-1", "seed-2", "seed-3"]
    assert "seed-2: goes on after 4 generations" in beside
    assert open_run(series / "seed-2").facts()["interrupted"] is False
    assert load(series / "seed-3" / "experiment.yaml").evolve.seed == 3


def test_the_folder_of_a_series_names_its_runs(small, tmp_path, told):
    series = tmp_path / "my series"
    told("evolve", small, "--seeds", "1-3", "--to", series, "--quiet")
    for command in ("exam", "status", "digest", "resume"):
        status, out, complaint = told(command, series)
        assert (status, out) == (2, "")
        assert complaint == (
            f"evo-ntm: {series}: expected a run, but this folder holds 3 of them: seed-1, seed-2, "
            f"seed-3; name one, as {series / 'seed-1'}, or list them: evo-ntm runs '{series}'\n"
        )
    for path, why in ((small, "this is a file"), (tmp_path / "a", "there is no such folder")):
        complaint = told("status", path)[2]
        assert complaint == f"evo-ntm: {path}: expected a run, but {why}\n"


def test_a_series_leaves_a_run_alone_that_cannot_be_read(small, tmp_path, told):
    rows = tmp_path / "series" / "seed-1" / "run.sqlite"
    told("evolve", small, "--seeds", "1", "--to", tmp_path / "series", "--quiet")
    rows.write_bytes(b"broken")
    status, out, complaint = told("evolve", small, "--seeds", "1", "--to", tmp_path / "series")
    assert (status, out) == (2, "")
    assert complaint.startswith(f"evo-ntm: {rows}: expected the rows of a run")
    assert rows.read_bytes() == b"broken"


@pytest.mark.parametrize(
    ("option", "value", "key"), [("--seed", "x", "evolve.seed"), ("--device", "x", "run.device")]
)
def test_a_complaint_of_an_option_names_it(small, told, option, value, key):
    status, _, complaint = told("evolve", small, option, value, "--set", "machine.width=4")
    assert status == 2
    assert complaint.startswith(f"evo-ntm: {small} {option} {value}: {key}: expected ")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate"),
    ],
)
def test_what_no_memory_can_hold_is_one_line(small, told, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("evo_ntm.verbs.evolve", fail)
    status, out, complaint = told("evolve", small, "--quiet")
    assert (status, out) == (2, "")
    assert complaint.startswith("evo-ntm: not enough memory: ") and complaint.count("\n") == 1


def test_ctrl_c_outside_a_run_is_told(told, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr("evo_ntm.experiment.tasks.describe", interrupt)
    assert told("tasks") == (130, "", "evo-ntm: interrupted\n")


def test_a_series_does_not_mix_two_experiments(small, tmp_path, told):
    series = tmp_path / "series"
    told("evolve", small, "--seeds", "1", "--to", series, "--quiet")
    status, out, complaint = told(
        "evolve", small, "--seeds", "1", "--to", series, "--set", "with.longest=3"
    )
    assert (status, out) == (2, "")
    assert f"{series / 'seed-1'}: expected a run of this experiment" in complaint


def test_two_runs_of_one_seed_print_the_same_wires(small, tmp_path, told):
    for name in ("one", "two"):
        told("evolve", small, "--to", tmp_path / name, "--quiet")
    assert told("wires", tmp_path / "one") == told("wires", tmp_path / "two")


def test_the_wires_of_a_task_file_are_those_of_its_founder(small, told):
    status, out, _ = told("wires", small)
    assert status == 0
    assert "layer 1 < input" in out and "tanh" in out and "4 x 2" in out


@pytest.mark.parametrize("command", ["exam", "wires"])
@pytest.mark.parametrize("content", [None, b"", b"no tensors", b"\x08" + b"\0" * 7 + b"{}      "])
def test_a_file_that_holds_no_genome_is_refused(tmp_path, told, command, content):
    path = tmp_path / "genome.safetensors"
    if content is not None:
        path.write_bytes(content)
    status, out, complaint = told(command, path)
    assert (status, out) == (2, "")
    assert complaint.startswith(f"evo-ntm: {path}: ") and complaint.count("\n") == 1


def test_a_figure_of_an_unknown_kind_is_refused(small, tmp_path, told):
    run = tmp_path / "run"
    told("evolve", small, "--to", run, "--quiet")
    status, out, complaint = told("show", run, "--to", tmp_path / "figure.bmp")
    assert (status, out) == (2, "")
    assert "figure.bmp" in complaint and complaint.count("\n") == 1
    assert not (tmp_path / "figure.bmp").exists()


def validated(run: Path) -> bool:
    """Tell whether anybody in a run has been validated yet."""
    try:
        with closing(sqlite3.connect(f"file:{run / 'run.sqlite'}?mode=ro", uri=True)) as rows:
            return rows.execute("SELECT count(*) FROM validations").fetchone()[0] > 0
    except sqlite3.OperationalError:  # not yet there, or being written
        return False


@pytest.fixture
def evolving(small, tmp_path):
    """Begin a run without end in a process of its own, and wait until it can be read.

    It ends with the test at the latest, also where that fails.
    """
    begun = []

    def begin(**options: object) -> subprocess.Popen[str]:
        run = tmp_path / "run"
        command = [sys.executable, "-m", "evo_ntm", "evolve", str(small), "--to", str(run)]
        command += ["--set", "evolve.generations=1000000", "--set", "evolve.patience=1000000"]
        command += ["--set", "exam.validation.0.at_most.wrong_bits=0", "--set", "with.longest=40"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        told = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        begun.append(subprocess.Popen(command, env=environment, **told))
        until = time.monotonic() + 60
        while not validated(run) and time.monotonic() < until:
            time.sleep(0.05)
        return begun[-1]

    yield begin
    for each in begun:
        with each:
            each.kill()


@pytest.mark.parametrize(("number", "status"), [
    (signal.SIGINT, 130),
    (signal.SIGTERM, 143),
    pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
])  # fmt: skip
def test_who_is_asked_to_end_leaves_a_run_that_can_be_read(evolving, tmp_path, number, status):
    run = tmp_path / "run"
    begun = evolving()
    begun.send_signal(number)
    out, beside = begun.communicate(timeout=60)
    assert begun.returncode == status, beside
    assert "interrupted" in out
    assert beside.endswith("evo-ntm: interrupted\n")
    assert [line["kind"] for line in read_log(Run(run))][-1] == "interrupted"
    assert not (run / "run.sqlite-wal").exists()
    ended = process("exam", run, "--json")
    assert ended.returncode in (0, 1), ended.stderr
    assert len(json.loads(ended.stdout)) == 2


def test_who_ignores_the_end_of_a_terminal_goes_on(evolving, tmp_path):
    run = tmp_path / "run"
    begun = evolving(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    begun.send_signal(signal.SIGHUP)
    before = open_run(run).generation()
    until = time.monotonic() + 60
    while open_run(run).generation() == before and time.monotonic() < until:
        time.sleep(0.05)
    assert begun.poll() is None
    begun.terminate()
    begun.communicate(timeout=60)
    assert begun.returncode == 143


def test_a_terminal_that_is_closed_ends_a_run_cleanly(evolving, tmp_path):
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), follower)
    begun = evolving(start_new_session=True, **streams)
    os.close(follower)
    os.close(leader)
    begun.send_signal(signal.SIGHUP)
    assert begun.wait(60) == 129
    assert [line["kind"] for line in read_log(Run(tmp_path / "run"))][-1] == "interrupted"


def playing(environment: str) -> str:
    asked = {"name": "some", "sequences": 2, "rows": 4, "at_most": {"shortfall": 0}}
    return json.dumps({
        "task": "gymnasium",
        "with": {"id": environment, "best": 200, "worst": 0},
        "exam": {"validation": [asked], "parts": [asked]},
        "evolve": {"strategy": "genetic"},
    })  # fmt: skip


def test_an_environment_that_is_not_there_is_blamed_on_who_asked_for_it(tmp_path, told):
    pytest.importorskip("gymnasium")
    task = tmp_path / "game.yaml"
    for named, changes in (("CartPole-v1", ["with.id=No-v0"]), ("No-v0", [])):
        task.write_text(playing(named))
        sets = [word for change in ("evolve.seed=2", *changes) for word in ("--set", change)]
        status, _, heard = told("evolve", task, *sets, "--to", tmp_path / "run")
        assert status == 2 and not (tmp_path / "run").exists()
        blamed = " --set with.id=No-v0" * bool(changes)
        assert heard.startswith(f"evo-ntm: {task}{blamed}: with.id: expected an environment that ")


def test_what_a_library_warns_of_is_one_plain_line(tmp_path):
    pytest.importorskip("gymnasium")
    task = tmp_path / "old.yaml"
    task.write_text(playing("CartPole-v0"))
    ended = process("wires", task)
    assert ended.returncode == 0
    assert ended.stderr.startswith("evo-ntm: WARN: The environment CartPole-v0 is out of date.")
    assert ended.stderr.count("\n") == 1 and "\x1b" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_ends_with_its_own_status():
    with open("/dev/full", "w") as full:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "evo_ntm", "tasks"]
        ended = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
    assert ended.returncode == 3
    assert ended.stderr == "evo-ntm: output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_run_that_finds_no_room_is_not_begun(small, tmp_path):
    import resource

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (24_000, 24_000))

    ended = process("evolve", small, "--to", tmp_path / "run", preexec_fn=little_room)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr == f"evo-ntm: {tmp_path}: cannot be written: File too large\n"
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "run").exists() and not list(tmp_path.glob(".*"))


def test_a_reader_who_leaves_hears_no_complaint():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "evo_ntm", "schema"]
    talking = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    talking.stdout.close()
    assert talking.stderr.read() == b""
    assert talking.wait(30) == 141
    talking.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    ("redirected", "status", "out", "beside"),
    [
        ("tasks >&-", 0, "", ""),
        ("exam nowhere 2>&-", 2, "", ""),
        ("exam nowhere 2>/dev/full", 2, "", ""),
        ("exam nowhere >&-", 2, "", "evo-ntm: nowhere: "),
        ("tasks 2>&- <&-", 0, "copy ", ""),
    ],
)
def test_a_stream_that_leads_nowhere_changes_nothing(redirected, status, out, beside):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["sh", "-c", f'"{sys.executable}" -m evo_ntm {redirected}']
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == status
    for came, expected in ((ended.stdout, out), (ended.stderr, beside)):
        assert came.startswith(expected) and bool(came) == bool(expected)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_run_that_nobody_hears_ends_as_any_other(small, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["sh", "-c", f'"{sys.executable}" -m evo_ntm evolve small.yaml --to run 2>/dev/full']
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode in (0, 1)
    assert ended.stdout.startswith("run: ")
