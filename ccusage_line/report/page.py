"""The report of sessions as a self-contained HTML page, which needs no network and can be read without scripts.

Text from transcripts is cleaned and escaped, and the content security policy allows only the page's own style and
script (page.css, page.js). Its numbers are those of the JSON; `data-v` has the exact number of a rounded cell.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import __version__
from ..jsontext import civil, short_model, short_models
from ..session import NO_PRICE, Usage, dollars, money
from ..text import ELLIPSIS, clean, count_text
from . import charts
from .grid import measure, round_cell, usage_notes
from .period_table import project_names
from .periods import MONTH, SHORT_WEEKDAYS, Periods, date_text, weekday
from .sessions import ARCHIVED
from .usage import NO_PROJECT, any_unpriced, list_models, shares, sort_by_cost, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..index.slots import Row
    from ..session import Session
    from .usage import Share

    Measure = tuple[Callable[[Share], int], Callable[[int], str]]  # as returned by grid.measure

DAYS = 90  # days with a bar each; earlier ones are shown by month
_SHARES = 12  # models and projects with a row each; the others are summed up
_LONGEST = 200  # characters of a title or a name
_HEIGHT, _TOP, _BELOW, _BESIDE = 150, 8, 22, 56  # pixels of the bars and of the space around them (also in page.css)
_MONTHS = 120  # maximum for showing months without usage too
_FEW = 12  # so many bars or fewer do not take the full width
_HOURS = range(24)


class Page(NamedTuple):
    sessions: Sequence[Session]  # in the order of the table
    limit: int | None  # number of rows in the table
    rows: Sequence[Row]  # usage of these sessions by hour
    starts: Sequence[int]  # beginnings of the hours of *rows* (microseconds)
    periods: Periods  # days
    zone: str
    created: int  # time in microseconds
    filters: Sequence[str]  # the filters, in words
    name_of: Callable[[str], str]  # project path -> name
    breakdown: bool  # whether the table shows the cost of each model


def render(page: Page) -> str:
    style, script = (Path(__file__).with_name(f"page.{kind}").read_text("utf-8") for kind in ("css", "js"))
    policy = f"default-src 'none'; style-src {_policy_hash(style)}; script-src {_policy_hash(script)}; base-uri 'none'"
    used = _usage_by(page, page.periods.day_of)
    parts = [_headline(page, used)]
    if used:
        parts += [_time_sections(page, used), _heat_map_section(page), _shares_section(page), _sessions_section(page)]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Claude Code usage</title>
<style>{style}</style>
</head>
<body>
<main>
{"".join(parts)}{_notes(page)}</main>
<script>{script}</script>
</body>
</html>
"""


def _policy_hash(text: str) -> str:
    """Return the hash of an inline style or script for the policy."""
    from base64 import b64encode
    from hashlib import sha256

    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _escape(text: str) -> str:
    """Clean and escape text of a transcript, for elements and attributes."""
    shown = clean(text)
    return escape(shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + ELLIPSIS)


def _number_cells(usages: Sequence[Usage]) -> str:
    """Return the cells with tokens and cost; the cost has a mark if a part of it has no price."""
    tokens, cost = total(usages)[4:]
    mark = f"<i>{NO_PRICE}</i>" if any_unpriced(usages) else ""
    return f"<td>{tokens:,}<td data-v={dollars(cost)!r}>{money(cost)}{mark}"


def _section(title: str, inside: str, kind: str) -> str:
    return f'<section id="{kind}">\n<h2>{title}</h2>\n{inside}</section>\n'


# --- headline -----------------------------------------------------------------------------------------------------


