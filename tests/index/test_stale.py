"""Never an old answer: whatever happened to the files since the last answer, the next one equals a fresh reading."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import MAIN, Home, run_after, start
from lines import ID, OTHER, append, line
from shells import until

OWN = f"-home-me-proj/{ID}.jsonl"
AGENT = f"-home-me-proj/{ID}/subagents/agent-a1.jsonl"
DEEP = f"-home-me-proj/{ID}/subagents/workflows/run_1/agent-b2.jsonl"


def begun(path: Path) -> Home:
    home = Home(path)
    home.write(OWN, line() + line("m2", "r2"))
    home.write(AGENT, line("m3", "r3", isSidechain=True))
    home.write(f"-home-me-proj/{OTHER}.jsonl", line("n1", "q1", OTHER))
    home.run("session", "--json")
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home with a published answer."""
    home = begun(tmp_path / "home")
    home.settle()
    assert output(home) == 300
    assert answers(home)
    return home


def answers(home: Home) -> list[Path]:
    return list(home.state.glob("*/answers/*"))


def output(home: Home, session: str = ID, **env: str) -> int:
    ran = home.run("session", "--id", session, "--jq", ".outputTokens", **env)
    assert ran.code == 0, ran.err
    return int(ran.out)


def appended(home: Home) -> int:
    append(home.projects / OWN, line("m9", "r9"))
    return 400


def appended_to_a_subagent(home: Home) -> int:
    append(home.projects / AGENT, line("m9", "r9", isSidechain=True))
    return 400


def replaced_with_equal_size(home: Home) -> int:
    path = home.projects / OWN
    text = path.read_text().replace('"output_tokens":100', '"output_tokens":900')
    beside = path.with_suffix(".tmp")
    beside.write_text(text)
    beside.replace(path)
    return 1900


def rewritten_in_place_with_its_old_times(home: Home) -> int:
    path = home.projects / OWN
    stat = path.stat()
    text = path.read_text().replace('"output_tokens":100', '"output_tokens":900')
    with path.open("r+") as file:
        file.write(text)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return 1900


def touched(home: Home) -> int:
    os.utime(home.projects / OWN)
    return 300


def cut(home: Home) -> int:
    os.truncate(home.projects / OWN, len(line()))
    return 200


def a_new_subagent(home: Home) -> int:
    home.write(f"-home-me-proj/{ID}/subagents/agent-c3.jsonl", line("m9", "r9", isSidechain=True))
    return 400


def a_new_nested_folder(home: Home) -> int:
    home.write(DEEP, line("m9", "r9", isSidechain=True))
    return 400


def an_unfinished_line_that_is_whole(home: Home) -> int:
    append(home.projects / OWN, line("m9", "r9").rstrip())
    return 400


def half_a_line(home: Home) -> int:
    append(home.projects / OWN, line("m9", "r9")[:120])
    return 300


def a_subagent_deleted(home: Home) -> int:
    (home.projects / AGENT).unlink()
    return 300  # A13: what was counted stays counted


def moved_to_another_project(home: Home) -> int:
    target = home.projects / "-home-me-moved" / f"{ID}.jsonl"
    target.parent.mkdir()
    shutil.copyfile(home.projects / OWN, target)
    append(target, line("m9", "r9"))
    (home.projects / OWN).unlink()
    return 400


def a_final_line_for_a_counted_response(home: Home) -> int:
    record = json.loads(line("m2", "r2", at="2026-05-01T10:00:05.000Z"))
    record["message"]["usage"]["output_tokens"] = 250
    append(home.projects / OWN, json.dumps(record) + "\n")
    return 450


