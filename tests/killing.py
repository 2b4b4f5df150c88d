"""A process that evolves in children of its own, kills them, and lets others go on.

Run as `python -m tests.killing FOLDER STRATEGY WAY COUNT`; prints JSON. A child is forked before
any thread is there, in a group of its own, and killed as a group: nothing of it can tidy up.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch

from evo_ntm import journal, verbs
from evo_ntm.experiment import parse
from evo_ntm.runs.store import Recorder
from evo_ntm.seeds import derive
from tests.evolution.cases import told

GENERATIONS = 16
BUSY = {"generations": GENERATIONS, "validate_every": 2, "patience": 6, "seed": 5}


def asked(strategy, threads=1):
    """Tell an experiment in which much happens, with a checkpoint every third generation."""
    run = {"threads": threads, "checkpoint_every": 3, "keep": "lineage"}
    return parse({**told(strategy, **BUSY), "run": run})


def child(work):
    """Do some work in a forked process, in a group of its own."""
    number = os.fork()
    if number:
        return number
    os.setpgid(0, 0)
    try:
        work()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def go_on(folder, experiment, heard=None):
    """Begin a run, or resume it where it was begun, unless it was killed after its end."""
    if not (folder / "run.sqlite").exists():
        verbs.evolve(experiment, to=folder, on_generation=heard)
    elif verbs.outcome(folder).interrupted:
        verbs.resume(folder, on_generation=heard)


def ended(number):
    """Wait for a child: whether it ended by itself, and well."""
    _, status = os.waitpid(number, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "a run ended with an error"
    return True


def at_step(folder, experiment, last):
    """Evolve, and be killed right after so many steps of publishing; list those steps."""
    reading, writing = os.pipe()

    def work():
        steps = 0

        def reached(step):
            nonlocal steps
            steps += 1
            os.write(writing, f"{step}\n".encode())
            if steps == last:
                os.killpg(0, signal.SIGKILL)

        Recorder.reached = staticmethod(reached)
        go_on(folder, experiment)

    number = child(work)
    os.close(writing)
    with os.fdopen(reading) as steps:
        names = steps.read().split("\n")[:-1]
    return ended(number), names


def at_instant(folder, experiment, share, length):
    """Evolve, and be killed after a share of the time that the run takes from its first turn on."""
    reading, writing = os.pipe()
    number = child(lambda: go_on(folder, experiment, lambda p: os.write(writing, b".")))
    os.close(writing)
    os.read(reading, 1)
    time.sleep(share * length)
    os.killpg(number, signal.SIGKILL)
    over = ended(number)
    os.close(reading)
    return over


def measured(folder, experiment):
    """Evolve undisturbed; give the seconds from the end of the first turn on."""
    reading, writing = os.pipe()
    number = child(lambda: go_on(folder, experiment, lambda p: os.write(writing, b".")))
    os.close(writing)
    os.read(reading, 1)
    begun = time.monotonic()
    assert ended(number)
    os.close(reading)
    return time.monotonic() - begun


def finished(folder, experiment):
    """Let a run go on to its end in a child, and give its digest."""
    assert ended(child(lambda: go_on(folder, experiment)))
    return verbs.digest(folder)


def main(folder, strategy, way, count):
    """Kill `count` times, at steps or at instants, and print the digests of the runs."""
    torch.set_num_threads(1)
    journal.SECONDS_BETWEEN_COMMITS = 0.0
    experiment, draws = asked(strategy), derive(1, "kills")
    length = measured(folder / "whole", experiment)
    digests, kills = [verbs.digest(folder / "whole")], 0
    digests.append(finished(folder / "two threads", asked(strategy, threads=2)))
    killed = []
    if way in ("making", "steps"):
        _, names = at_step(folder / "steps", experiment, 0)
        first = 0
        if way == "steps":
            # From the last step of a generation with a checkpoint on, through the next such.
            first = names.index("pruned", len(names) // 4)
        for place in range(first, min(first + count, len(names))):
            run = folder / f"step {place}"
            over, heard = at_step(run, experiment, place + 1)
            assert not over
            assert run.exists() is ("run renamed" in heard)
            killed.append(heard[-1])
            digests.append(finished(run, experiment))
    while way == "instants" and kills < count:
        run = folder / f"instants {len(digests)}"
        over = False
        while not over and kills < count:
            over = at_instant(run, experiment, float(draws.random()) * 0.6, length)
            kills += not over
        digests.append(finished(run, experiment) if not over else verbs.digest(run))
    listed = [told if isinstance(told, str) else told.state for told in verbs.runs(folder).values()]
    print(json.dumps({"digests": digests, "kills": kills, "killed": killed, "listed": listed}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
