"""The refresh of an index: find what changed, and adjust the sums by the difference.

A refresh is one transaction, from the comparison with what is known to the last sum, so that two processes never count
from the same offset. Rules of docs/accounting.md.
"""

from __future__ import annotations

import os
import time
from stat import S_ISDIR, S_ISREG

from .. import accounting
from ..files import leads_to, names_in, open_regular, stamp, stat_of
from ..paths import database_identity
from ..transcripts.claims import merge_claims
from ..transcripts.files import SUFFIX, Transcript, is_transcript, parts_below, subfolders, transcript_at, walk
from ..transcripts.reading import BULK, digest_ends, is_racy, read_block, read_file
from . import rows
from .sessions import SlotChanges, add_up, load_sums, moments, replace_slots, responses_of, store_sums
from .store import SORTS_LAST, WAIT, WAIT_ONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from ..files import Dependency, Stat
    from ..transcripts.claims import Claim
    from ..transcripts.files import Walk
    from ..transcripts.reading import BlockReader, Reading
    from .links import Link
    from .store import File, Store


_DISTINCTIVE = 512  # bytes from which on the beginning of a transcript is unique
_LONGEST_NAME = 250  # bytes; file systems allow 255 with the extension


class Changes:
    """The differences between the transcripts that were found and those that are known."""

    def __init__(self, found: list[Transcript], known: dict[str, File]) -> None:
        self.to_read: list[tuple[Transcript, File | None]] = []
        present = {transcript.path for transcript in found}
        missing = _Missing(file for path, file in known.items() if path not in present)
        for transcript in found:
            file = known.get(transcript.path)
            if file is None:
                file = missing.pop_moved(transcript)
            elif not file.vanished and file.is_unchanged(transcript.stat):
                continue
            self.to_read.append((transcript, file))
        self.gone = [file for file in missing.files.values() if not file.vanished]

    @property
    def is_empty(self) -> bool:
        return not self.to_read and not self.gone


class _Missing:
    """The known files that were not found at their paths."""

    def __init__(self, files: Iterable[File]) -> None:
        self.files = {file.id: file for file in files}
        self._by_mark: dict[object, list[int]] = {}  # by what a moved file may still have: its name or its inode
        for file in self.files.values():
            for mark in (os.path.basename(file.path), (file.device, file.inode)):
                self._by_mark.setdefault(mark, []).append(file.id)

    def pop_moved(self, transcript: Transcript) -> File | None:
        """Return the known file that a new one is after a move (A13), and remove it from the missing ones. A moved file
        has the content that was read, and the same name or inode."""
        marks = os.path.basename(transcript.path), (transcript.stat.st_dev, transcript.stat.st_ino)
        for number in sorted({number for mark in marks for number in self._by_mark.get(mark, ())}):
            file = self.files.get(number)
            if file is not None and _is_moved(transcript, file):
                return self.files.pop(number)
        return None


def _is_moved(transcript: Transcript, file: File) -> bool:
    """Return whether a new file is a missing one at another path. The same inode alone proves nothing, because file
    systems reuse inodes at once; nor do a few bytes that many transcripts begin with."""
    same_inode = (file.device, file.inode) == (transcript.stat.st_dev, transcript.stat.st_ino)
    if same_inode and leads_to(file.path, transcript.stat):
        return True  # it exists at both paths, and this one now comes first
    if same_inode and file.seen < _DISTINCTIVE and os.path.basename(file.path) != os.path.basename(transcript.path):
        return False
    return transcript.stat.st_size >= file.seen > 0 and _has_known_content(transcript.path, file)


def _has_known_content(path: str, file: File) -> bool:
    try:
        descriptor = open_regular(path)
    except OSError:
        return False
    try:
        return digest_ends(descriptor, file.seen) == (file.head, file.tail)
    finally:
        os.close(descriptor)


