"""Genomes on disk: safetensors, wires by name. The format is described in `genomes/README.md`."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load

from evo_ntm.canonical import canonical
from evo_ntm.errors import GenomeError
from evo_ntm.genome.encoding import ENCODINGS, Encoding, code
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.notation import read_topology, topology_json
from evo_ntm.paths import no_file
from evo_ntm.topology import Graph, Topology, wires

FORMAT, VERSIONS = "evo_ntm genome", ("1", "2", "3", "4")
RESERVED = ("format", "version", "encoding", "id", "topology")
GENES = "genes"
PUBLISHED = "genome.safetensors"  # its name in a published folder
LENGTH = 8  # bytes that tell how long the header is, and what its end is aligned to
LONGEST = 100_000_000  # bytes of a header, for the library

DTYPES = {"<f8": "F64", "<f4": "F32", "<i8": "I64", "<i4": "I32", "|u1": "U8", "|b1": "BOOL"}

Array = NDArray[np.float32]
Piece = bytes | memoryview


def unheard(step: str) -> None:
    """Hear of a step that is over, and do nothing."""


def write_genome(
    path: str | Path, genome: Genome, *, card: Mapping[str, str] | None = None
) -> None:
    """Write a genome to a file, whole or not at all, with further metadata if there is a card.

    Raises GenomeError as `genome_bytes` does, OSError where the disk does not allow it.
    """
    publish(Path(path), [genome_bytes(genome, card=card)])


def genome_bytes(genome: Genome, *, card: Mapping[str, str] | None = None) -> bytes:
    """Give the bytes of a genome's file. The same genome and card give the same bytes.

    Raises GenomeError where the card uses a name of the format or is no text.
    """
    metadata = {
        "format": FORMAT,
        "version": version(genome.topology),
        "encoding": genome.encoding,
        "id": genome.id,
        "topology": topology_json(genome.topology),
    }
    for name, text in (card or {}).items():
        if name in RESERVED or not isinstance(text, str):
            raise GenomeError(f"a card expected texts by names other than {', '.join(RESERVED)}, "
                              f"but was given {name!r}: {text!r}")  # fmt: skip
        metadata[name] = text
    tensors = {name: np.ascontiguousarray(weights) for name, weights in genome.express().items()}
    if genome.encoding == "tied":
        tensors[GENES] = genome.genes
    return b"".join(pieces(tensors, metadata))


def version(topology: Topology) -> str:
    """Say which version of the format a machine needs.

    2 has tapes, and controllers of no layer; 3 has graphs, 4 recurrent ones.
    """
    if isinstance(graph := topology.controller.graph, Graph):
        return VERSIONS[2 + graph.recurrent]
    return VERSIONS[topology.tape is not None or not topology.controller.layers]


def read_genome(path: str | Path) -> Genome:
    """Read a genome from a file.

    Raises GenomeError, naming the file and what is wrong, where it does not hold one.
    """
    return _genome(*_read(Path(path)), Path(path))


def parse_genome(data: bytes, source: str | Path) -> Genome:
    """Read a genome from the bytes of its file. Raises GenomeError as `read_genome` does."""
    try:
        metadata = _metadata(header(data).get("__metadata__"), source)
        tensors = {name: _checked(tensor, name, source) for name, tensor in load(data).items()}
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise GenomeError(_damage(source, data, len(data), error)) from error
    return _genome(metadata, tensors, source)


def _genome(metadata: dict[str, str], tensors: dict[str, Array], path: str | Path) -> Genome:
    encoding = _encoding(metadata, path)
    topology = read_topology(metadata["topology"], f"{path}: topology")
    _check_wires(topology, encoding, tensors, path)
    weights = {name: tensors[name].ravel() for name in wires(topology)}
    flat = np.concatenate([np.zeros(0, dtype=np.float32), *weights.values()])
    genes = flat
    if encoding == "tied":
        genes = tensors[GENES]
        expression, keys, _ = code(topology, encoding)
        if genes.shape != keys.shape:
            raise GenomeError(f"{path}: expected {keys.size} genes, but the tensor {GENES!r} has "
                              f"the shape {list(genes.shape)}")  # fmt: skip
        if genes[expression].tobytes() != flat.tobytes():
            raise GenomeError(f"{path}: the wires are not what the genes express")
    genome = Genome(topology, genes, encoding)
    if genome.id != metadata["id"]:
        raise GenomeError(f"{path}: expected the genome {metadata['id'][:64]}, "
                          f"but the file holds {genome.id}")  # fmt: skip
    return genome


def read_card(path: str | Path) -> dict[str, str]:
    """Read the further metadata of a genome's file. Raises GenomeError as `read_genome` does."""
    metadata, _ = _read(Path(path))
    return {name: text for name, text in metadata.items() if name not in RESERVED}


