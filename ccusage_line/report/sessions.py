"""The report of sessions as text: their choice, order and totals, the report of one session, and notes.

`table` does layout and colour, `jsontext` the JSON of the same sessions.
"""

from __future__ import annotations

from ..jsontext import NO_SUMS, add_sums, as_data, list_data, sums_of
from ..session import money
from ..text import clean, cut, cut_distinctly, display_width, lay_out_beside, wrap
from .grid import (
    CELL_FRAME,
    COST,
    FIRST,
    FULL_TABLE_FROM,
    LAST,
    MODELS,
    NUMBERS,
    breakdown_rows,
    make_grid,
    model_bullets,
    model_row,
    note_lines,
    number_cells,
    total_cells,
    usage_notes,
)
from .period_table import project_names
from .table import BOLD, DIM, YELLOW, Column, box, paint
from .usage import KINDS, MODEL_COLUMNS, SUMS, any_unpriced, list_models, per_model, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..jsontext import DayOf
    from ..session import Session
    from .grid import Grid, Keys, Row
    from .usage import Line

ARCHIVED = " *"
LONGEST_ID = 36  # columns of a UUID, the client's own id; a longer id is cut if no table fits otherwise
SHORTEST_NAME = 20  # minimum columns of a shortened model name in the table of one session
WHOLE_IDS_FROM = 160  # columns from which ids are shown whole if nothing else has to be cut; else their ends are shown
NARROWEST_TEXT, WIDEST_PROJECT, WIDEST_TITLE = 12, 24, 60  # columns of Project and Title
LABELS = 11  # columns of the labels above the table of one session

HEADERS = {FIRST: "Session", MODELS: "Models", **NUMBERS, LAST: "Last Activity"}
COMPACT = (FIRST, MODELS, "input", "output", COST, LAST)
NARROWER = (COMPACT, (FIRST, MODELS, COST, LAST), (FIRST, COST, LAST), (FIRST, COST))
ONE_HEADERS = {FIRST: "Model", **NUMBERS}
_TIMES = ("lastActivity", "firstActivityAt", "lastActivityAt")
_COUNTS = ("responses", "incompleteResponses", "unpricedModels", "clientCost", "archived")
CSV_COLUMNS = ("sessionId", *SUMS, *_TIMES, "modelsUsed", "projectPath", "title", *_COUNTS)
CSV_MODEL_COLUMNS = ("sessionId", *MODEL_COLUMNS, *_TIMES, "projectPath", "title")
CSV_ENTRY_COLUMNS = ("timestamp", "model", *KINDS, "costUSD")
ONE_NARROWER = ((FIRST, "input", "output", COST), (FIRST, COST))


def choose(
    sessions: Iterable[Session], day_of: DayOf, *, since: str | None = None, until: str | None = None
) -> list[Session]:
    """Return the sessions with usage that were last active from *since* to *until* (YYYY-MM-DD, inclusive)."""
    chosen = [s for s in sessions if any(m.name or m.total or m.cost for m in s.models)]
    if since is not None or until is not None:
        chosen = [s for s in chosen if s.last is not None and _is_within(day_of(s.last), since, until)]
    return chosen


def _is_within(day: str, since: str | None, until: str | None) -> bool:
    return (since is None or since <= day) and (until is None or day <= until)


def sort_sessions(sessions: Iterable[Session], sort: str = "cost", order: str = "desc") -> list[Session]:
    """Sort by *sort* (cost, date or tokens) in *order* (`desc` or `asc`), then newest first, then by id."""
    sign = 1 if order == "asc" else -1

    def key(s: Session) -> tuple[int, bool, int, str]:
        size = s.cost if sort == "cost" else s.total if sort == "tokens" else s.last or 0
        return sign * size, s.last is None, -(s.last or 0), s.id

    return sorted(sessions, key=key)


def display_ids(ids: Iterable[str]) -> dict[str, str]:
    """Return the form of each id that reports show, cleaned for the screen: its last two segments; three if two are not
    unique among *ids* or could be taken for an option; else the whole id."""
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


def csv_lines(sessions: Sequence[Session], day_of: DayOf, by_model: bool) -> list[Line]:
    """Return a line of CSV per session, or with *by_model* per model of each session."""
    lines: list[Line] = list_data(sessions, day_of)["sessions"]
    if not by_model:
        return lines
    return [line for head, session in zip(lines, sessions, strict=True) for line in per_model(head, session)]


