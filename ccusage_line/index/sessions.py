"""One session in the index: its responses, made from claims, and its sums, stored or counted. The lean lanes import
this module. Rules of docs/accounting.md."""

from __future__ import annotations

from .. import accounting
from ..session import COST, FIRST, INPUT, LAST, MODES, OUTPUT, RESPONSES, Session
from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..files import Dependency
    from .store import Store

    SlotKey = tuple[int, int, int]  # the number of a slot, and those of the names of a session and a model

FACTS = "custom_title, ai_title, summary, client_cost FROM files"
BY_PATH = "vanished DESC, path"  # the last row wins, so existing files come after vanished ones


def moments(store: Store, responses: Iterable[accounting.Response]) -> Iterator[rows.Row]:
    """Yield the moments of counted responses; those that used nothing have none."""
    for response in responses:
        parts = [sums for _, sums in response.parts(store.table)]
        numbers = parts[0] if len(parts) == 1 else [sum(column) for column in zip(*parts, strict=True)]
        if accounting.is_activity(numbers):
            yield rows.moment(*response.order, (*numbers[COST:RESPONSES], numbers[INPUT] + numbers[OUTPUT]))


def slot_parts(store: Store, response: accounting.Response) -> Iterator[tuple[SlotKey, list[int]]]:
    """Yield each slot that a response belongs to, with what it adds to the sums."""
    time, session = response.claim.timestamp, store.number_of(response.session)
    for model, sums in response.parts(store.table):
        if accounting.is_activity(sums):
            key = time // accounting.SLOT, session, store.number_of(model)
            yield key, [*sums, response.incomplete * sums[RESPONSES], time, time]


def _slots_of(store: Store, responses: Iterable[accounting.Response]) -> accounting.Slots:
    slots: accounting.Slots = {}
    for response in responses:
        for key, numbers in slot_parts(store, response):
            accounting.add_numbers(slots, key, numbers)
    return slots


