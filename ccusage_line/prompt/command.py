"""The command `ccusage prompt`: the ready line for anything but a shell hook, and the refresher that hooks start.

On the lean lanes: imports os, sys and time, and the index only if a line has to be made.
"""

from __future__ import annotations

import os
import sys
import time

from .. import recent
from ..files import make_private_folder, names_in
from ..paths import LINES, state_dir
from . import line as readyline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..index.index import Index
    from .line import Line

KINDS = {"starship": readyline.PLAIN, "p10k": readyline.ZSH, "tmux": readyline.TMUX}
MARKER = "refreshing"  # the hook that starts a refresher makes this file, the refresher deletes it
_LOCK = "refresh.lock"
_ATTEMPTS = 3  # of one refresher while the files keep changing
_WAIT = 1.0  # seconds to wait for another process that refreshes


def answer(argv: Sequence[str]) -> bool:
    """Print the text or refresh the line; return False if the full command line has to handle these options."""
    options = _parse_options(argv)
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
    """Show a folder's line in a form of KINDS, or refresh it and have the shell with process id *redraw* notified."""
    folder = os.path.normpath(os.path.join(_cwd(environ), cwd)) if cwd else None
    try:
        if refresh:
            refresh_detached(environ, folder or _cwd(environ), redraw or None)
        else:
            shown = text(environ, kind, folder)
            sys.stdout.buffer.write(shown.encode("utf-8", "surrogateescape"))  # UTF-8 in every locale
    except Exception as error:
        from ..errors import UserError

        if not isinstance(error, (UserError, OSError)):  # other commands report problems of folders
            raise


def _parse_options(argv: Sequence[str]) -> dict[str, str] | None:
    """Return the options by name, or None if anything but an exact spelling is among them."""
    options = {}
    words = iter(argv)
    for name in words:
        name, equals, value = name.partition("=")
        if name == "--refresh" and not equals:
            options[name] = ""
        elif name in ("--for", "--cwd", "--redraw"):
            value = value if equals else next(words, "")
            if not value or (name == "--for" and value not in KINDS):
                return None
            options[name] = value
        else:
            return None
    return options


def _cwd(environ: Mapping[str, str]) -> str:
    """Return the working directory as the user typed it, if the shell sets PWD to it; "/" if it no longer exists."""
    typed = environ.get("PWD", "")
    try:
        if typed.startswith("/") and os.path.samefile(typed, "."):
            return typed
        return os.getcwd()
    except OSError:
        return "/"


# --- showing -----------------------------------------------------------------------------------------------------


def text(environ: Mapping[str, str], kind: str | None = None, cwd: str | None = None) -> str:
    """Return a folder's line as text with a newline, refreshed if it is out of date; "" outside of projects.

    *kind* is one of KINDS. For tmux without *cwd* it is the line of the newest session, because tmux has no folder.
    """
    folder = None if kind == "tmux" and cwd is None else cwd or _cwd(environ)
    line = find_line(environ, folder)
    if line is None or not line.is_fresh(time.time()):
        try:
            refresh(environ, folder)
        except Exception:  # in a prompt, an old line or none is better than a message
            pass
        line = find_line(environ, folder)
    shown = line.text(KINDS[kind] if kind else readyline.PLAIN) if line else ""
    return f"{shown}\n" if shown else ""


def find_line(environ: Mapping[str, str], cwd: str | None) -> Line | None:
    """Return a folder's line, or the newest session's if *cwd* is None; None outside of projects or if not yet made."""
    place = readyline.Place(environ)
    folder = readyline.lines_dir(place.index_dir)
    if cwd is None:
        return readyline.read(readyline.path_of(folder, readyline.LATEST))
    for path in readyline.folders_upwards(cwd):
        name = readyline.munge(path)
        line = readyline.read(readyline.path_of(folder, name))
        if line is not None:
            return line
        if len(name) > readyline.CHUNK or any(os.path.isdir(os.path.join(root, name)) for root in place.roots):
            return None
    return None


# --- refreshing --------------------------------------------------------------------------------------------------


def refresh(environ: Mapping[str, str], cwd: str | None) -> None:
    """Update the line of *cwd*, or that of the newest session of all if it is None.

    Raises OSError, and index.schema.Outdated if the index has an older version's schema.
    """
    for _ in range(_ATTEMPTS):
        if not _refresh_once(environ, cwd):
            return
        line = find_line(environ, cwd)
        if line is None or line.is_fresh(time.time()):
            return


def _refresh_once(environ: Mapping[str, str], cwd: str | None) -> bool:
    """Update the line once; return whether there is a session to show."""
    examined_ns = time.time_ns()
    place = readyline.Place(environ)
    project, passed = readyline.nearest_project(place.roots, cwd) if cwd else (_newest_project(place.roots), [])
    if project is None or not _publish(environ, place, project, passed, examined_ns):
        readyline.publish_empty(place, [*([project] if project else []), *passed], examined_ns=examined_ns)
        return False
    return True


