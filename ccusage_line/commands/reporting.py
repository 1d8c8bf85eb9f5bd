"""What the commands that report usage share."""

from __future__ import annotations

import os

from ..errors import UsageError
from ..options import SECTIONS
from ..paths import absolute
from ..text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..index.index import Index
    from ..index.refresh import Unchanged
    from ..index.slots import Row
    from ..jsontext import DayOf
    from ..report.periods import Periods
    from ..report.usage import Line
    from ..session import Session, Usage
    from ..transcripts.files import Walk
    from ..windows import Window
    from .console import Console


class Request:
    """The options that all reports share. Raises UsageError."""

    def __init__(
        self,
        console: Console,
        *,
        json: bool,
        jq: str | None,
        mode: str,
        timezone: str | None,
        offline: bool,
        color: str,
        no_color: bool,
        csv: bool = False,
        pager: bool = False,
    ) -> None:
        from ..clock import day_of, zone_of

        self.console = console
        self.json = json or jq is not None
        if csv and self.json:
            raise UsageError("--csv and --json can't be combined: choose one")
        self.jq = jq
        self.csv = csv
        self.is_text = not (csv or self.json)
        self.mode = mode
        self.zone = zone_of(timezone)
        self.day_of = day_of(self.zone)
        self.width = console.width()
        self.color = console.is_colored(color, no_color)
        self.pager = pager and not self.json
        self._offline = offline

    def refresh_prices(self) -> None:
        """Fetch a price list that is older than a day again, unless offline. Only reports do so unasked."""
        from ..prices.refresh import address, before_report

        environ = self.console.environ
        source = address(environ, self.console.config.url)
        self.console.warn(before_report(environ, offline=self._offline, address=source))

    def index(self, transcripts: Walk | None = None) -> tuple[Index, Unchanged | None]:
        """Update the index, with *transcripts* if they were already listed; return it and the result of the refresh."""
        index = self.console.index()
        unchanged = index.refresh(self.console.progress(), transcripts)
        self.console.warn_not_stored(index)
        self.console.warn_mended(index)
        return index, unchanged

    def print_csv(self, columns: Sequence[str], lines: Iterable[Line]) -> None:
        from ..report.usage import csv_text

        self.console.out(csv_text(columns, lines))

    def print_json(self, data: Callable[[], object], text: Callable[[], str]) -> None:
        """Print the JSON, or the results of --jq. *data* and *text* return the same as Python data and as JSON text."""
        if self.jq is None:
            self.console.out(text() + "\n")
            return
        from ..jqpath import parse, results

        steps = parse(self.jq)
        if steps is not None:
            lines = results(steps, data())
        else:
            from ..jq import run

            lines = run(self.jq, text() + "\n")
        for line in lines:
            self.console.out(line + "\n")


class UsageRequest(Request):
    """The options that the reports of periods and blocks share. Raises UsageError."""

    def __init__(
        self,
        console: Console,
        *,
        breakdown: bool,
        instances: bool,
        project: str | None,
        compact: bool,
        chart: str,
        locale: str | None,
        **shared: Any,
    ) -> None:
        import time

        from ..report.charts import has_utf8
        from ..report.grid import Look

        if locale is not None:
            raise UsageError("no option '--locale': dates are always YYYY-MM-DD, in the zone of --timezone")
        super().__init__(console, **shared)
        self.now = time.time_ns() // 1000
        self.instances = instances
        self.look = Look(
            self.width,
            color=self.color,
            compact=compact,
            breakdown=breakdown,
            chart=chart,
            ascii_only=not has_utf8(console.environ),
        )
        self.by_project = instances or project is not None
        self._project = resolve_project(project)

    def groups(self, rows: Sequence[Row]) -> dict[str, Sequence[Row]]:
        """Group rows by project with --instances, else return all under the empty name; only the chosen projects."""
        from ..index.slots import is_of_project
        from ..report.usage import by_project

        if self._project is not None:
            rows = [row for row in rows if is_of_project(row.project or "", self._project)]
        return {**by_project(rows, self.console.config.project_labels)} if self.instances else {"": rows}

    def archived(self, index: Index, begin: int, end: int) -> int:
        """Return the number of sessions active in [begin, end) whose transcripts no longer exist."""
        from ..index.questions import archived_within
        from ..index.slots import is_of_project

        projects = index.snapshot(lambda: archived_within(index, begin, end))
        return sum(self._project is None or is_of_project(project, self._project) for project in projects)

    def print_report(
        self,
        data: Callable[[], dict[str, object]],
        table: Callable[[], tuple[Sequence[str], Iterable[Line]]],
        text: Callable[[], str],
    ) -> None:
        """Print the report in the form that was asked for."""
        if self.is_text:
            self.console.show(text(), self.pager)
        elif self.csv:
            self.print_csv(*table())
        else:
            from ..report.usage import value_text

            self.print_json(data, lambda: value_text(data()))

    def print_empty(self, title: str, index: Index) -> None:
        from ..index.slots import is_of_project
        from ..report.table import box

        self.console.out("\n".join(box(title, self.look.width)) + "\n")
        hint = empty_hint(index.sessions(self.mode), self._project, self.day_of, is_of_project)
        self.console.say(f"No usage found{hint}{'' if hint.endswith('?') else '.'}")


