import numpy as np
import pytest
import torch

from evo_ntm.reports.explaining.phases import plan
from evo_ntm.reports.explaining.predicates import OF_ANSWERS, of_answers, predicates, quantities
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, Episodes, make
from evo_ntm.topology.parts import total

BITS = 4


def copied(*sequences):
    """Lay sequences of vectors, each written as digits, out as copy does."""
    lanes = []
    for words in sequences:
        vectors = torch.tensor([[int(digit) for digit in word] for word in words]).float()
        blank, flag = torch.zeros(len(words), BITS + 1), torch.zeros(1, BITS + 1)
        flag[0, -1] = 1
        shown = torch.cat([vectors, torch.zeros(len(words), 1)], 1)
        targets = torch.cat([torch.zeros(len(words) + 1, BITS), vectors])
        lanes.append((torch.cat([shown, flag, blank]), targets))
    steps = max(len(inputs) for inputs, _ in lanes)
    pad = torch.nn.utils.rnn.pad_sequence
    inputs, targets = (pad(each) for each in zip(*lanes, strict=True))
    lengths = [len(each) for each, _ in lanes]
    step = torch.arange(steps)[:, None]
    halves = torch.tensor([len(words) for words in sequences])
    scored = (step > halves) & (step < torch.tensor(lengths))
    return Episodes(inputs, targets, scored, tuple(lengths))


def planned(task, episodes):
    inputs, targets = (part.double().numpy() for part in episodes[:2])
    going = np.arange(len(inputs))[:, None] < np.array(episodes.lengths)
    scored = episodes.scored.numpy()
    return plan(task.inputs, inputs, scored, going), inputs, targets, scored


def asked(*sequences):
    task = make("copy", {"bits": BITS})
    found, inputs, _, scored = planned(task, copied(*sequences))
    return {
        told: has.tolist() for told, has in predicates(quantities(found, inputs, scored)).items()
    }


@pytest.mark.parametrize(
    "told, with_it, without",
    [
        ("contains an all-zero vector", ["1001", "0000", "1000"], ["1001", "0001"]),
        ("begins with an all-zero vector", ["0000", "1110"], ["1110", "0000"]),
        ("ends with an all-zero vector", ["1110", "0000"], ["0000", "1110"]),
        ("contains at least 2 all-zero vectors", ["0000", "1110", "0000"], ["0000", "1110"]),
        ("contains a vector with at most 1 ones", ["1110", "0100"], ["1110", "1100"]),
        ("contains a vector with at most 2 ones", ["1110", "0110"], ["1110", "1101"]),
        ("contains two equal vectors in succession", ["1001", "1001"], ["1001", "1000", "1001"]),
        ("contains a vector more than once", ["1001", "1000", "1001"], ["1001", "1000"]),
        ("has at least 3 vectors", ["1001", "1000", "1001"], ["1001", "1000"]),
        ("has at most 2 vectors", ["1001", "1000"], ["1001", "1000", "1001"]),
        ("contains a vector with at least 4 ones", ["1111", "0001"], ["0111", "0001"]),
        ("shows a bit unchanged at least 3 times in succession",
         ["1001", "1110", "1100"], ["1001", "0110", "1001"]),
    ],
)  # fmt: skip
def test_a_question_is_answered_by_the_sequence(told, with_it, without):
    assert asked(with_it, without)[told] == [True, False]


def of_each(*sequences):
    task = make("copy", {"bits": BITS})
    found, inputs, targets, scored = planned(task, copied(*sequences))
    measured = of_answers(found, inputs, targets, scored, [slice(0, BITS)])
    at = {name: numbers.T[scored.T] for name, numbers in measured.items()}  # lane by lane
    return {told: has.astype(int).tolist() for told, has in predicates(at, OF_ANSWERS).items()}


def test_questions_to_answers_are_answered_in_their_order():
    told = of_each(["1001", "0000", "0000", "1100"], ["0100", "0100"])
    assert told["the vector asked for is all zeros"] == [0, 1, 1, 0, 0, 0]
    assert told["the vector asked for before is all zeros"] == [0, 0, 1, 1, 0, 0]
    assert told["the vector asked for is the same as before"] == [0, 0, 1, 0, 0, 1]
    assert told["the vector asked for came in more than once"] == [0, 1, 1, 0, 1, 1]
    assert told["it is the first answer"] == [1, 0, 0, 0, 1, 0]
    assert told["it is the last answer"] == [0, 0, 0, 1, 0, 1]
    assert told["it is answer 3 or a later one"] == [0, 0, 1, 1, 0, 0]
    assert told["the vector asked for has bit 1 set and bit 2 unset"] == [1, 0, 0, 0, 0, 0]
    assert told["the vector asked for has bits 1 and 4 that differ"] == [0, 0, 0, 1, 0, 0]
    assert told["the vector asked for has at most 1 ones"] == [0, 1, 1, 0, 1, 1]


def test_items_are_found_behind_their_flags():
    task = make("associative_recall", {"bits": 3, "vectors": 2, "fewest": 2, "most": 5})
    episodes = task.episodes(derive(1, "items"), 300)
    found, inputs, _, scored = planned(task, episodes)
    measured = quantities(found, inputs, scored)
    flags = inputs[..., 3].sum(0)
    assert (measured["items"] == flags).all()
    assert (measured["length"] == 2 * flags + 2).all()
    place = measured["asked item"]
    unsure = (measured["equal items"] > 0) | np.isnan(place)
    for lane in np.flatnonzero(~unsure):
        shown = inputs[:, lane, :3][inputs[:, lane, 3:].sum(-1) == 0]
        item = int(place[lane]) - 1
        answer = shown[2 * item : 2 * item + 2]
        assert (answer == episodes.targets[:, lane][episodes.scored[:, lane]].numpy()).all()
    assert (unsure.mean() < 0.5) and (measured["from the end"][~unsure] >= 0).all()


def test_what_is_asked_for_several_times_is_counted_without_the_mark_at_the_end():
    task = make("repeat_copy", {"bits": 3, "shortest": 1, "longest": 4, "fewest": 2, "most": 5})
    found, inputs, targets, scored = planned(task, task.episodes(derive(1, "turns"), 60))
    turns = quantities(found, inputs, scored, targets[..., 3] > 0.5)["turns"]
    told = inputs[..., 4].sum(0) * 2.872 + 5.5
    assert turns == pytest.approx(told, abs=1e-5) and set(turns) == {2, 3, 4, 5}


def test_priorities_that_are_near_each_other_are_seen():
    task = make("priority_sort", {"bits": 3, "items": 5, "answers": 3})
    found, inputs, _, scored = planned(task, task.episodes(derive(1, "gap"), 50))
    gap = quantities(found, inputs, scored)["gap of priority"]
    sorted_ = np.sort(inputs[:5, :, 3], axis=0)
    assert gap == pytest.approx(np.diff(sorted_, axis=0).min(0))
    told = predicates({"gap of priority": gap})
    assert all(words.startswith("has two values of priority within 0.") for words in told)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_can_be_asked(name):
    task = make(name)
    found, inputs, targets, scored = planned(task, task.episodes(derive(1, "asked"), 20))
    told = predicates(quantities(found, inputs, scored))
    places = [slice(0, total(task.inputs[:1]))]
    measured = of_answers(found, inputs, targets, scored, places)
    told |= predicates({key: numbers[scored] for key, numbers in measured.items()}, OF_ANSWERS)
    assert told and not any("{" in words for words in told)
