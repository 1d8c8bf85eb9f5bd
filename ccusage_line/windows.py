"""Days and 5-hour blocks over the moments of a history: in memory, published, or asked of the database.

On the lean lanes: imports `time` alone. A moment is (microseconds since the epoch, cost in 1e-12 dollar, input + output
tokens) of one counted response, a published one has its cost in each mode; moments come sorted by time. What lies after
*now*, by another machine's clock say, counts in its day and block, as in the reports, and in no rate.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from sqlite3 import Connection

    Moment = tuple[int, int, int]
    Published = tuple[int, int, int, int, int]  # time, costs in mode auto, calculate, display, tokens in and out
    Lacking = tuple[int, int, bool, bool]  # from when to when what has no price was used; in mode auto, calculate
    Recent = tuple[list[Published], list[Lacking]]
    # what the client told of windows, by their hours and ends: the highest percentage used, when it first said so
    Windows = dict[tuple[int, int], tuple[float | None, int]]
    FirstFrom = Callable[[int], int | None]
    Bounds = tuple[int, int, "Window | None"]  # of a block: [start, end), and the window if the client told it

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
WINDOW = 5 * HOUR
TEN_MINUTES = 10 * MINUTE
TEN_MINUTES_SINCE = 1_779_408_000 * SECOND  # 2026-05-22T00:00Z: from then on clients report windows off the full hour
EARLIEST = -(2**63)  # a time before all others
LONGEST_DAY = 26 * HOUR  # a local day with its change of the clocks, and room for a reader's later midnight
NEXT_DAY = 36 * HOUR  # from where a day begins to somewhere in the next one
_DAY = 86_400  # seconds
_SLOT = 5 * MINUTE  # of the table of slots
_MODES = ("auto", "calculate", "display")
_EXACT = 2**52  # below it, sums of whole numbers as floats are exact


class Block:
    """A 5-hour window that is under way: [start, end) in microseconds, and what was spent in it."""

    def __init__(
        self,
        start: int,
        end: int,
        cost: int = 0,
        tokens: int = 0,
        first: int | None = None,
        ahead: tuple[int, int] = (0, 0),
        lacks: bool = False,
    ) -> None:
        self.start = start
        self.end = end
        self.cost = cost  # 1e-12 dollar
        self.tokens = tokens  # input + output
        self.first = first  # time of its first response until now; None where it has none
        self.ahead = ahead  # cost and tokens of those that lie after now
        self.lacks = lacks  # whether some of it has no price

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and vars(self) == vars(other)

    def cost_per_hour(self, now_us: int) -> int | None:
        """1e-12 dollar an hour since the first response, None before it."""
        lapse = self._lapse(now_us)
        return None if lapse is None else (self.cost - self.ahead[0]) * HOUR // lapse

    def tokens_per_minute(self, now_us: int) -> float | None:
        """Input + output tokens a minute since the first response, None before it."""
        lapse = self._lapse(now_us)
        return None if lapse is None else (self.tokens - self.ahead[1]) * MINUTE / lapse

    def _lapse(self, now_us: int) -> int | None:
        """Microseconds since the first response, one minute at least: the first seconds make no rate."""
        return None if self.first is None else max(now_us - self.first, MINUTE)


# --- days --------------------------------------------------------------------------------------------------------


def day_start(now_us: int, zone: str | None) -> int:
    """The microsecond at which the local day of *now_us* began, in an IANA zone or the system's.

    Raises LookupError for an unknown zone. Where the clock jumped over midnight, the day began with the jump; where
    midnight came twice, with the one after which the date stayed.
    """
    offset_of = offsets(zone)
    now = now_us // SECOND
    try:
        return _day_start(now, offset_of) * SECOND
    except (OverflowError, OSError, ValueError):  # years that the C library or datetime does not know
        return now // _DAY * _DAY * SECOND


def offsets(zone: str | None) -> Callable[[int], int]:
    """What gives the seconds that the clock of a zone, or of the system, is ahead of UTC at a second. Raises
    LookupError for an unknown zone; what it returns raises OverflowError, OSError or ValueError for years that the C
    library or datetime does not know."""
    return _system_offset if zone is None else _zone_offset(zone)


def _day_start(now: int, offset_of: Callable[[int], int]) -> int:
    """The first of the seconds before *now* that have its local date without a break."""
    day = (now + offset_of(now)) // _DAY
    last = now
    while True:
        offset = offset_of(last)
        first = day * _DAY - offset  # midnight, if the clock was not changed since
        if offset_of(first) != offset:
            first = _change(first, last, offset_of)
        last = first - 1
        if (last + offset_of(last)) // _DAY != day:
            return first


def _change(before: int, after: int, offset_of: Callable[[int], int]) -> int:
    """The second between the two from which the clock has had the offset of *after*."""
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
        found = ZoneInfo(zone)
    except (ValueError, OSError):  # a path, a folder: no zones either
        raise LookupError(zone) from None

    def offset(second: int) -> int:
        shift = datetime.fromtimestamp(second, found).utcoffset()
        return 0 if shift is None else shift.days * _DAY + shift.seconds

    return offset


def today(moments: Sequence[Moment], begin: int, end: int) -> int:
    """1e-12 dollar spent in the day [begin, end)."""
    return sum(moment[1] for moment in _between(moments, begin, end))


def _between(moments: Sequence[Moment], begin: int, end: int) -> Iterator[Moment]:
    """The moments in [begin, end), the newest first: the rest of a long history is not looked at."""
    for moment in reversed(moments):
        if moment[0] < begin:
            return
        if moment[0] < end:
            yield moment


# --- the client's windows and the plan's blocks --------------------------------------------------------------------


class Window:
    """[start, end) of the client's plan as the client told it."""

    __slots__ = ("end", "seen", "start", "used")

    def __init__(self, start: int, end: int, used: float | None, seen: int) -> None:
        self.start = start
        self.end = end
        self.used = used  # the highest percentage that was told, 0 to 100
        self.seen = seen  # when that was first told


