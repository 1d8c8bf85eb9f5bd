"""Editing of `statusLine` in Claude Code's settings.json; everything else in the file stays the same, byte for byte.

The file is edited as text, and only the span of that key is written. The first edit saves the old bytes in a backup
beside the file; removing the key restores them if nothing else has changed since.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UserError
from ..files import make_private_folder, read_regular
from ..locks import Lock
from ..locks import lock as acquire
from .statusline_entry import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "statusLine"
BACKUP = ".before-ccusage"  # appended to the name of the settings file
LOCK_PATIENCE = 5.0  # seconds
_LARGEST = 16 << 20  # bytes
_BOM = "\ufeff"


class Change(NamedTuple):
    """What was done to a settings file, or would be done.

    `what` is "installed", "updated", "unchanged", "removed", "restored" (from the backup), "deleted" (the file held
    nothing but our key) or "absent" (there was nothing of ours to remove).
    """

    path: str  # the real path of the file written
    what: str
    diff: str = ""  # a unified diff, empty if nothing changes
    backup: str | None = None  # the path of the backup, if there is one


def settings_path(environ: Mapping[str, str]) -> str:
    """Return the user's settings.json: in CLAUDE_CONFIG_DIR (the first folder that it lists), else in ~/.claude."""
    from ..paths import config_dirs

    folders = config_dirs(environ)
    folder = folders[0] if environ.get("CLAUDE_CONFIG_DIR", "").strip(" ,") else folders[-1]
    if os.path.basename(folder.rstrip(os.sep)) == "projects":
        folder = os.path.dirname(folder.rstrip(os.sep))
    return os.path.join(folder, "settings.json")


def statusline_of(path: str) -> Any:
    """Return the statusLine of the settings file *path*, or None. Raises UserError as `install` does."""
    line = _Settings(*_load(path)).line
    return None if line is None else line.value


def install(
    path: str,
    command: str,
    *,
    force: bool = False,
    dry_run: bool = False,
    refresh_interval: int | None = None,
    padding: int | None = None,
    lock: str | None = None,
) -> Change:
    """Make *command* the statusLine of the settings file *path*.

    `padding` is in columns, `refresh_interval` in seconds; None leaves the present value, 0 removes the interval.
    *lock* is a file that keeps two processes apart. Raises UserError, without changing the file, if it can't be edited
    safely, if it holds another tool's statusLine and *force* is false, or if *command* is not valid Unicode.
    """
    try:
        command.encode()
    except UnicodeEncodeError:
        raise UserError(f"the command is not valid UTF-8: {command}") from None
    with _as_owner(path), _locked(lock, dry_run):
        settings = _Settings(*_load(path))
        old: Any = None if settings.line is None else settings.line.value
        is_own = is_ours(old)
        if old is not None and not is_own and not force:
            raise UserError(f"{path} has another statusLine; --force replaces it (a backup is kept)")
        value = {**(old if is_own else {}), "type": "command", "command": command}
        if padding is not None:
            value["padding"] = padding
        if refresh_interval:
            value["refreshInterval"] = refresh_interval
        elif refresh_interval is not None:
            value.pop("refreshInterval", None)  # the client accepts no 0; no key means "on events only"
        if value == old:
            return Change(settings.path, "unchanged", "", settings.backup())
        after = settings.with_line(value)
        what, diff = "updated" if is_own else "installed", _diff(settings.before, after, settings.path)
        if not dry_run:
            settings.write(after, save=not is_own)
        return Change(settings.path, what, diff, settings.backup())


def uninstall(path: str, *, dry_run: bool = False, lock: str | None = None) -> Change:
    """Remove our statusLine from the settings file *path*; another tool's stays.

    The backup is restored if nothing but our key has changed since; a file that was created for our key is deleted.
    """
    with _as_owner(path), _locked(lock, dry_run):
        settings = _Settings(*_load(path))
        if settings.line is None or not is_ours(settings.line.value):
            return Change(settings.path, "absent")
        saved = _read(settings.path + BACKUP)
        what, after = settings.without_line(saved)
        diff = _diff(settings.before, after, settings.path)
        if not dry_run:
            settings.write(after)
            if what == "restored":
                os.unlink(settings.path + BACKUP)
        return Change(settings.path, what, diff, settings.backup())


# --- the text ----------------------------------------------------------------------------------------------------


