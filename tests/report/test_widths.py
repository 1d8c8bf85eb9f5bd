"""Every width of a screen: a wider screen never shows less, and nothing is wider than the screen."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from ccusage_line.index.slots import Row, Sums
from ccusage_line.report import block_table, period_table
from ccusage_line.report.blocks import Block, edges, set_usage
from ccusage_line.report.grid import Look
from ccusage_line.report.periods import Periods, day_number
from ccusage_line.report.sessions import render_list
from ccusage_line.report.usage import shares
from ccusage_line.session import ModelUsage, Session
from ccusage_line.windows import HOUR, WINDOW

WIDTHS = range(20, 221)
DAY = day_number("2026-05-01")
NOON = 1_777_636_800_000_000  # of DAY
ID = "{:08x}-1111-4111-8111-{:012x}"
MODELS = ("claude-opus-4-5-20251101", "claude-haiku-4-5", "acme/in-house-coder-of-2026-01", "in-house-coder-of-2026-02")
counts = st.integers(0, 10**5) | st.integers(0, 10**11)
usages = st.builds(ModelUsage, st.sampled_from(MODELS), counts, counts, counts, counts, counts)
found = st.builds(
    Session,
    st.integers(0, 10**6).map(lambda number: ID.format(number, number * number)),
    st.lists(usages, min_size=1, max_size=3, unique_by=lambda usage: usage.name),
    st.just(NOON),
    st.just(NOON),
    st.none() | st.text("abc/日-", max_size=30).map("/home/".__add__),
    st.none() | st.text("words 日本", max_size=80),
)
histories = st.lists(found, min_size=1, max_size=3, unique_by=lambda session: session.id)


def columns(text: str) -> set[str]:
    """Return the headers of a report's table, or an empty set if there is no table."""
    lines = text.split("\n")
    top = next((at for at, line in enumerate(lines) if line[:1] == "┌"), None)
    if top is None:
        return set()
    end = next(at for at, line in enumerate(lines) if line[:1] == "├")
    words = zip(*[line.split("│")[1:-1] for line in lines[top + 1 : end]], strict=True)
    return {" ".join(" ".join(header).split()) for header in words}


def never_shows_less(report: Callable[[int], str]) -> None:
    before: set[str] = set()
    for width in WIDTHS:
        text = report(width)
        assert max(map(wcswidth, text.split("\n"))) <= width
        now = columns(text)
        assert before <= now, f"{width} columns lack {before - now}"
        before = now


@settings(max_examples=5)
@given(histories, st.booleans(), st.booleans())
def test_a_wider_list_of_sessions_never_shows_less(sessions: list[Session], compact: bool, breakdown: bool) -> None:
    look = {"compact": compact, "breakdown": breakdown}
    never_shows_less(lambda width: render_list(sessions, width=width, day_of=lambda us: "2026-05-01", **look))


@settings(max_examples=5)
@given(histories)
def test_ids_become_whole_and_never_short_again(sessions: list[Session]) -> None:
    texts = [render_list(sessions, width=width, day_of=lambda us: "2026-05-01") for width in WIDTHS]
    whole = [all(session.id in text for session in sessions) for text in texts]
    assert whole == sorted(whole)


def row(period: int, models: list[ModelUsage]) -> Row:
    counted = [(m.name, m.input, m.output, m.cache_creation, m.cache_read, m.cost) for m in models]
    return Row(period, None, 1, [Sums(*numbers, 1, 0, 0, NOON, NOON) for numbers in counted])


@settings(max_examples=5)
@given(st.lists(usages, min_size=1, max_size=3), st.sampled_from(["none", "bars"]))
def test_a_wider_report_of_days_never_shows_less(models: list[ModelUsage], chart: str) -> None:
    groups = {"": shares([row(0, models)], [DAY].__getitem__)}
    never_shows_less(
        lambda width: period_table.render("Days", groups, Periods("day", "UTC"), Look(width, chart=chart), ())
    )


@settings(max_examples=5)
@given(st.lists(usages, min_size=1, max_size=3), st.sampled_from(["none", "bars"]), st.none() | st.just(10**6))
def test_a_wider_report_of_blocks_never_shows_less(models: list[ModelUsage], chart: str, limit: int | None) -> None:
    block, now = Block(NOON, NOON + WINDOW), NOON + HOUR
    set_usage([block], [row(1, models)], edges([block], now), now)
    never_shows_less(
        lambda width: block_table.render(
            "Blocks", {"": [block]}, Periods("day", "UTC"), Look(width, chart=chart), now, limit
        )
    )
