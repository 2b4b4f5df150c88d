import json

import pytest

from evo_ntm import verbs
from evo_ntm.errors import ReportError
from evo_ntm.experiment import parse
from evo_ntm.reports.learning import read_champion
from evo_ntm.runs.store import open_run
from tests.evolution.cases import told


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    asked = {**told("genetic", generations=4), "finetune": {"batch": 4, "validate_every": 2}}
    return verbs.evolve(parse(asked), to=folder).path


@pytest.fixture(scope="module")
def published(run, tmp_path_factory):
    tuned = verbs.finetune(run, steps=4)
    return verbs.publish(run, "tiny", birth=tuned.child, to=tmp_path_factory.mktemp("genomes"))


def test_all_sequences_that_evolution_saw_are_counted(run, published):
    found = read_champion(published, verbs.opening.opened(run, None)[1])
    card = json.loads((published / "card.json").read_text())
    assert found.answered == card["answered"] > 0
    assert found.tuned[0][0] == found.answered and found.tuned[-1][0] == found.answered + 16
    assert found.tuned[0][1] == card["tuning"]["curve"][0]["bits"]
    places = [place for place, _ in found.evolved]
    assert places == sorted(places) and 0 < places[0] and places[-1] <= found.answered
    assert all(bits >= 0 for _, bits in found.evolved)


def test_a_machine_that_only_evolved_is_refused(run, tmp_path):
    (first, *_) = open_run(run).rows("SELECT birth FROM validations WHERE champion")
    folder = verbs.publish(run, "tiny", birth=first["birth"], to=tmp_path)
    with pytest.raises(ReportError, match="evolved and was tuned then, but it only evolved"):
        read_champion(folder, verbs.opening.opened(run, None)[1])


def test_a_machine_of_another_validation_set_is_refused(published):
    other = parse({**told("genetic"), "with": {"bits": 1, "longest": 3}})
    with pytest.raises(ReportError, match="against the validation set of this training of copy"):
        read_champion(published, other)


def test_a_line_that_is_torn_is_refused(run, published, tmp_path):
    experiment = verbs.opening.opened(run, None)[1]
    for name in ("genome.safetensors", "card.json"):
        (tmp_path / name).write_bytes((published / name).read_bytes())
    line = (published / "lineage.csv").read_text()
    for torn in ("number,generation\n1,none\n", f"{line}9\n"):
        (tmp_path / "lineage.csv").write_text(torn)
        with pytest.raises(ReportError, match=r"lineage\.csv: expected the line of a genome, but"):
            read_champion(tmp_path, experiment)
    (tmp_path / "card.json").write_text('{"version": 3}')
    with pytest.raises(ReportError, match="evolved and was tuned then, but it only evolved"):
        read_champion(tmp_path, experiment)
