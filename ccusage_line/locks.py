"""Locks on files, for work that only one process at a time should do; a lock ends with its process.

If a lock cannot be had at all (no inode left, a folder or link in its place, a file system without locks), the work is
done without it. That is always correct, but slower if two processes do the same.
"""

from __future__ import annotations

import os
import sys

from .files import PRIVATE, open_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Lock:
    """A lock that is held until the `with` block or the process ends."""

    __slots__ = ("_release",)

    def __init__(self, release: Callable[[], object] | None = None) -> None:
        """Store what releases the lock: *release*, or None if there is nothing to release."""
        self._release = release

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        if self._release is not None:
            self._release()


def lock(path: str, wait: float = 0.0) -> Lock | None:
    """Lock the file at *path*, whose folder exists; None if another process still has it after *wait* seconds."""
    if sys.platform == "win32":
        return _lock_with_filelock(path, wait)
    try:
        descriptor = open_private(path, os.O_RDWR)
    except OSError:
        return Lock()
    if try_lock(descriptor) and os.fstat(descriptor).st_nlink:  # 0 links: just released and deleted
        return Lock(lambda: os.close(descriptor))
    os.close(descriptor)
    return _lock_with_filelock(path, wait) if wait else None


def try_lock(descriptor: int) -> bool:
    """Lock an open file until *descriptor* is closed. Return False if another process has locked it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    return True


def _lock_with_filelock(path: str, wait: float) -> Lock | None:
    """Lock with filelock, which takes 50 ms to import: it can wait, and it supports Windows."""
    from filelock import FileLock, Timeout

    file_lock = FileLock(path, mode=PRIVATE)
    try:
        file_lock.acquire(timeout=wait)
    except Timeout:
        return None
    except (OSError, NotImplementedError):
        return Lock()
    return Lock(file_lock.release)
