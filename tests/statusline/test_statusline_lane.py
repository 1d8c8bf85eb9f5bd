"""`ccusage statusline` as a process: it prints one right line for every input and every state of the index."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_blocks import recounted
from test_lanes import LANE_2, OURS
from test_lanes import loaded as of_lane

import fresh
from attack import run_behind, strace
from ccusage_line import recent, windows
from ccusage_line.index.refresh import change
from ccusage_line.index.rows import INSERT_MOMENT
from ccusage_line.index.schema import create_schema
from ccusage_line.index.totals import recount_all
from ccusage_line.paths import LOG as NAME
from ccusage_line.published import write as write_published
from ccusage_line.recent import FIRST_SWEEP
from ccusage_line.session import MODES
from ccusage_line.statusline import command as statuslane
from ccusage_line.statusline.log import LIMIT
from ccusage_line.statusline.segments import Numbers, Options
from ccusage_line.windows import PublishedMoments, StoredMoments, recent_moments
from compare import find_price
from conftest import UNHURRIED, UNHURRIED_COMMAND, Home, Ran, run_after, run_command, start
from lines import ID, OTHER, SONNET, ago, append, line, usage
from shells import until

SECOND, HOUR = 1_000_000, 3_600_000_000
A_SECOND = 3.0  # the promised one, and room for a busy machine
DEAR = usage(0, 40_000)  # one dollar of Opus 4.5
THREE_SECONDS = "from ccusage_line.statusline import command\ncommand.DEADLINE = 3.0\n"  # where ours has to be in time

LANE_1 = OURS | {
    "_blake2",
    "_json",
    "_thread",
    "ccusage_line.windows",
    "ccusage_line.statusline",
    "ccusage_line.statusline.payload",
    "ccusage_line.prices",
    "ccusage_line.prices.stored",
    "ccusage_line.published",
    "ccusage_line.recent",
    "ccusage_line.session",
    "ccusage_line.statusline.command",
    "ccusage_line.statusline.line",
    "ccusage_line.statusline.segments",
    "select",
    "time",
}


# --- a home with sessions ----------------------------------------------------------------------------------------


def payload(session: Any = ID, **changes: Any) -> dict[str, Any]:
    found = {
        "session_id": session,
        "transcript_path": f"/nowhere/{session}.jsonl",
        "prompt_id": "9acfe309-6d66-49b0-912a-df0e4cd6eef0",
        "cwd": "/home/me/proj",
        "model": {"id": "claude-opus-4-5-20251101", "display_name": "Opus 4.5"},
        "workspace": {"current_dir": "/home/me/proj", "project_dir": "/home/me/proj", "added_dirs": []},
        "cost": {"total_cost_usd": 0.25, "total_duration_ms": 29_043},
        "context_window": {
            "context_window_size": 200_000,
            "current_usage": {"input_tokens": 1_000, "output_tokens": 9, "cache_read_input_tokens": 19_000},
        },
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def ask(home: Home, given: object = None, *args: str, **env: str) -> Ran:
    return home.run("statusline", *args, input=json.dumps(payload() if given is None else given), **env)


def ask_in_time(home: Home, given: object = None, **env: str) -> Ran:
    """Return the line as a client gets it, and check that it comes in time."""
    began = time.monotonic()
    whole = given if isinstance(given, bytes) else json.dumps(payload() if given is None else given)
    ran = home.run_in_time("statusline", input=whole, **env)
    assert time.monotonic() - began < A_SECOND
    return ran


def shown(ran: Ran) -> str:
    """Return the line, after a check that it is a single line and nothing else was printed."""
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\n")
    assert ran.out.count("\n") == 1
    assert ran.out.strip()
    return ran.out[:-1]


def plain(ran: Ran) -> str:
    text = shown(ran)
    for sequence in ("\x1b[0m", "\x1b[31m", "\x1b[32m", "\x1b[33m"):
        text = text.replace(sequence, "")
    return text


def without_sweeps(home: Home) -> None:
    """Pretend that other sessions were checked for appends just now."""
    home.index.mkdir(parents=True, exist_ok=True)
    (home.index / "swept").write_text(".")


def indexed(home: Home) -> None:
    assert home.run("session", "--json").code == 0
    without_sweeps(home)


def published(home: Home) -> list[Path]:
    answers = [path for path in home.state.glob("*/answers/*") if path.suffix != ".said"]
    return [*answers, *home.state.glob(f"*/{recent.NAME}")]


def withdraw(home: Home) -> None:
    for path in published(home):
        path.unlink()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home with sessions old enough for answers to be published."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.at_noon()
    home.write(
        f"-home-me-proj/{ID}.jsonl",
        line("m0", "r0", at=ago(3 * 86_400), tokens=DEAR)
        + line("m1", "r1", at=ago(600), costUSD=0.5)
        + line("m2", "r2", at=ago(90), model=SONNET, tokens=usage(200, 10_000, 30_000, 400_000))
        + line("m4", "r4", at=ago(60), model="house-model", stop=None),
    )
    home.write(f"-home-me-proj/{ID}/subagents/agent-a1.jsonl", line("m3", "r3", at=ago(80), isSidechain=True))
    home.write(f"-home-me-other/{OTHER}.jsonl", line("n1", "q1", OTHER, at=ago(120), tokens=DEAR))
    copied = line("m1", "r1", "fork", at=ago(600), costUSD=0.5, forkedFrom={"sessionId": ID})
    home.write("-home-me-proj/fork.jsonl", copied + line("f1", "s1", "fork", at=ago(50)))
    indexed(home)
    home.settle()
    return home


# --- lanes -------------------------------------------------------------------------------------------------------


def loaded(home: Home, given: object, *args: str) -> set[str]:
    """Return the modules that a statusline loads on top of a bare start."""
    return of_lane(home, "statusline", *args, input=json.dumps(given))[1]


def test_an_unchanged_session_loads_no_more_than_lane_1(used: Home) -> None:
    without_sweeps(used)
    shown(ask(used))
    assert len(published(used)) >= 2
    found = loaded(used, payload())
    assert found - LANE_1 == set()
    assert "ccusage_line.index.index" not in found


def test_a_preset_loads_what_reads_it_besides(used: Home) -> None:
    without_sweeps(used)
    shown(ask(used))
    more = {f"ccusage_line.statusline.{name}" for name in ("options", "presets", "template", "fields")}
    assert loaded(used, payload(), "--preset", "plan") - LANE_1 == more


def test_a_session_after_an_append_loads_no_more_than_lane_2(used: Home) -> None:
    without_sweeps(used)
    withdraw(used)
    found = loaded(used, payload())
    assert found - LANE_1 - LANE_2 - {"ccusage_line.jqpath"} == set()
    assert "_sqlite3" in found
    assert {"json", "sqlite3", "argparse", "re", "subprocess", "ccusage_line.background"} & found == set()


LOOKS: list[tuple[object, list[str]]] = [
    (payload(), []),
    (payload(), ["--no-color"]),
    (payload(), ["--cost-source", "both"]),
    (payload(), ["--cost-source", "ccusage", "--mode", "display"]),
    (payload(), ["--mode", "calculate"]),
    (payload(), ["--timezone", "Pacific/Kiritimati"]),
    (payload(), ["-z", "No/Where"]),
    (
        payload(),
        ["--format", "{session_cost} {today_cost} {block_cost} {block_left} {burn} {tokens} {cache} {project}"],
    ),
    (payload(), ["--preset", "plan"]),
    (payload(), ["--preset=developer", "--format", "{title}{effort}{nope}[{project}]"]),
    (payload(OTHER), []),
    (payload(OTHER, cost={"total_cost_usd": 9.0, "total_duration_ms": 29_043}), []),  # it began today and in the block
    (payload(OTHER, cost={"total_cost_usd": 9.0, "total_duration_ms": 86_400_000}), []),  # open for too long
    (payload("fork", cost={"total_cost_usd": 2.0}), []),  # without what its parent cost
    (payload("nobody"), []),
    (payload(rate_limits={"five_hour": {"used_percentage": 3, "resets_at": time.time() + 9_000}}), []),
    (payload(context_window=None), []),
    (payload(None), []),
    ("no object", []),
    (payload(), ["--context-low-threshold", "90", "--context-medium-threshold", "10"]),
]


@pytest.mark.parametrize(("given", "args"), LOOKS, ids=[f"{n} {' '.join(args)}" for n, (_, args) in enumerate(LOOKS)])
def test_every_lane_prints_the_same_line(used: Home, given: object, args: list[str]) -> None:
    asked, now = ("statusline", *args), time.time_ns() + 60 * 10**9
    then = f"import time\ntime.time_ns = lambda: {now}\n{UNHURRIED}"
    slow = f"{then}\nfrom ccusage_line import fast\nfast.answer = lambda argv: False"
    withdraw(used)
    proper = run_after(used, slow, *asked, input=json.dumps(given))
    withdraw(used)
    appended, again = (run_after(used, then, *asked, input=json.dumps(given)) for _ in range(2))
    assert shown(proper) == shown(appended) == shown(again)


def test_the_line_is_the_same_in_every_locale(used: Home) -> None:
    how = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    now = f"import time\ntime.time_ns = lambda: {time.time_ns()}\n{UNHURRIED}"
    for name in ("default", "powerline"):
        asked = {"input": json.dumps(payload())}
        told = [run_after(used, now, "statusline", "--preset", name, **asked, **env) for env in ({}, how)]
        assert shown(told[0]) == shown(told[1])


def test_the_line_says_what_the_index_knows(used: Home) -> None:
    text = plain(ask(used, payload(), "--mode", "calculate", "--cost-source", "ccusage"))
    session = used.run("session", "--id", ID, "--mode", "calculate", "--jq", ".totalCost").out
    assert f"💰 ${float(session):.2f}+? session" in text
    assert "🧠 20,000 (10%)" in text
    assert " today / $" in text
    assert " left) | 🔥 $" in text


@pytest.mark.parametrize(
    "args",
    [
        ["--config", "/nowhere"],
        ["--config"],
        ["--nonsense", "x"],
        ["--no-colour", "--mode"],
        ["--json"],
    ],
    ids=" ".join,
)
def test_what_is_wrong_with_the_options_never_costs_the_client_its_line(used: Home, args: list[str]) -> None:
    assert "🤖 Opus 4.5 | 💰 $" in plain(ask(used, payload(), *args))


def test_help_is_help_without_a_terminal_too(used: Home) -> None:
    ran = ask(used, payload(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("usage: ccusage statusline")


# --- what it is given --------------------------------------------------------------------------------------------

ABSURD = {
    "nothing": b"",
    "no JSON": b"What is this?",
    "null": b"null",
    "binary": bytes(range(256)) * 64,
    "half": json.dumps(payload()).encode()[:200],
    "nested deeply": b'{"session_id":' + b"[" * 100_000,
    "10 MB of noise": b'{"' * (5 << 20),
    "10 MB of JSON": json.dumps(payload(padding="x" * (10 << 20))).encode(),
    "20 MB": json.dumps(payload(padding="x" * (20 << 20))).encode(),
}


@pytest.mark.parametrize("given", ABSURD.values(), ids=ABSURD.keys())
def test_absurd_input_gets_a_line_within_a_second(used: Home, given: bytes) -> None:
    assert shown(ask_in_time(used, given))
    assert "today" in shown(used.run("statusline", input=given))


ODD_IDS = ["../../../etc/passwd", "", "a\0b", "x" * 10_000, "\ud83d", "a\nb", 7, [ID]]


@pytest.mark.parametrize("session", ODD_IDS, ids=[repr(odd)[:20] for odd in ODD_IDS])
def test_an_odd_session_id_costs_no_more_than_the_session(used: Home, session: object) -> None:
    before = set(used.path.rglob("*"))
    text = plain(ask(used, payload(session)))
    assert text.startswith("🤖 Opus 4.5 | 💰 $")
    assert " today" in text
    assert {path.name for path in set(used.path.rglob("*")) - before} <= {NAME, "index.db-wal", "index.db-shm"}


@pytest.mark.parametrize("sent", [b"", b'{"session_id":"', json.dumps(payload()).encode()[:-1]], ids=len)
def test_a_client_that_falls_silent_is_not_waited_for(used: Home, sent: bytes) -> None:
    process = start(used, *UNHURRIED_COMMAND, "statusline")
    process.stdin.write(sent)
    process.stdin.flush()
    assert process.wait(30) == 0
    process.stdin.close()
    assert "today" in shown(Ran(0, process.stdout.read().decode(), process.stderr.read().decode()))
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("redirection", ["<&-", "< /dev/null", "< /dev/zero", "< <(yes)"])
def test_stdin_may_be_anything(used: Home, redirection: str) -> None:
    script = f'"$@" statusline {redirection}'
    assert shown(run_command(used, ["bash", "-c", script, "sh", *used.command]))
    assert "today" in shown(run_command(used, ["bash", "-c", script, "sh", *UNHURRIED_COMMAND]))


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", "<&- >&- 2>&-", "> /dev/full", "| true"])
def test_a_line_without_a_reader_is_no_failure(used: Home, redirection: str) -> None:
    script = f"set -o pipefail; '{sys.executable}' -m ccusage_line statusline {redirection}"
    done = subprocess.run(
        ["bash", "-c", script], input=b"{}", env=used.env, capture_output=True, timeout=A_SECOND, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("columns", ["20", "100"])
def test_the_line_fits_the_columns_that_the_client_names(used: Home, columns: str) -> None:
    text = plain(ask(used, COLUMNS=columns))
    assert len(text) + sum(c in "🤖💰🔥🧠" for c in text) <= int(columns) - 4


def test_a_transcript_outside_the_data_directories_is_never_opened(used: Home, tmp_path: Path) -> None:
    trap = tmp_path / "trap" / f"{ID}.jsonl"
    trap.parent.mkdir()
    trap.write_text(line("x", "x", at=ago(1), tokens=DEAR))
    log = tmp_path / "strace.log"
    for session in (ID, "nobody", None):
        withdraw(used)
        given = json.dumps(payload(session, transcript_path=str(trap)))
        assert run_behind(used, strace(log, "open,openat"), "statusline", input=given).out
        opened = log.read_text()
        assert "index.db" in opened
        assert str(trap.parent) not in opened


def test_a_payload_without_an_id_means_the_session_of_its_transcript(used: Home) -> None:
    path = used.projects / "-home-me-other" / f"{OTHER}.jsonl"
    text = plain(ask(used, payload(None, transcript_path=str(path)), "--cost-source", "ccusage"))
    assert "💰 $1.00 session / " in text


# --- what the index has come to ----------------------------------------------------------------------------------


@pytest.fixture
def small(home: Home) -> Home:
    """Return a home with two dollars in two sessions, one of them today."""
    home.at_noon()
    home.write(f"-home-me-proj/{ID}.jsonl", line("m1", "r1", at=ago(2 * 86_400), tokens=DEAR))
    home.write(f"-home-me-other/{OTHER}.jsonl", line("n1", "q1", OTHER, at=ago(5), tokens=DEAR))
    return home


@pytest.fixture
def settled(small: Home) -> Home:
    """Return the small home after indexing, old enough for answers to be published."""
    indexed(small)
    small.settle()
    return small


def database(home: Home) -> Path:
    return home.index / "index.db"


def no_folder(home: Home) -> None:
    home.path.joinpath("file").write_text("")
    home.env["CCUSAGE_STATE_DIR"] = str(home.path / "file" / "state")


def a_folder_as_database(home: Home) -> None:
    database(home).mkdir(parents=True)
    without_sweeps(home)


def noise(home: Home) -> None:
    indexed(home)
    database(home).write_bytes(random.Random(1).randbytes(200_000))


def emptied(home: Home) -> None:
    indexed(home)
    database(home).write_bytes(b"")


def cut_short(home: Home) -> None:
    indexed(home)
    os.truncate(database(home), 10_000)


def torn_inside(home: Home) -> None:
    indexed(home)
    with database(home).open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(60_000))


def of_the_future(home: Home) -> None:
    indexed(home)
    with sqlite3.connect(database(home)) as connection:
        connection.execute("PRAGMA user_version = 4711")
    connection.close()


def read_only(home: Home) -> None:
    indexed(home)
    database(home).chmod(0o400)  # root can write it nevertheless
    database(home).parent.chmod(0o500)


DAMAGED = [noise, emptied, cut_short, torn_inside]
BROKEN = [no_folder, a_folder_as_database, *DAMAGED, of_the_future, read_only]


@pytest.mark.parametrize("breaking", BROKEN, ids=lambda function: function.__name__)
def test_with_a_damaged_index_the_session_is_shown_or_left_out(small: Home, breaking: Callable[[Home], None]) -> None:
    breaking(small)
    assert shown(ask_in_time(small))
    text = plain(ask(small))
    assert text.startswith(("🤖 Opus 4.5 | 💰 $1.00 session", "🤖 Opus 4.5 | 💰 $0.25 session"))
    assert "$0.00 session" not in plain(ask(small, payload(), "--cost-source", "ccusage"))


@pytest.mark.parametrize("breaking", DAMAGED, ids=lambda function: function.__name__)
def test_a_damaged_index_is_repaired_after_a_line(small: Home, breaking: Callable[[Home], None]) -> None:
    breaking(small)
    for marker in small.state.glob("*/swept"):
        marker.unlink()
    until(lambda: "💰 $1.00 session / $1.00 today" in plain(ask(small)), "the index is repaired")


def test_a_locked_index_is_not_waited_for(small: Home) -> None:
    indexed(small)
    small.write(f"-home-me-proj/{ID}.jsonl", line("m1", "r1", at=ago(9), tokens=DEAR) + line("m2", tokens=DEAR))
    for mode, shown in (("NORMAL", "💰 $2.00 session / $2.00 today"), ("EXCLUSIVE", "💰 $0.25 session |")):
        connection = sqlite3.connect(database(small), isolation_level=None)
        connection.execute(f"PRAGMA locking_mode = {mode}")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("CREATE TABLE held (x)")
        told = run_after(small, THREE_SECONDS, "statusline", input=json.dumps(payload()))
        assert shown in plain(told)  # what cannot be read is left out
        connection.close()


@pytest.mark.parametrize("missing", ["/nowhere,/neither", "/dev/null"])
def test_without_data_directories_there_is_still_a_line(home: Home, missing: str) -> None:
    without_sweeps(home)
    text = plain(ask(home, CLAUDE_CONFIG_DIR=missing))
    assert text.startswith("🤖 Opus 4.5 | 💰 $0.25 session")


SLOW = "import time\nfrom ccusage_line.index.index import *\n{} = lambda *_, **__: time.sleep(60)"


def after(home: Home, code: str) -> Ran:
    """Return a line from a process that runs *code*, which takes a minute, first; check that it comes in time."""
    began = time.monotonic()
    ran = run_after(home, code, "statusline", "--cost-source", "both", input=json.dumps(payload()))
    assert time.monotonic() - began < (20 if code.startswith(THREE_SECONDS) else A_SECOND)
    return ran


@pytest.mark.parametrize("name", ["Index.refresh_session", "Index.__init__", "Index.is_fork"])
def test_a_slow_disk_costs_our_numbers_and_not_the_line(small: Home, name: str) -> None:
    indexed(small)
    text = plain(after(small, SLOW.format(name)))
    assert text.startswith("🤖 Opus 4.5 | 💰 ($0.25 cc) session | 🧠")
    assert "index: too slow" in (small.state / NAME).read_text()


@pytest.mark.parametrize("name", ["RefreshedSession.publish", "RefreshedSession.leave"])
def test_a_slow_disk_does_not_hold_the_line_back_afterwards(small: Home, name: str) -> None:
    indexed(small)
    assert "💰 ($0.25 cc / $1.00 ccusage) session / $1.00 today" in plain(
        after(small, THREE_SECONDS + SLOW.format(name))
    )


HELD_UP = """
import time
from ccusage_line.statusline import command as statuslane
begin_printing = statuslane._Watchdog.begin_printing
def held_up(watchdog):
    begin_printing(watchdog)
    time.sleep(statuslane.DEADLINE)
