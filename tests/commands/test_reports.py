"""daily, weekly, monthly and blocks as commands: options, texts, JSON by the schema, CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from typing import Any

import pytest
from test_docs_json import faults

from ccusage_line.clock import parse_day
from ccusage_line.report.period_table import project_names
from ccusage_line.text import display_width
from conftest import ROOT, Home, Ran, run_at
from lines import ID, OTHER, line, usage

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "reports.schema.json").read_text())
PAGE = (ROOT / "docs" / "reports.md").read_text()
WIDTHS = (20, 40, 60, 80, 100, 120, 160)
REPORTS = ("daily", "weekly", "monthly", "blocks")


def at_noon(home: Home, *argv: str, **env: str) -> Ran:
    """Run a command as if it were noon of 2026-05-01."""
    return run_at(home, 1_777_636_800 * 10**9, *argv, **env)


@pytest.fixture
def used(home: Home) -> Home:
    """Return a home with three days of two projects, and a block that is active at noon.

    It has models with and without a price, one without a name, a response that was cut off, an archived session, and
    numbers that need much room.
    """
    big = usage(123_456_789, 98_765_432, write=1_000_000, read=400_000_000)
    home.write(
        f"-home-me-alpha/{ID}.jsonl",
        line("m1", "r1", at="2026-04-28T10:00:00Z", cwd="/home/me/alpha", tokens=big)
        + line("m2", "r2", at="2026-04-28T10:07:00Z", cwd="/home/me/alpha", model="house-model", stop=None)
        + line("m3", "r3", at="2026-05-01T09:30:00Z", cwd="/home/me/alpha")
        + line("m4", "r4", at="2026-05-01T10:30:00.000456Z", cwd="/home/me/alpha", model=""),
    )
    home.write(f"-home-me-beta/{OTHER}.jsonl", line("n1", "q1", OTHER, at="2026-04-30T23:30:00Z", cwd="/home/me/beta"))
    gone = home.write(
        "-home-me-beta/gone.jsonl", line("g1", "g1", "gone", at="2026-03-31T23:00:00Z", cwd="/home/me/beta")
    )
    assert home.run("session").code == 0
    gone.unlink()
    return home


def answer(home: Home, *argv: str) -> Any:
    ran = at_noon(home, *argv, "--json")
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


# --- JSON and CSV ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_as_the_schema_says(used: Home, name: str) -> None:
    for more in ([], ["-t", "1000"] if name == "blocks" else ["--last", "2"]):
        found = answer(used, name, *more)
        assert list(faults(found, SCHEMA["$defs"][name], of=SCHEMA)) == []
        assert list(found) == [key for key in SCHEMA["$defs"][name]["properties"] if key != "message"]
        shape = {"daily": "date", "weekly": "week", "monthly": "month"}.get(name, "block")
        for row in found[name]:
            assert list(row) == [key for key in SCHEMA["$defs"][shape]["properties"] if key in row]
    by_project = answer(used, name, "-i")
    assert list(faults(by_project, SCHEMA["$defs"]["byProject"], of=SCHEMA)) == []
    assert list(by_project["projects"]) == ["/home/me/alpha", "/home/me/beta"]  # the most expensive first


def test_nothing_used_is_as_the_schema_says(home: Home) -> None:
    for name in REPORTS:
        assert list(faults(answer(home, name), SCHEMA["$defs"][name], of=SCHEMA)) == []
    assert answer(home, "blocks", "--active") == {"blocks": [], "message": "No active block", "limits": {}}


def test_the_schema_refuses_what_is_not_so(used: Home) -> None:
    found = answer(used, "daily")
    row = found["daily"][0]
    for spoilt in ({**row, "date": "2026-5-1"}, {**row, "more": 1}, {**row, "sessions": -1}, {}):
        assert list(faults({**found, "daily": [spoilt]}, SCHEMA["$defs"]["daily"], of=SCHEMA))
    assert list(faults({"projects": {"/a": [{}]}}, SCHEMA["$defs"]["byProject"], of=SCHEMA))


@pytest.mark.parametrize(("heading", "shape"), [("A day, a week, a month", "date"), ("A block", "block")])
def test_the_page_explains_every_key_in_the_order_it_is_printed(heading: str, shape: str) -> None:
    part = PAGE.split(f"### {heading}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| (`\w+`(?: `\w+`)*) \|", part, re.MULTILINE)
    assert [key for row in rows for key in re.findall(r"\w+", row)] == list(SCHEMA["$defs"][shape]["properties"])


def test_csv_has_a_line_per_row_and_what_json_has(used: Home) -> None:
    for name, key in (("daily", "date"), ("weekly", "week"), ("monthly", "month"), ("blocks", "startTime")):
        ran = at_noon(used, name, "--csv")
        assert ran.out.count("\r\n") == ran.out.count("\n")
        lines = list(csv.DictReader(io.StringIO(ran.out, newline="")))
        rows = [row for row in answer(used, name)[name] if not row.get("isGap")]
        assert [each[key] for each in lines] == [row[key] for row in rows]
        for each, row in zip(lines, rows, strict=True):
            row |= row.get("tokenCounts", {})
            told = row.get("totalCost", row.get("costUSD"))
            assert float(each.get("totalCost", each.get("costUSD", ""))) == told
            assert (int(each["inputTokens"]), int(each["totalTokens"])) == (row["inputTokens"], row["totalTokens"])
            assert "e" not in each.get("totalCost", "")


def test_csv_by_project_and_model_adds_up_to_the_rows(used: Home) -> None:
    ran = at_noon(used, "monthly", "--csv", "-i", "-b")
    lines = list(csv.DictReader(io.StringIO(ran.out, newline="")))
    assert list(lines[0])[:3] == ["project", "month", "model"]
    assert {each["model"] for each in lines} == {"opus-4-5", "house-model", "unknown"}
    for project, rows in answer(used, "monthly", "-i")["projects"].items():
        for row in rows:
            mine = [each for each in lines if (each["project"], each["month"]) == (project, row["month"])]
            assert sum(int(each["totalTokens"]) for each in mine) == row["totalTokens"]


def lines_of(home: Home, *argv: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(at_noon(home, *argv, "--csv").out, newline="")))


def test_csv_of_sessions_has_what_json_has(used: Home) -> None:
    rows, lines = answer(used, "session")["sessions"], lines_of(used, "session")
    assert list(lines[0]) == [key for key in rows[0] if key != "modelBreakdowns"]
    for row, each in zip(rows, lines, strict=True):
        assert float(each["totalCost"]) == row["totalCost"]
        for key in ("sessionId", "totalTokens", "lastActivityAt", "projectPath", "responses", "archived"):
            assert each[key] == str(row[key]).replace("False", "false").replace("True", "true")
    assert lines_of(used, "session", "--limit", "1", "--sort", "date") == lines[:1]
    assert at_noon(used, "session", "--csv", "--project", "nowhere").out.startswith("sessionId,")


def test_csv_of_models_and_responses_adds_up_to_the_session(used: Home) -> None:
    row = answer(used, "session", ID)
    of_list = [each for each in lines_of(used, "session", "-b") if each["sessionId"] == ID]
    models, entries = lines_of(used, "session", ID), lines_of(used, "session", ID, "--entries")
    assert models == of_list
    assert {each["model"] for each in models} == {"opus-4-5", "house-model", "unknown"}
    assert sum(int(each["totalTokens"]) for each in models) == row["totalTokens"]
    assert sum(int(each["outputTokens"]) for each in entries) == row["outputTokens"]
    assert len(entries) == row["responses"]
    assert at_noon(used, "session", ID, "--csv", "--explain").code == 2


def test_no_cell_of_csv_is_a_formula(home: Home) -> None:
    home.write("p/s.jsonl", line(cwd="=1+1", model="@sum(a1)"))
    (row,) = csv.DictReader(io.StringIO(home.run("daily", "--csv", "-i").out))
    assert (row["project"], row["modelsUsed"]) == ("'=1+1", "'@sum(a1)")
    assert home.run("daily", "--csv", "--since", "2027-01-01").out.startswith("date,inputTokens,")


def test_the_examples_of_the_page_run_and_its_pictures_are_there(used: Home) -> None:
    block = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    commands = [shlex.split(each, comments=True)[1:] for each in block[1].replace(" > months.csv", "").splitlines()]
    assert len(commands) == 10
    for command in commands:
        ran = at_noon(used, *command)
        assert (ran.code, ran.out != "") == (0, True), command
    pictures = re.findall(r"!\[.+\]\((\w+\.svg)\)", PAGE)
    assert pictures == [name for name in ("daily.svg", "blocks.svg", "live.svg") if (ROOT / "docs" / name).is_file()]


# --- options -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["daily", "--last", "0"], "--last"),
        (["daily", "--last", "2", "--until", "20260501"], "be combined"),
        (["daily", "--csv", "--json"], "choose one"),
        (["daily", "--csv", "--jq", "."], "choose one"),
        (["weekly", "--chart", "heat"], "heat"),
        (["monthly", "-w", "monday"], "no option '-w'"),
        (["daily", "-z", "europe/berln"], "did you mean Europe/Berlin?"),
        (["daily", "--locale", "de"], "dates are always"),
        (["daily", "--isntances"], "did you mean --instances?"),
        (["blocks", "-n", "0"], "--session-length"),
        (["blocks", "-n", "nan"], "--session-length"),
        (["blocks", "-t", "lots"], "500k"),
        (["blocks", "--last", "2"], "--last"),
        (["claude", "dayly"], "did you mean daily?"),
    ],
    ids=" ".join,
)
def test_a_usage_error_is_one_line_and_exit_2(home: Home, args: list[str], says: str) -> None:
    ran = home.run(*args)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert says in ran.err


def test_a_first_word_claude_is_passed_over(used: Home) -> None:
    assert at_noon(used, "claude", "daily") == at_noon(used, "daily")


def test_zones_are_known_in_any_case(used: Home) -> None:
    days = {zone: [row["date"] for row in answer(used, "daily", "-z", zone)["daily"]] for zone in ("UTC", "asia/tokyo")}
    assert days["UTC"] == ["2026-03-31", "2026-04-28", "2026-04-30", "2026-05-01"]
    assert days["asia/tokyo"] == ["2026-04-01", "2026-04-28", "2026-05-01"]
    assert answer(used, "daily", "-z", "local", "--last", "2")["daily"][0]["date"] == "2026-04-30"


def test_the_config_sets_what_is_not_typed(used: Home) -> None:
    config = used.path / "config.toml"
    config.write_text(
        '[weekly]\nstart-of-week = "friday"\norder = "desc"\n'
        '[project-labels]\n"me/alpha" = "Work"\n"me/beta" = "Work"\n"/home" = "Home"\n'
    )
    weeks = answer(used, "weekly", "--config", str(config))["weekly"]
    assert [row["week"] for row in weeks] == ["2026-05-01", "2026-04-24", "2026-03-27"]
    assert list(answer(used, "monthly", "-i", "--config", str(config))["projects"]) == ["Work"]


def test_a_config_value_that_does_not_apply_is_no_usage_error(used: Home) -> None:
    config = used.path / "config.toml"
    config.write_text('[session]\norder = "asc"\n[blocks]\norder = "desc"\nbreakdown = true\nchart = "bars"\n')
    with_config = ("--config", str(config))
    for asked in (("demo", "--id", "latest"), ("session", "--id", ID), ("blocks", "--live", "--once")):
        assert used.run(*asked, *with_config).code == 0
    assert used.run("demo", "--id", "latest", "--order", "asc").code == 2


def test_the_config_may_count_a_day_back_from_today(used: Home) -> None:
    config = used.path / "config.toml"
    config.write_text("".join(f'[{name}]\nsince = "1d"\n' for name in ("daily", "blocks", "session")))
    with_config = ("--config", str(config))
    assert answer(used, "daily", *with_config) == answer(used, "daily", "--since", "yesterday")
    assert answer(used, "daily", "--last", "1", *with_config) == answer(used, "daily", "--since", "today")
    assert answer(used, "session", *with_config) == answer(used, "session", "--since", "1d")
    assert answer(used, "blocks", *with_config) == answer(used, "blocks", "--since", "1d")
    assert used.run("blocks", "--live", "--once", *with_config).code == 0
    for name in ("daily", "blocks", "session"):  # what is typed takes precedence
        earlier = answer(used, name, "--until", "20260429", *with_config)
        assert earlier == answer(used, name, "--until", "20260429", "--since", "20000101")
        assert at_noon(used, name, "--until", "20260429", "--since", "today", *with_config).code == 2
    config.write_text('[daily]\nsince = "soon"\n')
    assert "yesterday" in used.run("daily", *with_config).err


@pytest.mark.parametrize(
    ("text", "day"),
    [("today", "2026-03-01"), ("YESTERDAY", "2026-02-28"), ("2w", "2026-02-15"), ("7d", "2026-02-22"), ("-1d", None)],
)
def test_a_day_is_counted_back_from_today(text: str, day: str | None) -> None:
    assert parse_day(text, "2026-03-01") == day


def test_a_project_is_found_by_its_path_and_by_its_folder(used: Home) -> None:
    by_path, by_folder = (answer(used, "daily", f"-p={text}") for text in ("me/beta", "-home-me-beta"))
    assert by_path == by_folder
    assert [row["sessions"] for row in by_path["daily"]] == [1, 1]


def test_a_dot_means_this_folder_and_the_folders_below_it(home: Home) -> None:
    here = str(home.path.resolve())
    for n, (name, folder) in enumerate({"own": here, "below": f"{here}/src", "beside": f"{here}site"}.items()):
        home.write(f"p{n}/{name}.jsonl", line(f"m{n}", f"r{n}", name, cwd=folder))
    ids = ("session", "--project", ".", "--jq", '[.sessions[].sessionId] | sort | join(" ")')
    assert home.run(*ids).out == "below own\n"
    assert home.run("daily", "-p", ".", "--jq", ".daily[0].sessions").out == "2\n"
    assert home.run("blocks", "-p", ".", "--jq", ".blocks[0].entries").out == "2\n"
    for file in home.projects.glob("*/*"):
        file.unlink()
    assert home.run("index", "forget", "--project", ".").out == "forgot below\nforgot own\n"
    assert home.run("session", "--jq", ".sessions[].sessionId").out == "beside\n"


def test_the_active_block_is_that_of_the_list(used: Home) -> None:
    for more in ([], ["-p", "alpha"], ["-n", "4"], ["-t", "max"]):
        listed = answer(used, "blocks", *more)["blocks"]
        assert answer(used, "blocks", "--active", *more)["blocks"] == [block for block in listed if block["isActive"]]
        assert listed[-1]["isActive"]


# --- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ["daily", "-b", "-i", "--chart"],
        ["daily", "--chart", "heat"],
        ["monthly", "--compact", "--chart"],
        ["blocks", "-b", "-t", "max", "--chart"],
        ["blocks", "--active", "-t", "5k"],
    ],
    ids=" ".join,
)
def test_no_line_is_wider_than_the_screen_and_no_number_or_date_is_cut(used: Home, args: list[str]) -> None:
    whole = at_noon(used, *args, COLUMNS="200").out
    totals = re.findall(r"^│ Total.*(\$[\d,.]+)", whole, re.MULTILINE)
    for width in WIDTHS:
        ran = at_noon(used, *args, COLUMNS=str(width))
        assert ran.code == 0
        assert max(map(display_width, ran.out.splitlines())) <= width
        assert not re.search(r"[\d,.]…", ran.out)
        assert width < 40 or all(total in ran.out for total in totals)
    assert ("Chart" in whole) == ("--chart" in args and "heat" not in args)
    assert not re.search("[▁-█░▒▓·]", at_noon(used, *args, LC_ALL="C").out)


def test_a_daily_table_has_its_dates_projects_and_notes(used: Home) -> None:
    lines = at_noon(used, "daily", "-i", "-o", "desc", COLUMNS="120").out.splitlines()
    first = [line.split("│")[1].rstrip() for line in lines[3:] if line.startswith("│ ")]
    dates = ["   2026-05-01", "   2026-04-28", "", " beta", "   2026-04-30", "   2026-03-31"]
    assert first == [" Date", " alpha", *dates, " Total"]
    assert lines[1] == "│  Claude Code Token Usage Report - Daily  │"
    assert [line for line in lines if line.startswith(("+?", "1 ", "archived"))] == [
        "+? does not include models without a known price: house-model, unknown",
        "1 of 6 responses has no final count: cut off, or not recorded by older clients; it may have cost more.",
        "archived: the transcripts of 1 session no longer exist, but their usage is kept.",
    ]
    assert "archived" not in at_noon(used, "daily", "--since", "20260401").out
    assert "archived" in at_noon(used, "blocks", "-p", "beta").out


def test_notes_cover_only_the_days_that_are_asked_for(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(at="2026-04-27T10:00:00Z"))
    gone = home.write("p/gone.jsonl", line("g1", "g1", "gone", at="2026-04-30T10:00:00Z"))
    assert home.run("session").code == 0
    gone.unlink()
    for name in ("daily", "weekly", "monthly"):
        told = ["archived" in at_noon(home, name, "--until", day).out for day in ("20260429", "20260430")]
        assert told == [False, True], name


@pytest.mark.parametrize("name", REPORTS)
def test_the_line_below_a_table_is_that_of_all_projects_together(home: Home, name: str) -> None:
    for project, at in (("alpha", "01T10:00"), ("beta", "01T11:00"), ("beta", "02T10:00")):
        home.write(f"{project}/{at}.jsonl", line(at, at, at, f"2026-05-{at}:00Z", cwd=f"/home/me/{project}"))
    alone, by_project = (at_noon(home, name, "--chart", "bars", *more).out for more in ([], ["-i"]))
    (below,) = re.findall(r"^.* mean .*$", alone, re.MULTILINE)
    assert below in by_project.splitlines()


def test_a_report_without_usage_says_so(home: Home) -> None:
    for name in REPORTS:
        ran = home.run(name)
        assert (ran.code, ran.out.count("\n"), ran.err) == (0, 3, "ccusage: No usage found.\n")
    assert home.run("blocks", "--active").out == "No block is under way.\n"


@pytest.mark.parametrize(
    "args", [["-p", "beta"], ["--until", "yesterday"], ["-i", "-p", "beta"], ["-p=x", "-t", "max"]]
)
def test_an_active_block_without_matching_usage_is_mentioned(used: Home, args: list[str]) -> None:
    assert at_noon(used, "blocks", "-a", *args).out == "The block under way has no usage that matches.\n"
    found = answer(used, "blocks", "-a", *args)
    assert found["message"] == "No matching usage in the active block"


def test_the_active_block_is_shown_as_a_card(used: Home) -> None:
    assert at_noon(used, "blocks", "-a", "-t", "1k").out.splitlines()[3:] == [
        "Started   2026-05-01 09:00, 3h 0m ago (estimated)",
        "Left      2h 0m, until 14:00 (estimated)",
        "Used      $0.00+?: opus-4-5 100 %, unknown 0 %",
        "          220 tokens: 20 input, 200 output, 0 cache create, 0 cache read",
        "Rate      $0.00+? an hour, 1 tokens a minute: Normal",
        "Ahead     $0.00+? and 396 tokens by 14:00, at this rate",
        "Limits    1,000 tokens: 22.0% used, 39.6% at the end: ok",
    ]


def test_every_amount_without_a_price_is_marked(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(at="2026-05-01T11:00:00Z", model="house-model"))
    home.write(f"p/{OTHER}.jsonl", line("m2", "r2", OTHER, at="2026-05-01T11:00:00Z"))
    for asked in (("blocks",), ("blocks", "-a"), ("live", "--once")):
        amounts = re.findall(r"\$[\d.,]+(\S*)", at_noon(home, *asked).out)
        whole = 2 if asked[0] == "live" else 0  # the session with a price, and yesterday
        assert (len(amounts) >= 3, amounts.count("")) == (True, whole), asked
    assert "$0.00+?" in home.run("session", f"{ID[:-1]}2").err
    assert ">$0.00+? each<" in home.run("session", "--html", "-").out


def test_projects_are_named_by_the_shortest_distinct_end_of_their_paths() -> None:
    paths = ["/home/me/web", "/home/me/api", "/home/you/api", "C:\\work\\shop", "/", "Label", "/home/me/api/"]
    assert project_names(paths) == {
        "/home/me/web": "web",
        "/home/me/api": "/home/me/api",
        "/home/you/api": "you/api",
        "C:\\work\\shop": "shop",
        "/": "/",
        "Label": "Label",
        "/home/me/api/": "/home/me/api",
    }
