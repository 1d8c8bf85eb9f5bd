"""Detached child processes: in a session of their own, with the null device as stdin, stdout and stderr."""

from __future__ import annotations

import os
import sys

# Like `python -m ccusage_line`, but without the working directory on the module path: it belongs to a project, whose
# files may have the names of modules.
_START = (
    "import sys; sys.path[:] = [*filter(None, sys.path), sys.argv.pop(1)];"
    " from ccusage_line.__main__ import main; sys.exit(main())"
)


def spawn(*args: str) -> bool:
    """Start `ccusage ARGS` in the background and return whether it was started.

    Claude Code kills the process group of a statusline and waits for its pipe, so the child has neither of them.
    """
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    command = [sys.executable, "-c", _START, home, *args]
    if sys.platform == "win32":
        return _spawn_on_windows(command)
    redirections = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        os.posix_spawn(sys.executable, command, os.environ, file_actions=redirections, setsid=True)
    except NotImplementedError:  # macOS before 10.15: a process group of its own has to do
        os.posix_spawn(sys.executable, command, os.environ, file_actions=redirections, setpgroup=0)
    except OSError:
        return False
    return True


def reap() -> None:
    """Wait for children that have ended, so that they do not stay as zombies of a long-lived process."""
    if sys.platform == "win32":
        return
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _spawn_on_windows(command: list[str]) -> bool:
    import subprocess

    flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    null = subprocess.DEVNULL
    try:
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, creationflags=flags)
    except OSError:
        return False
    return True
