"""Plain questions to a sequence, or to one of its answers, that can be answered with yes or no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evo_ntm.reports.explaining.phases import Loop, Phase, Plan

Numbers = NDArray[np.float64]
Booleans = NDArray[np.bool_]

MOST_BITS = 16
FAR = (0.75, 0.9, 0.99)


@dataclass(frozen=True)
class Quantity:
    """A number that a sequence has, and how it is said that it is at least, or at most, so much.

    Without `cuts`, it is asked at some quantiles of what there is.
    """

    at_least: str = ""
    at_most: str = ""
    cuts: tuple[float, ...] = ()
    quantiles: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)


QUANTITIES = {
    "blank": Quantity("contains an all-zero vector", cuts=(1,)),
    "blanks": Quantity("contains at least {} all-zero vectors", cuts=(2,)),
    "first": Quantity(at_most="begins with an all-zero vector", cuts=(0,)),
    "last": Quantity(at_most="ends with an all-zero vector", cuts=(0,)),
    "fewest": Quantity(at_most="contains a vector with at most {} ones", cuts=(1, 2)),
    "most": Quantity("contains a vector with at least {} ones", quantiles=FAR),
    "neighbours": Quantity("contains two equal vectors in succession", cuts=(1,)),
    "repeated": Quantity("contains a vector more than once", cuts=(1,)),
    "length": Quantity("has at least {} vectors", "has at most {} vectors"),
    "run": Quantity("shows a bit unchanged at least {} times in succession", quantiles=FAR),
    "ones": Quantity("has at least {} of its bits set", "has at most {} of its bits set"),
    "items": Quantity("has at least {} items", "has at most {} items"),
    "equal items": Quantity("contains two equal items", cuts=(1,)),
    "common vectors": Quantity("has two items with a vector in common", cuts=(1,)),
    "asked item": Quantity("asks for item {} or a later one", "asks for item {} or an earlier one"),
    "from the end": Quantity(at_most="asks for the last item", cuts=(0,)),
    "gap": Quantity(at_most="has two values of {channel} within {}"),
    "answers": Quantity("asks for at least {} answers", "asks for at most {} answers"),
    "turns": Quantity(
        "asks for its vectors at least {} times", "asks for its vectors at most {} times"
    ),
}

OF_ANSWERS = {
    "asked": Quantity(at_most="the vector asked for is all zeros", cuts=(0,)),
    "bits": Quantity("the vector asked for has {channel}", cuts=(1,)),
    "pairs": Quantity("the vector asked for has bits {channel}", cuts=(1,)),
    "few": Quantity(at_most="the vector asked for has at most {} ones", cuts=(1, 2)),
    "many": Quantity("the vector asked for has at least {} ones", quantiles=FAR),
    "before": Quantity(at_most="the vector asked for before is all zeros", cuts=(0,)),
    "again": Quantity("the vector asked for is the same as before", cuts=(1,)),
    "elsewhere": Quantity("the vector asked for came in more than once", cuts=(2,)),
    "place": Quantity("it is answer {} or a later one"),
    "first": Quantity(at_most="it is the first answer", cuts=(1,)),
    "left": Quantity(at_most="it is the last answer", cuts=(0,)),
}


def quantities(
    plan: Plan, inputs: Numbers, scored: Booleans, marked: Booleans | None = None
) -> dict[str, Numbers]:
    """Measure the sequences [T, B, I] that a plan is of: each quantity by its name, [B].

    Of the answers those that are `marked` [T, B] ask for no vector, but for a mark.
    """
    vectors = inputs[..., list(plan.channels.vectors)] > 0.5
    shown = plan.heard
    length = shown.sum(0)
    found: dict[str, Numbers] = {"length": length, "answers": scored.sum(0)}
    ones = vectors.sum(-1)
    found["ones"] = np.round((ones * shown).sum(0) / np.maximum(length, 1) / vectors.shape[-1], 2)
    found["run"] = _longest_run(vectors, shown)
    if vectors.shape[-1] > 1:
        found |= _of_vectors(vectors, ones, shown)
        of_vectors = scored if marked is None else scored & ~marked
        found["turns"] = of_vectors.sum(0) / np.maximum(length, 1)
    for channel, name in plan.channels.values:
        if (inputs[..., channel] != 0)[shown].mean() > 0.5:
            found[f"gap of {name}"] = _gap(inputs[..., channel], shown)
    found |= _of_items(plan, vectors)
    return {name: np.asarray(numbers, dtype=np.float64) for name, numbers in found.items()}


def of_answers(
    plan: Plan, inputs: Numbers, targets: Numbers, scored: Booleans, places: Sequence[slice]
) -> dict[str, Numbers]:
    """Measure the answers of sequences: each quantity by its name, [T, B].

    `places` say where in the targets [T, B, O] the vectors asked for are.
    """
    place = scored.cumsum(0)
    found = {"place": place, "first": place, "left": scored.sum(0) - place}
    vectors = inputs[..., list(plan.channels.vectors)]
    width = vectors.shape[-1]
    if width > 1 and all(targets[..., part].shape[-1] == width for part in places):
        ones = np.stack([targets[..., part].sum(-1) for part in places])
        least, most, none = ones.min(0), ones.max(0), np.full((1, scored.shape[1]), width)
        same = (targets[1:] == targets[:-1]).all(-1) & scored[:-1]
        found |= {
            "asked": least,
            "few": least,
            "many": most,
            "before": np.concatenate([none, np.where(scored[:-1], least[:-1], width)]),
            "again": np.concatenate([0 * none, same]),
            "elsewhere": _times(vectors, plan.of_kind("input"), targets[..., places[0]]),
            **_bits(targets[..., places[0]]),
        }
    return {name: np.asarray(numbers, dtype=np.float64) for name, numbers in found.items()}


def _bits(targets: Numbers) -> dict[str, Numbers]:
    """Tell of single bits of the vector asked for, and of pairs, whether they are so and so."""
    width = targets.shape[-1]
    if width > MOST_BITS:
        return {}
    one = {(bit, value): targets[..., bit] == value for bit in range(width) for value in (1, 0)}
    said = {key: f"bit {key[0] + 1} {'set' if key[1] else 'unset'}" for key in one}
    found = {f"bits of {said[key]}": has for key, has in one.items()}
    for (bit, value), has in one.items():
        for (other, its), also in one.items():
            if bit < other:
                found[f"bits of {said[bit, value]} and {said[other, its]}"] = has & also
    for bit in range(width):
        for other in range(bit):
            differ = targets[..., bit] != targets[..., other]
            found[f"pairs of {other + 1} and {bit + 1} that differ"] = differ
            found[f"pairs of {other + 1} and {bit + 1} that are equal"] = ~differ
    return found


def _times(vectors: Numbers, shown: Booleans, targets: Numbers) -> Numbers:
    """Count how often the vector asked for came in, [T, B]."""
    times = np.zeros(targets.shape[:2])
    for step in np.flatnonzero(shown.any(1)):
        times += (targets == vectors[step]).all(-1) & shown[step]
    return times


def predicates(
    found: Mapping[str, Numbers], known_as: Mapping[str, Quantity] = QUANTITIES
) -> dict[str, Booleans]:
    """Ask all questions, each by what is said where the answer is yes."""
    asked: dict[str, Booleans] = {}
    for name, numbers in found.items():
        kind, _, channel = name.partition(" of ")
        told = known_as[kind]
        known = numbers[~np.isnan(numbers)]
        cuts: Sequence[float] = (
            told.cuts or np.unique(np.quantile(known, told.quantiles, method="nearest")).tolist()
        )
        for cut in cuts:
            for words, has in ((told.at_least, numbers >= cut), (told.at_most, numbers <= cut)):
                if words and has.any() and not has.all():
                    asked[words.replace("{channel}", channel).format(_number(cut))] = has
    return asked


def _number(value: float) -> str:
    return f"{value:.3g}"


def _of_vectors(vectors: Booleans, ones: NDArray[np.int64], shown: Booleans) -> dict[str, Numbers]:
    steps, lanes = shown.shape
    lane = np.arange(lanes)
    begun = shown.argmax(0)
    ended = steps - 1 - shown[::-1].argmax(0)
    neighbours = (vectors[1:] == vectors[:-1]).all(-1) & shown[1:] & shown[:-1]
    blanks = ((ones == 0) & shown).sum(0)
    repeated = [int(shown[:, n].sum()) - len({v.tobytes() for v in vectors[shown[:, n], n]})
                for n in range(lanes)]  # fmt: skip
    return {
        "blank": blanks,
        "blanks": blanks,
        "first": ones[begun, lane],
        "last": ones[ended, lane],
        "fewest": np.where(shown, ones, vectors.shape[-1]).min(0),
        "most": np.where(shown, ones, 0).max(0),
        "neighbours": neighbours.sum(0),
        "repeated": np.array(repeated),
    }


def _longest_run(vectors: Booleans, shown: Booleans) -> Numbers:
    run = np.zeros(vectors.shape[1:], dtype=np.int64)
    longest, before = run.max(-1), vectors[0]
    for step in range(len(vectors)):
        same = (vectors[step] == before) & shown[step][:, None]
        run = np.where(same, run + 1, shown[step][:, None])
        longest = np.maximum(longest, run.max(-1))
        before = vectors[step]
    return np.asarray(longest, dtype=np.float64)


def _gap(values: Numbers, shown: Booleans) -> Numbers:
    """Find the least distance between two values of each sequence."""
    sorted_ = np.sort(np.where(shown, values, np.nan), axis=0)
    gaps = np.diff(sorted_, axis=0)
    least: Numbers = np.where(np.isnan(gaps), np.inf, gaps).min(0, initial=np.inf)
    return least


def _of_items(plan: Plan, vectors: Booleans) -> dict[str, Numbers]:
    """Measure items: what comes in again and again behind the same flag."""
    loop = next((part for part in plan.order if isinstance(part, Loop)), None)
    flags = [p for p in loop.phases if isinstance(p, Phase) and p.kind == "flag"] if loop else []
    if not flags:
        return {}
    raised = plan.where[flags[0]]
    inside = plan.where[Phase("input", flags[0].flag)]
    other = plan.heard & ~inside
    lanes = [_items(raised[:, n], inside[:, n], other[:, n], vectors[:, n])
             for n in range(raised.shape[1])]  # fmt: skip
    return {name: np.array([lane[name] for lane in lanes], dtype=np.float64) for name in lanes[0]}


def _items(
    raised: Booleans, inside: Booleans, other: Booleans, vectors: Booleans
) -> dict[str, float]:
    number = np.cumsum(raised)
    items = [
        [v.tobytes() for v in vectors[inside & (number == n + 1)]] for n in range(raised.sum())
    ]
    query = [v.tobytes() for v in vectors[other]]
    alike = sum(items[a] == items[b] for a in range(len(items)) for b in range(a))
    common = sum(bool(set(items[a]) & set(items[b])) for a in range(len(items)) for b in range(a))
    place = items.index(query) + 2 if query in items else np.nan
    return {"items": len(items), "equal items": alike, "common vectors": common,
            "asked item": place, "from the end": len(items) - place}  # fmt: skip
