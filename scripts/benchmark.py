"""Measure how fast machines run, side by side: sequence-timesteps a second, by shape.

    python scripts/benchmark.py                      every shape, every contender that is installed
    python scripts/benchmark.py --only lstm-100 --kinds forward
    python scripts/benchmark.py --device cuda --check
    python scripts/benchmark.py --store              what keeping a run costs, by store_costs.py
    python scripts/benchmark.py --ray                what Ray costs and brings, by ray_costs.py

One machine answering one step of one sequence is one sequence-timestep. Contenders take turns, and
medians count. Needs torch and numpy, `--store` and `--ray` the whole package; `jax` takes part
where the extra `benchmark` is installed.
"""

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

import shapes  # noqa: F401 - before anything of evo_ntm
from check_cuda import check
from peers import CONTENDERS

from evo_ntm.machine import Machine
from evo_ntm.machine.backends import missing
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Controller, Head, Topology
from evo_ntm.topology.wires import size

EPSILON, INPUTS, OUTPUTS, STEPS, SHIFTS = 0.01, 10, 8, 41, 3
CLOSE = 1e-4
SIDE = 2048  # of the square matrices whose product is the measure of a machine
KINDS = ("forward", "training", "scaling")
COSTS = {
    "--store": "measure only what keeping a run costs",
    "--ray": "measure only what Ray costs and brings",
}
SLOW = ("single", "vmap")  # for which a few repeats do


@dataclass(frozen=True)
class Shape:
    """A population of machines, and what it is shown."""

    controller: str
    units: int
    rows: int
    width: int
    population: int
    sequences: int
    readers: int = 1
    writers: int = 1
    steps: int = STEPS

    def __str__(self) -> str:
        usual = (self.readers, self.writers) == (1, 1)
        kind = {"dense": "ff"}.get(self.controller, self.controller)
        machine = f"{kind}-{self.units}" + ("" if usual else f"-{self.readers}r{self.writers}w")
        return f"{machine}/{self.rows}x{self.width}/{self.population}x{self.sequences}"

    @property
    def topology(self) -> Topology:
        """Build the machine: one layer, every head using every stage."""
        kinds = ["writer"] * self.writers + ["reader"] * self.readers
        return Topology(
            inputs=(Block(1, INPUTS),),
            outputs=(Block(2, OUTPUTS),),
            controller=Controller(self.controller, ((Block(3, self.units),),)),
            columns=(Block(4, self.width),),
            heads=tuple(Head(5 + n, kind, shifts=SHIFTS) for n, kind in enumerate(kinds)),
        )

    @property
    def timesteps(self) -> int:
        """Count what one run of the population answers."""
        return self.population * self.sequences * self.steps

    @property
    def operations(self) -> int:
        """Count additions and multiplications of one sequence-timestep; a root or exp is one."""
        R, W, N, M, U, S = self.readers, self.writers, self.rows, self.width, self.units, SHIFTS
        H, lstm = R + W, self.controller == "lstm"
        gates, heard = (4 * U, INPUTS + R * M + U) if lstm else (U, INPUTS + R * M)
        told = H * (M + S + 3) + 2 * W * M + OUTPUTS
        products = 2 * (gates * heard + told * U + OUTPUTS * R * M)
        memory = N * M * (2 * H + 2 + 5 * W + 2 * R)  # eq. 6 and its lengths; 3 and 4; 2
        focus = H * N * (2 + 3 + 3 + 2 * S + 6)  # eq. 6, 5, 7, 8, 9
        return products + memory + focus + 8 * U * (3 if lstm else 1)


FORWARD = [
    Shape("lstm", 100, 128, 20, 64, 16),
    Shape("lstm", 100, 128, 20, 256, 8),
    Shape("dense", 100, 128, 20, 64, 16),
    Shape("dense", 100, 128, 20, 256, 8),
    Shape("dense", 16, 32, 9, 64, 16),
    Shape("dense", 16, 32, 9, 256, 8),
    Shape("dense", 256, 128, 20, 32, 8, readers=4, writers=4),
]
TRAINING = Shape("lstm", 100, 128, 20, 1, 32)  # length 20: 41 steps
POPULATIONS = [64, 256, 1024, 4096]
ROWS = [16, 64, 256, 1024, 4096]
SCALING = [Shape("dense", 100, 128, 20, P, 16) for P in POPULATIONS]
SCALING += [Shape("dense", 100, N, 20, 64, 16) for N in ROWS]

Row = dict[str, object]


