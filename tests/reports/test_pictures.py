import resource
import signal

import matplotlib
import pytest
from matplotlib.figure import Figure

from evo_ntm.errors import ReportError
from evo_ntm.reports.pictures import picture_format, write_picture


def figure():
    made = Figure(figsize=(1, 1))
    made.text(0.1, 0.5, "cost < $3 & $4")
    return made


@pytest.mark.parametrize(("name", "kind"), [("a.png", "png"), ("a.b.SVG", "svg")])
def test_the_end_of_a_name_tells_the_format(tmp_path, name, kind):
    assert picture_format(tmp_path / name) == kind


@pytest.mark.parametrize(("name", "end"), [("use.pdf", "'.pdf'"), ("use", "''"), (".png", "''")])
def test_another_end_is_refused(tmp_path, name, end):
    path = tmp_path / name
    with pytest.raises(ReportError) as told:
        write_picture(path, figure)
    expected = f"{path}: expected a name that ends in .png or .svg, but it ends in {end}"
    assert str(told.value) == expected


def test_an_absent_folder_is_refused(tmp_path):
    path = tmp_path / "gone" / "use.png"
    with pytest.raises(ReportError) as told:
        write_picture(path, figure)
    assert str(told.value) == f"{path}: expected an existing folder, but {tmp_path}/gone is none"


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    path = tmp_path / "use.png"
    path.mkdir()
    with pytest.raises(ReportError) as told:
        write_picture(path, figure)
    assert str(told.value) == f"{path}: expected the name of a file, but it is a folder"


@pytest.mark.parametrize("check", [picture_format, lambda path: write_picture(path, figure)])
def test_what_the_disk_does_not_allow_is_told_in_its_words(tmp_path, check):
    path = tmp_path / f"{'long' * 64}.png"
    with pytest.raises(ReportError) as told:
        check(path)
    assert str(told.value) == f"{path}: cannot be written: File name too long"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_older_picture(tmp_path):
    path = tmp_path / "use.png"
    path.write_text("older")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(ReportError, match="use.png: cannot be written: File too large$"):
            write_picture(path, figure)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_the_disk_allows_is_written(tmp_path):
    path = tmp_path / f"{'x' * 251}.png"
    write_picture(path, figure)
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_picture_is_written_over(tmp_path):
    path = tmp_path / "use.svg"
    path.write_text("older")
    write_picture(path, figure)
    assert path.read_bytes().startswith(b"<?xml")
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_that_cannot_be_composed_leaves_the_older_one(tmp_path):
    path = tmp_path / "use.png"
    path.write_text("older")
    with pytest.raises(ZeroDivisionError):
        write_picture(path, lambda: Figure(figsize=(1 / 0, 1)))
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_words_stay_words_and_dollars_are_no_formulas(tmp_path):
    write_picture(tmp_path / "use.svg", figure)
    assert ">cost &lt; $3 &amp; $4</text>" in (tmp_path / "use.svg").read_text("utf-8")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_users_style_changes_nothing_and_is_left_alone(tmp_path, kind):
    plain, styled = tmp_path / f"plain.{kind}", tmp_path / f"styled.{kind}"
    write_picture(plain, figure)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "text.color": "red"}):
        write_picture(styled, figure)
        assert matplotlib.rcParams["font.size"] == 30
    assert plain.read_bytes() == styled.read_bytes()
