"""The statusline: (payload, numbers, options, environment) -> one line. It never fails, it shows less.

On the lean lanes: `os` alone at module level. What a field of the payload cannot be used for is told by the field's
name, never by its value: transcripts and paths are nobody's business but the user's.
"""

from __future__ import annotations

import os

from .payload import at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..session import Session
    from ..windows import Block

FALLBACK = "ccusage"  # where there is nothing to show: an empty line makes the client take the whole row away
COST_SOURCES = ("auto", "ccusage", "cc", "both")
BURN_RATES = ("off", "emoji", "text", "emoji-text")
MODES = ("auto", "calculate", "display")
LOW, MEDIUM = 50, 80  # percent of the context window: green below the first, red from the second
MODERATE, HIGH = 2000, 5000  # input + output tokens a minute
STARTUP = 10_000_000  # microseconds from the client's start to the first line of its session, where nobody waits
UNPRICED = "+?"  # after a cost that lacks the part of a model without a price

RESET, RED, GREEN, YELLOW = "\x1b[0m", "\x1b[31m", "\x1b[32m", "\x1b[33m"
ELLIPSIS = "…"
MARGIN = 4  # columns that the client keeps for itself: it cuts what is longer than COLUMNS - 4

_PICO = 1_000_000_000_000
_MOST_DOLLARS = 1_000_000_000
_MOST_TOKENS = 1_000_000_000  # a context window larger than that is a mistake
_MOST_MILLISECONDS = 100 * 365 * 86_400_000
_MOST_LINES = 1_000_000_000
_OPTIONAL = ("current_usage", "rate_limits", "prompt_cache", "worktree")  # fields that no client always has
_LONGEST_TEXT = 300  # characters of a name or path from the payload
_LONGEST_TEMPLATE = 10_000


class Numbers:
    """What the index knows for one statusline call."""

    __slots__ = (
        "began",
        "block",
        "complete",
        "day",
        "fork",
        "inherited",
        "last_context",
        "session",
        "today",
        "unknown",
        "unwritten",
    )

    def __init__(
        self,
        session: Session | None = None,
        today: int | None = None,
        block: Block | None = None,
        complete: bool = False,
        fork: bool = False,
        last_context: tuple[int, str] | None = None,
        unknown: bool = False,
        day: int | None = None,
        began: int | None = None,
        inherited: int | None = None,
        unwritten: bool = False,
    ) -> None:
        self.session = session  # None: no transcript yet
        self.today = today  # 1e-12 dollar since the local day began
        self.day = day  # when that was, in microseconds
        self.block = block  # the 5-hour window under way
        self.complete = complete  # false: the index has not read everything, so today and block are not shown
        self.fork = fork  # the session began as a copy of another, whose cost the client's total includes
        self.began = began  # the first timestamp of the session's own transcript, in microseconds
        self.inherited = inherited  # the client's total before the first response, 1e-12 dollar; None: nobody looked
        self.unwritten = unwritten  # the transcript that the payload names does not exist
        self.last_context = last_context  # prompt tokens and model of the last main-chain response
        self.unknown = unknown  # the index could not be asked: a session of None says nothing then

    @property
    def unanswered(self) -> bool:
        """Whether the session certainly has no response yet."""
        return self.unwritten or (self.session is not None and not self.session.responses)


class Options:
    """How the line is to look."""

    __slots__ = ("color", "cost_source", "format", "labels", "low", "medium", "mode", "problems", "timezone", "visual")

    def __init__(self) -> None:
        self.cost_source = "auto"
        self.visual = "off"
        self.low = LOW
        self.medium = MEDIUM
        self.format: str | None = None
        self.timezone: str | None = None
        self.mode = "auto"
        self.color = True
        self.labels: Mapping[str, str] = {}  # model ids -> what to show for them, from the config
        self.problems: list[str] = []  # options whose value means nothing; they keep their defaults


# --- options -----------------------------------------------------------------------------------------------------

