"""The worlds that are compiled: a step of all lanes in one call, with the bits that torch gives.

They are compiled from `source/` when the package is installed, where there is a compiler for C++.
"""

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import Structure, byref, c_double, c_int64, c_void_p
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor

PROGRAM = "evo_ntm.tasks._worlds"
FORMAT = 1  # of the structures below, as in source/t_maze.cpp
FATES = ("first", "second", "moved")


class Plan(Structure):
    """A maze, the ways that there are in it, and how much of it is seen."""

    _fields_ = [*((name, c_int64) for name in ("width", "goals", "runs", "headings", "side")),
                *((name, c_double) for name in ("x", "y")),
                *((name, c_void_p) for name in ("walls", "forks", "ends", "compass", "edges")),
                ("channels", c_int64)]  # fmt: skip


class Fates(Structure):
    """What befalls each lane."""

    _fields_ = [(name, c_void_p) for name in FATES]


class Stands(Structure):
    """Where every lane stands, field by field as in `t_maze.Stand`."""

    _fields_ = [(name, c_void_p) for name in
                ("x", "y", "heading", "step", "visited", "tiles", "over", "run", "possible",
                 "sound", "earned", "reward")]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Maze:
    """A maze as the program is told of it; `tensors` are walls, forks, ends, compass and edges."""

    start: tuple[float, float]
    width: int
    goals: int
    runs: int
    channels: int
    tensors: tuple[Tensor, ...]

    @cached_property
    def plan(self) -> Plan:
        """Tell where everything lies; only as long as this maze lives."""
        compass, edges = self.tensors[-2:]
        sizes = self.width, self.goals, self.runs, compass.shape[-1], edges.shape[-1]
        return Plan(*sizes, *self.start, *(part.data_ptr() for part in self.tensors),
                    self.channels)  # fmt: skip


class Program:
    """The compiled program, loaded."""

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        if (format_ := self._library.evo_ntm_worlds_format()) != FORMAT:
            raise OSError(f"expected format {FORMAT}, got {format_}")
        self._observe = self._library.evo_ntm_t_maze_observe
        self._observe.argtypes = [c_void_p] * 3 + [c_int64] * 2 + [c_void_p]
        self._react = self._library.evo_ntm_t_maze_react
        self._react.argtypes = [c_void_p] * 5 + [c_int64] * 2 + [c_void_p]
        self._observe.restype = self._react.restype = None

    def observe(
        self, maze: Maze, fates: Mapping[str, Tensor], stand: tuple[Tensor, ...]
    ) -> Float[Tensor, "*batch I"]:
        """Tell what there is to be seen from where the lanes stand."""
        lanes, batch = len(fates["first"]), stand[0].shape
        seen, fate = torch.empty(*batch[:-1], maze.channels, lanes), _fates(fates)
        where = byref(maze.plan), byref(_told(Fates, fate)), byref(_told(Stands, stand))
        self._observe(*where, batch.numel() // lanes, lanes, seen.data_ptr())
        return seen.mT

    def react(
        self,
        maze: Maze,
        fates: Mapping[str, Tensor],
        stand: tuple[Tensor, ...],
        answer: Float[Tensor, "*batch 3"],
    ) -> tuple[Tensor, ...]:
        """Go on from an answer of one machine, or of a population."""
        batch, lanes = answer.shape[:-1], len(fates["first"])
        before = [p if p.shape == batch else p.expand(batch).contiguous() for p in stand]
        after = tuple(torch.empty_like(part) for part in before)
        told, fate = answer.reshape(-1, lanes, answer.shape[-1]), _fates(fates)
        where = byref(maze.plan), byref(_told(Fates, fate)), byref(_told(Stands, before))
        strides = (c_int64 * told.ndim)(*told.stride())
        self._react(*where, told.data_ptr(), byref(strides), batch.numel() // lanes, lanes,
                    byref(_told(Stands, after)))  # fmt: skip
        return after


@lru_cache(maxsize=1)
def load() -> Program | None:
    """Load the compiled program, None where it is not there or cannot be loaded."""
    found = find_spec(PROGRAM)
    if found is None or found.origin is None:
        return None
    try:
        return Program(found.origin)
    except (OSError, AttributeError):
        return None


def _fates(fates: Mapping[str, Tensor]) -> list[Tensor]:
    return [fates[name].contiguous() for name in FATES]


def _told(kind: type[Structure], numbers: Sequence[Tensor]) -> Structure:
    """Tell where numbers lie; only as long as they live."""
    return kind(*(part.data_ptr() for part in numbers))
