"""Reading many transcripts at once, for the first index: in several processes if that pays."""

from __future__ import annotations

import os
import sys

from ..transcripts.files import Transcript
from ..transcripts.reading import BULK, FileState, Reading, read_block, read_file
from . import columns, totals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..prices.table import PriceTable
    from ..transcripts.reading import BlockReader

    Progress = Callable[[int, int], None]  # bytes read, bytes in all
    Read = tuple[Transcript, Reading, columns.Columns, totals.FileSums | None]
    ReadOne = Callable[[Transcript], tuple[Reading, columns.Columns, totals.FileSums | None] | None]

PARALLEL = 16 * 1024 * 1024  # bytes from which on more processes are worth their start
# Claims that are committed in one batch, while the workers read on. Keys are digests, so a batch writes to most pages
# of the database: the more is stored, the larger a batch must be.
BATCH = 12_000
_SMALL_BATCH = 3_000  # while no result is ready
_FRACTION = 6  # a batch has at least a sixth of what is stored, up to _MAX_BATCH
_MAX_BATCH = 50_000  # with 0.8 KB of memory each
_LENGTH_SIZE = 8  # bytes of the length before each result in a worker's pipe
_PIPE_SIZES = 2 * 1024 * 1024  # bytes of all these pipes; Linux gives one user 64 MB before it makes pipes small
_DEFAULT_PIPE = 64 * 1024  # bytes of a pipe on Linux by default
_NUMBER_SIZE = 4  # bytes of a task's number in the queue
_MAX_TASKS = 1_000  # their numbers fit into the smallest possible pipe, 4,096 bytes


