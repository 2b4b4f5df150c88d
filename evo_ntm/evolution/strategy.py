"""What a strategy is: where the next generation comes from."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from evo_ntm.evolution.evaluate import Rows, Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.genome import Genome
from evo_ntm.seeds import Generator

Found = Callable[[Generator], Genome]
Vary = Callable[..., tuple[Genome, str] | None]


class Event(NamedTuple):
    """Something worth telling: a restart, a challenger that replaced the incumbent, a new stage."""

    generation: int
    kind: str
    text: str


class Validation(NamedTuple):
    """How an individual did on the fixed validation set: comparable between generations."""

    generation: int
    individual: Individual
    wrong_bits: float
    bits: float


class Strategy(Protocol):
    """DEAP's generate and update, and two views for the engine."""

    def generate(self, generation: int) -> Sequence[Rows]:
        """Give all that is to be scored: individuals, each a birth, and samples, which are none."""

    def update(self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]) -> list[Event]:
        """Learn from the scores, given in the order of the jobs."""

    def reflect(self, validation: Validation) -> list[Event]:
        """Learn from the validation of the individual that `best` gave."""

    def best(self) -> Individual:
        """Give the individual to be validated."""

    def species(self) -> int:
        """Count the species alive."""
