"""Claims -> responses -> sums: which response counts, for whom, and what it costs (A4 to A10, A12). Tier 0."""

from __future__ import annotations

from . import prices
from .response import FAST, FINAL, SYNTHETIC, US, Claim, best, main_times_of, session_of
from .session import (
    COST,
    CREATION,
    INPUT,
    OUTPUT,
    READ,
    RESPONSES,
    SUMS,
    UNNAMED_MODEL,
    Entry,
    ModelUsage,
    model_usage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Group = dict[int, dict[int, Claim]]  # of one group: the key's rest -> file -> claim

DISPLAY = 2  # its place in a cost triple, as in session.MODES


class Response:
    """One counted response: its best claim, the session it belongs to, whether it was ever finalised."""

    __slots__ = ("_parts", "claim", "incomplete", "session")

    def __init__(self, claim: Claim, session: str, incomplete: bool) -> None:
        self._parts: list[tuple[str, list[int]]] = []
        self.claim = claim
        self.session = session
        self.incomplete = incomplete

    def same(self, other: Response | None) -> bool:
        return (
            other is not None
            and (self.session, self.incomplete) == (other.session, other.incomplete)
            and self.claim.content() == other.claim.content()
        )

    def parts(self, table: prices.PriceTable) -> list[tuple[str, list[int]]]:
        """(model, sums) of the response itself and of what is billed beside it (A9); always by the same *table*."""
        if not self._parts:
            c = self.claim
            own = (c.model, c.input, c.output, c.cache_creation, c.write_1h, c.cache_read, c.searches, c.flags)
            self._parts = [charge(table, own, c.cost_usd, covered=False)]
            self._parts += [charge(table, part, c.cost_usd, covered=True) for part in c.further]
        return self._parts


def charge(
    table: prices.PriceTable, part: tuple[Any, ...], cost_usd: float | None, covered: bool
) -> tuple[str, list[int]]:
    """(model, sums) of (model, input, output, cache creation, 1 h part of it, read, searches, flags).

    *covered*: a line's costUSD is that of its whole response, so what is billed beside adds nothing to it.
    """
    model, input, output, creation, write_1h, read, searches, flags = part
    if model == SYNTHETIC:
        return "", [input, output, creation, read, 0, 0, 0, 1, 0, 0]
    price = table.find(model) if model else None
    cost = unpriced = 0
    if price is not None:
        write_5m = creation - write_1h
        fast, us = bool(flags & FAST), bool(flags & US)
        cost = prices.cost(price, input, output, write_5m, write_1h, read, searches, fast, us)
    elif model or input or output or creation or read:
        unpriced = 1
    if cost_usd is None:
        return model, [input, output, creation, read, cost, cost, 0, 1, unpriced, unpriced]
    own = 0 if covered else prices.pico(cost_usd)
    return model, [input, output, creation, read, own, cost, own, 1, 0, unpriced]


def responses(group: Group, bytes_of: Callable[[Claim], bytes]) -> dict[int, Response]:
    """The responses that a group's claims make, by the key's rest; replays on a sidechain left out (A4)."""
    found = {}
    main_times: set[int] | None = None
    for rest, claims in group.items():
        if not claims:
            continue
        winner = best(claims.values(), bytes_of) if len(claims) > 1 else next(iter(claims.values()))
        if winner.side:
            if main_times is None:
                main_times = {t for other in group.values() for t in main_times_of(other.values())}
            if winner.timestamp in main_times:
                continue
        final = any(claim.flags & FINAL for claim in claims.values())
        found[rest] = Response(winner, session_of(claims.values()), not final)
    return found


class Sums:
    """The running totals of one session."""

    __slots__ = ("first", "incomplete", "last", "models", "project", "project_key", "responses", "stale")

    def __init__(self) -> None:
        self.models: dict[str, list[int]] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.project = ""  # the `cwd` of the earliest response
        self.project_key: tuple[int, int, int] | None = None  # of that response: time, then key; None: not known
        self.responses = 0
        self.incomplete = 0
        self.stale = False  # something was withdrawn that only counting anew can tell

    def add(self, response: Response, table: prices.PriceTable, project: str) -> None:
        claim = response.claim
        for model, sums in response.parts(table):
            self.add_part(model, sums, response.incomplete)
        self.reach((claim.timestamp, claim.group, claim.rest), project)

    def add_part(self, model: str, sums: list[int], incomplete: bool) -> None:
        """Add the sums of responses, all or none incomplete, or of what is billed beside one, to their model's."""
        known = self.models.get(model)
        if known is None:
            self.models[model] = sums.copy()
        else:
            known[:] = map(int.__add__, known, sums)
        self.responses += sums[RESPONSES]
        self.incomplete += sums[RESPONSES] * incomplete

    def reach(self, key: tuple[int, int, int], project: str) -> None:
        """Let first and last activity, and the project of the first, reach to a response: its time, then its key."""
        time = key[0]
        if self.first is None or self.last is None:
            self.first = self.last = time
            self.project, self.project_key = project, key
            return
        if time > self.last:
            self.last = time
        if time < self.first:
            self.first, self.project, self.project_key = time, project, key
        elif time == self.first:
            if self.project_key is None:
                self.stale = True
            elif key < self.project_key:
                self.project, self.project_key = project, key

    def merge(self, other: Sums) -> None:
        """Add the sums of other responses of the same session."""
        for model, sums in other.models.items():
            known = self.models.get(model)
            self.models[model] = sums.copy() if known is None else list(map(int.__add__, known, sums))
        self.responses += other.responses
        self.incomplete += other.incomplete
        if other.project_key is not None and other.last is not None:
            self.reach(other.project_key, other.project)
            assert self.last is not None
            self.last = max(self.last, other.last)

    def packed(self) -> list[Any]:
        """Plain values that marshal can write."""
        return [getattr(self, name) for name in Sums.__slots__]

    @staticmethod
    def unpacked(values: list[Any]) -> Sums:
        sums = Sums()
        for name, value in zip(Sums.__slots__, values, strict=True):
            setattr(sums, name, value)
        return sums

    def remove(self, response: Response, table: prices.PriceTable) -> None:
        """Take a response out again; what was first or last may then have to be found anew."""
        self._subtract(response, table)
        if response.claim.timestamp in (self.first, self.last):
            self.stale = True

    def replace(self, old: Response, new: Response, table: prices.PriceTable, project: str) -> None:
        """Another line of a counted response won: common at the end of a session, where it must not cost a recount."""
        before, after = old.claim.timestamp, new.claim.timestamp
        at_the_end = before == self.last and after >= before
        if before != self.first and (before == after or at_the_end):
            self._subtract(old, table)
        else:
            self.remove(old, table)
        self.add(new, table, project)

    def _subtract(self, response: Response, table: prices.PriceTable) -> None:
        for model, sums in response.parts(table):
            known = self.models.setdefault(model, [0] * SUMS)
            for place, number in enumerate(sums):
                known[place] -= number
            self.responses -= 1
            self.incomplete -= response.incomplete

    def usage(self, mode: int) -> list[ModelUsage]:
        """The models that hold responses, in one mode."""
        return [model_usage(name, sums, mode) for name, sums in self.models.items() if sums[RESPONSES]]


def entries(counted: Iterable[Response], table: prices.PriceTable, mode: int) -> list[Entry]:
    """What `--entries` shows: one per response and per what is billed beside it, by time then key."""
    ordered = sorted(counted, key=lambda r: (r.claim.timestamp, r.claim.group, r.claim.rest))
    return [
        Entry(
            response.claim.timestamp,
            model or (SYNTHETIC if response.claim.model == SYNTHETIC else UNNAMED_MODEL),
            sums[INPUT],
            sums[OUTPUT],
            sums[CREATION],
            sums[READ],
            sums[COST + mode],
        )
        for response in ordered
        for model, sums in response.parts(table)
    ]
