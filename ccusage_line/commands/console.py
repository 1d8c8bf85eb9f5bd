"""The environment, config, streams and indexes that every command uses."""

from __future__ import annotations

import os
import sys
import time
from functools import cached_property

from ..errors import printable
from ..files import flush_stdout, print_bytes, print_text
from ..paths import data_dirs, index_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from ..config import Config
    from ..index.index import Index

_NARROWEST = 20  # columns; enough for every number to stay on one line


class Console:
    def __init__(self, environ: MutableMapping[str, str], config: Config) -> None:
        self.environ = environ  # of the process, because the price table and child processes use it too
        self.config = config
        self._indexes: list[Index] = []

    def index(self) -> Index:
        """Open the index of the environment's data directories; `close` closes it."""
        from ..index.index import Index

        index = Index(self.index_dir(), self.roots)
        index.notify = self.say
        self._indexes.append(index)
        return index

    @cached_property
    def roots(self) -> list[str]:
        """The data directories, looked up once: a link that is switched meanwhile would lead to those of another index.

        Raises UsageError as paths.data_dirs does.
        """
        return data_dirs(self.environ)

    def index_dir(self) -> str:
        """Return the folder of the index of these data directories."""
        return index_dir(self.environ, self.roots)

    def close(self) -> None:
        for index in self._indexes:
            index.close()

    # --- output ---

    def out(self, text: str) -> None:
        """Print an answer, in UTF-8 whatever the locale is."""
        flush_stdout()
        print_text(text)

    def show(self, text: str | bytes, pager: bool) -> None:
        """Print a report for people, in the pager if *pager* is set and the screen is too small."""
        data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
        flush_stdout()
        if not (pager and self._is_longer(data) and self._show_in_pager(data)):
            print_bytes(data)

    def _is_longer(self, data: bytes) -> bool:
        """Return whether stdout is a terminal that cannot show *data* and the next prompt at once."""
        try:
            return data.count(b"\n") >= os.get_terminal_size(sys.stdout.fileno()).lines > 0
        except (OSError, ValueError):
            return False

    def _show_in_pager(self, data: bytes) -> bool:
        from ..pager import show_in_pager
        from ..screen import is_screen

        return is_screen(self.environ) and show_in_pager(data, self.environ)

    def say(self, text: str) -> None:
        """Print an error, a warning or another message that is not an answer to stderr."""
        sys.stdout.flush()
        sys.stderr.write(printable(f"ccusage: {text}\n"))

    def warn(self, text: str | None) -> None:
        """Print a warning, unless *text* is empty."""
        if text:
            self.say(f"warning: {text}")

    def warn_not_stored(self, index: Index, busy: bool = False) -> None:
        """Warn if the index cannot be stored; with *busy* also if another process has locked it for the moment."""
        if not index.stored and (busy or not index.busy):
            self.warn(f"the index can't be stored ({index.why_not_stored}); counted in memory")

    def warn_mended(self, index: Index) -> None:
        """Report once what was recovered from a damaged index."""
        if index.meta("notice") is not None:
            from ..index.repair import notice

            self.warn(notice(index))

    def debug(self, began: float) -> None:
        """Print what was done since *began* (seconds of the performance counter)."""
        try:
            for index in self._indexes:
                self.say(f"debug: index {index.folder}, {'stored' if index.stored else index.why_not_stored}")
                self.say(f"debug: {index.reads} transcripts opened below {', '.join(index.roots)}")
            self.say(f"debug: {(time.perf_counter() - began) * 1000:.1f} ms, Python {sys.version.split()[0]}")
        except OSError:  # stderr is closed
            return

    # --- properties of the terminal ---

    def width(self) -> int:
        """Return the columns to use: COLUMNS, else those of the terminal, else 120; at least _NARROWEST."""
        columns = self.environ.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and len(columns) < 6 and int(columns) > 0:
            return max(int(columns), _NARROWEST)
        try:
            return max(os.get_terminal_size(sys.stdout.fileno()).columns or 120, _NARROWEST)
        except (OSError, ValueError):
            return 120

    def is_colored(self, color: str | None, no_color: bool) -> bool:
        """Return whether to use colours: according to the options, else NO_COLOR and FORCE_COLOR, else the terminal."""
        if no_color or color == "never":
            return False
        if color == "always":
            return True
        if self.environ.get("NO_COLOR"):
            return False
        if self.environ.get("FORCE_COLOR"):
            return self.environ["FORCE_COLOR"] != "0"
        return sys.stdout.isatty() and self.environ.get("TERM") != "dumb"

    def progress(self) -> Callable[[int, int], None] | None:
        """Return a progress bar on stderr, or None if that is no terminal."""
        if not sys.stderr.isatty():
            return None
        from ..progress import Bar

        return Bar(sys.stderr)


def at_terminal() -> bool:
    """Return whether stdin or stdout is a terminal, so that a person is present."""
    return has_keyboard() or (sys.stdout is not None and sys.stdout.isatty())


def has_keyboard() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
