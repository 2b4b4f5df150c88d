"""Scoring by processes of this computer: the same births, whatever happens to them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from evo_ntm import verbs
from evo_ntm.errors import ClusterGoneError, TaskError
from evo_ntm.evolution.cohort import Cohort
from evo_ntm.evolution.engine import evolve
from evo_ntm.evolution.evaluate import Chunk, Trial, score_chunk
from evo_ntm.evolution.school import school
from evo_ntm.evolution.workers import Local, processes
from evo_ntm.experiment import dump, load, parse
from evo_ntm.genome.founder import founder
from evo_ntm.machine import Backend
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.tasks.copy import Copy
from tests.evolution.cases import STRATEGIES, births, experiment, task_of, told
from tests.evolution.chores import die, leave, mumble, refuse, slip, who

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="there are threads only"),
    pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one CPU has no use for processes"),
]
ROOT = Path(__file__).parents[2]
TORCH = Backend("cpu", fused=False)
FINETUNE = {"share": 0.5, "steps": 3, "batch": 4, "optimiser": "adam", "learning_rate": 0.01}


@dataclass(frozen=True)
class Own(Copy):
    """A task of one's own."""


def pieces(count=4, task=None, backend=TORCH):
    """Make chunks of a genome each."""
    asked = experiment("genetic")
    trial = school(asked, task or task_of(asked), backend).trial(asked, 0, 0)
    genome = verbs.founder(asked)
    cohort = Cohort(genome.topology, (genome.genes[None].repeat(count, 0),))
    return [Chunk(trial, cohort, number, number + 1) for number in range(count)]


@contextmanager
def opened(threads=2):
    """Begin processes at once, and wait until they are up."""
    with pytest.MonkeyPatch.context() as here, Local(threads, TORCH) as local:
        here.setattr(processes, "WORTH", 0.0)
        ends = time.monotonic() + 60
        while os.getpid() in local.map(who, pieces()) and time.monotonic() < ends:
            time.sleep(0.05)
        assert local.lost() == []
        yield local


@pytest.fixture(scope="module")
def local():
    with opened() as there:
        yield there


def evolved(asked, spread):
    return list(evolve(asked, task_of(asked), spread, backend=TORCH))


def told_of(turns):
    """Tell of births and of all that was measured of them."""
    return births(turns), [
        (birth.fitness.values, birth.measures) for each in turns for birth in each.births
    ]


