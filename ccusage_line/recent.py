"""The recent responses of the whole index, published for readers without a database: what days and blocks are made of.
And the windows of the client's plan that it told the statusline lately.

Both are of the whole index as far as somebody looks at all transcripts now and then and can store what is found: the
time of a file is that of the last such look, its size tells what became of it.

A refresh removes the responses before it commits; whoever shows today or the block next writes them anew from what is
committed, under the write lock. Windows are written by whoever was told something new, without a lock; a full refresh
takes them into the database. Standard library only: on the lean lanes.
"""

from __future__ import annotations

import os
import time

from . import published
from .files import open_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .windows import Lacking, Published, Recent, Windows

NAME = "recent"
WINDOWS = "windows"
_KEPT = 10 * 86_400_000_000  # microseconds: blocks that are under way are not made of older windows


SWEPT = "swept"
SWEEP = 60.0  # seconds between two looks at all transcripts
FIRST_SWEEP = 5.0  # the same before the first is stored: whoever reads may have been killed
_STORED, _BEGUN, _AGAIN = 1, 2, 3  # bytes: all is stored; begun after that; begun after one that was not stored
_LATELY = 5.0  # seconds in which a second look need not be noted


def last_look(folder: str) -> os.stat_result | None:
    """The stat of the file that tells of the last look at all transcripts; None if there was none."""
    try:
        return os.stat(os.path.join(folder, SWEPT))
    except OSError:
        return None


def is_known(folder: str, look: os.stat_result | None) -> bool:
    """Whether what is stored of days and blocks is that of all sessions, but for what came since the *look* or comes of
    one under way: not after one that could not be stored, nor where none can."""
    if look is None or is_lost(look):
        return False
    return _is_young(look, SWEEP) or os.access(os.path.join(folder, SWEPT), os.W_OK)


def is_lost(look: os.stat_result | None) -> bool:
    """Whether a *look* was begun after one that was not stored, or is not yet."""
    return look is not None and look.st_size == _AGAIN


def begin_look(folder: str, look: os.stat_result | None, wait: float) -> bool:
    """Whether the caller is to have somebody look at all transcripts: the last *look* is *wait* seconds ago, and nobody
    else is about to. Where that can't be noted, nothing could be stored either."""
    if look is not None and _is_young(look, wait):
        return False
    from .locks import is_taken

    try:
        descriptor = open_private(os.path.join(folder, SWEPT), os.O_WRONLY)
    except OSError:
        return False
    try:
        if is_taken(descriptor):
            return False
        look = os.fstat(descriptor)
        if _is_young(look, wait):
            return False
        _note(folder, descriptor, _BEGUN if look.st_size <= _STORED else _AGAIN)
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)


def end_look(folder: str) -> None:
    """All transcripts as they were a moment ago are stored."""
    look = last_look(folder)
    if look is not None and look.st_size == _STORED and _is_young(look, _LATELY):
        return
    try:
        descriptor = open_private(os.path.join(folder, SWEPT), os.O_WRONLY)
    except OSError:
        return
    try:
        _note(folder, descriptor, _STORED)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _note(folder: str, descriptor: int, size: int) -> None:
    os.ftruncate(descriptor, size)
    os.utime(os.path.join(folder, SWEPT))


def _is_young(look: os.stat_result, wait: float) -> bool:
    return look.st_size > 0 and 0 <= time.time() - look.st_mtime < wait


def read(folder: str, now: int) -> Recent | None:
    """What is published in an index's folder, None where nothing is for the moment *now* (microseconds): what was
    published by a clock that was ahead does not reach back to it, and before schema 4 nothing told what lacks a price.
    """
    found: tuple[int, list[Published], list[Lacking]] | None = published.read(os.path.join(folder, NAME))
    return found[1:] if found is not None and len(found) == 3 and found[0] <= now else None


def write(folder: str, moments: Recent, now: int) -> None:
    """Publish what can matter from *now* on; the caller holds the write lock."""
    published.write(os.path.join(folder, NAME), (now, *moments))


def revoke(folder: str) -> None:
    """Take it back; raises OSError where that can't be done."""
    published.revoke(os.path.join(folder, NAME))


def told_windows(folder: str) -> Windows:
    """What the client told lately, as windows.known_windows takes it."""
    found: Windows | None = published.read(os.path.join(folder, WINDOWS))
    return found or {}


def remember(folder: str, known: Windows, told: Windows) -> None:
    """Keep what the client *told* of windows beside what is *known*; no file is touched if it tells nothing new."""
    from .windows import merged

    found = merged(known, told)
    if found != known and os.path.isdir(folder):
        latest = max(seen for _, seen in told.values())
        kept = {window: said for window, said in found.items() if window[1] > latest - _KEPT}
        published.write(os.path.join(folder, WINDOWS), kept, f".{os.getpid()}")


def forget_windows(folder: str) -> None:
    """Raises OSError where that can't be done."""
    published.revoke(os.path.join(folder, WINDOWS))
