"""What the user can mend: each error is a message for stderr and an exit code.

On the lean lanes: imports nothing. Messages are lower-case, name the thing and, if there is one, the way out.
"""

from __future__ import annotations


class UserError(Exception):
    """Shown as its message, without a traceback; the process ends with `exit_code`."""

    exit_code = 2


class UsageError(UserError):
    """The command line cannot be understood or contradicts itself."""


class UnknownSession(UserError):
    """No transcript and no archived session answers to the id."""

    exit_code = 3

    def __init__(self, session_id: str) -> None:
        shown = session_id if len(session_id) <= 80 else f"{session_id[:77]}..."
        super().__init__(f"no session {shown!r}; `ccusage session` lists those there are")
        self.session_id = session_id


class JqError(UserError):
    """A `--jq` expression that cannot be read, or that failed on the value; may be several lines.

    What the message repeats of the data cannot move a terminal's cursor.
    """

    exit_code = 4

    def __init__(self, message: str) -> None:
        shown = (c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in message)
        super().__init__("--jq: " + "".join(shown))


class UnwritableOutput(UserError):
    """Stdout takes no more: a full disk."""

    exit_code = 1

    def __init__(self, reason: str) -> None:
        super().__init__(f"can't write the answer: {reason.lower()}")
