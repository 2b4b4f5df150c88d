"""What run a report is of, and what a reader has to be warned of."""

import json
from collections.abc import Sequence
from typing import Any

from evo_ntm.experiment import Experiment
from evo_ntm.reports.chapters import Header
from evo_ntm.reports.line import Birth
from evo_ntm.reports.status import state_of
from evo_ntm.runs.limits import given_since
from evo_ntm.runs.log import read_log
from evo_ntm.runs.run import Run
from evo_ntm.words import counted

SUMS = """
SELECT count(*) AS generations, sum(scored) AS scored, sum(failures) AS failures,
    sum(failures > 0) AS failing, max(seconds) AS seconds FROM generations
"""
COUNTS = """
SELECT (SELECT count(*) FROM births) AS births, (SELECT count(*) FROM processes) AS processes,
    (SELECT count(*) FROM sittings) AS sittings,
    (SELECT count(*) FROM sittings WHERE number <=
        (SELECT min(number) FROM sittings WHERE solved)) AS passed_at,
    (SELECT birth FROM validations WHERE champion ORDER BY generation DESC LIMIT 1) AS champion
"""
EVENTS = "SELECT kind, count(*) AS count FROM events GROUP BY kind"


def tell_header(run: Run, experiment: Experiment, line: Sequence[Birth]) -> Header:
    """Tell what run this is, and whose lineage; the warnings are those that its rows give cause to.

    Raises RunError.
    """
    (sums,), (counts,) = run.rows(SUMS), run.rows(COUNTS)
    events = {row["kind"]: row["count"] for row in run.rows(EVENTS)}
    passed_at = counts["passed_at"] or None
    state = state_of(run, run.facts().get("interrupted", True), passed_at is not None)
    subject = line[-1]
    return Header(
        name=experiment.name,
        task=experiment.task_in_words,
        strategy=experiment.evolve.strategy,
        encoding=experiment.machine.encoding,
        seed=experiment.evolve.seed,
        state=state,
        birth=subject.number,
        is_champion=subject.number == counts["champion"],
        topology=subject.topology,
        generations=sums["generations"],
        births=counts["births"],
        scored=sums["scored"],
        seconds=sums["seconds"],
        processes=counts["processes"],
        restarts=events.get("restart", 0),
        sittings=counts["sittings"],
        passed_at=passed_at,
        warnings=(
            *_edited(run),
            *_granted(run),
            *_unfinished(state),
            *_troubles(sums, events),
            *_lost(run),
            *_unkept(line),
        ),
    )


def _edited(run: Run) -> list[str]:
    return [f"the run {edited}"] if (edited := run.edited()) else []


def _granted(run: Run) -> list[str]:
    """Warn of limits that were given since: a last look at the validation set came before."""
    given = ", ".join(f"evolve.{name}: {json.dumps(limit)}"
                      for name, limit in given_since(run).items())  # fmt: skip
    told = f"the run was given {given} after it had begun: with that from the first it may not " \
           "come out as this"  # fmt: skip
    return [told] if given else []


def _unfinished(state: str) -> list[str]:
    if state == "running":
        return ["the run goes on: this is how far it has come, and who is champion may change"]
    if state == "interrupted":
        return ["the run was interrupted and can be gone on with: evo-ntm resume"]
    return []


def _troubles(sums: Any, events: dict[str, int]) -> list[str]:
    """Warn of machines, workers and generations that went wrong."""
    told = []
    if sums["failures"]:
        told.append(f"{counted(sums['failures'], 'machine')} in "
                    f"{counted(sums['failing'], 'generation')} answered with no number, or could "
                    "not be scored: their fitness is the worst there is")  # fmt: skip
    if failed := events.get("failure"):
        told.append(f"scoring failed {counted(failed, 'time')}, in a worker or in an episode of an "
                    "environment: what was in hand counts as worst, see the events")  # fmt: skip
    if drifted := events.get("drift"):
        told.append(f"{counted(drifted, 'generation')} came out otherwise when the run was gone on "
                    "with: it may not come out as this again, see the events")  # fmt: skip
    return told


def _lost(run: Run) -> list[str]:
    """Warn of workers that went away; what they had in hand others did."""
    lost = sum(told.get("kind") == "lost" for told in read_log(run))
    told = f"{counted(lost, 'worker')} went away meanwhile, and others did their work"
    return [told] if lost else []


def _unkept(line: Sequence[Birth]) -> list[str]:
    missing = sum(birth.genome is None for birth in line)
    if not missing:
        return []
    return [f"{missing:,} of the {counted(len(line), 'birth')} of the line are not measured, as "
            "their genomes were not kept: run.keep keeps lines that live on with lineage, "
            "and those that died out with all"]  # fmt: skip
