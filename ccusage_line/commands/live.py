"""The loop of `ccusage live`, which shows the numbers of `blocks`, `daily` and the statusline as they change."""

from __future__ import annotations

import gc
import os
import signal
import time

from ..accounting import SLOT
from ..background import reap, spawn
from ..index.questions import bytes_read
from ..index.schema import OperationalError, is_busy
from ..index.slots import by_period, by_session, known_windows
from ..index.watch import Watch
from ..report import blocks as block_report
from ..report.grid import Look, measure
from ..report.live import KEYS, FrameData, frame
from ..report.periods import Periods
from ..report.usage import Share, shares
from ..screen import Screen, TerminalClosed, Terminated, is_screen
from ..transcripts.files import walk
from ..windows import current_bounds, first_from
from .reporting import current_limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..index.index import Index
    from .reporting import UsageRequest

    LimitOf = Callable[[Index, int], int | None]  # computes the tokens of --token-limit

_SLOTS = 12  # shown by the sparkline
_PROGRESS_INTERVAL = 0.5  # seconds between two frames while the first index is being built
_RETRY_AFTER = 5.0  # seconds until another process is started to build it: the previous one may have been killed
_LONGEST_WAIT = 3600.0  # seconds of one wait for keys during a pause
_NAMES = {"fiveHour": "5h", "sevenDay": "7d"}


class Source:
    def __init__(self, request: UsageRequest, limit_of: LimitOf) -> None:
        weekly = request.console.config.defaults_for("weekly", request.console.environ)
        self._request = request
        self._limit_of = limit_of
        self._days = Periods("day", request.zone)
        self._weeks = Periods("week", request.zone, weekly.get("start_of_week", "sunday"))

    def empty(self, progress: tuple[int, int] | None = None) -> FrameData:
        now = time.time_ns() // 1000
        return FrameData(now, self._request.zone or time.strftime("%Z"), self._days, progress)

    def load(self, index: Index) -> FrameData:
        data = self.empty()
        index.snapshot(lambda: self._fill(data, index))
        return data

    def _fill(self, data: FrameData, index: Index) -> None:
        now, mode = data.now, self._request.mode
        data.limits = {_NAMES[key]: window for key, window in current_limits(index, now).items()}
        data.block = self._block(index, now)
        if data.block is not None:
            data.sessions = by_session(index, data.block.start, data.block.end, mode)
        today = self._days.day_of(now)
        week = self._weeks.period_of(today)
        spans = {"": (today, today + 1), "yesterday": (today - 1, today), "this week": (week, week + 7)}
        data.days = {name: self._usage(index, first, after) for name, (first, after) in spans.items()}
        slot = now // SLOT
        starts = [number * SLOT for number in range(slot - _SLOTS + 1, slot + 2)]
        recent = {share.key: share for share in shares(by_period(index, starts, mode, count_sessions=False), int)}
        size_of, _ = measure(list(recent.values()))
        data.recent = [size_of(recent[at]) if at in recent else 0 for at in range(_SLOTS)]
        data.token_limit = self._limit_of(index, now)
        edges = [(slot + 1) * SLOT, self._days.begin(today + 1), first_from(index.db)(now + 1)]
        edges.append(None if data.block is None else data.block.end)
        data.until = min(edge for edge in edges if edge is not None)

    def _block(self, index: Index, now: int) -> block_report.Block | None:
        bounds = current_bounds(index.db, now, known_windows(index))
        if bounds is None:
            return None
        block = block_report.Block(*bounds)
        starts = block_report.edges([block], now)
        block_report.set_usage([block], by_period(index, starts, self._request.mode, count_sessions=False), starts, now)
        return block

    def _usage(self, index: Index, first: int, after: int) -> Share:
        """Return the usage from the day *first* to the day before *after*."""
        edges = [self._days.begin(first), self._days.begin(after)]
        return Share(0, by_period(index, edges, self._request.mode, count_sessions=False))


