"""Plain `--jq` paths and the form in which results are printed, both as in jq 1.7.

On the lean lanes: imports nothing at module level. A plain path is `.`, or names, indexes and `[]` in a row, without
white space: `.totalCost`, `.sessions[].sessionId`, `.a[-1]."b c"["d"]`. Every other expression is left to jq itself.

Values are what the json module makes of our JSON.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Step = str | int | None  # a key, an index, or None for every element

_DIGITS = "0123456789"
_WORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" + _DIGITS
_LONG = 10  # digits of an index; one with more is left to jq
_INDENT = "  "
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_KEY_SHOWN, _VALUE_SHOWN = 29, 14  # bytes that an error message of jq 1.7 quotes


def parse(expr: str) -> list[Step] | None:
    """Return the steps of a plain path, or None for any other expression, valid or not."""
    if expr[:1] != ".":
        return None
    steps: list[Step] = []
    rest = expr[1:] if expr[1:2] in ("", "[") else expr
    while rest:
        if rest[:2] in ('."', '["'):
            key, end, rest = rest[2:].partition('"' if rest[0] == "." else '"]')
            if not end or '"' in key or "\\" in key:
                return None
            steps.append(key)
        elif rest[0] == ".":
            name, rest = rest[1:], rest[1:].lstrip(_WORD)
            name = name[: len(name) - len(rest)]
            if not name or name[0] in _DIGITS:
                return None
            steps.append(name)
        elif rest[0] == "[":
            index, end, rest = rest[1:].partition("]")
            if not end or not _is_index(index):
                return None
            steps.append(int(index) if index else None)
        else:
            return None
    return steps


def _is_index(text: str) -> bool:
    digits = text.removeprefix("-")
    return not text or (0 < len(digits) < _LONG and not digits.strip(_DIGITS))


def results(steps: list[Step], value: Any) -> Iterator[str]:
    """Yield the results of a path, each as it is printed, without a newline.

    Raises JqError if a step does not fit its value, after the results before it.
    """
    for result in _walk(value, steps, 0):
        yield render(result)


def _walk(value: Any, steps: list[Step], start: int) -> Iterator[Any]:
    for place in range(start, len(steps)):
        step = steps[place]
        if step is None:
            for inner in _each(value):
                yield from _walk(inner, steps, place + 1)
            return
        value = _field(value, step) if isinstance(step, str) else _item(value, step)
    yield value


def _field(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    if value is None:
        return None
    shown = f' "{key}"' if len(key.encode("utf-8", "replace")) <= _KEY_SHOWN else ""
    raise _jq_error(f"Cannot index {_type_name(value)} with string{shown}")


def _item(value: Any, index: int) -> Any:
    if isinstance(value, list):
        return value[index] if -len(value) <= index < len(value) else None
    if value is None:
        return None
    raise _jq_error(f"Cannot index {_type_name(value)} with number")


def _each(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return value.values()
    text = _scalar(value)
    if len(text.encode()) > _VALUE_SHOWN:
        text = text.encode()[: _VALUE_SHOWN - 3].decode("utf-8", "replace") + "..."
    raise _jq_error(f"Cannot iterate over {_type_name(value)} ({text})")


def _jq_error(message: str) -> Exception:
    from .errors import JqError

    return JqError(message)


def _type_name(value: Any) -> str:
    """Return jq's name for the type of *value*."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"


def render(value: Any) -> str:
    """Return one result as it is printed: a string raw, everything else as jq prints it, indented by two spaces."""
    if isinstance(value, str):
        return replace_surrogates(value)
    parts: list[str] = []
    _write(value, parts, "\n")
    return "".join(parts)


def _write(value: Any, parts: list[str], newline: str) -> None:
    """Append the JSON of *value* to *parts*; *newline* is a newline with the current indentation."""
    if not isinstance(value, (dict, list)):
        parts.append(_scalar(value))
    elif not value:
        parts.append("{}" if isinstance(value, dict) else "[]")
    else:
        deeper = newline + _INDENT
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        for inner in value:
            parts.append(opening + deeper)
            if isinstance(value, dict):
                parts.append(f"{_quote(inner)}: ")
                inner = value[inner]
            _write(inner, parts, deeper)
            opening = ","
        parts.append(newline + closing)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return _format_number(text) if "e" in text else text


def _quote(text: str) -> str:
    """Return a JSON string that escapes what jq escapes: quotes, backslashes, control characters and DEL."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join([_escape(c) for c in replace_surrogates(text)]) + '"'


def _escape(char: str) -> str:
    return _ESCAPES.get(char) or (f"\\u{ord(char):04x}" if char < " " or char == "\x7f" else char)


def replace_surrogates(text: str) -> str:
    """Replace every lone surrogate, which no encoding can represent, by U+FFFD."""
    if text.isprintable():
        return text
    return "".join(["\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text])


def _format_number(number: str) -> str:
    """Return a float's repr that has an exponent as jq 1.7 prints the number: 0.00003 for 3e-05, 1.5E-7, 1E+16.

    This is the scientific string of the General Decimal Arithmetic specification, which the decimal module uses too.
    """
    mantissa, _, exponent = number.partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent)
    if power == len(fraction):
        return whole + fraction
    if power < -6 or power > 0:
        return f"{mantissa}E{power:+d}"
    digits = whole.lstrip("-") + fraction
    return f"{'-' * (whole[0] == '-')}0.{digits.rjust(len(digits) - power - 1, '0')}"
