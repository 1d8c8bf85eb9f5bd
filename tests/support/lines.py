"""Builders of transcript lines."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

OPUS = "claude-opus-4-5-20251101"
SONNET = "claude-sonnet-4-5-20250929"
ID = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def usage(input: int = 10, output: int = 100, write: int = 0, read: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "input_tokens": input,
        "output_tokens": output,
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
        **more,
    }


def record(
    message: str = "m1",
    request: str | None = "r1",
    session: str = ID,
    at: str = "2026-05-01T10:00:00.000Z",
    model: str = OPUS,
    stop: str | None = "end_turn",
    tokens: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return an assistant line as an object."""
    line: dict[str, Any] = {
        "parentUuid": None,
        "isSidechain": False,
        "cwd": "/home/me/proj",
        "sessionId": session,
        "type": "assistant",
        "message": {"id": message, "model": model, "stop_reason": stop, "usage": usage() if tokens is None else tokens},
        "requestId": request,
        "timestamp": at,
        "uuid": f"u-{message}",
    }
    return {key: value for key, value in (line | more).items() if value is not None or key == "parentUuid"}


def line(*args: Any, **kwargs: Any) -> str:
    """Return an assistant line as the client writes it, with its newline."""
    return json.dumps(record(*args, **kwargs), separators=(",", ":")) + "\n"


def ago(seconds: float) -> str:
    """Return the timestamp of a response *seconds* before now, to the millisecond."""
    moment = datetime.now(timezone.utc) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def append(path: Path, text: str) -> None:
    """Append lines to a transcript, which need not exist yet."""
    with path.open("a") as file:
        file.write(text)
