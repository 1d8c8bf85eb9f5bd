"""All sums of an index at once: after the first reading, and whenever prices have changed.

The same as adding up `accounting.responses` of every group of claims. Nine of ten responses have a single claim with
nothing billed beside it. Those of a file are added up by whoever reads it, in its own process; where a file holds no
others, what it comes to is all that is needed of it.
"""

from __future__ import annotations

from array import array

from .. import accounting
from ..session import COST, INPUT, OUTPUT, RESPONSES
from ..transcripts.claims import FINAL, ORIGINAL
from . import links, rows
from .columns import KEY, numbers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

    from ..prices.table import PriceTable
    from ..transcripts.claims import Claim
    from .columns import Columns
    from .index import Index

    Sessions = list[tuple[str, int, list[Any]]]  # what the file holds of them (accounting.COPY or LINE) and their sums
    FileSums = tuple[Sessions, bytes]  # and of each claim its costs in the three modes and its tokens in and out
    FilesAlone = dict[int, tuple[list[array[int]], Sessions]]  # by file: its claims' times and keys, and what they make


def of_file(claims: Collection[Claim], table: PriceTable, folder: str) -> FileSums | None:
    """What the claims of one file come to if each is the only one of its response, as marshal can write it.

    *folder* is the project that the file's path names. None where a claim is not of that kind, or a cost too large.
    """
    charged: dict[tuple[str, str, bool], list[list[int]]] = {}  # by session, model, incomplete
    moments: list[int] = []
    for claim in claims:
        if claim.bill is not None:
            return None
        own = claim.model, claim.input, claim.output, claim.cache_creation, claim.write_1h, claim.cache_read
        name, sums = accounting.charge(table, (*own, claim.searches, claim.flags), claim.cost_usd, covered=False)
        moments += (*sums[COST:RESPONSES], sums[INPUT] + sums[OUTPUT])
        charged.setdefault((claim.session, name, not claim.flags & FINAL), []).append(sums)
    sessions: dict[str, accounting.Sums] = {}
    held: dict[str, int] = {}
    for (session, name, incomplete), several in charged.items():
        known = sessions.setdefault(session, accounting.Sums())
        known.add_part(name, list(map(sum, zip(*several, strict=True))), incomplete)
    for claim in claims:
        sessions[claim.session].reach((claim.timestamp, claim.group, claim.rest), claim.cwd or folder)
        if claim.flags & ORIGINAL:
            held[claim.session] = accounting.LINE
    told = [(session, held.get(session, accounting.COPY), sums.packed()) for session, sums in sessions.items()]
    try:
        return told, array("q", moments).tobytes()
    except OverflowError:
        return None


def moments_of(columns: Columns, sums: FileSums) -> Iterator[rows.Row]:
    """The moments of such a file's claims."""
    told = array("q")
    told.frombytes(sums[1])
    return zip(*numbers_of(columns, KEY), *(told[place::4] for place in range(4)), strict=True)


def recount(index: Index, known: FilesAlone | None = None) -> None:
    """Write totals, sessions, holds and moments anew, within the caller's transaction.

    *known* is what files come to, by their numbers, if each of their claims is the only one of its response; the
    moments that are stored are those of all these claims, and no others.
    """
    index._load_names()
    index.db.execute("DELETE FROM links")
    tally = _Tally(index)
    where = ""
    if known:
        shared = _shared(index)
        for file in shared.intersection(known):
            index.db.executemany(rows.DELETE_MOMENT, zip(*known[file][0], strict=True))
        alone = [file for file in known if file not in shared]
        for file in alone:
            tally.take_file(file, known[file][1])
        index.db.execute("CREATE TEMP TABLE alone (file INTEGER PRIMARY KEY)")
        index.db.executemany("INSERT INTO alone VALUES (?)", [(file,) for file in alone])
        where = "WHERE file NOT IN (SELECT file FROM alone)"
    for group in _groups(index, where):
        if len(group) == 1 and group[0][rows.BILL] is None:
            tally.take_row(group[0])
        else:
            tally.take_claims(group)
    if known:
        index.db.execute("DROP TABLE alone")
    else:
        index.db.execute("DELETE FROM moments")
    tally.store()


