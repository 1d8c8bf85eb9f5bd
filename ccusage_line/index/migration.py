"""Migration of an index with an older schema, including what it holds of vanished transcripts.

Until version 3 the column `group_id` was called `family`. Version 2 had neither slots nor windows. Version 1 stored no
uuid and no parent of a line, and no beginning of a transcript, so existing transcripts are read again. What only the
index still holds is migrated as it is (docs/state.md): its lines hang together with others by ids and counts alone, and
a vanished transcript begins with its first response. Only the next refresh shows which transcripts have vanished, so
the claims of all of them are migrated.
"""

from __future__ import annotations

import os

from ..files import read_part
from ..transcripts import claims
from ..transcripts.reading import read_line
from . import rows, schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from sqlite3 import Connection
    from typing import Any

    from ..transcripts.claims import Claim

COLUMNS = (
    "group_id, rest, file, session, rank, side, timestamp, model, flags, input, output, cache_creation, write_1h,"
    " cache_read, searches, cost_usd, cwd, place, length, main_times, further"
)
PRIMARY_KEY = "group_id, rest, file"
# A transcript of which nothing else is known begins with its first response.
BEGIN = (
    "UPDATE files SET began = (SELECT min(timestamp) FROM claims WHERE session = files.session AND file = files.id)"
    " WHERE own AND began IS NULL"
)
_UUIDS = rows.COLUMNS.split(", ").index("uuids")
# the beginnings of SQLite's messages if tables, columns, views or triggers are not those of that version
_SCHEMA_ERRORS = ("no such", "table ", "there is already", "error in ")


def from_version_1(database: Connection) -> None:
    """Migrate within the caller's transaction. The index becomes incomplete, so the next refresh reads everything."""
    execute = database.execute
    execute("ALTER TABLE files ADD COLUMN began INTEGER")
    execute(BEGIN)
    execute("UPDATE files SET device = -1, inode = -1, racy = 1 WHERE NOT vanished")  # no file is equal to these
    execute(schema.DROP_CLAIMS_OF_SESSION)
    execute("ALTER TABLE claims RENAME TO claims_1")
    execute(schema.CLAIMS)
    execute(schema.LINKS)
    execute("INSERT OR IGNORE INTO names (text) VALUES (x'')")
    database.executemany(rows.INSERT, _migrated_claims(database))
    execute("DROP TABLE claims_1")
    execute(schema.CREATE_CLAIMS_OF_SESSION)
    execute("DELETE FROM meta WHERE key = 'complete'")


def _migrated_claims(database: Connection) -> Iterator[tuple[Any, ...]]:
    names = {number: text.decode("utf-8", "surrogatepass") for number, text in database.execute("SELECT * FROM names")}
    numbers = {text: number for number, text in names.items()}
    own = dict(database.execute("SELECT id, session FROM files"))
    uuids = _uuids(database, names)
    for row in database.execute(f"SELECT {columns_before_4(COLUMNS)} FROM claims_1"):
        if names[row[7]] != claims.SYNTHETIC:
            claim = claim_row(row, names[row[3]], numbers[""], own.get(row[2]) == row[3])
            yield (*claim[:_UUIDS], claim[_UUIDS] or uuids.get(row[:2]), *claim[_UUIDS + 1 :])


def _uuids(database: Connection, names: dict[int, str]) -> dict[tuple[int, int], bytes]:
    """Return, by thread, the uuid of a line that still exists, for threads without a requestId in several transcripts.
    The current key of such a line names its session, which differs in a fork, so only the uuid links the copies."""
    uuids: dict[tuple[int, int], bytes] = {}
    shared_claims = database.execute(
        "SELECT family, rest, input, cache_creation, cache_read, one.session, place, length, path"
        " FROM claims_1 AS one JOIN files ON files.id = file"
        " WHERE EXISTS (SELECT 1 FROM claims_1 WHERE family = one.family AND rest = one.rest AND file != one.file)"
    )
    for group, rest, input, creation, read, session, offset, length, path in shared_claims:
        if (group, rest) not in uuids and rest == claims.usage_thread(input, creation, read, names[session]):
            for claim in _claims_at(os.fsdecode(path), offset, length):
                if claim.group == group and claim.uuids:
                    uuids[group, rest] = claim.uuids
    return uuids


