"""A sample of tests/support/fuzz.py and halts.py, which docs/proof.md describes."""

from __future__ import annotations

import pytest

import fuzz
import halts
from fuzz import Machine

fuzz.LINE, fuzz.REST = 10.0, 30.0  # seconds, with room for a crowded machine
halts.FIRST = 90.0


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine.made(tmp_path_factory.mktemp("fuzz") / "home")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("index.db", fuzz.fifo),
        ("index.db", fuzz.another_users),
        ("index.db-wal", fuzz.link_to_itself),
        ("recent", fuzz.device),
        ("swept", fuzz.folder),
        ("answers", fuzz.empty),
        ("config.bin", fuzz.grown),
        ("managed-settings.json", fuzz.huge),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_with_any_damaged_state_file_answers_are_right_or_refused_in_time(
    machine: Machine, name: str, change: fuzz.Change
) -> None:
    path = next(path for path in machine.files if path.name == name)
    assert fuzz.fuzz(machine, [(path, change)], ("line", "one", "list")) == []


@pytest.mark.parametrize(
    ("actor", "call", "number"),
    [("report", "fdatasync", 1), ("one", "fcntl", 20), ("line", "rename", 1), ("sweep", "pwrite64", 3)],
)
def test_beside_a_process_that_is_stopped_answers_are_right_or_refused_in_time(
    machine: Machine, actor: str, call: str, number: int
) -> None:
    assert halts.halt(machine, actor, call, number, ("line", "one")) == []