def sane_reset(resets_at: object, now: int, length: int = WINDOW) -> int | None:
    """When a window of *length* ends, to the second, of the seconds since the epoch that the client told: None if that
    is not within the next *length*."""
    if not isinstance(resets_at, (int, float)) or isinstance(resets_at, bool):
        return None
    try:
        end = round(resets_at) * SECOND
    except (OverflowError, ValueError):  # infinite, no number
        return None
    return end if now < end <= now + length else None


def merged(known: Windows, told: Windows) -> Windows:
    """What is known of windows after more was told, in whatever order."""
    found = dict(known)
    for window, more in told.items():
        found[window] = max(found.get(window, more), more, key=_highest)
    return found


def _highest(told: tuple[float | None, int]) -> tuple[float, int]:
    used, seen = told
    return -1.0 if used is None else used, -seen


def known_windows(told: Windows, hours: int = 5) -> list[Window]:
    """The windows of so many hours that were told, in order.

    Ends less than a minute apart are those of one window, whatever came first: its end is the one at full ten minutes,
    else the earliest. Where two of five hours overlap, the client has moved its window: the earlier one ends where the
    later one starts.
    """
    groups: list[list[int]] = []
    for end in sorted(end for of, end in told if of == hours):
        if groups and end - groups[-1][0] < MINUTE:
            groups[-1].append(end)
        else:
            groups.append([end])
    found = []
    for group in groups:
        end = min(group, key=lambda end: (end % TEN_MINUTES > 0, end))
        used, seen = max((told[hours, end] for end in group), key=_highest)
        found.append(Window(end - hours * HOUR, end, used, seen))
    if hours * HOUR == WINDOW:
        for place in range(1, len(found)):
            found[place - 1].end = min(found[place - 1].end, found[place].start)
    return found


