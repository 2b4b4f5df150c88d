from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.strategy import Patience, Validation
from tests.evolution.cases import tiny

SOMEBODY = Individual(tiny(), operators=("found",))


def validation(generation, bits):
    return Validation(generation, SOMEBODY, bits, bits)


def test_patience_ends_so_many_generations_after_the_last_progress():
    patience = Patience(10, since=5)
    assert not patience.ended(14)
    assert patience.ended(15)
    patience = patience.after(validation(9, 4.0))
    assert patience.ended(19) and not patience.ended(18)


def test_only_a_better_validation_is_progress():
    patience = Patience(10, since=0).after(validation(3, 4.0))
    for bits in (4.0, 5.0, float("inf")):
        assert patience.after(validation(7, bits)) == patience
    assert patience.after(validation(7, 3.9)) == Patience(10, since=7, bits=3.9)
