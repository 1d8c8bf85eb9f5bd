"""Measuring, cutting, wrapping and cleaning text for a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccusage_line.report import table
from ccusage_line.report.grid import COST, FIRST, MODELS, Grid
from ccusage_line.text import clean, cut, cut_distinctly, display_width, wrap

# Characters of no, one and two columns, and characters that must not reach a terminal.
mixed = st.text(st.one_of(st.characters(), st.sampled_from("ab -日한🐢🏽\u0301\u200d\ufe0f\x1b\n\u2028א")), max_size=40)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("opus-4-5", 8, id="ascii"),
        pytest.param("é", 1, id="composed"),
        pytest.param("e\u0301", 1, id="combining"),
        pytest.param("日本語", 6, id="wide"),
        pytest.param("ｱ", 1, id="halfwidth"),
        pytest.param("\uff21", 2, id="fullwidth"),
        pytest.param("한국", 4, id="hangul"),
        pytest.param("\u1112\u1161\u11ab", 2, id="hangul-in-parts"),
        pytest.param("🐢", 2, id="emoji"),
        pytest.param("👍🏽", 2, id="emoji-with-a-skin-tone"),
        pytest.param("🏽", 2, id="a-skin-tone-alone"),
        pytest.param("שלום", 4, id="right-to-left"),
        pytest.param("🇫🇷", 2, id="flag"),
        pytest.param("│─…", 3, id="frames"),
    ],
)
def test_display_width_is_the_number_of_columns_of_a_text(text, width):
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("plain é 日本", "plain é 日本", id="harmless"),
        pytest.param("\x1b[31mred\x07\x00\x7f\x9b", "[31mred", id="controls"),
        pytest.param("two\nlines\tand\u2028three", "two lines and three", id="breaks-become-spaces"),
        pytest.param("a\u202eb\u200d\u200bc\ufeff\u00ad", "abc", id="format-characters"),
        pytest.param("❤\ufe0f", "❤", id="variation-selector"),
        pytest.param("a\ud83db", "a\ufffdb", id="half-a-surrogate-pair"),
        pytest.param("e\u0301", "e\u0301", id="combining-stays"),
    ],
)
def test_clean_removes_what_a_screen_cannot_show(text, cleaned):
    assert clean(text) == cleaned


@given(mixed)
def test_a_cleaned_text_is_harmless_and_stays_as_it_is(text):
    cleaned = clean(text)
    assert not {unicodedata.category(c) for c in cleaned} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned


@given(mixed.filter(bool).map(clean), st.integers(0, 30))
def test_a_cut_text_fits_and_says_that_it_was_cut(text, width):
    short = cut(text, width)
    assert display_width(short) <= width
    if display_width(text) <= width:
        assert short == text
    elif width:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


@given(st.lists(mixed.map(clean), max_size=4), st.integers(0, 30))
def test_texts_cut_in_their_middle_fit_and_keep_both_ends(texts, width):
    for text, short in zip(texts, cut_distinctly(texts, width), strict=True):
        assert display_width(short) <= width
        if display_width(text) <= width:
            assert short == text
        elif width > 2:
            head, tail = short.rsplit("…", text.count("…") + 1)[0], short.rpartition("…")[2]
            assert text.startswith(head.partition("…")[0])
            assert text.endswith(tail)


@pytest.mark.parametrize(
    ("texts", "width", "short"),
    [
        pytest.param(["in-house-coder-2", "short"], 12, ["in-hous…er-2", "short"], id="the version stays"),
        pytest.param(["coder-a-2026-01", "coder-b-2026-01"], 9, ["coder-a…1", "coder-b…1"], id="moved to tell apart"),
        pytest.param(["x" * 30 + "a", "x" * 30 + "b"], 5, ["xx…xa", "xx…xb"], id="the ends differ"),
    ],
)
def test_names_that_differ_still_differ_after_they_are_cut(texts, width, short):
    assert cut_distinctly(texts, width) == short


@given(mixed.map(clean), st.integers(2, 30), st.sampled_from(["", "  ", "      "]))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text, width, indent):
    lines = wrap(text, width, indent)
    assert all(display_width(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("one two three", ["one two", "  three"], id="at-spaces"),
        pytest.param("onetwothree", ["onetwoth", "  ree"], id="a-word-too-long"),
        pytest.param("a onetwothree", ["a", "  onetwo", "  three"], id="a-long-word-begins-a-line"),
        pytest.param("日本語日本語", ["日本語日", "  本語"], id="wide"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_text_is_wrapped_at_its_width(text, lines):
    assert wrap(text, 8, "  ") == lines


def test_a_character_wider_than_the_screen_is_left_out():
    assert wrap("a日b", 1) == ["a", "b"]


def columns() -> list[table.Column]:
    return [
        table.Column("Name", ["long-name", "日本", ""], floor=5),
        table.Column("Big Sum", ["1", "22", "23"], right=True),
    ]


@pytest.mark.parametrize(
    ("width", "pad", "lines"),
    [
        pytest.param(
            99,
            1,
            [
                "┌───────────┬─────────┐",
                "│ Name      │ Big Sum │",
                "├───────────┼─────────┤",
                "│ long-name │       1 │",
                "│ 日本      │      22 │",
                "├───────────┼─────────┤",
                "│           │      23 │",
                "└───────────┴─────────┘",
            ],
            id="as-wide-as-it-is",
        ),
        pytest.param(
            22,
            1,
            [
                "┌───────────┬─────┐",
                "│ Name      │ Big │",
                "│           │ Sum │",
                "├───────────┼─────┤",
                "│ long-name │   1 │",
                "│ 日本      │  22 │",
                "├───────────┼─────┤",
                "│           │  23 │",
                "└───────────┴─────┘",
            ],
            id="headers-on-two-lines",
        ),
        pytest.param(
            11,
            0,
            [
                "┌─────┬───┐",
                "│Name │Big│",
                "│     │Sum│",
                "├─────┼───┤",
                "│lo…me│  1│",
                "│日本 │ 22│",
                "├─────┼───┤",
                "│     │ 23│",
                "└─────┴───┘",
            ],
            id="cells-cut",
        ),
    ],
)
def test_a_table_takes_the_room_it_has(width, pad, lines):
    widths = table.fit(columns(), width, pad)
    assert widths is not None
    assert table.draw(columns(), widths, [""] * 3, pad) == lines


@pytest.mark.parametrize("pad", [0, 1])
def test_a_table_fits_its_least_width_and_no_narrower_one(pad):
    least = table.least_width(columns(), pad)
    widths = table.fit(columns(), least, pad)
    assert widths is not None
    assert {display_width(line) for line in table.draw(columns(), widths, [""] * 3, pad)} == {least}
    assert table.fit(columns(), least - 1, pad) is None


def test_a_row_is_coloured_cell_by_cell():
    widths = table.fit(columns(), 99)
    assert widths is not None
    lines = table.draw(columns(), widths, ["", table.DIM, table.YELLOW])
    assert lines[1] == "│ \x1b[36mName     \x1b[0m │ \x1b[36mBig Sum\x1b[0m │"
    assert lines[3] == "│ long-name │       1 │"
    assert lines[4] == "│ \x1b[2m日本     \x1b[0m │ \x1b[2m     22\x1b[0m │"
    assert lines[6] == "│ \x1b[33m         \x1b[0m │ \x1b[33m     23\x1b[0m │"


def test_a_title_is_framed_where_there_is_room():
    assert table.box("日本 x", 12) == ["╭──────────╮", "│  日本 x  │", "╰──────────╯"]
    assert table.box("日本 x", 11) == ["日本 x"]
    assert table.box("日本 x", 4) == ["日本", "x"]


def test_a_row_of_models_alone_goes_with_their_column_though_costs_bear_marks() -> None:
    cells = {FIRST: ["a", "", "Total"], MODELS: ["x", "y", ""], COST: ["$1.00+?", "", "$1.00+?"]}
    lines, _ = Grid({FIRST: "Day", MODELS: "Models", COST: "Cost"}, cells, [""] * 3).draw(
        [((FIRST, COST), 1)], 40, False
    )
    assert len(lines) == 7  # three rules and a bottom, the header, a row and the total
