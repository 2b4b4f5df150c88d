"""An experiment: all that a task file says, checked and frozen."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)

from evo_ntm.canonical import canonical
from evo_ntm.errors import nearest
from evo_ntm.experiment.cma import CMA
from evo_ntm.experiment.evolution import Hardest
from evo_ntm.experiment.evolution_strategy import EvolutionStrategy, Finer
from evo_ntm.experiment.exam import Exam, Part, Stage
from evo_ntm.experiment.finetune import Finetune
from evo_ntm.experiment.genetic import Genetic
from evo_ntm.experiment.machine import MachineSettings
from evo_ntm.experiment.model import Path, Settings, refuse, within
from evo_ntm.experiment.neat import NEAT
from evo_ntm.experiment.operators import OF_GRAPHS
from evo_ntm.experiment.rewards import REWARD_SETTINGS, GymnasiumSettings
from evo_ntm.experiment.run import RunSettings
from evo_ntm.experiment.tasks import known_measure, known_task, measures, task_settings

Strategy = EvolutionStrategy | Genetic | NEAT | CMA
# A part of the name of a folder.
Name = Annotated[
    str, Field(min_length=1, max_length=100, pattern="^[A-Za-z0-9_-][A-Za-z0-9_ .-]*$")
]

LATER = {
    **dict.fromkeys(("rows", "hardest", "stage", "lexicase", "finer", "patience"), None),
    **dict.fromkeys(("most_sigma", "chance", "few", "alike"), None),
    "alone": False,
    "progress_in": "validation",
}
"""Settings that came later, and what they say where they are not set."""
UNTIED = {"ngrams", *REWARD_SETTINGS} - {"season"}  # tasks whose channels are not alike


class Experiment(Settings):
    """All that a task file says. Never changes."""

    name: Annotated[Name, Field(description="how runs are called; the file's own name if absent")]
    task: Annotated[str, Field(description="what to solve")]
    with_: Annotated[
        SerializeAsAny[Settings],
        Field(
            alias="with",
            default_factory=dict,
            validate_default=True,
            description="what is set of the task",
        ),
    ]
    curriculum: Annotated[
        tuple[Stage, ...],
        Field(description="stages that lead there; each overrides `with`, each but the last ends"),
    ] = ()
    exam: Annotated[Exam, Field(description="held-out episodes, which alone decide on success")]
    machine: Annotated[MachineSettings, Field(description="the founder")] = MachineSettings()
    evolve: Annotated[
        Strategy, Field(discriminator="strategy", description="how to look for a solution")
    ]
    finetune: Annotated[
        Finetune,
        BeforeValidator(lambda told: {} if told is None else told),  # as older runs have it
        Field(description="how to train by gradients, after evolution or instead of it"),
    ] = Finetune()
    run: Annotated[RunSettings, Field(description="where and how it is computed")] = RunSettings()
    overrides: Annotated[
        tuple[str, ...], Field(description="what `--set` changed, already included above")
    ] = ()

    @field_validator("task")
    @classmethod
    def _known_task(cls, task: str, info: ValidationInfo) -> str:
        brought = (info.context or {}).get("tasks", ())
        return task if brought is None else known_task(task, brought)

    @field_validator("with_", mode="plain")
    @classmethod
    def _of_the_task(cls, told: Any, info: ValidationInfo) -> Settings:
        model = task_settings(info.data["task"]) if "task" in info.data else Settings
        return model.model_validate(told) if "task" in info.data else Settings()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for number, stage in enumerate(self.curriculum):
            self._stage(number, stage)
        for key, parts in (("validation", self.exam.validation), ("parts", self.exam.parts)):
            for number, part in enumerate(parts):
                self._part(part, ("exam", key, number))
        self._bits_that_are_alike()
        if self.machine.encoding == "tied" or self.machine.per_bit:
            self._room_for_every_bit()
        self._stage_there_is(self.evolve.hardest, ("evolve", "hardest"))
        if isinstance(self.evolve, EvolutionStrategy):
            for place, finer in enumerate(self.evolve.finer or ()):
                self._stage_there_is(finer, ("evolve", "finer", place))
                self._before_a_restart(finer, place)
        self._graphs_to_change()
        if self.task in REWARD_SETTINGS:
            self._without_gradients()
        if self.finetune.rows is not None:
            self.machine.enough_rows(self.finetune.rows[0], "finetune", "rows")
        return self

    def _stage_there_is(self, told: Hardest | Finer | None, path: Path) -> None:
        stages = max(len(self.curriculum), 1)
        if told is not None and (told.stage or 1) > stages:
            refuse((*path, "stage"), f"at most {stages}, the stages there are", told.stage)

    def _before_a_restart(self, finer: Finer, place: int) -> None:
        """Refuse patience that no search has before it begins anew, wherever it then is."""
        stages, every = self.curriculum[(finer.stage or 1) - 1 :], self.evolve.validate_every
        longest = max([stage.patience or self.evolve.patience for stage in stages],
                      default=self.evolve.patience)  # fmt: skip
        latest = (longest - 1) // every * every
        if finer.patience is not None and finer.patience > latest:
            expected = f"at most {latest}, the last look before a search begins anew"
            refuse(("evolve", "finer", place, "patience"), expected, finer.patience)

    def _graphs_to_change(self) -> None:
        """Refuse operators that would never find anything to change."""
        for name in OF_GRAPHS:
            operator = self.evolve.operators.get(name)
            if operator is not None and operator.share and self.machine.controller != "graph":
                expected = "machine.controller: graph, as it changes nothing else"
                refuse(("evolve", "operators", name), expected, self.machine.controller)

    def _without_gradients(self) -> None:
        """Refuse to learn by gradients where nothing says what would have been right."""
        expected = f"no tuning, as {self.task} rewards what is done and has no gradient"
        if self.finetune.after_evolution:
            refuse(("finetune", "after_evolution"), expected, True)
        if "finetune" in self.evolve.operators:
            refuse(("evolve", "operators", "finetune"), expected, "an operator that tunes")

    def _bits_that_are_alike(self) -> None:
        """Refuse to treat bits alike where there are none, or where that does nothing."""
        machine, evolve = self.machine, self.evolve
        moved = getattr(evolve.operators.get("perturb"), "alike", None)
        alike: dict[Path, tuple[object, str]] = {
            ("machine", "alike"): (machine.alike, "false"),
            ("evolve", "alike"): (getattr(evolve, "alike", None), "null"),
            ("evolve", "operators", "perturb", "alike"): (moved, "null"),
        }
        tied: dict[Path, tuple[object, str]] = {
            ("machine", "encoding"): (machine.encoding == "tied" and "tied", "direct"),
            ("machine", "per_bit"): (machine.per_bit, "false"),
        }
        for path, (came, other) in {**tied, **alike}.items() if self.task in UNTIED else ():
            if came:
                refuse(path, f"{other}, as {self.task} has no exchangeable bits", came)
        for path, (came, other) in alike.items() if machine.encoding == "tied" else ():
            if came:
                refuse(path, f"{other}, as the tied encoding treats bits alike anyway", came)
        if machine.alike and not machine.per_bit:
            refuse(("machine", "alike"), "machine.per_bit: true beside it, or all bits are "
                   "answered the same", True)  # fmt: skip
        if machine.alike and isinstance(evolve, NEAT):
            refuse(("machine", "alike"), "false, as neat draws all weights anew", True)

    def _room_for_every_bit(self) -> None:
        """Refuse blocks of a unit a bit where a layer or the memory lacks room for some."""
        bits = _bits(self.with_)
        if not isinstance(bits, int):
            return
        tied = ", as they are tied" if self.machine.encoding == "tied" else ""
        layers = [(("machine", "units", n), units) for n, units in enumerate(self.machine.units)]
        for path, count in [*layers, (("machine", "width"), self.machine.width)]:
            if count < bits:
                refuse(path, f"at least one for each of {bits} bits{tied}", count)

    def _stage(self, number: int, stage: Stage) -> None:
        path: Path = ("curriculum", number)
        last = number == len(self.curriculum) - 1
        if last and stage.until is not None:
            refuse((*path, "until"), "no gate in the last stage, as no stage follows", stage.until)
        if not last and stage.until is None:
            refuse((*path, "until"), "a gate to the next stage, or the curriculum never ends", None)
        self._known_measures(stage.until, (*path, "until"))
        settings = self._changed(stage.with_, (*path, "with"))
        if _bits(settings) != _bits(self.with_):
            self._refuse_bits(settings, (*path, "with"), "in `with`")
        if stage.rows is not None:
            self.machine.enough_rows(stage.rows[0], *path, "rows")
        if stage.patience is not None and self.evolve.progress_in != "stage":
            refuse((*path, "patience"), "evolve.progress_in: stage, where it applies",
                   stage.patience)  # fmt: skip

    def _part(self, part: Part, path: Path) -> None:
        self._known_measures(part.at_most, (*path, "at_most"))
        settings = self._changed(part.with_, (*path, "with"))
        if self.machine.encoding != "tied" and _bits(settings) != _bits(self.with_):
            self._refuse_bits(settings, (*path, "with"), f"the encoding is {self.machine.encoding}")
        self.machine.enough_rows(part.rows, *path, "rows")

    def _refuse_bits(self, settings: Settings, path: Path, why: str) -> NoReturn:
        """Refuse other bits, where they are set or where they follow from what is."""
        if "bits" in type(settings).model_fields:
            refuse((*path, "bits"), f"{_bits(self.with_)}, as {why}", _bits(settings))
        refuse(path, f"settings that make {_bits(self.with_)} bits, as {why}", _bits(settings))

    def _known_measures(self, thresholds: Mapping[str, float] | None, path: Path) -> None:
        for measure in thresholds or {}:
            if not known_measure(self.task, measure):
                suggestion = nearest(measure, measures(self.task))
                refuse((*path, measure), f"a measure of {self.task}", measure, suggestion)

    def _changed(self, changes: Mapping[str, Any], path: Path) -> Settings:
        told = {**self.with_.model_dump(by_alias=True), **changes}
        return within(path, type(self.with_), told)

    def settings(self, changes: Mapping[str, Any] | None = None) -> Settings:
        """Give the task's settings as a stage or a part of the exam changes them."""
        return self._changed(changes or {}, ("with",))

    def with_seed(self, seed: int) -> "Experiment":
        """Give the same experiment with another seed, recorded as `--set` would."""
        return self.model_copy(
            update={
                "evolve": self.evolve.model_copy(update={"seed": seed}),
                "overrides": (*self.overrides, f"evolve.seed={seed}"),
            }
        )

    def rows_of(self, stage: int = -1) -> tuple[int, int]:
        """Give the least and the most memory rows of a stage of the curriculum, or of the last."""
        begun = self.curriculum[: stage + 1 or None]
        told = [each.rows for each in begun if each.rows is not None]
        return told[-1] if told else self.machine.rows

    def patience_in(self, stage: int) -> int | None:
        """Tell the patience of a stage of the curriculum, if it has one of its own."""
        return self.curriculum[stage].patience if self.curriculum else None

    @property
    def environment(self) -> str | None:
        """Name the environment of Gymnasium that is acted in, if it is one."""
        return self.with_.id if isinstance(self.with_, GymnasiumSettings) else None

    @property
    def task_in_words(self) -> str:
        """Name the task, and of Gymnasium's the environment."""
        return self.task if self.environment is None else f"{self.task} ({self.environment})"

    @property
    def task_hash(self) -> str:
        """Name what is to be solved: task, with, curriculum and exam."""
        return _hash(self, {"task", "with_", "curriculum", "exam"})

    @property
    def config_hash(self) -> str:
        """Name how evolution goes: all but tuning, where it is computed and how it is called."""
        keys = {*type(self).model_fields} - {"run", "name", "overrides", "finetune"}
        return _hash(self, keys, finetune=None)


