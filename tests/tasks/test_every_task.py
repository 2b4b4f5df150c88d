"""The contract that every task keeps."""

import hashlib

import pytest
import torch

from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, KnownTask, constant_cost, grade, make, measures
from tests.tasks import reference

SMALL = {
    "copy": {"bits": 3, "shortest": 1, "longest": 4},
    "mirror_copy": {"bits": 3, "shortest": 2, "longest": 5},
    "repeat_copy": {"bits": 2, "shortest": 1, "longest": 3, "fewest": 1, "most": 4},
    "associative_recall": {"bits": 4, "vectors": 2, "fewest": 2, "most": 5},
    "ngrams": {"steps": 40, "context": 3},
    "priority_sort": {"bits": 3, "items": 6, "answers": 4},
    "entm_copy": {"bits": 3, "shortest": 1, "longest": 4},
}
EXTENTS = {
    "copy": {"length": [1, 4]},
    "mirror_copy": {"length": [2, 5]},
    "repeat_copy": {"length": [1, 3], "repeats": [1, 4]},
    "associative_recall": {"items": [2, 5]},
    "ngrams": {"steps": 40},
    "priority_sort": {"items": 6},
    "entm_copy": {"length": [1, 4]},
}
# An episode must be the same for ever, or no published figure can be measured again.
DIGESTS = {
    "copy": "84656f575b75a3d6",
    "mirror_copy": "8b578ce2bf114717",
    "repeat_copy": "e2eb8b56b348efbb",
    "associative_recall": "79354b921c1ad898",
    "ngrams": "839d7d62db52e576",
    "priority_sort": "fe358d331023bf6a",
    "entm_copy": "59b09c01bc80e62c",
}
LARGE = 50.0
both_sizes = pytest.mark.parametrize("settings", [None, "small"], ids=["as in the paper", "small"])
every_task = pytest.mark.parametrize("name", TASKS)


def task_of(name, settings):
    return make(name, SMALL[name] if settings else None)


def episodes_of(task, *, seed=1, lanes=7):
    return task.episodes(derive(seed, "test"), lanes)


@every_task
@both_sizes
def test_a_task_keeps_the_protocol(name, settings):
    task = task_of(name, settings)
    assert isinstance(task, KnownTask)
    assert task.name == name


@every_task
@both_sizes
def test_episodes_are_those_of_the_reference(name, settings):
    task = task_of(name, settings)
    episodes = episodes_of(task)
    scripts = getattr(reference, name)(task.settings, derive(1, "test"), 7)
    assert episodes.lengths == tuple(map(len, scripts))
    assert len(episodes.inputs) == max(episodes.lengths)
    for lane, script in enumerate(scripts):
        for step in range(len(episodes.inputs)):
            shown, asked = script[step] if step < len(script) else (None, None)
            blank = torch.zeros(episodes.inputs.shape[-1])
            expected = blank if shown is None else torch.tensor(shown, dtype=torch.float32)
            torch.testing.assert_close(episodes.inputs[step, lane], expected, rtol=0, atol=1e-7)
            assert bool(episodes.scored[step, lane]) == (asked is not None)
            answer = asked or [0] * episodes.targets.shape[-1]
            assert episodes.targets[step, lane].tolist() == answer


def test_episodes_of_a_sort_that_comes_in_order_are_those_of_the_reference():
    task = make("priority_sort", {**SMALL["priority_sort"], "in_order": 0.5})
    episodes = episodes_of(task)
    scripts = reference.priority_sort(task.settings, derive(1, "test"), 7)
    for lane, script in enumerate(scripts):
        for step, (shown, asked) in enumerate(script):
            expected = torch.tensor(shown, dtype=torch.float32)
            torch.testing.assert_close(episodes.inputs[step, lane], expected, rtol=0, atol=1e-7)
            answer = asked or [0] * episodes.targets.shape[-1]
            assert episodes.targets[step, lane].tolist() == answer


