"""The text of the report: whole layouts, the choice and order of sessions, and that nothing is too wide or lost."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccusage_line.report import sessions as report
from ccusage_line.session import ModelUsage, Session, money
from ccusage_line.text import clean, display_width

CENT = 10_000_000_000  # in units of 1e-12 dollars
DAYS = {1_777_500: "2026-04-29", 1_777_600: "2026-05-01", 1_777_700: "2026-05-02"}


def day_of(us: int) -> str:
    return DAYS[us // 1_000_000_000]


SHOP = Session(
    "11111111-1111-4111-8111-111111111111",
    [
        ModelUsage("claude-opus-4-5-20251101", 1_234, 56_789, 345_678, 4_567_890, 1_234 * CENT, 30),
        ModelUsage("claude-3-5-haiku-20241022", 99, 100, 0, 0, 1 * CENT, 3),
    ],
    1_777_600_000_000_000,
    1_777_700_000_000_000,
    "/home/x/shop",
    "Fix the 日本語 parser",
    33,
    1,
    12.5,
)
NOTES = Session(
    "22222222-2222-4222-8222-222222222222",
    [
        ModelUsage("acme/coder-with-a-name-that-is-much-too-long", 1_000, 500, 0, 0, 0, 3, 3),
        ModelUsage("", 5, 5, 0, 0, 0, 1),
    ],
    1_777_500_000_000_000,
    1_777_500_000_000_000,
    "/home/x/notes",
    responses=4,
    archived=True,
)
ODD = Session(
    "odd",
    [ModelUsage("claude-sonnet-4-5-20250929", 10, 20, 0, 0, 3 * CENT, 1)],
    1_777_600_000_000_000,
    1_777_600_000_000_000,
)
SESSIONS = report.sort_sessions([ODD, NOTES, SHOP])

LAYOUTS = {
    60: """\
╭───────────────────────────────────────────────╮
│  Claude Code Token Usage Report - By Session  │
╰───────────────────────────────────────────────╯
┌─────────────────┬──────────────────┬────────┬────────────┐
│Session          │Models            │    Cost│Last        │
│                 │                  │   (USD)│Activity    │
├─────────────────┼──────────────────┼────────┼────────────┤
│8111-111111111111│• 3-5-haiku       │$12.35  │2026-05-02  │
│                 │• opus-4-5        │        │            │
│odd              │• sonnet-4-5      │ $0.03  │2026-05-01  │
│8222-222222222222│• coder-wit…o-long│ $0.00+?│2026-04-29 *│
├─────────────────┼──────────────────┼────────┼────────────┤
│Total            │                  │$12.38+?│            │
└─────────────────┴──────────────────┴────────┴────────────┘
+? does not include models without a known price:
   acme/coder-with-a-name-…uch-too-long
1 of 37 responses has no final count: cut off, or not
   recorded by older clients; it may have cost more.
* archived: the transcripts of 1 session no longer exist,
   but their usage is kept.
Not shown: Input, Output, Cache Create, Cache Read, Total
   Tokens. To see them, widen the screen to 100 columns or
   use --json.
Project and Title are shown from 186 columns on; `ccusage
   session ID` shows those of one session.
""",
    100: """\
╭───────────────────────────────────────────────╮
│  Claude Code Token Usage Report - By Session  │
╰───────────────────────────────────────────────╯
┌─────────────────┬─────────────────┬─────┬──────┬───────┬─────────┬─────────┬────────┬────────────┐
│Session          │Models           │Input│Output│  Cache│    Cache│    Total│    Cost│Last        │
│                 │                 │     │      │ Create│     Read│   Tokens│   (USD)│Activity    │
├─────────────────┼─────────────────┼─────┼──────┼───────┼─────────┼─────────┼────────┼────────────┤
│8111-111111111111│• 3-5-haiku      │1,333│56,889│345,678│4,567,890│4,971,790│$12.35  │2026-05-02  │
│                 │• opus-4-5       │     │      │       │         │         │        │            │
│odd              │• sonnet-4-5     │   10│    20│      0│        0│       30│ $0.03  │2026-05-01  │
│8222-222222222222│• coder-wi…o-long│1,005│   505│      0│        0│    1,510│ $0.00+?│2026-04-29 *│
├─────────────────┼─────────────────┼─────┼──────┼───────┼─────────┼─────────┼────────┼────────────┤
│Total            │                 │2,348│57,414│345,678│4,567,890│4,973,330│$12.38+?│            │
└─────────────────┴─────────────────┴─────┴──────┴───────┴─────────┴─────────┴────────┴────────────┘
+? does not include models without a known price: acme/coder-with-a-name-…uch-too-long
1 of 37 responses has no final count: cut off, or not recorded by older clients; it may have cost
   more.
