"""Lineages made up to try pages and figures on: real machines, invented histories."""

from functools import cache
from math import exp, inf, nan

import numpy as np

from evo_ntm.evolution.breeding import found
from evo_ntm.experiment import parse
from evo_ntm.genome.variation import OPERATORS
from evo_ntm.reports.chapters import (
    Again,
    Ancestry,
    Challenge,
    Curve,
    Displacement,
    Edge,
    Event,
    Generalisation,
    Header,
    History,
    Lineage,
    Look,
    Measured,
    Node,
    OperatorUse,
    Parent,
    Population,
    Portrait,
    Search,
    Sitting,
    SpeciesLife,
    SpeciesStream,
    Step,
    Trunk,
    Tuned,
)
from evo_ntm.reports.explanation import Ablation, Explanation, Failing
from evo_ntm.reports.observation import observe
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.topology import wires

STRUCTURE = {7: "add_reader", 19: "widen_memory", 26: "grow_controller", 33: "toggle_stage",
             41: "drop_reader", 52: "widen_shift"}  # fmt: skip
BITS, LENGTH, ROWS = 4, 9, 16


@cache
def searched(name="copy-1", task="copy", steps=60):
    """Make up what a strategy leaves whose individual is a mean."""
    return _lineage(name, task, "evolution_strategy", steps)


@cache
def bred(name="genetic-1", task="copy", steps=60):
    """Make up what a strategy leaves whose population lives on."""
    return _lineage(name, task, "genetic", steps)


@cache
def line(steps):
    """Evolve, without any selection, as many genomes as a trunk has steps."""
    told = {
        "task": "copy",
        "with": {"bits": BITS, "longest": 6},
        "exam": {
            key: [{"name": "all", "rows": ROWS, "sequences": 1, "at_most": {"bits": 0}}]
            for key in ("validation", "parts")
        },
        "machine": {"units": [8], "width": 6},
        "evolve": {"strategy": "genetic"},
    }
    experiment = parse(told, name="copy")
    known = make(experiment.task, experiment.with_)
    genomes = [found(experiment, known, derive(1, "founder"))]
    for number in range(1, steps):
        operator = OPERATORS[STRUCTURE.get(number, "perturb")]
        genomes.append(operator(genomes[-1], generator=derive(1, "line", number)))
    return tuple(genomes)


def _lineage(name, task, strategy, steps):
    mean = strategy == "evolution_strategy"
    trunk = _trunk(steps, mean)
    last = trunk.steps[-1]
    header = Header(
        name=name, task=task, strategy=strategy, encoding="direct", seed=1, state="solved",
        birth=last.number, is_champion=True, topology=last.topology,
        generations=last.generation + 1, births=last.number + 3, scored=86_400, seconds=74.3,
        processes=2, restarts=1 if mean else 0, sittings=2, passed_at=2,
        warnings=("3 machines failed and were given the worst fitness",
                  "the newest 12 generations are not settled yet"),
    )  # fmt: skip
    return Lineage(
        header=header,
        history=_history(last, mean),
        trunk=trunk,
        operators=_operators(),
        population=None if mean else _population(last),
        search=_search(trunk) if mean else None,
        species=_species(last.generation + 1),
        ancestry=_ancestry(trunk, mean),
        portraits=_portraits(trunk),
        generalisation=_generalisation(trunk),
        tuned=(Tuned(last.number + 3, last.number, 500, 8000, 12.5, 1.31, 0.022, 0.084),
               Tuned(last.number + 4, last.number, 500, 8000, 12.5, 1.31, None, None)),
        explanation=_explanation(),
        again=_again(name),
    )  # fmt: skip


