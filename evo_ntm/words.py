"""Counting in words, as everybody here does it."""


def counted(number: int, noun: str) -> str:
    """Count something, one or several, with commas between thousands."""
    return f"{number:,} {plural(number, noun)}"


def plural(number: int, noun: str) -> str:
    """Give a noun as its number asks for."""
    return noun if number == 1 else f"{noun}s"
