"""Regular expressions as jq's `test` and `split/2` read them (Oniguruma, Perl syntax), matched in counted steps.

Python's own `re` cannot be stopped: `(a+)+$` on a long title would run for hours. Here a pattern becomes a program of
small instructions, run by one loop with a stack of alternatives of its own; every step is paid for. What this module
does not know (properties, conditions, recursion) is refused, never read as something else.
"""

from __future__ import annotations

from ccusage_line.jqpath import failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Test = Callable[[str], bool]
    Code = list[tuple[Any, ...]]

MOST_REPEATS = 1000
MOST_INSTRUCTIONS = 20_000
NESTING = 30
_PAID_AT_ONCE = 64  # one step of the evaluator buys four of these

_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b"}
_POSIX: dict[str, Test] = {
    "alpha": str.isalpha,
    "digit": str.isdecimal,
    "alnum": str.isalnum,
    "upper": str.isupper,
    "lower": str.islower,
    "space": lambda c: _is_space(c),
    "blank": lambda c: c in " \t",
    "punct": lambda c: c.isprintable() and not c.isalnum() and not c.isspace(),
    "cntrl": lambda c: c < " " or c == "\x7f",
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
    "word": lambda c: _is_word(c),
}


def _is_word(char: str) -> bool:
    if char.isalnum() or char == "_":
        return True
    if char < "\x80":
        return False
    from unicodedata import category

    return category(char) in ("Mn", "Mc", "Me", "Pc")


def _is_space(char: str) -> bool:
    return char.isspace() and not "\x1c" <= char <= "\x1f"


_KINDS: dict[str, Test] = {"w": _is_word, "d": str.isdecimal, "s": _is_space}


def spans(pattern: str, flags: str, text: str, spend: Callable[[int], None]) -> list[tuple[int, int]]:
    """Beginning and end of the first match, of every match with the flag g; a JqError for a wrong pattern."""
    for flag in flags:
        if flag not in "gixsnp":
            raise failure(f'{flag} is not a modifier supported here, only "g", "i", "n", "p", "s" and "x"')
    code = _compiled(pattern, flags, spend)
    found: list[tuple[int, int]] = []
    start = 0
    while start <= len(text):
        span = _search(code, text, start, spend, nonempty="n" in flags)
        if span is None:
            break
        found.append(span)
        if "g" not in flags:
            break
        start = span[1] if span[1] > span[0] else span[1] + 1
    return found


_known: dict[tuple[str, str], Code] = {}  # a pattern is asked of every session of a report


def _compiled(pattern: str, flags: str, spend: Callable[[int], None]) -> Code:
    code = _known.get((pattern, flags))
    if code is None:
        if len(_known) >= 50:
            _known.clear()
        compiler = _Compiler(pattern, flags)
        code = _known[pattern, flags] = compiler.code
        spend(len(code) + len(pattern))
    return code


def _search(code: Code, text: str, start: int, spend: Callable[[int], None], nonempty: bool) -> tuple[int, int] | None:
    first = code[0][1] if code[0][0] == "text" else ""
    while start <= len(text):
        if first:
            start = text.find(first, start)
            if start < 0:
                return None
        end = _run(code, text, start, spend, least=start + 1 if nonempty else 0)
        if end is not None:
            return start, end
        start += 1
        spend(1)
    return None


def _run(
    code: Code,
    text: str,
    at: int,
    spend: Callable[[int], None],
    least: int = 0,
    exact: int | None = None,
    seen: tuple[Any, ...] = (),
) -> int | None:
    """The end of the match at *at*, not before *least*, or only at *exact*; None if there is none."""
    stack: list[tuple[int, int, tuple[Any, ...]]] = []
    registers = seen
    place, steps = 0, 0
    while True:
        steps += 1
        if steps >= 4 * _PAID_AT_ONCE:
            spend(_PAID_AT_ONCE)
            steps = 0
        op = code[place]
        name = op[0]
        fits = True
        if name == "set":
            fits = at < len(text) and op[1](text[at])
            at += 1
        elif name == "text":
            fits = text.startswith(op[1], at)
            at += len(op[1])
        elif name == "split":
            stack.append((op[2], at, registers))
            place = op[1]
            continue
        elif name == "jump":
            place = op[1]
            continue
        elif name == "save":
            registers = _kept(registers, op[1], at)
        elif name == "moved":  # an iteration that took nothing ends its loop
            if dict(registers).get(op[1]) == at:
                place = op[2]
                continue
        elif name == "at":
            fits = op[1](text, at)
        elif name == "back":
            fits, at = _repeated(dict(registers), op, text, at)
        elif name == "atomic":
            end = _run(op[1], text, at, spend, seen=registers)
            fits = end is not None
            at = at if end is None else end
        elif name == "look":
            fits = _looks(op, text, at, spend, registers)
        else:  # "match"
            fits = at >= least and exact in (None, at)
            if fits:
                spend(steps >> 2)
                return at
        if fits:
            place += 1
        elif stack:
            place, at, registers = stack.pop()
        else:
            spend(steps >> 2)
            return None


