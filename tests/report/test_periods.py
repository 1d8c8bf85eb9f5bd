"""Days, weeks and months of a zone equal a walk through its clock, whatever the clock does."""

from __future__ import annotations

import calendar
import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ccusage_line.report.periods import UNITS, WEEKDAYS, Periods, date_text, day_number, weekday
from ccusage_line.windows import SECOND

EPOCH = date(1970, 1, 1)
ZONES = sorted(available_timezones())
LEFT_OUT = day_number("2011-12-30")  # in Samoa
FIRST, LAST = day_number("2018-01-01"), day_number("2030-12-31")
days = st.integers(FIRST, LAST)


def walked(day: int, zone: str) -> int:
    """Return the first second that has the date of *day*, or of the next one if the zone leaves *day* out."""
    place, earliest = ZoneInfo(zone), (day - 1) * 86_400 - 43_200

    def date_at(second: int) -> int:
        return (datetime.fromtimestamp(second, place).date() - EPOCH).days

    after = next(second for second in range(earliest, earliest + 4 * 86_400, 900) if date_at(second) >= day)
    return next(second for second in range(after - 900, after + 1) if date_at(second) >= day)


@given(zone=st.sampled_from(ZONES), day=days)
@example(zone="America/Sao_Paulo", day=day_number("2018-11-04"))  # no midnight
@example(zone="America/Havana", day=day_number("2025-11-02"))  # two midnights
@example(zone="Australia/Lord_Howe", day=day_number("2026-04-05"))  # 24.5 hours
@example(zone="Africa/Casablanca", day=day_number("2030-01-01"))
@example(zone="America/Nuuk", day=day_number("2024-10-27"))
@example(zone="Pacific/Apia", day=LEFT_OUT)
def test_a_day_begins_with_the_first_second_that_has_its_date(zone: str, day: int) -> None:
    assert Periods("day", zone).begin(day) == walked(day, zone) * SECOND


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a Windows process can't be chosen")
def test_the_system_zone_has_the_same_days_as_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [Periods("day", "America/Sao_Paulo").begin(day) for day in range(FIRST, FIRST + 500)]
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    try:
        assert [Periods("day").begin(day) for day in range(FIRST, FIRST + 500)] == named
    finally:
        monkeypatch.undo()
        time.tzset()


@given(unit=st.sampled_from(UNITS), day=days, start=st.sampled_from(WEEKDAYS))
def test_periods_are_those_of_the_calendar(unit: str, day: int, start: str) -> None:
    periods = Periods(unit, "UTC", start)
    period, today = periods.period_of(day), EPOCH + timedelta(day)
    assert period <= day < periods.after(period)
    assert periods.period_of(periods.after(period) - 1) == period
    if unit == "month":
        assert periods.name(period) == f"{today:%Y-%m}"
        assert periods.after(period) - period == calendar.monthrange(today.year, today.month)[1]
    else:
        assert periods.after(period) - period == {"day": 1, "week": 7}[unit]
        assert periods.name(period) == (EPOCH + timedelta(period)).isoformat()
    if unit == "week":
        assert WEEKDAYS[weekday(period)] == start


@given(unit=st.sampled_from(UNITS), day=days, steps=st.integers(0, 400))
def test_going_on_and_back_is_step_by_step(unit: str, day: int, steps: int) -> None:
    periods = Periods(unit, "UTC")
    first = last = periods.period_of(day)
    for _ in range(steps):
        last = periods.after(last)
    assert periods.after(first, steps) == last
    assert periods.after(last, -steps) == first
    assert periods.count(first, last) == steps + 1


@given(
    zone=st.sampled_from(ZONES),
    unit=st.sampled_from(UNITS),
    at=st.lists(st.integers(FIRST * 86_400, LAST * 86_400), min_size=1, max_size=8),
    bounds=st.tuples(st.none() | days, st.none() | days),
)
def test_every_instant_lies_between_the_edges_of_its_own_period(
    zone: str, unit: str, at: list[int], bounds: tuple[int | None, int | None]
) -> None:
    periods = Periods(unit, zone)
    since, until = bounds
    starts, keys = periods.edges(map(periods.day_of, [second * SECOND for second in at]), since, until)
    assert starts == sorted(set(starts))
    for second in at:
        day = (datetime.fromtimestamp(second, ZoneInfo(zone)).date() - EPOCH).days
        inside = (since is None or since <= day) and (until is None or day <= until)
        place = sum(start <= second * SECOND for start in starts) - 1
        found = keys[place] if 0 <= place < len(keys) else None
        assert found == (periods.period_of(day) if inside else None)


@pytest.mark.parametrize("day", [-719_162, -800_000, 2_932_896, 10_000_000])
def test_years_that_no_calendar_knows_have_utc_days(day: int) -> None:
    periods = Periods("day", "Europe/Berlin")
    begin = periods.begin(day)
    assert abs(begin - day * 86_400 * SECOND) <= 86_400 * SECOND
    assert periods.begin(day + 1) > begin


def test_an_unknown_zone_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        Periods("day", "Nowhere/Atall")


def test_a_day_is_written_as_it_is_read() -> None:
    assert [date_text(day_number(text)) for text in ("1969-12-31", "2024-02-29")] == ["1969-12-31", "2024-02-29"]
    assert Periods("day", "Asia/Kathmandu").local(0) == "1970-01-01 05:30"
