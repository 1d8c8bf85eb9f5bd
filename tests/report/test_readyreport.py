"""A ready report is printed while nothing has changed, and never after anything has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ccusage_line.report.ready import MANY
from conftest import Home
from lines import SONNET, append, line

SETTLED = 2.1  # seconds after which a report may be stored
FEW, SOON = 30, 0.06  # sessions and seconds that are enough in tests with LOWERED
KINDS = {"text": ("session",), "json": ("session", "--json")}
LOWERED = f"""
from ccusage_line.report import ready as readyreport
readyreport.MANY, readyreport.SETTLED = {FEW}, {SOON * 1e9:.0f}
"""
COUNT_IMPORTS = """
import os, sys
from ccusage_line import __main__
leave = os._exit
def counted(code):
    sys.stderr.write(f"made={'ccusage_line.index.index' in sys.modules}")
    sys.stderr.flush()
    leave(code)
os._exit = counted
__main__.main()
"""


def with_sessions(path: Path, count: int = FEW) -> Home:
    home = Home(path)
    for n in range(count):
        at = f"2026-05-{n % 28 + 1:02}T{n % 24:02}:30:00.000Z"
        model = {0: "house-model", 1: SONNET}.get(n % 10, "claude-opus-4-5-20251101")
        home.write(f"-home-me-p{n % 7}/s-{n:04}-x.jsonl", line(f"m{n}", f"r{n}", f"s-{n:04}-x", at=at, model=model))
    return home


@pytest.fixture(params=KINDS)
def ready(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Home, tuple[str, ...]]:
    """Return a home in which a report of one kind is ready, and the command for it."""
    home, command = with_sessions(tmp_path), KINDS[request.param]
    time.sleep(2 * SOON)
    assert ask(home, *command)[2]
    assert not ask(home, *command)[2]
    return home, command


def ask(home: Home, *args: str, code: str = LOWERED + COUNT_IMPORTS, **env: str) -> tuple[str, str, bool]:
    """Return (stdout, stderr, whether the report had to be made)."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args], env=home.env | env, capture_output=True, cwd=home.path, check=True
    )
    told, _, made = done.stderr.decode().rpartition("made=")
    return done.stdout.decode(), told, made == "True"


def made_anew(home: Home, *args: str, **env: str) -> tuple[str, str]:
    """Return what a process without an index prints."""
    ran = home.run(*args, CCUSAGE_STATE_DIR=str(home.path / f"other-{time.time_ns()}"), **env)
    return ran.out, ran.err


def test_a_ready_report_equals_a_new_one(ready: tuple[Home, tuple[str, ...]]) -> None:
    home, command = ready
    out, told, made = ask(home, *command)
    assert not made
    assert (out, told) == made_anew(home, *command)
    assert out.count("0029-x") == 1
    assert ("house-model" in told) == (command == ("session",))  # the warning is printed again


@pytest.mark.parametrize(
    "args",
    [
        ("--mode", "display"),
        ("--order", "asc"),
        ("--since", "2026-05-20"),
        ("--until", "2026-05-20"),
        ("--project", "proj"),
        ("--timezone", "Asia/Tokyo"),
    ],
    ids=lambda args: args[0],
)
def test_other_options_give_another_report(ready: tuple[Home, tuple[str, ...]], args: tuple[str, ...]) -> None:
    home, command = ready
    for asked in ((*command, *args), command):
        out, told, made = ask(home, *asked)
        assert made
        assert (out, told) == made_anew(home, *asked)
        assert ask(home, *asked) == (out, told, False)


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (("--breakdown",), {}),
        (("--compact",), {}),
        (("--color", "always"), {}),
        ((), {"COLUMNS": "80"}),
        ((), {"TZ": "America/New_York"}),
    ],
    ids=["breakdown", "compact", "colour", "width", "zone"],
)
def test_other_formatting_gives_another_report(tmp_path: Path, args: tuple[str, ...], env: dict[str, str]) -> None:
    home = with_sessions(tmp_path)
    time.sleep(2 * SOON)
    ask(home, "session")
    out, told, made = ask(home, "session", *args, **env)
    assert made
    assert (out, told) == made_anew(home, "session", *args, **env)


def appended(home: Home) -> None:
    append(home.projects / "-home-me-p0" / "s-0000-x.jsonl", line("more", "more", "s-0000-x"))


def appended_and_asked(home: Home) -> None:
    appended(home)
    assert home.run("session", "--id", "s-0000-x", "--json").code == 0


def appended_with_the_old_time(home: Home) -> None:
    path = home.projects / "-home-me-p0" / "s-0000-x.jsonl"
    stat = path.stat()
    appended(home)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replaced_by_as_many_bytes(home: Home) -> None:
    path = home.projects / "-home-me-p0" / "s-0000-x.jsonl"
    path.write_text(path.read_text().replace('"output_tokens":100', '"output_tokens":999'))


def new_session(home: Home) -> None:
    home.write("-home-me-p0/new.jsonl", line("new", "new", "new"))


def deleted(home: Home) -> None:
    (home.projects / "-home-me-p0" / "s-0000-x.jsonl").unlink()


def moved(home: Home) -> None:
    (home.projects / "-home-me-p0" / "s-0000-x.jsonl").rename(home.projects / "-home-me-p1" / "s-0000-x.jsonl")


def new_prices(home: Home) -> None:
    home.configure('[prices.models."claude-opus-4-5-20251101"]\ninput = 50\noutput = 250\n')


