"""Colours: those of data do on light and on dark paper alike, those of the page come in pairs.

Data are told apart by eyes of every kind: the hues are those of Okabe and Ito (2008), made a little
darker or lighter, so that each has a contrast of 3 to 1 at least on both papers.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

BLUE, GREEN, RED, PINK = "#1a7fc0", "#0b9270", "#d55e00", "#c0699a"
GREY, AMBER, BROWN = "#808792", "#c98500", "#8a6d3b"
NEUTRAL = "#767b85"
"""For words and lines of a figure whose paper is not known."""

SERIES = (BLUE, RED, GREEN, PINK, AMBER, BROWN, "#5a6fc4", "#4f9aa8")
DASHES: tuple[Literal["solid", "dash", "dot"], ...] = ("solid", "dash", "dot")
SHAPES = ("circle", "diamond", "square", "triangle-up", "star", "cross")
"""Of several series, told apart by more than colours."""

VERDICTS: Mapping[str, str] = MappingProxyType({
    "founder": BLUE, "beneficial": GREEN, "neutral": GREY, "deleterious": RED,
    "not measured": GREY,
})  # fmt: skip
SYMBOLS: Mapping[str, str] = MappingProxyType({
    "founder": "square", "beneficial": "triangle-up", "neutral": "circle",
    "deleterious": "triangle-down", "not measured": "circle-open",
})  # fmt: skip
"""Of verdicts, for whom colours say nothing."""

ENDINGS: Mapping[str, str] = MappingProxyType({
    "replaced": GREEN, "rejected": RED, "still on trial": AMBER, "dropped": GREY,
})  # fmt: skip

LIGHT: Mapping[str, str] = MappingProxyType({
    "paper": "#fdfcf8", "raised": "#f5f3ec", "ink": "#1d1c1a", "soft": "#5d5b55",
    "line": "#d9d5ca", "faint": "#ebe8df", "accent": "#14588a", "chosen": "#fdeec2",
    "gained": "#0a7a5e", "lost": "#b84a00", "warning": "#fbeedd",
})  # fmt: skip
DARK: Mapping[str, str] = MappingProxyType({
    "paper": "#16181c", "raised": "#1e2126", "ink": "#e8e4da", "soft": "#a5a299",
    "line": "#3b3f47", "faint": "#272a30", "accent": "#7db9e8", "chosen": "#463a17",
    "gained": "#3fc29a", "lost": "#f08a45", "warning": "#3a2a17",
})  # fmt: skip
"""The roles that colours of the page have, on light and on dark paper."""


def series(number: int) -> str:
    """Choose a colour for the n-th of several series."""
    return SERIES[number % len(SERIES)]
