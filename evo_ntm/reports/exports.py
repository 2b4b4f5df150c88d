"""What the rows of a run tell, for other programs: text in pieces, and files of it.

    phylogeny.csv      births and all their parents, in the ALife data standard for phylogenies
    tree.csv           births and their primary parents alone, with a column `ancestor_id`
    tree.nwk           the same in the Newick format; branches are as long as generations passed
    phylogeny.graphml  births and all their parents as a graph, also those that were tuned since
    births.csv         births with all that was measured, also those that were tuned since
    generations.csv    generations with their statistics and validations

Sources: Lalejini et al., Data Standards for Artificial Life Software (2019); Brandes et al.,
GraphML Progress Report (2002).
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from math import inf, isfinite
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from evo_ntm.reports.documents import make_folder, write_document
from evo_ntm.reports.pedigree import NOBODY, Pedigree, read_pedigree
from evo_ntm.runs.run import Run
from evo_ntm.runs.snapshot import Snapshot, snapshot

BIRTHS = """
SELECT births.number, generation, parents, operators, genome, told, fitness, measures, steps
FROM births JOIN topologies ON topology = topologies.number
LEFT JOIN tunings ON birth = births.number ORDER BY births.number
"""
GENERATIONS = """
SELECT generations.number, rows, stage, scored, json_array_length(survivors), timesteps, failures,
    species, seconds, birth, wrong_bits, bits, champion, statistics
FROM generations LEFT JOIN validations ON generation = generations.number
ORDER BY generations.number
"""
KEYS = "SELECT DISTINCT key FROM {}, json_each({}) ORDER BY key"
BETWEEN = ";"  # several parents, or operators

GRAPH = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="generation" for="node" attr.name="generation" attr.type="int"/>
<key id="operators" for="node" attr.name="operators" attr.type="string"/>
<key id="topology" for="node" attr.name="topology" attr.type="string"/>
<key id="fitness" for="node" attr.name="fitness" attr.type="double"/>
<key id="tuned" for="node" attr.name="tuned" attr.type="boolean">\
<default>false</default></key>
<key id="primary" for="edge" attr.name="primary" attr.type="boolean">\
<default>true</default></key>
<graph id="phylogeny" edgedefault="directed">
"""
NODE = """\
<node id="{}"><data key="generation">{}</data><data key="operators">{}</data>\
<data key="topology">{}</data>{}</node>
"""
FITNESS = '<data key="fitness">{!r}</data>'
TUNED = '<data key="tuned">true</data>'
EDGE = '<edge source="{}" target="{}"/>\n'
OTHER = '<edge source="{}" target="{}"><data key="primary">false</data></edge>\n'


def export(run: Run, folder: Path) -> list[Path]:
    """Write all exports into a folder, each whole or not at all, and list them.

    Raises RunError; ReportError where no generation is over yet, and where nothing can be written.
    """
    make_folder(folder)
    with nullcontext(run) if isinstance(run, Snapshot) else snapshot(run) as held:
        pedigree = read_pedigree(held)
        contents: dict[str, Callable[[], Iterator[str]]] = {
            "phylogeny.csv": lambda: phylogeny_csv(pedigree),
            "tree.csv": lambda: tree_csv(pedigree),
            "tree.nwk": lambda: newick(pedigree),
            "phylogeny.graphml": lambda: graphml(held),
            "births.csv": lambda: births_csv(held),
            "generations.csv": lambda: generations_csv(held),
        }
        for name, content in contents.items():
            write_document(folder / name, content())
    return [folder / name for name in contents]


def phylogeny_csv(pedigree: Pedigree) -> Iterator[str]:
    """Tell births and all their parents, the primary one first, in the ALife data standard.

    Who is alive in the last generation is never destroyed. Where survivors are not known, there is
    no column of when births were destroyed.
    """
    numbers = pedigree.numbers
    others = numbers[pedigree.others].tolist()
    begins = pedigree.others_begin.tolist()
    primary = _primary_numbers(pedigree)
    ancestors = (
        "[none]" if parent is None
        else f"[{','.join(map(str, (parent, *others[begins[place] : begins[place + 1]])))}]"
        for place, parent in enumerate(primary)
    )  # fmt: skip
    return _standard(pedigree, {"ancestor_list": ancestors})


def tree_csv(pedigree: Pedigree) -> Iterator[str]:
    """Tell births and their primary parents alone, as `phylogeny_csv` does.

    A founder is its own `ancestor_id`.
    """
    numbers, primary = pedigree.numbers.tolist(), _primary_numbers(pedigree)
    lists = ("[none]" if parent is None else f"[{parent}]" for parent in primary)
    own = [number if parent is None else parent
           for number, parent in zip(numbers, primary, strict=True)]  # fmt: skip
    return _standard(pedigree, {"ancestor_list": lists, "ancestor_id": own})


