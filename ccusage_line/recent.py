"""The recent responses of the whole index, published for readers without a database: what days and blocks are made of.

A refresh removes the file before it commits; whoever shows today or the block next writes it anew from what is
committed, under the write lock. Tier 0.
"""

from __future__ import annotations

import os

from . import published

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Moment = tuple[int, int, int, int, int]  # time, costs in mode auto, calculate, display, tokens in and out

NAME = "recent"
HOUR = 3_600_000_000  # microseconds
LONGEST_DAY = 26 * HOUR  # a local day with its change of the clocks, and room for a reader's later midnight
GAP = 5 * HOUR  # what ends a chain of blocks


def since_a_block_began(newest_first: Iterator[Moment], now: int) -> list[Moment]:
    """The moments that can matter to today and to the block, oldest first, beginning where a block begins.

    Blocks follow one another without a rest only back to a gap of five hours; from the first response of any block on
    the same blocks come out.
    """
    chain: list[Moment] = []
    for moment in newest_first:
        if chain and chain[-1][0] - moment[0] >= GAP and chain[-1][0] <= now - LONGEST_DAY:
            break
        chain.append(moment)
    chain.reverse()
    return chain[_last_block_before(chain, now - LONGEST_DAY) :]


def _last_block_before(moments: list[Moment], limit: int) -> int:
    """The place of the last first response of a block that is not younger than *limit*."""
    place, start = 0, None
    for i, (time, *_) in enumerate(moments):
        if time > limit:
            break
        if start is None or time - start >= GAP or time - moments[i - 1][0] >= GAP:
            place, start = i, time - time % HOUR
    return place


def read(folder: str) -> list[Moment] | None:
    """What is published in an index's folder, None where nothing is."""
    moments: list[Moment] | None = published.read(os.path.join(folder, NAME))
    return moments


def write(folder: str, moments: list[Moment]) -> None:
    """Publish; the caller holds the write lock."""
    published.write(os.path.join(folder, NAME), moments)


def revoke(folder: str) -> None:
    """Take it back; raises OSError where that can't be done."""
    published.revoke(os.path.join(folder, NAME))
