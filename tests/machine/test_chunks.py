from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.machine.chunks import chunk_size
from evo_ntm.topology.wires import size
from tests.machine.cases import READER, WRITER, build, topologies

COUNTS = {"lanes": some.integers(1, 2000), "rows": some.integers(1, 1000)}


@given(topology=topologies(), steps=some.integers(1, 1000), **COUNTS)
def test_a_chunk_holds_a_machine_and_never_more_for_more_work(topology, lanes, rows, steps):
    one = chunk_size(topology, lanes=lanes, rows=rows, steps=steps)
    assert one >= 1
    assert chunk_size(topology, lanes=2 * lanes, rows=rows, steps=steps) <= one
    assert chunk_size(topology, lanes=lanes, rows=2 * rows, steps=steps) <= one
    assert chunk_size(topology, lanes=lanes, rows=rows, steps=2 * steps) <= one


def test_a_chunk_of_large_machines_fits_in_little_memory():
    topology = build("dense", (100,), READER, WRITER, inputs=9, outputs=8, width=20)
    machines = chunk_size(topology, lanes=16, rows=128, steps=41)
    kept = 16 * 128 * topology.width + 16 * 41 * 8 + 2 * size(topology)
    assert 4 * machines * kept < 16 * 2**20


def test_a_chunk_of_small_machines_is_large_enough_to_outweigh_python():
    topology = build("dense", (16,), READER, WRITER, inputs=9, outputs=8, width=10)
    assert chunk_size(topology, lanes=16, rows=20, steps=21) >= 64
