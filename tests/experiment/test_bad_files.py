"""Whatever is wrong with a task file is said in one line: file, key, expected, came, nearest."""

import os
import re
from pathlib import Path

import pytest
import yaml

from evo_ntm.errors import ExperimentError, GenomeError
from evo_ntm.experiment import load, parse, template
from evo_ntm.genome.files import read_genome

TASKS = Path(__file__).parents[2] / "tasks"

BAD_VALUES = [
    # an override of the small task file, and all that is said after the file's name
    ("taks=copy", "taks: expected a known key, but came 'taks': did you mean 'task'?"),
    (
        "evolve.generatons=60",
        "evolve.generatons: expected a known key, but came 'generatons': "
        "did you mean 'generations'?",
    ),
    ("evolve.elites=3", "evolve.elites: expected a known key, but came 'elites': a key of "
     "genetic"),
    ("with.lngest=3", "with.lngest: expected a known key, but came 'lngest': "
     "did you mean 'longest'?"),
    ("machine.heads.shift=3", "machine.heads.shift: expected a known key, but came 'shift': "
     "did you mean 'shifts'?"),
    ("run.gpus=2", "run.gpus: expected a known key, but came 'gpus': "
     "did you mean 'gpus_per_worker'?"),
    ("run.where=2", "run.where: expected a known key, but came 'where': "
     "known: backend, checkpoint_every, cpus_per_worker, device, gpus_per_worker, keep, ray, "
     "tensorboard, threads, timeout, workers"),
    ("task=cpy", "task: expected the name of a task, but came 'cpy': did you mean 'copy'?"),
    ("task=3", "task: expected text, but came 3"),
    ("evolve.strategy=genetik", "evolve.strategy: expected one of evolution_strategy, genetic, "
     "neat, cma, but came 'genetik': did you mean 'genetic'?"),
    ("evolve={}", "evolve.strategy: expected this key, but it is missing"),
    ("exam={}", "exam.validation: expected this key, but it is missing"),
    ("exam=null", "exam: expected a group of keys, but came nothing"),
    ("evolve=[1, 2]", "evolve: expected a group of keys, but came [1, 2]"),
    ("with=7", "with: expected a group of keys, but came 7"),
    ("with.bits=1.5", "with.bits: expected a whole number, but came 1.5"),
    ("with.bits=true", "with.bits: expected a whole number, but came true"),
    ("with.bits=0", "with.bits: expected at least 1, but came 0"),
    ("with.bits=5000", "with.bits: expected at most 4096, but came 5000"),
    ("with.shortest=9", "with.shortest: expected at most longest (2), but came 9"),
    ("machine.readers=-1", "machine.readers: expected at least 0, but came -1"),
    ("machine.heads.shifts=4", "machine.heads.shifts: expected an odd number of at least 3, "
     "but came 4"),
    ("machine.heads.stages=[shft]", "machine.heads.stages.0: expected one of content, "
     "interpolation, shift, sharpening, but came 'shft': did you mean 'shift'?"),
    ("machine.heads.stages=[interpolation]", "machine.heads.stages: expected content where "
     "interpolation is, but came ['interpolation']"),
    ("machine.heads.stages=[shift, shift]", "machine.heads.stages.1: expected each stage once, "
     "but came 'shift'"),
    ("machine.recurrent=true", "machine.recurrent: expected false, as the controller is dense and "
     "no graph, but came true"),
    ("machine.connected=0.5", "machine.connected: expected 1.0, as the controller is dense and "
     "no graph, but came 0.5"),
    ("machine.heads.source=cell", "machine.heads.source: expected hidden, as a dense controller "
     "has no cell, but came 'cell'"),
    ("machine.rows=0", "machine.rows: expected at least 1, or unbounded, but came 0"),
    ("machine.rows=[6, 4]", "machine.rows: expected a range whose low end comes first, "
     "but came [6, 4]"),
    ("machine.rows=[4]", "machine.rows: expected a whole number or a range [low, high], "
     "but came [4]"),
    ("machine.rows=2", "machine.rows: expected at least 3 rows, as a shift may reach that far, "
     "but came 2"),
    ("exam.parts.0.rows=2", "exam.parts.0.rows: expected at least 3 rows, as a shift may reach "
     "that far, but came 2"),
    ("evolve.finer={stage: 3}", "evolve.finer.stage: expected at most 1, the stages there are, "
     "but came 3"),
    ("evolve.finer={times: 0}", "evolve.finer.times: expected a number above 0, but came 0"),
    ("evolve.finer=[{}, {times: 0}]", "evolve.finer.1.times: expected a number above 0, "
     "but came 0"),
    ("evolve.finer=[{}, {stage: 2}]", "evolve.finer.1.stage: expected at most 1, the stages there "
     "are, but came 2"),
    ("evolve.finer=[{}, {times: 0.1}]", "evolve.finer.1.stage: expected a later stage than 1, "
     "where the one before begins, or more patience there, but came nothing"),
    ("evolve.finer=[{patience: 9}, {patience: 9}]", "evolve.finer.1.stage: expected a later stage "
     "than 1, where the one before begins, or more patience there, but came nothing"),
    ("evolve.finer={patience: 0}", "evolve.finer.patience: expected at least 1, but came 0"),
    ("evolve.finer=[{}, {patience: 299}]", "evolve.finer.1.patience: expected at most 298, the "
     "last look before a search begins anew, but came 299"),
    ("evolve.finer=[{}, {patience: 9, times: 0.5}]", "evolve.finer.1.times: expected at most 0.4, "
     "as the steps before are that fine, but came 0.5"),
    ("evolve.finer=0.4", "evolve.finer: expected a group like {times: 0.4, stage: 6}, a list of "
     "these, or null, but came 0.4"),
    ("evolve.finer=[]", "evolve.finer: expected at least 1 of them, but came []"),
    ("machine.rows=[4, unbounded]", "machine.rows: expected unbounded, or a range of two numbers, "
     "but came [4, 'unbounded']"),
    ("machine.rows=[unbounded, 4]", "machine.rows: expected unbounded, or a range of two numbers, "
     "but came ['unbounded', 4]"),
    ("machine.rows=unbounded", "machine.rows: expected a number of rows, as only a tape is "
     "unbounded, but came 'unbounded'"),
    ("exam.parts.0.rows=unbounded", "exam.parts.0.rows: expected a number of rows, as only a tape "
     "is unbounded, but came 'unbounded'"),
    ("machine={controller: lstm, units: []}", "machine.units: expected at least 1 layer, as the "
     "controller is an lstm, but came []"),
    ("machine={tape_heads: 1, readers: 1}", "machine.readers: expected none beside tape_heads (1), "
     "but came 1"),
    ("machine={tape_heads: 9}", "machine.tape_heads: expected within bounds.tape_heads (0 to 4), "
     "but came 9"),
    ("machine={tape_heads: 1, heads: {shifts: 5}}", "machine.heads.shifts: expected 3, as a tape's "
     "head goes one cell to either side, but came 5"),
    ("machine.tape.write=owerwrite", "machine.tape.write: expected one of interpolate, overwrite, "
     "but came 'owerwrite': did you mean 'overwrite'?"),
    ("machine.tape.initial=2.0", "machine.tape.initial: expected at most 1, but came 2.0"),
    ("machine.units=[4, 4, 4, 4]", "machine.units: expected at most 3 of them, "
     "but came [4, 4, 4, 4]"),
    ("machine.units=[4, 500]", "machine.units.1: expected within bounds.units (1 to 128), "
     "but came 500"),
    ("machine.width=100", "machine.width: expected within bounds.width (1 to 64), but came 100"),
    ("machine.bounds.layers=[2, 3]", "machine.units: expected layers within bounds.layers "
     "(2 to 3), but came 1"),
    ("machine.bounds.shifts=[3, 6]", "machine.bounds.shifts.1: expected an odd number of at "
     "least 3, but came 6"),
    ("machine.bounds.controllers=[lstm]", "machine.controller: expected one of "
     "bounds.controllers (lstm), but came 'dense'"),
    ("machine.controller=gru", "machine.controller: expected one of dense, lstm, graph, "
     "but came 'gru'"),
    ("machine.encoding=tie", "machine.encoding: expected one of direct, tied, but came 'tie': "
     "did you mean 'tied'?"),
    ("machine={encoding: tied, units: [4, 0]}", "machine.units.1: expected at least 1, but came 0"),
    ("machine.epsilon=0", "machine.epsilon: expected a number above 0, but came 0"),
    ("machine.epsilon=1e-4", "machine.epsilon: expected a number, but came '1e-4': "
     "YAML takes 1e-4 for text, write 1.0e-4"),
    ("evolve.generations=1e3", "evolve.generations: expected a whole number, but came '1e3': "
     "YAML takes 1e3 for text, write 1000"),
    ("evolve.generations=1e-3", "evolve.generations: expected a whole number, but came '1e-3'"),
    ("evolve.sigma=.nan", "evolve.sigma: expected a finite number, but came nan"),
    ("evolve.sigma=.inf", "evolve.sigma: expected a finite number, but came inf"),
    ("evolve.seed=-3", "evolve.seed: expected at least 0, but came -3"),
    ("evolve.seed=9223372036854775808", "evolve.seed: expected a number below "
     "9223372036854775808, but came 9223372036854775808"),
    ("evolve.seed=1:30", "expected a plain decimal number, but came '1:30'"),
    ("evolve.seed=010", "expected a plain decimal number, but came '010'"),
    ("evolve.minutes=0", "evolve.minutes: expected a number above 0, but came 0"),
    ("evolve.population=7", "evolve.population: expected an even number, as samples come in "
     "pairs, but came 7"),
    ("evolve.challenger_share=0.5", "evolve.challenger_share: expected at most 0.25, "
     "but came 0.5"),
    ("evolve.operators={add_raeder: {}}", "evolve.operators.add_raeder: expected the name of an "
     "operator, but came 'add_raeder': did you mean 'add_reader'?"),
    ("evolve.operators={add_reader: {shar: 1}}", "evolve.operators.add_reader.shar: expected a "
     "known key, but came 'shar': did you mean 'share'?"),
    ("evolve.operators={add_reader: {share: 0}}", "evolve.operators: expected a share above 0 "
     "for at least one operator, but came 0"),
    ("evolve.operators={add_reader: 1}", "evolve.operators.add_reader: expected a group of keys, "
     "but came 1"),
    ("curriculum=[{with: {longest: 1}}, {with: {}}]", "curriculum.0.until: expected a gate to the "
     "next stage, or the curriculum never ends, but came nothing"),
    ("curriculum=[{with: {}, until: {bits: 1}}]", "curriculum.0.until: expected no gate in the "
     "last stage, as no stage follows, but came a group of keys (bits)"),
    ("curriculum=[{with: {}, until: {bits: -1}}, {with: {}}]", "curriculum.0.until.bits: expected "
     "at least 0, but came -1"),
    ("curriculum=[{with: {}, until: {}}, {with: {}}]", "curriculum.0.until: expected at least 1 "
     "of them, but came an empty group of keys"),
    ("curriculum=[{with: {}, until: {wrong: 1}}, {with: {}}]", "curriculum.0.until.wrong: "
     "expected a measure of copy, but came 'wrong': did you mean 'wrong_bits'?"),
    ("curriculum=[{with: {}, patience: 4}]", "curriculum.0.patience: expected "
     "evolve.progress_in: stage, where it applies, but came 4"),
    ("curriculum=[{with: {bits: 2}}]", "curriculum.0.with.bits: expected 1, as in `with`, "
     "but came 2"),
    ("curriculum=[{with: {shortest: 3}}]", "curriculum.0.with.shortest: expected at most longest "
     "(2), but came 3"),
    ("curriculum=[{with: {}, rows: 0}]", "curriculum.0.rows: expected at least 1, or unbounded, "
     "but came 0"),
    ("curriculum=[{with: {}, rows: [3, 2]}]", "curriculum.0.rows: expected a range whose "
     "low end comes first, but came [3, 2]"),
    ("exam.parts.1.with.bits=2", "exam.parts.1.with.bits: expected 1, as the encoding is direct, "
     "but came 2"),
    ("exam.parts.1.with.longst=2", "exam.parts.1.with.longst: expected a known key, but came "
     "'longst': did you mean 'longest'?"),
    ("exam.parts.0.at_most={regret: 1}", "exam.parts.0.at_most.regret: expected a measure of "
     "copy, but came 'regret': known: bits, wrong_bits"),
    ("exam.parts.1.name=as trained", "exam.parts.1.name: expected a name that no other part has, "
     "but came 'as trained'"),
    ("exam.parts=[]", "exam.parts: expected at least 1 of them, but came []"),
    ("exam.parts.5.rows=8", "exam.parts.5: expected a number from 0 to 1, but came '5'"),
    ("exam.parts.first.rows=8", "exam.parts.first: expected a number from 0 to 1, "
     "but came 'first'"),
    ("task.name=copy", "task: expected a group of keys to find 'name' in, but came 'copy'"),
    ("run.device=cudda", "run.device: expected one of cpu, cuda, but came 'cudda': "
     "did you mean 'cuda'?"),
    ("run.workers=-1", "run.workers: expected at least 0, but came -1"),
    ("run.gpus_per_worker=1.5", "run.gpus_per_worker: expected a share up to 1, or a whole number "
     "of GPUs, but came 1.5"),
    ("run.timeout=0", "run.timeout: expected a number above 0, but came 0"),
    ("finetune.optimiser=rmsporp", "finetune.optimiser: expected one of adam, rmsprop, but came "
     "'rmsporp': did you mean 'rmsprop'?"),
    ("finetune.warmup=20000", "finetune.warmup: expected fewer than all steps (20000), "
     "but came 20000"),
    ("finetune.learning_rate=0", "finetune.learning_rate: expected a number above 0, but came 0"),
    ("finetune.learning_rat=1", "finetune.learning_rat: expected a known key, but came "
     "'learning_rat': did you mean 'learning_rate'?"),
    ("evolve.population=2000000", "evolve.population: expected at most 1000000, "
     "but came 2000000"),
    ("machine.rows=2000000", "machine.rows: expected at most 1000000, but came 2000000"),
    ("machine.width=5000", "machine.width: expected at most 4096, but came 5000"),
    ("exam.parts.1.sequences=2000000", "exam.parts.1.sequences: expected at most 1000000, "
     "but came 2000000"),
    (f"exam.parts.{'9' * 5000}.rows=8", f"exam.parts.'{'9' * 29} … {'9' * 14}': expected a number "
     f"from 0 to 1, but came '{'9' * 29} … {'9' * 14}'"),
    (r'exam.parts.1.name="a\e[1m"', "exam.parts.1.name: expected text without control characters, "
     r"but came 'a\x1b[1m'"),
    ("exam.validation.0.at_most=null", "exam.validation.0.at_most: expected a value for a measure, "
     "as the exam is sat once all validation passes, but came nothing"),
    ("name=''", "name: expected text of at least 1 letter, but came ''"),
    ("evolve.seed={a: 1, a: 2}", "expected each key once, but 'a' came twice"),
]  # fmt: skip

