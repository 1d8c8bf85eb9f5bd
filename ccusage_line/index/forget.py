"""Permanent erasure of what vanished transcripts said."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from .. import recent
from ..errors import UserError
from ..paths import LOG
from ..published import revoke
from . import schema
from .questions import session_ids
from .rebuild import drop_unused_names, revoke_everything
from .refresh import change
from .sessions import responses_of
from .slots import is_in_path
from .totals import recount_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from .index import Index
    from .store import Store

_PATIENCE = 5.0  # seconds to wait for readers that keep the log from being truncated


class Forgotten(NamedTuple):
    sessions: list[str]  # ids that were erased
    kept: list[str]  # ids that were asked for too, but whose transcripts still exist


def forget(
    index: Index, *, session: str | None = None, project: str | None = None, archived: bool = False
) -> Forgotten:
    """Erase for good what vanished transcripts said of one session, of a project's sessions, or of all archived ones.

    Afterwards the index is as if those lines had never been read, and no byte of them is left in its files. What
    existing transcripts say is not erased, because the next refresh would read it again; `kept` names their sessions.
    Raises UserError if nothing can be stored, or if another process kept the log from being truncated.
    """
    _prepare(index)
    done = Forgotten([], [])

    def work() -> None:
        wanted = _matching_sessions(index, session, project, archived)
        done.kept.extend(sorted(name for name in wanted if _is_live(index, name)))
        if _erase(index, wanted):
            revoke_everything(index)
        done.sessions.extend(sorted(wanted.difference(done.kept)))

    _apply(index, work)
    _erase_other_files(index.folder)
    _compact(index)
    return done


def forget_windows(index: Index) -> int:
    """Erase for good what the client reported about its plan's windows, and return how many there were.

    A window that is not over comes back when the client reports it again. Raises UserError as `forget` does.
    """
    _prepare(index)
    (count,) = index.db.execute("SELECT count(*) FROM windows").fetchone()

    def work() -> None:
        recent.forget_windows(index.folder)
        for name in os.listdir(index.folder):
            if name.startswith(f"{recent.WINDOWS}."):  # a temporary file that a killed process left
                revoke(os.path.join(index.folder, name))
        index.db.execute("DELETE FROM windows")

    _apply(index, work)
    _compact(index)
    return int(count)


def _prepare(index: Index) -> None:
    index.refresh()
    if not index.stored:
        raise UserError(f"nothing can be erased: the index can't be stored ({index.why_not_stored})")
    index.db.execute("PRAGMA secure_delete = ON")


def _apply(index: Index, work: Callable[[], object]) -> None:
    change(index, work)
    if not index.stored:
        raise UserError(f"nothing was erased: the index can't be written ({index.why_not_stored})")


def _matching_sessions(index: Index, session: str | None, project: str | None, archived: bool) -> set[str]:
    """Return the ids of the sessions that meet all the conditions given; none if no condition is given."""
    if session is None and project is None and not archived:
        return set()
    found = {each.id: each for each in index.sessions()}
    for name in session_ids(index):
        known = None if name in found else index.session(name)
        if known is not None:
            found[name] = known
    return {
        each.id
        for each in found.values()
        if (session is None or each.id == session)
        and (project is None or is_in_path(each.project_path or "", project))
        and (not archived or each.archived)
    }


def _is_live(index: Index, session: str) -> bool:
    known = index.session(session)
    return known is not None and not known.archived


def _erase(store: Store, wanted: set[str]) -> bool:
    """Delete the claims and files of these sessions whose transcripts have vanished. Returns whether there were any.

    A vanished transcript of a fork may hold lines of other sessions: those stay, under a path that reveals nothing.
    """
    keys: set[tuple[int, int, int]] = set()
    named_files: set[int] = set()  # the vanished files whose paths name these sessions
    for session in wanted:
        number = (store.known_number(session),)
        claims = (claim for response in responses_of(store, session) for claim in response.claims)
        keys.update((claim.group, claim.rest, claim.file) for claim in claims)
        keys.update(store.db.execute("SELECT group_id, rest, file FROM claims WHERE session = ?", number))
        found = store.db.execute("SELECT id FROM files WHERE session = ? AND vanished", number)
        named_files.update(file for (file,) in found)
    vanished = {file for (file,) in store.db.execute("SELECT id FROM files WHERE vanished")}
    keys = {key for key in keys if key[2] in vanished}
    store.db.executemany("DELETE FROM claims WHERE group_id = ? AND rest = ? AND file = ?", sorted(keys))
    for file in sorted(named_files | {file for _, _, file in keys}):
        other = store.db.execute("SELECT session FROM claims WHERE file = ? LIMIT 1", (file,)).fetchone()
        if other is None:
            store.db.execute("DELETE FROM files WHERE id = ?", (file,))
        elif file in named_files:
            _anonymize(store, file, other[0])
    if not keys and not named_files:
        return False
    recount_all(store)
    store.db.execute("DELETE FROM folders")
    drop_unused_names(store)
    return True


def _anonymize(store: Store, file: int, session: int) -> None:
    store.db.execute(
        "UPDATE files SET path = ?, session = ?, own = 0, seen = 0, head = x'', tail = x'', crc = NULL, began = NULL,"
        " custom_title = NULL, ai_title = NULL, summary = NULL, client_cost = NULL WHERE id = ?",
        (os.fsencode(os.path.join(store.roots[0], "-", f"forgotten-{file}.jsonl")), session, file),
    )


def _erase_other_files(folder: str) -> None:
    """Delete what reveals sessions beside the database: damaged databases and the statusline's log."""
    for path in (*schema.corrupt_files(folder), os.path.join(os.path.dirname(folder), LOG)):
        for suffix in schema.FILE_SUFFIXES:
            revoke(path + suffix)


def _compact(store: Store) -> None:
    """Rewrite the database without its free pages and truncate its log. Raises UserError if readers prevent that."""
    deadline = time.monotonic() + _PATIENCE
    store.db.execute("PRAGMA busy_timeout = 50")
    while True:
        try:
            store.db.execute("PRAGMA temp_store = MEMORY")  # no copy of the data in a shared temporary folder
            store.db.execute("VACUUM")
            if store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                return
        except schema.OperationalError:
            pass
        if time.monotonic() > deadline:
            raise UserError(
                "erased, but the log of the index still holds old data, because another process reads it; try again"
            )
        time.sleep(0.05)
