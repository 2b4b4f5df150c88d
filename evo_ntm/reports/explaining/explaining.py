"""An explanation of one machine, made of traces, ablations and the sequences it fails on."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from evo_ntm.errors import ReportError
from evo_ntm.evolution.evaluate import Trial
from evo_ntm.evolution.exam import Questions, prepare
from evo_ntm.evolution.fitting import express, for_the_task
from evo_ntm.evolution.workers import Local
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.exam import Part
from evo_ntm.genome import Genome
from evo_ntm.machine import Backend
from evo_ntm.reports.explaining.ablations import ablations
from evo_ntm.reports.explaining.behaviour import behaviours
from evo_ntm.reports.explaining.deviations import deviations
from evo_ntm.reports.explaining.evidence import evidence
from evo_ntm.reports.explaining.failings import Paper, failings
from evo_ntm.reports.explaining.marks import Spread, marks
from evo_ntm.reports.explaining.program import Cast, program
from evo_ntm.reports.explaining.scene import Scene, scene
from evo_ntm.reports.explaining.summary import Standing, summary
from evo_ntm.reports.explaining.traces import Traces, trace
from evo_ntm.reports.explanation import Ablation, Explanation
from evo_ntm.reports.observation import MOST_STEPS
from evo_ntm.seeds import derive
from evo_ntm.tasks import Episodes, Task, constant_cost, draw, join_sequences, make, sequences
from evo_ntm.tasks.ngrams import NGrams
from evo_ntm.topology import Topology

SEQUENCES, FEWEST, STEPS = 2048, 64, 600_000
ABLATED = 512  # of them
WATCHED, MOST_WRONG, LEAST_WRONG = 96, 48, 8
NOTHING = ("no stable pattern helps yet: there is no program to tell",)

Progress = Callable[[str], None]


def explain(
    genome: Genome,
    experiment: Experiment,
    *,
    task: Task | None = None,
    backend: Backend | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Say in words what a genome does on the task of an experiment.

    It is asked sequences as it evolved with, and those of the exam. `progress` hears what is being
    measured. Raises ReportError where the genome is not for the task's channels, TaskError where
    the task cannot be as the exam asks.
    """
    tell = progress or (lambda _: None)
    task = make(experiment.task, experiment.with_) if task is None else task
    genome = for_the_task(genome, task)
    if genome.topology.tape_heads:
        raise ReportError("expected readers and writers to explain, but this machine has a tape: "
                          "evo-ntm show draws what its heads do")  # fmt: skip
    epsilon, rows = experiment.machine.epsilon, experiment.exam.parts[0].rows
    parts = _parts(experiment, rows, _sequences(task, seed))
    with Local(threads, backend) as local:
        tell("where it fails")
        own = prepare(parts, task, f"explain {seed}", epsilon=epsilon, backend=local.backend)
        exam = prepare(experiment.exam.parts, task, "exam", epsilon=epsilon, backend=local.backend)
        papers = [_answered(genome, each, local.map) for each in (*own, *exam)]
        found = failings(papers)
        tell("what its parts are worth")
        worth = ablations(genome, _some(own[0].trials), local.map)
        tell("what its heads do")
        right, wrong = (_watched(genome, task, papers[0], wrong=wrong, spread=local.map)
                        for wrong in (False, True))  # fmt: skip
    standing = _standing(papers[0])
    seen = right or _watched(genome, task, papers[0], wrong=None, spread=map)
    assert seen is not None
    shown = _shown(genome.topology, worth) if standing.learned else seen.names
    cast = Cast(seen, behaviours(seen), shown, _from_reads(genome, worth))
    otherwise = deviations(right, wrong, shown) if right and wrong and standing.learned else []
    return Explanation(
        summary=(*summary(cast, worth, found, standing), *otherwise),
        program=program(cast) if standing.learned else NOTHING,
        evidence=(_watch(cast, right is not None), *evidence(cast, worth)),
        ablations=worth,
        sequences=sum(part.sequences for part in found.asked),
        wrong_sequences=sum(part.wrong_sequences for part in found.asked),
        failings=found.found if standing.learned else (),
        rows=rows,
        asked=found.asked,
        wrong_means=found.wrong_means,
    )


