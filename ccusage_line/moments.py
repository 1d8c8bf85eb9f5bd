"""Today and the block of all sessions: of the moments that were published, or asked of the database.

Standard library only: on the lean lanes. A moment is a counted response: its time, what it cost in each mode, its
tokens in and out.
"""

from __future__ import annotations

from . import windows
from .windows import HOUR, WINDOW, Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection

    from .recent import Moment

LONGEST_DAY = 26 * HOUR  # a local day with its change of the clocks, and room for a reader's later midnight
_MODES = ("auto", "calculate", "display")
_EARLIEST, _LATEST = -(2**63), 2**63 - 1  # times
_EXACT = 2**52  # below it, sums of whole numbers as floats are exact


class Listed:
    """Days and blocks of published moments."""

    def __init__(self, moments: list[Moment], mode: str) -> None:
        place = 1 + _MODES.index(mode)
        self._moments = [(moment[0], moment[place], moment[4]) for moment in moments]

    def today(self, now: int, start: int) -> int:
        """1e-12 dollar spent since *start*."""
        return windows.today(self._moments, now, start)

    def block(self, now: int, resets_at: float | None) -> Block | None:
        """The window under way, None if there is none; *resets_at* as in `windows.block`."""
        return windows.block(self._moments, now, resets_at)


class Stored:
    """The same, asked of the database: how long the history is does not matter to it."""

    def __init__(self, database: Connection, mode: str) -> None:
        assert mode in _MODES
        self._db = database
        self._mode = mode

    def today(self, now: int, start: int) -> int:
        return self._spent(start, now + 1)[0]

    def block(self, now: int, resets_at: float | None) -> Block | None:
        end = windows.sane_reset(resets_at, now)
        if end is None:
            last = last_until(self._db, now)
            first = None if last is None else block_at(self._db, last)
            if first is None or last is None or now >= first // HOUR * HOUR + WINDOW or now - last >= WINDOW:
                return None
            end = first // HOUR * HOUR + WINDOW
        cost, tokens, since = self._spent(end - WINDOW, min(end, now + 1))
        return Block(end - WINDOW, end, cost, tokens, since)

    def _spent(self, begin: int, end: int) -> tuple[int, int, int | None]:
        """Cost, tokens and the time of the first response in [begin, end)."""
        where = "FROM moments WHERE timestamp >= ? AND timestamp < ?"
        cost, tokens, first = self._db.execute(
            f"SELECT total({self._mode}), total(tokens), min(timestamp) {where}", (begin, end)
        ).fetchone()
        if max(cost, tokens) < _EXACT:
            return int(cost), int(tokens), first
        rows = self._db.execute(f"SELECT {self._mode}, tokens {where}", (begin, end)).fetchall()
        return sum(int(row[0]) for row in rows), sum(int(row[1]) for row in rows), first


def last_until(database: Connection, now: int) -> int | None:
    """The time of the last response until *now*."""
    found = database.execute("SELECT max(timestamp) FROM moments WHERE timestamp <= ?", (now,)).fetchone()
    return found[0]  # type: ignore[no-any-return]


def block_at(database: Connection, last: int) -> int:
    """The first response of the block, by the client's plan rule, that the response at *last* lies in.

    Blocks follow one another without a rest back to a gap of five hours. The way back there and forth again takes a
    few looks at the database for each of them, not one for each response.
    """
    first = last
    while True:
        earlier = _first_from(database, first - WINDOW + 1)
        if earlier == first:
            break
        first = earlier
    while True:
        following = _first_from(database, first // HOUR * HOUR + WINDOW)
        if following > last:
            return first
        first = following


def _first_from(database: Connection, begin: int) -> int:
    found: tuple[int | None] = database.execute(
        "SELECT min(timestamp) FROM moments WHERE timestamp >= ?", (begin,)
    ).fetchone()
    return _LATEST if found[0] is None else found[0]


def of_database(database: Connection, now: int) -> list[Moment]:
    """The moments that can matter to today and to the block from *now* on, oldest first, beginning where a block
    begins: from the first response of any block on the same blocks come out."""
    last = last_until(database, now - LONGEST_DAY)
    begin = _EARLIEST if last is None else block_at(database, last)
    rows = database.execute(
        "SELECT timestamp, auto, calculate, display, tokens FROM moments WHERE timestamp >= ? ORDER BY timestamp",
        (begin,),
    ).fetchall()
    return [(t, int(a), int(c), int(d), int(n)) for t, a, c, d, n in rows]  # what needs more than 64 bits is text
