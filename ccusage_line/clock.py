"""The local day of a time, in the system's time zone or in an IANA zone."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SECOND = 1_000_000
_DAY = 86_400


def day_of(zone: str | None) -> Callable[[int], str]:
    """Return a function from microseconds since the epoch to `YYYY-MM-DD`, in an IANA zone or, for None, the system's.

    Raises UsageError if the zone is unknown.
    """
    return system_day if zone is None else _zone_day(zone)


def parse_day(text: str, today: str) -> str | None:
    """Return `YYYY-MM-DD` for a day typed in that form, or as `YYYYMMDD`, `today`, `yesterday`, or `7d` or `2w` before
    *today*; None if it is not a day."""
    from datetime import date, timedelta

    text = {"today": "0d", "yesterday": "1d"}.get(text.lower(), text.lower())
    count, days_per_unit = text[:-1], {"d": 1, "w": 7}.get(text[-1:])
    digits = text.replace("-", "") if len(text) == 10 and text[4] == text[7] == "-" else text
    try:
        if days_per_unit is not None and count.isascii() and count.isdigit() and len(count) < 6:
            return (date.fromisoformat(today) - timedelta(days_per_unit * int(count))).isoformat()
        if len(digits) == 8 and digits.isascii() and digits.isdigit():
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except (OverflowError, ValueError):
        pass
    return None


def zone_of(name: str | None) -> str | None:
    """Return the IANA zone called *name*, in any case, or None for the system's (None, `local`). Raises UsageError."""
    if name is None or name.lower() == "local":
        return None
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        known = {zone.lower(): zone for zone in available_timezones()}
        if name.lower() in known:
            return known[name.lower()]
        raise _unknown_zone(name) from None
    return name


def system_day(us: int) -> str:
    """Return `YYYY-MM-DD` in the system's zone, or in UTC for years that the C library does not support."""
    import time

    try:
        local = time.localtime(us // _SECOND)
    except (OverflowError, OSError, ValueError):
        return _utc_day(us)
    return f"{local.tm_year:04}-{local.tm_mon:02}-{local.tm_mday:02}"


def _utc_day(us: int) -> str:
    from .jsontext import civil

    year, month, day = civil(us // _SECOND // _DAY)
    return f"{year:04}-{month:02}-{day:02}"


def _zone_day(zone: str) -> Callable[[int], str]:
    from datetime import datetime, timedelta, timezone
    from zoneinfo import ZoneInfo

    try:
        zone_info = ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        raise _unknown_zone(zone) from None
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)

    def day(us: int) -> str:
        try:
            return (epoch + timedelta(microseconds=us)).astimezone(zone_info).date().isoformat()
        except OverflowError:
            return _utc_day(us)

    return day


def _unknown_zone(zone: str) -> Exception:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    from .errors import UsageError

    lower = {name.lower(): name for name in available_timezones()}
    near = get_close_matches(zone.lower(), list(lower), 1)
    hint = f", did you mean {lower[near[0]]}?" if near else "; use a name like Europe/Berlin"
    if not lower:
        hint = ": this system has no time zone data; install its tzdata package, or run `pip install tzdata`"
    return UsageError(f"no time zone {zone!r}{hint}")
