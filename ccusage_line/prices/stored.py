"""Prices and settings stored in the state directory: the refreshed table, the config's values and contracted rates.

Imported on the lean lanes, which parse neither TOML nor JSON: the files have the format of `published`, which loads
without any package. A file that is damaged, of another format or another user's counts as missing.
"""

from __future__ import annotations

import os
import sys

from ..files import names_in, stat_of, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    from ..files import Dependency

    FileT = TypeVar("FileT", bound="_StoredFile")

    Rates = tuple[int, int, int, int, int]  # input, output, 5 minute write, 1 hour write, read
    # five rates, the threshold and the rates above it, the fast and us factors, the context window
    Packed = tuple[int, int, int, int, int, int | None, Rates | None, int, int, int | None]
    Row = tuple[int, int, int, int]  # contracted rates: input, output, write, read in price units per token

CONFIG = "config.toml"

_config: StoredConfig | None = None  # the values of the config file when this process last read it


class _StoredFile:
    """Values that are stored in a file of the state directory, in the order of `__slots__`."""

    FILE = ""
    __slots__: tuple[str, ...] = ()

    def __init__(self, *values: Any) -> None:
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, value)

    @classmethod
    def path(cls, state_dir: str) -> str:
        return os.path.join(state_dir, cls.FILE)

    @classmethod
    def load(cls: type[FileT], state_dir: str) -> FileT | None:
        path = cls.path(state_dir)
        if not os.path.isfile(path):
            return None
        from ..published import load

        values = load(path)
        return cls(*values) if isinstance(values, tuple) and len(values) == len(cls.__slots__) else None

    def save(self, state_dir: str) -> None:
        """Write the file. Raises OSError if that fails."""
        from ..published import pack

        write_private(state_dir, self.FILE, pack(tuple(getattr(self, name) for name in self.__slots__)))


class Refreshed(_StoredFile):
    """The current part of the table after a refresh."""

    current: dict[str, Packed]
    id: str  # prices.part_id(current)
    based_on: str  # CURRENT_ID of the embedded table into which the list was merged
    source: str  # a description for users
    fetched: int  # seconds since the epoch
    entries: int  # models with a price in the list itself; the others are older

    __slots__ = tuple(__annotations__)
    FILE = "prices.bin"


class _FileCopy(_StoredFile):
    """A copy of the contents of files when they were last read."""

    version: str  # the version of the package that read them; another one may have other options
    stamp: tuple[object, ...]  # the state of the files
    racy: bool  # they were read so soon after a change that another one may not show in the stamp

    __slots__ = ()

    def is_of(self, version: str, stamp: tuple[object, ...]) -> bool:
        return (self.version, self.stamp) == (version, stamp) and not self.racy


class StoredConfig(_FileCopy):
    """The contents of a config file; its stamp is stamp_of() the file."""

    values: dict[str, dict[str, Any]]  # by section
    labels: dict[str, str]
    prices: dict[str, Packed]
    id: str  # prices.part_id(prices)

    __slots__ = (*_FileCopy.__annotations__, *__annotations__)
    FILE = "config.bin"


class Contract(_FileCopy):
    """The contracted rates in Claude Code's managed settings (A10); their stamp is policy_files()."""

    multiplier: int  # the factor of every price, in 1e-12
    rows: dict[str, Row]  # model name in lower case -> its rates, in the order of the file: an earlier one overrides
    id: str  # "" if the contract changes no price
    sources: list[str]  # the files that contain rates
    problems: list[str]  # messages about invalid values, which are ignored

    __slots__ = (*_FileCopy.__annotations__, *__annotations__)
    FILE = "managed.bin"


def stamp_of(path: str) -> tuple[object, ...]:
    """Return a value that changes when a file does: its path and stat, or its path alone if it does not exist."""
    stat = stat_of(path)
    return (path,) if stat is None else (path, *stat)


# --- for callers that never parse TOML ----------------------------------------------------------------------------


