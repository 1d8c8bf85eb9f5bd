"""Data that cannot be read now never becomes a number: a line leaves it out, other commands wait for it or refuse."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from attack import as_anybody, command, halted, run_at_once, run_in, run_timed
from ccusage_line.index import schema
from conftest import Home, run_after
from lines import ID, ago, append, line

ARCHIVED = "33333333-3333-4333-8333-333333333333"
LINE_BOUND, REPORT_BOUND = 5.0, 25.0  # seconds, with room for a crowded machine
CLOSING = "fdatasync,fsync"  # the calls at which a process that closes the index may stand
IN_USE = "ccusage: the index can't be read: another process has locked it; try again later\n"
PROVISIONAL = "ccusage: provisional: not all transcripts have been read yet\n"
OF_ONE = ("session", "--id", ARCHIVED, "--json", "--jq", ".totalCost")
OF_ALL = ("session", "--json", "--jq", ".totals.totalCost")


@pytest.fixture
def logged(home: Home) -> Home:
    """Return a home whose index has its latest change only in the write-ahead log: an archived session of $3.00."""
    now = ago(0)
    home.write(f"-home-me-proj/{ID}.jsonl", line(at=now, costUSD=0.53))
    assert home.run(*OF_ALL).out == "0.53\n"
    gone = home.write(f"-home-me-proj/{ARCHIVED}.jsonl", line("z1", "z1", ARCHIVED, at=now, costUSD=3.0))
    assert home.run(*OF_ONE).out == "3.0\n"
    gone.unlink()
    assert home.run(*OF_ONE).out == "3.0\n"
    assert (home.index / "index.db-wal").stat().st_size > 0
    return home


@pytest.mark.parametrize("what", ["delay_enter=100000000", "signal=STOP"])
def test_while_another_process_closes_the_index_a_line_leaves_out_what_it_cant_know(logged: Home, what: str) -> None:
    with halted(logged, "index", "refresh", calls=CLOSING, what=what):
        shown, seconds = run_timed(logged, "statusline", "--no-color", input=json.dumps({"session_id": ID}))
    assert (shown.code, shown.err) == (0, "")
    assert "today" not in shown.out
    assert seconds < LINE_BOUND


def test_while_a_stopped_process_has_the_index_a_report_waits_and_refuses(logged: Home) -> None:
    latest = ("session", "--id", "latest", "--jq", ".totalCost")
    care = (("index", "verify"), ("index", "status"), ("index", "forget", ARCHIVED), ("index", "rebuild"))
    with halted(logged, "index", "refresh", calls=CLOSING, what="signal=STOP"):
        *answers, (doctor, _) = run_at_once(logged, OF_ONE, OF_ALL, latest, *care, ("doctor",))
    for ran, seconds in answers:
        assert (ran.code, ran.out, ran.err) == (1, "", IN_USE)
        assert seconds < REPORT_BOUND
    assert "another process has locked it" in doctor.out  # and what to do
    assert logged.run(*OF_ONE).out == "3.0\n"


def test_if_sqlite_itself_would_wait_too_long_the_question_is_refused_in_time(logged: Home) -> None:
    """The other process is stopped between its first lock of the shared memory and its first byte there."""
    (logged.index / "index.db-shm").unlink()
    with halted(logged, "index", "refresh", calls="ftruncate", what="signal=STOP"):
        answers = run_at_once(logged, OF_ONE, OF_ALL)
    for ran, seconds in answers:
        assert (ran.code, ran.out, ran.err) == (1, "", IN_USE)
        assert seconds < 9.5, "SQLite tries for ten seconds"


COUNTED = """
import sys, _thread
start = _thread.start_new_thread
_thread.start_new_thread = lambda *args: (sys.stderr.write("a thread"), start(*args))
"""


def test_only_an_index_that_somebody_writes_to_is_opened_by_a_thread_that_can_be_left_waiting(logged: Home) -> None:
    def ask() -> str:
        append(logged.projects / f"-home-me-proj/{ID}.jsonl", line(str(os.urandom(4)), costUSD=1.0))
        ran = run_after(logged, COUNTED, "session", "--id", ID, "--jq", ".responses")
        return f"{ran.out}{ran.err}"

    other = sqlite3.connect(logged.index / "index.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM meta").fetchall()
    assert ask() == "2\n"
    other.execute("ROLLBACK")
    other.execute("BEGIN IMMEDIATE")
    assert ask().startswith("3\na thread")
    other.close()
    assert ask() == "4\n"


def test_a_report_waits_for_a_process_that_closes_the_index_slowly(logged: Home) -> None:
    with halted(logged, "index", "refresh", calls=CLOSING, what="delay_enter=700000"):
        ran = logged.run(*OF_ONE)
    assert (ran.code, ran.out, ran.err) == (0, "3.0\n", "")


def test_an_index_that_another_process_makes_at_the_same_moment_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "index.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.1, other.rollback)
    done.start()
    mine = schema.open_database(str(tmp_path), 5.0)
    assert mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    mine.close()
    done.join()
    other.close()


def test_an_index_whose_log_cannot_be_read_is_refused(logged: Home) -> None:
    """This is a backup on a read-only disk."""
    place = logged.index
    (place / "index.db-shm").unlink()
    paths = [*(path for path in place.rglob("*") if path.is_file()), place, place.parent]
    for path in paths:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        answers = [run_in(logged, as_anybody, *question) for question in (OF_ONE, OF_ALL)]
    finally:
        for path in reversed(paths):
            path.chmod(0o700)
    for ran in answers:
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == "ccusage: the index can't be read: unable to open database file\n"
    assert logged.run(*OF_ALL).out == "3.53\n"


def test_while_the_first_index_makes_no_progress_one_session_is_answered_and_a_report_waits(home: Home) -> None:
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    with halted(home, "index", "refresh", calls="flock", what="signal=STOP"):
        for ran, seconds in run_at_once(home, *[("session", "--id", ID, "--json", "--jq", ".outputTokens")] * 5):
            assert (ran.code, ran.out, ran.err) == (0, "100\n", PROVISIONAL)
            assert seconds < REPORT_BOUND
        report = subprocess.Popen(command("session"), env=home.env, cwd=home.path, stderr=subprocess.PIPE)
        said = os.read(report.stderr.fileno(), 1000).decode()
        report.kill()
        report.communicate()
    assert said == "ccusage: another process is reading all transcripts for the first time; waiting for it\n"
    assert home.run("session", "--json", "--jq", ".totals.outputTokens").out == "100\n"


@pytest.mark.parametrize(
    ("marks", "answer"),
    [
        pytest.param("..", ("200\n", PROVISIONAL), id="somebody-reads"),
        pytest.param("...", ("100\n", ""), id="nobody-could-store-what-was-read"),
    ],
)
def test_one_session_of_a_long_history_is_reported_as_provisional(
    home: Home, marks: str, answer: tuple[str, str]
) -> None:
    """An old client's fork looks like a session of its own, until its parent in another project is read."""
    home.write(f"-home-me-proj/{ID}.jsonl", line(at="2026-05-01T09:00:00.000Z", type="user", message={}) + line())
    fork = line(session="fork", at="2026-05-01T10:00:00.000Z") + line("m2", "r2", "fork")
    home.write("-home-me-other/fork.jsonl", fork)
    home.index.mkdir(parents=True)
    (home.index / "swept").write_text(marks)
    code = "from ccusage_line.commands import session\nsession._SMALL_HISTORY = 0"
    ran = run_after(home, code, "session", "--id", "fork", "--jq", ".outputTokens")
    assert (ran.out, ran.err) == answer


def test_an_index_with_another_writer_gives_a_right_answer_without_a_warning(home: Home) -> None:
    path = home.write(f"-home-me-proj/{ID}.jsonl", line())
    home.run(*OF_ALL)
    with path.open("a") as file:
        file.write(line("m2", "r2"))
    connection = sqlite3.connect(home.index / "index.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    ran = home.run("session", "--id", ID, "--jq", ".outputTokens + 0")
    connection.close()
    assert (ran.code, ran.out, ran.err) == (0, "200\n", "")
