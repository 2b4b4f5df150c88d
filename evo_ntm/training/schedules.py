"""How the step size changes while a machine is trained."""

import math

from evo_ntm.experiment.finetune import Finetune


def rate(settings: Finetune, step: int) -> float:
    """Give the step size of a step, counted from 0.

    It rises evenly over the warm-up, and then stays, or falls evenly or along half a cosine
    (Loshchilov & Hutter, 2017), so that it would be 0 one step after the last.
    """
    full = settings.own("learning_rate")
    if step < settings.warmup:
        return full * (step + 1) / (settings.warmup + 1)
    gone = (step - settings.warmup) / (settings.steps - settings.warmup)
    if settings.schedule == "linear":
        return full * (1 - gone)
    if settings.schedule == "cosine":
        return full * (1 + math.cos(math.pi * gone)) / 2
    return full
