"""`ccusage session`: the report of all sessions, or of one."""

from __future__ import annotations

import os

from .. import options
from ..errors import UnknownSession, UsageError
from ..paths import data_dirs
from ..text import clean
from .console import Console
from .parser import Commands, add_command
from .reporting import Request, empty_hint, parse_days, refuse, resolve_project, unpriced_warning, used_days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..index.index import Index
    from ..report.page import Page
    from ..report.ready import ReadyReport
    from ..session import Session

    Look = dict[str, Any]  # keyword arguments of render_list
    Order = tuple[str, str]
    Filters = dict[str, str | None]  # keyword arguments of _filter

_SMALL_HISTORY = 32 * 1024 * 1024  # bytes of transcripts that are all read before one session is answered
_EXAMPLE = "example: ccusage session --json --jq '[.sessions[].totalCost] | add'\n"


def add(commands: Commands, name: str) -> None:
    add_command(
        commands,
        name,
        run,
        (*options.SESSION, options.OR_DEMO),
        help="show usage by session, or of one session",
        usage="ccusage session [options] [ID]",
        epilog=_EXAMPLE,
    )


def run(console: Console, *, or_demo: bool, **values: Any) -> None:
    """Print the report; with *or_demo* that of the sample if there are no transcripts."""
    if or_demo:
        from ..demo import sample
        from ..transcripts.files import walk

        values["offline"] = True  # the first command in the README has to work without a network
        if not walk(data_dirs(console.environ)).files:  # the sample has a data directory of its own
            console.say("no transcripts found: this is the bundled sample")
            with sample(console.environ):
                return report(console, **values)
    return report(console, **values)


def report(
    console: Console,
    *,
    session: str | None,
    id: str | None,
    html: str | None,
    explain: bool,
    entries: bool,
    since: str | None,
    until: str | None,
    project: str | None,
    sort: str,
    order: str,
    limit: int | None,
    breakdown: bool,
    compact: bool,
    **shared: Any,
) -> None:
    """Print the report of all sessions, or of the one named by --id or as a bare word. *shared*: see Request."""
    if None not in (session, id):
        raise UsageError(f"one session at a time: --id {id} or {session}")
    request = Request(console, **shared)
    if session is not None and request.csv and session.lower().endswith(".csv"):
        raise UsageError(f"CSV goes to stdout: write `--csv > {session}`")
    id = session if id is None else id
    look: Look = {"breakdown": breakdown, "compact": compact, "limit": limit}
    filters = {"since": since, "until": until, "project": project}
    if id is None:
        if entries or explain:
            raise UsageError(f"--{'entries' if entries else 'explain'} works only with --id")
        return _report_all(request, (sort, order), filters, look, html)
    other = "it can't be combined with --id" if session is None else f"{session!r} is read as a session id"
    list_options = {"html": html, **filters, **look, "sort": sort, "order": order}
    refuse(console, "session", list_options, f"applies to the list; {other}")
    if entries and request.is_text:
        raise UsageError("--entries works only with --json or --csv")
    if explain and request.csv:
        raise UsageError("--explain can't be combined with --csv; use --json")
    return _report_one(request, id, explain, entries or (request.jq is not None and "entries" in request.jq))


# --- all sessions ------------------------------------------------------------------------------------------------


def _report_all(request: Request, order: Order, filters: Filters, look: Look, html: str | None) -> None:
    """Print the list, or write it as a page to the file *html*. *order* is the sort key and direction, *filters* the
    filters as typed, *look* the appearance of the text."""
    limit, defaults = look["limit"], request.console.config.defaults_for("session", request.console.environ)
    since, until = parse_days(filters["since"], filters["until"], request.day_of, defaults.get("since"))
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} is less than 1")
    if limit is not None and request.json:
        raise UsageError(f"--limit does not work with JSON; write --jq '.sessions[:{limit}]'")
    filters = {"since": since, "until": until, "project": resolve_project(filters["project"])}
    if html is None:
        _print_list(request, order, filters, look)
    else:
        _write_page(request, html, order, filters, look)