def csv_entries(session: Session, day_of: DayOf) -> list[Line]:
    entries: list[Line] = as_data(session, day_of, entries=True)["entries"]
    return entries


def render_list(
    sessions: Sequence[Session],
    *,
    width: int,
    day_of: DayOf,
    compact: bool = False,
    breakdown: bool = False,
    color: bool = False,
    limit: int | None = None,
    notes: Iterable[str] = (),
) -> str:
    """Return the report of *sessions* in their order: the first *limit*, the sum of the others, and *notes* before its
    own. No line is wider than *width* columns, and the last ends with a newline."""
    width = max(width, 1)
    chosen, is_full = sessions[:limit], width >= FULL_TABLE_FROM and not compact
    for whole_ids in (True, False) if width >= WHOLE_IDS_FROM and not compact else (False,):
        shown = {s.id: clean(s.id) for s in sessions} if whole_ids else display_ids(s.id for s in sessions)
        rows, first_rows = _list_rows(sessions, shown, day_of, breakdown, limit)
        grid = make_grid(HEADERS, rows)
        if grid.whole_width() <= width:
            break
    with_ids = grid.whole_width() + (0 if whole_ids else _extra_width(grid, chosen))
    more_columns = _ProjectAndTitle(chosen, first_rows, len(rows), with_ids)
    layouts: tuple[Keys, ...] = (tuple(HEADERS), *NARROWER) if is_full else NARROWER
    ids = max(map(display_width, shown.values()), default=0)
    floors = [*((keys, ids) for keys in layouts), (layouts[-1], min(ids, LONGEST_ID))]
    table, keys = grid.draw(floors, width, color, more_columns.columns if is_full else None)
    least_width = None if compact else lambda: max(FULL_TABLE_FROM, grid.least_width(ids))
    notes = [*notes, *_list_notes(sessions, keys), *grid.notes(keys, least_width)]
    if not compact:
        notes += more_columns.note(keys, grid.whole_width())
    head = [paint(line, BOLD, color) for line in box("Claude Code Token Usage Report - By Session", width)]
    return _join_lines([*head, *table, *note_lines(notes, width, color)])


def _extra_width(grid: Grid, sessions: Sequence[Session]) -> int:
    """Return the number of columns by which whole ids widen the table."""
    first = grid.columns[FIRST]
    return max(0, max((display_width(clean(s.id)) for s in sessions), default=0) - max(first.width, len(first.header)))


class _ProjectAndTitle:
    """The columns Project and Title, which fill the free room beside the table, unless all their cells are empty.

    Beside short ids they get no more room than on the narrowest screen with whole ids, so that a wider screen never
    shows less.
    """

    def __init__(self, sessions: Sequence[Session], first_rows: Sequence[int], rows: int, with_ids: int) -> None:
        """Store the cells. *first_rows*: the rows that begin a session; *with_ids*: width of a table with whole ids."""
        names = project_names([*{s.project_path for s in sessions if s.project_path}])
        projects, titles = [""] * rows, [""] * rows
        for at, s in zip(first_rows, sessions, strict=True):
            projects[at], titles[at] = names.get(s.project_path or "", ""), clean(s.title or "")
        both = ("Project", projects, WIDEST_PROJECT, cut_distinctly), ("Title", titles, WIDEST_TITLE, _cut_all)
        self._columns = [
            (header, cells, cut_all, min(widest, max(len(header), *map(display_width, cells))))
            for header, cells, widest, cut_all in both
            if any(cells)
        ]
        self._with_ids = with_ids
        self.headers = [header for header, *_ in self._columns]

    def columns(self, room: int, table: int) -> list[Column]:
        """Return those that fit in *room* columns beside a table of width *table*."""
        if table < self._with_ids:
            room = min(room, max(WHOLE_IDS_FROM, self._with_ids + CELL_FRAME) - self._with_ids - CELL_FRAME)
        columns: list[Column] = []
        for header, cells, cut_all, widest in self._columns:
            width = min(room, widest)
            if width < min(widest, NARROWEST_TEXT):
                break
            columns.append(Column(header, cut_all(cells, width)))
            room -= width + CELL_FRAME
        return columns

    def note(self, keys: Keys, table: int) -> list[str]:
        """Return a note on which of the two are not among *keys*, and from which width on they are shown."""
        if all(header in keys for header in self.headers):
            return []
        *others, last = [widest for *_, widest in self._columns]
        room = sum(others) + CELL_FRAME * len(others) + min(last, NARROWEST_TEXT)
        fits = len(self.columns(room, table)) == len(self._columns)
        needs = max(FULL_TABLE_FROM, (table if fits else self._with_ids) + CELL_FRAME + room)
        missing = [header for header in self.headers if header not in keys]
        names, are = " and ".join(missing), "are" if missing[1:] else "is"
        return [f"{names} {are} shown from {needs:,} columns on; `ccusage session ID` shows those of one session."]


