"""Many claims of one file at once, column by column: quick to send from one process to another and to store."""

from __future__ import annotations

from array import array
from itertools import repeat
from operator import attrgetter

from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    from ..transcripts.claims import Claim

    # number of claims, texts, numbers, and five columns of objects; None for one that holds nothing but None
    Columns = tuple[int, list[str], bytes, list["list[Any] | None"]]

_NUMBERS = (
    *("group", "rest", "rank", "side", "timestamp", "flags", "input", "output", "cache_creation", "write_1h"),
    *("cache_read", "searches", "at", "length"),
)
_TEXTS = ("session", "maker", "model", "cwd")
KEY = ("timestamp", "group", "rest")
_fields = attrgetter(*_NUMBERS, *_TEXTS, "cost_usd", "main_times", "uuids", "parents", "bill")
_FIRST_OBJECT = len(_NUMBERS) + len(_TEXTS)


def pack(claims: Collection[Claim]) -> Columns:
    """The claims of one file as marshal can write them; the texts that they name once, by number."""
    if not claims:
        return 0, [], b"", []
    texts: dict[str, int] = {}
    numbers = array("q")
    columns = list(zip(*map(_fields, claims), strict=True))
    for column in columns[: len(_NUMBERS)]:
        numbers.extend(array("q", column))
    for column in columns[len(_NUMBERS) : _FIRST_OBJECT]:
        numbers.extend(array("q", [texts.setdefault(text, len(texts)) for text in column]))
    costs, times, uuids, parents, bills = columns[_FIRST_OBJECT:]
    objects = (
        list(costs),
        [rows.pack_times(value) if value else None for value in times],
        [value or None for value in uuids],
        [value or None for value in parents],
        list(map(rows.pack_bill, bills)),
    )
    return len(claims), list(texts), numbers.tobytes(), list(map(_objects, objects))


def _objects(column: list[Any]) -> list[Any] | None:
    return column if any(value is not None for value in column) else None


def numbers_of(columns: Columns, names: tuple[str, ...]) -> list[array[int]]:
    """The columns of numbers with these names."""
    count, numbers = columns[0], array("q")
    numbers.frombytes(columns[2])
    starts = [_NUMBERS.index(name) * count for name in names]
    return [numbers[start : start + count] for start in starts]


def unpack(columns: Columns, file: int, number_of: Callable[[str], int]) -> Iterator[rows.Row]:
    """Rows as the database has them, for the file with this number; *number_of* gives that of a name."""
    count, texts, data, objects = columns
    if not count:
        return iter(())
    numbers = array("q")
    numbers.frombytes(data)
    by_column = (numbers[start : start + count] for start in range(0, len(numbers), count))
    group, rest, rank, side, timestamp, flags, input, output, creation, write_1h, *rest_of_it = by_column
    read, searches, at, length, *texts_of = rest_of_it
    name = [number_of(text) for text in texts].__getitem__
    session, maker, model, cwd = (map(name, column) for column in texts_of)
    none = [None] * count
    costs, *others = (column or none for column in objects)
    return zip(
        *(group, rest, repeat(file, count), session, rank, maker, side, timestamp, model, flags, input, output),
        *(creation, write_1h, read, searches, costs, cwd, at, length, *others),
        strict=True,
    )
