from base64 import b64decode
from io import BytesIO

import numpy as np
from matplotlib.image import imread

from evo_ntm.reports.drawings.memory import memories, picture, scales, shown_rows, vector_limit
from evo_ntm.reports.drawings.svg import markup
from tests.reports.made_up import bred

PORTRAITS = bred().portraits


def pixels(address):
    kind, data = address.split(",", 1)
    assert kind == "data:image/png;base64"
    return np.rint(imread(BytesIO(b64decode(data)), format="png")[..., :3] * 255).astype(int)


def test_a_picture_holds_its_ink_and_nothing_of_the_clock():
    ink = np.linspace(0, 1, 3 * 4 * 3).reshape(3, 4, 3)
    assert (pixels(picture(ink)) == np.rint(ink * 255)).all()
    assert picture(ink) == picture(ink)
    assert b"Matplotlib" not in b64decode(picture(ink).split(",")[1])


def test_all_drawings_have_the_same_panels_at_the_same_heights():
    drawn = memories(PORTRAITS)
    titles = [[(text.text, text.get("y")) for text in each.iter("text")
               if text.get("class") == "name"] for each in drawn]  # fmt: skip
    assert len(drawn) == 3 and titles[0] == titles[1] == titles[2]
    names = [name for name, _ in titles[0]]
    assert names[:3] == ["inputs", "targets", "answers"]
    assert names[3:5] == ["writer 3: write weightings", "writer 3: add vectors"]


def test_a_head_that_a_machine_lacks_is_told_as_missing():
    missing = [markup(each).count("no such head here") for each in memories(PORTRAITS)]
    assert missing == [2, 0, 2]


def test_all_machines_show_the_same_rows_and_the_same_scale():
    rows = shown_rows(PORTRAITS)
    for portrait in PORTRAITS:
        used = portrait.seen.read_weightings > 0.01
        assert set(np.flatnonzero(used.any(axis=(0, 1)))) <= set(rows.tolist())
        assert np.abs(portrait.seen.reads).max() <= vector_limit(PORTRAITS)
    heights = [
        [image.get("height") for image in each.iter("image")] for each in memories(PORTRAITS)
    ]
    assert heights[0] == heights[2]


def test_answers_are_due_where_the_task_asks_for_them():
    (first, *_) = memories(PORTRAITS)
    due = {line.get("x1") for line in first.iter("line") if line.get("class") == "due"}
    step = int(np.flatnonzero(PORTRAITS[0].seen.scored)[0])
    assert len(due) == 1
    assert float(due.pop()) == round(62 + 264 * step / len(PORTRAITS[0].seen.inputs), 2)


def test_each_ink_has_a_key():
    told = scales(2.5)
    assert [name for name, *_ in told][2:] == ["weight on a memory row", "number in a vector"]
    assert told[3][1:3] == ("−2.5", "2.5")


def test_nothing_is_drawn_of_nobody():
    assert memories(()) == []
