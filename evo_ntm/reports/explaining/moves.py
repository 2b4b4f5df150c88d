"""How heads move: by a few rows, by a jump to where content leads, or not to one row at all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo_ntm.reports.explaining.provenance import NEVER, SHARP
from evo_ntm.reports.explaining.scene import Scene

Booleans = NDArray[np.bool_]

NAMED = 0.8  # of the jumps must lead to a place for it to be named
RULE = 0.8  # of what is unusual, and of where a rule says so, must be the same
RARE = 0.03
STAYS, ELSEWHERE = "the row it is at", "a row that its content decides on"
Kind = Literal["step", "jump", "spread"]


class Move(NamedTuple):
    """A way to move: on by `rows`, or to a `place` by content first, or to about `rows` at once."""

    kind: Kind
    rows: int = 0
    place: str = ""


class Unusual(NamedTuple):
    """When a head moves otherwise than usual, and how."""

    when: str
    move: Move
    share: float


@dataclass(frozen=True)
class Moves:
    """The ways a head moved in some steps, the usual first, each with its share."""

    shares: tuple[tuple[Move, float], ...]
    steps: int
    unusual: Unusual | None = None

    @property
    def usual(self) -> Move:
        """Name the move that was made most often."""
        return self.shares[0][0]

    @property
    def share(self) -> float:
        """Tell how often it was made."""
        return self.shares[0][1]

    def as_usual(self, other: "Moves") -> bool:
        """Tell whether others are usually made alike; how many rows at once makes no difference."""
        kinds = self.usual.kind, other.usual.kind
        return self.usual == other.usual or kinds == ("spread", "spread")


def moves(scene: Scene, head: int, where: Booleans) -> Moves | None:
    """Tell how a head moved at some steps [T, B]; None where there are none."""
    if not where.any():
        return None
    look = scene.traces.look
    shifted, moved = look.shifted[..., head], look.moved[..., head]
    spread = (look.top[..., head] < SHARP) & where
    jumped = look.by_content[..., head] & ~spread & where
    found: Counter[Move] = Counter()
    if spread.any():
        rows = 2 ** float(np.median(look.entropy[..., head][spread]))
        by_content = look.by_content[..., head][spread].mean() > 0.5
        found[Move("spread", round(rows), "by content" if by_content else "")] = int(spread.sum())
    for rows in np.unique(shifted[jumped]):
        those = jumped & (shifted == rows)
        place = _place(scene, head, those)
        kind: Kind = "step" if place == STAYS else "jump"
        found[Move(kind, int(rows), "" if place == STAYS else place)] += int(those.sum())
    for rows in np.unique(moved[where & ~spread & ~jumped]):
        those = where & ~spread & ~jumped & (moved == rows)
        found[Move("step", int(rows))] += int(those.sum())
    steps = int(where.sum())
    shares = tuple((move, count / steps) for move, count in found.most_common())
    return Moves(shares, steps, _unusual(scene, head, where, shares))


def _place(scene: Scene, head: int, where: Booleans) -> str:
    """Name the place that jumps lead to, if most lead to one."""
    told, best = ELSEWHERE, NAMED
    for name, there in _places(scene, head).items():
        share = float(there[where].mean())
        if share > best:
            told, best = name, share
    return told


def _places(scene: Scene, head: int) -> Mapping[str, Booleans]:
    rows, since = scene.traces.look.aimed[..., head], scene.provenance.aimed[..., head]
    first, last = scene.provenance.first[..., head], scene.provenance.last[..., head]
    reader = head - len(scene.traces.topology.writers)
    lead, block = scene.leads[reader] if reader >= 0 else (0, 0)
    return {
        STAYS: rows == scene.before(head),
        "the first row that was written": (rows == first) & (first != NEVER),
        "the row last written": (rows == last) & (last != NEVER),
        "the row written when the vector now shown came in": scene.shown(since),
        "the row of the vector shown last": scene.recalled(since),
        "the row of the vector asked for": scene.asked(since, block, lead),
        "row 0": rows == 0,
        "a blank row": since == NEVER,
    }


def _unusual(
    scene: Scene, head: int, where: Booleans, shares: tuple[tuple[Move, float], ...]
) -> Unusual | None:
    """Find a rule that tells when a head moves otherwise than usual."""
    usual, other = shares[0][0], shares[1][0] if len(shares) > 1 else None
    if other is None or shares[1][1] < RARE or "spread" in (usual.kind, other.kind):
        return None
    otherwise = where & _is(scene, head, other)
    for when, there in _conditions(scene, head).items():
        both = int((otherwise & there).sum())
        if both >= RULE * max(int(otherwise.sum()), int((there & where).sum())):
            return Unusual(when, other, shares[1][1])
    return None


def _is(scene: Scene, head: int, move: Move) -> Booleans:
    look = scene.traces.look
    sharp: Booleans = look.top[..., head] >= SHARP
    by_content = look.by_content[..., head]
    went = look.shifted if move.kind == "jump" else look.moved
    there: Booleans = went[..., head] == move.rows
    return sharp & there & (by_content if move.kind == "jump" else ~by_content)


def _conditions(scene: Scene, head: int) -> Mapping[str, Booleans]:
    before = scene.before(head)
    vectors = scene.vectors
    shown = scene.plan.of_kind("input")
    return {
        "after the row last written": before == scene.provenance.last[..., head],
        "after the first row that was written": before == scene.provenance.first[..., head],
        "when the vector that comes in is blank": shown & (vectors == 0).all(-1),
        "after a row that holds no input": scene.unheard(head),
    }
