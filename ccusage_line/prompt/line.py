"""The ready line: the text that a shell shows in its prompt, in a file that the shell reads and checks by itself.

There is one file per project, `<index>/prompt/<name>.line`; the name is the project's path as Claude Code munges it
(`munge`), which a shell can do too. Its rows are:

    0  ccusage-line 1          the format and its version
    1  examined                seconds since the epoch at which the contents were true
    2  expires                 seconds since the epoch from which on the line has to be renewed
    3  youngest, 4  oldest     the file's age in seconds at `examined` and at `expires`, for a shell without a clock
    5  last activity           seconds since the epoch, 0: none
    6  plain text, 7 coloured  with escape sequences of colour, as a terminal needs them
    8  bash, 9 coloured        the same, escaped for that shell's prompt
    10 zsh, 11 coloured
    12 tmux
    13 digest                  of the digits and points in rows 1 to 12, computed in a way that shells can do too
    14 ...                     the files and folders that the line depends on

A shell shows the text of its kind, and requests a new line unless `examined <= now < expires` and none of those files
is newer than the line. So the line's mtime is not the time of writing but the time before its files were examined,
minus one tick of the clock that stamps files: any later change is newer, however soon it came.

A folder's line is that of the nearest project above it, by the real path and by the one typed. A scope file,
`<state>/prompt/<environment>.scope`, tells a shell where the lines of its data directories are. It contains the format,
HOME, CLAUDE_CONFIG_DIR, XDG_CONFIG_HOME, the folder of the lines, and the data directories; one that is reached by a
link is followed by "=" and the link's name, so that a shell notices if the link changes. On the lean lanes.
"""

from __future__ import annotations

import os
import time
from itertools import zip_longest

from ..files import make_private_folder, read_private, write_private
from ..paths import LINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..session import Session

MAGIC = "ccusage-line 1"
LATEST = "latest"  # names the newest session's line; projects' names begin with "-" or a drive letter and "-"
CHUNK = 200  # characters of a name per file name; longer names are split into folders
IDLE = 12 * 3600  # seconds after the last response for which a session is shown
RENEW = 300  # seconds after which an unchanged line is renewed, because today's cost may have changed
RENEW_LATEST = 60  # the same for LATEST, which does not depend on the folders of other projects
RENEW_PARTIAL = 10  # the same until the index is complete: copied lines may still count for the wrong session
_EMPTY_LIFETIME = 86_400  # seconds that a line without text holds if its files do not change
_TICK = 50_000_000  # ns by which the clock of file times may be late; usually 4 to 10 ms
_COARSE_TICK = 2_000_000_000  # ns, for file systems that store whole or even seconds
_MAX_TRANSCRIPTS = 4  # the number of a project's newest transcripts that a line depends on
_MAX_SUBAGENT_FILES = 16  # the number of the newest subagents' files and folders that it depends on
_SECOND = 1_000_000_000


PLAIN, ANSI, BASH, ZSH, TMUX = 6, 7, 8, 10, 12  # the row of each kind of text; bash's and zsh's + 1: coloured
_DEPENDENCIES = 14

_CYAN, _GREEN, _YELLOW, _RED, _RESET = "\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"


# --- names -------------------------------------------------------------------------------------------------------


def munge(path: str) -> str:
    """Return *path* with "-" for every UTF-16 unit that is not an ASCII letter or digit."""
    return "".join(c if c.isascii() and c.isalnum() else "--" if ord(c) > 0xFFFF else "-" for c in path)


def folder_name(path: str) -> str:
    """Return the name of the project folder that Claude Code creates for a working directory."""
    name = munge(path)
    if len(name) <= CHUNK:
        return name
    value = 0
    units = path.encode("utf-16-le", "surrogatepass")
    for low, high in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + low + 256 * high) & 0xFFFFFFFF
    value = value - 2**32 if value >= 2**31 else value
    return f"{name[:CHUNK]}-{_base36(abs(value))}"


def _base36(value: int) -> str:
    digits = ""
    while True:
        value, digit = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if not value:
            return digits


def folders_upwards(cwd: str) -> list[str]:
    """Return a folder and its parents, nearest first: at each level the real path, then the typed one if it differs."""
    typed, real = list(_with_parents(cwd)), list(_with_parents(os.path.realpath(cwd)))
    levels = zip_longest(real, typed)
    return list(dict.fromkeys(path for level in levels for path in level if path is not None))


def _with_parents(path: str) -> Iterator[str]:
    while True:
        yield path
        above = os.path.dirname(path)
        if above == path:
            return
        path = above


