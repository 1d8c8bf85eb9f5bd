"""What a model charges, and what one response costs (A10, A11).

Tier 0: imports nothing; the tables are loaded when they are asked for. A price is a whole number of
1e-15 dollar per token: the finest list price in use has 11 decimals, a quarter of it (the 1.25 of a cache write)
13, a tenth 12, so every rate is exact. Costs are whole numbers of 1e-12 dollar ("pico").
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .price_store import Refreshed, Settled

    Rates = tuple[int, int, int, int, int]  # input, output, 5 minute write, 1 hour write, read
    # the rates, the threshold and the rates above it, the fast and us factors, the context window
    Packed = tuple[int, int, int, int, int, int | None, Rates | None, int, int, int | None]

UNIT = 10**15  # price units in a dollar
PICO = 10**12
ONE = 1000  # the factor 1; factors are whole thousandths
WEB_SEARCH = PICO // 100  # one search, whatever the model (A10)

LONG_WINDOW = 1_000_000  # what "[1m]" after a model's name asks for
_LONG_VARIANTS = ("sonnet-4", "opus-4-6")  # models with a shorter window that can be asked so
NAME_LIMIT = 200  # characters; the longest name of the tables has less than 70
MEMO_LIMIT = 512  # names; more than any history holds

# A family of another maker: how its names begin, the provider it is listed under, what that maker is called in paths.
_MAKERS = (
    ("deepseek-", "deepseek", ("deepseek", "deepseek-ai")),
    ("glm-", "zai", ("zai", "z-ai", "zai-org")),
    ("kimi-", "moonshot", ("moonshot", "moonshotai")),
    ("minimax-", "minimax", ("minimax", "minimaxai")),
    ("qwen3", "dashscope", ("dashscope", "qwen")),
)


class Price:
    """What one model charges per token, in UNIT-ths of a dollar.

    A prompt of more than `threshold` tokens makes the whole response cost `above` instead of the five plain rates.
    `fast` and `us` are factors in thousandths, `web_search` pico-dollars per search, `window` tokens (None: unknown).
    """

    __slots__ = (
        "above",
        "fast",
        "input",
        "output",
        "read",
        "threshold",
        "us",
        "web_search",
        "window",
        "write_1h",
        "write_5m",
    )

    def __init__(
        self,
        input: int,
        output: int,
        write_5m: int,
        write_1h: int,
        read: int,
        threshold: int | None = None,
        above: Rates | None = None,
        fast: int = ONE,
        us: int = ONE,
        window: int | None = None,
    ) -> None:
        self.input = input
        self.output = output
        self.write_5m = write_5m
        self.write_1h = write_1h
        self.read = read
        self.threshold = threshold
        self.above = above
        self.fast = fast
        self.us = us
        self.web_search = WEB_SEARCH
        self.window = window

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Price):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # equal by value and open to change

    def __repr__(self) -> str:
        return f"Price({', '.join(f'{slot}={getattr(self, slot)!r}' for slot in self.__slots__)})"


class PriceTable:
    """Prices by lower-case model name in three parts, of which the first that knows a name decides."""

    def __init__(
        self,
        overlay: Mapping[str, Packed],
        current: Mapping[str, Packed],
        retired: Mapping[str, Packed],
        source: str = "",
        fingerprint: str = "",
        own: Mapping[str, Packed] | None = None,
    ) -> None:
        """*source* says where `current` comes from; *fingerprint* is that of these parts, where it is known already.

        *own* are the user's prices: they go before all parts, under every spelling of a name (config).
        """
        self.source = source
        self._parts = (overlay, current, retired)
        self._own = PriceTable(own, {}, {}) if own else None
        self._fingerprint = fingerprint
        self._memo: dict[str, Price | None] = {}

    @property
    def fingerprint(self) -> str:
        """A short name of this very set of prices: another one whenever any of them changes."""
        if not self._fingerprint:
            self._fingerprint = fingerprint_of(*(part_id(part) for part in self._parts))
            if self._own is not None:
                self._fingerprint += f"-{part_id(self._own._parts[0])}"
        return self._fingerprint

    def find(self, model: str) -> Price | None:
        """The price of *model* as a response names it, None if it has none (A11). Takes any string, never raises.

        The exact name first. Then marks, provider, region, version suffix and date are taken off step by step, so that
        the most particular entry wins: `us.anthropic.claude-sonnet-4-6[1m]` pays what its region pays.
        """
        if len(model) > NAME_LIMIT:
            return None
        try:
            return self._memo[model]
        except KeyError:
            pass
        if len(self._memo) >= MEMO_LIMIT:
            self._memo.clear()
        price = self._memo[model] = self._search(model)
        return price

    def window(self, model: str, tokens: int) -> int | None:
        """Tokens that *model* can see, given that a prompt had *tokens*; None where no known window holds those."""
        price = self.find(model)
        known = price.window if price is not None else None
        if known is None or tokens <= known:
            return known
        name = model.lower().replace(".", "-")
        return LONG_WINDOW if tokens <= LONG_WINDOW and any(part in name for part in _LONG_VARIANTS) else None

    def _search(self, model: str) -> Price | None:
        if not model.isascii():  # no model's name is; some letters beyond become ASCII in another case
            return None
        name = model.lower()
        entry = self._own._find(name) if self._own is not None else None
        if entry is None:
            entry = self._find(name)
        if entry is None:
            return None
        price = Price(*entry)
        if name.endswith("[1m]"):
            price.window = max(price.window or 0, LONG_WINDOW)
        return price

    def _find(self, name: str) -> Packed | None:
        entry = self._entry(name)
        if entry is None:
            entry = self._claude(name) if "claude" in name else self._other_maker(name)
        return entry

    def _entry(self, name: str) -> Packed | None:
        for part in self._parts:
            if name in part:
                return part[name]
        return None

    def _claude(self, name: str) -> Packed | None:
        name = name.removesuffix("[1m]")
        for mark in ("-thinking", ":thinking"):  # how proxies ask for thinking; it is not priced apart
            name = name.removesuffix(mark)
        while name:
            for spelling in _spellings(name):
                entry = self._entry(spelling)
                if entry is not None:
                    return entry
            entry = self._dated(_undated(_plain(name)))
            if entry is not None:
                return entry
            name = _without_prefix(name)
        return None

    def _dated(self, model: str) -> Packed | None:
        """The entry of *model* with a date, the newest of several, or with a version suffix alone."""
        names = (name for part in self._parts for name in part if name.startswith(model))
        best = max((name for name in names if _is_variant(model, name[len(model) :])), default="")
        return self._entry(best)

    def _other_maker(self, name: str) -> Packed | None:
        """A bare name, or one behind its maker's: what a reseller asks for the model is not known from that list."""
        name = name.removesuffix("[1m]")
        path, _, bare = name.rpartition("/")
        names = [name]
        for family, provider, owners in _MAKERS:
            if bare.startswith(family) and (not path or path.rpartition("/")[2] in owners):
                names += [f"{provider}/{bare}", bare, f"{provider}/{_undated(bare)}", _undated(bare)]
        return next((entry for entry in map(self._entry, names) if entry is not None), None)


