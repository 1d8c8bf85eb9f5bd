"""`ccusage session`: the report of all sessions, or of one."""

from __future__ import annotations

import os

from .. import options
from ..errors import UnknownSession, UsageError
from ..paths import data_dirs, index_dir
from ..text import clean
from .console import Console
from .parser import Commands, add_command
from .reporting import Form, days, project_meant, refuse, unpriced, used_days, way_out

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
    Chosen = dict[str, str | None]  # keyword arguments of _chosen

_SMALL = 32 * 1024 * 1024  # bytes; with fewer transcripts, the first index is built before one session is answered
_EXAMPLES = """\
example: ccusage session --json --jq '[.sessions[].totalCost] | add'
"""


def add(commands: Commands, name: str) -> None:
    add_command(
        commands,
        name,
        run,
        (*options.SESSION, options.OR_DEMO),
        help="the report of all sessions, or of one",
        usage="ccusage session [options] [ID]",
        epilog=_EXAMPLES,
    )


def run(console: Console, *, or_demo: bool, **asked: Any) -> None:
    """Print the report; with *or_demo* that of the sample if there are no transcripts."""
    if or_demo:
        from ..demo import sample
        from ..transcripts.files import walk

        asked["offline"] = True  # the first command in the README has to work without a network
        if not walk(data_dirs(console.environ)).files:
            console.say("no transcripts found: this is the bundled sample")
            with sample(console.environ):
                return report(console, **asked)
    return report(console, **asked)


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
    """Print the report of all sessions, or of the one named by --id or as a bare word. *shared*: see Form."""
    if None not in (session, id):
        raise UsageError(f"one session at a time: --id {id} or {session}")
    form = Form(console, **shared)
    if session is not None and form.csv and session.lower().endswith(".csv"):
        raise UsageError(f"CSV goes to stdout: write `--csv > {session}`")
    id = session if id is None else id
    look: Look = {"breakdown": breakdown, "compact": compact, "limit": limit}
    chosen = {"since": since, "until": until, "project": project}
    if id is None:
        for name, given in (("entries", entries), ("explain", explain)):
            if given:
                raise UsageError(f"--{name} works only with --id")
        return _all(form, (sort, order), chosen, look, html)
    other = "it can't be combined with --id" if session is None else f"{session!r} is read as a session id"
    of_list = {"html": html, **chosen, **look, "sort": sort, "order": order}
    refuse(console, "session", of_list, f"applies to the list; {other}")
    if entries and form.is_text:
        raise UsageError("--entries wants --json or --csv")
    if explain and form.csv:
        raise UsageError("--explain can't be combined with --csv; use --json")
    return _one(form, id, explain, entries or (form.jq is not None and "entries" in form.jq))


# --- all sessions ------------------------------------------------------------------------------------------------


def _all(form: Form, order: Order, chosen: Chosen, look: Look, html: str | None) -> None:
    """Print the list, or write it as a page to the file *html*. *order* is the sort key and direction, *chosen* the
    filters as typed, *look* the appearance of the text."""
    limit, said = look["limit"], form.console.config.defaults_for("session", form.console.environ)
    since, until = days(chosen["since"], chosen["until"], form.day_of, said.get("since"))
    if limit is not None and (limit < 1 or form.json):
        way = "with JSON write --jq '.sessions[:N]'" if form.json else "it has to be at least 1"
        raise UsageError(f"--limit {limit}: {way}")
    chosen = {"since": since, "until": until, "project": project_meant(chosen["project"])}
    if html is None:
        return _list(form, order, chosen, look)
    return _page(form, html, order, chosen, look)


def _list(form: Form, order: Order, chosen: Chosen, look: Look) -> None:
    from ..report.ready import MANY
    from ..transcripts.files import walk

    form.refresh_prices()
    ready, found = _ready_report(form, (*order, *chosen.values()), look), None
    if ready is not None and ready.there:
        found = walk(data_dirs(form.console.environ))
        told = ready.read(found, form.day_of)
        if told is not None:
            _tell(form, *told)
            return
    index, seen = form.index(found)
    from ..report.sessions import arrange

    everything = index.sessions(form.mode)
    sessions = arrange(_chosen(everything, form, **chosen), *order)
    if form.jq is not None:
        from ..jsontext import list_data, list_json

        form.tell_json(lambda: list_data(sessions, form.day_of), lambda: list_json(sessions, form.day_of))
    elif form.csv:
        from ..report.sessions import CSV_COLUMNS, CSV_MODEL_COLUMNS, csv_lines

        by_model = look["breakdown"]
        lines = csv_lines(sessions[: look["limit"]], form.day_of, by_model)
        form.tell_csv(CSV_MODEL_COLUMNS if by_model else CSV_COLUMNS, lines)
    elif not (sessions or form.json):
        form.console.say(_nothing(index, form, chosen))
    else:
        out = _text(form, sessions, look, chosen).encode("utf-8", "backslashreplace")
        warning = "" if form.json else unpriced(sessions)
        _tell(form, out, warning)
        if ready is not None and seen is not None and len(everything) >= MANY:
            ready.keep(index, seen, (s.last for s in everything if s.last is not None), form.day_of, out, warning)


