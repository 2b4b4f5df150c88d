"""Genomes in files: what comes back, what is refused, and that the format is as described."""

import json
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from evo_ntm.errors import GenomeError
from evo_ntm.genome.encoding import code
from evo_ntm.genome.files import parse_genome, read_card, read_genome, write_genome
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.notation import topology_json
from evo_ntm.seeds import derive
from tests.genome.machines import SPECIMENS, answers, sequences, specimen, topologies
from tests.genome.plain_reader import PlainGenome

SLOW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def small(encoding="direct"):
    return specimen("dense", encoding, units=(5,), width=5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "genome.safetensors"


def any_floats(count, seed):
    """Make floats of every size, signed zeros and subnormals among them."""
    floats = derive(seed, "floats").words(count).astype(np.uint32).view(np.float32)
    floats[~np.isfinite(floats)] = -0.0
    return floats


@SLOW
@given(data=some.data(), encoding=some.sampled_from(["direct", "tied"]), seed=some.integers(0, 99))
def test_what_is_written_comes_back_to_the_bit(path, data, encoding, seed):
    topology = data.draw(topologies(per_bit=encoding == "tied"))
    genome = Genome(topology, any_floats(code(topology, encoding).keys.size, seed), encoding)
    write_genome(path, genome)
    for back in (read_genome(path), parse_genome(path.read_bytes(), path)):
        assert back.id == genome.id
        assert back.topology == genome.topology
        assert back.encoding == genome.encoding
        assert back.genes.tobytes() == genome.genes.tobytes()


def test_the_same_genome_and_card_give_the_same_bytes(tmp_path):
    card = {name: name * 2 for name in ("task", "seed", "rows", "epsilon", "words", "of", "ours")}
    for name in ("one", "other"):
        write_genome(tmp_path / name, small(), card=card)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert read_card(tmp_path / "one") == card
    header = (tmp_path / "one").read_bytes()[8:]
    names = list(json.JSONDecoder().raw_decode(header.decode(errors="replace"))[0])
    assert names == sorted(names)


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(path):
    write_genome(path, small())
    write_genome(path, small("tied"))
    assert read_genome(path).encoding == "tied"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("card", [{"id": "mine"}, {"seed": 3}])
def test_a_card_neither_takes_a_name_of_the_format_nor_holds_numbers(path, card):
    with pytest.raises(GenomeError, match=next(iter(card))):
        write_genome(path, small(), card=card)
    assert not path.exists()


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_format_is_read_and_run_from_its_description_alone(path, name):
    genome = SPECIMENS[name]
    write_genome(path, genome)
    plain = PlainGenome(path)
    assert plain.wires() == list(genome.express())
    assert plain.id() == genome.id == plain.metadata["id"]
    inputs = sequences(genome.topology.inputs, steps=6, lanes=1)
    expected = plain.run(inputs[:, 0].tolist(), rows=5, epsilon=0.01)
    came = answers(genome, inputs, rows=5, eps=0.01)[:, 0]
    torch.testing.assert_close(came, torch.tensor(expected, dtype=came.dtype), rtol=0, atol=1e-9)


@pytest.mark.parametrize("encoding", ["direct", "tied"])
def test_a_file_cut_short_anywhere_is_refused(path, encoding):
    write_genome(path, small(encoding))
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(GenomeError, match=r"genome\.safetensors"):
            read_genome(path)
        with pytest.raises(GenomeError, match=r"genome\.safetensors"):
            parse_genome(whole[:length], path)


@settings(SLOW, max_examples=200)
@given(place=some.floats(0, 1, exclude_max=True), bit=some.integers(0, 7), header=some.booleans())
def test_a_flipped_bit_is_refused_or_changes_nothing_that_counts(path, place, bit, header):
    write_genome(path, small("tied"), card={"task": "copy"})
    damaged = bytearray(path.read_bytes())
    end = 8 + int.from_bytes(damaged[:8], "little")
    where = int(place * (end if header else len(damaged)))
    damaged[where] ^= 1 << bit
    path.write_bytes(damaged)
    for read in (read_genome, lambda path: parse_genome(bytes(damaged), path)):
        try:
            assert read(path).id == small("tied").id
        except GenomeError as error:
            assert "\n" not in str(error)


def rewrite(path, *, tensors=None, drop=(), **metadata):
    """Write a file anew with some things changed, as its own writer never would."""
    with safe_open(path, framework="numpy") as file:
        told = {**file.metadata(), **metadata}
    kept = {**load_file(path), **(tensors or {})}
    kept = {name: tensor for name, tensor in kept.items() if name not in drop}
    told = {name: text for name, text in told.items() if name not in drop}
    save_file(kept, path, told)


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype=dtype)