def material(shape: Shape, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw weights and inputs."""
    stream = derive(1, "benchmark")
    scale = 1 / max(10, shape.units / 8)  # larger ones make rounding grow from step to step
    flat = torch.from_numpy(stream.normal((shape.population, size(shape.topology)))) * scale
    shown = stream.bits((shape.steps, shape.sequences, INPUTS))
    return flat.float().to(device), torch.from_numpy(shown).float().to(device)


def prepared(name: str, shape: Shape, device: str) -> Callable[[], object]:
    """Make what one contender runs."""
    flat, inputs = material(shape, device)
    return CONTENDERS[name](shape.topology, EPSILON, flat, inputs, shape.rows)


def timed(run: Callable[[], object], device: str) -> float:
    """Measure one run, in seconds."""
    begun = time.perf_counter()
    run()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def agree(runs: dict[str, Callable[[], object]], shape: Shape, device: str) -> None:
    """Warm every contender up, and leave with a message where one answers otherwise."""
    answers = {name: torch.as_tensor(_plain(run())) for name, run in runs.items()}
    told = answers.get("fused", next(iter(answers.values())))
    for name, other in answers.items():
        apart = float((other.cpu() - told.cpu()).abs().max())
        if not apart <= CLOSE:
            sys.exit(f"{shape}: {name} answers otherwise, by up to {apart:.1e}, on {device}")


def _plain(answers: object) -> torch.Tensor:
    import numpy as np

    return answers if isinstance(answers, torch.Tensor) else torch.from_numpy(np.array(answers))


def forward(shape: Shape, contenders: Sequence[str], asked: argparse.Namespace) -> list[Row]:
    """Let contenders answer the same episodes in turn."""
    runs = {name: prepared(name, shape, asked.device) for name in contenders}
    agree(runs, shape, asked.device)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    product = _product(asked.device)
    products = []
    for repeat in range(asked.repeats):
        for name, run in runs.items():
            if name not in SLOW or repeat < 3:
                seconds[name].append(timed(run, asked.device))
        products.append(timed(product, asked.device))
    sgemm = 2 * SIDE**3 / statistics.median(products)
    rates = {name: shape.timesteps / statistics.median(taken) for name, taken in seconds.items()}
    found = []
    for name, rate in rates.items():
        row: Row = {"shape": str(shape), "contender": name, "kind": "forward", "rate": round(rate)}
        row |= {f"times_{peer}": round(rate / other, 2) for peer, other in rates.items()}
        row["gflops"] = round(rate * shape.operations / 1e9, 1)
        row["of_sgemm"] = round(rate * shape.operations / sgemm, 2)
        row["peak_mib"] = _peak(name, shape, asked)
        found.append(row)
    return found


def _product(device: str) -> Callable[[], object]:
    one, other = torch.randn(2, SIDE, SIDE, device=device)
    torch.mm(one, other)
    return lambda: torch.mm(one, other)


def _peak(name: str, shape: Shape, asked: argparse.Namespace) -> float | None:
    """Measure by how much one run raises the peak of a process of its own, in MiB."""
    if asked.device != "cpu" or not asked.memory:
        return None
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    worker = context.Process(target=_tell_peak, args=(theirs, name, shape, asked.threads))
    worker.start()
    peak = mine.recv()
    worker.join()
    return peak


def _tell_peak(pipe: Connection, name: str, shape: Shape, threads: int) -> None:
    torch.set_num_threads(threads)
    run, status = prepared(name, shape, "cpu"), Path("/proc/self/status")
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        before = _kib(status, "VmRSS")
        run()
        pipe.send(round((_kib(status, "VmHWM") - before) / 1024, 1))
    except OSError:  # not Linux
        pipe.send(None)


def _kib(status: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if name in line)


def scaling(asked: argparse.Namespace) -> list[Row]:
    """Let the fused kernel answer for more and more machines, then over more and more rows."""
    if missing(asked.device):
        return []
    chosen = wanted(SCALING, asked)
    runs = {shape: prepared("fused", shape, asked.device) for shape in chosen}
    seconds: dict[Shape, list[float]] = {shape: [] for shape in runs}
    for repeat in range(asked.repeats + 1):
        for shape, run in runs.items():
            taken = timed(run, asked.device)
            if repeat:
                seconds[shape].append(taken)
    found = []
    for shape, taken in seconds.items():
        rate = shape.timesteps / statistics.median(taken)
        row = {"shape": str(shape), "contender": "fused", "kind": "scaling", "rate": round(rate)}
        found.append({**row, "nanoseconds_a_timestep": round(1e9 / rate, 1)})
    return found


def training(asked: argparse.Namespace) -> list[Row]:
    """Take gradients of one machine's episodes: by torch, on a GPU by a graph of it, and fused."""
    from evo_ntm.machine.kernels import graphs
    from evo_ntm.machine.kernels.gradient import differentiable_episode

    shape = TRAINING
    if not wanted([shape], asked):
        return []
    flat, inputs = material(shape, asked.device)
    topology, rows = shape.topology, shape.rows
    machine = Machine(topology, EPSILON)

    def by(episode: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[], torch.Tensor]:
        def run() -> torch.Tensor:
            leaf = flat[0].clone().requires_grad_()
            episode(leaf).square().mean().backward()
            assert leaf.grad is not None
            return leaf.grad

        return run

    runs = {
        "population": by(lambda leaf: machine.episode(leaf[None], inputs, rows=rows)),
        "fused": by(
            lambda leaf: differentiable_episode(topology, EPSILON, leaf, inputs, rows=rows)
        ),
    }
    if asked.device == "cuda":
        runs["graph"] = by(
            lambda leaf: graphs.differentiable_episode(
                machine, leaf, inputs, rows=rows, lengths=None
            )
        )
    torchs, *others = (run() for run in runs.values())
    apart = max(float((other - torchs).abs().max() / torchs.abs().max()) for other in others)
    if not apart <= CLOSE:
        sys.exit(f"{shape}: the gradients differ by {apart:.1e} of the largest")
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(asked.repeats):
        for name, run in runs.items():
            seconds[name].append(timed(run, asked.device))
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    return [
        {"shape": str(shape), "contender": name, "kind": "training",
         "rate": round(shape.timesteps / taken),
         "sequences_a_second": round(shape.sequences / taken, 1),
         "times_population": round(medians["population"] / taken, 2)}
        for name, taken in medians.items()
    ]  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """Write rows as a Markdown table."""
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "kind"))

    def cell(value: object) -> str:
        return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

    lines = [columns, ["---"] * len(columns)]
    lines += [[cell(row.get(name)) for name in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def installed(device: str) -> list[str]:
    """List the contenders that can take part here."""
    absent = set() if importlib.util.find_spec("jax") else {"jax"}
    if missing(device):
        absent.add("fused")
    return [name for name in CONTENDERS if name not in absent]


def wanted(all_shapes: Sequence[Shape], asked: argparse.Namespace) -> list[Shape]:
    """Choose the shapes whose name begins as was asked."""
    return [shape for shape in all_shapes if str(shape).startswith(asked.only)]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])

    def add(name: str, told: str, **more: object) -> None:
        parser.add_argument(name, help=told, **more)  # type: ignore[arg-type]

    add("--device", "cpu or cuda", default="cpu", choices=["cpu", "cuda"])
    add("--check", "compare the backends of the device first", action="store_true")
    add("--threads", "threads that each contender may use", type=positive, default=2)
    add("--repeats", "turns of each contender", type=positive, default=9)
    add("--population", "another population, for all forward shapes", type=positive)
    add("--only", "shapes whose name begins so", default="")
    add("--kinds", "what to measure", nargs="+", choices=KINDS, default=list(KINDS))
    add("--contenders", "who takes part", nargs="+", choices=list(CONTENDERS))
    add("--no-memory", "do not measure peaks of memory", dest="memory", action="store_false")
    for flag, told in COSTS.items():
        add(flag, told, dest="costs", action="append_const", const=f"{flag[2:]}_costs", default=[])
    add("--json", "write the rows there, too", type=Path, metavar="FILE")
    return parser.parse_args()


def positive(text: str) -> int:
    """Read a count of at least 1."""
    if (count := int(text)) < 1:
        raise ValueError
    return count


def main() -> None:
    """Measure what was asked for, and print a table a kind."""
    asked = arguments()
    if asked.check and not check(asked.device):
        sys.exit("the fused backend and torch answer differently")
    torch.set_num_threads(asked.threads)
    contenders = asked.contenders or installed(asked.device)
    rows: list[Row] = []
    for module in asked.costs:
        asked.kinds, found = [], importlib.import_module(module).costs(asked.repeats)
        rows += found
        print(table(found), flush=True)
    if "forward" in asked.kinds:
        for shape in wanted(FORWARD, asked):
            shape = replace(shape, population=asked.population or shape.population)
            rows += forward(shape, contenders, asked)
            print(table(rows[-len(contenders) :]), flush=True)
    for kind, measure in (("training", training), ("scaling", scaling)):
        if kind in asked.kinds and (found := measure(asked)):
            rows += found
            print(table(found), flush=True)
    if not rows:
        sys.exit(f"expected the beginning of a shape after --only, but came {asked.only!r}")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
