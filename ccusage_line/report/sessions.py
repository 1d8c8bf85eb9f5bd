"""The report as text: which sessions, in which order, with which totals; one session; what has to be said below.

Layout and colour are `table`'s, the JSON of the same sessions is `jsontext`'s.
"""

from __future__ import annotations

from ..jsontext import NO_SUMS, add_sums, short_model, short_models, sums_of
from ..session import UNNAMED_MODEL
from ..text import clean, cut, display_width, wrap
from .table import BOLD, DIM, RESET, YELLOW, Column, box, draw, fit, least_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..jsontext import DayOf, Sums
    from ..session import ModelUsage, Session

    Row = tuple[str, str, str, str, str, str, str, str, str, str]  # the cells of HEADERS, then the style of the row
    Keys = tuple[str, ...]

EVERYTHING_FROM = 100  # columns; a narrower screen gets the compact table even if the whole one would fit
UNPRICED = "+?"  # beside a cost that lacks the part of a model without a price (A11)
ARCHIVED = " *"
LONGEST_ID = 36  # a UUID, the client's own ids; a longer one is cut where no table can hold it
SHORT_MODEL, SHORTEST_MODEL = 12, 8  # columns that a cut model keeps in the list; the less if all else is not enough
SHORTEST_NAME = 20  # and in the table of one session, which shows whole names
LABELS = 11  # columns for the labels above the table of one session
MODELS_NAMED = 5  # in a note; the rest are counted

HEADERS = {
    "session": "Session",
    "models": "Models",
    "input": "Input",
    "output": "Output",
    "created": "Cache Create",
    "read": "Cache Read",
    "total": "Total Tokens",
    "cost": "Cost (USD)",
    "last": "Last Activity",
}
NUMBERS = ("input", "output", "created", "read", "total", "cost")
_BLANK = ("", "", "", "", "", "", "", "")
_COST = 7
COMPACT = ("session", "models", "input", "output", "cost", "last")
NARROWER = (("session", "models", "cost", "last"), ("session", "cost", "last"), ("session", "cost"))
ONE_HEADERS = {"session": "Model", **{key: HEADERS[key] for key in NUMBERS}}
ONE_NARROWER = (("session", "input", "output", "cost"), ("session", "cost"))


def choose(
    sessions: Iterable[Session],
    day_of: DayOf,
    *,
    since: str | None = None,
    until: str | None = None,
    project: str | None = None,
) -> list[Session]:
    """The sessions a list shows: those that used anything, whose last activity lies in the days *since* to *until*
    (YYYY-MM-DD, both included) and whose project path contains *project*."""
    chosen = [s for s in sessions if _used(s)]
    if project is not None:
        chosen = [s for s in chosen if s.project_path is not None and project in s.project_path]
    if since is not None or until is not None:
        chosen = [s for s in chosen if s.last is not None and _within(day_of(s.last), since, until)]
    return chosen


def _used(session: Session) -> bool:
    return any(m.name or m.total or m.cost for m in session.models)


def _within(day: str, since: str | None, until: str | None) -> bool:
    return (since is None or since <= day) and (until is None or day <= until)


def arrange(sessions: Iterable[Session], order: str = "desc") -> list[Session]:
    """By cost (*order* `desc`: highest first; `asc`), then last activity, newest first, then id."""
    sign = 1 if order == "asc" else -1

    def key(s: Session) -> tuple[int, bool, int, str]:
        return sign * sum([m.cost for m in s.models]), s.last is None, -(s.last or 0), s.id

    return sorted(sessions, key=key)


def display_ids(ids: Iterable[str]) -> dict[str, str]:
    """For each id what is shown of it: its last two segments; three where two are not unique among *ids* (or could be
    taken for an option); the whole id where three are not either. Cleaned for the screen."""
    shown: dict[str, str] = {}
    rest = list(dict.fromkeys(ids))
    for segments in (2, 3):
        forms = {id: clean("-".join(id.rsplit("-", segments)[-segments:])) for id in rest}
        times: dict[str, int] = {}
        for form in forms.values():
            times[form] = times.get(form, 0) + 1
        shown.update(
            (id, form) for id, form in forms.items() if times[form] == 1 and form.strip(" -") and form[0] != "-"
        )
        rest = [id for id in rest if id not in shown]
    shown.update((id, clean(id)) for id in rest)
    return shown


def render_list(
    sessions: Iterable[Session],
    *,
    width: int,
    day_of: DayOf,
    compact: bool = False,
    breakdown: bool = False,
    color: bool = False,
    order: str = "desc",
) -> str:
    """The report of *sessions*, no line wider than *width* columns, a newline at the end."""
    width = max(width, 1)
    sessions = arrange(sessions, order)
    shown = display_ids(s.id for s in sessions)
    grid = _Grid(_list_rows(sessions, shown, day_of, breakdown), HEADERS)
    ids = max(map(display_width, shown.values()), default=0)
    usual = [tuple(HEADERS), COMPACT] if width >= EVERYTHING_FROM and not compact else [COMPACT]
    layouts = [(keys, ids) for keys in usual] + [(keys, min(ids, LONGEST_ID)) for keys in (*usual, *NARROWER)]
    table, keys = grid.draw(layouts, width, color)
    needs = max(EVERYTHING_FROM, grid.least_width(ids))
    notes = [*_list_notes(sessions, keys), *_left_out(HEADERS, keys, None if compact else needs)]
    head = [_painted(line, BOLD, color) for line in box("Claude Code usage by session", width)]
    return _text([*head, *table, *_note_lines(notes, width, color)])


