"""What every command works with: the environment, the config, the streams, and the indexes that it asks."""

from __future__ import annotations

import os
import sys
import time
from functools import cached_property

from ..errors import shown
from ..files import flush_stdout, print_bytes, print_text
from ..paths import data_dirs, index_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from ..config import Config
    from ..index.index import Index

_NARROWEST = 20  # columns


class Console:
    def __init__(self, environ: MutableMapping[str, str], config: Config) -> None:
        self.environ = environ  # that of the process: the price table and the children look there too
        self.config = config
        self._indexes: list[Index] = []

    def index(self) -> Index:
        """The index of the environment's data directories; closed with the console."""
        from ..index.index import Index

        index = Index(self.index_dir(), self.roots)
        index.tell = self.say
        self._indexes.append(index)
        return index

    @cached_property
    def roots(self) -> list[str]:
        """The data directories, looked up once: a link that is switched meanwhile would lead to those of another index.

        Raises UsageError as paths.data_dirs does.
        """
        return data_dirs(self.environ)

    def index_dir(self) -> str:
        """Return the folder of that index."""
        return index_dir(self.environ, self.roots)

    def close(self) -> None:
        for index in self._indexes:
            index.close()

    # --- what is said ---

    def out(self, text: str) -> None:
        """Answers, as UTF-8 whatever the locale says."""
        flush_stdout()
        print_text(text)

    def show(self, text: str | bytes, pager: bool) -> None:
        """A report for people: with *pager* page by page where it is longer than their screen."""
        data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
        flush_stdout()
        if not (pager and self._is_longer(data) and self._was_paged(data)):
            print_bytes(data)

    def _is_longer(self, data: bytes) -> bool:
        """Whether *data* and the prompt that comes after it do not fit the terminal, if stdout is one."""
        try:
            return data.count(b"\n") >= os.get_terminal_size(sys.stdout.fileno()).lines > 0
        except (OSError, ValueError):
            return False

    def _was_paged(self, data: bytes) -> bool:
        from ..pager import was_shown
        from ..screen import is_screen

        return is_screen(self.environ) and was_shown(data, self.environ)

    def say(self, text: str) -> None:
        """Errors, warnings and what is not an answer."""
        sys.stdout.flush()
        sys.stderr.write(shown(f"ccusage: {text}\n"))

    def warn(self, text: str | None) -> None:
        """A warning, if there is one."""
        if text:
            self.say(f"warning: {text}")

    def warn_not_stored(self, index: Index, busy: bool = False) -> None:
        """*busy*: also where another process had the database just then, which makes no answer another one."""
        if not index.stored and (busy or not index.busy):
            self.warn(f"the index can't be stored ({index.why_not_stored}); counted in memory")

    def warn_mended(self, index: Index) -> None:
        """What became of a damaged index, once."""
        if index.meta("notice") is not None:
            from ..index.repair import notice

            self.warn(notice(index))

    def debug(self, began: float) -> None:
        """What was done since *began* (seconds of the performance counter)."""
        try:
            for index in self._indexes:
                self.say(f"debug: index {index.folder}, {'stored' if index.stored else index.why_not_stored}")
                self.say(f"debug: {index.reads} transcripts opened below {', '.join(index.roots)}")
            self.say(f"debug: {(time.perf_counter() - began) * 1000:.1f} ms, Python {sys.version.split()[0]}")
        except OSError:  # nobody to tell
            return

    # --- what it looks like ---

    def width(self) -> int:
        """Columns: COLUMNS if it is set, else the terminal's, else 120; enough for a number to stay in one piece."""
        columns = self.environ.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and len(columns) < 6 and int(columns) > 0:
            return max(int(columns), _NARROWEST)
        try:
            return max(os.get_terminal_size(sys.stdout.fileno()).columns or 120, _NARROWEST)
        except (OSError, ValueError):
            return 120

    def is_colored(self, color: str | None, no_color: bool) -> bool:
        """Whether to colour: the options, else NO_COLOR and FORCE_COLOR, else a terminal that can."""
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
        """A bar on stderr, where that is a terminal."""
        if not sys.stderr.isatty():
            return None
        from ..progress import Bar

        return Bar(sys.stderr)


def at_terminal() -> bool:
    """Whether a person, not a program, gives us our input or reads what we say."""
    return has_keyboard() or (sys.stdout is not None and sys.stdout.isatty())


def has_keyboard() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
