"""Rows of any periods are the sums of the counted responses, wherever an edge cuts a slot; windows are stored."""

from __future__ import annotations

import json
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trees
from ccusage_line import recent
from ccusage_line.accounting import SLOT
from ccusage_line.index import slots
from ccusage_line.index.forget import forget
from ccusage_line.index.index import Index
from ccusage_line.index.rebuild import rebuild
from ccusage_line.index.verify import verify
from ccusage_line.prices import embedded
from ccusage_line.prices.table import PriceTable
from ccusage_line.session import COST, MODES, RESPONSES
from conftest import Home
from lines import ID, OPUS, OTHER, SONNET, line, usage

NOON = 1_777_636_800_000_000  # 2026-05-01T12:00:00Z


def times(index: Index) -> list[int]:
    return sorted(t for row in index.db.execute("SELECT first, last FROM slots") for t in row)


def slowly(index: Index, starts: list[int], mode: str) -> Iterator[tuple[object, ...]]:
    """Yield period, project, session, model and numbers of each thing that is billed, one by one."""
    place = MODES.index(mode)
    for one in index.sessions():
        for response in index.counted(one.id):
            period = bisect_right(starts, response.claim.timestamp) - 1
            for model, sums in response.parts(index.table):
                if 0 <= period < len(starts) - 1 and any(sums[:RESPONSES]):
                    unpriced = [*sums[8:], 0][place]
                    told = (*sums[:4], sums[COST + place], sums[RESPONSES], int(response.incomplete), unpriced)
                    yield period, one.project_path or "", one.id, model, told, response.claim.timestamp


