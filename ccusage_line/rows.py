"""A claim as a row of the index, and back. Tier 0.

A row is a tuple in the order of COLUMNS. Outside the database its session, model and cwd are texts; in it they are the
numbers of names.
"""

from __future__ import annotations

from .response import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Row = tuple[Any, ...]

COLUMNS = (
    "family, rest, file, session, rank, side, timestamp, model, flags, input, output, cache_creation, write_1h,"
    " cache_read, searches, cost_usd, cwd, place, length, main_times, further"
)
INSERT = f"INSERT OR REPLACE INTO claims ({COLUMNS}) VALUES ({','.join('?' * 21)})"
INSERT_MOMENT = "INSERT OR REPLACE INTO moments VALUES (?, ?, ?, ?, ?, ?, ?)"
FILE, SESSION, MODEL, CWD = 2, 3, 7, 16  # places in a row


def pack(claim: Claim) -> Row:
    return (
        claim.group,
        claim.rest,
        claim.file,
        claim.session,
        claim.rank,
        claim.side,
        claim.timestamp,
        claim.model,
        claim.flags,
        claim.input,
        claim.output,
        claim.cache_creation,
        claim.write_1h,
        claim.cache_read,
        claim.searches,
        claim.cost_usd,
        claim.cwd,
        claim.at,
        claim.length,
        _pack_times(claim.main_times) if claim.main_times else None,
        _pack_further(claim.further) if claim.further else None,
    )


def unpack(row: Row, session: str, model: str, cwd: str) -> Claim:
    """The claim of a row whose three names were looked up."""
    claim = Claim()
    (
        claim.group,
        claim.rest,
        claim.file,
        _,
        claim.rank,
        side,
        claim.timestamp,
        _,
        claim.flags,
        claim.input,
        claim.output,
        claim.cache_creation,
        claim.write_1h,
        claim.cache_read,
        claim.searches,
        claim.cost_usd,
        _,
        claim.at,
        claim.length,
        times,
        further,
    ) = row
    claim.session, claim.model, claim.cwd = session, model, cwd
    claim.side = bool(side)
    claim.main_times = _unpack_times(times) if times else frozenset()
    claim.further = _unpack_further(further) if further else ()
    return claim


def _pack_times(times: frozenset[int]) -> bytes:
    return b"".join(t.to_bytes(8, "little", signed=True) for t in sorted(times))


def _unpack_times(data: bytes) -> frozenset[int]:
    return frozenset(int.from_bytes(data[i : i + 8], "little", signed=True) for i in range(0, len(data), 8))


def _pack_further(further: tuple[tuple[Any, ...], ...]) -> bytes:
    import marshal

    return marshal.dumps(further, 2)  # version 2 is the same in every Python


def _unpack_further(data: bytes) -> tuple[tuple[Any, ...], ...]:
    import marshal

    return marshal.loads(data)  # type: ignore[no-any-return]
