"""Children that are trained before they are scored: Lamarck's way and Baldwin's."""

import pickle
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from evo_ntm import verbs
from evo_ntm.errors import ExperimentError
from evo_ntm.evolution import engine
from evo_ntm.evolution.evaluate import score
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.practice import Practice, practise, practise_chunk
from evo_ntm.evolution.school import school
from evo_ntm.experiment import load, parse
from evo_ntm.experiment.finetune import Finetune
from evo_ntm.genome.founder import founder
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import join
from evo_ntm.training import descent_of
from tests.evolution.cases import births, generations, task_of, told

STEPS, BATCH = 8, 8
OPERATOR = {
    "share": 0.5,
    "steps": STEPS,
    "batch": BATCH,
    "optimiser": "adam",
    "learning_rate": 0.01,
}
HOW = pytest.mark.parametrize("write_back", [True, False], ids=["Lamarck", "Baldwin"])
SORTS = pytest.mark.parametrize("encoding", ["direct", "tied"])


def asked(write_back=True, encoding="direct", run=None, **changes):
    operators = {"perturb": {"share": 4}, "add_reader": {},
                 "finetune": {**OPERATOR, "write_back": write_back}}  # fmt: skip
    machine = {"encoding": encoding}
    whole = told("genetic", machine=machine, operators=operators, generations=4, **changes)
    bits = {"bits": 2, "longest": 2} if encoding == "tied" else {"bits": 1, "longest": 2}
    return parse({**whole, "with": bits, "run": {"threads": 1, **(run or {})}})


def challenged(run=None, **changes):
    operators = {"add_reader": {}, "finetune": {**OPERATOR, "share": 1.0}, **changes}
    short = {"starts": 1, "start_generations": 2, "challenger_every": 3, "generations": 8}
    experiment = told("evolution_strategy", operators=operators, **short)
    return parse({**experiment, "run": {"threads": 1, **(run or {})}})


def untrained(monkeypatch):
    """Let everybody be as they were bred."""
    monkeypatch.setattr(engine, "practise", lambda *told: (told[5], 0))


def trained(experiment, genome, generation):
    """Train a genome by hand, a step after the other, on the sequences of its generation."""
    lessons = school(experiment, task_of(experiment), choose())
    trial = lessons.trial(experiment, generation, 0)
    settings = Finetune(optimiser="adam", learning_rate=0.01, batch=BATCH, steps=STEPS)
    way = descent_of(genome, settings, epsilon=experiment.machine.epsilon, backend=choose())
    standing = way.begin(genome.genes)
    for step in range(STEPS):
        stream = derive(experiment.evolve.seed, "finetune", generation, step)
        episodes = lessons.curriculum.episodes(stream, 0, BATCH)
        standing, _ = way.step(standing, episodes, trial.rows)
    return way.genome(standing), trial


def fitness(genome, trial):
    (scores,) = score([Individual(genome, operators=())], trial, map)
    return float(scores.fitness[0])


def first_children(experiment):
    """Give those who were born in the generation after the founders, as scored then."""
    loop = engine.evolve(experiment, task_of(experiment), map)
    return list(islice(loop, 2))[1].births


@SORTS
def test_as_lamarck_had_it_a_child_is_born_with_what_it_learned(monkeypatch, encoding):
    experiment = asked(encoding=encoding)
    told = first_children(experiment)
    with monkeypatch.context() as patched:
        untrained(patched)
        bred = first_children(experiment)
    learners = [number for number, child in enumerate(told) if "finetune" in child.operators]
    assert 3 < len(learners) < len(told)
    for number, child in enumerate(told):
        assert child.operators == bred[number].operators
        as_bred = bred[number].genome
        if number not in learners:
            assert child.genome.id == as_bred.id
            continue
        learned, trial = trained(experiment, as_bred, generation=1)
        assert child.genome.id != as_bred.id
        np.testing.assert_allclose(child.genome.genes, learned.genes, rtol=1e-3, atol=1e-5)
        assert child.fitness.values[0] == pytest.approx(fitness(child.genome, trial))


@SORTS
def test_as_baldwin_had_it_what_it_learned_only_counts(monkeypatch, encoding):
    experiment = asked(write_back=False, encoding=encoding)
    told = first_children(experiment)
    with monkeypatch.context() as patched:
        untrained(patched)
        bred = first_children(experiment)
    gains = []
    for child, as_bred in zip(told, bred, strict=True):
        assert (child.genome.id, child.operators) == (as_bred.genome.id, as_bred.operators)
        if "finetune" in child.operators:
            learned, trial = trained(experiment, child.genome, generation=1)
            assert child.fitness.values[0] == pytest.approx(fitness(learned, trial), rel=1e-4)
            gains.append(child.fitness.values[0] - as_bred.fitness.values[0])
        else:
            assert child.fitness.values == as_bred.fitness.values
    assert sum(gains) > 0