BAD_GRAPHS = [
    # an override of a task file of graphs
    ("machine.units=[8]", "machine.units: expected no layers, as the controller is a graph, but "
     "came [8]"),
    ("machine.encoding=tied", "machine.encoding: expected direct, as the controller is a graph, "
     "but came 'tied'"),
    ("machine.readers=1", "machine.readers: expected none beside tape_heads (1), but came 1"),
    ("machine.heads.target=both", "machine.heads.target: expected controller, as this is a graph, "
     "but came 'both'"),
    ("machine.bounds.nodes=[2, 5]", "machine.bounds.nodes.0: expected 0, as a graph begins "
     "without nodes, but came 2"),
]  # fmt: skip

BAD_TEXTS = [
    # a file, and all that is said after its name
    (b"", ": expected a group of keys, task, exam, \u2026, but came nothing"),
    (b"# nothing\n", ": expected a group of keys, task, exam, \u2026, but came nothing"),
    (b"- copy\n", ": expected a group of keys, task, exam, \u2026, but came ['copy']"),
    (b"copy\n", ": expected a group of keys, task, exam, \u2026, but came 'copy'"),
    (b"task: [copy\nwith: {}\n", ", line 2: expected ',' or ']', but got ':'"),
    (b"task: copy\ntask: copy\n", ", line 2: expected each key once, but 'task' came twice"),
    (b"task: copy\n1: 2\n", ", line 2: expected a word as a key, but came '1'"),
    (b"task: copy\non: 2\n", ", line 2: expected a word as a key, but came 'on'"),
    (b"a: 1\n--- \nb: 1\n", ", line 2: expected YAML, but found another document"),
    (b"a: 1\n\tb: 1\n", ", line 2: expected YAML, but found character '\\t' that cannot start "
     "any token"),
    (b"a: 1\nb: *nobody\n", ", line 2: expected YAML, but found undefined alias 'nobody'"),
    (b"a: 1\nb: !!python/object:os.system {}\n", ", line 2: expected YAML, but could not "
     "determine a constructor for the tag 'tag:yaml.org,2002:python/object:os.system'"),
    (b"a: 1\nb: !!binary aGk=\n", ", line 2: expected plain values, but came the tag "
     "'tag:yaml.org,2002:binary'"),
    (b"a: 1\nb: 0x1F\n", ", line 2: expected a plain decimal number, but came '0x1F'"),
    (b"a: 1\nb: " + b"9" * 5000, ", line 2: expected a plain decimal number, but came "
     f"'{'9' * 40}'"),
    (b"task: c\xf6py\n", ": expected UTF-8, but came byte 0xf6 at place 7"),
    (b"task: \x07\n", ": expected YAML, but unacceptable character #x0007: special characters "
     'are not allowed in "<unicode string>", position 6'),
    (b"a: " + b"[" * 1200, ": expected at most 50 levels, but it is nested deeper"),
    (b"a: &a\n  - *a\n", ", line 1: expected at most 50 levels, but it is nested deeper"),
    (b"#" * 1_000_001, ": expected at most 1000000 bytes, but there are more"),
]  # fmt: skip


