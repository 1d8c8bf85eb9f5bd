"""The prices of models, and the cost of one response (A10, A11).

Imports nothing, because the lean lanes import it; the tables are loaded when they are needed. A price is an integer of
1e-15 dollars per token. The most precise list price has 11 decimals, a quarter of it (for the 1.25 of a cache write)
has 13, and a tenth has 12, so every rate is exact. Costs are integers of 1e-12 dollars ("pico").
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .names import Model
    from .stored import Contract, Packed, Rates, Row


UNIT = 10**15  # price units in a dollar
PICO = 10**12
ONE = 1000  # the factor 1; factors are whole thousandths
WEB_SEARCH = PICO // 100  # one search, whatever the model (A10)

LONG_WINDOW = 1_000_000  # tokens: the context window that a suffix in _LONG_SUFFIXES requests
_LONG_SUFFIXES = ("[1m]", "-1m", ":1m")
_LONG_VARIANTS = ("sonnet-4", "opus-4-6")  # models with a shorter window that also exist with the long one
NAME_LIMIT = 200  # characters; the longest name in the tables has less than 70
MEMO_LIMIT = 512  # names; more than any history contains

# Families of other makers: the prefix of the family's names, its provider in the list, the maker's names in paths.
_OTHER_MAKERS = (
    ("deepseek-", "deepseek", ("deepseek", "deepseek-ai")),
    ("glm-", "zai", ("zai", "z-ai", "zai-org")),
    ("kimi-", "moonshot", ("moonshot", "moonshotai")),
    ("minimax-", "minimax", ("minimax", "minimaxai")),
    ("qwen3", "dashscope", ("dashscope", "qwen")),
)


class Price:
    """The prices of one model per token, in price units (UNIT).

    If a prompt has more than `threshold` tokens, the whole response costs `above` instead of the five plain rates.
    `fast` and `us` are factors in thousandths, `web_search` is 1e-12 dollars per search, `window` is in tokens or None.
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
    """Prices by lower-case model name, in three parts; the first part that contains a name determines its price."""

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
        """Combine parts. *source* says where `current` comes from; *fingerprint* is that of the parts, "" if unknown.

        *own* are the user's prices in the config: they precede all parts, for every spelling of a name. *contract*
        contains the rates that an organization pays instead of the prices in the parts (A10).
        """
        self.source = source
        self.contract = contract if contract is not None and contract.id else None
        self._parts = (overlay, current, retired)
        self._own = PriceTable(own, {}, {}) if own else None
        self._rates_by_model: dict[tuple[str, int, int], Row] | None = None
        self._fingerprint = fingerprint
        self._memo: dict[str, Price | None] = {}
        self._newest: dict[str, str] = {}

    @property
    def fingerprint(self) -> str:
        """A short identifier of this set of prices; it changes whenever one of them does."""
        if not self._fingerprint:
            self._fingerprint = fingerprint_of(*(part_id(part) for part in self._parts))
            if self._own is not None:
                self._fingerprint += f"-{part_id(self._own._parts[0])}"
            if self.contract is not None:
                self._fingerprint += f"-c{self.contract.id}"
        return self._fingerprint

    def names(self) -> set[str]:
        """Return all names in the table that have a price, in lower case."""
        own = self._own._parts if self._own is not None else ()
        rows = self.contract.rows if self.contract is not None else {}
        listed = {name for part in (*self._parts, *own, rows) for name in part}
        return {name for name in listed if self.find(name) is not None}

    def find(self, model: str) -> Price | None:
        """Return the price of *model* as a response names it, or None (A11). Accepts any string and never raises.

        The exact name is tried first. Then marks, provider, region, version suffix and date are removed step by step,
        so that the most specific entry wins: `us.anthropic.claude-sonnet-4-6[1m]` has the price of its region.
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
        """Return the context window of *model*, or None if no known one is as large as a prompt of *tokens*."""
        price = self.find(model)
        window = price.window if price is not None else None
        if window is None or tokens <= window:
            return window
        name = model.lower().replace(".", "-")
        return LONG_WINDOW if tokens <= LONG_WINDOW and any(part in name for part in _LONG_VARIANTS) else None

    def _search(self, model: str) -> Price | None:
        name = model.lower()
        if name.isascii() and not model.isascii():  # the lower case of some non-ASCII letters is ASCII
            return None
        entry = self._own._find_entry(name) if self._own is not None else None
        price = self._effective_price(name) if entry is None else Price(*entry)
        if price is not None and name.endswith(_LONG_SUFFIXES):
            price.window = max(price.window or 0, LONG_WINDOW)
        return price

    def basis(self, model: str) -> str:
        """Return where the price from find() comes from: "own", "contract" for an organization's rates, or "list"."""
        name = model.lower()
        if self._own is not None and self._own._find_entry(name) is not None:
            return "own"
        return "list" if self._contract_rates(name) is None else "contract"

    def _effective_price(self, name: str) -> Price | None:
        """Return the contracted price if there is one, else the list price, times the contract's multiplier (A10)."""
        entry = self._find_entry(name) if name.isascii() else None  # because all names in lists are ASCII
        contracted = self._contract_rates(name)
        if contracted is not None:
            input, output, write, read = contracted
            entry = (input, output, write, write, read, None, None, ONE, ONE, entry[9] if entry is not None else None)
        if entry is None:
            return None
        return Price(*entry) if self.contract is None else _multiplied(entry, self.contract.multiplier)

    def _contract_rates(self, name: str) -> Row | None:
        """Return the contracted rates of a model: those for its exact name, else those for the client's name for it."""
        if self.contract is None:
            return None
        rows = self.contract.rows
        for spelling in (name, name.removesuffix("[1m]")):
            if spelling in rows:
                return rows[spelling]
        if not rows or "claude" not in name:
            return None
        from .names import model_of

        if self._rates_by_model is None:
            self._rates_by_model = {}
            for row, rates in rows.items():
                model = model_of(row)
                if model is not None and self._is_client_name(row):
                    self._rates_by_model.setdefault(model.key, rates)
        model = model_of(name)
        return None if model is None or model.fast else self._rates_by_model.get(model.key)

    def _is_client_name(self, name: str) -> bool:
        """Return whether Claude Code itself uses this name: that of Anthropic, Bedrock, Vertex AI or Foundry."""
        bare = name[max(name.find("anthropic."), 0) :]
        return "/" not in name and any(map(self._entry, (name, bare, f"vertex_ai/{name}", f"azure_ai/{name}")))

    def _find_entry(self, name: str) -> Packed | None:
        entry = self._entry(name)
        if entry is None:
            entry = self._find_claude(name) if "claude" in name else self._find_other_maker(name)
        return entry

    def _entry(self, name: str) -> Packed | None:
        return next((part[name] for part in self._parts if name in part), None)

    def _find_claude(self, name: str) -> Packed | None:
        from .names import core_of, model_of

        name = name.removesuffix("[1m]")
        model, core = model_of(name), core_of(name)
        if model is None:
            return self._find_without_prefixes(name, core, ())
        if model.fast:
            return self._find_fast(name, core, model)
        return self._find_without_prefixes(name, core, tuple(_listed_names(model)))

    def _find_without_prefixes(self, name: str, core: str, cores: Sequence[str]) -> Packed | None:
        """Return the first entry found while prefixes are removed from *name*, also with each of *cores*."""
        from .names import without_prefix

        while name:
            prefix = name.removesuffix(core)
            entry = self._find_first([*_spellings(name), *(prefix + other for other in cores)])
            if entry is not None:
                return entry
            name = without_prefix(name)
        return None

    def _find_fast(self, name: str, core: str, model: Model) -> Packed | None:
        """Return the entry of a model with `fast` in its name, else that of the plain model times its fast factor."""
        entry = self._find_without_prefixes(name, core, [f"{other}-fast" for other in model.names()])
        if entry is None:
            plain = next(model.names())
            entry = self._find_without_prefixes(name.removesuffix(core) + plain, plain, tuple(model.names()))
            if entry is None or entry[7] == ONE:  # the price of fast mode is unknown
                return None
            above = None if entry[6] is None else _multiply(entry[6], entry[7], ONE)
            entry = (*_multiply(entry[:5], entry[7], ONE), entry[5], above, ONE, *entry[8:])
        return entry

    def _find_first(self, names: Sequence[str]) -> Packed | None:
        """Return the first entry of *names*, else the first entry of one of them with a date or version suffix."""
        entry = self._first_entry(names)
        if entry is None:
            newest = self._newest_variants()
            entry = self._first_entry(newest[name] for name in names if name in newest)
        return entry

    def _first_entry(self, names: Iterable[str]) -> Packed | None:
        return next((entry for entry in map(self._entry, names) if entry is not None), None)

    def _newest_variants(self) -> dict[str, str]:
        """Return a map from a name to the newest listed name that adds a date, a version suffix or both to it."""
        if not self._newest:
            for name in sorted({name for part in self._parts for name in part if "claude" in name}):
                plain = _without_version(name)
                self._newest[plain] = self._newest[_without_date(plain)] = name
        return self._newest

    def _find_other_maker(self, name: str) -> Packed | None:
        """Return the entry of a bare name or of one after its maker's. The list lacks what a reseller charges."""
        name = name.removesuffix("[1m]")
        path, _, bare = name.rpartition("/")
        names = [name]
        for family, provider, owners in _OTHER_MAKERS:
            if bare.startswith(family) and (not path or path.rpartition("/")[2] in owners):
                names += [f"{provider}/{bare}", bare, f"{provider}/{_without_date(bare)}", _without_date(bare)]
        return self._first_entry(names)


