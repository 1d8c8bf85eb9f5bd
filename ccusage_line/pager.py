"""Text page by page in the user's pager: PAGER, else `less`, called as git calls it.

PAGER is split into words, but not run by a shell. If LESS is not set, text that fits the screen is printed at once,
colours are shown, and the text stays on the screen afterwards (`FRX`). `less` always gets `-R`, which shows colours,
and expects UTF-8 unless LESSCHARSET is set.

Not on Windows, which has no SIGHUP.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGER_SIGNALS = ("SIGINT", "SIGHUP")  # handled by the pager while it runs


def show_in_pager(data: bytes, environ: Mapping[str, str]) -> bool:
    """Show *data* in the pager and wait for its end; return False if there is no pager. Data that the pager did not
    read is no error. Raises KeyboardInterrupt if Ctrl-C ended the pager."""
    try:
        words = shlex.split(environ.get("PAGER", "less"))
    except ValueError:  # an unclosed quote
        return False
    if not words:
        return False
    if os.path.basename(words[0]) == "less":
        words.append("-R")
    environ = {"LESS": "FRX", "LESSCHARSET": "utf-8", "LV": "-c", **environ}
    try:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, env=environ)
    except OSError:
        return False
    numbers = [getattr(signal, name) for name in _PAGER_SIGNALS]
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        process.communicate(data)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if process.returncode == -signal.SIGINT:
        raise KeyboardInterrupt
    return True
