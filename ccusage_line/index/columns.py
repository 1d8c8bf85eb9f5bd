"""The claims of one file as columns: a form that is quick to send between processes and quick to store."""

from __future__ import annotations

from array import array
from itertools import repeat
from operator import attrgetter

from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ..transcripts.claims import Claim

    # number of claims, texts, numbers, and five columns of objects, None in place of one that holds only None
    Columns = tuple[int, list[str], bytes, list["list[Any] | None"]]

_NUMBERS = (
    *("group", "rest", "rank", "side", "timestamp", "flags", "input", "output", "cache_creation", "write_1h"),
    *("cache_read", "searches", "offset", "length"),
)
_TEXTS = ("session", "maker", "model", "cwd")
KEY = ("timestamp", "group", "rest")
_OBJECTS = ("cost_usd", "main_times", "uuids", "parents", "bill")
_IN_ROW = (
    "group_id, rest, file, session, rank, maker, side, timestamp, flags, input, output, cache_creation, write_1h,"
    " cache_read, searches, place, length, model, cwd"
)
FIELDS = (*_NUMBERS, *_TEXTS, *_OBJECTS)
_fields = attrgetter(*FIELDS)
_FIRST_OBJECT = len(_NUMBERS) + len(_TEXTS)


def gather(claims: Iterable[Claim]) -> list[tuple[Any, ...]]:
    """Return one tuple of values per field, in the order of FIELDS; an empty list if there are no claims."""
    return list(zip(*map(_fields, claims), strict=True))


def pack(columns: list[tuple[Any, ...]]) -> Columns:
    """Return what `gather` made of one file in a form that marshal can write. Claims refer to texts by number."""
    if not columns:
        return 0, [], b"", []
    count = len(columns[0])
    texts: dict[str, int] = {}
    numbers = array("q")
    for column in columns[: len(_NUMBERS)]:
        numbers.extend(array("q", column))
    for column in columns[len(_NUMBERS) : _FIRST_OBJECT]:
        numbers.extend(_numbered(column, texts))
    costs, times, uuids, parents, bills = columns[_FIRST_OBJECT:]
    objects = [
        None if costs.count(None) == count else list(costs),
        [rows.pack_times(value) if value else None for value in times] if any(times) else None,
        [value or None for value in uuids] if any(uuids) else None,
        [value or None for value in parents] if any(parents) else None,
        None if bills.count(None) == count else list(map(rows.pack_bill, bills)),
    ]
    return count, list(texts), numbers.tobytes(), objects


def _numbered(column: tuple[str, ...], texts: dict[str, int]) -> array[int]:
    """Return the number of each text in a column; a new text gets the next free number."""
    if column.count(column[0]) == len(column):
        return array("q", (texts.setdefault(column[0], len(texts)),)) * len(column)
    for text in dict.fromkeys(column):
        texts.setdefault(text, len(texts))
    return array("q", map(texts.__getitem__, column))


def keys_of(columns: Columns) -> list[array[int]]:
    """Return the columns that KEY names."""
    count, numbers = columns[0], array("q")
    numbers.frombytes(columns[2])
    starts = [_NUMBERS.index(name) * count for name in KEY]
    return [numbers[start : start + count] for start in starts]


def insertion(columns: Columns) -> str:
    """Return the statement that stores the rows that `unpack` makes of *columns*. It does not name empty columns of
    objects, because SQLite's module is slow to bind a None."""
    used = [name for name, column in zip(_OBJECTS, columns[3], strict=False) if column is not None]
    names = ", ".join([_IN_ROW, *used])
    return f"INSERT OR REPLACE INTO claims ({names}) VALUES ({','.join('?' * len(names.split(',')))})"


def unpack(columns: Columns, file: int, number_of: Callable[[str], int]) -> Iterator[rows.Row]:
    """Return the rows for `insertion`, for the file with this number; *number_of* returns the number of a name."""
    count, texts, data, objects = columns
    if not count:
        return iter(())
    numbers = array("q")
    numbers.frombytes(data)
    group, rest, rank, *others = (numbers[start : start + count] for start in range(0, len(numbers), count))
    name = [number_of(text) for text in texts].__getitem__
    session, maker, model, cwd = (map(name, column) for column in others[-len(_TEXTS) :])
    return zip(
        *(group, rest, repeat(file, count), session, rank, maker, *others[: -len(_TEXTS)], model, cwd),
        *(_storable(column) for column in objects if column is not None),
        strict=True,
    )


def _storable(column: list[Any]) -> list[Any]:
    """Return a column of objects with bytearrays in place of bytes, because SQLite's module binds them faster."""
    return [bytearray(value) if isinstance(value, bytes) else value for value in column]