def parse_days(
    since: str | None, until: str | None, day_of: DayOf, configured: str | None = None
) -> tuple[str | None, str | None]:
    """Return both days as `YYYY-MM-DD`; ignore a *since* from the config that is after *until*. Raises UsageError."""
    first, last = _parse_day(since, "--since", day_of), _parse_day(until, "--until", day_of)
    if first is not None and last is not None and first > last:
        if since != configured:
            raise UsageError(f"--since {first} is after --until {last}")
        first = None
    return first, last


def _parse_day(text: str | None, option: str, day_of: DayOf) -> str | None:
    if text is None:
        return None
    import time

    from ..clock import parse_day

    day = parse_day(text, day_of(time.time_ns() // 1000))
    if day is None:
        raise UsageError(f"{option} {text!r} is not a day; write YYYY-MM-DD, YYYYMMDD, today, yesterday, 7d or 2w")
    return day


def used_days(index: Index, periods: Periods, since: int | None = None, until: int | None = None) -> Iterator[int]:
    """Yield the days from *since* to *until* with at least one response."""
    from ..windows import first_from

    first = first_from(index.db)
    begin = -(2**63) if since is None else periods.begin(since)
    while True:
        at = first(begin)
        day = None if at is None else periods.day_of(at)
        if day is None or (until is not None and day > until):
            return
        yield day
        begin = max(periods.begin(day + 1), begin + 1)


def refuse(console: Console, section: str, values: Mapping[str, object], why: str) -> None:
    """Raise UsageError for the first typed option: its value is neither empty nor the default nor the config's."""
    configured = console.config.defaults_for(section, console.environ)
    defaults = {option.dest: option.default for option in SECTIONS[section]}
    for name, value in values.items():
        if value is not None and value is not False and value not in (defaults.get(name), configured.get(name)):
            raise UsageError(f"--{name.replace('_', '-')} {why}")


def resolve_project(text: str | None) -> str | None:
    """Return --project in the form of `slots.is_in_path`; `.` is the working directory and what is below it."""
    return os.path.join(absolute(".", "--project"), ".") if text == "." else text


def current_limits(index: Index, now: int) -> dict[str, Window]:
    """Return the client's current limits by their JSON keys."""
    from ..index.slots import WEEK, known_windows

    limits = {"fiveHour": known_windows(index), "sevenDay": known_windows(index, WEEK)}
    return {key: windows[-1] for key, windows in limits.items() if windows and now < windows[-1].end}


def empty_hint(
    sessions: Iterable[Session], project: str | None, day_of: DayOf, is_of: Callable[[str, str], bool]
) -> str:
    """Return the end of the message that nothing was found: that no path contains *project* and which name is similar,
    else the day of the last usage, else "". *is_of* returns whether a path belongs to *project*, as in the report."""
    from .parser import did_you_mean

    used = [session for session in sessions if session.last is not None]
    matching = [session for session in used if project is None or is_of(session.project_path or "", project)]
    if project is not None and used and not matching:
        names = {clean(os.path.basename(session.project_path or "")) for session in used}
        wanted = clean(project.removesuffix(os.sep + "."))
        return f"; no project has {wanted!r} in its path{did_you_mean(wanted, sorted(names))}"
    last = max((session.last for session in matching if session.last is not None), default=None)
    return "" if last is None else f"; the last usage was on {day_of(last)}"


def unpriced_warning(usages: Iterable[Usage]) -> str:
    """Return the warning about models without a price, or ""."""
    from ..report.usage import unpriced

    models = unpriced(usages)
    return f"no price known for {', '.join(map(clean, models))}; counted as $0" if models else ""