def _chosen(
    sessions: Iterable[Session], form: Form, since: str | None, until: str | None, project: str | None
) -> list[Session]:
    """Return the sessions that pass the filters."""
    from ..report.sessions import choose

    if project is not None:
        from ..index.slots import is_in_path

        sessions = [session for session in sessions if is_in_path(session.project_path or "", project)]
    return choose(sessions, form.day_of, since=since, until=until)


def _ready_report(form: Form, asked: tuple[object, ...], look: Look) -> ReadyReport | None:
    """Return where the report may be stored; None with --jq or --csv, whose reports are rarely repeated."""
    if form.jq is not None or form.csv:
        return None
    from ..prices.in_use import table
    from ..report.ready import JSON, TEXT, ReadyReport

    kind, more = (JSON, ()) if form.json else (TEXT, (*look.values(), form.width, form.color))
    return ReadyReport(index_dir(form.console.environ), kind, table().fingerprint, (form.mode, *asked, *more))


def _tell(form: Form, out: bytes, warning: str) -> None:
    form.console.show(out, form.pager)
    form.console.warn(warning)


def _text(form: Form, sessions: list[Session], look: Look, chosen: Chosen) -> str:
    if form.json:
        from ..jsontext import list_json

        return list_json(sessions, form.day_of) + "\n"
    from ..report.sessions import render_list

    words = "; ".join(_words("auto", **chosen))
    whole = " (with all their usage, also before that; `ccusage daily` has single days)" if chosen["since"] else ""
    notes = [f"Shown: {words}{whole}."] if words else []
    return render_list(sessions, width=form.width, day_of=form.day_of, color=form.color, notes=notes, **look)


def _nothing(index: Index, form: Form, chosen: Chosen) -> str:
    """Explain why a report is empty."""
    if any(chosen.values()):
        from ..index.slots import is_in_path

        return f"no session matches{way_out(index.sessions(form.mode), chosen['project'], form.day_of, is_in_path)}"
    places = "\n".join(f"  {root}" for root in index.roots)
    return f"no usage found; looked for transcripts below\n{places}\n`ccusage demo` shows the report on a sample"


# --- a page ------------------------------------------------------------------------------------------------------


def _page(form: Form, file: str, order: Order, chosen: Chosen, look: Look) -> None:
    """Write the list as HTML to *file*, or to stdout if it is `-`."""
    from ..report.page import render
    from .target import Target

    if not form.is_text:
        raise UsageError(f"--html and --{'csv' if form.csv else 'json'} can't be combined: choose one")
    target = None if file == "-" else Target("--html", file)
    form.refresh_prices()
    index, _ = form.index()
    page = index.snapshot(lambda: _page_of(form, index, order, chosen, look))
    if not page.sessions:
        form.console.say(_nothing(index, form, chosen))
    text = render(page)
    if target is None:
        form.console.out(text)
    else:
        target.write(text.encode())
        form.console.out(f"written: {clean(target.path)}\n")
    form.console.warn(unpriced(page.sessions))


def _page_of(form: Form, index: Index, order: Order, chosen: Chosen, look: Look) -> Page:
    import time

    from ..index.slots import by_period
    from ..report.page import Page
    from ..report.periods import Periods
    from ..report.sessions import arrange
    from ..report.usage import labelled

    weekly = form.console.config.defaults_for("weekly", form.console.environ)
    periods = Periods("day", form.zone, weekly.get("start_of_week", "sunday"))
    sessions = arrange(_chosen(index.sessions(form.mode), form, **chosen), *order)
    of = {session.id for session in sessions} if any(chosen.values()) else None
    starts = periods.hours(used_days(index, periods))
    return Page(
        sessions=sessions,
        limit=look["limit"],
        rows=by_period(index, starts, form.mode, count_sessions=False, of=of),
        starts=starts,
        periods=periods,
        zone=form.zone or time.strftime("%Z"),
        made=time.time_ns() // 1000,
        chosen=_words(form.mode, **chosen),
        name_of=labelled(form.console.config.project_labels),
        breakdown=look["breakdown"],
    )