def _spellings(name: str) -> Iterator[str]:
    """*name*, then without what names no other price: version suffix, `@`, date, a dot in the version number."""
    yield name
    plain = _plain(name)
    yield plain
    yield _undated(plain)
    if plain.startswith("claude-"):
        dashed = plain.replace(".", "-")
        yield dashed
        yield _undated(dashed)


def _plain(name: str) -> str:
    """*name* without `-v1:0` or `@default`, and with `-20250805` for `@20250805`."""
    start = name.rfind("-v")
    if start > 0 and name[start - 1].isdigit() and _is_version(name[start:]):  # claude-v2 is a model, not a suffix
        name = name[:start]
    head, _, tag = name.partition("@")
    if tag == "default":
        return head
    return f"{head}-{tag}" if _is_date(tag) else name


def _undated(name: str) -> str:
    return name[:-9] if name[-9:-8] == "-" and _is_date(name[-8:]) else name


def _is_date(text: str) -> bool:
    return len(text) == 8 and text.isdigit() and text.startswith("20")


def _is_version(text: str) -> bool:
    """`-v1`, `-v1:0`, `-v1:0:200k`"""
    return text.startswith("-v") and text[2:3].isdigit() and not text[2:].strip("0123456789:k")


def _is_variant(model: str, rest: str) -> bool:
    """Whether *rest* behind *model* is a date, a version suffix or both, and so names no other model."""
    if rest[:1] in ("-", "@") and _is_date(rest[1:9]):
        return len(rest) == 9 or _is_version(rest[9:])
    return model[-1:].isdigit() and _is_version(rest)


