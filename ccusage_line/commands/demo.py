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
    help = "the report on a bundled sample"
    add_command(commands, name, run, SESSION, help=help, usage="ccusage demo [options of session]")


def run(console: Console, **asked: Any) -> None:
    """The report of what is *asked*, in a state folder of its own that goes away again."""
    from ..demo import sample

    with sample(console.environ):
        report(console, **{**asked, "offline": True})  # the sample's prices are all in the table
