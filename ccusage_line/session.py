"""The numbers of one session, which the list, `--id`, the statusline and the prompt all show.

Imports nothing, because the lean lanes import it. Money is an integer of 1e-12 dollars ("pico"), and time an integer
of microseconds since the epoch in UTC.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PICO = 1_000_000_000_000  # units in a dollar
_CENT = PICO // 100
MODES = ("auto", "calculate", "display")  # A10; a cost triple holds one sum for each, in this order
_LARGEST = 1.7976931348623157e308  # the largest float
UNNAMED_MODEL = "unknown"  # shown for a response that names no model
NO_PRICE = "+?"  # shown after a cost that is too low because a model has no price (A11)


# Indexes into a model's sums over all modes, in the order of the index's columns: four token kinds, a cost for each
# mode, the responses, and those without a price in modes auto and calculate.
INPUT, OUTPUT, CREATION, READ, COST, RESPONSES, UNPRICED = 0, 1, 2, 3, 4, 7, 8
SUMS = 10
# A slot's sums go on with its incomplete responses and the times of its first and last response.
INCOMPLETE, FIRST, LAST = 10, 11, 12


class ModelUsage:
    """The tokens and the cost, in one mode, of the responses that name one model.

    `unpriced` is the number of responses that cost 0 because their model has no price (A11).
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
        self.name = name  # as the responses name it; "" if they name none
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
    """Return the usage of a model from its sums, with the costs of one mode (an index into MODES)."""
    unpriced = sums[UNPRICED + mode] if mode < 2 else 0  # mode display needs no prices
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
    """The usage of some responses by model, for example of a session, a period or a block."""

    __slots__ = ("first", "incomplete", "last", "models", "responses")

    def __init__(
        self,
        models: list[ModelUsage],
        first: int | None = None,
        last: int | None = None,
        responses: int = 0,
        incomplete: int = 0,
    ) -> None:
        self.models = models  # one per model name, "" included, in no particular order
        self.first = first  # the earliest and the latest timestamp of a counted response; None without responses
        self.last = last
        self.responses = responses
        self.incomplete = incomplete  # the number of responses that were never finalised (A12)

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
        """The models that have a name, by cost, highest first, then by name."""
        return sorted((m for m in self.models if m.name), key=lambda m: (-m.cost, m.name))

    @property
    def unpriced_models(self) -> list[str]:
        """The sorted names of the models whose responses cost 0 because they have no price (A11)."""
        return sorted({m.name or UNNAMED_MODEL for m in self.models if m.unpriced})

    @property
    def has_unpriced(self) -> bool:
        return any(m.unpriced for m in self.models)

    @property
    def cost_text(self) -> str:
        """The cost in dollars, marked if it does not include every response."""
        return money(self.cost, self.has_unpriced)


class Session(Usage):
    """One session: its usage, and what its transcripts say about it."""

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
        self.client_cost = client_cost  # dollars: the client's own running total, shown but never added to `cost`
        self.archived = archived  # A13
        self.entries = entries  # by time, then key; None unless requested


def dollars(pico: int) -> float:
    """Return 1e-12 dollars as the nearest float of dollars, never -0.0 and never infinite, which JSON can't express."""
    try:
        return pico / PICO if pico else 0.0
    except OverflowError:
        return _LARGEST if pico > 0 else -_LARGEST


def money(pico: int, unpriced: bool = False) -> str:
    """Return 1e-12 dollars as `$1,234.56`, with NO_PRICE appended if *unpriced*. Zero cents have no sign."""
    cents = (abs(pico) + _CENT // 2) // _CENT
    sign = "-" if pico < 0 and cents else ""
    return f"{sign}${cents // 100:,}.{cents % 100:02d}{NO_PRICE if unpriced else ''}"


def exact_money(pico: int, sign: bool = False) -> str:
    """Return 1e-12 dollars with all decimals, at least two; if *sign*, a positive amount begins with a plus."""
    whole, part = divmod(abs(pico), PICO)
    digits = f"{part:012d}".rstrip("0").ljust(2, "0")
    mark = "-" if pico < 0 else "+" if sign and pico else ""
    return f"{mark}${whole:,}.{digits}"
