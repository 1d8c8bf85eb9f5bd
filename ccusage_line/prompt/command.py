"""`ccusage prompt`: the ready line for whatever is no shell hook, and the refresher that the hooks start.

On the lean lanes: imports os, sys and time; the index only where a line has to be made.
"""

from __future__ import annotations

import os
import sys
import time

from .. import recent
from ..files import names_in, private_dir
from ..paths import LINES, state_dir
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
    run(
        os.environ,
        kind=options.get("--for"),
        cwd=options.get("--cwd"),
        refresh="--refresh" in options,
        redraw=options.get("--redraw"),
    )
    return True


def run(environ: Mapping[str, str], *, kind: str | None, cwd: str | None, refresh: bool, redraw: str | None) -> None:
    """Show the line of a folder in a form of KINDS, or refresh it and have the shell *redraw* (its process) tell."""
    folder = os.path.normpath(os.path.join(_cwd(environ), cwd)) if cwd else None
    try:
        if refresh:
            refresh_detached(environ, folder or _cwd(environ), redraw or None)
        else:
            shown = text(environ, kind, folder)
            sys.stdout.buffer.write(shown.encode("utf-8", "surrogateescape"))  # whatever the locale says
    except Exception as error:
        from ..errors import UserError

        if not isinstance(error, (UserError, OSError)):  # other commands tell what is wrong with a place
            raise


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
    folder = None if kind == "tmux" and cwd is None else cwd or _cwd(environ)
    line = find(environ, folder)
    if line is None or not line.fresh(time.time()):
        try:
            refresh(environ, folder)
        except Exception:  # in a prompt an old line, or none, is better than a message
            pass
        line = find(environ, folder)
    shown = line.text(KINDS[kind] if kind else readyline.PLAIN) if line else ""
    return f"{shown}\n" if shown else ""


def find(environ: Mapping[str, str], cwd: str | None) -> Line | None:
    """The line of a folder, as a shell finds it, or that of the newest session of all: None outside of projects, and
    where it has to be made first."""
    place = readyline.Place(environ)
    folder = readyline.lines_dir(place.index_dir)
    if cwd is None:
        return readyline.read(readyline.path_of(folder, readyline.LATEST))
    for path in readyline.levels(cwd):
        name = readyline.munged(path)
        line = readyline.read(readyline.path_of(folder, name))
        if line is not None:
            return line
        if len(name) > readyline.CHUNK or any(os.path.isdir(os.path.join(root, name)) for root in place.roots):
            return None
    return None


# --- refreshing --------------------------------------------------------------------------------------------------


def refresh(environ: Mapping[str, str], cwd: str | None) -> None:
    """Bring the line of *cwd* up to date, or that of the newest session of all.

    Raises OSError, and index.schema.Outdated while the index is an older version's.
    """
    for _ in range(_ROUNDS):
        if not _refresh(environ, cwd):
            return
        line = find(environ, cwd)
        if line is None or line.fresh(time.time()):
            return


def _refresh(environ: Mapping[str, str], cwd: str | None) -> bool:
    """One look; whether a session was found to show."""
    looked = time.time_ns()
    place = readyline.Place(environ)
    project, passed = readyline.nearest(place.roots, cwd) if cwd else (_newest_project(place.roots), [])
    if project is None or not _publish(environ, place, project, passed, looked):
        readyline.publish_nothing(place, [*([project] if project else []), *passed], looked=looked)
        return False
    return True


def _newest_project(roots: Sequence[str]) -> readyline.Project | None:
    """The project with the transcript that was written last."""
    found = []
    for root in roots:
        projects = [readyline.Project(name, [os.path.join(root, name)]) for name in names_in(root)]
        found += [(os.stat(p.transcripts[0]).st_mtime_ns, p.name, p) for p in projects if p.transcripts]
    return max(found)[2] if found else None


def _publish(
    environ: Mapping[str, str],
    place: readyline.Place,
    project: readyline.Project,
    passed: Sequence[readyline.Project],
    looked: int,
) -> bool:
    from ..background import spawn
    from ..index.index import Index, prices_asked_for
    from ..index.schema import Outdated
    from ..transcripts.files import parts_below, path_session

    try:
        index = Index(place.index_dir, place.roots, prices_asked_for(environ), _WAIT, migrate=False)
    except Outdated:  # an old line is better than none
        spawn("index", "sweep")
        raise
    try:
        id = path_session(parts_below(project.transcripts[0], place.roots) or ("",))
        index.refresh_session(id)
        session = index.session(id)
        look = recent.last_look(index.folder)
        today = _today(index, look, looked // 1000)
        context = _context(index, id)
        early = not index.complete
        if index.stored and (early or recent.begin_look(index.folder, look, recent.SWEEP)):
            spawn("index", "sweep")  # which only one process at a time does
    finally:
        index.close()
    if session is None:
        return False
    readyline.publish(place, session, project, passed, looked=looked, today=today, context=context, early=early)
    return True


def _context(index: Index, session: str) -> int | None:
    """Percent of its model's window that a session's last prompt filled, rounded down; None where that is unknown.

    The window that the client told overrides the table's; one that can't hold the prompt is not used.
    """
    from ..answer import said

    tokens, model = index.last_context(session) or (0, "")
    if not tokens:
        return None
    _, told = said(index.folder, session)
    window = told if told is not None and tokens <= told else index.table.window(model, tokens)
    return tokens * 100 // window if window else None


def _today(index: Index, look: os.stat_result | None, now_us: int) -> tuple[int, bool] | None:
    """What the local day has cost so far in all sessions, as windows.Stored tells it; None while that is not known;
    *look* as recent.last_look has it."""
    if not (index.complete and index.stored) or not recent.is_known(index.folder, look):
        return None
    from ..windows import NEXT_DAY, Stored, day_start

    begin = day_start(now_us, None)
    return Stored(index.db, "auto").today(begin, day_start(begin + NEXT_DAY, None))


def refresh_detached(environ: Mapping[str, str], cwd: str, shell: str | None = None) -> None:
    """What a hook starts: `refresh` out of its sight, one at a time.

    *shell* is the process to be told by SIGWINCH, which no process dies of, that its line has changed. After a failure
    the marker stays, so that the next try waits until it is old.
    """
    from ..locks import lock

    _detach()
    folder = os.path.join(state_dir(environ), LINES)
    private_dir(os.path.dirname(folder))
    private_dir(folder)
    held = lock(os.path.join(folder, _LOCK))  # until the process ends
    if held is None:
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
    if sys.platform == "win32":
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
    if sys.platform == "win32":
        return
    import signal

    try:
        os.kill(shell, signal.SIGWINCH)
    except OSError:
        pass


def _tidy(folder: str) -> None:
    """Remove what shells that are gone have left: the file into which bash writes its real folder."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith("pwd.") and os.stat(path).st_mtime < time.time() - 86_400:
            os.unlink(path)
