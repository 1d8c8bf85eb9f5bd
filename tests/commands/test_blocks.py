"""Days and 5-hour blocks equal a plain recount, whatever the zone, the gaps and the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ccusage_line import windows
from ccusage_line.windows import HOUR, MINUTE, SECOND, WINDOW, Block, Window

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # midnight comes twice in autumn
    "America/Sao_Paulo",  # no midnight in spring, until 2019
    "Asia/Beirut",
    "America/St_Johns",  # until 2011 the clock was set back over midnight, at 0:01
    "Australia/Lord_Howe",  # the clock is set by half an hour
    "Pacific/Apia",  # 2011 lacks a whole day
    "Asia/Kathmandu",
]
NOON = 1_772_366_400 * SECOND  # 2026-03-01T12:00:00Z


def instant(zone: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()) * SECOND  # type: ignore[arg-type,misc]


CHANGE = instant("UTC", 2026, 5, 22)  # since then blocks begin at a multiple of ten minutes

# --- days --------------------------------------------------------------------------------------------------------


def local_date(second: int, zone: str) -> object:
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (epoch + timedelta(seconds=second)).astimezone(ZoneInfo(zone)).date()


def recounted_day_start(now_us: int, zone: str) -> int:
    """Walk back minute by minute until the date changes; all clocks of today change at whole minutes."""
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
    """Return moments (time, cost, tokens) from gaps in minutes."""
    at, moments = NOON, []
    for gap, cost, tokens in steps:
        at += gap * MINUTE
        moments.append((at, cost, tokens))
    return moments


GAPS = st.one_of(st.integers(0, 90), st.integers(200, 400), st.sampled_from([0, 299, 300, 301, 1440]))
STEPS = st.lists(st.tuples(GAPS, st.integers(0, 10**13), st.integers(0, 10**6)), max_size=30)


@given(steps=STEPS, begin=st.integers(-600, 6000), end=st.integers(-600, 6000))
def test_today_is_the_sum_of_what_lies_in_the_day(steps: list[tuple[int, int, int]], begin: int, end: int) -> None:
    moments = moments_of(steps)
    begin_us, end_us = NOON + begin * MINUTE, NOON + end * MINUTE
    expected = sum(cost for at, cost, _ in moments if begin_us <= at < end_us)
    assert windows.cost_between(moments, begin_us, end_us) == expected


def told(*ends: int) -> windows.Windows:
    return {(5, end): (None, 0) for end in ends}


def recounted_chain(times: list[int], known: list[Window], length: int = WINDOW) -> list[tuple[int, int]]:
    """Apply the rule of blocks response by response to the whole history."""
    known = known if length == WINDOW else []
    blocks: list[tuple[int, int]] = []
    for at in times:
        if blocks and at < blocks[-1][1]:
            continue
        unit = 10 * MINUTE if at >= CHANGE else HOUR
        start = max([at - at % unit, *(window.end for window in known if window.end <= at)])
        end = min([start + length, *(window.start for window in known if window.start > at)])
        inside = [(window.start, window.end) for window in known if window.start <= at < window.end]
        blocks.append(inside[0] if inside else (start, end))
    return blocks


def recounted(moments: list[tuple[int, int, int]], now: int, known: list[Window]) -> Block | None:
    """Return what was spent in the current block; responses after now do not open one."""
    past = [moment for moment in moments if moment[0] <= now]
    blocks = [(window.start, window.end) for window in known if window.start <= now < window.end]
    for start, end in blocks or recounted_chain([at for at, _, _ in past], known)[-1:]:
        if start <= now < end:
            return recounted_window(moments, start, end, now)
    return None


def recounted_window(moments: list[tuple[int, int, int]], start: int, end: int, now: int) -> Block:
    inside = [moment for moment in moments if start <= moment[0] < end]
    first = next((moment[0] for moment in inside if moment[0] <= now), None)
    cost, tokens = (sum(moment[place] for moment in inside) for place in (1, 2))
    ahead = [sum(moment[place] for moment in inside if moment[0] > now) for place in (1, 2)]
    return Block(start, end, cost, tokens, first, (ahead[0], ahead[1]))


def first_from(times: list[int]) -> Callable[[int], int | None]:
    return lambda begin: next((at for at in times if at >= begin), None)


ENDS = st.lists(st.integers(-1200, 6000) | st.integers(-120, 600).map(lambda ten: ten * 10), max_size=6)


@given(
    steps=STEPS,
    now=st.integers(-600, 6000),
    ends=ENDS,
    length=st.sampled_from([WINDOW, HOUR, 8 * HOUR, 90 * MINUTE]),
    shift=st.sampled_from([0, CHANGE - NOON - 30 * HOUR, CHANGE - NOON]),
)
def test_blocks_are_those_of_a_plain_recount(
    steps: list[tuple[int, int, int]], now: int, ends: list[int], length: int, shift: int
) -> None:
    moments = [(at + shift, cost, tokens) for at, cost, tokens in moments_of(steps)]
    times = [at for at, _, _ in moments]
    known = windows.known_windows(told(*(NOON + shift + end * MINUTE for end in ends)))
    found = list(windows.chain(first_from(times), known, length))
    assert [bounds[:2] for bounds in found] == recounted_chain(times, known, length)
    assert all((window in known) if window else True for _, _, window in found)
    now_us = NOON + shift + now * MINUTE
    assert windows.current_block(moments, now_us, known) == recounted(moments, now_us, known)


@given(ends=st.lists(st.integers(0, 400), max_size=8), dice=st.randoms(use_true_random=False))
def test_windows_do_not_depend_on_the_order_in_which_they_were_reported(ends: list[int], dice: Random) -> None:
    calls = [
        {(5, NOON + end * 20 * SECOND): (dice.choice([None, 1.0, 7.5]), NOON + seen)} for seen, end in enumerate(ends)
    ]
    shuffled: windows.Windows = {}
    for call in dice.sample(calls, len(calls)):
        shuffled = windows.merge_windows(shuffled, call)
    known: windows.Windows = {}
    for call in calls:
        known = windows.merge_windows(known, call)
    assert shuffled == known
    found = windows.known_windows(known)
    assert [(window.start, window.end) for window in found] == sorted((w.start, w.end) for w in found)
    assert all(a.end <= b.start or a.end == b.start for a, b in pairwise(found))
    assert max((w.used or 0 for w in found), default=0) == max((used or 0 for used, _ in known.values()), default=0)


def test_ends_less_than_a_minute_apart_are_one_window_and_its_highest_percentage_counts() -> None:
    end = NOON + WINDOW
    known = {(5, end + SECOND): (12.0, NOON), (5, end): (31.5, NOON + 1), (5, end - SECOND): (31.5, NOON + 2)}
    (window,) = windows.known_windows({**known, (168, end): (99.0, NOON)})
    assert (window.start, window.end, window.used, window.seen) == (NOON, end, 31.5, NOON + 1)


@given(steps=STEPS, begin=st.integers(-600, 6000), length=st.integers(0, 600), gone=st.integers(0, 600))
def test_a_window_holds_its_begin_and_not_its_end(
    steps: list[tuple[int, int, int]], begin: int, length: int, gone: int
) -> None:
    moments = moments_of(steps)
    start, end = NOON + begin * MINUTE, NOON + (begin + length) * MINUTE
    now = start + gone * MINUTE
    assert windows.block_between(moments, start, end, now) == recounted_window(moments, start, end, now)


def test_a_known_window_without_responses_is_a_block_of_nothing() -> None:
    found = windows.current_block([], NOON, windows.known_windows(told(NOON + MINUTE)))
    assert found == Block(NOON + MINUTE - WINDOW, NOON + MINUTE)
    assert found.cost_per_hour(NOON) is None
    assert found.tokens_per_minute(NOON) is None


def test_rates_are_those_since_the_first_response_of_one_minute_at_least() -> None:
    young = Block(NOON - HOUR, NOON + 4 * HOUR, cost=6, tokens=100, first=NOON - SECOND)
    assert (young.cost_per_hour(NOON), young.tokens_per_minute(NOON)) == (360, 100.0)
    old = Block(NOON - 2 * HOUR, NOON + 3 * HOUR, cost=6, tokens=240, first=NOON - 2 * HOUR)
    assert (old.cost_per_hour(NOON), old.tokens_per_minute(NOON)) == (3, 2.0)
    ahead = Block(NOON - 2 * HOUR, NOON + 3 * HOUR, cost=9, tokens=300, first=NOON - 2 * HOUR, ahead=(3, 60))
    assert (ahead.cost_per_hour(NOON), ahead.tokens_per_minute(NOON)) == (3, 2.0)
    of_tomorrow = Block(NOON, NOON + WINDOW, cost=6, tokens=100, first=NOON + HOUR)
    assert (of_tomorrow.cost_per_hour(NOON), of_tomorrow.tokens_per_minute(NOON)) == (360, 100.0)