class SessionFiles:
    """What one session's files and folders look like now, and what is known of them."""

    def __init__(self, store: Store, session: str) -> None:
        self._store = store
        self._session = session
        self._changed_folders: list[tuple[str, Stat, bool]] = []  # path, stat, whether the stat is racy
        self._found: list[Transcript] = []
        self._visited: set[tuple[int, int]] = set()  # a file or folder that is reached twice counts once
        self._known = {file.path: file for file in store.files_of(session)}
        self.folders: list[str] = []  # those that were visited
        self.absent: list[Dependency] = []  # where a transcript of the session would be, if none exists
        self.last_change = 0  # ns: of all files and folders that were visited
        for path, parts in self._session_folders():
            self._visit(path, parts)
            self._visit_below(os.path.join(path, session), (*parts, session))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found that could belong to the session."""
        return not self._known and not self.folders

    @property
    def has_changed_folders(self) -> bool:
        return bool(self._changed_folders)

    def _session_folders(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the folders that may hold the session's transcripts: (path, its parts below `projects/`)."""
        folders = {}
        has_transcript = False
        for file in self._known.values():
            transcript = transcript_at(file.path, self._store.roots)
            if transcript is not None:
                self._note_change(transcript.stat)
                self._found.append(transcript)
            parts = parts_below(file.path, self._store.roots)
            if parts and file.session == self._session:
                depth = parts.index(self._session) if self._session in parts[:-1] else len(parts) - 1
                path = file.path
                for _ in parts[depth:]:
                    path = os.path.dirname(path)
                folders[path] = parts[:depth]
                has_transcript = has_transcript or (file.own and not file.vanished)
        return [*sorted(folders.items()), *self._folders_by_name(folders, has_transcript)]

    def _folders_by_name(self, known: Container[str], has_transcript: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield further folders that hold a transcript named after the session or, unless a known one *has_transcript*,
        a folder of that name. Folders behind links come last."""
        name = os.sep + self._session
        if not _is_file_name(self._session):
            return
        endings = [name + SUFFIX] if has_transcript else [name + SUFFIX, name]
        for root in self._store.roots:
            folders = [root, *(f"{root}{os.sep}{project}" for project in names_in(root))]
            paths = [folder + end for folder in folders if folder not in known for end in endings]
            existing = [path for path in paths if os.access(path, os.F_OK)]  # os.stat would raise for the others
            if not has_transcript:
                self.absent += [(root, stat_of(root)), *((path, None) for path in paths if path not in existing)]
            if existing:
                yield from _in_order(root, {os.path.dirname(path) for path in existing})

    def _visit(self, path: str, parts: tuple[str, ...]) -> bool:
        """Find what is new in a folder if its stat has changed. Returns whether it is a folder not visited before."""
        started = time.time_ns()
        try:
            stat = os.stat(path)
            identity = stat.st_dev, stat.st_ino
            if not S_ISDIR(stat.st_mode) or identity in self._visited:
                return False
            self._visited.add(identity)
            self.folders.append(path)
            self._note_change(stat)
            if self._store.folder_stat(path) != stamp(stat):
                self._changed_folders.append((path, stamp(stat), is_racy(stat, started)))
                self._find_new(path, parts)
        except OSError:
            return False
        return True

    def _visit_below(self, path: str, parts: tuple[str, ...]) -> None:
        """Visit a folder and all folders below it, each once; those behind links come last, as in a walk."""
        pending, links = [(path, parts)], list[tuple[str, tuple[str, ...]]]()
        while pending or links:
            path, parts = pending.pop() if pending else links.pop()
            if self._visit(path, parts):
                for name, is_link in subfolders(path).items():
                    (links if is_link else pending).append((os.path.join(path, name), (*parts, name)))

    def _find_new(self, path: str, parts: tuple[str, ...]) -> None:
        known = self._store.known_below(path)
        with os.scandir(path) as listing:
            new = [entry for entry in listing if is_transcript(entry.name) and entry.name not in known]
        for entry in sorted(new, key=lambda entry: (entry.is_symlink(), os.fsencode(entry.name))):  # as in a walk
            try:
                stat = os.stat(entry.path)
            except OSError:
                continue  # deleted since, or a dangling link
            identity = (stat.st_dev, stat.st_ino)
            if entry.path in self._known or identity in self._visited or not S_ISREG(stat.st_mode):
                continue
            if not self._store.is_known_elsewhere(stat):
                self._visited.add(identity)
                self._known |= self._store.files_at(entry.path)  # if it had vanished
                self._found.append(Transcript(entry.path, (*parts, entry.name), stat))

    def changes(self) -> Changes:
        return Changes(self._found, self._known)

    def _note_change(self, stat: os.stat_result) -> None:
        self.last_change = max(self.last_change, stat.st_mtime_ns, stat.st_ctime_ns)

    def store_folders(self) -> None:
        for path, stat, racy in self._changed_folders:
            self._store.store_folder(path, stat, racy)


def _is_file_name(name: str) -> bool:
    return bool(name) and os.sep not in name and "\0" not in name and len(os.fsencode(name)) < _LONGEST_NAME


def _in_order(root: str, found: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield those of *found* among a data directory and its folders, in the order of a walk: links last."""
    if root in found:
        yield root, ()
    projects = subfolders(root)
    for project in sorted(projects, key=projects.__getitem__):
        path = os.path.join(root, project)
        if path in found:
            yield path, (project,)


class _TieLines:
    """The lines that decide ties (A5). If one is gone, a tie may have been decided otherwise before, so the sums must
    be counted anew."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.any_gone = False

    def bytes_of(self, claim: Claim) -> bytes:
        line = self._store.line_of(claim)
        self.any_gone = self.any_gone or line is None
        return SORTS_LAST if line is None else line

    def responses(self, threads: accounting.Group) -> accounting.Responses:
        return accounting.responses(threads, self.bytes_of, self._store.began, self._store.folder_of)


class _SumChanges:
    """The changes to sums that one refresh makes, until they are written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sums: dict[str, accounting.Sums] = {}
        self._slots = SlotChanges(store)
        self._recount: set[str] = set()
        self._moments_change = False  # whether days and blocks change
        self._holds: set[tuple[str, int, int]] = set()  # session, file, accounting.CLAIM, COPY or LINE
        self._begun: set[str] = set()  # sessions with a new transcript of their own, or a new beginning of one
        self._gone_or_back: set[int] = set()  # files that vanished or came back

    def recount_file(self, file: int) -> None:
        """Mark the sessions that a file holds lines of to be counted anew: it vanished or came back."""
        self._gone_or_back.add(file)
        sessions = self._store.db.execute("SELECT session FROM holds WHERE file = ?", (file,)).fetchall()
        self._recount.update(self._store.text_of(session) for (session,) in sessions)

    def apply(self, file: int, reading: Reading, new: bool) -> None:
        """Apply a reading: its claims replace the old ones of the file if it was read anew, else they are added."""
        old: dict[int, set[int]] = {}
        if reading.from_start and not new:
            holders = "SELECT session FROM holds WHERE file = :file"
            query = f"SELECT group_id, rest FROM claims WHERE session IN ({holders}) AND file = :file"
            for group, rest in self._store.db.execute(query, {"file": file}):
                old.setdefault(group, set()).add(rest)
        claims: dict[int, list[Claim]] = {}
        for claim in reading.claims.values():
            claim.file = file
            claims.setdefault(claim.group, []).append(claim)
        for group in sorted(old.keys() | claims.keys()):
            self._change_group(group, file, old.get(group, set()), claims.get(group, []))

    def note_beginning(self, transcript: Transcript, known: File | None, reading: Reading) -> None:
        """Note, before a reading is stored, that a session's transcript is new or begins otherwise: what is published
        of the session does not depend on it, and what several sessions claim may get another owner (A6)."""
        new = (transcript.session, transcript.own, reading.began)
        old = (known.session, known.own, known.began) if known is not None else (transcript.session, False, None)
        if new == old:
            return
        store = self._store
        for session in {transcript.session, known.session if known is not None else transcript.session}:
            self._begun.add(session)
            rivals = store.db.execute(
                "SELECT DISTINCT session FROM claims WHERE group_id IN (SELECT group_id FROM claims WHERE session = ?)",
                (store.known_number(session),),
            ).fetchall()
            if len(rivals) > 1:
                self._recount.update(store.text_of(number) for (number,) in rivals)

    def _change_group(self, group: int, file: int, withdrawn: set[int], added: list[Claim]) -> None:
        store = self._store
        touched = {claim.rest for claim in added} | withdrawn
        threads, large = store.related_threads(group, touched, added)
        lines = _TieLines(store)
        before = lines.responses(threads)
        sessions = _sessions_of(threads)
        links = _links_of(threads, touched) if large else None
        for rest in withdrawn:
            for source in [source for source in threads[rest] if source[0] == file]:
                del threads[rest][source]
        for claim in added:
            claims = threads.setdefault(claim.rest, {})
            known = claims.get(claim.source())
            # a copy, because `before` must not change
            claims[claim.source()] = claim if known is None else merge_claims(known.copy(), claim, lines.bytes_of)
        after = lines.responses(threads)
        self._store_claims(threads, group, file, touched, withdrawn)
        self._store_links(threads, group, links, bool(withdrawn))
        if lines.any_gone or withdrawn:
            self._recount |= sessions | _sessions_of(threads)
        self._adjust_sums(before, after, lines.any_gone)

    def _store_claims(
        self, threads: accounting.Group, group: int, file: int, touched: set[int], withdrawn: set[int]
    ) -> None:
        store = self._store
        store.db.executemany(
            "DELETE FROM claims WHERE group_id = ? AND rest = ? AND file = ?",
            [(group, rest, file) for rest in withdrawn],
        )
        for rest in touched:
            for claim in threads[rest].values():
                if claim.file == file:
                    store.db.execute(rows.INSERT, store.row_of(claim))
                    self._hold(claim.session, file, accounting.CLAIM)

    def _store_links(
        self, threads: accounting.Group, group: int, before: dict[int, set[Link]] | None, may_shrink: bool
    ) -> None:
        """Store the links of a group that is or was large: one that became large gets all, one that shrank loses all.

        *before* holds the links of the changed threads, or is None if the group was not large.
        """
        if before is None and sum(map(len, threads.values())) < rows.LARGE:
            return
        from . import links

        store = self._store
        if before is None:
            links.replace_all(store.db, group, threads)
        elif may_shrink and not store.is_large(group):
            links.replace_all(store.db, group, {})
        else:
            links.update(store.db, group, before, _links_of(threads, before))

    def _adjust_sums(self, before: accounting.Responses, after: accounting.Responses, lines_gone: bool) -> None:
        """Adjust the sums from the responses that a group made before to those that it makes now. If lines that decide
        ties are gone (*lines_gone*), the stored moments may differ even if the response does not."""
        store = self._store
        for response in after.values():
            for number, kind in response.holders():
                self._hold(response.session, number, kind)
        for new, old in _with_predecessors(before, after):
            if new is None or len(old) != 1 or new.counted_values() != old[0].counted_values():
                self._replace(old, new)
            elif not lines_gone:
                continue
            self._moments_change = True
            moment_keys = [
                (claim.timestamp, claim.group, response.key) for response in old for claim in response.claims
            ]
            store.db.executemany(rows.DELETE_MOMENT, moment_keys)
            store.db.executemany(rows.INSERT_MOMENT, moments(store, () if new is None else (new,)))

    def _replace(self, old: list[accounting.Response], new: accounting.Response | None) -> None:
        store = self._store
        for response in old:
            self._slots.subtract(response)
            if new is None or response.session != new.session:
                self._sums_of(response.session).remove(response, store.table)
                self._recount.add(response.session)
        if new is not None:
            self._slots.add(new)
            same = [response for response in old if response.session == new.session]
            self._sums_of(new.session).replace(same, new, store.table, store.project_of(new.claim))

    def _sums_of(self, session: str) -> accounting.Sums:
        sums = self._sums.get(session)
        if sums is None:
            sums = self._sums[session] = load_sums(self._store, session)
        return sums

    def _hold(self, session: str, file: int, kind: int) -> None:
        if (session, file, kind) not in self._holds:
            self._holds.add((session, file, kind))
            self._store.db.execute(
                "INSERT INTO holds VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET counted = max(counted, excluded.counted)",
                (self._store.number_of(session), file, kind),
            )

    def write(self) -> None:
        """Write the sums, and delete what is published of the sessions they belong to."""
        store = self._store
        for session in self._sums.keys() | self._recount | self._begun | {session for session, _, _ in self._holds}:
            store.revoke(session)
        if self._moments_change:
            store.revoke_recent()
        for session, sums in self._sums.items():
            if sums.stale or session in self._recount:
                self._recount.add(session)
            else:
                store_sums(store, session, sums)
        for session in self._recount:
            counted = responses_of(store, session)
            replace_slots(store, session, counted)
            store_sums(store, session, add_up(store, counted))
            self._write_ties(counted)
            self._write_holds(session, counted)
        self._slots.store(left_out=self._recount)

    def _write_ties(self, counted: list[accounting.Response]) -> None:
        """Write the moments of ties again: bytes decide them, and a file with such bytes vanished or came back."""
        store = self._store
        affected = self._gone_or_back
        tied = [each for each in counted if len(each.claims) > 1 and any(c.file in affected for c in each.claims)]
        if tied:
            store.revoke_recent()
            rows.insert_all(store.db, rows.INSERT_MOMENT, list(moments(store, tied)))

    def _write_holds(self, session: str, counted: list[accounting.Response]) -> None:
        """Write anew, from a session's claims, what files hold of it."""
        store = self._store
        number = store.number_of(session)
        claimed = store.db.execute("SELECT DISTINCT file FROM claims WHERE session = ?", (number,))
        kinds = {file: accounting.CLAIM for (file,) in claimed}
        for response in counted:
            for file, kind in response.holders():
                kinds[file] = max(kinds.get(file, accounting.CLAIM), kind)
        store.db.execute("DELETE FROM holds WHERE session = ?", (number,))
        holds = [(number, file, kind) for file, kind in sorted(kinds.items())]
        store.db.executemany("INSERT INTO holds VALUES (?, ?, ?)", holds)


def _with_predecessors(
    before: accounting.Responses, after: accounting.Responses
) -> Iterator[tuple[accounting.Response | None, list[accounting.Response]]]:
    """Yield each response that a group makes now with those that became it; None with those that are gone."""
    key_of = {claim.rest: key for key, response in after.items() for claim in response.claims}
    predecessors: dict[int | None, list[accounting.Response]] = {key: [] for key in after}
    for response in before.values():
        key = next((key_of[claim.rest] for claim in response.claims if claim.rest in key_of), None)
        predecessors.setdefault(key, []).append(response)
    for key, old in predecessors.items():
        yield None if key is None else after[key], old


def _links_of(threads: accounting.Group, rests: Iterable[int]) -> dict[int, set[Link]]:
    from .links import links_of

    return {rest: links_of(threads.get(rest, {}).values()) for rest in rests}


def _sessions_of(threads: accounting.Group) -> set[str]:
    return {claim.session for claims in threads.values() for claim in claims.values()}


class Unchanged:
    """The transcripts, if they are exactly as the index holds them."""

    __slots__ = ("found", "identity", "version")

    def __init__(self, version: int, identity: tuple[int, int] | None, found: Walk) -> None:
        self.version = version  # of the database, read before the comparison: any commit since then changes it
        self.identity = identity
        self.found = found


def change(store: Store, work: Callable[[], object], wait: float = WAIT) -> None:
    """Do *work* in a transaction that also brings the sums to current prices; *wait* is as in Store.write."""

    def step() -> None:
        work()
        if store.has_outdated_sums():
            from .totals import recount_all

            recount_all(store)

    store.write(step, wait)


def refresh_all(store: Store, found: Walk | None = None) -> Unchanged | None:
    """Bring a complete index up to date; *found* is what was just found below the data directories. Returns the
    transcripts if nothing had to be stored, else None."""
    version, identity = store.data_version(), database_identity(store.folder)
    current = found or walk(store.roots)
    is_unchanged = _is_unchanged(store, current)

    def work() -> None:
        is_outdated = found is not None or store.data_version() != version
        _store_changes(store, changes_of(store, walk(store.roots) if is_outdated else current))

    if not is_unchanged and not changes_of(store, current).is_empty:
        change(store, work)
    elif store.has_outdated_sums():
        change(store, lambda: None)
    elif is_unchanged and store.stored:
        return Unchanged(version, identity, current)
    return None


def refresh_session(store: Store, session: str) -> SessionFiles | None:
    """Bring one session up to date: its files and what is new in its project folders. Returns None if it has none.

    Another session's file that was never read may be missing, which is the only exception to A7.
    """
    version = store.data_version()
    files = SessionFiles(store, session)
    if files.is_empty:
        return None
    changes = files.changes()

    def work() -> None:
        nonlocal files, changes
        if not store.stored or store.data_version() != version:  # another process has written since
            files = SessionFiles(store, session)
            changes = files.changes()
        if changes.gone:  # it may have moved
            gone = {file.id for file in changes.gone}
            all_changes = changes_of(store, walk(store.roots))
            changes.to_read += [
                (transcript, file) for transcript, file in all_changes.to_read if file and file.id in gone
            ]
            changes = all_changes if store.complete else changes
        if store.complete:
            _store_changes(store, changes)
        else:
            _store_claims_only(store, changes)
        files.store_folders()

    if not changes.is_empty or files.has_changed_folders or store.has_outdated_sums():
        change(store, work, WAIT_ONE)
    return files


def _is_unchanged(store: Store, found: Walk) -> bool:
    """Return whether `changes_of` would find no change, without a File for each transcript."""
    columns = "path, device, inode, seen, mtime, ctime"
    known = set(store.db.execute(f"SELECT {columns} FROM files WHERE NOT vanished AND NOT racy").fetchall())
    (count,) = store.db.execute("SELECT count(*) FROM files WHERE NOT vanished").fetchone()
    return len(found.files) == count and all((os.fsencode(f.path), *stamp(f.stat)) in known for f in found.files)


def changes_of(store: Store, found: Walk) -> Changes:
    """Return how the transcripts that were found differ from all that are known."""
    return Changes(found.files, {file.path: file for file in store.files()})


def _store_changes(store: Store, changes: Changes) -> None:
    sum_changes = _SumChanges(store)
    for file in changes.gone:
        store.db.execute("UPDATE files SET vanished = 1 WHERE id = ?", (file.id,))
        store.forget_path(file.id)
        sum_changes.recount_file(file.id)
    readings = _readings(store, changes.to_read)
    for transcript, known, reading in readings:
        if known is not None and (known.vanished or known.path != transcript.path):  # back, or moved: A13
            sum_changes.recount_file(known.id)
        sum_changes.note_beginning(transcript, known, reading)
        number = store.store_file(transcript, known, reading)
        sum_changes.apply(number, reading, new=known is None)
    sum_changes.write()


def _readings(
    store: Store, wanted: list[tuple[Transcript, File | None]]
) -> Iterator[tuple[Transcript, File | None, Reading]]:
    block_reader: BlockReader = read_block
    if sum(transcript.stat.st_size - (file.seen if file else 0) for transcript, file in wanted) > BULK:
        from .workers import bulk_reader

        block_reader = bulk_reader()
    for transcript, file in wanted:
        is_same = file and not file.vanished and (file.session, file.own) == (transcript.session, transcript.own)
        known = file if is_same else None
        try:
            store.reads += 1
            yield transcript, file, read_file(transcript.path, transcript.session, transcript.own, known, block_reader)
        except OSError:
            continue  # unreadable, or deleted since: the next refresh handles it


def _store_claims_only(store: Store, changes: Changes) -> None:
    """Store changes as _store_changes does, but without sums, because the index is incomplete and has none yet."""
    store.revoke_recent()  # it may be left from a damaged index that is being rebuilt
    for transcript, file, reading in list(_readings(store, changes.to_read)):
        number = store.store_file(transcript, file, reading)
        if reading.from_start:
            store.delete_claims([number])
        for claim in reading.claims.values():
            claim.file = number
            thread = store.threads("WHERE group_id = ? AND rest = ? AND file = ?", claim.group, claim.rest, number)
            old = thread.get(claim.rest, {}).get(claim.source())
            best = claim if old is None else merge_claims(old, claim, store.bytes_of)
            store.db.execute(rows.INSERT, store.row_of(best))
