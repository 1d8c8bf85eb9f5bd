"""The last printed report of many sessions, which is reused while nothing has changed.

The file contains a digest of the stats of all transcripts that it was made from, and the day of every session's last
activity, which depends on the reader's zone. A refresh deletes the file before it commits a change. It is written under
the index's write lock, and only while the index agrees with those transcripts. So a reader may trust it if a walk finds
the transcripts unchanged and the days are the same.
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

# Number of sessions from which a stored report pays: each takes 30 microseconds to show, some hundred bytes to store.
# With 10,000 sessions the report takes 11 times the processor time of a bare Python start, without it 34 times.
MANY = 1_000
TEXT, JSON = published.REPORTS


class ReadyReport:
    """The stored report of one kind."""

    def __init__(self, folder: str, kind: str, prices: str, options: tuple[object, ...]) -> None:
        """Open the report *kind* in the index's *folder*. *prices* is the fingerprint of the price table; *options* is
        all else that the text depends on, except transcripts and zone."""
        self._folder = folder
        self._path = os.path.join(folder, kind)
        self._prices = prices
        self._options = (prices, *options)
        self.exists = os.path.exists(self._path)

    def read(self, transcripts: Walk, day_of: DayOf) -> tuple[bytes, str] | None:
        """Return (output, warning) if the *transcripts* are as they were when it was stored, else None."""
        stored = published.read(self._path)
        if stored is None:
            return None
        options, digest, database, times, days, out, warning = stored
        if (options, digest, database) != (self._options, _digest(transcripts), database_identity(self._folder)):
            return None
        last = array("q")
        last.frombytes(times)
        return (out, warning) if days == _days(last, day_of) else None

    def store(
        self, index: Index, unchanged: Unchanged, times: Iterable[int], day_of: DayOf, out: bytes, warning: str
    ) -> None:
        """Store the output for the transcripts that a refresh found *unchanged*; *times*: last activities (us)."""
        from ..index.schema import DatabaseError

        try:
            self._store(index, unchanged, times, day_of, out, warning)
        except DatabaseError:  # the report was printed; the next process repairs the database
            return

    def _store(
        self, index: Index, unchanged: Unchanged, times: Iterable[int], day_of: DayOf, out: bytes, warning: str
    ) -> None:
        if index.table.fingerprint != self._prices or not _is_settled(unchanged.found):
            return
        if not index.try_lock():
            return
        try:
            if (index.data_version(), database_identity(self._folder)) == (unchanged.version, unchanged.identity):
                last = array("q", times)
                values = (last.tobytes(), _days(last, day_of), out, warning)
                published.write(self._path, (self._options, _digest(unchanged.found), unchanged.identity, *values))
        finally:
            index.unlock()


def _digest(transcripts: Walk) -> bytes:
    """Return a digest of the paths and stats of all transcripts."""
    return digest_bytes(marshal.dumps([(file.path, stamp(file.stat)) for file in transcripts.files], 2))


def _is_settled(transcripts: Walk) -> bool:
    """Return whether every change after the walk must show in the stats."""
    until = transcripts.begun - SETTLED
    return all(file.stat.st_mtime_ns <= until and file.stat.st_ctime_ns <= until for file in transcripts.files)


def _days(times: Iterable[int], day_of: DayOf) -> str:
    return "".join(map(day_of, times))
