"""The first index: every transcript read once, by several processes, and the sums of all of them."""

from __future__ import annotations

import os

from ..transcripts.files import walk
from . import rows, workers
from .columns import KEY, numbers_of, unpack
from .refresh import changes_of
from .repair import carry_over
from .schema import CREATE_CLAIMS_OF_SESSION, DROP_CLAIMS_OF_SESSION, aside_files
from .store import WAIT
from .totals import moments_of, recount_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .store import Store
    from .totals import FilesAlone
    from .workers import Read

    Progress = Callable[[int, int], None]  # bytes read, bytes in all

_CACHE = 32_000  # KB of the database kept in memory: keys are digests, so that every batch reaches everywhere


def read_everything(store: Store, progress: Progress | None = None, plainly: bool = False) -> None:
    """Read every transcript once; only one process at a time does, the others wait for it. *plainly*: in this process,
    by the standard library's decoder alone."""
    with workers.first_lock(store.folder if store.stored else None):
        if not store.complete:
            read_all(store, progress, plainly)


class _Overtaken(Exception):
    """Another process has made the index complete: a rebuild."""


def read_all(store: Store, progress: Progress | None, plainly: bool) -> None:
    """The first reading, committed in batches so that an interrupted one goes on where it was."""
    try:
        _read_all(store, progress, plainly)
    except _Overtaken:  # what came since its reading is not ours alone to store
        return


def _read_all(store: Store, progress: Progress | None, plainly: bool) -> None:
    todo = changes_of(store, walk(store.roots)).to_read
    moved = [(os.fsencode(found.path), file.id) for found, file in todo if file and file.path != found.path]
    if moved:  # since a single session was answered
        _write(store, lambda: _rename(store, moved))
    alone: FilesAlone = {}
    database = _database(store)
    files = [found for found, _ in todo]
    _write(store, lambda: _make_ready(store, sum(found.stat.st_size for found in files)))
    for batch in workers.read_in_batches(files, store.table, progress, plainly):
        stored: list[FilesAlone] = []
        _write(store, lambda b=batch, s=stored: s.append(store_batch(store, b)))  # type: ignore[misc]
        alone |= stored[-1]  # the one before was undone
    _write(store, lambda: finish(store, alone if _database(store) == database else None))


def _write(store: Store, work: Callable[[], object]) -> None:
    """A step of the first reading. Raises _Overtaken: a complete index is never without its sums."""

    def step() -> None:
        if store.complete:
            raise _Overtaken
        work()

    store.write(step, WAIT)


def _make_ready(store: Store, size: int) -> None:
    """Take away what an interrupted first reading left, and what would slow down one of *size* bytes."""
    store.db.execute("DELETE FROM moments")
    if size > workers.PARALLEL:
        store.db.execute(DROP_CLAIMS_OF_SESSION)
        store.db.execute(f"PRAGMA cache_size = -{_CACHE}")


def _database(store: Store) -> tuple[bool, int]:
    """What is another one once somebody else has written, or what we write goes elsewhere."""
    return store.stored, store.data_version()


def _rename(store: Store, moved: list[tuple[bytes, int]]) -> None:
    store.db.executemany("UPDATE files SET path = ? WHERE id = ?", moved)
    for _, file in moved:
        store.forget_path(file)


def store_batch(store: Store, batch: Iterable[Read]) -> FilesAlone:
    """Store readings from the start of their files, without sums; returns those that came along, whose moments
    are stored."""
    alone: FilesAlone = {}
    claims: list[rows.Row] = []
    moments: list[rows.Row] = []
    again: list[int] = []
    for found, reading, columns, sums in batch:
        store.reads += 1
        known = store.files("WHERE path = ?", (os.fsencode(found.path),))
        number = store.store_file(found, known[0] if known else None, reading)
        if known:
            again.append(number)
        claims += unpack(columns, number, store.number_of)
        if sums is not None:
            alone[number] = numbers_of(columns, KEY), sums[0]
            moments += moments_of(columns, sums)
    store.delete_claims(again)
    claims.sort()  # by key and place, of which no two are the same
    rows.insert_all(store.db, rows.INSERT, claims)
    moments.sort()
    rows.insert_all(store.db, rows.INSERT_MOMENT, moments)
    return alone


def finish(store: Store, alone: FilesAlone | None = None) -> None:
    """Make the sums; *alone* is what files come to, with their moments stored, since when nobody else wrote."""
    if store.stored and aside_files(store.folder):
        carry_over(store)
    store.db.execute(CREATE_CLAIMS_OF_SESSION)
    store.set_meta("complete", 1)
    recount_all(store, alone)
