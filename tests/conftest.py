"""Fixtures and helpers for every test. They hide the developer's home, and can make a skipped test a failure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from ccusage_line.errors import UserError
from ccusage_line.index.index import Index
from ccusage_line.paths import data_dirs, index_dir
from ccusage_line.prices.table import PriceTable

if TYPE_CHECKING:
    from shells import World

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CCUSAGE_SHARED", ROOT.parent / "shared"))

# These signals are ignored under nohup and behind `&`, and every process that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.environ["CCUSAGE_MANAGED_SETTINGS"] = "/nonexistent/managed-settings.json"  # not the developer's policy

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")


@pytest.fixture
def corpus() -> Path:
    """Return the folder with transcripts of the real client and of public repositories; skip the test without it."""
    if not (SHARED / "corpus").is_dir():
        pytest.skip(f"no corpora at {SHARED}")
    return SHARED / "corpus"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


MAIN = "from ccusage_line import __main__\nraise SystemExit(__main__.main())"
# If a command runs behind this, a file counts as settled after 0.1 seconds instead of the two that file systems need.
SOON = "from ccusage_line import files\nfiles.SETTLED = 100_000_000"
# Behind this a statusline leaves nothing out because the machine is busy.
UNHURRIED = "from ccusage_line.statusline import command\ncommand.DEADLINE = 60"
UNHURRIED_COMMAND = [sys.executable, "-c", f"{UNHURRIED}\n{MAIN}"]


class Home:
    """A user's home with a data directory and a state directory, and ways to run the installed command in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "claude"
        self.projects = self.data / "projects"
        self.state = path / "state"
        self.policy = path / "policy" / "managed-settings.json"
        self.command = [sys.executable, "-m", "ccusage_line"]
        self.before: list[str] = []  # code that runs before each command
        self.indexes: list[Index] = []
        self.projects.mkdir(parents=True)
        keep = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "COVERAGE_PROCESS_START")
        self.env = {name: os.environ[name] for name in keep if name in os.environ}
        self.env |= {
            "HOME": str(path),
            "CLAUDE_CONFIG_DIR": str(self.data),
            "CCUSAGE_STATE_DIR": str(self.state),
            "XDG_CONFIG_HOME": str(path / "config"),
            "XDG_STATE_HOME": str(path / "xdg-state"),
            "TZ": "UTC",
            "COLUMNS": "120",
            "CCUSAGE_OFFLINE": "1",
            "CCUSAGE_MANAGED_SETTINGS": str(self.policy),
        }

    def write(self, name: str, content: bytes | str) -> Path:
        """Write a transcript below `projects/` and return its path."""
        path = self.projects / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    @property
    def index(self) -> Path:
        """The folder of the index, which need not exist yet."""
        return Path(index_dir(self.env))

    def opened(self, table: PriceTable | None = None) -> Index:
        """Return an open index, which the `home` fixture closes after the test."""
        self.indexes.append(Index(str(self.index), data_dirs(self.env), table))
        return self.indexes[-1]

    def configure(self, text: str) -> Path:
        """Write the config file at its usual place and return its path."""
        path = self.path / "config" / "ccusage-line" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def at_noon(self) -> None:
        """Set a time zone in which it is about noon, so that midnight is far away."""
        hours = datetime.now(timezone.utc).hour - 12
        self.env["TZ"] = f"Noon{hours:+d}" if hours else "UTC"

    def settle(self) -> None:
        """Wait until the files are old enough for answers to be published, and let the commands accept that age."""
        self.before = [SOON]
        time.sleep(0.12)

    def processes(self) -> list[str]:
        """Return the command lines of the processes that use this home's state directory; empty without /proc."""
        found, mark = [], f"CCUSAGE_STATE_DIR={self.state}\0".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found

    def run(self, *args: str, input: str | bytes = "", **env: str) -> Ran:
        """Run `ccusage ARGS` in a process of its own; a statusline gets all the time it needs."""
        before = [*self.before, *[UNHURRIED][: args[:1] == ("statusline",)]]
        if before:
            return run_after(self, "\n".join(before), *args, input=input, **env)
        return self.run_in_time(*args, input=input, **env)

    def run_in_time(self, *args: str, input: str | bytes = "", **env: str) -> Ran:
        """Run `ccusage ARGS` as users do: a statusline is printed after at most 0.7 seconds, even if parts are
        missing."""
        return run_command(self, [*self.command, *args], input, env)


def run_code(home: Home, code: str, *args: str, input: str | bytes = "", **env: str) -> Ran:
    """Run *code* in a Python process of its own, with *args* as its arguments."""
    return run_command(home, [sys.executable, "-c", code, *args], input, env)


def run_after(home: Home, code: str, *args: str, **env: str) -> Ran:
    """Run `ccusage ARGS` in a process that runs *code* first."""
    return run_code(home, f"{textwrap.dedent(code)}\n{MAIN}", *args, **env)


def run_at(home: Home, now: int, *args: str, **env: str) -> Ran:
    """Run `ccusage ARGS` as if the time were *now*, in nanoseconds since the epoch."""
    return run_after(home, f"import time\ntime.time_ns = lambda: {now}", *args, **env)


def run_command(
    home: Home, command: list[str], input: str | bytes = "", env: Mapping[str, str] | None = None, **how: Any
) -> Ran:
    """Run any command in a home; *how* is passed on to subprocess.run."""
    given = input if isinstance(input, bytes) else input.encode()
    environ = home.env | (env or {})
    usual = {"env": environ, "cwd": home.path, "timeout": 120}
    done = subprocess.run(command, input=given, capture_output=True, **{**usual, **how})
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def start(home: Home, *command: str, **how: Any) -> subprocess.Popen[bytes]:
    """Start a command in a home, with pipes and in a session of its own; *how* is passed on to subprocess.Popen."""
    usual = {**dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE), "env": home.env, "cwd": home.path}
    return subprocess.Popen(command, **{**usual, "start_new_session": True, **how})


def until_error(results: Iterator[str]) -> tuple[list[str], UserError | None]:
    """Return what the iterator yields before it raises a UserError, and that error; None if it raises none."""
    found: list[str] = []
    try:
        found.extend(results)
    except UserError as error:
        return found, error
    return found, None


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    for index in home.indexes:
        index.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    from shells import World

    return World(tmp_path)


@pytest.fixture
def project(world: World) -> Path:
    """Make a project whose session has cost $0.10 and whose line is ready."""
    project = world.project("work")
    world.spend(project)
    world.settle(project)
    return project


_skipped: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that type into a real shell run a second time; the summary names those that did.

    bash, zsh and fish lose their output if a signal arrives while they write it (C's streams drop it). A child that
    ends and a window that changes its size send a signal: about one prompt in ten thousand is lost on a busy machine.
    """
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item.module, "Shell"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run if a test was skipped and CCUSAGE_NO_SKIPS is set, because CI has everything that the tests need."""
    if _skipped and os.environ.get("CCUSAGE_NO_SKIPS") and exitstatus == 0:
        print("\nskipped, although CCUSAGE_NO_SKIPS is set:", *_skipped, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
