"""A comparison as tables of words, for terminals, pages and papers alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from evo_ntm.evolution.exam import ExamRow
from evo_ntm.experiment.model import shown_rows
from evo_ntm.reports.comparison.comparison import HASH, Comparison, Contrast
from evo_ntm.reports.comparison.groups import Group
from evo_ntm.reports.comparison.rates import Cost, quantile
from evo_ntm.reports.comparison.results import Measure, Result
from evo_ntm.words import span

UNSOLVED, NOT_ASKED = "unsolved", "not asked"
CHANCE = "chance"  # is of the questions, not of who answers them
LEAST_P = 0.001
FEW_DIGITS = 100
HALVED = 7
MOST_ROWS = 30  # of a table that is not only a detail

MEASURED: dict[Measure, str] = {
    "evaluations": "evaluations", "timesteps": "sequence-timesteps", "seconds": "seconds",
}  # fmt: skip
"""What costs are counted in, as tables and axes call it."""


@dataclass(frozen=True)
class Table:
    """A table with what has to be said of it. `figures` are the columns of numbers.

    What is only told in `detail` has a row for every run.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    figures: frozenset[int] = frozenset()
    detail: bool = False


def tables(comparison: Comparison) -> tuple[Table, ...]:
    """Tell a comparison in tables, what matters most first."""
    told = [_rates(comparison), _costs(comparison), _contrasts(comparison), _seeds(comparison),
            *_learning(comparison), *_exams(comparison), _differences(comparison),
            _runs(comparison)]  # fmt: skip
    return tuple(table for table in told if table.rows or table.notes)


def _rates(comparison: Comparison) -> Table:
    return Table(
        "rates",
        "How often the task is solved",
        ("group", "ended", "solved", "share", "95 % interval"),
        tuple((group.name, *_rate(group)) for group in comparison.groups),
        ("Of runs that have ended; the interval is Wilson's.",),
        frozenset(range(1, 5)),
    )


def _costs(comparison: Comparison) -> Table:
    rows = [
        (
            group.name,
            MEASURED[measure],
            _amount(cost.expected) if isfinite(cost.expected) else UNSOLVED,
            _interval(cost),
            *(_amount(each) if isfinite(each) else UNSOLVED
              for each in (cost.lower, cost.median, cost.upper)),
            _amount(cost.total),
        )
        for group in comparison.groups
        if group.decides and group.ended
        for measure, cost in group.costs.items()
    ]  # fmt: skip
    return Table(
        "costs",
        "What it costs to solve",
        ("group", "measure", "expected", "95 % interval", "lower quartile", "median",
         "upper quartile", "spent"),
        tuple(rows),
        ("Expected is what all runs spent, failures included, over how many solved the task; its "
         "interval is a bootstrap's, of at least 5 runs. Quartiles are of what each run took, "
         "where one that did not solve the task takes longest.",) if rows else (),
        frozenset(range(2, 8)),
    )  # fmt: skip


def _contrasts(comparison: Comparison) -> Table:
    rows = [
        (
            f"{contrast.one} and {contrast.other}",
            "solved" if test.question == "solved" else MEASURED[test.question],
            f"{test.better}/{test.worse}/{test.equal}",
            f"{test.a12:.2f}",
            _chance(test.p),
            _chance(test.corrected),
        )
        for contrast in comparison.contrasts
        for test in contrast.tests
    ]
    notes = [f"{contrast.one} and {contrast.other}: {contrast.refused}."
             for contrast in comparison.contrasts if contrast.refused]  # fmt: skip
    if rows:
        notes = [_told(comparison.contrasts), *notes]
    return Table(
        "contrasts",
        "Each group beside each other",
        ("groups", "measure", "better/worse/same", "A12", "p", "corrected p"),
        tuple(rows),
        tuple(notes),
        frozenset({2, 3, 4, 5}),
    )