def _trunk(steps, mean):
    drawn = derive(2, "trunk")
    genomes = line(steps)
    cost, generation, number, done = 60.0, 0, 1, []
    for place, genome in enumerate(genomes):
        waited = 0 if not place else int(drawn.integers(1, 9))
        generation += waited
        number += int(drawn.integers(1, 40)) if place else 0
        gain = 0.0 if not place else cost * float(drawn.normal()) * 0.05 + cost * 0.07
        width = abs(float(drawn.normal())) * cost * 0.04 + 0.01
        cost -= gain
        low, high = gain - width, gain + width
        verdict = "beneficial" if low > 0 else "deleterious" if high < 0 else "neutral"
        measured = Measured(cost, cost / 3, gain, low, high)
        if not place:
            verdict = "founder"
        elif place % 11 == 5:
            verdict, measured = "not measured", None
        operator = STRUCTURE.get(place, "follow_gradient" if mean else "perturb")
        operators = (operator,) if mean or not place or place % 4 else ("cross", operator)
        if not place:
            operators = ("found",)
        matters = verdict in ("founder", "beneficial", "deleterious") or place in STRUCTURE
        elder = tuple(step.number for step in done[-1:])
        parents = (*elder, number - 1) if len(operators) > 1 else elder
        done.append(
            Step(number, generation, waited, parents, operators,
                 "" if place in STRUCTURE else "sigma 0.05", genome.topology, -cost - 0.3,
                 measured, verdict, None if not place else 0.031,
                 _told(place), matters or place == steps - 1)
        )  # fmt: skip
    verdicts = {
        name: sum(step.verdict == name for step in done)
        for name in ("founder", "beneficial", "neutral", "deleterious", "not measured")
    }
    mutations = {"weights": steps - 1 - len(STRUCTURE), **dict.fromkeys(STRUCTURE.values(), 1)}
    return Trunk(tuple(done), 64, ROWS, verdicts, mutations)


def _told(place):
    if place not in STRUCTURE:
        return ()
    return (f"{STRUCTURE[place].replace('_', ' ')}: one more or one less",)


def _history(last, mean):
    drawn = derive(3, "history")
    numbers = tuple(range(last.generation + 1))
    best = np.array([-60 * exp(-number / 60) for number in numbers])
    noise = np.abs(drawn.normal(len(numbers)))
    quantiles = {
        "worst": best * 3 - 80 * noise, "lower": best * 1.6 - 4 * noise,
        "median": best * 1.3 - noise, "upper": best * 1.1 - noise / 2, "best": best,
    }  # fmt: skip
    figures = {"step": 0.3 + noise / 9, "agreement": noise / 5, "norm": 9 + np.sqrt(best**2)}
    looks, least = [], inf
    for number in numbers[9::10]:
        wrong = max(0.0, -float(best[number]) / 3 + float(drawn.normal()))
        looks.append(Look(number, last.number - last.generation + number, wrong, wrong * 2.2,
                          wrong < least))  # fmt: skip
        least = min(least, wrong)
    rows = (
        {"name": "as trained", "extent": {"length": [1, 6]}, "rows": 16, "sequences": 1000,
         "wrong_bits": 0.0, "bits": 0.4, "measures": {"chance": 22.1}, "passed": True},
        {"name": "longer", "extent": {"length": 40}, "rows": 64, "sequences": 100,
         "wrong_bits": 1.25, "bits": 7.5, "measures": {"chance": 199.9}, "passed": None},
    )  # fmt: skip
    failed = ({**rows[0], "wrong_bits": 0.02, "passed": False}, rows[1])
    return History(
        generations=numbers,
        quantiles={name: tuple(map(float, values)) for name, values in quantiles.items()},
        figures={name: tuple(map(float, values)) for name, values in figures.items()}
        if mean else {"step": (nan,) * len(numbers)},
        stages=tuple(int(number > 99) for number in numbers),
        rows=tuple(16 + number % 5 for number in numbers),
        looks=tuple(looks),
        sittings=(Sitting(numbers[-40], last.number - 40, False, failed),
                  Sitting(numbers[-1], last.number, True, rows)),
        events=(Event(30, "restart", "stalled for 20 generations"),
                Event(99, "stage", "stage 2 opens")),
    )  # fmt: skip