class _Member(NamedTuple):
    """One member of the settings' top object, and its place in the text."""

    key: str
    value: Any
    gap: str  # between the comma or brace before it and its key
    colon: str  # between key and value
    begin: int  # of the key
    start: int  # of the value
    end: int  # of the value

    def dump(self, value: object) -> str:
        """Return *value* as JSON in this member's style: on one line, or with its indentation."""
        if "\n" not in self.gap:
            separators = (", ", ": ") if self.colon.endswith(" ") else (",", ":")
            return _to_json(value, separators=separators)
        newline = "\r\n" if "\r\n" in self.gap else "\n"
        indent = self.gap.rpartition("\n")[2]
        return _to_json(value, indent=indent or 2).replace("\n", newline + indent)


class _Settings:
    """A settings file as it was read. Raises UserError unless it is strict JSON, without comments."""

    def __init__(self, path: str, before: bytes | None) -> None:
        self.path = path
        self.before = before  # None: the file does not exist
        try:
            self.text = (before or b"").decode("utf-8").removeprefix(_BOM)
            settings = json.loads(self.text, parse_constant=_reject_constant) if self.text.strip() else {}
        except UnicodeDecodeError:
            raise UserError(f"{path} is not UTF-8; nothing was changed") from None
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} {_json_problem(error, self.text)}; nothing was changed") from None
        if not isinstance(settings, dict):
            raise UserError(f"{path} holds no JSON object; nothing was changed")
        self.members = list(_members(self.text)) if settings else []
        lines = [member for member in self.members if member.key == KEY]
        if len(lines) > 1:
            raise UserError(f"{path} has the key {KEY} twice; nothing was changed")
        self.line = lines[0] if lines else None

    def with_line(self, value: object) -> bytes:
        """Return the file's bytes with *value* as statusLine, in the file's own layout."""
        text, line = self.text, self.line
        if line is not None:
            return self._encoded(text[: line.start] + line.dump(value) + text[line.end :])
        if self.members:
            last = self.members[-1]
            gap = last.gap or (" " if len(self.members) == 1 and ", " in text else "")
            added = f',{gap}"{KEY}"{last.colon}{last.dump(value)}'
            return self._encoded(text[: last.end] + added + text[last.end :])
        newline = "\r\n" if "\r\n" in text else "\n"
        empty = text if text.strip() else "{}" + newline
        body = _to_json({KEY: value}, indent=2).replace("\n", newline)
        return self._encoded(empty[: empty.index("{")] + body + empty[empty.rindex("}") + 1 :])

    def without_line(self, saved: bytes | None) -> tuple[str, bytes | None]:
        """Return what removing the statusLine does (as in Change) and the new bytes; *saved* is the backup."""
        line = self.line
        assert line is not None
        if self._results_from(saved, line.value):
            return "deleted" if saved is None else "restored", saved
        place = self.members.index(line)
        if place:
            begin, end = self.members[place - 1].end, line.end
        elif len(self.members) > 1:
            begin, end = line.begin, self.members[1].begin
        else:
            begin, end = self.text.index("{") + 1, self.text.rindex("}")
        return "removed", self._encoded(self.text[:begin] + self.text[end:])

    def _results_from(self, saved: bytes | None, value: object) -> bool:
        """Return whether *value* put into *saved* (None: no file) gives the present bytes: all else is unchanged."""
        try:
            return _Settings(self.path, saved).with_line(value) == self.before
        except UserError:
            return False

    def _encoded(self, text: str) -> bytes:
        bom = _BOM if self.before is not None and self.before.startswith(_BOM.encode()) else ""
        return (bom + text).encode("utf-8", "backslashreplace")  # a lone surrogate becomes a JSON escape

    def backup(self) -> str | None:
        """Return the path of the backup, or None if there is none."""
        return self.path + BACKUP if os.path.exists(self.path + BACKUP) else None

    def write(self, after: bytes | None, save: bool = False) -> None:
        """Replace the file atomically, or delete it if *after* is None; raises UserError if the file has changed.

        *save* saves what was read as the backup, replacing an older one. Without a file to save, an older backup stays,
        because it may be the only copy.
        """
        self._check_unchanged()
        if self.before is not None and not (os.stat(self.path).st_mode & 0o222 and _may_write(self.path)):
            # checked because renaming over a file ignores its mode, as root does
            raise UserError(f"{self.path} is read-only; nothing was changed")
        if save and self.before is not None:
            self._write_file(self.path + BACKUP, self.before)
        if after is not None:
            self._write_file(self.path, after)
        else:
            os.unlink(self.path)

    def _write_file(self, path: str, data: bytes) -> None:
        """Write a temporary file, set the owner and mode of the settings file, and rename it to *path*."""
        folder = os.path.dirname(path)
        temporary = ""
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(prefix=".settings-", dir=folder)  # 0600
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
                if self.before is not None:
                    _copy_owner_and_mode(descriptor, self.path)
            self._check_unchanged()
            os.replace(temporary, path)
            temporary = ""
        except OSError as error:
            raise UserError(f"{path} can't be written: {error.strerror}") from None
        finally:
            if temporary:
                os.unlink(temporary)

    def _check_unchanged(self) -> None:
        if _read(self.path) != self.before:
            raise UserError(f"{self.path} was just changed by another program; nothing was written, try again")


