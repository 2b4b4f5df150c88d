"""The verbs on a run of a task that rewards what is done."""

import numpy as np
import pytest

from evo_ntm import cli, verbs
from evo_ntm.errors import EvoNTMError, TaskError
from evo_ntm.experiment import parse

SMALL = {
    "task": "memory_length",
    "with": {"longest": 3},
    "exam": {
        "validation": [{"name": "a", "rows": 4, "sequences": 8, "at_most": {"missed": 0}}],
        "parts": [{"name": "b", "rows": 4, "sequences": 16, "at_most": {"missed": 0}}],
    },
    "machine": {"units": [4], "width": 2, "rows": 4},
    "evolve": {
        "strategy": "genetic", "population": 12, "generations": 3, "episodes": 8, "elites": 2,
        "validate_every": 1, "sigma": 1.0, "operators": {"perturb": {}, "add_reader": {}},
    },
    "run": {"threads": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rewards") / "run"
    verbs.evolve(parse(SMALL), to=folder)
    return folder


def test_the_exam_tells_what_was_missed_and_earned_and_of_no_bits(run):
    [row] = verbs.exam(run).rows
    assert {*row.measures} == {"missed", "shortfall", "reward"}
    assert np.isnan(row.wrong_bits) and np.isnan(row.bits)
    assert row.measures["shortfall"] == row.measures["missed"]  # as a life is worth 1 or nothing
    assert row.measures["reward"] == pytest.approx(1 - 2 * row.measures["missed"])
    assert row.extent == {"length": [1, 3]}
    [blind] = verbs.exam(run, ablate="reads").rows
    assert blind.measures["shortfall"] >= 0.25


def test_who_cannot_be_explained_is_not_named_for_it(run, capsys, tmp_path):
    with pytest.raises(EvoNTMError):
        verbs.explain(run)
    asked = [["status", str(run)], ["lineage", str(run)],
             ["publish", str(run), "one", "--to", str(tmp_path)]]  # fmt: skip
    for words in asked:
        assert cli.run(words) == 0
        told = "".join(capsys.readouterr()).partition("What next:")[2]
        assert "evo-ntm exam" in told and "evo-ntm explain" not in told


def test_status_and_lineage_go_by_what_was_missed(run):
    champion = verbs.status(run).champion
    assert 0 <= champion.wrong_bits == champion.bits <= 1
    trunk = verbs.lineage(run).trunk
    assert trunk.steps[-1].measured.bits == pytest.approx(trunk.steps[-1].measured.wrong_bits)


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        (lambda run, to: verbs.explain(run), "to explain how"),
        (lambda run, to: verbs.finetune(run, to=to), "to learn by gradients"),
    ],
)
def test_what_needs_sequences_says_so_in_one_line_and_leaves_nothing(run, verb, told, tmp_path):
    with pytest.raises(TaskError, match=f"expected a task that asks for sequences, {told}") as one:
        verb(run, tmp_path / "there.png")
    assert "\n" not in str(one.value)
    assert not any(tmp_path.iterdir())


def test_a_champion_is_published_with_what_it_missed(run, tmp_path):
    folder = verbs.publish(run, "kept", to=tmp_path)
    words = (folder / "README.md").read_text("utf-8")
    assert (
        "missed a life" in words and "lives." in words and "bits" not in words.split("Measured")[0]
    )
    assert verbs.exam(folder).rows == verbs.exam(run).rows or np.isnan(verbs.exam(run).rows[0].bits)
