"""A world of somebody's own, of which any part may be wrong."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import torch

from evo_ntm.tasks.lives import lives
from evo_ntm.topology import Block


def fallen(shape, **parts):
    """Say where lives stand of which a coin has fallen, and nobody foretold it."""
    missed = {"missed": torch.ones(shape), "reward": torch.zeros(shape)}
    stand = {"done": torch.ones(shape, dtype=torch.bool), "score": torch.zeros(shape)}
    return {**stand, "marks": missed, **parts}


@dataclass(frozen=True)
class Coin:
    """Lives of one step, in which all miss all. Parts may be `wrong` at first, or `then`."""

    wrong: dict = field(default_factory=dict)
    then: dict = field(default_factory=dict)
    name, choice, best = "coin", True, 1.0
    inputs, outputs = (Block(1, 1),), (Block(101, 2),)

    def episodes(self, generator, lanes):
        return lives(self, {"lane": torch.arange(lanes)}, (1,) * lanes)

    def live(self, fates):
        lanes = fates["lane"].shape
        none = {"missed": torch.zeros(lanes), "reward": torch.zeros(lanes)}
        begun = {"done": torch.zeros(lanes, dtype=torch.bool), "score": torch.zeros(lanes)}
        shown = {"observation": torch.zeros(*lanes, 1), "reward": torch.zeros(lanes)}

        def react(answer):
            after = fallen(answer.shape[:-1], **self.then)
            return SimpleNamespace(**{**vars(life), **after})

        life = SimpleNamespace(**{**shown, **begun, "marks": none, "react": react,
                                  "among": lambda index: life, **self.wrong})  # fmt: skip
        return life

    def extent(self):
        return {}

    def with_settings(self, **settings):
        return self
