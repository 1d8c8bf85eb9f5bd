"""`ccusage blocks`: usage in 5-hour blocks, and a projection for the active one."""

from __future__ import annotations

from .. import options
from ..errors import UsageError
from .parser import add_command
from .reporting import UsageRequest, current_limits, parse_days, refuse, unpriced_warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..index.index import Index
    from ..report.blocks import Block
    from ..report.periods import Periods
    from ..report.usage import Line
    from ..windows import Bounds, Window
    from .console import Console
    from .parser import Commands

    LimitOf = Callable[[Sequence[Block], int], int | None]
    Groups = Mapping[str, Sequence[Block]]  # by project; without --instances, everything under the empty name

_TITLE = "Claude Code Token Usage Report - Session Blocks"
_MAX_HOURS = 24 * 366  # of a block
_NOT_LIVE = (
    *("since", "until", "recent", "session_length", "csv", "instances", "project"),
    *("breakdown", "compact", "chart", "order"),
)
_NO_BLOCK = "No block is under way.", "No active block"  # as text and as the JSON message
_NO_MATCH = "The block under way has no usage that matches.", "No matching usage in the active block"
_OF_BLOCKS = ("since", "until", "active", "recent", "token_limit", "session_length", "order")  # not of other reports


def add(commands: Commands, name: str) -> None:
    help = "show usage by 5-hour block"
    if name == "live":
        help = "watch today, the current block and its sessions"
        add_command(commands, name, run_live, options.LIVE, help=help, usage="ccusage live [options]")
        return
    add_command(commands, name, run, options.BLOCKS, help=help, usage="ccusage blocks [options]")


def run_live(console: Console, **values: Any) -> None:
    """Run `ccusage live`, which is `blocks --live` with the other options at their defaults."""
    flags = ("active", "recent", "csv", "instances", "breakdown", "compact", "pager")
    others = ("since", "until", "session_length", "project", "locale")
    defaults: dict[str, Any] = {"order": "asc", "chart": "none", **dict.fromkeys(flags, False), **dict.fromkeys(others)}
    run(console, live=True, **defaults, **values)


def run(console: Console, *, live: bool, refresh_interval: int | None, once: bool, **values: Any) -> None:
    """Print the report or show the live view."""
    if not live:
        refuse(console, "blocks", {"refresh_interval": refresh_interval, "once": once}, "works only with --live")
        report(console, **values)
        return
    refuse(console, "blocks", {name: values[name] for name in _NOT_LIVE}, "does not work in the live view")
    values["since"] = None  # from the config, meant for the report
    limit_of, is_max = _parse_limit(values["token_limit"]), values["token_limit"] == "max"
    if refresh_interval is None:
        config = console.config.defaults_for("live", console.environ)
        refresh_interval = config.get("refresh_interval", int(options.INTERVAL.default))
    if not 1 <= refresh_interval <= 60:
        raise UsageError(f"--refresh-interval {refresh_interval} is not a number of seconds from 1 to 60")
    if values["json"] or values["jq"] is not None:
        report(console, **{**values, "active": True, "offline": True})  # no live view fetches prices
        return
    from ..windows import WINDOW
    from .live import show

    def limit(index: Index, now: int) -> int | None:
        request.now = now
        return limit_of(_blocks(request, index, WINDOW, False)[0] if is_max else (), now)

    request = UsageRequest(console, **{name: value for name, value in values.items() if name not in _OF_BLOCKS})
    show(request, limit, refresh_interval, once)


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
    **values: Any,
) -> None:
    from ..report.periods import Periods

    request = UsageRequest(console, **values)
    length, limit_of = _parse_length(session_length), _parse_limit(token_limit)
    periods = Periods("day", request.zone)
    configured = console.config.defaults_for("blocks", console.environ).get("since")
    matches = _make_filter(periods, parse_days(since, until, request.day_of, configured), active, recent, request.now)
    request.refresh_prices()
    index, _ = request.index()
    everything, groups = index.snapshot(lambda: _blocks(request, index, length, active and token_limit != "max"))
    limit = limit_of(everything, request.now)
    step = 1 if order == "asc" else -1
    chosen = _sort_by_cost({project: [*filter(matches, blocks[::step])] for project, blocks in groups.items()})
    shown = [block for blocks in chosen.values() for block in blocks]
    text, message = _NO_MATCH if any(block.is_active(request.now) for block in everything) else _NO_BLOCK
    if request.is_text and not shown:
        if active:
            console.out(f"{text}\n")
        else:
            request.print_empty(_TITLE, index)
        return
    limits = index.snapshot(lambda: current_limits(index, request.now))
    request.print_report(
        lambda: _json_data(chosen, request, limit, limits, message if active and not shown else None),
        lambda: _csv_table(chosen, request),
        lambda: _render_text(chosen, request, index, periods, limit, limits, active),
    )
    if request.is_text:
        console.warn(unpriced_warning([block.share for block in shown]))


def _sort_by_cost(groups: Groups) -> Groups:
    """Return the projects that have blocks, sorted by cost."""
    from ..report.usage import sort_by_cost

    shares = {project: [block.share for block in blocks] for project, blocks in groups.items() if blocks}
    return {project: groups[project] for project in sort_by_cost(shares)}


