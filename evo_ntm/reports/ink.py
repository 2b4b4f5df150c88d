"""Ink: numbers as colours, white for nothing. All scales are safe for colour-blind eyes.

The vermilion of wrong answers is Okabe and Ito's (2008), the brown to teal of signed numbers is
Brewer's BrBG (2003) with a white middle; the other scales differ in lightness alone.
"""

import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Ink = NDArray[np.float64]
"""Red, green and blue from 0 to 1, [rows, steps, 3]."""

BITS = LinearSegmentedColormap.from_list("bits", ["#ffffff", "#1a1a1a"])
WRONG = LinearSegmentedColormap.from_list("wrong", ["#f9b27c", "#d55e00", "#8a3300"])
WEIGHTS = LinearSegmentedColormap.from_list(
    "weights", ["#ffffff", "#9ecae1", "#3182bd", "#08519c", "#04214a"]
)
VECTORS = LinearSegmentedColormap.from_list(
    "vectors",
    ["#543005", "#a6611a", "#dfc27d", "#ffffff", "#80cdc1", "#018571", "#003c30"],
)
NOT_ASKED = np.array([0.91, 0.915, 0.93])


def ink(scale: Colormap, numbers: Numbers, low: float = 0.0, high: float = 1.0) -> Ink:
    """Colour numbers from low to high; beyond them the ends are used, and NaN stays white."""
    shares = np.clip((numbers - low) / (high - low), 0.0, 1.0)
    coloured: Ink = np.asarray(scale(np.nan_to_num(shares)))[..., :3]
    return np.where(np.isnan(numbers)[..., None], 1.0, coloured)


def largest(*several: Numbers) -> float:
    """Find the largest size of finite numbers, 1 where there is none but zeros."""
    sizes = [np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0) for numbers in several]
    return float(max(sizes, default=0.0)) or 1.0
