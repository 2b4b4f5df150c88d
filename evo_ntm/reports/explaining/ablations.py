"""What the parts of a machine are worth: its cost without each, on the same sequences."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evo_ntm.evolution.evaluate import Trial
from evo_ntm.genome import Genome
from evo_ntm.genome.ablation import STAGES, ablate, parts
from evo_ntm.reports.explaining.marks import Marks, Spread, marks
from evo_ntm.reports.explanation import Ablation
from evo_ntm.tasks import constant_cost
from evo_ntm.tasks.ngrams import NGrams
from evo_ntm.topology import Topology

Numbers = NDArray[np.float64]

SURE = 1.96  # standard errors either way hold 95 %
WORTH = 0.01  # of what a constant answer costs; less is not worth telling


def ablations(genome: Genome, trials: Sequence[Trial], spread: Spread) -> tuple[Ablation, ...]:
    """Take every part away in turn, and tell what it costs, what matters first.

    A part matters where cost or wrong bits are surely more without it, by some part of what the
    task asks: an evolved machine is so sure of itself that its wrong answers may cost more than
    none at all.
    """
    names = _names(genome.topology)
    everyone = [genome, *(ablate(genome, part) for part in names)]
    whole, *less = [_paper(given) for given in marks(everyone, trials, spread)]
    counts = [len(trial.episodes.lengths) for trial in trials]
    chance = float(np.average([constant_cost(t.sequences) for t in trials], weights=counts))
    # Where nobody can know the answer, an honest one may well be wrong.
    by_wrong = not any(isinstance(trial.task, NGrams) for trial in trials)
    told = [
        _ablation(name, whole, each, chance, by_wrong=by_wrong)
        for name, each in zip(names.values(), less, strict=True)
    ]
    return tuple(sorted(told, key=lambda each: (not each.matters, -each.loss, each.part)))


def interval(differences: Numbers) -> tuple[float, float, float]:
    """Give the mean of paired differences, and between which two numbers it is with 95 %."""
    mean = float(differences.mean())
    if not np.isfinite(mean) or len(differences) < 2:
        return mean, mean, mean
    half = SURE * float(differences.std(ddof=1)) / len(differences) ** 0.5
    return mean, mean - half, mean + half


def _paper(given: Sequence[Marks]) -> tuple[Numbers, Numbers]:
    bits, wrong = ([each.bits for each in given], [each.wrong_bits for each in given])
    return np.concatenate(bits), np.concatenate(wrong).astype(np.float64)


def _ablation(
    name: str,
    whole: tuple[Numbers, Numbers],
    less: tuple[Numbers, Numbers],
    chance: float,
    *,
    by_wrong: bool,
) -> Ablation:
    with np.errstate(invalid="ignore"):  # where both are infinite
        (loss, low, high), (worse, surely, _) = (
            interval(one - other) for one, other in zip(less, whole, strict=True)
        )
    # A constant answer that costs a bit a bit has every second one wrong.
    dearer = low > 0 and loss > WORTH * chance
    wronger = by_wrong and surely > 0 and worse > WORTH * chance / 2
    bits, wrong, with_it = (float(each.mean()) for each in (*less, whole[1]))
    return Ablation(name, bits, wrong, with_it, loss, low, high, dearer or wronger)


def _names(topology: Topology) -> dict[str, str]:
    """Name the parts in words; one that is the same as a smaller one is left out."""
    names = {f"head {head.birth}": head.name for head in topology.heads}
    kinds = {"reads": topology.readers, "writes": topology.writers}
    found = {}
    for part in parts(topology):
        head, _, stage = part.rpartition(" ")
        alone = sum(getattr(h.stages, stage) for h in topology.heads) if stage in STAGES else 0
        if len(kinds.get(part, ())) == 1 or (head in names and alone == 1):
            continue
        found[part] = f"{names[head]} {stage}" if head in names else names.get(part, part)
    return found
