"""An index of an older version, recorded in data/index-version-N.sql, is migrated: nothing of an archived session is
lost, and everything else equals one fresh reading."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fresh
from ccusage_line.index import first, migration, schema, totals
from ccusage_line.index.index import Index
from ccusage_line.index.verify import verify
from ccusage_line.prompt import line as readyline
from ccusage_line.session import MODES
from compare import as_read, as_shown, assert_same, find_price
from conftest import ROOT, Home
from lines import SONNET, line, record, usage
from shells import moment, until

DATA = ROOT / "tests" / "data"
MADE_AT = "/recorded/projects"  # where the transcripts were when the index was recorded
WEB, API = "-home-ann-web", "-home-ann-api"


def told(session: str, number: int, **more: object) -> str:
    """Return a response as older clients wrote it: at first without its output, and never with a stop reason."""
    names = {"message": f"{session}-{number}", "request": f"{session}-r{number}", "session": session}
    more = {"at": f"2026-05-{10 + number:02}T10:00:00.000Z", **names, **more}
    tokens = more.pop("tokens", usage(number, 100 * number, 7, 1000))
    first = {**tokens, "output_tokens": 1}  # type: ignore[dict-item]
    uuids = [{"uuid": f"{session}-u{number}-{place}"} for place in (0, 1)]
    return line(**{"stop": None, **more, "tokens": first, **uuids[0]}) + line(**{**more, "tokens": tokens, **uuids[1]})  # type: ignore[arg-type]


def begun(session: str, at: str) -> str:
    return json.dumps({"type": "user", "timestamp": at, "sessionId": session}) + "\n"


def unasked(session: str, number: int, **more: object) -> str:
    """Return a response of a gateway: without a requestId, and with the same message id as everything."""
    return told(session, number, request=None, message="msg_gateway", **more)


def in_fork(text: str, fork: str, **more: object) -> str:
    """Return copies of lines as a client writes them into a fork; *more* are the marks of newer copies."""
    copies = [{**json.loads(each), "sessionId": fork, **more} for each in text.splitlines()]
    return "".join(json.dumps(copy) + "\n" for copy in copies)


def nameless(session: str, number: int, uuid: str | None) -> str:
    """Return a line without a message id, and without a uuid if *uuid* is None."""
    value = record(session=session, request=None, at=f"2026-05-0{number}T09:00:00Z", tokens=usage(number), uuid=uuid)
    del value["message"]["id"]
    return json.dumps(value) + "\n"


ADVISED = usage(5, 50, iterations=[{"type": "advisor_message", "model": SONNET, "input_tokens": 3, "output_tokens": 9}])
FACTS = '{"type":"custom-title","customTitle":"kept"}\n{"type":"cost-state","totalCostUSD":0.5}\n'
SYNTHETIC = line("error", None, "s-gone", model=fresh.SYNTHETIC, tokens=usage(0, 0), uuid="error")
PARENT = told("s-parent", 1) + told("s-parent", 2)
MAKER = told("s-late", 1) + told("s-late", 2)
GATEWAY = unasked("s-gateway", 1) + unasked("s-gateway", 2)
SHARED = told("s-newer", 1) + told("s-newer", 2)

APART = f"{API}/s-apart.jsonl"
TRANSCRIPTS = {
    f"{WEB}/s-live.jsonl": begun("s-live", "2026-05-11T09:59:00Z") + told("s-live", 1) + told("s-live", 2),
    f"{WEB}/s-live/subagents/agent-a1.jsonl": told("s-live", 3, isSidechain=True, model=SONNET),
    f"{WEB}/s-moved.jsonl": told("s-moved", 1) + unasked("s-moved", 2) + nameless("s-moved", 3, None),
    # Archived.
    f"{WEB}/s-gone.jsonl": FACTS + told("s-gone", 1, costUSD=0.25) + told("s-gone", 2, tokens=ADVISED) + SYNTHETIC,
    f"{WEB}/s-gone/subagents/agent-a2.jsonl": told("s-gone", 3, isSidechain=True) + told("s-gone", 4, isSidechain=True),
    f"{API}/agent-a3.jsonl": told("s-gone", 5, isSidechain=True),
    f"{API}/s-nameless.jsonl": "".join(nameless("s-nameless", n, uuid) for n, uuid in enumerate(("x", "y", None), 1)),
    # Deleted since the index was last refreshed.
    f"{API}/s-late.jsonl": begun("s-late", "2026-05-11T09:59:00Z") + MAKER,
    # Pairs of a session that is gone and a fork of it that exists: by old clients, by a newer one, behind a gateway.
    f"{API}/e-fork.jsonl": begun("e-fork", "2026-05-12T11:00:00Z") + in_fork(MAKER, "e-fork") + told("e-fork", 3),
    f"{WEB}/s-parent.jsonl": begun("s-parent", "2026-05-11T09:59:00Z") + PARENT,
    f"{WEB}/a-fork.jsonl": begun("a-fork", "2026-05-12T11:00:00Z") + in_fork(PARENT, "a-fork") + told("a-fork", 3),
    f"{WEB}/s-newer.jsonl": SHARED,
    f"{API}/b-fork.jsonl": in_fork(SHARED, "b-fork", requestSessionId="s-newer") + told("b-fork", 3),
    f"{API}/s-gateway.jsonl": GATEWAY,
    f"{API}/c-fork.jsonl": in_fork(GATEWAY, "c-fork", requestSessionId="s-gateway") + unasked("c-fork", 3),
    # Archived, and tied together by what version 0.1 did not store: an estimate and the count after it, a copy without
    # its requestId.
    APART: line("apart", None, "s-apart", uuid="e1", tokens=usage(5, 1))
    + line("apart", None, "s-apart", uuid="e2", parentUuid="e1", tokens=usage(50, 200))
    + line("copied", "copied", "s-apart", uuid="e3")
    + line("copied", None, "s-apart", uuid="e3"),
    # A fork that is archived itself.
    f"{API}/d-fork.jsonl": in_fork(SHARED, "d-fork", requestSessionId="s-newer") + told("d-fork", 4),
}
GONE = (
    *(f"{WEB}/s-gone.jsonl", f"{WEB}/s-gone/subagents/agent-a2.jsonl", f"{API}/agent-a3.jsonl"),
    *(f"{API}/s-nameless.jsonl", f"{WEB}/s-parent.jsonl", f"{WEB}/s-newer.jsonl", f"{API}/s-gateway.jsonl"),
    *(f"{API}/d-fork.jsonl", APART),
)
LATE = (f"{API}/s-late.jsonl",)


@pytest.fixture
def upgraded(home: Home) -> Home:
    """Return a home whose index version 0.1 wrote, and from which some transcripts vanished since; one has moved."""
    for name, text in TRANSCRIPTS.items():
        if name not in (*GONE, *LATE):
            home.write(name.replace(f"{WEB}/s-moved", f"{API}/s-moved"), text)
    restore(home, 1)
    return home


def restore(home: Home, version: int) -> None:
    """Restore the recorded index of a version."""
    path = database_of(home)
    path.parent.mkdir(parents=True, mode=0o700)
    path.parent.parent.chmod(0o700)
    with closing(sqlite3.connect(path)) as db:
        db.executescript((DATA / f"index-version-{version}.sql").read_text())
        paths = [
            (os.fsdecode(path).replace(MADE_AT, root(home)), id)
            for id, path in db.execute("SELECT id, path FROM files")
        ]
        db.executemany("UPDATE files SET path = ? WHERE id = ?", [(os.fsencode(path), id) for path, id in paths])
        db.execute("PRAGMA journal_mode = WAL")
        db.commit()


def root(home: Home) -> str:
    return os.path.realpath(home.projects)


def database_of(home: Home) -> Path:
    return home.index / "index.db"


def version_of(home: Home) -> int:
    with closing(sqlite3.connect(database_of(home))) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def expected() -> tuple[fresh.Reading, set[str]]:
    """Return one fresh reading of everything, of deleted transcripts too, and the sessions that only the index has."""
    sources = []
    for name, text in TRANSCRIPTS.items():
        gone = name in (*GONE, *LATE)
        if name == APART:
            text = text.replace('"uuid"', '"other"').replace('"parentUuid"', '"others"')
        sources.append(fresh.source(name, text.encode())._replace(name="\0" * gone + name, gone=gone))
    sessions = fresh.count(sources, find_price)
    return sessions, {name for name, one in sessions.items() if all(file[0] == "\0" for file in one.line_files)}


def as_was(db: sqlite3.Connection) -> dict[str, tuple[int, ...]]:
    """Return what version 0.1 said of each session: tokens, responses and cost."""
    told = db.execute(
        "SELECT text, sum(input), sum(output), sum(cache_creation), sum(cache_read), sum(totals.responses), sum(auto)"
        " FROM totals JOIN names ON names.id = session GROUP BY session"
    )
    return {session.decode(): tuple(sums) for session, *sums in told}


def as_is(index: Index) -> dict[str, tuple[int, ...]]:
    return {
        one.id: (one.input, one.output, one.cache_creation, one.cache_read, one.responses, one.cost)
        for one in index.sessions()
    }


def test_an_index_of_version_0_1_becomes_one_fresh_reading_and_keeps_what_is_gone(upgraded: Home) -> None:
    sessions, archived = expected()
    assert {"s-gone", "s-nameless", "d-fork"} <= archived
    index = upgraded.opened()
    index.refresh()
    assert index.stored
    assert_same(index, sessions, archived)
    assert verify(index) == []
    index.close()
    assert version_of(upgraded) == schema.VERSION
    again = upgraded.opened()
    assert again.complete
    again.refresh()
    assert verify(again) == []


def test_an_archived_session_has_what_it_had_but_for_the_rules_that_changed(upgraded: Home) -> None:
    with closing(sqlite3.connect(database_of(upgraded))) as db:
        before = as_was(db)
    index = upgraded.opened()
    index.refresh()
    after = as_is(index)
    index.close()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    # An error line of the client is no longer a response; an old fork no longer owns its parent's responses.
    assert changed == {"s-gone", "s-parent", "a-fork", "s-late", "e-fork"}
    assert after["s-gone"] == (*before["s-gone"][:4], before["s-gone"][4] - 1, before["s-gone"][5])
    for parent, fork in (("s-parent", "a-fork"), ("s-late", "e-fork")):
        assert tuple(map(sum, zip(after[parent], after[fork], strict=True))) == before[fork]


# --- of schema 2 and 3 ---------------------------------------------------------------------------------------------

IDLE = line("idle", "idle", "s-idle", tokens=usage(0, 0), at="2026-05-20T10:00:00Z")  # it used nothing
OF_VERSION_2 = {
    **{name: TRANSCRIPTS[name] for name in TRANSCRIPTS if "/s-live" in name or "/s-gone" in name},
    APART: TRANSCRIPTS[APART],
    f"{WEB}/s-idle.jsonl": IDLE,
}


@pytest.mark.skipif(os.name == "nt", reason="kill -9 needs POSIX")
@pytest.mark.parametrize(
    ("version", "interrupted"), [(2, None), (2, schema), (2, totals), (3, None), (3, schema)], ids=str
)
def test_an_index_of_a_later_schema_keeps_archived_sessions(
    home: Home, version: int, interrupted: ModuleType | None
) -> None:
    for name, text in OF_VERSION_2.items():
        if name not in GONE:
            home.write(name, text)
    restore(home, version)
    if interrupted is not None:
        killed(home, dying(interrupted, "revoke_reports" if interrupted is schema else "_groups", 0))
    index = home.opened()
    index.refresh()
    sources = [fresh.source(name, text.encode())._replace(gone=name in GONE) for name, text in OF_VERSION_2.items()]
    assert_same(index, fresh.count(sources, find_price))
    assert {one.id for one in index.sessions() if one.archived} == {"s-gone", "s-apart"}
    assert verify(index) == []


def test_a_response_that_grows_before_an_index_of_schema_2_has_slots_is_counted_once(home: Home) -> None:
    path = home.write(f"{WEB}/s-live.jsonl", told("s-live", 1) + told("s-live", 2))
    index = home.opened()
    index.refresh()
    for change in ("DROP TABLE slots", "DROP TABLE windows", "PRAGMA user_version = 2"):
        index.db.execute(change)
    index.close()
    with path.open("a") as file:
        file.write(told("s-live", 2, tokens=usage(2, 999), at="2026-05-12T10:09:00.000Z"))
    index = home.opened()
    assert index.refresh_session("s-live")
    assert_same(index, fresh.read([home.data], find_price))
    assert verify(index) == []


# --- interrupted, damaged ----------------------------------------------------------------------------------------


def killed(home: Home, patch: Callable[[], None]) -> None:
    """Run a process that refreshes the index and is killed by kill -9 at the place where *patch* does it."""
    child = os.fork()
    if child == 0:
        try:
            patch()
            home.opened().refresh()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def dying(module: ModuleType, name: str, calls: int) -> Callable[[], None]:
    """Return a patch that ends the process when a function has been called so many times."""

    def patch() -> None:
        real, counted = getattr(module, name), itertools.count()

        def call(*args: Any, **more: Any) -> Any:
            if next(counted) == calls:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **more)

        setattr(module, name, call)

    return patch


@pytest.mark.skipif(os.name == "nt", reason="kill -9 needs POSIX")
@pytest.mark.parametrize(
    ("module", "name", "calls", "left"),
    [
        pytest.param(migration, "claim_row", 0, 1, id="before-the-first-claim"),
        pytest.param(migration, "claim_row", 9, 1, id="between-claims"),
        pytest.param(schema, "revoke_reports", 0, schema.VERSION, id="after-the-migration"),
        pytest.param(first, "store_batch", 0, schema.VERSION, id="before-transcripts-are-stored"),
        pytest.param(first, "finish", 0, schema.VERSION, id="before-the-sums"),
        pytest.param(totals, "_groups", 0, schema.VERSION, id="in-the-sums"),
    ],
)
def test_an_interrupted_migration_goes_on(upgraded: Home, module: ModuleType, name: str, calls: int, left: int) -> None:
    for _ in range(2):
        killed(upgraded, dying(module, name, calls))
        assert version_of(upgraded) == left
    alone = json.loads(upgraded.run("session", "--id", "s-gone", "--json").out)
    assert (alone["inputTokens"], alone["archived"]) == (21, True)
    index = upgraded.opened()
    index.refresh()
    assert_same(index, *expected())
    assert verify(index) == []


def a_page_blotted(db: sqlite3.Connection, table: str) -> None:
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    (path,) = (row[2] for row in db.execute("PRAGMA database_list"))
    db.close()
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def sums_blotted(db: sqlite3.Connection) -> None:
    a_page_blotted(db, "totals")


def an_index_blotted(db: sqlite3.Connection) -> None:
    a_page_blotted(db, "claims_of_session")


def a_name_missing(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM names WHERE text = CAST('s-live' AS BLOB)")


def a_text_for_a_number(db: sqlite3.Connection) -> None:
    db.execute(
        "UPDATE claims SET rank = 'x' WHERE file = (SELECT id FROM files WHERE CAST(path AS TEXT) LIKE '%s-live.jsonl')"
    )


def a_table_missing(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE holds")


@pytest.mark.parametrize(
    "damage", [sums_blotted, an_index_blotted, a_name_missing, a_text_for_a_number, a_table_missing]
)
@pytest.mark.parametrize("swept", [False, True])
def test_a_damaged_index_of_version_0_1_is_set_aside_and_its_archived_sessions_are_carried_over(
    upgraded: Home, damage: Callable[[sqlite3.Connection], None], swept: bool
) -> None:
    with closing(sqlite3.connect(database_of(upgraded))) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        damage(db)
        if damage not in (sums_blotted, an_index_blotted):
            db.commit()
    if swept:
        assert upgraded.run("index", "sweep").code == 0
    ran = upgraded.run("session", "--json")
    assert ran.code == 0
    if damage is not an_index_blotted:  # which the migration makes anew, without a look at it
        assert "the index was damaged and has been rebuilt" in ran.err
    listed = {one["sessionId"]: (one["totalTokens"], one["archived"]) for one in json.loads(ran.out)["sessions"]}
    sessions, archived = expected()
    told_by_forks = {
        "s-parent",
        "a-fork",
        "s-late",
        "e-fork",
        "s-gateway",
    }  # for these a damaged index does not say which lines exist
    for name, one in sessions.with_responses.items():
        assert name in told_by_forks or listed[name] == (sum(one.tokens), name in archived), name
    index = upgraded.opened()
    assert verify(index) == []


def no_moments(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE moments")


def a_column_more(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE moments ADD COLUMN more")


def a_view_of_claims(db: sqlite3.Connection) -> None:
    db.execute("CREATE VIEW odd AS SELECT family FROM claims")


def a_table_in_the_way(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE claims_3 (odd)")


@pytest.mark.parametrize(
    "damage", [a_text_for_a_number, a_table_missing, no_moments, a_column_more, a_view_of_claims, a_table_in_the_way]
)
def test_a_damaged_index_of_schema_3_keeps_its_archived_sessions(
    home: Home, damage: Callable[[sqlite3.Connection], None]
) -> None:
    for name, text in OF_VERSION_2.items():
        if name not in GONE:
            home.write(name, text)
    restore(home, 3)
    with closing(sqlite3.connect(database_of(home))) as db:
        told = as_was(db)
        damage(db)
        db.commit()
    assert "the index was damaged and has been rebuilt" in home.run("session").err
    index = home.opened()
    assert as_is(index) == told
    assert verify(index) == []


# --- afterwards --------------------------------------------------------------------------------------------------


def test_a_transcript_that_comes_back_is_counted_once(upgraded: Home) -> None:
    index = upgraded.opened()
    index.refresh()
    for name in (*GONE, *LATE):
        upgraded.write(name, TRANSCRIPTS[name])
    index.refresh()
    for mode in MODES:
        truth = fresh.read([upgraded.data], find_price).with_responses
        assert {one.id: as_shown(one) for one in index.sessions(mode)} == {
            name: as_read(one, mode) for name, one in truth.items()
        }
    assert not any(one.archived for one in index.sessions())
    assert verify(index) == []


@pytest.mark.parametrize("small", [True, False])
def test_one_session_is_right_before_the_migrated_index_is_complete(
    upgraded: Home, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    """This holds for a large history too, while everything still has to be read again."""
    sessions, archived = expected()
    for name in ("s-gone", "s-nameless", "s-live", "s-moved", "d-fork"):
        index = upgraded.opened()
        if small:
            index.refresh()
        reads = index.reads
        assert index.refresh_session(name)
        assert index.reads <= reads + 2  # only its own transcripts
        found = index.session(name)
        assert as_shown(found) == as_read(sessions[name], "auto")
        assert found.archived == (name in archived)
        index.close()


def payload(session: str) -> str:
    return json.dumps({"session_id": session, "cwd": "/home/me/proj", "cost": {"total_cost_usd": 7.77}})


def test_the_statusline_shows_the_clients_total_until_the_index_is_migrated(upgraded: Home) -> None:
    ran = upgraded.run("statusline", "--cost-source", "auto", input=payload("s-live"))
    assert (ran.code, ran.err) == (0, "")
    assert "$7.77" in ran.out
    until(lambda: version_of(upgraded) == schema.VERSION, "the sweep has migrated")
    until(lambda: "today" in upgraded.run("statusline", input=payload("s-live")).out, "the sweep has counted")
    ran = upgraded.run("statusline", "--cost-source", "both", input=payload("s-live"))
    assert "$0.01 ccusage" in ran.out


def test_the_prompt_shows_its_old_line_until_the_index_is_migrated(upgraded: Home) -> None:
    project = upgraded.path / "web"
    project.mkdir()
    folder = readyline.folder_name(os.path.realpath(project))
    upgraded.write(f"{folder}/s-prompt.jsonl", told("s-prompt", 1, at=moment()))
    path = readyline.path_of(readyline.lines_dir(str(database_of(upgraded).parent)), folder)
    os.makedirs(os.path.dirname(path), mode=0o700)
    readyline.write(path, "as of old", examined_ns=0, expires=0)
    assert upgraded.run("prompt", "--for", "starship", "--cwd", str(project)).out == "as of old\n"
    until(lambda: version_of(upgraded) == schema.VERSION, "the sweep has migrated")
    assert "$" in upgraded.run("prompt", "--for", "starship", "--cwd", str(project)).out


def test_the_doctor_says_that_the_index_is_an_older_versions(upgraded: Home) -> None:
    assert "an older version's" in upgraded.run("doctor").out
    assert upgraded.run("session").code == 0
    assert "an older version's" not in upgraded.run("doctor").out
