"""`--jq` expressions that are more than a plain path: evaluated by jq, as the package `jq` or as a command.

Results are those of `ccusage ... --json | jq -r EXPR`, except that a lone surrogate, which jq refuses, is replaced.
`_PRELUDE` defines what the command has and the package lacks; `debug` and `stderr` print nothing with the package.
"""

from __future__ import annotations

import re

from .errors import JqError
from .jqpath import replace_surrogates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MISSING = (
    "this is more than a path such as .totals.totalCost, and needs jq: install the command (apt, dnf, brew, winget:"
    " jq), or the Python package jq next to ccusage-line"
)
_PRELUDE = (
    'def input_filename: "<stdin>"; def input_line_number: {lines};'
    " def halt_error: error; def halt_error($exit_code): error; "
)
_NO_BODY = "Top-level program not given"  # for definitions or comments alone, which the command reads as `.`
_AS_TEXT = "\n\n| @json"  # numbers as jq writes them; two newlines, because a comment's final backslash escapes one
_ARGS: dict[str, Any] = {"ARGS": {"positional": [], "named": {}}}
_ESCAPE = re.compile(r"\\(ud[89a-f]..|.)")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|\[\]|\{\}|[][{}:,]|[^][{}:,"]+')
_PREFIX = re.compile(r"^jq: error(?: \(at [^)]*\))?(?: \(not a string\))?: |\s*^jq: \d+ compile errors?$", re.MULTILINE)


def run(expression: str, text: str) -> Iterator[str]:
    """Evaluate *expression* on the JSON *text* (as jsontext writes it); yield results as printed, without newlines.

    Strings are raw, everything else is indented by two spaces. Raises JqError if jq is not installed or cannot parse
    the expression, and if jq fails, after the results before the failure. SIGINT ends the process, as it ends jq.
    """
    expression = replace_surrogates(expression)
    if "\\ud" in text:
        text = _ESCAPE.sub(lambda escape: escape[0] if len(escape[1]) == 1 else "\ufffd", text)
    try:
        import jq  # noqa: F401
    except ImportError:
        return _run_command(expression, text)
    return _run_library(expression, text)


def _run_library(expression: str, text: str) -> Iterator[str]:
    import signal

    handler = signal.getsignal(signal.SIGINT)
    is_default = handler is signal.default_int_handler  # otherwise the parent wants SIGINT ignored
    if is_default:  # libjq never checks whether Python has received a signal
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        for result in _compile(expression, text.count("\n")).input_text(text):
            yield _format(result)
    except ValueError as error:
        raise JqError(_clean_message(str(error))) from None
    finally:
        if is_default:
            signal.signal(signal.SIGINT, handler)


def _compile(expression: str, lines: int) -> Any:
    """Compile a program whose results are JSON texts; errors refer to the user's own lines and columns."""
    import jq

    try:
        jq.compile(expression, args=_ARGS)
    except ValueError as error:
        if _NO_BODY not in str(error):
            raise
        expression += "\n\n."
    try:
        return jq.compile(_PRELUDE.replace("{lines}", str(lines)) + expression + _AS_TEXT, args=_ARGS)
    except ValueError:  # `import` and `include` have to be at the beginning
        return jq.compile(expression + _AS_TEXT, args=_ARGS)


def _format(result: str) -> str:
    """Return a result, compact JSON, as `jq -r` would print it."""
    if result[0] not in '"[{':
        return result
    if result[0] == '"':
        import json

        return str(json.loads(result))
    parts: list[str] = []
    newline = "\n"
    for token in _TOKEN.findall(result):
        if token in ("{", "["):
            newline += "  "
            parts += token, newline
        elif token in ("}", "]"):
            newline = newline[:-2]
            parts += newline, token
        elif token == ",":
            parts += token, newline
        else:
            parts.append(": " if token == ":" else token)
    return "".join(parts)


def _run_command(expression: str, text: str) -> Iterator[str]:
    import subprocess
    import sys
    from threading import Thread

    if expression.startswith("-"):
        expression = " " + expression  # jq 1.6 does not know `--`
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(["jq", "-r", "--unbuffered", expression], stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError:
        raise JqError(_MISSING) from None
    source, results, errors = process.stdin, process.stdout, process.stderr
    assert source is not None
    assert results is not None
    assert errors is not None
    captured: list[bytes] = []
    reader = Thread(target=captured.extend, args=(errors,))
    reader.start()
    with process:
        try:
            try:
                with source:
                    source.write(text.encode())
            except BrokenPipeError:  # jq has rejected the expression and reports why
                pass
            for line in results:
                yield line.removesuffix(b"\n").decode("utf-8", "replace")
            code = process.wait()
        finally:
            process.kill()
            reader.join()
    stderr_text = b"".join(captured).decode("utf-8", "replace")
    if code:
        raise JqError(_clean_message(stderr_text) or f"jq ended with exit code {code}")
    sys.stderr.write(stderr_text)


def _clean_message(text: str) -> str:
    """Return the message of jq without its prefix."""
    message = _PREFIX.sub("", text).rstrip()
    name = re.match(r"(\w+)/0 is not defined", message)
    return f"{message}\na key begins with a dot: .{name[1]}" if name else message
