"""What lies at a path: a genome, the experiment that it came from, and its task."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evo_ntm.errors import EvoNTMError, ExperimentError, RunError, TaskError, in_words, near
from evo_ntm.experiment import Experiment, parse
from evo_ntm.genome import Genome
from evo_ntm.genome.files import PUBLISHED, read_card, read_genome
from evo_ntm.runs.run import ROWS
from evo_ntm.runs.store import open_run
from evo_ntm.tasks import KnownTask, Task, make
from evo_ntm.tasks.hosting import changed, welcome


def read(path: Path | str, birth: int | None = None) -> Genome:
    """Read a genome: a genome file, a published folder, or a run's champion or a birth of it."""
    return opened(Path(path), birth)[0]


def opened(path: Path, birth: int | None) -> tuple[Genome, Experiment | None]:
    """Read a genome, and the experiment that it came from where that is known."""
    if path.suffix in (".yaml", ".yml") and path.is_file():
        raise RunError(f"{path}: expected a run, a published folder or a genome file, but this is "
                       "a task file")  # fmt: skip
    if not path.exists():
        raise RunError(f"{path}: expected a run, a published folder or a genome file, but there is "
                       f"nothing{_beside(path)}")  # fmt: skip
    if path.is_dir() and (path / PUBLISHED).is_file():
        path = path / PUBLISHED
    if path.is_dir():
        if inside := _inside(path):
            raise RunError(f"{path}: expected a run or a published folder, but this folder holds "
                           f"{len(inside)} of them: {', '.join(inside)}")  # fmt: skip
        run = open_run(path)
        return run.genome(birth), run.experiment
    if birth is not None:
        raise RunError(f"{path}: expected a run to choose birth {birth} from, but this is a file")
    genome = read_genome(path)
    told = read_card(path).get("experiment")
    return genome, parse(told, str(path), tasks=None, of_a_run=True) if told is not None else None


def edited(path: Path | str) -> str | None:
    """Say how the experiment of a run is no longer what it began with.

    None where it still is, and for what is no run.
    """
    return open_run(Path(path)).edited() if (Path(path) / ROWS).is_file() else None


def _beside(path: Path) -> str:
    """Suggest what lies beside a path that leads nowhere."""
    with suppress(OSError):
        if found := near(path.name, (other.name for other in path.parent.iterdir())):
            return "" if found == path.name else f": did you mean {path.with_name(found)}?"
    return ""


def _inside(folder: Path) -> list[str]:
    """List the published folders in a folder that is no run."""
    if (folder / ROWS).exists():
        return []
    return sorted(path.parent.name for path in folder.glob(f"*/{PUBLISHED}"))


def task_of(experiment: Experiment, brought: Task | None) -> Task:
    """Make the task of an experiment, or give its settings to the one that was brought.

    Raises ExperimentError where that is no experiment, but perhaps the path of one, TaskError.
    """
    came: object = experiment
    if not isinstance(came, Experiment):
        raise ExperimentError("expected an Experiment, as load(path) gives one, but came "
                              f"{in_words(came)}")  # fmt: skip
    if brought is None:
        return make(experiment.task, experiment.with_)
    welcome(brought)
    if isinstance(brought, KnownTask) and brought.name != experiment.task:
        raise TaskError(f"task: expected {experiment.task!r}, as the experiment says, "
                        f"but came {brought.name!r}")  # fmt: skip
    return changed(brought, experiment.with_.model_dump())


@contextmanager
def about(path: Path | str) -> Iterator[None]:
    """Name the file in what is said of it, unless it is named there."""
    try:
        yield
    except EvoNTMError as error:
        if str(error).startswith(str(path)):
            raise
        raise type(error)(f"{path}: {error}") from error
