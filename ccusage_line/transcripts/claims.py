"""The claim that a line of a transcript makes on a response (rules A2 to A9).

A *claim* is what one file says of one thread for one session. A *thread* consists of the lines with one `message.id`
and one `requestId` (or, without a `requestId`, with the same counts). The claim holds the best of its lines (A5) and
what all of them say together. The threads with one `message.id` are a *group*; those of a group that are linked form
one *response* (A4, see `accounting`). Uses only the standard library; `bulk_decoder` must give the same results.
"""

from __future__ import annotations

from ..files import bytes_digester, digest_bytes, digester, load_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    BytesOf = Callable[["Claim"], bytes]  # reads a claim's line
    Began = Callable[[str], int | None]  # returns the first timestamp of a session's own transcript (A6)
    FolderOf = Callable[[int], str]  # returns the project folder of a file
    Key = tuple[int, int, str, int, str]  # identifies a claim in its file: group, rest, session, rank, maker
    Owner = tuple[str, int, str]  # session, rank, maker
    # model, input, output, cache creation, 1 h part of it, read, web searches, flags
    Part = tuple[str, int, int, int, int, int, int, int]
    IterationTokens = tuple[int, int, int, int, int]  # input, output, cache creation, 1 h part of it, read
    # The parts billed in addition to the top-level usage, or in place of it (A9); the iterations that add up to the
    # usage, each with its own prompt (A10); the tokens of the last iteration's prompt, None if the usage has the same.
    Bill = tuple[tuple[Part, ...], tuple[IterationTokens, ...], int | None]

MAX_COUNT = 2**53  # a larger count is invalid (A3)
MAX_DEPTH = 5_000  # an object nested deeper counts as torn, whatever the interpreter's own limit is
# Bounds on hostile lines. The rest of a line is skipped after so many whole objects in it, and after so many torn ones,
# because each of these may have been scanned to the end of the line.
MAX_TORN = 1_000
MAX_SCANNED = 16 * 1024 * 1024  # characters; one torn object is always accepted
MAX_OBJECTS = 10_000
MAX_LINE = 64 * 1024 * 1024  # bytes; a longer line is skipped as bad
SYNTHETIC = "<synthetic>"  # the client writes it in place of a model's name; such a line is no response (A3)
NO_MESSAGE = 0  # the group of all lines without a `message.id`

# flags of a claim
STOP = 1  # the best line has a stop_reason
SPEED = 2  # the best line names a speed
FAST = 4
US = 8
FINAL = 16  # any line has a stop_reason (A12)
ORIGINAL = 32  # any line is not marked as a copy in a fork
REQUESTED = 64  # the lines have a requestId
AT_HOME = 256  # any line has the session that its path names
REPLACES_USAGE = 128  # the parts of the bill are billed in place of the top-level usage (A9)
_BEST_LINE_FLAGS = STOP | SPEED | FAST | US | REPLACES_USAGE  # the flags that depend on the best line alone

# what names a line's session (A6): requestSessionId; forkedFrom; sessionId, else the path
BY_REQUEST, BY_FORK, BY_LINE = range(3)

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n\0"
_OBJECT_STARTS = ('{"parentUuid"', '{"type"')  # how an object can begin after a torn one (A2)


class Claim:
    """What one file says of one thread for one session. The fields are those of its best line unless noted."""

    file: int  # the index's number of the file; 0 until it has one
    group: int  # the thread (A4) as two signed 64-bit digests; threads with one message.id have the same group
    rest: int
    session: str  # the session that all its lines name (A6)
    rank: int  # how they name it: BY_REQUEST, BY_FORK or BY_LINE
    maker: str  # the `session_id` of all its lines; "" if they have none or if it does not matter
    side: bool  # all lines belong to a sidechain
    timestamp: int  # microseconds
    model: str  # "" if the line names none
    flags: int
    input: int
    output: int
    cache_creation: int
    write_1h: int
    cache_read: int
    searches: int
    cost_usd: float | None
    cwd: str
    offset: int  # the offset and the length of the line's object in the file, in bytes
    length: int
    main_times: set[int] | frozenset[int]  # the timestamps of all main-chain lines, except that of the best line
    uuids: bytes  # distinct digests of all lines' uuids, in the order of the lines, 8 bytes each
    parents: bytes  # the same for their parentUuids if the lines have no requestId, else empty
    bill: Bill | None  # None if nothing but the top-level usage is billed

    __slots__ = tuple(__annotations__)

    def order(self) -> tuple[bool, int, bool, bool, int]:
        """Return the sort key of A5 except for the bytes; the smaller key wins."""
        return (self.side, -self.output, not self.flags & STOP, not self.flags & SPEED, self.timestamp)

    def content(self) -> tuple[Any, ...]:
        """Return everything taken from the best line: if this is equal, it does not matter which line wins."""
        counts = self.input, self.output, self.cache_creation, self.write_1h, self.cache_read, self.searches
        flags = self.flags & _BEST_LINE_FLAGS
        return (self.timestamp, self.model, flags, *counts, self.cost_usd, self.cwd, self.bill)

    def source(self) -> tuple[int, str, int, str]:
        """Return what distinguishes the claims on one thread: the file, and how its lines name their session."""
        return self.file, self.session, self.rank, self.maker

    def copy(self) -> Claim:
        """Return a copy that does not share `main_times`."""
        claim = Claim()
        for name in Claim.__slots__:
            setattr(claim, name, getattr(self, name))
        claim.main_times = frozenset(self.main_times)
        return claim


