"""One frame of the live view, as lines.

A line consists of parts. Bars take the free columns. If a line is too long, first its bars are removed, then whole
parts, the highest rank first; a number is never cut.
"""

from __future__ import annotations

from ..jsontext import short_model
from ..session import money
from ..text import ELLIPSIS, clean, count_text, cut, display_width
from ..windows import SECOND
from . import charts
from .block_table import TimeFormat, format_age, format_duration, percent_of
from .blocks import indicator, limit_status
from .periods import SHORT_WEEKDAYS, weekday
from .table import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint
from .usage import NO_PROJECT, list_models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..session import ModelUsage, Session, Usage
    from ..windows import Window
    from .blocks import Block
    from .grid import Look
    from .periods import Periods

    Row = tuple[str, list["Part"]]  # a label and its parts

KEYS = "q quit  p pause  r read  b models"
WIDEST = 120  # columns of the frame
BOX_FROM = 60, 12  # columns and lines of the screen
_LISTED = 10  # sessions, if the height of the screen is unknown
_NARROWEST_BAR, _WIDEST_BAR = 8, 40
_LONGEST_NAME, _SHORTEST_TITLE = 20, 10
_LABELS = 7  # columns of the labels
_YELLOW_FROM, _RED_FROM = 80, 95  # percent of a limit
_RULES = ("╭─╮", "│ │", "├─┤", "╰─╯")
_ASCII_RULES = ("+-+", "| |", "+-+", "+-+")
_DASH = "\u2013"  # an en dash
_ASCII = {ord(_DASH): "-", ord(ELLIPSIS): "."}  # other characters become `?`


class FrameData:
    def __init__(self, now: int, zone: str, periods: Periods, progress: tuple[int, int] | None = None) -> None:
        self.now = self.begun = now
        self.until = now  # time from which it is outdated even if nothing is read
        self.zone = zone  # name of the zone
        self.periods = periods
        self.block: Block | None = None
        self.limits: Mapping[str, Window] = {}  # the client's limits by name (`5h`, `7d`)
        self.recent: Sequence[int] = ()  # usage in each five minutes of the last hour
        self.days: Mapping[str, Usage] = {}  # today and the periods that it is compared with
        self.sessions: Sequence[Session] = ()  # usage in this block, the newest response first
        self.token_limit: int | None = None
        self.progress = progress  # bytes read and total bytes while the first index is being built


class Part:
    """A text, then, if there is room, a bar for (value, largest), then the text *after*."""

    __slots__ = ("after", "bar", "rank", "style", "text")

    def __init__(
        self, text: str, style: str = "", *, rank: int = 0, bar: tuple[float, float] | None = None, after: str = ""
    ) -> None:
        self.text = text
        self.style = style
        self.rank = rank
        self.bar = bar
        self.after = after

    def draw(self, bar: int, look: Look) -> str:
        """Return the text with a bar of so many columns between its brackets; without a bar for 0."""
        pieces = [self.text, self.after]
        if self.bar is not None and bar:
            value, largest = (round(number * 1_000) for number in self.bar)
            full = charts.bar(min(value, largest), largest, bar, look.ascii_only)
            pieces.insert(1, f"[{full:{'.' if look.ascii_only else '░'}<{bar}}]")
        return _plain(" ".join(filter(None, pieces)), look)


def frame(
    data: FrameData, look: Look, height: int | None, *, models: bool = False, foot: tuple[str, str] = ("", "")
) -> list[str]:
    """Return the lines of a frame: no more than *height*, none wider than the screen. *models*: list the models of the
    block instead of its sessions; *foot*: left and right text of the last line."""
    rows = _progress(data) if data.progress is not None else _rows(data, look)
    if look.width < BOX_FROM[0] or (height is not None and height < BOX_FROM[1]):
        return _plain_frame(data, rows, look, height, models)
    width = min(look.width, WIDEST)
    top, side, middle, bottom = _ASCII_RULES if look.ascii_only else _RULES
    inner = width - 4

    def boxed(line: str) -> str:
        return f"{side[0]} {line}{' ' * (inner - _width(line))} {side[2]}"

    seconds = f"{data.periods.local(data.now)[11:]}:{data.now // SECOND % 60:02d}"
    lines = [_rule(top, width, "Claude Code", f"{seconds} {data.zone}", look)]
    for label, parts in rows:
        line = _line(parts, inner - _LABELS, look)
        if line:
            lines.append(boxed(f"{paint(f'{label:<{_LABELS}}', BOLD, look.color)}{line}"))
    room = _LISTED if height is None else height - len(lines) - 2
    listed = [] if data.progress is not None else _list_lines(data, look, inner, room, models)
    if listed:
        lines.append(_rule(middle, width, "models of this block" if models else "this block", "", look))
        lines += map(boxed, listed)
    return [*lines, _rule(bottom, width, *foot, look)]


