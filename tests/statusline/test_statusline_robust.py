"""Whatever a payload, a template or an environment says: one line, within its width, and never an exception."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccusage_line.session import ModelUsage, Session
from ccusage_line.statusline.line import (
    BURN_RATES,
    COST_SOURCES,
    FALLBACK,
    SEGMENTS,
    Numbers,
    Options,
    forgiving_options,
    render,
)
from ccusage_line.text import clean, display_width
from ccusage_line.windows import Block
from statusline_samples import ENVIRON, NOW, SESSION, changed, numbers, payload, session, without

SGR = re.compile(r"\x1b\[[0-9;:]*m")
EVERYTHING = "".join(f"[ {name}={{{name}}}]" for name in SEGMENTS)

JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1, 0.5, -0.0, 10**30, -(10**400), 1e308, math.nan, math.inf, -math.inf),
    *(
        "",
        " ",
        "x",
        "NaN",
        "\x1b[2J\x07",
        "a\nb\u2028c\u202ed",
        "\ud83d",
        "日本語" * 200,
        "/" * 5000,
        "\0",
        "[{model}]",
    ),
    *([], {}, [[]], {"": {}}, [None], {"used_percentage": {}}, NOW, NOW // 1_000_000, "2026-11-23"),
]


def paths(value: object, before: str = "") -> list[str]:
    found = []
    for key, inner in value.items() if isinstance(value, dict) else ():
        found += [before + key, *paths(inner, f"{before}{key}.")]
    return found


PATHS = paths(payload())


def options_of(template: str | None = None) -> Options:
    found = Options()
    found.format = template
    found.visual = "emoji-text"
    return found


def assert_one_line(shown: str, columns: int | None) -> str:
    """One harmless line that fits; returned without its colours."""
    plain = SGR.sub("", shown)
    assert plain
    assert not plain.isspace()
    assert "\n" not in shown
    assert clean(plain) == plain
    sequences = SGR.findall(shown)
    assert not sequences or sequences[-1] == "\x1b[0m"
    if columns is not None:
        assert display_width(plain) <= max(columns - 4, 1)
    shown.encode()
    return plain


def both_lines(given_payload: object, known: Numbers, columns: int = 140) -> tuple[str, str]:
    """The default line and one with every segment, with no exception but the expected absence of segments."""
    lines = []
    for template in (None, EVERYTHING):
        reasons: list[str] = []
        environ = ENVIRON | {"COLUMNS": str(columns)}
        shown = render(given_payload, known, options_of(template), environ, NOW, reasons)
        lines.append(assert_one_line(shown, columns))
        assert not [reason for reason in reasons if reason.endswith(("Error", "Exception"))], reasons
    return lines[0], lines[1]


def named(line: str) -> dict[str, str]:
    """The segments of a line made of EVERYTHING."""
    return dict(re.findall(r" (\w+)=(.*?)(?= \w+=|$)", line))


@pytest.mark.parametrize("path", PATHS)
def test_a_damaged_field_costs_its_own_segments_only(path: str) -> None:
    """Every field of the payload, gone or replaced by each kind of junk."""
    whole = named(both_lines(payload(), numbers(), 1000)[1])
    assert set(whole) >= set(SEGMENTS) - {"branch"}
    for damaged in [without(path), *(changed(path, junk) for junk in JUNK)]:
        shown = named(both_lines(damaged, numbers(), 1000)[1])
        touched = TOUCHES.get(path, TOUCHES.get(path.rpartition(".")[0], set()))
        for name in set(whole) - touched:
            assert shown.get(name) == whole[name], (path, name)


# Which segments each field may change. Fields that are not named may change nothing.
TOUCHES = {
    "session_id": {"session_cost"},
    "cwd": {"cwd", "branch"},
    "model": {"model"},
    "workspace": {"cwd", "project", "branch"},
    "cost": {"session_cost", "today_cost", "block_cost", "burn", "lines", "duration"},
    "cost.total_cost_usd": {"session_cost", "today_cost", "block_cost", "burn"},
    "cost.total_duration_ms": {"session_cost", "today_cost", "block_cost", "burn", "duration"},
    "cost.total_api_duration_ms": set(),
    "cost.total_lines_added": {"lines"},
    "cost.total_lines_removed": {"lines"},
    "context_window": {"context"},
    "context_window.total_input_tokens": set(),
    "context_window.total_output_tokens": set(),
    "context_window.used_percentage": set(),
    "context_window.remaining_percentage": set(),
    "context_window.current_usage": {"context"},
    "context_window.current_usage.output_tokens": set(),
    "prompt_cache": {"cache"},
    "prompt_cache.ttl": set(),
    "rate_limits": {"limit_5h", "limit_7d"},
    "rate_limits.five_hour": {"limit_5h"},
    "rate_limits.seven_day": {"limit_7d"},
}


# The bad data that has been seen in the wild.
@pytest.mark.parametrize(
    ("given_payload", "expected"),
    [
        pytest.param(changed("rate_limits", None), {}, id="rate-limits-null"),
        pytest.param(
            changed("rate_limits.five_hour.used_percentage", NOW // 1_000_000 + 9_900),
            {"limit_5h": None, "limit_7d": "81%"},
            id="epoch-as-percentage",
        ),
        pytest.param(
            changed("rate_limits.seven_day.resets_at", NOW // 1_000_000 - 60), {"limit_7d": None}, id="window-is-over"
        ),
        pytest.param(
            changed(
                "context_window",
                dict.fromkeys(("total_input_tokens", "context_window_size", "current_usage", "used_percentage")),
            ),
            {"context": None, "session_cost": "$0.23"},
            id="null-everywhere-in-context",
        ),
        pytest.param(changed("context_window.total_input_tokens", 45_000_000), {"context": "25,000 (12%)"}, id="sums"),
        pytest.param(changed("cost.total_cost_usd", 0), {"session_cost": "$0.23"}, id="reset-after-agents-view"),
        pytest.param(without("transcript_path"), {"session_cost": "$0.23"}, id="no-transcript-path"),
        pytest.param(changed("cost", None), {"session_cost": "$0.23", "lines": None, "duration": None}, id="no-cost"),
        pytest.param(changed("prompt_cache", None), {"cache": "94%"}, id="prompt-cache-null"),
    ],
)
def test_bad_data_that_was_seen_costs_no_more_than_it_must(
    given_payload: dict[str, Any], expected: dict[str, str | None]
) -> None:
    shown = both_lines(given_payload, numbers(), 1000)[1]
    for name, text in expected.items():
        assert (f"{name}={text}" in shown) if text is not None else (f"{name}=" not in shown)


@pytest.mark.parametrize("given_payload", [None, [], "text", 7, True, math.nan, [payload()]])
def test_a_payload_that_is_no_object_leaves_the_numbers(given_payload: object) -> None:
    assert both_lines(given_payload, numbers(), 1000)[0].startswith("💰 $0.23 session / $1.23 today")
    assert both_lines(given_payload, Numbers())[0] == FALLBACK


anything = st.recursive(
    st.sampled_from(JUNK) | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged_payloads(draw: st.DrawFn) -> dict[str, Any]:
    found = payload()
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=6)):
        *parents, last = path.split(".")
        place: Any = found
        for key in parents:
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, dict):
            if draw(st.booleans()):
                place[last] = draw(anything)
            else:
                place.pop(last, None)
    return found


@st.composite
def known_numbers(draw: st.DrawFn) -> Numbers:
    counts = st.integers(0, 2**53)
    models = [
        ModelUsage("m", *[draw(counts) for _ in range(4)], draw(st.integers(0, 10**20)), 1, draw(st.integers(0, 1)))
    ]
    start = NOW + draw(st.integers(-(10**11), 10**11))
    first = draw(st.none() | st.integers(start, start + 10**10))
    return Numbers(
        session=draw(st.sampled_from([None, session(), Session(SESSION, []), Session(SESSION, models)])),
        today=draw(st.none() | counts),
        block=draw(st.none() | st.just(Block(start, start + 18 * 10**9, draw(counts), draw(counts), first))),
        complete=draw(st.booleans()),
        fork=draw(st.booleans()),
        last_context=draw(st.none() | st.tuples(counts, st.sampled_from(["", "claude-opus-4-5", "\0", "x" * 999]))),
        day=draw(st.none() | st.just(start)),
        began=draw(st.none() | st.integers(start - 10**10, start + 10**10)),
        inherited=draw(st.none() | st.integers(0, 1)),
        unwritten=draw(st.booleans()),
    )


@settings(max_examples=300)
@given(
    given_payload=damaged_payloads() | anything,
    known=known_numbers(),
    columns=st.integers(1, 300),
    cost_source=st.sampled_from(COST_SOURCES),
    visual=st.sampled_from(BURN_RATES),
    template=st.none()
    | st.just(EVERYTHING)
    | st.text(max_size=60)
    | st.lists(
        st.sampled_from(["[", "]", "{", "}", "\\", "\\e[1m", "\x1b[31m", "\x1b", "é", "日", " ", "{model}", "{branch}"])
    ).map("".join),
)
def test_any_damage_gives_one_line_that_fits(
    given_payload: object,
    known: Numbers,
    columns: int,
    cost_source: str,
    visual: str,
    template: str | None,
) -> None:
    options = options_of(template)
    options.cost_source, options.visual = cost_source, visual
    reasons: list[str] = []
    environ = ENVIRON | {"COLUMNS": str(columns)}
    assert_one_line(render(given_payload, known, options, environ, NOW, reasons), columns)
    assert not [reason for reason in reasons if reason.endswith(("Error", "Exception"))], reasons


@given(st.lists(st.sampled_from(["--format", "--cost-source", "-z", "--context-low-threshold", "="]) | st.text()))
def test_any_command_line_gives_a_line(argv: list[str]) -> None:
    argv = [word.replace("\0", "") for word in argv]
    assert_one_line(render(payload(), numbers(), forgiving_options(argv), ENVIRON, NOW), 140)


def test_numbers_that_break_everything_leave_the_fallback() -> None:
    reasons: list[str] = []
    assert render(payload(), None, Options(), {}, NOW, reasons) == "🤖 Opus 4.5 | 🧠 25,000 (\x1b[32m12%\x1b[0m)"  # type: ignore[arg-type]
    assert "session_cost: AttributeError" in reasons
