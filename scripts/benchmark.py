"""Measure how fast machines run without gradients: sequence-timesteps a second, by shape.

One individual answering one step of one sequence is one sequence-timestep. The best of several
repeats counts, for other programs only ever make a run slower.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial

import torch

from evo_ntm.machine import Machine
from evo_ntm.machine.chunks import chunk_size
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Controller, Head, Topology
from evo_ntm.topology.parts import ControllerKind
from evo_ntm.topology.wires import size

EPSILON = 0.01


@dataclass(frozen=True)
class Shape:
    """A population of machines for copying 8 bits, and what it is shown."""

    controller: ControllerKind
    units: int
    rows: int
    width: int
    population: int
    sequences: int
    steps: int

    @property
    def topology(self) -> Topology:
        """Build the machine: one layer, one reader, one writer."""
        return Topology(
            inputs=(Block(1, 9),),
            outputs=(Block(2, 8),),
            controller=Controller(self.controller, ((Block(3, self.units),),)),
            columns=(Block(4, self.width),),
            heads=(Head(5, "reader"), Head(6, "writer")),
        )

    @property
    def timesteps(self) -> int:
        """Count what one run of the population answers."""
        return self.population * self.sequences * self.steps


SHAPES = [
    Shape("lstm", 100, 128, 20, population=64, sequences=16, steps=41),
    Shape("lstm", 100, 128, 20, population=256, sequences=8, steps=41),
    Shape("dense", 100, 128, 20, population=64, sequences=16, steps=41),
    Shape("dense", 100, 128, 20, population=256, sequences=8, steps=41),
    Shape("dense", 16, 32, 9, population=256, sequences=8, steps=41),
    Shape("dense", 16, 20, 10, population=256, sequences=16, steps=21),  # evolving copy
]


Result = dict[str, str | int]


def measure(shape: Shape, *, device: str, threads: int, chunk: int | None, repeats: int) -> Result:
    """Run a population several times, chunk by chunk, and tell the best rate."""
    chunk = chunk or chunk_of(shape, device)
    machine = Machine(shape.topology, EPSILON)
    stream = derive(1, "benchmark")
    flat = torch.from_numpy(stream.normal((shape.population, size(shape.topology)))) / 10
    inputs = torch.from_numpy(stream.bits((shape.steps, shape.sequences, 9))).float().to(device)
    chunks = torch.split(flat.to(device), chunk)
    run = partial(run_chunk, machine, inputs, shape.rows)
    seconds = []
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in range(1 + repeats):
            begun = time.perf_counter()
            list(pool.map(run, chunks))
            if device.startswith("cuda"):
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - begun)
    rate = shape.timesteps / min(seconds[1:])  # the first run only warms up
    return {**asdict(shape), "chunk": chunk, "timesteps_per_second": round(rate)}


def chunk_of(shape: Shape, device: str) -> int:
    """Say how many machines to run at once: on a GPU, all of them."""
    if device != "cpu":
        return shape.population
    return chunk_size(shape.topology, lanes=shape.sequences, rows=shape.rows, steps=shape.steps)


def run_chunk(
    machine: Machine, inputs: torch.Tensor, rows: int, flat: torch.Tensor
) -> torch.Tensor:
    """Answer the inputs with every machine of a chunk."""
    with torch.inference_mode():
        weights = machine.wire_up(flat)
        state = machine.initial_state(weights, lanes=inputs.shape[-2], rows=rows)
        return machine.run(weights, inputs, state)[0]


def main() -> None:
    """Print a line a shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2, help="chunks at a time")
    parser.add_argument("--chunk", type=int, help="machines a chunk (default: what evolution uses)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    asked = parser.parse_args()
    settings = {name: getattr(asked, name) for name in ("device", "threads", "chunk", "repeats")}
    if asked.json:
        print(json.dumps([measure(shape, **settings) for shape in SHAPES], indent=2))
        return
    print("controller  memory  population x sequences x steps  chunk  timesteps/s")
    for shape in SHAPES:
        found = measure(shape, **settings)
        print(
            f"{shape.controller:>5} {shape.units:>4} {shape.rows:>4} x {shape.width:<2}"
            f"{shape.population:>14} x {shape.sequences:>2} x {shape.steps:<13}"
            f"{found['chunk']:>6} {found['timesteps_per_second']:>12,}",
            flush=True,
        )


if __name__ == "__main__":
    main()
