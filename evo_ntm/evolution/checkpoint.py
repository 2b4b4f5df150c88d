"""A checkpoint: all that the rest of a run follows from, once a generation is over."""

from dataclasses import dataclass
from typing import Any

from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State, Tensors, Words, exact, unpack


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands after a generation.

    `stage` is that of the next generation, `births` and `scored` count all so far, `seconds` are
    those spent, `mark` is what the champion's validation came to in wrong bits and in bits, and
    `ended` says that no generation follows.
    """

    generation: int
    stage: int
    births: int
    scored: int
    seconds: float
    mark: tuple[float, float] | None
    ended: bool
    strategy: State

    @property
    def words(self) -> dict[str, Any]:
        """Tell as JSON all but the tensors, which are those of the strategy."""
        told = {name: value for name, value in vars(self).items() if name != "strategy"}
        mark = None if self.mark is None else [exact(value) for value in self.mark]
        return {**told, "mark": mark, "strategy": dict(self.strategy.words)}

    def followed(self) -> tuple[set[int], set[int]]:
        """Give the numbers of those whom the next generation consists of or follows from.

        Who has none yet counts by the primary parent: these are told apart.
        """
        told = self.strategy.words["individuals"]["individuals"]
        alive = {row["number"] for row in told if row["number"] is not None}
        return alive, {
            row["parents"][0] for row in told if row["number"] is None and row["parents"]
        }

    def individuals(self) -> list[Individual]:
        """List the individuals that the next generation consists of or follows from."""
        return unpack(State(self.strategy.words["individuals"], self.strategy.tensors))


def read_checkpoint(words: Words, tensors: Tensors) -> Checkpoint:
    """Read a checkpoint back from its words and tensors."""
    mark = words["mark"]
    return Checkpoint(
        generation=words["generation"],
        stage=words["stage"],
        births=words["births"],
        scored=words["scored"],
        seconds=words["seconds"],
        mark=None if mark is None else (float(mark[0]), float(mark[1])),
        ended=words["ended"],
        strategy=State(words["strategy"], tensors),
    )
