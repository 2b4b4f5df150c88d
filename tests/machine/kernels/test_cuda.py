"""The CUDA program against the reference: on a GPU where there is one, else in the interpreter.

Triton asks when it is imported whether it shall interpret, so this is said before anything is run.
"""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.errors import MachineError
from evo_ntm.machine import Machine
from evo_ntm.machine.backends import Runs
from evo_ntm.machine.kernels.cuda import FusedCUDA
from evo_ntm.machine.kernels.cuda_layout import arrange, tiles
from evo_ntm.machine.state import tensors
from evo_ntm.topology import Head
from evo_ntm.topology.wires import size
from tests.machine.cases import (
    READER,
    WRITER,
    build,
    every,
    inputs_of,
    topologies,
    weights_of,
    with_biases,
)
from tests.machine.kernels.races import watched

GPU = torch.cuda.is_available()
if not GPU:
    os.environ.setdefault("TRITON_INTERPRET", "1")
pytest.importorskip("triton", reason="triton is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy, which interprets
on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not GPU, reason="torch finds no GPU")]
DEVICE = "cuda" if GPU else "cpu"
EPS = 1e-2
USUAL = build("dense", (4,), READER, WRITER)
RECURRENT = build("lstm", (3, 2), READER, WRITER, Head(22, "writer"), Head(23, "reader"), width=3)


def here(tensor):
    return tensor.float().to(DEVICE)


def both(topology, flat, inputs, *, rows, lengths=None):
    """Run the reference in float64 and the program; give answers and states of both."""
    found = []
    for machine, put in ((Machine(topology, EPS), torch.clone), (FusedCUDA(topology, EPS), here)):
        weights = machine.wire_up(put(flat))
        state = machine.initial_state(weights, lanes=inputs.shape[-2], rows=rows)
        found.append(machine.run(weights, put(inputs), state, lengths=lengths))
    return found


def close(topology, flat, inputs, *, rows, lengths=None, tolerance=1e-4):
    (answers, state), (told, ended) = both(topology, flat, inputs, rows=rows, lengths=lengths)
    for exact, found in zip([answers, *tensors(state)], [told, *tensors(ended)], strict=True):
        torch.testing.assert_close(found.double().cpu(), exact, rtol=tolerance, atol=tolerance)


@every
def test_answers_and_states_are_those_of_the_reference(topology):
    close(topology, weights_of(topology, 2), inputs_of(topology, 4, 3), rows=4, lengths=[4, 1, 3])


@given(
    topology=topologies(),
    lengths=some.lists(some.integers(1, 3), min_size=1, max_size=5),
    rows=some.integers(1, 9),
    seed=some.integers(0, 9),
)
@settings(max_examples=60 if GPU else 6)
def test_any_topology_on_any_lanes_answers_as_the_reference_does(topology, lengths, rows, seed):
    flat = weights_of(topology, 2, seed=seed) * 0.7
    inputs = inputs_of(topology, max(lengths), len(lengths), seed=seed)
    close(topology, flat, inputs, rows=rows, lengths=lengths)


@pytest.mark.slow
@pytest.mark.parametrize("topology", [USUAL, RECURRENT], ids=["dense", "lstm"])
def test_five_hundred_steps_stay_with_the_reference(topology):
    flat, inputs = weights_of(topology, 1) * 0.3, inputs_of(topology, 500, 1)
    close(topology, flat, inputs, rows=20, tolerance=1e-3)


@pytest.mark.parametrize(
    "biases",
    [{"strength": 1e3}, {"sharpening": 1e4}, {"strength": 1e3, "sharpening": 1e4, "shift": 50.0}],
    ids=["strength", "sharpening", "all"],
)
def test_extreme_parameters_stay_with_the_reference(biases):
    flat = with_biases(USUAL, weights_of(USUAL, 1), **biases)
    close(USUAL, flat, inputs_of(USUAL, 3, 2), rows=7, tolerance=1e-3)