def _sequences(task: Task, seed: int) -> int:
    """Choose how many sequences to ask. Raises ReportError where they are too long."""
    some = sequences(draw(task, derive(seed, "explain"), FEWEST), "explain how")
    steps = len(some.inputs)
    if steps > MOST_STEPS:
        raise ReportError(f"expected sequences of at most {MOST_STEPS} steps to explain, "
                          f"but they have {steps}")  # fmt: skip
    return min(SEQUENCES, max(FEWEST, STEPS // steps))


def _watched(
    genome: Genome, task: Task, paper: Paper, *, wrong: bool | None, spread: Spread
) -> Scene | None:
    """Watch the heads on sequences that are answered wrongly, or right, or on any (None).

    None where there are too few of them; right ones that are few would be no fair sample.
    """
    failed = np.concatenate([given.wrong_bits > 0 for given in paper.marks])
    chosen = np.arange(len(failed)) if wrong is None else np.flatnonzero(failed == wrong)
    least = {None: 0, False: len(failed) / 2, True: LEAST_WRONG}[wrong]
    if len(chosen) < least:
        return None
    trial, lanes = paper.trials[0], len(paper.trials[0].episodes.lengths)
    some = [_sequence(paper.trials[number // lanes].sequences, number % lanes)
            for number in chosen[: MOST_WRONG if wrong else WATCHED].tolist()]  # fmt: skip

    def watch(episodes: Episodes) -> Traces:
        return trace(genome, episodes, rows=trial.rows, epsilon=trial.epsilon)

    [traces] = spread(watch, [join_sequences(some)])
    return scene(traces, task)


def _sequence(episodes: Episodes, lane: int) -> Episodes:
    """Take one sequence of several, without the blanks behind it."""
    length = episodes.lengths[lane]
    inputs, targets, scored = (part[:length, lane : lane + 1] for part in episodes[:3])
    return Episodes(inputs, targets, scored, (length,))


def _watch(cast: Cast, right: bool) -> str:
    traces = cast.scene.traces
    which = " that it answers right" if right else ""
    return (f"It was watched on {traces.scored.shape[1]} sequences{which}, with {traces.rows} rows "
            "of memory, which form a ring.")  # fmt: skip


def _parts(experiment: Experiment, rows: int, sequences: int) -> list[Part]:
    """Ask sequences of the task, and of the last stage of the curriculum if there is one."""
    sets: list[tuple[str, int, Mapping[str, object]]] = [("the task", sequences, {})]
    if experiment.curriculum and (changes := experiment.curriculum[-1].with_):
        sets.append(("the last stage of training", sequences // 2, changes))
    return [Part.model_validate({"name": name, "rows": rows, "sequences": count, "with": changes})
            for name, count, changes in sets]  # fmt: skip


def _from_reads(genome: Genome, worth: Sequence[Ablation]) -> bool:
    """Tell whether answers come from what is read: whether it matters."""
    readers = {"reads", *(head.name for head in genome.topology.readers)}
    return any(ablation.matters and ablation.part in readers for ablation in worth)


def _some(trials: Sequence[Trial]) -> Sequence[Trial]:
    return trials[: max(1, ABLATED // len(trials[0].episodes.lengths))]


def _answered(genome: Genome, asked: Questions, spread: Spread) -> Paper:
    [given] = marks([express(genome, asked.task)], asked.trials, spread)
    return Paper(asked.part.name, asked.trials, given)


def _standing(paper: Paper) -> Standing:
    counts = [len(trial.episodes.lengths) for trial in paper.trials]
    chance = np.average([constant_cost(t.sequences) for t in paper.trials], weights=counts)
    bits = np.concatenate([given.bits for given in paper.marks])
    wrong = np.concatenate([given.wrong_bits for given in paper.marks])
    due = torch.cat([t.sequences.targets[t.sequences.scored] for t in paper.trials])
    ones = due.double().mean(0).numpy()
    asked = due.numel()
    best = [trial.task.optimal_bits(trial.sequences).numpy() for trial in paper.trials
            if isinstance(trial.task, NGrams)]  # fmt: skip
    return Standing(
        bits=float(bits.mean()),
        chance=float(chance),
        wrong=float(wrong.sum() / max(asked, 1)),
        wrong_by_chance=float(np.minimum(ones, 1 - ones).mean()),
        wrong_bits=float(wrong.mean()),
        best=float(np.concatenate(best).mean()) if best else None,
    )


def _shown(topology: Topology, worth: Sequence[Ablation]) -> set[str]:
    """Choose the heads that matter; all of a kind that matters, if none alone does."""
    matter = {ablation.part for ablation in worth if ablation.matters}
    shown = {head.name for head in topology.heads} & matter
    for part, heads in (("reads", topology.readers), ("writes", topology.writers)):
        names = {head.name for head in heads}
        if part in matter and not names & shown:
            shown |= names
    return shown
