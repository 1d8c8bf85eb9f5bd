"""Blocks of the report: what was used in each, gaps, rates, projections and limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccusage_line.index.slots import Row, Sums
from ccusage_line.report.block_table import format_duration
from ccusage_line.report.blocks import (
    Block,
    add_gaps,
    drop_unused,
    edges,
    indicator,
    limit_status,
    parse_limit,
    set_pauses,
    set_usage,
)
from ccusage_line.windows import HOUR, MINUTE, WINDOW, Window

NOON = 1_777_636_800_000_000  # 2026-05-01T12:00:00Z


def row(period: int, first: int, tokens: int = 100, cost: int = 10**12, last: int | None = None) -> Row:
    sums = Sums("claude-opus-4-5", tokens, 0, 0, 0, cost, 1, 0, 0, first, first if last is None else last)
    return Row(period, None, 1, [sums])


def filled(now: int, *responses: int, start: int = NOON, window: Window | None = None) -> Block:
    """Return a block that has these responses, of 100 tokens and a dollar each."""
    block = Block(start, start + WINDOW, window)
    starts = edges([block], now)
    rows = [row(sum(edge <= at for edge in starts) - 1, at) for at in responses]
    set_usage([block], rows, starts, now)
    return block


@given(
    at=st.lists(st.integers(0, 30 * 60), max_size=20),
    blocks=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    now=st.integers(0, 30 * 60),
)
def test_a_block_counts_what_is_inside_it_and_rates_only_what_is_not_after_now(
    at: list[int], blocks: list[int], now: int
) -> None:
    found, start = [], NOON
    for pause in blocks:
        start += pause * HOUR
        found.append(Block(start, start + WINDOW))
        start += WINDOW
    times = [NOON + minutes * MINUTE for minutes in at]
    now_us = NOON + now * MINUTE
    starts = edges(found, now_us)
    places = [sum(edge <= time for edge in starts) - 1 for time in times]
    set_usage(found, [row(place, time) for place, time in zip(places, times, strict=True)], starts, now_us)
    for block in found:
        inside = [time for time in times if block.start <= time < block.end]
        assert block.share.responses == len(inside)
        assert (block.share.first, block.share.last) == (min(inside, default=None), max(inside, default=None))
        if block.is_active(now_us):
            assert block.until_now.responses == sum(time <= now_us for time in inside)


def test_a_rate_is_that_of_the_time_since_the_first_response() -> None:
    rate = filled(NOON + 3 * HOUR, NOON + HOUR, NOON + 2 * HOUR).rate(NOON + 3 * HOUR)
    assert (rate.per_minute, rate.cost_per_hour) == (200 / 120, 10**12)
    young = filled(NOON + HOUR, NOON + HOUR - 1).rate(NOON + HOUR)
    assert (young.per_minute, young.cost_per_hour) == (100.0, 60 * 10**12)  # at least one minute is assumed


def test_a_response_after_now_counts_in_its_block_and_in_no_rate() -> None:
    now = NOON + 2 * HOUR
    block = filled(now, NOON, NOON + 3 * HOUR)
    assert block.share.total == 200
    rate = block.rate(now)
    assert rate.tokens == 100
    assert block.projection(now) == (250, 25 * 10**11)
    assert filled(now, NOON + 3 * HOUR).rate(now) is None


@pytest.mark.parametrize(
    ("now", "projection"),
    [
        pytest.param(NOON + 10 * MINUTE - 1, None, id="too young"),
        pytest.param(NOON + 10 * MINUTE, (3000, 30 * 10**12), id="ten minutes"),
        pytest.param(NOON + WINDOW - 1, (100, 10**12 + 56), id="the last moment"),
        pytest.param(NOON + WINDOW, None, id="over"),
        pytest.param(NOON - 1, None, id="not begun"),
    ],
)
def test_a_projection_is_what_is_used_and_the_rate_times_the_rest(now: int, projection: tuple[int, int] | None) -> None:
    assert filled(now, NOON).projection(now) == projection


def chained(*bounds: tuple[int, int, int, int]) -> list[Block]:
    """Return blocks from (start, end, first, last) in hours after noon."""
    blocks = []
    for number, (start, end, first, last) in enumerate(bounds):
        block = Block(NOON + start * HOUR, NOON + end * HOUR)
        set_usage([block], [row(0, NOON + first * HOUR, last=NOON + last * HOUR)], [block.start, block.end], NOON - 1)
        blocks.append(block)
        assert number == 0 or blocks[-2].end <= block.start
    set_pauses(blocks)
    return blocks


@pytest.mark.parametrize(
    ("blocks", "gaps"),
    [
        pytest.param([(0, 5, 0, 4), (5, 10, 5, 6)], [], id="one after the other"),
        pytest.param([(0, 5, 0, 1), (5, 10, 6, 6)], [], id="a pause that the blocks cover"),
        pytest.param([(0, 5, 0, 4), (7, 12, 7, 7)], [], id="a pause of less than five hours"),
        pytest.param([(0, 5, 0, 4), (9, 14, 9, 9)], [(5, 9)], id="five hours"),
        pytest.param([(0, 5, 0, 1), (9, 14, 9, 9), (50, 55, 51, 52)], [(5, 9), (14, 50)], id="two"),
    ],
)
def test_a_gap_is_what_no_block_covers_of_a_pause_of_five_hours(
    blocks: list[tuple[int, int, int, int]], gaps: list[tuple[int, int]]
) -> None:
    found = add_gaps(chained(*blocks), WINDOW)
    assert [(b.start, b.end) for b in found if b.is_gap] == [(NOON + a * HOUR, NOON + b * HOUR) for a, b in gaps]
    assert [b.start for b in found] == sorted(b.start for b in found)
    assert not any(b.is_active(b.start) for b in found if b.is_gap)


@pytest.mark.parametrize(
    ("responses", "starts"),
    [
        pytest.param([(0, 0), (4, 51)], [0, 5, 50], id="the one between"),
        pytest.param([(2, 9), (4, 51)], [9, 14, 50], id="the first"),
        pytest.param([(0, 0), (2, 9)], [0, 5, 9], id="the last"),
        pytest.param([], [], id="all"),
    ],
)
def test_an_empty_block_is_removed_with_the_gap_beside_it(responses: list[tuple[int, int]], starts: list[int]) -> None:
    blocks = add_gaps(chained((0, 5, 0, 1), (9, 14, 9, 9), (50, 55, 51, 52)), WINDOW)
    without_usage = [block.without_usage() for block in blocks]
    bounds = sorted({edge for block in without_usage for edge in (block.start, block.end)})
    set_usage(without_usage, [row(period, NOON + hours * HOUR) for period, hours in responses], bounds, NOON - 1)
    assert [(block.start - NOON) // HOUR for block in drop_unused(without_usage)] == starts


@pytest.mark.parametrize(
    ("text", "limit"),
    [("1", 1), ("500k", 500_000), ("1.5M", 1_500_000), ("1e6", 1_000_000), ("2,000", 2_000), ("max", 200)],
)
def test_a_limit_is_a_number_or_the_largest_finished_block(text: str, limit: int) -> None:
    now = NOON + 20 * HOUR
    blocks = [filled(now, NOON, NOON + 1), filled(now, NOON + 9 * HOUR, start=NOON + 9 * HOUR)]
    blocks.append(filled(now, *[NOON + 18 * HOUR] * 3, start=NOON + 18 * HOUR))
    assert parse_limit(text, blocks, now) == limit


@pytest.mark.parametrize("text", ["0", "-5", "", "k", "nan", "inf", "5x", "0.2", "Max"])
def test_a_limit_has_to_be_a_number_above_0(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_limit(text, [], NOON)
    assert parse_limit("max", [], NOON) is None


def test_a_limit_is_near_from_four_fifths_on() -> None:
    assert [limit_status(tokens, 100) for tokens in (80, 81, 100, 101)] == ["ok", "warning", "warning", "exceeds"]
    assert [indicator(rate) for rate in (1_999.9, 2_000, 4_999, 5_000)] == ["Normal", "Moderate", "Moderate", "High"]


@pytest.mark.parametrize(
    ("used", "seen", "now", "reached"),
    [
        pytest.param(50.0, HOUR, HOUR, 2 * HOUR, id="twice the time"),
        pytest.param(20.0, HOUR, HOUR, None, id="the end comes first"),
        pytest.param(4.9, MINUTE, HOUR, None, id="too little"),
        pytest.param(50.0, 5 * MINUTE, 9 * MINUTE, None, id="too early"),
        pytest.param(None, HOUR, HOUR, None, id="nothing told"),
    ],
)
def test_the_clients_limit_is_reached_if_it_goes_on_so(
    used: float | None, seen: int, now: int, reached: int | None
) -> None:
    window = Window(NOON, NOON + WINDOW, used, NOON + seen)
    found = filled(NOON + now, NOON, window=window).reaches_100_at(NOON + now)
    assert found == (None if reached is None else NOON + reached)
    assert filled(NOON + now, NOON).reaches_100_at(NOON + now) is None


def test_a_duration_is_cut_and_never_rounded_up() -> None:
    assert [format_duration(us) for us in (59_999_999, 59 * MINUTE, 5 * HOUR - 1, 66 * HOUR + 59 * MINUTE)] == [
        "0m",
        "59m",
        "4h 59m",
        "2d 18h",
    ]
