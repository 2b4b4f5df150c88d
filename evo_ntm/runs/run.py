"""A run folder that is there, to be read."""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo_ntm.errors import GenomeError, RunError
from evo_ntm.experiment import Experiment, load
from evo_ntm.experiment.files import OF_A_RUN
from evo_ntm.experiment.tasks import CostWords, cost_words
from evo_ntm.genome import Genome
from evo_ntm.genome.files import parse_genome, read_genome
from evo_ntm.runs.checkpoints import Whole, checkpoint_file, generations_of, read_checkpoint
from evo_ntm.runs.database import reading

EXPERIMENT, ROWS = OF_A_RUN
CHAMPIONS, CHECKPOINTS = "champions", "checkpoints"
CHAMPION = """
SELECT birth, wrong_bits, bits, topologies.told AS topology FROM validations
JOIN births ON birth = births.number JOIN topologies ON topology = topologies.number
WHERE champion ORDER BY validations.generation DESC LIMIT 1
"""
"""The last champion, by its validation."""
BESIDE = """
SELECT number, genome, file FROM genomes JOIN births ON birth = number
WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number
"""


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Say in one line what is wrong with rows, or with a question to them. Raises RunError."""
    try:
        yield
    except (sqlite3.Error, ValueError, OverflowError) as error:
        raise RunError(f"{path}: expected the rows of a run, but {error}") from error


@dataclass(frozen=True)
class Run:
    """A run folder that is there."""

    folder: Path

    @property
    def experiment(self) -> Experiment:
        """Read the experiment back, also one of somebody's own task, which need not be here."""
        return load(self.folder / EXPERIMENT, tasks=None)

    def rows(self, question: str, *values: object) -> list[sqlite3.Row]:
        """Ask the rows a question in SQL, read-only. Raises RunError."""
        with self.asked() as opened:
            return opened.execute(question, values).fetchall()

    @contextmanager
    def asked(self) -> Iterator[sqlite3.Connection]:
        """Open the rows for several questions, or for long answers. Raises RunError."""
        path = self.folder / ROWS
        with in_words(path), reading(path) as opened:
            yield opened

    @property
    def words(self) -> CostWords:
        """Say what is called how that its champions are chosen by."""
        return cost_words(self.experiment.task, rewards=self.facts().get("rewards", False))

    def facts(self) -> dict[str, Any]:
        """Read what is known of the run as a whole."""
        try:
            told = self.rows("SELECT name, value FROM facts WHERE name NOT IN ('open', 'commits')")
            return {row["name"]: json.loads(row["value"]) for row in told}
        except ValueError as error:
            path = self.folder / ROWS
            raise RunError(f"{path}: expected facts as JSON, but {error}") from error

    def edited(self) -> str | None:
        """Say how the experiment is no longer what the run began with; None where it still is."""
        facts, experiment = self.facts(), self.experiment
        hashes = {"task": experiment.task_hash, "config": experiment.config_hash}
        told = [
            f"its {name} hash was {was}, but is now {now}"
            for name, now in hashes.items()
            if (was := facts.get(f"{name}_hash", now)) != now
        ]
        return f"began with another {EXPERIMENT}: {', '.join(told)}" if told else None

    def require_unedited(self, hint: str = "") -> None:
        """Raise RunError where the experiment is no longer what the run began with."""
        if edited := self.edited():
            raise RunError(f"{self.folder}: expected the experiment that the run began with, but "
                           f"it {edited}{hint}")  # fmt: skip

    def generation(self) -> int:
        """Give the number of the last generation that is on disk, -1 where there is none."""
        number = self.rows("SELECT max(number) AS number FROM generations")[0]["number"]
        return -1 if number is None else int(number)

    def lasts(self, every: int) -> frozenset[int]:
        """List the generations that were the last, until the run was given other limits.

        They were held against the validation set, though it was not their turn, once in so many.
        """
        question = "SELECT generation FROM validations WHERE (generation + 1) % ?"
        return frozenset(row["generation"] for row in self.rows(question, every))

    def checkpoint(self, *, older: bool = False) -> Whole | None:
        """Read the checkpoint to go on from; None where it is from the beginning.

        `older` takes the newest that is whole, and the beginning where none is. Raises RunError
        where the head is missing or torn, and where the rows are older than the checkpoints.
        """
        ring = self.rows("SELECT generation, hash FROM checkpoints ORDER BY generation DESC")
        head = ring[0]["generation"] if ring else -1
        newer = [each for each in generations_of(self.folder / CHECKPOINTS) if each > head]
        if len(newer) > 1:
            told = ", ".join(map(str, newer))
            raise RunError(
                f"{self.folder}: expected at most one checkpoint newer than the rows, but there "
                f"are those of generations {told}: {ROWS} is an older copy than {CHECKPOINTS}"
            )
        for row in ring:
            try:
                return read_checkpoint(self.checkpoint_file(row["generation"]), row["hash"])
            except RunError as error:
                if not older:
                    raise RunError(f"{error}; --from-older goes back to the newest whole one, or "
                                   "to the beginning") from error  # fmt: skip
        return None

    def champion(self) -> int:
        """Give the birth of the last champion. Raises RunError where there is none yet."""
        found = self.rows("SELECT birth FROM validations WHERE champion ORDER BY generation DESC")
        if not found:
            raise RunError(f"{self.folder}: expected a champion, but nobody has been validated yet")
        birth: int = found[0]["birth"]
        return birth

    def genome(self, birth: int | None = None) -> Genome:
        """Read the genome of a birth, of the champion if none is named.

        Raises RunError where it was not kept, GenomeError where it is not what it was.
        """
        number = self.champion() if birth is None else birth
        path = self.champion_file(number)
        if path.exists():
            genome = read_genome(path)
            self._refuse_others({number: genome})
            return genome
        if kept := self._beside([number]):
            return kept[number]
        names = [found.stem for found in path.parent.glob("*.safetensors")]
        champions = sorted(int(name) for name in names if re.fullmatch("[0-9]{1,18}", name))
        born = self.rows("SELECT 1 FROM births WHERE number = ?", number)
        why = "its genome was not kept" if born else "there is no such birth"
        last = ", ".join(map(str, champions[-8:])) or "none"
        raise RunError(f"{self.folder}: expected a birth whose genome was kept "
                       f"(champions: {last}), but of {number} {why}")  # fmt: skip

    def genomes(self, births: Sequence[int]) -> dict[int, Genome]:
        """Read the genomes of those births of which they were kept.

        Raises GenomeError where one is not what it was.
        """
        kept = self._beside(births)
        files = {birth: self.champion_file(birth) for birth in births if birth not in kept}
        champions = {birth: read_genome(path) for birth, path in files.items() if path.exists()}
        self._refuse_others(champions)
        found = kept | champions
        return {birth: found[birth] for birth in births if birth in found}

    def _beside(self, births: Sequence[int]) -> dict[int, Genome]:
        """Read genomes that were kept beside those of the champions."""
        genomes = {}
        with self.asked() as rows:
            for number, told, file in rows.execute(BESIDE, (json.dumps(births),)):
                source = f"{self.folder}: birth {number}"
                genomes[number] = genome = parse_genome(file, source)
                if genome.id != told:
                    raise GenomeError(f"{self.folder}: expected the genome {told} of birth "
                                      f"{number}, but it holds {genome.id}")  # fmt: skip
        return genomes

    def _refuse_others(self, champions: Mapping[int, Genome]) -> None:
        """Refuse files that hold the genome of another birth. Raises GenomeError."""
        question = (
            "SELECT number, genome FROM births WHERE number IN (SELECT value FROM json_each(?))"
        )
        for number, told in self.rows(question, json.dumps([*champions])):
            if told != (came := champions[number].id):
                raise GenomeError(f"{self.champion_file(number)}: expected the genome {told} of "
                                  f"birth {number}, but the file holds {came}")  # fmt: skip

    def champion_file(self, birth: int) -> Path:
        """Say where the genome of a champion is kept."""
        return self.folder / CHAMPIONS / f"{birth}.safetensors"

    def checkpoint_file(self, generation: int) -> Path:
        """Say where the checkpoint after a generation is kept."""
        return checkpoint_file(self.folder / CHECKPOINTS, generation)
