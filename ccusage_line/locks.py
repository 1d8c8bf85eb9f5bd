"""What only one process at a time may do: locks on files, which end with the process however it ends.

Where a lock can't be had at all (no inode left, a folder or a link in its place, a file system without locks) the work
is done without: each kind of it is right, if slower, where two processes do it at once.
"""

from __future__ import annotations

import os
import sys

from .files import PRIVATE, open_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Held:
    """A lock that is held until it is released, or the process ends."""

    __slots__ = ("_release",)

    def __init__(self, release: Callable[[], object] | None = None) -> None:
        """*release*: None where there is nothing to hold."""
        self._release = release

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        if self._release is not None:
            self._release()


def lock(path: str, wait: float = 0.0) -> Held | None:
    """The lock at *path*, whose folder is there; None if another process still has it after *wait* seconds."""
    if sys.platform == "win32":
        return _waited(path, wait)
    try:
        descriptor = open_private(path, os.O_RDWR)
    except OSError:
        return Held()
    if not is_taken(descriptor) and os.fstat(descriptor).st_nlink:  # 0: just released, and removed with it
        return Held(lambda: os.close(descriptor))
    os.close(descriptor)
    return _waited(path, wait) if wait else None


def is_taken(descriptor: int) -> bool:
    """Whether another process holds the lock of an open file. If not, it is ours as long as the descriptor is open."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _waited(path: str, wait: float) -> Held | None:
    """The same by filelock, whose import takes 50 ms: it waits, and it knows Windows."""
    from filelock import FileLock, Timeout

    held = FileLock(path, mode=PRIVATE)
    try:
        held.acquire(timeout=wait)
    except Timeout:
        return None
    except (OSError, NotImplementedError):
        return Held()
    return Held(held.release)
