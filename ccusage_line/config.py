"""The config file: TOML in the user's config directory, the options' names as keys, a section per command.

Reading it leaves a copy in the state directory (prices.stored.Settled) for those that never read TOML: they ask
stored.settled(), and where its answer is None, what reads TOML has to go first.
"""

from __future__ import annotations

import os
import sys

from .errors import UserError
from .paths import NO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import Any

    from .prices.stored import Packed

    Values = dict[str, dict[str, Any]]

_LIMIT = 1024 * 1024  # bytes
_TICK = 2_000_000_000  # ns within which a second change might not show in a file's times


class ConfigError(UserError):
    """The config file can't be read or says what can't be meant; the message names file and line."""


# --- what can be set ----------------------------------------------------------------------------------------------


class Option:
    """One key of a section, which is the long option of that name. *kind* is one of KINDS."""

    __slots__ = ("choices", "default", "key", "kind", "meaning", "variable")

    def __init__(
        self, key: str, kind: str, default: str, meaning: str, choices: tuple[str, ...] = (), variable: str = ""
    ) -> None:
        self.key = key
        self.kind = kind
        self.default = default  # in words, for the reference
        self.meaning = meaning
        self.choices = choices
        self.variable = variable  # of the environment, which goes before the file

    @property
    def dest(self) -> str:
        """The attribute that argparse gives it."""
        return self.key.replace("-", "_")

    @property
    def values(self) -> str:
        """What it takes, in words."""
        return " ".join(f"`{choice}`" for choice in self.choices) or KINDS[self.kind]


KINDS = {
    "choice": "one of the choices",
    "flag": "`true` or `false`",
    "text": "a string",
    "zone": 'an IANA name like "Europe/Berlin"',
    "percentage": "0 to 100",
    "address": "an https address",
}

_MODE = Option("mode", "choice", "auto", "which costs count", ("auto", "calculate", "display"))
_ZONE = Option("timezone", "zone", "the system's", "zone of the days")
_COLORS = ("auto", "always", "never")
_BURN = ("off", "emoji", "text", "emoji-text")

SECTIONS: dict[str, tuple[Option, ...]] = {
    "session": (
        _MODE,
        _ZONE,
        Option("order", "choice", "desc", "by cost, highest or lowest first", ("desc", "asc")),
        Option("breakdown", "flag", "false", "a row per model under each session"),
        Option("compact", "flag", "false", "fewer columns"),
        Option("color", "choice", "auto", "when to colour", _COLORS, "NO_COLOR, FORCE_COLOR"),
        Option("offline", "flag", "false", "never use the network", variable="CCUSAGE_OFFLINE"),
    ),
    "statusline": (
        _MODE,
        _ZONE,
        Option("cost-source", "choice", "auto", "whose session cost is shown", ("auto", "ccusage", "cc", "both")),
        Option("visual-burn-rate", "choice", "off", "how the burn rate is marked", _BURN),
        Option("context-low-threshold", "percentage", "50", "up to here the context is green"),
        Option("context-medium-threshold", "percentage", "80", "up to here it is yellow, then red"),
        Option("format", "text", "the documented line", "a template of segments"),
    ),
    "prices": (
        Option("url", "address", "LiteLLM's list", "where current prices come from", variable="CCUSAGE_PRICES_URL"),
    ),
}

# A model's own price under [prices.models."name"]: dollars per million tokens but for the last three.
PRICE_KEYS = {
    "input": "required",
    "output": "required",
    "cache-write-5m": "1.25 x input",
    "cache-write-1h": "2 x input",
    "cache-read": "a tenth of input",
    "fast": "1",
    "us": "1",
    "context-window": "unknown",
}
_PRICE_MEANINGS = {  # of the keys that are no price
    "fast": "factor of fast mode",
    "us": "factor of inference in the US",
    "context-window": "tokens",
}
_TABLES = (*SECTIONS, "labels")


