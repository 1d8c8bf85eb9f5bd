"""The first index: every transcript read once, by several processes, and the sums of all of them. Tier 2."""

from __future__ import annotations

import os

from ..transcripts.files import walk
from . import rows, workers
from .columns import KEY, numbers_of, unpack
from .index import WAIT
from .schema import CREATE_CLAIMS_OF_SESSION, DROP_CLAIMS_OF_SESSION, aside_files
from .totals import moments_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .index import Index
    from .totals import FilesAlone
    from .workers import Read

    Progress = Callable[[int, int], None]  # bytes read, bytes in all

_CACHE = 32_000  # KB of the database kept in memory: keys are digests, so that every batch reaches everywhere


def read_everything(index: Index, progress: Progress | None) -> None:
    """Read every transcript once; only one process at a time does, the others wait for it."""
    with workers.first_lock(index.folder if index.stored else None):
        if not index.complete:
            index.read_all(progress)


class _Overtaken(Exception):
    """Another process has made the index complete: a rebuild."""


def read_all(index: Index, progress: Progress | None) -> None:
    """The first reading, committed in batches so that an interrupted one goes on where it was."""
    try:
        _read_all(index, progress)
    except _Overtaken:  # what came since its reading is not ours alone to store
        return


def _read_all(index: Index, progress: Progress | None) -> None:
    todo = index._changes(walk(index.roots)).to_read
    moved = [(os.fsencode(found.path), file.id) for found, file in todo if file and file.path != found.path]
    if moved:  # since a single session was answered
        _write(index, lambda: _rename(index, moved))
    alone: FilesAlone = {}
    database = _database(index)
    files = [found for found, _ in todo]
    _write(index, lambda: _make_ready(index, sum(found.stat.st_size for found in files)))
    for batch in workers.read_in_batches(files, index.table, progress):
        stored: list[FilesAlone] = []
        _write(index, lambda b=batch, s=stored: s.append(store(index, b)))  # type: ignore[misc]
        alone |= stored[-1]  # the one before was undone
    _write(index, lambda: finish(index, alone if _database(index) == database else None))


def _write(index: Index, work: Callable[[], object]) -> None:
    """A step of the first reading. Raises _Overtaken: a complete index is never without its sums."""

    def step() -> None:
        if index.complete:
            raise _Overtaken
        work()

    index._write(step, WAIT)


def _make_ready(index: Index, size: int) -> None:
    """Take away what an interrupted first reading left, and what would slow down one of *size* bytes."""
    index.db.execute("DELETE FROM moments")
    if size > workers.PARALLEL:
        index.db.execute(DROP_CLAIMS_OF_SESSION)
        index.db.execute(f"PRAGMA cache_size = -{_CACHE}")


def _database(index: Index) -> tuple[bool, int]:
    """What is another one once somebody else has written, or what we write goes elsewhere."""
    return index.stored, index.data_version()


def _rename(index: Index, moved: list[tuple[bytes, int]]) -> None:
    index.db.executemany("UPDATE files SET path = ? WHERE id = ?", moved)
    index._paths.clear()


def store(index: Index, batch: Iterable[Read]) -> FilesAlone:
    """Store readings from the start of their files, without sums; returns those that came along, whose moments
    are stored."""
    alone: FilesAlone = {}
    claims: list[rows.Row] = []
    moments: list[rows.Row] = []
    again: list[int] = []
    for found, reading, columns, sums in batch:
        index.reads += 1
        known = index._files("WHERE path = ?", (os.fsencode(found.path),))
        number = index._store_file(found, known[0] if known else None, reading)
        if known:
            again.append(number)
        claims += unpack(columns, number, index._id)
        if sums is not None:
            alone[number] = numbers_of(columns, KEY), sums[0]
            moments += moments_of(columns, sums)
    index.delete_claims(again)
    claims.sort()  # by key and place, of which no two are the same
    rows.insert_all(index.db, rows.INSERT, claims)
    moments.sort()
    rows.insert_all(index.db, rows.INSERT_MOMENT, moments)
    return alone


def finish(index: Index, alone: FilesAlone | None = None) -> None:
    """Make the sums; *alone* is what files come to, with their moments stored, since when nobody else wrote."""
    if index.stored and aside_files(index.folder):
        from .care import carry_over

        carry_over(index)
    index.db.execute(CREATE_CLAIMS_OF_SESSION)
    index._set_meta("complete", 1)
    index._recount_all(alone)