def merge_claims(a: Claim, b: Claim, bytes_of: BytesOf) -> Claim:
    """Merge two claims with the same key, of which *b* has the later lines. Changes and returns one of the two."""
    winner, loser = (b, a) if _beats(b, a, bytes_of) else (a, b)
    if not loser.side:
        times = a.main_times if isinstance(a.main_times, set) else set(a.main_times)  # it grows line by line
        times.update(b.main_times)
        times.add(loser.timestamp)
        times.discard(winner.timestamp)
        winner.main_times = times
    winner.flags |= loser.flags & (FINAL | ORIGINAL | AT_HOME)
    winner.uuids, winner.parents = _join_digests(a.uuids, b.uuids), _join_digests(a.parents, b.parents)
    return winner


def _join_digests(digests: bytes, more: bytes) -> bytes:
    """Return *digests* followed by those of *more* that it does not contain."""
    if len(more) <= 8:  # true for nearly every line
        return digests + more if digests.find(more) < 0 else digests
    return digests + b"".join(digest for digest in split_digests(more) if digest not in digests)


def split_digests(digests: bytes) -> list[bytes]:
    """Split concatenated digests of 8 bytes each."""
    return [digests[place : place + 8] for place in range(0, len(digests), 8)]


def _beats(a: Claim, b: Claim, bytes_of: BytesOf) -> bool:
    """Return whether *a*'s line wins over *b*'s (A5). Calls *bytes_of* only if nothing else decides."""
    if a.side != b.side:
        return b.side
    if a.output != b.output:
        return a.output > b.output
    a_order, b_order = a.order(), b.order()
    if a_order != b_order:
        return a_order < b_order
    # For a deleted file, bytes_of returns a value that is greater than any line, so a file that exists wins. If both
    # files are deleted, the values decide.
    a_bytes, b_bytes = bytes_of(a), bytes_of(b)
    return a_bytes < b_bytes if a_bytes != b_bytes else repr(a.content()) < repr(b.content())


def best_claim(claims: Iterable[Claim], bytes_of: BytesOf, folder_of: FolderOf) -> Claim:
    """Return the claim whose line wins (A5).

    Forks copy whole lines, so if the best lines have equal content, no file is opened to compare their bytes. Among
    equal lines without a cwd, the first folder by name wins.
    """
    ranked = sorted(claims, key=Claim.order)
    if not ranked[0].cwd:
        ranked.sort(key=lambda claim: (claim.order(), folder_of(claim.file)))
    winner = ranked[0]
    rivals = [claim for claim in ranked[1:] if claim.order() == winner.order()]
    # Without a cwd, the winner's folder names the project, so it matters which of the equal lines wins.
    if not rivals or (winner.cwd and all(claim.content() == winner.content() for claim in rivals)):
        return winner
    for claim in rivals:
        if _beats(claim, winner, bytes_of):
            winner = claim
    return winner


def session_of(claims: Iterable[Claim], began: Began) -> str:
    """Return the session that owns a response (A6)."""
    by_rank: list[set[str]] = [set(), set(), set()]
    makers = set()
    for claim in claims:
        by_rank[claim.rank].add(claim.session)
        makers.add(claim.maker)
    makers.discard("")
    requested, forked, named = by_rank
    if requested:
        return min(requested)
    candidates = named or forked
    if len(candidates) > 1 and len(candidates & makers) == 1:
        candidates &= makers
    if len(candidates) == 1:
        return candidates.pop()
    return min((_none_last(began(session)), session) for session in candidates)[1]


