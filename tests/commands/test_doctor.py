"""The doctor: it finds nothing on a healthy machine, and every provoked problem with its remedy."""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccusage_line import cli, doctor
from ccusage_line.config import load
from ccusage_line.doctor import CHECKS, Finding, as_json, as_text, findings, is_healthy
from ccusage_line.index.index import Index
from ccusage_line.paths import data_dirs, index_dir
from ccusage_line.prices import embedded, stored
from conftest import ROOT

LAUNCHER = "#!/usr/bin/env python3\nimport sys\nfrom ccusage_line.__main__ import main\nsys.exit(main())\n"
OLD_LAUNCHER = (
    "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom ccusage_line.__main__ import main\n"
)
FOREIGN = "#!/usr/bin/env node\nrequire('./cli')\n"


class Machine:
    """A user's machine without problems, until a test changes something."""

    def __init__(self, path: Path) -> None:
        self.home = path / "home"
        self.claude = self.home / ".claude"
        self.project = path / "work"
        self.state = path / "state"
        self.bin = path / "bin"
        self.other_bin = path / "npm"
        self.managed = path / "managed-settings.json"
        self.state.mkdir(mode=0o700)
        for folder in (self.claude / "projects" / "-work", self.project / ".claude", self.bin, self.other_bin):
            folder.mkdir(parents=True)
        self.env = {
            "HOME": str(self.home),
            "PATH": str(self.bin),
            "SHELL": "/bin/bash",
            "CCUSAGE_STATE_DIR": str(self.state),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "CCUSAGE_MANAGED_SETTINGS": str(self.managed),
        }
        self.ours = self.program(self.bin / "ccusage", LAUNCHER)
        self.user = self.claude / "settings.json"
        line = {"type": "command", "command": f"{self.ours} statusline", "refreshInterval": 5}
        self.settings(self.user, statusLine=line)
        self.transcript("s-one.jsonl", model="claude-opus-5")

    def program(self, path: Path, text: str) -> Path:
        path.write_text(text)
        path.chmod(0o755)
        return path

    def settings(self, path: Path, **values: Any) -> None:
        path.write_text(json.dumps(values))

    def transcript(self, name: str, model: str, more: str = "") -> Path:
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": name, "model": model, "stop_reason": "end_turn", "usage": usage}
        line = {"type": "assistant", "timestamp": "2026-11-01T00:00:00Z", "message": message}
        path = self.claude / "projects" / "-work" / name
        path.write_text(json.dumps(line) + "\n" + more)
        return path

    def refresh(self) -> None:
        index = Index(index_dir(self.env), data_dirs(self.env))
        index.refresh()
        index.close()

    @property
    def database(self) -> Path:
        return Path(index_dir(self.env), "index.db")

    def wrong(self) -> list[Finding]:
        return [finding for finding in findings(self.env) if not finding.ok]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    for name in list(os.environ):
        if name.startswith(("CCUSAGE_", "CLAUDE_", "XDG_")):
            monkeypatch.delenv(name)
    for name, value in machine.env.items():
        if name != "PATH":
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(machine.project)
    machine.refresh()
    return machine


def test_on_a_healthy_machine_there_is_one_line(machine: Machine) -> None:
    (machine.state / "prompt").mkdir(mode=0o700, exist_ok=True)
    (machine.state / "prompt" / "pwd.1234").write_text("")  # made by bash, with its umask
    found = findings(machine.env)
    assert [(f.name, f.text, f.command) for f in found if not f.ok or f.command] == []
    assert as_text(found, 80) == f"{len(CHECKS)} checks, no problems\n"
    assert is_healthy(found)
    assert json.loads(as_json(found))["ok"] is True


# --- ailments ---


def no_data_directory(m: Machine) -> None:
    m.claude.rename(m.home / "gone")


def config_dir_that_is_none(m: Machine) -> None:
    m.env["CLAUDE_CONFIG_DIR"] = f"{m.claude},{m.home / 'nowhere'}"


def transcript_that_is_a_fifo(m: Machine) -> None:
    os.mkfifo(m.claude / "projects" / "-work" / "x.jsonl")


