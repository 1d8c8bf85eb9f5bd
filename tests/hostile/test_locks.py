"""If a lock cannot be taken, two processes may do the same work at once: no traceback, no hang, no wrong number."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from attack import run_behind, strace
from conftest import Home
from lines import ID, line
from others import mounted

LOCKS = ("first.lock", "sweep.lock", "mend.lock", "settings.lock", "prices.lock", "prompt/refresh.lock", "swept")
COMMANDS = {
    ("session", "--json", "--jq", ".totals.outputTokens"): "100\n",
    ("session", "--id", ID, "--json", "--jq", ".outputTokens"): "100\n",
    ("index", "sweep"): "",
    ("statusline", "--no-color"): None,
    ("prompt", "--refresh", "--cwd", "/home/me/proj"): "",
    ("install",): None,
    ("prices", "refresh"): None,
}


def check(home: Home, before: list[str] | None = None) -> None:
    """Check that every command that takes a lock succeeds, except for the one that needs a price server."""
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    home.env |= {"CCUSAGE_OFFLINE": "0", "CCUSAGE_CONFIG": str(home.path / "c.toml")}
    (home.path / "c.toml").write_text('[prices]\nurl = "https://127.0.0.1:9/"\n')
    for words, expected in COMMANDS.items():
        ran = run_behind(home, before or [], *words, input=json.dumps({"session_id": ID}))
        assert (ran.code, "Traceback" in ran.err) == (int("prices" in words), False), (words, ran)
        assert expected in (None, ran.out), words


@pytest.mark.parametrize("error", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_commands_work_on_a_file_system_that_refuses_locks(home: Home, error: str) -> None:
    check(home, strace(home.path / "trace", "flock", f"error={error}"))


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def a_link(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.parent / "elsewhere")


def a_fifo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize("make", [a_folder, a_link, a_fifo], ids=lambda make: str(make.__name__))
def test_commands_work_if_something_else_is_in_the_place_of_a_lock(home: Home, make: Callable[[Path], None]) -> None:
    for folder in (home.index, home.state):
        for lock in LOCKS:
            make(folder / lock)
        folder.chmod(0o700)
    check(home)
    assert not list(home.path.rglob("elsewhere"))


def test_commands_work_on_a_disk_without_inodes(home: Home) -> None:
    with mounted(home.state, "nr_inodes=3"):
        check(home)
