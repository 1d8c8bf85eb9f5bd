"""A frame of the live view with everything in it, for tests and for docs/live.svg."""

from __future__ import annotations

from ccusage_line.index.slots import Row, Sums
from ccusage_line.report.blocks import Block, edges, set_usage
from ccusage_line.report.live import FrameData
from ccusage_line.report.periods import Periods
from ccusage_line.session import PICO, ModelUsage, Session
from ccusage_line.windows import HOUR, MINUTE, SECOND, WINDOW, Window

NOW = 1_795_867_207_000_000  # 2026-11-28T12:00:07Z
START = NOW - 7 * SECOND - 140 * MINUTE
OPUS, HAIKU = "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"


def used(name: str, cents: int, tokens: int, responses: int) -> ModelUsage:
    return ModelUsage(
        name, tokens // 100, tokens // 50, 0, tokens - tokens // 100 - tokens // 50, cents * PICO // 100, responses
    )


def session(number: int, cents: int, model: str, ago: int, project: str, title: str) -> Session:
    """Return a session whose last response was *ago* seconds before NOW."""
    last = NOW - ago * SECOND
    return Session(
        f"s{number}", [used(model, cents, cents * 3_000, 3)], last - HOUR, last, f"/home/me/{project}", title, 3
    )


def block(window: Window | None) -> Block:
    made = Block(START, START + WINDOW, window)
    starts = edges([made], NOW)
    sums = [
        Sums(HAIKU, 9_000, 22_000, 0, 191_000, 76 * PICO // 100, 5, 0, 0, START + MINUTE, NOW - HOUR),
        Sums(OPUS, 12_345, 34_567, 187_655, 778_000, 345 * PICO // 100, 18, 0, 0, START + MINUTE, NOW - SECOND),
    ]
    set_usage([made], [Row(0, None, 3, sums)], starts, NOW)
    return made


def picture(zone: str = "Europe/Berlin", *, told: bool = True, limit: int | None = None) -> FrameData:
    """At noon; with *told* the client said what its limits are."""
    made = FrameData(NOW, zone, Periods("day", zone))
    five = Window(START, START + WINDOW, 42.0, NOW - MINUTE)
    week = Window(NOW - 4 * 24 * HOUR, NOW + 3 * 24 * HOUR + 2 * HOUR - 7 * SECOND, 81.0, NOW - 12 * MINUTE)
    made.block = block(five if told else None)
    made.limits = {"5h": five, "7d": week} if told else {}
    made.recent = [2, 5, 8, 7, 3, 1, 1, 2, 5, 3, 2, 5]
    made.days = {
        name: Session("", [used(OPUS, cents, 10, 1)])
        for name, cents in (("", 1_230), ("yesterday", 2_011), ("this week", 6_170))
    }
    made.sessions = [
        session(1, 210, OPUS, 6, "alpha", "Round half up in the cart"),
        session(2, 187, OPUS, 95, "shop-frontend", "Search box loses focus after the first key"),
        session(3, 24, HAIKU, 3_900, "notes", "Notes for the release"),
    ]
    made.token_limit = limit
    return made
