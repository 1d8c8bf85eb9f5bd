"""Write the man page and docs/commands.md from the parser, which is made of the table of options.

    python tools/make_pages.py            write them
    python tools/make_pages.py --check    exit 1 if they are out of date

The man page's text about files and exit codes comes from the README.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ccusage_line import cli  # noqa: E402
from ccusage_line.commands.parser import Parser  # noqa: E402

MAN, PAGE = ROOT / "docs" / "ccusage.1", ROOT / "docs" / "commands.md"
INTRO = """\
# Commands and options

What `ccusage COMMAND --help` says, of all commands. Those of the first table may stand anywhere.
"""


def parsers(parser: Parser, told: str) -> Iterator[tuple[Parser, str]]:
    """Yield *parser* and all parsers below it, each with its description."""
    yield parser, parser.description or f"{told[:1].upper()}{told[1:]}."
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield from parsers(action.choices[choice.dest], choice.help or "")


def usage(parser: Parser) -> str:
    return " ".join(parser.format_usage().split()).removeprefix("usage: ")


def options(parser: Parser) -> Iterator[tuple[str, str]]:
    """Yield how each option is written, and its help."""
    formatter = parser._get_formatter()
    for action in parser._actions:
        shown = action.help not in (None, argparse.SUPPRESS) and not isinstance(action, argparse._SubParsersAction)
        if shown and (action.dest != "help" or parser.prog == "ccusage"):
            yield formatter._format_action_invocation(action), formatter._expand_help(action)


def man(found: list[tuple[Parser, str]], day: str) -> str:
    (top, described), *commands = found
    *files, codes = readme("Where things are")
    lines = [f".TH CCUSAGE 1 {day} ccusage-line", ".SH NAME", r"ccusage \- what Claude Code sessions cost"]
    lines += [".SH SYNOPSIS", roff(usage(top)), ".SH DESCRIPTION", roff(described)]
    lines += [*paragraphs(top.epilog), ".SH OPTIONS", *entries(top), ".SH COMMANDS"]
    for parser, told in commands:
        lines += [f'.SS "{roff(usage(parser))}"', roff(told), *entries(parser), *paragraphs(parser.epilog)]
    lines += [".SH FILES", "\n.PP\n".join(map(roff, files))]
    lines += [".SH EXIT STATUS", roff(codes.removeprefix("Exit codes: "))]
    return "\n".join(lines) + "\n"


def readme(title: str) -> list[str]:
    """Return the paragraphs of a section of the README, each on one line."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [" ".join(each.split()) for each in section.strip().split("\n\n")]


def paragraphs(epilog: str | None) -> list[str]:
    """Return the lines of an epilog, unfilled."""
    return [".PP", ".nf", *map(roff, epilog.splitlines()), ".fi"] if epilog else []


def entries(parser: Parser) -> Iterator[str]:
    for written, told in options(parser):
        yield from (".TP", f".B {roff(written)}", roff(told))


def roff(text: str) -> str:
    """Escape text for roff, and make text in backticks bold."""
    text = (
        text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq").replace("'", r"\(aq").replace("~", r"\(ti")
    )
    return re.sub(r"`([^`]+)`", r"\\fB\1\\fR", re.sub(r"^\.", r"\&.", text))


def page(found: list[tuple[Parser, str]]) -> str:
    parts = [INTRO]
    for parser, told in found:
        parts.append(f"## {parser.prog}\n\n    {usage(parser)}\n\n{told}\n")
        rows = [f"| `{written}` | {told} |" for written, told in options(parser)]
        parts += ["\n".join(["| option | |", "| --- | --- |", *rows, ""])] * bool(rows)
        parts += ["\n".join(f"    {line}".rstrip() for line in (parser.epilog or "").splitlines()) + "\n"] * bool(
            parser.epilog
        )
    return "\n".join(parts)


def dated(found: list[tuple[Parser, str]]) -> str:
    """Return the man page with the date of its last change, which is today if it differs from the old one."""
    before = MAN.read_text(encoding="utf-8") if MAN.is_file() else ""
    last = re.search(r"\d{4}-\d\d-\d\d", before)
    return before if last and before == man(found, last[0]) else man(found, date.today().isoformat())


def main() -> int:
    os.environ["NO_COLOR"] = "1"  # because argparse of Python 3.14 colours its output
    found, check = list(parsers(cli._parser(), "")), sys.argv[1:] == ["--check"]
    stale = False
    for path, text in ((MAN, dated(found)), (PAGE, page(found))):
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        print(f"{path.relative_to(ROOT)}: {'out of date' if check else 'written'}")
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