WANTS = {
    "--cost-source": "auto, ccusage, cc or both",
    "--visual-burn-rate": "off, emoji, text or emoji-text",
    "--context-low-threshold": "a percentage below the medium threshold",
    "--context-medium-threshold": "a percentage above the low threshold",
    "--format": "a template",
    "--timezone": "a name like Europe/Berlin",
    "--mode": "auto, calculate or display",
}
_SHORT = {"-z": "--timezone", "-B": "--visual-burn-rate", "-m": "--mode"}
_FLAGS = ("--no-color", "--offline", "-O", "--no-offline", "--cache", "--no-cache", "--debug", "-d")
_IGNORED = ("--refresh-interval",)  # seconds; of tools that need a cache to be quick enough
_NOT_OURS = ("--config",)  # takes a value that only the command line proper can read
_CHOICES = {
    "--cost-source": ("cost_source", COST_SOURCES),
    "--visual-burn-rate": ("visual", BURN_RATES),
    "--mode": ("mode", MODES),
}


def parse_options(argv: Sequence[str]) -> Options | None:
    """The options of exact spellings, None where the command line proper has to answer.

    A value that means nothing leaves the default and is named in `problems`.
    """
    options, unknown = _read(argv)
    return None if unknown else options


def forgiving_options(argv: Sequence[str]) -> Options:
    """The options that can be understood; what can't is named in `problems`. For a line that must not fail."""
    options, unknown = _read(argv)
    if unknown:
        options.problems.append("command line")
    return options


def complaint(options: Options) -> str | None:
    """What to tell a person about the first option that means nothing."""
    for name in options.problems:
        return f"{name} wants {WANTS.get(name, 'something else')}"
    return None


def _read(argv: Sequence[str]) -> tuple[Options, bool]:
    """The options, and whether anything in *argv* is unknown."""
    options = Options()
    unknown = False
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        name = _SHORT.get(name, name) if not equals else name
        if not equals and name in _FLAGS:
            options.color = options.color and name != "--no-color"
            continue
        if name not in WANTS and name not in _IGNORED and name not in _NOT_OURS:
            unknown = True
            continue
        if not equals:
            value = next(words, "-")
            if value.startswith("-"):  # forgotten, or meant so: argparse knows what to say
                unknown = True
                continue
        unknown = unknown or name in _NOT_OURS
        _set(options, name, value)
    if options.low >= options.medium:
        options.low, options.medium = LOW, MEDIUM
        options.problems.append("--context-low-threshold")
    return options, unknown


def _set(options: Options, name: str, value: str) -> None:
    if name == "--format":
        options.format = value
    elif name == "--timezone":
        options.timezone = value
    elif name == "--context-low-threshold":
        options.low = _percentage(options, name, value, LOW)
    elif name == "--context-medium-threshold":
        options.medium = _percentage(options, name, value, MEDIUM)
    elif name in _CHOICES:
        attribute, choices = _CHOICES[name]
        if value in choices:
            setattr(options, attribute, value)
        else:
            options.problems.append(name)


def _percentage(options: Options, name: str, value: str, default: int) -> int:
    if value.isascii() and value.isdigit() and len(value) <= 3 and int(value) <= 100:
        return int(value)
    options.problems.append(name)
    return default


def day_start(options: Options, now_us: int, reasons: list[str] | None = None) -> int:
    """When today began, in the zone of the options; in the system's where that is unknown."""
    from .. import windows

    try:
        return windows.day_start(now_us, options.timezone)
    except LookupError:
        if reasons is not None:
            reasons.append("--timezone: unknown zone")
        return windows.day_start(now_us, None)


# --- the line ----------------------------------------------------------------------------------------------------


