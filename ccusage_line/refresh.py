"""What a refresh does to the index: find what changed, and move the sums by the difference."""

from __future__ import annotations

import os
import time

from . import ledger, rows
from .reading import ends, is_racy, stat_of
from .transcript import Found, Walk, is_own, is_transcript, open_regular, parts_below, path_session, subfolders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .index import File, Index
    from .reading import Reading
    from .response import Claim


class Changes:
    """How what was found differs from what is known."""

    def __init__(self, found: Walk, known: dict[str, File]) -> None:
        self.to_read: list[tuple[Found, File | None]] = []
        self.gone: list[File] = []
        present = {f.path for f in found.files}
        missing = [file for path, file in known.items() if path not in present]
        for f in found.files:
            file = known.get(f.path)
            if file is None:
                file = _moved(f, missing)
                if file is not None:
                    missing.remove(file)
            elif not file.vanished and file.same(f.stat):
                continue
            self.to_read.append((f, file))
        self.gone = [file for file in missing if not file.vanished]

    def any(self) -> bool:
        return bool(self.to_read or self.gone)


def _moved(found: Found, missing: list[File]) -> File | None:
    """The missing file that a new one was before it was moved (A13): it goes on from the content, under the same name
    or with the same inode. The inode alone says nothing: file systems give it out again at once."""
    name = os.path.basename(found.path)
    for file in missing:
        same = (file.device, file.inode) == (found.stat.st_dev, found.stat.st_ino)
        if (
            (same or os.path.basename(file.path) == name)
            and found.stat.st_size >= file.seen > 0
            and _continues(found.path, file)
        ):
            return file
    return None


def _continues(path: str, file: File) -> bool:
    try:
        descriptor = open_regular(path)
    except OSError:
        return False
    try:
        return ends(descriptor, file.seen) == (file.head, file.tail)
    finally:
        os.close(descriptor)


class Look:
    """What one session's files and folders look like now, beside what is known of them."""

    def __init__(self, index: Index, session: str) -> None:
        self._index = index
        number = index._known_id(session)
        self.files = index._files("WHERE session = ?1 OR id IN (SELECT file FROM holds WHERE session = ?1)", (number,))
        self.folders = self._folders(session)
        self._found = Walk()
        self._stats: list[tuple[str, tuple[str, str, int, int], bool]] = []
        self.folders_changed = False
        self._list(session)

    def _folders(self, session: str) -> list[tuple[str, tuple[str, ...]]]:
        """Folders that hold, or could hold, the session's transcripts: (path, its parts below `projects/`)."""
        roots = self._index.roots
        folders = {}
        for file in self.files:
            parts = parts_below(file.path, roots)
            if parts and is_own(parts) and path_session(parts) == session:
                folders[os.path.dirname(file.path)] = parts[:-1]
        if not folders and session and os.sep not in session and "\0" not in session and session not in (".", ".."):
            for root in roots:
                for name in subfolders(root):
                    path = os.path.join(root, name)
                    if os.path.exists(os.path.join(path, session + ".jsonl")):
                        folders[path] = (name,)
        return sorted(folders.items())

    def _list(self, session: str) -> None:
        """Find what is new in the folders, where their stat says that there is something."""
        below = [(os.path.join(path, session), (*parts, session)) for path, parts in self.folders]
        for path, parts in self.folders:
            if self._folder_changed(path):
                self._files_in(path, parts)
        while below:
            path, parts = below.pop()
            try:
                changed = self._folder_changed(path)
            except OSError:
                continue
            if changed:
                self._files_in(path, parts)
            below += [(os.path.join(path, name), (*parts, name)) for name in subfolders(path)]

    def _folder_changed(self, path: str) -> bool:
        looked = time.time_ns()
        stat = os.stat(path)
        row = self._index.db.execute(
            "SELECT device, inode, mtime, ctime, racy FROM folders WHERE path = ?", (os.fsencode(path),)
        ).fetchone()
        device, inode, _, mtime, ctime = stat_of(stat)
        now = (str(device), str(inode), mtime, ctime)
        if row is not None and row[4] == 0 and (str(row[0]), str(row[1]), row[2], row[3]) == now:
            return False
        self.folders_changed = True
        self._stats.append((path, now, is_racy(stat, looked)))
        return True

    def _files_in(self, path: str, parts: tuple[str, ...]) -> None:
        with os.scandir(path) as listing:
            for entry in listing:
                if is_transcript(entry.name) and entry.is_file():
                    self._found.files.append(Found(entry.path, (*parts, entry.name), os.stat(entry.path)))

    def changes(self) -> Changes:
        known = {file.path: file for file in self.files}
        for found in self._found.files:
            if found.path not in known:
                for file in self._index._files("WHERE path = ?", (os.fsencode(found.path),)):
                    known[found.path] = file
        listed = {found.path for found in self._found.files}
        for path, file in known.items():
            if path not in listed and not file.vanished:
                try:
                    stat = os.stat(path)
                except OSError:
                    continue
                parts = parts_below(path, self._index.roots)
                if parts is not None:
                    self._found.files.append(Found(path, parts, stat))
        return Changes(self._found, known)

    def store_folders(self) -> None:
        for path, (device, inode, mtime, ctime), racy in self._stats:
            self._index.db.execute(
                "INSERT OR REPLACE INTO folders VALUES (?, ?, ?, ?, ?, ?)",
                (os.fsencode(path), device, inode, mtime, ctime, racy),
            )


