"""A faster decoder that makes the same claims as `claims`, with msgspec, for files large enough to repay its import.

Lines that msgspec rejects, and unusual ones, go to `claims`, whose scanner of the standard library defines A2.
"""

from __future__ import annotations

import sys

import msgspec

from .claims import (
    FAST,
    FINAL,
    MAX_COUNT,
    MAX_DEPTH,
    MAX_LINE,
    REQUESTED,
    SPEED,
    STOP,
    SYNTHETIC,
    US,
    Claim,
    identify_session,
    merge_claims,
    message_digest,
    minutes,
    parse_dollars,
    request_thread,
    timestamp,
    usage_thread,
    uuid_digest,
)
from .files import USAGE, lines_with
from .reading import add_line as add_line_plainly
from .reading import add_session_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .claims import BytesOf, Key, Owner
    from .files import Block, Find
    from .reading import Reading

_MAX_DIGITS = 4300  # digits: json rejects a longer integer, msgspec does not
_DIGITS = b"0123456789"
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
    model: str | None = None
    id: str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None
    pausedResponses: msgspec.Raw = msgspec.Raw()


class _Fork(msgspec.Struct, gc=False):
    sessionId: str | None = None


class _Line(msgspec.Struct, gc=False):  # in the client's order, because msgspec looks for a name after the last match
    parentUuid: str | None = None
    isSidechain: bool | None = None
    message: _Message | None = None
    requestId: str | None = None
    type: str | None = None
    uuid: str | None = None
    timestamp: str | None = None
    cwd: str | None = None
    sessionId: str | None = None
    session_id: str | None = None
    requestSessionId: str | None = None
    forkedFrom: _Fork | None = None
    costUSD: float | None = None


_decode = msgspec.json.Decoder(_Line).decode
_REFUSED = (msgspec.MsgspecError, ValueError, RecursionError)


def _load_finder() -> Callable[[bytearray], Find] | None:
    """Return a function that makes a Find of a buffer with glibc's strstr, or None on systems without it.

    It stops at the first zero byte. strstr searches 4 to 20 GB/s, glibc's memmem 2 to 4, bytearray.find 1.5. Importing
    ctypes takes 2 to 5 ms.
    """
    if sys.platform != "linux":
        return None
    try:
        import ctypes

        strstr = ctypes.PyDLL(None).strstr
    except (ImportError, OSError, AttributeError):
        return None
    strstr.restype = ctypes.c_void_p
    strstr.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
    first_byte, address_of = ctypes.c_char.from_buffer, ctypes.addressof

    def finder(where: bytearray) -> Find:
        start = first_byte(where)  # pins the buffer in memory as long as `find` exists
        address = address_of(start)

        def find(what: bytes, begin: int, stop: int, start: object = start) -> int:
            found: int | None = strstr(address + begin, what)
            return -1 if found is None else found - address

        return find

    return finder


_finder = _load_finder()


class _Search:
    """The fastest search in a block: `with _Search(block) as find`, which is like bytearray.find up to block.stop.

    strstr stops at a zero byte, so there is one at block.stop meanwhile. A block that contains another zero byte is
    searched without strstr.
    """

    __slots__ = ("_block", "_covered")

    def __init__(self, block: Block) -> None:
        self._block = block
        self._covered: int | None = None  # the byte that the zero byte replaces

    def __enter__(self) -> Find:
        buffer, stop = self._block.buffer, self._block.stop
        if _finder is None or buffer.find(0, self._block.begin, stop) >= 0:
            return buffer.find
        if stop < len(buffer):  # else there already is one, because Python ends a bytearray with a zero byte
            self._covered, buffer[stop] = buffer[stop], 0
        return _finder(buffer)

    def __exit__(self, *_: object) -> None:
        if self._covered is not None:
            self._block.buffer[self._block.stop] = self._covered


