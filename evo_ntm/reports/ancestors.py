"""The graph of a birth's ancestors through all parents, laid out in layers; of many, some.

Stretches on which every birth has one parent and one child are drawn as one edge. Source of the
layout: Sugiyama, Tagawa and Toda (1981), with the line of primary parents kept straight.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from evo_ntm.reports.chapters import Ancestry, Edge, Node
from evo_ntm.reports.line import Birth
from evo_ntm.reports.pedigree import NOBODY, Pedigree

MOST_NODES = 500
SWEEPS = 8  # over the layers, there and back, until the order hardly changes any more

Parents = Mapping[int, tuple[int, ...]]


def tell_ancestry(
    pedigree: Pedigree, line: Sequence[Birth], milestones: Collection[int]
) -> Ancestry:
    """Tell of the ancestors of the last birth of a line: at most 500, the nearest first.

    `milestones` are births of the line that are shown in any case.
    """
    parents = _ancestors(pedigree, line)
    subject = line[-1].number
    fixed = {subject, line[0].number, *milestones}
    branching = _branching(parents) | fixed
    shown = _nearest(parents, subject, branching, fixed)
    edges = _edges(parents, shown, branching)
    edges |= _along(line, shown, edges)
    trunk = {birth.number for birth in line}
    about = _about(pedigree, line, shown)
    layers = _layers({number: about[number][0] for number in shown})
    places = _places(layers, edges, trunk)
    nodes = [
        Node(number, generation, layer, places[number], operators, fitness, topology,
             number in trunk)
        for layer, numbers in enumerate(layers)
        for number in numbers
        for generation, operators, fitness, topology in (about[number],)
    ]  # fmt: skip
    return Ancestry(
        nodes=tuple(sorted(nodes, key=lambda node: (node.layer, node.place))),
        edges=tuple(edges[pair] for pair in sorted(edges, reverse=True)),
        all_ancestors=len(parents) - 1,
    )


def _ancestors(pedigree: Pedigree, line: Sequence[Birth]) -> Parents:
    """List a birth and all its ancestors with their parents, the primary ones first.

    Births that were tuned after evolution are not in the pedigree, but may be in the line.
    """
    found: dict[int, tuple[int, ...]] = {}
    last = len(line) - 1
    while not (places := pedigree.places([line[last].number]).tolist()):
        found[line[last].number] = line[last].parents
        last -= 1
    above: dict[int, tuple[int, ...]] = {}
    while places:
        place = places.pop()
        if place not in above:
            above[place] = _parents(pedigree, place)
            places += above[place]
    number = pedigree.numbers
    for place, those in above.items():
        found[int(number[place])] = tuple(int(number[each]) for each in those)
    return found


def _parents(pedigree: Pedigree, place: int) -> tuple[int, ...]:
    primary = int(pedigree.primary[place])
    if primary == NOBODY:
        return ()
    begin, end = pedigree.others_begin[place : place + 2]
    return tuple(dict.fromkeys([primary, *pedigree.others[begin:end].tolist()]))


def _branching(parents: Parents) -> set[int]:
    """List those who have not one parent and one child, all of them among the ancestors."""
    children: dict[int, int] = dict.fromkeys(parents, 0)
    for those in parents.values():
        for parent in those:
            children[parent] += 1
    return {number for number, those in parents.items()
            if len(those) != 1 or children[number] != 1}  # fmt: skip


def _nearest(
    parents: Parents, subject: int, branching: set[int], fixed: Collection[int]
) -> set[int]:
    """Choose who is nearest to a birth, by the number of edges drawn; the fixed come first."""
    chosen = {*fixed}
    seen, waiting = {subject}, deque([subject])
    while waiting and len(chosen) < MOST_NODES:
        number = waiting.popleft()
        chosen.add(number)
        for ancestor, _, _ in _up(parents, number, branching):
            if ancestor not in seen:
                seen.add(ancestor)
                waiting.append(ancestor)
    return chosen


def _up(
    parents: Parents, number: int, branching: Collection[int]
) -> Iterator[tuple[int, bool, int]]:
    """Go up from a birth by every parent, over those who do not branch; count these.

    Gives who is met, whether by the primary parent, and over how many.
    """
    for order, parent in enumerate(parents[number]):
        skipped = 0
        while parent not in branching:
            (parent,) = parents[parent]
            skipped += 1
        yield parent, order == 0, skipped


def _edges(
    parents: Parents, shown: Collection[int], branching: Collection[int]
) -> dict[tuple[int, int], Edge]:
    """Draw an edge between those shown wherever nobody who branches is in between."""
    edges: dict[tuple[int, int], Edge] = {}
    for number in sorted(shown):
        for ancestor, primary, skipped in _up(parents, number, branching):
            if ancestor in shown:
                edges.setdefault((number, ancestor), Edge(number, ancestor, primary, skipped))
    return edges


def _along(
    line: Sequence[Birth], shown: Collection[int], edges: Mapping[tuple[int, int], Edge]
) -> dict[tuple[int, int], Edge]:
    """Draw the line where some of those between who branch are not shown."""
    along: dict[tuple[int, int], Edge] = {}
    last, skipped = line[0].number, -1
    for birth in line:
        if birth.number not in shown:
            skipped += 1
            continue
        pair = (birth.number, last)
        if skipped >= 0 and birth.number != last and pair not in edges:
            along[pair] = Edge(*pair, True, skipped)
        last, skipped = birth.number, 0
    return along


def _about(
    pedigree: Pedigree, line: Sequence[Birth], shown: Collection[int]
) -> dict[int, tuple[int, tuple[str, ...], float, str]]:
    """Tell of births: generation, operators, fitness and topology in words."""
    told = {
        birth.number: (birth.generation, birth.operators, birth.fitness, str(birth.topology))
        for birth in line
    }
    for place in pedigree.places(sorted(shown)):
        number = int(pedigree.numbers[place])
        recipe = pedigree.recipes[pedigree.recipe[place]]
        kind = pedigree.kinds[pedigree.kind[place]]
        told[number] = (int(pedigree.generation[place]), recipe, float(pedigree.fitness[place]),
                        kind.told)  # fmt: skip
    return told


def _layers(generations: Mapping[int, int]) -> list[list[int]]:
    """Put births of one generation into one layer, the first generation first."""
    layers: dict[int, list[int]] = {}
    for number in sorted(generations):
        layers.setdefault(generations[number], []).append(number)
    return [layers[generation] for generation in sorted(layers)]


def _places(
    layers: list[list[int]], edges: Mapping[tuple[int, int], Edge], trunk: Collection[int]
) -> dict[int, float]:
    """Order every layer by where neighbours are on average; births of the line stay at 0."""
    elder: dict[int, list[int]] = {}
    younger: dict[int, list[int]] = {}
    for child, parent in edges:
        elder.setdefault(child, []).append(parent)
        younger.setdefault(parent, []).append(child)
    places = {number: place for layer in layers for number, place in _placed(layer, trunk).items()}
    for sweep in range(SWEEPS):
        neighbours = younger if sweep % 2 == 0 else elder
        for layer in layers[::-1] if sweep % 2 == 0 else layers:
            mean = {number: _mean(places, neighbours.get(number, ()), places[number])
                    for number in layer}  # fmt: skip
            ordered = sorted(layer, key=lambda number: (mean[number], number))  # noqa: B023
            places |= _placed(ordered, trunk)
    return places


def _placed(ordered: Sequence[int], trunk: Collection[int]) -> dict[int, float]:
    middle = next((float(place) for place, number in enumerate(ordered) if number in trunk),
                  (len(ordered) - 1) / 2)  # fmt: skip
    return {number: place - middle for place, number in enumerate(ordered)}


def _mean(places: Mapping[int, float], numbers: Sequence[int], otherwise: float) -> float:
    if not numbers:
        return otherwise
    return sum(places[number] for number in numbers) / len(numbers)
