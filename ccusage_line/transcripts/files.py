"""Transcripts: which files they are, the session of each, and its bytes from an offset on. Imported on lean lanes."""

from __future__ import annotations

import os
import stat as stat_module
import sys
import time

from .claims import MAX_LINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Find = Callable[[bytes, int, int], int]  # like bytearray.find: what, begin, stop

SUFFIX = ".jsonl"
CHAT = "chat.jsonl"  # a session's own transcript in a folder that has the session's id as its name
SUBAGENT = "agent-"  # the name of a subagent's transcript begins so; clients 2.0.x write it next to those of sessions
_NOT_TRANSCRIPTS = "journal.jsonl"
_NOT_BELOW = ("tool-results", "memory")
BLOCK = 512 * 1024  # bytes read at a time: few enough to stay in a processor's cache while they are searched
USAGE = b'"usage"'
TIME = b'"timestamp"'
FACTS = (b'-title"', b'"summary"', b'"cost-state"')  # only a line that contains one can have a title or a client cost


class Transcript:
    """A transcript that a walk found, with its stat at that time."""

    __slots__ = ("parts", "path", "stat")

    def __init__(self, path: str, parts: tuple[str, ...], stat: os.stat_result) -> None:
        self.path = path
        self.parts = parts  # the parts of the path below `projects/`
        self.stat = stat

    @property
    def session(self) -> str:
        return path_session(self.parts)

    @property
    def own(self) -> bool:
        """Whether it is a session's own transcript, which has its title."""
        if self.parts[-1] == CHAT and len(self.parts) > 1:
            return "subagents" not in self.parts[2:-1]
        return len(self.parts) <= 2


class Walk:
    """The transcripts below the data directories, and the paths that were skipped, each with the reason."""

    __slots__ = ("_dirs", "_files", "_links", "begun", "files", "skipped")

    def __init__(self) -> None:
        self.begun = time.time_ns()
        self.files: list[Transcript] = []
        self.skipped: list[tuple[str, str]] = []
        self._dirs: set[tuple[int, int]] = set()
        self._files: set[tuple[int, int]] = set()
        self._links: list[tuple[str, tuple[str, ...]]] = []

    def add_folder(self, path: str, parts: tuple[str, ...]) -> None:
        """Add everything below a folder, its files before its folders; symlinks are left to `follow_links`."""
        pending = [(path, parts)]
        while pending:
            path, parts = pending.pop()
            folders = []
            for entry in self._entries(path):
                name = entry.name
                try:
                    if entry.is_symlink():
                        self._links.append((entry.path, (*parts, name)))
                    elif entry.is_dir(follow_symlinks=False):
                        if name not in _NOT_BELOW:
                            folders.append((entry.path, (*parts, name)))
                    elif is_transcript(name):
                        self._add_file(entry.path, (*parts, name), os.stat(entry.path) if _STAT_PATH else entry.stat())
                except OSError as error:
                    self.skipped.append((entry.path, reason_of(error)))
            pending.extend(reversed(folders))

    def _entries(self, path: str) -> list[os.DirEntry[str]]:
        """Return the entries of a folder by name, or none if the folder was already visited."""
        try:
            if not _add_identity(self._dirs, os.stat(path)):
                return []
            with os.scandir(path) as listing:
                return sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self.skipped.append((path, reason_of(error)))
            return []

    def follow_links(self) -> None:
        """Follow the symlinks found so far, and those found by following them."""
        while self._links:
            links, self._links = self._links, []
            for path, parts in links:
                try:
                    stat = os.stat(path)
                except OSError as error:
                    if is_transcript(parts[-1]):
                        self.skipped.append((path, reason_of(error)))
                    continue
                if stat_module.S_ISDIR(stat.st_mode):
                    if parts[-1] not in _NOT_BELOW:
                        self.add_folder(path, parts)
                elif is_transcript(parts[-1]):
                    self._add_file(path, parts, stat)

    def _add_file(self, path: str, parts: tuple[str, ...], stat: os.stat_result) -> None:
        if not stat_module.S_ISREG(stat.st_mode):
            self.skipped.append((path, "not a regular file"))
        elif _add_identity(self._files, stat):
            self.files.append(Transcript(path, parts, stat))


_STAT_PATH = sys.platform == "win32"  # there, DirEntry.stat() has no device and no inode


def _add_identity(seen: set[tuple[int, int]], stat: os.stat_result) -> bool:
    """Add the device and inode of a stat to *seen*, and return whether they are new."""
    known = len(seen)
    seen.add((stat.st_dev, stat.st_ino))
    return len(seen) > known


def reason_of(error: OSError) -> str:
    """Return the message of an error in lower case, without its errno and path."""
    return (error.strerror or str(error)).lower()


def walk(roots: list[str]) -> Walk:
    """Find every transcript below the data directories, each once (A1)."""
    found = Walk()
    for root in roots:
        found.add_folder(root, ())
    found.follow_links()
    return found


def subfolders(path: str) -> dict[str, bool]:
    """Return the sorted names of the subfolders that may hold transcripts, each with whether it is a symlink."""
    try:
        with os.scandir(path) as listing:
            folders = [entry for entry in listing if entry.is_dir() and entry.name not in _NOT_BELOW]
            return {entry.name: entry.is_symlink() for entry in sorted(folders, key=lambda entry: entry.name)}
    except OSError:
        return {}


def is_transcript(name: str) -> bool:
    """Return whether a file with that name is a transcript (A1)."""
    return name.endswith(SUFFIX) and name != _NOT_TRANSCRIPTS