def _shared(index: Index) -> set[int]:
    """The files with claims that are not the only ones of their group."""
    several = "SELECT family FROM claims GROUP BY family HAVING count(*) > 1"
    found = index.db.execute(f"SELECT DISTINCT file FROM ({several}) AS several CROSS JOIN claims USING (family)")
    return {file for (file,) in found}


def _groups(index: Index, where: str) -> Iterator[list[rows.Row]]:
    """The rows of claims by the first half of their key."""
    family: int | None = None
    group: list[rows.Row] = []
    for row in index.db.execute(f"SELECT {rows.COLUMNS} FROM claims {where} ORDER BY family, rest, file"):
        if row[0] == family:
            group.append(row)
            continue
        if group:
            yield group
        group, family = [row], row[0]
    if group:
        yield group


class _Tally:
    """Everything that is written in the end, by the numbers of names."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._sums: dict[int, accounting.Sums] = {}
        self._holds: dict[tuple[int, int], int] = {}
        self._moments: list[tuple[Any, ...]] = []

    def _of(self, session: int) -> accounting.Sums:
        known = self._sums.get(session)
        if known is None:
            known = self._sums[session] = accounting.Sums()
        return known

    def _hold(self, session: int, file: int, how: int) -> None:
        if self._holds.get((session, file), accounting.CLAIM) <= how:
            self._holds[session, file] = how

    def take_file(self, file: int, sessions: Sessions) -> None:
        """Count a file whose claims are the only ones of their groups; its moments are stored."""
        for session, how, packed in sessions:
            number = self._index._id(session)
            self._of(number).merge(accounting.Sums.unpacked(packed))
            self._holds[number, file] = how

    def take_row(self, row: rows.Row) -> None:
        """Count a response of one claim."""
        family, rest, file, session, _, _, _, timestamp, model, flags, *counts = row[: rows.CWD - 1]
        cost_usd, cwd = row[rows.CWD - 1 : rows.CWD + 1]
        index, known = self._index, self._of(session)
        name, sums = accounting.charge(index.table, (index._texts[model], *counts, flags), cost_usd, covered=False)
        known.add_part(name, sums, not flags & FINAL)
        key = (timestamp, family, rest)
        known.reach(key, index._texts[cwd] or index._folder(file))
        self._hold(session, file, accounting.LINE if flags & ORIGINAL else accounting.COPY)
        auto, calculate, display = sums[COST:RESPONSES]
        self._moments.append(rows.moment(*key, (auto, calculate, display, sums[INPUT] + sums[OUTPUT])))

    def take_claims(self, rows_of_group: list[rows.Row]) -> None:
        """Count the responses that the claims of one group make."""
        index = self._index
        group: accounting.Group = {}
        for row in rows_of_group:
            claim = index._claim(row)
            group.setdefault(claim.rest, {})[claim.place()] = claim
            self._holds.setdefault((row[rows.SESSION], claim.file), accounting.CLAIM)
        if len(rows_of_group) >= rows.LARGE:
            links.store(index.db, rows_of_group[0][0], group)
        for response in accounting.responses(group, index._bytes_of, index.began).values():
            number = index._id(response.session)
            self._of(number).add(response, index.table, index._project(response.claim))
            self._moments.append(index.moment(response))
            for file, how in response.held():
                self._hold(number, file, how)

    def store(self) -> None:
        index = self._index
        for name in ("totals", "sessions", "holds"):
            index.db.execute(f"DELETE FROM {name}")
        for session, sums in self._sums.items():
            index._store_sums(index._text(session), sums)
        held = sorted((session, file, counted) for (session, file), counted in self._holds.items())
        index.db.executemany("INSERT INTO holds VALUES (?, ?, ?)", held)
        self._moments.sort()
        rows.insert_all(index.db, rows.INSERT_MOMENT, self._moments)
