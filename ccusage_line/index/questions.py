"""Questions about the whole index, or by something other than a session's id: for the full command line."""

from __future__ import annotations

import os

from .. import accounting
from ..files import open_regular, stat_of
from ..paths import DATABASE
from ..session import MODES, ModelUsage, Session
from ..text import count_text, human_size
from ..transcripts.files import reason_of, stem, walk
from .sessions import BY_PATH, FACTS, add_up, facts_by_session, facts_of, make_session, responses_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..transcripts.files import Walk
    from .store import Store


def all_sessions(store: Store, mode: str) -> list[Session]:
    """Return every session that has responses. Runs within the caller's snapshot."""
    texts = store.load_names()
    has_facts = "coalesce(custom_title, ai_title, summary, client_cost) IS NOT NULL"
    facts = facts_by_session(store.db.execute(f"SELECT session, {FACTS} WHERE own AND {has_facts} ORDER BY {BY_PATH}"))
    archived = _archived_sessions(store)
    models: dict[int, list[ModelUsage]] = {}
    unpriced = {"auto": "unpriced_auto", "calculate": "unpriced_calculate"}.get(mode, "0")
    columns = f"input, output, cache_creation, cache_read, {MODES[MODES.index(mode)]}, responses, {unpriced}"
    for session, model, *numbers in store.db.execute(f"SELECT session, model, {columns} FROM totals"):
        models.setdefault(session, []).append(ModelUsage(texts[model], *_as_integers(numbers)))
    found = []
    for session, first, last, project, responses, incomplete in store.db.execute("SELECT * FROM sessions"):
        title, cost = facts.get(session, (None, None))
        usage, path = models.get(session, []), texts[project] or None
        found.append(
            Session(texts[session], usage, first, last, path, title, responses, incomplete, cost, session in archived)
        )
    return found


def active_since(store: Store, since: int) -> list[str]:
    """Return the sessions with a response or a changed transcript since a time in microseconds."""
    found = store.db.execute(
        "SELECT session FROM sessions WHERE last >= ? UNION"
        " SELECT session FROM files WHERE mtime >= ? AND NOT vanished",
        (since, since * 1000),
    )
    return [store.text_of(number) for (number,) in found.fetchall()]


def bytes_read(store: Store) -> int:
    return int(store.db.execute("SELECT ifnull(sum(seen), 0) FROM files WHERE NOT vanished").fetchone()[0])


def _archived_sessions(store: Store) -> set[int]:
    """Return the sessions all of whose lines are in vanished files (A13)."""
    if store.db.execute("SELECT 1 FROM files WHERE vanished LIMIT 1").fetchone() is None:
        return set()
    found = store.db.execute(
        "SELECT holds.session FROM holds JOIN files ON files.id = holds.file WHERE counted"
        " GROUP BY holds.session HAVING min(vanished)"
    )
    return {row[0] for row in found}


def _as_integers(numbers: list[Any]) -> list[int]:
    """Return numbers from the database as integers: those that do not fit 64 bits are stored as text."""
    try:
        sum(numbers)
    except TypeError:
        return [int(number) for number in numbers]
    return numbers


def archived_within(store: Store, begin: int, end: int) -> list[str]:
    """Return the project of each session that was active in [begin, end) and all of whose transcripts are gone."""
    archived = _archived_sessions(store)
    if not archived:
        return []
    found = store.db.execute("SELECT session, project FROM sessions WHERE first < ? AND last >= ?", (end, begin))
    return [store.text_of(project) for session, project in found.fetchall() if session in archived]


def file_session(store: Store, path: str, mode: str = "auto", entries: bool = False) -> Session:
    """Return the responses that one transcript holds lines of, as a session named after the file."""
    return store.snapshot(lambda: _file_session(store, path, mode, entries))


def _file_session(store: Store, path: str, mode: str, entries: bool) -> Session:
    (file,) = store.files_at(path).values()
    counted = responses_in(store, file.id)
    sums = add_up(store, counted)
    number = store.known_number(file.session)
    facts = facts_of(store, number) if file.own and number is not None else None
    session = make_session(stem(os.path.basename(path)), sums, facts or (None, None), mode)
    session.archived = file.vanished
    if entries:
        session.entries = accounting.entries(counted, store.table, MODES.index(mode))
    return session


def transcripts_named(store: Store, name: str) -> list[str]:
    """Return the paths of the known transcripts whose file name, with or without its extension, is *name*."""
    wanted = stem(name)
    paths = sorted(os.fsdecode(row[0]) for row in store.db.execute("SELECT path FROM files"))
    return [path for path in paths if stem(os.path.basename(path)) == wanted]


def session_ids(store: Store) -> list[str]:
    """Return the ids of all sessions that have responses or a transcript named after them."""
    found = store.db.execute("SELECT session FROM sessions UNION SELECT session FROM files WHERE own")
    return sorted(store.text_of(session) for (session,) in found.fetchall())


def latest(store: Store) -> str | None:
    """Return the session with the latest response, the first by name if there are several, or None if there is none."""
    latest = store.db.execute("SELECT session FROM sessions WHERE last = (SELECT max(last) FROM sessions)")
    return min((store.text_of(session) for (session,) in latest.fetchall()), default=None)


def contents(store: Store) -> str:
    """Return in a few words how much the index holds."""
    (files,) = store.db.execute("SELECT count(*) FROM files WHERE NOT vanished").fetchone()
    (sessions,) = store.db.execute("SELECT count(*) FROM sessions").fetchone()
    return f"{count_text(files, 'transcript')} ({human_size(bytes_read(store))}), {count_text(sessions, 'session')}"


def status(store: Store) -> list[tuple[str, object]]:
    """Return the rows of `ccusage index status`."""
    found = walk(store.roots)
    files = store.files()
    sessions = {row[0] for row in store.db.execute("SELECT session FROM sessions")}
    stats = [stat_of(os.path.join(store.folder, DATABASE + suffix)) for suffix in ("", "-wal")]
    lines: list[tuple[str, object]] = [
        ("index", store.folder if store.stored else f"in memory: {store.why_not_stored}"),
        *(("data directory", root) for root in store.roots),
        ("all transcripts read", "yes" if store.complete else "no"),
        ("transcripts", sum(not file.vanished for file in files)),
        ("transcripts that are gone", sum(bool(file.vanished) for file in files)),
        ("sessions", len(sessions)),
        ("archived sessions", len(_archived_sessions(store) & sessions)),
        ("responses in transcripts", store.db.execute("SELECT count(*) FROM claims").fetchone()[0]),
        ("read", human_size(sum(file.seen for file in files))),
        ("size of index", human_size(sum(stat[2] for stat in stats if stat is not None))),
        ("lines that can't be read", sum(file.bad for file in files)),
    ]
    lines += [("unreadable lines in", f"{file.path}: {file.bad}") for file in files if file.bad]
    return lines + [("not read", f"{path}: {reason}") for path, reason in (*found.skipped, *_unreadable(found))]


def _unreadable(found: Walk) -> Iterator[tuple[str, str]]:
    """Yield each transcript that exists but can't be opened, with the reason."""
    for transcript in found.files:
        try:
            os.close(open_regular(transcript.path))
        except OSError as error:
            yield transcript.path, reason_of(error)
