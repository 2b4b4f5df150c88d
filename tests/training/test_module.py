import copy
import pickle

import numpy as np
import pytest
import torch

import evo_ntm
from evo_ntm.errors import GenomeError
from evo_ntm.genome.encoding import code
from evo_ntm.genome.founder import founder
from evo_ntm.genome.variation import add_reader
from evo_ntm.machine import Machine
from evo_ntm.seeds import derive
from evo_ntm.tasks import grade, make
from evo_ntm.training import NeuralTuringMachine, machine_of

TASK = make("copy", {"bits": 3, "longest": 4})
EPISODES = TASK.episodes(derive(1, "episodes"), 5)
SORTS = [("dense", "direct"), ("dense", "tied"), ("lstm", "direct"), ("lstm", "tied")]
every = pytest.mark.parametrize(("controller", "encoding"), SORTS)


def genome(controller="dense", encoding="direct", seed=1):
    told = {"units": [5], "width": 4, "controller": controller, "encoding": encoding}
    return founder(TASK.inputs, TASK.outputs, **told, generator=derive(seed, "founder"))


def expected(genome, rows, epsilon=0.01):
    """Run the machine on the weights that the genome expresses."""
    machine = Machine(genome.topology, epsilon)
    flat = np.concatenate([weights.ravel() for weights in genome.express().values()])
    wired = machine.wire_up(torch.tensor(flat))
    state = machine.initial_state(wired, lanes=5, rows=rows)
    return machine.run(wired, EPISODES.inputs, state)


@every
def test_a_module_answers_as_its_genome_does(controller, encoding):
    module = machine_of(genome(controller, encoding))
    answers, state = expected(genome(controller, encoding), rows=6)
    torch.testing.assert_close(module(EPISODES.inputs, rows=6), answers)
    told, after = module.run(EPISODES.inputs, module.initial_state(5, 6))
    torch.testing.assert_close(told, answers)
    torch.testing.assert_close(after.store.memory, state.store.memory)


@every
def test_steps_one_by_one_answer_as_a_run_does(controller, encoding):
    module = machine_of(genome(controller, encoding))
    state, told = module.initial_state(lanes=5, rows=6), []
    for inputs in EPISODES.inputs:
        answer, state = module.step(inputs, state)
        told.append(answer)
    torch.testing.assert_close(torch.stack(told), module(EPISODES.inputs, rows=6))


def test_a_lane_stops_after_its_own_steps():
    module = machine_of(genome())
    state = module.initial_state(5, 6)
    lengths = EPISODES.lengths
    assert len(set(lengths)) > 1
    answers, _ = module.run(EPISODES.inputs, state, lengths)
    for lane, length in enumerate(lengths):
        torch.testing.assert_close(
            answers[:length, lane], module(EPISODES.inputs, rows=6)[:length, lane]
        )
        assert not answers[length:, lane].any()


@every
def test_its_one_parameter_is_the_genes(controller, encoding):
    made = genome(controller, encoding)
    module = machine_of(made)
    ((name, genes),) = module.named_parameters()
    assert name == "genes"
    assert np.array_equal(genes.detach().numpy(), made.genes)
    assert module.genome().id == made.id


@every
def test_gradients_are_those_of_finite_differences(controller, encoding):
    module = machine_of(genome(controller, encoding)).double()
    episodes = EPISODES._replace(inputs=EPISODES.inputs.double())

    def bits():
        return grade(episodes, module(episodes.inputs, rows=6)).bits.mean()

    bits().backward()
    genes, gradient = module.genes, module.genes.grad
    with torch.no_grad():
        for place in range(0, len(genes), 23):
            before, ends = genes[place].item(), []
            for step in (1e-5, -1e-5):
                genes[place] = before + step
                ends.append(bits().item())
            genes[place] = before
            assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(gradient[place].item(), abs=1e-6)


