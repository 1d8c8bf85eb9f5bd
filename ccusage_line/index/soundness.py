"""A check that SQLite does not make: whether a readable database holds only what an index writes."""

from __future__ import annotations

from contextlib import closing

from . import rows
from .schema import in_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection


def _columns(database: Connection) -> set[tuple[str, str]]:
    found = database.execute("SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c")
    return set(found.fetchall())


def _columns_wanted() -> set[tuple[str, str]]:
    with closing(in_memory(None)) as database:
        return _columns(database)


def is_sound(database: Connection) -> bool:
    """Return whether the tables and columns are those of this version, every value has the type that is written there,
    and every reference to a row leads to one."""
    if _columns(database) != _columns_wanted():
        return False
    for table, unsound in UNSOUND.items():
        if database.execute(f"SELECT 1 FROM {table} WHERE {unsound} LIMIT 1").fetchone() is not None:
            return False
    try:
        for (text,) in database.execute("SELECT text FROM names"):
            text.decode("utf-8", "surrogatepass")
        for (bill,) in database.execute("SELECT bill FROM claims WHERE bill IS NOT NULL"):
            if not _is_bill(*rows.unpack_bill(bill)):
                return False
    except (ValueError, TypeError, EOFError):
        return False
    return True


def _is_bill(extra: object, shares: object, context: object) -> bool:
    """Return whether a response's bill is what rows.pack_bill writes."""
    if not isinstance(extra, tuple) or not isinstance(shares, tuple) or type(context) not in (int, type(None)):
        return False
    part_types, share_types = [str] + [int] * 7, [int] * 5
    are_parts = all(list(map(type, part)) == part_types for part in extra)
    return are_parts and all(list(map(type, share)) == share_types for share in shares)


def _unsound(integers: str = "", numbers: str = "", blobs: str = "", **nullable: str) -> str:
    """Return a condition that matches rows with a value of another type than that of its column.

    *numbers* may be stored as text; *nullable* maps types to the columns that may be null.
    """
    conditions = [f"typeof({name}) != 'integer'" for name in integers.split()]
    conditions += [
        f"typeof({name}) NOT IN ('integer', 'text') OR typeof({name}) = 'text' AND (ltrim({name}, '-') GLOB '*[^0-9]*'"
        f" OR ltrim({name}, '-') = '')"
        for name in numbers.split()
    ]
    conditions += [f"typeof({name}) != 'blob'" for name in blobs.split()]
    for kind, names in nullable.items():
        conditions += [f"typeof({name}) NOT IN ('null', '{kind}')" for name in names.split()]
    return " OR ".join(conditions)


def _dangling(names: str, files: str = "") -> str:
    """Return a condition that matches rows with a reference to a name or a file that does not exist."""
    missing = [f"{name} NOT IN (SELECT id FROM names)" for name in names.split()]
    return " OR ".join(missing + [f"{name} NOT IN (SELECT id FROM files)" for name in files.split()])


UNSOUND = {
    "names": _unsound("id", blobs="text"),
    "files": _unsound(
        "id session own mtime ctime seen offset skipping racy vanished bad",
        "device inode",
        "path head tail",
        integer="crc began",
        blob="custom_title ai_title summary",
        real="client_cost",
    )
    + f" OR {_dangling('session')}",
    "claims": _unsound(
        "group_id rest file session rank maker side timestamp model flags input output cache_creation write_1h"
        " cache_read searches cwd place length",
        real="cost_usd",
        blob="main_times uuids parents bill",
    )
    + f" OR {_dangling('session maker model cwd', 'file')} OR min(place, length) < 0 OR rank NOT IN (0, 1, 2)"
    " OR ifnull(length(main_times), 0) % 8 OR ifnull(length(uuids), 0) % 8 OR ifnull(length(parents), 0) % 8",
    "links": _unsound("group_id link kind rest"),
    "holds": _unsound("session file counted") + f" OR {_dangling('session', 'file')}",
    "sessions": _unsound("session first last project responses incomplete") + f" OR {_dangling('session project')}",
    "totals": _unsound(
        "session model responses unpriced_auto unpriced_calculate",
        "input output cache_creation cache_read auto calculate display",
    )
    + f" OR {_dangling('session model')}",
    "slots": _unsound(
        "slot session model responses unpriced_auto unpriced_calculate incomplete first last",
        "input output cache_creation cache_read auto calculate display",
    )
    + f" OR {_dangling('session model')}",
    "windows": _unsound("hours end seen", real="used"),
    "moments": _unsound("timestamp group_id rest", "auto calculate display tokens"),
    "folders": _unsound("size mtime ctime racy", "device inode", "path"),
}