def _print_list(request: Request, order: Order, filters: Filters, look: Look) -> None:
    from ..report.ready import MANY
    from ..transcripts.files import walk

    request.refresh_prices()
    ready = _ready_report(request, (*order, *filters.values()), look)
    transcripts = None
    if ready is not None and ready.exists:
        transcripts = walk(request.console.roots)
        stored = ready.read(transcripts, request.day_of)
        if stored is not None:
            _print(request, *stored)
            return
    index, unchanged = request.index(transcripts)
    from ..report.sessions import sort_sessions

    everything = index.sessions(request.mode)
    sessions = sort_sessions(_filter(everything, request, **filters), *order)
    if request.jq is not None:
        from ..jsontext import list_data, list_json

        request.print_json(lambda: list_data(sessions, request.day_of), lambda: list_json(sessions, request.day_of))
    elif request.csv:
        from ..report.sessions import CSV_COLUMNS, CSV_MODEL_COLUMNS, csv_lines

        by_model = look["breakdown"]
        lines = csv_lines(sessions[: look["limit"]], request.day_of, by_model)
        request.print_csv(CSV_MODEL_COLUMNS if by_model else CSV_COLUMNS, lines)
    elif not (sessions or request.json):
        request.console.say(_explain_empty(index, request, filters))
    else:
        out = _text(request, sessions, look, filters).encode("utf-8", "backslashreplace")
        warning = "" if request.json else unpriced_warning(sessions)
        _print(request, out, warning)
        if ready is not None and unchanged is not None and len(everything) >= MANY:
            times = [s.last for s in everything if s.last is not None]
            ready.store(index, unchanged, times, request.day_of, out, warning)


def _filter(
    sessions: Iterable[Session], request: Request, since: str | None, until: str | None, project: str | None
) -> list[Session]:
    """Return the sessions that pass the filters."""
    from ..report.sessions import choose

    if project is not None:
        from ..index.slots import is_in_path

        sessions = [session for session in sessions if is_in_path(session.project_path or "", project)]
    return choose(sessions, request.day_of, since=since, until=until)


def _ready_report(request: Request, choices: tuple[object, ...], look: Look) -> ReadyReport | None:
    """Return where the report of *choices*, order and filters, is stored; None with --jq or --csv, rarely repeated."""
    if request.jq is not None or request.csv:
        return None
    from ..prices.in_use import table
    from ..report.ready import JSON, TEXT, ReadyReport

    kind, more = (JSON, ()) if request.json else (TEXT, (*look.values(), request.width, request.color))
    return ReadyReport(request.console.index_dir(), kind, table().fingerprint, (request.mode, *choices, *more))


def _print(request: Request, out: bytes, warning: str) -> None:
    request.console.show(out, request.pager)
    request.console.warn(warning)


def _text(request: Request, sessions: list[Session], look: Look, filters: Filters) -> str:
    if request.json:
        from ..jsontext import list_json

        return list_json(sessions, request.day_of) + "\n"
    from ..report.sessions import render_list

    words = _describe_filters("auto", **filters)
    if filters["since"]:
        words[0] += " (with all their usage, also before that; `ccusage daily` has single days)"
    notes = [f"Shown: {'; '.join(words)}."] if words else []
    return render_list(sessions, width=request.width, day_of=request.day_of, color=request.color, notes=notes, **look)


def _explain_empty(index: Index, request: Request, filters: Filters) -> str:
    """Explain why a report is empty."""
    if any(filters.values()):
        from ..index.slots import is_in_path

        hint = empty_hint(index.sessions(request.mode), filters["project"], request.day_of, is_in_path)
        return f"no session matches{hint}"
    places = "\n".join(f"  {root}" for root in index.roots)
    return f"no usage found; looked for transcripts below\n{places}\n`ccusage demo` shows the report on a sample"


# --- a page ------------------------------------------------------------------------------------------------------


def _write_page(request: Request, file: str, order: Order, filters: Filters, look: Look) -> None:
    """Write the list as HTML to *file*, or to stdout if it is `-`."""
    from ..report.page import render
    from .target import Target

    if not request.is_text:
        raise UsageError(f"--html and --{'csv' if request.csv else 'json'} can't be combined: choose one")
    target = None if file == "-" else Target("--html", file)
    request.refresh_prices()
    index, _ = request.index()
    page = index.snapshot(lambda: _make_page(request, index, order, filters, look))
    if not page.sessions:
        request.console.say(_explain_empty(index, request, filters))
    text = render(page)
    if target is None:
        request.console.out(text)
    else:
        target.write(text.encode())
        request.console.out(f"written: {clean(target.path)}\n")
    request.console.warn(unpriced_warning(page.sessions))


def _make_page(request: Request, index: Index, order: Order, filters: Filters, look: Look) -> Page:
    import time

    from ..index.slots import by_period
    from ..report.page import Page
    from ..report.periods import Periods
    from ..report.sessions import sort_sessions
    from ..report.usage import project_namer

    weekly = request.console.config.defaults_for("weekly", request.console.environ)
    periods = Periods("day", request.zone, weekly.get("start_of_week", "sunday"))
    sessions = sort_sessions(_filter(index.sessions(request.mode), request, **filters), *order)
    chosen = {session.id for session in sessions} if any(filters.values()) else None
    starts = periods.hours(used_days(index, periods))
    return Page(
        sessions=sessions,
        limit=look["limit"],
        rows=by_period(index, starts, request.mode, count_sessions=False, of=chosen),
        starts=starts,
        periods=periods,
        zone=request.zone or time.strftime("%Z"),
        created=time.time_ns() // 1000,
        filters=_describe_filters(request.mode, **filters),
        name_of=project_namer(request.console.config.project_labels),
        breakdown=look["breakdown"],
    )