def _read(path: Path) -> tuple[dict[str, str], dict[str, Array]]:
    """Read all tensors and the metadata, and check what every version of the format shares."""
    try:
        if (other := no_file(path)) is not None:
            raise GenomeError(f"{path}: expected a genome file, but this is {other}")
        with path.open("rb"):  # for the system's own words where it may not be read
            pass
        with safe_open(path, framework="numpy") as file:
            metadata = _metadata(file.metadata(), path)
            return metadata, {name: _tensor(file, name, path) for name in file.keys()}
    except OSError as error:
        raise GenomeError(f"{path}: cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise GenomeError(_damage(path, _head(path), path.stat().st_size, error)) from error


def _metadata(metadata: dict[str, str] | None, path: str | Path) -> dict[str, str]:
    metadata = metadata or {}
    if metadata.get("format") != FORMAT:
        raise GenomeError(f"{path}: expected a file of the format {FORMAT!r}, "
                          f"but its format is {metadata.get('format')!r}")  # fmt: skip
    if metadata.get("version") not in VERSIONS:
        known = f"{', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}"
        raise GenomeError(f"{path}: expected version {known} of the format, "
                          f"but came {metadata.get('version')!r}")  # fmt: skip
    for name in RESERVED:
        if name not in metadata:
            raise GenomeError(f"{path}: expected {name!r} in the metadata, but it is missing")
    return metadata


def _tensor(file: Any, name: str, path: Path) -> Array:
    dtype = file.get_slice(name).get_dtype()
    if dtype != "F32":
        raise GenomeError(f"{path}: expected {name!r} to be F32, but it is {dtype}")
    return _checked(file.get_tensor(name), name, path)


def _checked(tensor: Array, name: str, path: str | Path) -> Array:
    if tensor.dtype != np.float32:
        came = DTYPES.get(tensor.dtype.str, tensor.dtype)
        raise GenomeError(f"{path}: expected {name!r} to be F32, but it is {came}")
    if not np.isfinite(tensor).all():
        where = [int(axis[0]) for axis in np.nonzero(~np.isfinite(tensor))]
        raise GenomeError(f"{path}: expected finite numbers, but {name!r} has "
                          f"{tensor[tuple(where)]} at {where}")  # fmt: skip
    return tensor


def _encoding(metadata: dict[str, str], path: str | Path) -> Encoding:
    for encoding in ENCODINGS:
        if metadata["encoding"] == encoding:
            return encoding
    raise GenomeError(f"{path}: expected an encoding of {', '.join(ENCODINGS)}, "
                      f"but came {metadata['encoding'][:64]!r}")  # fmt: skip


def _check_wires(
    topology: Topology, encoding: Encoding, tensors: dict[str, Array], path: str | Path
) -> None:
    """Compare what the topology implies with what is there, before anything large is made."""
    expected = {name: list(wire.shape) for name, wire in wires(topology).items()}
    extra = sorted(tensors.keys() - expected.keys() - ({GENES} if encoding == "tied" else set()))
    missing = [name for name in expected if name not in tensors]
    if encoding == "tied" and GENES not in tensors:
        missing.append(GENES)
    for what, names in (("lacks", missing), ("has no use for", extra)):
        if names:
            raise GenomeError(f"{path}: a machine of {topology} {what} the tensor {names[0]!r}"
                              f"{f' and {len(names) - 1} more' if names[1:] else ''}")  # fmt: skip
    for name, shape in expected.items():
        if list(tensors[name].shape) != shape:
            raise GenomeError(f"{path}: expected {name!r} of the shape {shape}, "
                              f"but it has {list(tensors[name].shape)}")  # fmt: skip


def header(data: bytes) -> dict[str, Any]:
    """Read the header of a safetensors file. Raises ValueError where there is none."""
    end = LENGTH + int.from_bytes(data[:LENGTH], "little")
    try:
        told = json.loads(data[LENGTH:end])
    except RecursionError as error:
        raise ValueError("its header is nested without end") from error
    if not isinstance(told, dict):
        raise ValueError("its header is no JSON object")
    return told


def _head(path: Path) -> bytes:
    """Read a file as far as its header goes, if it has one."""
    with path.open("rb") as file:
        length = file.read(LENGTH)
        return length + file.read(min(int.from_bytes(length, "little"), LONGEST))


def _damage(source: str | Path, head: bytes, size: int, error: Exception) -> str:
    """Say that a file was cut short where its header tells, else what the library says of it.

    `head` is the file at least as far as its header goes, `size` how long it is in bytes.
    """
    told, whole = str(error), _ends(head)
    if size < whole:
        told = f"it is cut short: there are {size:,} of at least {whole:,} bytes"
    return f"{source}: expected a safetensors file, but {told}"


def _ends(head: bytes) -> int:
    """Tell how long a file says that it is, 0 where its header says nothing of the kind."""
    length = int.from_bytes(head[:LENGTH], "little")
    if length > LONGEST or head[LENGTH : LENGTH + 1] != b"{":
        return 0
    ends: list[object] = []
    with suppress(ValueError, LookupError, TypeError):
        tensors = [about for name, about in header(head).items() if name != "__metadata__"]
        ends += [about["data_offsets"][1] for about in tensors]
    return LENGTH + length + max((end for end in ends if isinstance(end, int)), default=0)


def pieces(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> list[Piece]:
    """Give a safetensors file as its header and its tensors, none of which is copied.

    What the library writes is the same, but for the order within the header, which there changes
    from process to process, and takes several copies.
    """
    told: dict[str, Any] = {"__metadata__": dict(metadata)}
    parts: list[Piece] = []
    begun = 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].itemsize, name)):
        tensor = np.ascontiguousarray(tensors[name])
        ended, shape = begun + tensor.nbytes, list(tensors[name].shape)
        told[name] = {"dtype": DTYPES[tensor.dtype.str], "shape": shape,
                      "data_offsets": [begun, ended]}  # fmt: skip
        parts.append(tensor.reshape(-1).view(np.uint8).data)
        begun = ended
    text = canonical(told)
    padded = text.encode() + b" " * (-len(text) % LENGTH)
    return [len(padded).to_bytes(LENGTH, "little") + padded, *parts]


def publish(path: Path, parts: Sequence[Piece], reached: Callable[[str], None] = unheard) -> None:
    """Write beside the place, make sure that it is on disk, and move it there.

    `reached` hears of every step once it is over: a test ends the process there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.writelines(parts)
            file.flush()
            reached("written")
            os.fsync(file.fileno())
        reached("synced")
        part.replace(path)
        reached("renamed")
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)
    reached("folder synced")


def sync(folder: Path) -> None:
    """Make sure that what was made, moved or removed in a folder is so on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
