"""Stdout: what is written there has arrived, or the error says why not. Standard library only: on the lean lanes."""

from __future__ import annotations

import os
import sys


def write(text: str) -> None:
    """Put an answer on stdout, past Python's buffers: there is nothing left to flush. Raises as flush."""
    write_bytes(text.encode("utf-8", "backslashreplace"))


def write_bytes(answer: bytes) -> None:
    data = memoryview(answer)
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from error


def flush() -> None:
    """Nothing stays in Python's buffers. Raises BrokenPipeError, or UserError where stdout takes no more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> Exception:
    from .errors import UnwritableOutput

    return UnwritableOutput(error.strerror or str(error))