def _describe_filters(mode: str, since: str | None, until: str | None, project: str | None) -> list[str]:
    """Describe the filters in words."""
    days = [f"{word} {day}" for word, day in (("from", since), ("until", until)) if day is not None]
    words = [f"sessions last active {' '.join(days)}"] if days else []
    if project is not None:
        words.append(f"projects with \u201c{clean(project.removesuffix(os.sep + '.'))}\u201d in their path")
    return words + ([f"costs: {mode}"] if mode != "auto" else [])


# --- one session -------------------------------------------------------------------------------------------------


def _report_one(request: Request, id: str, explain: bool, entries: bool) -> None:
    index = request.console.index()
    try:
        session = _find(request, index, id, entries)
    except UnknownSession:
        if request.json:  # scripts get null, people the message
            request.print_json(lambda: None, lambda: "null")
        raise
    request.console.warn_not_stored(index)
    if explain:
        _explain(request, index, session)
    elif request.json:
        from ..jsontext import as_data, one_json

        day_of = request.day_of
        request.print_json(lambda: as_data(session, day_of, entries), lambda: one_json(session, day_of, entries))
    elif request.csv:
        from ..report.sessions import CSV_ENTRY_COLUMNS, CSV_MODEL_COLUMNS, csv_entries, csv_lines

        lines = csv_entries(session, request.day_of) if entries else csv_lines([session], request.day_of, True)
        request.print_csv(CSV_ENTRY_COLUMNS if entries else CSV_MODEL_COLUMNS, lines)
    else:
        from ..report.sessions import render_one

        text = render_one(session, width=request.width, day_of=request.day_of, color=request.color)
        request.console.show(text, request.pager)
        request.console.warn(unpriced_warning([session]))


def _explain(request: Request, index: Index, session: Session) -> None:
    """Explain why Claude Code's own total differs."""
    from ..jqpath import render
    from ..report.explain import as_data, as_text, explain

    explanation = explain(session, index, request.mode)
    if request.json:
        data = as_data(explanation)
        request.print_json(lambda: data, lambda: render(data))
    else:
        request.console.show(as_text(explanation, request.width), request.pager)


def _find(request: Request, index: Index, wanted: str, entries: bool) -> Session:
    """Find the session by its id, the name of a transcript, a unique prefix or the form that a report shows."""
    if not index.complete:
        _start_first_index(request.console, index)
    request.console.warn_mended(index)
    if wanted != "latest" and index.refresh_session(wanted) is not None:
        complete, session = index.snapshot(lambda: (index.complete, index.session(wanted, request.mode, entries)))
        if session is not None:
            if not complete:
                request.console.say("provisional: not all transcripts have been read yet")
            return session
    from ..index import questions
    from . import ids

    index.refresh(request.console.progress())
    session = index.session(wanted, request.mode, entries)
    if session is None and wanted != ids.LATEST:
        named = questions.transcripts_named(index, wanted)
        if named:
            return questions.file_session(index, ids.require_one(wanted, named), request.mode, entries)
    if session is None:
        session = index.session(ids.resolve(index, wanted, request.day_of, request.mode), request.mode, entries)
    if session is None:
        raise UnknownSession(wanted)
    return session


def _start_first_index(console: Console, index: Index) -> None:
    """Start the first index: here if it is small, else in the background; the caller reads one session's files."""
    from .. import recent
    from ..transcripts.files import walk

    last_sweep = recent.last_sweep(index.folder)
    size = sum(file.stat.st_size for file in walk(index.roots).files)
    if size <= _SMALL_HISTORY or not index.stored:
        _build_first_index(console, index, patience=1.0)
    elif recent.is_lost(last_sweep):  # an earlier attempt could not store it, or has not finished yet
        _build_first_index(console, index, patience=0.0)
    elif recent.begin_sweep(index.folder, last_sweep, recent.FIRST_SWEEP):
        from ..background import spawn

        spawn("index", "sweep")


def _build_first_index(console: Console, index: Index, patience: float) -> None:
    """Build the first index here. If another process is busy with it for *patience* seconds, return without it."""
    from ..errors import UnreadableIndex

    try:
        index.refresh(console.progress(), patience=patience)
    except UnreadableIndex:
        if index.complete:
            raise