def render(
    payload: object,
    numbers: Numbers,
    options: Options,
    environ: Mapping[str, str],
    now_us: int,
    reasons: list[str] | None = None,
) -> str:
    """The line, without a newline: never empty, never wider than COLUMNS - 4 where COLUMNS is set, never an exception.

    Why something is not shown is appended to *reasons*, by the names of fields and options.
    """
    view = _View(payload, numbers, options, environ, now_us)
    for name in options.problems:
        view.say(name, "not understood")
    if not isinstance(payload, dict):
        view.say("stdin", "not a JSON object")
    try:
        line = _default(view) if options.format is None else _template(view, options.format)
        if not _plain(line).strip():
            line = FALLBACK
        line = _fit(line, _limit(environ))
    except Exception as error:
        view.say("line", type(error).__name__)
        line = FALLBACK
    if reasons is not None:
        reasons.extend(view.reasons)
    return line


class _View:
    """One call's data, asked field by field; what is unusable is said and is None."""

    __slots__ = ("color", "environ", "now", "numbers", "options", "payload", "reasons")

    def __init__(
        self, payload: object, numbers: Numbers, options: Options, environ: Mapping[str, str], now_us: int
    ) -> None:
        self.payload = payload
        self.numbers = numbers
        self.options = options
        self.environ = environ
        self.now = now_us
        self.color = options.color and not environ.get("NO_COLOR")
        self.reasons: list[str] = []

    def unusable(self, path: tuple[str, ...], value: object, wanted: str) -> None:
        """Say that a field is not there or not what is wanted; some are often not there, by the client's own rules."""
        if value is not None:
            self.say(".".join(path), f"not {wanted}")
        elif not any(key in _OPTIONAL for key in path):
            self.say(".".join(path), "missing")

    def say(self, name: str, reason: str) -> None:
        text = f"{name}: {reason}"
        if text not in self.reasons:
            self.reasons.append(text)

    def text(self, *path: str) -> str | None:
        """A field's text, harmless and on one line."""
        value = self.raw(*path)
        return None if value is None else _clean(value[:_LONGEST_TEXT]).strip() or None

    def raw(self, *path: str) -> str | None:
        """A field's text as it is."""
        value = at(self.payload, *path)
        if isinstance(value, str) and value:
            return value
        self.unusable(path, value, "a text")
        return None

    def number(self, most: float, *path: str) -> float | None:
        """A field's number from 0 to *most*."""
        value = at(self.payload, *path)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if 0 <= value <= most:
                return value
            self.say(".".join(path), "out of range")
        else:
            self.unusable(path, value, "a number")
        return None

    def paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self.color else text

    def segment(self, name: str) -> str:
        """One segment; empty where it has nothing to show, whatever the reason."""
        try:
            return SEGMENTS[name](self)
        except Exception as error:
            self.say(name, type(error).__name__)
            return ""


def _default(view: _View) -> str:
    """Model, costs, burn rate, context; a part that has nothing goes with its separator."""
    left = view.segment("block_left")
    costs = [
        _around("", view.segment("session_cost"), " session"),
        _around("", view.segment("today_cost"), " today"),
        _around("", view.segment("block_cost"), f" block ({left} left)" if left else " block"),
    ]
    parts = [
        _around("🤖 ", view.segment("model")),
        _around("💰 ", " / ".join(filter(None, costs))),
        _around("🔥 ", view.segment("burn")),
        _around("🧠 ", view.segment("context")),
    ]
    return " | ".join(filter(None, parts))


def _around(before: str, text: str, after: str = "") -> str:
    return f"{before}{text}{after}" if text else ""


# --- templates ---------------------------------------------------------------------------------------------------


class _Group:
    """A part of a template under work: its text, how many segments it has, how many of them say something."""

    __slots__ = ("filled", "pieces", "segments")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.segments = 0
        self.filled = 0

    def take(self, group: _Group, opening: str = "") -> None:
        """Add an inner group, which vanishes if it has segments and all of them are empty."""
        self.segments += group.segments
        self.filled += group.filled
        if group.filled or not group.segments or opening:
            self.pieces += [opening, *group.pieces]


