"""The index: what was read of every transcript, kept so that a question reads only what came since.

A refresh happens in one transaction that is held from the look at what is known to the last sum, so that two
processes never count from the same offset. Readers take no lock. Where the database can't be had, the same work is
done on a copy in memory and nothing is stored.
"""

from __future__ import annotations

import os

from .. import accounting, answer, recent
from ..files import open_regular, read_at
from ..paths import database_identity
from ..prices import in_use
from ..prices import table as prices
from ..session import COST, INPUT, MODES, OUTPUT, RESPONSES, Session
from ..transcripts.claims import merged
from ..transcripts.files import Found, Walk, parts_below, walk
from ..transcripts.reading import Known, Reading, read_block, read_file, stat_of
from . import rows, schema
from .refresh import Changes, Look, Pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from sqlite3 import Connection
    from typing import Any, TypeVar

    Answered = TypeVar("Answered")

    from ..files import Dependency, Stat
    from ..recent import Moment
    from ..transcripts.claims import Claim
    from ..transcripts.reading import BlockReader
    from .totals import FilesAlone

    Progress = Callable[[int, int], None]  # bytes read, bytes in all

WAIT = 5.0  # seconds a report waits for another process's refresh
WAIT_ONE = 0.1  # seconds a question about one session waits before it answers from a copy
_BULK = 8 * 1024 * 1024  # bytes from which the packages' faster decoder pays for its import

_FILE_COLUMNS = (
    "id, path, session, own, device, inode, mtime, ctime, seen, offset, head, tail, crc, skipping, racy, vanished, bad,"
    " began, custom_title, ai_title, summary, client_cost"
)


class File(Known):
    """A file of the index."""

    __slots__ = ("bad", "id", "own", "path", "session", "vanished")

    id: int
    path: str
    session: str
    own: bool
    vanished: bool
    bad: int


class Unchanged:
    """Transcripts just as the index holds them."""

    __slots__ = ("found", "identity", "version")

    def __init__(self, version: int, identity: tuple[int, int] | None, found: Walk) -> None:
        self.version = version  # of the database, read before it was compared: any commit since makes it another one
        self.identity = identity
        self.found = found