def _cut_all(texts: Sequence[str], width: int) -> list[str]:
    return [cut(text, width) for text in texts]


def render_one(session: Session, *, width: int, day_of: DayOf, color: bool = False) -> str:
    """Return the report of one session; no line is wider than *width* columns, and the last ends with a newline."""
    width = max(width, 1)
    head = [line for label, text in _facts(session, day_of) for line in _fact_lines(label, text, width)]
    head[0] = paint(head[0], BOLD, color)
    rows = [model_row(clean(name), m) for name, m in list_models(session)]
    grid = make_grid(ONE_HEADERS, [*rows, ({FIRST: "Total", **total_cells([session])}, YELLOW)])
    layouts = [(keys, SHORTEST_NAME) for keys in (tuple(ONE_HEADERS), *ONE_NARROWER)]
    table, keys = grid.draw(layouts, width, color)
    notes = [*_one_notes(session), *grid.notes(keys, lambda: grid.least_width(SHORTEST_NAME))]
    return _join_lines([*head, "", *table, *note_lines(notes, width, color)])


def _list_rows(
    sessions: Sequence[Session], shown: dict[str, str], day_of: DayOf, breakdown: bool, limit: int | None
) -> tuple[list[Row], list[int]]:
    """Return the rows and the numbers of those that begin a session: the first *limit* sessions, each with a row per
    further model and with *breakdown* one with the numbers of each; then the sum of the others and the total."""
    rows: list[Row] = []
    first_rows: list[int] = []
    totals = NO_SUMS
    for s in sessions[:limit]:
        sums = sums_of(s.models)
        totals = add_sums(totals, sums)
        first_model, *more_models = model_bullets(s) or [""]
        last = "" if s.last is None else day_of(s.last)
        last += ARCHIVED if s.archived else ""
        first_rows.append(len(rows))
        cells = {FIRST: shown[s.id], MODELS: first_model, **number_cells(sums, s.has_unpriced), LAST: last}
        rows += [(cells, ""), *(({MODELS: name}, "") for name in more_models)]
        if breakdown:
            rows += breakdown_rows(s)
    rest = sessions[len(first_rows) :]
    if rest:
        sums = total(rest)
        totals = add_sums(totals, sums)
        rows.append(({FIRST: f"{len(rest):,} more", **number_cells(sums, any_unpriced(rest))}, DIM))
    return [*rows, ({FIRST: "Total", **number_cells(totals, any_unpriced(sessions))}, YELLOW)], first_rows


def _facts(session: Session, day_of: DayOf) -> list[tuple[str, str]]:
    """Return (label, text) for the lines above the table of one session."""
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
            ("Client", f"{_client_money(session.client_cost)} by Claude Code's own count, shown for comparison only")
        )
    return facts


def _fact_lines(label: str, text: str, width: int) -> list[str]:
    """Return *text* beside *label*, or after it on a narrow screen."""
    if width < LABELS + LONGEST_ID:
        return wrap(f"{label}: {clean(text)}", width, "  ")
    return lay_out_beside(f"{label:<{LABELS}}", clean(text), LABELS, width)


def _client_money(dollars: float) -> str:
    """Format the client's figure like `money`, or as it is if it is not finite or absurdly large."""
    return money(round(dollars * 1e12)) if abs(dollars) < 1e15 else str(dollars)


def _list_notes(sessions: Sequence[Session], keys: Keys) -> list[str]:
    archived = sum(s.archived for s in sessions)
    return usage_notes(sessions, archived, f"{ARCHIVED.strip()} " if LAST in keys else "")


def _one_notes(session: Session) -> list[str]:
    notes = usage_notes([session], 0)
    if session.archived:
        notes.append("Archived: the transcripts of this session no longer exist, but its usage is kept.")
    return notes


def _join_lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
