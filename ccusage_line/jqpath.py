"""`--jq` where the expression is a plain path, and how a result is printed.

Tier 1: imports nothing at module level. A plain path like `.totalCost` or `.sessions[].sessionId` is answered here;
everything else goes to `jqeval`, loaded only then. Both lanes share `field`, `item`, `each` and `render`, so they give
the same results and the same errors.

A value is what the json module makes of our JSON. Two kinds of number matter when one is printed, as in jq 1.7: one
that is still as it stood in the JSON (jq prints it digit by digit, so 1.0 stays 1.0 and 3e-05 becomes 0.00003), and a
computed one (jq prints the shortest double: 1, 3e-05). Plain ints and floats are the first kind; a `Number` carries
the text of one that would print differently.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    # one step of a path: a key, an index, or None for every element; and whether `?` follows it
    Step = tuple[str | int | None, bool]

_SPACE = " \t\r\n"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
_DIGITS = "0123456789"
_INDENT = "  "
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SHOWN = 40  # characters of a value that an error message repeats


class Number(float):
    """A float that jq prints in another way than the digits of its repr: `text`."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, value: float, text: str) -> Number:
        number = super().__new__(cls, value)
        number.text = text
        return number


def parse(expr: str) -> list[Step] | None:
    """The steps of a plain path; None for every other expression, also for a wrong one."""
    at = _skip(expr, 0)
    if expr[at : at + 1] != ".":
        return None
    steps: list[Step] = []
    following = expr[_skip(expr, at + 1) :][:1]
    if following in ("", "[", ".") and expr[at + 1 : at + 2] != ".":
        at = _skip(expr, at + 1)  # the dot is the identity; a dot after white space begins the next step
    while at < len(expr):
        if expr[at] == "?":
            if not steps or steps[-1][1]:
                return None  # what a second one catches is for the evaluator
            steps[-1] = (steps[-1][0], True)
            at += 1
        else:
            found = _step(expr, at)
            if found is None:
                return None
            key, at = found
            steps.append((key, False))
        at = _skip(expr, at)
    return steps


def _skip(expr: str, at: int) -> int:
    while at < len(expr) and expr[at] in _SPACE:
        at += 1
    return at


def _step(expr: str, at: int) -> tuple[str | int | None, int] | None:
    """The key of the step that begins at *at* and the place behind it."""
    if expr[at] == ".":
        end = at + 1
        if expr[end : end + 1] in _LETTERS and end < len(expr):
            while end < len(expr) and (expr[end] in _LETTERS or expr[end] in _DIGITS):
                end += 1
            return expr[at + 1 : end], end
        at = _skip(expr, end)
        if expr[at : at + 1] == '"':
            return _string(expr, at)
    if expr[at : at + 1] != "[":
        return None
    at = _skip(expr, at + 1)
    if expr[at : at + 1] == "]":
        return None, at + 1
    inner = _string(expr, at) if expr[at : at + 1] == '"' else _integer(expr, at)
    if inner is None:
        return None
    key, at = inner
    at = _skip(expr, at)
    return (key, at + 1) if expr[at : at + 1] == "]" else None


def _string(expr: str, at: int) -> tuple[str, int] | None:
    end = expr.find('"', at + 1)
    if end < 0 or "\\" in expr[at:end]:
        return None
    return expr[at + 1 : end], end + 1


def _integer(expr: str, at: int) -> tuple[int, int] | None:
    sign = 1
    if expr[at : at + 1] == "-":
        sign = -1
        at = _skip(expr, at + 1)
    end = at
    while end < len(expr) and expr[end] in _DIGITS:
        end += 1
    if not 0 < end - at <= 15 or expr[end : end + 1] in (".", "e", "E"):
        return None
    return sign * int(expr[at:end]), end


def extract(value: Any, steps: list[Step]) -> list[Any]:
    """All results of a path; a JqError where a step does not fit its value and is not optional."""
    return list(_walk(value, steps, 0))


def _walk(value: Any, steps: list[Step], depth: int) -> Iterator[Any]:
    from ccusage_line.errors import JqError

    while depth < len(steps):
        key, optional = steps[depth]
        depth += 1
        try:
            if key is None:
                inner = each(value)
            else:
                value = field(value, key) if isinstance(key, str) else item(value, key)
        except JqError:
            if optional:
                return
            raise
        if key is None:
            for element in inner:
                yield from _walk(element, steps, depth)
            return
    yield value


def field(value: Any, key: str) -> Any:
    """`.key` of an object or of null."""
    if isinstance(value, dict):
        return value.get(key)
    if value is None:
        return None
    raise failure(f"cannot index {kind(value)} with {shown(key)}")


def item(value: Any, index: int | float) -> Any:
    """`.[index]` of an array or of null; a negative one counts from the end, a fraction is cut off."""
    if isinstance(value, list):
        if index != index or index in (float("inf"), float("-inf")):
            return None
        place = int(index)
        if place < 0:
            place += len(value)
        return value[place] if 0 <= place < len(value) else None
    if value is None:
        return None
    raise failure(f"cannot index {kind(value)} with number")


