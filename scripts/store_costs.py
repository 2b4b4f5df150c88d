"""Measure what keeping a run costs: publishing, bytes, the share of the time, long questions.

python scripts/benchmark.py --store
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from tempfile import TemporaryDirectory

from evo_ntm import journal, verbs
from evo_ntm.evolution.checkpoint import Checkpoint
from evo_ntm.evolution.engine import Generation, evolve
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State, pack
from evo_ntm.evolution.workers import Local
from evo_ntm.experiment import load
from evo_ntm.genome import Genome
from evo_ntm.genome.founder import founder
from evo_ntm.runs.ancestry import trunk
from evo_ntm.runs.log import Log
from evo_ntm.runs.store import Recorder, create
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.topology import Block
from evo_ntm.watch import Watch

TASKS = Path(__file__).parents[1] / "tasks"
BIRTHS, WEIGHTS = 512, 20_000
DEEP, WIDE = 2_000, 500  # generations, and births of each: a million births
GENERATIONS, WEIGHED = 200, 40  # of the runs whose time is shared, and whose rows are weighed
ALONE = 20_000  # births of which the rows are weighed at least, for a file is some pages always

Row = dict[str, object]


def costs(repeats: int) -> list[Row]:
    """Measure everything, a row a figure; publishing is measured `repeats` times."""
    with TemporaryDirectory(prefix="evo-ntm-") as folder:
        place = Path(folder)
        return [
            *publishing(place, repeats),
            *bytes_a_birth(place),
            share(place),
            *a_million(place),
        ]


def publishing(folder: Path, repeats: int) -> list[Row]:
    """Publish generations of many births, in turn with plain files of the same bytes."""
    experiment = load(TASKS / "copy-genetic.yaml", ["run.checkpoint_every=1"])
    base = _large()
    seconds: list[float] = []
    plain: list[float] = []
    with create(folder / "large", experiment) as recorder:

        def turns() -> Iterator[Generation]:
            for number in range(repeats + 1):
                births = _births(base, number)
                os.sync()  # what others wrote is not to be waited for
                begun = time.perf_counter()
                yield _generation(number, births)
                seconds.append(time.perf_counter() - begun)
                data = recorder.run.checkpoint_file(number).read_bytes()
                (folder / "plain").unlink(missing_ok=True)
                os.sync()
                begun = time.perf_counter()
                with (folder / "plain").open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                plain.append(time.perf_counter() - begun)

        with _every_generation():
            with Watch(recorder.run.folder, Log(), curves=False) as watch:
                journal.keep_journal(recorder, experiment, turns(), watch, begun=time.monotonic())
    ours, theirs = (1e3 * statistics.median(taken[1:]) for taken in (seconds, plain))
    told = f"publish {BIRTHS} births of {base.genes.size:,} weights"
    return [
        _row(told, ours, "ms", 1.5 * theirs + 25),
        _row("write and fsync the same bytes", theirs, "ms"),
    ]


def bytes_a_birth(folder: Path) -> list[Row]:
    """Weigh the rows of a short run of each strategy: births alone, and the whole file."""
    found = []
    for name in ("copy-genetic", "copy", "copy-cma"):
        changes = [f"evolve.generations={WEIGHED}", f"evolve.validate_every={WEIGHED}"]
        path = folder / name
        experiment = load(TASKS / f"{name}.yaml", changes)
        verbs.evolve(experiment, to=path)
        with closing(connect(path / "run.sqlite")) as rows:
            births = rows.execute("SELECT count(*) FROM births").fetchone()[0]
            schema = rows.execute("SELECT sql FROM sqlite_schema WHERE name = 'births'").fetchone()
            rows.execute("ATTACH ? AS alone", (str(folder / f"{name}.sqlite"),))
            rows.execute(schema[0].replace("births", "alone.births", 1))
            copies = -(-ALONE // births)
            for copy in range(copies):
                rows.execute("INSERT INTO alone.births SELECT number + ? * ?, generation, parents, "
                             "operators, genome, topology, fitness, measures FROM births",
                             (copy, births))  # fmt: skip
            rows.commit()
        size = (folder / f"{name}.sqlite").stat().st_size / (births * copies)
        strategy = experiment.evolve.strategy
        found.append(_row(f"rows of a birth, {strategy}", size, "bytes", 300))
        whole = (path / "run.sqlite").stat().st_size / births
        found.append(_row(f"rows of the whole run by birth, {strategy}", whole, "bytes"))
    return found


def share(folder: Path) -> Row:
    """Evolve copy, and take the time of what keeps the run apart from the rest."""
    experiment = load(TASKS / "copy.yaml", [f"evolve.generations={GENERATIONS}"])
    evolving = 0.0
    begun = time.perf_counter()
    with Local(experiment.run.threads) as local:
        loop = evolve(experiment, make(experiment.task, experiment.with_), local.map)

        def turns() -> Iterator[Generation]:
            nonlocal evolving
            while True:
                turned = time.perf_counter()
                generation = next(loop, None)
                evolving += time.perf_counter() - turned
                if generation is None:
                    return
                yield generation

        with create(folder / "share", experiment) as recorder:
            with Watch(recorder.run.folder, Log(), curves=False) as watch:
                journal.keep_journal(recorder, experiment, turns(), watch, begun=time.monotonic())
    whole = time.perf_counter() - begun
    told = f"share of tasks/copy.yaml, {GENERATIONS} generations"
    return _row(told, 100 * (1 - evolving / whole), "%", 10)


def a_million(folder: Path) -> list[Row]:
    """Fill a store with a million births, and ask it what takes longest."""
    experiment = load(TASKS / "copy-genetic.yaml")
    topology = _large().topology
    stream = derive(1, "benchmark")
    begun = time.perf_counter()
    with create(folder / "million", experiment) as recorder:
        recorder.fact("backend", "none")
        for number in range(DEEP):
            _record(recorder, number, topology, stream.integers(0, WIDE, (WIDE,)))
            recorder.commit(every=1.0)
        recorder.commit()
    made = time.perf_counter() - begun
    run, last = recorder.run, DEEP * WIDE
    assert len(trunk(run, last)) == DEEP
    deep = _median(lambda: trunk(run, last))
    opened = _median(lambda: verbs.status(run.folder))
    size = (run.folder / "run.sqlite").stat().st_size / last
    return [
        _row(f"make {last:,} births", made, "s"),
        _row(f"rows of the whole of {last:,} births, by birth", size, "bytes", 300),
        _row(f"lineage of {DEEP:,} births", 1e3 * deep, "ms", 200),
        _row(f"status of {last:,} births", 1e3 * opened, "ms", 1000),
    ]


def _record(recorder: Recorder, number: int, topology: object, parents: Sequence[int]) -> None:
    first, before = number * WIDE + 1, (number - 1) * WIDE + 1
    with recorder.whole():
        recorder.record("births", [
            {
                "number": first + place,
                "generation": number,
                "parents": [before + int(parent), before + place] if number else [],
                "operators": ["cross", "perturb"] if number else ["found"],
                "genome": f"{first + place:032x}",
                "topology": topology,
                "fitness": -1 / (first + place),
                "measures": {"bits": 1 / (first + place), "wrong_bits": 0.375},
            }
            for place, parent in enumerate(parents)
        ])  # fmt: skip
        zeros = dict.fromkeys(("rows", "stage", "timesteps", "failures", "species"), 1)
        told = {"number": number, **zeros, "scored": WIDE, "statistics": {}, "seconds": 1.0}
        recorder.record("generations", [told])
        if number % 10 == 0:
            recorder.record("validations", [{
                "generation": number, "birth": first, "wrong_bits": 1.0, "bits": 1.0,
                "champion": int(number % 100 == 0),
            }])  # fmt: skip


def _large() -> Genome:
    """Make a genome of about as many weights as are asked for."""
    blocks = (Block(1, 10, name="in"),), (Block(101, 8, name="out"),)
    sizes = {}
    for units in range(40, 400):
        genome = founder(*blocks, units=(units,), width=20, generator=derive(1, "founder"))
        sizes[abs(genome.genes.size - WEIGHTS)] = genome
    return sizes[min(sizes)]


def _births(base: Genome, generation: int) -> list[Individual]:
    """Draw a generation, scored and named."""
    noise = derive(1, "samples", generation).normal((BIRTHS, base.genes.size))
    births = []
    for place, row in enumerate(noise):
        genome = base.with_genes(row)
        assert genome.id  # which is computed while others score
        number = generation * BIRTHS + place + 1
        parents = (number - BIRTHS, number - BIRTHS // 2) if generation else ()
        individual = Individual(genome, operators=("cross", "perturb"), parents=parents, sigma=0.1)
        individual.number, individual.generation = number, generation
        individual.fitness.values = (-1.0 / number,)
        individual.measures = {"bits": 1.0 / number, "wrong_bits": 1.375}
        births.append(individual)
    return births


def _generation(number: int, births: list[Individual]) -> Generation:
    state = pack(births)
    state = State({"individuals": state.words, "species": []}, state.tensors)
    checkpoint = Checkpoint(number, 0, births[-1].born, births[-1].born, 1.0, None, False, state)
    figures = {name: -1.0 for name in ("worst", "lower", "median", "upper", "best")}
    return Generation(
        number=number, births=tuple(births), individuals=tuple(births), scored=len(births),
        timesteps=1, failures=0, species=1, stage=0, rows=128, statistics=figures,
        best=births[0], validation=None, champion=None, sitting=None, events=(), seconds=1.0,
        lasted=1.0, checkpoint=checkpoint,
    )  # fmt: skip


class _every_generation:  # noqa: N801
    """Let every generation be committed, however short."""

    def __enter__(self) -> None:
        self._before, journal.SECONDS_BETWEEN_COMMITS = journal.SECONDS_BETWEEN_COMMITS, 0.0

    def __exit__(self, *error: object) -> None:
        journal.SECONDS_BETWEEN_COMMITS = self._before


def _median(ask: Callable[[], object]) -> float:
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _row(what: str, came: float, unit: str, most: float | None = None) -> Row:
    told = "" if most is None else "yes" if came <= most else "no"
    limit = None if most is None else round(most, 1)
    return {"what": what, "came to": round(came, 1), "unit": unit, "at most": limit, "kept": told}