def _spellings(name: str) -> Iterator[str]:
    """Yield *name*, then names without parts that do not change the price: thinking, version suffix, `@`, date."""
    yield name
    for mark in ("-thinking", ":thinking"):
        name = name.removesuffix(mark)
    plain = _without_version(name)
    yield plain
    yield _without_date(plain)


def _listed_names(model: Model) -> Iterator[str]:
    """Yield the names that a list may have for a model, first those with the model's date."""
    if model.date:
        for name in model.names():
            yield f"{name}-{model.date}"
            yield f"{name}@{model.date}"
    yield from model.names()


def _without_version(name: str) -> str:
    """Remove `-v1:0` and `@default` from a name, and replace `@20250805` by `-20250805`."""
    start = name.rfind("-v")
    if start > 0 and name[start - 1].isdigit() and _is_version(name[start:]):  # claude-v2 is a model, not a suffix
        name = name[:start]
    head, _, tag = name.partition("@")
    if tag == "default":
        return head
    return f"{head}-{tag}" if _is_date(tag) else name


def _without_date(name: str) -> str:
    return name[:-9] if name[-9:-8] == "-" and _is_date(name[-8:]) else name


def _is_date(text: str) -> bool:
    return len(text) == 8 and text.isdigit() and text.startswith("20")


