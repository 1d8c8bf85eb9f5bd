"""Bars, sparklines and the calendar, in block characters, or in ASCII on a screen without UTF-8."""

from __future__ import annotations

from itertools import islice

from ..text import count_text, wrap
from .periods import SHORT_WEEKDAYS, date_text, weekday

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

BARS, HEAT, NONE = KINDS = ("bars", "heat", "none")
NARROWEST_BAR, WIDEST_BAR = 12, 30  # columns
BARS_FROM, SPARKLINE_FROM = 60, 20  # minimum columns of the screen
MOST_WEEKS = 53
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = ("▁▂▃▄▅▆▇█", ".:+*#")
_SHADES = ("·░▒▓█", ".:+*#")
_SHORTEST_LINE = 8  # columns of a sparkline that has numbers beside it
_LABELS = 4  # columns for the names of weekdays
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def bar(value: int, largest: int, width: int, ascii_only: bool = False) -> str:
    """Return a bar for *value*, *width* columns long for *largest*; a value above 0 has at least the smallest mark."""
    if value <= 0 or largest <= 0:
        return ""
    if ascii_only:
        return "=" * max(1, value * width // largest)
    whole, rest = divmod(max(1, value * width * 8 // largest), 8)
    return "█" * whole + _EIGHTHS[rest].strip()


def sparkline(values: Sequence[int], ascii_only: bool = False) -> str:
    """Return a character for each value, its height relative to the largest value; a space for 0."""
    steps, largest = _STEPS[ascii_only], max(values, default=0)
    return "".join([steps[(value * len(steps) - 1) // largest] if value > 0 else " " for value in values])


def sparkline_lines(
    newest: Iterable[int],
    count: int,
    values: Sequence[int],
    unit: str,
    amount: Callable[[int], str],
    width: int,
    ascii_only: bool,
) -> list[str]:
    """Return a sparkline of as many of the *newest* values, the last one first, as fit, and the lowest, highest and
    mean of all. *count* values include zeros, *values* are the others."""
    if not any(values):
        return []
    lowest = 0 if count > len(values) else min(values)
    text = f"{amount(lowest)} to {amount(max(values))}, mean {amount(sum(values) // count)} a {unit}"
    is_beside = len(text) + 2 + _SHORTEST_LINE <= width
    shown = list(islice(newest, min(count, width - len(text) - 2 if is_beside else width)))[::-1]
    line = sparkline(shown, ascii_only)
    return [f"{line}  {text}"] if is_beside else [line, *wrap(text, width)]


def quartiles(values: Sequence[int]) -> list[int]:
    ranked = sorted(values)
    return [ranked[(len(ranked) * quarter + 3) // 4 - 1] for quarter in (1, 2, 3, 4)] if ranked else []


def calendar(
    values: Mapping[int, int], first: int, last: int, *, width: int, week_start: int = 0, ascii_only: bool = False
) -> list[str]:
    """Draw the days from *first* to *last*, or the newest weeks that fit: a column per week, a line per weekday, the
    months above. *week_start* is numbered like `periods.weekday`."""
    newest = last - (weekday(last) - week_start) % 7
    weeks = (newest - first + 6) // 7 + 1  # from the week of the first day to that of the last
    weeks = max(1, min(weeks, MOST_WEEKS, width - _LABELS))
    step = 2 if weeks * 2 + _LABELS <= width else 1
    begin = newest - 7 * (weeks - 1)
    edges = quartiles([value for value in values.values() if value > 0])

    def shade(value: int) -> str:
        return _SHADES[ascii_only][0 if value <= 0 else 1 + sum(value > edge for edge in edges[:-1])]

    lines = [_months(first, begin, weeks, step, width)]
    for row in range(7):
        days = range(begin + row, last + 1, 7)
        cells = [shade(values.get(day, 0)) if day >= first else " " for day in days]
        lines.append(f"{SHORT_WEEKDAYS[(week_start + row) % 7]:<{_LABELS}}{(' ' * (step - 1)).join(cells)}".rstrip())
    return lines


def _months(first: int, begin: int, weeks: int, step: int, width: int) -> str:
    """Return the names of months, each above the first week that begins in it; of two that overlap, the later one."""
    line, before = "", ""
    for week in range(weeks):
        month = date_text(max(first, begin + 7 * week))[:7]
        column = _LABELS + week * step
        if month != before and column + 3 <= width:
            line = line if len(line) < column else line[:-3].rstrip()
            line = f"{line:<{column}}{_MONTHS[int(month[5:]) - 1]}"
        before = month
    return line


def streaks(days: Sequence[int], today: int) -> tuple[int, int]:
    """Return (the longest run of consecutive days, the run that ends *today* or the day before) of sorted *days*."""
    longest = run = 0
    before = None
    for day in days:
        run = run + 1 if before is not None and day == before + 1 else 1
        longest, before = max(longest, run), day
    return longest, run if before is not None and before >= today - 1 else 0


def calendar_notes(
    values: Mapping[int, int], hours: Mapping[int, int], today: int, amount: Callable[[int], str], ascii_only: bool
) -> list[str]:
    """Return the legend of the calendar and its highlights. *hours*: hour of the day -> its size."""
    days = sorted(day for day, value in values.items() if value > 0)
    if not days:
        return []
    shades = _SHADES[ascii_only]
    legend = [
        f"{mark} to {amount(edge)}" for mark, edge in zip(shades[1:], quartiles([values[d] for d in days]), strict=True)
    ]
    longest, current = streaks(days, today)
    highest = max(days, key=lambda day: (values[day], -day))
    notes = [
        ", ".join([f"{shades[0]} none", *legend]),
        f"Active days: {len(days):,}. Longest streak: {count_text(longest, 'day')}, "
        f"current: {count_text(current, 'day')}.",
        f"Highest day: {date_text(highest)}, {amount(values[highest])}.",
    ]
    if any(hours.values()):
        hour = max(sorted(hours), key=hours.__getitem__)
        notes[-1] += f" Highest hour: {hour:02d}:00 to {(hour + 1) % 24:02d}:00, {amount(hours[hour])} in all."
    return notes


def has_utf8(environ: Mapping[str, str]) -> bool:
    """Return whether the locale of the terminal has UTF-8; assume so if no locale is set."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return not locale or "utf" in locale.lower()
