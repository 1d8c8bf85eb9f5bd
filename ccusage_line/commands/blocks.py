"""`ccusage blocks`: usage in 5-hour blocks, and a projection for the active one."""

from __future__ import annotations

from .. import options
from ..errors import UsageError
from .parser import add_command
from .reporting import Asked, days, limits_told, refuse, unpriced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..index.index import Index
    from ..report.blocks import Block
    from ..report.usage import Line
    from ..windows import Bounds, Window
    from .console import Console
    from .parser import Commands

    LimitOf = Callable[[Sequence[Block], int], int | None]
    Groups = Mapping[str, Sequence[Block]]  # by project; without --instances, everything under the empty name

_TITLE = "Claude Code Token Usage Report - Session Blocks"
_LONGEST = 24 * 366  # maximum length of a block in hours
_NOT_LIVE = (
    *("since", "until", "recent", "session_length", "csv", "instances", "project"),
    *("breakdown", "compact", "chart", "order"),
)
_NO_BLOCK = "No block is under way.", "No active block"  # as text and as the JSON message
_NOT_ASKED_FOR = "The block under way has no usage that matches.", "No matching usage in the active block"
_OF_BLOCKS = ("since", "until", "active", "recent", "token_limit", "session_length", "order")  # not of other reports


def add(commands: Commands, name: str) -> None:
    help = "the report by 5-hour block"
    if name == "live":
        help = "a live view of today, the block and its sessions"
        add_command(commands, name, run_live, options.LIVE, help=help, usage="ccusage live [options]")
        return
    add_command(commands, name, run, options.BLOCKS, help=help, usage="ccusage blocks [options]")


def run_live(console: Console, **asked: Any) -> None:
    """Run `ccusage live`, which is `blocks --live` with the other options at their defaults."""
    flags = ("active", "recent", "csv", "instances", "breakdown", "compact", "pager")
    values = ("since", "until", "session_length", "project", "locale")
    rest: dict[str, Any] = {"order": "asc", "chart": "none", **dict.fromkeys(flags, False), **dict.fromkeys(values)}
    run(console, live=True, **rest, **asked)


def run(console: Console, *, live: bool, refresh_interval: int | None, once: bool, **asked: Any) -> None:
    """Print the report or show the live view."""
    if not live:
        refuse(console, "blocks", {"refresh_interval": refresh_interval, "once": once}, "works only with --live")
        report(console, **asked)
        return
    refuse(console, "blocks", {name: asked[name] for name in _NOT_LIVE}, "does not work in the live view")
    asked["since"] = None  # from the config, meant for the report
    limit_of, is_max = _limit(asked["token_limit"]), asked["token_limit"] == "max"
    if refresh_interval is None:
        config = console.config.defaults_for("live", console.environ)
        refresh_interval = config.get("refresh_interval", int(options.INTERVAL.default))
    if not 1 <= refresh_interval <= 60:
        raise UsageError(f"--refresh-interval {refresh_interval} is not a number of seconds from 1 to 60")
    if asked["json"] or asked["jq"] is not None:
        report(console, **{**asked, "active": True, "offline": True})  # no live view fetches prices
        return
    from ..windows import WINDOW
    from .live import show

    def limit(index: Index, now: int) -> int | None:
        ask.now = now
        return limit_of(_blocks(ask, index, WINDOW, False)[0] if is_max else (), now)

    ask = Asked(console, **{name: value for name, value in asked.items() if name not in _OF_BLOCKS})
    show(ask, limit, refresh_interval, once)


def report(
    console: Console,
    *,
    since: str | None,
    until: str | None,
    active: bool,
    recent: bool,
    token_limit: str | None,
    session_length: str | None,
    order: str,
    **asked: Any,
) -> None:
    from ..report.periods import Periods

    ask = Asked(console, **asked)
    length, limit_of = _length(session_length), _limit(token_limit)
    periods = Periods("day", ask.zone)
    configured = console.config.defaults_for("blocks", console.environ).get("since")
    is_chosen = _choice(periods, days(since, until, ask.day_of, configured), active, recent, ask.now)
    ask.refresh_prices()
    index, _ = ask.index()
    everything, groups = index.snapshot(lambda: _blocks(ask, index, length, active and token_limit != "max"))
    limit = limit_of(everything, ask.now)
    step = 1 if order == "asc" else -1
    chosen = _dearest_first({project: [*filter(is_chosen, blocks[::step])] for project, blocks in groups.items()})
    shown = [block for blocks in chosen.values() for block in blocks]
    text, message = _NOT_ASKED_FOR if any(block.is_active(ask.now) for block in everything) else _NO_BLOCK
    if ask.is_text and not shown:
        return console.out(f"{text}\n") if active else ask.tell_nothing(_TITLE, index)
    limits = index.snapshot(lambda: limits_told(index, ask.now))
    ask.tell(
        lambda: _data(chosen, ask, limit, limits, message if active and not shown else None),
        lambda: _table(chosen, ask, limit),
        lambda: _text(chosen, ask, index, periods, limit, limits, active),
    )
    if ask.is_text:
        console.warn(unpriced([block.share for block in shown]))
    return None


def _dearest_first(groups: Groups) -> Groups:
    """Return the projects that have blocks, sorted by cost."""
    from ..report.usage import dearest_first

    shares = {project: [block.share for block in blocks] for project, blocks in groups.items() if blocks}
    return {project: groups[project] for project in dearest_first(shares)}


