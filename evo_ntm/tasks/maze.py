"""Mazes of square tiles, and how far one sees in them.

A wall is told from floor by its side: rays are stopped by the sides between the two, whoever
stands on which. North is up, angles are counted counterclockwise from the east.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import cos, pi, sin

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

WALL, GOAL, START = "#", "G", "S"
DRAWN = {
    "single": """
        #####
        #G.G#
        ##.##
        ##S##
        #####
    """,
    "double": """
        #########
        #G#####G#
        #.#####.#
        #.......#
        #.##.##.#
        #G##S##G#
        #########
    """,
}
SIGHT = 3  # tiles
LOOKS = (-pi / 4, 0.0, pi / 4)  # where a ray goes, from straight ahead
FORKS = 3  # floor at as many sides
MARGIN = SIGHT + 1
HAIR = 1e-12


@dataclass(frozen=True, eq=False)
class Maze:
    """A drawn maze; `tiles` are its rows from the south, and everything outside is wall."""

    tiles: tuple[str, ...]
    device: str = "cpu"

    @property
    def width(self) -> int:
        """Count the tiles of a row."""
        return len(self.tiles[0])

    @cached_property
    def start(self) -> tuple[float, float]:
        """Say where one begins: in the middle of a tile."""
        ((x, y),) = self._places(START)
        return x + 0.5, y + 0.5

    @cached_property
    def goals(self) -> int:
        """Count the ends of the maze."""
        return len(self._places(GOAL))

    @cached_property
    def walls(self) -> Bool[Tensor, "tiles"]:
        """Tell of each tile, row by row from the south, whether it is wall."""
        return torch.tensor([tile == WALL for row in self.tiles for tile in row]).to(self.device)

    @cached_property
    def ends(self) -> Int[Tensor, "tiles"]:
        """Number the ends from west to east, then from south to north; -1 for other tiles."""
        numbered = torch.full((len(self.tiles) * self.width,), -1)
        for number, (x, y) in enumerate(self._places(GOAL)):
            numbered[y * self.width + x] = number
        return numbered.to(self.device)

    @cached_property
    def forks(self) -> Bool[Tensor, "tiles"]:
        """Tell of each tile whether plain floor lies at three of its sides or more."""
        floor = {*self._places(".")}
        sides = ((1, 0), (-1, 0), (0, 1), (0, -1))
        told = [
            (x, y) in floor and sum((x + dx, y + dy) in floor for dx, dy in sides) >= FORKS
            for y in range(len(self.tiles))
            for x in range(self.width)
        ]
        return torch.tensor(told).to(self.device)

    def tile(self, x: Float[Tensor, "*batch"], y: Float[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
        """Say on which tile a place is."""
        return y.long() * self.width + x.long()

    def sight(
        self,
        x: Float[Tensor, "*batch"],
        y: Float[Tensor, "*batch"],
        rays: Float[Tensor, "R 2 *batch"],
    ) -> Float[Tensor, "R *batch"]:
        """Say how far rays go before a wall begins or ends, as a share of how far one sees.

        `rays` are unit vectors.
        """
        # Long axes come last, which is several times faster: [R, axis, line, *batch].
        place = torch.stack([x, y])
        floor, ahead = place.floor(), torch.copysign(rays.new_ones(()), rays).unsqueeze(2)
        lines = torch.where(rays > 0, floor + 1, floor).unsqueeze(2)
        lines = torch.cat([lines + number * ahead for number in range(SIGHT)], 2)
        along = ((lines - place.unsqueeze(1)) / rays.unsqueeze(2)).clamp_max(SIGHT)
        across = place.flip(0).unsqueeze(1) + along * rays.flip(1).unsqueeze(2)
        size = self.edges.shape[-1]
        begun = torch.tensor([MARGIN, MARGIN + size], device=x.device)
        begun = begun.view(2, *[1] * (place.ndim))
        flat = (lines + begun) * size + (across.floor() + MARGIN)
        met = self.edges.view(-1).take(flat.long())
        return torch.where(met, along, SIGHT).amin((1, 2)) / SIGHT

    @cached_property
    def edges(self) -> Bool[Tensor, "2 lines tiles"]:
        """Tell of the lines across each axis, tile by tile, whether wall and floor meet there.

        About the maze there is a margin, so that a ray never leaves what is told.
        """
        size = max(len(self.tiles), self.width) + 2 * MARGIN
        wall = torch.ones(size + 1, size + 1, dtype=torch.bool)
        rows = torch.tensor([[tile == WALL for tile in row] for row in self.tiles])
        begun = MARGIN + 1
        wall[begun : begun + len(self.tiles), begun : begun + self.width] = rows
        across_x = (wall[1:, 1:] != wall[1:, :-1]).T  # [line, row]
        across_y = wall[1:, 1:] != wall[:-1, 1:]  # [line, column]
        return torch.stack([across_x, across_y]).contiguous().to(self.device)

    def _places(self, kind: str) -> list[tuple[int, int]]:
        found = [(x, y) for y, row in enumerate(self.tiles) for x, tile in enumerate(row)
                 if tile == kind]  # fmt: skip
        return sorted(found)


@lru_cache
def maze(name: str, device: str = "cpu") -> Maze:
    """Give a maze by its name."""
    return Maze(tuple(reversed(DRAWN[name].split())), device)


@lru_cache
def compass(turn: float, most: int, device: str = "cpu") -> Float[Tensor, "4 2 headings"]:
    """Give the way ahead and the three rays, as unit vectors, after up to so many turns.

    The heading of `most` is north, that before it a turn of so many degrees clockwise.
    """
    angles = [pi / 2 + number * turn / 180 * pi for number in range(-most, most + 1)]
    ways = [[[_beside(one(angle + look)) for angle in angles] for one in (cos, sin)]
            for look in (0.0, *LOOKS)]  # fmt: skip
    return torch.tensor(ways, dtype=torch.float64).to(device)


def _beside(number: float) -> float:
    """Keep a way a hair off an axis: one along a line between tiles would be nowhere."""
    return number if abs(number) > HAIR else HAIR
