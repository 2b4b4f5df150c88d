import json

import pytest

from evo_ntm import verbs
from evo_ntm.errors import RunError
from evo_ntm.experiment import dump, parse
from evo_ntm.reports.learning import last_trained, read_course
from evo_ntm.runs.store import open_run
from tests.reports.learning.made_up import course
from tests.tuning.cases import told


def test_a_course_is_what_a_training_left_in_its_run(tmp_path):
    file = tmp_path / "tiny.yaml"
    file.write_text(dump(parse(told())))
    tuned = verbs.finetune(file, from_scratch=True, seed=4, steps=60, to=tmp_path / "run")
    run = open_run(tuned.path)
    assert last_trained(run) == tuned.child
    rows = verbs.exam(tuned.path, birth=tuned.child).rows
    found = read_course(run, rows)
    assert (found.seed, found.kept, found.exam) == (4, 8 * tuned.kept, rows)
    assert found.sequences == (0, 160, 320, 480)
    assert found.bits[0] != found.bits[0] and found.bits[-1] > 0
    assert (found.validation[0], found.diverged) == (tuned.before[0], "")
    assert found.weights == verbs.read(tuned.path).weights.size


def test_the_last_mean_of_a_course_is_never_of_a_few_sequences_alone(tmp_path):
    file = tmp_path / "tiny.yaml"
    file.write_text(dump(parse(told())))
    tuned = verbs.finetune(file, from_scratch=True, steps=45, to=tmp_path / "run")
    run = open_run(tuned.path)
    [row] = run.rows("SELECT curve FROM tunings")
    *_, before, last = (point["bits"] for point in json.loads(row["curve"]))
    found = read_course(run, ())
    assert found.sequences == (0, 160, 320, 360)
    assert found.bits[2] == before != last
    assert found.bits[3] == pytest.approx((160 * before + 40 * last) / 200)


def test_a_run_in_which_nothing_was_trained_is_refused(small, tmp_path):
    run = open_run(verbs.evolve(verbs.load(small), to=tmp_path / "run").path)
    assert last_trained(run) is None
    with pytest.raises(RunError, match="in which something was trained, but nothing was"):
        read_course(run, ())


def test_the_first_look_that_cost_as_little_counts():
    assert course().below(0.1) == 1200
    assert course().below(0.0001) is None
