"""Where things in the memory come from: at which step the row was written that a head looks at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evo_ntm.reports.explaining.phases import Plan
from evo_ntm.reports.explaining.traces import Traces

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

SHARP = 0.5  # of the weight must be on one row, or the head looks at no row in particular
SLIGHT = 0.25  # of what a usual write changes counts for nothing …
USUAL = 0.9  # … which is more than what so many of the writes change
NEVER = -1


@dataclass(frozen=True, eq=False)
class Provenance:
    """Steps at which rows were last written; NEVER where they were not.

    `focus` and `aimed` [T, B, H] are of the rows at a head's focus and at its aim before the shift:
    as readers find them, after the writes of the step, and writers before. `first` and `last` are
    the rows of those written while vectors came in: the first of them, and the last so far. `near`
    [T, B, R, 4] is of the rows of a reader's greatest weights, and `author` numbers the writers
    that wrote these. `counts` [T, B, W] tells which writes change enough to count.
    """

    focus: Integers
    aimed: Integers
    first: Integers
    last: Integers
    near: Integers
    author: Integers
    counts: Booleans


def provenance(traces: Traces, plan: Plan) -> Provenance:
    """Follow what is written to which row, and who looks at it."""
    look, writers = traces.look, len(traces.topology.writers)
    steps, lanes, heads = look.focus.shape
    counts = _counts(traces, plan)
    written, author = np.full((2, lanes, traces.rows), NEVER)
    begun, latest = np.full((2, lanes), NEVER)
    focus, aimed, first, last = np.full((4, steps, lanes, heads), NEVER)
    near, by = np.full((2, *traces.near.shape), NEVER)
    lane = np.arange(lanes)

    def look_up(step: int, head: int) -> None:
        focus[step, :, head] = written[lane, look.focus[step, :, head]]
        aimed[step, :, head] = written[lane, look.aimed[step, :, head]]
        first[step, :, head], last[step, :, head] = begun, latest

    for step in range(steps):
        for writer in range(writers):
            look_up(step, writer)
        for writer in range(writers):
            rows, does = look.focus[step, :, writer], counts[step, :, writer]
            written[lane[does], rows[does]] = step
            author[lane[does], rows[does]] = writer
            counted = does & plan.heard[step]
            begun = np.where(counted & (begun == NEVER), rows, begun)
            latest = np.where(counted, rows, latest)
        for reader in range(writers, heads):
            look_up(step, reader)
        near[step], by[step] = (table[lane[:, None, None], traces.near[step]]
                                for table in (written, author))  # fmt: skip
    return Provenance(focus, aimed, first, last, near, by, counts)


def _counts(traces: Traces, plan: Plan) -> Booleans:
    """Tell which writes count: those to one row that change it about as much as usual."""
    writers = len(traces.topology.writers)
    sharp = (traces.look.top[..., :writers] >= SHARP) & traces.going[..., None]
    shown = sharp & ~plan.of_kind("answer")[..., None]
    usual = [float(np.quantile(traces.effect[..., writer][shown[..., writer]], USUAL))
             for writer in range(writers) if shown[..., writer].any()]  # fmt: skip
    return sharp & (traces.effect > SLIGHT * max(usual, default=0.0))
