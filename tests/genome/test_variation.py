"""Perturbing, crossing, and how operators are found and bound."""

import sys

import numpy as np
import pytest

from evo_ntm.errors import GenomeError
from evo_ntm.genome import variation
from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.genome.encoding import likes
from evo_ntm.genome.founder import founder
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Tape
from tests.genome.machines import INPUTS, OUTPUTS, SPECIMENS, specimen

PARENT = SPECIMENS["direct dense, one of each"]
BIG = specimen("lstm", "direct", "all sorts", units=(64,), width=16)


def draws(slot=0):
    return derive(11, "operator", slot)


def test_perturbing_moves_every_gene_by_steps_of_the_size_asked_for():
    for sigma in (0.05, 0.5):
        steps = variation.perturb(BIG, generator=draws(), sigma=sigma).genes - BIG.genes
        assert abs(steps.std() / sigma - 1) < 0.05
        assert abs(steps.mean()) < sigma * 0.05
        assert (steps != 0).mean() > 0.99


def test_perturbing_may_move_a_part_of_the_genes_only():
    child = variation.perturb(BIG, generator=draws(), chance=0.1)
    assert 0.08 < (child.genes != BIG.genes).mean() < 0.12


def test_perturbing_may_move_few_genes_some_of_the_time():
    def moved(**told):
        children = [variation.perturb(BIG, generator=draws(slot), **told) for slot in range(60)]
        return np.array([(child.genes != BIG.genes).mean() for child in children])

    assert 0.3 < (moved(few=0.5) > 0.99).mean() < 0.7
    few = moved(few=1.0)
    assert 0.2 < (few > len(BIG.genes) ** -0.5).mean() < 0.8  # half of the way by logarithm
    assert few.min() < 10 / len(BIG.genes)


@pytest.mark.parametrize("kind", ["dense", "graph"])
def test_perturbing_may_move_direct_genes_alike_for_all_bits(kind):
    one = {"controller": kind, "units": [], "width": 6, "readers": 0, "writers": 0}
    genome = founder(INPUTS, OUTPUTS, **one, tape_heads=1, per_bit=True, tape=Tape("overwrite"),
                     head={"target": "controller"}, generator=draws())  # fmt: skip
    told = likes(genome.topology)
    assert genome.encoding == "direct"
    # Bits, their reads, the flag, two more reads, the bias; writes and outputs of bits, 7 others.
    assert told.max() + 1 == 2 * (2 * 2) + 2 * 7 + 4 * 2 + 4 * 7
    steps = variation.perturb(genome, generator=draws(), alike=1.0, sigma=1.0).genes - genome.genes
    firsts = {number: step for number, step in zip(told[::-1], steps[::-1], strict=True)}
    np.testing.assert_allclose(steps, [firsts[number] for number in told], atol=1e-5)
    assert len(set(np.round(list(firsts.values()), 4))) > 0.9 * len(firsts)
    apart = [variation.perturb(genome, generator=draws(n), alike=0.5).genes for n in range(40)]
    likely = [np.ptp((genes - genome.genes)[told == told[0]]) < 1e-5 for genes in apart]
    assert 0.3 < np.mean(likely) < 0.7


def test_crossing_takes_whole_units_and_whole_heads():
    other = variation.perturb(PARENT, generator=draws(), sigma=1.0)
    taken = set()
    for slot in range(20):
        child = variation.cross(PARENT, other, generator=draws(slot)).express()
        one, two = PARENT.express(), other.express()
        for unit in range(8):
            whose = {who(child[w][unit], one[w][unit], two[w][unit]) for w in child
                     if w.startswith("layer 1 <")}  # fmt: skip
            assert len(whose) == 1
            taken |= whose
        for head in ("writer 71", "reader 73"):
            whose = {who(child[w], one[w], two[w]) for w in child if w.startswith(head)}
            assert len(whose) == 1
    assert taken == {"one", "two"}


def who(came, one, two):
    assert (came == one).all() != (came == two).all()
    return "one" if (came == one).all() else "two"


