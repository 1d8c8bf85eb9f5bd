"""An index that is polled every few seconds: recently used sessions each time, everything else now and then.

If nothing happens, a poll takes only the stats of some files and folders. It does not wait while another process writes
to the database: what can't be stored now is stored at the next poll.
"""

from __future__ import annotations

import os
import time

from .. import answer, recent
from ..background import spawn
from ..errors import UnreadableIndex
from ..files import stat_of
from ..locks import Lock, lock
from ..paths import database_identity
from . import schema
from .index import configured_prices
from .questions import active_since
from .slots import store_windows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..files import Dependency, Stat
    from .index import Index

LATELY = 3_600_000_000  # microseconds for which a session is watched after its last change
SWEEP = 30.0  # seconds between two sweeps
_CODE_STAT = stat_of(__file__)  # changes when a newer version replaces the package


def sweep(index: Index) -> None:
    """Refresh the index, unless another process is doing that."""
    held = lock(os.path.join(index.folder, "sweep.lock")) if index.stored else Lock()
    if held is not None:
        with held:
            index.refresh()


class Watch:
    def __init__(self, open_index: Callable[[], Index]) -> None:
        self._open = open_index
        self.index = self._opened()
        self._watched: dict[str, list[Dependency] | None] = {}  # by session; None: it must be refreshed
        self._version: int | None = None
        self._sums_version = ""
        self._windows: Stat | None = None
        self._next_sweep = time.monotonic()
        self._recompute_from = self._next_sweep  # for sums that another process computed with other prices

    def _opened(self) -> Index:
        index = self._open()
        index.caller_retries = True
        self._identity = database_identity(index.folder)
        return index

    def sweep_soon(self) -> None:
        self._next_sweep = time.monotonic()

    def poll(self) -> bool:
        """Store what is new, and return whether the answers of the index may have changed."""
        try:
            if self.index.stored and database_identity(self.index.folder) != self._identity:  # a new database
                self.index.close()
                self.index, self._version = self._opened(), None
            return self.index.complete and self._poll()
        except UnreadableIndex:
            return False
        except schema.OperationalError as error:
            if not schema.is_busy(error):
                raise
            return True  # some of it may have been stored

    def _poll(self) -> bool:
        index = self.index
        index.table = configured_prices(os.environ)
        before = index.db.total_changes
        is_outdated, sums_version = index.has_outdated_sums(), index.sums_version()
        is_by_others = is_outdated and sums_version == self._sums_version
        now = time.monotonic()
        if is_by_others and not self._is_of_our_version(sums_version):  # else both would undo each other's work
            if now >= self._next_sweep and stat_of(__file__) != _CODE_STAT:
                self._next_sweep = now + SWEEP
                spawn("index", "sweep")  # there may be no other process to do it
        elif is_by_others and now < self._recompute_from:
            pass  # another process still works with another config file
        elif is_outdated or now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            self._recompute_from = self._next_sweep if is_outdated else self._recompute_from
            sweep(index)
        else:
            self._poll_recent()
        self._sums_version = sums_version
        version = index.data_version()
        if version == self._version and index.db.total_changes == before:
            return False
        self._version = version
        since = time.time_ns() // 1000 - LATELY
        self._watched = {session: self._watched.get(session) for session in active_since(index, since)}
        return True

    def _is_of_our_version(self, sums_version: str) -> bool:
        """Return whether the sums were computed with the rules and price lists of this version. Then it was a config
        file or a policy that asked for other prices."""
        return str(self.index.meta("prices")).split("-")[:3] == sums_version.split("-")[:3]

    def _poll_recent(self) -> None:
        index = self.index
        for session, known in self._watched.items():
            if known is None or not answer.are_unchanged(known):
                files = index.refresh_session(session)
                self._watched[session] = index.dependencies(session, files) if files else None
        windows = stat_of(os.path.join(index.folder, recent.WINDOWS))
        if windows != self._windows:
            store_windows(index, recent.read_windows(index.folder))
            self._windows = windows
