"""Explains why a session's cost differs from Claude Code's own total (`session --id ID --explain`).

The client's total is the last `cost-state` line of the session's own transcript. It is not the cost of that session id
(A5): a fork starts with its parent's total, a killed client forgets, an aborted response is estimated, and requests
that no transcript contains are counted. Each of these is a part of the difference with an exact amount; the remainder
is shown as not explained. Money is an integer in 1e-12 dollars, as elsewhere.
"""

from __future__ import annotations

import os
from itertools import pairwise
from operator import sub
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import accounting
from ..files import open_regular
from ..index.questions import transcripts_named
from ..prices import table as prices
from ..session import COST, MODES, UNPRICED, dollars, exact_money
from ..text import clean, count_text, lay_out_beside, wrap
from ..transcripts.claims import FAST, US, claim_of, objects, parse_dollars, timestamp
from ..transcripts.files import Tail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..index.index import Index
    from ..prices.table import Price
    from ..session import Session

    Tokens = tuple[int, ...]  # input, output, 5-minute write, 1-hour write, read, searches
    Key = tuple[int, int]

DEFAULT_MODEL = "claude-opus-5-5"  # whose price the client (2.1.330) uses for unknown models (A6)
ROUNDING = 1000  # 1e-9 dollars: the rounding error of the client's float sums after thousands of responses
_NARROWEST = 24  # columns for explanations beside the amounts; on a narrower screen they follow the amounts
_NO_TOKENS = (0, 0, 0, 0, 0, 0)
_NO_TOTAL = "Claude Code has stored no total: the session is open or was killed, or its Claude Code stored none"
NAMES = (
    *("unpriced", "requested", "aborted", "inherited", "before"),
    *("killed", "after", "compaction", "helper", "rounding"),
)


class Part:
    """One reason. `amount` is what it adds to the client's total; negative if the client lacks what we count."""

    __slots__ = ("amount", "count", "name", "text")

    def __init__(self, name: str, amount: int, text: str, count: int = 1) -> None:
        self.name = name  # one of NAMES
        self.amount = amount
        self.text = text
        self.count = count


class Explanation(NamedTuple):
    """Our cost, the client's total, and the parts of the difference, which with `rest` add up to it exactly."""

    session: str
    ours: int
    client: int | None  # None if the client left no total
    parts: list[Part]

    @property
    def difference(self) -> int:
        return 0 if self.client is None else self.client - self.ours

    @property
    def rest(self) -> int:
        return self.difference - sum(part.amount for part in self.parts)


def explain(session: Session, index: Index, mode: str = "auto") -> Explanation:
    """Explain why the client's total differs from *session*'s cost, which is that of *mode*.

    Reads the session's transcripts again; the index has to be up to date.
    """
    if session.client_cost is None:
        return Explanation(session.id, session.cost, None, [])
    client = prices.pico(session.client_cost)
    parts: list[Part] = []
    transcript = None if _is_near(client, session.cost) else _Transcript.find(session, index)
    if transcript is not None:
        counted = index.counted(session.id)
        transcript.assign(counted, index.parents(session.id))
        responses = [_Counted(r, index.table, MODES.index(mode)) for r in counted]
        parts = [part for part in _Search(client - session.cost, transcript, responses, index).parts() if part.amount]
    explanation = Explanation(session.id, session.cost, client, parts)
    if explanation.rest and _is_near(explanation.rest, 0):
        parts.append(Part("rounding", explanation.rest, "rounding in Claude Code's sums"))
    return explanation


def _is_near(one: int, other: int) -> bool:
    return abs(one - other) <= ROUNDING


# --- what the transcripts contain ---------------------------------------------------------------------------------


class _State:
    """One `cost-state` line. Times are microseconds; `seen` is the latest timestamp of the lines before it."""

    def __init__(self, obj: dict[str, Any], total: int, seen: int) -> None:
        self.total = total
        self.seen = seen
        start = parse_dollars(obj.get("startTime"))  # validated as a finite number; here in milliseconds
        self.start = None if start is None else int(start) * 1000
        usage = obj.get("modelUsage")
        by_model = usage.items() if isinstance(usage, dict) else ()
        self._usage: dict[str, dict[str, Any]] = {model: used for model, used in by_model if isinstance(used, dict)}

    def tokens(self) -> dict[str, Tokens]:
        return {model: _client_tokens(usage) for model, usage in self._usage.items()}

    def cost(self, model: str) -> int | None:
        cost = parse_dollars(self._usage.get(model, {}).get("costUSD"))
        return None if cost is None else prices.pico(cost)


