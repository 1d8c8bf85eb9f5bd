"""`ccusage statusline` on the lean lanes: the published numbers, else those counted on the spot; then the line.

It never fails and never blocks: whatever goes wrong costs what it tells, and after LATEST seconds the line is made of
what the client itself said.
"""

from __future__ import annotations

import os
import time

from ..files import print_text
from . import line as statusline
from . import payload
from .line import Numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..answer import Said
    from ..index.publishing import Lane2
    from ..moments import Listed, Stored
    from ..session import Session
    from ..windows import Block
    from .line import Options

LATEST = 0.7  # seconds from the start until a line is shown whatever the disk does; the design promises one
_LAST_WORD = 0.05  # seconds after LATEST for the log
_TO_PRINT = 0.25  # seconds after LATEST for a line that was about to be printed then
SWEEP = 60.0  # seconds between two looks at what other sessions appended
FIRST_SWEEP = 5.0  # the same while not everything has been read once: whoever reads may have been killed
_SWEPT = "swept"  # its time is that of the last one; empty before the first


class Found:
    """What the index told."""

    __slots__ = ("began", "complete", "context", "fork", "inherited", "moments", "session", "unknown", "unwritten")

    def __init__(
        self,
        session: Session | None = None,
        moments: Listed | Stored | None = None,
        complete: bool = False,
        fork: bool = False,
        unknown: bool = False,
        began: int | None = None,
    ) -> None:
        self.session = session
        self.moments = moments  # of all sessions; None where there is no complete index
        self.complete = complete
        self.fork = fork
        self.began = began
        self.unknown = unknown  # the session could not be asked for
        self.context: tuple[int, str] | None = None
        self.inherited: int | None = None  # as in statusline.Numbers
        self.unwritten = False

    def numbers(self, today: int | None = None, block: Block | None = None, day: int | None = None) -> Numbers:
        """What was found, with what a moment makes of it."""
        return Numbers(
            session=self.session,
            today=today,
            block=block,
            complete=self.complete,
            fork=self.fork,
            last_context=self.context,
            unknown=self.unknown,
            day=day,
            began=self.began,
            inherited=self.inherited,
            unwritten=self.unwritten,
        )


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
    from ..prices.stored import settled

    try:
        known = settled(os.environ)
        if known is None:
            from ..config import load

            config = load(os.environ)
            return config.arguments_for("statusline", os.environ), config.labels
        if not known.values:
            return [], known.labels
        from ..config import arguments

        return arguments("statusline", known.values, os.environ), known.labels
    except Exception:  # the command line proper says what is wrong with it
        return [], {}


