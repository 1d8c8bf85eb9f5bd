"""5-hour blocks as a table, and the active one as a card."""

from __future__ import annotations

from functools import partial

from ..jsontext import short_model, sums_of
from ..session import money
from ..text import clean, lay_out_beside
from ..windows import MINUTE
from . import charts
from .blocks import drop_gaps, indicator, limit_status
from .grid import (
    COST,
    FIRST,
    MODELS,
    NUMBERS,
    draw_report,
    measure,
    share_rows,
    shows_everything,
    total_cells,
    usage_notes,
)
from .period_table import project_names, sizes_by_key
from .table import BOLD, CYAN, DIM, RED, YELLOW, box, paint
from .usage import list_models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..windows import Window
    from .blocks import Block
    from .grid import Look, Row
    from .periods import Periods
    from .usage import Share

    Groups = Mapping[str, Sequence[Block]]  # by project; without --instances, everything under the empty name

_DASH = "\u2013"  # an en dash
_LABELS = 10  # columns of the labels
_JOINED_FROM = 121  # columns; a narrower screen rarely has room for times and state on one line, and trying is slow
_STALE = 10 * MINUTE  # age from which the client's percentage is shown with its age


class TimeFormat:
    """A formatter of times in a zone, relative to now."""

    def __init__(self, periods: Periods, now: int) -> None:
        self.local = periods.local
        self.now = now

    def clock(self, us: int) -> str:
        """Return `14:40`, or `05-02 00:10` if that is not today."""
        text = self.local(us)
        return text[11:] if text[:10] == self.local(self.now)[:10] else text[5:]

    def bounds(self, block: Block) -> str:
        """Return start and end of a block, the end with its date if that differs; of a gap without years."""
        start, end = self.local(block.start), self.local(block.end)
        if block.is_gap:
            return f"{start[5:]} {_DASH} {end[5:]}"
        return f"{start}{_DASH}{end[11:] if start[:10] == end[:10] else end[5:]}"

    def state(self, block: Block) -> list[str]:
        """Return the elapsed and remaining time of the active block, else the time from first to last response."""
        if block.is_gap:
            return [f"({format_duration(block.end - block.start)} idle)"]
        if block.is_active(self.now):
            gone, left = self.now - block.start, block.end - self.now
            return [f"active, {format_duration(gone)} gone,", f"{format_duration(left)} left"]
        first, last = block.share.first, block.share.last
        return [] if first is None or last is None else [f"({format_duration(last - first)})"]