def _parse_length(hours: str | None) -> int:
    """Return --session-length in microseconds."""
    from ..windows import HOUR

    try:
        length = 5.0 if hours is None else float(hours)
    except ValueError:
        length = 0.0
    if not 1 / 60 <= length <= _MAX_HOURS:
        raise UsageError(f"--session-length {hours!r} is not a number of hours from a minute (0.017) to {_MAX_HOURS:,}")
    return round(length * HOUR)


def _parse_limit(text: str | None) -> LimitOf:
    """Return a function that computes the tokens of --token-limit from all blocks and the current time."""
    from ..report.blocks import parse_limit

    if text is None:
        return lambda blocks, now: None
    try:
        parse_limit(text, (), 0)
    except (ValueError, OverflowError):
        raise UsageError(f"--token-limit {text!r} is not a number above 0, like 500k or 2M, or max") from None
    return lambda blocks, now: parse_limit(text, blocks, now)


def _make_filter(
    periods: Periods, bounds: tuple[str | None, str | None], active: bool, recent: bool, now: int
) -> Callable[[Block], bool]:
    from ..report.blocks import RECENT
    from ..report.periods import day_number

    since, until = (None if day is None else periods.begin(day_number(day) + n) for n, day in enumerate(bounds))

    def matches(block: Block) -> bool:
        under_way = block.is_active(now)
        if (active and not under_way) or (recent and not (under_way or block.start >= now - RECENT)):
            return False
        return (since is None or since <= block.start) and (until is None or block.start < until)

    return matches


def _blocks(
    request: UsageRequest, index: Index, length: int, only_active: bool
) -> tuple[list[Block], dict[str, list[Block]]]:
    """Return (all blocks, or only the active one; the blocks of each chosen project, with gaps between them)."""
    from ..index.slots import by_period
    from ..report import blocks as block_report

    everything = [block_report.Block(*bounds) for bounds in _bounds(index, length, request.now, only_active)]
    starts = block_report.edges(everything, request.now)
    rows = by_period(index, starts, request.mode, by_project=request.by_project, count_sessions=False)
    block_report.set_usage(everything, rows, starts, request.now)
    block_report.set_pauses(everything)
    groups: dict[str, list[Block]] = {}
    for project, its_rows in request.groups(rows).items():
        groups[project] = block_report.add_gaps(everything, length)
        if request.by_project:
            its_blocks = [block.without_usage() for block in groups[project]]
            block_report.set_usage(its_blocks, its_rows, starts, request.now)
            groups[project] = block_report.drop_unused(its_blocks)
    return everything, groups


def _bounds(index: Index, length: int, now: int, only_active: bool) -> list[Bounds]:
    """Return the bounds of all blocks, or only of the active one, which may have no response yet."""
    from ..index.slots import blocks, known_windows
    from ..windows import WINDOW, current_bounds

    if length != WINDOW:  # the client's windows have the usual length
        return blocks(index, length)
    current = current_bounds(index.db, now, known_windows(index))
    found = [] if only_active else blocks(index, length)
    if current is not None and all(bounds[0] != current[0] for bounds in found):
        found = sorted([*found, current], key=lambda bounds: bounds[0])
    return found


def _json_data(
    groups: Groups, request: UsageRequest, limit: int | None, limits: Mapping[str, Window], message: str | None
) -> dict[str, object]:
    from ..report.blocks import block_data, limits_data
    from ..report.usage import by_project_data

    project_data = {
        project: [block_data(block, request.now, limit) for block in blocks] for project, blocks in groups.items()
    }
    data: dict[str, object] = {"blocks": project_data.get("", [])}
    if request.instances:
        shares = {project: [block.share for block in blocks] for project, blocks in groups.items()}
        data = by_project_data(project_data, shares)
    if message is not None:
        data["message"] = message
    return {**data, "limits": limits_data(limits)}


def _csv_table(groups: Groups, request: UsageRequest) -> tuple[list[str], list[Line]]:
    from ..report import blocks as block_report
    from ..report import usage

    lines: list[Line] = []
    for project, blocks in groups.items():
        for block in block_report.drop_gaps(blocks):
            line = {**block_report.csv_line(block, request.now), "project": project}
            lines += usage.per_model(line, block.share) if request.look.breakdown else [line]
    columns = [*block_report.BOUNDS, *usage.MODEL_COLUMNS] if request.look.breakdown else [*block_report.COLUMNS]
    return ["project", *columns] if request.instances else columns, lines


def _render_text(
    groups: Groups,
    request: UsageRequest,
    index: Index,
    periods: Periods,
    limit: int | None,
    limits: Mapping[str, Window],
    active: bool,
) -> str:
    from ..report import block_table

    if not active or request.instances:
        shown = [block for blocks in groups.values() for block in blocks]
        archived = request.archived(index, min(block.start for block in shown), max(block.end for block in shown))
        return block_table.render(_TITLE, groups, periods, request.look, request.now, limit, archived)
    names = {"fiveHour": "5 h", "sevenDay": "7 d"}
    windows = {names[key]: window for key, window in limits.items()}
    return block_table.card(_TITLE, groups[""][0], periods, request.look, request.now, limit, windows)