def test_crossing_takes_the_chance_asked_for():
    other = variation.perturb(BIG, generator=draws())
    assert variation.cross(BIG, other, generator=draws(), chance=0).id == BIG.id
    assert variation.cross(BIG, other, generator=draws(), chance=1).id == other.id


def test_the_topology_and_what_only_one_has_come_from_the_fitter_parent():
    richer = variation.OPERATORS["add_reader"](PARENT, generator=draws())
    other = variation.perturb(PARENT, generator=draws(), sigma=1.0)
    poor = variation.cross(PARENT, richer, generator=draws(1), chance=1)
    assert poor.topology == PARENT.topology
    assert poor.id == PARENT.id
    rich = variation.cross(richer, other, generator=draws(1), chance=1)
    assert rich.topology == richer.topology
    (new,) = set(richer.topology.readers) - set(PARENT.topology.readers)
    for wire, weights in rich.express().items():
        expected = richer if new.name in wire else other
        assert (weights == expected.express()[wire]).all(), wire


def test_heads_of_other_births_are_not_crossed_however_alike():
    told = dict(encoding="direct", units=(4,), width=3, readers=0, writers=0)
    bare = founder(INPUTS, OUTPUTS, **told, generator=draws())
    one, two = (variation.OPERATORS["add_writer"](bare, generator=draws(n)) for n in (1, 2))
    two = variation.perturb(two, generator=draws(), sigma=1.0)
    child = variation.cross(one, two, generator=draws(3), chance=1)
    writer = one.topology.writers[0].name
    for wire, weights in child.express().items():
        expected = one if writer in wire else two
        assert (weights == expected.express()[wire]).all(), wire


def test_crossing_leaves_the_second_parent_alone():
    other = variation.perturb(PARENT, generator=draws(), sigma=1.0)
    before = other.genes.tobytes()
    variation.cross(PARENT, other, generator=draws())
    assert other.genes.tobytes() == before


def test_genomes_of_two_encodings_are_not_crossed():
    with pytest.raises(GenomeError, match="one encoding, but they are direct and tied"):
        variation.cross(PARENT, SPECIMENS["tied dense, one of each"], generator=draws())


def test_parents_that_share_nothing_are_not_crossed():
    others = Block(500, 1), Block(600, 1)
    told = dict(encoding="direct", units=(4,), readers=0, writers=0, generator=draws())
    stranger = founder((others[0],), (others[1],), **told)
    with pytest.raises(Inapplicable, match="share none"):
        variation.cross(stranger, SPECIMENS["direct dense, no heads"], generator=draws())


def test_the_parents_that_an_operator_needs_are_counted():
    needed = {name: variation.parents_needed(op) for name, op in variation.OPERATORS.items()}
    assert needed.pop("cross") == 2
    assert set(needed.values()) == {1}


def test_an_operator_is_bound_with_its_bounds_and_parameters():
    bounds = Bounds(width=(1, 9))
    widen = variation.bind("widen_memory", bounds=bounds, parameters={"columns": 7})
    assert variation.parents_needed(widen) == 1
    assert widen(PARENT, generator=draws()).topology.width == 9
    assert variation.bind("perturb", bounds=bounds, parameters={"sigma": 0.0})(
        PARENT, generator=draws()
    ).id == PARENT.id  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("add_raeder", {}, "no operator 'add_raeder': did you mean 'add_reader'"),
        ("perturb", {"sgima": 1}, "perturb has no parameter 'sgima': did you mean 'sigma'"),
        ("cross", {"generator": 1}, "cross has no parameter 'generator'"),
        ("drop_reader", {"birth": 1}, "drop_reader has no parameter 'birth'"),
    ],
)
def test_an_operator_or_parameter_that_is_not_known_is_refused(name, parameters, words):
    with pytest.raises(GenomeError, match=words):
        variation.bind(name, bounds=Bounds(), parameters=parameters)


def install(monkeypatch, folder, entry, code):
    """Put a package with one entry point on the path."""
    (folder / "someones_operators.py").write_text(code)
    info = folder / "someones-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: someones\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[evo_ntm.operators]\n{entry}\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "someones_operators", raising=False)


