"""What was measured for a program, a sentence each, with its numbers."""

from evo_ntm.reports.explaining.behaviour import Behaviour, Reading, Writing
from evo_ntm.reports.explaining.moves import Moves
from evo_ntm.reports.explaining.phrases import ago, is_idle, listed, move, percent, told, when
from evo_ntm.reports.explaining.program import Cast
from evo_ntm.reports.explanation import Ablation

MOST_MOVES = 3
DECIDES = 0.25


def evidence(cast: Cast, worth: tuple[Ablation, ...]) -> tuple[str, ...]:
    """Say in numbers what every head that is told of did in every phase."""
    traces = cast.scene.traces
    sentences: list[str] = []
    for phase in cast.scene.plan.where:
        for behaviour in cast.on(phase):
            sentences += _of(behaviour, when(phase, cast.thing), cast.thing)
    others = [head.name for head in traces.heads if head.name not in cast.shown]
    if others:
        losses = {a.part: a.loss for a in worth}
        cost = ", ".join(f"{losses[name]:+z.2f}" for name in others)
        sentences.append(f"Nothing is told of {listed(others)}, without which a sequence costs "
                         f"{cost} bits more.")  # fmt: skip
    return tuple(sentences)


def _of(b: Behaviour, when: str, thing: str) -> list[str]:
    sentences = [f"{b.head.name} {when}, {b.steps:,} steps: {_moved(b)}."]
    if b.writing is not None:
        sentences.append(
            f"{b.head.name} {when}: {_wrote(b.writing, thing, idle=is_idle(b), heard=b.heard)}."
        )
    if b.reading is not None and b.reading.written:
        sentences.append(f"{b.head.name} {when}: {_read(b.reading, thing, b.due)}.")
    return sentences


def _moved(b: Behaviour) -> str:
    begins = f", on the first step {_shares(b.begins)}" if b.begins else ""
    parts = [_shares(b.moves) + begins]
    if b.moves.unusual is not None:
        parts.append(f"it {told(move(b.moves.unusual.move))} {b.moves.unusual.when}")
    parts.append(f"greatest weight {b.top:.2f}, entropy {b.entropy:.2f} bits")
    if not b.head.stages.content:
        parts.append("it has no content addressing")
    else:
        parts.append(f"gate {b.gate:.2f}, so that content decided in {percent(b.by_content)}")
    if b.decided is not None and b.decided[1] > DECIDES:
        parts.append(f"{percent(b.decided[1])} of the spread of its rows goes with the "
                     f"{b.decided[0]}")  # fmt: skip
    return "; ".join(parts)


def _shares(moves: Moves) -> str:
    shares = [f"{told(move(one))} in {percent(share)}" for one, share in moves.shares[:MOST_MOVES]]
    rest = sum(share for _, share in moves.shares[MOST_MOVES:])
    return ", ".join([*shares, *([f"other moves in {percent(rest)}"] if rest else [])])


def _wrote(done: Writing, thing: str, *, idle: bool, heard: bool) -> str:
    used = f"{percent(done.used)} of its writes are looked at for an answer"
    if idle or done.held is None:
        return used
    return (
        f"{used}, it erases {percent(done.erase)} of a row on average, and "
        f"{percent(done.held.right)} of the bits of the {'input' if heard else 'output'} {thing}"
        f"{ago(done.delay)} can be read out of the row it wrote ({percent(done.held.chance)} by "
        "chance)"
    )


def _read(done: Reading, thing: str, due: bool) -> str:
    told = [f"{percent(done.written)} of its looks are at rows that were written"]
    if done.onwards + done.back:
        told.append(f"{percent(done.onwards)} at the one written right after the one before, "
                    f"{percent(done.back)} right before it")  # fmt: skip
    if due and done.asked:
        later = "" if not done.lead else f", {done.lead} step{'s' * (done.lead > 1)} ahead"
        told.append(f"{percent(done.asked)} at the row of the {thing} asked for{later}")
    if due and done.answer is not None:
        told.append(f"{percent(done.answer.right)} of the bits asked for can be read out of what "
                    f"it read ({percent(done.answer.chance)} by chance)")  # fmt: skip
    return ", ".join(told)
