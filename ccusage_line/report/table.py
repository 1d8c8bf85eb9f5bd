"""Colour, and tables that fit a width in terminal columns (see `text`)."""

from __future__ import annotations

from ..text import cut_distinctly, display_width, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

RESET = "\x1b[0m"
BOLD, DIM, RED, GREEN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m"
CYAN, YELLOW = "\x1b[36m", "\x1b[33m"

_RULES = ("┌┬┐", "├┼┤", "└┴┘")


class Column:
    """One column: the cells of all rows, and the minimum width to which they may be cut (`floor`; None: not at all)."""

    __slots__ = ("cells", "floor", "header", "right", "width")

    def __init__(self, header: str, cells: list[str], *, right: bool = False, floor: int | None = None) -> None:
        self.header = header
        self.cells = cells
        self.right = right
        self.floor = floor
        self.width = _widest(cells)


def fit(columns: Sequence[Column], width: int, pad: int = 1) -> list[int] | None:
    """Return the widths with which the table fits in *width* columns of the screen, or None if there are none.

    Tries full widths first, then headers on two lines, then cuts the cells that may be cut. *pad*: spaces on each side
    of a cell.
    """
    room = width - _frame(len(columns), pad)
    widths = [max(c.width, len(c.header)) for c in columns]
    if sum(widths) > room:
        widths = [max(c.width, _longest_word(c.header)) for c in columns]
    return _squeeze(columns, widths, sum(widths) - room)


def whole_width(columns: Sequence[Column], pad: int = 1) -> int:
    """Return the width of the narrowest screen on which `fit` cuts no cell."""
    return _frame(len(columns), pad) + sum(max(c.width, _longest_word(c.header)) for c in columns)


def least_width(columns: Sequence[Column], pad: int = 1) -> int:
    """Return the width of the narrowest screen on which `fit` succeeds."""
    return _frame(len(columns), pad) + sum(_floor(c) for c in columns)


def _frame(columns: int, pad: int) -> int:
    return columns + 1 + 2 * pad * columns


def _floor(column: Column) -> int:
    widest = column.width if column.floor is None else min(column.width, column.floor)
    return max(widest, _longest_word(column.header))


def _longest_word(header: str) -> int:
    return max(map(len, header.split()))


def _squeeze(columns: Sequence[Column], widths: list[int], excess: int) -> list[int] | None:
    """Narrow the first columns that may be cut by *excess* columns in all, or return None if that is impossible."""
    excess = max(excess, 0)
    for at, column in enumerate(columns):
        taken = min(excess, widths[at] - _floor(column))
        widths[at] -= taken
        excess -= taken
    return None if excess else widths


def _widest(cells: Sequence[str]) -> int:
    return max(map(len if _all_ascii(cells) else display_width, cells), default=0)


def _all_ascii(cells: Sequence[str]) -> bool:
    return "".join(cells).isascii()  # five times as fast as a call for every cell


def draw(columns: Sequence[Column], widths: Sequence[int], styles: Sequence[str], pad: int = 1) -> list[str]:
    """Return the lines of the table, with a rule before its last row.

    *styles* holds an escape sequence or "" for every row; if all are "", there is no colour.
    """
    padded = [_pad_cells(c.cells, w, c.right) for c, w in zip(columns, widths, strict=True)]
    edge = " " * pad
    left, middle, right = f"│{edge}", f"{edge}│{edge}", f"{edge}│"
    rows = [left + middle.join(row) + right for row in zip(*padded, strict=True)]
    for at, style in enumerate(styles):
        if style:
            rows[at] = left + middle.join([f"{style}{cells[at]}{RESET}" for cells in padded]) + right
    heads = [
        left + middle.join([f"{CYAN}{cell}{RESET}" if any(styles) else cell for cell in line]) + right
        for line in _header(columns, widths)
    ]
    top, rule, bottom = (ends[0] + ends[1].join("─" * (w + 2 * pad) for w in widths) + ends[2] for ends in _RULES)
    *rows, total = rows
    return [top, *heads, rule, *rows, *([rule] if rows else []), total, bottom]


def _header(columns: Sequence[Column], widths: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the padded cells of the header lines: two lines if a header is wider than its column."""
    split = [[c.header] if len(c.header) <= w else c.header.split() for c, w in zip(columns, widths, strict=True)]
    lines = max(map(len, split))
    filled = [words + [""] * (lines - len(words)) for words in split]
    padded = [_pad_cells(words, w, c.right) for words, w, c in zip(filled, widths, columns, strict=True)]
    return list(zip(*padded, strict=True))


def _pad_cells(cells: Sequence[str], width: int, right: bool) -> list[str]:
    """Cut or pad *cells* to *width* columns."""
    if _widest(cells) > width:
        cells = cut_distinctly(cells, width)
    if not _all_ascii(cells):
        return [_pad(cell, width, right) for cell in cells]
    return [cell.rjust(width) for cell in cells] if right else [cell.ljust(width) for cell in cells]


def _pad(cell: str, width: int, right: bool) -> str:
    fill = " " * (width - display_width(cell))
    return fill + cell if right else cell + fill


def box(title: str, width: int) -> list[str]:
    """Return *title* in a frame, or without one if it does not fit."""
    inner = display_width(title) + 4
    if inner + 2 > width:
        return wrap(title, width)
    return [f"╭{'─' * inner}╮", f"│  {title}  │", f"╰{'─' * inner}╯"]


def paint(line: str, style: str, color: bool) -> str:
    return f"{style}{line}{RESET}" if color else line
