"""Which responses count, for which session, and what they cost (A4 to A10, A12). Imported on the lean lanes."""

from __future__ import annotations

from .prices import table as prices
from .session import RESPONSES, SUMS, UNNAMED_MODEL, Entry, ModelUsage, model_usage
from .transcripts.claims import (
    AT_HOME,
    FAST,
    FINAL,
    NO_MESSAGE,
    ORIGINAL,
    REPLACES_USAGE,
    REQUESTED,
    US,
    Claim,
    best_claim,
    main_times_of,
    session_of,
    split_digests,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from .transcripts.claims import Began, BytesOf, FolderOf, IterationTokens, Part

    Source = tuple[int, str, int, str]
    Group = dict[int, dict[Source, Claim]]  # the claims with one message.id: Claim.rest -> Claim.source() -> claim
    Responses = dict[int, "Response"]  # the responses of a group: Response.key -> response
    Slots = dict[tuple[int, Any, Any], list[int]]  # slot, session, model -> sums, at the indexes that `session` defines

DISPLAY = 2  # the index of mode display in a cost triple, as in session.MODES
# The length of a slot in microseconds. The UTC offsets of all zones since 1972 are multiples of it, and so are the
# times at which the client's windows and the plan's blocks begin. So days and blocks are sums of whole slots.
SLOT = 300_000_000


class Response:
    """One counted response: its winning claim, the session that owns it, and whether it was never finalised (A12).

    `key` identifies it within its group: the smallest `rest` of the threads that it consists of.
    """

    __slots__ = ("_parts", "claim", "claims", "incomplete", "key", "session")

    def __init__(self, key: int, claim: Claim, session: str, claims: Sequence[Claim]) -> None:
        self._parts: list[tuple[str, list[int]]] = []
        self.key = key
        self.claim = claim
        self.session = session
        self.claims = claims
        self.incomplete = not any(one.flags & FINAL for one in claims)

    def counted_values(self) -> tuple[Any, ...]:
        """Return everything that counts of the response, whichever claims it comes from."""
        claim = self.claim
        project = claim.cwd or claim.file  # if the line has no cwd, the folder of its file names the project
        return self.key, self.session, self.incomplete, claim.content(), project

    @property
    def order(self) -> tuple[int, int, int]:
        """The sort key of a response: its time, then the digests that identify its group and itself."""
        return self.claim.timestamp, self.claim.group, self.key

    def parts(self, table: prices.PriceTable) -> list[tuple[str, list[int]]]:
        """Return (model, sums) of the response and of all billed with it (A9). Cached, so *table* must be the same."""
        if not self._parts:
            c = self.claim
            usage = (c.model, c.input, c.output, c.cache_creation, c.write_1h, c.cache_read, c.searches, c.flags)
            extra, shares, _ = c.bill or ((), (), None)
            billed = extra if c.flags & REPLACES_USAGE else (usage, *extra)
            self._parts = [
                charge(table, part, c.cost_usd, covered=index > 0, shares=shares if part is usage else ())
                for index, part in enumerate(billed)
            ]
        return self._parts

    def holders(self) -> Iterator[tuple[int, int]]:
        """Yield the files that hold its lines, each with COPY or LINE. A file may occur more than once."""
        for claim in self.claims:
            copied = claim.flags & AT_HOME and claim.session != self.session
            yield claim.file, LINE if claim.flags & ORIGINAL and not copied else COPY


_NO_SUMS = (0,) * SUMS
# What a file holds of a session: lines that name it, copies of its responses (as in a fork), or lines of its responses.
CLAIM, COPY, LINE = range(3)


def charge(
    table: prices.PriceTable,
    part: Part,
    cost_usd: float | None,
    covered: bool,
    shares: tuple[IterationTokens, ...] = (),
) -> tuple[str, list[int]]:
    """Return (model, sums) of one billed part.

    *cost_usd* is the line's costUSD, which covers the whole response: only the first part carries it, and for the
    others *covered* is true. *shares* are the iterations that add up to the part (A10).
    """
    model, input, output, creation, write_1h, read, searches, flags = part
    price = table.find(model) if model else None
    cost = unpriced = 0
    if price is not None:
        fast, us = flags & FAST > 0, flags & US > 0
        cost = prices.cost(price, input, output, creation - write_1h, write_1h, read, searches, fast, us, shares)
    elif model or input or output or creation or read:
        unpriced = 1
    if cost_usd is None:
        return model, [input, output, creation, read, cost, cost, 0, 1, unpriced, unpriced]
    reported = 0 if covered else prices.pico(cost_usd)
    return model, [input, output, creation, read, reported, cost, reported, 1, 0, unpriced]


def is_activity(sums: Sequence[int]) -> bool:
    """Return whether tokens or money were used. A response that used nothing has no moment and no slot."""
    return any(sums[:RESPONSES])


def add_numbers(sums: dict[Any, list[int]], key: Any, numbers: list[int]) -> None:
    """Add *numbers* to the sums of *key*. The last two are the times of the first and the last response."""
    known = sums.setdefault(key, numbers)
    if known is not numbers:
        first, last = min(known[-2], numbers[-2]), max(known[-1], numbers[-1])
        known[:] = [*map(int.__add__, known[:-2], numbers[:-2]), first, last]


def responses(group: Group, bytes_of: BytesOf, began: Began, folder_of: FolderOf) -> Responses:
    """Return the responses that the claims of a group form, without replays on a sidechain (A4)."""
    counted = {}
    main_times: set[int] | None = None
    for key, claims in _linked_claims(group):
        winner = best_claim(claims, bytes_of, folder_of) if len(claims) > 1 else claims[0]
        if winner.side and winner.group != NO_MESSAGE:
            if main_times is None:
                main_times = {time for thread in group.values() for time in main_times_of(thread.values())}
            if winner.timestamp in main_times:
                continue
        counted[key] = Response(key, winner, session_of(claims, began), claims)
    return counted


def _linked_claims(group: Group) -> Iterator[tuple[int, list[Claim]]]:
    """Yield each response of a group as its key, the smallest `rest` of its threads, and its claims (A4)."""
    if len(group) == 1:
        for rest, claims in group.items():
            if claims:
                yield rest, list(claims.values())
        return
    parent_of = {rest: rest for rest in group}  # union-find: the root of a set is its smallest `rest`

    def root_of(rest: int) -> int:
        while parent_of[rest] != rest:
            parent_of[rest] = rest = parent_of[parent_of[rest]]
        return rest

    def join(rest: int, other: int) -> None:
        rest, other = root_of(rest), root_of(other)
        parent_of[max(rest, other)] = min(rest, other)

    by_uuid: dict[bytes, int] = {}
    by_uuid_alone: dict[bytes, int] = {}  # only of lines without a requestId
    for rest, claims in group.items():
        for claim in claims.values():
            for uuid in split_digests(claim.uuids):
                join(rest, by_uuid.setdefault(uuid, rest))
                if not claim.flags & REQUESTED:
                    by_uuid_alone[uuid] = rest
    for rest, claims in group.items():
        for claim in claims.values():
            for parent in split_digests(claim.parents):
                if parent in by_uuid_alone:
                    join(rest, by_uuid_alone[parent])
    linked: dict[int, list[Claim]] = {}
    for rest, claims in group.items():
        if claims:
            linked.setdefault(root_of(rest), []).extend(claims.values())
    yield from linked.items()


class Sums:
    """The running sums of a session, by model; responses can be added and removed."""

    __slots__ = ("first", "incomplete", "last", "models", "project", "project_order", "responses", "stale")

    def __init__(self) -> None:
        self.models: dict[str, list[int]] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.project = ""  # the `cwd` of the earliest response
        self.project_order: tuple[int, int, int] | None = None  # Response.order of that response; None if unknown
        self.responses = 0
        self.incomplete = 0
        self.stale = False  # a removal may have changed `first`, `last` or `project`, so they must be recomputed

    def add(self, response: Response, table: prices.PriceTable, project: str) -> None:
        for model, sums in response.parts(table):
            self.add_part(model, sums, response.incomplete)
        self.extend_to(response.order, project)

    def add_part(self, model: str, sums: list[int], incomplete: bool) -> None:
        """Add the sums of billed parts of one model whose responses are all incomplete, or all complete."""
        self._add(model, sums)
        self.responses += sums[RESPONSES]
        self.incomplete += sums[RESPONSES] * incomplete

    def _add(self, model: str, sums: list[int]) -> None:
        self.models[model] = list(map(int.__add__, self.models.get(model, _NO_SUMS), sums))

    def extend_to(self, order: tuple[int, int, int], project: str) -> None:
        """Extend first and last activity to a response with this `order`, and use its project if it is the earliest."""
        time = order[0]
        if self.first is None or self.last is None:
            self.first = self.last = time
            self.project, self.project_order = project, order
            return
        self.last = max(time, self.last)
        if time < self.first:
            self.first, self.project, self.project_order = time, project, order
        elif time == self.first:
            if self.project_order is None:
                self.stale = True
            elif order < self.project_order:
                self.project, self.project_order = project, order

    def merge(self, other: Sums) -> None:
        for model, sums in other.models.items():
            self._add(model, sums)
        self.responses += other.responses
        self.incomplete += other.incomplete
        if other.project_order is not None and other.last is not None:
            self.extend_to(other.project_order, other.project)
            assert self.last is not None
            self.last = max(self.last, other.last)

    def packed(self) -> list[Any]:
        """Return the sums as plain values that marshal can write."""
        return [getattr(self, name) for name in Sums.__slots__]

    @staticmethod
    def unpacked(values: list[Any]) -> Sums:
        sums = Sums()
        for name, value in zip(Sums.__slots__, values, strict=True):
            setattr(sums, name, value)
        return sums

    def remove(self, response: Response, table: prices.PriceTable) -> None:
        """Remove a response. If it was the first or the last, mark the sums as stale."""
        self._subtract(response, table)
        if response.claim.timestamp in (self.first, self.last):
            self.stale = True

    def replace(self, old: Sequence[Response], new: Response, table: prices.PriceTable, project: str) -> None:
        """Replace responses by *new*: another line won, or several were linked. This is common at the end of a session,
        so the sums become stale only if it can't be avoided."""
        for response in old:
            time = response.claim.timestamp
            if time == self.first or (time == self.last and new.claim.timestamp < time):
                self.stale = True
            self._subtract(response, table)
        self.add(new, table, project)

    def _subtract(self, response: Response, table: prices.PriceTable) -> None:
        for model, sums in response.parts(table):
            self.models[model] = list(map(int.__sub__, self.models.get(model, _NO_SUMS), sums))
            self.responses -= 1
            self.incomplete -= response.incomplete

    def usage(self, mode: int) -> list[ModelUsage]:
        """Return the usage of each model that has responses, with the costs of one mode."""
        return [model_usage(name, sums, mode) for name, sums in self.models.items() if sums[RESPONSES]]


def entries(counted: Iterable[Response], table: prices.PriceTable, mode: int) -> list[Entry]:
    """Return what `--entries` shows: one entry per response and per part billed with it, by time, then key."""
    return [
        Entry(response.claim.timestamp, model or UNNAMED_MODEL, input, output, creation, read, costs[mode])
        for response in sorted(counted, key=lambda response: response.order)
        for model, (input, output, creation, read, *costs) in response.parts(table)
    ]
