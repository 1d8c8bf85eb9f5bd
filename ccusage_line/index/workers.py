"""Reading many transcripts at once: the first index, over several processes where that pays."""

from __future__ import annotations

import os
import sys

from ..transcripts.files import Found
from ..transcripts.reading import BULK, Known, Reading, read_block, read_file
from . import columns, totals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..prices.table import PriceTable
    from ..transcripts.reading import BlockReader

    Progress = Callable[[int, int], None]  # bytes read, bytes in all
    Read = tuple[Found, Reading, columns.Columns, totals.FileSums | None]
    ReadOne = Callable[[Found], tuple[Reading, columns.Columns, totals.FileSums | None] | None]

PARALLEL = 16 * 1024 * 1024  # bytes from which more processes pay for their start
# Claims committed at once, while the next ones are read: so many, or fewer while nothing else is there to be taken.
# Keys are digests, so that a batch writes to most pages: it grows with what was stored before, up to the most.
BATCH = 12_000
_BETWEEN = 3_000
_PART = 6  # of what was stored
_MOST = 50_000  # with 0.8 KB each in memory
_HEADER = 8  # bytes of length before each result in a worker's pipe
_WIDE = 2 * 1024 * 1024  # bytes of all these pipes; one user's may have 64 MB before Linux makes them small
_USUAL = 64 * 1024  # bytes of any pipe on Linux
_NUMBER = 4  # bytes of a task's number in the queue
_TASKS = 1_000  # at most: their numbers fit into the smallest pipe there is, 4,096 bytes


