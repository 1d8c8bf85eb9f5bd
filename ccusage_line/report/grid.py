"""The table of numbers that all reports share: columns chosen for the width of the screen, and the notes below."""

from __future__ import annotations

from functools import lru_cache
from itertools import compress, zip_longest

from ..jsontext import short_model, sums_of
from ..session import NO_PRICE, money
from ..text import clean, count_text, cut_distinctly, wrap
from . import charts
from .table import BOLD, DIM, Column, box, draw, fit, least_width, paint, whole_width
from .usage import any_unpriced, list_models, total, unpriced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..jsontext import Sums
    from ..session import ModelUsage, Usage
    from .usage import Share

    Keys = tuple[str, ...]
    Layout = tuple[Keys, int]  # the columns, and the minimum width of the first one
    Row = tuple[dict[str, str], str]  # cells by column, and the style of the row
    ExtraColumns = Callable[[int, int], list[Column]]  # (free columns, width of the table) -> further columns

FULL_TABLE_FROM = 100  # columns; a narrower screen gets the compact table even if the full one would fit
LONGEST_NAME = 36  # columns of a model name in a note
MODELS_NAMED = 5  # in a note; the others are counted
SHORT_MODEL = 12  # minimum columns of a shortened model name: a Claude model's family and version
CELL_FRAME = 3  # columns that one more table column takes in addition to its cells
_UNITS = ("", "k", "M", "G", "T", "P")  # of tokens

FIRST, MODELS, COST, LAST = "first", "models", "cost", "last"
_TEXTS = (FIRST, MODELS, LAST)
_NOT_COMPACT = ("created", "read", "total")  # not in the compact table
NUMBERS = {
    "input": "Input",
    "output": "Output",
    "created": "Cache Create",
    "read": "Cache Read",
    "total": "Total Tokens",
    COST: "Cost (USD)",
}


class Look:
    def __init__(
        self,
        width: int,
        *,
        color: bool = False,
        compact: bool = False,
        breakdown: bool = False,
        chart: str = charts.NONE,
        ascii_only: bool = False,
    ) -> None:
        self.width = max(width, 1)
        self.color = color
        self.compact = compact
        self.breakdown = breakdown
        self.chart = chart if self.width >= charts.SPARKLINE_FROM else charts.NONE
        self.ascii_only = ascii_only