def _plain_frame(data: FrameData, rows: list[Row], look: Look, height: int | None, models: bool) -> list[str]:
    """Return a frame without box and bars, the most important line first."""
    lines = []
    for label, parts in sorted(rows, key=lambda row: _BY_IMPORTANCE.index(row[0])):
        for head in (f"{label} " if label else "", ""):
            line = _line(parts, look.width - len(head), look, bars=False)
            if line:
                lines.append(paint(head, BOLD, look.color and bool(head)) + line)
                break
    room = _LISTED if height is None else height - len(lines)
    listed = [] if data.progress is not None else _list_lines(data, look, look.width, room, models)
    return [*lines, *listed][:height]


_BY_IMPORTANCE = ("", "BLOCK", "USED", "LIMITS", "TODAY", "RATE", "AHEAD")


# --- lines --------------------------------------------------------------------------------------------------------


def _rule(ends: str, width: int, left: str, right: str, look: Look) -> str:
    """Return a horizontal line of the frame with a text on the left and one on the right."""
    left, right = (f" {_plain(text, look)} " if text else "" for text in (left, right))
    if display_width(left) + display_width(right) + 4 > width:
        right = ""
    fill = ends[1] * (width - 3 - display_width(left) - display_width(right))
    return f"{ends[0]}{paint(left, DIM, look.color) if left else ''}{fill}{right}{ends[1]}{ends[2]}"