def _bits(settings: Settings) -> int | None:
    return getattr(settings, "bits", None)


def _hash(experiment: Experiment, keys: set[str], **also: None) -> str:
    told = {**experiment.model_dump(mode="json", by_alias=True, include=keys), **also}
    # So that runs from before there were tapes, or graphs, keep their hashes.
    if "machine" in told and experiment.machine.controller != "graph":
        del told["machine"]["connected"]
        for key in ("nodes", "connections"):
            del told["machine"]["bounds"][key]
    for key in ("recurrent", "per_bit", "alike"):
        if "machine" in told and not getattr(experiment.machine, key):
            del told["machine"][key]
    if "machine" in told and not experiment.machine.tape_heads:
        for key in ("tape_heads", "tape"):
            del told["machine"][key]
        del told["machine"]["bounds"]["tape_heads"]
    evolve = told.get("evolve", {})
    operators = evolve.get("operators", {}).values()
    # Nor does a setting change them that came later and is not set.
    for settings in (*told["curriculum"], evolve, evolve.get("hardest") or {}, *operators):
        for key, unset in LATER.items():
            if key in settings and settings[key] == unset:
                del settings[key]
    if experiment.task == "priority_sort" and not told["with"]["in_order"]:
        del told["with"]["in_order"]
    return hashlib.blake2b(canonical(told).encode(), digest_size=16).hexdigest()