def read_block(reading: Reading, block: Block, session: str, own: bool, bytes_of: BytesOf) -> None:
    """Add a block's lines to a reading, with the same result as reading.read_block."""
    shift = block.offset - block.begin
    with _Search(block) as find, memoryview(block.buffer) as view:
        for begin, end in lines_with(block, (USAGE,), find):
            line = view[begin:end]
            if not add_line(reading, line, shift + begin, session, bytes_of):
                add_line_plainly(reading, bytes(line), shift + begin, session, bytes_of)
        if own:
            add_session_facts(reading, block, find)


def add_line(reading: Reading, line: memoryview, offset: int, session: str, bytes_of: BytesOf) -> bool:
    """Add one whole line to a reading. Return False, having done nothing, if the line needs the other decoder."""
    if len(line) > _MAX_DIGITS and (len(line) > MAX_LINE or _has_long_number(line) or _may_be_deep(line)):
        return False
    try:
        decoded = _decode(line)
    except _REFUSED:
        return False
    message = decoded.message
    if message is None or decoded.type not in _COUNTED_TYPES:
        return True
    usage = message.usage
    if usage is None:
        return True
    if not message.id:
        return False
    text = decoded.timestamp
    try:
        time = minutes[text[:17]] + _SECONDS[text[17:20]] + _MILLIS[text[20:]]  # type: ignore[index]
    except (KeyError, TypeError):
        time = timestamp(text)  # type: ignore[assignment]
    if time is None or message.model == SYNTHETIC:
        return True
    uuid = uuid_digest(decoded.uuid) if decoded.uuid else b""
    side = decoded.isSidechain is True
    claim = None
    if decoded.requestId:
        key, flags = _key(decoded, message.id, decoded.requestId, session)
    else:  # the line's counts identify the thread
        claim = _make_claim(decoded, message, usage)
        if claim is None:
            return False
        key, flags = _key_of_usage(decoded, message.id, claim, session)
    known = reading.claims.get(key)
    if claim is None:
        if known is not None and _loses(known, side, message, usage, time):
            # Add only what the losing line contributes to the claim of its thread.
            if time != known.timestamp and not side:
                if isinstance(known.main_times, set):
                    known.main_times.add(time)
                else:
                    known.main_times = {*known.main_times, time}
            if known.uuids.find(uuid) < 0:  # faster than `in`, which first tries the uuid as an integer and fails
                known.uuids += uuid
            known.flags |= flags | FINAL if message.stop_reason else flags
            return True
        claim = _make_claim(decoded, message, usage)
        if claim is None:
            return False
    claim.group, claim.rest, claim.session, claim.rank, claim.maker = key
    claim.timestamp = time
    claim.side = side
    claim.flags |= flags
    claim.uuids = uuid
    if line[0] == 0x7B and line[-1] == 0x7D:  # braces
        claim.offset, claim.length = offset, len(line)
    else:
        data = bytes(line)
        claim.offset, claim.length = offset + data.find(b"{"), len(data.strip(b" \t\r\n"))
    reading.claims[key] = claim if known is None else merge_claims(known, claim, bytes_of)
    return True


_COUNTED_TYPES = (None, "assistant")
# the end of a time in the client's format -> microseconds
_SECONDS = {f"{number:02d}.": number * 1_000_000 for number in range(60)}
_MILLIS = {f"{number:03d}Z": number * 1_000 for number in range(1_000)}


def _loses(known: Claim, side: bool, message: _Message, usage: _Usage, time: int) -> bool:
    """Return whether a line certainly loses against the claim of its thread (A5).

    Most lines do, because the client writes one for each block of a response.
    """
    output = usage.output_tokens or 0
    if side is known.side:
        if output != known.output:
            return 0 <= output < known.output
        flags = known.flags
        return (not message.stop_reason, not usage.speed, time) > (not flags & STOP, not flags & SPEED, known.timestamp)
    return side and 0 <= output <= MAX_COUNT


