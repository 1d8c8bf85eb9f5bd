"""The page of `session --html`: its figures are those of the JSON, transcripts add no markup, its file is private."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ccusage_line.report.page import DAYS
from conftest import Home
from lines import ID, OTHER, SONNET, line, usage

HOSTILE = "</script><img src=x onerror=alert(1)>\x00\x1b[31m‮\"'&amp;\ud800 \x85end"


class Document(HTMLParser):
    """Elements in order as (name, attributes, text), and the rows of each section's tables as lists of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[tuple[str, str]]]] = {}  # rows of (text, data-v) by section
        self.texts: dict[str, str] = {}
        self.section = ""
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.elements.append((tag, told))
        if tag in ("section", "dl"):
            self.section = told["id"] or ""
        rows = self.tables.setdefault(self.section, [])
        if tag == "tr":
            rows.append([])
        if tag in ("th", "td"):
            rows[-1].append(("", told.get("data-v") or ""))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self.inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self.inside] = self.texts.get(self.inside, "") + data
        rows = self.tables.get(self.section)
        if rows and rows[-1] and self.inside not in ("script", "title", ""):
            text, value = rows[-1][-1]
            rows[-1][-1] = (text + data.strip("\n"), value)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def page_of(home: Home, *asked: str) -> Document:
    ran = home.run("session", "--html", "-", *asked)
    assert ran.code == 0
    return Document(ran.out)


def json_of(home: Home, *asked: str) -> Any:
    return json.loads(home.run(*asked, "--json").out)


@pytest.fixture
def used(home: Home) -> Home:
    """Return a home with a year of three projects: a session of two days, an archived one, a model without a price."""
    for n, at in enumerate(("2025-11-30T23:30", "2026-01-15T08:00", "2026-03-29T00:59", "2026-03-29T01:01")):
        home.write(
            f"-srv-web/old-{n}.jsonl",
            line(f"o{n}", f"o{n}", f"old-{n}", at=f"{at}:00Z", cwd="/srv/web", tokens=usage(7_000, n)),
        )
    home.write(
        f"-home-me-alpha/{ID}.jsonl",
        line("m1", "r1", at="2026-06-28T10:00:00Z", cwd="/home/me/alpha", tokens=usage(123_456, 98_765, read=400_000))
        + line("m2", "r2", at="2026-06-30T22:10:00Z", cwd="/home/me/alpha", model=SONNET, stop=None)
        + line("m3", "r3", at="2026-06-30T22:20:00Z", cwd="/home/me/alpha", model="house-model")
        + line("m4", "r4", at="2026-06-30T22:30:00Z", cwd="/home/me/alpha", model="")
        + json.dumps({"type": "custom-title", "customTitle": "Fix the <checkout>", "sessionId": ID})
        + "\n",
    )
    gone = home.write(
        f"-home-me-beta/{OTHER}.jsonl", line("n1", "q1", OTHER, at="2026-06-29T23:30:00Z", cwd="/b/alpha")
    )
    assert home.run("session").code == 0
    gone.unlink()
    return home


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param([], id="everything"),
        pytest.param(["-p", "alpha"], id="a-project"),
        pytest.param(["-z", "Europe/Berlin", "-m", "display", "--sort", "date"], id="another-zone-mode-and-order"),
        pytest.param(["--since", "2026-06-30"], id="last-active-since"),
        pytest.param(["--until", "2026-03-29", "-z", "Australia/Lord_Howe"], id="last-active-until"),
    ],
)
def test_its_figures_are_those_of_the_json(used: Home, asked: list[str]) -> None:
    page, told = page_of(used, *asked), json_of(used, "session", *asked)
    sessions, totals = told["sessions"], told["totals"]
    rows = page.tables["sessions"][1:]
    ids = [row[6][0] for row in rows[:-1]]
    assert ids == [session["sessionId"] for session in sessions]
    for row, session in zip(rows, sessions, strict=False):
        assert (float(row[4][1]), number(row[3][0])) == (session["totalCost"], session["totalTokens"])
        assert (row[0][0], row[5][0][:10]) == (session["title"] or "", session["lastActivity"])
        assert row[2][0].replace("\n", " ") == ", ".join(session["modelsUsed"])
        assert row[5][0].endswith(" *") is session["archived"]
    assert (float(rows[-1][4][1]), number(rows[-1][3][0])) == (totals["totalCost"], totals["totalTokens"])
    (headline,) = [told for name, told in page.elements if name == "data"]
    assert float(headline["value"] or "") == totals["totalCost"]
    for section in ("hours", "models", "projects"):
        cells = [float(value) for row in page.tables[section][1:] for _, value in row if value]
        assert sum(cells) == pytest.approx(totals["totalCost"], abs=1e-9)
    of_time = [
        row for kind in ("months", "days") for row in page.tables.get(kind, []) if row[0][0] not in ("Month", "Day")
    ]
    assert sum(float(row[2][1]) for row in of_time) == pytest.approx(totals["totalCost"], abs=1e-9)
    assert sum(number(row[1][0]) for row in of_time) == totals["totalTokens"]
    if "--since" in asked or "--until" in asked:  # they choose days there, not sessions
        return
    of_daily = [word for word in asked if word not in ("--sort", "date")]
    days = json_of(used, "daily", *of_daily)["daily"]
    first = date.fromisoformat(days[-1]["date"]) - timedelta(days=DAYS - 1)
    months = json_of(used, "monthly", "--until", str(first - timedelta(days=1)), *of_daily)["monthly"]
    wanted = {"days": [day for day in days if day["date"] >= str(first)], "months": months}
    for section, rows in wanted.items():
        found = [(row[0][0], number(row[1][0]), float(row[2][1])) for row in page.tables.get(section, [])[1:]]
        key = "date" if section == "days" else "month"
        assert found == [(row[key], row["totalTokens"], row["totalCost"]) for row in rows]


