"""Checkpoints on disk: a ring of safetensors files, each published whole or not at all."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from evo_ntm.errors import RunError
from evo_ntm.genome.files import header, in_order, publish, unheard

FORMAT, VERSION = "evo_ntm checkpoint", "1"
KEPT = 2  # files in the ring

Words = Mapping[str, Any]
Tensors = Mapping[str, NDArray[Any]]


def checkpoint_file(folder: Path, generation: int) -> Path:
    """Say where the checkpoint after a generation is."""
    return folder / f"{generation:07}.safetensors"


def generations_of(folder: Path) -> list[int]:
    """List the generations after which there are checkpoints, whole ones."""
    names = [path.stem for path in folder.glob("*.safetensors")]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def write_checkpoint(
    path: Path, words: Words, tensors: Tensors, reached: Callable[[str], None] = unheard
) -> str:
    """Publish a checkpoint, and give its hash. Raises OSError where the disk does not allow it."""
    told = json.dumps(words, sort_keys=True, separators=(",", ":"), allow_nan=False)
    metadata = {"format": FORMAT, "version": VERSION, "words": told}
    arrays = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    data = in_order(save(arrays, metadata))
    publish(path, data, reached)
    return _hash(data)


def read_checkpoint(path: Path, expected: str) -> tuple[Words, Tensors]:
    """Read a checkpoint. Raises RunError where it is missing, or not the one that was written."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: expected a checkpoint, but it cannot be read: "
                       f"{error.strerror}") from error  # fmt: skip
    if _hash(data) != expected:
        raise RunError(f"{path}: expected the checkpoint {expected}, but the file holds "
                       f"{_hash(data)}: it is torn")  # fmt: skip
    return split(data, path)


def split(data: bytes, path: Path) -> tuple[Words, Tensors]:
    """Take the bytes of a checkpoint apart. Raises RunError where they are none."""
    try:
        metadata = header(data)["__metadata__"]
        if metadata["format"] != FORMAT or metadata["version"] != VERSION:
            raise RunError(f"{path}: expected version {VERSION} of the format {FORMAT!r}, but came "
                           f"version {metadata['version']} of {metadata['format']!r}")  # fmt: skip
        return json.loads(metadata["words"]), load(data)
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise RunError(f"{path}: expected a checkpoint, but {error!r}") from error


def prune(folder: Path, kept: Sequence[int]) -> None:
    """Remove the files that have left the ring: those older than its newest and not of it."""
    for generation in generations_of(folder):
        if generation < max(kept) and generation not in kept:
            checkpoint_file(folder, generation).unlink(missing_ok=True)


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
