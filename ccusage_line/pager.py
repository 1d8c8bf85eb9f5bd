"""Text page by page, by the pager that the user has: PAGER, else `less`, asked as git asks it.

PAGER is words, no program of a shell. Where LESS is not set, what fits the screen is printed at once, colours are
shown, and the text stays on the screen afterwards (`FRX`); `less` shows colours and UTF-8 whatever is set.

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

_ENDINGS = ("SIGINT", "SIGHUP")  # the pager's to obey, and ours by its end


def was_shown(data: bytes, environ: Mapping[str, str]) -> bool:
    """Whether a pager was there to show *data*; it has ended. What it did not read is not missed.

    Raises KeyboardInterrupt where Ctrl-C ended it.
    """
    try:
        words = shlex.split(environ.get("PAGER", "less"))
    except ValueError:  # a quote that nothing closes
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
    numbers = [getattr(signal, name) for name in _ENDINGS]
    ours = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        process.communicate(data)
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
    if process.returncode == -signal.SIGINT:
        raise KeyboardInterrupt
    return True