@every
def test_in_single_precision_its_gradients_are_those_of_double(controller, encoding):
    found = []
    for kind in (torch.float32, torch.float64):
        module = machine_of(genome(controller, encoding)).to(kind)
        episodes = EPISODES._replace(inputs=EPISODES.inputs.to(kind))
        grade(episodes, module(episodes.inputs, rows=6)).bits.mean().backward()
        found.append(module.genes.grad.double())
    single, double = found
    assert (single - double).abs().max() < 1e-5 * double.abs().max()


def test_tied_weights_add_their_gradients_up_in_their_gene():
    tied = genome(encoding="tied")
    direct = tied.topology, tied.weights, "direct"
    modules = machine_of(tied), machine_of(type(tied)(*direct))
    for module in modules:
        grade(EPISODES, module(EPISODES.inputs, rows=6)).bits.mean().backward()
    summed = torch.zeros(len(tied.genes))
    expression = torch.tensor(code(tied.topology, "tied").expression)
    summed.index_add_(0, expression, modules[1].genes.grad)
    torch.testing.assert_close(modules[0].genes.grad, summed)


def test_it_learns_and_gives_a_genome_back():
    module = machine_of(genome(encoding="tied"))
    optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
    bits = []
    for _ in range(25):
        loss = grade(EPISODES, module(EPISODES.inputs, rows=6)).bits.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        bits.append(loss.item())
    assert bits[-1] < 0.9 * bits[0]
    child = module.genome()
    assert (child.topology, child.encoding) == (module.machine.topology, "tied")
    assert child.id != genome(encoding="tied").id
    torch.testing.assert_close(module(EPISODES.inputs), machine_of(child)(EPISODES.inputs))


def test_genes_that_are_no_numbers_make_no_genome():
    module = machine_of(genome())
    with torch.no_grad():
        module.genes[3] = torch.nan
    with pytest.raises(GenomeError, match="gene 3 is nan"):
        module.genome()


@every
def test_its_state_dict_is_the_genes_and_goes_to_another_module(controller, encoding):
    one = machine_of(genome(controller, encoding))
    other = machine_of(genome(controller, encoding, seed=2))
    assert list(one.state_dict()) == ["genes"]
    assert other.genome().id != one.genome().id
    other.load_state_dict(one.state_dict())
    assert other.genome().id == one.genome().id


def test_genes_of_another_machine_do_not_fit():
    larger = add_reader(genome(), generator=derive(1, "reader"))
    with pytest.raises(RuntimeError, match="size mismatch for genes"):
        machine_of(genome()).load_state_dict(machine_of(larger).state_dict())


def test_it_is_one_layer_among_others():
    reader = torch.nn.Linear(7, 4)
    model = torch.nn.Sequential(reader, machine_of(genome(), rows=6), torch.nn.Sigmoid())
    inputs = torch.randn(3, 2, 7, generator=torch.Generator().manual_seed(1))
    answers = model(inputs)
    assert answers.shape == (3, 2, 3)
    answers.sum().backward()
    assert reader.weight.grad.abs().sum() > 0
    assert "dense 5, 1 reader, 1 writer, width 4, direct, rows=6" in repr(model)


@every
def test_it_can_be_copied_and_pickled(controller, encoding):
    module = machine_of(genome(controller, encoding))
    answers = module(EPISODES.inputs)
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        torch.testing.assert_close(again(EPISODES.inputs), answers)


def test_epsilon_and_rows_are_those_that_were_asked_for():
    made = genome()
    module = machine_of(made, epsilon=0.5, rows=9)
    assert isinstance(module, NeuralTuringMachine)
    answers, _ = expected(made, rows=9, epsilon=0.5)
    torch.testing.assert_close(module(EPISODES.inputs), answers)
    assert module.initial_state(2).store.memory.shape == (2, 9, 4)
    assert not torch.allclose(machine_of(made, rows=9)(EPISODES.inputs), answers)


def test_the_genome_is_left_alone():
    made = genome()
    before = made.id, made.genes.copy()
    module = machine_of(made)
    with torch.no_grad():
        module.genes += 1
    assert (made.id, made.genes.tolist()) == (before[0], before[1].tolist())


def test_the_package_offers_it():
    assert evo_ntm.machine_of is machine_of
