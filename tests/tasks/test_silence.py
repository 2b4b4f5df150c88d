"""Silent vectors: how a search is shown more of what chance makes rare."""

import pytest

from evo_ntm.seeds import derive
from evo_ntm.tasks import make


@pytest.mark.parametrize("name", ["copy", "mirror_copy", "repeat_copy"])
def test_as_many_vectors_are_silent_as_are_asked_for(name):
    task = make(name, {"bits": 8, "shortest": 10, "longest": 10, "silent": 0.25})
    vectors = task.episodes(derive(3, "test"), 2000).inputs[:10, :, :8]
    share = (vectors.sum(-1) == 0).float().mean().item()
    assert share == pytest.approx(0.25 + 0.75 / 256, abs=0.02)


@pytest.mark.parametrize("name", ["copy", "mirror_copy", "repeat_copy"])
def test_silence_is_the_only_difference(name):
    plain, thinned = (
        make(name, {"bits": 8, "shortest": 10, "longest": 10, "silent": silent})
        .episodes(derive(3, "test"), 50)
        .inputs[:10, :, :8]
        for silent in (0.0, 0.5)
    )
    silent = thinned.sum(-1) == 0
    assert (thinned[~silent] == plain[~silent]).all()
