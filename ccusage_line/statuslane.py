"""`ccusage statusline` on the lean lanes: the published numbers, else those counted on the spot; then the line.

It never fails and never blocks: whatever goes wrong costs what it tells, and after LATEST seconds the line is made of
what the client itself said.
"""

from __future__ import annotations

import os
import time

from . import blocks, payload, statusline
from .fastlane import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .recent import Moment
    from .session import Session
    from .statusline import Options

LATEST = 0.85  # seconds until a line is shown whatever the disk does; the design promises one
SWEEP = 60.0  # seconds between two looks at what other sessions appended
_SWEPT = "swept"  # its time is that of the last one


class Found:
    """What the index told."""

    __slots__ = ("complete", "context", "fork", "moments", "session")

    def __init__(
        self,
        session: Session | None = None,
        moments: list[Moment] | None = None,
        complete: bool = False,
        fork: bool = False,
        context: tuple[int, str] | None = None,
    ) -> None:
        self.session = session
        self.moments = moments or []
        self.complete = complete
        self.fork = fork
        self.context = context


def answer(words: list[str]) -> bool:
    """Whether the line was printed; if not, the command line proper has to say what is wrong with the options."""
    configured, labels = _configured()
    options = statusline.parse_options([*configured, *words])
    if options is None:
        return False
    options.labels = labels
    show(options)
    return True


def _configured() -> tuple[list[str], dict[str, str]]:
    """The config's words for the statusline, and its labels for models; nothing where it can't be read."""
    from .price_store import settled

    try:
        known = settled(os.environ)
        if known is None:
            from .config import load

            config = load(os.environ)
            return config.arguments_for("statusline", os.environ), config.labels
        if not known.values:
            return [], known.labels
        from .config import arguments

        return arguments("statusline", known.values, os.environ), known.labels
    except Exception:  # the command line proper says what is wrong with it
        return [], {}


def show(options: Options) -> None:
    """Read the payload, print the line, then look after the index."""
    given = payload.parse(payload.read(0))
    watch = _Watch(given, options)
    reasons: list[str] = []
    found, afterwards = Found(), None
    try:
        found, afterwards = _find(given, options)
    except Exception as error:  # a broken index costs its numbers, not the line
        reasons.append(f"index: {type(error).__name__}")
    line = _line(given, found, options, reasons)
    if not watch.stop():
        return
    write(line + "\n")
    _after(afterwards, found.complete, reasons)


def _line(given: object, found: Found, options: Options, reasons: list[str]) -> str:
    now = time.time_ns() // 1000
    start = statusline.day_start(options, now, reasons)
    place = 1 + statusline.MODES.index(options.mode)
    moments = [(moment[0], moment[place], moment[4]) for moment in found.moments]
    numbers = statusline.Numbers(
        session=found.session,
        today=blocks.today(moments, now, start),
        block=blocks.block(moments, now, payload.resets_at(given)),
        complete=found.complete,
        fork=found.fork,
        last_context=found.context,
    )
    return statusline.render(given, numbers, options, os.environ, now, reasons)


def _find(given: object, options: Options) -> tuple[Found, Any]:
    """What the index knows, and what remains to be done once the line is out."""
    from .paths import index_dir

    folder = index_dir(os.environ)
    session = payload.session_id(given, os.environ)
    wants_context = payload.at(given, "context_window", "current_usage") is None
    if session is not None and not wants_context:
        found = _published(folder, session, options.mode)
        if found is not None:
            return found, None
    return _counted(folder, session, options.mode, wants_context)


def _published(folder: str, session: str, mode: str) -> Found | None:
    """Lane 1."""
    from . import recent
    from .answer import read, session_of
    from .price_store import config_path

    moments = recent.read(folder)
    told = read(folder, session, config_path(os.environ)) if moments is not None else None
    if told is None:
        return None
    return Found(session_of(told, mode), moments, complete=True, fork=told.fork)


def _counted(folder: str, session: str | None, mode: str, wants_context: bool) -> tuple[Found, Any]:
    """Lane 2, and what there is while the index is not complete."""
    from .index import WAIT_ONE, Index
    from .lane2 import Lane2
    from .paths import data_dirs

    index = Index(folder, data_dirs(os.environ), wait=WAIT_ONE)
    found = Found(complete=index.complete)
    afterwards = None
    if session is not None and index.refresh_session(session):
        found.session = index.session(session, mode)
        found.fork = index.is_fork(session)
        found.context = index.last_context(session) if wants_context else None
        if found.session is not None and index.stored and found.complete:
            afterwards = Lane2(index, found.session)
    if found.complete:
        found.moments = index.moments(time.time_ns() // 1000)
    return found, afterwards


def _after(afterwards: Any, complete: bool, reasons: list[str]) -> None:
    """Once the line is out: publish, look after the rest of the index, keep the log."""
    try:
        if afterwards is not None:
            afterwards.publish(recent=True)
            afterwards.leave()
        _sweep()
        if reasons:
            from .statuslog import note

            note(os.environ, reasons, time.time_ns() // 1000)
    except Exception:  # the line is out: nothing is worth a failure
        return


def _sweep() -> None:
    """Have somebody read what other sessions appended, or all of it the first time; at most once a minute."""
    from .paths import index_dir

    marker = os.path.join(index_dir(os.environ), _SWEPT)
    try:
        if time.time() - os.stat(marker).st_mtime < SWEEP:
            return
    except OSError:
        pass
    os.close(os.open(marker, os.O_WRONLY | os.O_CREAT, 0o600))
    os.utime(marker)
    from .detach import spawn

    spawn("index", "sweep")


class _Watch:
    """Prints the line without the index, and ends the process, if that takes too long."""

    def __init__(self, given: object, options: Options) -> None:
        import _thread

        self._given = given
        self._options = options
        self._running = _thread.allocate_lock()
        self._running.acquire()
        self._claimed = _thread.allocate_lock()  # by whoever prints
        _thread.start_new_thread(self._wait, ())

    def _wait(self) -> None:
        if self._running.acquire(timeout=LATEST) or not self._claimed.acquire(blocking=False):
            return
        try:
            write(_line(self._given, Found(), self._options, []) + "\n")
        finally:
            os._exit(0)

    def stop(self) -> bool:
        """Whether the caller is to print."""
        mine = self._claimed.acquire(blocking=False)
        self._running.release()
        return mine