class Pending:
    """The sums that one refresh changes, until they are written."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._sums: dict[str, ledger.Sums] = {}
        self._recount: set[str] = set()
        self._held: set[tuple[str, int, bool]] = set()

    def recount_file(self, file: int) -> None:
        """Count anew whatever a file holds lines of: it vanished or came back."""
        index = self._index
        for (number,) in index.db.execute("SELECT session FROM holds WHERE file = ?", (file,)).fetchall():
            self._recount.add(index._text(number))

    def take(self, file: int, reading: Reading, new: bool) -> None:
        """Put a reading's claims in the place of the file's old ones, or beside them."""
        old: dict[int, set[int]] = {}
        if reading.fresh and not new:
            for group, rest in self._claimed(file):
                old.setdefault(group, set()).add(rest)
        claims: dict[int, list[Claim]] = {}
        for claim in reading.claims.values():
            claim.file = file
            claims.setdefault(claim.group, []).append(claim)
        for group in sorted(old.keys() | claims.keys()):
            self._change(group, file, old.get(group, set()), claims.get(group, []))

    def _claimed(self, file: int) -> list[tuple[int, int]]:
        index = self._index
        found = []
        for (number,) in index.db.execute("SELECT session FROM holds WHERE file = ?", (file,)).fetchall():
            found += index.db.execute(
                "SELECT family, rest FROM claims WHERE session = ? AND file = ?", (number, file)
            ).fetchall()
        return found

    def _change(self, family: int, file: int, withdrawn: set[int], added: list[Claim]) -> None:
        index = self._index
        group = index._group(family)
        index._tied = False
        before = ledger.responses(group, index._bytes_of)
        touched = {claim.rest for claim in added} | withdrawn
        involved = {claim.session for rest in touched for claim in group.get(rest, {}).values()}
        for rest in withdrawn:
            group[rest].pop(file, None)
        for claim in added:
            claims = group.setdefault(claim.rest, {})
            known = claims.get(file)
            if known is not None:
                known = known.copy()  # what counted before must stay as it was
                known.absorb(claim, index._bytes_of)
            claims[file] = known or claim
        after = ledger.responses(group, index._bytes_of)
        self._store_claims(group, family, file, touched)
        kept = {claim.session for rest in touched for claim in group.get(rest, {}).values()}
        if index._tied or withdrawn or involved - kept:
            self._recount |= involved | kept
        for rest in before.keys() | after.keys():
            self._account(before.get(rest), after.get(rest), group.get(rest, {}))
            if rest not in after:
                index.db.execute("DELETE FROM moments WHERE family = ? AND rest = ?", (family, rest))
            elif index._tied or not after[rest].same(before.get(rest)):
                index.db.execute(rows.INSERT_MOMENT, index.moment(after[rest]))

    def _store_claims(self, group: ledger.Group, family: int, file: int, touched: set[int]) -> None:
        index = self._index
        for rest in touched:
            claim = group[rest].get(file)
            if claim is not None:
                index.db.execute(rows.INSERT, index._row(claim))
                self._hold(claim.session, file, False)
            else:
                index.db.execute("DELETE FROM claims WHERE family = ? AND rest = ? AND file = ?", (family, rest, file))

    def _account(self, before: ledger.Response | None, after: ledger.Response | None, claims: dict[int, Claim]) -> None:
        index = self._index
        if after is not None:
            for number in claims:
                self._hold(after.session, number, True)
            if after.same(before):
                return
        project = index._project(after.claim) if after is not None else ""
        if before is not None and after is not None and before.session == after.session:
            self._of(after.session).replace(before, after, index.table, project)
            return
        if before is not None:
            self._of(before.session).remove(before, index.table)
            self._recount.add(before.session)
        if after is not None:
            self._of(after.session).add(after, index.table, project)

    def _of(self, session: str) -> ledger.Sums:
        sums = self._sums.get(session)
        if sums is None:
            sums = self._sums[session] = self._index._load_sums(session)
        return sums

    def _hold(self, session: str, file: int, counted: bool) -> None:
        if (session, file, counted) not in self._held:
            self._held.add((session, file, counted))
            self._index.db.execute(
                "INSERT INTO holds VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET counted = max(counted, excluded.counted)",
                (self._index._id(session), file, counted),
            )

    def settle(self) -> None:
        """Write the sums."""
        index = self._index
        for session, sums in self._sums.items():
            if sums.stale or session in self._recount:
                self._recount.add(session)
            else:
                index._store_sums(session, sums)
        for session in self._recount:
            index._store_sums(session, index._sum(session))
            self._settle_holds(session)

    def _settle_holds(self, session: str) -> None:
        """The files that hold lines of a session, from its claims."""
        index = self._index
        number = index._id(session)
        claims = index.db.execute("SELECT family, file FROM claims WHERE session = ?", (number,)).fetchall()
        files = {file: 0 for _, file in claims}
        for family in {family for family, _ in claims}:
            group = index._group(family)
            for rest, response in ledger.responses(group, index._bytes_of).items():
                if response.session == session:
                    files.update(dict.fromkeys(group[rest], 1))
        index.db.execute("DELETE FROM holds WHERE session = ?", (number,))
        index.db.executemany(
            "INSERT INTO holds VALUES (?, ?, ?)", [(number, file, counted) for file, counted in sorted(files.items())]
        )
