"""Documents are written whole, or refused in one line."""

import os
from pathlib import Path

import pytest

from evo_ntm.errors import ReportError
from evo_ntm.reports.documents import require_place, write_document


def test_text_is_written_as_utf_8_over_what_is_there(tmp_path):
    path = tmp_path / "told.csv"
    path.write_text("older")
    write_document(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    write_document(path, b"\x00")
    assert path.read_bytes() == b"\x00" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("check", [require_place, lambda path: write_document(path, "told")])
def test_where_no_file_can_be_a_line_says_why(tmp_path, check):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path, why in (
        (tmp_path / "gone" / "a", f"expected an existing folder, but {tmp_path}/gone is none"),
        (tmp_path / "file" / "a", f"expected an existing folder, but {tmp_path}/file is none"),
        (tmp_path / "folder", "expected the name of a file, but it is a folder"),
        (tmp_path / ("long" * 64), "cannot be written: File name too long"),
    ):
        with pytest.raises(ReportError) as told:
            check(path)
        assert str(told.value) == f"{path}: {why}"


def test_a_folder_that_allows_no_writing_is_told_before_there_is_anything_to_write(
    tmp_path, monkeypatch
):
    def refuse(**place):
        assert place == {"dir": tmp_path}
        raise PermissionError(13, "Permission denied")

    require_place(tmp_path / "told.csv")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("evo_ntm.reports.documents.TemporaryFile", refuse)
    with pytest.raises(ReportError, match=r"told.csv: cannot be written: Permission denied$"):
        require_place(tmp_path / "told.csv")


def test_what_the_disk_refuses_leaves_the_older_document(tmp_path, monkeypatch):
    path = tmp_path / "told.csv"
    path.write_text("older")

    def refuse(part, place):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(ReportError, match=r"told.csv: cannot be written: Permission denied$"):
        write_document(path, "newer")
    assert path.read_text() == "older" and list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place, kind in ((pipe, "a pipe"), (Path(os.devnull), "a device")):
        with pytest.raises(ReportError) as refusal:
            write_document(place, "words")
        assert str(refusal.value) == f"{place}: expected the name of a file, but it is {kind}"
    assert pipe.is_fifo()
    assert Path(os.devnull).is_char_device()
