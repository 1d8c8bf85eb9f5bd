"""`ccusage live` on a terminal: it follows the numbers, and however it ends, the screen is restored."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccusage_line.index.schema import connect
from ccusage_line.paths import index_dir
from conftest import Home
from lines import ago, line, usage
from shells import Shell, World, plain, until
from shells import needs as needs_shell

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="no terminal of this kind"),
    *needs_shell["bash"].marks,
]

_STEP = re.compile(r"\x1b\[2J|\x1b\[(\d+);1H\x1b\[2K([^\x1b]*)")
_OFF = {"\x1b[?1049l", "\x1b[?25h", "\x1b[?7h", "\x1b[?2026l"}
_ON = {"\x1b[?1049h", "\x1b[?25l", "\x1b[?7l"}


def frame(text: str) -> list[str]:
    """Return the lines that the last frame left on the screen."""
    rows: dict[int, str] = {}
    for step in _STEP.finditer(re.sub(r"\x1b\[[0-9]*m", "", text)):
        if step[1] is None:
            rows.clear()
        else:
            rows[int(step[1])] = step[2]
    return [rows[number] for number in sorted(rows) if rows[number]]


def is_as_before(text: str) -> bool:
    """Return whether every terminal mode that was switched on was switched off again, the screen last."""
    switches = re.findall(r"\x1b\[\?(?:1049|25|7|2026)[hl]", text)
    last = {switch[:-1]: switch for switch in switches}
    return {*last.values()} == _OFF and switches[-1] == "\x1b[?1049l"


class Live(Shell):
    """A shell in which `ccusage live` runs."""

    def __init__(self, world: World, options: str = "--refresh-interval 1", first: str = "TODAY", **more: str) -> None:
        super().__init__("bash", world, "PS1='$ '", **more)
        self.options = options
        self.first = first  # text of the first frame

    def __enter__(self) -> Live:
        super().__enter__()
        self.before = self.value('"$(stty -g)"')
        self.from_here = len(self.screen)
        self.send(f"ccusage live {self.options}; echo ended=$?\n")
        self.until_frame(self.first)
        return self

    @property
    def text(self) -> str:
        """The output since live was started."""
        return self.screen[self.from_here :]

    @property
    def frame(self) -> list[str]:
        return frame(self.text)

    @property
    def drawn(self) -> int:
        """The number of frames that changed; all do, because the first line has the time."""
        return self.text.count("\x1b[1;1H")

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Read on until a condition is true."""
        until(lambda: (self.read(0.02), condition())[1], what)

    def until_frame(self, *words: str) -> list[str]:
        """Wait for a frame that has all of *words*, and return it."""
        self.wait(lambda: all(word in "\n".join(self.frame) for word in words), f"a frame with {words}")
        return self.frame

    @property
    def drawer(self) -> int:
        """The number of the process that draws."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        return int(found[-1])

    def ended(self, code: str = "0") -> None:
        """Check that live ended with a code, and that the terminal is as it was."""
        self.read_to(f"ended={code}")
        assert is_as_before(self.text)
        assert self.value('"$(stty -g)"') == self.before


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    found.spend(found.project())
    found.run("index", "refresh")
    return found


@pytest.fixture
def live(world: World) -> Iterator[Live]:
    with Live(world) as found:
        yield found


def test_beside_a_growing_session_the_numbers_follow_within_two_ticks(world: World, live: Live) -> None:
    for spent in ("$0.20", "$0.30", "$0.40"):
        world.spend(world.project())
        ticks = live.drawn
        live.until_frame(f"USED   {spent}", f"TODAY  {spent}")
        assert live.drawn - ticks <= 3  # one of them may have looked before the response was written
    assert any(line.startswith("│ $0.40  work  opus-4-5") for line in live.frame)


def test_a_new_session_of_the_project_and_a_session_elsewhere_come_too(world: World, live: Live) -> None:
    world.spend(world.project(), session="second")
    live.until_frame("$0.20", "2 responses")
    world.spend(world.project("elsewhere"), session="third")
    live.send("r")  # otherwise it would be found within half a minute
    live.until_frame("$0.30", "3 responses", "elsewhere")


@pytest.mark.parametrize("key", [pytest.param("q", id="q"), pytest.param("\x03", id="Ctrl-C")])
def test_a_key_ends_live(live: Live, key: str) -> None:
    live.send(key)
    live.ended()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_live_with_the_usual_exit_code(live: Live, name: str) -> None:
    number = getattr(signal, name)
    os.kill(live.drawer, number)
    live.ended("0" if name == "SIGINT" else str(128 + number))


def test_an_exception_is_shown_after_the_screen_is_restored(world: World) -> None:
    broken = world.home / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "from ccusage_line.report import live\n"
        "draw = live.frame\n"
        "def frame(picture, *rest, **more):\n"
        "    if more.get('models'): raise RuntimeError('out of paint')\n"
        "    return draw(picture, *rest, **more)\n"
        "live.frame = frame\n"
    )
    with Live(world, PYTHONPATH=str(broken)) as live:
        live.send("b")
        live.ended("1")
        assert "out of paint" in live.text.rpartition("\x1b[?1049l")[2]


def called_again(live: Live) -> None:
    live.from_here = len(live.screen)
    live.send("fg; echo ended=$?\n")
    live.until_frame("USED   $0.10", "q quit")


def test_ctrl_z_gives_the_screen_back_until_it_is_called_again(live: Live) -> None:
    live.send("\x1a")
    live.read_to("Stopped")
    assert is_as_before(live.text)
    assert "still-here" in live.run("echo still-here")
    called_again(live)
    assert set(re.findall(r"\x1b\[\?(?:1049|25|7)[hl]", live.text)) == _ON
    live.send("q")
    live.ended()


def test_it_draws_anew_after_a_stop_that_nobody_can_handle(live: Live) -> None:
    os.kill(live.drawer, signal.SIGSTOP)
    live.read_to("Stopped")
    called_again(live)
    live.send("q")
    live.ended()


def test_a_closed_terminal_ends_live(live: Live) -> None:
    process = live.drawer
    live.hang_up()

    def is_gone() -> bool:
        try:
            return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] == "Z"
        except OSError:
            return True

    until(is_gone, "the process is gone")


@pytest.mark.parametrize(("columns", "lines"), [(20, 24), (40, 8), (59, 30), (60, 12), (100, 11), (200, 50)])
def test_a_resized_screen_is_filled_anew(live: Live, columns: int, lines: int) -> None:
    live.read()
    at = len(live.screen)
    live.resize(columns, lines)
    live.wait(lambda: "\x1b[2J" in live.screen[at:], "all of it is drawn")
    live.from_here = at + live.screen[at:].rindex("\x1b[2J")
    shown = live.until_frame("left", "$0.10")
    assert len(shown) <= lines
    assert max(map(len, shown)) <= columns
    live.send("q")
    live.from_here = 0
    live.read_to("ended=0")


def test_keys_pause_show_models_and_nothing_else_does(world: World, live: Live) -> None:
    live.send("b\x1b[A\x1bOPä")
    live.until_frame("models of this block", "1 response  4,000 tokens")
    live.send("p")
    live.until_frame("paused")
    world.spend(world.project())
    live.read(2.5)
    assert "$0.10" in "\n".join(live.frame)
    live.send("p")
    live.until_frame("$0.20", "every 1 s")
    live.send("Q")
    live.ended()


def test_while_another_process_writes_live_shows_its_last_numbers(world: World, live: Live) -> None:
    database = connect(os.path.join(index_dir(world.environ), "index.db"), 5)
    database.execute("BEGIN IMMEDIATE")
    world.spend(world.project())
    ticks = live.drawn
    live.wait(lambda: live.drawn > ticks + 2, "three ticks")
    assert "$0.10" in "\n".join(live.frame)
    database.execute("ROLLBACK")
    database.close()
    live.until_frame("$0.20")
    assert world.run("session", "--json", "--jq", ".totals.totalCost").stdout == "0.2\n"


def test_an_index_that_is_begun_anew_is_read_again(world: World, live: Live) -> None:
    for path in sorted(world.state.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    world.spend(world.project())
    live.until_frame("$0.20")


# --- without a screen ---------------------------------------------------------------------------------------------


def recent(minutes: float, number: int = 1) -> str:
    return line(f"m{number}", f"r{number}", at=ago(minutes * 60), tokens=usage(10, 100))


def test_without_a_terminal_it_is_one_frame(home: Home) -> None:
    home.write("p/s.jsonl", recent(5))
    ran = home.run("live")
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b" not in ran.out
    assert ran.out.startswith("╭ Claude Code ─")
    assert "1 response  opus-4-5 100 %" in ran.out
    assert home.run("blocks", "--live", "--once").out.splitlines()[2:] == ran.out.splitlines()[2:]


@pytest.mark.parametrize("options", ["--once", "--color never --once"])
def test_on_a_terminal_once_is_one_frame_and_nothing_is_switched(world: World, options: str) -> None:
    with Shell("bash", world, "") as shell:
        at = len(shell.screen)
        shell.send(f"ccusage live {options}; echo ended=$?\n")
        shell.read_to("ended=0")
        assert "\x1b[?1049h" not in shell.screen[at:]
        assert "USED   $0.10" in plain(shell.screen[at:])


def test_a_dumb_terminal_gets_one_frame(world: World) -> None:
    with Shell("bash", world, "", TERM="dumb") as shell:
        shell.send("ccusage live; echo ended=$?\n")
        shell.read_to("USED   $0.10", "ended=0")
        assert "\x1b[?1049h" not in shell.screen


def test_its_json_is_that_of_the_active_block(home: Home) -> None:
    home.write("p/s.jsonl", recent(30) + recent(20, 2))
    told, active = (json.loads(home.run(*words, "--json").out) for words in (["live"], ["blocks", "--active"]))
    for data in (told, active):
        del data["blocks"][0]["burnRate"], data["blocks"][0]["projection"]  # they change with the clock
    assert told == active
    assert home.run("live", "--jq", ".blocks[0].entries").out == "2\n"
    assert home.run("blocks", "--live", "--jq", ".blocks[0].entries").out == "2\n"


def test_live_shows_the_numbers_of_blocks_and_daily(home: Home) -> None:
    home.write("p/s.jsonl", recent(40) + recent(30, 2))
    shown = plain(home.run("live", "-t", "1M").out)
    block = json.loads(home.run("blocks", "-a", "-t", "1M", "--json").out)["blocks"][0]
    day = json.loads(home.run("daily", "--last", "1", "--json").out)["daily"][-1]
    assert f"${block['costUSD']:.2f}  {block['totalTokens']:,} of 1,000,000 tokens" in shown
    assert f"{block['entries']} responses" in shown
    assert f"TODAY  ${day['totalCost']:.2f}" in shown
    assert "tokens: ok" in shown


def test_the_interval_of_live_comes_from_the_config(world: World) -> None:
    folder = world.home / ".config" / "ccusage-line"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("[live]\nrefresh-interval = 7\n")
    with Live(world, "") as live:
        live.until_frame("every 7 s")


# --- the first index ----------------------------------------------------------------------------------------------


def test_while_nothing_was_read_yet_its_progress_is_shown(tmp_path: Path) -> None:
    """The index is read by another process; while a lock stops it, live shows its progress."""
    world = World(tmp_path)
    world.spend(world.project())
    folder = Path(index_dir(world.environ))
    folder.mkdir(parents=True, mode=0o700)
    with (folder / "first.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with Live(world, first="Reading all transcripts for the first time:") as live:
            assert any("0 % of 0 MB" in line for line in live.frame)
            assert not any("TODAY" in line for line in live.frame)
            live.send("q")
            live.ended()
        with Live(world, first="Reading all transcripts for the first time:") as live:
            fcntl.flock(lock, fcntl.LOCK_UN)
            live.until_frame("USED   $0.10")


def test_live_reads_by_itself_if_nothing_can_be_stored(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.spend(world.project())
    world.environ["CCUSAGE_STATE_DIR"] = "/dev/null/nowhere"
    with Live(world) as live:
        live.until_frame("USED   $0.10")
        world.spend(world.project())
        live.until_frame("USED   $0.20")
        live.send("q")
        live.ended()
        assert "can't be stored" in live.text.partition("\x1b[?1049h")[0]
