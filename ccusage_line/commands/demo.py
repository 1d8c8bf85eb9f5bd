"""`ccusage demo`: the report on the bundled sample."""

from __future__ import annotations

from ..options import SESSION
from .console import Console
from .parser import Commands, add_command
from .session import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add(commands: Commands, name: str) -> None:
    help = "show the session report of a bundled sample"
    add_command(commands, name, run, SESSION, help=help, usage="ccusage demo [options of session]")


def run(console: Console, **values: Any) -> None:
    """Print the report of the sample, with a temporary state folder."""
    from ..demo import sample

    with sample(console.environ):
        report(console, **{**values, "offline": True})  # the built-in table has all prices of the sample
