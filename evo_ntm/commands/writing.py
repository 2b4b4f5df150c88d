"""Task files: what there is, one to begin with, and what editors want to know of them."""

from typing import Annotated

import typer

from evo_ntm.exits import DONE


def new(task: Annotated[str, typer.Argument(metavar="TASK", help="As `tasks` lists them.")]) -> int:
    """Print a task file to begin with, every key explained."""
    from evo_ntm.experiment import template

    print(template(task), end="")
    return DONE


def tasks() -> int:
    """List the tasks, one a line."""
    from evo_ntm.experiment.tasks import describe

    told = describe()
    width = max(map(len, told))
    for name, sentence in told.items():
        print(f"{name:<{width}}  {sentence}")
    return DONE


def schema() -> int:
    """Print the JSON Schema of task files, for editors."""
    import json

    from evo_ntm.experiment import json_schema

    print(json.dumps(json_schema(), indent=1))
    return DONE
