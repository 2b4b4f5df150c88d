"""What may be set of a run: where and how it is computed. No part of the experiment's hash."""

from typing import Annotated, Literal

from pydantic import Field

from evo_ntm.experiment.model import Positive, Settings


class RunSettings(Settings):
    """Where and how a run is computed."""

    device: Annotated[Literal["cpu", "cuda"], Field(description="cpu or cuda")] = "cpu"
    threads: Annotated[int, Field(ge=1, le=4096, description="threads of this process")] = 2
    backend: Annotated[
        Literal["auto", "torch", "fused"],
        Field(description="whose arithmetic: torch, fused, or auto: fused where it is there"),
    ] = "auto"
    workers: Annotated[
        int, Field(ge=0, le=0, description="processes beside this one; only 0 so far")
    ] = 0
    keep: Annotated[
        Literal["champions", "lineage", "all"],
        Field(description="the genomes to keep: champions, those whose line lives on too, or all"),
    ] = "champions"
    checkpoint_every: Annotated[
        Positive,
        Field(description="generations between two checkpoints, and at most one a second"),
    ] = 10
