"""Recent moments and the client's recent windows, published for readers that do not open the database.

Days and blocks are computed from them. They cover all sessions only if a process sweeps (reads all transcripts) from
time to time and can store the result. The mtime of the file SWEPT is the time of the last sweep, and its size is the
state of that sweep.

A refresh deletes the moments before it commits; the next process that shows today or the block writes them again from
committed data, under the write lock. A process that receives a new window from the client writes the windows, without
a lock; a full refresh copies them into the database. Uses only the standard library, because the lean lanes import it.
"""

from __future__ import annotations

import os
import time

from . import published
from .files import open_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .windows import Published, Recent, Unpriced, Windows

NAME = "recent"
WINDOWS = "windows"
_MAX_WINDOW_AGE = 10 * 86_400_000_000  # microseconds; a block under way does not depend on older windows

SWEPT = "swept"
SWEEP = 60.0  # seconds between two sweeps
FIRST_SWEEP = 5.0  # the same until the first sweep is stored, because the process that reads may have been killed
# The size of SWEPT in bytes: the last sweep is stored; one began after a stored one; one began after a lost one.
_STORED, _BEGUN, _BEGUN_AFTER_LOST = 1, 2, 3
_JUST_STORED = 5.0  # seconds after a stored sweep in which the end of another one is not recorded


def last_sweep(folder: str) -> os.stat_result | None:
    """Return the stat of the file that records the last sweep of all transcripts, or None before the first one."""
    try:
        return os.stat(os.path.join(folder, SWEPT))
    except OSError:
        return None


def covers_all(folder: str, sweep: os.stat_result | None) -> bool:
    """Return whether days and blocks cover all sessions up to *sweep*: none is lost, new ones can be stored."""
    if sweep is None or is_lost(sweep):
        return False
    return _is_recent(sweep, SWEEP) or os.access(os.path.join(folder, SWEPT), os.W_OK)


def is_lost(sweep: os.stat_result | None) -> bool:
    """Return whether the sweep before this one was not stored, or not yet, so that its results may be missing."""
    return sweep is not None and sweep.st_size == _BEGUN_AFTER_LOST


def begin_sweep(folder: str, sweep: os.stat_result | None, wait: float) -> bool:
    """Return whether the caller must start a sweep, and record that it starts.

    It must if the last *sweep* is at least *wait* seconds old and no other process is recording one. If the start can't
    be recorded, return False, because the results could not be stored either.
    """
    if sweep is not None and _is_recent(sweep, wait):
        return False
    from .locks import try_lock

    try:
        descriptor = open_private(os.path.join(folder, SWEPT), os.O_WRONLY)
    except OSError:
        return False
    try:
        if not try_lock(descriptor):
            return False
        sweep = os.fstat(descriptor)
        if _is_recent(sweep, wait):
            return False
        _record(folder, descriptor, _BEGUN if sweep.st_size <= _STORED else _BEGUN_AFTER_LOST)
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)


def end_sweep(folder: str) -> None:
    """Record that a sweep ended and that its results are stored."""
    sweep = last_sweep(folder)
    if sweep is not None and sweep.st_size == _STORED and _is_recent(sweep, _JUST_STORED):
        return
    try:
        descriptor = open_private(os.path.join(folder, SWEPT), os.O_WRONLY)
    except OSError:
        return
    try:
        _record(folder, descriptor, _STORED)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _record(folder: str, descriptor: int, size: int) -> None:
    os.ftruncate(descriptor, size)
    os.utime(os.path.join(folder, SWEPT))


def _is_recent(sweep: os.stat_result, seconds: float) -> bool:
    return sweep.st_size > 0 and 0 <= time.time() - sweep.st_mtime < seconds


def read(folder: str, now: int) -> Recent | None:
    """Return the published moments, or None if there are none for the time *now* (microseconds). Moments from a clock
    ahead of *now* start too late, and those from before schema 4 lack the unpriced times."""
    content: tuple[int, list[Published], list[Unpriced]] | None = published.read(os.path.join(folder, NAME))
    return content[1:] if content is not None and len(content) == 3 and content[0] <= now else None


def write(folder: str, moments: Recent, now: int) -> None:
    """Publish the moments that can matter from *now* on. The caller holds the write lock."""
    published.write(os.path.join(folder, NAME), (now, *moments))


def revoke(folder: str) -> None:
    """Delete the published moments. Raises OSError if that fails."""
    published.revoke(os.path.join(folder, NAME))


def read_windows(folder: str) -> Windows:
    """Return the windows that the client reported recently, in the form that windows.known_windows takes."""
    windows: Windows | None = published.read(os.path.join(folder, WINDOWS))
    return windows or {}


def write_windows(folder: str, known: Windows, reported: Windows) -> None:
    """Store the windows that the client *reported* together with the *known* ones, unless they add nothing new."""
    from .windows import merge_windows

    merged = merge_windows(known, reported)
    if merged != known and os.path.isdir(folder):
        latest = max(seen for _, seen in reported.values())
        kept = {window: usage for window, usage in merged.items() if window[1] > latest - _MAX_WINDOW_AGE}
        published.write(os.path.join(folder, WINDOWS), kept, f".{os.getpid()}")


def forget_windows(folder: str) -> None:
    """Delete the published windows. Raises OSError if that fails."""
    published.revoke(os.path.join(folder, WINDOWS))