@pytest.mark.parametrize("population", [(), (2,), (2, 1)], ids=["one", "two", "two by one"])
@pytest.mark.parametrize("shown", ["the same", "one thing each"])
def test_a_population_may_have_any_axes_and_be_shown_one_thing_each(population, shown):
    lanes = (*population, 2) if shown == "one thing each" else (2,)
    close(USUAL, weights_of(USUAL, *population), inputs_of(USUAL, 2, *lanes), rows=3)


def test_a_long_shift_range_goes_round_a_short_ring_several_times():
    wide = build("dense", (3,), Head(1, "reader", shifts=11), Head(2, "writer", shifts=7))
    close(wide, weights_of(wide, 1), inputs_of(wide, 3, 2), rows=2)


def test_more_units_than_threads_and_more_senders_than_go_at_once_are_all_heard():
    wide = build("lstm", (37,), READER, WRITER, inputs=11, outputs=3, width=5)
    close(wide, weights_of(wide, 1) * 0.3, inputs_of(wide, 2, 1), rows=5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_that_are_not_finite_end_in_nan_and_harm_nobody_else(bad):
    flat, inputs = here(weights_of(RECURRENT, 3)), here(inputs_of(RECURRENT, 2, 2))
    machine = FusedCUDA(RECURRENT, EPS)
    whole = machine.episode(flat, inputs, rows=5)
    spoilt = flat.clone()
    spoilt[1] = bad
    answers = machine.episode(spoilt, inputs, rows=5)
    assert torch.equal(answers[:, [0, 2]], whole[:, [0, 2]])
    assert answers[:, 1].isnan().all()


def test_one_weight_of_nan_is_heard_wherever_the_reference_hears_it():
    least = build("lstm", (1,), READER, WRITER, inputs=1, outputs=1, width=1)
    flats = here(weights_of(least)).repeat(size(least), 1).fill_diagonal_(math.nan)
    flats = flats if GPU else flats[::3]  # the interpreter takes its time
    inputs = here(inputs_of(least, 2, 1))
    answers = FusedCUDA(least, EPS).episode(flats, inputs, rows=2)
    expected = Machine(least, EPS).episode(flats, inputs, rows=2)
    assert torch.equal(answers.isnan(), expected.isnan())


def test_a_run_can_be_gone_on_with_to_the_bit_and_company_changes_none():
    machine = FusedCUDA(RECURRENT, EPS)
    flat, inputs = here(weights_of(RECURRENT, 2)), here(inputs_of(RECURRENT, 3, 5))
    weights = machine.wire_up(flat)
    state = machine.initial_state(weights, lanes=5, rows=4)
    first, middle = machine.run(weights, inputs[:1], state)
    second, _ = machine.run(weights, inputs[1:], middle)
    whole = machine.episode(flat, inputs, rows=4)
    assert torch.equal(torch.cat([first, second]), whole)
    assert torch.equal(machine.episode(flat[1], inputs[:, [4]], rows=4), whole[:, 1, [4]])


def test_a_lane_that_has_ended_keeps_its_state_and_answers_0():
    machine = FusedCUDA(RECURRENT, EPS)
    flat, inputs = here(weights_of(RECURRENT)), here(inputs_of(RECURRENT, 3, 2))
    weights = machine.wire_up(flat)
    state = machine.initial_state(weights, lanes=2, rows=4)
    answers, ended = machine.run(weights, inputs, state, lengths=[1, 3])
    alone, after = machine.run(weights, inputs[:1], state)
    assert torch.equal(answers[0], alone[0])
    assert not answers[1:, 0].any()
    for one, other in zip(tensors(ended), tensors(after), strict=True):
        assert torch.equal(one[0], other[0])


@every
def test_a_recording_holds_what_the_reference_traces_and_nothing_beyond_the_end(topology):
    flat, inputs = weights_of(topology, 2), inputs_of(topology, 3, 2)
    answers, recording = FusedCUDA(topology, EPS).record(
        here(flat), here(inputs), rows=4, lengths=[3, 1]
    )
    machine = Machine(topology, EPS)
    weights = machine.wire_up(flat)
    state = machine.initial_state(weights, lanes=2, rows=4)
    expected, _, told = machine.trace(weights, inputs, state)
    places, lane = arrange(topology), (slice(None), slice(None), 0)
    reads = recording.pages[..., places.reads_at : places.reads_at + places.reads]
    found = [
        (answers[lane], expected[lane]),
        (recording.weightings[1:][lane],
         torch.cat([told.write_weightings, told.read_weightings], -2)[lane]),
        (reads[1:][lane], told.reads[lane].flatten(-2)),
    ]  # fmt: skip
    if topology.writers:
        found.append((recording.memory[1:][lane], told.memory[lane].mT))
    for one, other in found:
        torch.testing.assert_close(one.double().cpu(), other, rtol=1e-4, atol=1e-4)
    assert not recording.pages[2:, :, 1].any()
    assert not recording.memory[0].any()


def test_what_does_not_fit_on_the_chip_is_answered_by_the_torch_path():
    machine, rows, lengths = FusedCUDA(USUAL, EPS), 10_000, [2, 1]
    assert machine.fits(4_000)
    assert not machine.fits(rows)
    flat, inputs = here(weights_of(USUAL, 2)), here(inputs_of(USUAL, 2, 2))
    expected = Machine(USUAL, EPS).episode(flat, inputs, rows=rows, lengths=lengths)
    weights = machine.wire_up(flat)
    state = machine.initial_state(weights, lanes=2, rows=rows)
    answers, _ = machine.run(weights, inputs, state, lengths=lengths)
    torch.testing.assert_close(answers, expected)
    answers = machine.episode(flat, inputs, rows=rows, lengths=lengths)
    torch.testing.assert_close(answers, expected)


def test_how_a_machine_is_cut_depends_on_its_memory_alone():
    assert tiles(build("dense", (16,), READER, WRITER, width=9), 32) == (4, 4, 32, 16, 2)
    assert tiles(build("lstm", (100,), READER, WRITER, width=20), 128) == (2, 8, 128, 32, 2)
    assert tiles(build("lstm", (100,), READER, WRITER, width=20), 1000) == (1, 16, 1024, 32, 2)
    assert tiles(build("lstm", (100,)), 1000) == (4, 4, 1, 1, 0)


def test_a_memory_that_is_too_wide_does_not_fit_with_one_row():
    assert FusedCUDA(USUAL).fits(1)
    assert not FusedCUDA(build("dense", (1,), READER, width=40_000)).fits(1)
    assert isinstance(FusedCUDA(USUAL), Runs)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [(lambda flat, x: (flat.double(), x), r"expected float32 on a cuda device, got torch\.float64"),
     (lambda flat, x: (flat, x.double()), r"expected float32 on a cuda device, got torch\.float64"),
     (lambda flat, x: (flat[:, 1:], x), r"expected \d+ weights .*, got \d+"),
     (lambda flat, x: (flat, x[:0]), "at least one step, got none"),
     (lambda flat, x: (flat.requires_grad_(), x), "need no gradient"),
     (lambda flat, x: (flat, x[..., 1:]), "expected inputs of 3 channels, got 2"),
     (lambda flat, x: (flat, x.unsqueeze(1).expand(2, 7, 2, 3)),
      r"for a population of \[2\], got \[7\]")],
    ids=["float64", "float64 inputs", "a weight too few", "no step", "gradients", "channels",
         "another population"],
)  # fmt: skip
def test_what_the_program_cannot_do_is_refused(change, sentence):
    flat, inputs = change(here(weights_of(USUAL, 2)), here(inputs_of(USUAL, 2, 2)))
    with pytest.raises(MachineError, match=sentence):
        FusedCUDA(USUAL, EPS).episode(flat, inputs, rows=4)