@pytest.mark.parametrize(("override", "told"), BAD_VALUES, ids=[key for key, _ in BAD_VALUES])
def test_a_bad_value_is_refused(small: Path, override: str, told: str):
    with pytest.raises(ExperimentError) as refusal:
        load(small, [override])
    assert str(refusal.value) == f"{small} --set {override}: {told}"


@pytest.mark.parametrize(("override", "told"), BAD_GRAPHS, ids=[key for key, _ in BAD_GRAPHS])
def test_what_a_graph_cannot_have_is_refused(override: str, told: str):
    path = TASKS / "entm-copy-1-neat.yaml"
    with pytest.raises(ExperimentError) as refusal:
        load(path, [override])
    assert str(refusal.value) == f"{path} --set {override}: {told}"


@pytest.mark.parametrize("key", ["evolve.neat", "evolve.operators.operators", "evolve.neat.sigma"])
def test_a_key_of_the_name_of_what_it_is_in_is_told_by_its_path(key: str):
    path = TASKS / "entm-copy-1-neat.yaml"
    with pytest.raises(ExperimentError) as refusal:
        load(path, [f"{key}=3"])
    unknown = key.removesuffix(".sigma")
    assert str(refusal.value).startswith(f"{path} --set {key}=3: {unknown}: expected ")


