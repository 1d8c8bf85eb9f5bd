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
from .sessions import moment, store_sums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

    from ..prices.table import PriceTable
    from ..transcripts.claims import Claim
    from .columns import Columns
    from .store import Store

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


def recount_all(store: Store, alone: FilesAlone | None = None) -> None:
    """All sums from all claims; what was published of the old ones is taken back. *alone* as in `recount`."""
    store.revoke_all()
    recount(store, alone)
    store.set_meta("prices", store.table.fingerprint)


def recount(store: Store, known: FilesAlone | None = None) -> None:
    """Write totals, sessions, holds and moments anew, within the caller's transaction.

    *known* is what files come to, by their numbers, if each of their claims is the only one of its response; the
    moments that are stored are those of all these claims, and no others.
    """
    texts = store.load_names()
    store.db.execute("DELETE FROM links")
    tally = _Tally(store, texts)
    where = ""
    if known:
        shared = _shared(store)
        for file in shared.intersection(known):
            store.db.executemany(rows.DELETE_MOMENT, zip(*known[file][0], strict=True))
        alone = [file for file in known if file not in shared]
        for file in alone:
            tally.take_file(file, known[file][1])
        store.db.execute("CREATE TEMP TABLE alone (file INTEGER PRIMARY KEY)")
        store.db.executemany("INSERT INTO alone VALUES (?)", [(file,) for file in alone])
        where = "WHERE file NOT IN (SELECT file FROM alone)"
    for group in _groups(store, where):
        if len(group) == 1 and group[0][rows.BILL] is None:
            tally.take_row(group[0])
        else:
            tally.take_claims(group)
    if known:
        store.db.execute("DROP TABLE alone")
    else:
        store.db.execute("DELETE FROM moments")
    tally.store()


def _shared(store: Store) -> set[int]:
    """The files with claims that are not the only ones of their group."""
    several = "SELECT family FROM claims GROUP BY family HAVING count(*) > 1"
    found = store.db.execute(f"SELECT DISTINCT file FROM ({several}) AS several CROSS JOIN claims USING (family)")
    return {file for (file,) in found}


def _groups(store: Store, where: str) -> Iterator[list[rows.Row]]:
    """The rows of claims by the first half of their key."""
    family: int | None = None
    group: list[rows.Row] = []
    for row in store.db.execute(f"SELECT {rows.COLUMNS} FROM claims {where} ORDER BY family, rest, file"):
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

    def __init__(self, store: Store, texts: dict[int, str]) -> None:
        self._store = store
        self._texts = texts
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
            number = self._store.number_of(session)
            self._of(number).merge(accounting.Sums.unpacked(packed))
            self._holds[number, file] = how

    def take_row(self, row: rows.Row) -> None:
        """Count a response of one claim."""
        family, rest, file, session, _, _, _, timestamp, model, flags, *counts = row[: rows.CWD - 1]
        cost_usd, cwd = row[rows.CWD - 1 : rows.CWD + 1]
        store, known = self._store, self._of(session)
        name, sums = accounting.charge(store.table, (self._texts[model], *counts, flags), cost_usd, covered=False)
        known.add_part(name, sums, not flags & FINAL)
        key = (timestamp, family, rest)
        known.reach(key, self._texts[cwd] or store.folder_of(file))
        self._hold(session, file, accounting.LINE if flags & ORIGINAL else accounting.COPY)
        auto, calculate, display = sums[COST:RESPONSES]
        self._moments.append(rows.moment(*key, (auto, calculate, display, sums[INPUT] + sums[OUTPUT])))

    def take_claims(self, rows_of_group: list[rows.Row]) -> None:
        """Count the responses that the claims of one group make."""
        store = self._store
        group: accounting.Group = {}
        for row in rows_of_group:
            claim = store.claim_of(row)
            group.setdefault(claim.rest, {})[claim.place()] = claim
            self._holds.setdefault((row[rows.SESSION], claim.file), accounting.CLAIM)
        if len(rows_of_group) >= rows.LARGE:
            links.store(store.db, rows_of_group[0][0], group)
        for response in accounting.responses(group, store.bytes_of, store.began).values():
            number = store.number_of(response.session)
            self._of(number).add(response, store.table, store.project_of(response.claim))
            self._moments.append(moment(store, response))
            for file, how in response.held():
                self._hold(number, file, how)

    def store(self) -> None:
        store = self._store
        for name in ("totals", "sessions", "holds"):
            store.db.execute(f"DELETE FROM {name}")
        for session, sums in self._sums.items():
            store_sums(store, store.text_of(session), sums)
        held = sorted((session, file, counted) for (session, file), counted in self._holds.items())
        store.db.executemany("INSERT INTO holds VALUES (?, ?, ?)", held)
        self._moments.sort()
        rows.insert_all(store.db, rows.INSERT_MOMENT, self._moments)
