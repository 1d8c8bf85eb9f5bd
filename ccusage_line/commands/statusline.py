"""`ccusage statusline` with options that the fast lane does not accept."""

from __future__ import annotations

from ..errors import UsageError
from ..options import IGNORED, PREVIEW, STATUSLINE
from .console import Console, at_terminal, has_keyboard
from .parser import Commands, add_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..statusline.segments import Options


def add(commands: Commands, name: str) -> None:
    add_command(
        commands,
        name,
        run,
        (*STATUSLINE, PREVIEW, *IGNORED),
        checked=False,
        help="print Claude Code's statusline for the JSON on stdin",
        description="Print Claude Code's statusline for the JSON on stdin.",
        epilog="`ccusage install` puts it into Claude Code's settings; docs/statusline.md has segments and a gallery.",
        usage="ccusage statusline [options]",
    )


def run(console: Console, *, words: Sequence[str]) -> None:
    """Print the line with the valid options in *words*. At a terminal, invalid ones are errors; nothing is logged."""
    from ..statusline.command import config_options, show
    from ..statusline.options import complaint, parse_leniently

    problem = complaint(parse_leniently(words)) if at_terminal() else None
    if problem is not None:
        raise UsageError(problem)
    options = parse_leniently([*config_options(console.config.values), *words])
    options.labels = console.config.labels
    if options.preview or has_keyboard():
        _print_preview(console, options, words)
    elif at_terminal():
        reasons: list[str] = []
        console.out(_line_renderer(console, options, reasons)(options) + "\n")
        if reasons:
            console.say(f"left out: {'; '.join(reasons)}")
    else:
        show(options)


def _print_preview(console: Console, options: Options, words: Sequence[str]) -> None:
    """Show the line with these options, or every preset, for the payload on stdin or else for an invented one."""
    from ..statusline.preview import every_preset

    options.color = console.is_colored(None, not options.color)
    render_line = _line_renderer(console, options, [])
    if options.preview and not any(word.startswith(("--preset", "--format")) for word in words):
        console.out(every_preset(options, render_line))
    else:
        console.out(render_line(options) + "\n")
    if not options.preview:
        console.say("sample numbers; after `ccusage install`, Claude Code shows the real ones")


def _line_renderer(console: Console, options: Options, reasons: list[str]) -> Callable[[Options], str]:
    """Return a function that renders a line for the payload on stdin if one is piped, else for the sample. Reasons why
    segments are missing are appended to *reasons*."""
    import time

    from ..statusline import payload
    from ..statusline.command import IndexAccess, make_line
    from ..statusline.preview import sample_line

    piped = None if has_keyboard() else payload.parse(payload.read(0))
    if has_keyboard() or (options.preview and not isinstance(piped, dict)):
        return lambda options: sample_line(options, console.width())
    environ = {**console.environ, "COLUMNS": str(console.width())}
    access = IndexAccess(environ)
    numbers = access.look_up(piped, options)
    reasons.extend(access.reasons)
    return lambda options: make_line(piped, numbers, options, environ, time.time_ns() // 1000, reasons)
