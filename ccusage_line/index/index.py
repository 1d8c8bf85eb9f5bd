"""The index: what was read of every transcript, stored so that a question reads only what was appended since.

Readers take no lock. If the database can't be used, the same work is done on a copy in memory and nothing is stored.
"""

from __future__ import annotations

import os
import time

from .. import answer, recent
from ..files import SETTLED
from ..paths import data_dirs, index_dir
from ..prices import in_use, stored
from . import schema, sessions
from .refresh import refresh_all, refresh_session
from .store import WAIT, WAIT_ONE, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection

    from ..files import Dependency
    from ..prices.table import PriceTable
    from ..session import Session
    from ..transcripts.files import Walk
    from ..windows import Recent
    from .refresh import SessionFiles, Unchanged
    from .workers import Progress


class Index(Store):
    """The index of one set of data directories: it refreshes itself and answers questions."""

    counted = sessions.responses_of
    model_rows = sessions.model_rows
    parents = sessions.parents
    last_context = sessions.last_context

    def __init__(
        self, folder: str, roots: list[str], table: PriceTable | None = None, wait: float = WAIT, migrate: bool = True
    ) -> None:
        """Open the index, with the prices in use unless a *table* is given. Raises schema.Outdated if its schema is
        older and *migrate* is false, and UnreadableIndex if another process holds it for longer than *wait* seconds."""
        super().__init__(folder, roots, table or in_use.table())
        try:
            self.db = _open(folder, wait, migrate)
        except schema.Unusable as error:
            self.to_memory(schema.open_readable(folder, wait), str(error))

    def refresh(
        self, progress: Progress | None = None, found: Walk | None = None, patience: float | None = None
    ) -> Unchanged | None:
        """Bring everything up to date; *found* is what was just found below the data directories, *patience* is as in
        first.read_everything. Returns the transcripts if nothing had to be stored, else None."""
        if not self.complete:
            from .first import read_everything

            read_everything(self, progress, patience=patience)
            found = None
        done = refresh_all(self, found)
        if self.stored:
            recent.end_sweep(self.folder)
        reported = recent.read_windows(self.folder)
        if reported:
            from .slots import store_windows

            store_windows(self, reported)
        return done

    def refresh_session(self, session: str) -> SessionFiles | None:
        """Bring one session up to date as refresh.refresh_session does. Returns None if the session has no files."""
        return refresh_session(self, session)

    def session(self, session: str, mode: str = "auto", entries: bool = False) -> Session | None:
        """Return one session, or None if neither a transcript nor a response names it."""
        return self.snapshot(lambda: sessions.one_session(self, session, mode, entries))

    def sessions(self, mode: str = "auto") -> list[Session]:
        from .questions import all_sessions

        return self.snapshot(lambda: all_sessions(self, mode))

    def dependencies(self, session: str, files: SessionFiles) -> list[Dependency] | None:
        """Return the files and folders that an answer about a session depends on, among them those that its refresh
        visited (*files*), each with its stat. Returns None if the answer can't be published."""
        found = sessions.dependencies(self, session, files.folders)
        return None if found is None else found + files.absent

    def moments(self, now: int) -> Recent:
        """Return the recent responses of all sessions, from which today and the current block are computed."""
        from ..windows import known_windows, recent_moments

        return recent_moments(self.db, now, known_windows(recent.read_windows(self.folder)))

    def is_fork(self, session: str) -> bool:
        """Return whether a session began as a fork: its own transcript holds copies of another one's responses."""
        return bool(self.parents(session))


def configured_prices(environ: Mapping[str, str]) -> PriceTable:
    """Return the price table in use, for callers without a command line. Reads the config file first if that is
    necessary; one that can't be read counts as it was when it last could."""
    if stored.stored_config(environ) is None:
        from ..config import load
        from ..errors import UserError

        try:
            load(environ)
        except UserError:  # a command reports what is wrong with it
            pass
    return in_use.table()


def _open(folder: str, wait: float, migrate: bool) -> Connection:
    """Return the database, migrated if *migrate*, and begun anew if it is damaged. Raises what schema.open_database
    raises, except Damaged."""
    try:
        return _open_current(folder, wait, migrate)
    except schema.Damaged:
        pass
    from .repair import set_aside_if_damaged

    try:
        set_aside_if_damaged(folder)
        return _open_current(folder, wait, migrate)
    except (schema.Damaged, OSError) as error:
        raise schema.Unusable(str(error)) from error


def _open_current(folder: str, wait: float, migrate: bool) -> Connection:
    try:
        return schema.open_database(folder, wait)
    except schema.Outdated:
        if not migrate:
            raise
    from .migration import migrate as migrate_schema

    return schema.open_database(folder, wait, migrate_schema)


class RefreshedSession:
    """A session that was brought up to date with the standard library alone."""

    def __init__(self, index: Index, session: Session, files: SessionFiles) -> None:
        self.index = index
        self.session = session
        self._files = files

    def publish(self, moments: bool = False) -> None:
        """Publish the session's answer and, if *moments*, the recent responses of all sessions.

        Nothing is published if the lock is taken, or if a dependency changed so recently that another change might not
        show. What is published is what the database holds under the lock, with the stats as they were when it was read.
        """
        try:
            self._publish(moments)
        except schema.DatabaseError:  # the question is answered; the next process repairs the database
            return

    def _publish(self, with_moments: bool) -> None:
        index, name = self.index, self.session.id
        if self._files.last_change + SETTLED > time.time_ns() or not index.try_lock():
            return
        try:
            dependencies = index.dependencies(name, self._files)
            if dependencies is None:
                return
            dependencies += stored.dependencies(os.environ)
            if not answer.are_settled(dependencies, time.time_ns()) or not self._has_current_prices():
                return
            session = index.session(name)
            if session is None:
                return
            content = answer.of_session(session, index.model_rows(name), index.is_fork(name), index.began(name))
            answer.write(index.folder, stored.sources(os.environ), dependencies, content)
            if with_moments:
                now = time.time_ns() // 1000
                recent.write(index.folder, index.moments(now), now)
        finally:
            index.unlock()

    def _has_current_prices(self) -> bool:
        """Return whether the sums still have current prices: a deleted config file has no age that could show it."""
        return in_use.table().fingerprint == self.index.table.fingerprint

    def leave(self) -> None:
        """Leave the database at the end of the process, as schema.leave does."""
        schema.leave(self.index.db, self.index.folder)


def refresh_one(environ: Mapping[str, str], session: str, mode: str) -> RefreshedSession | None:
    """Return a session brought up to date, or None if there is no complete, current index or no such session."""
    roots = data_dirs(environ)
    folder = index_dir(environ, roots)
    if not os.path.exists(os.path.join(folder, schema.NAME)):
        return None
    try:
        index = Index(folder, roots, wait=WAIT_ONE, migrate=False)
    except schema.Outdated:
        return None
    try:
        if not index.stored or not index.complete:
            return None
        files = index.refresh_session(session)
        found = index.session(session, mode)
    except schema.DatabaseError:  # damaged: the full command line repairs it
        return None
    return None if found is None or files is None else RefreshedSession(index, found, files)
