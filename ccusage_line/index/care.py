"""Care of the index: hold it against its transcripts, read it anew, erase from it, mend a damaged one. Tier 2.

What vanished transcripts said stands nowhere else (A13). So nothing here drops it but `forget`, which is asked to.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from .. import accounting
from ..answer import FOLDER as ANSWERS
from ..answer import read as read_answer
from ..answer import session_of
from ..errors import UserError
from ..paths import LINES, LOG
from ..prices.stored import sources
from ..published import REPORTS
from ..recent import NAME as RECENT
from ..session import MODES
from ..transcripts.claims import SYNTHETIC
from ..transcripts.files import walk
from ..transcripts.reading import read_file
from . import migration, rows, schema
from .columns import pack
from .first import finish, store
from .index import WAIT, Index
from .questions import session_ids
from .soundness import UNSOUND, is_sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from sqlite3 import Connection
    from typing import Any

    Progress = Callable[[int, int], None]

_NOWHERE = os.devnull  # no folder can be made there, so an index that is to be stored there stays in memory
_GOES = 5  # at bringing two indexes into step while transcripts grow
_NOTICE = "notice"  # the meta row of what is still to be said about a damaged index
_MEND_LOCK = "mend.lock"
_PATIENCE = 5.0  # seconds for another process that mends, and for readers that keep the log from being cut
_DERIVED = ("totals", "sessions", "holds", "moments", "links")  # what can be counted anew from the claims

# of a file, what a fresh reading must agree on; where its numbers come from is no promise (device, inode, times)
_FILE = "session, own, seen, offset, head, tail, skipping, bad, began, custom_title, ai_title, summary, client_cost"
_COPIED = (
    "own, device, inode, mtime, ctime, seen, offset, head, tail, crc, skipping, racy, bad, began,"
    " custom_title, ai_title, summary, client_cost"
)


class _InMemory(Index):
    """An index that is never stored, read by the standard library's decoder alone or by the faster one."""

    def __init__(self, index: Index, standard: bool) -> None:
        super().__init__(_NOWHERE, index.roots, index.table)
        self._standard = standard

    def read_all(self, progress: Progress | None) -> None:
        if not self._standard:
            super().read_all(progress)
            return
        found = walk(self.roots).files
        size, done = sum(f.stat.st_size for f in found), 0
        for f in found:
            try:
                reading = read_file(f.path, f.session, f.own)
            except OSError:
                continue
            read = (f, reading, pack(reading.claims.values()), None)
            self._write(lambda r=read: store(self, [r]), WAIT)  # type: ignore[misc]
            done += f.stat.st_size
            if progress is not None:
                progress(done, size)
        self._write(lambda: finish(self), WAIT)


class _Copy(Index):
    """The index as it is at this moment, in memory."""

    def __init__(self, index: Index) -> None:
        super().__init__(_NOWHERE, index.roots, index.table)
        self.db.close()
        self.db = schema.connect(":memory:", 0)
        index.db.backup(self.db)


# --- verify ------------------------------------------------------------------------------------------------------


def verify(index: Index, progress: Progress | None = None) -> list[str]:
    """Every difference between the index, once refreshed, and a fresh reading of everything; empty where there is none.

    Transcripts that are there are read anew by the standard library's decoder and compared line for line; the sums,
    those of archived sessions too, are counted anew from what the index holds.
    """
    try:
        index.refresh(progress)
        damage = [str(row[0]) for row in index.db.execute("PRAGMA integrity_check").fetchall()]
    except schema.DatabaseError as error:
        if not is_damage(error):
            raise
        damage = [str(error)]
    if damage != ["ok"]:
        return [f"database: {line}" for line in damage]
    with closing(_InMemory(index, standard=True)) as anew:
        anew.refresh(progress)
        with closing(_in_step(index, anew)) as held:
            growing = _unequal(held, anew, "seen")
            found = [*_file_differences(held, anew, growing), *_claim_differences(held, anew, growing)]
            return [*found, *_sum_differences(held), *_answer_differences(index)]


def _in_step(index: Index, anew: Index) -> _Copy:
    """A copy of the index at which both have read the same bytes, as far as the transcripts hold still for it."""
    for _ in range(_GOES):
        held = _Copy(index)
        if not _unequal(held, anew, "seen"):
            return held
        held.close()
        index.refresh()
        anew.refresh()
    return _Copy(index)


