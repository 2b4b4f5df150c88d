import inspect

import pytest

from evo_ntm import cli, commands, verbs
from evo_ntm.cli import COMMANDS

ONLY_TYPED = {"new", "tasks", "schema"}  # read from the package, and nothing a notebook lacks


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_every_command_says_what_it_does_in_one_sentence(command):
    told = inspect.getdoc(command)
    assert told is not None
    assert "\n" not in told
    assert told.endswith(".")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_every_command_lives_among_the_commands_and_is_a_verb(command):
    assert command.__module__.startswith(f"{commands.__name__}.")
    assert command.__name__ in ONLY_TYPED or hasattr(verbs, command.__name__)


def test_the_help_lists_every_command(capsys):
    assert cli.run(["--help"]) == 0
    listed = capsys.readouterr().out
    assert [command.__name__ for command in COMMANDS if command.__name__ not in listed] == []