def _client_tokens(usage: dict[str, Any]) -> Tokens:
    def count(name: str) -> int:
        value = usage.get(name)
        return value if isinstance(value, int) and value >= 0 else 0

    hour = count("cacheCreationEphemeral1hInputTokens")
    written = max(0, count("cacheCreationInputTokens") - hour)
    read, searches = count("cacheReadInputTokens"), count("webSearchRequests")
    return count("inputTokens"), count("outputTokens"), written, hour, read, searches


class _Transcript:
    """The facts in a session's transcripts that its responses do not contain."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.states: list[_State] = []
        self.compactions: list[int] = []  # times
        self.parents: set[str] = set()  # sessions whose responses were copied into this one
        self.aborted: dict[Key, int] = {}  # response cut off in mid-stream -> the client's estimate of its output
        self.requested: dict[Key, str] = {}  # the requested model, if another one answered
        self._cut_off: set[Key] = set()  # threads with a line that was aborted in mid-stream
        self._estimates: dict[Key, int] = {}  # estimated output tokens of all threads

    @classmethod
    def find(cls, session: Session, index: Index) -> _Transcript | None:
        """Return the transcript that ends with the session's total, or None if it can no longer be read."""
        assert session.client_cost is not None
        for path in reversed(transcripts_named(index, session.id)):
            transcript = cls(session.id)
            transcript._read(path)
            if transcript.states and transcript.states[-1].total == prices.pico(session.client_cost):
                for below in _agents_of(path):
                    transcript._read(below, own=False)
                return transcript
        return None

    def _read(self, path: str, own: bool = True) -> None:
        latest = 0
        for obj, raw, place in _objects(path):
            latest = max(latest, timestamp(obj.get("timestamp")) or 0)
            kind = obj.get("type")
            if own and kind == "cost-state":
                total = parse_dollars(obj.get("totalCostUSD"))
                if total is not None:
                    self.states.append(_State(obj, prices.pico(total), latest))
            elif own and kind == "system" and obj.get("subtype") == "compact_boundary":
                self.compactions.append(latest)
            elif kind == "assistant":
                self._read_response(obj, raw, place)

    def _read_response(self, obj: dict[str, Any], raw: bytes, place: int) -> None:
        claim = claim_of(obj, raw, place, self.id)
        if claim is None:
            return
        thread = claim.group, claim.rest
        self._estimates[thread] = self._estimates.get(thread, 0) + sum(map(_estimate, _blocks(obj)))
        if obj.get("isAbortedMidStream") is True:
            self._cut_off.add(thread)
        requested = obj.get("requestedModel")
        if isinstance(requested, str) and requested and requested != claim.model:
            self.requested[thread] = requested

    def assign(self, counted: Iterable[accounting.Response], parents: set[str]) -> None:
        """Assign what was read of threads to responses; lines of other sessions' responses are copies and dropped."""
        self.parents = parents
        requested, self.requested = self.requested, {}
        for response in counted:
            threads = {(claim.group, claim.rest) for claim in response.claims}
            key = response.claim.group, response.key
            if threads & self._cut_off:
                self.aborted[key] = sum(self._estimates.get(thread, 0) for thread in threads)
            for thread in threads & requested.keys():
                self.requested[key] = requested[thread]


def _agents_of(path: str) -> Iterator[str]:
    """Yield the transcripts of the subagents of a session's transcript."""
    for folder, _, names in os.walk(os.path.join(path.removesuffix(".jsonl"), "subagents")):
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".jsonl"))


