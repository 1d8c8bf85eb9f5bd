"""Every call that the real client made, repeated with the files of that moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ccusage_line.answer import read_client_values
from ccusage_line.index.index import Index
from ccusage_line.paths import data_dirs, index_dir
from ccusage_line.statusline import payload
from ccusage_line.statusline.command import IndexAccess, make_line, set_today_and_block
from ccusage_line.statusline.line import render
from ccusage_line.statusline.options import parse_options
from ccusage_line.statusline.segments import Numbers, Options
from ccusage_line.windows import StoredMoments
from conftest import SHARED

SCENARIOS = {path.parent.name: path.parent for path in sorted((SHARED / "corpus").glob("client*/*/statusline"))}
SECOND = 1_000_000
LAG = 0.1  # in seconds, because a watcher looked for appends 20 times a second


class Call(NamedTuple):
    name: str
    payload: dict[str, Any]
    line: str
    numbers: Numbers
    bare: dict[str, str]  # segments by name, without colours

    @property
    def theirs(self) -> float:
        found: float = self.payload["cost"]["total_cost_usd"]
        return found

    @property
    def ours(self) -> float:
        return self.numbers.session.cost / 10**12 if self.numbers.session else 0.0


def calls(scenario: Path, home: Path, complete: bool = True) -> Iterator[Call]:
    """Yield the calls of a scenario in order, each answered like the command from the transcripts of that moment.

    If *complete*, everything is read before each call; else the index knows only the sessions that were asked for.
    """
    environ = {"CLAUDE_CONFIG_DIR": str(home / "claude"), "CCUSAGE_STATE_DIR": str(home / "state"), "HOME": str(home)}
    projects = home / "claude" / "projects"
    projects.mkdir(parents=True)
    folder = Path(index_dir(environ))
    folder.mkdir(parents=True)
    for file in sorted((scenario / "statusline").glob("*.meta.json")):
        meta = json.loads(file.read_text())
        given = payload.parse(file.with_name(file.name.replace(".meta", "")).read_bytes())
        assert isinstance(given, dict)
        own = Path(given["transcript_path"])
        given["transcript_path"] = str(projects / own.parent.name / own.name)
        grow(scenario, projects, meta, given)
        if complete:
            index = Index(str(folder), data_dirs(environ))
            index.refresh()
            index.close()
        (folder / "swept").write_text(".")  # so that no process is started to read the rest
        now = int(meta["started"] * SECOND)
        access, options = IndexAccess(environ), options_of("--no-color")
        numbers = access.look_up(given, options)
        set_today_and_block(given, numbers, options, now, access.reasons)
        line = render(given, numbers, options, meta["env"], now, access.reasons)
        access.finish(given, numbers)
        assert not [reason for reason in access.reasons if reason.endswith(("Error", "Exception"))], access.reasons
        yield Call(file.name, given, line, numbers, segments(given, numbers, meta["env"], now))


def options_of(*words: str) -> Options:
    found = parse_options(["--timezone", "UTC", *words])
    assert found is not None
    return found


def grow(scenario: Path, projects: Path, meta: dict[str, Any], given: dict[str, Any]) -> None:
    """Copy as much of each transcript as was written when the client called."""
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
            target = projects / name
            target.parent.mkdir(parents=True, exist_ok=True)
            begun = target.stat().st_size if target.exists() else 0
            with target.open("ab") as file:
                file.write(source.read_bytes()[begun:size])


def segments(given: dict[str, Any], numbers: Numbers, environ: dict[str, str], now: int) -> dict[str, str]:
    found = {}
    for name in ("session_cost", "today_cost", "block_cost", "context"):
        options = options_of("--no-color", "--format", f"<{{{name}}}>")
        found[name] = render(given, numbers, options, environ, now)[1:-1]
    return found


def money(dollars: float) -> str:
    cents = (round(dollars * 10**12) + 5 * 10**9) // 10**10
    return f"${cents // 100}.{cents % 100:02d}"


def dollars(shown: str) -> float:
    return float(shown.removeprefix("$").removesuffix("+?"))


def recorded(name: str) -> Path:
    if name not in SCENARIOS:
        pytest.skip(f"no {name} in {SHARED}")
    return SCENARIOS[name]


class Played(NamedTuple):
    """A scenario with all its calls made, and the folder of its index."""

    name: str
    calls: list[Call]
    index: Path


@pytest.fixture(scope="module", params=list(SCENARIOS) or [None])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    if request.param is None:
        pytest.skip(f"no corpus in {SHARED}")
    home = tmp_path_factory.mktemp("home")
    made = list(calls(recorded(request.param), home))
    (index,) = (home / "state").iterdir()
    return Played(request.param, made, index)


FORKS = ("n20_fork_start", "o01_tui_forks")


def test_every_call_of_the_client_gets_its_line(played: Played) -> None:
    assert played.calls
    for call in played.calls:
        shown = money(max(call.ours, call.theirs))
        if played.name not in FORKS:
            assert call.bare["session_cost"] == shown, call.name
        model = call.payload["model"]["display_name"]
        assert call.line.startswith(f"🤖 {model} | 💰 {call.bare['session_cost']} session / $"), call.name
        usage = call.payload["context_window"]["current_usage"]
        tokens = sum(usage[kind] for kind in usage if kind != "output_tokens") if usage else 0
        if tokens:
            percent = call.payload["context_window"]["used_percentage"]
            window = call.payload["context_window"]["context_window_size"]
            assert call.bare["context"] == f"{tokens:,} ({tokens * 100 // window}%)", call.name
            assert abs(tokens * 100 / window - percent) <= 0.5  # the client rounds to the nearest
        elif usage:
            assert call.bare["context"] == "", call.name
        assert len(call.line) <= 140 - 4


def test_a_session_is_never_more_than_the_day_and_the_block_it_began_in(played: Played) -> None:
    for call in played.calls:
        session = dollars(call.bare["session_cost"])
        assert session <= dollars(call.bare["today_cost"]), call.name
        assert session <= dollars(call.bare["block_cost"] or "$99"), call.name


# How ours and the client's own total differ: not at all; by requests that are in no transcript; by aborted responses,
# which the client estimates; by what a killed client forgot.
DIFFERENCE = {
    "t01_basic": "none",
    "t02_compact": "client",
    "t05_abort": "client",
    "t15_tui_killed": "ours",
    "n21_compact_today": "client",
}


@pytest.mark.parametrize("played", DIFFERENCE, indirect=True)
def test_our_total_differs_from_the_clients_only_as_expected(played: Played) -> None:
    name = played.name
    made = [call for call in played.calls if call.numbers.session]
    differences = [round(call.ours - call.theirs, 9) for call in made]
    assert made
    if DIFFERENCE[name] == "none":
        assert set(differences) == {0.0}
    elif DIFFERENCE[name] == "client":
        assert min(differences) < 0
        assert max(differences) <= 0
        assert made[-1].bare["session_cost"] == made[-1].bare["today_cost"] == money(made[-1].theirs)
    else:
        assert differences[0] == 0
        assert differences[-1] > 0.028  # was spent before the kill
        assert made[-1].bare["session_cost"] == money(made[-1].ours)


def test_before_the_first_response_nothing_is_spent(played: Played) -> None:
    first = played.calls[0]
    assert first.numbers.session is None
    assert first.bare["session_cost"] == "$0.00"
    if played.name in DIFFERENCE:  # these scenarios have no other session
        assert first.line == f"🤖 {first.payload['model']['display_name']} | 💰 $0.00 session / $0.00 today"


@pytest.mark.parametrize("complete", [True, False], ids=["complete", "provisional"])
def test_a_fork_never_shows_what_its_parent_has_cost(complete: bool, tmp_path: Path) -> None:
    made = list(calls(recorded("n20_fork_start"), tmp_path, complete))
    asked = [call for call in made if "prompt_id" in call.payload]
    before = made[: -len(asked)]
    assert asked
    assert before
    assert {call.theirs > 3.3 for call in made} == {True}
    assert {call.bare["session_cost"] for call in before} == {"$0.00"}
    assert {call.bare["session_cost"] for call in asked} == {"$0.01"}
    assert {call.ours for call in asked} == {0.0097404}
    today = {call.bare["today_cost"] for call in made}
    assert today == ({"$3.31", "$3.32"} if complete else {""})  # the parent's cost is in it once


def test_a_session_that_was_opened_long_before_its_first_prompt_keeps_the_clients_total(tmp_path: Path) -> None:
    """The client's clock runs from its start, but the transcript begins with the first prompt."""
    made = list(calls(recorded("n21_compact_today"), tmp_path))
    assert made[0].theirs == 0
    for call in made[1:]:
        assert call.numbers.inherited == 0
        given = call.payload | {"cost": call.payload["cost"] | {"total_duration_ms": 3_600_000}}
        now = int(float(call.name.split("-")[0]) * SECOND)
        assert segments(given, call.numbers, {}, now) == call.bare


