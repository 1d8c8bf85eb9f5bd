"""The full screen of a terminal, which is restored afterwards, also after an exception or a signal.

Not on Windows, which has no `termios`.
"""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from itertools import zip_longest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_BEGIN_UPDATE, _END_UPDATE = "\x1b[?2026h", "\x1b[?2026l"  # the terminal draws nothing between the two
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"  # alternate screen, hidden cursor, no line wrapping
_LEAVE = f"{_END_UPDATE}\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)  # what a key sends that is not a character
_DEFAULT_SIZE = 80, 24  # columns and lines if the terminal does not report them
_ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Terminated(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class TerminalClosed(Exception):
    """The terminal was closed."""


def is_screen(environ: Mapping[str, str]) -> bool:
    """Return whether stdout is a terminal with cursor addressing."""
    return sys.platform != "win32" and sys.stdout.isatty() and environ.get("TERM", "dumb") not in ("dumb", "")


class Screen:
    """The terminal of stdout and the keys of stdin; in `with`, a signal that ends the process raises Terminated."""

    def __init__(self) -> None:
        self._keys = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._out = sys.stdout.fileno()
        self._saved_mode: list[Any] | None = None  # terminal attributes to restore; None outside the full screen
        self._old_handlers: dict[int, Any] = {}  # signal -> the handler to restore
        self._is_ending = False
        self._stop_requested = False
        self._last_frame: tuple[tuple[int, int], Sequence[str]] | None = None
        self._wake_reader, self._wake_writer = os.pipe()  # a signal writes to the pipe, which ends a wait for keys

    # --- entering and leaving ---

    def __enter__(self) -> Screen:
        if sys.platform == "win32":
            return self
        try:
            os.set_blocking(self._wake_writer, False)
            signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
            for name in _ENDING_SIGNALS:
                if signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:  # ignored by nohup
                    self._handle(getattr(signal, name), self._terminate)
            self._handle(signal.SIGTSTP, self._request_stop)
            self._handle(signal.SIGCONT, self._resume)
            self._handle(signal.SIGWINCH, lambda *_: None)
            self._enter()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._is_ending = True  # from here on no signal raises Terminated
        try:
            self._leave()
        except TerminalClosed:
            pass
        signal.set_wakeup_fd(-1)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def _handle(self, number: int, handler: Any) -> None:
        self._old_handlers.setdefault(number, signal.getsignal(number))
        signal.signal(number, handler)

    def _enter(self) -> None:
        if sys.platform == "win32":
            return
        import termios

        if self._keys is not None:
            try:
                mode = termios.tcgetattr(self._keys)
                self._saved_mode = self._saved_mode or mode
                mode = [*mode[:3], mode[3] & ~(termios.ICANON | termios.ECHO), *mode[4:]]
                termios.tcsetattr(self._keys, termios.TCSANOW, mode)
            except termios.error as error:
                raise TerminalClosed from error
        self._saved_mode = self._saved_mode or []
        self._last_frame = None
        self._write(_ENTER)

    def _leave(self) -> None:
        if sys.platform == "win32" or self._saved_mode is None:
            return
        import termios

        mode, self._saved_mode = self._saved_mode, None
        if mode and self._keys is not None:
            try:
                termios.tcsetattr(self._keys, termios.TCSANOW, mode)
            except termios.error:  # the terminal was closed
                pass
        self._write(_LEAVE)

    # --- signals ---

    def _terminate(self, number: int, _: object) -> None:
        if not self._is_ending:
            self._is_ending = True
            raise Terminated(number)

    def _request_stop(self, *_: object) -> None:
        """Handle Ctrl+Z: stop at the next wait for keys, when nothing is held that other processes wait for."""
        self._stop_requested = True

    def _stop(self) -> None:
        """Restore the shell's screen, stop the process, and enter again after it was continued."""
        if sys.platform == "win32":
            return
        self._stop_requested = False
        self._leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._request_stop)
        self._enter()

    def _resume(self, *_: object) -> None:
        if self._saved_mode is not None:  # after SIGSTOP, which cannot be handled: the shell may have changed it
            self._enter()

    # --- text and keys ---

    def size(self) -> tuple[int, int]:
        try:
            columns, lines = os.get_terminal_size(self._out)
        except OSError as error:
            raise TerminalClosed from error
        return columns or _DEFAULT_SIZE[0], lines or _DEFAULT_SIZE[1]

    def show(self, size: tuple[int, int], lines: Sequence[str]) -> None:
        """Show *lines*, made for *size*, and nothing else; only lines that changed are written."""
        lines = lines[: size[1]]
        old_size, old_lines = self._last_frame or (None, ())
        self._last_frame = size, lines
        parts = []
        if old_size != size:
            parts, old_lines = ["\x1b[2J"], ()
        for number, (line, old_line) in enumerate(zip_longest(lines, old_lines), 1):
            line = line or ""
            if line != old_line:
                parts.append(f"\x1b[{number};1H\x1b[2K{line}")
        if parts:
            self._write("".join([_BEGIN_UPDATE, *parts, _END_UPDATE]))

    def keys(self, seconds: float) -> str:
        """Return the keys typed, "" after *seconds* or sooner if the screen has to be drawn again."""
        watched = [self._wake_reader, *([] if self._keys is None else [self._keys])]
        ready = select.select(watched, [], [], max(seconds, 0))[0]
        if self._wake_reader in ready:
            os.read(self._wake_reader, 512)
        if self._stop_requested:
            self._stop()
        if self._keys not in ready:
            return ""
        try:
            typed = os.read(self._keys, 1024) if self._keys is not None else b""
        except OSError as error:
            raise TerminalClosed from error
        if not typed:
            raise TerminalClosed
        return _SEQUENCE.sub("", typed.decode("utf-8", "replace"))

    def _write(self, text: str) -> None:
        data = memoryview(text.encode("utf-8", "backslashreplace"))
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError as error:
            raise TerminalClosed from error
