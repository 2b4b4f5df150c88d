from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.strategy import Patience, Standing, Validation, restart
from tests.evolution.cases import tiny

SOMEBODY = Individual(tiny(), operators=("found",))


def validation(generation, bits, wrong_bits=1.0):
    return Validation(generation, SOMEBODY, wrong_bits, bits)


def test_patience_ends_so_many_generations_after_the_last_progress():
    patience = Patience(10, since=5)
    assert not patience.ended(14)
    assert patience.ended(15)
    patience = patience.after(validation(9, 4.0))
    assert patience.ended(19) and not patience.ended(18)


def test_a_validation_of_the_search_before_is_not_waited_by():
    patience = Patience(10, since=8)
    assert patience.after(validation(7, 0.1)) == patience
    assert patience.after(validation(8, 4.0)).bits == 4.0


def test_only_a_better_validation_is_progress():
    patience = Patience(10, since=0).after(validation(3, 4.0))
    for bits in (4.0, 5.0, float("inf")):
        assert patience.after(validation(7, bits)) == patience
    assert patience.after(validation(7, 3.9)).since == 7


def test_fewer_wrong_bits_are_progress_though_they_cost_more_bits():
    patience = Patience(10, since=0).after(validation(3, 4.0, 3.0)).after(validation(7, 5.0, 2.9))
    assert patience.since == 7
    assert patience.after(validation(9, 4.5, 2.95)).since == 7
    assert patience.after(validation(9, 3.9, 2.95)).since == 9


def test_progress_may_be_asked_to_be_a_share():
    patience = Patience(10, since=0, share=0.1).after(validation(3, 40.0, 20.0))
    for bits, wrong_bits in ((37.0, 20.0), (40.0, 18.5)):
        assert patience.after(validation(7, bits, wrong_bits)).since == 3
    for bits, wrong_bits in ((35.0, 20.0), (50.0, 17.0)):
        assert patience.after(validation(7, bits, wrong_bits)).since == 7


def in_stage(generation, stage, bits, wrong_bits=1.0):
    return Validation(generation, SOMEBODY, 99.0, 99.0, Standing(stage, wrong_bits, bits))


def test_progress_may_be_judged_by_the_stage_whatever_the_validation_set_says():
    patience = Patience(10, since=0, share=0.1).after(in_stage(3, 0, 40.0))
    assert patience.since == 3
    assert patience.after(in_stage(7, 0, 37.0)).since == 3
    assert patience.after(in_stage(7, 0, 35.0)).since == 7


def test_another_stage_is_progress_after_which_all_is_judged_anew():
    patience = Patience(10, since=0).after(in_stage(3, 0, 4.0)).after(in_stage(7, 1, 50.0, 20.0))
    assert (patience.since, patience.stage) == (7, 1)
    assert patience.after(in_stage(9, 1, 50.0, 20.0)).since == 7
    assert patience.after(in_stage(9, 1, 49.0, 20.0)).since == 9
    assert patience.restored(patience.words()) == patience


def test_a_patience_that_knew_of_no_stages_can_be_restored():
    patience = Patience(10, since=0).after(validation(3, 4.0))
    words = {name: told for name, told in patience.words().items() if name != "stage"}
    assert Patience(10, since=0).restored(words) == patience


def test_a_stage_may_have_a_patience_of_its_own():
    def look(generation, stage, own):
        return Validation(generation, SOMEBODY, 9.0, 9.0, Standing(stage, 1.0, 4.0, own))

    patience = Patience(10, since=0).after(look(3, 0, None)).after(look(7, 1, 4))
    assert patience.most == 4 and patience.ended(11) and not patience.ended(10)
    assert patience.restored(patience.words()) == patience
    assert restart(11, patience).text == "no progress for 4 generations"
    patience = patience.after(look(9, 2, None))
    assert patience.ended(19) and not patience.ended(18)
    assert restart(19, patience).text == "no progress for 10 generations"
