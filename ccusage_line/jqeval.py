"""jq's language, as much of it as `--jq` promises: tokens, parser, evaluator.

`compile` reads an expression into a `Program`; `Program.run` is a generator of its results. Every node of the
expression becomes a function (value, variables) -> iterator, since each part of a jq expression may give no result,
one, or many. Where jq 1.7 and later ones differ in a result, 1.7 is followed; a few spellings that only later ones
accept (`{a: 1 + 2}`, `.a??.b`, `if ... end.a`) are accepted too.

An expression is a stranger's text: work is counted in steps, sizes and depths are limited, and whoever goes beyond
gets a JqError instead of a machine without memory.
"""

from __future__ import annotations

from ccusage_line.errors import JqError
from ccusage_line.jqpath import (
    Number,
    compact,
    decimal_text,
    described,
    each,
    failure,
    field,
    item,
    kind,
    number_text,
    whole_characters,
    write,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Env = dict[str, Any]
    Gen = Callable[[Any, Env], Iterator[Any]]
    Key = tuple[Any, ...]

HINT = "hint: this is a part of jq's language; for all of it pipe --json into jq"

STEPS = 450_000  # at most a second's work
STEPS_PER_ITEM = 80  # more for each session and entry of the report
PARTS_PER_STEP = 4  # pieces of JSON that may be printed for each step: cheaper, and a whole report has many
LONGEST = 4_000_000  # characters of a string
NESTING = 80  # parentheses and the like; each costs the parser seven frames of Python's 1,000
DEPTH = 250  # nodes one inside the other; each costs the evaluator one or two frames
LONGEST_EXPRESSION = 100_000
LONGEST_NUMBER = 400  # digits
_EXACT = 2**53  # whole doubles below it are kept as ints
_INFINITE = float("inf")
_INT_MAX, _INT_MIN = 2**63 - 1, -(2**63)


# --- errors -------------------------------------------------------------------------------------------------------


def syntax_error(message: str, expr: str, at: int) -> JqError:
    """What is wrong, the expression with a caret under the place, and the way out."""
    line, column = _window(expr, at)
    return JqError(f"--jq: {message}\n  {line}\n  {' ' * column}^\n{HINT}")


def _window(expr: str, at: int) -> tuple[str, int]:
    """The part of the expression around *at* on one line, and the column of *at* in it."""
    start = max(0, at - 50) if len(expr) > 76 else 0
    end = min(len(expr), max(at + 24, start + 76))
    before = ("..." if start else "") + _harmless(expr[start:at])
    after = _harmless(expr[at:end]) + ("..." if end < len(expr) else "")
    return before + after, _columns(before)


def _harmless(text: str) -> str:
    """Nothing that could move a cursor or reverse a line."""
    return "".join([c if c.isprintable() else " " if c in "\t\r\n" else "\ufffd" for c in text])


def _columns(text: str) -> int:
    from unicodedata import category, east_asian_width

    return sum(0 if category(c) in ("Mn", "Me") else 2 if east_asian_width(c) in "WF" else 1 for c in text)


# --- tokens -------------------------------------------------------------------------------------------------------

_WORD_START = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_WORD = _WORD_START | frozenset("0123456789")
_DIGITS = frozenset("0123456789")
_LONG = ("?//=", "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..")
_SHORT = frozenset(".?=;,:|+-*/%<>()[]{}")
_ASSIGN = frozenset(("=", "|=", "+=", "-=", "*=", "/=", "%=", "//="))
_FOREIGN = frozenset(("import", "include", "module", "def", "reduce", "foreach", "try", "catch", "label", "break"))
_KEYWORDS = _FOREIGN | {"as", "if", "then", "else", "elif", "end", "and", "or", "__loc__"}


class Token:
    """kind: "op", "word", "field", "var", "format", "number", "string" or "end"; text; the place where it begins.

    A string's `parts` are its pieces: texts, and for each interpolation a list of tokens that ends with an "end".
    """

    __slots__ = ("at", "kind", "parts", "text")

    def __init__(self, kind: str, text: str, at: int, parts: list[str | list[Token]] | None = None) -> None:
        self.kind = kind
        self.text = text
        self.at = at
        self.parts = parts or []


class _Lexer:
    def __init__(self, expr: str) -> None:
        self.expr = expr
        self.at = 0
        self.depth = 0

    def fail(self, message: str, at: int) -> JqError:
        return syntax_error(message, self.expr, at)

    def tokens(self, inside: int | None = None) -> list[Token]:
        """All tokens up to the end, or up to the `)` that closes the interpolation opened at *inside*."""
        found: list[Token] = []
        open_parens = 0
        while True:
            self._skip()
            at = self.at
            if at >= len(self.expr):
                if inside is not None:
                    raise self.fail('the "\\(" has no ")"', inside)
                found.append(Token("end", "", at))
                return found
            char = self.expr[at]
            if inside is not None and char == ")" and open_parens == 0:
                found.append(Token("end", ")", at))
                self.at += 1
                return found
            open_parens += (char == "(") - (char == ")")
            found.append(self._token(char, at))

    def _skip(self) -> None:
        expr = self.expr
        while self.at < len(expr):
            if expr[self.at] == "#":
                while self.at < len(expr) and expr[self.at] not in "\r\n":
                    self.at += 1
            elif expr[self.at] in " \t\r\n":
                self.at += 1
            else:
                return

    def _token(self, char: str, at: int) -> Token:
        expr = self.expr
        following = expr[at + 1 : at + 2]
        if char == '"':
            return self._string()
        if char in _DIGITS or (char == "." and following in _DIGITS):
            return self._number()
        if char in _WORD_START:
            self._word(at)
            while expr[self.at : self.at + 2] == "::" and expr[self.at + 2 : self.at + 3] in _WORD_START:
                self._word(self.at + 2)
            return Token("word", expr[at : self.at], at)
        if char in ".$" and following in _WORD_START:
            self._word(at + 1)
            return Token("field" if char == "." else "var", expr[at + 1 : self.at], at)
        if char == "@" and following in _WORD:
            self._word(at + 1)
            return Token("format", expr[at : self.at], at)
        for text in _LONG:
            if expr.startswith(text, at):
                self.at += len(text)
                return Token("op", text, at)
        if char not in _SHORT:
            raise self.fail(f'unexpected "{_harmless(char)}"', at)
        self.at += 1
        return Token("op", char, at)

    def _word(self, at: int) -> None:
        while at < len(self.expr) and self.expr[at] in _WORD:
            at += 1
        self.at = at

    def _digits(self) -> None:
        while self.at < len(self.expr) and self.expr[self.at] in _DIGITS:
            self.at += 1

    def _number(self) -> Token:
        expr, start = self.expr, self.at
        self._digits()
        if expr[self.at : self.at + 1] == ".":
            self.at += 1
            self._digits()
        if expr[self.at : self.at + 1] in ("e", "E"):
            mark = self.at
            self.at += 2 if expr[self.at + 1 : self.at + 2] in ("+", "-") else 1
            first = self.at
            self._digits()
            if self.at == first:
                self.at = mark
        if self.at - start > LONGEST_NUMBER:
            raise self.fail("too long a number", start)
        return Token("number", expr[start : self.at], start)

    def _string(self) -> Token:
        expr, start = self.expr, self.at
        parts: list[str | list[Token]] = []
        self.depth += 1
        if self.depth > NESTING:
            raise self.fail("too deep: strings inside strings", start)
        at = start + 1
        text = ""
        while True:
            stop = at
            while stop < len(expr) and expr[stop] not in '"\\':
                stop += 1
            text += expr[at:stop]
            if stop >= len(expr):
                raise self.fail("the string has no end", start)
            if expr[stop] == '"':
                break
            if expr[stop + 1 : stop + 2] == "(":
                self.at = stop + 2
                parts += [text, self.tokens(inside=stop)]
                text, at = "", self.at
            else:
                char, at = self._escape(stop)
                text += char
        parts.append(text)
        self.depth -= 1
        self.at = stop + 1
        return Token("string", expr[start : self.at], start, parts)

    def _escape(self, at: int) -> tuple[str, int]:
        expr = self.expr
        char = expr[at + 1 : at + 2]
        if char != "u":
            if char and char in '"\\/bfnrt':
                return dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))[char], at + 2
            raise self.fail("no such escape in a string", at)
        code = self._unit(at)
        if 0xD800 <= code < 0xDC00 and expr[at + 6 : at + 8] == "\\u":
            low = self._unit(at + 6)
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), at + 12
        if 0xD800 <= code < 0xE000:
            raise self.fail("half of a surrogate pair", at)
        return chr(code), at + 6

    def _unit(self, at: int) -> int:
        digits = self.expr[at + 2 : at + 6]
        if len(digits) < 4 or any(c not in "0123456789abcdefABCDEF" for c in digits):
            raise self.fail('"\\u" needs four hexadecimal digits', at)
        return int(digits, 16)


