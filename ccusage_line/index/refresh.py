"""What a refresh does to the index: find what changed, and move the sums by the difference.

A refresh happens in one transaction that is held from the look at what is known to the last sum, so that two
processes never count from the same offset. Rules of docs/accounting.md.
"""

from __future__ import annotations

import os
import time
from stat import S_ISDIR, S_ISREG

from .. import accounting
from ..files import open_regular
from ..paths import database_identity
from ..transcripts.claims import merged
from ..transcripts.files import SUFFIX, Found, Walk, is_transcript, parts_below, subfolders, walk
from ..transcripts.reading import ends, is_racy, read_block, read_file, stat_of
from . import rows
from .sessions import added, load_sums, moment, responses_of, store_sums
from .store import BEHIND, WAIT, WAIT_ONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..transcripts.claims import Claim
    from ..transcripts.reading import BlockReader, Reading
    from .links import Link
    from .store import File, Store


_BULK = 8 * 1024 * 1024  # bytes from which the packages' faster decoder pays for its import
_TELLING = 512  # bytes at the beginning of a transcript that are no other one's
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
    or with the same inode. The inode alone says nothing, nor with a few bytes that many transcripts begin with: file
    systems give it out again at once."""
    name = os.path.basename(found.path)
    for file in missing:
        same = (file.device, file.inode) == (found.stat.st_dev, found.stat.st_ino)
        if same and _leads_to(file.path, found.stat):
            return file  # it is there under both names, and this one comes first now
        if (
            ((same and file.seen >= _TELLING) or os.path.basename(file.path) == name)
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

    def __init__(self, store: Store, session: str) -> None:
        self._store = store
        self._session = session
        self._stats: list[tuple[str, tuple[int, int, int, int, int], bool]] = []
        self._new: list[Found] = []
        self._met: set[tuple[int, int]] = set()  # a file reached twice is one file
        self.files = store.files_of(session)
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
            parts = parts_below(file.path, self._store.roots)
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
            for root in self._store.roots:
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
            if self._store.folder_stat(path) != now:
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
        known = self._store.known_in(path)
        with os.scandir(path) as listing:
            new = [entry for entry in listing if is_transcript(entry.name) and entry.name not in known]
        for entry in sorted(new, key=lambda entry: (entry.is_symlink(), os.fsencode(entry.name))):  # as a walk does
            try:
                stat = os.stat(entry.path)
            except OSError:
                continue  # gone since, or a link to nothing
            identity = (stat.st_dev, stat.st_ino)
            if S_ISREG(stat.st_mode) and identity not in self._met and not self._store.known_elsewhere(stat):
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
            parts = parts_below(file.path, self._store.roots)
            if parts is not None:
                walk.files.append(Found(file.path, parts, stat))
        known = {file.path: file for file in self.files}
        for found in self._new:
            known |= self._store.file_at(found.path)  # one that had vanished
        return Changes(walk, known)

    def _saw(self, stat: os.stat_result) -> None:
        self.youngest = max(self.youngest, stat.st_mtime_ns, stat.st_ctime_ns)

    def store_folders(self) -> None:
        for path, stat, racy in self._stats:
            self._store.store_folder(path, stat, racy)


class _Lines:
    """The lines that decide ties (A5). Where one is gone (`missed`), a tie may have been decided otherwise before, and
    who keeps sums counts anew."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.missed = False

    def bytes_of(self, claim: Claim) -> bytes:
        line = self._store.line_of(claim)
        self.missed = self.missed or line is None
        return BEHIND if line is None else line

    def responses(self, group: accounting.Group) -> dict[int, accounting.Response]:
        return accounting.responses(group, self.bytes_of, self._store.began)


