"""What is stored of one index: its database, names, claims and files as rows, and transactions.

Where the database can't be had, the same work is done on a copy in memory and nothing is stored. Standard library only:
on the lean lanes. Rules of docs/accounting.md.
"""

from __future__ import annotations

import os

from .. import accounting, answer, recent
from ..files import open_regular, read_at
from ..transcripts.files import Found, parts_below
from ..transcripts.reading import Known, Reading
from . import rows, schema

WAIT = 5.0  # seconds a report waits for another process's refresh
WAIT_ONE = 0.1  # seconds a question about one session waits before it answers from a copy
BEHIND = b"\xff"  # sorts behind every line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from sqlite3 import Connection
    from typing import Any, TypeVar

    Answered = TypeVar("Answered")

    from ..files import Stat
    from ..prices.table import PriceTable
    from ..transcripts.claims import Claim

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


class Store:
    """What is stored of one set of data directories."""

    def __init__(self, folder: str, roots: list[str], table: PriceTable) -> None:
        """*folder* is where the index is stored, *roots* the folders called `projects` it covers."""
        self.db: Connection  # of whoever opens it
        self.folder = folder
        self.roots = roots
        self.table = table
        self.stored = True  # false: everything happens on a copy in memory
        self.why_not_stored = ""
        self.reads = 0  # transcripts opened, for tests and --debug
        self._names: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._paths: dict[int, str | None] = {}

    def to_memory(self, original: Connection | None, why: str) -> None:
        """Go on with a copy of *original*, which is closed; nothing is stored from here on."""
        self.db = schema.in_memory(original)
        if original is not None:
            original.close()
        self.stored = False
        self.why_not_stored = why
        self.forget_names()

    def close(self) -> None:
        self.db.close()

    # --- transactions -----------------------------------------------------------------------------------------------

    def write(self, work: Callable[[], object], wait: float) -> None:
        """Do *work* in a transaction; on a copy in memory if the database can't be had within *wait* seconds."""
        try:
            self._transaction(work, wait)
        except (schema.OperationalError, OSError) as error:  # locked, full, read-only
            if not self.stored:
                raise
            self.to_memory(self.db, str(error))
            self._transaction(work, wait)

    def _transaction(self, work: Callable[[], object], wait: float) -> None:
        self.db.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        self.db.execute("BEGIN IMMEDIATE")
        try:
            work()
            if self.stored:
                schema.take_back_reports(self.folder)
            self.db.execute("COMMIT")
        except BaseException:
            self.forget_names()
            try:
                self.db.execute("ROLLBACK")
            except schema.OperationalError:  # SQLite has rolled back itself
                pass
            raise

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

    def revoke_all(self) -> None:
        """Take back what is published of any session, and of the recent responses."""
        if self.stored:
            answer.revoke_all(self.folder)
            recent.revoke(self.folder)

    def revoke_recent(self) -> None:
        """Take back what is published of the recent responses."""
        if self.stored:
            recent.revoke(self.folder)

    # --- meta -------------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> Any:
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: object) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def complete(self) -> bool:
        """Whether every transcript has been read once; until then there are claims but no sums."""
        return bool(self.meta("complete") == 1)

    def prices_changed(self) -> bool:
        return self.complete and bool(self.meta("prices") != self.table.fingerprint)

    def snapshot(self, question: Callable[[], Answered]) -> Answered:
        """Ask everything of one state of the database, whatever others commit meanwhile."""
        if self.db.in_transaction:
            return question()
        self.db.execute("BEGIN")
        try:
            return question()
        finally:
            self.db.execute("ROLLBACK")

    def data_version(self) -> int:
        """A number that another process's commit changes."""
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    # --- names ------------------------------------------------------------------------------------------------------

    def number_of(self, text: str) -> int:
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

    def known_number(self, text: str) -> int | None:
        number = self._names.get(text)
        if number is not None:
            return number
        data = text.encode("utf-8", "surrogatepass")
        row = self.db.execute("SELECT id FROM names WHERE text = ?", (data,)).fetchone()
        return int(row[0]) if row else None

    def text_of(self, number: int) -> str:
        text = self._texts.get(number)
        if text is None:
            row = self.db.execute("SELECT text FROM names WHERE id = ?", (number,)).fetchone()
            text = self._texts[number] = row[0].decode("utf-8", "surrogatepass")
        return text

    def load_names(self) -> dict[int, str]:
        """All names at once, before work that meets most of them: their texts by number, those that come later too."""
        for number, data in self.db.execute("SELECT id, text FROM names"):
            text = data.decode("utf-8", "surrogatepass")
            self._names[text] = number
            self._texts[number] = text
        return self._texts

    def forget_names(self) -> None:
        """Drop what is remembered of names and paths: a transaction was undone, or names were deleted."""
        self._names.clear()
        self._texts.clear()
        self._paths.clear()

    # --- claims in rows ---------------------------------------------------------------------------------------------

    def row_of(self, claim: Claim) -> rows.Row:
        """A claim as the database has it."""
        number = self.number_of
        return rows.pack(claim, number(claim.session), number(claim.maker), number(claim.model), number(claim.cwd))

    def claim_of(self, row: rows.Row) -> Claim:
        names = (row[place] for place in (rows.SESSION, rows.MAKER, rows.MODEL, rows.CWD))
        return rows.unpack(row, *map(self.text_of, names))

    def group(self, family: int) -> accounting.Group:
        return self.claims("WHERE family = ?", family)

    def claims(self, where: str, *values: int) -> accounting.Group:
        """The claims that a condition names, by thread."""
        found: accounting.Group = {}
        for row in self.db.execute(f"SELECT {rows.COLUMNS} FROM claims {where}", values):
            claim = self.claim_of(row)
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
        group = self.claims(f"WHERE family = ? LIMIT {rows.LARGE}", family)
        if sum(map(len, group.values())) < rows.LARGE:
            return group, False
        from . import links

        group = {}
        leads = links.links_of(added)
        todo = rests | links.led_to(self.db, family, leads)
        while todo:
            new = self.claims(f"WHERE family = ? AND rest IN ({','.join(map(str, todo))})", family)
            for rest in todo:
                group[rest] = new.get(rest, {})
            more = links.links_of(claim for claims in new.values() for claim in claims.values()) - leads
            leads |= more
            todo = links.led_to(self.db, family, more) - group.keys()
        return group, True

    def bytes_of(self, claim: Claim) -> bytes:
        """A claim's line, for A5's last tie-break; what sorts behind every line where the file is gone."""
        line = self.line_of(claim)
        return BEHIND if line is None else line

    def line_of(self, claim: Claim) -> bytes | None:
        """A claim's line, None where its file is gone."""
        path = self.path_of(claim.file)
        try:
            if path is None:
                raise FileNotFoundError
            descriptor = open_regular(path)
        except OSError:
            return None
        try:
            return read_at(descriptor, claim.length, claim.at)
        finally:
            os.close(descriptor)

    def delete_claims(self, files: Sequence[int]) -> None:
        """Drop what is known of files that have been read anew: all claims are looked at for it."""
        if files:
            self.db.execute(f"DELETE FROM claims WHERE file IN ({','.join(map(str, files))})")

    # --- files in rows ----------------------------------------------------------------------------------------------

    def files(self, where: str = "", values: Iterable[Any] = ()) -> list[File]:
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
        file.session = self.text_of(session)
        return file

    def store_file(self, found: Found, file: File | None, reading: Reading) -> int:
        """Write what a reading tells of its file; returns the file's number."""
        titles = [None if t is None else t.encode("utf-8", "surrogatepass") for t in reading.titles]
        position = (
            os.fsencode(found.path),
            self.number_of(found.session),
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
        self.forget_path(file.id)
        return file.id

    def path_of(self, file: int) -> str | None:
        """Where a file is; None for a vanished one."""
        if file not in self._paths:
            row = self.db.execute("SELECT path, vanished FROM files WHERE id = ?", (file,)).fetchone()
            self._paths[file] = os.fsdecode(row[0]) if row and not row[1] else None
        return self._paths[file]

    def forget_path(self, file: int) -> None:
        """A file was moved, or has vanished."""
        self._paths.pop(file, None)

    def folder_of(self, file: int) -> str:
        """The name of the project's folder that a file is in."""
        row = self.db.execute("SELECT path FROM files WHERE id = ?", (file,)).fetchone()
        parts = parts_below(os.fsdecode(row[0]), self.roots) if row else None
        return parts[0] if parts and len(parts) > 1 else ""

    def project_of(self, claim: Claim) -> str:
        """The project of a response: its line's `cwd`, else the name of the project's folder."""
        return claim.cwd or self.folder_of(claim.file)

    def files_of(self, session: str) -> list[File]:
        """The files whose path names a session and those known to hold claims of it.

        For a transcript whose name is no session's, those of the sessions whose responses it holds.
        """
        number = self.known_number(session)
        files = self.files("WHERE session = ? OR id IN (SELECT file FROM holds WHERE session = ?)", (number, number))
        if not any(file.own and file.session == session for file in files) or self.owns(number):
            return files
        known = {file.id for file in files}
        others = self.files(
            "WHERE id IN (SELECT file FROM holds WHERE session IN"
            " (SELECT holds.session FROM holds JOIN files ON files.id = file WHERE files.session = ? AND own))",
            (number,),
        )
        return files + [file for file in others if file.id not in known]

    def owns(self, number: int | None) -> bool:
        """Whether responses belong to a session."""
        return self.db.execute("SELECT 1 FROM sessions WHERE session = ?", (number,)).fetchone() is not None

    def file_at(self, path: str) -> dict[str, File]:
        """The file known under a path, vanished or not, by that path; empty where there is none."""
        return {file.path: file for file in self.files("WHERE path = ?", (os.fsencode(path),))}

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

    def began(self, session: str) -> int | None:
        """The first timestamp of a session's own transcript, in microseconds; None where it has none (A6)."""
        number = self.known_number(session)
        row = self.db.execute("SELECT min(began) FROM files WHERE session = ? AND own", (number,)).fetchone()
        return row[0]  # type: ignore[no-any-return]

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


def in_memory(roots: list[str], table: PriceTable, original: Connection | None = None) -> Store:
    """A store that is never on disk: empty, or a copy of *original* as it is at this moment."""
    made = Store(os.devnull, roots, table)
    made.db = schema.in_memory(original)
    made.stored = False
    return made
