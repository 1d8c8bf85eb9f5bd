"""Children that outlive us: own session, nothing of ours on 0, 1 and 2."""

from __future__ import annotations

import os
import sys

# As `python -m ccusage_line`, without the folder we happen to be in on the module path: that is a project's, and what
# lies in it may be called like a module.
_START = (
    "import sys; sys.path[:] = [*filter(None, sys.path), sys.argv.pop(1)];"
    " from ccusage_line.__main__ import main; sys.exit(main())"
)


def spawn(*args: str) -> bool:
    """Start `ccusage ARGS` in the background; whether it was started.

    Claude Code kills a statusline's process group and waits for its pipe: the child has neither.
    """
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    command = [sys.executable, "-c", _START, home, *args]
    if sys.platform == "win32":
        return _spawn_elsewhere(command)
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        os.posix_spawn(sys.executable, command, os.environ, file_actions=nothing, setsid=True)
    except NotImplementedError:  # macOS before 10.15: a group of its own is what can be had
        os.posix_spawn(sys.executable, command, os.environ, file_actions=nothing, setpgroup=0)
    except OSError:
        return False
    return True


def reap() -> None:
    """Let children that have ended go: who lives long would keep them."""
    if sys.platform == "win32":
        return
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _spawn_elsewhere(command: list[str]) -> bool:
    import subprocess

    flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    null = subprocess.DEVNULL
    try:
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, creationflags=flags)
    except OSError:
        return False
    return True