def format_duration(us: int) -> str:
    """Return a duration, rounded down: `2d 18h`, `2h 40m`, `5m`."""
    hours, minutes = divmod(us // MINUTE, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h" if days else f"{hours}h {minutes}m" if hours else f"{minutes}m"


def format_age(window: Window, now: int) -> str:
    """Return the age of the client's percentage, or "" if it is recent."""
    age = now - window.seen
    return f" ({format_duration(age)} ago)" if age > _STALE else ""


# --- the table ----------------------------------------------------------------------------------------------------


def render(
    title: str, groups: Groups, periods: Periods, look: Look, now: int, limit: int | None, archived: int = 0
) -> str:
    """Return the report; no line is wider than the screen, and the last ends with a newline."""
    times = TimeFormat(periods, now)
    used = [block for blocks in groups.values() for block in drop_gaps(blocks)]
    shares = [block.share for block in used]
    mixed = len({block.window is None for block in used}) > 1
    size_of, amount = measure(shares)
    for joined in (True, False)[look.width < _JOINED_FROM :]:  # bounds and state on one line if they fit
        labels_of = partial(_labels, times=times, joined=joined, mixed=mixed)
        rows, sizes, fixed = _rows(groups, labels_of, size_of, look, now, limit)
        rows.append(({FIRST: "Total", **total_cells(shares)}, YELLOW))
        headers = _headers(rows, limit)
        if joined and shows_everything(headers, rows, look):
            break
    notes = usage_notes(shares, archived)
    notes += ["~ estimated: Claude Code did not report when these blocks began."] if mixed else []
    below = []
    if look.chart == charts.BARS:
        by_block = sizes_by_key(shares, size_of)
        newest = [by_block[key] for key in sorted(by_block, reverse=True)]
        below = charts.sparkline_lines(newest, len(newest), newest, "block", amount, look.width, look.ascii_only)
    return draw_report(title, headers, rows, look, fixed=fixed, sizes=sizes, below=below, notes=notes)


def _rows(
    groups: Groups,
    labels_of: Callable[[Block], list[str]],
    size_of: Callable[[Share], int],
    look: Look,
    now: int,
    limit: int | None,
) -> tuple[list[Row], dict[int, int], int]:
    """Return all rows but the total, the sizes of the bars by row, and the minimum width of the first column."""
    names = project_names(list(groups))
    rows: list[Row] = []
    sizes: dict[int, int] = {}
    fixed = len("PROJECTED")
    for project, blocks in groups.items():
        if project:
            rows.append(({FIRST: names[project], **total_cells([block.share for block in blocks])}, BOLD))
        for block in blocks:
            labels = labels_of(block)
            fixed = max(fixed, *map(len, labels))
            sizes[len(rows)] = size_of(block.share) if look.chart == charts.BARS else 0
            rows += _gap_rows(labels) if block.is_gap else _block_rows(labels, block, now, limit, look.breakdown)
    return rows, sizes, fixed


def _headers(rows: list[Row], limit: int | None) -> dict[str, str]:
    has_limit = any("limit" in row for row, style in rows if style != DIM)
    headers = {FIRST: "Block", MODELS: "Models", **NUMBERS}
    return headers | ({"limit": "Limit"} if has_limit else {}) | ({"percent": "%"} if limit is not None else {})


def _labels(block: Block, times: TimeFormat, joined: bool, mixed: bool) -> list[str]:
    estimated = "~" if mixed and block.window is None and not block.is_gap else ""
    bounds, state = f"{estimated}{times.bounds(block)}", times.state(block)
    if joined:
        return [f"{bounds}  {state[0]}"] if block.is_gap else [bounds, " ".join(state)]
    return [bounds, *state]


def _gap_rows(labels: Sequence[str]) -> list[Row]:
    first, *more = labels
    blank = dict.fromkeys((MODELS, *NUMBERS, "limit", "percent"), "-")
    return [({FIRST: first, **blank}, DIM), *(({FIRST: label}, DIM) for label in more)]


def _block_rows(labels: Sequence[str], block: Block, now: int, limit: int | None, breakdown: bool) -> list[Row]:
    rows = share_rows(labels, block.share, breakdown, BOLD if block.is_active(now) else "")
    cells = rows[0][0]
    if block.window is not None and block.window.used is not None:
        cells["limit"] = f"{block.window.used:g}%"
    if limit is not None:
        cells["percent"] = _percent(block.share.total, limit)
    projection = block.projection(now)
    if projection is not None:
        tokens, cost = projection
        more = {"percent": _percent(tokens, limit)} if limit is not None else {}
        style = RED if limit is not None and limit_status(tokens, limit) == "exceeds" else CYAN
        more |= {"total": f"{tokens:,}", COST: money(cost, block.has_unpriced)}
        rows.append(({FIRST: "PROJECTED", **more}, style))
    if limit is not None and block.is_active(now):
        left = max(0, limit - block.share.total)
        rows.append(({FIRST: "REMAINING", "total": f"{left:,}", "percent": _percent(left, limit)}, CYAN))
    return rows


def _percent(tokens: int, limit: int) -> str:
    return f"{tokens * 100 / limit:,.1f}%"


# --- the card -----------------------------------------------------------------------------------------------------


def card(
    title: str, block: Block, periods: Periods, look: Look, now: int, limit: int | None, windows: Mapping[str, Window]
) -> str:
    """Return the card of the active block. *windows*: the client's limits by name (`5 h`, `7 d`)."""
    times = TimeFormat(periods, now)
    estimated = "" if block.window is not None else " (estimated)"
    facts = [
        ("Started", [f"{times.local(block.start)}, {format_duration(now - block.start)} ago{estimated}"]),
        ("Left", [f"{format_duration(block.end - now)}, until {times.clock(block.end)}{estimated}"]),
        ("Used", _used(block)),
        ("Rate", _rate(block, now)),
        ("Ahead", _ahead(block, times)),
        ("Limits", [*_limits(block, windows, times), *_token_limit(block, now, limit)]),
    ]
    lines = [paint(line, BOLD, look.color) for line in box(title, look.width)]
    for label, texts in facts:
        for number, text in enumerate(texts):
            name = " " * _LABELS if number else paint(f"{label:<{_LABELS}}", BOLD, look.color)
            lines += lay_out_beside(name, text, _LABELS, look.width)
    return "\n".join(lines) + "\n"


def _used(block: Block) -> list[str]:
    tokens_in, tokens_out, created, read, tokens, cost = sums_of(block.share.models)
    kinds = f"{tokens_in:,} input, {tokens_out:,} output, {created:,} cache create, {read:,} cache read"
    models = [f"{clean(short_model(name))} {percent_of(m.cost, cost)}" for name, m in list_models(block.share)]
    return [": ".join([block.share.cost_text, *([", ".join(models)] if models else [])]), f"{tokens:,} tokens: {kinds}"]


def percent_of(part: int, whole: int) -> str:
    return f"{part * 100 // whole if whole > 0 else 0} %"


def _rate(block: Block, now: int) -> list[str]:
    rate = block.rate(now)
    if rate is None:
        return []
    cost, level = money(rate.cost_per_hour, block.has_unpriced), indicator(rate.indicator_per_minute)
    return [f"{cost} an hour, {rate.per_minute:,.0f} tokens a minute: {level}"]


def _ahead(block: Block, times: TimeFormat) -> list[str]:
    projection = block.projection(times.now)
    if projection is None:
        return ["known ten minutes after the first response"]
    tokens, cost = projection
    cost_text = money(cost, block.has_unpriced)
    return [f"{cost_text} and {tokens:,} tokens by {times.clock(block.end)}, at this rate"]


def _limits(block: Block, windows: Mapping[str, Window], times: TimeFormat) -> list[str]:
    texts = []
    for name, window in windows.items():
        if window.used is None or times.now >= window.end:
            continue
        text = f"{name}: {window.used:g} %{format_age(window, times.now)}, resets {times.clock(window.end)}"
        if window.end == block.end:
            reached = block.reaches_100_at(times.now)
            text += "; reset comes first" if reached is None else f"; reached about {times.clock(reached)}"
        texts.append(text)
    return texts


def _token_limit(block: Block, now: int, limit: int | None) -> list[str]:
    if limit is None:
        return []
    projection = block.projection(now)
    text = f"{limit:,} tokens: {_percent(block.share.total, limit)} used"
    if projection is not None:
        tokens, _ = projection
        text += f", {_percent(tokens, limit)} at the end: {limit_status(tokens, limit)}"
    return [text]
