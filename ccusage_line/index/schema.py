"""The SQLite file of one index: its path, its schema, and what happens if it can't be opened."""

from __future__ import annotations

import os
import sys
from stat import S_ISREG

from ..files import is_ours, make_private_folder, names_in, open_private
from ..paths import DATABASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection
    from typing import Any, TypeVar

    Answered = TypeVar("Answered")
    Migrate = Callable[[Connection, int], None]  # from a version to this one


def load_sqlite() -> Any:
    """Return SQLite's C module without the package around it, and without functools, of which it uses one function.

    Together they cost 4 ms of a bare start's 10. `_sqlite3` and `_functools` are private to CPython; elsewhere the
    public package is used.
    """
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
    """Return a module with functools.lru_cache as SQLite uses it to cache prepared statements."""
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

VERSION = 4
NAME = DATABASE
FILE_SUFFIXES = ("", "-wal", "-shm")  # of the files of a database: itself, its log, its shared memory
_LONG_LOG = 256 * 1024  # bytes
_EXTRA_WAIT = 0.5  # seconds that opening may take in addition to those for a lock
_UNLOCKED_BYTE = 1 << 40  # offset in the database of a byte that SQLite never locks
_FIRST_LOCK, _LAST_LOCK = 120, 128  # bytes of the shared memory; a process that starts using it locks the last one
_PATIENCE = 60_000  # ms to wait for a process that migrates, which takes seconds for a million responses

