"""Children that outlive us: own session, nothing of ours on 0, 1 and 2."""

from __future__ import annotations

import os
import sys


def spawn(*args: str) -> bool:
    """Start `ccusage ARGS` in the background; whether it was started.

    Claude Code kills a statusline's process group and waits for its pipe: the child has neither.
    """
    command = [sys.executable, "-m", "ccusage_line", *args]
    if not hasattr(os, "posix_spawn"):
        return _spawn_elsewhere(command)
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        os.posix_spawn(sys.executable, command, os.environ, file_actions=nothing, setsid=True)
    except NotImplementedError:  # macOS before 10.15: a group of its own is what can be had
        os.posix_spawn(sys.executable, command, os.environ, file_actions=nothing, setpgroup=0)
    except OSError:
        return False
    return True


def _spawn_elsewhere(command: list[str]) -> bool:
    import subprocess

    flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    null = subprocess.DEVNULL
    try:
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, creationflags=flags)
    except OSError:
        return False
    return True
