"""A frame of the live view: what it shows, and that it fits every screen."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccusage_line.report.grid import Look
from ccusage_line.report.live import FrameData, frame
from ccusage_line.report.periods import Periods
from ccusage_line.session import Session
from ccusage_line.windows import HOUR, MINUTE, WINDOW, Window
from live_sample import NOW, START, block, picture, used
from shells import plain

FOOT = ("q quit", "every 2 s, 4 ms")


def lines(made: FrameData, width: int = 100, height: int | None = 24, **look: bool) -> list[str]:
    return frame(made, Look(width, **look), height, foot=FOOT)


def columns(line: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line)


def test_a_frame_shows_the_block_its_limits_and_its_sessions() -> None:
    shown = """\
╭ Claude Code ──────────────────────────────────────── 13:00:07 Europe/Berlin ─╮
│ BLOCK  [████████████████▎░░░░░░░░░░░░░░░░░░]  46 %  10:40{to}15:40  2h 39m left │
│ LIMITS 5h [███▎░░░░]  42 %  7d [██████▍░]  81 % (12m ago)  resets Tue 15:00  │
│ USED   $4.21  1,234,567 tokens  23 responses  opus-4-5 81 %  haiku-4-5 18 %  │
│ RATE   $1.82/h  8,874 tok/min  Normal  ▂▅█▇▃▁▁▂▅▃▂▅  last 60 minutes         │
│ AHEAD  $9.05 by 15:40  reset comes first                                     │
│ TODAY  $12.30  yesterday $20.11  this week $61.70                            │
├ this block ──────────────────────────────────────────────────────────────────┤
│ $2.10  alpha          opus-4-5   13:00:01  Round half up in the cart         │
│ $1.87  shop-frontend  opus-4-5   12:58:32  Search box loses focus after the… │
│ $0.24  notes          haiku-4-5  11:55:07  Notes for the release             │
╰ q quit ──────────────────────────────────────────────────── every 2 s, 4 ms ─╯
"""
    assert lines(picture(), 80, 13) == shown.format(to="\u2013").splitlines()


NUMBER = re.compile(r"\$?[\d,]*\d(?:\.\d+)?")


@given(
    width=st.integers(1, 220),
    height=st.one_of(st.none(), st.integers(1, 60)),
    told=st.booleans(),
    limit=st.sampled_from([None, 500_000, 2_000_000]),
    ascii_only=st.booleans(),
    color=st.booleans(),
    models=st.booleans(),
)
def test_whatever_the_screen_every_frame_fits_and_no_number_is_cut(
    width: int, height: int | None, told: bool, limit: int | None, ascii_only: bool, color: bool, models: bool
) -> None:
    made = picture(told=told, limit=limit)
    made.sessions[2].title = "\u30ab\u30fc\u30c8\u306e\u7aef\u6570" * 9
    look = Look(width, color=color, ascii_only=ascii_only)
    shown = frame(made, look, height, models=models, foot=FOOT)
    text = plain("\n".join(shown))
    assert text.isascii() or not ascii_only
    assert ("\x1b" in "".join(shown)) <= color
    assert max(map(columns, text.split("\n"))) <= width
    assert height is None or len(shown) <= height
    widest = plain("\n".join(frame(made, Look(220, ascii_only=ascii_only), None, models=models, foot=FOOT)))
    assert {*NUMBER.findall(text)} <= {*NUMBER.findall(widest)}
    if width >= 60 and (height is None or height >= 12):
        boxed = text.split("\n")
        assert {columns(line) for line in boxed} == {min(width, 120)}


def test_the_most_important_lines_come_first_on_a_small_screen() -> None:
    shown = lines(picture(), 40, 5)
    assert [line.split()[0] for line in shown] == ["BLOCK", "USED", "LIMITS", "TODAY", "RATE"]
    assert "2h 39m left" in shown[0]


@pytest.mark.parametrize(
    ("percent", "style"), [(79.9, "\x1b[32m"), (80.0, "\x1b[33m"), (94.0, "\x1b[33m"), (95.0, "\x1b[31m")]
)
def test_limits_are_green_then_yellow_then_red(percent: float, style: str) -> None:
    made = picture()
    made.limits = {"5h": Window(START, START + WINDOW, percent, NOW)}
    limits = next(line for line in lines(made, color=True) if "LIMITS" in line)
    assert f"{style}5h [" in limits


def test_unknown_limits_are_left_out_and_estimates_are_marked() -> None:
    text = "\n".join(lines(picture(told=False)))
    assert "LIMITS" not in text
    assert "~10:40" in text
    assert "reset comes first" not in text
    assert "~" not in "\n".join(lines(picture()))


def test_an_old_percentage_tells_its_age() -> None:
    shown = "\n".join(lines(picture(), 120))
    assert "81 % (12m ago)" in shown
    assert "42 % (" not in shown
    assert "resets Tue 15:00" in shown


def test_without_a_block_the_rest_stays() -> None:
    made = picture()
    made.block, made.sessions = None, []
    text = "\n".join(lines(made))
    assert "none; the next response starts one" in text
    assert "TODAY  $12.30  yesterday $20.11  this week $61.70" in text
    assert "USED" not in text
    assert "this block" not in text
    assert "resets Sat 15:40" in text  # the window that the client reported


def test_a_limit_of_tokens_has_a_bar_and_a_forecast() -> None:
    text = "\n".join(lines(picture(limit=2_000_000), 120))
    assert "1,234,567 of 2,000,000 tokens [" in text
    assert "62 %" in text
    assert "tokens: exceeds" in text
    assert "tokens: ok" in "\n".join(lines(picture(limit=20_000_000), 120))


def test_the_clock_moves_what_is_left_and_the_rates_without_a_reading() -> None:
    made = picture()
    made.now += HOUR
    text = "\n".join(lines(made))
    assert "1h 39m left" in text
    made.now = START + 5 * MINUTE
    assert "known ten minutes after the first response" in "\n".join(lines(made))


def test_during_the_first_index_only_its_progress_is_shown() -> None:
    made = FrameData(NOW, "UTC", Periods("day", "UTC"))
    made.progress = 42_000_000, 100_000_000
    shown = lines(made)
    assert len(shown) == 3
    assert "42 % of 100 MB" in shown[1]
    assert lines(made, 30, 10) == ["42 % of 100 MB"]


def test_control_characters_of_a_transcript_are_not_printed() -> None:
    made = picture()
    evil = used("claude-\x1b[2J\u202e-x", 1, 1, 1)
    made.sessions = [Session("s", [evil], NOW, NOW, "/home/\x1b]0;x\x07\n", "a\x1b[31m\r\nb\u202e\x9b")]
    made.block.share.models.append(evil)
    shown = [line for models in (False, True) for line in frame(made, Look(120), 24, models=models)]
    assert "".join(shown).isprintable()
    assert sum("J-x" in line for line in shown) == 4


def test_of_many_sessions_as_many_are_shown_as_fit() -> None:
    made = picture()
    made.sessions = [*made.sessions] * 20
    assert len(lines(made, 100, 24)) == 24
    assert len(lines(made, 100, None)) == 7 + 1 + 10 + 1
    made.block = block(None)
    assert len(lines(made, 20, 9)) == 9