def test_foods_that_make_other_bits_are_refused_where_they_are_set():
    path = TASKS / "season.yaml"
    override = "curriculum=[{with: {foods: 3}, until: {missed: 1}}, {with: {}}]"
    with pytest.raises(ExperimentError) as refusal:
        load(path, [override])
    told = "curriculum.0.with: expected settings that make 8 bits, as in `with`, but came 6"
    assert str(refusal.value) == f"{path} --set {override}: {told}"


@pytest.mark.parametrize(("content", "told"), BAD_TEXTS, ids=[told for _, told in BAD_TEXTS])
def test_a_file_that_is_no_task_file_is_refused(tmp_path: Path, content: bytes, told: str):
    path = tmp_path / "task.yaml"
    path.write_bytes(content)
    with pytest.raises(ExperimentError) as refusal:
        load(path)
    assert str(refusal.value) == f"{path}{told}"


def test_aliases_that_unfold_without_end_are_refused(tmp_path: Path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    path = tmp_path / "task.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(ExperimentError, match="expected at most 20000 values, but there are more"):
        load(path)


def test_a_value_of_the_file_is_refused_in_the_name_of_the_file_alone(small: Path):
    small.write_text(small.read_text().replace("population: 8", "population: 9"))
    with pytest.raises(ExperimentError) as refusal:
        load(small, ["evolve.generations=3"])
    assert str(refusal.value) == (
        f"{small}: evolve.population: expected an even number, as samples come in pairs, but came 9"
    )


def test_a_missing_file_is_refused_with_the_nearest_one(small: Path):
    with pytest.raises(ExperimentError) as refusal:
        load(small.with_name("smal.yaml"))
    assert str(refusal.value) == (
        f"{small.with_name('smal.yaml')}: expected a task file, but there is none: "
        "did you mean 'small.yaml'?"
    )


@pytest.mark.parametrize("typed", ["small", "smal", "Small.yml"])
def test_a_file_named_without_its_ending_is_suggested(small: Path, typed: str):
    with pytest.raises(ExperimentError, match="but there is none: did you mean 'small.yaml'.$"):
        load(small.with_name(typed))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("copy", "tasks/copy.yaml"), ("copy.yaml", "tasks/copy.yaml"),
     ("copi", "tasks/copy.yaml"), ("repeat_copy", "tasks/repeat-copy.yaml")],
)  # fmt: skip
def test_a_file_named_without_its_folder_is_suggested(tmp_path, monkeypatch, typed, meant):
    (tmp_path / "tasks").mkdir()
    for name in ("copy.yaml", "repeat-copy.yaml", "ngrams.yaml"):
        (tmp_path / "tasks" / name).touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExperimentError) as refusal:
        load(typed)
    assert str(refusal.value) == (
        f"{typed}: expected a task file, but there is none: did you mean {meant!r}?"
    )


