"""5-hour blocks: their usage, the rate of the active one, and its projection to the end.

Times are microseconds since the epoch, money is in 1e-12 dollars.
"""

from __future__ import annotations

from itertools import pairwise

from ..jsontext import rfc3339, sums_of
from ..session import dollars
from ..windows import HOUR, MINUTE
from .usage import Share, breakdown_data, shares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..index.slots import Row
    from ..windows import Window

RECENT = 72 * HOUR
YOUNG = 10 * MINUTE  # age from which a block's rate is meaningful
MODERATE, HIGH = 2_000, 5_000  # input + output tokens a minute
_FULL, _MIN_PERCENT = 100, 5  # percent; below 5, the time when the rest is used up cannot be predicted
_WARNING_FROM = 80  # percent of the limit
CLIENT, ESTIMATE = "client", "estimate"
TOKEN_COUNTS = ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
BOUNDS = ("startTime", "endTime")
COLUMNS = (
    *(*BOUNDS, "actualEndTime", "isActive", "entries"),
    *(*TOKEN_COUNTS, "totalTokens", "costUSD"),
    *("models", "source", "usedPercentage", "unpricedModels"),
)


class Block:
    """The interval [start, end) of the client's plan and the usage in it; or a gap without usage."""

    __slots__ = ("end", "is_gap", "pause", "share", "start", "until_now", "window")

    def __init__(self, start: int, end: int, window: Window | None = None, is_gap: bool = False) -> None:
        self.start = start
        self.end = end
        self.window = window  # from the client; None if the bounds are an estimate
        self.is_gap = is_gap
        self.pause = 0  # time since the last response before this block, in any project
        self.share = Share(start)
        self.until_now = self.share  # the part of it until now

    def without_usage(self) -> Block:
        return Block(self.start, self.end, self.window, self.is_gap)

    def is_active(self, now: int) -> bool:
        return not self.is_gap and self.start <= now < self.end

    @property
    def has_unpriced(self) -> bool:
        """Whether the cost until now, and so the rate and the projection, lack a price."""
        return self.until_now.has_unpriced

    def rate(self, now: int) -> Rate | None:
        """Return the rate of usage, or None if there was no usage until now or the block is over."""
        return Rate(self.until_now, now) if self.is_active(now) and self.until_now.first is not None else None

    def projection(self, now: int) -> tuple[int, int] | None:
        """Return (tokens, cost) at the end at the current rate, or None until ten minutes after the first response."""
        rate, first = self.rate(now), self.until_now.first
        if rate is None or first is None or now < first + YOUNG:
            return None
        twice = 2 * (self.end - now)
        tokens, cost = ((used * twice + rate.duration) // (2 * rate.duration) for used in (rate.tokens, rate.cost))
        return rate.tokens + tokens, rate.cost + cost

    def reaches_100_at(self, now: int) -> int | None:
        """Return when the client's limit is reached at the current rate; None if unknown or after the end."""
        window = self.window
        if window is None or window.used is None or window.used < _MIN_PERCENT or now - self.start < YOUNG:
            return None
        at = self.start + round((window.seen - self.start) * _FULL / window.used)
        return at if at < self.end else None


class Rate:
    """Tokens and cost over the time from the first response until now, at least one minute."""

    __slots__ = ("cost", "duration", "indicator", "tokens")

    def __init__(self, used: Share, now: int) -> None:
        first = now if used.first is None else used.first
        self.duration = max(now - first, MINUTE)
        tokens_in, tokens_out, _, _, self.tokens, self.cost = sums_of(used.models)
        self.indicator = tokens_in + tokens_out  # tokens that the indicator counts

    @property
    def per_minute(self) -> float:
        return self.tokens * MINUTE / self.duration

    @property
    def indicator_per_minute(self) -> float:
        return self.indicator * MINUTE / self.duration

    @property
    def cost_per_hour(self) -> int:
        return self.cost * HOUR // self.duration


def indicator(per_minute: float) -> str:
    """Return the name of a rate of input and output tokens per minute."""
    return "Normal" if per_minute < MODERATE else "Moderate" if per_minute < HIGH else "High"


def add_gaps(blocks: Sequence[Block], length: int) -> list[Block]:
    """Return *blocks* with a gap between two that do not touch, if the pause between them has *length* or more."""
    with_gaps = list(blocks[:1])
    for before, block in pairwise(blocks):
        if block.pause >= length and before.end < block.start:
            with_gaps.append(Block(before.end, block.start, is_gap=True))
        with_gaps.append(block)
    return with_gaps


def set_pauses(blocks: Sequence[Block]) -> None:
    """Set the pauses of blocks that contain the responses of all projects."""
    for before, block in pairwise(blocks):
        last, first = before.share.last, block.share.first
        block.pause = block.start - before.end if last is None or first is None else first - last


def drop_unused(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with usage and the gaps between them."""
    used: list[Block] = []
    before: Block | None = None
    for block in blocks:
        if block.share.responses or (block.is_gap and before is not None and before.share.responses):
            used.append(block)
        before = block
    return used[:-1] if used and used[-1].is_gap else used


def drop_gaps(blocks: Iterable[Block]) -> list[Block]:
    return [block for block in blocks if not block.is_gap]


def edges(blocks: Iterable[Block], now: int) -> list[int]:
    """Return the instants between which usage is queried: the bounds of the blocks, and now in the active one."""
    bounds = {edge for block in blocks for edge in (block.start, block.end)}
    return sorted(bounds | {now + 1 for block in blocks if block.is_active(now)})


def set_usage(blocks: Sequence[Block], rows: Iterable[Row], starts: Sequence[int], now: int) -> None:
    """Set the usage of the blocks from *rows*, the usage between the edges *starts*."""
    by_start = {block.start: block for block in drop_gaps(blocks)}
    ends = {block.end for block in by_start.values()}
    key = None  # the start of the block that contains the time after an edge
    keys: list[int | None] = []
    for start in starts:
        key = start if start in by_start else None if start in ends else key
        keys.append(key)
    rows = list(rows)
    share_of = {share.key: share for share in shares(rows, keys.__getitem__)}
    for start, block in by_start.items():
        block.share = block.until_now = share_of.get(start) or Share(start)
        if block.is_active(now):
            block.until_now = Share(block.start, [r for r in rows if block.start <= starts[r.period] <= now])


def parse_limit(text: str, blocks: Iterable[Block], now: int) -> int | None:
    """Return the tokens of `--token-limit`; for `max` those of the largest finished block, or None if there is none.
    Raises ValueError if *text* is neither `max` nor a number above 0."""
    if text == "max":
        return max((block.share.total for block in blocks if not block.is_active(now)), default=0) or None
    factor = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower())
    number = text[:-1] if factor else text
    limit = round(float(number.replace(",", "").replace("_", "")) * (factor or 1))
    if limit <= 0:
        raise ValueError(text)
    return limit


def limit_status(projected: int, limit: int) -> str:
    return "exceeds" if projected > limit else "warning" if projected * 100 > limit * _WARNING_FROM else "ok"


# --- JSON ---------------------------------------------------------------------------------------------------------


def block_data(block: Block, now: int, limit: int | None = None) -> dict[str, object]:
    share, active = block.share, block.is_active(now)
    start = _time(block.start)
    counts = sums_of(share.models)
    named = share.named_models
    data: dict[str, object] = {
        "id": f"gap-{start}" if block.is_gap else start,
        "startTime": start,
        "endTime": _time(block.end),
        "actualEndTime": None if share.last is None else _time(share.last),
        "isActive": active,
        "isGap": block.is_gap,
        "entries": share.responses,
        "tokenCounts": dict(zip(TOKEN_COUNTS, counts[:4], strict=True)),
        "totalTokens": counts[4],
        "costUSD": dollars(counts[5]),
        "models": sorted(m.name for m in named),
        **_projection_data(block, now, limit),
    }
    if not block.is_gap:
        data |= _source_data(block, now)
    return data | {"modelBreakdowns": [breakdown_data(m) for m in named], "unpricedModels": share.unpriced_models}


def _projection_data(block: Block, now: int, limit: int | None) -> dict[str, object]:
    rate, projection = block.rate(now), block.projection(now)
    data: dict[str, object] = {"burnRate": None, "projection": None}
    if rate is not None:
        data["burnRate"] = {
            "tokensPerMinute": rate.per_minute,
            "tokensPerMinuteForIndicator": rate.indicator_per_minute,
            "costPerHour": dollars(rate.cost_per_hour),
        }
    if projection is not None:
        tokens, cost = projection
        left = (block.end - now) // MINUTE
        data["projection"] = {"totalTokens": tokens, "totalCost": round(dollars(cost), 2), "remainingMinutes": left}
        if limit is not None:
            data["tokenLimitStatus"] = {
                "limit": limit,
                "projectedUsage": tokens,
                "percentUsed": tokens * 100 / limit,
                "status": limit_status(tokens, limit),
            }
    return data


def _source_data(block: Block, now: int) -> dict[str, object]:
    data: dict[str, object] = {"source": ESTIMATE if block.window is None else CLIENT}
    if block.window is not None and block.window.used is not None:
        data["usedPercentage"] = block.window.used
    reaches = block.reaches_100_at(now) if block.is_active(now) else None
    if reaches is not None:
        data["reaches100At"] = _time(reaches)
    return data


def _time(us: int) -> str:
    """Return a time in UTC, truncated to milliseconds."""
    return rfc3339(us // 1000 * 1000)


def csv_line(block: Block, now: int) -> dict[str, object]:
    """Return the cells of a block in a CSV file, by the names in COLUMNS."""
    data = block_data(block, now)
    return {**data, **dict(zip(TOKEN_COUNTS, sums_of(block.share.models)[:4], strict=True))}


def limits_data(windows: Mapping[str, Window]) -> dict[str, object]:
    return {
        key: {"usedPercentage": window.used, "resetsAt": _time(window.end), "seenAt": _time(window.seen)}
        for key, window in windows.items()
    }
