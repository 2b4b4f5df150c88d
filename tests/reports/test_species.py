"""The species of a run: sizes from births and survivors, lives, and names that tell them apart."""

from dataclasses import replace

import pytest

from evo_ntm.reports import species
from evo_ntm.reports.pedigree import Kind, read_pedigree
from evo_ntm.reports.species import species_name, tell_species
from evo_ntm.topology import Block, Controller, Head, Stages
from tests.genome.machines import graph
from tests.reports.populations import TOPOLOGIES, evolved, made

FOUND, PERTURB = ["found"], ["perturb"]


def test_sizes_are_births_and_survivors(tmp_path):
    births = [(0, [], FOUND, 1, -1.0), (0, [], FOUND, 1, -1.0), (1, [1], ["add_reader"], 2, -1.0),
              (1, [1], PERTURB, 1, -1.0), (2, [3], PERTURB, 2, -1.0), (2, [3], PERTURB, 2, -1.0),
              (3, [5], PERTURB, 2, -1.0), (3, [5], ["add_reader"], 4, -1.0)]  # fmt: skip
    run = made(tmp_path / "run", births, survivors={1: [2], 2: [2]})
    stream, warnings = tell_species(read_pedigree(run))
    one, two, four = (f"dense, {n} reader{'s' * (n > 1)}, {n} writer{'s' * (n > 1)}"
                      for n in (1, 2, 4))  # fmt: skip
    assert stream.generations == (0, 1, 2, 3)
    assert dict(zip(stream.names, stream.sizes, strict=True)) == {
        one: (2, 2, 1, 0), two: (0, 1, 2, 1), four: (0, 0, 0, 1),
    }  # fmt: skip
    lives = {life.name: life for life in stream.lives}
    assert [life.name for life in stream.lives] == [one, two, four]
    assert (lives[one].born, lives[one].last_seen, lives[one].births) == (0, 2, 3)
    assert (lives[two].born, lives[two].last_seen, lives[two].births) == (1, None, 4)
    assert (lives[two].peak, lives[two].peak_generation) == (2, 2)
    assert (lives[one].peak, lives[one].peak_generation) == (2, 0)
    assert warnings == ()


def test_those_who_are_not_among_the_largest_are_the_rest(tmp_path, monkeypatch):
    run = evolved(tmp_path / "run", size=200, generations=60, tournament=1, growth=0.03)
    pedigree = read_pedigree(run)
    whole, _ = tell_species(pedigree)
    monkeypatch.setattr(species, "MOST_SPECIES", 2)
    stream, _ = tell_species(pedigree)
    assert len(whole.names) > 3 and stream.lives == whole.lives
    assert len(stream.names) == 3 and stream.names[-1] == "rest"
    assert {*stream.names[:-1]} <= {*whole.names}
    smallest = min(life.peak for life in stream.lives if life.name in stream.names)
    assert all(life.peak <= smallest for life in stream.lives if life.name not in stream.names)
    for sizes in (whole.sizes, stream.sizes):
        assert [sum(column) for column in zip(*sizes, strict=True)] == [200] * 60


def test_of_long_runs_some_generations_are_told_and_peaks_are_those_of_all(tmp_path):
    pedigree = read_pedigree(evolved(tmp_path / "run", generations=450, tournament=1))
    stream, _ = tell_species(pedigree)
    assert len(stream.generations) == 200 == len(stream.sizes[0])
    for life in stream.lives:
        alive = pedigree.alive(life.peak_generation)
        names = [species_name(pedigree.kinds[pedigree.kind[place]].like) for place in alive]
        assert names.count(life.name) == life.peak


def test_what_is_not_known_of_old_runs_is_warned_of(tmp_path):
    births = [(0, [], FOUND, 1, -1.0), (1, [1], PERTURB, 1, -1.0)]
    pedigree = read_pedigree(made(tmp_path / "run", births, scored={1: 2}))
    stream, warnings = tell_species(pedigree)
    assert warnings == (species.BIRTHS_ONLY,) and stream.sizes == ((1, 1),)
    first = replace(pedigree, kinds=tuple(Kind(kind.told, None) for kind in pedigree.kinds))
    assert tell_species(first) == (None, (species.UNKNOWN,))


BARE = TOPOLOGIES[0]
READER, WRITER = Head(3, "reader"), Head(4, "writer")
NO_SHARPENING, NO_SHIFT = Stages(sharpening=False), Stages(shift=False)
NO_CONTENT = Stages(content=False, interpolation=False)


@pytest.mark.parametrize(
    ("heads", "name"),
    [
        ((), "dense, 0 readers, 0 writers"),
        ((READER, WRITER), "dense, 1 reader, 1 writer"),
        ((READER, replace(READER, birth=5)), "dense, 2 readers, 0 writers"),
        ((replace(WRITER, shifts=5),), "dense, 0 readers, 1 writer (5 shifts)"),
        ((replace(READER, target="output"),), "dense, 1 reader (to the output), 0 writers"),
        (
            (READER, replace(READER, birth=5, stages=NO_SHARPENING, shifts=7)),
            "dense, 1 reader, 1 reader (no sharpening; 7 shifts), 0 writers",
        ),
        # What its genes do not show, its name does not, either.
        ((replace(WRITER, shifts=5, stages=NO_SHIFT),), "dense, 0 readers, 1 writer (no shift)"),
        ((replace(WRITER, target="output"),), "dense, 0 readers, 1 writer"),
    ],
)
def test_a_species_is_named_by_its_controller_and_its_heads(heads, name):
    assert species_name(replace(BARE, heads=heads)) == name


def test_names_are_alike_where_species_are():
    heads = [
        Head(3, kind, source=source, target=target, stages=stages, shifts=shifts)
        for kind in ("reader", "writer")
        for source in ("hidden", "cell")
        for target in ("controller", "output", "both")
        for stages in (Stages(), NO_SHARPENING, NO_SHIFT, NO_CONTENT)
        for shifts in (3, 5)
    ]  # fmt: skip
    layers = (Block(7, 2),), (Block(8, 2),)
    machines = [
        replace(BARE, controller=Controller("lstm", layers[:deep]), heads=(head,))
        for head in heads
        for deep in (1, 2)
    ]
    names = {}
    for machine in machines:
        names.setdefault(machine.species_key, set()).add(species_name(machine))
    assert all(len(alike) == 1 for alike in names.values())
    assert len(set.union(*names.values())) == len(names)


def test_a_graph_with_a_tape_is_named_by_its_heads():
    assert species_name(graph(nodes=2).topology) == "graph, 1 tape head"
    assert species_name(graph(heads=0).topology) == "graph, 0 tape heads"