def _operators():
    told = [("perturb", "sigma 0.05", 7200, 2100, 3000, 49, 0.98), ("cross", "", 2400, 610, 800, 14,
            0.84), ("add_reader", "", 210, 12, 20, 1, 0.7), ("widen_memory", "columns 1", 190, 14,
            18, 1, 0.75), ("grow_controller", "units 4", 188, 31, 40, 1, 0.8), ("toggle_stage", "",
            150, 9, 11, 1, 1.0), ("drop_reader", "", 92, 8, 9, 1, 1.6), ("widen_shift", "", 60, 5,
            6, 1, 2.5), ("swap_controller", "", 0, 0, 0, 0, None)]  # fmt: skip
    return tuple(OperatorUse(*use) for use in told)


def _population(last):
    drawn = derive(4, "population")
    numbers = tuple(range(0, last.generation + 1, 2))
    age, ages, sweeps = 0, [], []
    for number in numbers:
        age += 2
        if age > 20 and drawn.random() < 0.3:
            age -= 15
            sweeps.append((number, number * 31))
        ages.append(age if number > 24 else None)
    noise = drawn.normal((3, len(numbers)))
    return Population(
        generations=numbers,
        alive=(64,) * len(numbers),
        common_ancestor=tuple(
            None if a is None else n * 9 for a, n in zip(ages, numbers, strict=True)
        ),
        age=tuple(ages),
        mean_pairwise_distance=tuple(map(float, 24 + 3 * noise[0])),
        phylogenetic_diversity=tuple(int(180 + 20 * value) for value in noise[1]),
        effective_parents=tuple(map(float, 20 + noise[2])),
        sweeps=tuple(sweeps),
        ancestors_back=tuple(max(1, round(64 * exp(-back / 6))) for back in range(40)),
        fecund=tuple(Parent(90 + n, 10 * n, 60 - 7 * n, str(last.topology)) for n in range(5)),
    )


def _search(trunk):
    told = str(trunk.steps[0].topology)
    challenges = (
        Challenge(120, 40, ("add_reader",), told, "replaced", 61),
        Challenge(171, 58, ("widen_memory",), told, "rejected", 99),
        Challenge(214, 102, ("grow_controller",), told, "dropped", 108),
        Challenge(390, 150, ("toggle_stage",), told, "still on trial", None),
    )
    names = tuple(wires(trunk.steps[0].topology))
    births = trunk.steps[::10]
    moved = tuple(
        tuple(None if place > 4 and row % 7 == 3 else 0.02 * place * (1 + row % 5)
              for place in range(len(births)))
        for row in range(len(names))
    )  # fmt: skip
    displacement = Displacement(
        tuple(step.number for step in births), tuple(step.generation for step in births), names,
        moved,
    )  # fmt: skip
    return Search(2, (30,), (77,), (95,), ((0, 0), (100, 1)), challenges, displacement)


def _species(generations):
    numbers = tuple(range(0, generations, 3))
    shares = np.array([[exp(-(((n / generations) - middle) ** 2) * 20) for n in numbers]
                       for middle in (0.0, 0.3, 0.5, 0.8, 1.0)])  # fmt: skip
    sizes = np.rint(64 * shares / shares.sum(axis=0)).astype(int)
    names = tuple(f"dense 8, {n} reader{'s' * (n != 1)}, 1 writer" for n in range(1, 5)) + ("rest",)
    lives = tuple(
        SpeciesLife(name, 9 * place, None if place > 2 else 60 + 30 * place, 400 - 60 * place,
                    int(row.max()), numbers[int(row.argmax())])
        for place, (name, row) in enumerate(zip(names[:4], sizes, strict=False))
    )  # fmt: skip
    return SpeciesStream(numbers, names, tuple(tuple(map(int, row)) for row in sizes), lives)


