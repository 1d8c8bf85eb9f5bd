"""Completion of `--id`, `--project` and the other options, by argcomplete's protocol.

A shell sends its request in environment variables (`_ARGCOMPLETE`, `COMP_LINE`, ...) and reads the candidates from
descriptor 8. `--id` is answered here without argparse and argcomplete, whose import takes longer than the answer;
argcomplete handles the rest. Only the index is read, nothing is refreshed. Errors are not reported, because a message
would spoil the command line. Standard library only: on the lean lanes.
"""

from __future__ import annotations

import os
import time

from ..session import money
from .line import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
    from sqlite3 import Connection
    from typing import Any

    Candidate = tuple[str, str]  # the text to insert, and its description
    Row = tuple[Any, ...]

NEWEST = 50  # sessions offered
LATEST = "latest"
_DAYS = ("today", "yesterday", "7d", "2w", "30d")
_TITLE = 60  # characters of a title
_DESCRIPTOR = 8  # the descriptor from which the shell reads
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_QUOTING = frozenset("'\"\\$`#*?[]{}()<>|&;~!\n")


# --- `--id` at once ----------------------------------------------------------------------------------------------


def answer(environ: Mapping[str, str]) -> bool:
    """Return whether the request was for an `--id` and was answered; if not, `autocomplete` has to answer it."""
    prefix = _typed_id(environ)
    if prefix is None:
        return False
    candidates = sessions(environ, prefix)
    if not candidates or not all(_PLAIN.issuperset(id) for id, _ in candidates):
        return False  # argcomplete can quote for each shell and knows the other candidates
    delimiter = environ.get("_ARGCOMPLETE_DFS", "")
    if not delimiter and environ.get("_ARGCOMPLETE_SHELL") == "zsh":
        delimiter = ":"
    separator = environ.get("_ARGCOMPLETE_IFS", "\013")
    text = separator.join(f"{id}{delimiter}{description}" if delimiter else id for id, description in candidates)
    try:
        os.write(_DESCRIPTOR, text.encode("utf-8", "replace"))
    except OSError:
        pass
    return True


def _typed_id(environ: Mapping[str, str]) -> str | None:
    """Return the part of an id that was typed, or None for another request or a line that needs quoting rules."""
    line, point = environ.get("COMP_LINE", ""), environ.get("COMP_POINT", "")
    if "_ARGCOMPLETE_STDOUT_FILENAME" in environ or not (line.isascii() and point.isdigit()):
        return None
    line = line[: int(point)]
    if not _QUOTING.isdisjoint(line):
        return None
    words = line.split()
    prefix = words.pop() if words and not line[-1].isspace() else ""
    is_id = len(words) > 1 and words[-1] in ("--id", "-i") and (words[1] == "session" or words[1].startswith("-"))
    is_id = is_id or words[1:] == ["session"]
    return prefix if is_id and "--" not in words and not prefix.startswith("-") else None


# --- candidates --------------------------------------------------------------------------------------------------


def sessions(environ: Mapping[str, str], prefix: str, archived: bool = False) -> list[Candidate]:
    """Return the newest sessions, or only *archived* ones, whose id or its last parts, as reports show them, begin with
    *prefix*; they are described by cost, age and title."""

    def query(database: Connection) -> list[Candidate]:
        return [*_sessions(database, prefix, archived), *(_short_forms(database, prefix, archived) if prefix else ())]

    candidates = _query(environ, query)
    if archived:
        return candidates
    latest = [(LATEST, "the newest session")] if (candidates or prefix) and LATEST.startswith(prefix) else []
    return latest + candidates


def projects(environ: Mapping[str, str], prefix: str) -> list[str]:
    """Return the paths of projects, last used first, with their last parts in front unless a path was begun."""
    paths = [_text(row[0]) for row in _query(environ, lambda database: _rows(database, _PROJECTS)) if row[0]]
    names = [] if prefix.startswith(("/", "~")) else [path.rstrip("/").rpartition("/")[2] for path in paths]
    if prefix.startswith("~/"):
        home = environ.get("HOME", "").rstrip("/") + "/"
        paths = ["~/" + path[len(home) :] for path in paths if path.startswith(home)]
    return [name for name in dict.fromkeys((*names, *paths)) if name.isprintable() and name.startswith(prefix)]