class Pending:
    """The sums that one refresh changes, until they are written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sums: dict[str, accounting.Sums] = {}
        self._recount: set[str] = set()
        self._moments = False  # whether days and blocks change
        self._held: set[tuple[str, int, int]] = set()
        self._files: set[int] = set()  # that vanished or came back

    def recount_file(self, file: int) -> None:
        """Count anew whatever a file holds lines of: it vanished or came back."""
        store = self._store
        self._files.add(file)
        for (number,) in store.db.execute("SELECT session FROM holds WHERE file = ?", (file,)).fetchall():
            self._recount.add(store.text_of(number))

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
        store = self._store
        found = []
        for (number,) in store.db.execute("SELECT session FROM holds WHERE file = ?", (file,)).fetchall():
            found += store.db.execute(
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
        store = self._store
        for session in {found.session, known.session if known is not None else found.session}:
            rivals = store.db.execute(
                "SELECT DISTINCT session FROM claims WHERE family IN (SELECT family FROM claims WHERE session = ?)",
                (store.known_number(session),),
            ).fetchall()
            if len(rivals) > 1:
                self._recount.update(store.text_of(number) for (number,) in rivals)

    def _change(self, family: int, file: int, withdrawn: set[int], added: list[Claim]) -> None:
        store = self._store
        touched = {claim.rest for claim in added} | withdrawn
        group, large = store.around(family, touched, added)
        lines = _Lines(store)
        before = lines.responses(group)
        sessions = _sessions_of(group)
        links = _links_of(group, touched) if large else None
        for rest in withdrawn:
            for place in [place for place in group[rest] if place[0] == file]:
                del group[rest][place]
        for claim in added:
            claims = group.setdefault(claim.rest, {})
            known = claims.get(claim.place())
            # what counted before must stay as it was
            claims[claim.place()] = claim if known is None else merged(known.copy(), claim, lines.bytes_of)
        after = lines.responses(group)
        self._store_claims(group, family, file, touched, withdrawn)
        self._store_links(group, family, links, bool(withdrawn))
        if lines.missed or withdrawn:
            self._recount |= sessions | _sessions_of(group)
        self._account(before, after, lines.missed)

    def _store_claims(
        self, group: accounting.Group, family: int, file: int, touched: set[int], withdrawn: set[int]
    ) -> None:
        store = self._store
        store.db.executemany(
            "DELETE FROM claims WHERE family = ? AND rest = ? AND file = ?",
            [(family, rest, file) for rest in withdrawn],
        )
        for rest in touched:
            for claim in group[rest].values():
                if claim.file == file:
                    store.db.execute(rows.INSERT, store.row_of(claim))
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

        store = self._store
        if before is None:
            links.store(store.db, family, group)
        elif fewer and not store.is_large(family):
            links.store(store.db, family, {})
        else:
            links.move(store.db, family, before, _links_of(group, before))

    def _account(
        self, before: dict[int, accounting.Response], after: dict[int, accounting.Response], tied: bool
    ) -> None:
        """Move the sums from the responses that a group made to those that it makes now; *tied*: by lines that are
        gone, so that their moments may have been other ones."""
        store = self._store
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
            elif not tied:
                continue
            self._moments = True
            times = [(claim.timestamp, claim.group, one.key) for one in old for claim in one.claims]
            store.db.executemany(rows.DELETE_MOMENT, times)
            if new is not None:
                store.db.execute(rows.INSERT_MOMENT, moment(store, new))

    def _replace(self, old: list[accounting.Response], new: accounting.Response | None) -> None:
        store = self._store
        for response in old:
            if new is None or response.session != new.session:
                self._of(response.session).remove(response, store.table)
                self._recount.add(response.session)
        if new is not None:
            same = [response for response in old if response.session == new.session]
            self._of(new.session).replace(same, new, store.table, store.project_of(new.claim))

    def _of(self, session: str) -> accounting.Sums:
        sums = self._sums.get(session)
        if sums is None:
            sums = self._sums[session] = load_sums(self._store, session)
        return sums

    def _hold(self, session: str, file: int, how: int) -> None:
        if (session, file, how) not in self._held:
            self._held.add((session, file, how))
            self._store.db.execute(
                "INSERT INTO holds VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET counted = max(counted, excluded.counted)",
                (self._store.number_of(session), file, how),
            )

    def settle(self) -> None:
        """Write the sums, and take back what was published of the sessions they belong to."""
        store = self._store
        for session in self._sums.keys() | self._recount | {session for session, _, _ in self._held}:
            store.revoke(session)
        if self._moments:
            store.revoke_recent()
        for session, sums in self._sums.items():
            if sums.stale or session in self._recount:
                self._recount.add(session)
            else:
                store_sums(store, session, sums)
        for session in self._recount:
            counted = responses_of(store, session)
            store_sums(store, session, added(store, counted))
            self._settle_moments(counted)
            self._settle_holds(session, counted)

    def _settle_moments(self, counted: list[accounting.Response]) -> None:
        """Where lines tie, bytes decide, and those of a file that vanished or came back now can't or can be read."""
        store = self._store
        tied = [one for one in counted if len(one.claims) > 1 and any(c.file in self._files for c in one.claims)]
        if tied:
            store.revoke_recent()
            rows.insert_all(store.db, rows.INSERT_MOMENT, [moment(store, one) for one in tied])

    def _settle_holds(self, session: str, counted: list[accounting.Response]) -> None:
        """What files hold of a session, from its claims."""
        store = self._store
        number = store.number_of(session)
        files = dict.fromkeys(
            (file for (file,) in store.db.execute("SELECT DISTINCT file FROM claims WHERE session = ?", (number,))),
            accounting.CLAIM,
        )
        for response in counted:
            for file, how in response.held():
                files[file] = max(files.get(file, accounting.CLAIM), how)
        store.db.execute("DELETE FROM holds WHERE session = ?", (number,))
        store.db.executemany(
            "INSERT INTO holds VALUES (?, ?, ?)", [(number, file, how) for file, how in sorted(files.items())]
        )


def _links_of(group: accounting.Group, rests: Iterable[int]) -> dict[int, set[Link]]:
    from .links import links_of

    return {rest: links_of(group.get(rest, {}).values()) for rest in rests}


def _sessions_of(group: accounting.Group) -> set[str]:
    return {claim.session for claims in group.values() for claim in claims.values()}


