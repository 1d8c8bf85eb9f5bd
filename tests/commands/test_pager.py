"""The pager: it shows a report that is longer than the terminal, and nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shells import Shell, World

REPORTS = ("", "daily", "weekly --chart", "monthly -b", "blocks", "session latest", "session latest --explain", "demo")
FEW = 2  # lines of a terminal that is shorter than every report
LAST = "└"  # in the last line of every table

pytestmark = pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Shell]:
    world = World(tmp_path)
    world.spend(world.project())
    pager = world.bin / "pages"
    pager.write_text(f"#!/bin/sh\necho pager >>{tmp_path}/used\ncat\n")
    pager.chmod(0o755)
    with Shell("bash", world, "unset LINES COLUMNS PAGER LESS") as shell:
        shell.resize(100, FEW)
        yield shell


def used(terminal: Shell, command: str, tmp_path: Path) -> bool:
    """Run a command that shows a whole report; return whether it asked its pager to show it."""
    mark = tmp_path / "used"
    mark.unlink(missing_ok=True)
    assert "code=0" in terminal.run(f"{command}; echo code=$?")
    return mark.exists()


def test_a_long_report_is_left_after_its_first_page(terminal: Shell) -> None:
    for report in REPORTS:
        terminal.send(f"ccusage {report}\n")
        page = terminal.read_to("\n:")
        assert LAST not in page, report
        assert "\x1b[1m" in page or "explain" in report  # colours stay on
        terminal.send("q")
        assert "code=0" in terminal.run("echo code=$?"), report


def test_ctrl_c_goes_to_the_pager(terminal: Shell) -> None:
    terminal.send("ccusage daily\n")
    terminal.read_to("\n:")
    terminal.send("\x03")
    terminal.read_to("\n:")
    terminal.send("G")
    terminal.read_to(LAST)
    terminal.send("q")
    assert "code=0" in terminal.run("echo code=$?")
    terminal.send("""PAGER="sh -c 'echo re''ady; exec sleep 1000'" ccusage daily; echo code=$?\n""")
    terminal.read_to("ready")
    terminal.send("\x03")
    terminal.read_to("code=130")


@pytest.mark.parametrize("pager", ["/nowhere/pager", "''", '"\'"', "/"])
def test_without_a_pager_all_is_printed(terminal: Shell, pager: str) -> None:
    shown = terminal.run(f"PAGER={pager} ccusage daily; echo code=$?")
    assert shown.count(LAST) == 1
    assert "code=0" in shown


def test_only_a_long_report_for_people_is_shown_by_the_pager(terminal: Shell, tmp_path: Path) -> None:
    terminal.run("export PAGER=pages")
    assert used(terminal, "ccusage daily", tmp_path)
    for command in (
        "ccusage daily --no-pager",
        "ccusage daily --json",
        "ccusage daily --csv",
        "ccusage session --jq .",
        "ccusage daily | cat",
        "TERM=dumb ccusage daily",
        "ccusage live --once",
        "ccusage blocks --live --once",
    ):
        assert not used(terminal, command, tmp_path), command
    config = tmp_path / "home" / ".config" / "ccusage-line" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[daily]\npager = false\n")
    assert not used(terminal, "ccusage daily", tmp_path)
    assert used(terminal, "ccusage daily --pager", tmp_path)


def test_a_report_that_fits_the_screen_does_not_import_the_pager(terminal: Shell, tmp_path: Path) -> None:
    terminal.resize(100, 24)
    terminal.run("export PAGER=pages")
    command = f"{sys.executable} -X importtime -m ccusage_line daily 2>{tmp_path}/imports"
    assert not used(terminal, command, tmp_path)
    imports = (tmp_path / "imports").read_text()
    assert "ccusage_line.report.table" in imports
    assert not {"ccusage_line.pager", "ccusage_line.screen", "subprocess", "shlex"} & set(imports.split())