def history_off(m: Machine) -> None:
    m.env["CLAUDE_CODE_SKIP_PROMPT_HISTORY"] = "1"


def state_is_a_file(m: Machine) -> None:
    m.state.rename(m.state.with_name("old"))
    m.state.write_text("")


def state_below_a_file(m: Machine) -> None:
    (m.home / "file").write_text("")
    m.env["CCUSAGE_STATE_DIR"] = str(m.home / "file" / "state")


def state_open_to_others(m: Machine) -> None:
    m.state.chmod(0o775)


def index_open_to_others(m: Machine) -> None:
    m.database.chmod(0o644)


def index_set_aside(m: Machine) -> None:
    m.database.with_name("index.db.corrupt-1").write_bytes(b"x")


def index_is_no_database(m: Machine) -> None:
    m.database.write_bytes(b"something else altogether" * 200)


def index_from_the_future(m: Machine) -> None:
    database = sqlite3.connect(m.database)
    database.execute("PRAGMA user_version = 99")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def index_damaged(m: Machine) -> None:
    for number in range(400):
        m.transcript(f"s-{number}.jsonl", model="claude-opus-5")
    m.refresh()
    database = sqlite3.connect(m.database)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    data = bytearray(m.database.read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 + 4 : page * 4096 + 40] = b"\xff" * 36
    m.database.write_bytes(data)


def bad_lines(m: Machine) -> None:
    m.transcript("s-two.jsonl", "claude-opus-5", '{"message": {"usage": broken\n')
    m.refresh()


def unpriced_model(m: Machine) -> None:
    m.transcript("s-two.jsonl", "claude-unheard-of-9")
    m.refresh()


def price_table_spoilt(m: Machine) -> None:
    path = Path(stored.Refreshed.path(str(m.state)))
    path.touch(0o600)
    path.write_bytes(b"spoilt")


def prices_old(m: Machine) -> None:
    long_ago = int(time.time()) - 40 * 86400
    current = dict(embedded.CURRENT)
    table = stored.Refreshed(current, "01234567", embedded.CURRENT_ID, "a list", long_ago, len(current))
    table.save(str(m.state))


def config_wrong(m: Machine) -> None:
    path = m.home / ".config" / "ccusage-line" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[session]\nordr = 'asc'\n")


def config_missing(m: Machine) -> None:
    m.env["CCUSAGE_CONFIG"] = str(m.home / "no.toml")


def settings_with_comments(m: Machine) -> None:
    m.user.write_text('{\n  // mine\n  "statusLine": {}\n}')


def settings_a_list(m: Machine) -> None:
    (m.project / ".claude" / "settings.json").write_text("[]")


def settings_a_folder(m: Machine) -> None:
    (m.project / ".claude" / "settings.local.json").mkdir()


def statusline_no_command(m: Machine) -> None:
    m.settings(m.user, statusLine={"type": "static", "text": "hi"})


def statusline_shadowed_by_the_project(m: Machine) -> None:
    m.settings(m.project / ".claude" / "settings.json", statusLine={"type": "command", "command": "echo hi"})


def statusline_shadowed_by_local_settings(m: Machine) -> None:
    m.settings(m.project / ".claude" / "settings.local.json", statusLine={"type": "command", "command": "x"})


def statusline_shadowed_by_the_organisation(m: Machine) -> None:
    m.settings(m.managed, statusLine={"type": "command", "command": "corporate-line"})


def statusline_program_gone(m: Machine) -> None:
    m.settings(m.user, statusLine={"type": "command", "command": f"{m.home}/old-venv/bin/ccusage statusline"})


def statusline_program_of_another_name_space(m: Machine) -> None:
    m.program(m.other_bin / "ccusage", FOREIGN)
    m.env["PATH"] = f"{m.other_bin}{os.pathsep}{m.bin}"
    m.settings(m.user, statusLine={"type": "command", "command": "ccusage statusline"})


