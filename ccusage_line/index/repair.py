"""Repair: a damaged database is set aside, and what it still holds of archived sessions goes into a new one (A13)."""

from __future__ import annotations

import os
from contextlib import closing

from .. import accounting
from ..errors import UserError
from ..locks import lock
from ..transcripts.claims import SYNTHETIC
from . import migration, rows, schema
from .soundness import UNSOUND, is_sound
from .store import WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from sqlite3 import Connection
    from typing import Any

    from .store import Store

_NOTICE = "notice"  # the key in `meta` of a message about a damaged index that has not been shown
_MEND_LOCK = "mend.lock"
_PATIENCE = 5.0  # seconds to wait for another process that repairs
COPIED = (
    "own, device, inode, mtime, ctime, seen, offset, head, tail, crc, skipping, racy, bad, began,"
    " custom_title, ai_title, summary, client_cost"
)

_DAMAGE_ERRORS = (schema.DatabaseError, UnicodeDecodeError)  # the latter if SQLite's message can't be decoded
_SIGNS = ("no such table", "no such column", "has no column named", "Could not decode")


def is_damage(error: BaseException) -> bool:
    """Return whether an error means that the database file is broken, not that it is busy, full or read-only."""
    if isinstance(error, schema.OperationalError):
        return any(sign in str(error) for sign in _SIGNS)
    return type(error) is schema.DatabaseError or isinstance(error, (schema.IntegrityError, UnicodeDecodeError))


def recover_from(environ: Mapping[str, str], error: BaseException) -> bool:
    """Set the database aside if it is damaged, after *error* in the middle of a question. Returns whether to ask again.

    Any error may come from damage: SQLite has no checksums, and returns a number that became a text as it is.
    """
    from ..paths import index_dir

    if isinstance(error, schema.OperationalError) and not is_damage(error):
        return False  # busy, full, read-only
    if isinstance(error, (UnicodeEncodeError, UserError)):
        return False  # caused by the question: nothing to repair
    try:
        return set_aside_if_damaged(index_dir(environ)) or is_damage(error)  # another process may have been first
    except (OSError, UserError):
        return False


def set_aside_if_damaged(folder: str) -> bool:
    """Set the database aside if it is damaged, and return whether it was. Only one process at a time does so.

    Raises UnreadableIndex if another process takes too long over it.
    """
    path = os.path.join(folder, schema.NAME)
    held = lock(os.path.join(folder, _MEND_LOCK), _PATIENCE)
    if held is None:
        raise schema.unreadable("another process is repairing it; try again later")
    with held:
        return _is_damaged(path) and schema.set_aside(path)


def _is_damaged(path: str) -> bool:
    try:
        if not schema.exists(path):
            return False
        if schema.has_foreign_log(path):
            return True
    except schema.Damaged:
        return True
    try:
        with closing(schema.connect(path, _PATIENCE)) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if not 1 <= version <= schema.VERSION:
                return bool(version < 0)  # 0: not begun; above: of a newer version
            if database.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":  # quick_check ignores indexes
                return True
            return not (is_sound(database) if version == schema.VERSION else _can_be_migrated(database))
    except _DAMAGE_ERRORS as error:
        return is_damage(error)


def _can_be_migrated(original: Connection) -> bool:
    """Return whether a database of an older version, which stays as it is, can be migrated to this one."""
    with closing(schema.connect(":memory:", 0)) as database:
        try:
            original.backup(database)
            schema.create_or_migrate(database, migration.migrate)
        except schema.DatabaseError:
            return False
    return True


def carry_over(store: Store) -> None:
    """Copy what can be read of archived sessions from damaged databases into the new one.

    Runs within the transaction that completes the first index: it is repeated until that commits, and never afterwards.
    """
    damaged = schema.corrupt_files(store.folder)
    count = 0
    for path in reversed(damaged):
        with closing(schema.connect(path, 0)) as source:
            count += _carry_over_from(store, source)
    for table in ("files", "claims", "windows"):  # an unsound row would break the next question
        store.db.execute(f"DELETE FROM {table} WHERE {UNSOUND[table]}")
    if damaged:
        from ..text import count_text

        recovered = f"; the data of {count_text(count, 'deleted transcript')} was recovered" if count else ""
        text = f"the index was damaged and has been rebuilt{recovered} (the damaged file: {damaged[-1]})"
        store.set_meta(_NOTICE, text)


