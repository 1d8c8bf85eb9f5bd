"""Text for a screen: removes harmful characters, measures in terminal columns, cuts and wraps.

Characters of ambiguous width in East Asian fonts count as one column, as in most terminals. Not handled: right-to-left
text, which some terminals reorder inside its cell. Flags and other sequences that a font draws as one picture count the
columns of their parts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ELLIPSIS = "…"
_SPACES = "\t\n\v\f\r\x85\u2028\u2029"  # replaced by a space: removing them would join words
# variation selectors ("as text", "as emoji"): terminals disagree about the width of what they modify
_VARIATIONS = range(0xFE00, 0xFE10)
_PRIVATE = range(0xE000, 0xF900)  # icons of patched fonts
_SKIN_TONES = range(0x1F3FB, 0x1F400)
# wide since Unicode 16, which older Pythons do not know: trigrams, hexagrams, counting rods
_NEWLY_WIDE = ((0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D376))
_JAMO_TAILS = range(0x1160, 0x1200)  # vowels and finals, drawn into the preceding syllable


def clean(text: str) -> str:
    """Return *text* without control and format characters and variation selectors. Tabs and line separators become
    spaces; lone surrogates, which cannot be encoded, become U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_clean_character, text))


def _clean_character(c: str) -> str:
    if (c.isprintable() and ord(c) not in _VARIATIONS) or ord(c) in _PRIVATE:
        return c
    if c in _SPACES:
        return " "
    from unicodedata import category  # imported late because most texts do not need it

    if ord(c) in _VARIATIONS or category(c) in ("Cc", "Cf"):
        return ""
    return "\ufffd" if "\ud800" <= c <= "\udfff" else c


def display_width(text: str) -> int:
    """Return the number of terminal columns of *text*, which `clean` has returned."""
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


_widths: dict[str, int] = {}  # the same few model names and titles occur row after row


def character_width(c: str, before: int = 0) -> int:
    """Return the columns of *c* after a character of *before* columns; a skin tone is drawn into a preceding emoji."""
    if c.isascii():
        return 1
    from unicodedata import category, east_asian_width

    code = ord(c)
    if category(c) in ("Mn", "Me", "Cf") or code in _JAMO_TAILS or (code in _SKIN_TONES and before == 2):
        return 0
    return 2 if east_asian_width(c) in "WF" or any(first <= code <= last for first, last in _NEWLY_WIDE) else 1


def cut(text: str, width: int) -> str:
    """Return *text* in at most *width* columns; an ellipsis replaces an end that does not fit."""
    if display_width(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, _ = _split(text, width - 1)
    return kept + ELLIPSIS


def cut_distinctly(texts: Sequence[str], width: int) -> list[str]:
    """Cut each of *texts* to at most *width* columns, so that as many as possible stay different. The ellipsis replaces
    a middle part, at the same column in all of them."""
    whole = {text for text in texts if display_width(text) <= width}
    long = sorted({*texts} - whole)
    if not long or width < 3:
        return [cut(text, width) for text in texts]
    usual = (width - 1) * 2 // 3
    best: dict[str, str] = {}
    for head in sorted(range(1, width - 1), key=lambda head: abs(head - usual)):
        forms = {text: _without_middle(text, head, width - 1 - head) for text in long}
        if len(whole | {*forms.values()}) > len(whole | {*best.values()}):
            best = forms
        if len(whole | {*best.values()}) == len(whole) + len(long):
            break
    return [best.get(text, text) for text in texts]


def _without_middle(text: str, head: int, tail: int) -> str:
    """Return the first *head* and the last *tail* columns of *text*, which is longer."""
    end = _split(text, display_width(text) - tail)[1]
    while display_width(end) > tail:  # a wide character crosses the boundary
        end = end[1:]
    return _split(text, head)[0] + ELLIPSIS + end


def _split(text: str, width: int) -> tuple[str, str]:
    """Return as much of *text* as fits *width* columns, and the rest."""
    used = before = 0
    for place, c in enumerate(text):
        columns = character_width(c, before)
        if used + columns > width:
            return text[:place], text[place:]
        used += columns
        before = columns or before
    return text, ""


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Break *text* at spaces into lines of at most *width* columns; a longer word is broken anywhere. Lines after the
    first begin with *indent*. A character wider than a whole line (of one column) is left out."""
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


def lay_out_beside(label: str, text: str, indent: int, width: int) -> list[str]:
    """Wrap *text* to at most *width* columns to the right of *label*, which takes *indent* of them."""
    first, *more = wrap(text, max(width - indent, 1)) or [""]
    return [f"{label}{first}".rstrip(), *(" " * indent + line for line in more)]


def count_text(number: int, noun: str) -> str:
    """Return `1 day` or `2 days`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def human_size(size: int) -> str:
    """Return a number of bytes in readable form: `512 bytes`, `1.2 MB`."""
    if size < 1000:
        return f"{size} bytes"
    units = ("kB", "MB", "GB", "TB")
    power = min((len(str(size)) - 1) // 3, len(units))
    return f"{size / 1000**power:,.1f} {units[power - 1]}"
