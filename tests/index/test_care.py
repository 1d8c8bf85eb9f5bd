"""Care of the index: verify finds every planted fault, rebuild repairs it, forget leaves no byte, damage loses nothing
that can still be read."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import trees
from ccusage_line import answer
from ccusage_line.errors import UserError
from ccusage_line.index import forget as forgetting
from ccusage_line.index import migration, schema
from ccusage_line.index import rebuild as rebuilding
from ccusage_line.index.first import read_everything
from ccusage_line.index.forget import forget
from ccusage_line.index.index import Index
from ccusage_line.index.questions import session_ids
from ccusage_line.index.rebuild import rebuild
from ccusage_line.index.repair import recover_from, set_aside_if_damaged
from ccusage_line.index.sessions import one_session
from ccusage_line.index.store import in_memory
from ccusage_line.index.verify import verify
from ccusage_line.prices import stored
from compare import as_shown, assert_same, find_price
from conftest import ROOT, Home
from lines import ID, OTHER, append, line

SECRET = "33333333-3333-4333-8333-333333333333"
DB = schema.NAME


@pytest.fixture
def roots(tmp_path: Path) -> list[str]:
    projects = tmp_path / "data" / "projects"
    (projects / "-home-me-proj").mkdir(parents=True)
    return [str(projects)]


@pytest.fixture
def index(tmp_path: Path, roots: list[str]) -> Iterator[Index]:
    found = Index(str(tmp_path / "state" / "one"), roots)
    yield found
    found.close()


def write(roots: list[str], name: str, text: str) -> Path:
    path = Path(roots[0], name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def three_sessions(roots: list[str]) -> dict[str, Path]:
    """Write a plain session, one with a title, and one for a test to delete."""
    title = '{"type":"custom-title","customTitle":"a title"}\n'
    return {
        ID: write(roots, f"-home-me-proj/{ID}.jsonl", line() + line("m2", "r2", at="2026-05-02T10:00:00Z")),
        OTHER: write(roots, f"-home-me-proj/{OTHER}.jsonl", title + line("n1", "q1", OTHER)),
        SECRET: write(roots, f"-home-me-proj/{SECRET}.jsonl", line("s1", "t1", SECRET)),
    }


def one_gone(index: Index, roots: list[str]) -> dict[str, Path]:
    """Write three sessions, have them read, and delete the third one."""
    files = three_sessions(roots)
    index.refresh()
    files[SECRET].unlink()
    index.refresh()
    return files


# --- verify ------------------------------------------------------------------------------------------------------


def test_verify_and_rebuild_agree_with_every_history(tmp_path: Path) -> None:
    for seed in range(15):
        base = tmp_path / str(seed)
        root = base / "data"
        root.mkdir(parents=True)
        history = trees.History()
        index = Index(str(base / "state"), [str(root / "projects")])
        for step in trees.seeded_history(seed, size=8):
            history.apply(step, root)
            if isinstance(step, trees.Refresh):
                assert verify(index) == []
                rebuild(index)
                expected = history.expected(find_price)
                assert_same(index, expected.sessions, expected.archived)
            elif isinstance(step, trees.Ask):
                index.refresh_session(step.session)
        index.close()


FAULTS = {
    "a sum": ("UPDATE totals SET output = output + 1", "totals of"),
    "a session's time": ("UPDATE sessions SET last = last + 1", "sessions of"),
    "a response too few in the sums": ("UPDATE sessions SET responses = 0", "sessions of"),
    "a hold": ("UPDATE holds SET counted = 0", "holds of"),
    "a hold too many": ("INSERT INTO holds SELECT session, file + 1, 1 FROM holds WHERE file = 1", "holds of"),
    "moments": ("DELETE FROM moments", "moments of"),
    "a slot": ("UPDATE slots SET first = first - 1", "slots of"),
    "a claim's tokens": ("UPDATE claims SET input = input + 5", "different from the transcript"),
    "a missing claim": (
        "DELETE FROM claims WHERE timestamp = (SELECT max(timestamp) FROM claims)",
        "missing in the index",
    ),
    "a title": ("UPDATE files SET custom_title = x'41'", "custom_title is"),
    "an offset behind what was read": ("UPDATE files SET offset = offset - 1", "offset is"),
    "bad lines": ("UPDATE files SET bad = 7", "bad is 7"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_verify_names_a_planted_fault_and_rebuild_repairs_it(index: Index, roots: list[str], fault: str) -> None:
    three_sessions(roots)
    assert verify(index) == []
    statement, told = FAULTS[fault]
    index.db.execute("UPDATE files SET racy = 0")  # else they would be read again, because they are young
    index.db.execute(statement)
    found = verify(index)
    assert found
    assert any(told in line for line in found), found
    rebuild(index)
    assert verify(index) == []


def test_verify_names_a_published_answer_that_the_index_does_not_give(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", home.env)
    path = home.write(f"-home-me-proj/{ID}.jsonl", line())
    old = 1_700_000_000
    os.utime(path, (old, old))
    index = home.opened()
    index.refresh()
    session = index.session(ID)
    stat = os.stat(path)
    depends = [(str(path), (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))]
    config = stored.sources(os.environ)
    answer.write(index.folder, config, depends, answer.of_session(session, index.model_rows(ID), False))  # type: ignore[arg-type]
    assert answer.read(index.folder, ID, config) is not None
    assert verify(index) == []
    session.responses += 1
    answer.write(index.folder, config, depends, answer.of_session(session, index.model_rows(ID), False))  # type: ignore[arg-type]
    assert verify(index) == [f"published answer of {ID}: differs from the index"]
    rebuild(index)
    assert verify(index) == []


def test_a_fault_in_the_sums_of_an_archived_session_is_found_too(index: Index, roots: list[str]) -> None:
    one_gone(index, roots)
    number = index.known_number(SECRET)
    index.db.execute("UPDATE totals SET output = 1 WHERE session = ?", (number,))
    found = verify(index)
    assert len(found) == 1
    assert SECRET in found[0]


# --- rebuild -----------------------------------------------------------------------------------------------------


def test_rebuild_keeps_archived_sessions_and_what_cannot_be_read_now(index: Index, roots: list[str]) -> None:
    files = three_sessions(roots)
    index.refresh()
    files[SECRET].unlink()  # rebuild itself must notice it
    before = files[OTHER].read_text()
    rebuild(index)
    kept = {one.id: (one.output, one.archived) for one in index.sessions()}
    assert kept == {ID: (200, False), OTHER: (100, False), SECRET: (100, True)}
    # an unreadable file in place of a transcript is no reason to drop what that said
    files[OTHER].unlink()
    files[OTHER].mkdir()
    rebuild(index)
    assert {one.id: one.output for one in index.sessions()} == {ID: 200, OTHER: 100, SECRET: 100}
    files[OTHER].rmdir()
    files[OTHER].write_text(before)
    index.refresh()
    assert {one.id: one.archived for one in index.sessions()} == {ID: False, OTHER: False, SECRET: True}


def test_an_interrupted_rebuild_changes_nothing(
    index: Index, roots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_gone(index, roots)
    before = list(index.db.iterdump())

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rebuilding, "drop_unused_names", broken)
    with pytest.raises(KeyboardInterrupt):
        rebuild(index)
    assert list(index.db.iterdump()) == before


# --- forget ------------------------------------------------------------------------------------------------------


def bytes_below(folder: Path) -> bytes:
    return b"\n".join(path.name.encode() + path.read_bytes() for path in folder.rglob("*") if path.is_file())


def secret_line(**more: object) -> str:
    return line("s1", "t1", SECRET, cwd="/home/me/hush-hush", model="whispered-model", **more)


def test_what_is_forgotten_leaves_no_byte_in_the_state_folder(home: Home) -> None:
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    title = '{"type":"custom-title","customTitle":"an affair"}\n'
    secret = home.write(f"-home-me-hush-hush/{SECRET}.jsonl", secret_line() + title)
    home.write(f"-home-me-hush-hush/{SECRET}/subagents/agent-a1.jsonl", line("s2", "t2", SECRET, isSidechain=True))
    assert home.run("session", "--json").code == 0
    shutil.copy(home.index / DB, home.index / f"{DB}.corrupt-1")
    (home.state / "statusline.log").write_text("a reason\n")
    (home.index / "answers").mkdir(exist_ok=True)
    (home.index / "answers" / "0123.77").write_text(SECRET)  # left by a killed process
    shutil.rmtree(secret.parent)
    index = home.opened()
    assert SECRET.encode() in bytes_below(home.state)
    assert forget(index, session=SECRET) == ([SECRET], [])
    left = bytes_below(home.state)
    for word in (SECRET, "hush", "whispered", "affair", "a reason"):
        assert word.encode() not in left, word
    assert [one.id for one in index.sessions()] == [ID]
    assert verify(index) == []
    index.close()
    assert bytes_below(home.state).count(SECRET.encode()) == 0


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"session": SECRET}, id="a session"),
        pytest.param({"project": "hush"}, id="a project"),
        pytest.param({"archived": True}, id="all archived ones"),
        pytest.param({"project": "hush", "archived": True}, id="the archived ones of a project"),
    ],
)
def test_forget_erases_what_is_asked_and_nothing_else(index: Index, roots: list[str], asked: dict[str, object]) -> None:
    write(roots, f"-home-me-proj/{ID}.jsonl", line())
    secret = write(roots, f"-home-me-hush/{SECRET}.jsonl", secret_line())
    index.refresh()
    secret.unlink()
    assert forget(index, **asked) == ([SECRET], [])  # type: ignore[arg-type]
    assert [one.id for one in index.sessions()] == [ID]
    assert index.session(SECRET) is None
    index.refresh()
    assert [one.id for one in index.sessions()] == [ID]


def test_nothing_is_forgotten_if_nothing_is_asked_for_or_found(index: Index, roots: list[str]) -> None:
    three_sessions(roots)[SECRET].unlink()
    index.refresh()
    assert forget(index) == ([], [])
    assert forget(index, session="nobody") == ([], [])
    assert len(index.sessions()) == 2


def test_a_session_with_a_transcript_is_named_and_not_forgotten(index: Index, roots: list[str]) -> None:
    files = three_sessions(roots)
    agent = write(roots, f"-home-me-proj/{OTHER}/subagents/agent-a1.jsonl", line("a1", "b1", OTHER, isSidechain=True))
    index.refresh()
    agent.unlink()
    assert forget(index, session=OTHER) == ([], [OTHER])
    session = index.session(OTHER)
    assert session.output == 100  # only the index held the subagent's share
    files[OTHER].unlink()
    assert forget(index, session=OTHER) == ([OTHER], [])
    assert index.session(OTHER) is None


def test_a_forgotten_fork_keeps_the_lines_of_its_parent(index: Index, roots: list[str]) -> None:
    parent = line("m1", "r1", ID)
    fork = parent.replace(f'"sessionId":"{ID}"', f'"sessionId":"{SECRET}","requestSessionId":"{ID}"')
    files = [
        write(roots, f"-home-me-proj/{ID}.jsonl", parent),
        write(roots, f"-home-me-fork/{SECRET}.jsonl", fork + line("m2", "r2", SECRET)),
    ]
    index.refresh()
    files[0].unlink()
    index.refresh()
    files[1].unlink()
    index.refresh()
    parents = "(SELECT id FROM files WHERE path LIKE '%home-me-proj%')"  # only the fork holds its line now
    index.db.execute(f"DELETE FROM claims WHERE file = {parents}")
    index.db.execute(f"DELETE FROM files WHERE id = {parents}")
    assert forget(index, session=SECRET) == ([SECRET], [])
    assert {one.id: (one.output, one.archived) for one in index.sessions()} == {ID: (100, True)}
    assert SECRET.encode() not in bytes_below(Path(index.folder))
    assert verify(index) == []


def test_forget_refuses_if_it_cannot_write(roots: list[str], tmp_path: Path) -> None:
    three_sessions(roots)
    state = tmp_path / "a-file"
    state.write_text("")
    index = Index(str(state / "one"), roots)
    with pytest.raises(UserError, match="nothing can be erased"):
        forget(index, session=ID)
    assert len(index.sessions()) == 3
    index.close()


def test_forget_fails_if_a_reader_keeps_the_old_bytes(
    index: Index, roots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_gone(index, roots)
    reader = sqlite3.connect(os.path.join(index.folder, DB), isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM claims").fetchone() == (4,)
    monkeypatch.setattr(forgetting, "_PATIENCE", 0.1)
    with pytest.raises(UserError, match="because another process reads"):
        forget(index, session=SECRET)
    reader.close()
    assert forget(index, session=SECRET) == ([], [])  # only the log still held it
    assert SECRET.encode() not in bytes_below(Path(index.folder))


# --- damage ------------------------------------------------------------------------------------------------------

MANY = 60  # sessions, enough for several pages in every table


@pytest.fixture
def damaged_home(home: Home) -> Home:
    """Return a home with many sessions, two of them archived, whose database is closed."""
    for number in range(MANY):
        home.write(f"-home-me-proj/s-{number:03}.jsonl", "".join(many_lines(number)))
    gone = [home.write(f"-home-me-old/{name}.jsonl", line(name, name, name)) for name in ("old-1", "old-2")]
    assert home.run("session", "--json").code == 0
    for path in gone:
        path.unlink()
    assert outputs(home)["old-1"] == (100, True)
    sql(home.index / DB, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE")
    sql(home.index / DB, "PRAGMA journal_mode = WAL")
    return home


def sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """Return the result of the last of the statements, run on a database that nobody has open."""
    found = []
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            found = db.execute(statement).fetchall()
    return found


def many_lines(number: int) -> list[str]:
    return [line(f"m{number}-{i}", f"r{number}-{i}", f"s-{number:03}") for i in range(5)]


def outputs(home: Home, *warned: str) -> dict[str, tuple[int, bool]]:
    """Return output tokens and archived mark of every session in the report; *warned*: words that stderr must hold."""
    ran = home.run("session", "--json")
    assert ran.code == 0, ran.err
    assert all(word in ran.err for word in warned) if warned else ran.err == "", ran.err
    return {row["sessionId"]: (row["outputTokens"], row["archived"]) for row in json.loads(ran.out)["sessions"]}


LIVE = {f"s-{number:03}": (500, False) for number in range(MANY)}
OLD = {"old-1": (100, True), "old-2": (100, True)}


Damage = Callable[[Path], object]


def pages_of(path: Path, *tables: str) -> list[int]:
    """Return the page numbers of tables and indexes, by walking their trees, because SQLite may lack dbstat here."""
    data = path.read_bytes()
    size = int.from_bytes(data[16:18], "big")
    roots = [root for name, root in sql(path, "SELECT name, rootpage FROM sqlite_master") if name in tables]
    found = []
    while roots:
        page = roots.pop()
        found.append(page)
        start = (page - 1) * size
        if data[start] in (2, 5):  # an inner page has children
            cells = int.from_bytes(data[start + 3 : start + 5], "big")
            roots.append(int.from_bytes(data[start + 8 : start + 12], "big"))
            for cell in range(cells):
                at = start + int.from_bytes(data[start + 12 + 2 * cell : start + 14 + 2 * cell], "big")
                roots.append(int.from_bytes(data[at : at + 4], "big"))
    return sorted(found)


def blot(path: Path, pages: list[int]) -> None:
    size = int.from_bytes(path.read_bytes()[16:18], "big")
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)


def sums_blotted(path: Path) -> None:
    blot(path, pages_of(path, "totals", "sessions"))


def an_index_page_blotted(path: Path) -> None:
    blot(path, pages_of(path, "claims_of_session")[-1:])


def a_claims_page_blotted(path: Path) -> None:
    pages = pages_of(path, "claims")
    blot(path, pages[len(pages) // 2 : len(pages) // 2 + 1])


def replaced(old: bytes, new: bytes) -> Damage:
    return lambda path: path.write_bytes(path.read_bytes().replace(old, new, 1))


DAMAGES: dict[str, tuple[Damage, bool]] = {  # how, and whether all archived sessions can still be read
    "header": (replaced(b"SQLite format 3", b"no database at"), False),
    "cut in half": (lambda path: os.truncate(path, path.stat().st_size // 2), False),
    "emptied": (lambda path: os.truncate(path, 0), False),
    "noise": (lambda path: path.write_bytes(b"\xa5" * path.stat().st_size), False),
    "sums blotted": (sums_blotted, True),
    "an index page blotted": (an_index_page_blotted, True),
    "a claims page blotted": (a_claims_page_blotted, False),
    "names blotted": (lambda path: blot(path, pages_of(path, "names")), True),
    "a table dropped": (lambda path: sql(path, "DROP TABLE totals"), True),
    # SQLite's message about this cannot be decoded.
    "a schema that is no text": (replaced(b"CREATE TABLE holds (", b"CREATE TABLE holds \xf2"), False),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_index_is_set_aside_and_read_anew(damaged_home: Home, name: str) -> None:
    damage, readable = DAMAGES[name]
    folder = damaged_home.index
    damage(folder / DB)
    for path in damaged_home.projects.rglob("*.jsonl"):  # so that every page is needed
        append(path, line(f"more-{path.stem}", "r", path.stem))
    live = {name: (output + 100, False) for name, (output, _) in LIVE.items()}
    if name == "emptied":  # an empty file is as good as new, so nothing is set aside
        assert outputs(damaged_home) == live
        assert not list(folder.glob("*.corrupt-*"))
        return
    found = outputs(damaged_home, "the index was damaged and has been rebuilt")
    assert live.items() <= found.items()
    assert found.keys() <= live.keys() | OLD.keys()
    assert all(found[name] == OLD[name] for name in OLD.keys() & found.keys())
    if readable:
        assert found == live | OLD
    assert outputs(damaged_home) == found  # it is shown once
    assert len([path for path in folder.glob("*.corrupt-*") if path.name[-1].isdigit()]) == 1
    index = damaged_home.opened()
    assert verify(index) == []


def test_only_whole_sessions_are_carried_over_from_a_damaged_index(damaged_home: Home) -> None:
    """The stat of an archived session's file is a text: that session is lost, and nothing else fails."""
    path = damaged_home.index / DB
    spoil = "UPDATE files SET device = 'x', mtime = 'y' WHERE CAST(path AS TEXT) LIKE '%old-1.jsonl'"
    sql(path, spoil, "DROP TABLE totals")
    assert outputs(damaged_home, "has been rebuilt") == LIVE | {"old-2": (100, True)}
    assert outputs(damaged_home) == LIVE | {"old-2": (100, True)}
    assert damaged_home.run("index", "verify").code == 0


