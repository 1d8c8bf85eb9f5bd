"""Every reason why a line might be blank or a number wrong, each with what to do about it. Reads, never changes.

Without httpx and msgspec: it has to work where an installation is half broken.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from sqlite3 import Connection

    from .transcripts.files import Walk

OLD_PRICES = 30 * 24 * 3600  # seconds since the list was last seen, where it is fetched at all
RECENT = 7 * 24 * 3600  # seconds for which an entry of the statusline's log is worth a word
_NAMED = 3  # of many files or models
_LARGEST = 16 << 20  # bytes of a file of settings
_LARGEST_LAUNCHER = 1 << 20


class Finding:
    """What one check found. `ok` with a remedy is advice: nothing is broken."""

    __slots__ = ("name", "ok", "remedy", "text")

    def __init__(self, name: str, ok: bool, text: str, remedy: str = "") -> None:
        self.name = name
        self.ok = ok
        self.text = text
        self.remedy = remedy


def findings(environ: Mapping[str, str]) -> list[Finding]:
    """What every check found, those that found nothing included. Never raises: a check that fails is a finding."""
    found: list[Finding] = []
    for check in CHECKS:
        name = check.__name__.strip("_").replace("_", "-")
        try:
            here = [Finding(name, ok, text, remedy) for ok, text, remedy in check(environ)]
        except Exception as error:
            here = [Finding(name, False, f"the check itself failed: {type(error).__name__}: {error}", "report it")]
        found += here or [Finding(name, True, "")]
    return found


def is_healthy(found: list[Finding]) -> bool:
    return all(finding.ok for finding in found)


Found = tuple[bool, str, str]  # ok, text, remedy


def _bad(text: str, remedy: str) -> Found:
    return False, text, remedy


def _advice(text: str, remedy: str) -> Found:
    return True, text, remedy


# --- transcripts --------------------------------------------------------------------------------------------------


def _data_directories(environ: Mapping[str, str]) -> Iterator[Found]:
    from .paths import config_dirs, data_dirs

    roots = data_dirs(environ)
    named = bool(environ.get("CLAUDE_CONFIG_DIR", "").strip(" ,"))
    if named:
        for folder in config_dirs(environ):
            if not os.path.isdir(folder):
                yield _bad(
                    f"CLAUDE_CONFIG_DIR names {folder}, which is no folder", "correct or unset CLAUDE_CONFIG_DIR"
                )
    if not any(os.path.isdir(root) for root in roots):
        hint = "correct or unset CLAUDE_CONFIG_DIR" if named else "start Claude Code once, or set CLAUDE_CONFIG_DIR"
        yield _bad(f"no folder of transcripts; looked at {', '.join(roots)}", hint)
    for root in roots:
        if os.path.isdir(root) and not os.access(root, os.R_OK | os.X_OK):
            yield _bad(f"{root} can't be read", f"chmod u+rx {shlex.quote(root)}")


def _transcripts(environ: Mapping[str, str]) -> Iterator[Found]:
    found = _walk(environ)
    places = [f"{path} ({reason})" for path, reason in found.passed_over]
    if places:
        yield _bad(f"passed over: {_some(places)}", "make them readable, or remove what is no transcript")
    if not found.files and not places and any(map(os.path.isdir, _roots(environ))):
        yield _advice("no transcripts yet", "`ccusage demo` shows the report on a sample")


def _history_off(environ: Mapping[str, str]) -> Iterator[Found]:
    if environ.get("CLAUDE_CODE_SKIP_PROMPT_HISTORY", "") not in ("", "0", "false"):
        yield _bad(
            "CLAUDE_CODE_SKIP_PROMPT_HISTORY is set: Claude Code writes no transcript of what it does from here",
            "unset CLAUDE_CODE_SKIP_PROMPT_HISTORY",
        )


def _roots(environ: Mapping[str, str]) -> list[str]:
    from .paths import data_dirs

    return data_dirs(environ)


def _walk(environ: Mapping[str, str]) -> Walk:
    from .transcripts.files import walk

    return walk(_roots(environ))


# --- state and index ----------------------------------------------------------------------------------------------


def _state_directory(environ: Mapping[str, str]) -> Iterator[Found]:
    from .paths import state_dir

    folder = state_dir(environ)
    if not os.path.lexists(folder):
        above = _existing(os.path.dirname(folder))
        if not os.path.isdir(above) or not os.access(above, os.W_OK | os.X_OK):
            yield _bad(f"{folder} can't be made: {above} can't be written to", _ELSEWHERE)
        return
    if not os.path.isdir(folder):
        yield _bad(f"{folder} is not a folder", f"move it away, or {_ELSEWHERE}")
        return
    mine = not hasattr(os, "geteuid") or os.stat(folder).st_uid == os.geteuid()
    if not mine:
        yield _bad(f"{folder} belongs to another user", _ELSEWHERE)
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield _bad(
            f"{folder} can't be written to: every answer is counted in memory", f"chmod u+rwx {shlex.quote(folder)}"
        )
    elif os.name != "nt":
        yield from _permissions(folder)


_ELSEWHERE = "set CCUSAGE_STATE_DIR to a folder of your own"


def _existing(path: str) -> str:
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _permissions(folder: str) -> Iterator[Found]:
    open_ones, foreign = [], []
    for here, _, names in os.walk(folder):
        for path in (here, *(os.path.join(here, name) for name in names)):
            try:
                found = os.lstat(path)
            except OSError:
                continue
            if found.st_uid != os.geteuid():
                foreign.append(path)
            elif found.st_mode & 0o077 and not os.path.islink(path):
                open_ones.append(path)
    if foreign:
        yield _bad(f"of another user: {_some(foreign)}", f"sudo chown -R {os.geteuid()} {shlex.quote(folder)}")
    if open_ones:
        yield _bad(f"others may read {_some(open_ones)}", f"chmod -R go= {shlex.quote(folder)}")


def _index(environ: Mapping[str, str]) -> Iterator[Found]:
    from .index import schema
    from .paths import index_dir

    folder = index_dir(environ)
    path = os.path.join(folder, schema.NAME)
    aside = _corrupt_ones(folder)
    if aside:
        remedy = "`ccusage index verify` says whether all is well now; then remove them"
        yield _bad(f"a corrupt index was set aside: {_some(aside)}", remedy)
    if not os.path.exists(path):
        yield _advice("no index yet", "`ccusage session` makes it")
        return
    trouble = _trouble(path)
    if trouble is not None:
        yield trouble
        return
    with _Reader(folder) as index:
        if index.db is None:
            if 0 < _version(_head(path)) < schema.VERSION:
                yield _advice("the index is an older version's", "`ccusage session` brings it up to date")
            else:
                yield _bad(f"{path} can't be read", "`ccusage index rebuild`")
            return
        if index.one("PRAGMA quick_check(1)") != "ok":
            yield _bad(f"{path} is damaged", "`ccusage index rebuild`")
        elif index.one("SELECT value FROM meta WHERE key = 'complete'") != 1:
            yield _advice(
                "the first index is not finished: day and block are left out of the statusline", "`ccusage session`"
            )


def _corrupt_ones(folder: str) -> list[str]:
    from .index import schema

    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(
        os.path.join(folder, name)
        for name in names
        if name.startswith(f"{schema.NAME}.corrupt") and not name.endswith(("-wal", "-shm"))
    )


def _trouble(path: str) -> Found | None:
    """What the first bytes of a database say against it."""
    from .index import schema

    try:
        head = _head(path)
    except OSError as error:
        return _bad(f"{path} can't be read: {error.strerror}", f"chmod u+rw {shlex.quote(path)}")
    if head and not head.startswith(b"SQLite format 3\0"):
        return _bad(f"{path} is no database", "`ccusage index rebuild`")
    version = _version(head)
    if version > schema.VERSION:
        text = f"the index was written by a newer version of this program (schema {version}, here {schema.VERSION})"
        return _bad(f"{text}: every answer is counted in memory", "update ccusage-line")
    return None


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(100)


def _version(head: bytes) -> int:
    """The schema that the first bytes of a database name."""
    return int.from_bytes(head[60:64], "big")


class _Reader:
    """The index, if there is one that can be read, read only and closed again."""

    def __init__(self, folder: str) -> None:
        from .index.schema import NAME, open_readable

        path = os.path.join(folder, NAME)
        self.db: Connection | None = None
        if os.path.exists(path) and _trouble(path) is None:
            self.db = open_readable(folder)

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self.db is not None:
            self.db.close()

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """The answer, empty where the index can't give one."""
        from .index.schema import DatabaseError

        try:
            return [] if self.db is None else self.db.execute(question).fetchall()
        except DatabaseError:
            return []

    def one(self, question: str) -> Any:
        rows = self.rows(question)
        return rows[0][0] if rows else None


