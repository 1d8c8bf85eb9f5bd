"""`ccusage prompt`: the ready line for whatever is no shell hook, and the refresher that the hooks start.

On the lean lanes: imports os, sys and time; the index only where a line has to be made.
"""

from __future__ import annotations

import os
import sys
import time

from ..paths import LINES, data_dirs, index_dir, state_dir
from . import line as readyline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..index.index import Index
    from .line import Line

KINDS = {"starship": readyline.PLAIN, "p10k": readyline.ZSH, "tmux": readyline.TMUX}
MARKER = "refreshing"  # made by the hook that starts a refresher, removed by the refresher
_LOCK = "refresh.lock"
_ROUNDS = 3  # looks of one refresher, while what it looks at goes on changing
_WAIT = 1.0  # seconds it waits for somebody else's refresh


def answer(argv: Sequence[str]) -> bool:
    """Whether the words behind `prompt` were understood and done; the text goes to stdout."""
    options = _options(argv)
    if options is None:
        return False
    folder = options.get("--cwd")
    if folder is not None:
        folder = os.path.normpath(os.path.join(_cwd(os.environ), folder))
    if "--refresh" in options:
        refresh_detached(os.environ, folder or _cwd(os.environ), options.get("--redraw"))
    else:
        shown = text(os.environ, options.get("--for"), folder)
        sys.stdout.buffer.write(shown.encode("utf-8", "surrogateescape"))  # whatever the locale says
    return True


def _options(argv: Sequence[str]) -> dict[str, str] | None:
    """The options by name, None for anything but exact spellings."""
    found = {}
    words = iter(argv)
    for name in words:
        name, equals, value = name.partition("=")
        if name == "--refresh" and not equals:
            found[name] = ""
        elif name in ("--for", "--cwd", "--redraw"):
            value = value if equals else next(words, "")
            if not value or (name == "--for" and value not in KINDS):
                return None
            found[name] = value
        else:
            return None
    return found


def _cwd(environ: Mapping[str, str]) -> str:
    """The working directory as typed, where the shell told it; "/" where it is gone."""
    typed = environ.get("PWD", "")
    try:
        if typed.startswith("/") and os.path.samefile(typed, "."):
            return typed
        return os.getcwd()
    except OSError:
        return "/"


# --- showing -----------------------------------------------------------------------------------------------------


def text(environ: Mapping[str, str], kind: str | None = None, cwd: str | None = None) -> str:
    """The text of a folder's line, with a newline, made anew where it does not hold; "" outside of projects.

    *kind* is one of KINDS. tmux without a folder gets the newest session of all: it has no folder of its own.
    """
    latest = kind == "tmux" and cwd is None
    cwd = cwd or _cwd(environ)
    line = _latest(environ) if latest else find(environ, cwd)
    if line is None or not line.fresh(time.time()):
        try:
            refresh(environ, None if latest else cwd)
        except Exception:  # in a prompt an old line, or none, is better than a message
            pass
        line = _latest(environ) if latest else find(environ, cwd)
    shown = line.text(KINDS[kind] if kind else readyline.PLAIN) if line else ""
    return f"{shown}\n" if shown else ""


def find(environ: Mapping[str, str], cwd: str) -> Line | None:
    """The line of a folder, as a shell finds it: None outside of projects, and where it has to be made first."""
    folder = readyline.lines_dir(index_dir(environ))
    roots = data_dirs(environ)
    for path in readyline.levels(cwd):
        name = readyline.munged(path)
        line = readyline.read(readyline.path_of(folder, name))
        if line is not None:
            return line
        if len(name) > readyline.CHUNK or any(os.path.isdir(os.path.join(root, name)) for root in roots):
            return None
    return None


def _latest(environ: Mapping[str, str]) -> Line | None:
    folder = readyline.lines_dir(index_dir(environ))
    return readyline.read(readyline.path_of(folder, readyline.LATEST))


# --- refreshing --------------------------------------------------------------------------------------------------


def refresh(environ: Mapping[str, str], cwd: str | None) -> None:
    """Bring the line of *cwd* up to date, or that of the newest session of all.

    Raises OSError, and database.Outdated while the index is an older version's.
    """
    for _ in range(_ROUNDS):
        if not _refresh(environ, cwd):
            return
        line = _latest(environ) if cwd is None else find(environ, cwd)
        if line is None or line.fresh(time.time()):
            return


