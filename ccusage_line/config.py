"""The config file: TOML in the user's config directory, with the names of options as keys and a section per command.

Reading it stores a copy in the state directory (stored.StoredConfig) for the lean lanes, which never read TOML: they
call stored.stored_config(). If that returns None, this module has to read the file first.
"""

from __future__ import annotations

import os
import sys

from .errors import UsageError, UserError
from .files import read_regular
from .options import LOW, MEDIUM, SECTIONS
from .paths import NO, state_dir
from .prices import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal
    from typing import Any

    from .options import Option
    from .prices.stored import Packed

    Values = dict[str, dict[str, Any]]
    Keys = tuple[str, ...]  # from the section down

_LIMIT = 1024 * 1024  # bytes
_TICK = 2_000_000_000  # ns after a change in which another one might not show in the file's times
LABELS = ("labels", "project-labels")  # sections whose keys are names, not options
_TABLES = (*SECTIONS, *LABELS)
_EXTRA_KEYS: dict[str, dict[str, tuple[str, Keys]]] = {"prices": {"models": ("table", ())}}
RATES = ("input", "output", "cache-write-5m", "cache-write-1h", "cache-read")
# The keys of a model's price under [prices.models."name"].
PRICE = dict.fromkeys(RATES, "price") | {"fast": "factor", "us": "factor", "context-window": "tokens"}


class ConfigError(UserError):
    """The config file cannot be read or contains an invalid setting; the message names file and line."""


class Config:
    """The settings of a config file; empty if there is no file."""

    __slots__ = ("exists", "labels", "path", "prices", "values")

    def __init__(self, path: str, exists: bool = False) -> None:
        self.path = path
        self.exists = exists
        self.values: Values = {}
        self.labels: dict[str, str] = {}  # model name -> the label shown for it
        self.prices: dict[str, Packed] = {}  # model name in lower case -> the price the user has set

    def defaults_for(self, command: str, environ: Mapping[str, str]) -> dict[str, Any]:
        """Return what the environment or, failing that, the file sets of a command's options, by keyword argument."""
        defaults = {}
        for option in SECTIONS.get(command, ()):
            from_env = from_environment(option, environ)
            value = self.values.get(command, {}).get(option.key) if from_env is None else from_env
            if value is not None and option.names[0].startswith("-"):
                defaults[option.dest] = value
        return defaults

    @property
    def project_labels(self) -> dict[str, str]:
        """Part of a project path -> the label of all projects whose path contains it."""
        return self.values.get(LABELS[1], {})

    @property
    def url(self) -> str | None:
        return self.values.get("prices", {}).get("url")


def from_environment(option: Option, environ: Mapping[str, str]) -> Any:
    if option.key == "color":
        return "auto" if environ.get("NO_COLOR") or environ.get("FORCE_COLOR") else None
    value = environ.get(option.variable, "").strip() if option.variable else ""
    if not value:
        return None
    return value if option.kind != "flag" else value.lower() not in NO


# --- loading the config --------------------------------------------------------------------------------------------


def load(environ: Mapping[str, str]) -> Config:
    """Load the config in force and store a copy for the lean lanes.

    Raises UserError. Has to be called before prices are looked up.
    """
    import time

    from . import __version__

    path = stored.config_path(environ)
    stamp = stored.stamp_of(path)
    copy = stored.stored_config(environ)
    if copy is not None:
        config = Config(path, len(copy.stamp) > 1)
        config.values, config.labels, config.prices = copy.values, copy.labels, copy.prices
        return config
    folder = state_dir(environ)
    if len(stamp) == 1 and not environ.get("CCUSAGE_CONFIG"):
        stored.set_config(stored.StoredConfig(__version__, stamp, False, {}, {}, {}, ""))
        try:
            os.unlink(stored.StoredConfig.path(folder))
        except OSError:  # there was none, or it stays; its stamp is another file's, so nobody uses it
            pass
        return Config(path)
    started = time.time_ns()
    config = read(path)
    _store_copy(config, stamp, started, folder)
    return config


def _store_copy(config: Config, stamp: tuple[object, ...], started: int, folder: str) -> None:
    from . import __version__
    from .prices import table as prices

    changed = max((time for time in stamp[-2:] if isinstance(time, int)), default=started)
    part_id = prices.part_id(config.prices) if config.prices else ""
    racy = changed + _TICK > started
    copy = stored.StoredConfig(__version__, stamp, racy, config.values, config.labels, config.prices, part_id)
    stored.set_config(copy)
    try:
        copy.save(folder)
    except OSError:  # the next process reads the file again
        pass