def _told(contrasts: Sequence[Contrast]) -> str:
    tested = [contrast for contrast in contrasts if contrast.tests]
    pairs = sorted({len(contrast.seeds) for contrast in tested if contrast.paired})
    told = [f"Pairs are runs of the same seed ({' or '.join(map(str, pairs))})."] if pairs else []
    names = dict.fromkeys(test.name for contrast in tested for test in contrast.tests)
    least = [contrast.least for contrast in tested]
    low, high = _chance(min(least)), _chance(max(least))
    span = low if low == high else f"{low} to {high}, by the pair,"
    return " ".join([
        *told,
        "A12 is the chance that the first does better, 0.5 telling no difference; who did not "
        "solve takes longest.",
        f"Tested by {', '.join(names)}; p is corrected after Holm for the number of pairs of "
        f"groups, and cannot fall below {span} with so few runs.",
    ])  # fmt: skip


def _seeds(comparison: Comparison) -> Table:
    groups = comparison.groups
    by_seed = [{result.seed: result for result in group.results} for group in groups]
    seeds = sorted({seed for each in by_seed for seed in each})
    rows = [(str(seed), *(_ending(each.get(seed)) for each in by_seed)) for seed in seeds]
    return Table(
        "seeds",
        "Evaluations until each seed was solved",
        ("seed", *(group.name for group in groups)),
        tuple(rows),
        figures=frozenset(range(1, len(groups) + 1)),
        detail=len(rows) > MOST_ROWS,
    )


def _by_task(comparison: Comparison) -> dict[str, tuple[list[Group], str]]:
    """List groups by their task, and name them where there are several."""
    found: dict[str, list[Group]] = {}
    for group in comparison.groups:
        found.setdefault(group.task_hash, []).append(group)
    if len(found) == 1:
        return {task: (groups, "") for task, groups in found.items()}
    return {
        task: (groups, f", of {' and '.join(group.name for group in groups)} (task {task[:HASH]})")
        for task, groups in found.items()
    }


def learned_between(groups: Sequence[Group]) -> tuple[float, float] | None:
    """Tell when the first look at the validation set was, and when the last run ended.

    In evaluations; None where nobody has been held against it.
    """
    looked = [result for group in groups for result in group.ended if result.learned]
    if not looked:
        return None
    return (
        min(result.learned[0][0] for result in looked),
        max(float(result.evaluations) for result in looked),
    )


def _learning(comparison: Comparison) -> list[Table]:
    """Tell how little was wrong by what was spent, of one task in a table each."""
    found = []
    for task, (groups, of) in _by_task(comparison).items():
        span = learned_between(groups)
        if span is None:
            continue
        halved = [span[1] / 2**times for times in range(HALVED) if span[1] / 2**times >= span[0]]
        places = [round(place) for place in reversed(halved)]
        rows = [(group.name, *(_quartiles(*group.learned_by(place)) for place in places))
                for group in groups if any(result.learned for result in group.ended)]  # fmt: skip
        wrong = groups[0].words.wrong_an_episode
        found.append(Table(
            f"learning {task[:HASH]}",
            f"{wrong.capitalize()} in the validation set, the least so far{of}",
            ("group", *(f"{place:,} evaluations" for place in places)),
            tuple(rows),
            ("Medians over the runs that have ended, with quartiles in brackets; ? where fewer had "
             "been held against it.",),
            frozenset(range(1, len(places) + 1)),
        ))  # fmt: skip
    return found


def _exams(comparison: Comparison) -> list[Table]:
    """Tell how exams went that are of one task, a table each: no other exam is beside them."""
    return [_exam(task, groups, of) for task, (groups, of) in _by_task(comparison).items()]


