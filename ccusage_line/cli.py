"""The command line: loads the config, runs a command, retries once after a repair. Only the entry point imports it."""

from __future__ import annotations

import os
import time
from argparse import SUPPRESS
from importlib import import_module

from . import __version__, options
from .commands.console import Console, at_terminal
from .commands.parser import Parser, add_options, did_you_mean
from .errors import UsageError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import Config

_REPORTS = "session daily weekly monthly blocks live"
_NAMES = f"{_REPORTS} demo index statusline install uninstall prices config doctor init prompt"  # in order of the help
_MODULES = {"daily": "periods", "weekly": "periods", "monthly": "periods", "live": "blocks", "uninstall": "install"}
COMMANDS = {name: name for name in _NAMES.split()} | _MODULES  # command -> its module in commands/
_HELP = {"-h", "--help"}
_VERSION = {"-V", "--version"}
_SUGGESTIONS = {"version": "--version", "report": "session", "today": "daily --since today"}
_SUGGESTIONS |= {"forget": "index forget", "rebuild": "index rebuild", "verify": "index verify"}
_SUGGESTIONS |= {"refresh": "prices refresh", "status": "index status"}
_WITH_ANY_CONFIG = {*_VERSION, "doctor", "index", "init", "install", "prompt", "statusline", "uninstall", *_HELP}


def run(argv: list[str]) -> int:
    """Run a command line and return its exit code. Raises UserError for what the user can fix."""
    if "_ARGCOMPLETE" in os.environ:
        from .prompt.completion import autocomplete

        autocomplete(_parser, os.environ)  # does not return
    started = time.perf_counter()
    config_file, debug, argv = _split_global_options(argv)
    argv = _with_command(argv)
    console = Console(os.environ, _load_config(config_file, argv))
    try:
        code = _dispatch(argv, console)
    finally:
        console.close()
    if debug:
        console.debug(started)
    return code


def _dispatch(argv: list[str], console: Console) -> int:
    by_client = argv[0] == "statusline" and not at_terminal()  # Claude Code removes the line of a statusline that fails
    if by_client and not _HELP & set(argv):
        from .commands import statusline

        statusline.run(console, words=argv[1:])
        return 0
    parsed, unknown = _parser(argv[0], console).parse_known_args(argv)
    values = vars(parsed)
    command: Callable[..., int | None] = values.pop("run")
    parser = values.pop("parser")
    if values.get("session") in COMMANDS:
        raise UsageError(f"the command comes first: `ccusage {values['session']} ...` (for a session write --id ID)")
    if unknown and not by_client:
        parser.reject(unknown[0])
    if argv[0] == "statusline":  # it parses its options itself
        values = {"words": argv[1:]}
    try:
        return command(console, **values) or 0
    except (UserError, OSError):
        raise
    except Exception as error:
        from .index.repair import recover_from

        if not recover_from(console.environ, error):
            raise
    return command(console, **values) or 0  # nothing was printed before the error: answers are printed whole


def _split_global_options(argv: list[str]) -> tuple[str | None, bool, list[str]]:
    """Return (the file of `--config`, whether `--debug` was given, the other words); both may be anywhere."""
    config_file, debug, rest = None, False, []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--debug":
            debug = True
        elif word == "--config" or word.startswith("--config="):
            config_file = next(words, "") if word == "--config" else word.partition("=")[2]
            if not config_file and argv[:1] != ["statusline"]:
                raise UsageError("--config wants a FILE (see `ccusage --help`)")
        else:
            rest.append(word)
    return config_file, debug, rest


def _load_config(file: str | None, argv: list[str]) -> Config:
    """Load the config in force. The commands that work without one (the statusline, `doctor`, which explains what is
    wrong with it, and others) get an empty Config if it cannot be read."""
    from .config import Config, load
    from .paths import absolute
    from .prices.stored import config_path

    try:
        if file:  # the price table and child processes look for the config in the environment
            os.environ["CCUSAGE_CONFIG"] = absolute(file, "--config")
        return load(os.environ)
    except UserError:
        if argv[0] in _WITH_ANY_CONFIG or argv[:2] == ["config", "path"] or _HELP & set(argv):
            return Config(file or os.environ.get("CCUSAGE_CONFIG") or config_path(os.environ))
        raise


def _with_command(argv: list[str]) -> list[str]:
    """Add `session` to a command line without a command. Raises UsageError for a misspelled command, before argparse
    sees it. A first word `claude` is skipped: in ccusage 20 it chooses among agents."""
    argv = argv[1:] if argv[:1] == ["claude"] else argv
    argv = [*argv[1:], "--help"] if argv[:1] == ["help"] else argv
    first = argv[0] if argv else None
    if first is None or (first.startswith("-") and first not in {*_VERSION, *_HELP}):
        return ["session", *argv]
    if not first.startswith("-") and first not in COMMANDS:
        raise UsageError(f"no command {first!r}{_suggest(first)} (see `ccusage --help`)")
    return argv


def _suggest(word: str) -> str:
    """Return the end of the error message for a *word* that is no command: what may have been meant, or ""."""
    if word in _SUGGESTIONS:
        return f", did you mean `ccusage {_SUGGESTIONS[word]}`?"
    is_id = any(map(str.isdigit, word)) and not any(map(str.isspace, word))
    return did_you_mean(word, COMMANDS) or (f"; for a session write `ccusage session {word}`" if is_id else "")


def _parser(name: str = "", console: Console | None = None) -> Parser:
    """Return the parser of command *name*, with the config's defaults; of all commands if it is none (10 ms)."""
    parser = Parser(
        prog="ccusage",
        description="Shows what Claude Code sessions cost, exactly, from an index of their transcripts.",
        epilog="`ccusage` alone is `ccusage session`; `ccusage session --help` has its options.\n"
        "`ccusage help COMMAND` is `ccusage COMMAND --help`.",
        argument_default=SUPPRESS,
    )
    version = f"ccusage-line {__version__}"
    parser.add_argument("-V", "--version", action="version", version=version, help="show the version")
    add_options(parser, options.GLOBAL)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for each in [name] if name in COMMANDS else COMMANDS:
        import_module(f".commands.{COMMANDS[each]}", __package__).add(commands, each)
    if console is not None and name in commands.choices:
        commands.choices[name].set_defaults(**console.config.defaults_for(name, console.environ))
    return parser