def _bad_lines(environ: Mapping[str, str]) -> Iterator[Found]:
    from .paths import index_dir

    with _Reader(index_dir(environ)) as index:
        rows = index.rows("SELECT path, bad FROM files WHERE bad > 0 ORDER BY bad DESC")
    if rows:
        count = sum(bad for _, bad in rows)
        places = [f"{os.fsdecode(path)} ({bad})" for path, bad in rows]
        lines = f"{count} line{'s' if count > 1 else ''} with usage can't be read"
        yield _bad(f"{lines}: {_some(places)}", "what they cost is not counted; restore the files if you have copies")


# --- prices and config --------------------------------------------------------------------------------------------


def _unpriced_models(environ: Mapping[str, str]) -> Iterator[Found]:
    from .paths import index_dir
    from .prices import in_use

    with _Reader(index_dir(environ)) as index:
        rows = index.rows("SELECT DISTINCT text FROM totals JOIN names ON names.id = model WHERE unpriced_auto > 0")
    names = sorted(row[0].decode("utf-8", "replace") for row in rows)
    still = [name or "(no name)" for name in names if in_use.table().find(name) is None]
    if still:
        yield _bad(
            f"no price for {_some(still)}: counted as $0",
            '`ccusage prices refresh`, or [prices.models."NAME"] in the config',
        )


