"""Reports as `--json` prints them, small: what the tests of `--jq` ask."""

from __future__ import annotations

import json
from typing import Any


def _tokens(input: int, output: int, write: int, read: int) -> dict[str, int]:
    return {
        "inputTokens": input,
        "outputTokens": output,
        "cacheCreationTokens": write,
        "cacheReadTokens": read,
        "totalTokens": input + output + write + read,
    }


def _breakdown(model: str, name: str, cost: float, *tokens: int) -> dict[str, Any]:
    return {"model": model, "modelName": name, **_tokens(*tokens), "totalCost": cost, "cost": cost}


WORK: dict[str, Any] = {
    "sessionId": "0aa8645e-daff-4e12-8f0b-80fb032bd075",
    **_tokens(1520, 48211, 310_000, 9_120_455),
    "totalCost": 12.3456789,
    "lastActivity": "2026-01-14",
    "firstActivityAt": "2026-01-13T22:10:05.120Z",
    "lastActivityAt": "2026-01-14T09:41:57.003Z",
    "modelsUsed": ["opus-4-5", "haiku-4-5"],
    "modelBreakdowns": [
        _breakdown("opus-4-5", "claude-opus-4-5-20251101", 12.3, 1500, 48000, 300_000, 9_000_000),
        _breakdown("haiku-4-5", "claude-haiku-4-5-20251001", 0.0456789, 20, 211, 10_000, 120_455),
    ],
    "projectPath": "/home/ada/src/engine",
    "title": 'Mend the "parser" of naïve paths 🚀',
    "responses": 214,
    "incompleteResponses": 1,
    "unpricedModels": [],
    "clientCost": 12.41,
    "archived": False,
}

SMALL: dict[str, Any] = {
    "sessionId": "3e0d709c-589d-4b36-8fd3-de34ced02d2c",
    **_tokens(12, 40, 0, 800),
    "totalCost": 3e-05,
    "lastActivity": "2026-01-12",
    "firstActivityAt": "2026-01-12T08:00:00.000Z",
    "lastActivityAt": "2026-01-12T08:00:09.500Z",
    "modelsUsed": ["haiku-4-5"],
    "modelBreakdowns": [_breakdown("haiku-4-5", "claude-haiku-4-5-20251001", 3e-05, 12, 40, 0, 800)],
    "projectPath": "/home/ada/src/it's mine",
    "title": None,
    "responses": 1,
    "incompleteResponses": 0,
    "unpricedModels": [],
    "clientCost": None,
    "archived": False,
}

GATEWAY: dict[str, Any] = {
    "sessionId": "9ec2731d-e3a3-48ab-85b0-af62972c20b0",
    **_tokens(90_000, 7000, 0, 0),
    "totalCost": 1.0,
    "lastActivity": "2026-01-14",
    "firstActivityAt": "2026-01-14T01:00:00.000Z",
    "lastActivityAt": "2026-01-14T02:30:00.000Z",
    "modelsUsed": ["glm-5", "house-model"],
    "modelBreakdowns": [
        _breakdown("glm-5", "glm-5", 1.0, 60_000, 5000, 0, 0),
        _breakdown("house-model", "house-model", 0.0, 30_000, 2000, 0, 0),
    ],
    "projectPath": "/srv/build,1",
    "title": "tabs\tand\nlines, commas",
    "responses": 17,
    "incompleteResponses": 0,
    "unpricedModels": ["house-model"],
    "clientCost": 0.97,
    "archived": True,
}

LIST: dict[str, Any] = {
    "sessions": [WORK, GATEWAY, SMALL],
    "totals": {**_tokens(91_532, 55_251, 310_000, 9_121_255), "totalCost": 13.3457089},
}

NOTHING: dict[str, Any] = {"sessions": [], "totals": {**_tokens(0, 0, 0, 0), "totalCost": 0.0}}


def _entry(timestamp: str, model: str, cost: float, *tokens: int) -> dict[str, Any]:
    counts = _tokens(*tokens)
    del counts["totalTokens"]
    return {"timestamp": timestamp, "model": model, **counts, "costUSD": cost}


ENTRIES: dict[str, Any] = {
    **GATEWAY,
    "entries": [
        _entry("2026-01-13T23:58:11.000Z", "glm-5", 0.25, 10_000, 1000, 0, 0),
        _entry("2026-01-14T01:00:00.000Z", "house-model", 0.0, 30_000, 2000, 0, 0),
        _entry("2026-01-14T01:00:30.250Z", "glm-5", 0.5, 20_000, 3000, 0, 0),
        _entry("2026-01-14T02:30:00.000Z", "glm-5", 0.25, 30_000, 1000, 0, 0),
    ],
}

REPORTS: dict[str, Any] = {"list": LIST, "nothing": NOTHING, "session": WORK, "entries": ENTRIES, "unknown": None}

TEXTS = {name: json.dumps(report, ensure_ascii=False) for name, report in REPORTS.items()}
