"""All sums of an index, computed at once: after the first reading, and whenever prices have changed.

The result is that of adding up `accounting.responses` of every group of claims. Nine of ten responses have a single
claim and nothing billed beside it. The process that reads a file adds up the file's responses; if all of them are of
that kind, nothing else of the file is needed.
"""

from __future__ import annotations

from array import array
from operator import itemgetter

from .. import accounting
from ..session import COST, INPUT, OUTPUT, RESPONSES
from ..transcripts.claims import FINAL, ORIGINAL
from . import links, rows
from .columns import FIELDS, KEY
from .sessions import moments, slot_parts, store_sums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..prices.table import PriceTable
    from .store import Store

    Sessions = list[tuple[str, int, list[Any]]]  # session, what the file holds of it (accounting.COPY or LINE), sums
    # and, as bytes, each claim's costs in the three modes and its tokens in and out, or -1 if it used nothing
    FileSums = tuple[Sessions, accounting.Slots, bytes]
    Charged = dict[tuple[str, str, bool, int | None], list[list[int]]]  # by session, model, incomplete, slot
    # by file: the times and keys of its claims, and their sums
    SumsByFile = dict[int, tuple[list[array[int]], Sessions, accounting.Slots]]


_PART = ("model", "input", "output", "cache_creation", "write_1h", "cache_read", "searches", "flags")  # claims.Part
_part_columns = itemgetter(*map(FIELDS.index, _PART))
_FLAGS = FIELDS.index("flags")
_other_columns = itemgetter(*map(FIELDS.index, ("cost_usd", "session", "cwd", "bill", *KEY)))


def sums_of_file(columns: list[tuple[Any, ...]], table: PriceTable, folder: str) -> FileSums | None:
    """Return the sums of one file's claims, if each is the only one of its response, in a form that marshal can write.

    *columns* are those of columns.gather; *folder* is the project that the file's path names. Returns None if anything
    is billed beside a claim, or if a cost is too large.
    """
    if not columns:
        return [], {}, b""
    costs, sessions, cwds, bills, times, *keys = _other_columns(columns)
    if bills.count(None) < len(bills):
        return None
    charged: Charged = {}
    moments: list[int] = []
    indexes: dict[str, list[int]] = {}  # of the claims of each session
    parts = zip(*_part_columns(columns), strict=True)
    for index, (part, cost_usd, session, time) in enumerate(zip(parts, costs, sessions, times, strict=True)):
        model, sums = accounting.charge(table, part, cost_usd, covered=False)
        is_activity = accounting.is_activity(sums)
        moments += (*sums[COST:RESPONSES], sums[INPUT] + sums[OUTPUT] if is_activity else -1)
        sums.append(time)
        slot = time // accounting.SLOT if is_activity else None
        charged.setdefault((session, model, not part[-1] & FINAL, slot), []).append(sums)
        indexes.setdefault(session, []).append(index)
    sums_by_session = {session: accounting.Sums() for session in indexes}
    slots = _add_up(charged, sums_by_session)
    packed = []
    order = list(zip(times, *keys, range(len(times)), strict=True))
    flags = columns[_FLAGS]
    for session, own in indexes.items():
        sums_of_session = sums_by_session[session]
        *key, first = min(map(order.__getitem__, own))
        sums_of_session.extend_to(tuple(key), cwds[first] or folder)
        sums_of_session.last = max(map(times.__getitem__, own))
        kind = accounting.LINE if any(flags[index] & ORIGINAL for index in own) else accounting.COPY
        packed.append((session, kind, sums_of_session.packed()))
    try:
        return packed, slots, array("q", moments).tobytes()
    except OverflowError:
        return None


def _add_up(charged: Charged, sums_by_session: dict[str, accounting.Sums]) -> accounting.Slots:
    """Add what was charged to the sums of its sessions, and return the sums of slots."""
    slots: accounting.Slots = {}
    for (session, model, incomplete, slot), charges in charged.items():
        *columns, times = zip(*charges, strict=True)
        sums = list(map(sum, columns))
        sums_by_session[session].add_part(model, sums, incomplete)
        if slot is not None:
            numbers = [*sums, sums[RESPONSES] * incomplete, min(times), max(times)]
            accounting.add_numbers(slots, (slot, session, model), numbers)
    return slots


def moments_of(keys: list[array[int]], sums: FileSums) -> Iterator[rows.Row]:
    """Return the rows of the moments of such a file, whose claims have these times and keys."""
    numbers = array("q")
    numbers.frombytes(sums[2])
    moments = zip(*keys, *(numbers[place::4] for place in range(4)), strict=True)
    return (moment for moment in moments if moment[-1] >= 0)


def recount_all(store: Store, by_file: SumsByFile | None = None) -> None:
    """Compute all sums from all claims, and delete what was published of the old ones.

    Writes totals, sessions, slots, holds, moments and links anew, within the caller's transaction. *by_file* holds the
    sums of files by number, which apply if each of a file's claims is the only one of its response; the stored moments
    must be those of all these claims, and no others.
    """
    store.revoke_all()
    store.db.execute("DELETE FROM links")
    tally = _Tally(store, store.load_names())
    where = ""
    if by_file:
        shared = _shared_files(store)
        for file in shared.intersection(by_file):
            store.db.executemany(rows.DELETE_MOMENT, zip(*by_file[file][0], strict=True))
        alone = [file for file in by_file if file not in shared]
        for file in alone:
            tally.add_file(file, *by_file[file][1:])
        store.db.execute("CREATE TEMP TABLE alone (file INTEGER PRIMARY KEY)")
        store.db.executemany("INSERT INTO alone VALUES (?)", [(file,) for file in alone])
        where = "WHERE file NOT IN (SELECT file FROM alone)"
    for group in _groups(store, where):
        if len(group) == 1 and group[0][rows.BILL] is None:
            tally.add_row(group[0])
        else:
            tally.add_claims(group)
    if by_file:
        store.db.execute("DROP TABLE alone")
    else:
        store.db.execute("DELETE FROM moments")
    tally.store()
    store.set_meta("prices", store.sums_version())


