"""What the state directory keeps of prices and settings: the refreshed table, what the config file said, and the rates
that an organization has agreed on.

On the lean lanes, where neither TOML nor JSON is read. A file is a line that names its form, a digest and marshalled
plain values, so that it loads without a package and is either whole or not there. What is torn, of another form or
another user's is as good as absent.
"""

from __future__ import annotations

import os
import sys

from ..files import digest_bytes, open_regular, read_at, stat_of, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..files import Dependency

    Rates = tuple[int, int, int, int, int]  # input, output, 5 minute write, 1 hour write, read
    # the rates, the threshold and the rates above it, the fast and us factors, the context window
    Packed = tuple[int, int, int, int, int, int | None, Rates | None, int, int, int | None]
    Row = tuple[int, int, int, int]  # input, output, write, read in price units per token

REFRESHED = "prices.bin"
SETTLED = "config.bin"
CONTRACT = "managed.bin"
CONFIG = "config.toml"
_FORM = b"ccusage-line store 1\n"
_DIGEST = 16  # bytes
_MARSHAL = 2  # the newest form that every supported Python writes and reads alike
_LIMIT = 32 * 1024 * 1024  # bytes; a table of 500 models has 30 KB


class Refreshed:
    """The current part of the table, as a refresh left it. `fetched` is in seconds since the epoch."""

    __slots__ = ("based_on", "current", "entries", "fetched", "id", "source")

    def __init__(
        self, current: dict[str, Packed], id: str, based_on: str, source: str, fetched: int, entries: int
    ) -> None:
        self.current = current
        self.id = id  # prices.part_id(current)
        self.based_on = based_on  # CURRENT_ID of the embedded table whose prices it was laid over
        self.source = source  # in words
        self.fetched = fetched
        self.entries = entries  # models the list itself named; the others are kept from before


class Settled:
    """What a config file said when it was last read."""

    __slots__ = ("id", "labels", "prices", "racy", "stamp", "values", "version")

    def __init__(
        self,
        version: str,
        stamp: tuple[object, ...],
        racy: bool,
        values: dict[str, dict[str, Any]],
        labels: dict[str, str],
        prices: dict[str, Packed],
        id: str,
    ) -> None:
        self.version = version  # of the package that read it: another one may know other options
        self.stamp = stamp  # stamp_of() the file
        self.racy = racy  # read so soon after its change that another change might not show in the stamp
        self.values = values  # by section
        self.labels = labels
        self.prices = prices
        self.id = id  # prices.part_id(prices)

    def is_of(self, version: str, stamp: tuple[object, ...]) -> bool:
        return (self.version, self.stamp) == (version, stamp) and not self.racy


class Contract:
    """What managed settings of Claude Code said of prices when they were last read (A10)."""

    __slots__ = ("id", "multiplier", "problems", "racy", "rows", "sources", "stamp", "version")

    def __init__(
        self,
        version: str,
        stamp: tuple[Dependency, ...],
        racy: bool,
        multiplier: int,
        rows: dict[str, Row],
        id: str,
        sources: list[str],
        problems: list[str],
    ) -> None:
        self.version = version  # of the package that read it
        self.stamp = stamp  # policy_files(), as they were
        self.racy = racy  # as in Settled
        self.multiplier = multiplier  # of every price, in 1e-12
        self.rows = rows  # model name in lower case -> its rates, in the order of the file: an earlier row goes first
        self.id = id  # empty where no price is another one
        self.sources = sources  # files; empty where none says anything of prices
        self.problems = problems  # in words: what can't be meant and is left out

    def is_of(self, version: str, stamp: tuple[Dependency, ...]) -> bool:
        return (self.version, self.stamp) == (version, stamp) and not self.racy


def refreshed_path(state_dir: str) -> str:
    return os.path.join(state_dir, REFRESHED)


def settled_path(state_dir: str) -> str:
    return os.path.join(state_dir, SETTLED)


def load_refreshed(state_dir: str) -> Refreshed | None:
    value = _load(refreshed_path(state_dir))
    return Refreshed(*value) if isinstance(value, tuple) and len(value) == 6 else None


def save_refreshed(state_dir: str, table: Refreshed) -> None:
    """Raises OSError where it can't be stored."""
    value = (table.current, table.id, table.based_on, table.source, table.fetched, table.entries)
    _save(state_dir, REFRESHED, value)


def load_settled(state_dir: str) -> Settled | None:
    value = _load(settled_path(state_dir))
    return Settled(*value) if isinstance(value, tuple) and len(value) == len(Settled.__slots__) else None


def save_settled(state_dir: str, settled: Settled) -> None:
    """Raises OSError where it can't be stored."""
    s = settled
    _save(state_dir, SETTLED, (s.version, s.stamp, s.racy, s.values, s.labels, s.prices, s.id))


