"""Files: digests, stamps that detect changes, reading, atomic writing, and stdout. Also loads blake2b and the JSON
scanner, both in C, without their slow Python modules. On the lean lanes."""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Stat = tuple[int, int, int, int, int]  # device, inode, size, mtime, ctime; the times in ns
    Dependency = tuple[str, Stat | None]  # None if the path does not exist

PRIVATE = 0o600  # the mode of all files that we write
_FOLDER_MODE = 0o700
_EINVAL = 22  # errno.EINVAL
_MAX_SIZE = 256 * 1024 * 1024  # bytes of a file that we wrote
SETTLED = 2_000_000_000  # ns between the last change and publishing: some file systems store times with this resolution


def load_blake2() -> Callable[..., Any]:
    """Return blake2b without importing hashlib, which costs 2 ms; `_blake2` is private to CPython."""
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
    """Return a function from a text to 8 bytes of a digest that depends on *kind* too."""
    begun = _blake2b(kind.encode(), digest_size=8).copy

    def digest8(text: str) -> bytes:
        digest = begun()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()  # type: ignore[no-any-return]

    return digest8


def digester(kind: str) -> Callable[[str], int]:
    """Return a function from a text to the same 64 bits, little-endian, as the signed integer that SQLite stores."""
    begun, number = _blake2b(kind.encode(), digest_size=8).copy, int.from_bytes

    def digest64(text: str) -> int:
        digest = begun()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return number(digest.digest(), "little", signed=True)

    return digest64


def digest_bytes(data: bytes) -> bytes:
    """Return a digest of 16 bytes."""
    digest: bytes = _blake2b(data, digest_size=16).digest()
    return digest


class _ScannerSettings:
    """The attributes that the C scanner reads from a decoder, set as in json.loads."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__
    memo: dict[str, str] = {}  # noqa: RUF012


def load_scanner(**settings: Any) -> Callable[[str, int], tuple[Any, int]]:
    """Return json's scan_once(text, index) -> (value, end) without importing json, which costs 8 ms. *settings* are
    those of json.loads. `_json` is private to CPython; the public module gives the same."""
    try:
        from _json import make_scanner
    except ImportError:
        return public_scanner(**settings)
    rules: Any = _ScannerSettings()
    vars(rules).update(settings)
    scanner: Callable[[str, int], tuple[Any, int]] = make_scanner(rules)
    return scanner


def public_scanner(**settings: Any) -> Callable[[str, int], tuple[Any, int]]:
    from json import JSONDecoder

    return JSONDecoder(**settings).scan_once  # type: ignore[attr-defined, no-any-return]


def stamp(stat: os.stat_result) -> Stat:
    """Return the fields that change when a file or folder changes; times in ns."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def stat_of(path: str) -> Stat | None:
    """Return the stamp of a file or folder, or None if it does not exist."""
    try:
        return stamp(os.stat(path))
    except (OSError, ValueError):
        return None


def names_in(folder: str) -> list[str]:
    """Return the names in *folder*; none if it cannot be listed."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def leads_to(path: str | bytes, stat: os.stat_result) -> bool:
    """Return whether *path* leads to the file or folder with this stat."""
    try:
        return os.path.samestat(os.stat(path), stat)
    except OSError:
        return False


def open_regular(path: str) -> int:
    """Open a regular file for reading. Raises OSError for anything else, without waiting for the writer of a FIFO."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(_EINVAL, "not a regular file", path)
    return descriptor


def read_regular(path: str, most: int) -> bytes:
    """Return the content of a regular file. Raises OSError for anything else or if it is larger than *most* bytes."""
    data = read_part(path, most + 1, 0)
    if len(data) > most:
        raise OSError(_EINVAL, f"larger than {most // 1024:,} KB", path)
    return data


def read_part(path: str, length: int, offset: int) -> bytes:
    """Return *length* bytes of a regular file from *offset* on, fewer if it ends before. Raises OSError."""
    descriptor = open_regular(path)
    try:
        return read_at(descriptor, length, offset)
    finally:
        os.close(descriptor)


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Return *length* bytes from *offset* on, fewer if the file ends before."""
    os.lseek(descriptor, offset, os.SEEK_SET)
    parts = []
    while length > 0:
        data = os.read(descriptor, length)
        if not data:
            break
        parts.append(data)
        length -= len(data)
    return b"".join(parts)


def is_ours(stat: os.stat_result) -> bool:
    """Return whether a file or folder belongs to the current user; True on systems without owners."""
    return not hasattr(os, "geteuid") or stat.st_uid == os.geteuid()


# Do not follow a link, do not wait for the other end of a FIFO.
_FLAGS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def read_private(path: str) -> bytes | None:
    """Return the content of a regular file that belongs to the user; None for any other, because what another user
    wrote is not trusted, and if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        stat = os.fstat(descriptor)
        if not S_ISREG(stat.st_mode) or not is_ours(stat) or stat.st_size > _MAX_SIZE:
            return None
        return os.read(descriptor, stat.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def open_private(path: str, flags: int) -> int:
    """Open a file, creating it with access for its owner alone. Raises OSError."""
    return os.open(path, flags | os.O_CREAT | _FLAGS, PRIVATE)


def make_private_folder(path: str) -> None:
    """Create the folder *path* with access for its owner alone, unless it exists. Raises OSError; PermissionError if it
    or its parent belongs to another user or if others may write to it."""
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        _make_folder(path)
        stat = os.stat(path)
    if not S_ISDIR(stat.st_mode):
        raise NotADirectoryError(f"{path} is not a folder")
    if not is_ours(stat):
        raise PermissionError(f"{path} belongs to another user")
    if stat.st_mode & 0o022 and hasattr(os, "geteuid"):
        raise PermissionError(f"others may write to {path}")


def _make_folder(path: str) -> None:
    """Create a folder and its parents, but not below a folder of another user, except root. That user could put
    anything in its place, and with sudo our files in somebody's home would not belong to them."""
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    stat = os.stat(existing)
    if stat.st_uid and not is_ours(stat):
        raise PermissionError(f"{existing} belongs to another user")
    os.makedirs(os.path.dirname(path), mode=_FOLDER_MODE, exist_ok=True)
    os.makedirs(path, mode=_FOLDER_MODE, exist_ok=True)


def write_private(folder: str, name: str, data: bytes, mtime_ns: int | None = None, suffix: str = "") -> None:
    """Write *data* to a file in a private folder in one step, readable by its owner alone.

    The temporary file is called *name* plus *suffix*, which no other writer may use. Raises OSError.
    """
    make_private_folder(folder)
    target = os.path.join(folder, name)
    temporary = target + (suffix or f".{os.getpid()}.tmp")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_TRUNC)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        if mtime_ns is not None:
            os.utime(temporary, ns=(mtime_ns, mtime_ns))
        os.replace(temporary, target)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


# --- stdout: after a call without an error, the output was delivered -----------------------------------------------


def print_text(text: str) -> None:
    """Write *text* to stdout, bypassing Python's buffers. Raises like flush_stdout."""
    print_bytes(text.encode("utf-8", "backslashreplace"))


def print_bytes(data: bytes) -> None:
    """Write *data* to stdout, bypassing Python's buffers. Raises like flush_stdout."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(1, rest) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable_output(error) from error


def flush_stdout() -> None:
    """Flush Python's buffers. Raises BrokenPipeError, or UnwritableOutput if stdout cannot be written."""
    import sys

    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable_output(error) from error


def _unwritable_output(error: OSError) -> Exception:
    from .errors import UnwritableOutput

    return UnwritableOutput(error.strerror or str(error))