def _is_version(text: str) -> bool:
    """Return whether *text* is a version suffix: `-v1`, `-v1:0`, `-v1:0:200k`."""
    return text.startswith("-v") and text[2:3].isdigit() and not text[2:].strip("0123456789:k")


def _multiply(rates: Rates, factor: int, one: int) -> Rates:
    """Multiply rates by *factor* / *one*, to the nearest unit."""
    a, b, c, d, e = (_round(rate * factor, one) for rate in rates)
    return a, b, c, d, e


def _multiplied(entry: Packed, multiplier: int) -> Price:
    """Return the price of *entry*, and that of web searches, times *multiplier* (in 1e-12)."""
    above = None if entry[6] is None else _multiply(entry[6], multiplier, PICO)
    price = Price(*_multiply(entry[:5], multiplier, PICO), entry[5], above, *entry[7:])
    price.web_search = _round(WEB_SEARCH * multiplier, PICO)
    return price


def part_id(part: Mapping[str, Packed]) -> str:
    """Return eight hexadecimal digits that identify a part of a table, whatever the order of its entries."""
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
    """Return the cost of one response in 1e-12 dollars (A10), rounded only once, half to even.

    *shares* are the iterations that add up to it (input, output, cache creation, 1 h part of it, read). A long prompt
    raises the price of its own iteration only.
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
    return _round(units, per_pico) + searches * price.web_search


def _units(price: Price, input: int, output: int, write_5m: int, write_1h: int, read: int) -> int:
    """Return the cost of one prompt and its response in price units."""
    threshold, above = price.threshold, price.above
    if threshold is not None and above is not None and input + write_5m + write_1h + read > threshold:
        a, b, c, d, e = above
    else:
        a, b, c, d, e = price.input, price.output, price.write_5m, price.write_1h, price.read
    return input * a + output * b + write_5m * c + write_1h * d + read * e


def pico(cost_usd: float) -> int:
    """Return a finite number of dollars as the nearest integer of 1e-12 dollars."""
    numerator, denominator = cost_usd.as_integer_ratio()
    return _round(numerator * PICO, denominator)


def _round(numerator: int, denominator: int) -> int:
    """Return the integer nearest to a fraction, the even one of two. *denominator* is positive."""
    whole, rest = divmod(numerator, denominator)
    if rest:
        rest *= 2
        return whole + (rest > denominator or (rest == denominator and whole & 1))
    return whole
