"""Small published files: written atomically, read whole or not at all.

Standard library only: on the lean lanes.
"""

from __future__ import annotations

import marshal
import os

from . import __version__
from .files import digest_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAGIC = b"ccusage published 2\n"
_DIGEST = 16
REPORTS = ("report.text", "report.json")  # the last reports of many sessions, which any change of the index takes back


def read(path: str) -> Any:
    """What was published at *path* by this version of the package; None where there is nothing, or it is torn."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        stat = os.fstat(descriptor)
        if hasattr(os, "geteuid") and stat.st_uid != os.geteuid():  # what another user wrote is not believed
            return None
        data = os.read(descriptor, stat.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    start = len(_MAGIC) + _DIGEST
    body = data[start:]
    if not data.startswith(_MAGIC) or digest_bytes(body) != data[len(_MAGIC) : start]:
        return None
    version, value = marshal.loads(body)
    return value if version == __version__ else None


def write(path: str, value: Any, ending: str = "~") -> None:
    """Publish plain values (tuples, lists, dicts, texts, numbers). Where that fails, nothing is published.

    The caller holds the index's write lock, or names an *ending* for the file's name that no other writer has.
    """
    body = marshal.dumps((__version__, value), 2)
    temporary = f"{path}{ending}"  # one writer at a time: what a killed one leaves, the next one overwrites
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        try:
            os.write(descriptor, _MAGIC + digest_bytes(body) + body)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError:
        return


def revoke(path: str) -> None:
    """Take back what is published; raises OSError where that can't be done."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