@every_task
@both_sizes
def test_channels_fit_the_blocks(name, settings):
    task = task_of(name, settings)
    episodes = episodes_of(task)
    assert episodes.inputs.shape[1:] == (7, sum(block.size for block in task.inputs))
    assert episodes.targets.shape[1:] == (7, sum(block.size for block in task.outputs))
    assert episodes.scored.shape == episodes.inputs.shape[:2] == episodes.targets.shape[:2]
    assert episodes.inputs.dtype == episodes.targets.dtype == torch.float32
    assert [block.birth for block in task.inputs] == list(range(1, len(task.inputs) + 1))
    assert [block.birth for block in task.outputs] == list(range(101, len(task.outputs) + 101))


@every_task
def test_exchangeable_bits_are_marked_and_all_else_is_not(name):
    task = make(name)
    marked = {block.name for block in (*task.inputs, *task.outputs) if block.per_bit}
    expected = {
        "mirror_copy": {"bits", "bits forwards", "bits backwards"},
        "ngrams": set(),
    }
    assert marked == expected.get(name, {"bits"})
    alone = [block for block in (*task.inputs, *task.outputs) if not block.per_bit]
    assert all(block.size == 1 and block.name for block in alone)


@every_task
def test_the_same_seed_gives_the_same_episodes_and_another_seed_does_not(name):
    task = make(name, SMALL[name])
    first, again, other = (episodes_of(task, seed=seed) for seed in (1, 1, 2))
    assert first.lengths == again.lengths
    assert all(torch.equal(a, b) for a, b in zip(first[:3], again[:3], strict=True))
    assert first.lengths != other.lengths or not torch.equal(first.inputs, other.inputs)


@every_task
def test_episodes_never_change_between_versions(name):
    episodes = episodes_of(make(name))
    told = b"".join(tensor.numpy().tobytes() for tensor in episodes[:3])
    assert hashlib.blake2b(told, digest_size=8).hexdigest() == DIGESTS[name]


@every_task
@both_sizes
def test_nothing_is_shown_or_scored_after_the_end(name, settings):
    episodes = episodes_of(task_of(name, settings), lanes=30)
    for lane, length in enumerate(episodes.lengths):
        assert not episodes.inputs[length:, lane].any()
        assert not episodes.targets[length:, lane].any()
        assert not episodes.scored[length:, lane].any()
        assert episodes.scored[:length, lane].any()
    assert not episodes.targets[~episodes.scored].any()


@every_task
@both_sizes
def test_its_own_targets_solve_it(name, settings):
    episodes = episodes_of(task_of(name, settings))
    grades = grade(episodes, LARGE * (2 * episodes.targets - 1))
    assert not grades.wrong_bits.any()
    assert grades.bits.max() < 1e-6
    opposite = grade(episodes, LARGE * (1 - 2 * episodes.targets))
    asked = episodes.scored.sum(0) * episodes.targets.shape[-1]
    torch.testing.assert_close(opposite.wrong_bits, asked.float())


@every_task
def test_no_constant_answer_solves_it(name):
    episodes = episodes_of(make(name), lanes=200)
    asked = int(episodes.scored.sum()) * episodes.targets.shape[-1] / 200
    cost = constant_cost(episodes)
    assert 0.3 * asked < cost <= asked


@every_task
def test_it_tells_its_extent(name):
    assert make(name, SMALL[name]).extent() == EXTENTS[name]


@every_task
def test_settings_may_be_overridden(name):
    small = make(name).with_settings(**SMALL[name])
    assert small == make(name, SMALL[name])
    assert small.settings.model_dump().items() >= SMALL[name].items()
    assert small.with_settings() == small


@every_task
def test_its_measures_are_one_number_a_genome(name):
    task = make(name, SMALL[name])
    episodes = episodes_of(task)
    logits = torch.zeros(len(episodes.inputs), 5, *episodes.targets.shape[1:])
    told = measures(task, episodes, grade(episodes, logits))
    assert {"bits", "wrong_bits"} <= told.keys()
    assert all(values.shape == (5,) and values.dtype == torch.float32 for values in told.values())
