"""How far wires moved along a line, against sums over their weights."""

import numpy as np
import pytest

from evo_ntm.genome.variation import add_reader, drop_reader, perturb
from evo_ntm.reports.displacement import MOST_BIRTHS, tell_displacement
from evo_ntm.reports.line import Birth
from evo_ntm.seeds import derive
from tests.evolution.cases import tiny


def births(genomes, kept=lambda number: True):
    return [
        Birth(number, 3 * number, ("perturb",), (number - 1,), 0.0, genome.topology, genome.id,
              genome if kept(number) else None)
        for number, genome in enumerate(genomes, start=1)
    ]  # fmt: skip


def walk(count, operators=None):
    genomes = [tiny(units=(3,), heads=1)]
    while len(genomes) < count:
        operator = (operators or {}).get(len(genomes), perturb)
        genomes.append(operator(genomes[-1], generator=derive(1, "walk", len(genomes))))
    return genomes


def length(array):
    return float(np.sqrt((array.astype(np.float64) ** 2).sum()))


def test_wires_are_measured_from_the_founder_over_the_length_of_all_its_weights():
    genomes = walk(6)
    told = tell_displacement(births(genomes))
    assert told.births == (1, 2, 3, 4, 5, 6) and told.generations == (3, 6, 9, 12, 15, 18)
    founder = genomes[0].express()
    whole = length(genomes[0].weights)
    assert told.wires == tuple(founder)
    for name, row in zip(told.wires, told.moved, strict=True):
        expected = [length(genome.express()[name] - founder[name]) / whole for genome in genomes]
        assert row == pytest.approx(expected, rel=1e-6)
        assert row[0] == 0.0
    total = np.sqrt((np.array(told.moved)[:, -1] ** 2).sum())
    assert total == pytest.approx(length(genomes[-1].weights - genomes[0].weights) / whole)


def test_a_wire_that_comes_later_is_measured_from_where_it_began_and_one_that_goes_ends():
    genomes = walk(7, {2: add_reader, 5: drop_reader})
    told = tell_displacement(births(genomes))
    moved = dict(zip(told.wires, told.moved, strict=True))
    (new,) = {h.name for h in genomes[3].topology.readers} - {
        h.name for h in genomes[0].topology.readers
    }
    name = f"{new} key < layer 1"
    (gone,) = {
        h.name for each in genomes for h in each.topology.readers
    } - {h.name for h in genomes[-1].topology.readers}  # fmt: skip
    rows = [genome.express().get(name) for genome in genomes]
    whole = length(genomes[0].weights)
    for number, row in enumerate(rows):
        if row is None:
            assert moved[name][number] is None
        else:
            assert moved[name][number] == pytest.approx(length(row - rows[2]) / whole, rel=1e-6)
    assert moved[name][:3] == (None, None, 0.0)
    founder = genomes[0].express()
    for old in founder.keys() & genomes[-1].express().keys():
        for number, genome in enumerate(genomes):
            expected = length(genome.express()[old] - founder[old]) / whole
            assert moved[old][number] == pytest.approx(expected, rel=1e-6)
    last = [*genomes[-1].express()]
    assert list(told.wires[: len(last)]) == last
    assert all(wire.find(gone) >= 0 for wire in told.wires[len(last) :]) and told.wires[len(last) :]
    assert moved[f"{gone} key < layer 1"][-1] is None


def test_of_many_births_some_are_chosen_evenly_the_ends_among_them():
    told = tell_displacement(births(walk(300)))
    assert len(told.births) == MOST_BIRTHS and (told.births[0], told.births[-1]) == (1, 300)
    steps = np.diff(told.births)
    assert steps.max() - steps.min() <= 1


def test_only_births_that_were_kept_are_shown():
    told = tell_displacement(births(walk(9), kept=lambda number: number in (3, 5, 9)))
    assert told.births == (3, 5, 9)
    assert all(row[0] == 0.0 for row in told.moved)
    nothing = tell_displacement(births(walk(3), kept=lambda number: False))
    assert nothing.births == nothing.wires == nothing.moved == ()


def test_a_founder_without_any_weight_is_no_trouble():
    genome = tiny()
    zero = genome.with_genes(np.zeros_like(genome.genes))
    told = tell_displacement(births([zero, genome]))
    assert {*told.moved} == {(0.0, 0.0)}
