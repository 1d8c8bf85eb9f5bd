"""Any payload, template or environment gives lines within their width, and never an exception."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from ccusage_line.session import ModelUsage, Session
from ccusage_line.statusline.fields import SEGMENTS
from ccusage_line.statusline.line import render, segment_text
from ccusage_line.statusline.options import BURN_RATES, COST_SOURCES, parse_leniently
from ccusage_line.statusline.presets import PRESETS
from ccusage_line.statusline.segments import CORE, Numbers, Options, View
from ccusage_line.statusline.template import Template
from ccusage_line.text import clean
from ccusage_line.windows import Block
from statusline_samples import ENVIRON, NOW, SESSION, changed, numbers, payload, session, without

SGR = re.compile(r"\x1b\[[0-9;:]*m")
LINK = re.compile(r"\x1b]8;;[!-~]*\x1b\\")
NUMBER = re.compile(r"[$\d][\d,.]*[%kMG]?")
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


def assert_fits(shown: str, columns: int, rows: int = 1) -> str:
    """Check that rows are harmless and fit, as wcwidth measures them; return them without colours and links."""
    plain = LINK.sub("", SGR.sub("", shown))
    assert len(plain.split("\n")) <= rows
    for row in plain.split("\n"):
        assert row
        assert not row.isspace()
        assert clean(row) == row
        assert wcswidth(row) <= max(columns - 4, 1)
    sequences = SGR.findall(shown)
    assert not sequences or sequences[-1] == "\x1b[0m"
    shown.encode()
    return plain


def both_lines(given_payload: object, known: Numbers, columns: int = 140) -> tuple[str, str]:
    """Return the default line and one with every segment; check that no segment raised an exception."""
    lines = []
    for template in (None, EVERYTHING):
        reasons: list[str] = []
        environ = ENVIRON | {"COLUMNS": str(columns)}
        shown = render(given_payload, known, options_of(template), environ, NOW, reasons)
        lines.append(assert_fits(shown, columns))
        assert not [reason for reason in reasons if reason.endswith(("Error", "Exception"))], reasons
    return lines[0], lines[1]


def named(line: str) -> dict[str, str]:
    """Return the segments of a line made of EVERYTHING."""
    return dict(re.findall(r"(?:^| )(\w+)=(.*?)(?= \w+=|$)", line))


@pytest.mark.parametrize("path", PATHS)
def test_a_damaged_field_costs_its_own_segments_only(path: str) -> None:
    """Every field of the payload is removed or replaced by each kind of junk."""
    whole = named(both_lines(payload(), numbers(), 20_000)[1])
    assert set(whole) == set(SEGMENTS)
    for damaged in [without(path), *(changed(path, junk) for junk in JUNK)]:
        shown = named(both_lines(damaged, numbers(), 20_000)[1])
        touched = TOUCHES.get(path, TOUCHES.get(path.rpartition(".")[0], set()))
        for name in set(whole) - touched:
            assert shown.get(name) == whole[name], (path, name)


# The segments that each field may change. A field that is not listed may change none.
TOUCHES = {
    "session_id": {"session_cost"},
    "session_name": {"title"},
    "cwd": {"cwd", "branch"},
    "effort": {"effort"},
    "model": {"model"},
    "model.id": {"context", "context_bar"},
    "workspace": {"cwd", "project", "branch", "repo", "worktree"},
    "workspace.current_dir": {"cwd", "branch"},
    "workspace.project_dir": {"project"},
    "workspace.git_worktree": {"worktree"},
    "workspace.repo": {"repo"},
    "workspace.repo.host": set(),
    "version": {"version"},
    "output_style": {"style"},
    "cost": {"session_cost", "today_cost", "block_cost", "burn", "lines", "duration", "api_duration"},
    "cost.total_cost_usd": {"session_cost", "today_cost", "block_cost", "burn"},
    "cost.total_duration_ms": {"session_cost", "today_cost", "block_cost", "burn", "duration"},
    "cost.total_api_duration_ms": {"api_duration"},
    "cost.total_lines_added": {"lines"},
    "cost.total_lines_removed": {"lines"},
    "context_window": {"context", "context_bar"},
    "context_window.total_input_tokens": set(),
    "context_window.total_output_tokens": set(),
    "context_window.used_percentage": set(),
    "context_window.remaining_percentage": set(),
    "context_window.current_usage": {"context", "context_bar"},
    "context_window.current_usage.output_tokens": set(),
    "prompt_cache": {"cache", "cache_left"},
    "prompt_cache.ttl": set(),
    "rate_limits": {"limit_5h", "limit_7d", "reset_5h", "reset_7d", "spend_limit"},
    "rate_limits.five_hour": {"limit_5h", "reset_5h"},
    "rate_limits.seven_day": {"limit_7d", "reset_7d"},
    "rate_limits.spend_limit": {"spend_limit"},
    "fast_mode": {"fast"},
    "thinking": {"thinking"},
    "vim": {"vim"},
    "agent": {"agent"},
    "pr": {"pr"},
    "pr.url": set(),
    "worktree": {"worktree", "branch"},
}


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
        no_transcript=draw(st.booleans()),
    )


PIECES = ["[", "]", "{", "}", "\\", "\\n", "\\e[1m", "\x1b[31m", "\x1b", "é", "日", " ", " | ", "{link:pr|", "{nope}"]
NAMES = list(SEGMENTS)


@st.composite
def templates(draw: st.DrawFn) -> str:
    """Return segments, no two of which touch, and other text that a person may have typed, but no digits."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=8))
    words = st.text(max_size=5).map(lambda text: re.sub(r"[\d$,.%kMG]", "", text))
    pieces = [f" {{{name}}} " for name in names] + draw(st.lists(st.sampled_from(PIECES) | words, max_size=8))
    return "".join(draw(st.permutations(pieces)))


