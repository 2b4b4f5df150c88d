"""Learners made up to try figures on."""

from math import nan

from evo_ntm.evolution.exam import ExamRow
from evo_ntm.reports.learning import Champion, Course, Learner

LENGTHS = (10, 20, 120)


def exam(wrong, sizes=LENGTHS, key="length"):
    return tuple(
        ExamRow(f"{key} {size}", {key: size}, 128, 100, wrong * size, 2 * wrong * size,
                {"chance": 8.0 * size}, None)
        for size in sizes
    )  # fmt: skip


def course(seed=1, bits=(80.0, 9.0, 0.05, 0.001), wrong=0.0, **changes):
    looks = len(bits) + 1
    told = {
        "seed": seed,
        "weights": 1234,
        "sequences": tuple(400 * look for look in range(looks)),
        "bits": (nan, *bits),
        "validation": (1000.0, *(10 * cost for cost in bits)),
        "kept": 400 * (looks - 1),
        "exam": exam(wrong),
    }
    return Course(**{**told, **changes})


def learners(seeds=(1, 2, 3)):
    fast = tuple(course(seed, (80.0 + seed, 9.0 * seed, 0.05, 0.001 * seed)) for seed in seeds)
    slow = tuple(course(seed, (84.0, 80.0, 75.0 - seed, 70.0), wrong=3.9 + seed) for seed in seeds)
    return [Learner("ntm-lstm", fast, 1), Learner("lstm", slow, 2)]


def champion():
    evolved = tuple((1000 * (place + 1), 90.0 - 20 * place) for place in range(3))
    return Champion("tiny-tuned", 3000, evolved, ((3000, 400.0), (3400, 0.2)))
