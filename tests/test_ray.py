"""Runs that are scored by Ray: on any cluster the same, and never in the way of another."""

import http.server
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evo_ntm import cli, verbs
from evo_ntm.errors import ClusterError, ExperimentError, RunError
from evo_ntm.evolution.workers.session import session, token
from evo_ntm.experiment import dump, parse
from evo_ntm.experiment.run import RunSettings
from evo_ntm.runs.log import read_log
from evo_ntm.runs.run import Run
from evo_ntm.runs.store import open_run
from evo_ntm.screen import progress_line
from evo_ntm.watch import Progress
from tests.evolution.cases import STRATEGIES, told
from tests.evolution.faults import Faulty
from tests.test_resume import until

pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[1]
MARK = "EVO_NTM_MARK"
every = pytest.mark.parametrize("strategy", STRATEGIES)


def asked(strategy="genetic", run=None, **changes):
    changes = {"generations": 14, "validate_every": 3, **changes}
    return parse({**told(strategy, **changes), "run": {"checkpoint_every": 4, **(run or {})}})


def evolved(folder, strategy="genetic", task=None, generations=14, **run):
    """Evolve, and give the digest."""
    verbs.evolve(asked(strategy, run, generations=generations), to=folder, task=task)
    return verbs.digest(folder)


def events(folder, kind="failure"):
    question = "SELECT told FROM events WHERE kind = ?"
    return [row["told"] for row in open_run(folder).rows(question, kind)]


def faulty(folder, way, *about, **more):
    folder.mkdir(exist_ok=True)
    return Faulty(asked().settings(), folder, way, *about, **more)


@pytest.fixture(scope="module")
def nodes():
    """Run a cluster of two nodes with two CPUs each, of which the first is the head."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as here, tempfile.TemporaryDirectory(dir="/tmp") as folder:
        here.setenv("RAY_TMPDIR", folder)
        here.setenv("RAY_USAGE_STATS_ENABLED", "0")
        here.setenv("PYTHONPATH", str(ROOT))
        here.setenv("RAY_AUTH_MODE", "token")  # as of what this process has talked to before
        for name, value in token().items():
            here.setenv(name, value)
        with session(RunSettings(workers=1), None):  # from now on this process knows the mode
            pass
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
        cluster.add_node(num_cpus=2)
        yield cluster
        cluster.shutdown()


def raylet(node):
    """Give the process that is the node."""
    return node.all_processes["raylet"][0].process.pid


def marked(mark):
    """List the processes that a marked one began, by what their environment says."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def begun(folder, mark, *arguments):
    """Begin to evolve in a group of processes of its own, marked."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), MARK: mark}
    command = [sys.executable, "-m", "evo_ntm", *arguments, "--quiet"]
    return subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip


def gone(mark, seconds=20):
    """Wait until no marked process is left."""
    ends = time.monotonic() + seconds
    while (left := marked(mark)) and time.monotonic() < ends:
        time.sleep(0.1)
    return not left


def recorded(run, generation, seconds=60):
    """Wait until a run has a generation."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if (run / "run.sqlite").exists() and open_run(run).generation() >= generation:
            return True
        time.sleep(0.05)
    return False


def test_a_run_that_is_killed_leaves_no_process_and_goes_on_without_workers(tmp_path):
    asked_for = asked(generations=300, validate_every=300)
    verbs.evolve(asked_for, to=tmp_path / "whole")
    (tmp_path / "task.yaml").write_text(dump(asked_for))
    run, mark = tmp_path / "run", f"killed-{os.getpid()}"
    process = begun(tmp_path, mark, "evolve", "task.yaml", "--to", str(run), "--workers", "1")
    assert recorded(run, 3)
    assert len(marked(mark)) > 3
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert gone(mark)
    assert verbs.outcome(run).interrupted
    verbs.resume(run, overrides=["run.workers=0"])
    assert verbs.digest(run) == verbs.digest(tmp_path / "whole")


