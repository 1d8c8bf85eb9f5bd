"""Processes that are delayed, stopped or refused at one of their system calls, by strace's `inject`."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Home, Ran, run_command, start
from shells import until


def strace(log: Path, calls: str, what: str = "", *paths: Path) -> list[str]:
    """Return the words to put before a command, so that strace logs *calls* (`fsync,unlink`) and does *what* to them.

    *what* is like `error=EIO` or `signal=STOP`. If *paths* are given, only calls on them are traced.
    """
    if not _may_trace():
        pytest.skip("strace is not installed, or it may not trace")
    where = [word for path in paths for word in ("-P", str(path))]
    inject = ["-e", f"inject={calls}:{what}"] if what else []
    return ["strace", "-f", "-qq", "-o", str(log), *where, "-e", f"trace={calls}", *inject]


@functools.cache
def _may_trace() -> bool:
    words = ["strace", "-o", os.devnull, "true"]
    return shutil.which("strace") is not None and subprocess.run(words, capture_output=True).returncode == 0


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "ccusage_line", *args]


def run_behind(home: Home, before: list[str], *args: str, input: str = "") -> Ran:
    """Run `ccusage ARGS` behind the words of another command."""
    return run_command(home, [*before, *command(*args)], input)


def run_in(home: Home, before: Callable[[], None], *args: str) -> Ran:
    """Run `ccusage ARGS` in a process that calls *before* first."""
    return run_command(home, command(*args), preexec_fn=before)


def as_anybody() -> None:
    """Drop the capabilities that let root ignore permissions, so that permissions apply to root too."""
    if os.geteuid() == 0 and sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP takes effect in the next program
                os._exit(99)


@contextmanager
def halted(home: Home, *args: str, calls: str, what: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start `ccusage ARGS` with *what* at each of *calls*; yield the process at the first, and kill it at the end."""
    log = home.path / "trace"
    log.unlink(missing_ok=True)
    nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    process = start(home, *strace(log, calls, what), *command(*args), **nowhere)
    try:
        until(lambda: log.exists() and log.stat().st_size > 0, "the process has reached the call")
        yield process
    finally:
        kill(process, log)


def kill(process: subprocess.Popen[bytes], log: Path) -> None:
    """Kill strace and all processes that it has traced, in whatever sessions they are."""
    pids = {int(row.split(None, 1)[0]) for row in log.read_text().splitlines()} if log.exists() else set()
    for pid in pids | {process.pid}:
        try:
            if b"ccusage_line" in Path(f"/proc/{pid}/cmdline").read_bytes():  # else the number has been reused
                os.kill(pid, signal.SIGKILL)
        except OSError:
            continue
    process.wait()


def run_timed(home: Home, *args: str, input: str = "") -> tuple[Ran, float]:
    """Run a command and return its result, and how many seconds it took."""
    began = time.monotonic()
    return home.run_in_time(*args, input=input), time.monotonic() - began


def run_at_once(home: Home, *questions: tuple[str, ...]) -> list[tuple[Ran, float]]:
    """Run several commands at the same time and return the result of each, and how many seconds it took."""
    with ThreadPoolExecutor(len(questions)) as pool:
        return list(pool.map(lambda words: run_timed(home, *words), questions))
