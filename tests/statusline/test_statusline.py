"""The statusline: what each segment shows, what a template does, and how wide a line is."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ccusage_line import windows
from ccusage_line.prices import in_use
from ccusage_line.session import Session, money
from ccusage_line.statusline import line as statusline
from ccusage_line.statusline import log as statuslog
from ccusage_line.statusline.fields import SEGMENTS
from ccusage_line.statusline.git import head
from ccusage_line.statusline.line import FALLBACK, render
from ccusage_line.statusline.options import COST_SOURCES, complaint, parse_leniently, parse_options
from ccusage_line.statusline.segments import STARTUP, Numbers, Options
from ccusage_line.statusline.segments import clean as cleaned
from ccusage_line.text import clean
from ccusage_line.windows import HOUR, MINUTE, Block
from statusline_samples import CENT, ENVIRON, HOME, NOW, SESSION, block, changed, numbers, payload, session, without

DEFAULT_LINE = (
    "🤖 Opus 4.5 | 💰 $0.23 session / $1.23 today / $0.45 block (2h 45m left) | 🔥 $0.30/hr | 🧠 25,000 (12%)"
)
SGR = re.compile(r"\x1b\[[0-9;:]*m")


def options(*argv: str) -> Options:
    found = parse_options([*argv])
    assert found is not None
    return found


def line(
    *argv: str, given: object = None, known: Numbers | None = None, reasons: list[str] | None = None, **environ: str
) -> str:
    """Return the line without colours."""
    return render(
        payload() if given is None else given,
        numbers() if known is None else known,
        options("--no-color", *argv),
        ENVIRON | environ,
        NOW,
        reasons,
    )


def segment(name: str, *argv: str, **how: Any) -> str:
    """Return what one segment alone shows, or "" if it shows nothing."""
    shown = line("--format", f"<{{{name}}}>", *argv, **how)
    return shown[1:-1]


# --- the default line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        pytest.param(
            without("model"),
            numbers(),
            "💰 $0.23 session / $1.23 today / $0.45 block (2h 45m left) | 🔥 $0.30/hr | 🧠 25,000 (12%)",
            id="no-model",
        ),
        pytest.param(
            payload(),
            numbers(complete=False),
            "🤖 Opus 4.5 | 💰 $0.23 session | 🧠 25,000 (12%)",
            id="no-complete-index",
        ),
        pytest.param(
            payload(),
            numbers(block=None),
            "🤖 Opus 4.5 | 💰 $0.23 session / $1.23 today | 🧠 25,000 (12%)",
            id="no-block",
        ),
        pytest.param(
            without("context_window"),
            numbers(block=None),
            "🤖 Opus 4.5 | 💰 $0.23 session / $1.23 today",
            id="no-context",
        ),
        pytest.param({"session_id": SESSION}, Numbers(), "💰 $0.00 session", id="nothing-but-an-id"),
        pytest.param({}, Numbers(), FALLBACK, id="nothing"),
        pytest.param(None, Numbers(), FALLBACK, id="no-payload"),
        pytest.param([], numbers(), line(given={"session_id": SESSION}), id="not-an-object"),
    ],
)
def test_a_segment_without_content_disappears_with_its_separator(given: object, known: Numbers, expected: str) -> None:
    assert render(given, known, options("--no-color"), ENVIRON, NOW) == expected


def test_a_first_call_before_any_transcript_costs_nothing() -> None:
    given = changed("cost.total_cost_usd", 0)
    given["context_window"] |= {"current_usage": None, "used_percentage": None, "remaining_percentage": None}
    assert line(given=given, known=numbers(session=None)) == line().replace("$0.23", "$0.00").replace(
        " | 🧠 25,000 (12%)", ""
    )


# --- costs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "theirs", "ours", "fork", "expected"),
    [
        pytest.param([], 0.25, 23, False, "$0.25", id="auto-client-knows-more"),
        pytest.param([], 0.02, 23, False, "$0.23", id="auto-client-forgot"),
        pytest.param([], None, 23, False, "$0.23", id="auto-client-silent"),
        pytest.param([], 0.25, None, False, "$0.25", id="auto-no-transcript"),
        pytest.param([], 5.0, 23, True, "$0.23", id="auto-fork"),
        pytest.param(["--cost-source", "ccusage"], 5.0, 23, False, "$0.23", id="ours"),
        pytest.param(["--cost-source", "ccusage"], 5.0, None, False, "$0.00", id="ours-no-transcript"),
        pytest.param(["--cost-source", "cc"], 0.25, 99, False, "$0.25", id="client"),
        pytest.param(["--cost-source", "cc"], None, 99, False, "", id="client-silent"),
        pytest.param(["--cost-source", "both"], 0.25, 23, False, "($0.25 cc / $0.23 ccusage)", id="both"),
        pytest.param(["--cost-source", "both"], None, 23, False, "($0.23 ccusage)", id="both-client-silent"),
        pytest.param(["--cost-source", "both"], 5.0, 23, True, "($5.00 cc / $0.23 ccusage)", id="both-fork"),
    ],
)
def test_the_session_cost_comes_from_the_chosen_source(
    argv: list[str], theirs: float | None, ours: int | None, fork: bool, expected: str
) -> None:
    known = numbers(session=None if ours is None else session(ours * CENT), fork=fork)
    assert segment("session_cost", *argv, given=changed("cost.total_cost_usd", theirs), known=known) == expected


SECOND = 1_000_000
OPENED = 3_900 * SECOND  # the client of the sample has been open for so long
BEGUN = NOW - OPENED + STARTUP  # the latest beginning of the client's first session
CLEARED = NOW - 60 * SECOND
OTHERS_TOTAL = changed("cost.total_cost_usd", 541.20)


def unasked(given: dict[str, Any]) -> dict[str, Any]:
    """Return the payload as it is before the first prompt."""
    return {name: value for name, value in given.items() if name != "prompt_id"}


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        pytest.param(
            unasked(OTHERS_TOTAL),
            {"session": None, "no_transcript": True},
            "$0.00",
            id="a-fork-before-its-first-prompt",
        ),
        pytest.param(unasked(OTHERS_TOTAL), {"session": Session(SESSION, [])}, "$0.00", id="just-after-clear"),
        pytest.param(
            OTHERS_TOTAL,
            {"session": None, "no_transcript": True, "inherited": 54120 * CENT},
            "$0.00",
            id="a-fork-whose-first-prompt-is-not-written-yet",
        ),
        pytest.param(OTHERS_TOTAL, {"session": None, "no_transcript": True}, "$541.20", id="no-transcript-is-kept"),
        pytest.param(
            OTHERS_TOTAL,
            {"session": None, "no_transcript": True, "inherited": 0},
            "$541.20",
            id="no-transcript-is-kept-as-was-seen",
        ),
        pytest.param(unasked(OTHERS_TOTAL), {"session": None}, "$541.20", id="a-transcript-that-is-out-of-reach"),
        pytest.param(OTHERS_TOTAL, {"inherited": 54120 * CENT}, "$0.23", id="after-clear-as-was-seen"),
        pytest.param(OTHERS_TOTAL, {"began": CLEARED}, "$0.23", id="after-clear-by-the-clock"),
        pytest.param(OTHERS_TOTAL, {"began": CLEARED, "inherited": 0}, "$541.20", id="opened-long-before-the-prompt"),
        pytest.param(OTHERS_TOTAL, {"began": BEGUN}, "$541.20", id="opened-just-before-the-prompt"),
        pytest.param(OTHERS_TOTAL, {"began": BEGUN + 1}, "$0.23", id="opened-too-long"),
        pytest.param(OTHERS_TOTAL, {"began": NOW + HOUR}, "$0.23", id="a-clock-that-was-set-back"),
        pytest.param(OTHERS_TOTAL, {"began": BEGUN, "fork": True, "inherited": 0}, "$0.23", id="a-fork"),
    ],
)
def test_auto_uses_the_clients_total_only_if_it_is_of_this_session(
    given: dict[str, Any], known: dict[str, Any], expected: str
) -> None:
    assert segment("session_cost", given=given, known=numbers(**known)) == expected
    both = segment("session_cost", "--cost-source", "both", given=given, known=numbers(**known))
    assert both.startswith("($541.20 cc / $0."), "what the client says is shown to those who ask for it"


def test_a_client_without_a_clock_is_believed() -> None:
    given = changed("cost", {"total_cost_usd": 541.20})
    assert segment("session_cost", given=given, known=numbers(began=CLEARED)) == "$541.20"


def dollars(shown: str) -> float:
    return float(shown.strip("$").replace(",", "").removesuffix("/hr"))


@given(
    ours=st.integers(0, 10**15),
    others=st.integers(0, 10**15),
    theirs=st.integers(0, 10**15),
    began=st.integers(NOW - 30 * HOUR, NOW),
    day=st.integers(NOW - 24 * HOUR, NOW),
    source=st.sampled_from(COST_SOURCES),
    alien=st.sampled_from([{}, {"fork": True}, {"inherited": CENT}]),
)
@example(0, 0, CENT, NOW - HOUR, NOW - 2 * HOUR, "auto", {})
def test_the_clients_surplus_is_added_to_the_day_and_block_that_the_session_began_in(
    ours: int, others: int, theirs: int, began: int, day: int, source: str, alien: dict[str, Any]
) -> None:
    given = payload()
    given["cost"] = {"total_cost_usd": theirs / 10**12}
    window = block()
    window.cost = ours + others
    known = numbers(
        **{"session": session(ours), "today": ours + others, "block": window, "began": began, "day": day} | alien
    )

    def shown(name: str) -> str:
        return segment(name, "--cost-source", source, given=given, known=known)

    surplus = max(theirs - ours, 0) if source != "ccusage" and not alien else 0
    for name, start in (("today_cost", day), ("block_cost", window.start)):
        expected = ours + others + (surplus if began >= start else 0)
        assert abs(dollars(shown(name)) - expected / 10**12) < 0.006
        if source == "auto" and began >= start:
            assert dollars(shown("session_cost")) <= dollars(shown(name))
    if window.first is not None:
        hourly = dollars(shown("block_cost")) * HOUR / (NOW - window.first)
        assert abs(dollars(shown("burn")) - hourly) < 0.02


def test_a_session_without_a_transcript_began_when_the_client_was_opened() -> None:
    no_transcript = {"session": None, "no_transcript": True, "today": 0}
    assert segment("today_cost", known=numbers(**no_transcript, day=NOW - OPENED)) == "$0.23"
    assert segment("today_cost", known=numbers(**no_transcript, day=NOW - OPENED + 1)) == "$0.00"


def test_a_session_that_could_not_be_read_adds_nothing_to_the_day() -> None:
    """The cost may already be part of the day."""
    known = numbers(session=None, unknown=True, day=NOW - 24 * HOUR)
    assert (segment("session_cost", known=known), segment("today_cost", known=known)) == ("$0.23", "$1.23")


def test_usage_without_a_price_is_marked_but_not_in_the_clients_own_number() -> None:
    known = numbers(session=session(23 * CENT, unpriced=1))
    assert segment("session_cost", given=without("cost"), known=known) == "$0.23+?"
    assert segment("session_cost", "--cost-source=both", known=known) == "($0.23 cc / $0.23+? ccusage)"
    assert segment("session_cost", "--cost-source=cc", known=known) == "$0.23"


@given(st.integers(0, 10**18))
def test_money_is_written_as_in_the_report(pico: int) -> None:
    assert segment("today_cost", known=numbers(today=pico)) == money(pico)


@pytest.mark.parametrize("argv", [[], ["--visual-burn-rate", "off"]])
def test_the_burn_rate_is_the_blocks_cost_an_hour(argv: list[str]) -> None:
    assert segment("burn", *argv) == "$0.30/hr"  # 45 cents in an hour and a half


@pytest.mark.parametrize(
    ("per_minute", "emoji", "word"),
    [(1999, "🟢", "Normal"), (2000, "🟡", "Moderate"), (4999, "🟡", "Moderate"), (5000, "🔴", "High")],
)
def test_the_burn_rate_is_rated_by_its_tokens(per_minute: int, emoji: str, word: str) -> None:
    known = numbers(block=block(tokens=per_minute * 90))
    assert segment("burn", "--visual-burn-rate", "emoji", known=known) == f"$0.30/hr {emoji}"
    assert segment("burn", "-B", "text", known=known) == f"$0.30/hr ({word})"
    assert segment("burn", "--visual-burn-rate=emoji-text", known=known) == f"$0.30/hr {emoji} ({word})"


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [
        (5 * HOUR, "5h 0m"),
        (2 * HOUR + 45 * MINUTE, "2h 45m"),
        (HOUR, "1h 0m"),
        (59 * MINUTE + 29_000_000, "59m"),
        (59 * MINUTE + 31_000_000, "1h 0m"),
        (1, "1m"),
        (0, ""),
        (-1, ""),
    ],
)
def test_the_time_left_is_that_to_the_end_of_the_block(microseconds: int, expected: str) -> None:
    end = NOW + microseconds
    assert segment("block_left", known=numbers(block=Block(end - 5 * HOUR, end, 1, 1, end - 5 * HOUR))) == expected


# --- context -----------------------------------------------------------------------------------------------------


def usage(input: object = 0, creation: object = 0, read: object = 0, size: object = 200_000) -> dict[str, Any]:
    given = payload()
    given["context_window"] = {
        "context_window_size": size,
        "current_usage": {
            "input_tokens": input,
            "output_tokens": 9_999,
            "cache_creation_input_tokens": creation,
            "cache_read_input_tokens": read,
        },
    }
    return given


@pytest.mark.parametrize(
    ("given", "last", "expected"),
    [
        pytest.param(usage(100, 20_000, 45_400), None, "65,500 (32%)", id="rounded-down"),
        pytest.param(usage(199_999), None, "199,999 (99%)", id="almost-full"),
        pytest.param(usage(280_000), None, "280,000 (140%)", id="more-than-the-client-says-that-fits"),
        pytest.param(usage(280_000, size=None), None, "280,000", id="more-than-is-known-to-fit"),
        pytest.param(usage(25_000, size=1_000_000), None, "25,000 (2%)", id="large-window"),
        pytest.param(usage(25_000, size=0), None, "25,000 (12%)", id="no-size-model-known"),
        pytest.param(usage(), (65_500, "claude-opus-4-5"), "", id="zero-after-compact"),
        pytest.param(changed("context_window", None), (65_500, "claude-opus-4-5"), "65,500 (32%)", id="transcript"),
        pytest.param(usage("many"), (65_500, "claude-opus-4-5"), "65,500 (32%)", id="absurd-count-transcript"),
        pytest.param(usage("many"), None, "", id="absurd-count"),
        pytest.param(changed("context_window", None), (0, "claude-opus-4-5"), "", id="transcript-zero"),
        pytest.param(changed("context_window", None), None, "", id="nowhere"),
    ],
)
def test_the_context_is_the_last_prompt_over_the_window(
    given: dict[str, Any], last: tuple[int, str] | None, expected: str
) -> None:
    assert segment("context", given=given, known=numbers(last_context=last)) == expected


@pytest.mark.parametrize(
    ("model", "tokens", "window"),
    [
        ("claude-sonnet-4-5-20250929", 200_000, 200_000),
        ("claude-sonnet-4-5-20250929", 200_001, 1_000_000),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", 280_000, 1_000_000),
        ("claude-opus-4.6", 280_000, 1_000_000),
        ("claude-opus-4-6[1m]", 25_000, 1_000_000),
        ("claude-opus-4-5", 280_000, None),
        ("claude-haiku-4-5", 200_001, None),
        ("claude-sonnet-5-5", 280_000, 1_000_000),
        ("claude-sonnet-5-5", 1_000_001, None),
        ("claude-sonnet-4-6", 1_000_001, None),
        ("in-house-coder-2", 1, None),
    ],
)
def test_a_window_holds_the_prompts_that_it_was_asked_with(model: str, tokens: int, window: int | None) -> None:
    assert in_use.table().window(model, tokens) == window


def test_a_context_over_an_unknown_window_has_no_percentage() -> None:
    given = usage(25_000, size=None)
    given["model"] = {"id": "in-house-coder-2"}
    assert segment("context", given=given) == "25,000"
    known = numbers(last_context=(30_000, "claude-sonnet-4-5"))
    given["context_window"] = None
    assert segment("context", given=given, known=known) == "30,000 (15%)"


@pytest.mark.parametrize(
    ("tokens", "argv", "colour"),
    [
        (99_999, [], "32"),
        (100_000, [], "33"),
        (159_999, [], "33"),
        (160_000, [], "31"),
        (39_999, ["--context-low-threshold", "20", "--context-medium-threshold", "30"], "32"),
        (40_000, ["--context-low-threshold", "20", "--context-medium-threshold", "30"], "33"),
        (60_000, ["--context-low-threshold=20", "--context-medium-threshold=30"], "31"),
    ],
)
def test_the_percentage_is_coloured_by_the_thresholds(tokens: int, argv: list[str], colour: str) -> None:
    shown = render(usage(tokens), numbers(), options("--format", "{context}", *argv), ENVIRON, NOW)
    assert shown == f"{tokens:,} (\x1b[{colour}m{tokens * 100 // 200_000}%\x1b[0m)"


# --- the other segments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("model", without("model.display_name"), "opus-4-5"),
        ("limit_5h", changed("rate_limits", None), ""),
        ("limit_5h", without("rate_limits.five_hour"), ""),
        ("limit_7d", without("rate_limits.five_hour"), "81%"),
        ("limit_5h", changed("rate_limits.five_hour.used_percentage", NOW // 1_000_000), ""),
        ("limit_5h", changed("rate_limits.five_hour.used_percentage", 100), "100%"),
        ("limit_5h", changed("rate_limits.five_hour.used_percentage", 28.999999999999996), "29%"),
        ("limit_5h", changed("rate_limits.five_hour.used_percentage", 101), "101%"),
        ("limit_5h", changed("rate_limits.five_hour.used_percentage", 999), "999%"),
        ("limit_5h", changed("rate_limits.five_hour.used_percentage", 1000), ""),
        ("limit_5h", changed("rate_limits.five_hour.resets_at", NOW // 1_000), ""),
        ("limit_5h", changed("rate_limits.five_hour.resets_at", "2026-11-23T06:20:20Z"), ""),
        ("limit_5h", changed("rate_limits.five_hour.resets_at", NOW // 1_000_000), ""),
        ("limit_5h", without("rate_limits.five_hour.resets_at"), "24%"),
        ("lines", without("cost.total_lines_removed"), "+156 -0"),
        ("lines", without("cost"), ""),
        ("duration", changed("cost.total_duration_ms", 59_999), "59s"),
        ("duration", changed("cost.total_duration_ms", 60_000), "1m"),
        ("duration", changed("cost.total_duration_ms", 90_000_000), "1d 1h"),
        ("duration", changed("cost.total_duration_ms", 999), ""),
        ("cwd", changed("workspace", None), "~/src/webshop"),
        ("cwd", changed("workspace.current_dir", "/srv/www"), "/srv/www"),
        ("cwd", changed("workspace.current_dir", HOME), "~"),
        ("cwd", changed("workspace.current_dir", "/home/adam"), "/home/adam"),
        ("project", changed("workspace.project_dir", "/srv/www/"), "www"),
        ("project", changed("workspace", None), "webshop"),
        ("project", changed("workspace.project_dir", "/"), ""),
        ("cache", without("prompt_cache"), "94%"),
        ("cache", changed("prompt_cache.warm", False), "95% cold"),
        ("cache", changed("prompt_cache.expires_at", NOW // 1_000_000 - 1), "95% cold"),
        ("cache_left", changed("prompt_cache.expires_at", NOW // 1_000_000 - 1), ""),
        ("cache_left", changed("prompt_cache.expires_at", NOW // 1_000 + 59_000), "59s"),
        ("reset_7d", changed("rate_limits.seven_day.resets_at", "2026-11-25T08:20:20Z"), "2d 2h"),
        ("reset_7d", changed("rate_limits.seven_day.resets_at", NOW // 1_000_000), ""),
        ("reset_7d", changed("rate_limits.seven_day.resets_at", "soon"), ""),
        ("spend_limit", changed("rate_limits.spend_limit", {"used_percentage": 12.5}), "13%"),
        ("spend_limit", without("rate_limits.spend_limit.period"), "$12.50 of $50.00"),
        ("spend_limit", changed("rate_limits.spend_limit.limit_usd", 0), ""),
        ("context_bar", changed("context_window.context_window_size", 50_000), "█████░░░░░"),
        ("context_bar", changed("context_window.context_window_size", 1_000), "██████████"),
        ("context", changed("model.id", "claude-sonnet-4-5[1m]"), "25,000 (2%)"),
        ("pr", changed("pr", {"number": 7, "kind": "mr", "review_state": "changes_requested"}), "!7 changes requested"),
        ("pr", without("pr.number"), ""),
        ("repo", without("workspace.repo.owner"), ""),
        ("worktree", without("worktree"), "rounding"),
        ("title", changed("session_name", "x" * 60), "x" * 39 + "…"),
        ("agent", changed("agent_type", "other") | {"agent": None}, "other"),
        ("fast", changed("fast_mode", False), ""),
        ("fast", changed("fast_mode", 1), ""),
        ("thinking", without("thinking"), ""),
        ("style", changed("output_style.name", "default"), ""),
    ],
)
def test_a_segment_shows_its_field(name: str, given: dict[str, Any], expected: str) -> None:
    assert segment(name, given=given) == expected


@pytest.mark.parametrize("name", ["tokens", "cache", "project"])
def test_a_segment_of_the_session_needs_one(name: str) -> None:
    given = {"session_id": SESSION}
    assert segment(name, given=given, known=numbers(session=None)) == ""


@pytest.mark.parametrize(
    ("total", "expected"),
    [(0, ""), (950, "950"), (1_000, "1.0k"), (24_999, "24.9k"), (999_999, "999.9k"), (1_250_000, "1.2M")],
)
def test_tokens_are_shortened_and_never_rounded_up(total: int, expected: str) -> None:
    known = session()
    known.models[0].input, known.models[0].output = total, 0
    known.models[0].cache_creation = known.models[0].cache_read = 0
    assert segment("tokens", known=numbers(session=known)) == expected


def test_a_label_of_the_config_goes_before_the_models_name() -> None:
    how = options("--format", "{model}", "--no-color")
    how.labels = {"claude-opus-4-5-20251101": "opus\x07 (work)", "other": "x"}
    assert render(payload(), numbers(), how, ENVIRON, NOW) == "opus (work)"
    assert render(changed("model.id", ["odd"]), numbers(), how, ENVIRON, NOW) == "Opus 4.5"


# --- branches ----------------------------------------------------------------------------------------------------

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def repository(path: Path, content: str) -> Path:
    (path / ".git").mkdir(parents=True)
    (path / ".git" / "HEAD").write_text(content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("ref: refs/heads/main\n", "main"),
        ("ref: refs/heads/feature/a b/ü\n", "feature/a b/ü"),
        ("ref: refs/remotes/origin/x\n", "remotes/origin/x"),
        (COMMIT + "\n", "0123456"),
        (COMMIT + COMMIT[:24] + "\n", "0123456"),
        ("ref: refs/heads/.invalid\n", None),
        ("", None),
        ("nonsense", None),
        ("ref: ", None),
    ],
)
def test_the_branch_is_what_head_says(tmp_path: Path, content: str, expected: str | None) -> None:
    assert head(str(repository(tmp_path / "repo", content))) == expected


def test_the_branch_is_found_from_a_folder_below(tmp_path: Path) -> None:
    below = repository(tmp_path, "ref: refs/heads/main\n") / "src" / "deep"
    below.mkdir(parents=True)
    assert head(str(below)) == "main"
    assert head(str(below / "not" / "there")) == "main"
    assert segment("branch", given=changed("workspace.current_dir", str(below))) == "main"


@pytest.mark.parametrize("relative", [False, True])
def test_a_work_tree_has_a_branch_of_its_own(tmp_path: Path, relative: bool) -> None:
    repo = repository(tmp_path / "repo", "ref: refs/heads/main\n")
    own = repo / ".git" / "worktrees" / "tree"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/worktree-tree\n")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {'../repo/.git/worktrees/tree' if relative else own}\n")
    assert head(str(tree)) == "worktree-tree"


def test_outside_git_the_branch_comes_from_the_payload(tmp_path: Path) -> None:
    given = changed("workspace.current_dir", str(tmp_path))
    assert segment("branch", given=given) == "cart-rounding"
    del given["worktree"]
    assert segment("branch", given=given) == ""


def test_the_worktree_that_the_payload_names_goes_before_the_folder(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repo", "ref: refs/heads/main\n")
    tree = repository(tmp_path / "tree", "ref: refs/heads/other\n")
    given = changed("workspace", {"current_dir": str(folder), "project_dir": str(folder)})
    given["worktree"]["path"] = str(tree)
    assert (segment("branch", given=given), segment("project", given=given)) == ("other", "tree")
    given["worktree"]["path"] = str(tmp_path / "gone")
    assert segment("branch", given=given) == "cart-rounding"


@pytest.mark.parametrize("folder", ["", ".", "relative/path", "/nul\0byte", "/" + "x/" * 3000])
def test_an_odd_folder_has_no_branch(folder: str) -> None:
    assert head(folder) is None


def test_a_head_that_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no FIFOs here")
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "HEAD")
    assert head(str(tmp_path)) is None


def test_a_huge_head_is_read_in_part(tmp_path: Path) -> None:
    repository(tmp_path, "ref: refs/heads/" + "x" * 1_000_000)
    shown = line("--format", "{branch}", given=changed("workspace.current_dir", str(tmp_path)), COLUMNS="400")
    assert set(shown) == {"x"}
    assert len(shown) <= 300


# --- templates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{model}", "Opus 4.5"),
        ("{model} - {project}", "Opus 4.5 - webshop"),
        ("[{model}] done", "Opus 4.5 done"),
        ("a[ b {branch}] c", "a c"),
        ("a[ b {branch} {model}] c", "a b Opus 4.5 c"),
        ("[{branch}[ {model}]]!", "Opus 4.5!"),
        ("{branch} | {model} | {branch} / {tokens} | {branch}", "Opus 4.5 | 1.2M"),
        ("x [ / {branch}][ / {model}]", "x Opus 4.5"),
        ("[{branch} | ]{model}{branch} - {branch}", "Opus 4.5"),
        (r"\ {model}\ |\ {tokens}", " Opus 4.5 | 1.2M"),
        ("[x {branch}[ y {branch}]]!", "!"),
        ("a[ plain ]b", "a plain b"),
        (r"\[\{model\}\] \\ {model}", r"[{model}] \ Opus 4.5"),
        ("end\\", "end\\"),
        ("[a {nope} ]{nope} {model", " {model"),
        ("{no-segment} {} {", "{no-segment} {} {"),
        ("{model", "{model"),
        ("a ] b", "a ] b"),
        ("a [b {model}", "a [b Opus 4.5"),
        ("[[{model}", "[[Opus 4.5"),
        (r"a\n{branch}\n\n{model}\\n", "a\nOpus 4.5\\n"),
        ("[a\r\n{model}]\n", "[a\nOpus 4.5]"),
        ("a\tc\x07\u202e{model}", "a cOpus 4.5"),
        ("{link:https://x/y|{model}} {link:pr|{branch}}!", "Opus 4.5 !"),
        ("{link:https://x/y|{model} [b", "{link:https://x/y|Opus 4.5 [b"),
        ("\ue0b0 {model} ⚠️", "\ue0b0 Opus 4.5 ⚠"),
        ("[" * 4_000 + "{model}" + "]" * 4_000, "Opus 4.5"),
        ("", FALLBACK),
        ("{branch}", FALLBACK),
        ("   ", FALLBACK),
        ("[{branch}]", FALLBACK),
    ],
)
def test_a_template_is_filled_in(template: str, expected: str) -> None:
    assert line("--format", template, given=without("workspace", "worktree"), COLUMNS="9000") == expected


def test_a_template_may_set_colours() -> None:
    for escape in ("\\e", "\x1b"):
        template = f"{escape}[1;36m{{model}}{escape}[0m {escape}[2mdim"
        coloured = render(payload(), numbers(), options("--format", template), ENVIRON, NOW)
        assert coloured == "\x1b[1;36mOpus 4.5\x1b[0m \x1b[2mdim\x1b[0m"
        assert line("--format", template) == "Opus 4.5 dim"


@pytest.mark.parametrize("sequence", ["\x1b[2J", "\x1b]0;title\x07", "\x1b[31", "\x1bc", "\\e[2J", "\x9b31m"])
def test_a_template_may_do_nothing_but_colour(sequence: str) -> None:
    shown = render(payload(), numbers(), options("--format", sequence + "{model}"), ENVIRON, NOW)
    assert "\x1b" not in SGR.sub("", shown)
    assert "\x9b" not in shown
    assert "\x07" not in shown
    assert shown.endswith("Opus 4.5")


def test_a_link_leads_to_its_address_or_to_that_of_a_field() -> None:
    def linked(template: str, given: object = None) -> str:
        return render(payload() if given is None else given, numbers(), options("--format", template), ENVIRON, NOW)

    pull = "https://github.com/ada/webshop/pull/42"
    assert linked("{link:pr|PR {pr}}.") == f"\x1b]8;;{pull}\x1b\\PR #42 approved\x1b]8;;\x1b\\."
    assert linked("{link:repo|{repo}}") == "\x1b]8;;https://github.com/ada/webshop\x1b\\ada/webshop\x1b]8;;\x1b\\"
    assert linked("a | {link:https://x/y|{model}}") == "a | \x1b]8;;https://x/y\x1b\\Opus 4.5\x1b]8;;\x1b\\"
    assert linked("{link:pr|{model}}", changed("pr.url", "https://x/\x1b[31m")).startswith(
        "\x1b]8;;https://x/[31m\x1b\\"
    )
    for odd in ("https://x/ y", "https://ü/", "", None):
        assert linked("{link:pr|{model}}", changed("pr.url", odd)) == "Opus 4.5"
    assert line("--format", "{link:pr|{pr}}") == "#42 approved"


def test_a_mistake_in_a_template_is_named_in_the_reasons() -> None:
    reasons: list[str] = []
    line("--format", "{nope} [", reasons=reasons)
    assert reasons == ["--format: a [ without a closing ]", "--format: an unknown segment"]


def test_the_last_of_preset_and_format_is_taken() -> None:
    assert line("--format", "x", "--preset", "minimal") == "Opus 4.5 · $0.23 · 25,000 (12%)"
    assert line("--preset", "minimal", "--format", "{model}") == "Opus 4.5"
    assert line("--format", "x", "--preset=default") == DEFAULT_LINE


# --- colour and width --------------------------------------------------------------------------------------------


def test_colour_is_on_unless_it_is_unwanted() -> None:
    coloured = render(payload(), numbers(), options(), ENVIRON, NOW)
    assert coloured == DEFAULT_LINE.replace("$0.30/hr", "\x1b[32m$0.30/hr\x1b[0m").replace("12%", "\x1b[32m12%\x1b[0m")
    assert render(payload(), numbers(), options(), ENVIRON | {"NO_COLOR": "1"}, NOW) == DEFAULT_LINE
    assert render(payload(), numbers(), options(), ENVIRON | {"NO_COLOR": ""}, NOW) == coloured


GIVING_WAY = [
    (108, DEFAULT_LINE),
    (94, DEFAULT_LINE.replace(" | 🔥 $0.30/hr", "")),
    (80, "🤖 Opus 4.5 | 💰 $0.23 session / $1.23 today / $0.45 block | 🧠 25,000 (12%)"),
    (66, "🤖 Opus 4.5 | 💰 $0.23 session / $1.23 today | 🧠 25,000 (12%)"),
    (52, "🤖 Opus 4.5 | 💰 $0.23 session | 🧠 25,000 (12%)"),
    (35, "Opus 4.5 | $0.23 | 25,000 (12%)"),
    (31, "Opus 4.5 $0.23 25,000 (12%)"),
    (20, "Opus 4.5 | $0.23"),
    (18, "Opus 4.5 $0.23"),
    (9, "$0.23"),
    (1, "…"),
]


def test_whole_segments_give_way_before_the_words_around_the_last_of_them() -> None:
    for columns in range(1, 141):
        expected = next(shown for least, shown in GIVING_WAY if columns >= least)
        assert line(COLUMNS=str(columns)) == expected, columns


@pytest.mark.parametrize(
    ("template", "columns", "expected"),
    [
        ("{context} {context_bar} {model}", 30, "25,000 (12%) Opus 4.5"),
        ("{tokens} {lines} {tokens} {model}", 29, "1.2M +156 -23 Opus 4.5"),
        ("{session_cost}", 8, "…"),
        ("words that stay as long as they fit", 40, "words that stay as long as they fit"),
        ("words that stay as long as they fit", 39, "words that stay as long as they fit"),
        ("words that stay as long as they fit", 38, "ccusage"),
        ("words that stay as long as they fit", 10, "…"),
        (r"{model} {cwd}\n{session_cost} {title} {branch}", 20, "Opus 4.5\n$0.23"),
        ("{model} {session_cost}", 13, "$0.23"),
        ("{model} --cost {session_cost}", 17, " --cost $0.23"),
        ("{model} --cost {session_cost}", 16, "$0.23"),
    ],
)
def test_a_template_gives_way_by_rank_and_from_the_right(template: str, columns: int, expected: str) -> None:
    assert line("--format", template, COLUMNS=str(columns)) == expected


def test_the_model_is_shown_if_the_cost_does_not_fit() -> None:
    assert line("--cost-source", "both", COLUMNS="14") == "Opus 4.5"


@pytest.mark.parametrize("columns", ["", "0", "-5", "wide", "1e3", "٣", "9" * 30, "12.5"])
def test_with_invalid_columns_the_line_is_made_for_eighty(columns: str) -> None:
    assert line(COLUMNS=columns) == line(COLUMNS="80")


@given(st.text())
@example("".join(map(chr, range(0x3000))))
def test_cleaning_is_that_of_the_tables(text: str) -> None:
    assert cleaned(text) == clean(text)


# --- options -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        ["--nope"],
        ["stray"],
        ["--cost-source"],
        ["--format", "--no-color"],
        ["--config", "x.toml"],
        ["--config=x.toml"],
        ["--help"],
        ["-h"],
        ["--no-color=1"],
        ["--cost"],
    ],
)
def test_other_spellings_are_left_to_the_command_line(argv: list[str]) -> None:
    assert parse_options(argv) is None


@pytest.mark.parametrize("argv", [["--nope"], ["stray"], ["--config", "x"], ["--cost-source"], ["--no-color=1"], ["-"]])
def test_a_line_that_must_not_fail_takes_what_it_understands(argv: list[str]) -> None:
    reasons: list[str] = []
    shown = render(payload(), numbers(), parse_leniently(["--no-color", *argv]), ENVIRON, NOW, reasons)
    assert shown == DEFAULT_LINE
    assert reasons == ["command line: not understood"]


def test_scripts_for_other_ccusages_find_their_options() -> None:
    found = options(
        *["--offline", "--no-cache", "--refresh-interval", "5", "--cache", "-O", "--debug", "--no-offline", "-d"],
        *["-B", "text", "-z", "UTC", "-m", "display", "--refresh-interval=abc"],
    )
    assert (found.visual, found.timezone, found.mode, found.problems) == ("text", "UTC", "display", [])


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["--cost-source", "loud"], "--cost-source"),
        (["-B", "loud"], "--visual-burn-rate"),
        (["--mode=x"], "--mode"),
        (["--preset", "loud"], "--preset"),
        (["--context-low-threshold", "101"], "--context-low-threshold"),
        (["--context-low-threshold", "-1"], None),
        (["--context-medium-threshold", "many"], "--context-medium-threshold"),
        (["--context-low-threshold", "90"], "--context-low-threshold"),
        (["--context-low-threshold", "30", "--context-medium-threshold", "30"], "--context-low-threshold"),
    ],
)
def test_a_value_without_meaning_leaves_the_default_and_is_named(argv: list[str], name: str | None) -> None:
    found = parse_options(argv)
    if name is None:
        assert found is None
        return
    assert found.problems == [name]
    assert str(complaint(found)).startswith(f"{name} wants ")
    reasons: list[str] = []
    found.color = False
    assert render(payload(), numbers(), found, ENVIRON, NOW, reasons) == DEFAULT_LINE
    assert reasons == [f"{name}: not understood"]


def test_an_unknown_zone_is_named_and_the_systems_taken() -> None:
    reasons: list[str] = []
    found = options("-z", "Nowhere/Atall")
    assert statusline.day_start(found, NOW, reasons) == windows.day_start(NOW, None)
    assert reasons == ["--timezone: unknown zone"]
    assert str(complaint(found)).startswith("--timezone: no time zone 'Nowhere/Atall'")


@pytest.mark.parametrize(
    ("spelt", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), ("asia/tokyo", "Asia/Tokyo"), ("local", None), ("LOCAL", None)]
)
def test_a_zone_may_be_spelt_as_for_reports(spelt: str, zone: str | None) -> None:
    reasons: list[str] = []
    assert statusline.day_start(options("-z", spelt), NOW, reasons) == windows.day_start(NOW, zone)
    assert (reasons, complaint(options("-z", spelt))) == ([], None)


# --- reasons -----------------------------------------------------------------------------------------------------


def test_reasons_name_fields_and_no_values() -> None:
    reasons: list[str] = []
    given = changed("cost.total_cost_usd", "SECRET")
    given["model"] = {"display_name": 42, "id": ["SECRET"]}
    given["context_window"]["current_usage"]["input_tokens"] = "SECRET"
    given["workspace"] = "SECRET"
    given["cwd"] = None
    line("--format", "{model}{session_cost}{context}{cwd}", given=given, reasons=reasons)
    assert reasons == [
        "model.display_name: not a string",
        "model.id: not a string",
        "cost.total_cost_usd: not a number",
        "context_window.current_usage.input_tokens: not a number",
        "cwd: missing",
    ]


def test_a_segment_that_breaks_costs_itself_only() -> None:
    reasons: list[str] = []
    broken = numbers(block="no block at all", session=session())
    assert line(known=broken, reasons=reasons) == ("🤖 Opus 4.5 | 💰 $0.23 session / $1.23 today | 🧠 25,000 (12%)")
    assert "block_cost: AttributeError" in reasons


def test_a_usual_payload_gives_no_reasons() -> None:
    """A first call, an API key without limits and an unfinished index are nothing for the doctor to report."""
    reasons: list[str] = []
    given = payload()
    given["context_window"]["current_usage"] = None
    for key in ("rate_limits", "prompt_cache"):
        del given[key]
    everything = "".join(f"{{{name}}}" for name in SEGMENTS)
    line("--format", everything, given=given, known=numbers(complete=False, session=None), reasons=reasons)
    assert reasons == []


# --- the log -----------------------------------------------------------------------------------------------------


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    return {"CCUSAGE_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)}


def logged(state: dict[str, str]) -> list[str]:
    return Path(statuslog.path(state)).read_text().splitlines()


def test_the_log_holds_a_reason_once_and_is_ours_alone(state: dict[str, str]) -> None:
    statuslog.note(state, ["a: missing", "b: absurd"], NOW)
    statuslog.note(state, ["c: missing"], NOW)
    statuslog.note(state, ["a: missing", "b: absurd"], NOW + HOUR)
    assert logged(state) == ["2026-11-23T06:20:20Z a: missing; b: absurd", "2026-11-23T06:20:20Z c: missing"]
    if sys.platform != "win32":
        assert Path(statuslog.path(state)).stat().st_mode & 0o777 == 0o600
        assert Path(statuslog.path(state)).parent.stat().st_mode & 0o777 == 0o700


def test_nothing_to_say_writes_no_log(state: dict[str, str]) -> None:
    statuslog.note(state, [], NOW)
    assert not Path(state["CCUSAGE_STATE_DIR"]).exists()


def test_the_log_loses_its_older_half_before_it_is_too_large(state: dict[str, str]) -> None:
    sizes = []
    for number in range(400):
        statuslog.note(state, [f"reason {number}: {'x' * 400}"], NOW)
        sizes.append(Path(statuslog.path(state)).stat().st_size)
    assert max(sizes) <= statuslog.LIMIT
    lines = logged(state)
    numbers_kept = [int(line.split()[2].rstrip(":")) for line in lines]
    assert numbers_kept == list(range(400 - len(lines), 400))
    assert len(lines) > 50
    assert [path.name for path in Path(statuslog.path(state)).parent.iterdir()] == ["statusline.log"]


def test_a_log_that_can_not_be_written_is_no_failure(tmp_path: Path, state: dict[str, str]) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    statuslog.note(state, ["a: missing"], NOW)
    assert (tmp_path / "state").read_text() == "a file where the folder should be"


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path, state: dict[str, str]) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "state").mkdir()
    Path(statuslog.path(state)).symlink_to(target)
    statuslog.note(state, ["a: missing"], NOW)
    assert target.read_text() == "precious"


def test_a_long_or_odd_reason_is_one_short_line(state: dict[str, str]) -> None:
    statuslog.note(state, ["x\n\x1b" + "y" * 10_000], NOW)
    assert logged(state) == ["2026-11-23T06:20:20Z x??" + "y" * 497]
