"""The program that a machine runs, in the pseudo-code of Graves, Wayne and Danihelka (2014).

Section 4.1 gives it for copy; here every line is made of what was measured.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from evo_ntm.reports.explaining.behaviour import Behaviour
from evo_ntm.reports.explaining.phases import Loop, Phase
from evo_ntm.reports.explaining.phrases import deeds, is_idle, listed, ordered, rests
from evo_ntm.reports.explaining.scene import Scene, wide_blocks

Part = Phase | Loop


@dataclass(frozen=True, eq=False)
class Cast:
    """Who does what: the heads that are told of, by name, and whether answers come from reads."""

    scene: Scene
    behaviours: Sequence[Behaviour]
    shown: Collection[str]
    from_reads: bool

    @property
    def thing(self) -> str:
        """Name what comes in."""
        return self.scene.thing

    @property
    def several(self) -> bool:
        """Tell whether answers have several blocks to choose from."""
        return len(wide_blocks(self.scene.traces.topology.outputs)) > 1

    def on(self, phase: Phase) -> list[Behaviour]:
        """List what is told of a phase."""
        return [b for b in self.behaviours if b.phase == phase and b.head.name in self.shown]


def program(cast: Cast) -> tuple[str, ...]:
    """Write the program of the heads that are shown."""
    heads = [head.name for head in cast.scene.traces.heads if head.name in cast.shown]
    begin = f"memory blank, {listed(heads)} at row 0" if heads else "no memory is used"
    return (f"initialise: {begin}", *_parts(cast, cast.scene.plan.order))


def _parts(cast: Cast, parts: Sequence[Part]) -> list[str]:
    lines = []
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        if isinstance(part, Loop):
            first = part.phases[0]
            each = first.flag.removesuffix(" flag") if isinstance(first, Phase) else ""
            inner = _indented(_parts(cast, part.phases))
            lines += [f"for each {each or 'turn'} do", *inner, "end for"]
        else:
            lines += _phase(cast, part, after)
    return lines


def _phase(cast: Cast, phase: Phase, after: Part | None) -> list[str]:
    received = _received(cast, phase)
    lines = [f"{b.head.name}: {ordered(deeds(b, cast.thing, several=cast.several))}"
             for b in cast.on(phase) if _told(b)]  # fmt: skip
    begin = [f"receive {received}"] if received else []
    if phase.kind == "flag":
        return [*begin, *_indented(lines)]
    if phase.kind == "answer":
        return _while("answers are due", [*begin, *_emitted(cast, lines)])
    if phase.kind == "rest":
        return _while("anything else comes in", [*begin, *lines]) if lines and received else []
    until = "no answer is due"
    if isinstance(after, Phase) and after.kind == "flag":
        until = f"the {after.flag} is not seen"
    elif after is None:
        until = f"{cast.thing}s come in"
    return _while(until, [*begin, *lines])


def _told(b: Behaviour) -> bool:
    """Leave out what has no effect: waiting on a flag, writing what nobody reads, blending rows."""
    if b.reading is not None and not b.due:
        blends = b.moves.usual.kind == "spread"
        return not blends and not (b.phase.kind == "flag" and rests(b))
    return b.phase.kind == "input" or not is_idle(b)


def _while(condition: str, lines: Sequence[str]) -> list[str]:
    return [f"while {condition} do", *_indented(lines), "end while"]


def _emitted(cast: Cast, lines: Sequence[str]) -> list[str]:
    """Put the answer where it is given: before the reads, where these are for the next one."""
    if not cast.from_reads:
        return [*lines, "emit output, from the controller alone"]
    leads = cast.scene.leads
    if leads and all(lead for lead, _ in leads):
        return ["emit output", *lines]
    return [*lines, "emit output"]


def _received(cast: Cast, phase: Phase) -> str:
    """Name what comes in during a phase."""
    plan, inputs = cast.scene.plan, cast.scene.traces.inputs
    where = plan.where[phase]
    words = [phase.flag] if phase.kind == "flag" else []
    if (where & plan.heard).any():
        words.append(f"input {cast.thing}")
    words += [name for channel, name in plan.channels.values
              if (inputs[..., channel][where] != 0).mean() > 0.5]  # fmt: skip
    return listed(words)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
