"""A comparison for other programs: plain values, CSV of all runs, and tables for LaTeX."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evo_ntm.reports.comparison.comparison import HASH, Comparison
from evo_ntm.reports.comparison.groups import Group
from evo_ntm.reports.comparison.results import COMPUTED, Result
from evo_ntm.reports.comparison.tables import Table, tables
from evo_ntm.runs.database import finite

IN_PRINT = ("rates", "costs", "contrasts")
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "…": r"\ldots{}", "[": "{[}", "]": "{]}",
}  # fmt: skip
"""What LaTeX would take for something else; a row that begins with [ would set its distance."""


def plainly(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as dicts and lists of plain values, null for what is not finite."""
    told: Any = finite(asdict(comparison))
    for group, plain in zip(comparison.groups, told["groups"], strict=True):
        for result, each in zip(group.results, plain["results"], strict=True):
            each["path"] = str(result.path)
        plain["solved_by"] = {
            measure: [list(step) for step in group.solved_by(measure)] for measure in group.costs
        }
        plain["ended"] = len(group.ended)
    plain_groups: dict[str, Any] = told
    return plain_groups


def as_csv(comparison: Comparison) -> str:
    """Write all runs as CSV, a row each, with a column for what is wrong in each part of an exam.

    Parts of exams of different tasks are different columns.
    """
    parts = _parts(comparison.groups)
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow([
        "group", "task", "strategy", "encoding", "seed", "state", "solved", "generations",
        "evaluations", "timesteps", "seconds", "restarts", "sittings", "experiment", "task_hash",
        "path", *COMPUTED, *parts.values(),
    ])  # fmt: skip
    for group in comparison.groups:
        for run in group.results:
            rows.writerow(_row(group, run, parts))
    return written.getvalue()


def _row(group: Group, run: Result, parts: Mapping[tuple[str, str], str]) -> list[object]:
    wrong = {(group.task_hash, row.name): row.wrong for row in run.exam}
    return [
        group.name, group.task, group.strategy, group.encoding, run.seed, run.state,
        int(run.solved), run.generations, run.evaluations, run.timesteps, run.seconds,
        run.restarts, run.sittings, group.experiment, group.task_hash, run.path,
        *(run.computed.get(name, "") for name in COMPUTED), *(wrong.get(key, "") for key in parts),
    ]  # fmt: skip


def _parts(groups: Sequence[Group]) -> dict[tuple[str, str], str]:
    """Name the columns of parts of exams, with the task where there are several."""
    keys = dict.fromkeys(
        (group.task_hash, row.name) for group in groups for run in group.results for row in run.exam
    )
    several = len({task for task, _ in keys}) > 1
    words = {group.task_hash: group.words for group in groups}
    return {
        (task, name): f"{words[task].wrong}, {name}" + (f" (task {task[:HASH]})" if several else "")
        for task, name in keys
    }


def as_latex(comparison: Comparison) -> str:
    """Write what matters most as tables of LaTeX, in the style of the package booktabs."""
    told = [_table(table) for table in tables(comparison) if table.name in IN_PRINT and table.rows]
    return "\n".join(["% Written by evo-ntm compare; needs \\usepackage{booktabs}.", *told])


def _table(table: Table) -> str:
    kinds = "".join("r" if n in table.figures else "l" for n in range(len(table.headings)))
    lines = [_line(row) for row in table.rows]
    caption = " ".join([f"{table.title}.", *table.notes])
    return "\n".join([
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escaped(caption)}}}",
        rf"  \begin{{tabular}}{{{kinds}}}",
        r"    \toprule",
        f"    {_line(table.headings)}",
        r"    \midrule",
        *(f"    {line}" for line in lines),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
        "",
    ])  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def escaped(text: str) -> str:
    """Write a text so that LaTeX takes no sign of it for anything else."""
    return "".join(SPECIAL.get(sign, sign) for sign in text)
