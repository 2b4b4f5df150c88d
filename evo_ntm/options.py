"""What several verbs take on the command line, and what of it overrides a task file."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from evo_ntm.arguments import read_birth
from evo_ntm.errors import ExperimentError

Device = Literal["cpu", "cuda"]
Arithmetic = Literal["auto", "torch", "fused"]
Place = Annotated[Path, typer.Argument(metavar="PATH", help="A run, a published folder, a genome.")]
Folder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Birth = Annotated[
    int | None,
    typer.Option(metavar="N", parser=read_birth, help="Another birth than the champion."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Curves = Annotated[
    bool, typer.Option("--tensorboard", help="Write curves for TensorBoard into the run.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Results only.")]
Workers = Annotated[
    str | None, typer.Option(metavar="N", help="Score by N processes of Ray; 0: by none.")
]
Address = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Join a running cluster of Ray: host:port."),
]
CPUs = Annotated[str | None, typer.Option(metavar="N", help="Override run.cpus_per_worker.")]
GPUs = Annotated[str | None, typer.Option(metavar="X", help="Override run.gpus_per_worker.")]
Timeout = Annotated[str | None, typer.Option(metavar="SECONDS", help="Override run.timeout.")]


def where(
    workers: str | None,
    ray: str | None,
    cpus_per_worker: str | None,
    gpus_per_worker: str | None,
    timeout: str | None,
    tensorboard: bool,
) -> dict[str, tuple[str, str | None]]:
    """Tell what options override of `run`, as option and value by key.

    Who asks for workers and names no cluster wants them on this computer.
    """
    local = "local" if workers is not None and ray is None else ray
    return {
        "run.workers": ("--workers", workers),
        "run.ray": ("--ray", None if local is None else json.dumps(local)),
        "run.cpus_per_worker": ("--cpus-per-worker", cpus_per_worker),
        "run.gpus_per_worker": ("--gpus-per-worker", gpus_per_worker),
        "run.timeout": ("--timeout", timeout),
        "run.tensorboard": ("--tensorboard", "true" if tensorboard else None),
    }


def given(options: Mapping[str, tuple[str, str | None]]) -> list[str]:
    """List the options that were given."""
    return [option for option, value in options.values() if value is not None]


@contextmanager
def overriding(options: Mapping[str, tuple[str, str | None]]) -> Iterator[list[str]]:
    """Give the overrides of those options that were given, and name options in complaints."""
    asked = {key: told for key, told in options.items() if told[1] is not None}
    try:
        yield [f"{key}={value}" for key, (_, value) in asked.items()]
    except ExperimentError as error:
        sentence = str(error)
        for key, (option, value) in asked.items():
            sentence = sentence.replace(f" --set {key}={value}:", f" {option} {value}:")
        raise ExperimentError(sentence) from error
