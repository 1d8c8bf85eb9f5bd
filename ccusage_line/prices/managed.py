"""Claude Code's managed settings: an organization's policy, and the contracted rates in it (A10).

Reading the rates stores a copy in the state directory (stored.Contract) for callers that never parse JSON. An
unreadable file, or an invalid row or multiplier, is ignored and does not affect the others.
"""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..files import SETTLED, digest_bytes, read_regular
from . import stored
from .table import PICO, UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..files import Dependency
    from .stored import Contract, Row

_KEY = "modelPricing"
_LIMIT = 16 * 1024 * 1024  # bytes of one file
_MERGED_LEVELS = 4  # the levels that are merged: modelPricing, overrides, a model, its rates
_MAX_MULTIPLIER = 10  # the largest multiplier
_MAX_RATE = 10_000  # dollars per million tokens; Claude Code accepts no more
_RATES = ("input", "output", "cacheWrite", "cacheRead")


class Policy:
    """The merged policy. `sources` maps a top-level key to the files that contain it; `problems` are of bad files."""

    __slots__ = ("problems", "sources", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, list[str]] = {}
        self.problems: list[str] = []

    def add(self, path: str, values: dict[str, Any]) -> None:
        for key in values:
            self.sources.setdefault(key, []).append(path)
        _merge(self.values, values, _MERGED_LEVELS)


def policy(files: Sequence[Dependency], parse_float: Callable[[str], object] = float) -> Policy:
    """Return the policy in *files* (stored.policy_files); *parse_float* is as in json.loads.

    As in Claude Code, the main file comes first, then its parts by name; key by key, a later value wins.
    """
    merged = Policy()
    for path, stat in (*files[:1], *files[2:]):  # the second is the folder of the parts
        if stat is None:
            continue
        values, problem = read_object(path, parse_float)
        if problem:
            merged.problems.append(f"{path} {problem}")
        else:
            merged.add(path, values)
    return merged


def read_object(path: str, parse_float: Callable[[str], object] = float) -> tuple[dict[str, Any], str]:
    """Return (the JSON object in a settings file, why there is none). A missing or empty file counts as `{}`."""
    try:
        data = read_regular(path, _LIMIT)
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return {}, f"can't be read: {getattr(error, 'strerror', None) or error}"
    try:
        values = json.loads(data.decode("utf-8-sig") or "{}", parse_float=parse_float, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        return {}, f"is not valid JSON (line {error.lineno})"
    except (ValueError, ArithmeticError, RecursionError):
        return {}, "is not valid JSON"
    return (values, "") if isinstance(values, dict) else ({}, "holds no JSON object")


def _reject_constant(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _merge(values: dict[str, Any], more: dict[str, Any], levels: int) -> None:
    for key, value in more.items():
        known = values.get(key)
        if levels > 1 and isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value, levels - 1)
        else:
            values[key] = value


# --- contracted rates ---------------------------------------------------------------------------------------------


def read_contract(files: list[Dependency], state_dir: str) -> Contract:
    """Return the contracted rates in *files*, and store a copy for callers that do not parse them."""
    started = time.time_ns()
    settings = policy(files, Decimal)
    rates = _Rates(settings.values.get(_KEY))
    changed = max((max(stat[3:]) for _, stat in files if stat is not None), default=0)
    copied = __version__, tuple(files), changed + SETTLED > started
    sources, problems = settings.sources.get(_KEY, []), settings.problems + rates.problems
    contract = stored.Contract(*copied, rates.multiplier, rates.rows, rates.id(), sources, problems)
    try:
        contract.save(state_dir)
    except OSError:  # the files are then parsed each time
        pass
    return contract


class _Rates:
    """The parsed value of `modelPricing`."""

    def __init__(self, value: object) -> None:
        self.multiplier = PICO
        self.rows: dict[str, Row] = {}
        self.problems: list[str] = []
        if isinstance(value, dict):
            self._parse_multiplier(value.get("multiplier"))
            self._parse_rows(value.get("overrides"))
        elif value is not None:
            self._add_problem("", value, "must be an object with multiplier and overrides")

    def _add_problem(self, key: str, value: object, wanted: str) -> None:
        self.problems.append(f"{_KEY}{key} = {_as_json(value)}: {wanted}")

    def _parse_multiplier(self, value: object) -> None:
        if value is None:
            return
        number = _number_within(value, _MAX_MULTIPLIER)
        multiplier = 0 if number is None else int((number * PICO).to_integral_value())
        if multiplier:
            self.multiplier = multiplier
        else:
            self._add_problem(".multiplier", value, f"must be a number above 0 and at most {_MAX_MULTIPLIER}")

    def _parse_rows(self, value: object) -> None:
        if isinstance(value, dict):
            for model, rates in value.items():
                self._parse_row(model, rates)
        elif value is not None:
            self._add_problem(".overrides", value, "must be an object with the rates of each model")

    def _parse_row(self, model: str, rates: object) -> None:
        place = f".overrides[{_as_json(model)}]"
        numbers = [_number_within(rates.get(key), _MAX_RATE) for key in _RATES] if isinstance(rates, dict) else []
        units = [int((number * UNIT / 1_000_000).to_integral_value()) for number in numbers if number is not None]
        if len(units) < len(_RATES):
            self._add_problem(place, rates, f"must have {', '.join(_RATES)}, each from 0 to {_MAX_RATE:,}")
        elif model.lower() in self.rows:
            self._add_problem(place, rates, "an earlier row already has this name")
        else:
            self.rows[model.lower()] = (units[0], units[1], units[2], units[3])

    def id(self) -> str:
        """Return a digest of the rates, or "" if they change no price."""
        if not self.rows and self.multiplier == PICO:
            return ""
        text = repr((self.multiplier, list(self.rows.items())))
        return digest_bytes(text.encode("utf-8", "surrogatepass")).hex()[:8]


def _number_within(value: object, most: int) -> Decimal | None:
    """Return *value* if it is a number from 0 to *most*, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    return Decimal(value) if 0 <= value <= most else None


def _as_json(value: object) -> str:
    """Return a value as JSON on one line, shortened to 60 characters."""
    try:
        text = json.dumps(value, default=str)
    except RecursionError:
        text = "..."
    return text if len(text) <= 60 else f"{text[:57]}..."