def refresh_interval_of_nothing(m: Machine) -> None:
    line = {"type": "command", "command": f"{m.ours} statusline", "refreshInterval": 0}
    m.settings(m.user, statusLine=line)


def hooks_disabled(m: Machine) -> None:
    m.settings(m.project / ".claude" / "settings.local.json", disableAllHooks=True)


def hooks_of_the_organisation_only(m: Machine) -> None:
    m.settings(m.managed, allowManagedHooksOnly=True)


def folder_without_trust(m: Machine) -> None:
    projects = {str(m.project): {"hasTrustDialogAccepted": False}}
    m.settings(m.home / ".claude.json", projects=projects)


def another_first_on_path(m: Machine) -> None:
    m.program(m.other_bin / "ccusage", FOREIGN)
    m.env["PATH"] = f"{m.other_bin}{os.pathsep}{m.bin}"


def only_another_on_path(m: Machine) -> None:
    m.program(m.other_bin / "ccusage", FOREIGN)
    m.env["PATH"] = str(m.other_bin)


def old_launcher(m: Machine) -> None:
    m.program(m.bin / "ccusage", OLD_LAUNCHER)


def hook_lost(m: Machine) -> None:
    (m.home / ".bashrc").write_text('# mine\neval "$(ccusage init bash)"\n')


def completion_missing(m: Machine) -> None:
    m.env["CCUSAGE_SHELL"] = "zsh uncompleted"


def statusline_log_has_entries(m: Machine) -> None:
    log = m.state / "statusline.log"
    log.touch(0o600)
    log.write_text("2026-11-23T10:00:00Z context_window: not an object\n")


def rates_that_cannot_be_meant(m: Machine) -> None:
    m.settings(m.managed, modelPricing={"multiplier": 11})


def policy_that_is_a_fifo(m: Machine) -> None:
    os.mkfifo(m.managed)


def part_of_a_policy_broken(m: Machine) -> None:
    parts = m.managed.with_suffix(".d")
    parts.mkdir()
    (parts / "10.json").write_text("{")


def statusline_shadowed_by_a_part_of_the_policy(m: Machine) -> None:
    parts = m.managed.with_suffix(".d")
    parts.mkdir()
    m.settings(parts / "10.json", statusLine={"type": "command", "command": "corporate-line"})


