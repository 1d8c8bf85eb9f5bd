"""The segments of the default line, and what all segments share; each shows a part of the payload or of the numbers.

On the lean lanes. A field that can't be used is reported by name, never by value: paths and contents are private.
"""

from __future__ import annotations

from ..session import PICO, money
from .payload import value_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..session import Session
    from ..windows import Block, PublishedMoments, StoredMoments, Windows

LOW, MEDIUM = 50, 80  # percent of the context window: green below LOW, red from MEDIUM on
MODERATE, HIGH = 2000, 5000  # input + output tokens per minute
STARTUP = 10_000_000  # microseconds that a client needs at most from its start to the first line of its session

RESET, RED, GREEN, YELLOW = "\x1b[0m", "\x1b[31m", "\x1b[32m", "\x1b[33m"
ELLIPSIS = "…"

MAX_USD = 1_000_000_000
_MAX_TOKENS = 1_000_000_000  # a larger context window is an error
MAX_MILLISECONDS = 100 * 365 * 86_400_000
_LARGE_WINDOW = 1_000_000  # the tokens of a `[1m]` model's window, even if the client reports 200,000
_MAX_TEXT = 300  # characters of a name or path from the payload
_OPTIONAL = {  # fields that clients do not always send
    *("agent", "agent_type", "current_usage", "effort", "fast_mode", "git_worktree", "output_style", "pr"),
    *("prompt_cache", "rate_limits", "repo", "session_name", "thinking", "vim", "worktree"),
}


class Numbers:
    """What the index knows for one call; costs in 1e-12 dollars, times in microseconds since the epoch."""

    session: Session | None = None  # None: there is no transcript yet
    unknown = False  # the index can't be read, so a session of None means nothing
    late = False  # no time is left to read files
    no_transcript = False  # the transcript that the payload names does not exist
    fork = False  # the session began as a copy of another, whose cost the client's total includes
    began: int | None = None  # the first timestamp of the session's own transcript
    inherited: int | None = None  # the client's total before the first response; None: no call saw it
    last_context: tuple[int, str] | None = None  # prompt tokens and model of the last main-chain response
    complete = False  # False: the index has not read everything, so that today and block are not shown
    today: int | None = None  # the cost of the local day
    today_unpriced = False  # whether some of its responses have no price
    day: int | None = None  # when that day began
    block: Block | None = None  # the current block
    moments: PublishedMoments | StoredMoments | None = None  # of all sessions: today and the block
    windows: Windows | None = None  # those that the client reported earlier

    def __init__(self, **numbers: Any) -> None:
        vars(self).update(numbers)

    @property
    def unanswered(self) -> bool:
        """Whether the session certainly has no response yet."""
        return self.no_transcript or (self.session is not None and not self.session.responses)


class Options:
    cost_source = "auto"
    visual = "off"
    low = LOW
    medium = MEDIUM
    format: str | None = None
    timezone: str | None = None
    mode = "auto"
    color = True
    preview = False  # show every preset for the sample call
    labels: Mapping[str, str] = {}  # by model id, from the config

    def __init__(self) -> None:
        self.problems: list[str] = []  # options with an invalid value, which keep their defaults


# --- one call -------------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """Return *text* without what moves the cursor or hides; this avoids the import of `text.clean` for most texts."""
    if text.isprintable() and (text.isascii() or not any("\ufe00" <= c <= "\ufe0f" for c in text)):
        return text
    from ..text import clean

    return clean(text)


def short(text: str) -> str:
    """Return a name or path on one line, cleaned and cut to _MAX_TEXT characters."""
    return clean(text[:_MAX_TEXT]).strip()


class View:
    """The data of one call, read field by field; a field that can't be used is None and is noted in `reasons`."""

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

    def note_unusable(self, path: tuple[str, ...], value: object, wanted: str) -> None:
        """Note that a field is missing or is not *wanted*; that an optional field is missing is not noted."""
        if value is not None:
            self.note(".".join(path), f"not {wanted}")
        elif _OPTIONAL.isdisjoint(path):
            self.note(".".join(path), "missing")

    def note(self, name: str, reason: str) -> None:
        text = f"{name}: {reason}"
        if text not in self.reasons:
            self.reasons.append(text)

    def text(self, *path: str) -> str | None:
        """Return a field's text, cleaned and on one line, or None."""
        value = self.raw(*path)
        return None if value is None else short(value) or None

    def raw(self, *path: str) -> str | None:
        value = value_at(self.payload, *path)
        if isinstance(value, str) and value:
            return value
        self.note_unusable(path, value, "a string")
        return None

    def number(self, maximum: float, *path: str) -> float | None:
        """Return a field's number from 0 to *maximum*, or None."""
        value = value_at(self.payload, *path)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if 0 <= value <= maximum:
                return value
            self.note(".".join(path), "out of range")
        else:
            self.note_unusable(path, value, "a number")
        return None

    def paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self.color else text

    def color_by_use(self, percent: float, text: str) -> str:
        """Return *text* in the colour for a percentage: green, yellow or red."""
        low, medium = self.options.low, self.options.medium
        return self.paint(GREEN if percent < low else YELLOW if percent < medium else RED, text)


