"""Completion: what stands behind `--id`, `--project` and the other options, by the protocol of argcomplete.

A shell asks by environment variables (`_ARGCOMPLETE`, `COMP_LINE`, ...) and reads the candidates from descriptor 8.
`--id` is answered here without argparse and argcomplete, whose import costs more than the answer; everything else is
argcomplete's. Only what the index holds is read, nothing is refreshed, and whatever goes wrong is silence: half a
command line is no place for messages. Standard library only: on the lean lanes.
"""

from __future__ import annotations

import os
import time

from .line import harmless, money

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Iterable, Iterator, Mapping
    from sqlite3 import Connection
    from typing import Any

    Candidate = tuple[str, str]  # what is typed, what describes it

NEWEST = 50  # sessions offered
LATEST = "latest"
_TITLE = 60  # characters of a title
_OUTPUT = 8  # the descriptor that the shell reads
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_QUOTING = frozenset("'\"\\$`#*?[]{}()<>|&;~!\n")


# --- `--id` at once ----------------------------------------------------------------------------------------------


def answer(environ: Mapping[str, str]) -> bool:
    """Whether a request for completion was one for an `--id` and was answered; if not, `autocomplete` has to."""
    prefix = _wanted(environ)
    if prefix is None:
        return False
    found = sessions(environ, prefix)
    if not all(_PLAIN.issuperset(id) for id, _ in found):
        return False  # argcomplete knows how to quote for each shell
    between = environ.get("_ARGCOMPLETE_DFS", "")
    if not between and environ.get("_ARGCOMPLETE_SHELL") == "zsh":
        between = ":"
    parted = environ.get("_ARGCOMPLETE_IFS", "\013")
    text = parted.join(f"{id}{between}{told}" if between else id for id, told in found)
    try:
        os.write(_OUTPUT, text.encode("utf-8", "replace"))
    except OSError:
        pass
    return True


def _wanted(environ: Mapping[str, str]) -> str | None:
    """What was typed so far of an id, None where something else is to be completed or quoting makes it hard to say."""
    line, point = environ.get("COMP_LINE", ""), environ.get("COMP_POINT", "")
    if "_ARGCOMPLETE_STDOUT_FILENAME" in environ or not (line.isascii() and point.isdigit()):
        return None
    line = line[: int(point)]
    if not _QUOTING.isdisjoint(line):
        return None
    words = line.split()
    prefix = words.pop() if words and not line[-1].isspace() else ""
    asked = len(words) > 1 and words[-1] in ("--id", "-i") and (words[1] == "session" or words[1].startswith("-"))
    return prefix if asked and "--" not in words and not prefix.startswith("-") else None


# --- candidates --------------------------------------------------------------------------------------------------


def sessions(environ: Mapping[str, str], prefix: str) -> list[Candidate]:
    """The newest sessions whose id begins with *prefix*, with cost, age and title."""
    try:
        database = _database(environ)
        found = list(_sessions(database, prefix)) if database else []
    except Exception:  # a half-written, foreign or newer database: nothing to offer
        return []
    newest = [(LATEST, "the newest session")] if (found or prefix) and LATEST.startswith(prefix) else []
    return newest + found


def projects(environ: Mapping[str, str], prefix: str) -> list[str]:
    """The paths of projects, and where no path was begun their last parts too; those used last come first."""
    try:
        database = _database(environ)
        rows = _rows(database, _PROJECTS) if database else []
    except Exception:
        return []
    paths = [_text(row[0]) for row in rows if row[0]]
    names = [] if prefix.startswith(("/", "~")) else [path.rstrip("/").rpartition("/")[2] for path in paths]
    return [name for name in dict.fromkeys((*names, *paths)) if name.isprintable() and name.startswith(prefix)]


_SESSIONS = """
SELECT sessions.session, names.text, last,
    (SELECT group_concat(auto) FROM totals WHERE totals.session = sessions.session),
    (SELECT sum(unpriced_auto) FROM totals WHERE totals.session = sessions.session)
FROM sessions JOIN names ON names.id = sessions.session
WHERE names.text >= ? AND (? IS NULL OR names.text < ?) ORDER BY last DESC LIMIT ?
"""
_TITLES = "SELECT custom_title, ai_title, summary FROM files WHERE own AND session = ? ORDER BY vanished DESC, path"
_PROJECTS = """
SELECT names.text FROM sessions JOIN names ON names.id = sessions.project
GROUP BY sessions.project ORDER BY max(last) DESC LIMIT 200
"""


