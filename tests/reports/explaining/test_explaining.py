from dataclasses import replace

import pytest
import torch

from evo_ntm.errors import GenomeError, ReportError
from evo_ntm.evolution.breeding import found
from evo_ntm.machine import choose
from evo_ntm.reports.explaining import explain
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, Episodes
from evo_ntm.topology import Block
from evo_ntm.verbs import evolve, founder, read
from tests.reports.explaining.handmade import BITS, RECALL, copier, experiment, recaller, task_of

SMALL = {
    "copy": {"bits": 3, "longest": 3},
    "mirror_copy": {"bits": 3, "longest": 3},
    "repeat_copy": {"bits": 3, "longest": 2, "most": 2},
    "associative_recall": {"bits": 3, "vectors": 1, "most": 3},
    "ngrams": {"steps": 12, "context": 2},
    "priority_sort": {"bits": 3, "items": 4, "answers": 3},
    "entm_copy": {"bits": 3, "longest": 3},
}


def test_a_stalled_copier_turns_out_to_fail_on_blank_vectors():
    told = explain(copier(["waits"]), experiment())
    first = told.failings[0]
    assert first.told == "contains an all-zero vector"
    assert first.share_wrong > 0.9 and first.share_otherwise < 0.005
    assert sum(part.wrong_sequences for part in told.asked) == told.wrong_sequences > 300
    assert any(line.startswith("It fails where a sequence contains an all-zero vector: 9")
               for line in told.summary)  # fmt: skip
    # … because its reader takes them for the blanks of the answer
    assert told.summary[-1].startswith(
        "On 48 sequences that it answers wrongly, reader 73 increments location by 1 in "
    )
    assert "  reader 73: stay at row 0" in told.program
    assert "watched on 96 sequences that it answers right" in told.evidence[0]


def test_a_copier_that_solves_its_task_has_a_program_and_no_failings():
    told = explain(copier(["follows"]), experiment())
    assert told.wrong_sequences == 0 and told.failings == ()
    assert told.summary[0] == f"It answers all of {told.sequences:,} sequences without a wrong bit."
    assert "  reader 73: jump to the first row that was written, and on by -1" in told.program
    assert [part.part for part in told.ablations if part.matters] == [
        "shift", "content", "reader 73 shift", "writer 71 shift", "reader 73", "writer 71",
    ]  # fmt: skip
    assert told.summary[-1] == "It does not need sharpening."


def test_recall_fails_on_lists_with_two_equal_items():
    told = explain(recaller(), experiment("associative_recall", told=RECALL))
    assert told.failings[0].told == "contains two equal items"
    assert any(
        "jumps to the row written when the vector now shown" in line for line in told.summary
    )


MACHINES = {
    "copy": {"readers": 0, "writers": 0},
    "mirror_copy": {"readers": 2},
    "repeat_copy": {"controller": "lstm"},
    "ngrams": {"controller": "lstm", "writers": 0},
    "priority_sort": {"readers": 0},
}


@pytest.mark.parametrize("task", TASKS)
def test_a_founder_of_any_task_has_learned_nothing(task):
    asked = experiment(task, told=SMALL[task])
    machine = asked.machine.model_copy(update=MACHINES.get(task, {}))
    asked = asked.model_copy(update={"machine": machine})
    genome = found(asked, task_of(asked), derive(1, "founder"))
    told = explain(genome, asked)
    assert told.summary[0].startswith("It has learned nothing that helps: its answers cost ")
    assert told.program == ("no stable pattern helps yet: there is no program to tell",)
    assert told.failings == () and len(told.evidence) >= 1


def test_the_same_arguments_give_the_same_explanation():
    genome, asked = copier(["waits"]), experiment()
    told = explain(genome, asked, threads=2)
    assert told == explain(genome, asked, threads=1)
    assert told != explain(genome, asked, seed=1)


