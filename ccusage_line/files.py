"""Files: digests of their bytes, what tells that one has not changed, reading and atomic writing; stdout. And the
halves of two packages that are written in C, without the other half's import. On the lean lanes.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Stat = tuple[int, int, int, int, int]  # device, inode, size, mtime, ctime; the times in ns
    Dependency = tuple[str, Stat | None]  # None: the path does not exist

PRIVATE = 0o600  # the mode of every file of ours
_PRIVATE_FOLDER = 0o700
_INVALID = 22  # EINVAL
_LARGEST = 256 * 1024 * 1024  # bytes of a file of ours
SETTLED = 2_000_000_000  # ns from the youngest change to what is published: file systems keep times that coarsely


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


def bytes_digester(kind: str) -> Callable[[str], bytes]:
    """A function for 64 bits of a digest of *kind* and a text."""
    begun = _blake2b(kind.encode(), digest_size=8).copy

    def digest8(text: str) -> bytes:
        digest = begun()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()  # type: ignore[no-any-return]

    return digest8


def digester(kind: str) -> Callable[[str], int]:
    """The same 64 bits as the signed number SQLite stores, the least significant byte first."""
    begun, number = _blake2b(kind.encode(), digest_size=8).copy, int.from_bytes

    def digest64(text: str) -> int:
        digest = begun()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return number(digest.digest(), "little", signed=True)

    return digest64


def digest_bytes(data: bytes) -> bytes:
    """16 bytes of digest."""
    digest: bytes = _blake2b(data, digest_size=16).digest()
    return digest


class _Rules:
    """What the C scanner wants of a decoder: the settings of json.loads."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__
    memo: dict[str, str] = {}  # noqa: RUF012


def load_scanner(**settings: Any) -> Callable[[str, int], tuple[Any, int]]:
    """json's scan_once(text, index) -> (value, end) without importing json, which costs 8 ms; *settings* as json.loads
    has them.

    `_json` is private to CPython; the public module gives the same.
    """
    try:
        from _json import make_scanner
    except ImportError:
        return public_scanner(**settings)
    rules: Any = _Rules()
    vars(rules).update(settings)
    scanner: Callable[[str, int], tuple[Any, int]] = make_scanner(rules)
    return scanner


def public_scanner(**settings: Any) -> Callable[[str, int], tuple[Any, int]]:
    from json import JSONDecoder

    return JSONDecoder(**settings).scan_once  # type: ignore[attr-defined, no-any-return]


def stamp(stat: os.stat_result) -> Stat:
    """What tells one state of a file or folder from another; times in ns."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def stat_of(path: str) -> Stat | None:
    """The stamp of a file or folder; None where it is not there."""
    try:
        return stamp(os.stat(path))
    except (OSError, ValueError):
        return None


def names_in(folder: str) -> list[str]:
    """What a folder holds; nothing where it can't be listed."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def leads_to(path: str | bytes, stat: os.stat_result) -> bool:
    """Whether a path leads to the file or folder of that stat."""
    try:
        return os.path.samestat(os.stat(path), stat)
    except OSError:
        return False


def open_regular(path: str) -> int:
    """A descriptor of a regular file; raises OSError for anything else, without waiting for a FIFO's writer."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(_INVALID, "not a regular file", path)
    return descriptor


def read_regular(path: str, most: int) -> bytes:
    """All of a regular file. Raises OSError for anything else, and for one of more than *most* bytes."""
    data = read_part(path, most + 1, 0)
    if len(data) > most:
        raise OSError(_INVALID, f"larger than {most // 1024:,} KB", path)
    return data


def read_part(path: str, length: int, offset: int) -> bytes:
    """*length* bytes of a regular file at *offset*; fewer where it ends. Raises OSError."""
    descriptor = open_regular(path)
    try:
        return read_at(descriptor, length, offset)
    finally:
        os.close(descriptor)


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


def is_ours(found: os.stat_result) -> bool:
    """Whether a file or folder belongs to the user we are; where systems don't tell, it does."""
    return not hasattr(os, "geteuid") or found.st_uid == os.geteuid()


# Without following a link, without waiting for the other end of a FIFO.
_FLAGS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def read_private(path: str) -> bytes | None:
    """What a regular file of ours holds; None for any other, and where it can't be read. What another user wrote is
    not believed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(descriptor)
        if not S_ISREG(found.st_mode) or not is_ours(found) or found.st_size > _LARGEST:
            return None
        return os.read(descriptor, found.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def open_private(path: str, flags: int) -> int:
    """A descriptor of a file of ours alone, made if it is not there. Raises OSError."""
    return os.open(path, flags | os.O_CREAT | _FLAGS, PRIVATE)


def private_dir(path: str) -> None:
    """Make *path*, a folder of ours alone, if it is not there. Raises OSError where it can't be made, PermissionError
    where it, or the folder that it would have to be made in, is another user's, and where others may write to it."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        _make(path)
        found = os.stat(path)
    if not S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{path} is not a folder")
    if not is_ours(found):
        raise PermissionError(f"{path} belongs to another user")
    if found.st_mode & 0o022 and hasattr(os, "geteuid"):
        raise PermissionError(f"others may write to {path}")


def _make(path: str) -> None:
    """Make a folder, and those above it. Not in a folder of another user, root apart: that user could put anything in
    its place, and with sudo what we leave in somebody's home would be theirs no more."""
    above = path
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    found = os.stat(above)
    if found.st_uid and not is_ours(found):
        raise PermissionError(f"{above} belongs to another user")
    os.makedirs(os.path.dirname(path), mode=_PRIVATE_FOLDER, exist_ok=True)
    os.makedirs(path, mode=_PRIVATE_FOLDER, exist_ok=True)


def write_private(folder: str, name: str, data: bytes, mtime: int | None = None, ending: str = "") -> None:
    """Put *data* into a folder of ours in one step, readable by its owner alone; *mtime* in ns. Until then it stands
    under the name with an *ending* that no other writer has. Raises OSError."""
    private_dir(folder)
    target = os.path.join(folder, name)
    temporary = target + (ending or f".{os.getpid()}.tmp")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_TRUNC)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        if mtime is not None:
            os.utime(temporary, ns=(mtime, mtime))
        os.replace(temporary, target)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


# --- stdout: what is written there has arrived, or the error says why not ------------------------------------------


def print_text(text: str) -> None:
    """Write to stdout past Python's buffers: there is nothing left to flush. Raises as flush_stdout."""
    print_bytes(text.encode("utf-8", "backslashreplace"))


def print_bytes(data: bytes) -> None:
    """As print_text."""
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(1, left) :]
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