@settings(max_examples=30)
@given(
    tree=trees.trees(),
    mode=st.sampled_from(MODES),
    picks=st.lists(st.tuples(st.integers(0, 99), st.sampled_from([0, 0, 1, -1, SLOT // 2, 24 * 12 * SLOT]))),
    aligned=st.booleans(),
    by_project=st.booleans(),
)
def test_rows_are_what_the_responses_of_each_period_add_up_to(
    tree: trees.Tree, mode: str, picks: list[tuple[int, int]], aligned: bool, by_project: bool
) -> None:
    with tempfile.TemporaryDirectory(prefix="ccusage-test-") as name:
        trees.write_tree(tree, Path(name, "data"))
        index = Index(str(Path(name, "state")), [str(Path(name, "data", "projects"))])
        index.refresh()
        known = times(index) or [NOON]
        edges = {known[pick % len(known)] + shift for pick, shift in picks} | {known[0], known[-1] + 1}
        starts = sorted({edge // SLOT * SLOT if aligned else edge for edge in edges} | {known[-1] + SLOT})
        expected: dict[tuple[object, object], dict[object, list[tuple[object, ...]]]] = {}
        sessions: dict[tuple[object, object], set[object]] = {}
        for period, project, session, model, numbers, at in slowly(index, starts, mode):
            key = period, project if by_project else None
            expected.setdefault(key, {}).setdefault(model, []).append((numbers, at))
            sessions.setdefault(key, set()).add(session)
        found = slots.by_period(index, starts, mode, by_project=by_project)
        assert {(row.period, row.project): row.sessions for row in found} == {k: len(v) for k, v in sessions.items()}
        for row in found:
            assert {sums.model: tuple(sums[1:]) for sums in row.models} == {
                model: (*map(sum, zip(*(one[0] for one in each), strict=True)), *reach(each))
                for model, each in expected[row.period, row.project].items()
            }
        check_sessions(index, starts[0], starts[-1], mode)
        index.close()


def check_sessions(index: Index, begin: int, end: int, mode: str) -> None:
    """Check that what each session used between two times is the sum of its responses."""
    expected: dict[object, list[tuple[object, ...]]] = {}
    for _, _, session, _, numbers, at in slowly(index, [begin, end], mode):
        expected.setdefault(session, []).append((numbers, at))
    found = slots.by_session(index, begin, end, mode)
    assert found == sorted(found, key=lambda one: (-one.last, one.id))
    for one in found:
        known = index.session(one.id, mode)
        assert (one.title, one.project_path) == (known.title, known.project_path)
        told = expected.pop(one.id)
        *tokens, cost, responses, _, _ = map(sum, zip(*(numbers for numbers, _ in told), strict=True))
        assert (one.first, one.last) == reach(told)
        assert (one.total, one.cost, one.responses) == (sum(tokens), cost, responses)
    assert not expected


def reach(each: list[tuple[object, ...]]) -> tuple[object, object]:
    return min(one[1] for one in each), max(one[1] for one in each)  # type: ignore[type-var]


def summed(index: Index, table: str) -> list[tuple[object, ...]]:
    sums = "session, model, sum(input), sum(output), sum(cache_read), sum(auto), sum(calculate), sum(display)"
    used = "HAVING sum(input + output + cache_creation + cache_read + auto + calculate + display)"
    return index.db.execute(f"SELECT {sums} FROM {table} GROUP BY 1, 2 {used}").fetchall()


def test_the_sums_of_all_slots_are_the_totals_whatever_is_done_to_the_index(home: Home) -> None:
    for seed in range(3):
        trees.write_tree(trees.seeded_tree(seed), home.data)
    gone = home.write(f"-home-me-proj/{ID}.jsonl", line())
    index = home.opened()
    index.refresh()
    costs = [summed(index, "totals")]
    index.close()
    gone.unlink()
    home.write(f"-home-me-proj/{OTHER}.jsonl", line("b", "b", OTHER))
    dear = PriceTable({}, embedded.CURRENT, {}, own={OPUS: (10**9, 0, 0, 0, 0, None, None, 1000, 1000, None)})
    for work in (rebuild, lambda index: forget(index, session=ID), lambda index: None):
        index = home.opened(dear)
        index.refresh()
        work(index)
        costs.append(summed(index, "totals"))
        assert summed(index, "slots") == costs[-1] != []
        assert verify(index) == []
        index.close()
    assert costs[0] != costs[1] != costs[2] == costs[3]


@pytest.mark.parametrize("dollars", [5e6, 3e7])  # together, or one alone, more than 64 bits of 1e-12 dollars
def test_sums_that_sqlite_can_not_hold_are_exact(home: Home, dollars: float) -> None:
    home.write(f"-home-me-proj/{ID}.jsonl", "".join(line(f"m{n}", f"r{n}", costUSD=dollars) for n in range(2)))
    later = line("x", "x", OTHER, at="2026-05-01T11:00:00Z", costUSD=dollars)
    home.write(f"-home-me-proj/{OTHER}.jsonl", later)
    index = home.opened()
    index.refresh()
    for starts in ([0, 2 * NOON], [0, NOON - 3600_000_000, 2 * NOON], [NOON - 7200_000_000 + 1, 2 * NOON]):
        rows = slots.by_period(index, starts, "auto")
        responses = 3 if starts[0] == 0 else 1
        assert sum(sums.cost for row in rows for sums in row.models) == responses * int(dollars) * 10**12
    assert verify(index) == []


def test_a_response_without_usage_is_in_no_slot_and_opens_no_block(home: Home) -> None:
    nothing = line("m0", "r0", tokens=usage(0, 0), at="2026-05-01T03:00:00Z")
    home.write(f"-home-me-proj/{ID}.jsonl", nothing + line("m1", "r1") + line("m2", "r2", tokens=usage(0, 0)))
    index = home.opened()
    index.refresh()
    assert index.db.execute("SELECT first, last FROM slots").fetchall() == [(NOON - 7200_000_000, NOON - 7200_000_000)]
    assert [bounds[:2] for bounds in slots.blocks(index)] == [(NOON - 7200_000_000, NOON + 3 * 3600_000_000)]
    (row,) = slots.by_period(index, [0, 2 * NOON], "auto")
    assert [sums.responses for sums in row.models] == [1]


def test_a_line_that_wins_late_moves_the_ends_of_its_slot(home: Home) -> None:
    """Of two subagents at once, the first response of a slot gets its last line after a later one was counted."""
    early = line("z", "z", at="2026-05-01T09:00:00Z")  # keeps the session from being counted anew
    path = home.write(f"-home-me-proj/{ID}.jsonl", early + line("a", "a", at="2026-05-01T10:00:01Z", stop=None))
    other = line("b", "b", at="2026-05-01T10:00:02Z") + line("s", "s", at="2026-05-01T10:00:02Z", model=SONNET)
    home.write(f"-home-me-proj/{ID}/subagents/agent-b.jsonl", other)
    index = home.opened()
    index.refresh()
    with path.open("a") as file:
        file.write(line("a", "a", at="2026-05-01T10:00:03Z", tokens=usage(10, 999)))
    index.refresh()
    ten = NOON - 7200_000_000
    assert sorted(index.db.execute("SELECT responses, first, last FROM slots").fetchall()) == [
        (1, ten - 3600_000_000, ten - 3600_000_000),
        (1, ten + 2_000_000, ten + 2_000_000),
        (2, ten + 2_000_000, ten + 3_000_000),
    ]
    assert verify(index) == []


@pytest.mark.parametrize("outputs", [(200, 300), (300, 200)])  # of two files, whichever is read first
def test_a_response_that_changes_twice_in_one_refresh_is_in_its_slot_once(home: Home, outputs: tuple[int, int]) -> None:
    early = line("z", "z", at="2026-05-01T09:00:00Z")  # keeps the session from being counted anew
    path = home.write(f"-home-me-proj/{ID}.jsonl", early + line("a", "a", at="2026-05-01T10:00:01Z", stop=None))
    index = home.opened()
    index.refresh()
    with path.open("a") as file:
        file.write(line("a", "a", at="2026-05-01T10:00:02Z", tokens=usage(10, outputs[0]), stop=None))
    copy = line("a", "a", at="2026-05-01T10:00:03Z", tokens=usage(10, outputs[1]), stop=None)
    home.write(f"-home-me-proj/{ID}/subagents/agent-b.jsonl", copy)
    index.refresh()
    rows = index.db.execute("SELECT output, responses, last - first FROM slots").fetchall()
    assert rows == [(100, 1, 0), (300, 1, 0)]
    assert verify(index) == []


# --- windows -----------------------------------------------------------------------------------------------------


def test_reported_windows_are_stored_for_good(home: Home) -> None:
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    index = home.opened()
    index.refresh()
    end = NOON + 600_000_000
    first, second = {(5, end): (12.0, NOON)}, {(5, end): (30.5, NOON + 1), (168, end): (None, NOON)}
    recent.write_windows(index.folder, {}, first)
    index.refresh()
    recent.write_windows(index.folder, {}, second)
    index.refresh()
    recent.forget_windows(index.folder)
    index.refresh()
    (window,) = slots.known_windows(index)
    assert (window.start, window.end, window.used, window.seen) == (end - 5 * 3600_000_000, end, 30.5, NOON + 1)
    assert [week.end for week in slots.known_windows(index, slots.WEEK)] == [end]
    ((start, after, known),) = slots.blocks(index)
    assert (start, after, known and known.used) == (window.start, window.end, 30.5)


def test_a_clock_that_ran_ahead_does_not_drop_the_windows_of_today(tmp_path: Path) -> None:
    later = NOON + 40 * 86_400_000_000
    for told in ({(5, later): (1.0, later - 1)}, {(5, NOON): (12.0, NOON - 1)}):
        recent.write_windows(str(tmp_path), recent.read_windows(str(tmp_path)), told)
    assert (5, NOON) in recent.read_windows(str(tmp_path))


def statusline(home: Home, session: str, *, resets_at: int | None = None) -> str:
    """Return how much of the block is left, for a session whose client reports its limits or does not yet."""
    limits = {"five_hour": {"used_percentage": 23.5, "resets_at": resets_at}} if resets_at else {}
    given = json.dumps({"session_id": session, "rate_limits": limits, "cost": {"total_cost_usd": 1}})
    return home.run("statusline", "--no-color", "--format", "{session_cost} {block_left}", input=given).out.strip()


def test_a_session_without_limits_gets_the_window_of_another_session(home: Home) -> None:
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    home.write(f"-home-me-proj/{OTHER}.jsonl", line("b", "b", OTHER))
    assert home.run("session").code == 0
    assert "2h" not in statusline(home, OTHER)
    end = int(time.time()) // 600 * 600 + 9_000
    assert "2h" in statusline(home, ID, resets_at=end)
    assert "2h" in statusline(home, OTHER)
    (path,) = home.state.glob("*/windows")
    before = path.stat()
    statusline(home, ID, resets_at=end)
    assert path.stat().st_ino == before.st_ino  # nothing is new, so nothing is written
    assert home.run("session").code == 0  # stores it
    assert "5-hour windows since" in home.run("doctor").out
    path.with_name("windows.77").write_bytes(path.read_bytes())  # left by a killed process
    assert home.run("index", "forget", "--windows").out == "forgot 1 window\n"
    assert list(path.parent.glob("windows*")) == []
    assert "2h" not in statusline(home, OTHER)
    assert "5-hour windows since" not in home.run("doctor").out


def test_windows_of_a_damaged_index_are_carried_over(home: Home) -> None:
    home.write(f"-home-me-proj/{ID}.jsonl", line())
    index = home.opened()
    index.refresh()
    recent.write_windows(index.folder, {}, {(5, NOON): (12.0, NOON - 1)})
    index.refresh()
    recent.forget_windows(index.folder)
    index.db.execute("DROP TABLE totals")
    index.close()
    assert "the index was damaged" in home.run("session").err
    index = home.opened()
    assert [(window.end, window.used) for window in slots.known_windows(index)] == [(NOON, 12.0)]
