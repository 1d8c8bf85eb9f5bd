"""Our line in Claude Code's settings.json: put in, taken out, everything else left as it is, byte for byte.

The file is edited as text: only the span of the key `statusLine` is ever written. Before the first edit its bytes are
kept beside it; taking the key out gives them back if nothing else has changed since.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from ..errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "statusLine"
BACKUP = ".before-ccusage"  # after the name of the settings file
LOCK_PATIENCE = 5.0  # seconds
_NAMES = ("ccusage", "ccusage.exe")
_LARGEST = 16 << 20  # bytes
_LARGEST_LAUNCHER = 1 << 20  # a script, or on Windows a stub of 100 KB with the script behind it
_BOM = "\ufeff"


class Change:
    """What was done to a settings file, or would be.

    `what` is "installed", "updated", "unchanged", "removed", "restored" (the old bytes are back), "deleted" (the file
    was ours alone) or "absent" (there was nothing of ours to remove).
    """

    __slots__ = ("backup", "diff", "path", "what")

    def __init__(self, path: str, what: str, diff: str = "", backup: str | None = None) -> None:
        self.path = path  # the file written, symlinks followed
        self.what = what
        self.diff = diff  # unified; empty where nothing changes
        self.backup = backup  # where the bytes of before are, if they are kept


class Member:
    """One member of the top object: its key, its value and where both stand in the text."""

    __slots__ = ("begin", "end", "key", "start", "value")

    def __init__(self, key: str, value: Any, begin: int, start: int, end: int) -> None:
        self.key = key
        self.value = value
        self.begin = begin  # of the key
        self.start = start  # of the value
        self.end = end


# --- places and names --------------------------------------------------------------------------------------------


def settings_path(environ: Mapping[str, str]) -> str:
    """The user's settings.json: below CLAUDE_CONFIG_DIR (the first, if it lists several), else ~/.claude."""
    from ..paths import config_dirs

    folders = config_dirs(environ)
    folder = folders[0] if environ.get("CLAUDE_CONFIG_DIR", "").strip(" ,") else folders[-1]
    if os.path.basename(folder.rstrip(os.sep)) == "projects":
        folder = os.path.dirname(folder.rstrip(os.sep))
    return os.path.join(folder, "settings.json")


def program() -> str:
    """The absolute path of this very command, as it was called, as a word for the shell the client uses."""
    called = sys.argv[0]
    if os.path.basename(called) in _NAMES:
        found = called if os.path.dirname(called) else shutil.which(called)
        if found and os.path.isfile(found):
            return _word(os.path.abspath(found))
    for name in _NAMES:
        beside = os.path.join(os.path.dirname(sys.executable), name)
        if os.path.isfile(beside):
            return _word(os.path.abspath(beside))
    return f"{_word(sys.executable)} -m ccusage_line"


def command(options: str = "") -> str:
    """The statusline's command line; *options* are words for the shell."""
    return f"{program()} statusline {options}".rstrip()


def _word(path: str, windows: bool = os.name == "nt") -> str:
    """*path* as one word of /bin/sh. Windows: Git Bash eats backslashes, and PowerShell takes slashes too."""
    return shlex.quote(path.replace("\\", "/") if windows else path)


def is_ours(value: object) -> bool:
    """Whether a statusLine runs this program: by its path, or by a launcher that is this package's.

    What is called `ccusage` and is gone was ours, or is of no use to anybody.
    """
    words = _words(value)
    if "statusline" not in words[1:]:
        return False
    if words[1:3] == ["-m", "ccusage_line"]:
        return True
    path = shutil.which(os.path.expanduser(words[0]))
    if path is None:
        return os.path.basename(words[0]) in _NAMES
    own = shlex.split(program())
    return (len(own) == 1 and _same(path, own[0])) or _launches_us(path)


def _words(value: object) -> list[str]:
    """The words of a statusLine's command, without variables set before it."""
    text = value.get("command") if isinstance(value, dict) else None
    try:
        words = shlex.split(text) if isinstance(text, str) else []
    except ValueError:
        return []
    while words and words[0].partition("=")[0].isidentifier() and "=" in words[0]:
        del words[0]
    return words


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return one == other