def _none_last(time: int | None) -> tuple[bool, int]:
    return (True, 0) if time is None else (False, time)


def main_times_of(claims: Iterable[Claim]) -> set[int]:
    times: set[int] = set()
    for claim in claims:
        times |= claim.main_times
        if not claim.side:
            times.add(claim.timestamp)
    return times


# --- the thread (A4) --------------------------------------------------------------------------------------------


message_digest, _request_digest, _usage_digest = digester("m"), digester("r"), digester("u")
_bytes_digest, session_digest = digester("b"), digester("s")
uuid_digest = bytes_digester("i")


def request_thread(message_id: str, request_id: str) -> tuple[int, int]:
    """Return the (group, rest) of lines with both ids (A4)."""
    return message_digest(message_id), _request_digest(request_id)


def usage_thread(input: int, cache_creation: int, cache_read: int, session: str) -> int:
    """Return the `rest` of lines without a requestId, which their counts and session identify."""
    return _usage_digest(f"{input} {cache_creation} {cache_read} {session}")


def line_thread(line_digest: int, session_digest: int) -> int:
    """Return the `rest` of a line without any id, from the digests of its bytes and of its session."""
    return line_digest ^ session_digest


# --- values ------------------------------------------------------------------------------------------------------


def _string(value: object) -> str:
    """Return *value* if it is a string, else "", which means absent (A3)."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int:
    """Return a token count: a number from 0 to 2**53, truncated to an integer, or 0 for any other value (A3)."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else 0
    if type(value) is float and 0 <= value <= MAX_COUNT:  # false for NaN
        return int(value)
    return 0


def parse_dollars(value: object) -> float | None:
    """Return a finite number of dollars as a float, or None for any other value."""
    if type(value) is float and value - value == 0:
        return value or 0.0
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return None
    return None


minutes: dict[str, int] = {}  # a cache: "YYYY-MM-DDThh:mm:" of a UTC time -> microseconds since the epoch
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _parse_digits(text: str) -> int:
    """Parse ASCII digits; return -1 for other text (int() also accepts signs, spaces, underscores, other scripts)."""
    return int(text) if text.isascii() and text.isdigit() else -1


def _parse_day(text: str) -> int | None:
    """Return the microseconds since the epoch at the start of a day `YYYY-MM-DD` in UTC, or None if it is invalid."""
    if text[4] != "-" or text[7] != "-":
        return None
    year, month, day = _parse_digits(text[:4]), _parse_digits(text[5:7]), _parse_digits(text[8:])
    if year < 1 or not 1 <= month <= 12 or day < 1:
        return None
    has_leap_day = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _MONTH_DAYS[month - 1] + has_leap_day:
        return None
    # The inverse of jsontext.civil: years begin in March here, so that the leap day is the last of its year.
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1
    return (days - 719_468) * 86_400_000_000


def _parse_offset(text: str) -> int | None:
    """Return the seconds east of UTC of "", `Z`, `±hh` or `±hh:mm`, or None for other text."""
    if text in ("Z", ""):
        return 0
    if text[0] not in "+-" or not (len(text) == 3 or (len(text) == 6 and text[3] == ":")):
        return None
    hours, minutes = _parse_digits(text[1:3]), _parse_digits(text[4:]) if len(text) == 6 else 0
    if not (0 <= hours <= 23 and 0 <= minutes <= 59):
        return None
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _parse_clock(text: str) -> int | None:
    """Return the microseconds of `hh:mm[:ss[.f+]]` and a zone, or None if it is invalid. Further digits are cut."""
    if len(text) < 5 or text[2] != ":":
        return None
    hour, minute, second, micro, rest = _parse_digits(text[:2]), _parse_digits(text[3:5]), 0, 0, text[5:]
    if rest[:1] == ":":
        second, rest = _parse_digits(rest[1:3]) if len(rest) >= 3 else -1, rest[3:]
        if rest[:1] == ".":
            zone = rest[1:].lstrip("0123456789")
            digits = rest[1 : len(rest) - len(zone)]
            if not digits:
                return None
            micro, rest = int(digits[:6].ljust(6, "0")), zone
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return None
    offset = _parse_offset(rest)
    return None if offset is None else (hour * 3600 + minute * 60 + second - offset) * 1_000_000 + micro


