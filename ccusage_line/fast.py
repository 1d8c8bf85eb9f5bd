"""Lanes 1 and 2: the commands that can be answered without argparse and third-party packages.

Lane 1 reads a published answer, checks it and prints it. Lane 2 reads what was appended to the transcripts, updates the
index, prints and publishes. Both accept exact spellings only. Anything else, and anything that is not a plain success,
is left to the command line proper, which prints the same bytes.
"""

from __future__ import annotations

import os

from .files import print_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answer import Answer
    from .session import Session

MODES = ("auto", "calculate", "display")
FLAGS = {"--json": "json", "-j": "json", "--offline": "", "-O": "", "--no-color": ""}
VALUES = {"--id": "id", "-i": "id", "--jq": "jq", "-q": "jq", "--mode": "mode", "-m": "mode"}


def answer(argv: list[str]) -> bool:
    """Answer the command line if it is one of the fast lanes' and return whether that was done."""
    if "_ARGCOMPLETE" in os.environ:
        from .prompt.completion import answer as complete

        return complete(os.environ)
    if argv[:1] == ["prompt"]:
        from .prompt.command import answer as prompt

        return prompt(argv[1:])
    if argv[:1] == ["statusline"]:
        return _statusline(argv[1:])
    options = _parse_session(argv) if argv[:1] == ["session"] else None
    return options is not None and (_answer_published(options) or _answer_appended(options))


def _statusline(words: list[str]) -> bool:
    from .statusline.command import answer as statusline

    try:
        return statusline(words)
    except Exception as error:
        from .errors import UnwritableOutput

        if isinstance(error, UnwritableOutput):  # nobody reads stdout: that is no failure of a statusline
            return True
        raise


def _parse_session(argv: list[str]) -> dict[str, str] | None:
    """Parse an exactly spelled `session --id ...`; return None for any other command line."""
    options: dict[str, str] = {"mode": "auto"}
    place = 1
    while place < len(argv):
        name, place = argv[place], place + 1
        if name in FLAGS:
            options[FLAGS[name]] = ""
            continue
        name, equals, value = name.partition("=")
        if name not in VALUES or (equals and not name.startswith("--")):
            return None
        if not equals:
            if place == len(argv) or argv[place].startswith("-"):
                return None
            value, place = argv[place], place + 1
        options[VALUES[name]] = value
    if options.get("id", "latest") in ("", "latest") or options["mode"] not in MODES:
        return None
    jq = options.get("jq")
    return options if ("json" in options if jq is None else _is_plain_path(jq)) else None


def _is_plain_path(jq: str) -> bool:
    """Return whether *jq* is a plain path to something in a published answer, which has no responses (`entries`)."""
    if jq[:1] != "." or "entries" in jq:
        return False
    if jq.isascii() and jq[1:].isidentifier():  # `.totalCost`: the answer may hold its text
        return True
    from .jqpath import parse

    return parse(jq) is not None


def _answer_published(options: dict[str, str]) -> bool:
    """Answer from the published answer (lane 1)."""
    from .answer import read
    from .paths import index_dir
    from .prices.stored import has_default_mode_and_zone, sources

    if not has_default_mode_and_zone(os.environ):  # the config changes costs or days, or has not been read yet
        return False
    published = read(index_dir(os.environ), options["id"], sources(os.environ))
    text = None if published is None else _published_text(published, options)
    if text is None:
        return False
    print_text(text)
    return True


def _published_text(published: Answer, options: dict[str, str]) -> str | None:
    """Return the text to print: that stored in the answer for mode auto, else one made from its numbers."""
    jq = options.get("jq")
    if options["mode"] == "auto" and jq is None:
        day = _local_day(published.last)
        return None if day is None else published.before + day + published.after
    if options["mode"] == "auto" and jq is not None and jq[:1] == "." and jq[1:] in published.scalars:
        return published.scalars[jq[1:]] + "\n"
    from .answer import session_of

    return _session_text(session_of(published, options["mode"]), jq)


def _answer_appended(options: dict[str, str]) -> bool:
    """Answer after reading what was appended (lane 2)."""
    from .index.index import refresh_one
    from .prices.stored import has_default_mode_and_zone

    if not has_default_mode_and_zone(os.environ):
        return False
    try:
        refreshed = refresh_one(os.environ, options["id"], options["mode"])
        text = None if refreshed is None else _session_text(refreshed.session, options.get("jq"))
    except Exception:  # for example a corrupt index: the command line proper repairs it or reports the bug
        return False
    if refreshed is None or text is None:
        return False
    print_text(text)
    refreshed.publish()
    refreshed.leave()
    return True


def _session_text(session: Session, jq: str | None) -> str | None:
    """Return the text of a session, or None if the path *jq* fails: the command line proper explains why."""
    from .clock import system_day

    if jq is None:
        from .jsontext import one_json

        return one_json(session, system_day) + "\n"
    from .errors import JqError
    from .jqpath import parse, results
    from .jsontext import as_data

    data = as_data(session, system_day)
    try:
        return "".join(line + "\n" for line in results(parse(jq) or [], data))
    except JqError:
        return None


def _local_day(us: int | None) -> str | None:
    """Return the local day, "" if *us* is None, or None if the system cannot convert the time."""
    if us is None:
        return ""
    from time import localtime

    try:
        local = localtime(us // 1_000_000)
    except (OverflowError, OSError, ValueError):
        return None
    return f"{local.tm_year:04}-{local.tm_mon:02}-{local.tm_mday:02}"