AILMENTS: list[tuple[Callable[[Machine], None], str, str, str]] = [
    (no_data_directory, "data-directories", "no folder with transcripts", "claude"),
    (config_dir_that_is_none, "data-directories", "nowhere, which is not a folder", "unset CLAUDE_CONFIG_DIR"),
    (transcript_that_is_a_fifo, "transcripts", "x.jsonl (", "ls -ld "),
    (history_off, "history-off", "writes no transcript", "unset"),
    (state_is_a_file, "state-directory", "is not a folder", "mv "),
    (state_below_a_file, "state-directory", "can't create", "CCUSAGE_STATE_DIR"),
    (state_open_to_others, "state-directory", "other users can write", "CCUSAGE_STATE_DIR"),
    (index_open_to_others, "state-directory", "index.db", "chmod go= "),
    (index_set_aside, "index", "a corrupt index was set aside", "index verify"),
    (index_is_no_database, "index", "is not a database", "index rebuild"),
    (index_from_the_future, "index", "newer version", " -m pip install -U "),
    (index_damaged, "index", "is damaged", "index rebuild"),
    (bad_lines, "bad-lines", "1 line with usage can't be parsed", "not counted"),
    (unpriced_model, "unpriced-models", "claude-unheard-of-9", "prices refresh"),
    (price_table_spoilt, "price-table", "is damaged: the built-in prices", "prices refresh"),
    (prices_old, "price-table", "40 days old", "prices refresh"),
    (config_wrong, "config", "config.toml:2: unknown key", "config.toml: correct the line"),
    (config_missing, "config", "no.toml can't be read: no such file", "unset CCUSAGE_CONFIG"),
    (rates_that_cannot_be_meant, "contracted-rates", "multiplier = 11", "administrator"),
    (policy_that_is_a_fifo, "settings", "managed-settings.json can't be read: not a regular file", "administrator"),
    (part_of_a_policy_broken, "settings", "managed-settings.d/10.json is not valid JSON", "administrator"),
    (statusline_shadowed_by_a_part_of_the_policy, "statusline", "overrides ours", "administrator"),
    (settings_with_comments, "settings", "is not valid JSON (line 2)", "settings.json: correct it"),
    (settings_a_list, "settings", "holds no JSON object", "correct it"),
    (settings_a_folder, "settings", "can't be read", "correct it"),
    (statusline_no_command, "statusline", "is not a command", "install --force"),
    (statusline_shadowed_by_the_project, "statusline", "overrides ours", "settings.json: remove it"),
    (
        statusline_shadowed_by_local_settings,
        "statusline",
        "settings.local.json overrides ours",
        "settings.local.json: remove it",
    ),
    (statusline_shadowed_by_the_organisation, "statusline", "managed-settings.json overrides ours", "administrator"),
    (statusline_program_gone, "statusline", "old-venv/bin/ccusage, which does not exist", "ccusage install"),
    (statusline_program_of_another_name_space, "statusline", "another program of that name", "ccusage install"),
    (refresh_interval_of_nothing, "statusline", "refreshInterval", "--refresh-interval 5"),
    (hooks_disabled, "hooks", "disableAllHooks", "remove it"),
    (hooks_of_the_organisation_only, "hooks", "allowManagedHooksOnly", "administrator"),
    (folder_without_trust, "trust", "is not trusted", "&& claude: start"),
    (another_first_on_path, "path", "is on PATH before", "export PATH="),
    (only_another_on_path, "path", "is another program", "export PATH="),
    (old_launcher, "old-launcher", "is an old launcher", "--force-reinstall --no-deps"),
    (hook_lost, "shell-hook", ".bashrc has `ccusage init`", "exec bash"),
    (completion_missing, "completion", "not registered in this zsh", "compinit"),
    (statusline_log_has_entries, "statusline-log", "context_window: not an object", "statusline.log"),
]


ADVICE = (old_launcher, completion_missing)


def parses(command: str) -> bool:
    """Return whether a command can be pasted: bash parses it, and our own parser accepts our commands in it."""
    for part in command.split(" && "):
        if part.startswith("ccusage "):
            argv = shlex.split(part)[1:]
            assert cli._parser(argv[0]).parse_known_args(argv)[1] == [], part
    return subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0


@pytest.mark.parametrize(
    ("provoke", "name", "text", "way"), [pytest.param(*row, id=row[0].__name__) for row in AILMENTS]
)
def test_a_problem_is_found_with_its_remedy(
    machine: Machine, provoke: Callable[[Machine], None], name: str, text: str, way: str
) -> None:
    provoke(machine)
    everything = findings(machine.env)
    ok = provoke in ADVICE
    found = [finding for finding in everything if finding.name == name and finding.ok == ok and finding.text]
    assert len(found) == 1, [(f.name, f.text) for f in everything if not f.ok]
    assert is_healthy(everything) == ok
    assert text in found[0].text
    assert way in f"{found[0].command}: {found[0].remedy}"
    assert all(
        finding.command or doctor._ASK_ADMINISTRATOR in finding.remedy for finding in everything if not finding.ok
    )
    assert all(parses(finding.command) for finding in everything)
    shown = as_text(everything, 1000).splitlines()
    (line,) = [at for at, line in enumerate(shown) if re.match(f"{'!' if ok else '✗'} {name} +[^ ].*", line)]
    assert [line.strip() for line in shown[line + 1 :]][-2 if found[0].command else -1 :]
    assert shown[-1].endswith(f"{len(CHECKS)} checks, no problems" if ok else f" in {len(CHECKS)} checks")
    data = json.loads(as_json(everything))
    assert data["ok"] is ok
    assert found[0]._asdict() in data["findings"]


