"""Text for a screen: what transcripts say made harmless, display widths, colour, and tables that fit a width.

Widths are terminal columns. Characters that East Asian fonts show either way count one, as most terminals do.
Not handled: right-to-left text, which a terminal that reorders may show in another order inside its cell; flags and
other sequences that a font draws as one picture take the columns of their parts.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ELLIPSIS = "…"
RESET = "\x1b[0m"
BOLD, DIM, CYAN, YELLOW = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[33m"

_RULES = ("┌┬┐", "├┼┤", "└┴┘")
_SPACES = "\t\n\v\f\r\x85\u2028\u2029"  # they part words: removing them would join these
_VARIATIONS = range(
    0xFE00, 0xFE10
)  # "as text", "as emoji": terminals disagree about the width, without them they agree
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_JAMO_TAILS = range(0x1160, 0x1200)  # vowels and finals, drawn into the syllable before them


def clean(text: str) -> str:
    """*text* without control, format and line-separator characters and variation selectors; half a surrogate pair,
    which no terminal can be sent, becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_clean_character, text))


def _clean_character(c: str) -> str:
    if c in _SPACES:
        return " "
    if ord(c) in _VARIATIONS or unicodedata.category(c) in ("Cc", "Cf"):
        return ""
    return "\ufffd" if "\ud800" <= c <= "\udfff" else c


def display_width(text: str) -> int:
    """Terminal columns that *text*, as `clean` leaves it, takes."""
    return len(text) if text.isascii() else _wide_text(text)


@lru_cache(4096)  # the same few model names and titles, row after row
def _wide_text(text: str) -> int:
    width = before = 0
    for c in text:
        columns = character_width(c, before)
        width += columns
        before = columns or before
    return width


def character_width(c: str, before: int = 0) -> int:
    """Columns of *c* after a character of *before* columns: a skin tone is drawn into the emoji before it."""
    if c.isascii():
        return 1
    code = ord(c)
    if unicodedata.category(c) in ("Mn", "Me", "Cf") or code in _JAMO_TAILS or (code in _SKIN_TONES and before == 2):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def cut(text: str, width: int) -> str:
    """*text* in at most *width* columns, an ellipsis in place of what does not fit."""
    if display_width(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, _ = _split(text, width - 1)
    return kept + ELLIPSIS


def _split(text: str, width: int) -> tuple[str, str]:
    """As much of *text* as *width* columns hold, and the rest."""
    used = before = 0
    for at, c in enumerate(text):
        columns = character_width(c, before)
        if used + columns > width:
            return text[:at], text[at:]
        used += columns
        before = columns or before
    return text, ""


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """*text* in lines of at most *width* columns, broken at spaces, a longer word wherever it must be; the lines after
    the first begin with *indent*. A character wider than a whole line (there is one column) is left out."""
    indent = indent if len(indent) + 2 <= width else ""
    lines: list[str] = []
    start = line = ""
    for word in text.split():
        if line != start and display_width(f"{line} {word}") <= width:
            line = f"{line} {word}"
            continue
        if line != start:
            lines.append(line)
            start = line = indent
        line += word
        while display_width(line) > width:
            piece, line = _split(line, width)
            if piece != start:
                lines.append(piece)
                start = indent
            line = indent + (line if piece != start else line[1:])
    return [*lines, line] if line != start else lines


class Column:
    """One column: its cells, all lines of all rows, and how far its cells may be cut.

    `floor` is the least width it may be cut to, headers apart; None: not at all.
    """

    __slots__ = ("cells", "floor", "header", "right", "width")

    def __init__(self, header: str, cells: list[str], *, right: bool = False, floor: int | None = None) -> None:
        self.header = header
        self.cells = cells
        self.right = right
        self.floor = floor
        self.width = _widest(cells)


def fit(columns: Sequence[Column], width: int, pad: int = 1) -> list[int] | None:
    """Widths at which the table of *columns* takes at most *width* columns of the screen; None if there are none.

    First as wide as everything is, then with headers on two lines, then with the cells cut that may be cut. *pad*: the
    spaces on each side of a cell.
    """
    room = width - _frame(len(columns), pad)
    widths = [max(c.width, len(c.header)) for c in columns]
    if sum(widths) > room:
        widths = [max(c.width, _longest_word(c.header)) for c in columns]
    return _squeezed(columns, widths, sum(widths) - room)


def least_width(columns: Sequence[Column], pad: int = 1) -> int:
    """The narrowest screen that `fit` finds widths for."""
    return _frame(len(columns), pad) + sum(_floor(c) for c in columns)


def _frame(columns: int, pad: int) -> int:
    return columns + 1 + 2 * pad * columns


def _floor(column: Column) -> int:
    widest = column.width if column.floor is None else min(column.width, column.floor)
    return max(widest, _longest_word(column.header))


def _longest_word(header: str) -> int:
    return max(map(len, header.split()))


def _squeezed(columns: Sequence[Column], widths: list[int], excess: int) -> list[int] | None:
    """*widths* less *excess* columns, taken where cells may be cut, the first such column first."""
    excess = max(excess, 0)
    for at, column in enumerate(columns):
        given = min(excess, widths[at] - _floor(column))
        widths[at] -= given
        excess -= given
    return None if excess else widths


def _widest(cells: Sequence[str]) -> int:
    return max(map(len if _all_ascii(cells) else display_width, cells), default=0)


def _all_ascii(cells: Sequence[str]) -> bool:
    return "".join(cells).isascii()  # five times as fast as asking every cell


def draw(columns: Sequence[Column], widths: Sequence[int], styles: Sequence[str], pad: int = 1) -> list[str]:
    """The lines of the table, its last row parted from the others by a rule.

    *styles* holds an escape sequence or "" for every row; all of them "": no colour.
    """
    padded = [_padded(c.cells, w, c.right) for c, w in zip(columns, widths, strict=True)]
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
    """The padded cells of the header's lines: two where a header is wider than its column."""
    split = [[c.header] if len(c.header) <= w else c.header.split() for c, w in zip(columns, widths, strict=True)]
    lines = max(map(len, split))
    filled = [words + [""] * (lines - len(words)) for words in split]
    padded = [_padded(words, w, c.right) for words, w, c in zip(filled, widths, columns, strict=True)]
    return list(zip(*padded, strict=True))


def _padded(cells: Sequence[str], width: int, right: bool) -> list[str]:
    """*cells* cut and filled up to *width* columns."""
    if _widest(cells) > width:
        cells = [cut(cell, width) for cell in cells]
    if not _all_ascii(cells):
        return [_pad(cell, width, right) for cell in cells]
    return [cell.rjust(width) for cell in cells] if right else [cell.ljust(width) for cell in cells]


def _pad(cell: str, width: int, right: bool) -> str:
    fill = " " * (width - display_width(cell))
    return fill + cell if right else cell + fill


def box(title: str, width: int) -> list[str]:
    """*title* in a frame, or bare where there is no room for one."""
    inner = display_width(title) + 4
    if inner + 2 > width:
        return wrap(title, width)
    return [f"╭{'─' * inner}╮", f"│  {title}  │", f"╰{'─' * inner}╯"]