def test_the_name_of_a_task_is_no_file_but_makes_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExperimentError) as refusal:
        load("copi")
    told = (
        "copi: expected a task file, but there is none: evo-ntm new copy prints one to begin with"
    )
    assert str(refusal.value) == told
    with pytest.raises(ExperimentError, match="^nothing.yaml: .*, but there is none$"):
        load("nothing.yaml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for path, what in ((tmp_path / "pipe", "a pipe"), (tmp_path / "link", "a pipe"),
                       (Path("/dev/zero"), "a device")):  # fmt: skip
        with pytest.raises(ExperimentError) as refusal:
            load(path)
        assert str(refusal.value) == f"{path}: expected a task file, but this is {what}"
        with pytest.raises(GenomeError) as refusal:
            read_genome(path)
        assert str(refusal.value) == f"{path}: expected a genome file, but this is {what}"


def test_what_a_shell_hands_over_is_read(small):
    reading, writing = os.pipe()
    os.write(writing, small.read_bytes())
    os.close(writing)
    told = load(f"/dev/fd/{reading}")
    os.close(reading)
    assert told.evolve == load(small).evolve


def test_a_folder_is_refused(tmp_path: Path):
    with pytest.raises(ExperimentError) as refusal:
        load(tmp_path)
    assert str(refusal.value) == f"{tmp_path}: expected a task file, but this is a folder"


