"""The SQLite file of one index: where it is, its schema, and what happens when it can't be had."""

from __future__ import annotations

import os
import sys
from stat import S_ISREG

from ..files import is_ours, names_in, open_private, private_dir
from ..paths import DATABASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection
    from typing import Any, TypeVar

    Answered = TypeVar("Answered")
    Migrate = Callable[[Connection, int], None]  # from a version to this one


def load_sqlite() -> Any:
    """SQLite's C module without the package around it, and without functools, of which it takes one function.

    Together they cost 4 ms of a bare start's 10. `_sqlite3` and `_functools` are private to CPython; the public
    package does the same.
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

VERSION = 4
NAME = DATABASE
_LONG_LOG = 256 * 1024  # bytes
_MORE = 0.5  # seconds beyond those for a lock that opening may take
_NO_BYTE = 1 << 40  # of the database, which SQLite never locks
_LOCKS, _LAST_LOCK = 120, 128  # bytes of the shared memory; whoever begins to use it has the last one for itself
_PATIENCE = 60_000  # ms for another process that migrates: it takes some seconds for a million responses

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
# Times are nanoseconds in files, else microseconds UTC; money is 1e-12 dollar. Sums that do not fit 64 bits are stored
# as text, so those columns have no type.
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

# Filled at once after a large first reading: row by row it costs as much as all claims.
CREATE_CLAIMS_OF_SESSION = "CREATE INDEX IF NOT EXISTS claims_of_session ON claims (session)"
DROP_CLAIMS_OF_SESSION = "DROP INDEX IF EXISTS claims_of_session"


class Damaged(Exception):
    """What is stored is no database: whoever has the time for it sets it aside and begins anew. The text says why."""


class Outdated(Exception):
    """The index is of an older version: whoever has the time for it makes it today's."""


class Unusable(Exception):
    """The index can't be stored: read-only or full disk, no locks, another user's folder. The text says why."""


_connected = False  # this process, ever
_left: list[Connection] = []  # kept until the process ends: Python closes what nobody has


def connect(path: str, wait: float) -> Connection:
    """A connection in autocommit mode that waits *wait* seconds for a lock; *path* may be a URI. Raises
    OperationalError."""
    global _connected
    _connected = True
    database: Connection = sqlite.connect(
        path, timeout=wait, isolation_level=None, check_same_thread=False, uri=path.startswith("file:")
    )
    return database


def in_time(seconds: float, work: Callable[[], Answered]) -> Answered:
    """What *work* gives. Raises UnreadableIndex if it takes longer: for some locks SQLite waits ten seconds whatever it
    was told, and a file system may take any time."""
    import _thread

    done = _thread.allocate_lock()
    done.acquire()
    found: list[Answered] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)
        finally:
            done.release()

    _thread.start_new_thread(run, ())
    if not done.acquire(timeout=seconds):
        raise unreadable()
    if failed:
        raise failed[0]
    return found[0]


def _is_quiet(path: str) -> bool:
    """Whether nobody writes to the database or mends it, so that SQLite waits for nobody and a thread can be saved,
    0.5 ms.

    Only the first connection of a process may ask: closing the file gives up all locks that the process has on it.
    """
    if sys.platform == "win32" or _connected:
        return False
    try:
        memory = os.open(path + "-shm", os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        os.lseek(memory, _LOCKS, os.SEEK_SET)
        os.lockf(memory, os.F_TEST, _LAST_LOCK - _LOCKS + 1)
    except OSError:
        return False
    finally:
        os.close(memory)
    return True


def is_busy(error: BaseException) -> bool:
    """Whether an error says that another process has what is asked for; Python 3.10 has nothing but its text."""
    return isinstance(error, OperationalError) and "lock" in str(error)


def unreadable(*reason: str) -> Exception:
    from ..errors import UnreadableIndex

    return UnreadableIndex(*reason)


def _has_locks(path: str) -> bool:
    """Whether the file system knows locks. SQLite takes it for another process's lock where it does not.

    No connection of this process may have the file open: closing it here gives up all of its locks.
    """
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        with open(path, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _NO_BYTE)
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _NO_BYTE)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def open_database(folder: str, wait: float, migrate: Migrate | None = None) -> Connection:
    """The database in *folder*, made where there is none; *migrate* brings one of an older version to this one, within
    a transaction.

    Raises Outdated where that is needed and not given, Damaged where it is no database, Unusable where it can't be
    stored, UnreadableIndex where another process has it.
    """
    path = os.path.join(folder, NAME)
    try:
        private_dir(os.path.dirname(folder))
        private_dir(folder)
        if migrate is not None:  # which takes its time
            return _prepared(path, wait, migrate)
        if _is_quiet(path):
            return _prepared(path, wait, None)
        return in_time(wait + _MORE, lambda: _prepared(path, wait, None))
    except OperationalError as error:
        if has_odd_log(path):
            raise Damaged("what stands in the place of its log is no file of ours") from error
        if is_busy(error) and _has_locks(path):
            raise unreadable() from error
        raise Unusable(str(error)) from error
    except OSError as error:
        raise Unusable(error.strerror or str(error)) from error
    except DatabaseError as error:
        raise Damaged(str(error)) from error


def _prepared(path: str, wait: float, migrate: Migrate | None) -> Connection:
    if not is_there(path):
        os.close(open_private(path, os.O_RDWR))
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


def is_there(path: str) -> bool:
    """Whether there is a file of ours at *path*. Raises Damaged if there is anything else."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            raise Damaged("a link to nothing") from None
        return False
    if not S_ISREG(found.st_mode) or not is_ours(found):
        raise Damaged("not a file of ours")
    return True


def has_odd_log(path: str) -> bool:
    """Whether something else stands in the place of the log or of the shared memory."""
    for suffix in ("-wal", "-shm"):
        try:
            found = os.lstat(path + suffix)
        except OSError:
            continue
        if not S_ISREG(found.st_mode) or not is_ours(found):
            return True
    return False


def create_or_migrate(database: Connection, migrate: Migrate | None) -> None:
    """Make what is there this version's. Raises Outdated where *migrate* is wanted and not given."""
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
    """Have changes written to a log. SQLite does not wait for another process that has a new database do so too, so
    this does, as long as SQLite would."""
    import time

    end = time.monotonic() + database.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if not is_busy(error) or time.monotonic() > end:
                raise
        time.sleep(0.003)


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
    _left.append(database)
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
    """An index that is not stored: a copy of *original* where there is one that is not damaged, else empty. Raises
    UnreadableIndex where it can't be read now."""
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
    """A connection that only reads what is stored, None where there is nothing of ours and of today.

    Raises UnreadableIndex where it can't be read now: what is left of it without its log is not what is stored.
    """
    path = os.path.join(folder, NAME)
    try:
        if not is_there(path):
            return None
    except (OSError, Damaged):
        return None
    name = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")  # quoting as URIs want it
    try:
        return in_time(wait + _MORE, lambda: _readable(f"file:{name}?mode=ro", wait))
    except OperationalError as error:
        if (is_busy(error) and _has_locks(path)) or _has_log(path):
            raise unreadable(*_reason(error)) from error
    return _readable(f"file:{name}?immutable=1", 0)  # where not even the shared-memory file can be made


def _readable(uri: str, wait: float) -> Connection | None:
    """None where it is no database of today."""
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
    names = [name for name in names_in(folder) if name.startswith(begin) and name[len(begin) :].isdigit()]
    paths = [os.path.join(folder, name) for name in sorted(names)]
    return [path for path in paths if os.path.isfile(path)]