def read_in_batches(
    files: list[Transcript], table: PriceTable, progress: Progress | None, plainly: bool = False
) -> Iterator[list[Read]]:
    """Yield complete readings of all files, with claims and sums, in batches to be committed. If *plainly*, read in
    this process, by the standard library's decoder."""
    size = sum(transcript.stat.st_size for transcript in files)
    process_count = min(_cores(), len(files))
    source: Iterator[Read | None] = _in_this_process(files, _reader(table, 0 if plainly else size))
    if size > PARALLEL and process_count > 1 and not plainly:
        source = _in_processes(files, process_count, _reader(table, size))
    batch: list[Read] = []
    claim_count = stored_count = bytes_read = 0
    for read in source:
        if read is not None:
            batch.append(read)
            claim_count += read[2][0]
            bytes_read += read[0].stat.st_size
            if progress is not None:
                progress(bytes_read, size)
        least = BATCH if read is not None else _SMALL_BATCH
        if claim_count >= max(least, min(stored_count // _FRACTION, _MAX_BATCH)):
            yield batch
            stored_count += claim_count
            batch, claim_count = [], 0
    if batch:
        yield batch


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def bulk_reader() -> BlockReader:
    """Return bulk_decoder.read_block, imported without typing_extensions, whose import takes as long as all the rest:
    what msgspec needs of it is in typing too."""
    if "typing_extensions" not in sys.modules:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
        try:
            from ..transcripts import bulk_decoder  # noqa: F401
        except ImportError:  # from a msgspec that needs it
            pass
        finally:
            sys.modules.pop("typing_extensions", None)
    from ..transcripts.bulk_decoder import read_block

    return read_block


def _reader(table: PriceTable, size: int) -> ReadOne:
    block_reader = bulk_reader() if size > BULK else read_block

    def read(transcript: Transcript) -> tuple[Reading, columns.Columns, totals.FileSums | None] | None:
        try:
            reading = read_file(transcript.path, transcript.session, transcript.own, None, block_reader)
        except OSError:
            return None  # unreadable, or deleted since it was found
        gathered = columns.gather(reading.claims.values())
        folder = transcript.parts[0] if len(transcript.parts) > 1 else ""
        read = reading, columns.pack(gathered), totals.sums_of_file(gathered, table, folder)
        reading.claims = {}
        return read

    return read


def _in_this_process(files: list[Transcript], read_one: ReadOne) -> Iterator[Read]:
    for transcript in files:
        read = read_one(transcript)
        if read is not None:
            yield transcript, *read


def _in_processes(files: list[Transcript], count: int, read_one: ReadOne) -> Iterator[Read | None]:
    """Yield what _in_this_process does, as it comes from *count* forked workers; None if nothing is ready."""
    import signal

    children = _start(files, count, read_one)
    if not children:
        yield from _in_this_process(files, read_one)
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


def _start(files: list[Transcript], count: int, read_one: ReadOne) -> dict[int, int]:
    """Start *count* workers, fewer if the system has no more. Returns the process of each by its pipe."""
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
        for _ in range(count):
            receiving, sending = _large_pipe(_PIPE_SIZES // count)
            try:
                child = os.fork()
            except OSError:
                os.close(receiving)
                os.close(sending)
                raise
            if child == 0:
                _run_worker(files, tasks, queue, read_one, sending, (receiving, *children))
            os.close(sending)
            children[receiving] = child
    except OSError:  # there are no more processes or descriptors
        pass
    os.close(queue)
    return children


def _results(files: list[Transcript], pipes: dict[int, bytearray]) -> Iterator[Read | None]:
    """Yield what comes through the workers' pipes. *pipes* holds the bytes of an unfinished message of each; a pipe
    that has ended is closed and removed."""
    import marshal
    import select

    while pipes:
        ready = select.select(list(pipes), [], [], 0)[0]
        if not ready:
            yield None
            ready = select.select(list(pipes), [], [])[0]
        for pipe in ready:
            data = os.read(pipe, 1 << 16)  # a larger buffer costs more than another read
            if not data:
                os.close(pipe)
                del pipes[pipe]
                continue
            buffer = pipes[pipe]
            buffer += data
            while len(buffer) >= _LENGTH_SIZE:
                end = _LENGTH_SIZE + int.from_bytes(buffer[:_LENGTH_SIZE], "little")
                if len(buffer) < end:
                    break
                index, reading, packed, sums = marshal.loads(buffer[_LENGTH_SIZE:end])
                del buffer[:end]
                yield files[index], _unpack_reading(reading), packed, sums


def _tasks(files: list[Transcript]) -> list[list[int]]:
    """Return the tasks: indexes of files that one worker reads before it looks for more, the largest files first."""
    by_size = sorted(range(len(files)), key=lambda index: -files[index].stat.st_size)
    return [by_size[task::_MAX_TASKS] for task in range(min(_MAX_TASKS, len(files)))]


def _large_pipe(size: int) -> tuple[int, int]:
    """Return a pipe that holds what a worker sends during a commit. If it can't grow, the worker waits."""
    ends = os.pipe()
    if sys.platform == "linux" and size > _DEFAULT_PIPE:
        import fcntl

        try:
            fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, size)
        except OSError:  # more than this user is allowed
            pass
    return ends


def _queue(tasks: int) -> int:
    """Return the reading end of a pipe with the numbers of all tasks; only one worker reads each of them."""
    reading, writing = os.pipe()
    os.write(writing, b"".join(task.to_bytes(_NUMBER_SIZE, "little") for task in range(tasks)))
    os.close(writing)
    return reading


def _run_worker(
    files: list[Transcript], tasks: list[list[int]], queue: int, read_one: ReadOne, pipe: int, others: tuple[int, ...]
) -> None:
    """Run a worker; never returns. *others* are the reading ends of pipes, which are closed here because an open one
    would keep the workers from noticing that the parent is gone."""
    import marshal

    status = 1
    try:
        for other in others:
            os.close(other)
        while number := os.read(queue, _NUMBER_SIZE):
            for index in tasks[int.from_bytes(number, "little")]:
                read = read_one(files[index])
                if read is not None:
                    data = marshal.dumps((index, _pack_reading(read[0]), *read[1:]))
                    _send(pipe, len(data).to_bytes(_LENGTH_SIZE, "little") + data)
        status = 0
    except BrokenPipeError:  # the parent is gone
        pass
    finally:
        os._exit(status)


def _send(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


_FIELDS = tuple(name for name in (*FileState.__slots__, *Reading.__slots__) if name != "claims")


def _pack_reading(reading: Reading) -> list[Any]:
    return [getattr(reading, name) for name in _FIELDS]


def _unpack_reading(values: list[Any]) -> Reading:
    reading = Reading()
    for name, value in zip(_FIELDS, values, strict=True):
        setattr(reading, name, value)
    return reading
