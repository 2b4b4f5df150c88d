"""Task files: read, override, check, write."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evo_ntm.errors import ExperimentError, near, nearest, refuse_text
from evo_ntm.experiment.complaints import complaint, dotted, refusal, shown, touching
from evo_ntm.experiment.experiment import Experiment
from evo_ntm.experiment.model import frozen
from evo_ntm.experiment.notation import LARGEST, read_yaml, write_yaml
from evo_ntm.experiment.tasks import TASK_SETTINGS
from evo_ntm.paths import no_file

LONGEST_INDEX = 9  # digits
FORMER = (("evolve", "refine"),)  # keys that were taken back
OF_A_RUN = ("experiment.yaml", "run.sqlite")  # who lies beside whom in the folder of a run


def load(
    path: str | Path, overrides: Sequence[str] = (), *, tasks: Collection[str] | None = ()
) -> Experiment:
    """Read a task file and check it, with some of its values overridden as `key.path=value`.

    `tasks` names tasks that the caller brings; None stands for any. Where the file does not name
    the experiment, its own name does, with - for what a name may not hold. Raises ExperimentError,
    whose message is one line.
    """
    path = Path(path)
    of_a_run = path.name == OF_A_RUN[0] and (path.parent / OF_A_RUN[1]).exists()
    name = re.sub("[^A-Za-z0-9_ .-]", "-", path.stem).lstrip(" .")[:100] or "experiment"
    return parse(_text(path), str(path), name=name, overrides=overrides, tasks=tasks,
                 of_a_run=of_a_run)  # fmt: skip


def parse(
    told: str | Mapping[str, Any],
    source: str = "task file",
    *,
    name: str = "experiment",
    overrides: Sequence[str] = (),
    tasks: Collection[str] | None = (),
    of_a_run: bool = False,
) -> Experiment:
    """Check what a task file says, as text or as it was read. Raises as `load` does.

    `name` is that of an experiment that does not name itself. Only what was written `of_a_run` may
    say what was overridden.
    """
    refuse_text(overrides, "overrides, as ['evolve.seed=2']", ExperimentError)
    refuse_text(tasks, "names of tasks", ExperimentError)
    if isinstance(told, str):
        told = read_yaml(told, source)
    if not isinstance(told, Mapping):
        came = shown(frozen(told))
        raise ExperimentError(f"{source}: expected a group of keys, task, exam, …, but came {came}")
    alone: dict[str, Any] = {"name": name, **frozen(dict(told))}
    recorded = alone.pop("overrides", ()) if of_a_run else ()
    if of_a_run:
        alone = _without_former(alone)
    whole = alone
    for override in overrides:
        whole = _overridden(whole, override, source)
    if "overrides" in whole:
        known = nearest("overrides", {*Experiment.keys()} - {"overrides"})
        raise refusal(source, ("overrides",), "a known key", "overrides", known)
    also = tuple(overrides) if isinstance(recorded, tuple) else ()
    whole = {**whole, "overrides": (*recorded, *also) if also else recorded}
    try:
        return _checked(whole, tasks)
    except ValidationError as error:
        blamed: Sequence[str] = touching(error, whole, overrides)
        if not blamed and _sound(alone, tasks):
            blamed = overrides
        changed = "".join(f" --set {override}" for override in blamed)
        raise complaint(error, whole, f"{source}{changed}") from error


def _without_former(whole: dict[str, Any]) -> dict[str, Any]:
    """Leave out former keys that an older run did not set."""
    for group, key in FORMER:
        settings = whole.get(group)
        if isinstance(settings, Mapping) and settings.get(key, 0) is None:
            rest = {name: value for name, value in settings.items() if name != key}
            whole = {**whole, group: rest}
    return whole


def _checked(whole: dict[str, Any], tasks: Collection[str] | None) -> Experiment:
    return Experiment.model_validate(whole, context={"tasks": tasks})


def _sound(alone: dict[str, Any], tasks: Collection[str] | None) -> bool:
    """Tell whether the file is well without its overrides."""
    try:
        _checked(alone, tasks)
    except ValidationError:
        return False
    return True


def dump(experiment: Experiment) -> str:
    """Write an experiment as the task file that loads back to it.

    With overrides it is that of a run, where alone they are read back.
    """
    told = experiment.model_dump(mode="json", by_alias=True)
    if not experiment.overrides:
        del told["overrides"]
    return write_yaml(told)


def _text(path: Path) -> str:
    try:
        if (other := no_file(path)) is not None:
            raise ExperimentError(f"{path}: expected a task file, but this is {other}")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise ExperimentError(
            f"{path}: expected a task file, but there is none{_near(path)}"
        ) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ExperimentError(f"{path}: expected a task file, but: {why}") from error
    if len(content) > LARGEST:
        raise ExperimentError(f"{path}: expected at most {LARGEST} bytes, but there are more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, place = content[error.start], error.start
        raise ExperimentError(
            f"{path}: expected UTF-8, but came byte 0x{byte:02x} at place {place}"
        ) from error


def _near(path: Path) -> str:
    """Suggest a task file beside the path or in `tasks` there, or how to make one."""
    name = path.name if path.suffix in (".yaml", ".yml") else f"{path.name}.yaml"
    beside = [found.name for found in _task_files(path.parent)]
    if (found := near(name, beside)) is not None:
        return f": did you mean {found!r}?"
    others = _task_files(path.parent / "tasks")
    if (found := near(name, [other.name for other in others])) is not None:
        return f": did you mean {str(path.parent / 'tasks' / found)!r}?"
    if (task := near(path.stem, TASK_SETTINGS)) is not None:
        return f": evo-ntm new {task} prints one to begin with"
    return f": {nearest(name, beside)}" if beside else ""


def _task_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.yaml")) if folder.is_dir() else []


def _overridden(whole: dict[str, Any], override: str, source: str) -> dict[str, Any]:
    """Give the tree with one value changed."""
    key, equals, text = override.partition("=")
    if not equals or not all(key.split(".")):
        raise ExperimentError(
            f"{source} --set {shown(override)}: "
            "expected key.path=value, as in evolve.generations=60"
        )
    source = f"{source} --set {override}"
    value = frozen(read_yaml(text, source))
    changed: dict[str, Any] = _changed(whole, key.split("."), (), value, source)
    return changed


def _changed(tree: Any, path: list[str], above: tuple[str, ...], value: Any, source: str) -> Any:
    if not path:
        return value
    part, rest = path[0], path[1:]
    here = (*above, part)
    if tree is None:
        tree = {}
    if isinstance(tree, Mapping):
        return {**tree, part: _changed(tree.get(part), rest, here, value, source)}
    if isinstance(tree, tuple):
        if not part.isdecimal() or len(part) > LONGEST_INDEX or int(part) >= len(tree):
            raise refusal(source, here, f"a number from 0 to {len(tree) - 1}", part)
        number = int(part)
        item = _changed(tree[number], rest, here, value, source)
        return (*tree[:number], item, *tree[number + 1 :])
    raise ExperimentError(
        f"{source}: {dotted(above)}: expected a group of keys to find {part!r} in, "
        f"but came {shown(tree)}"
    )
