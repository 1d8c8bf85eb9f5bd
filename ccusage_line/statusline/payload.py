"""What the client writes to a statusline's stdin: read within a time limit, decoded without the json package.

On the lean lanes. Nothing here raises for what it is given.
"""

from __future__ import annotations

import os
import sys

from ..files import load_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..windows import Windows

LIMIT = 16 << 20  # bytes; real payloads have 2 KB
PATIENCE = 0.5  # seconds without a whole object until the line is drawn without it
_CHUNK = 1 << 16
_LIMITS = {5: "five_hour", 168: "seven_day"}  # by their hours
_MILLISECONDS = 100_000_000_000  # more than that are no seconds: the year 5138
_LONGEST_INTEGER = 18  # digits; longer numbers are read as floats, which have no limit of digits to trip over
_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


def read(descriptor: int, patience: float = PATIENCE) -> bytes:
    """What stands in *descriptor*: up to its end, to a whole object, to LIMIT or until *patience* seconds are over.

    The writer need not close its end: the client's object is whole with its last brace.
    """
    from time import monotonic

    deadline = monotonic() + patience
    pieces: list[bytes] = []
    size = 0
    while size < LIMIT:
        piece = _next(descriptor, deadline)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size < _CHUNK and piece.rstrip(_SPACE).endswith(b"}") and parse(b"".join(pieces)) is not None:
            break
    return b"".join(pieces)


def _next(descriptor: int, deadline: float) -> bytes:
    """The next bytes; none at the end, at *deadline* or where nothing can be read."""
    there = _at_once(descriptor)
    if there is not None:
        return there
    try:
        if not _readable(descriptor, deadline):
            return b""
        return os.read(descriptor, _CHUNK)
    except (OSError, ValueError):  # closed, a folder, too large a number
        return b""


def _at_once(descriptor: int) -> bytes | None:
    """What can be read without waiting, None where that can't be told: it spares the import of `select`, 0.2 ms."""
    if sys.platform != "linux":
        return None
    buffer = bytearray(_CHUNK)
    try:
        return bytes(buffer[: os.preadv(descriptor, [buffer], -1, os.RWF_NOWAIT)])
    except (AttributeError, OSError):  # an old kernel's Python; nothing there yet, or nothing that can do this
        return None


def _readable(descriptor: int, deadline: float) -> bool:
    """Wait until there is something to read, or *deadline*; Windows can't wait for a file."""
    if sys.platform == "win32":
        return True
    import select
    from time import monotonic

    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(max(0.0, deadline - monotonic()) * 1000))


def parse(data: bytes) -> object:
    """The JSON value of *data*, None if it is none. NaN and infinities are let through, as numbers."""
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    text = data.decode("utf-8", "replace").strip()
    scan = load_scanner(strict=False, parse_int=_integer)  # control characters are no reason to lose the line
    try:
        value, end = scan(text, 0)
    except (StopIteration, ValueError, RecursionError, SystemError):  # the last: it knows no name for a syntax error
        return None
    return value if end == len(text) else None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


# --- questions ---------------------------------------------------------------------------------------------------


def at(payload: object, *path: str) -> object:
    """The value at a path of keys, None where there is none."""
    for key in path:
        if not isinstance(payload, dict):
            return None
        payload = payload.get(key)
    return payload


def session_id(payload: object, environ: Mapping[str, str]) -> str | None:
    """The session that the payload is about; the client's environment names it too."""
    found = at(payload, "session_id")
    if not isinstance(found, str) or not found:
        found = environ.get("CLAUDE_CODE_SESSION_ID")
    return found or None


def transcript_path(payload: object) -> str | None:
    """Where the client says the transcript is. Theirs to claim, ours to check that it lies below a data directory."""
    found = at(payload, "transcript_path")
    return found if isinstance(found, str) and found and "\0" not in found else None


def told_windows(payload: object, now: int) -> Windows:
    """The windows of the client's plan that end within the next five hours, or seven days: its limits and when they
    start anew. *now* is in microseconds since the epoch."""
    from ..windows import HOUR, sane_reset

    found: Windows = {}
    for hours, name in _LIMITS.items():
        limit = at(payload, "rate_limits", name)
        end = sane_reset(seconds(at(limit, "resets_at")), now, hours * HOUR)
        if end is not None:
            used = at(limit, "used_percentage")
            sane = isinstance(used, (int, float)) and not isinstance(used, bool) and 0 <= used <= 100
            found[hours, end] = (float(used) if sane else None, now)  # type: ignore[arg-type]
    return found


def seconds(value: object) -> float | None:
    """Seconds since the epoch, of seconds, milliseconds or an RFC 3339 text; None of anything else."""
    if isinstance(value, str):
        from ..transcripts.claims import timestamp

        time = timestamp(value)
        return None if time is None else time / 1_000_000
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value / 1000 if _MILLISECONDS < value < _MILLISECONDS * 1000 else value
