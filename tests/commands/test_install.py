"""`install` and `uninstall` say what was done, how it looks, what comes next and how to undo it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ccusage_line.statusline.options import merge_options
from conftest import Home


def installed(home: Home, *args: str) -> tuple[str, dict[str, Any]]:
    """Run `install`; return its output, and the statusLine in the settings after it."""
    ran = home.run("install", *args)
    assert (ran.code, ran.err) == (0, "")
    found: dict[str, Any] = json.loads((home.data / "settings.json").read_text())["statusLine"]
    return ran.out, found


def options_of(line: dict[str, Any]) -> str:
    return str(line["command"]).partition(" statusline")[2].strip()


def test_install_tells_what_was_done_how_it_looks_and_how_to_undo_it(home: Home) -> None:
    (home.data / "settings.json").write_text("{}")
    said, line = installed(home, "--preset", "minimal")
    assert said.startswith(f"installed: {home.data}/settings.json; the old one is ")
    assert "\n\nOpus 4.5 · $0.23 · 25,000 (12%)\n\n" in said
    assert "ccusage statusline --preview" in said
    assert "ccusage uninstall" in said
    assert (options_of(line), line["refreshInterval"]) == ("--preset minimal", 5)


def test_the_options_of_before_are_kept_unless_others_are_given(home: Home) -> None:
    installed(home, "--cost-source", "both", "--preset", "plan", "--refresh-interval", "9")
    assert options_of(installed(home)[1]) == "--cost-source both --preset plan"
    assert options_of(installed(home, "-z", "europe/berlin")[1]).endswith(" --timezone Europe/Berlin")
    assert options_of(installed(home, "-z", "Local")[1]).endswith(" --timezone local")
    _, line = installed(home, "--format", "{model} x", "--no-color")
    assert options_of(line) == "--cost-source both --timezone local --format '{model} x' --no-color"
    assert line["refreshInterval"] == 9
    assert "every 9 seconds" in home.run("install").out
    _, line = installed(home, "--refresh-interval", "0", "--", "--cost-source", "cc")
    assert options_of(line) == "--cost-source cc --timezone local --format '{model} x' --no-color"
    assert "refreshInterval" not in line


def test_variables_before_the_command_are_kept(home: Home) -> None:
    _, line = installed(home, "--preset", "plan")
    line["command"] = f'CCUSAGE_STATE_DIR="$HOME/x" {line["command"]}'
    (home.data / "settings.json").write_text(json.dumps({"statusLine": line}))
    assert installed(home)[1] == line


@pytest.mark.parametrize("more", ["2>/dev/null", "--odd"])
def test_install_refuses_to_drop_other_parts_of_the_command(home: Home, more: str) -> None:
    settings = home.data / "settings.json"
    settings.write_text(json.dumps({"statusLine": {"type": "command", "command": f"/gone/ccusage statusline {more}"}}))
    before = settings.read_bytes()
    ran = home.run("install", "-z", "UTC")
    assert (ran.code, ran.out) == (2, "")
    assert f"/gone/ccusage statusline {more}' contains more than options of ccusage; --force" in ran.err
    assert settings.read_bytes() == before
    assert options_of(installed(home, "-z", "UTC", "--force")[1]) == "--timezone UTC"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["-B", "text"], ["--visual-burn-rate=off"], ["--visual-burn-rate=off"]),
        (["--preset=plan", "-z", "UTC"], ["--format", "x"], ["-z", "UTC", "--format", "x"]),
        (["--no-cache", "--format", "x"], ["--preset", "default"], ["--no-cache", "--preset", "default"]),
        (["--format"], [], ["--format", ""]),
    ],
)
def test_an_option_takes_the_place_of_one_of_its_name(old: list[str], new: list[str], expected: list[str]) -> None:
    assert merge_options(old, new) == expected


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--preset", "loud"], "--preset wants default, minimal"),
        (["--format", "{contxt}"], "did you mean {context}?"),
        (["--timezone", "Mars/Olympus"], "no time zone 'Mars/Olympus'"),
        (["--", "-z", "Mars/Olympus"], "no time zone 'Mars/Olympus'"),
        (["--context-low-threshold", "90"], "--context-low-threshold wants"),
        (["--refresh-interval", "-1"], "--refresh-interval and --padding"),
        (["--presett", "plan"], "did you mean --preset?"),
    ],
)
def test_options_that_the_statusline_would_not_understand_are_not_installed(
    home: Home, args: list[str], said: str
) -> None:
    ran = home.run("install", *args)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not (home.data / "settings.json").exists()


def test_install_does_not_choose_between_several_folders(home: Home, tmp_path: Path) -> None:
    home.env["CLAUDE_CONFIG_DIR"] = f"{home.data},{tmp_path}/other"
    for command in ("install", "uninstall"):
        ran = home.run(command)
        assert (ran.code, ran.out) == (2, "")
        assert f"{home.data}, {tmp_path}/other: choose one with --settings FILE" in ran.err
        assert home.run(command, "--settings", f"{tmp_path}/other/settings.json").code == 0
    del home.env["CLAUDE_CONFIG_DIR"]
    for folder in (".claude", "config/claude"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "settings.json").write_text("{}")
    ran = home.run("install")
    assert f"{tmp_path}/config/claude/settings.json is not changed" in ran.err
    assert "statusLine" in (tmp_path / ".claude" / "settings.json").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="scripts need POSIX")
def test_a_command_in_a_cache_is_warned_of(home: Home, tmp_path: Path) -> None:
    program = tmp_path / ".cache" / "uv" / "archive-v0" / "x" / "bin" / "ccusage"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\nfrom ccusage_line.__main__ import main\nmain()\n")
    os.chmod(program, 0o755)
    home.command = [str(program)]
    ran = home.run("install")
    assert ran.code == 0
    assert f"warning: {program} is in a cache that may be cleared" in ran.err


def test_uninstall_names_what_else_can_be_removed(home: Home) -> None:
    installed(home)
    ran = home.run("uninstall")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("deleted: ")
    for word in (str(home.state), "ccusage init", "pip uninstall ccusage-line"):
        assert word in ran.out
    again = home.run("uninstall")
    assert (again.out, again.err) == ("", f"ccusage: no statusline of ccusage in {home.data}/settings.json\n")
