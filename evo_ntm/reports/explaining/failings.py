"""Which sequences a machine answers wrongly, and what they have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo_ntm.evolution.evaluate import Trial
from evo_ntm.reports.explaining.marks import Marks
from evo_ntm.reports.explaining.odds import set_apart
from evo_ntm.reports.explaining.phases import plan
from evo_ntm.reports.explaining.phrases import listed, percent
from evo_ntm.reports.explaining.predicates import OF_ANSWERS, of_answers, predicates, quantities
from evo_ntm.reports.explaining.scene import wide_blocks
from evo_ntm.reports.explanation import Asked, Failing
from evo_ntm.tasks import Episodes
from evo_ntm.tasks.ngrams import NGrams

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

A_BIT = "at least one bit is wrong"
NEARLY_ALL = 0.9
LEAST_WRONG, MOST_WRONG = 50, 0.8
REGRET = 0.75  # of the sequences are answered with less


class Paper(NamedTuple):
    """Sequences of one sort and how they were answered."""

    name: str
    trials: Sequence[Trial]
    marks: Sequence[Marks]


class Measured(NamedTuple):
    """What is known of sequences, and of their answers up to the first wrong one of each.

    `chances` counts these answers, by sequence; `wrong` tells which of them are wrong.
    """

    sequences: dict[str, Numbers]
    chances: Integers
    answers: dict[str, Numbers]
    wrong: Booleans


@dataclass(frozen=True)
class Failings:
    """How many sequences were answered wrongly, what that means, and what these have in common.

    `channels` is a sentence on the channels that wrong bits are in, where these are few.
    """

    wrong_means: str
    asked: tuple[Asked, ...]
    found: tuple[Failing, ...]
    channels: str = ""


def failings(papers: Sequence[Paper]) -> Failings:
    """Look for what sets wrongly answered sequences, and first wrong answers, apart."""
    wrong_means, failed = _failed(papers)
    asked = tuple(
        Asked(paper.name, paper.trials[0].rows, len(wrong), int(wrong.sum()))
        for paper, wrong in zip(papers, failed, strict=True)
    )
    answered = [(trial, marks) for paper in papers
                for trial, marks in zip(paper.trials, paper.marks, strict=True)]  # fmt: skip
    measured = [_measured(trial, marks) for trial, marks in answered]
    chances = np.concatenate([each.chances for each in measured])
    sequences = _pooled([each.sequences for each in measured])
    contrasts = set_apart(np.concatenate(failed), predicates(sequences),
                          chances if wrong_means == A_BIT else None)  # fmt: skip
    found = [Failing(*contrast) for contrast in contrasts]
    if wrong_means != A_BIT:
        return Failings(wrong_means, asked, tuple(found), _channels(papers))
    answers = _pooled([each.answers for each in measured])
    wrong = np.concatenate([each.wrong for each in measured])
    for contrast in set_apart(wrong, predicates(answers, OF_ANSWERS)):
        found.append(Failing(*contrast, of="answers"))
    return Failings(wrong_means, asked, tuple(found), _channels(papers))


def _channels(papers: Sequence[Paper]) -> str:
    """Name the blocks and channels of the answers that wrong bits are in, where these are few."""
    outputs = papers[0].trials[0].task.outputs
    names = [f"{block.name.replace('bits', 'bit')} {number + 1}" if block.size > 1 else block.name
             for block in outputs for number in range(block.size)]  # fmt: skip
    counts = np.sum([marks.channels for marks in papers[0].marks], axis=0)
    steps = sum(int(trial.sequences.scored.sum()) for trial in papers[0].trials)
    if len(outputs) > 1 and counts.sum():
        ends = np.cumsum([0, *(block.size for block in outputs)])
        shares = [f"{percent(counts[begun:end].sum() / (steps * (end - begun)))} of {block.name}"
                  for block, begun, end in zip(outputs, ends, ends[1:], strict=False)]  # fmt: skip
        return f"Wrong are {listed(shares)}."
    order = np.argsort(-counts, kind="stable")
    few = order[: 1 + int(np.argmax(counts[order].cumsum() >= MOST_WRONG * counts.sum()))]
    if counts.sum() < LEAST_WRONG or len(few) > len(names) / 3:
        return ""
    told = listed([f"{names[channel]} ({percent(counts[channel] / counts.sum())})"
                   for channel in few])  # fmt: skip
    return f"Most of its wrong bits are in {told}."


def _failed(papers: Sequence[Paper]) -> tuple[str, list[Booleans]]:
    """Decide which sequences count as answered wrongly: where nearly all are, the worse half."""
    if isinstance(papers[0].trials[0].task, NGrams):
        regrets = [_regret(paper) for paper in papers]
        failed = [regret > np.quantile(regret, REGRET) for regret in regrets]
        return "it costs more beyond the best learner than three quarters of them", failed
    wrong = [np.concatenate([marks.wrong_bits for marks in paper.marks]) for paper in papers]
    failed = [bits > 0 for bits in wrong]
    if np.concatenate(failed).mean() <= NEARLY_ALL:
        return A_BIT, failed
    shares = [
        bits / np.maximum(_asked_bits(paper), 1) for bits, paper in zip(wrong, papers, strict=True)
    ]
    return "a greater share of its bits is wrong than in half of them", [
        share > np.median(share) for share in shares
    ]


def _regret(paper: Paper) -> Numbers:
    costs = []
    for trial, marks in zip(paper.trials, paper.marks, strict=True):
        assert isinstance(trial.task, NGrams)
        costs.append(marks.bits - trial.task.optimal_bits(trial.sequences).numpy())
    return np.concatenate(costs)


def _asked_bits(paper: Paper) -> Numbers:
    counts = [trial.sequences.scored.numpy().sum(0) * trial.sequences.targets.shape[-1]
              for trial in paper.trials]  # fmt: skip
    return np.concatenate(counts)


def _measured(trial: Trial, marks: Marks) -> Measured:
    task, (inputs, targets, scored, going) = trial.task, _arrays(trial.sequences)
    found = plan(task.inputs, inputs, scored, going)
    places = [place for _, place in wide_blocks(task.outputs)]
    of_each = of_answers(found, inputs, targets, scored, places)
    others = np.delete(targets, np.r_[tuple(places)], axis=-1)
    marked: Booleans = np.any(others > 0.5, axis=-1)
    before = marks.steps.cumsum(0) - marks.steps
    counts = scored & (before == 0)
    return Measured(
        quantities(found, inputs, scored, marked),
        counts.sum(0),
        {name: numbers[counts] for name, numbers in of_each.items()},
        marks.steps[counts],
    )


def _arrays(episodes: Episodes) -> tuple[Numbers, Numbers, Booleans, Booleans]:
    inputs, targets = (part.double().numpy() for part in episodes[:2])
    going = np.arange(len(inputs))[:, None] < np.array(episodes.lengths)
    return inputs, targets, episodes.scored.numpy(), going


def _pooled(parts: Sequence[Mapping[str, Numbers]]) -> dict[str, Numbers]:
    """Put the same quantities of all parts together; what a part has not is unknown."""
    names = list(dict.fromkeys(name for part in parts for name in part))
    counts = [len(next(iter(part.values()))) for part in parts]
    return {
        name: np.concatenate([part.get(name, np.full(count, np.nan))
                              for part, count in zip(parts, counts, strict=True)])
        for name in names
    }  # fmt: skip
