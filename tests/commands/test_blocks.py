"""Days and 5-hour windows: equal to a plain recount, whatever the zone, the gaps and the clock do."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ccusage_line import windows
from ccusage_line.windows import HOUR, MINUTE, SECOND, WINDOW, Block

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # midnight comes twice in autumn
    "America/Sao_Paulo",  # midnight did not come in spring, until 2019
    "Asia/Beirut",
    "America/St_Johns",  # the clock went back over midnight, at 0:01, until 2011
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # left out a whole day in 2011
    "Asia/Kathmandu",
]
NOON = 1_772_366_400 * SECOND  # 2026-03-01T12:00:00Z


def instant(zone: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()) * SECOND  # type: ignore[arg-type,misc]


# --- days --------------------------------------------------------------------------------------------------------


def local_date(second: int, zone: str) -> object:
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (epoch + timedelta(seconds=second)).astimezone(ZoneInfo(zone)).date()


def recounted_day_start(now_us: int, zone: str) -> int:
    """Minute by minute back from now until the date is another one: all clocks of today change at whole minutes."""
    second = now_us // SECOND
    minute = second // 60 * 60
    while local_date(minute - 60, zone) == local_date(second, zone):
        minute -= 60
    return minute * SECOND


@given(zone=st.sampled_from(ZONES), minutes=st.integers(1990 * 525_960 - 1970 * 525_960, 66 * 525_960))
@example(zone="America/Havana", minutes=instant("America/Havana", 2025, 11, 2, 9) // MINUTE)
@example(zone="America/Sao_Paulo", minutes=instant("America/Sao_Paulo", 2018, 11, 4, 9) // MINUTE)
@example(zone="America/St_Johns", minutes=instant("America/St_Johns", 2010, 11, 7, 9) // MINUTE)
@example(zone="America/St_Johns", minutes=instant("America/St_Johns", 2010, 11, 7, 0) // MINUTE)
@example(zone="Pacific/Apia", minutes=instant("Pacific/Apia", 2011, 12, 31, 9) // MINUTE)
@example(zone="Europe/Berlin", minutes=instant("Europe/Berlin", 2026, 3, 29, 1) // MINUTE)
@example(zone="Europe/Berlin", minutes=instant("Europe/Berlin", 2026, 10, 25, 23) // MINUTE)
@example(zone="Australia/Lord_Howe", minutes=instant("Australia/Lord_Howe", 2026, 4, 5, 12) // MINUTE)
def test_a_day_begins_where_a_walk_back_through_its_minutes_ends(zone: str, minutes: int) -> None:
    now = minutes * MINUTE + 1
    assert windows.day_start(now, zone) == recounted_day_start(now, zone)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a Windows process can't be chosen")
@pytest.mark.parametrize("zone", ZONES)
def test_the_system_zone_gives_the_same_days_as_its_name(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = instant("UTC", 2025, 1, 1)
    moments = [now + step * 7 * HOUR for step in range(1251)]
    named = [windows.day_start(moment, zone) for moment in moments]
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert [windows.day_start(moment, None) for moment in moments] == named
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("zone", ["Nowhere/Atall", "", "../etc/passwd", "/etc/passwd", "Europe", "\0"])
def test_an_unknown_zone_is_a_lookup_error(zone: str) -> None:
    with pytest.raises(LookupError):
        windows.day_start(NOON, zone)


@pytest.mark.parametrize("now", [-(10**30), 10**30])
def test_years_that_no_calendar_knows_have_utc_days(now: int) -> None:
    start = windows.day_start(now, None)
    assert start <= now < start + 24 * HOUR


# --- sums --------------------------------------------------------------------------------------------------------


def moments_of(steps: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Moments from gaps in minutes."""
    at, moments = NOON, []
    for gap, cost, tokens in steps:
        at += gap * MINUTE
        moments.append((at, cost, tokens))
    return moments


GAPS = st.one_of(st.integers(0, 90), st.integers(200, 400), st.sampled_from([0, 299, 300, 301, 1440]))
STEPS = st.lists(st.tuples(GAPS, st.integers(0, 10**13), st.integers(0, 10**6)), max_size=30)


@given(steps=STEPS, now=st.integers(-600, 6000), start=st.integers(-600, 6000))
def test_today_is_the_sum_of_what_lies_between_the_days_start_and_now(
    steps: list[tuple[int, int, int]], now: int, start: int
) -> None:
    moments = moments_of(steps)
    now_us, start_us = NOON + now * MINUTE, NOON + start * MINUTE
    expected = sum(cost for at, cost, _ in moments if start_us <= at <= now_us)
    assert windows.today(moments, now_us, start_us) == expected