def read_in_batches(
    files: list[Found], table: PriceTable, progress: Progress | None, plainly: bool = False
) -> Iterator[list[Read]]:
    """Readings of all files from their start, with their claims and what these come to, in batches to be committed.
    *plainly*: in this process, by the standard library's decoder."""
    size = sum(found.stat.st_size for found in files)
    workers = min(_cores(), len(files))
    source = (
        _in_processes(files, workers, _reader(table, size))
        if size > PARALLEL and workers > 1 and not plainly
        else _here(files, _reader(table, 0 if plainly else size))
    )
    batch: list[Read] = []
    claims = stored = done = 0
    for read in source:
        if read is not None:
            batch.append(read)
            claims += read[2][0]
            done += read[0].stat.st_size
            if progress is not None:
                progress(done, size)
        least = BATCH if read is not None else _BETWEEN
        if claims >= max(least, min(stored // _PART, _MOST)):
            yield batch
            stored += claims
            batch, claims = [], 0
    if batch:
        yield batch


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def typed_reader() -> BlockReader:
    """bulk_decoder.read_block, without typing_extensions: what msgspec asks of it typing has too, and its import takes
    as long as all the rest."""
    if "typing_extensions" in sys.modules:
        return _typed_reader()
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        return _typed_reader()
    except ImportError:  # of a msgspec that can't do without
        pass
    finally:
        sys.modules.pop("typing_extensions", None)
    return _typed_reader()


def _typed_reader() -> BlockReader:
    from ..transcripts.bulk_decoder import read_block

    return read_block


def _reader(table: PriceTable, size: int) -> ReadOne:
    take_block: BlockReader = read_block
    if size > BULK:
        take_block = typed_reader()

    def read(found: Found) -> tuple[Reading, columns.Columns, totals.FileSums | None] | None:
        try:
            reading = read_file(found.path, found.session, found.own, None, take_block)
        except OSError:
            return None  # unreadable, or gone since it was found
        told = columns.gather(reading.claims.values())
        folder = found.parts[0] if len(found.parts) > 1 else ""
        read = reading, columns.pack(told), totals.of_file(told, table, folder)
        reading.claims = {}
        return read

    return read


def _here(files: list[Found], read_one: ReadOne) -> Iterator[Read]:
    for found in files:
        read = read_one(found)
        if read is not None:
            yield found, *read


def _in_processes(files: list[Found], workers: int, read_one: ReadOne) -> Iterator[Read | None]:
    """As _here, by forked workers that share the files; results come as they are ready, None where none is."""
    import signal

    children = _start(files, workers, read_one)
    if not children:
        yield from _here(files, read_one)
        return
    pipes = {pipe: bytearray() for pipe in children}
    try:
        yield from _results(files, pipes)
    finally:
        for pipe in pipes:
            os.close(pipe)
        for child in children.values():
            os.kill(child, signal.SIGTERM)  # one that is done has exited or is about to
            os.waitpid(child, 0)


def _start(files: list[Found], workers: int, read_one: ReadOne) -> dict[int, int]:
    """The pipe and process of each worker; fewer than asked for where the system has no more."""
    sys.stdout.flush()
    sys.stderr.flush()
    children: dict[int, int] = {}
    if sys.platform == "win32":  # which has no fork
        return children
    tasks = _tasks(files)
    try:
        queue = _queue(len(tasks))
    except OSError:
        return children
    try:
        for _ in range(workers):
            receiving, sending = _wide_pipe(_WIDE // workers)
            try:
                child = os.fork()
            except OSError:
                os.close(receiving)
                os.close(sending)
                raise
            if child == 0:
                _work(files, tasks, queue, read_one, sending, (receiving, *children))
            os.close(sending)
            children[receiving] = child
    except OSError:  # no more processes or descriptors to be had
        pass
    os.close(queue)
    return children


def _results(files: list[Found], pipes: dict[int, bytearray]) -> Iterator[Read | None]:
    """What comes through the workers' pipes, of each with the bytes that await the rest of their message; a pipe that
    has ended is closed and left out."""
    import marshal
    import select

    while pipes:
        ready = select.select(list(pipes), [], [], 0)[0]
        if not ready:
            yield None
            ready = select.select(list(pipes), [], [])[0]
        for pipe in ready:
            data = os.read(pipe, 1 << 16)  # a larger buffer costs more than to read again
            if not data:
                os.close(pipe)
                del pipes[pipe]
                continue
            buffer = pipes[pipe]
            buffer += data
            while len(buffer) >= _HEADER:
                length = int.from_bytes(buffer[:_HEADER], "little")
                if len(buffer) < _HEADER + length:
                    break
                place, header, packed, sums = marshal.loads(buffer[_HEADER : _HEADER + length])
                del buffer[: _HEADER + length]
                yield files[place], _reading(header), packed, sums


def _tasks(files: list[Found]) -> list[list[int]]:
    """Numbers of the files that a worker reads between two looks into the queue; the largest first."""
    by_size = sorted(range(len(files)), key=lambda place: -files[place].stat.st_size)
    return [by_size[task::_TASKS] for task in range(min(_TASKS, len(files)))]


def _wide_pipe(size: int) -> tuple[int, int]:
    """A pipe that holds what a worker sends while a batch is committed; where it can't grow, the worker waits."""
    ends = os.pipe()
    if sys.platform == "linux" and size > _USUAL:
        import fcntl

        try:
            fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, size)
        except OSError:  # more than this user may have
            pass
    return ends


def _queue(tasks: int) -> int:
    """The reading end of a pipe with the numbers of all tasks: whoever reads one has it alone."""
    reading, writing = os.pipe()
    os.write(writing, b"".join(task.to_bytes(_NUMBER, "little") for task in range(tasks)))
    os.close(writing)
    return reading


def _work(
    files: list[Found], tasks: list[list[int]], queue: int, read_one: ReadOne, pipe: int, others: tuple[int, ...]
) -> None:
    """A worker's life; never returns. *others* are the reading ends of pipes: whoever holds one keeps the workers
    from seeing that the parent is gone."""
    import marshal

    status = 1
    try:
        for other in others:
            os.close(other)
        while number := os.read(queue, _NUMBER):
            for place in tasks[int.from_bytes(number, "little")]:
                read = read_one(files[place])
                if read is not None:
                    data = marshal.dumps((place, _header(read[0]), *read[1:]))
                    _send(pipe, len(data).to_bytes(_HEADER, "little") + data)
        status = 0
    except BrokenPipeError:  # the parent is gone
        pass
    finally:
        os._exit(status)


def _send(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


_FIELDS = tuple(name for name in (*Known.__slots__, *Reading.__slots__) if name != "claims")


def _header(reading: Reading) -> list[Any]:
    return [getattr(reading, name) for name in _FIELDS]


def _reading(header: list[Any]) -> Reading:
    reading = Reading()
    for name, value in zip(_FIELDS, header, strict=True):
        setattr(reading, name, value)
    return reading