def _objects(path: str) -> Iterator[tuple[dict[str, Any], bytes, int]]:
    """Yield every object of a transcript, its bytes and its offset; nothing if the file cannot be read."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return
    try:
        tail = Tail(0, False)
        for block in tail.blocks(descriptor, os.fstat(descriptor).st_size):
            place = block.offset
            for line in block.data().split(b"\n"):
                for obj, raw, at in objects(line):
                    yield obj, raw, place + at
                place += len(line) + 1
        for obj, raw, at in objects(tail.rest, whole=False):
            yield obj, raw, tail.offset + at
    finally:
        os.close(descriptor)


def _blocks(obj: dict[str, Any]) -> Iterator[str]:
    content = obj["message"].get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict):
            yield from (block[name] for name in ("text", "thinking") if isinstance(block.get(name), str))


def _estimate(text: str) -> int:
    """Return the client's estimate of a block's tokens: a third of the UTF-16 units received, rounded up (A3)."""
    return -(-len(text.encode("utf-16-le", "surrogatepass")) // 6)


class _Counted:
    """One counted response: its cost here, and what determines its cost at the client."""

    def __init__(self, response: accounting.Response, table: prices.PriceTable, mode: int) -> None:
        claim = response.claim
        self.key = claim.group, response.key
        self.time = claim.timestamp
        self.model = claim.model
        self.flags = claim.flags
        sums = [sums for _, sums in response.parts(table)]
        self.cost = sum(one[COST + mode] for one in sums)
        self.unpriced = mode != accounting.DISPLAY and any(one[UNPRICED + mode] for one in sums)
        written = claim.cache_creation - claim.write_1h
        self.tokens = claim.input, claim.output, written, claim.write_1h, claim.cache_read, claim.searches

    def with_output(self, output: int) -> Tokens:
        return (self.tokens[0], output, *self.tokens[2:])

    def cost_at(self, price: Price, output: int | None = None) -> int:
        """Return the cost at a price, for another number of output tokens if *output* is given."""
        return _price_of(price, self.tokens if output is None else self.with_output(output), self.flags)


def _price_of(price: Price, tokens: Tokens, flags: int = 0) -> int:
    input, output, write_5m, write_1h, read, searches = tokens
    fast, us = bool(flags & FAST), bool(flags & US)
    return prices.cost(price, input, output, write_5m, write_1h, read, searches, fast, us)


# --- which parts make up the difference ---------------------------------------------------------------------------


class _Search:
    """A search for the parts of the difference: subtracts one exact amount after another, the least certain last."""

    def __init__(self, difference: int, transcript: _Transcript, responses: list[_Counted], index: Index) -> None:
        self._rest = difference
        self._transcript = transcript
        self._index = index
        self._last = transcript.states[-1]
        self._parts: list[Part] = []
        self._extra: dict[Key, int] = {}  # response -> the client's cost minus ours
        self._included = sorted(responses, key=lambda r: (r.time, r.key))  # in the client's total
        self._inherited: dict[str, Tokens] = {}

    def parts(self) -> list[Part]:
        self._find_outside()
        certain = self._find_unpriced, self._find_aborted, self._find_requested
        for step in (*certain, self._find_inherited, self._find_killed, self._find_unseen):
            if _is_near(self._rest, 0):
                break
            step()
        return self._parts

    def _add_part(self, name: str, amount: int, text: str, count: int = 1) -> None:
        self._parts.append(Part(name, amount, text, count))
        self._rest -= amount

    def _find_outside(self) -> None:
        """Separate responses before the client began to count, or after it last wrote its total."""
        start, seen = self._last.start, self._last.seen
        before = [r for r in self._included if start is not None and r.time < start]
        after = [r for r in self._included if r.time > seen]
        self._included = [r for r in self._included if (start is None or start <= r.time) and r.time <= seen]
        if before:
            text = "from before Claude Code began to count: it was killed and lost what it had not saved"
            self._add_part("before", -_cost(before), f"{_count_text(before)} {text}", len(before))
        if after:
            text = "after Claude Code last saved its total"
            self._add_part("after", -_cost(after), f"{_count_text(after)} {text}", len(after))

    def _find_unpriced(self) -> None:
        """Find models without a price here, which the client charges at the price of its default model."""
        by_model: dict[str, list[_Counted]] = {}
        for response in self._included:
            if response.unpriced:
                by_model.setdefault(response.model, []).append(response)
        default = self._index.table.find(DEFAULT_MODEL)
        for model, responses in sorted(by_model.items()):
            amount = self._client_cost(model, responses)
            if amount is None and default is not None:
                amount = sum(r.cost_at(default) for r in responses)
            text = f"{_count_text(responses)} of {model or 'no named model'}, which has no known price: $0 here"
            text += ", the price of its default model in Claude Code"
            self._add_part("unpriced", amount or 0, text, len(responses))

    def _client_cost(self, model: str, responses: list[_Counted]) -> int | None:
        """Return the client's cost of a model if it is for exactly the tokens of *responses*."""
        tokens = tuple(map(sum, zip(*(r.tokens for r in responses), strict=True)))
        return self._last.cost(model) if self._last.tokens().get(model) == tokens else None

    def _find_aborted(self) -> None:
        """Find responses cut off in mid-stream: the transcript has a placeholder, the client an estimate."""
        cut = [r for r in self._included if r.key in self._transcript.aborted]
        amount = 0
        for response in cut:
            price = self._index.table.find(response.model)
            if price is not None:
                extra = response.cost_at(price, self._transcript.aborted[response.key]) - response.cost_at(price)
                self._extra[response.key] = extra
                amount += extra
        if not cut:
            return
        text = f"{_count_text(cut)} cut off: Claude Code estimates the output, the transcript has a placeholder"
        last = self._at_client(cut[-1])
        if cut[-1] is self._included[-1] and _is_near(self._rest - amount, -last):
            amount -= last
            self._included = self._included[:-1]
            text += ", and saved its total before it counted the last one"
        self._add_part("aborted", amount, text, len(cut))

    def _find_requested(self) -> None:
        """Find responses for which the client charges the requested model and we charge the one that answered."""
        changed: list[tuple[_Counted, int]] = []
        for response in self._included:
            price = self._index.table.find(self._transcript.requested.get(response.key, ""))
            if price is not None and not response.unpriced and response.cost_at(price) != response.cost:
                changed.append((response, response.cost_at(price) - response.cost))
        amount = sum(extra for _, extra in changed)
        if amount and abs(self._rest - amount) < abs(self._rest):
            self._extra.update({response.key: extra for response, extra in changed})
            text = "answered by another model than requested: Claude Code counts the price of the requested one"
            self._add_part("requested", amount, f"{_count_text([r for r, _ in changed])} {text}", len(changed))

    def _find_inherited(self) -> None:
        """Find the parent's total, with which a fork's total starts."""
        if not self._transcript.parents or self._rest < 0:
            return
        states = [(parent, state) for parent in sorted(self._transcript.parents) for state in self._states_of(parent)]
        exact = [(parent, state) for parent, state in states if _is_near(state.total, self._rest)]
        first = self._included[0].time if self._included else self._last.seen
        start = self._last.start
        earlier = [(p, state) for p, state in states if state.start == start is not None and state.seen <= first]
        for parent, state in exact[:1] or earlier[-1:]:
            self._inherited = state.tokens()
            self._add_part("inherited", state.total, f"the total of {parent}, from which this session was forked")

    def _states_of(self, session: str) -> Iterator[_State]:
        for path in transcripts_named(self._index, session):
            transcript = _Transcript(session)
            transcript._read(path)
            yield from transcript.states

    def _find_killed(self) -> None:
        """Find responses between two totals that a killed client forgot: it was resumed from the first total."""
        states = self._transcript.states
        for earlier, later in pairwise(states):
            between = [r for r in self._included if earlier.seen < r.time <= later.seen]
            missing = sum(map(self._at_client, between)) - (later.total - earlier.total)
            lost = self._first_of(between, missing)
            if lost and self._rest <= ROUNDING - missing:
                text = "between two totals, and not in the second: Claude Code was killed before it saved them"
                self._included = [r for r in self._included if r not in lost]
                self._add_part("killed", -missing, f"{_count_text(lost)} {text}", len(lost))

    def _at_client(self, response: _Counted) -> int:
        return response.cost + self._extra.get(response.key, 0)

    def _first_of(self, responses: list[_Counted], amount: int) -> list[_Counted]:
        """Return the first of *responses* that together cost *amount* at the client, or none."""
        total = 0
        for count, response in enumerate(responses, 1):
            total += self._at_client(response)
            if amount > ROUNDING and _is_near(total, amount):
                return responses[:count]
        return []

    def _find_unseen(self) -> None:
        """Find requests that only the client counts, if whole tokens at list price give the amount."""
        unseen = self._unseen_tokens() if self._rest > 0 else {}
        costs = {model: self._unseen_cost(model, tokens) for model, tokens in unseen.items()}
        if not _is_near(self._rest, sum(costs.values())):
            return
        seen = {r.model for r in self._included}
        count = sum(1 for time in self._transcript.compactions if time <= self._last.seen)
        for model, tokens in sorted(unseen.items()):
            size = f"{tokens[0] + tokens[2] + tokens[3] + tokens[4]:,} tokens in, {tokens[1]:,} out, of {model}"
            if count and model in seen:
                summaries = "the summary" if count == 1 else f"{count} summaries"
                text = f"{summaries} of the conversation at /compact, which no transcript contains ({size})"
                self._add_part("compaction", costs[model], text, count)
            else:
                text = "requests that no transcript contains: Claude Code's own, or cancelled before the answer"
                self._add_part("helper", costs[model], f"{text} ({size})")

    def _unseen_tokens(self) -> dict[str, Tokens]:
        """Return, by model, the tokens that the client counts and no response explains; {} if any count is too low."""
        left = self._last.tokens()
        accounted = list(self._inherited.items())
        for response in self._included:
            output = self._transcript.aborted.get(response.key, response.tokens[1])
            accounted.append((self._client_name(response, left), response.with_output(output)))
        for model, tokens in accounted:
            left[model] = tuple(map(sub, left.get(model, _NO_TOKENS), tokens))
        if any(number < 0 for numbers in left.values() for number in numbers):
            return {}
        return {model: numbers for model, numbers in left.items() if any(numbers)}

    def _client_name(self, response: _Counted, known: dict[str, Tokens]) -> str:
        requested = self._transcript.requested.get(response.key, "")
        return requested if response.model not in known and requested in known else response.model

    def _unseen_cost(self, model: str, tokens: Tokens) -> int:
        """Return the cost at list price, or the client's own for a model that no response names."""
        client_cost = self._last.cost(model)
        if client_cost is not None and tokens == self._last.tokens().get(model):
            return client_cost
        price = self._index.table.find(model)
        return 0 if price is None else _price_of(_plain(price), tokens)