def recounted(moments: list[tuple[int, int, int]], now: int, resets_at: float | None) -> Block | None:
    """The rule of the plan, spelled out over the whole history."""
    past = [moment for moment in moments if moment[0] <= now]
    if resets_at is not None and now < resets_at * SECOND <= now + 5 * HOUR:
        end = round(resets_at * SECOND)
        return recounted_window(past, end - 5 * HOUR, end)
    groups: list[tuple[int, list[tuple[int, int, int]]]] = []
    for moment in past:
        if not groups or moment[0] - groups[-1][0] >= 5 * HOUR or moment[0] - groups[-1][1][-1][0] >= 5 * HOUR:
            groups.append((moment[0] - moment[0] % HOUR, []))
        groups[-1][1].append(moment)
    for start, members in groups[-1:]:
        if now < start + 5 * HOUR and now - members[-1][0] < 5 * HOUR:
            return recounted_window(past, start, start + 5 * HOUR)
    return None


def recounted_window(past: list[tuple[int, int, int]], start: int, end: int) -> Block:
    inside = [moment for moment in past if start <= moment[0] < end]
    first = inside[0][0] if inside else None
    return Block(start, end, sum(m[1] for m in inside), sum(m[2] for m in inside), first)


@given(
    steps=STEPS,
    now=st.integers(-600, 6000),
    resets=st.one_of(
        st.none(),
        st.integers(-400, 400),
        st.sampled_from([0, 1, 300, 301]),
    ),
)
def test_the_block_is_that_of_a_plain_recount(steps: list[tuple[int, int, int]], now: int, resets: int | None) -> None:
    moments = moments_of(steps)
    now_us = NOON + now * MINUTE
    resets_at = None if resets is None else now_us / SECOND + resets * 60
    assert windows.block(moments, now_us, resets_at) == recounted(moments, now_us, resets_at)


@given(steps=STEPS, begin=st.integers(-600, 6000), length=st.integers(0, 600))
def test_a_window_holds_its_begin_and_not_its_end(steps: list[tuple[int, int, int]], begin: int, length: int) -> None:
    moments = moments_of(steps)
    start, end = NOON + begin * MINUTE, NOON + (begin + length) * MINUTE
    assert windows.window(moments, start, end) == recounted_window(moments, start, end)


@pytest.mark.parametrize(
    "resets_at",
    [
        pytest.param(None, id="none"),
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("inf"), id="infinite"),
        pytest.param(-1.0, id="negative"),
        pytest.param(NOON / SECOND, id="now"),
        pytest.param(NOON / SECOND - 1, id="past"),
        pytest.param(NOON / SECOND + 5 * 3600 + 1, id="beyond-five-hours"),
        pytest.param(NOON / 1000, id="milliseconds"),
        pytest.param(True, id="true"),
        pytest.param("1772370000", id="text"),
        pytest.param(10**400, id="huge"),
    ],
)
def test_an_absurd_reset_is_no_reset(resets_at: float | None) -> None:
    assert windows.sane_reset(resets_at, NOON) is None
    moments = [(NOON - HOUR, 7, 1)]
    assert windows.block(moments, NOON, resets_at) == Block(NOON - HOUR, NOON + 4 * HOUR, 7, 1, NOON - HOUR)


def test_a_reset_without_responses_is_a_block_of_nothing() -> None:
    found = windows.block([], NOON, NOON / SECOND + 60)
    assert found == Block(NOON + MINUTE - WINDOW, NOON + MINUTE)
    assert found.cost_per_hour(NOON) is None
    assert found.tokens_per_minute(NOON) is None


def test_rates_are_those_since_the_first_response_of_one_minute_at_least() -> None:
    young = Block(NOON - HOUR, NOON + 4 * HOUR, cost=6, tokens=100, first=NOON - SECOND)
    assert (young.cost_per_hour(NOON), young.tokens_per_minute(NOON)) == (360, 100.0)
    old = Block(NOON - 2 * HOUR, NOON + 3 * HOUR, cost=6, tokens=240, first=NOON - 2 * HOUR)
    assert (old.cost_per_hour(NOON), old.tokens_per_minute(NOON)) == (3, 2.0)
    of_tomorrow = Block(NOON, NOON + WINDOW, cost=6, tokens=100, first=NOON + HOUR)
    assert (of_tomorrow.cost_per_hour(NOON), of_tomorrow.tokens_per_minute(NOON)) == (360, 100.0)
