"""Days, weeks and months as a table, with bars and a sparkline, or with a calendar."""

from __future__ import annotations

import itertools
from collections import Counter

from ..text import clean, wrap
from . import charts
from .grid import FIRST, MODELS, NUMBERS, draw_report, measure, share_rows, total_cells, usage_notes
from .table import BOLD, YELLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .grid import Look, Row
    from .periods import Periods
    from .usage import Share


def render(
    title: str,
    groups: Mapping[str, Sequence[Share]],
    periods: Periods,
    look: Look,
    below: Sequence[str],
    archived: int = 0,
) -> str:
    """Return the report. *groups*: project -> its usage by period; without --instances, everything under the empty
    name; *below*: the chart below the table; *archived*: the number of sessions whose transcripts no longer exist."""
    everything = [share for shares in groups.values() for share in shares]
    size_of, _ = measure(everything)
    rows: list[Row] = []
    sizes: dict[int, int] = {}
    names = project_names(list(groups))
    for project, shares in groups.items():
        if project:
            rows.append(({FIRST: names[project], **total_cells(shares)}, BOLD))
        for share in shares:
            sizes[len(rows)] = size_of(share)
            label = periods.name(share.key)
            rows += share_rows([f"  {label}" if project else label], share, look.breakdown)
    rows.append(({FIRST: "Total", **total_cells(everything)}, YELLOW))
    headers = {FIRST: "Date" if periods.unit == "day" else periods.unit.capitalize(), MODELS: "Models", **NUMBERS}
    dates = [f"  {periods.name(s.key)}" if any(groups) else periods.name(s.key) for s in everything]
    fixed = max(map(len, ("Total", *dates)))
    notes = usage_notes(everything, archived)
    return draw_report(title, headers, rows, look, fixed=fixed, sizes=sizes, below=below, notes=notes)


def chart_lines(
    shares: Sequence[Share], periods: Periods, look: Look, *, today: int, hours: Mapping[int, int]
) -> list[str]:
    """Return the chart below the table: a sparkline of all periods, or the calendar of the days until *today*."""
    if look.chart == charts.NONE or not shares:
        return []
    size_of, amount = measure(shares)
    values = sizes_by_key(shares, size_of)
    first, last = min(values), max(values)
    if look.chart == charts.HEAT:
        last = max(last, today)
        picture = charts.calendar(
            values, first, last, width=look.width, week_start=periods.week_start, ascii_only=look.ascii_only
        )
        notes = charts.calendar_notes(values, hours, today, amount, look.ascii_only)
        return [*picture, *(line for note in notes for line in wrap(note, look.width))]
    newest = (values.get(periods.after(last, -back), 0) for back in itertools.count())
    count = periods.count(first, last)
    return charts.sparkline_lines(
        newest, count, list(values.values()), periods.unit, amount, look.width, look.ascii_only
    )


def sizes_by_key(shares: Iterable[Share], size_of: Callable[[Share], int]) -> dict[int, int]:
    """Return the size of each period or block in a chart, summed over projects."""
    sizes: dict[int, int] = {}
    for share in shares:
        sizes[share.key] = sizes.get(share.key, 0) + size_of(share)
    return sizes


def project_names(paths: Sequence[str]) -> dict[str, str]:
    """Return path -> the name to show: its last part, or more parts if that is not unique; a label unchanged."""
    names: dict[str, str] = {}
    rest, parts = list(paths), 1
    while rest:
        forms = {path: "/".join(path.replace("\\", "/").rstrip("/").split("/")[-parts:]) for path in rest}
        counts = Counter(forms.values())
        for path, form in forms.items():
            if counts[form] == 1 or parts > path.count("/") + path.count("\\"):
                names[path] = clean(form) or clean(path)
        rest = [path for path in rest if path not in names]
        parts += 1
    return names
