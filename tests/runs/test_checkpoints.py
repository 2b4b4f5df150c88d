"""Checkpoints on disk: published whole, a ring of them, and what is said of torn ones."""

import shutil

import numpy as np
import pytest

from evo_ntm.errors import RunError
from evo_ntm.experiment import load
from evo_ntm.runs.checkpoints import (
    checkpoint_file,
    generations_of,
    prune,
    read_checkpoint,
    write_checkpoint,
)
from evo_ntm.runs.store import Recorder, create, open_run

WORDS = {"generation": 3, "ended": False, "deep": [{"a": None}, 0.1, "inf"]}
TENSORS = {
    "mean": np.array([0.1, -0.0, 5e-324]),
    "genes 0": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.arange(6.0).reshape(2, 3).T,
}


@pytest.fixture
def recorder(small, tmp_path):
    with create(tmp_path / "run", load(small)) as recorder:
        yield recorder


def turn(recorder, generation):
    """Record a generation that was nothing but its number, and publish its checkpoint."""
    zeros = dict.fromkeys(("rows", "stage", "scored", "timesteps", "failures", "species"), 0)
    row = {"number": generation, **zeros, "statistics": {}, "seconds": 0.0}
    recorder.record("generations", [row])
    recorder.publish({**WORDS, "generation": generation}, TENSORS, [], [])


def there(recorder):
    return generations_of(recorder.run.folder / "checkpoints")


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path):
    path = tmp_path / "0000003.safetensors"
    words, tensors = read_checkpoint(path, write_checkpoint(path, WORDS, TENSORS).file)
    assert words == WORDS
    assert {n: (t.dtype, t.shape, t.tobytes()) for n, t in tensors.items()} == {
        n: (t.dtype, t.shape, np.ascontiguousarray(t).tobytes()) for n, t in TENSORS.items()
    }


def test_the_same_checkpoint_gives_the_same_bytes(tmp_path):
    backwards = dict(reversed(TENSORS.items()))
    hashes = [write_checkpoint(tmp_path / "a", WORDS, TENSORS),
              write_checkpoint(tmp_path / "b", WORDS, backwards)]  # fmt: skip
    assert hashes[0] == hashes[1]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("place", [0, 9, 200, -1])
def test_a_checkpoint_with_a_bit_flipped_is_torn(tmp_path, place):
    path = tmp_path / "file"
    expected = write_checkpoint(path, WORDS, TENSORS).file
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunError, match=f"file: expected the checkpoint {expected}, .* it is torn"):
        read_checkpoint(path, expected)


def test_only_the_ring_is_pruned_and_nothing_newer_than_it(tmp_path):
    for generation in (1, 2, 3, 4, 12):
        checkpoint_file(tmp_path, generation).write_bytes(b"")
    (tmp_path / "mine.safetensors").write_bytes(b"")
    prune(tmp_path, [4, 2])
    assert generations_of(tmp_path) == [2, 4, 12]
    assert (tmp_path / "mine.safetensors").exists()


def test_a_run_keeps_its_last_two_checkpoints_and_goes_on_from_the_last(small, tmp_path):
    with create(tmp_path / "run", load(small)) as recorder:
        assert recorder.run.checkpoint() is None
        for generation in range(5):
            turn(recorder, generation)
    assert there(recorder) == [3, 4]
    words, tensors = recorder.run.checkpoint()
    assert words["generation"] == 4
    assert tensors["mean"].tobytes() == TENSORS["mean"].tobytes()


def test_a_torn_checkpoint_is_named_and_an_older_one_is_offered(recorder):
    for generation in range(3):
        turn(recorder, generation)
    path = recorder.run.checkpoint_file(2)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunError, match="0000002.safetensors: .* it is torn; --from-older goes"):
        recorder.run.checkpoint()
    path.unlink()
    with pytest.raises(RunError, match="0000002.safetensors: .* No such file .*; --from-older"):
        recorder.run.checkpoint()
    assert recorder.run.checkpoint(older=True)[0]["generation"] == 1
    recorder.run.checkpoint_file(1).unlink()
    assert recorder.run.checkpoint(older=True) is None


def test_one_checkpoint_newer_than_the_rows_is_left_and_two_are_a_torn_copy(recorder):
    for generation in range(3):
        turn(recorder, generation)
    newer = [recorder.run.checkpoint_file(generation) for generation in (3, 4)]
    newer[0].write_bytes(b"published, but not committed")
    assert recorder.run.checkpoint()[0]["generation"] == 2
    newer[1].write_bytes(b"another")
    with pytest.raises(RunError, match="at most one checkpoint newer .* of generations 3, 4: run"):
        recorder.run.checkpoint()
    assert all(path.exists() for path in newer)


def test_a_checkpoint_is_due_when_it_waited_or_was_there_before(recorder):
    assert recorder.due(7, every=0.0) and not recorder.due(7, every=3600.0)
    recorder.run.checkpoint_file(7).write_bytes(b"")
    assert recorder.due(7, every=3600.0)


def test_what_a_killed_process_left_half_written_is_swept_away(recorder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(recorder.run.folder, copy)
    parts = [copy / "checkpoints" / ".0000003.safetensors.1234.part", copy / ".room.1234.part"]
    for part in parts:
        part.write_bytes(b"half")
    with Recorder(open_run(copy)) as later:
        assert all(part.exists() for part in parts)  # as long as nothing is written
        later.begin()
        assert not any(part.exists() for part in parts)
