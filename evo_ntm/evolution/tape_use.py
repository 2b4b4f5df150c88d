"""What a machine makes of its tape in an exam: how long it gets, where heads go, if it reads."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool
from torch import Tensor

from evo_ntm.evolution.evaluate import Map, Trial
from evo_ntm.evolution.exam import ExamRow, Questions, ask
from evo_ntm.evolution.fitting import express
from evo_ntm.genome import Genome
from evo_ntm.genome.ablation import ablate
from evo_ntm.machine import Machine
from evo_ntm.machine.soft import Step
from evo_ntm.machine.threads import one_thread
from evo_ntm.machine.weights import Weights
from evo_ntm.tasks import Lives
from evo_ntm.tasks.grading import SHORTFALL
from evo_ntm.tasks.lives import Foreseen

LONGEST, JUMPS, SHIFTS = "longest tape", "jumps", "shifts"
UNREAD = "without reads"


def with_tape_use(
    rows: Sequence[ExamRow], parts: Sequence[Questions], genome: Genome, spread: Map
) -> tuple[ExamRow, ...]:
    """Add to every part of an exam what the machine made of its tape.

    These are the cells of the longest tape, the shares of steps in which any head jumped and in
    which any went to a side, and what the machine would lack if it read zeros.
    """
    unread = ask(parts, ablate(genome, "reads"), spread)
    return tuple(replace(row, measures={**row.measures, **tape_use(part, genome), **_lacks(other)})
                 for row, other, part in zip(rows, unread, parts, strict=True))  # fmt: skip


def _lacks(row: ExamRow) -> dict[str, float]:
    if SHORTFALL in row.measures:
        return {f"{SHORTFALL} {UNREAD}": row.measures[SHORTFALL]}
    return {f"wrong bits {UNREAD}": row.wrong_bits}


def tape_use(part: Questions, genome: Genome) -> dict[str, float]:
    """Watch a machine with a tape through all sequences or lives of a part, step by step."""
    genome = express(genome, part.task)
    machine = Machine(genome.topology, part.trials[0].epsilon)
    longest = steps = jumps = shifts = 0
    with torch.inference_mode(), one_thread():
        flat = torch.tensor(genome.weights)
        for trial in part.trials:
            for step, going in _watched(machine, flat, trial):
                extent = step.after.high - step.after.low + 1
                longest = max(longest, int(torch.where(going, extent, 0).max()))
                steps += int(going.sum())
                jumps += int((step.orders.j.any(0) & going).sum())
                shifts += int(((step.orders.s != 0).any(0) & going).sum())
    taken = max(steps, 1)  # lives may be over before their first one
    return {LONGEST: longest, JUMPS: jumps / taken, SHIFTS: shifts / taken}


def _watched(
    machine: Machine, flat: Tensor, trial: Trial
) -> Iterator[tuple[Step, Bool[Tensor, "B"]]]:
    """Give every step, and which lanes were still going in it."""
    weights, rows = machine.wire_up(flat), trial.rows
    if not isinstance(episodes := trial.episodes, Lives):
        yield from _answering(machine, weights, episodes.inputs, episodes.lengths, rows)
        return
    for share in episodes.shares:
        life = share.world.live(share.fates)
        if isinstance(life, Foreseen):
            yield from _answering(machine, weights, life.ahead, share.lengths, rows)
            continue
        state = machine.initial_state(weights, lanes=len(share.lengths), rows=rows)
        for _ in range(max(share.lengths)):
            if life.done.all():
                break
            [step] = machine.steps(weights, life.observation.unsqueeze(0), state)
            yield step, ~life.done
            state, life = step.after.state(), life.react(step.answer.nan_to_num())


def _answering(
    machine: Machine, weights: Weights, inputs: Tensor, lengths: Sequence[int], rows: int
) -> Iterator[tuple[Step, Bool[Tensor, "B"]]]:
    state, ends = (
        machine.initial_state(weights, lanes=len(lengths), rows=rows),
        torch.tensor(lengths),
    )
    for number, step in enumerate(machine.steps(weights, inputs, state)):
        yield step, number < ends
