"""The usage of all sessions by day, week, month or block, and the client's windows: for reports.

Money is an integer of 1e-12 dollars, time an integer of microseconds since the epoch, UTC.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from .. import windows
from ..accounting import SLOT, add_numbers
from ..session import COST, FIRST, INCOMPLETE, MODES, RESPONSES, UNPRICED, ModelUsage, Session
from ..windows import Window, first_from
from . import schema
from .sessions import facts_of, responses_between, slot_parts
from .store import WAIT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import Any

    from ..windows import Bounds, Windows
    from .store import Store

WEEK = 168  # hours of the plan's longer window
_SUMMED = ("input", "output", "cache_creation", "cache_read")
_FROM = "FROM period CROSS JOIN slots ON slot BETWEEN low AND high AND first >= start AND last < after"
_UNPRICED = ("unpriced_auto", "unpriced_calculate", "0")  # in the order of MODES


class Sums(NamedTuple):
    """The sums of one row's responses that name the same model."""

    model: str  # as the responses name it; "" if they name none
    input: int
    output: int
    cache_creation: int
    cache_read: int
    cost: int  # in the mode that was asked for
    responses: int
    incomplete: int
    unpriced: int  # responses whose model has no price
    first: int
    last: int


class Row(NamedTuple):
    """The usage in one period, of all sessions or of those of one project."""

    period: int  # its index among those asked for
    project: str | None  # None if the row is for all projects, "" for sessions without a project
    sessions: int  # how many; 0 if they are not counted
    models: list[Sums]  # sorted by name


def by_period(
    store: Store,
    starts: Sequence[int],
    mode: str,
    *,
    by_project: bool = False,
    count_sessions: bool = True,
    of: Collection[str] | None = None,
) -> list[Row]:
    """Return the usage in each period between two of the sorted edges *starts*, sorted by period and project.

    Periods without usage have no row. Without *count_sessions* it takes half of the time. *of* selects sessions by id.
    """
    return store.snapshot(lambda: _by_period(store, starts, MODES.index(mode), by_project, count_sessions, of))


def _by_period(
    store: Store, starts: Sequence[int], mode: int, by_project: bool, count_sessions: bool, of: Collection[str] | None
) -> list[Row]:
    projects: dict[int, str] = {}
    if by_project:  # else SQLite sums over sessions, which takes a third of the time
        for session, number in store.db.execute("SELECT session, project FROM sessions").fetchall():
            projects[session] = store.text_of(number)
    rows: dict[tuple[int, str | None], dict[int, list[int]]] = {}
    sessions: dict[tuple[int, str | None], set[int]] = {}
    selected = None if of is None else {store.known_number(id) for id in of}
    per_session = by_project or of is not None
    whole, pairs = _whole_slots(store, starts, mode, per_session, count_sessions and not per_session)
    for period, session in pairs:
        sessions.setdefault((period, None), set()).add(session)
    for period, session, model, *numbers in (*whole, *_cut_slots(store, starts, mode)):
        if selected is not None and session not in selected:
            continue
        key = period, projects.get(session)
        add_numbers(rows.setdefault(key, {}), model, numbers)
        if session is not None:
            sessions.setdefault(key, set()).add(session)
    found = []
    for key in sorted(rows, key=lambda key: (key[0], key[1] or "")):
        models = sorted(Sums(store.text_of(model), *numbers) for model, numbers in rows[key].items())
        found.append(Row(*key, len(sessions.get(key, ())), models))
    return found


def by_session(store: Store, begin: int, end: int, mode: str) -> list[Session]:
    """Return what each session used in [begin, end), as a Session of that alone, the newest response first."""
    return store.snapshot(lambda: _by_session(store, (begin, end), MODES.index(mode)))


def _by_session(store: Store, bounds: tuple[int, int], mode: int) -> list[Session]:
    models_of: dict[int, dict[int, list[int]]] = {}  # session -> model -> numbers of Sums
    whole, _ = _whole_slots(store, bounds, mode, per_session=True, with_pairs=False)
    for _, session, model, *numbers in (*whole, *_cut_slots(store, bounds, mode)):
        add_numbers(models_of.setdefault(session, {}), model, numbers)
    found = []
    for session, models in models_of.items():
        row = store.db.execute("SELECT project FROM sessions WHERE session = ?", (session,)).fetchone()
        project = (store.text_of(row[0]) if row else "") or None
        title, _ = facts_of(store, session) or (None, None)
        by_model = [Sums(store.text_of(model), *numbers) for model, numbers in models.items()]
        usage = [ModelUsage(*sums[:7], sums.unpriced) for sums in by_model]
        first, last = min(sums.first for sums in by_model), max(sums.last for sums in by_model)
        responses = sum(sums.responses for sums in by_model)
        incomplete = sum(sums.incomplete for sums in by_model)
        found.append(Session(store.text_of(session), usage, first, last, project, title, responses, incomplete))
    return sorted(found, key=lambda session: (-(session.last or 0), session.id))


