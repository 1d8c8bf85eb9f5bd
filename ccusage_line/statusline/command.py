"""The command `ccusage statusline` on the lean lanes: it prints the line, then maintains the index.

It never fails and never blocks: an error costs only the segments that it concerns, and after DEADLINE seconds the line
is made from the payload alone.
"""

from __future__ import annotations

import os
import time

from .. import recent
from ..files import print_text
from . import line as statusline
from . import payload as client
from . import segments
from .segments import Numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..answer import Answer, ClientValues
    from ..config import Config
    from ..index.index import Index, RefreshedSession
    from ..prices.stored import StoredConfig
    from ..windows import Windows
    from .segments import Options

DEADLINE = 0.7  # seconds after the start at which a line is printed, however slow the disk is; the design promises 1 s
_READ_TIME = 0.05  # seconds after DEADLINE to read a payload that no thread has begun to read
_PRINT_TIME = 0.25  # seconds after DEADLINE to print a line that was ready by then
_DELEGATE_TIME = 0.2  # seconds after a late line to start the process that does the work, and to write the log
_SWITCH_INTERVAL = 0.0005  # seconds after which a thread has to let others run, so that _delegate is in time


def answer(words: list[str]) -> bool:
    """Return whether the line was printed; if not, the full command line has to handle these options."""
    if "--preview" in words or os.isatty(0) or os.isatty(1):  # for a user, errors are shown and not logged
        return False
    _Watchdog.start(words)
    from_config, labels = _read_config()
    options: Options | None = segments.Options()
    if from_config or words:
        from .options import parse_options

        options = parse_options([*from_config, *words])
    if options is None:
        return False
    options.labels = labels
    show(options)
    return True


def _read_config() -> tuple[list[str], dict[str, str]]:
    """Return the config's options for the statusline and its labels for models, both empty if it can't be read."""
    from ..prices.stored import stored_config

    try:
        config: StoredConfig | Config | None = stored_config(os.environ)
        if config is None:
            from ..config import load

            config = load(os.environ)
        return config_options(config.values), config.labels
    except Exception:  # the full command line reports what is wrong
        return [], {}