def _by_path(index: Index, columns: str) -> dict[bytes, tuple[Any, ...]]:
    """The transcripts that are there."""
    return {
        row[0]: row[1:] for row in index.db.execute(f"SELECT path, {columns} FROM files WHERE NOT vanished").fetchall()
    }


def _unequal(held: Index, anew: Index, columns: str) -> set[bytes]:
    """Transcripts that both know, differently."""
    ours, theirs = _by_path(held, columns), _by_path(anew, columns)
    return {path for path in ours.keys() & theirs.keys() if ours[path] != theirs[path]}


def _file_differences(held: Index, anew: Index, growing: set[bytes]) -> Iterator[str]:
    ours, theirs = _by_path(held, _FILE), _by_path(anew, _FILE)
    for path in sorted(ours.keys() | theirs.keys()):
        shown = os.fsdecode(path)
        if path not in ours:
            yield f"{shown}: not in the index"
        elif path not in theirs:
            yield f"{shown}: in the index, but it can't be read now"
        elif path not in growing:
            for name, a, b in zip(_FILE.split(", "), ours[path], theirs[path], strict=True):
                if name == "session":
                    a, b = held._text(a), anew._text(b)
                if a != b:
                    yield f"{shown}: {name} is {_short(a)} in the index, {_short(b)} in a fresh reading"


