"""Whether what is drawn is spread as the paper says."""

from collections import Counter

import pytest
import torch

from evo_ntm.seeds import derive
from evo_ntm.tasks import make

LANES = 20_000


def episodes_of(name, lanes=LANES, **settings):
    return make(name, settings).episodes(derive(3, "distribution"), lanes)


def evenly(counts: Counter, kinds: int, total: int = LANES) -> bool:
    """Tell whether every kind came as often as it should, within five standard deviations."""
    share = 1 / kinds
    spread = 5 * (total * share * (1 - share)) ** 0.5
    return len(counts) == kinds and all(abs(n - total * share) < spread for n in counts.values())


@pytest.mark.parametrize("name", ["copy", "mirror_copy"])
def test_all_lengths_of_a_copy_are_equally_likely(name):
    episodes = episodes_of(name, bits=1)
    assert evenly(Counter(episodes.lengths), 20)
    assert set(episodes.lengths) == {2 * length + 1 for length in range(1, 21)}


def test_all_lengths_and_repeats_are_equally_likely_and_unrelated():
    episodes = episodes_of("repeat_copy", bits=1, longest=3, most=4)
    flagged = episodes.inputs[..., 1]
    counts = (episodes.inputs[..., 2].sum(0) * 2.872 + 5.5).round().int().tolist()
    lengths = flagged.argmax(0).tolist()
    pairs = Counter(zip(lengths, counts, strict=True))
    assert evenly(pairs, 12)
    assert set(pairs) == {(length, count) for length in (1, 2, 3) for count in (1, 2, 3, 4)}


def test_the_count_has_mean_0_and_variance_1_over_the_papers_range():
    shown = episodes_of("repeat_copy", bits=1, longest=1).inputs[1, :, 2]
    assert abs(float(shown.mean())) < 0.03
    assert abs(float(shown.var()) - 1) < 0.03


def test_all_numbers_of_items_are_equally_likely():
    episodes = episodes_of("associative_recall")
    assert evenly(Counter(episodes.lengths), 5)
    assert set(episodes.lengths) == {4 * items + 8 for items in range(2, 7)}


def test_any_item_but_the_last_may_be_queried():
    items = 5
    episodes = episodes_of("associative_recall", bits=20, vectors=1, fewest=items, most=items)
    shown = episodes.inputs[1 : 2 * items : 2, :, :20]  # the items, without their flags
    query = episodes.inputs[2 * items + 1, :, :20]
    position = (shown == query).all(-1).float().argmax(0)
    assert evenly(Counter(position.tolist()), items - 1)


@pytest.mark.parametrize("name", ["copy", "mirror_copy", "associative_recall", "priority_sort"])
def test_every_bit_that_is_asked_for_is_a_fair_coin(name):
    episodes = episodes_of(name, lanes=2_000)
    asked = episodes.targets[episodes.scored]
    spread = 5 * 0.5 / len(asked) ** 0.5
    assert ((asked.mean(0) - 0.5).abs() < spread).all()


def test_priorities_are_spread_evenly_from_minus_1_to_1():
    priorities = episodes_of("priority_sort", bits=1).inputs[:20, :, 1]
    assert float(priorities.min()) >= -1 and float(priorities.max()) <= 1
    tenths = ((priorities + 1) * 5).floor().int().flatten().tolist()
    assert evenly(Counter(tenths), 10, total=20 * LANES)


def test_answers_come_in_falling_priority():
    episodes = episodes_of("priority_sort", lanes=50, bits=30)
    shown, asked = episodes.inputs[:20, :, :30], episodes.targets[21:]
    came = (asked[:, None] == shown[None]).all(-1).float().argmax(1)  # [16, lanes]
    priorities = episodes.inputs[:20, :, 30].gather(0, came)
    assert (priorities.diff(dim=0) < 0).all()
    left = torch.ones(20, 50).scatter(0, came, 0.0).bool()
    highest_left = episodes.inputs[:20, :, 30].where(left, torch.tensor(-2.0)).amax(0)
    assert (priorities[-1] > highest_left).all()


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_share_of_what_is_sorted_comes_in_order_and_is_copied(share):
    episodes = episodes_of("priority_sort", bits=4, in_order=share)
    shown, asked = episodes.inputs[:16, :, :4], episodes.targets[21:]
    falling = (episodes.inputs[:20, :, 4].diff(dim=0) < 0).all(0)
    assert (shown == asked).all(-1).all(0)[falling].all()
    assert abs(float(falling.float().mean()) - share) < 5 * (0.25 / LANES) ** 0.5


def test_odds_of_ngrams_are_of_beta_one_half():
    # With one bit of context and a long sequence, the share of ones after a zero is the odds.
    episodes = episodes_of("ngrams", lanes=2_000, steps=2_000, context=1)
    shown, came = episodes.inputs[:-1, :, 0], episodes.targets[:-1, :, 0]
    after_zero = (1 - shown).sum(0)
    odds = ((1 - shown) * came).sum(0)[after_zero > 200] / after_zero[after_zero > 200]
    for quantile, expected in ((0.25, 0.1464), (0.5, 0.5), (0.75, 0.8536)):
        assert abs(float((odds < expected).float().mean()) - quantile) < 0.07


def test_the_free_bits_of_ngrams_are_fair_coins():
    free = episodes_of("ngrams", steps=6).inputs[:5, :, 0]
    assert ((free.mean(1) - 0.5).abs() < 5 * 0.5 / LANES**0.5).all()
