"""A7 and A13: after any order, cuts, moves and questions in between, the index equals one fresh reading."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fresh
import trees
from ccusage_line import accounting
from ccusage_line.index import rows, workers
from ccusage_line.index.index import Index
from ccusage_line.index.rebuild import rebuild
from ccusage_line.index.verify import verify
from ccusage_line.transcripts.files import walk
from compare import assert_same, find_price
from lines import ID, OTHER, append, line, record, usage


@contextmanager
def over(files: trees.Tree) -> Iterator[tuple[Index, Path]]:
    """Return an index that has read nothing yet of a tree, and the tree's data directory."""
    with folder() as base:
        trees.write_tree(files, base / "data")
        index = Index(str(base / "state"), [str(base / "data" / "projects")])
        yield index, base / "data"
        index.close()


@contextmanager
def folder() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="ccusage-test-"))
    try:
        yield base
    finally:
        shutil.rmtree(base)


def live(steps: list[trees.Step], base: Path, anew: bool) -> None:
    """Replay a history beside an index; with *anew*, every question is asked by another process."""
    root = base / "data"
    root.mkdir()
    history = trees.History()
    index = Index(str(base / "state"), [str(root / "projects")])
    for step in steps:
        history.apply(step, root)
        if isinstance(step, trees.Refresh):
            index.refresh()
            expected = history.expected(find_price)
            assert_same(index, expected.sessions, expected.archived)
            assert verify(index) == []
        elif isinstance(step, trees.Ask):
            index.refresh_session(step.session)
            index.session(step.session)
            assert own_transcripts(step.session, history, root / "projects") <= {
                file.path for file in index.files("WHERE NOT vanished")
            }
        if anew:
            index.close()
            index = Index(str(base / "state"), [str(root / "projects")])
    assert index.stored
    index.close()


def own_transcripts(session: str, history: trees.History, projects: Path) -> set[str]:
    """Return the existing transcripts of a session, in whatever project."""
    paths = [f"{session}.jsonl", *(f"{project}/{session}.jsonl" for project in trees.PROJECTS)]
    return {str(projects / path) for path in paths if path in history.live}


@settings(max_examples=30)
@given(steps=trees.histories(), anew=st.booleans())
def test_whatever_happens_to_the_files_the_index_is_one_fresh_reading(steps: list[trees.Step], anew: bool) -> None:
    with folder() as base:
        live(steps, base, anew)


HISTORIES = int(os.environ.get("CCUSAGE_HISTORIES", "60"))  # number of seeds


@pytest.mark.parametrize("first", range(0, HISTORIES, 20))
def test_seeded_histories_end_in_one_fresh_reading(first: int) -> None:
    for seed in range(first, first + 20):
        with folder() as base:
            live(trees.seeded_history(seed), base, anew=seed % 3 == 0)


@pytest.mark.parametrize("large", [2, 5])
def test_groups_that_become_large_and_small_again_change_no_history(
    large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "LARGE", large)
    for seed in range(300, 306):
        with folder() as base:
            live(trees.seeded_history(seed), base, anew=seed % 3 == 0)


@settings(max_examples=30)
@given(tree=trees.trees())
def test_a_first_index_is_one_fresh_reading(tree: trees.Tree) -> None:
    with over(tree) as (index, data):
        index.refresh()
        assert_same(index, fresh.read([data], find_price))


def test_a_first_index_by_several_processes_in_small_batches_is_one_fresh_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "PARALLEL", 0)
    monkeypatch.setattr(workers, "BATCH", 2)
    for seed in range(12):
        with over(trees.seeded_tree(seed, 10)) as (index, data):
            index.refresh()
            assert_same(index, fresh.read([data], find_price))
            assert verify(index) == []  # checks days and blocks too
            assert "claims_of_session" in plan(index)


