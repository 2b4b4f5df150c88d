"""Which tuning is under way in a run: the fact that tells of it, and where it stood last.

The fact `tuning` is there from before the first step until the child is recorded. The last place
lies beside the rows, in `tuning.safetensors`, which is written whole or not at all.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evo_ntm.errors import RunError
from evo_ntm.experiment.finetune import Finetune
from evo_ntm.runs.checkpoints import find_checkpoint, state_hash, write_checkpoint
from evo_ntm.runs.disk import allowed
from evo_ntm.runs.recorder import Recorder
from evo_ntm.runs.run import Run
from evo_ntm.training import Descent
from evo_ntm.tuning.place import Place, read_place

FACT, PLACE = "tuning", "tuning.safetensors"
HASH = "hash"


@dataclass(frozen=True)
class Assignment:
    """Who is tuned, how, and what the child will be called.

    `device`, `backend` and `arithmetic` are what the bits of the child depend on. Where the run is
    made for it, its founder is by the operator `comes_by`, and `origin` says of what it was made.
    """

    birth: int
    generation: int
    parent: int
    settings: Finetune
    device: str
    backend: str
    arithmetic: Mapping[str, str]
    comes_by: str = ""
    origin: str = ""

    @property
    def words(self) -> dict[str, Any]:
        """Tell it as JSON."""
        return {**vars(self), "settings": self.settings.model_dump(mode="json")}


def under_way(run: Run) -> Assignment | None:
    """Read which tuning is under way, or was interrupted; None where none is."""
    words = run.facts().get(FACT)
    if words is None:
        return None
    return Assignment(**{**words, "settings": Finetune.model_validate(words["settings"])})


def begin(recorder: Recorder, assignment: Assignment) -> None:
    """Note that a tuning is under way, in place of any other that was."""
    with allowed(recorder.run.folder):
        (recorder.run.folder / PLACE).unlink(missing_ok=True)
    recorder.fact(FACT, assignment.words)
    recorder.commit()


def publish(recorder: Recorder, assignment: Assignment, place: Place) -> None:
    """Publish where a tuning stands. Raises RunError where the disk does not allow it."""
    words, tensors = {**place.words, "birth": assignment.birth}, place.tensors
    told = {**words, HASH: state_hash(words, tensors)}
    with allowed(recorder.run.folder):
        write_checkpoint(recorder.run.folder / PLACE, told, tensors, recorder.reached)


def last_place(run: Run, assignment: Assignment, descent: Descent) -> Place | None:
    """Read where a tuning stood last; None where it has to begin with its first step.

    Raises RunError where the file is torn, or of another tuning.
    """
    path = run.folder / PLACE
    if not path.exists():
        return None
    torn = RunError(f"{path}: expected where the tuning to birth {assignment.birth} stood, but the "
                    "file is torn or of another one: evo-ntm finetune "
                    f"{shlex.quote(str(run.folder))} --anew begins again")  # fmt: skip
    try:
        words, tensors = find_checkpoint(path)
    except RunError as error:
        raise torn from error
    told = {name: word for name, word in words.items() if name != HASH}
    if words.get(HASH) != state_hash(told, tensors) or told["birth"] != assignment.birth:
        raise torn
    return read_place(told, tensors, descent)