def lines_dir(index_dir: str) -> str:
    return os.path.join(index_dir, LINES)


def path_of(folder: str, name: str) -> str:
    return os.path.join(folder, _chunked(name) + ".line")


def _chunked(name: str) -> str:
    return "/".join([name[at : at + CHUNK] for at in range(0, len(name), CHUNK)])


# --- text --------------------------------------------------------------------------------------------------------


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield *text* as pairs: an escape sequence of colour or "", and the text after it without control characters."""
    from ..text import clean

    first, *rest = text.split("\x1b[")
    yield "", clean(first)
    for piece in rest:
        code, ends, after = piece.partition("m")
        if ends and all(c in "0123456789;" for c in code):
            yield f"\x1b[{code}m", clean(after)
        else:
            yield "", clean(piece)


# Each works both if the text is the shell's prompt string and if it is the value of a variable in it. No escape of a
# backtick works in both, so it becomes an apostrophe.
_ESCAPES = {
    # an empty mark of "no width" after them, so that "$" begins no expansion and "\" no escape
    "bash": (str.maketrans({"$": "$\x01\x02", "\\": "\\\x01\x02", "`": "'"}), "\x01", "\x02"),
    "zsh": (str.maketrans({"%": "%%", "$": "$%{%}", "\\": "\\%{%}", "`": "'"}), "%{", "%}"),
    "tmux": (str.maketrans({"#": "##"}), "", ""),
    "": (str.maketrans({}), "", ""),
}


def escape(text: str, shell: str = "", colour: bool = True) -> str:
    """Return *text* on one line, escaped so that *shell* (bash, zsh, tmux, "" for a terminal) shows it and no more."""
    table, before, after = _ESCAPES[shell]
    parts = []
    for sequence, characters in _pieces(text):
        if sequence and colour:
            parts.append(before + sequence + after)
        parts.append(characters.translate(table))
    return "".join(parts)


def default_text(session: Session, today: tuple[int, bool] | None, context: int | None) -> str:
    """Return the coloured text: the session's cost, today's (of StoredMoments.today) and the percentage of context."""
    from ..session import money

    parts = [f"{_CYAN}{session.cost_text}{_RESET}"]
    if today is not None:
        parts.append(f"{money(*today)} today")
    if context is not None:
        colour = _GREEN if context < 50 else _YELLOW if context < 80 else _RED
        parts.append(f"{colour}{context}%{_RESET} context")
    return " · ".join(parts)


# --- files -------------------------------------------------------------------------------------------------------


class Line:
    """The line at a path."""

    __slots__ = ("_rows", "path")

    def __init__(self, path: str, rows: list[str]) -> None:
        self.path = path
        self._rows = rows

    def text(self, kind: int) -> str:
        """Return the text of a kind: PLAIN, ANSI, BASH, ZSH or TMUX."""
        return self._rows[kind]

    @property
    def last(self) -> int:
        """The session's last activity, in seconds since the epoch."""
        return int(self._rows[5])

    def is_expired(self, now: float) -> bool:
        """Return whether *now* (seconds since the epoch) is past its time, or before it: the clock was set back."""
        return not int(self._rows[1]) <= now < int(self._rows[2])

    def is_fresh(self, now: float) -> bool:
        """Return whether the line still holds at *now*, in seconds since the epoch."""
        if self.is_expired(now):
            return False
        mtime = os.stat(self.path).st_mtime_ns
        return not any(_mtime_ns(path) > mtime for path in self._rows[_DEPENDENCIES:])


def _mtime_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def read(path: str) -> Line | None:
    """Return the line at *path*, or None if there is no sound one."""
    rows = _rows_of(path)
    if len(rows) < _DEPENDENCIES or rows[13] != digest(rows):
        return None
    if not all(row.isdigit() for row in (*rows[1:3], rows[5])):
        return None
    return Line(path, rows)


def _rows_of(path: str) -> list[str]:
    rows = (read_private(path) or b"").decode("utf-8", "surrogateescape").split("\n")
    return rows[:-1] if rows[0] == MAGIC else []