def test_an_hour_that_comes_twice_is_one_hour_of_the_day(home: Home) -> None:
    for n, at in enumerate(("00:30", "01:30", "02:30")):  # in Berlin 2:30, 2:30 and 3:30
        home.write(f"p/{n}.jsonl", line(f"m{n}", f"r{n}", str(n), at=f"2026-10-25T{at}:00Z"))
    rows = page_of(home, "-z", "Europe/Berlin").tables["hours"]
    sunday = [float(value or 0) for _, value in rows[1][1:]]
    assert sunday[2] == 2 * sunday[3] > 0
    assert sum(map(bool, sunday)) == 2


def test_a_limit_leaves_what_the_rest_comes_to(used: Home) -> None:
    rows = page_of(used, "--limit", "2", "-b").tables["sessions"][1:]
    everything = json_of(used, "session")
    assert [row[0][0] for row in rows[2:]] == [f"{len(everything['sessions']) - 2} more", "Total"]
    assert sum(float(row[4][1]) for row in rows[:3]) == pytest.approx(everything["totals"]["totalCost"], abs=1e-9)
    assert "opus-4-5 $3.29" in rows[0][2][0]


def test_nothing_of_a_transcript_is_markup(home: Home) -> None:
    home.write(
        "p/s.jsonl",
        line("m1", "r1", HOSTILE, cwd=f"/home/{HOSTILE}", model=HOSTILE)
        + json.dumps({"type": "custom-title", "customTitle": HOSTILE + "x" * 5000, "sessionId": HOSTILE})
        + "\n",
    )
    page = page_of(home, "-b")
    names = [name for name, _ in page.elements]
    assert names.count("script") == 1
    assert "img" not in names
    assert not [told for _, told in page.elements if any(key.startswith("on") or key == "style" for key in told)]
    text = home.run("session", "--html", "-").out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    (row,) = [row for row in page.tables["sessions"][1:] if row[0][0] != "Total"]
    assert row[6][0].startswith("</script><img src=x onerror=alert(1)>[31m\"'&amp;")


def test_its_policy_allows_its_own_style_and_script_alone(used: Home) -> None:
    page = page_of(used)
    (policy,) = [told["content"] for name, told in page.elements if told.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in (policy or "").split(";"))
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.texts[kind].encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert {*rules.values()} - {rules["style-src"], rules["script-src"]} == {"'none'"}
    assert not [told for _, told in page.elements if told.keys() & {"src", "href", "action"}]
    assert "url(" not in page.texts["style"]


def test_its_tables_name_their_rows_and_columns(used: Home) -> None:
    page = page_of(used)
    assert [name for name, _ in page.elements if name in ("h1", "h2")] == ["h1", *["h2"] * 6]
    assert all(told.get("scope") in ("row", "col") for name, told in page.elements if name == "th")
    assert all(told.get("aria-label") or told.get("aria-hidden") for name, told in page.elements if name == "svg")


def test_a_page_without_usage_is_complete(home: Home) -> None:
    ran = home.run("session", "--html", "-", "--since", "2026-01-01")
    assert "nothing was used" in ran.out
    assert ran.err == "ccusage: no session matches\n"


def test_times_far_apart_make_no_long_page(home: Home) -> None:
    home.write("p/s.jsonl", line("m1", "r1", at="1970-01-02T00:00:00Z") + line("m2", "r2", at="9998-01-01T00:00:00Z"))
    ran = home.run("session", "--html", "-")
    assert (ran.code, len(ran.out) < 30_000) == (0, True)


# --- the file -----------------------------------------------------------------------------------------------------


def test_the_file_is_private_and_replaced_in_one_step(used: Home) -> None:
    file = used.path / "page.html"
    ran = used.run("session", "--html", str(file))
    assert (ran.code, ran.out) == (0, f"written: {file}\n")
    assert file.read_text().startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("old")
    file.chmod(0o644)
    link = used.path / "link.html"
    link.symlink_to(file)
    assert used.run("session", "--html", str(link)).code == 0
    assert link.is_symlink()
    assert file.read_text().startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644  # whoever opened it to others does not want to do so again
    assert [path for path in used.path.iterdir() if path.name.startswith(".ccusage-")] == []


def test_what_is_no_file_is_refused_before_anything_is_read(home: Home, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for wrong, why in (
        (str(tmp_path), "is a folder"),
        (str(fifo), "is not a regular file"),
        ("no/where.html", "there is no folder"),
    ):
        ran = home.run("session", "--html", wrong)
        assert (ran.code, ran.out) == (2, "")
        assert why in ran.err
    assert not home.state.exists()


@pytest.mark.parametrize("more", [["--json"], ["--jq", "."], ["--csv"], ["--id", "latest"], ["--entries"]])
def test_html_is_refused_with_options_for_other_output(used: Home, more: list[str]) -> None:
    ran = used.run("session", "--html", "x.html", *more)
    assert (ran.code, ran.out) == (2, "")
    assert not (used.path / "x.html").exists()
