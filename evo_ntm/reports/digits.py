"""Numbers as people read them: few digits, commas between thousands, a true minus sign."""

from collections.abc import Sequence
from math import floor, isfinite, log10
from statistics import median

DIGITS, MOST_DECIMALS = 3, 4
MINUS, THIN, UNKNOWN = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}", "\N{EM DASH}"


def number(value: float | None, decimals: int | None = None, *, signed: bool = False) -> str:
    """Write a number with three digits, or with so many decimals; a dash for what is unknown."""
    if value is None or not isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{decimals_of([value]) if decimals is None else decimals}f}"
    sign = "" if text.strip("0.,") == "" else MINUS if value < 0 else "+" if signed else ""
    return sign + text


def share(value: float | None, decimals: int = 1) -> str:
    """Write a share in percent."""
    return UNKNOWN if value is None else f"{number(100 * value, decimals)}{THIN}%"


def times(many: int) -> str:
    """Say how many times."""
    return {1: "once", 2: "twice"}.get(many, f"{number(many, 0)} times")


def decimals_of(values: Sequence[float | None]) -> int:
    """Choose as many decimals as give the middle one of the sizes three digits."""
    sizes = [abs(value) for value in values if value is not None and isfinite(value) and value]
    if not sizes:
        return 0
    if all(size == round(size) for size in sizes):
        return 0
    return min(max(DIGITS - 1 - floor(log10(median(sizes))), 0), MOST_DECIMALS)


def clock(seconds: float) -> str:
    """Write a time in the units that suit it."""
    if seconds < 60:
        return f"{number(seconds, 1)}{THIN}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    told = [f"{hours}{THIN}h"] if hours else []
    return " ".join([*told, f"{minutes}{THIN}min", *([] if hours else [f"{rest}{THIN}s"])])
