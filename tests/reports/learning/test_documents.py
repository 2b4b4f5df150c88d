import csv

from evo_ntm.reports.learning import write_all
from tests.reports.learning.made_up import champion, learners


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_figures_and_numbers_are_written_always_with_the_same_bytes(tmp_path):
    first, again = (write_all(learners(), tmp_path / name, champion()) for name in ("a", "b"))
    assert [path.name for path in first] == [
        "learning.csv", "exam.csv", "learning.svg", "learning.png", "generalisation.svg",
        "generalisation.png",
    ]  # fmt: skip
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_the_numbers_are_all_those_of_the_figures(tmp_path):
    write_all(learners(seeds=(1, 2)), tmp_path, champion())
    looks = rows(tmp_path / "learning.csv")
    assert len(looks) == 2 * 2 * 5 + 3 + 2
    first, second = looks[:2]
    assert (first["bits"], first["validation_bits"]) == ("", "1000.0")
    assert (second["machine"], second["seed"], second["sequences"]) == ("ntm-lstm", "1", "400")
    assert second["bits"] == "81.0"
    assert looks[-1] == {"machine": "tiny-tuned, tuned after that", "seed": "", "sequences": "3400",
                         "bits": "", "validation_bits": "0.2"}  # fmt: skip
    parts = rows(tmp_path / "exam.csv")
    assert len(parts) == 2 * 2 * 3
    assert parts[-1]["part"] == "length 120" and parts[-1]["bits_by_chance"] == "960.0"