def _words(mode: str, since: str | None, until: str | None, project: str | None) -> list[str]:
    """Describe the filters in words."""
    days = [f"{word} {day}" for word, day in (("from", since), ("until", until)) if day is not None]
    words = [f"sessions last active {' '.join(days)}"] if days else []
    if project is not None:
        words.append(f"projects with \u201c{clean(project.removesuffix(os.sep + '.'))}\u201d in their path")
    return words + ([f"costs: {mode}"] if mode != "auto" else [])


# --- one session -------------------------------------------------------------------------------------------------


def _one(form: Form, id: str, explain: bool, entries: bool) -> None:
    index = form.console.index()
    try:
        session = _find(form, index, id, entries)
    except UnknownSession:
        if form.json:  # scripts get null, people the message
            form.tell_json(lambda: None, lambda: "null")
        raise
    form.console.warn_not_stored(index)
    if explain:
        _explain(form, index, session)
    elif form.json:
        from ..jsontext import as_data, one_json

        told = session, form.day_of, entries
        form.tell_json(lambda: as_data(*told), lambda: one_json(*told))
    elif form.csv:
        from ..report import sessions as of

        lines = of.csv_entries(session, form.day_of) if entries else of.csv_lines([session], form.day_of, True)
        form.tell_csv(of.CSV_ENTRY_COLUMNS if entries else of.CSV_MODEL_COLUMNS, lines)
    else:
        from ..report.sessions import render_one

        text = render_one(session, width=form.width, day_of=form.day_of, color=form.color)
        form.console.show(text, form.pager)
        form.console.warn(unpriced([session]))


def _explain(form: Form, index: Index, session: Session) -> None:
    """Explain why Claude Code's own total differs."""
    from ..jqpath import render
    from ..report.explain import as_data, as_text, explain

    explanation = explain(session, index, form.mode)
    if form.json:
        data = as_data(explanation)
        form.tell_json(lambda: data, lambda: render(data))
    else:
        form.console.show(as_text(explanation, form.width), form.pager)


def _find(form: Form, index: Index, wanted: str, entries: bool) -> Session:
    """Find the session by its id, the name of a transcript, a unique prefix or the form that a report shows."""
    if not index.complete:
        _begin(form.console, index)
    form.console.warn_mended(index)
    if wanted != "latest" and index.refresh_session(wanted) is not None:
        complete, session = index.snapshot(lambda: (index.complete, index.session(wanted, form.mode, entries)))
        if session is not None:
            if not complete:
                form.console.say("provisional: not all transcripts have been read yet")
            return session
    from ..index import questions
    from . import ids

    index.refresh(form.console.progress())
    session = index.session(wanted, form.mode, entries)
    if session is None and wanted != ids.LATEST:
        named = questions.transcripts_named(index, wanted)
        if named:
            return questions.file_session(index, ids.only(wanted, named), form.mode, entries)
    if session is None:
        session = index.session(ids.resolve(index, wanted, form.day_of, form.mode), form.mode, entries)
    if session is None:
        raise UnknownSession(wanted)
    return session


def _begin(console: Console, index: Index) -> None:
    """Start the first index: here if it is small, else in the background; the caller reads one session's files."""
    from .. import recent
    from ..transcripts.files import walk

    look = recent.last_look(index.folder)
    size = sum(found.stat.st_size for found in walk(index.roots).files)
    if size <= _SMALL or not index.stored:
        _read_all(console, index, patience=1.0)
    elif recent.is_lost(look):  # an earlier attempt could not store it, or has not finished yet
        _read_all(console, index, patience=0.0)
    elif recent.begin_look(index.folder, look, recent.FIRST_SWEEP):
        from ..background import spawn

        spawn("index", "sweep")


def _read_all(console: Console, index: Index, patience: float) -> None:
    """Build the first index here. If another process is busy with it for *patience* seconds, return without it."""
    from ..errors import UnreadableIndex

    try:
        index.refresh(console.progress(), patience=patience)
    except UnreadableIndex:
        if index.complete:
            raise
