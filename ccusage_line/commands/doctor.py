"""`ccusage doctor`: explains a blank line or a wrong number."""

from __future__ import annotations

from ..options import JSON
from .console import Console
from .parser import Commands, add_command


def add(commands: Commands, name: str) -> None:
    add_command(commands, name, run, [JSON], help="find out why a line is blank or a number is wrong")


def run(console: Console, *, json: bool) -> int:
    """Print the result of every check, with a remedy for each problem; return 1 if there is a problem."""
    from ..doctor import as_json, as_text, findings, is_healthy

    results = findings(console.environ)
    console.out(as_json(results) if json else as_text(results, console.width(), console.is_colored(None, False)))
    return 0 if is_healthy(results) else 1