def config_path(environ: Mapping[str, str]) -> str:
    """Return the path of the config file, existing or not: CCUSAGE_CONFIG, else that in the user's config directory."""
    from ..paths import APP, absolute_from, xdg_dir

    named = absolute_from(environ, "CCUSAGE_CONFIG")
    if named:
        return named
    if sys.platform == "win32" or sys.platform == "darwin":
        from platformdirs import user_config_dir

        return os.path.join(user_config_dir(APP, appauthor=False), CONFIG)
    return os.path.join(xdg_dir(environ, "CONFIG", ".config"), APP, CONFIG)


def stored_config(environ: Mapping[str, str]) -> StoredConfig | None:
    """Return the stored copy of the config file's values, or None if the file must be parsed first.

    If it is not None, in_use.table() includes the file's prices.
    """
    from .. import __version__
    from ..paths import state_dir

    stamp = stamp_of(config_path(environ))
    config = StoredConfig.load(state_dir(environ))
    if config is None and len(stamp) == 1 and not environ.get("CCUSAGE_CONFIG"):  # there is no config file
        config = StoredConfig(__version__, stamp, False, {}, {}, {}, "")
    if config is None or not config.is_of(__version__, stamp):
        return None
    set_config(config)
    return config


def set_config(config: StoredConfig) -> None:
    """Set the config file's values for the rest of this process, whatever copy other processes store meanwhile."""
    global _config
    _config = config


def last_config(environ: Mapping[str, str]) -> StoredConfig | None:
    """Return the config file's values as this process last read them, else its stored copy, or None without one."""
    from ..paths import state_dir

    path = config_path(environ)
    if _config is not None and _config.stamp[0] == path:
        return _config
    config = StoredConfig.load(state_dir(environ))
    return config if config is not None and config.stamp[0] == path else None


def has_default_mode_and_zone(environ: Mapping[str, str]) -> bool:
    """Return whether the stored copy is valid and the config sets neither the mode nor the time zone."""
    config = stored_config(environ)
    return config is not None and not config.values.get("session", {}).keys() & {"mode", "timezone"}


def dependencies(environ: Mapping[str, str]) -> list[Dependency]:
    """Return the files that prices and settings depend on, with their present stats."""
    from ..paths import state_dir

    paths = Refreshed.path(state_dir(environ)), config_path(environ)
    return [*((path, stat_of(path)) for path in paths), *policy_files(environ)]


# --- managed settings ---------------------------------------------------------------------------------------------


def policy_path(environ: Mapping[str, str]) -> str:
    """Return the path of the policy, existing or not: CCUSAGE_MANAGED_SETTINGS, else that of Claude Code."""
    from ..paths import absolute_from

    named = absolute_from(environ, "CCUSAGE_MANAGED_SETTINGS")
    if named:
        return named
    if sys.platform == "darwin":
        return "/Library/Application Support/ClaudeCode/managed-settings.json"
    if sys.platform == "win32":
        return r"C:\Program Files\ClaudeCode\managed-settings.json"
    return "/etc/claude-code/managed-settings.json"


def sources(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the paths of the config and the policy, existing or not. They depend on environment variables."""
    return config_path(environ), policy_path(environ)


def policy_files(environ: Mapping[str, str]) -> list[Dependency]:
    """Return the files that the policy depends on: its file, the folder `managed-settings.d`, and the parts in it.

    If the folder that would contain them does not exist, return only that folder, which costs one stat.
    """
    path = policy_path(environ)
    folder = os.path.dirname(path)
    if stat_of(folder) is None:
        return [(folder, None)]
    parts = f"{os.path.splitext(path)[0]}.d"
    files = [(path, stat_of(path)), (parts, stat_of(parts))]
    if files[1][1] is not None:
        names = [name for name in names_in(parts) if name.endswith(".json") and not name.startswith(".")]
        files += [(part, stat_of(part)) for part in (os.path.join(parts, name) for name in sorted(names))]
    return files