def _launches_us(path: str) -> bool:
    """A Python launcher of ours in another place, like that of an older environment; npm has a `ccusage` too."""
    try:
        with open(path, "rb") as file:
            return b"ccusage_line" in file.read(_LARGEST_LAUNCHER)
    except OSError:
        return False


def installed(path: str) -> Any:
    """The statusLine of a settings file, None without one. Raises UserError where the file can't be read as one."""
    target, before = _load(path)
    member = _ours_or_theirs(_members(_text(before, target), target))
    return None if member is None else member.value


# --- install and uninstall ---------------------------------------------------------------------------------------


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

    `padding` is in columns, `refresh_interval` in seconds; None leaves what is there. *lock* is a file that two
    processes at once meet at. Raises UserError, the file untouched, where it can't be edited safely or holds another
    tool's statusLine and not *force*.
    """
    with _alone(lock, dry_run):
        target, before = _load(path)
        text = _text(before, target)
        member = _ours_or_theirs(_members(text, target))
        ours = member is not None and is_ours(member.value)
        if member is not None and not ours and not force and member.value is not None:
            raise UserError(f"{path} has another statusLine; --force replaces it (a backup is kept)")
        value = _value(member.value if member is not None and ours else {}, command, refresh_interval, padding)
        if member is not None and member.value == value:
            return Change(target, "unchanged", backup=_kept(target))
        after = _encode(_with(text, member, value), before)
        diff = _diff(before, after, target)
        if dry_run:
            return Change(target, "updated" if ours else "installed", diff)
        backup = _kept(target) if ours else _keep(target, before)
        _write(target, before, after)
        return Change(target, "updated" if ours else "installed", diff, backup)


def uninstall(path: str, *, dry_run: bool = False, lock: str | None = None) -> Change:
    """Take our statusLine out of the settings file *path*; another tool's stays.

    The bytes of before come back where nothing but our key has changed since; a file that was made for our key goes.
    """
    with _alone(lock, dry_run):
        target, before = _load(path)
        text = _text(before, target)
        member = _ours_or_theirs(_members(text, target))
        if before is None or member is None or not is_ours(member.value):
            return Change(target, "absent")
        kept = _read(target + BACKUP)
        after: bytes | None
        if kept is None and text == _with("", None, member.value):
            what, after = "deleted", None
        elif kept is not None and _leads_to(kept, member.value, before, target):
            what, after = "restored", kept
        else:
            what, after = "removed", _encode(_without(text, member, target), before)
        diff = _diff(before, after, target)
        if not dry_run:
            _write(target, before, after)
            if what == "restored":
                os.unlink(target + BACKUP)
                kept = None
        return Change(target, what, diff, target + BACKUP if kept is not None else None)


def _value(old: Mapping[str, Any], command: str, refresh_interval: int | None, padding: int | None) -> dict[str, Any]:
    """The statusLine with *command*; what else the user has set of ours stays."""
    value = {**old, "type": "command", "command": command}
    if padding is not None:
        value["padding"] = padding
    if refresh_interval is not None:
        value["refreshInterval"] = refresh_interval
        if not refresh_interval:
            del value["refreshInterval"]  # the client has 1 as its minimum and none for "events only"
    return value


def _leads_to(kept: bytes, value: object, now: bytes, target: str) -> bool:
    """Whether putting *value* into the *kept* bytes makes those of now: nothing else has changed since."""
    try:
        text = _text(kept, target)
        return _encode(_with(text, _ours_or_theirs(_members(text, target)), value), kept) == now
    except UserError:
        return False


# --- the text ----------------------------------------------------------------------------------------------------


def _text(data: bytes | None, path: str) -> str:
    try:
        return (data or b"").decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8; nothing was changed") from None


def _encode(text: str, before: bytes | None) -> bytes:
    bom = _BOM if before is not None and before.startswith(_BOM.encode()) else ""
    return (bom + text).encode("utf-8", "surrogatepass")


def _members(text: str, path: str) -> list[Member]:
    """The members of the top object. Raises UserError for what is not strictly JSON, comments included."""
    if not text.strip():
        return []
    try:
        if not isinstance(json.loads(text, parse_constant=_no_constant), dict):
            raise UserError(f"{path} holds no JSON object; nothing was changed")
        return list(_scan(text))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} {_why(error, text)}; nothing was changed") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and infinities: Python reads them, the client does not


def _why(error: Exception, text: str) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return "is not valid JSON"
    if text[error.pos :].lstrip().startswith(("//", "/*")):
        return f"has comments (line {error.lineno}), which would be lost"
    return f"is not valid JSON (line {error.lineno})"


def _scan(text: str) -> Iterator[Member]:
    """The members of the object that *text*, valid JSON, holds."""
    decoder = json.JSONDecoder()
    place = _skip(text, _skip(text, 0) + 1)
    while text[place] != "}":
        key, end = decoder.raw_decode(text, place)
        start = _skip(text, _skip(text, end) + 1)  # after the colon
        value, stop = decoder.raw_decode(text, start)
        yield Member(key, value, place, start, stop)
        place = _skip(text, stop)
        if text[place] == ",":
            place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _ours_or_theirs(members: list[Member]) -> Member | None:
    """The member called statusLine."""
    found = [member for member in members if member.key == KEY]
    if len(found) > 1:
        raise UserError(f"the settings name {KEY} twice; nothing was changed")
    return found[0] if found else None


def _with(text: str, member: Member | None, value: object) -> str:
    """*text* with *value* as its statusLine, in the layout it has."""
    if member is not None:
        layout = _Layout(text, member)
        return text[: member.start] + layout.dump(value) + text[member.end :]
    if not text.strip():
        newline = "\r\n" if "\r\n" in text else "\n"
        return json.dumps({KEY: value}, indent=2, ensure_ascii=False).replace("\n", newline) + newline
    members = list(_scan(text))
    if members:
        layout = _Layout(text, members[-1])
        end = members[-1].end
        return f'{text[:end]},{layout.gap}"{KEY}"{layout.colon}{layout.dump(value)}{text[end:]}'
    start, end = text.index("{"), text.rindex("}")
    newline = "\r\n" if "\r\n" in text else "\n"
    body = json.dumps({KEY: value}, indent=2, ensure_ascii=False).replace("\n", newline)
    return text[:start] + body + text[end + 1 :]


def _without(text: str, member: Member, path: str) -> str:
    """*text* without the member and one comma."""
    members = _members(text, path)
    at = next(i for i, other in enumerate(members) if other.begin == member.begin)
    if at:
        return text[: members[at - 1].end] + text[member.end :]
    if len(members) > 1:
        return text[: member.begin] + text[members[1].begin :]
    return text[: text.index("{") + 1] + text[text.rindex("}") :]


class _Layout:
    """How a file is written, learnt from one of its members."""

    __slots__ = ("colon", "gap", "newline")

    def __init__(self, text: str, member: Member) -> None:
        before = len(text[: member.begin].rstrip(" \t\r\n"))
        self.gap = text[before : member.begin]  # between a comma or brace and a key
        if before and text[before - 1] == "{" and not self.gap:
            self.gap = " " if ", " in text else ""
        end = json.JSONDecoder().raw_decode(text, member.begin)[1]
        self.colon = text[end : member.start]
        self.newline = "\r\n" if "\r\n" in self.gap else "\n"

    def dump(self, value: object) -> str:
        """*value* as the member's neighbours are written: on one line, or indented like them."""
        if "\n" not in self.gap:
            item, key = (", ", ": ") if self.colon.endswith(" ") else (",", ":")
            return json.dumps(value, ensure_ascii=False, separators=(item, key))
        indent = self.gap.rpartition("\n")[2]
        lines = json.dumps(value, indent=indent or 2, ensure_ascii=False).split("\n")
        return f"{self.newline}{indent}".join(lines)