def _template(view: _View, template: str) -> str:
    """A template with its segments filled in: `{segment}`, `[group]`, `\\` before what shall stand as it is, and
    `\\e[...m` for a colour. What is none of these stands as it is: a mistake has to be seen."""
    text = _clean(template[:_LONGEST_TEMPLATE].replace("\x1b[", "\\e["))
    groups = [_Group()]
    place = 0
    while place < len(text):
        c = text[place]
        place += 1
        if c == "\\" and place < len(text):
            piece, place = _escape(view, text, place)
            groups[-1].pieces.append(piece)
        elif c == "{":
            place = _braces(view, text, place, groups[-1])
        elif c == "[":
            groups.append(_Group())
        elif c == "]" and len(groups) > 1:
            closed = groups.pop()
            groups[-1].take(closed)
        else:
            groups[-1].pieces.append(c)
    while len(groups) > 1:
        view.say("--format", "a [ without its ]")
        unclosed = groups.pop()
        groups[-1].take(unclosed, "[")
    line = "".join(groups[0].pieces)
    _, escape, rest = line.rpartition("\x1b")
    return line + RESET if escape and not rest.startswith(RESET[1:]) else line


def _escape(view: _View, text: str, place: int) -> tuple[str, int]:
    """What a backslash before *place* makes of what follows, and where that ends."""
    if text.startswith("e[", place):
        end = place + 2
        while end < len(text) and (text[end].isdigit() or text[end] in ";:"):
            end += 1
        if text[end : end + 1] == "m":
            sequence = f"\x1b[{text[place + 2 : end]}m"
            return (sequence if view.color and sequence.isascii() else ""), end + 1
    return text[place], place + 1


def _braces(view: _View, text: str, place: int, group: _Group) -> int:
    """Fill in the segment whose name begins at *place*; returns where the template goes on."""
    end = text.find("}", place)
    name = text[place:end] if end >= 0 else ""
    if name not in SEGMENTS:
        view.say("--format", "an unknown segment")
        group.pieces.append("{")
        return place
    shown = view.segment(name)
    group.pieces.append(shown)
    group.segments += 1
    group.filled += bool(shown)
    return end + 1


# --- segments ----------------------------------------------------------------------------------------------------


def _model(view: _View) -> str:
    label = view.options.labels.get(str(at(view.payload, "model", "id")))
    name = view.text("model", "display_name") if label is None else _clean(label[:_LONGEST_TEXT])
    if name is None:
        identifier = view.text("model", "id")
        if identifier is not None:
            from ..jsontext import short_model

            name = short_model(identifier)
    return name or ""


def _session_cost(view: _View) -> str:
    source = view.options.cost_source
    if source == "cc":
        return _money(_theirs(view))
    ours = _ours(view)
    if source == "both":
        shown = [_around("", _money(_theirs(view)), " cc"), _around("", _marked(view, ours), " ccusage")]
        return _around("(", " / ".join(filter(None, shown)), ")")
    costs = [ours, _own_total(view)] if source == "auto" else [ours]
    known = [cost for cost in costs if cost is not None]
    return _marked(view, max(known)) if known else ""


def _ours(view: _View) -> int | None:
    """Our cost of the session: nothing was spent as long as there is no transcript of it."""
    if view.numbers.session is not None:
        return view.numbers.session.cost
    return 0 if not view.numbers.unknown and view.raw("session_id") is not None else None


def _theirs(view: _View) -> int | None:
    dollars = view.number(_MOST_DOLLARS, "cost", "total_cost_usd")
    return None if dollars is None else round(dollars * _PICO)


def _own_total(view: _View) -> int | None:
    """The client's total; None where it is not this session's alone.

    A fork begins with the total of the session it came from, and some clients go on with the old total after /clear. A
    total of 0 before the first response proves that it is neither. If nobody looked then, the client's clock tells: a
    session can't have been open for longer than it exists.
    """
    known = view.numbers
    if known.fork or (known.unanswered and at(view.payload, "prompt_id") is None):
        return None
    if known.inherited is not None:
        return None if known.inherited else _theirs(view)
    began = _first_sign(view)
    opened = view.number(_MOST_MILLISECONDS, "cost", "total_duration_ms") if began is not None else None
    if began is not None and opened is not None and opened * 1000 > view.now - began + STARTUP:
        return None
    return _theirs(view)


