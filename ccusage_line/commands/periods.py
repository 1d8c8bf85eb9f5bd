"""`ccusage daily`, `weekly` and `monthly`: usage by day, week or month."""

from __future__ import annotations

from functools import partial

from .. import options
from ..errors import UsageError
from .parser import add_command
from .reporting import UsageRequest, parse_days, unpriced_warning, used_days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..index.index import Index
    from ..index.slots import Row
    from ..report.periods import Periods
    from ..report.usage import Line, Share
    from .console import Console
    from .parser import Commands

    Bounds = tuple[int | None, int | None]  # first and last day, each as a number
    Groups = Mapping[str, Sequence[Share]]  # by project; without --instances, everything under the empty name

_UNITS = {"daily": "day", "weekly": "week", "monthly": "month"}
_ROW_NAMES = {"day": "date", "week": "week", "month": "month"}  # the column of the period in JSON and CSV


def add(commands: Commands, name: str) -> None:
    help, usage = f"show usage by {_UNITS[name]}", f"ccusage {name} [options]"
    add_command(commands, name, partial(run, name), getattr(options, name.upper()), help=help, usage=usage)


def run(
    name: str,
    console: Console,
    *,
    since: str | None,
    until: str | None,
    last: str | None,
    order: str,
    start_of_week: str | None = None,
    **values: Any,
) -> None:
    """Print the report called *name*, a key of _UNITS."""
    from ..report import usage
    from ..report.periods import Periods

    request = UsageRequest(console, **values)
    unit = _UNITS[name]
    week_start = start_of_week or console.config.defaults_for("weekly", console.environ).get("start_of_week", "sunday")
    periods = Periods(unit, request.zone, week_start)
    configured = console.config.defaults_for(name, console.environ).get("since")
    if last is not None and since == configured:
        since = None  # --last on the command line overrides since in the config
    bounds = _bounds(periods, parse_days(since, until, request.day_of, configured), last, request.now)
    request.refresh_prices()
    index, _ = request.index()
    rows, keys = index.snapshot(lambda: _rows(request, index, periods, bounds))
    by_project = {project: usage.shares(its, keys.__getitem__) for project, its in request.groups(rows).items()}
    groups = {project: by_project[project] for project in usage.sort_by_cost(by_project)}
    everything = [share for shares in groups.values() for share in shares]
    title = f"Claude Code Token Usage Report - {name.capitalize()}"
    if not everything and request.is_text:
        request.print_empty(title, index)
        return
    if order == "desc":
        groups = {project: shares[::-1] for project, shares in groups.items()}
    row_name = _ROW_NAMES[unit]
    request.print_report(
        lambda: _json_data(groups, name, row_name, periods, request.instances),
        lambda: _csv_table(groups, row_name, periods, request),
        lambda: _render_text(request, index, title, groups, periods, bounds),
    )
    if request.is_text:
        console.warn(unpriced_warning(everything))


def _bounds(periods: Periods, days: tuple[str | None, str | None], last: str | None, now: int) -> Bounds:
    """Return the first and the last day that the options allow."""
    from ..report.periods import day_number

    since, until = (None if day is None else day_number(day) for day in days)
    if last is None:
        return since, until
    if since is not None or until is not None:
        raise UsageError("--last counts back from today and can't be combined with --since or --until")
    if not (last.isascii() and last.isdigit() and 0 < int(last) <= 1_000_000):
        raise UsageError(f"--last {last!r} is not a whole number from 1 to 1,000,000")
    current = periods.period_of(periods.day_of(now))
    return periods.after(current, 1 - int(last)), periods.after(current) - 1


def _rows(request: UsageRequest, index: Index, periods: Periods, bounds: Bounds) -> tuple[list[Row], list[int | None]]:
    """Return the usage between consecutive edges, and for each edge the key of the period that begins there."""
    from ..index.slots import by_period

    starts, keys = periods.edges(used_days(index, periods, *bounds), *bounds)
    return (by_period(index, starts, request.mode, by_project=request.by_project) if starts else []), keys


def _json_data(groups: Groups, name: str, row_name: str, periods: Periods, instances: bool) -> dict[str, object]:
    from ..report.usage import by_project_data, rows_data, totals_data

    rows = {project: rows_data(shares, row_name, periods.name) for project, shares in groups.items()}
    return by_project_data(rows, groups) if instances else {name: rows[""], "totals": totals_data(groups[""])}


def _csv_table(groups: Groups, row_name: str, periods: Periods, request: UsageRequest) -> tuple[list[str], list[Line]]:
    from ..report import usage

    lines: list[Line] = []
    for project, shares in groups.items():
        for share, row in zip(shares, usage.rows_data(shares, row_name, periods.name), strict=True):
            row["project"] = project
            lines += usage.per_model(row, share) if request.look.breakdown else [row]
    head = ["project", row_name] if request.instances else [row_name]
    return [*head, *(usage.MODEL_COLUMNS if request.look.breakdown else usage.ROW_COLUMNS)], lines


def _render_text(
    request: UsageRequest, index: Index, title: str, groups: Groups, periods: Periods, bounds: Bounds
) -> str:
    from ..report import period_table

    everything = [share for shares in groups.values() for share in shares]
    since, until = bounds
    today = periods.day_of(request.now) if until is None else min(until, periods.day_of(request.now))
    hours = _hours(request, index, periods, {s.key for s in everything}) if request.look.chart == "heat" else {}
    below = period_table.chart_lines(everything, periods, request.look, today=today, hours=hours)
    first = min(share.key for share in everything) if since is None else since
    after = periods.after(max(share.key for share in everything))
    after = after if until is None else min(after, until + 1)
    archived = request.archived(index, periods.begin(first), periods.begin(after))
    return period_table.render(title, groups, periods, request.look, below, archived)


def _hours(request: UsageRequest, index: Index, periods: Periods, days: set[int]) -> dict[int, int]:
    """Return hour of the day -> usage in it on all *days* together: cost, or tokens if nothing has a cost."""
    from ..index.slots import by_period
    from ..report.grid import measure
    from ..report.usage import shares

    starts = periods.hours(days)
    rows = by_period(index, starts, request.mode, by_project=request.by_project)
    chosen = [row for of_project in request.groups(rows).values() for row in of_project]
    used = shares(chosen, lambda number: periods.hour_of(starts[number]))
    size_of, _ = measure(used)
    return {share.key: size_of(share) for share in used}
