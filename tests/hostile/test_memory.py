"""Days and blocks while the state disk is full or read-only: a day that could not be updated is not shown."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from conftest import Home
from lines import ID, OTHER, ago, line
from others import mounted
from shells import until


def shown(home: Home) -> str:
    ran = home.run("statusline", "--no-color", input=json.dumps({"session_id": ID, "model": {"display_name": "Opus"}}))
    assert (ran.code, ran.err) == (0, "")
    assert "$0.53 session" in ran.out
    return ran.out


def a_minute_later(home: Home) -> None:
    """Set the time of the last sweep back by some minutes."""
    marker = next(home.state.glob("*/swept"))
    subprocess.run(["mount", "-o", "remount,rw", str(home.state)], check=True)
    before = time.time() - 200
    os.utime(marker, (before, before))


@pytest.fixture
def disk(home: Home) -> Iterator[Home]:
    home.at_noon()
    with mounted(home.state, "size=1m"):
        home.write(f"-home-me-proj/{ID}.jsonl", line(at=ago(0), costUSD=0.53))
        home.write(f"-home-me-proj/{OTHER}.jsonl", line("n1", "q1", OTHER, at=ago(0), costUSD=3.0))
        assert home.run("session", "--json", "--jq", ".totals.totalCost").out == "3.53\n"
        until(lambda: "$3.53 today" in shown(home), "everything is counted")
        until(lambda: list(home.state.glob("*/swept")), "the sweep is recorded")
        yield home


def full(home: Home) -> None:
    descriptor = os.open(home.state / "filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while os.write(descriptor, b"x" * 4096):
            pass
    except OSError:
        os.close(descriptor)


def read_only(home: Home) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(home.state)], check=True)


@pytest.mark.parametrize("shut", [full, read_only], ids=lambda shut: shut.__name__)
def test_a_day_that_cant_be_brought_up_to_date_is_not_shown(disk: Home, shut: object) -> None:
    home = disk
    shut(home)  # type: ignore[operator]
    with (home.projects / f"-home-me-proj/{OTHER}.jsonl").open("a") as file:
        file.write(line("n2", "q2", OTHER, at=ago(0), costUSD=4.0))
    for _ in range(3):  # the first line finds it old and starts a sweep, a later one finds that the sweep failed
        a_minute_later(home)
        shut(home)  # type: ignore[operator]
        last = shown(home)
        time.sleep(1)
    assert "$3.53" not in last, last
    subprocess.run(["mount", "-o", "remount,rw,size=8m", str(home.state)], check=True)
    (home.state / "filler").unlink(missing_ok=True)
    a_minute_later(home)
    until(lambda: "$7.53 today" in shown(home), "everything is counted again")
