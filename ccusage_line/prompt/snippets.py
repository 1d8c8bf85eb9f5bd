"""The shell snippets, with the values of this installation filled in."""

from __future__ import annotations

import os


def render(shell: str, *, executable: str, state_dir: str, prompt: bool = True, completion: bool = True) -> str:
    """Return the text that `ccusage init SHELL` prints; *executable* and *state_dir* are absolute paths.

    *prompt*: whether the segment is put into the prompt; its variables are always set. Raises KeyError for an unknown
    shell, and OSError if the snippets are missing.
    """
    values = {
        "executable": executable,
        "state": state_dir,
        "prompt": "1" if prompt else "",
        "completion": "1" if completion else "",
    }
    quote = _QUOTES[shell]
    with open(_snippet(shell), encoding="utf-8") as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f"'@{name}@'", quote(value))
    return text


def _snippet(shell: str) -> str:
    """Return the path of a snippet in the installed package, else in the source tree."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    name = f"ccusage.{shell}"
    installed = os.path.join(here, "shell", name)
    return installed if os.path.exists(installed) else os.path.join(os.path.dirname(here), "shell", name)


def _posix(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_QUOTES = {"bash": _posix, "zsh": _posix, "fish": _fish}
