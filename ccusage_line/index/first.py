"""The first index: every transcript is read once, by several processes, and all sums are computed."""

from __future__ import annotations

import os

from ..locks import Lock, lock
from ..transcripts.files import walk
from . import rows, workers
from .columns import insertion, keys_of, unpack
from .refresh import changes_of
from .repair import carry_over
from .schema import CREATE_CLAIMS_OF_SESSION, DROP_CLAIMS_OF_SESSION, corrupt_files, unreadable
from .store import WAIT
from .totals import moments_of, recount_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .store import Store
    from .totals import SumsByFile
    from .workers import Progress, Read

PATIENCE = 30.0  # seconds in which a reading process must commit something; the sums of a long history take several
_MESSAGE_AFTER = 5.0  # seconds of waiting for it without a message
_LOCK = "first.lock"
# Keys are digests, so every batch changes pages all over the database. Hence a large cache, and a large log before a
# checkpoint, which waits for the disk.
_CACHE = 32_000  # KB
_LOG = 4_000  # pages: 16 MB
_DEFAULT_LOG = 1_000  # pages: SQLite's default


def read_everything(
    store: Store, progress: Progress | None = None, plainly: bool = False, patience: float | None = None
) -> None:
    """Read every transcript once. Only one process at a time does so; the others wait for it. If *plainly*, read in
    this process and with the standard library's decoder only.

    Raises UnreadableIndex if the reading process takes longer than *patience* seconds or, if *patience* is None,
    commits nothing for PATIENCE seconds.
    """
    with _acquire_lock(store, patience) if store.stored else Lock():
        if not store.complete:
            try:
                _read_all(store, progress, plainly)
            except _AlreadyComplete:  # the next refresh reads what was appended since then
                return
            except KeyboardInterrupt:
                if progress is not None:
                    progress(1, 1)  # removes the progress bar
                if store.stored:
                    store.notify("interrupted; the next run continues where this one stopped")
                raise


def _acquire_lock(store: Store, patience: float | None) -> Lock:
    """Wait for the lock of the first reading and return it."""
    path = os.path.join(store.folder, _LOCK)
    held = lock(path, _MESSAGE_AFTER if patience is None else patience)
    if held is None and patience is None:
        store.notify("another process is reading all transcripts for the first time; waiting for it")
    version = None
    while held is None:
        if version == store.data_version() or patience is not None:
            raise unreadable("another process is building it and makes no progress; try again later")
        version = store.data_version()
        held = lock(path, PATIENCE)
    return held


class _AlreadyComplete(Exception):
    """Raised if another process has completed the index, by a rebuild."""


def _read_all(store: Store, progress: Progress | None, plainly: bool) -> None:
    """Do the first reading, committed in batches so that an interrupted one can be resumed."""
    todo = changes_of(store, walk(store.roots)).to_read
    moved = [(os.fsencode(new.path), file.id) for new, file in todo if file and file.path != new.path]
    if moved:  # since a question about one session stored them
        _write(store, lambda: _rename(store, moved))
    by_file: SumsByFile = {}
    database_state = _database_state(store)
    files = [transcript for transcript, _ in todo]
    _write(store, lambda: _prepare(store, sum(transcript.stat.st_size for transcript in files)))
    for batch in workers.read_in_batches(files, store.table, progress, plainly):
        attempts: list[SumsByFile] = []
        _write(store, lambda b=batch, a=attempts: a.append(store_batch(store, b)))  # type: ignore[misc]
        by_file |= attempts[-1]  # an attempt before it was rolled back
    _write(store, lambda: finish(store, by_file if _database_state(store) == database_state else None))
    store.db.execute(f"PRAGMA wal_autocheckpoint = {_DEFAULT_LOG}")


def _write(store: Store, work: Callable[[], object]) -> None:
    """Run one step of the first reading. Raises _AlreadyComplete: a complete index must never be without its sums."""

    def step() -> None:
        if store.complete:
            raise _AlreadyComplete
        work()

    store.write(step, WAIT)


def _prepare(store: Store, size: int) -> None:
    """Delete what an interrupted first reading left, and prepare the database for a reading of *size* bytes."""
    store.db.execute("DELETE FROM moments")
    if size > workers.PARALLEL:
        store.db.execute(DROP_CLAIMS_OF_SESSION)
        store.db.execute(f"PRAGMA cache_size = -{_CACHE}")
        store.db.execute(f"PRAGMA wal_autocheckpoint = {_LOG}")


def _database_state(store: Store) -> tuple[bool, int]:
    """Return a value that changes if another process commits, or if this one goes on in memory."""
    return store.stored, store.data_version()


def _rename(store: Store, moved: list[tuple[bytes, int]]) -> None:
    store.db.executemany("UPDATE files SET path = ? WHERE id = ?", moved)
    for _, file in moved:
        store.forget_path(file)


def store_batch(store: Store, batch: Collection[Read]) -> SumsByFile:
    """Store complete readings of files, without sums. Returns the sums that came along with readings, by file; the
    moments of these files are stored."""
    by_file: SumsByFile = {}
    claims: dict[str, list[rows.Row]] = {}  # by the statement that stores them
    moments: list[rows.Row] = []
    reread: list[int] = []
    known = store.files_at(*(read[0].path for read in batch))
    for transcript, reading, columns, sums in batch:
        store.reads += 1
        file = known.get(transcript.path)
        number = store.store_file(transcript, file, reading)
        if file is not None:
            reread.append(number)
        claims.setdefault(insertion(columns), []).extend(unpack(columns, number, store.number_of))
        if sums is not None:
            keys = keys_of(columns)
            by_file[number] = keys, *sums[:2]
            moments += moments_of(keys, sums)
    store.delete_claims(reread)
    for statement, claim_rows in claims.items():
        claim_rows.sort()  # by the primary key, of which no two are equal
        rows.insert_all(store.db, statement, claim_rows)
    moments.sort()
    rows.insert_all(store.db, rows.INSERT_MOMENT, moments)
    return by_file


def finish(store: Store, by_file: SumsByFile | None = None) -> None:
    """Complete the index. *by_file* holds the sums of files with stored moments; None if another process wrote."""
    if store.stored and corrupt_files(store.folder):
        carry_over(store)
    store.db.execute(CREATE_CLAIMS_OF_SESSION)
    store.set_meta("complete", 1)
    recount_all(store, by_file)