CHANGES: list[Callable[[Home], int]] = [
    appended,
    appended_to_a_subagent,
    replaced_with_equal_size,
    rewritten_in_place_with_its_old_times,
    touched,
    cut,
    a_new_subagent,
    a_new_nested_folder,
    an_unfinished_line_that_is_whole,
    half_a_line,
    a_subagent_deleted,
    moved_to_another_project,
    a_final_line_for_a_counted_response,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_next_answer_after_a_change_is_right(home: Home, change: Callable[[Home], int]) -> None:
    expected = change(home)
    assert output(home) == expected
    assert output(home) == expected
    ran = home.run("session", "--jq", f'.sessions[] | select(.sessionId == "{ID}") | .outputTokens')
    assert int(ran.out) == expected


@pytest.mark.parametrize(
    "name", [OWN, f"-home-me-new/{ID}.jsonl", f"-home-me-new/{ID}/chat.jsonl", f"-home-me-known/{ID}.jsonl"]
)
def test_a_transcript_that_comes_back_after_it_was_missed_is_read_at_once(home: Home, name: str) -> None:
    shutil.rmtree(home.projects / OWN.removesuffix(".jsonl"))
    away = (home.projects / OWN).rename(home.path / "away")
    home.write("-home-me-known/other.jsonl", line("o1", "o1", "other"))
    home.run("session", "--json")
    home.settle()
    archived = ("session", "--id", ID, "--jq", ".archived")
    for _ in range(2):
        assert home.run(*archived).out == "true\n"
    assert len(answers(home)) == 1
    home.write(name, away.read_text() + line("m9", "r9"))
    assert output(home) == 400
    assert home.run(*archived).out == "false\n"


def test_a_session_that_goes_on_in_another_project_is_whole_after_its_next_response(home: Home) -> None:
    appended(home)
    home.write(f"-home-me-new/{ID}.jsonl", line("m10", "r10"))
    assert output(home) == 500


def test_changes_within_one_clock_tick_show(tmp_path: Path) -> None:
    home = Home(tmp_path)
    path = home.write(OWN, line())
    for number in range(8):
        text = line().replace('"output_tokens":100', f'"output_tokens":{100 + number}')
        with path.open("r+") as file:
            file.write(text)
        assert output(home) == 100 + number


def test_an_answer_is_not_published_while_its_files_are_young(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.write(OWN, line())
    assert output(home) == 100
    assert answers(home) == []


def test_another_mode_zone_or_set_of_data_directories_is_another_answer(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.write(OWN, line("x", "x"))
    assert output(home, CLAUDE_CONFIG_DIR=str(other.data)) == 100
    assert output(home, CLAUDE_CONFIG_DIR=f"{home.data},{other.data}") == 400
    assert output(home) == 300


def test_new_prices_are_in_every_answer_at_once(home: Home) -> None:
    cost = ("session", "--id", ID, "--jq", ".totalCost")
    before = float(home.run(*cost).out)
    home.run("statusline", input=f'{{"session_id":"{ID}"}}')
    config = home.configure('[prices.models."claude-opus-4-5-20251101"]\ninput = 50\noutput = 250\n')
    assert float(home.run(*cost).out) == pytest.approx(before * 10)
    listed = home.run("session", "--jq", f'.sessions[] | select(.sessionId == "{ID}") | .totalCost')
    assert float(listed.out) == pytest.approx(before * 10)
    line = home.run("statusline", input=f'{{"session_id":"{ID}"}}').out
    assert f"${before * 10:.2f} session" in line
    config.unlink()
    assert float(home.run(*cost).out) == before
    config.parent.rmdir()


def test_another_config_file_by_the_environment_is_another_answer(home: Home) -> None:
    cost = ("session", "--id", ID, "--jq", ".totalCost")
    before = float(home.run(*cost).out)
    other = home.path / "other.toml"
    other.write_text('[prices.models."claude-opus-4-5-20251101"]\ninput = 50\noutput = 250\n')
    assert float(home.run(*cost, CCUSAGE_CONFIG=str(other)).out) == pytest.approx(before * 10)
    assert float(home.run(*cost).out) == before


def test_an_answer_of_another_version_is_not_read(home: Home) -> None:
    newer = "import ccusage_line; ccusage_line.__version__ = '99'"
    assert run_after(home, newer, "session", "--id", ID, "--jq", ".outputTokens").out == "300\n"


@pytest.mark.parametrize("damage", ["torn", "empty", "foreign", "another body"])
def test_a_damaged_answer_is_read_again_from_the_index(home: Home, damage: str) -> None:
    path = answers(home)[0]
    data = path.read_bytes()
    path.write_bytes(
        {"torn": data[:-7], "empty": b"", "foreign": b"\x00" * 500, "another body": data[:-3] + b"xyz"}[damage]
    )
    assert output(home) == 300


def test_a_clock_set_back_publishes_nothing_that_could_be_stale(home: Home) -> None:
    path = home.projects / OWN
    future = time.time_ns() + 3_600_000_000_000
    os.utime(path, ns=(future, future))
    assert output(home) == 300
    appended(home)
    os.utime(path, ns=(future, future))
    assert output(home) == 400


def test_another_file_that_changes_a_session_withdraws_its_answer(home: Home) -> None:
    home.write("-home-me-proj/foreign.jsonl", line("m8", "r8", "fork", requestSessionId=ID))
    home.run("session", "--json")
    assert output(home) == 400


def test_a_title_in_another_project_withdraws_the_published_answer(home: Home) -> None:
    told = {"type": "custom-title", "customTitle": "renamed", "sessionId": ID}
    home.write(f"-home-me-other/{ID}.jsonl", json.dumps(told) + "\n")
    home.run("session", "--json")
    assert home.run("session", "--id", ID, "--jq", ".title").out == "renamed\n"
    assert home.run("index", "verify").code == 0


def test_new_rules_withdraw_sums_and_published_answers(home: Home) -> None:
    rules = """
        import ccusage_line
        ccusage_line.RULES += 1
        from ccusage_line import accounting
        old = accounting.charge
        accounting.charge = lambda *a, **k: (old(*a, **k)[0], [2 * number for number in old(*a, **k)[1]])
    """
    asked = ("session", "--id", ID, "--jq", ".outputTokens")
    assert answers(home)
    assert output(home) == 300
    assert run_after(home, rules, *asked).out == "600\n"
    assert run_after(home, rules, *asked).out == "600\n"
    assert output(home) == 300


def test_a_process_killed_between_commit_and_publishing_leaves_no_old_answer(home: Home) -> None:
    appended(home)
    patch = "RefreshedSession.publish = lambda self: os.kill(os.getpid(), 9)"
    code = f"import os\nfrom ccusage_line.index.index import RefreshedSession\n{patch}"
    assert run_after(home, code, "session", "--id", ID, "--json").code == -9
    assert answers(home) == []
    assert output(home) == 400


def test_a_slow_refresher_does_not_overwrite_a_newer_answer(home: Home) -> None:
    """One process reads, a second one appends and counts, then the first one goes on: the files are right."""
    code = (
        "import os, time\nfrom ccusage_line.index import index\nold = index.RefreshedSession.publish\n"
        "def publish(self):\n    open(os.environ['HOME'] + '/ready', 'w').close()\n"
        "    while not os.path.exists(os.environ['HOME'] + '/go'): time.sleep(0.01)\n    old(self)\n"
        "index.RefreshedSession.publish = publish"
    )
    for path in answers(home):
        path.unlink()
    with start(home, sys.executable, "-c", f"{code}\n{MAIN}", "session", "--id", ID, "--json") as slow:
        until((home.path / "ready").exists, "the process is about to publish")
        appended(home)
        assert output(home) == 400
        (home.path / "go").touch()
        assert slow.wait(30) == 0
    assert output(home) == 400