def _headline(page: Page, days: Sequence[Share]) -> str:
    sums = total(page.sessions)
    span = " to ".join(dict.fromkeys(date_text(day.key) for day in (*days[:1], *days[-1:])))
    facts = [span or "nothing was used", *page.filters, page.zone]
    projects = len({page.name_of(s.project_path or NO_PROJECT) for s in page.sessions})
    has_unpriced = any_unpriced(page.sessions)
    mean = f"{money(sums[5] // len(days), has_unpriced)} each" if days else ""
    kinds = ("input", "output", "cache write", "cache read")
    of_kinds = "".join(f"<li>{count:,} {kind}" for kind, count in zip(kinds, sums, strict=False))
    cost = f'<data value="{dollars(sums[5])!r}">{money(sums[5], has_unpriced)}</data>'
    return f"""<header>
<h1>Claude Code usage</h1>
<p>{" · ".join(map(_escape, facts))}</p>
</header>
<dl id="headline">
<div><dt>Cost</dt><dd>{cost}</dd></div>
<div><dt>Sessions</dt><dd>{len(page.sessions):,}</dd><dd>in {count_text(projects, "project")}</dd></div>
<div><dt>Days with usage</dt><dd>{len(days):,}</dd><dd>{mean}</dd></div>
<div><dt>Tokens</dt><dd>{sums[4]:,}</dd><dd><ul>{of_kinds}</ul></dd></div>
</dl>
"""


# --- by day and month ---------------------------------------------------------------------------------------------


def _usage_by(page: Page, key_of: Callable[[int], int | None]) -> list[Share]:
    """Return the usage grouped by *key_of* an instant."""
    keys = list(map(key_of, page.starts))
    return shares(page.rows, keys.__getitem__)


def _time_sections(page: Page, used: Sequence[Share]) -> str:
    """Draw bars for the last days and for the months before them."""
    measured, last = measure(used), used[-1].key
    first = max(used[0].key, last - DAYS + 1)
    days = range(first, last + 1)
    recent = [share for share in used if share.key >= first]
    by_day = _bars("By day", "Day", days, recent, _named_days(days, page.periods.week_start), date_text, measured)
    day_of, months = page.periods.day_of, Periods(MONTH)
    earlier = _usage_by(page, lambda start: months.period_of(day_of(start)) if day_of(start) < first else None)
    if not earlier:
        return by_day
    begin, count = earlier[0].key, months.count(earlier[0].key, earlier[-1].key)
    every = [months.after(begin, n) for n in range(count)] if count <= _MONTHS else [share.key for share in earlier]
    step = 1 if len(every) <= 6 else 3 if len(every) <= 18 else 12
    names = {month: months.name(month) for month in every if (civil(month)[1] - 1) % step == 0}
    return by_day + _bars(f"By month, before {date_text(first)}", "Month", every, earlier, names, months.name, measured)


def _named_days(days: Sequence[int], week_start: int) -> dict[int, str]:
    """Return the dates below the bars: of all days, of the first day of each week, or of the first of each month."""
    if len(days) > 35:
        named = [day for day in days if civil(day)[2] == 1]
    else:
        named = [day for day in days if len(days) <= 7 or weekday(day) == week_start]
    return {day: date_text(day)[5:] for day in named}