def _shared_files(store: Store) -> set[int]:
    """Return the files with claims that are not the only ones of their group."""
    shared = "SELECT group_id FROM claims GROUP BY group_id HAVING count(*) > 1"
    files = store.db.execute(f"SELECT DISTINCT file FROM ({shared}) AS shared CROSS JOIN claims USING (group_id)")
    return {file for (file,) in files}


def _groups(store: Store, where: str) -> Iterator[list[rows.Row]]:
    """Yield the rows of the claims of each group."""
    group_id: int | None = None
    group: list[rows.Row] = []
    for row in store.db.execute(f"SELECT {rows.COLUMNS} FROM claims {where} ORDER BY group_id, rest, file"):
        if row[0] == group_id:
            group.append(row)
            continue
        if group:
            yield group
        group, group_id = [row], row[0]
    if group:
        yield group


class _Tally:
    """Everything that a recount writes in the end, by the numbers of names."""

    def __init__(self, store: Store, texts: dict[int, str]) -> None:
        self._store = store
        self._texts = texts
        self._sums: dict[int, accounting.Sums] = {}
        self._slots: accounting.Slots = {}
        self._holds: dict[tuple[int, int], int] = {}
        self._moments: list[tuple[Any, ...]] = []

    def _sums_of(self, session: int) -> accounting.Sums:
        sums = self._sums.get(session)
        if sums is None:
            sums = self._sums[session] = accounting.Sums()
        return sums

    def _hold(self, session: int, file: int, kind: int) -> None:
        if self._holds.get((session, file), accounting.CLAIM) <= kind:
            self._holds[session, file] = kind

    def add_file(self, file: int, sessions: Sessions, slots: accounting.Slots) -> None:
        """Count a file whose claims are the only ones of their groups; its moments are stored."""
        number_of = self._store.number_of
        for session, kind, packed in sessions:
            number = number_of(session)
            self._sums_of(number).merge(accounting.Sums.unpacked(packed))
            self._holds[number, file] = kind
        for (slot, session, model), numbers in slots.items():
            accounting.add_numbers(self._slots, (slot, number_of(session), number_of(model)), numbers)

    def add_row(self, row: rows.Row) -> None:
        group_id, rest, file, session, _, _, _, timestamp, model, flags, *counts = row[: rows.CWD - 1]
        cost_usd, cwd = row[rows.CWD - 1 : rows.CWD + 1]
        store, sums_of_session = self._store, self._sums_of(session)
        name, sums = accounting.charge(store.table, (self._texts[model], *counts, flags), cost_usd, covered=False)
        incomplete = not flags & FINAL
        sums_of_session.add_part(name, sums, incomplete)
        key = (timestamp, group_id, rest)
        sums_of_session.extend_to(key, self._texts[cwd] or store.folder_of(file))
        self._hold(session, file, accounting.LINE if flags & ORIGINAL else accounting.COPY)
        if accounting.is_activity(sums):
            auto, calculate, display = sums[COST:RESPONSES]
            self._moments.append(rows.moment(*key, (auto, calculate, display, sums[INPUT] + sums[OUTPUT])))
            numbers = [*sums, int(incomplete), timestamp, timestamp]
            accounting.add_numbers(self._slots, (timestamp // accounting.SLOT, session, model), numbers)

    def add_claims(self, rows_of_group: list[rows.Row]) -> None:
        """Count the responses that the claims of one group make."""
        store = self._store
        group: accounting.Group = {}
        for row in rows_of_group:
            claim = store.claim_of(row)
            group.setdefault(claim.rest, {})[claim.source()] = claim
            self._holds.setdefault((row[rows.SESSION], claim.file), accounting.CLAIM)
        if len(rows_of_group) >= rows.LARGE:
            links.replace_all(store.db, rows_of_group[0][0], group)
        for response in store.responses(group).values():
            number = store.number_of(response.session)
            self._sums_of(number).add(response, store.table, store.project_of(response.claim))
            self._moments += moments(store, (response,))
            for key, numbers in slot_parts(store, response):
                accounting.add_numbers(self._slots, key, numbers)
            for file, kind in response.holders():
                self._hold(number, file, kind)

    def store(self) -> None:
        store = self._store
        for table in ("totals", "sessions", "slots", "holds"):
            store.db.execute(f"DELETE FROM {table}")
        for session, sums in self._sums.items():
            store_sums(store, store.text_of(session), sums)
        holds = sorted((session, file, counted) for (session, file), counted in self._holds.items())
        store.db.executemany("INSERT INTO holds VALUES (?, ?, ?)", holds)
        rows.insert_all(store.db, rows.INSERT_SLOT, [rows.slot(*each) for each in sorted(self._slots.items())])
        self._moments.sort()
        rows.insert_all(store.db, rows.INSERT_MOMENT, self._moments)
