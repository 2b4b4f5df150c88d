"""The tree of primary parents: who is left of a population, and how far apart they are.

Founders are joined under a root that is no birth. Distances count the births from one to another
along the tree. Source: Dolson et al., Interpreting the Tape of Life (2020).
"""

from itertools import pairwise

import numpy as np

from evo_ntm.reports.chapters import Parent, Population
from evo_ntm.reports.pedigree import NOBODY, Numbers, Pedigree, Places, evenly
from evo_ntm.words import counted

MOST_FECUND = 10
UNKNOWN = (
    "who was alive is not known, as the rows recorded no survivors before their version 4: nothing "
    "is told of selection and phylogeny"
)
PARENTLESS = "nobody's parents are known: nothing is told of selection and phylogeny"
UNSETTLED = "which lines live on is not settled yet"


def tell_population(pedigree: Pedigree) -> tuple[Population | None, tuple[str, ...]]:
    """Tell of selection and phylogeny, and warn of what cannot be told.

    None where individuals are means of a search, and where it is not known who was alive, or of
    whom they were born. `effective_parents` are those who, with equally many births of a generation
    each, would be as diverse as those there were (inverse Simpson); 0 where there were founders
    only. `ancestors_back` ends where there is but one, or none that far back.
    """
    if pedigree.means:
        return None, ()
    if not pedigree.whole:
        return None, (UNKNOWN,)
    if pedigree.generations > 1 and (pedigree.primary == NOBODY).all():
        return None, (PARENTLESS,)
    chosen = evenly(pedigree.generations)
    common = common_ancestors(pedigree)
    apart = [distances(pedigree, number, int(common[number])) for number in chosen]
    number = [None if place == NOBODY else int(pedigree.numbers[place]) for place in common]
    age = [None if place == NOBODY else here - int(pedigree.generation[place])
           for here, place in enumerate(common)]  # fmt: skip
    told = Population(
        generations=chosen,
        alive=tuple(len(pedigree.alive(here)) for here in chosen),
        common_ancestor=tuple(number[here] for here in chosen),
        age=tuple(age[here] for here in chosen),
        mean_pairwise_distance=tuple(mean for mean, _ in apart),
        phylogenetic_diversity=tuple(diversity for _, diversity in apart),
        effective_parents=tuple(effective_parents(pedigree, here) for here in chosen),
        sweeps=tuple((here, after) for here, (before, after) in enumerate(pairwise(number), 1)
                     if after is not None and after != before),
        ancestors_back=ancestors_back(pedigree),
        fecund=fecund(pedigree),
    )  # fmt: skip
    return told, _unsettled(age[-1])


def common_ancestors(pedigree: Pedigree) -> Places:
    """Find the most recent common ancestor of those alive in each generation, or NOBODY [G].

    It stands on the line of anybody alive later, so only one line is looked at, or one for each
    time that the population was founded anew: of every birth, where it left that line.
    """
    near = np.full(len(pedigree), NOBODY, dtype=np.int32)  # its last ancestor's place in the line
    found = np.full(pedigree.generations, NOBODY, dtype=np.int32)
    end = pedigree.generations - 1
    while end >= 0:
        line = _line(pedigree, int(pedigree.alive(end)[0]))
        begin = int(pedigree.generation[line[0]])
        near[line] = np.arange(len(line))
        for generation in range(begin, end + 1):
            born = pedigree.born(generation)
            primary = pedigree.primary[born]
            inherited = np.where(primary == NOBODY, NOBODY, near[primary])
            near[born] = np.maximum(near[born], inherited)
            least = int(near[pedigree.alive(generation)].min())
            if least != NOBODY:
                found[generation] = line[least]
        end = begin - 1
    return found


def distances(pedigree: Pedigree, generation: int, ancestor: int) -> tuple[float, int]:
    """Measure the mean distance between two of those alive, and their phylogenetic diversity.

    That is how many edges the tree has that joins them all. `ancestor` is their most recent common
    one, or NOBODY. An edge above c of n alive is on the way between c (n - c) pairs.
    """
    alive = pedigree.alive(generation)
    count, oldest = len(alive), 0 if ancestor == NOBODY else int(pedigree.generation[ancestor]) + 1
    above = pedigree.begins[oldest]
    below = np.zeros(int(pedigree.begins[generation + 1] - above), dtype=np.int64)
    here = alive[alive >= above]  # all but an ancestor who is still alive
    below[here - above] = 1
    total = edges = 0
    for number in range(generation, oldest - 1, -1):
        born = pedigree.born(number)
        counts = below[born.start - above : born.stop - above]
        places = np.flatnonzero(counts)
        if not places.size:
            continue
        counts = counts[places]
        total += int((counts * (count - counts)).sum())
        edges += len(places)
        parents = pedigree.primary[born][places]
        within = parents >= above
        np.add.at(below, parents[within] - above, counts[within])
    return (2 * total / (count * (count - 1)) if count > 1 else 0.0), edges


def ancestors_back(pedigree: Pedigree) -> tuple[int, ...]:
    """Count the different ancestors, so many generations back, of those alive at the end."""
    last = pedigree.generations - 1
    lines, counts = pedigree.alive(last), []
    for generation in range(last, -1, -1):
        young = pedigree.generation[lines] > generation
        lines = np.unique(np.where(young, pedigree.primary[lines], lines))
        lines = lines[lines != NOBODY]
        if not lines.size:
            break
        counts.append(len(lines))
        if len(lines) == 1:
            break
    return tuple(counts)


def effective_parents(pedigree: Pedigree, generation: int) -> float:
    """Count how many equally fecund parents a generation's would be worth."""
    primary = pedigree.primary[pedigree.born(generation)]
    counts = np.unique(primary[primary != NOBODY], return_counts=True)[1]
    return float(counts.sum() ** 2 / (counts**2).sum()) if counts.size else 0.0


def children(pedigree: Pedigree) -> Numbers:
    """Count of every birth those whose primary parent it is [N]."""
    primary = pedigree.primary[pedigree.primary != NOBODY]
    return np.bincount(primary, minlength=len(pedigree))


def fecund(pedigree: Pedigree, most: int = MOST_FECUND) -> tuple[Parent, ...]:
    """List the births with the most children, of equals the elder first."""
    counts = children(pedigree)
    first = np.argsort(-counts, kind="stable")[:most]
    return tuple(
        Parent(int(pedigree.numbers[place]), int(pedigree.generation[place]), int(counts[place]),
               pedigree.kinds[pedigree.kind[place]].told)
        for place in first
        if counts[place]
    )  # fmt: skip


def _line(pedigree: Pedigree, place: int) -> Places:
    """List the places from a founder to a birth."""
    line = [place]
    while (place := int(pedigree.primary[place])) != NOBODY:
        line.append(place)
    return np.array(line[::-1], dtype=np.int32)


def _unsettled(age: int | None) -> tuple[str, ...]:
    """Warn of the generations since the last common ancestor: their lines may still end."""
    if age is None:
        return (f"{UNSETTLED}: those alive at the end descend from several founders",)
    return (f"{UNSETTLED} in the newest {counted(age, 'generation')}",) if age else ()