def _price_table(environ: Mapping[str, str]) -> Iterator[Found]:
    from .paths import state_dir
    from .prices import stored
    from .prices.refresh import is_offline, last_checked

    folder = state_dir(environ)
    path = stored.refreshed_path(folder)
    if os.path.lexists(path) and stored.load_refreshed(folder) is None:
        yield _bad(f"{path} is spoilt: the prices of this version are used", "`ccusage prices refresh`")
        return
    checked = last_checked(folder)
    age = 0 if checked is None else int(time.time()) - checked
    if age > OLD_PRICES and not is_offline(environ):
        yield _bad(f"the prices are {age // 86400} days old: fetching them fails", "`ccusage prices refresh` says why")


def _contracted_rates(environ: Mapping[str, str]) -> Iterator[Found]:
    from .prices.show import contract, contract_text

    found = contract(environ)
    if found is None:
        return
    for problem in found.problems:
        if problem.startswith("modelPricing"):  # the others are problems of all settings
            yield _bad(f"managed settings of Claude Code: {problem}; ignored", "ask who manages them")
    if found.sources:
        text = f"costs are at your organization's contracted rates: {contract_text(found)}"
        yield _advice(text, "`ccusage prices show MODEL` says what a model costs")


def _config(environ: Mapping[str, str]) -> Iterator[Found]:
    from .config import ConfigError, fingerprint_path, read

    path = fingerprint_path(environ)
    if not os.path.lexists(path) and not environ.get("CCUSAGE_CONFIG"):
        return
    try:
        read(path)
    except ConfigError as error:
        yield _bad(str(error), "correct the line; docs/config.md has every key")


