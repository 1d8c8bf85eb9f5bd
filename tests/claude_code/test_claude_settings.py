"""Claude Code's settings.json: our key is added and removed, and every other byte stays as it was."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccusage_line.claude_code import settings_file as settings
from ccusage_line.claude_code import statusline_entry as entry
from ccusage_line.errors import UserError

COMMAND = "/opt/own/ccusage statusline"
OURS = {"type": "command", "command": COMMAND}
THEIRS = {"type": "command", "command": "npx ccusage statusline"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "claude"
    folder.mkdir()
    return folder / "settings.json"


def install(path: Path, **how: Any) -> settings.Change:
    return settings.install(str(path), COMMAND, **how)


def uninstall(path: Path, **how: Any) -> settings.Change:
    return settings.uninstall(str(path), **how)


def others(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name != "settings.json")


LAYOUTS = {
    "two-spaces": b'{\n  "model": "opus",\n  "permissions": {\n    "allow": ["Bash"]\n  }\n}\n',
    "tabs": b'{\n\t"model": "opus",\n\t"env": {"A": "1"}\n}\n',
    "crlf": b'{\r\n  "model": "opus"\r\n}\r\n',
    "one-line": b'{"model": "opus", "env": {}}\n',
    "compact": b'{"model":"opus","env":{}}',
    "unicode": '{\n  "näme": "日本語 \\u00e9 👍",\n  "x": "\u2028"\n}\n'.encode(),
    "bom": b'\xef\xbb\xbf{\n  "model": "opus"\n}\n',
    "nested-statusline": b'{\n  "deep": {"statusLine": {"type": "x"}}\n}\n',
    "braces-in-texts": b'{\n  "a": "}{,\\"statusLine\\": 1",\n  "b{": "}"\n}\n',
    "empty-object": b"{}\n",
    "empty": b"",
    "blank": b" \n\n",
    "null-line": b'{"statusLine": null, "a": 1}',
    "escaped-key": b'{"\\u0061": 1, "z": 1e400, "big": 123456789012345678901234567890}',
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_install_adds_our_key_and_uninstall_gives_the_bytes_back(path: Path, layout: str) -> None:
    before = LAYOUTS[layout]
    path.write_bytes(before)
    change = install(path)
    after = path.read_bytes()
    assert change.what == "installed"
    assert json.loads(after.decode("utf-8-sig"))["statusLine"] == OURS
    assert others(path.parent) == ["settings.json.before-ccusage"]
    assert Path(change.backup or "").read_bytes() == before
    assert rest_of(after) == rest_of(before)
    assert (b"\r\n" in before) == (b"\r\n" in after)
    assert after.count(b"\n") == after.count(b"\r\n") or b"\r\n" not in before
    change = uninstall(path)
    assert (change.what, change.backup) == ("restored", None)
    assert path.read_bytes() == before
    assert others(path.parent) == []


def rest_of(data: bytes) -> Any:
    found = json.loads(data.decode("utf-8-sig")) if data.strip() else {}
    found.pop("statusLine", None)
    return found


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (
            "two-spaces",
            '  },\n  "statusLine": {\n    "type": "command",\n    "command": "/opt/own/ccusage statusline"\n  }\n}\n',
        ),
        (
            "tabs",
            '"1"},\n\t"statusLine": {\n\t\t"type": "command",\n\t\t"command": "/opt/own/ccusage statusline"\n\t}\n}\n',
        ),
        ("one-line", ', "statusLine": {"type": "command", "command": "/opt/own/ccusage statusline"}}\n'),
        ("compact", ',"statusLine":{"type":"command","command":"/opt/own/ccusage statusline"}}'),
    ],
)
def test_our_key_is_written_as_its_neighbours_are(path: Path, layout: str, expected: str) -> None:
    path.write_bytes(LAYOUTS[layout])
    install(path)
    assert path.read_text(encoding="utf-8").endswith(expected)


@pytest.mark.parametrize("indent", [None, 2])
def test_half_a_surrogate_pair_beside_our_command_stays_an_escape(path: Path, indent: int | None) -> None:
    path.write_text(json.dumps({"statusLine": {**OURS, "x": ["\ud800", "\U0001f44d"]}}, indent=indent))
    assert install(path, padding=1).what == "updated"
    assert json.loads(path.read_bytes().decode()) == {
        "statusLine": {**OURS, "x": ["\ud800", "\U0001f44d"], "padding": 1}
    }


def test_a_value_that_cannot_be_written_again_is_only_removed(path: Path) -> None:
    before = json.dumps({"statusLine": {**OURS, "padding": 9}, "a": 1}).replace("9", "1e999")
    path.write_text(before)
    with pytest.raises(UserError, match="a value that can't be written back"):
        install(path, refresh_interval=5)
    assert path.read_text() == before
    assert uninstall(path).what == "removed"
    assert json.loads(path.read_text()) == {"a": 1}


def test_a_command_that_is_no_text_is_not_installed(path: Path) -> None:
    with pytest.raises(UserError, match="is not valid UTF-8"):
        settings.install(str(path), f"{COMMAND} --format '\udce9'")
    assert not path.exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bytes_outside_our_key_stay_when_something_else_has_changed(path: Path, layout: str) -> None:
    path.write_bytes(LAYOUTS[layout])
    install(path)
    text = path.read_bytes()
    edited = text.replace(b"{", b'{"edited": 1,', 1)
    path.write_bytes(edited)
    change = uninstall(path)
    assert change.what == "removed"
    after = path.read_bytes()
    kept = (LAYOUTS[layout] if LAYOUTS[layout].strip() else b"{}").replace(b"{", b'{"edited": 1,', 1)
    if layout == "null-line":
        assert rest_of(after) == {"a": 1, "edited": 1}
        assert b"statusLine" not in after
    elif rest_of(LAYOUTS[layout]):
        assert after == kept
    else:
        assert json.loads(after) == {"edited": 1}
    assert others(path.parent) == ["settings.json.before-ccusage"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_our_key_goes_wherever_it_stands(path: Path, place: int) -> None:
    members = ['"a": 1', '"b": 2']
    members.insert(place, f'"statusLine": {json.dumps(OURS)}')
    path.write_text("{\n  " + ",\n  ".join(members) + "\n}\n")
    assert uninstall(path).what == "removed"
    assert path.read_text() == '{\n  "a": 1,\n  "b": 2\n}\n'


def test_an_absent_file_is_made_and_goes_again(path: Path) -> None:
    path.parent.rmdir()
    change = install(path, padding=0, refresh_interval=10)
    assert (change.what, change.backup) == ("installed", None)
    assert (
        path.read_text() == json.dumps({"statusLine": {**OURS, "padding": 0, "refreshInterval": 10}}, indent=2) + "\n"
    )
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert uninstall(path).what == "deleted"
    assert not path.exists()
    assert uninstall(path).what == "absent"
    assert not path.exists()


def test_installing_twice_changes_nothing_more(path: Path) -> None:
    path.write_bytes(LAYOUTS["two-spaces"])
    install(path)
    once = path.read_bytes(), path.stat().st_mtime_ns
    change = install(path)
    assert (change.what, change.diff) == ("unchanged", "")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == once
    install(path, padding=2)
    assert uninstall(path).what == "restored"
    assert path.read_bytes() == LAYOUTS["two-spaces"]


def test_an_update_keeps_what_the_user_has_set_of_ours(path: Path) -> None:
    own = {
        "type": "command",
        "hideVimModeIndicator": True,
        "command": "/opt/own/ccusage statusline -B text",
        "padding": 2,
    }
    path.write_text(json.dumps({"statusLine": own, "a": 1}, indent=2))
    change = install(path, refresh_interval=5)
    assert change.what == "updated"
    assert json.loads(path.read_text()) == {"statusLine": {**own, "command": COMMAND, "refreshInterval": 5}, "a": 1}
    install(path, refresh_interval=0)
    assert "refreshInterval" not in json.loads(path.read_text())["statusLine"]


@pytest.mark.parametrize(
    "theirs",
    [
        THEIRS,
        {"type": "command", "command": "/bin/echo statusline"},
        {"type": "command", "command": "/opt/own/ccusage session"},
        {"type": "command", "command": 'unbalanced "quote'},
        {"type": "command", "command": ["ccusage", "statusline"]},
        {"type": "command"},
        {},
        "ccusage statusline",
        7,
        [],
        False,
    ],
)
def test_a_foreign_line_stays_unless_forced(path: Path, theirs: object) -> None:
    before = json.dumps({"statusLine": theirs, "x": 1}, indent=2).encode()
    path.write_bytes(before)
    with pytest.raises(UserError, match="another statusLine; --force"):
        install(path)
    assert uninstall(path).what == "absent"
    assert (path.read_bytes(), others(path.parent)) == (before, [])
    change = install(path, force=True)
    assert change.what == "installed"
    assert json.loads(path.read_bytes()) == {"statusLine": OURS, "x": 1}
    assert uninstall(path).what == "restored"
    assert path.read_bytes() == before


def test_a_launcher_of_ours_elsewhere_is_known_by_what_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = tmp_path / "bin" / "ccusage"
    launcher.parent.mkdir()
    launcher.write_text("#!/usr/bin/python3\nfrom ccusage_line.__main__ import main\n")
    launcher.chmod(0o755)
    assert entry.is_ours({"command": f"{launcher} statusline"})
    monkeypatch.setenv("PATH", str(launcher.parent))
    assert entry.is_ours({"command": "ccusage statusline"})
    launcher.write_text("#!/usr/bin/env node\nrequire('ccusage')\n")
    assert not entry.is_ours({"command": f"{launcher} statusline"})
    assert not entry.is_ours({"command": "ccusage statusline"})


@pytest.mark.parametrize("layout", ["two-spaces", "empty", "crlf"])
def test_a_rehearsal_shows_the_difference_and_writes_nothing(path: Path, layout: str) -> None:
    before = LAYOUTS[layout]
    path.write_bytes(before)
    change = install(path, dry_run=True, lock=str(path.parent / "state" / "lock"))
    assert change.what == "installed"
    added = [line for line in change.diff.splitlines() if line.startswith("+")]
    assert any(COMMAND in line for line in added)
    assert change.diff.startswith(f"--- {path}\n+++ {path}\n@@ ")
    assert (path.read_bytes(), others(path.parent)) == (before, [])
    install(path)
    installed = path.read_bytes()
    change = uninstall(path, dry_run=True)
    assert (change.what, path.read_bytes()) == ("restored", installed)
    removed = [line for line in change.diff.splitlines() if line.startswith("-")]
    assert any(COMMAND in line for line in removed)


def test_a_rehearsal_of_a_new_file_says_so(path: Path) -> None:
    change = install(path, dry_run=True)
    assert change.diff.startswith(f"--- {os.devnull}\n+++ {path}\n")
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b'{\n  // mine\n  "a": 1\n}', "has comments", id="line-comment"),
        pytest.param(b'{"a": 1 /* mine */}', "has comments", id="block-comment"),
        pytest.param(b'{"a": 1,}', "not valid JSON", id="trailing-comma"),
        pytest.param(b'{"a": "http://x",,}', "not valid JSON", id="invalid-with-an-address"),
        pytest.param(b'{"a": 1', "not valid JSON", id="cut"),
        pytest.param(b'{"a": NaN}', "not valid JSON", id="nan"),
        pytest.param(b'{"a": 1}{"b": 2}', "not valid JSON", id="two-objects"),
        pytest.param(b"[" * 100_000, "not valid JSON", id="deep"),
        pytest.param(b"[1]", "holds no JSON object", id="list"),
        pytest.param(b'"text"', "holds no JSON object", id="text"),
        pytest.param(b'{"a": "\xff"}', "not UTF-8", id="latin-1"),
        pytest.param(b'{"statusLine": 1, "statusLine": 2}', "twice", id="twice"),
    ],
)
def test_settings_that_cannot_be_edited_safely_are_refused_and_untouched(
    path: Path, content: bytes, reason: str
) -> None:
    path.write_bytes(content)
    for act in (install, uninstall):
        with pytest.raises(UserError, match=reason):
            act(path)
        with pytest.raises(UserError, match=reason):
            act(path, dry_run=True)
    assert (path.read_bytes(), others(path.parent)) == (content, [])


@pytest.mark.skipif(os.name != "posix", reason="modes need a POSIX file system")
def test_a_read_only_file_is_refused_even_to_root(path: Path) -> None:
    path.write_bytes(b"{}")
    path.chmod(0o444)
    with pytest.raises(UserError, match="read-only"):
        install(path)
    assert (path.read_bytes(), others(path.parent)) == (b"{}", [])
    path.chmod(0o644)
    path.write_text(json.dumps({"statusLine": OURS}))
    path.chmod(0o444)
    with pytest.raises(UserError, match="read-only"):
        uninstall(path)
    assert json.loads(path.read_text()) == {"statusLine": OURS}


def test_a_folder_that_can_not_be_written_is_a_reason(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"{}")

    def refuse(**_: object) -> None:  # because root, who may run these tests, can write a file of any mode
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(settings.tempfile, "mkstemp", refuse)
    with pytest.raises(UserError, match="can't be written: Permission denied"):
        install(path)
    assert (path.read_bytes(), others(path.parent)) == (b"{}", [])


def test_a_full_disk_leaves_the_file_and_no_rest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"{}")

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(settings.os, "fsync", refuse)
    with pytest.raises(UserError, match="can't be written: No space left"):
        install(path)
    assert (path.read_bytes(), others(path.parent)) == (b"{}", [])


def test_a_folder_that_is_a_file_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "claude").write_text("not a folder")
    with pytest.raises(UserError, match=r"can't be (read|written)"):
        install(tmp_path / "claude" / "settings.json")
    assert (tmp_path / "claude").read_text() == "not a folder"


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file_is_refused(path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
    elif hasattr(os, "mkfifo"):
        os.mkfifo(path)
    else:
        pytest.skip("no FIFOs here")
    for act in (install, uninstall):
        with pytest.raises(UserError, match="is not a file"):
            act(path)
    assert others(path.parent) == []


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
@pytest.mark.parametrize("content", [b'{\n  "a": 1\n}\n', None], ids=["there", "dangling"])
def test_a_links_target_is_written_and_the_link_stays(path: Path, tmp_path: Path, content: bytes | None) -> None:
    target = tmp_path / "dotfiles" / "claude.json"
    target.parent.mkdir()
    if content is not None:
        target.write_bytes(content)
    path.symlink_to(target)
    change = install(path)
    assert change.path == str(target)
    assert path.is_symlink()
    assert json.loads(target.read_bytes())["statusLine"] == OURS
    assert others(path.parent) == []
    uninstall(path)
    assert path.is_symlink()
    assert (target.read_bytes() if target.exists() else None) == content


@pytest.mark.skipif(os.name != "posix", reason="modes need a POSIX file system")
def test_the_files_mode_stays(path: Path) -> None:
    path.write_bytes(b"{}")
    path.chmod(0o640)
    change = install(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(os.stat(change.backup or "").st_mode) == 0o640


@pytest.mark.parametrize("act", [install, uninstall])
def test_a_change_by_somebody_else_in_between_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    path.write_bytes(b'{"a": 1}' if act is install else json.dumps({"b": 1, "statusLine": OURS}).encode())
    changed = b'{"a": 2, "much": "newer"}'

    def meanwhile(*_: object) -> str:
        path.write_bytes(changed)
        return ""

    monkeypatch.setattr(settings, "_diff", meanwhile)  # runs between reading and writing
    with pytest.raises(UserError, match="changed by another program"):
        act(path)
    assert path.read_bytes() == changed
    assert [name for name in others(path.parent) if not name.endswith(".before-ccusage")] == []


def test_a_file_that_appears_in_between_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_diff", lambda *_: path.write_bytes(b'{"a": 2}') and "")
    with pytest.raises(UserError, match="changed by another program"):
        install(path)
    assert path.read_bytes() == b'{"a": 2}'


def test_many_installs_at_once_leave_one_key_and_one_backup(path: Path, tmp_path: Path) -> None:
    path.write_bytes(LAYOUTS["two-spaces"])
    lock = str(tmp_path / "state" / "settings.lock")
    done: list[str] = []
    threads = [threading.Thread(target=lambda: done.append(install(path, lock=lock).what)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["installed", *["unchanged"] * 7]
    assert uninstall(path, lock=lock).what == "restored"
    assert path.read_bytes() == LAYOUTS["two-spaces"]


def test_somebody_elses_lock_is_not_waited_for_without_end(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr(settings, "LOCK_PATIENCE", 0.05)
    lock = tmp_path / "settings.lock"
    with FileLock(str(lock)), pytest.raises(UserError, match="another ccusage"):
        install(path, lock=str(lock))
    assert not path.exists()


def test_an_old_backup_of_a_vanished_file_is_not_thrown_away(path: Path) -> None:
    path.write_bytes(LAYOUTS["two-spaces"])
    install(path)
    path.unlink()
    install(path)
    assert Path(f"{path}.before-ccusage").read_bytes() == LAYOUTS["two-spaces"]
    assert uninstall(path).what == "removed"
    assert json.loads(path.read_text()) == {}


SPACE = st.text(" \t\r\n", max_size=3)
NAMES = st.text(max_size=4).filter(lambda name: name != "statusLine")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def settings_texts(draw: st.DrawFn) -> str:
    """Return a JSON object in any layout."""
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    members = [
        f"{draw(SPACE)}{json.dumps(name)}{draw(SPACE)}:{draw(SPACE)}"
        f"{json.dumps(draw(JSON), ensure_ascii=draw(st.booleans()))}{draw(SPACE)}"
        for name in names
    ]
    return f"{draw(SPACE)}{{{','.join(members) or draw(SPACE)}}}{draw(SPACE)}"


@given(text=settings_texts(), force=st.booleans())
def test_install_and_uninstall_preserve_any_layout(text: str, force: bool, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    data = text.encode("utf-8", "replace")
    path.write_bytes(data)
    install(path, force=force)
    assert json.loads(path.read_bytes())["statusLine"] == OURS
    assert rest_of(path.read_bytes()) == rest_of(data)
    (tmp_path / "settings.json.before-ccusage").unlink()
    change = uninstall(path)
    assert change.what in ("removed", "deleted")
    if change.what == "removed":
        assert rest_of(path.read_bytes()) == rest_of(data)
        assert path.read_bytes() == data or not rest_of(data)
    path.write_bytes(data)
    install(path)
    assert uninstall(path).what == "restored"
    assert path.read_bytes() == data


# --- places ------------------------------------------------------------------------------------------------------


def test_the_settings_are_those_of_the_user_or_of_the_configured_folder(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert settings.settings_path(home) == str(tmp_path / ".claude" / "settings.json")
    assert settings.settings_path({**home, "CLAUDE_CONFIG_DIR": "~/c"}) == str(tmp_path / "c" / "settings.json")
    assert settings.settings_path({**home, "CLAUDE_CONFIG_DIR": "/a,/b"}) == "/a/settings.json"
    assert settings.settings_path({**home, "CLAUDE_CONFIG_DIR": "/a/projects"}) == "/a/settings.json"


def test_the_command_is_our_own_path_quoted_for_a_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    launcher = tmp_path / "some where" / "ccusage"
    launcher.parent.mkdir()
    launcher.write_text("#!/bin/sh\n")
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(launcher)])
    assert entry.command() == f"'{launcher}' statusline"
    assert entry.command("--mode display") == f"'{launcher}' statusline --mode display"
    monkeypatch.chdir(launcher.parent)
    monkeypatch.setattr(sys, "argv", ["./ccusage"])
    assert entry.command() == f"'{launcher}' statusline"
    monkeypatch.setenv("PATH", str(launcher.parent))
    monkeypatch.setattr(sys, "argv", ["ccusage"])
    assert entry.command() == f"'{launcher}' statusline"


def test_without_a_launcher_the_interpreter_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py")])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert entry.command() == f"{tmp_path / 'python'} -I {Path(entry.__file__).parents[1]} statusline"
    (tmp_path / "ccusage").write_text("#!/bin/sh\n# not ccusage-line's\n")
    assert " -I " in entry.command()
    (tmp_path / "ccusage").write_text("from ccusage_line.__main__ import main\n")
    assert entry.command() == f"{tmp_path / 'ccusage'} statusline"


def test_run_as_a_module_the_command_on_path_is_named_if_it_is_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py")])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    launcher = tmp_path / "bin" / "ccusage"
    launcher.parent.mkdir()
    launcher.write_text("#!/usr/bin/python3\nfrom ccusage_line.__main__ import main\n")
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(launcher.parent))
    assert entry.executable() == str(launcher)
    launcher.write_text("#!/usr/bin/env node\n")
    with pytest.raises(UserError, match="no command `ccusage`"):
        entry.executable()


def test_windows_paths_get_slashes() -> None:
    assert entry.as_word("C:\\Program Files\\ccusage.exe", windows=True) == "'C:/Program Files/ccusage.exe'"
    assert entry.as_word("C:\\bin\\ccusage.exe", windows=True) == "C:/bin/ccusage.exe"


@pytest.mark.parametrize("variables", ["", "CCUSAGE_STATE_DIR=/x ", "A=\"$HOME/a b\"  B='c d' ", " CCUSAGE_OFFLINE= "])
@pytest.mark.parametrize("program", ["/gone/ccusage", "python3 -m ccusage_line", "'/a b/python' -I /gone/ccusage_line"])
@pytest.mark.parametrize("format", ["'> \\ #'", '"> \\\\ #"', "\\>' '\\\\\\ \\#\n"])
def test_variables_and_options_are_kept_however_they_are_quoted(variables: str, program: str, format: str) -> None:
    value = {"command": f"{variables}{program} statusline --format {format}"}
    assert entry.is_ours(value)
    assert entry.reusable_parts(value) == (variables, ["--format", "> \\ #"])


@pytest.mark.parametrize(
    "command",
    [
        "statusline --preset plan; true",
        "statusline --preset plan|cat",
        "statusline --preset plan 2>&1",
        "statusline\necho more",
        'statusline --format "$FORMAT"',
        'statusline --format "\\$"',
        "statusline --format `cat format`",
        "--config c.toml statusline",
    ],
)
def test_a_command_that_does_more_is_not_taken_apart(command: str) -> None:
    value = {"command": f"/gone/ccusage {command}"}
    assert entry.is_ours(value)
    assert entry.reusable_parts(value) is None
