"""Odd places: no home, no working directory, dangling links, names that no file of lines can hold."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

import pytest

from attack import command, run_behind, strace
from ccusage_line.prompt import line as readyline
from conftest import ROOT, SOON, Home, Ran, run_after, run_command
from lines import ID, ago, line, usage
from lines import OTHER as OTHER_ID
from others import as_nobody, with_namespaces
from shells import EVERY_SHELL, Shell, World, until

COMMANDS = [
    ("session",),
    ("session", "--id", ID, "--json"),
    ("session", "--id", ID[:8]),
    ("statusline",),
    ("prompt",),
    ("prompt", "--refresh"),
    ("index", "status"),
    ("doctor",),
    ("config", "show"),
    ("prices", "show"),
    ("init", "bash"),
    ("install", "--dry-run"),
    ("--config", "relative", "session"),
    ("statusline", "--config", "relative", "--no-such-option"),
]


def is_calm(ran: Ran, words: tuple[str, ...]) -> bool:
    """Return whether there is no traceback and a usual exit code; a statusline and a prompt never fail."""
    never_fails = words[0] in ("statusline", "prompt")
    return "Traceback" not in ran.err and ran.code in ((0,) if never_fails else (0, 1, 2, 3))


@with_namespaces
@pytest.mark.parametrize("variable", [None, "", ".", "relative"], ids=lambda variable: f"HOME={variable}")
def test_without_a_home_nothing_is_made_in_the_working_directory(home: Home, variable: str | None) -> None:
    project = home.path / "project"
    project.mkdir()
    env = {"PATH": os.environ["PATH"], "CCUSAGE_OFFLINE": "1", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    home.env = env if variable is None else env | {"HOME": variable}
    for words in COMMANDS:
        ran = run_command(home, [*as_nobody, *command(*words)], "{}", cwd=project)
        assert is_calm(ran, words), (words, ran)
        assert list(project.iterdir()) == [], words


def test_a_statusline_that_can_not_begin_leaves_nothing_in_the_working_directory(home: Home) -> None:
    project = home.path / "project"
    project.mkdir()
    home.env |= {"CLAUDE_CONFIG_DIR": "relative", "PYTHONPATH": str(ROOT)}
    before = strace(Path(os.devnull), "getcwd", "error=ENOENT")
    ran = run_command(home, [*before, *command("statusline")], "{}", cwd=project)
    assert is_calm(ran, ("statusline",)), ran
    assert ran.out.strip()
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("name", ["CLAUDE_CONFIG_DIR", "CCUSAGE_STATE_DIR", "XDG_CONFIG_HOME", "HOME"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_relative_folder_in_a_working_directory_that_is_gone_is_no_traceback(home: Home, name: str, words) -> None:
    ran = run_in_a_folder_that_is_gone(home, *words, **{name: "relative"})
    assert is_calm(ran, words), ran


@pytest.mark.parametrize(
    "words",
    [
        "session -p .",
        "daily -p .",
        "index forget --project .",
        "session --html page.html",
        "install --settings settings.json",
        "--config config.toml session",
    ],
)
def test_a_relative_path_is_refused_if_the_working_directory_is_gone(home: Home, words: str) -> None:
    ran = run_in_a_folder_that_is_gone(home, *words.split())
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.endswith(": the working directory is gone\n")


def run_in_a_folder_that_is_gone(home: Home, *words: str, **env: str) -> Ran:
    gone = home.path / "gone"
    gone.mkdir()
    script = 'rmdir "$PWD" && exec "$@"'
    return run_command(home, ["sh", "-c", script, "sh", *command(*words)], "{}", env, cwd=gone)


def test_a_dangling_link_as_the_database_makes_no_file(home: Home) -> None:
    home.write(f"-p/{ID}.jsonl", line())
    index = home.index
    index.mkdir(parents=True, mode=0o700)
    home.state.chmod(0o700)
    target = home.path / "target"
    (index / "index.db").symlink_to(target)
    ran = home.run("session", "--id", ID, "--json")
    assert json.loads(ran.out)["totalCost"] > 0
    assert list(index.glob("index.db.corrupt-*"))
    home.run("statusline", input=json.dumps({"session_id": ID}))
    home.run("index", "rebuild")
    assert not target.exists()


def test_forget_writes_nothing_outside_of_the_state_folder(home: Home) -> None:
    path = home.write(f"-p/{ID}.jsonl", line("erased", "erased"))
    kept = [line(f"m{number}", f"r{number}", session=OTHER_ID) for number in range(20_000)]  # more than SQLite caches
    home.write(f"-p/{OTHER_ID}.jsonl", "".join(kept))
    home.run("session")
    path.unlink()
    trace = home.path / "trace"
    home.env["PYTHONDONTWRITEBYTECODE"] = "1"
    ran = run_behind(home, strace(trace, "open,openat,creat"), "index", "forget", ID)
    assert (ran.code, ran.out) == (0, f"forgot {ID}\n")
    written = re.findall(r'"([^"]*)", [^)]*(?:O_WRONLY|O_RDWR|O_CREAT)', trace.read_text())
    assert any("index.db" in name for name in written)
    assert [name for name in written if not name.startswith((str(home.state), "/dev/"))] == []


@pytest.mark.parametrize("shell", EVERY_SHELL)
@pytest.mark.parametrize("where", ["CLAUDE_CONFIG_DIR", "the state folder", "a link to the data directory"])
def test_a_newline_in_a_folders_name_does_not_start_a_process_at_every_prompt(tmp_path: Path, shell, where) -> None:
    odd = tmp_path / "with\na newline"
    world = World(odd if where == "the state folder" else tmp_path / "world")
    if where == "CLAUDE_CONFIG_DIR":
        world.environ["CLAUDE_CONFIG_DIR"] = str(world.home / "a\nb")
        (world.home / "a\nb" / "projects").mkdir(parents=True)
        world.projects = world.home / "a\nb" / "projects"
    if where == "a link to the data directory":
        (world.home / "a\nb").mkdir()
        world.environ["CLAUDE_CONFIG_DIR"] = str(world.home / "link")
        (world.home / "link").symlink_to(world.home / "a\nb")
        world.projects = world.home / "a\nb" / "projects"
        world.projects.mkdir()
    project = world.home / "work"
    project.mkdir()
    world.spend(project)
    started = world.home / "started"
    world.ccusage.write_text(f'#!/bin/sh\necho x >>"$HOME/started"\nexec {sys.executable} -m ccusage_line "$@"\n')
    marker = world.state / "prompt" / "refreshing"
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        for _ in range(4):
            terminal.enter("true")
            time.sleep(0.1)  # so that a refresher has time to start
            until(lambda: not marker.exists(), "the refresher has ended")
        assert "ccusage" not in terminal.screen
    assert not started.exists() or started.read_text().count("x") <= 2


def test_recipes_store_nothing_in_a_folder_that_others_share() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text()
    assert not re.search(r"/tmp\b", text)


SWITCH = """
import os
real, calls = os.path.realpath, 0
def switching(path, **how):
    global calls
    found = real(path, **how)
    if os.fspath(path).startswith({link!r}):
        calls += 1
        if calls == {at}:
            os.unlink({link!r})
            os.symlink({other!r}, {link!r})
    return found
