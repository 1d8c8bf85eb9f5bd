"""Days and 5-hour windows over the moments of a history.

On the lean lanes: imports `time` alone. A moment is (microseconds since the epoch, cost in 1e-12 dollar, input + output
tokens) of one counted response; moments come sorted by time. What lies after *now* has not happened yet and never
counts.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Moment = tuple[int, int, int]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
WINDOW = 5 * HOUR
_DAY = 86_400  # seconds


class Block:
    """A 5-hour window that is under way: [start, end) in microseconds, and what was spent in it so far."""

    __slots__ = ("cost", "end", "first", "start", "tokens")

    def __init__(self, start: int, end: int, cost: int = 0, tokens: int = 0, first: int | None = None) -> None:
        self.start = start
        self.end = end
        self.cost = cost  # 1e-12 dollar
        self.tokens = tokens  # input + output
        self.first = first  # time of its first response; None where it has none

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Block):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # equal by value and open to change

    def __repr__(self) -> str:
        return f"Block({', '.join(f'{slot}={getattr(self, slot)!r}' for slot in self.__slots__)})"

    def cost_per_hour(self, now_us: int) -> int | None:
        """1e-12 dollar an hour since the first response, None before it."""
        lapse = self._lapse(now_us)
        return None if lapse is None else self.cost * HOUR // lapse

    def tokens_per_minute(self, now_us: int) -> float | None:
        """Input + output tokens a minute since the first response, None before it."""
        lapse = self._lapse(now_us)
        return None if lapse is None else self.tokens * MINUTE / lapse

    def _lapse(self, now_us: int) -> int | None:
        """Microseconds since the first response, one minute at least: the first seconds make no rate."""
        return None if self.first is None else max(now_us - self.first, MINUTE)


# --- days --------------------------------------------------------------------------------------------------------


def day_start(now_us: int, zone: str | None) -> int:
    """The microsecond at which the local day of *now_us* began, in an IANA zone or the system's.

    Raises LookupError for an unknown zone. Where the clock jumped over midnight, the day began with the jump; where
    midnight came twice, with the one after which the date stayed.
    """
    offset_of = _system_offset if zone is None else _zone_offset(zone)
    now = now_us // SECOND
    try:
        return _day_start(now, offset_of) * SECOND
    except (OverflowError, OSError, ValueError):  # years that the C library or datetime does not know
        return now // _DAY * _DAY * SECOND


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


def today(moments: Sequence[Moment], now_us: int, day_start_us: int) -> int:
    """1e-12 dollar spent since the day began."""
    return sum(moment[1] for moment in _back_to(moments, now_us, day_start_us))


def _back_to(moments: Sequence[Moment], now_us: int, begin: int) -> Iterator[Moment]:
    """The moments from *begin* until now, the newest first: the rest of a long history is not looked at."""
    for moment in reversed(moments):
        if moment[0] < begin:
            return
        if moment[0] <= now_us:
            yield moment


# --- 5-hour windows ----------------------------------------------------------------------------------------------


def window(moments: Sequence[Moment], begin: int, end: int) -> Block:
    """What was spent in [begin, end)."""
    found = Block(begin, end)
    for moment in _back_to(moments, end - 1, begin):
        found.first = moment[0]
        found.cost += moment[1]
        found.tokens += moment[2]
    return found


def block(moments: Sequence[Moment], now_us: int, resets_at: float | None) -> Block | None:
    """The window under way, None if there is none.

    *resets_at* (seconds since the epoch, as the client tells it) decides if it lies within the next five hours. Else
    the client's plan rule: a window begins at the full UTC hour of a chain's first response; a response five hours
    or more after that start or after its predecessor begins the next one. *moments* has to reach back to a pause of
    five hours, or to the beginning of the history.
    """
    end = sane_reset(resets_at, now_us)
    if end is not None:
        return _until_now(moments, end - WINDOW, end, now_us)
    start, last = _plan_start(moments, now_us)
    if start is None or now_us >= start + WINDOW or now_us - last >= WINDOW:
        return None
    return _until_now(moments, start, start + WINDOW, now_us)


def sane_reset(resets_at: float | None, now_us: int) -> int | None:
    """*resets_at* in microseconds if it lies within the next five hours."""
    if not isinstance(resets_at, (int, float)) or isinstance(resets_at, bool):
        return None
    if not now_us < resets_at * SECOND <= now_us + WINDOW:  # false for NaN and for infinities
        return None
    return round(resets_at * SECOND)


def _until_now(moments: Sequence[Moment], begin: int, end: int, now_us: int) -> Block:
    found = window(moments, begin, min(end, now_us + 1))
    found.end = end
    return found


def _plan_start(moments: Sequence[Moment], now_us: int) -> tuple[int | None, int]:
    """Where the newest window began, and its last response's time."""
    start, last = None, 0
    for at in _chain(moments, now_us):
        if start is None or at - start >= WINDOW:
            start = at // HOUR * HOUR
        last = at
    return start, last


def _chain(moments: Sequence[Moment], now_us: int) -> list[int]:
    """The times of the responses until now since the last pause of five hours, the oldest first."""
    chain: list[int] = []
    for moment in reversed(moments):
        if moment[0] > now_us:
            continue
        if chain and chain[-1] - moment[0] >= WINDOW:
            break
        chain.append(moment[0])
    chain.reverse()
    return chain