* archived: the transcripts of 1 session no longer exist, but their usage is kept.
Project and Title are shown from 186 columns on; `ccusage session ID` shows those of one session.
""",
}

BREAKDOWN_FROM_THE_CHEAPEST = """\
╭───────────────────────────────────────────────╮
│  Claude Code Token Usage Report - By Session  │
╰───────────────────────────────────────────────╯
┌───────────────────┬─────────────────────┬───────┬────────┬─────────┬───────────┬───────────┬──────────┬──────────────┐
│ Session           │ Models              │ Input │ Output │   Cache │     Cache │     Total │     Cost │ Last         │
│                   │                     │       │        │  Create │      Read │    Tokens │    (USD) │ Activity     │
├───────────────────┼─────────────────────┼───────┼────────┼─────────┼───────────┼───────────┼──────────┼──────────────┤
│ 8222-222222222222 │ • coder-with…o-long │ 1,005 │    505 │       0 │         0 │     1,510 │  $0.00+? │ 2026-04-29 * │
│ ├─ coder-w…o-long │                     │ 1,000 │    500 │       0 │         0 │     1,500 │  $0.00+? │              │
│ └─ unknown        │                     │     5 │      5 │       0 │         0 │        10 │  $0.00   │              │
│ odd               │ • sonnet-4-5        │    10 │     20 │       0 │         0 │        30 │  $0.03   │ 2026-05-01   │
│ 8111-111111111111 │ • 3-5-haiku         │ 1,333 │ 56,889 │ 345,678 │ 4,567,890 │ 4,971,790 │ $12.35   │ 2026-05-02   │
│                   │ • opus-4-5          │       │        │         │           │           │          │              │
│ ├─ opus-4-5       │                     │ 1,234 │ 56,789 │ 345,678 │ 4,567,890 │ 4,971,591 │ $12.34   │              │
│ └─ 3-5-haiku      │                     │    99 │    100 │       0 │         0 │       199 │  $0.01   │              │
├───────────────────┼─────────────────────┼───────┼────────┼─────────┼───────────┼───────────┼──────────┼──────────────┤
│ Total             │                     │ 2,348 │ 57,414 │ 345,678 │ 4,567,890 │ 4,973,330 │ $12.38+? │              │
└───────────────────┴─────────────────────┴───────┴────────┴─────────┴───────────┴───────────┴──────────┴──────────────┘
+? does not include models without a known price: acme/coder-with-a-name-…uch-too-long
1 of 37 responses has no final count: cut off, or not recorded by older clients; it may have cost more.
* archived: the transcripts of 1 session no longer exist, but their usage is kept.
Project and Title are shown from 192 columns on; `ccusage session ID` shows those of one session.
"""

ON_TWENTY_COLUMNS = """\
Claude Code Token
Usage Report - By
Session
8111-111111111111
  $12.35
odd $0.03
8222-222222222222
  $0.00+?
Total $12.38+?
+? does not include
   models without a
"""

ONE_ON_120 = """\
Session    11111111-1111-4111-8111-111111111111
Title      Fix the 日本語 parser
Project    /home/x/shop
Activity   2026-05-01 to 2026-05-02
Responses  33
Client     $12.50 by Claude Code's own count, shown for comparison only