def _without_prefix(name: str) -> str:
    """*name* less its first path segment, else its region, else its `anthropic.`; empty if it has none of them."""
    _, slash, rest = name.partition("/")
    if slash:
        return rest
    region, maker, rest = name.partition("anthropic.")
    if not maker or (region and not region.endswith(".")):
        return ""
    return maker + rest if region else rest


def part_id(part: Mapping[str, Packed]) -> str:
    """Eight hexadecimal digits that stand for one part of a table, whatever the order it was built in."""
    from hashlib import sha256

    return sha256(repr(sorted(part.items())).encode()).hexdigest()[:8]


def fingerprint_of(overlay_id: str, current_id: str, retired_id: str) -> str:
    return f"{overlay_id}-{current_id}-{retired_id}"


_table: PriceTable | None = None
_stamp: tuple[object, ...] = ()  # of the stored files that _table was made of
given: Settled | None = None  # what a config file says, where that can't be stored


def table() -> PriceTable:
    """The table in use: the embedded one, its current part as the last refresh left it, the user's own prices first.

    Costs two stats when nothing has changed since the last call.
    """
    global _table, _stamp
    import os

    from . import price_store
    from .paths import state_dir

    folder = state_dir(os.environ)
    stamp = price_store.stamp(folder)
    if given is not None:
        stamp += (given.id,)
    if _table is None or stamp != _stamp:
        _table, _stamp = _assemble(price_store.load_refreshed(folder), given or price_store.load_settled(folder)), stamp
    return _table


def table_file(environ: Mapping[str, str]) -> str:
    """The file that a refresh replaces: while its stat is the same, so are the prices but for the user's own."""
    from .paths import state_dir
    from .price_store import refreshed_path

    return refreshed_path(state_dir(environ))


def _assemble(refreshed: Refreshed | None, settled: Settled | None) -> PriceTable:
    from ccusage_line import price_table as embedded

    current: Mapping[str, Packed] = embedded.CURRENT
    source, current_id = embedded.SOURCE, embedded.CURRENT_ID
    if refreshed is not None and refreshed.based_on == current_id:
        current, source, current_id = refreshed.current, refreshed.source, refreshed.id
    elif refreshed is not None:  # from before this version of the package, which may know better
        current = {**refreshed.current, **current}
        source, current_id = f"{source} and {refreshed.source}", f"{current_id}.{refreshed.id}"
    fingerprint = fingerprint_of(embedded.OVERLAY_ID, current_id, embedded.RETIRED_ID)
    own = settled.prices if settled is not None else {}
    if settled is not None and own:
        fingerprint += f"-{settled.id}"
    return PriceTable(embedded.OVERLAY, current, embedded.RETIRED, source, fingerprint, own)


def cost(
    price: Price,
    input: int,
    output: int,
    write_5m: int,
    write_1h: int,
    read: int,
    searches: int = 0,
    fast: bool = False,
    us: bool = False,
) -> int:
    """Pico-dollars of one response (A10), exact until the one rounding at the end, half to even."""
    threshold, above = price.threshold, price.above
    if threshold is not None and above is not None and input + write_5m + write_1h + read > threshold:
        rates = above
    else:
        rates = (price.input, price.output, price.write_5m, price.write_1h, price.read)
    units = input * rates[0] + output * rates[1] + write_5m * rates[2] + write_1h * rates[3] + read * rates[4]
    per_pico = UNIT // PICO
    if fast:
        units *= price.fast
        per_pico *= ONE
    if us:
        units *= price.us
        per_pico *= ONE
    return _rounded(units, per_pico) + searches * price.web_search


def pico(cost_usd: float) -> int:
    """A line's `costUSD` in pico-dollars, the nearest; *cost_usd* is finite."""
    numerator, denominator = cost_usd.as_integer_ratio()
    return _rounded(numerator * PICO, denominator)


def _rounded(numerator: int, denominator: int) -> int:
    """The whole number nearest to the fraction, the even one of two; *denominator* is positive."""
    whole, rest = divmod(numerator, denominator)
    rest *= 2
    return whole + (rest > denominator or (rest == denominator and whole & 1))
