"""The payload that the client writes to a statusline's stdin: reading it within a time limit, parsing it, queries.

On the lean lanes: the json package is not imported. Nothing here raises, whatever the payload holds.
"""

from __future__ import annotations

import os
import sys

from ..files import load_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..windows import Windows

LIMIT = 16 << 20  # bytes; real payloads are of about 2 KB
PATIENCE = 0.5  # seconds to wait for a complete object before the line is made without it
_CHUNK = 1 << 16
_WINDOWS = {5: "five_hour", 168: "seven_day"}  # length in hours -> the client's name
_MILLISECONDS = 100_000_000_000  # larger numbers can't be seconds: that would be the year 5138
_MAX_DIGITS = 18  # digits; longer numbers become floats, because int() limits the number of digits
_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


def read(descriptor: int, patience: float = PATIENCE) -> bytes:
    """Read *descriptor* up to its end, a complete object, LIMIT bytes or *patience* seconds.

    The writer need not close its end, because the client's object is complete with its last brace.
    """
    from time import monotonic

    deadline = monotonic() + patience
    pieces: list[bytes] = []
    size = 0
    while size < LIMIT:
        piece = _read_chunk(descriptor, deadline)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size < _CHUNK and piece.rstrip(_SPACE).endswith(b"}") and parse(b"".join(pieces)) is not None:
            break
    return b"".join(pieces)


def _read_chunk(descriptor: int, deadline: float) -> bytes:
    """Return the next bytes, or b"" at the end, at *deadline* or if nothing can be read."""
    available = _read_available(descriptor)
    if available is not None:
        return available
    try:
        return os.read(descriptor, _CHUNK) if _wait_readable(descriptor, deadline) else b""
    except (OSError, ValueError):  # the descriptor is closed, a folder, or too large a number
        return b""


def _read_available(descriptor: int) -> bytes | None:
    """Return what can be read without waiting, None if that is unknown. This avoids the import of `select`, 0.2 ms."""
    if sys.platform != "linux":
        return None
    buffer = bytearray(_CHUNK)
    try:
        return bytes(buffer[: os.preadv(descriptor, [buffer], -1, os.RWF_NOWAIT)])
    except (AttributeError, OSError):  # not supported by the kernel or the file; or nothing to read yet
        return None


def _wait_readable(descriptor: int, deadline: float) -> bool:
    """Wait for data until *deadline*; return whether there is some. Windows can't wait for a file."""
    if sys.platform == "win32":
        return True
    import select
    from time import monotonic

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, deadline - monotonic()) * 1000))


def parse(data: bytes) -> object:
    """Return the JSON value of *data*, or None if it is not valid. NaN and infinities are accepted as numbers."""
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    text = data.decode("utf-8", "replace").strip()
    scan = load_scanner(strict=False, parse_int=_integer)  # control characters in strings are accepted
    try:
        value, end = scan(text, 0)
    except (StopIteration, ValueError, RecursionError, SystemError):  # SystemError if json.decoder is not imported
        return None
    return value if end == len(text) else None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


# --- queries -----------------------------------------------------------------------------------------------------


def value_at(payload: object, *path: str) -> object:
    """Return the value at a path of keys, or None if there is none."""
    for key in path:
        if not isinstance(payload, dict):
            return None
        payload = payload.get(key)
    return payload


def session_id(payload: object, environ: Mapping[str, str]) -> str | None:
    """Return the session that the payload names, else the one that the client's environment names."""
    id = value_at(payload, "session_id")
    return id if isinstance(id, str) and id else environ.get("CLAUDE_CODE_SESSION_ID") or None


def transcript_path(payload: object) -> str | None:
    """Return the path that the client names, unchecked: it need not be below a data directory."""
    path = value_at(payload, "transcript_path")
    return path if isinstance(path, str) and path and "\0" not in path else None


def reported_windows(payload: object, now: int) -> Windows:
    """Return the plan's windows that end within the next five hours, or seven days; *now* is in microseconds."""
    from ..windows import HOUR, window_end

    windows: Windows = {}
    for hours, name in _WINDOWS.items():
        window = value_at(payload, "rate_limits", name)
        end = window_end(seconds(value_at(window, "resets_at")), now, hours * HOUR)
        if end is not None:
            used = value_at(window, "used_percentage")
            is_valid = isinstance(used, (int, float)) and not isinstance(used, bool) and 0 <= used <= 100
            windows[hours, end] = (float(used) if is_valid else None, now)  # type: ignore[arg-type]
    return windows


def seconds(value: object) -> float | None:
    """Return a time (seconds, milliseconds or an RFC 3339 string) in seconds since the epoch, or None."""
    if isinstance(value, str):
        from ..transcripts.claims import timestamp

        time = timestamp(value)
        return None if time is None else time / 1_000_000
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value / 1000 if _MILLISECONDS < value < _MILLISECONDS * 1000 else value