statuslane._Watchdog.begin_printing = held_up
"""


def test_a_line_that_is_held_up_just_before_it_is_printed_is_printed(small: Home) -> None:
    """On a busy machine the time may be over between the decision to print the line and the print."""
    indexed(small)
    assert "💰 ($0.25 cc / $1.00 ccusage) session" in after(small, THREE_SECONDS + HELD_UP).out


def test_a_session_that_is_never_read_in_time_does_not_keep_the_index_from_being_built(small: Home) -> None:
    assert "($0.25 cc) session" in plain(after(small, SLOW.format("Index.refresh_session")))
    until(lambda: " / $1.00 today" in plain(ask(small)), "the index is built")


ENDLESS = """
from ccusage_line.index import {module}
def endless(*args, **kwargs):
    while True: pass
{module}.{name} = endless
"""


@pytest.mark.parametrize(("module", "name"), [("totals", "recount_all"), ("refresh", "read_file")])
def test_work_that_takes_longer_than_a_line_is_done_behind_it(small: Home, module: str, name: str) -> None:
    indexed(small)
    (marker,) = small.state.glob("*/swept")
    os.utime(marker, (time.time() - FIRST_SWEEP - 1,) * 2)  # so that the usual sweep is far off
    if module == "totals":
        small.configure('[prices.models."claude-opus-4-5-20251101"]\ninput = 10\noutput = 50\n')
    else:
        append(small.projects / f"-home-me-proj/{ID}.jsonl", line("m2", "r2", at=ago(1), tokens=DEAR))
    code = ENDLESS.format(module=module, name=name)
    assert "💰 ($0.25 cc) session |" in plain(after(small, code))
    at_rest(small)
    assert "💰 ($0.25 cc / $2.00 ccusage) session / $" in plain(after(small, THREE_SECONDS + code))


# --- behind the lines --------------------------------------------------------------------------------------------


def at_rest(home: Home) -> None:
    """Wait until every process that a line started has ended."""
    time.sleep(0.1)  # a process that has just started shows no environment
    until(lambda: not home.processes(), "all processes have ended")


def test_the_first_line_starts_a_sweep_and_later_lines_show_its_result(small: Home) -> None:
    assert plain(ask(small)).startswith("🤖 Opus 4.5 | 💰 $1.00 session | 🧠")
    at_rest(small)
    assert plain(ask(small)).startswith("🤖 Opus 4.5 | 💰 $1.00 session / $1.00 today / $1.00 block (")


def test_what_other_sessions_appended_is_looked_for_once_a_minute(small: Home) -> None:
    ask(small)
    at_rest(small)
    small.write("-home-me-other/another.jsonl", line("a1", "b1", "another", at=ago(3), tokens=DEAR))
    assert "$1.00 today" in plain(ask(small))
    (marker,) = small.state.glob("*/swept")
    assert marker.stat().st_size == 1
    a_minute_ago = time.time() - recent.SWEEP - 1
    os.utime(marker, (a_minute_ago, a_minute_ago))
    ask(small)
    at_rest(small)
    assert "$2.00 today" in plain(ask(small))
    assert time.time() - marker.stat().st_mtime < recent.SWEEP


def test_nobody_reads_everything_where_nothing_can_be_stored(small: Home) -> None:
    of_the_future(small)
    (marker,) = small.state.glob("*/swept")
    marker.unlink()
    assert "💰 $1.00 session" in plain(ask(small))
    assert not marker.exists()


def test_a_marker_of_the_future_does_not_stop_the_sweeps(small: Home) -> None:
    indexed(small)
    (marker,) = small.state.glob("*/swept")
    os.utime(marker, (time.time() + 10**6, time.time() + 10**6))
    ask(small)
    assert marker.stat().st_mtime <= time.time()


def test_a_project_cannot_put_its_own_modules_before_ours(small: Home) -> None:
    project = small.path / "project"
    for name in ("argparse", "json", "typing", "filelock", "sitecustomize", "ccusage_line"):
        path = project / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"open({str(small.path / 'trapped')!r}, 'a').write({name!r})\nraise SystemExit(3)\n")
    script = "import sys\nfrom ccusage_line import __main__\nsys.exit(__main__.main())"
    command = [sys.executable, "-c", f"import sys; sys.path.remove('')\n{script}", "statusline"]
    done = subprocess.run(command, input=b"{}", env=small.env, cwd=project, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    at_rest(small)
    assert not (small.path / "trapped").exists()
    assert "$1.00 today" in plain(ask(small))


def test_nothing_of_the_payload_enters_the_log_and_it_stays_small(small: Home) -> None:
    indexed(small)
    log = small.state / NAME
    log.write_text("2026-01-01T00:00:00Z something: odd\n" * (LIMIT // 36))
    for n in range(6):
        odd = payload(context_window=f"secret{n}", model={"id": n, "display_name": []}, cost=f"secret{n}" if n else {})
        shown(ask(small, odd, "--mode", f"secret{n}" if n % 2 else "auto", "--format", f"{{secret{n}}}{{model}}"))
    assert log.stat().st_size <= LIMIT
    assert "secret" not in log.read_text()
    model = "model.display_name: not a string; model.id: not a string"
    told = f"--mode: not understood; --format: an unknown segment; {model}"
    assert log.read_text().splitlines()[-1].partition(" ")[2] == told


# --- never an old number -----------------------------------------------------------------------------------------


def test_what_was_appended_shows_at_once(settled: Home) -> None:
    own = f"-home-me-proj/{ID}.jsonl"
    assert "💰 $1.00 session / $1.00 today" in plain(ask(settled))
    assert published(settled)
    for n in range(2, 5):
        append(settled.projects / own, line(f"m{n}", f"r{n}", at=ago(1), tokens=DEAR))
        assert f"💰 ${n}.00 session / ${n}.00 today" in plain(ask(settled))


@pytest.mark.parametrize("linked", [False, True])
def test_the_transcript_that_the_client_names_is_read_in_whatever_project(settled: Home, linked: bool) -> None:
    assert "💰 $1.00 session / $1.00 today" in plain(ask(settled))
    path = settled.write(f"-home-me-new/{ID}.jsonl", line("m2", "r2", at=ago(1), tokens=DEAR))
    if linked:
        link = settled.projects / "-home-me-link"
        link.symlink_to("-home-me-new")
        path = link / path.name
    settled.settle()
    given = payload(transcript_path=str(path))
    for _ in range(2):
        assert "💰 $2.00 session / $2.00 today" in plain(ask(settled, given))
    assert len(published(settled)) == 2
    assert "ccusage_line.index.index" not in loaded(settled, given)


def test_appends_to_other_sessions_enter_today_with_those_sessions_lines(settled: Home) -> None:
    for session in (ID, OTHER):
        assert "💰 $1.00 session / $1.00 today" in plain(ask(settled, payload(session)))
    assert len(published(settled)) == 3
    append(settled.projects / f"-home-me-other/{OTHER}.jsonl", line("n2", "q2", OTHER, at=ago(1), tokens=DEAR))
    assert "💰 $2.00 session / $2.00 today" in plain(ask(settled, payload(OTHER)))
    assert "💰 $1.00 session / $2.00 today" in plain(ask(settled))


def test_no_old_day_outlives_a_damaged_index(settled: Home) -> None:
    for session in (ID, OTHER):
        assert "/ $1.00 today" in plain(ask(settled, payload(session)))
    noise(settled)
    append(settled.projects / f"-home-me-other/{OTHER}.jsonl", line("n2", "q2", OTHER, at=ago(1), tokens=DEAR))
    assert "💰 $2.00 session" in plain(ask(settled, payload(OTHER)))
    assert "/ $1.00 today" not in plain(ask(settled))


def test_a_clock_that_ran_ahead_leaves_no_day_behind(small: Home) -> None:
    small.write("-home-me-other/early.jsonl", line("e1", "e1", "early", at=ago(6 * 3_600), tokens=DEAR))
    indexed(small)
    small.settle()
    ahead = f"import time\ntime.time_ns = lambda: {time.time_ns() + 40 * 86_400 * 10**9}\n{UNHURRIED}"
    assert "/ $0.00 today" in plain(run_after(small, ahead, "statusline", input=json.dumps(payload())))
    assert len(published(small)) == 2
    assert "/ $2.00 today" in plain(ask(small))


# --- what the client's total is the total of ---------------------------------------------------------------------

PARENTS = {"total_cost_usd": 541.2, "total_duration_ms": 855}


def unasked(home: Home, session: str, **changes: Any) -> dict[str, Any]:
    """Return the payload before the first prompt, with a transcript in a data directory."""
    path = home.projects / "-home-me-proj" / f"{session}.jsonl"
    return payload(session, transcript_path=str(path), prompt_id=None, **changes)


@pytest.mark.parametrize("complete", [True, False], ids=["complete", "provisional"])
def test_a_fork_has_cost_nothing_before_its_first_prompt_and_nothing_of_its_parent_after_it(
    small: Home, complete: bool
) -> None:
    without_sweeps(small)
    if complete:
        indexed(small)
    given = unasked(small, "fork", cost=PARENTS)
    for _ in range(2):
        assert "💰 $0.00 session" in plain(ask(small, given))
    asked = given | {"prompt_id": "p1"}
    assert "💰 $0.00 session" in plain(ask(small, asked)), "its transcript is not written yet"
    copied = line("m1", "r1", "fork", at=ago(2 * 86_400), tokens=DEAR, requestSessionId=ID)
    small.write("-home-me-proj/fork.jsonl", copied + line("f1", "s1", "fork", at=ago(0), tokens=DEAR))
    assert "💰 $1.00 session" in plain(ask(small, asked))


@pytest.mark.parametrize(("total", "expected"), [(541.2, "$1.00"), (0.0, "$542.00")], ids=["kept", "begun-anew"])
def test_after_clear_the_earlier_total_belongs_to_no_session(small: Home, total: float, expected: str) -> None:
    """Some clients continue their total, others start it again; their clock goes on in either case."""
    indexed(small)
    small.write("-home-me-proj/cleared.jsonl", f'{{"type":"user","timestamp":"{ago(1)}"}}\n')
    given = unasked(small, "cleared", cost={"total_cost_usd": total, "total_duration_ms": 3_600_000})
    assert "💰 $0.00 session" in plain(ask(small, given))
    small.write("-home-me-proj/cleared.jsonl", line("c1", "c1", "cleared", at=ago(0), tokens=DEAR))
    later = given | {"prompt_id": "p1", "cost": {"total_cost_usd": 542.0, "total_duration_ms": 3_601_000}}
    assert f"💰 {expected} session" in plain(ask(small, later))


@pytest.mark.parametrize(("minutes", "expected"), [(1, "$1.00"), (61, "$9.00")])
def test_without_an_earlier_line_the_clients_clock_decides_whose_total_it_is(
    small: Home, minutes: int, expected: str
) -> None:
    small.write(f"-home-me-other/{OTHER}.jsonl", line("n1", "q1", OTHER, at=ago(60 * minutes), tokens=DEAR))
    indexed(small)
    given = payload(OTHER, cost={"total_cost_usd": 9.0, "total_duration_ms": 3_600_000})
    assert f"💰 {expected} session / {expected} today" in plain(ask(small, given))


def test_both_lanes_know_the_same_of_a_session(small: Home) -> None:
    copied = line("m1", "r1", "fork", at=ago(2 * 86_400), tokens=DEAR, forkedFrom={"sessionId": ID})
    small.write("-home-me-proj/fork.jsonl", copied + line("f1", "s1", "fork", at=ago(5), tokens=DEAR))
    indexed(small)
    small.settle()
    for session in ("fork", ID):
        given = payload(session)
        counted = statuslane.IndexAccess(small.env).look_up(given, Options())
        ask(small, given)
        ready = statuslane.IndexAccess(small.env).look_up(given, Options())
        assert (type(counted.moments), type(ready.moments)) == (StoredMoments, PublishedMoments)
        assert (ready.fork, ready.began) == (counted.fork, counted.began) == (session == "fork", counted.began)
        assert counted.began is not None


def test_a_session_that_goes_on_in_a_new_file_is_the_same_in_both_lanes(small: Home) -> None:
    """Old clients resumed like this: the new file's name is the payload's id, but its lines have the old id."""
    resumed = line("m1", "r1", at=ago(2 * 86_400), tokens=DEAR) + line("m2", "r2", at=ago(5), tokens=DEAR)
    path = small.write("-home-me-proj/resumed.jsonl", resumed)
    indexed(small)
    small.settle()
    given = payload("resumed", transcript_path=str(path))
    first, second = (plain(ask(small, given, "--format", "{session_cost} {today_cost} {tokens}")) for _ in range(2))
    assert first == second
    assert first.startswith("$2.00 ")


def test_without_transcripts_the_clients_total_is_all_there_is(small: Home) -> None:
    indexed(small)
    for total in (0.25, 0.5):
        given = unasked(small, "off") | {"prompt_id": "p1", "cost": {"total_cost_usd": total, "total_duration_ms": 5}}
        assert f"💰 ${total:.2f} session / ${1 + total:.2f} today" in plain(ask(small, given))


def test_a_transcript_elsewhere_does_not_make_the_clients_total_zero(small: Home, tmp_path: Path) -> None:
    """Clients before 2.1.196 never name a prompt."""
    indexed(small)
    path = tmp_path / "elsewhere.jsonl"
    path.write_text("")
    assert "💰 $0.25 session" in plain(ask(small, payload("elsewhere", transcript_path=str(path), prompt_id=None)))


def kept(home: Home) -> dict[str, tuple[int, int]]:
    """Return the inode and time of the files that store what the client said; any write changes them."""
    stats = {path.name: path.stat() for path in home.state.glob("*/answers/*.said*")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def test_the_clients_values_are_written_only_if_they_are_new(settled: Home) -> None:
    large = payload()["context_window"] | {"context_window_size": 1_000_000}
    seen = []
    for told in (payload(), payload(context_window=large)):
        for _ in range(3):  # counted, published, unchanged
            ask(settled, told)
            seen.append(kept(settled))
        assert ask(settled, told | {"context_window": None}).code == 0
        seen.append(kept(settled))
    assert [len(each) for each in seen] == [1] * 8
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert seen[4] == seen[5] == seen[6] == seen[7]
    assert seen[3] != seen[4]


def test_the_clients_values_survive_new_prices_but_not_forget(small: Home) -> None:
    indexed(small)
    ask(small)
    before = kept(small)
    index = small.opened()
    change(index, lambda: recount_all(index), 1.0)
    index.close()
    assert kept(small) == before != {}
    (small.projects / "-home-me-proj" / f"{ID}.jsonl").unlink()
    assert small.run("index", "forget", ID).out == f"forgot {ID}\n"
    assert kept(small) == {}


def test_nothing_is_stored_about_a_session_outside_the_data_directories(small: Home, tmp_path: Path) -> None:
    indexed(small)
    for path in ("/nowhere/x.jsonl", str(tmp_path / "x.jsonl"), str(small.projects / "-home-me-proj" / "y.jsonl")):
        ask(small, payload("x", transcript_path=path))
        ask(small, payload("x", transcript_path=path, prompt_id=None))
    assert kept(small) == {}
    ask(small, unasked(small, "x"))
    assert len(kept(small)) == 1


def test_an_unknown_id_is_replaced_by_the_name_of_the_transcript(small: Home) -> None:
    indexed(small)
    path = small.projects / "-home-me-other" / f"{OTHER}.jsonl"
    given = payload("a-new-id", transcript_path=str(path))
    assert "💰 $1.00 session / $1.00 today" in plain(ask(small, given, "--cost-source", "ccusage"))


# --- days and blocks ---------------------------------------------------------------------------------------------

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
MOMENTS = [  # around changes of the clock, and on a plain day
    datetime(2026, 3, 29, 0, 30, tzinfo=timezone.utc),
    datetime(2026, 10, 25, 22, 59, tzinfo=timezone.utc),
    datetime(2026, 11, 1, 5, 30, tzinfo=timezone.utc),
    datetime(2026, 4, 4, 15, 10, tzinfo=timezone.utc),
    datetime(2026, 7, 1, 12, 0, tzinfo=timezone.utc),
]

steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 7_200), st.sampled_from([17_999, 18_000, 18_001, 43_200]), st.integers(0, 90_000)),
        st.integers(1, 60_000),  # output tokens
        st.booleans(),  # which session
    ),
    max_size=25,
)


UNKNOWN = "in-house-coder-2"  # a model without a price


def transcripts(home: Home, made: list[tuple[int, int, bool]], end: int) -> None:
    """Write responses with the given steps between them, the last one at *end* (microseconds)."""
    at = end - sum(seconds for seconds, _, _ in made) * SECOND
    texts = {ID: "", OTHER: ""}
    for n, (seconds, output, other) in enumerate(made):
        at += seconds * SECOND
        stamp = datetime.fromtimestamp(at // SECOND, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        session = OTHER if other else ID
        model = {"model": UNKNOWN} if output % 5 == 0 else {}
        texts[session] += line(f"m{n}", f"r{n}", session, at=stamp, tokens=usage(7, output), **model)
    for session, text in texts.items():
        home.write(f"-home-me-proj/{session}.jsonl", text)


def entries_of(home: Home) -> list[fresh.FreshEntry]:
    reading = fresh.read([home.data], find_price)
    return sorted((entry for session in reading.values() for entry in session.entries), key=lambda e: e.timestamp)


def date_of(us: int, zone: str) -> object:
    return datetime.fromtimestamp(us // SECOND, ZoneInfo(zone)).date()


@pytest.fixture
def rooms(tmp_path: Path) -> Callable[[], Home]:
    """Return a function that makes a new home each time."""
    number = iter(range(10**6))
    return lambda: Home(tmp_path / str(next(number)))


@settings(max_examples=40)
@given(
    made=steps,
    last=st.sampled_from(MOMENTS),
    idle=st.integers(-3_600, 100_000),
    later=st.integers(0, 200_000),
    zone=st.sampled_from(ZONES),
    mode=st.sampled_from(MODES),
    resets=st.none() | st.integers(-100, 18_100),
)
def test_today_and_block_are_plain_sums_over_a_fresh_reading(
    rooms: Callable[[], Home],
    made: list[tuple[int, int, bool]],
    last: datetime,
    idle: int,
    later: int,
    zone: str,
    mode: str,
    resets: int | None,
) -> None:
    home = rooms()
    end = int(last.timestamp()) * SECOND
    transcripts(home, made, end)
    index = home.opened()
    index.refresh()
    options = Options()
    options.timezone, options.mode = zone, mode
    known = entries_of(home)
    place = MODES.index(mode)
    moments = [(e.timestamp, e.cost[place], e.input + e.output) for e in known]
    looked = end + idle * SECOND
    published = index.moments(looked)
    index.close()
    access = statuslane.IndexAccess(home.env)
    for now, numbers in (
        (looked, access.look_up(payload(context_window={}), options)),
        (looked, Numbers(moments=PublishedMoments(published, mode), complete=True)),
        (looked + later * SECOND, Numbers(moments=PublishedMoments(published, mode), complete=True)),
    ):
        seconds = None if resets is None else now // SECOND + resets
        given = payload(rate_limits={"five_hour": {"resets_at": seconds}})
        statuslane.set_today_and_block(given, numbers, options, now, [])
        today = date_of(now, zone)
        assert numbers.today == sum(e.cost[place] for e in known if date_of(e.timestamp, zone) == today)
        sane = seconds is not None and now < seconds * SECOND <= now + 5 * HOUR
        told = windows.known_windows({(5, seconds * SECOND): (None, 0)} if sane else {})
        lacking = [e.timestamp for e in known if e.model == UNKNOWN and mode != "display"]
        assert numbers.today_unpriced == any(date_of(at, zone) == today for at in lacking)
        block = recounted(moments, now, told)
        if block is not None:
            block.has_unpriced = any(block.start <= at < block.end for at in lacking)
        assert numbers.block == block
    assert access.reasons == []


def test_a_response_after_now_counts_in_the_same_day_and_block_as_in_reports(small: Home) -> None:
    small.write(f"-home-me-proj/{ID}.jsonl", line("m1", "r1", at=ago(-7_200), tokens=DEAR))
    indexed(small)
    small.settle()
    for _ in range(2):
        assert "💰 $1.00 session / $2.00 today / $2.00 block (" in plain(ask(small))
    assert len(published(small)) == 2
    assert small.run("daily", "--jq", ".daily[0].totalCost").out == "2.0\n"
    assert small.run("blocks", "--active", "--jq", ".blocks[0].costUSD").out == "2.0\n"


def stored(moments: list[tuple[int, int, int, int, int]]) -> sqlite3.Connection:
    """Return a database with nothing but moments."""
    database = sqlite3.connect(":memory:")
    create_schema(database)
    rows = [(t, n, 0, *rest) for n, (t, *rest) in enumerate(moments)]
    database.executemany(INSERT_MOMENT, rows)
    return database


@given(
    made=steps,
    idle=st.integers(-7_200, 200_000),
    later=st.integers(0, 400_000),
    zone=st.sampled_from(ZONES),
    resets=st.none() | st.integers(0, 18_000),
)
def test_published_responses_give_the_same_days_and_blocks_as_all_responses(
    made: list[tuple[int, int, bool]], idle: int, later: int, zone: str, resets: int | None
) -> None:
    end = int(MOMENTS[0].timestamp()) * SECOND
    at = end - sum(seconds for seconds, _, _ in made) * SECOND
    whole = []
    for seconds, cost, _ in made:
        at += seconds * SECOND
        whole.append((at, cost, cost, cost, cost))
    looked = end + idle * SECOND
    kept, _ = recent_moments(stored(whole), looked)
    assert kept == whole[len(whole) - len(kept) :]
    now = looked + later * SECOND
    known = windows.known_windows({} if resets is None else {(5, (now // SECOND + resets) * SECOND): (None, 0)})
    few, all_of_them = ([(t, cost, tokens) for t, cost, _, _, tokens in moments] for moments in (kept, whole))
    assert windows.current_block(few, now, known) == windows.current_block(all_of_them, now, known)
    begin = windows.day_start(now, zone)
    end = windows.day_start(begin + windows.NEXT_DAY, zone)
    assert windows.cost_between(few, begin, end) == windows.cost_between(all_of_them, begin, end)


def test_a_published_answer_of_the_old_format_is_counted_anew(settled: Home) -> None:
    ask(settled)
    path, now = settled.index / recent.NAME, time.time_ns() // 1000
    moments, lacking = recent.read(str(settled.index), now) or ([], [])
    assert (bool(moments), lacking) == (True, [])
    write_published(str(path), (now, moments))
    assert "💰 $1.00 session / $1.00 today / $1.00 block (" in plain(ask(settled))
    assert recent.read(str(settled.index), now + 60 * SECOND) == (moments, [])


def test_only_responses_that_can_matter_are_published() -> None:
    """After a year of work by day and rest by night, only some days are published."""
    day = 24 * HOUR
    whole = [(n * day + hour * HOUR, 1, 1, 1, 1) for n in range(400) for hour in range(9, 18)]
    assert len(recent_moments(stored(whole), 400 * day)[0]) < 20


def test_the_block_of_a_year_without_a_pause_needs_few_queries() -> None:
    year = [(n * HOUR // 4, 1, 1, 1, 1) for n in range(4 * 24 * 365)]
    database = stored(year)
    asked: list[str] = []
    database.set_trace_callback(asked.append)
    assert StoredMoments(database, "auto").block(year[-1][0], []) == recounted(
        [(t, 1, 1) for t, *_ in year], year[-1][0], []
    )
    assert len(asked) < 2 * 365 * 24 // 4
