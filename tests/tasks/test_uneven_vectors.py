"""Uneven vectors: how a search is shown more of what chance makes rare."""

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
