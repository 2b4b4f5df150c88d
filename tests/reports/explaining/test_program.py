"""Programs against machines whose program is known, because their weights were set by hand."""

from dataclasses import replace

import pytest

from evo_ntm.reports.explaining.behaviour import behaviours
from evo_ntm.reports.explaining.evidence import evidence
from evo_ntm.reports.explaining.moves import Move
from evo_ntm.reports.explaining.phrases import deeds
from evo_ntm.reports.explaining.phrases import told as as_told
from evo_ntm.reports.explaining.program import Cast, program
from evo_ntm.reports.explanation import Ablation
from evo_ntm.tasks import make
from evo_ntm.topology import Stages
from tests.genome.machines import SOFT
from tests.reports.explaining.handmade import BITS, RECALL, copier, recaller
from tests.reports.explaining.watching import told, watched

COPY = make("copy", {"bits": BITS, "shortest": 2, "longest": 6})
MIRROR = make("mirror_copy", {"bits": BITS, "shortest": 2, "longest": 6})
ALL = Stages()

FOLLOWS = """\
initialise: memory blank, writer 71 and reader 73 at row 0
while the end flag is not seen do
  receive input vector
  writer 71: increment location by 1, write the input vector to it
  reader 73: increment location by 1, read it (row after row as they were written, from the first)
end while
receive end flag
  reader 73: jump to the first row that was written, and on by -1
while answers are due do
  reader 73: increment location by 1, read the output vector from it (row after row as they were \
written, from the first)
  emit output
end while"""

RECALLS = """\
initialise: memory blank, writer 71 and reader 73 at row 0
for each item do
  receive item flag
  while vectors come in do
    receive input vector
    writer 71: stay, write the input vector to it
    reader 73: stay at row 0
  end while
end for
receive query flag
  reader 73: increment location by 1, read it (the row written first)
while the query flag is not seen do
  receive input vector
  writer 71: stay, write next to nothing
  reader 73: jump to the row written when the vector now shown came in, but when the vector that \
comes in is blank stay, read it
end while
receive query flag
  reader 73: increment location by 1, read it
while answers are due do
  reader 73: stay, read the output vector from it
  emit output
end while"""


def test_the_program_of_a_copier_that_goes_back_by_content():
    assert told(copier(["follows"]), COPY) == FOLLOWS


def test_it_is_the_same_program_backwards_round_the_ring():
    backwards = FOLLOWS.replace("increment", "decrement").replace("on by -1", "on by +1")
    assert told(copier(["follows"], writes=-1), COPY) == backwards


def test_stages_that_do_not_decide_change_nothing_of_the_program():
    assert told(copier(["follows"], stages=ALL), COPY) == FOLLOWS


def test_the_program_of_a_machine_that_recalls():
    assert told(recaller(), make("associative_recall", RECALL)) == RECALLS


def test_two_readers_of_opposite_directions_are_told_apart():
    lines = told(copier(["follows", "returns"], task="mirror_copy"), MIRROR).splitlines()
    assert lines[-4:-2] == [
        "  reader 73: increment location by 1, read the output vector for bits forwards from it "
        "(row after row as they were written, from the first)",
        "  reader 74: decrement location by 1, read what tells part of the output vector for bits "
        "backwards (row after row, against the order of writing)",
    ]


def test_a_rule_is_found_for_what_a_head_does_otherwise():
    rule = "  reader 73: stay, but when the vector that comes in is blank increment location by 1"
    assert any(line.startswith(rule) for line in told(copier(["waits"]), COPY).splitlines())


@pytest.mark.parametrize("erases", [False, True])
def test_what_a_writer_does_is_measured(erases):
    seen = watched(copier(["follows"], erases=erases), COPY)
    done = {(b.head.name, b.phase.kind): b for b in behaviours(seen)}
    writer = done["writer 71", "input"].writing
    assert writer.held.right == 1.0 and writer.delay == 0 and writer.used == 1.0
    assert writer.erase == pytest.approx(1.0 if erases else 0.0, abs=1e-6)
    assert done["writer 71", "answer"].writing.used == 0.0
    reader = done["reader 73", "answer"].reading
    assert reader.asked == reader.onwards == reader.written == reader.answer.right == 1.0
    assert done["reader 73", "flag"].moves.usual == Move(
        "jump", -1, "the first row that was written"
    )
    assert done["reader 73", "flag"].by_content == 1.0


def test_heads_that_do_not_matter_are_left_out_and_counted():
    seen = watched(copier(["follows", "stays"]), COPY)
    cast = Cast(seen, behaviours(seen), {"writer 71", "reader 73"}, True)
    assert "\n".join(program(cast)) == FOLLOWS
    last = evidence(cast, (Ablation("reader 74", 1.0, 0.0, 0.0, 0.125, 0.1, 0.2, False),))[-1]
    assert last == "Nothing is told of reader 74, without which a sequence costs +0.12 bits more."


def test_answers_that_owe_nothing_to_the_reads_are_the_controller_s():
    seen = watched(copier(["stays"]), COPY)
    lines = program(replace(Cast(seen, behaviours(seen), set(), True), from_reads=False))
    assert lines == (
        "initialise: no memory is used", "while the end flag is not seen do",
        "  receive input vector", "end while", "receive end flag", "while answers are due do",
        "  emit output, from the controller alone", "end while",
    )  # fmt: skip


@pytest.mark.parametrize("name", SOFT)
def test_a_machine_that_has_learned_nothing_has_a_program_all_the_same(name):
    task = make("copy", {"bits": BITS, "longest": 3})
    lines = told(SOFT[name], task, rows=9, lanes=32).splitlines()
    assert lines[0].startswith("initialise: ") and lines[-1] == "end while"
    assert "{" not in "".join(lines)


def test_a_head_that_goes_where_a_value_says_is_told_by_it():
    done = behaviours(watched(copier(["follows"]), COPY))[0]
    swayed = replace(done, decided=("priority", 0.9))
    assert told_as(swayed) == "moves to where the priority says, writes the input vector to it"
    unswayed = replace(done, decided=("priority", 0.3))
    assert told_as(unswayed) == "increments location by 1, writes the input vector to it"


def told_as(behaviour):
    return as_told(deeds(behaviour, "vector", several=False))