@pytest.mark.parametrize("encoding", ["direct", "tied"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_births_are_those_of_this_thread_byte_for_byte(local, strategy, encoding):
    asked = experiment(strategy, machine={"encoding": encoding})
    assert told_of(evolved(asked, local.map)) == told_of(evolved(asked, map))


def test_children_are_trained_there_as_here(local):
    operators = {"perturb": {"share": 4}, "finetune": FINETUNE}
    asked = experiment("genetic", operators=operators, generations=4)
    there = evolved(asked, local.map)
    assert told_of(there) == told_of(evolved(asked, map))
    assert any("finetune" in birth.operators for each in there for birth in each.births)


def test_several_score_and_results_come_in_order(local):
    some = pieces(8)
    there = [scores.fitness for scores in local.map(score_chunk, some)]
    assert there == [score_chunk(chunk).fitness for chunk in some]
    assert os.getpid() not in local.map(who, some)


def test_more_threads_than_processes_wait_for_their_turn(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with opened(threads=5) as local:
        assert len(set(local.map(who, pieces(40)))) <= 2


def test_little_work_is_done_by_threads(monkeypatch):
    with Local(2, TORCH) as local:
        for _ in range(3):
            assert set(local.map(who, pieces())) == {os.getpid()}
    monkeypatch.setattr(processes, "WORTH", 0.0)
    with Local(1, TORCH) as alone:  # and a single thread does all, which needs no company
        for _ in range(3):
            assert set(alone.map(who, pieces())) == {os.getpid()}
        assert not alone._processes._children


def unknown_elsewhere():
    """Make a function that can be sent by its name, which nobody else knows."""
    module = ModuleType("unknown_elsewhere")
    exec("import os\ndef who(chunk): return os.getpid()", module.__dict__)
    sys.modules[module.__name__] = module
    return module.who


def lives(name, settings, backend):
    """Make chunks of which each is a genome that leads some lives."""
    task = make(name, settings)
    trial = Trial(task, task.episodes(derive(1, "lives"), 3), 4, 0.01, backend)
    genome = founder(task.inputs, task.outputs, units=(4,), generator=derive(1, "founder"))
    cohort = Cohort(genome.topology, (genome.weights[None].repeat(3, 0),))
    return [Chunk(trial, cohort, number, number + 1) for number in range(3)]


@pytest.mark.parametrize("backend", [TORCH, Backend("cpu", fused=True)], ids=str)
def test_lives_are_led_elsewhere_whoever_computes_the_machine(local, backend):
    items = lives("memory_length", {"longest": 5}, backend)
    assert os.getpid() not in local.map(who, items)
    there, here = list(local.map(score_chunk, items)), [score_chunk(item) for item in items]
    assert [scores.fitness for scores in there] == [scores.fitness for scores in here]


@pytest.mark.parametrize(
    "staying",
    [
        lambda: (who, pieces(task=Own(task_of(experiment()).settings))),
        lambda: (who, pieces(backend=Backend("cpu", fused=True))),
        lambda: (who, lives("gymnasium", {"id": "CartPole-v1"}, TORCH)),
        lambda: (lambda chunk: os.getpid(), pieces()),
        lambda: (unknown_elsewhere(), pieces()),
        lambda: (lambda number: os.getpid(), [1, 2, 3]),
    ],
    ids=[
        "a task of one's own",
        "a fused kernel",
        "an environment that is perhaps known here only",
        "what cannot be sent",
        "what cannot be read",
        "another kind of work",
    ],
)
def test_what_has_to_stay_here_is_done_by_threads(local, staying):
    function, items = staying()
    assert set(local.map(function, items)) == {os.getpid()}


@pytest.mark.parametrize(
    ("chore", "kind", "words"),
    [
        (refuse, TaskError, "gauge: expected luck"),
        (slip, ZeroDivisionError, "no luck"),
        (mumble, RuntimeError, "MuteError: this and that"),
    ],
)
def test_what_is_raised_there_is_raised_here_and_says_where(local, chore, kind, words):
    with pytest.raises(kind) as raised:
        list(local.map(chore, pieces()))
    assert str(raised.value) == words
    notes = "".join(getattr(raised.value, "__notes__", ()))
    assert f"in {chore.__name__}" in notes or chore is mumble
    assert os.getpid() not in local.map(who, pieces())  # they score on


@pytest.mark.parametrize(
    ("chore", "how"), [(die, "by SIGKILL"), (leave, "with exit status 7")], ids=["die", "leave"]
)
def test_a_process_that_dies_stops_all_in_one_line(chore, how):
    words = rf"^process \d+, which scored for this one, ended {how}; a run can be resumed$"
    with opened() as local, pytest.raises(ClusterGoneError, match=words) as raised:
        list(local.map(chore, pieces()))
    assert raised.value.stops
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sys.executable", "/nowhere/python", "cannot begin: No such file or directory"),
        ("sys.executable", "/bin/false", "ended with exit status 1"),
        ("processes.arithmetic", lambda: {"torch": "0"}, "computes otherwise"),
    ],
)
def test_where_processes_cannot_begin_threads_go_on_and_it_is_told(monkeypatch, name, value, words):
    monkeypatch.setattr(processes, "WORTH", 0.0)
    place, attribute = name.split(".")
    monkeypatch.setattr({"sys": sys, "processes": processes}[place], attribute, value)
    with Local(2, TORCH) as local:
        ends = time.monotonic() + 60
        while not (lost := local.lost()) and time.monotonic() < ends:
            assert set(local.map(who, pieces())) == {os.getpid()}
            time.sleep(0.05)
        [line] = lost
        assert words in line and line.endswith("; threads go on")
        assert set(local.map(who, pieces())) == {os.getpid()}
        assert local.lost() == [] and not local._processes._children


# A script as users write them, without `if __name__ == "__main__"`, with a task of its own: what
# imported it once more would evolve once more. It notes that it begins, and tells who scores.
SCRIPT = """
import sys
import time
from dataclasses import dataclass
import evo_ntm
from evo_ntm.cli import main
from evo_ntm.evolution.workers import processes
from evo_ntm.tasks.copy import Copy

with open(sys.argv[0] + ".begun", "a") as begun:
    begun.write("begun\\n")
processes.WORTH = 0.0
prepare, do, heard = processes.Processes.prepare, processes.Processes.do, []

def wait(self):
    prepare(self)
    while not self.up:
        time.sleep(0.01)
        prepare(self)

def listen(self, *job):
    came = do(self, *job)
    if came and not heard:
        heard.append(True)
        print(*(child.process.pid for child in self._children), flush=True)
    return came

processes.Processes.prepare, processes.Processes.do = wait, listen

@dataclass(frozen=True)
class Own(Copy):
    pass

if sys.argv[1] == "own":
    path, to = sys.argv[2:]
    experiment = evo_ntm.load(path)
    evo_ntm.evolve(experiment, to=to, task=Own(experiment.settings()))
else:
    main()
"""


@contextmanager
def running(folder, *arguments):
    """Run the script in a group of processes of its own; end it at the end."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    begun = subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)], start_new_session=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield begun
        assert (folder / "script.py.begun").read_text() == "begun\n"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(begun.pid, signal.SIGKILL)
        begun.communicate()


def asked(folder, generations):
    """Write a task file that torch computes; give its path, and where its run is to go."""
    changes = {"generations": generations, "validate_every": 10**6, "patience": 10**6}
    run = {"threads": 2, "backend": "torch", "checkpoint_every": 20}
    path = folder / "task.yaml"
    path.write_text(dump(parse({**told("genetic", **changes), "run": run})))
    return path, folder / "run"


def gone(numbers, seconds=20.0):
    """Wait until no such process is left."""
    ends = time.monotonic() + seconds
    while (left := list(filter(alive, numbers))) and time.monotonic() < ends:
        time.sleep(0.05)
    return not left


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    try:  # who is dead, but nobody has heard of it yet
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self/stat").exists()


@contextmanager
def scoring(folder, generations=10**6):
    """Evolve in a process by processes of its own, and tell which."""
    path, to = asked(folder, generations)
    with running(folder, "evolve", path, "--to", to, "--quiet") as begun:
        numbers = [int(number) for number in begun.stdout.readline().split()]
        assert len(numbers) == 2 and all(map(alive, numbers))
        ends = time.monotonic() + 60
        while not is_recorded(to) and time.monotonic() < ends:
            time.sleep(0.01)
        yield begun, numbers, to


def is_recorded(to):
    """Tell whether a generation is on disk: a run that has none yet may be taken away again."""
    return (to / "run.sqlite").exists() and verbs.outcome(to).generation >= 0


def test_who_is_killed_leaves_no_process(tmp_path):
    with scoring(tmp_path) as (begun, numbers, _):
        begun.kill()
        assert gone(numbers)
        assert begun.communicate()[1] == ""


@pytest.mark.parametrize(("number", "status"), [
    (signal.SIGINT, 130),
    pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
    pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
])  # fmt: skip
def test_who_is_interrupted_says_so_in_one_line_and_takes_its_processes_along(
    tmp_path, number, status
):
    with scoring(tmp_path) as (begun, numbers, to):
        os.killpg(begun.pid, number)
        for each in numbers:  # as where somebody tells all processes to end
            os.kill(each, number)
        assert begun.communicate(timeout=60)[1] == "evo-ntm: interrupted\n"
        assert begun.returncode == status
        assert gone(numbers)
    assert verbs.outcome(to).interrupted


def test_a_run_of_which_a_process_dies_stops_and_can_be_resumed_to_the_same_births(tmp_path):
    with scoring(tmp_path, generations=120) as (begun, numbers, to):
        os.kill(numbers[0], signal.SIGKILL)
        beside = begun.communicate(timeout=60)[1]
        assert begun.returncode == 3
        assert beside == (f"evo-ntm: process {numbers[0]}, which scored for this one, ended by "
                          "SIGKILL; a run can be resumed\n")  # fmt: skip
        assert gone(numbers)
    assert verbs.outcome(to).interrupted
    verbs.resume(to)
    verbs.evolve(load(tmp_path / "task.yaml"), to=tmp_path / "whole")
    assert verbs.digest(to) == verbs.digest(tmp_path / "whole")


def test_a_script_without_a_guard_runs_once_and_its_own_task_is_scored_in_it(tmp_path):
    path, to = asked(tmp_path, 40)
    with running(tmp_path, "own", path, to) as begun:
        out, beside = begun.communicate(timeout=60)
        assert (begun.returncode, out, beside) == (0, "", "")
    verbs.evolve(load(path), to=tmp_path / "here")
    assert verbs.digest(to) == verbs.digest(tmp_path / "here")
