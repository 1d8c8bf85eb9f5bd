"""The report of many sessions as it was last printed, for as long as nothing has changed.

What is kept holds the stat of every transcript it was made from (as one digest), and the day of every session's last
activity, which depends on the reader's zone. A refresh removes it before it commits whatever changes; it is written
under the index's write lock and only while the index is what those transcripts hold, so a reader trusts it if a walk
finds them as they were and the days are the same.
"""

from __future__ import annotations

import marshal
import os
from array import array

from .. import published
from ..files import SETTLED, digest_bytes, stamp
from ..paths import database_identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..index.index import Index
    from ..index.refresh import Unchanged
    from ..jsontext import DayOf
    from ..transcripts.files import Walk

# Sessions from which it pays: each costs 30 microseconds to show, and some hundred bytes to keep. Of 10,000 the report
# takes eleven times the processor time of a bare Python's start with it, 34 times without.
MANY = 1_000
TEXT, JSON = published.REPORTS


class ReadyReport:
    """The last report of one kind."""

    def __init__(self, folder: str, kind: str, prices: str, options: tuple[object, ...]) -> None:
        """*folder* is the index's, *prices* the fingerprint of the price table; *options* is what else its text depends
        on beside transcripts and zone."""
        self._folder = folder
        self._path = os.path.join(folder, kind)
        self._prices = prices
        self._options = (prices, *options)
        self.there = os.path.exists(self._path)

    def read(self, found: Walk, day_of: DayOf) -> tuple[bytes, str] | None:
        """(what is printed, a warning) for transcripts as they were just *found*; None where both have to be made."""
        kept = published.read(self._path)
        if kept is None:
            return None
        options, transcripts, database, times, days, out, warning = kept
        if (options, transcripts, database) != (self._options, _transcripts(found), database_identity(self._folder)):
            return None
        last = array("q")
        last.frombytes(times)
        return (out, warning) if days == _days(last, day_of) else None

    def keep(
        self, index: Index, seen: Unchanged, times: Iterable[int], day_of: DayOf, out: bytes, warning: str
    ) -> None:
        """Keep what was printed of *index*, of transcripts as they were *seen*; *times* are those of all its sessions'
        last activities (microseconds)."""
        from ..index.schema import DatabaseError

        try:
            self._keep(index, seen, times, day_of, out, warning)
        except DatabaseError:  # the report is printed; the next process mends what is broken
            return

    def _keep(
        self, index: Index, seen: Unchanged, times: Iterable[int], day_of: DayOf, out: bytes, warning: str
    ) -> None:
        if index.table.fingerprint != self._prices or not _settled(seen.found):
            return
        if not index.lock_at_once():
            return
        try:
            if (index.data_version(), database_identity(self._folder)) == (seen.version, seen.identity):
                last = array("q", times)
                told = (last.tobytes(), _days(last, day_of), out, warning)
                published.write(self._path, (self._options, _transcripts(seen.found), seen.identity, *told))
        finally:
            index.unlock()


def _transcripts(found: Walk) -> bytes:
    """A digest of which transcripts there are and how they look."""
    return digest_bytes(marshal.dumps([(file.path, stamp(file.stat)) for file in found.files], 2))


def _settled(found: Walk) -> bool:
    """Whether no change since the walk could hide behind the stats it found."""
    until = found.begun - SETTLED
    return all(file.stat.st_mtime_ns <= until and file.stat.st_ctime_ns <= until for file in found.files)


def _days(times: Iterable[int], day_of: DayOf) -> str:
    return "".join(map(day_of, times))
