"""A progress bar for the first index."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_WIDTH = 30  # columns of the bar
_INTERVAL = 0.1  # seconds between two drawings
_DELAY = 0.3  # seconds before the first drawing, because a quick run needs no bar


class Bar:
    """A callable that draws `(done, total)`, in bytes, and erases the bar at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = time.monotonic() + _DELAY
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        if done >= total:
            if self._drawn:
                self._stream.write("\r\x1b[K")
                self._stream.flush()
            return
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        self._drawn = True
        filled = _WIDTH * done // total
        bar = "█" * filled + "░" * (_WIDTH - filled)
        self._stream.write(f"\rindexing {bar} {100 * done // total:3d} % of {total / 1e6:,.0f} MB\x1b[K")
        self._stream.flush()
