"""Errors that the user can fix: each is a message for stderr and an exit code.

On the lean lanes: imports nothing. Messages are lower-case, name the thing and, if there is one, the way out.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """Return *text* with every unprintable character, except newlines and tabs, written as an escape."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text)


class UserError(Exception):
    """An error that is shown as its message, without a traceback; the process ends with `exit_code`."""

    exit_code = 2


class UsageError(UserError):
    """The command line cannot be understood or contradicts itself."""


class UnknownSession(UserError):
    """The id matches no transcript and no archived session."""

    exit_code = 3

    def __init__(self, session_id: str, near: list[str] | None = None) -> None:
        """Store the id; *near* holds one line for each session that may have been meant."""
        shown = session_id if len(session_id) <= 80 else f"{session_id[:77]}..."
        problem = f"no session {shown!r}" if session_id else "the id is empty"
        hint = "; did you mean" if near else "; `ccusage session` lists all sessions"
        super().__init__("\n  ".join([problem + hint, *(near or ())]))
        self.session_id = session_id


class JqError(UserError):
    """A `--jq` expression that cannot be parsed or that failed; the message may have several lines.

    Unprintable characters of the data are escaped, so that they cannot move a terminal's cursor.
    """

    exit_code = 4

    def __init__(self, message: str) -> None:
        super().__init__(f"--jq: {printable(message)}")


class UnwritableOutput(UserError):
    """Stdout cannot be written, for example because the disk is full."""

    exit_code = 1

    def __init__(self, reason: str) -> None:
        super().__init__(f"can't write to stdout: {reason.lower()}")


class UnreadableIndex(UserError):
    """The index cannot be read now, and an answer without it could be wrong."""

    exit_code = 1

    def __init__(self, reason: str = "another process has locked it; try again later") -> None:
        super().__init__(f"the index can't be read: {reason}")
