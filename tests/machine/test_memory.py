import pytest
import torch

from evo_ntm.machine import memory
from tests.machine import reference
from tests.machine.cases import numbers
from tests.machine.test_addressing import HEADS, LEADING, agree, each, weightings


@LEADING
@HEADS
def test_reading_is_equation_2(leading, heads):
    M, w = numbers(*leading, 6, 4), weightings(*leading, heads, 6)
    found = memory.read(M, w)
    assert found.shape == (*leading, heads, 4)
    for found_, M_, w_ in each(leading, found, M, w):
        for head in range(heads):
            agree(found_[head], reference.read(M_.tolist(), w_[head].tolist()))


@LEADING
@pytest.mark.parametrize("heads", [0, 1, 2, 3])
def test_writing_is_equations_3_and_4_all_heads_erasing_before_any_adds(leading, heads):
    M, w = numbers(*leading, 6, 4), weightings(*leading, heads, 6)
    e, a = weightings(*leading, heads, 4), numbers(*leading, heads, 4, seed=3)
    found = memory.write(M, w, e, a)
    for found_, *told in each(leading, found, M, w, e, a):
        M_, *heads_ = (tensor.tolist() for tensor in told)
        agree(found_, reference.write(M_, list(zip(*heads_, strict=True))))


def test_the_order_of_writing_heads_is_moot():
    M, w = numbers(6, 4), weightings(3, 6)
    e, a = weightings(3, 4), numbers(3, 4, seed=3)
    turned = memory.write(M, w.flip(0), e.flip(0), a.flip(0))
    torch.testing.assert_close(memory.write(M, w, e, a), turned)


def test_writing_leaves_the_memory_that_it_was_given():
    M, w = numbers(6, 4), weightings(2, 6)
    before = M.clone()
    with torch.inference_mode():
        memory.write(M, w, weightings(2, 4), numbers(2, 4))
    assert torch.equal(M, before)


def test_writing_can_overwrite():
    M, w, e, a = numbers(6, 4), weightings(2, 6), weightings(2, 4), numbers(2, 4)
    expected = memory.write(M, w, e, a)
    memory.write(M, w, e, a, out=M)
    torch.testing.assert_close(M, expected)