@settings(max_examples=300)
@given(
    given_payload=damaged_payloads() | anything,
    known=known_numbers(),
    columns=st.integers(1, 300),
    cost_source=st.sampled_from(COST_SOURCES),
    visual=st.sampled_from(BURN_RATES),
    template=st.sampled_from([None, EVERYTHING, *PRESETS.values()]) | templates(),
)
def test_any_damage_gives_lines_that_fit_and_no_number_is_cut(
    given_payload: object, known: Numbers, columns: int, cost_source: str, visual: str, template: str | None
) -> None:
    options = options_of(template)
    options.cost_source, options.visual = cost_source, visual
    reasons: list[str] = []

    def shown(columns: int) -> str:
        line = render(given_payload, known, options, ENVIRON | {"COLUMNS": str(columns)}, NOW, reasons)
        return assert_fits(line, columns, len(Template(template or PRESETS["default"]).lines))

    assert set(NUMBER.findall(shown(columns))) <= set(NUMBER.findall(shown(99_999)))
    assert not [reason for reason in reasons if reason.endswith(("Error", "Exception"))], reasons


@settings(max_examples=300)
@given(
    given_payload=damaged_payloads(),
    known=known_numbers(),
    columns=st.integers(1, 300),
    names=st.lists(st.sampled_from(NAMES), unique=True, max_size=12),
)
@example(payload(), numbers(), 10, NAMES)
def test_segments_give_way_in_the_order_of_their_ranks(
    given_payload: object, known: Numbers, columns: int, names: list[str]
) -> None:
    names = list(dict.fromkeys([*names, "model", "session_cost"]))
    options = options_of("".join(f"[ <{name}={{{name}}}]" for name in names))
    options.color = False
    view = View(given_payload, known, options, ENVIRON, NOW)
    whole = {name: text for name in names if (text := segment_text(view, name))}
    staying = sorted(whole, key=lambda name: (-SEGMENTS[name][0], names.index(name)))
    line = render(given_payload, known, options, ENVIRON | {"COLUMNS": str(columns)}, NOW)
    room = max(columns - 4, 1)
    if "<" in line or not staying:
        kept = [name for name in names if f"<{name}={whole.get(name)}" in line]
        assert set(kept) == set(staying[: len(kept)])
        assert all(SEGMENTS[name][0] < CORE for name in staying[len(kept) :])
        return
    core = [name for name in staying if SEGMENTS[name][0] >= CORE]
    bare = [" ".join(whole[name] for name in names if name in core[:count]) for count in range(len(core), 0, -1)]
    alone = [whole[name] for name in staying]
    assert line == next((text for text in [*bare, *alone] if wcswidth(text) <= room), "ccusage" if room > 6 else "…")


@given(st.lists(st.sampled_from(["--format", "--cost-source", "-z", "--context-low-threshold", "="]) | st.text()))
def test_any_command_line_gives_a_line(argv: list[str]) -> None:
    argv = [word.replace("\0", "") for word in argv]
    assert_fits(render(payload(), numbers(), parse_leniently(argv), ENVIRON, NOW), 140, 999)


@pytest.mark.parametrize(
    "template",
    ["[" * 10_000, "[{model}" * 1_300, "{link:x|" * 1_250, "{" * 10_000, "[]" * 5_000, "[" * 9_000 + "{model}" * 99],
)
def test_a_template_of_ten_thousand_brackets_is_a_template(template: str) -> None:
    assert_fits(render(payload(), numbers(), options_of(template), ENVIRON, NOW), 140)
