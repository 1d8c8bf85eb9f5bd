"""The checks of `ccusage doctor`: every reason for a blank line or a wrong number, and how to correct it.

It reads and never changes anything, without httpx and msgspec, because it has to work in a half broken installation.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .claude_code import statusline_entry as entry
from .errors import UnreadableIndex, UserError
from .files import read_part, read_regular
from .paths import DATABASE, LINES, LOG, NO_HOME, config_dirs, data_dirs, home_dir, index_dir, state_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Fields = tuple[bool, str, str, str]  # those of a Finding after its name

OLD_PRICES = 30 * 24 * 3600  # seconds since the price list was last fetched, unless fetching is off
RECENT = 7 * 24 * 3600  # seconds for which an entry of the statusline's log is reported
_FEW = 3  # how many files or models a text names
_FILES = (LINES, LOG, "config.bin", "managed.bin", "prices.bin", "prices-tries.json", "prices.lock", "settings.lock")
_MAX_BYTES = 16 << 20  # bytes of a shell's start file or of the log
_MIN_COLUMNS = 60  # columns from which on the names are beside the texts
_IN_MEMORY = "nothing can be stored between commands, so each of them is slow"
_ASK_ADMINISTRATOR = "ask your administrator"


class Finding(NamedTuple):
    """What one check found, and how to correct it: a command to paste into a shell, or an instruction, or both.

    `ok` with one of these is advice; `ok` with a text alone is information.
    """

    name: str
    ok: bool
    text: str
    command: str = ""
    remedy: str = ""

    @property
    def mark(self) -> str:
        """The sign: `✗` for a problem, `!` for advice, `✓` for information, "" if nothing was found."""
        if not self.ok:
            return "✗"
        return "!" if self.command or self.remedy else "✓" if self.text else ""


def findings(environ: Mapping[str, str]) -> list[Finding]:
    """Return what every check found, including those that found nothing. Never raises: a failed check is a finding."""
    results: list[Finding] = []
    for check in CHECKS:
        name = check.__name__.strip("_").replace("_", "-")
        try:
            new = [Finding(name, *fields) for fields in check(environ)]
        except UserError as error:  # about the environment, so that several checks may raise it
            problem = Finding(name, False, str(error), f"unset {str(error).split()[0]}", "correct it, or unset it")
            new = [] if problem.text in [finding.text for finding in results] else [problem]
        except Exception as error:
            new = [Finding(name, False, f"the check itself failed: {type(error).__name__}: {error}", "", "report it")]
        results += new or [Finding(name, True, "")]
    return results


def is_healthy(results: list[Finding]) -> bool:
    return all(finding.ok for finding in results)


def _problem(text: str, command: str = "", remedy: str = "") -> Fields:
    return False, text, command, remedy


def _advice(text: str, command: str, remedy: str = "") -> Fields:
    return True, text, command, remedy


def _information(text: str) -> Fields:
    return True, text, "", ""


def _edit_command(environ: Mapping[str, str], path: str) -> str:
    editor = environ.get("VISUAL") or environ.get("EDITOR") or ("notepad" if os.name == "nt" else "vi")
    return f"{editor} {shlex.quote(path)}"


# --- transcripts --------------------------------------------------------------------------------------------------


def _data_directories(environ: Mapping[str, str]) -> Iterator[Fields]:
    roots = data_dirs(environ)
    named = bool(environ.get("CLAUDE_CONFIG_DIR", "").strip(" ,"))
    unset = "unset CLAUDE_CONFIG_DIR", "correct it, or unset it"
    for folder in config_dirs(environ) if named else ():
        if not os.path.isdir(folder):
            yield _problem(f"CLAUDE_CONFIG_DIR names {folder}, which is not a folder", *unset)
    if not any(map(os.path.isdir, roots)):
        fix = unset if named else ("claude", "start Claude Code once, or set CLAUDE_CONFIG_DIR")
        if home_dir(environ) == NO_HOME:
            fix = 'eval "export HOME=~$(id -un)"', "HOME is not an absolute path; set it to your home directory"
        yield _problem(f"no folder with transcripts found; looked for {', '.join(roots)}", *fix)
    for root in roots:
        if os.path.isdir(root) and not os.access(root, os.R_OK | os.X_OK):
            yield _problem(f"{root} is not readable", f"chmod u+rx {shlex.quote(root)}")


def _transcripts(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .transcripts.files import walk

    roots = data_dirs(environ)
    found = walk(roots)
    places = [f"{path} ({reason})" for path, reason in found.skipped]
    if places:
        paths = shlex.join(path for path, _ in found.skipped[:_FEW])
        remedy = "look at them, then make them readable or delete them"
        yield _problem(f"can't read {_first_few(places)}", f"ls -ld {paths}", remedy)
    elif not found.files and any(map(os.path.isdir, roots)):
        yield _advice("no transcripts yet", "ccusage demo", "to see a report with sample data, run")


def _history_off(environ: Mapping[str, str]) -> Iterator[Fields]:
    if environ.get("CLAUDE_CODE_SKIP_PROMPT_HISTORY", "") not in ("", "0", "false"):
        text = "CLAUDE_CODE_SKIP_PROMPT_HISTORY is set: Claude Code writes no transcripts if started from here"
        yield _problem(text, "unset CLAUDE_CODE_SKIP_PROMPT_HISTORY")


# --- state and index ----------------------------------------------------------------------------------------------


def _state_directory(environ: Mapping[str, str]) -> Iterator[Fields]:
    folder = state_dir(environ)
    elsewhere = "export CCUSAGE_STATE_DIR=~/.ccusage-line", "use a folder of your own"
    if environ.get("CCUSAGE_STATE_DIR"):
        elsewhere = "unset CCUSAGE_STATE_DIR", "use the default folder"
    if not os.path.lexists(folder):
        above = next(path for path in Path(folder).parents if os.path.lexists(path))
        if not os.path.isdir(above) or not os.access(above, os.W_OK | os.X_OK):
            yield _problem(f"can't create {folder}: {above} is not writable", *elsewhere)
    elif not os.path.isdir(folder):
        yield _problem(f"{folder} is not a folder", shlex.join(["mv", folder, f"{folder}.old"]))
    elif hasattr(os, "geteuid") and os.stat(folder).st_uid != os.geteuid():
        yield _problem(f"{folder} belongs to another user", *elsewhere)
    elif sys.platform != "win32" and os.stat(folder).st_mode & 0o022:
        yield _problem(f"other users can write to {folder}: {_IN_MEMORY}", *elsewhere)
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield _problem(f"{folder} is not writable: {_IN_MEMORY}", f"chmod u+rwx {shlex.quote(folder)}")
    elif os.name != "nt":
        yield from _permissions(folder)


def _permissions(folder: str) -> Iterator[Fields]:
    """Check what is ours in the state directory, which may hold other files too."""
    if sys.platform == "win32":
        return
    readable, foreign = [], []  # bash's pwd.* have the shell's umask; their folder is private
    for path in _files_of_ours(folder):
        status = os.lstat(path)
        if status.st_uid != os.geteuid():
            foreign.append(path)
        elif status.st_mode & 0o077 and not (os.path.islink(path) or os.path.basename(path).startswith("pwd.")):
            readable.append(path)
    if foreign:
        command = f"sudo chown {os.geteuid()} {shlex.join(foreign[:_FEW])}"
        yield _problem(f"files of another user: {_first_few(foreign)}", command)
    if readable:
        yield _problem(f"other users can read {_first_few(readable)}", f"chmod go= {shlex.join(readable[:_FEW])}")


def _files_of_ours(folder: str) -> Iterator[str]:
    for name in os.listdir(folder):
        if name in _FILES or os.path.lexists(os.path.join(folder, name, DATABASE)):
            top = os.path.join(folder, name)
            yield top
            for parent, folders, files in os.walk(top):
                yield from (os.path.join(parent, below) for below in (*folders, *files))


def _index(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .index import schema

    folder = index_dir(environ)
    path = os.path.join(folder, schema.NAME)
    aside = schema.corrupt_files(folder)
    if aside:
        fix = f"ccusage index verify && rm {shlex.join(aside)}", "check the new index, then delete the old files"
        yield _problem(f"a corrupt index was set aside: {_first_few(aside)}", *fix)
    if not os.path.exists(path):
        yield _advice("no index yet", "ccusage session", "to create it, run")
        return
    try:
        check = _query(environ, "PRAGMA quick_check(1)")
    except UnreadableIndex as error:
        remedy = "make the folder writable, or end the process that uses the index; to find it, run"
        yield _problem(str(error), f"fuser -v {shlex.quote(path)}", remedy)
        return
    if check is None:
        yield _unreadable(path)
    elif check != [("ok",)]:
        yield _problem(f"{path} is damaged", "ccusage index rebuild")
    elif _query(environ, "SELECT value FROM meta WHERE key = 'complete'") != [(1,)]:
        text = "not all transcripts have been read yet, so the statusline shows neither today's cost nor the block"
        yield _advice(text, "ccusage session", "to read them, run")


def _windows(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .clock import system_day

    rows = _query(environ, "SELECT min(seen) FROM windows WHERE hours = 5")
    since = rows[0][0] if rows else None
    if since is not None:
        day = system_day(since)
        yield _information(f"Claude Code has reported its 5-hour windows since {day}; others are estimated")


def _unreadable(path: str) -> Fields:
    """Return why the database can't be read, by its first bytes."""
    from .index.schema import VERSION

    try:
        head = read_part(path, 100, 0)
    except OSError as error:
        return _problem(f"{path} can't be read: {error.strerror}", f"chmod u+rw {shlex.quote(path)}")
    version = int.from_bytes(head[60:64], "big")  # the schema's version
    if head and not head.startswith(b"SQLite format 3\0"):
        return _problem(f"{path} is not a database", "ccusage index rebuild")
    if version > VERSION:
        text = f"the index was written by a newer version of this program: {_IN_MEMORY}"
        return _problem(text, entry.maintenance_commands(sys.executable)["update"])
    if 0 < version < VERSION:
        return _advice("the index has an older version's format", "ccusage session", "to convert it, run")
    return _problem(f"{path} can't be read", "ccusage index rebuild")


