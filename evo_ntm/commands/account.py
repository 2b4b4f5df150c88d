"""How an explanation of a machine is told: what it does, its program, its parts, its failings."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evo_ntm.reports.explanation import Explanation


def tell_explanation(explanation: "Explanation") -> None:
    """Print what a machine does."""
    print("What it does")
    _tell(explanation.summary)
    print("\nThe program it runs")
    _tell(explanation.program)
    if explanation.ablations:
        print("\nWhat its parts are worth")
        _tell_parts(explanation)
    print("\nWhat it was asked")
    _tell_asked(explanation)
    if explanation.failings:
        print("\nWhere it fails")
        _tell_failings(explanation)
    print("\nEvidence")
    _tell(explanation.evidence)


def explanation_json(explanation: "Explanation") -> str:
    """Write an explanation as JSON; what is not finite is null."""
    from evo_ntm.runs.database import finite

    return json.dumps(finite(asdict(explanation)), indent=2, allow_nan=False)


def _tell(lines: Iterable[str]) -> None:
    """Print lines, indented as they are and a little more, each on as many as it takes."""
    from evo_ntm.tables import show_facts

    for line in lines:
        show_facts({"": line.lstrip()}, indent=len(line) - len(line.lstrip()))


def _tell_parts(explanation: "Explanation") -> None:
    from evo_ntm.tables import new_table, show_table

    table = new_table("without", "costs more", "95 %", "bits", "wrong bits", "")
    for part in explanation.ablations:
        table.add_row(
            part.part,
            f"{part.loss:+z.2f}",
            f"{part.low:+z.2f} to {part.high:+z.2f}",
            f"{part.bits:.2f}",
            f"{part.wrong_bits:.2f}",
            "needed" if part.matters else "not needed",
        )
    show_table(table)


def _tell_asked(explanation: "Explanation") -> None:
    from evo_ntm.tables import new_table, show_facts, show_table

    table = new_table("part", "rows", "sequences", "wrong")
    for part in explanation.asked:
        counts = part.rows, part.sequences, part.wrong_sequences
        table.add_row(part.name, *(f"{count:,}" for count in counts))
    show_table(table)
    show_facts({"wrong": f"where {explanation.wrong_means}"})


def _tell_failings(explanation: "Explanation") -> None:
    from evo_ntm.tables import new_table, show_facts, show_table

    table = new_table("what", "of", "how many", "wrong", "others wrong")
    for failing in explanation.failings:
        shares = (
            f"{100 * share:.1f} %" for share in (failing.share_wrong, failing.share_otherwise)
        )
        table.add_row(failing.told, failing.of, f"{failing.sequences:,}", *shares)
    show_table(table)
    note = "each row is of what those above it of its kind do not have; answers up to the first "
    show_facts({"note": f"{note}wrong one of a sequence"})
