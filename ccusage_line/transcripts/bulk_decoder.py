"""The bulk decoder: the same claims as `claims`, by msgspec's typed decoding, where its import pays.

What it refuses, and whatever is unusual, goes to the standard library's scanner: that is the definition (A2).
"""

from __future__ import annotations

import msgspec

from .claims import (
    AT_HOME,
    BY_FORK,
    BY_LINE,
    BY_REQUEST,
    FAST,
    FINAL,
    MAX_COUNT,
    MAX_DEPTH,
    MAX_LINE,
    ORIGINAL,
    REQUESTED,
    SPEED,
    STOP,
    SYNTHETIC,
    US,
    Claim,
    merged,
    money,
    request_thread,
    timestamp,
    uuid_digest,
)
from .files import FACTS, USAGE, lines_with
from .needle import load_find
from .reading import take_beginning, take_facts
from .reading import take_line as take_line_plainly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .claims import Key
    from .files import Block
    from .reading import BytesOf, Reading

_LONG_NUMBER = 4300  # digits from which json refuses an integer and msgspec does not
_NO_TIMES: frozenset[int] = frozenset()


class _Split(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _Tools(msgspec.Struct, gc=False):
    web_search_requests: int | None = None


class _Iteration(msgspec.Struct, gc=False):
    type: str | None = None
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


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
    pausedResponses: msgspec.Raw = msgspec.Raw()


class _Fork(msgspec.Struct, gc=False):
    sessionId: str | None = None


class _Line(msgspec.Struct, gc=False):
    type: str | None = None
    timestamp: str | None = None
    message: _Message | None = None
    requestId: str | None = None
    uuid: str | None = None
    sessionId: str | None = None
    session_id: str | None = None
    requestSessionId: str | None = None
    forkedFrom: _Fork | None = None
    isSidechain: bool | None = None
    costUSD: float | None = None
    cwd: str | None = None


_decode = msgspec.json.Decoder(_Line).decode
_REFUSED = (msgspec.MsgspecError, ValueError, RecursionError)
_find = load_find()


def read_block(reading: Reading, block: Block, session: str, own: bool, bytes_of: BytesOf) -> None:
    """Take in what a block's lines say: as reading.read_block does."""
    offset = block.place - block.begin
    with memoryview(block.buffer) as view:
        for begin, end in lines_with(block, (USAGE,)):
            line = view[begin:end]
            if not take_line(reading, line, offset + begin, session, bytes_of):
                take_line_plainly(reading, bytes(line), offset + begin, session, bytes_of)
        if own:
            if reading.began is None:
                take_beginning(reading, block)
            for begin, end in lines_with(block, FACTS, _find):
                take_facts(reading, bytes(view[begin:end]))


def take_line(reading: Reading, line: memoryview, at: int, session: str, bytes_of: BytesOf) -> bool:
    """Take in what one whole line says of responses; false for one that wants the other decoder."""
    if len(line) > _LONG_NUMBER and (len(line) > MAX_LINE or _long_number(line) or _perhaps_deep(line)):
        return False
    try:
        decoded = _decode(line)
    except _REFUSED:
        return False
    message = decoded.message
    if message is None or decoded.type not in _COUNTING:
        return True
    usage = message.usage
    if usage is None:
        return True
    if not message.id or not decoded.requestId:
        return False
    time = _time(decoded.timestamp)
    if time is None or message.model == SYNTHETIC:
        return True
    key, marks = _key(decoded, message.id, session)
    uuid = uuid_digest(decoded.uuid) if decoded.uuid else b""
    known = reading.claims.get(key)
    side = decoded.isSidechain is True
    if known is not None and _loses(known, side, message, usage, time):
        _add_loser(known, side, message, time, uuid, marks)
        return True
    claim = _claim(decoded, message, usage)
    if claim is None:
        return False
    claim.group, claim.rest, claim.session, claim.rank, claim.maker = key
    claim.timestamp = time
    claim.side = side
    claim.flags |= marks
    claim.uuids = uuid
    if line[0] == 0x7B and line[-1] == 0x7D:  # braces
        claim.at, claim.length = at, len(line)
    else:
        data = bytes(line)
        claim.at, claim.length = at + data.find(b"{"), len(data.strip(b" \t\r\n"))
    reading.claims[key] = claim if known is None else merged(known, claim, bytes_of)
    return True


_COUNTING = (None, "assistant")


def _loses(known: Claim, side: bool, message: _Message, usage: _Usage, time: int) -> bool:
    """Whether a line surely loses against what is known of its response (A5).

    As most lines do: the client writes one for each block of a response.
    """
    output = usage.output_tokens or 0
    if side is known.side and output != known.output:
        return 0 <= output < known.output
    if not 0 <= output <= MAX_COUNT:
        return False
    return (side, -output, not message.stop_reason, not usage.speed, time) > known.order()


def _add_loser(known: Claim, side: bool, message: _Message, time: int, uuid: bytes, marks: int) -> None:
    """Take in what a losing line adds to what is known of its thread."""
    if not side and time != known.timestamp:
        if isinstance(known.main_times, set):
            known.main_times.add(time)
        else:
            known.main_times = {*known.main_times, time}
    if uuid not in known.uuids:
        known.uuids += uuid
    known.flags |= marks | FINAL if message.stop_reason else marks


def _claim(decoded: _Line, message: _Message, usage: _Usage) -> Claim | None:
    """What a plain line says, but for its key, time, session and place; None for one that wants the other decoder."""
    if message.pausedResponses or (usage.iterations and not _is_plain(usage.iterations, usage)):
        return None
    claim = Claim()
    claim.input = input = usage.input_tokens or 0
    claim.output = output = usage.output_tokens or 0
    claim.cache_read = read = usage.cache_read_input_tokens or 0
    creation = usage.cache_creation_input_tokens or 0
    written = write_1h = searches = 0
    if usage.cache_creation is not None:
        write_1h = usage.cache_creation.ephemeral_1h_input_tokens or 0
        written = usage.cache_creation.ephemeral_5m_input_tokens or 0
    if usage.server_tool_use is not None:
        searches = usage.server_tool_use.web_search_requests or 0
    if not 0 <= input | output | read | creation | written | write_1h | searches < MAX_COUNT:
        return None  # one is negative, or too large
    written += write_1h
    claim.cache_creation = creation if creation > written else written
    claim.write_1h = write_1h
    claim.searches = searches
    flags = STOP | FINAL | REQUESTED if message.stop_reason else REQUESTED
    if usage.speed:
        flags |= SPEED | FAST if usage.speed == "fast" else SPEED
    if usage.inference_geo == "us":
        flags |= US
    claim.flags = flags
    claim.cost_usd = None if decoded.costUSD is None else money(decoded.costUSD)
    claim.cwd = decoded.cwd or ""
    claim.model = message.model or ""
    claim.file = 0
    claim.bill = None
    claim.main_times = _NO_TIMES
    claim.parents = b""
    return claim


def _is_plain(iterations: list[_Iteration], usage: _Usage) -> bool:
    """Whether the iterations are a single one, with the top level's prompt: then they say nothing new."""
    entry = iterations[0]
    return (
        len(iterations) == 1
        and entry.type == "message"
        and (
            entry.input_tokens == usage.input_tokens
            and entry.cache_creation_input_tokens == usage.cache_creation_input_tokens
            and entry.cache_read_input_tokens == usage.cache_read_input_tokens
        )
    )


_last_names: tuple[str | None, ...] = ()
_last_whose: tuple[tuple[str, int, str], int] = (("", 0, ""), 0)
_last_ids: tuple[str | None, str | None] | None = None
_last_key: tuple[Key, int] = ((0, 0, "", 0, ""), 0)


def _key(decoded: _Line, message_id: str, path_session: str) -> tuple[Key, int]:
    """The key of a line's claim, and its flags ORIGINAL and AT_HOME, as response.claim_of has them.

    The lines of one response ask for the same one after another.
    """
    global _last_names, _last_whose, _last_ids, _last_key
    fork = decoded.forkedFrom.sessionId if decoded.forkedFrom is not None else None
    names = (decoded.sessionId, decoded.requestSessionId, decoded.session_id, fork, path_session)
    ids = (message_id, decoded.requestId)
    if names != _last_names:
        _last_names, _last_whose, _last_ids = names, _whose(*names), None
    if ids != _last_ids:
        assert decoded.requestId is not None
        whose, marks = _last_whose
        _last_ids, _last_key = ids, ((*request_thread(message_id, decoded.requestId), *whose), marks)
    return _last_key


def _whose(
    own: str | None, requested: str | None, maker: str | None, fork: str | None, path_session: str
) -> tuple[tuple[str, int, str], int]:
    """Session, rank and maker of a line that names these, and its flags."""
    own = own or path_session
    marks = ORIGINAL if not fork and requested in (None, "", own) else 0
    if own == path_session:
        marks |= AT_HOME
    if requested:
        return (requested, BY_REQUEST, ""), marks
    return ((fork, BY_FORK, maker or "") if fork else (own, BY_LINE, maker or "")), marks


# a time as the client writes it, in three parts: "YYYY-MM-DDThh:mm:", "ss.", "fffZ" -> microseconds
_minutes: dict[str, int] = {}
_seconds: dict[str, int] = {}
_millis: dict[str, int] = {}


def _time(value: str | None) -> int | None:
    """response.timestamp, by look-ups where all parts of a time were met before."""
    if value is None:
        return None
    try:
        return _minutes[value[:17]] + _seconds[value[17:20]] + _millis[value[20:]]  # which only 24 characters give
    except KeyError:
        pass
    time = timestamp(value)
    if time is not None and len(value) == 24 and value[16] == ":" and value[19] == "." and value[23] == "Z":
        if len(_minutes) > 100_000:
            _minutes.clear()
        _minutes[value[:17]] = time - time % 60_000_000
        _seconds[value[17:20]] = time % 60_000_000 - time % 1_000_000
        _millis[value[20:]] = time % 1_000_000
    return time


def _perhaps_deep(line: memoryview) -> bool:
    """Whether a line could be nested deeper than MAX_DEPTH; how deep msgspec goes depends on the interpreter."""
    if len(line) <= MAX_DEPTH:
        return False
    data = bytes(line)
    return data.count(b"{") + data.count(b"[") > MAX_DEPTH


def _long_number(line: memoryview) -> bool:
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
