"""`ccusage doctor`: why a line is blank or a number wrong."""

from __future__ import annotations

from ..options import JSON
from .console import Console
from .parser import Commands, add_command


def add(commands: Commands, name: str) -> None:
    add_command(commands, name, run, [JSON], help="why a line is blank or a number wrong")


def run(console: Console, *, json: bool) -> int:
    """Every reason why a line might be blank or a number wrong, each with its remedy."""

    from ..doctor import as_json, as_text, findings, is_healthy

    found = findings(console.environ)
    console.out(as_json(found) if json else as_text(found, console.width(), console.is_colored(None, False)))
    return 0 if is_healthy(found) else 1