def models(environ: Mapping[str, str], prefix: str) -> list[str]:
    names = [_text(row[0]) for row in _query(environ, lambda database: _rows(database, _MODELS)) if row[0]]
    return [name for name in names if name.isprintable() and name.startswith(prefix)]


_SESSIONS = """
SELECT sessions.session, names.text, last,
    (SELECT group_concat(auto) FROM totals WHERE totals.session = sessions.session),
    (SELECT sum(unpriced_auto) FROM totals WHERE totals.session = sessions.session)
FROM sessions JOIN names ON names.id = sessions.session
WHERE {} AND NOT (? AND EXISTS (
    SELECT 1 FROM holds JOIN files ON files.id = holds.file
    WHERE holds.session = sessions.session AND counted AND NOT vanished
)) ORDER BY last DESC LIMIT ?
"""
_BEGINS = "names.text >= ? AND (? IS NULL OR names.text < ?)"
_CONTAINS = "instr(names.text, ?)"
_TITLES = "SELECT custom_title, ai_title, summary FROM files WHERE own AND session = ? ORDER BY vanished DESC, path"
_PROJECTS = """
SELECT names.text FROM sessions JOIN names ON names.id = sessions.project
GROUP BY sessions.project ORDER BY max(last) DESC LIMIT 200
"""
_MODELS = "SELECT DISTINCT names.text FROM totals JOIN names ON names.id = totals.model ORDER BY names.text"


def _query(environ: Mapping[str, str], query: Callable[[Connection], list[Row]]) -> list[Row]:
    """Return the rows of *query*, none if there is no index or it can't be read: incomplete, foreign or newer."""
    from ..index.schema import open_readable
    from ..paths import index_dir

    try:
        database = open_readable(index_dir(environ))
        return query(database) if database else []
    except Exception:
        return []


def _rows(database: Connection, statement: str, *values: object) -> list[Row]:
    return database.execute(statement, values).fetchall()


def _sessions(database: Connection, prefix: str, archived: bool) -> Iterator[Candidate]:
    begin = prefix.encode("utf-8", "surrogatepass")
    end = begin[:-1] + bytes([begin[-1] + 1]) if begin else None
    yield from _candidates(database, _rows(database, _SESSIONS.format(_BEGINS), begin, end, end, archived, NEWEST))


def _short_forms(database: Connection, prefix: str, archived: bool) -> list[Candidate]:
    """Return the last two parts of each id, or three if the two do not begin with *prefix*."""
    part = f"-{prefix}".encode("utf-8", "surrogatepass")
    ids = list(_candidates(database, _rows(database, _SESSIONS.format(_CONTAINS), part, archived, NEWEST)))
    forms = [("-".join(id.rsplit("-", count)[-count:]), description) for count in (2, 3) for id, description in ids]
    return [(form, description) for form, description in forms if form.startswith(prefix)]


def _candidates(database: Connection, rows: Iterable[Row]) -> Iterator[Candidate]:
    now = time.time()
    for number, id, last, costs, unpriced in rows:
        cost = sum(int(cost) for cost in str(costs or 0).split(","))
        title = _title(_rows(database, _TITLES, number))
        description = [money(cost, bool(unpriced)), age(now - last / 1_000_000), *([title] if title else [])]
        if (shown := _text(id)).isprintable():  # no control characters for the terminal
            yield shown, ", ".join(description)