# --- the file ----------------------------------------------------------------------------------------------------


def _load(path: str) -> tuple[str, bytes | None]:
    """The file that *path* leads to and its bytes, None where there is none. Raises UserError for what is no file."""
    target = os.path.realpath(path)
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return target, None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path} is not a file; nothing was changed")
    if found.st_size > _LARGEST:
        raise UserError(f"{path} is too large for settings; nothing was changed")
    data = _read(target)
    if data is None:
        raise UserError(f"{path} can't be read")
    return target, data


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _kept(target: str) -> str | None:
    return target + BACKUP if os.path.exists(target + BACKUP) else None


def _keep(target: str, before: bytes | None) -> str | None:
    """Keep the bytes of before beside the file, in place of an earlier copy."""
    _check_writable(target)
    if before is None:
        return _kept(target)  # of a file that somebody has deleted: perhaps the only copy
    _replace(target + BACKUP, before, stat.S_IMODE(os.stat(target).st_mode))
    return target + BACKUP


def _check_writable(target: str) -> None:
    """Read-only means hands off, though a replaced file would not ask; so it does for root, who may everything."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return
    if not mode & 0o222 or not os.access(target, os.W_OK):
        raise UserError(f"{target} is read-only; nothing was changed")


def _write(target: str, before: bytes | None, after: bytes | None) -> None:
    """Replace the file at once, if it still holds what was read; None deletes it."""
    _check_writable(target)
    mode = 0o600
    if before is not None:
        mode = stat.S_IMODE(os.stat(target).st_mode)
    if after is not None:
        _replace(target, after, mode, before)
        return
    _compare(target, before)
    os.unlink(target)


def _compare(target: str, before: bytes | None) -> None:
    if _read(target) != before:
        raise UserError(f"{target} was changed by another program just now; nothing was changed, try again")


_UNCHECKED = object()


def _replace(target: str, data: bytes, mode: int, before: object = _UNCHECKED) -> None:
    """Write a temporary file beside *target* and rename it; *before* is what *target* has to hold until then."""
    folder = os.path.dirname(target)
    temporary = ""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".settings-", dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        _give_to_owner(temporary, target)
        if before is not _UNCHECKED:
            assert before is None or isinstance(before, bytes)
            _compare(target, before)
        os.replace(temporary, target)
        temporary = ""
    except OSError as error:
        raise UserError(f"{target} can't be written: {error.strerror}") from None
    finally:
        if temporary:
            os.unlink(temporary)


def _give_to_owner(temporary: str, target: str) -> None:
    """root edits for somebody: the file stays theirs."""
    try:
        owner = os.stat(target)
        if hasattr(os, "chown") and owner.st_uid != os.stat(temporary).st_uid:
            os.chown(temporary, owner.st_uid, owner.st_gid)
    except FileNotFoundError:
        pass


class _alone:
    """Keep two installers apart; a rehearsal needs no lock."""

    def __init__(self, lock: str | None, dry_run: bool) -> None:
        self._lock = None
        if lock is not None and not dry_run:
            from filelock import FileLock

            try:
                os.makedirs(os.path.dirname(lock), mode=0o700, exist_ok=True)
                self._lock = FileLock(lock, timeout=LOCK_PATIENCE, mode=0o600)
            except OSError:
                self._lock = None  # a lock that can't be had must not forbid what the comparison makes safe

    def __enter__(self) -> None:
        if self._lock is None:
            return
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout:
            raise UserError("another ccusage is changing the settings; try again") from None
        except OSError:
            self._lock = None

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()


def _diff(before: bytes | None, after: bytes | None, path: str) -> str:
    from difflib import unified_diff

    old, new = ((data or b"").decode("utf-8", "replace").split("\n") for data in (before, after))
    lines = unified_diff(
        [f"{line}\n" for line in old[:-1]] + [line for line in old[-1:] if line],
        [f"{line}\n" for line in new[:-1]] + [line for line in new[-1:] if line],
        path if before is not None else os.devnull,
        path if after is not None else os.devnull,
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