def _claims_at(path: str, offset: int, length: int) -> list[Claim]:
    """Return the claims of the line at an offset in a transcript; none if it can't be read."""
    try:
        return read_line(read_part(path, length, offset), offset, "") or []
    except OSError:
        return []


def claim_row(row: tuple[Any, ...], session: str, empty_name: int, at_home: bool) -> tuple[Any, ...]:
    """Return a row of version 1 as a row of this version. *session* is the text of its session, *empty_name* the number
    of the empty name; *at_home* means that the path of its file names the same session."""
    group, rest, file, number, rank, side, timestamp, model, flags, *counts, main_times, further = row
    inputs, _, creation, _, read = counts[:5]
    rank = min(rank, claims.BY_LINE)
    flags |= claims.ORIGINAL if rank == claims.BY_LINE or at_home else 0
    flags |= claims.AT_HOME if at_home else 0
    uuids = None
    if rest == 0:  # identified by its uuid alone
        uuids = group.to_bytes(8, "little", signed=True)
        group, rest = claims.NO_MESSAGE, group
    elif rest == claims.session_digest(session):  # identified by its bytes
        group, rest = claims.NO_MESSAGE, claims.line_thread(group, rest)
    elif rest != claims.usage_thread(inputs, creation, read, session):
        flags |= claims.REQUESTED
    bill = rows.pack_bill((_parts(further), (), None)) if further else None
    key = group, rest, file, number, rank, empty_name
    return (*key, side, timestamp, model, flags, *counts, main_times, uuids, None, bill)


def _parts(further: bytes) -> tuple[Any, ...]:
    import marshal

    return tuple(part for part in marshal.loads(further) if part[0] != claims.SYNTHETIC)


def from_version_2(database: Connection) -> None:
    """Migrate within the caller's transaction. Slots need prices, so the next refresh computes all sums anew."""
    database.execute(schema.SLOTS)
    database.execute(schema.WINDOWS)
    database.execute("DELETE FROM meta WHERE key = 'prices'")


def from_version_3(database: Connection) -> None:
    """Migrate within the caller's transaction. Tables are copied, because SQLite before 3.25 can't rename columns."""
    database.execute(schema.DROP_CLAIMS_OF_SESSION)
    for table, create in (("claims", schema.CLAIMS), ("links", schema.LINKS), ("moments", schema.MOMENTS)):
        database.execute(f"ALTER TABLE {table} RENAME TO {table}_3")
        database.execute(create)
        database.execute(f"INSERT INTO {table} SELECT * FROM {table}_3")
        database.execute(f"DROP TABLE {table}_3")
    database.execute(schema.CREATE_CLAIMS_OF_SESSION)


def columns_before_4(columns: str) -> str:
    """Return the names of columns as they were until version 3."""
    return columns.replace("group_id", "family")


# The steps from each older version to the next. None drops anything: archived sessions exist nowhere else.
STEPS: dict[int, Callable[[Connection], None]] = {1: from_version_1, 2: from_version_2, 3: from_version_3}


def migrate(database: Connection, version: int) -> None:
    """Migrate from an older version to this one, step by step, within the caller's transaction."""
    for step in range(version, schema.VERSION):
        if step not in STEPS:
            raise schema.DatabaseError(f"there is no schema {step}")
        try:
            STEPS[step](database)
        except schema.OperationalError as error:
            if not str(error).startswith(_SCHEMA_ERRORS):
                raise  # busy, full, read-only
            raise schema.DatabaseError(str(error)) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise schema.DatabaseError(f"not an index of schema {step}: {error!r}") from error
    database.execute(f"PRAGMA user_version = {schema.VERSION}")
