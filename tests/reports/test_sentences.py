from dataclasses import replace

from evo_ntm.reports.sentences import ABSENT, abstract, subject
from tests.reports.made_up import bred, searched


def test_the_abstract_tells_of_run_line_exam_and_machine():
    told = abstract(searched())
    assert told[0].startswith("In 233 generations, an evolution strategy with the direct encoding")
    assert told[1].startswith("Its champion is birth 1132, a machine of dense 12, 1 reader")
    assert told[2] == (
        "Its line from the founder counts 59 steps, 40 beneficial, 12 neutral, 2 deleterious."
    )
    assert told[3].endswith("bits a sequence, on the same 64 episodes.")
    assert told[4] == "The exam was passed, at the second sitting."
    assert told[5] == "The machine writes each vector to the next row of its memory."


def test_what_is_not_known_is_not_told():
    lineage = bred()
    header = replace(lineage.header, sittings=0, passed_at=None, is_champion=False)
    steps = tuple(replace(step, measured=None) for step in lineage.trunk.steps)
    told = abstract(
        replace(lineage, header=header, explanation=None, trunk=replace(lineage.trunk, steps=steps))
    )
    assert told[1].endswith("which is not the champion.")
    assert told[-1] == "The exam has not been sat yet."
    assert not any("bits a sequence" in sentence for sentence in told)
    assert subject(replace(lineage, header=header)) == "birth 1132"


def test_an_exam_that_was_sat_in_vain_is_told():
    lineage = bred()
    header = replace(lineage.header, passed_at=None, sittings=2)
    assert "The exam was sat twice and not passed." in abstract(replace(lineage, header=header))


def test_the_sitting_that_was_passed_is_told_and_not_a_later_one():
    lineage = bred()
    for place, told in ((6, "6th"), (11, "11th"), (21, "21st"), (22, "22nd"), (113, "113th")):
        header = replace(lineage.header, passed_at=place, sittings=130)
        sentence = f"The exam was passed, at the {told} sitting."
        assert sentence in abstract(replace(lineage, header=header))


def test_why_a_chapter_is_not_there_is_one_sentence():
    for reason in ABSENT.values():
        assert reason.endswith(".") and reason.count(". ") == 0
