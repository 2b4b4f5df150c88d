"""What may be set of the tasks that reward what is done, under the key `with`.

Source of the defaults: Greve, Jacobsen and Risi (2016) for `t_maze`, Lüders et al. (2017) for
`season`, Osband et al. (2020), Memory Length, for `memory_length`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from evo_ntm.experiment.model import Settings, refuse

Count = Annotated[int, Field(ge=1, le=10_000)]


class TMazeSettings(Settings):
    """Runs through a maze to one of its ends, the best of which is to be found and remembered."""

    maze: Annotated[
        Literal["single", "double"], Field(description="how often the way forks before an end")
    ] = "double"
    trials: Annotated[Count, Field(description="runs for each end of the maze")] = 5
    pairs: Annotated[
        Literal["all", "any"],
        Field(description="the best end first and then: all pairs in turn, or any by chance"),
    ] = "all"
    turn: Annotated[float, Field(gt=0, le=180, description="degrees of one turn")] = 22.0
    turn_signal: Annotated[bool, Field(description="tell where the way forks")] = True
    scorer: Annotated[
        Literal["logic", "reward"],
        Field(description="what fitness counts: sound choices, or what was earned"),
    ] = "logic"


class SeasonSettings(Settings):
    """Foods that come again each year; which are poisonous is to be learned once, and kept."""

    years: Annotated[Count, Field(description="years of a life")] = 3
    seasons: Annotated[Count, Field(description="seasons of a year, each with its own foods")] = 2
    fewest_days: Annotated[Count, Field(description="days of a season, at least")] = 5
    most_days: Annotated[Count, Field(description="days of a season, at most")] = 5
    foods: Annotated[Count, Field(description="foods of a season; each is shown every day")] = 4
    poisonous: Annotated[Count, Field(description="how many foods of a season are poisonous")] = 2
    steps: Annotated[int, Field(ge=2, le=1000, description="steps that a food is shown")] = 4
    feedback_always: Annotated[
        bool, Field(description="tell right from wrong also of a food that is left")
    ] = True
    first_day: Annotated[
        bool, Field(description="count the first day of each season, when nobody can know")
    ] = False

    @property
    def bits(self) -> int:
        """Count the foods of all seasons, which a tied encoding treats alike."""
        return self.seasons * self.foods

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.fewest_days > self.most_days:
            refuse(("fewest_days",), f"at most most_days ({self.most_days})", self.fewest_days)
        if self.poisonous >= self.foods:
            refuse(("poisonous",), f"less than foods ({self.foods})", self.poisonous)
        if not self.first_day and self.years * self.fewest_days < 2:
            refuse(("fewest_days",), "a day to be judged, as the first is not", self.fewest_days)
        return self


class MemoryLengthSettings(Settings):
    """Bits that are shown once; later one of them is asked for."""

    bits: Annotated[int, Field(ge=1, le=4096, description="bits to be kept")] = 1
    shortest: Annotated[Count, Field(description="steps until one is asked for, at least")] = 1
    longest: Annotated[Count, Field(description="steps until one is asked for, at most")] = 20

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shortest > self.longest:
            refuse(("shortest",), f"at most longest ({self.longest})", self.shortest)
        return self


class GymnasiumSettings(Settings):
    """Any environment of Gymnasium."""

    id: Annotated[
        str,
        Field(min_length=1, description="as gymnasium.make takes it, `module:` before it or not"),
    ] = "CartPole-v1"
    options: Annotated[
        Mapping[str, Any],
        Field(default_factory=dict, description="what else gymnasium.make is told"),
    ]
    steps: Annotated[
        Count, Field(description="an episode that has not ended by then is cut short")
    ] = 1000
    best: Annotated[
        float, Field(ge=-(10**9), le=10**9, description="the return that lacks nothing")
    ] = 1.0
    worst: Annotated[
        float, Field(ge=-(10**9), le=10**9, description="the return of an episode that failed")
    ] = -1.0
    foreseen: Annotated[
        bool,
        Field(description="no answer changes what is shown, or what others earn: each episode is "
                          "played once for every action, and not for every machine"),
    ] = False  # fmt: skip

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name, option in self.options.items():
            if not _written(option):
                expected = "true, false, null, a number, text, or a list or group of these"
                refuse(("options", name), expected, option)
        if self.worst >= self.best:
            refuse(("worst",), f"less than best ({self.best})", self.worst)
        return self


def _written(value: object) -> bool:
    """Tell whether a value can be written into a task file, and read again."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _written(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(map(_written, value))
    return value is None or isinstance(value, bool | int | float | str)


REWARD_SETTINGS: dict[str, type[Settings]] = {
    "t_maze": TMazeSettings,
    "season": SeasonSettings,
    "memory_length": MemoryLengthSettings,
    "gymnasium": GymnasiumSettings,
}
