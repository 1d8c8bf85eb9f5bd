"""Questions over the whole index, or to what no session's name leads: for the command line proper. Tier 2."""

from __future__ import annotations

import os

from .. import accounting
from ..files import open_regular
from ..paths import DATABASE
from ..session import MODES, ModelUsage, Session
from ..transcripts.files import stem, walk
from .index import BY_PATH, FACTS, gather

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..transcripts.files import Walk
    from .index import Index


def all_sessions(index: Index, mode: str) -> list[Session]:
    """Every session that has responses, within the caller's snapshot."""
    index._load_names()
    texts = index._texts
    told = "coalesce(custom_title, ai_title, summary, client_cost) IS NOT NULL"
    facts = gather(index.db.execute(f"SELECT session, {FACTS} WHERE own AND {told} ORDER BY {BY_PATH}"))
    archived = _archived_sessions(index)
    models: dict[int, list[Any]] = {}
    unpriced = {"auto": "unpriced_auto", "calculate": "unpriced_calculate"}.get(mode, "0")
    columns = f"input, output, cache_creation, cache_read, {MODES[MODES.index(mode)]}, responses, {unpriced}"
    for session, model, *numbers in index.db.execute(f"SELECT session, model, {columns} FROM totals"):
        models.setdefault(session, []).append(ModelUsage(texts[model], *_whole(numbers)))
    found = []
    for session, first, last, project, responses, incomplete in index.db.execute("SELECT * FROM sessions"):
        title, client_cost = facts.get(session, (None, None))
        found.append(
            Session(
                texts[session],
                models.get(session, []),
                first,
                last,
                texts[project] or None,
                title,
                responses,
                incomplete,
                client_cost,
                session in archived,
            )
        )
    return found


def _archived_sessions(index: Index) -> set[int]:
    """The sessions all of whose lines are in vanished files (A13)."""
    if index.db.execute("SELECT 1 FROM files WHERE vanished LIMIT 1").fetchone() is None:
        return set()
    found = index.db.execute(
        "SELECT holds.session FROM holds JOIN files ON files.id = holds.file WHERE counted"
        " GROUP BY holds.session HAVING min(vanished)"
    )
    return {row[0] for row in found}


def _whole(numbers: list[Any]) -> list[int]:
    """Numbers as they come out of the database, where the largest are texts."""
    try:
        sum(numbers)
    except TypeError:
        return [int(number) for number in numbers]
    return numbers


def file_session(index: Index, path: str, mode: str = "auto", entries: bool = False) -> Session:
    """The responses that one transcript holds lines of, shown as a session named after the file."""
    return index.snapshot(lambda: _file_session(index, path, mode, entries))


def _file_session(index: Index, path: str, mode: str, entries: bool) -> Session:
    file = index._files("WHERE path = ?", (os.fsencode(path),))[0]
    counted = index.counted_in(file.id)
    sums = index._added(counted)
    number = index._known_id(file.session)
    facts = index._facts(number) if file.own and number is not None else None
    session = index._session(stem(os.path.basename(path)), sums, facts or (None, None), mode)
    session.archived = file.vanished
    if entries:
        session.entries = accounting.entries(counted, index.table, MODES.index(mode))
    return session


def transcripts_named(index: Index, name: str) -> list[str]:
    """Paths of the known transcripts whose file name, with or without its ending, is *name*."""
    wanted = stem(name)
    paths = sorted(os.fsdecode(row[0]) for row in index.db.execute("SELECT path FROM files"))
    return [path for path in paths if stem(os.path.basename(path)) == wanted]


def session_ids(index: Index) -> list[str]:
    """Ids of every session that has responses or a transcript named after it."""
    found = index.db.execute("SELECT session FROM sessions UNION SELECT session FROM files WHERE own")
    return sorted(index._text(row[0]) for row in found.fetchall())


def latest(index: Index) -> str | None:
    """The session with the newest response."""
    found = index.db.execute("SELECT session, last FROM sessions ORDER BY last DESC LIMIT 50").fetchall()
    return min((index._text(row[0]) for row in found if row[1] == found[0][1]), default=None)


def status(index: Index) -> list[tuple[str, object]]:
    """What the index holds, as (what, how much)."""
    found = walk(index.roots)
    files = index._files()
    bad = sum(file.bad for file in files)
    archived = sum(session.archived for session in index.sessions())
    size = sum(_size(os.path.join(index.folder, DATABASE + suffix)) for suffix in ("", "-wal"))
    told: list[tuple[str, object]] = [
        ("index", index.folder if index.stored else f"in memory: {index.why_not_stored}"),
        *(("data directory", root) for root in index.roots),
        ("complete", "yes" if index.complete else "no"),
        ("transcripts", sum(not file.vanished for file in files)),
        ("vanished transcripts", sum(bool(file.vanished) for file in files)),
        ("sessions", index.db.execute("SELECT count(*) FROM sessions").fetchone()[0]),
        ("archived sessions", archived),
        ("claims", index.db.execute("SELECT count(*) FROM claims").fetchone()[0]),
        ("bytes read", sum(file.seen for file in files)),
        ("bytes of index", size),
        ("bad lines", bad),
    ]
    told += [("bad lines in", f"{file.path}: {file.bad}") for file in files if file.bad]
    told += [("passed over", f"{path}: {reason}") for path, reason in found.passed_over]
    told += [("passed over", f"{path}: {reason}") for path, reason in _unreadable(found)]
    return told


def _unreadable(found: Walk) -> Iterator[tuple[str, str]]:
    """Transcripts that are there and can't be opened, with the reason."""
    for each in found.files:
        try:
            os.close(open_regular(each.path))
        except OSError as error:
            yield each.path, (error.strerror or str(error)).lower()


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
