"""How a search is shown more of what chance makes rare: uneven vectors, and vectors in common."""

import pytest
import torch

from evo_ntm.seeds import derive
from evo_ntm.tasks import make

TASKS = ["copy", "mirror_copy", "repeat_copy"]


def vectors(name, uneven, lanes=2000):
    task = make(name, {"bits": 8, "shortest": 10, "longest": 10, "uneven": uneven})
    return task.episodes(derive(3, "test"), lanes).inputs[:10, :, :8]


@pytest.mark.parametrize("name", TASKS)
def test_any_number_of_ones_is_as_likely_in_uneven_vectors(name):
    counts = torch.bincount(vectors(name, 1.0).sum(-1).long().flatten(), minlength=9) / 20_000
    torch.testing.assert_close(counts, torch.full((9,), 1 / 9), atol=0.01, rtol=0)


@pytest.mark.parametrize("name", TASKS)
def test_as_many_vectors_are_uneven_as_are_asked_for(name):
    silent = (vectors(name, 0.36).sum(-1) == 0).float().mean().item()
    assert silent == pytest.approx(0.36 / 9 + 0.64 / 256, abs=0.005)


@pytest.mark.parametrize("name", TASKS)
def test_all_others_are_as_they_were(name):
    plain, changed = vectors(name, 0.0, lanes=50), vectors(name, 0.5, lanes=50)
    same = (plain == changed).all(-1).float().mean().item()
    assert 0.5 < same < 0.6


def items(vocabulary, lanes=2000):
    told = {"bits": 6, "vectors": 3, "fewest": 6, "most": 6, "vocabulary": vocabulary}
    episodes = make("associative_recall", told).episodes(derive(3, "test"), lanes)
    shown = episodes.inputs[:24, :, :6].unflatten(0, (6, 4))[:, 1:]  # without the flags
    return shown.long() @ (2 ** torch.arange(6))  # [item, vector, lane]


@pytest.mark.parametrize("vocabulary", [2, 3, 8])
def test_a_sequence_has_no_more_vectors_than_its_vocabulary(vocabulary):
    lanes = items(vocabulary).flatten(0, 1).T
    assert max(len(set(lane.tolist())) for lane in lanes) == vocabulary


def test_every_sequence_has_a_vocabulary_of_its_own():
    assert len(items(2).unique()) == 64


def test_items_share_vectors_as_often_as_the_vocabulary_is_small():
    one, other = items(8)[:2]
    same = 1 / 8 + 7 / 8 / 64  # of the vocabulary two may be equal
    assert (one == other).float().mean().item() == pytest.approx(same, abs=0.02)
    one, other = items(None)[:2]
    assert (one == other).float().mean().item() == pytest.approx(1 / 64, abs=0.01)
