"""One transcript -> what it claims: read from the start, or on from where the last reading ended. On the lean lanes."""

from __future__ import annotations

import os
import time

from ..files import digest_bytes, open_regular, read_at, stamp
from .claims import MAX_LINE, Claim, claim_of, merged, money, objects, timestamp
from .files import BLOCK, FACTS, TIME, USAGE, Tail, lines_with

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..files import Stat
    from .claims import Key
    from .files import Block

    BytesOf = Callable[[Claim], bytes]  # reads a claim's line
    # takes what the whole lines of a block say into a reading; the path's session, and whether the path is its own
    BlockReader = Callable[["Reading", Block, str, bool, BytesOf], None]

BULK = 8 * 1024 * 1024  # bytes from which bulk_decoder pays for the import of its package
ENDS = 4096  # bytes at the head, and before the place reached, whose digests tell an appended file from another one
_NOTHING = 0  # the CRC-32 of no bytes
_TICK = 50_000_000  # ns: a clock tick, with room to spare, of file systems that keep fractions of a second
_COARSE_TICK = 2_000_000_000  # ns: of those that keep whole or even seconds


class Known:
    """What the index knows of a file: its stat when it was last looked at (times in ns), and how far it was read."""

    device: int
    inode: int
    mtime: int
    ctime: int
    seen: int  # bytes read, an unfinished last line included: the file's size then
    offset: int  # behind the last whole line
    head: bytes  # digest of its first bytes, of min(ENDS, seen)
    tail: bytes  # digest of the last bytes before `seen`
    crc: int | None  # CRC-32 of everything before the offset; None where it was never needed
    skipping: bool  # the offset stands inside a line too long to be read
    racy: bool  # a change within the same clock tick would not show in the stat
    began: int | None  # microseconds: the first timestamp of a session's own transcript (A6)

    __slots__ = tuple(__annotations__)

    def same(self, stat: os.stat_result) -> bool:
        return not self.racy and self.stamp() == stamp(stat)

    def stamp(self) -> Stat:
        """As files.stamp has it."""
        return self.device, self.inode, self.seen, self.mtime, self.ctime


def is_racy(stat: os.stat_result, looked: int) -> bool:
    """Whether a change after the moment *looked* (ns) could leave this stat as it is."""
    changed = max(stat.st_mtime_ns, stat.st_ctime_ns) if os.name == "nt" else stat.st_ctime_ns
    tick = _TICK if changed % 1_000_000_000 else _COARSE_TICK
    return changed + tick > looked


class Reading(Known):
    __slots__ = ("bad", "claims", "client_cost", "fresh", "titles")

    def __init__(self) -> None:
        self.fresh = True  # read from the start: it replaces all that was known of the file
        self.began = None
        self.claims: dict[Key, Claim] = {}
        self.bad = 0  # bad lines in what was read
        self.titles: list[str | None] = [None, None, None]  # last custom title, ai title, summary
        self.client_cost: float | None = None


def read_lines(line: bytes, at: int, session: str) -> list[Claim] | None:
    """The claims of one whole line by the standard library alone."""
    found = objects(line)
    if not found:
        return None
    claims = (claim_of(obj, raw, at + place, session) for obj, raw, place in found)
    return [claim for claim in claims if claim is not None]


def read_block(reading: Reading, block: Block, session: str, own: bool, bytes_of: BytesOf) -> None:
    """Take in what a block's lines say, by the standard library alone."""
    offset = block.place - block.begin
    with memoryview(block.buffer) as view:
        for begin, end in lines_with(block, (USAGE,)):
            take_line(reading, bytes(view[begin:end]), offset + begin, session, bytes_of)
        if own:
            if reading.began is None:
                take_beginning(reading, block)
            for begin, end in lines_with(block, FACTS):
                take_facts(reading, bytes(view[begin:end]))


def take_line(reading: Reading, line: bytes, at: int, session: str, bytes_of: BytesOf) -> None:
    claims = read_lines(line, at, session)
    if claims is None:
        reading.bad += 1
    else:
        take(reading, claims, bytes_of)


def read_file(
    path: str, session: str, own: bool, known: Known | None = None, take_block: BlockReader = read_block
) -> Reading:
    """Read what a transcript holds, or what came since *known*. Raises OSError where it can't be read.

    *session* is the one its path names; *own* tells whether it may speak of that session's title and client cost.
    """
    looked = time.time_ns()
    descriptor = open_regular(path)
    try:
        stat = os.fstat(descriptor)
        reading = Reading()
        tail = Tail(0, False)
        reading.crc = _NOTHING if known is not None else None
        if known is not None and _goes_on(descriptor, known, stat):
            reading.fresh = False
            reading.crc = known.crc
            reading.began = known.began
            tail = Tail(known.offset, known.skipping)
        _read(descriptor, stat.st_size, tail, reading, session, own, take_block)
        if known is not None and not reading.fresh and tail.overlong and known.seen > known.offset:
            # what counted while it was a last line without its newline is now part of one too long to be read
            return read_file(path, session, own, None, take_block)
        reading.device, reading.inode, _, reading.mtime, reading.ctime = stamp(stat)
        reading.racy = is_racy(stat, looked)
        return reading
    finally:
        os.close(descriptor)


