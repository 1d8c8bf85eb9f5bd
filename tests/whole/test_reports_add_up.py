"""All reports of one history have the same totals, their rows add up, and a filter changes no remaining number."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trees
from ccusage_line import cli
from conftest import SHARED

CORPORA = sorted((SHARED / "corpus").glob("*/*/projects"))
KINDS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
OF_BLOCK = (*KINDS[:2], "cacheCreationInputTokens", "cacheReadInputTokens")
Ask = Callable[..., Any]
Sums = tuple[int, int, int, int, float]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Ask:
    """Return a function that returns a command's JSON over any data directory, with its own state directory."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def answer(data: Path, *argv: str) -> Any:
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(data))
        monkeypatch.setenv("CCUSAGE_STATE_DIR", os.path.join(tmp_path, f"state-{data.name}"))
        assert cli.run([*argv, "--json", "--offline"]) == 0
        return json.loads(capfd.readouterr().out)

    return answer


def sums(row: dict[str, Any]) -> Sums:
    """Return four kinds of tokens and the cost, to 1e-8 dollars, because added floats are not more exact."""
    counts = row.get("tokenCounts", row)
    names = OF_BLOCK if "tokenCounts" in row else KINDS
    a, b, c, d = (counts[name] for name in names)
    return a, b, c, d, round(row.get("costUSD", row.get("totalCost")), 8)


def added(rows: Iterable[dict[str, Any]]) -> Sums:
    total: Sums = 0, 0, 0, 0, 0.0
    for row in rows:
        total = tuple(x + y for x, y in zip(total, sums(row), strict=True))  # type: ignore[assignment]
    return total


def rounded(row: dict[str, Any]) -> Sums:
    return (*sums(row)[:4], pytest.approx(sums(row)[4], abs=1e-6))


def check(ask: Ask, data: Path, zone: str, week: str, hours: str) -> None:
    """Check everything that the reports of one history have to agree on."""
    expected = ask(data, "session", "-z", zone)["totals"]
    reports = {
        "daily": ask(data, "daily", "-z", zone),
        "weekly": ask(data, "weekly", "-z", zone, "-w", week),
        "monthly": ask(data, "monthly", "-z", zone),
    }
    for name, report in reports.items():
        assert {key: report["totals"][key] for key in expected} == expected
        assert added(report[name]) == rounded(expected)
        for row in report[name]:
            named, whole = added(row["modelBreakdowns"]), rounded(row)
            assert all(part <= of for part, of in zip(named[:4], whole[:4], strict=True))
            assert row["responses"] >= row["sessions"] > 0
        assert report[name] == sorted(report[name], key=lambda row: str(next(iter(row.values()))))
    blocks = ask(data, "blocks", "-z", zone, "-n", hours)["blocks"]
    assert added(blocks) == rounded(expected)
    assert sum(block["entries"] for block in blocks) == sum(row["responses"] for row in reports["daily"]["daily"])
    for before, block in pairwise(blocks):
        assert before["endTime"] <= block["startTime"]
    by_project = ask(data, "daily", "-i", "-z", zone)
    assert by_project["totals"] == reports["daily"]["totals"]
    assert added(by_project["projectTotals"].values()) == rounded(expected)
    for name, rows in by_project["projects"].items():
        assert added(rows) == rounded(by_project["projectTotals"][name])
    each_day: Counter[str] = Counter()
    for rows in by_project["projects"].values():
        each_day.update({row["date"]: row["totalTokens"] for row in rows})
    assert each_day == {row["date"]: row["totalTokens"] for row in reports["daily"]["daily"]}
    check_filters(ask, data, zone, reports["daily"]["daily"], blocks, hours)


def check_filters(
    ask: Ask, data: Path, zone: str, days: list[dict[str, Any]], blocks: list[dict[str, Any]], hours: str
) -> None:
    """Check that filters do not change what remains."""
    if not days:
        return
    middle = days[len(days) // 2]["date"]
    assert ask(data, "daily", "-z", zone, "--since", middle)["daily"] == days[len(days) // 2 :]
    assert ask(data, "daily", "-z", zone, "--until", middle)["daily"] == days[: len(days) // 2 + 1]
    chosen = ask(data, "blocks", "-z", zone, "-n", hours, "--since", middle)["blocks"]
    assert chosen == blocks[len(blocks) - len(chosen) :]
    of_project = ask(data, "blocks", "-z", zone, "-n", hours, "-p", "/")["blocks"]
    bounds = {block["id"]: block["endTime"] for block in blocks}
    assert all(bounds[block["id"]] == block["endTime"] for block in of_project)


@settings(max_examples=12)
@given(
    tree=trees.trees(),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
    week=st.sampled_from(["sunday", "monday", "saturday"]),
    hours=st.sampled_from(["5", "0.5", "7.25"]),
)
def test_every_history_has_one_total(ask: Ask, tree: trees.Tree, zone: str, week: str, hours: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trees.write_tree(tree, Path(folder))
        check(ask, Path(folder), zone, week, hours)


@pytest.mark.parametrize("source", CORPORA or [None], ids=lambda path: path.parent.name if path else "none")
def test_every_corpus_has_one_total(ask: Ask, source: Path | None) -> None:
    if source is None:
        pytest.skip(f"no corpora at {SHARED}")
    check(ask, source.parent, "Europe/Berlin", "monday", "5")
