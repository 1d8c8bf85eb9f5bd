"""`--jq` with jq's language: the package and the command print what `jq -r` prints, fail alike, and end at Ctrl-C."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccusage_line.errors import JqError
from ccusage_line.jq import run
from conftest import Home, start, until_error
from lines import ID, line

REPORT = """{
  "sessions": [
    {
      "sessionId": "0aa8645e-daff-4e12",
      "totalCost": 12.25,
      "totalTokens": 9480186,
      "lastActivity": "2026-01-14",
      "modelsUsed": ["opus-4-5", "haiku-4-5"],
      "title": "Mend \\"it\\" \\\\ [now], {soon}: naïve 🚀\\tand\\nthen",
      "archived": false
    },
    {
      "sessionId": "3e0d709c-589d-4b36",
      "totalCost": 0.5,
      "totalTokens": 852,
      "lastActivity": "2026-01-12",
      "modelsUsed": ["haiku-4-5"],
      "title": null,
      "archived": true
    }
  ],
  "none": [],
  "empty": {}
}
"""
# Programs that go to jq and give the same results in jq 1.6, 1.7 and 1.8.
PROGRAMS = r"""
. | .
.sessions[0] | {title, modelsUsed, none: [], empty: {}, deep: [[[{}]], {a: [1]}]}
reduce .sessions[] as $s (0; . + $s.totalCost)
def total: if . == [] then 0 else .[0].totalCost + (.[1:] | total) end; .sessions | total
.sessions[] | try (.title | length) catch "untitled"
try error("\(.none) is none") catch .
[.sessions[] | .title | try test("n") catch .]
.sessions[0].title | gsub("[\"\\\\]"; "'") | sub("(?<a>\\w+)$"; "<\(.a)>")
.sessions[0].title | [match("n"; "g").offset]
.sessions[] | [.sessionId, .title, .totalCost, .archived] | @csv
.sessions[] | [.sessionId, .title, .totalCost, .archived] | @tsv
.sessions[0].title | @html, @uri, @sh, @json, @text
.sessions | group_by(.lastActivity) | map({day: .[0].lastActivity, cost: (map(.totalCost) | add)})
input_line_number, input_filename
[inputs]
.sessions[].lastActivity | strptime("%Y-%m-%d") | mktime | strftime("%d.%m.%y")
.sessions[0] | tojson | fromjson | .totalCost
.sessions[] as {title: [$a]} ?// {sessionId: $a} | $a
$__loc__, (null | [$__loc__.line])
.sessions[] | "\(.sessionId[:8]) has \(.modelsUsed | length) model\(if .modelsUsed[1] then "s" else "" end)"
label $out | .sessions[] | .sessionId, if .totalCost > 1 then break $out else empty end
env.CCUSAGE_TEST, $ENV.CCUSAGE_TEST
[range(0; 10; 3)], [.sessions | .[-1:][] | .totalCost], [1, 2, 3] - [2], ([3, 1] | contains([1]))
$ARGS, [$ARGS.named | keys[]]
1, halt, 2
-1 | tostring, -.
empty
. as $whole | $whole.none # at the end \
# nothing but a comment \
def nothing: "but"; def definitions: 1;
"a\u0000b", "\u007f\u2028", ["\u0000\u001f\u007f\u0080\u2028"]
""".removesuffix("\n").split("\n")  # the first program is empty


@pytest.fixture(params=["package", "command"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Provide both ways to jq: libjq, and the command while the package is hidden."""
    if request.param == "command":
        if shutil.which("jq") is None:
            pytest.skip("no jq on PATH")
        monkeypatch.setitem(sys.modules, "jq", None)
    return str(request.param)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_prints_what_jq_prints(way: str, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCUSAGE_TEST", "a 'value'")
    if shutil.which("jq") is None:
        pytest.skip("no jq on PATH")
    of_jq = program if program[:1] != "-" else f"({program}\n)"
    printed = subprocess.run(["jq", "-r", of_jq], input=REPORT.encode(), capture_output=True, check=True).stdout
    assert "".join(f"{text}\n" for text in run(program, REPORT)).encode() == printed


def test_a_lone_surrogate_is_replaced(way: str) -> None:
    title = r'{"title": "\ud83d\ude \udc00 \\ud800 \\\ud800 \u0041"}'.replace(r"\ude ", "")
    assert list(run(".title | .", title)) == ["\ufffd\ufffd \\ud800 \\\ufffd A"]
    assert list(run('"\udcff"', "null")) == ["\ufffd"]


def test_numbers_are_written_as_libjq_writes_them() -> None:
    text = '{"a": 1.0, "b": 3e-05, "c": 1e1000, "d": 100000000000000000000, "e": -0.0}'
    literal = list(run("(.[] | .), 1.50, 100000000000000000001", text))
    assert literal == ["1.0", "0.00003", "1E+1000", "100000000000000000000", "-0.0", "1.50", "100000000000000000001"]
    computed = list(run(".a + 0, .b + 0, .c + 0, .d + 1, 0.1 + 0.2, nan", text))
    assert computed == ["1", "3e-05", "1.7976931348623157e+308", "1e+20", "0.30000000000000004", "null"]


@pytest.mark.parametrize(
    ("program", "first", "said"),
    [
        ("1, startswith", [], "startswith/0 is not defined"),
        (".sessions[].title[0]", [], "Cannot index string with number"),
        ("1, 2, error(.sessions[0].sessionId)", ["1", "2"], "0aa8645e-daff-4e12"),
        ('"\\u001b[31m" | error', [], "\\u001b[31m"),
        ("1, ({} | error), 2", ["1"], "{}"),
        ('1, ("bye\\n" | halt_error), 2', ["1"], "bye"),
        ("1, (7 | halt_error(3))", ["1"], "7"),
        ("input", [], "break"),
        (".sessions[", [], "syntax error, unexpected"),
        (".a as $x", [], "syntax error, unexpected"),
        ("$undefined", [], "$undefined is not defined"),
        ('include "nowhere"; f', [], "module not found: nowhere"),
    ],
)  # fmt: skip
def test_a_failure_is_said_after_the_results_before_it(way: str, program: str, first: list[str], said: str) -> None:
    found, error = until_error(run(program, REPORT))
    assert found == first
    assert isinstance(error, JqError)
    assert error.exit_code == 4
    assert str(error).startswith(f"--jq: {said}")
    assert "jq: error" not in str(error)
    assert "compile error" not in str(error)


def test_a_syntax_error_shows_the_place(way: str) -> None:
    lines = str(until_error(run(".sessions[0] | [.a b]", REPORT))[1]).split("\n")
    assert lines[1].strip() == ".sessions[0] | [.a b]"
    if way == "package":
        assert lines[2] == " " * lines[1].index("b]") + "^"


def test_modules_are_found_in_the_working_directory(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.jq").write_text("def cost: map(.totalCost) | add;")
    monkeypatch.chdir(tmp_path)
    assert list(run('import "mine" as mine; .sessions | mine::cost', REPORT)) == ["12.75"]


def test_messages_of_the_jq_command_go_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jq", None)
    assert len(list(run("range(5000) | debug", "null"))) == 5000
    assert capfd.readouterr().err.endswith('["DEBUG:",4999]\n')


# --- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def used(home: Home, request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Return a home with one session, and with the way to jq that the test names: package, command or neither."""
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    way = getattr(request, "param", "package")
    if way != "package":
        (tmp_path / "hidden").mkdir()
        (tmp_path / "hidden" / "jq.py").write_text("raise ImportError")
        home.env["PYTHONPATH"] = str(tmp_path / "hidden")
    if way == "neither":
        home.env["PATH"] = str(tmp_path / "hidden")
    elif way == "command" and shutil.which("jq") is None:
        pytest.skip("no jq on PATH")
    return home


WAYS = pytest.mark.parametrize("used", ["package", "command"], indirect=True)


@WAYS
def test_the_answer_is_piped_through_jq(used: Home) -> None:
    whole = used.run("session", "--id", ID, "--json").out
    told = used.run("session", "--id", ID, "--jq", "del(.modelBreakdowns), input_line_number | .totalCost? // .")
    assert told == (0, f"{json.loads(whole)['totalCost']}\n{whole.count(chr(10))}\n", "")
    assert used.run("session", "--id", ID, "--jq", "[.entries[].model, (keys | length)] | length").out == "2\n"
    assert used.run("session", "--jq", ".sessions[] | .title // .sessionId").out == f"{ID}\n"
    assert json.loads(used.run("session", "--id", ID, "--explain", "--jq", "{mine: keys}").out)["mine"]


@WAYS
def test_a_failure_is_exit_4_with_the_results_before_it_on_stdout(used: Home) -> None:
    ran = used.run("session", "--jq", '.sessions[].responses, ("no more" | halt_error)')
    assert ran == (4, "1\n", "ccusage: --jq: no more\n")
    ran = used.run("session", "--id", ID, "--jq", ".totalCost +")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("ccusage: --jq: syntax error, ")


@WAYS
def test_an_unknown_session_is_null_to_jq(used: Home) -> None:
    ran = used.run("session", "--id", "nope", "--jq", ". == null, input_line_number")
    assert (ran.code, ran.out) == (3, "true\n1\n")


@pytest.mark.parametrize("used", ["neither"], indirect=True)
def test_without_jq_paths_work_and_other_programs_say_how_to_get_it(used: Home) -> None:
    assert used.run("session", "--jq", ".sessions[].responses") == (0, "1\n", "")
    ran = used.run("session", "--jq", ".sessions | length")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert "needs jq: install the command" in ran.err
    assert "or the Python package jq" in ran.err


def piped(home: Home, program: str, *before: str) -> subprocess.Popen[bytes]:
    """Start `ccusage session --jq PROGRAM` as a terminal does: as the leader of a process group of its own."""
    home.env["PYTHONUNBUFFERED"] = "1"
    return start(home, *before, *home.command, "session", "--jq", f'"begun", ({program})')


def begun(running: subprocess.Popen[bytes]) -> None:
    if not select.select([running.stdout], [], [], 60)[0]:
        os.killpg(running.pid, signal.SIGKILL)
    assert running.stdout.readline() == b"begun\n"
    time.sleep(0.2)  # so that it is inside of jq


def end_of(running: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Return the exit code as a shell reports it, and stderr."""
    try:
        said = running.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        raise
    code = running.returncode
    return code if code >= 0 else 128 - code, said


@WAYS
@pytest.mark.parametrize("program", ["range(1e18) | empty", "def f: f; f"])
def test_ctrl_c_ends_an_endless_program(used: Home, program: str) -> None:
    with piped(used, program) as running:
        begun(running)
        os.killpg(running.pid, signal.SIGINT)
        assert end_of(running) == (130, b"")


@WAYS
def test_an_interrupt_that_was_ignored_stays_ignored(used: Home) -> None:
    ignoring = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    with piped(used, "range(1000000) | empty", *ignoring) as running:
        begun(running)
        os.killpg(running.pid, signal.SIGINT)
        assert end_of(running) == (0, b"")


@WAYS
def test_an_endless_answer_ends_with_its_reader(used: Home) -> None:
    with piped(used, "range(1e18)") as running:
        begun(running)
        running.stdout.close()
        assert end_of(running) == (0, b"")