def timestamp(value: object) -> int | None:
    """Return the microseconds since the epoch, UTC, of a line's timestamp (A3), or None if it is invalid."""
    if not isinstance(value, str) or len(value) < 16:
        return None
    minute = minutes.get(value[:17])
    if minute is not None and len(value) == 24 and value[19] == "." and value[23] == "Z":  # the client's format
        digits = value[17:19] + value[20:23]
        if digits.isascii() and digits.isdigit() and digits[0] < "6":
            return minute + int(digits) * 1_000
    if value[10] not in "T ":
        return None
    day, clock = _parse_day(value[:10]), _parse_clock(value[11:])
    if day is None or clock is None:
        return None
    if value[16:17] == ":" and value[-1] == "Z":
        if len(minutes) > 10_000:
            minutes.clear()
        minutes[value[:17]] = day + clock - clock % 60_000_000
    return day + clock


# --- an object -> a claim ----------------------------------------------------------------------------------------


def claim_of(obj: object, raw: bytes, offset: int, path_session: str) -> Claim | None:
    """Return the claim that a decoded object makes, or None if the object does not count (A3).

    *raw* is the object's bytes, *offset* its offset in the file, *path_session* the session that the path names (A6).
    """
    if not isinstance(obj, dict):
        return None
    message = obj.get("message")
    if not isinstance(message, dict) or obj.get("type") not in (None, "assistant"):
        return None
    usage = message.get("usage")
    time, model = timestamp(obj.get("timestamp")), _string(message.get("model"))
    if not isinstance(usage, dict) or time is None or model == SYNTHETIC:
        return None
    claim = Claim()
    claim.file, claim.timestamp, claim.offset, claim.length = 0, time, offset, len(raw)
    claim.side = obj.get("isSidechain") is True
    claim.cost_usd = parse_dollars(obj.get("costUSD"))
    claim.cwd = _string(obj.get("cwd"))
    claim.model = model
    claim.input, claim.output, claim.cache_creation, claim.write_1h, claim.cache_read, claim.searches = tokens(usage)
    claim.flags = _usage_flags(usage)
    if _string(message.get("stop_reason")):
        claim.flags |= STOP | FINAL
    claim.main_times = frozenset()
    claim.bill = None
    if usage.get("iterations") or message.get("pausedResponses"):
        _set_bill(claim, usage, message.get("pausedResponses"))
    _set_identity(claim, obj, _string(message.get("id")), raw, path_session)
    return claim


def _set_identity(claim: Claim, obj: dict[str, Any], message_id: str, raw: bytes, path_session: str) -> None:
    """Set the claim's thread (A4), session, rank and maker (A6)."""
    own = _string(obj.get("sessionId")) or path_session
    fork = obj.get("forkedFrom")
    forked = _string(fork.get("sessionId")) if isinstance(fork, dict) else ""
    requested, maker = _string(obj.get("requestSessionId")), _string(obj.get("session_id"))
    (claim.session, claim.rank, claim.maker), flags = identify_session(own, path_session, requested, forked, maker)
    claim.flags |= flags
    uuid, parent, request_id = _string(obj.get("uuid")), "", _string(obj.get("requestId"))
    claim.group = message_digest(message_id) if message_id else NO_MESSAGE
    if request_id:
        claim.flags |= REQUESTED
        claim.rest = _request_digest(request_id)
    elif message_id or uuid:
        parent = _string(obj.get("parentUuid"))
        claim.rest = usage_thread(claim.input, claim.cache_creation, claim.cache_read, own)
    else:
        claim.rest = line_thread(_bytes_digest(digest_bytes(raw).hex()), session_digest(own))
    claim.uuids = uuid_digest(uuid) if uuid else b""
    claim.parents = uuid_digest(parent) if parent else b""


def identify_session(own: str, path_session: str, requested: str, forked: str, maker: str) -> tuple[Owner, int]:
    """Return the session, rank and maker of a line (A6), and its flags ORIGINAL and AT_HOME.

    *own* is the line's `sessionId`, else *path_session*, the session that its path names. *requested* is its
    `requestSessionId`, *forked* the `sessionId` of its `forkedFrom`, *maker* its `session_id`; "" for absent ones.
    """
    flags = AT_HOME if own == path_session else 0
    if not forked and requested in ("", own):
        flags |= ORIGINAL
    if requested:
        return (requested, BY_REQUEST, ""), flags  # the maker does not matter here
    return ((forked, BY_FORK, maker) if forked else (own, BY_LINE, maker)), flags


