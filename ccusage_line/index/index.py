"""The index: what was read of every transcript, kept so that a question reads only what came since.

Readers take no lock. Where the database can't be had, the same work is done on a copy in memory and nothing is stored.
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
    from typing import Any

    from ..accounting import Response
    from ..files import Dependency
    from ..prices.table import PriceTable
    from ..session import Session
    from ..transcripts.files import Walk
    from ..windows import Recent
    from .refresh import Look, Unchanged
    from .workers import Progress


class Index(Store):
    """One set of data directories: what can be asked of it, and bringing it up to date."""

    def __init__(
        self, folder: str, roots: list[str], table: PriceTable | None = None, wait: float = WAIT, migrate: bool = True
    ) -> None:
        """As Store, with the prices in use. Raises schema.Outdated where it is an older version's and *migrate* is
        false, UnreadableIndex where another process has it for longer than *wait* seconds."""
        super().__init__(folder, roots, table or in_use.table())
        try:
            self.db = _opened(folder, wait, migrate)
        except schema.Unusable as error:
            self.to_memory(schema.open_readable(folder, wait), str(error))

    def refresh(
        self, progress: Progress | None = None, found: Walk | None = None, patience: float | None = None
    ) -> Unchanged | None:
        """Bring everything up to date, with what was just *found* below the data directories; *patience* as in
        first.read_everything. Returns what there is where nothing had to be taken in."""
        if not self.complete:
            from .first import read_everything

            read_everything(self, progress, patience=patience)
            found = None
        done = refresh_all(self, found)
        if self.stored:
            recent.end_look(self.folder)
        told = recent.told_windows(self.folder)
        if told:
            from .slots import take_in_windows

            take_in_windows(self, told)
        return done

    def refresh_session(self, session: str) -> Look | None:
        """Bring one session up to date: its files and what is new in its project folders; None if it has none."""
        return refresh_session(self, session)

    def session(self, session: str, mode: str = "auto", entries: bool = False) -> Session | None:
        """What is known of one session; None where neither a transcript nor a response names it."""
        return self.snapshot(lambda: sessions.one_session(self, session, mode, entries))

    def sessions(self, mode: str = "auto") -> list[Session]:
        from .questions import all_sessions

        return self.snapshot(lambda: all_sessions(self, mode))

    def counted(self, session: str) -> list[Response]:
        return sessions.responses_of(self, session)

    def model_rows(self, session: str) -> list[tuple[Any, ...]]:
        """A session's models with their sums in every mode: (name, *sums by the places in session)."""
        return sessions.model_rows(self, session)

    def dependencies(self, session: str, looked: Look) -> list[Dependency] | None:
        """The files and folders that an answer about a session rests on, which refreshing it *looked* into; None where
        it can't be published."""
        found = sessions.dependencies(self, session, looked.folders)
        return None if found is None else found + looked.absent

    def moments(self, now: int) -> Recent:
        """The recent responses of all sessions: those that today and the block are made of."""
        from ..windows import known_windows, of_database

        return of_database(self.db, now, known_windows(recent.told_windows(self.folder)))

    def is_fork(self, session: str) -> bool:
        """Whether a session's own transcript holds copies of another's responses: it began as a fork."""
        return bool(self.parents(session))

    def parents(self, session: str) -> set[str]:
        """The sessions of whose responses a session's own transcript holds copies."""
        return sessions.parents(self, session)

    def last_context(self, session: str) -> tuple[int, str] | None:
        """(prompt tokens, model) of the last main-chain response in a session's transcript that names a model."""
        return sessions.last_context(self, session)


def prices_asked_for(environ: Mapping[str, str]) -> PriceTable:
    """The table in use, after the config file was read if that had to be done; one that can't be read counts as it was
    when it last could. For those that no command line read it for."""
    if stored.settled(environ) is None:
        from ..config import load
        from ..errors import UserError

        try:
            load(environ)
        except UserError:  # a command says what is wrong with it
            pass
    return in_use.table()


def _opened(folder: str, wait: float, migrate: bool) -> Connection:
    """The database, migrated where that is asked for, and begun anew where it is none. Raises as
    schema.open_database, but for Damaged."""
    try:
        return _of_today(folder, wait, migrate)
    except schema.Damaged:
        pass
    from .repair import mend

    try:
        mend(folder)
        return _of_today(folder, wait, migrate)
    except (schema.Damaged, OSError) as error:
        raise schema.Unusable(str(error)) from error


def _of_today(folder: str, wait: float, migrate: bool) -> Connection:
    try:
        return schema.open_database(folder, wait)
    except schema.Outdated:
        if not migrate:
            raise
    from .migration import migrate as to_today

    return schema.open_database(folder, wait, to_today)


class Lane2:
    """One session brought up to date, by the standard library alone."""

    def __init__(self, index: Index, session: Session, looked: Look) -> None:
        """*looked* is what refreshing the session has seen."""
        self.index = index
        self.session = session
        self._looked = looked

    def publish(self, moments: bool = False) -> None:
        """Publish the session's answer, where the lock is free and nothing it rests on is too young; with *moments* the
        recent responses of all sessions too.

        What is published is what the database holds under the lock, with the stats it was read at.
        """
        try:
            self._publish(moments)
        except schema.DatabaseError:  # what was asked is printed; the next process mends what is broken
            return

    def _publish(self, of_all: bool) -> None:
        index, name = self.index, self.session.id
        if self._looked.youngest + SETTLED > time.time_ns() or not index.lock_at_once():
            return
        try:
            dependencies = index.dependencies(name, self._looked)
            if dependencies is not None:
                dependencies += stored.dependencies(os.environ)
            if dependencies is not None and answer.settled(dependencies, time.time_ns()) and self._is_priced_so():
                found = index.session(name)
                now = time.time_ns() // 1000
                moments = index.moments(now) if of_all else None
                if found is not None:
                    told = answer.of_session(found, index.model_rows(name), index.is_fork(name), index.began(name))
                    answer.write(index.folder, stored.sources(os.environ), dependencies, told)
                    if moments is not None:
                        recent.write(index.folder, moments, now)
        finally:
            index.unlock()

    def _is_priced_so(self) -> bool:
        """Whether the prices are still those of the sums: a file that has just gone is not told by its age."""
        return in_use.table().fingerprint == self.index.table.fingerprint

    def leave(self) -> None:
        """Before the process ends without closing anything."""
        schema.leave(self.index.db, self.index.folder)


def refreshed(environ: Mapping[str, str], session: str, mode: str) -> Lane2 | None:
    """A session brought up to date; None where there is no complete index or no such session."""
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
        looked = index.refresh_session(session)
        found = index.session(session, mode)
    except schema.DatabaseError:  # damaged: the command line proper mends it
        return None
    return None if found is None or looked is None else Lane2(index, found, looked)
