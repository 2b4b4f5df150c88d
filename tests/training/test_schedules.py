import pytest

from evo_ntm.experiment.finetune import Finetune
from evo_ntm.training.schedules import rate


def rates(**told):
    settings = Finetune(learning_rate=0.5, **told)
    return [rate(settings, step) for step in range(settings.steps)]


def test_a_constant_rate_stays():
    assert rates(steps=7) == [0.5] * 7


def test_a_linear_rate_falls_evenly_and_would_be_nothing_after_the_last_step():
    assert rates(steps=5, schedule="linear") == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1])


def test_a_cosine_falls_slowly_fast_and_slowly_again():
    told = rates(steps=4, schedule="cosine")
    assert told == pytest.approx([0.5, 0.25 + 0.25 * 0.5**0.5, 0.25, 0.25 - 0.25 * 0.5**0.5])


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_a_rate_rises_over_the_warmup_and_then_is_full_once(schedule):
    told = rates(steps=20, warmup=4, schedule=schedule)
    assert told[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert max(told) == told[4]


@pytest.mark.parametrize(("optimiser", "expected"), [("adam", 3e-3), ("rmsprop", 5e-4)])
def test_where_no_rate_is_set_an_optimiser_has_its_own(optimiser, expected):
    assert rate(Finetune(optimiser=optimiser), 0) == expected