class Config:
    """What a config file says. Without a file it says nothing."""

    __slots__ = ("found", "labels", "path", "prices", "values")

    def __init__(
        self, path: str, found: bool, values: Values, labels: dict[str, str], prices: dict[str, Packed]
    ) -> None:
        self.path = path
        self.found = found
        self.values = values
        self.labels = labels  # model name -> what to show for it
        self.prices = prices  # model name in lower case -> its own price

    @classmethod
    def nothing(cls, environ: Mapping[str, str], named: str | None = None) -> Config:
        """What stands in for a file that can't be read."""
        return cls(named or fingerprint_path(environ), False, {}, {}, {})

    def defaults_for(self, command: str, environ: Mapping[str, str]) -> dict[str, Any]:
        """For argparse.set_defaults: what the file says of a command where the environment says nothing else."""
        return {
            option.dest: value
            for option in SECTIONS.get(command, ())
            for value in (self._value(command, option, environ),)
            if value is not None
        }

    def arguments_for(self, command: str, environ: Mapping[str, str]) -> list[str]:
        """The same as arguments, to stand before those of the command line, for a command that reads them itself."""
        return arguments(command, self.values, environ)

    def _value(self, section: str, option: Option, environ: Mapping[str, str]) -> Any:
        said = from_environment(option, environ)
        return self.values.get(section, {}).get(option.key) if said is None else said

    @property
    def url(self) -> str | None:
        """Where the price list is, if the file says so."""
        return self.values.get("prices", {}).get("url")


def arguments(command: str, values: Values, environ: Mapping[str, str]) -> list[str]:
    """`--name=value` for everything a file says of a command and no variable of the environment overrules."""
    found = []
    for option in SECTIONS.get(command, ()):
        value = values.get(command, {}).get(option.key)
        if value is None or value is False or from_environment(option, environ) is not None:
            continue
        found.append(f"--{option.key}" if value is True else f"--{option.key}={value}")
    return found


def from_environment(option: Option, environ: Mapping[str, str]) -> Any:
    """What the environment says of an option; None if nothing."""
    if option.key == "color":
        return "auto" if environ.get("NO_COLOR") or environ.get("FORCE_COLOR") else None
    said = environ.get(option.variable, "").strip() if option.variable else ""
    if not said:
        return None
    if option.kind != "flag":
        return said
    return said.lower() not in NO


# --- where it is --------------------------------------------------------------------------------------------------


def fingerprint_path(environ: Mapping[str, str]) -> str:
    """The config file in force, existing or not: answers depend on its stat."""
    from .prices.stored import config_path

    return config_path(environ)


# --- reading it ---------------------------------------------------------------------------------------------------


def load(environ: Mapping[str, str], named: str | None = None) -> Config:
    """The config in force, of the file *named* if one is, and leave a copy for those that do not read it.

    Raises ConfigError. To be called before the prices are looked at.
    """
    import time

    from . import __version__
    from .paths import state_dir
    from .prices import stored

    asked = named or environ.get("CCUSAGE_CONFIG", "")
    path = os.path.abspath(os.path.expanduser(named)) if named else fingerprint_path(environ)
    stamp = stored.stamp_of(path)
    folder = state_dir(environ)
    known = stored.load_settled(folder)
    if known is not None and known.is_of(__version__, stamp):
        return Config(path, len(stamp) > 1, known.values, known.labels, known.prices)
    if len(stamp) == 1 and not asked:
        if known is not None:
            _remove(stored.settled_path(folder))
        return Config(path, False, {}, {}, {})
    looked = time.time_ns()
    config = read(path)
    _settle(config, stamp, looked, folder)
    return config


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _settle(config: Config, stamp: tuple[object, ...], looked: int, folder: str) -> None:
    from . import __version__
    from .prices import in_use, stored
    from .prices import table as prices

    changed = max((time for time in stamp[-2:] if isinstance(time, int)), default=looked)
    part_id = prices.part_id(config.prices) if config.prices else ""
    racy = changed + _TICK > looked
    copy = stored.Settled(__version__, stamp, racy, config.values, config.labels, config.prices, part_id)
    in_use.give(None)
    try:
        stored.save_settled(folder, copy)
    except OSError:
        in_use.give(copy)


def read(path: str) -> Config:
    """What the file at *path* says. Raises ConfigError."""
    text = _text(path)
    document = _parsed(path, text)
    checker = _Checker(path, text)
    values = checker.sections(document)
    labels = checker.labels(document.get("labels", {}))
    prices = checker.prices(document.get("prices", {}).get("models", {}))
    return Config(path, True, values, labels, prices)


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > _LIMIT:
        raise ConfigError(f"{path}: larger than {_LIMIT // 1024:,} KB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8") from None


def _loads(text: str) -> dict[str, Any]:
    from decimal import Decimal
    from importlib import import_module

    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    document: dict[str, Any] = toml.loads(text, parse_float=Decimal)
    return document


