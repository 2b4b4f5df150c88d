"""How a lineage is told: whose it is, how the run went, and step by step how it came to be.

The line is told from the founder on, as a story is: who scrolls to the end has the champion before
them. Steps are put beside the last one told of, since most steps of a long line are not.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf, isfinite
from typing import TYPE_CHECKING

from evo_ntm.words import counted

if TYPE_CHECKING:
    from evo_ntm.reports.chapters import (
        Generalisation,
        Header,
        History,
        Lineage,
        Measured,
        OperatorUse,
        Population,
        Search,
        SpeciesStream,
        Trunk,
        Tuned,
    )

BARS = "▁▂▃▄▅▆▇█"
BARS_WIDE = 24
MOST_SPECIES, MOST_CHALLENGES, MOST_TUNED = 10, 12, 12


def tell_lineage(lineage: "Lineage", *, every: bool = False) -> None:
    """Print a lineage: the steps that matter, or with `every` all of them beside their parents."""
    from evo_ntm.tables import show_facts

    show_facts(dict([*_header(lineage.header), *_fitness(lineage.history)]))
    for warning in lineage.header.warnings:
        show_facts({"warning": warning})
    _tell_trunk(lineage.trunk, lineage.header, every=every)
    _tell_operators(lineage.operators)
    if lineage.population is not None:
        print("\nSelection and phylogeny")
        show_facts(dict(_population(lineage.population)), indent=2)
    if lineage.search is not None:
        _tell_search(lineage.search)
    if lineage.species is not None:
        _tell_species(lineage.species)
    if lineage.generalisation is not None:
        _tell_sizes(lineage.generalisation)
    if lineage.tuned:
        _tell_tuned(lineage.tuned)
    if lineage.explanation is not None:
        print("\nWhat it does")
        for sentence in lineage.explanation.summary:
            show_facts({"": sentence})


def lineage_json(lineage: "Lineage") -> str:
    """Write a lineage as JSON; what is not finite is null."""
    from evo_ntm.reports.lineage import as_json

    return json.dumps(as_json(lineage), indent=2, allow_nan=False)


def sparkline(values: Sequence[float], width: int = BARS_WIDE) -> str:
    """Draw numbers as bars of text, the highest of neighbours where there are too many."""
    size = min(width, len(values))
    edges = [len(values) * place // size for place in range(size + 1)] if size else []
    highest = [max((value for value in values[first:last] if isfinite(value)), default=-inf)
               for first, last in pairwise(edges)]  # fmt: skip
    finite = [value for value in highest if isfinite(value)]
    if not finite:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0
    shares = [max(value - low, 0.0) / span for value in highest]
    return "".join(BARS[round(share * (len(BARS) - 1))] for share in shares)


def _header(header: "Header") -> Iterator[tuple[str, str]]:
    yield "run", (f"{header.name}: {header.task} by {header.strategy}, {header.encoding} encoding, "
                  f"seed {header.seed}")  # fmt: skip
    yield "state", (f"{header.state} after {counted(header.generations, 'generation')}, "
                    f"{counted(header.births, 'birth')}, "
                    f"{counted(header.scored, 'machine')} scored, "
                    f"{header.seconds:.1f} s")  # fmt: skip
    who = "the champion, birth" if header.is_champion else "birth"
    yield "lineage of", f"{who} {header.birth}: {header.topology}"
    passed = "not " if header.passed_at is None else ""
    yield "exam", (f"{counted(header.sittings, 'sitting')}, {passed}passed" if header.sittings
                   else "not sat yet")  # fmt: skip
    if header.restarts:
        yield "restarts", str(header.restarts)


def _fitness(history: "History") -> Iterator[tuple[str, str]]:
    best = [value for value in history.quantiles["best"] if isfinite(value)]
    if best:
        drawn = f"{sparkline(history.quantiles['best'])}  " if _can_be_drawn() else ""
        yield "fitness", f"{drawn}best of a generation, {best[0]:.2f} first, {best[-1]:.2f} last"
    champions = [look for look in history.looks if look.champion]
    if champions:
        last = champions[-1]
        yield "champions", (f"{len(champions)}, the last in generation {last.generation}: "
                            + history.words.told(f"{last.wrong_bits:.3f}", f"{last.bits:.3f}")
                            + " on the validation set")  # fmt: skip


def _tell_trunk(trunk: "Trunk", header: "Header", *, every: bool) -> None:
    from evo_ntm.tables import new_table, show_facts, show_table

    whose = "champion" if header.is_champion else f"birth {header.birth}"
    counts = [f"{number:,} {verdict}" for verdict, number in trunk.verdicts.items()
              if number and verdict != "founder"]  # fmt: skip
    print(f"\nFrom founder to {whose}")
    table = new_table(
        "generation", "birth", "by", trunk.words.cost, "gained", "95 %", "", "changes"
    )
    for step in trunk.steps:
        if not (every or step.matters):
            continue
        beside = step.measured if every else step.since
        founder = not step.parents
        table.add_row(
            f"{step.generation:,}",
            str(step.number),
            " + ".join(step.operators),
            "" if step.measured is None else _number(step.measured.bits),
            *(("", "", "founder") if founder else _gained(beside)),
            "; ".join(step.changes),
        )
    show_table(table)
    if counts:
        show_facts({"steps": ", ".join(counts)})
    against = "its parent" if every else "the step told before it that was measured"
    rows = f", {counted(trunk.rows, 'memory row')}" if trunk.rows else ""
    show_facts({"note": f"all on the same {trunk.episodes} episodes{rows}; "
                        f"gained in {trunk.words.cost_an_episode} over {against}"})  # fmt: skip


def _gained(beside: "Measured | None") -> tuple[str, str, str]:
    """Tell a gain, its interval and what to make of it."""
    from evo_ntm.reports.rescoring import Gain, verdict

    if beside is None or beside.gain != beside.gain:
        return "", "", "not measured"
    words = {"beneficial": "better", "deleterious": "worse", "neutral": "as good"}
    judged = words[verdict(Gain(beside.gain, beside.low, beside.high))]
    span = f"{_number(beside.low, signed=True)} to {_number(beside.high, signed=True)}"
    return _number(beside.gain, signed=True), span, judged


def _tell_operators(uses: Sequence["OperatorUse"]) -> None:
    from evo_ntm.tables import new_table, show_facts, show_table

    if not uses:
        return
    print("\nOperators")
    table = new_table("operator", "tried", "rose", "had children", "on the line", "times its share",
                      "set to")  # fmt: skip
    tried = [use for use in uses if use.attempts]
    for use in tried:
        enriched = "" if use.enrichment is None else f"{use.enrichment:.2f}"
        counts = use.attempts, use.successes, use.had_children, use.on_trunk
        table.add_row(use.name, *(f"{count:,}" for count in counts), enriched, use.parameters)
    show_table(table)
    show_facts({"note": "rose: stood higher in its generation than its parent did in its own"})
    if len(tried) < len(uses):
        show_facts({"never tried": ", ".join(use.name for use in uses if not use.attempts)})


def _population(population: "Population") -> Iterator[tuple[str, str]]:
    yield "alive", f"{population.alive[-1]:,} in generation {population.generations[-1]:,}"
    ancestor, age = population.common_ancestor[-1], population.age[-1]
    yield "common ancestor", ("none" if ancestor is None or age is None else
                              f"birth {ancestor}, {counted(age, 'generation')} ago")  # fmt: skip
    last = f", the last in generation {population.sweeps[-1][0]:,}" if population.sweeps else ""
    yield "sweeps", f"{len(population.sweeps):,}{last}"
    yield "distance", f"{population.mean_pairwise_distance[-1]:.2f} births between two on average"
    yield "diversity", f"{population.phylogenetic_diversity[-1]:,} births in the tree of the living"
    yield "parents", f"{population.effective_parents[-1]:.1f} in effect"
    if population.fecund:
        first = population.fecund[0]
        yield "most children", f"birth {first.number}, {first.children:,}"


def _tell_search(search: "Search") -> None:
    from evo_ntm.tables import new_table, show_facts, show_table

    print("\nSearch")
    stages = ", ".join(f"{stage + 1} from generation {generation:,}"
                       for generation, stage in search.stages)  # fmt: skip
    facts = {
        "starts": f"{search.starts:,}",
        "restarts": _generations(search.restarts),
        "restored": _generations(search.restores),
        "finer steps": _generations(search.finer),
        "stages": stages,
    }
    show_facts({name: told for name, told in facts.items() if told}, indent=2)
    challenges = search.challenges[-MOST_CHALLENGES:]
    if not challenges:
        return
    left = len(search.challenges) - len(challenges)
    print(
        f"\nChallengers{f', the last {len(challenges)} of {left + len(challenges)}' * bool(left)}"
    )
    table = new_table("generation", "birth", "by", "topology", "ending")
    for each in challenges:
        ended = "" if each.ended is None else f" in generation {each.ended:,}"
        table.add_row(f"{each.generation:,}", str(each.birth), " + ".join(each.operators),
                      each.topology, f"{each.ending}{ended}")  # fmt: skip
    show_table(table)


def _generations(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    shown = ", ".join(f"{number:,}" for number in numbers[:8])
    return f"{len(numbers):,}, in generation {shown}{' …' if numbers[8:] else ''}"


def _tell_species(species: "SpeciesStream") -> None:
    from evo_ntm.tables import new_table, show_table

    lives = sorted(species.lives, key=lambda life: (-life.peak, life.born, life.name))
    shown = lives[:MOST_SPECIES]
    print("\nSpecies" + (f", the largest {len(shown)} of {len(lives):,}" if lives[MOST_SPECIES:]
                         else ""))  # fmt: skip
    table = new_table("species", "from", "to", "births", "at most", "in generation")
    for life in shown:
        until = "alive" if life.last_seen is None else f"{life.last_seen:,}"
        table.add_row(life.name, f"{life.born:,}", until, f"{life.births:,}", f"{life.peak:,}",
                      f"{life.peak_generation:,}")  # fmt: skip
    show_table(table)


def _tell_sizes(told: "Generalisation") -> None:
    from evo_ntm.experiment.model import shown_rows
    from evo_ntm.tables import new_table, show_facts, show_table

    low, high = told.trained
    trained = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    print(f"\nWrong bits by {told.axis}, in %")
    table = new_table(told.axis, "rows", *(curve.name for curve in told.curves))
    for place, (size, rows) in enumerate(zip(told.sizes, told.rows, strict=True)):
        shares = (f"{100 * curve.shares[place]:.2f}" for curve in told.curves)
        table.add_row(f"{size:,}", shown_rows(rows), *shares)
    show_table(table)
    show_facts({"note": f"{told.sequences} sequences of each; the line evolved with {trained}"})


def _tell_tuned(tuned: Sequence["Tuned"]) -> None:
    from evo_ntm.tables import new_table, show_table

    print("\nTuned by gradients")
    table = new_table("birth", "of", "steps", "sequences", "seconds", "bits before", "bits after",
                      "moved")  # fmt: skip
    for each in tuned[-MOST_TUNED:]:
        costs = ("" if cost is None else _number(cost) for cost in (each.before, each.after))
        moved = "" if each.displacement is None else f"{100 * each.displacement:.1f} %"
        table.add_row(str(each.birth), str(each.parent), f"{each.steps:,}", f"{each.sequences:,}",
                      f"{each.seconds:.1f}", *costs, moved)  # fmt: skip
    show_table(table)


def _can_be_drawn() -> bool:
    """Tell whether somebody looks who has letters for bars."""
    if not sys.stdout.isatty():
        return False
    try:
        BARS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _number(value: float, *, signed: bool = False) -> str:
    if not isfinite(value):
        return "?"
    decimals = 2 if abs(value) < 10 else 1
    text = f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"
    return text.lstrip("+-") if text.strip("+-0.") == "" else text
