"""The rebuild of an index. What vanished transcripts said exists nowhere else (A13), so nothing here deletes it."""

from __future__ import annotations

import os
from contextlib import closing

from ..answer import FOLDER as ANSWERS
from ..paths import LINES
from ..published import REPORTS, revoke
from ..recent import NAME as RECENT
from . import rows, schema
from .first import read_everything
from .repair import COPIED, insert_file
from .store import WAIT, in_memory
from .totals import recount_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .index import Index
    from .store import Store
    from .workers import Progress


def rebuild(index: Index, progress: Progress | None = None) -> None:
    """Read all transcripts again. What the index holds of those that have vanished or can't be read now stays in it.

    Everything is read before the first change, and all changes are one transaction, so an interrupted rebuild has no
    effect.
    """
    with closing(in_memory(index.roots, index.table)) as fresh:
        read_everything(fresh, progress)
        index.write(lambda: _replace(index, fresh), WAIT)
    index.refresh()


def _replace(store: Store, fresh: Store) -> None:
    revoke_everything(store)
    known = dict(store.db.execute("SELECT path, id FROM files"))
    paths = dict(fresh.db.execute("SELECT id, path FROM files"))
    replaced = [(known[path],) for path in paths.values() if path in known]
    store.db.execute("CREATE TEMP TABLE replaced (file INTEGER PRIMARY KEY)")
    store.db.executemany("INSERT INTO replaced VALUES (?)", replaced)
    store.db.execute("DELETE FROM claims WHERE file IN (SELECT file FROM replaced)")
    store.db.execute("DELETE FROM files WHERE id IN (SELECT file FROM replaced)")
    store.db.execute("DROP TABLE replaced")
    store.db.execute("DELETE FROM folders")
    _copy_in(store, paths, fresh)
    store.db.execute(schema.CREATE_CLAIMS_OF_SESSION)  # an interrupted first reading dropped it
    store.set_meta("complete", 1)
    recount_all(store)
    drop_unused_names(store)


def _copy_in(store: Store, paths: dict[int, bytes], fresh: Store) -> None:
    """Copy all files and claims of one index into another one that knows none of these files."""
    new_numbers = {}
    for number, path in paths.items():
        session, *values = fresh.db.execute(f"SELECT session, {COPIED} FROM files WHERE id = ?", (number,)).fetchone()
        new_numbers[number] = insert_file(store, path, fresh.text_of(session), values, vanished=False)
    for row in fresh.db.execute(f"SELECT {rows.COLUMNS} FROM claims ORDER BY {rows.PRIMARY_KEY}"):
        claim = fresh.claim_of(row)
        claim.file = new_numbers[claim.file]
        store.db.execute(rows.INSERT, store.row_of(claim))


def revoke_everything(store: Store) -> None:
    """Delete everything published that may depend on what is about to change; raises OSError if that fails."""
    if not store.stored:
        return
    names = [name for name in os.listdir(store.folder) if name.startswith((RECENT, *REPORTS))]
    published = [os.path.join(store.folder, name) for name in names]
    for name in (ANSWERS, LINES):
        for folder, _, names in os.walk(os.path.join(store.folder, name)):
            published += [os.path.join(folder, each) for each in names]
    for path in published:
        revoke(path)


def drop_unused_names(store: Store) -> None:
    store.db.execute(
        "DELETE FROM names WHERE id NOT IN (SELECT session FROM files UNION SELECT session FROM claims"
        " UNION SELECT maker FROM claims UNION SELECT model FROM claims UNION SELECT cwd FROM claims"
        " UNION SELECT session FROM holds"
        " UNION SELECT session FROM sessions UNION SELECT project FROM sessions"
        " UNION SELECT session FROM totals UNION SELECT model FROM totals)"
    )
    store.clear_caches()