# --- numbers, order, equality -------------------------------------------------------------------------------------


def number(value: float) -> int | float:
    """A computed number: what prints as a plain integer is an int, what jq prints in its own way a Number."""
    if value != value or value in (_INFINITE, -_INFINITE):
        return value
    if value == int(value):
        whole = int(value)
        if whole == 0 and str(value)[0] == "-":
            return Number(value, "-0")
        return whole if -_EXACT < whole < _EXACT and abs(whole) < 10**16 else Number(value, _shortest(value))
    text = repr(value)
    return Number(value, text) if "e" in text else value


def _shortest(value: float) -> str:
    """A large whole double as jq prints it: its shortest digits, padded with zeros while these are at most 15."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0") if exponent else whole.rstrip("0")
    length = int(exponent) + 1 if exponent else len(whole)
    if length <= len(digits) + 15:
        return sign + digits.ljust(length, "0")
    return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e+{length - 1:02d}"


def literal(text: str) -> int | float:
    """The number that the digits spell, which prints as jq prints such digits."""
    printed = decimal_text(text)
    if printed.isdigit() and len(printed) <= 300:
        return int(printed)
    value = float(text)
    return value if repr(value) == printed else Number(value, printed)


def double(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return _INFINITE if value > 0 else -_INFINITE


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def truthy(value: Any) -> bool:
    return value is not None and value is not False


class Meter:
    """What an expression may still do."""

    def __init__(self) -> None:
        self.left = 0
        self.printable = 0
        self.nans = 0

    def start(self, value: Any) -> None:
        self.left = STEPS + STEPS_PER_ITEM * _items(value)
        self.printable = PARTS_PER_STEP * self.left

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise failure("too much work: the expression was stopped")

    def text(self, length: int) -> None:
        """Refuse a string longer than any report; others cost by their length."""
        if length > LONGEST:
            raise failure("too much work: a string grew too long")
        self.spend(length >> 5)

    def json(self, value: Any) -> str:
        parts: list[str] = []
        try:
            write(value, parts, None, self.left)
        except JqError:
            self.left = 0  # the work was done, though `?` may hide the failure
            raise
        self.spend(len(parts))
        text = "".join(parts)
        self.text(len(text))
        return text

    def key(self, value: Any) -> Key:
        """A tuple that Python orders as jq orders the value; no two NaN are equal, each is below all numbers."""
        self.left -= 1
        if isinstance(value, str):
            return (4, value)
        if value is None:
            return (0,)
        if isinstance(value, bool):
            return (2,) if value else (1,)
        if isinstance(value, (int, float)):
            if value == value:
                return (3, 1, value)
            self.nans += 1
            return (3, 0, self.nans)
        self.spend(len(value))
        if isinstance(value, list):
            return (5, [self.key(v) for v in value])
        names = sorted(value)
        return (6, names, [self.key(value[name]) for name in names])


def _items(value: Any) -> int:
    """Sessions or entries of a report: the elements of a list, or of an object's lists."""
    if isinstance(value, dict):
        return sum(len(v) for v in value.values() if isinstance(v, list))
    return len(value) if isinstance(value, list) else 0


# --- arithmetic ---------------------------------------------------------------------------------------------------


def _cannot(a: Any, b: Any, what: str) -> Exception:
    return failure(f"{described(a)} and {described(b)} cannot be {what}")


def add(m: Meter, a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        if _small(a) and _small(b):
            return number(a + b) if abs(a + b) >= _EXACT else a + b
        return number(double(a) + double(b))
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, str) and isinstance(b, str):
        m.text(len(a) + len(b))
        return a + b
    if isinstance(a, list) and isinstance(b, list):
        m.spend((len(a) + len(b)) >> 3)
        return a + b
    if isinstance(a, dict) and isinstance(b, dict):
        m.spend((len(a) + len(b)) >> 1)
        return {**a, **b}
    raise _cannot(a, b, "added")


def _small(value: Any) -> bool:
    return isinstance(value, int) and -_EXACT < value < _EXACT