def _ancestry(trunk, mean):
    nodes, edges, drawn = [], [], derive(5, "ancestry")
    for layer, step in enumerate(trunk.steps):
        nodes.append(Node(step.number, step.generation, layer, 0.0, step.operators, step.fitness,
                          str(step.topology), True))  # fmt: skip
        if layer:
            edges.append(Edge(step.number, trunk.steps[layer - 1].number, True, 0))
        if mean or not layer:
            continue
        for place in range(1, 1 + int(drawn.integers(0, 4))):
            number = 10_000 + 10 * step.number + place
            nodes.append(Node(number, step.generation, layer, float(place), ("perturb",),
                              step.fitness - 1, str(step.topology), False))  # fmt: skip
            elder = [node for node in nodes if node.layer == layer - 1]
            edges.append(Edge(number, elder[place % len(elder)].number, True, place % 2 * 3))
            later = trunk.steps[min(layer + 1, len(trunk.steps) - 1)].number
            if later != step.number:
                edges.append(Edge(later, number, False, 0))
    return Ancestry(tuple(nodes), tuple(edges), 1234)


def _portraits(trunk):
    genomes, steps = line(len(trunk.steps)), trunk.steps
    chosen = {"founder": 0, "middle ancestor": len(steps) // 2, "champion": len(steps) - 1}
    shown = make("copy", {"bits": BITS, "shortest": LENGTH, "longest": LENGTH})
    return tuple(
        Portrait(name, steps[place].number, steps[place].generation, steps[place].topology,
                 observe(genomes[place], shown, rows=ROWS, epsilon=0.01))
        for name, place in chosen.items()
    )  # fmt: skip


def _generalisation(trunk):
    sizes = (1, 2, 4, 6, 8, 12, 20, 40, 80, 120)
    first, middle, last = trunk.steps[0], trunk.steps[len(trunk.steps) // 2], trunk.steps[-1]
    curves = tuple(
        Curve(name, step.number, tuple(min(0.5, rate * size) for size in sizes),
              tuple(4 * size * min(0.5, rate * size) for size in sizes))
        for name, step, rate in (("founder", first, 0.4), ("middle ancestor", middle, 0.02),
                                 ("champion", last, 0.0005))
    )  # fmt: skip
    return Generalisation("length", sizes, tuple(size + 8 for size in sizes), 64, (1, 6), curves)


def _explanation():
    return Explanation(
        summary=(
            "The machine writes each vector to the next row of its memory.",
            "At the end flag it jumps back to where it began, and reads row after row.",
        ),
        program=("move head to start location", "while input delimiter not seen do",
                 "  receive input vector", "  write input to head location",
                 "  increment head location by 1", "end while"),
        evidence=("In 99.2 % of 1,280 steps before the flag, the writer moved one row on.",
                  "In 64 of 64 sequences, the first read came from the row of the first write."),
        ablations=(Ablation("reader 4", 31.2, 14.1, 0.4, 29.9, 28.7, 31.1, True),
                   Ablation("writer 3 sharpening", 9.1, 4.0, 0.4, 7.8, 6.9, 8.8, True),
                   Ablation("reader 4 content", 1.32, 0.4, 0.4, 0.01, -0.02, 0.04, False)),
        sequences=512, wrong_sequences=9,
        failings=(Failing("contains a vector of zeros", 41, 0.22, 0.0),),
        rows=ROWS,
    )  # fmt: skip


def _again(name):
    return Again(
        commands=(f"evo-ntm evolve copy.yaml --to runs/{name}", f"evo-ntm digest runs/{name}"),
        config_hash="3f0c" * 16, task_hash="91ab" * 16, digest="77de" * 16,
        processes=({"started": "2026-11-20T10:00:00Z", "generation": 0, "python": "3.11.7",
                    "command": ["evo-ntm", "evolve", "tasks/copy.yaml"], "git": None},
                   {"started": "2026-11-20T11:00:00Z", "generation": 120, "python": "3.11.7",
                    "command": ["evo-ntm", "resume", f"runs/{name}"], "threads": 2}),
        experiment="task: copy\nwith: {bits: 4, longest: 6}\n",
    )  # fmt: skip