def render_one(session: Session, *, width: int, day_of: DayOf, color: bool = False) -> str:
    """What is known of *session*: its head, a table of its models, notes; no line wider than *width* columns, a newline
    at the end."""
    width = max(width, 1)
    head = [line for label, text in _facts(session, day_of) for line in _fact_lines(label, text, width)]
    head[0] = _painted(head[0], BOLD, color)
    grid = _Grid(_model_rows(session), ONE_HEADERS)
    layouts = [(keys, SHORTEST_NAME) for keys in (tuple(ONE_HEADERS), *ONE_NARROWER)]
    table, keys = grid.draw(layouts, width, color)
    notes = [*_one_notes(session), *_left_out(ONE_HEADERS, keys, grid.least_width(SHORTEST_NAME))]
    return _text([*head, "", *table, *_note_lines(notes, width, color)])


def money(pico: int) -> str:
    """1e-12 dollars as `$1,234.56`, to the nearest cent; what rounds to nothing has no sign."""
    cents = (abs(pico) + 5_000_000_000) // 10_000_000_000
    sign = "-" if pico < 0 and cents else ""
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


class _Grid:
    """The rows of a report in columns, of which a layout shows all or some."""

    def __init__(self, rows: Sequence[Row], headers: dict[str, str]) -> None:
        """The last one of *rows* is the total."""
        self.rows = rows
        self.headers = headers
        *columns, self.styles = map(list, zip(*rows, strict=True))
        cells = dict(zip(HEADERS, columns, strict=True))
        cells["cost"] = _aligned(cells["cost"])
        self.columns = {key: Column(header, cells[key], right=key in NUMBERS) for key, header in headers.items()}

    def draw(self, layouts: Iterable[tuple[Keys, int]], width: int, color: bool) -> tuple[list[str], Keys]:
        """The lines of the first of *layouts* that fits, and its columns; as plain lines where none does.

        A layout: the keys of its columns, and how narrow the first of them may get; those with models come first.
        Before one is given up its cells lose the spaces around them, then more of the models.
        """
        grid = self
        for keys, floor in layouts:
            if "models" in grid.headers and "models" not in keys:
                grid = grid._of_numbers()
            for pad, models in ((1, SHORT_MODEL), (0, SHORT_MODEL), (0, SHORTEST_MODEL)):
                columns = grid._chosen(keys, floor, models)
                widths = fit(columns, width, pad)
                if widths is not None:
                    return draw(columns, widths, grid.styles if color else [""] * len(grid.rows), pad), keys
        lines = [f"{name} {cost}" for name, *_, cost, _, _ in grid.rows]
        return [part for line in lines for part in wrap(line, width, "  ")], NARROWER[-1]

    def _of_numbers(self) -> _Grid:
        """The same without the rows that only name a further model."""
        headers = {key: header for key, header in self.headers.items() if key != "models"}
        return _Grid([row for row in self.rows if row[_COST]], headers)

    def least_width(self, floor: int) -> int:
        """The narrowest screen that shows all columns, the first one down to *floor*."""
        return least_width(self._chosen(tuple(self.columns), floor, SHORTEST_MODEL), pad=0)

    def _chosen(self, keys: Keys, floor: int, models: int) -> list[Column]:
        self.columns["session"].floor = floor
        chosen = [self.columns[key] for key in keys]
        if "models" in keys:
            self.columns["models"].floor = models
        return chosen


def _aligned(costs: list[str]) -> list[str]:
    """*costs* with room beside those without a mark, where there are marks."""
    if not any(cost.endswith(UNPRICED) for cost in costs):
        return costs
    room = " " * len(UNPRICED)
    return [cost if cost.endswith(UNPRICED) else cost + room for cost in costs]


def _row(first: str, sums: Sums, unpriced: bool, *, models: str = "", last: str = "", style: str = "") -> Row:
    a, b, c, d, total, cost = sums
    paid = money(cost) + UNPRICED if unpriced else money(cost)
    return first, models, f"{a:,}", f"{b:,}", f"{c:,}", f"{d:,}", f"{total:,}", paid, last, style


