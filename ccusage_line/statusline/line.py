"""The statusline's text, made from the payload, the numbers, the options and the environment.

On the lean lanes. Each segment is asked once; then each line of the template is composed with fewer and fewer segments
until it fits. Errors never make this fail: it shows less.
"""

from __future__ import annotations

from .segments import CORE, DEFAULT_SEGMENTS, ELLIPSIS, RESET, Numbers, Options, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .template import Token

# fmt: off
DEFAULT: tuple[Token, ...] = (  # the preset of that name, as template.py reads it
    ("group", ""), ("text", "🤖 "), ("segment", "model"), ("end", ""), ("gap", " | "), ("group", ""), ("text", "💰 "),
    ("group", ""), ("segment", "session_cost"), ("text", " session"), ("end", ""), ("group", ""), ("gap", " / "),
    ("segment", "today_cost"), ("text", " today"), ("end", ""), ("group", ""), ("gap", " / "),
    ("segment", "block_cost"), ("text", " block"), ("group", ""), ("text", " ("), ("segment", "block_left"),
    ("text", " left)"), ("end", ""), ("end", ""), ("end", ""), ("gap", " | "), ("group", ""), ("text", "🔥 "),
    ("segment", "burn"), ("end", ""), ("gap", " | "), ("group", ""), ("text", "🧠 "), ("segment", "context"),
    ("end", ""),
)
# fmt: on
FALLBACK = "ccusage"  # if there is nothing to show, because the client removes the whole row of an empty line
COLUMNS = 80  # for clients before 2.1.153, which do not set COLUMNS
MARGIN = 4  # columns that the client needs itself: it cuts lines that are wider than COLUMNS - 4
_LINK_END = "\x1b]8;;\x1b\\"


def day_start(options: Options, now_us: int, reasons: list[str] | None = None) -> int:
    """Return when the current day began in the options' zone, or in the system's zone if that is unknown."""
    from .. import windows

    try:
        return windows.day_start(now_us, options.timezone)
    except LookupError:
        zone = _corrected_zone(options.timezone, reasons)
    return windows.day_start(now_us, zone)


def _corrected_zone(zone: str | None, reasons: list[str] | None) -> str | None:
    """Return the zone that was meant: a name in another case, or None (the system's zone) for `local`. This takes 70
    ms, but only for a name that neither the config nor `ccusage install` has checked."""
    from ..clock import zone_of
    from ..errors import UsageError

    try:
        return zone_of(zone)
    except UsageError:
        if reasons is not None:
            reasons.append("--timezone: unknown zone")
        return None


# --- the line ----------------------------------------------------------------------------------------------------


def render(
    payload: object,
    numbers: Numbers,
    options: Options,
    environ: Mapping[str, str],
    now_us: int,
    reasons: list[str] | None = None,
) -> str:
    """Return the lines without a final newline: never empty, never wider than COLUMNS - 4; never raises.

    Why something is not shown is appended to *reasons*, with the names of fields and options.
    """
    view = View(payload, numbers, options, environ, now_us)
    for name in options.problems:
        view.note(name, "not understood")
    if not isinstance(payload, dict):
        view.note("stdin", "not a JSON object")
    limit = _max_columns(environ)
    try:
        rows = [_fit(view, tokens, limit) for tokens in _lines(view)]
        shown = "\n".join(filter(None, rows))
    except Exception as error:
        view.note("line", type(error).__name__)
        shown = ""
    if reasons is not None:
        reasons.extend(view.reasons)
    return shown or (FALLBACK if limit >= len(FALLBACK) else ELLIPSIS)


def _lines(view: View) -> Sequence[Sequence[Token]]:
    if view.options.format is None:
        return [DEFAULT]
    from .template import Template

    template = Template(view.options.format)
    for problem in template.problems:
        view.note("--format", problem)
    return template.lines


def find_segment(name: str) -> tuple[int, Callable[[View], str]] | None:
    """Return a segment's rank and the function that shows it, or None if there is no such segment."""
    if name in DEFAULT_SEGMENTS:
        return DEFAULT_SEGMENTS[name]
    from .fields import SEGMENTS

    return SEGMENTS.get(name)


def segment_text(view: View, name: str) -> str:
    """Return what a segment shows, or "" if it has nothing to show or fails."""
    segment = find_segment(name)
    if segment is None:
        view.note("--format", "an unknown segment")
        return ""
    try:
        return segment[1](view)
    except Exception as error:
        view.note(name, type(error).__name__)
        return ""


# --- what fits ---------------------------------------------------------------------------------------------------

FULL, BRIEF, BARE = range(3)  # with the words around the segments; without them; without the signs between segments too


def _fit(view: View, tokens: Sequence[Token], limit: int) -> str:
    """Return one line of a template in at most *limit* columns, or "" if nothing is shown or nothing fits.

    Whole segments are removed, by rank and from the right; none is ever cut. Once only segments of rank CORE or more
    are left, the words around them are removed before the next segment.
    """
    segments = {place: name for place, (kind, name) in enumerate(tokens) if kind == "segment"}
    texts = {name: segment_text(view, name) for name in dict.fromkeys(segments.values())}
    shown = {place: texts[name] for place, name in segments.items()}
    ranks = {place: _rank(segments[place]) for place, text in shown.items() if text}
    order = sorted(ranks, key=lambda place: (ranks[place], -place))
    non_core = sum(rank < CORE for rank in ranks.values())

    def without(count: int, detail: int) -> str:
        return _compose(tokens, {**shown, **dict.fromkeys(order[:count], "")}, detail, view)

    removed, line = _remove_fewest(len(order), lambda count: without(count, FULL if count < non_core else BARE), limit)
    if order and removed == len(order):
        return _first_that_fits([shown[place] for place in reversed(order)], limit)
    if removed >= non_core:
        line = _first_that_fits((without(removed, detail) for detail in (FULL, BRIEF)), limit) or line
    return line if _plain(line).strip() else ""


