"""The benchmark's history has the properties asked for; its runner times real processes and notices wrong numbers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from processes import load_tool

BENCHMARKS = ROOT / "benchmarks"
TOKENS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
USAGE_KEYS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
AT = 1_790_000_000.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the runner needs posix_spawn and wait4")

# A small but complete tool, not a mock: it reads every transcript on every call and counts by message and request. It
# has no statusline, and forgets the first {skip} sessions.
STAND_IN = """#!{python}
import glob, json, os, sys
args = [a for a in sys.argv[1:] if a != "claude"]
if args[:1] != ["session"]:
    print("no such command", file=sys.stderr)
    sys.exit(2)
best = {{}}
for path in glob.glob(os.environ["CLAUDE_CONFIG_DIR"] + "/projects/**/*.jsonl", recursive=True):
    for raw in open(path, "rb"):
        line = json.loads(raw)
        if line.get("type") != "assistant":
            continue
        usage, message = line["message"]["usage"], line["message"]["id"]
        counts = [usage[k] for k in {keys}]
        session = line.get("requestSessionId") or line["sessionId"]
        if message not in best or best[message][1][1] < counts[1] or "requestSessionId" in line:
            best[message] = (session, counts)
sessions = {{}}
for session, counts in best.values():
    total = sessions.setdefault(session, [0, 0, 0, 0])
    for n in range(4):
        total[n] += counts[n]
rows = [dict(zip({tokens}, total), sessionId=s) for s, total in sorted(sessions.items())][{skip}:]
if "--id" in args:
    rows = [r for r in rows if r["sessionId"] == args[args.index("--id") + 1]]
    print(json.dumps(rows[0] if rows else None))
    sys.exit(0 if rows else 3)
