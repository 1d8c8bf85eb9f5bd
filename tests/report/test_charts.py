"""Bars, sparklines and the calendar: nothing used is left out or too wide, whatever a screen can show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccusage_line.report import charts
from ccusage_line.report.periods import day_number

values = st.lists(st.integers(0, 10**15), max_size=60)
SUNDAY = day_number("2026-05-03")


@given(values=values.filter(any), width=st.integers(1, 40), ascii_only=st.booleans())
def test_bars_are_as_long_as_their_share_of_the_largest(values: list[int], width: int, ascii_only: bool) -> None:
    bars = [charts.bar(value, max(values), width, ascii_only) for value in values]
    assert max(map(len, bars)) == width
    for value, bar in zip(values, bars, strict=True):
        assert bool(bar) == (value > 0)
        assert bar.isascii() or not ascii_only
        assert len(bar) <= max(1, -(-value * width // max(values)))


@pytest.mark.parametrize(
    ("value", "drawn"), [(0, ""), (1, "▏"), (50, "██"), (56, "██▏"), (57, "██▎"), (99, "███▉"), (100, "████")]
)
def test_a_bar_is_drawn_to_the_eighth(value: int, drawn: str) -> None:
    assert charts.bar(value, 100, 4) == drawn


@given(values=values, ascii_only=st.booleans())
def test_a_sparkline_rises_with_its_values(values: list[int], ascii_only: bool) -> None:
    line = charts.sparkline(values, ascii_only)
    steps = " .:+*#" if ascii_only else " ▁▂▃▄▅▆▇█"
    heights = [steps.index(mark) for mark in line]
    assert [height > 0 for height in heights] == [value > 0 for value in values]
    assert [height for _, height in sorted(zip(values, heights, strict=True))] == sorted(heights)
    assert not any(values) or max(heights) == len(steps) - 1


def test_below_a_table_is_a_sparkline_with_the_range_and_mean() -> None:
    def line(width: int) -> list[str]:
        return charts.sparkline_lines([4, 0, 1, 8, 2], 5, [4, 1, 8, 2], "day", str, width, False)

    assert line(40) == ["▂█▁ ▄  0 to 8, mean 3 a day"]
    assert line(26) == ["▂█▁ ▄", "0 to 8, mean 3 a day"]
    assert line(4) == ["█▁ ▄", "0 to", "8,", "mean", "3 a", "day"]


def test_the_calendar_has_a_column_for_each_week_and_a_line_for_each_weekday() -> None:
    used = {SUNDAY - 30: 1, SUNDAY - 1: 20, SUNDAY: 30, SUNDAY + 1: 40}
    assert charts.calendar(used, SUNDAY - 30, SUNDAY + 2, width=60) == [
        "    Apr       May",
        "Sun   · · · · ▓",
        "Mon   · · · · █",
        "Tue   · · · · ·",
        "Wed   · · · ·",
        "Thu   · · · ·",
        "Fri ░ · · · ·",
        "Sat · · · · ▒",
    ]


def test_if_two_months_are_too_close_the_calendar_names_the_later_one() -> None:
    for first, months in (("2026-10-28", "      Nov"), ("2026-10-14", "    Oct   Nov")):
        assert charts.calendar({}, day_number(first), day_number("2026-11-21"), width=60)[0] == months


@given(
    used=st.dictionaries(st.integers(0, 500), st.integers(0, 100), min_size=1),
    width=st.integers(20, 130),
    start=st.integers(0, 6),
    ascii_only=st.booleans(),
)
def test_the_calendar_shows_the_newest_days_once_each(
    used: dict[int, int], width: int, start: int, ascii_only: bool
) -> None:
    first, last = min(used), max(used)
    lines = charts.calendar(used, first, last, width=width, week_start=start, ascii_only=ascii_only)
    assert len(lines) == 8
    assert max(map(len, lines)) <= width
    marks = "".join(line[4:].replace(" ", "") for line in lines[1:])
    weeks = len(range(first - (first + 4 - start) % 7, last + 1, 7))
    fit = min(weeks, 53, width - 4)
    shown = range(max(first, last - (last + 4 - start) % 7 - 7 * (fit - 1)), last + 1)
    assert len(marks) == len(shown)
    none = "." if ascii_only else "·"
    assert sum(mark != none for mark in marks) == sum(used.get(day, 0) > 0 for day in shown)


def test_the_notes_say_what_shades_are_and_what_stands_out() -> None:
    used = {SUNDAY: 1, SUNDAY + 1: 5, SUNDAY + 2: 9, SUNDAY + 5: 9}
    assert charts.calendar_notes(used, {9: 4, 23: 20}, SUNDAY + 6, str, True) == [
        ". none, : to 1, + to 5, * to 9, # to 9",
        "Active days: 4. Longest streak: 3 days, current: 1 day.",
        "Highest day: 2026-05-05, 9. Highest hour: 23:00 to 00:00, 20 in all.",
    ]


@pytest.mark.parametrize(
    ("environ", "utf8"),
    [
        ({}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, False),
        ({"LC_CTYPE": "de_DE.ISO-8859-1"}, False),
    ],
)
def test_a_locale_tells_whether_a_screen_has_utf8(environ: dict[str, str], utf8: bool) -> None:
    assert charts.has_utf8(environ) is utf8
