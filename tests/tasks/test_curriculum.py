import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.errors import TaskError
from evo_ntm.seeds import derive
from evo_ntm.tasks import Curriculum, Gate, grade, join, make

STAGES = tuple(make("copy", {"bits": 2, "longest": longest}) for longest in (1, 3, 5, 9))
GATES = ((Gate("wrong_bits", 0.5),),) * 3
curriculum = Curriculum(STAGES, GATES)


@given(some.integers(1, 9), some.data())
def test_lanes_add_up_and_most_are_of_the_top_stage(stages, data):
    count = data.draw(some.integers(1, 300))
    top = data.draw(some.integers(0, stages - 1))
    lanes = Curriculum(STAGES[:1] * stages, GATES[:1] * (stages - 1)).lanes(top, count)
    assert len(lanes) == stages and sum(lanes) == count
    assert lanes[top] > count / 2
    assert not any(lanes[top + 2 :])
    if count >= 2 * stages + 3:
        assert all(lanes[: top + 2])


def test_lanes_of_sixteen_sequences():
    assert [curriculum.lanes(stage, 16) for stage in range(4)] == [
        (12, 4, 0, 0),
        (2, 12, 2, 0),
        (2, 2, 10, 2),
        (2, 2, 2, 10),
    ]


def test_few_lanes_go_to_the_nearest_stages():
    assert curriculum.lanes(2, 1) == (0, 0, 1, 0)
    assert curriculum.lanes(2, 4) == (0, 1, 3, 0)
    assert curriculum.lanes(2, 5) == (0, 1, 3, 1)


def test_nothing_is_shown_of_a_stage_apart_before_it_opens():
    some_apart = Curriculum(STAGES, GATES, frozenset({2}))
    assert [some_apart.lanes(stage, 16) for stage in range(4)] == [
        (12, 4, 0, 0),
        (4, 12, 0, 0),
        (2, 2, 10, 2),
        (2, 2, 2, 10),
    ]


def test_a_stage_alone_has_all_lanes_while_it_is_the_top_one():
    some_alone = Curriculum(STAGES, GATES, alone=frozenset({1, 3}))
    assert [some_alone.lanes(stage, 16) for stage in range(4)] == [
        (12, 4, 0, 0),
        (0, 16, 0, 0),
        (2, 2, 10, 2),
        (0, 0, 0, 16),
    ]


def test_a_single_stage_is_the_task_itself():
    task = STAGES[3]
    alone = Curriculum((task,)).episodes(derive(1, "stage"), 0, 8)
    expected = task.episodes(derive(1, "stage"), 8)
    assert alone.lengths == expected.lengths
    assert all(torch.equal(a, b) for a, b in zip(alone[:3], expected[:3], strict=True))


def test_episodes_are_of_the_stages_that_their_lanes_are_for():
    episodes = curriculum.episodes(derive(1, "stage"), 1, 16)
    easy, top, next_one = (
        episodes.lengths[lanes] for lanes in (slice(2), slice(2, 14), slice(14, 16))
    )
    assert set(easy) == {3}
    assert set(top) <= {3, 5, 7} and len(set(top)) > 1
    assert max(next_one) <= 11
    assert len(episodes.lengths) == episodes.inputs.shape[1] == 16
    again = curriculum.episodes(derive(1, "stage"), 1, 16)
    assert torch.equal(again.inputs, episodes.inputs)


def test_joined_episodes_are_graded_as_they_are_apart():
    apart = [stage.episodes(derive(2, "join", slot=slot), 3) for slot, stage in enumerate(STAGES)]
    together = join(apart)
    assert together.inputs.shape[:2] == (max(len(part.inputs) for part in apart), 12)
    assert together.lengths == sum((part.lengths for part in apart), ())
    logits = torch.from_numpy(derive(2, "logits").normal(tuple(together.targets.shape)))
    graded = grade(together, logits)
    for number, part in enumerate(apart):
        lanes = slice(3 * number, 3 * number + 3)
        alone = grade(part, logits[: len(part.inputs), lanes])
        torch.testing.assert_close(graded.bits[lanes], alone.bits)
        assert torch.equal(graded.wrong_bits[lanes], alone.wrong_bits)
        assert torch.equal(together.inputs[: len(part.inputs), lanes], part.inputs)
        assert not together.inputs[len(part.inputs) :, lanes].any()
        assert not together.scored[len(part.inputs) :, lanes].any()


@pytest.mark.parametrize(
    ("wrong_bits", "opens"), [(0.4, True), (0.5, True), (0.51, False), (math.nan, False)]
)
def test_a_gate_opens_when_the_measure_has_fallen_to_it(wrong_bits, opens):
    assert curriculum.opens(0, {"wrong_bits": wrong_bits, "bits": 9.0}) is opens


def test_all_gates_behind_a_stage_must_open():
    gates = ((Gate("wrong_bits", 0.5), Gate("bits", 2.0)),)
    strict = Curriculum(STAGES[:2], gates)
    assert strict.opens(0, {"wrong_bits": 0.1, "bits": 1.0})
    assert not strict.opens(0, {"wrong_bits": 0.1, "bits": 3.0})


def test_nothing_opens_behind_the_last_stage():
    assert not curriculum.opens(3, {"wrong_bits": 0.0})


def test_a_gate_on_an_unknown_measure_is_refused():
    with pytest.raises(TaskError, match="no measure 'wrong_bit' .* did you mean 'wrong_bits'"):
        Gate("wrong_bit", 0.5).opens({"bits": 1.0, "wrong_bits": 0.0})


@pytest.mark.parametrize("stages", [(), STAGES[:1], STAGES])
def test_a_curriculum_with_a_gate_too_many_or_too_few_is_refused(stages):
    with pytest.raises(TaskError, match=rf"{len(stages)} stages and gates \[1, 1\]"):
        Curriculum(stages, GATES[:2])


def test_a_stage_without_any_gate_behind_it_is_refused():
    with pytest.raises(TaskError, match=r"2 stages and gates \[0\]"):
        Curriculum(STAGES[:2], ((),))


def test_stages_of_different_channels_are_refused():
    wider = make("copy", {"bits": 4})
    with pytest.raises(TaskError, match=r"stage 1 has 2\+1 in and 2 out and stage 2 has 4\+1 in"):
        Curriculum((STAGES[0], wider), GATES[:1])
