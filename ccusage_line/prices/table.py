"""What a model charges, and what one response costs (A10, A11).

On the lean lanes: imports nothing; the tables are loaded when they are asked for. A price is a whole number of 1e-15
dollar per token: the finest list price in use has 11 decimals, a quarter of it (the 1.25 of a cache write) 13, a tenth
12, so every rate is exact. Costs are whole numbers of 1e-12 dollar ("pico").
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .names import Model
    from .stored import Contract, Packed, Rates, Row


UNIT = 10**15  # price units in a dollar
PICO = 10**12
ONE = 1000  # the factor 1; factors are whole thousandths
WEB_SEARCH = PICO // 100  # one search, whatever the model (A10)

LONG_WINDOW = 1_000_000  # what one of these after a model's name asks for
_LONG = ("[1m]", "-1m", ":1m")
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
        return isinstance(other, Price) and vars(self) == vars(other)


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
        contract: Contract | None = None,
    ) -> None:
        """*source* says where `current` comes from; *fingerprint* is that of these parts, where it is known already.

        *own* are the user's prices: they go before all parts, under every spelling of a name (config). *contract* is
        what an organization pays instead of the prices of the parts (A10).
        """
        self.source = source
        self.contract = contract if contract is not None and contract.id else None
        self._parts = (overlay, current, retired)
        self._own = PriceTable(own, {}, {}) if own else None
        self._covering: dict[tuple[str, int, int], Row] | None = None
        self._fingerprint = fingerprint
        self._memo: dict[str, Price | None] = {}
        self._newest: dict[str, str] = {}

    @property
    def fingerprint(self) -> str:
        """A short name of this very set of prices: another one whenever any of them changes."""
        if not self._fingerprint:
            self._fingerprint = fingerprint_of(*(part_id(part) for part in self._parts))
            if self._own is not None:
                self._fingerprint += f"-{part_id(self._own._parts[0])}"
            if self.contract is not None:
                self._fingerprint += f"-c{self.contract.id}"
        return self._fingerprint

    def names(self) -> set[str]:
        """Every name that has a price as it stands, in lower case."""
        own = self._own._parts if self._own is not None else ()
        rows = self.contract.rows if self.contract is not None else {}
        given = {name for part in (*self._parts, *own, rows) for name in part}
        return {name for name in given if self.find(name) is not None}

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
        name = model.lower()
        if name.isascii() and not model.isascii():  # some letters beyond become ASCII in another case
            return None
        entry = self._own._find(name) if self._own is not None else None
        price = self._contracted(name) if entry is None else Price(*entry)
        if price is not None and name.endswith(_LONG):
            price.window = max(price.window or 0, LONG_WINDOW)
        return price

    def basis(self, model: str) -> str:
        """Whose price find() gives: "own", "contract" for an organization's row, else "list"."""
        name = model.lower()
        if self._own is not None and self._own._find(name) is not None:
            return "own"
        return "list" if self._agreed(name) is None else "contract"

    def _contracted(self, name: str) -> Price | None:
        """The listed price, or what an organization has agreed on instead; all of it times its multiplier (A10)."""
        entry = self._find(name) if name.isascii() else None  # as all names of lists are
        agreed = self._agreed(name)
        if agreed is not None:
            input, output, write, read = agreed
            entry = (input, output, write, write, read, None, None, ONE, ONE, entry[9] if entry is not None else None)
        if entry is None:
            return None
        return Price(*entry) if self.contract is None else _multiplied(entry, self.contract.multiplier)

    def _agreed(self, name: str) -> Row | None:
        """The organization's row for a model: that of its very name, else one that names it as Claude Code does."""
        if self.contract is None:
            return None
        rows = self.contract.rows
        for spelling in (name, name.removesuffix("[1m]")):
            if spelling in rows:
                return rows[spelling]
        if not rows or "claude" not in name:
            return None
        from .names import model_of

        if self._covering is None:
            self._covering = {}
            for row, rates in rows.items():
                model = model_of(row)
                if model is not None and self._is_clients(row):
                    self._covering.setdefault(model.key, rates)
        model = model_of(name)
        return None if model is None or model.fast else self._covering.get(model.key)

    def _is_clients(self, name: str) -> bool:
        """Whether Claude Code itself calls a model so: as its maker, Bedrock in any region, Vertex AI or Foundry do."""
        bare = name[max(name.find("anthropic."), 0) :]
        return "/" not in name and any(map(self._entry, (name, bare, f"vertex_ai/{name}", f"azure_ai/{name}")))

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
        from .names import core_of, model_of

        name = name.removesuffix("[1m]")
        model, core = model_of(name), core_of(name)
        if model is None:
            return self._by_level(name, core, ())
        if model.fast:
            return self._fast(name, core, model)
        return self._by_level(name, core, tuple(_respelled(model)))

    def _by_level(self, name: str, core: str, respelled: Sequence[str]) -> Packed | None:
        """The entry of *name*, else of what is left of it as its prefixes are taken off; or of its *respelled* core."""
        from .names import without_prefix

        while name:
            prefix = name.removesuffix(core)
            entry = self._first([*_spellings(name), *(prefix + other for other in respelled)])
            if entry is not None:
                return entry
            name = without_prefix(name)
        return None

    def _fast(self, name: str, core: str, model: Model) -> Packed | None:
        """The entry of a model that is called fast; else the model's, with its factor for fast mode in its prices."""
        entry = self._by_level(name, core, [f"{other}-fast" for other in model.names()])
        if entry is None:
            plain = next(model.names())
            entry = self._by_level(name.removesuffix(core) + plain, plain, tuple(model.names()))
            if entry is None or entry[7] == ONE:  # what fast mode costs is not known
                return None
            above = None if entry[6] is None else _times(entry[6], entry[7], ONE)
            entry = (*_times(entry[:5], entry[7], ONE), entry[5], above, ONE, *entry[8:])
        return entry

    def _first(self, names: Sequence[str]) -> Packed | None:
        """The entry of the first of *names* that has one, or else has one with a date or a version suffix behind it."""
        for name in names:
            entry = self._entry(name)
            if entry is not None:
                return entry
        newest = self._newest_variants()
        return next((self._entry(newest[name]) for name in names if name in newest), None)

    def _newest_variants(self) -> dict[str, str]:
        """By name: the newest listed name that is it with a date, a version suffix or both."""
        if not self._newest:
            for name in sorted({name for part in self._parts for name in part if "claude" in name}):
                plain = _plain(name)
                self._newest[plain] = self._newest[_undated(plain)] = name
        return self._newest

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
    """*name*, then without what names no other price: how thinking is asked for, version suffix, `@`, date."""
    yield name
    for mark in ("-thinking", ":thinking"):
        name = name.removesuffix(mark)
    plain = _plain(name)
    yield plain
    yield _undated(plain)