def _refresh(environ: Mapping[str, str], cwd: str | None) -> bool:
    """One look; whether a session was found to show."""
    looked = time.time_ns()
    roots = data_dirs(environ)
    project, passed = readyline.nearest(roots, cwd) if cwd else (_newest_project(roots), [])
    if project is None or not _publish(environ, roots, project, passed, looked):
        readyline.publish_nothing(environ, [*([project] if project else []), *passed], looked=looked)
        return False
    return True


def _newest_project(roots: Sequence[str]) -> readyline.Project | None:
    """The project with the transcript that was written last."""
    found = []
    for root in roots:
        try:
            names = os.listdir(root)
        except OSError:
            continue
        projects = [readyline.Project(name, [os.path.join(root, name)]) for name in names]
        found += [(os.stat(p.transcripts[0]).st_mtime_ns, p.name, p) for p in projects if p.transcripts]
    return max(found)[2] if found else None


def _publish(
    environ: Mapping[str, str],
    roots: list[str],
    project: readyline.Project,
    passed: Sequence[readyline.Project],
    looked: int,
) -> bool:
    from ..background import spawn
    from ..index.index import Index
    from ..index.schema import Outdated
    from ..transcripts.files import stem

    transcript = project.transcripts[0]
    try:
        index = Index(index_dir(environ), roots, wait=_WAIT, migrate=False)
    except Outdated:  # an old line is better than none
        spawn("index", "sweep")
        raise
    try:
        id = stem(os.path.basename(transcript))
        index.refresh_session(id)
        session = index.session(id)
        today = _today(index, looked // 1000)
        context = _context(index, id)
        if index.stored and not index.complete:
            spawn("index", "sweep")  # which only one process at a time does
    finally:
        index.close()
    if session is None:
        return False
    readyline.publish(
        environ, session, transcript, looked=looked, today=today, context=context, project=project, passed=passed
    )
    return True


def _context(index: Index, session: str) -> int | None:
    """Percent of its model's window that a session's last prompt filled, rounded down; None where that is unknown.

    The client's word for the window goes before the table's; a window that can't hold the prompt is not the one.
    """
    from ..answer import said

    tokens, model = index.last_context(session) or (0, "")
    if not tokens:
        return None
    _, told = said(index.folder, session)
    window = told if told is not None and tokens <= told else index.table.window(model, tokens)
    return tokens * 100 // window if window else None


def _today(index: Index, now_us: int) -> int | None:
    """What the local day has cost so far in all sessions, in 1e-12 dollar; None while the index is not complete."""
    if not index.complete:
        return None
    from ..windows import day_start

    found = index.db.execute(
        "SELECT auto FROM moments WHERE timestamp BETWEEN ? AND ?", (day_start(now_us, None), now_us)
    )
    return sum(int(cost) for (cost,) in found)


def refresh_detached(environ: Mapping[str, str], cwd: str, shell: str | None = None) -> None:
    """What a hook starts: `refresh` out of its sight, one at a time.

    *shell* is the process to be told by SIGWINCH, which no process dies of, that its line has changed. After a failure
    the marker stays, so that the next try waits until it is old.
    """
    from ..background import alone

    _detach()
    folder = os.path.join(state_dir(environ), LINES)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    lock = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    if not alone(lock):
        return
    before = _shown(environ, cwd)
    refresh(environ, cwd)
    _tidy(folder)
    try:
        os.unlink(os.path.join(folder, MARKER))
    except FileNotFoundError:
        pass
    if shell and shell.isdigit() and _shown(environ, cwd) != before:
        _tell(int(shell))


def _detach() -> None:
    """A session of our own, and nothing of the caller's on 0, 1 and 2."""
    if not hasattr(os, "setsid"):
        return
    try:
        os.setsid()
    except OSError:  # the leader of a group can't; a child of it can
        if os.fork():
            os._exit(0)
        os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _shown(environ: Mapping[str, str], cwd: str) -> str:
    line = find(environ, cwd)
    return line.text(readyline.ANSI) if line else ""


def _tell(shell: int) -> None:
    from signal import SIGWINCH

    try:
        os.kill(shell, SIGWINCH)
    except OSError:
        pass


def _tidy(folder: str) -> None:
    """Remove what shells that are gone have left: the file into which bash writes its real folder."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith("pwd.") and os.stat(path).st_mtime < time.time() - 86_400:
            os.unlink(path)
