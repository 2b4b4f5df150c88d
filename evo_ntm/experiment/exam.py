"""What may be set of the curriculum and the exam."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from evo_ntm.experiment.model import Cells, Many, NumberOrRange, Positive, Settings, refuse

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
Name = Annotated[str, Field(min_length=1, max_length=200)]
Threshold = Annotated[float, Field(ge=0, le=10**9)]
Thresholds = Annotated[Mapping[Name, Threshold], Field(min_length=1)]
Changes = Mapping[str, Any]


class Stage(Settings):
    """A stage of the curriculum: what it changes of the task, and what opens the next."""

    with_: Annotated[
        Changes, Field(alias="with", description="the task's settings that this stage overrides")
    ]
    rows: Annotated[
        NumberOrRange | None,
        Field(description="memory rows from here on; null: those of the stage before, or machine"),
    ] = None
    until: Annotated[
        Thresholds | None,
        Field(description="opens the next stage once every measure has fallen to its value"),
    ] = None

    alone: Annotated[
        bool, Field(description="show nothing of the other stages as long as this is the top one")
    ] = False
    patience: Annotated[
        Positive | None,
        Field(description="generations without progress in it before a restart; null: evolve's"),
    ] = None


class Part(Settings):
    """A set of episodes that never changes: what is asked, and what passes."""

    name: Annotated[Name, Field(description="how tables call it")]
    with_: Annotated[
        Changes,
        Field(
            alias="with",
            default_factory=dict,
            description="the task's settings that this part overrides",
        ),
    ]
    rows: Annotated[Cells, Field(description="memory rows; of a tape also unbounded")]
    sequences: Annotated[Many, Field(description="how many sequences it has")]
    at_most: Annotated[
        Thresholds | None,
        Field(description="passed where no measure is above its value; null: only reported"),
    ] = None


Parts = Annotated[tuple[Part, ...], Field(min_length=1)]


class Exam(Settings):
    """The validation sets, which choose the champion, and the exam, which decides on success."""

    validation: Annotated[
        Parts, Field(description="chooses the champion; the exam is sat once all of it passes")
    ]
    parts: Annotated[Parts, Field(description="decides whether the task is solved")]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for number, part in enumerate(self.validation):
            if part.at_most is None:
                expected = "a value for a measure, as the exam is sat once all validation passes"
                refuse(("validation", number, "at_most"), expected, None)
        for key, parts in (("validation", self.validation), ("parts", self.parts)):
            names = [part.name for part in parts]
            for number, name in enumerate(names):
                if CONTROL.search(name):
                    refuse((key, number, "name"), "text without control characters", name)
                if name in names[:number]:
                    refuse((key, number, "name"), "a name that no other part has", name)
        return self