WIRE = "output < layer 1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tensors": {WIRE: ones(4, 6)}}, r"'output < layer 1' of the shape \[4, 5\].*\[4, 6\]"),
        ({"tensors": {WIRE: ones(20)}}, r"shape \[4, 5\].*\[20\]"),
        ({"tensors": {WIRE: ones(4, 5) * np.float32("nan")}}, r"'output < layer 1' has nan at"),
        ({"tensors": {WIRE: ones(4, 5) * np.float32("inf")}}, r"'output < layer 1' has inf at"),
        ({"tensors": {WIRE: ones(4, 5, dtype=np.float64)}}, "to be F32, but it is F64"),
        ({"tensors": {WIRE: ones(4, 5, dtype=np.int32)}}, "to be F32, but it is I32"),
        ({"tensors": {WIRE: ones(4, 5)}}, "expected the genome .* but the file holds"),
        ({"tensors": {"output < reader 9": ones(4, 5)}}, "has no use for .*'output < reader 9'"),
        ({"tensors": {"genes": ones(4)}}, "has no use for the tensor 'genes'"),
        ({"drop": [WIRE]}, "lacks the tensor 'output < layer 1'"),
        ({"drop": [WIRE, "output < bias"]}, "and 1 more"),
        ({"drop": ["id"]}, "expected 'id' in the metadata"),
        ({"format": "pt"}, "'evo_ntm genome', but its format is 'pt'"),
        ({"drop": ["format"]}, "its format is None"),
        ({"version": "5"}, "version 1, 2, 3 or 4 of the format, but came '5'"),
        ({"encoding": "cppn"}, "direct, tied, but came 'cppn'"),
        ({"encoding": "tied"}, "lacks the tensor 'genes'"),
        ({"id": "0" * 32}, "expected the genome 0{32}"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(path, changes, words):
    write_genome(path, small())
    rewrite(path, **changes)
    for read in (read_genome, lambda path: parse_genome(path.read_bytes(), path)):
        with pytest.raises(GenomeError, match=words) as caught:
            read(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_wires_that_disagree_with_the_genes_are_refused(path):
    write_genome(path, small("tied"))
    rewrite(path, tensors={WIRE: load_file(path)[WIRE] * 2})
    with pytest.raises(GenomeError, match="not what the genes express"):
        read_genome(path)
    write_genome(path, small("tied"))
    rewrite(path, tensors={"genes": load_file(path)["genes"][:-1]})
    with pytest.raises(GenomeError, match="genes, but the tensor 'genes' has the shape"):
        read_genome(path)


TAPE = {"write": "interpolate", "initial": 0.0, "fresh_cell": False, "least_similarity": 0.0,
        "did_write": 0.9}  # fmt: skip


def altered(change):
    told = json.loads(topology_json(small().topology))
    change(told)
    return json.dumps(told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected the JSON of a topology"),
        ("[]", r"topology: expected an object of inputs, outputs, .*, but came \[\]$"),
        ("null", "topology: expected an object of inputs, .*, but came null$"),
        ("[" * 100_000, "expected the JSON of a topology"),
        ("{}", "topology: inputs: expected this key, but it is missing$"),
        (altered(lambda t: t.pop("heads")), "heads: expected this key, but it is missing$"),
        (altered(lambda t: t.update(heads={})), "heads: expected a list, but came {}$"),
        (altered(lambda t: t["heads"][0].update(kind="tap")), "did you mean 'tape'"),
        (altered(lambda t: t["heads"][0].update(kind=["writer"])),
         r'heads\.0\.kind: expected text, but came \["writer"\]$'),
        (altered(lambda t: t["heads"][0].update(birth=True)),
         r"heads\.0\.birth: expected a whole number, but came true$"),
        (altered(lambda t: t["heads"][0].update(birth=1.5)),
         r"heads\.0\.birth: expected a whole number, but came 1\.5$"),
        (altered(lambda t: t["heads"][0].update(shifts=4)), "odd and from 3 to 999.* given 4"),
        (altered(lambda t: t["heads"][0].update(shifts=10**12 + 1)), "given 1000000000001"),
        (altered(lambda t: t["heads"][0].update(colour="red")),
         r"heads\.0\.colour: expected a known key: known: birth, "),
        (altered(lambda t: t["heads"][0]["stages"].update(shift=1)),
         r"heads\.0\.stages\.shift: expected true or false, but came 1$"),
        (altered(lambda t: t["controller"]["layers"].insert(0, 16)),
         r"controller\.layers\.0: expected a list, but came 16$"),
        (altered(lambda t: t["inputs"].insert(0, None)),
         r"inputs\.0: expected an object of birth, size, per_bit, name, but came null$"),
        (altered(lambda t: t["columns"][0].update(name="x" * 500)), r"but the file holds"),
        (altered(lambda t: t["columns"][0].update(size=["x" * 500])),
         r"columns\.0\.size: expected a whole number, but came \[\"x{58} …$"),
        (altered(lambda t: t["columns"][0].update(size=0)), "at least 1 unit"),
        (altered(lambda t: t["columns"][0].update(size="4")),
         r'columns\.0\.size: expected a whole number, but came "4"$'),
        (altered(lambda t: t["columns"][0].update(size=10**15)), "of the shape"),
        (altered(lambda t: t["columns"].clear()), "1 memory column"),
        (altered(lambda t: t["controller"].update(kind="lstm", layers=[])), "at least 1 layer"),
        (altered(lambda t: t.update(tape={})), "tape.write: expected this key, but it is missing$"),
        (altered(lambda t: t.update(tape={**TAPE, "initial": 1})),
         "tape.initial: expected a number, but came 1$"),
        (altered(lambda t: t.update(tape=TAPE)), "all of the kind tape, but were given as"),
        (altered(lambda t: t["heads"].append(t["heads"][0])), "different birth ids"),
    ],
)  # fmt: skip
def test_a_topology_that_makes_no_machine_is_refused(path, text, words):
    write_genome(path, small())
    rewrite(path, topology=text)
    with pytest.raises(GenomeError, match=words) as caught:
        read_genome(path)
    assert str(caught.value).startswith(str(path))


def headed(header, length=None):
    """Give a file that begins with a header, and says how long that is."""
    return (length or len(header)).to_bytes(8, "little") + header.encode()


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"not a genome", b"PK\3\4" * 50, b"\xff" * 64, (10**12).to_bytes(8, "little"),
     b"        {}", headed('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}'),
     headed('{"a": {"data_offsets": [0, 1e999]}}'), headed('{"a":' * 100_000), headed("{}", 10**9),
     headed('{"a": 1}')],
    ids=["empty", "a byte", "text", "zip", "absurd header", "absurd length", "spaces", "an end",
         "no end", "nested", "too long", "a number"],
)  # fmt: skip
def test_what_is_no_safetensors_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(GenomeError, match="expected a safetensors file, but (?!it is cut)"):
        read_genome(path)
    with pytest.raises(GenomeError, match=f"{path}: expected a (safetensors file|file of)"):
        parse_genome(content, path)


@pytest.mark.parametrize("share", [0.1, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_said_to_be(path, share):
    write_genome(path, small())
    whole = path.read_bytes()
    content = whole[: int(share * len(whole))]
    path.write_bytes(content)
    words = f"{path}: expected a safetensors file, but it is cut short: there are {len(content):,} "
    for read in (read_genome, lambda path: parse_genome(content, path)):
        with pytest.raises(GenomeError) as caught:
            read(path)
        assert str(caught.value).startswith(words)
    path.write_bytes(whole + b"more")
    with pytest.raises(GenomeError, match="expected a safetensors file, but (?!it is cut short)"):
        read_genome(path)


def test_a_file_that_is_absent_or_a_folder_is_refused(tmp_path):
    with pytest.raises(GenomeError, match="absent: cannot be read: No such file"):
        read_genome(tmp_path / "absent")
    with pytest.raises(GenomeError, match="expected a genome file, but this is a folder"):
        read_genome(tmp_path)
