"""Reading many transcripts at once: the first index, over several processes where that pays."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

from . import rows
from .reading import Known, Reading, read_file, read_lines
from .transcript import Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    Read = tuple[Found, Reading, list[rows.Row]]

PARALLEL = 16 * 1024 * 1024  # bytes from which more processes pay for their start
TYPED = 8 * 1024 * 1024  # bytes from which msgspec pays for its import
BATCH = 40_000  # claims committed at once
_LOCK = "first.lock"
_SWEEP = "sweep.lock"
_HEADER = 8  # bytes of length before each result in a worker's pipe


def first_lock(folder: str | None) -> AbstractContextManager[object]:
    """What only one process at a time may do: the first index. Nothing to lock where nothing is stored."""
    if folder is None:
        from contextlib import nullcontext

        return nullcontext()
    from filelock import FileLock

    return FileLock(os.path.join(folder, _LOCK), mode=0o600)  # type: ignore[return-value, unused-ignore]


@contextmanager
def sweep_lock(folder: str) -> Iterator[bool]:
    """Whether nobody else sweeps, for as long as this holds."""
    from filelock import FileLock, Timeout

    lock = FileLock(os.path.join(folder, _SWEEP), mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def read_in_batches(files: list[Found], progress: Callable[[int, int], None] | None) -> Iterator[list[Read]]:
    """Readings of all files from their start, with their claims as rows, in batches to be committed."""
    size = sum(found.stat.st_size for found in files)
    workers = min(_cores(), len(files))
    source = (
        _in_processes(files, workers) if size > PARALLEL and workers > 1 and hasattr(os, "fork") else _here(files, size)
    )
    batch: list[Read] = []
    claims = done = 0
    for found, reading, packed in source:
        batch.append((found, reading, packed))
        claims += len(packed)
        done += found.stat.st_size
        if progress is not None:
            progress(done, size)
        if claims >= BATCH:
            yield batch
            batch, claims = [], 0
    if batch:
        yield batch


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reader(size: int) -> Callable[[Found], tuple[Reading, list[rows.Row]] | None]:
    read_line = read_lines
    if size > TYPED:
        from .typed import read_line

    def read(found: Found) -> tuple[Reading, list[rows.Row]] | None:
        try:
            reading = read_file(found.path, found.session, found.own, None, read_line)
        except OSError:
            return None  # unreadable, or gone since it was found
        packed = [rows.pack(claim) for claim in reading.claims.values()]
        reading.claims = {}
        return reading, packed

    return read


def _here(files: list[Found], size: int) -> Iterator[Read]:
    read = _reader(size)
    for found in files:
        result = read(found)
        if result is not None:
            yield found, *result


def _in_processes(files: list[Found], workers: int) -> Iterator[Read]:
    """As _here, by forked workers, each with its share of the bytes; results come as they are ready."""
    import marshal
    import select
    import signal

    read = _reader(sys.maxsize)  # imports the decoder once, before the forks
    sys.stdout.flush()
    sys.stderr.flush()
    pipes: dict[int, bytearray] = {}
    children = []
    for share in _shares(files, workers):
        receiving, sending = os.pipe()
        child = os.fork()
        if child == 0:
            for pipe in (
                receiving,
                *pipes,
            ):  # whoever holds a reading end keeps the writers from seeing that we are gone
                os.close(pipe)
            _work(files, share, read, sending)
        os.close(sending)
        children.append(child)
        pipes[receiving] = bytearray()
    try:
        while pipes:
            for pipe in select.select(list(pipes), [], [])[0]:
                data = os.read(pipe, 1 << 20)
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
                    place, header, packed = marshal.loads(buffer[_HEADER : _HEADER + length])
                    del buffer[: _HEADER + length]
                    yield files[place], _reading(header), packed
    finally:
        for pipe in pipes:
            os.close(pipe)
        for child in children:
            os.kill(child, signal.SIGTERM)  # one that is done has exited or is about to
            os.waitpid(child, 0)


def _shares(files: list[Found], workers: int) -> list[list[int]]:
    """Numbers of the files each worker reads: about equal in bytes, the largest first."""
    shares: list[list[int]] = [[] for _ in range(workers)]
    sizes = [0] * workers
    for place in sorted(range(len(files)), key=lambda i: -files[i].stat.st_size):
        least = sizes.index(min(sizes))
        shares[least].append(place)
        sizes[least] += files[place].stat.st_size
    return shares


def _work(files: list[Found], share: list[int], read: Callable[[Found], Any], pipe: int) -> None:
    """A worker's life; never returns."""
    import marshal

    status = 1
    try:
        for place in share:
            result = read(files[place])
            if result is not None:
                reading, packed = result
                data = marshal.dumps((place, _header(reading), packed))
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