def _parsed(path: str, text: str) -> dict[str, Any]:
    import re

    try:
        return _loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except ValueError as error:
        message = str(error)
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
        line = int(place[1]) if place and place[1] else max(1, len(text.splitlines()))
        reason = message[: place.start()] if place else message
        raise ConfigError(f"{path}:{line}: {reason[:1].lower()}{reason[1:]}") from None


class _Checker:
    """Takes a document apart; each complaint names the line."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = text.split("\n")

    def _fail(self, keys: tuple[str, ...], problem: str) -> ConfigError:
        return ConfigError(f"{self._path}:{self._line_of(keys)}: {problem}")

    def _line_of(self, keys: tuple[str, ...]) -> int:
        """The line where a key is first mentioned: the file is read once more, a line longer each time."""
        before = 0
        for count in range(1, len(self._lines) + 1):
            try:
                found: Any = _loads("\n".join(self._lines[:count]))
            except (ValueError, RecursionError):
                continue  # in the middle of a value
            for key in keys:
                found = found.get(key) if isinstance(found, dict) else None
            if found is not None:
                return before + 1
            before = count
        return len(self._lines)

    def _unknown(self, keys: tuple[str, ...], known: tuple[str, ...], what: str) -> ConfigError:
        from difflib import get_close_matches

        near = get_close_matches(keys[-1].lower().replace("_", "-"), known, 1)
        hint = f", did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
        return self._fail(keys, f"unknown {what} {_shown(keys[-1])}{hint}")

    def _table(self, value: object, keys: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._fail(keys, f"{'.'.join(keys)} is a section: write [{'.'.join(keys)}]")
        return value

    def sections(self, document: dict[str, Any]) -> Values:
        values: Values = {}
        for name, content in document.items():
            if name not in _TABLES:
                raise self._unknown((name,), _TABLES, "section" if isinstance(content, dict) else "key")
            table = self._table(content, (name,))
            if name != "labels":
                values[name] = self._section(name, table)
        low, medium = (values.get("statusline", {}).get(f"context-{at}-threshold") for at in ("low", "medium"))
        if (50 if low is None else low) >= (80 if medium is None else medium):
            key = "context-low-threshold" if low is not None else "context-medium-threshold"
            raise self._fail(("statusline", key), "context-low-threshold has to be below context-medium-threshold")
        return values

    def _section(self, name: str, table: dict[str, Any]) -> dict[str, Any]:
        options = {option.key: option for option in SECTIONS[name]}
        more = ("models",) if name == "prices" else ()
        found = {}
        for key, value in table.items():
            if key in more:
                self._table(value, (name, key))
            elif key not in options:
                raise self._unknown((name, key), (*options, *more), f"key in [{name}]:")
            else:
                problem = _problem(options[key], value)
                if problem:
                    raise self._fail((name, key), f"{key} = {_shown(value)}: {problem}")
                found[key] = value
        return found

    def labels(self, table: dict[str, Any]) -> dict[str, str]:
        for model, label in table.items():
            if not isinstance(label, str) or not label.strip():
                raise self._fail(("labels", model), f"the label of {_shown(model)} has to be a string, not empty")
        return dict(table)

    def prices(self, table: dict[str, Any]) -> dict[str, Packed]:
        return {model.lower(): self._price(model, entry) for model, entry in table.items()}

    def _price(self, model: str, entry: object) -> Packed:
        keys = ("prices", "models", model)
        if not isinstance(entry, dict):
            raise self._fail(keys, f"the price of {_shown(model)} has to be a table like {{ input = 3, output = 15 }}")
        for key, value in entry.items():
            if key not in PRICE_KEYS:
                raise self._unknown((*keys, key), tuple(PRICE_KEYS), "key of a price:")
            problem = _number_problem(key, value)
            if problem:
                raise self._fail((*keys, key), f"{key} = {_shown(value)}: {problem}")
        for key in ("input", "output"):
            if key not in entry:
                raise self._fail(keys, f"the price of {_shown(model)} lacks {key}")
        return _packed(entry)


def _problem(option: Option, value: object) -> str:
    """Why *value* can't be that of *option*; empty if it can."""
    if option.kind == "flag":
        return "" if isinstance(value, bool) else "true or false"
    if option.kind == "percentage":
        good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
        return "" if good else "a whole number from 0 to 100"
    if not isinstance(value, str):
        return "a string in quotes"
    if option.kind == "choice" and value not in option.choices:
        return f"one of {', '.join(option.choices)}{_nearest(value, option.choices)}"
    if option.kind == "zone":
        return _zone_problem(value)
    if option.kind == "address" and not value.startswith(
        ("https://", "http://127.", "http://localhost", "http://[::1]")
    ):
        return "an https address"
    return ""