def _short(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace") if len(value) != 16 else value.hex()
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _claims(index: Index, left_out: set[bytes]) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Every claim of a transcript that is there: (key, path and whose), (what it says), in order."""
    columns = ", ".join(f"claims.{name.strip()}" for name in rows.COLUMNS.split(","))
    found = index.db.execute(
        f"SELECT {columns}, path FROM claims JOIN files ON files.id = claims.file WHERE NOT vanished"
        " ORDER BY family, rest, path, (SELECT text FROM names WHERE id = claims.session), rank,"
        " (SELECT text FROM names WHERE id = maker)"
    )
    for *row, path in found:
        if path not in left_out:
            claim = index._claim(tuple(row))
            said = (claim.side, *claim.content(), claim.flags, claim.main_times, claim.uuids, claim.parents)
            yield (claim.group, claim.rest, path, *claim.place()[1:]), said


def _claim_differences(held: Index, anew: Index, growing: set[bytes]) -> Iterator[str]:
    """How many responses of each transcript differ, and the sessions they are of."""
    left_out = growing | (_by_path(held, "id").keys() ^ _by_path(anew, "id").keys())
    counts: dict[bytes, list[int]] = {}
    sessions: dict[bytes, set[str]] = {}
    for path, place, session in _merged(_claims(held, left_out), _claims(anew, left_out)):
        counts.setdefault(path, [0, 0, 0])[place] += 1
        sessions.setdefault(path, set()).add(session)
    kinds = ("that the transcript does not hold", "missing in the index", "that differ")
    for path, numbers in sorted(counts.items()):
        told = ", ".join(f"{number} responses {kind}" for number, kind in zip(numbers, kinds, strict=True) if number)
        names = ", ".join(sorted(sessions[path])[:3])
        yield f"{os.fsdecode(path)}: {told} (session {names})"


def _merged(
    ours: Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]],
    theirs: Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]],
) -> Iterator[tuple[bytes, int, str]]:
    """(path, 0 only ours, 1 only theirs, 2 different, session) of two streams in the same order."""
    a, b = next(ours, None), next(theirs, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a[0] < b[0]):
            assert a is not None
            yield a[0][2], 0, a[0][3]
            a = next(ours, None)
        elif a is None or b[0] < a[0]:
            yield b[0][2], 1, b[0][3]
            b = next(theirs, None)
        else:
            if a[1] != b[1]:
                yield a[0][2], 2, b[0][3]
            a, b = next(ours, None), next(theirs, None)


def _sum_differences(held: _Copy) -> Iterator[str]:
    """Where sums are not what the claims beside them make; leaves the copy counted anew."""
    before = {name: _derived(held, name) for name in _DERIVED}
    held._recount_all()
    for name in _DERIVED:
        after = _derived(held, name)
        for key in sorted(before[name].keys() | after.keys(), key=repr):
            stored, counted = before[name].get(key), after.get(key)
            if stored != counted:
                yield f"{name} of {' '.join(map(str, key))}: {_short(stored)} in the index, {_short(counted)} counted"


def _derived(index: Index, name: str) -> dict[tuple[Any, ...], tuple[Any, ...] | None]:
    """A derived table by names in place of numbers."""
    table = index.db.execute(f"SELECT * FROM {name}")
    if name == "totals":
        return {(index._text(row[0]), index._text(row[1])): tuple(map(int, row[2:])) for row in table.fetchall()}
    if name == "sessions":
        return {(index._text(row[0]),): (*row[1:3], index._text(row[3]), *row[4:]) for row in table.fetchall()}
    if name == "holds":
        paths = dict(index.db.execute("SELECT id, path FROM files"))
        return {(index._text(row[0]), os.fsdecode(paths.get(row[1], b"?"))): (int(row[2]),) for row in table.fetchall()}
    if name == "links":
        return dict.fromkeys(table, ())
    return {tuple(row[:3]): tuple(map(int, row[3:])) for row in table}


def _answer_differences(index: Index) -> Iterator[str]:
    """Published answers that a reader would trust and that are not what the index says."""
    if not index.stored:
        return
    config = sources(os.environ)
    for session in session_ids(index):
        answer = read_answer(index.folder, session, config)
        if answer is None:
            continue
        for mode in MODES:
            said, known = session_of(answer, mode), index.session(session, mode)
            if known is None or _told(said) != _told(known):
                if read_answer(index.folder, session, config) is not None:  # not taken back in the meantime
                    yield f"published answer of {session}: not what the index says"
                break


def _told(session: Any) -> tuple[Any, ...]:
    models = sorted((m.name, m.input, m.output, m.cache_creation, m.cache_read, m.cost) for m in session.models)
    names = ("first", "last", "project_path", "title", "responses", "incomplete", "client_cost", "archived")
    return (models, *(getattr(session, name) for name in names))


# --- rebuild -----------------------------------------------------------------------------------------------------


def rebuild(index: Index, progress: Progress | None = None) -> None:
    """Read everything anew. What vanished transcripts said is kept, and so is that of those that can't be read now.

    Everything is read before the first change, and all changes are one transaction: an interrupted rebuild changes
    nothing.
    """
    with closing(_InMemory(index, standard=False)) as anew:
        anew.refresh(progress)
        index._write(lambda: _replace(index, anew), WAIT)
    index.refresh()


def _replace(index: Index, anew: Index) -> None:
    _take_back_all(index)
    known = dict(index.db.execute("SELECT path, id FROM files"))
    paths = dict(anew.db.execute("SELECT id, path FROM files"))
    replaced = [(known[path],) for path in paths.values() if path in known]
    index.db.execute("CREATE TEMP TABLE replaced (file INTEGER PRIMARY KEY)")
    index.db.executemany("INSERT INTO replaced VALUES (?)", replaced)
    for table in ("claims WHERE file", "files WHERE id"):
        index.db.execute(f"DELETE FROM {table} IN (SELECT file FROM replaced)")
    index.db.execute("DROP TABLE replaced")
    index.db.execute("DELETE FROM folders")
    _copy_in(index, paths, anew)
    index.db.execute(schema.CREATE_CLAIMS_OF_SESSION)  # a first reading that was interrupted had taken it away
    index._set_meta("complete", 1)
    index._recount_all()
    _drop_unused_names(index)


def _copy_in(index: Index, paths: dict[int, bytes], anew: Index) -> None:
    """All files and claims of one index put into another, which knows none of those files."""
    numbers = {}
    for old, path in paths.items():
        session, *values = anew.db.execute(f"SELECT session, {_COPIED} FROM files WHERE id = ?", (old,)).fetchone()
        numbers[old] = _insert_file(index, path, anew._text(session), values, vanished=False)
    for row in anew.db.execute(f"SELECT {rows.COLUMNS} FROM claims ORDER BY {rows.PLACE}"):
        claim = anew._claim(row)
        claim.file = numbers[claim.file]
        index.db.execute(rows.INSERT, index._row(claim))


def _insert_file(index: Index, path: bytes, session: str, values: Iterable[Any], vanished: bool) -> int:
    cursor = index.db.execute(
        f"INSERT INTO files (path, session, vanished, {_COPIED}) VALUES (?, ?, ?{', ?' * (_COPIED.count(',') + 1)})",
        (path, index._id(session), vanished, *values),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _take_back_all(index: Index) -> None:
    """Everything published that could tell of what is about to change; raises OSError where that can't be done."""
    if not index.stored:
        return
    names = [name for name in os.listdir(index.folder) if name.startswith((RECENT, *REPORTS))]
    published = [os.path.join(index.folder, name) for name in names]
    for name in (ANSWERS, LINES):
        for folder, _, names in os.walk(os.path.join(index.folder, name)):
            published += [os.path.join(folder, each) for each in names]
    for path in published:
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue


def _drop_unused_names(index: Index) -> None:
    index.db.execute(
        "DELETE FROM names WHERE id NOT IN (SELECT session FROM files UNION SELECT session FROM claims"
        " UNION SELECT maker FROM claims UNION SELECT model FROM claims UNION SELECT cwd FROM claims"
        " UNION SELECT session FROM holds"
        " UNION SELECT session FROM sessions UNION SELECT project FROM sessions"
        " UNION SELECT session FROM totals UNION SELECT model FROM totals)"
    )
    index._forget()


# --- forget ------------------------------------------------------------------------------------------------------


class Forgotten(NamedTuple):
    """What `forget` did."""

    sessions: list[str]  # erased, with all that only the index still held of them
    kept: list[str]  # asked for too, but their transcripts are still there


def forget(
    index: Index, *, session: str | None = None, project: str | None = None, archived: bool = False
) -> Forgotten:
    """Erase for good what vanished transcripts said of a session, of those of a project, or of all archived ones.

    Afterwards the index is as if those lines had never been read; no byte of them is left in its files. What stands in
    transcripts that are there is not ours to erase and would come back with the next refresh: such sessions are named
    in `kept`. Raises UserError where nothing can be stored, or where another process kept the log from being cut.
    """
    index.refresh()
    if not index.stored:
        raise UserError(f"nothing can be erased: the index can't be stored ({index.why_not_stored})")
    index.db.execute("PRAGMA secure_delete = ON")
    done = Forgotten([], [])

    def work() -> None:
        wanted = _wanted(index, session, project, archived)
        done.kept.extend(sorted(name for name in wanted if _is_live(index, name)))
        if _erase(index, wanted):
            _take_back_all(index)
        done.sessions.extend(sorted(wanted.difference(done.kept)))

    index._write(work, WAIT)
    if not index.stored:
        raise UserError(f"nothing was erased: the index can't be written ({index.why_not_stored})")
    _erase_beside(index.folder)
    _cut(index)
    return done


def _wanted(index: Index, session: str | None, project: str | None, archived: bool) -> set[str]:
    """Ids of what is to be forgotten: all the conditions that are given must hold."""
    found = {one.id: one for one in index.sessions()}
    for name in session_ids(index):
        known = None if name in found else index.session(name)
        if known is not None:
            found[name] = known
    return {
        name
        for name, one in found.items()
        if (session is None or name == session)
        and (project is None or project in (one.project_path or ""))
        and (not archived or one.archived)
        and not (session is None and project is None and not archived)
    }


def _is_live(index: Index, session: str) -> bool:
    known = index.session(session)
    return known is not None and not known.archived


def _erase(index: Index, wanted: set[str]) -> bool:
    """Delete the claims and files of these sessions as far as their transcripts have vanished; whether there were any.

    A vanished transcript may hold lines of other sessions, in a fork: those stay, under a path that tells nothing.
    """
    numbers = {index._known_id(name) for name in wanted}
    gone = {row[0] for row in index.db.execute("SELECT id FROM files WHERE vanished")}
    doomed = [claim for name in wanted for response in index.counted(name) for claim in response.claims]
    keys = {(claim.group, claim.rest, claim.file) for claim in doomed if claim.file in gone}
    for number in numbers:
        found = index.db.execute("SELECT family, rest, file FROM claims WHERE session = ?", (number,))
        keys |= {row for row in found if row[2] in gone}
    index.db.executemany("DELETE FROM claims WHERE family = ? AND rest = ? AND file = ?", sorted(keys))
    files = {
        row[0]
        for number in numbers
        for row in index.db.execute("SELECT id FROM files WHERE session = ? AND vanished", (number,))
    }
    for file in sorted(files | {file for _, _, file in keys}):
        other = index.db.execute("SELECT session FROM claims WHERE file = ? LIMIT 1", (file,)).fetchone()
        if other is None:
            index.db.execute("DELETE FROM files WHERE id = ?", (file,))
        elif file in files:
            _blank(index, file, other[0])
    if not keys and not files:
        return False
    index._recount_all()
    index.db.execute("DELETE FROM folders")
    _drop_unused_names(index)
    return True


def _blank(index: Index, file: int, session: int) -> None:
    """Take from a vanished file all that names it."""
    index.db.execute(
        "UPDATE files SET path = ?, session = ?, own = 0, seen = 0, head = x'', tail = x'', crc = NULL, began = NULL,"
        " custom_title = NULL, ai_title = NULL, summary = NULL, client_cost = NULL WHERE id = ?",
        (os.fsencode(os.path.join(index.roots[0], "-", f"forgotten-{file}.jsonl")), session, file),
    )


def _erase_beside(folder: str) -> None:
    """What tells of sessions beside the database: damaged ones set aside, the statusline's log."""
    for path in (*schema.aside_files(folder), os.path.join(os.path.dirname(folder), LOG)):
        for suffix in ("", "-wal", "-shm"):
            try:
                os.unlink(path + suffix)
            except FileNotFoundError:
                continue


def _cut(index: Index) -> None:
    """Rewrite the database without its free pages and empty its log."""
    until = time.monotonic() + _PATIENCE
    index.db.execute("PRAGMA busy_timeout = 50")
    while True:
        try:
            index.db.execute("VACUUM")
            if index.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                return
        except schema.OperationalError:
            pass
        if time.monotonic() > until:
            raise UserError(
                "forgotten, but old bytes stay in the index's log while another process reads it; try again"
            )
        time.sleep(0.05)


# --- mending -----------------------------------------------------------------------------------------------------


_SIGNS = ("no such table", "no such column", "has no column named", "Could not decode")


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the database file is broken: not that it is busy, full or read-only."""
    if isinstance(error, schema.OperationalError):
        return any(sign in str(error) for sign in _SIGNS)
    return type(error) is schema.DatabaseError or isinstance(error, schema.IntegrityError)


def recover(environ: Mapping[str, str], error: BaseException) -> bool:
    """After *error* in the middle of a question: set the database aside if it is damaged; whether to ask again.

    Any error may come of damage: SQLite has no checksums, and gives a number that became a text as it is.
    """
    from ..paths import index_dir

    if isinstance(error, schema.OperationalError) and not is_damage(error):
        return False  # busy, full, read-only
    if isinstance(error, UnicodeEncodeError):
        return False  # of what was asked for
    try:
        return mend(index_dir(environ)) or is_damage(error)  # another process may have been first
    except (OSError, schema.Unusable):
        return False


def mend(folder: str) -> bool:
    """Set a damaged database aside; only one process at a time, and not one that another has begun anew since.

    Whether there was one. Raises Unusable where another process takes too long over it.
    """
    from filelock import FileLock, Timeout

    path = os.path.join(folder, schema.NAME)
    try:
        with FileLock(os.path.join(folder, _MEND_LOCK), timeout=_PATIENCE, mode=0o600):  # type: ignore[call-arg, unused-ignore]
            return _is_damaged(path) and schema.set_aside(path) is not None
    except Timeout as error:
        raise schema.Unusable("another process is mending it") from error


def _is_damaged(path: str) -> bool:
    if not os.path.exists(path):
        return False
    database = None
    try:
        database = schema.connect(path, _PATIENCE)
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if not 1 <= version <= schema.VERSION:
            return bool(version < 0)  # 0: not begun; above: a newer one's
        if database.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":  # quick_check would pass over indexes
            return True
        this_version = version == schema.VERSION  # an older one is migrated before anybody asks it
        return this_version and not is_sound(database)
    except schema.DatabaseError as error:
        return is_damage(error)
    finally:
        if database is not None:
            database.close()


def carry_over(index: Index) -> None:
    """Take what can be read of archived sessions out of damaged databases, into the one that was begun anew.

    Runs within the transaction that completes the first index: until then it will be done again, afterwards never.
    """
    aside = schema.aside_files(index.folder)
    carried = sum(_carry_over(index, path) for path in reversed(aside))
    for table in ("files", "claims"):  # what is not whole must not be what the next question stumbles over
        index.db.execute(f"DELETE FROM {table} WHERE {UNSOUND[table]}")
    if aside:
        gone = f"; {carried} transcripts that are gone were carried over" if carried else ""
        index._set_meta(_NOTICE, f"the index was damaged and has been read anew{gone} (the damaged one: {aside[-1]})")


def _carry_over(index: Index, path: str) -> int:
    """How many transcripts were carried over from one damaged database: those that are not there any more."""
    source = schema.connect(path, 0)
    try:
        there = dict(index.db.execute("SELECT path, id FROM files WHERE NOT vanished"))
        inodes = set(index.db.execute("SELECT device, inode FROM files WHERE NOT vanished").fetchall())
        names = _names_in(source)
        numbers: dict[int, int] = {}
        old = _is_of_version_1(source)
        copied = _COPIED.replace("began", "NULL") if old else _COPIED
        files = _readable(source, f"SELECT id, path, session, vanished, {copied} FROM files", "id")
        for number, known, session, vanished, *values in files:
            elsewhere = not vanished and tuple(values[1:3]) in inodes
            if not isinstance(known, bytes) or known in there or number in numbers or elsewhere:
                continue
            row = index.db.execute("SELECT id FROM files WHERE path = ?", (known,)).fetchone()
            text = names.get(session, "")
            numbers[number] = row[0] if row else _insert_file(index, known, text, values, vanished=True)
        columns, key = (migration.COLUMNS, "family, rest, file") if old else (rows.COLUMNS, rows.PLACE)
        for claim in _readable(source, f"SELECT {columns} FROM claims", key):
            if claim[rows.FILE] in numbers:
                _carry_claim(index, claim, names, numbers[claim[rows.FILE]], old)
        return len(numbers)
    finally:
        source.close()


_TOLD = "SELECT 1 FROM claims JOIN files ON files.id = file WHERE family = ? AND rest = ? AND NOT vanished LIMIT 1"


def _is_of_version_1(source: Connection) -> bool:
    """By its columns: the header with the version may be what is damaged."""
    try:
        source.execute("SELECT further FROM claims LIMIT 0")
    except schema.DatabaseError:
        return False
    return True


def _carry_claim(index: Index, row: tuple[Any, ...], names: dict[int, str], file: int, old: bool) -> None:
    """One claim, if what was read of it is whole, and if no transcript tells of its response: that one is right."""
    session = names.get(row[rows.SESSION])
    try:
        if old and session is not None:
            row = migration.claim_row(row, session, -1, at_home=False)
        numbers = (*row[:2], row[4], *row[6:8], *row[9:16], *row[18:20])
        if session is None or not all(isinstance(number, int) for number in numbers):
            return
        model, cwd = names.get(row[rows.MODEL], ""), names.get(row[rows.CWD], "")
        claim = rows.unpack(row, session, names.get(row[rows.MAKER], ""), model, cwd)
        claim.file = file
        if model == SYNTHETIC or index.db.execute(_TOLD, (claim.group, claim.rest)).fetchone() is not None:
            return
        list(accounting.Response(0, claim, session, [claim]).parts(index.table))  # what is billed can be counted
    except (ValueError, TypeError, EOFError, OverflowError):
        return
    index.db.execute(rows.INSERT.replace("OR REPLACE", "OR IGNORE"), index._row(claim))


def _names_in(source: Connection) -> dict[int, str]:
    """Names by number: from the table, and from its index by text, which stands on other pages."""
    names = {}
    for number, data in (
        *_readable(source, "SELECT id, text FROM names", "id"),
        *_readable(source, "SELECT id, text FROM names", "text"),
    ):
        try:
            names[number] = data.decode("utf-8", "surrogatepass")
        except (AttributeError, ValueError):  # no bytes, or not those of a text
            continue
    return names


def _readable(source: Connection, query: str, key: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query that a damaged database still gives: from the front up to the damage, then from the end."""
    for order in ("", " DESC"):
        try:
            by = ", ".join(name + order for name in key.split(", "))
            yield from source.execute(f"{query} ORDER BY {by}")
            return
        except schema.DatabaseError:
            continue


def notice(index: Index) -> str | None:
    """What is still to be said about a damaged index; says it once. Older damaged ones are removed then."""
    said: str | None = index.meta(_NOTICE)
    if said is None or not index.stored:
        return said

    def work() -> None:
        index.db.execute("DELETE FROM meta WHERE key = ?", (_NOTICE,))

    index._write(work, WAIT)
    for path in schema.aside_files(index.folder)[:-1]:
        for suffix in ("", "-wal", "-shm"):
            try:
                os.unlink(path + suffix)
            except OSError:
                continue
    return said
