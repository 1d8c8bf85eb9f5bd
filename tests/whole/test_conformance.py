"""Case by case: the numbers of ccusage 20.0.24, or a difference that docs/differences.md names and explains."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from test_report_cases import CASES as OF_REPORTS
from test_report_cases import placed, put

from conftest import ROOT, SHARED, Home, Ran

CASES_FILE = SHARED / "conformance" / "upstream-cases.json"
CASES: dict[str, dict[str, Any]] = (
    {case["name"]: case for case in json.loads(CASES_FILE.read_text())["cases"]} if CASES_FILE.is_file() else {}
)
ORACLE = "v20.0.24"
DOC = ROOT / "docs" / "differences.md"
KINDS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
_NUMBER = re.compile(r"\$?-?\d[\d,]*(?:\.\d+)?")


def rows() -> list[list[str]]:
    """Return the cells of the rows of all tables."""
    lines = [line for line in DOC.read_text().splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if "| why |" not in line]


def named() -> set[str]:
    """Return the cases that the document names."""
    return {word for word in re.findall(r"`([a-z0-9_A-Z]+)`", DOC.read_text()) if word in CASES}


def settle(home: Home, case: dict[str, Any]) -> list[str]:
    """Put a case's files and environment into *home*, and return our command line for it."""
    put(home, case)
    words = [re.sub(r"^/home/\S*/cases/[^/]+", str(home.data), word) for word in case["expected"][ORACLE]["args"]]
    words = [placed(home, word).replace(".session[].period", ".sessions[].sessionId") for word in words]
    if words[:1] == ["claude"]:
        words = words[1:]
    if any(word.startswith("--id") for word in words) and "--json" in words and "--jq" not in words:
        words.append("--entries")
    return words


def sums(row: dict[str, Any], cost: str) -> dict[str, Any]:
    return {**{kind: row[kind] for kind in KINDS}, "cost": row[cost]}


def numbers(value: Any) -> Any:
    """Return what the JSON of both sides says of tokens, costs and sessions."""
    if not isinstance(value, dict):
        return value
    listed = value.get("sessions", value.get("session", value.get("daily")))
    if listed is not None:
        found = {}
        for row in listed:
            models = {model["modelName"]: sums(model, "cost") for model in row["modelBreakdowns"]}
            key = next(row[key] for key in ("sessionId", "period", "date") if key in row)
            found[key] = {**sums(row, "totalCost"), "models": models}
        return found, sums(value["totals"], "totalCost")
    if "entries" in value:
        entries = [[entry["timestamp"][:19], entry["model"], *(entry[k] for k in KINDS)] for entry in value["entries"]]
        return value["sessionId"], value["totalCost"], value["totalTokens"], sorted(entries)
    return value


def alike(ours: Any, theirs: Any) -> bool:
    """Return whether two values are equal, apart from the last bits of a float."""
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(alike(ours[key], theirs[key]) for key in ours)
    return bool(ours == theirs)


def total_row(text: str) -> set[str]:
    """Return the numbers of a table's last row."""
    lines = [line for line in text.splitlines() if re.match(r"[│|] ?Total\b", line)]
    return set(_NUMBER.findall(lines[-1])) if lines else set()


def segments(text: str) -> dict[str, str]:
    """Return the numbers of a statusline by what they are, without the percentage, which is rounded differently."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("$-0.00", "$0.00")
    found = {}
    for name, pattern in (
        ("session", r"(\$[\d.,]+) session"),
        ("today", r"(\$[\d.,]+) today"),
        ("block", r"(\$[\d.,]+) block"),
        ("context", r"🧠 ([\d,]+)"),
    ):
        match = re.search(pattern, plain)
        found[name] = match[1] if match else ""
    return found


def same(ran: Ran, words: list[str], expected: dict[str, Any]) -> bool:
    """Return whether our answer has the numbers of theirs."""
    if ran.code != expected["exit_code"]:
        return False
    if "stdout_json" in expected:
        try:
            return alike(numbers(json.loads(ran.out)), numbers(expected["stdout_json"]))
        except (ValueError, KeyError):
            return False
    if words[0] == "statusline":
        return bool(ran.out.strip()) and segments(ran.out) == segments(expected["stdout"])
    if total_row(expected["stdout"]):
        ours = total_row(ran.out)  # a narrow table has fewer columns
        return bool(ours) and ours <= total_row(expected["stdout"])
    return ran.out.strip() == expected["stdout"].strip()


@pytest.mark.parametrize("name", CASES or [pytest.param("", marks=pytest.mark.skip(f"no cases at {CASES_FILE}"))])
def test_a_case_has_the_numbers_of_ccusage_or_is_named_as_a_difference(home: Home, name: str) -> None:
    case = CASES[name]
    words = settle(home, case)
    if words[0] == "statusline":
        assert home.run("session", "--json").code == 0  # today and block need an index
    ran = home.run(*words, input=case.get("stdin", "").replace("<DIR>", str(home.data)))
    assert "Traceback" not in ran.err
    equal = same(ran, words, case["expected"][ORACLE])
    told = f"{words}\nours: {ran}\ntheirs: {case['expected'][ORACLE]}"
    if name in named():
        assert not equal, f"{name} is named as a difference and is none\n{told}"
    else:
        assert equal, f"{name} is neither equal nor named in {DOC.name}\n{told}"


def test_every_difference_says_why_and_by_which_rule() -> None:
    found = rows()
    assert len(found) > 30
    for row in found:
        assert len(row) in (4, 5), row
        assert all(row[:4]), row


def test_every_named_case_exists() -> None:
    if not CASES:
        pytest.skip(f"no cases at {CASES_FILE}")
    cells = [row[4] for row in rows() if len(row) == 5]
    written = {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}
    assert written <= CASES.keys() | OF_REPORTS.keys()
    assert len(CASES) == 136
