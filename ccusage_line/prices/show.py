"""`ccusage prices show`: the table in use, the price of a model, and the models that a short name matches."""

from __future__ import annotations

import time

from ..text import clean, count_text, display_width
from . import in_use, stored
from . import table as prices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .stored import Contract, Rates
    from .table import Price

_KINDS = {
    "input": "input",
    "output": "output",
    "cacheWrite5m": "cache write (5 minutes)",
    "cacheWrite1h": "cache write (1 hour)",
    "cacheRead": "cache read",
}
_COLUMNS = ("input", "output", "write 5m", "write 1h", "read")
_UNIT = "dollars per million tokens"
_NEAREST = 3


def show(environ: Mapping[str, str], model: str | None, as_json: bool) -> str:
    """Return the text about the table, about *model*, or about all models that match a short name or a part of one.

    Raises UsageError if no model matches.
    """
    if model is None:
        return _json(_table_data(environ)) if as_json else _table_text(environ)
    if in_use.table().find(model) is not None:
        return _json(model_data(model)) if as_json else _model_text(model)
    names = matching_names(model)
    return _json({"models": [model_data(name) for name in names]}) if as_json else models_text(names)


def _json(data: dict[str, object]) -> str:
    import json

    return json.dumps(data, indent=2) + "\n"  # ASCII, so that no name can send control characters to a terminal


# --- the table ----------------------------------------------------------------------------------------------------


def _table_data(environ: Mapping[str, str]) -> dict[str, object]:
    from ..paths import state_dir
    from .embedded import CURRENT, OVERLAY, RETIRED
    from .refresh import last_checked

    folder = state_dir(environ)
    refreshed, config = stored.Refreshed.load(folder), stored.last_config(environ)
    checked = last_checked(folder)
    names = {*OVERLAY, *RETIRED, *CURRENT, *(refreshed.current if refreshed else ())}
    return {
        "source": in_use.table().source,
        "entries": len(names),
        "ownPrices": len(config.prices) if config is not None else 0,
        "contractedRates": _contract_data(contract(environ)),
        "fetchedAt": _time_text(refreshed.fetched) if refreshed is not None else None,
        "checkedAt": _time_text(checked) if checked is not None else None,
        "ageSeconds": max(0, int(time.time()) - checked) if checked is not None else None,
        "file": stored.Refreshed.path(folder) if refreshed is not None else None,
        "fingerprint": in_use.table().fingerprint,
    }


def contract(environ: Mapping[str, str]) -> Contract | None:
    """Return what Claude Code's managed settings say about prices, and their errors, or None if they have neither."""
    rates = in_use.contract(environ)
    return rates if rates is not None and (rates.sources or rates.problems) else None


def _contract_data(rates: Contract | None) -> dict[str, object] | None:
    if rates is None:
        return None
    multiplier = rates.multiplier / prices.PICO
    return {"files": rates.sources, "multiplier": multiplier, "overrides": len(rates.rows), "ignored": rates.problems}


def contract_text(rates: Contract) -> str:
    overrides = count_text(len(rates.rows), "override")
    return f"multiplier {rates.multiplier / prices.PICO:g}, {overrides} ({', '.join(rates.sources)})"


