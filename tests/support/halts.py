"""Stop a process at each system call that it makes on the state folder.

Every other question must then be answered correctly or refused within its bound, and after the stopped process is
killed all answers must be right again. `python tests/support/halts.py --help` runs all of it;
tests/hostile/test_state_files.py runs a sample.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attack import kill, strace
from conftest import start
from fuzz import ID, QUESTIONS, REST, Machine, judge
from lines import line
from shells import until

CALLS = [
    *("flock", "fcntl", "fdatasync", "fsync", "ftruncate", "pwrite64"),
    *("rename", "unlink", "mkdir", "utimensat", "write"),
]
ACTORS: dict[str, tuple[tuple[str, ...], str]] = {
    "report": (("session", "--json"), ""),
    "one": QUESTIONS["one"],
    "line": QUESTIONS["line"],
    "sweep": (("index", "sweep"), ""),
    "refresher": (("prompt", "--refresh", "--cwd", "/home/me/proj"), ""),
    "rebuild": (("index", "rebuild"), ""),
    "first": (("index", "refresh"), ""),
}
FIRST = 45.0  # seconds: a report waits for a first index that may still make progress
ASKED = ("line", "one", "archived", "list", "prompt")


def prepare(machine: Machine, actor: str) -> None:
    """Restore the machine and add new lines to the session; before the first index, delete the state."""
    machine.restore()
    if actor == "first":
        shutil.rmtree(machine.home.state)
    own = machine.home.projects / f"-home-me-proj/{ID}.jsonl"
    own.write_text(line(at=machine.at, costUSD=0.03) + line("m2", "r2", at=machine.at, costUSD=0.5))


def start_traced(machine: Machine, actor: str, calls: str, what: str) -> subprocess.Popen[bytes]:
    args, input = ACTORS[actor]
    log = machine.home.path.parent / "trace"
    log.write_text("")
    nowhere = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
    process = start(machine.home, *strace(log, calls, what), *machine.home.command, *args, **nowhere)
    process.stdin.write(input.encode())
    process.stdin.close()
    return process


def count_calls(machine: Machine, actor: str) -> Counter[str]:
    """Return how often an undisturbed process makes each call."""
    prepare(machine, actor)
    start_traced(machine, actor, ",".join(CALLS), "").wait()
    log = (machine.home.path.parent / "trace").read_text()
    names = (row.split(None, 1)[1].partition("(")[0] for row in log.splitlines())
    return Counter(name for name in names if name in CALLS)


def judge_answers(machine: Machine, asked: Sequence[str], sure: bool, lost: bool) -> list[str]:
    """Return what is wrong with the answers to questions asked at the same time; *sure* and *lost* as in fuzz.judge."""
    with ThreadPoolExecutor(len(ASKED)) as pool:
        verdicts = pool.map(
            lambda name: judge(name, *machine.ask(*QUESTIONS[name]), sure, lost, FIRST if lost else REST), asked
        )
        return [f"{name} {fault}" for name, fault in zip(asked, verdicts, strict=True) if fault]


def halt(machine: Machine, actor: str, call: str, number: int, asked: Sequence[str] = ASKED) -> list[str]:
    """Return what is wrong while the process is stopped at that call, and after it was killed there."""
    prepare(machine, actor)
    process = start_traced(machine, actor, call, f"signal=STOP:when={number}")
    log = machine.home.path.parent / "trace"
    faults, lost = [], actor == "first"
    try:
        until(
            lambda: process.poll() is not None or "stopped by SIGSTOP" in log.read_text(), "it is stopped or has ended"
        )
        stopped = process.poll() is None
        faults += [f"while: {fault}" for fault in judge_answers(machine, asked if stopped else (), False, lost)]
    finally:
        kill(process, log)
    faults += [f"after: {fault}" for fault in judge_answers(machine, asked, True, lost)]
    return [f"{actor} at {call} {number}: {fault}" for fault in faults]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actors", default=",".join(ACTORS))
    parser.add_argument("--calls", default=",".join(CALLS))
    parser.add_argument("--every", type=int, default=1, help="only every so manyth of a call")
    args = parser.parse_args()
    faults = places = 0
    with tempfile.TemporaryDirectory(prefix="ccusage-halts-") as place:
        machine = Machine.made(Path(place) / "home")
        for actor in args.actors.split(","):
            calls = count_calls(machine, actor)
            print(actor, dict(calls), flush=True)
            for call in args.calls.split(","):
                for number in range(1, calls[call] + 1, args.every):
                    places += 1
                    for fault in halt(machine, actor, call, number):
                        faults += 1
                        print(fault, flush=True)
    print(f"{places} places, {faults} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