# Sessions of 2.1.240, whose forks are not marked, and what the API's log says that each has cost.
PAID = {
    "09d83811-b9fb-4ae4-a788-630b0bacecf5": "$0.03",
    "949a29d4-3c5e-4f8b-8093-46549d2597b8": "$0.02",
    "dddddddd-0000-4000-8000-00000000000d": "$0.07",
    "722a6ea0-2ed8-4b03-9a3d-fedaec16d5e8": "$0.01",
}


def test_sessions_beside_forks_that_bear_no_mark_show_what_they_have_paid(tmp_path: Path) -> None:
    made = list(calls(recorded("o01_tui_forks"), tmp_path))
    last = {call.payload["session_id"]: call.bare["session_cost"] for call in made}
    assert {session: last[session] for session in PAID} == PAID
    assert made[-1].bare["today_cost"] == "$0.14"  # each response once, however often it was copied


def test_the_clients_last_window_is_stored_for_each_session(played: Played) -> None:
    told = {call.payload["session_id"]: call.payload["context_window"] for call in played.calls}
    for session, window in told.items():
        assert read_client_values(str(played.index), session)[1] == window["context_window_size"]


def test_a_synthetic_line_opens_no_block(corpus: Path, tmp_path: Path) -> None:
    """There is an API error at 09:59 and the first response at 10:01, so the block begins at ten o'clock."""
    index = Index(str(tmp_path / "state" / "index"), [str(corpus / "reported/synthetic-opens-no-block/projects")])
    index.refresh()
    found = Numbers(session=index.session("s1"), moments=StoredMoments(index.db, "auto"), complete=True)
    options = Options()
    options.timezone = "UTC"
    half_past_two = 1_795_185_000 * SECOND
    line = make_line({"session_id": "s1"}, found, options, {"NO_COLOR": "1"}, half_past_two, [])
    assert line.startswith("💰 $0.32 session / $0.32 today / $0.32 block (30m left)")
    index.close()
