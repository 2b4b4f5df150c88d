import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_ntm.errors import ReportError
from evo_ntm.experiment import dump
from evo_ntm.genome import Genome
from evo_ntm.genome.files import write_genome
from evo_ntm.genome.variation import add_reader, drop_writer
from evo_ntm.reports.ink import NOT_ASKED
from evo_ntm.reports.memory_use import compose, draw, rows_in_use
from evo_ntm.reports.observation import Observation, observe, task_to_show
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def words(path):
    """List the texts of an SVG, in order."""
    return [text.text for text in ElementTree.parse(path).iter(f"{SVG}text")]


def size_of(path):
    """Check every part of a PNG file against its checksum, and tell its size."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, kinds = 8, []
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        part = data[place + 4 : place + 8 + length]
        (check,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(part)
        kinds.append(part[:4])
        place += 12 + length
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND"
    return struct.unpack(">II", data[16:24])


def used(weightings, rows, steps=2):
    """Observe a writer that puts weights on some rows, and nothing else."""
    write = np.zeros((steps, 1, rows))
    for row, weight in weightings.items():
        write[row % steps, 0, row] = weight
    nothing = np.zeros((steps, 0, rows))
    empty = np.zeros((steps, 1))
    return Observation(empty, empty, empty[:, 0] > 0, empty, empty > 0, empty[:, None], write,
                       empty[:, :0, None], nothing, {})  # fmt: skip


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def panel(figure, title):
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


def image(figure, title):
    return np.asarray(panel(figure, title).images[0].get_array())


def composed(genome, experiment, length=None, rows=24):
    task = task_to_show(experiment, length)
    seen = observe(genome, task, rows=rows, epsilon=experiment.machine.epsilon)
    return compose(genome, task, seen), seen


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_drawn(founder, tmp_path, task):
    draw(*founder(task), to=tmp_path / "use.png")
    width, height = size_of(tmp_path / "use.png")
    assert width > 1200 and height > 600


def test_the_panels_of_the_papers_figure_are_all_there(founder, tmp_path):
    draw(*founder(), to=tmp_path / "use.svg")
    told = words(tmp_path / "use.svg")
    expected = ["inputs", "targets", "answers", "writer 3: add vectors", "reader 4: read vectors",
                "writer 3: write weightings", "reader 4: read weightings"]  # fmt: skip
    assert set(expected) <= set(told)


def test_every_head_has_its_panels_named_by_birth(founder, tmp_path):
    genome, experiment = founder(readers=2, writers=2)
    elder, younger = genome.topology.writers
    genome = drop_writer(genome, generator=derive(1, "drop"), birth=elder.birth)
    genome = add_reader(genome, generator=derive(2, "add"))
    draw(genome, experiment, to=tmp_path / "use.svg")
    named = [told for told in words(tmp_path / "use.svg") if re.match("(reader|writer) ", told)]
    newborn = genome.topology.readers[-1].birth
    assert newborn > 6
    assert sorted(named) == sorted(
        [f"writer {younger.birth}: add vectors", f"writer {younger.birth}: write weightings"]
        + [f"reader {birth}: read {what}" for birth in (5, 6, newborn)
           for what in ("vectors", "weightings")]
    )  # fmt: skip


@pytest.mark.parametrize("heads", [{"readers": 0}, {"writers": 0}, {"readers": 0, "writers": 0}])
def test_a_machine_without_heads_is_drawn_without_their_panels(founder, heads):
    figure, _ = composed(*founder(**heads))
    expected = {"inputs", "targets", "answers"}
    if "readers" not in heads:
        expected |= {"reader 3: read vectors", "reader 3: read weightings"}
    if "writers" not in heads:
        expected |= {"writer 3: add vectors", "writer 3: write weightings"}
    assert set(filter(None, titles(figure))) == expected


def test_an_lstm_is_drawn(founder, tmp_path):
    machine = {"controller": "lstm", "heads": {"source": "cell"}}
    draw(*founder(**machine), to=tmp_path / "use.svg")
    assert any(
        told.startswith("lstm 8, 1 reader, 1 writer") for told in words(tmp_path / "use.svg")
    )


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_machine_is_drawn_with_the_same_bytes(founder, tmp_path, kind):
    for name in ("one", "two"):
        draw(*founder(), to=tmp_path / f"{name}.{kind}", length=5)
    one, two = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("one", "two"))
    assert one == two


def test_another_seed_is_drawn_with_other_bytes(founder, tmp_path):
    for seed in (0, 1):
        draw(*founder(), to=tmp_path / f"{seed}.png", length=5, seed=seed)
    assert (tmp_path / "0.png").read_bytes() != (tmp_path / "1.png").read_bytes()


def test_the_title_tells_task_topology_genome_rows_and_wrong_bits(founder):
    genome, experiment = founder("repeat_copy", told={"longest": 3, "most": 2})
    figure, seen = composed(genome, experiment, rows=19)
    wrong, cost = int(seen.wrong.sum()), seen.measures["bits"]
    title, subtitle = (text.get_text() for text in figure.texts)
    assert title == f"repeat_copy, length 3, repeats 2: {wrong} of {7 * 9} bits wrong"
    assert subtitle == (
        f"dense 8, 1 reader, 1 writer, width 6 · genome {genome.id[:12]} · 19 memory rows · "
        f"cross-entropy {cost:.3g} bits"
    )


def test_the_title_tells_a_tasks_own_measures(founder):
    figure, seen = composed(*founder("ngrams"))
    assert figure.texts[1].get_text().endswith(f" · regret {seen.measures['regret']:.3g}")


def test_a_picture_has_an_ink_for_every_row_and_step(founder):
    figure, seen = composed(*founder(readers=2), length=3)
    count = len(rows_in_use(seen))
    assert image(figure, "inputs").shape == (9, 7, 3)
    assert image(figure, "targets").shape == image(figure, "answers").shape == (8, 7, 3)
    assert image(figure, "writer 3: add vectors").shape == (6, 7, 3)
    assert image(figure, "reader 5: read weightings").shape == (count, 7, 3)


def test_inputs_are_black_where_they_are_one(founder):
    figure, seen = composed(*founder(), length=4)
    assert ((image(figure, "inputs")[..., 0] < 0.5) == (seen.inputs.T == 1)).all()


def test_wrong_answers_alone_are_coloured(founder):
    figure, seen = composed(*founder(), length=6)
    shown = image(figure, "answers")
    coloured = np.ptp(shown, axis=-1) > 0.1
    assert seen.wrong.any() and not seen.wrong[seen.scored].all()
    assert (coloured == seen.wrong.T).all()


def test_what_is_not_asked_is_neither_black_nor_white(founder):
    figure, seen = composed(*founder(), length=6)
    for title in ("targets", "answers"):
        assert (image(figure, title)[:, ~seen.scored] == NOT_ASKED).all()
        assert (image(figure, title)[:, seen.scored] != NOT_ASKED).all()


def test_weightings_are_dark_where_the_head_was(founder):
    figure, seen = composed(*founder(), length=6)
    shown = image(figure, "writer 3: write weightings").sum(-1)
    weights = seen.write_weightings[:, 0, rows_in_use(seen)].T
    order = np.argsort(weights, axis=None)
    assert (np.diff(shown.ravel()[order]) <= 1e-9).all()
    assert shown.max() - shown.min() > 0.5


def test_channels_are_named_and_signed_ones_tell_their_range(founder):
    figure, _ = composed(*founder("priority_sort"))
    told = [label.get_text() for label in panel(figure, "inputs").get_yticklabels()]
    assert told == ["bits", "priority ±1", "end flag"]


def test_a_long_name_of_a_channel_is_cut(founder):
    genome, experiment = founder()
    task = task_to_show(experiment, 3)
    seen = observe(genome, task, rows=24, epsilon=0.01)

    class Renamed:
        name, extent, outputs = task.name, task.extent, task.outputs
        inputs = (replace(task.inputs[0], name="bits of some length"), task.inputs[1])

    figure = compose(genome, Renamed(), seen)
    told = [label.get_text() for label in panel(figure, "inputs").get_yticklabels()]
    assert told == ["bits of some len…", "end flag"]


def test_a_line_stands_where_answers_begin_to_be_due(founder):
    figure, _ = composed(*founder(), length=4)
    last = panel(figure, "reader 4: read weightings").lines[-1]
    assert list(last.get_xdata()) == [4.5, 4.5]


def test_rows_in_use_are_those_with_more_than_a_hundredth():
    assert list(rows_in_use(used({3: 0.011, 4: 1.0, 6: 0.01, 9: 0.0}, 12))) == [3, 4]


def test_a_reader_keeps_its_rows_in_the_picture_too():
    seen = used({1: 0.5}, 8)
    reading = np.zeros((2, 2, 8))
    reading[1, 1, 5] = 0.2
    assert list(rows_in_use(seen._replace(read_weightings=reading))) == [1, 5]


def test_rows_go_around_the_ring_behind_the_widest_gap():
    assert list(rows_in_use(used({126: 1.0, 127: 1.0, 0: 1.0, 2: 1.0}, 128))) == [126, 127, 0, 2]


def test_all_rows_are_shown_where_none_has_more_than_a_hundredth(founder):
    assert list(rows_in_use(used({2: 0.005}, 6))) == [0, 1, 2, 3, 4, 5]
    genome, experiment = founder()
    flat = Genome(genome.topology, np.zeros_like(genome.genes))
    task = task_to_show(experiment, 20)
    seen = observe(flat, task, rows=300, epsilon=0.01)
    spread = seen._replace(
        write_weightings=np.full((41, 1, 300), 1 / 300),
        read_weightings=np.full((41, 1, 300), 1 / 300),
    )
    label = panel(compose(flat, task, spread), "writer 3: write weightings").get_ylabel()
    assert label == "memory row\n(all 300: no weight > 0.01)"


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_every_row_in_use_is_listed_once_in_the_order_of_the_ring(drawn):
    count, chosen = drawn
    rows = rows_in_use(used(dict.fromkeys(chosen, 0.5), count))
    assert sorted(rows) == sorted(chosen or range(count))
    steps = np.diff(rows) % count
    assert steps.sum() < count
    if chosen:  # no stretch within the list is wider than the one that is left out around it
        assert steps.max(initial=1) <= count - steps.sum()


def test_too_many_rows_are_refused():
    with pytest.raises(ReportError) as told:
        rows_in_use(used(dict.fromkeys(range(2501), 1.0), 3000))
    assert str(told.value) == "expected at most 2500 memory rows in use to show, but 2501 are"


def test_the_axis_says_which_rows_are_shown_and_numbers_them(founder):
    genome, experiment = founder()
    task = task_to_show(experiment, 2)
    seen = observe(genome, task, rows=128, epsilon=0.01)
    write, read = np.zeros((2, 5, 1, 128))
    write[:, 0, [126, 127, 0, 1]] = 0.25
    read[:, 0, 7] = 1.0
    seen = seen._replace(write_weightings=write, read_weightings=read)
    axes = panel(compose(genome, task, seen), "writer 3: write weightings")
    assert axes.get_ylabel() == "memory row\n(5 of 128: weight > 0.01)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["126", "127", "0", "1", "7"]
    assert list(axes.get_yticks()) == [0, 1, 2, 3, 4]
    parting = [line.get_ydata()[0] for line in axes.lines if np.ptp(line.get_ydata()) == 0]
    assert parting == [3.5]  # between rows 1 and 7, not between 127 and 0


def test_round_numbers_stand_beside_many_rows(founder):
    genome, experiment = founder()
    task = task_to_show(experiment, 2)
    seen = observe(genome, task, rows=200, epsilon=0.01)
    spread = np.full((5, 1, 200), 0.02)
    seen = seen._replace(write_weightings=spread, read_weightings=spread)
    axes = panel(compose(genome, task, seen), "reader 4: read weightings")
    told = [label.get_text() for label in axes.get_yticklabels()]
    assert told == ["0", "50", "100", "150"]


def test_a_machine_gone_mad_is_drawn_all_the_same(founder, tmp_path):
    genome, experiment = founder()
    draw(genome.with_genes(np.full_like(genome.genes, 3e38)), experiment, to=tmp_path / "use.png")
    assert size_of(tmp_path / "use.png")


def test_a_refused_name_is_refused_before_anything_is_run(founder, tmp_path):
    genome, experiment = founder()
    with pytest.raises(ReportError, match=r"ends in '\.gif'$"):
        draw(genome, experiment, to=tmp_path / "use.gif", length=0)


PROGRAM = """
import sys
from pathlib import Path
from evo_ntm.experiment import load
from evo_ntm.genome.files import read_genome
from evo_ntm.reports.memory_use import draw
folder = Path(sys.argv[1])
for kind in ("png", "svg"):
    draw(read_genome(folder / "genome"), load(folder / "copy.yaml"), to=folder / f"use.{kind}")
print([name for name in sys.modules if "pyplot" in name or "tkinter" in name])
"""


def test_drawing_needs_no_window_system(founder, tmp_path):
    genome, experiment = founder()
    write_genome(tmp_path / "genome", genome)
    (tmp_path / "copy.yaml").write_text(dump(experiment))
    environment = {**os.environ, "MPLBACKEND": "tkagg", "DISPLAY": ""}
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path)]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")
    draw(genome, experiment, to=tmp_path / "here.svg")
    assert (tmp_path / "here.svg").read_bytes() == (tmp_path / "use.svg").read_bytes()
