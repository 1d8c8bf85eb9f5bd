"""The shell snippets with the places filled in that only the installation knows."""

from __future__ import annotations

import os


def render(shell: str, *, executable: str, state_dir: str, prompt: bool = True, completion: bool = True) -> str:
    """The text that `ccusage init SHELL` prints; *executable* and *state_dir* are absolute.

    *prompt*: whether the segment is shown without further ado; the variables are always set. Raises KeyError for an
    unknown shell, OSError where the snippets are missing.
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
    """A snippet in the installed package, else in the checkout that this is."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    name = f"ccusage.{shell}"
    installed = os.path.join(here, "shell", name)
    return installed if os.path.exists(installed) else os.path.join(os.path.dirname(here), "shell", name)


def _posix(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_QUOTES = {"bash": _posix, "zsh": _posix, "fish": _fish}
