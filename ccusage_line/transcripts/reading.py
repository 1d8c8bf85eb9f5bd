"""Reading a transcript's claims, from its start or from where the last reading ended. Imported on the lean lanes."""

from __future__ import annotations

import os
import time

from ..files import digest_bytes, open_regular, read_at, stamp
from .claims import MAX_LINE, Claim, claim_of, merge_claims, objects, parse_dollars, timestamp
from .files import BLOCK, FACTS, TIME, USAGE, Tail, lines_with

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..files import Stat
    from .claims import BytesOf, Key
    from .files import Block, Find

    # adds a block's lines to a reading; takes the session that the path names, and whether it is its own transcript
    BlockReader = Callable[["Reading", Block, str, bool, BytesOf], None]

BULK = 8 * 1024 * 1024  # bytes: from this size on, bulk_decoder is worth the import of its package
ENDS = 4096  # bytes at the start and before the end whose digests distinguish an appended file from a replaced one
_EMPTY_CRC = 0  # the CRC-32 of no bytes
_TICK = 50_000_000  # ns: a clock tick, with a margin, of file systems that store fractions of a second
_COARSE_TICK = 2_000_000_000  # ns: that of file systems that store whole or even seconds


class FileState:
    """What the index stores about a file: its stat when it was last read (times in ns), and how far it was read."""

    device: int
    inode: int
    mtime: int
    ctime: int
    seen: int  # bytes read, including an unfinished last line: the file's size at that time
    offset: int  # the offset after the last whole line
    head: bytes  # the digest of its first min(ENDS, seen) bytes
    tail: bytes  # the digest of as many bytes before `seen`
    crc: int | None  # the CRC-32 of all bytes before the offset; None if it was never needed
    skipping: bool  # the offset is inside a line that is too long to read
    racy: bool  # a change within the same clock tick would not show in the stat
    began: int | None  # microseconds: the first timestamp of a session's own transcript (A6)

    __slots__ = tuple(__annotations__)

    def is_unchanged(self, stat: os.stat_result) -> bool:
        return not self.racy and self.stamp() == stamp(stat)

    def stamp(self) -> Stat:
        """Return the same tuple as files.stamp."""
        return self.device, self.inode, self.seen, self.mtime, self.ctime


def is_racy(stat: os.stat_result, now: int) -> bool:
    """Return whether a change after the time *now* (ns) could leave this stat unchanged."""
    changed = max(stat.st_mtime_ns, stat.st_ctime_ns) if os.name == "nt" else stat.st_ctime_ns
    tick = _TICK if changed % 1_000_000_000 else _COARSE_TICK
    return changed + tick > now


class Reading(FileState):
    """The result of reading a file, or its new lines."""

    __slots__ = ("bad", "claims", "client_cost", "from_start", "titles")

    def __init__(self) -> None:
        self.from_start = True  # then it replaces all that was known about the file
        self.began = None
        self.claims: dict[Key, Claim] = {}
        self.bad = 0  # the number of bad lines read (A3)
        self.titles: list[str | None] = [None, None, None]  # the last custom title, AI title and summary
        self.client_cost: float | None = None


def read_line(line: bytes, offset: int, session: str) -> list[Claim] | None:
    """Return the claims of one whole line, or None for a bad line. Uses only the standard library."""
    found = objects(line)
    if not found:
        return None
    claims = (claim_of(obj, raw, offset + begin, session) for obj, raw, begin in found)
    return [claim for claim in claims if claim is not None]


def read_block(reading: Reading, block: Block, session: str, own: bool, bytes_of: BytesOf) -> None:
    """Add a block's lines to a reading, with only the standard library."""
    shift = block.offset - block.begin
    with memoryview(block.buffer) as view:
        for begin, end in lines_with(block, (USAGE,)):
            add_line(reading, bytes(view[begin:end]), shift + begin, session, bytes_of)
    if own:
        add_session_facts(reading, block)


def add_line(reading: Reading, line: bytes, offset: int, session: str, bytes_of: BytesOf) -> None:
    claims = read_line(line, offset, session)
    if claims is None:
        reading.bad += 1
    else:
        add_claims(reading, claims, bytes_of)


def read_file(
    path: str, session: str, own: bool, known: FileState | None = None, block_reader: BlockReader = read_block
) -> Reading:
    """Read a whole transcript, or what was appended since *known*. Raises OSError if it can't be read.

    *session* is the one that the path names; if *own*, the file is its own transcript: its title and client cost count.
    """
    started = time.time_ns()
    descriptor = open_regular(path)
    try:
        stat = os.fstat(descriptor)
        reading = Reading()
        tail = Tail(0, skipping=False)
        reading.crc = _EMPTY_CRC if known is not None else None
        if known is not None and _is_continuation(descriptor, known, stat):
            reading.from_start = False
            reading.crc, reading.began = known.crc, known.began
            tail = Tail(known.offset, known.skipping)
        _read_blocks(descriptor, stat.st_size, tail, reading, session, own, block_reader)
        if known is not None and not reading.from_start and tail.overlong and known.seen > known.offset:
            # Something counted as a last line without its newline, and is now part of a line too long to read.
            return read_file(path, session, own, None, block_reader)
        reading.device, reading.inode, _, reading.mtime, reading.ctime = stamp(stat)
        reading.racy = is_racy(stat, started)
        return reading
    finally:
        os.close(descriptor)


