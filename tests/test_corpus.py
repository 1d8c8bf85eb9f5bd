"""The command against the truth: the server's own ledger, and a plain full parse of public transcripts."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conftest import SHARED, Home

CLIENT = sorted((SHARED / "corpus" / "client").glob("*")) if SHARED.is_dir() else []
PUBLIC = sorted((SHARED / "corpus" / "public").glob("*")) if SHARED.is_dir() else []
KINDS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")


def report(home: Home, *args: str) -> Any:
    ran = home.run("session", "--json", "--offline", *args)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def settle(home: Home, source: Path) -> None:
    shutil.copytree(source / "projects", home.projects, dirs_exist_ok=True)


def ledger(source: Path) -> dict[str, Counter[str]]:
    """What the server billed for requests that stand in a transcript, and what it had told of those it cut."""
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
    return sessions


def test_the_corpora_are_where_tests_look_for_them() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no corpora at {SHARED}")
    assert CLIENT
    assert PUBLIC


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
        if not sums["cut"] and not row["unpricedModels"]:
            assert row["totalCost"] == pytest.approx(sums["cost"], abs=1e-6)


@pytest.mark.parametrize("source", [*CLIENT, *PUBLIC], ids=lambda path: path.name)
def test_a_row_of_the_list_is_the_session_alone_is_the_sum_of_its_entries(home: Home, source: Path) -> None:
    settle(home, source)
    listed = report(home)
    for row in listed["sessions"]:
        alone = report(home, "--id", row["sessionId"])
        assert alone == row
        entries = report(home, "--id", row["sessionId"], "--entries")["entries"]
        assert len(entries) == row["responses"]
        for kind in KINDS:
            assert sum(entry[kind] for entry in entries) == row[kind]
        assert sum(entry["costUSD"] for entry in entries) == pytest.approx(row["totalCost"], abs=1e-9)
        assert [entry["timestamp"] for entry in entries] == sorted(entry["timestamp"] for entry in entries)
    for key in (*KINDS, "totalTokens"):
        assert listed["totals"][key] == sum(row[key] for row in listed["sessions"])


@pytest.mark.parametrize("source", PUBLIC, ids=lambda path: path.name)
def test_public_transcripts_equal_a_plain_full_parse(home: Home, source: Path) -> None:
    settle(home, source)
    oracle = json.loads((source / "expected-oracle.json").read_text())["files"]
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