def _newest_project(roots: Sequence[str]) -> readyline.Project | None:
    """Return the project whose transcript was written last."""
    folders = [(name, os.path.join(root, name)) for root in roots for name in names_in(root)]
    projects = [readyline.Project(name, [folder]) for name, folder in folders]
    used = [project for project in projects if project.transcripts]
    return max(used, key=lambda project: (os.stat(project.transcripts[0]).st_mtime_ns, project.name), default=None)


def _publish(
    environ: Mapping[str, str],
    place: readyline.Place,
    project: readyline.Project,
    passed: Sequence[readyline.Project],
    examined_ns: int,
) -> bool:
    from ..background import spawn
    from ..index.index import Index, configured_prices
    from ..index.schema import Outdated
    from ..transcripts.files import parts_below, path_session

    try:
        index = Index(place.index_dir, place.roots, configured_prices(environ), _WAIT, migrate=False)
    except Outdated:  # the old line is shown until the index is migrated
        spawn("index", "sweep")
        raise
    try:
        id = path_session(parts_below(project.transcripts[0], place.roots) or ("",))
        index.refresh_session(id)
        session = index.session(id)
        last_sweep = recent.last_sweep(index.folder)
        today = _today(index, last_sweep, examined_ns // 1000)
        context = _context(index, id)
        partial = not index.complete
        if index.stored and (partial or recent.begin_sweep(index.folder, last_sweep, recent.SWEEP)):
            spawn("index", "sweep")  # only one process at a time sweeps
    finally:
        index.close()
    if session is None:
        return False
    readyline.publish(
        place, session, project, passed, examined_ns=examined_ns, today=today, context=context, partial=partial
    )
    return True


def _context(index: Index, session: str) -> int | None:
    """Return the percentage of its context window that a session's last prompt filled, rounded down, or None.

    The window that the client reported overrides the price table's, unless the prompt is larger than it.
    """
    from ..answer import read_client_values

    tokens, model = index.last_context(session) or (0, "")
    if not tokens:
        return None
    _, reported = read_client_values(index.folder, session)
    window = reported if reported is not None and tokens <= reported else index.table.window(model, tokens)
    return tokens * 100 // window if window else None


def _today(index: Index, last_sweep: os.stat_result | None, now_us: int) -> tuple[int, bool] | None:
    """Return today's cost of all sessions as StoredMoments.today does, or None; *last_sweep*: recent.last_sweep."""
    if not (index.complete and index.stored) or not recent.covers_all(index.folder, last_sweep):
        return None
    from ..windows import NEXT_DAY, StoredMoments, day_start

    begin = day_start(now_us, None)
    return StoredMoments(index.db, "auto").today(begin, day_start(begin + NEXT_DAY, None))


def refresh_detached(environ: Mapping[str, str], cwd: str, shell: str | None = None) -> None:
    """Run `refresh` for a hook: detached from the terminal, and in one process at a time.

    If the line has changed, SIGWINCH, which ends no process, is sent to the process *shell*. After a failure the marker
    stays, so that the next attempt waits until it is old.
    """
    from ..locks import lock

    _detach()
    folder = os.path.join(state_dir(environ), LINES)
    make_private_folder(os.path.dirname(folder))
    make_private_folder(folder)
    held = lock(os.path.join(folder, _LOCK))  # held until the process ends
    if held is None:
        return
    before = _shown_text(environ, cwd)
    refresh(environ, cwd)
    _delete_leftovers(folder)
    try:
        os.unlink(os.path.join(folder, MARKER))
    except FileNotFoundError:
        pass
    if shell and shell.isdigit() and _shown_text(environ, cwd) != before:
        _notify_shell(int(shell))


def _detach() -> None:
    """Start a session of our own, with the null device as descriptors 0, 1 and 2."""
    if sys.platform == "win32":
        return
    try:
        os.setsid()
    except OSError:  # a group's leader can't call setsid, but its child can
        if os.fork():
            os._exit(0)
        os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _shown_text(environ: Mapping[str, str], cwd: str) -> str:
    line = find_line(environ, cwd)
    return line.text(readyline.ANSI) if line else ""


def _notify_shell(shell: int) -> None:
    if sys.platform == "win32":
        return
    import signal

    try:
        os.kill(shell, signal.SIGWINCH)
    except OSError:
        pass


def _delete_leftovers(folder: str) -> None:
    """Delete what shells that have ended left behind: the files into which bash writes its physical directory."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith("pwd.") and os.stat(path).st_mtime < time.time() - 86_400:
            os.unlink(path)
