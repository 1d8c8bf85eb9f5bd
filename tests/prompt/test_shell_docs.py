"""What docs/shell.md and docs/recipes.md say, taken from the pages and tried."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conftest import ROOT
from neighbours import example
from shells import EVERY_SHELL, Shell, World, needs, plain, until

DOCS = ROOT / "docs"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with two projects: web has cost $0.30 in two sessions, api $0.60 in one, the newest."""
    world = World(tmp_path)
    for project, session, output in (("web", "s-1", 4000), ("web", "s-2", 8000), ("api", "s-3", 24_000)):
        world.spend(world.project(project), output, session)
    return world


def _recipes() -> dict[str, tuple[str, str]]:
    """Return (language, code) of each recipe by its heading."""
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    found = re.findall(r"^## (.*?)$.*?^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return {heading: (language, code) for heading, language, code in found}


def _sh(world: World, code: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-eu", "-c", code], env=world.environ | more, cwd=cwd or world.home, capture_output=True, text=True
    )


def _cost_in_a_variable(world: World, code: str) -> None:
    ran = _sh(world, code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "so far: $0.6\n", "")


def _budget_guard(world: World, code: str) -> None:
    repository = world.project("web")
    git = ["git", "-c", "init.defaultBranch=main", "-c", "user.name=a", "-c", "user.email=a@b"]
    run = {"cwd": repository, "env": world.environ, "check": True, "capture_output": True}
    subprocess.run([*git, "init"], **run)
    subprocess.run([*git, "commit", "--allow-empty", "-m", "x"], **run)
    subprocess.run([*git, "init", "--bare", str(world.home / "remote")], **run)
    hook = repository / ".git" / "hooks" / "pre-push"
    push = ["git", "push", "-q", str(world.home / "remote"), "HEAD:refs/heads/main"]
    for limit, code_of_push in (("0.29", 1), ("20", 0)):
        hook.write_text(code.replace("limit=20", f"limit={limit}"))
        hook.chmod(0o755)
        ran = subprocess.run(push, cwd=repository, env=world.environ, capture_output=True, text=True)
        assert ran.returncode == code_of_push, ran.stderr
        assert ("have cost more than $0.29" in ran.stderr) == (code_of_push == 1)


def _month_as_csv(world: World, code: str) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    ran = _sh(world, code.replace("2026-11-01", today).replace("2026-11-30", today))
    assert (ran.returncode, ran.stderr) == (0, "")
    columns = ("lastActivity", "sessionId", "projectPath", "totalTokens", "totalCost")
    api, web = f"{world.home}/api", f"{world.home}/web"
    assert [[each[column] for column in columns] for each in csv.DictReader(ran.stdout.splitlines())] == [
        [today, "s-3", api, "24000", "0.6"],
        [today, "s-2", web, "8000", "0.2"],
        [today, "s-1", web, "4000", "0.1"],
    ]
    none = _sh(world, code.replace("2026-11-01", "2020-01-01").replace("2026-11-30", "2020-01-31"))
    assert (none.returncode, none.stdout.count("\n"), none.stderr) == (0, 1, "")


def _most_expensive_project(world: World, code: str) -> None:
    ran = _sh(world, code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{world.home}/api: $0.6\n", "")


def _in_tmux(world: World, code: str) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    config, project = world.home / "tmux.conf", world.project("it's $(touch pwned) #S#{host}##\nrun-me\n#(touch pwned)")
    command = world.bin / "run-me"
    command.write_text("#!/bin/sh\ntouch ~/pwned\n")
    command.chmod(0o755)
    world.spend(project, 12_000, "s-4")
    config.write_text(code + "set -g status-right-length 200\n")
    socket = str(world.home / "socket")
    with Shell("bash", world, "", cwd=project, SHELL="/bin/sh") as terminal:
        terminal.send(f"tmux -S {socket} -f {config} new-session -x 100 -y 24\n")
        try:
            until(lambda: "$0.30" in plain(terminal.screen + terminal.read(0.1)), "tmux shows the cost")
        finally:
            subprocess.run(["tmux", "-S", socket, "kill-server"], env=world.environ, capture_output=True)
    assert not list(world.home.rglob("pwned"))


def _notification(world: World, code: str) -> None:
    notify = world.bin / "notify-send"
    notify.write_text('#!/bin/sh\necho "$@" >>"$HOME/notes"\n')
    notify.chmod(0o755)
    for limit in ("limit=5", "limit=0.6", "limit=0.6"):
        ran = _sh(world, code.replace("limit=5", limit), XDG_RUNTIME_DIR=str(world.home))
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (world.home / "notes").read_text() == "Claude Code this session has cost more than $0.6\n"


CHECKS = {
    "The cost of the newest session in a variable": _cost_in_a_variable,
    "No push once the project has cost too much today": _budget_guard,
    "A month as CSV": _month_as_csv,
    "The most expensive project": _most_expensive_project,
    "In tmux's status line": _in_tmux,
    "A notification at a threshold": _notification,
}


def test_every_recipe_of_the_page_is_tested():
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    assert list(_recipes()) == re.findall(r"^## (.*)$", page, re.MULTILINE) == list(CHECKS)


@pytest.mark.parametrize("heading", CHECKS)
def test_a_recipe_does_what_its_heading_says(heading, world):
    _, code = _recipes()[heading]
    CHECKS[heading](world, code)


# --- the picture -------------------------------------------------------------------------------------------------

RECORDER = DOCS.parent / "tools" / "record_day.py"


@pytest.mark.skipif(not (shutil.which("tmux") and shutil.which("zsh")), reason="tmux or zsh is not installed")
def test_the_day_in_the_picture_is_what_a_recording_shows():
    ran = subprocess.run([sys.executable, str(RECORDER), "--check"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_picture_is_shown_and_names_no_place_of_the_machine_it_was_drawn_on():
    picture = DOCS / "day.svg"
    text = "\n".join("".join(row.itertext()) for row in ET.parse(picture).getroot())
    assert f"({picture.name})" in (DOCS / "shell.md").read_text(encoding="utf-8")
    assert re.findall(r"^(~\S*) \$", text, re.MULTILINE)[-1] == "~/webshop"
    assert not re.search(r"/(tmp|root|home|Users|var)\b", text)


# --- docs/shell.md -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_the_line_of_the_table_shows_the_segment(shell, world):
    project = world.project("api")
    world.settle(project)
    page = (DOCS / "shell.md").read_text(encoding="utf-8")
    line = re.search(rf"^\| {shell} .* \| `([^`]*)` \|$", page, re.MULTILINE)[1].replace("\\|", "|")
    with Shell(shell, world, f"{line}\n", cwd=project) as terminal:
        assert "$0.60" in terminal.run("true")


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_the_examples_for_a_prompt_show_the_segment(shell, world):
    project = world.project("api")
    world.settle(project)
    rc = f"{world.snippet(shell, prompt=False)}\n{example(shell)}\n"
    with Shell(shell, world, rc, cwd=project) as terminal:
        screen = terminal.run("true")
    assert "$0.60" in screen
    if shell == "bash":
        assert re.search(r"\[\$0\.60[^\]]*\] [#$] ", screen)


@pytest.mark.parametrize("shell", [needs["zsh"]])
def test_the_segment_of_powerlevel10k_gets_the_text(shell, world):
    project = world.project("api")
    world.settle(project)
    rc = f"""{world.snippet(shell)}
setopt prompt_subst  # as it is with powerlevel10k, for which this stands
p10k() {{ print -rP -- "<$argv[-1]>" }}
{example("powerlevel10k")}
"""
    with Shell(shell, world, rc, cwd=project) as terminal:
        assert "<$0.60" in terminal.run("prompt_ccusage")


def test_the_command_of_starship_prints_plain_text(world):
    command = re.search(r'command = "(.*)"', example("starship"))[1]
    ran = _sh(world, command, cwd=world.project("api"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("$0.60")
    assert "\x1b" not in ran.stdout


def test_the_tmux_line_of_both_pages_is_the_same():
    assert example("tmux") == _recipes()["In tmux's status line"][1].strip()