@pytest.mark.parametrize("override", ["evolve.seed", "=3", "evolve..seed=3", ".=1", ""])
def test_an_override_without_a_key_or_a_value_is_refused(small: Path, override: str):
    with pytest.raises(ExperimentError) as refusal:
        load(small, [override])
    assert str(refusal.value) == (
        f"{small} --set {override!r}: expected key.path=value, as in evolve.generations=60"
    )


@pytest.mark.parametrize("key", ["task", "exam", "evolve"])
def test_a_missing_key_is_refused(small: Path, key: str):
    lines = small.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(key))
    rest = [number for number in range(first + 1, len(lines)) if not lines[number].startswith(" ")]
    small.write_text("\n".join(lines[:first] + lines[rest[0] :]))
    with pytest.raises(ExperimentError) as refusal:
        load(small)
    assert str(refusal.value) == f"{small}: {key}: expected this key, but it is missing"


@pytest.mark.parametrize(
    ("key", "value", "expected", "came"),
    [
        ("machine.encoding", "tied", "direct", "'tied'"),
        ("machine.per_bit", "true", "false", "true"),
        ("machine.alike", "true", "false", "true"),
        ("evolve.alike", "0.5", "null", "0.5"),
        ("evolve.operators.perturb.alike", "0.5", "null", "0.5"),
    ],
)
def test_bits_are_treated_alike_only_where_there_are_some(key, value, expected, came):
    with pytest.raises(ExperimentError) as refusal:
        parse(template("ngrams"), "ngrams.yaml", overrides=[f"{key}={value}"])
    assert str(refusal.value) == (
        f"ngrams.yaml --set {key}={value}: {key}: expected {expected}, as ngrams "
        f"has no exchangeable bits, but came {came}"
    )


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["machine.alike=true"], "machine.alike: expected machine.per_bit: true beside it, or all "
         "bits are answered the same, but came true"),
        (["machine.encoding=tied", "machine.alike=true"], "machine.alike: expected false, as the "
         "tied encoding treats bits alike anyway, but came true"),
        (["machine.encoding=tied", "evolve.alike=0.5"], "evolve.alike: expected null, as the "
         "tied encoding treats bits alike anyway, but came 0.5"),
        (["machine.encoding=tied", "evolve.operators.perturb={alike: 0.5}"],
         "evolve.operators.perturb.alike: expected null, as the tied encoding treats bits alike "
         "anyway, but came 0.5"),
        (["evolve.alike=0"], "evolve.alike: expected a number above 0, but came 0"),
        (["evolve.alike=1.1"], "evolve.alike: expected at most 1, but came 1.1"),
        (["evolve={strategy: neat}", "machine={controller: graph, tape_heads: 1, per_bit: true, "
         "alike: true}"],
         "machine.alike: expected false, as neat draws all weights anew, but came true"),
    ],
)  # fmt: skip
def test_bits_are_not_said_to_be_alike_where_that_does_nothing(overrides: list[str], told: str):
    with pytest.raises(ExperimentError) as refusal:
        parse(template("copy"), "copy.yaml", overrides=overrides)
    assert str(refusal.value) == f"copy.yaml --set {overrides[-1]}: {told}"


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("machine.units=[16, 7]", "machine.units.1: expected at least one for each of 8 bits, "
         "as they are tied, but came 7"),
        ("machine.width=5", "machine.width: expected at least one for each of 8 bits, "
         "as they are tied, but came 5"),
    ],
)  # fmt: skip
def test_the_tied_encoding_needs_room_for_every_bit(override: str, told: str):
    with pytest.raises(ExperimentError) as refusal:
        parse(template("repeat_copy"), "repeat.yaml", overrides=[override])
    assert str(refusal.value) == f"repeat.yaml --set {override}: {told}"