# --- reading it ---------------------------------------------------------------------------------------------------


def read(path: str) -> Config:
    """Read and check the file at *path*. Raises ConfigError."""
    file, config = _ConfigFile(path), Config(path, True)
    for name, content in file.document.items():
        if name not in _TABLES:
            raise file.unknown((name,), _TABLES, "section" if isinstance(content, dict) else "key")
        config.values[name] = file.table((name,), content)
    for section in LABELS:
        for name, label in config.values.get(section, {}).items():
            problem = _problem("label", (), label)
            if problem:
                raise file.error((section, name), f"the label of {_shown(name)} has to be {problem}")
    config.labels = config.values.pop("labels", {})
    models = file.table(("prices", "models"), config.values.get("prices", {}).get("models", {}))
    for name in config.values.keys() - {*LABELS}:
        valid = {option.key: (option.kind, option.choices) for option in SECTIONS[name]}
        file.check((name,), config.values[name], valid | _EXTRA_KEYS.get(name, {}), f"key in [{name}]:")
        _normalize_zones(SECTIONS[name], config.values[name])
    config.values.get("prices", {}).pop("models", None)
    statusline = config.values.get("statusline", {})
    if statusline.get(LOW.key, int(LOW.default)) >= statusline.get(MEDIUM.key, int(MEDIUM.default)):
        wrong = LOW if LOW.key in statusline else MEDIUM
        raise file.error(("statusline", wrong.key), f"{LOW.key} has to be below {MEDIUM.key}")
    config.prices = {model.lower(): file.price(model, entry) for model, entry in models.items()}
    return config


def _normalize_zones(options: Iterable[Option], values: dict[str, Any]) -> None:
    """Spell zones as IANA does, so that the lean lanes need not look them up; delete `local`, the default."""
    from .clock import zone_of

    for key in {option.key for option in options if option.kind == "zone"} & values.keys():
        zone = zone_of(values.pop(key))
        if zone is not None:
            values[key] = zone