def _list_rows(sessions: Sequence[Session], shown: dict[str, str], day_of: DayOf, breakdown: bool) -> list[Row]:
    """A row for each session, one more for each further model of it, with *breakdown* one for each model's numbers, and
    the total."""
    rows: list[Row] = []
    bullets: dict[tuple[str, ...], list[str]] = {}
    totals, lacking = NO_SUMS, False
    for s in sessions:
        sums = sums_of(s.models)
        unpriced = any(m.unpriced for m in s.models)
        totals, lacking = add_sums(totals, sums), lacking or unpriced
        named = tuple(m.name for m in s.models if m.name)
        names = bullets.get(named)
        if names is None:  # sessions by the thousand name the same few sets of models
            names = bullets[named] = [f"- {clean(name)}" for name in short_models(s.named_models)] or [""]
        last = "" if s.last is None else day_of(s.last)
        last += ARCHIVED if s.archived else ""
        rows.append(_row(shown[s.id], sums, unpriced, models=names[0], last=last))
        rows += [("", name, *_BLANK) for name in names[1:]]
        if breakdown:
            rows += [_model_row(f"└─ {_name(m, short_model)}", m, DIM) for m in _counted(s)]
    return [*rows, _row("Total", totals, lacking, style=YELLOW)]


def _model_rows(session: Session) -> list[Row]:
    """A row for each model by its whole name, and the total."""
    rows = [_model_row(_name(m, str), m) for m in _counted(session)]
    unpriced = any(m.unpriced for m in session.models)
    return [*rows, _row("Total", sums_of(session.models), unpriced, style=YELLOW)]


def _model_row(name: str, m: ModelUsage, style: str = "") -> Row:
    return _row(name, sums_of([m]), m.unpriced > 0, style=style)


def _counted(session: Session) -> list[ModelUsage]:
    """The models whose rows add up to the session: the named ones, and last what names none, if that is anything."""
    return [*session.named_models, *(m for m in session.models if not m.name and (m.total or m.cost))]


def _name(m: ModelUsage, form: Callable[[str], str]) -> str:
    return clean(form(m.name)) if m.name else UNNAMED_MODEL


def _facts(session: Session, day_of: DayOf) -> list[tuple[str, str]]:
    """What stands above the table of one session: label and text."""
    facts = [("Session", session.id)]
    if session.title is not None:
        facts.append(("Title", session.title))
    if session.project_path is not None:
        facts.append(("Project", session.project_path))
    if session.first is not None and session.last is not None:
        first, last = day_of(session.first), day_of(session.last)
        facts.append(("Activity", first if first == last else f"{first} to {last}"))
    facts.append(("Responses", f"{session.responses:,}"))
    if session.client_cost is not None:
        facts.append(
            ("Client", f"{_client_money(session.client_cost)} by Claude Code's own count, shown beside, never added in")
        )
    return facts


def _fact_lines(label: str, text: str, width: int) -> list[str]:
    """*label* with *text* beside it, below it where the screen is narrow."""
    if width < LABELS + LONGEST_ID:
        return wrap(f"{label}: {clean(text)}", width, "  ")
    first, *more = wrap(clean(text), width - LABELS) or [""]
    return [f"{label:<{LABELS}}{first}".rstrip(), *(" " * LABELS + line for line in more)]


def _client_money(dollars: float) -> str:
    """The client's figure like `money`; one that is no number, or absurd, as it is."""
    return money(round(dollars * 1e12)) if abs(dollars) < 1e15 else str(dollars)


def _list_notes(sessions: Sequence[Session], keys: Keys) -> list[str]:
    archived = sum(s.archived for s in sessions)
    notes = _unpriced_note({name for s in sessions for name in s.unpriced_models})
    notes += _incomplete_note(sum(s.incomplete for s in sessions))
    if archived:
        mark = f"{ARCHIVED.strip()} " if "last" in keys else ""
        notes.append(
            f"{mark}archived: the transcripts of {_count(archived, 'session')} are gone, what was counted is kept."
        )
    return notes


def _one_notes(session: Session) -> list[str]:
    notes = _unpriced_note(session.unpriced_models) + _incomplete_note(session.incomplete)
    if session.archived:
        notes.append("Archived: the transcripts of this session are gone, what was counted is kept.")
    return notes


def _unpriced_note(models: Iterable[str]) -> list[str]:
    names = sorted(models)
    if not names:
        return []
    named = ", ".join(cut(clean(name), LONGEST_ID) for name in names[:MODELS_NAMED])
    more = f" and {len(names) - MODELS_NAMED:,} more" if len(names) > MODELS_NAMED else ""
    return [f"{UNPRICED} lacks the cost of what has no known price: {named}{more}"]


def _incomplete_note(responses: int) -> list[str]:
    if not responses:
        return []
    verb = "was" if responses == 1 else "were"
    what = f"{_count(responses, 'response')} {verb} cut off or never finalised"
    return [f"{what}: more output may have been billed than is recorded."]


def _left_out(headers: dict[str, str], keys: Keys, needs: int | None) -> list[str]:
    """Which columns are missing, and the way to see them; *needs*: the width that shows all, None with --compact."""
    missing = ", ".join(header for key, header in headers.items() if key not in keys)
    if not missing:
        return []
    way = "leave out --compact" if needs is None else f"widen the screen to {needs:,} columns"
    return [f"Not shown: {missing}. To see them {way}, or use --json."]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _note_lines(notes: Iterable[str], width: int, color: bool) -> list[str]:
    return [_painted(line, DIM, color) for note in notes for line in wrap(note, width, "   ")]


def _painted(line: str, style: str, color: bool) -> str:
    return f"{style}{line}{RESET}" if color else line


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