def load_contract(state_dir: str) -> Contract | None:
    value = _load(os.path.join(state_dir, CONTRACT))
    return Contract(*value) if isinstance(value, tuple) and len(value) == len(Contract.__slots__) else None


def save_contract(state_dir: str, contract: Contract) -> None:
    """Raises OSError where it can't be stored."""
    c = contract
    _save(state_dir, CONTRACT, (c.version, c.stamp, c.racy, c.multiplier, c.rows, c.id, c.sources, c.problems))


def stamp_of(path: str) -> tuple[object, ...]:
    """What tells that a file has not changed: its path and stat, or its path alone where it is not there."""
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return (path,)
    return path, str(stat.st_dev), str(stat.st_ino), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def stamp(state_dir: str) -> tuple[object, ...]:
    """Another value whenever one of the two files is another one."""
    return stamp_of(refreshed_path(state_dir)) + stamp_of(settled_path(state_dir))


# --- for those that never read TOML -------------------------------------------------------------------------------


def config_path(environ: Mapping[str, str]) -> str:
    """The config file in force, existing or not: CCUSAGE_CONFIG, else that of the user's config directory."""
    from ..paths import APP, expanded, home_dir

    named = environ.get("CCUSAGE_CONFIG", "")
    if named:
        return os.path.abspath(expanded(named, environ))
    if sys.platform == "win32" or sys.platform == "darwin":
        from platformdirs import user_config_dir

        return os.path.join(user_config_dir(APP, appauthor=False), CONFIG)
    base = environ.get("XDG_CONFIG_HOME", "")
    return os.path.join(base if base.strip() else os.path.join(home_dir(environ), ".config"), APP, CONFIG)


def settled(environ: Mapping[str, str]) -> Settled | None:
    """What the config file in force says, without reading it; None where it has to be read first.

    Only then are the prices of in_use.table() those that the file asks for.
    """
    from .. import __version__
    from ..paths import state_dir

    now = stamp_of(config_path(environ))
    known = load_settled(state_dir(environ))
    if known is not None:
        return known if known.is_of(__version__, now) else None
    if len(now) == 1 and not environ.get("CCUSAGE_CONFIG"):
        return Settled(__version__, now, False, {}, {}, {}, "")
    return None


def is_plain(environ: Mapping[str, str]) -> bool:
    """Whether the config file, settled, leaves costs in mode auto and days in the system's zone."""
    found = settled(environ)
    return found is not None and not found.values.get("session", {}).keys() & {"mode", "timezone"}


def dependencies(environ: Mapping[str, str]) -> list[Dependency]:
    """The files that prices and settings rest on, as they are."""
    from ..paths import state_dir

    paths = refreshed_path(state_dir(environ)), config_path(environ)
    return [*((path, stat_of(path)) for path in paths), *policy_files(environ)]


# --- managed settings ---------------------------------------------------------------------------------------------


def policy_path(environ: Mapping[str, str]) -> str:
    """The file of an organization's policy, existing or not: CCUSAGE_MANAGED_SETTINGS, else Claude Code's own place."""
    from ..paths import expanded

    named = environ.get("CCUSAGE_MANAGED_SETTINGS", "")
    if named:
        return os.path.abspath(expanded(named, environ))
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
        try:
            names = [name for name in os.listdir(parts) if name.endswith(".json") and not name.startswith(".")]
        except OSError:
            names = []
        found += [(part, stat_of(part)) for part in (os.path.join(parts, name) for name in sorted(names))]
    return found


# --- the files ----------------------------------------------------------------------------------------------------


def _load(path: str) -> Any:
    """The values of a file; None where it is not there, torn, of another form or another user's."""
    if not os.path.isfile(path):
        return None
    try:
        descriptor = open_regular(path)
    except (OSError, ValueError):
        return None
    try:
        stat = os.fstat(descriptor)
        if stat.st_size > _LIMIT or (hasattr(os, "geteuid") and stat.st_uid != os.geteuid()):
            return None
        data = read_at(descriptor, stat.st_size, 0)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return _unpacked(data)


def _unpacked(data: bytes) -> Any:
    start = len(_FORM) + _DIGEST
    body = data[start:]
    if not data.startswith(_FORM) or data[len(_FORM) : start] != digest_bytes(body):
        return None
    import marshal

    try:
        return marshal.loads(body)
    except (ValueError, EOFError, TypeError):
        return None


def _save(state_dir: str, name: str, value: Any) -> None:
    import marshal

    body = marshal.dumps(value, _MARSHAL)
    write_private(state_dir, name, _FORM + digest_bytes(body) + body)