RANDOM_DAMAGE = int(os.environ.get("CCUSAGE_RANDOM_DAMAGE", "12"))  # number of runs


def test_bytes_changed_at_random_are_noticed_or_harmless_or_found_by_verify(damaged_home: Home) -> None:
    """SQLite has no checksums: a changed number may go unnoticed, but `verify` names it and `rebuild` repairs it."""
    home = damaged_home
    path = home.index / DB
    whole, outcomes = path.read_bytes(), Counter[str]()
    for seed in range(RANDOM_DAMAGE):
        dice = random.Random(seed)
        data = bytearray(whole)
        for _ in range(dice.choice((1, 1, 4, 64))):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        for other in path.parent.iterdir():
            shutil.rmtree(other) if other.is_dir() else other.unlink()
        path.write_bytes(data)
        ran = home.run("session", "--json")
        alone = home.run("session", "--id", "s-007", "--jq", ".outputTokens")
        assert (ran.code, alone.code) == (0, 0), (seed, ran.err, alone.err)
        assert "Traceback" not in ran.err + alone.err, seed
        found = {row["sessionId"]: (row["outputTokens"], row["archived"]) for row in json.loads(ran.out)["sessions"]}
        noticed = "was damaged" in ran.err
        right = LIVE.items() <= found.items() and alone.out == "500\n"
        if noticed:
            wrong = {name: found.get(name) for name, said in LIVE.items() if found.get(name) != said}
            assert right, (seed, wrong, alone, ran.err)
        verified = home.run("index", "verify")
        assert "Traceback" not in verified.err, seed
        assert right or verified.code == 1, seed
        outcomes["noticed" if noticed else "found by verify" if verified.code else "harmless"] += 1
        if verified.code:
            assert home.run("index", "rebuild").code == 0, seed
            assert LIVE.items() <= outputs(home).items(), seed
            assert home.run("index", "verify").code == 0, seed
    print(dict(outcomes))  # for the figures of a long run
    assert outcomes["noticed"]


