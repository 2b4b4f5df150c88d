"""The line from founder to subject, step by step: what each changed, and what it gained."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import get_args

from evo_ntm.experiment import Experiment
from evo_ntm.experiment.tasks import OF_SEQUENCES, CostWords
from evo_ntm.reports.chapters import Step, Trunk, Verdict
from evo_ntm.reports.difference import displacement, topology_changes
from evo_ntm.reports.line import Birth, commonest
from evo_ntm.reports.milestones import milestones
from evo_ntm.reports.parameters import parameters
from evo_ntm.reports.rescoring import EPISODES, Marks, measured, verdict
from evo_ntm.reports.rescoring import gain as gain_of

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def tell_trunk(
    line: Sequence[Birth],
    marks: Mapping[str, Marks],
    experiment: Experiment,
    *,
    rows: int,
    words: CostWords = OF_SEQUENCES,
) -> Trunk:
    """Tell of a line, with the marks of those genomes that were scored again.

    Steps that matter are those that changed the topology or were made otherwise than most, those
    that gained or lost much, and waypoints: see `milestones`. Each is put beside the last of them
    that was measured, too.
    """
    steps = [_founder(line[0], marks, experiment)]
    steps += [_step(*pair, marks, experiment) for pair in pairwise(line)]
    most = commonest(line)
    chosen = milestones(
        marked=[bool(step.changes) or step.operators != most for step in steps],
        costs=[None if step.measured is None else step.measured.bits for step in steps],
        gains=[_certain(step) for step in steps],
    )
    last: Marks | None = None
    for place in chosen:
        own = marks.get(line[place].id)
        since = measured(own, last) if own and last else None
        steps[place] = replace(steps[place], matters=True, since=since)
        last = own or last
    counted = Counter(step.verdict for step in steps)
    made = Counter(operator for birth in line for operator in birth.operators)
    return Trunk(
        steps=tuple(steps),
        episodes=EPISODES,
        rows=rows,
        verdicts={each: counted[each] for each in VERDICTS},
        mutations=dict(sorted(made.items(), key=lambda item: (-item[1], item[0]))),
        words=words,
    )


def _founder(birth: Birth, marks: Mapping[str, Marks], experiment: Experiment) -> Step:
    own = marks.get(birth.id)
    return Step(
        number=birth.number,
        generation=birth.generation,
        waited=0,
        parents=birth.parents,
        operators=birth.operators,
        parameters=parameters(experiment, birth.operators),
        topology=birth.topology,
        fitness=birth.fitness,
        measured=None if own is None else measured(own, None, founder=True),
        verdict="founder",
        displacement=None,
        changes=(),
        matters=False,
    )


def _step(parent: Birth, birth: Birth, marks: Mapping[str, Marks], experiment: Experiment) -> Step:
    own, before = marks.get(birth.id), marks.get(parent.id)
    moved = None
    if birth.genome is not None and parent.genome is not None:
        moved = displacement(parent.genome, birth.genome)
    return replace(
        _founder(birth, marks, experiment),
        waited=birth.generation - parent.generation,
        measured=None if own is None else measured(own, before),
        verdict=verdict(gain_of(before, own)) if own and before else "not measured",
        displacement=moved,
        changes=topology_changes(parent.topology, birth.topology),
    )


def _certain(step: Step) -> float:
    """Give what a step gained or lost beyond doubt."""
    if step.measured is None or step.verdict not in ("beneficial", "deleterious"):
        return 0.0
    return step.measured.gain