def replace_slots(store: Store, session: str, counted: Iterable[accounting.Response]) -> None:
    """Write all slots of a session anew. Call this before its sums are stored, because the old ones bound its slots."""
    number = store.number_of(session)
    row = store.db.execute("SELECT first, last FROM sessions WHERE session = ?", (number,)).fetchone()
    if row is not None:
        bounds = [time // accounting.SLOT for time in row]
        store.db.execute("DELETE FROM slots WHERE slot BETWEEN ? AND ? AND session = ?", (*bounds, number))
    rows.insert_all(store.db, rows.INSERT_SLOT, [rows.slot(*each) for each in _slots_of(store, counted).items()])


def responses_between(store: Store, begin: int, end: int) -> Iterator[accounting.Response]:
    """Yield the responses in [begin, end) that used something."""
    keys = store.db.execute("SELECT group_id, rest FROM moments WHERE timestamp >= ? AND timestamp < ?", (begin, end))
    for group, rest in keys.fetchall():
        threads, _ = store.related_threads(group, {rest}, ())
        response = store.responses(threads).get(rest)
        if response is not None:
            yield response


class SlotChanges:
    """What a refresh subtracts from slots and adds to them, until it is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gone: dict[SlotKey, list[list[int]]] = {}
        self._new: dict[SlotKey, list[list[int]]] = {}

    def subtract(self, response: accounting.Response) -> None:
        for key, numbers in slot_parts(self._store, response):
            added = self._new.get(key, [])
            if numbers in added:  # a response may change twice in one refresh
                added.remove(numbers)
            else:
                self._gone.setdefault(key, []).append(numbers)

    def add(self, response: accounting.Response) -> None:
        for key, numbers in slot_parts(self._store, response):
            self._new.setdefault(key, []).append(numbers)

    def store(self, left_out: set[str]) -> None:
        """Write the slots that changed, except those of sessions that are counted anew."""
        sessions = {self._store.known_number(session) for session in left_out}
        for key in self._gone.keys() | self._new.keys():
            if key[1] not in sessions:
                self._change(key, self._gone.get(key, []), self._new.get(key, []))

    def _change(self, key: SlotKey, gone: list[list[int]], new: list[list[int]]) -> None:
        db, where = self._store.db, "WHERE slot = ? AND session = ? AND model = ?"
        row = db.execute(f"SELECT {rows.SLOT_COLUMNS} FROM slots {where}", key).fetchone()
        known = [int(number) for number in row or [0] * (LAST + 1)]
        if known[RESPONSES] < sum(each[RESPONSES] for each in gone):
            return  # a migrated index has no slots until all sums are computed, later in this transaction
        numbers = known[:FIRST]
        for each in new:
            numbers = list(map(int.__add__, numbers, each))
        for each in gone:
            numbers = list(map(int.__sub__, numbers, each))
        if numbers[RESPONSES]:
            db.execute(rows.INSERT_SLOT, rows.slot(key, numbers + self._bounds(key, known, gone, new)))
        else:
            db.execute(f"DELETE FROM slots {where}", key)

    def _bounds(self, key: SlotKey, known: list[int], gone: list[list[int]], new: list[list[int]]) -> list[int]:
        """Return the times of the first and the last response of a slot."""
        times = [each[FIRST] for each in new]
        gone_times = {each[FIRST] for each in gone}.difference(times)
        if known[RESPONSES] > sum(each[RESPONSES] for each in gone):
            times += known[FIRST:]
        bounds = [min(times), max(times)]
        if gone_times.isdisjoint(bounds):
            return bounds
        begin, end = key[0] * accounting.SLOT, (key[0] + 1) * accounting.SLOT
        slots = _slots_of(self._store, responses_between(self._store, begin, end))
        return slots.get(key, bounds)[-2:]  # the first or the last one was removed, and others are left


def responses_of(store: Store, session: str) -> list[accounting.Response]:
    groups = store.db.execute("SELECT DISTINCT group_id FROM claims WHERE session = ?", (store.known_number(session),))
    return [response for response in _responses(store, groups.fetchall()) if response.session == session]


def _responses(store: Store, groups: Iterable[tuple[int]]) -> Iterator[accounting.Response]:
    for (group,) in groups:
        yield from store.responses(store.threads("WHERE group_id = ?", group)).values()


def responses_in(store: Store, file: int, kind: int = accounting.LINE) -> list[accounting.Response]:
    """Return the responses that a file holds lines of or, with accounting.COPY, those that it holds copies of, as a
    fork does. This reads all claims while the index is incomplete."""
    of_holder = "session IN (SELECT session FROM holds WHERE file = :file) AND " if store.complete else ""
    groups = store.db.execute(f"SELECT DISTINCT group_id FROM claims WHERE {of_holder}file = :file", {"file": file})
    return [response for response in _responses(store, groups.fetchall()) if (file, kind) in response.holders()]


def _own_files(store: Store, number: int | None) -> list[int]:
    found = store.db.execute("SELECT id FROM files WHERE session = ? AND own", (number,))
    return [file for (file,) in found.fetchall()]


def _shown_responses(store: Store, session: str) -> list[accounting.Response]:
    """Return the responses that a session shows: its own or, if it has none, those that the transcript named after it
    holds lines of. Some clients resume into a new file whose lines carry the old id."""
    own = responses_of(store, session)
    if own:
        return own
    files = _own_files(store, store.known_number(session))
    responses = (response for file in files for response in responses_in(store, file))
    return list({(response.claim.group, response.key): response for response in responses}.values())


def _shown_sums(store: Store, session: str) -> accounting.Sums:
    """Return the sums of the responses that a session shows."""
    number = store.known_number(session)
    if store.complete and (store.owns_responses(number) or not _holds_others(store, number)):
        return load_sums(store, session)
    return add_up(store, _shown_responses(store, session))


def _holds_others(store: Store, number: int | None) -> bool:
    """Return whether the transcript named after a session holds lines of other sessions' responses."""
    found = store.db.execute(
        "SELECT 1 FROM files JOIN holds ON holds.file = files.id WHERE files.session = ? AND own AND counted = ?",
        (number, accounting.LINE),
    )
    return found.fetchone() is not None


def add_up(store: Store, responses: Iterable[accounting.Response]) -> accounting.Sums:
    sums = accounting.Sums()
    for response in responses:
        sums.add(response, store.table, store.project_of(response.claim))
    return sums


def load_sums(store: Store, session: str) -> accounting.Sums:
    """Return the stored sums of a session, to which more can be added."""
    sums = accounting.Sums()
    number = store.known_number(session)
    row = store.db.execute(
        "SELECT first, last, project, responses, incomplete FROM sessions WHERE session = ?", (number,)
    ).fetchone()
    if row is not None:
        sums.first, sums.last, project, sums.responses, sums.incomplete = row
        sums.project = store.text_of(project)
        sums.models = {store.text_of(model): numbers for model, numbers in _totals(store, number)}
    return sums


def _totals(store: Store, session: int | None) -> Iterator[tuple[int, list[int]]]:
    found = store.db.execute(
        "SELECT model, input, output, cache_creation, cache_read, auto, calculate, display, responses,"
        " unpriced_auto, unpriced_calculate FROM totals WHERE session = ?",
        (session,),
    )
    for model, *numbers in found.fetchall():
        yield model, [int(number) for number in numbers]


def store_sums(store: Store, session: str, sums: accounting.Sums) -> None:
    number = store.number_of(session)
    store.db.execute("DELETE FROM totals WHERE session = ?", (number,))
    if not sums.responses:
        store.db.execute("DELETE FROM sessions WHERE session = ?", (number,))
        return
    store.db.execute(
        "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
        (number, sums.first, sums.last, store.number_of(sums.project), sums.responses, sums.incomplete),
    )
    store.db.executemany(
        "INSERT INTO totals VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            (number, store.number_of(model), *(rows.storable(n) for n in numbers))
            for model, numbers in sums.models.items()
            if numbers[RESPONSES]
        ],
    )