def test_verify_finds_damage_on_pages_that_no_question_needs(damaged_home: Home) -> None:
    folder = damaged_home.index
    an_index_page_blotted(folder / DB)
    assert outputs(damaged_home) == LIVE | OLD
    index = damaged_home.opened()
    found = verify(index)
    assert found
    assert all(line.startswith("database: ") for line in found)


def test_one_session_is_answered_from_a_damaged_index_too(damaged_home: Home) -> None:
    sums_blotted(damaged_home.index / DB)
    ran = damaged_home.run("session", "--id", "s-007", "--jq", ".outputTokens")
    assert (ran.code, ran.out) == (0, "500\n")
    assert "the index was damaged" in ran.err
    ran = damaged_home.run("session", "--id", "old-2", "--jq", ".archived")
    assert (ran.code, ran.out, ran.err) == (0, "true\n", "")


def test_the_log_of_a_damaged_index_is_read_too(home: Home) -> None:
    """What is in the write-ahead log alone is set aside with the database."""
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    gone = home.write("-home-me-old/old-1.jsonl", line("old-1", "old-1", "old-1"))
    folder = home.index
    index = home.opened()
    index.refresh()
    gone.unlink()
    index.refresh()
    kept = {suffix: (folder / (DB + suffix)).read_bytes() for suffix in ("", "-wal")}
    assert len(kept["-wal"]) > len(kept[""])
    index.close()
    for suffix, data in kept.items():
        (folder / (DB + suffix)).write_bytes(data)
    assert schema.set_aside(str(folder / DB))
    assert outputs(home, "the data of 1 deleted transcript was recovered") == {ID: (100, False), "old-1": (100, True)}