def test_a_state_of_other_lanes_is_refused():
    machine = FusedCUDA(USUAL)
    weights = machine.wire_up(here(weights_of(USUAL, 2)))
    state = machine.initial_state(weights, lanes=3, rows=4)
    with pytest.raises(MachineError, match=r"expected a state of shapes \[\[2, 5, .* got \[\[2, 3"):
        machine.run(weights, here(inputs_of(USUAL, 2, 5)), state)


@pytest.mark.skipif(GPU, reason="the interpreter is watched")
@pytest.mark.parametrize("topology", [USUAL, RECURRENT], ids=["dense", "lstm"])
def test_no_thread_goes_where_another_leaves_something_without_waiting(topology):
    machine, inputs = FusedCUDA(topology, EPS), here(inputs_of(topology, 2, 3))
    weights = machine.wire_up(here(weights_of(topology, 2)))
    state = machine.initial_state(weights, lanes=3, rows=3)
    with watched() as races:
        machine.run(weights, inputs, state, lengths=[2, 1, 2])
    assert not races


@pytest.mark.skipif(GPU, reason="the interpreter is watched")
def test_without_barriers_threads_would_be_seen_to_race():
    with watched(barriers=False) as races:
        FusedCUDA(USUAL, EPS).episode(here(weights_of(USUAL)), here(inputs_of(USUAL, 1, 1)), rows=2)
    assert races