def _query(environ: Mapping[str, str], statement: str) -> list[tuple[Any, ...]] | None:
    """Return the index's rows, [] if it is damaged, None if it can't be opened."""
    from .index.schema import DatabaseError, open_readable

    database = open_readable(index_dir(environ))
    if database is None:
        return None
    try:
        return database.execute(statement).fetchall()
    except DatabaseError:
        return []
    finally:
        database.close()


def _bad_lines(environ: Mapping[str, str]) -> Iterator[Fields]:
    rows = _query(environ, "SELECT path, bad FROM files WHERE bad > 0 ORDER BY bad DESC")
    if rows:
        count = sum(bad for _, bad in rows)
        places = [f"{os.fsdecode(path)} ({bad})" for path, bad in rows]
        lines = f"{count} line{'s' if count > 1 else ''} with usage can't be parsed"
        remedy = "their cost is not counted; restore the files if you have copies; to list all of them, run"
        yield _problem(f"{lines}: {_first_few(places)}", "ccusage index status", remedy)


# --- prices and config --------------------------------------------------------------------------------------------


def _unpriced_models(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .prices import in_use

    rows = _query(environ, "SELECT DISTINCT text FROM totals JOIN names ON names.id = model WHERE unpriced_auto > 0")
    names = sorted(row[0].decode("utf-8", "replace") for row in rows or ())
    unpriced = [name or "(no name)" for name in names if in_use.table().find(name) is None]
    if unpriced:
        remedy = 'set the price in the config ([prices.models."NAME"]), or run'
        yield _problem(f"no price for {_first_few(unpriced)}: counted as $0", "ccusage prices refresh", remedy)


def _price_table(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .prices import stored
    from .prices.refresh import is_offline, last_checked

    folder = state_dir(environ)
    path = stored.Refreshed.path(folder)
    if os.path.lexists(path) and stored.Refreshed.load(folder) is None:
        yield _problem(f"{path} is damaged: the built-in prices are used", "ccusage prices refresh")
        return
    checked = last_checked(folder)
    age = 0 if checked is None else int(time.time()) - checked
    if age > OLD_PRICES and not is_offline(environ):
        text = f"the prices are {age // 86400} days old: fetching them fails"
        yield _problem(text, "ccusage prices refresh", "to see why, run")


def _contracted_rates(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .prices.show import contract, contract_text

    contracted = contract(environ)
    if contracted is None:
        return
    for problem in contracted.problems:
        if problem.startswith("modelPricing"):  # _settings reports the others
            yield _problem(f"managed settings of Claude Code: {problem}; ignored", "", _ASK_ADMINISTRATOR)
    if contracted.sources:
        yield _information(f"costs use your organization's contracted rates: {contract_text(contracted)}")


def _config(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .config import ConfigError, read
    from .prices.stored import config_path

    path = config_path(environ)
    if not os.path.lexists(path) and not environ.get("CCUSAGE_CONFIG"):
        return
    try:
        read(path)
    except ConfigError as error:
        fix = "unset CCUSAGE_CONFIG", "create the file, or unset the variable"
        if os.path.lexists(path):
            fix = _edit_command(environ, path), "correct the line; docs/config.md has every key"
        yield _problem(str(error), *fix)


# --- Claude Code's settings ---------------------------------------------------------------------------------------


class _Scope(NamedTuple):
    """The settings of one scope: their values, and the problems of their files."""

    name: str
    path: str
    values: dict[str, Any]
    problems: list[str]


def _read_scope(name: str, path: str) -> _Scope:
    from .prices.managed import read_object

    values, problem = read_object(path)
    return _Scope(name, path, values, [f"{path} {problem}"] if problem else [])


def _scopes(environ: Mapping[str, str]) -> list[_Scope]:
    """Return the user's settings, the project's, the local and the managed ones; later ones override earlier ones."""
    from .claude_code.settings_file import settings_path
    from .prices.managed import policy
    from .prices.stored import policy_files, policy_path

    project = os.path.join(_working_directory(), ".claude")
    paths = {
        "user": settings_path(environ),
        "project": os.path.join(project, "settings.json"),
        "local": os.path.join(project, "settings.local.json"),
    }
    scopes: dict[str, _Scope] = {}
    for name, path in paths.items():  # in the home directory, two of them are the same
        scopes.setdefault(os.path.realpath(path), _read_scope(name, path))
    managed = policy(policy_files(environ))
    return [*scopes.values(), _Scope("managed", policy_path(environ), managed.values, managed.problems)]


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return os.path.expanduser("~")


def _settings(environ: Mapping[str, str]) -> Iterator[Fields]:
    for scope in _scopes(environ):
        for problem in scope.problems:
            yield _problem(f"{problem}: Claude Code ignores it", *_correction(scope, environ, "correct it"))


def _correction(scope: _Scope, environ: Mapping[str, str], what: str) -> tuple[str, str]:
    """Return the command that opens the settings and *what* to do there; only an administrator changes managed ones."""
    return ("", _ASK_ADMINISTRATOR) if scope.name == "managed" else (_edit_command(environ, scope.path), what)


def _statusline(environ: Mapping[str, str]) -> Iterator[Fields]:
    scopes = _scopes(environ)
    defined = [scope for scope in scopes if scope.values.get("statusLine") is not None]
    if not defined:
        if not any(scope.problems for scope in scopes):
            yield _advice("no statusline is installed in Claude Code", "ccusage install", "to install ours, run")
        return
    last = defined[-1]
    value, line = last.values["statusLine"], f"the statusLine of {last.path}"
    ours = [scope.path for scope in defined if _is_ours(scope.values["statusLine"], environ)]
    if not entry.command_words(value) or value.get("type") != "command":
        yield _problem(f"{line} is not a command, so nothing is shown", "ccusage install --force")
    elif last.path in ours:
        yield from _check_own_line(line, value, environ)
    elif ours:
        yield _problem(f"{line} overrides ours in {ours[-1]}", *_correction(last, environ, "remove it there"))
    else:
        yield _advice(f"{line} is another program's", "ccusage install --force", "to replace it, run")


def _is_ours(value: object, environ: Mapping[str, str]) -> bool:
    """Return whether a statusLine is meant to run this program, even if another of its name is first on PATH."""
    words = entry.command_words(value)
    return entry.is_ours(value, environ.get("PATH", "")) or (words[:1] == ["ccusage"] and "statusline" in words)


def _check_own_line(line: str, value: dict[str, Any], environ: Mapping[str, str]) -> Iterator[Fields]:
    word, seconds = entry.command_words(value)[0], value.get("refreshInterval")
    path = entry.find_program(word, environ.get("PATH", ""))
    if path is None:
        yield _problem(f"{line} runs {word}, which does not exist", "ccusage install")
    elif os.sep not in word and "/" not in word and not entry.launches_us(path):
        yield _problem(f"{line} runs {path}, another program of that name", "ccusage install")
    if os.name == "nt" and "\\" in value["command"]:
        yield _problem(f"{line} has backslashes, which Git Bash removes", "ccusage install")
    if seconds is None:
        yield _advice(f"{line} has no refreshInterval: no updates while background agents run", "ccusage install")
    elif isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 1:
        text = f"the refreshInterval in {line} must be at least 1 second"
        yield _problem(text, "ccusage install --refresh-interval 5")


def _hooks(environ: Mapping[str, str]) -> Iterator[Fields]:
    scopes = _scopes(environ)
    defined = [scope for scope in scopes if isinstance(scope.values.get("disableAllHooks"), bool)]
    if defined and defined[-1].values["disableAllHooks"]:
        fix = _correction(defined[-1], environ, "remove it there")
        yield _problem(f"disableAllHooks in {defined[-1].path} disables the statusline too", *fix)
    for scope in scopes:
        if scope.name == "managed" and scope.values.get("allowManagedHooksOnly") is True:
            text = f"allowManagedHooksOnly in {scope.path}: only your organization's statusline is shown"
            yield _problem(text, "", _ASK_ADMINISTRATOR)


def _trust(environ: Mapping[str, str]) -> Iterator[Fields]:
    """Check whether the folder is trusted; Claude Code shows no statusline in others (B 1.4)."""
    from .claude_code.settings_file import settings_path

    named = environ.get("CLAUDE_CONFIG_DIR", "").strip(" ,")
    home = os.path.dirname(settings_path(environ)) if named else home_dir(environ)
    projects = _read_scope("", os.path.join(home, ".claude.json")).values.get("projects")
    folder = _working_directory()
    if not isinstance(projects, dict) or not isinstance(projects.get(folder), dict):
        return
    known = [projects.get(str(path)) for path in (folder, *Path(folder).parents)]
    if not any(isinstance(project, dict) and project.get("hasTrustDialogAccepted") is True for project in known):
        text = f"{folder} is not trusted: Claude Code shows no statusline there"
        yield _problem(text, f"cd {shlex.quote(folder)} && claude", "start Claude Code there and trust the folder")


# --- command and shell --------------------------------------------------------------------------------------------


def _path(environ: Mapping[str, str]) -> Iterator[Fields]:
    programs = [path for path in _on_path(environ) if os.path.isfile(path)]
    ours = [path for path in programs if entry.launches_us(path)]
    remedy = "run this, and add it to your shell's start file"
    if not programs:
        yield _advice("`ccusage` is not on PATH", entry.maintenance_commands(sys.executable)["path"], remedy)
    elif not ours:
        text = f"the `ccusage` on PATH, {programs[0]}, is another program"
        yield _problem(text, entry.maintenance_commands(sys.executable)["path"], remedy)
    elif programs[0] != ours[0]:
        text = f"another `ccusage`, {programs[0]}, is on PATH before {ours[0]}"
        yield _problem(text, entry.path_command(os.path.dirname(ours[0])), remedy)


def _on_path(environ: Mapping[str, str]) -> list[str]:
    """Return every `ccusage` on PATH, in its order."""
    folders = filter(None, environ.get("PATH", "").split(os.pathsep))
    return [path for folder in folders if (path := shutil.which("ccusage", path=folder)) is not None]


def _old_launcher(environ: Mapping[str, str]) -> Iterator[Fields]:
    """Check for launchers, as of pip before 25.1, that import re, which takes longer than an answer."""
    for path in dict.fromkeys(_on_path(environ)):
        launcher = entry.launcher_text(path)
        if b"ccusage_line" in launcher and b"\nimport re" in launcher.replace(b"\r\n", b"\n"):
            text = f"{path} is an old launcher, which makes every command slower"
            yield _advice(text, entry.maintenance_commands(entry.launcher_python(launcher))["renew"])


_RC_FILES = {"bash": ".bashrc .bash_profile .profile", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}


def _shell_hook(environ: Mapping[str, str]) -> Iterator[Fields]:
    """Check CCUSAGE_SHELL, which snippets export: the shell's name, and `uncompleted` until zsh's compinit was run."""
    rc_file = _rc_file(environ)
    marker = environ.get("CCUSAGE_SHELL", "").split()
    if rc_file is not None and not marker:
        text = (
            f"{rc_file} has `ccusage init`, but this shell has no hook; if a new one has none, move the line to the end"
        )
        shell = os.path.basename(environ.get("SHELL", ""))
        yield _problem(text, f"exec {shell}", "to start a new shell, run")


def _completion(environ: Mapping[str, str]) -> Iterator[Fields]:
    if environ.get("CCUSAGE_SHELL", "").split()[1:] == ["uncompleted"]:
        command = 'autoload -Uz compinit && compinit && eval "$(ccusage init zsh)"'
        yield _advice("completion is not registered in this zsh", command, "put this into ~/.zshrc too, in this order")


def _rc_file(environ: Mapping[str, str]) -> str | None:
    """Return the start file of the user's shell that sets up the hook, or None."""
    names = _RC_FILES.get(os.path.basename(environ.get("SHELL", "")), "")
    paths = [os.path.join(home_dir(environ), name) for name in names.split()]
    return next((path for path in paths if any(map(_starts_hook, _lines_of(path)))), None)


def _starts_hook(line: str) -> bool:
    return "ccusage" in line and " init " in f"{line} " and not line.lstrip().startswith("#")


def _lines_of(path: str) -> list[str]:
    try:
        return read_regular(path, _MAX_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _statusline_log(environ: Mapping[str, str]) -> Iterator[Fields]:
    from .statusline import log as statuslog

    path = statuslog.path(environ)
    lines = _lines_of(path)
    if lines and time.time() - os.stat(path).st_mtime <= RECENT:
        text = f"the statusline could not show everything; last reason: {lines[-1]} (all: {path})"
        yield _problem(text, f"rm {shlex.quote(path)}", "when the cause is corrected, delete the log")


# fmt: off
CHECKS: tuple[Callable[[Mapping[str, str]], Iterator[Fields]], ...] = (
    _data_directories, _transcripts, _history_off, _state_directory, _index, _windows, _bad_lines,
    _unpriced_models, _price_table, _contracted_rates, _config, _settings, _statusline, _hooks, _trust,
    _path, _old_launcher, _shell_hook, _completion, _statusline_log,
)
# fmt: on


def _first_few(names: list[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def as_text(results: list[Finding], width: int, color: bool = False) -> str:
    """Return the findings for people: problems, advice, information, then a summary. No line is wider than *width*
    columns except a command, which has a line of its own."""
    from .report.table import GREEN, RED, YELLOW
    from .text import count_text, wrap

    styles = {"✗": RED, "!": YELLOW, "✓": GREEN}
    shown = [finding for mark in styles for finding in results if finding.mark == mark]
    indent = max((len(finding.name) for finding in shown), default=0) + 4 if width >= _MIN_COLUMNS else 2
    lines: list[str] = []
    for finding in shown:
        lines += _finding_lines(finding, styles[finding.mark] if color else "", indent, width)
    problems = sum(not finding.ok for finding in results)
    checks = len({finding.name for finding in results})
    summary = f"{count_text(problems, 'problem')} in {checks} checks" if problems else f"{checks} checks, no problems"
    return "\n".join([*lines, *wrap(summary, width)]) + "\n"


def _finding_lines(finding: Finding, style: str, indent: int, width: int) -> list[str]:
    """Return a finding's lines, with texts indented by *indent* columns; *style* is its mark's colour or ""."""
    from .report.table import CYAN, paint
    from .text import clean, wrap

    command = finding.command
    remedy = f"{finding.remedy}:" if finding.remedy and command else finding.remedy
    texts = [line for text in (finding.text, remedy) for line in wrap(clean(text), width - indent)]
    head = f"{paint(finding.mark, style, bool(style))} {finding.name}"
    if indent > 2:
        head += " " * (indent - 2 - len(finding.name)) + texts.pop(0)
    lines = [head, *(" " * indent + line for line in texts)]
    return [*lines, " " * (indent + 2) + paint(clean(command), CYAN, bool(style))] if command else lines


def as_json(results: list[Finding]) -> str:
    from .jqpath import render

    rows = [{"name": f.name, "ok": f.ok, "text": f.text, "command": f.command, "remedy": f.remedy} for f in results]
    return render({"ok": is_healthy(results), "findings": rows}) + "\n"
