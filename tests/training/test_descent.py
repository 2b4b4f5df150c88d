"""Genomes in, genomes out: gradients against the reference, and whether anything is learned."""

import numpy as np
import pytest
import torch

from evo_ntm.experiment.finetune import Finetune
from evo_ntm.genome.encoding import code
from evo_ntm.genome.founder import founder
from evo_ntm.machine import Backend, Machine, choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import grade, make
from evo_ntm.training import descent_of

TASK = make("copy", {"bits": 2, "longest": 4})
TORCH = Backend("cpu", fused=False)
SORTS = [("dense", "direct"), ("dense", "tied"), ("lstm", "direct"), ("lstm", "tied")]
every = pytest.mark.parametrize(("controller", "encoding"), SORTS)


def genome(controller="dense", encoding="direct", seed=1, readers=1):
    told = {"units": [6], "width": 4, "controller": controller, "encoding": encoding}
    stream = derive(seed, "founder")
    return founder(TASK.inputs, TASK.outputs, readers=readers, **told, generator=stream)


def episodes(number=0, lanes=5):
    return TASK.episodes(derive(1, "episodes", number), lanes)


def descent(genome, backend=None, **settings):
    return descent_of(genome, Finetune(**settings), epsilon=0.01, backend=backend or choose())


def gone(genome, steps, backend=None, lanes=5, **settings):
    """Go some steps down, and give the descent with where it stands."""
    way = descent(genome, backend, **settings)
    standing = way.begin(genome.genes)
    for step in range(steps):
        standing, slope = way.step(standing, episodes(step, lanes), rows=6)
        assert slope.steady
    return way, standing


def on_threads():
    """Let torch have another number of threads each time around."""
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            yield threads
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def in_double(genome):
    """Take cost and gradient of the genes through the reference, in double precision."""
    asked = episodes()
    asked = asked._replace(inputs=asked.inputs.double())
    genes = torch.tensor(genome.genes, dtype=torch.float64, requires_grad=True)
    flat = genes[torch.tensor(genome.code.expression)]
    machine = Machine(genome.topology, 0.01)
    answers = machine.episode(flat, asked.inputs, rows=6, lengths=asked.lengths)
    bits = grade(asked, answers).bits.mean()
    bits.backward()
    return bits.item(), genes.grad


@every
@pytest.mark.parametrize("backend", [None, TORCH], ids=["fused", "torch"])
def test_a_slope_is_that_of_the_reference_in_double_precision(controller, encoding, backend):
    made = genome(controller, encoding)
    assert len(set(episodes().lengths)) > 1
    slope, gradient = descent(made, backend).slope(torch.tensor(made.genes), episodes(), rows=6)
    bits, expected = in_double(made)
    assert slope.bits.item() == pytest.approx(bits, rel=1e-5)
    assert (gradient.double() - expected).abs().max() < 1e-5 * expected.abs().max()
    assert slope.norm.item() == pytest.approx(expected.norm().item(), rel=1e-4)


@every
def test_a_machine_in_company_goes_where_it_goes_alone(controller, encoding):
    several = [genome(controller, encoding, seed) for seed in (1, 2, 3)]
    way = descent(several[0])
    standing = way.begin(np.stack([each.genes for each in several]))
    for step in range(3):
        standing, slope = way.step(standing, episodes(step), rows=6)
    for row, each in enumerate(several):
        _, alone = gone(each, 3)
        torch.testing.assert_close(standing.genes[row], alone.genes)


def test_a_step_goes_down_the_slope_of_the_clipped_gradient():
    made = genome()
    told = {"optimiser": "adam", "momentum": 0.0, "decay": 0.0, "epsilon": 1.0}
    way = descent(made, learning_rate=0.5, clip_norm=0.125, clip=0.0625, **told)
    before = way.begin(made.genes)
    after, slope = way.step(before, episodes(), rows=6)
    _, gradient = way.slope(before.genes, episodes(), rows=6)
    assert slope.norm.item() > 0.125
    cut = (gradient * 0.125 / slope.norm.item()).clamp(-0.0625, 0.0625)
    expected = before.genes - 0.5 * cut / (cut.abs() + 1.0)
    torch.testing.assert_close(after.genes, expected)
    assert after.step == 1


@every
@pytest.mark.parametrize("backend", [None, TORCH], ids=["fused", "torch"])
@pytest.mark.parametrize(("steps", "lanes"), [(5, 5), (1, 2003)])
def test_steps_are_the_same_on_any_number_of_threads(controller, encoding, backend, steps, lanes):
    ended = [gone(genome(controller, encoding), steps, backend, lanes)[1] for _ in on_threads()]
    for standing in ended[1:]:
        for name, tensor in standing.tensors().items():
            assert tensor.tobytes() == ended[0].tensors()[name].tobytes()


