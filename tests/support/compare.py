"""Compare what the index returns with a fresh reading."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ccusage_line.accounting import SLOT
from ccusage_line.prices import in_use
from ccusage_line.prices import table as prices
from ccusage_line.session import MODES, UNNAMED_MODEL, Session

if TYPE_CHECKING:
    import fresh
    from ccusage_line.index.index import Index


def find_price(model: str) -> prices.Price | None:
    return in_use.table().find(model)


FACTS = ("first", "last", "title", "client_cost", "responses", "incomplete")


def as_shown(session: Session) -> dict[str, object]:
    """Return the facts of a session from the index that a fresh reading knows too."""
    models = {
        m.name: (m.input, m.output, m.cache_creation, m.cache_read, m.cost, m.responses, m.unpriced)
        for m in session.models
    }
    return {"models": models, **{name: getattr(session, name) for name in FACTS}}


def as_read(session: fresh.FreshSession, mode: str) -> dict[str, object]:
    """Return the same facts of a session from a fresh reading."""
    models = {name: (*m.tokens, m.cost[mode], m.responses, m.unpriced[mode]) for name, m in session.models.items()}
    return {"models": models, **{name: getattr(session, name) for name in FACTS}}


def assert_by_file(
    index: Index, alone: Session, mode: str, expected: fresh.FreshSession, sessions: dict[str, fresh.FreshSession]
) -> None:
    """Check that a session that owns no response shows the responses that its own transcript holds lines of."""
    paths = [os.fsdecode(path) for (path,) in index.db.execute("SELECT path FROM files")]
    own = [path for path in paths if path.endswith((f"/{alone.id}.jsonl", f"/{alone.id}/chat.jsonl"))]
    if len(own) != 1 or not own[0].endswith(f"/{alone.id}.jsonl") or getattr(sessions, "undecided", ()):
        return  # fresh adds up files of one name, and calls every chat.jsonl `chat`
    held = getattr(sessions, "by_file", {}).get(alone.id, expected)
    assert (as_shown(alone)["models"], alone.responses) == (as_read(held, mode)["models"], held.responses)


def assert_slots(index: Index, sessions: dict[str, fresh.FreshSession]) -> None:
    """Check that the index's slots are the sums of a fresh reading's entries by five minutes, session and model."""
    expected: dict[tuple[int, str, str], list[int]] = {}
    for name, one in sessions.items():
        for e in one.entries if name not in getattr(sessions, "undecided", ()) else ():
            if any((*e[2:6], *e.cost)):
                known = expected.setdefault((e.timestamp // SLOT, name, e.model), [0] * 8 + [e.timestamp] * 2)
                sums = map(int.__add__, known[:8], (*e[2:6], *e.cost, 1))
                known[:] = [*sums, min(known[8], e.timestamp), max(known[9], e.timestamp)]
    names = {number: text.decode("utf-8", "surrogatepass") for number, text in index.db.execute("SELECT * FROM names")}
    found = {
        (slot, names[session], names[model]): list(map(int, numbers))
        for slot, session, model, *numbers in index.db.execute(
            "SELECT slot, session, model, input, output, cache_creation, cache_read, auto, calculate, display,"
            " responses, first, last FROM slots"
        )
        if names[session] not in getattr(sessions, "undecided", ())
    }
    assert found == expected


def assert_same(index: Index, sessions: dict[str, fresh.FreshSession], archived: set[str] | None = None) -> None:
    """Check that the list, and every session by itself in each mode, is what a fresh reading found."""
    assert_slots(index, sessions)
    counted = {name: one for name, one in sessions.items() if one.responses}
    for mode in MODES:
        listed = {one.id: one for one in index.sessions(mode)}
        assert listed.keys() == counted.keys()
        for name, expected in sessions.items():
            alone = index.session(name, mode, entries=True)
            assert alone is not None, name
            if name in getattr(sessions, "undecided", ()):
                continue
            if not expected.responses:
                assert_by_file(index, alone, mode, expected, sessions)
                continue
            assert as_shown(alone) == as_read(expected, mode)
            if name in listed:
                assert as_shown(listed[name]) == as_shown(alone)
                assert (listed[name].archived, listed[name].project_path) == (alone.archived, alone.project_path)
                if not any(file.startswith("\0") for file in expected.files):  # a file that is gone has no bytes left
                    assert (alone.project_path or None) in {path or None for path in expected.project_paths}
            if archived is not None and expected.responses:
                assert alone.archived == (name in archived), name
            assert sorted(
                (e.timestamp, e.model, e.input, e.output, e.cache_creation, e.cache_read, e.cost) for e in alone.entries
            ) == sorted(
                (e.timestamp, e.model or UNNAMED_MODEL, *e[2:6], e.cost[MODES.index(mode)]) for e in expected.entries
            )
