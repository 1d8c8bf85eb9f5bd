"""Lines for a sample call: shown by `--preview` and `install`, and varied by the tests."""

from __future__ import annotations

from ..session import ModelUsage, Session
from ..windows import HOUR, MINUTE, SECOND, Block
from .line import render
from .presets import PRESETS
from .segments import Numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .segments import Options

HOME = "/home/ada"
PROJECT = f"{HOME}/src/webshop"
SESSION = "b1ce8ab0-17b4-4325-b55c-2b87d4bf8a22"
CENT = 10_000_000_000  # in 1e-12 dollars


def sample_payload(now: int) -> dict[str, Any]:
    """Return every field that Claude Code is known to send, as of *now* (microseconds since the epoch)."""
    return {**_common_fields(), **_occasional_fields(now // SECOND)}


def _common_fields() -> dict[str, Any]:
    return {
        "session_id": SESSION,
        "transcript_path": f"{HOME}/.claude/projects/-home-ada-src-webshop/{SESSION}.jsonl",
        "cwd": PROJECT,
        "prompt_id": "9acfe309-6d66-49b0-912a-df0e4cd6eef0",
        "model": {"id": "claude-opus-4-5-20251101", "display_name": "Opus 4.5"},
        "workspace": {
            "current_dir": PROJECT,
            "project_dir": PROJECT,
            "added_dirs": [],
            "git_worktree": "rounding",
            "repo": {"host": "github.com", "owner": "ada", "name": "webshop"},
        },
        "version": "2.1.330",
        "output_style": {"name": "Explanatory"},
        "cost": {
            "total_cost_usd": 0.2345,
            "total_duration_ms": 3_900_000,
            "total_api_duration_ms": 754_000,
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
    }


def _occasional_fields(second: int) -> dict[str, Any]:
    """Return the fields that depend on version, plan and activity, as of a second since the epoch."""
    return {
        "effort": {"level": "high"},
        "session_name": "Round carts half up",
        "prompt_cache": {"warm": True, "ttl": "5m", "expires_at": second + 272, "hit_ratio": 0.9548},
        "rate_limits": {
            "five_hour": {"used_percentage": 23.5, "resets_at": second + 9_900},
            "seven_day": {"used_percentage": 81, "resets_at": second + 300_000},
            "spend_limit": {"used_usd": 12.5, "limit_usd": 50, "period": "monthly"},
        },
        "fast_mode": True,
        "thinking": {"enabled": True},
        "vim": {"mode": "NORMAL"},
        "agent": {"name": "reviewer"},
        "pr": {"number": 42, "url": "https://github.com/ada/webshop/pull/42", "review_state": "approved"},
        "worktree": {"name": "rounding", "branch": "cart-rounding"},
    }


def sample_session(cost: int = 23 * CENT, unpriced: int = 0) -> Session:
    model = ModelUsage("claude-opus-4-5-20251101", 1_000, 24_000, 60_000, 1_150_000, cost, 9, unpriced)
    return Session(SESSION, [model], project_path=PROJECT, responses=9)


def sample_block(now: int, cost: int = 45 * CENT, tokens: int = 90_000) -> Block:
    """Return a block that began 2 1/4 hours ago, with its first response 3/4 of an hour later."""
    start = now - 2 * HOUR - 15 * MINUTE
    return Block(start, start + 5 * HOUR, cost, tokens, now - 90 * MINUTE)


def sample_numbers(now: int) -> Numbers:
    return Numbers(session=sample_session(), today=123 * CENT, block=sample_block(now), complete=True)


def sample_line(options: Options, columns: int) -> str:
    """Return the lines that these options show of the sample call on a terminal of *columns* columns."""
    from time import time_ns

    now = time_ns() // 1000
    environ = {"HOME": HOME, "COLUMNS": str(columns)}
    return render(sample_payload(now), sample_numbers(now), options, environ, now)


def every_preset(options: Options, show: Callable[[Options], str]) -> str:
    """Return each preset's name and lines, with the other *options*."""
    shown = []
    for name, template in PRESETS.items():
        options.format = template
        shown.append(f"{name}\n\n{show(options)}\n")
    return "\n".join(shown)
