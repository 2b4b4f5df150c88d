"""What is told of a run while it goes on: to whoever called, in its log, and as curves."""

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from evo_ntm.evolution.engine import QUANTILES, Generation
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.tasks import CostWords
from evo_ntm.reports.curves import Curves
from evo_ntm.runs.log import Level, Log

SECONDS_BETWEEN_LINES = 1.0


@dataclass(frozen=True)
class Progress:
    """How far a run has come, once a generation.

    `rate` is in sequence-timesteps a second, `workers` are those alive beside this process. Of a
    task that has no wrong bits it is told what `counted` says instead.
    """

    generation: int
    generations: int
    best_fitness: float
    wrong_bits: float
    species: int
    stage: int
    rate: float
    seconds_left: float
    seconds: float
    failures: int
    events: tuple[str, ...]
    workers: int = 0
    counted: str = "wrong_bits"


def progress(
    experiment: Experiment, words: CostWords, generation: Generation, workers: int = 0
) -> Progress:
    """Tell how far a run has come, whose champions are chosen by what these words are of."""
    settings, number = experiment.evolve, generation.number
    return Progress(
        generation=number,
        generations=settings.generations,
        best_fitness=generation.best.fitness.values[0],
        wrong_bits=generation.best.measures.get(words.measure, float("nan")),
        species=generation.species,
        stage=generation.stage,
        rate=generation.timesteps / max(generation.lasted, 1e-9),
        seconds_left=settings.seconds_left(number + 1, generation.seconds),
        seconds=generation.seconds,
        failures=generation.failures,
        events=tuple(event.text for event in generation.events),
        workers=workers,
        counted=words.measure,
    )


class Watch:
    """Tells who watches a run what happens: in its log, and to TensorBoard where there are curves.

    The log has the figures of a generation a second, and of the last one. Neither is touched before
    `begin`: a run that turns out not to go on is left as it was. Raises RunError where the disk
    does not allow it.
    """

    def __init__(self, folder: Path, log: Log, *, curves: bool) -> None:
        self._folder, self._log, self._wanted = folder, log, curves
        self._curves: Curves | None = None
        self._again: list[tuple[int, dict[str, float]]] = []
        self._files = ExitStack()
        self._open = False
        self._failures = 0
        self._untold: dict[str, Any] | None = None
        self._told = -math.inf

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def begin(self) -> None:
        """Open the log, and the curves where they are wanted, unless they are open already."""
        if self._open:
            return
        self._files.enter_context(self._log.within(self._folder))
        if self._wanted:
            self._curves = self._files.enter_context(Curves(self._folder))
            for number, figured in self._again:
                self._curves.add(number, figured)
        self._open = True

    def generation(
        self,
        generation: Generation,
        progress: Progress,
        drifts: Sequence[str] = (),
        lost: Sequence[str] = (),
    ) -> None:
        """Tell of a generation that is recorded, what drifted in it, and what workers were lost."""
        self.begin()
        if self._curves is not None:
            self._curves.add(generation.number, figures(generation, progress))
        number, sitting = generation.number, generation.sitting
        for drift in drifts:
            self._log.tell("drift", "warning", generation=number, told=drift)
        for worker in lost:
            self._log.tell("lost", "warning", generation=number, told=worker)
        for event in generation.events:
            self._log.tell(event.kind, generation=event.generation, told=event.text)
        if generation.champion is not None:
            self._log.tell("champion", generation=number, **_looks(generation))
        if sitting is not None:
            born = sitting.individual.born
            self._log.tell("sitting", generation=number, birth=born, solved=sitting.solved)
        self._failures += generation.failures
        told = asdict(replace(progress, stage=progress.stage + 1, failures=self._failures))
        del told["events"]
        self._untold = {**told, "rows": generation.rows, "statistics": generation.statistics}
        if time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
            self._figures()

    def again(self, generation: Generation, progress: Progress) -> None:
        """Take in a generation that was recorded before; its curves may have been torn."""
        self._again.append((generation.number, figures(generation, progress)))

    def checkpoint(self, generation: int) -> None:
        """Tell of a checkpoint that is published."""
        self._log.tell("checkpoint", generation=generation)

    def end(self, kind: str, level: Level = "info", **told: Any) -> None:
        """Tell how this process ended."""
        self._figures()
        self._log.tell(kind, level, **told)

    def _figures(self) -> None:
        if self._untold is not None:
            self._log.tell("generation", "warning" if self._failures else "info", **self._untold)
            self._told, self._untold, self._failures = time.monotonic(), None, 0


def figures(generation: Generation, progress: Progress) -> dict[str, float]:
    """List what is worth a curve of a generation, but for what is not finite."""
    statistics = generation.statistics
    counted = progress.counted.replace("_", " ")
    cost = "bits" if progress.counted == "wrong_bits" else "shortfall"
    named = {
        "best/fitness": progress.best_fitness,
        f"best/{counted}": progress.wrong_bits,
        **{f"fitness/{name}": statistics[name] for name in QUANTILES},
        **{f"strategy/{name}": value for name, value in statistics.items()
           if name not in QUANTILES},
        "run/species": progress.species,
        "run/stage": progress.stage + 1,
        "run/rows": generation.rows,
        "run/failures": progress.failures,
        "run/sequence-timesteps a second": progress.rate,
    }  # fmt: skip
    if (validation := generation.validation) is not None:
        named |= {
            f"validation/{counted}": validation.wrong_bits,
            f"validation/{cost}": validation.bits,
        }
    return {name: float(value) for name, value in named.items() if math.isfinite(value)}


def _looks(generation: Generation) -> dict[str, Any]:
    validation, champion = generation.validation, generation.champion
    assert validation is not None and champion is not None
    return {
        "birth": champion.born,
        "wrong_bits": validation.wrong_bits,
        "bits": validation.bits,
        "topology": str(champion.genome.topology),
    }
