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


def digest64(text: str) -> int:
    """64 bits of a digest as the signed number SQLite stores."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(_blake2b(data, digest_size=8).digest(), "little", signed=True)


def digest_bytes(data: bytes) -> bytes:
    """16 bytes of digest."""
    digest: bytes = _blake2b(data, digest_size=16).digest()
    return digest
