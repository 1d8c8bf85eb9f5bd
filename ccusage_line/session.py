"""What is known of one session: the one value that list, `--id`, statusline and prompt show.

On the lean lanes: imports nothing. Money is a whole number of 1e-12 dollar ("pico"), time a whole number of
microseconds since the epoch, UTC.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PICO = 1_000_000_000_000  # of the dollar
_CENT = PICO // 100
MODES = ("auto", "calculate", "display")  # A10; a cost triple holds one sum for each, in this order
_LARGEST = 1.7976931348623157e308  # the largest float
UNNAMED_MODEL = "unknown"  # shown where a response names no model
NO_PRICE = "+?"  # shown after a cost that lacks the part of a model without a price (A11)


# places in a model's sums over all modes, in the order of the index's columns: four token kinds, a cost per mode,
# responses, those without a price in mode auto and calculate
INPUT, OUTPUT, CREATION, READ, COST, RESPONSES, UNPRICED = 0, 1, 2, 3, 4, 7, 8
SUMS = 10
# and behind them in a slot's: incomplete responses, the times of the first and the last one
INCOMPLETE, FIRST, LAST = 10, 11, 12


class ModelUsage:
    """The tokens and cost of one session's responses that name one model; costs in the mode the session was asked in.

    `unpriced` counts the responses whose cost had to be left at 0 because their model has no price (A11).
    """

    __slots__ = ("cache_creation", "cache_read", "cost", "input", "name", "output", "responses", "unpriced")

    def __init__(
        self,
        name: str,
        input: int = 0,
        output: int = 0,
        cache_creation: int = 0,
        cache_read: int = 0,
        cost: int = 0,
        responses: int = 0,
        unpriced: int = 0,
    ) -> None:
        self.name = name  # as the response names it; "" where it names none, which "<synthetic>" does too
        self.input = input
        self.output = output
        self.cache_creation = cache_creation  # 5 minute and 1 hour writes together (A8)
        self.cache_read = cache_read
        self.cost = cost
        self.responses = responses
        self.unpriced = unpriced

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_creation + self.cache_read


def model_usage(name: str, sums: Sequence[int], mode: int) -> ModelUsage:
    """A model's sums as they are in one mode, a place in MODES."""
    unpriced = sums[UNPRICED + mode] if mode < 2 else 0  # in mode display no price is wanted
    return ModelUsage(
        name, sums[INPUT], sums[OUTPUT], sums[CREATION], sums[READ], sums[COST + mode], sums[RESPONSES], unpriced
    )


class Entry:
    """One counted response of a session, as `--entries` shows it."""

    __slots__ = ("cache_creation", "cache_read", "cost", "input", "model", "output", "timestamp")

    def __init__(
        self, timestamp: int, model: str, input: int, output: int, cache_creation: int, cache_read: int, cost: int
    ) -> None:
        self.timestamp = timestamp
        self.model = model
        self.input = input
        self.output = output
        self.cache_creation = cache_creation
        self.cache_read = cache_read
        self.cost = cost


class Usage:
    """What some responses used, by model: those of a session, a period, a block."""

    __slots__ = ("first", "incomplete", "last", "models", "responses")

    def __init__(
        self,
        models: list[ModelUsage],
        first: int | None = None,
        last: int | None = None,
        responses: int = 0,
        incomplete: int = 0,
    ) -> None:
        self.models = models  # one per model name, the nameless one ("") included; no order promised
        self.first = first  # earliest and latest timestamp of a counted response; None without responses
        self.last = last
        self.responses = responses
        self.incomplete = incomplete  # A12: of them, those that never were finalised

    @property
    def input(self) -> int:
        return sum(m.input for m in self.models)

    @property
    def output(self) -> int:
        return sum(m.output for m in self.models)

    @property
    def cache_creation(self) -> int:
        return sum(m.cache_creation for m in self.models)

    @property
    def cache_read(self) -> int:
        return sum(m.cache_read for m in self.models)

    @property
    def total(self) -> int:
        return sum(m.total for m in self.models)

    @property
    def cost(self) -> int:
        return sum(m.cost for m in self.models)

    @property
    def named_models(self) -> list[ModelUsage]:
        """The models by cost, highest first, then name; what names no model is in the totals alone."""
        return sorted((m for m in self.models if m.name), key=lambda m: (-m.cost, m.name))

    @property
    def unpriced_models(self) -> list[str]:
        """Names of the models whose responses cost 0 for want of a price, sorted (A11)."""
        return sorted({m.name or UNNAMED_MODEL for m in self.models if m.unpriced})


class Session(Usage):
    """One session: its models' sums and what its transcripts say about it."""

    __slots__ = ("archived", "client_cost", "entries", "id", "project_path", "title")

    def __init__(
        self,
        id: str,
        models: list[ModelUsage],
        first: int | None = None,
        last: int | None = None,
        project_path: str | None = None,
        title: str | None = None,
        responses: int = 0,
        incomplete: int = 0,
        client_cost: float | None = None,
        archived: bool = False,
        entries: list[Entry] | None = None,
    ) -> None:
        super().__init__(models, first, last, responses, incomplete)
        self.id = id
        self.project_path = project_path
        self.title = title
        self.client_cost = client_cost  # dollars, the client's own running total; shown beside, never added in
        self.archived = archived  # A13
        self.entries = entries  # by time then key; None unless asked for


def dollars(pico: int) -> float:
    """Pico-dollars as the nearest float of dollars; never -0.0, and never infinite, which JSON can't say."""
    try:
        return pico / PICO if pico else 0.0
    except OverflowError:
        return _LARGEST if pico > 0 else -_LARGEST


def money(pico: int, unpriced: bool = False) -> str:
    """1e-12 dollars as `$1,234.56`, to the nearest cent, marked if a part has no price; what rounds to nothing has no
    sign."""
    cents = (abs(pico) + _CENT // 2) // _CENT
    sign = "-" if pico < 0 and cents else ""
    return f"{sign}${cents // 100:,}.{cents % 100:02d}{NO_PRICE if unpriced else ''}"


def exact_money(pico: int, sign: bool = False) -> str:
    """1e-12 dollars with all their digits, two at least; *sign*: a plus before what is more than nothing."""
    whole, part = divmod(abs(pico), PICO)
    digits = f"{part:012d}".rstrip("0").ljust(2, "0")
    mark = "-" if pico < 0 else "+" if sign and pico else ""
    return f"{mark}${whole:,}.{digits}"