def draw_report(
    title: str,
    headers: Mapping[str, str],
    rows: Sequence[Row],
    look: Look,
    *,
    fixed: int,
    sizes: Mapping[int, int],
    below: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Return a report; no line is wider than the screen, and the last ends with a newline.

    *fixed*: the minimum width of the first column; *sizes*: row number -> value of the bar beside it; *below*: lines
    between the table and the notes.
    """
    grid = make_grid(headers, rows)
    compact = tuple(key for key in headers if key not in _NOT_COMPACT)
    full = look.width >= FULL_TABLE_FROM and not look.compact
    usual = [tuple(headers), compact] if full else [compact]
    layouts = [(keys, fixed) for keys in (*usual, (FIRST, MODELS, COST), (FIRST, COST))]
    bars = _bars(sizes, len(rows), look)
    table, keys = grid.draw(layouts, look.width, look.color, bars, len(usual))

    def least_width() -> int:
        least = grid.whole_width() + CELL_FRAME + charts.NARROWEST_BAR if bars else grid.least_width(fixed)
        return max(FULL_TABLE_FROM, least)

    notes = note_lines([*notes, *grid.notes(keys, None if look.compact else least_width)], look.width, look.color)
    head = [paint(line, BOLD, look.color) for line in box(title, look.width)]
    return "\n".join([*head, *table, *below, *notes]) + "\n"


def shows_everything(headers: Mapping[str, str], rows: Sequence[Row], look: Look) -> bool:
    """Return whether the report shows every column uncut, including that of the bars if they are asked for."""
    bars = CELL_FRAME + charts.NARROWEST_BAR if look.chart == charts.BARS else 0
    needed = max(FULL_TABLE_FROM, make_grid(headers, rows).whole_width() + bars)
    return look.width >= needed and not look.compact


def make_grid(headers: Mapping[str, str], rows: Sequence[Row]) -> Grid:
    cells = {key: [row.get(key, "") for row, _ in rows] for key in headers}
    cells[COST] = _align_costs(cells[COST])
    return Grid(headers, cells, [style for _, style in rows])


def _bars(sizes: Mapping[int, int], rows: int, look: Look) -> ExtraColumns | None:
    largest = max(sizes.values(), default=0)
    if look.chart != charts.BARS or look.width < charts.BARS_FROM or not largest:
        return None

    def column(room: int, _: int) -> list[Column]:
        width = min(room, charts.WIDEST_BAR)
        cells = [charts.bar(sizes.get(row, 0), largest, width, look.ascii_only) for row in range(rows)]
        return [Column("Chart", cells)] if room >= charts.NARROWEST_BAR else []

    return column


class Grid:
    """The rows of a report in columns, of which a layout shows all or some; the last row is the total."""

    def __init__(self, headers: Mapping[str, str], cells: Mapping[str, list[str]], styles: list[str]) -> None:
        """Store the rows: *cells* by column of *headers*, *styles* by row."""
        self.headers = headers
        self.cells = cells
        self.styles = styles
        self.rounded = False  # whether the table was drawn with rounded numbers
        self.columns = {
            key: Column(header, self.cells[key], right=key not in _TEXTS) for key, header in headers.items()
        }

    def draw(
        self, layouts: Sequence[Layout], width: int, color: bool, more: ExtraColumns | None = None, preferred: int = 1
    ) -> tuple[list[str], Keys]:
        """Return the lines of the table in the first of *layouts* that fits, and its columns; those of *more* by their
        headers. If none fits, return plain lines.

        Before a layout is given up, first the spaces around its cells are removed, then tokens are rounded, which sets
        `rounded`. *more* makes further columns for the room beside one of the first *preferred* layouts, if nothing of
        it is cut. A layout with further columns comes first; if there are none, only the last of the *preferred* is
        tried. So a wider screen never shows less. The number of header lines does not matter.
        """
        if more is not None:
            for keys, floor in layouts[:preferred]:
                columns = self._select(keys, floor)
                taken = whole_width(columns)
                added = more(width - taken - CELL_FRAME, taken)
                widths = fit([*columns, *added], width)
                if added and widths is not None:
                    shown = (*keys, *(column.header for column in added))
                    return draw([*columns, *added], widths, self._styles(color)), shown
            layouts = layouts[preferred - 1 :]
        grid = self
        for keys, floor in layouts:
            if MODELS in grid.headers and MODELS not in keys:
                grid = grid._without_models()
            for pad, rounded in ((1, False), (0, False), (1, True), (0, True)):
                columns = (grid._rounded() if rounded else grid)._select(keys, floor)
                widths = fit(columns, width, pad)
                if widths is None:
                    continue
                self.rounded = rounded
                return draw(columns, widths, grid._styles(color), pad), keys
        lines = [f"{first} {cost}" for first, cost in zip(self.cells[FIRST], self.cells[COST], strict=True) if cost]
        return [part for line in lines for part in wrap(line, width, "  ")], (FIRST, COST)

    def _styles(self, color: bool) -> list[str]:
        return self.styles if color else [""] * len(self.styles)

    def _rounded(self) -> Grid:
        """Return a grid with tokens in three digits: `66.9M`."""
        short = {key: [*map(round_cell, self.cells[key])] for key in self.headers if key in NUMBERS and key != COST}
        return Grid(self.headers, {**self.cells, **short}, self.styles)

    def _without_models(self) -> Grid:
        """Return a grid without the column of models and the rows that only name another model."""
        headers = {key: header for key, header in self.headers.items() if key != MODELS}
        kept = [any(map(str.strip, row)) for row in zip(*[self.cells[key] for key in headers], strict=True)]
        return Grid(
            headers, {key: list(compress(self.cells[key], kept)) for key in headers}, [*compress(self.styles, kept)]
        )

    def whole_width(self) -> int:
        """Return the width of the narrowest screen that shows all columns with every cell uncut."""
        return whole_width([*self.columns.values()])

    def least_width(self, floor: int) -> int:
        """Return the width of the narrowest screen that shows all columns, the first one cut to *floor*."""
        return least_width(self._rounded()._select(tuple(self.columns), floor), pad=0)

    def _select(self, keys: Keys, floor: int) -> list[Column]:
        self.columns[FIRST].floor = floor
        if MODELS in keys:
            self.columns[MODELS].floor = SHORT_MODEL
        return [self.columns[key] for key in keys]

    def notes(self, keys: Keys, least_width: Callable[[], int] | None) -> list[str]:
        """Return notes on a table drawn with *keys*: which columns are missing, and that tokens are rounded.

        *least_width*, which takes long, returns the width of the narrowest table with all columns; None with --compact.
        """
        notes = []
        missing = ", ".join(header for key, header in self.headers.items() if key not in keys)
        if missing:
            way = "write --no-compact" if least_width is None else f"widen the screen to {least_width():,} columns"
            notes.append(f"Not shown: {missing}. To see them, {way} or use --json.")
        if self.rounded:
            notes.append("Tokens are rounded to fit; a wider screen or --json shows every digit.")
        return notes


def round_cell(cell: str) -> str:
    """Return a cell's number in three digits; a cell without a number is returned unchanged."""
    digits = cell.replace(",", "")
    if not digits.isdigit() or len(digits) < 5:
        return cell
    unit = (len(digits) - 1) // 3
    if unit >= len(_UNITS):
        return cell
    number = f"{int(digits) / 1000**unit:.3g}"
    return cell if "e" in number else f"{number}{_UNITS[unit]}"


def _align_costs(costs: list[str]) -> list[str]:
    """Pad costs without a mark if others have one."""
    if not any(cost.endswith(NO_PRICE) for cost in costs):
        return costs
    room = " " * len(NO_PRICE)
    return [cost if cost.endswith(NO_PRICE) else cost + room for cost in costs]


def number_cells(sums: Sums, unpriced: bool) -> dict[str, str]:
    input, output, created, read, total, cost = sums
    return {
        "input": f"{input:,}",
        "output": f"{output:,}",
        "created": f"{created:,}",
        "read": f"{read:,}",
        "total": f"{total:,}",
        COST: money(cost, unpriced),
    }


def total_cells(usages: Sequence[Usage]) -> dict[str, str]:
    return number_cells(total(usages), any_unpriced(usages))


def share_rows(labels: Sequence[str], share: Share, breakdown: bool, style: str = "") -> list[Row]:
    """Return the rows of a period or block: one with its numbers, others for further lines of *labels* and models, and
    with *breakdown* one with the numbers of each model."""
    models = model_bullets(share)
    numbers = number_cells(sums_of(share.models), share.has_unpriced)
    rows: list[Row] = []
    for label, model in zip_longest(labels, models, fillvalue=""):
        rows.append(({FIRST: label, MODELS: model, **({} if rows else numbers)}, style))
    return rows + (breakdown_rows(share) if breakdown else [])


def breakdown_rows(usage: Usage) -> list[Row]:
    """Return a row with the numbers of each model; none for a single model, whose numbers are those of *usage*."""
    models = list_models(usage)
    if len(models) < 2:
        return []
    marks = [*["├─"] * (len(models) - 1), "└─"]
    return [
        model_row(f"{mark} {clean(short_model(name))}", m, DIM) for mark, (name, m) in zip(marks, models, strict=True)
    ]


def model_row(label: str, m: ModelUsage, style: str = "") -> Row:
    return {FIRST: label, **number_cells(sums_of([m]), m.unpriced > 0)}, style


def model_bullets(usage: Usage) -> list[str]:
    """Return the short names of the models, each after a bullet."""
    return _bullets(tuple([m.name for m in usage.models if m.name]))


@lru_cache(256)  # a long history has few different sets of models
def _bullets(models: tuple[str, ...]) -> list[str]:
    return [f"• {clean(name)}" for name in sorted({short_model(name) for name in models})]


def measure(shares: Sequence[Share]) -> tuple[Callable[[Share], int], Callable[[int], str]]:
    """Return a function that measures a share for charts, its cost or, if all are 0, its tokens; and a formatter."""
    if any(sums_of(share.models)[5] for share in shares):
        return lambda share: max(0, sums_of(share.models)[5]), money
    return lambda share: sums_of(share.models)[4], lambda tokens: f"{tokens:,} tokens"


# --- notes --------------------------------------------------------------------------------------------------------


def usage_notes(usages: Sequence[Usage], archived: int, mark: str = "") -> list[str]:
    """Return notes on models without a price, incomplete responses, and *archived* sessions, marked with *mark*."""
    return [*_unpriced_note(unpriced(usages)), *_incomplete_note(usages), *_archived_note(archived, mark)]


def _unpriced_note(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    named = ", ".join(cut_distinctly([clean(name) for name in names[:MODELS_NAMED]], LONGEST_NAME))
    more = f" and {len(names) - MODELS_NAMED:,} more" if len(names) > MODELS_NAMED else ""
    return [f"{NO_PRICE} does not include models without a known price: {named}{more}"]


def _incomplete_note(usages: Sequence[Usage]) -> list[str]:
    incomplete, responses = sum(one.incomplete for one in usages), sum(one.responses for one in usages)
    if not incomplete:
        return []
    have, they = ("has", "it") if incomplete == 1 else ("have", "they")
    what = f"{incomplete:,} of {count_text(responses, 'response')} {have} no final count"
    return [f"{what}: cut off, or not recorded by older clients; {they} may have cost more."]


def _archived_note(sessions: int, mark: str) -> list[str]:
    if not sessions:
        return []
    whose = count_text(sessions, "session")
    return [f"{mark}archived: the transcripts of {whose} no longer exist, but their usage is kept."]


def note_lines(notes: Iterable[str], width: int, color: bool) -> list[str]:
    return [paint(line, DIM, color) for note in notes for line in wrap(note, width, "   ")]