def _members(text: str) -> Iterator[_Member]:
    """Yield the members of the object in *text*, which is valid JSON."""
    decoder = json.JSONDecoder()
    place = _skip_space(text, 0) + 1
    while text[begin := _skip_space(text, place)] != "}":
        key, end = decoder.raw_decode(text, begin)
        start = _skip_space(text, _skip_space(text, end) + 1)
        value, stop = decoder.raw_decode(text, start)
        yield _Member(key, value, text[place:begin], text[end:start], begin, start, stop)
        place = _skip_space(text, stop)
        place += text[place] == ","


def _to_json(value: object, **layout: Any) -> str:
    """Return *value* as JSON. Raises UserError for a value that Python reads but can't write."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, **layout)
    except (ValueError, RecursionError):  # an infinity from 1e999, or too deep a nesting
        raise UserError(f"{KEY} has a value that can't be written back; nothing was changed") from None


def _skip_space(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _reject_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which Python reads but the client does not


def _json_problem(error: Exception, text: str) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return "is not valid JSON"
    if text[error.pos :].lstrip().startswith(("//", "/*")):
        return f"has comments (line {error.lineno}), which would be lost"
    return f"is not valid JSON (line {error.lineno})"


def _diff(before: bytes | None, after: bytes | None, path: str) -> str:
    from difflib import unified_diff

    old, new = (list(StringIO((data or b"").decode("utf-8", "replace"))) for data in (before, after))
    was, will_be = (os.devnull if data is None else path for data in (before, after))
    lines = unified_diff(old, new, was, will_be)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


# --- the file ----------------------------------------------------------------------------------------------------


def _load(path: str) -> tuple[str, bytes | None]:
    """Return the real path of *path* and its bytes, None if it does not exist. Raises UserError if it is not a file."""
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
    except FileNotFoundError:
        return target, None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"{path} is not a file; nothing was changed")
    if status.st_size > _LARGEST:
        raise UserError(f"{path} is too large for settings; nothing was changed")
    data = _read(target)
    if data is None:
        raise UserError(f"{path} can't be read")
    return target, data


def _read(path: str) -> bytes | None:
    try:
        return read_regular(path, _LARGEST)
    except OSError:
        return None


def _may_write(path: str) -> bool:
    """Return whether the effective user may write to *path*."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _copy_owner_and_mode(descriptor: int, model: str) -> None:
    """Set owner and mode of an open file to those of *model*; by descriptor, because its path may lead elsewhere by
    now."""
    if sys.platform != "win32":
        status = os.stat(model)
        if status.st_uid != os.fstat(descriptor).st_uid:
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


@contextmanager
def _as_owner(path: str) -> Iterator[None]:
    """Act with the owner's rights alone if root edits another user's settings, so that links lead no further than that
    user may write and new files belong to that user. Raises UserError if this is impossible."""
    owner = _owner(path) if sys.platform != "win32" and os.geteuid() == 0 else None
    if sys.platform == "win32" or owner is None:
        yield
        return
    import difflib  # noqa: F401  # a later import may be from files that only root can read

    import filelock  # noqa: F401

    group, groups = os.getegid(), os.getgroups()
    try:
        os.setgroups([owner.st_gid])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    except OSError as error:
        raise UserError(f"{path} is another user's, and root can't act as that user here: {error.strerror}") from None
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _owner(path: str) -> os.stat_result | None:
    """Return the stat of the first folder on the way to *path* that is not root's; its owner controls what is below."""
    for place in (*reversed(Path(path).parents), Path(path)):
        try:
            status = os.lstat(place)
        except OSError:
            return None
        if status.st_uid:
            return status
    return None


@contextmanager
def _locked(lock: str | None, dry_run: bool) -> Iterator[None]:
    """Keep two installers apart. A dry run needs no lock; without a lock, only the check before each write protects."""
    if lock is None or dry_run:
        yield
        return
    held: Lock | None = Lock()
    try:
        make_private_folder(os.path.dirname(lock))
        held = acquire(lock, LOCK_PATIENCE)
    except OSError:
        pass
    if held is None:
        raise UserError("another ccusage is changing the settings; try again")
    with held:
        yield