def _line(parts: Sequence[Part], width: int, look: Look, bars: bool = True) -> str:
    """Return the parts that fit, separated by two spaces; "" if none fits."""
    kept = list(parts)
    count = sum(part.bar is not None for part in kept) if bars else 0
    if _min_width(kept, look) + count * (_NARROWEST_BAR + 3) > width:
        count = 0
    while kept and _min_width(kept, look) > width:
        kept.remove(max(kept, key=lambda part: part.rank))
    free = width - _min_width(kept, look) - 3 * count
    bar = min(free // count, _WIDEST_BAR) if count else 0
    return "  ".join([paint(part.draw(bar, look), part.style, look.color and bool(part.style)) for part in kept])


def _min_width(parts: Sequence[Part], look: Look) -> int:
    return sum(display_width(part.draw(0, look)) + 2 for part in parts) - 2


def _plain(text: str, look: Look) -> str:
    """Replace what a screen without UTF-8 cannot show."""
    return text.translate(_ASCII).encode("ascii", "replace").decode() if look.ascii_only else text


def _width(line: str) -> int:
    if "\x1b" in line:
        line = "".join([piece.partition("m")[2] if at else piece for at, piece in enumerate(line.split("\x1b["))])
    return display_width(line)


# --- rows ---------------------------------------------------------------------------------------------------------


def _progress(data: FrameData) -> list[Row]:
    done, total = data.progress or (0, 0)
    percent = f"{100 * done // max(total, 1)} % of {total / 1e6:,.0f} MB"
    bar = Part("", CYAN, bar=(done, total or 1), after=percent)
    return [("", [Part("Reading all transcripts for the first time:", rank=1), bar])]


def _rows(data: FrameData, look: Look) -> list[Row]:
    times = TimeFormat(data.periods, data.now)
    used = [] if data.block is None else _used(data.block, data.token_limit)
    rows = [
        ("BLOCK", _block(data, times)),
        ("LIMITS", _limits(data, times)),
        ("USED", used),
        ("RATE", _rate(data, look)),
        ("AHEAD", [] if data.block is None else _ahead(data.block, data, times)),
        ("TODAY", _days(data.days)),
    ]
    return [row for row in rows if row[1]]


def _block(data: FrameData, times: TimeFormat) -> list[Part]:
    block = data.block
    if block is None:
        return [Part("none; the next response starts one", DIM)]
    gone, length = data.now - block.start, block.end - block.start
    estimated, style = ("~", DIM) if block.window is None else ("", "")
    bounds = f"{estimated}{times.local(block.start)[11:]}{_DASH}{times.local(block.end)[11:]}"
    return [
        Part("", style or CYAN, rank=2, bar=(gone, length), after=f"{gone * 100 // length:3} %"),
        Part(bounds, style, rank=1),
        Part(f"{format_duration(block.end - data.now)} left", style),
    ]


def _limits(data: FrameData, times: TimeFormat) -> list[Part]:
    parts = []
    for rank, (name, window) in enumerate(data.limits.items()):
        if window.used is None or data.now >= window.end:
            continue
        after = f"{window.used:3g} %{format_age(window, data.now)}"
        parts.append(Part(name, _alarm_style(window.used), rank=rank, bar=(window.used, 100), after=after))
        if data.block is None or window.end != data.block.end:
            day = SHORT_WEEKDAYS[weekday(data.periods.day_of(window.end))]
            parts.append(Part(f"resets {day} {times.local(window.end)[11:]}", DIM, rank=2 + rank))
    return parts


def _alarm_style(percent: float) -> str:
    return GREEN if percent < _YELLOW_FROM else YELLOW if percent < _RED_FROM else RED


def _used(block: Block, limit: int | None) -> list[Part]:
    share, tokens, cost = block.share, block.share.total, block.share.cost
    if limit is None:
        tokens_part = Part(f"{tokens:,} tokens", rank=1)
    else:
        percent = tokens * 100 / limit
        text = f"{tokens:,} of {limit:,} tokens"
        tokens_part = Part(text, _alarm_style(percent), rank=1, bar=(tokens, limit), after=f"{percent:.0f} %")
    models = [
        Part(f"{clean(short_model(name))} {percent_of(m.cost, cost)}", rank=3 + at)
        for at, (name, m) in enumerate(list_models(share))
    ]
    return [Part(share.cost_text, BOLD), tokens_part, Part(count_text(share.responses, "response"), rank=2), *models]


def _rate(data: FrameData, look: Look) -> list[Part]:
    block = data.block
    rate = None if block is None else block.rate(data.now)
    parts = []
    if block is not None and rate is not None:
        level = indicator(rate.indicator_per_minute)
        style = {"Normal": GREEN, "Moderate": YELLOW, "High": RED}[level]
        parts = [
            Part(f"{money(rate.cost_per_hour, block.has_unpriced)}/h"),
            Part(f"{rate.per_minute:,.0f} tok/min", rank=1),
            Part(level, style, rank=2),
        ]
    if any(data.recent):
        parts.append(Part(f"{charts.sparkline(data.recent, look.ascii_only)}  last 60 minutes", rank=3))
    return parts


def _ahead(block: Block, data: FrameData, times: TimeFormat) -> list[Part]:
    projection = block.projection(data.now)
    if projection is None:
        return [Part("known ten minutes after the first response", DIM)] if block.rate(data.now) else []
    tokens, cost = projection
    parts = [Part(f"{money(cost, block.has_unpriced)} by {times.local(block.end)[11:]}")]
    if data.token_limit is not None:
        status = limit_status(tokens, data.token_limit)
        style = {"exceeds": RED, "warning": YELLOW}.get(status, GREEN)
        parts.append(Part(f"{tokens:,} tokens: {status}", style, rank=1))
    if block.window is not None and block.window.used is not None:
        at = block.reaches_100_at(data.now)
        text = "reset comes first" if at is None else f"5h limit reached about {times.local(at)[11:]}"
        parts.append(Part(text, "" if at is None else YELLOW, rank=2))
    return parts


def _days(days: Mapping[str, Usage]) -> list[Part]:
    return [Part(f"{name} {used.cost_text}".strip(), rank=rank) for rank, (name, used) in enumerate(days.items())]


# --- sessions and models of the block -----------------------------------------------------------------------------


def _list_lines(data: FrameData, look: Look, width: int, room: int, models: bool) -> list[str]:
    """Return a line per session of the block, or per model, as many as there is room for."""
    if data.block is None or room <= 0:
        return []
    if models:
        rows = [_model(name, m) for name, m in list_models(data.block.share)]
    else:
        rows = [_session(session, data) for session in data.sessions[:room]]
    return _columns(rows[:room], look, width)


def _model(name: str, m: ModelUsage) -> tuple[str, list[str], str]:
    cells = [clean(short_model(name)), count_text(m.responses, "response"), f"{m.total:,} tokens"]
    return money(m.cost, m.unpriced > 0), cells, ""


def _session(session: Session, data: FrameData) -> tuple[str, list[str], str]:
    path = (session.project_path or "").rstrip("/\\").replace("\\", "/")
    name = cut(clean(path.rpartition("/")[2]) or NO_PROJECT, _LONGEST_NAME)
    model = next((short_model(name) for name, _ in list_models(session)), "")
    last = session.last or 0
    clock = f"{data.periods.local(last)[11:]}:{last // SECOND % 60:02d}"
    return session.cost_text, [name, clean(model), clock], clean(session.title or "")


def _columns(rows: Iterable[tuple[str, list[str], str]], look: Look, width: int) -> list[str]:
    """Return lines of a cost, further cells in columns, and a text that is cut to the free columns."""
    rows = [(cost, [_plain(cell, look) for cell in cells], text) for cost, cells, text in rows]
    costs = max((len(cost) for cost, _, _ in rows), default=0)
    widths = [max(map(display_width, column)) for column in zip(*(cells for _, cells, _ in rows), strict=True)]
    lines = []
    for cost, cells, text in rows:
        line = f"{cost:>{costs}}"
        for cell, columns in zip(cells, widths, strict=True):
            if display_width(line) + 2 + columns > width:
                break
            line += f"  {cell}{' ' * (columns - display_width(cell))}"
        left = width - display_width(line) - 2
        if left >= _SHORTEST_TITLE and text:
            line += f"  {_plain(cut(_plain(text, look), left), look)}"
        if display_width(line) <= width:
            lines.append(line.rstrip())
    return lines
