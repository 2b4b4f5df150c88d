"""What the cards of published genomes claim is what is measured."""

from pathlib import Path

import pytest

from evo_ntm import verbs
from evo_ntm.reports.claims import Verdict, read_claims

FOLDER = Path(__file__).parents[1] / "genomes"
PUBLISHED = sorted(path.parent for path in FOLDER.glob("*/card.json"))
LONG = ("season", "season-no-default-jump")  # of many lives: they take long


def test_every_folder_holds_a_published_genome():
    assert [path for path in FOLDER.iterdir() if path.is_dir() and path not in PUBLISHED] == []


@pytest.mark.parametrize("folder", [
    pytest.param(folder, id=folder.name, marks=pytest.mark.slow if folder.name in LONG else ())
    for folder in PUBLISHED
])  # fmt: skip
def test_a_published_genome_is_what_its_card_claims(folder):
    claims = read_claims(folder)
    genome = verbs.read(folder)
    assert claims["name"] == folder.name
    assert claims["genome"] == genome.id
    assert claims["topology"] == str(genome.topology)
    sat = verbs.exam(folder)
    assert sat.passed is claims["passed"]
    assert sat.card == Verdict(True, f"{folder / 'card.json'} says the same of genome and exam")
    for row, claim in zip(sat.rows, claims["exam"], strict=True):
        assert (row.name, row.rows, row.sequences) == (claim["name"], claim["rows"],
                                                       claim["sequences"])  # fmt: skip
        if claim["bits"] is not None:  # which lives have none of
            assert row.wrong_bits == pytest.approx(claim["wrong_bits"], abs=0.01)
            assert row.bits == pytest.approx(claim["bits"], rel=0.01, abs=0.01)
        assert dict(row.measures) == pytest.approx(claim["measures"], rel=0.01, abs=0.01)
