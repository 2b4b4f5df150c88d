"""What a machine makes of its tape is counted step by step."""

import numpy as np
import pytest

from evo_ntm.evolution.exam import ask, prepare
from evo_ntm.evolution.tape_use import tape_use, with_tape_use
from evo_ntm.experiment.exam import Part
from evo_ntm.genome.founder import founder
from evo_ntm.machine import Backend
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.topology import Tape, wires

TASKS = {
    "entm_copy": make("entm_copy", {"bits": 1, "shortest": 2, "longest": 5}),
    "memory_length": make("memory_length", {"bits": 1, "shortest": 2, "longest": 5}),
}
every_task = pytest.mark.parametrize("name", TASKS)


def told(task, **weights):
    """Make a machine all of whose weights are 0 but those that are named."""
    genome = founder(task.inputs, task.outputs, units=(), width=2, readers=0, writers=0,
                     tape_heads=1, tape=Tape(), head={"target": "controller"},
                     generator=derive(1, "founder"))  # fmt: skip
    flat = np.zeros_like(genome.genes)
    for name, wire in wires(genome.topology).items():
        to, source = name.split(" < ")
        numbers = weights.get(f"{to.split()[-1]}_{source}", 0.0)
        column = np.reshape(numbers, (-1, 1)) if source == "bias" else numbers
        flat[wire.offset : wire.offset + size_of(wire)] = np.broadcast_to(
            column, wire.shape
        ).ravel()
    return genome.with_genes(flat)


def size_of(wire):
    return wire.shape[0] * wire.shape[1]


def asked(task, rows="unbounded"):
    part = Part(name="part", rows=rows, sequences=40)
    (questions,) = prepare([part], task, "exam", epsilon=0.01, backend=Backend("cpu", fused=False))
    return questions


def counts(questions):
    lengths = [n for trial in questions.trials for n in trial.episodes.lengths]
    return max(lengths), sum(lengths), len(lengths)


@every_task
def test_a_head_that_always_goes_right_makes_a_tape_of_as_many_cells_as_there_are_steps(name):
    questions = asked(TASKS[name])
    longest, _, _ = counts(questions)
    use = tape_use(questions, told(TASKS[name], jump_bias=-9, shift_bias=[-9, -9, 9]))
    assert use == {"longest tape": longest + 1, "jumps": 0, "shifts": 1}


@every_task
def test_a_tape_is_no_longer_than_it_may_be_and_a_head_that_stays_does_not_shift(name):
    moving, staying = (told(TASKS[name], shift_bias=bias) for bias in ([9, 0, 0], [0, 9, 0]))
    assert tape_use(asked(TASKS[name], rows=3), moving)["longest tape"] == 3
    assert tape_use(asked(TASKS[name]), staying) == {"longest tape": 1, "jumps": 1, "shifts": 0}


def test_steps_with_a_jump_are_counted_until_a_sequence_ends():
    questions = asked(TASKS["entm_copy"])
    _, steps, sequences = counts(questions)
    # Of all that is shown, only the signal between the vectors and the answers says to jump.
    genome = told(TASKS["entm_copy"], jump_bias=-9, jump_input=[0, 18, 0], shift_bias=[0, 9, 0])
    assert tape_use(questions, genome)["jumps"] == pytest.approx(sequences / steps)


def test_a_row_tells_what_the_machine_lacks_that_reads_zeros():
    questions, genome = asked(TASKS["entm_copy"]), told(TASKS["entm_copy"])
    genome = genome.with_genes(3 * derive(4, "genes").normal(genome.genes.shape))
    rows = ask([questions], genome, map)
    (row,) = with_tape_use(rows, [questions], genome, map)
    genes = genome.genes.copy()
    for wire in wires(genome.topology).values():
        if wire.source.endswith("before"):
            genes[wire.offset : wire.offset + size_of(wire)] = 0
    (deaf,) = ask([questions], genome.with_genes(genes), map)
    assert row.measures["shortfall without reads"] == pytest.approx(deaf.measures["shortfall"])
    assert deaf.measures["shortfall"] != rows[0].measures["shortfall"]
    assert {*row.measures} == {*rows[0].measures, "longest tape", "jumps", "shifts",
                               "shortfall without reads"}  # fmt: skip