┌───────────────────────────┬───────┬────────┬──────────────┬────────────┬──────────────┬────────────┐
│ Model                     │ Input │ Output │ Cache Create │ Cache Read │ Total Tokens │ Cost (USD) │
├───────────────────────────┼───────┼────────┼──────────────┼────────────┼──────────────┼────────────┤
│ claude-opus-4-5-20251101  │ 1,234 │ 56,789 │      345,678 │  4,567,890 │    4,971,591 │     $12.34 │
│ claude-3-5-haiku-20241022 │    99 │    100 │            0 │          0 │          199 │      $0.01 │
├───────────────────────────┼───────┼────────┼──────────────┼────────────┼──────────────┼────────────┤
│ Total                     │ 1,333 │ 56,889 │      345,678 │  4,567,890 │    4,971,790 │     $12.35 │
└───────────────────────────┴───────┴────────┴──────────────┴────────────┴──────────────┴────────────┘
1 of 33 responses has no final count: cut off, or not recorded by older clients; it may have cost more.
"""

ONE_ON_60 = """\
Session    22222222-2222-4222-8222-222222222222
Project    /home/x/notes
Activity   2026-04-29
Responses  4

┌───────────────────────────────┬───────┬────────┬─────────┐
│ Model                         │ Input │ Output │    Cost │
│                               │       │        │   (USD) │
├───────────────────────────────┼───────┼────────┼─────────┤
│ acme/coder-with-a-…h-too-long │ 1,000 │    500 │ $0.00+? │
│ unknown                       │     5 │      5 │ $0.00   │
├───────────────────────────────┼───────┼────────┼─────────┤
│ Total                         │ 1,005 │    505 │ $0.00+? │
└───────────────────────────────┴───────┴────────┴─────────┘
+? does not include models without a known price:
   acme/coder-with-a-name-…uch-too-long
Archived: the transcripts of this session no longer exist,
   but its usage is kept.
Not shown: Cache Create, Cache Read, Total Tokens. To see
   them, widen the screen to 63 columns or use --json.
"""

ONE_WITHOUT_USAGE = """\
Session    none
Responses  0

