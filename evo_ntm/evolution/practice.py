"""Practice: children that the operator `finetune` made are trained before they are scored.

As Lamarck had it, what was learned replaces the genes, once, before they are scored for the first
time. As Baldwin had it, genes stay what they are, and only count for more, each time that they are
scored: what is learned quickly is selected for. All practise on the same sequences, fresh each
generation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo_ntm.evolution.cohort import Cohort, Matrix, Rows
from evo_ntm.evolution.evaluate import Chunk, Map, Scores, Trial, chunks
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.school import School
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.finetune import Finetune
from evo_ntm.experiment.operators import FinetuneChildren
from evo_ntm.genome import Encoding
from evo_ntm.seeds import derive
from evo_ntm.tasks import Episodes, join_sequences, sequences
from evo_ntm.training import Descent

OPERATOR, LEARN = "finetune", "learn by gradients"


@dataclass(frozen=True, kw_only=True)
class Practice(Trial):
    """What is practised: the sequences of all steps, step after step, side by side."""

    encoding: Encoding
    settings: Finetune

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        """Travel without what lies on a device."""
        return _practice, (*super().__reduce__()[1], self.encoding, self.settings)

    def of_step(self, step: int) -> Episodes:
        """Give the sequences of a step, counted from 0."""
        inputs, targets, scored, lengths = sequences(self.shown, LEARN)
        here = slice(step * self.settings.batch, (step + 1) * self.settings.batch)
        own = lengths[here]
        last = max(own)
        return Episodes(inputs[:last, here], targets[:last, here], scored[:last, here], own)


def _practice(*told: object) -> Practice:
    *trial, encoding, settings = told
    return Practice(*trial, encoding=encoding, settings=settings)  # type: ignore[arg-type]


def practise(
    experiment: Experiment,
    lessons: School,
    generation: int,
    stage: int,
    trial: Trial,
    jobs: Sequence[Rows],
    spread: Map,
) -> tuple[Sequence[Rows], int]:
    """Train whoever has to be before they are scored.

    Gives the jobs to be scored in place of those that came, and the sequence-timesteps that this
    took. Those that cannot be trained are scored as they are.
    """
    told = experiment.evolve.operators.get(OPERATOR)
    if not isinstance(told, FinetuneChildren):
        return jobs, 0
    learners = {
        place: job
        for place, job in enumerate(jobs)
        if isinstance(job, Individual) and OPERATOR in job.operators
        and (job.number is None or not told.write_back)
    }  # fmt: skip
    if not learners:
        return jobs, 0
    settings = Finetune(**told.model_dump(exclude={"share", "write_back"}))
    episodes = _episodes(experiment, lessons, generation, stage, settings)
    posed, timesteps = list(jobs), 0
    for members in _alike(learners):
        practice = Practice(trial.task, episodes, trial.rows, trial.epsilon, trial.backend,
                            encoding=members[0][1].encoding, settings=settings)  # fmt: skip
        timesteps += practice.steps * len(members)
        learned = _learned(practice, [learner for _, learner in members], spread)
        for (place, learner), genes in zip(members, learned, strict=True):
            genome = learner.genome if genes is None else learner.genome.with_genes(genes)
            if told.write_back:
                learner.genome = genome
            else:
                posed[place] = Individual(genome, operators=learner.operators)
    return posed, timesteps


def _episodes(
    experiment: Experiment, lessons: School, generation: int, stage: int, settings: Finetune
) -> Episodes:
    seed, curriculum = experiment.evolve.seed, lessons.curriculum
    drawn = [
        curriculum.episodes(derive(seed, OPERATOR, generation, step), stage, settings.batch)
        for step in range(settings.steps)
    ]
    return join_sequences([sequences(each, LEARN) for each in drawn])  # fmt: skip


def _alike(learners: Mapping[int, Individual]) -> Iterator[list[tuple[int, Individual]]]:
    """Put together who may be trained side by side; genes have to be the same ones.

    Those of layers are where shapes are the same, those of graphs and tied ones where all is.
    """
    groups: dict[object, list[tuple[int, Individual]]] = {}
    for place, learner in learners.items():
        topology, encoding = learner.topology, learner.encoding
        alike = encoding == "direct" and topology.controller.graph is None
        kind = topology.shape_key if alike else topology
        groups.setdefault((kind, encoding), []).append((place, learner))
    yield from groups.values()


def _learned(
    practice: Practice, learners: Sequence[Individual], spread: Map
) -> Iterator[Matrix | None]:
    """Give the new genes of each; None of those for whom there was nobody to train them."""
    genes = np.concatenate([learner.rows() for learner in learners])
    pieces = chunks(practice, Cohort(learners[0].topology, (genes,)))
    for piece, told in zip(pieces, spread(practise_chunk, pieces), strict=True):
        for row in range(piece.stop - piece.start):
            yield None if told.genes is None else told.genes[row]


def practise_chunk(chunk: Chunk) -> Scores:
    """Train some genomes of a cohort of genes; give their new genes, and no scores."""
    practice, cohort, start, stop = chunk
    assert isinstance(practice, Practice)
    descent = Descent(cohort.topology, practice.encoding, practice.epsilon, practice.settings,
                      practice.backend)  # fmt: skip
    standing = descent.begin(cohort.weights(start, stop))
    for step in range(practice.settings.steps):
        standing, _ = descent.step(standing, practice.of_step(step), practice.rows)
    return Scores(np.zeros(stop - start), {}, genes=standing.genes.cpu().numpy())
