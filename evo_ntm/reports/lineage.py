"""The lineage report of a run, as values: all chapters, for screen, page, JSON and notebook.

Rows are read first, all of one moment, so that a run that goes on is neither disturbed nor told of
twice; what takes long is done after, and what it gave is kept in a sidecar.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from evo_ntm.errors import EvoNTMError, GenomeError, ReportError, TaskError
from evo_ntm.evolution.evaluate import Trial
from evo_ntm.evolution.workers import Local
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.reports.again import tell_again
from evo_ntm.reports.ancestors import tell_ancestry
from evo_ntm.reports.chapters import (
    Again,
    Generalisation,
    Header,
    History,
    Lineage,
    Population,
    Portrait,
    Search,
    SpeciesStream,
)
from evo_ntm.reports.displacement import tell_displacement
from evo_ntm.reports.explaining.explaining import explain as explain_genome
from evo_ntm.reports.explanation import Explanation
from evo_ntm.reports.generalisation import tell_generalisation
from evo_ntm.reports.header import tell_header
from evo_ntm.reports.history import tell_history
from evo_ntm.reports.line import Birth, read_line
from evo_ntm.reports.operators import tell_operators
from evo_ntm.reports.pedigree import Pedigree, read_pedigree
from evo_ntm.reports.phylogeny import tell_population
from evo_ntm.reports.plain import plain, restored
from evo_ntm.reports.portraits import Station, stations, tell_portraits
from evo_ntm.reports.rescoring import Marks, paired_rows, paired_set, purpose, rescore
from evo_ntm.reports.search import tell_search
from evo_ntm.reports.sidecar import Sidecar
from evo_ntm.reports.species import tell_species
from evo_ntm.reports.trunk import tell_trunk
from evo_ntm.reports.tuned import Branch, best_branch, read_branches, tell_tuned
from evo_ntm.runs.run import Run
from evo_ntm.runs.snapshot import Snapshot, snapshot
from evo_ntm.tasks import RewardTask, Task, make

EXPLANATION = "explanation, version 1"  # to be raised when explanations change

Progress = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """What the rows of a run tell, all of one moment."""

    line: tuple[Birth, ...]
    branches: tuple[Branch, ...]
    pedigree: Pedigree
    header: Header
    history: History
    population: Population | None
    search: Search | None
    species: SpeciesStream | None
    again: Again
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Measures:
    """What was measured of genomes of the line; nothing where the task is not here."""

    marks: Mapping[str, Marks]
    portraits: tuple[Portrait, ...] = ()
    generalisation: Generalisation | None = None
    explanation: Explanation | None = None
    warnings: tuple[str, ...] = ()


def lineage(
    run: Run,
    birth: int | None = None,
    sidecar: Path | None = None,
    *,
    explain: bool = True,
    progress: Progress | None = None,
    task: Task | None = None,
) -> Lineage:
    """Tell how a birth came to be, the champion if none is named.

    `sidecar` is a file in which measures are kept for the next time. `progress` hears what is being
    done. `task` is one's own, as the run was evolved with; where it is not given and not installed,
    a warning says so, and what needs it is left out. Raises RunError where there is no such birth,
    or no champion yet, and ReportError where no generation is over yet.
    """
    tell = progress or (lambda _: None)
    tell("reading the rows")
    experiment = run.experiment
    with snapshot(run) as held:
        read = _read(held, experiment, birth)
    kept = Sidecar(sidecar, experiment.task_hash)
    measures = _measure(read, experiment, task, kept, tell, explain=explain)
    line, marks = read.line, measures.marks
    trunk = tell_trunk(line, marks, experiment, rows=paired_rows(experiment),
                       words=read.history.words)  # fmt: skip
    numbers = [step.number for step in trunk.steps]
    told = [step.number for step in trunk.steps if step.matters]
    warnings = (*read.header.warnings, *read.warnings, *measures.warnings, *_saved(kept))
    return Lineage(
        header=replace(read.header, warnings=tuple(dict.fromkeys(warnings))),
        history=read.history,
        trunk=trunk,
        operators=tell_operators(read.pedigree, numbers, experiment),
        population=read.population,
        search=read.search,
        species=read.species,
        ancestry=tell_ancestry(read.pedigree, line, told),
        portraits=measures.portraits,
        generalisation=measures.generalisation,
        tuned=tell_tuned(read.branches, marks),
        explanation=measures.explanation,
        again=read.again,
    )


def as_json(lineage: Lineage) -> dict[str, Any]:
    """Give a report as dicts, lists, texts and numbers; what is not finite is None."""
    told: dict[str, Any] = plain(lineage)
    return told


def _read(held: Snapshot, experiment: Experiment, birth: int | None) -> Read:
    pedigree = read_pedigree(held)
    subject = held.champion() if birth is None else birth
    line = read_line(held, subject)
    population, unknown = tell_population(pedigree)
    species, missing = tell_species(pedigree)
    return Read(
        line=line,
        branches=read_branches(held),
        pedigree=pedigree,
        header=tell_header(held, experiment, line),
        history=tell_history(held),
        population=population,
        search=tell_search(held, pedigree, tell_displacement(line)),
        species=species,
        again=tell_again(held, experiment),
        warnings=(*unknown, *missing),
    )


def _measure(
    read: Read,
    experiment: Experiment,
    brought: Task | None,
    sidecar: Sidecar,
    tell: Progress,
    *,
    explain: bool,
) -> Measures:
    unmeasured = "nothing could be measured again: {}"
    try:
        task = make(experiment.task, experiment.with_) if brought is None else brought
    except TaskError as error:
        return Measures({}, warnings=(unmeasured.format(error),))
    with Local(experiment.run.threads) as local:
        trial = paired_set(experiment, task, local.backend)
        genomes = [*_genomes(read)]
        if genomes:
            tell(f"scoring {len(genomes):,} genomes again")
        try:
            marks = rescore(genomes, trial, sidecar, local.map)
        except (TaskError, GenomeError) as error:
            return Measures({}, warnings=(unmeasured.format(error),))
        last = "champion" if read.header.is_champion else f"birth {read.header.birth}"
        known = stations(read.line, marks, last)
        warnings: list[str] = []
        portraits = None if isinstance(task, RewardTask) else _tried(
            warnings, "portraits", lambda: tell_portraits(
                known, experiment, task, rows=trial.rows, spread=local.map))  # fmt: skip
        if known:
            tell("asking larger sequences")
        asked = [*known, *_best_tuned(read, marks)]
        curves = _tried(warnings, "larger sequences", lambda: tell_generalisation(
            asked, experiment, task, local.backend, sidecar, local.map))  # fmt: skip
    told = None
    subject = read.line[-1].genome
    if explain and subject is not None:
        told = _tried(warnings, "an explanation", lambda: _explained(
            subject, experiment, task, trial, sidecar, tell))  # fmt: skip
    return Measures(marks, portraits or (), curves, told, tuple(warnings))


def _genomes(read: Read) -> Iterable[Genome]:
    """List the genomes of the line and of the branches, as far as they were kept."""
    line = (birth.genome for birth in read.line if birth.genome is not None)
    return chain(line, *(branch.genomes for branch in read.branches))


def _best_tuned(read: Read, marks: Mapping[str, Marks]) -> list[Station]:
    best = best_branch(read.branches, marks)
    if best is None or best.genome is None or best.number == read.header.birth:
        return []
    return [Station("best tuned", best, best.genome)]


def _explained(
    genome: Genome,
    experiment: Experiment,
    task: Task,
    trial: Trial,
    sidecar: Sidecar,
    tell: Progress,
) -> Explanation:
    def measure() -> Any:
        tell("explaining what it does")
        threads = experiment.run.threads
        return plain(explain_genome(genome, experiment, task=task, backend=trial.backend,
                                    threads=threads))  # fmt: skip

    about = purpose(EXPLANATION, trial)
    return sidecar.recall(about, genome.id, measure, lambda told: restored(Explanation, told))


def _tried(warnings: list[str], what: str, make: Callable[[], T]) -> T | None:
    """Make a chapter; where this one cannot be made, warn, and let the others be."""
    try:
        return make()
    except EvoNTMError as error:
        warnings.append(f"no {what}: {error}")
        return None


def _saved(sidecar: Sidecar) -> list[str]:
    try:
        sidecar.save()
    except ReportError as error:
        return [f"what was measured could not be kept for the next time: {error}"]
    return []
