"""How a comparison of runs is told: what to be warned of, then a table after the other."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evo_ntm.reports.comparison import Comparison


def tell_comparison(comparison: "Comparison") -> None:
    """Print a comparison, but for what is told of every run alone."""
    from evo_ntm.reports.comparison.tables import tables
    from evo_ntm.tables import new_table, show_facts, show_table

    for warning in comparison.warnings:
        show_facts({"warning": warning})
    for number, told in enumerate(each for each in tables(comparison) if not each.detail):
        print("\n" * bool(number or comparison.warnings) + told.title)
        if told.rows:
            table = new_table(*told.headings)
            for row in told.rows:
                table.add_row(*row)
            show_table(table)
        for note in told.notes:
            show_facts({"note": note})


def comparison_json(comparison: "Comparison") -> str:
    """Write a comparison as JSON; what is not finite is null."""
    from evo_ntm.reports.comparison.files import plainly

    return json.dumps(plainly(comparison), indent=2, allow_nan=False)
