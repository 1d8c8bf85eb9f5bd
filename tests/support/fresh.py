"""One fresh reading of everything: a second, deliberately plain implementation of the accounting rules A1 to A12.

The tests compare the package with it. It shares no code with the package, stores nothing between calls, decodes with
the standard json module only and calculates with fractions. It does not implement A13 (vanished files): a caller who
needs it passes what vanished files held as further sources to `count`.

Money is a whole number of 1e-12 dollars, time a whole number of microseconds since the epoch, UTC.
"""

from __future__ import annotations

import json
import json.decoder
import json.scanner
import math
import os
import re
import stat
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

MODES = ("auto", "calculate", "display")
PICO = 10**12  # units in one dollar
PRICE_UNIT = 10**15  # also units in one dollar: the rates of a price entry, per token, are in these
LONGEST_LINE = 64 * 1024 * 1024  # bytes, without the newline
DEEPEST = 5_000  # brackets that may be open at once in one object
LARGEST_COUNT = 2**53
SYNTHETIC = "<synthetic>"

# Maps a model's name to its price entry or None. An entry has the rates `input`, `output`, `write_5m`, `write_1h`,
# `read`, `above` (the same five, or None) for prompts of more than `threshold` tokens, the factors `fast` and `us` in
# thousandths, and `web_search` in 1e-12 dollars.
FindPrice = Callable[[str], Any]


# --- what comes out --------------------------------------------------------------------------------------------------


@dataclass
class FreshModel:
    """The sums of one session's responses that name one model; `cost` and `unpriced` are by mode."""

    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_read: int = 0
    responses: int = 0
    cost: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODES, 0))
    unpriced: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODES, 0))

    @property
    def tokens(self) -> tuple[int, int, int, int]:
        """Input, output, cache creation and cache read tokens."""
        return (self.input, self.output, self.cache_creation, self.cache_read)


class FreshEntry(NamedTuple):
    """One thing billed; `cost` is in the order of MODES, `model` is "" if the line names none."""

    timestamp: int
    model: str
    input: int
    output: int
    cache_creation: int
    cache_read: int
    cost: tuple[int, int, int]


class Context(NamedTuple):
    """The size of the prompt of a response, in tokens, and the model that its line names."""

    tokens: int
    model: str | None


@dataclass
class FreshSession:
    """One session. A session without a counted response is listed too if a transcript of its own was read."""

    id: str
    models: dict[str, FreshModel] = field(default_factory=dict)  # by model; "" for responses that name none
    first: int | None = None
    last: int | None = None
    project_path: str | None = None
    project_paths: frozenset[str | None] = frozenset()  # all that are right if responses tie for the earliest
    title: str | None = None
    client_cost: float | None = None  # dollars
    responses: int = 0
    incomplete: int = 0
    entries: list[FreshEntry] = field(default_factory=list)  # sorted by time
    files: set[str] = field(default_factory=set)  # names of its own transcripts and of all files that hold a line of it
    line_files: set[str] = field(default_factory=set)  # names of the files that hold a line that counts
    last_contexts: frozenset[Context] = frozenset()  # all that are right if responses tie for the latest

    @property
    def last_context(self) -> Context | None:
        """The context after the last response of the main chain."""
        return min(self.last_contexts, key=str, default=None)

    @property
    def tokens(self) -> tuple[int, int, int, int]:
        """Input, output, cache creation and cache read tokens of all models."""
        models = self.models.values()
        return (
            sum(model.input for model in models),
            sum(model.output for model in models),
            sum(model.cache_creation for model in models),
            sum(model.cache_read for model in models),
        )

    def cost(self, mode: str) -> int:
        return sum(model.cost[mode] for model in self.models.values())


class Reading(dict[str, FreshSession]):
    """Every session by its id, and what each file holds."""

    bad_lines: int = 0
    undecided: set[str]  # sessions with a response whose tied lines nobody can read any more
    responses: list[Response]
    beginnings: dict[str, int]  # the first timestamp of each session's own transcript
    by_file: dict[str, FreshSession]  # by file name without `.jsonl`; sums only, without copies in forks

    @property
    def with_responses(self) -> dict[str, FreshSession]:
        return {name: session for name, session in self.items() if session.responses}


