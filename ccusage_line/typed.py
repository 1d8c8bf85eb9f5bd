"""The bulk decoder: the same claims as `response`, by msgspec's typed decoding, where its import pays.

What it refuses, and whatever is unusual, goes to the standard library's scanner: that is the definition (A2).
"""

from __future__ import annotations

import msgspec

from .reading import read_lines
from .response import (
    BY_FORK,
    BY_LINE,
    BY_PATH,
    BY_REQUEST,
    FAST,
    FINAL,
    MAX_COUNT,
    MAX_LINE,
    SPEED,
    STOP,
    US,
    Claim,
    money,
    request_key,
    timestamp,
)

_LONG_NUMBER = 4300  # digits from which json refuses an integer and msgspec does not
_NO_TIMES: frozenset[int] = frozenset()


class _Split(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _Tools(msgspec.Struct, gc=False):
    web_search_requests: int | None = None


class _Iteration(msgspec.Struct, gc=False):
    type: str | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _Split | None = None
    server_tool_use: _Tools | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: list[_Iteration] | None = None


class _Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Fork(msgspec.Struct, gc=False):
    sessionId: str | None = None


class _Line(msgspec.Struct, gc=False):
    type: str | None = None
    timestamp: str | None = None
    message: _Message | None = None
    requestId: str | None = None
    sessionId: str | None = None
    requestSessionId: str | None = None
    forkedFrom: _Fork | None = None
    isSidechain: bool | None = None
    costUSD: float | None = None
    cwd: str | None = None


_decode = msgspec.json.Decoder(_Line).decode
_REFUSED = (msgspec.MsgspecError, ValueError, RecursionError)
_BILLED_BESIDE = ("advisor_message", "compaction")


def read_line(line: bytes, at: int, session: str) -> list[Claim] | None:
    """The claims of one whole line; None for a bad one."""
    if len(line) > _LONG_NUMBER and (len(line) > MAX_LINE or _long_number(line)):
        return read_lines(line, at, session)
    try:
        decoded = _decode(line)
    except _REFUSED:
        return read_lines(line, at, session)
    message = decoded.message
    usage = message.usage if message is not None else None
    if message is None or usage is None or decoded.type not in (None, "assistant"):
        return []
    claim = _claim(line, at, session, decoded, message, usage)
    return read_lines(line, at, session) if claim is None else claim


def _claim(line: bytes, at: int, session: str, decoded: _Line, message: _Message, usage: _Usage) -> list[Claim] | None:
    """The claim of a plain line, None for one that wants the other decoder."""
    if not message.id or not decoded.requestId:
        return None
    if usage.iterations and any(entry.type in _BILLED_BESIDE for entry in usage.iterations):
        return None
    split, tools = usage.cache_creation, usage.server_tool_use
    claim = Claim()
    written = write_1h = 0
    if split is not None:
        write_1h = split.ephemeral_1h_input_tokens or 0
        written = split.ephemeral_5m_input_tokens or 0
    creation = usage.cache_creation_input_tokens or 0
    claim.input = usage.input_tokens or 0
    claim.output = usage.output_tokens or 0
    claim.cache_read = usage.cache_read_input_tokens or 0
    claim.searches = (tools.web_search_requests or 0) if tools is not None else 0
    counts = (claim.input, claim.output, claim.cache_read, claim.searches, creation, written, write_1h)
    if min(counts) < 0 or max(counts) > MAX_COUNT:
        return None
    claim.cache_creation = max(creation, written + write_1h)
    claim.write_1h = write_1h
    time = timestamp(decoded.timestamp)
    if time is None:
        return []
    claim.timestamp = time
    if decoded.requestSessionId:
        claim.rank, claim.session = BY_REQUEST, decoded.requestSessionId
    elif decoded.forkedFrom is not None and decoded.forkedFrom.sessionId:
        claim.rank, claim.session = BY_FORK, decoded.forkedFrom.sessionId
    elif decoded.sessionId:
        claim.rank, claim.session = BY_LINE, decoded.sessionId
    else:
        claim.rank, claim.session = BY_PATH, session
    flags = 0
    if message.stop_reason:
        flags = STOP | FINAL
    if usage.speed:
        flags |= SPEED | FAST if usage.speed == "fast" else SPEED
    if usage.inference_geo == "us":
        flags |= US
    claim.flags = flags
    claim.side = decoded.isSidechain is True
    claim.cost_usd = money(decoded.costUSD)
    claim.cwd = decoded.cwd or ""
    claim.model = message.model or ""
    claim.file = 0
    claim.further = ()
    claim.main_times = _NO_TIMES
    if line[0] == 0x7B and line[-1] == 0x7D:  # braces
        claim.at, claim.length = at, len(line)
    else:
        claim.at, claim.length = at + line.find(b"{"), len(line.strip(b" \t\r\n"))
    claim.group, claim.rest = _key(message.id, decoded.requestId)
    return [claim]


_last: tuple[str, str, tuple[int, int]] = ("", "", (0, 0))


def _key(message_id: str, request_id: str) -> tuple[int, int]:
    """request_key, which the lines of one response ask for one after another."""
    global _last
    if _last[0] != message_id or _last[1] != request_id:
        _last = (message_id, request_id, request_key(message_id, request_id))
    return _last[2]


def _long_number(line: bytes) -> bool:
    """Whether a run of more than 4,300 digits stands in a line: it must cross one of these places."""
    for place in range(_LONG_NUMBER, len(line), _LONG_NUMBER):
        if 48 <= line[place] <= 57:
            begin = end = place
            while begin > 0 and 48 <= line[begin - 1] <= 57:
                begin -= 1
            while end < len(line) and 48 <= line[end] <= 57:
                end += 1
            if end - begin > _LONG_NUMBER:
                return True
    return False
