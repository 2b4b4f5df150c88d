"""How tables are laid out: no word is ever cut, however narrow the terminal."""

import sys
from collections.abc import Mapping
from textwrap import wrap

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

GAP, NARROW_GAP = 3, 2
NARROWEST = 20


def new_table(*columns: str) -> Table:
    """Begin a table with these headings."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    return table


def show_table(table: Table) -> None:
    """Print a table to stdout: as wide as it is where nobody looks, else as wide as fits.

    What cannot be as narrow as the terminal is printed a row after the other, each as a list.
    """
    natural, least = _widths(table)
    gaps, width = len(natural) - 1, _terminal()
    if width is None or sum(natural) + GAP * gaps <= width:
        _print(table, sum(natural) + GAP * gaps)
    elif (room := width - NARROW_GAP * gaps) >= sum(least):
        table.padding = (0, NARROW_GAP - 1, 0, 0)
        for column, fitted in zip(table.columns, _fitted(natural, least, room), strict=True):
            column.width = fitted
        _print(table, width)
    else:
        for name, facts in _rows(table):
            print(name)
            show_facts(facts, indent=2)


def show_facts(facts: Mapping[str, str], *, indent: int = 0) -> None:
    """Print facts by their names to stdout, a line each where the terminal is wide enough."""
    width = _terminal()
    longest = max(map(len, facts), default=0)
    for name, told in facts.items():
        margin = " " * indent + f"{name:<{longest}}  "
        room = width - len(margin) if width is not None else len(told) + 1
        lines = wrap(told, max(room, NARROWEST), break_long_words=False, break_on_hyphens=False)
        for number, line in enumerate(lines or [""]):
            print(((" " * len(margin) if number else margin) + line).rstrip())


def _terminal() -> int | None:
    return Console().width if sys.stdout.isatty() else None


def _print(shown: RenderableType, width: int) -> None:
    Console(width=width, highlight=False, markup=False).print(shown)


def _cells(table: Table) -> list[list[str]]:
    """List the columns with their headings first, as texts."""
    return [[str(cell) for cell in (column.header, *column.cells)] for column in table.columns]


def _widths(table: Table) -> tuple[list[int], list[int]]:
    """Tell how wide columns are, and how narrow they may be."""
    columns = _cells(table)
    natural = [max(map(cell_len, cells)) for cells in columns]
    words = [[word for cell in cells for word in cell.split()] for cells in columns]
    return natural, [max(map(cell_len, each), default=0) for each in words]


def _fitted(natural: list[int], least: list[int], room: int) -> list[int]:
    """Take from the column with the most to spare until all fit."""
    fitted = list(natural)
    while sum(fitted) > room:
        spare = [wide - narrow for wide, narrow in zip(fitted, least, strict=True)]
        fitted[spare.index(max(spare))] -= 1
    return fitted


def _rows(table: Table) -> list[tuple[str, dict[str, str]]]:
    """List the rows: the first cell, and the others by their headings where there is anything."""
    headings, *rows = zip(*_cells(table), strict=True)
    told = []
    for name, *cells in rows:
        facts = {head: cell for head, cell in zip(headings[1:], cells, strict=True) if cell}
        told.append((f"{name}: {facts.pop('')}" if "" in facts else name, facts))
    return told
