"""The command line: what it answers, on which stream, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ccusage_line import __version__
from ccusage_line.cli import COMMANDS
from ccusage_line.paths import data_dirs
from conftest import Home
from lines import ID, OTHER, SONNET, line, usage
from shells import until

AGENT = f"-home-me-proj/{ID}/subagents/agent-a1.jsonl"


@pytest.fixture
def used(home: Home) -> Home:
    """Return a home with two sessions, one of them with a subagent."""
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
    ("environ", "expected"),
    [
        pytest.param({}, [".config/claude", ".claude"], id="both defaults"),
        pytest.param({"XDG_CONFIG_HOME": "{home}/xdg"}, ["xdg/claude", ".claude"], id="xdg"),
        pytest.param({"CLAUDE_CONFIG_DIR": "~/one,two"}, ["one,two"], id="a directory with a comma"),
        pytest.param({"CLAUDE_CONFIG_DIR": "~/xdg , {home}/.claude,"}, ["xdg", ".claude"], id="a list"),
        pytest.param({"CLAUDE_CONFIG_DIR": "~/absent"}, ["absent"], id="what is not there"),
        pytest.param({"CLAUDE_CONFIG_DIR": "~/xdg/projects"}, ["xdg"], id="the folder of projects"),
    ],
)
def test_the_environment_names_the_data_directories(
    tmp_path: Path, environ: dict[str, str], expected: list[str]
) -> None:
    (tmp_path / "one,two").mkdir()
    filled = {name: value.replace("{home}", str(tmp_path)) for name, value in environ.items()}
    found = data_dirs({"HOME": str(tmp_path), **filled})
    assert found == sorted(str(tmp_path / name / "projects") for name in expected)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(ID, ID, id="exact"),
        pytest.param("1111", ID, id="prefix"),
        pytest.param("8222-222222222222", OTHER, id="displayed form"),
        pytest.param("8222-22", OTHER, id="beginning of the displayed form"),
        pytest.param("latest", ID, id="latest"),
        pytest.param("agent-a1", "agent-a1", id="transcript's name"),
        pytest.param("agent-a1.jsonl", "agent-a1", id="transcript's name with its ending"),
    ],
)
def test_a_session_is_found_by_its_id_and_other_names(used: Home, wanted: str, found: str) -> None:
    ran = used.run("session", "--id", wanted, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["sessionId"] == found
    assert used.run("session", wanted, "--json") == ran


def test_subagents_belong_to_their_parent(used: Home) -> None:
    assert used.run("session", "--id", ID, "--jq", ".outputTokens").out == "300\n"
    assert used.run("session", "--id", "agent-a1", "--jq", ".outputTokens").out == "100\n"


def test_an_ambiguous_id_names_the_candidates(used: Home) -> None:
    used.write("p/11112222.jsonl", line("z", "z", "11112222"))
    ran = used.run("session", "--id", "1111", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert f"\n  {ID}  $" in ran.err
    assert "\n  11112222  $0.00  2026-" in ran.err


@pytest.mark.parametrize("wanted", [f"{OTHER[:-4]}3333", "22222223", "4222-223"])
def test_an_unknown_session_names_the_nearest(used: Home, wanted: str) -> None:
    ran = used.run("session", wanted)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[1].startswith(f"  {OTHER}  $")


def test_a_misspelt_latest_and_the_name_of_a_project_are_recognised(used: Home) -> None:
    assert used.run("session", "latst").err.endswith("; did you mean\n  latest\n")
    project = Path(json.loads(used.run("session", "--json").out)["sessions"][0]["projectPath"]).name
    assert used.run("session", project).err.endswith(f"; did you mean\n  --project {project}\n")


def test_an_option_of_another_report_is_named_with_that_report(used: Home) -> None:
    assert (
        "no option '--last'; for the last 7 days, today included, write --since 6d"
        in used.run("session", "--last", "7").err
    )
    assert "no option '--explain'; it is an option of `ccusage session`" in used.run("daily", "--explain").err
    assert "no option '--html'; it is an option of `ccusage session`" in used.run("weekly", "--html", "x").err
    assert "no option '-since', did you mean --since?" in used.run("session", "-since", "7d").err


def test_a_command_after_its_options_is_an_error_that_names_the_order(used: Home) -> None:
    for words in (["--json", "session"], ["-n", "2", "daily"]):
        ran = used.run(*words)
        assert (ran.code, ran.out) == (2, "")
        assert f"the command comes first: `ccusage {words[-1]} ...`" in ran.err


def test_a_filtered_list_names_its_filters(used: Home) -> None:
    said = " ".join(used.run("session", "--since", "2020-01-01", "--project", "PROJ").out.split())
    assert "Shown: sessions last active from 2020-01-01 (with all their usage" in said
    assert "single days); projects with “PROJ” in their path." in said
    assert "Shown: " not in used.run("session").out


def test_a_prefix_of_one_id_and_of_anothers_shown_form_is_ambiguous(home: Home) -> None:
    for n, id in enumerate(("ac0f9c3a-0000-4000-8000-111111111111", "b1111111-0000-4000-ac32-222222222222")):
        home.write(f"p/{id}.jsonl", line(f"m{n}", f"r{n}", id))
    ran = home.run("session", "ac")
    assert (ran.code, ran.out, ran.err.count("\n  ")) == (2, "", 2)
    assert json.loads(home.run("session", "ac32-222222222222", "--json").out)["sessionId"].startswith("b1")


def test_a_bare_word_with_options_of_the_list_is_an_error_that_names_it(used: Home) -> None:
    ran = used.run("session", "--since", "7d", "week")
    assert ran.err == "ccusage: --since applies to the list; 'week' is read as a session id\n"


def test_a_file_after_csv_is_refused_because_csv_goes_to_stdout(used: Home) -> None:
    for name in ("session", "daily"):
        assert "CSV goes to stdout: " in used.run(name, "--csv", "week.csv").err


@pytest.mark.parametrize("name", ["session", "daily", "blocks"])
def test_if_nothing_is_found_the_last_usage_or_a_similar_project_is_named(home: Home, name: str) -> None:
    home.write("web/s.jsonl", line(at="2026-05-02T10:00:00Z", cwd="/home/me/website"))
    home.write("api/t.jsonl", line("b", "b", "t", at="2026-05-04T10:00:00Z", cwd="/home/me/api"))
    late = name, "--since", "2026-06-01", "--project"
    assert "; the last usage was on 2026-05-04" in home.run(*late[:3]).err
    assert "; the last usage was on 2026-05-02" in home.run(*late, "web").err
    assert "; no project has 'wbsite' in its path, did you mean website?\n" in home.run(*late, "wbsite").err
    folder = "home-me-website"  # a folder below `projects/`, in which the list does not look
    told = f"no project has {folder!r} in its path" if name == "session" else "the last usage was on 2026-05-02"
    assert f"; {told}" in home.run(*late, folder).err


def test_an_empty_id_is_reported_as_empty(used: Home) -> None:
    assert "the id is empty" in used.run("session", "").err


@pytest.mark.parametrize("wanted", ["nope", "", "-weird"])
def test_an_unknown_session_is_exit_3_and_null(used: Home, wanted: str) -> None:
    """Hostile ids are in tests/index/test_bad_input.py."""
    ran = used.run("session", f"--id={wanted}", "--json")
    assert (ran.code, ran.out) == (3, "null\n")
    assert ran.err.count("\n") == 1
    assert used.run("session", f"--id={wanted}", "--jq", ".totalCost").out == "null\n"
    assert used.run("session", f"--id={wanted}").out == ""


def test_a_value_may_begin_with_a_dash(used: Home) -> None:
    used.write("p/-weird.jsonl", line("z", "z", "-weird"))
    for id in (["--id=-weird"], ["--id", "-weird"], ["-i", "-weird"]):
        assert used.run("session", *id, "--jq", ".responses").out == "1\n"
    assert used.run("session", "--id", "-weird", "-q", "-.responses").out == "-1\n"
    assert used.run("session", "-p", "-home-me-proj", "--json").code == 0


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
        pytest.param(["--since", "9999w"], [ID, OTHER], id="since so many weeks"),
        pytest.param(["--until", "Yesterday", "--since", "2d"], [], id="until yesterday"),
        pytest.param(["--until", "20260502"], [OTHER], id="until is inclusive"),
        pytest.param(["--until", "2026-05-01"], [], id="until earlier"),
        pytest.param(["--since", "2026-05-04", "--timezone", "Asia/Tokyo"], [ID], id="days are the zone's"),
        pytest.param(["--project", "OTHER"], [OTHER], id="project"),
        pytest.param(["--project", "."], [], id="this folder"),
        pytest.param(["--order", "asc"], [OTHER, ID], id="ascending"),
        pytest.param(["--sort", "date", "--order", "asc"], [OTHER, ID], id="by date"),
        pytest.param([], [ID, OTHER], id="descending"),
    ],
)
def test_options_choose_and_sort_the_sessions_of_the_list(used: Home, args: list[str], ids: list[str]) -> None:
    assert listed(used, *args) == ids


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(["session", "--since", "tomorrow"], "yesterday, 7d", id="day"),
        pytest.param(["session", "--since", "2026-02-30"], "2026-02-30", id="day that is none"),
        pytest.param(["session", "--since", "20260601", "--until", "20260501"], "after", id="since after until"),
        pytest.param(["session", "--timezone", "Europe/Berln"], "Europe/Berlin", id="zone"),
        pytest.param(["session", "--timezone", "../../etc/passwd"], "no time zone", id="zone that is a path"),
        pytest.param(["session", "--id", ID, "--since", "20260501"], "--since", id="filter with --id"),
        pytest.param(["session", "--id", ID, "--project", "x"], "--project", id="project with --id"),
        pytest.param(["session", "--id", ID, "-n", "1"], "--limit", id="limit with --id"),
        pytest.param(["session", "-n", "0"], "less than 1", id="limit of nothing"),
        pytest.param(["session", "latest", "-n", "0"], "--limit", id="limit of nothing with --id"),
        pytest.param(["session", "-n", "3", "--json"], "'.sessions[:3]'", id="limit of JSON"),
        pytest.param(["session", "--entries", "--json"], "--id", id="entries without --id"),
        pytest.param(["session", "one", "--id", "two"], "one session at a time", id="two sessions"),
        pytest.param(["live", "--refresh-interval", "61"], "from 1 to 60", id="too seldom"),
        pytest.param(["live", "--refresh-interval", "0"], "from 1 to 60", id="without a pause"),
        pytest.param(["live", "--csv"], "--csv", id="live as CSV"),
        pytest.param(["blocks", "--live", "--since", "2026-01-01"], "--since", id="live of the past"),
        pytest.param(["blocks", "--live", "-b"], "--breakdown", id="live with models"),
        pytest.param(["blocks", "--live", "-o", "desc"], "--order", id="live in an order"),
        pytest.param(["blocks", "--once"], "--live", id="once without live"),
        pytest.param(["blocks", "-n", "1e9"], "to 8,784", id="blocks of a century"),
        pytest.param(["blocks", "--refresh-interval", "0"], "--live", id="no pause without live"),
    ],
)
def test_a_usage_error_is_one_line_and_exit_2(used: Home, args: list[str], says: str) -> None:
    ran = used.run(*args)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert says in ran.err


MISTAKES = {
    "sesion": "no command 'sesion', did you mean session?",
    "7f3a-11b2": "no command '7f3a-11b2'; for a session write `ccusage session 7f3a-11b2`",
    "version": "no command 'version', did you mean `ccusage --version`?",
    "forget": "no command 'forget', did you mean `ccusage index forget`?",
    "session --jsn": "no option '--jsn', did you mean --json?",
    "session --mode calc": "--mode 'calc' is not one of auto, calculate, display, did you mean calculate?",
    "session --order up": "--order 'up' is not one of desc, asc",
    "session --order": "--order wants desc or asc",
    "session --id": "--id wants ID",
    "session --json=yes": "--json takes no value",
    "session --config": "--config wants a FILE",
    "session --config=": "--config wants a FILE",
    "session one two": "unexpected argument 'two'",
    "session --since": "--since wants DAY",
    "session --since soon": "--since 'soon' is not a day; write YYYY-MM-DD, YYYYMMDD, today, yesterday, 7d or 2w",
    "session -O --jq sessions": "--jq: sessions/0 is not defined",
    "daily 7": "unexpected argument '7'",
    "index forgt": "action 'forgt' is not one of status, refresh, verify, rebuild, forget, path, did you mean forget?",
    "init": "ccusage init wants bash, zsh or fish",
    "init zhs": "shell 'zhs' is not one of bash, zsh, fish",
    "install --padding wide": "--padding 'wide' is not a whole number",
    "install --format {modle}": "--format: no segment {modle}, did you mean {model}?",
    "install --mode calc": "--mode wants auto, calculate or display",
    "live --refresh-interval fast": "--refresh-interval 'fast' is not a whole number",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_named_with_what_to_do(used: Home, words: str) -> None:
    ran = used.run(*words.split())
    assert (ran.code, ran.out) == (4 if "--jq" in words else 2, "")
    assert ran.err.startswith(f"ccusage: {MISTAKES[words]}")
    assert "argument " not in ran.err.replace("unexpected argument", "")
    if "--jq" in words:
        assert ran.err.endswith("\na key begins with a dot: .sessions\n")


def test_a_group_without_an_action_shows_its_state(used: Home) -> None:
    used.run("session")
    for group, action in (("index", "status"), ("prices", "show"), ("config", "show")):
        assert used.run(group) == used.run(group, action)
        assert used.run(group).code == 0


def test_each_mode_has_its_own_cost(home: Home) -> None:
    home.write("p/s.jsonl", line(costUSD=1.5) + line("m2", "r2"))
    costs = [
        home.run("session", "--id", ID, "--jq", ".totalCost", "--mode", mode).out
        for mode in ("auto", "calculate", "display")
    ]
    assert costs == ["1.50255\n", "0.0051\n", "1.5\n"]


def test_models_without_a_price_are_named(home: Home) -> None:
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


def test_the_version_is_printed(home: Home) -> None:
    assert home.run("--version").out == home.run("-V").out == f"ccusage-line {__version__}\n"


def test_every_help_fits_80_columns_and_that_of_session_fits_a_screen(home: Home) -> None:
    for name in ("", *COMMANDS):
        ran = home.run("help", *name.split())
        assert (ran.code, ran.err) == (0, "")
        assert max(map(len, ran.out.splitlines())) <= 80
        assert ran == home.run(*name.split(), "--help")
    assert "calculate or display (default: auto)" in home.run("help", "session").out
    assert "`ccusage session --help` has its options" in home.run("help").out
    lines = home.run("help", "session").out.splitlines()
    assert len(lines) <= 24
    assert lines[-1].startswith("example: ccusage session ")


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
def test_output_is_coloured_only_if_options_or_environment_ask_for_it(
    used: Home, args: list[str], env: dict[str, str], colored: bool
) -> None:
    assert ("\x1b[" in used.run("session", *args, **env).out) == colored


def test_demo_is_the_real_report_on_the_sample(home: Home) -> None:
    ran = home.run("demo")
    assert ran.code == 0
    assert "Total" in ran.out
    assert not home.state.exists()
    assert json.loads(home.run("demo", "--json").out)["totals"]["totalCost"] > 0


def test_an_empty_home_can_ask_for_the_demo_instead(home: Home) -> None:
    assert home.run("session", "--or-demo").out == home.run("demo").out


def test_index_path_and_status_describe_the_index(used: Home) -> None:
    used.run()
    place = used.run("index", "path").out.strip()
    assert Path(place).is_relative_to(used.state)
    status = used.run("index", "status")
    assert status.code == 0
    assert re.search(r"all transcripts read +yes", status.out)


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
        [sys.executable, "-m", "ccusage_line", "session", "--json"],
        env=home.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until(lambda: len(home.processes()) > 1 or process.poll() is not None, "the workers have started")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    goes_on = b"ccusage: interrupted; the next run continues where this one stopped\n"
    assert (process.returncode, said) in ((0, b""), (130, goes_on))
    until(lambda: not home.processes(), "the workers have ended")
    assert home.run("session", "--jq", ".sessions | length").out == "8\n"
