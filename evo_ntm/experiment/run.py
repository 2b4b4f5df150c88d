"""What may be set of a run: where and how it is computed. No part of the experiment's hash."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from evo_ntm.experiment.model import Amount, Positive, Settings, refuse

LOCAL = "local"
Address = Annotated[str, Field(min_length=1, max_length=300)]


def _whole_above_one(share: float) -> float:
    if share > 1 and not share.is_integer():
        refuse((), "a share up to 1, or a whole number of GPUs", share)
    return share


class RunSettings(Settings):
    """Where and how a run is computed."""

    device: Annotated[Literal["cpu", "cuda"], Field(description="cpu or cuda")] = "cpu"
    threads: Annotated[int, Field(ge=1, le=4096, description="threads of this process")] = 2
    backend: Annotated[
        Literal["auto", "torch", "fused"],
        Field(description="whose arithmetic: torch, fused, or auto: fused where it is there"),
    ] = "auto"
    workers: Annotated[
        int,
        Field(
            ge=0,
            le=4096,
            description="processes of Ray that score; 0: the threads of this one, "
            "or in a cluster as many as there is room for",
        ),
    ] = 0
    ray: Annotated[
        Address | None,
        Field(
            description="a running cluster to join, as host:port, or auto for the one on this "
            "computer; local: none, whatever the variable RAY_ADDRESS says"
        ),
    ] = None
    cpus_per_worker: Annotated[
        int, Field(ge=1, le=4096, description="CPUs of a worker, each of which takes a chunk")
    ] = 1
    gpus_per_worker: Annotated[
        float,
        AfterValidator(_whole_above_one),
        Field(
            ge=0,
            le=64,
            description="share of a GPU for each worker, or GPUs; then all is computed on cuda",
        ),
    ] = 0.0
    timeout: Annotated[
        Amount, Field(description="seconds after which a worker at one chunk is taken for dead")
    ] = 600.0
    keep: Annotated[
        Literal["champions", "lineage", "all"],
        Field(description="the genomes to keep: champions, those whose line lives on too, or all"),
    ] = "lineage"
    checkpoint_every: Annotated[
        Positive,
        Field(description="generations between two checkpoints, and at most one a second"),
    ] = 10
    tensorboard: Annotated[
        bool, Field(description="curves for TensorBoard, in the folder tensorboard of the run")
    ] = False

    @property
    def gpus(self) -> float:
        """Say how many GPUs each worker has: one where none are named and all is on cuda."""
        return self.gpus_per_worker or float(self.device == "cuda")

    @property
    def computes_on(self) -> str:
        """Say on what device all is computed."""
        return "cuda" if self.gpus else "cpu"
