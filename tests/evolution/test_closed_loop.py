"""Populations led through lives: what comes of each is what comes of it alone."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evo_ntm.evolution.closed_loop import lead
from evo_ntm.evolution.cohort import Cohort
from evo_ntm.evolution.evaluate import Trial, chunks, score_weights
from evo_ntm.genome.founder import founder
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import Lives, RewardEnvironment, join, make
from evo_ntm.topology import Tape, wires
from evo_ntm.topology.wires import size

GOLDEN = Path(__file__).parents[2] / "../shared/golden/entm/double-t-maze-champion.json"
STEEP = 4.924273
SMALL = {
    "t_maze": {"maze": "single", "trials": 2},
    "season": {"years": 2, "most_days": 2, "fewest_days": 1, "foods": 2, "poisonous": 1},
    "memory_length": {"bits": 2, "longest": 6},
}
KINDS = {
    "soft": {"units": (4,), "width": 3},
    "tape": {"units": (), "width": 2, "readers": 0, "writers": 0, "tape_heads": 1, "tape": Tape(),
             "head": {"target": "controller"}},
    "no memory": {"units": (4,), "readers": 0, "writers": 0, "controller": "lstm"},
}  # fmt: skip
every_task = pytest.mark.parametrize("name", SMALL)


def topology_for(task, kind="soft"):
    return founder(task.inputs, task.outputs, generator=derive(1, "f"), **KINDS[kind]).topology


def population(topology, count, scale=2.0):
    return scale * derive(3, "weights").normal((count, size(topology)))


def trial_of(task, lanes=5, *, seed=1, backend="torch", rows=6):
    episodes = task.episodes(derive(seed, "test"), lanes)
    return Trial(task, episodes, rows, 0.01, choose("cpu", backend))


def alone(trial, topology, weights):
    """Lead one individual through the lives of a trial, by hand."""
    (share,) = trial.episodes.shares
    machine, life = trial.backend.machine(topology, 0.01), share.world.live(share.fates)
    wired = machine.wire_up(torch.from_numpy(weights))
    state, total = machine.initial_state(wired, lanes=len(share.lengths), rows=trial.rows), 0.0
    for _ in range(max(share.lengths)):
        going = ~life.done
        answer, state = machine.run(wired, life.observation[None], state)
        life = life.react(answer[0])
        total = total + life.reward
        assert not life.reward[~going].any()
    assert life.done.all()
    assert total.tolist() == pytest.approx(life.marks["reward"].tolist(), abs=1e-5)
    return life


@every_task
@pytest.mark.parametrize(
    ("kind", "backend"), [("soft", "fused"), ("tape", "torch"), ("no memory", "torch")]
)
def test_everyone_lives_as_alone(name, kind, backend):
    task = make(name, SMALL[name])
    trial, topology = trial_of(task, backend=backend), topology_for(task, kind)
    weights = population(topology, 60)
    with torch.inference_mode():
        machine = trial.backend.machine(topology, 0.01)
        led = lead(machine, torch.from_numpy(weights), trial.episodes, rows=trial.rows)
        *_, middling, best = led.score.mean(-1).argsort().tolist()
        for number in (0, middling, best):
            life = alone(trial, topology, weights[number])
            assert led.score[number].tolist() == pytest.approx(life.score.tolist())
            for mark, values in life.marks.items():
                assert led.marks[mark][number].tolist() == pytest.approx(values.double().tolist())
    assert led.score[best].mean() > led.score.mean() >= 0
    scores = score_weights(trial, topology, weights)
    assert scores.fitness == pytest.approx(led.score.mean(-1).tolist())
    assert scores.measures["shortfall"] == pytest.approx(1 - scores.fitness)
    assert {*scores.measures} == trial.measures()


def test_lives_of_several_stages_are_led_beside_each_other():
    easy, hard = (make("memory_length", {"longest": longest}) for longest in (2, 9))
    parts = [task.episodes(derive(1, "test"), lanes) for task, lanes in ((easy, 3), (hard, 4))]
    both = join(parts)
    topology = topology_for(hard)
    weights = population(topology, 5)
    assert isinstance(both, Lives) and both.lengths == parts[0].lengths + parts[1].lengths
    trial = replace(trial_of(hard), episodes=both)
    machine = trial.backend.machine(topology, 0.01)
    together, *each = (
        lead(machine, torch.from_numpy(weights), lives, rows=6) for lives in (both, *parts)
    )
    assert torch.equal(together.score, torch.cat([led.score for led in each], -1))
    assert len(join([parts[1], parts[1]]).shares) == 1


def test_who_answers_nonsense_is_worst_and_harms_nobody_else():
    task = make("t_maze", SMALL["t_maze"])
    trial, topology = trial_of(task), topology_for(task)
    weights = population(topology, 4)
    expected = score_weights(trial, topology, weights).fitness
    weights[2] = np.nan
    scores = score_weights(trial, topology, weights)
    assert scores.fitness[2] == -np.inf and scores.failures == 1
    assert {values[2] for values in scores.measures.values()} == {np.inf}
    assert np.delete(scores.fitness, 2).tolist() == np.delete(expected, 2).tolist()


def test_a_cohort_is_led_in_few_pieces():
    task = make("t_maze")
    topology = topology_for(task)
    cohort = Cohort(topology, (population(topology, 300),))
    pieces = chunks(trial_of(task, 12), cohort)
    assert [(piece.start, piece.stop) for piece in pieces] == [(0, 150), (150, 300)]
    assert max(piece.stop - piece.start for piece in chunks(trial_of(task, 3000), cohort)) == 2


@every_task
def test_rewards_add_up_and_a_seed_says_all(name):
    task = make(name, SMALL[name])
    first, again, other = (RewardEnvironment(task).begin(seed, 7) for seed in (1, 1, 2))
    outputs = sum(block.size for block in task.outputs)
    said = torch.from_numpy(derive(4, "said").normal((400, 7, outputs)))
    for life in (first, again, other):
        total = torch.zeros(7)
        for answer in said:
            assert life.observation.shape == (7, sum(block.size for block in task.inputs))
            if life.done.all():
                break
            life = life.react(answer)
            total += life.reward
        assert life.done.all() and not life.observation.any()
        assert total.tolist() == pytest.approx(life.marks["reward"].double().tolist(), abs=1e-5)
    equal, unlike = (
        [torch.equal(drawn, life.fates[fate]) for fate, drawn in first.fates.items()]
        for life in (again, other)
    )
    assert all(equal) and not all(unlike)


@dataclass(frozen=True)
class Champion:
    """The published champion of the double T-maze, as a machine of a tape and no layers."""

    reads: bool

    def weights(self, topology):
        told = json.loads(GOLDEN.read_text("utf-8"))
        matrix = np.zeros((10, 8))
        for source, target, weight in told["connections [input, output, weight]"]:
            matrix[target, source] = STEEP * weight
        if not self.reads:
            matrix[:, 5:7] = 0
        rows = {"output": slice(0, 3), "write": slice(3, 5), "interpolation": slice(5, 6),
                "jump": slice(6, 7), "shift": slice(7, 10)}  # fmt: skip
        columns = {"input": slice(0, 5), "before": slice(5, 7), "bias": slice(7, 8)}
        flat = np.zeros((1, size(topology)), dtype=np.float32)
        for name, wire in wires(topology).items():
            to, source = name.split(" < ")
            part = matrix[rows[to.split()[-1]], columns[source.split()[-1]]]
            flat[0, wire.offset : wire.offset + part.size] = part.ravel()
        return flat


@pytest.mark.skipif(not GOLDEN.exists(), reason="no golden data beside the checkout")
@pytest.mark.parametrize(("reads", "sound"), [(True, 240), (False, 0)])
def test_the_published_champion_makes_every_choice_soundly_if_it_can_read(reads, sound):
    task = make("t_maze")
    topology = topology_for(task, "tape")
    trial = trial_of(task, 12, rows=1)
    scores = score_weights(trial, topology, Champion(reads).weights(topology))
    assert 240 * scores.fitness[0] == pytest.approx(sound)
    assert scores.measures["missed"][0] == 20 - sound / 12