def one_session(store: Store, session: str, mode: str, entries: bool) -> Session | None:
    """Return one session, or None if neither a transcript nor a response names it."""
    number = store.known_number(session)
    if number is None:
        return None
    sums = _shown_sums(store, session)
    facts = facts_of(store, number)
    if not sums.responses and facts is None:
        file = store.db.execute("SELECT 1 FROM files WHERE session = ?", (number,)).fetchone()
        if file is None:
            return None
    found = make_session(session, sums, facts or (None, None), mode)
    found.archived = _is_archived(store, number)
    if entries:
        found.entries = accounting.entries(_shown_responses(store, session), store.table, MODES.index(mode))
    return found


def model_rows(store: Store, session: str) -> list[tuple[Any, ...]]:
    """Return (name, *sums) for each model of a session; `session` names the indexes of the sums."""
    sums = _shown_sums(store, session)
    return [(name, *numbers) for name, numbers in sums.models.items() if numbers[RESPONSES]]


def dependencies(store: Store, session: str, folders: list[str]) -> list[Dependency] | None:
    """Return the files and *folders* that an answer about a session depends on, each with its stat when it was read.
    Returns None if a later change might not show, or if the answer shows other sessions' responses."""
    number = store.known_number(session)
    if not store.owns_responses(number) and _holds_others(store, number):
        return None
    files = store.files_of(session)
    folder_stats = [(path, store.folder_stat(path)) for path in folders]
    if any(file.racy for file in files) or any(stat is None for _, stat in folder_stats):
        return None
    return [*((file.path, None if file.vanished else file.stamp()) for file in files), *folder_stats]


def make_session(session: str, sums: accounting.Sums, facts: tuple[str | None, float | None], mode: str) -> Session:
    models, project, (title, cost) = sums.usage(MODES.index(mode)), sums.project or None, facts
    return Session(session, models, sums.first, sums.last, project, title, sums.responses, sums.incomplete, cost)


def facts_of(store: Store, number: int) -> tuple[str | None, float | None] | None:
    """Return (title, the client's own total) from a session's own transcripts, or None if there are none."""
    found = store.db.execute(f"SELECT session, {FACTS} WHERE own AND session = ? ORDER BY {BY_PATH}", (number,))
    return facts_by_session(found.fetchall()).get(number)


def _is_archived(store: Store, number: int) -> bool:
    """Return whether all lines of a session are in vanished files (A13)."""
    holders = f"SELECT file FROM {'holds WHERE counted AND' if store.complete else 'claims WHERE'} session = ?"
    files = store.db.execute(f"SELECT vanished FROM files WHERE id IN ({holders})", (number,)).fetchall()
    files = files or store.db.execute("SELECT vanished FROM files WHERE session = ? AND own", (number,)).fetchall()
    return bool(files) and all(vanished for (vanished,) in files)


def parents(store: Store, session: str) -> set[str]:
    """Return the sessions of whose responses a session's own transcript holds copies."""
    number = store.known_number(session)
    if store.complete:
        found = store.db.execute(
            "SELECT holds.session FROM files JOIN holds ON holds.file = files.id"
            " WHERE files.session = ? AND own AND holds.session != ? AND counted = ?",
            (number, number, accounting.COPY),
        )
        return {store.text_of(parent) for (parent,) in found.fetchall()}
    copied = (each for file in _own_files(store, number) for each in responses_in(store, file, accounting.COPY))
    return {response.session for response in copied} - {session}


def last_context(store: Store, session: str) -> tuple[int, str] | None:
    """Return (prompt tokens, model) of the last main-chain response in a session's transcript that names a model.

    If a response has iterations, the prompt of the last one counts. A copy in a fork is as good as the original.
    """
    number = store.known_number(session)
    row = store.db.execute(
        "SELECT input + cache_creation + cache_read, bill, text FROM claims JOIN names ON names.id = model"
        " WHERE NOT side AND text != x'' AND (session = ?"
        " OR (file IN (SELECT id FROM files WHERE session = ? AND own)"
        " AND session IN (SELECT holds.session FROM holds JOIN files ON files.id = file"
        " WHERE files.session = ? AND own)))"
        " ORDER BY timestamp DESC, output DESC, group_id, rest LIMIT 1",
        (number, number, number),
    ).fetchone()
    if row is None:
        return None
    prompt, bill, model = row
    context = rows.unpack_bill(bill)[2] if bill else None
    return prompt if context is None else context, model.decode("utf-8", "surrogatepass")


def facts_by_session(facts_in_order: Iterable[tuple[Any, ...]]) -> dict[int, tuple[str | None, float | None]]:
    """Return (title, client cost) by session. The last value wins; of titles: custom, AI, then summary (section 2)."""
    last: dict[int, list[Any]] = {}
    for session, *facts in facts_in_order:
        known = last.get(session, [None] * 4)
        last[session] = [old if new is None else new for old, new in zip(known, facts, strict=True)]
    found = {}
    for session, (custom, ai, summary, cost) in last.items():
        title = custom or ai or summary
        found[session] = (title.decode("utf-8", "surrogatepass") if title else None, cost)
    return found