@pytest.mark.parametrize("width", [20, 59, 60, 80, 160])
def test_findings_stand_in_columns_and_are_never_wider_than_the_screen_but_for_a_command(
    machine: Machine, width: int
) -> None:
    for provoke in (index_is_no_database, unpriced_model, statusline_shadowed_by_the_project, old_launcher, hook_lost):
        provoke(machine)
    found = findings(machine.env)
    lines = as_text(found, width).splitlines()
    commands = {f.command for f in found}
    assert {line.strip() for line in lines} >= commands - {""}
    assert max(len(line) for line in lines if line.strip() not in commands) <= width
    if width >= 60:
        column = max(len(f.name) for f in found if f.text) + 4
        assert {len(line) - len(line.lstrip()) for line in lines[:-1]} == {0, column, column + 2}
    colored = as_text(found, width, color=True)
    assert re.sub("\x1b\\[[0-9]*m", "", colored).splitlines() == lines
    assert {"\x1b[31m✗", "\x1b[33m!"} <= {line[:6] for line in colored.splitlines()}


def test_a_problem_causes_no_other_finding(machine: Machine) -> None:
    """A problem that affects nothing else is the only new finding."""
    for provoke in (history_off, hooks_disabled, hook_lost):
        before = {f.name for f in machine.wrong()}
        provoke(machine)
        assert len({f.name for f in machine.wrong()} - before) == 1, provoke.__name__


@pytest.mark.parametrize(
    ("mark", "ways"),
    [
        ("uv-receipt.toml", ("uv tool update-shell", "uv tool upgrade ccusage-line --reinstall")),
        ("pipx_metadata.json", ("pipx ensurepath", "pipx upgrade-shared && pipx reinstall ccusage-line")),
    ],
)
def test_remedies_use_the_tool_that_installed_the_package(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, ways: tuple[str, str]
) -> None:
    (tmp_path / "tool" / "bin").mkdir(parents=True)
    (tmp_path / "tool" / mark).touch()
    python = tmp_path / "tool" / "bin" / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    machine.program(machine.bin / "ccusage", OLD_LAUNCHER.replace("/usr/bin/env python3", str(python)))
    renew = advice(machine)["old-launcher"]
    machine.env["PATH"] = ""
    assert (advice(machine)["path"], renew) == ways


def test_every_check_is_provoked_by_a_test() -> None:
    known = {check.__name__.strip("_").replace("_", "-") for check in CHECKS}
    assert {name for _, name, _, _ in AILMENTS} == known - {"windows"}  # good to know, but no problem


def test_folders_without_permission_are_found(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """os.access is replaced, because it answers root, whom no permission stops, differently from everybody else."""
    closed = {str(machine.claude / "projects"), str(machine.state)}
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **how: path not in closed and real(path, mode, **how))
    found = {f.name: f.text for f in machine.wrong()}
    assert found.keys() == {"data-directories", "state-directory"}
    assert "is not readable" in found["data-directories"]
    assert "nothing can be stored" in found["state-directory"]


# --- what is well ---


def test_harmless_settings_are_no_problem(machine: Machine) -> None:
    machine.settings(machine.project / ".claude" / "settings.json", disableAllHooks=False, permissions={})
    machine.settings(machine.project / ".claude" / "settings.local.json", statusLine=None)
    projects = {
        str(machine.project): {"hasTrustDialogAccepted": False},
        str(machine.project.parent): {"hasTrustDialogAccepted": True},
    }
    machine.settings(machine.home / ".claude.json", projects=projects)
    machine.env["CCUSAGE_SHELL"] = "bash"
    (machine.home / ".bashrc").write_text('eval "$(ccusage init bash)"\n')
    (machine.home / ".zshrc").write_text('eval "$(ccusage init zsh)"\n')
    assert machine.wrong() == []


@pytest.mark.parametrize(
    "command",
    [
        "ccusage statusline",
        "NO_COLOR=1 ccusage statusline --cost-source both",
        f"{sys.executable} -m ccusage_line statusline",
    ],
)
def test_our_statusline_is_known_in_other_spellings(machine: Machine, command: str) -> None:
    machine.settings(machine.user, statusLine={"type": "command", "command": command, "refreshInterval": 5})
    assert [f for f in findings(machine.env) if f.name == "statusline" and (f.command or not f.ok)] == []


