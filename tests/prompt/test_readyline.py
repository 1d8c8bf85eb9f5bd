"""The ready line: which one belongs to a folder, what it shows, and until when it is fresh."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccusage_line.index.index import Index
from ccusage_line.paths import data_dirs, index_dir
from ccusage_line.prompt import command as prompt
from ccusage_line.prompt import line as readyline
from ccusage_line.session import ModelUsage, Session
from conftest import UNHURRIED_COMMAND
from processes import bare_python
from shells import CLOCK_TICK, World, until

SECOND = 1_000_000_000


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    for name in ("HOME", "CLAUDE_CONFIG_DIR", "CCUSAGE_STATE_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, world.environ[name])
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    return world


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("/home/ann/web", "-home-ann-web", id="plain"),
        pytest.param("/home/ann/my_web app.v2", "-home-ann-my-web-app-v2", id="punctuation"),
        pytest.param("/home/ann/Bücher", "-home-ann-B-cher", id="one-unit"),
        pytest.param("/home/ann/🙂x", "-home-ann---x", id="two-units"),
        pytest.param("/a\nb", "-a-b", id="newline"),
        pytest.param("/", "-", id="root"),
        pytest.param("/x٣", "-x-", id="digit-of-another-script"),
    ],
)
def test_a_folder_is_munged_as_the_client_does(path, name):
    assert readyline.munge(path) == readyline.folder_name(path) == name


def test_a_long_folder_name_is_cut_and_ends_in_javas_hash_of_the_whole_path():
    path = "/home/ann/" + "long/" * 50 + "Bücher🙂"
    units = path.encode("utf-16-le")
    codes = [int.from_bytes(units[i : i + 2], "little") for i in range(0, len(units), 2)]
    value = sum(code * 31 ** (len(codes) - 1 - place) for place, code in enumerate(codes)) % 2**32
    value = min(value, 2**32 - value)
    name = readyline.folder_name(path)
    assert name[:201] == readyline.munge(path)[:200] + "-"
    assert int(name[201:], 36) == value
    assert readyline.folder_name("/" + "a" * 198) == "-" + "a" * 198


def test_the_levels_of_a_linked_folder_are_the_real_one_and_the_typed_one_nearest_first(tmp_path):
    real = tmp_path / "disk" / "web"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    assert readyline.folders_upwards(f"{tmp_path}/link")[:3] == [str(real), f"{tmp_path}/link", f"{tmp_path}/disk"]
    assert readyline.folders_upwards("/usr")[-1] == "/"


def test_a_name_of_any_length_becomes_file_names_that_fit(tmp_path):
    path = readyline.path_of(str(tmp_path), "-" + "a" * 900)
    readyline.write(path, "x", examined_ns=time.time_ns(), expires=2**31)
    assert readyline.read(path).text(readyline.PLAIN) == "x"
    assert readyline.path_of("d", "-" + "a" * 900) != readyline.path_of("d", "-" + "a" * 901)


# --- the file ----------------------------------------------------------------------------------------------------


def _write(
    path: Path, examined_ns: int, *dependencies: Path, text: str = "$1.00", seconds: int = 300
) -> readyline.Line:
    expires = examined_ns // SECOND + seconds
    readyline.write(str(path), text, examined_ns=examined_ns, expires=expires, dependencies=map(str, dependencies))
    line = readyline.read(str(path))
    assert line is not None
    return line


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a file that has not changed for a minute."""
    path = tmp_path / "transcript"
    path.write_text("{}")
    moment = time.time_ns() - 60 * SECOND + 123_456_789
    os.utime(path, ns=(moment, moment))
    return path


