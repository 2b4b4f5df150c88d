"""A process that tunes in children of its own, kills them, and lets others go on.

Run as `python -m tests.tuning.killing FOLDER COUNT`; prints JSON.
"""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import torch

from evo_ntm import verbs
from evo_ntm.experiment import dump, parse
from evo_ntm.runs.recorder import Recorder
from evo_ntm.runs.store import open_run
from evo_ntm.tuning import journal
from tests.killing import child, ended
from tests.tuning.cases import told

CHANGES = ["finetune.early_stop=false", "finetune.steps=200"]


def go_on(folder, file):
    """Begin a tuning in a run of its own, or go on with it, unless it is over."""
    if not (folder / "run.sqlite").exists():
        verbs.finetune(file, from_scratch=True, overrides=CHANGES, to=folder)
    elif verbs.is_being_tuned(folder):
        verbs.resume_tuning(folder)


def killed_after(folder, file, last):
    """Tune, and be killed right after so many steps of publishing; list those steps."""
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
        go_on(folder, file)

    number = child(work)
    os.close(writing)
    with os.fdopen(reading) as steps:
        names = steps.read().split("\n")[:-1]
    return ended(number), names


def left(folder):
    """Hash what a tuning has come to: the child's weights, and the curve but for the clocks."""
    run = open_run(folder)
    (tuning,) = run.rows("SELECT * FROM tunings")
    curve = [{**point, "seconds": 0} for point in json.loads(tuning["curve"])]
    births = [tuple(row) for row in run.rows("SELECT * FROM births")]
    sittings = [tuple(row) for row in run.rows("SELECT * FROM sittings")]
    words = json.dumps([births, sittings, curve, tuning["steps"], tuning["settings"]])
    genes = run.genome(tuning["birth"]).genes.tobytes()
    return hashlib.blake2b(words.encode() + genes).hexdigest()


def main(folder, count):
    """Kill after steps evenly spread, each in a run of its own, which then goes on to its end."""
    torch.set_num_threads(1)
    journal.SECONDS_BETWEEN_PLACES = 0.0
    file = folder / "tiny.yaml"
    file.write_text(dump(parse(told())))
    over, names = killed_after(folder / "whole", file, 0)
    assert over
    first = names.index("run renamed")  # before that there is no run yet
    places = [first + n * (len(names) - first) // count for n in range(count)]
    hashes, killed = [left(folder / "whole")], []
    for place in places:
        run = folder / f"killed after {place}"
        over, heard = killed_after(run, file, place + 1)
        assert not over
        killed.append(heard[-1])
        assert ended(child(lambda run=run: go_on(run, file)))
        hashes.append(left(run))
    print(json.dumps({"hashes": hashes, "killed": killed}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