CLAIMS = """
CREATE TABLE claims (
    group_id INTEGER NOT NULL, rest INTEGER NOT NULL, file INTEGER NOT NULL, session INTEGER NOT NULL,
    rank INTEGER NOT NULL, maker INTEGER NOT NULL, side INTEGER, timestamp INTEGER, model INTEGER, flags INTEGER,
    input INTEGER, output INTEGER, cache_creation INTEGER, write_1h INTEGER, cache_read INTEGER, searches INTEGER,
    cost_usd REAL, cwd INTEGER, place INTEGER, length INTEGER, main_times BLOB, uuids BLOB, parents BLOB, bill BLOB,
    PRIMARY KEY (group_id, rest, file, session, rank, maker)
) WITHOUT ROWID
"""
LINKS = """
CREATE TABLE links (
    group_id INTEGER NOT NULL, link INTEGER NOT NULL, kind INTEGER NOT NULL, rest INTEGER NOT NULL,
    PRIMARY KEY (group_id, link, kind, rest)
) WITHOUT ROWID
"""
MOMENTS = """
CREATE TABLE moments (
    timestamp INTEGER NOT NULL, group_id INTEGER NOT NULL, rest INTEGER NOT NULL, auto, calculate, display, tokens,
    PRIMARY KEY (timestamp, group_id, rest)
) WITHOUT ROWID
"""
SLOTS = """
CREATE TABLE slots (
    slot INTEGER NOT NULL, session INTEGER NOT NULL, model INTEGER NOT NULL, input, output, cache_creation, cache_read,
    auto, calculate, display, responses INTEGER, unpriced_auto INTEGER, unpriced_calculate INTEGER, incomplete INTEGER,
    first INTEGER, last INTEGER, PRIMARY KEY (slot, session, model)
) WITHOUT ROWID
"""
WINDOWS = """
CREATE TABLE windows (
    hours INTEGER NOT NULL, end INTEGER NOT NULL, used REAL, seen INTEGER NOT NULL, PRIMARY KEY (hours, end)
) WITHOUT ROWID
"""
# Times are in nanoseconds in `files` and `folders`, else in microseconds, UTC; money is in 1e-12 dollars. Sums that do
# not fit 64 bits are stored as text, so their columns have no type.
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
CREATE TABLE folders (
    path BLOB PRIMARY KEY, device, inode, size INTEGER, mtime INTEGER, ctime INTEGER, racy INTEGER
) WITHOUT ROWID;
"""

# Created after a large first reading: filled row by row, it would cost as much as all claims.
CREATE_CLAIMS_OF_SESSION = "CREATE INDEX IF NOT EXISTS claims_of_session ON claims (session)"
DROP_CLAIMS_OF_SESSION = "DROP INDEX IF EXISTS claims_of_session"


class Damaged(Exception):
    """Raised if what is stored is no database; the caller may set it aside and begin anew. The text says why."""


class Outdated(Exception):
    """Raised if the index is of an older version; the caller may migrate it."""


class Unusable(Exception):
    """Raised if the index can't be stored: read-only or full disk, no locks, another user's folder. It says why."""


_connected = False  # whether this process ever opened a connection
_left_open: list[Connection] = []  # referenced until the process ends, because Python closes the others


def connect(path: str, wait: float) -> Connection:
    """Return a connection in autocommit mode that waits *wait* seconds for a lock; *path* may be a URI. Raises
    OperationalError."""
    global _connected
    _connected = True
    database: Connection = sqlite.connect(
        path, timeout=wait, isolation_level=None, check_same_thread=False, uri=path.startswith("file:")
    )
    return database


def _call_in_time(seconds: float, work: Callable[[], Answered]) -> Answered:
    """Return what *work* returns, or raise UnreadableIndex if it takes longer than *seconds*: for some locks SQLite
    waits ten seconds whatever its timeout is, and a file system may take any time."""
    import _thread

    done = _thread.allocate_lock()
    done.acquire()
    results: list[Answered] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.release()

    _thread.start_new_thread(run, ())
    if not done.acquire(timeout=seconds):
        raise unreadable()
    if errors:
        raise errors[0]
    return results[0]


def _is_quiet(path: str) -> bool:
    """Return whether no process writes to the database or recovers it, so that no thread is needed; that saves 0.5 ms.

    Only the first connection of a process may ask, because closing the file releases all locks that the process has on
    it.
    """
    if sys.platform == "win32" or _connected:
        return False
    try:
        shared_memory = os.open(path + "-shm", os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    try:
        os.lseek(shared_memory, _FIRST_LOCK, os.SEEK_SET)
        os.lockf(shared_memory, os.F_TEST, _LAST_LOCK - _FIRST_LOCK + 1)
    except OSError:
        return False
    finally:
        os.close(shared_memory)
    return True


def is_busy(error: BaseException) -> bool:
    """Return whether an error means that another process holds a lock; Python 3.10 shows that only in its text."""
    return isinstance(error, OperationalError) and "lock" in str(error)


def unreadable(*reason: str) -> Exception:
    from ..errors import UnreadableIndex

    return UnreadableIndex(*reason)


def _has_locks(path: str) -> bool:
    """Return whether the file system supports locks. If it does not, SQLite reports a lock of another process.

    No connection of this process may have the file open, because closing it here releases all of its locks.
    """
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        with open(path, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _UNLOCKED_BYTE)
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _UNLOCKED_BYTE)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def open_database(folder: str, wait: float, migrate: Migrate | None = None) -> Connection:
    """Open the database in *folder*, created if there is none; *migrate* brings an older version to this one, within a
    transaction.

    Raises Outdated if *migrate* is needed but None, Damaged if the file is no database, Unusable if it can't be stored,
    UnreadableIndex if another process holds it.
    """
    path = os.path.join(folder, NAME)
    try:
        make_private_folder(os.path.dirname(folder))
        make_private_folder(folder)
        if migrate is not None:  # no time limit, because a migration may take long
            return _open(path, wait, migrate)
        if _is_quiet(path):
            return _open(path, wait, None)
        return _call_in_time(wait + _EXTRA_WAIT, lambda: _open(path, wait, None))
    except OperationalError as error:
        if has_foreign_log(path):
            raise Damaged("its log is not a regular file that you own") from error
        if is_busy(error) and _has_locks(path):
            raise unreadable() from error
        raise Unusable(str(error)) from error
    except OSError as error:
        raise Unusable(error.strerror or str(error)) from error
    except DatabaseError as error:
        raise Damaged(str(error)) from error


def _open(path: str, wait: float, migrate: Migrate | None) -> Connection:
    if not exists(path):
        os.close(open_private(path, os.O_RDWR))
    database = connect(path, wait)
    try:
        database.execute("PRAGMA synchronous = NORMAL")  # a power failure may lose the last commits, not tear one
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if 0 < version < VERSION and migrate is None:
            raise Outdated
        if version != VERSION:
            if 0 < version < VERSION:
                database.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
            create_or_migrate(database, migrate)
            database.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
            revoke_reports(os.path.dirname(path))  # they show what was here before
    except BaseException:
        database.close()  # also rolls back a transaction
        raise
    return database


def exists(path: str) -> bool:
    """Return whether a regular file of ours is at *path*. Raises Damaged if something else is."""
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            raise Damaged("a dangling link") from None
        return False
    if not S_ISREG(stat.st_mode) or not is_ours(stat):
        raise Damaged("not a regular file that you own")
    return True


def has_foreign_log(path: str) -> bool:
    """Return whether the log or the shared memory is not a regular file of ours."""
    for suffix in FILE_SUFFIXES[1:]:
        try:
            stat = os.lstat(path + suffix)
        except OSError:
            continue
        if not S_ISREG(stat.st_mode) or not is_ours(stat):
            return True
    return False


def create_or_migrate(database: Connection, migrate: Migrate | None) -> None:
    """Create the schema, or migrate it to this version. Raises Outdated if *migrate* is needed but None."""
    _use_log(database)
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


def _use_log(database: Connection) -> None:
    """Turn on write-ahead logging. SQLite does not wait for another process that does the same with a new database, so
    this function waits, for as long as SQLite would."""
    import time

    deadline = time.monotonic() + database.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.003)


def revoke_reports(folder: str) -> None:
    """Delete the published reports that show what is about to change; raises OSError if that fails."""
    from ..published import REPORTS, revoke

    for name in REPORTS:
        revoke(os.path.join(folder, name))


def leave(database: Connection, folder: str) -> None:
    """Leave the connection open at the end of the process, unless its log has grown long: then close it.

    Closing moves the log into the database, which costs some fsyncs. A log that is left costs the next process time by
    its length, and it grows until a process closes the database.
    """
    _left_open.append(database)
    try:
        if os.stat(os.path.join(folder, NAME + "-wal")).st_size > _LONG_LOG:
            database.close()
    except (OSError, DatabaseError):
        return


def create_schema(database: Connection) -> None:
    for statement in (*_SCHEMA.split(";"), CLAIMS, LINKS, MOMENTS, SLOTS, WINDOWS):
        if statement.strip():
            database.execute(statement)
    database.execute(CREATE_CLAIMS_OF_SESSION)
    database.execute(f"PRAGMA user_version = {VERSION}")


def in_memory(original: Connection | None) -> Connection:
    """Return an index in memory: a copy of *original* if that is sound and of this version, else an empty one. Raises
    UnreadableIndex if it can't be read now."""
    database = connect(":memory:", 0)
    if original is not None:
        try:
            original.backup(database)
            if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                return database
        except OperationalError as error:
            raise unreadable(*_reason(error)) from error
        except DatabaseError:
            pass
        database.close()
        database = connect(":memory:", 0)
    create_schema(database)
    return database


