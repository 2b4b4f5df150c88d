"""Champions that others evolved, in our machine: graphs with a tape."""

from pathlib import Path

import pytest
import torch

from evo_ntm.experiment.tasks import EntmCopySettings
from evo_ntm.machine import Machine
from evo_ntm.seeds import derive
from evo_ntm.tasks.entm_copy import EntmCopy
from evo_ntm.topology import Block
from tests.machine.champions import champion

GOLDEN = Path(__file__).parents[2] / "../shared/golden/entm"
COPY, MAZE = GOLDEN / "copy-2-bit-champion.json", GOLDEN / "double-t-maze-champion.json"
pytestmark = pytest.mark.skipif(not COPY.exists(), reason="no golden data beside the checkout")


@pytest.mark.parametrize("write", ["overwrite", "interpolate"])
@pytest.mark.parametrize(
    ("shortest", "longest", "sequences"), [(1, 10, 200), (100, 100, 20), (1000, 1000, 3)]
)
def test_the_champion_of_2_bits_copies(write, shortest, longest, sequences):
    task = EntmCopy(EntmCopySettings(bits=2, shortest=shortest, longest=longest))
    genome = champion(COPY, inputs=task.inputs, outputs=task.outputs, width=5, write=write)
    assert str(genome.topology) == "graph of 2 nodes and 124 connections, 1 tape head, width 5"
    episodes = task.episodes(derive(1, "champion"), sequences)
    with torch.inference_mode():
        answers = Machine(genome.topology).episode(
            torch.tensor(genome.weights), episodes.inputs, rows=0, lengths=episodes.lengths
        )
    assert task.worth(episodes, answers).mean() >= 0.999


def test_the_champion_of_the_double_t_maze_runs():
    genome = champion(
        MAZE,
        inputs=(Block(1, 3), Block(2, 1), Block(3, 1)),
        outputs=(Block(101, 3),),
        width=2,
        write="interpolate",
        steepness=4.924273,
        bias_last=True,
    )
    assert str(genome.topology) == "graph of 0 nodes and 63 connections, 1 tape head, width 2"
    answers = Machine(genome.topology).episode(
        torch.tensor(genome.weights), torch.rand(30, 4, 5), rows=0
    )
    assert answers.shape == (30, 4, 3)
    assert answers.isfinite().all()
