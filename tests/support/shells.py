"""Real shells on a pseudo-terminal, and a world for them: a home, a project with a transcript, a `ccusage`."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ccusage_line.prompt import line as readyline
from ccusage_line.prompt import snippets

SHELLS = ("bash", "zsh", "fish")
PATIENCE = 30.0  # seconds after which waiting fails
CLOCK_TICK = 0.03  # seconds after which the file system gives another change another time
_READING = re.compile(r"\x1b\[\?2004h|⏎")  # what bash 5.1 and zsh, and what fish, write before they read a line
_INTERRUPTED = "Interrupted system call"  # fish 3.6 says so if a redraw interrupts its own command
_ESCAPES = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\](?:(?!\x1b\\)[^\x07])*(?:\x07|\x1b\\)|[\x01\x02]"
)

needs = {
    shell: pytest.param(
        shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")
    )
    for shell in SHELLS
}
EVERY_SHELL = list(needs.values())


class World:
    """A home with Claude Code's data in it, and a `ccusage` that uses only that."""

    SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/homebrew/bin")

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.state = folder / "state"
        self.config = folder / "claude"
        self.projects = self.config / "projects"
        self.bin = folder / "bin"
        for path in (self.home, self.projects, self.bin):
            path.mkdir(parents=True)
        self.ccusage = self.bin / "ccusage"
        self.ccusage.write_text(_COMMAND.format(python=sys.executable))
        self.ccusage.chmod(0o755)
        self.environ = {
            "HOME": str(self.home),
            "PATH": os.pathsep.join((str(self.bin), *self.SYSTEM)),
            "CLAUDE_CONFIG_DIR": str(self.config),
            "CCUSAGE_STATE_DIR": str(self.state),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".data"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "CCUSAGE_OFFLINE": "1",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "TZ": "UTC",
        }

    def project(self, name: str = "work") -> Path:
        """Make a working directory below the home and return it."""
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def transcript(self, project: Path, session: str = "5f0c9a1e-0000-4000-8000-000000000001") -> Path:
        """Return the path of a session's transcript in a project; make its folder."""
        folder = self.projects / readyline.folder_name(os.path.realpath(project))
        folder.mkdir(exist_ok=True)
        return folder / f"{session}.jsonl"

    def spend(self, project: Path, output: int = 4000, session: str = "5f0c9a1e-0000-4000-8000-000000000001") -> None:
        """Append one response to a session: 4,000 output tokens of this model cost $0.10."""
        path = self.transcript(project, session)
        number = path.read_bytes().count(b"\n") if path.exists() else 0
        usage = {"input_tokens": 0, "output_tokens": output}
        line = {
            "type": "assistant",
            "cwd": str(project),
            "sessionId": session,
            "timestamp": moment(),
            "requestId": f"req_{session}_{number}",
            "message": {
                "id": f"msg_{session}_{number}",
                "model": "claude-opus-4-5",
                "stop_reason": "x",
                "usage": usage,
            },
        }
        with path.open("a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def settle(self, project: Path) -> None:
        """Let the files get older than a clock tick, and write the ready line of a project."""
        time.sleep(CLOCK_TICK)
        self.run("prompt", "--refresh", "--cwd", str(project))
        until(lambda: self.fresh(project), "the line is written")

    def line(self, project: Path) -> readyline.Line | None:
        from ccusage_line.paths import index_dir

        folder = readyline.lines_dir(index_dir(self.environ))
        return readyline.read(readyline.path_of(folder, readyline.munge(os.path.realpath(project))))

    def fresh(self, project: Path) -> bool:
        line = self.line(project)
        return line is not None and line.is_fresh(time.time())

    def run(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one `ccusage` command."""
        return subprocess.run(
            [str(self.ccusage), *args], env=self.environ | more, capture_output=True, text=True, timeout=PATIENCE
        )

    def snippet(self, shell: str, **options: bool) -> str:
        return snippets.render(shell, executable=str(self.ccusage), state_dir=str(self.state), **options)


_COMMAND = """\
#!{python}
import sys
from ccusage_line.__main__ import main
sys.exit(main())
"""


def skip_before(shell: str, version: tuple[int, int], why: str) -> None:
    """Skip a test if *shell* is bash, and the one on the PATH of a World is older than *version*."""
    if shell == "bash" and bash_version() < version:
        pytest.skip(f"bash before {version[0]}.{version[1]}: {why}")


@functools.cache
def bash_version() -> tuple[int, int]:
    """Return the major and minor version of the bash on the PATH of a World."""
    code = 'echo "${BASH_VERSINFO[0]} ${BASH_VERSINFO[1]}"'
    path = os.pathsep.join(World.SYSTEM)
    ran = subprocess.run(["bash", "-c", code], env={"PATH": path}, capture_output=True, text=True, check=True)
    major, minor = ran.stdout.split()
    return int(major), int(minor)


def moment() -> str:
    """Return the time as transcripts have it, but to the nanosecond, so that what is written later has a later time."""
    seconds, rest = divmod(time.time_ns(), 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}Z"


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition; fail if it does not become true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"did not happen in time: {what}"
        time.sleep(0.005)


class Shell:
    """An interactive shell on a terminal of 160 x 24, which `with` ends."""

    def __init__(
        self, shell: str, world: World, rc: str, cwd: Path | None = None, wrap: tuple[str, ...] = (), **more: str
    ) -> None:
        self.shell = shell
        self.screen = ""
        self._asked = 0
        self._tells = False  # whether the editor announces that it reads
        place = world.home / f"rc-{shell}"
        place.mkdir(exist_ok=True)
        name = ".zshrc" if shell == "zsh" else "rc"
        (place / name).write_text(rc)
        command = {
            "bash": ["bash", "--noprofile", "--rcfile", str(place / "rc"), "-i"],
            "zsh": ["zsh", "-d", "-i"],
            "fish": ["fish", "--no-config", "-i", "-C", f"source '{place}/rc'"],
        }[shell]
        environ = world.environ | {"ZDOTDIR": str(place), "COLUMNS": "160", "LINES": "24"} | more
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))  # termios.tcsetwinsize needs 3.11
        self.process = subprocess.Popen(
            [*wrap, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ,
            cwd=cwd or world.home,
            preexec_fn=lambda: (os.setsid(), _own_terminal(slave)),
            close_fds=True,
        )
        os.close(slave)

    def __enter__(self) -> Shell:
        self.run("true")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.write(self._master, b"\nexit\n")
            self.process.wait(3)
        except (subprocess.TimeoutExpired, OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        finally:
            os.close(self._master)

    def send(self, text: str) -> None:
        os.write(self._master, text.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Resize the terminal, as a user does with a window; the process in the foreground gets SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def hang_up(self) -> None:
        """Close the terminal, as a user does with a window."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDWR)

    def read(self, seconds: float = 0.3) -> str:
        """Return what comes on the screen until nothing has come for *seconds*."""
        came = b""
        while select.select([self._master], [], [], seconds)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                break
            if not data:
                break
            came += data
        text = came.decode("utf-8", "replace")
        self.screen += text
        return text

    def run(self, command: str) -> str:
        """Return the output of a command line and the next prompt, without escape sequences."""
        self._asked += 1
        mark, end = f"printf '%s-%s\\n' end {self._asked}\n", f"end-{self._asked}"
        self.send(f"{command}\n{mark}")
        text = self.read_to(end, quiet=5.0)
        if end not in plain(text):
            self.send(mark)  # the shell may have lost it because of a signal
            text += self.read_to(end)
        return plain(text + self._prompt(text.rpartition("end-")[2]))

    def enter(self, line: str) -> str:
        """Type only this line and return the next prompt, so that the hooks see no other command."""
        self.send(f"{line}\n")
        return plain(self._prompt())

    def read_to(self, *words: str, quiet: float = PATIENCE) -> str:
        """Return the output until it has all *words*; if nothing came for *quiet* seconds, return too, or fail by
        default."""
        text, came = "", time.monotonic()
        end = came + 4 * PATIENCE  # because output may never end
        while not all(word in plain(text) for word in words):
            assert time.monotonic() < end, f"{self.shell} did not show {words}: {text[-2000:]!r}"
            new = self.read(0.002)
            text += new
            came = time.monotonic() if new else came
            if time.monotonic() - came > quiet:
                assert quiet < PATIENCE, f"{self.shell} did not show {words}: {text!r}"
                break
        return text

    def _prompt(self, text: str = "") -> str:
        """Return what comes after *text* until a prompt has been drawn and the shell waits for a key."""
        came = ""
        self._tells = self._tells or bool(_READING.search(self.screen))
        if not self._tells:
            return self.read(0.3)
        start = last = time.monotonic()
        while not _READING.search(text + came):
            assert time.monotonic() - start < PATIENCE, f"{self.shell} drew no prompt: {text + came!r}"
            new = self.read(0.002)
            came += new
            last = time.monotonic() if new else last
            if time.monotonic() - last > 2 and self._sleeps() is not None:
                break  # zsh loses what it writes while a child ends: C's streams drop an interrupted write
        return came + self._rest()

    def _rest(self) -> str:
        """Return what comes until the shell sleeps and has nothing more to write."""
        came, last = "", time.monotonic()
        asleep = None
        while True:
            before, asleep = asleep, self._sleeps()
            new = self.read(0)
            if new:
                came, last = came + new, time.monotonic()
            elif (asleep is not None and asleep == before) or time.monotonic() - last > 2:
                return came
            time.sleep(0.008)  # look twice: a shell may sleep for a moment between two commands of its own

    def _sleeps(self) -> list[int] | None:
        """Return how often each thread of the shell has gone to sleep, if the line editor has the terminal.

        Return None if a thread or a child runs, or if the system does not tell.
        """
        try:
            if termios.tcgetattr(self._master)[3] & termios.ICANON:
                return None
            tasks = list(Path(f"/proc/{os.tcgetpgrp(self._master)}/task").iterdir())
            states = [(task / "status").read_text() for task in tasks]
            if any((task / "children").read_text() for task in tasks):
                return None
        except (OSError, termios.error):
            return None
        if not all("State:\tS" in state for state in states):
            return None
        return [int(state.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for state in states]

    def value(self, expression: str) -> str:
        """Return what `printf %s EXPRESSION` writes."""
        found: list[str] = []
        text = _INTERRUPTED
        while not found and _INTERRUPTED in text:
            text = self.run(f"printf '<<%s>>\\n' {expression}")
            found = re.findall(r"<<((?:(?!<<).)*?)>>\r?\n", text, re.DOTALL)
        assert found, text
        return found[-1]


def _own_terminal(slave: int) -> None:

    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def plain(text: str) -> str:
    """Return a screen's text without escape sequences."""
    return _ESCAPES.sub("", text).replace("\r\n", "\n")
