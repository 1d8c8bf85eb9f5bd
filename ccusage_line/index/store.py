"""The stored state of one index: its database, names, claims and files as rows, and transactions.

If the database can't be used, the same work is done on a copy in memory and nothing is stored. Standard library only,
because the lean lanes import this module. Rules of docs/accounting.md.
"""

from __future__ import annotations

import os

from .. import RULES, accounting, answer, recent
from ..files import leads_to, read_part
from ..transcripts.files import Transcript, parts_below
from ..transcripts.reading import FileState, Reading
from . import rows, schema

WAIT = 5.0  # seconds a report waits for another process's refresh
WAIT_ONE = 0.1  # seconds a question about one session waits before it works on a copy
SORTS_LAST = b"\xff"  # after every line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from sqlite3 import Connection
    from typing import Any, TypeVar

    Answered = TypeVar("Answered")

    from ..files import Stat
    from ..prices.table import PriceTable
    from ..transcripts.claims import Claim

_STATE = ("mtime", "ctime", "seen", "offset", "head", "tail", "crc", "skipping", "racy", "began")  # of a FileState
_MAX_VALUES = 500  # in one query; SQLite allows 999
_FACTS = ("custom_title", "ai_title", "summary", "client_cost")
_FILE = ("id", "path", "session", "own", "device", "inode", *_STATE, "vanished", "bad")
_STORED = (*_FILE[1:], *_FACTS)
_INSERT_FILE = f"INSERT INTO files ({', '.join(_STORED)}) VALUES ({', '.join('?' * len(_STORED))})"


class File(FileState):
    """A transcript that the index knows."""

    id: int
    path: str
    session: str
    own: bool
    vanished: bool
    bad: int

    __slots__ = tuple(__annotations__)