@pytest.mark.parametrize(
    ("strategy", "key", "value", "told"),
    [
        ("genetic", "elites", 8,
         "expected fewer than the population (8), or nobody is born, but came 8"),
        ("genetic", "tournament", 9, "expected at most the population (8), but came 9"),
        ("neat", "elite_from", 9, "expected at most the population (8), but came 9"),
        ("neat", "least_sigma", 3.0, "expected at most sigma (2), but came 3.0"),
        ("cma", "population", 2, "expected at least 4, but came 2"),
        ("cma", "operators", "{add_reader: {}}",
         "expected no operators, as cma keeps the topology, but came 'add_reader'"),
    ],
)  # fmt: skip
def test_every_strategy_refuses_what_it_cannot_do(
    small: Path, strategy: str, key: str, value: object, told: str
):
    override = f"evolve.{key}={value}"
    strategies = f"evolve={{strategy: {strategy}, population: 8, elites: 1, species_size: 1}}"
    if strategy in ("neat", "cma"):
        strategies = f"evolve={{strategy: {strategy}, population: 8}}"
    with pytest.raises(ExperimentError) as refusal:
        load(small, [strategies, override])
    assert str(refusal.value).endswith(f"evolve.{key}: {told}")


@pytest.mark.parametrize(
    ("strategy", "population", "told"),
    [
        ("genetic", 2, "expected more than elites (8), or nobody is born, but came 2"),
        ("neat", 1, "expected at least elite_from (2), but came 1"),
    ],
)
def test_a_population_is_too_small_for_what_was_not_set(
    small: Path, strategy: str, population: int, told: str
):
    with pytest.raises(ExperimentError) as refusal:
        load(small, [f"evolve={{strategy: {strategy}, population: {population}}}"])
    assert str(refusal.value).endswith(f"evolve.population: {told}")