class Index:
    """One set of data directories and what is known of it."""

    def __init__(
        self,
        folder: str,
        roots: list[str],
        table: prices.PriceTable | None = None,
        wait: float = WAIT,
        migrate: bool = True,
    ) -> None:
        """*folder* is where the index is stored, *roots* the folders called `projects` it covers.

        Raises database.Outdated where it is an older version's and *migrate* is false.
        """
        self.folder = folder
        self.roots = roots
        self.table = table or in_use.table()
        self.stored = True  # false: everything happens on a copy in memory
        self.why_not_stored = ""
        self.reads = 0  # transcripts opened, for tests and --debug
        self._names: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._paths: dict[int, str | None] = {}
        self._tied = False
        self.youngest = 0  # ns: the latest change of what the session last refreshed rests on
        self._looked: list[str] = []  # folders of the session last refreshed
        self.unchanged: Unchanged | None = None  # what the last refresh found, where there was nothing to take in
        try:
            self.db = schema.open_database(folder, wait, migrate)
        except schema.Unusable as error:
            self._to_memory(schema.open_readable(folder), str(error))

    def _to_memory(self, original: Connection | None, why: str) -> None:
        self.db = schema.in_memory(original)
        if original is not None:
            original.close()
        self.stored = False
        self.why_not_stored = why
        self._forget()

    def _forget(self) -> None:
        """Drop what is remembered of a transaction that was undone."""
        self._names.clear()
        self._texts.clear()
        self._paths.clear()

    def close(self) -> None:
        self.db.close()

    # --- transactions ----------------------------------------------------------------------------------------

    def _write(self, work: Callable[[], object], wait: float) -> None:
        """Do *work* in a transaction; on a copy in memory if the database can't be had within *wait* seconds."""
        try:
            self._transaction(work, wait)
        except (schema.OperationalError, OSError) as error:  # locked, full, read-only
            if not self.stored:
                raise
            self._to_memory(self.db, str(error))
            self._transaction(work, wait)

    def _transaction(self, work: Callable[[], object], wait: float) -> None:
        self.db.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        self.db.execute("BEGIN IMMEDIATE")
        try:
            work()
            self._check_prices()
            self._take_back_reports()
            self.db.execute("COMMIT")
        except BaseException:
            self._forget()
            try:
                self.db.execute("ROLLBACK")
            except schema.OperationalError:  # SQLite has rolled back itself
                pass
            raise

    def _take_back_reports(self) -> None:
        """Take back the reports that show what is about to change."""
        self.unchanged = None
        if self.stored:
            schema.take_back_reports(self.folder)

    def lock_at_once(self) -> bool:
        """Take the write lock if nobody has it."""
        if not self.stored:
            return False
        try:
            self.db.execute("PRAGMA busy_timeout = 0")
            self.db.execute("BEGIN IMMEDIATE")
        except schema.OperationalError:
            return False
        return True

    def unlock(self) -> None:
        self.db.execute("ROLLBACK")

    def revoke(self, session: str) -> None:
        """Take back what is published of a session that is about to change."""
        if self.stored:
            answer.revoke(self.folder, session)

    def revoke_recent(self) -> None:
        """Take back what is published of the recent responses."""
        if self.stored:
            recent.revoke(self.folder)

    # --- meta ------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> Any:
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _set_meta(self, key: str, value: object) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def complete(self) -> bool:
        """Whether every transcript has been read once; until then there are claims but no sums."""
        return bool(self.meta("complete") == 1)

    def _check_prices(self) -> None:
        """New prices make new sums."""
        if self._prices_changed():
            self._recount_all()

    def _prices_changed(self) -> bool:
        return self.complete and bool(self.meta("prices") != self.table.fingerprint)

    # --- names -----------------------------------------------------------------------------------------------

    def _id(self, text: str) -> int:
        """The number of a name, given out where it has none."""
        number = self._names.get(text)
        if number is None:
            data = text.encode("utf-8", "surrogatepass")
            row = self.db.execute("SELECT id FROM names WHERE text = ?", (data,)).fetchone()
            if row is None:
                number = self.db.execute("INSERT INTO names (text) VALUES (?)", (data,)).lastrowid
                assert number is not None
            else:
                number = int(row[0])
            self._names[text] = number
            self._texts[number] = text
        return number

    def _known_id(self, text: str) -> int | None:
        number = self._names.get(text)
        if number is not None:
            return number
        data = text.encode("utf-8", "surrogatepass")
        row = self.db.execute("SELECT id FROM names WHERE text = ?", (data,)).fetchone()
        return int(row[0]) if row else None

    def _text(self, number: int) -> str:
        text = self._texts.get(number)
        if text is None:
            row = self.db.execute("SELECT text FROM names WHERE id = ?", (number,)).fetchone()
            text = self._texts[number] = row[0].decode("utf-8", "surrogatepass")
        return text

    def _load_names(self) -> None:
        """All names at once, before work that meets most of them."""
        for number, data in self.db.execute("SELECT id, text FROM names"):
            text = data.decode("utf-8", "surrogatepass")
            self._names[text] = number
            self._texts[number] = text

    # --- claims in rows --------------------------------------------------------------------------------------

    def _row(self, claim: Claim) -> rows.Row:
        """A claim as the database has it."""
        number = self._id
        return rows.pack(claim, number(claim.session), number(claim.maker), number(claim.model), number(claim.cwd))

    def _claim(self, row: rows.Row) -> Claim:
        names = (row[place] for place in (rows.SESSION, rows.MAKER, rows.MODEL, rows.CWD))
        return rows.unpack(row, *map(self._text, names))

    def _group(self, family: int) -> accounting.Group:
        return self._claims("WHERE family = ?", family)

    def _claims(self, where: str, *values: int) -> accounting.Group:
        """The claims that a condition names, by thread."""
        found: accounting.Group = {}
        for row in self.db.execute(f"SELECT {rows.COLUMNS} FROM claims {where}", values):
            claim = self._claim(row)
            found.setdefault(claim.rest, {})[claim.place()] = claim
        return found

    def is_large(self, family: int) -> bool:
        """Whether a group has links of its own."""
        found = self.db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM claims WHERE family = ? LIMIT ?)", (family, rows.LARGE)
        )
        return bool(found.fetchone()[0] == rows.LARGE)

    def around(self, family: int, rests: set[int], added: Iterable[Claim]) -> tuple[accounting.Group, bool]:
        """The threads of a group that can change when some of them do, and *added* comes: all of a small group; of a
        large one those to which links lead, on and on. And whether it is large."""
        group = self._claims(f"WHERE family = ? LIMIT {rows.LARGE}", family)
        if sum(map(len, group.values())) < rows.LARGE:
            return group, False
        from . import links

        group = {}
        leads = links.links_of(added)
        todo = rests | links.led_to(self.db, family, leads)
        while todo:
            new = self._claims(f"WHERE family = ? AND rest IN ({','.join(map(str, todo))})", family)
            for rest in todo:
                group[rest] = new.get(rest, {})
            more = links.links_of(claim for claims in new.values() for claim in claims.values()) - leads
            leads |= more
            todo = links.led_to(self.db, family, more) - group.keys()
        return group, True

    def _bytes_of(self, claim: Claim) -> bytes:
        """A claim's line, for A5's last tie-break; what sorts behind every line where the file is gone.

        Then the tie may have been decided otherwise before, and who keeps sums counts anew (`_tied`).
        """
        path = self._path(claim.file)
        try:
            if path is None:
                raise FileNotFoundError
            descriptor = open_regular(path)
        except OSError:
            self._tied = True
            return b"\xff"
        try:
            return read_at(descriptor, claim.length, claim.at)
        finally:
            os.close(descriptor)

    def _path(self, file: int) -> str | None:
        """Where a file is; None for a vanished one."""
        if file not in self._paths:
            row = self.db.execute("SELECT path, vanished FROM files WHERE id = ?", (file,)).fetchone()
            self._paths[file] = os.fsdecode(row[0]) if row and not row[1] else None
        return self._paths[file]

    # --- files in rows ---------------------------------------------------------------------------------------

    def _files(self, where: str = "", values: Iterable[Any] = ()) -> list[File]:
        return [self._file(row) for row in self.db.execute(f"SELECT {_FILE_COLUMNS} FROM files {where}", tuple(values))]

    def _file(self, row: tuple[Any, ...]) -> File:
        file = File()
        (
            file.id,
            path,
            session,
            file.own,
            file.device,
            file.inode,
            file.mtime,
            file.ctime,
            file.seen,
            file.offset,
            file.head,
            file.tail,
            file.crc,
            file.skipping,
            file.racy,
            file.vanished,
            file.bad,
            file.began,
        ) = row[:18]
        file.device, file.inode = int(file.device), int(file.inode)  # stored as text where they need 64 bits
        file.path = os.fsdecode(path)
        file.session = self._text(session)
        return file

    def _store_file(self, found: Found, file: File | None, reading: Reading) -> int:
        """Write what a reading tells of its file; returns the file's number."""
        titles = [None if t is None else t.encode("utf-8", "surrogatepass") for t in reading.titles]
        position = (
            os.fsencode(found.path),
            self._id(found.session),
            found.own,
            rows.storable(reading.device),
            rows.storable(reading.inode),
            reading.mtime,
            reading.ctime,
            reading.seen,
            reading.offset,
            reading.head,
            reading.tail,
            reading.crc,
            reading.skipping,
            reading.racy,
            reading.began,
        )
        if file is None:
            cursor = self.db.execute(
                "INSERT INTO files (path, session, own, device, inode, mtime, ctime, seen, offset, head, tail, crc,"
                " skipping, racy, began, bad, custom_title, ai_title, summary, client_cost)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (*position, reading.bad, *titles, reading.client_cost),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid
        facts = "custom_title = ?, ai_title = ?, summary = ?, client_cost = ?, bad = ?"
        if not reading.fresh:
            facts = (
                "custom_title = ifnull(?, custom_title), ai_title = ifnull(?, ai_title),"
                " summary = ifnull(?, summary), client_cost = ifnull(?, client_cost), bad = bad + ?"
            )
        self.db.execute(
            "UPDATE files SET path = ?, session = ?, own = ?, device = ?, inode = ?, mtime = ?, ctime = ?, seen = ?,"
            " offset = ?, head = ?, tail = ?, crc = ?, skipping = ?, racy = ?, began = ?, vanished = 0,"
            f" {facts} WHERE id = ?",
            (*position, *titles, reading.client_cost, reading.bad, file.id),
        )
        self._paths.pop(file.id, None)
        return file.id

    # --- refreshes -------------------------------------------------------------------------------------------

    def refresh(self, progress: Progress | None = None, found: Walk | None = None) -> None:
        """Bring everything up to date, with what was just *found* below the data directories."""
        if not self.complete:
            from .first import read_everything

            read_everything(self, progress)
            found = None
        version, identity, early = self.data_version(), database_identity(self.folder), found is not None
        found = found or walk(self.roots)
        known = self._all_known(found)

        def work() -> None:
            nonlocal found
            if found is None or early or self.data_version() != version:  # somebody was here since
                found = walk(self.roots)
            self._take_in(self._changes(found))

        if not known and self._changes(found).any():
            self._write(work, WAIT)
        elif self._prices_changed():
            self._write(lambda: None, WAIT)
        elif known and self.stored:
            self.unchanged = Unchanged(version, identity, found)

    def _all_known(self, found: Walk) -> bool:
        """Whether every transcript is as it was read and none is gone: what _changes tells, without a File for each."""
        rows = self.db.execute(
            "SELECT path, device, inode, seen, mtime, ctime FROM files WHERE NOT vanished AND NOT racy"
        )
        known = set(rows.fetchall())
        live = self.db.execute("SELECT count(*) FROM files WHERE NOT vanished").fetchone()[0]
        return len(found.files) == live and all((os.fsencode(f.path), *stat_of(f.stat)) in known for f in found.files)

    def read_all(self, progress: Progress | None) -> None:
        """Read every transcript for the first time."""
        from .first import read_all

        read_all(self, progress)

    def delete_claims(self, files: Sequence[int]) -> None:
        """Drop what is known of files that have been read anew: all claims are looked at for it."""
        if files:
            self.db.execute(f"DELETE FROM claims WHERE file IN ({','.join(map(str, files))})")

    def _changes(self, found: Walk) -> Changes:
        return Changes(found, {file.path: file for file in self._files()})

    def _take_in(self, changes: Changes) -> None:
        """Count what changed."""
        session_changes = Pending(self)
        for file in changes.gone:
            self.db.execute("UPDATE files SET vanished = 1 WHERE id = ?", (file.id,))
            self._paths.pop(file.id, None)
            session_changes.recount_file(file.id)
        readings = self._read(changes.to_read)
        for found, known, reading in readings:
            if known is not None and (known.vanished or known.path != found.path):  # back, or moved: A13
                session_changes.recount_file(known.id)
            session_changes.note_beginning(found, known, reading)
            number = self._store_file(found, known, reading)
            session_changes.take(number, reading, new=known is None)
        session_changes.settle()

    def _read(self, wanted: list[tuple[Found, File | None]]) -> Iterator[tuple[Found, File | None, Reading]]:
        take_block: BlockReader = read_block
        if sum(found.stat.st_size - (file.seen if file else 0) for found, file in wanted) > _BULK:
            from .workers import typed_reader

            take_block = typed_reader()
        for found, file in wanted:
            known = (
                file if file and not file.vanished and (file.session, file.own) == (found.session, found.own) else None
            )
            try:
                self.reads += 1
                yield found, file, read_file(found.path, found.session, found.own, known, take_block)
            except OSError:
                continue  # unreadable or gone since: the next refresh sees it

    # --- one session -----------------------------------------------------------------------------------------

    def refresh_session(self, session: str) -> bool:
        """Bring one session up to date: its files and what is new in its project folders; false if it has none.

        A foreign file that was never read may be missing (the only exception to A7).
        """
        version = self.data_version()
        look = Look(self, session)
        if not look.files and not look.folders:
            return False
        changes = look.changes()

        def work() -> None:
            nonlocal look, changes
            if not self.stored or self.data_version() != version:  # somebody was here since
                look = Look(self, session)
                changes = look.changes()
            if changes.gone:  # it may have moved
                changes = self._changes(walk(self.roots))
            if self.complete:
                self._take_in(changes)
            else:
                self._take_in_early(changes)
            look.store_folders()

        if changes.any() or look.folders_changed or self._prices_changed():
            self._write(work, WAIT_ONE)
        self._looked = look.folders
        self.youngest = look.youngest
        return True

    def data_version(self) -> int:
        """A number that another process's commit changes."""
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    def files_of(self, session: str) -> list[File]:
        """The files whose path names a session and those known to hold claims of it.

        For a transcript whose name is no session's, those of the sessions whose responses it holds.
        """
        number = self._known_id(session)
        files = self._files("WHERE session = ? OR id IN (SELECT file FROM holds WHERE session = ?)", (number, number))
        if not any(file.own and file.session == session for file in files) or self._owns(number):
            return files
        known = {file.id for file in files}
        others = self._files(
            "WHERE id IN (SELECT file FROM holds WHERE session IN"
            " (SELECT holds.session FROM holds JOIN files ON files.id = file WHERE files.session = ? AND own))",
            (number,),
        )
        return files + [file for file in others if file.id not in known]

    def _owns(self, number: int | None) -> bool:
        """Whether responses belong to a session."""
        return self.db.execute("SELECT 1 FROM sessions WHERE session = ?", (number,)).fetchone() is not None

    def file_at(self, path: str) -> dict[str, File]:
        """The file known under a path, vanished or not, by that path; empty where there is none."""
        return {file.path: file for file in self._files("WHERE path = ?", (os.fsencode(path),))}

    def known_in(self, folder: str) -> set[str]:
        """Names of the known transcripts directly or deeper in a folder, as they begin there."""
        begin = os.fsencode(os.path.join(folder, ""))
        after = begin[:-1] + bytes([begin[-1] + 1])
        found = self.db.execute("SELECT path FROM files WHERE path > ? AND path < ? AND NOT vanished", (begin, after))
        return {os.fsdecode(row[0][len(begin) :]) for row in found}

    def known_elsewhere(self, stat: os.stat_result) -> bool:
        """Whether a file is known under another path that still leads to it."""
        found = self.db.execute(
            "SELECT path FROM files WHERE inode = ? AND device = ? AND NOT vanished",
            (rows.storable(stat.st_ino), rows.storable(stat.st_dev)),
        )
        for (path,) in found.fetchall():
            try:
                there = os.stat(path)
            except OSError:
                continue
            if (there.st_dev, there.st_ino) == (stat.st_dev, stat.st_ino):
                return True
        return False

    def folder_stat(self, path: str) -> Stat | None:
        """A folder's stat when it was last listed; None where a change since could not show."""
        row = self.db.execute(
            "SELECT device, inode, size, mtime, ctime FROM folders WHERE path = ? AND NOT racy", (os.fsencode(path),)
        ).fetchone()
        return (int(row[0]), int(row[1]), row[2], row[3], row[4]) if row else None

    def store_folder(self, path: str, stat: Stat, racy: bool) -> None:
        device, inode, *rest = stat
        self.db.execute(
            "INSERT OR REPLACE INTO folders VALUES (?, ?, ?, ?, ?, ?, ?)",
            (os.fsencode(path), rows.storable(device), rows.storable(inode), *rest, racy),
        )

    def _take_in_early(self, changes: Changes) -> None:
        """As _take_in, while there are no sums yet."""
        self.revoke_recent()  # of an index that was damaged and is being read anew
        for found, file, reading in list(self._read(changes.to_read)):
            number = self._store_file(found, file, reading)
            if reading.fresh:
                self.delete_claims([number])
            for claim in reading.claims.values():
                claim.file = number
                thread = self._claims("WHERE family = ? AND rest = ? AND file = ?", claim.group, claim.rest, number)
                old = thread.get(claim.rest, {}).get(claim.place())
                best = claim if old is None else merged(old, claim, self._bytes_of)
                self.db.execute(rows.INSERT, self._row(best))

    # --- sums ------------------------------------------------------------------------------------------------

    def _project(self, claim: Claim) -> str:
        """The project of a response: its line's `cwd`, else the name of the project's folder."""
        return claim.cwd or self._folder(claim.file)

    def _folder(self, file: int) -> str:
        """The name of the project's folder that a file is in."""
        row = self.db.execute("SELECT path FROM files WHERE id = ?", (file,)).fetchone()
        parts = parts_below(os.fsdecode(row[0]), self.roots) if row else None
        return parts[0] if parts and len(parts) > 1 else ""

    def _recount_all(self, alone: FilesAlone | None = None) -> None:
        """All sums from all claims; what was published of the old ones is taken back."""
        from .totals import recount

        if self.stored:
            answer.revoke_all(self.folder)
            recent.revoke(self.folder)
        recount(self, alone)
        self._set_meta("prices", self.table.fingerprint)

    def moment(self, response: accounting.Response) -> tuple[Any, ...]:
        """A counted response as days and blocks want it."""
        parts = [sums for _, sums in response.parts(self.table)]
        numbers = parts[0] if len(parts) == 1 else [sum(column) for column in zip(*parts, strict=True)]
        told = (*numbers[COST : COST + 3], numbers[INPUT] + numbers[OUTPUT])
        return rows.moment(*response.order, told)

    def counted(self, session: str) -> list[accounting.Response]:
        """A session's responses, from its claims."""
        families = self.db.execute("SELECT DISTINCT family FROM claims WHERE session = ?", (self._known_id(session),))
        return [one for one in self._responses(families.fetchall()) if one.session == session]

    def _responses(self, families: Iterable[tuple[int]]) -> Iterator[accounting.Response]:
        for (family,) in families:
            yield from accounting.responses(self._group(family), self._bytes_of, self.began).values()

    def counted_in(self, file: int) -> list[accounting.Response]:
        """The responses that a file holds lines of; a copy in a fork is none of them."""
        return [one for one in self._responses(self._families_in(file)) if (file, accounting.LINE) in one.held()]

    def _families_in(self, file: int) -> list[tuple[int]]:
        """The groups that a file holds claims of; while nothing is counted yet, all claims are looked at for that."""
        of_known = "session IN (SELECT session FROM holds WHERE file = :file) AND " if self.complete else ""
        query = f"SELECT DISTINCT family FROM claims WHERE {of_known}file = :file"
        return self.db.execute(query, {"file": file}).fetchall()

    def _own_files(self, number: int | None) -> list[int]:
        found = self.db.execute("SELECT id FROM files WHERE session = ? AND own", (number,))
        return [file for (file,) in found.fetchall()]

    def _shown(self, session: str) -> list[accounting.Response]:
        """What a question about a session is answered by: its responses; where it has none, those that the transcript
        of that name holds lines of: some clients resume into a new file whose lines carry the old id."""
        counted = self.counted(session)
        if counted:
            return counted
        files = self._own_files(self._known_id(session))
        found = {(one.claim.group, one.key): one for file in files for one in self.counted_in(file)}
        return list(found.values())

    def _shown_sums(self, session: str) -> accounting.Sums:
        """The same, added up."""
        number = self._known_id(session)
        if self.complete and (self._owns(number) or not self._holds_others(number)):
            return self._load_sums(session)
        return self._added(self._shown(session))

    def _holds_others(self, number: int | None) -> bool:
        """Whether the transcript of a session's name holds lines of other sessions' responses."""
        found = self.db.execute(
            "SELECT 1 FROM files JOIN holds ON holds.file = files.id WHERE files.session = ? AND own AND counted = ?",
            (number, accounting.LINE),
        )
        return found.fetchone() is not None

    def began(self, session: str) -> int | None:
        """The first timestamp of a session's own transcript, in microseconds; None where it has none (A6)."""
        number = self._known_id(session)
        row = self.db.execute("SELECT min(began) FROM files WHERE session = ? AND own", (number,)).fetchone()
        return row[0]  # type: ignore[no-any-return]

    def _sum(self, session: str) -> accounting.Sums:
        return self._added(self.counted(session))

    def _added(self, counted: Iterable[accounting.Response]) -> accounting.Sums:
        sums = accounting.Sums()
        for response in counted:
            sums.add(response, self.table, self._project(response.claim))
        return sums

    def _load_sums(self, session: str) -> accounting.Sums:
        """A session's stored sums, as `Sums` that can go on being added to."""
        sums = accounting.Sums()
        number = self._known_id(session)
        row = self.db.execute(
            "SELECT first, last, project, responses, incomplete FROM sessions WHERE session = ?", (number,)
        ).fetchone()
        if row is not None:
            sums.first, sums.last, project, sums.responses, sums.incomplete = row
            sums.project = self._text(project)
            sums.models = {self._text(model): numbers for model, numbers in self._totals(number)}
        return sums

    def _totals(self, session: int | None) -> Iterator[tuple[int, list[int]]]:
        found = self.db.execute(
            "SELECT model, input, output, cache_creation, cache_read, auto, calculate, display, responses,"
            " unpriced_auto, unpriced_calculate FROM totals WHERE session = ?",
            (session,),
        )
        for model, *numbers in found.fetchall():
            yield model, [int(number) for number in numbers]

    def _store_sums(self, session: str, sums: accounting.Sums) -> None:
        number = self._id(session)
        self.db.execute("DELETE FROM totals WHERE session = ?", (number,))
        if not sums.responses:
            self.db.execute("DELETE FROM sessions WHERE session = ?", (number,))
            return
        self.db.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
            (number, sums.first, sums.last, self._id(sums.project), sums.responses, sums.incomplete),
        )
        self.db.executemany(
            "INSERT INTO totals VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (number, self._id(model), *(rows.storable(n) for n in numbers))
                for model, numbers in sums.models.items()
                if numbers[RESPONSES]
            ],
        )

    # --- questions -------------------------------------------------------------------------------------------

    def snapshot(self, question: Callable[[], Answered]) -> Answered:
        """Ask everything of one state of the database, whatever others commit meanwhile."""
        if self.db.in_transaction:
            return question()
        self.db.execute("BEGIN")
        try:
            return question()
        finally:
            self.db.execute("ROLLBACK")

    def session(self, session: str, mode: str = "auto", entries: bool = False) -> Session | None:
        """What is known of one session; None where neither a transcript nor a response names it."""
        return self.snapshot(lambda: self._one_session(session, mode, entries))

    def _one_session(self, session: str, mode: str, entries: bool) -> Session | None:
        number = self._known_id(session)
        if number is None:
            return None
        sums = self._shown_sums(session)
        own = self._facts(number)
        if not sums.responses and own is None:
            known = self.db.execute("SELECT 1 FROM files WHERE session = ?", (number,)).fetchone()
            if known is None:
                return None
        found = self._session(session, sums, own or (None, None), mode)
        found.archived = self._archived(number)
        if entries:
            found.entries = accounting.entries(self._shown(session), self.table, MODES.index(mode))
        return found

    def model_rows(self, session: str) -> list[tuple[Any, ...]]:
        """A session's models with their sums in every mode: (name, *sums in the order of the ledger)."""
        sums = self._shown_sums(session)
        return [(name, *numbers) for name, numbers in sums.models.items() if numbers[RESPONSES]]

    def dependencies(self, session: str) -> list[Dependency] | None:
        """The files and folders that an answer about the session last refreshed rests on, as they were when they were
        read; None where a change since could not show, or where others' responses are shown."""
        number = self._known_id(session)
        if not self._owns(number) and self._holds_others(number):
            return None
        known: list[Dependency] = []
        for file in self.files_of(session):
            if file.racy:
                return None
            known.append((file.path, None if file.vanished else file.stat()))
        for path in self._looked:
            stat = self.folder_stat(path)
            if stat is None:
                return None
            known.append((path, stat))
        return known

    def _session(
        self, session: str, sums: accounting.Sums, facts: tuple[str | None, float | None], mode: str
    ) -> Session:
        return Session(
            session,
            sums.usage(MODES.index(mode)),
            first=sums.first,
            last=sums.last,
            project_path=sums.project or None,
            title=facts[0],
            responses=sums.responses,
            incomplete=sums.incomplete,
            client_cost=facts[1],
        )

    def _facts(self, number: int) -> tuple[str | None, float | None] | None:
        """(title, client's own total) from a session's own transcripts."""
        found = self.db.execute(f"SELECT session, {FACTS} WHERE own AND session = ? ORDER BY {BY_PATH}", (number,))
        return gather(found.fetchall()).get(number)

    def _archived(self, number: int) -> bool:
        """Whether all lines of a session are in vanished files (A13)."""
        if not self.complete:
            return False
        held = self.db.execute(
            "SELECT vanished FROM holds JOIN files ON files.id = holds.file WHERE holds.session = ? AND counted",
            (number,),
        ).fetchall()
        held = held or self.db.execute("SELECT vanished FROM files WHERE session = ? AND own", (number,)).fetchall()
        return bool(held) and all(row[0] for row in held)

    def sessions(self, mode: str = "auto") -> list[Session]:
        """Every session that has responses."""
        from .questions import all_sessions

        return self.snapshot(lambda: all_sessions(self, mode))

    def moments(self, now: int) -> list[Moment]:
        """The recent responses of all sessions, oldest first: those that today and the block are made of."""
        from ..moments import of_database

        return of_database(self.db, now)

    def is_fork(self, session: str) -> bool:
        """Whether a session's own transcript holds copies of another's responses: it began as a fork."""
        return bool(self.parents(session))

    def parents(self, session: str) -> set[str]:
        """The sessions of whose responses a session's own transcript holds copies."""
        number = self._known_id(session)
        if self.complete:
            found = self.db.execute(
                "SELECT holds.session FROM files JOIN holds ON holds.file = files.id"
                " WHERE files.session = ? AND own AND holds.session != ? AND counted = ?",
                (number, number, accounting.COPY),
            )
            return {self._text(parent) for (parent,) in found.fetchall()}
        return {
            one.session
            for file in self._own_files(number)
            for one in self._responses(self._families_in(file))
            if one.session != session and (file, accounting.COPY) in one.held()
        }

    def last_context(self, session: str) -> tuple[int, str] | None:
        """(prompt tokens, model) of the last main-chain response in a session's transcript that names a model.

        Of the iterations of a response the last one's prompt counts; a copy in a fork is as good as the original.
        """
        number = self._known_id(session)
        row = self.db.execute(
            "SELECT input + cache_creation + cache_read, bill, text FROM claims JOIN names ON names.id = model"
            " WHERE NOT side AND text != x'' AND (session = ?"
            " OR (file IN (SELECT id FROM files WHERE session = ? AND own)"
            " AND session IN (SELECT holds.session FROM holds JOIN files ON files.id = file"
            " WHERE files.session = ? AND own)))"
            " ORDER BY timestamp DESC, output DESC, family, rest LIMIT 1",
            (number, number, number),
        ).fetchone()
        if row is None:
            return None
        prompt, bill, model = row
        context = rows.unpack_bill(bill)[2] if bill else None
        return prompt if context is None else context, model.decode("utf-8", "surrogatepass")


FACTS = "custom_title, ai_title, summary, client_cost FROM files"
BY_PATH = "vanished DESC, path"  # the last wins: what is there before what is gone


def gather(told: Iterable[tuple[Any, ...]]) -> dict[int, tuple[str | None, float | None]]:
    """(title, client cost) by session, of rows in which the last word wins (section 2: custom, ai, summary)."""
    found: dict[int, list[Any]] = {}
    for session, *facts in told:
        known = found.setdefault(session, [None] * 4)
        for place, fact in enumerate(facts):
            if fact is not None:
                known[place] = fact
    gathered = {}
    for session, (custom, ai, summary, cost) in found.items():
        title = custom or ai or summary
        gathered[session] = (title.decode("utf-8", "surrogatepass") if title else None, cost)
    return gathered
