"""`ccusage install` and `ccusage uninstall`: put the statusline into Claude Code's settings.json or remove it."""

from __future__ import annotations

import os

from ..errors import UsageError, UserError, printable
from ..options import INSTALL, STATUSLINE, UNINSTALL
from ..paths import absolute, config_dirs, state_dir
from .console import Console
from .parser import Commands, add_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..claude_code.settings_file import Change

REFRESH = 5  # seconds; Claude Code does not call the command while background agents run


def add(commands: Commands, name: str) -> None:
    if name == "uninstall":
        add_command(commands, name, run_uninstall, UNINSTALL, help="remove the statusline from Claude Code's settings")
        return
    add_command(
        commands,
        name,
        run_install,
        INSTALL,
        checked=False,
        help="put the statusline into Claude Code's settings",
        description="Put the statusline into Claude Code's settings. The next install keeps its options.",
        usage="ccusage install [options]",
    )


def run_install(
    console: Console,
    *,
    options: Sequence[str],
    force: bool,
    refresh_interval: int | None,
    padding: int | None,
    settings: str | None,
    dry_run: bool,
    **chosen: object,
) -> None:
    """Put the statusline into the settings. Its options are those of the previous install, overridden by those *chosen*
    by keyword and by *options*, words after `--`."""
    import shlex

    from ..claude_code import settings_file, statusline_entry
    from ..statusline.options import complaint, merge_options, parse_options

    if (refresh_interval or 0) < 0 or (padding or 0) < 0:
        raise UsageError("--refresh-interval and --padding can't be less than 0")
    words = [*_as_words(chosen), *options]
    parsed = parse_options(words)
    problem = f"unknown option of statusline: {shlex.join(words)}" if parsed is None else complaint(parsed)
    if problem is not None:
        raise UsageError(f"{problem} (see `ccusage statusline --help`)")
    path = _settings_path(console, settings)
    old = settings_file.statusline_of(path)
    is_update = statusline_entry.is_ours(old)
    variables, before = _previous_options(old, force) if is_update else ("", [])
    words = merge_options(before, words)
    interval = refresh_interval
    if interval is None:
        interval = old.get("refreshInterval", REFRESH) if is_update else REFRESH
    change = settings_file.install(
        path,
        variables + statusline_entry.command(shlex.join(words)),
        force=force,
        dry_run=dry_run,
        refresh_interval=interval,
        padding=padding,
        lock=_lock_path(console.environ),
    )
    _print_change(console, change, dry_run)
    if not dry_run:
        _print_next_steps(console, words, interval)


def run_uninstall(console: Console, *, settings: str | None, dry_run: bool) -> None:
    """Remove the statusline from the settings."""
    from ..claude_code import settings_file

    path = _settings_path(console, settings)
    change = settings_file.uninstall(path, dry_run=dry_run, lock=_lock_path(console.environ))
    if change.what == "absent":
        console.say(f"no statusline of ccusage in {change.path}")
        return
    _print_change(console, change, dry_run)
    if not dry_run:
        path = console.config.path
        config = f"  {path}: the config file\n" if os.path.exists(path) else ""
        console.out(
            "\nNot removed, because the reports and the prompt use it:\n"
            f"{config}"
            f"  {state_dir(console.environ)}: the index, also of sessions that Claude Code has deleted\n"
            "  the line with `ccusage init` in your shell's startup file, if you have added it\n"
            "  the package: `pip uninstall ccusage-line`, `uv tool uninstall ccusage-line` or `pipx uninstall ...`\n"
        )


def _as_words(chosen: Mapping[str, object]) -> list[str]:
    """Return the given options of statusline as words. Raises UsageError for an unknown zone."""
    from ..clock import zone_of

    words = []
    for option in STATUSLINE:
        name, value = option.names[-1], chosen[option.dest]
        if value and option.kind == "zone":
            value = zone_of(str(value)) or "local"
        if value is True:
            words.append(name)
        elif value:
            words += [name, str(value)] if str(value)[0] != "-" else [f"{name}={value}"]
    return words


def _previous_options(old: dict[str, Any], force: bool) -> tuple[str, list[str]]:
    """Return (variables, options) of our previous statusLine; ("", []) if *force* is set and it contains more than
    these, for which UserError is raised otherwise."""
    from ..claude_code.statusline_entry import reusable_parts
    from ..statusline.options import parse_options

    parts = reusable_parts(old)
    if parts is not None and parse_options(parts[1]) is not None:
        return parts
    if not force:
        raise UserError(
            f"the statusLine {old['command']!r} contains more than options of ccusage; --force replaces all of it"
        )
    return "", []


def _settings_path(console: Console, named: str | None) -> str:
    """Return the path of the settings file; mention others that exist. Raises UsageError if it is ambiguous."""
    from ..claude_code.settings_file import settings_path

    if named is not None:
        return absolute(named, "--settings")
    folders = config_dirs(console.environ)
    path = settings_path(console.environ)
    if console.environ.get("CLAUDE_CONFIG_DIR", "").strip(" ,") and len(folders) > 1:
        raise UsageError(f"CLAUDE_CONFIG_DIR names {', '.join(folders)}: choose one with --settings FILE")
    for other in (os.path.join(folder, "settings.json") for folder in folders):
        if os.path.realpath(other) != os.path.realpath(path) and os.path.exists(other):
            console.say(
                f"{other} is not changed, because Claude Code reads {path}; --settings FILE chooses another file"
            )
    return path


def _lock_path(environ: Mapping[str, str]) -> str:
    return os.path.join(state_dir(environ), "settings.lock")


def _print_change(console: Console, change: Change, dry_run: bool) -> None:
    backup = f"; the old one is {change.backup}" if change.backup else ""
    console.out(printable(change.diff) if dry_run and change.diff else f"{change.what}: {change.path}{backup}\n")


def _print_next_steps(console: Console, words: Sequence[str], interval: object) -> None:
    """Show the new line, how often it is updated (every *interval* seconds too), what to do next and how to undo it."""
    from ..claude_code.statusline_entry import executable, is_in_cache
    from ..statusline.command import config_options
    from ..statusline.options import parse_leniently
    from ..statusline.preview import sample_line

    options = parse_leniently([*config_options(console.config.values), *words])
    options.labels = console.config.labels
    options.color = console.is_colored(None, not options.color)
    interval_text = f",\nand also updates it every {interval} seconds (--refresh-interval)" if interval else ""
    console.out(
        f"\n{sample_line(options, console.width())}\n\n"
        "This is how it looks, with sample numbers. Claude Code shows it from the next message on, in trusted folders"
        f"{interval_text}.\n"
        "To change it: ccusage statusline --preview, then ccusage install --preset NAME\n"
        "To undo this: ccusage uninstall\n"
    )
    try:
        program = executable()
    except UserError:
        return
    if is_in_cache(program):
        console.warn(
            f"{program} is in a cache that may be cleared: run `uv tool install ccusage-line`, then install again"
        )