def tokens(usage: dict[str, Any]) -> tuple[int, int, int, int, int, int]:
    """Return (input, output, cache creation, 1 h part of it, cache read, web searches) of a usage object (A3, A8)."""
    creation, write_1h, searches = count(usage.get("cache_creation_input_tokens")), 0, 0
    split, tools = usage.get("cache_creation"), usage.get("server_tool_use")
    if isinstance(split, dict):
        write_1h = count(split.get("ephemeral_1h_input_tokens"))
        creation = max(creation, write_1h + count(split.get("ephemeral_5m_input_tokens")))
    if isinstance(tools, dict):
        searches = count(tools.get("web_search_requests"))
    input, output = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    return input, output, creation, write_1h, count(usage.get("cache_read_input_tokens")), searches


def _usage_flags(usage: dict[str, Any]) -> int:
    speed = _string(usage.get("speed"))
    flags = (SPEED if speed else 0) | (FAST if speed == "fast" else 0)
    return flags | (US if usage.get("inference_geo") == "us" else 0)


_EXTRA_TYPES = ("advisor_message", "compaction")
_ATTEMPT_TYPES = ("message", "fallback_message")


def _set_bill(claim: Claim, usage: dict[str, Any], paused: object) -> None:
    """Set the claim's bill: what the line bills in addition to its top-level usage (A9), and its iterations (A10)."""
    iterations = [entry for entry in _objects_in(usage.get("iterations")) if entry.get("model") != SYNTHETIC]
    attempts = [entry for entry in iterations if entry.get("type") in _ATTEMPT_TYPES]
    extra: list[Part] = []
    shares: tuple[IterationTokens, ...] = ()
    if any(entry.get("type") == "fallback_message" for entry in attempts):
        extra = [_part(entry, _string(entry.get("model")), claim) for entry in attempts if tokens(entry)[1]]
        claim.flags |= REPLACES_USAGE if extra else 0
    elif len(attempts) > 1:
        shares = _shares(attempts, claim)
    extra += _extra_parts(iterations, paused, claim)
    prompt = _last_prompt(iterations)
    context = None if prompt == claim.input + claim.cache_creation + claim.cache_read else prompt
    if extra or shares or context is not None:
        claim.bill = tuple(extra), shares, context


def _shares(attempts: list[dict[str, Any]], claim: Claim) -> tuple[IterationTokens, ...]:
    """Return the tokens of each attempt if they add up to the line's usage, else nothing."""
    shares = tuple(tokens(entry)[:5] for entry in attempts)
    whole = (claim.input, claim.output, claim.cache_creation, claim.write_1h, claim.cache_read)
    return shares if tuple(map(sum, zip(*shares, strict=True))) == whole else ()


def _extra_parts(iterations: list[dict[str, Any]], paused: object, claim: Claim) -> Iterator[Part]:
    """Yield what advisors, compactions and paused attempts bill. An advisor never runs in fast mode (A9)."""
    for entry in iterations:
        if entry.get("type") == "advisor_message":
            *part, flags = _part(entry, _string(entry.get("model")), claim)
            yield (*part, flags & ~FAST)  # type: ignore[misc]
        elif entry.get("type") == "compaction":
            yield _part(entry, "", claim)
    for attempt in _objects_in(paused):
        usage = attempt.get("usage")
        if isinstance(usage, dict):
            yield _part(usage, "", claim)


def _last_prompt(iterations: list[dict[str, Any]]) -> int | None:
    """Return the tokens of the last prompt of the conversation, or None if no iteration has any."""
    for entry in reversed(iterations):
        prompt = 0 if entry.get("type") in _EXTRA_TYPES else prompt_tokens(tokens(entry))
        if prompt:
            return prompt
    return None