def is_in_path(path: str, wanted: str) -> bool:
    """Return whether *wanted* is a part of a project's path, ignoring case. If it is an absolute path that ends in
    `/.`, return whether the project is that folder or lies below it."""
    if os.path.isabs(wanted) and os.path.basename(wanted) == ".":
        return os.path.normcase(os.path.join(path, "")).startswith(os.path.normcase(wanted[:-1]))
    return wanted.lower() in path.lower()


def is_of_project(path: str, wanted: str) -> bool:
    """Return whether *wanted* is a part of a project's path, or of the name of its folder below `projects/`."""
    folder = "".join(char if char.isascii() and char.isalnum() else "-" for char in path)
    return is_in_path(path, wanted) or is_in_path(folder, wanted)


def _whole_slots(
    store: Store, starts: Sequence[int], mode: int, per_session: bool, with_pairs: bool
) -> tuple[list[Any], list[tuple[int, int]]]:
    """Return (period, session, model, *numbers of Sums) of the slots that no edge cuts, and each (period, session) if
    *with_pairs*. Unless *per_session*, the rows have None for the session."""
    db = store.db
    bounds = enumerate(pairwise(starts))
    periods = [(number, start, end, start // SLOT, (end - 1) // SLOT) for number, (start, end) in bounds]
    db.execute("CREATE TEMP TABLE period (number INTEGER PRIMARY KEY, start, after, low, high)")
    try:
        db.executemany("INSERT INTO period VALUES (?, ?, ?, ?, ?)", periods)
        pairs = db.execute(f"SELECT DISTINCT number, session {_FROM}").fetchall() if with_pairs else []
        try:
            found = db.execute(_query(mode, "session" if per_session else "NULL")).fetchall()
            if not any(float in map(type, row) for row in found):
                return found, pairs
        except schema.OperationalError as error:
            if "overflow" not in str(error):
                raise
        return [tuple(map(int, row)) for row in db.execute(_query(mode, None))], pairs  # too large for SQLite
    finally:
        db.execute("DROP TABLE period")


def _query(mode: int, session: str | None) -> str:
    """Return the query that sums the slots of each period, by *session* or NULL; with None it sums nothing."""
    summed = (*_SUMMED, MODES[mode], "responses", "incomplete", _UNPRICED[mode])
    if session is None:
        return f"SELECT number, session, model, {', '.join(summed)}, first, last {_FROM}"
    columns = ", ".join(f"sum({name})" for name in summed)
    return f"SELECT number, {session}, model, {columns}, min(first), max(last) {_FROM} GROUP BY 1, 2, 3"


def _cut_slots(store: Store, starts: Sequence[int], mode: int) -> Iterator[list[int]]:
    """Yield rows as `_whole_slots` returns them, one for each response in a slot that an edge cuts."""
    for slot in sorted({edge // SLOT for edge in starts if edge % SLOT}):
        edges = [edge for edge in starts if edge // SLOT == slot]
        found = store.db.execute("SELECT session, model, first, last FROM slots WHERE slot = ?", (slot,)).fetchall()
        cut = {row[:2] for row in found if any(row[2] < edge <= row[3] for edge in edges)}
        for response in responses_between(store, slot * SLOT, (slot + 1) * SLOT) if cut else ():
            period = bisect_right(starts, response.claim.timestamp) - 1
            for (_, session, model), numbers in slot_parts(store, response):
                if (session, model) in cut and 0 <= period < len(starts) - 1:
                    unpriced = numbers[UNPRICED + mode] if mode < 2 else 0
                    summed = [*numbers[:COST], numbers[COST + mode], numbers[RESPONSES], numbers[INCOMPLETE], unpriced]
                    yield [period, session, model, *summed, *numbers[FIRST:]]


def blocks(store: Store, length: int = windows.WINDOW) -> list[Bounds]:
    """Return all blocks that hold responses, in order: known windows, and blocks of *length* elsewhere."""
    return store.snapshot(lambda: list(windows.chain(first_from(store.db), known_windows(store), length)))


def known_windows(store: Store, hours: int = 5) -> list[Window]:
    """Return the windows of so many hours that the client reported, in order. It does not report the start of a week:
    that is taken as seven days before the end."""
    return windows.known_windows(_stored_windows(store), hours)


def _stored_windows(store: Store) -> Windows:
    found = store.db.execute("SELECT hours, end, used, seen FROM windows")
    return {(hours, end): (used, seen) for hours, end, used, seen in found.fetchall()}


def store_windows(store: Store, reported: Windows) -> None:
    """Store for good what the client reported about windows."""

    def work() -> None:
        rows = [(*window, *use) for window, use in windows.merge_windows(_stored_windows(store), reported).items()]
        store.db.executemany("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?)", rows)

    stored = _stored_windows(store)
    if windows.merge_windows(stored, reported) != stored:
        store.write(work, WAIT)
