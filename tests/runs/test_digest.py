"""One hash over a run: alike for runs that went alike, another after any bit of difference."""

import json
import shutil
import sqlite3
import struct
from contextlib import closing

import pytest

from evo_ntm import verbs
from evo_ntm.errors import GenomeError, RunError
from evo_ntm.experiment import parse
from evo_ntm.genome.files import LENGTH, write_genome
from evo_ntm.runs.store import open_run
from tests.evolution.cases import STRATEGIES, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of the genetic algorithm that has ended."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    verbs.evolve(asked("genetic"), to=folder)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def asked(strategy, **run):
    return parse({**told(strategy, generations=8, validate_every=3), "run": {"threads": 1, **run}})


def change(folder, statement, *values):
    with closing(sqlite3.connect(folder / "run.sqlite")) as rows:
        assert rows.execute(statement, values).rowcount == 1
        rows.commit()


def next_number(value):
    """Give the number of which the lowest bit of the mantissa differs."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return struct.unpack("<d", struct.pack("<q", bits ^ 1))[0]


def test_a_copy_has_the_same_digest(whole, copy):
    assert verbs.digest(copy) == verbs.digest(whole)
    assert len(verbs.digest(copy)) == 32


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_where_a_run_is_computed_and_what_it_keeps_is_no_part_of_it(tmp_path, strategy):
    ways = [{}, {"threads": 2}, {"keep": "all"}, {"keep": "lineage", "checkpoint_every": 1}]
    for number, way in enumerate(ways):
        verbs.evolve(asked(strategy, **way), to=tmp_path / str(number))
    assert len({verbs.digest(tmp_path / str(number)) for number in range(len(ways))}) == 1


def test_another_seed_has_another(whole, tmp_path):
    verbs.evolve(asked("genetic").with_seed(2), to=tmp_path / "other")
    assert verbs.digest(tmp_path / "other") != verbs.digest(whole)


@pytest.mark.parametrize(
    ("column", "flipped"),
    [
        ("number", lambda number: number ^ 1024),
        ("generation", lambda generation: generation ^ 1),
        ("parents", lambda told: json.dumps([json.loads(told)[0] ^ 1])),
        ("operators", lambda told: told.replace("p", "q", 1)),
        ("genome", lambda told: chr(ord(told[0]) ^ 1) + told[1:]),
        ("fitness", next_number),
    ],
    ids=lambda told: told if isinstance(told, str) else "",
)
def test_a_bit_of_a_birth_changes_it(whole, copy, column, flipped):
    question = "SELECT * FROM births WHERE operators = '[\"perturb\"]' ORDER BY number DESC LIMIT 1"
    (row,) = open_run(copy).rows(question)
    value = flipped(row[column])
    assert value != row[column]
    change(copy, f"UPDATE births SET {column} = ? WHERE number = ?", value, row["number"])
    assert verbs.digest(copy) != verbs.digest(whole)


def test_a_birth_more_or_less_changes_it(whole, copy):
    change(copy, "DELETE FROM births WHERE number = (SELECT max(number) FROM births)")
    assert verbs.digest(copy) != verbs.digest(whole)


def test_a_birth_that_was_tuned_since_is_no_part_of_it(whole, copy):
    birth = "SELECT 999, 7, '[1]', '[\"finetune\"]', genome, topology, fitness, measures"
    change(copy, f"INSERT INTO births {birth} FROM births WHERE number = 1")
    assert verbs.digest(copy) != verbs.digest(whole)
    change(copy, "INSERT INTO tunings VALUES (999, 100, 3200, 1.5, '{}', '[]')")
    assert verbs.digest(copy) == verbs.digest(whole)


def test_a_bit_of_any_tensor_of_the_last_checkpoint_changes_it(whole, copy):
    path = sorted((copy / "checkpoints").iterdir())[-1]
    data = path.read_bytes()
    end = LENGTH + int.from_bytes(data[:LENGTH], "little")
    tensors = json.loads(data[LENGTH:end])
    assert len(tensors) > 1
    for name in tensors.keys() - {"__metadata__"}:
        torn = bytearray(data)
        torn[end + tensors[name]["data_offsets"][0]] ^= 1
        path.write_bytes(torn)
        assert verbs.digest(copy) != verbs.digest(whole)


def test_a_word_of_the_last_checkpoint_changes_it_but_for_the_time_it_took(whole, copy):
    path = sorted((copy / "checkpoints").iterdir())[-1]
    data = path.read_bytes()
    end = LENGTH + int.from_bytes(data[:LENGTH], "little")
    header = json.loads(data[LENGTH:end])
    told = json.loads(header["__metadata__"]["words"])
    assert len(told) == 8
    for name in told:
        words = {**told, name: [told[name]]}
        same = name == "seconds"
        metadata = {**header["__metadata__"], "words": json.dumps(words)}
        text = json.dumps({**header, "__metadata__": metadata})
        text += " " * (-len(text) % LENGTH)
        path.write_bytes(len(text).to_bytes(LENGTH, "little") + text.encode() + data[end:])
        assert (verbs.digest(copy) == verbs.digest(whole)) is same


def test_a_bit_of_a_champion_s_weights_is_seen(copy):
    run = open_run(copy)
    path = run.champion_file(run.champion())
    genome, data = run.genome(), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(GenomeError, match=f"{path}: "):
        verbs.digest(copy)
    genes = genome.genes.copy()
    genes[0] = next_number(float(genes[0]) + 1)
    write_genome(path, genome.with_genes(genes))
    with pytest.raises(GenomeError, match=f"{path}: expected the genome {genome.id} of birth"):
        verbs.digest(copy)


def test_a_champion_of_less_or_another_one_changes_it(whole, copy):
    question = "SELECT generation FROM validations WHERE champion ORDER BY generation DESC LIMIT 1"
    (row,) = open_run(copy).rows(question)
    change(copy, "UPDATE validations SET champion = 0 WHERE generation = ?", row["generation"])
    assert verbs.digest(copy) != verbs.digest(whole)


def test_a_genome_that_is_kept_is_as_its_birth_tells(tmp_path):
    verbs.evolve(asked("genetic", keep="all"), to=tmp_path / "run")
    before = verbs.digest(tmp_path / "run")
    file = "(SELECT file FROM genomes WHERE birth = 2)"
    change(tmp_path / "run", f"UPDATE genomes SET file = {file} WHERE birth = 1")
    with pytest.raises(GenomeError, match="expected the genome .* of birth 1, but it holds "):
        open_run(tmp_path / "run").genome(1)
    assert verbs.digest(tmp_path / "run") == before  # for what is kept is no part of it


def test_a_checkpoint_that_is_not_there_is_named(copy):
    path = sorted((copy / "checkpoints").iterdir())[-1]
    path.unlink()
    with pytest.raises(RunError, match=f"{path}: expected a checkpoint, .* No such file"):
        verbs.digest(copy)
