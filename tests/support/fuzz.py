"""Put every file that the state folder can hold, and those read beside it, into every state that a file can be in.

In each state, every question must be answered or refused within its bound, no number may be wrong, and nothing outside
the state folder may change. `python tests/support/fuzz.py --help` runs all of it; tests/hostile/test_state_files.py a
sample.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import Home, start
from lines import ID, OTHER, ago, line

ARCHIVED = "33333333-3333-4333-8333-333333333333"
LINE, REST = 3.0, 12.0  # seconds: the promise is 1 and 5 on an idle machine
HUGE = 3 << 30  # bytes of a sparse file
NOBODY = 65534
PLACES = {
    "{index}": (
        *("index.db", "index.db-wal", "index.db-shm", "recent", "swept", "windows"),
        *("first.lock", "sweep.lock", "mend.lock"),
    ),
    "{index}/answers": ("", "{answer}", "{answer}.said"),
    "{index}/prompt": ("",),
    "{state}": ("config.bin", "managed.bin", "prices.bin", "prices-tries.json", "statusline.log", "prompt"),
    "{home}": ("config/ccusage-line/config.toml", "policy/managed-settings.json", "claude/settings.json"),
}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inner").write_bytes(b"x")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 16)


def a_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


Change = Callable[[Path], None]
KINDS: tuple[Change, ...] = (
    fifo, folder, link_to_itself, dangling, device, huge, empty, noise, a_socket,
)  # fmt: skip


def halved(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def grown(path: Path) -> None:
    os.truncate(path, HUGE)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), max(len(data) // 7, 1)):
        data[place] ^= 0x5A
    path.write_bytes(data)


def unreadable(path: Path) -> None:
    path.chmod(0)


def anybodys(path: Path) -> None:
    path.chmod(0o777)


def another_users(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)


CHANGES: tuple[Change, ...] = (halved, grown, flipped, unreadable, anybodys, another_users)


def identity(path: Path) -> object:
    try:
        stat = path.lstat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mode, stat.st_uid, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


@dataclass
class Machine:
    """A home with a session of $0.53, one of $3.00, an archived one of $7.00, and all state about them."""

    home: Home
    pristine: Path
    at: str  # the time of all responses
    files: list[Path] = field(default_factory=list)
    beside: dict[Path, object] = field(default_factory=dict)

    @classmethod
    def made(cls, path: Path) -> Machine:
        home = Home(path)
        home.at_noon()
        at = ago(0)
        home.write(f"-home-me-proj/{OTHER}.jsonl", line("n1", "q1", OTHER, at=at, costUSD=3.0))
        own = home.write(f"-home-me-proj/{ID}.jsonl", line(at=at, costUSD=0.53))
        for name in PLACES["{home}"]:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "config/ccusage-line/config.toml").write_text("[labels]\n")
        (path / "policy/managed-settings.json").write_text("{}")
        (path / "claude/settings.json").write_text("{}")
        home.run("session", "--json")
        gone = home.write(f"-home-me-proj/{ARCHIVED}.jsonl", line("z1", "z1", ARCHIVED, at=at, costUSD=7.0))
        for _ in range(2):  # a question for one session leaves its results in the write-ahead log
            home.run("session", "--id", ARCHIVED, "--json")
            gone.unlink(missing_ok=True)
        before = time.time() - 100
        for each in (*home.projects.rglob("*"), home.projects, *(path / name for name in PLACES["{home}"])):
            os.utime(each, (before, before))
        time.sleep(2.1)  # change times can't be set back, and an answer needs older ones to be published
        machine = cls(home, path.parent / f"{path.name}.pristine", at)
        for _ in range(2):
            machine.ask(*QUESTIONS["line"])
            machine.ask(*QUESTIONS["one"])
            machine.ask(*QUESTIONS["prompt"])
        shutil.copytree(home.path, machine.pristine, symlinks=True)
        assert own.exists()
        machine.files = list(machine._files())
        machine.beside = {path / name: identity(path / name) for name in PLACES["{home}"]}
        return machine

    def _files(self) -> Iterator[Path]:
        index = self.home.index
        answers = sorted(path.name for path in (index / "answers").iterdir() if "." not in path.name)
        names = {"index": index, "state": self.home.state, "home": self.home.path}
        for place, files in PLACES.items():
            for name in files:
                for answer in answers if "{answer}" in name else [""]:
                    yield Path(place.format(**names)) / name.format(answer=answer)

    def restore(self) -> None:
        """Restore everything; beside the state folder only files that were changed get new change times."""
        for path in (self.home.state, *(self.home.path / name for name in PLACES["{home}"])):
            if path != self.home.state and identity(path) == self.beside.get(path):
                continue
            there = self.pristine / path.relative_to(self.home.path)
            while subprocess.run(["rm", "-rf", str(path)], check=False, stderr=subprocess.DEVNULL).returncode:
                time.sleep(0.1)  # a process that a statusline started may still write
            subprocess.run(["cp", "-a", str(there), str(path)], check=True)
        for marker in self.home.state.glob("*/swept"):
            marker.touch()  # so that no statusline starts another process

    def ask(self, args: tuple[str, ...], input: str) -> tuple[int, str, str, float]:
        """Return (code, stdout, stderr, seconds); a process that takes three times REST is killed (code -9)."""
        began = time.monotonic()
        process = start(self.home, *self.home.command, *args)
        try:
            out, err = process.communicate(input.encode(), timeout=3 * REST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        return process.returncode, out.decode(), err.decode(), time.monotonic() - began

    def outside(self) -> dict[str, tuple[int, int, int]]:
        """Return the inode, mode and change time of everything outside the state folder."""
        found = {}
        for path in (self.home.path, *self.home.path.rglob("*")):
            if self.home.state not in (path, *path.parents):
                stat = path.lstat()
                found[str(path)] = stat.st_ino, stat.st_mode, stat.st_mtime_ns if not path.is_dir() else 0
        return found


PAYLOAD = json.dumps({"session_id": ID, "model": {"id": "claude-opus-4-5", "display_name": "Opus"}})
QUESTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "line": (("statusline", "--no-color"), PAYLOAD),
    "one": (("session", "--id", ID, "--json", "--jq", ".totalCost"), ""),
    "archived": (("session", "--id", ARCHIVED, "--json", "--jq", ".totalCost"), ""),
    "list": (("session", "--json", "--jq", ".totals.totalCost"), ""),
    "prompt": (("prompt", "--cwd", "/home/me/proj"), ""),
    "doctor": (("doctor",), ""),
    "status": (("index", "status"), ""),
}
RIGHT = {"one": "0.53\n", "archived": "7.0\n", "list": "10.53\n"}
WITHOUT_ARCHIVED = {"archived": "null\n", "list": "3.53\n"}


def judge(
    name: str,
    code: int,
    out: str,
    err: str,
    seconds: float,
    sure: bool = False,
    lost: bool = False,
    bound: float = REST,
) -> str:
    """Return what is wrong with an answer, or "".

    *sure*: it must not be refused; *lost*: archived sessions may be missing, because the database was hit; *bound*:
    seconds, except for the statusline, which has its own.
    """
    if seconds > (LINE if name == "line" else bound):
        return f"took {seconds:.1f} s"
    if "Traceback" in err or "Traceback" in out:
        return f"fails: {err.strip().splitlines()[-1] if err else out}"
    if name == "line":
        right = {"session": ("0.53",), "today": ("10.53", "3.53")[: 1 + lost], "block": ("10.53", "3.53")[: 1 + lost]}
        wrong = [f"${n} {what}" for n, what in re.findall(r"\$([\d.]+) (\w+)", out) if n not in right.get(what, (n,))]
        return f"exit {code}" if code or err else "blank" if not out.strip() else ", ".join(wrong)
    if name in RIGHT and out != RIGHT[name]:
        if lost and out == WITHOUT_ARCHIVED.get(name):
            return ""
        told = bool(err) and out == "" and not sure
        return "" if told else f"answers {out!r} ({err.strip()}, exit {code})"
    return ""


def fuzz(machine: Machine, cases: list[tuple[Path, Change]], questions: tuple[str, ...]) -> list[str]:
    faults = []
    for path, change in cases:
        machine.restore()
        try:
            if change in KINDS:
                subprocess.run(["rm", "-rf", str(path)], check=True)
                path.parent.mkdir(parents=True, exist_ok=True)
            elif not path.exists() or (path.is_dir() and change in (halved, grown, flipped)):
                continue
            elif "index.db" in path.name and change is flipped:
                continue  # SQLite has no checksums; tests/index/test_care.py damages the database
            change(path)
        except OSError as error:
            print("can't be made:", path.name, change.__name__, error)
            continue
        before = machine.outside()
        lost = path.name.startswith("index.db") and change != anybodys
        for name in questions:
            fault = judge(name, *machine.ask(*QUESTIONS[name]), lost=lost)
            if fault:
                faults.append(f"{path.relative_to(machine.home.path)} {change.__name__}: {name} {fault}")
                print(faults[-1], flush=True)
        after = machine.outside()
        for other in sorted({*before, *after}):
            if before.get(other) != after.get(other) and not other.endswith("/trace"):
                faults.append(f"{path.relative_to(machine.home.path)} {change.__name__}: {other} was changed")
                print(faults[-1], flush=True)
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", default="", help="only files whose path holds this")
    parser.add_argument("--change", default="", help="only changes whose name holds this")
    parser.add_argument("--questions", default=",".join(QUESTIONS), help="which, with commas")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccusage-fuzz-") as place:
        machine = Machine.made(Path(place) / "home")
        cases = [
            (path, change)
            for path in machine.files
            for change in (*KINDS, *CHANGES)
            if args.file in str(path) and args.change in change.__name__
        ]
        faults = fuzz(machine, cases, tuple(args.questions.split(",")))
        print(f"{len(cases)} states of {len(machine.files)} files, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
