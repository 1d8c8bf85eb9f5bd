"""Files: digests of their bytes, what tells that one has not changed, reading and atomic writing; stdout.

Standard library only: on the lean lanes.
"""

from __future__ import annotations

import os
from stat import S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Stat = tuple[int, int, int, int, int]  # device, inode, size, mtime, ctime
    Dependency = tuple[str, Stat | None]  # None: the path does not exist

SETTLED = 2_000_000_000  # ns since the youngest change that an answer needs: file systems keep times that coarsely


def load_blake2() -> Callable[..., Any]:
    """blake2b without hashlib, whose import costs 2 ms; `_blake2` is private to CPython."""
    try:
        from _blake2 import blake2b
    except ImportError:
        return public_blake2()
    return blake2b  # type: ignore[no-any-return, unused-ignore]


def public_blake2() -> Callable[..., Any]:
    from hashlib import blake2b

    return blake2b


_blake2b = load_blake2()


def digester(kind: str) -> Callable[[str], int]:
    """A function for 64 bits of a digest of *kind* and a text, as the signed number SQLite stores."""
    begun = _blake2b(kind.encode(), digest_size=8).copy

    def digest64(text: str) -> int:
        digest = begun()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return int.from_bytes(digest.digest(), "little", signed=True)

    return digest64


def bytes_digester(kind: str) -> Callable[[str], bytes]:
    """The same 64 bits as bytes, the least significant first."""
    begun = _blake2b(kind.encode(), digest_size=8).copy

    def digest8(text: str) -> bytes:
        digest = begun()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()  # type: ignore[no-any-return]

    return digest8


def digest_bytes(data: bytes) -> bytes:
    """16 bytes of digest."""
    digest: bytes = _blake2b(data, digest_size=16).digest()
    return digest


def stat_of(path: str) -> Stat | None:
    """What tells one state of a file or folder from another; None where it is not there."""
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def open_regular(path: str) -> int:
    """A descriptor of a regular file; raises OSError for anything else, without waiting for a FIFO's writer."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return descriptor


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """*length* bytes at *offset*; fewer where the file ends."""
    os.lseek(descriptor, offset, os.SEEK_SET)
    parts = []
    while length > 0:
        data = os.read(descriptor, length)
        if not data:
            break
        parts.append(data)
        length -= len(data)
    return b"".join(parts)


def private_dir(path: str) -> None:
    """Make *path* a folder of ours alone (0700). Raises PermissionError where another user owns it."""
    if not os.path.isdir(path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.makedirs(path, mode=0o700, exist_ok=True)
    if hasattr(os, "geteuid"):
        found = os.stat(path)
        if found.st_uid != os.geteuid():
            raise PermissionError(f"{path} belongs to another user")
        if found.st_mode & 0o077:
            os.chmod(path, 0o700)


def write_private(folder: str, name: str, data: bytes) -> None:
    """Put *data* into the state directory in one step, readable by its owner alone. Raises OSError."""
    private_dir(folder)
    target = os.path.join(folder, name)
    temporary = f"{target}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, target)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


# --- stdout: what is written there has arrived, or the error says why not ------------------------------------------


def print_text(text: str) -> None:
    """Put an answer on stdout, past Python's buffers: there is nothing left to flush. Raises as flush."""
    print_bytes(text.encode("utf-8", "backslashreplace"))


def print_bytes(answer: bytes) -> None:
    data = memoryview(answer)
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from error


def flush_stdout() -> None:
    """Nothing stays in Python's buffers. Raises BrokenPipeError, or UserError where stdout takes no more."""
    import sys

    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> Exception:
    from .errors import UnwritableOutput

    return UnwritableOutput(error.strerror or str(error))
