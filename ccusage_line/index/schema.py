"""The SQLite file of one index: where it is, its schema, and what happens when it can't be had."""

from __future__ import annotations

import os

from ..files import private_dir
from ..paths import DATABASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection
    from typing import Any

    Migrate = Callable[[Connection, int], None]  # from a version to this one


def load_sqlite() -> Any:
    """SQLite's C module without the package around it, and without functools, of which it takes one function.

    Together they cost 4 ms of a bare start's 10. `_sqlite3` and `_functools` are private to CPython; the public
    package does the same.
    """
    import sys

    try:
        if "functools" in sys.modules or sys.implementation.name != "cpython":
            import _sqlite3  # type: ignore[import-not-found, unused-ignore]
        else:
            sys.modules["functools"] = _lru_cache_alone(type(sys))
            try:
                import _sqlite3
            finally:
                del sys.modules["functools"]
    except (ImportError, AttributeError):
        return public_sqlite()
    return _sqlite3


def _lru_cache_alone(module: type[Any]) -> Any:
    """A module with functools.lru_cache as SQLite uses it: to keep prepared statements."""
    from _functools import _lru_cache_wrapper  # type: ignore[import-not-found, attr-defined, unused-ignore]

    alone = module("functools")
    alone.lru_cache = lambda maxsize: lambda function: _lru_cache_wrapper(function, maxsize, False, tuple)
    return alone


def public_sqlite() -> Any:
    import sqlite3

    return sqlite3


sqlite = load_sqlite()

DatabaseError: type[Exception] = sqlite.DatabaseError
OperationalError: type[Exception] = sqlite.OperationalError
IntegrityError: type[Exception] = sqlite.IntegrityError

VERSION = 2
NAME = DATABASE
_LONG_LOG = 256 * 1024  # bytes
_PATIENCE = 60_000  # ms for another process that migrates: it takes some seconds for a million responses

CLAIMS = """
CREATE TABLE claims (
    family INTEGER NOT NULL, rest INTEGER NOT NULL, file INTEGER NOT NULL, session INTEGER NOT NULL,
    rank INTEGER NOT NULL, maker INTEGER NOT NULL, side INTEGER, timestamp INTEGER, model INTEGER, flags INTEGER,
    input INTEGER, output INTEGER, cache_creation INTEGER, write_1h INTEGER, cache_read INTEGER, searches INTEGER,
    cost_usd REAL, cwd INTEGER, place INTEGER, length INTEGER, main_times BLOB, uuids BLOB, parents BLOB, bill BLOB,
    PRIMARY KEY (family, rest, file, session, rank, maker)
) WITHOUT ROWID
"""
LINKS = """
CREATE TABLE links (
    family INTEGER NOT NULL, link INTEGER NOT NULL, kind INTEGER NOT NULL, rest INTEGER NOT NULL,
    PRIMARY KEY (family, link, kind, rest)
) WITHOUT ROWID
"""
# Times are microseconds UTC in claims and sessions, nanoseconds in files; money is 1e-12 dollar. Sums that do not fit
# 64 bits are stored as text, so those columns have no type.
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE names (id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, session INTEGER NOT NULL, own INTEGER NOT NULL,
    device, inode, mtime INTEGER, ctime INTEGER, seen INTEGER, offset INTEGER, head BLOB, tail BLOB, crc INTEGER,
    skipping INTEGER, racy INTEGER, vanished INTEGER NOT NULL DEFAULT 0, bad INTEGER NOT NULL DEFAULT 0,
    began INTEGER, custom_title BLOB, ai_title BLOB, summary BLOB, client_cost REAL
);
CREATE INDEX files_of_session ON files (session);
CREATE TABLE holds (
    session INTEGER NOT NULL, file INTEGER NOT NULL, counted INTEGER NOT NULL, PRIMARY KEY (session, file)
) WITHOUT ROWID;
CREATE INDEX holds_of_file ON holds (file);
CREATE TABLE sessions (
    session INTEGER PRIMARY KEY, first INTEGER, last INTEGER, project INTEGER, responses INTEGER, incomplete INTEGER
);
CREATE TABLE totals (
    session INTEGER NOT NULL, model INTEGER NOT NULL, input, output, cache_creation, cache_read,
    auto, calculate, display, responses INTEGER, unpriced_auto INTEGER, unpriced_calculate INTEGER,
    PRIMARY KEY (session, model)
) WITHOUT ROWID;
CREATE TABLE moments (
    timestamp INTEGER NOT NULL, family INTEGER NOT NULL, rest INTEGER NOT NULL, auto, calculate, display, tokens,
    PRIMARY KEY (timestamp, family, rest)
) WITHOUT ROWID;
CREATE TABLE folders (
    path BLOB PRIMARY KEY, device, inode, size INTEGER, mtime INTEGER, ctime INTEGER, racy INTEGER
) WITHOUT ROWID;
"""

# Filled at once after a large first reading: row by row it costs as much as all claims.
CREATE_CLAIMS_OF_SESSION = "CREATE INDEX IF NOT EXISTS claims_of_session ON claims (session)"
DROP_CLAIMS_OF_SESSION = "DROP INDEX IF EXISTS claims_of_session"


class Damaged(Exception):
    """What is stored is no database: whoever has the time for it sets it aside and begins anew. The text says why."""


class Outdated(Exception):
    """The index is of an older version: whoever has the time for it makes it today's."""


