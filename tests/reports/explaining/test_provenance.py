import numpy as np
import pytest

from evo_ntm.reports.explaining.provenance import NEVER
from evo_ntm.tasks import make
from tests.genome.machines import SOFT
from tests.reports.explaining.handmade import BITS, copier, experiment, recaller, task_of
from tests.reports.explaining.watching import watched

COPY = task_of(experiment(told={"bits": BITS, "shortest": 2, "longest": 6}))


def test_a_row_comes_from_the_step_at_which_it_was_last_written():
    seen = watched(copier(["follows"]), COPY)
    step = np.arange(len(seen.traces.scored))[:, None] + np.zeros((1, 64), int)
    since = seen.provenance.focus[..., 1]
    shown, due = seen.plan.of_kind("input"), seen.traces.scored
    assert (since[shown] == step[shown]).all()  # it follows the writer
    length = shown.sum(0)
    assert (since[due] == (step - length - 1)[due]).all()


def test_the_first_and_the_last_row_are_those_of_vectors():
    seen = watched(copier(["follows"], writes=-1), COPY)
    length = seen.plan.of_kind("input").sum(0)
    ended = seen.provenance
    assert (ended.first[-1, :, 1] == 39).all()
    assert (ended.last[-1, :, 1] == 40 - length).all()
    assert (ended.first[0, :, 0] == NEVER).all() and (ended.first[0, :, 1] == 39).all()


def test_rows_that_no_answer_looks_at_were_written_for_nothing():
    seen = watched(copier(["follows"]), COPY)
    used, shown = seen.used()[..., 0], seen.plan.of_kind("input")
    assert used[shown].all() and not used[~shown].any()
    still = watched(copier(["stays"]), COPY)
    assert not still.used().any()


def test_a_reader_may_look_ahead_of_its_answer():
    assert watched(copier(["follows"]), COPY).leads == ((0, 0),)
    late = watched(copier(["follows", "returns"], task="mirror_copy"), _mirror())
    assert late.leads == ((0, 0), (0, 1))


def _mirror():
    return make("mirror_copy", {"bits": BITS, "shortest": 2, "longest": 6})


def test_writes_that_change_next_to_nothing_do_not_count():
    seen = watched(recaller(), make("associative_recall", {"bits": BITS, "vectors": 1}))
    flags = seen.plan.of_kind("flag")
    assert not seen.provenance.counts[flags].any()
    assert seen.provenance.counts[seen.plan.heard].mean() > 0.5


@pytest.mark.parametrize("name", SOFT)
def test_any_machine_can_be_watched(name):
    genome, task = SOFT[name], make("copy", {"bits": BITS, "longest": 3})
    seen = watched(genome, task, rows=9, lanes=16)
    heads, steps = len(genome.topology.heads), len(seen.traces.scored)
    assert seen.provenance.focus.shape == (steps, 16, heads)
    since = seen.provenance.focus
    assert (since <= np.arange(steps)[:, None, None]).all() and (since >= NEVER).all()
    assert len(seen.leads) == len(genome.topology.readers)
