"""The hardest episodes: what a machine that is nearly right gets wrong is shown more often.

It is rare by then, and a few random episodes hardly ever show it. So fresh ones are looked through
for those that cost the first machine of the generation most, which is the best so far or near it,
and everybody is scored on these, too. Source: Shrivastava, Gupta and Girshick (2016).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evo_ntm.evolution.cohort import Rows, gather
from evo_ntm.evolution.evaluate import Chunk, Map, Trial, score_chunk
from evo_ntm.experiment.evolution import Hardest
from evo_ntm.seeds import derive
from evo_ntm.tasks import draw, join, pick

PURPOSE = "hardest"


def with_hardest(
    trial: Trial, settings: Hardest, seed: int, generation: int, jobs: Sequence[Rows], spread: Map
) -> tuple[Trial, int]:
    """Put the hardest of many fresh episodes in the places of as many of a trial, the last ones.

    In a curriculum these are those that show the next stage ahead, of which fewer are left then.
    Tells also how many timesteps it took to choose them. Where these could not be looked
    through, as their worker failed, the trial stays as it is.
    """
    many = draw(trial.task, derive(seed, PURPOSE, generation), settings.among)
    asked = Chunk(replace(trial, episodes=many, each=True), gather(jobs[:1]), 0, 1)
    (found,) = spread(score_chunk, [asked])
    if found.worths is None or (found.failures and found.reasons):
        return trial, 0
    order = np.argsort(found.worths[0], kind="stable")
    hardest = pick(many, order[: settings.episodes].tolist())
    others = pick(trial.episodes, range(len(trial.episodes.lengths) - settings.episodes))
    return replace(trial, episodes=join([others, hardest])), sum(many.lengths)
