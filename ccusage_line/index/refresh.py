"""What a refresh does to the index: find what changed, and move the sums by the difference."""

from __future__ import annotations

import os
import time
from stat import S_ISDIR, S_ISREG

from .. import accounting
from ..files import open_regular
from ..transcripts.claims import merged
from ..transcripts.files import SUFFIX, Found, Walk, is_transcript, parts_below, subfolders
from ..transcripts.reading import ends, is_racy, stat_of
from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..transcripts.claims import Claim
    from ..transcripts.reading import Reading
    from .index import File, Index
    from .links import Link


_LONGEST_NAME = 250  # bytes; file systems take 255, ending and all


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
        if same and _leads_to(file.path, found.stat):
            return file  # it is there under both names, and this one comes first now
        if (
            (same or os.path.basename(file.path) == name)
            and found.stat.st_size >= file.seen > 0
            and _continues(found.path, file)
        ):
            return file
    return None


def _leads_to(path: str, stat: os.stat_result) -> bool:
    try:
        there = os.stat(path)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (stat.st_dev, stat.st_ino)


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
        self._session = session
        self._stats: list[tuple[str, tuple[int, int, int, int, int], bool]] = []
        self._new: list[Found] = []
        self._met: set[tuple[int, int]] = set()  # a file reached twice is one file
        self.files = index.files_of(session)
        self.folders: list[str] = []  # what was looked into
        self.youngest = 0  # ns: the latest change of all files and folders seen
        for path, parts in self._bases():
            self._look_into(path, parts)
            self._look_below(os.path.join(path, session), (*parts, session))

    @property
    def folders_changed(self) -> bool:
        return bool(self._stats)

    def _bases(self) -> list[tuple[str, tuple[str, ...]]]:
        """Folders that hold, or could hold, the session's transcripts: (path, its parts below `projects/`)."""
        folders = {}
        for file in self.files:
            parts = parts_below(file.path, self._index.roots)
            if parts and file.session == self._session:
                depth = parts.index(self._session) if self._session in parts[:-1] else len(parts) - 1
                path = file.path
                for _ in parts[depth:]:
                    path = os.path.dirname(path)
                folders[path] = parts[:depth]
        return sorted(folders.items() if folders else self._bases_by_name())

    def _bases_by_name(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Project folders with a transcript of that name, for a session that is not known yet."""
        name = self._session
        if name and os.sep not in name and "\0" not in name and len(os.fsencode(name)) < _LONGEST_NAME:
            for root in self._index.roots:
                for project in subfolders(root):
                    path = os.path.join(root, project)
                    if os.path.exists(os.path.join(path, name + SUFFIX)):
                        yield path, (project,)

    def _look_into(self, path: str, parts: tuple[str, ...]) -> bool:
        """Find what is new in a folder, if its stat says that there is something; whether the folder is there."""
        looked = time.time_ns()
        try:
            stat = os.stat(path)
            if not S_ISDIR(stat.st_mode):
                return False
            self.folders.append(path)
            now = stat_of(stat)
            self._saw(stat)
            if self._index.folder_stat(path) != now:
                self._stats.append((path, now, is_racy(stat, looked)))
                self._list(path, parts)
        except OSError:
            return False
        return True

    def _look_below(self, path: str, parts: tuple[str, ...]) -> None:
        pending = [(path, parts)]
        while pending:
            path, parts = pending.pop()
            if self._look_into(path, parts):
                pending += [(os.path.join(path, name), (*parts, name)) for name in subfolders(path)]

    def _list(self, path: str, parts: tuple[str, ...]) -> None:
        known = self._index.known_in(path)
        with os.scandir(path) as listing:
            new = [entry for entry in listing if is_transcript(entry.name) and entry.name not in known]
        for entry in sorted(new, key=lambda entry: (entry.is_symlink(), os.fsencode(entry.name))):  # as a walk does
            try:
                stat = os.stat(entry.path)
            except OSError:
                continue  # gone since, or a link to nothing
            identity = (stat.st_dev, stat.st_ino)
            if S_ISREG(stat.st_mode) and identity not in self._met and not self._index.known_elsewhere(stat):
                self._met.add(identity)
                self._new.append(Found(entry.path, (*parts, entry.name), stat))

    def changes(self) -> Changes:
        walk = Walk()
        walk.files = list(self._new)
        for file in self.files:
            try:
                stat = os.stat(file.path)
            except OSError:
                continue
            self._saw(stat)
            parts = parts_below(file.path, self._index.roots)
            if parts is not None:
                walk.files.append(Found(file.path, parts, stat))
        known = {file.path: file for file in self.files}
        for found in self._new:
            known |= self._index.file_at(found.path)  # one that had vanished
        return Changes(walk, known)

    def _saw(self, stat: os.stat_result) -> None:
        self.youngest = max(self.youngest, stat.st_mtime_ns, stat.st_ctime_ns)

    def store_folders(self) -> None:
        for path, stat, racy in self._stats:
            self._index.store_folder(path, stat, racy)


class Pending:
    """The sums that one refresh changes, until they are written."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._sums: dict[str, accounting.Sums] = {}
        self._recount: set[str] = set()
        self._moments = False  # whether days and blocks change
        self._held: set[tuple[str, int, int]] = set()

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

    def note_beginning(self, found: Found, known: File | None, reading: Reading) -> None:
        """Before a reading is stored: if it tells another beginning of a session's transcript, what several sessions
        claim may have another owner (A6)."""
        new = (found.session, found.own, reading.began)
        old = (known.session, known.own, known.began) if known is not None else (found.session, False, None)
        if new == old:
            return
        index = self._index
        for session in {found.session, known.session if known is not None else found.session}:
            rivals = index.db.execute(
                "SELECT DISTINCT session FROM claims WHERE family IN (SELECT family FROM claims WHERE session = ?)",
                (index._known_id(session),),
            ).fetchall()
            if len(rivals) > 1:
                self._recount.update(index._text(number) for (number,) in rivals)

    def _change(self, family: int, file: int, withdrawn: set[int], added: list[Claim]) -> None:
        index = self._index
        touched = {claim.rest for claim in added} | withdrawn
        group, large = index.around(family, touched, added)
        index._tied = False
        before = self._responses(group)
        sessions = _sessions_of(group)
        links = _links_of(group, touched) if large else None
        for rest in withdrawn:
            for place in [place for place in group[rest] if place[0] == file]:
                del group[rest][place]
        for claim in added:
            claims = group.setdefault(claim.rest, {})
            known = claims.get(claim.place())
            # what counted before must stay as it was
            claims[claim.place()] = claim if known is None else merged(known.copy(), claim, index._bytes_of)
        after = self._responses(group)
        self._store_claims(group, family, file, touched, withdrawn)
        self._store_links(group, family, links, bool(withdrawn))
        if index._tied or withdrawn:
            self._recount |= sessions | _sessions_of(group)
        self._account(before, after)

    def _responses(self, group: accounting.Group) -> dict[int, accounting.Response]:
        return accounting.responses(group, self._index._bytes_of, self._index.began)

    def _store_claims(
        self, group: accounting.Group, family: int, file: int, touched: set[int], withdrawn: set[int]
    ) -> None:
        index = self._index
        index.db.executemany(
            "DELETE FROM claims WHERE family = ? AND rest = ? AND file = ?",
            [(family, rest, file) for rest in withdrawn],
        )
        for rest in touched:
            for claim in group[rest].values():
                if claim.file == file:
                    index.db.execute(rows.INSERT, index._row(claim))
                    self._hold(claim.session, file, accounting.CLAIM)

    def _store_links(
        self, group: accounting.Group, family: int, before: dict[int, set[Link]] | None, fewer: bool
    ) -> None:
        """Keep the links of a large group; one that has just become large, or is none any more, has them all or none.

        *before* are those of the threads that changed, None where the group was not large; *fewer*: it may have lost
        claims.
        """
        if before is None and sum(map(len, group.values())) < rows.LARGE:
            return
        from . import links

        index = self._index
        if before is None:
            links.store(index.db, family, group)
        elif fewer and not index.is_large(family):
            links.store(index.db, family, {})
        else:
            links.move(index.db, family, before, _links_of(group, before))

    def _account(self, before: dict[int, accounting.Response], after: dict[int, accounting.Response]) -> None:
        """Move the sums from the responses that a group made to those that it makes now."""
        index = self._index
        into = {claim.rest: key for key, response in after.items() for claim in response.claims}
        merging: dict[int | None, list[accounting.Response]] = {}
        for response in before.values():
            key = next((into[claim.rest] for claim in response.claims if claim.rest in into), None)
            merging.setdefault(key, []).append(response)
        for key, now in after.items():
            for number, how in now.held():
                self._hold(now.session, number, how)
            merging.setdefault(key, [])
        for key, old in merging.items():
            new = None if key is None else after[key]
            if new is None or len(old) != 1 or not new.same(old[0]):
                self._replace(old, new)
            elif not index._tied:
                continue
            self._moments = True
            times = [(claim.timestamp, claim.group, one.key) for one in old for claim in one.claims]
            index.db.executemany(rows.DELETE_MOMENT, times)
            if new is not None:
                index.db.execute(rows.INSERT_MOMENT, index.moment(new))

    def _replace(self, old: list[accounting.Response], new: accounting.Response | None) -> None:
        index = self._index
        for response in old:
            if new is None or response.session != new.session:
                self._of(response.session).remove(response, index.table)
                self._recount.add(response.session)
        if new is not None:
            same = [response for response in old if response.session == new.session]
            self._of(new.session).replace(same, new, index.table, index._project(new.claim))

    def _of(self, session: str) -> accounting.Sums:
        sums = self._sums.get(session)
        if sums is None:
            sums = self._sums[session] = self._index._load_sums(session)
        return sums

    def _hold(self, session: str, file: int, how: int) -> None:
        if (session, file, how) not in self._held:
            self._held.add((session, file, how))
            self._index.db.execute(
                "INSERT INTO holds VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET counted = max(counted, excluded.counted)",
                (self._index._id(session), file, how),
            )

    def settle(self) -> None:
        """Write the sums, and take back what was published of the sessions they belong to."""
        index = self._index
        for session in self._sums.keys() | self._recount | {session for session, _, _ in self._held}:
            index.revoke(session)
        if self._moments:
            index.revoke_recent()
        for session, sums in self._sums.items():
            if sums.stale or session in self._recount:
                self._recount.add(session)
            else:
                index._store_sums(session, sums)
        for session in self._recount:
            index._store_sums(session, index._sum(session))
            self._settle_holds(session)

    def _settle_holds(self, session: str) -> None:
        """What files hold of a session, from its claims."""
        index = self._index
        number = index._id(session)
        files = dict.fromkeys(
            (file for (file,) in index.db.execute("SELECT DISTINCT file FROM claims WHERE session = ?", (number,))),
            accounting.CLAIM,
        )
        for response in index.counted(session):
            for file, how in response.held():
                files[file] = max(files.get(file, accounting.CLAIM), how)
        index.db.execute("DELETE FROM holds WHERE session = ?", (number,))
        index.db.executemany(
            "INSERT INTO holds VALUES (?, ?, ?)", [(number, file, how) for file, how in sorted(files.items())]
        )


def _links_of(group: accounting.Group, rests: Iterable[int]) -> dict[int, set[Link]]:
    from .links import links_of

    return {rest: links_of(group.get(rest, {}).values()) for rest in rests}


def _sessions_of(group: accounting.Group) -> set[str]:
    return {claim.session for claims in group.values() for claim in claims.values()}
