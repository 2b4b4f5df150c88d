"""The tasks in plain Python: each sequence is a script, written down step by step.

A script is a list of steps, a step is (what is shown, what is to be answered or None). Numbers are
drawn in the order in which the package draws them; nothing else is shared with it.
"""

import math

from evo_ntm.seeds import Generator


def copy(settings, generator: Generator, lanes: int):
    scripts = []
    for vectors in _lists_of_vectors(settings, generator, lanes):
        scripts.append(_copied(vectors, answers=vectors))
    return scripts


def mirror_copy(settings, generator: Generator, lanes: int):
    scripts = []
    for vectors in _lists_of_vectors(settings, generator, lanes):
        both = [there + back for there, back in zip(vectors, reversed(vectors), strict=True)]
        scripts.append(_copied(vectors, answers=both))
    return scripts


def repeat_copy(settings, generator: Generator, lanes: int):
    lengths = _draw_integers(generator, settings.shortest, settings.longest, lanes)
    repeats = _draw_integers(generator, settings.fewest, settings.most, lanes)
    table = generator.bits((max(lengths), lanes, settings.bits)).tolist()
    blank = [0] * settings.bits
    scripts = []
    for lane in range(lanes):
        vectors = [table[number][lane] for number in range(lengths[lane])]
        script = [(vector + [0, 0], None) for vector in vectors]
        script.append((blank + [1, (repeats[lane] - 5.5) / 2.872], None))
        for _ in range(repeats[lane]):
            for vector in vectors:
                script.append((blank + [0, 0], vector + [0]))
        script.append((blank + [0, 0], blank + [1]))
        scripts.append(script)
    return scripts


def associative_recall(settings, generator: Generator, lanes: int):
    counts = _draw_integers(generator, settings.fewest, settings.most, lanes)
    chances = generator.random(lanes).tolist()
    table = generator.bits((max(counts) * settings.vectors, lanes, settings.bits)).tolist()
    blank = [0] * settings.bits
    scripts = []
    for lane in range(lanes):
        rows = iter([row[lane] for row in table])
        items = [[next(rows) for _ in range(settings.vectors)] for _ in range(counts[lane])]
        script = []
        for item in items:
            script.append((blank + [1, 0], None))
            for vector in item:
                script.append((vector + [0, 0], None))
        queried = int(chances[lane] * (counts[lane] - 1))
        script.append((blank + [0, 1], None))
        for vector in items[queried]:
            script.append((vector + [0, 0], None))
        script.append((blank + [0, 1], None))
        for vector in items[queried + 1]:
            script.append((blank + [0, 0], vector))
        scripts.append(script)
    return scripts


def ngrams(settings, generator: Generator, lanes: int):
    contexts = 2**settings.context
    quantiles = generator.random((contexts, lanes)).tolist()
    free = generator.bits((settings.context, lanes)).tolist()
    luck = generator.random((settings.steps - settings.context, lanes)).tolist()
    scripts = []
    for lane in range(lanes):
        bits = [row[lane] for row in free]
        for draw in luck:
            context = int("".join(map(str, bits[-settings.context :])), 2)
            odds = math.sin(math.pi * quantiles[context][lane] / 2) ** 2
            bits.append(1 if draw[lane] < odds else 0)
        script = []
        for number, bit in enumerate(bits):
            foreseeable = settings.context <= number + 1 < len(bits)
            script.append(([bit], [bits[number + 1]] if foreseeable else None))
        scripts.append(script)
    return scripts


def priority_sort(settings, generator: Generator, lanes: int):
    draws = generator.random((settings.items, lanes)).tolist()
    if settings.in_order:
        for lane, drawn in enumerate(generator.random(lanes)):
            if drawn < settings.in_order:
                falling = sorted((row[lane] for row in draws), reverse=True)
                for row, draw in zip(draws, falling, strict=True):
                    row[lane] = draw
    table = generator.bits((settings.items, lanes, settings.bits)).tolist()
    blank = [0] * settings.bits
    scripts = []
    for lane in range(lanes):
        items = [(2 * draws[i][lane] - 1, table[i][lane]) for i in range(settings.items)]
        script = [(vector + [priority, 0], None) for priority, vector in items]
        script.append((blank + [0, 1], None))
        ranked = sorted(items, key=lambda item: item[0], reverse=True)
        for _, vector in ranked[: settings.answers]:
            script.append((blank + [0, 0], vector))
        scripts.append(script)
    return scripts


def entm_copy(settings, generator: Generator, lanes: int):
    scripts = []
    for vectors in _lists_of_vectors(settings, generator, lanes):
        blank = [0] * settings.bits
        script = [([1, 0, *blank], None)]
        script += [([0, 0, *vector], None) for vector in vectors]
        script.append(([0, 1, *blank], None))
        script += [([0, 0, *blank], vector) for vector in vectors]
        scripts.append(script)
    return scripts


def strict_close(script, answers) -> float:
    """The share of what was asked that came close, of one sequence answered with probabilities."""
    scores = []
    for (_, asked), answer in zip(script, answers, strict=True):
        for target, value in zip(asked or [], answer, strict=False):
            scores.append(1 - min(0.25, abs(target - value)) / 0.25)
    return sum(scores) / len(scores)


def optimal_bits(bits: list[int], context: int) -> float:
    """What the Bayesian estimator pays for the bits of one sequence, the free ones left out."""
    seen: dict[tuple[int, ...], list[int]] = {}
    paid = 0.0
    for number in range(context, len(bits)):
        counts = seen.setdefault(tuple(bits[number - context : number]), [0, 0])
        one = (counts[1] + 0.5) / (counts[0] + counts[1] + 1)
        paid -= math.log2(one if bits[number] else 1 - one)
        counts[bits[number]] += 1
    return paid


def grade(script, answers) -> tuple[float, int]:
    """The bits and the wrong bits of one sequence, answered in logits."""
    bits, wrong = 0.0, 0
    for (_, asked), answer in zip(script, answers, strict=False):
        for target, logit in zip(asked or [], answer, strict=False):
            probability = 1 / (1 + math.exp(-logit))
            bits -= math.log2(probability if target else 1 - probability)
            wrong += (1 if logit > 0 else 0) != target
    return bits, wrong


def _lists_of_vectors(settings, generator: Generator, lanes: int):
    lengths = _draw_integers(generator, settings.shortest, settings.longest, lanes)
    table = generator.bits((max(lengths), lanes, settings.bits)).tolist()
    return [[table[i][lane] for i in range(lengths[lane])] for lane in range(lanes)]


def _draw_integers(generator: Generator, low: int, high: int, lanes: int) -> list[int]:
    return [low + int(chance * (high - low + 1)) for chance in generator.random(lanes).tolist()]


def _copied(vectors, answers):
    blank = [0] * len(vectors[0])
    script = [(vector + [0], None) for vector in vectors]
    script.append((blank + [1], None))
    return script + [(blank + [0], answer) for answer in answers]
