"""Small files of plain values that are written atomically and verified by a digest. Imported on the lean lanes."""

from __future__ import annotations

import marshal
import os

from . import RULES, __version__
from .files import digest_bytes, read_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FORMAT = b"ccusage-line store 1\n"
_DIGEST_SIZE = 16  # bytes
_VERSION = f"{__version__} {RULES}"
_MARSHAL_VERSION = 2  # the newest that every supported Python writes and reads in the same way
REPORTS = ("report.text", "report.json")  # the last session lists; every change of the index deletes them


def load(path: str) -> Any:
    """Return the value in a file of ours, or None if it is missing, damaged, of another format or another user's."""
    data = read_private(path)
    if data is None or not data.startswith(_FORMAT):
        return None
    start = len(_FORMAT) + _DIGEST_SIZE
    body = data[start:]
    return marshal.loads(body) if digest_bytes(body) == data[len(_FORMAT) : start] else None


def pack(value: Any) -> bytes:
    """Return the bytes that `load` reads: the format's name, a digest, and *value* (tuples, lists, dicts, scalars)."""
    body = marshal.dumps(value, _MARSHAL_VERSION)
    return _FORMAT + digest_bytes(body) + body


def read(path: str) -> Any:
    """Return what this version of the package published at *path*, or None if there is nothing from it."""
    content = load(path)
    return content[1] if content is not None and content[0] == _VERSION else None


def write(path: str, value: Any, suffix: str = "~") -> None:
    """Publish plain values, or do nothing if the file can't be written.

    The caller holds the index's write lock, or passes a *suffix* for the temporary file that no other writer uses.
    """
    try:  # there is one writer at a time, so the next one overwrites what a killed one left
        write_private(*os.path.split(path), pack((_VERSION, value)), suffix=suffix)
    except OSError:
        return


def revoke(path: str) -> None:
    """Delete what is published at *path*. Raises OSError if that fails."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