os.path.realpath = switching
"""


@pytest.mark.parametrize(
    "words",
    ["session", f"session --id {ID} --json", "statusline", "prompt --cwd {project}", "index rebuild"],
    ids=lambda words: words.split(" --")[0],
)
def test_a_link_switched_in_the_middle_of_a_question_mixes_no_two_sets_of_data(home: Home, words: str) -> None:
    project = home.path / "proj"
    project.mkdir()
    sets = [home.path / "first", home.path / "second"]
    link = home.data
    home.projects.rmdir()
    link.rmdir()
    for output, where in enumerate(sets, 1):
        folder = where / "projects" / re.sub(r"[^A-Za-z0-9]", "-", str(project))
        folder.mkdir(parents=True)
        (folder / f"{ID}.jsonl").write_text(line(at=ago(60), tokens=usage(0, output * 4000), cwd=str(project)))
    for at in range(1, 7):
        link.unlink(missing_ok=True)
        link.symlink_to(sets[0])
        switch = SWITCH.format(link=str(link), at=at, other=str(sets[1]))
        payload = json.dumps({"session_id": ID})
        run_after(home, f"{SOON}\n{switch}", *words.format(project=project).split(), input=payload)
    for output, where in enumerate(sets, 1):
        link.unlink()
        link.symlink_to(where)
        found = json.loads(home.run("session", "--id", ID, "--json").out)
        assert (found["outputTokens"], found["archived"]) == (output * 4000, False)
        for path in home.index.rglob("*.line"):
            shown = readyline.read(str(path)).text(readyline.PLAIN)
            assert shown.startswith(f"$0.{output}0"), path
