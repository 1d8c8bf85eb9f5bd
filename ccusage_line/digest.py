"""Digests of keys and file ends. Tier 0."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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
