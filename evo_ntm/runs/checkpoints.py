"""Checkpoints on disk: a ring of safetensors files, each published whole or not at all."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from evo_ntm.canonical import canonical
from evo_ntm.errors import RunError
from evo_ntm.genome.files import LENGTH, Piece, header, pieces, publish, unheard
from evo_ntm.paths import no_file

FORMAT, VERSION = "evo_ntm checkpoint", "1"
KEPT = 2  # files in the ring
CLOCKS = ("seconds",)  # what a checkpoint holds that no two runs share

Words = Mapping[str, Any]
Tensors = Mapping[str, NDArray[Any]]
Whole = tuple[Words, Tensors]


class Hashes(NamedTuple):
    """Two hashes of a checkpoint: of its file, and of what it holds but for the clocks."""

    file: str
    state: str


def checkpoint_file(folder: Path, generation: int) -> Path:
    """Say where the checkpoint after a generation is."""
    return folder / f"{generation:07}.safetensors"


def generations_of(folder: Path) -> list[int]:
    """List the generations after which there are checkpoints, whole ones."""
    names = [path.stem for path in folder.glob("*.safetensors")]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def write_checkpoint(
    path: Path, words: Words, tensors: Tensors, reached: Callable[[str], None] = unheard
) -> Hashes:
    """Publish a checkpoint, and give its hashes. Raises OSError where the disk forbids it."""
    told = canonical(words, finite=True)
    parts = pieces(tensors, {"format": FORMAT, "version": VERSION, "words": told})
    publish(path, parts, reached)
    return _hashes(parts, words, tensors)


def read_checkpoint(path: Path, expected: str) -> Whole:
    """Read a checkpoint. Raises RunError where it is missing, or not the one that was written."""
    data = _read(path)
    # Version 2 of the rows had the hash of all bytes.
    if expected not in (_hash_of(data), _hash(data)):
        raise RunError(f"{path}: expected the checkpoint {expected}, but the file holds "
                       f"{_hash_of(data)}: it is torn")  # fmt: skip
    return split(data, path)


def find_checkpoint(path: Path) -> Whole:
    """Read a checkpoint, whatever its hash. Raises RunError where it is missing, or is none."""
    return split(_read(path), path)


def state_hash(words: Words, tensors: Tensors) -> str:
    """Hash what a checkpoint holds, but for the clocks."""
    return _hashes(pieces(tensors, {}), words, tensors).state


def unclocked(words: Words) -> Words:
    """Leave out of the words of a checkpoint what no two runs share."""
    return {name: words[name] for name in words if name not in CLOCKS}


def split(data: bytes, path: Path) -> Whole:
    """Take the bytes of a checkpoint apart. Raises RunError where they are none."""
    try:
        metadata = header(data)["__metadata__"]
        if metadata["format"] != FORMAT or metadata["version"] != VERSION:
            raise RunError(f"{path}: expected version {VERSION} of the format {FORMAT!r}, but came "
                           f"version {metadata['version']} of {metadata['format']!r}")  # fmt: skip
        return json.loads(metadata["words"]), load(data)
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise RunError(f"{path}: expected a checkpoint, but {error!r}") from error


def prune(folder: Path, kept: Collection[int]) -> None:
    """Remove the files that have left the ring: those older than its newest and not of it."""
    for generation in generations_of(folder):
        if generation < max(kept) and generation not in kept:
            checkpoint_file(folder, generation).unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        if kind := no_file(path):
            raise RunError(f"{path}: expected a checkpoint, but it is {kind}")
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: expected a checkpoint, but it cannot be read: "
                       f"{error.strerror}") from error  # fmt: skip


def _hashes(parts: Sequence[Piece], words: Words, tensors: Tensors) -> Hashes:
    """Hash what is said of the tensors, with clocks and without, and the sum of their bytes.

    A sum, CRC-32, as a hash of them would take as long as to write them: it sees every bit that
    flips, and the genomes themselves are told apart by their ids.
    """
    summed = 0
    for part in parts[1:]:
        summed = crc32(part, summed)
    shapes = {name: [tensor.dtype.str, tensor.shape] for name, tensor in tensors.items()}
    told = json.dumps([unclocked(words), shapes], sort_keys=True).encode()
    tail = summed.to_bytes(4, "little")
    return Hashes(_hash(bytes(parts[0]), tail), _hash(told, tail))


def _hash_of(data: bytes) -> str:
    end = LENGTH + int.from_bytes(data[:LENGTH], "little")
    return _hash(data[:end], crc32(memoryview(data)[end:]).to_bytes(4, "little"))


def _hash(*told: bytes) -> str:
    return hashlib.blake2b(b"".join(told), digest_size=16).hexdigest()