def _first_sign(view: _View) -> int | None:
    """The first timestamp of the session, in microseconds; None without a transcript."""
    known = view.numbers
    first = known.session.first if known.session is not None else None
    return min((time for time in (known.began, first) if time is not None), default=None)


def _surplus(view: _View, start: int | None) -> int:
    """What the client's total has over ours, 1e-12 dollar, if it is shown and the session began at *start* or later.

    It belongs to a day or block that began at *start*: a session is never more than the day it began in.
    """
    theirs = _own_total(view) if view.options.cost_source != "ccusage" else None
    ours = _ours(view)
    if start is None or theirs is None or ours is None or theirs <= ours:
        return 0
    began = _first_sign(view)
    if began is None:  # nothing is written of it: it is not older than the client
        began = view.now - int((view.number(_MOST_MILLISECONDS, "cost", "total_duration_ms") or 0) * 1000)
    return theirs - ours if began >= start else 0


def _marked(view: _View, cost: int | None) -> str:
    """A cost, with a mark where responses of the session have no price."""
    session = view.numbers.session
    shown = _money(cost)
    return shown + UNPRICED if shown and session is not None and session.unpriced_models else shown


def _money(pico: int | None) -> str:
    """1e-12 dollars as `$1,234.56`, to the nearest cent; nothing of None."""
    if pico is None:
        return ""
    cents = (pico + 5_000_000_000) // 10_000_000_000
    return f"${cents // 100:,}.{cents % 100:02d}"


def _today_cost(view: _View) -> str:
    if not view.numbers.complete or view.numbers.today is None:
        return ""
    return _money(view.numbers.today + _surplus(view, view.numbers.day))


def _block(view: _View) -> Block | None:
    """The block under way, with what the client alone knows of this session."""
    block = view.numbers.block if view.numbers.complete else None
    surplus = 0 if block is None else _surplus(view, block.start)
    if block is None or not surplus:
        return block
    from ..windows import Block

    return Block(block.start, block.end, block.cost + surplus, block.tokens, block.first)


def _block_cost(view: _View) -> str:
    block = _block(view)
    return "" if block is None else _money(block.cost)


