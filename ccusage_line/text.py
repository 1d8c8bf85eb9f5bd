"""Text for a screen: what transcripts say made harmless, and the columns it takes.

Widths are terminal columns. Characters that East Asian fonts show either way count one, as most terminals do.
Not handled: right-to-left text, which a terminal that reorders may show in another order inside its cell; flags and
other sequences that a font draws as one picture take the columns of their parts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ELLIPSIS = "…"
_SPACES = "\t\n\v\f\r\x85\u2028\u2029"  # they part words: removing them would join these
# "as text", "as emoji": terminals disagree about the width, without them they agree
_VARIATIONS = range(0xFE00, 0xFE10)
_PRIVATE = range(0xE000, 0xF900)  # icons of patched fonts
_SKIN_TONES = range(0x1F3FB, 0x1F400)
# wide since Unicode 16, which not every Python knows: trigrams, hexagrams, counting rods
_WIDENED = ((0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D376))
_JAMO_TAILS = range(0x1160, 0x1200)  # vowels and finals, drawn into the syllable before them


def clean(text: str) -> str:
    """*text* without control, format and line-separator characters and variation selectors; half a surrogate pair,
    which no terminal can be sent, becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_clean_character, text))


def _clean_character(c: str) -> str:
    if (c.isprintable() and ord(c) not in _VARIATIONS) or ord(c) in _PRIVATE:
        return c
    if c in _SPACES:
        return " "
    from unicodedata import category  # most texts do without this import

    if ord(c) in _VARIATIONS or category(c) in ("Cc", "Cf"):
        return ""
    return "\ufffd" if "\ud800" <= c <= "\udfff" else c


def display_width(text: str) -> int:
    """Terminal columns that *text*, as `clean` leaves it, takes."""
    if text.isascii():
        return len(text)
    if text not in _widths:
        width = before = 0
        for c in text:
            columns = character_width(c, before)
            width += columns
            before = columns or before
        _widths[text] = width
    return _widths[text]


_widths: dict[str, int] = {}  # the same few model names and titles, row after row


def character_width(c: str, before: int = 0) -> int:
    """Columns of *c* after a character of *before* columns: a skin tone is drawn into the emoji before it."""
    if c.isascii():
        return 1
    from unicodedata import category, east_asian_width

    code = ord(c)
    if category(c) in ("Mn", "Me", "Cf") or code in _JAMO_TAILS or (code in _SKIN_TONES and before == 2):
        return 0
    return 2 if east_asian_width(c) in "WF" or any(first <= code <= last for first, last in _WIDENED) else 1


def cut(text: str, width: int) -> str:
    """*text* in at most *width* columns, an ellipsis in place of what does not fit."""
    if display_width(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, _ = _split(text, width - 1)
    return kept + ELLIPSIS


def cut_apart(texts: Sequence[str], width: int) -> list[str]:
    """Each of *texts* in at most *width* columns, an ellipsis within what does not fit: where in it is the same for all
    of them, and such that as many as can be told apart stay different."""
    whole = {text for text in texts if display_width(text) <= width}
    long = sorted({*texts} - whole)
    if not long or width < 3:
        return [cut(text, width) for text in texts]
    usual = (width - 1) * 2 // 3
    found: dict[str, str] = {}
    for head in sorted(range(1, width - 1), key=lambda head: abs(head - usual)):
        forms = {text: _without_middle(text, head, width - 1 - head) for text in long}
        if len(whole | {*forms.values()}) > len(whole | {*found.values()}):
            found = forms
        if len(whole | {*found.values()}) == len(whole) + len(long):
            break
    return [found.get(text, text) for text in texts]


def _without_middle(text: str, head: int, tail: int) -> str:
    """The first *head* and the last *tail* columns of *text*, which has more."""
    end = _split(text, display_width(text) - tail)[1]
    while display_width(end) > tail:  # a wide character stands in the way
        end = end[1:]
    return _split(text, head)[0] + ELLIPSIS + end


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


def beside(label: str, text: str, indent: int, width: int) -> list[str]:
    """*text* in lines of at most *width* columns behind a *label* that takes *indent* of them."""
    first, *more = wrap(text, max(width - indent, 1)) or [""]
    return [f"{label}{first}".rstrip(), *(" " * indent + line for line in more)]


def number_of(number: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def human_size(size: int) -> str:
    """Bytes as people read them: `512 bytes`, `1.2 MB`."""
    if size < 1000:
        return f"{size} bytes"
    units = ("kB", "MB", "GB", "TB")
    power = min((len(str(size)) - 1) // 3, len(units))
    return f"{size / 1000**power:,.1f} {units[power - 1]}"