def _plain(price: Price) -> Price:
    """Return *price* without its threshold, because the sum of several prompts is not one long prompt."""
    plain = prices.Price(price.input, price.output, price.write_5m, price.write_1h, price.read)
    plain.web_search = price.web_search
    return plain


def _cost(responses: Iterable[_Counted]) -> int:
    return sum(r.cost for r in responses)


def _count_text(responses: list[_Counted]) -> str:
    return count_text(len(responses), "response")


# --- output -------------------------------------------------------------------------------------------------------


def as_data(explanation: Explanation) -> dict[str, object]:
    """Return the data for `--json`, in dollars: `parts` and `notExplained` add up to `difference`."""
    return {
        "sessionId": explanation.session,
        "totalCost": dollars(explanation.ours),
        "clientCost": None if explanation.client is None else dollars(explanation.client),
        "difference": None if explanation.client is None else dollars(explanation.difference),
        "parts": [
            {"name": part.name, "amount": dollars(part.amount), "count": part.count, "text": part.text}
            for part in explanation.parts
        ],
        "notExplained": None if explanation.client is None else dollars(explanation.rest),
    }


def as_text(explanation: Explanation, width: int) -> str:
    """Return the text, with exact amounts, in lines of at most *width* columns."""
    lines = [("cost", exact_money(explanation.ours), "of the responses in its transcripts")]
    if explanation.client is None:
        return _lines([*lines, ("Claude Code", "-", _NO_TOTAL)], width)
    lines.append(("Claude Code", exact_money(explanation.client), "its own total"))
    if not explanation.difference:
        return _lines([*lines, ("difference", exact_money(0), "")], width)
    lines.append(("difference", exact_money(explanation.difference, sign=True), "which comes from"))
    lines += [("", exact_money(part.amount, sign=True), clean(part.text)) for part in explanation.parts]
    if explanation.rest or not explanation.parts:
        lines.append(("", exact_money(explanation.rest, sign=True), "not explained"))
    return _lines(lines, width)


def _lines(rows: list[tuple[str, str, str]], width: int) -> str:
    amounts = max(len(amount) for _, amount, _ in rows)
    begin = 12 + amounts + 2
    lines: list[str] = []
    for name, amount, text in rows:
        if width < begin + _NARROWEST:
            lines += wrap(f"{name} {amount} {text}", width, "  ")
        else:
            lines += lay_out_beside(f"{name:<12}{amount:>{amounts}}  ", text, begin, width)
    return "\n".join(lines) + "\n"