def show(options: Options) -> None:
    """Read the payload, print the line, then look after the index."""
    latest = time.monotonic() + LATEST
    given = payload.parse(payload.read(0))
    watch = _Watch(given, options, latest)
    desk = Desk(os.environ)
    found = desk.look_up(given, options)
    line = line_of(given, found, options, os.environ, time.time_ns() // 1000, desk.reasons)
    watch.claim()
    read = _put(line)
    watch.printed()
    if read:
        desk.tidy(given, found)
    watch.stop()


def line_of(
    given: object, found: Found, options: Options, environ: Mapping[str, str], now: int, reasons: list[str]
) -> str:
    """The line at the moment *now* (microseconds since the epoch); why it lacks something is appended to *reasons*."""
    try:
        numbers = numbers_of(given, found, options, now, reasons)
    except Exception as error:  # as well as may be
        reasons.append(f"numbers: {type(error).__name__}")
        numbers = found.numbers()
    return statusline.render(given, numbers, options, environ, now, reasons)


def numbers_of(given: object, found: Found, options: Options, now: int, reasons: list[str]) -> Numbers:
    """What was found, as it is at the moment *now* in the options' mode and zone."""
    known = found.moments
    start = statusline.day_start(options, now, reasons)
    if known is None:
        return found.numbers()
    return found.numbers(known.today(now, start), known.block(now, payload.resets_at(given)), start)


def _put(line: str) -> bool:
    """Print; whether anybody reads."""
    try:
        print_text(line + "\n")
    except Exception:  # closed, or full: no failure of a statusline
        return False
    return True


class Desk:
    """Asks the index for one line, and does afterwards what can wait until it is printed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.reasons: list[str] = []  # why something is not known
        self._environ = environ
        self._wait: float | None = SWEEP  # None: nobody could keep what a sweep reads
        self._folder = ""
        self._asked: str | None = None  # the session
        self._said: Said = (None, None)
        self._lane: Lane2 | None = None
        self._error: Exception | None = None

    def look_up(self, given: object, options: Options) -> Found:
        """What the index knows; it never raises."""
        from ..answer import said
        from ..paths import index_dir

        try:
            self._folder = index_dir(self._environ)
            self._asked = session = payload.session_id(given, self._environ) or self._named(given)
            self._said = said(self._folder, session) if session else self._said
            wants_context = not statusline.tells_context(given)
            found = self._published(session, options.mode) if session and not wants_context else None
            found = found or self._counted(given, options.mode, wants_context)
            found.inherited = self._said[0]
            return found
        except Exception as error:  # a broken index costs its numbers, not the line
            self._fail("index", error)
            return Found(unknown=True)

    def _fail(self, what: str, error: Exception) -> None:
        self.reasons.append(f"{what}: {type(error).__name__}")
        self._error = error

    def _named(self, given: object) -> str | None:
        """The session that the transcript's path names; None outside of the data directories. No file is opened."""
        path = payload.transcript_path(given)
        if path is None:
            return None
        from ..paths import data_dirs
        from ..transcripts.files import is_transcript, parts_below, path_session

        parts = parts_below(os.path.realpath(path), data_dirs(self._environ))
        return path_session(parts) if parts and is_transcript(parts[-1]) else None

    def _published(self, session: str, mode: str) -> Found | None:
        """Lane 1."""
        from .. import recent
        from ..answer import read, session_of
        from ..moments import Listed
        from ..prices.stored import sources

        moments = recent.read(self._folder)
        told = read(self._folder, session, sources(self._environ)) if moments is not None else None
        if told is None or moments is None:
            return None
        return Found(session_of(told, mode), Listed(moments, mode), complete=True, fork=told.fork, began=told.began)

    def _counted(self, given: object, mode: str, wants_context: bool) -> Found:
        """Lane 2, and what there is while the index is not complete."""
        from ..index.index import Index
        from ..index.schema import Outdated
        from ..index.store import WAIT_ONE
        from ..paths import data_dirs

        try:
            index = Index(self._folder, data_dirs(self._environ), wait=WAIT_ONE, migrate=False)
        except Outdated:  # to make it today's can take longer than there is
            self._wait = FIRST_SWEEP
            return Found(unknown=True)
        found = Found(complete=index.complete)
        if not index.stored:
            self._wait = None
        elif not found.complete:
            self._wait = FIRST_SWEEP
            _sweep(self._folder, self._wait)  # before the session is read, which may take longer than there is
        if self._asked is not None:
            try:
                self._take(index, self._asked, given, mode, found)
                found.context = index.last_context(found.session.id) if found.session and wants_context else None
            except Exception as error:  # an odd session costs itself, not what is known of the others
                self._fail("session", error)
                found.unknown = True
        if found.complete:
            from ..moments import Stored

            found.moments = Stored(index.db, mode)
        return found

    def _take(self, index: Any, session: str, given: object, mode: str, found: Found) -> None:
        """Bring a session up to date, or that of its transcript's name where nothing else is known of it."""
        from ..index.publishing import Lane2

        looked = index.refresh_session(session)
        if looked is None:
            session = self._named(given) or session
            looked = None if session == self._asked else index.refresh_session(session)
            if looked is None:
                path = payload.transcript_path(given)
                found.unwritten = path is not None and not os.path.exists(path)
                return
        found.session = index.session(session, mode)
        found.fork = index.is_fork(session)
        found.began = index.began(session)
        if found.session is not None and index.stored and found.complete:
            self._lane = Lane2(index, found.session, looked)

    def tidy(self, given: object, found: Found) -> None:
        """Publish, mend, look after the rest of the index, keep the log; the line is out, nothing may fail now."""
        try:
            self._keep(given, found)
            if self._lane is not None:
                self._lane.publish(recent=True)
                self._lane.leave()
            elif self._error is not None:
                from ..index.repair import recover

                if recover(self._environ, self._error):
                    self._wait = 0.0
            if self._wait is not None:
                _sweep(self._folder, self._wait)
        except Exception as error:
            self._fail("afterwards", error)
        if self.reasons:
            _note(self._environ, self.reasons)

    def _keep(self, given: object, found: Found) -> None:
        """Keep what the client said and later calls or prompts want to know; no file is touched if it is known."""
        inherited, window = self._said
        if inherited is None and found.numbers().unanswered:
            total = statusline.client_total(given)
            inherited = total if not total or payload.at(given, "prompt_id") is None else None
        said = inherited, statusline.client_window(given) or window
        if said == self._said or self._asked is None:
            return
        if found.session is not None or self._asked == self._named(given):  # nobody else's, and no nonsense
            from ..answer import keep

            keep(self._folder, self._asked, said)


def _note(environ: Mapping[str, str], reasons: list[str]) -> None:
    from .log import note

    note(environ, reasons, time.time_ns() // 1000)


def _sweep(folder: str, wait: float) -> None:
    """Have somebody read what other sessions appended, or all of it the first time; not within *wait* seconds."""
    marker = os.path.join(folder, _SWEPT)
    try:
        if _is_young(os.stat(marker), wait):
            return
    except OSError:
        pass
    try:
        descriptor = os.open(marker, os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError:  # where no marker can be, no index can be stored
        return
    from ..background import alone, spawn

    try:
        if alone(descriptor) and not _is_young(os.fstat(descriptor), wait):
            os.write(descriptor, b".")
            now = time.time()
            os.utime(marker, (now, now))
            spawn("index", "sweep")
    finally:
        os.close(descriptor)


def _is_young(stat: os.stat_result, wait: float) -> bool:
    return stat.st_size > 0 and 0 <= time.time() - stat.st_mtime < wait


class _Watch:
    """Prints the line without the index, if that takes too long, and ends the process in any case."""

    def __init__(self, given: object, options: Options, latest: float) -> None:
        """*latest* as of time.monotonic()."""
        import _thread

        self._given = given
        self._options = options
        self._over = _thread.allocate_lock()
        self._over.acquire()
        self._line = _thread.allocate_lock()  # whoever has it prints
        self._out = _thread.allocate_lock()
        self._out.acquire()
        try:
            _thread.start_new_thread(self._wait, (max(latest - time.monotonic(), 0.0),))
        except RuntimeError:  # no more threads
            pass

    def _wait(self, seconds: float) -> None:
        if self._over.acquire(timeout=seconds):
            return
        try:
            if self._line.acquire(blocking=False):
                reasons = ["index: too slow"]
                found = Found(unknown=True)
                _put(line_of(self._given, found, self._options, os.environ, time.time_ns() // 1000, reasons))
                _note_at_once(reasons)
            else:  # on a crowded machine the other one may have it for a while before it is let to print
                self._out.acquire(timeout=_TO_PRINT)
        finally:
            os._exit(0)

    def claim(self) -> None:
        """Be the one who prints. Where the line is out already, this does not return: the process is about to end."""
        if not self._line.acquire(blocking=False):
            self._over.acquire()

    def printed(self) -> None:
        """The claimed line is out."""
        self._out.release()

    def stop(self) -> None:
        """All is done in time."""
        self._over.release()


def _note_at_once(reasons: list[str]) -> None:
    """Write the log, if the disk is not what is slow."""
    import _thread

    written = _thread.allocate_lock()
    written.acquire()

    def note() -> None:
        _note(os.environ, reasons)
        written.release()

    _thread.start_new_thread(note, ())
    written.acquire(timeout=_LAST_WORD)