def test_a_statusline_without_a_refresh_interval_is_reported(machine: Machine) -> None:
    machine.settings(machine.user, statusLine={"type": "command", "command": "ccusage statusline"})
    (found,) = [f for f in findings(machine.env) if f.name == "statusline" and f.command]
    assert (found.ok, found.command) == (True, "ccusage install")
    assert "no refreshInterval" in found.text


def advice(machine: Machine) -> dict[str, str]:
    return {f.name: f.command for f in findings(machine.env) if f.ok and f.command}


def test_steps_not_done_yet_are_advice_and_no_problem(machine: Machine) -> None:
    machine.user.unlink()
    (machine.claude / "projects" / "-work" / "s-one.jsonl").unlink()
    machine.env["PATH"] = ""
    machine.env["CCUSAGE_STATE_DIR"] = str(machine.home / "new-state")
    found = advice(machine)
    assert found.keys() == {"statusline", "transcripts", "path", "index"}
    assert found["statusline"] == "ccusage install"
    assert machine.wrong() == []
    assert as_text(findings(machine.env), 80).splitlines()[-1] == f"{len(CHECKS)} checks, no problems"


def test_another_programs_statusline_is_advice(machine: Machine) -> None:
    machine.settings(machine.user, statusLine={"type": "command", "command": "starship-claude"})
    assert machine.wrong() == []
    assert "--force" in advice(machine)["statusline"]


def test_an_unfinished_first_index_is_advice(machine: Machine) -> None:
    database = sqlite3.connect(machine.database)
    database.execute("DELETE FROM meta WHERE key = 'complete'")
    database.commit()
    database.close()
    assert machine.wrong() == []
    assert advice(machine)["index"] == "ccusage session"


def test_a_model_that_has_got_a_price_is_no_problem(machine: Machine) -> None:
    unpriced_model(machine)
    path = machine.home / ".config" / "ccusage-line" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[prices.models."claude-unheard-of-9"]\ninput = 1\noutput = 2\n')
    load(machine.env)
    assert machine.wrong() == []


def test_old_prices_are_no_problem_if_the_network_is_off(machine: Machine) -> None:
    prices_old(machine)
    machine.env["CCUSAGE_OFFLINE"] = "1"
    assert machine.wrong() == []


def test_an_old_log_is_no_problem(machine: Machine) -> None:
    statusline_log_has_entries(machine)
    long_ago = time.time() - 30 * 86400
    os.utime(machine.state / "statusline.log", (long_ago, long_ago))
    assert machine.wrong() == []


def test_a_working_directory_that_is_gone_does_not_stop_the_doctor(machine: Machine, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert machine.wrong() == []


def test_a_check_that_fails_is_a_finding(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def _broken(environ: object) -> Any:
        raise RuntimeError("no idea")

    monkeypatch.setattr(doctor, "CHECKS", (_broken,))
    (found,) = findings(machine.env)
    assert (found.name, found.ok, found.text) == ("broken", False, "the check itself failed: RuntimeError: no idea")


def test_the_doctor_changes_nothing(machine: Machine, tmp_path: Path) -> None:
    def everything() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in tmp_path.rglob("*")
            if path.is_file() and not path.name.endswith(("-shm", "-wal"))
        }

    bad_lines(machine)
    before = everything()
    assert machine.wrong()
    assert everything() == before


def test_text_from_files_is_harmless_on_a_screen(machine: Machine) -> None:
    machine.transcript("s-two.jsonl", "evil\x1b[31m\nmodel")
    machine.refresh()
    text = as_text(findings(machine.env), 120)
    assert "evil" in text
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4


def test_the_doctor_works_without_the_packages_that_others_need(machine: Machine) -> None:
    code = """
import os, sys
from ccusage_line import doctor
found = doctor.findings(os.environ)
print(*[f.text for f in found if not f.ok])
print(*sorted({"httpx", "msgspec", "argcomplete"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**machine.env, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "\n\n")
