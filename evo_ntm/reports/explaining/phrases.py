"""What was measured of heads, in words: "increment location by 1, write the input vector to it".

Verbs stand with {s} behind them, to be ordered in a program or told in a sentence.
"""

from collections.abc import Sequence

from evo_ntm.reports.explaining.behaviour import SELDOM, Behaviour, Reading, Writing
from evo_ntm.reports.explaining.moves import Move, Moves
from evo_ntm.reports.explaining.phases import Phase

SURE = 0.95  # of the steps alike need no share beside them
PATTERN = 0.6  # of the steps alike are a pattern
MOSTLY = 0.8
UNUSED = 0.02
WHOLE, PART = 0.9, 0.25  # of what a constant gets wrong comes out right


def ordered(phrase: str) -> str:
    """Put a phrase as an order."""
    return phrase.replace("{s}", "")


def told(phrase: str) -> str:
    """Put a phrase as what somebody does."""
    return phrase.replace("{s}", "s")


def percent(share: float) -> str:
    """Write a share in percent; what is not quite all never reads as all, nor some as nothing."""
    value = 100 * share
    if 0 < value < 0.05:
        return "less than 0.1 %"
    if 99 < value < 100 or 0 < value < 1:
        return f"{min(value, 99.9):.1f} %"
    return f"{value:.0f} %"


def listed(words: Sequence[str]) -> str:
    """Join words as one speaks."""
    return " and ".join([", ".join(words[:-1])] * (len(words) > 1) + list(words[-1:]))


def capital(sentence: str) -> str:
    """Begin a sentence."""
    return sentence[:1].upper() + sentence[1:]


def when(phase: Phase, thing: str) -> str:
    """Say when a phase is; `thing` is what comes in."""
    if phase.kind == "flag":
        before = " that the answer follows" if phase.leads == "answer" else ""
        return f"on the {phase.flag}{before}"
    after = f" after the {phase.flag}" if phase.flag else ""
    places = {"input": f"while {thing}s come in{after}", "answer": "while answers are due"}
    return places.get(phase.kind, "after the answers")


def move(one: Move, row: int | None = None) -> str:
    """Say how a head moves; `row` is where it stays, if that is one row."""
    if one.kind == "spread":
        by_content = " by content" if one.place else ""
        return f"blend{{s}} about {one.rows} rows{by_content}"
    if one.kind == "jump":
        on = f", and on by {one.rows:+d}" if one.rows else ""
        return f"jump{{s}} to {one.place}{on}"
    if one.rows:
        verb = "increment" if one.rows > 0 else "decrement"
        return f"{verb}{{s}} location by {abs(one.rows)}"
    return "stay{s}" if row is None else f"stay{{s}} at row {row}"


def moving(moves: Moves, begins: Moves | None, row: int | None) -> str:
    """Say how a head moves in a phase."""
    if moves.unusual is not None:
        later = f"{move(moves.usual)}, but {moves.unusual.when} {move(moves.unusual.move)}"
    elif moves.share >= SURE:
        later = move(moves.usual, row)
    elif moves.share >= PATTERN:
        later = f"{move(moves.usual)} (in {percent(moves.share)} of steps)"
    else:
        return "move{s} in no stable pattern"
    if begins is None or begins.share < PATTERN:
        return later
    return f"first {move(begins.usual)}, then {later}"


def is_stable(behaviour: Behaviour) -> bool:
    """Tell whether a head moves in a pattern, and looks at single rows."""
    moves = behaviour.moves
    rule = moves.share + (moves.unusual.share if moves.unusual else 0.0)
    return rule >= PATTERN and moves.usual.kind != "spread"


def is_idle(behaviour: Behaviour) -> bool:
    """Tell whether nothing of what a writer does in a phase is ever read for an answer."""
    done = behaviour.writing
    return done is not None and (done.slight or done.used < UNUSED)


def rests(behaviour: Behaviour) -> bool:
    """Tell whether a head only waits at one row, and nothing is there."""
    done, moves = behaviour.reading, behaviour.moves
    still = moves.usual == Move("step") and moves.share >= SURE and behaviour.begins is None
    return done is not None and done.written < UNUSED and still


def writing(done: Writing, thing: str, *, heard: bool) -> str:
    """Say what a writer writes; `thing` is what comes in, where it is heard, and out."""
    if done.slight:
        return "write{s} next to nothing"
    if done.used < UNUSED:
        return "write{s} what no answer looks at"
    what = f"the {'input' if heard else 'output'} {thing}{ago(done.delay)}"
    if done.held is not None and done.held.gained >= WHOLE:
        return f"write{{s}} {what} to it"
    if done.held is not None and done.held.gained >= PART:
        return f"write{{s}} part of {what} to it"
    return (
        f"write{{s}} to it what does not tell {what}" if heard and done.held else "write{s} to it"
    )


def ago(steps: int) -> str:
    """Say how long ago a step is, nothing for the step itself."""
    return "" if not steps else " of the step before" if steps == 1 else f" of {steps} steps before"


def reading(done: Reading, thing: str, *, several: bool) -> str:
    """Say what a reader reads; `several` where answers have several blocks to choose from."""
    if done.written < UNUSED:
        return ""
    order = ""
    if done.onwards >= MOSTLY:
        order = "row after row as they were written"
    elif done.back >= MOSTLY:
        order = "row after row, against the order of writing"
    if done.begins:
        lone = f"the row written {done.begins}"
        if done.onwards or done.back:
            lone = f"at first {lone}"
        order = f"{order}, from the {done.begins}" if order else lone
    block = f" for {done.block}" if several else ""
    step = "" if not done.lead else " of the next step" if done.lead == 1 else (
        f" of {done.lead} steps later")  # fmt: skip
    wanted = f"the output {thing}{step}{block}"
    found = "read{s} it"
    if done.asked >= MOSTLY:
        found = f"read{{s}} {wanted} from it"
    elif done.answer is not None and done.answer.gained >= WHOLE:
        found = f"read{{s}} what tells {wanted}"
    elif done.answer is not None and done.answer.gained >= PART:
        found = f"read{{s}} what tells part of {wanted}"
    return f"{found} ({order})" if order else found


def deeds(behaviour: Behaviour, thing: str, *, several: bool) -> str:
    """Say all that a head does in a phase; `thing` is what comes in, or came."""
    moved = moving(behaviour.moves, behaviour.begins, behaviour.row)
    shown = behaviour.phase.kind == "input" or behaviour.heard
    done = ""
    if behaviour.writing is not None:
        done = writing(behaviour.writing, thing, heard=shown)
        if is_idle(behaviour) and not shown:
            return done
        if behaviour.writing.used < SELDOM and not shown:
            done += f" (answers look at {percent(behaviour.writing.used)} of it)"
    elif behaviour.reading is not None:
        done = reading(behaviour.reading, thing, several=several)
    if behaviour.decided is not None and behaviour.decided[1] >= MOSTLY:
        moved = f"move{{s}} to where the {behaviour.decided[0]} says"
    return f"{moved}, {done}" if done else moved