def chain(
    first_from: FirstFrom, known: Sequence[Window], length: int = WINDOW, begin: int = EARLIEST
) -> Iterator[Bounds]:
    """The blocks that hold the responses from *begin* on, in order; the first of these has to open a block.

    *first_from* tells the time of the first response at or after a time. A response inside a known window is in that
    one. Any other opens a block that begins at the full ten minutes before it, before TEN_MINUTES_SINCE at the full
    hour, but not before the end of a known window, and lasts *length*, but not into a known window; what comes at its
    end or later is in the next one. No client tells of windows of another length than five hours.
    """
    coming = list(reversed(known)) if length == WINDOW else []
    window = None
    at = first_from(begin)
    while at is not None:
        while coming and coming[-1].start <= at:
            window = coming.pop()
        if window is not None and at < window.end:
            start, end = window.start, window.end
            yield start, end, window
        else:
            unit = min(HOUR if at < TEN_MINUTES_SINCE else TEN_MINUTES, length)  # a block holds what opens it
            start = max(at // unit * unit, EARLIEST if window is None else window.end)
            end = min(start + length, coming[-1].start if coming else start + length)
            yield start, end, None
        at = first_from(end)


def under_way(first_from: FirstFrom, last: int | None, now: int, known: Sequence[Window]) -> Bounds | None:
    """The block at the moment *now*, None if there is none; *last* is the time of the last response until then.

    The way back to where a chain of blocks begins, a known window's end or a pause of five hours, and forth again
    takes a few looks for each block, not one for each response.
    """
    for window in known:
        if window.start <= now < window.end:
            return window.start, window.end, window
    if last is None:
        return None
    found: Bounds | None = None
    for found in chain(first_from, known, begin=chain_begin(first_from, last, known)):
        if found[1] > last:
            break
    return found if found is not None and now < found[1] else None


def chain_begin(first_from: FirstFrom, last: int, known: Sequence[Window]) -> int:
    """The latest response known to open a block, of those until the response at *last*."""
    ended = max((window.end for window in known if window.end <= last), default=EARLIEST)
    first = last
    while True:
        earlier = first_from(max(first - WINDOW + 1, ended))
        if earlier is None or earlier >= first:
            return first
        first = earlier


# --- of moments in memory ------------------------------------------------------------------------------------------


def window(moments: Sequence[Moment], begin: int, end: int, now: int) -> Block:
    found = Block(begin, end)
    for moment in _between(moments, begin, end):
        found.cost += moment[1]
        found.tokens += moment[2]
        if moment[0] <= now:
            found.first = moment[0]
        else:
            found.ahead = found.cost, found.tokens
    return found


def block(moments: Sequence[Moment], now: int, known: Sequence[Window] = ()) -> Block | None:
    """The block under way with what was spent in it, None if there is none. *moments* has to reach back to a response
    that opens a block, or to the beginning of the history."""

    def first_from(begin: int) -> int | None:
        place = _place(moments, begin)
        return moments[place][0] if place < len(moments) else None

    place = _place(moments, now + 1)
    bounds = under_way(first_from, moments[place - 1][0] if place else None, now, known)
    return None if bounds is None else window(moments, *bounds[:2], now)


def _place(moments: Sequence[Moment], begin: int) -> int:
    """Of the first moment at or after *begin*; bisect would be one module more on the lean lanes."""
    low, high = 0, len(moments)
    while low < high:
        middle = (low + high) // 2
        if moments[middle][0] < begin:
            low = middle + 1
        else:
            high = middle
    return low


# --- today and the block of all sessions ----------------------------------------------------------------------------


class Listed:
    """Days and blocks of published moments."""

    def __init__(self, recent: Recent, mode: str) -> None:
        moments, lacking = recent
        place = 1 + _MODES.index(mode)
        self._moments = [(moment[0], moment[place], moment[4]) for moment in moments]
        self._lacking = lacking
        self._mode = mode

    def today(self, begin: int, end: int) -> tuple[int, bool]:
        """1e-12 dollar spent in the day [begin, end), and whether some of what was used has no price."""
        return today(self._moments, begin, end), _lacks(self._lacking, self._mode, begin, end)

    def block(self, now: int, known: Sequence[Window]) -> Block | None:
        """The block under way, None if there is none; *known* are the windows that the client told."""
        found = block(self._moments, now, known)
        if found is not None:
            found.lacks = _lacks(self._lacking, self._mode, found.start, found.end)
        return found


class Stored:
    """The same, asked of the database: how long the history is does not matter to it."""

    def __init__(self, database: Connection, mode: str) -> None:
        assert mode in _MODES
        self._db = database
        self._mode = mode

    def today(self, begin: int, end: int) -> tuple[int, bool]:
        return self._spent(begin, end)[0], self._lacks(begin, end)

    def block(self, now: int, known: Sequence[Window]) -> Block | None:
        bounds = under_way(first_from(self._db), last_until(self._db, now), now, known)
        if bounds is None:
            return None
        begin, end, _ = bounds
        cost, tokens, first, last = self._spent(begin, end)
        ahead = (0, 0)
        if last is not None and last > now:
            ahead = self._spent(now + 1, end)[:2]
            first = self._spent(begin, now + 1)[2]
        return Block(begin, end, cost, tokens, first, ahead, self._lacks(begin, end))

    def _lacks(self, begin: int, end: int) -> bool:
        return _lacks(_lacking(self._db, begin), self._mode, begin, end)

    def _spent(self, begin: int, end: int) -> tuple[int, int, int | None, int | None]:
        """Cost, tokens and the times of the first and the last response in [begin, end)."""
        where = "FROM moments WHERE timestamp >= ? AND timestamp < ?"
        cost, tokens, *times = self._db.execute(
            f"SELECT total({self._mode}), total(tokens), min(timestamp), max(timestamp) {where}", (begin, end)
        ).fetchone()
        if max(cost, tokens) < _EXACT:
            return int(cost), int(tokens), times[0], times[1]
        rows = self._db.execute(f"SELECT {self._mode}, tokens {where}", (begin, end)).fetchall()
        return sum(int(row[0]) for row in rows), sum(int(row[1]) for row in rows), times[0], times[1]


def last_until(database: Connection, now: int) -> int | None:
    """The time of the last response until *now*."""
    found = database.execute("SELECT max(timestamp) FROM moments WHERE timestamp <= ?", (now,)).fetchone()
    return found[0]  # type: ignore[no-any-return]


def first_from(database: Connection) -> FirstFrom:
    """Tells the time of the first response at or after a time, None where there is none."""

    def ask(begin: int) -> int | None:
        found = database.execute("SELECT min(timestamp) FROM moments WHERE timestamp >= ?", (begin,)).fetchone()
        return found[0]  # type: ignore[no-any-return]

    return ask


def of_database(database: Connection, now: int, known: Sequence[Window] = ()) -> Recent:
    """The moments that can matter to today and to the block from *now* on, oldest first, beginning where a block
    begins: from the first response of any block on the same blocks come out. *known* as in Listed.block. And when what
    has no price was used since then."""
    last = last_until(database, now - LONGEST_DAY)
    begin = EARLIEST if last is None else chain_begin(first_from(database), last, known)
    rows = database.execute(
        "SELECT timestamp, auto, calculate, display, tokens FROM moments WHERE timestamp >= ? ORDER BY timestamp",
        (begin,),
    ).fetchall()
    moments = [(t, int(a), int(c), int(d), int(n)) for t, a, c, d, n in rows]  # what needs more than 64 bits is text
    return moments, _lacking(database, begin)


def _lacking(database: Connection, begin: int) -> list[Lacking]:
    """When what has no price was used since *begin*, by slots."""
    rows = database.execute(
        "SELECT first, last, unpriced_auto, unpriced_calculate FROM slots"
        " WHERE slot >= ? AND (unpriced_auto > 0 OR unpriced_calculate > 0)",
        (begin // _SLOT,),
    )
    return [(first, last, auto > 0, calculate > 0) for first, last, auto, calculate in rows]


def _lacks(lacking: Sequence[Lacking], mode: str, begin: int, end: int) -> bool:
    """Whether something in [begin, end) has no price in *mode*: what was recorded is the cost in mode display."""
    return mode != "display" and any(
        first < end and begin <= last and (auto if mode == "auto" else calculate)
        for first, last, auto, calculate in lacking
    )
