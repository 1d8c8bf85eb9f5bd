"""Every call that the real client made, at the moment it made it; and the cases that other versions were run on."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ccusage_line import blocks, payload, prices
from ccusage_line.index import Index
from ccusage_line.statusline import FALLBACK, Numbers, forgiving_options, parse_options, render

SHARED = Path(os.environ.get("CCUSAGE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
SCENARIOS = sorted(path.parent for path in (SHARED / "corpus" / "client").glob("*/statusline"))
CASES = SHARED / "conformance" / "upstream-cases.json"
SECOND = 1_000_000
LAG = 0.1  # seconds: appends were noted by a watcher that looked 20 times a second


class Call(NamedTuple):
    name: str
    payload: dict[str, Any]
    line: str
    numbers: Numbers
    bare: dict[str, str]  # segments by name, without colours


def calls(scenario: Path, state: Path) -> Iterator[Call]:
    """The calls of a scenario in order, each over the transcripts as they were then."""
    projects = state / "claude" / "projects"
    projects.mkdir(parents=True)
    index = Index(str(state / "index"), [str(projects)])
    try:
        for file in sorted((scenario / "statusline").glob("*.meta.json")):
            meta = json.loads(file.read_text())
            given = payload.parse(file.with_name(file.name.replace(".meta", "")).read_bytes())
            assert isinstance(given, dict)
            grow(scenario, projects, meta, given)
            index.refresh()
            now = int(meta["started"] * SECOND)
            numbers = numbers_of(index, given["session_id"], now)
            options = parse_options(["--no-color"])
            assert options is not None
            line = render(given, numbers, options, meta["env"], now)
            yield Call(file.name, given, line, numbers, segments(given, numbers, meta["env"], now))
    finally:
        index.close()


def grow(scenario: Path, projects: Path, meta: dict[str, Any], given: dict[str, Any]) -> None:
    """Copy as much of each transcript as had been written when the client called."""
    sizes: dict[str, int] = {}
    for when, name, _, size in json.loads((scenario / "file_events.json").read_text())["events"]:
        if when <= meta["started"] + LAG:
            sizes[name] = sizes.get(name, 0) + size
    own = f"{Path(given['transcript_path']).parent.name}/{given['session_id']}.jsonl"
    if meta.get("transcript_size"):
        sizes[own] = meta["transcript_size"]
    for name, size in sizes.items():
        source = scenario / "projects" / name
        if source.is_file():
            (projects / name).parent.mkdir(parents=True, exist_ok=True)
            (projects / name).write_bytes(source.read_bytes()[:size])


def numbers_of(index: Index, session: str, now: int) -> Numbers:
    entries = [entry for found in index.sessions() for entry in index.session(found.id, entries=True).entries or []]  # type: ignore[union-attr]
    moments = sorted((entry.timestamp, entry.cost, entry.input + entry.output) for entry in entries)
    return Numbers(
        session=index.session(session),
        today=blocks.today(moments, now, blocks.day_start(now, "UTC")),
        block=blocks.block(moments, now, None),
        complete=index.complete,
    )


def segments(given: dict[str, Any], numbers: Numbers, environ: dict[str, str], now: int) -> dict[str, str]:
    found = {}
    for name in ("session_cost", "context"):
        options = parse_options(["--no-color", "--format", f"<{{{name}}}>"])
        assert options is not None
        found[name] = render(given, numbers, options, environ, now)[1:-1]
    return found


def money(dollars: float) -> str:
    cents = (round(dollars * 10**12) + 5 * 10**9) // 10**10
    return f"${cents // 100}.{cents % 100:02d}"


@pytest.fixture(params=SCENARIOS or [None], ids=lambda path: path.name if path else "no-corpus")
def scenario(request: pytest.FixtureRequest) -> Path:
    if request.param is None:
        pytest.skip(f"no corpus in {SHARED}")
    found = request.param
    assert isinstance(found, Path)
    return found


def test_every_call_of_the_client_gets_its_line(scenario: Path, tmp_path: Path) -> None:
    made = list(calls(scenario, tmp_path))
    assert made
    for call in made:
        usage = call.payload["context_window"]["current_usage"]
        theirs = call.payload["cost"]["total_cost_usd"]
        ours = call.numbers.session.cost / 10**12 if call.numbers.session else 0.0
        assert call.bare["session_cost"] == money(max(ours, theirs)), call.name
        assert call.line.startswith(f"🤖 Sonnet 5.5 | 💰 {money(max(ours, theirs))} session / $"), call.name
        tokens = sum(usage[kind] for kind in usage if kind != "output_tokens") if usage else 0
        if tokens:
            percent = call.payload["context_window"]["used_percentage"]
            window = call.payload["context_window"]["context_window_size"]
            assert call.bare["context"] == f"{tokens:,} ({tokens * 100 // window}%)", call.name
            assert abs(tokens * 100 / window - percent) <= 0.5  # the client rounds to the nearest
        else:
            assert call.bare["context"] == "", call.name
        assert len(call.line) <= 140 - 4


# How ours and the client's own total differ, by what happened: nothing; requests that stand in no transcript; aborted
# responses, which the client estimates; a client that was killed and forgot.
DIFFERENCE = {"t01_basic": "none", "t02_compact": "client", "t05_abort": "client", "t15_tui_killed": "ours"}


def test_ours_and_the_clients_total_differ_as_is_known(scenario: Path, tmp_path: Path) -> None:
    made = list(calls(scenario, tmp_path))
    known = [(c.numbers.session.cost / 10**12, c.payload["cost"]["total_cost_usd"]) for c in made if c.numbers.session]
    differences = [round(ours - theirs, 9) for ours, theirs in known]
    assert known
    if DIFFERENCE[scenario.name] == "none":
        assert set(differences) == {0.0}
    elif DIFFERENCE[scenario.name] == "client":
        assert min(differences) < 0
        assert max(differences) <= 0
    else:
        assert differences[0] == 0
        assert differences[-1] > 0.028  # what was spent before the kill
        assert made[-1].bare["session_cost"] == money(known[-1][0])


def test_before_the_first_response_nothing_is_spent(scenario: Path, tmp_path: Path) -> None:
    first, *_ = calls(scenario, tmp_path)
    assert first.numbers.session is None
    assert first.line == "🤖 Sonnet 5.5 | 💰 $0.00 session / $0.00 today"


# --- the cases of other versions ---------------------------------------------------------------------------------


def cases() -> dict[str, dict[str, Any]]:
    if not CASES.is_file():
        return {}
    found = json.loads(CASES.read_text())["cases"]
    return {case["name"]: case for case in found if case["name"].startswith("statusline_")}


KNOWN_CASES = cases()
COST, CONTEXT = "💰 $1.23 session / $0.00 today", "🧠 65,500 (32%)"
USUAL = f"🤖 Opus 4.5 | {COST} | {CONTEXT}"

# Where our line is not that of 20.0.24 with its two habits taken off (a negative zero, "No active block") and its
# percentage rounded down: what we say, and why.
DELIBERATE = {
    "whitespace_stdin": FALLBACK,  # never an error, never an empty line
    "no_session_id": USUAL,  # the transcript's name or the environment says which session it is
    "cost_source_cc_no_cost_field": f"🤖 Opus 4.5 | 💰 $0.00 today | {CONTEXT}",  # no "N/A": a part without data goes
    "cost_total_null": USUAL.replace("$1.23", "$0.26"),  # null is missing
    "cost_zero": USUAL.replace("$1.23", "$0.26"),  # the larger of both: a client that forgot says 0
    "unknown_session": "🤖 Opus 4.5 | 💰 $0.00 session / $0.00 today",
    "transcript_missing": f"🤖 Opus 4.5 | {COST}",
    # total_input_tokens was the sum of the session in clients before 2.1.132: not the context
    "context_window_total_input": USUAL,
    "context_window_null_current_usage": USUAL,  # the transcript knows more than "no call yet in this process"
    "context_window_null_totals": USUAL,
    "context_over_100": USUAL,
    "context_size_zero": USUAL,
    "force_color_mid": USUAL.replace("32%", "\x1b[32m32%\x1b[0m"),
    "force_color_high": USUAL.replace("32%", "\x1b[32m32%\x1b[0m"),
    "threshold_over_100": USUAL,  # a bad value leaves the default
    "refresh_not_number": USUAL,
    "visual_burn_rate_bad": USUAL,
    "unknown_flag": USUAL,
    "synthetic_last_line": USUAL,
    "upstream_test_transcript": f"🤖 Opus 4.5 | {COST}",  # that transcript lies outside every data directory
}


@pytest.mark.parametrize("name", KNOWN_CASES or [None])
def test_a_case_gets_the_numbers_of_other_versions_or_a_known_other_line(name: str | None, tmp_path: Path) -> None:
    if name is None:
        pytest.skip(f"no cases in {SHARED}")
    case = KNOWN_CASES[name]
    for file, content in case["files"].items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(content)
    index = Index(str(tmp_path / "state"), [str(tmp_path / "projects")])
    index.refresh()
    given = payload.parse(case["stdin"].replace("<DIR>", str(tmp_path)).encode())
    numbers = case_numbers(index, given)
    options = forgiving_options(shlex.split(case["command"])[2:])
    line = render(given, numbers, options, case["env"], 1_795_000_000 * SECOND)
    index.close()
    assert line == DELIBERATE.get(name.removeprefix("statusline_")) or line == as_we_say_it(case), name


def case_numbers(index: Index, given: object) -> Numbers:
    """What the index knows, half a year after the responses of the cases: none is of today."""
    path = Path(payload.transcript_path(given) or "")
    session = payload.session_id(given, {}) or path.stem
    main = [line for line in lines_of(path) if not line.get("isSidechain")]
    main = [line for line in main if line["message"].get("model") != "<synthetic>"]
    last = main[-1]["message"] if main and index.session(path.stem) else None
    return Numbers(
        session=index.session(session) if given is not None else None,
        today=0 if given is not None else None,
        complete=True,
        last_context=None if last is None else (prompt_of(last["usage"]), last["model"]),
    )


def lines_of(path: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    return [line for line in found if line.get("type") == "assistant"]


def prompt_of(usage: dict[str, int]) -> int:
    return sum(usage.get(f"{kind}input_tokens", 0) for kind in ("", "cache_creation_", "cache_read_"))


def as_we_say_it(case: dict[str, Any]) -> str:
    """What 20.0.24 printed, in our words."""
    text = case["expected"]["v20.0.24"]["stdout"].rstrip("\n")
    text = text.replace("$-0.00", "$0.00").replace(" / No active block", "")
    return re.sub(r"([\d,]+) \(\d+%\)", lambda found: f"{found[1]} ({percent(found[1])}%)", text)


def percent(tokens: str) -> int:
    price = prices.table().find("claude-opus-4-5-20251101")
    assert price is not None
    assert price.window
    return int(tokens.replace(",", "")) * 100 // price.window


def test_no_difference_is_claimed_that_there_is_not() -> None:
    if not KNOWN_CASES:
        pytest.skip(f"no cases in {SHARED}")
    assert {f"statusline_{name}" for name in DELIBERATE} <= set(KNOWN_CASES)
    assert [name for name, line in DELIBERATE.items() if line == as_we_say_it(KNOWN_CASES[f"statusline_{name}"])] == []