def newick(pedigree: Pedigree) -> Iterator[str]:
    """Tell the tree of primary parents; several founders are joined under a root without a name."""
    born, primary = pedigree.generation, pedigree.primary
    order = np.argsort(primary, kind="stable")
    begins = np.searchsorted(primary[order], np.arange(NOBODY, len(pedigree) + 1)).tolist()
    founders, children = order[: begins[1]].tolist(), order.tolist()
    lengths = (born - np.where(primary == NOBODY, 0, born[primary])).tolist()
    numbers = pedigree.numbers.tolist()
    several = len(founders) > 1
    # What is still to be written, the next of it last: words, and births with all of theirs.
    left: list[int | str] = [
        ");\n" if several else ";\n",
        *_apart(founders),
        "(" if several else "",
    ]
    while left:
        item = left.pop()
        if isinstance(item, str):
            yield item
            continue
        name = f"{numbers[item]}:{lengths[item]}"
        own = children[begins[item + 1] : begins[item + 2]]
        if own:
            left.append(f"){name}")
            left += _apart(own)
        yield "(" if own else name


def graphml(run: Run) -> Iterator[str]:
    """Tell births and all their parents as a graph whose edges go from parent to child.

    A fitness that is not finite is left out. Raises RunError.
    """
    yield GRAPH
    with run.asked() as rows:
        for row in rows.execute(BIRTHS):
            number, generation, parents, operators, _, topology, fitness, _, steps = row
            measured = FITNESS.format(fitness) if isfinite(fitness) else ""
            tuned = "" if steps is None else TUNED
            yield NODE.format(number, generation, escape(_joined(operators)), escape(topology),
                              measured + tuned)  # fmt: skip
            for place, parent in enumerate(json.loads(parents)):
                yield (OTHER if place else EDGE).format(parent, number)
    yield "</graph>\n</graphml>\n"


def births_csv(run: Run) -> Iterator[str]:
    """Tell every birth and its measures; those that were tuned have steps. Raises RunError."""
    measures = _keys(run, "births", "measures")
    yield from _lines([[
        "number", "generation", "parents", "operators", "genome", "topology", "fitness",
        *(f"measures.{name}" for name in measures), "tuned_steps",
    ]])  # fmt: skip
    with run.asked() as rows:
        yield from _lines(
            [number, generation, _joined(parents), _joined(operators), genome, told, fitness,
             *_values(measured, measures), steps]
            for number, generation, parents, operators, genome, told, fitness, measured, steps
            in rows.execute(BIRTHS)
        )  # fmt: skip


def generations_csv(run: Run) -> Iterator[str]:
    """Tell every generation, its statistics, and its validation if there was one. Raises RunError.

    Survivors are empty where they were not recorded.
    """
    statistics = _keys(run, "generations", "statistics")
    yield from _lines([[
        "number", "rows", "stage", "scored", "survivors", "timesteps", "failures", "species",
        "seconds", "validation.birth", "validation.wrong_bits", "validation.bits",
        "validation.champion", *(f"statistics.{name}" for name in statistics),
    ]])  # fmt: skip
    with run.asked() as rows:
        yield from _lines(
            [*row[:-1], *_values(row[-1], statistics)] for row in rows.execute(GENERATIONS)
        )


def _standard(pedigree: Pedigree, ancestors: Mapping[str, Iterable[object]]) -> Iterator[str]:
    """Tell births as the ALife data standard asks, and what else is known of them."""
    recipes = [BETWEEN.join(recipe) for recipe in pedigree.recipes]
    kinds = [kind.told for kind in pedigree.kinds]
    columns: dict[str, Iterable[object]] = {
        "id": pedigree.numbers.tolist(),
        **ancestors,
        "origin_time": pedigree.generation.tolist(),
    }
    if pedigree.whole:
        columns["destruction_time"] = _destroyed(pedigree)
    columns |= {
        "operators": (recipes[place] for place in pedigree.recipe.tolist()),
        "topology": (kinds[place] for place in pedigree.kind.tolist()),
        "fitness": pedigree.fitness.tolist(),
    }
    yield from _lines([[*columns]])
    yield from _lines(zip(*columns.values(), strict=True))


def _destroyed(pedigree: Pedigree) -> list[float]:
    """Tell of every birth the first generation without it."""
    last = pedigree.generation.astype(np.float64)
    for generation in range(pedigree.generations):
        last[pedigree.alive(generation)] = generation
    return [inf if time == pedigree.generations - 1 else int(time) + 1 for time in last.tolist()]


def _primary_numbers(pedigree: Pedigree) -> list[int | None]:
    numbers = pedigree.numbers.tolist()
    return [None if place == NOBODY else numbers[place] for place in pedigree.primary.tolist()]


def _apart(places: Sequence[int]) -> list[int | str]:
    """Put commas between places, the last of them first."""
    return [item for place in reversed(places) for item in (place, ",")][:-1]


class _Through:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Through(), lineterminator="\n")
    for row in rows:
        yield writer.writerow(row)


def _joined(told: str) -> str:
    return BETWEEN.join(map(str, json.loads(told)))


def _values(told: str, names: Sequence[str]) -> list[object]:
    known = json.loads(told)
    return [known.get(name) for name in names]


def _keys(run: Run, table: str, column: str) -> list[str]:
    return [row["key"] for row in run.rows(KEYS.format(table, column))]