def _reason(error: Exception) -> tuple[str, ...]:
    return () if is_busy(error) else (str(error),)


def open_readable(folder: str, wait: float = 0.0) -> Connection | None:
    """Return a read-only connection to what is stored, or None if that is no database of ours and of this version.

    Raises UnreadableIndex if it can't be read now, because without its log the database is not what is stored.
    """
    path = os.path.join(folder, NAME)
    try:
        if not exists(path):
            return None
    except (OSError, Damaged):
        return None
    uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        return _call_in_time(wait + _EXTRA_WAIT, lambda: _connect_readable(f"{uri}?mode=ro", wait))
    except OperationalError as error:
        if (is_busy(error) and _has_locks(path)) or _has_log(path):
            raise unreadable(*_reason(error)) from error
    return _connect_readable(f"{uri}?immutable=1", 0)  # if not even the shared-memory file can be created


def _connect_readable(uri: str, wait: float) -> Connection | None:
    """Return a read-only connection, or None if it leads to no database of this version."""
    database = connect(uri, wait)
    try:
        if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return database
    except OperationalError:
        database.close()
        raise
    except DatabaseError:
        pass
    database.close()
    return None


def _has_log(path: str) -> bool:
    try:
        return os.stat(path + "-wal").st_size > 0
    except OSError:
        return os.path.lexists(path + "-wal")


def set_aside(path: str) -> bool:
    """Move a corrupt database and its log out of the way, and return whether that succeeded."""
    import time

    target = f"{path}.corrupt-{time.time_ns()}"
    for suffix in FILE_SUFFIXES:
        try:
            os.replace(path + suffix, target + suffix)
        except OSError:
            if not suffix:
                return False
    return True


def corrupt_files(folder: str) -> list[str]:
    """Return the paths of the corrupt databases that were set aside, oldest first."""
    prefix = f"{NAME}.corrupt-"
    names = sorted(name for name in names_in(folder) if name.startswith(prefix) and name[len(prefix) :].isdigit())
    return [path for path in (os.path.join(folder, name) for name in names) if os.path.isfile(path)]
