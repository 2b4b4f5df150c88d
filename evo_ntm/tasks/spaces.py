"""What environments of Gymnasium show and are told, as numbers in a row.

What is seen is laid out as Gymnasium itself does: numbers as they are, choices one-hot, and parts
one after another. What is told is read from sigmoids and largest numbers.
"""

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo_ntm.errors import TaskError

Logits = NDArray[np.float64]
MOST = 2**17
"""Numbers that a machine may see, or answer: a picture of an arcade game has 100,800."""


def gymnasium() -> Any:
    """Import Gymnasium. Raises TaskError where it is not installed."""
    try:
        return import_module("gymnasium")
    except ModuleNotFoundError:
        raise TaskError(
            "expected the package gymnasium, but it is not installed: pip install "
            "'evo-ntm[gymnasium]'"
        ) from None


def senses(space: Any, name: str) -> int:
    """Count the numbers in which a space of observations is laid out. Raises TaskError."""
    count = int(gymnasium().spaces.flatdim(space)) if _is_laid_out(space) else None
    if count == 0:
        raise TaskError(f"expected observations of at least one number, but those of {name} have "
                        f"none: {space}")  # fmt: skip
    if count is None:
        raise TaskError(
            "expected observations of Box, Discrete, MultiBinary, MultiDiscrete, Tuple or Dict, "
            f"but those of {name} are {space}"
        )
    return _bounded(count, "observations", name)


def _is_laid_out(space: Any) -> bool:
    """Tell whether a space, and every part of it, is of a kind whose numbers mean something."""
    kinds = gymnasium().spaces
    if isinstance(space, kinds.Tuple):
        return all(map(_is_laid_out, space))
    if isinstance(space, kinds.Dict):
        return all(map(_is_laid_out, space.values()))
    plain = kinds.Box, kinds.Discrete, kinds.MultiBinary, kinds.MultiDiscrete
    return isinstance(space, plain)


def seen(space: Any, observation: Any) -> NDArray[np.float32]:
    """Lay out what is seen."""
    if hasattr(space, "start") and hasattr(space, "n"):  # by far the fastest way, of Discrete
        return np.asarray(_one_hot(int(space.n))[int(observation - space.start)])
    if type(observation) is tuple:
        return np.concatenate([seen(*pair) for pair in zip(space, observation, strict=True)])
    laid = gymnasium().spaces.flatten(space, observation)
    return np.asarray(laid, dtype=np.float32)


def observed(space: Any, observation: Any, size: int) -> NDArray[np.float32]:
    """Lay out what is seen. Raises ValueError where it is not so many finite numbers."""
    laid = seen(space, observation)
    if laid.shape != (size,):
        raise ValueError(f"it shows {laid.size} of {size} numbers")
    return np.asarray(finite(laid, "observation"))


def finite(value: Any, what: str) -> Any:
    """Refuse what is no number. Raises ValueError."""
    if not np.isfinite(value).all():
        raise ValueError(f"its {what} is no number")
    return value


def over(ended: Any, cut: Any) -> bool:
    """Tell whether an episode has ended. Raises ValueError where that is neither true nor false."""
    for what, told in (("terminated", ended), ("truncated", cut)):
        if told not in (False, True):  # NaN is true to Python
            raise ValueError(f"its {what} is neither true nor false")
    return bool(ended or cut)


@lru_cache
def _one_hot(count: int) -> NDArray[np.float32]:
    return np.eye(count, dtype=np.float32)


def answers(space: Any, name: str) -> int:
    """Count the outputs that choose from a space of actions. Raises TaskError."""
    return _bounded(_outputs(space, name), "actions", name)


def _outputs(space: Any, name: str) -> int:
    kinds = gymnasium().spaces
    if isinstance(space, kinds.Discrete):
        return int(space.n)
    if isinstance(space, kinds.MultiDiscrete):
        return int(space.nvec.sum())
    if isinstance(space, kinds.MultiBinary):
        return int(np.prod(space.shape))
    if isinstance(space, kinds.Box) and space.is_bounded() and np.prod(space.shape):
        return int(np.prod(space.shape))
    raise TaskError(
        "expected actions of Discrete, MultiDiscrete, MultiBinary or a Box with bounds, but those "
        f"of {name} are {space}"
    )


def _bounded(count: int, what: str, name: str) -> int:
    if count > MOST:
        raise TaskError(f"expected {what} of at most {MOST:,} numbers, but those of {name} have "
                        f"{count:,}")  # fmt: skip
    return count


def is_choice(space: Any) -> bool:
    """Tell whether an action is one of several."""
    return bool(isinstance(space, gymnasium().spaces.Discrete))


def largest(space: Any, logits: Logits) -> NDArray[np.int64] | None:
    """Choose for many at once from Discrete actions; None of others."""
    if not is_choice(space):
        return None
    return np.asarray(space.start + logits.argmax(-1), dtype=space.dtype)


def told(space: Any, logits: Logits) -> Any:
    """Choose from a space of actions: the largest, or numbers between the bounds of a Box."""
    kinds = gymnasium().spaces
    if isinstance(space, kinds.Discrete):
        return space.dtype.type(space.start + logits.argmax())
    if isinstance(space, kinds.MultiDiscrete):
        parts = np.split(logits, np.cumsum(space.nvec.ravel())[:-1])
        chosen = np.array([part.argmax() for part in parts]).reshape(space.shape)
        return (space.start + chosen).astype(space.dtype)
    if isinstance(space, kinds.MultiBinary):
        return (logits > 0).reshape(space.shape).astype(space.dtype)
    share = 1 / (1 + np.exp(-logits.clip(-500, 500))).reshape(space.shape)
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    number = low + share * (high - low)
    whole = np.issubdtype(space.dtype, np.integer)
    return np.clip(np.round(number) if whole else number, low, high).astype(space.dtype)