def _is_continuation(descriptor: int, known: FileState, stat: os.stat_result) -> bool:
    """Return whether the file is the known one, unchanged or with something appended.

    A file that changed without growing may have been rewritten in the middle, so all of its content is compared.
    """
    if (stat.st_dev, stat.st_ino) != (known.device, known.inode) or stat.st_size < known.seen:
        return False
    if stat.st_size > known.seen:
        return digest_ends(descriptor, known.seen) == (known.head, known.tail)
    return known.seen == known.offset and known.crc is not None and _crc(descriptor, known.offset) == known.crc


def _crc(descriptor: int, end: int) -> int:
    crc = _EMPTY_CRC
    os.lseek(descriptor, 0, os.SEEK_SET)
    while end > 0:
        data = os.read(descriptor, min(BLOCK, end))
        if not data:
            break
        crc = _crc32(data, crc)
        end -= len(data)
    return crc


def _crc32(data: bytes, crc: int) -> int:
    """Continue a CRC-32 with *data*. zlib is imported here because most files need no CRC."""
    from zlib import crc32

    return crc32(data, crc)


def digest_ends(descriptor: int, seen: int) -> tuple[bytes, bytes]:
    """Return the digests of a file's first bytes and of its last bytes before *seen*."""
    size = min(ENDS, seen)
    head = read_at(descriptor, size, 0)
    tail = head if seen <= ENDS else read_at(descriptor, size, seen - size)
    return digest_bytes(head), digest_bytes(tail)


def _read_blocks(
    descriptor: int, end: int, tail: Tail, reading: Reading, session: str, own: bool, block_reader: BlockReader
) -> None:
    line_source = _LineSource(descriptor)
    for block in tail.blocks(descriptor, end):
        if reading.crc is not None:
            reading.crc = _crc32(block.data(), reading.crc)
        line_source.block = block
        block_reader(reading, block, session, own, line_source)
    line_source.block = None
    if tail.rest and len(tail.rest) <= MAX_LINE:
        _add_unfinished(reading, tail, session, own, line_source)
    if tail.overlong or tail.skipping:
        reading.crc = None  # not all bytes were included
    reading.bad += tail.overlong
    reading.offset, reading.skipping = tail.offset, tail.skipping
    reading.seen = tail.offset + len(tail.rest)
    reading.head, reading.tail = digest_ends(descriptor, reading.seen)


def _add_unfinished(reading: Reading, tail: Tail, session: str, own: bool, line_source: _LineSource) -> None:
    """Add the whole objects of a last line without its newline, which will be read again (A2)."""
    if USAGE in tail.rest:
        for obj, raw, begin in objects(tail.rest, whole=False):
            claim = claim_of(obj, raw, tail.offset + begin, session)
            if claim is not None:
                add_claims(reading, [claim], line_source)
    if own:
        if reading.began is None and TIME in tail.rest:
            reading.began = _first_timestamp(objects(tail.rest, whole=False))
        _add_facts(reading, tail.rest, whole=False)


class _LineSource:
    """A function that returns a claim's line in the file being read, from the current block if the line is in it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.block: Block | None = None

    def __call__(self, claim: Claim) -> bytes:
        block = self.block
        if block is not None and claim.offset >= block.offset:
            begin = block.begin + claim.offset - block.offset
            return bytes(block.buffer[begin : begin + claim.length])
        position = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        try:
            return read_at(self._descriptor, claim.length, claim.offset)
        finally:
            os.lseek(self._descriptor, position, os.SEEK_SET)


def add_claims(reading: Reading, claims: list[Claim], bytes_of: BytesOf) -> None:
    """Add claims to a reading; each is merged with the claim that has the same key, if there is one."""
    for claim in claims:
        key = claim.group, claim.rest, claim.session, claim.rank, claim.maker
        known = reading.claims.get(key)
        reading.claims[key] = claim if known is None else merge_claims(known, claim, bytes_of)


def add_session_facts(reading: Reading, block: Block, find: Find | None = None) -> None:
    """Add what a block of a session's own transcript says of the session. *find* is as in lines_with."""
    if reading.began is None:
        _find_beginning(reading, block)
    for begin, end in lines_with(block, FACTS, find):
        _add_facts(reading, bytes(block.buffer[begin:end]))


def _find_beginning(reading: Reading, block: Block) -> None:
    for begin, end in lines_with(block, (TIME,)):
        reading.began = _first_timestamp(objects(bytes(block.buffer[begin:end])))
        if reading.began is not None:
            return


def _first_timestamp(line_objects: list[tuple[dict[str, Any], bytes, int]]) -> int | None:
    """Return the first timestamp in the objects of a line, which may be that of a `snapshot` in one (A6), or None."""
    for obj, _, _ in line_objects:
        time = timestamp(obj.get("timestamp"))
        if time is None:
            snapshot = obj.get("snapshot")
            time = timestamp(snapshot.get("timestamp")) if isinstance(snapshot, dict) else None
        if time is not None:
            return time
    return None


_TITLES = {"custom-title": (0, "customTitle"), "ai-title": (1, "aiTitle"), "summary": (2, "summary")}


def _add_facts(reading: Reading, line: bytes, whole: bool = True) -> None:
    """Add the titles and the client cost in a line to a reading; later ones replace earlier ones."""
    for obj, _, _ in objects(line, whole):
        kind = obj.get("type")
        if kind == "cost-state":
            cost = parse_dollars(obj.get("totalCostUSD"))
            if cost is not None:
                reading.client_cost = cost
        elif isinstance(kind, str) and kind in _TITLES:
            index, key = _TITLES[kind]
            text: Any = obj.get(key)
            if isinstance(text, str) and text:
                reading.titles[index] = text
