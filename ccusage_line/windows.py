"""Days and 5-hour blocks over moments that are in memory, published, or in the database.

Imports only `time`, because the lean lanes import it. A moment is (microseconds since the epoch, cost in 1e-12 dollars,
input + output tokens) of one counted response; a published one has a cost for each mode. Moments are sorted by time. A
moment after *now* (another machine's clock may be ahead) counts in its day and block, as in reports, not in a rate.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from sqlite3 import Connection

    Moment = tuple[int, int, int]
    Published = tuple[int, int, int, int, int]  # time, costs in modes auto, calculate, display, input + output tokens
    Unpriced = tuple[int, int, bool, bool]  # times of the first and last use without a price; in mode auto, calculate
    Recent = tuple[list[Published], list[Unpriced]]
    # windows from the client: (hours, end) -> highest percentage used, and when the client first sent it
    Windows = dict[tuple[int, int], tuple[float | None, int]]
    FirstFrom = Callable[[int], int | None]  # returns the time of the first response at or after a time
    Bounds = tuple[int, int, "Window | None"]  # of a block: [start, end), and its window if the client reported one

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
WINDOW = 5 * HOUR
TEN_MINUTES = 10 * MINUTE
TEN_MINUTES_SINCE = 1_779_408_000 * SECOND  # 2026-05-22T00:00Z: since then clients report windows off the full hour
EARLIEST = -(2**63)  # a time before all others
LONGEST_DAY = 26 * HOUR  # a local day with a clock change, and a margin for a reader whose midnight is later
NEXT_DAY = 36 * HOUR  # the start of a day plus this is always within the next day
_DAY = 86_400  # seconds
_SLOT = 5 * MINUTE  # the length of a slot in the table of slots
_MODES = ("auto", "calculate", "display")
_EXACT = 2**52  # below it, sums of integers as floats are exact


class Block:
    """The block under way: [start, end) in microseconds, and what was spent in it."""

    def __init__(
        self,
        start: int,
        end: int,
        cost: int = 0,
        tokens: int = 0,
        first: int | None = None,
        ahead: tuple[int, int] = (0, 0),
        has_unpriced: bool = False,
    ) -> None:
        self.start = start
        self.end = end
        self.cost = cost  # 1e-12 dollars
        self.tokens = tokens  # input + output
        self.first = first  # the time of its first response until now; None if there is none
        self.ahead = ahead  # cost and tokens of the responses after now
        self.has_unpriced = has_unpriced  # whether a response in it has no price

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and vars(self) == vars(other)

    def cost_per_hour(self, now_us: int) -> int | None:
        """Return 1e-12 dollars per hour since the first response, or None before it."""
        elapsed = self._elapsed(now_us)
        return None if elapsed is None else (self.cost - self.ahead[0]) * HOUR // elapsed

    def tokens_per_minute(self, now_us: int) -> float | None:
        """Return input + output tokens per minute since the first response, or None before it."""
        elapsed = self._elapsed(now_us)
        return None if elapsed is None else (self.tokens - self.ahead[1]) * MINUTE / elapsed

    def _elapsed(self, now_us: int) -> int | None:
        """Return the microseconds since the first response, at least a minute: a few seconds make no useful rate."""
        return None if self.first is None else max(now_us - self.first, MINUTE)


# --- days --------------------------------------------------------------------------------------------------------


def day_start(now_us: int, zone: str | None) -> int:
    """Return the microsecond at which the local day of *now_us* began, in an IANA zone or, for None, the system's.

    If the clock skipped midnight, the day began with the change. If midnight occurred twice, the day began with the one
    after which the date stayed the same. Raises LookupError if the zone is unknown.
    """
    offset_of = offsets(zone)
    now = now_us // SECOND
    try:
        return _day_start(now, offset_of) * SECOND
    except (OverflowError, OSError, ValueError):  # a year that the C library or datetime does not support
        return now // _DAY * _DAY * SECOND


def offsets(zone: str | None) -> Callable[[int], int]:
    """Return a function from a time to the UTC offset of a zone (None: the system's), in seconds. Raises LookupError.

    The function raises OverflowError, OSError or ValueError for a year that the C library or datetime does not support.
    """
    return _system_offset if zone is None else _zone_offset(zone)


def _day_start(now: int, offset_of: Callable[[int], int]) -> int:
    """Return the second since which the local date has been that of *now* without a break."""
    day = (now + offset_of(now)) // _DAY
    last = now
    while True:
        offset = offset_of(last)
        first = day * _DAY - offset  # midnight, unless the clock was changed after it
        if offset_of(first) != offset:
            first = _find_change(first, last, offset_of)
        last = first - 1
        if (last + offset_of(last)) // _DAY != day:
            return first


def _find_change(before: int, after: int, offset_of: Callable[[int], int]) -> int:
    """Return the second between *before* and *after* at which the clock changed to the offset of *after*."""
    offset = offset_of(after)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_of(middle) == offset:
            after = middle
        else:
            before = middle
    return after


def _system_offset(second: int) -> int:
    return time.localtime(second).tm_gmtoff


def _zone_offset(zone: str) -> Callable[[int], int]:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    try:
        zone_info = ZoneInfo(zone)
    except (ValueError, OSError):  # zoneinfo raises these for a path or a folder
        raise LookupError(zone) from None

    def offset(second: int) -> int:
        shift = datetime.fromtimestamp(second, zone_info).utcoffset()
        return 0 if shift is None else shift.days * _DAY + shift.seconds

    return offset


def cost_between(moments: Sequence[Moment], begin: int, end: int) -> int:
    """Return the cost of the moments in [begin, end) in 1e-12 dollars."""
    return sum(moment[1] for moment in _between(moments, begin, end))


def _between(moments: Sequence[Moment], begin: int, end: int) -> Iterator[Moment]:
    """Yield the moments in [begin, end), newest first, so that older ones are not visited."""
    for moment in reversed(moments):
        if moment[0] < begin:
            return
        if moment[0] < end:
            yield moment


# --- the client's windows and the plan's blocks --------------------------------------------------------------------


class Window:
    """A window of the client's plan, [start, end), as the client reported it."""

    __slots__ = ("end", "seen", "start", "used")

    def __init__(self, start: int, end: int, used: float | None, seen: int) -> None:
        self.start = start
        self.end = end
        self.used = used  # the highest percentage reported, 0 to 100; None if none was
        self.seen = seen  # when that was first reported


def window_end(resets_at: object, now: int, length: int = WINDOW) -> int | None:
    """Return in microseconds, to the second, when a window ends, or None if that is not within the next *length*."""
    if not isinstance(resets_at, (int, float)) or isinstance(resets_at, bool):
        return None
    try:
        end = round(resets_at) * SECOND
    except (OverflowError, ValueError):  # infinity or NaN
        return None
    return end if now < end <= now + length else None


def merge_windows(known: Windows, reported: Windows) -> Windows:
    """Return the union of two sets of windows; the result does not depend on the order of the calls."""
    merged = dict(known)
    for window, usage in reported.items():
        merged[window] = max(merged.get(window, usage), usage, key=_usage_order)
    return merged


def _usage_order(reported: tuple[float | None, int]) -> tuple[float, int]:
    used, seen = reported
    return -1.0 if used is None else used, -seen


def known_windows(reported: Windows, hours: int = 5) -> list[Window]:
    """Return the reported windows of *hours* hours, in order.

    Ends less than a minute apart belong to one window, which ends at the one at full ten minutes, else at the earliest.
    If two of five hours overlap, the client has moved its window: the earlier one ends where the later one starts.
    """
    groups: list[list[int]] = []
    for end in sorted(end for length, end in reported if length == hours):
        if groups and end - groups[-1][0] < MINUTE:
            groups[-1].append(end)
        else:
            groups.append([end])
    windows = []
    for group in groups:
        end = min(group, key=lambda end: (end % TEN_MINUTES > 0, end))
        used, seen = max((reported[hours, end] for end in group), key=_usage_order)
        windows.append(Window(end - hours * HOUR, end, used, seen))
    if hours * HOUR == WINDOW:
        for place, later in enumerate(windows[1:]):
            windows[place].end = min(windows[place].end, later.start)
    return windows


def chain(
    first_from: FirstFrom, known: Sequence[Window], length: int = WINDOW, begin: int = EARLIEST
) -> Iterator[Bounds]:
    """Yield in order the blocks that hold the responses from *begin* on. The first of these must open a block.

    A response inside a known window belongs to that window. Any other opens a block, which begins at the full ten
    minutes before the response (before TEN_MINUTES_SINCE: the full hour), but not before the end of a known window, and
    which lasts *length*, but not into a known window. A response at its end belongs to the next block. Known windows
    count only if *length* is five hours, because clients report no others.
    """
    later = list(reversed(known)) if length == WINDOW else []  # the windows that start after the response
    window = None
    opening = first_from(begin)
    while opening is not None:
        while later and later[-1].start <= opening:
            window = later.pop()
        if window is not None and opening < window.end:
            start, end = window.start, window.end
            yield start, end, window
        else:
            unit = min(HOUR if opening < TEN_MINUTES_SINCE else TEN_MINUTES, length)  # a block holds what opens it
            start = max(opening // unit * unit, EARLIEST if window is None else window.end)
            end = min(start + length, later[-1].start if later else start + length)
            yield start, end, None
        opening = first_from(end)


def _current_bounds(first_from: FirstFrom, last: int | None, now: int, known: Sequence[Window]) -> Bounds | None:
    """Return the block at the time *now*, or None if there is none; *last* is the time of the last response until then.

    Searches back to where the chain of blocks begins (the end of a known window or a pause of five hours) and then
    forward. That takes a few calls of *first_from* for each block, not one for each response.
    """
    for window in known:
        if window.start <= now < window.end:
            return window.start, window.end, window
    if last is None:
        return None
    bounds: Bounds | None = None
    for bounds in chain(first_from, known, begin=_chain_begin(first_from, last, known)):
        if bounds[1] > last:
            break
    return bounds if bounds is not None and now < bounds[1] else None


def _chain_begin(first_from: FirstFrom, last: int, known: Sequence[Window]) -> int:
    """Return the time of the latest response, until the one at *last*, that is certain to open a block."""
    window_end = max((window.end for window in known if window.end <= last), default=EARLIEST)
    first = last
    while True:
        earlier = first_from(max(first - WINDOW + 1, window_end))
        if earlier is None or earlier >= first:
            return first
        first = earlier


# --- of moments in memory ------------------------------------------------------------------------------------------


def block_between(moments: Sequence[Moment], begin: int, end: int, now: int) -> Block:
    block = Block(begin, end)
    for timestamp, cost, tokens in _between(moments, begin, end):
        block.cost += cost
        block.tokens += tokens
        if timestamp <= now:
            block.first = timestamp
        else:
            block.ahead = block.cost, block.tokens
    return block


def current_block(moments: Sequence[Moment], now: int, known: Sequence[Window] = ()) -> Block | None:
    """Return the block under way, or None. *moments* must reach back to one that opens a block, or to the first one."""

    def first_from(begin: int) -> int | None:
        index = _first_index(moments, begin)
        return moments[index][0] if index < len(moments) else None

    index = _first_index(moments, now + 1)
    bounds = _current_bounds(first_from, moments[index - 1][0] if index else None, now, known)
    return None if bounds is None else block_between(moments, *bounds[:2], now)


def _first_index(moments: Sequence[Moment], begin: int) -> int:
    """Return the index of the first moment at or after *begin*; the lean lanes do not import bisect for it."""
    low, high = 0, len(moments)
    while low < high:
        middle = (low + high) // 2
        if moments[middle][0] < begin:
            low = middle + 1
        else:
            high = middle
    return low


# --- today and the block of all sessions ----------------------------------------------------------------------------


class PublishedMoments:
    """Today and the block under way, from published moments."""

    def __init__(self, recent: Recent, mode: str) -> None:
        moments, self._unpriced = recent
        cost = 1 + _MODES.index(mode)  # an index into a moment
        self._moments = [(moment[0], moment[cost], moment[4]) for moment in moments]
        self._mode = mode

    def today(self, begin: int, end: int) -> tuple[int, bool]:
        """Return the cost of the day [begin, end) in 1e-12 dollars, and whether a response in it has no price."""
        return cost_between(self._moments, begin, end), _has_unpriced(self._unpriced, self._mode, begin, end)

    def block(self, now: int, known: Sequence[Window]) -> Block | None:
        """Return the block under way, or None if there is none; *known* are the windows that the client reported."""
        block = current_block(self._moments, now, known)
        if block is not None:
            block.has_unpriced = _has_unpriced(self._unpriced, self._mode, block.start, block.end)
        return block


class StoredMoments:
    """The same as PublishedMoments, from the database; its speed does not depend on the number of responses."""

    def __init__(self, database: Connection, mode: str) -> None:
        assert mode in _MODES
        self._db = database
        self._mode = mode

    def today(self, begin: int, end: int) -> tuple[int, bool]:
        return self._spent(begin, end)[0], self._has_unpriced(begin, end)

    def block(self, now: int, known: Sequence[Window]) -> Block | None:
        bounds = current_bounds(self._db, now, known)
        if bounds is None:
            return None
        begin, end, _ = bounds
        cost, tokens, first, last = self._spent(begin, end)
        ahead = (0, 0)
        if last is not None and last > now:
            ahead = self._spent(now + 1, end)[:2]
            first = self._spent(begin, now + 1)[2]
        return Block(begin, end, cost, tokens, first, ahead, self._has_unpriced(begin, end))

    def _has_unpriced(self, begin: int, end: int) -> bool:
        return _has_unpriced(_unpriced(self._db, begin), self._mode, begin, end)

    def _spent(self, begin: int, end: int) -> tuple[int, int, int | None, int | None]:
        """Return the cost, the tokens and the times of the first and the last response in [begin, end)."""
        where = "FROM moments WHERE timestamp >= ? AND timestamp < ?"
        cost, tokens, first, last = self._db.execute(
            f"SELECT total({self._mode}), total(tokens), min(timestamp), max(timestamp) {where}", (begin, end)
        ).fetchone()
        if max(cost, tokens) < _EXACT:
            return int(cost), int(tokens), first, last
        rows = self._db.execute(f"SELECT {self._mode}, tokens {where}", (begin, end)).fetchall()
        return sum(int(row[0]) for row in rows), sum(int(row[1]) for row in rows), first, last


def current_bounds(database: Connection, now: int, known: Sequence[Window]) -> Bounds | None:
    """Return the block at the time *now*, or None if there is none."""
    return _current_bounds(first_from(database), _last_until(database, now), now, known)


def _last_until(database: Connection, now: int) -> int | None:
    (last,) = database.execute("SELECT max(timestamp) FROM moments WHERE timestamp <= ?", (now,)).fetchone()
    return last  # type: ignore[no-any-return]


def first_from(database: Connection) -> FirstFrom:
    """Return a function that returns the time of the first response at or after a time, or None."""

    def first_at_or_after(begin: int) -> int | None:
        (first,) = database.execute("SELECT min(timestamp) FROM moments WHERE timestamp >= ?", (begin,)).fetchone()
        return first  # type: ignore[no-any-return]

    return first_at_or_after


def recent_moments(database: Connection, now: int, known: Sequence[Window] = ()) -> Recent:
    """Return what can matter to today and to the block from *now* on: moments, oldest first, and uses without a price.

    They begin with the first response of a block, because the blocks from any such response on are those of the whole
    history. *known* is as in PublishedMoments.block.
    """
    last = _last_until(database, now - LONGEST_DAY)
    begin = EARLIEST if last is None else _chain_begin(first_from(database), last, known)
    rows = database.execute(
        "SELECT timestamp, auto, calculate, display, tokens FROM moments WHERE timestamp >= ? ORDER BY timestamp",
        (begin,),
    ).fetchall()
    moments = [(t, int(a), int(c), int(d), int(n)) for t, a, c, d, n in rows]  # numbers over 64 bits are stored as text
    return moments, _unpriced(database, begin)


def _unpriced(database: Connection, begin: int) -> list[Unpriced]:
    """Return when responses without a price occurred since *begin*, one entry per slot, session and model."""
    rows = database.execute(
        "SELECT first, last, unpriced_auto, unpriced_calculate FROM slots"
        " WHERE slot >= ? AND (unpriced_auto > 0 OR unpriced_calculate > 0)",
        (begin // _SLOT,),
    )
    return [(first, last, auto > 0, calculate > 0) for first, last, auto, calculate in rows]


def _has_unpriced(unpriced: Sequence[Unpriced], mode: str, begin: int, end: int) -> bool:
    """Return whether a response in [begin, end) has no price in *mode*. Mode display needs no prices."""
    return mode != "display" and any(
        first < end and begin <= last and (auto if mode == "auto" else calculate)
        for first, last, auto, calculate in unpriced
    )
