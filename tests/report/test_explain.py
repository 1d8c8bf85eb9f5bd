"""What makes Claude Code's own total differ from ours: each reason by itself, and the real client's sessions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import trees
from ccusage_line.index.index import Index
from ccusage_line.prices import table as prices
from ccusage_line.prices.table import PICO
from ccusage_line.report.explain import NAMES, Explanation, as_data, as_text, explain
from conftest import SHARED

CLIENT = SHARED / "corpus" / "client"
SCENARIOS = sorted(path.name for path in CLIENT.iterdir()) if CLIENT.is_dir() else []

SESSION, PARENT = "s-child", "s-parent"
SONNET = "claude-sonnet-5-5"  # costs 2 / 10 dollars per million
COST = 1000 * 2_000_000 + 100 * 10_000_000  # of one response() here, in 1e-12 dollars

Line = dict[str, Any]


def second(number: float) -> str:
    return f"2026-11-23T10:00:{number:06.3f}Z"


def response(number: int, **other: Any) -> Line:
    """Return a response in the given second with 1000 tokens in and 100 out."""
    message = {
        "id": f"msg_{number}",
        "model": other.pop("model", SONNET),
        "stop_reason": other.pop("stop_reason", "end_turn"),
        "content": [{"type": "text", "text": other.pop("text", "done")}],
        "usage": {"input_tokens": 1000, "output_tokens": other.pop("output", 100)},
    }
    line = {"type": "assistant", "timestamp": second(number), "sessionId": SESSION, "requestId": f"req_{number}"}
    return {**line, "message": message, **other}


def total(dollars: float, start: float = 0, **models: tuple[int, int, float]) -> Line:
    """Return a `cost-state`; models are given as (input, output, dollars), with `_` for `-` in their names."""
    usage = {
        name.replace("_", "-"): {"inputTokens": tokens_in, "outputTokens": tokens_out, "costUSD": cost}
        for name, (tokens_in, tokens_out, cost) in models.items()
    }
    milliseconds = 1795428000000 + int(start * 1000)  # 2026-11-23T10:00:00Z
    return {"type": "cost-state", "totalCostUSD": dollars, "startTime": milliseconds, "modelUsage": usage}


def compaction(at: float) -> Line:
    return {"type": "system", "subtype": "compact_boundary", "timestamp": second(at), "sessionId": SESSION}


Explain = Callable[..., Explanation]


@pytest.fixture
def explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Explain]:
    """Yield a function that explains the session with the given lines; `other` maps session ids to their lines."""
    monkeypatch.setenv("CCUSAGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "projects" / "-home-ann"
    folder.mkdir(parents=True)
    opened: list[Index] = []

    def explained(lines: list[Line], other: dict[str, list[Line]] | None = None) -> Explanation:
        for name, content in {SESSION: lines, **(other or {})}.items():
            path = folder / f"{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in content))
        index = Index(str(tmp_path / "index"), [str(tmp_path / "projects")])
        opened.append(index)
        index.refresh()
        session = index.session(SESSION)
        assert session is not None
        return explain(session, index)

    yield explained
    for index in opened:
        index.close()


def amounts(explanation: Explanation) -> dict[str, int]:
    assert len({part.name for part in explanation.parts}) == len(explanation.parts)
    return {part.name: part.amount for part in explanation.parts}


def assert_adds_up(explanation: Explanation) -> None:
    assert explanation.client is not None
    assert explanation.ours + sum(p.amount for p in explanation.parts) + explanation.rest == explanation.client
    assert {part.name for part in explanation.parts} <= set(NAMES)


# --- the real client ---


if not SCENARIOS:

    def test_scenarios_of_the_real_client_are_here() -> None:
        pytest.skip(f"no transcripts of the client at {CLIENT}")


EXPLAINED = {
    "p18_unknown_model": {"unpriced"},
    "p22_fork_with_agents": {"inherited"},
    "t02_compact": {"compaction"},
    "t05_abort": {"aborted"},
    "t15_tui_killed": {"before"},
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_stays_unexplained_in_a_session_of_the_real_client(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCUSAGE_STATE_DIR", str(tmp_path / "state"))
    expected = json.loads((CLIENT / scenario / "expected.json").read_text())
    reported = {report["session_id"]: report["total_cost_usd"] for report in expected["client_reports"]}
    index = Index(str(tmp_path / "index"), [str(CLIENT / scenario / "projects")])
    try:
        index.refresh()
        sessions = index.sessions()
        assert {session.id for session in sessions} == set(expected["by_session"])
        found: set[str] = set()
        for session in sessions:
            explanation = explain(session, index)
            assert_adds_up(explanation)
            assert explanation.rest == 0
            if session.id in reported:
                assert explanation.client == prices.pico(reported[session.id])
            found |= {part.name for part in explanation.parts}
            assert "not explained" not in as_text(explanation, 200)
        assert found == EXPLAINED.get(scenario, set())
        billed_unseen = [r for r in expected["requests"] if r["kind"] == "compact" and r["billed"]]
        if billed_unseen:
            (session,) = sessions
            cost = sum(prices.pico(request["cost_usd"]) for request in billed_unseen)
            (part,) = explain(session, index).parts
            assert (part.amount, part.count) == (cost, len(billed_unseen))
    finally:
        index.close()


# --- each reason by itself ---


def test_equal_totals_need_no_parts(explained: Explain) -> None:
    explanation = explained([response(1), total(COST / PICO)])
    assert (explanation.ours, explanation.client, explanation.parts) == (COST, COST, [])
    assert as_text(explanation, 200).splitlines()[-1].split() == ["difference", "$0.00"]


def test_without_a_total_of_the_client_there_is_nothing_to_compare(explained: Explain) -> None:
    explanation = explained([response(1)])
    assert (explanation.client, explanation.difference, explanation.rest) == (None, 0, 0)
    told = as_data(explanation)
    assert [told[key] for key in ("clientCost", "difference", "notExplained")] == [None] * 3
    assert "has stored no total" in as_text(explanation, 200)
    assert as_data(explanation)["clientCost"] is None


def test_responses_after_the_last_total_are_named(explained: Explain) -> None:
    explanation = explained([response(1), total(COST / PICO), response(2), response(3)])
    assert amounts(explanation) == {"after": -2 * COST}
    assert explanation.parts[0].count == 2
    assert explanation.rest == 0


def test_responses_before_the_count_began_were_lost_with_a_kill(explained: Explain) -> None:
    explanation = explained([response(1), response(5), total(COST / PICO, start=4)])
    assert amounts(explanation) == {"before": -COST}


def test_a_kill_between_two_totals_is_found(explained: Explain) -> None:
    explanation = explained(
        [response(1), total(COST / PICO), response(2, output=500), response(3), total(2 * COST / PICO, start=0)]
    )
    assert amounts(explanation) == {"killed": -(1000 * 2_000_000 + 500 * 10_000_000)}
    assert explanation.rest == 0


def test_an_aborted_response_is_estimated_by_its_utf16_length(explained: Explain) -> None:
    text = "🙂" * 100 + "abcd"  # 204 UTF-16 units, so 68 tokens
    explanation = explained(
        [response(1, stop_reason=None, isAbortedMidStream=True, output=8, text=text), total(1000 * 2e-6 + 68 * 1e-5)]
    )
    assert amounts(explanation) == {"aborted": 60 * 10_000_000}


def test_a_total_written_before_the_aborted_response_was_taken_in_lacks_all_of_it(explained: Explain) -> None:
    cut = response(2, stop_reason=None, isAbortedMidStream=True, output=8, text="x" * 300)
    explanation = explained([response(1), cut, total(COST / PICO)])
    assert amounts(explanation) == {"aborted": -(1000 * 2_000_000 + 8 * 10_000_000)}
    assert "before it counted the last one" in explanation.parts[0].text


def test_a_model_without_a_price_is_the_clients_default_there(explained: Explain) -> None:
    explanation = explained([response(1, model="claude-unheard-of-9"), total(1000 * 4e-6 + 100 * 20e-6)])
    assert amounts(explanation) == {"unpriced": 1000 * 4_000_000 + 100 * 20_000_000}
    assert "claude-unheard-of-9" in explanation.parts[0].text


def test_the_clients_own_word_on_a_model_without_a_price_is_taken_for_the_same_tokens(explained: Explain) -> None:
    explanation = explained([response(1, model="glm-99"), total(0.5, glm_99=(1000, 100, 0.5))])
    assert amounts(explanation) == {"unpriced": PICO // 2}


def test_the_client_prices_the_model_it_asked_for(explained: Explain) -> None:
    explanation = explained([response(1, requestedModel="claude-opus-5-5"), total(1000 * 4e-6 + 100 * 20e-6)])
    assert amounts(explanation) == {"requested": COST}


def copied(line: Line) -> Line:
    return {**line, "requestSessionId": PARENT}


def of_parent(number: int, **other: Any) -> Line:
    return response(number, **{"sessionId": PARENT, **other})


def test_a_fork_starts_with_its_parents_total(explained: Explain) -> None:
    parent = [of_parent(1), total(COST / PICO), of_parent(7), total(2 * COST / PICO)]
    explanation = explained([copied(response(1)), response(5), total(2 * COST / PICO)], {PARENT: parent})
    assert explanation.ours == COST
    assert amounts(explanation) == {"inherited": COST}
    assert PARENT in explanation.parts[0].text


def test_a_branch_that_starts_at_zero_inherits_nothing(explained: Explain) -> None:
    parent = [of_parent(1), total(COST / PICO)]
    explanation = explained([copied(response(1)), response(5), total(COST / PICO)], {PARENT: parent})
    assert (explanation.difference, explanation.parts) == (0, [])


def test_a_fork_with_a_compaction_has_both_parts(explained: Explain) -> None:
    parent = [of_parent(1), total(COST / PICO, claude_sonnet_5_5=(1000, 100, COST / PICO))]
    summary = 3000 * 2_000_000 + 700 * 10_000_000
    client = (2 * COST + summary) / PICO
    lines = [copied(response(1)), response(5), compaction(6), total(client, claude_sonnet_5_5=(5000, 900, client))]
    explanation = explained(lines, {PARENT: parent})
    assert amounts(explanation) == {"inherited": COST, "compaction": summary}
    assert "3,000 tokens in, 700 out" in explanation.parts[1].text


def test_requests_of_a_model_that_no_response_names_are_the_clients_own(explained: Explain) -> None:
    client = COST / PICO + 0.0007
    lines = [
        response(1),
        compaction(2),
        total(client, claude_sonnet_5_5=(1000, 100, COST / PICO), claude_haiku_5_5=(500, 20, 0.0007)),
    ]
    explanation = explained(lines)
    assert amounts(explanation) == {"helper": 700_000_000}
    assert "claude-haiku-5-5" in explanation.parts[0].text


def test_without_a_compaction_more_tokens_than_recorded_are_requests_of_the_clients_own(explained: Explain) -> None:
    client = (COST + 10 * 2_000_000) / PICO
    explanation = explained([response(1), total(client, claude_sonnet_5_5=(1010, 100, client))])
    assert amounts(explanation) == {"helper": 20_000_000}


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(total(9.0), id="nothing-said-of-models"),
        pytest.param(total(9.0, claude_sonnet_5_5=(1010, 100, 9.0)), id="tokens-that-cost-something-else"),
        pytest.param(total(9.0, claude_sonnet_5_5=(10, 100, 9.0)), id="fewer-tokens-than-recorded"),
        pytest.param(total(0.000001), id="less-than-recorded"),
        pytest.param({**total(9.0), "modelUsage": [1], "startTime": "soon"}, id="fields-of-other-types"),
    ],
)
def test_what_has_no_exact_reason_is_said_to_be_not_explained(explained: Explain, last: Line) -> None:
    explanation = explained([response(1), compaction(1.5), last])
    assert explanation.parts == []
    assert explanation.rest == prices.pico(last["totalCostUSD"]) - COST
    assert "not explained" in as_text(explanation, 200)


def test_a_fork_whose_parent_is_gone_is_not_explained(explained: Explain) -> None:
    explanation = explained([copied(response(1)), response(5), total(2 * COST / PICO)])
    assert (explanation.parts, explanation.rest) == ([], COST)


def test_a_transcript_that_is_gone_is_not_explained(explained: Explain, tmp_path: Path) -> None:
    explained([response(1), total(1.0)])
    os.unlink(tmp_path / "projects" / "-home-ann" / f"{SESSION}.jsonl")
    index = Index(str(tmp_path / "index"), [str(tmp_path / "projects")])
    index.refresh()
    session = index.session(SESSION)
    assert session is not None
    explanation = explain(session, index)
    index.close()
    assert (explanation.client, explanation.parts, explanation.rest) == (PICO, [], PICO - COST)


def test_the_clients_sums_of_floats_may_be_off_by_a_hair(explained: Explain) -> None:
    explanation = explained([response(1), total(COST / PICO + 3e-11)])
    assert amounts(explanation) == {"rounding": 30}
    assert explanation.rest == 0


def test_aborts_in_a_subagents_transcript_count_too(explained: Explain) -> None:
    agent = response(2, isSidechain=True, stop_reason=None, isAbortedMidStream=True, output=1, text="x" * 30)
    client = (COST + 1000 * 2_000_000 + 10 * 10_000_000) / PICO
    explanation = explained(
        [response(1), response(3), total(client + COST / PICO)], {f"{SESSION}/subagents/agent-1": [agent]}
    )
    assert amounts(explanation) == {"aborted": 9 * 10_000_000}


@pytest.mark.parametrize("seed", range(16))
def test_whatever_transcripts_hold_the_parts_add_up(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCUSAGE_STATE_DIR", str(tmp_path / "state"))
    files = trees.seeded_tree(seed)
    odd = [
        total(0.01 * (seed % 7), start=-9),
        {
            **total(0.5),
            "startTime": float("inf"),
            "modelUsage": {"x": 3, SONNET: {"inputTokens": True, "costUSD": "a"}},
        },
        {**compaction(1), "timestamp": [seed]},
        {"type": "assistant", "isAbortedMidStream": True, "message": {"content": [3, {"text": 5}], "usage": {}}},
        response(3, stop_reason=None, isAbortedMidStream=True, requestedModel="claude-opus-5", text="\ud800"),
    ]
    lines = [json.dumps(line).encode() for line in odd[seed % 2 :]]
    written = {name: b"\n".join((content.rstrip(b"\n"), *lines, b"")) for name, content in files.items()}
    trees.write_tree({"-p/s-odd.jsonl": b"\n".join((*lines, b"")), **written}, tmp_path)
    index = Index(str(tmp_path / "index"), [str(tmp_path / "projects")])
    try:
        index.refresh()
        told = [explain(session, index) for session in index.sessions()]
        assert told
        for explanation in told:
            assert as_text(explanation, 200)
            json.dumps(as_data(explanation), allow_nan=False)
            if explanation.client is not None:
                assert_adds_up(explanation)
    finally:
        index.close()


def test_data_and_text_hold_the_same_amounts(explained: Explain) -> None:
    explanation = explained([response(1), total(COST / PICO), response(2), {**response(3), "note": "x"}])
    data = as_data(explanation)
    assert json.loads(json.dumps(data)) == {
        "sessionId": SESSION,
        "totalCost": 3 * COST / PICO,
        "clientCost": COST / PICO,
        "difference": -2 * COST / PICO,
        "parts": [{"name": "after", "amount": -2 * COST / PICO, "count": 2, "text": explanation.parts[0].text}],
        "notExplained": 0.0,
    }
    assert as_text(explanation, 200) == (
        "cost         $0.009  of the responses in its transcripts\n"
        "Claude Code  $0.003  its own total\n"
        "difference  -$0.006  which comes from\n"
        "            -$0.006  2 responses after Claude Code last saved its total\n"
    )
    assert as_text(explanation, 50).endswith(
        "            -$0.006  2 responses after Claude Code\n                     last saved its total\n"
    )
    for width in range(20, 100):
        assert max(map(len, as_text(explanation, width).splitlines())) <= width


def test_names_from_transcripts_are_harmless_on_a_screen(explained: Explain) -> None:
    explanation = explained([response(1, model="evil\x1b[31m\u202e\nmodel"), total(0.006)])
    assert explanation.parts
    assert "\x1b" not in as_text(explanation, 200)
    assert len(as_text(explanation, 200).splitlines()) == 4
