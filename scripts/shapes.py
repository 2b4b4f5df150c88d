"""Let the machine be imported where jaxtyping is not installed, of which it needs no more to run.

To be imported before anything of `evo_ntm`.
"""

import importlib.util
import sys
from types import ModuleType


class Shape:
    """Stands in for a type with a shape."""

    def __class_getitem__(cls, told: tuple[object, str]) -> object:
        return told[0]


if importlib.util.find_spec("jaxtyping") is None:
    standing = ModuleType("jaxtyping")
    standing.Bool = standing.Float = standing.Int = Shape  # type: ignore[attr-defined]
    sys.modules["jaxtyping"] = standing