# --- segments ------------------------------------------------------------------------------------------------------


def _model(view: View) -> str:
    label = view.options.labels.get(str(value_at(view.payload, "model", "id")))
    name = view.text("model", "display_name") if label is None else short(label)
    if name is None:
        identifier = view.text("model", "id")
        if identifier is not None:
            from ..jsontext import short_model

            name = short_model(identifier)
    return name or ""


def _session_cost(view: View) -> str:
    source = view.options.cost_source
    if source == "cc":
        return _money(client_total(view))
    ours = _our_cost(view)
    if source == "both":
        shown = [enclose("", _money(client_total(view)), " cc"), enclose("", _marked_cost(view, ours), " ccusage")]
        return enclose("(", " / ".join(filter(None, shown)), ")")
    costs = [ours, _own_total(view)] if source == "auto" else [ours]
    return _marked_cost(view, max((cost for cost in costs if cost is not None), default=None))


def _our_cost(view: View) -> int | None:
    """Return the index's cost of the session; 0 if it has no transcript yet, None if the cost is unknown."""
    if view.numbers.session is not None:
        return view.numbers.session.cost
    return 0 if not view.numbers.unknown and view.raw("session_id") is not None else None


def client_total(view: View) -> int | None:
    """Return the client's total of the session in 1e-12 dollars, or None."""
    dollars = view.number(MAX_USD, "cost", "total_cost_usd")
    return None if dollars is None else round(dollars * PICO)


def _own_total(view: View) -> int | None:
    """Return the client's total, or None if it includes other sessions' costs.

    A fork begins with the total of the session it was copied from, and some clients go on with the old total after
    /clear. A total of 0 before the first response excludes both. If no call saw that, the client's clock is compared: a
    session can't have been open for longer than it exists.
    """
    numbers = view.numbers
    if numbers.fork or (numbers.unanswered and value_at(view.payload, "prompt_id") is None):
        return None
    if numbers.inherited is not None:
        return None if numbers.inherited else client_total(view)
    began = _first_time(view)
    opened = view.number(MAX_MILLISECONDS, "cost", "total_duration_ms") if began is not None else None
    if began is not None and opened is not None and opened * 1000 > view.now - began + STARTUP:
        return None
    return client_total(view)


def _first_time(view: View) -> int | None:
    """Return the first timestamp of the session in microseconds, or None if there is no transcript."""
    session = view.numbers.session
    times = (view.numbers.began, None if session is None else session.first)
    return min((time for time in times if time is not None), default=None)


def _surplus(view: View, start: int | None) -> int:
    """Return how much more the client's total is than ours, in 1e-12 dollars, or 0 if it is not shown.

    It belongs to a day or block that began at *start* only if the session began then or later, else this is 0 too. With
    it, a session never costs more than the day in which it began.
    """
    theirs = _own_total(view) if view.options.cost_source != "ccusage" else None
    ours = _our_cost(view)
    if start is None or theirs is None or ours is None or theirs <= ours:
        return 0
    began = _first_time(view)
    if began is None:  # there is no transcript, so the session is not older than the client
        began = view.now - int((view.number(MAX_MILLISECONDS, "cost", "total_duration_ms") or 0) * 1000)
    return theirs - ours if began >= start else 0


def _marked_cost(view: View, cost: int | None) -> str:
    """Return a cost, marked if responses of the session have no price, or "" for None."""
    session = view.numbers.session
    return "" if cost is None else money(cost, session is not None and session.has_unpriced)


def _money(pico: int | None) -> str:
    return "" if pico is None else money(pico)


def _today_cost(view: View) -> str:
    if not view.numbers.complete or view.numbers.today is None:
        return ""
    return money(view.numbers.today + _surplus(view, view.numbers.day), view.numbers.today_unpriced)


