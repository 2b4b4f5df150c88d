import numpy as np
import pytest

from evo_ntm.errors import GenomeError
from evo_ntm.genome.ablation import ablate, parts
from tests.genome.machines import SPECIMENS, answers, distance, specimen


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_part_that_is_listed_can_be_taken_away(name):
    genome = SPECIMENS[name]
    for part in parts(genome.topology):
        less = ablate(genome, part)
        kept = np.isin(less.code.keys, genome.code.keys)
        assert kept.all() and less.topology != genome.topology


def test_a_machine_without_heads_has_no_parts():
    assert parts(specimen("dense", "direct", "no heads").topology) == []


def test_a_stage_is_taken_from_one_head_or_from_all():
    genome = specimen("dense", "direct")
    writer, reader = genome.topology.heads
    less = ablate(genome, f"head {reader.birth} content").topology
    assert less.heads[0] == writer
    assert not less.heads[1].stages.content and not less.heads[1].stages.interpolation
    for stage in ("content", "shift", "sharpening"):
        assert not any(getattr(h.stages, stage) for h in ablate(genome, stage).topology.heads)


def test_without_writes_the_machine_answers_as_over_a_blank_memory():
    genome = specimen("dense", "direct")
    silent = genome.express()
    writer = genome.topology.writers[0].name
    for name, weights in silent.items():
        if name.startswith(f"{writer} add"):
            weights[:] = 0.0
    flat = np.concatenate([weights.ravel() for weights in silent.values()])
    assert distance(answers(ablate(genome, "writes")), answers(genome.with_genes(flat))) < 1e-9
    assert distance(answers(ablate(genome, "writes")), answers(genome)) > 1e-3


@pytest.mark.parametrize("part", ["reeds", "head 999", "head 71 reads", "71", ""])
def test_a_part_that_is_not_there_is_named_with_those_that_are(part):
    with pytest.raises(
        GenomeError, match="it has: reads, writes, content, shift, sharpening"
    ) as told:
        ablate(specimen("dense", "direct"), part)
    assert repr(part) in str(told.value) and "head 71, head 73" in str(told.value)


def test_a_part_that_other_machines_have_is_refused_too():
    genome = ablate(ablate(specimen("dense", "direct"), "shift"), "writes")
    for part in ("shift", "writes", "head 73 shift"):
        with pytest.raises(GenomeError, match=rf"came '{part}'.*it has: reads, content, sharp"):
            ablate(genome, part)
    with pytest.raises(GenomeError, match="it has: none"):
        ablate(specimen("dense", "direct", "no heads"), "reads")