def _database(environ: Mapping[str, str]) -> Connection | None:
    from ..index.schema import open_readable
    from ..paths import index_dir

    return open_readable(index_dir(environ))


def _rows(database: Connection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    return database.execute(statement, values).fetchall()


def _sessions(database: Connection, prefix: str) -> Iterator[Candidate]:
    begin = prefix.encode("utf-8", "surrogatepass")
    end = begin[:-1] + bytes([begin[-1] + 1]) if begin else None
    now = time.time()
    for number, id, last, costs, unpriced in _rows(database, _SESSIONS, begin, end, end, NEWEST):
        cost = sum(int(cost) for cost in str(costs or 0).split(","))
        title = _title(_rows(database, _TITLES, number))
        told = [money(cost) + ("+?" if unpriced else ""), age(now - last / 1_000_000), *([title] if title else [])]
        yield _text(id), ", ".join(told)


def _title(rows: Iterable[tuple[Any, ...]]) -> str:
    """A session's title: of each kind the last, a custom one before a made one before a summary."""
    kinds: list[bytes | None] = [None, None, None]
    for row in rows:
        kinds = [new if new is not None else old for new, old in zip(row, kinds, strict=True)]
    title = next((kind for kind in kinds if kind), b"")
    shown = harmless(_text(title), colour=False)
    return shown if len(shown) <= _TITLE else f"{shown[: _TITLE - 1]}…"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def age(seconds: float) -> str:
    """How long ago, in the largest whole unit."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "now"


# --- everything else ---------------------------------------------------------------------------------------------


def autocomplete(parser: ArgumentParser, environ: Mapping[str, str]) -> None:
    """Let argcomplete answer for *parser* and end the process; returns where it was not asked."""
    if "_ARGCOMPLETE" not in environ:
        return
    import argcomplete
    from argcomplete.completers import SuppressCompleter

    _as_session(parser)
    for action in _actions(parser):
        completer = _completer(action, environ)
        if completer is not None:
            action.completer = completer  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options="long", default_completer=SuppressCompleter())


def _as_session(parser: ArgumentParser) -> None:
    """Bare options are those of `session`: have them completed so."""
    line, point = os.environ.get("COMP_LINE", ""), os.environ.get("COMP_POINT", "")
    command, space, rest = line.partition(" ")
    words = rest[: max(int(point) - len(command) - 1, 0)].split() if point.isdigit() else []
    if space and words and words[0].startswith("-") and words[0] not in parser._option_string_actions:
        added = "session "
        os.environ["COMP_LINE"] = f"{command} {added}{rest}"
        os.environ["COMP_POINT"] = str(int(point) + len(added))


def _actions(parser: ArgumentParser) -> Iterator[Action]:
    from argparse import _SubParsersAction

    for action in parser._actions:
        yield action
        if isinstance(action, _SubParsersAction):
            for name, below in action.choices.items():
                if name != "demo":  # its sessions are none of the index's
                    yield from _actions(below)


def _completer(action: Action, environ: Mapping[str, str]) -> object:
    """What names an action's values: a function of argcomplete's form, None for no such."""
    from argcomplete.completers import DirectoriesCompleter, FilesCompleter

    if action.dest in ("id", "session"):
        return lambda prefix, **_: dict(sessions(environ, prefix))
    if action.dest == "project":
        return lambda prefix, **_: projects(environ, prefix)
    if action.dest == "timezone":
        return lambda prefix, **_: _zones(prefix)
    if action.dest == "config":
        return FilesCompleter()
    return DirectoriesCompleter() if action.dest == "cwd" else None


def _zones(prefix: str) -> list[str]:
    from zoneinfo import available_timezones

    return [zone for zone in sorted(available_timezones()) if zone.lower().startswith(prefix.lower())]
