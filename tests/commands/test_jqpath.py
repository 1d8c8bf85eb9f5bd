"""`--jq` with a plain path: which programs are plain paths, and that they print and fail as in jq."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccusage_line import jq
from ccusage_line.errors import JqError
from ccusage_line.jqpath import parse, render, results
from conftest import until_error


@pytest.mark.parametrize(
    ("expr", "steps"),
    [
        (".", []),
        (".totalCost", ["totalCost"]),
        (".a.b_2._c.and", ["a", "b_2", "_c", "and"]),
        ('."x y"', ["x y"]),
        ('.["x.]"]', ["x.]"]),
        ('.a."b"["c"][""]', ["a", "b", "c", ""]),
        (".[0]", [0]),
        (".a[-1][07]", ["a", -1, 7]),
        (".[][]", [None, None]),
        (".sessions[].sessionId", ["sessions", None, "sessionId"]),
    ],
)
def test_a_plain_path_is_its_steps(expr: str, steps: list[Any]) -> None:
    assert parse(expr) == steps


@pytest.mark.parametrize(
    "expr",
    [
        *("", " .", ". ", "a", "..", "..a", ".a.", ". a", ".1", ".a.1", ".a b", '."a""b"', '.["a\\n"]', '."a\\u0062"'),
        *(".[1.5]", ".[1e0]", ".[+1]", ".[1:]", ".[:1]", ".[0,1]", ".[.a]", ".[", ".[0", '.["a]', '."a', ".]", ".[]]"),
        *(".[1234567890]", ".[-]", ".[--1]", ".a?", ".a|.b", ".a,.b", ".é", ".a-1", "-.a", '.["a","b"]', ".a\n"),
    ],
)  # fmt: skip
def test_everything_else_is_left_to_jq(expr: str) -> None:
    assert parse(expr) is None


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        pytest.param('raw "string"\n\u2028', 'raw "string"\n\u2028', id="a string at the top is raw"),
        pytest.param("half \ud83d", "half \ufffd", id="a lone surrogate is replaced, raw"),
        pytest.param(["half \ud83d"], '[\n  "half \ufffd"\n]', id="a lone surrogate is replaced, quoted"),
        pytest.param([1, [2, {"k": "v"}]], '[\n  1,\n  [\n    2,\n    {\n      "k": "v"\n    }\n  ]\n]', id="nested"),
        pytest.param(3e-05, "0.00003", id="a cheap response"),
        pytest.param(1e-07, "1E-7", id="a cheaper one"),
        pytest.param(1.0, "1.0", id="a whole dollar"),
    ],
)
def test_a_result_is_printed_as_jq_prints_it(value: Any, printed: str) -> None:
    assert render(value) == printed


FAILURES = [
    (".a", 5, 'Cannot index number with string "a"'),
    (".a.b", {"a": "text"}, 'Cannot index string with string "b"'),
    (".a.a", {"a": True}, 'Cannot index boolean with string "a"'),
    (f".{'k' * 29}", [], f'Cannot index array with string "{"k" * 29}"'),
    (f".{'k' * 30}", [], "Cannot index array with string"),
    (".a[0]", {"a": {}}, "Cannot index object with number"),
    (".[]", None, "Cannot iterate over null (null)"),
    (".[]", "b" * 12, f'Cannot iterate over string ("{"b" * 12}")'),
    (".[]", "b" * 13, f'Cannot iterate over string ("{"b" * 10}...)'),
    (".[]", "ééééééé", 'Cannot iterate over string ("ééééé...)'),
    (".[]", 123456789012345, "Cannot iterate over number (12345678901...)"),
]


@pytest.mark.parametrize(("path", "value", "said"), FAILURES)
def test_a_step_that_does_not_fit_says_what_jq_1_7_says(path: str, value: Any, said: str) -> None:
    with pytest.raises(JqError) as caught:
        list(results(parse(path) or [], value))
    assert str(caught.value) == f"--jq: {said}"


def test_the_messages_equal_those_of_jq_before_1_8() -> None:
    command = shutil.which("jq")
    if command is None:
        pytest.skip("no jq on PATH")
    if subprocess.run([command, "--version"], capture_output=True, check=True).stdout >= b"jq-1.8":
        return
    for path, value, said in FAILURES[:9]:  # jq 1.6 prints numbers differently, and cuts characters in two
        done = subprocess.run([command, path], input=json.dumps(value).encode(), capture_output=True, check=False)
        assert done.stderr.decode().partition("): ")[2] == f"{said}\n"


def test_data_in_an_error_cannot_move_the_cursor() -> None:
    with pytest.raises(JqError) as caught:
        list(results([None], "\x1b[31m\u202e"))
    assert str(caught.value) == '--jq: Cannot iterate over string ("\\u001b[31m...)'
    assert str(JqError("\x1b\u202e\ud800\nx\ty")) == "--jq: \\u001b\\u202e\\ud800\nx\ty"


_KEYS = st.sampled_from(["a", "b", "_c1", "d e", "é", ""])
_NUMBERS = st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False)
_STRINGS = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["\x7f\x00\x1f\x80\u2028", '"\\/\b\f\n\r\t', "[{,:}]"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS | _STRINGS, inner, max_size=4),
    max_leaves=15,
)
_STEPS = st.sampled_from(
    [".a", ".b", "._c1", '."d e"', '["é"]', '[""]', "[0]", "[-1]", "[1]", "[-2]", "[01]", "[]", "[]"]
)


@settings(max_examples=150)
@given(st.lists(_STEPS, max_size=3).map("".join), _VALUES)
def test_a_path_gives_what_jq_gives_of_any_document(path: str, value: Any) -> None:
    path = path if path.startswith(".") else f".{path}"
    steps = parse(path)
    assert steps is not None
    ours, failure = until_error(results(steps, value))
    theirs, their_failure = until_error(jq.run(path, json.dumps(value, ensure_ascii=False)))
    assert ours == theirs
    assert (failure is None) == (their_failure is None)
