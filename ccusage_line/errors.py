"""What the user can mend: each error is a message for stderr and an exit code.

On the lean lanes: imports nothing. Messages are lower-case, name the thing and, if there is one, the way out.
"""

from __future__ import annotations


def shown(text: str) -> str:
    """*text* as a terminal may get it: what can't be printed, lines and tabs apart, is written as an escape."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text)


class UserError(Exception):
    """Shown as its message, without a traceback; the process ends with `exit_code`."""

    exit_code = 2


class UsageError(UserError):
    """The command line cannot be understood or contradicts itself."""


class UnknownSession(UserError):
    """No transcript and no archived session answers to the id."""

    exit_code = 3

    def __init__(self, session_id: str, near: list[str] | None = None) -> None:
        """*near*: a line for each session that may be meant."""
        shown = session_id if len(session_id) <= 80 else f"{session_id[:77]}..."
        what = f"no session {shown!r}" if session_id else "the id is empty"
        way = "; did you mean" if near else "; `ccusage session` lists those there are"
        super().__init__("\n  ".join([what + way, *(near or ())]))
        self.session_id = session_id


class JqError(UserError):
    """A `--jq` expression that cannot be read, or that failed on the value; may be several lines.

    What the message repeats of the data cannot move a terminal's cursor.
    """

    exit_code = 4

    def __init__(self, message: str) -> None:
        super().__init__(f"--jq: {shown(message)}")


class UnwritableOutput(UserError):
    """Stdout takes no more: a full disk."""

    exit_code = 1

    def __init__(self, reason: str) -> None:
        super().__init__(f"can't write the answer: {reason.lower()}")


class UnreadableIndex(UserError):
    """What is stored can't be read now: an answer without it could be wrong."""

    exit_code = 1

    def __init__(self, reason: str = "another process has it and does not let go of it; try again later") -> None:
        super().__init__(f"the index can't be read: {reason}")
