"""The command compared with the truth: the server's ledger, a plain full parse of public transcripts, bug reports."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conftest import SHARED, Home

CLIENT = sorted((SHARED / "corpus").glob("client*/*/"))
PUBLIC = sorted(path for path in (SHARED / "corpus" / "public").glob("*") if path.is_dir())
REPORTED = sorted(path for path in (SHARED / "corpus" / "reported").glob("*") if path.is_dir())
KINDS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
CONTRACTED = "n12_model_pricing"  # its client paid other rates than the list's
ITERATIONS = "n23_iterations"  # its ledger prices only top levels, so the client's own total is the truth
OPUS, SONNET = "claude-opus-4-8", "claude-sonnet-4-6"
RIGHT: dict[str, tuple[tuple[int, int, int, int], int, dict[str, float]]] = {  # tokens, responses, dollars by model
    "advisor-at-standard-speed": ((1020, 2100, 3000, 4100), 2, {OPUS: 0.08105}),
    "context-of-the-last-iteration": ((30, 900, 0, 300_000), 1, {"claude-sonnet-4-5": 0.12359}),
    "copy-that-lost-its-requestid": ((1000, 100, 0, 0), 1, {SONNET: 0.0045}),
    "declined-attempt-is-billed": ((4, 1800, 10_000, 150_000), 2, {"claude-fable-5": 0.22502, OPUS: 0.07001}),
    "estimate-then-count-without-requestid": ((11_432, 350, 0, 0), 1, {SONNET: 0.039546}),
    "file-name-is-an-id": ((1000, 100, 0, 0), 1, {SONNET: 0.0045}),
    "fork-copies-without-requestid": ((1000, 100, 0, 0), 1, {SONNET: 0.0045}),
    "model-name-in-another-order": ((1_000_000, 0, 0, 0), 1, {"anthropic/claude-4.6-opus-20260205": 5}),
    "paused-responses-are-billed": ((27, 800, 3100, 23_500), 2, {"claude-opus-5-5": 0.036308}),
    "synthetic-opens-no-block": ((100_000, 1000, 0, 0), 1, {SONNET: 0.315}),
}


def report(home: Home, *args: str) -> Any:
    ran = home.run("session", "--json", "--offline", *args)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def folder(name: str) -> Path:
    """Return the folder of the inputs from bug reports."""
    if not SHARED.is_dir():
        pytest.skip(f"no corpora at {SHARED}")
    return SHARED / "corpus" / "reported" / name


def settle(home: Home, source: Path) -> None:
    shutil.copytree(source / "projects", home.projects, dirs_exist_ok=True)


def ledger(source: Path) -> dict[str, Counter[str]]:
    """Return what the server billed for requests that are in a transcript, and what it had reported of those it cut."""
    expected = json.loads((source / "expected.json").read_text())
    held = "".join(path.read_text(errors="replace") for path in (source / "projects").rglob("*.jsonl"))
    sessions: dict[str, Counter[str]] = {}
    for request in expected["requests"]:
        if request["kind"] in ("compact", "other") or str(request["request_id"]) not in held:
            continue
        tokens = request["billed"] or request["seen_by_client_before_cutoff"]
        if tokens is None:
            continue
        sums = sessions.setdefault(request["session_id"], Counter())
        sums.update(
            inputTokens=tokens["input"],
            outputTokens=tokens["output"],
            cacheCreationTokens=tokens["cache_write"],
            cacheReadTokens=tokens["cache_read"],
            cut=request["billed"] is None,
        )
        sums["cost"] += request.get("cost_usd") or 0  # type: ignore[assignment]
    if source.name == ITERATIONS:
        for report in expected["client_reports"]:
            sessions[report["session_id"]]["cost"] = report["total_cost_usd"]
    return sessions


def test_the_corpora_are_where_tests_look_for_them() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no corpora at {SHARED}")
    assert {path.parent.name for path in CLIENT} == {"client", "client-2.1.240", "client-2.1.332"}
    assert PUBLIC
    assert {path.name for path in REPORTED} == RIGHT.keys()


@pytest.mark.parametrize("source", CLIENT, ids=lambda path: path.name)
def test_every_session_of_the_client_has_the_tokens_and_cost_of_the_servers_ledger(home: Home, source: Path) -> None:
    settle(home, source)
    truth = ledger(source)
    found = {row["sessionId"]: row for row in report(home)["sessions"]}
    assert found.keys() == truth.keys()
    for name, sums in truth.items():
        row = found[name]
        assert {kind: row[kind] for kind in KINDS} == {kind: sums[kind] for kind in KINDS}
        assert row["incompleteResponses"] == sums["cut"]
        if not sums["cut"] and not row["unpricedModels"] and source.name != CONTRACTED:
            assert row["totalCost"] == pytest.approx(sums["cost"], abs=1e-9)


@pytest.mark.parametrize("source", REPORTED, ids=lambda path: path.name)
def test_every_reported_bug_is_fixed(home: Home, source: Path) -> None:
    tokens, responses, dollars = RIGHT[source.name]
    settle(home, source)

    (row,) = report(home)["sessions"]

    assert (row["sessionId"], row["unpricedModels"]) == ("s1", [])
    assert (tuple(row[kind] for kind in KINDS), row["responses"], row["incompleteResponses"]) == (tokens, responses, 0)
    assert row["totalCost"] == pytest.approx(sum(dollars.values()), abs=1e-9)
    assert {part["modelName"]: part["totalCost"] for part in row["modelBreakdowns"]} == pytest.approx(dollars, abs=1e-9)


@pytest.mark.parametrize("name", ["my-file", "my-file.jsonl"])
def test_a_transcripts_file_name_is_an_id(home: Home, name: str) -> None:
    settle(home, folder("file-name-is-an-id"))

    row = report(home, "--id", name)

    assert (row["inputTokens"], row["outputTokens"], row["totalCost"]) == (1000, 100, 0.0045)


def test_the_context_is_that_of_the_last_iteration(home: Home) -> None:
    source = folder("context-of-the-last-iteration")
    settle(home, source)
    payload = {
        "session_id": "s1",
        "transcript_path": str(home.projects / "p" / "s1.jsonl"),
        "model": {"id": "claude-sonnet-4-5", "display_name": "Sonnet 4.5"},
    }
    assert report(home)["sessions"]

    ran = home.run("statusline", "--no-color", input=json.dumps(payload))

    assert "110,010 (55%)" in ran.out


@pytest.mark.parametrize("source", PUBLIC, ids=lambda path: path.name)
def test_public_transcripts_equal_a_plain_full_parse(home: Home, source: Path) -> None:
    settle(home, source)
    expected = json.loads((source / "expected-oracle.json").read_text())
    oracle = expected["files"]
    truth: Counter[tuple[str, str]] = Counter()
    for policies in oracle.values():
        for model, sums in policies["d"].items():
            for kind, name in zip(KINDS, ("input", "output", "cache_creation", "cache_read"), strict=True):
                truth[model, kind] += sums[name]
    found: Counter[tuple[str, str]] = Counter()
    for row in report(home)["sessions"]:
        for part in row["modelBreakdowns"]:
            for kind in KINDS:
                found[part["modelName"], kind] += part[kind]
    assert +found == +truth
    (bad,) = re.findall(r"lines that can't be read +(\d+)\n", home.run("index", "status").out)
    assert int(bad) == expected["stats"]["bad_lines"]
