"""Every quantity inside a machine that others trained, step by step."""

from pathlib import Path

import numpy as np
import pytest
import torch

from evo_ntm.machine import addressing, memory

GOLDEN = Path(__file__).parents[2] / "../shared/golden/graves/pytorch-ntm-copy-seed11.npz"
pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="no golden data beside the checkout")

WEIGHTING, READ, MEMORY = 3e-7, 1e-5, 3e-6


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return {name: torch.from_numpy(file[name]).double() for name in file.files}


def near(ours, theirs, tolerance):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("head", ["read", "write"])
def test_a_trained_head_looks_where_ours_does(golden, head):
    def one_head(name):
        return golden[f"{head}_{name}"].unsqueeze(1)

    M = golden["memory_before"]
    w = addressing.content(M, one_head("k"), one_head("beta"), eps=1e-8)
    w = addressing.interpolate(w, one_head("w_previous"), one_head("g"))
    w = addressing.shift(w, one_head("s"))
    w = addressing.sharpen(w, one_head("gamma"))
    near(w, one_head("w"), WEIGHTING)


def test_a_trained_head_reads_what_ours_does(golden):
    reads = memory.read(golden["memory_before"], golden["read_w"].unsqueeze(1))
    near(reads.squeeze(1), golden["read_vector"], READ)


def test_a_trained_head_writes_what_ours_does(golden):
    w, e, a = (golden[name].unsqueeze(1) for name in ("write_w", "erase", "add"))
    near(memory.write(golden["memory_before"], w, e, a), golden["memory_after"], MEMORY)


def test_a_whole_trained_sequence_is_followed_from_its_first_memory_alone(golden):
    M = golden["memory_before"][0]
    w = torch.zeros(2, M.shape[0], dtype=torch.float64)
    for t in range(len(golden["read_k"])):
        k, beta, g, s, gamma = (
            torch.stack([golden[f"{head}_{name}"][t] for head in ("read", "write")])
            for name in ("k", "beta", "g", "s", "gamma")
        )
        w = addressing.interpolate(addressing.content(M, k, beta, eps=1e-8), w, g)
        w = addressing.sharpen(addressing.shift(w, s), gamma)
        near(memory.read(M, w[:1])[0], golden["read_vector"][t], 10 * READ)
        M = memory.write(M, w[1:], golden["erase"][t : t + 1], golden["add"][t : t + 1])
        near(M, golden["memory_after"][t], 10 * MEMORY)