def _objects_in(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _part(usage: dict[str, Any], model: str, claim: Claim) -> Part:
    """Return what a usage object bills. A model, speed or region that it does not name is that of the line."""
    own = _usage_flags(usage)
    speed = own if own & SPEED else claim.flags
    region = own if _string(usage.get("inference_geo")) else claim.flags
    return (model or claim.model, *tokens(usage), speed & FAST | region & US)


def prompt_tokens(counts: tuple[int, ...]) -> int:
    """Return the tokens of the prompt (input, cache writes and cache reads) in a result of `tokens`."""
    return counts[0] + counts[2] + counts[4]


# --- bytes -> objects --------------------------------------------------------------------------------------------


_scan = load_scanner()
# The C scanner looks up its error class in json.decoder. That is not imported, so a syntax error raises SystemError.
_REFUSED = (ValueError, StopIteration, SystemError)


def decode(line: bytes) -> str:
    """Return a line's text, with U+FFFD in place of bytes that are not UTF-8 (A2)."""
    return line.decode("utf-8", "replace")


def _scan_at(text: str, start: int, deep: bool) -> tuple[Any, int] | None:
    """Return the value at *start* and the index after it, or None if there is no whole one.

    The result does not depend on the depth of the caller's stack. *deep* is false if the text can't be nested too deep.
    """
    try:
        scanned = _scan(text, start)
    except RecursionError:
        return None if deep and _too_deep(text, start) else _scan_deep(text, start)
    except _REFUSED:
        return None
    return None if deep and _too_deep(text, start) else scanned


def _scan_deep(text: str, start: int) -> tuple[Any, int] | None:
    """Do the same as _scan_at, with room on the stack for MAX_DEPTH levels."""
    import sys

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 4 * MAX_DEPTH)
    try:
        return _scan(text, start)
    except RecursionError:  # Python 3.12 has a separate limit for the C stack
        return _scan_in_python(text, start)
    except _REFUSED:
        return None
    finally:
        sys.setrecursionlimit(limit)


def _scan_in_python(text: str, start: int) -> tuple[Any, int] | None:
    from json import JSONDecoder
    from json.decoder import JSONArray, JSONObject  # type: ignore[attr-defined]
    from json.scanner import py_make_scanner  # type: ignore[attr-defined]

    decoder: Any = JSONDecoder()
    decoder.parse_object, decoder.parse_array = JSONObject, JSONArray
    try:
        return py_make_scanner(decoder)(text, start)  # type: ignore[no-any-return]
    except (ValueError, StopIteration):
        return None


def _too_deep(text: str, start: int) -> bool:
    """Return whether the value at *start* is nested deeper than MAX_DEPTH."""
    import re

    depth = 0
    for token in re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL).finditer(text, start):
        char = token.group()
        if char in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif char in "}]":
            depth -= 1
            if depth <= 0:
                return False
    return False


def objects(line: bytes, whole: bool = True) -> list[tuple[dict[str, Any], bytes, int]]:
    """Return the objects of one line (A2) as (object, its bytes, their offset in the line).

    *whole* is false for a last line without a newline: in it, only the objects before the first torn one count.
    """
    if len(line) > MAX_LINE:
        return []
    shift = len(_BOM) if line.startswith(_BOM) else 0
    line = line[shift:]
    text = decode(line)
    deep = len(text) > MAX_DEPTH and text.count("{") + text.count("[") > MAX_DEPTH
    found: list[tuple[dict[str, Any], bytes, int]] = []
    place = _skip_space(text, 0)
    max_torn = min(MAX_TORN, max(MAX_SCANNED // max(len(text), 1), 1))
    torn = text_mark = line_mark = 0  # the marks are an index into the text and the same position in the line
    while place < len(text) and len(found) < MAX_OBJECTS:
        scanned = _scan_at(text, place, deep) if text[place] == "{" else None
        if scanned is None:
            torn += 1
            if not whole or torn > max_torn:
                break
            place = _find_next_object(text, place + 1)
            continue
        value, end = scanned
        if not found and torn == 0 and end == len(text.rstrip(" \t\r\n\0")):
            return [(value, line.strip(_SPACE), shift + line.find(b"{"))]
        # Replaced bytes make positions in the text and in the line differ. Braces are ASCII, so counting them maps
        # one to the other.
        first = _find_nth(line, b"{", text.count("{", text_mark, place) + 1, line_mark)
        last = _find_nth(line, b"}", text.count("}", place, end), first)
        found.append((value, line[first : last + 1], shift + first))
        text_mark, line_mark = end, last + 1
        place = _skip_space(text, end)
    return found


def _skip_space(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n\0":
        place += 1
    return place


def _find_next_object(text: str, place: int) -> int:
    """Return the index at which the next object begins after a torn one, or the text's length if none does."""
    return min((at for at in (text.find(mark, place) for mark in _OBJECT_STARTS) if at >= 0), default=len(text))


def _find_nth(line: bytes, char: bytes, n: int, start: int) -> int:
    place = start - 1
    for _ in range(n):
        place = line.find(char, place + 1)
    return place
