import numpy as np
import pytest

from evo_ntm.reports.explaining.phases import Loop, Phase, plan
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, make
from evo_ntm.topology import Block

INPUT, ANSWER = Phase("input"), Phase("answer")
COPIED = (INPUT, Phase("flag", "end flag", "answer"), ANSWER)
EXPECTED = {
    "copy": (COPIED, ["end flag"], []),
    "mirror_copy": (COPIED, ["end flag"], []),
    "repeat_copy": (COPIED, ["end flag"], ["count"]),
    "priority_sort": (COPIED, ["end flag"], ["priority"]),
    "ngrams": ((INPUT, ANSWER, Phase("rest")), [], []),
    "associative_recall": (
        (
            Loop((Phase("flag", "item flag", "input"), Phase("input", "item flag"))),
            Phase("flag", "query flag", "input"),
            Phase("input", "query flag"),
            Phase("flag", "query flag", "answer"),
            ANSWER,
        ),
        ["item flag", "query flag"],
        [],
    ),
    "entm_copy": (
        (
            Phase("flag", "start", "input"),
            Phase("input", "start"),
            Phase("flag", "delimiter", "answer"),
            ANSWER,
        ),
        ["start", "delimiter"],
        [],
    ),
}


def planned(task, lanes=12):
    episodes = task.episodes(derive(3, "plan"), lanes)
    inputs = episodes.inputs.double().numpy()
    going = np.arange(len(inputs))[:, None] < np.array(episodes.lengths)
    return plan(task.inputs, inputs, episodes.scored.numpy(), going), inputs, going, episodes


@pytest.mark.parametrize("name", TASKS)
def test_the_phases_of_every_task_are_found_from_its_channels(name):
    order, flags, values = EXPECTED[name]
    found, *_ = planned(make(name))
    assert found.order == order
    assert [word for _, word in found.channels.flags] == flags
    assert [word for _, word in found.channels.values] == values


@pytest.mark.parametrize("name", TASKS)
def test_every_step_of_a_sequence_is_in_one_phase(name):
    found, _, going, episodes = planned(make(name))
    assert (sum(mask.astype(int) for mask in found.where.values()) == going).all()
    assert (found.of_kind("answer") == episodes.scored.numpy()).all()
    assert (found.first.sum(0) >= len(found.where) - 1).all()


def test_vectors_come_in_where_they_may_be_blank():
    found, inputs, *_ = planned(make("copy", {"bits": 1, "shortest": 6, "longest": 6}))
    assert found.heard.sum(0).tolist() == [6] * 12
    assert not inputs[found.heard].all()
    found, *_ = planned(make("ngrams"))
    assert found.heard.all()


def test_a_channel_that_is_raised_beside_vectors_is_no_flag():
    inputs = np.zeros((4, 1, 3))
    inputs[0, 0] = inputs[1, 0, 2] = 1
    blocks = (Block(1, 2, name="bits"), Block(2, 1, name="mark"))
    scored = np.array([[False], [False], [False], [True]])
    found = plan(blocks, inputs, scored, np.ones((4, 1), bool))
    assert found.channels.values == ((2, "mark"),)
    assert found.order == (INPUT, ANSWER)


def test_a_task_of_very_many_phases_is_told_in_a_few():
    names = [f"flag {number}" for number in range(15)]
    inputs = np.zeros((31, 1, 17))
    for number in range(15):
        inputs[2 * number, 0, 2 + number] = 1
        inputs[2 * number + 1, 0, :2] = 1
    blocks = (
        Block(1, 2, name="bits"),
        *(Block(2 + n, 1, name=word) for n, word in enumerate(names)),
    )
    scored = np.arange(31)[:, None] == 30
    found = plan(blocks, inputs, scored, np.ones((31, 1), bool))
    assert set(found.where) == {Phase("flag"), INPUT, ANSWER}
    assert found.order == (Loop((Phase("flag"), INPUT)), ANSWER)
