"""The price table in use: embedded, refreshed, configured and contracted prices (A10, A11). Imported on lean lanes."""

from __future__ import annotations

import os

from .. import __version__
from ..paths import state_dir
from . import embedded, stored
from .table import PriceTable, fingerprint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..files import Dependency
    from .stored import Contract, Packed, Refreshed, StoredConfig

_table: PriceTable | None = None
_stamp: tuple[object, ...] = ()  # the stamp of the files from which _table was made


def table() -> PriceTable:
    """Return the table in use. The user's own prices come first, then contracted rates, then the list.

    Costs two stats if nothing has changed since the last call, and more if there are managed settings.
    """
    global _table, _stamp
    folder = state_dir(os.environ)
    policy = stored.policy_files(os.environ)
    config = stored.last_config(os.environ)
    stamp = *stored.stamp_of(stored.Refreshed.path(folder)), *policy, config.id if config is not None else ""
    if _table is None or stamp != _stamp:
        _table = _assemble(stored.Refreshed.load(folder), config, _contract(policy, folder))
        _stamp = stamp
    return _table


def contract(environ: Mapping[str, str]) -> Contract | None:
    """Return the contracted rates in an organization's policy, or None if there is no policy."""
    return _contract(stored.policy_files(environ), state_dir(environ))


def _contract(policy: list[Dependency], folder: str) -> Contract | None:
    """Return the contracted rates in the files *policy*; parse JSON only if the copy in the state directory is old."""
    if all(stat is None for _, stat in policy):
        return None
    known = stored.Contract.load(folder)
    if known is not None and known.is_of(__version__, tuple(policy)):
        return known
    from . import managed

    return managed.read_contract(policy, folder)


def _assemble(refreshed: Refreshed | None, config: StoredConfig | None, contract: Contract | None) -> PriceTable:
    current: Mapping[str, Packed] = embedded.CURRENT
    source, current_id = embedded.SOURCE, embedded.CURRENT_ID
    if refreshed is not None and refreshed.based_on == current_id:
        current, source, current_id = refreshed.current, refreshed.source, refreshed.id
    elif refreshed is not None:  # refreshed by another version of the package: this version's prices take precedence
        current = {**refreshed.current, **current}
        source, current_id = f"{source} and {refreshed.source}", f"{current_id}.{refreshed.id}"
    fingerprint = fingerprint_of(embedded.OVERLAY_ID, current_id, embedded.RETIRED_ID)
    own = config.prices if config is not None else {}
    if config is not None and own:
        fingerprint += f"-{config.id}"
    if contract is not None and contract.id:
        fingerprint += f"-c{contract.id}"
    return PriceTable(embedded.OVERLAY, current, embedded.RETIRED, source, fingerprint, own, contract)
