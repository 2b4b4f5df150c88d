import jaxtyping
import pytest
import torch

from evo_ntm.machine import addressing


def test_shapes_are_checked_in_tests():
    with pytest.raises(jaxtyping.TypeCheckError, match="w_previous"):
        addressing.interpolate(torch.ones(1, 4), torch.ones(1, 3), torch.ones(1))