def test_a_line_is_fresh_from_its_look_until_it_expires(tmp_path, old):
    examined_ns = time.time_ns()
    line = _write(tmp_path / "line", examined_ns, old)
    assert line.is_fresh(examined_ns / SECOND)
    assert line.is_fresh(examined_ns // SECOND + 299)
    assert not line.is_fresh(examined_ns // SECOND + 300)
    assert not line.is_fresh(examined_ns // SECOND - 1), "the clock was set back"


@pytest.mark.parametrize("tick", [pytest.param(0, id="same-moment"), pytest.param(10_000_000, id="clock-tick-behind")])
def test_a_change_after_the_look_shows_even_if_its_time_is_a_tick_behind(tmp_path, old, tick):
    examined_ns = time.time_ns()
    line = _write(tmp_path / "line", examined_ns, old)
    os.utime(old, ns=(examined_ns - tick, examined_ns - tick))
    assert not line.is_fresh(examined_ns / SECOND)


def test_a_change_within_the_same_second_shows_where_files_keep_whole_seconds(tmp_path, old):
    examined_ns = time.time_ns() // SECOND * SECOND + 900_000_000
    whole = examined_ns // SECOND * SECOND - 60 * SECOND
    os.utime(old, ns=(whole, whole))
    line = _write(tmp_path / "line", examined_ns, old)
    os.utime(old, ns=(examined_ns // SECOND * SECOND,) * 2)
    assert not line.is_fresh(examined_ns / SECOND)


def test_a_file_from_the_future_is_not_newer_for_ever(tmp_path, old):
    future = time.time_ns() + 3600 * SECOND
    os.utime(old, ns=(future, future))
    line = _write(tmp_path / "line", time.time_ns(), old)
    assert line.is_fresh(time.time())
    os.utime(old, ns=(future + SECOND, future + SECOND))
    assert not line.is_fresh(time.time())


def test_a_dependency_that_no_line_can_name_makes_the_line_short_lived(tmp_path, old):
    odd = tmp_path / "a\nb"
    odd.write_text("")
    examined_ns = time.time_ns()
    line = _write(tmp_path / "line", examined_ns, old, odd)
    assert line.text(readyline.PLAIN) == "$1.00"
    assert not line.is_fresh(examined_ns / SECOND + 3)


def test_a_ready_line_is_private_and_written_in_one_piece(tmp_path, old):
    line = _write(tmp_path / "line", time.time_ns(), old)
    assert os.stat(line.path).st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["line", "transcript"]


@pytest.mark.parametrize(
    "data", [b"", b"ccusage-line 2\n" * 20, b"ccusage-line 1\n1\n", b"\xff" * 100, b"ccusage-line 1\nx\n" * 20]
)
def test_data_that_is_no_ready_line_is_not_read(tmp_path, data):
    (tmp_path / "line").write_bytes(data)
    assert readyline.read(str(tmp_path / "line")) is None


# --- text --------------------------------------------------------------------------------------------------------

NASTY = "a\x1b[31mb\x1b]0;t\x07\x1b[2Jc\nd\r\u2028\u202e$(x)`y`%n\\u#!\ud83d\x9b\x7f é 🙂 \ue0b0"


def test_text_loses_all_control_sequences_except_colours():
    shown = readyline.escape(NASTY)
    assert shown == "a\x1b[31mb]0;t2Jc d  $(x)`y`%n\\u#!\ufffd é 🙂 \ue0b0"
    assert readyline.escape(NASTY, colour=False) == shown.replace("\x1b[31m", "")


def test_text_is_made_harmless_for_each_shell():
    assert readyline.escape("$1 50% `x` \\", "zsh") == "$%{%}1 50%% 'x' \\%{%}"
    assert readyline.escape("$1 `x` \\u", "bash") == "$\x01\x021 'x' \\\x01\x02u"
    assert readyline.escape("#S #[fg=red]", "tmux") == "##S ##[fg=red]"
    assert readyline.escape("\x1b[1mx\x1b[0m", "bash") == "\x01\x1b[1m\x02x\x01\x1b[0m\x02"


def test_colour_that_is_left_open_is_closed(tmp_path, old):
    line = _write(tmp_path / "line", time.time_ns(), old, text="\x1b[31mred")
    assert line.text(readyline.ANSI) == "\x1b[31mred\x1b[0m"
    assert line.text(readyline.PLAIN) == "red"


def test_the_default_text_is_cost_today_and_context():
    session = _session(cost=1_234_567_000_000_000)
    assert readyline.escape(readyline.default_text(session, (5_000_000_000_000, True), 81), colour=False) == (
        "$1,234.57 · $5.00+? today · 81% context"
    )
    session.models[0].unpriced = 1
    assert readyline.escape(readyline.default_text(session, None, None), colour=False) == "$1,234.57+?"


def _session(cost: int = 10**12, last: float | None = None, id: str = "s") -> Session:
    moment = int((time.time() if last is None else last) * 1_000_000)
    return Session(id, [ModelUsage("claude-opus-4-5", output=1, cost=cost, responses=1)], moment, moment, responses=1)


def _project(transcript: Path) -> readyline.Project:
    return readyline.Project(transcript.parent.name, [str(transcript.parent)])


# --- publishing --------------------------------------------------------------------------------------------------


def test_a_published_line_says_what_a_session_costs_and_depends_on_its_files(world):
    project = world.project()
    world.spend(project)
    transcript = world.transcript(project)
    below = transcript.with_suffix("") / "subagents"
    below.mkdir(parents=True)
    (below / "agent-1.jsonl").write_text("{}\n")
    time.sleep(0.1)  # a line about files younger than a clock tick is not fresh
    examined_ns = time.time_ns()
    readyline.publish(
        readyline.Place(os.environ),
        _session(),
        _project(transcript),
        examined_ns=examined_ns,
        today=(2 * 10**12, False),
        context=7,
    )
    line = world.line(project)
    assert line.text(readyline.PLAIN) == "$1.00 · $2.00 today · 7% context"
    for path in (transcript.parent, transcript, below, below / "agent-1.jsonl"):
        os.utime(path, ns=(examined_ns - SECOND, examined_ns - SECOND))
    for path in (transcript.parent, transcript, below, below / "agent-1.jsonl"):
        assert world.fresh(project)
        os.utime(path)
        assert not world.fresh(project), path
        os.utime(path, ns=(examined_ns - SECOND, examined_ns - SECOND))


def test_the_newest_session_keeps_the_line_of_all_from_an_older_one(world):
    newer, older = world.project("newer"), world.project("older")
    for project in (newer, older):
        world.spend(project)
    now = time.time_ns()
    readyline.publish(
        readyline.Place(os.environ), _session(2 * 10**12), _project(world.transcript(newer)), examined_ns=now
    )
    readyline.publish(
        readyline.Place(os.environ), _session(10**12, 1), _project(world.transcript(older)), examined_ns=now
    )
    assert world.line(newer).text(readyline.PLAIN) == "$2.00"
    assert prompt.find_line(os.environ, None).text(readyline.PLAIN) == "$2.00"


@pytest.mark.parametrize(
    ("ago", "shown"), [pytest.param(12 * 3600 - 60, "$1.00", id="still"), pytest.param(12 * 3600 + 60, "", id="idle")]
)
def test_an_idle_session_leaves_the_prompt(world, ago, shown):
    project = world.project()
    world.spend(project)
    time.sleep(0.1)
    session = _session(last=time.time() - ago)
    readyline.publish(
        readyline.Place(os.environ), session, _project(world.transcript(project)), examined_ns=time.time_ns()
    )
    line = world.line(project)
    assert line.text(readyline.PLAIN) == shown
    assert line.is_fresh(time.time() + 3600) == (shown == "")


def test_a_line_expires_at_local_midnight(world, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    before, after = 1_774_652_340, 1_774_652_400  # 2026-03-27 23:59 and 24:00 in Berlin
    assert readyline._midnight(before) == after
    assert readyline._midnight(after) == after + 86_400
    assert readyline._midnight(after + 86_400) == after + 86_400 + 82_800, "the night that lacks an hour"


# --- which project -----------------------------------------------------------------------------------------------


def test_below_a_project_its_line_is_shown(world):
    project = world.project()
    world.spend(project)
    below = project / "src" / "deep"
    below.mkdir(parents=True)
    assert prompt.text(os.environ, cwd=str(below)).startswith("$0.10")


def test_outside_of_projects_nothing_is_shown_and_nothing_written(world):
    world.spend(world.project())
    assert prompt.text(os.environ, cwd=str(world.home)) == ""
    assert world.line(world.home) is None


def test_a_project_folder_without_transcripts_gives_way_to_the_project_above(world):
    outer = world.project("outer")
    inner = world.project("outer/inner")
    world.spend(outer)
    world.transcript(inner)
    assert prompt.text(os.environ, cwd=str(inner)).startswith("$0.10")
    assert world.line(inner).text(readyline.PLAIN).startswith("$0.10"), "so that a shell finds a line there"
    world.spend(inner, output=8000, session="inner-1")
    assert prompt.text(os.environ, cwd=str(inner)).startswith("$0.20")


def test_a_project_folder_without_transcripts_and_nothing_above_is_silent(world):
    project = world.project()
    world.transcript(project)
    assert prompt.text(os.environ, cwd=str(project)) == ""
    assert world.fresh(project) or world.line(project) is not None


def test_a_path_of_more_than_two_hundred_characters_has_a_line(world):
    project = world.project("/".join(["long-part-of-a-path"] * 15))
    world.spend(project)
    assert prompt.text(os.environ, cwd=str(project)).startswith("$0.10")
    assert world.line(project) is not None


def test_tmux_without_a_folder_shows_the_newest_session_of_all(world):
    first, second = world.project("first"), world.project("second")
    world.spend(first)
    os.utime(world.transcript(first), ns=(SECOND, SECOND))
    world.spend(second, output=12_000, session="second-1")
    assert prompt.text(os.environ, "tmux").startswith("$0.30")
    assert prompt.text(os.environ, "tmux", str(first)).startswith("$0.10")


def test_todays_cost_of_all_projects_is_shown_after_the_index_is_complete(world, monkeypatch):
    monkeypatch.setattr(
        "ccusage_line.background.spawn", lambda *words: True
    )  # starts no sweep, which could end before the question
    first, second = world.project("first"), world.project("second")
    world.spend(first)
    world.spend(second, output=12_000, session="second-1")
    assert prompt.text(os.environ, cwd=str(first)) == "$0.10\n"
    index = Index(index_dir(os.environ), data_dirs(os.environ))
    index.refresh()
    index.close()
    world.spend(first)
    assert prompt.text(os.environ, cwd=str(first)) == "$0.20 · $0.50 today\n"


def _ask_for_prices(path: Path, output: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[prices.models."claude-opus-4-5"]\ninput = 1\noutput = {output}\n')


def test_prices_are_those_of_the_config_in_force_whatever_was_read_last(world):
    project = world.project()
    shown = []
    for output in (25, 50, 75):  # nobody else reads any of these
        _ask_for_prices(world.home / ".config" / "ccusage-line" / "config.toml", output)
        world.spend(project)
        shown.append(prompt.text(os.environ, cwd=str(project)).partition(" ")[0].strip())
    assert shown == ["$0.10", "$0.40", "$0.90"]
    _ask_for_prices(world.home / "other.toml", 1000)
    ran = world.run("session", "--config", str(world.home / "other.toml"), "--jq", ".totals.totalCost")
    assert (ran.stdout, ran.stderr) == ("12.0\n", "")
    world.spend(project)
    assert prompt.text(os.environ, cwd=str(project)).startswith("$1.20")


def test_a_provisional_line_expires_within_seconds(world, monkeypatch):
    monkeypatch.setattr("ccusage_line.background.spawn", lambda *words: True)  # pretends that a sweep has started
    elsewhere, project = world.project("elsewhere"), world.project()
    world.spend(elsewhere, session="a")
    text = world.transcript(elsewhere, "a").read_text()  # an old client's fork has these lines under its own id
    world.transcript(project, "fork").write_text(text.replace('"sessionId":"a"', '"sessionId":"fork"'))
    world.spend(project, session="fork")
    assert _cost(project) == "$0.20"
    assert world.line(project).is_expired(time.time() + 11)
    _take_in(world)
    os.utime(world.transcript(project, "fork"))
    assert _cost(project) == "$0.10"
    assert not world.line(project).is_expired(time.time() + 11)


# --- the context -------------------------------------------------------------------------------------------------

SESSION = "5f0c9a1e-0000-4000-8000-000000000001"


def _ask(world, project, tokens, model, told=None):
    """Return the last part of the prompt after a response to *tokens* and a statusline with the window *told*."""
    path = world.transcript(project)
    world.spend(project)
    *before, last = path.read_text().splitlines()
    line = json.loads(last)
    line["message"] |= {"model": model, "usage": {"input_tokens": 1, "cache_read_input_tokens": tokens - 1}}
    path.write_text("".join(f"{text}\n" for text in (*before, json.dumps(line, separators=(",", ":")))))
    if told is not None:
        _tell(world, project, told)
    time.sleep(CLOCK_TICK)
    parts = prompt.text(os.environ, cwd=str(project)).strip().split(" · ")
    # The day's cost comes last as soon as a statusline's sweep has completed the index, which may be now or later.
    return [part for part in parts if not part.endswith(" today")][-1]


def _tell(world, project, window):
    given = {
        "session_id": SESSION,
        "prompt_id": "p1",
        "transcript_path": str(world.transcript(project)),
        "context_window": {"context_window_size": window, "current_usage": {"input_tokens": 1}},
    }
    ran = subprocess.run(
        [*UNHURRIED_COMMAND, "statusline"], input=json.dumps(given), env=world.environ, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("tokens", "model", "told", "shown"),
    [
        pytest.param(100_000, "claude-opus-4-5", None, "50% context", id="the-models"),
        pytest.param(100_000, "claude-opus-4-5", 1_000_000, "10% context", id="the-clients"),
        pytest.param(100_000, "in-house-coder-2", 400_000, "25% context", id="the-clients-alone"),
        pytest.param(200_000, "claude-opus-4-5", 200_000, "100% context", id="full"),
        pytest.param(280_000, "claude-opus-4-6", None, "28% context", id="the-long-variants"),
        pytest.param(280_000, "claude-sonnet-4-5", 200_000, "28% context", id="the-long-ones-in-spite-of-the-clients"),
        pytest.param(280_000, "claude-sonnet-5-5", 200_000, "28% context", id="the-models-in-spite-of-the-clients"),
        pytest.param(280_000, "claude-opus-4-5", 200_000, "$0.14", id="none-that-holds-it"),
        pytest.param(1_200_000, "claude-opus-4-6", 1_000_000, "$0.60", id="longer-than-long"),
    ],
)
def test_the_context_is_a_part_of_a_window_that_can_hold_it(world, tokens, model, told, shown):
    assert _ask(world, world.project(), tokens, model, told) == shown


def test_another_window_shows_without_a_response(world):
    project = world.project()
    assert _ask(world, project, 100_000, "claude-opus-4-5", 200_000) == "50% context"
    time.sleep(CLOCK_TICK)
    prompt.text(os.environ, cwd=str(project))
    assert world.fresh(project)
    _tell(world, project, 1_000_000)
    assert not world.fresh(project)
    assert prompt.text(os.environ, cwd=str(project)).endswith(" · 10% context\n")


# --- where transcripts lie ---------------------------------------------------------------------------------------


def _take_in(world: World) -> None:
    assert world.run("index", "refresh").returncode == 0


def _cost(project: Path) -> str:
    time.sleep(CLOCK_TICK)
    return prompt.text(os.environ, cwd=str(project)).partition(" ")[0].strip()


def test_a_subagents_file_beside_the_sessions_adds_to_its_sessions_cost(world):
    project = world.project()
    world.spend(project)
    mine = world.transcript(project)
    side = mine.with_name("agent-7f.jsonl")
    side.write_text(mine.read_text().replace("_0", "_s").replace('"cwd"', '"isSidechain":true,"agentId":"7f","cwd"'))
    _take_in(world)
    assert _cost(project) == "$0.20"
    assert _cost(project) == "$0.20"
    assert world.fresh(project)
    with side.open("a") as file:
        file.write(side.read_text().replace("_s", "_t"))
    assert not world.fresh(project)
    assert _cost(project) == "$0.30"


def test_a_session_with_a_folder_of_its_own_is_shown(world):
    project = world.project()
    world.spend(project, session="s")
    chat = world.transcript(project, "s/chat")
    chat.parent.mkdir()
    world.transcript(project, "s").rename(chat)
    shown = _cost(project)
    assert shown in ("", "$0.10")
    assert shown or world.line(project).is_expired(time.time() + 61), "it may not be known yet"
    _take_in(world)
    os.utime(chat)
    assert _cost(project) == "$0.10"
    below = chat.parent / "subagents" / "agent-1.jsonl"
    below.parent.mkdir()
    below.write_text(chat.read_text().replace("_0", "_s"))
    assert _cost(project) == "$0.20"
    assert _cost(project) == "$0.20"
    assert world.fresh(project)
    with chat.open("a") as file:
        file.write(chat.read_text().replace("_0", "_1"))
    assert not world.fresh(project)
    assert _cost(project) == "$0.30"


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_prints_the_text_of_each_kind(world):
    project = world.project()
    world.spend(project)
    for kind, begin in ((None, "$0.10"), ("starship", "$0.10"), ("p10k", "$%{%}0.10"), ("tmux", "$0.10")):
        ran = world.run("prompt", *(("--for", kind) if kind else ()), "--cwd", str(project))
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith(begin), kind


def test_a_folder_may_be_named_by_any_path_to_it(world):
    project = world.project()
    world.spend(project)
    for path in ("work", "./work/", "../home/work", f"{project}/", f"{project}/src/.."):
        ran = subprocess.run(
            [str(world.ccusage), "prompt", "--cwd", path],
            cwd=world.home,
            env=world.environ,
            capture_output=True,
            text=True,
        )
        assert (ran.returncode, ran.stdout[:5], ran.stderr) == (0, "$0.10", ""), path


def test_a_line_that_holds_is_shown_without_the_index(world):
    project = world.project()
    world.spend(project)
    world.settle(project)
    code = "from ccusage_line.prompt import command; command.answer(sys.argv[1:]); print(*sys.modules)"
    text, modules = bare_python(code, world.environ, "--cwd", str(project)).splitlines()
    assert text.startswith("$0.10")
    assert not {"argparse", "json", "re", "sqlite3", "ccusage_line.index.index", "platformdirs"} & set(modules.split())


def test_only_one_refresher_works_at_a_time_and_the_other_ends(world):
    import fcntl

    project = world.project()
    world.spend(project)
    (world.state / "prompt").mkdir(parents=True)
    with open(world.state / "prompt" / "refresh.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = world.run("prompt", "--refresh", "--cwd", str(project))
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
        time.sleep(0.3)
        assert world.line(project) is None
    world.run("prompt", "--refresh", "--cwd", str(project))
    until(lambda: world.line(project) is not None, "the line is written once the lock is free")


def test_a_refresher_has_its_own_session_and_nothing_of_the_shells(world):
    told = world.home / "told"
    code = (
        "import os; from ccusage_line.prompt import command; command._detach();"
        f" open({str(told)!r}, 'w').write(' '.join([str(os.getsid(0) == os.getpid() or os.getsid(0)),"
        " *(str(os.path.samestat(os.fstat(fd), os.stat(os.devnull))) for fd in (0, 1, 2))]))"
    )
    for group in (False, True):  # as a child in the shell's group, and as the leader of a group
        told.unlink(missing_ok=True)
        subprocess.run([sys.executable, "-c", code], process_group=0 if group else None, check=True) if (
            sys.version_info >= (3, 11)
        ) else subprocess.run([sys.executable, "-c", code], check=True)
        until(told.exists, "the refresher has written")
        until(lambda: told.read_text().count("True") == 4, told.read_text())


def test_after_a_refresh_that_failed_the_marker_stays(world):
    project = world.project()
    world.spend(project)
    folder = world.state / "prompt"
    folder.mkdir(parents=True)
    (folder / "refreshing").write_text("1\n")
    world.run("prompt", "--refresh", "--cwd", str(project))
    until(lambda: not (folder / "refreshing").exists(), "a good refresh removes the marker")
    (folder / "refreshing").write_text("1\n")
    (world.state / "in-the-way").write_text("")
    world.run("prompt", "--refresh", "--cwd", str(project), CCUSAGE_STATE_DIR=str(world.state / "in-the-way"))
    time.sleep(0.3)
    assert (folder / "refreshing").exists()
