"""What the state directory keeps of prices and settings: the refreshed table, what the config file said, and the rates
that an organization has agreed on.

On the lean lanes, where neither TOML nor JSON is read: files as `published` has them, which load without a package.
What is torn, of another form or another user's is as good as absent.
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

    Kept = TypeVar("Kept", bound="_Kept")

    Rates = tuple[int, int, int, int, int]  # input, output, 5 minute write, 1 hour write, read
    # the rates, the threshold and the rates above it, the fast and us factors, the context window
    Packed = tuple[int, int, int, int, int, int | None, Rates | None, int, int, int | None]
    Row = tuple[int, int, int, int]  # input, output, write, read in price units per token

CONFIG = "config.toml"

_given: Settled | None = None  # what the config file in force said when this process last asked


class _Kept:
    """Values that a file of the state directory keeps, in the order of the slots."""

    FILE = ""
    __slots__: tuple[str, ...] = ()

    def __init__(self, *values: Any) -> None:
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, value)

    @classmethod
    def path(cls, state_dir: str) -> str:
        return os.path.join(state_dir, cls.FILE)

    @classmethod
    def load(cls: type[Kept], state_dir: str) -> Kept | None:
        path = cls.path(state_dir)
        if not os.path.isfile(path):
            return None
        from ..published import load

        values = load(path)
        return cls(*values) if isinstance(values, tuple) and len(values) == len(cls.__slots__) else None

    def save(self, state_dir: str) -> None:
        """Raises OSError where it can't be stored."""
        from ..published import packed

        write_private(state_dir, self.FILE, packed(tuple(getattr(self, name) for name in self.__slots__)))


class Refreshed(_Kept):
    """The current part of the table, as a refresh left it."""

    current: dict[str, Packed]
    id: str  # prices.part_id(current)
    based_on: str  # CURRENT_ID of the embedded table whose prices it was laid over
    source: str  # in words
    fetched: int  # seconds since the epoch
    entries: int  # models the list itself named; the others are kept from before

    __slots__ = tuple(__annotations__)
    FILE = "prices.bin"


class _OfFiles(_Kept):
    """What files said when they were last read."""

    version: str  # of the package that read them: another one may know other options
    stamp: tuple[object, ...]  # how they were
    racy: bool  # read so soon after a change that another one might not show in the stamp

    __slots__ = ()

    def is_of(self, version: str, stamp: tuple[object, ...]) -> bool:
        return (self.version, self.stamp) == (version, stamp) and not self.racy


class Settled(_OfFiles):
    """What a config file said; its stamp is stamp_of() it."""

    values: dict[str, dict[str, Any]]  # by section
    labels: dict[str, str]
    prices: dict[str, Packed]
    id: str  # prices.part_id(prices)

    __slots__ = (*_OfFiles.__annotations__, *__annotations__)
    FILE = "config.bin"


class Contract(_OfFiles):
    """What managed settings of Claude Code said of prices (A10); their stamp is that of policy_files()."""

    multiplier: int  # of every price, in 1e-12
    rows: dict[str, Row]  # model name in lower case -> its rates, in the order of the file: an earlier one overrides
    id: str  # empty where no price is another one
    sources: list[str]  # files; empty where none says anything of prices
    problems: list[str]  # in words: what can't be meant and is left out

    __slots__ = (*_OfFiles.__annotations__, *__annotations__)
    FILE = "managed.bin"


def stamp_of(path: str) -> tuple[object, ...]:
    """What tells that a file has not changed: its path and stat, or its path alone where it is not there."""
    stat = stat_of(path)
    return (path,) if stat is None else (path, *stat)


# --- for those that never read TOML -------------------------------------------------------------------------------


def config_path(environ: Mapping[str, str]) -> str:
    """The config file in force, existing or not: CCUSAGE_CONFIG, else that of the user's config directory."""
    from ..paths import APP, named_place, xdg_dir

    named = named_place(environ, "CCUSAGE_CONFIG")
    if named:
        return named
    if sys.platform == "win32" or sys.platform == "darwin":
        from platformdirs import user_config_dir

        return os.path.join(user_config_dir(APP, appauthor=False), CONFIG)
    return os.path.join(xdg_dir(environ, "CONFIG", ".config"), APP, CONFIG)


def settled(environ: Mapping[str, str]) -> Settled | None:
    """What the config file in force says, without reading it; None where it has to be read first.

    Only then are the prices of in_use.table() those that the file asks for.
    """
    from .. import __version__
    from ..paths import state_dir

    now = stamp_of(config_path(environ))
    known = Settled.load(state_dir(environ))
    if known is None and len(now) == 1 and not environ.get("CCUSAGE_CONFIG"):
        known = Settled(__version__, now, False, {}, {}, {}, "")
    if known is None or not known.is_of(__version__, now):
        return None
    give(known)
    return known


def give(said: Settled) -> None:
    """Take what the config file in force says from whoever asked: for the rest of this process, whatever others read
    meanwhile."""
    global _given
    _given = said


def last_said(environ: Mapping[str, str]) -> Settled | None:
    """What the config file in force said when this process last asked, else when it was last read; None where that was
    never, or another file's copy is stored."""
    from ..paths import state_dir

    path = config_path(environ)
    if _given is not None and _given.stamp[0] == path:
        return _given
    known = Settled.load(state_dir(environ))
    return known if known is not None and known.stamp[0] == path else None


def is_plain(environ: Mapping[str, str]) -> bool:
    """Whether the config file, settled, leaves costs in mode auto and days in the system's zone."""
    found = settled(environ)
    return found is not None and not found.values.get("session", {}).keys() & {"mode", "timezone"}


def dependencies(environ: Mapping[str, str]) -> list[Dependency]:
    """The files that prices and settings rest on, as they are."""
    from ..paths import state_dir

    paths = Refreshed.path(state_dir(environ)), config_path(environ)
    return [*((path, stat_of(path)) for path in paths), *policy_files(environ)]


# --- managed settings ---------------------------------------------------------------------------------------------


def policy_path(environ: Mapping[str, str]) -> str:
    """The file of an organization's policy, existing or not: CCUSAGE_MANAGED_SETTINGS, else Claude Code's own place."""
    from ..paths import named_place

    named = named_place(environ, "CCUSAGE_MANAGED_SETTINGS")
    if named:
        return named
    if sys.platform == "darwin":
        return "/Library/Application Support/ClaudeCode/managed-settings.json"
    if sys.platform == "win32":
        return r"C:\Program Files\ClaudeCode\managed-settings.json"
    return "/etc/claude-code/managed-settings.json"


def sources(environ: Mapping[str, str]) -> tuple[str, str]:
    """The files of settings in force, existing or not: with another variable in the environment they are other ones."""
    return config_path(environ), policy_path(environ)


def policy_files(environ: Mapping[str, str]) -> list[Dependency]:
    """What tells that the policy has not changed: its file, the folder of its parts (`managed-settings.d`) and these by
    name; the folder of them all where that is not there, which costs one stat."""
    path = policy_path(environ)
    folder = os.path.dirname(path)
    if stat_of(folder) is None:
        return [(folder, None)]
    parts = f"{os.path.splitext(path)[0]}.d"
    found = [(path, stat_of(path)), (parts, stat_of(parts))]
    if found[1][1] is not None:
        names = [name for name in names_in(parts) if name.endswith(".json") and not name.startswith(".")]
        found += [(part, stat_of(part)) for part in (os.path.join(parts, name) for name in sorted(names))]
    return found
