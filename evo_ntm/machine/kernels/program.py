"""The compiled program of `source/`, and the structures in which it is told what to do.

It is compiled when the package is installed, where there is a compiler for C++.
"""

import ctypes
import struct
from ctypes import POINTER, Structure, byref, c_float, c_int, c_int32, c_int64, c_void_p
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from evo_ntm.topology.parts import MOST_LAYERS

PROGRAM = "evo_ntm.machine.kernels._cpu"
FORMAT = 3  # of the structures below, as in source/kernel.hpp
ARITHMETIC = 1  # of the answers: another number wherever any of their bits is another
ABSENT = ("the fused kernel was not compiled when evo-ntm was installed; "
          "with a C++ compiler (g++ or clang++) there, install evo-ntm again")  # fmt: skip


class Array(Structure):
    """Numbers by individual, lane and two more axes; a stride of 0 shows the same to all."""

    _fields_ = [("data", c_void_p), *((name, c_int64) for name in
                ("individual", "lane", "row", "column"))]  # fmt: skip


class State(Structure):
    """A state: the hidden units and cells of each layer, the reads, the memory, the weightings."""

    _fields_ = [("hidden", Array * MOST_LAYERS), ("cell", Array * MOST_LAYERS),
                ("reads", Array), ("memory", Array), ("weightings", Array)]  # fmt: skip


class Head(Structure):
    """The genes of a head."""

    _fields_ = [(name, c_int32) for name in
                ("content", "interpolation", "shift", "sharpening", "shifts")]  # fmt: skip


class Topology(Structure):
    """The topology of a machine, writers before readers."""

    _fields_ = [*((name, c_int32) for name in
                ("inputs", "outputs", "width", "writers", "readers", "shifts", "layers", "lstm",
                 "cells")),
                ("units", c_int32 * MOST_LAYERS), ("heads", POINTER(Head)),
                *((name, c_int32) for name in ("tape_heads", "overwrite", "fresh_cell")),
                *((name, c_float) for name in
                  ("initial", "least_similarity", "did_write")),
                *((name, c_int32) for name in ("graph", "nodes", "recurrent"))]  # fmt: skip


class Episode(Structure):
    """All that a run takes and leaves. `kept` is what must live as long."""

    kept: object = None
    _fields_ = [("topology", POINTER(Topology)),
                *((name, c_int64) for name in ("population", "lanes", "steps", "rows")),
                ("epsilon", c_float), ("weights", c_void_p), ("weights_stride", c_int64),
                ("laid_size", c_int64), ("places", c_void_p), ("inputs", Array),
                ("outputs", Array), ("lengths", c_void_p),
                ("start", POINTER(State)), ("ends", POINTER(State))]  # fmt: skip


class Gradients(Structure):
    """The gradients that the way back takes and leaves."""

    _fields_ = [("outputs", Array), ("inputs", Array), ("weights", c_void_p)]


class Program:
    """The compiled program, loaded."""

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        if (format_ := self._library.evo_ntm_format()) != FORMAT:
            raise OSError(f"expected format {FORMAT}, got {format_}")
        self._library.evo_ntm_level.restype = ctypes.c_char_p
        self._library.evo_ntm_run.argtypes = [c_void_p, c_int, c_int]
        self._library.evo_ntm_gradients.argtypes = [c_void_p, c_void_p, c_int, c_int]
        self._library.evo_ntm_lay.argtypes = [c_void_p, c_void_p]
        self._library.evo_ntm_lay.restype = None
        self._library.evo_ntm_kept.argtypes = [c_void_p, c_int]
        self._library.evo_ntm_kept.restype = c_int64
        self._library.evo_ntm_walk.argtypes = [c_void_p, c_void_p, c_int, c_int, c_int]
        self._library.evo_ntm_walk.restype = None
        self.levels: tuple[str, ...] = ()
        while name := self._library.evo_ntm_level(len(self.levels)):
            self.levels = (*self.levels, name.decode())

    def run(self, episode: Episode, level: int, threads: int) -> None:
        """Run an episode. Raises MemoryError."""
        if self._library.evo_ntm_run(byref(episode), level, threads):
            raise MemoryError("no memory is left for a machine's memory")

    def go_back(self, episode: Episode, gradients: Gradients, level: int, threads: int) -> None:
        """Run an episode and go back to its weights. Raises MemoryError."""
        told = byref(episode), byref(gradients), level, threads
        if self._library.evo_ntm_gradients(*told):
            raise MemoryError("no memory is left for all that happened in an episode")

    def kept(self, episode: Episode, level: int) -> int:
        """Count the floats that an individual keeps from one step of a walk to the next."""
        return int(self._library.evo_ntm_kept(byref(episode), level))

    def walk(
        self, episode: Episode, kept: Tensor, level: int, threads: int, *, begun: bool
    ) -> None:
        """Take a step of an episode, the first one unless it is begun."""
        self._library.evo_ntm_walk(byref(episode), kept.data_ptr(), begun, level, threads)

    def lay(self, episode: Episode, laid: Tensor) -> None:
        """Lay weights out."""
        self._library.evo_ntm_lay(byref(episode), laid.data_ptr())


def load() -> Program | None:
    """Load the compiled program, None where it is not there or cannot be loaded."""
    return _loaded()[0]


def missing() -> str:
    """Say why it cannot be loaded, and what helps."""
    return _loaded()[1] or ABSENT


@lru_cache(maxsize=1)
def _loaded() -> tuple[Program | None, str | None]:
    found = find_spec(PROGRAM)
    if found is None or found.origin is None:
        return None, None
    try:
        if not _whole(Path(found.origin)):
            raise OSError("file too short")
        return Program(found.origin), None
    except (OSError, AttributeError) as error:
        told = str(error).removeprefix(f"{found.origin}: ")
        return None, f"{found.origin} cannot be loaded ({told}); install evo-ntm again"


def _whole(path: Path) -> bool:
    """Tell whether nothing is cut off an ELF file, for to load less kills the process.

    Its section headers, the place, size and count of which its first bytes tell, come last.
    """
    head = path.read_bytes()[:64]
    if head[:5] != b"\x7fELF\x02":
        return True  # of another system, whose loader says so itself
    (begun,), (size, count) = (
        struct.unpack_from("<Q", head, 40),
        struct.unpack_from("<HH", head, 58),
    )
    return len(head) == 64 and begun + size * count <= path.stat().st_size
