"""An index that is watched: recently used sessions are looked at each time, everything else now and then."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from ccusage_line.index import watch as module
from ccusage_line.index.slots import known_windows
from ccusage_line.index.watch import LATELY, Watch
from ccusage_line.recent import write_windows
from ccusage_line.windows import HOUR
from conftest import Home, run_after
from lines import ID, OPUS, OTHER, append, line

HOUR_AGO = time.time() - LATELY / 1_000_000 - 60


@pytest.fixture
def files(home: Home) -> tuple[Path, Path]:
    """Return the transcript of a session in use, and that of one that was not used recently."""
    new, old = home.write(f"a/{ID}.jsonl", line()), home.write(f"b/{OTHER}.jsonl", line("o1", "ro", OTHER))
    os.utime(old, (HOUR_AGO, HOUR_AGO))
    os.utime(new, (time.time() - 5, time.time() - 5))
    return new, old


@pytest.fixture
def watch(home: Home, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Watch:
    for name in ("HOME", "XDG_CONFIG_HOME", "CCUSAGE_STATE_DIR"):  # these say where prices are
        monkeypatch.setenv(name, home.env[name])

    home.opened().refresh()
    found = Watch(home.opened)
    found.poll()
    return found


def responses(watch: Watch) -> int:
    return sum(session.responses for session in watch.index.sessions())


def test_a_look_checks_stats_of_recently_used_files_and_opens_nothing(
    watch: Watch, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    while watch.poll():
        pass
    looked: list[str] = []
    stat = os.stat

    def noting(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        looked.append(str(path))
        return stat(path, *rest, **more)

    monkeypatch.setattr(os, "stat", noting)
    reads = watch.index.reads
    assert not watch.poll()
    assert watch.index.reads == reads
    new, old = files
    assert str(new) in looked
    assert not {str(old), str(old.parent)} & {*looked}


def test_what_is_appended_to_a_session_in_use_is_there_after_a_look(watch: Watch, files: tuple[Path, Path]) -> None:
    append(files[0], line("m2", "r2"))
    assert watch.poll()
    assert responses(watch) == 3


def test_a_new_session_beside_one_in_use_is_there_after_a_look(watch: Watch, files: tuple[Path, Path]) -> None:
    (files[0].parent / "third.jsonl").write_text(line("m3", "r3", "third"))
    assert watch.poll()
    assert responses(watch) == 3


def test_other_transcripts_are_checked_when_a_sweep_is_due(watch: Watch, files: tuple[Path, Path]) -> None:
    append(files[1], line("o2", "ro2", OTHER))
    watch.poll()
    assert responses(watch) == 2
    watch.sweep_soon()
    assert watch.poll()
    assert responses(watch) == 3


def test_changes_that_another_process_stores_are_seen(home: Home, watch: Watch, files: tuple[Path, Path]) -> None:
    append(files[1], line("o2", "ro2", OTHER))
    assert home.run("index", "refresh").code == 0
    assert watch.poll()
    assert responses(watch) == 3


def test_while_another_process_sweeps_this_one_does_not(
    watch: Watch, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    append(files[1], line("o2", "ro2", OTHER))
    monkeypatch.setattr(module, "lock", lambda path: None)
    watch.sweep_soon()
    watch.poll()
    assert responses(watch) == 2


def cost(watch: Watch) -> int:
    return sum(session.cost for session in watch.index.sessions())


def test_new_prices_count_from_the_next_look_on(home: Home, watch: Watch) -> None:
    before = cost(watch)
    config = home.configure(f'[prices.models."{OPUS}"]\ninput = 1000\noutput = 1000\n')
    assert watch.poll()
    assert cost(watch) > before
    config.write_text("[prices.models\n")  # while it is written
    dear = cost(watch)
    watch.poll()
    assert cost(watch) == dear
    config.unlink()
    assert watch.poll()
    assert cost(watch) == before


def test_costs_for_another_config_file_are_made_anew_only_once(home: Home, watch: Watch) -> None:
    ours = cost(watch)
    other = home.path / "other.toml"
    other.write_text(f'[prices.models."{OPUS}"]\ninput = 1000\noutput = 1000\n')
    assert home.run("--config", str(other), "index", "refresh").code == 0
    theirs = cost(watch)
    assert watch.poll()
    assert ours == cost(watch) < theirs
    assert home.run("--config", str(other), "index", "refresh").code == 0
    watch.poll()
    assert cost(watch) == theirs


def test_the_index_of_a_newer_version_is_shown_and_left_alone_until_that_version_is_installed(
    home: Home, watch: Watch, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(module, "spawn", lambda *words: asked.append(words))
    append(files[0], line("m2", "r2"))
    newer = "from ccusage_line.index import store\nstore.RULES += 1"
    assert run_after(home, newer, "index", "refresh").code == 0
    made_with = watch.index.meta("prices")
    assert watch.poll()
    assert responses(watch) == 3
    append(files[0], line("m3", "r3"))
    watch.sweep_soon()
    watch.poll()
    assert watch.index.meta("prices") == made_with
    assert responses(watch) == 3
    assert asked == []
    monkeypatch.setattr(module, "_CODE_STAT", None)  # in place of ours
    watch.poll()
    watch.poll()
    assert asked == [("index", "sweep")]


def test_windows_from_the_statusline_are_known(watch: Watch) -> None:
    while watch.poll():
        pass
    end = (time.time_ns() // 1000 // HOUR + 2) * HOUR
    write_windows(watch.index.folder, {}, {(5, end): (42.0, end - 3 * HOUR)})
    assert watch.poll()
    assert [window.used for window in known_windows(watch.index)] == [42.0]