def _block(view: View) -> Block | None:
    """Return the current block, including what only the client knows of this session's cost."""
    block = view.numbers.block if view.numbers.complete else None
    surplus = 0 if block is None else _surplus(view, block.start)
    if block is None or not surplus:
        return block
    from ..windows import Block

    return Block(
        block.start, block.end, block.cost + surplus, block.tokens, block.first, block.ahead, block.has_unpriced
    )


def _block_cost(view: View) -> str:
    block = _block(view)
    return "" if block is None else money(block.cost, block.has_unpriced)


def _block_left(view: View) -> str:
    block = _block(view)
    if block is None or block.end <= view.now:
        return ""
    return span(max((block.end - view.now + 30_000_000) // 60_000_000, 1) * 60)


_RATES = (GREEN, "🟢", "Normal"), (YELLOW, "🟡", "Moderate"), (RED, "🔴", "High")


def _burn(view: View) -> str:
    block = _block(view)
    if block is None:
        return ""
    hourly, rate = block.cost_per_hour(view.now), block.tokens_per_minute(view.now)
    if hourly is None or rate is None:
        return ""
    colour, emoji, word = _RATES[(rate >= MODERATE) + (rate >= HIGH)]
    shown = [view.paint(colour, f"{money(hourly, block.has_unpriced)}/hr")]
    if "emoji" in view.options.visual:
        shown.append(emoji)
    if "text" in view.options.visual:
        shown.append(view.paint(colour, f"({word})"))
    return " ".join(shown)


def _context(view: View) -> str:
    tokens, percent = context_use(view)
    if percent is None:
        return f"{tokens:,}" if tokens else ""
    return f"{tokens:,} ({view.color_by_use(percent, f'{percent}%')})"


def context_use(view: View) -> tuple[int, int | None]:
    """Return the tokens of the last prompt, 0 if unknown, and the percentage of the context window that they fill."""
    tokens, model = prompt_tokens(view), None
    if tokens is None and view.numbers.last_context is not None:
        tokens, model = view.numbers.last_context
    if not tokens or tokens < 0:
        return 0, None
    size = reported_window(view) or _window(view, model, tokens)
    return tokens, tokens * 100 // size if size else None


def prompt_tokens(view: View) -> int | None:
    """Return the tokens of the last prompt as the client reports them; 0 after /compact, which is in no transcript."""
    path = ("context_window", "current_usage")
    usage = value_at(view.payload, *path)
    if not isinstance(usage, dict):
        view.note_unusable(path, usage, "an object")
        return None
    kinds = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [view.number(_MAX_TOKENS, *path, kind) for kind in kinds if usage.get(kind) is not None]
    if not counts or None in counts:
        return None
    return sum(int(count) for count in counts if count is not None)


def payload_view(payload: object) -> View:
    """Return the view of a payload alone, for what the client itself reports."""
    return View(payload, Numbers(), Options(), {}, 0)


def reported_window(view: View) -> int | None:
    """Return the size of the context window in tokens as the client reports it, or None."""
    size = int(view.number(_MAX_TOKENS, "context_window", "context_window_size") or 0)
    if size and "[1m]" in str(value_at(view.payload, "model", "id")).lower():
        return max(size, _LARGE_WINDOW)
    return size or None


def _window(view: View, model: str | None, tokens: int) -> int | None:
    """Return the window of the selected model, else of *model*, as the price table has it; a prompt had *tokens*."""
    if view.numbers.late:
        return None
    from ..prices.in_use import table

    for name in (value_at(view.payload, "model", "id"), model):
        window = table().window(name, tokens) if isinstance(name, str) and name else None
        if window is not None:
            return window
    return None


def span(seconds: int) -> str:
    """Return a duration in its two largest units, or "" for 0."""
    if seconds < 60:
        return f"{seconds}s" if seconds else ""
    if seconds < 3600:
        return f"{seconds // 60}m"
    if seconds < 86_400:
        return f"{seconds // 3600}h {seconds // 60 % 60}m"
    return f"{seconds // 86_400}d {seconds // 3600 % 24}h"


def enclose(before: str, text: str, after: str = "") -> str:
    return f"{before}{text}{after}" if text else ""


# Each segment's rank, and the function that shows it. If a line is too wide, the segment of the lowest rank is removed
# first; of ranks from CORE on, the words around the segments are removed before them. The other segments: fields.py.
CORE = 8
DEFAULT_SEGMENTS: dict[str, tuple[int, Callable[[View], str]]] = {
    "model": (9, _model),
    "session_cost": (10, _session_cost),
    "today_cost": (6, _today_cost),
    "block_cost": (5, _block_cost),
    "block_left": (4, _block_left),
    "burn": (3, _burn),
    "context": (8, _context),
}