def _title(rows: Iterable[Row]) -> str:
    """Return a session's title: the last of each kind, a custom one before a generated one before a summary."""
    kinds: list[bytes | None] = [None, None, None]
    for row in rows:
        kinds = [new if new is not None else old for new, old in zip(row, kinds, strict=True)]
    title = next((kind for kind in kinds if kind), b"")
    shown = escape(_text(title), colour=False)
    return shown if len(shown) <= _TITLE else f"{shown[: _TITLE - 1]}…"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def age(seconds: float) -> str:
    """Return how long ago something was, in the largest whole unit."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "now"


# --- everything else ---------------------------------------------------------------------------------------------


def autocomplete(parser_of: Callable[[str], ArgumentParser], environ: MutableMapping[str, str]) -> None:
    """Let argcomplete answer the request in *environ*, which is that of the process, and end the process. *parser_of*
    returns the parser of one command, or of all for ""."""
    from argcomplete.completers import SuppressCompleter
    from argcomplete.finders import CompletionFinder

    class Finder(CompletionFinder):
        def filter_completions(self, completions: list[str]) -> list[str]:
            """Return the candidates without options, unless there are no others: a dash was typed."""
            candidates = super().filter_completions(completions)
            return [each for each in candidates if not each.startswith("-")] or candidates

    command, excluded = _rewrite_request(environ)
    parser = parser_of(command)
    for action in _actions(parser):
        completer = _completer(action, environ)
        if completer is not None:
            action.completer = completer  # type: ignore[attr-defined]
    Finder()(
        parser,
        always_complete_options="long",
        default_completer=SuppressCompleter(),
        exclude=excluded,
        validator=lambda candidate, prefix: candidate.lower().startswith(prefix.lower()),
    )


def _rewrite_request(environ: MutableMapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Rewrite the request: bare options become those of `session`, words after `install --` those of `statusline`.

    Returns the command if it is known, and the options not to offer: those of every command, if a new word begins (as
    the only candidates they would be inserted) and after `--` (where they have no meaning).
    """
    from ..options import GLOBAL

    everywhere = ("--help", *(option.names[-1] for option in GLOBAL))
    line, point = environ.get("COMP_LINE", ""), environ.get("COMP_POINT", "")
    if not point.isdigit():
        return "", ()
    line, rest = line[: int(point)].lstrip(), line[int(point) :]  # bash-completion leaves the space after `time`
    program, space, typed = line.partition(" ")
    typed = typed.lstrip().removeprefix("claude ").lstrip()
    first = typed.split()[0].partition("=")[0] if typed else ""
    after_dashes = first == "install" and " -- " in typed
    alone = first in (*everywhere, "-h", "-V") or (len(first) > 2 and "--version".startswith(first))
    if first.startswith("-") and not alone:
        typed = f"session {typed}"
    elif after_dashes:
        typed = f"statusline {typed.partition(' -- ')[2]}"
    line = f"{program}{space}{typed}"
    environ["COMP_LINE"], environ["COMP_POINT"] = line + rest, str(len(line))
    command, known, _ = typed.partition(" ")
    return command if known else "", everywhere if after_dashes or line[-1:].isspace() else ()


def _actions(parser: ArgumentParser) -> Iterator[Action]:
    """Yield the actions whose values are completed, after adding the global options to each command."""
    from argparse import _SubParsersAction

    from ..options import GLOBAL

    for action in parser._actions:
        yield action
        if isinstance(action, _SubParsersAction):
            shown = {choice.dest for choice in action._choices_actions}
            for name, below in list(action.choices.items()):
                if name not in shown:  # an internal command
                    del action.choices[name]
                    continue
                below._actions[0].help = "show this help"
                for option in GLOBAL:
                    kind = "store_true" if option.kind == "flag" else "store"
                    below.add_argument(*option.names, action=kind, help=option.help)
                if name != "demo":  # its sessions are not in the index
                    yield from _actions(below)


def _completer(action: Action, environ: Mapping[str, str]) -> object:
    """Return argcomplete's completer for an action's values, or None if they can't be completed."""
    from argcomplete.completers import DirectoriesCompleter, FilesCompleter

    from ..options import CHOICES, KINDS

    choices = CHOICES.get(action.dest) if action.choices is None else action.choices
    if isinstance(choices, tuple):  # the choices of a subparser are a mapping
        return lambda **_: choices
    by_shell = "CCUSAGE_PATHS" in environ
    return {
        "session": lambda prefix, **_: dict(sessions(environ, prefix)),
        "archived": lambda prefix, **_: dict(sessions(environ, prefix, archived=True)),
        "project": lambda prefix, **_: projects(environ, prefix),
        "day": lambda prefix, **_: [day for day in _DAYS if day.startswith(prefix)],
        "model": lambda prefix, **_: models(environ, prefix),
        "zone": lambda prefix, **_: _zones(prefix),
        "file": (lambda **_: _delegate_to_shell("file")) if by_shell else FilesCompleter(),
        "folder": (lambda **_: _delegate_to_shell("folder")) if by_shell else DirectoriesCompleter(),
    }.get(KINDS.get(action.dest, ""))


def _delegate_to_shell(kind: str) -> None:
    """Let the shell complete a path, because it knows its own `~`, variables and quotes; this ends the process."""
    os.write(_DESCRIPTOR, f"\t{kind}".encode())
    os._exit(0)


def _zones(prefix: str) -> list[str]:
    from zoneinfo import available_timezones

    return [zone for zone in sorted(available_timezones()) if zone.lower().startswith(prefix.lower())]
