"""Publish a genome: with its card, its line and pictures of what it does."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from evo_ntm.errors import RunError, TaskError
from evo_ntm.experiment import dump
from evo_ntm.genome.files import PUBLISHED, genome_bytes
from evo_ntm.reports.card import (
    CARD,
    LINE,
    WORDS,
    Card,
    card_json,
    card_words,
    line_csv,
)
from evo_ntm.reports.documents import make_folder, write_document
from evo_ntm.reports.learning.tunings import tunings
from evo_ntm.reports.memory_use import draw
from evo_ntm.reports.pictures import write_picture
from evo_ntm.reports.prints import draw as draw_chart
from evo_ntm.runs.ancestry import trunk
from evo_ntm.runs.run import Run
from evo_ntm.runs.store import open_run
from evo_ntm.tuning.assignment import under_way
from evo_ntm.verbs.controls import (
    answered_in,
    control_of,
    evolved,
    imported,
    last_generation,
    trained,
    tuning_of,
)
from evo_ntm.verbs.looking import exam
from evo_ntm.words import as_typed

GENOMES = Path("genomes")
PICTURE = "memory.png"
NAME = re.compile("[a-z0-9][a-z0-9-]{0,79}")


def publish(
    run: Path | str,
    name: str,
    *,
    birth: int | None = None,
    controls: Sequence[Path | str] = (),
    to: Path | str = GENOMES,
) -> Path:
    """Publish a run's champion, or another birth, as a folder that stands by itself.

    It holds the genome, a card whose claims are measured now, the line from its founder, and a
    picture of its memory at work. `controls` are runs of the same tuning from random weights in the
    same topology, or from an ancestor of the birth; they are charted beside it. Raises RunError
    where the run has not ended or its task file was edited since, where a control is something
    else, or where there is a folder of the name, TaskError where an episode of the exam fails.
    """
    folder, opening = Path(to) / name, open_run(Path(run))
    if not NAME.fullmatch(name):
        raise RunError(f"{name!r}: expected a name of small letters, digits and hyphens")
    if folder.exists():
        raise RunError(f"{folder}: expected no such folder yet, but it is there already")
    if opening.facts().get("interrupted", True):
        raise RunError(f"{run}: expected a run that has ended, but it goes on or was interrupted")
    if (tuning := under_way(opening)) is not None:
        raise RunError(f"{run}: expected a run that has ended, but a tuning of birth "
                       f"{tuning.parent} goes on or was interrupted: evo-ntm resume "
                       f"{shlex.quote(str(run))} goes on with it")  # fmt: skip
    opening.require_unedited()
    number = opening.champion() if birth is None else birth
    genome, experiment = opening.genome(number), opening.experiment
    card = card_of(opening, name, number, [open_run(Path(control)) for control in controls])
    part = folder.with_name(f".{name}.{os.getpid()}.part")
    made = [place for place in part.parents if not place.exists()]
    make_folder(part)
    try:
        told = {"experiment": dump(experiment), "birth": str(number)}
        write_document(part / PUBLISHED, genome_bytes(genome, card=told))
        draw(genome, experiment, to=part / PICTURE)
        pictures = [PICTURE]
        for chart in tunings(card):
            pictures.append(f"{chart.name}.png")
            write_picture(part / pictures[-1], partial(draw_chart, chart))
        write_document(part / LINE, line_csv(trunk(opening, number)))
        write_document(part / CARD, card_json(card))
        write_document(
            part / WORDS,
            card_words(card, folder, pictures),
        )
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        for place in made:
            with suppress(OSError):  # somebody else may have put something there
                place.rmdir()
        raise
    return folder


def card_of(run: Run, name: str, birth: int, controls: Sequence[Run] = ()) -> Card:
    """Write down what is claimed of a birth, its exam sat anew."""
    experiment, genome = run.experiment, run.genome(birth)
    sat = exam(run.folder, birth=birth)
    if sat.failures:
        raise TaskError(f"{run.folder}: {sat.failures[0]}")
    tuning, has_evolved, line = tuning_of(run, birth), evolved(run), trunk(run, birth)
    last = last_generation(run, line)
    [done] = run.rows("SELECT count(*) AS generations, sum(scored) AS scored, max(seconds) "
                      "AS seconds FROM generations WHERE ? IS NULL OR number <= ?",
                      last, last)  # fmt: skip
    spent = run.facts().get("seconds", 0.0) if last is None else done["seconds"]
    answered = answered_in(run, last)
    if tuning is not None and has_evolved:
        tuning = tuning.after(tuning.began, answered=answered, evolved=spent)
    processes = [json.loads(row["told"]) for row in run.rows("SELECT told FROM processes")]
    made_by = processes[-1] if processes else {}
    typed = [each.get("command") or [] for each in processes]
    if tuning is None and has_evolved:  # then what was tuned in this run later is somebody else
        typed = [command for command in typed if "finetune" not in command]
    steps = {step.number for step in line}
    tuned = sum(row["seconds"] for row in run.rows("SELECT birth, seconds FROM tunings")
                if row["birth"] in steps)  # fmt: skip
    return Card(
        name=name,
        task=experiment.task,
        environment=experiment.environment,
        task_hash=experiment.task_hash,
        config_hash=experiment.config_hash,
        seed=experiment.evolve.seed,
        genome=genome.id,
        topology=str(genome.topology),
        encoding=genome.encoding,
        weights=genome.weights.size,
        birth=birth,
        strategy=experiment.evolve.strategy,
        imported=imported(run),
        trained=trained(run, line),
        generations=done["generations"] if has_evolved else 0,
        scored=(done["scored"] or 0) if has_evolved else 0,
        answered=answered if has_evolved else 0,
        seconds=spent + tuned,
        exam=sat.rows,
        passed=sat.passed,
        tuning=tuning,
        controls=tuple(control_of(control, run, birth) for control in controls),
        commands=tuple(dict.fromkeys(as_typed(command) for command in typed)),
        versions=made_by.get("versions", {}),
        commit=made_by.get("commit"),
    )
