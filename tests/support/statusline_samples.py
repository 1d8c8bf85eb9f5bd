"""A payload as the client writes it, and the numbers that go with it: what statusline tests vary."""

from __future__ import annotations

import copy
from typing import Any

from ccusage_line.session import ModelUsage, Session
from ccusage_line.statusline.line import Numbers
from ccusage_line.windows import HOUR, MINUTE, Block

NOW = 1_795_414_820_000_000  # 2026-11-23T06:20:20Z
CENT = 10_000_000_000  # 1e-12 dollar
SESSION = "b1ce8ab0-17b4-4325-b55c-2b87d4bf8a22"
HOME = "/home/ada"
PROJECT = "/home/ada/src/webshop"
ENVIRON = {"HOME": HOME, "COLUMNS": "140"}

_PAYLOAD: dict[str, Any] = {
    "session_id": SESSION,
    "transcript_path": f"{HOME}/.claude/projects/-home-ada-src-webshop/{SESSION}.jsonl",
    "cwd": PROJECT,
    "prompt_id": "9acfe309-6d66-49b0-912a-df0e4cd6eef0",
    "model": {"id": "claude-opus-4-5-20251101", "display_name": "Opus 4.5"},
    "workspace": {"current_dir": PROJECT, "project_dir": PROJECT, "added_dirs": []},
    "version": "2.1.330",
    "output_style": {"name": "default"},
    "cost": {
        "total_cost_usd": 0.2345,
        "total_duration_ms": 3_900_000,
        "total_api_duration_ms": 379,
        "total_lines_added": 156,
        "total_lines_removed": 23,
    },
    "context_window": {
        "total_input_tokens": 25_000,
        "total_output_tokens": 674,
        "context_window_size": 200_000,
        "current_usage": {
            "input_tokens": 56,
            "output_tokens": 674,
            "cache_creation_input_tokens": 1_192,
            "cache_read_input_tokens": 23_752,
        },
        "used_percentage": 12,
        "remaining_percentage": 88,
    },
    "exceeds_200k_tokens": False,
    "prompt_cache": {"warm": True, "ttl": "5m", "expires_at": NOW // 1_000_000 + 300, "hit_ratio": 0.9548},
    "rate_limits": {
        "five_hour": {"used_percentage": 23.5, "resets_at": NOW // 1_000_000 + 9_900},
        "seven_day": {"used_percentage": 81, "resets_at": NOW // 1_000_000 + 300_000},
    },
    "fast_mode": False,
    "thinking": {"enabled": True},
}


def payload() -> dict[str, Any]:
    """A fresh copy, for a test to damage."""
    return copy.deepcopy(_PAYLOAD)


def changed(path: str, value: object) -> dict[str, Any]:
    """The payload with another value at a dotted path."""
    found = payload()
    *parents, last = path.split(".")
    place = found
    for key in parents:
        place = place[key]
    place[last] = value
    return found


def without(path: str) -> dict[str, Any]:
    """The payload without the field at a dotted path."""
    found = payload()
    *parents, last = path.split(".")
    place = found
    for key in parents:
        place = place[key]
    del place[last]
    return found


def session(cost: int = 23 * CENT, unpriced: int = 0) -> Session:
    model = ModelUsage("claude-opus-4-5-20251101", 1_000, 24_000, 60_000, 1_150_000, cost, 9, unpriced)
    return Session(SESSION, [model], project_path=PROJECT, responses=9)


def block(cost: int = 45 * CENT, tokens: int = 90_000) -> Block:
    """Two hours and a quarter old, its first response three quarters of an hour after its start."""
    start = NOW - 2 * HOUR - 15 * MINUTE
    return Block(start, start + 5 * HOUR, cost, tokens, NOW - 90 * MINUTE)


def numbers(**changes: Any) -> Numbers:
    values: dict[str, Any] = {"session": session(), "today": 123 * CENT, "block": block(), "complete": True}
    return Numbers(**{**values, **changes})