def each(value: Any) -> list[Any]:
    """`.[]`: the elements of an array, the values of an object."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value.values())
    raise failure(f"cannot iterate over {described(value)}")


def failure(message: str) -> Exception:
    """A JqError of a run-time error; what it repeats of the data cannot move a terminal's cursor."""
    from ccusage_line.errors import JqError

    return JqError("--jq: " + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in message))


def kind(value: Any) -> str:
    """jq's name of the value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"


def described(value: Any) -> str:
    """Type and beginning of a value, as jq's messages name it."""
    return f"{kind(value)} ({shown(value)})"


def shown(value: Any) -> str:
    """The beginning of the value's compact JSON."""
    text = compact(_head(value, 3))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _head(value: Any, depth: int) -> Any:
    """Enough of the value to show its beginning, however large it is."""
    if isinstance(value, str):
        return value[: _SHOWN + 1]
    if isinstance(value, list):
        return [_head(v, depth - 1) for v in value[:_SHOWN]] if depth else []
    if isinstance(value, dict):
        return {k: _head(v, depth - 1) for k, v in list(value.items())[:_SHOWN]} if depth else {}
    return value


def answer(expr: str, value: Any) -> Iterator[str]:
    """The results of *expr* on *value*, each as it is printed, without the newline behind it.

    Raises JqError: before the first result where the expression cannot be read, else after the results that jq prints
    before it fails.
    """
    steps = parse(expr)
    if steps is not None:
        for result in _walk(value, steps, 0):
            yield render(result)
        return
    from ccusage_line import jqeval

    program = jqeval.compile(expr)
    for result in program.run(value):
        yield program.render(result)


def render(value: Any) -> str:
    """One result as it is printed: a string raw, everything else as jq prints it, indented by two spaces."""
    if isinstance(value, str):
        return whole_characters(value)
    parts: list[str] = []
    write(value, parts, "\n")
    return "".join(parts)


def compact(value: Any) -> str:
    """The value as JSON on one line without spaces, as `tojson` and messages show it."""
    parts: list[str] = []
    write(value, parts, None)
    return "".join(parts)


def write(value: Any, parts: list[str], newline: str | None, limit: int | None = None) -> None:
    """Append the JSON of *value* to *parts*; *newline* is the line end with the indentation, None for compact.

    More than *limit* parts are a JqError: values share their parts, so a small one can be endless when printed.
    """
    if isinstance(value, dict):
        if value:
            deeper = None if newline is None else newline + _INDENT
            between, colon = "{", ":" if newline is None else ": "
            for key, inner in value.items():
                parts.append(f"{between}{deeper or ''}{quoted(key)}{colon}")
                write(inner, parts, deeper, limit)
                between = ","
            parts.append(f"{newline or ''}}}")
        else:
            parts.append("{}")
    elif isinstance(value, list):
        if value:
            deeper = None if newline is None else newline + _INDENT
            between = "["
            for inner in value:
                parts.append(f"{between}{deeper or ''}")
                write(inner, parts, deeper, limit)
                between = ","
            parts.append(f"{newline or ''}]")
        else:
            parts.append("[]")
    else:
        parts.append(_scalar(value))
    if limit is not None and len(parts) > limit:
        raise failure("too much output")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value)


def quoted(text: str) -> str:
    """The JSON string, escaped as jq does: control characters and DEL, nothing above it."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join([_escaped(c) for c in text]) + '"'


def _escaped(char: str) -> str:
    if char < " " or char in '"\\\x7f':
        return _ESCAPES.get(char) or f"\\u{ord(char):04x}"
    return "\ufffd" if "\ud800" <= char <= "\udfff" else char


def whole_characters(text: str) -> str:
    """The text with every lone surrogate, which no encoding can carry, replaced as jq replaces it."""
    if text.isprintable():
        return text
    return "".join(["\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text])


def number_text(value: int | float) -> str:
    """A number as jq 1.7 prints it; NaN is null, the infinities are the largest doubles."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Number):
        return value.text
    text = repr(value)
    if "n" in text:  # nan, inf, -inf
        return {"inf": "1.7976931348623157e+308", "-inf": "-1.7976931348623157e+308"}.get(text, "null")
    return decimal_text(text) if "e" in text else text


def decimal_text(literal: str) -> str:
    """A number's digits as jq 1.7 prints those of its input: none lost, an exponent only below 1e-6 or left of the dot.

    This is the scientific string of the General Decimal Arithmetic specification, which the decimal module gives too.
    """
    mantissa, _, exponent = literal.lower().partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("+-").partition(".")
    digits = (whole + fraction).lstrip("0") or "0"
    power = int(exponent or "0") - len(fraction)
    first = power + len(digits) - 1  # the power of ten of the first digit
    if power > 0 or first < -6:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}E{first:+d}"
    if power == 0:
        return sign + digits
    padded = digits.rjust(1 - power, "0")
    return f"{sign}{padded[:power]}.{padded[power:]}"
