"""Many statuslines at once, some killed as the client kills them: each shows right numbers, and nothing remains.

CCUSAGE_CROWD_SECONDS makes the crowd last longer; CCUSAGE_CROWD_HISTORY names a large data directory, with its
truth.json, to begin an index over.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from test_statusline_lane import DEAR, ask, ask_in_time, at_rest, indexed, payload, plain

import fresh
from ccusage_line.recent import FIRST_SWEEP
from compare import assert_same, find_price
from conftest import ROOT, UNHURRIED_COMMAND, Home, Ran, start
from lines import ID, OTHER, ago, line
from shells import until

SECONDS = float(os.environ.get("CCUSAGE_CROWD_SECONDS", "3"))
CROWD = 8
TOKENS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")


class Call(NamedTuple):
    """One statusline: what was certainly written before it began, what it showed, what may be written when it ended."""

    before: int
    shown: tuple[int, int]  # dollars of the session and of the day
    after: int


class Transcript:
    """A session that grows by a dollar at a time."""

    def __init__(self, path: Path) -> None:
        self.begun = self.written = 0  # responses that may be, and that certainly are, in the file
        self._path = path

    def grow(self, until: float) -> None:
        """Append responses until *until*, some of them in two pieces."""
        dice = random.Random(1)
        with self._path.open("ab", buffering=0) as file:
            while time.monotonic() < until:
                text = line(f"m{self.begun}", f"r{self.begun}", at=ago(0), tokens=DEAR).encode()
                self.begun += 1
                cut = dice.choice([0, 0, 0, 1, len(text) // 2, len(text) - 1])
                file.write(text[:cut])
                time.sleep(0.002 if cut else 0)
                file.write(text[cut:])
                self.written += 1
                time.sleep(dice.choice([0.005, 0.02, 0.1]))


def line_of(home: Home) -> subprocess.Popen[bytes]:
    command = [*UNHURRIED_COMMAND, "statusline", "--cost-source", "ccusage"]
    return start(home, *command, "--format", "{session_cost} {today_cost}")


def look(home: Home, transcript: Transcript) -> Call:
    before = transcript.written
    process = line_of(home)
    out, err = process.communicate(json.dumps(payload()).encode(), 60)
    assert (process.returncode, err, out.count(b"\n")) == (0, b"", 1)
    session, today = (round(float(word.strip("$").replace(",", ""))) for word in out.decode().split())
    return Call(before, (session, today), transcript.begun)


def kill_one(home: Home, after: float, patience: float) -> None:
    """Kill a line as the client does: SIGTERM to its group, and SIGKILL after *patience* seconds."""
    process = line_of(home)
    process.stdin.write(json.dumps(payload()).encode())
    process.stdin.close()
    time.sleep(after)
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
        except ProcessLookupError:
            break
        time.sleep(patience)
    process.wait(60)
    assert process.stderr.read() == b""
    process.stdout.close()
    process.stderr.close()


def caller(home: Home, transcript: Transcript, seed: int, late: float) -> list[Call]:
    dice = random.Random(seed)
    calls = []
    while time.monotonic() < late:
        if dice.random() < 0.25:
            kill_one(home, dice.random() * 0.06, dice.random() * 0.002)
        else:
            calls.append(look(home, transcript))
    return calls


def assert_nothing_is_left(home: Home) -> None:
    at_rest(home)
    connection = sqlite3.connect(home.index / "index.db", timeout=0, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.execute("ROLLBACK")
    connection.close()
    assert not [path.name for path in home.index.iterdir() if "corrupt" in path.name]


def assert_exact(home: Home) -> None:
    index = home.opened()
    index.refresh()
    assert_same(index, fresh.read([home.data], find_price))


@pytest.mark.skipif(os.name == "nt", reason="process groups need POSIX")
def test_a_crowd_over_one_growing_session_is_right_at_every_moment(home: Home) -> None:
    home.at_noon()
    transcript = Transcript(home.write(f"-home-me-proj/{ID}.jsonl", ""))
    home.write(f"-home-me-other/{OTHER}.jsonl", line("n1", "q1", OTHER, at=ago(60), tokens=DEAR))
    indexed(home)
    late = time.monotonic() + SECONDS
    writer = threading.Thread(target=transcript.grow, args=(late,))
    writer.start()
    with ThreadPoolExecutor(CROWD) as pool:
        lists = list(pool.map(lambda seed: caller(home, transcript, seed, late), range(CROWD)))
    writer.join()
    calls = [call for calls in lists for call in calls]
    assert calls
    for call in calls:
        assert call.before <= call.shown[0] <= call.after
        assert call.before + 1 <= call.shown[1] <= call.after + 1
    assert_nothing_is_left(home)
    assert look(home, transcript).shown == (transcript.written, transcript.written + 1)
    assert_exact(home)


# --- an empty index over a history -------------------------------------------------------------------------------


def made_history(path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "generate.py"), str(path), "--mb", "24", "--sessions", "40"]
    subprocess.run([*command, "--big", "0"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory whose first index takes longer than a line may."""
    if "CCUSAGE_CROWD_HISTORY" in os.environ:
        return Path(os.environ["CCUSAGE_CROWD_HISTORY"])
    path = tmp_path_factory.mktemp("history")
    made_history(path)
    return path