def test_what_was_carried_over_is_not_taken_from_a_transcript_that_came_back(damaged_home: Home) -> None:
    damaged_home.write("-home-me-old/old-1.jsonl", line("old-1", "old-1", "old-1") + line("x", "x", "old-1"))
    sums_blotted(damaged_home.index / DB)
    found = outputs(damaged_home, "the data of 1 deleted transcript was recovered")
    assert found == LIVE | {"old-1": (200, False), "old-2": (100, True)}


def test_damage_after_damage_keeps_what_was_carried_over(damaged_home: Home) -> None:
    folder = damaged_home.index
    for _ in range(3):
        sums_blotted(folder / DB)
        assert outputs(damaged_home, "damaged") == LIVE | OLD
        sql(folder / DB, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert len([path for path in folder.glob("*.corrupt-*") if path.name[-1].isdigit()]) == 1


def test_a_whole_database_is_not_set_aside(damaged_home: Home) -> None:
    folder = damaged_home.index
    set_aside_if_damaged(str(folder))
    error = schema.DatabaseError("database disk image is malformed")
    assert recover_from(damaged_home.env, error)  # another process may have repaired it, so asking again is right
    assert not recover_from(damaged_home.env, schema.OperationalError("database is locked"))
    assert not recover_from(damaged_home.env, schema.OperationalError("database or disk is full"))
    assert not list(folder.glob("*.corrupt-*"))
    assert outputs(damaged_home) == LIVE | OLD


# --- versions of the schema --------------------------------------------------------------------------------------


def version_of(path: Path) -> object:
    return sql(path, "PRAGMA user_version")[0][0]


def steps(*statements: str) -> Callable[[sqlite3.Connection], None]:
    """Return migration steps that are made up for a test."""

    def migrate(db: sqlite3.Connection) -> None:
        for statement in statements:
            db.execute(statement)

    return migrate


def test_a_migration_that_fails_changes_nothing(
    index: Index, roots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    three_sessions(roots)
    index.refresh()
    index.close()
    version = schema.VERSION
    script = steps("ALTER TABLE meta ADD COLUMN note TEXT", "UPDATE nothing SET note = 'moved'")
    monkeypatch.setattr(schema, "VERSION", version + 1)
    monkeypatch.setattr(migration, "STEPS", {**migration.STEPS, version: script})
    later = Index(index.folder, roots)
    assert not later.stored
    later.refresh()
    assert len(later.sessions()) == 3
    later.close()
    path = Path(index.folder, DB)
    assert version_of(path) == version
    assert len(sql(path, "SELECT * FROM meta")[0]) == 2


def test_every_older_version_has_its_migration() -> None:
    assert set(migration.STEPS) == set(range(1, schema.VERSION))


def test_a_newer_schema_is_left_alone_and_the_answer_comes_from_memory(home: Home) -> None:
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    assert home.run("session", "--json").code == 0
    path = home.index / DB
    sql(path, f"PRAGMA user_version = {schema.VERSION + 1}", "PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    ran = home.run("session", "--json")
    assert (ran.code, json.loads(ran.out)["totals"]["outputTokens"]) == (0, 100)
    assert "written by a newer version" in ran.err
    ran = home.run("session", "--id", ID, "--jq", ".outputTokens")
    assert (ran.code, ran.out) == (0, "100\n")
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.corrupt-*"))


def test_two_versions_that_take_turns_give_the_same_answers_and_lose_nothing(
    index: Index, roots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This version and a made-up next one share a state folder: the older one does not store what it counts."""
    paths = one_gone(index, roots)
    index.close()
    this = schema.VERSION
    expected = {ID: 200, OTHER: 100, SECRET: 100}
    for turn in range(6):
        newer = turn % 2 == 0
        monkeypatch.setattr(schema, "VERSION", this + newer)
        script = {this: steps("ALTER TABLE meta ADD COLUMN note TEXT")} if newer else {}
        monkeypatch.setattr(migration, "STEPS", script)
        append(paths[ID], line(f"turn{turn}", "r"))
        expected[ID] += 100
        used = Index(index.folder, roots)
        used.refresh_session(ID)
        alone = used.session(ID)
        assert alone.output == expected[ID]
        used.refresh()
        listed = {one.id: one.output for one in used.sessions()}
        assert listed == (expected if newer else {ID: expected[ID], OTHER: 100})  # the older can't read the archive
        assert used.stored is newer
        used.close()
        assert version_of(Path(index.folder, DB)) == this + 1
    assert sql(Path(index.folder, DB), "PRAGMA integrity_check") == [("ok",)]


# --- links (A1, A7) ----------------------------------------------------------------------------------------------


class Linked:
    """Two data directories and a folder beside them, with hard links, symbolic links and loops between them."""

    def __init__(self, base: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.folders = [base / "a" / "projects", base / "b" / "projects", base / "outside"]
        for folder in self.folders:
            folder.mkdir(parents=True)
        self.roots = sorted(os.path.realpath(folder) for folder in self.folders[:2])
        self.written: list[Path] = []
        self.waiting = [
            (self.dice.choice(self.folders) / path, trees.chunks(trees.dice_of_seed(seed), data))
            for number in range(2)
            for path, data in trees.seeded_tree(seed * 2 + number, size=6).items()
        ]

    def append(self) -> None:
        path, pieces = self.dice.choice(self.waiting)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(pieces.pop(0))
        self.written.append(path)
        self.waiting = [each for each in self.waiting if each[1]]

    def link(self) -> None:
        root = Path(self.dice.choice(self.roots))
        project = root / self.dice.choice(trees.PROJECTS)
        project.mkdir(exist_ok=True)
        path = self.dice.choice(self.written)
        name = self.dice.choice([path.name, "s-one.jsonl", "x.jsonl"])
        kind = self.dice.randrange(5)
        try:
            if kind == 0:
                os.link(path, project / name)
            elif kind == 1:
                (project / name).symlink_to(path)
            elif kind == 2:
                (project / "broken.jsonl").symlink_to("nothing")
            elif kind == 3:
                (project / "loop").symlink_to(self.dice.choice([".", "..", "loop"]))
            else:
                (root / self.dice.choice(["-linked", trees.PROJECTS[0] + "/deep"])).symlink_to(path.parent)
        except OSError:
            return  # it exists already


def as_fresh(index: Index) -> None:
    """Check that the index answers as a new one does, about everything that either knows."""
    with closing(in_memory(index.roots, index.table)) as anew:
        read_everything(anew, plainly=True)
        assert session_ids(index) == session_ids(anew)
        for id in session_ids(anew):
            known, read = index.session(id, entries=True), one_session(anew, id, "auto", entries=True)
            assert as_shown(known) == as_shown(read)
            assert (known.project_path, known.archived) == (read.project_path, read.archived)


def test_a_file_with_several_links_is_one_file_whatever_was_asked_before(tmp_path: Path) -> None:
    for seed in range(25):
        base = tmp_path / str(seed)
        linked = Linked(base, seed)
        index = Index(str(base / "state"), linked.roots)
        while linked.waiting:
            what = linked.dice.randrange(10)
            if what < 6 or not linked.written:
                linked.append()
            elif what < 8:
                linked.link()
            elif what == 8:
                index.refresh_session(linked.dice.choice([*trees.SESSIONS, "agent-a3", "x"]))
            else:
                index.refresh()
                as_fresh(index)
        assert verify(index) == []
        as_fresh(index)
        index.close()


def test_a_question_counts_a_new_file_with_two_links_once(index: Index, roots: list[str]) -> None:
    bare = line().replace(f'"sessionId":"{ID}",', "")
    path = write(roots, f"-home-me-proj/{ID}.jsonl", bare)
    (path.parent / "y.jsonl").symlink_to(path.name)
    os.link(path, path.parent / "z.jsonl")
    assert index.refresh_session("z")
    index.refresh()
    assert [(one.id, one.output) for one in index.sessions()] == [(ID, 100)]
    assert session_ids(index) == [ID]


def test_a_broken_link_does_not_hide_what_is_new_beside_it(index: Index, roots: list[str]) -> None:
    path = write(roots, f"-home-me-proj/{ID}.jsonl", line())
    index.refresh()
    folder = path.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    (folder / "agent-a0.jsonl").symlink_to("nothing")
    write(roots, f"-home-me-proj/{ID}/subagents/agent-a1.jsonl", line("a1", "a1", isSidechain=True))
    assert index.refresh_session(ID)
    session = index.session(ID)
    assert session.output == 200


def test_a_moved_transcript_without_cwd_is_of_its_new_project(index: Index, roots: list[str]) -> None:
    bare = line().replace('"cwd":"/home/me/proj",', "")
    path = write(roots, f"-home-me-old/{ID}.jsonl", bare)
    index.refresh()
    target = Path(roots[0], "-home-me-proj", path.name)
    path.rename(target)
    index.refresh()
    session = index.session(ID)
    assert session.project_path == "-home-me-proj"
    assert verify(index) == []


# --- docs/state.md -----------------------------------------------------------------------------------------------


def test_every_file_of_the_state_folder_is_explained(damaged_home: Home) -> None:
    page = (ROOT / "docs" / "state.md").read_text()
    sums_blotted(damaged_home.index / DB)
    for path in damaged_home.projects.rglob("*.jsonl"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    payload = json.dumps({"session_id": "s-001", "cwd": "/home/me/proj"})
    for args in (["session"], ["session", "--id", "s-001", "--json"], ["statusline"], ["statusline", "--nonsense"]):
        assert damaged_home.run(*args, input=payload).code == 0
    found = {path.relative_to(damaged_home.state).parts for path in damaged_home.state.rglob("*") if path.is_file()}
    names = {parts[0] if len(parts) == 1 else parts[1] for parts in found}
    assert {DB, "mend.lock"} <= names
    for name in names:
        known = "index.db.corrupt-" if ".corrupt-" in name else name
        assert f"`{known}" in page, name