# --- Claude Code's settings ---------------------------------------------------------------------------------------


class _Scope:
    """Settings of one kind: what they say, and the problems with their files."""

    def __init__(self, name: str, path: str) -> None:
        from .prices.managed import read_object

        self.name = name
        self.path = path
        self.values, problem = read_object(path)
        self.problems = [f"{path} {problem}"] if problem else []


def _scopes(environ: Mapping[str, str]) -> list[_Scope]:
    """The user's settings, the project's, its local ones, the organisation's: a later one goes before."""
    from .claude_code.settings_file import settings_path

    user = settings_path(environ)
    project = os.path.join(_folder(), ".claude")
    named = [
        ("user", user),
        ("project", os.path.join(project, "settings.json")),
        ("local", os.path.join(project, "settings.local.json")),
    ]
    found: dict[str, _Scope] = {}
    for name, path in named:
        found.setdefault(os.path.realpath(path), _Scope(name, path))
    return [*found.values(), _managed(environ)]


def _managed(environ: Mapping[str, str]) -> _Scope:
    """The organization's settings, which may be in several files."""
    from .prices.managed import policy
    from .prices.stored import policy_files, policy_path

    told = policy(policy_files(environ))
    scope = _Scope("managed", policy_path(environ))
    scope.values, scope.problems = told.values, told.problems
    return scope


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return os.path.expanduser("~")


def _settings(environ: Mapping[str, str]) -> Iterator[Found]:
    for scope in _scopes(environ):
        for problem in scope.problems:
            yield _bad(f"{problem}: Claude Code ignores it", "correct it")


def _statusline(environ: Mapping[str, str]) -> Iterator[Found]:
    scopes = _scopes(environ)
    said = [scope for scope in scopes if scope.values.get("statusLine") is not None]
    if not said:
        if not any(scope.problems for scope in scopes):
            yield _advice("no statusline is installed in Claude Code", "`ccusage install`")
        return
    last = said[-1]
    value = last.values["statusLine"]
    if not isinstance(value, dict) or value.get("type") != "command" or not _command(value).strip():
        yield _bad(f"the statusLine of {last.path} is no command: it shows nothing", "`ccusage install --force`")
        return
    if not _is_ours(value, environ):
        yield from _foreign(last, [scope for scope in said if _is_ours(scope.values["statusLine"], environ)])
        return
    yield from _program(last.path, value, environ)
    interval = value.get("refreshInterval")
    if interval is not None and (isinstance(interval, bool) or not isinstance(interval, (int, float)) or interval < 1):
        yield _bad(f"the refreshInterval of {last.path} is not a number of seconds from 1", "correct or remove it")


def _command(value: dict[str, Any]) -> str:
    command = value.get("command")
    return command if isinstance(command, str) else ""


def _foreign(last: _Scope, ours: list[_Scope]) -> Iterator[Found]:
    if ours:
        yield _bad(f"the statusLine of {last.path} goes before ours in {ours[-1].path}", f"remove it from {last.path}")
    else:
        yield _advice(f"the statusLine of {last.path} is another program's", "`ccusage install --force` replaces it")


def _words(value: object) -> list[str]:
    """The words of a statusLine's command, without variables set before it."""
    try:
        words = shlex.split(_command(value)) if isinstance(value, dict) else []
    except ValueError:
        return []
    while words and "=" in words[0] and words[0].partition("=")[0].isidentifier():
        del words[0]
    return words


def _is_ours(value: object, environ: Mapping[str, str]) -> bool:
    """Whether a statusLine means this program: by name, even if what it names is gone."""
    words = _words(value)
    if "statusline" not in words[1:]:
        return False
    if words[1:3] == ["-m", "ccusage_line"]:
        return True
    path = _resolved(words[0], environ)
    if path is None:
        return os.path.basename(words[0]) in ("ccusage", "ccusage.exe")
    return _launches_us(path) or os.path.basename(words[0]) == words[0] == "ccusage"