def test_a_challenger_of_an_evolution_strategy_is_trained_and_goes_on_from_there(monkeypatch):
    experiment = challenged()
    turns = generations(experiment)
    with monkeypatch.context() as patched:
        untrained(patched)
        bred = generations(experiment)
    (place,) = (number for number, turn in enumerate(turns[:5])
                if any("finetune" in birth.operators for birth in turn.births))  # fmt: skip
    child, as_bred = turns[place].births[-1], bred[place].births[-1]
    assert child.operators == as_bred.operators == ("add_reader", "finetune")
    learned, trial = trained(experiment, as_bred.genome, generation=place)
    np.testing.assert_allclose(child.genome.genes, learned.genes, rtol=1e-3, atol=1e-5)
    assert child.fitness.values[0] == pytest.approx(fitness(child.genome, trial))

    after, untaught = turns[place + 1].births[-1], bred[place + 1].births[-1]
    assert after.operators == ("follow_gradient",) and after.parents == (child.number,)
    step = np.linalg.norm(untaught.genome.genes - as_bred.genome.genes)
    assert np.linalg.norm(after.genome.genes - child.genome.genes) == pytest.approx(step, rel=1)
    assert np.linalg.norm(learned.genes - as_bred.genome.genes) > 4 * step


def test_a_challenger_may_be_its_parent_trained():
    turns = generations(challenged(add_reader={"share": 0.0}))
    (child, *_) = (birth for turn in turns for birth in turn.births
                   if "finetune" in birth.operators)  # fmt: skip
    assert child.operators == ("finetune",)
    assert any(event.text.startswith("finetune: ") for turn in turns for event in turn.events)


def test_a_search_with_trained_challengers_goes_the_same_way_on_threads_and_when_resumed(tmp_path):
    for threads in (1, 2):
        verbs.evolve(challenged({"threads": threads}), to=tmp_path / f"{threads}")

    def stop(progress):
        if progress.generation == 4:
            raise KeyboardInterrupt

    experiment = challenged({"checkpoint_every": 1})
    verbs.evolve(experiment, to=tmp_path / "other", on_generation=stop)
    verbs.resume(tmp_path / "other")
    assert len({verbs.digest(folder) for folder in tmp_path.iterdir()}) == 1


@HOW
def test_who_lives_on_learns_again_only_as_baldwin_had_it(monkeypatch, write_back):
    asked_of = []

    def heard(experiment, lessons, generation, stage, trial, jobs, spread):
        def counting(function, chunks):
            asked_of.extend(chunk.stop - chunk.start for chunk in chunks)
            return spread(function, chunks)

        old = [job for job in jobs if job.number is not None and "finetune" in job.operators]
        before = sum(asked_of)
        posed, steps = practise(experiment, lessons, generation, stage, trial, jobs, counting)
        new = [job for job in jobs if job.number is None and "finetune" in job.operators]
        assert sum(asked_of) - before == len(new) + (0 if write_back else len(old))
        heard.survivors += len(old)
        return posed, steps

    heard.survivors = 0
    monkeypatch.setattr(engine, "practise", heard)
    generations(asked(write_back))
    assert heard.survivors > 0


def test_what_is_practised_counts_among_the_timesteps():
    experiment = asked()
    lessons = school(experiment, task_of(experiment), choose())
    generation = generations(experiment)[1]
    learners = sum("finetune" in child.operators for child in generation.births)
    episodes = [
        lessons.curriculum.episodes(derive(experiment.evolve.seed, "finetune", 1, step), 0, BATCH)
        for step in range(STEPS)
    ]
    practised = sum(sum(each.lengths) for each in episodes)
    scored = generation.scored * lessons.trial(experiment, 1, 0).steps
    assert generation.timesteps == scored + learners * practised


@HOW
def test_two_runs_of_one_seed_go_the_same_way_on_any_number_of_threads(tmp_path, write_back):
    digests = set()
    for threads in (1, 2):
        folder = tmp_path / f"{threads}"
        verbs.evolve(asked(write_back, run={"threads": threads}), to=folder)
        digests.add(verbs.digest(folder))
    assert len(digests) == 1


@HOW
def test_a_run_that_was_interrupted_goes_on_to_the_same_end(tmp_path, write_back):
    changes = {"checkpoint_every": 1}
    verbs.evolve(asked(write_back, run=changes), to=tmp_path / "whole")

    def stop(progress):
        if progress.generation == 1:
            raise KeyboardInterrupt

    verbs.evolve(asked(write_back, run=changes), to=tmp_path / "other", on_generation=stop)
    verbs.resume(tmp_path / "other")
    assert verbs.digest(tmp_path / "other") == verbs.digest(tmp_path / "whole")


