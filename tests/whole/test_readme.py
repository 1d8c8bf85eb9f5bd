"""The README: how it begins, and that its commands work exactly as written."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ccusage_line import cli
from conftest import ROOT
from shells import PATIENCE, World

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_readme_opens_with_a_command_for_the_report_and_one_for_the_tests():
    assert BLOCKS[:2] == [
        "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/ccusage session --or-demo\n",
        "python3 -m venv .venv && .venv/bin/pip install --quiet '.[test]' && .venv/bin/pytest\n",
    ]
    assert next(line for line in README.splitlines() if ".venv/bin/pytest" in line) == BLOCKS[1].rstrip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_pictures_lead_somewhere(page):
    targets = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_commands_in_the_readme_are_valid():
    commands = [shlex.split(line, comments=True)[1:] for line in BLOCKS[2].splitlines() if line.startswith("ccusage")]
    assert len(commands) > 9
    parser = cli._parser()
    assert [parser.parse_known_args(cli._with_command(command))[1] for command in commands] == [[] for _ in commands]


@pytest.mark.skipif(sys.platform != "linux", reason="the state folder is elsewhere")
def test_the_commands_for_removal_leave_nothing(tmp_path: Path):
    world = World(tmp_path)
    del world.environ["CCUSAGE_STATE_DIR"]
    settings, rc = world.config / "settings.json", world.home / ".bashrc"
    settings.write_text('{"theme": "dark"}')
    rc.write_text('PS1="$ "\neval "$(ccusage init bash)"\nalias ll="ls -l"\n')
    (world.bin / "uv").write_text('#!/bin/sh\necho "uv $*"\n')
    (world.bin / "uv").chmod(0o755)
    world.spend(world.project())
    assert "work" in world.run("session").stdout
    assert "installed" in world.run("install").stdout
    done = subprocess.run(
        ["bash", "-euc", BLOCKS[-1]], env=world.environ, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "uv tool uninstall ccusage-line"), done.stderr
    assert json.loads(settings.read_text()) == {"theme": "dark"}
    assert rc.read_text() == 'PS1="$ "\nalias ll="ls -l"\n'
    assert list(world.home.rglob("ccusage-line")) == []