@pytest.mark.parametrize(
    ("lanes", "steps", "rows", "told"),
    [
        (16, 20, 128, {"units": (), "width": 20}),
        (67, 40, 45, {"units": (), "width": 23, "readers": 0, "writers": 0, "tape_heads": 1}),
        (16, 120, 64, {"units": (16,), "width": 9, "readers": 0, "writers": 0, "tape_heads": 1}),
    ],
    ids=["no layers", "a tape, no layers", "a tape"],
)
def test_so_are_slopes_of_machines_whose_gradients_no_kernel_takes(lanes, steps, rows, told):
    task = make("copy", {"longest": steps})
    asked = task.episodes(derive(1, "episodes"), lanes)
    made = founder(task.inputs, task.outputs, **told, generator=derive(1, "founder"))
    genes = torch.tensor(made.genes)
    found = [descent(made).slope(genes, asked, rows=rows)[1] for _ in on_threads()]
    assert all(torch.equal(gradient, found[0]) for gradient in found[1:])


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_a_descent_goes_on_from_its_arrays_as_it_would_have_gone_on(optimiser):
    way, expected = gone(genome(), 6, optimiser=optimiser)
    _, half = gone(genome(), 3, optimiser=optimiser)
    standing = way.restore(half.tensors(), half.step)
    for step in range(3, 6):
        standing, _ = way.step(standing, episodes(step), rows=6)
    assert standing.step == expected.step
    for name, tensor in standing.tensors().items():
        assert tensor.tobytes() == expected.tensors()[name].tobytes()


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_genomes_come_back_with_other_genes_and_nothing_else_changed(sort, optimiser):
    made = genome(*sort)
    way, standing = gone(made, 1, optimiser=optimiser)
    child = way.genome(standing)
    assert (child.topology, child.encoding) == (made.topology, made.encoding)
    assert child.id != made.id
    assert way.genome(way.begin(made.genes)).id == made.id


def test_tied_weights_stay_tied_as_genes_and_come_apart_as_wires():
    made = genome(encoding="tied")
    expression = code(made.topology, "tied").expression
    way, standing = gone(made, 2)
    tied = way.genome(standing)
    assert np.array_equal(tied.weights, tied.genes[expression])
    way = descent(made, encoding="wires")
    standing = way.begin(made.weights)
    standing, _ = way.step(standing, episodes(), rows=6)
    child = way.genome(standing)
    assert child.encoding == "direct"
    pair = np.flatnonzero(expression == np.bincount(expression).argmax())[:2]
    assert made.weights[pair[0]] == made.weights[pair[1]]
    assert child.weights[pair[0]] != child.weights[pair[1]]


def stays(way, before):
    after, slope = way.step(before, episodes(), rows=6)
    assert not slope.steady
    for name, tensor in after.tensors().items():
        assert np.array_equal(tensor, before.tensors()[name])


def test_where_a_slope_is_no_number_nothing_moves():
    made = genome()
    way = descent(made)
    stays(way, way.begin(np.full_like(made.genes, 3e38)))


def test_where_a_step_would_lead_beyond_all_numbers_nothing_moves():
    made = genome()
    way = descent(made)
    before = way.begin(made.genes)
    steep = {**before.moments, "change": torch.full_like(before.genes, torch.finfo().max)}
    assert way.slope(before.genes, episodes(), rows=6)[0].steady
    huge = before._replace(moments=steep, genes=before.genes + 1e37)
    stays(way, huge)


def test_a_machine_that_leaves_the_numbers_takes_no_other_with_it():
    made = genome()
    way = descent(made)
    together = np.stack([made.genes, np.full_like(made.genes, 3e38)])
    after, slope = way.step(way.begin(together), episodes(), rows=6)
    assert slope.steady.tolist() == [True, False]
    _, alone = gone(made, 1)
    torch.testing.assert_close(after.genes[0], alone.genes)
    assert np.array_equal(after.genes[1], together[1])


LEARNERS = [
    ("dense", "direct", "adam", 0.01, 300),
    ("dense", "direct", "rmsprop", 0.002, 300),
    ("lstm", "direct", "adam", 0.01, 600),
    ("dense", "tied", "rmsprop", 0.002, 600),
]


@pytest.mark.parametrize(("controller", "encoding", "optimiser", "rate", "steps"), LEARNERS)
def test_copying_is_learned(controller, encoding, optimiser, rate, steps):
    """Whoever remembers nothing pays 5 bits a sequence, a bit for each of two in 1 to 4 vectors."""
    told = {"units": [16], "width": 6, "controller": controller, "encoding": encoding}
    made = founder(TASK.inputs, TASK.outputs, **told, generator=derive(1, "founder"))
    way = descent(made, optimiser=optimiser, learning_rate=rate)
    standing, bits = way.begin(made.genes), []
    for step in range(steps):
        standing, slope = way.step(standing, TASK.episodes(derive(1, "finetune", step), 8), rows=8)
        bits.append(slope.bits.item())
    assert np.mean(bits[:20]) > 4
    assert np.mean(bits[-50:]) < 2
