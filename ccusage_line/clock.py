"""Instants -> days of a time zone."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SECOND = 1_000_000
_DAY = 86_400


def day_of(zone: str | None) -> Callable[[int], str]:
    """What makes `YYYY-MM-DD` of microseconds since the epoch, in an IANA zone or the system's.

    Raises UsageError for an unknown zone.
    """
    return system_day if zone is None else _zone_day(zone)


def system_day(us: int) -> str:
    """`YYYY-MM-DD` in the system's zone."""
    import time

    try:
        local = time.localtime(us // _SECOND)
    except (OverflowError, OSError, ValueError):  # years that the C library does not know
        return _utc_day(us)
    return f"{local.tm_year:04}-{local.tm_mon:02}-{local.tm_mday:02}"


def _utc_day(us: int) -> str:
    from .jsontext import civil

    year, month, day = civil(us // _SECOND // _DAY)
    return f"{year:04}-{month:02}-{day:02}"


def _zone_day(zone: str) -> Callable[[int], str]:
    from datetime import datetime, timedelta, timezone
    from zoneinfo import ZoneInfo

    from .errors import UsageError

    try:
        found = ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        raise UsageError(f"no time zone {zone!r}{_near(zone)}") from None
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)

    def day(us: int) -> str:
        try:
            return (epoch + timedelta(microseconds=us)).astimezone(found).date().isoformat()
        except OverflowError:
            return _utc_day(us)

    return day


def _near(zone: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    lower = {name.lower(): name for name in available_timezones()}
    near = get_close_matches(zone.lower(), list(lower), 1)
    return f", did you mean {lower[near[0]]}?" if near else "; use a name like Europe/Berlin"
