"""How a birth was tuned, and the same tuning of something else, its control."""

import json
from collections.abc import Sequence
from typing import Any

from evo_ntm.errors import RunError
from evo_ntm.experiment.finetune import OWN, Finetune
from evo_ntm.reports.card import IMPORTED, RANDOM, Look, Tuning
from evo_ntm.runs.ancestry import Step, trunk
from evo_ntm.runs.run import Run
from evo_ntm.tuning.loop import OPERATOR

IMPORT = "import"
FREE = {"after_evolution", "seed", "steps", "minutes"}
"""Settings in which a control may differ: of a budget the curves tell."""

Row = dict[str, Any]


def evolved(run: Run) -> bool:
    """Tell whether a run evolved, and was not made for a tuning alone."""
    return bool(run.rows("SELECT 1 FROM generations WHERE number > 0 LIMIT 1"))


def answered_in(run: Run, last: int | None = None) -> int:
    """Count the sequences that evolution answered, in a run or up to a generation of it."""
    rows = run.rows("SELECT stage, count(*) AS generations, sum(scored) AS scored FROM generations "
                    "WHERE ? IS NULL OR number <= ? GROUP BY stage", last, last)  # fmt: skip
    generations = {row["stage"]: row["generations"] for row in rows}
    return run.experiment.evolve.answered(sum(row["scored"] for row in rows), generations)


def last_generation(run: Run, line: Sequence[Step]) -> int | None:
    """Tell up to which generation evolution has to be counted for what a line ends with.

    None stands for all, as it took them to find the champion; of anyone else it took those until
    it was born.
    """
    tuned = {row["birth"] for row in run.rows("SELECT birth FROM tunings")}
    *_, last = (step for step in line if step.number not in tuned)
    champions = run.rows("SELECT birth FROM validations WHERE champion ORDER BY generation")
    found = [row["birth"] for row in champions if row["birth"] not in tuned]
    return None if found[-1:] == [last.number] else last.generation


def imported(run: Run) -> bool:
    """Tell whether the first birth of a run came from elsewhere."""
    [founder] = run.rows("SELECT operators FROM births ORDER BY number LIMIT 1")
    return IMPORT in json.loads(founder["operators"])


def trained(run: Run, line: Sequence[Step]) -> int:
    """Count the births of a line that were trained as they were born, while it evolved."""
    tuned = {row["birth"] for row in run.rows("SELECT birth FROM tunings")}
    return sum(OPERATOR in step.operators and step.number not in tuned for step in line)


def tuning_of(run: Run, birth: int) -> Tuning | None:
    """Read back how a birth was tuned, what was tuned before on its line counted in."""
    rows = _rows(run, birth)
    if not rows or rows[-1]["birth"] != birth:
        return None
    *before, last = rows
    met, spent = (sum(row[name] for row in before) for name in ("sequences", "seconds"))
    curve = json.loads(last["curve"])
    sat = [point["sequences"] for point in curve if point["sat"]]
    return Tuning(
        began=_began(run),
        seed=_seed(run, last),
        # What passed may be older than the sitting, which may have been late.
        passed_after=met + min(*sat, last["sequences"]) if sat else None,
        met=met + curve[-1]["sequences"],
        curve=tuple(
            Look(met + point["sequences"], spent + point["seconds"], point["validation_bits"],
                 point["validation_wrong_bits"])
            for point in curve
            if point["validation_bits"] is not None  # as where it diverged
        ),
    )  # fmt: skip