@pytest.mark.skipif(sys.platform != "linux", reason="triton brings its compiler on Linux alone")
@pytest.mark.parametrize("capability", ["90", pytest.param("80", marks=pytest.mark.slow)])
def test_the_programs_compile_for_gpus_that_are_not_there(tmp_path, capability):
    """What the interpreter takes, a compiler need not take."""
    root = Path(__file__).parents[3]
    environment = {
        **os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(root),
    }  # fmt: skip
    script = [sys.executable, Path(__file__).parent / "compile_cuda.py", capability]
    ended = subprocess.run(
        script, capture_output=True, text=True, check=False, env=environment, cwd=root
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["episode", "way_back"]


def gpu_only(test):
    for mark in on_gpu:
        test = mark(test)
    return test


@gpu_only
@pytest.mark.parametrize(
    ("topology", "rows"),
    [(build("dense", (16,), READER, WRITER, width=9), 32),
     (build("lstm", (100,), READER, WRITER, width=20), 128),
     (build("lstm", (100,), READER, WRITER, width=20), 1000),
     (build("lstm", (20, 10), *(Head(1 + n, "writer" if n < 3 else "reader") for n in range(7)),
            width=17), 67)],
    ids=["dense", "lstm", "many rows", "many heads"],
)  # fmt: skip
def test_usual_sizes_stay_with_the_reference_on_a_gpu(topology, rows):
    lengths = [1 + 5 * lane % 41 for lane in range(16)]
    flat, inputs = weights_of(topology, 64) * 0.3, inputs_of(topology, max(lengths), 16)
    close(topology, flat, inputs, rows=rows, lengths=lengths, tolerance=1e-3)


@gpu_only
def test_a_graph_answers_again_and_again_with_other_weights_and_lengths():
    machine = FusedCUDA(USUAL, EPS)
    for seed, lengths in ((1, None), (2, [3, 1]), (3, [2, 3])):
        flat, inputs = weights_of(USUAL, 4, seed=seed), inputs_of(USUAL, 3, 2, seed=seed)
        answers = machine.episode(here(flat), here(inputs), rows=10_000, lengths=lengths)
        exact = Machine(USUAL, EPS).episode(flat, inputs, rows=10_000, lengths=lengths)
        torch.testing.assert_close(answers.double().cpu(), exact, rtol=1e-4, atol=1e-4)
