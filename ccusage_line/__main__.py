"""The entry point: asks the fast lane, else the command line; the one place that turns errors into text and codes."""

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
    gc.disable()  # nothing lives long enough here to be collected; a collection in passing costs 0.2 ms
    lean.install()
    from . import fast, files

    _open_streams()
    try:
        if fast.answer(sys.argv[1:]):
            files.flush_stdout()
            _leave(0)
        from .cli import run

        code = run(sys.argv[1:])
        files.flush_stdout()
        _leave(code)
    except BrokenPipeError:
        return _closed_pipe()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from .errors import UserError, shown

        if not isinstance(error, UserError):
            raise
        return _mendable(error, shown(f"ccusage: {error}\n"))


def _leave(code: int) -> NoReturn:
    """End without the interpreter's clean-up, which takes milliseconds: the streams are flushed, and what SQLite has
    committed is on disk."""
    try:
        sys.stderr.flush()
    except OSError:  # nobody to tell
        pass
    os._exit(code)


def _open_streams() -> None:
    """Whoever closed stdout or stderr wants nothing from them."""
    if sys.stdout is None or sys.stderr is None:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere


def _mendable(error: UserError, text: str) -> int:
    """What the user can mend: a message on stderr, no traceback."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except OSError:
        _closed_pipe()
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return error.exit_code


def _closed_pipe() -> int:
    """Whoever read us has read enough: silent success, at interpreter shutdown too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    if __package__:
        sys.exit(main())
    # `python -I FOLDER`, which `install` writes where there is no launcher: the folder of the package takes the place
    # of the package on the module path
    from runpy import run_module

    sys.path[:] = [*sys.path[1:], os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
    run_module("ccusage_line", run_name="__main__", alter_sys=True)