def control_of(control: Run, run: Run, birth: int) -> Tuning:
    """Read back a tuning that began with random weights, or with an ancestor of the birth.

    Raises RunError where it is none of these, or not the same tuning as that of the birth.
    """
    expected = f"{control.folder}: expected a run that was tuned from random weights or an ancestor"
    if control.folder.resolve() == run.folder.resolve():
        raise RunError(f"{expected}, but it is the run that it would be held against")
    [last] = control.rows("SELECT max(birth) AS birth FROM tunings")
    told = None if last["birth"] is None else tuning_of(control, last["birth"])
    if told is None:
        raise RunError(f"{expected}, but nothing was tuned in it")
    if evolved(control):
        raise RunError(f"{expected}, but its founder evolved there")
    _require_the_same(control, last["birth"], run, birth)
    if not imported(control):
        _require_one_shape(control, last["birth"], run, birth)
        return told
    [founder] = control.rows("SELECT genome FROM births ORDER BY number LIMIT 1")
    ancestors = run.rows("SELECT number, generation FROM births WHERE genome = ? AND number IN "
                         "(SELECT value FROM json_each(?))", founder["genome"],
                         _line(run, birth))  # fmt: skip
    if not ancestors:
        raise RunError(f"{expected}, but its founder, {founder['genome']}, is none of birth "
                       f"{birth} in {run.folder}")  # fmt: skip
    ancestor, generation = ancestors[0]["number"], ancestors[0]["generation"]
    [before] = run.rows("SELECT max(seconds) AS seconds FROM generations WHERE number <= ?",
                        generation)  # fmt: skip
    return told.after(
        f"birth {ancestor} of generation {generation:,}",
        answered=answered_in(run, generation),
        evolved=before["seconds"],
    )


def _rows(run: Run, birth: int) -> list[Row]:
    """Give the tunings on the line to a birth, in their order."""
    rows = run.rows("SELECT * FROM tunings WHERE birth IN (SELECT value FROM json_each(?)) "
                    "ORDER BY birth", _line(run, birth))  # fmt: skip
    return [dict(row) for row in rows]


def _line(run: Run, birth: int) -> str:
    """List the births on the line to a birth, as SQLite takes lists."""
    return json.dumps([step.number for step in trunk(run, birth)])


def _began(run: Run) -> str:
    if evolved(run):
        return "what evolved"
    if imported(run):
        return IMPORTED
    [founder] = run.rows("SELECT number FROM births ORDER BY number LIMIT 1")
    return RANDOM[run.genome(founder["number"]).encoding]


def _seed(run: Run, row: Row) -> int:
    seed: int | None = json.loads(row["settings"]).get("seed")
    return run.experiment.evolve.seed if seed is None else seed


def _require_the_same(control: Run, tuned: int, run: Run, birth: int) -> None:
    """Refuse a control on another task, by another exam, or by other settings."""
    if control.experiment.task_hash != run.experiment.task_hash:
        own, other = (f"{experiment.task} ({experiment.task_hash[:8]})"
                      for experiment in (run.experiment, control.experiment))  # fmt: skip
        raise RunError(f"{control.folder}: expected the task, curriculum and exam of {run.folder}, "
                       f"{own}, but came {other}")  # fmt: skip
    rows = _rows(run, birth)
    if not rows:
        raise RunError(f"{run.folder}: expected a birth that was tuned, to be held against "
                       f"{control.folder}, but birth {birth} was not")  # fmt: skip
    its, asked = _settings(_rows(control, tuned)[-1]), _settings(rows[-1])
    for name, value in asked.items():
        if its[name] != value:
            raise RunError(f"{control.folder}: expected the tuning of birth {birth} of "
                           f"{run.folder}, whose finetune.{name} is {value}, "
                           f"but came {its[name]}")  # fmt: skip


def _settings(row: Row) -> dict[str, object]:
    settings = Finetune.model_validate(json.loads(row["settings"]))
    told = settings.model_dump(mode="json", exclude=FREE)
    return {**told, **{name: settings.own(name) for name in OWN[settings.optimiser]}}


def _require_one_shape(control: Run, tuned: int, run: Run, birth: int) -> None:
    own, came = run.genome(birth), control.genome(tuned)
    if (own.topology, own.encoding) != (came.topology, came.encoding):
        raise RunError(f"{control.folder}: expected the topology of birth {birth} of {run.folder}, "
                       f"{own.topology}, {own.encoding}, but came {came.topology}, "
                       f"{came.encoding}")  # fmt: skip