def _kept(registers: tuple[Any, ...], slot: object, at: int) -> tuple[Any, ...]:
    return (*[r for r in registers if r[0] != slot], (slot, at))


def _repeated(registers: dict[Any, int], op: tuple[Any, ...], text: str, at: int) -> tuple[bool, int]:
    start, end = registers.get(("(", op[1])), registers.get((")", op[1]))
    if start is None or end is None:
        return False, at
    wanted, got = text[start:end], text[at : at + end - start]
    same = wanted == got or (op[2] and wanted.casefold() == got.casefold())
    return same, at + len(wanted)


def _looks(op: tuple[Any, ...], text: str, at: int, spend: Callable[[int], None], registers: tuple[Any, ...]) -> bool:
    _, code, ahead, wanted = op
    if ahead:
        return (_run(code, text, at, spend, seen=registers) is not None) is wanted
    for start in range(at, -1, -1):
        spend(1)
        if _run(code, text, start, spend, exact=at, seen=registers) is not None:
            return bool(wanted)
    return not wanted


class _Compiler:
    """Reads a pattern into instructions; group by group, with the options that hold there."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.fold = "i" in flags
        self.extended = "x" in flags
        self.dot_all = "p" in flags
        self.lines = False
        self.groups = 0
        self.names: dict[str, int] = {}
        self.nested = 0
        self.code: Code = self._alternatives()
        if self.at < len(pattern):
            raise self.fail("unmatched close parenthesis")
        self.code.append(("match",))

    def fail(self, message: str) -> Exception:
        return failure(f"regular expression {self.pattern[:60]!r}: {message}")

    def more(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def accept(self, text: str) -> bool:
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _alternatives(self) -> Code:
        """Up to the end or a `)`; an option set in between, like `(?i)`, ends with the group."""
        self.nested += 1
        if self.nested > NESTING:
            raise self.fail("too deep")
        options = self.fold, self.extended, self.dot_all, self.lines
        branches = [self._sequence()]
        while self.accept("|"):
            branches.append(self._sequence())
        self.fold, self.extended, self.dot_all, self.lines = options
        self.nested -= 1
        code = branches[-1]
        for branch in reversed(branches[:-1]):
            end = len(branch) + 2
            code = [("split", 1, end), *_moved(branch, 1), ("jump", end + len(code)), *_moved(code, end)]
        return code

    def _sequence(self) -> Code:
        code: Code = []
        while self.more() not in ("", "|", ")"):
            if self.extended and self._passed_over():
                continue
            code += _moved(self._quantified(self._atom()), len(code))
            if len(code) > MOST_INSTRUCTIONS:
                raise self.fail("too large")
        return code

    def _passed_over(self) -> bool:
        """White space and comments, under the flag x."""
        if self.more() == "#":
            end = self.pattern.find("\n", self.at)
            self.at = len(self.pattern) if end < 0 else end + 1
            return True
        if self.more() in " \t\r\n\f\v":
            self.at += 1
            return True
        return False

    # quantifiers

    def _quantified(self, code: Code) -> Code:
        while True:
            if self.accept("*"):
                least, most = 0, -1
            elif self.accept("+"):
                least, most = 1, -1
            elif self.accept("?"):
                least, most = 0, 1
            else:
                bounds = self._interval()
                if bounds is None:
                    return code
                least, most = bounds
            interval = self.pattern[self.at - 1] == "}"
            if self.accept("?"):
                code = self._repeat(code, least, most, lazy=True)
            else:
                code = self._repeat(code, least, most)
                if not interval and self.accept("+"):
                    code = [("atomic", [*code, ("match",)])]

    def _interval(self) -> tuple[int, int] | None:
        """`{2}`, `{2,}`, `{2,3}`; every other brace is a character."""
        end = self.pattern.find("}", self.at)
        if self.more() != "{" or end < 0:
            return None
        low, comma, high = self.pattern[self.at + 1 : end].partition(",")
        if not _digits(low) or (high and not _digits(high)) or len(low + high) > 12:
            return None
        self.at = end + 1
        least = int(low)
        most = int(high) if high else -1 if comma else least
        if max(least, most) > MOST_REPEATS:
            raise self.fail("too big number for repeat range")
        if 0 <= most < least:
            raise self.fail("upper is smaller than lower in repeat range")
        return least, most

    def _repeat(self, code: Code, least: int, most: int, lazy: bool = False) -> Code:
        if not code:
            return code
        if len(code) * max(least, most, 1) > MOST_INSTRUCTIONS:
            raise self.fail("too large")
        result: Code = []
        for _ in range(least):
            result += _moved(code, len(result))
        if most < 0:
            result += _moved(_loop(code, lazy), len(result))
        else:
            end = len(result) + (most - least) * (len(code) + 1)
            for _ in range(most - least):
                start = len(result) + 1
                result.append(("split", end, start) if lazy else ("split", start, end))
                result += _moved(code, start)
        return result

    # atoms

    def _atom(self) -> Code:
        char = self.more()
        self.at += 1
        if char == "(":
            return self._group()
        if char == "[":
            return self._one(self._class())
        if char == ".":
            return self._one((lambda c: True) if self.dot_all else (lambda c: c != "\n"), fold=False)
        if char == "^":
            return [("at", _after_newline if self.lines else _begin)]
        if char == "$":
            return [("at", _before_newline if self.lines else _end_or_newline)]
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise self.fail("target of repeat operator is not specified")
        return self._literal(char)

    def _one(self, test: Test, fold: bool = True) -> Code:
        if self.fold and fold:
            return [("set", lambda c: test(c) or test(c.lower()) or test(c.upper()))]
        return [("set", test)]

    def _literal(self, text: str) -> Code:
        if self.fold and text.lower() != text.upper():
            return [("set", _same(c.casefold())) for c in text]
        return [("text", text)] if text else []

    def _escape(self) -> Code:
        char = self.more()
        if not char:
            raise self.fail("end pattern at escape")
        self.at += 1
        places = {"A": _begin, "z": _end, "Z": _end_or_newline, "b": _boundary, "B": lambda t, i: not _boundary(t, i)}
        if char in places:
            return [("at", places[char])]
        if char.lower() in _KINDS:
            return self._one(_kind(char), fold=False)
        if char in "123456789":
            return self._backreference(int(char))
        if char == "k" and self.accept("<"):
            name = self._upto(">")
            return self._backreference(int(name) if _digits(name) else self.names.get(name, 0))
        if char == "Q":
            end = self.pattern.find("\\E", self.at)
            text = self.pattern[self.at : end] if end >= 0 else self.pattern[self.at :]
            self.at = end + 2 if end >= 0 else len(self.pattern)
            return self._literal(text)
        if char in "pPgGKRXyYNOcCM0":
            raise self.fail(f"\\{char} is not supported here")
        return self._literal(self._character(char))

    def _character(self, char: str) -> str:
        """The character that an escape stands for."""
        if char == "x":
            digits = self._upto("}") if self.accept("{") else self.pattern[self.at : self.at + 2]
            self.at += 0 if self.pattern[self.at - 1 : self.at] == "}" else len(digits)
            if not 0 < len(digits) <= 6 or any(c not in "0123456789abcdefABCDEF" for c in digits):
                raise self.fail("invalid code point")
            return chr(min(int(digits, 16), 0x10FFFF))
        return _CONTROL.get(char, char)

    def _backreference(self, group: int) -> Code:
        if not 0 < group <= self.groups:
            raise self.fail("invalid backref number or name")
        return [("back", group, self.fold)]

    def _upto(self, end: str) -> str:
        stop = self.pattern.find(end, self.at)
        if stop < 0:
            raise self.fail(f'expected "{end}"')
        text = self.pattern[self.at : stop]
        self.at = stop + len(end)
        return text

    # groups

    def _group(self) -> Code:
        if not self.accept("?"):
            self.groups += 1
            return self._captured(self.groups)
        if self.accept("#"):
            self._upto(")")
            return []
        for opening, ahead, wanted in (
            ("=", True, True),
            ("!", True, False),
            ("<=", False, True),
            ("<!", False, False),
        ):
            if self.accept(opening):
                return [("look", [*self._closed(), ("match",)], ahead, wanted)]
        if self.accept(">"):
            return [("atomic", [*self._closed(), ("match",)])]
        if self.accept(":"):
            return self._closed()
        if self.accept("<"):
            self.groups += 1
            self.names[self._upto(">")] = self.groups
            return self._captured(self.groups)
        return self._options()

    def _captured(self, group: int) -> Code:
        inner = self._closed()
        return [("save", ("(", group)), *_moved(inner, 1), ("save", (")", group))]

    def _closed(self) -> Code:
        code = self._alternatives()
        if not self.accept(")"):
            raise self.fail("end pattern with unmatched parenthesis")
        return code

    def _options(self) -> Code:
        """`(?i)` for the rest of the group, `(?i:...)` for this one."""
        before = self.fold, self.extended, self.dot_all, self.lines
        on = True
        while self.more() not in ("", ")", ":"):
            char = self.more()
            self.at += 1
            if char == "-":
                on = False
            elif char == "i":
                self.fold = on
            elif char == "x":
                self.extended = on
            elif char == "s":
                self.dot_all = on
            elif char == "m":
                self.lines = on
            else:
                raise self.fail("undefined group option")
        if self.accept(")"):
            return []
        if not self.accept(":"):
            raise self.fail("end pattern in group")
        code = self._closed()
        self.fold, self.extended, self.dot_all, self.lines = before
        return code

    # classes

    def _class(self) -> Test:
        negated = self.accept("^")
        tests: list[Test] = []
        start = self.at
        while True:
            char = self.more()
            if not char:
                raise self.fail("premature end of char-class")
            if char == "]" and (self.at > start or "]" not in self.pattern[self.at + 1 :]):
                break
            tests.append(self._class_item())
        if self.at == start:
            raise self.fail("empty char-class")
        self.at += 1
        return lambda c: any(test(c) for test in tests) is not negated

    def _class_item(self) -> Test:
        if self.accept("[:"):
            name = self._upto(":]")
            test = _POSIX.get(name.removeprefix("^"))
            if test is None:
                raise self.fail("unknown POSIX bracket")
            return (lambda c: not test(c)) if name[0] == "^" else test
        low = self._class_character()
        if not isinstance(low, str):
            if self.more() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                raise self.fail("unmatched range specifier in char-class")
            return low
        if self.more() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            high = self._class_character()
            if not isinstance(high, str):
                raise self.fail("char-class value at end of range")
            if high < low:
                raise self.fail("empty range in char class")
            return lambda c: low <= c <= high
        return lambda c: c == low

    def _class_character(self) -> str | Test:
        char = self.more()
        self.at += 1
        if char != "\\":
            return char
        char = self.more()
        self.at += 1
        if char and char.lower() in _KINDS:
            return _kind(char)
        if not char or char in "pPcCM0123456789":
            raise self.fail(f"\\{char} is not supported here")
        return "\b" if char == "b" else self._character(char)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _same(folded: str) -> Test:
    return lambda c: c.casefold() == folded


def _kind(letter: str) -> Test:
    test = _KINDS[letter.lower()]
    return test if letter.islower() else lambda c: not test(c)


def _moved(code: Code, by: int) -> Code:
    """The same instructions *by* places further on."""
    if not by:
        return code
    return [
        ("split", op[1] + by, op[2] + by)
        if op[0] == "split"
        else ("jump", op[1] + by)
        if op[0] == "jump"
        else ("moved", op[1], op[2] + by)
        if op[0] == "moved"
        else op
        for op in code
    ]


def _loop(code: Code, lazy: bool) -> Code:
    if len(code) == 1 and code[0][0] in ("set", "text"):
        return [("split", 3, 1) if lazy else ("split", 1, 3), *code, ("jump", 0)]
    slot = object()
    end = len(code) + 4
    body = [("save", slot), *_moved(code, 2), ("moved", slot, end)]
    return [("split", end, 1) if lazy else ("split", 1, end), *body, ("jump", 0)]


def _begin(text: str, at: int) -> bool:
    return at == 0


def _end(text: str, at: int) -> bool:
    return at == len(text)


def _end_or_newline(text: str, at: int) -> bool:
    return at == len(text) or (at == len(text) - 1 and text[at] == "\n")


def _after_newline(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _before_newline(text: str, at: int) -> bool:
    return at == len(text) or text[at] == "\n"


def _boundary(text: str, at: int) -> bool:
    before = at > 0 and _is_word(text[at - 1])
    return before is not (at < len(text) and _is_word(text[at]))
