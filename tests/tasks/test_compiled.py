"""A compiled world is the one that torch computes, bit by bit."""

import pytest
import torch

from evo_ntm.seeds import derive
from evo_ntm.tasks import compiled
from evo_ntm.tasks.t_maze import TMaze

pytestmark = pytest.mark.skipif(compiled.load() is None, reason="installed without a compiler")


def wandering(life, drawn, population):
    """Prefer where there is room; now and then so loud that two turns are told alike."""
    room = life.observation[..., :3]
    noise = torch.from_numpy(drawn.normal((*population, room.shape[-2], 3))).float()
    return (room + 0.2 * noise) * (3 if float(drawn.random()) < 0.7 else 120)


@pytest.mark.parametrize("population", [(), (4,)], ids=["one", "four"])
@pytest.mark.parametrize(
    "settings",
    [
        {"maze": "double", "trials": 1},
        {"maze": "single", "trials": 2, "turn_signal": False, "turn": 45.0},
    ],
    ids=["double", "single"],
)
def test_a_compiled_maze_is_that_of_torch(settings, population, monkeypatch):
    program, task = compiled.load(), TMaze().with_settings(**settings)
    (share,) = task.episodes(derive(1, "test"), 12).shares
    drawn, life = derive(2, "turns"), task.live(share.fates)
    for _ in range(max(share.lengths)):
        monkeypatch.setattr(compiled, "load", lambda: None)
        seen, answer = life.observation, wandering(life, drawn, population)
        after = life.react(answer)
        monkeypatch.setattr(compiled, "load", lambda: program)
        assert torch.equal(life.observation, seen)
        life = life.react(answer)
        for name, part in life.stand._asdict().items():
            assert torch.equal(part, getattr(after.stand, name).expand_as(part)), name
    assert life.done.all() and not life.observation.any()
    assert life.stand.sound.any()


def test_a_program_of_another_format_is_not_used(monkeypatch):
    monkeypatch.setattr(compiled, "FORMAT", 99)
    assert compiled.load.__wrapped__() is None
    monkeypatch.setattr(compiled, "PROGRAM", "evo_ntm.tasks._nowhere")
    assert compiled.load.__wrapped__() is None
