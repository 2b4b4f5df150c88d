"""What a strategy is: where the next generation comes from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple, Protocol

from evo_ntm.evolution.breeding import Bred
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State, exact
from evo_ntm.genome import Genome
from evo_ntm.seeds import Generator
from evo_ntm.words import counted

Found = Callable[[Generator], Genome]
Vary = Callable[..., Bred | None]


RESTART = "restart"


class Event(NamedTuple):
    """Something worth telling: a restart, a challenger that replaced the incumbent, a new stage."""

    generation: int
    kind: str
    text: str


class Standing(NamedTuple):
    """How an individual did on episodes that never change: those of a stage, counted from 0.

    `patience` is how long that may go on without progress, where it is not as long as elsewhere.
    """

    stage: int
    wrong_bits: float
    bits: float
    patience: int | None = None


class Validation(NamedTuple):
    """How an individual did on the fixed validation set: comparable between generations.

    `stage` is the top one of the curriculum then, from 0. `standing` is what progress is judged by
    where that is not the validation set.
    """

    generation: int
    individual: Individual
    wrong_bits: float
    bits: float
    standing: Standing | None = None
    stage: int = 0

    @property
    def judged(self) -> Standing:
        """Give what progress is judged by."""
        return self.standing or Standing(0, self.wrong_bits, self.bits)


class Strategy(Protocol):
    """DEAP's generate and update, three views for the engine, and its state for a checkpoint."""

    def generate(self, generation: int) -> Sequence[Rows]:
        """Give all that is to be scored: individuals, each a birth, and samples, which are none."""

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Learn from the scores, given in the order of the jobs."""

    def reflect(self, validation: Validation) -> list[Event]:
        """Learn from the validation of the individual that `best` gave."""

    def best(self) -> Individual:
        """Give the individual to be validated."""

    def figures(self) -> Mapping[str, float]:
        """Give what else is worth a log each generation, by name."""

    def species(self) -> int:
        """Count the species alive."""

    def state(self) -> State | None:
        """Tell all that the next generation follows from; None where a strategy cannot.

        The word `individuals` holds those that are needed again, as `state.pack` writes them.
        """

    def restore(self, state: State) -> None:
        """Go on as who told this state would have gone on."""


@dataclass(frozen=True)
class Patience:
    """For how long a search may make no progress; `since` is when it last did, or began.

    Progress is when bits or wrong bits have fallen by a `share`. Either does: a search that begins
    to dare answers costs more bits at first. So is another stage, of which all is new.
    """

    generations: int
    since: int
    share: float = 0.0
    bits: float = inf
    wrong_bits: float = inf
    stage: int = 0
    here: int | None = None
    """How long in this stage, where that is not as long as elsewhere."""

    def after(self, validation: Validation) -> "Patience":
        """Begin to wait anew where a validation shows progress.

        One of a generation before this search began is of another search.
        """
        if validation.generation < self.since:
            return self
        stage, wrong_bits, bits, here = validation.judged
        left = 1 - self.share
        if stage != self.stage:
            marks = bits, wrong_bits
        elif bits < left * self.bits or wrong_bits < left * self.wrong_bits:
            marks = min(self.bits, bits), min(self.wrong_bits, wrong_bits)
        else:
            return self
        bits, wrong_bits = marks
        return replace(self, since=validation.generation, bits=bits, wrong_bits=wrong_bits,
                       stage=stage, here=here)  # fmt: skip

    @property
    def most(self) -> int:
        """Tell for how many generations there may be no progress now."""
        return self.generations if self.here is None else self.here

    def ended(self, generation: int) -> bool:
        """Tell whether it is time to give up."""
        return generation - self.since >= self.most

    def words(self) -> dict[str, Any]:
        """Tell what has been waited for."""
        marks = {"bits": exact(self.bits), "wrong_bits": exact(self.wrong_bits)}
        return {"since": self.since, "stage": self.stage, "here": self.here, **marks}

    def restored(self, words: Mapping[str, Any]) -> "Patience":
        """Give the same patience as far as it then was."""
        bits, wrong_bits = float(words["bits"]), float(words["wrong_bits"])
        stage, here = words.get("stage", 0), words.get("here")  # version 0.1 had none
        return replace(self, since=words["since"], bits=bits, wrong_bits=wrong_bits, stage=stage,
                       here=here)  # fmt: skip


def restart(generation: int, patience: Patience) -> Event:
    """Tell of a search that gave up and begins anew."""
    return Event(generation, RESTART, f"no progress for {counted(patience.most, 'generation')}")
