"""Nothing that others write makes a question slow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import fuzz
from attack import run_timed, strace
from ccusage_line import answer
from ccusage_line.prices.refresh import MAX_MODELS, Refused, parse
from conftest import MAIN, UNHURRIED, Home, run_after, start
from lines import ID, line

OWN = f"-home-me-proj/{ID}.jsonl"
BOUND = 20.0  # seconds, with room for a crowded machine
THREE_SECONDS = (sys.executable, "-c", f"{UNHURRIED.replace('60', '3')}\n{MAIN}")  # then a line comes in any case


def test_links_to_itself_in_a_sessions_own_folder_are_followed_once(home: Home) -> None:
    home.write(OWN, line())
    inner = home.write(f"-home-me-proj/{ID}/subagents/agent-a.jsonl", line("m2", "r2"))
    for name in ("a", "b"):
        (inner.parent.parent / name).symlink_to(".")
    assert home.run("session", "--json", "--jq", ".totals.outputTokens").out == "200\n"
    inner.with_name("agent-b.jsonl").write_text(line("m3", "r3"))
    one, seconds = run_timed(home, "session", "--id", ID, "--jq", ".outputTokens")
    assert (one.code, one.out) == (0, "300\n")
    assert seconds < BOUND
    assert home.run("index", "verify").code == 0


SIZE = 300_000  # bytes
HOSTILE = {
    "objects that begin again and again": b'{"type":' * (SIZE // 8),
    "texts that begin again and again": b'{"type":"' + b'x{"type":"' * (SIZE // 10),
    "torn objects, each before a whole one": b'{"type":1}{"type":' * (SIZE // 18),
    "deep, wide and torn": b'{"type":' * 4000 + b"[" * 1010 + b"1," * (SIZE // 2),
    "many small objects": b"{}" * 4_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_costs_no_more_than_a_moment(home: Home, name: str) -> None:
    home.write(OWN, line().encode() + HOSTILE[name] + b'"usage"\n' + line("m2", "r2").encode())
    ran, seconds = run_timed(home, "session", "--json", "--jq", ".totals.outputTokens")
    assert (ran.code, ran.out) == (0, "200\n")
    assert seconds < BOUND


def test_a_new_file_is_compared_with_those_it_may_have_been_not_with_all_that_are_gone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test counts looks at missing files: they grow with the new files, not with new files times missing ones."""
    from ccusage_line.index import refresh

    count = 200
    old = [home.write(f"-home-me-proj/old-{n}.jsonl", line(f"o{n}", f"o{n}", f"old-{n}")) for n in range(count)]
    index = home.opened()
    index.refresh()
    moved = home.projects / "-home-me-other"
    moved.mkdir()
    old[0].rename(moved / old[0].name)
    for path in old[1:]:
        path.unlink()
    for n in range(count):
        home.write(f"-home-me-proj/new-{n}.jsonl", line(f"n{n}", f"n{n}", f"new-{n}"))
    looks = []
    real = os.path.basename
    monkeypatch.setattr(refresh.os.path, "basename", lambda path: looks.append(path) or real(path))
    index.refresh()
    assert len(looks) < 10 * count
    assert sum(session.archived for session in index.sessions()) == count - 1
    assert len(index.sessions()) == 2 * count


PLACES = {
    "config": "config/ccusage-line/config.toml",
    "policy": "policy/managed-settings.json",
    "settings": "claude/settings.json",
    "start file of a shell": ".bashrc",
    "log": "state/statusline.log",
    "published answer": "{answer}",
    "recent responses": "{index}/recent",
    "what the client said": "{answer}.said",
}
QUESTIONS = {
    "line": (("statusline", "--no-color"), json.dumps({"session_id": ID, "model": {"display_name": "Opus"}})),
    "one": (("session", "--id", ID, "--json"), ""),
    "report": (("session", "--json"), ""),
    "doctor": (("doctor", "--json"), ""),
}


@pytest.mark.parametrize("make", [fuzz.fifo, fuzz.device, fuzz.huge], ids=lambda make: str(make.__name__))
def test_nothing_that_is_read_waits_for_a_writer_or_reads_for_ever(home: Home, make: fuzz.Change) -> None:
    home.write(OWN, line())
    assert home.run("session", "--json").code == 0
    index = home.index
    for place in PLACES.values():
        path = home.path / place.format(index=index, answer=answer.path_of(index, ID))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)
    for name, (words, payload) in QUESTIONS.items():
        began = time.monotonic()
        ran = home.run(*words, input=payload)
        assert time.monotonic() - began < BOUND, name
        assert "Traceback" not in ran.err
        assert ran.code == {"line": 0, "doctor": 1}.get(name, 2), (name, ran)
        assert name != "line" or "Opus" in ran.out
        assert name not in ("one", "report") or "config.toml can't be read: " in ran.err


@pytest.mark.parametrize("words", [(), ("--unheard-of",)], ids=["fast", "with options to be passed over"])
def test_a_config_that_is_read_slowly_does_not_keep_the_line_waiting(home: Home, words: tuple[str, ...]) -> None:
    home.write(OWN, line())
    config = home.configure("[statusline]\n")
    slow = strace(home.path / "trace", "openat", "delay_enter=60000000", config)
    began = time.monotonic()
    process = start(home, *slow, *THREE_SECONDS, "statusline", *words, stderr=subprocess.DEVNULL)
    process.stdin.write(QUESTIONS["line"][1].encode())
    process.stdin.close()
    assert b"Opus" in process.stdout.readline()
    assert time.monotonic() - began < BOUND
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_a_price_list_of_more_models_than_there_are_is_refused() -> None:
    entry = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "litellm_provider": "anthropic"}
    listed = json.dumps({f"claude-{number}": entry for number in range(MAX_MODELS + 1)})
    with pytest.raises(Refused, match="too many for a price list"):
        parse(listed.encode())
    assert len(parse(json.dumps(dict(list(json.loads(listed).items())[:MAX_MODELS])).encode())) == MAX_MODELS


def test_without_zone_data_the_error_says_where_to_get_them(home: Home) -> None:
    hidden = "import sys; sys.modules['tzdata'] = None"
    ran = run_after(home, hidden, "session", "--timezone", "Europe/Berlin", PYTHONTZPATH="")
    assert (ran.code, ran.out) == (2, "")
    assert "install its tzdata package" in ran.err
