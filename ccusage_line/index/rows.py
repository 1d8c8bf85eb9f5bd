"""A claim as a row of the index, and back. Standard library only, because the lean lanes import this module.

A row is a tuple in the order of COLUMNS; its session, maker, model and cwd are the numbers of names.
"""

from __future__ import annotations

from ..transcripts.claims import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from sqlite3 import Connection
    from typing import Any

    from ..transcripts.claims import Bill

    Row = tuple[Any, ...]

COLUMNS = (
    "group_id, rest, file, session, rank, maker, side, timestamp, model, flags, input, output, cache_creation,"
    " write_1h, cache_read, searches, cost_usd, cwd, place, length, main_times, uuids, parents, bill"
)
PRIMARY_KEY = "group_id, rest, file, session, rank, maker"  # the primary key of a claim
INSERT = f"INSERT OR REPLACE INTO claims ({COLUMNS}) VALUES ({','.join('?' * 24)})"
INSERT_MOMENT = "INSERT OR REPLACE INTO moments VALUES (?, ?, ?, ?, ?, ?, ?)"
DELETE_MOMENT = "DELETE FROM moments WHERE timestamp = ? AND group_id = ? AND rest = ?"
SLOT_COLUMNS = (
    "input, output, cache_creation, cache_read, auto, calculate, display, responses, unpriced_auto, unpriced_calculate,"
    " incomplete, first, last"
)
INSERT_SLOT = f"INSERT OR REPLACE INTO slots (slot, session, model, {SLOT_COLUMNS}) VALUES ({','.join('?' * 16)})"
FILE, SESSION, MAKER, MODEL, CWD, BILL = 2, 3, 5, 8, 17, 23  # indexes into a row
LARGE = 64  # claims of one group from which on its links are stored
_BATCH = 40  # rows per statement: half the time of one each; SQLite allows 999 values
_SMALL = 2**60  # a number below it and above its negative is stored as it is


def pack(claim: Claim, session: int, maker: int, model: int, cwd: int) -> Row:
    """Return the row of a claim whose four names have these numbers."""
    key = claim.group, claim.rest, claim.file, session, claim.rank, maker
    counts = claim.input, claim.output, claim.cache_creation, claim.write_1h, claim.cache_read, claim.searches
    line = claim.side, claim.timestamp, model, claim.flags, *counts, claim.cost_usd, cwd, claim.offset, claim.length
    times = pack_times(claim.main_times) if claim.main_times else None
    return (*key, *line, times, claim.uuids or None, claim.parents or None, pack_bill(claim.bill))


def insert_all(db: Connection, statement: str, rows: list[Row]) -> None:
    """Insert many rows by INSERT, INSERT_MOMENT, INSERT_SLOT or a statement that columns.insertion returned."""
    head, values = statement.rsplit("VALUES ", 1)
    end = len(rows) - len(rows) % _BATCH
    db.executemany(f"{head}VALUES {','.join([values] * _BATCH)}", _batches(rows, end))
    db.executemany(statement, rows[end:])


def _batches(rows: list[Row], end: int) -> Iterator[list[Any]]:
    """Yield the values of the first *end* rows, those of _BATCH rows in one list."""
    for start in range(0, end, _BATCH):
        values: list[Any] = []
        for row in rows[start : start + _BATCH]:
            values += row
        yield values


def storable(number: int) -> int | str:
    """Return a number as SQLite can store it: as it is if it fits 64 bits, else as text."""
    return number if -(2**63) <= number < 2**63 else str(number)


def moment(timestamp: int, group: int, rest: int, numbers: tuple[int, int, int, int]) -> Row:
    """Return the row of a moment; *numbers* are the response's costs in three modes and its tokens in and out."""
    if min(numbers) > -_SMALL and max(numbers) < _SMALL:
        return (timestamp, group, rest, *numbers)
    return (timestamp, group, rest, *map(storable, numbers))


def slot(key: tuple[int, int, int], numbers: Iterable[int]) -> Row:
    """Return the row of a slot, session and model; `session` names the places of the *numbers*."""
    return (*key, *map(storable, numbers))


def unpack(row: Row, session: str, maker: str, model: str, cwd: str) -> Claim:
    """Return the claim of a row whose four names were looked up."""
    claim = Claim()
    claim.group, claim.rest, claim.file, _, claim.rank, _, side, claim.timestamp, _, claim.flags, *others = row
    claim.input, claim.output, claim.cache_creation, claim.write_1h, claim.cache_read, claim.searches = others[:6]
    claim.cost_usd, _, claim.offset, claim.length, times, uuids, parents, bill = others[6:]
    claim.session, claim.maker, claim.model, claim.cwd = session, maker, model, cwd
    claim.side = bool(side)
    claim.main_times = _unpack_times(times) if times else frozenset()
    claim.uuids, claim.parents = uuids or b"", parents or b""
    claim.bill = unpack_bill(bill) if bill else None
    return claim


def pack_times(times: Iterable[int]) -> bytes:
    return b"".join([t.to_bytes(8, "little", signed=True) for t in sorted(times)])


def _unpack_times(data: bytes) -> frozenset[int]:
    return frozenset(int.from_bytes(data[i : i + 8], "little", signed=True) for i in range(0, len(data), 8))


def pack_bill(bill: Bill | None) -> bytes | None:
    if bill is None:
        return None
    import marshal

    return marshal.dumps(bill, 2)  # version 2 is the same in every Python


def unpack_bill(data: bytes) -> Bill:
    import marshal

    return marshal.loads(data)  # type: ignore[no-any-return]
