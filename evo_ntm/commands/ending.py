"""How a run that has ended is told, and with which exit status."""

from typing import TYPE_CHECKING

from evo_ntm.exits import DONE, INTERRUPTED, NOT_PASSED

if TYPE_CHECKING:
    from evo_ntm.outcome import Outcome


def tell_outcome(outcome: "Outcome", quiet: bool) -> None:
    """Print how a run ended and its exam, and name the next commands unless it is to be quiet."""
    from evo_ntm import next_steps, screen, tables

    print(screen.summary(outcome), flush=True)
    if outcome.rows:
        tables.show_table(screen.exam_table(outcome.rows))
    if not quiet:
        screen.tell(next_steps.after_evolution(outcome))


def ending_of(outcome: "Outcome") -> int:
    """Give the exit status of a run."""
    if outcome.interrupted:
        return INTERRUPTED
    reported_only = bool(outcome.rows) and all(row.passed is None for row in outcome.rows)
    return DONE if outcome.solved or reported_only else NOT_PASSED