def _time_text(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _table_text(environ: Mapping[str, str]) -> str:
    data, rates = _table_data(environ), contract(environ)
    age = data["ageSeconds"]
    lines = [
        ("source", data["source"]),
        ("models", data["entries"]),
        ("own prices", data["ownPrices"] or "none"),
        ("contracted", contract_text(rates) if rates is not None and rates.sources else "none"),
        *(("ignored", problem) for problem in (rates.problems if rates is not None else ())),
        ("age", _age(age) if isinstance(age, int) else "that of this version; `ccusage prices refresh` updates it"),
    ]
    if data["file"] is not None:
        lines.append(("file", data["file"]))
    return "".join(f"{name:<10}  {clean(str(value))}\n" for name, value in lines)


def _age(seconds: int) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return count_text(seconds // size, unit)
    return "less than a minute"


# --- a model ------------------------------------------------------------------------------------------------------


def model_data(model: str) -> dict[str, object]:
    """Return the price of a model in dollars per million tokens. The model must have one."""
    table = in_use.table()
    price = table.find(model)
    assert price is not None
    data: dict[str, object] = {"model": model, **_per_million(_rates(price))}
    if price.threshold is not None and price.above is not None:
        data["above"] = {"promptTokens": price.threshold, **_per_million(price.above)}
    factors = {"fastFactor": price.fast / prices.ONE, "usFactor": price.us / prices.ONE}
    return data | factors | {"contextWindow": price.window, "basis": table.basis(model)}


def _rates(price: Price) -> Rates:
    return price.input, price.output, price.write_5m, price.write_1h, price.read


def _per_million(rates: Rates) -> dict[str, float]:
    return {kind: rate * 1_000_000 / prices.UNIT for kind, rate in zip(_KINDS, rates, strict=True)}


def _model_text(model: str) -> str:
    """Return the price of a model as a small table. The model must have one."""
    data: dict[str, Any] = model_data(model)
    above = data.get("above")
    lines = [f"{clean(model)}, {_UNIT}\n"]
    for kind, word in _KINDS.items():
        higher = f"  {above[kind]:>10,.6g}" if above else ""
        lines.append(f"  {word:<24}{data[kind]:>10,.6g}{higher}\n")
    if above:
        lines.append(f"  the second column applies if the prompt exceeds {above['promptTokens']:,} tokens\n")
    for key, word in (("fastFactor", "fast mode"), ("usFactor", "inference in the US")):
        if data[key] != 1:
            lines.append(f"  {word:<24}{'x ' + format(data[key], 'g'):>10}\n")
    if data["contextWindow"]:
        lines.append(f"  {'context window':<24}{data['contextWindow']:>10,}\n")
    return "".join(lines) + _basis_text(data["basis"])


def _basis_text(basis: str) -> str:
    """Return a line about where the price comes from, or "" for the list price."""
    if basis == "own":
        return "  your own price, from the config\n"
    rates = in_use.table().contract
    if rates is None:
        return ""
    factor = "" if rates.multiplier == prices.PICO else f" x {rates.multiplier / prices.PICO:g}"
    what = "rate" if basis == "contract" else "multiplier, on the list price"
    return f"  your organization's {what}{factor}\n" if factor or basis == "contract" else ""


# --- models by a part of their name -------------------------------------------------------------------------------


def matching_names(wanted: str) -> list[str]:
    """Return the names that reports shorten to *wanted* or that mean the same version, else those that contain it.

    Raises UsageError if there are none.
    """
    short, version = _short(wanted), _version(wanted)
    names = sorted(in_use.table().names(), key=_sort_key)
    matches = [name for name in names if _short(name) == short or (version is not None and _version(name) == version)]
    if not matches and short:
        matches = sorted((name for name in names if short in _short(name)), key=_short)
    if matches:
        return matches
    from difflib import get_close_matches

    from ..errors import UsageError

    near = get_close_matches(short, sorted(set(map(_short, names))), _NEAREST, 0.3)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    raise UsageError(f"no price known for {wanted!r}{hint}; `ccusage prices refresh` fetches the current list")


def _version(name: str) -> tuple[str, int, int] | None:
    """Return the family and version of a Claude model; its name may lack `claude`, as in reports."""
    from .names import core_of, model_of

    name = name.lower()
    model = model_of(name if core_of(name) else f"claude-{name}")
    return None if model is None or model.fast else model.key


def _short(name: str) -> str:
    from ..jsontext import short_model

    return short_model(name.removesuffix("[1m]")).lower().replace(".", "-")


def _sort_key(name: str) -> tuple[bool, int, str]:
    return "/" in name or not name.startswith("claude"), len(name), name


def models_text(names: list[str]) -> str:
    """Return a table of models and prices; models with the same short name and price share a line."""
    lines: dict[tuple[str, Rates, int | None], list[str]] = {}
    for name in names:
        price = in_use.table().find(name)
        assert price is not None
        lines.setdefault((_short(name), _rates(price), price.threshold), []).append(name)
    labels = [f"{clean(same[0])}{f' and {len(same) - 1} more' if len(same) > 1 else ''}" for same in lines.values()]
    width = max(map(display_width, (_UNIT, *labels)))
    text = f"{_UNIT:<{width}}" + "".join(f"{column:>10}" for column in _COLUMNS) + "\n"
    for label, (_, rates, threshold) in zip(labels, lines, strict=True):
        numbers = "".join(f"{number:>10,.6g}" for number in _per_million(rates).values())
        higher = f"  higher above {threshold:,}" if threshold is not None else ""
        text += f"{label}{' ' * (width - display_width(label))}{numbers}{higher}\n"
    return text