def _make_claim(decoded: _Line, message: _Message, usage: _Usage) -> Claim | None:
    """Return a plain line's claim without key, time and offset, or None if the line needs the other decoder."""
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
        return None  # one of them is negative or too large
    written += write_1h
    claim.cache_creation = creation if creation > written else written
    claim.write_1h = write_1h
    claim.searches = searches
    flags = STOP | FINAL if message.stop_reason else 0
    if usage.speed:
        flags |= SPEED | FAST if usage.speed == "fast" else SPEED
    if usage.inference_geo == "us":
        flags |= US
    claim.flags = flags
    claim.cost_usd = None if decoded.costUSD is None else parse_dollars(decoded.costUSD)
    claim.cwd = decoded.cwd or ""
    claim.model = message.model or ""
    claim.file = 0
    claim.bill = None
    claim.main_times = _NO_TIMES
    claim.parents = b""
    return claim


def _is_plain(iterations: list[_Iteration], usage: _Usage) -> bool:
    """Return whether there is a single iteration with the prompt of the top level, which adds no information."""
    entry = iterations[0]
    return (
        len(iterations) == 1
        and entry.type == "message"
        and entry.input_tokens == usage.input_tokens
        and entry.cache_creation_input_tokens == usage.cache_creation_input_tokens
        and entry.cache_read_input_tokens == usage.cache_read_input_tokens
    )


_last_names: tuple[str | None, ...] = ()
_last_identity: tuple[Owner, int] = (("", 0, ""), 0)
_last_ids: tuple[str | None, ...] = ()
_last_key: tuple[Key, int] = ((0, 0, "", 0, ""), 0)


def _key(decoded: _Line, message_id: str, request_id: str, path_session: str) -> tuple[Key, int]:
    """Return the key of a line's claim and its flags REQUESTED, ORIGINAL and AT_HOME, as in claims.claim_of.

    The last result is cached, because the lines of one response follow one another.
    """
    global _last_ids, _last_key
    fork = decoded.forkedFrom.sessionId if decoded.forkedFrom is not None else None
    own, requested, maker = decoded.sessionId, decoded.requestSessionId, decoded.session_id
    ids = (message_id, request_id, own, requested, maker, fork, path_session)
    if ids != _last_ids:
        session, flags = _identify(own, requested, maker, fork, path_session)
        _last_ids, _last_key = ids, ((*request_thread(message_id, request_id), *session), flags | REQUESTED)
    return _last_key


def _key_of_usage(decoded: _Line, message_id: str, claim: Claim, path_session: str) -> tuple[Key, int]:
    """Return the same for a line without a requestId, from the counts in *claim*, and set the claim's `parents`."""
    fork = decoded.forkedFrom.sessionId if decoded.forkedFrom is not None else None
    session, flags = _identify(decoded.sessionId, decoded.requestSessionId, decoded.session_id, fork, path_session)
    own = decoded.sessionId or path_session
    rest = usage_thread(claim.input, claim.cache_creation, claim.cache_read, own)
    claim.parents = uuid_digest(decoded.parentUuid) if decoded.parentUuid else b""
    return (message_digest(message_id), rest, *session), flags


def _identify(*names: str | None) -> tuple[Owner, int]:
    """Return claims.identify_session(), cached because most lines need the same result as the line before."""
    global _last_names, _last_identity
    if names != _last_names:
        _last_names = names
        own, requested, maker, fork, path_session = (name or "" for name in names)  # fork: forkedFrom.sessionId
        _last_identity = identify_session(own or path_session, path_session, requested, fork, maker)
    return _last_identity


def _may_be_deep(line: memoryview) -> bool:
    """Return whether a line may be nested deeper than MAX_DEPTH. msgspec's own limit depends on the interpreter."""
    if len(line) <= MAX_DEPTH:
        return False
    data = bytes(line)
    return data.count(b"{") + data.count(b"[") > MAX_DEPTH


def _has_long_number(line: memoryview) -> bool:
    """Return whether a line contains more than 4,300 digits in a row, which must cross one of the indexes probed."""
    for probed in range(_MAX_DIGITS, len(line), _MAX_DIGITS):
        if line[probed] in _DIGITS:
            begin = end = probed
            while begin > 0 and line[begin - 1] in _DIGITS:
                begin -= 1
            while end < len(line) and line[end] in _DIGITS:
                end += 1
            if end - begin > _MAX_DIGITS:
                return True
    return False
