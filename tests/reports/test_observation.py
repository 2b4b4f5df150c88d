import numpy as np
import pytest
import torch

from evo_ntm.errors import GenomeError, ReportError, TaskError
from evo_ntm.genome import Genome
from evo_ntm.machine import Machine
from evo_ntm.reports.observation import observe, rows_to_show, task_to_show
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, grade, make


def test_what_is_observed_is_what_a_plain_run_does(founder):
    genome, experiment = founder(readers=2, writers=2)
    task = task_to_show(experiment, 4)
    seen = observe(genome, task, rows=11, epsilon=0.01, seed=3)

    episodes = task.episodes(derive(3, "show"), 1)
    machine = Machine(genome.topology, 0.01)
    weights = machine.wire_up(torch.tensor(genome.weights)[None])
    state = machine.initial_state(weights, lanes=1, rows=11)
    logits, ended = machine.run(weights, episodes.inputs, state)
    grades = grade(episodes, logits)
    assert seen.inputs == pytest.approx(episodes.inputs[:, 0].numpy())
    assert seen.targets == pytest.approx(episodes.targets[:, 0].numpy())
    assert seen.answers == pytest.approx(torch.sigmoid(logits)[:, 0, 0].numpy(), abs=1e-6)
    assert seen.wrong.sum() == seen.measures["wrong_bits"] == grades.wrong_bits
    assert seen.measures["bits"] == pytest.approx(float(grades.bits))
    assert seen.reads[-1] == pytest.approx(ended.reads[0, 0].numpy(), abs=1e-6)
    last = np.concatenate([seen.write_weightings[-1], seen.read_weightings[-1]])
    assert last == pytest.approx(ended.store.weightings[0, 0].numpy(), abs=1e-6)
    assert seen.add.shape == (9, 2, 6) and seen.rows == 11


def test_steps_that_are_not_asked_are_never_wrong(founder):
    genome, experiment = founder()
    seen = observe(genome, task_to_show(experiment, 5), rows=12, epsilon=0.01)
    assert list(np.flatnonzero(seen.scored)) == [6, 7, 8, 9, 10]
    assert not seen.wrong[:6].any() and seen.wrong[6:].any()


def test_another_seed_shows_another_sequence(founder):
    genome, experiment = founder()
    task = task_to_show(experiment)
    first, again, other = (observe(genome, task, rows=9, epsilon=0.01, seed=s) for s in (0, 0, 1))
    assert (first.inputs == again.inputs).all() and (first.inputs != other.inputs).any()


def test_answers_that_are_no_numbers_are_wrong(founder):
    genome, experiment = founder()
    mad = genome.with_genes(np.full_like(genome.genes, 3e38))
    seen = observe(mad, task_to_show(experiment, 2), rows=9, epsilon=0.01)
    assert np.isnan(seen.answers[seen.scored]).any()
    assert seen.wrong[seen.scored][np.isnan(seen.answers[seen.scored])].all()


def test_a_tied_genome_is_shown_at_as_many_bits_as_the_task_has(founder):
    genome, experiment = founder(encoding="tied", told={"bits": 3})
    seen = observe(genome, make("copy", {"bits": 5}), rows=30, epsilon=0.01)
    assert seen.targets.shape[1] == 5
    with pytest.raises(GenomeError):
        observe(genome, make("copy", {"bits": 1}), rows=30, epsilon=0.01)


def test_a_machine_for_other_channels_is_refused(founder):
    genome, _ = founder()
    with pytest.raises(GenomeError) as told:
        observe(genome, make("priority_sort"), rows=30, epsilon=0.01)
    assert str(told.value) == (
        "expected a machine of 10 inputs and 8 outputs, as priority_sort asks, "
        f"but genome {genome.id[:12]} has 9 and 8"
    )


def test_a_memory_without_rows_is_refused(founder):
    genome, experiment = founder()
    with pytest.raises(ReportError, match="^expected at least 1 memory row, but came 0$"):
        observe(genome, task_to_show(experiment), rows=0, epsilon=0.01)


def test_a_sequence_too_long_to_be_shown_is_refused(founder):
    genome, experiment = founder()
    with pytest.raises(ReportError) as told:
        observe(genome, task_to_show(experiment, 1250), rows=9, epsilon=0.01)
    expected = "expected a sequence of at most 2500 steps to show, but it has 2501"
    assert str(told.value) == expected


@pytest.mark.parametrize("task", ["copy", "mirror_copy"])
def test_copy_is_shown_at_the_length_of_the_papers_figure(founder, task):
    _, experiment = founder(task, part={"longest": 500})
    assert task_to_show(experiment).extent() == {"length": 20}


def test_copy_is_shown_no_longer_than_it_is_examined(founder):
    _, experiment = founder(told={"longest": 4}, part={"longest": 7})
    assert task_to_show(experiment).extent() == {"length": 7}


@pytest.mark.parametrize(
    ("task", "told", "extent"),
    [
        ("repeat_copy", {"longest": 5, "most": 3}, {"length": 5, "repeats": 3}),
        ("associative_recall", {"most": 4}, {"items": 4}),
        ("ngrams", {"steps": 30}, {"steps": 30}),
        ("priority_sort", {"items": 9, "answers": 4}, {"items": 9}),
    ],
)
def test_other_tasks_are_shown_at_the_largest_of_their_settings(founder, task, told, extent):
    _, experiment = founder(task, told=told, part={})
    assert task_to_show(experiment).extent() == extent


LONG = ["copy", "mirror_copy", "repeat_copy", "entm_copy"]


@pytest.mark.parametrize("task", LONG)
def test_the_length_can_be_chosen(founder, task):
    _, experiment = founder(task)
    assert task_to_show(experiment, 3).extent()["length"] == 3


@pytest.mark.parametrize("task", sorted(set(TASKS) - set(LONG)))
def test_a_task_without_a_length_refuses_one(founder, task):
    _, experiment = founder(task)
    with pytest.raises(ReportError) as told:
        task_to_show(experiment, 3)
    assert str(told.value) == f"expected no length, as {task} has none to set, but came 3"


def test_an_impossible_length_is_refused_by_the_task(founder):
    _, experiment = founder()
    with pytest.raises(TaskError, match="must be greater than or equal to 1, not 0$"):
        task_to_show(experiment, 0)


def test_there_are_as_many_rows_as_the_largest_part_of_the_exam_has(founder):
    _, experiment = founder(rows=77)
    assert rows_to_show(experiment, task_to_show(experiment)) == 77


def test_a_longer_sequence_gets_the_rows_that_it_needs(founder):
    _, experiment = founder(rows=77)
    assert rows_to_show(experiment, task_to_show(experiment, 90)) == 98


def test_a_genome_is_left_as_it_was(founder):
    genome, experiment = founder()
    before = Genome(genome.topology, genome.genes.copy()).id
    observe(genome, task_to_show(experiment, 3), rows=9, epsilon=0.01)
    assert genome.id == before