def _remove_fewest(segments: int, without: Callable[[int], str], limit: int) -> tuple[int, str]:
    """Return the fewest of so many *segments* to remove, and the line that fits *without* them, "" if none fits."""
    low, high = 0, segments
    middle = 0  # the first try keeps all segments, which usually fit
    fitting = ""
    while low < high:
        line = without(middle)
        if _fits(line, limit):
            high, fitting = middle, line
        else:
            low = middle + 1
        middle = (low + high) // 2
    return low, fitting


def _rank(name: str) -> int:
    segment = find_segment(name)
    return 0 if segment is None else segment[0]


def _first_that_fits(lines: Iterable[str], limit: int) -> str:
    return next((line for line in lines if _fits(line, limit)), "")


def _compose(tokens: Sequence[Token], shown: Mapping[int, str], detail: int, view: View) -> str:
    """Return the line with the segments that are *shown*."""
    line = _LineBuilder()
    for place, (kind, what) in enumerate(tokens):
        if kind == "segment":
            line.count_segment(shown[place])
            line.add_text(shown[place].replace(RESET, RESET + line.style))
        elif kind == "text" and detail == FULL:
            line.add_text(what)
        elif kind in ("gap", "text"):
            line.add_gap(what if kind == "gap" and detail != BARE else " ")
        elif kind == "style":
            if view.color:
                line.add_style(what)
        elif kind == "end":
            line.end_group()
        else:
            line.begin_group(_link(view, what) if kind == "link" else "")
    return line.finish()


class _LineBuilder:
    """A line under construction. A group whose segments are all empty is left out, as is a gap with nothing on one
    side; of two adjacent gaps the wider one is shown."""

    __slots__ = ("_after_space", "_counts", "_gap", "_gap_at", "_links", "_out", "_states", "style")

    def __init__(self) -> None:
        self.style = ""  # the escape sequences in effect
        self._out: list[str] = []
        self._gap, self._gap_at = "", 0  # the gap that is shown if something follows, and its place in `_out`
        self._after_space = True  # whether the line is at its beginning or after a space, where no gap is needed
        self._states: list[tuple[int, str, int, bool, str]] = []  # the state at the beginning of each group
        self._counts = [[0, 0]]  # for each group: its segments, and those that are not empty
        self._links = [""]  # for each group: the sequence that begins its link, or ""

    def add_text(self, text: str) -> None:
        if not text:
            return
        if self._gap:
            self._out.insert(self._gap_at, self._gap)
        self._out.append(text)
        self._gap, self._after_space = "", text.endswith(" ")

    def add_gap(self, sign: str) -> None:
        """Add a gap if there is something before it."""
        if not self._after_space and len(sign) > len(self._gap):
            self._gap, self._gap_at = sign, self._gap_at if self._gap else len(self._out)

    def add_style(self, sequence: str) -> None:
        self._out.append(sequence)
        self.style = "" if sequence == RESET else self.style + sequence

    def count_segment(self, text: str) -> None:
        self._counts[-1][0] += 1
        self._counts[-1][1] += bool(text)

    def begin_group(self, link: str) -> None:
        """Begin a group; *link* is the escape sequence that begins a link, or ""."""
        self._states.append((len(self._out), self._gap, self._gap_at, self._after_space, self.style))
        self._counts.append([0, 0])
        self._links.append(link)
        self._out.append(link)

    def end_group(self) -> None:
        before, link, (segments, filled) = self._states.pop(), self._links.pop(), self._counts.pop()
        self._counts[-1][0] += segments
        self._counts[-1][1] += filled
        if segments and not filled:
            begin, self._gap, self._gap_at, self._after_space, self.style = before
            del self._out[begin:]
        elif link:
            self._out.append(_LINK_END)

    def finish(self) -> str:
        return "".join(self._out) + (RESET if self.style else "")


def _link(view: View, target: str) -> str:
    """Return the escape sequence that begins a link to *target* (an address, "pr" or "repo"), or "" if it has none."""
    if target in ("pr", "repo"):
        from .fields import link_address

        target = link_address(view, target)
    if not view.color or not target or " " in target or not (target.isascii() and target.isprintable()):
        return ""
    return f"\x1b]8;;{target}\x1b\\"


# --- width -------------------------------------------------------------------------------------------------------


def _max_columns(environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    is_valid = columns.isascii() and columns.isdigit() and len(columns) <= 5 and int(columns) > 0
    return max((int(columns) if is_valid else COLUMNS) - MARGIN, 1)


def _plain(line: str) -> str:
    """Return *line* without its colours and links."""
    first, *rest = line.split("\x1b")
    return first + "".join(
        [piece[1:] if piece[0] == "\\" else piece.partition("m")[2] for piece in rest if piece[0] != "]"]
    )


def _fits(line: str, limit: int) -> bool:
    plain = _plain(line)
    if len(plain) + sum(c > "\x7f" for c in plain) <= limit:  # no character is wider than two columns
        return True
    used = before = 0
    for c in plain:
        columns = _columns(c, before)
        used += columns
        before = columns or before
    return used <= limit


_WIDE = "🤖💰🔥🧠🟢🟡🔴"  # our own emoji, two columns each; others are looked up


def _columns(c: str, before: int) -> int:
    if c <= "\x7f":
        return 1
    if c in _WIDE or "\U0001f1e6" <= c <= "\U0001f1ff":  # a regional indicator: half a flag alone takes two columns
        return 2
    from ..text import character_width

    return character_width(c, before)
