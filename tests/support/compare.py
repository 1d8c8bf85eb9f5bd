"""Holds what the index says against a fresh reading."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ccusage_line.prices import in_use
from ccusage_line.prices import table as prices
from ccusage_line.session import MODES, UNNAMED_MODEL, Session

if TYPE_CHECKING:
    import fresh
    from ccusage_line.index.index import Index


def find_price(model: str) -> prices.Price | None:
    return in_use.table().find(model)


def as_shown(session: Session, mode: str) -> dict[str, object]:
    """What both sides can be compared by, as the index tells it."""
    return {
        "models": {
            m.name: (m.input, m.output, m.cache_creation, m.cache_read, m.cost, m.responses, m.unpriced)
            for m in session.models
        },
        "first": session.first,
        "last": session.last,
        "title": session.title,
        "client_cost": session.client_cost,
        "responses": session.responses,
        "incomplete": session.incomplete,
    }


def as_read(session: fresh.FreshSession, mode: str) -> dict[str, object]:
    """The same of a fresh reading."""
    return {
        "models": {
            name: (*m.tokens, m.cost[mode], m.responses, m.unpriced[mode]) for name, m in session.models.items()
        },
        "first": session.first,
        "last": session.last,
        "title": session.title,
        "client_cost": session.client_cost,
        "responses": session.responses,
        "incomplete": session.incomplete,
    }


def assert_by_file(
    index: Index, alone: Session, mode: str, expected: fresh.FreshSession, sessions: dict[str, fresh.FreshSession]
) -> None:
    """A session that owns no response shows those that its own transcript holds lines of."""
    names = [os.path.basename(os.fsdecode(path)) for (path,) in index.db.execute("SELECT path FROM files")]
    if names.count(f"{alone.id}.jsonl") != 1 or getattr(sessions, "undecided", ()):
        return  # of several transcripts with one name fresh tells the sum
    held = getattr(sessions, "by_file", {}).get(alone.id, expected)
    assert (as_shown(alone, mode)["models"], alone.responses) == (as_read(held, mode)["models"], held.responses)


def assert_same(index: Index, sessions: dict[str, fresh.FreshSession], archived: set[str] | None = None) -> None:
    """The list, and every session by itself in each mode, as a fresh reading has it."""
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
            assert as_shown(alone, mode) == as_read(expected, mode)
            if name in listed:
                assert as_shown(listed[name], mode) == as_shown(alone, mode)
                assert (listed[name].archived, listed[name].project_path) == (alone.archived, alone.project_path)
                if not any(file.startswith("\0") for file in expected.files):  # what is gone has no bytes to compare
                    assert (alone.project_path or None) in {path or None for path in expected.project_paths}
            if archived is not None and expected.responses:
                assert alone.archived == (name in archived), name
            assert alone.entries is not None
            assert sorted(
                (e.timestamp, e.model, e.input, e.output, e.cache_creation, e.cache_read, e.cost) for e in alone.entries
            ) == sorted(
                (e.timestamp, e.model or UNNAMED_MODEL, *e[2:6], e.cost[MODES.index(mode)]) for e in expected.entries
            )
