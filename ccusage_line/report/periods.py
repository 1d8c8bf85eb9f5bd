"""Days, weeks and months of a time zone.

A day is a number: days since 1970-01-01, counted as dates, not as instants. A period is the number of its first day and
ends where the next one begins. Only edges are instants, in microseconds since the epoch.
"""

from __future__ import annotations

from functools import lru_cache

from ..jsontext import civil
from ..windows import SECOND, day_start, offsets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DAY, WEEK, MONTH = UNITS = ("day", "week", "month")
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
SHORT_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_SECONDS = 86_400
_NOON = _SECONDS // 2
_HALF_HOUR = 1800 * SECOND  # no clock change is smaller


class Periods:
    """One kind of period in a time zone."""

    def __init__(self, unit: str, zone: str | None = None, week_start: str = "sunday") -> None:
        """Store the kind, one of UNITS, and the zone: an IANA name or None for the system's. Raises LookupError."""
        self.unit = unit
        self._zone = zone
        self._offset_of = offsets(zone)
        self.week_start = WEEKDAYS.index(week_start)  # numbered like `weekday`

    # --- dates ---

    def period_of(self, day: int) -> int:
        if self.unit == WEEK:
            return day - (weekday(day) - self.week_start) % 7
        return day - civil(day)[2] + 1 if self.unit == MONTH else day

    def after(self, period: int, count: int = 1) -> int:
        """Return the period *count* periods later, or earlier if that is negative."""
        if self.unit == MONTH:
            year, month, _ = civil(period)
            return _first_of_month(year, month + count)
        return period + count * (7 if self.unit == WEEK else 1)

    def count(self, first: int, last: int) -> int:
        """Return the number of periods from *first* to *last*, including both."""
        if self.unit == MONTH:
            years, months = (b - a for a, b in zip(civil(first)[:2], civil(last)[:2], strict=True))
            return 12 * years + months + 1
        return (last - first) // (7 if self.unit == WEEK else 1) + 1

    def name(self, period: int) -> str:
        """Return `YYYY-MM` for a month, else `YYYY-MM-DD` of the first day."""
        return date_text(period)[:-3] if self.unit == MONTH else date_text(period)

    # --- instants ---

    def day_of(self, us: int) -> int:
        second = us // SECOND
        return (second + self._offset(second)) // _SECONDS

    def local(self, us: int) -> str:
        """Return an instant as `YYYY-MM-DD hh:mm`."""
        second = us // SECOND
        day, second = divmod(second + self._offset(second), _SECONDS)
        return f"{date_text(day)} {second // 3600:02d}:{second // 60 % 60:02d}"

    def begin(self, day: int) -> int:
        """Return the microsecond when a day begins (see `windows.day_start`); for a skipped day, that of the next."""
        noon = day * _SECONDS + _NOON
        offset = self._offset(noon)
        noon -= offset
        at_noon = self._offset(noon)
        if at_noon == offset == self._offset(noon - _SECONDS):
            return (day * _SECONDS - offset) * SECOND  # no clock change since noon of the day before
        for each in (noon, noon + offset - at_noon):
            if (each + self._offset(each)) // _SECONDS == day:
                return day_start(each * SECOND, self._zone)
        return self.begin(day + 1)

    def edges(
        self, days: Iterable[int], since: int | None = None, until: int | None = None
    ) -> tuple[list[int], list[int | None]]:
        """Return the sorted edges of the periods that contain *days*, limited to the days from *since* to *until*, and
        the period between each edge and the next, or None between two periods."""
        begins: dict[int, int] = {}
        instants: set[int] = set()
        for period in sorted({self.period_of(day) for day in days}):
            first = period if since is None else max(period, since)
            after = self.after(period) if until is None else min(self.after(period), until + 1)
            begin, end = (self.begin(first), self.begin(after)) if first < after else (0, 0)
            if begin < end:
                begins[begin] = period
                instants |= {begin, end}
        starts = sorted(instants)
        return starts, [begins.get(start) for start in starts[:-1]]

    def hours(self, days: Iterable[int]) -> list[int]:
        """Return the sorted edges of the hours of *days*; of half hours if the clock changes, as some do by so much."""
        edges: set[int] = set()
        for day in days:
            begin, end = self.begin(day), self.begin(day + 1)
            is_even = (end - begin) % (48 * _HALF_HOUR) == 0
            edges |= {*range(begin, end, 2 * _HALF_HOUR if is_even else _HALF_HOUR), end}
        return sorted(edges)

    def hour_of(self, us: int) -> int:
        second = us // SECOND
        return (second + self._offset(second)) % _SECONDS // 3600

    def _offset(self, second: int) -> int:
        try:
            return self._offset_of(second)
        except (OverflowError, OSError, ValueError):  # years that the C library or datetime does not support
            return 0


def weekday(day: int) -> int:
    """Return the weekday, from 0 for Sunday to 6 for Saturday."""
    return (day + 4) % 7


def _first_of_month(year: int, month: int) -> int:
    """Return the first day of a month; month 13 is January of the next year, 0 is December of the last."""
    year, month = divmod(12 * year + month - 3, 12)  # years begin in March, so that the leap day is their last
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 - 719_468


@lru_cache(4096)  # the same few days recur in block after block
def date_text(day: int) -> str:
    """Return a day as `YYYY-MM-DD`."""
    year, month, number = civil(day)
    return f"{year:04d}-{month:02d}-{number:02d}"


def day_number(date: str) -> int:
    """Return the day number of a date, `YYYY-MM-DD`."""
    from datetime import date as calendar

    return calendar.fromisoformat(date).toordinal() - calendar(1970, 1, 1).toordinal()