class _ConfigFile:
    """The document of a config file; each error names the line."""

    def __init__(self, path: str) -> None:
        self.path = path
        text = self._read_text()
        self._lines = text.split("\n")
        self.document = self._parse(text)

    def _read_text(self) -> str:
        try:
            data = read_regular(self.path, _LIMIT)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"{self.path} can't be read: {reason[:1].lower()}{reason[1:]}") from None
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise ConfigError(f"{self.path}:{line}: not UTF-8") from None

    def _parse(self, text: str) -> dict[str, Any]:
        import re

        try:
            return _loads(text)
        except RecursionError:
            raise ConfigError(f"{self.path}: nested too deeply") from None
        except ValueError as error:
            message = str(error)
            place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
            line = int(place[1]) if place and place[1] else max(1, len(text.splitlines()))
            reason = message[: place.start()] if place else message
            reason += "; is it a text without quotes?" if reason == "Invalid value" else ""
            raise ConfigError(f"{self.path}:{line}: {reason[:1].lower()}{reason[1:]}") from None

    def error(self, keys: Keys, problem: str) -> ConfigError:
        return ConfigError(f"{self.path}:{self._line_of(keys)}: {problem}")

    def _line_of(self, keys: Keys) -> int:
        """Return the line where a key first occurs: parse statement by statement, each after its table's header."""
        header, begin = "", 0
        for end in range(1, len(self._lines) + 1):
            statement = "\n".join(self._lines[begin:end])
            is_header = statement.lstrip().startswith("[")
            try:
                found: Any = _loads(statement if is_header else f"{header}\n{statement}")
            except (ValueError, RecursionError):
                continue  # the statement goes on on the next line
            for key in keys:
                found = found.get(key) if isinstance(found, dict) else None
            if found is not None:
                return begin + 1
            header, begin = statement if is_header else header, end
        return len(self._lines)

    def unknown(self, keys: Keys, valid: Iterable[str], what: str) -> ConfigError:
        near = _nearest(keys[-1].lower().replace("_", "-"), valid)
        hint = f", did you mean {near}?" if near else f"; expected one of {', '.join(valid)}"
        return self.error(keys, f"unknown {what} {_shown(keys[-1])}{hint}")

    def table(self, keys: Keys, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(keys, f"{'.'.join(keys)} is a section: write [{'.'.join(keys)}]")
        return value

    def check(self, keys: Keys, table: dict[str, Any], valid: Mapping[str, tuple[str, Keys]], what: str) -> None:
        """Raise ConfigError for the first key that is not *valid* or whose value does not have its kind or choices."""
        for key, value in table.items():
            if key not in valid:
                raise self.unknown((*keys, key), valid, what)
            problem = _problem(*valid[key], value)
            if problem:
                raise self.error((*keys, key), f"{key} = {_shown(value)} has to be {problem}")

    def price(self, model: str, entry: object) -> Packed:
        keys = ("prices", "models", model)
        if not isinstance(entry, dict):
            raise self.error(keys, f"the price of {_shown(model)} has to be a table like {{ input = 3, output = 15 }}")
        self.check(keys, entry, {key: (kind, ()) for key, kind in PRICE.items()}, "key of a price:")
        for key in ("input", "output"):
            if key not in entry:
                raise self.error(keys, f"the price of {_shown(model)} lacks {key}")
        try:
            return _packed(entry)
        except ValueError as error:  # beyond a limit by less than a float can show
            raise self.error(keys, f"the price of {_shown(model)}: {error}") from None


def _loads(text: str) -> dict[str, Any]:
    from importlib import import_module

    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    document: dict[str, Any] = toml.loads(text, parse_float=_number)
    return document


def _number(text: str) -> Decimal | float:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(text)
    except InvalidOperation:  # 1e9999999999999999999
        return float(text)


def _problem(kind: str, choices: tuple[str, ...], value: object) -> str:
    """Return the description of the values that *kind* allows, or "" if *value* is one."""
    from typing import Annotated, Literal

    from msgspec import Meta, ValidationError, convert

    valid: Any
    valid, words = {
        "address": (Annotated[str, Meta(pattern=r"^(https://|http://(127\.|localhost|\[::1\]))")], "an https address"),
        "choice": (Literal[choices or ("",)], f"one of {', '.join(choices)}"),
        "day": (str, "a day like 2026-05-01, today, yesterday, 7d or 2w"),
        "factor": (Annotated[float, Meta(ge=0.001, le=20)], "a factor from 0.001 to 20"),
        "flag": (bool, "true or false"),
        "label": (Annotated[str, Meta(pattern=r"\S")], "a string, not empty"),
        "percentage": (Annotated[int, Meta(ge=0, le=100)], "a whole number from 0 to 100"),
        # twice the input, the price of a 1-hour cache write, has to be a valid price too (prices.refresh.DEAREST)
        "price": (Annotated[float, Meta(ge=0, le=50_000)], "a number of dollars per million tokens, up to 50,000"),
        "seconds": (Annotated[int, Meta(ge=1, le=60)], "a whole number of seconds from 1 to 60"),
        "table": (dict, "a section"),
        "tokens": (Annotated[int, Meta(gt=0, lt=2**53)], "a whole number of tokens"),
        "zone": (str, "a zone like Europe/Berlin; this one is unknown"),
    }.get(kind, (str, "a string in quotes"))
    try:
        convert(value, valid)
        if kind == "zone":
            from .clock import zone_of

            zone_of(str(value))
        elif kind == "day":
            from .clock import parse_day

            return "" if parse_day(str(value), "2000-01-01") else words
    except (ValidationError, UsageError):
        near = _nearest(value.lower(), choices) if isinstance(value, str) else ""
        return f"{words}; did you mean {near}?" if near else words
    return ""


def _nearest(value: str, valid: Iterable[str]) -> str:
    from difflib import get_close_matches

    return "".join(get_close_matches(value, [*valid], 1))


def _packed(entry: dict[str, Any]) -> Packed:
    from decimal import Decimal

    from .prices.refresh import rates, thousandths

    per_token = {key: Decimal(entry[key]) / 1_000_000 for key in RATES if key in entry}
    prices = rates(per_token["input"], per_token["output"], *(per_token.get(key) for key in RATES[2:]))
    fast, us = (thousandths(Decimal(entry.get(key, 1))) for key in ("fast", "us"))
    return (*prices, None, None, fast, us, entry.get("context-window"))


def _shown(value: object) -> str:
    """Return a value as it would be written in the file, on one line and at most 60 characters long."""
    try:
        text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        text = "..."
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= 60 else f"{text[:57]}..."
