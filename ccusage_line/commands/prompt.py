"""`ccusage prompt` in spellings that the fast lane does not take."""

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
        help="the line for prompts and status bars",
        description="The line for prompts and status bars that are not a shell's own hook.",
    )


def run(console: Console, *, kind: str | None, cwd: str | None, refresh: bool, redraw: str | None) -> None:
    """The ready line of a folder, or its refreshing."""

    from ..prompt.command import run as prompt

    prompt(console.environ, kind=kind, cwd=cwd, refresh=refresh, redraw=redraw)