def test_operators_of_other_packages_are_known_by_their_entry_points(monkeypatch, tmp_path):
    code = "def negate(genome, *, generator, factor=-1):\n" \
           "    return genome.with_genes(genome.genes * factor)\n"  # fmt: skip
    install(monkeypatch, tmp_path, "negate = someones_operators:negate", code)
    negate = variation.bind("negate", bounds=Bounds())
    assert (negate(PARENT, generator=draws()).genes == -PARENT.genes).all()
    double = variation.bind("negate", bounds=Bounds(), parameters={"factor": 2})
    assert (double(PARENT, generator=draws()).genes == 2 * PARENT.genes).all()
    with pytest.raises(GenomeError, match="negate has no parameter 'facto'"):
        variation.bind("negate", bounds=Bounds(), parameters={"facto": 2})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("negate = someones_operators:nowhere", "'negate' expected someones_operators:nowhere"),
        ("negate = nobodys_operators:negate", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_named(monkeypatch, tmp_path, entry, words):
    install(monkeypatch, tmp_path, entry, "negate = None\n")
    with pytest.raises(GenomeError, match=words):
        variation.bind("negate", bounds=Bounds())
    assert variation.bind("perturb", bounds=Bounds()).func is variation.perturb
    with pytest.raises(GenomeError, match="no operator 'negat': did you mean 'negate'"):
        variation.bind("negat", bounds=Bounds())


def test_an_operator_of_another_package_that_raises_is_named_with_its_line(monkeypatch, tmp_path):
    code = "def fail(genome, *, generator):\n    return 1 / 0\n"
    install(monkeypatch, tmp_path, "fail = someones_operators:fail", code)
    fail = variation.bind("fail", bounds=Bounds())
    said = r"operator 'fail', but came ZeroDivisionError.*someones_operators.py, line 2\)"
    with pytest.raises(GenomeError, match=said):
        fail(PARENT, generator=draws())


def test_an_operator_of_another_package_may_find_nothing_to_change(monkeypatch, tmp_path):
    code = "from evo_ntm.genome.bounds import Inapplicable\n\n\n" \
           "def never(genome, *, generator):\n    raise Inapplicable('never')\n"  # fmt: skip
    install(monkeypatch, tmp_path, "never = someones_operators:never", code)
    with pytest.raises(variation.Inapplicable):
        variation.bind("never", bounds=Bounds())(PARENT, generator=draws())


@pytest.mark.parametrize(
    "bounds", [{"readers": (3, 1)}, {"width": (1,)}, {"shifts": ()}], ids=["back", "one", "none"]
)
def test_bounds_that_are_no_range_are_refused(bounds):
    with pytest.raises(GenomeError, match=next(iter(bounds))):
        Bounds(**bounds)


def test_bounds_hold_what_lies_within_them_and_nothing_else():
    topology = SPECIMENS["direct lstm"].topology  # 3 readers, 2 writers, width 6, units 8 and 6
    assert Bounds().holds(topology)
    for told in (
        {"readers": (0, 2)},
        {"writers": (3, 4)},
        {"width": (7, 64)},
        {"units": (7, 128)},
        {"units": (1, 7)},
        {"layers": (1, 1)},
        {"shifts": (3, 5)},
        {"controllers": ["dense"]},
    ):
        assert not Bounds(**told).holds(topology), told
    assert hash(Bounds(controllers=["lstm"])) == hash(Bounds(controllers=("lstm",)))


def test_genes_stay_numbers_when_perturbed_far():
    child = variation.perturb(PARENT, generator=draws(), sigma=1e6)
    assert np.isfinite(child.genes).all()


def test_the_head_of_a_tape_is_crossed_number_by_number():
    one = SPECIMENS["direct dense, one tape head"]
    two = one.with_genes(one.genes + 1)
    before, after = (
        x.express() for x in (one, variation.cross(one, two, generator=derive(1, "x")))
    )
    rows = {row.mean().round() for name in before if name.startswith("tape")
            for row in after[name] - before[name]}  # fmt: skip
    assert rows == {0, 1}
    shift = after["tape 71 shift < input"] - before["tape 71 shift < input"]
    assert (shift.round() == shift.round()[:, :1]).all()