def _respelled(model: Model) -> Iterator[str]:
    """How a list may call the model that a name told in its own way, with the date that was told first."""
    if model.date:
        for name in model.names():
            yield f"{name}-{model.date}"
            yield f"{name}@{model.date}"
    yield from model.names()


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


def _times(rates: Rates, factor: int, one: int) -> Rates:
    """Rates times a factor of which *one* is 1, to the nearest unit."""
    a, b, c, d, e = (_rounded(rate * factor, one) for rate in rates)
    return a, b, c, d, e


def _multiplied(entry: Packed, multiplier: int) -> Price:
    """The price of *entry* times *multiplier* (in 1e-12), web searches too."""
    above = None if entry[6] is None else _times(entry[6], multiplier, PICO)
    price = Price(*_times(entry[:5], multiplier, PICO), entry[5], above, *entry[7:])
    price.web_search = _rounded(WEB_SEARCH * multiplier, PICO)
    return price


def part_id(part: Mapping[str, Packed]) -> str:
    """Eight hexadecimal digits that stand for one part of a table, whatever the order it was built in."""
    from hashlib import sha256

    return sha256(repr(sorted(part.items())).encode()).hexdigest()[:8]


def fingerprint_of(overlay_id: str, current_id: str, retired_id: str) -> str:
    return f"{overlay_id}-{current_id}-{retired_id}"


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
    shares: Sequence[tuple[int, int, int, int, int]] = (),
) -> int:
    """Pico-dollars of one response (A10), exact until the one rounding at the end, half to even.

    *shares* are the iterations that add up to it (input, output, cache creation, 1 h part of it, read): a long prompt
    makes only its own one cost the higher prices.
    """
    if shares:
        units = sum(_units(price, i, o, creation - hour, hour, r) for i, o, creation, hour, r in shares)
    else:
        units = _units(price, input, output, write_5m, write_1h, read)
    per_pico = UNIT // PICO
    if fast:
        units *= price.fast
        per_pico *= ONE
    if us:
        units *= price.us
        per_pico *= ONE
    return _rounded(units, per_pico) + searches * price.web_search


def _units(price: Price, input: int, output: int, write_5m: int, write_1h: int, read: int) -> int:
    """What the tokens of one prompt and its response cost, in UNIT-ths of a dollar."""
    threshold, above = price.threshold, price.above
    if threshold is not None and above is not None and input + write_5m + write_1h + read > threshold:
        a, b, c, d, e = above
    else:
        a, b, c, d, e = price.input, price.output, price.write_5m, price.write_1h, price.read
    return input * a + output * b + write_5m * c + write_1h * d + read * e


def pico(cost_usd: float) -> int:
    """A line's `costUSD` in pico-dollars, the nearest; *cost_usd* is finite."""
    numerator, denominator = cost_usd.as_integer_ratio()
    return _rounded(numerator * PICO, denominator)


def _rounded(numerator: int, denominator: int) -> int:
    """The whole number nearest to the fraction, the even one of two; *denominator* is positive."""
    whole, rest = divmod(numerator, denominator)
    if rest:
        rest *= 2
        return whole + (rest > denominator or (rest == denominator and whole & 1))
    return whole