def test_every_backend_explains_alike():
    genome, asked = copier(["waits"]), experiment()
    slow = explain(genome, asked, backend=choose("cpu", "torch"))
    fast = explain(genome, asked)
    assert slow.program == fast.program and slow.failings == fast.failings


def test_what_is_being_measured_is_told():
    heard = []
    explain(copier(["stays"]), experiment(), progress=heard.append)
    assert heard == ["where it fails", "what its parts are worth", "what its heads do"]


def test_a_tied_genome_is_explained_at_as_many_bits_as_the_task_has():
    asked = experiment(told={"bits": 3, "longest": 3})
    tied = asked.model_copy(
        update={"machine": asked.machine.model_copy(update={"encoding": "tied"})}
    )
    genome = found(tied, task_of(tied), derive(1, "founder"))
    wider = experiment(told={"bits": 5, "longest": 3})
    assert explain(genome, wider).sequences == 2048 + 64


def test_a_genome_for_other_channels_is_refused():
    with pytest.raises(GenomeError) as told:
        explain(copier(["waits"]), experiment("priority_sort", told=SMALL["priority_sort"]))
    assert str(told.value).startswith(
        "expected a machine of 5 inputs and 3 outputs, as priority_sort asks, but genome "
    )


def test_sequences_that_are_too_long_are_refused():
    with pytest.raises(ReportError, match="at most 2500 steps to explain, but they have"):
        explain(
            copier(["waits"]), experiment(told={"bits": BITS, "shortest": 2000, "longest": 2000})
        )


def test_the_curriculum_s_last_stage_is_asked_too():
    asked = experiment()
    stages = type(asked).model_validate({
        **asked.model_dump(by_alias=True),
        "curriculum": [{"with": {"longest": 2}, "until": {"wrong_bits": 1}},
                       {"with": {"uneven": 0.5}}],
    })  # fmt: skip
    told = explain(copier(["waits"]), stages)
    names = [(part.name, part.sequences) for part in told.asked]
    assert names == [("the task", 2048), ("the last stage of training", 1024), ("all", 64)]
    ordinary, uneven = (part.wrong_sequences / part.sequences for part in told.asked[:2])
    assert uneven > 1.5 * ordinary


@pytest.mark.slow
def test_a_copier_that_evolved_is_explained(tmp_path):
    from evo_ntm.experiment import load

    asked = load("tasks/copy-cma.yaml")
    outcome = evolve(asked, to=tmp_path / "run")
    assert outcome.solved
    told = explain(read(outcome.path), asked)
    assert told.wrong_sequences == 0
    assert any("write the input bit to it" in line for line in told.program)
    assert any("row after row as they were written" in line for line in told.program)
    nothing = explain(founder(asked), asked)
    assert nothing.program != told.program and replace(nothing, rows=told.rows) != told


class Parity:
    """Somebody's own task, with no settings, whose answer is none of its vectors."""

    inputs = (Block(1, 3, name="bits"), Block(2, 1, name="end"))
    outputs = (Block(101, 1, name="odd"),)

    def episodes(self, generator, lanes):
        bits = torch.tensor(generator.bits((4, lanes, 3))).float()
        flag = torch.cat([torch.zeros(1, lanes, 3), torch.ones(1, lanes, 1)], -1)
        inputs = torch.cat([torch.cat([bits, torch.zeros(4, lanes, 1)], -1), flag])
        odd = torch.zeros(5, lanes, 1)
        odd[4, :, 0] = bits.sum((0, 2)) % 2
        scored = (torch.arange(5) == 4)[:, None].expand(5, lanes)
        return Episodes(inputs, odd, scored, (5,) * lanes)


def test_a_task_of_one_s_own_is_explained():
    asked = experiment()
    genome = found(asked, Parity(), derive(1, "founder"))
    told = explain(genome, asked, task=Parity())
    assert told.sequences == 2048 + 64 and told.summary[0].startswith("It has learned nothing")