class Unchanged:
    """Transcripts just as the index holds them."""

    __slots__ = ("found", "identity", "version")

    def __init__(self, version: int, identity: tuple[int, int] | None, found: Walk) -> None:
        self.version = version  # of the database, read before it was compared: any commit since makes it another one
        self.identity = identity
        self.found = found


def change(store: Store, work: Callable[[], object], wait: float = WAIT) -> None:
    """Do *work* in a transaction that leaves the sums in today's prices; *wait* as in Store.write."""

    def step() -> None:
        work()
        if store.prices_changed():
            from .totals import recount_all

            recount_all(store)

    store.write(step, wait)


def refresh_all(store: Store, found: Walk | None = None) -> Unchanged | None:
    """Bring a complete index up to date, with what was just *found* below the data directories. Returns what there is
    where nothing had to be taken in."""
    version, identity, early = store.data_version(), database_identity(store.folder), found is not None
    found = found or walk(store.roots)
    known = _all_known(store, found)

    def work() -> None:
        nonlocal found
        if found is None or early or store.data_version() != version:  # somebody was here since
            found = walk(store.roots)
        _take_in(store, changes_of(store, found))

    if not known and changes_of(store, found).any():
        change(store, work)
    elif store.prices_changed():
        change(store, lambda: None)
    elif known and store.stored:
        return Unchanged(version, identity, found)
    return None


def refresh_session(store: Store, session: str) -> Look | None:
    """Bring one session up to date: its files and what is new in its project folders; None if it has none.

    A foreign file that was never read may be missing (the only exception to A7).
    """
    version = store.data_version()
    look = Look(store, session)
    if not look.files and not look.folders:
        return None
    changes = look.changes()

    def work() -> None:
        nonlocal look, changes
        if not store.stored or store.data_version() != version:  # somebody was here since
            look = Look(store, session)
            changes = look.changes()
        if changes.gone:  # it may have moved
            gone = {file.id for file in changes.gone}
            everything = changes_of(store, walk(store.roots))
            changes.to_read += [each for each in everything.to_read if each[1] and each[1].id in gone]
            changes = everything if store.complete else changes
        if store.complete:
            _take_in(store, changes)
        else:
            _take_in_early(store, changes)
        look.store_folders()

    if changes.any() or look.folders_changed or store.prices_changed():
        change(store, work, WAIT_ONE)
    return look


def _all_known(store: Store, found: Walk) -> bool:
    """Whether every transcript is as it was read and none is gone: what changes_of tells, without a File for each."""
    known_rows = store.db.execute(
        "SELECT path, device, inode, seen, mtime, ctime FROM files WHERE NOT vanished AND NOT racy"
    )
    known = set(known_rows.fetchall())
    live = store.db.execute("SELECT count(*) FROM files WHERE NOT vanished").fetchone()[0]
    return len(found.files) == live and all((os.fsencode(f.path), *stat_of(f.stat)) in known for f in found.files)


def changes_of(store: Store, found: Walk) -> Changes:
    return Changes(found, {file.path: file for file in store.files()})


def _take_in(store: Store, changes: Changes) -> None:
    """Count what changed."""
    session_changes = Pending(store)
    for file in changes.gone:
        store.db.execute("UPDATE files SET vanished = 1 WHERE id = ?", (file.id,))
        store.forget_path(file.id)
        session_changes.recount_file(file.id)
    readings = _read(store, changes.to_read)
    for found, known, reading in readings:
        if known is not None and (known.vanished or known.path != found.path):  # back, or moved: A13
            session_changes.recount_file(known.id)
        session_changes.note_beginning(found, known, reading)
        number = store.store_file(found, known, reading)
        session_changes.take(number, reading, new=known is None)
    session_changes.settle()


def _read(store: Store, wanted: list[tuple[Found, File | None]]) -> Iterator[tuple[Found, File | None, Reading]]:
    take_block: BlockReader = read_block
    if sum(found.stat.st_size - (file.seen if file else 0) for found, file in wanted) > _BULK:
        from .workers import typed_reader

        take_block = typed_reader()
    for found, file in wanted:
        known = file if file and not file.vanished and (file.session, file.own) == (found.session, found.own) else None
        try:
            store.reads += 1
            yield found, file, read_file(found.path, found.session, found.own, known, take_block)
        except OSError:
            continue  # unreadable or gone since: the next refresh sees it


def _take_in_early(store: Store, changes: Changes) -> None:
    """As _take_in, while there are no sums yet."""
    store.revoke_recent()  # of an index that was damaged and is being read anew
    for found, file, reading in list(_read(store, changes.to_read)):
        number = store.store_file(found, file, reading)
        if reading.fresh:
            store.delete_claims([number])
        for claim in reading.claims.values():
            claim.file = number
            thread = store.claims("WHERE family = ? AND rest = ? AND file = ?", claim.group, claim.rest, number)
            old = thread.get(claim.rest, {}).get(claim.place())
            best = claim if old is None else merged(old, claim, store.bytes_of)
            store.db.execute(rows.INSERT, store.row_of(best))
