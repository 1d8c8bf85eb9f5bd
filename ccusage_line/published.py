"""Small files of plain values: written atomically, read whole or not at all. On the lean lanes."""

from __future__ import annotations

import marshal
import os

from . import RULES, __version__
from .files import digest_bytes, read_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FORM = b"ccusage-line store 1\n"
_DIGEST = 16  # bytes
_MAKER = f"{__version__} {RULES}"
_MARSHAL = 2  # the newest form that every supported Python writes and reads alike
REPORTS = ("report.text", "report.json")  # the last reports of many sessions, which any change of the index takes back


def load(path: str) -> Any:
    """The values in a file of ours; None where there is none, or it is torn, of another form or another user's."""
    data = read_private(path)
    start = len(_FORM) + _DIGEST
    if data is None or not data.startswith(_FORM):
        return None
    body = data[start:]
    if digest_bytes(body) != data[len(_FORM) : start]:
        return None
    return marshal.loads(body)


def packed(value: Any) -> bytes:
    """What `load` reads: plain values (tuples, lists, dicts, texts, numbers) behind the form's name and a digest."""
    body = marshal.dumps(value, _MARSHAL)
    return _FORM + digest_bytes(body) + body


def read(path: str) -> Any:
    """What this version of the package published at *path*; None where there is nothing of it."""
    found = load(path)
    return found[1] if found is not None and found[0] == _MAKER else None


def write(path: str, value: Any, ending: str = "~") -> None:
    """Publish plain values. Where that fails, nothing is published.

    The caller holds the index's write lock, or names an *ending* for the file's name that no other writer has.
    """
    try:  # one writer at a time: what a killed one leaves, the next one overwrites
        write_private(*os.path.split(path), packed((_MAKER, value)), ending=ending)
    except OSError:
        return


def revoke(path: str) -> None:
    """Take back what is published; raises OSError where that can't be done."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