┌───────┬───────┬────────┬────────┬───────┬────────┬───────┐
│ Model │ Input │ Output │  Cache │ Cache │  Total │  Cost │
│       │       │        │ Create │  Read │ Tokens │ (USD) │
├───────┼───────┼────────┼────────┼───────┼────────┼───────┤
│ Total │     0 │      0 │      0 │     0 │      0 │ $0.00 │
└───────┴───────┴────────┴────────┴───────┴────────┴───────┘
"""


@pytest.mark.parametrize("width", LAYOUTS)
def test_the_report_has_the_layout_for_its_width(width):
    assert report.render_list(SESSIONS, width=width, day_of=day_of) == LAYOUTS[width]


@pytest.mark.parametrize("width", [60, 120])
def test_colour_changes_nothing_but_the_colour(width):
    text = report.render_list(SESSIONS, width=width, day_of=day_of, color=True, breakdown=True)
    plain = report.render_list(SESSIONS, width=width, day_of=day_of, breakdown=True)
    assert "\x1b[" in text
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", text) == plain
    assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in text.split("\n"))
    alone = report.render_one(SHOP, width=120, day_of=day_of, color=True)
    assert alone != ONE_ON_120
    assert re.sub(r"\x1b\[\d+m", "", alone) == ONE_ON_120


def test_a_breakdown_has_a_row_per_model_that_adds_up_to_its_session():
    text = report.render_list(report.sort_sessions(SESSIONS, order="asc"), width=120, day_of=day_of, breakdown=True)
    assert text == BREAKDOWN_FROM_THE_CHEAPEST


def test_compact_leaves_columns_out_where_there_is_room_for_them_and_says_so():
    lines = report.render_list(SESSIONS, width=120, day_of=day_of, compact=True).split("\n")
    assert [cell.strip() for cell in lines[4].split("│")[1:-1]] == [
        *("Session", "Models", "Input", "Output", "Cost (USD)", "Last Activity")
    ]
    assert [cell.strip() for cell in lines[8].split("│")[1:-1]][1:4] == ["• sonnet-4-5", "10", "20"]
    note = "Not shown: Cache Create, Cache Read, Total Tokens. To see them, write --no-compact or use --json."
    assert lines[-2] == note


def test_tokens_are_rounded_before_a_model_is_cut_and_a_note_says_so():
    large = ModelUsage("claude-haiku-4-5", 12_345_678, 987_654_321, 66_912_345, 10**10, 10**15)
    text = report.render_list([Session("one-two", [large, *SHOP.models])], width=100, day_of=day_of)
    assert "│ • 3-5-haiku │ 12.3M │   988M │  67.3M │   10G │  11.1G │ $1,012.35 │" in text
    assert "Tokens are rounded to fit" in text


def test_the_points_of_all_costs_are_in_one_column_at_any_width_of_a_table():
    for width in range(30, 161):
        table = [row for row in report.render_list(SESSIONS, width=width, day_of=day_of).split("\n") if "$" in row]
        assert len(table) == 4
        places = {display_width(row[: row.index(".", row.index("$"))]) for row in table}
        assert len(places) == 1, (width, table)


def test_project_and_title_fill_the_room_that_is_left():
    for width, shown in ((161, []), (171, ["Project"]), (220, ["Project", "Title"])):
        lines = report.render_list(SESSIONS, width=width, day_of=day_of).split("\n")
        head, (first,) = lines[4], [line for line in lines if f"│ {SHOP.id} │" in line]
        assert [name for name in ("Project", "Title") if f"│ {name} " in head] == shown
        assert ("│ shop " in first, "│ Fix the 日本語 parser " in first) == ("Project" in shown, "Title" in shown)


def test_at_a_hundred_columns_everything_is_shown_and_on_one_less_it_is_not():
    for width, all_of_it in ((99, False), (100, True)):
        assert ("Not shown" not in report.render_list(SESSIONS, width=width, day_of=day_of)) == all_of_it


def test_a_screen_too_narrow_for_a_table_gets_lines():
    assert report.render_list(SESSIONS, width=20, day_of=day_of).startswith(ON_TWENTY_COLUMNS)


@pytest.mark.parametrize(
    ("session", "width", "text"),
    [
        pytest.param(SHOP, 120, ONE_ON_120, id="all"),
        pytest.param(NOTES, 60, ONE_ON_60, id="archived-and-unpriced"),
        pytest.param(Session("none", []), 80, ONE_WITHOUT_USAGE, id="without-usage"),
    ],
)
def test_one_session_is_printed_as_text(session, width, text):
    assert report.render_one(session, width=width, day_of=day_of) == text


def test_project_and_title_are_shown_from_the_width_that_the_note_names():
    long_ids = [Session("a" * 50 + s.id, s.models, s.first, s.last, s.project_path, s.title) for s in SESSIONS]
    for sessions in (SESSIONS, SESSIONS[:1], [used("x-y", project="/home/me/web")], long_ids):
        note = r"(?:Project|Title|Project and Title) (?:is|are)\s+shown\s+from\s+(\d+)\s+columns\s+on;"
        found = [re.findall(note, report.render_list(sessions, width=width, day_of=day_of)) for width in range(60, 260)]
        needs = int(found[0][0])
        assert found == [[str(needs)]] * (needs - 60) + [[]] * (260 - needs)


def test_on_a_narrow_screen_the_facts_of_a_session_are_below_its_id():
    lines = report.render_one(SHOP, width=40, day_of=day_of).split("\n")
    assert lines[:4] == ["Session:", f"  {SHOP.id}", "Title: Fix the 日本語 parser", "Project: /home/x/shop"]
    assert lines[6:8] == ["Client: $12.50 by Claude Code's own", "  count, shown for comparison only"]
    assert "To see them, widen the screen to 62 columns" in " ".join(line.strip() for line in lines)


def test_the_width_a_note_names_shows_everything():
    wide = Session("a" * 60, SHOP.models, 1_777_600_000_000_000, 1_777_600_000_000_000)
    note = report.render_list([wide], width=120, day_of=day_of).split("Not shown: ")[1]
    needs = int(re.search(r"to (\d+) columns", note.replace("\n   ", " "))[1])
    assert needs > 120
    assert "Not shown" in report.render_list([wide], width=needs - 1, day_of=day_of)
    assert "Not shown" not in report.render_list([wide], width=needs, day_of=day_of)


def used(id: str, cost: int = 0, last: int | None = None, project: str | None = None) -> Session:
    return Session(id, [ModelUsage("m", 1, cost=cost)], last, last, project)


def test_the_costliest_come_first_then_the_newest_then_by_id():
    newest, older, never = used("c", 5, 20), used("a", 5, 10), used("b", 5)
    same, dear = used("d", 5, 10), used("e", 9, 1)
    found = [never, same, older, dear, newest]
    assert [s.id for s in report.sort_sessions(found)] == ["e", "c", "a", "d", "b"]
    assert [s.id for s in report.sort_sessions(found, order="asc")] == ["c", "a", "d", "b", "e"]
    assert [s.id for s in report.sort_sessions(found, "date")] == ["c", "a", "d", "e", "b"]
    assert [s.id for s in report.sort_sessions([used("x"), ODD, SHOP], "tokens")] == [SHOP.id, "odd", "x"]


def test_a_limit_shows_the_first_and_what_the_rest_comes_to():
    lines = report.render_list(SESSIONS, width=120, day_of=day_of, limit=1).split("\n")
    rest, total = ([cell.strip() for cell in lines[at].split("│")[1:-1]] for at in (9, 11))
    assert rest[:9] == ["2 more", "", "1,015", "525", "0", "0", "1,540", "$0.03+?", ""]
    assert total[0] == "Total"
    assert any(line.startswith("1 of 37 responses") for line in lines)
    assert report.render_list(SESSIONS, width=100, day_of=day_of, limit=3) == LAYOUTS[100]


def test_a_list_hides_what_used_nothing():
    nothing = Session("n", [ModelUsage("", 0)], 1, 1)
    named = Session("m", [ModelUsage("claude-x")], 1, 1)
    costly = Session("c", [ModelUsage("", cost=1)], 1, 1)
    tokens = Session("t", [ModelUsage("", cache_read=1)], 1, 1)
    chosen = report.choose([Session("e", []), nothing, named, costly, tokens], day_of)
    assert [s.id for s in chosen] == ["m", "c", "t"]


@pytest.mark.parametrize(
    ("since", "until", "ids"),
    [
        pytest.param(None, None, ["a", "b", "c", "never"], id="all"),
        pytest.param("2026-05-01", None, ["b", "c"], id="since-includes-its-day"),
        pytest.param(None, "2026-05-01", ["a", "b"], id="until-includes-its-day"),
        pytest.param("2026-04-30", "2026-05-01", ["b"], id="both"),
        pytest.param("2026-05-03", None, [], id="none"),
    ],
)
def test_sessions_are_chosen_by_the_day_of_their_last_activity(since, until, ids):
    found = [used("a", last=1_777_500_000_000_000), used("b", last=1_777_600_000_000_000)]
    found += [used("c", last=1_777_700_000_000_000), used("never")]
    assert [s.id for s in report.choose(found, day_of, since=since, until=until)] == ids


@pytest.mark.parametrize(
    ("ids", "shown"),
    [
        pytest.param(["1-2-3-4-5", "1-2-3-4-6"], ["4-5", "4-6"], id="two-segments"),
        pytest.param(["1-2-3-4-5", "1-2-9-4-5", "7-8"], ["3-4-5", "9-4-5", "7-8"], id="three-where-two-clash"),
        pytest.param(["1-2-3-4-5", "9-2-3-4-5"], ["1-2-3-4-5", "9-2-3-4-5"], id="whole-where-three-clash"),
        pytest.param(["4-5", "3-4-5", "2-3-4-5"], ["4-5", "3-4-5", "2-3-4-5"], id="one-the-end-of-the-other"),
        pytest.param(["plain", "x-plain"], ["plain", "x-plain"], id="no-segments"),
        pytest.param(["a--b", "a-b-", "-"], ["a--b", "b-", "-"], id="never-like-an-option-if-it-can-be-helped"),
        pytest.param(["a-b\x1b[2J-c"], ["b[2J-c"], id="cleaned"),
        pytest.param(["a-b\u200b", "x-a-b"], ["a-b", "x-a-b"], id="clashing-once-cleaned"),
        pytest.param(["same-id", "same-id"], ["same-id", "same-id"], id="named-twice"),
    ],
)
def test_an_id_is_shown_as_short_as_it_is_unique(ids, shown):
    forms = report.display_ids(ids)
    assert [forms[id] for id in ids] == shown


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "$0.00"),
        (4_999_999_999, "$0.00"),
        (5_000_000_000, "$0.01"),
        (1_234_567_890_000_000, "$1,234.57"),
        (-4_000_000_000, "$0.00"),
        (-1_250_000_000_000, "-$1.25"),
        (10**24, "$1,000,000,000,000.00"),
    ],
)
def test_money_has_two_decimals_and_no_minus_nothing(pico, text):
    assert money(pico) == text


def test_many_models_without_a_price_are_counted():
    models = [ModelUsage(f"m{n}", 1, unpriced=1) for n in range(7)]
    text = report.render_list([Session("s", models)], width=120, day_of=day_of)
    assert "+? does not include models without a known price: m0, m1, m2, m3, m4 and 2 more\n" in text


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), 1e300, -0.0])
def test_an_absurd_cost_of_the_client_is_shown_and_breaks_nothing(cost):
    text = report.render_one(Session("s", [], client_cost=cost), width=80, day_of=day_of)
    assert "Client     " in text
    assert "-$" not in text


hostile = st.text(
    st.one_of(
        st.characters(), st.sampled_from("日한🐢👍🏽\u0301\u200d\ufe0f\u202e\x1b\n\r\t\x00\x9b\u2028א-  "), st.just("x")
    ),
    max_size=60,
)
counts = st.one_of(st.integers(0, 2_000), st.integers(0, 2**53))
usages = st.builds(
    ModelUsage, hostile, counts, counts, counts, counts, st.integers(0, 10**16), counts, st.integers(0, 1)
)
found = st.builds(
    Session,
    st.one_of(st.uuids().map(str), hostile),
    st.lists(usages, max_size=3, unique_by=lambda m: m.name),
    st.just(1_777_600_000_000_000),
    st.sampled_from([1_777_600_000_000_000, 1_777_700_000_000_000]),
    st.none() | hostile,
    st.none() | hostile,
    counts,
    st.integers(0, 3),
    st.none() | st.floats(),
    st.booleans(),
)
lists = st.lists(found, max_size=4, unique_by=lambda s: s.id)


def harmless(text: str) -> bool:
    """Return whether a text can be sent to a terminal: only characters that are drawn, and newlines."""
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text.replace("\n", ""))


@settings(max_examples=150, deadline=None)
@given(lists, st.integers(20, 200), st.booleans(), st.booleans())
def test_the_report_is_never_wider_than_the_screen_and_harmless(sessions, width, compact, breakdown):
    text = report.render_list(sessions, width=width, day_of=day_of, compact=compact, breakdown=breakdown)
    assert max(map(display_width, text.split("\n"))) <= width
    assert harmless(text)


@settings(max_examples=100, deadline=None)
@given(found, st.integers(20, 200))
def test_one_session_is_never_wider_than_the_screen_and_harmless(session, width):
    text = report.render_one(session, width=width, day_of=day_of)
    assert max(map(display_width, text.split("\n"))) <= width
    assert harmless(text)


@pytest.mark.parametrize("width", [-1, 0, 1, 2, 3, 5, 10])
def test_absurd_widths_give_narrow_text(width):
    for text in (
        report.render_list(SESSIONS, width=width, day_of=day_of),
        report.render_one(SHOP, width=width, day_of=day_of),
    ):
        assert max(map(display_width, text.split("\n"))) <= max(width, 1)


@settings(max_examples=100, deadline=None)
@given(lists, st.integers(100, 200), st.booleans())
def test_a_whole_table_holds_every_id_number_and_day_uncut(sessions, width, breakdown):
    text = report.render_list(sessions, width=width, day_of=day_of, breakdown=breakdown)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.split("\n") if line.startswith("│")]
    if "Not shown:" in text or "rounded" in text:
        return
    forms = report.display_ids(s.id for s in sessions)
    for s in sessions:
        cost = money(s.cost) + ("+?" if s.unpriced_models else "")
        counts = [f"{n:,}" for n in (s.input, s.output, s.cache_creation, s.cache_read, s.total)]
        last = day_of(s.last) + (" *" if s.archived else "")
        if "│" not in "".join([s.id, *(m.name for m in s.models)]):
            found = [[first, *rest[:7]] for first, _, *rest in rows[1:]]  # the first row is the title
            assert any([form.strip(), *counts, cost, last] in found for form in (forms[s.id], clean(s.id)))