@pytest.mark.ray
@pytest.mark.parametrize("write_back", [
    pytest.param(True, id="Lamarck"), pytest.param(False, id="Baldwin", marks=pytest.mark.slow)
])  # fmt: skip
def test_workers_of_ray_teach_to_the_same_bits(tmp_path, write_back):
    pytest.importorskip("ray", reason="needs the extra `ray`")
    digests = set()
    for workers in (0, 2):
        folder = tmp_path / f"{workers}"
        verbs.evolve(asked(write_back, run={"workers": workers, "ray": "local"}), to=folder)
        digests.add(verbs.digest(folder))
    assert len(digests) == 1


def practice(experiment, genome):
    lessons = school(experiment, task_of(experiment), choose())
    trial = lessons.trial(experiment, 0, 0)
    settings = Finetune(optimiser="adam", batch=BATCH, steps=STEPS)
    episodes = join([trial.episodes] * STEPS)
    return Practice(trial.task, episodes, trial.rows, trial.epsilon, trial.backend,
                    encoding=genome.encoding, settings=settings)  # fmt: skip


def somebody(seed=1):
    task = task_of(asked())
    stream = derive(seed, "founder")
    return founder(task.inputs, task.outputs, units=[4], width=3, generator=stream)


def test_a_practice_travels_and_stays_what_it_is():
    told = practice(asked(), somebody())
    _ = told.shown
    again = pickle.loads(pickle.dumps(told))
    assert (again.settings, again.encoding, again.rows) == (told.settings, "direct", told.rows)
    for step in range(STEPS):
        for mine, theirs in zip(told.of_step(step)[:3], again.of_step(step)[:3], strict=True):
            assert np.array_equal(mine, theirs)


def test_sequences_of_a_step_are_those_that_were_made_for_it():
    experiment = asked()
    lessons = school(experiment, task_of(experiment), choose())
    made = [lessons.curriculum.episodes(derive(1, "x", slot=n), 0, BATCH) for n in range(STEPS)]
    told = practice(experiment, somebody())
    object.__setattr__(told, "episodes", join(made))
    for step in range(STEPS):
        episodes = told.of_step(step)
        assert episodes.lengths == made[step].lengths
        for mine, theirs in zip(episodes[:3], made[step][:3], strict=True):
            assert np.array_equal(mine, theirs)


def test_whoever_cannot_be_trained_is_scored_as_it_is():
    experiment = asked()
    lessons = school(experiment, task_of(experiment), choose())
    trial = lessons.trial(experiment, 0, 0)
    learner = Individual(somebody(), operators=("perturb", "finetune"))
    before = learner.genome.id

    def lost(function, chunks):
        assert function is practise_chunk
        from evo_ntm.evolution.evaluate import unscored

        return [unscored(chunk, "the worker died") for chunk in chunks]

    posed, _ = practise(experiment, lessons, 0, 0, trial, [learner], lost)
    assert posed == [learner] and learner.genome.id == before


def test_whoever_leaves_the_numbers_stays_as_it_is():
    experiment = asked()
    lessons = school(experiment, task_of(experiment), choose())
    trial = lessons.trial(experiment, 0, 0)
    genome = somebody()
    broken = genome.with_genes(np.full_like(genome.genes, 3e38))
    learners = [Individual(one, operators=("perturb", "finetune")) for one in (genome, broken)]
    practise(experiment, lessons, 0, 0, trial, learners, map)
    assert learners[0].genome.id != genome.id and learners[1].genome.id == broken.id


def test_without_the_operator_nothing_changes():
    operators = {"perturb": {"share": 4}, "add_reader": {}}
    plain = parse(told("genetic", operators=operators))
    none = {**operators, "finetune": {"share": 0.0}}
    assert births(generations(plain)) == births(generations(parse(told("genetic", operators=none))))


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [("evolution_strategy", "write_back: expected true"), ("cma", "expected no operators")],
)
def test_where_the_individual_is_a_mean_nobody_is_scored_as_what_it_may_learn(strategy, sentence):
    with pytest.raises(ExperimentError, match=sentence):
        parse(told(strategy, operators={"finetune": {"write_back": False}}))


def test_graphs_of_different_connections_are_trained_apart():
    asked = load(Path(__file__).parents[2] / "tasks" / "entm-copy-1-neat.yaml", [
        "evolve.population=12", "evolve.generations=4", "evolve.episodes=4",
        "evolve.operators={add_connection: {share: 1}, drop_connection: {share: 1}, "
        "finetune: {share: 0.5, steps: 1, batch: 2}}",
    ])  # fmt: skip
    turns = generations(asked)
    trained = [birth for turn in turns for birth in turn.births if "finetune" in birth.operators]
    assert len({birth.genome.genes.size for birth in trained}) > 1
    assert all(np.isfinite(birth.genome.genes).all() for birth in trained)
