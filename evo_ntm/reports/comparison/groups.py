"""Groups of runs that differ in nothing but their seeds, and what differs between groups."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evo_ntm.experiment import Experiment
from evo_ntm.experiment.tasks import CostWords
from evo_ntm.reports.comparison.rates import (
    Cost,
    Interval,
    cost,
    held,
    quantile,
    solve_rate,
    solved_by,
)
from evo_ntm.reports.comparison.results import MEASURES, Found, Measure, Result

LEFT_OUT = frozenset({"name", "run", "overrides", "finetune"})  # of the hash of an experiment
SEED, STRATEGY, TOOLBOX = "evolve.seed", "evolve.strategy", "toolbox"
ABSENT = "none"
MOST_WORDS, LONGEST_WORD = 3, 24  # of a name

Settings = Mapping[str, str]
"""What an experiment says, by keys with dots between them as `--set` takes them."""


@dataclass(frozen=True)
class Group:
    """Runs of one experiment, one for each seed.

    `experiment` is the experiment's hash without its seed. `rate` is the share of the runs that
    solved their task, of those that have ended; these are what every figure is of.
    """

    name: str
    experiment: str
    task_hash: str
    task: str
    strategy: str
    encoding: str
    decides: bool
    results: tuple[Result, ...]
    solved: int
    rate: Interval
    costs: Mapping[Measure, Cost]

    @property
    def words(self) -> CostWords:
        """Say what is called how that champions are chosen by."""
        return self.results[0].words

    @property
    def ended(self) -> tuple[Result, ...]:
        """List the runs of which it is known how they end."""
        return tuple(result for result in self.results if result.ended)

    @property
    def seeds(self) -> Mapping[int, Result]:
        """Give the runs that have ended by their seeds."""
        return {result.seed: result for result in self.ended}

    def solved_by(self, measure: Measure) -> tuple[tuple[float, float], ...]:
        """List what share of the runs has solved the task by what cost, a step for each."""
        ended = self.ended
        return solved_by([each.cost(measure) for each in ended], [each.solved for each in ended])

    def learned_by(self, evaluations: float) -> tuple[float, float, float]:
        """Tell how little was wrong in the validation set by then, as quartiles over the runs."""
        least = sorted(held(result.learned, evaluations) for result in self.ended)
        lower, median, upper = (quantile(least, share) for share in (0.25, 0.5, 0.75))
        return lower, median, upper


@dataclass(frozen=True)
class Difference:
    """A key that does not say the same in all groups, with what it says in each, in their order."""

    key: str
    values: tuple[str, ...]


def group(found: Sequence[Found]) -> tuple[tuple[Group, ...], tuple[Difference, ...], list[str]]:
    """Group runs by experiment, in the order in which they came.

    Gives the differences between groups too, and in words which runs count once for two of them.
    """
    families: dict[tuple[object, ...], list[Found]] = {}
    for each in found:
        families.setdefault((_hash(each.experiment), each.brought), []).append(each)
    settings = [_settings(members[0]) for members in families.values()]
    titles = [members[0].experiment.name for members in families.values()]
    names = _names(titles, settings, [str(key[0])[:6] for key in families])
    groups, warnings = [], list[str]()
    for (key, members), name in zip(families.items(), names, strict=True):
        results, twice = _each_seed_once([member.result for member in members])
        warnings += [f"{name}: {told}" for told in twice]
        groups.append(_group(name, str(key[0]), members[0].experiment, results))
    return tuple(groups), tuple(_differences(settings)), warnings


def _group(name: str, told: str, experiment: Experiment, results: Sequence[Result]) -> Group:
    ended = [result for result in results if result.ended]
    solved = [result.solved for result in ended]
    costs = {each: cost([result.cost(each) for result in ended], solved) for each in MEASURES}
    return Group(
        name=name,
        experiment=told,
        task_hash=experiment.task_hash,
        task=experiment.task,
        strategy=experiment.evolve.strategy,
        encoding=experiment.machine.encoding,
        decides=any(part.at_most is not None for part in experiment.exam.parts),
        results=tuple(results),
        solved=sum(solved),
        rate=solve_rate(sum(solved), len(ended)),
        costs=costs,
    )


def _each_seed_once(results: Sequence[Result]) -> tuple[list[Result], list[str]]:
    """Keep one run of each seed, one that has ended if there is any; they are the same run."""
    kept: dict[int, Result] = {}
    for result in results:
        if result.seed not in kept or (result.ended and not kept[result.seed].ended):
            kept[result.seed] = result
    told = [
        f"seed {result.seed} came twice: {result.path} is left out beside {kept[result.seed].path}"
        for result in results
        if result is not kept[result.seed]
    ]
    return sorted(kept.values(), key=lambda result: result.seed), told


def _hash(experiment: Experiment) -> str:
    """Name an experiment whatever its seed."""
    return experiment.with_seed(0).config_hash


def _settings(found: Found) -> dict[str, str]:
    told = found.experiment.model_dump(mode="json", by_alias=True)
    settings = _flat({key: value for key, value in told.items() if key not in LEFT_OUT})
    settings.pop(SEED)
    return settings | ({TOOLBOX: ", ".join(found.brought)} if found.brought else {})


def _flat(value: Any, above: str = "") -> dict[str, str]:
    """List all values below their keys; a list of plain values is one."""
    inner: Mapping[str, Any] | None = None
    if isinstance(value, dict):
        inner = value
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        inner = {str(number): item for number, item in enumerate(value)}
    if inner is None:
        return {above: value if isinstance(value, str) else _plainly(value)}
    found: dict[str, str] = {}
    for key, item in inner.items():
        found |= _flat(item, f"{above}.{key}" if above else key)
    return found


def _plainly(value: Any) -> str:
    return ABSENT if value is None else json.dumps(value, ensure_ascii=False)


def _differences(settings: Sequence[Settings]) -> list[Difference]:
    keys = dict.fromkeys(key for each in settings for key in each)
    rows = {key: tuple(each.get(key, ABSENT) for each in settings) for key in keys}
    return [Difference(key, values) for key, values in rows.items() if len(set(values)) > 1]


def _names(titles: Sequence[str], settings: Sequence[Settings], hashes: Sequence[str]) -> list[str]:
    """Call groups by their task files, and those of the same one by what differs between them.

    Strategies have settings of their own: what else differs is told of groups of the same one.
    """
    every = {key for each in settings for key in each}
    kinds = [(title, told[STRATEGY]) for title, told in zip(titles, settings, strict=True)]
    names: list[str] = []
    for kind in kinds:
        place = len(names)
        alike = [number for number, other in enumerate(kinds) if other == kind]
        several = len({strategy for title, strategy in kinds if title == kind[0]}) > 1
        differing = _differences([settings[number] for number in alike])
        words = [_word(difference, alike.index(place), every) for difference in differing]
        more = ["…"] if len(words) > MOST_WORDS else []
        names.append(", ".join([*kind[: 1 + several], *words[:MOST_WORDS], *more]))
    taken = Counter(names)
    return [f"{name} ({told})" if taken[name] > 1 else name
            for name, told in zip(names, hashes, strict=True)]  # fmt: skip


def _word(difference: Difference, place: int, every: set[str]) -> str:
    """Say what a key says, by as much of its end as no other key ends with, or by all of it."""
    parts = difference.key.split(".")
    ends = (".".join(parts[place:]) for place in reversed(range(len(parts)))
            if not parts[place].isdecimal())  # fmt: skip
    alone = (end for end in ends if sum(f".{key}".endswith(f".{end}") for key in every) == 1)
    short = next(alone, difference.key)
    value = difference.values[place]
    return f"{short} {value if len(value) <= LONGEST_WORD else value[:LONGEST_WORD] + '…'}"