def write(
    path: str, text: str, *, examined_ns: int, expires: int, last: int = 0, dependencies: Iterable[str] = ()
) -> None:
    """Write a line of the coloured *text*. *examined_ns* is the time before its dependencies were examined; *expires*
    and *last* are in seconds since the epoch. Raises OSError."""
    watched = list(dict.fromkeys(dependencies))
    if any("\n" in dependency for dependency in watched):  # a line can't name it, so it has to be renewed every 2 s
        watched = [dependency for dependency in watched if "\n" not in dependency]
        expires = min(expires, examined_ns // _SECOND + 2)
    mtime_ns = _line_mtime_ns(examined_ns, watched)
    mtime, examined = mtime_ns // _SECOND, examined_ns // _SECOND
    if "\x1b" in text and not text.endswith(_RESET):
        text += _RESET
    texts = [escape(text, shell, colour) for shell in ("", "bash", "zsh") for colour in (False, True)]
    numbers = (examined, expires, examined - mtime, expires - mtime, last)
    rows = [MAGIC, *map(str, numbers), *texts, escape(text, "tmux", False)]
    rows += [digest(rows), *watched]
    _write_rows(path, rows, mtime_ns)


def digest(rows: Sequence[str]) -> str:
    """Return the digest that protects the numbers of a line: its digits, six at a time."""
    text = "".join(rows[1:13]).replace(".", "77")
    digits = "".join(c for c in text if c in "0123456789")
    total = 0
    for place in range(0, len(digits), 6):
        total = (total * 1_000_000 + int(digits[place : place + 6])) % 999_999_937
    return str(total)


def _line_mtime_ns(examined_ns: int, dependencies: Sequence[str]) -> int:
    """Return the mtime of a line: earlier than any change after *examined_ns*, by the clock that stamps the files."""
    times = [time for time in map(_mtime_ns, dependencies) if time]
    before = examined_ns - (_COARSE_TICK if any(time % _SECOND == 0 for time in times) else _TICK)
    # a time in the future is another clock's; the line must not be older, or it would never hold
    return max([before, *(time for time in times if time > examined_ns + _COARSE_TICK)])


def _write_rows(path: str, rows: Sequence[str], mtime_ns: int | None = None) -> None:
    data = "".join(f"{row}\n" for row in rows).encode("utf-8", "surrogateescape")
    write_private(*os.path.split(path), data, mtime_ns)


def scope_path(state_dir: str, environ: Mapping[str, str]) -> str:
    """Return the path of the scope file of this environment."""
    return os.path.join(state_dir, LINES, _chunked(munge(":".join(_scope(environ)))) + ".scope")


def _scope(environ: Mapping[str, str]) -> list[str]:
    return [environ.get(name, "") for name in ("HOME", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME")]


class Place:
    """The data directories of an environment, the folder of their index and the state directory, looked up once.

    If each function looked them up, a link that is switched meanwhile would put the line of one set of data directories
    among those of another.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        from ..paths import index_dir, named_data_dirs, state_dir

        self.environ = environ
        self.named = named_data_dirs(environ)  # real path -> name
        self.roots = sorted(self.named)
        self.state_dir = state_dir(environ)
        self.index_dir = index_dir(environ, self.roots)


def write_scope(environ: Mapping[str, str], state_dir: str, index_dir: str, roots: Mapping[str, str]) -> None:
    """Write the scope file of these data directories (real path: name); raises OSError."""
    rows = [MAGIC, *_scope(environ), lines_dir(index_dir)]
    for root, named in sorted(roots.items()):
        if _nameable([root, named]) == [root, named]:
            rows += [root, f"={named}"] if named != root else [root]
    path = scope_path(state_dir, environ)
    if _rows_of(path) != rows:
        _write_rows(path, rows)


# --- projects ----------------------------------------------------------------------------------------------------


def _nameable(roots: Sequence[str]) -> list[str]:
    """Return the data directories that a line's file can name; a line that depends on others could never hold."""
    return [root for root in roots if "\n" not in root]


class Project:
    """A project as a shell sees it: the line's name, its folders below the data directories, the sessions' own
    transcripts in them, newest first, and the subagents' transcripts beside those."""

    __slots__ = ("folders", "name", "subagents", "transcripts")

    def __init__(self, name: str, folders: list[str]) -> None:
        from ..transcripts.files import SUBAGENT

        self.name = name
        self.folders = folders
        self.subagents: list[str] = []
        self.transcripts: list[str] = []
        for path in sorted(_transcripts(folders), key=lambda path: (_mtime_ns(path), path), reverse=True):
            beside = os.path.basename(path).startswith(SUBAGENT)
            (self.subagents if beside else self.transcripts).append(path)


def _transcripts(folders: Iterable[str]) -> Iterator[str]:
    """Yield the transcripts in *folders*, and those that a session has in a folder of its own there."""
    from ..transcripts.files import CHAT, is_transcript, subfolders

    for folder in folders:
        try:
            with os.scandir(folder) as listing:
                yield from [entry.path for entry in listing if is_transcript(entry.name) and entry.is_file()]
        except OSError:
            continue
        chats = [os.path.join(folder, name, CHAT) for name in subfolders(folder)]
        yield from filter(os.path.isfile, chats)


def _session_files(transcript: str) -> Iterator[str]:
    """Yield the folder beside or around a session's own transcript, and everything below it."""
    from ..transcripts.files import CHAT, stem

    folder, name = os.path.split(transcript)
    for place, folders, files in os.walk(folder if name == CHAT else os.path.join(folder, stem(name))):
        folders[:] = [name for name in folders if name not in ("tool-results", "memory")]
        yield from (place, *(os.path.join(place, name) for name in files))


def nearest_project(roots: Sequence[str], cwd: str) -> tuple[Project | None, list[Project]]:
    """Return the project of a folder, and those that a shell meets on the way to it: projects without transcripts, and
    paths whose names are too long for it to know whether there is a project."""
    passed: list[Project] = []
    for path in folders_upwards(cwd):
        name = munge(path)
        folders = [os.path.join(root, folder_name(path)) for root in _nameable(roots)]
        folders = [folder for folder in folders if os.path.isdir(folder)]
        if folders or len(name) > CHUNK:
            project = Project(name, folders)
            if project.transcripts:
                return project, passed
            passed.append(project)
    return None, passed


def _dependencies(project: Project, transcript: str) -> list[str]:
    """Return what a project's line depends on: its folders, its newest transcripts, the subagents of *transcript*."""
    others = [*project.subagents, *(_session_files(transcript) if transcript else ())]
    recent = sorted(others, key=_mtime_ns, reverse=True)[:_MAX_SUBAGENT_FILES]
    return [*project.folders, *project.transcripts[:_MAX_TRANSCRIPTS], *recent]


# --- publishing --------------------------------------------------------------------------------------------------


def publish(
    place: Place,
    session: Session,
    project: Project,
    passed: Sequence[Project] = (),
    *,
    examined_ns: int,
    today: tuple[int, bool] | None = None,
    context: int | None = None,
    partial: bool = False,
) -> None:
    """Write the lines of *project* and of those *passed* (by `nearest_project`), and perhaps that of LATEST.

    *session* is the newest of the project; *examined_ns* is the time before its files were examined. *today* and
    *context* are those of `default_text`, None omits them. *partial*: not all transcripts have been read. Raises
    OSError.
    """
    from ..answer import client_path

    folder = _prepare_folder(place)
    transcript = project.transcripts[0]
    seconds = examined_ns // _SECOND
    last = session.last // 1_000_000 if session.last is not None else 0
    text, expires = "", seconds + _EMPTY_LIFETIME
    if session.responses and seconds < last + IDLE:
        text = default_text(session, today, context)
        expires = min(_midnight(seconds), last + IDLE, seconds + RENEW)
    if partial:
        expires = min(expires, seconds + RENEW_PARTIAL)
    watched = [*_dependencies(project, transcript), client_path(os.path.dirname(folder), session.id)]
    passed_folders = [path for other in passed for path in other.folders]
    for each in (project, *passed):
        path, dependencies = path_of(folder, each.name), [*watched, *passed_folders]
        write(path, text, examined_ns=examined_ns, expires=expires, last=last, dependencies=dependencies)
    path = path_of(folder, LATEST)
    latest = read(path)
    if latest is None or latest.last <= last or latest.is_expired(time.time()):
        expires = min(expires, seconds + RENEW_LATEST)
        write(path, text, examined_ns=examined_ns, expires=expires, last=last, dependencies=watched)


def _prepare_folder(place: Place) -> str:
    """Return the folder of the lines, after creating it and writing the scope file."""
    state, index = place.state_dir, place.index_dir
    folder = lines_dir(index)
    for path in (state, index, os.path.join(state, LINES), folder):
        make_private_folder(path)
    write_scope(place.environ, state, index, place.named)
    return folder


def publish_empty(place: Place, projects: Iterable[Project], *, examined_ns: int) -> None:
    """Write lines without text where a shell asked but there is nothing to show, or not yet. Raises OSError."""
    folder = _prepare_folder(place)
    for project in projects:
        path = path_of(folder, project.name)
        expires = examined_ns // _SECOND + (RENEW_LATEST if project.transcripts else _EMPTY_LIFETIME)
        write(path, "", examined_ns=examined_ns, expires=expires, dependencies=_dependencies(project, ""))


def _midnight(now: int) -> int:
    """Return the next local midnight after *now*, in seconds since the epoch."""
    local = time.localtime(now)
    return int(time.mktime((local.tm_year, local.tm_mon, local.tm_mday + 1, 0, 0, 0, 0, 0, -1)))
