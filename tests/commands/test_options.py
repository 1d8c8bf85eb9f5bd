"""The table of options is what every parser accepts, including those of the lean lanes, which do not load it."""

from __future__ import annotations

import inspect
import re
from argparse import _SubParsersAction
from collections.abc import Iterator

import pytest

from ccusage_line import cli, fast, options, session, windows
from ccusage_line.commands.parser import Parser
from ccusage_line.prompt import command as prompt
from ccusage_line.statusline import options as statusline
from ccusage_line.statusline.command import config_options
from ccusage_line.statusline.presets import PRESETS
from conftest import ROOT

OF_STATUSLINE = (*options.STATUSLINE, *options.IGNORED)


def commands(parser: Parser) -> Iterator[Parser]:
    """Yield the parsers of commands and of their actions, without those that only lead to others."""
    below = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    for action in below:
        for each in action.choices.values():
            yield from commands(each)
    if not below:
        yield parser


@pytest.mark.parametrize("parser", [*commands(cli._parser())], ids=lambda parser: parser.prog)
def test_a_command_takes_what_its_parser_gives(parser: Parser) -> None:
    run = parser.get_default("run")
    given = dict.fromkeys(action.dest for action in parser._actions if action.dest != "help")
    if parser.prog == "ccusage statusline":  # reads its options itself
        given = {"words": None}
    inspect.signature(run).bind(None, **given)
    assert run.__doc__


def test_the_fast_lane_spells_the_options_of_session() -> None:
    spelt = {name: option for option in options.SESSION for name in option.names}
    for name, dest in fast.FLAGS.items():
        assert spelt[name].kind == "flag"
        assert dest in ("", spelt[name].dest)
    for name, dest in fast.VALUES.items():
        assert spelt[name].kind != "flag"
        assert dest == spelt[name].dest


def test_modes_are_the_same_everywhere() -> None:
    assert options.MODE.choices == session.MODES == fast.MODES == windows._MODES == statusline.MODES


@pytest.mark.parametrize("option", OF_STATUSLINE, ids=lambda option: option.names[-1])
def test_the_statusline_takes_its_options_in_every_spelling(option: options.Option) -> None:
    values = option.choices or {"percentage": (option.default,), "flag": ("",), "zone": ("UTC",)}.get(
        option.kind, ("x",)
    )
    for value in values:
        for name in option.names:
            found = statusline.parse_leniently([name, value] if value else [name])
            assert statusline.complaint(found) is None
    if option.choices:
        found = statusline.parse_options([option.names[0], "nonsense"])
        assert found is not None
        assert statusline.complaint(found) == f"{option.names[-1]} wants {option.help.removeprefix('costs: ')}"


def test_the_presets_are_those_of_the_option() -> None:
    (preset,) = [option for option in options.STATUSLINE if option.key == "preset"]
    assert {*preset.choices} == {*PRESETS}


def test_the_statusline_knows_no_other_value() -> None:
    assert set(statusline.WANTS) == {option.names[-1] for option in options.STATUSLINE if option.kind != "flag"}


def test_the_config_can_set_every_option_of_the_statusline() -> None:
    """All of them have a value and none has a variable, because `configured` checks neither."""
    assert not any(option.variable or option.kind == "flag" for option in options.SECTIONS["statusline"])
    defaults = {o.key: o.default for o in options.SECTIONS["statusline"] if o.kind in ("choice", "percentage")}
    found, plain = statusline.parse_options(config_options({"statusline": defaults})), statusline.Options()
    assert found is not None
    assert {name: getattr(plain, name) for name in vars(found)} == vars(found)
    assert len(vars(found)) > len(defaults)


def test_the_prompt_takes_its_options() -> None:
    kind, *others = options.PROMPT
    assert kind.choices == tuple(prompt.KINDS)
    for option in others:
        words = option.names if option.kind == "flag" else [*option.names, "x"]
        assert prompt._parse_options(words) == {option.names[0]: "" if option.kind == "flag" else "x"}


def test_a_section_of_the_config_sets_options_of_its_command() -> None:
    assert set(options.SECTIONS["session"]) <= set(options.SESSION)
    assert set(options.SECTIONS["statusline"]) <= set(options.STATUSLINE)
    assert all(option.meaning and option.default for section in options.SECTIONS.values() for option in section)


def test_a_keyword_means_the_same_in_every_command_that_completes_it() -> None:
    shared = (*options.GLOBAL, *options.SESSION, *options.FORGET, *options.PROMPT)
    for option in (*shared, *options.UNINSTALL, *options.PRICES_SHOW):
        assert options.KINDS[option.dest] == option.kind


def test_commands_read_neither_the_command_line_nor_the_environment_of_the_process() -> None:
    room = ROOT / "ccusage_line" / "commands"
    assert [path for path in room.glob("*.py") if re.search(r"sys\.argv|os\.environ", path.read_text())] == []