def _exam(task: str, groups: Sequence[Group], of: str) -> Table:
    sat = [(group, result.exam) for group in groups for result in group.ended if result.exam]
    parts = dict.fromkeys((row.name, row.rows, row.sequences) for _, exam in sat for row in exam)
    asked: dict[str, ExamRow] = {row.name: row for _, exam in sat for row in exam}
    extents = list(dict.fromkeys(key for row in asked.values() for key in row.extent))
    own = [name for name in dict.fromkeys(key for row in asked.values() for key in row.measures)
           if name != CHANCE]  # fmt: skip
    rewards = any(row.rewards for row in asked.values())
    bits = {} if rewards else {"wrong_bits": "wrong bits", "bits": "bits"}
    rows = []
    for name, memory, sequences in parts:
        for group in groups:
            answers = [row for each, exam in sat if each is group for row in exam
                       if row.name == name]  # fmt: skip
            if not answers:
                continue
            rows.append((
                name,
                *(span(asked[name].extent.get(key)) for key in extents),
                shown_rows(memory),
                f"{sequences:,}",
                group.name,
                str(len(answers)),
                *(_middle([getattr(row, key) for row in answers]) for key in bits),
                *(_middle([row.measures.get(key, inf) for row in answers]) for key in own),
                _passed(answers),
            ))  # fmt: skip
    episodes = "lives" if rewards else "sequences"
    headings = ("part", *extents, "rows", episodes, "group", "sat by", *bits.values(), *own,
                "passed")  # fmt: skip
    return Table(f"exam {task[:HASH]}", f"The exam, as it was sat last{of}", headings, tuple(rows),
                 ("Medians over the runs that sat it, with quartiles in brackets: it is sat once "
                  "validation passes, so those that never came near are not among them.",)
                 if rows else (),
                 frozenset(range(1, len(headings))) - {len(extents) + 3})  # fmt: skip


def _differences(comparison: Comparison) -> Table:
    names = [group.name for group in comparison.groups]
    rows = [(each.key, *each.values) for each in comparison.differences]
    return Table("differences", "What differs between the groups", ("key", *names), tuple(rows),
                 detail=len(rows) > MOST_ROWS)  # fmt: skip


def _runs(comparison: Comparison) -> Table:
    rows = [
        (group.name, str(run.seed), run.state, f"{run.generations:,}", f"{run.evaluations:,}",
         f"{run.timesteps:,}", f"{run.seconds:,.1f}", str(run.restarts), str(run.sittings),
         str(run.path))
        for group in comparison.groups
        for run in group.results
    ]  # fmt: skip
    headings = ("group", "seed", "state", "generations", "evaluations", "sequence-timesteps",
                "seconds", "restarts", "sittings", "run")  # fmt: skip
    return Table("runs", "All runs", headings, tuple(rows), figures=frozenset({1, *range(3, 9)}),
                 detail=True)  # fmt: skip


def _rate(group: Group) -> list[str]:
    runs = len(group.ended)
    if not group.decides:
        return [str(runs), NOT_ASKED, "", ""]
    if not runs:
        return ["0", "0", "", ""]
    interval = f"{group.rate.low:.2f} to {group.rate.high:.2f}"
    return [str(runs), str(group.solved), f"{group.solved / runs:.2f}", interval]


def _interval(cost: Cost) -> str:
    if cost.interval is None:
        return ""
    low, high = _amount(cost.interval.low), _amount(cost.interval.high)
    return f"{low} to {high}" if isfinite(cost.interval.high) else f"above {low}"


def _middle(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return _quartiles(*(quantile(ordered, share) for share in (0.25, 0.5, 0.75)))


def _quartiles(*values: float) -> str:
    lower, median, upper = map(_small, values)
    return median if lower == upper else f"{median} ({lower} to {upper})"


def _ending(result: Result | None) -> str:
    if result is None:
        return ""
    return f"{result.evaluations:,}" if result.solved else result.state


def _passed(answers: Sequence[ExamRow]) -> str:
    decided = [row.passed for row in answers if row.passed is not None]
    return f"{sum(decided)} of {len(decided)}" if decided else "reported"


def _chance(p: float) -> str:
    return f"{p:.3f}" if p >= LEAST_P else f"< {LEAST_P}"


def _amount(value: float) -> str:
    """Write a number with one decimal where it is small."""
    return f"{value:,.{0 if value >= FEW_DIGITS or value.is_integer() else 1}f}"


def _small(value: float) -> str:
    """Write a number with three digits or so."""
    if not isfinite(value):
        return "?"
    return "0" if not value else f"{value:,.{3 if value < 1 else 2 if value < 10 else 1}f}"
