"""The check that the index equals a fresh reading of every transcript (A7)."""

from __future__ import annotations

import os
from contextlib import closing

from ..answer import read as read_answer
from ..answer import session_of
from ..prices.stored import sources
from ..session import MODES
from ..text import count_text
from . import rows, schema
from .first import read_everything
from .questions import session_ids
from .refresh import refresh_all
from .repair import is_damage
from .store import in_memory
from .totals import recount_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .index import Index
    from .store import Store
    from .workers import Progress

    KeyedClaims = Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]  # key, content; in the order of the keys

_ATTEMPTS = 5  # to let both indexes read the same bytes while transcripts grow

# the columns of a file in which a fresh reading must agree; device, inode and times may differ
_FILE = "session, own, seen, offset, head, tail, skipping, bad, began, custom_title, ai_title, summary, client_cost"


def verify(index: Index, progress: Progress | None = None) -> list[str]:
    """Refresh the index, and return every difference between it and a fresh reading of everything.

    Existing transcripts are read again by the standard library's decoder and compared claim by claim; the sums, those
    of archived sessions too, are computed again from the claims in the index.
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
    with closing(in_memory(index.roots, index.table)) as fresh:
        read_everything(fresh, progress, plainly=True)
        with closing(_synchronized(index, fresh)) as indexed:
            growing = _growing(indexed, fresh)
            found = [*_file_differences(indexed, fresh, growing), *_claim_differences(indexed, fresh, growing)]
            return [*found, *_sum_differences(indexed), *_answer_differences(index)]


def _synchronized(index: Index, fresh: Store) -> Store:
    """Return a copy of the index after both have read the same bytes, unless transcripts grow all the time."""
    for _ in range(_ATTEMPTS):
        indexed = in_memory(index.roots, index.table, index.db)
        if not _growing(indexed, fresh):
            return indexed
        indexed.close()
        index.refresh()
        refresh_all(fresh)
    return in_memory(index.roots, index.table, index.db)


def _by_path(store: Store, columns: str) -> dict[bytes, tuple[Any, ...]]:
    """Return *columns* of the transcripts that exist, by path."""
    found = store.db.execute(f"SELECT path, {columns} FROM files WHERE NOT vanished")
    return {path: tuple(values) for path, *values in found.fetchall()}


def _growing(indexed: Store, fresh: Store) -> set[bytes]:
    """Return the paths of transcripts of which the two have read different numbers of bytes."""
    ours, theirs = _by_path(indexed, "seen"), _by_path(fresh, "seen")
    return {path for path in ours.keys() & theirs.keys() if ours[path] != theirs[path]}


def _file_differences(indexed: Store, fresh: Store, growing: set[bytes]) -> Iterator[str]:
    ours, theirs = _by_path(indexed, _FILE), _by_path(fresh, _FILE)
    for path in sorted(ours.keys() | theirs.keys()):
        shown = os.fsdecode(path)
        if path not in ours:
            yield f"{shown}: not in the index"
        elif path not in theirs:
            yield f"{shown}: in the index, but can't be read now"
        elif path not in growing:
            for name, a, b in zip(_FILE.split(", "), ours[path], theirs[path], strict=True):
                if name == "session":
                    a, b = indexed.text_of(a), fresh.text_of(b)
                if a != b:
                    yield f"{shown}: {name} is {_short(a)} in the index, {_short(b)} in a fresh reading"


def _short(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace") if len(value) != 16 else value.hex()
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _claims(store: Store, left_out: set[bytes]) -> KeyedClaims:
    """Yield each claim of an existing transcript, in order: its key, which holds path and session, and its content."""
    columns = ", ".join(f"claims.{name.strip()}" for name in rows.COLUMNS.split(","))
    found = store.db.execute(
        f"SELECT {columns}, path FROM claims JOIN files ON files.id = claims.file WHERE NOT vanished"
        " ORDER BY group_id, rest, path, (SELECT text FROM names WHERE id = claims.session), rank,"
        " (SELECT text FROM names WHERE id = maker)"
    )
    for *row, path in found:
        if path not in left_out:
            claim = store.claim_of(tuple(row))
            content = (claim.side, *claim.content(), claim.flags, claim.main_times, claim.uuids, claim.parents)
            yield (claim.group, claim.rest, path, *claim.source()[1:]), content


def _claim_differences(indexed: Store, fresh: Store, growing: set[bytes]) -> Iterator[str]:
    """Yield how many responses of each transcript differ, and the sessions they belong to."""
    left_out = growing | (_by_path(indexed, "id").keys() ^ _by_path(fresh, "id").keys())
    counts: dict[bytes, list[int]] = {}
    sessions: dict[bytes, set[str]] = {}
    for path, kind, session in _compare(_claims(indexed, left_out), _claims(fresh, left_out)):
        counts.setdefault(path, [0, 0, 0])[kind] += 1
        sessions.setdefault(path, set()).add(session)
    kinds = ("only in the index", "missing in the index", "different from the transcript")
    for path, numbers in sorted(counts.items()):
        parts = [f"{count_text(count, 'response')} {text}" for count, text in zip(numbers, kinds, strict=True) if count]
        names = ", ".join(sorted(sessions[path])[:3])
        yield f"{os.fsdecode(path)}: {', '.join(parts)} (session {names})"


def _compare(ours: KeyedClaims, theirs: KeyedClaims) -> Iterator[tuple[bytes, int, str]]:
    """Yield (path, 0 if only in ours, 1 if only in theirs, 2 if different, session) of two sorted streams."""
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


def _sum_differences(indexed: Store) -> Iterator[str]:
    """Yield the sums that differ from those of the claims beside them; the copy holds new sums afterwards."""
    before = {name: _derived(indexed, name) for name in _KEYS}
    recount_all(indexed)
    for name in _KEYS:
        after = _derived(indexed, name)
        for key in sorted(before[name].keys() | after.keys(), key=repr):
            stored, counted = before[name].get(key), after.get(key)
            if stored != counted:
                yield f"{name} of {' '.join(map(str, key))}: {_short(stored)} in the index, {_short(counted)} recounted"


# For each table that is computed from claims: how many columns form its key, and which hold numbers of names.
_KEYS = {"totals": 2, "sessions": 1, "slots": 3, "holds": 2, "moments": 3, "links": 4}
_NAMES = {"totals": (0, 1), "sessions": (0, 3), "slots": (1, 2), "holds": (0,)}


def _derived(store: Store, name: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return a derived table with names and paths in place of numbers, and integers in place of digits."""
    paths = dict(store.db.execute("SELECT id, path FROM files")) if name == "holds" else {}
    found = {}
    for row in store.db.execute(f"SELECT * FROM {name}").fetchall():
        values = [int(value) if isinstance(value, str) and value.strip("-").isdigit() else value for value in row]
        for place in _NAMES.get(name, ()):
            values[place] = store.text_of(row[place])
        if name == "holds":
            values[1] = os.fsdecode(paths.get(row[1], b"?"))
        found[tuple(values[: _KEYS[name]])] = tuple(values[_KEYS[name] :])
    return found


def _answer_differences(index: Index) -> Iterator[str]:
    """Yield the published answers that a reader would trust but that differ from the index."""
    if not index.stored:
        return
    config = sources(os.environ)
    for session in session_ids(index):
        answer = read_answer(index.folder, session, config)
        if answer is None:
            continue
        for mode in MODES:
            published, known = session_of(answer, mode), index.session(session, mode)
            if known is None or _comparable(published) != _comparable(known):
                if read_answer(index.folder, session, config) is not None:  # not deleted in the meantime
                    yield f"published answer of {session}: differs from the index"
                break


def _comparable(session: Any) -> tuple[Any, ...]:
    models = sorted((m.name, m.input, m.output, m.cache_creation, m.cache_read, m.cost) for m in session.models)
    names = ("first", "last", "project_path", "title", "responses", "incomplete", "client_cost", "archived")
    return (models, *(getattr(session, name) for name in names))
