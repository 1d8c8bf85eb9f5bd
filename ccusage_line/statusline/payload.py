"""What the client writes to a statusline's stdin: read within a time limit, decoded without the json package.

On the lean lanes: `os` alone at module level. Nothing here raises for what it is given.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 16 << 20  # bytes; real payloads have 2 KB
PATIENCE = 0.5  # seconds without a whole object until the line is drawn without it
_CHUNK = 1 << 16
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
        if os.name == "posix" and not _readable(descriptor, deadline):
            return b""
        return os.read(descriptor, _CHUNK)
    except (OSError, ValueError):  # closed, a folder, too large a number
        return b""


def _at_once(descriptor: int) -> bytes | None:
    """What can be read without waiting, None where that can't be told: it spares the import of `select`, 0.2 ms."""
    buffer = bytearray(_CHUNK)
    try:
        return bytes(buffer[: os.preadv(descriptor, [buffer], -1, os.RWF_NOWAIT)])
    except (AttributeError, OSError):  # not Linux; nothing there yet, or nothing that can do this
        return None


def _readable(descriptor: int, deadline: float) -> bool:
    from select import POLLIN, poll
    from time import monotonic

    waiting = poll()
    waiting.register(descriptor, POLLIN)
    return bool(waiting.poll(max(0.0, deadline - monotonic()) * 1000))


def parse(data: bytes) -> object:
    """The JSON value of *data*, None if it is none. NaN and infinities are let through, as numbers."""
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    text = data.decode("utf-8", "replace").strip()
    try:
        from _json import make_scanner  # the C half of the json package, whose other half costs 8 ms to import
    except ImportError:
        return _parse_slowly(text)
    try:
        value, end = make_scanner(_Rules)(text, 0)  # type: ignore[arg-type]  # any object with its attributes does
    except (StopIteration, ValueError, RecursionError, SystemError):  # the last: it knows no name for a syntax error
        return None
    return value if end == len(text) else None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


class _Rules:
    """What the scanner wants to know; the attributes of json.JSONDecoder."""

    strict = False  # control characters inside strings are no reason to lose the line
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = staticmethod(_integer)
    parse_constant = float
    memo: dict[str, str] = {}  # noqa: RUF012  # the scanner clears it after each call


def _parse_slowly(text: str) -> object:
    """The same with the json package, where there is no C half."""
    from json import loads

    try:
        return loads(text, strict=False, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


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


def resets_at(payload: object) -> float | None:
    """When the client's 5-hour limit starts anew, seconds since the epoch; `windows.sane_reset` judges it."""
    found = at(payload, "rate_limits", "five_hour", "resets_at")
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None
