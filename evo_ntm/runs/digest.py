"""One hash over a run: the same for two runs that went the same way, wherever they were computed.

It is made from the rows and the weights themselves, not from hashes that were kept beside them.
"""

import hashlib
from collections.abc import Iterator

from evo_ntm.canonical import canonical
from evo_ntm.runs.checkpoints import find_checkpoint, unclocked
from evo_ntm.runs.run import Run

BIRTHS = """
SELECT number, generation, parents, operators, genome, fitness FROM births
WHERE number NOT IN (SELECT birth FROM tunings) ORDER BY number
"""
CHAMPIONS = """
SELECT birth FROM validations
WHERE champion AND birth NOT IN (SELECT birth FROM tunings) ORDER BY generation
"""
HEAD = "SELECT max(generation) AS generation FROM checkpoints"


def digest(run: Run) -> str:
    """Hash all births of evolution, the champions' weights, and what the last checkpoint holds.

    Where it was computed is no part of it: the number of threads, the genomes kept, the time it
    took; nor are births that were tuned since. Raises RunError and GenomeError where something
    cannot be read.
    """
    told = hashlib.blake2b(digest_size=16)
    with run.asked() as rows:
        for row in rows.execute(BIRTHS):
            *birth, fitness = row
            told.update(_line("birth", *birth, float(fitness).hex()))
    for row in run.rows(CHAMPIONS):
        genome = run.genome(row["birth"])
        told.update(_line("champion", row["birth"], genome.id))
        told.update(genome.genes.astype("<f4").tobytes())
    for piece in _surviving(run):
        told.update(piece)
    return told.hexdigest()


def _surviving(run: Run) -> Iterator[bytes]:
    """Give what the last checkpoint holds, piece by piece."""
    head = run.rows(HEAD)[0]["generation"]
    if head is None:
        return
    words, tensors = find_checkpoint(run.checkpoint_file(head))
    yield _line("checkpoint", unclocked(words))
    for name in sorted(tensors):
        tensor = tensors[name]
        yield _line("tensor", name, tensor.dtype.str, tensor.shape)
        yield tensor.tobytes()


def _line(*told: object) -> bytes:
    return canonical(told).encode() + b"\n"