def _block_left(view: _View) -> str:
    block = _block(view)
    if block is None or block.end <= view.now:
        return ""
    minutes = max((block.end - view.now + 30_000_000) // 60_000_000, 1)
    return f"{minutes // 60}h {minutes % 60}m" if minutes >= 60 else f"{minutes}m"


def _burn(view: _View) -> str:
    block = _block(view)
    if block is None:
        return ""
    hourly, rate = block.cost_per_hour(view.now), block.tokens_per_minute(view.now)
    if hourly is None or rate is None:
        return ""
    colour, emoji, word = (
        (GREEN, "🟢", "Normal")
        if rate < MODERATE
        else (YELLOW, "🟡", "Moderate")
        if rate < HIGH
        else (RED, "🔴", "High")
    )
    shown = [view.paint(colour, f"{_money(hourly)}/hr")]
    if "emoji" in view.options.visual:
        shown.append(emoji)
    if "text" in view.options.visual:
        shown.append(view.paint(colour, f"({word})"))
    return " ".join(shown)


def _context(view: _View) -> str:
    tokens, model = _prompt(view), None
    if tokens is None and view.numbers.last_context is not None:
        tokens, model = view.numbers.last_context
    if not tokens or tokens < 0:
        return ""
    size = _told_window(view) or _window(view, model, tokens)
    if not size:
        return f"{tokens:,}"
    percent = tokens * 100 // size
    return f"{tokens:,} ({view.paint(_alarm(view, percent), f'{percent}%')})"


def _prompt(view: _View) -> int | None:
    """Tokens of the last prompt as the client tells them; 0 after /compact, which no transcript knows of."""
    path = ("context_window", "current_usage")
    usage = at(view.payload, *path)
    if not isinstance(usage, dict):
        view.unusable(path, usage, "an object")
        return None
    kinds = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [view.number(_MOST_TOKENS, *path, kind) for kind in kinds if usage.get(kind) is not None]
    if not counts or None in counts:
        return None
    return sum(int(count) for count in counts if count is not None)


def tells_context(payload: object) -> bool:
    """Whether the client tells the tokens of its last prompt, so that no transcript need be asked."""
    return _prompt(_silent(payload)) is not None


def client_total(payload: object) -> int | None:
    """What the client says that the session costs, in 1e-12 dollar."""
    return _theirs(_silent(payload))


def client_window(payload: object) -> int | None:
    """Tokens that the model can see, as the client says."""
    return _told_window(_silent(payload))


def _silent(payload: object) -> _View:
    return _View(payload, Numbers(), Options(), {}, 0)


def _told_window(view: _View) -> int | None:
    """Tokens that the model can see, as the client says."""
    size = view.number(_MOST_TOKENS, "context_window", "context_window_size")
    return int(size) or None if size is not None else None


def _window(view: _View, model: str | None, tokens: int) -> int | None:
    """The same as far as it is known of the model now chosen, else of *model*, where *tokens* were in a prompt."""
    from ..prices.in_use import table

    for name in (at(view.payload, "model", "id"), model):
        window = table().window(name, tokens) if isinstance(name, str) and name else None
        if window is not None:
            return window
    return None


def _alarm(view: _View, percent: float) -> str:
    return GREEN if percent < view.options.low else YELLOW if percent < view.options.medium else RED


def _tokens(view: _View) -> str:
    """All tokens of the session: `950`, `24.9k`, `1.2M`."""
    session = view.numbers.session
    total = session.total if session is not None else 0
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if total >= unit:
            tenths = total * 10 // unit
            return f"{tenths // 10:,}.{tenths % 10}{letter}"
    return str(total) if total > 0 else ""


def _limit_5h(view: _View) -> str:
    return _rate_limit(view, "five_hour")


def _limit_7d(view: _View) -> str:
    return _rate_limit(view, "seven_day")


def _rate_limit(view: _View, name: str) -> str:
    """Percent used of a plan's limit; nothing once the window that it was said of is over."""
    used = view.number(100, "rate_limits", name, "used_percentage")
    if used is None:
        return ""
    resets = at(view.payload, "rate_limits", name, "resets_at")
    if isinstance(resets, (int, float)) and resets * 1_000_000 <= view.now:
        view.say(f"rate_limits.{name}.resets_at", "in the past")
        return ""
    return view.paint(_alarm(view, used), f"{int(used)}%")


def _lines(view: _View) -> str:
    added = view.number(_MOST_LINES, "cost", "total_lines_added")
    removed = view.number(_MOST_LINES, "cost", "total_lines_removed")
    if not added and not removed:
        return ""
    return f"{view.paint(GREEN, f'+{int(added or 0)}')} {view.paint(RED, f'-{int(removed or 0)}')}"


def _duration(view: _View) -> str:
    """How long the session has been open, in its two largest units."""
    milliseconds = view.number(_MOST_MILLISECONDS, "cost", "total_duration_ms")
    seconds = int(milliseconds or 0) // 1000
    if seconds < 60:
        return f"{seconds}s" if seconds else ""
    if seconds < 3600:
        return f"{seconds // 60}m"
    if seconds < 86_400:
        return f"{seconds // 3600}h {seconds // 60 % 60}m"
    return f"{seconds // 86_400}d {seconds // 3600 % 24}h"


def _directory(view: _View) -> str | None:
    if isinstance(at(view.payload, "workspace", "current_dir"), str):
        return view.raw("workspace", "current_dir") or view.raw("cwd")
    return view.raw("cwd")  # the same, and older


def _cwd(view: _View) -> str:
    path = _directory(view) or ""
    home = view.environ.get("HOME", "").rstrip("/")
    if home and (path == home or path.startswith(home + "/")):
        path = "~" + path[len(home) :]
    return _clean(path[-_LONGEST_TEXT:]).strip()


def _project(view: _View) -> str:
    """The name of the project's folder: where the session was started."""
    path = view.raw("workspace", "project_dir")
    if path is None and view.numbers.session is not None:
        path = view.numbers.session.project_path
    path = path or _directory(view) or ""
    return _clean(os.path.basename(path.rstrip("/" + os.sep))[:_LONGEST_TEXT]).strip()


def _branch(view: _View) -> str:
    """The branch, or the short name of the commit that is checked out."""
    from .git import head

    path = _directory(view)
    found = head(path) if path else None
    if found is None:
        return view.text("worktree", "branch") or ""
    return _clean(found[:_LONGEST_TEXT]).strip()


def _cache(view: _View) -> str:
    """Percent of the prompt tokens that came from the cache; `cold` where the next prompt will not find it."""
    ratio = view.number(1, "prompt_cache", "hit_ratio")
    if ratio is None:
        session = view.numbers.session
        prompt = session.input + session.cache_creation + session.cache_read if session is not None else 0
        if session is None or not prompt:
            return ""
        ratio = session.cache_read / prompt
    expires = at(view.payload, "prompt_cache", "expires_at")
    over = isinstance(expires, (int, float)) and 0 < expires * 1_000_000 <= view.now
    cold = over or at(view.payload, "prompt_cache", "warm") is False
    return f"{int(ratio * 100)}%{' cold' if cold else ''}"


SEGMENTS: dict[str, Callable[[_View], str]] = {
    "model": _model,
    "session_cost": _session_cost,
    "today_cost": _today_cost,
    "block_cost": _block_cost,
    "block_left": _block_left,
    "burn": _burn,
    "context": _context,
    "tokens": _tokens,
    "limit_5h": _limit_5h,
    "limit_7d": _limit_7d,
    "lines": _lines,
    "duration": _duration,
    "cwd": _cwd,
    "project": _project,
    "branch": _branch,
    "cache": _cache,
}


# --- text and width ----------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """*text* without what could move a cursor or hide; `text.clean`, whose import most lines need not pay for."""
    if text.isascii() and text.isprintable():
        return text
    for c in text:
        if not (c.isprintable() or "\ue000" <= c <= "\uf8ff") or "\ufe00" <= c <= "\ufe0f":
            from ..text import clean

            return clean(text)
    return text


def _plain(line: str) -> str:
    """*line* without its colours."""
    first, *rest = line.split("\x1b")
    return first + "".join([piece.partition("m")[2] for piece in rest])


def _limit(environ: Mapping[str, str]) -> int | None:
    """The columns there are, None where nobody says (clients before 2.1.153)."""
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and len(columns) <= 5 and int(columns) > 0:
        return max(int(columns) - MARGIN, 1)
    return None


def _fit(line: str, limit: int | None) -> str:
    """*line* in at most *limit* columns, an ellipsis in place of what does not fit; colour sequences take none."""
    if limit is None or len(line) + sum(c > "\x7f" for c in line) <= limit:  # no character is wider than two
        return line
    kept = used = before = place = 0
    while place < len(line):
        if line[place] == "\x1b":
            place = line.index("m", place) + 1
            continue
        columns = _columns(line[place], before)
        used += columns
        if used > limit:
            return line[:kept] + ELLIPSIS + (RESET if "\x1b" in line[:kept] else "")
        before = columns or before
        place += 1
        if used < limit:
            kept = place  # with an ellipsis after it, it still fits
    return line


_WIDE = "🤖💰🔥🧠🟢🟡🔴"  # our own; others are looked up


def _columns(c: str, before: int) -> int:
    if c <= "\x7f":
        return 1
    if c in _WIDE:
        return 2
    from ..text import character_width

    return character_width(c, before)