@pytest.mark.parametrize("killed", [False, True])
def test_a_first_index_that_is_overtaken_by_a_rebuild_leaves_it_whole(
    monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    monkeypatch.setattr(workers, "PARALLEL", 0)  # like a large index, but in one process
    monkeypatch.setattr(workers, "_cores", lambda: 1)
    monkeypatch.setattr(workers, "BATCH", 2)
    with folder() as base:
        project = base / "data" / "projects" / "-home-ann-web"
        project.mkdir(parents=True)
        transcripts = [project / f"s{number}.jsonl" for number in range(9)]
        for path in transcripts:
            path.write_text(line(path.stem, session=path.stem))
        index = Index(str(base / "state"), [str(base / "data" / "projects")])
        calls = 0

        def overtake(done: int, size: int) -> None:
            nonlocal calls
            calls += 1
            if calls == 3:  # one that was read and is to be stored
                for path in transcripts:
                    append(path, line(f"{path.stem}-more", session=path.stem))
                other = Index(index.folder, index.roots)
                rebuild(other)
                other.close()
            if calls == 5 and killed:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            index.refresh(overtake)
        assert calls >= 3
        for counted in ("sum(responses) FROM totals", "count(*) FROM moments", "count(*) FROM claims"):
            assert index.db.execute(f"SELECT {counted}").fetchone() == (2 * len(transcripts),)
        assert verify(index) == []
        assert "claims_of_session" in plan(index)
        assert_same(index, fresh.read([base / "data"], find_price))
        index.close()


@pytest.mark.parametrize(("call", "times"), [("fork", 0), ("fork", 1), ("pipe", 0), ("pipe", 1), ("pipe", 2)])
def test_a_first_index_is_complete_if_the_system_refuses_processes(
    monkeypatch: pytest.MonkeyPatch, call: str, times: int
) -> None:
    monkeypatch.setattr(workers, "PARALLEL", 0)
    monkeypatch.setattr(workers, "_cores", lambda: 3)
    really, done = getattr(os, call), 0

    def refused() -> object:
        nonlocal done
        if done == times:
            raise OSError("no more of them")
        done += 1
        return really()

    with over(trees.seeded_tree(3, 10)) as (index, data):
        descriptors = len(os.listdir("/dev/fd"))
        monkeypatch.setattr(os, call, refused)
        index.refresh()
        monkeypatch.undo()
        assert done == times
        assert len(os.listdir("/dev/fd")) == descriptors
        assert_same(index, fresh.read([data], find_price))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("_MAX_TASKS", 2, id="more-files-than-tasks"),
        pytest.param("_send", lambda pipe, data: os.kill(os.getpid(), signal.SIGKILL), id="a-worker-that-dies"),
    ],
)
def test_a_first_index_loses_nothing_with_many_files_or_a_dying_worker(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    assert workers._MAX_TASKS * workers._NUMBER_SIZE <= 4096  # what the smallest pipe accepts at once
    monkeypatch.setattr(workers, "PARALLEL", 0)
    with over(trees.seeded_tree(3, 10)) as (index, data):
        monkeypatch.setattr(workers, name, value)
        index.refresh()
        assert_same(index, fresh.read([data], find_price))


def test_twenty_thousand_lines_under_one_message_id_are_counted_quickly() -> None:
    def bare(input: int, uuid: str, **more: str) -> str:
        return line(request=None, tokens=usage(input), uuid=uuid, **more)

    lines = [bare(place // 2, f"u{place}") for place in range(20_000)]
    chain = [bare(50_000 + place, f"c{place}", parentUuid=f"c{place - 1}") for place in range(99)]
    with over({f"p/{ID}.jsonl": "".join([*lines, *reversed(chain)]).encode()}) as (index, _):
        index.refresh()
        assert [one.responses for one in index.sessions()] == [10_001]


@pytest.mark.parametrize("cost", [1e300, -1e300, 9.3e6, -9.3e6])
def test_costs_beyond_64_bits_are_exact(cost: float) -> None:
    with over({"p/dear.jsonl": line(costUSD=cost).encode()}) as (index, data):
        for _ in range(2):
            index.refresh()
            assert_same(index, fresh.read([data], find_price))
            append(data / "projects" / "p" / "dear.jsonl", line("m2", costUSD=cost))
        assert verify(index) == []


def test_a_first_index_killed_at_any_moment_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PARALLEL", 0)
    monkeypatch.setattr(workers, "BATCH", 3)
    chance = random.Random(9)
    killed = 0
    for seed in range(12):
        with folder() as base:
            trees.write_tree(trees.seeded_tree(seed, 20), base / "data")
            roots = [str(base / "data" / "projects")]
            for _ in range(3):
                child = os.fork()
                if child == 0:
                    try:
                        Index(str(base / "state"), roots).refresh()
                    finally:
                        os._exit(0)
                time.sleep(chance.uniform(0, 0.05))
                os.kill(child, signal.SIGKILL)
                killed += os.waitpid(child, 0)[1] == signal.SIGKILL
            index = Index(str(base / "state"), roots)
            index.refresh()
            assert index.stored
            assert verify(index) == []
            assert "claims_of_session" in plan(index)
            assert_same(index, fresh.read([base / "data"], find_price))
            assert index.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            index.close()
    assert killed


def plan(index: Index) -> str:
    """Return SQLite's plan for finding the claims of a session."""
    return str(index.db.execute("EXPLAIN QUERY PLAN SELECT * FROM claims WHERE session = 1").fetchall())


@pytest.mark.parametrize("seed", [0, 1, 3, 5, 6, 7])
@pytest.mark.parametrize("finish", [Index.refresh, rebuild])
def test_a_first_index_that_was_interrupted_goes_on(
    monkeypatch: pytest.MonkeyPatch, seed: int, finish: Callable[[Index], None]
) -> None:
    monkeypatch.setattr(workers, "PARALLEL", 0)  # like a large index, but in one process
    monkeypatch.setattr(workers, "_cores", lambda: 1)
    monkeypatch.setattr(workers, "BATCH", 1)
    with folder() as base:
        trees.write_tree(trees.seeded_tree(seed, 12), base / "data")
        roots = [str(base / "data" / "projects")]

        def stop(done: int, size: int) -> None:
            if index.db.execute("SELECT 1 FROM claims LIMIT 1").fetchone():
                raise KeyboardInterrupt

        index = Index(str(base / "state"), roots)
        with pytest.raises(KeyboardInterrupt):
            index.refresh(stop)
        assert not index.complete
        kept = index.db.execute("SELECT path FROM files JOIN claims ON file = id LIMIT 1").fetchone()
        index.close()
        assert kept  # the batches before the interruption
        Path(os.fsdecode(kept[0])).write_text("{}\n")  # so that what was stored of it must be withdrawn
        index = Index(str(base / "state"), roots)
        finish(index)
        assert_same(index, fresh.read([base / "data"], find_price))
        assert verify(index) == []
        assert "claims_of_session" in plan(index)
        index.close()


@pytest.mark.parametrize("seed", range(4))
def test_what_other_processes_count_during_a_first_index_is_in_its_sums(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(workers, "BATCH", 1)
    with folder() as base:
        trees.write_tree(trees.seeded_tree(seed, 10), base / "data")
        roots = [str(base / "data" / "projects")]
        late = base / "data" / "projects" / "-home-ann-web" / "late.jsonl"
        late.parent.mkdir(exist_ok=True)
        late.write_text(line(session="late"))
        index = Index(str(base / "state"), roots)
        stored = 0

        def meddle(done: int, size: int) -> None:
            """Let the session grow between two batches, and ask for it."""
            nonlocal stored
            if index.db.execute("SELECT count(*) FROM claims").fetchone()[0] == stored:
                return
            stored += 1
            append(late, line(f"more{stored}", session="late"))
            other = Index(str(base / "state"), roots)
            other.refresh_session("late")
            other.close()

        index.refresh(meddle)
        index.refresh()
        assert stored
        assert_same(index, fresh.read([base / "data"], find_price))
        assert verify(index) == []
        index.close()


def test_a_file_that_another_process_found_after_our_walk_is_not_archived() -> None:
    with folder() as base:
        root = base / "data" / "projects" / "-home-ann-web"
        root.mkdir(parents=True)
        roots = [str(root.parent)]
        (root / "a.jsonl").write_text(line(session="a"))
        index = Index(str(base / "state"), roots)
        index.refresh()
        found = walk(roots)
        (root / "b.jsonl").write_text(line("m2", session="b"))
        other = Index(str(base / "state"), roots)
        other.refresh()
        other.close()
        index.refresh(found=found)
        assert {one.id: one.archived for one in index.sessions()} == {"a": False, "b": False}
        index.close()


@pytest.mark.parametrize("messages", [("a1", "a2"), ("a2", "a1")])  # one of these orders counts the copy last
def test_a_recount_knows_the_lines_of_a_file_that_holds_copies_too(messages: tuple[str, str]) -> None:
    another = record("b1", session=OTHER)  # without it the whole file would be added up at once
    another["message"] |= {"pausedResponses": [{"usage": usage()}]}
    lines = line(messages[0]) + line(messages[1], forkedFrom={"sessionId": ID}) + json.dumps(another) + "\n"
    with over({f"p/{ID}.jsonl": lines.encode()}) as (index, _):
        index.refresh()
        assert index.db.execute("SELECT counted FROM holds").fetchall() == [(accounting.LINE,)] * 2
        assert verify(index) == []  # counts anew


def test_days_and_blocks_are_right_if_tied_lines_can_no_longer_be_read() -> None:
    tied = [line(request="r1", cwd="/a", tokens=usage(9)), line(request="r2", cwd="/b", tokens=usage(1))]
    with over({f"p/{ID}.jsonl": "".join(tied).encode()}) as (index, data):  # one uuid, so one response
        index.refresh()
        path = data / "projects" / "p" / f"{ID}.jsonl"
        path.unlink()
        index.refresh()
        assert verify(index) == []
        path.write_text("".join(tied))
        index.refresh()
        assert verify(index) == []


@pytest.mark.parametrize("first", ["a", "z"])
def test_the_first_folder_names_the_project_of_equal_lines_without_a_cwd(first: str) -> None:
    copied = line(cwd=None).encode()
    second = {"a": "z", "z": "a"}[first]
    with over({f"{first}/{ID}.jsonl": copied}) as (index, data):
        index.refresh()
        trees.write_tree({f"{second}/{ID}/subagents/agent-x.jsonl": copied}, data)
        index.refresh()
        assert [session.project_path for session in index.sessions()] == ["a"]
        assert verify(index) == []


CORPORA = ("client", "client-2.1.240", "client-2.1.332", "reported", "public")


@pytest.mark.parametrize("name", CORPORA)
def test_the_corpora_in_random_cuts_and_orders_are_one_fresh_reading(corpus: Path, name: str) -> None:
    sources = sorted(path for path in (corpus / name).iterdir() if path.is_dir())
    assert sources
    dice = random.Random(7)
    for source in sources:
        expected = fresh.read([source], find_price)
        for _ in range(1 if name in ("client", "public") else 4):
            in_pieces(dice, source, expected)


def in_pieces(dice: random.Random, source: Path, expected: fresh.Reading) -> None:
    """Let the transcripts of *source* grow, with questions in between; the index must have *expected* at the end."""
    files = {path.relative_to(source): path.read_bytes() for path in (source / "projects").rglob("*.jsonl")}
    ids = [path.stem for path in files]
    with folder() as base:
        root = base / "data"
        index = Index(str(base / "state"), [str(root / "projects")])
        for path, piece in shuffled_pieces(dice, files):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("ab") as file:
                file.write(piece)
            if dice.random() < 0.3:
                index.refresh()
            elif dice.random() < 0.5:
                wanted = dice.choice(ids)
                index.refresh_session(wanted)
                index.session(wanted)
            if dice.random() < 0.2:
                index.close()
                index = Index(str(base / "state"), [str(root / "projects")])
        index.refresh()
        assert_same(index, expected)
        assert index.db.execute("SELECT sum(bad) FROM files").fetchone() == (expected.bad_lines,)
        index.close()


def shuffled_pieces(dice: random.Random, files: dict[Path, bytes]) -> list[tuple[Path, bytes]]:
    """Cut all files at random bytes; the pieces of one file are in order, those of different files in any order."""
    waiting = {}
    for path, data in files.items():
        cuts = sorted(dice.sample(range(len(data) + 1), min(3, len(data) + 1)))
        waiting[path] = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    pieces = []
    while waiting:
        path = dice.choice(list(waiting))
        pieces.append((path, waiting[path].pop(0)))
        if not waiting[path]:
            del waiting[path]
    return pieces
