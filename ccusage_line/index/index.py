"""The index: what was read of every transcript, kept so that a question reads only what came since.

Readers take no lock. Where the database can't be had, the same work is done on a copy in memory and nothing is stored.
"""

from __future__ import annotations

from ..prices import in_use
from . import schema, sessions
from .refresh import refresh_all, refresh_session
from .store import WAIT, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection
    from typing import Any

    from ..accounting import Response
    from ..files import Dependency
    from ..prices.table import PriceTable
    from ..recent import Moment
    from ..session import Session
    from ..transcripts.files import Walk
    from .refresh import Look, Unchanged

    Progress = Callable[[int, int], None]  # bytes read, bytes in all


class Index(Store):
    """One set of data directories: what can be asked of it, and bringing it up to date."""

    def __init__(
        self, folder: str, roots: list[str], table: PriceTable | None = None, wait: float = WAIT, migrate: bool = True
    ) -> None:
        """As Store, with the prices in use. Raises schema.Outdated where it is an older version's and *migrate* is
        false."""
        super().__init__(folder, roots, table or in_use.table())
        try:
            self.db = _opened(folder, wait, migrate)
        except schema.Unusable as error:
            self.to_memory(schema.open_readable(folder), str(error))

    def refresh(self, progress: Progress | None = None, found: Walk | None = None) -> Unchanged | None:
        """Bring everything up to date, with what was just *found* below the data directories. Returns what there is
        where nothing had to be taken in."""
        if not self.complete:
            from .first import read_everything

            read_everything(self, progress)
            found = None
        return refresh_all(self, found)

    def refresh_session(self, session: str) -> Look | None:
        """Bring one session up to date: its files and what is new in its project folders; None if it has none."""
        return refresh_session(self, session)

    def session(self, session: str, mode: str = "auto", entries: bool = False) -> Session | None:
        """What is known of one session; None where neither a transcript nor a response names it."""
        return self.snapshot(lambda: sessions.one_session(self, session, mode, entries))

    def sessions(self, mode: str = "auto") -> list[Session]:
        """Every session that has responses."""
        from .questions import all_sessions

        return self.snapshot(lambda: all_sessions(self, mode))

    def counted(self, session: str) -> list[Response]:
        """A session's responses, from its claims."""
        return sessions.responses_of(self, session)

    def model_rows(self, session: str) -> list[tuple[Any, ...]]:
        """A session's models with their sums in every mode: (name, *sums by the places in session)."""
        return sessions.model_rows(self, session)

    def dependencies(self, session: str, folders: list[str]) -> list[Dependency] | None:
        """The files, and the *folders* looked into, that an answer about a session rests on; None where it can't be
        published."""
        return sessions.dependencies(self, session, folders)

    def moments(self, now: int) -> list[Moment]:
        """The recent responses of all sessions, oldest first: those that today and the block are made of."""
        from ..moments import of_database

        return of_database(self.db, now)

    def is_fork(self, session: str) -> bool:
        """Whether a session's own transcript holds copies of another's responses: it began as a fork."""
        return bool(self.parents(session))

    def parents(self, session: str) -> set[str]:
        """The sessions of whose responses a session's own transcript holds copies."""
        return sessions.parents(self, session)

    def last_context(self, session: str) -> tuple[int, str] | None:
        """(prompt tokens, model) of the last main-chain response in a session's transcript that names a model."""
        return sessions.last_context(self, session)


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
