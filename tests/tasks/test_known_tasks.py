from inspect import unwrap

import pytest

from evo_ntm.errors import TaskError
from evo_ntm.experiment.tasks import TASK_SETTINGS, CopySettings
from evo_ntm.seeds import derive
from evo_ntm.tasks import REWARD_TASKS, TASKS, known_tasks, make

PARITY = '''
from dataclasses import dataclass

from evo_ntm.tasks import make


@dataclass(frozen=True)
class Parity:
    """Tell whether the ones are odd.

    More words.
    """

    longest: int = 4
    name = "parity"
    inputs = make("copy").inputs
    outputs = make("copy").outputs

    def episodes(self, generator, lanes):
        return make("copy", {"longest": self.longest}).episodes(generator, lanes)

    def extent(self):
        return {"length": self.longest}

    def with_settings(self, **overrides):
        return Parity(**overrides)


class Half:
    """Lack nearly everything."""
'''


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Install a package that offers tasks."""

    def install(*lines: str) -> None:
        (tmp_path / "parity_of_somebody.py").write_text(PARITY)
        (tmp_path / "broken_of_somebody.py").write_text("raise RuntimeError('no such luck')")
        facts = tmp_path / "somebody-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text("\n".join(["[evo_ntm.tasks]", *lines, ""]))
        monkeypatch.syspath_prepend(tmp_path)

    return install


def test_every_task_has_settings_that_a_file_is_checked_by():
    assert TASK_SETTINGS.keys() == TASKS.keys() | REWARD_TASKS.keys()
    for name, kind in (TASKS | REWARD_TASKS).items():
        assert type(kind().settings) is TASK_SETTINGS[name]
        assert kind.name == name


def test_a_task_is_made_from_a_mapping_or_from_checked_settings():
    by_mapping = make("copy", {"bits": 3, "longest": 5})
    assert by_mapping == make("copy", CopySettings(bits=3, longest=5))
    assert by_mapping.settings == CopySettings(bits=3, longest=5)
    assert make("copy") == TASKS["copy"]()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"bit": 3}, "copy has no setting 'bit': did you mean 'bits'?"),
        ({"longest": 0}, "copy: longest must be greater than or equal to 1, not 0"),
        ({"longest": "ten"}, "copy: longest must be a valid integer, not 'ten'"),
        ({"shortest": 30}, "copy: shortest must be at most longest (20), not 30"),
    ],
)
def test_bad_settings_are_refused_in_one_line(overrides, message):
    for attempt in (
        lambda: make("copy", overrides),
        lambda: make("copy").with_settings(**overrides),
    ):
        with pytest.raises(TaskError) as refused:
            attempt()
        assert str(refused.value) == message


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (3, None, "expected the name of a task, but came 3"),
        ("copy", 3, "expected settings of task 'copy' by name, but came 3"),
        ("copy", {3: 3}, "expected settings of task 'copy' by name, but came {3: 3}"),
        ("copy", "bits", "expected settings of task 'copy' by name, but came 'bits'"),
    ],
)
def test_what_is_no_name_and_no_setting_is_refused(name, settings, message):
    with pytest.raises(TaskError) as refused:
        unwrap(make)(name, settings)  # as where annotations are not checked
    assert str(refused.value) == message


def test_a_setting_may_have_any_name_to_be_refused_by():
    with pytest.raises(TaskError, match="copy has no setting 'self': known: bits"):
        make("copy", {"self": 1})


def test_an_unknown_task_is_refused_with_the_nearest_name():
    with pytest.raises(TaskError, match="task, but came 'mirorcopy': did you mean 'mirror_copy'"):
        make("mirorcopy")


def test_tasks_of_other_packages_are_known(offer):
    offer("parity = parity_of_somebody:Parity")
    assert list(known_tasks()) == [*TASKS, *REWARD_TASKS, "parity"]
    task = make("parity", {"longest": 2})
    assert task.extent() == {"length": 2}
    assert max(task.episodes(derive(1, "test"), 20).lengths) == 5


def test_a_package_that_takes_a_name_that_is_taken_is_refused(offer):
    offer("copy = parity_of_somebody:Parity")
    with pytest.raises(TaskError, match="parity_of_somebody:Parity .* takes that of 'copy'"):
        known_tasks()
    assert isinstance(make("copy"), TASKS["copy"])


def test_a_broken_package_harms_nobody_elses_task(offer):
    offer("luck = broken_of_somebody:Luck", "parity = parity_of_somebody:Parity")
    with pytest.raises(TaskError, match=r"'luck' \(broken_of_somebody:Luck\) .* no such luck"):
        make("luck")
    assert isinstance(make("copy"), TASKS["copy"])
    assert make("parity").name == "parity"


def test_something_that_is_no_task_is_refused(offer):
    offer("half = parity_of_somebody:Half")
    with pytest.raises(TaskError, match="'half' must have all that a KnownTask has"):
        make("half")