class Source(NamedTuple):
    """One transcript: `parts` are the names below `projects/`; `name` is its real path, which orders the files.

    If `gone` is true, the file has vanished and `content` is what was last seen of it. It has no bytes to compare, so a
    file that still exists wins the last tie-break of A5.
    """

    parts: tuple[str, ...]
    name: str
    content: bytes
    gone: bool = False


def source(relative: str, content: bytes) -> Source:
    """Return the source at the path *relative* to `projects/` (with `/`), for readings without a disk."""
    return Source(PurePosixPath(relative).parts, relative, content)


def read(data_dirs: Iterable[Path], find_price: FindPrice | None = None) -> Reading:
    """Read all transcripts below *data_dirs*; without *find_price* no model has a price."""
    sources = []
    for path, parts in transcripts(data_dirs):
        try:
            content = path.read_bytes()
        except OSError:
            continue  # unreadable files are skipped
        sources.append(Source(parts, os.path.realpath(path), content))
    return count(sources, find_price)


# --- A1: where transcripts are ---------------------------------------------------------------------------------------


def projects_folder(data_dir: Path) -> Path:
    return data_dir if data_dir.name == "projects" else data_dir / "projects"


def transcripts(data_dirs: Iterable[Path]) -> list[tuple[Path, tuple[str, ...]]]:
    """Return each transcript once: the path by which it was first reached, and its names below `projects/`.

    Data directories come in the order of their real paths, names in the order of their bytes; symbolic links are
    followed after everything real has been seen.
    """
    found: list[tuple[Path, tuple[str, ...]]] = []
    seen: set[tuple[int, int]] = set()
    links: list[tuple[Path, tuple[str, ...]]] = []

    def visit(path: Path, parts: tuple[str, ...]) -> None:
        try:
            info = path.stat()
        except (OSError, ValueError):
            return
        identity = (info.st_dev, info.st_ino)
        if stat.S_ISDIR(info.st_mode):
            if identity in seen or (parts and parts[-1] in ("tool-results", "memory")):
                return
            seen.add(identity)
            enter(path, parts)
        elif stat.S_ISREG(info.st_mode) and identity not in seen and is_transcript_name(parts):
            seen.add(identity)
            found.append((path, parts))

    def enter(folder: Path, parts: tuple[str, ...]) -> None:
        try:
            names = sorted(os.listdir(folder), key=os.fsencode)
        except OSError:
            return
        for name in names:
            path = folder / name
            if path.is_symlink():
                links.append((path, (*parts, name)))
            else:
                visit(path, (*parts, name))

    for folder in sorted((projects_folder(Path(each)) for each in data_dirs), key=os.path.realpath):
        visit(folder, ())
    while links:
        visit(*links.pop(0))
    return found


def is_transcript_name(parts: tuple[str, ...]) -> bool:
    return parts != () and parts[-1].endswith(".jsonl") and parts[-1] != "journal.jsonl"


def session_of_path(parts: tuple[str, ...]) -> tuple[str, bool]:
    """Return the session that a path names (A6), and whether the file is that session's own transcript.

    A session's own transcripts are `<project>/<id>.jsonl`, `<id>.jsonl` and any `<id>/chat.jsonl` that is not below
    `subagents`.
    """
    for index, part in enumerate(parts[:-1]):
        if part == "subagents" and index >= 2:
            return parts[index - 1], False
    if parts[-1] == "chat.jsonl" and len(parts) > 1:
        return parts[-2], True
    return PurePosixPath(parts[-1]).stem, len(parts) <= 2


# --- A2: lines and objects -------------------------------------------------------------------------------------------


