"""The hardest sequences: what a machine that is nearly right gets wrong is shown more often.

It is rare by then, and a few random sequences hardly ever show it. So fresh ones are looked through
for those that cost the first machine of the generation most, which is the best so far or near it,
and everybody is scored on these, too. Source: Shrivastava, Gupta and Girshick (2016).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from evo_ntm.evolution.cohort import Rows, gather
from evo_ntm.evolution.evaluate import Chunk, Map, Scores, Trial, answered
from evo_ntm.experiment.evolution import Hardest
from evo_ntm.seeds import derive
from evo_ntm.tasks import Episodes, join_sequences, sequences

PURPOSE = "hardest"
CHOOSE = "choose the hardest"


def with_hardest(
    trial: Trial, settings: Hardest, seed: int, generation: int, jobs: Sequence[Rows], spread: Map
) -> tuple[Trial, int]:
    """Put the hardest of many fresh sequences in the places of as many of a trial.

    Tells also how many sequence-timesteps it took to choose them. Where these could not be looked
    through, as their worker failed, the trial stays as it is.
    """
    many = sequences(trial.task.episodes(derive(seed, PURPOSE, generation), settings.among), CHOOSE)
    first = gather(jobs[:1])
    asked = Chunk(replace(trial, episodes=many), first, 0, 1)
    (found,) = spread(score_lanes, [asked])
    if len(found.fitness) != settings.among:
        return trial, 0
    order = np.argsort(found.fitness, kind="stable")
    hardest = lanes_of(many, order[: settings.episodes].tolist())
    shown = sequences(trial.episodes, CHOOSE)
    others = lanes_of(shown, range(len(shown.lengths) - settings.episodes))
    return replace(trial, episodes=join_sequences([others, hardest])), sum(many.lengths)


def score_lanes(chunk: Chunk) -> Scores:
    """Score the first genome of a chunk, sequence by sequence: a row for each."""
    trial, cohort, start, _ = chunk
    bits = answered(trial, cohort.topology, cohort.weights(start, start + 1)).bits[0]
    worst = torch.nan_to_num(bits.double(), nan=torch.inf)
    return Scores(-worst.cpu().numpy(), {})


def lanes_of(episodes: Episodes, lanes: Sequence[int]) -> Episodes:
    """Keep some lanes, and no step in which all of them have ended."""
    lengths = tuple(episodes.lengths[lane] for lane in lanes)
    index, steps = torch.tensor(lanes), slice(max(lengths))
    inputs, targets, scored = (part[steps, index] for part in episodes[:3])
    return Episodes(inputs, targets, scored, lengths)
