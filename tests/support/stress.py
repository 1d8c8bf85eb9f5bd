"""A writer that treats transcripts as the client does, and worse, beside processes that ask; some of those are killed.

Every answer must lie between what the disk held when the question was asked and what it held when it was answered. What
the index holds in the end must equal one fresh reading. `python tests/support/stress.py --help` runs it for as long as
you like; tests/index/test_stress.py runs it for some seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fresh
from ccusage_line.index.index import Index
from ccusage_line.index.questions import session_ids
from ccusage_line.index.verify import verify
from ccusage_line.session import MODES
from compare import as_read, as_shown, find_price
from conftest import Home, start
from lines import record, usage

PROJECTS = ("-home-ann-web", "-home-ann-api", "-home-ann-Bücher")
NOT_STORED = "can't be stored"


@dataclass
class WrittenSession:
    """One session, as far as the writer has written it."""

    id: str
    role: str  # grower, fork, mover, cutter or mortal
    path: Path
    begun: int = 0  # responses of which at least a byte may be on disk
    done: int = 0  # responses that are on disk whole
    lines: list[bytes] = field(default_factory=list)  # those of its own file
    sealed: bool = False  # whether a report has seen all of it
    deleted: bool = False


class Writer(threading.Thread):
    """A thread that grows, forks, moves, cuts, replaces and deletes transcripts until it is stopped."""

    def __init__(self, home: Home, seed: int, pause: float) -> None:
        super().__init__()
        self.home = home
        self.dice = random.Random(seed)
        self.pause = pause  # the longest time between two steps, in seconds
        self.halt = threading.Event()
        self.sessions: list[WrittenSession] = []
        self.steps: Counter[str] = Counter()
        self.error: BaseException | None = None
        self._number = 0
        for role in ("grower", "grower", "grower", "mover", "cutter", "cutter", "mortal"):
            self.add(role)

    def run(self) -> None:
        try:
            while not self.halt.is_set():
                self.step()
                time.sleep(self.dice.random() * self.pause)
        except BaseException as error:
            self.error = error

    def step(self) -> None:
        alive = [session for session in self.sessions if not session.deleted]
        session = self.dice.choice(alive)
        kinds = ["append"] * 6 + ["subagent", "title"]
        kinds += {"mover": ["move"], "cutter": ["cut", "replace"], "mortal": ["delete"]}.get(session.role, [])
        kinds += ["fork"] if session.role == "grower" and len(self.sessions) < 60 else []
        kinds += ["add"] if len(self.sessions) < 60 and self.dice.random() < 0.3 else []
        kind = self.dice.choice(kinds)
        self.steps[kind] += 1
        getattr(self, kind)(session)

    # --- steps ---

    def add(self, session: WrittenSession | str) -> WrittenSession:
        roles = ("grower", "mover", "cutter", "mortal")
        role = session if isinstance(session, str) else self.dice.choice(roles)
        id = f"{role}-{len(self.sessions):03}-{self.dice.getrandbits(32):08x}"
        path = self.home.projects / self.dice.choice(PROJECTS) / f"{id}.jsonl"
        path.parent.mkdir(exist_ok=True)
        added = WrittenSession(id, role, path)
        self.sessions.append(added)  # before its first line, because an asker that sees the line looks for the session
        self.append(added)
        return added

    def append(self, session: WrittenSession) -> None:
        count = self.dice.randrange(1, 6)
        self._write(session, session.path, count, sidechain=False)

    def subagent(self, session: WrittenSession) -> None:
        if session.role in ("grower", "fork"):
            folder = session.path.with_suffix("") / "subagents" / self.dice.choice(("", "workflows/run_1"))
            folder.mkdir(parents=True, exist_ok=True)
            self._write(session, folder / f"agent-{self.dice.randrange(3)}.jsonl", 2, sidechain=True)

    def title(self, session: WrittenSession) -> None:
        line = {"type": "ai-title", "aiTitle": f"title {self.dice.randrange(99)}", "sessionId": session.id}
        self._put(session.path, json.dumps(line).encode() + b"\n")

    def fork(self, session: WrittenSession) -> None:
        id = f"fork-{len(self.sessions):03}-{self.dice.getrandbits(32):08x}"
        forked = WrittenSession(id, "fork", self.home.projects / self.dice.choice(PROJECTS) / f"{id}.jsonl")
        forked.path.parent.mkdir(exist_ok=True)
        copied = []
        for line in session.lines:
            value = json.loads(line)
            if "message" in value:
                copied.append({**value, "sessionId": id, "requestSessionId": value.get("requestSessionId", session.id)})
        self.sessions.append(forked)
        self._put(forked.path, b"".join(json.dumps(value).encode() + b"\n" for value in copied))
        self.append(forked)

    def move(self, session: WrittenSession) -> None:
        target = self.home.projects / self.dice.choice(PROJECTS) / session.path.name
        target.parent.mkdir(exist_ok=True)
        if target == session.path:
            return
        if self.dice.random() < 0.5:
            session.path.rename(target)
        else:
            shutil.copyfile(session.path, target)
            session.path.unlink()
        session.path = target

    def cut(self, session: WrittenSession) -> None:
        os.truncate(session.path, self.dice.randrange(session.path.stat().st_size + 1))

    def replace(self, session: WrittenSession) -> None:
        data = session.path.read_bytes().replace(b'"output_tokens":1', b'"output_tokens":2')
        if self.dice.random() < 0.5:
            with session.path.open("r+b") as file:
                file.write(data)
        else:
            beside = session.path.with_suffix(".tmp")
            beside.write_bytes(data)
            beside.replace(session.path)

    def delete(self, session: WrittenSession) -> None:
        if self.dice.random() < 0.7:  # the usual case: a report saw the session before it was deleted after 30 days
            session.sealed = NOT_STORED not in self._report()
        session.path.unlink()
        session.deleted = True

    def _report(self) -> str:
        ran = self.home.run("session", "--json")
        if ran.code != 0:
            raise AssertionError(ran)
        return ran.err

    # --- bytes ---

    def _write(self, session: WrittenSession, path: Path, count: int, sidechain: bool) -> None:
        """Write responses of one or several lines, sometimes with a pause in the middle."""
        data = b""
        for _ in range(count):
            for line in self._response(session, sidechain):
                data += line
                if path == session.path:
                    session.lines.append(line)
        session.begun += count
        if self.dice.random() < 0.3:
            half = self.dice.randrange(len(data))
            self._put(path, data[:half])
            time.sleep(self.dice.random() * self.pause)
            data = data[half:]
        self._put(path, data)
        session.done += count

    def _put(self, path: Path, data: bytes) -> None:
        with path.open("ab") as file:
            file.write(data)

    def _response(self, session: WrittenSession, sidechain: bool) -> list[bytes]:
        self._number += 1
        minute, second = divmod(self._number // 10 % 3600, 60)
        lines = []
        for output, stop in ((1, None), (self.dice.randrange(100, 200), "end_turn"))[self.dice.randrange(2) :]:
            value = record(
                f"msg_{self._number}",
                f"req_{self._number}",
                session.id,
                at=f"2026-05-01T10:{minute:02}:{second:02}.000Z",
                stop=stop,
                tokens=usage(self.dice.randrange(50), output, 7, 1000),
                isSidechain=sidechain,
                uuid=f"u{self._number}-{output}",
            )
            lines.append(json.dumps(value, separators=(",", ":")).encode() + b"\n")
        return lines


class Asker(threading.Thread):
    """A thread that asks one question after another, each in a process of its own, and kills some of them."""

    def __init__(self, home: Home, writer: Writer, seed: int, kill: float) -> None:
        super().__init__()
        self.home, self.writer, self.kill = home, writer, kill
        self.dice = random.Random(seed)
        self.halt = threading.Event()
        self.asked: Counter[str] = Counter()
        self.faults: list[str] = []

    def run(self) -> None:
        while not self.halt.is_set():
            try:
                self.ask()
            except Exception as error:
                self.faults.append(repr(error))

    def ask(self) -> None:
        writer = self.writer
        session = self.dice.choice(
            [session for session in writer.sessions if session.role in ("grower", "fork") and session.done]
        )
        args = self.dice.choice(
            [
                ["session", "--id", session.id, "--json"],
                ["session", "--id", session.id, "--json"],
                ["session", "--id", session.id, "--jq", ".responses"],
                ["session", "--id", session.id, "--json", "--mode", "calculate"],
                ["session", "--id", session.id],
                ["session", "--json"],
                ["session", "--json"],
                ["session", "--id", "latest", "--json"],
                ["session", "--breakdown"],
                ["statusline"],
                ["index", "status"],
            ]
        )
        before = {each.id: each.done for each in list(writer.sessions)}
        payload = json.dumps({"session_id": session.id, "transcript_path": str(session.path), "cwd": "/home/ann"})
        code, out, err = self._run(args, payload)
        if code == -signal.SIGKILL:
            self.asked["killed"] += 1
            return
        self.asked[" ".join(args).replace(session.id, "ID")] += 1
        self.asked["not stored"] += NOT_STORED in err
        after = {each.id: each.begun for each in list(writer.sessions)}
        fault = self._fault(args, session, before, after, code, out, err)
        if fault:
            self.faults.append(f"{args}: {fault}")

    def _run(self, args: list[str], payload: str) -> tuple[int, str, str]:
        process = start(self.home, *self.home.command, *args, text=True)
        killer = None
        if self.dice.random() < self.kill:
            killer = threading.Timer(self.dice.random() * 0.25, process.kill)
            killer.start()
        try:
            out, err = process.communicate(payload, timeout=60)
        finally:
            if killer is not None:
                killer.cancel()
        return process.returncode, out, err

    @staticmethod
    def _fault(
        args: list[str],
        session: WrittenSession,
        before: dict[str, int],
        after: dict[str, int],
        code: int,
        out: str,
        err: str,
    ) -> str:
        """Return what is wrong with an answer, or ""."""
        if code != 0 or "Traceback" in err or (err and NOT_STORED not in err):
            return f"exit {code}: {err}"
        if args[:1] == ["statusline"]:
            return "" if out.strip() else "an empty line"
        if "--jq" in args:
            rows = [{"sessionId": session.id, "responses": int(out)}]
        elif "--json" in args:
            value = json.loads(out)
            rows = value.get("sessions", [value])
        else:
            return "" if out else "no answer"
        for row in rows:
            least, most = before.get(row["sessionId"], 0), after.get(row["sessionId"], 0)
            if row["sessionId"].startswith(("grower", "fork")) and not least <= row["responses"] <= most:
                return f"{row['sessionId']} has {row['responses']} responses, not {least} to {most}"
        return ""


@dataclass
class Outcome:
    """The results of a run."""

    steps: Counter[str]
    asked: Counter[str]
    faults: list[str]
    sessions: int = 0
    responses: int = 0
    megabytes: float = 0.0
    left_behind: int = 0  # temporary files of killed processes


def stress(home: Home, seconds: float, askers: int, kill: float, seed: int, pause: float = 0.02) -> Outcome:
    """Run a writer and *askers* threads of questions for some seconds, and kill the share *kill* of the questions."""

    def question(threads: list[Asker]) -> None:
        for asker in threads:
            asker.start()
        time.sleep(seconds)
        for asker in threads:
            asker.halt.set()
        for asker in threads:
            asker.join()

    return beside_a_writer(home, seed, pause, askers, kill, question)


def burst(home: Home, count: int, seed: int) -> Outcome:
    """Ask *count* questions at the same time in a fresh home while files grow."""

    def question(askers: list[Asker]) -> None:
        gate = threading.Barrier(count)

        def one(asker: Asker) -> None:
            gate.wait()
            asker.ask()

        with ThreadPoolExecutor(count) as pool:
            list(pool.map(one, askers))

    return beside_a_writer(home, seed, 0.01, count, 0.0, question)


def beside_a_writer(
    home: Home, seed: int, pause: float, askers: int, kill: float, question: Callable[[list[Asker]], None]
) -> Outcome:
    writer = Writer(home, seed, pause)
    threads = [Asker(home, writer, seed * 1000 + number, kill) for number in range(askers)]
    writer.start()
    try:
        question(threads)
    finally:
        writer.halt.set()
        writer.join()
    asked: Counter[str] = sum((asker.asked for asker in threads), Counter())
    outcome = Outcome(writer.steps, asked, [fault for asker in threads for fault in asker.faults])
    if writer.error is not None:
        outcome.faults.append(f"the writer failed: {writer.error!r}")
    settle(home, outcome, writer.sessions)
    return outcome


# --- afterwards --------------------------------------------------------------------------------------------------


def settle(home: Home, outcome: Outcome, sessions: list[WrittenSession]) -> None:
    """Check everything that must be true when all is quiet, and add the faults to the outcome."""
    wait_for_children(home, outcome.faults)
    ran = home.run("session", "--json")
    if ran.code or ran.err:
        outcome.faults.append(f"the last report: {ran.code} {ran.err}")
    folder = home.index
    if list(folder.glob("*.corrupt-*")):
        outcome.faults.append("a database was set aside")
    index = Index(str(folder), [os.path.realpath(home.projects)])
    outcome.faults += differences(home, index, sessions)
    outcome.faults += verify(index)
    if not index.try_lock():
        outcome.faults.append("the database is locked")
    else:
        index.unlock()
    outcome.sessions = len(session_ids(index))
    outcome.responses = sum(session.responses for session in index.sessions())
    index.close()
    with sqlite3.connect(folder / "index.db") as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            outcome.faults.append("the database is not sound")
    database.close()
    outcome.faults += stale_locks(home)
    outcome.megabytes = sum(path.stat().st_size for path in home.projects.rglob("*.jsonl")) / 1e6
    outcome.left_behind = sum(path.suffix[1:].isdigit() for path in home.state.rglob("*.*"))


def wait_for_children(home: Home, faults: list[str]) -> None:
    """Wait until the detached processes have ended by themselves."""
    late = time.monotonic() + 30
    while home.processes() and time.monotonic() < late:
        time.sleep(0.1)
    faults += [f"still running: {process}" for process in home.processes()]


def stale_locks(home: Home) -> list[str]:
    """Return the lock files that are still held although no process runs."""
    from filelock import FileLock, Timeout

    faults = []
    for path in home.state.rglob("*lock*"):
        try:
            with FileLock(str(path), timeout=0):
                pass
        except Timeout:
            faults.append(f"stale lock {path}")
    return faults


def differences(home: Home, index: Index, sessions: list[WrittenSession]) -> list[str]:
    """Return where the index differs from a fresh reading of what exists, or lost what it had seen of deleted files."""
    expected = fresh.read([home.data], find_price)
    found = []
    for mode in MODES:
        listed = {one.id: one for one in index.sessions(mode)}
        for name, session in expected.items():
            alone: Any = index.session(name, mode)
            if alone is None or as_shown(alone) != as_read(session, mode):
                shown = None if alone is None else as_shown(alone)
                found.append(f"{name} is {shown}, not {as_read(session, mode)}")
            elif session.responses and as_shown(listed[name]) != as_shown(alone):
                found.append(f"{name} is another one in the list")
        found += [f"{name} is not there" for name in listed.keys() - expected.keys() if not name.startswith("mortal")]
    for session in sessions:
        if session.deleted:
            kept = index.session(session.id)
            responses = kept.responses if kept else 0
            if not (session.done if session.sealed else 0) <= responses <= session.begun or (
                kept and not kept.archived
            ):
                found.append(f"{session.id}: {responses} of {session.done} responses kept, sealed: {session.sealed}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--askers", type=int, default=6)
    parser.add_argument("--kill", type=float, default=0.3, help="share of the questions that is killed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--burst", type=int, default=0, help="so many questions at once instead")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccusage-stress-") as folder:
        home = Home(Path(folder).resolve())
        if args.burst:
            outcome = burst(home, args.burst, args.seed)
        else:
            outcome = stress(home, args.seconds, args.askers, args.kill, args.seed)
    for name in ("steps", "asked", "sessions", "responses", "megabytes", "left_behind"):
        print(f"{name:12} {getattr(outcome, name)}")
    print(f"{len(outcome.faults)} faults", *outcome.faults[:20], sep="\n  ")
    return bool(outcome.faults)


if __name__ == "__main__":
    sys.exit(main())
