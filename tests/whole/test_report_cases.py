"""The reports by time, case by case: each gives the wanted numbers, and docs/differences.md names what differs."""

from __future__ import annotations

import json
import math
import re
import shlex
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ccusage_line.report.grid import money
from ccusage_line.text import display_width
from conftest import ROOT, SHARED, Home, Ran, run_at

CASES_FILE = SHARED / "conformance" / "report-cases.json"
CASES: dict[str, dict[str, Any]] = (
    {case["name"]: case for case in json.loads(CASES_FILE.read_text())["cases"]} if CASES_FILE.is_file() else {}
)
DOC = (ROOT / "docs" / "differences.md").read_text()
REFUSED = {  # options that we do not have, or not in this spelling
    "daily_no_cost",
    "daily_project_aliases",
    "daily_locale_table",
    "daily_config_file",
}
NUMBER = re.compile(r"[$\d][\d,.]*")


def run(home: Home, case: dict[str, Any], command: str, *more: str) -> Ran:
    """Run one command of a case at the case's own time."""
    argv = [*shlex.split(command.replace("<DIR>", str(home.data)))[1:], *more]
    given = case.get("stdin", "").replace("<DIR>", str(home.data))
    if "now" not in case:
        return home.run(*argv, input=given)
    now = datetime.strptime(case["now"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return run_at(home, int(now.timestamp()) * 10**9, *argv, input=given)


def placed(home: Home, text: str) -> str:
    """Return a text of a case with the paths filled in that it leaves open."""
    return text.replace("<DIR>", str(home.data)).replace("<empty dir>", str(home.path))


def put(home: Home, case: dict[str, Any]) -> None:
    """Put a case's files and environment into *home*."""
    home.projects.rmdir()
    for name, text in case["files"].items():
        path = home.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(placed(home, text), encoding="utf-8")
    if "config_file" in case:
        Path(placed(home, case["config_file"]["path"])).write_text(case["config_file"]["text"])
    home.env |= {name: placed(home, value) for name, value in case["env"].items()}


def settle(home: Home, case: dict[str, Any]) -> None:
    """Put the case's files and environment into *home*, and do what the case wants done before."""
    put(home, case)
    for step in case.get("before", ()):
        if "command" in step:
            assert run(home, step, step["command"]).code == 0
        for name in step.get("remove", ()):
            (home.data / name).unlink()


def diff(ours: Any, wanted: Any, place: str = "") -> list[str]:
    """Return the places where *ours* differs from *wanted*; keys that *wanted* does not have do not matter."""
    if isinstance(wanted, dict) and isinstance(ours, dict):
        missing = [f"{place}.{key}: missing" for key in wanted.keys() - ours.keys()]
        missing += [f"{place}: more" for _ in (ours.keys() - wanted.keys() if place == ".projects" else ())]
        return missing + [m for key in wanted.keys() & ours for m in diff(ours[key], wanted[key], f"{place}.{key}")]
    if isinstance(wanted, list) and isinstance(ours, list) and len(wanted) == len(ours):
        return [m for n, pair in enumerate(zip(ours, wanted, strict=True)) for m in diff(*pair, f"{place}[{n}]")]
    if isinstance(wanted, float) or isinstance(ours, float):
        same = math.isclose(ours, wanted, rel_tol=1e-9, abs_tol=1e-9)
    else:
        same = (type(ours), ours) == (type(wanted), wanted)
    return [] if same else [f"{place}: {ours!r}, wanted {wanted!r}"]


def shown_total(text: str) -> set[str]:
    """Return the numbers of the table's last row, percentages apart."""
    lines = [line for line in text.splitlines() if re.match(r"[│ ]*(\x1b\[\d+m)*Total\b", line)]
    return set(NUMBER.findall(re.sub(r"\x1b\[\d+m", "", lines[-1]))) if lines else set()


def numbers_of(data: dict[str, Any]) -> set[str]:
    """Return the totals of a report's JSON as its table shows them."""
    rows = data.get("blocks", [data.get("totals", {})])
    costs = [row.get("costUSD", row.get("totalCost", 0)) for row in rows]
    counts = [{**row, **row.get("tokenCounts", {})} for row in rows]
    names = {name for each in counts for name in each if name.endswith("Tokens")}
    sums = [sum(each.get(name, 0) for each in counts) for name in names]
    return {f"{number:,}" for number in sums} | {money(round(sum(costs) * 10**12))}


@pytest.mark.parametrize("name", CASES or [pytest.param("", marks=pytest.mark.skip(f"no cases at {CASES_FILE}"))])
def test_a_case_gives_what_is_wanted_of_it(home: Home, name: str) -> None:
    case = CASES[name]
    settle(home, case)
    ran = run(home, case, case["command"])
    assert "Traceback" not in ran.err
    wanted = case.get("ours", {"exit_code": 2 if name in REFUSED else 0})
    assert ran.code == wanted["exit_code"], ran
    if ran.code:
        assert (ran.out, ran.err.count("\n")) == ("", 1) or "--jq" in ran.err
    elif "json" in wanted:
        assert diff(json.loads(ran.out), wanted["json"]) == []
    elif not {"--json", "--jq", "statusline"} & set(case["command"].split()):
        lines = [re.sub(r"\x1b\[\d+m", "", line) for line in ran.out.splitlines()]
        assert max(map(display_width, lines)) <= int(home.env["COLUMNS"])
        assert shown_total(ran.out) <= numbers_of(json.loads(run(home, case, case["command"], "--json").out))


def test_every_difference_from_ccusage_is_named_and_no_other() -> None:
    if not CASES:
        pytest.skip(f"no cases at {CASES_FILE}")
    differing = {name for name, case in CASES.items() if case.get("ours_vs_v20", "same") != "same"}
    same = {name for name, case in CASES.items() if case.get("ours_vs_v20") == "same"}
    named = set(re.findall(r"`(\w+)`", DOC)) & CASES.keys()
    assert named & same == set()
    assert differing <= named
    assert len(CASES) == 163
