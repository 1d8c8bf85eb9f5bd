"""The lane of plain paths: what it takes, what it leaves to the evaluator, what it prints, what it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from ccusage_line import jqeval
from ccusage_line.errors import JqError, UnknownSession, UsageError, UserError
from ccusage_line.jqpath import answer, compact, extract, parse, render
from jq_oracle import jq_says, until_error
from jq_reports import REPORTS, TEXTS


@pytest.mark.parametrize(
    ("expr", "steps"),
    [
        (".", []),
        (" . ", []),
        (".totalCost", [("totalCost", False)]),
        (".a.b_2._c", [("a", False), ("b_2", False), ("_c", False)]),
        ('."x y"', [("x y", False)]),
        ('.["x"]', [("x", False)]),
        ('.a."b"["c"].["d"]', [("a", False), ("b", False), ("c", False), ("d", False)]),
        (".[0]", [(0, False)]),
        (".[-1]", [(-1, False)]),
        (".[ - 1 ]", [(-1, False)]),
        (".[]", [(None, False)]),
        (".sessions[].sessionId", [("sessions", False), (None, False), ("sessionId", False)]),
        (".a?.b[]?[0]?", [("a", True), ("b", False), (None, True), (0, True)]),
        ("\t.a\n .b [ 0 ] ? ", [("a", False), ("b", False), (0, True)]),
        (". [0]", [(0, False)]),
        ('. "x"', [("x", False)]),
        (". .a", [("a", False)]),
        (".a . [0]", [("a", False), (0, False)]),
        (".and.if", [("and", False), ("if", False)]),
    ],
)
def test_a_plain_path_is_its_steps(expr: str, steps: list[Any]) -> None:
    assert parse(expr) == steps


@pytest.mark.parametrize(
    "expr",
    [
        *("", " ", "a", "..", "...", "..a", ".a.", ".a. b", ". a", ".1", ".a.1", ".a b", '."a""b"', '.["a\\n"]'),
        *('."a\\u0062"', ".[1.5]", ".[1e0]", ".[+1]", ".[1:]", ".[:1]", ".[0,1]", ".[.a]", ".[", ".[0", '.["a]', '."a'),
        *(".]", ".[]]", ".[-]", ".?", ".a??", "?", ".a|.b", ".a,.b", ".a # c", ".é", ".a-1", "1", '"x"', "(.a)"),
        *(".[9999999999999999]", ".a//1", ".a?//1", ".a as $x | $x", "-.a", ".a == 1", "{a}", "[.a]"),
    ],
)
def test_everything_else_is_left_to_the_evaluator(expr: str) -> None:
    assert parse(expr) is None


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize(
    "path",
    [
        *(".", ".totalCost", ".sessions", ".sessions[]", ".sessions[].title", ".sessions[0].modelsUsed[-1]", ".[]?"),
        *(".[]", ".sessions[1]?.modelBreakdowns[]?.cost", ".totals.totalCost", ".modelsUsed[0]", ".title[]?"),
        *(".title.x?", ".sessions[].title.x", ".entries[].costUSD", ".entries[3]", ".totals[0]"),
        '.["sessions"][0]."lastActivity"',
    ],
)
def test_both_lanes_and_jq_give_the_same(path: str, report: str) -> None:
    steps = parse(path)
    assert steps is not None
    lines, error = until_error(answer(path, REPORTS[report]), JqError)
    program = jqeval.compile(path)
    results, same_error = until_error(program.run(REPORTS[report]), JqError)
    assert (lines, str(error)) == ([program.render(r) for r in results], str(same_error))
    if error is None:
        assert extract(REPORTS[report], steps) == results
    assert (len(results), error is not None) == _count_and_failure(path, TEXTS[report])


def _count_and_failure(path: str, text: str) -> tuple[int, bool]:
    results, failed = jq_says(path, text)
    return len(results), failed


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (".a", 5, 'cannot index number with "a"'),
        (".a.b", {"a": "text"}, 'cannot index string with "b"'),
        (".a[0]", {"a": {}}, "cannot index object with number"),
        (".[0].a", [True], 'cannot index boolean with "a"'),
        ('.["x\x1b"]', [], 'cannot index array with "x\\u001b"'),
        (".[]", None, "cannot iterate over null (null)"),
        (".a[]", {"a": "b" * 100}, f'cannot iterate over string ("{"b" * 39}...)'),
    ],
)
def test_a_step_that_does_not_fit_says_so(path: str, value: Any, said: str) -> None:
    with pytest.raises(JqError) as caught:
        extract(value, parse(path) or [])
    assert str(caught.value) == f"--jq: {said}"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        pytest.param('raw "string"\n\u2028', 'raw "string"\n\u2028', id="a string at the top is raw"),
        pytest.param("half \ud83d", "half \ufffd", id="a lone surrogate is replaced, raw"),
        pytest.param(["half \ud83d"], '[\n  "half \ufffd"\n]', id="a lone surrogate is replaced, quoted"),
        pytest.param(['"\\\b\f\n\r\t'], '[\n  "\\"\\\\\\b\\f\\n\\r\\t"\n]', id="short escapes"),
        pytest.param(
            ["\x00\x1f\x7f\x80\u2028\u2029é🚀"], '[\n  "\\u0000\\u001f\\u007f\x80\u2028\u2029é🚀"\n]', id="others"
        ),
        pytest.param(None, "null", id="null"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(0, "0", id="zero"),
        pytest.param(-17, "-17", id="negative"),
        pytest.param(12345678901234567890, "12345678901234567890", id="beyond doubles"),
        pytest.param(0.0, "0.0", id="zero dollars"),
        pytest.param(1.0, "1.0", id="a whole dollar"),
        pytest.param(0.1 + 0.2, "0.30000000000000004", id="shortest round trip"),
        pytest.param(3e-05, "0.00003", id="a cheap response"),
        pytest.param(1.25e-06, "0.00000125", id="a cheaper one"),
        pytest.param(1e-07, "1E-7", id="below a millionth"),
        pytest.param(-2.5e-07, "-2.5E-7", id="below it, negative"),
        pytest.param(1e16, "1E+16", id="large"),
        pytest.param(1.5e300, "1.5E+300", id="larger"),
        pytest.param(float("nan"), "null", id="nan"),
        pytest.param(float("inf"), "1.7976931348623157e+308", id="infinity"),
        pytest.param([], "[]", id="empty array"),
        pytest.param({}, "{}", id="empty object"),
        pytest.param({"b": [], "a": {}}, '{\n  "b": [],\n  "a": {}\n}', id="empty ones inside, keys in their order"),
        pytest.param([1, [2, {"k": "v"}]], '[\n  1,\n  [\n    2,\n    {\n      "k": "v"\n    }\n  ]\n]', id="nested"),
        pytest.param({'q"': 1}, '{\n  "q\\"": 1\n}', id="a key is escaped"),
    ],
)
def test_a_result_is_printed_as_jq_prints_it(value: Any, printed: str) -> None:
    assert render(value) == printed


@pytest.mark.parametrize("report", REPORTS)
def test_a_whole_report_prints_as_its_json_indented_by_two(report: str) -> None:
    expected = json.dumps(REPORTS[report], indent=2, ensure_ascii=False).replace("3e-05", "0.00003")
    assert render(REPORTS[report]) == expected


@pytest.mark.parametrize(
    "text", ["0.1", "1.0", "3e-05", "1e-07", "1.5e-07", "1e+16", "1.25e+20", "123456.789", "0.0", "1e-06"]
)
def test_an_untouched_number_prints_as_jq_prints_its_literal(text: str) -> None:
    jq = pytest.importorskip("jq", reason="the jq package is the oracle")
    assert compact([float(text)]) == jq.compile("tojson").input_text(f"[{text}]").first()


LOADED = """
import sys
before = set(sys.modules)
from ccusage_line.jqpath import answer
value = {"totalCost": 0.5, "title": 'a "b"', "sessions": [{"id": 3e-05}], "none": None}
print(*answer(sys.argv[1], value), sep="|")
print(*sorted(m for m in set(sys.modules) - before if not m.startswith(("__", "encodings"))))
"""


def _loaded(expr: str) -> tuple[str, set[str]]:
    """What a fresh interpreter prints for the expression, and the modules that it loaded for it."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LOADED, expr], capture_output=True, text=True, check=False, cwd=_ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    printed, modules = done.stdout.splitlines()
    return printed, set(modules.split())


_ROOT = __file__.rpartition("tests")[0] or "."


@pytest.mark.parametrize(
    ("path", "printed"),
    [(".totalCost", "0.5"), (".title", 'a "b"'), (".sessions[].id", "0.00003"), (".none.x[0]", "null"), (".x[]?", "")],
)
def test_a_plain_path_loads_neither_the_evaluator_nor_json(path: str, printed: str) -> None:
    out, modules = _loaded(path)
    assert out == printed
    assert modules <= {"ccusage_line", "ccusage_line.jqpath", "ccusage_line.errors"}


def test_everything_else_loads_the_evaluator_and_still_no_package() -> None:
    out, modules = _loaded(".totalCost * 2")
    assert out == "1"
    assert "ccusage_line.jqeval" in modules
    assert not modules & {"json", "re", "jq", "msgspec", "typing", "dataclasses"}


def test_each_error_a_user_can_mend_has_its_exit_code() -> None:
    assert [e("x").exit_code for e in (UserError, UsageError, UnknownSession, JqError)] == [2, 2, 3, 4]
    assert str(UnknownSession("no\nsuch")) == "no session 'no\\nsuch'; `ccusage session` lists those there are"
    assert len(str(UnknownSession("x" * 10_000))) < 200
