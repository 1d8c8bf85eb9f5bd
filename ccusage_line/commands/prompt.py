"""`ccusage prompt` in spellings that the fast lane does not accept."""

from __future__ import annotations

from ..options import PROMPT
from .console import Console
from .parser import Commands, add_command


def add(commands: Commands, name: str) -> None:
    add_command(
        commands,
        name,
        run,
        PROMPT,
        help="print the line for prompts and status bars",
        description="Print the line for status bars, and for prompts that do not use the hook of `ccusage init`.",
    )


def run(console: Console, *, kind: str | None, cwd: str | None, refresh: bool, redraw: str | None) -> None:
    """Print the ready line of a folder, or refresh it."""
    from ..prompt.command import run as prompt

    prompt(console.environ, kind=kind, cwd=cwd, refresh=refresh, redraw=redraw)