def _nearest(value: str, choices: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(value.lower(), choices, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _zone_problem(name: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return "a zone like Europe/Berlin; this is none that is known here"
    return ""


def _number_problem(key: str, value: object) -> str:
    from decimal import Decimal

    if key == "context-window":
        good = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53
        return "" if good else "a whole number of tokens"
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not Decimal(value).is_finite():
        return "a number"
    if key in ("fast", "us"):
        return "" if 0 < value <= 20 else "a factor above 0, up to 20"
    return "" if 0 <= value <= 100_000 else "dollars per million tokens"


def _packed(entry: dict[str, Any]) -> Packed:
    from decimal import Decimal

    from .prices.refresh import rates, thousandths

    def per_token(key: str) -> Decimal | None:
        return Decimal(entry[key]) / 1_000_000 if key in entry else None

    input, output = per_token("input"), per_token("output")
    assert input is not None
    assert output is not None
    five = rates(input, output, per_token("cache-write-5m"), per_token("cache-write-1h"), per_token("cache-read"))
    factors = (thousandths(Decimal(entry.get(key, 1))) for key in ("fast", "us"))
    return (*five, None, None, *factors, entry.get("context-window"))  # type: ignore[return-value]


def _shown(value: object) -> str:
    """A value as it might stand in the file, on one line and not too long."""
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- show ---------------------------------------------------------------------------------------------------------


def show(config: Config, environ: Mapping[str, str]) -> str:
    """What `ccusage config show` prints: every setting, its value and where that comes from."""
    lines = [f"# {config.path}{'' if config.found else ' (not there)'}\n"]
    for section, options in SECTIONS.items():
        lines.append(f"\n[{section}]\n")
        for option in options:
            said, filed = from_environment(option, environ), config.values.get(section, {}).get(option.key)
            if said is not None:
                lines.append(f"{option.key} = {_shown(said)}  # from {option.variable}\n")
            elif filed is not None:
                lines.append(f"{option.key} = {_shown(filed)}\n")
            else:
                lines.append(f"# {option.key}: {option.default}\n")
    for model, packed in sorted(config.prices.items()):
        lines.append(f"\n[prices.models.{_shown(model)}]\n{_price_lines(packed)}")
    if config.labels:
        lines.append("\n[labels]\n")
        lines += [f"{_shown(model)} = {_shown(label)}\n" for model, label in sorted(config.labels.items())]
    return "".join(lines)


def _price_lines(packed: Packed) -> str:
    from .prices.table import ONE, UNIT

    names = ("input", "output", "cache-write-5m", "cache-write-1h", "cache-read")
    lines = [f"{name} = {rate * 1_000_000 / UNIT:.15g}\n" for name, rate in zip(names, packed[:5], strict=True)]
    lines += [f"{name} = {packed[at] / ONE:g}\n" for name, at in (("fast", 7), ("us", 8)) if packed[at] != ONE]  # type: ignore[operator]
    if packed[9] is not None:
        lines.append(f"context-window = {packed[9]}\n")
    return "".join(lines)


def reference() -> str:
    """The table of docs/config.md."""
    rows = ["| section | key | values | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for section, options in SECTIONS.items():
        for option in options:
            meaning = option.meaning
            if option.variable:
                names = " or ".join(f"`{name}`" for name in option.variable.split(", "))
                meaning += f"; {names} in the environment goes first"
            rows.append(f"| `[{section}]` | `{option.key}` | {option.values} | {option.default} | {meaning} |")
    for key, default in PRICE_KEYS.items():
        unit = "a number" if key in ("fast", "us") else "a whole number" if key == "context-window" else "dollars"
        meaning = _PRICE_MEANINGS.get(key, "per million tokens")
        rows.append(f'| `[prices.models."NAME"]` | `{key}` | {unit} | {default} | {meaning} |')
    rows.append('| `[labels]` | `"NAME"` | a string | | what the statusline shows for that model |')
    return "\n".join(rows) + "\n"