def _goes_on(descriptor: int, known: Known, stat: os.stat_result) -> bool:
    """Whether the file is the known one, with something appended or as it was.

    What changed without growing may have been rewritten in its middle: only all of its content tells.
    """
    if (stat.st_dev, stat.st_ino) != (known.device, known.inode) or stat.st_size < known.seen:
        return False
    if stat.st_size > known.seen:
        return ends(descriptor, known.seen) == (known.head, known.tail)
    return known.seen == known.offset and known.crc is not None and _crc(descriptor, known.offset) == known.crc


def _crc(descriptor: int, end: int) -> int:
    """CRC-32 of a file's bytes up to *end*."""
    crc = _NOTHING
    os.lseek(descriptor, 0, os.SEEK_SET)
    while end > 0:
        data = os.read(descriptor, min(BLOCK, end))
        if not data:
            break
        crc = _crc32(data, crc)
        end -= len(data)
    return crc


def _crc32(data: bytes, crc: int) -> int:
    """*crc* with *data* behind what it is of; zlib is imported here, for most files need none."""
    from zlib import crc32

    return crc32(data, crc)


def ends(descriptor: int, seen: int) -> tuple[bytes, bytes]:
    """Digests of the first bytes of a file and of the last ones before *seen*."""
    size = min(ENDS, seen)
    head = read_at(descriptor, size, 0)
    tail = head if seen <= ENDS else read_at(descriptor, size, seen - size)
    return digest_bytes(head), digest_bytes(tail)


def _read(
    descriptor: int, end: int, tail: Tail, reading: Reading, session: str, own: bool, take_block: BlockReader
) -> None:
    same_file = _LineSource(descriptor)
    for block in tail.blocks(descriptor, end):
        if reading.crc is not None:
            reading.crc = _crc32(block.data(), reading.crc)
        same_file.block = block
        take_block(reading, block, session, own, same_file)
    same_file.block = None
    if tail.rest and len(tail.rest) <= MAX_LINE:
        _unfinished(reading, tail, session, own, same_file)
    if tail.overlong or tail.skipping:
        reading.crc = None  # not all of it was seen
    reading.bad += tail.overlong
    reading.offset, reading.skipping = tail.offset, tail.skipping
    reading.seen = tail.offset + len(tail.rest)
    reading.head, reading.tail = ends(descriptor, reading.seen)


def _unfinished(reading: Reading, tail: Tail, session: str, own: bool, same_file: _LineSource) -> None:
    """A last line without its newline counts as far as it is whole, and will be read again (A2)."""
    if USAGE in tail.rest:
        for obj, raw, place in objects(tail.rest, whole=False):
            claim = claim_of(obj, raw, tail.offset + place, session)
            if claim is not None:
                take(reading, [claim], same_file)
    if own:
        if reading.began is None and TIME in tail.rest:
            reading.began = beginning(objects(tail.rest, whole=False))
        take_facts(reading, tail.rest, whole=False)


class _LineSource:
    """Gives a claim's line in the file that is being read: out of the block at hand, if it stands there."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.block: Block | None = None

    def __call__(self, claim: Claim) -> bytes:
        block = self.block
        if block is not None and claim.at >= block.place:
            begin = block.begin + claim.at - block.place
            return bytes(block.buffer[begin : begin + claim.length])
        here = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        try:
            return read_at(self._descriptor, claim.length, claim.at)
        finally:
            os.lseek(self._descriptor, here, os.SEEK_SET)


def take(reading: Reading, claims: list[Claim], bytes_of: BytesOf) -> None:
    """Put claims beside, or in the place of, what the file's other lines say of their responses."""
    known = reading.claims
    for claim in claims:
        key = claim.group, claim.rest, claim.session, claim.rank, claim.maker
        before = known.get(key)
        known[key] = claim if before is None else merged(before, claim, bytes_of)


def take_beginning(reading: Reading, block: Block) -> None:
    buffer, place = block.buffer, block.begin
    while reading.began is None:
        place = buffer.find(TIME, place, block.stop)
        if place < 0:
            return
        end = buffer.find(b"\n", place, block.stop)  # a block ends with one
        begin = buffer.rfind(b"\n", block.begin, place) + 1 or block.begin
        reading.began = beginning(objects(bytes(buffer[begin:end])))
        place = end


def beginning(found: list[tuple[dict[str, Any], bytes, int]]) -> int | None:
    """The first timestamp among the objects of a line: their own, or that of the snapshot they hold (A6)."""
    for obj, _, _ in found:
        time = timestamp(obj.get("timestamp"))
        if time is None:
            snapshot = obj.get("snapshot")
            time = timestamp(snapshot.get("timestamp")) if isinstance(snapshot, dict) else None
        if time is not None:
            return time
    return None


_TITLES = {"custom-title": (0, "customTitle"), "ai-title": (1, "aiTitle"), "summary": (2, "summary")}


def take_facts(reading: Reading, line: bytes, whole: bool = True) -> None:
    """Take in what a line says of its session: the last one of a kind counts."""
    for obj, _, _ in objects(line, whole):
        kind = obj.get("type")
        if kind == "cost-state":
            cost = money(obj.get("totalCostUSD"))
            if cost is not None:
                reading.client_cost = cost
        elif isinstance(kind, str) and kind in _TITLES:
            place, key = _TITLES[kind]
            text: Any = obj.get(key)
            if isinstance(text, str) and text:
                reading.titles[place] = text
