"""What every test stands on: no test sees the developer's home, and a run that may not skip does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from ccusage_line.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CCUSAGE_SHARED", ROOT.parent / "shared"))

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


class Home:
    """A user's home with a data directory and a state directory, and the installed command in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "claude"
        self.projects = self.data / "projects"
        self.state = path / "state"
        self.policy = path / "policy" / "managed-settings.json"
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

    def run(self, *args: str, input: str = "", **env: str) -> Ran:
        """`ccusage ARGS` as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "ccusage_line", *args],
            input=input.encode(),
            capture_output=True,
            env=self.env | env,
            cwd=self.path,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def until_error(results: Iterator[str]) -> tuple[list[str], UserError | None]:
    """What the iterator gives up to an error that a user can mend, and that error."""
    found: list[str] = []
    try:
        found.extend(results)
    except UserError as error:
        return found, error
    return found, None


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With CCUSAGE_NO_SKIPS set, a skip is a failure: CI has everything that tests could miss."""
    if _skipped and os.environ.get("CCUSAGE_NO_SKIPS") and exitstatus == 0:
        print("\nskipped, which may not be here:", *_skipped, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