def config_options(values: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return the statusline section of a config as options, which go before those of the command line."""
    return [f"--{key}={value}" for key, value in values.get("statusline", {}).items()]


def show(options: Options) -> None:
    """Read the payload, print the line, then maintain the index."""
    watchdog = _Watchdog.start()
    watchdog.options = options
    payload = watchdog.read_payload()
    access = watchdog.access = IndexAccess(os.environ)
    numbers = access.look_up(payload, options)
    line = make_line(payload, numbers, options, os.environ, time.time_ns() // 1000, access.reasons)
    watchdog.begin_printing()
    printed = _print(line)
    watchdog.end_printing()
    if printed:
        access.finish(payload, numbers)
    watchdog.stop()


def make_line(
    payload: object, numbers: Numbers, options: Options, environ: Mapping[str, str], now: int, reasons: list[str]
) -> str:
    """Return the line at *now* (microseconds since the epoch); append to *reasons* why parts of it are missing."""
    try:
        set_today_and_block(payload, numbers, options, now, reasons)
    except Exception as error:  # the line is shown without these numbers
        reasons.append(f"numbers: {type(error).__name__}")
    return statusline.render(payload, numbers, options, environ, now, reasons)


def set_today_and_block(payload: object, numbers: Numbers, options: Options, now: int, reasons: list[str]) -> None:
    """Set today and the block in *numbers*, at *now* and in the mode and zone of *options*."""
    from .. import windows

    moments = numbers.moments
    start = statusline.day_start(options, now, reasons)
    if moments is not None:
        reported = windows.merge_windows(numbers.windows or {}, client.reported_windows(payload, now))
        end = statusline.day_start(options, start + windows.NEXT_DAY)
        (numbers.today, numbers.today_unpriced), numbers.day = moments.today(start, end), start
        numbers.block = moments.block(now, windows.known_windows(reported))


def _print(line: str) -> bool:
    """Print the line and return whether that succeeded."""
    try:
        print_text(line + "\n")
    except Exception:  # stdout is closed or the disk is full: a statusline must not fail
        return False
    return True


class IndexAccess:
    """One call's access to the index: its numbers, and the work that can wait until the line is printed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.reasons: list[str] = []  # why numbers are missing
        self._environ = environ
        self._sweep_wait: float | None = recent.SWEEP  # None: a sweep could not store its results
        self._roots: list[str] = []  # the data directories
        self._folder = ""  # of their index
        self._last_sweep: os.stat_result | None = None  # the stat of the last sweep's file
        self._session: str | None = None  # its id
        self._reported: ClientValues = (None, None)
        self._windows: Windows = {}
        self._refreshed: RefreshedSession | None = None
        self._error: Exception | None = None

    def look_up(self, payload: object, options: Options) -> Numbers:
        """Return what the index knows; never raises."""
        from ..answer import read_client_values
        from ..paths import data_dirs, index_dir

        try:
            self._roots = data_dirs(self._environ)
            self._folder = index_dir(self._environ, self._roots)
            self._session = session = client.session_id(payload, self._environ) or self._session_of_path(payload)
            self._reported = read_client_values(self._folder, session) if session else self._reported
            self._windows = recent.read_windows(self._folder)
            self._last_sweep = recent.last_sweep(self._folder)
            wants_context = segments.prompt_tokens(segments.payload_view(payload)) is None
            numbers = self._from_answer(session, payload, options.mode) if session and not wants_context else None
            numbers = numbers or self._from_index(payload, options.mode, wants_context)
            numbers.inherited, numbers.windows = self._reported[0], self._windows
            if numbers.moments is not None and not recent.covers_all(self._folder, self._last_sweep):
                numbers.moments = None
                self.reasons.append("today: new lines of other sessions can't be stored")
            return numbers
        except Exception as error:  # the line is shown without the index's numbers
            self._note_error("index", error)
            return Numbers(unknown=True)

    def _note_error(self, what: str, error: Exception) -> None:
        self.reasons.append(f"{what}: {type(error).__name__}")
        self._error = error

    def _session_of_path(self, payload: object) -> str | None:
        """Return the session that the transcript's path names, None outside of the data directories. Opens no file."""
        path = client.transcript_path(payload)
        if path is None:
            return None
        from ..transcripts.files import is_transcript, parts_below, path_session

        parts = parts_below(os.path.realpath(path), self._roots)
        return path_session(parts) if parts and is_transcript(parts[-1]) else None

    def _from_answer(self, session: str, payload: object, mode: str) -> Numbers | None:
        """Return the numbers of the published answer (lane 1), or None if there is none that still holds."""
        from ..answer import read, session_of
        from ..prices.stored import sources
        from ..windows import PublishedMoments

        moments = recent.read(self._folder, time.time_ns() // 1000)
        published = read(self._folder, session, sources(self._environ)) if moments is not None else None
        if published is None or moments is None or not self._depends_on_transcript(published, session, payload):
            return None
        return Numbers(
            session=session_of(published, mode),
            moments=PublishedMoments(moments, mode),
            complete=True,
            fork=published.fork,
            began=published.began,
        )

    def _depends_on_transcript(self, published: Answer, session: str, payload: object) -> bool:
        """Return whether an answer depends on the transcript that the client names, without touching a file if it does.
        A session can continue in the folder of another project, and then its answer is out of date."""
        path = client.transcript_path(payload)
        if path is None:
            return True
        end = os.sep + os.sep.join(path.split(os.sep)[-2:])
        files = [file for file, _ in published.dependencies]
        if any(file.endswith(end) for file in files) or not os.path.exists(path):
            return True
        return os.path.realpath(path) in files or self._session_of_path(payload) != session

    def _from_index(self, payload: object, mode: str, wants_context: bool) -> Numbers:
        """Return the numbers after the session's new lines were read (lane 2), or fewer if the index is incomplete."""
        from ..index.index import Index
        from ..index.schema import Outdated
        from ..index.store import WAIT_ONE

        try:
            index = Index(self._folder, self._roots, wait=WAIT_ONE, migrate=False)
        except Outdated:  # a migration can take longer than DEADLINE
            self._sweep_wait = recent.FIRST_SWEEP
            return Numbers(unknown=True)
        numbers = Numbers(complete=index.complete and index.stored)  # if it can't be stored, no sweep updates it
        if not index.stored:
            self._sweep_wait = None
        elif not numbers.complete:
            self._sweep_wait = recent.SWEEP if recent.is_lost(self._last_sweep) else recent.FIRST_SWEEP
            self._sweep(self._sweep_wait)  # first, because reading the session may take too long
        if self._session is not None:
            try:
                self._refresh_session(index, self._session, payload, mode, numbers)
                if numbers.session and wants_context:
                    numbers.last_context = index.last_context(numbers.session.id)
            except Exception as error:  # the numbers of the other sessions are still shown
                self._note_error("session", error)
                numbers.unknown = True
        if numbers.complete:
            from ..windows import StoredMoments

            numbers.moments = StoredMoments(index.db, mode)
        return numbers

    def _refresh_session(self, index: Index, session: str, payload: object, mode: str, numbers: Numbers) -> None:
        """Refresh *session*, else the session that the transcript's path names, and store its numbers in *numbers*."""
        from ..index.index import RefreshedSession

        files = index.refresh_session(session)
        if files is None:
            session = self._session_of_path(payload) or session
            files = None if session == self._session else index.refresh_session(session)
            if files is None:
                path = client.transcript_path(payload)
                numbers.no_transcript = path is not None and not os.path.exists(path)
                return
        numbers.session = index.session(session, mode)
        numbers.fork = index.is_fork(session)
        numbers.began = index.began(session)
        if numbers.session is not None and index.stored and numbers.complete:
            self._refreshed = RefreshedSession(index, numbers.session, files)

    def finish(self, payload: object, numbers: Numbers) -> None:
        """Do what could wait until the line was printed: store, repair, sweep, publish, log. Never raises."""
        try:
            self._store_reported(payload, numbers)
            if self._refreshed is None and self._error is not None:
                from ..index.repair import recover_from

                if recover_from(self._environ, self._error):
                    self._sweep_wait = 0.0
            if self._sweep_wait is not None and self._folder:
                self._sweep(self._sweep_wait)
            if self._refreshed is not None:  # last, because it may take too long
                self._refreshed.publish(moments=True)
                self._refreshed.leave()
        except Exception as error:
            self._note_error("afterwards", error)
        if self.reasons:
            _log(self._environ, self.reasons)

    def delegate(self) -> None:
        """Start a sweep to do the work that took too long, because the next call would take as long."""
        if self._sweep_wait is not None and self._folder:
            self._sweep(recent.FIRST_SWEEP)

    def _sweep(self, wait: float) -> None:
        """Start a process that reads the new lines of all sessions, unless one began less than *wait* seconds ago."""
        if recent.begin_sweep(self._folder, self._last_sweep, wait):
            from ..background import spawn

            spawn("index", "sweep")

    def _store_reported(self, payload: object, numbers: Numbers) -> None:
        """Store what the client reported and later calls or prompts need; touch no file if it is stored already."""
        recent.write_windows(self._folder, self._windows, client.reported_windows(payload, time.time_ns() // 1000))
        view = segments.payload_view(payload)
        inherited, window = self._reported
        if inherited is None and numbers.unanswered:
            total = segments.client_total(view)
            inherited = total if not total or client.value_at(payload, "prompt_id") is None else None
        reported = inherited, segments.reported_window(view) or window
        if reported == self._reported or self._session is None:
            return
        if numbers.session is not None or self._session == self._session_of_path(payload):  # not for an arbitrary id
            from ..answer import write_client_values

            write_client_values(self._folder, self._session, reported)


def _log(environ: Mapping[str, str], reasons: list[str]) -> None:
    from .log import note

    note(environ, reasons, time.time_ns() // 1000)


class _Watchdog:
    """The watchdog: it prints the line without the index if that takes too long, and ends the process in any case."""

    instance: _Watchdog | None = None

    @classmethod
    def start(cls, words: list[str] | None = None) -> _Watchdog:
        """Return this process's watchdog, started by the first call; *words* are its options until they are parsed."""
        if cls.instance is None:
            cls.instance = cls(words or [])
        return cls.instance

    def __init__(self, words: list[str]) -> None:
        import _thread

        self.options: Options | None = None
        self.access: IndexAccess | None = None
        self._words = words
        self._payload: object = None
        self._reading = _thread.allocate_lock()  # its holder reads the payload
        self._finished = _thread.allocate_lock()
        self._finished.acquire()
        self._printing = _thread.allocate_lock()  # its holder prints the line
        self._printed = _thread.allocate_lock()
        self._printed.acquire()
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # no thread can be started
            pass

    def read_payload(self, patience: float = client.PATIENCE) -> object:
        """Return the payload, or None while another thread reads it."""
        if self._reading.acquire(blocking=False):
            self._payload = client.parse(client.read(0, patience))
        return self._payload

    def _run(self) -> None:
        if self._finished.acquire(timeout=DEADLINE):
            return
        try:
            if self._printing.acquire(blocking=False):
                reasons = ["index: too slow"]
                numbers = Numbers(unknown=True, late=True)
                from .options import parse_leniently

                options = self.options or parse_leniently(self._words)
                now = time.time_ns() // 1000
                _print(make_line(self.read_payload(_READ_TIME), numbers, options, os.environ, now, reasons))
                _delegate(self.access, reasons)
            else:  # on a busy machine the main thread may have to wait for the processor before it prints
                self._printed.acquire(timeout=_PRINT_TIME)
        finally:
            os._exit(0)

    def begin_printing(self) -> None:
        """Reserve printing for the caller. If the line was printed already, wait for the process to end."""
        if not self._printing.acquire(blocking=False):
            self._finished.acquire()

    def end_printing(self) -> None:
        self._printed.release()

    def stop(self) -> None:
        self._finished.release()


def _delegate(access: IndexAccess | None, reasons: list[str]) -> None:
    """Start another process for the work and write the log, for _DELEGATE_TIME at most: the disk may be slow."""
    import _thread
    import sys

    finished = _thread.allocate_lock()
    finished.acquire()

    def work() -> None:
        if access is not None:
            access.delegate()
        _log(os.environ, reasons)
        finished.release()

    sys.setswitchinterval(_SWITCH_INTERVAL)
    _thread.start_new_thread(work, ())
    finished.acquire(timeout=_DELEGATE_TIME)
