"""The links of large groups, which find the threads that hang together without loading the whole group.

Some gateways use one `message.id` for everything. The links of a group of rows.LARGE claims or more are stored in a
table: which thread holds a uuid or names it as a parent (A4), and which has a line of the main chain or of a sidechain
at a time (replays). A smaller group is loaded whole and has no rows there.
"""

from __future__ import annotations

from ..transcripts.claims import REQUESTED, split_digests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from sqlite3 import Connection

    from ..accounting import Group
    from ..transcripts.claims import Claim

    Link = tuple[int, int]  # a uuid's digest or a time, and its kind

UUID, UUID_ALONE, PARENT, MAIN, SIDE = range(5)  # UUID_ALONE: of a line without a requestId
_LEADS_TO = {
    UUID: (UUID, UUID_ALONE),
    UUID_ALONE: (UUID, UUID_ALONE, PARENT),
    PARENT: (UUID_ALONE,),
    MAIN: (SIDE,),
    SIDE: (MAIN,),
}
_INSERT = "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?)"


def links_of(claims: Iterable[Claim]) -> set[Link]:
    """Return the links that could lead from these claims to others of their group."""
    found: set[Link] = set()
    for claim in claims:
        kind = UUID if claim.flags & REQUESTED else UUID_ALONE
        found.update((_number(uuid), kind) for uuid in split_digests(claim.uuids))
        found.update((_number(parent), PARENT) for parent in split_digests(claim.parents))
        found.update((time, MAIN) for time in claim.main_times)
        found.add((claim.timestamp, SIDE if claim.side else MAIN))
    return found


def _number(digest: bytes) -> int:
    return int.from_bytes(digest, "little", signed=True)


def linked_threads(db: Connection, group: int, links: Iterable[Link]) -> set[int]:
    """Return the threads of a large group to which these links lead."""
    kinds: dict[int, set[int]] = {}
    for link, kind in links:
        kinds.setdefault(link, set()).update(_LEADS_TO[kind])
    numbers = ",".join(map(str, kinds))
    rows = db.execute(f"SELECT link, kind, rest FROM links WHERE group_id = ? AND link IN ({numbers})", (group,))
    return {rest for link, kind, rest in rows if kind in kinds[link]}


def replace_all(db: Connection, group: int, threads: Group) -> None:
    """Replace all links of a group by those of *threads*."""
    db.execute("DELETE FROM links WHERE group_id = ?", (group,))
    for rest, claims in threads.items():
        db.executemany(_INSERT, [(group, *link, rest) for link in links_of(claims.values())])


def update(db: Connection, group: int, before: dict[int, set[Link]], after: dict[int, set[Link]]) -> None:
    """Replace the links of some threads of a large group: *before* by *after*."""
    gone = [(group, *link, rest) for rest, links in before.items() for link in links - after[rest]]
    new = [(group, *link, rest) for rest, links in after.items() for link in links - before[rest]]
    db.executemany("DELETE FROM links WHERE group_id = ? AND link = ? AND kind = ? AND rest = ?", gone)
    db.executemany(_INSERT, new)