def subtract(m: Meter, a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        return number(double(a) - double(b))
    if isinstance(a, list) and isinstance(b, list):
        unwanted = [m.key(v) for v in b]
        m.spend(len(a) * len(b))
        return [v for v in a if m.key(v) not in unwanted]
    raise _cannot(a, b, "subtracted")


def multiply(m: Meter, a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        return number(double(a) * double(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return _merged(m, a, b)
    if is_number(a) and isinstance(b, str):
        a, b = b, a
    if not (isinstance(a, str) and is_number(b)):
        raise _cannot(a, b, "multiplied")
    times = double(b)
    if not times >= 0:
        return None
    m.text(LONGEST + 1 if times * len(a) > LONGEST else int(times * len(a)))
    return a * int(times) if a else ""


def _merged(m: Meter, a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    m.spend(1 + len(a) + len(b))
    result = dict(a)
    for key, value in b.items():
        old = result.get(key)
        result[key] = _merged(m, old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def divide(m: Meter, a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        if double(b) == 0:
            raise _cannot(a, b, "divided because the divisor is zero")
        return number(double(a) / double(b))
    if isinstance(a, str) and isinstance(b, str):
        return split_text(m, a, b)
    raise _cannot(a, b, "divided")


def split_text(m: Meter, text: str, separator: str) -> list[str]:
    m.text(len(text))
    pieces = text.split(separator) if text and separator else list(text)
    m.spend(len(pieces))
    return pieces


def modulo(m: Meter, a: Any, b: Any) -> Any:
    if not (is_number(a) and is_number(b)):
        raise _cannot(a, b, "divided (remainder)")
    if a != a or b != b:
        return float("nan")
    dividend, divisor = _integer(a), _integer(b)
    if divisor == 0:
        raise _cannot(a, b, "divided (remainder) because the divisor is zero")
    rest = abs(dividend) % abs(divisor)
    return number(double(-rest if dividend < 0 else rest)) if rest else 0


def _integer(value: int | float) -> int:
    """Cut to a whole number of 64 bits."""
    if value in (_INFINITE, -_INFINITE):
        return _INT_MAX if value > 0 else _INT_MIN
    return max(_INT_MIN, min(_INT_MAX, int(value)))


def compare(m: Meter, operator: str, a: Any, b: Any) -> bool:
    x, y = m.key(a), m.key(b)
    if operator == "==":
        return x == y
    if operator == "!=":
        return x != y
    if operator == "<":
        return x < y
    if operator == ">":
        return x > y
    return x <= y if operator == "<=" else x >= y


_ARITHMETIC: dict[str, Callable[[Meter, Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
}
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))


# --- nodes --------------------------------------------------------------------------------------------------------


class Node:
    """A part of the expression: the function that runs it, how deep its parts nest, its value if it is a constant."""

    __slots__ = ("constant", "depth", "gen")

    def __init__(self, gen: Gen, *parts: Node, constant: tuple[Any] | None = None, extra: int = 0) -> None:
        self.gen = gen
        self.depth: int = 1 + extra + max([p.depth for p in parts], default=0)
        self.constant = constant


# Binding powers from the loosest to the tightest; the pipe and the comma are above them.
_POWER = {"//": 1, "or": 2, "and": 3, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6} | dict.fromkeys(_COMPARISONS, 4)
_COMPARING, _ADDING = 4, 5


class _Parser:
    """Recursive descent for the structure, precedence climbing for the operators, as jq 1.7's grammar has it."""

    def __init__(self, expr: str, meter: Meter) -> None:
        self.expr = expr
        self.m = meter
        self.tokens: list[Token] = []
        self.at = 0
        self.nested = 0
        self.names: list[str] = []  # the variables that are bound here

    def fail(self, message: str, token: Token) -> JqError:
        return syntax_error(message, self.expr, token.at)

    def parse(self) -> Node:
        self.tokens = _Lexer(self.expr).tokens()
        if self.here.kind == "end":
            return self._checked(Node(self._identity()), self.here)  # jq takes an empty program for the identity
        node = self.pipe()
        if self.here.kind != "end":
            raise self.unexpected()
        return node

    @property
    def here(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.here
        self.at += 1
        return token

    def is_op(self, *texts: str) -> bool:
        return self.here.kind == "op" and self.here.text in texts

    def is_word(self, text: str) -> bool:
        return self.here.kind == "word" and self.here.text == text

    def accept(self, text: str) -> bool:
        if self.is_op(text):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.unexpected(f'; expected "{text}"')

    def unexpected(self, more: str = "") -> JqError:
        token = self.here
        if token.kind == "op" and token.text in _ASSIGN:
            return self.fail(f'unsupported operator "{token.text}"', token)
        if token.kind == "op" and token.text == "?//":
            return self.fail('"?//" is an operator of its own, which is not supported; write "? //"', token)
        if token.kind == "word" and token.text in _FOREIGN:
            return self.fail(f'unsupported word "{token.text}"', token)
        if token.kind == "end" and not token.text:
            return self.fail(f"unexpected end{more}", token)
        text = {"field": ".", "var": "$"}.get(token.kind, "") + token.text
        text = text if len(text) <= 30 else f"{text[:30]}..."
        return self.fail(
            f"unexpected {_harmless(text)}{more}" if text[0] == '"' else f'unexpected "{text}"{more}', token
        )

    def _checked(self, node: Node, token: Token) -> Node:
        if node.depth > DEPTH:
            raise self.fail("too deep: the expression has too many parts inside parts", token)
        return node

    # pipes and commas

    def pipe(self, comma: bool = True) -> Node:
        start = self.here
        stages = [self._commas() if comma else self.binary(0)]
        while self.accept("|"):
            stages.append(self._commas() if comma else self.binary(0))
        if len(stages) == 1:
            return stages[0]
        depth = max(place + stage.depth for place, stage in enumerate(stages))
        node = Node(self._piped([s.gen for s in stages]))
        node.depth = depth + 1
        return self._checked(node, start)

    def _piped(self, stages: list[Gen]) -> Gen:
        last = len(stages) - 1

        def stage(place: int, value: Any, env: Env) -> Iterator[Any]:
            if place == last:
                return stages[place](value, env)
            return following(place, value, env)

        def following(place: int, value: Any, env: Env) -> Iterator[Any]:
            for inner in stages[place](value, env):
                yield from stage(place + 1, inner, env)

        return lambda value, env: following(0, value, env)

    def _commas(self) -> Node:
        parts = [self.binary(0)]
        while self.accept(","):
            parts.append(self.binary(0))
        if len(parts) == 1:
            return parts[0]
        gens = [p.gen for p in parts]

        def gen(value: Any, env: Env) -> Iterator[Any]:
            for part in gens:
                yield from part(value, env)

        return Node(gen, *parts)

    # operators

    def binary(self, least: int) -> Node:
        """Operators that bind at least as tightly as *least*."""
        start = self.here
        self.nested += 1
        if self.nested > NESTING:
            raise self.fail("too deep: too many parts inside parts", start)
        left = self._operand()
        most = 9
        while self.here.kind in ("op", "word"):
            token = self.here
            power = _POWER.get(token.text, 0)
            if power < max(least, 1):
                break
            if power == most == _COMPARING:
                raise self.unexpected("; comparisons do not chain")
            self.at += 1
            right = self.binary(power if power == 1 else power + 1)
            left = self._checked(self._operation(token.text, left, right), token)
            most = power
        self.nested -= 1
        return left

    def _operand(self) -> Node:
        if self.accept("-"):
            return self._negated(self.binary(_ADDING + 1))
        return self.term()

    def _negated(self, operand: Node) -> Node:
        def gen(value: Any, env: Env) -> Iterator[Any]:
            for v in operand.gen(value, env):
                if not is_number(v):
                    raise failure(f"{described(v)} cannot be negated")
                yield number(-double(v))

        return Node(gen, operand)

    def _operation(self, operator: str, left: Node, right: Node) -> Node:
        m, a, b = self.m, left.gen, right.gen
        calculate = _ARITHMETIC.get(operator, add)

        def alternative(value: Any, env: Env) -> Iterator[Any]:
            found = False
            for v in a(value, env):
                if truthy(v):
                    found = True
                    yield v
            if not found:
                yield from b(value, env)

        def logical(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            decides = operator == "or"
            for v in a(value, env):
                if truthy(v) == decides:
                    yield decides
                else:
                    for w in b(value, env):
                        yield truthy(w)

        def comparison(value: Any, env: Env) -> Iterator[Any]:
            for w in b(value, env):
                for v in a(value, env):
                    yield compare(m, operator, v, w)

        def arithmetic(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            for w in b(value, env):  # the right side is the outer loop, as in jq
                for v in a(value, env):
                    yield calculate(m, v, w)

        if operator == "//":
            return Node(alternative, left, right)
        if operator in ("and", "or"):
            return Node(logical, left, right)
        return Node(comparison if operator in _COMPARISONS else arithmetic, left, right)

    # terms

    def term(self) -> Node:
        start = self.here
        node = self._suffixes(self._primary(), start)
        if self.is_word("as"):
            self.at += 1
            node = self._binding(node)
        return self._checked(node, start)

    def _suffixes(self, node: Node, start: Token) -> Node:
        while True:
            if self.here.kind == "field":
                node = self._indexed(node, self._constant(self.take().text))
            elif self.is_op(".") and self.tokens[self.at + 1].kind in ("string", "format"):
                self.at += 1
                node = self._indexed(node, self._string())
            elif self.is_op(".") and self.tokens[self.at + 1].text == "[":
                self.at += 2
                node = self._bracket(node, slices=False)
            elif self.is_op("["):
                self.at += 1
                node = self._bracket(node)
            elif self.is_op("?"):
                self.at += 1
                node = self._tried(node)
            elif self.is_op("."):
                self.at += 1
                raise self.unexpected('; a name stands right behind its dot, others as .["name"]')
            else:
                return node
            self._checked(node, start)

    def _tried(self, node: Node) -> Node:
        """`?` behind everything but an index: no error of the part comes out."""

        def gen(value: Any, env: Env) -> Iterator[Any]:
            results = node.gen(value, env)
            while True:
                try:
                    v = next(results)
                except StopIteration:
                    return
                except JqError:
                    self.m.spend(0)  # what ran out of work stays stopped
                    return
                yield v

        return Node(gen, node)

    def _bracket(self, target: Node, slices: bool = True) -> Node:
        """What stands behind `[`; jq has no slices behind `.[` but at the beginning of a path."""
        if self.accept("]"):
            return self._each(target, self.accept("?"))
        if slices and self.accept(":"):
            start, end = self._constant(None), self.pipe()
        else:
            start = self.pipe()
            if not slices or not self.accept(":"):
                self.expect("]")
                return self._indexed(target, start)
            end = self._constant(None) if self.is_op("]") else self.pipe()
        self.expect("]")
        return self._sliced(target, start, end, self.accept("?"))

    def _each(self, target: Node, optional: bool) -> Node:
        m, gen = self.m, target.gen

        def elements(value: Any, env: Env) -> Iterator[Any]:
            for v in gen(value, env):
                if optional and not isinstance(v, (list, dict)):
                    continue
                for element in each(v):
                    m.spend(1)
                    yield element

        return Node(elements, target)

    def _indexed(self, target: Node, key: Node) -> Node:
        optional = self.accept("?")
        gen, keys, m = target.gen, key.gen, self.m

        def one(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            for v in gen(value, env):
                if isinstance(v, dict):
                    yield v.get(name)
                elif v is None or not optional:
                    yield field(v, name)

        def many(value: Any, env: Env) -> Iterator[Any]:
            for k in keys(value, env):
                for v in gen(value, env):
                    try:
                        found = index(m, v, k)
                    except JqError:
                        if not optional:
                            raise
                        m.spend(0)
                        continue
                    yield found

        if key.constant and isinstance(key.constant[0], str):
            name = key.constant[0]
            return Node(one, target)
        return Node(many, target, key)

    def _sliced(self, target: Node, start: Node, end: Node, optional: bool) -> Node:
        m = self.m

        def gen(value: Any, env: Env) -> Iterator[Any]:
            for first in start.gen(value, env):
                for last in end.gen(value, env):
                    for v in target.gen(value, env):
                        try:
                            found = piece(m, v, first, last)
                        except JqError:
                            if not optional:
                                raise
                            m.spend(0)
                            continue
                        yield found

        return Node(gen, target, start, end)

    def _primary(self) -> Node:
        token = self.here
        if token.kind == "number":
            self.at += 1
            return self._constant(literal(token.text))
        if token.kind in ("string", "format"):
            return self._string() if self._starts_string() else self._format()
        if token.kind == "field":
            return Node(self._identity())
        if token.kind == "var":
            self.at += 1
            return self._variable(token)
        if token.kind == "word":
            return self._word()
        if self.accept("."):
            return self._dot()
        if self.accept(".."):
            return Node(self._descend)
        if self.accept("("):
            node = self.pipe()
            self.expect(")")
            return node
        if self.accept("["):
            return self._array()
        if self.accept("{"):
            return self._object()
        raise self.unexpected()

    def _dot(self) -> Node:
        identity = Node(self._identity())
        if self._starts_string():
            return self._indexed(identity, self._string())
        if self.here.kind == "word" and self.here.text not in _KEYWORDS:
            raise self.unexpected('; a name stands right behind its dot, others as .["name"]')
        return identity

    def _identity(self) -> Gen:
        def gen(value: Any, env: Env) -> Iterator[Any]:
            yield value

        return gen

    def _constant(self, constant: Any) -> Node:
        m = self.m

        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            yield constant

        return Node(gen, constant=(constant,))

    def _descend(self, value: Any, env: Env) -> Iterator[Any]:
        self.m.spend(1)
        yield value
        if isinstance(value, (list, dict)):
            for inner in each(value):
                yield from self._descend(inner, env)

    def _array(self) -> Node:
        if self.accept("]"):
            return Node(self._listed(None), constant=([],))
        inner = self.pipe()
        self.expect("]")
        return Node(self._listed(inner.gen), inner)

    def _listed(self, inner: Gen | None) -> Gen:
        m = self.m

        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            found = [] if inner is None else list(inner(value, env))
            m.spend(len(found))
            yield found

        return gen

    # strings

    def _starts_string(self) -> bool:
        return self.here.kind == "string" or (self.here.kind == "format" and self.tokens[self.at + 1].kind == "string")

    def _format(self) -> Node:
        function, m = self._formatter(self.take()), self.m

        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            yield function(m, value)

        return Node(gen)

    def _formatter(self, token: Token) -> Callable[[Meter, Any], str]:
        if token.text not in FORMATS:
            raise self.fail(f'unsupported format "{token.text}"; there are {" ".join(FORMATS)}', token)
        return FORMATS[token.text]

    def _string(self) -> Node:
        """A string whose interpolations are printed by the format before it; the last one is the outermost loop."""
        if not self._starts_string():
            raise self.unexpected()
        function = self._formatter(self.take()) if self.here.kind == "format" else text_of
        token = self.take()
        if len(token.parts) == 1:
            return self._constant(token.parts[0])
        parts = [p if isinstance(p, str) else self._interpolation(p) for p in token.parts]
        m = self.m

        def gen(value: Any, env: Env, place: int = len(parts) - 1, behind: str = "") -> Iterator[Any]:
            while place >= 0:
                part = parts[place]
                place -= 1
                if not isinstance(part, str):
                    for v in part.gen(value, env):
                        text = function(m, v) + behind
                        m.text(len(text))
                        yield from gen(value, env, place, text)
                    return
                behind = part + behind
            m.spend(1)
            yield behind

        nodes = [p for p in parts if isinstance(p, Node)]
        return self._checked(Node(gen, *nodes, extra=len(nodes)), token)

    def _interpolation(self, tokens: list[Token]) -> Node:
        outer = self.tokens, self.at
        self.tokens, self.at = tokens, 0
        node = self.pipe()
        if self.here.kind != "end":
            raise self.unexpected('; expected ")"')
        self.tokens, self.at = outer
        return node

    # objects

    def _object(self) -> Node:
        start = self.here
        entries: list[tuple[Node, Node | None]] = []
        while not self.is_op("}"):
            entries.append(self._entry())
            if not self.accept(","):
                break
        self.expect("}")
        m = self.m

        def gen(value: Any, env: Env, place: int = 0, made: tuple[tuple[str, Any], ...] = ()) -> Iterator[Any]:
            if place == len(entries):
                m.spend(1 + len(made))
                yield dict(made)
                return
            key, inner = entries[place]
            for k in key.gen(value, env):
                for v in inner.gen(value, env) if inner else [index(m, value, k)]:
                    if not isinstance(k, str):
                        raise failure(f"cannot use {described(k)} as object key")
                    yield from gen(value, env, place + 1, (*made, (k, v)))

        nodes = [n for entry in entries for n in entry if n]
        constant: tuple[Any] | None = None if entries else ({},)
        return self._checked(Node(gen, *nodes, constant=constant, extra=len(entries)), start)

    def _entry(self) -> tuple[Node, Node | None]:
        """Key and value; no value: the input's field of that name."""
        token = self.here
        if self._starts_string():
            key = self._string()
            return key, self._object_value() if self.accept(":") else None
        if token.kind == "var":
            self.at += 1
            if self.accept(":"):  # the variable's value is the key
                return self._variable(token), self._object_value()
            return self._constant(token.text), self._variable(token)
        if token.kind == "word":
            self.at += 1
            if "::" in token.text:
                self.at -= 1
                raise self.unexpected()
            return self._constant(token.text), self._object_value() if self.accept(":") else None
        if not self.accept("("):
            raise self.unexpected("; a key is a name, a string, $name or (expression)")
        key = self.pipe()
        self.expect(")")
        if key.constant and not isinstance(key.constant[0], str):
            raise self.fail(f"cannot use {described(key.constant[0])} as object key", token)
        self.expect(":")
        return key, self._object_value()

    def _object_value(self) -> Node:
        return self.pipe(comma=False)

    # variables

    def _variable(self, token: Token) -> Node:
        name = token.text
        if name not in self.names:
            raise self.fail(f'the variable "${name}" is not defined', token)
        m = self.m

        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            yield env[name]

        return Node(gen)

    def _binding(self, source: Node) -> Node:
        known = len(self.names)
        binder = self._pattern()
        if self.is_op("?//"):
            raise self.unexpected()
        self.expect("|")
        body = self.pipe()
        del self.names[known:]

        def gen(value: Any, env: Env) -> Iterator[Any]:
            for v in source.gen(value, env):
                for bound in binder.gen(v, env):
                    yield from body.gen(value, bound)

        return Node(gen, source, binder, body)

    def _pattern(self) -> Node:
        """A node that gives, for a value, the variables with the pattern's names bound to its parts."""
        token = self.here
        if token.kind == "var":
            self.at += 1
            self.names.append(token.text)
            name = token.text

            def bind(value: Any, env: Env) -> Iterator[Any]:
                self.m.spend(1)
                yield {**env, name: value}

            return Node(bind)
        self.nested += 1
        if self.nested > NESTING:
            raise self.fail("too deep: too many parts inside parts", token)
        if self.accept("["):
            parts = [(self._constant(0), self._pattern())]
            while self.accept(","):
                parts.append((self._constant(len(parts)), self._pattern()))
            self.expect("]")
        elif self.accept("{"):
            parts = self._field_patterns()
            while self.accept(","):
                parts += self._field_patterns()
            self.expect("}")
        else:
            raise self.unexpected('; expected a variable such as "$x"')
        self.nested -= 1
        return self._checked(Node(self._destructured(parts), *[n for p in parts for n in p], extra=len(parts)), token)

    def _field_patterns(self) -> list[tuple[Node, Node]]:
        token = self.here
        if token.kind == "var":
            whole = (self._constant(token.text), self._pattern())
            return [whole, (self._constant(token.text), self._pattern())] if self.accept(":") else [whole]
        if self.accept("("):
            key = self.pipe()
            self.expect(")")
        elif self._starts_string():
            key = self._string()
        elif token.kind == "word":
            key = self._constant(self.take().text)
        else:
            raise self.unexpected()
        self.expect(":")
        return [(key, self._pattern())]

    def _destructured(self, parts: list[tuple[Node, Node]]) -> Gen:
        def gen(value: Any, env: Env, place: int = 0) -> Iterator[Any]:
            if place == len(parts):
                yield env
                return
            key, inner = parts[place]
            for k in key.gen(value, env):
                for bound in inner.gen(index(self.m, value, k), env):
                    yield from gen(value, bound, place + 1)

        return gen

    # words

    def _word(self) -> Node:
        token = self.take()
        if token.text in ("true", "false", "null") and not self.is_op("("):
            return self._constant({"true": True, "false": False, "null": None}[token.text])
        if token.text == "if":
            return self._conditional(token)
        if token.text in _KEYWORDS:
            self.at -= 1
            raise self.unexpected()
        arguments: list[Node] = []
        if self.accept("("):
            arguments.append(self.pipe())
            while self.accept(";"):
                arguments.append(self.pipe())
            self.expect(")")
        by_count = BUILTINS.get(token.text)
        if by_count is None:
            raise self.fail(f'unsupported word "{token.text}"', token)
        build = by_count.get(len(arguments))
        if build is None:
            counts = " or ".join(str(n) if n else "no" for n in sorted(by_count))
            plural = "" if max(by_count) == 1 else "s"
            raise self.fail(f'"{token.text}" takes {counts} argument{plural}, not {len(arguments)}', token)
        return Node(build(self.m, *[a.gen for a in arguments]), *arguments, extra=2)

    def _conditional(self, start: Token) -> Node:
        branches: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        while True:
            condition = self.pipe()
            self._keyword("then", start)
            branches.append((condition, self.pipe()))
            if not self.is_word("elif"):
                break
            self.at += 1
        if self.is_word("else"):
            self.at += 1
            otherwise = self.pipe()
        self._keyword("end", start)

        def gen(value: Any, env: Env, place: int = 0) -> Iterator[Any]:
            self.m.spend(1)
            if place == len(branches):
                yield from otherwise.gen(value, env) if otherwise else [value]
                return
            condition, then = branches[place]
            for v in condition.gen(value, env):
                yield from then.gen(value, env) if truthy(v) else gen(value, env, place + 1)

        nodes = [n for branch in branches for n in branch] + ([otherwise] if otherwise else [])
        return Node(gen, *nodes, extra=len(branches))

    def _keyword(self, word: str, start: Token) -> None:
        if not self.is_word(word):
            if self.here.kind == "end":
                raise self.fail(f'the "if" has no "{word}"', start)
            raise self.unexpected(f'; expected "{word}"')
        self.at += 1


def index(m: Meter, value: Any, key: Any) -> Any:
    """`.[key]`, whatever the key is."""
    if isinstance(key, str):
        return field(value, key)
    if is_number(key):
        return item(value, key)
    if isinstance(key, dict) and (value is None or isinstance(value, (list, str))):
        return piece(m, value, key.get("start", ""), key.get("end", ""))
    if isinstance(key, list) and isinstance(value, list):
        m.spend(len(key) * len(value))
        places, wanted = [m.key(v) for v in value], [m.key(v) for v in key]
        return [i for i in range(len(places)) if key and places[i : i + len(key)] == wanted]
    raise failure(f"cannot index {kind(value)} with {kind(key)}")


def piece(m: Meter, value: Any, start: Any, end: Any) -> Any:
    """`.[start:end]` of an array or a string (by code points); null has only null."""
    if value is None:
        return None
    if not isinstance(value, (list, str)):
        raise failure(f"cannot index {kind(value)} with object")
    if not all(bound is None or is_number(bound) for bound in (start, end)):
        raise failure("array or string slice bounds must be numbers")
    size = len(value)
    first = _bound(0 if start is None else start, size)
    last = _bound(size if end is None else end, size, up=True)
    found = value[first : max(first, last)]
    m.spend(len(found) >> 3)
    return found


def _bound(bound: int | float, size: int, up: bool = False) -> int:
    if bound != bound:
        return size if up else 0
    place = double(bound) + (size if bound < 0 else 0)
    if place <= 0 or place >= size:
        return 0 if place <= 0 else size
    return int(place) + (1 if up and place != int(place) else 0)


# --- formats ------------------------------------------------------------------------------------------------------


def text_of(m: Meter, value: Any) -> str:
    """`tostring` and `@text`: a string as it is, everything else as JSON."""
    return value if isinstance(value, str) else m.json(value)


def _json_format(m: Meter, value: Any) -> str:
    return m.json(value)


def _row(m: Meter, value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise failure(f"{described(value)} cannot be {name}-formatted, only array")
    m.spend(len(value))
    return value


def _cell(value: Any, name: str) -> str:
    """A cell that is not a string; null and NaN are empty."""
    if isinstance(value, (list, dict)):
        raise failure(f"{described(value)} is not valid in a {name} row")
    if value is None or value != value:
        return ""
    return compact(value)


def _csv(m: Meter, value: Any) -> str:
    cells = ['"' + v.replace('"', '""') + '"' if isinstance(v, str) else _cell(v, "csv") for v in _row(m, value, "csv")]
    return _joined(m, cells, ",")


_TAB_ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


def _tsv(m: Meter, value: Any) -> str:
    cells = [v.translate(_TAB_ESCAPES) if isinstance(v, str) else _cell(v, "tsv") for v in _row(m, value, "tsv")]
    return _joined(m, cells, "\t")


def _shell(m: Meter, value: Any) -> str:
    words: list[str] = []
    for v in value if isinstance(value, list) else [value]:
        if isinstance(v, (list, dict)):
            raise failure(f"{described(v)} cannot be escaped for shell")
        words.append("'" + v.replace("'", "'\\''") + "'" if isinstance(v, str) else compact(v))
    return _joined(m, words, " ")


def _joined(m: Meter, pieces: list[str], separator: str) -> str:
    m.spend(len(pieces))
    m.text(sum(map(len, pieces)) + len(separator) * len(pieces))
    return separator.join(pieces)


FORMATS: dict[str, Callable[[Meter, Any], str]] = {
    "@csv": _csv,
    "@tsv": _tsv,
    "@json": _json_format,
    "@text": text_of,
    "@sh": _shell,
}


# --- builtins: for each a maker (meter, arguments...) -> function of value and variables --------------------------


def _plain(function: Callable[[Meter, Any], Any]) -> Callable[..., Gen]:
    """A builtin without arguments that gives one result."""

    def build(m: Meter) -> Gen:
        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            yield function(m, value)

        return gen

    return build


def _strict(function: Callable[[Meter, Any, Any], Any]) -> Callable[..., Gen]:
    """A builtin with one argument that gives one result for each value of the argument."""

    def build(m: Meter, argument: Gen) -> Gen:
        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            for a in argument(value, env):
                yield function(m, value, a)

        return gen

    return build


def _length(m: Meter, value: Any) -> Any:
    if value is None:
        return 0
    if isinstance(value, (str, list, dict)):
        return len(value)
    if isinstance(value, bool):
        raise failure(f"{described(value)} has no length")
    return number(abs(double(value)))


def _keys(m: Meter, value: Any) -> Any:
    if isinstance(value, (list, dict)):
        m.spend(len(value))
        return sorted(value) if isinstance(value, dict) else list(range(len(value)))
    raise failure(f"{described(value)} has no keys")


def _has(m: Meter, value: Any, key: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, dict) and isinstance(key, str):
        return key in value
    if isinstance(value, list) and is_number(key):
        return bool(0 <= key < len(value))
    raise failure(f"cannot check whether {kind(value)} has a {kind(key)} key")


def _sum(m: Meter, value: Any) -> Any:
    values = each(value)
    m.spend(len(values))
    if values and all(isinstance(v, str) for v in values):
        return _joined(m, values, "")
    if values and all(isinstance(v, list) for v in values):
        m.spend(sum(map(len, values)))
        return [inner for v in values for inner in v]
    if values and all(isinstance(v, dict) for v in values):
        m.spend(sum(map(len, values)))
        return {key: inner for v in values for key, inner in v.items()}
    total = None
    for v in values:
        total = add(m, total, v)
    return total


def _type(m: Meter, value: Any) -> str:
    return kind(value)


def _not(m: Meter, value: Any) -> bool:
    return not truthy(value)


def _tonumber(m: Meter, value: Any) -> Any:
    """The number a string spells, with white space around it and a plus sign before it, as jq 1.7 takes them."""
    if is_number(value):
        return value
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        text = value.strip(" \t\r\n\v\f").lower()
        sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") and text else ("", text)
        if digits in ("nan", "infinity"):
            return float(sign + digits)
        if _spells_number(digits):
            return literal(digits) if sign != "-" else _opposite(literal(digits))
    raise failure(f"{described(value)} cannot be parsed as a number")


def _spells_number(text: str) -> bool:
    mantissa, mark, exponent = text.partition("e")
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    return _ascii_digits(mantissa.replace(".", "", 1)) and (not mark or _ascii_digits(power))


def _ascii_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _opposite(value: int | float) -> int | float:
    """The literal with a minus sign before it."""
    if isinstance(value, int) and value:
        return -value
    return Number(-float(value), "-" + number_text(value))


def _rounding(name: str) -> Callable[[Meter, Any], Any]:
    def function(m: Meter, value: Any) -> Any:
        if not is_number(value):
            raise failure(f"{described(value)} number required")
        x = double(value)
        if x != x or x in (_INFINITE, -_INFINITE) or x == int(x):
            return number(x)
        whole = int(x)  # cut towards zero
        if name == "floor":
            near = whole - (x < 0)
        elif name == "ceil":
            near = whole + (x > 0)
        else:  # halves away from zero
            near = whole + (0 if abs(x - whole) < 0.5 else 1 if x > 0 else -1)
        return number(-0.0) if near == 0 and x < 0 else near

    return function


def _absolute(m: Meter, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        raise failure(f"{described(value)} cannot be negated")
    return number(-double(value)) if is_number(value) and (value < 0 or value != value) else value


def _reverse(m: Meter, value: Any) -> Any:
    if isinstance(value, list):
        m.spend(len(value) >> 3)
        return value[::-1]
    if _length(m, value) == 0:
        return []
    raise failure(f"cannot index {kind(value)} with number")


def _contains(m: Meter, value: Any, wanted: Any) -> bool:
    if _containment_kind(value) != _containment_kind(wanted):
        raise _cannot(value, wanted, "compared for containment")
    return _holds(m, value, wanted)


def _containment_kind(value: Any) -> str:
    return str(value) if isinstance(value, bool) else kind(value)


def _holds(m: Meter, value: Any, wanted: Any) -> bool:
    m.spend(1)
    if isinstance(value, dict) and isinstance(wanted, dict):
        return all(key in value and _holds(m, value[key], inner) for key, inner in wanted.items())
    if isinstance(value, list) and isinstance(wanted, list):
        return all(any(_holds(m, v, w) for v in value) for w in wanted)
    if isinstance(value, str) and isinstance(wanted, str):
        m.text(len(value))
        return wanted in value
    return compare(m, "==", value, wanted)


def _startswith(m: Meter, value: Any, start: Any) -> bool:
    if not (isinstance(value, str) and isinstance(start, str)):
        raise failure("startswith() requires string inputs")
    return value.startswith(start)


def _endswith(m: Meter, value: Any, end: Any) -> bool:
    if not (isinstance(value, str) and isinstance(end, str)):
        raise failure("endswith() requires string inputs")
    return value.endswith(end)


def _split(m: Meter, value: Any, separator: Any) -> list[str]:
    if not (isinstance(value, str) and isinstance(separator, str)):
        raise failure("split input and separator must be strings")
    return split_text(m, value, separator)


def _join(m: Meter, value: Any, separator: Any) -> str:
    pieces: list[str] = []
    for v in each(value):
        if pieces and not (separator is None or isinstance(separator, str)):
            raise _cannot("".join(pieces), separator, "added")
        if isinstance(v, (list, dict)):
            raise _cannot("".join(pieces), v, "added")
        m.spend(1)
        pieces.append("" if v is None else text_of(m, v))
    return _joined(m, pieces, separator if isinstance(separator, str) else "")


_LOWER = {upper: upper + 32 for upper in range(65, 91)}
_UPPER = {lower: lower - 32 for lower in range(97, 123)}


def _cased(table: dict[int, int]) -> Callable[[Meter, Any], Any]:
    def function(m: Meter, value: Any) -> Any:
        if not isinstance(value, str):
            raise failure("ascii_downcase and ascii_upcase need a string")
        m.text(len(value))
        return value.translate(table)

    return function


def _searched(m: Meter, value: Any, pattern: Any, flags: Any) -> list[tuple[int, int]]:
    """Where the regular expression matches: every place with the flag g, else the first."""
    from ccusage_line.jqregex import spans

    if not isinstance(value, str):
        raise failure(f"{described(value)} cannot be matched, as it is not a string")
    if not isinstance(pattern, str):
        raise failure(f"{described(pattern)} cannot be matched, as it is not a string")
    if not (flags is None or isinstance(flags, str)):
        raise failure(f"{described(flags)} is not a string")
    return spans(pattern, flags or "", value, m.spend)


def _test_value(m: Meter, value: Any, pattern: Any) -> bool:
    if isinstance(pattern, list) and pattern:
        return bool(_searched(m, value, pattern[0], pattern[1] if len(pattern) > 1 else None))
    if not isinstance(pattern, str):
        raise failure(f"{kind(pattern)} not a string or array")
    return bool(_searched(m, value, pattern, None))


def _test_flags(m: Meter, pattern: Gen, flags: Gen) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        for f in flags(value, env):
            for p in pattern(value, env):
                yield bool(_searched(m, value, p, f))

    return gen


def _split_regex(m: Meter, pattern: Gen, flags: Gen) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        for p in pattern(value, env):
            for f in flags(value, env):
                if not (f is None or isinstance(f, str)):
                    raise _cannot("g", f, "added")
                last, pieces = 0, []
                for start, end in _searched(m, value, p, "g" + (f or "")):
                    pieces.append(value[last:start])
                    last = end
                yield [*pieces, value[last:]]

    return gen


# sorting and grouping


def _array(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise failure(f"{described(value)} cannot be {what}, as it is not an array")
    return value


def _itself(value: Any, env: Env) -> Iterator[Any]:
    yield value


def _keyed(m: Meter, value: Any, by: Gen, env: Env, what: str) -> list[tuple[Key, Any]]:
    """The elements with what *by* gives for each, all its results in order."""
    elements = _array(value, what)
    if by is _itself:
        return [(m.key(v), v) for v in elements]
    return [(m.key(list(by(v, env))), v) for v in elements]


def _first_of(pair: tuple[Key, Any]) -> Key:
    return pair[0]


def _ordered(function: Callable[[list[tuple[Key, Any]]], Any], what: str) -> dict[int, Callable[..., Gen]]:
    """A builtin over elements and their keys; without an argument each element is its own key."""

    def build(m: Meter, by: Gen = _itself) -> Gen:
        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            yield function(_keyed(m, value, by, env, what))

        return gen

    return {0: build, 1: build}


def _sorted(pairs: list[tuple[Key, Any]]) -> list[Any]:
    return [v for _, v in sorted(pairs, key=_first_of)]


def _grouped(pairs: list[tuple[Key, Any]]) -> list[list[Any]]:
    groups: list[list[Any]] = []
    previous: Key | None = None
    for key, value in sorted(pairs, key=_first_of):
        if previous is not None and key == previous:
            groups[-1].append(value)
        else:
            groups.append([value])
        previous = key
    return groups


def _least(pairs: list[tuple[Key, Any]]) -> Any:
    return min(pairs, key=_first_of)[1] if pairs else None


def _greatest(pairs: list[tuple[Key, Any]]) -> Any:
    return max(reversed(pairs), key=_first_of)[1] if pairs else None  # of equal ones the last


def _unique(pairs: list[tuple[Key, Any]]) -> list[Any]:
    return [group[0] for group in _grouped(pairs)]


# generators


def _select(m: Meter, condition: Gen) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        m.spend(1)
        for v in condition(value, env):
            if truthy(v):
                yield value

    return gen


def _map(m: Meter, function: Gen) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        m.spend(1)
        found: list[Any] = []
        for v in each(value):
            m.spend(1)
            found.extend(function(v, env))
        yield found

    return gen


def _map_values(m: Meter, function: Gen) -> Gen:
    """The first result for each value; where there is none the element goes."""

    def gen(value: Any, env: Env) -> Iterator[Any]:
        m.spend(1)
        if isinstance(value, dict):
            yield {key: w for key, v in value.items() for w in _first(function(v, env))}
        else:
            yield [w for v in each(value) for w in _first(function(v, env))]

    return gen


def _first(results: Iterator[Any]) -> list[Any]:
    for v in results:
        return [v]
    return []


def _values(m: Meter) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        m.spend(1)
        if value is not None:
            yield value

    return gen


def _empty(m: Meter) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        m.spend(1)
        yield from ()

    return gen


def _elements(value: Any, env: Env) -> Iterator[Any]:
    yield from each(value)


def _quantifier(decides: bool) -> dict[int, Callable[..., Gen]]:
    """`any` (decided by a true result) and `all` (by a false one): of a generator, a condition for each."""

    def build(m: Meter, generator: Gen, condition: Gen) -> Gen:
        def gen(value: Any, env: Env) -> Iterator[Any]:
            m.spend(1)
            for v in generator(value, env):
                m.spend(1)
                for w in condition(v, env):
                    if truthy(w) == decides:
                        yield decides
                        return
            yield not decides

        return gen

    return {
        0: lambda m: build(m, _elements, _itself),
        1: lambda m, condition: build(m, _elements, condition),
        2: build,
    }


def _first_result(m: Meter, generator: Gen) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        m.spend(1)
        yield from _first(generator(value, env))

    return gen


def _last_result(m: Meter, generator: Gen) -> Gen:
    """Null where there is no result, as in jq 1.7."""

    def gen(value: Any, env: Env) -> Iterator[Any]:
        last = None
        for v in generator(value, env):
            m.spend(1)
            last = v
        yield last

    return gen


def _limit(m: Meter, count: Gen, generator: Gen) -> Gen:
    """jq 1.7: nothing for 0, everything for less than 0."""

    def gen(value: Any, env: Env) -> Iterator[Any]:
        for left in count(value, env):
            if compare(m, ">", left, 0):
                for v in generator(value, env):
                    left = subtract(m, left, 1)
                    yield v
                    if compare(m, "<=", left, 0):
                        break
            elif compare(m, "!=", left, 0):
                yield from generator(value, env)

    return gen


def _range(m: Meter, start: Gen, end: Gen | None = None) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        if end is None:
            for b in start(value, env):
                yield from _counted(m, 0, b)
            return
        for a in start(value, env):
            for b in end(value, env):
                yield from _counted(m, a, b)

    return gen


def _counted(m: Meter, a: Any, b: Any) -> Iterator[Any]:
    if not (is_number(a) and is_number(b)):
        raise failure("range bounds must be numeric")
    while a < b:
        m.spend(1)
        yield a
        a = add(m, a, 1)


def _range_by(m: Meter, start: Gen, end: Gen, by: Gen) -> Gen:
    def gen(value: Any, env: Env) -> Iterator[Any]:
        for a in start(value, env):
            for b in end(value, env):
                for step in by(value, env):
                    direction = "<" if compare(m, ">", step, 0) else ">"
                    at = a
                    while compare(m, "!=", step, 0) and compare(m, direction, at, b):
                        yield at
                        at = add(m, at, step)

    return gen


def _at(place: int) -> Callable[[Meter, Any], Any]:
    def function(m: Meter, value: Any) -> Any:
        return item(value, place)

    return function


BUILTINS: dict[str, dict[int, Callable[..., Gen]]] = {
    "length": {0: _plain(_length)},
    "keys": {0: _plain(_keys)},
    "values": {0: _values},
    "has": {1: _strict(_has)},
    "select": {1: _select},
    "map": {1: _map},
    "map_values": {1: _map_values},
    "add": {0: _plain(_sum)},
    "any": _quantifier(True),
    "all": _quantifier(False),
    "min": {0: _ordered(_least, "iterated over")[0]},
    "max": {0: _ordered(_greatest, "iterated over")[0]},
    "min_by": {1: _ordered(_least, "iterated over")[1]},
    "max_by": {1: _ordered(_greatest, "iterated over")[1]},
    "sort": {0: _ordered(_sorted, "sorted")[0]},
    "sort_by": {1: _ordered(_sorted, "sorted")[1]},
    "group_by": {1: _ordered(_grouped, "grouped")[1]},
    "unique": {0: _ordered(_unique, "grouped")[0]},
    "unique_by": {1: _ordered(_unique, "grouped")[1]},
    "reverse": {0: _plain(_reverse)},
    "first": {0: _plain(_at(0)), 1: _first_result},
    "last": {0: _plain(_at(-1)), 1: _last_result},
    "tostring": {0: _plain(text_of)},
    "tonumber": {0: _plain(_tonumber)},
    "type": {0: _plain(_type)},
    "not": {0: _plain(_not)},
    "round": {0: _plain(_rounding("round"))},
    "floor": {0: _plain(_rounding("floor"))},
    "ceil": {0: _plain(_rounding("ceil"))},
    "abs": {0: _plain(_absolute)},
    "contains": {1: _strict(_contains)},
    "startswith": {1: _strict(_startswith)},
    "endswith": {1: _strict(_endswith)},
    "test": {1: _strict(_test_value), 2: _test_flags},
    "split": {1: _strict(_split), 2: _split_regex},
    "join": {1: _strict(_join)},
    "ascii_downcase": {0: _plain(_cased(_LOWER))},
    "ascii_upcase": {0: _plain(_cased(_UPPER))},
    "empty": {0: _empty},
    "limit": {2: _limit},
    "range": {1: _range, 2: _range, 3: _range_by},
}


# --- programs -----------------------------------------------------------------------------------------------------


class Program:
    """A compiled expression. It keeps the count of its work: run it, and print its results, once at a time."""

    def __init__(self, root: Gen, meter: Meter) -> None:
        self._root = root
        self._meter = meter

    def run(self, value: Any) -> Iterator[Any]:
        """The results, as they are found; a JqError ends them."""
        self._meter.start(value)
        try:
            yield from self._root(value, {})
        except RecursionError:
            raise failure("too deep: values inside values") from None
        except MemoryError:
            raise failure("too much work: not enough memory") from None

    def render(self, result: Any) -> str:
        """The result as it is printed; a JqError once a run's results are larger than any report."""
        meter = self._meter
        if isinstance(result, str):
            meter.printable -= len(result) >> 5
            if meter.printable < 0:
                raise failure("too much output")
            return whole_characters(result)
        parts: list[str] = []
        try:
            write(result, parts, "\n", meter.printable)
        except RecursionError:
            raise failure("too deep: values inside values") from None
        meter.printable -= len(parts)
        return "".join(parts)


def compile(expr: str) -> Program:
    """The program, or a JqError that shows with a caret where the expression cannot be read."""
    if len(expr) > LONGEST_EXPRESSION:
        raise syntax_error("too long an expression", expr, LONGEST_EXPRESSION)
    meter = Meter()
    try:
        return Program(_Parser(expr, meter).parse().gen, meter)
    except RecursionError:
        raise syntax_error("too deep: too many parts inside parts", expr, 0) from None


def run(expr: str, value: Any) -> Iterator[Any]:
    """All results of *expr* on *value*; a syntax error is raised at once, others in their place among the results."""
    return compile(expr).run(value)