def _resolved(word: str, environ: Mapping[str, str]) -> str | None:
    return shutil.which(os.path.expanduser(word), path=environ.get("PATH", ""))


def _launches_us(path: str) -> bool:
    return b"ccusage_line" in _launcher(path)


def _launcher(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST_LAUNCHER)
    except OSError:
        return b""


def _program(settings: str, value: dict[str, Any], environ: Mapping[str, str]) -> Iterator[Found]:
    """What the command of our statusLine starts."""
    word = _words(value)[0]
    path = _resolved(word, environ)
    if path is None:
        yield _bad(f"the statusLine of {settings} starts {word}, which is not there", "`ccusage install`")
    elif os.sep not in word and "/" not in word and not _launches_us(path):
        yield _bad(f"the statusLine of {settings} starts {path}, another program of that name", "`ccusage install`")
    if os.name == "nt" and "\\" in _command(value):
        yield _bad(f"the statusLine of {settings} has backslashes, which Git Bash eats", "`ccusage install`")


def _hooks(environ: Mapping[str, str]) -> Iterator[Found]:
    scopes = _scopes(environ)
    said = [scope for scope in scopes if isinstance(scope.values.get("disableAllHooks"), bool)]
    if said and said[-1].values["disableAllHooks"]:
        yield _bad(f"disableAllHooks in {said[-1].path} switches the statusline off too", "remove it")
    for scope in scopes:
        if scope.name == "managed" and scope.values.get("allowManagedHooksOnly") is True:
            text = f"allowManagedHooksOnly in {scope.path}: only your organisation's statusline is shown"
            yield _bad(text, "ask who manages it")


def _trust(environ: Mapping[str, str]) -> Iterator[Found]:
    """A folder without trust has no statusline (B 1.4)."""
    from .claude_code.settings_file import settings_path

    home = environ.get("HOME", "") or os.path.expanduser("~")
    named = environ.get("CLAUDE_CONFIG_DIR", "").strip(" ,")
    scope = _Scope("", os.path.join(os.path.dirname(settings_path(environ)) if named else home, ".claude.json"))
    projects = scope.values.get("projects")
    folder = _folder()
    entry = projects.get(folder) if isinstance(projects, dict) else None
    if not isinstance(projects, dict) or not isinstance(entry, dict):
        return
    while True:
        entry = projects.get(folder)
        if isinstance(entry, dict) and entry.get("hasTrustDialogAccepted") is True:
            return
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    yield _bad(f"{_folder()} is not trusted: Claude Code shows no statusline there", "start `claude` there and accept")


# --- command and shell --------------------------------------------------------------------------------------------


def _path(environ: Mapping[str, str]) -> Iterator[Found]:
    there = [path for path in _on_path(environ) if os.path.isfile(path)]
    ours = [path for path in there if _launches_us(path)]
    if not there:
        yield _advice("`ccusage` is not on PATH", f"add {os.path.dirname(sys.executable)}, or install with pipx or uv")
    elif not ours:
        yield _bad(f"the `ccusage` on PATH, {there[0]}, is another program", "put this one's folder on PATH before it")
    elif there[0] != ours[0]:
        text = f"another `ccusage`, {there[0]}, is on PATH before {ours[0]}"
        yield _bad(text, f"put {os.path.dirname(ours[0])} before {os.path.dirname(there[0])} in PATH")


def _on_path(environ: Mapping[str, str]) -> list[str]:
    """Every `ccusage` that PATH leads to, in its order."""
    found = []
    for folder in environ.get("PATH", "").split(os.pathsep):
        path = shutil.which("ccusage", path=folder) if folder else None
        if path is not None:
            found.append(path)
    return found


def _old_launcher(environ: Mapping[str, str]) -> Iterator[Found]:
    """Launchers of pip before 25.1 and of others import re, which costs more than an answer does."""
    for path in dict.fromkeys(_on_path(environ)):
        launcher = _launcher(path)
        if b"ccusage_line" in launcher and b"\nimport re" in launcher.replace(b"\r\n", b"\n"):
            yield _bad(
                f"{path} is an old launcher, which makes every answer slower", "reinstall with a newer pip, or uv"
            )