print(json.dumps({{"sessions": rows}}))
"""


generate = load_tool(BENCHMARKS / "generate.py")


def make(out: Path, **shape: Any) -> dict[str, Any]:
    shape = {"mb": 1.0, "sessions": 8, "end": AT, **shape}
    truth: dict[str, Any] = generate.write_history(out, generate.Shape(**shape))
    return truth


def transcripts(out: Path) -> list[Path]:
    return sorted((out / "projects").glob("**/*.jsonl"))


def lines_of(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(raw) for raw in data.split(b"\n")[:-1]]


def responses(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the assistant lines of each message id, in their order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in transcripts(out):
        for line in lines_of(path):
            if line["type"] == "assistant":
                found.setdefault(line["message"]["id"], []).append(line)
    return found


def stand_in(path: Path, skip: int = 0) -> Path:
    path.write_text(STAND_IN.format(python=sys.executable, keys=USAGE_KEYS, tokens=TOKENS, skip=skip))
    path.chmod(0o755)
    return path


def bench(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--work", str(tmp_path / "work"), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


TINY = ("--mb", "0.3", "--sessions", "4", "--big", "0", "--runs", "2")


# --- the generator ----------------------------------------------------------------------------------------------------


def test_one_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        make(tmp_path / name, seed=seed)
    tree = {
        name: {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in (tmp_path / name).rglob("*.json*")}
        for name in "abc"
    }
    assert tree["a"] == tree["b"]
    assert not set(tree["a"].values()) & set(tree["c"].values())


def test_a_history_has_the_size_and_the_sessions_asked_for(tmp_path: Path) -> None:
    truth = make(tmp_path / "h", mb=2.0, sessions=12)
    size = sum(p.stat().st_size for p in transcripts(tmp_path / "h"))
    assert size == truth["bytes"]
    assert 1_900_000 < size < 2_200_000
    assert len(truth["sessions"]) == len(list((tmp_path / "h/projects").glob("*/*.jsonl"))) == 12


def test_the_truth_is_what_a_plain_count_of_the_transcripts_gives(tmp_path: Path) -> None:
    truth = make(tmp_path / "h", mb=2.0, forks=0.5, old=0.6, subagents=0.6)
    totals: dict[str, dict[str, int]] = {}
    for lines in responses(tmp_path / "h").values():
        marked = [line["requestSessionId"] for line in lines if "requestSessionId" in line]
        total = totals.setdefault(
            marked[0] if marked else lines[0]["sessionId"], {"responses": 0, **dict.fromkeys(TOKENS, 0)}
        )
        winner = max((line["message"]["usage"] for line in lines), key=lambda usage: usage["output_tokens"])
        total["responses"] += 1
        for token, key in zip(TOKENS, USAGE_KEYS, strict=True):
            total[token] += winner[key]
    assert truth["forks"]
    assert totals == truth["sessions"]


def test_old_clients_write_a_growing_output_and_new_ones_the_same_usage_on_every_line(tmp_path: Path) -> None:
    make(tmp_path / "old", old=1.0, forks=0.0)
    make(tmp_path / "new", old=0.0, forks=0.0)
    for name, distinct in (("old", 2), ("new", 1)):
        several = [lines for lines in responses(tmp_path / name).values() if len(lines) > 1]
        outputs = [[line["message"]["usage"]["output_tokens"] for line in lines] for lines in several]
        assert several
        assert all(o == sorted(o) for o in outputs)
        assert {len(set(o)) for o in outputs} == {distinct}
        assert max(map(len, several)) <= 5


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_share_of_responses_with_several_lines_is_the_one_asked_for(tmp_path: Path, share: float) -> None:
    make(tmp_path / "h", mb=2.0, duplicates=share, forks=0.0)
    counts = [len(lines) for lines in responses(tmp_path / "h").values()]
    assert sum(n > 1 for n in counts) / len(counts) == pytest.approx(share, abs=0.12)


def test_subagents_forks_and_gateways_appear_as_often_as_asked(tmp_path: Path) -> None:
    none = make(tmp_path / "none", subagents=0.0, forks=0.0, no_request_id=0.0)
    all_of = make(tmp_path / "all", subagents=1.0, forks=1.0, no_request_id=1.0)
    subagents = {name: list((tmp_path / name).glob("projects/*/*/subagents/agent-*.jsonl")) for name in ("none", "all")}
    assert not subagents["none"]
    assert subagents["all"]
    assert all(line["isSidechain"] for path in subagents["all"] for line in lines_of(path))
    assert not none["forks"]
    assert all_of["forks"]
    marks = {
        name: {"requestId" in line for lines in responses(tmp_path / name).values() for line in lines}
        for name in ("none", "all")
    }
    assert marks == {"none": {True}, "all": {False}}


def test_every_line_is_compact_json_and_most_bytes_cost_nothing(tmp_path: Path) -> None:
    make(tmp_path / "h")
    counted = other = 0
    for path in transcripts(tmp_path / "h"):
        for raw in path.read_bytes().split(b"\n")[:-1]:
            line = json.loads(raw)
            assert raw == json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
            if line["type"] == "assistant":
                counted += len(raw)
            else:
                other += len(raw)
    assert 0.1 < counted / (counted + other) < 0.5


def test_the_big_session_has_the_responses_asked_for_and_is_the_largest(tmp_path: Path) -> None:
    truth = make(tmp_path / "h", mb=5.0, big=150)
    counts = {session: total["responses"] for session, total in truth["sessions"].items()}
    largest = max((tmp_path / "h/projects").glob("*/*.jsonl"), key=lambda path: path.stat().st_size)
    assert counts[largest.stem] == 150


def test_models_and_prompts_stay_where_prices_are_flat(tmp_path: Path) -> None:
    make(tmp_path / "h", mb=4.0, sessions=4)
    messages = [line["message"] for lines in responses(tmp_path / "h").values() for line in lines]
    assert {message["model"] for message in messages} <= set(generate.MODELS)
    prompts = [sum(message["usage"][k] for k in USAGE_KEYS if k != "output_tokens") for message in messages]
    assert max(prompts) < 200_000


def test_shapes_are_what_their_names_say(tmp_path: Path) -> None:
    lines, helped = {}, {}
    for name, shape in generate.SHAPES.items():
        make(tmp_path / name, **shape)
        found = transcripts(tmp_path / name)
        lines[name] = sum(len(lines_of(path)) for path in found)
        helped[name] = sum(path.parent.name == "subagents" for path in found) / len(found)
    assert lines["long"] * 2 < lines["usual"] < lines["short"] / 2
    assert helped["usual"] < 0.6 < helped["subagents"]


def test_the_generator_says_what_it_wrote_and_writes_no_second_history_into_the_first(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "generate.py"), str(tmp_path / "h"), "--mb", "0.5", "--sessions", "3"]
    first = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (first.returncode, first.stderr) == (0, "")
    assert "3 sessions" in first.stdout
    before = {path: path.read_bytes() for path in transcripts(tmp_path / "h")}
    assert len(before) >= 3
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (second.returncode, second.stdout) == (2, "")
    assert "projects exists; remove it or name another folder" in second.stderr
    assert {path: path.read_bytes() for path in transcripts(tmp_path / "h")} == before


# --- the append -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [0.0, 1.0], ids=["new-client", "old-client"])
def test_an_append_adds_whole_lines_of_new_responses_of_about_the_size_asked_for(tmp_path: Path, old: float) -> None:
    make(tmp_path / "h", old=old)
    path = max((tmp_path / "h/projects").glob("*/*.jsonl"))
    before, known = path.read_bytes(), set(responses(tmp_path / "h"))
    added = generate.append_tail(path, 64 * 1024, seed=3, at=AT)
    after = path.read_bytes()
    assert after.startswith(before)
    assert 56 * 1024 < len(after) - len(before) < 90 * 1024
    fresh = {message: lines for message, lines in responses(tmp_path / "h").items() if message not in known}
    winners = [
        max((line["message"]["usage"] for line in lines), key=lambda u: u["output_tokens"]) for lines in fresh.values()
    ]
    assert {line["sessionId"] for lines in fresh.values() for line in lines} == {path.stem}
    assert added == {
        "responses": len(fresh),
        **{t: sum(u[k] for u in winners) for t, k in zip(TOKENS, USAGE_KEYS, strict=True)},
    }


def test_an_append_goes_on_where_the_conversation_ended_and_is_repeatable(tmp_path: Path) -> None:
    tails = []
    for name in "ab":
        make(tmp_path / name)
        path = max((tmp_path / name / "projects").glob("*/*.jsonl"))
        size = path.stat().st_size
        last = generate.last_assistant_line(path)
        generate.append_tail(path, 10_000, seed=4, at=AT)
        tails.append(path.read_bytes()[size:])
    chained = [line for line in map(json.loads, tails[0].split(b"\n")[:-1]) if "uuid" in line]
    assert tails[0] == tails[1]
    assert [line["parentUuid"] for line in chained] == [last["uuid"], *(line["uuid"] for line in chained[:-1])]


# --- the runner -------------------------------------------------------------------------------------------------------


def test_the_runner_times_a_command_against_an_empty_python_and_a_peer(tmp_path: Path) -> None:
    tool, peer = stand_in(tmp_path / "tool"), stand_in(tmp_path / "peer")
    out = tmp_path / "out.json"
    args = ("--ccusage", str(tool), "--peer", str(peer), *TINY, "--only", "id-*", "--markdown", "--json", str(out))
    done = bench(tmp_path, *args)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| `session --id X --json`")]
    assert any("nothing appended" in row and "1.15 B" in row for row in rows)
    assert any("after 64 KB appended, against P" in row and "x faster" in row for row in rows)
    assert "oracle before: 4 sessions equal to what was generated" in done.stdout
    assert "oracle after all appends: 4 sessions equal to P" in done.stdout
    seconds = json.loads(out.read_text())["seconds"]
    assert set(seconds) == {"id-unchanged", "id-appended", "id-at-once"}
    assert [len(seconds["id-appended"][who]) for who in ("B", "ours", "P")] == [2, 2, 2]
    assert min(seconds["id-appended"]["ours"]) > 0


def test_the_live_view_is_measured_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    command = [sys.executable, str(ROOT / "benchmarks" / "live.py"), str(tmp_path), "--seconds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+\.\d\d% of a core, \d+ s an hour; at most \d+ MB\n", done.stdout)


def test_a_row_whose_command_is_missing_says_so_and_the_run_goes_on(tmp_path: Path) -> None:
    done = bench(tmp_path, "--ccusage", str(stand_in(tmp_path / "tool")), *TINY, "--only", "statusline-appended")
    assert done.returncode == 0, done.stderr
    assert "not built: no such command" in done.stdout
    assert "oracle after all appends: 4 sessions equal to what was generated" in done.stdout


def test_a_peer_that_fails_is_named_in_the_row_and_not_taken_for_a_fast_one(tmp_path: Path) -> None:
    tool, peer = stand_in(tmp_path / "tool"), tmp_path / "peer"
    peer.write_text("#!/bin/sh\ncase $* in *--id*) echo broken >&2; exit 7;; esac\nexec " + str(tool) + ' "$@"\n')
    peer.chmod(0o755)
    done = bench(tmp_path, "--ccusage", str(tool), "--peer", str(peer), *TINY, "--only", "id-appended")
    assert done.returncode == 0, done.stderr
    against = next(line for line in done.stdout.splitlines() if "against P" in line)
    assert "P: failed (exit 7): broken" in against
    assert not any(word in against.split() for word in ("hope", "must", "missed"))


def test_wrong_tokens_are_reported_and_make_the_run_fail(tmp_path: Path) -> None:
    tool = stand_in(tmp_path / "tool", skip=1)
    done = bench(tmp_path, "--ccusage", str(tool), *TINY, "--only", "index-size")
    assert done.returncode == 1, done.stderr
    assert "oracle before: 1 differences" in done.stdout


def test_a_history_given_is_measured_on_a_copy_that_is_removed(tmp_path: Path) -> None:
    make(tmp_path / "h", mb=0.3, sessions=4)
    before = {p: p.read_bytes() for p in transcripts(tmp_path / "h")}
    tool = stand_in(tmp_path / "tool")
    done = bench(
        tmp_path, "--ccusage", str(tool), "--history", str(tmp_path / "h"), "--runs", "2", "--only", "id-at-once"
    )
    assert done.returncode == 0, done.stderr
    assert "again at once" in done.stdout
    assert {p: p.read_bytes() for p in transcripts(tmp_path / "h")} == before
    assert not list((tmp_path / "work").iterdir())


def test_the_first_index_starts_without_state_and_tells_its_memory(tmp_path: Path) -> None:
    done = bench(tmp_path, "--ccusage", str(stand_in(tmp_path / "tool")), *TINY, "--only", "first-index")
    assert done.returncode == 0, done.stderr
    memory = next(line for line in done.stdout.splitlines() if "memory" in line)
    assert "90 MB" in memory
    assert any(word in memory for word in ("hope", "must", "missed"))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(("--only", "nothing"), "no case matches 'nothing'", id="unknown-case"),
        pytest.param(("--ccusage", "/nowhere/ccusage"), "cannot run /nowhere/ccusage", id="no-command"),
        pytest.param(
            ("--ccusage", sys.executable, "--history", "/nowhere"), "no projects in /nowhere", id="no-history"
        ),
    ],
)
def test_wrong_arguments_are_refused_with_the_reason(tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    done = bench(tmp_path, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
