"""A few sentences that say what a machine does, how well, by which parts, and where it fails."""

from collections.abc import Sequence
from typing import NamedTuple

from evo_ntm.genome.ablation import STAGES
from evo_ntm.reports.explaining.behaviour import Behaviour
from evo_ntm.reports.explaining.failings import A_BIT, Failings
from evo_ntm.reports.explaining.phrases import (
    capital,
    deeds,
    is_idle,
    is_stable,
    listed,
    percent,
    rests,
    told,
    when,
)
from evo_ntm.reports.explaining.program import Cast
from evo_ntm.reports.explanation import Ablation

NOTHING = 0.97  # of what a constant costs: it has learned nothing that can be told …
NO_BETTER = 0.9  # … nor with so many of its wrong bits …
GAINED = 0.1  # … nor if it gains less than that of what the best possible learner does
FEW = 5
WHOLE = {"content": "content addressing", "reads": "what is read", "writes": "what is written"}


class Standing(NamedTuple):
    """What a machine costs on sequences of its task, beside the best constant answer.

    `wrong` is the share of the bits that are wrong, `wrong_by_chance` that of the constant answer,
    and `wrong_bits` how many of a sequence; `best` is what the best possible learner costs, where
    that is known.
    """

    bits: float
    chance: float
    wrong: float
    wrong_by_chance: float
    wrong_bits: float
    best: float | None = None

    @property
    def learned(self) -> bool:
        """Tell whether it does better than a constant, by its cost or by its wrong bits.

        Where nobody can know the answer, only the cost counts.
        """
        if self.best is not None:
            return self.chance - self.bits > GAINED * (self.chance - self.best)
        return self.bits < NOTHING * self.chance or self.wrong < NO_BETTER * self.wrong_by_chance


def summary(
    cast: Cast, worth: Sequence[Ablation], failings: Failings, standing: Standing
) -> tuple[str, ...]:
    """Say it in a few sentences."""
    well = _how_well(failings, standing)
    if not standing.learned:
        return (well, "What its heads do has no effect yet that can be told.")
    return (well, *_what(cast), *_by_which(worth, standing), *_fails(failings))


def _how_well(failings: Failings, standing: Standing) -> str:
    asked = sum(part.sequences for part in failings.asked)
    wrong = sum(part.wrong_sequences for part in failings.asked)
    cost = (f"{standing.bits:.1f} bits a sequence, and the best constant answer "
            f"{standing.chance:.1f}")  # fmt: skip
    if not standing.learned:
        return f"It has learned nothing that helps: its answers cost {cost}."
    if standing.best is not None:
        return (
            f"Its answers cost {standing.bits:.1f} bits a sequence; the best constant answer costs "
            f"{standing.chance:.1f}, and the best possible learner {standing.best:.1f}."
        )
    if failings.wrong_means != A_BIT:
        return f"{capital(percent(standing.wrong))} of its bits are wrong; its answers cost {cost}."
    if not wrong:
        return f"It answers all of {asked:,} sequences without a wrong bit."
    return (f"It answers {asked - wrong:,} of {asked:,} sequences without a wrong bit; on those of "
            f"its task, {percent(standing.wrong)} of the bits are wrong.")  # fmt: skip


def _what(cast: Cast) -> list[str]:
    """Say what the heads that matter do, a sentence for each phase in which they do anything."""
    if not cast.scene.traces.heads:
        return ["It has no heads: whatever it answers, its controller remembers."]
    if not cast.shown:
        return ["No head matters: whatever it answers, its controller remembers."]
    sentences = []
    for phase in cast.scene.plan.where:
        here = [b for b in cast.on(phase) if is_stable(b) and not is_idle(b)]
        if all(rests(b) for b in here):
            continue
        clauses = [f"{b.head.name} {told(deeds(b, cast.thing, several=cast.several))}"
                   for b in here]  # fmt: skip
        sentences.append(f"{capital(when(phase, cast.thing))}, {'; '.join(clauses)}.")
    waits = [b.head.name for b in _waiting(cast)]
    if waits:
        sentences.append(f"Where the paper's program returns its head to the start location, "
                         f"{listed(waits)} waited there.")  # fmt: skip
    return sentences or ["Its heads move in no stable pattern."]


def _waiting(cast: Cast) -> list[Behaviour]:
    """List the readers that wait while vectors come in, and then begin with the first row."""
    later = {b.head for b in cast.behaviours if b.reading and b.reading.begins == "first" and b.due}
    early = (b for phase in cast.scene.plan.where if phase.kind == "input" for b in cast.on(phase))
    return [b for b in early if rests(b) and b.head in later]


def _by_which(worth: Sequence[Ablation], standing: Standing) -> list[str]:
    """Say which parts it needs: of stages those of all heads, where a head's own are told, too."""
    whole = [a for a in worth if not (a.part.rpartition(" ")[2] in STAGES and " " in a.part)]
    parts = whole or list(worth)
    needed = [a for a in parts if a.matters]
    names = [WHOLE.get(a.part, a.part) for a in needed]
    others = [WHOLE.get(a.part, a.part) for a in parts if not a.matters]
    sentences = []
    if needed:
        begin = f"It needs {listed(names)}: without {'it' if len(needed) == 1 else 'them'},"
        if standing.best is not None:
            losses = listed([f"{a.loss:.1f}" for a in needed])
            sentences.append(f"{begin} a sequence costs {losses} bits more.")
        else:
            wrong = listed([f"{a.wrong_bits:.1f}" for a in needed])
            sentences.append(f"{begin} {wrong} bits of a sequence are wrong instead of "
                             f"{needed[0].whole_wrong_bits:.1f}.")  # fmt: skip
    if others:
        sentences.append(f"It does not need {listed(others)}.")
    return sentences


def _fails(failings: Failings) -> list[str]:
    sentences = []
    wrong = sum(part.wrong_sequences for part in failings.asked)
    rest = {"sequences": False, "answers": False}
    for failing in failings.found:
        shares = (f"{percent(failing.share_wrong)} of {failing.sequences:,}, and "
                  f"{percent(failing.share_otherwise)} of the others")  # fmt: skip
        begin = "of those left, " if rest[failing.of] else ""
        if failing.of == "sequences":
            fails = "it fails" if failings.wrong_means == A_BIT else "it does worse than usual"
            sentence = f"{begin}{fails} where a sequence {failing.told}: {shares}."
        else:
            sentence = f"{begin}answers go wrong first where {failing.told}: {shares}."
        sentences.append(capital(sentence))
        rest[failing.of] = True
    if wrong and not sentences and failings.wrong_means == A_BIT:
        few = "they are too few to tell" if wrong < FEW else "no question that was asked tells"
        sentences.append(f"What the sequences have in common that it fails on: {few}.")
    if failings.channels:
        sentences.append(failings.channels)
    return sentences