@pytest.mark.parametrize("operator", ["add_node", "add_connection", "drop_connection"])
def test_an_operator_of_graphs_alone_is_refused_where_there_is_no_graph(small, operator):
    override = f"evolve.operators={{{operator}: {{}}}}"
    told = f"evolve.operators.{operator}: expected machine.controller: graph, as it changes " \
           "nothing else, but came 'dense'"  # fmt: skip
    with pytest.raises(ExperimentError, match=re.escape(told)):
        load(small, [override])
    assert load(small, [f"evolve.operators={{perturb: {{}}, {operator}: {{share: 0}}}}"])


@pytest.mark.parametrize("name", ["../evil", "/evil", ".evil", "a\nb", "a\x1b[31m", "a\x00", "a/b"])
def test_a_name_that_is_no_part_of_a_folder_s_name_is_refused(small, name):
    told = {**yaml.safe_load(small.read_text("utf-8")), "name": name}
    with pytest.raises(ExperimentError) as refusal:
        parse(told)
    assert str(refusal.value) == (
        "task file: name: expected letters a to z, digits, spaces, -, _ or ., first no "
        f"space and no ., but came {name!r}"
    )


def test_a_file_s_name_is_cleaned_to_name_the_experiment(small):
    odd = small.with_name("..\x1b[1m copy\n(2).yaml")
    odd.write_bytes(small.read_bytes())
    assert load(odd).name == "--1m copy--2-"


def test_of_several_overrides_the_one_that_is_wrong_is_blamed(small):
    with pytest.raises(ExperimentError) as refusal:
        load(small, ["evolve.seed=2", "machine.readers=x", "run.threads=1"])
    assert str(refusal.value) == (
        f"{small} --set machine.readers=x: machine.readers: expected a whole number, but came 'x'"
    )


@pytest.mark.parametrize("change", ["finetune.after_evolution=true",
                                    "evolve.operators.finetune={share: 0.5}"])  # fmt: skip
def test_a_task_that_rewards_is_not_learned_by_gradients(change):
    file = Path(__file__).parents[2] / "tasks" / "t-maze.yaml"
    with pytest.raises(
        ExperimentError, match="no tuning, as t_maze rewards what is done"
    ) as caught:
        load(file, [change])
    assert change.partition("=")[0] in str(caught.value)