def lines_of(content: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield each line, and whether it ends with a newline."""
    *finished, rest = content.split(b"\n")
    for line in finished:
        yield line, True
    if rest:
        yield rest, False


def can_matter(line: bytes) -> bool:
    return any(word in line for word in (b'"usage"', b'-title"', b'"summary"', b'"cost-state"'))


def objects_of(line: bytes, finished: bool) -> list[tuple[bytes, dict[str, Any]]]:
    """Return the objects on one line that count, each with its own bytes."""
    found: list[tuple[bytes, dict[str, Any]]] = []
    place = 3 if line.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while line[place : place + 1] in (b" ", b"\t", b"\r", b"\0"):
            place += 1
        if place >= len(line):
            return found
        taken = object_at(line, place)
        if taken is not None:
            found.append(taken)
            place += len(taken[0])
        elif not finished:
            return found
        else:
            starts = [at for at in (line.find(b'{"parentUuid"', place + 1), line.find(b'{"type"', place + 1)) if at > 0]
            if not starts:
                return found
            place = min(starts)


def object_at(line: bytes, place: int) -> tuple[bytes, dict[str, Any]] | None:
    """Return the whole object that starts at *place*, with its bytes, or None if there is none."""
    if line[place : place + 1] != b"{":
        return None
    try:
        # In latin-1 every byte is one character, so the object's length in characters is its length in bytes.
        _, length = decode(line[place:].decode("latin-1"))
        raw = line[place : place + length]
        value, _ = decode(raw.decode("utf-8", "replace"))
    except ValueError:
        return None
    return raw, value


def decode(text: str) -> tuple[Any, int]:
    """Return the JSON value at the start of *text* and its length; raise ValueError if the json module refuses it."""
    if text.count("{") + text.count("[") <= 200:
        return json.JSONDecoder().raw_decode(text)
    depth = depth_of(text)
    if depth > DEEPEST:
        raise ValueError(f"nested {depth} deep")
    return json.JSONDecoder().raw_decode(text) if depth <= 200 else decode_deep(text)


def depth_of(text: str) -> int:
    """Return how many brackets are open at once in the value at the start of *text*."""
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
            if depth <= 0:
                break
    return deepest


def decode_deep(text: str) -> tuple[Any, int]:
    """Do the same as `decode`, whatever the depth of the caller's stack.

    The C scanner of the json module gives up at a different depth in each Python. Its Python scanner goes as far as the
    recursion limit, and a thread of its own has a stack of known size.
    """
    decoder: Any = json.JSONDecoder()
    decoder.parse_object = vars(json.decoder)["JSONObject"]
    decoder.scan_once = vars(json.scanner)["py_make_scanner"](decoder)
    outcome: list[tuple[Any, int] | ValueError] = []

    def work() -> None:
        try:
            outcome.append(decoder.raw_decode(text))
        except ValueError as error:
            outcome.append(error)

    limit, size = sys.getrecursionlimit(), threading.stack_size(512 * 1024 * 1024)
    sys.setrecursionlimit(max(limit, 10 * DEEPEST))
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    (found,) = outcome
    if isinstance(found, ValueError):
        raise found
    return found


# --- A3, A8: what a line says ----------------------------------------------------------------------------------------


def text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def number_or_none(value: Any) -> int | float | None:
    """Return *value* if it is a finite number, else None; booleans and integers beyond all floats give None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None


def dollars_or_none(value: Any) -> float | None:
    """Return an amount of money as other JSON readers have it: the nearest float."""
    number = number_or_none(value)
    return None if number is None else float(number)


def count_of(value: Any) -> int:
    number = number_or_none(value)
    return int(number) if number is not None and 0 <= number <= LARGEST_COUNT else 0


def object_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def objects_in(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(?:Z|([+-])([0-9]{2})(?::([0-9]{2}))?)?"
)


def timestamp_of(value: Any) -> int | None:
    """Return microseconds since the epoch, further digits cut off, or None if *value* is no timestamp."""
    match = TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute = (int(match[group]) for group in range(1, 6))
    second = int(match[6] or 0)
    micros = int((match[7] or "")[:6].ljust(6, "0"))
    offset_hour, offset_minute = int(match[9] or 0), int(match[10] or 0)
    try:
        days = date(year, month, day).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None
    if hour > 23 or minute > 59 or second > 59 or offset_hour > 23 or offset_minute > 59:
        return None
    offset = (offset_hour * 60 + offset_minute) * (-1 if match[8] == "-" else 1)
    minutes = (days * 24 + hour) * 60 + minute - offset
    return (minutes * 60 + second) * 1_000_000 + micros


class Tokens(NamedTuple):
    """The five token kinds of A8; `write_5m` also holds what the split does not cover."""

    input: int
    output: int
    write_5m: int
    write_1h: int
    read: int

    @property
    def cache_creation(self) -> int:
        return self.write_5m + self.write_1h

    @property
    def prompt(self) -> int:
        return self.input + self.cache_creation + self.read


def tokens_of(usage: dict[str, Any]) -> Tokens:
    split = object_of(usage.get("cache_creation"))
    write_1h = count_of(split.get("ephemeral_1h_input_tokens"))
    parts = count_of(split.get("ephemeral_5m_input_tokens")) + write_1h
    written = max(count_of(usage.get("cache_creation_input_tokens")), parts)
    return Tokens(
        input=count_of(usage.get("input_tokens")),
        output=count_of(usage.get("output_tokens")),
        write_5m=written - write_1h,
        write_1h=write_1h,
        read=count_of(usage.get("cache_read_input_tokens")),
    )


def searches_of(usage: dict[str, Any]) -> int:
    return count_of(object_of(usage.get("server_tool_use")).get("web_search_requests"))


class Line(NamedTuple):
    """One line that counts (A3)."""

    message_id: str | None
    request_id: str | None
    uuid: str | None
    parent_uuid: str | None
    session_id: str  # its `sessionId`, or else the one that the path names
    request_session_id: str | None
    process_session_id: str | None  # its `session_id`: the first session of the process that wrote it
    forked_from: str | None
    timestamp: int
    sidechain: bool
    has_stop_reason: bool
    model: str | None
    usage: dict[str, Any]
    tokens: Tokens
    paused: list[dict[str, Any]]  # the usage of each attempt that was paused
    cost_usd: float | None
    cwd: str | None
    raw: bytes
    source: Source

    @property
    def project_path(self) -> str | None:
        folder = self.source.parts[0] if len(self.source.parts) > 1 else None
        return self.cwd or folder

    @property
    def rank(self) -> tuple[Any, ...]:
        """The sort key of A5: of a response's lines, the one with the smallest rank wins."""
        return (
            self.sidechain,
            -self.tokens.output,
            not self.has_stop_reason,
            text_or_none(self.usage.get("speed")) is None,
            self.timestamp,
            self.source.gone,
            self.raw,
        )


def counted_line(value: dict[str, Any], raw: bytes, where: Source) -> Line | None:
    """Return the line that *value* makes, or None if it does not count (A3, and A9 for `<synthetic>`)."""
    message = object_of(value.get("message"))
    usage = message.get("usage")
    timestamp = timestamp_of(value.get("timestamp"))
    if not isinstance(usage, dict) or timestamp is None or value.get("type") not in (None, "assistant"):
        return None
    if message.get("model") == SYNTHETIC:
        return None
    return Line(
        message_id=text_or_none(message.get("id")),
        request_id=text_or_none(value.get("requestId")),
        uuid=text_or_none(value.get("uuid")),
        parent_uuid=text_or_none(value.get("parentUuid")),
        session_id=text_or_none(value.get("sessionId")) or session_of_path(where.parts)[0],
        request_session_id=text_or_none(value.get("requestSessionId")),
        process_session_id=text_or_none(value.get("session_id")),
        forked_from=text_or_none(object_of(value.get("forkedFrom")).get("sessionId")),
        timestamp=timestamp,
        sidechain=value.get("isSidechain") is True,
        has_stop_reason=text_or_none(message.get("stop_reason")) is not None,
        model=text_or_none(message.get("model")),
        usage=usage,
        tokens=tokens_of(usage),
        paused=objects_in([each.get("usage") for each in objects_in(message.get("pausedResponses"))]),
        cost_usd=dollars_or_none(value.get("costUSD")),
        cwd=text_or_none(value.get("cwd")),
        raw=raw,
        source=where,
    )


# --- A4: which lines are of one response -----------------------------------------------------------------------------


def responses_of(lines: list[Line]) -> list[list[Line]]:
    """Return the lines of each response, the winner first (A4, A5)."""
    above = list(range(len(lines)))  # for each line another one of its response, or itself

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    first_with: dict[Hashable, int] = {}
    for place, line in enumerate(lines):
        for mark in marks_of(line):
            above[top(place)] = top(first_with.setdefault(mark, place))
    for place, line in enumerate(lines):
        parent = first_with.get(mark_of_parent(line))
        if parent is not None:
            above[top(place)] = top(parent)
    together: dict[int, list[Line]] = defaultdict(list)
    for place, line in enumerate(lines):
        together[top(place)].append(line)
    return [sorted(each, key=lambda line: line.rank) for each in together.values()]


def marks_of(line: Line) -> Iterator[Hashable]:
    """Yield the marks of a line; two lines hang together if they share one."""
    if line.request_id:
        yield "request", line.message_id, line.request_id
    if line.uuid:
        yield "uuid", line.message_id, line.uuid
    if line.request_id:
        return
    if line.uuid:
        yield "parent", line.message_id, line.uuid
    if line.message_id or line.uuid:
        tokens = line.tokens
        yield "prompt", line.message_id, line.session_id, tokens.input, tokens.cache_creation, tokens.read
    else:
        yield "bytes", line.session_id, line.raw


def mark_of_parent(line: Line) -> Hashable:
    """Return the mark of the line that this one follows, or None if following does not tie them."""
    if line.request_id or line.parent_uuid is None or not (line.message_id or line.uuid):
        return None
    return "parent", line.message_id, line.parent_uuid


# --- A6: whose a response is -----------------------------------------------------------------------------------------


def beginning_of(content: bytes) -> int | None:
    """Return the first timestamp of a transcript, or None if it has none."""
    for line, finished in lines_of(content):
        if b'"timestamp"' in line and len(line) <= LONGEST_LINE:
            for _, value in objects_of(line, finished):
                for holder in (value, object_of(value.get("snapshot"))):
                    timestamp = timestamp_of(holder.get("timestamp"))
                    if timestamp is not None:
                        return timestamp
    return None


def session_of_response(lines: list[Line], beginnings: Mapping[str, int]) -> str:
    """Return the owner of a response; *beginnings* has the first timestamp of each session's own transcript."""
    asked = {line.request_session_id for line in lines if line.request_session_id}
    if asked:
        return min(asked)
    originals = {line.session_id for line in lines if not line.forked_from}
    claimants = originals or {line.forked_from for line in lines if line.forked_from}
    named = claimants & {line.process_session_id for line in lines}
    if len(named) == 1:
        return named.pop()
    return min(claimants, key=lambda name: (name not in beginnings, beginnings.get(name, 0), name))


def is_copy(line: Line, session: str) -> bool:
    """Return whether *line*, of a response of *session*, is a copy made by a fork."""
    return (
        line.forked_from is not None
        or line.request_session_id not in (None, line.session_id)
        or (line.session_id == session_of_path(line.source.parts)[0] and line.session_id != session)
    )


# --- A9, A10: what a response costs ----------------------------------------------------------------------------------


class Part(NamedTuple):
    """One thing billed."""

    model: str | None
    tokens: Tokens
    fast: bool
    us: bool
    searches: int
    prompts: tuple[Tokens, ...]  # its tokens, split by the prompts that decide their own rates


ATTEMPTS = ("message", "fallback_message")
BESIDE = ("advisor_message", "compaction")


def iterations_of(usage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the iterations of a usage, without those of `<synthetic>`."""
    return [entry for entry in objects_in(usage.get("iterations")) if entry.get("model") != SYNTHETIC]


def parts_of(line: Line) -> list[Part]:
    """Return what the response that *line* won bills: the top level or the attempts, then what came beside (A9)."""
    usage, iterations = line.usage, iterations_of(line.usage)

    def part(own: dict[str, Any], model: str | None = line.model, fast: bool | None = None) -> Part:
        speed = text_or_none(own.get("speed")) or usage.get("speed")
        geo = text_or_none(own.get("inference_geo")) or usage.get("inference_geo")
        tokens = tokens_of(own)
        return Part(model, tokens, speed == "fast" if fast is None else fast, geo == "us", searches_of(own), (tokens,))

    fell_back = any(entry.get("type") == "fallback_message" for entry in iterations)
    attempts = [entry for entry in iterations if entry.get("type") in ATTEMPTS and tokens_of(entry).output > 0]
    if fell_back and attempts:
        parts = [part(entry, text_or_none(entry.get("model")) or line.model) for entry in attempts]
    elif fell_back:
        parts = [part(usage)]
    else:
        parts = [part(usage)._replace(prompts=prompts_of(line.tokens, iterations))]
    for entry in iterations:
        if entry.get("type") == "advisor_message":
            parts.append(part(entry, text_or_none(entry.get("model")) or line.model, fast=False))
        elif entry.get("type") == "compaction":
            parts.append(part(entry))
    return parts + [part(paused) for paused in line.paused]


def prompts_of(whole: Tokens, iterations: Iterable[dict[str, Any]]) -> tuple[Tokens, ...]:
    """Return the `message` iterations if there are several and they add up to *whole* (A10), else *whole* alone."""
    messages = tuple(tokens_of(entry) for entry in iterations if entry.get("type") == "message")
    if len(messages) >= 2 and Tokens(*map(sum, zip(*messages, strict=True))) == whole:
        return messages
    return (whole,)


def calculated(part: Part, price: Any) -> int:
    """Return tokens x price, with each prompt over the threshold at the higher prices, rounded once at the end."""
    cost = Fraction(0)
    for tokens in part.prompts:
        rates = (price.input, price.output, price.write_5m, price.write_1h, price.read)
        if price.above is not None and tokens.prompt > price.threshold:
            rates = price.above
        cost += sum(number * rate for number, rate in zip(tokens, rates, strict=True))
    if part.fast:
        cost *= Fraction(price.fast, 1000)
    if part.us:
        cost *= Fraction(price.us, 1000)
    return int(part.searches * price.web_search) + round(cost * PICO / PRICE_UNIT)


def cost_of(part: Part, mode: str, cost_usd: float | None, price: Any) -> tuple[int, bool]:
    """Return the cost in *mode*, and whether it is 0 because there is no price (A11)."""
    if mode == "display" or (mode == "auto" and cost_usd is not None):
        return round(Fraction(cost_usd or 0) * PICO), False
    if price is not None:
        return calculated(part, price), False
    return 0, part.model is not None or any(part.tokens)


def context_of(line: Line) -> Context:
    """Return what the client shows as context after the response that *line* won."""
    own = [tokens_of(entry).prompt for entry in iterations_of(line.usage) if entry.get("type") not in BESIDE]
    asked = [prompt for prompt in own if prompt]
    return Context(asked[-1] if asked else line.tokens.prompt, line.model)


# --- everything together ---------------------------------------------------------------------------------------------


class Response(NamedTuple):
    """One response that counts; the first of its lines is the winner."""

    session: str
    lines: list[Line]
    parts: list[Part]

    @property
    def winner(self) -> Line:
        return self.lines[0]


def count(sources: Iterable[Source], find_price: FindPrice | None = None) -> Reading:
    """Return the sessions of all *sources*, whose order does not matter."""
    reading = Reading()
    reading.undecided = set()
    lines: list[Line] = []
    beginnings: dict[str, int] = {}
    notes: dict[str, list[tuple[bytes, dict[str, Any]]]] = defaultdict(list)  # of own transcripts, by session
    files: dict[str, list[Response]] = {}
    for where in sources:
        files[stem_of(where)] = []
        session_id, own = session_of_path(where.parts)
        said: dict[str, Any] = {}
        for raw, value in readable(where.content, reading):
            line = counted_line(value, raw, where)
            if line is not None:
                lines.append(line)
            said.update(note_of(value))
        if own:
            notes[session_id].append((os.fsencode(where.name), said))
            known = reading.setdefault(session_id, FreshSession(session_id))
            known.files.add(where.name)
            folder = where.parts[0] if len(where.parts) > 1 else None
            known.project_paths |= {folder}  # replaced as soon as there is a response
            beginning = beginning_of(where.content)
            if beginning is not None:
                beginnings[session_id] = min(beginning, beginnings.get(session_id, beginning))
    reading.beginnings, reading.responses = beginnings, list(counted_responses(lines, beginnings))
    sessions: dict[str, list[Response]] = defaultdict(list)
    for response in reading.responses:
        sessions[response.session].append(response)
        if is_undecided(response.lines):
            reading.undecided.add(response.session)
        for stem in {stem_of(line.source) for line in response.lines if not is_copy(line, response.session)}:
            files[stem].append(response)
    find_price = find_price or (lambda model: None)
    for session_id, responses in sessions.items():
        add_responses(reading.setdefault(session_id, FreshSession(session_id)), responses, find_price)
    for session in reading.values():
        session.project_path = min(session.project_paths, key=str, default=None)
        take_notes(session, notes[session.id])
    reading.by_file = {stem: FreshSession(stem) for stem in files}
    for stem, responses in files.items():
        add_responses(reading.by_file[stem], responses, find_price)
    return reading


def stem_of(where: Source) -> str:
    return PurePosixPath(where.parts[-1]).stem


def readable(content: bytes, reading: Reading) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield every object of a transcript that can matter, and add the bad lines to *reading*."""
    for line, finished in lines_of(content):
        if len(line) > LONGEST_LINE:
            reading.bad_lines += finished
        elif can_matter(line):
            found = objects_of(line, finished)
            reading.bad_lines += finished and not found and b'"usage"' in line
            yield from found


def is_undecided(lines: list[Line]) -> bool:
    """Return whether the last tie-break of A5 would have to compare bytes of files that are gone."""
    winner = lines[0]
    rivals = [line for line in lines if line.source.gone and line.rank[:-1] == winner.rank[:-1]]
    return any(
        (line.tokens, line.model, line.usage, line.cost_usd, line.cwd, line.paused)
        != (winner.tokens, winner.model, winner.usage, winner.cost_usd, winner.cwd, winner.paused)
        for line in rivals
    )


def counted_responses(lines: list[Line], beginnings: Mapping[str, int]) -> Iterator[Response]:
    """Yield the responses that *lines* make up, without replays (A4)."""
    main_chain = {(line.message_id, line.timestamp) for line in lines if line.message_id and not line.sidechain}
    for members in responses_of(lines):
        winner, parts = members[0], parts_of(members[0])
        replay = winner.sidechain and (winner.message_id, winner.timestamp) in main_chain
        if not replay:
            yield Response(session_of_response(members, beginnings), members, parts)


def add_responses(session: FreshSession, responses: list[Response], find_price: FindPrice) -> None:
    if not responses:
        return
    session.first = min(response.winner.timestamp for response in responses)
    session.last = max(response.winner.timestamp for response in responses)
    session.project_paths = frozenset(
        line.project_path
        for response in responses
        for line in response.lines
        if line.rank == response.winner.rank and line.timestamp == session.first
    )
    main_chain = [response.winner for response in responses if not response.winner.sidechain]
    latest = max((winner.timestamp for winner in main_chain), default=None)
    session.last_contexts = frozenset(context_of(winner) for winner in main_chain if winner.timestamp == latest)
    for response in responses:
        session.files |= {line.source.name for line in response.lines}
        session.line_files |= {line.source.name for line in response.lines}
        finalised = any(line.has_stop_reason for line in response.lines)
        cost_usd = response.winner.cost_usd
        for part in response.parts:
            session.responses += 1
            session.incomplete += not finalised
            add_part(session, part, response.winner.timestamp, cost_usd, find_price)
            cost_usd = None if cost_usd is None else 0.0  # the whole cost belongs to the first part
    session.entries.sort()


def add_part(session: FreshSession, part: Part, timestamp: int, cost_usd: float | None, find_price: FindPrice) -> None:
    name = part.model or ""
    price = find_price(name) if name else None
    costs = {mode: cost_of(part, mode, cost_usd, price) for mode in MODES}
    tokens = part.tokens
    model = session.models.setdefault(name, FreshModel())
    model.input += tokens.input
    model.output += tokens.output
    model.cache_creation += tokens.cache_creation
    model.cache_read += tokens.read
    model.responses += 1
    for mode, (cost, unpriced) in costs.items():
        model.cost[mode] += cost
        model.unpriced[mode] += unpriced
    auto, calculate, display = (costs[mode][0] for mode in MODES)
    session.entries.append(
        FreshEntry(
            timestamp, name, tokens.input, tokens.output, tokens.cache_creation, tokens.read, (auto, calculate, display)
        )
    )


TITLES = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}  # the best first


def note_of(value: dict[str, Any]) -> dict[str, Any]:
    """Return what a line of a session's own transcript holds besides usage: a title, or the client's total."""
    kind = value.get("type")
    if isinstance(kind, str) and kind in TITLES and text_or_none(value.get(TITLES[kind])):
        return {kind: value[TITLES[kind]]}
    if kind == "cost-state" and number_or_none(value.get("totalCostUSD")) is not None:
        return {"cost-state": float(value["totalCostUSD"])}
    return {}


def take_notes(session: FreshSession, notes: list[tuple[bytes, dict[str, Any]]]) -> None:
    said: dict[str, Any] = {}
    for _, note in sorted(notes, key=lambda note: note[0]):
        said.update(note)
    session.title = next((said[kind] for kind in TITLES if kind in said), None)
    session.client_cost = said.get("cost-state")
