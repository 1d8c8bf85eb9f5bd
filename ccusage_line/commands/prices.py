"""`ccusage prices`: the price table."""

from __future__ import annotations

from ..options import PRICES_REFRESH, PRICES_SHOW
from .console import Console
from .parser import Commands, add_actions, add_command


def add(commands: Commands, name: str) -> None:
    actions = add_actions(commands, name, "show or refresh the price table", run_show)
    add_command(actions, "show", run_show, PRICES_SHOW, help="show the table in use, or the price of a model")
    add_command(actions, "refresh", run_refresh, PRICES_REFRESH, help="fetch the current list")


def run_show(console: Console, *, model: str | None = None, json: bool = False) -> None:
    """Print the price table in use, or the price of one model."""
    from ..prices.show import show

    console.out(show(console.environ, model, json))


def run_refresh(console: Console, *, offline: bool) -> int:
    """Fetch the current price list; return 1 if that failed."""
    from ..prices.refresh import address, refresh_command

    config, environ = console.config, console.environ
    offline = offline or bool(config.defaults_for("session", environ).get("offline"))
    text, warning = refresh_command(environ, offline=offline, address=address(environ, config.url))
    console.out(text)
    console.warn(warning)
    return 1 if warning else 0
