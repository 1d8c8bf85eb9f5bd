"""The price table in use: what is embedded, refreshed, configured and agreed on, put together (A10, A11). On the lean
lanes.
"""

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
    from .stored import Contract, Packed, Refreshed, Settled

_table: PriceTable | None = None
_stamp: tuple[object, ...] = ()  # of what _table was made of


def table() -> PriceTable:
    """The table in use: the embedded one, its current part as the last refresh left it, an organization's rates before
    it, the user's own prices first.

    Costs two stats when nothing has changed since the last call, more where there are managed settings.
    """
    global _table, _stamp
    folder = state_dir(os.environ)
    policy = stored.policy_files(os.environ)
    settled = stored.last_said(os.environ)
    stamp = *stored.stamp_of(stored.Refreshed.path(folder)), *policy, settled.id if settled is not None else ""
    if _table is None or stamp != _stamp:
        _table = _assemble(stored.Refreshed.load(folder), settled, _contract(policy, folder))
        _stamp = stamp
    return _table


def contract(environ: Mapping[str, str]) -> Contract | None:
    """The rates that an organization has agreed on, if one has a policy."""
    return _contract(stored.policy_files(environ), state_dir(environ))


def _contract(policy: list[Dependency], folder: str) -> Contract | None:
    """The same, of the files *policy*.

    JSON is read only where the copy in the state directory is of other files.
    """
    if all(stat is None for _, stat in policy):
        return None
    known = stored.Contract.load(folder)
    if known is not None and known.is_of(__version__, tuple(policy)):
        return known
    from . import managed

    return managed.settle(policy, folder)


def _assemble(refreshed: Refreshed | None, settled: Settled | None, contract: Contract | None) -> PriceTable:
    current: Mapping[str, Packed] = embedded.CURRENT
    source, current_id = embedded.SOURCE, embedded.CURRENT_ID
    if refreshed is not None and refreshed.based_on == current_id:
        current, source, current_id = refreshed.current, refreshed.source, refreshed.id
    elif refreshed is not None:  # from before this version of the package, which may know better
        current = {**refreshed.current, **current}
        source, current_id = f"{source} and {refreshed.source}", f"{current_id}.{refreshed.id}"
    fingerprint = fingerprint_of(embedded.OVERLAY_ID, current_id, embedded.RETIRED_ID)
    own = settled.prices if settled is not None else {}
    if settled is not None and own:
        fingerprint += f"-{settled.id}"
    if contract is not None and contract.id:
        fingerprint += f"-c{contract.id}"
    return PriceTable(embedded.OVERLAY, current, embedded.RETIRED, source, fingerprint, own, contract)