@pytest.mark.parametrize(("number", "status"), [
    (signal.SIGTERM, 143),
    pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
    pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
])  # fmt: skip
def test_a_run_with_workers_ends_on_a_signal_as_one_without(tmp_path, number, status):
    (tmp_path / "task.yaml").write_text(dump(asked(generations=10**6, validate_every=10**6)))
    run, mark = tmp_path / "run", f"signal-{os.getpid()}-{number}"
    process = begun(tmp_path, mark, "evolve", "task.yaml", "--to", str(run), "--workers", "1")
    assert recorded(run, 3)
    process.send_signal(number)
    assert process.communicate(timeout=60)[1] == b"evo-ntm: interrupted\n"
    assert process.returncode == status
    assert read_log(Run(run))[-1]["kind"] == "interrupted"
    assert gone(mark)


@contextmanager
def listening(kind):
    """Listen on a port as somebody who is not Ray."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if kind == "nobody":
            port = silent.getsockname()[1]
            silent.close()
            yield port
        elif kind == "silence":
            silent.listen()
            yield silent.getsockname()[1]
        else:
            handler = http.server.BaseHTTPRequestHandler
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
                handler.log_message = lambda *told: None
                threading.Thread(target=server.serve_forever).start()
                yield server.server_port
                server.shutdown()


@pytest.mark.parametrize("kind", [
    "nobody",
    pytest.param("silence", marks=pytest.mark.slow),
    pytest.param("web", marks=pytest.mark.slow),
])  # fmt: skip
def test_an_address_where_no_cluster_answers_is_refused_in_time(tmp_path, small, capsys, kind):
    run = tmp_path / "run"
    with listening(kind) as port:
        begun = time.monotonic()
        ended = cli.run(["evolve", str(small), "--to", str(run), "--ray", f"127.0.0.1:{port}"])
        assert time.monotonic() - begun < 15
    assert ended == 2 and not run.exists()
    out, told = capsys.readouterr()
    assert out == "" and told.count("\n") == 1
    assert told.startswith(f"evo-ntm: 127.0.0.1:{port}: expected a running cluster of Ray, but ")


@pytest.mark.parametrize("address", ["here", "ray://127.0.0.1:10001", "127.0.0.1:", "[::1]",
                                     "127.0.0.1:70000", "a b:6379"])  # fmt: skip
def test_what_is_no_address_is_refused(tmp_path, address):
    with pytest.raises(ClusterError) as refusal:
        evolved(tmp_path / "run", ray=address)
    assert str(refusal.value) == (
        "expected the address of a cluster as host:port (by --ray, run.ray or RAY_ADDRESS), "
        f"but came {address!r}"
    )
    assert not (tmp_path / "run").exists()


def test_the_variable_is_heard_where_nothing_else_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "nowhere")
    with pytest.raises(ClusterError, match="host:port .* but came 'nowhere'"):
        evolved(tmp_path / "run")
    with pytest.raises(ClusterError, match="host:port .* but came 'elsewhere'"):
        evolved(tmp_path / "run", ray="elsewhere")
    evolved(tmp_path / "run", ray="local")


def test_no_workers_on_the_command_line_means_none(tmp_path, small, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "nowhere")
    run = str(tmp_path / "run")
    assert cli.run(["evolve", str(small), "--to", run, "--quiet"]) == 2
    assert cli.run(["evolve", str(small), "--to", run, "--workers", "0", "--quiet"]) in (0, 1)


def test_where_a_run_is_computed_may_change_and_nothing_else(tmp_path):
    run = tmp_path / "run"
    verbs.evolve(asked(), to=run, on_generation=until(5))
    with pytest.raises(ExperimentError, match="where it is computed.*but came 'evolve.seed'"):
        verbs.resume(run, overrides=["evolve.seed=2"])
    with pytest.raises(ExperimentError, match="run.workers: expected at least 0, but came -1"):
        verbs.resume(run, overrides=["run.workers=-1"])
    assert verbs.resume(run, overrides=["run.threads=2"]).generation == 13


def test_a_bad_option_is_named_as_it_was_written(small, capsys):
    assert cli.run(["evolve", str(small), "--workers", "two"]) == 2
    assert capsys.readouterr().err == (
        f"evo-ntm: {small} --workers two: run.workers: expected a whole number, but came 'two'\n"
    )


def test_without_ray_it_is_told_how_to_install_it(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    run = tmp_path / "run"
    assert cli.run(["evolve", str(small), "--to", str(run), "--workers", "2"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("evo-ntm: workers need Ray, which is not installed: python -m pip ")
    assert told.count("\n") == 1 and not run.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_run_does_not_move_to_a_gpu_by_accident(tmp_path):
    run = tmp_path / "run"
    verbs.evolve(asked(), to=run, on_generation=until(5))
    with pytest.raises(RunError, match="which is not to be had: .* torch finds no GPU"):
        verbs.resume(run, overrides=["run.gpus_per_worker=0.5"])


def test_the_line_of_a_run_counts_its_workers():
    told = Progress(9, 20, -3.5, 1.0, 1, 0, 5e5, 10.0, 10.0, 0, ())
    assert "worker" not in progress_line(told)
    assert "  1 worker  " in progress_line(replace(told, workers=1))
    assert "  3 workers  " in progress_line(replace(told, workers=3))


@pytest.mark.slow
@every
def test_digests_are_the_same_wherever_a_run_is_scored(tmp_path, nodes, strategy):
    places = [
        {"threads": 1},
        {"threads": 2},
        {"workers": 1},
        {"workers": 2},
        {"workers": 4},
        {"workers": 2, "cpus_per_worker": 2},
        {"ray": nodes.address},
        {"ray": nodes.address, "workers": 3},
    ]
    digests = [evolved(tmp_path / str(n), strategy, **place) for n, place in enumerate(places)]
    assert len(set(digests)) == 1


@pytest.mark.slow
@every
def test_a_worker_and_then_a_node_that_die_within_a_generation_change_no_birth(
    tmp_path, nodes, strategy
):
    undisturbed = evolved(tmp_path / "whole", strategy)
    task = faulty(tmp_path / "worker", "die", at=20)
    assert evolved(tmp_path / "one", strategy, task, ray=nodes.address) == undisturbed
    assert task.attempts >= 2
    assert "lost" in [line["kind"] for line in read_log(Run(tmp_path / "one"))]
    lost = nodes.add_node(num_cpus=2)
    task = faulty(tmp_path / "node", "node", node=raylet(lost))
    assert evolved(tmp_path / "two", strategy, task, ray=nodes.address) == undisturbed
    assert task.attempts == 1
    assert not events(tmp_path / "one") and not events(tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["hang", "stop", "die"])
def test_a_chunk_that_goes_wrong_three_times_is_told_of_and_never_replayed(tmp_path, way):
    whole, run = tmp_path / "whole", tmp_path / "run"
    run_as = {"workers": 2, "timeout": 3}
    task = faulty(tmp_path / "faults", way, at=9, times=3)
    verbs.evolve(asked(run=run_as), to=whole, task=task)
    assert task.attempts == 3
    (told,) = events(whole)
    assert "could not be scored in 3 attempts: " in told
    why = "the worker died" if way == "die" else "it took over 3 s"
    assert told.endswith(why)
    question = "SELECT generation FROM events WHERE kind = 'failure'"
    failed = open_run(whole).rows(question)[0]["generation"]
    worst = open_run(whole).rows("SELECT min(fitness) AS worst FROM births")[0]["worst"]
    assert worst == -float("inf")
    task = faulty(tmp_path / "again", way, at=9, times=3)
    verbs.evolve(asked(run=run_as), to=run, task=task, on_generation=until(failed))
    verbs.resume(run, task=faulty(tmp_path / "well", way, at=10**9), overrides=["run.workers=0"])
    assert not verbs.outcome(run).interrupted


@pytest.mark.slow
@every
def test_a_run_killed_again_and_again_goes_on_with_other_workers(tmp_path, strategy):
    asked_for = asked(strategy, generations=900, validate_every=900)  # not solved before its end
    verbs.evolve(asked_for, to=tmp_path / "whole")
    (tmp_path / "task.yaml").write_text(dump(asked_for))
    run = tmp_path / "run"
    for number, workers in enumerate(("2", "1", "3")):
        mark = f"again-{os.getpid()}-{number}"
        how = ["resume", str(run)] if run.exists() else ["evolve", "task.yaml", "--to", str(run)]
        process = begun(tmp_path, mark, *how, "--workers", workers)
        assert recorded(run, 20 + 200 * number)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert gone(mark)
    verbs.resume(run, overrides=["run.workers=2", "run.ray=local"])
    assert verbs.digest(run) == verbs.digest(tmp_path / "whole")


@pytest.mark.slow
def test_a_cluster_that_goes_away_stops_the_run_which_then_goes_on(tmp_path):
    asked_for = asked(generations=2000, validate_every=2000)
    verbs.evolve(asked_for, to=tmp_path / "whole")
    (tmp_path / "task.yaml").write_text(dump(asked_for))
    run, mark = tmp_path / "run", f"away-{os.getpid()}"
    process = begun(tmp_path, mark, "evolve", "task.yaml", "--to", str(run), "--workers", "1")
    assert recorded(run, 3)
    for number in marked(mark):
        if b"gcs_server\0" in Path(f"/proc/{number}/cmdline").read_bytes():
            os.kill(number, signal.SIGKILL)
    _, beside = process.communicate()
    assert process.returncode == 3
    assert beside == (b"evo-ntm: this computer: the cluster went away; the run can be resumed\n")
    assert gone(mark, seconds=90)  # without a head some wait for a minute
    verbs.resume(run, overrides=["run.workers=0"])
    assert verbs.digest(run) == verbs.digest(tmp_path / "whole")


@pytest.mark.slow
def test_a_fresh_cluster_is_never_one_that_is_lying_about(tmp_path, nodes, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    heard = []
    verbs.evolve(asked(run={"workers": 1}), to=tmp_path / "own", on_generation=heard.append)
    assert {progress.workers for progress in heard} == {1}
    (told,) = open_run(tmp_path / "own").rows("SELECT told FROM processes")
    assert nodes.address not in told["told"]
    verbs.evolve(asked(), to=tmp_path / "joined", on_generation=heard.append)
    assert heard[-1].workers == 4


@pytest.mark.slow
def test_more_than_a_cluster_has_is_refused_with_what_it_has(tmp_path, nodes):
    for run, line in [
        ({"workers": 5}, "5 workers with 1 CPU each, but there is room for 4: 4 CPUs and 0 GPUs"),
        ({"workers": 1, "cpus_per_worker": 3}, "1 worker with 3 CPUs each, .* room for 0: 4 CPUs"),
        ({"gpus_per_worker": 0.5}, "1 CPU and 0.5 GPU each, .* 4 CPUs and 0 GPUs on 2 nodes"),
    ]:
        with pytest.raises(ClusterError, match=f"^{nodes.address}: expected room for .*{line}"):
            evolved(tmp_path / "run", ray=nodes.address, **run)
        assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_nothing_is_left_behind_nor_said(tmp_path):
    (tmp_path / "task.yaml").write_text(dump(asked()))
    before = {*Path("/tmp").glob("evo-ntm-ray-*")}
    mark = f"quiet-{os.getpid()}"
    arguments = ["evolve", "task.yaml", "--to", "run", "--workers", "2"]
    process = begun(tmp_path, mark, *arguments)
    _, beside = process.communicate()
    assert process.returncode in (0, 1) and beside == b""
    assert gone(mark)
    assert not {*Path("/tmp").glob("evo-ntm-ray-*")} - before


def shown():
    """Read from the README which commands are refused, and how."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^\$ evo-ntm (.+)\n(evo-ntm: .+)$", page, flags=re.MULTILINE)


@pytest.mark.parametrize("place", [
    pytest.param(0, marks=pytest.mark.slow),
    1,
])  # fmt: skip
def test_what_cannot_be_had_is_told_as_the_readme_shows(place, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    typed, complaint = [pair for pair in shown() if "--workers" in pair[0] or "--ray" in pair[0]][
        place
    ]
    assert cli.run(shlex.split(typed)) == 2
    assert capsys.readouterr().err == f"{complaint}\n"
