"""The command line: argparse, one cmd_* per subcommand. Nobody imports it but the entry point."""

from __future__ import annotations

import argparse
import os
import sys
import time

from . import __version__
from .errors import UnknownSession, UsageError, UserError
from .files import flush_stdout, print_bytes, print_text
from .session import MODES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from .claude_code.settings_file import Change
    from .config import Config
    from .index.index import Index
    from .report.ready import ReadyReport
    from .session import Session

    DayOf = Callable[[int], str]

LATER = ("daily", "weekly", "monthly", "blocks")  # reports that other tools have and this one will have
_WITH_ANY_CONFIG = (
    "-h",
    "--help",
    "--version",
    "doctor",
    "index",
    "init",
    "install",
    "prompt",
    "statusline",
    "uninstall",
)
_SMALL = 32 * 1024 * 1024  # bytes of transcripts that are indexed before one session is answered
_UNSEEN = "sweep"  # an action that only the statusline asks for
_CANDIDATES = 10  # shown of an ambiguous id

_SESSION_EXAMPLES = """\
examples:
  ccusage session --since 2026-11-01 --project web --breakdown
  ccusage session --id latest --json --jq .totalCost
  ccusage session --json --jq '[.sessions[].totalCost] | add'
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """One line per option in 80 columns, so that the help of a command fits a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=80)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-i, --id ID`, the value once."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {action.metavar or action.dest.upper()}"


class _Parser(argparse.ArgumentParser):
    """argparse with one line per error and the nearest valid spelling."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Help, **options})

    def error(self, message: str) -> NoReturn:
        text = " ".join(message.split()).replace(f", '{_UNSEEN}'", "")
        wrong, choices = text.rpartition("invalid choice: '")[2].partition("' (choose from ")[::2]
        near = _did_you_mean(wrong, [choice.strip(" ')") for choice in choices.split(",")]) if choices else ""
        raise UsageError(f"{text}{near} (see `{self.prog} --help`)")

    def unknown(self, argument: str) -> NoReturn:
        wrong = argument.partition("=")[0]
        near = _did_you_mean(wrong, list(self._option_string_actions)) if wrong.startswith("-") else ""
        self.error(f"no option {wrong!r}{near}" if wrong.startswith("-") else f"unexpected argument {argument!r}")


def _did_you_mean(wrong: str, options: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(wrong, [option for option in options if option != _UNSEEN], 1, 0.7)
    return f", did you mean {near[0]}?" if near else ""


def run(argv: list[str]) -> int:
    """Answer a command line; returns the exit code. Raises UserError for what the user can mend."""
    if "_ARGCOMPLETE" in os.environ:
        from .prompt.completion import autocomplete

        autocomplete(_parser()[0], os.environ)  # ends the process
    began = time.perf_counter()
    named, debug, argv = _global_options(argv)
    try:
        code = _answer(_with_command(argv), named)
    finally:
        for index in _asked:
            index.close()
    if debug:
        _debug(began)
    return code


def _answer(argv: list[str], named: str | None) -> int:
    """Answer the command line of one command; *named* is the config file that was asked for."""
    parser, commands = _parser(argv[0])
    config = _config(named, "init" if argv[:2] == ["config", "path"] or {"-h", "--help"} & set(argv) else argv[0])
    for name, command_parser in commands.items():
        command_parser.set_defaults(config=config, **config.defaults_for(name, os.environ))
    if argv[:1] == ["statusline"] and not _at_terminal() and not {"-h", "--help"} & set(argv):
        return _statusline(argv[1:], config)  # the client takes away a line that fails
    args, unknown = parser.parse_known_args(argv)
    if unknown and (args.command is not cmd_statusline or _at_terminal()):
        args.parser.unknown(unknown[0])
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except (UserError, OSError):
        raise
    except Exception as error:
        if not _mended(error):
            raise
    return command(args)  # nothing was printed yet: answers are, when they are whole


def _mended(error: Exception) -> bool:
    """Whether a database that broke in the middle of a question was set aside, so that asking again makes sense."""
    from .index.repair import recover

    return recover(os.environ, error)


def _global_options(argv: list[str]) -> tuple[str | None, bool, list[str]]:
    """(the file that `--config` names, whether `--debug` is there, the other words): both may stand anywhere."""
    named, debug, rest = None, False, []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--debug":
            debug = True
        elif word.startswith("--config="):
            named = word.partition("=")[2]
        elif word == "--config":
            named = next(words, None)
            if named is None and argv[:1] != ["statusline"]:
                raise UsageError("--config wants a FILE (see `ccusage --help`)")
        else:
            rest.append(word)
    return named, debug, rest


def _config(named: str | None, command: str) -> Config:
    """The config in force. What is wrong with it is the user's to mend, and nobody else's: not the statusline's, nor
    that of the command that would tell."""
    from .config import Config, ConfigError, load

    try:
        return load(os.environ, named)
    except ConfigError:
        if command in _WITH_ANY_CONFIG:
            return Config.nothing(os.environ, named)
        raise


def _with_command(argv: list[str]) -> list[str]:
    """Plain `ccusage` and bare options are those of `session`; a misspelt command is said before argparse sees it."""
    first = argv[0] if argv else None
    if first is None or (first.startswith("-") and first not in ("--version", "--help", "-h")):
        return ["session", *argv]
    if first in LATER:
        raise UsageError(f"`ccusage {first}` is not built yet; `ccusage session` is the report there is")
    if not first.startswith("-") and first not in _COMMANDS:
        raise UsageError(f"no command {first!r}{_did_you_mean(first, list(_COMMANDS))} (see `ccusage --help`)")
    return argv


def _parser(command: str = "") -> tuple[argparse.ArgumentParser, dict[str, _Parser]]:
    """The parser and those of the commands by their names: of all, or of *command* if it is one (all take 10 ms)."""
    parser = _Parser(
        prog="ccusage",
        description="What Claude Code sessions cost: exact, from an index over their transcripts.",
        epilog="`ccusage` alone is `ccusage session`.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ccusage-line {__version__}")
    parser.add_argument("--config", metavar="FILE", help="read this config file instead of the usual one")
    parser.add_argument("--debug", action="store_true", help="tell on stderr what is done and how long it takes")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for add in [_COMMANDS[command]] if command in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser, commands.choices


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[_Parser]


def _add_session(commands: _Commands) -> None:
    parser = commands.add_parser(
        "session",
        help="the report of all sessions, or of one",
        usage="ccusage session [options]",
        epilog=_SESSION_EXAMPLES,
        allow_abbrev=False,
    )
    parser.set_defaults(command=cmd_session, parser=parser)
    _add_session_options(parser)
    parser.add_argument("--or-demo", action="store_true", help=argparse.SUPPRESS)  # the README's first command


def _add_session_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-i", "--id", help="one session: id, prefix, shown form, file name, latest")
    add("-j", "--json", action="store_true", help="JSON")
    add("-q", "--jq", metavar="EXPR", help="apply a jq expression to the JSON")
    add("--explain", action="store_true", help="with --id: why Claude Code's own total differs")
    add("--entries", action="store_true", help="with --id and --json: every response")
    add("-s", "--since", metavar="DAY", help="last activity on DAY (YYYY-MM-DD) or later")
    add("-u", "--until", metavar="DAY", help="last activity on DAY or earlier")
    add("-z", "--timezone", metavar="ZONE", help="zone of the days, like Europe/Berlin")
    add("-m", "--mode", choices=MODES, default="auto", metavar="MODE", help="costs: auto, calculate or display")
    add("-o", "--order", choices=("desc", "asc"), default="desc", metavar="ORDER", help="by cost: desc or asc")
    add("-b", "--breakdown", action="store_true", help="a row per model under each session")
    add("-p", "--project", metavar="TEXT", help="sessions whose project path contains TEXT")
    add("-O", "--offline", action="store_true", help="never use the network")
    add("--compact", action="store_true", help="fewer columns")
    add(
        "--color",
        choices=("auto", "always", "never"),
        metavar="WHEN",
        help="auto, always or never; --no-color is never",
    )
    add("--no-color", action="store_true", help=argparse.SUPPRESS)
    for name in ("breakdown", "offline", "compact"):  # where the config says the contrary
        add(f"--no-{name}", action="store_false", dest=name, help=argparse.SUPPRESS)


def _add_demo(commands: _Commands) -> None:
    parser = commands.add_parser(
        "demo",
        help="the report on a bundled sample",
        usage="ccusage demo [options of session]",
        allow_abbrev=False,
    )
    parser.set_defaults(command=cmd_demo, parser=parser)
    _add_session_options(parser)


def _add_index(commands: _Commands) -> None:
    parser = commands.add_parser(
        "index",
        help="check, rebuild or erase the index",
        description="Check, rebuild or erase the index.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=_Parser)
    status = actions.add_parser("status", help="what the index holds and what was passed over", allow_abbrev=False)
    status.set_defaults(command=cmd_index_status, parser=status)
    refresh = actions.add_parser("refresh", help="bring the index up to date", allow_abbrev=False)
    refresh.set_defaults(command=cmd_index_refresh, parser=refresh)
    sweep = actions.add_parser("sweep", allow_abbrev=False)  # what the statusline starts behind its back
    sweep.set_defaults(command=cmd_index_sweep, parser=sweep)
    verify = actions.add_parser("verify", help="compare with a fresh reading of everything", allow_abbrev=False)
    verify.set_defaults(command=cmd_index_verify, parser=verify)
    rebuild = actions.add_parser("rebuild", help="read everything anew; archived sessions are kept", allow_abbrev=False)
    rebuild.set_defaults(command=cmd_index_rebuild, parser=rebuild)
    forget = actions.add_parser("forget", help="erase what only the index still knows", allow_abbrev=False)
    forget.set_defaults(command=cmd_index_forget, parser=forget)
    forget.add_argument("session", nargs="?", metavar="SESSION", help="one session, by its id")
    forget.add_argument("--project", metavar="TEXT", help="sessions whose project path contains TEXT")
    forget.add_argument("--archived", action="store_true", help="sessions all of whose transcripts are gone")
    path = actions.add_parser("path", help="where the index is", allow_abbrev=False)
    path.set_defaults(command=cmd_index_path, parser=path)


def _add_statusline(commands: _Commands) -> None:
    parser = commands.add_parser(
        "statusline",
        help="Claude Code's statusline, of the JSON on stdin",
        description="Claude Code's statusline, of the JSON on stdin.",
        epilog="`ccusage install` puts it into Claude Code's settings; docs/statusline.md has segments and a gallery.",
        usage="ccusage statusline [options]",
        allow_abbrev=False,
    )
    parser.set_defaults(command=cmd_statusline, parser=parser)
    add = parser.add_argument
    add("--cost-source", metavar="SOURCE", help="auto, ccusage, cc or both")
    add("-B", "--visual-burn-rate", metavar="HOW", help="off, emoji, text or emoji-text")
    add("--context-low-threshold", metavar="PERCENT", help="yellow from here (50)")
    add("--context-medium-threshold", metavar="PERCENT", help="red from here (80)")
    add("--format", metavar="TEMPLATE", help="segments in braces: '{model} {session_cost}'")
    add("-z", "--timezone", metavar="ZONE", help="zone of the day, like Europe/Berlin")
    add("-m", "--mode", metavar="MODE", help="costs: auto, calculate or display")
    add("--no-color", action="store_true", help="no colours")
    for name in ("--offline", "-O", "--no-offline", "--cache", "--no-cache"):  # of tools that came before
        add(name, action="store_true", help=argparse.SUPPRESS)
    add("--refresh-interval", help=argparse.SUPPRESS)


def _add_install(commands: _Commands) -> None:
    parser = commands.add_parser(
        "install",
        help="put the statusline into Claude Code's settings",
        usage="ccusage install [options] [-- OPTION_OF_STATUSLINE ...]",
        allow_abbrev=False,
    )
    parser.set_defaults(command=cmd_install, parser=parser)
    parser.add_argument("--force", action="store_true", help="replace another tool's statusline")
    parser.add_argument("--refresh-interval", type=int, metavar="SECONDS", help="run it every SECONDS too")
    parser.add_argument("--padding", type=int, metavar="COLUMNS", help="columns to the left")
    parser.add_argument("options", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--dry-run", action="store_true", help="show what would change")


def _add_uninstall(commands: _Commands) -> None:
    parser = commands.add_parser("uninstall", help="take it out of Claude Code's settings", allow_abbrev=False)
    parser.set_defaults(command=cmd_uninstall, parser=parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change")


def _add_prices(commands: _Commands) -> None:
    parser = commands.add_parser("prices", help="the price table", description="The price table.", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=_Parser)
    show = actions.add_parser("show", help="the table in use, or the price of a model", allow_abbrev=False)
    show.set_defaults(command=cmd_prices_show, parser=show)
    show.add_argument("model", nargs="?", metavar="MODEL", help="as a transcript or a report names it, or a part")
    show.add_argument("-j", "--json", action="store_true", help="JSON")
    refresh = actions.add_parser("refresh", help="fetch the current list", allow_abbrev=False)
    refresh.set_defaults(command=cmd_prices_refresh, parser=refresh)
    refresh.add_argument("-O", "--offline", action="store_true", help="never use the network")


def _add_config(commands: _Commands) -> None:
    parser = commands.add_parser("config", help="the config file", description="The config file.", allow_abbrev=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=_Parser)
    show = actions.add_parser("show", help="every setting and where it comes from", allow_abbrev=False)
    show.set_defaults(command=cmd_config_show, parser=show)
    path = actions.add_parser("path", help="where the file is", allow_abbrev=False)
    path.set_defaults(command=cmd_config_path, parser=path)


def _add_doctor(commands: _Commands) -> None:
    parser = commands.add_parser("doctor", help="why a line is blank or a number wrong", allow_abbrev=False)
    parser.set_defaults(command=cmd_doctor, parser=parser)
    parser.add_argument("-j", "--json", action="store_true", help="JSON")


def _add_init(commands: _Commands) -> None:
    parser = commands.add_parser(
        "init",
        help="the prompt hook and the completion for your shell",
        description='Put `eval "$(ccusage init bash)"` into ~/.bashrc (zsh alike), or `ccusage init fish | source` into'
        " config.fish.",
        allow_abbrev=False,
    )
    parser.set_defaults(command=cmd_init, parser=parser)
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")
    parser.add_argument("--no-prompt", action="store_true", help="set the variables only")
    parser.add_argument("--no-completion", action="store_true", help="leave out the completion")


def _add_prompt(commands: _Commands) -> None:
    parser = commands.add_parser(
        "prompt",
        help="the line for prompts and status bars",
        description="The line for prompts and status bars that are not a shell's own hook.",
        allow_abbrev=False,
    )
    parser.set_defaults(command=cmd_prompt, parser=parser)
    parser.add_argument("--for", choices=("starship", "p10k", "tmux"), metavar="WHAT", help="starship, p10k or tmux")
    parser.add_argument("--cwd", metavar="DIR", help="the folder to speak of")
    parser.add_argument("--refresh", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--redraw", help=argparse.SUPPRESS)


_COMMANDS: dict[str, Callable[[_Commands], None]] = {
    "session": _add_session,
    "demo": _add_demo,
    "index": _add_index,
    "statusline": _add_statusline,
    "install": _add_install,
    "uninstall": _add_uninstall,
    "prices": _add_prices,
    "config": _add_config,
    "doctor": _add_doctor,
    "init": _add_init,
    "prompt": _add_prompt,
}


# --- session -----------------------------------------------------------------------------------------------------


def cmd_session(args: argparse.Namespace) -> int:
    """The report of all sessions, or of one."""
    if args.jq is not None:
        args.json = True
    if args.id is not None:
        return _one(args)
    return _list(args)


def _list(args: argparse.Namespace) -> int:
    from .paths import data_dirs
    from .report.ready import MANY
    from .transcripts.files import walk

    for name in ("entries", "explain"):
        if getattr(args, name):
            raise UsageError(f"--{name} belongs to --id")
    day_of = _day_of(args.timezone)
    since, until = _day(args.since, "--since"), _day(args.until, "--until")
    if since is not None and until is not None and since > until:
        raise UsageError(f"--since {since} is after --until {until}")
    if not getattr(args, "or_demo", False):  # the README's first command has to work without a network too
        _refresh_prices(args)
    look = _width(), _color(args)
    ready, found = _ready_report(args, look), None
    if ready is not None and ready.there:
        found = walk(data_dirs(os.environ))
        told = ready.read(found, day_of)
        if told is not None:
            _tell_list(*told)
            return 0
    index = _index()
    seen = index.refresh(_progress(), found)
    _say_not_stored(index)
    _say_mended(index)
    from .report.sessions import arrange, choose

    everything = index.sessions(args.mode)
    sessions = choose(everything, day_of, since=since, until=until, project=args.project)
    if args.jq is not None:
        from .jsontext import list_data, list_json

        listed = arrange(sessions, args.order), day_of
        _jq(args.jq, lambda: list_data(*listed), lambda: list_json(*listed))
        return 0
    if not sessions and not args.json:
        return _list_nothing(args, index)
    out = _list_text(args, sessions, day_of, *look).encode("utf-8", "backslashreplace")
    warning = "" if args.json else _unpriced(sessions)
    _tell_list(out, warning)
    if ready is not None and seen is not None and len(everything) >= MANY:
        ready.keep(index, seen, (s.last for s in everything if s.last is not None), day_of, out, warning)
    return 0


def _list_nothing(args: argparse.Namespace, index: Index) -> int:
    if getattr(args, "or_demo", False):
        args.or_demo = False
        _say("no transcripts found: this is the bundled sample")
        return cmd_demo(args)
    _say(_nothing(index, args))
    return 0


def _list_text(args: argparse.Namespace, sessions: list[Session], day_of: DayOf, width: int, color: bool) -> str:
    from .report.sessions import arrange, render_list

    if args.json:
        from .jsontext import list_json

        return list_json(arrange(sessions, args.order), day_of) + "\n"
    return render_list(
        sessions,
        width=width,
        day_of=day_of,
        compact=args.compact,
        breakdown=args.breakdown,
        color=color,
        order=args.order,
    )


def _ready_report(args: argparse.Namespace, look: tuple[int, bool]) -> ReadyReport | None:
    """Where the report that is asked for may lie ready; --jq looks into every one anew."""
    if args.jq is not None:
        return None
    from .paths import index_dir
    from .prices.in_use import table
    from .report.ready import JSON, TEXT, ReadyReport

    options = (args.mode, args.order, args.since, args.until, args.project)
    folder, prices = index_dir(os.environ), table().fingerprint
    if args.json:
        return ReadyReport(folder, JSON, prices, options)
    return ReadyReport(folder, TEXT, prices, (*options, args.compact, args.breakdown, *look))


def _tell_list(out: bytes, warning: str) -> None:
    flush_stdout()
    print_bytes(out)
    if warning:
        _say(warning)


def _refresh_prices(args: argparse.Namespace) -> None:
    """A price list older than a day is fetched anew, unless offline; nothing else ever asks the network."""
    from .prices.refresh import address, before_report

    warning = before_report(os.environ, offline=args.offline, address=address(os.environ, args.config.url))
    if warning:
        _say(f"warning: {warning}")


def _nothing(index: Index, args: argparse.Namespace) -> str:
    """Why a report is empty."""
    if any((args.since, args.until, args.project)):
        return "no session matches"
    places = "\n".join(f"  {root}" for root in index.roots)
    return f"no usage found; looked for transcripts below\n{places}\n`ccusage demo` shows the report on a sample"


def _one(args: argparse.Namespace) -> int:
    configured = args.config.defaults_for("session", os.environ)
    for name in ("since", "until", "project", "breakdown", "compact", "order"):
        if getattr(args, name) not in (None, False, configured.get(name, "desc")):
            raise UsageError(f"--{name} is of the list and has no meaning with --id")
    if args.entries and not args.json:
        raise UsageError("--entries wants --json")
    day_of = _day_of(args.timezone)
    entries = args.entries or (args.jq is not None and "entries" in args.jq)
    index = _index()
    try:
        session = _find(index, args.id, args.mode, entries)
    except UnknownSession as unknown:
        return _unknown(unknown, args)
    _say_not_stored(index)
    if args.explain:
        return _explain(index, session, args)
    if args.json:
        from .jsontext import as_data, one_json

        told = session, day_of, entries
        if args.jq is None:
            _out(one_json(*told) + "\n")
        else:
            _jq(args.jq, lambda: as_data(*told), lambda: one_json(*told))
    else:
        from .report.sessions import render_one

        _out(render_one(session, width=_width(), day_of=day_of, color=_color(args)))
        warning = _unpriced([session])
        if warning:
            _say(warning)
    return 0


def _explain(index: Index, session: Session, args: argparse.Namespace) -> int:
    """What makes the client's own total another one."""
    from .report.explain import as_data, as_text, explain

    explanation = explain(session, index, args.mode)
    if args.json:
        from .jqpath import render

        data = as_data(explanation)
        _jq("." if args.jq is None else args.jq, lambda: data, lambda: render(data))
    else:
        _out(as_text(explanation))
    return 0


def _unknown(unknown: UnknownSession, args: argparse.Namespace) -> int:
    """An unknown session is null to a script and a message to its reader."""
    if args.jq is not None:
        _jq(args.jq, lambda: None, lambda: "null")
    elif args.json:
        _out("null\n")
    raise unknown


def _find(index: Index, wanted: str, mode: str, entries: bool) -> Session:
    """The session that an id means: the id itself, else a transcript's name, a unique prefix, a displayed form."""
    if not index.complete:
        _begin(index)
    _say_mended(index)
    if wanted != "latest" and index.refresh_session(wanted) is not None:
        session = index.session(wanted, mode, entries)
        if session is not None:
            return session
    from .index import questions

    index.refresh(_progress())
    session = index.session(wanted, mode, entries)
    if session is not None:
        return session
    if wanted == "latest":
        latest = questions.latest(index)
        if latest is None:
            raise UnknownSession(wanted)
        return _sure(index.session(latest, mode, entries))
    named = questions.transcripts_named(index, wanted)
    if named:
        return questions.file_session(index, _only(wanted, named), mode, entries)
    ids = questions.session_ids(index)
    matches = [id for id in ids if wanted and id.startswith(wanted)]
    if not matches:
        from .report.sessions import display_ids

        matches = [id for id, shown in display_ids(ids).items() if shown == wanted]
        matches = matches or [id for id in ids if wanted and id.endswith(f"-{wanted}")]
    if not matches:
        raise UnknownSession(wanted)
    return _sure(index.session(_only(wanted, matches), mode, entries))


def _begin(index: Index) -> None:
    """A first index: at once where it is small, else behind our back, while one session's own files are read here."""
    from .transcripts.files import walk

    size = sum(found.stat.st_size for found in walk(index.roots).files)
    if size <= _SMALL or not index.stored:
        index.refresh(_progress())
    else:
        from .background import spawn

        spawn("index", "refresh")


def _sure(session: Session | None) -> Session:
    assert session is not None
    return session


def _only(wanted: str, candidates: list[str]) -> str:
    """The one candidate; raises UsageError that names them where there are several."""
    if len(candidates) == 1:
        return candidates[0]
    shown = "".join(f"\n  {_visible(name)}" for name in candidates[:_CANDIDATES])
    more = f"\n  and {len(candidates) - _CANDIDATES} more" if len(candidates) > _CANDIDATES else ""
    raise UsageError(f"{wanted!r} could be any of{shown}{more}")


def _visible(text: str) -> str:
    from .text import clean

    return clean(text)


def _jq(expression: str, data: Callable[[], object], text: Callable[[], str]) -> None:
    """The results of *expression*; *data* and *text* make the same JSON, as Python data and as it is printed."""
    from .jqpath import parse, results

    steps = parse(expression)
    if steps is not None:
        lines = results(steps, data())
    else:
        from .jq import run

        lines = run(expression, text() + "\n")
    for line in lines:
        _out(line + "\n")


def _unpriced(sessions: Sequence[Session]) -> str:
    """The warning about models without a price, empty where there are none."""
    models = sorted({model for session in sessions for model in session.unpriced_models})
    return f"warning: no price known for {', '.join(map(_visible, models))}; counted as $0" if models else ""


# --- demo, index -------------------------------------------------------------------------------------------------


def cmd_demo(args: argparse.Namespace) -> int:
    """The report on the bundled sample, in a state folder of its own that goes away again."""
    import tempfile
    from pathlib import Path

    from .demo import materialize

    args.offline = True  # the sample's prices are all in the table
    with tempfile.TemporaryDirectory(prefix="ccusage-demo-") as folder:
        os.environ["CLAUDE_CONFIG_DIR"] = str(materialize(Path(folder) / "data"))
        os.environ["CCUSAGE_STATE_DIR"] = os.path.join(folder, "state")
        return cmd_session(args)


def cmd_index_status(args: argparse.Namespace) -> int:
    """What the index holds, without reading anything new into it."""
    from .index.questions import status

    index = _index()
    found = status(index)
    width = max(len(name) for name, _ in found)
    _out("".join(f"{name:<{width}}  {_visible(str(value))}\n" for name, value in found))
    return 0


def cmd_index_refresh(args: argparse.Namespace) -> int:
    """Bring the index up to date and say nothing."""
    index = _index()
    index.refresh(_progress())
    _say_not_stored(index)
    return 0


def cmd_index_sweep(args: argparse.Namespace) -> int:
    """A refresh that only one process at a time does."""
    from .index.workers import sweep_lock

    index = _index()
    if not index.stored:  # nobody would have what is read
        return 0
    if hasattr(os, "nice"):
        os.nice(10)  # nobody waits for it
    with sweep_lock(index.folder) as first:
        if first:
            index.refresh()
    return 0


def cmd_index_verify(args: argparse.Namespace) -> int:
    """Hold the index against a fresh reading of everything; 1 if they differ."""
    from .index.verify import verify

    index = _index()
    _say_not_stored(index)
    differences = verify(index, _progress())
    _out("".join(f"{_visible(difference)}\n" for difference in differences) or "the index is one fresh reading\n")
    return 1 if differences else 0


def cmd_index_rebuild(args: argparse.Namespace) -> int:
    """Read everything anew, into a new database where the old one is damaged."""
    from .index.rebuild import rebuild
    from .index.repair import mend
    from .index.schema import Unusable
    from .paths import index_dir

    try:
        mend(index_dir(os.environ))
    except (OSError, Unusable):  # what is wrong shows below
        pass
    index = _index()
    _say_not_stored(index)
    rebuild(index, _progress())
    _say_mended(index)
    return 0


def cmd_index_forget(args: argparse.Namespace) -> int:
    """Erase sessions for good; what still stands in a transcript would come back, and is told."""
    from .index.forget import forget

    if not (args.session or args.project or args.archived):
        raise UsageError("forget what? SESSION, --project TEXT or --archived")
    done = forget(_index(), session=args.session, project=args.project, archived=args.archived)
    _out("".join(f"forgot {_visible(session)}\n" for session in done.sessions) or "nothing to forget\n")
    for session in done.kept:
        _say(f"{_visible(session)} still has transcripts: delete those, or it comes back")
    return 0


def cmd_index_path(args: argparse.Namespace) -> int:
    """Where the index of these data directories is."""
    from .paths import index_dir

    _out(index_dir(os.environ) + "\n")
    return 0


# --- statusline --------------------------------------------------------------------------------------------------


def cmd_statusline(args: argparse.Namespace) -> int:
    """The statusline with options that the fast lane does not take: refused to a person, passed over for the client."""
    from .statusline import line as statusline

    words = sys.argv[sys.argv.index("statusline") + 1 :]
    complaint = statusline.complaint(statusline.forgiving_options(words)) if _at_terminal() else None
    if complaint is not None:
        raise UsageError(complaint)
    return _statusline(words, args.config)


def _statusline(words: Sequence[str], config: Config) -> int:
    """The line of whatever options can be understood."""
    from .statusline import line as statusline
    from .statusline.command import show

    options = statusline.forgiving_options([*config.arguments_for("statusline", os.environ), *words])
    options.labels = config.labels
    show(options)
    return 0


def _at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def cmd_install(args: argparse.Namespace) -> int:
    """Put the statusline into Claude Code's settings.json."""
    import shlex

    from .claude_code import settings_file as claude_settings
    from .statusline import line as statusline

    if (args.refresh_interval or 1) < 1 or (args.padding or 0) < 0:
        raise UsageError("--refresh-interval wants a second or more, --padding no less than 0 columns")
    options = statusline.parse_options(args.options)
    complaint = "unknown option of statusline" if options is None else statusline.complaint(options)
    if complaint is not None:
        raise UsageError(f"{complaint}: {shlex.join(args.options)} (see `ccusage statusline --help`)")
    change = claude_settings.install(
        claude_settings.settings_path(os.environ),
        claude_settings.command(shlex.join(args.options)),
        force=args.force,
        dry_run=args.dry_run,
        refresh_interval=args.refresh_interval,
        padding=args.padding,
        lock=_settings_lock(),
    )
    return _tell(change, args.dry_run)


def cmd_uninstall(args: argparse.Namespace) -> int:
    """Take the statusline out of Claude Code's settings.json."""
    from .claude_code import settings_file as claude_settings

    path = claude_settings.settings_path(os.environ)
    return _tell(claude_settings.uninstall(path, dry_run=args.dry_run, lock=_settings_lock()), args.dry_run)


def _settings_lock() -> str:
    from .paths import state_dir

    return os.path.join(state_dir(os.environ), "settings.lock")


def _tell(change: Change, dry_run: bool) -> int:
    if dry_run:
        _out(change.diff)
        return 0
    backup = f"; the old one is {change.backup}" if change.backup else ""
    _out(f"{change.what}: {change.path}{backup}\n")
    return 0


# --- shells ------------------------------------------------------------------------------------------------------


def cmd_init(args: argparse.Namespace) -> int:
    """What a shell evaluates at its start."""
    from .paths import state_dir
    from .prompt.snippets import executable, render

    text = render(
        args.shell,
        executable=executable(),
        state_dir=state_dir(os.environ),
        prompt=not args.no_prompt,
        completion=not args.no_completion,
    )
    _out(text)
    return 0


def cmd_prompt(args: argparse.Namespace) -> int:
    """The ready line, in spellings that the fast lane does not take."""
    from .prompt import command as prompt

    given = vars(args)
    words = [word for name in ("for", "cwd", "redraw") if given[name] for word in (f"--{name}", given[name])]
    prompt.answer([*words, *(["--refresh"] if args.refresh else [])])
    return 0


# --- prices, config, doctor --------------------------------------------------------------------------------------


def cmd_prices_show(args: argparse.Namespace) -> int:
    """The price table in use, or one model's price."""
    from .prices.show import show

    _out(show(os.environ, args.model, args.json))
    return 0


def cmd_prices_refresh(args: argparse.Namespace) -> int:
    """Fetch the current price list; a failure is a warning, never an exit code."""
    from .prices.refresh import address, refresh_command

    offline = args.offline or bool(args.config.defaults_for("session", os.environ).get("offline"))
    told, warning = refresh_command(os.environ, offline=offline, address=address(os.environ, args.config.url))
    _out(told)
    if warning:
        _say(f"warning: {warning}")
    return 0


def cmd_config_show(args: argparse.Namespace) -> int:
    """Every setting and where it comes from."""
    from .config import show

    _out(show(args.config, os.environ))
    return 0


def cmd_config_path(args: argparse.Namespace) -> int:
    """Where the config file is, readable or not."""
    _out(args.config.path + "\n")
    return 0


def cmd_doctor(args: argparse.Namespace) -> int:
    """Every reason why a line might be blank or a number wrong, each with its remedy."""
    from .doctor import as_json, as_text, findings, is_healthy

    found = findings(os.environ)
    _out(as_json(found) if args.json else as_text(found))
    return 0 if is_healthy(found) else 1


# --- shared ------------------------------------------------------------------------------------------------------


def _index() -> Index:
    from .index.index import Index
    from .paths import data_dirs, index_dir

    _asked.append(Index(index_dir(os.environ), data_dirs(os.environ)))
    return _asked[-1]


def _say_not_stored(index: Index) -> None:
    if not index.stored:
        _say(f"warning: the index can't be stored ({index.why_not_stored}); counted in memory")


def _say_mended(index: Index) -> None:
    """What became of a damaged index, once."""
    if index.meta("notice") is not None:
        from .index.repair import notice

        _say(f"warning: {notice(index)}")


def _out(text: str) -> None:
    """Answers, as UTF-8 whatever the locale says."""
    flush_stdout()
    print_text(text)


def _say(text: str) -> None:
    """Errors, warnings and what is not an answer."""
    sys.stdout.flush()
    sys.stderr.write(f"ccusage: {text}\n".encode("utf-8", "backslashreplace").decode("utf-8"))


def _day(text: str | None, option: str) -> str | None:
    """`YYYY-MM-DD` of an option's `YYYYMMDD` or `YYYY-MM-DD`."""
    if text is None:
        return None
    from datetime import date

    plain = text.replace("-", "") if len(text) == 10 and text[4] == text[7] == "-" else text
    if len(plain) == 8 and plain.isascii() and plain.isdigit():
        try:
            return date(int(plain[:4]), int(plain[4:6]), int(plain[6:])).isoformat()
        except ValueError:
            pass
    raise UsageError(f"{option} {text!r} is not a day; write YYYY-MM-DD or YYYYMMDD")


def _day_of(zone: str | None) -> DayOf:
    from .clock import day_of

    return day_of(zone)


def _width() -> int:
    """Columns: COLUMNS if it is set, else the terminal's, else 120."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 120
    except (OSError, ValueError):
        return 120


def _color(args: argparse.Namespace) -> bool:
    """Whether to colour: the option, else NO_COLOR and FORCE_COLOR, else a terminal that can."""
    if args.no_color or args.color == "never":
        return False
    if args.color == "always":
        return True
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _progress() -> Callable[[int, int], None] | None:
    """A bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        return None
    from .progress import Bar

    return Bar(sys.stderr)


_asked: list[Index] = []  # what --debug tells of


def _debug(began: float) -> None:
    """What was done since *began* (seconds of the performance counter)."""
    try:
        for index in _asked:
            _say(f"debug: index {index.folder}, {'stored' if index.stored else index.why_not_stored}")
            _say(f"debug: {index.reads} transcripts opened below {', '.join(index.roots)}")
        _say(f"debug: {(time.perf_counter() - began) * 1000:.1f} ms, Python {sys.version.split()[0]}")
    except OSError:  # nobody to tell
        return
