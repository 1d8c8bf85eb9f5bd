"""jq itself, from the `jq` package, and our evaluator, asked the same question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ccusage_line import jqeval
from ccusage_line.errors import JqError
from ccusage_line.jqpath import compact

Outcome = tuple[list[Any], bool]


def until_error(results: Iterator[Any], *errors: type[Exception]) -> tuple[list[Any], Exception | None]:
    """What the iterator gives up to its first error, and that error."""
    found: list[Any] = []
    try:
        found.extend(results)
    except errors as error:
        return found, error.with_traceback(None)  # the jq package crashes where its iterators are left to the collector
    return found, None


def jq_says(expr: str, text: str) -> Outcome:
    """jq's results up to its first error, and whether there was one."""
    jq = pytest.importorskip("jq", reason="the jq package is the oracle")
    try:
        program = jq.compile(f"({expr}\n) | tojson")
    except ValueError:
        return [], True
    texts, error = until_error(iter(program.input_text(text)), ValueError)
    return [_same_numbers(json.loads(t)) for t in texts], error is not None


def we_say(expr: str, value: Any) -> Outcome:
    try:
        results = jqeval.run(expr, value)
    except JqError:
        return [], True
    found, error = until_error(results, JqError)
    return [_same_numbers(json.loads(compact(v))) for v in found], error is not None


def _same_numbers(value: Any) -> Any:
    """Types kept apart that Python takes for equal (1 and true), numbers compared as jq's doubles."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, (int, float)):
        return ("number", float(value))
    if isinstance(value, list):
        return [_same_numbers(v) for v in value]
    return [(key, _same_numbers(v)) for key, v in value.items()]  # with the order of the keys