_RC_FILES = (".bashrc", ".bash_profile", ".profile", ".zshrc", ".config/fish/config.fish")


def _shell_hook(environ: Mapping[str, str]) -> Iterator[Found]:
    """The snippets export CCUSAGE_SHELL: the shell's name, then `prompt` and `completion` if they are on."""
    rc_file = _rc_file(environ)
    marker = environ.get("CCUSAGE_SHELL", "").split()
    if rc_file is not None and not marker:
        text = f"{rc_file} has `ccusage init`, but this shell does not have the hook"
        yield _bad(text, "start a new shell; if it stays so, move the line to the end of that file")


def _completion(environ: Mapping[str, str]) -> Iterator[Found]:
    marker = environ.get("CCUSAGE_SHELL", "").split()
    if marker and "completion" not in marker[1:]:
        remedy = "in zsh run compinit before `ccusage init`; in bash install bash-completion; drop --no-completion"
        yield _bad(f"completion is not registered in this {marker[0]}", remedy)


def _rc_file(environ: Mapping[str, str]) -> str | None:
    """The file of the user's shell that starts the hook."""
    home = environ.get("HOME", "") or os.path.expanduser("~")
    shell = os.path.basename(environ.get("SHELL", ""))
    for name in _RC_FILES:
        path = os.path.join(home, name)
        of_shell = (
            shell in os.path.basename(name) or shell in name.split("/") or (shell == "bash" and "profile" in name)
        )
        if shell and of_shell and _starts_hook(path):
            return path
    return None


def _starts_hook(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(_LARGEST).splitlines()
    except OSError:
        return False
    return any("ccusage" in line and " init " in f"{line} " and not line.lstrip().startswith("#") for line in lines)


def _statusline_log(environ: Mapping[str, str]) -> Iterator[Found]:
    from .statusline import log as statuslog

    path = statuslog.path(environ)
    try:
        if time.time() - os.stat(path).st_mtime > RECENT:
            return
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(_LARGEST).splitlines()
    except OSError:
        return
    if lines:
        yield _bad(f"the statusline showed less than it could, last: {lines[-1]}", f"see {path}; remove it when done")


# --- shown --------------------------------------------------------------------------------------------------------


CHECKS: tuple[Callable[[Mapping[str, str]], Iterator[Found]], ...] = (
    _data_directories,
    _transcripts,
    _history_off,
    _state_directory,
    _index,
    _bad_lines,
    _unpriced_models,
    _price_table,
    _contracted_rates,
    _config,
    _settings,
    _statusline,
    _hooks,
    _trust,
    _path,
    _old_launcher,
    _shell_hook,
    _completion,
    _statusline_log,
)


def _some(names: list[str]) -> str:
    """The first of many."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def as_text(found: list[Finding]) -> str:
    """For people: what is wrong, then what could be better, each with its remedy; one line if there is neither."""
    from .text import clean

    wrong = [finding for finding in found if not finding.ok]
    advice = [finding for finding in found if finding.ok and finding.remedy]
    lines = [f"{'! ' if not f.ok else '  '}{f.name}: {clean(f.text)}\n    {clean(f.remedy)}\n" for f in wrong + advice]
    count = len({finding.name for finding in found})
    if wrong:
        lines.append(f"{len(wrong)} problem{'s' if len(wrong) > 1 else ''} in {count} checks\n")
    else:
        lines.append(f"{count} checks, no problem\n")
    return "".join(lines)


def as_json(found: list[Finding]) -> str:
    """For scripts."""
    rows = [{"name": f.name, "ok": f.ok, "text": f.text, "remedy": f.remedy} for f in found]
    return json.dumps({"ok": is_healthy(found), "findings": rows}, indent=2, ensure_ascii=False) + "\n"
