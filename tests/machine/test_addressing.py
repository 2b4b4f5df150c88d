import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.machine import addressing
from tests.machine import reference
from tests.machine.cases import finite, numbers

LEADING = pytest.mark.parametrize("leading", [(), (4,), (2, 3)])
HEADS = pytest.mark.parametrize("heads", [1, 3])
SHIFTS = pytest.mark.parametrize("shifts", [3, 5, 7])


def weightings(*shape):
    return torch.softmax(2 * numbers(*shape, seed=7), dim=-1)


def each(leading, *tensors):
    """Pair up, for every place on the leading axes, what lies there."""
    return zip(*(tensor.flatten(0, len(leading) - 1) if leading else tensor[None]
                 for tensor in tensors), strict=True)  # fmt: skip


def agree(ours, theirs):
    torch.testing.assert_close(ours, torch.tensor(theirs, dtype=ours.dtype), rtol=1e-12, atol=1e-12)


@LEADING
@HEADS
@pytest.mark.parametrize("eps", [1e-6, 1e-2, 0.5])
def test_content_is_equations_5_and_6(leading, heads, eps):
    M, k = numbers(*leading, 6, 4), numbers(*leading, heads, 4, seed=2)
    beta = 5 * torch.rand(*leading, heads, dtype=torch.float64)
    found = addressing.content(M, k, beta, eps=eps)
    assert found.shape == (*leading, heads, 6)
    for w, M_, k_, beta_ in each(leading, found, M, k, beta):
        for head in range(heads):
            agree(w[head], reference.content(M_.tolist(), k_[head].tolist(), beta_[head], eps))


@LEADING
@HEADS
def test_interpolation_is_equation_7(leading, heads):
    seen, previous = weightings(*leading, heads, 6), numbers(*leading, heads, 6)
    g = torch.rand(*leading, heads, dtype=torch.float64)
    found = addressing.interpolate(seen, previous, g)
    for w, seen_, previous_, g_ in each(leading, found, seen, previous, g):
        for head in range(heads):
            agree(w[head], reference.interpolate(seen_[head], previous_[head], g_[head]))


@LEADING
@HEADS
@SHIFTS
@pytest.mark.parametrize("rows", [1, 2, 3, 6])
def test_shift_is_equation_8_on_a_ring_of_any_size(leading, heads, shifts, rows):
    w, s = weightings(*leading, heads, rows), weightings(*leading, heads, shifts)
    found = addressing.shift(w, s)
    assert found.shape == w.shape
    for found_, w_, s_ in each(leading, found, w, s):
        for head in range(heads):
            agree(found_[head], reference.shift(w_[head].tolist(), s_[head].tolist()))


@SHIFTS
def test_the_offset_plus_one_moves_the_focus_to_the_next_row(shifts):
    w, s = torch.zeros(1, 5), torch.zeros(1, shifts)
    w[0, 4], s[0, shifts // 2 + 1] = 1, 1
    assert addressing.shift(w, s).tolist() == [[1, 0, 0, 0, 0]]


@LEADING
@HEADS
def test_sharpening_is_equation_9(leading, heads):
    w, gamma = weightings(*leading, heads, 6), 1 + 4 * weightings(*leading, heads)
    found = addressing.sharpen(w, gamma)
    for found_, w_, gamma_ in each(leading, found, w, gamma):
        for head in range(heads):
            agree(found_[head], reference.sharpen(w_[head].tolist(), gamma_[head].item()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [1.0, 20.0, 1e3, 1e4])
def test_sharpening_stays_finite_and_sums_to_one(dtype, gamma):
    rows = torch.tensor([[1, 0, 0, 0], [0.25] * 4, [0.7, 0.3, 1e-30, 0], [0.5, 0.5, 0, 0]])
    rows = rows.to(dtype).requires_grad_()
    sharp = addressing.sharpen(rows, torch.full((4,), gamma, dtype=dtype))
    assert finite(sharp)
    torch.testing.assert_close(sharp.sum(-1), torch.ones(4, dtype=dtype))
    torch.testing.assert_close(sharp[1], rows[1].detach())
    sharp.square().sum().backward()
    assert finite(rows.grad)


def test_sharpening_draws_together_what_a_power_would_lose():
    w = torch.tensor([[0.02, 0.01, 0.97]]) / 1e3
    assert (w**1e3).sum() == 0
    torch.testing.assert_close(
        addressing.sharpen(w, torch.tensor([1e3])), torch.tensor([[0.0, 0.0, 1.0]])
    )


@given(
    rows=some.integers(1, 7),
    shifts=some.sampled_from([3, 5, 7]),
    loud=some.sampled_from([1.0, 30.0]),
    seed=some.integers(0, 99),
)
def test_every_stage_keeps_equation_1(rows, shifts, loud, seed):
    M, told = numbers(rows, 3, seed=seed, scale=loud), numbers(6, 2, seed=seed, scale=loud)
    k, s = numbers(2, 3, seed=seed + 1, scale=loud), numbers(2, shifts, seed=seed, scale=loud)
    stages = [addressing.content(M, k, torch.nn.functional.softplus(told[0]))]
    previous = weightings(2, rows)
    stages.append(addressing.interpolate(stages[-1], previous, torch.sigmoid(told[1])))
    stages.append(addressing.shift(stages[-1], torch.softmax(s, dim=-1)))
    stages.append(addressing.sharpen(stages[-1], 1 + torch.nn.functional.softplus(told[2])))
    for w in stages:
        assert ((w >= 0) & (w <= 1 + 1e-12)).all()
        torch.testing.assert_close(w.sum(-1), torch.ones(2, dtype=w.dtype))


@pytest.mark.parametrize("eps", [1e-6, 1e-2])
@pytest.mark.parametrize("blank", ["rows", "keys", "both"])
def test_content_is_finite_at_zero_rows_and_zero_keys(eps, blank):
    M, k = numbers(5, 4), numbers(2, 4, seed=2)
    if blank in ("rows", "both"):
        M[1:3] = 0
    if blank in ("keys", "both"):
        k[0] = 0
    beta = torch.full((2,), 50.0, dtype=torch.float64)
    leaves = [tensor.requires_grad_() for tensor in (M, k, beta)]
    found = addressing.content(*leaves, eps=eps)
    assert finite(found)
    (found * numbers(2, 5, seed=3)).sum().backward()
    assert all(finite(leaf.grad) for leaf in leaves)


def test_silent_columns_change_nothing():
    M, k, beta = numbers(5, 4), numbers(2, 4, seed=2), torch.ones(2, dtype=torch.float64)
    silent = torch.nn.functional.pad
    torch.testing.assert_close(
        addressing.content(M, k, beta, eps=0.1),
        addressing.content(silent(M, (0, 3)), silent(k, (0, 3)), beta, eps=0.1),
    )


def test_epsilon_lets_a_blank_row_score_less_than_a_written_one():
    M = torch.tensor([[0.0, 1e-3], [0.0, 1.0]])
    strict, damped = (
        addressing.content(M, torch.tensor([[0.0, 1.0]]), torch.tensor([10.0]), eps=eps)
        for eps in (1e-6, 1e-2)
    )
    torch.testing.assert_close(strict, torch.tensor([[0.5, 0.5]]), atol=1e-5, rtol=0)
    assert damped[0, 1] > 0.99
    assert math.isclose(damped.sum(), 1, rel_tol=1e-6)