def _length(hours: str | None) -> int:
    """Return --session-length in microseconds."""
    from ..windows import HOUR

    try:
        length = 5.0 if hours is None else float(hours)
    except ValueError:
        length = 0.0
    if not 1 / 60 <= length <= _LONGEST:
        raise UsageError(f"--session-length {hours!r} is not a number of hours from a minute (0.017) to {_LONGEST:,}")
    return round(length * HOUR)


def _limit(text: str | None) -> LimitOf:
    """Return a function that computes the tokens of --token-limit from all blocks and the current time."""
    from ..report.blocks import limit_of

    if text is None:
        return lambda blocks, now: None
    try:
        limit_of(text, (), 0)
    except (ValueError, OverflowError):
        raise UsageError(f"--token-limit {text!r} is not a number above 0, like 500k or 2M, or max") from None
    return lambda blocks, now: limit_of(text, blocks, now)


def _choice(
    periods: Any, bounds: tuple[str | None, str | None], active: bool, recent: bool, now: int
) -> Callable[[Block], bool]:
    from ..report.blocks import RECENT
    from ..report.periods import day_number

    since, until = (None if day is None else periods.begin(day_number(day) + n) for n, day in enumerate(bounds))

    def is_chosen(block: Block) -> bool:
        under_way = block.is_active(now)
        if (active and not under_way) or (recent and not (under_way or block.start >= now - RECENT)):
            return False
        return (since is None or since <= block.start) and (until is None or block.start < until)

    return is_chosen


def _blocks(ask: Asked, index: Index, length: int, alone: bool) -> tuple[list[Block], dict[str, list[Block]]]:
    """Return (all blocks, or the active one *alone*; the blocks of each chosen project, with the gaps between them)."""
    from ..index.slots import by_period
    from ..report import blocks as of_blocks

    everything = [of_blocks.Block(*bounds) for bounds in _bounds(index, length, ask.now, alone)]
    starts = of_blocks.edges(everything, ask.now)
    rows = by_period(index, starts, ask.mode, by_project=ask.by_project, count_sessions=False)
    of_blocks.fill(everything, rows, starts, ask.now)
    of_blocks.tell_pauses(everything)
    groups: dict[str, list[Block]] = {}
    for project, its_rows in ask.groups(rows).items():
        groups[project] = of_blocks.with_gaps(everything, length)
        if ask.by_project:
            its_blocks = [block.bare() for block in groups[project]]
            of_blocks.fill(its_blocks, its_rows, starts, ask.now)
            groups[project] = of_blocks.used(its_blocks)
    return everything, groups


def _bounds(index: Index, length: int, now: int, alone: bool) -> list[Bounds]:
    """Return the bounds of all blocks, or of the active one *alone*, even if it has no response yet."""
    from ..index.slots import blocks, known_windows
    from ..windows import WINDOW, first_from, last_until, under_way

    if length != WINDOW:  # the client's windows have the usual length
        return blocks(index, length)
    current = under_way(first_from(index.db), last_until(index.db, now), now, known_windows(index))
    found = [] if alone else blocks(index, length)
    if current is not None and all(bounds[0] != current[0] for bounds in found):
        found = sorted([*found, current], key=lambda bounds: bounds[0])
    return found


def _data(
    groups: Groups, ask: Asked, limit: int | None, limits: Mapping[str, Window], message: str | None
) -> dict[str, object]:
    from ..report.blocks import block_data, limits_data
    from ..report.usage import by_project_data

    told = {project: [block_data(block, ask.now, limit) for block in blocks] for project, blocks in groups.items()}
    data: dict[str, object] = {"blocks": told.get("", [])}
    if ask.instances:
        shares = {project: [block.share for block in blocks] for project, blocks in groups.items()}
        data = by_project_data(told, shares)
    if message is not None:
        data["message"] = message
    return {**data, "limits": limits_data(limits)}


def _table(groups: Groups, ask: Asked, limit: int | None) -> tuple[list[str], list[Line]]:
    from ..report import blocks as of_blocks
    from ..report import usage

    lines: list[Line] = []
    for project, blocks in groups.items():
        for block in of_blocks.without_gaps(blocks):
            line = {**of_blocks.csv_line(block, ask.now), "project": project}
            lines += usage.per_model(line, block.share) if ask.look.breakdown else [line]
    columns = [*of_blocks.BOUNDS, *usage.MODEL_COLUMNS] if ask.look.breakdown else [*of_blocks.COLUMNS]
    return ["project", *columns] if ask.instances else columns, lines


def _text(
    groups: Groups,
    ask: Asked,
    index: Index,
    periods: Any,
    limit: int | None,
    limits: Mapping[str, Window],
    active: bool,
) -> str:
    from ..report import block_table

    if not active or ask.instances:
        shown = [block for blocks in groups.values() for block in blocks]
        archived = ask.archived(index, min(block.start for block in shown), max(block.end for block in shown))
        return block_table.render(_TITLE, groups, periods, ask.look, ask.now, limit, archived)
    names = {"fiveHour": "5 h", "sevenDay": "7 d"}
    windows = {names[key]: window for key, window in limits.items()}
    return block_table.card(_TITLE, groups[""][0], periods, ask.look, ask.now, limit, windows)
