"""The command line: what it answers, where, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccusage_line import __version__
from conftest import Home
from lines import ID, OPUS, OTHER, SONNET, line, usage

AGENT = f"-home-me-proj/{ID}/subagents/agent-a1.jsonl"


@pytest.fixture
def used(home: Home) -> Home:
    """Two sessions, one with a subagent."""
    home.write(f"-home-me-proj/{ID}.jsonl", line() + line("m2", "r2", at="2026-05-03T23:30:00Z", model=SONNET))
    home.write(AGENT, line("m3", "r3", isSidechain=True, agentId="a1"))
    home.write(
        f"-home-me-other/{OTHER}.jsonl",
        line("n1", "q1", OTHER, at="2026-05-02T10:00:00Z", cwd="/home/me/other", tokens=usage(5, 50)),
    )
    return home


def listed(home: Home, *args: str) -> list[str]:
    ran = home.run("session", "--json", *args)
    assert (ran.code, ran.err) == (0, "")
    return [row["sessionId"] for row in json.loads(ran.out)["sessions"]]


def test_plain_ccusage_is_the_session_report(used: Home) -> None:
    plain, named = used.run(), used.run("session")
    assert plain.out == named.out
    assert (plain.code, plain.err) == (0, "")
    assert "8111-111111111111" in plain.out
    assert "$0.01" in plain.out


def test_options_without_a_command_are_those_of_session(used: Home) -> None:
    assert used.run("--json").out == used.run("session", "--json").out


def test_a_report_on_nothing_says_where_it_looked(home: Home) -> None:
    ran = home.run()
    assert (ran.code, ran.out) == (0, "")
    assert str(home.projects) in ran.err
    assert "ccusage demo" in ran.err


def test_json_of_nothing_is_empty_sessions_and_zeros(home: Home) -> None:
    ran = home.run("session", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "sessions": [],
        "totals": {
            "inputTokens": 0,
            "outputTokens": 0,
            "cacheCreationTokens": 0,
            "cacheReadTokens": 0,
            "totalTokens": 0,
            "totalCost": 0.0,
        },
    }


def test_missing_data_directories_are_no_error(home: Home) -> None:
    ran = home.run("session", "--json", CLAUDE_CONFIG_DIR=str(home.path / "nowhere"))
    assert (ran.code, json.loads(ran.out)["sessions"]) == (0, [])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(ID, ID, id="exact"),
        pytest.param("1111", ID, id="prefix"),
        pytest.param("8222-222222222222", OTHER, id="displayed form"),
        pytest.param("latest", ID, id="latest"),
        pytest.param("agent-a1", "agent-a1", id="transcript's name"),
        pytest.param("agent-a1.jsonl", "agent-a1", id="transcript's name with its ending"),
    ],
)
def test_a_session_is_found_by(used: Home, wanted: str, found: str) -> None:
    ran = used.run("session", "--id", wanted, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["sessionId"] == found


def test_subagents_belong_to_their_parent(used: Home) -> None:
    assert used.run("session", "--id", ID, "--jq", ".outputTokens").out == "300\n"
    assert used.run("session", "--id", "agent-a1", "--jq", ".outputTokens").out == "100\n"


def test_an_ambiguous_id_names_the_candidates(used: Home) -> None:
    used.write("p/11112222.jsonl", line("z", "z", "11112222"))
    ran = used.run("session", "--id", "1111", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert ID in ran.err
    assert "11112222" in ran.err


@pytest.mark.parametrize(
    "wanted", ["nope", "", "../x", "/etc/passwd", "*", "a\nb", "x" * 10_000, "-weird", "\x1b[31m", "..", "."]
)
def test_an_unknown_session_is_exit_3_and_null(used: Home, wanted: str) -> None:
    before = sorted(used.path.rglob("*"))
    ran = used.run("session", f"--id={wanted}", "--json")
    assert (ran.code, ran.out) == (3, "null\n")
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err
    assert used.run("session", f"--id={wanted}", "--jq", ".totalCost").out == "null\n"
    assert used.run("session", f"--id={wanted}").out == ""
    new = set(used.path.rglob("*")) - set(before)
    assert all(used.state in (path, *path.parents) for path in new)


def test_an_id_may_begin_with_a_dash(used: Home) -> None:
    used.write("p/-weird.jsonl", line("z", "z", "-weird"))
    assert used.run("session", "--id=-weird", "--jq", ".responses").out == "1\n"


def test_a_transcript_without_usage_is_zeros(used: Home) -> None:
    used.write("p/empty.jsonl", '{"type":"user"}\n')
    ran = used.run("session", "--id", "empty", "--json")
    row = json.loads(ran.out)
    assert (ran.code, row["totalTokens"], row["totalCost"], row["lastActivity"]) == (0, 0, 0.0, None)
    assert "empty" not in listed(used)


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        pytest.param(["--since", "2026-05-03"], [ID], id="since"),
        pytest.param(["--since", "20260504"], [], id="since later"),
        pytest.param(["--until", "20260502"], [OTHER], id="until is inclusive"),
        pytest.param(["--until", "2026-05-01"], [], id="until earlier"),
        pytest.param(["--since", "2026-05-04", "--timezone", "Asia/Tokyo"], [ID], id="days are the zone's"),
        pytest.param(["--project", "other"], [OTHER], id="project"),
        pytest.param(["--order", "asc"], [OTHER, ID], id="ascending"),
        pytest.param([], [ID, OTHER], id="descending"),
    ],
)
def test_the_list_is_chosen_and_sorted_by(used: Home, args: list[str], ids: list[str]) -> None:
    assert listed(used, *args) == ids


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(["sesion"], "did you mean session?", id="command"),
        pytest.param(["session", "--jsn"], "did you mean --json?", id="option"),
        pytest.param(["session", "--order", "up"], "--order", id="choice"),
        pytest.param(["session", "--since", "yesterday"], "YYYY-MM-DD", id="day"),
        pytest.param(["session", "--since", "2026-02-30"], "2026-02-30", id="day that is none"),
        pytest.param(["session", "--since", "20260601", "--until", "20260501"], "after", id="since after until"),
        pytest.param(["session", "--timezone", "Europe/Berln"], "Europe/Berlin", id="zone"),
        pytest.param(["session", "--timezone", "../../etc/passwd"], "no time zone", id="zone that is a path"),
        pytest.param(["session", "--id", ID, "--since", "20260501"], "--since", id="filter with --id"),
        pytest.param(["session", "--id", ID, "--project", "x"], "--project", id="project with --id"),
        pytest.param(["session", "--entries", "--json"], "--id", id="entries without --id"),
        pytest.param(["session", "--id"], "--id", id="id without a value"),
        pytest.param(["session", "extra"], "extra", id="positional"),
        pytest.param(["daily"], "not built yet", id="later"),
        pytest.param(["index"], "ACTION", id="index without an action"),
    ],
)
def test_a_usage_error_is_one_line_and_exit_2(used: Home, args: list[str], says: str) -> None:
    ran = used.run(*args)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert says in ran.err


@pytest.mark.parametrize(
    ("expression", "prints"),
    [
        (".sessions[0].sessionId", f"{ID}\n"),
        (".sessions[].sessionId", f"{ID}\n{OTHER}\n"),
        (".totals.outputTokens", "350\n"),
        (".nothing", "null\n"),
        (".sessions[0].modelsUsed", '[\n  "opus-4-5",\n  "sonnet-4-5"\n]\n'),
    ],
)
def test_jq_answers_paths(used: Home, expression: str, prints: str) -> None:
    ran = used.run("session", "--jq", expression)
    assert (ran.code, ran.out, ran.err) == (0, prints, "")


def test_a_failing_jq_is_exit_4(used: Home) -> None:
    ran = used.run("session", "--jq", ".[[")
    assert (ran.code, ran.out) == (4, "")
    assert "^" in ran.err


def test_jq_sees_entries_when_it_names_them(used: Home) -> None:
    assert used.run("session", "--id", ID, "--jq", ".entries[0].model").out == f"{OPUS}\n"


def test_modes(home: Home) -> None:
    home.write("p/s.jsonl", line(costUSD=1.5) + line("m2", "r2"))
    costs = [
        home.run("session", "--id", ID, "--jq", ".totalCost", "--mode", mode).out
        for mode in ("auto", "calculate", "display")
    ]
    assert costs == ["1.50255\n", "0.0051\n", "1.5\n"]


def test_unpriced_models_are_said(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(model="house-model-1"))
    ran = home.run("session")
    assert "house-model-1" in ran.err
    assert ran.err.count("\n") == 1
    assert "+?" in ran.out
    assert home.run("session", "--jq", ".sessions[0].unpricedModels[0]").out == "house-model-1\n"


def test_a_closed_pipe_is_silent_success(used: Home) -> None:
    script = f"'{sys.executable}' -m ccusage_line session --json | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], env=used.env, capture_output=True, cwd=used.path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"{\n", b"")


def test_a_closed_stdout_is_no_traceback(used: Home) -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m ccusage_line session --json >&-"],
        env=used.env,
        capture_output=True,
        cwd=used.path,
        check=False,
    )
    assert b"Traceback" not in done.stderr


def test_a_locale_without_unicode_prints_utf8_all_the_same(used: Home) -> None:
    ran = used.run(LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.code == 0
    assert "│" in ran.out


def test_help_fits_a_screen_and_shows_three_examples(home: Home) -> None:
    ran = home.run("session", "--help", COLUMNS="80")
    lines = ran.out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert sum(text.startswith("  ccusage session ") for text in lines) == 3


def test_version(home: Home) -> None:
    assert home.run("--version").out == f"ccusage-line {__version__}\n"


def test_width_is_columns_then_the_terminals_then_120(used: Home) -> None:
    assert max(map(len, used.run(COLUMNS="60").out.splitlines())) <= 60
    del used.env["COLUMNS"]
    assert 60 < max(map(len, used.run().out.splitlines())) <= 120
    leader, follower = pty.openpty()
    subprocess.run(["stty", "cols", "70"], stdin=follower, check=True)
    done = subprocess.Popen(
        [sys.executable, "-m", "ccusage_line"], stdout=follower, stderr=subprocess.PIPE, env=used.env | {"TERM": "dumb"}
    )
    done.wait(60)
    os.close(follower)
    text = os.read(leader, 100_000).decode()
    os.close(leader)
    assert max(map(len, text.splitlines())) <= 70
    assert done.stderr is not None
    done.stderr.close()


@pytest.mark.parametrize(
    ("args", "env", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always", "--no-color"], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "0"}, False),
    ],
)
def test_colour(used: Home, args: list[str], env: dict[str, str], colored: bool) -> None:
    assert ("\x1b[" in used.run("session", *args, **env).out) == colored


def test_breakdown_has_a_row_per_model(used: Home) -> None:
    assert "└─ sonnet-4-5" in used.run("session", "--breakdown").out


def test_hostile_titles_do_not_reach_the_terminal(home: Home) -> None:
    home.write(
        f"p/{ID}.jsonl",
        line(cwd="/home/\x1b]0;x\x07\u202eproj/木") + '{"type":"custom-title","customTitle":"a\\u001b[2Jb\\u2028c"}\n',
    )
    ran = home.run("session", "--id", ID)
    assert ran.code == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", ran.out)
    assert "木" in ran.out


def test_demo_is_the_real_report_on_the_sample(home: Home) -> None:
    ran = home.run("demo")
    assert ran.code == 0
    assert "Total" in ran.out
    assert not home.state.exists()
    assert json.loads(home.run("demo", "--json").out)["totals"]["totalCost"] > 0


def test_an_empty_home_can_ask_for_the_demo_instead(home: Home, tmp_path: Path) -> None:
    assert home.run("session", "--or-demo").out == home.run("demo").out


def test_index_path_and_status(used: Home) -> None:
    used.run()
    place = used.run("index", "path").out.strip()
    assert Path(place).is_relative_to(used.state)
    used.write("p/bad.jsonl", '{"usage"\n{"usage":\n')
    (used.projects / "p" / "fifo.jsonl").parent.mkdir(exist_ok=True)
    os.mkfifo(used.projects / "p" / "fifo.jsonl")
    (used.projects / "p" / "folder.jsonl").mkdir()
    assert used.run("session", "--json").code == 0
    status = used.run("index", "status")
    assert status.code == 0
    assert re.search(r"bad lines +2\n", status.out)
    assert "fifo.jsonl: not a regular file" in status.out
    assert re.search(r"complete +yes", status.out)


@pytest.mark.parametrize("args", [["session"], ["session", "--id", ID, "--json"], ["session", "--jq", "."]])
def test_a_full_stdout_is_one_line_and_exit_1(used: Home, args: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ccusage_line", *args],
            env=used.env,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"can't write" in done.stderr


def test_debug_and_config_may_stand_anywhere(used: Home) -> None:
    ran = used.run("session", "--json", "--debug")
    assert ran.code == 0
    assert "transcripts opened" in ran.err
    assert used.run("--debug", "session", "--json").out == ran.out
    assert used.run("session", "--json", "--config", "/nowhere.toml").code == 2


def test_an_interrupted_first_index_ends_at_once_with_its_workers(home: Home) -> None:
    filler = '{"type":"user","text":"' + "x" * 200_000 + '"}\n'
    for number in range(8):
        lines = (line(f"m{number}-{i}", f"r{i}", f"s{number}") for i in range(3000))
        home.write(f"p/s{number}.jsonl", "".join(lines) + filler * 10)
    process = subprocess.Popen(
        [sys.executable, "-m", "ccusage_line", "session", "--json"], env=home.env, stdout=subprocess.DEVNULL
    )
    time.sleep(0.25)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) in (0, 130)
    family = [path for path in Path("/proc").glob("[0-9]*") if home_of(path) == str(home.path)]
    assert family == []
    assert home.run("session", "--jq", ".sessions | length").out == "8\n"


def home_of(process: Path) -> str | None:
    """The HOME that a process was started with."""
    try:
        pairs = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return next((pair[5:].decode() for pair in pairs if pair.startswith(b"HOME=")), None)
