"""Publish a genome: with its card, its line and pictures of what it does."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from evo_ntm.errors import RunError
from evo_ntm.experiment import dump
from evo_ntm.experiment.rewards import REWARD_SETTINGS
from evo_ntm.genome.files import genome_bytes
from evo_ntm.reports.card import (
    CARD,
    LINE,
    RANDOM,
    WORDS,
    Card,
    Look,
    Tuning,
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
from evo_ntm.verbs.looking import exam
from evo_ntm.verbs.opening import PUBLISHED

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
    picture of its memory at work if the task asks for sequences. `controls` are runs of the same
    tuning from random weights in the same topology, or from an ancestor of the birth; they are
    charted beside it. Raises RunError where the run has not ended, or where there is a folder of
    the name.
    """
    folder, opening = Path(to) / name, open_run(Path(run))
    if not NAME.fullmatch(name):
        raise RunError(f"{name!r}: expected a name of small letters, digits and hyphens")
    if folder.exists():
        raise RunError(f"{folder}: expected no such folder yet, but it is there already")
    if opening.facts().get("interrupted", True):
        raise RunError(f"{run}: expected a run that has ended, but it goes on or was interrupted")
    number = opening.champion() if birth is None else birth
    genome, experiment = opening.genome(number), opening.experiment
    card = card_of(opening, name, number, [open_run(Path(control)) for control in controls])
    part = folder.with_name(f".{name}.{os.getpid()}.part")
    make_folder(part)
    try:
        told = {"experiment": dump(experiment), "birth": str(number)}
        write_document(part / PUBLISHED, genome_bytes(genome, card=told))
        pictures = []
        if experiment.task not in REWARD_SETTINGS:  # which ask for no sequences to be shown
            draw(genome, experiment, to=part / PICTURE)
            pictures.append(PICTURE)
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
        raise
    return folder


def card_of(run: Run, name: str, birth: int, controls: Sequence[Run] = ()) -> Card:
    """Write down what is claimed of a birth, its exam sat anew."""
    experiment, genome = run.experiment, run.genome(birth)
    sat = exam(run.folder, birth=birth)
    [done] = run.rows("SELECT count(*) AS generations, sum(scored) AS scored FROM generations")
    spent = run.facts().get("seconds", 0.0)
    answered = (done["scored"] or 0) * experiment.evolve.episodes
    tuning = _tuning(run, birth, "what evolved")
    evolved = tuning is None or _evolved(run)
    if tuning is not None and evolved:
        tuning = replace(tuning, answered=answered, evolved=spent)
    processes = [json.loads(row["told"]) for row in run.rows("SELECT told FROM processes")]
    last = processes[-1] if processes else {}
    typed = [each.get("command") or [] for each in processes]
    if tuning is None:  # then what was tuned in this run later is somebody else
        typed = [command for command in typed if "finetune" not in command]
    line = {step.number for step in trunk(run, birth)}
    tunings = run.rows("SELECT birth, seconds FROM tunings")
    tuned = sum(row["seconds"] for row in tunings if row["birth"] in line)
    return Card(
        name=name,
        task=experiment.task,
        task_hash=experiment.task_hash,
        config_hash=experiment.config_hash,
        seed=experiment.evolve.seed,
        genome=genome.id,
        topology=str(genome.topology),
        encoding=genome.encoding,
        weights=genome.weights.size,
        birth=birth,
        strategy=experiment.evolve.strategy,
        generations=done["generations"] if evolved else 0,
        scored=(done["scored"] or 0) if evolved else 0,
        answered=answered if evolved else 0,
        seconds=spent + tuned,
        exam=sat.rows,
        passed=sat.passed,
        tuning=tuning,
        controls=tuple(_control(control, run) for control in controls),
        commands=tuple(dict.fromkeys(_command(command) for command in typed)),
        versions=last.get("versions", {}),
        commit=last.get("commit"),
    )


def _control(control: Run, run: Run) -> Tuning:
    """Read back how a tuning went that began with random weights, or with a birth of the run."""
    expected = f"{control.folder}: expected a run that was tuned from random weights or an ancestor"
    last = control.rows("SELECT max(birth) AS birth FROM tunings")[0]["birth"]
    told = None if last is None else _tuning(control, last, RANDOM["direct"])
    if told is None:
        raise RunError(f"{expected}, but nothing was tuned in it")
    if _evolved(control):
        raise RunError(f"{expected}, but its founder evolved there")
    [founder] = control.rows("SELECT * FROM births ORDER BY number LIMIT 1")
    if "import" not in json.loads(founder["operators"]):
        return replace(told, began=RANDOM[control.genome(founder["number"]).encoding])
    born = run.rows("SELECT number, generation FROM births WHERE genome = ?", founder["genome"])
    if not born:
        raise RunError(f"{expected}, but its founder, {founder['genome']}, was not born in "
                       f"{run.folder}")  # fmt: skip
    ancestor, generation = born[0]["number"], born[0]["generation"]
    [before] = run.rows("SELECT sum(scored) AS scored, max(seconds) AS seconds FROM generations "
                        "WHERE number <= ?", generation)  # fmt: skip
    return replace(
        told,
        began=f"birth {ancestor} of generation {generation:,}",
        answered=before["scored"] * run.experiment.evolve.episodes,
        evolved=before["seconds"],
    )


def _tuning(run: Run, birth: int, began: str) -> Tuning | None:
    for row in run.rows("SELECT settings, curve FROM tunings WHERE birth = ?", birth):
        settings, curve = json.loads(row["settings"]), json.loads(row["curve"])
        seed = settings.get("seed")
        return Tuning(
            began=began,
            seed=run.experiment.evolve.seed if seed is None else seed,
            passed_after=next((each["sequences"] for each in curve if each["sat"]), None),
            curve=tuple(
                Look(
                    each["sequences"],
                    each["seconds"],
                    each["validation_bits"],
                    each["validation_wrong_bits"],
                )
                for each in curve
            ),
        )
    return None


def _evolved(run: Run) -> bool:
    """Tell whether a run evolved, and was not made for a tuning alone."""
    return bool(run.rows("SELECT 1 FROM generations WHERE number > 0 LIMIT 1"))


def _command(arguments: Sequence[str]) -> str:
    program, *others = arguments or ["evo-ntm"]
    return shlex.join([Path(program).name.replace("__main__.py", "evo-ntm"), *others])