class Unusable(Exception):
    """The index can't be stored: read-only or full disk, no locks, another user's folder. The text says why."""


def connect(path: str, wait: float) -> Connection:
    """A connection in autocommit mode that waits *wait* seconds for a lock. Raises OperationalError."""
    database: Connection = sqlite.connect(path, timeout=wait, isolation_level=None)
    return database


def open_database(folder: str, wait: float, migrate: Migrate | None = None) -> Connection:
    """The database in *folder*, made where there is none; *migrate* brings one of an older version to this one, within
    a transaction.

    Raises Outdated where that is needed and not given, Damaged where it is no database, Unusable where it can't be
    stored.
    """
    path = os.path.join(folder, NAME)
    try:
        private_dir(os.path.dirname(folder))
        private_dir(folder)
        return _prepared(path, wait, migrate)
    except OperationalError as error:
        raise Unusable(str(error)) from error
    except OSError as error:
        raise Unusable(error.strerror or str(error)) from error
    except DatabaseError as error:
        raise Damaged(str(error)) from error


def _prepared(path: str, wait: float, migrate: Migrate | None) -> Connection:
    existed = os.path.exists(path)
    if not existed:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = connect(path, wait)
    try:
        database.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last commits, never tear them
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if 0 < version < VERSION and migrate is None:
            raise Outdated
        if version != VERSION:
            if 0 < version < VERSION:
                database.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
            create_or_migrate(database, migrate)
            database.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
            take_back_reports(os.path.dirname(path))  # of what was here before
    except BaseException:
        database.close()  # and with it a transaction that was begun
        raise
    return database


def create_or_migrate(database: Connection, migrate: Migrate | None) -> None:
    """Make what is there this version's. Raises Outdated where *migrate* is wanted and not given."""
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("BEGIN IMMEDIATE")
    version = database.execute("PRAGMA user_version").fetchone()[0]  # another process may have been first
    if version > VERSION:
        database.execute("ROLLBACK")
        raise Unusable(f"the index was written by a newer version (schema {version}, here {VERSION})")
    if version == 0:
        create_schema(database)
    elif version < VERSION:
        if migrate is None:
            raise Outdated
        migrate(database, version)
    database.execute("COMMIT")


def take_back_reports(folder: str) -> None:
    """Take back the reports that show what is about to change; raises OSError where that can't be done."""
    from ..published import REPORTS, revoke

    for name in REPORTS:
        revoke(os.path.join(folder, name))


def leave(database: Connection, folder: str) -> None:
    """Before a process ends without closing: close after all where the log has grown long.

    Closing moves the log into the database, which costs some fsyncs; a log left behind costs the next process its
    length, and it grows until somebody closes.
    """
    try:
        if os.stat(os.path.join(folder, NAME + "-wal")).st_size > _LONG_LOG:
            database.close()
    except (OSError, DatabaseError):
        return


def create_schema(database: Connection) -> None:
    for statement in (*_SCHEMA.split(";"), CLAIMS, LINKS):
        if statement.strip():
            database.execute(statement)
    database.execute(CREATE_CLAIMS_OF_SESSION)
    database.execute(f"PRAGMA user_version = {VERSION}")


def in_memory(original: Connection | None) -> Connection:
    """An index that is not stored: a copy of *original* where there is one that can be read, else empty."""
    database = connect(":memory:", 0)
    if original is not None:
        try:
            original.backup(database)
            if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                return database
        except DatabaseError:
            pass
        database.close()
        database = connect(":memory:", 0)
    create_schema(database)
    return database


def open_readable(folder: str) -> Connection | None:
    """A connection that only reads what is stored, None where there is nothing to read."""
    path = os.path.join(folder, NAME)
    try:
        owner = os.stat(path).st_uid
    except OSError:
        return None
    if hasattr(os, "geteuid") and owner != os.geteuid():
        return None  # what another user wrote is not believed
    name = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")  # quoting as URIs want it
    for mode in ("mode=ro", "immutable=1"):  # immutable: where not even the shared-memory file can be made
        try:
            database: Connection = sqlite.connect(f"file:{name}?{mode}", timeout=0, uri=True, isolation_level=None)
        except DatabaseError:
            continue
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                return database
        except DatabaseError:
            pass
        database.close()
    return None


def set_aside(path: str) -> str | None:
    """Move a corrupt database out of the way; returns its new name. The log goes with it."""
    import time

    target = f"{path}.corrupt-{time.time_ns()}"
    for suffix in ("", "-wal", "-shm"):
        try:
            os.replace(path + suffix, target + suffix)
        except OSError:
            if not suffix:
                return None
    return target


def aside_files(folder: str) -> list[str]:
    """Paths of the corrupt databases that were set aside, the oldest first."""
    begin = f"{NAME}.corrupt-"
    try:
        names = [name for name in os.listdir(folder) if name.startswith(begin) and name[len(begin) :].isdigit()]
    except OSError:
        return []
    return [os.path.join(folder, name) for name in sorted(names)]