CHANGES = [
    appended,
    appended_and_asked,
    appended_with_the_old_time,
    replaced_by_as_many_bytes,
    new_session,
    deleted,
    moved,
    new_prices,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_after_a_change_the_report_is_made_anew(
    ready: tuple[Home, tuple[str, ...]], change: Callable[[Home], None]
) -> None:
    home, command = ready
    change(home)
    out, told, made = ask(home, *command)
    assert made
    if change is deleted:  # A13: the session stays, but another index cannot know it
        assert "archived" in out
    else:
        assert (out, told) == made_anew(home, *command)
    assert ask(home, *command)[:2] == (out, told)


def test_a_forgotten_session_is_in_no_report(ready: tuple[Home, tuple[str, ...]]) -> None:
    home, command = ready
    (home.projects / "-home-me-p0" / "s-0000-x.jsonl").unlink()
    for _ in range(2):
        assert "archived" in ask(home, *command)[0]
    assert home.run("index", "forget", "s-0000-x").code == 0
    assert not any(b"s-0000-x" in path.read_bytes() for path in home.state.rglob("*") if path.is_file())
    assert ask(home, *command)[:2] == made_anew(home, *command)


def test_a_report_without_its_database_is_not_believed(ready: tuple[Home, tuple[str, ...]]) -> None:
    home, command = ready
    (kept,) = home.state.glob("*/report.*")
    database = kept.parent / "index.db"
    shutil.copy(database, database.with_suffix(".copy"))
    database.with_suffix(".copy").rename(database)
    out, told, made = ask(home, *command)
    assert made
    assert (out, told) == made_anew(home, *command)


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_report_is_made_anew(ready: tuple[Home, tuple[str, ...]], damage: str) -> None:
    home, command = ready
    expected = ask(home, *command)
    (kept,) = home.state.glob("*/report.*")
    data = bytearray(kept.read_bytes())
    middle = len(data) // 2
    data[middle:] = data[middle:][:0] if damage == "cut" else bytes([data[middle] ^ 1]) + data[middle + 1 :]
    kept.write_bytes(data)
    out, told, made = ask(home, *command)
    assert made
    assert (out, told) == expected[:2]


def test_no_report_is_stored_while_files_are_young(ready: tuple[Home, tuple[str, ...]]) -> None:
    home, command = ready
    new_session(home)
    for _ in range(2):
        assert ask(home, *command, code=COUNT_IMPORTS)[2]
    assert not list(home.state.glob("*/report.*"))


@pytest.mark.parametrize(("sessions", "kept"), [(MANY, True), (MANY - 1, False)], ids=["many", "one less"])
def test_a_report_is_stored_only_of_many_sessions_with_settled_files(tmp_path: Path, sessions: int, kept: bool) -> None:
    home = with_sessions(tmp_path, sessions)
    time.sleep(SETTLED)
    first = ask(home, "session", code=COUNT_IMPORTS)
    assert first[2]
    assert ask(home, "session", code=COUNT_IMPORTS) == (*first[:2], not kept)


def test_a_report_with_another_price_table_is_not_stored(ready: tuple[Home, tuple[str, ...]]) -> None:
    """Another process settles another config between the look at the prices and the count."""
    home, command = ready
    appended(home)
    time.sleep(2 * SOON)
    other = home.path / "other.toml"
    other.write_text('[prices.models."claude-opus-4-5-20251101"]\ninput = 50\noutput = 250\n')
    meddled = f"""
import os, subprocess, sys
from ccusage_line.commands.console import Console
index = Console.index
def meddle(console):
    env = os.environ | {{"CCUSAGE_CONFIG": {str(other)!r}}}
    command = [sys.executable, "-m", "ccusage_line", "session", "--json"]
    subprocess.run(command, env=env, check=True, capture_output=True)
    return index(console)
Console.index = meddle
"""
    for _ in range(2):
        ask(home, *command, code=LOWERED + meddled + COUNT_IMPORTS)
    assert ask(home, *command)[:2] == made_anew(home, *command)


def test_a_report_of_a_database_that_was_replaced_is_not_kept(tmp_path: Path) -> None:
    home = with_sessions(tmp_path)
    gone = home.write("-home-me-p0/gone.jsonl", line("gone", "gone", "gone"))
    time.sleep(2 * SOON)
    assert home.run("session").code == 0
    gone.unlink()
    assert "archived" in ask(home, "session")[0]
    replaced = f"""
import os, subprocess, sys
from ccusage_line.commands import session
print_report = session._print
def meddle(request, out, warning):
    print_report(request, out, warning)
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        for folder in os.listdir({str(home.state)!r}):
            path = os.path.join({str(home.state)!r}, folder, name)
            if os.path.exists(path):
                os.unlink(path)
    subprocess.run([sys.executable, "-m", "ccusage_line", "index", "refresh"], check=True, capture_output=True)
session._print = meddle
"""
    assert "archived" in ask(home, "session", code=LOWERED + replaced + COUNT_IMPORTS)[0]
    out, told, made = ask(home, "session")
    assert made
    assert (out, told) == made_anew(home, "session")


def test_an_answer_that_cannot_be_withdrawn_costs_only_time(ready: tuple[Home, tuple[str, ...]]) -> None:
    home, command = ready
    appended(home)
    code = """
from ccusage_line import published
def revoke(path):
    raise PermissionError(13, "Permission denied", path)
published.revoke = revoke
"""
    out, told, made = ask(home, *command, code=code + LOWERED + COUNT_IMPORTS)
    assert made
    assert out == made_anew(home, *command)[0]
    assert "counted in memory" in told
    alone = ask(home, "session", "--id", "s-0000-x", "--json", code=code + COUNT_IMPORTS)[0]
    assert '"outputTokens": 200' in alone