def _bars(
    title: str,
    column: str,
    keys: Sequence[int],
    used: Sequence[Share],
    ticks: Mapping[int, str],
    name: Callable[[int], str],
    measured: Measure,
) -> str:
    """Draw a bar for each of *keys*, with *ticks* below and the same numbers as a table. Horizontal lengths are in
    percent of the page's width, vertical ones in pixels."""
    size_of, amount = measured
    sizes = {share.key: size_of(share) for share in used}
    largest, bottom = max(sizes.values()) or 1, _TOP + _HEIGHT
    slot = 100 / max(len(keys), _FEW // 2)
    power = 10 ** (len(str(largest)) - 1)
    step = next(step for step in (power // 5, power // 2, power, 2 * power) if step and largest // step <= 5)
    lines = [f'<line class="base" x2="100%" y1="{bottom}" y2="{bottom}"/>']
    for text, level in {amount(level): level for level in range(step, largest + 1, step)}.items():  # each label once
        y = bottom - level * _HEIGHT / largest
        label = round_cell(text.removesuffix(".00").removesuffix(" tokens"))
        lines.append(f'<line x2="100%" y1="{y:.1f}" y2="{y:.1f}"/><text x="-{_BESIDE}" y="{y + 4:.1f}">{label}</text>')
    for number, key in enumerate(keys):
        x = f"{number * slot:.2f}%"
        if sizes.get(key, 0) > 0:
            height = max(1.5, sizes[key] * _HEIGHT / largest)
            box = f'x="{x}" y="{bottom - height:.1f}" width="{slot * 0.8:.2f}%" height="{height:.1f}"'
            lines.append(f"<rect {box}><title>{name(key)}: {amount(sizes[key])}</title></rect>")
        if key in ticks and number * slot < 94:
            lines.append(f'<text x="{x}" y="{bottom + 16}">{ticks[key]}</text>')
    few = " few" if len(keys) <= _FEW else ""
    most = max(used, key=size_of)
    description = f"{name(keys[0])} to {name(keys[-1])}; highest: {name(most.key)}, {amount(size_of(most))}"
    svg = f'<svg class="bars{few}" height="{bottom + _BELOW}" role="img" aria-label="{description}">'
    rows = [f"<tr><th scope=row>{name(share.key)}{_number_cells([share])}\n" for share in used]
    table = _table_html(f"<tr><th scope=col>{column}<th scope=col>Tokens<th scope=col>Cost", rows)
    lines = [svg, *lines, f"</svg>\n<details><summary>As figures</summary>\n{table}</details>\n"]
    title += ", in tokens" if amount(0).endswith(" tokens") else ""
    return _section(title, "\n".join(lines), f"{column.lower()}s")


def _table_html(head: str, rows: Iterable[str], foot: str = "") -> str:
    """Return a table; *foot* are the rows below the line."""
    foot = f"<tfoot>\n{foot}" if foot else ""
    return f"<table>\n<thead>{head}\n<tbody>\n{''.join(rows)}{foot}</table>\n"


# --- by weekday and hour ------------------------------------------------------------------------------------------


def _heat_map_section(page: Page) -> str:
    """Draw the usage by weekday and hour of the day."""
    day_of, hour_of = page.periods.day_of, page.periods.hour_of
    used = _usage_by(page, lambda start: weekday(day_of(start)) * 24 + hour_of(start))
    size_of, amount = measure(used)
    edges = charts.quartiles([size for size in map(size_of, used) if size > 0])
    cells = {}
    for share in used:
        size, (day, hour) = size_of(share), divmod(share.key, 24)
        if size > 0:
            level = 1 + sum(size > edge for edge in edges[:-1])
            text, when = amount(size), f"{SHORT_WEEKDAYS[day]} {hour:02d}:00"
            cells[share.key] = (
                f'<td class=l{level} data-v={dollars(total([share])[5])!r} title="{when}, {text}"><span>{text}</span>'
            )
    rows = []
    for place in range(page.periods.week_start, page.periods.week_start + 7):
        day = place % 7
        hours = "".join([cells.get(24 * day + hour, "<td>") for hour in _HOURS])
        rows.append(f"<tr><th scope=row>{SHORT_WEEKDAYS[day]}{hours}\n")
    head = f"<tr><td>{''.join([f'<th scope=col>{hour:02d}' for hour in _HOURS])}"
    distinct = [(level, edge) for level, edge in enumerate(edges, 1) if edge not in edges[: level - 1]]
    legend = "".join(f"<li><i class=l{level}></i>to {amount(edge)}" for level, edge in distinct)
    inside = f'{_table_html(head, rows)}<ul class="legend"><li><i></i>nothing{legend}</ul>\n'
    return _section("By weekday and hour", inside, "hours")


# --- models and projects ------------------------------------------------------------------------------------------


def _shares_section(page: Page) -> str:
    by_model: dict[str, list[Usage]] = {}
    by_project: dict[str, list[Usage]] = {}
    for session in page.sessions:
        for name, m in list_models(session):
            by_model.setdefault(name, []).append(Usage([m]))
        by_project.setdefault(page.name_of(session.project_path or NO_PROJECT), []).append(session)
    counts = Counter(map(short_model, by_model))
    model_names = {name: short_model(name) if counts[short_model(name)] == 1 else name for name in by_model}
    return (
        '<div class="pair">\n'
        + _section("Models", _share_table("Model", by_model, model_names), "models")
        + _section("Projects", _share_table("Project", by_project, project_names(list(by_project))), "projects")
        + "</div>\n"
    )


def _share_table(title: str, groups: Mapping[str, Sequence[Usage]], names: Mapping[str, str]) -> str:
    """Return a table of *groups*, sorted by cost, with a bar for the share of each."""
    sums = {name: total(usages) for name, usages in groups.items()}
    place = 5 if any(row[5] for row in sums.values()) else 4  # of the cost, or of the tokens if nothing has a cost
    whole = sum(row[place] for row in sums.values()) or 1
    ranked = sort_by_cost(groups)
    rows = []
    for name in ranked[:_SHARES]:
        label = f'<span title="{_escape(name)}">{_escape(names[name])}</span>'
        rows.append(_share_row(label, groups[name], sums[name][place] / whole))
    rest = ranked[_SHARES:]
    if rest:
        share = sum(sums[name][place] for name in rest) / whole
        rows.append(_share_row(f"{len(rest):,} more", [one for name in rest for one in groups[name]], share))
    return _table_html(f"<tr><th scope=col>{title}<th scope=col>Tokens<th scope=col>Cost<th scope=col>Share", rows)


def _share_row(label: str, usages: Sequence[Usage], share: float) -> str:
    share = max(0.0, share)  # a cost recorded in a transcript may be negative
    bar = f'<svg class="share" aria-hidden="true"><rect width="{100 * share:.2f}%"/></svg>'
    percent = f"{100 * share:.0f} %" if share >= 0.01 else "&lt; 1 %"
    return f"<tr><th scope=row>{label}{bar}{_number_cells(usages)}<td>{percent}\n"


# --- sessions -----------------------------------------------------------------------------------------------------


def _sessions_section(page: Page) -> str:
    """Return the table of sessions, with the sum of those not shown and the total."""
    projects = {s.project_path: page.name_of(s.project_path) for s in page.sessions if s.project_path}
    shown = project_names([*set(projects.values())])
    names = {path: _escape(shown[name]) for path, name in projects.items()}
    rows = [_row(page, session, names.get(session.project_path or "", "")) for session in page.sessions[: page.limit]]
    foot = ""
    rest = page.sessions[len(rows) :]
    if rest:
        foot = f"<tr><th scope=row>{len(rest):,} more<td><td>{_number_cells(rest)}<td><td></tr>\n"
    foot += f"<tr><th scope=row>Total<td><td>{_number_cells(page.sessions)}<td><td></tr>\n"
    columns = ("Session", "Project", "Models", "Tokens", "Cost", "Last activity", "Id")
    head = "".join(f"<th scope=col>{column}" for column in columns)
    return _section("Sessions", _table_html(f"<tr>{head}", rows, foot), "sessions")


def _row(page: Page, session: Session, project: str) -> str:
    if page.breakdown:
        models = ",\n".join(
            f"{_escape(short_model(name))} {money(m.cost, m.unpriced > 0)}" for name, m in list_models(session)
        )
    else:
        models = ",\n".join(map(_escape, short_models(session.named_models)))
    last = "" if session.last is None else page.periods.local(session.last)
    mark = ARCHIVED if session.archived else ""
    return (
        f"<tr><th scope=row>{_escape(session.title or '')}<td>{project}<td>{models}{_number_cells([session])}"
        f"<td>{last}{mark}<td>{_escape(session.id)}\n"
    )


def _notes(page: Page) -> str:
    notes = usage_notes(page.sessions, sum(s.archived for s in page.sessions), f"{ARCHIVED.strip()} ")
    notes.append(f"Made by ccusage-line {__version__}, {page.periods.local(page.created)}.")
    return "<footer>\n" + "".join(f"<p>{escape(note)}</p>\n" for note in notes) + "</footer>\n"
