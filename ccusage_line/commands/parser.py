"""Parsers of commands, made of the table of options: one line per error and the nearest valid spelling."""

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

_UNSEEN = "sweep"  # an action that only the statusline asks for


def _elsewhere(option: str) -> str:
    """The end of a message about an option that only another command takes."""
    from .. import options

    for name in ("session", "daily", "weekly", "blocks", "live", "statusline", "install"):
        if any(option in known.names and known.help for known in getattr(options, name.upper())):
            return f"; `ccusage {name}` has it"
    return ""


class _Help(argparse.RawDescriptionHelpFormatter):
    """One line per option in 80 columns, so that the help of a command fits a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=80)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-i, --id ID`, the value once."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {_value_of(action)}"

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        from textwrap import fill

        return "\n".join(fill(line, width) if len(line) > width else line for line in text.splitlines())


class Parser(argparse.ArgumentParser):
    """argparse with exact spellings only; raises UsageError."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"formatter_class": _Help, "allow_abbrev": False, "add_help": False, **given})
        self.add_argument("-h", "--help", action="help", help="show this help")

    def shorten_help(self) -> None:
        """Without the heading of the options and the line of `--help`: that of a command has to fit a screen."""
        self._optionals.title = None
        self._actions[0].help = argparse.SUPPRESS

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self._joined(args or []), namespace)

    def _joined(self, words: Iterable[str]) -> list[str]:
        """*words* with `=` between an option and a value that begins with a dash, which argparse takes for options:
        `--jq -.totalCost`, `-p -home-me-web`."""
        joined: list[str] = []
        words = iter(words)
        for word in words:
            if word == "--":
                return [*joined, word, *words]
            option = self._option_string_actions.get(joined[-1]) if joined else None
            wants = option is not None and option.nargs is None
            if not wants and len(word) > 2 and f"-{word}" in self._option_string_actions:
                self.error(f"no option {word!r}, did you mean -{word}?")
            if wants and len(word) > 2 and word[0] == "-" != word[1] and word not in self._option_string_actions:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{' '.join(self._in_our_words(message).split())} (see `{self.prog} --help`)")

    def _in_our_words(self, message: str) -> str:
        """What argparse says of a command line, with the option as it is spelt and what it wants."""
        named, colon, reason = message.removeprefix("argument ").partition(": ")
        for action in self._actions:
            if colon and named == "/".join(action.option_strings):
                is_flag = reason.startswith("ignored explicit argument")
                return f"{_name_of(action)} " + ("takes no value" if is_flag else f"wants {_wanted_of(action)}")
            if action.required and message.endswith(f" required: {action.dest}"):
                return f"{self.prog} wants {_wanted_of(action)}"
        return message

    def unknown(self, argument: str) -> NoReturn:
        wrong = argument.partition("=")[0]
        if not wrong.startswith("-"):
            file = f"; CSV goes to stdout: `--csv > {argument}`" if argument.lower().endswith(".csv") else ""
            self.error(f"unexpected argument {argument!r}{file}")
        if wrong == "--last" and "--since" in self._option_string_actions:
            self.error("no option '--last'; write --since 7d for what was used from a week ago on")
        self.error(f"no option {wrong!r}{_elsewhere(wrong) or did_you_mean(wrong, self._option_string_actions)}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        valid = [str(choice) for choice in action.choices if choice != _UNSEEN]
        near = did_you_mean(str(value), valid)
        self.error(f"{_name_of(action)} {value!r} is none of {', '.join(valid)}{near}")


def _wanted_of(action: argparse.Action) -> str:
    """`DAY`, `desc or asc`, `auto, calculate or display`."""
    *others, last = map(str, action.choices or [_value_of(action)])
    return f"{', '.join(others)} or {last}" if others else last


def _name_of(action: argparse.Action) -> str:
    return action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest).lower()


def _value_of(action: argparse.Action) -> str:
    return str(action.metavar or action.dest.upper())


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """The end of a message about *wrong*; empty where nothing is near."""
    from difflib import get_close_matches

    valid = list(valid)
    begun = [option for option in valid if len(wrong.strip("-")) > 1 and option.startswith(wrong)]
    near = begun if len(begun) == 1 else get_close_matches(wrong, valid, 1, 0.7)
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
    """Add a command, or an action of one: *run* gets a Console, and the values of *options* by keyword, and
    returns an exit code other than 0 if there is one.

    What is not *checked* takes any value for a choice: the command says itself what is wrong with it.
    """
    parser = commands.add_parser(name, **texts)
    parser.set_defaults(run=run, parser=parser)
    parser.shorten_help()
    add_options(parser, options, checked)


def add_actions(commands: Commands, name: str, help: str, run: Callable[..., int | None]) -> Commands:
    """Add a command that has actions: what they are to be added to. *run* is the command without one."""
    parser = commands.add_parser(name, help=help, description=f"{help[:1].upper()}{help[1:]}.")
    parser.set_defaults(run=run, parser=parser)
    return parser.add_subparsers(title="actions", metavar="ACTION", parser_class=Parser)


def _whole(name: str) -> Callable[[str], int]:
    """What makes a whole number of the value of an option."""

    def whole(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{name} {text!r} is not a whole number") from None

    return whole


def add_options(parser: Parser, options: Iterable[Option], checked: bool = True) -> None:
    for option in options:
        usual = f" (usual: {option.default})" if option.default and option.kind in ("choice", "zone", "seconds") else ""
        given: dict[str, Any] = {"help": f"{option.help}{usual}" if option.help else argparse.SUPPRESS}
        if option.kind == "flag":
            _add_flag(parser, option, given["help"])
            continue
        given["metavar"] = option.metavar or None
        if option.names[0].startswith("-"):
            given["dest"] = option.dest
        if option.choices and checked:
            given |= {"choices": option.choices, "default": option.default or None}
        if option.kind in ("number", "seconds"):
            given["type"] = _whole(option.names[-1])
        if option.nargs:
            given["nargs"] = option.nargs
        if option.nargs == "?" and option.choices:
            given["const"] = option.choices[0]
        parser.add_argument(*option.names, **given)


def _add_flag(parser: Parser, option: Option, help: str) -> None:
    """A flag; its contrary too, if the config may set it. The help shows the one of them that changes what is usual."""
    if not option.meaning:
        parser.add_argument(*option.names, action="store_true", dest=option.dest, help=help)
        return
    is_usual = option.default == "true"
    helps = (argparse.SUPPRESS, help) if is_usual else (help, argparse.SUPPRESS)
    parser.add_argument(*option.names, action="store_true", default=is_usual, dest=option.dest, help=helps[0])
    parser.add_argument(f"--no-{option.key}", action="store_false", dest=option.dest, help=helps[1])
