"""Charts of a published genome's tuning beside its controls, by all that it took."""

from collections.abc import Callable

from evo_ntm.reports.card import Card, Look, Tuning
from evo_ntm.reports.charts.layers import Chart, Line, briefly
from evo_ntm.reports.learning.charts import scaled
from evo_ntm.reports.palette import DASHES, series

COST = "Bits, all of the validation set added up"


def tunings(card: Card) -> tuple[Chart, ...]:
    """Chart what a tuning and its controls came to, by sequences and by seconds.

    What evolution took before is counted: the line of what evolved begins after it. There are no
    charts where no gradient was used.
    """
    if card.tuning is None:
        return ()
    all_of_them = (card.tuning, *card.controls)
    told = f"What {card.name} cost while it was tuned, and its controls, by"
    return (
        _chart("tuning", f"{told} all sequences that were answered", "sequences, in thousands",
               all_of_them, lambda each, look: (each.answered + look.sequences) / 1000),
        _chart("tuning-seconds", f"{told} the seconds that all took", "seconds",
               all_of_them, lambda each, look: each.evolved + look.seconds),
    )  # fmt: skip


def _chart(
    name: str,
    told: str,
    x: str,
    tunings: tuple[Tuning, ...],
    place: Callable[[Tuning, Look], float],
) -> Chart:
    lines = []
    for number, each in enumerate(tunings):
        looks = [look for look in each.curve if place(each, look) > 0]  # for the logarithm
        along = briefly(tuple(place(each, look) for look in looks))
        bits = briefly(tuple(look.bits for look in looks))
        dash = DASHES[number % len(DASHES)]
        lines.append(Line(f"{each.began}, seed {each.seed}", along, bits, series(number), dash,
                          width=1.6 if number else 2.4))  # fmt: skip
    counted = "those of evolution among them"
    return Chart(name, f"{told}, {counted}.", f"{x}, {counted}", (scaled(COST, lines, 300),),
                 logarithmic=True)  # fmt: skip
