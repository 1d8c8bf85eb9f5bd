"""argparse parsers made from the table of options; an error is one line that suggests the nearest valid spelling."""

from __future__ import annotations

import argparse

from ..errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

    from ..options import Option

    Commands = argparse._SubParsersAction["Parser"]
else:
    Commands = argparse._SubParsersAction

_HIDDEN = "sweep"  # an action that only the statusline starts


def _other_command_hint(option: str) -> str:
    """Return the end of the error message for an option that another command has, or ""."""
    from .. import options

    for name in ("session", "daily", "weekly", "blocks", "live", "statusline", "install"):
        if any(option in known.names and known.help for known in getattr(options, name.upper())):
            return f"; it is an option of `ccusage {name}`"
    return ""


class _Help(argparse.RawDescriptionHelpFormatter):
    """A help format with one line of at most 80 columns per option, so that the help of a command fits a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=80)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """Return `-i, --id ID`, with the value once."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {_value_of(action)}"

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        from textwrap import fill

        return "\n".join(fill(line, width) if len(line) > width else line for line in text.splitlines())


class Parser(argparse.ArgumentParser):
    """An argument parser that accepts exact spellings only and raises UsageError."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{"formatter_class": _Help, "allow_abbrev": False, "add_help": False, **keywords})
        self.add_argument("-h", "--help", action="help", help="show this help")

    def shorten_help(self) -> None:
        """Remove the heading of the options and the line of `--help`, so that the help fits a screen."""
        self._optionals.title = None
        self._actions[0].help = argparse.SUPPRESS

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self._join_values(args or []), namespace)

    def _join_values(self, words: Iterable[str]) -> list[str]:
        """Join options and values that begin with a dash (`--jq -.totalCost`, `-p -home-me-web`) by `=`, because
        argparse would take these values for options."""
        options = self._option_string_actions
        joined: list[str] = []
        words = iter(words)
        for word in words:
            if word == "--":
                return [*joined, word, *words]
            option = options.get(joined[-1]) if joined else None
            is_value = option is not None and option.nargs is None
            if not is_value and len(word) > 2 and f"-{word}" in options:
                self.error(f"no option {word!r}, did you mean -{word}?")
            if is_value and len(word) > 2 and word[0] == "-" != word[1] and word not in options:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{' '.join(self._rewrite(message).split())} (see `{self.prog} --help`)")

    def _rewrite(self, message: str) -> str:
        """Rewrite a message of argparse: name the option as the user knows it, and the value that it takes."""
        names, colon, reason = message.removeprefix("argument ").partition(": ")
        for action in self._actions:
            if colon and names == "/".join(action.option_strings):
                is_flag = reason.startswith("ignored explicit argument")
                return f"{_name_of(action)} " + ("takes no value" if is_flag else f"wants {_describe_values(action)}")
            if action.required and message.endswith(f" required: {action.dest}"):
                return f"{self.prog} wants {_describe_values(action)}"
        return message

    def reject(self, argument: str) -> NoReturn:
        wrong = argument.partition("=")[0]
        if not wrong.startswith("-"):
            file = f"; CSV goes to stdout: `--csv > {argument}`" if argument.lower().endswith(".csv") else ""
            self.error(f"unexpected argument {argument!r}{file}")
        if wrong == "--last" and "--since" in self._option_string_actions:
            self.error("no option '--last'; for the last 7 days, today included, write --since 6d")
        self.error(
            f"no option {wrong!r}{_other_command_hint(wrong) or did_you_mean(wrong, self._option_string_actions)}"
        )

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        valid = [str(choice) for choice in action.choices if choice != _HIDDEN]
        near = did_you_mean(str(value), valid)
        self.error(f"{_name_of(action)} {value!r} is not one of {', '.join(valid)}{near}")


def _describe_values(action: argparse.Action) -> str:
    """Return the values of an option in words: `DAY`, `desc or asc`, `auto, calculate or display`."""
    *others, last = map(str, action.choices or [_value_of(action)])
    return f"{', '.join(others)} or {last}" if others else last


def _name_of(action: argparse.Action) -> str:
    return action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest).lower()


def _value_of(action: argparse.Action) -> str:
    return str(action.metavar or action.dest.upper())


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """Return the end of a message about *wrong* with the nearest valid word, or "" if none is near."""
    from difflib import get_close_matches

    valid = list(valid)
    completions = [word for word in valid if len(wrong.strip("-")) > 1 and word.startswith(wrong)]
    near = completions if len(completions) == 1 else get_close_matches(wrong, valid, 1, 0.7)
    return f", did you mean {near[0]}?" if near else ""


def add_command(
    commands: Commands,
    name: str,
    run: Callable[..., int | None],
    options: Iterable[Option] = (),
    *,
    checked: bool = True,
    **texts: Any,
) -> None:
    """Add a command, or an action of a command. *run* takes a Console and the values of *options* by keyword, and may
    return an exit code. Unless *checked*, any value is accepted for a choice, and the command checks it itself."""
    parser = commands.add_parser(name, **texts)
    parser.set_defaults(run=run, parser=parser)
    parser.shorten_help()
    add_options(parser, options, checked)


def add_actions(commands: Commands, name: str, help: str, run: Callable[..., int | None]) -> Commands:
    """Add a command with actions and return the object to add these to. *run* is called if no action is given."""
    parser = commands.add_parser(name, help=help, description=f"{help[:1].upper()}{help[1:]}.")
    parser.set_defaults(run=run, parser=parser)
    return parser.add_subparsers(title="actions", metavar="ACTION", parser_class=Parser)


def _int_parser(name: str) -> Callable[[str], int]:
    """Return a function that converts the value of option *name* to an int. It raises UsageError."""

    def whole(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{name} {text!r} is not a whole number") from None

    return whole


def add_options(parser: Parser, options: Iterable[Option], checked: bool = True) -> None:
    for option in options:
        help = option.help or argparse.SUPPRESS
        if option.help and option.default and option.kind in ("choice", "zone", "seconds"):
            help += f" (default: {option.default})"
        if option.kind == "flag":
            _add_flag(parser, option, help)
            continue
        keywords: dict[str, Any] = {"help": help, "metavar": option.metavar or None}
        if option.names[0].startswith("-"):
            keywords["dest"] = option.dest
        if option.choices and checked:
            keywords |= {"choices": option.choices, "default": option.default or None}
        if option.kind in ("number", "seconds"):
            keywords["type"] = _int_parser(option.names[-1])
        if option.nargs:
            keywords["nargs"] = option.nargs
        if option.nargs == "?" and option.choices:
            keywords["const"] = option.choices[0]
        parser.add_argument(*option.names, **keywords)


def _add_flag(parser: Parser, option: Option, help: str) -> None:
    """Add a flag; also its negation if the config may set it. The help shows the one that changes the default."""
    if not option.meaning:
        parser.add_argument(*option.names, action="store_true", dest=option.dest, help=help)
        return
    is_on = option.default == "true"
    help_on, help_off = (argparse.SUPPRESS, help) if is_on else (help, argparse.SUPPRESS)
    parser.add_argument(*option.names, action="store_true", default=is_on, dest=option.dest, help=help_on)
    parser.add_argument(f"--no-{option.key}", action="store_false", dest=option.dest, help=help_off)
