"""A payload as the client writes it, and the numbers that go with it, for statusline tests to vary."""

from __future__ import annotations

from typing import Any

from ccusage_line.statusline.preview import CENT, HOME, SESSION, sample_block, sample_numbers, sample_payload
from ccusage_line.statusline.preview import sample_session as session
from ccusage_line.statusline.segments import Numbers
from ccusage_line.windows import Block

NOW = 1_795_414_820_000_000  # 2026-11-23T06:20:20Z
ENVIRON = {"HOME": HOME, "COLUMNS": "140"}

__all__ = ["CENT", "ENVIRON", "HOME", "NOW", "SESSION", "block", "changed", "numbers", "payload", "session", "without"]


def payload() -> dict[str, Any]:
    """Return a fresh copy of the payload, which the test may change."""
    return sample_payload(NOW)


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the payload with another value at a dotted path."""
    found, place, last = _place(payload(), path)
    place[last] = value
    return found


def without(*paths: str) -> dict[str, Any]:
    """Return the payload without the fields at some dotted paths."""
    found = payload()
    for path in paths:
        _, place, last = _place(found, path)
        del place[last]
    return found


def _place(found: dict[str, Any], path: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    *parents, last = path.split(".")
    place = found
    for key in parents:
        place = place[key]
    return found, place, last


def block(cost: int = 45 * CENT, tokens: int = 90_000) -> Block:
    return sample_block(NOW, cost, tokens)


def numbers(**changes: Any) -> Numbers:
    return Numbers(**{**vars(sample_numbers(NOW)), **changes})