class Store:
    """The stored state of one set of data directories."""

    def __init__(self, folder: str, roots: list[str], table: PriceTable) -> None:
        """Set up a store in *folder* without a database. It covers *roots*, the folders named `projects`."""
        self.db: Connection  # set by whoever opens it
        self.folder = folder
        self.roots = roots
        self.table = table
        self.stored = True  # false: all work is done on a copy in memory
        self.why_not_stored = ""
        self.busy = False  # not stored because another process held the database
        self.notify: Callable[[str], object] = str  # shows a message while a question waits
        self.reads = 0  # transcripts opened, for tests and --debug
        self.caller_retries = False  # true: a locked database raises an error at once, and no copy is made
        self._names: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._paths: dict[int, str | None] = {}

    def to_memory(self, original: Connection | None, why: str) -> None:
        """Go on with a copy in memory of *original*, which is closed; nothing is stored from now on."""
        self.db = schema.in_memory(original)
        if original is not None:
            original.close()
        self.stored = False
        self.why_not_stored = why
        self.clear_caches()

    def close(self) -> None:
        self.db.close()

    # --- transactions -----------------------------------------------------------------------------------------------

    def write(self, work: Callable[[], object], wait: float) -> None:
        """Do *work* in a transaction; if the database can't be locked within *wait* seconds, do it on a copy in memory.
        Raises OperationalError instead if it is locked and the caller will ask again. *work* may run twice."""
        try:
            self._transaction(work, min(wait, WAIT_ONE) if self.caller_retries else wait)
        except (schema.OperationalError, OSError) as error:  # locked, full, read-only
            if not self.stored or (self.caller_retries and schema.is_busy(error)):
                raise
            self.to_memory(self.db, str(error))
            self.busy = schema.is_busy(error)
            self._transaction(work, wait)

    def _transaction(self, work: Callable[[], object], wait: float) -> None:
        self.db.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        self.db.execute("BEGIN IMMEDIATE")
        try:
            work()
            if self.stored:
                schema.revoke_reports(self.folder)
            self.db.execute("COMMIT")
        except BaseException:
            self.clear_caches()
            try:
                self.db.execute("ROLLBACK")
            except schema.OperationalError:  # SQLite has rolled back itself
                pass
            raise

    def try_lock(self) -> bool:
        """Acquire the write lock if it is free, and return whether it was."""
        if not self.stored:
            return False
        try:
            self.db.execute("PRAGMA busy_timeout = 0")
            self.db.execute("BEGIN IMMEDIATE")
        except schema.OperationalError:
            return False
        return True

    def unlock(self) -> None:
        """Release the write lock; nothing was written."""
        self.db.execute("ROLLBACK")

    def revoke(self, session: str) -> None:
        """Delete what is published of a session that is about to change."""
        if self.stored:
            answer.revoke(self.folder, session)

    def revoke_all(self) -> None:
        """Delete what is published of any session, and of the recent responses."""
        if self.stored:
            answer.revoke_all(self.folder)
            recent.revoke(self.folder)

    def revoke_recent(self) -> None:
        if self.stored:
            recent.revoke(self.folder)

    # --- meta -------------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> Any:
        """Return a value of the index as a whole, or None if it was never set."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: object) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def complete(self) -> bool:
        """Whether every transcript has been read once; until then there are claims but no sums."""
        return bool(self.meta("complete") == 1)

    def has_outdated_sums(self) -> bool:
        """Return whether the sums were computed with other prices (A10) or by other rules."""
        return self.complete and bool(self.meta("prices") != self.sums_version())

    def sums_version(self) -> str:
        """Return what sums are computed with besides claims: the rules and the prices."""
        return f"{RULES} {self.table.fingerprint}"

    def snapshot(self, question: Callable[[], Answered]) -> Answered:
        """Call *question* on one state of the database, whatever others commit meanwhile, and return its answer."""
        if self.db.in_transaction:
            return question()
        self.db.execute("BEGIN")
        try:
            return question()
        finally:
            self.db.execute("ROLLBACK")

    def data_version(self) -> int:
        """Return a number that changes when another process commits."""
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    # --- names ------------------------------------------------------------------------------------------------------

    def number_of(self, text: str) -> int:
        """Return the number of a name; a new name gets one."""
        number = self._names.get(text)
        if number is not None:
            return number
        number = self.known_number(text)
        if number is None:
            number = self.db.execute("INSERT INTO names (text) VALUES (?)", (_encoded(text),)).lastrowid
            assert number is not None
        self._names[text] = number
        self._texts[number] = text
        return number

    def known_number(self, text: str) -> int | None:
        """Return the number of a name, or None if it has none."""
        number = self._names.get(text)
        if number is not None:
            return number
        row = self.db.execute("SELECT id FROM names WHERE text = ?", (_encoded(text),)).fetchone()
        return int(row[0]) if row else None

    def text_of(self, number: int) -> str:
        """Return the name with this number, which must exist."""
        text = self._texts.get(number)
        if text is None:
            row = self.db.execute("SELECT text FROM names WHERE id = ?", (number,)).fetchone()
            text = self._texts[number] = row[0].decode("utf-8", "surrogatepass")
        return text

    def load_names(self) -> dict[int, str]:
        """Load all names, before work that needs most of them. Returns their texts by number, later ones too."""
        for number, data in self.db.execute("SELECT id, text FROM names"):
            text = data.decode("utf-8", "surrogatepass")
            self._names[text] = number
            self._texts[number] = text
        return self._texts

    def clear_caches(self) -> None:
        """Clear the cached names and paths, because a transaction was rolled back or names were deleted."""
        self._names.clear()
        self._texts.clear()
        self._paths.clear()

    # --- claims in rows ---------------------------------------------------------------------------------------------

    def row_of(self, claim: Claim) -> rows.Row:
        number = self.number_of
        return rows.pack(claim, number(claim.session), number(claim.maker), number(claim.model), number(claim.cwd))

    def claim_of(self, row: rows.Row) -> Claim:
        names = (row[place] for place in (rows.SESSION, rows.MAKER, rows.MODEL, rows.CWD))
        return rows.unpack(row, *map(self.text_of, names))

    def threads(self, where: str, *values: int) -> accounting.Group:
        """Return the claims of one group that meet a condition, by thread."""
        threads: accounting.Group = {}
        for row in self.db.execute(f"SELECT {rows.COLUMNS} FROM claims {where}", values):
            claim = self.claim_of(row)
            threads.setdefault(claim.rest, {})[claim.source()] = claim
        return threads

    def responses(self, group: accounting.Group) -> accounting.Responses:
        return accounting.responses(group, self.bytes_of, self.began, self.folder_of)

    def is_large(self, group: int) -> bool:
        """Return whether a group is so large that its links are stored."""
        query = f"SELECT count(*) FROM (SELECT 1 FROM claims WHERE group_id = ? LIMIT {rows.LARGE})"
        return bool(self.db.execute(query, (group,)).fetchone()[0] == rows.LARGE)

    def related_threads(self, group: int, rests: set[int], added: Iterable[Claim]) -> tuple[accounting.Group, bool]:
        """Return the threads of a group that may change if *rests* do and *added* comes: all of a small group; of a
        large one those that links lead to, directly or through others. Also return whether the group is large."""
        threads = self.threads(f"WHERE group_id = ? LIMIT {rows.LARGE}", group)
        if sum(map(len, threads.values())) < rows.LARGE:
            return threads, False
        from . import links

        threads = {}
        followed = links.links_of(added)
        todo = rests | links.linked_threads(self.db, group, followed)
        while todo:
            loaded = self.threads(f"WHERE group_id = ? AND rest IN ({','.join(map(str, todo))})", group)
            threads |= {rest: loaded.get(rest, {}) for rest in todo}
            new = links.links_of(claim for claims in loaded.values() for claim in claims.values()) - followed
            followed |= new
            todo = links.linked_threads(self.db, group, new) - threads.keys()
        return threads, True

    def bytes_of(self, claim: Claim) -> bytes:
        """Return a claim's line for the last tie-break of A5, or SORTS_LAST if its file is gone."""
        line = self.line_of(claim)
        return SORTS_LAST if line is None else line

    def line_of(self, claim: Claim) -> bytes | None:
        """Return a claim's line, or None if its file is gone."""
        path = self.path_of(claim.file)
        try:
            return None if path is None else read_part(path, claim.length, claim.offset)
        except OSError:
            return None

    def delete_claims(self, files: Sequence[int]) -> None:
        """Delete the claims of files that were read anew; this looks at all claims."""
        if files:
            self.db.execute(f"DELETE FROM claims WHERE file IN ({','.join(map(str, files))})")

    # --- files in rows ----------------------------------------------------------------------------------------------

    def files(self, where: str = "", values: Sequence[Any] = ()) -> list[File]:
        return [self._file(row) for row in self.db.execute(f"SELECT {', '.join(_FILE)} FROM files {where}", values)]

    def _file(self, row: tuple[Any, ...]) -> File:
        file = File()
        for name, value in zip(_FILE, row, strict=True):
            setattr(file, name, value)
        file.path, file.session = os.fsdecode(row[1]), self.text_of(row[2])
        file.device, file.inode = int(file.device), int(file.inode)  # stored as text if they do not fit 64 bits
        return file

    def store_file(self, transcript: Transcript, file: File | None, reading: Reading) -> int:
        """Store what a reading says of its file, and return the file's number."""
        name = os.fsencode(transcript.path), self.number_of(transcript.session), transcript.own
        inode = rows.storable(reading.device), rows.storable(reading.inode)
        state = (getattr(reading, field) for field in _STATE)
        values = (*name, *inode, *state, False, reading.bad, *map(_encoded, reading.titles), reading.client_cost)
        if file is None:
            number = self.db.execute(_INSERT_FILE, values).lastrowid
            assert number is not None
            return number
        changes = dict.fromkeys(_STORED, "?")
        if not reading.from_start:  # what was read before still holds
            changes |= {"bad": "bad + ?", **{name: f"ifnull(?, {name})" for name in _FACTS}}
        changed = ", ".join(f"{name} = {value}" for name, value in changes.items())
        self.db.execute(f"UPDATE files SET {changed} WHERE id = ?", (*values, file.id))
        self.forget_path(file.id)
        return file.id

    def path_of(self, file: int) -> str | None:
        """Return the path of a file, or None if it has vanished."""
        if file not in self._paths:
            row = self.db.execute("SELECT path, vanished FROM files WHERE id = ?", (file,)).fetchone()
            self._paths[file] = os.fsdecode(row[0]) if row and not row[1] else None
        return self._paths[file]

    def forget_path(self, file: int) -> None:
        self._paths.pop(file, None)

    def folder_of(self, file: int) -> str:
        """Return the name of the project folder that a file is in."""
        row = self.db.execute("SELECT path FROM files WHERE id = ?", (file,)).fetchone()
        parts = parts_below(os.fsdecode(row[0]), self.roots) if row else None
        return parts[0] if parts and len(parts) > 1 else ""

    def project_of(self, claim: Claim) -> str:
        """Return the project of a response: its line's `cwd`, else the name of its project folder."""
        return claim.cwd or self.folder_of(claim.file)

    def files_of(self, session: str) -> list[File]:
        """Return the files whose path names a session, and those known to hold claims of it.

        If only a transcript has that name and no response, add the files of the sessions whose responses it holds.
        """
        number = self.known_number(session)
        files = self.files("WHERE session = ? OR id IN (SELECT file FROM holds WHERE session = ?)", (number, number))
        if not any(file.own and file.session == session for file in files) or self.owns_responses(number):
            return files
        known = {file.id for file in files}
        others = self.files(
            "WHERE id IN (SELECT file FROM holds WHERE session IN"
            " (SELECT holds.session FROM holds JOIN files ON files.id = file WHERE files.session = ? AND own))",
            (number,),
        )
        return files + [file for file in others if file.id not in known]

    def owns_responses(self, number: int | None) -> bool:
        """Return whether any response belongs to a session."""
        return self.db.execute("SELECT 1 FROM sessions WHERE session = ?", (number,)).fetchone() is not None

    def files_at(self, *paths: str) -> dict[str, File]:
        """Return the files known at these paths, vanished or not, by path."""
        found: dict[str, File] = {}
        for start in range(0, len(paths), _MAX_VALUES):
            batch = list(map(os.fsencode, paths[start : start + _MAX_VALUES]))
            found |= {file.path: file for file in self.files(f"WHERE path IN ({','.join('?' * len(batch))})", batch)}
        return found

    def known_below(self, folder: str) -> set[str]:
        """Return the paths of the known transcripts below a folder, relative to it."""
        begin = os.fsencode(os.path.join(folder, ""))
        after = begin[:-1] + bytes([begin[-1] + 1])
        paths = self.db.execute("SELECT path FROM files WHERE path > ? AND path < ? AND NOT vanished", (begin, after))
        return {os.fsdecode(path[len(begin) :]) for (path,) in paths}

    def is_known_elsewhere(self, stat: os.stat_result) -> bool:
        """Return whether a file is known under another path that still leads to it."""
        paths = self.db.execute(
            "SELECT path FROM files WHERE inode = ? AND device = ? AND NOT vanished",
            (rows.storable(stat.st_ino), rows.storable(stat.st_dev)),
        )
        return any(leads_to(path, stat) for (path,) in paths.fetchall())

    def began(self, session: str) -> int | None:
        """Return the first timestamp of a session's own transcript in microseconds, or None if it has none (A6)."""
        number = self.known_number(session)
        (began,) = self.db.execute("SELECT min(began) FROM files WHERE session = ? AND own", (number,)).fetchone()
        return began  # type: ignore[no-any-return]

    def folder_stat(self, path: str) -> Stat | None:
        """Return a folder's stat when it was last listed, or None if a change since then might not show."""
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


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogatepass")


def in_memory(roots: list[str], table: PriceTable, original: Connection | None = None) -> Store:
    """Return a store in memory: empty, or a copy of *original* as it is now."""
    store = Store(os.devnull, roots, table)
    store.db = schema.in_memory(original)
    store.stored = False
    return store