def indexers(home: Home) -> set[int]:
    """Return the processes that read everything, without the workers of another one."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = f"CCUSAGE_STATE_DIR={home.state}\0".encode() in (folder / "environ").read_bytes()
            if ours and b"\0index\0sweep\0" in (folder / "cmdline").read_bytes():
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
        except OSError:
            continue
    return {process for process, parent in found.items() if parent not in found}


def tokens_of(ran: Ran) -> dict[str, list[int]]:
    assert ran.code == 0
    return {one["sessionId"]: [one[kind] for kind in TOKENS] for one in json.loads(ran.out)["sessions"]}


def truth_of(history: Path) -> dict[str, list[int]]:
    sessions = json.loads((history / "truth.json").read_text())["sessions"]
    return {name: [one[kind] for kind in TOKENS] for name, one in sessions.items() if any(one[kind] for kind in TOKENS)}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
def test_on_an_empty_index_lines_come_at_once_and_one_process_reads(home: Home, history: Path) -> None:
    home.env["CLAUDE_CONFIG_DIR"] = str(history)
    transcripts = sorted(history.glob("projects/*/*.jsonl"), key=lambda path: path.stat().st_size)
    session = transcripts[len(transcripts) // 2].stem
    seen: set[int] = set()
    with ThreadPoolExecutor(CROWD) as pool:
        began = time.monotonic()
        asked = [pool.submit(ask_in_time, home, payload(session)) for _ in range(CROWD)]
        while not all(one.done() for one in asked) or indexers(home):
            seen |= indexers(home)
            time.sleep(0.05)
        lines = [plain(one.result()) for one in asked]
        read = time.monotonic() - began
    assert all(text.startswith(("🤖 Opus 4.5 | 💰 $", "ccusage")) for text in lines)  # "ccusage" if it was late
    assert 1 <= len(seen) <= 1 + read // FIRST_SWEEP  # every FIRST_SWEEP seconds another one checks it
    until(lambda: " today" in plain(ask(home, payload(session))), "the index is complete")
    assert_nothing_is_left(home)
    assert tokens_of(home.run("session", "--json")) == truth_of(history)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
def test_a_first_index_that_is_killed_goes_on_behind_a_later_line(home: Home, history: Path) -> None:
    home.env["CLAUDE_CONFIG_DIR"] = str(history)
    plain(ask(home))
    until(lambda: bool(indexers(home)), "a process builds the index")
    for process in indexers(home):
        os.killpg(process, signal.SIGKILL)
    at_rest(home)
    (marker,) = home.state.glob("*/swept")
    os.utime(marker, (time.time() - 10, time.time() - 10))
    plain(ask(home))
    until(lambda: " today" in plain(ask(home)), "the index is complete")
    assert_nothing_is_left(home)
    assert tokens_of(home.run("session", "--json")) == truth_of(history)
