"""The parser of templates; on the lean lanes, imported only for a template: the default line is tokens already."""

from __future__ import annotations

from .segments import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    # the kind, and its text, name, sequence or address; "end" ends a group or a link
    Kind = Literal["text", "gap", "segment", "style", "group", "link", "end"]
    Token = tuple[Kind, str]

_GAPS = "|/\\·•,;:»-+&~"  # signs that separate segments if there are spaces around them
_MAX_LENGTH = 10_000  # characters


class Template:
    """A parsed template: the tokens of each of its lines, and its problems.

    It holds `{segment}`, `[group]`, `{link:ADDRESS|text}`, `\\` before a character that stands for itself, `\\n` for
    the next line and `\\e[...m` for a colour. Anything else is shown as it is; an unknown segment shows nothing.
    """

    def __init__(self, template: str) -> None:
        self.lines: list[list[Token]] = []
        self.problems: list[str] = []
        text = template[:_MAX_LENGTH].replace("\x1b[", "\\e[").replace("\r\n", "\n").replace("\n", "\\n")
        self._text = clean(text)
        self._position = 0
        self._tokens: list[Token] = []
        self._open: list[int] = []  # the places in _tokens of groups and links that have not ended
        self._pending = ""  # text that is not in _tokens yet
        self._read()

    def _read(self) -> None:
        while self._position < len(self._text):
            c = self._text[self._position]
            self._position += 1
            if c == "\\" and self._position < len(self._text):
                self._escape()
            elif c == "{":
                self._braces()
            elif c == "[":
                self._begin("group", "")
            elif self._open and c == ("]" if self._tokens[self._open[-1]][0] == "group" else "}"):
                self._add("end", "")
                self._open.pop()
            else:
                self._pending += c
        self._end_line()

    def _add(self, kind: Kind, what: str) -> None:
        self._end_text()
        self._tokens.append((kind, what))

    def _end_text(self) -> None:
        self._tokens += _split_gaps(self._pending)
        self._pending = ""

    def _begin(self, kind: Kind, what: str) -> None:
        self._add(kind, what)
        self._open.append(len(self._tokens) - 1)

    def _end_line(self) -> None:
        self._end_text()
        for place in self._open:
            kind, what = self._tokens[place]
            self.problems.append("a [ without a closing ]" if kind == "group" else "a { without a closing }")
            self._tokens[place] = ("text", "[" if kind == "group" else f"{{link:{what}|")
        self.lines.append(self._tokens)
        self._tokens, self._open = [], []

    def _escape(self) -> None:
        """Parse what follows a backslash: a new line, a colour, or a character that stands for itself."""
        text, place = self._text, self._position
        self._position += 1
        if text[place] == "n":
            self._end_line()
            return
        if text.startswith("e[", place):
            end = place + 2
            while end < len(text) and (text[end].isdigit() or text[end] in ";:"):
                end += 1
            if text[end : end + 1] == "m":
                sequence = f"\x1b[{text[place + 2 : end] or 0}m"
                self._add("style", sequence if sequence.isascii() else "")
                self._position = end + 1
                return
        if text[place] == " ":
            self._add("text", " ")
        else:
            self._pending += text[place]

    def _braces(self) -> None:
        """Parse a segment, the beginning of a link, or a brace that stands for itself."""
        text, place = self._text, self._position
        end = text.find("}", place)
        name = text[place : max(end, place)]
        if text.startswith("link:", place) and "|" in name:
            target = name[len("link:") :].partition("|")[0]
            self._position = place + len("link:|") + len(target)
            self._begin("link", target)
        elif name.replace("_", "").isalnum():
            self._position = end + 1
            self._add("segment", name)
        else:
            self._pending += "{"


def _split_gaps(text: str) -> Iterable[Token]:
    """Return a text and its gaps: spaces alone, or signs between spaces, which are shown only between two things."""
    if text and not text.strip(" "):
        return [("gap", text)]
    tokens: list[Token] = []
    begin = place = 0
    while (place := text.find(" ", place)) >= 0:
        end = place + 1
        while end < len(text) and (text[end] == " " or text[end] in _GAPS):
            end += 1
        gap = text[place : text.rindex(" ", place, end) + 1]
        if gap.strip(" "):
            if place > begin:
                tokens.append(("text", text[begin:place]))
            tokens.append(("gap", gap))
            begin = place + len(gap)
        place += len(gap)
    if text[begin:]:
        tokens.append(("text", text[begin:]))
    return tokens
