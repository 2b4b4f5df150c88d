from dataclasses import replace
from math import inf, nan

from evo_ntm.experiment.tasks import OF_LIVES
from evo_ntm.reports import sheets
from evo_ntm.reports.chapters import Sitting
from evo_ntm.reports.sheets import Column, Sheet
from tests.reports.made_up import bred, searched


def test_numbers_of_a_column_have_the_same_decimals_and_words_stay_words():
    columns = Column("a"), Column("b", "gain"), Column("c", "share"), Column("d", "words")
    rows = (1.5, 2.25, 0.5, "x"), (100.25, -3.0, None, None), (nan, inf, 1.0, "<b>")
    told = [
        [cell.replace("\u202f", " ") for cell in row] for row in Sheet("t", columns, rows).told()
    ]
    assert told == [
        ["1.5", "+2.25", "50.0 %", "x"],
        ["100.2", "−3.00", "—", "—"],
        ["—", "—", "100.0 %", "<b>"],
    ]


def test_a_tape_without_end_has_no_number_of_rows():
    sheet = Sheet("t", (sheets.ROWS,), ((0,), (16,), (None,)))
    assert sheet.told() == [["unbounded"], ["16"], ["—"]]


def test_births_are_no_numbers_to_be_written_with_commas():
    sheet = Sheet("t", (Column("birth", "birth"), Column("n")), ((12345, 12345),))
    assert sheet.told() == [["12345", "12,345"]]
    assert sheet.births() == [12345]
    assert Sheet("t", (Column("n"),), ((1,),)).births() == [None]


def test_every_chapter_has_a_table_with_a_row_for_all_it_tells():
    one, other = searched(), bred()
    rows = {
        "history": (sheets.history(one.history), len(one.history.generations)),
        "looks": (sheets.looks(one.history), len(one.history.looks)),
        "sittings": (sheets.sittings(one.history), 4),
        "events": (sheets.events(one.history), 2),
        "operators": (sheets.operators(one.operators), len(one.operators)),
        "population": (sheets.population(other.population), len(other.population.generations)),
        "ancestors": (sheets.ancestors(other.population), 40),
        "fecund": (sheets.fecund(other.population), 5),
        "challenges": (sheets.challenges(one.search), 4),
        "displacement": (sheets.displacement(one.search), len(one.search.displacement.wires)),
        "sizes": (sheets.sizes(one.species), len(one.species.generations)),
        "lives": (sheets.lives(one.species), len(one.species.lives)),
        "ancestry": (sheets.ancestry(other.ancestry), len(other.ancestry.nodes)),
        "generalisation": (sheets.generalisation(one.generalisation), 10),
        "tuned": (sheets.tuned(one.tuned), 2),
        "ablations": (sheets.ablations(one.explanation.ablations), 3),
        "failings": (sheets.failings(one.explanation.failings), 1),
        "asked": (sheets.asked(one.explanation.asked), 0),
    }
    for name, (sheet, count) in rows.items():
        told = sheet.told()
        assert len(told) == count, name
        assert all(len(row) == len(sheet.columns) for row in told), name


def test_parents_in_the_ancestry_are_told_with_what_lies_between():
    told = bred().ancestry
    edge = next(edge for edge in told.edges if edge.skipped)
    sheet = sheets.ancestry(told)
    (row,) = [row for row in sheet.told() if row[0] == str(edge.child)]
    assert f"{edge.parent} ({edge.skipped} between)" in row[3]


def test_sittings_of_lives_tell_what_they_missed():
    row = {"name": "lives", "rows": 4, "sequences": 60, "wrong_bits": nan, "bits": nan,
           "measures": {"missed": 0.5, "shortfall": 0.025}, "passed": False}  # fmt: skip
    sat = (Sitting(3, 7, solved=False, rows=(row,)),)
    sheet = sheets.sittings(replace(searched().history, sittings=sat, words=OF_LIVES))
    titles = [column.title for column in sheet.columns]
    assert titles[4:7] == ["lives", "missed a life", "shortfall a life"]
    assert sheet.rows[0][4:7] == (60, 0.5, 0.025)
