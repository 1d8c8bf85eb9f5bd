"""Text for a screen: what transcripts say made harmless, and the columns it takes.

Widths are terminal columns. Characters that East Asian fonts show either way count one, as most terminals do.
Not handled: right-to-left text, which a terminal that reorders may show in another order inside its cell; flags and
other sequences that a font draws as one picture take the columns of their parts.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ELLIPSIS = "…"
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