def show(request: UsageRequest, limit_of: LimitOf, interval: int, once: bool) -> None:
    """Print one frame as text if *once* is set or stdout cannot show a screen; otherwise loop until the user quits."""
    source = Source(request, limit_of)
    if once or not is_screen(request.console.environ):
        index, _ = request.index()
        request.console.out("\n".join(frame(source.load(index), request.look, None)) + "\n")
        return
    watch = Watch(request.console.index)
    request.console.warn_not_stored(watch.index)
    gc.enable()  # this process lives long
    try:
        with Screen() as screen:
            _Loop(request, source, watch, screen, interval).run()
    except TerminalClosed:
        return
    except Terminated as ended:
        if ended.number != signal.SIGINT:
            request.console.close()
            signal.signal(ended.number, signal.SIG_DFL)
            os.kill(os.getpid(), ended.number)


class _Loop:
    """The loop: draw, wait for a key or the next update, update."""

    def __init__(self, request: UsageRequest, source: Source, watch: Watch, screen: Screen, interval: int) -> None:
        self._color = request.color
        self._ascii_only = request.look.ascii_only
        self._source = source
        self._watch = watch
        self._screen = screen
        self._interval = interval
        self._data = source.empty()
        self._paused = self._models = False
        self._next_update = 0.0  # time of the next update, by the monotonic clock
        self._duration = 0.0  # seconds of the last update
        self._last_request = -_RETRY_AFTER  # time when the first index was last asked for
        self._size = 0  # bytes of all transcripts at that time

    def run(self) -> None:
        loaded = False  # whether the data are those of the index
        while True:
            complete = self._watch.index.complete
            if not complete:
                self._build_first_index()
            elif not loaded:
                self._load_data()
            loaded = complete
            self._draw()
            if not self._handle_keys(self._screen.keys(self._wait() if complete else _PROGRESS_INTERVAL)):
                return
            if complete and self._wait() <= 0:
                self._update()

    def _wait(self) -> float:
        return _LONGEST_WAIT if self._paused else self._next_update - time.monotonic()

    def _handle_keys(self, keys: str) -> bool:
        """Handle typed keys; return False if the user quits."""
        for key in keys.lower():
            self._models ^= key == "b"
            self._paused ^= key == "p"
            if key == "r":
                self._watch.sweep_soon()
            if key in "rp":
                self._next_update = 0.0
        return "q" not in keys.lower()

    def _update(self) -> None:
        reap()
        started, now = time.monotonic(), time.time_ns() // 1000
        data = self._data
        changed = self._watch.poll()
        if self._watch.index.complete and (changed or not data.begun <= now < data.until):
            self._load_data()
        data.now = now
        self._duration = time.monotonic() - started
        self._next_update = started + self._interval

    def _load_data(self) -> None:
        try:
            self._data = self._source.load(self._watch.index)
        except OperationalError as error:
            if not is_busy(error):
                raise

    def _build_first_index(self) -> None:
        """Have a background process build the first index; if nothing can be stored, build it here."""
        index = self._watch.index
        if not index.stored:
            index.refresh(self._show_progress)
            return
        if time.monotonic() - self._last_request >= _RETRY_AFTER:
            reap()
            self._last_request = time.monotonic()
            self._size = sum(file.stat.st_size for file in walk(index.roots).files)
            spawn("index", "sweep")
        self._data = self._source.empty((bytes_read(index), self._size))

    def _show_progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._last_request < _PROGRESS_INTERVAL and done < total:
            return
        self._last_request = time.monotonic()
        self._data = self._source.empty((done, total))
        self._draw()
        if not self._handle_keys(self._screen.keys(0)):
            raise Terminated(signal.SIGINT)

    def _draw(self) -> None:
        size = self._screen.size()
        look = Look(size[0], color=self._color, ascii_only=self._ascii_only)
        state = "paused" if self._paused else f"every {self._interval} s, {self._duration * 1000:.0f} ms"
        self._screen.show(size, frame(self._data, look, size[1], models=self._models, foot=(KEYS, state)))
