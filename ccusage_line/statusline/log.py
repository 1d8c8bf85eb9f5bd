"""The log of why a statusline showed less than it could: a small file in the state directory, read by `doctor`.

On the lean lanes. It holds the names of fields and options, never their values. Nothing here
raises, because the line matters more than the log.
"""

from __future__ import annotations

import os

from ..files import make_private_folder, open_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIMIT = 64 << 10  # bytes; above that the older half is deleted
_RECENT = 4096  # bytes at the end in which a reason is not repeated
_LONGEST = 500  # characters of an entry


def path(environ: Mapping[str, str]) -> str:
    from ..paths import LOG, state_dir

    return os.path.join(state_dir(environ), LOG)


def note(environ: Mapping[str, str], reasons: Sequence[str], now_us: int) -> None:
    """Append *reasons* as one line, unless one of the newest lines is the same."""
    if not reasons:
        return
    try:
        log = path(environ)
        make_private_folder(os.path.dirname(log))
        _append(log, "; ".join(reasons)[:_LONGEST], now_us)
    except Exception:  # the disk is full or the folder is not writable
        pass


def _append(log: str, text: str, now_us: int) -> None:
    descriptor = open_private(log, os.O_RDWR | os.O_APPEND)
    try:
        stat = os.fstat(descriptor)
        if stat.st_mode & 0o170000 != 0o100000:  # not a regular file
            return
        os.lseek(descriptor, max(stat.st_size - _RECENT, 0), os.SEEK_SET)
        entry = f" {_printable(text)}\n".encode()
        if entry in os.read(descriptor, _RECENT):
            return
        if stat.st_size + len(entry) > LIMIT - 64:
            _delete_older_half(log)
            os.close(descriptor)
            descriptor = open_private(log, os.O_RDWR | os.O_APPEND)
        os.write(descriptor, _format_time(now_us).encode() + entry)  # one write: lines of two processes do not mix
    finally:
        os.close(descriptor)


def _delete_older_half(log: str) -> None:
    """Delete the older half, in whole lines. Entries that another process appends meanwhile may be lost."""
    with open(log, "rb") as file:
        newer = file.read(LIMIT * 2)[-LIMIT // 2 :]
    newer = newer[newer.find(b"\n") + 1 :]
    write_private(*os.path.split(log), newer)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in text)


def _format_time(us: int) -> str:
    from time import gmtime, strftime

    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(us // 1_000_000))