def _carry_over_from(store: Store, source: Connection) -> int:
    """Copy what one damaged database holds of vanished transcripts, and return how many these are."""
    existing = dict(store.db.execute("SELECT path, id FROM files WHERE NOT vanished"))
    inodes = set(store.db.execute("SELECT device, inode FROM files WHERE NOT vanished").fetchall())
    names = _names_in(source)
    new_numbers: dict[int, int] = {}  # of the files of the damaged database
    path_sessions: dict[int, int] = {}
    is_version_1 = _has_column(source, "further")  # its number in the header may be damaged
    copied = COPIED.replace("began", "NULL") if is_version_1 else COPIED
    files = _readable(source, f"SELECT id, path, session, vanished, {copied} FROM files", "id")
    for number, path, session, vanished, *values in files:
        exists_elsewhere = not vanished and tuple(values[1:3]) in inodes
        if not isinstance(path, bytes) or path in existing or number in new_numbers or exists_elsewhere:
            continue
        row = store.db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        name = names.get(session, "")
        new_numbers[number] = row[0] if row else insert_file(store, path, name, values, vanished=True)
        path_sessions[number] = session
    columns, key = (migration.COLUMNS, migration.PRIMARY_KEY) if is_version_1 else (rows.COLUMNS, rows.PRIMARY_KEY)
    if not _has_column(source, "group_id"):
        columns, key = migration.columns_before_4(columns), migration.columns_before_4(key)
    for claim in _readable(source, f"SELECT {columns} FROM claims", key):
        file = claim[rows.FILE]
        if file in new_numbers:
            _carry_claim(store, claim, names, new_numbers[file], path_sessions[file] if is_version_1 else None)
    if is_version_1:
        store.db.execute(migration.BEGIN)
    for row in _readable(source, "SELECT hours, end, used, seen FROM windows", "hours, end"):
        store.db.execute("INSERT OR IGNORE INTO windows VALUES (?, ?, ?, ?)", row)
    return len(new_numbers)


_EXISTS = "SELECT 1 FROM claims JOIN files ON files.id = file WHERE group_id = ? AND rest = ? AND NOT vanished LIMIT 1"


def _has_column(source: Connection, name: str) -> bool:
    try:
        source.execute(f"SELECT {name} FROM claims LIMIT 0")
    except _DAMAGE_ERRORS:
        return False
    return True


def _carry_claim(
    store: Store, row: tuple[Any, ...], names: dict[int, str], file: int, path_session: int | None
) -> None:
    """Copy one claim, if it was read whole and no existing transcript has its thread: what that says is right.

    *path_session* is the number of the session that the path of its file names, if the row is one of version 1.
    """
    session = names.get(row[rows.SESSION])
    if session is None:
        return
    try:
        if path_session is not None:
            row = migration.claim_row(row, session, -1, at_home=path_session == row[rows.SESSION])
        numbers = (*row[:2], row[4], *row[6:8], *row[9:16], *row[18:20])
        if not all(isinstance(number, int) for number in numbers):
            return
        model, cwd = names.get(row[rows.MODEL], ""), names.get(row[rows.CWD], "")
        claim = rows.unpack(row, session, names.get(row[rows.MAKER], ""), model, cwd)
        claim.file = file
        if model == SYNTHETIC or store.db.execute(_EXISTS, (claim.group, claim.rest)).fetchone() is not None:
            return
        list(accounting.Response(0, claim, session, [claim]).parts(store.table))  # raises if it can't be counted
    except (ValueError, TypeError, EOFError, OverflowError):
        return
    store.db.execute(rows.INSERT.replace("OR REPLACE", "OR IGNORE"), store.row_of(claim))


def _names_in(source: Connection) -> dict[int, str]:
    """Return the names by number, from the table and from its index by text, which is on other pages."""
    names = {}
    for key in ("id", "text"):
        for number, data in _readable(source, "SELECT id, text FROM names", key):
            try:
                names[number] = data.decode("utf-8", "surrogatepass")
            except (AttributeError, ValueError):  # not bytes, or not those of a text
                continue
    return names


def _readable(source: Connection, query: str, key: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that a damaged database still returns: from the front up to the damage, then from the end."""
    for order in ("", " DESC"):
        try:
            by = ", ".join(name + order for name in key.split(", "))
            yield from source.execute(f"{query} ORDER BY {by}")
            return
        except _DAMAGE_ERRORS:
            continue


def notice(store: Store) -> str | None:
    """Return the notice about a damaged index, once, and then delete all damaged databases but the last."""
    message: str | None = store.meta(_NOTICE)
    if message is None or not store.stored:
        return message

    def work() -> None:
        store.db.execute("DELETE FROM meta WHERE key = ?", (_NOTICE,))

    store.write(work, WAIT)
    for path in schema.corrupt_files(store.folder)[:-1]:
        for suffix in schema.FILE_SUFFIXES:
            try:
                os.unlink(path + suffix)
            except OSError:
                continue
    return message


def insert_file(store: Store, path: bytes, session: str, values: Iterable[Any], vanished: bool) -> int:
    """Insert a row into `files`, with *values* for the columns COPIED, and return its number."""
    cursor = store.db.execute(
        f"INSERT INTO files (path, session, vanished, {COPIED}) VALUES (?, ?, ?{', ?' * (COPIED.count(',') + 1)})",
        (path, store.number_of(session), vanished, *values),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
