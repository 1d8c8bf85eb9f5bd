"""The entry point: tries the fast lanes, then the command line; it alone turns errors into messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys

from . import lean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .errors import UserError

INTERRUPTED = 130


def main() -> int:
    gc.disable()  # the process ends before a collection could pay off; one in passing costs 0.2 ms
    lean.install()
    from . import fast, files

    _open_streams()
    try:
        if fast.answer(sys.argv[1:]):
            files.flush_stdout()
            _exit(0)
        from .cli import run

        code = run(sys.argv[1:])
        files.flush_stdout()
        _exit(code)
    except BrokenPipeError:
        return _ignore_closed_pipe()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from .errors import UserError, printable

        if not isinstance(error, UserError):
            raise
        return _report(error, printable(f"ccusage: {error}\n"))


def _exit(code: int) -> NoReturn:
    """End without the interpreter's slow clean-up: stdout is flushed, and SQLite's commits are on disk."""
    try:
        sys.stderr.flush()
    except OSError:  # stderr is closed or full: there is nowhere to report it
        pass
    os._exit(code)


def _open_streams() -> None:
    """Open the null device in place of a stdout or stderr that the caller has closed."""
    if sys.stdout is None or sys.stderr is None:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # open as long as the process lives
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere


def _report(error: UserError, text: str) -> int:
    """Write the message of an error that the user can fix to stderr, without a traceback; return its exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _ignore_closed_pipe()
    except OSError:
        _ignore_closed_pipe()
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # stderr is closed or full: there is nowhere to report it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return error.exit_code


def _ignore_closed_pipe() -> int:
    """Return 0 because a reader that has read enough is no error; let the flush at interpreter exit succeed too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    if __package__:
        sys.exit(main())
    # `python -I FOLDER`, the command that `install` writes if there is no launcher, puts the folder of the package
    # first on the module path; the folder above it has to be there instead.
    from runpy import run_module

    sys.path[:] = [*sys.path[1:], os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
    run_module("ccusage_line", run_name="__main__", alter_sys=True)
