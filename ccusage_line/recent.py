"""The recent responses of the whole index, published for readers without a database: what days and blocks are made of.

A refresh removes the file before it commits; whoever shows today or the block next writes it anew from what is
committed, under the write lock. Standard library only: on the lean lanes.
"""

from __future__ import annotations

import os

from . import published

TYPE_CHECKING = False
if TYPE_CHECKING:
    Moment = tuple[int, int, int, int, int]  # time, costs in mode auto, calculate, display, tokens in and out

NAME = "recent"


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