def parts_below(path: str, roots: list[str]) -> tuple[str, ...] | None:
    """Return the parts of a path below the data directory that contains it, or None if none does."""
    for root in roots:
        if path.startswith(root + os.sep):
            return tuple(path[len(root) + 1 :].split(os.sep))
    return None


def transcript_at(path: str, roots: list[str]) -> Transcript | None:
    """Return the transcript at a path below *roots*, with its present stat, or None if there is none."""
    parts = parts_below(path, roots)
    try:
        return None if parts is None else Transcript(path, parts, os.stat(path))
    except OSError:
        return None


def path_session(parts: tuple[str, ...]) -> str:
    """Return the session that a transcript's path names (A6)."""
    if "subagents" in parts[2:-1]:
        return parts[parts.index("subagents", 2) - 1]
    if parts[-1] == CHAT and len(parts) > 1:
        return parts[-2]
    return stem(parts[-1])


def stem(name: str) -> str:
    """Return a transcript's name without its suffix."""
    return name[: -len(SUFFIX)] if name.endswith(SUFFIX) else name


# --- bytes -------------------------------------------------------------------------------------------------------


def read_into(descriptor: int, view: memoryview) -> int:
    """Read the next bytes into *view* and return their number, 0 at the end of the file."""
    if sys.platform != "win32":
        return os.readv(descriptor, [view])
    data = os.read(descriptor, len(view))
    view[: len(data)] = data
    return len(data)


class Block:
    """Whole lines of a file: `buffer[begin:stop]`, which begin at `offset` in the file.

    The next block reuses the buffer, so a caller that stores bytes of it must copy them.
    """

    __slots__ = ("begin", "buffer", "offset", "stop")

    def __init__(self, offset: int, buffer: bytearray, begin: int, stop: int) -> None:
        self.offset = offset
        self.buffer = buffer
        self.begin = begin
        self.stop = stop

    def data(self) -> bytes:
        return bytes(memoryview(self.buffer)[self.begin : self.stop])


_spare: list[bytearray] = []  # buffers of BLOCK bytes for reuse; creating one costs as much as reading into it


class Tail:
    """The bytes of a file from an offset on, in blocks of whole lines, with bounded memory for any file.

    After all blocks were read, `offset` is the end of the last whole line, `rest` the unfinished line after it, and
    `overlong` the number of lines that were too long to read (over 64 MB). If the file ends inside such a line,
    `skipping` is true and `offset` is the end of what was read.
    """

    __slots__ = ("offset", "overlong", "rest", "skipping")

    def __init__(self, offset: int, skipping: bool) -> None:
        self.offset = offset
        self.rest = b""
        self.skipping = skipping
        self.overlong = 0

    def blocks(self, descriptor: int, end: int) -> Iterator[Block]:
        """Yield the whole lines up to the offset *end*."""
        os.lseek(descriptor, self.offset, os.SEEK_SET)
        next_read = self.offset
        buffer = _spare.pop() if _spare else bytearray(min(BLOCK, max(end - next_read, 1)))
        kept = 0  # bytes at the start of the buffer: the unfinished line so far, which begins at self.offset
        while next_read < end:
            if kept == len(buffer):
                buffer.extend(bytes(min(kept, MAX_LINE + BLOCK - kept)))
            with memoryview(buffer) as view:
                filled = kept + read_into(descriptor, view[kept : kept + end - next_read])
            if filled == kept:
                break
            next_read += filled - kept
            begin = 0
            if self.skipping:
                begin = buffer.find(b"\n", 0, filled) + 1
                if not begin:
                    self.offset = next_read
                    continue
                self.skipping = False
                self.offset = next_read - filled + begin
            overlong = _find_overlong(buffer, begin, filled)
            if overlong >= 0:
                if overlong > begin:
                    yield Block(self.offset, buffer, begin, overlong)
                self.overlong += 1
                after = buffer.find(b"\n", overlong, filled) + 1
                self.offset += after - begin
                begin = after
            stop = buffer.rfind(b"\n", max(begin, kept), filled) + 1
            if stop:
                yield Block(self.offset, buffer, begin, stop)
                self.offset += stop - begin
                begin = stop
            kept = filled - begin
            if begin:
                buffer[:kept] = buffer[begin:filled]
            if kept > MAX_LINE:
                self.overlong += 1
                self.skipping = True
                self.offset, kept = next_read, 0
        self.rest = bytes(memoryview(buffer)[:kept])
        if len(buffer) == BLOCK:
            _spare.append(buffer)


def _find_overlong(buffer: bytearray, start: int, filled: int) -> int:
    """Return the start of a line that is too long and ends in the buffer, or -1. There is no room for a second one."""
    while filled - start > MAX_LINE:
        newline = buffer.find(b"\n", start, filled)
        if newline < 0 or newline - start > MAX_LINE:
            return start if newline >= 0 else -1
        start = newline + 1
    return -1


def lines_with(block: Block, needles: tuple[bytes, ...], find: Find | None = None) -> Iterator[tuple[int, int]]:
    """Yield the start and end in the buffer of each line that contains a needle; *find* replaces buffer.find."""
    find = find or block.buffer.find
    if len(needles) == 1:
        return _lines_with(block, needles[0], find)
    return iter(sorted({line for needle in needles for line in _lines_with(block, needle, find)}))


def _lines_with(block: Block, needle: bytes, find: Find) -> Iterator[tuple[int, int]]:
    buffer, begin, stop = block.buffer, block.begin, block.stop
    place = find(needle, begin, stop)
    while place >= 0:
        end = buffer.find(b"\n", place, stop)  # there is one, because a block consists of whole lines
        yield buffer.rfind(b"\n", begin, place) + 1 or begin, end
        place = find(needle, end, stop)
