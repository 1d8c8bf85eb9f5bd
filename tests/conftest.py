"""What every test stands on: no test sees the developer's home, and a run that may not skip does not."""

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
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from ccusage_line.errors import UserError
from ccusage_line.index.index import Index
from ccusage_line.paths import data_dirs, index_dir
from ccusage_line.prices.table import PriceTable

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CCUSAGE_SHARED", ROOT.parent / "shared"))

# Below nohup and behind `&` these are ignored, in everything that a test starts too.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.environ["CCUSAGE_MANAGED_SETTINGS"] = "/nonexistent/managed-settings.json"  # the developer's policy is not ours

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")


@pytest.fixture
def corpus() -> Path:
    """The transcripts of the real client and of public repositories."""
    if not (SHARED / "corpus").is_dir():
        pytest.skip(f"no corpora at {SHARED}")
    return SHARED / "corpus"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


MAIN = "from ccusage_line import __main__\nraise SystemExit(__main__.main())"
# To a command behind this a file has settled after a tenth of a second, where file systems want two.
SOON = "from ccusage_line import files\nfiles.SETTLED = 100_000_000"
# Behind this a statusline leaves nothing out because the machine is busy.
UNHURRIED = "from ccusage_line.statusline import command\ncommand.DEADLINE = 60"
UNHURRIED_COMMAND = [sys.executable, "-c", f"{UNHURRIED}\n{MAIN}"]


class Home:
    """A user's home with a data directory and a state directory, and the installed command in it."""

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
        """A transcript below `projects/`."""
        path = self.projects / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    @property
    def index(self) -> Path:
        """The folder of the index, which need not be there yet."""
        return Path(index_dir(self.env))

    def opened(self, table: PriceTable | None = None) -> Index:
        """The index; closed after the test at the latest."""
        self.indexes.append(Index(str(self.index), data_dirs(self.env), table))
        return self.indexes[-1]

    def configure(self, text: str) -> Path:
        """The config file at its usual place."""
        path = self.path / "config" / "ccusage-line" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def at_noon(self) -> None:
        """Live in a time zone in which no midnight is near."""
        hours = datetime.now(timezone.utc).hour - 12
        self.env["TZ"] = f"Noon{hours:+d}" if hours else "UTC"

    def settle(self) -> None:
        """Lets the files become old enough for answers to be published, and has the command want no more than that."""
        self.before = [SOON]
        time.sleep(0.12)

    def processes(self) -> list[str]:
        """The command lines of the processes that work on this home's index, where the system tells."""
        found, mark = [], f"CCUSAGE_STATE_DIR={self.state}\0".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found

    def run(self, *args: str, input: str | bytes = "", **env: str) -> Ran:
        """`ccusage ARGS` as a process of its own; a statusline has all the time it wants."""
        before = [*self.before, *[UNHURRIED][: args[:1] == ("statusline",)]]
        if before:
            return run_after(self, "\n".join(before), *args, input=input, **env)
        return self.run_in_time(*args, input=input, **env)

    def run_in_time(self, *args: str, input: str | bytes = "", **env: str) -> Ran:
        """`ccusage ARGS` as users run it: a statusline is there after its 0.7 seconds, whatever it lacks."""
        return run_command(self, [*self.command, *args], input, env)


def run_code(home: Home, code: str, *args: str, input: str | bytes = "", **env: str) -> Ran:
    """*code* as a process of its own, with *args* behind its name."""
    return run_command(home, [sys.executable, "-c", code, *args], input, env)


def run_after(home: Home, code: str, *args: str, **env: str) -> Ran:
    """`ccusage ARGS` in a process in which *code* ran first."""
    return run_code(home, f"{textwrap.dedent(code)}\n{MAIN}", *args, **env)


def run_at(home: Home, now: int, *args: str, **env: str) -> Ran:
    """`ccusage ARGS` at a moment, in nanoseconds since the epoch."""
    return run_after(home, f"import time\ntime.time_ns = lambda: {now}", *args, **env)


def run_command(
    home: Home, command: list[str], input: str | bytes = "", env: Mapping[str, str] | None = None, **how: Any
) -> Ran:
    """Any command in a home; *how*: as subprocess.run."""
    given = input if isinstance(input, bytes) else input.encode()
    environ = home.env | (env or {})
    done = subprocess.run(command, input=given, capture_output=True, env=environ, cwd=home.path, timeout=120, **how)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def start(home: Home, *command: str, **how: Any) -> subprocess.Popen[bytes]:
    """A command that goes on in a home, with pipes, in a session of its own; *how*: as subprocess.Popen."""
    usual = {**dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE), "env": home.env, "cwd": home.path}
    return subprocess.Popen(command, **{**usual, "start_new_session": True, **how})


def until_error(results: Iterator[str]) -> tuple[list[str], UserError | None]:
    """What the iterator gives up to an error that a user can mend, and that error."""
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


_skipped: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What types into a real shell has a second try, which the summary names.

    bash, zsh and fish lose what they write if a signal arrives as they write it (C's streams drop it), and a child that
    ends, or a window of another size, is a signal: about one prompt in ten thousand on a busy machine.
    """
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item.module, "Shell"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With CCUSAGE_NO_SKIPS set, a skip is a failure: CI has everything that tests could miss."""
    if _skipped and os.environ.get("CCUSAGE_NO_SKIPS") and exitstatus == 0:
        print("\nskipped, which may not be here:", *_skipped, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
