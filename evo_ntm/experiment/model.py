"""The model that all settings share: frozen, strict, and closed to unknown keys."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen group of keys of a task file. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
