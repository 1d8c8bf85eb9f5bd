"""Lane 2: one session after its appended lines are counted, by the standard library alone."""

from __future__ import annotations

import os
import time

from ..answer import of_session, settled, write
from ..files import SETTLED
from ..paths import data_dirs, index_dir
from ..prices.stored import dependencies as configuration
from ..prices.stored import sources
from ..recent import write as write_recent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..session import Session
    from .index import Index
    from .refresh import Look


class Lane2:
    """One session brought up to date."""

    def __init__(self, index: Index, session: Session, looked: Look) -> None:
        """*looked* is what refreshing the session has seen."""
        self.index = index
        self.session = session
        self._looked = looked

    def publish(self, recent: bool = False) -> None:
        """Publish the session's answer, where the lock is free and nothing it rests on is too young; with *recent* the
        recent responses of all sessions too.

        What is published is what the database holds under the lock, with the stats it was read at.
        """
        from .schema import DatabaseError

        try:
            self._publish(recent)
        except DatabaseError:  # the answer has been given; the next process mends what is broken
            return

    def _publish(self, recent: bool) -> None:
        index, name = self.index, self.session.id
        if self._looked.youngest + SETTLED > time.time_ns() or not index.lock_at_once():
            return
        try:
            dependencies = index.dependencies(name, self._looked.folders)
            if dependencies is not None:
                dependencies += configuration(os.environ)
            if dependencies is not None and settled(dependencies, time.time_ns()) and self._is_priced_so():
                found = index.session(name)
                moments = index.moments(time.time_ns() // 1000) if recent else None
                if found is not None:
                    answer = of_session(found, index.model_rows(name), index.is_fork(name), index.began(name))
                    write(index.folder, sources(os.environ), dependencies, answer)
                    if moments is not None:
                        write_recent(index.folder, moments)
        finally:
            index.unlock()

    def _is_priced_so(self) -> bool:
        """Whether the prices are still those of the sums: a file that has just gone is not told by its age."""
        from ..prices.in_use import table

        return table().fingerprint == self.index.table.fingerprint

    def leave(self) -> None:
        """Before the process ends without closing anything."""
        from .schema import leave

        leave(self.index.db, self.index.folder)


def refreshed(environ: Mapping[str, str], session: str, mode: str) -> Lane2 | None:
    """A session brought up to date; None where there is no complete index or no such session."""
    from .schema import NAME, DatabaseError, Outdated

    folder = index_dir(environ)
    if not os.path.exists(os.path.join(folder, NAME)):
        return None
    from .index import Index
    from .store import WAIT_ONE

    try:
        index = Index(folder, data_dirs(environ), wait=WAIT_ONE, migrate=False)
    except Outdated:
        return None
    try:
        if not index.stored or not index.complete:
            return None
        looked = index.refresh_session(session)
        found = index.session(session, mode)
    except DatabaseError:  # damaged: the command line proper mends it
        return None
    return None if found is None or looked is None else Lane2(index, found, looked)
