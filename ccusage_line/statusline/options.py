"""The parser of the statusline's options in exact spellings; on the lean lanes, imported only if there are any."""

from __future__ import annotations

from ..session import MODES
from .segments import LOW, MEDIUM, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COST_SOURCES = ("auto", "ccusage", "cc", "both")
BURN_RATES = ("off", "emoji", "text", "emoji-text")
WANTS = {
    "--cost-source": "auto, ccusage, cc or both",
    "--visual-burn-rate": "off, emoji, text or emoji-text",
    "--context-low-threshold": "a percentage below the medium threshold",
    "--context-medium-threshold": "a percentage above the low threshold",
    "--preset": "default, minimal, plan, developer, powerline, two-line",
    "--format": "a template",
    "--timezone": "a name like Europe/Berlin",
    "--mode": "auto, calculate or display",
}
_ATTRIBUTES = dict(
    zip(WANTS, ("cost_source", "visual", "low", "medium", "preset", "format", "timezone", "mode"), strict=True)
)
_CHOICES = {"cost_source": COST_SOURCES, "visual": BURN_RATES, "mode": MODES}
_SHORT = {"-z": "--timezone", "-B": "--visual-burn-rate", "-m": "--mode"}
_FLAGS = ("--no-color", "--offline", "-O", "--no-offline", "--cache", "--no-cache", "--debug", "-d")
_IGNORED = ("--refresh-interval",)  # of other tools, in seconds: how long they reuse a line
_NOT_OURS = ("--config",)  # takes a value that only the full command line can read


def parse_options(argv: Sequence[str]) -> Options | None:
    """Return the options, or None if the full command line has to parse them.

    An option with an invalid value keeps its default and is named in `problems`.
    """
    options, has_unknown = _parse(argv)
    return None if has_unknown or options.preview else options


def parse_leniently(argv: Sequence[str]) -> Options:
    """Return the options that are understood; others are named in `problems`. For a line that must not fail."""
    options, has_unknown = _parse(argv)
    if has_unknown:
        options.problems.append("command line")
    return options


def merge_options(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the *old* options, with each of the *new* ones in place of the old one of the same name. A preset and a
    template replace one another, because each is the whole line."""
    merged = _by_name(old)
    for name, words in _by_name(new).items():
        if name in ("--preset", "--format"):
            merged.pop("--preset", None)
            merged.pop("--format", None)
        merged[name] = words
    return [word for words in merged.values() for word in words]


def _by_name(argv: Sequence[str]) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = {}
    words = iter(argv)
    for word in words:
        name, equals, _ = word.partition("=")
        by_name[_SHORT.get(name, name)] = [word] if equals or word in _FLAGS else [word, next(words, "")]
    return by_name


def complaint(options: Options) -> str | None:
    """Return the error message for the first invalid option, the zone or the template, or None if all are valid."""
    from ..clock import zone_of
    from ..errors import UsageError

    for name in options.problems:
        return f"{name} wants {WANTS.get(name, 'something else')}"
    try:
        zone_of(options.timezone)
    except UsageError as error:
        return f"--timezone: {error}"
    for name in unknown_segments(options.format or ""):
        from difflib import get_close_matches

        from .fields import SEGMENTS

        near = get_close_matches(name, SEGMENTS, 1) or [segment for segment in SEGMENTS if name and name in segment]
        return f"--format: no segment {{{name}}}" + (f", did you mean {{{near[0]}}}?" if near else "")
    return None


def unknown_segments(template: str) -> list[str]:
    from .fields import SEGMENTS
    from .template import Template

    tokens = [token for line in Template(template).lines for token in line]
    return [name for kind, name in tokens if kind == "segment" and name not in SEGMENTS]


def _parse(argv: Sequence[str]) -> tuple[Options, bool]:
    """Return the options, and whether the full command line has to parse *argv*: something in it is unknown."""
    options = Options()
    has_unknown = False
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        name = _SHORT.get(name, name) if not equals else name
        if not equals and name in _FLAGS:
            options.color = options.color and name != "--no-color"
            continue
        if word == "--preview":
            options.preview = True
            continue
        if name not in WANTS and name not in _IGNORED and name not in _NOT_OURS:
            has_unknown = True
            continue
        if not equals:
            value = next(words, "-")
            if value.startswith("-"):  # a missing value, or one that begins with a dash: argparse decides
                has_unknown = True
                continue
        has_unknown = has_unknown or name in _NOT_OURS
        _set_option(options, name, value)
    if options.low >= options.medium:
        options.low, options.medium = LOW, MEDIUM
        options.problems.append("--context-low-threshold")
    return options, has_unknown


def _set_option(options: Options, name: str, value: str) -> None:
    """Set an option, or name it in `problems` if its value is invalid; ignore options of other tools."""
    attribute = _ATTRIBUTES.get(name)
    if attribute is None:
        return
    if attribute in ("low", "medium"):
        if value.isascii() and value.isdigit() and len(value) <= 3 and int(value) <= 100:
            setattr(options, attribute, int(value))
            return
    elif attribute == "preset":
        from .presets import PRESETS

        if value in PRESETS:
            options.format = None if value == "default" else PRESETS[value]
            return
    elif value in _CHOICES.get(attribute, (value,)):
        setattr(options, attribute, value)
        return
    options.problems.append(name)
