"""The bundled sample: five sessions of an invented developer, for those who have no transcripts yet.

The files in `sample/projects` are shaped like the client's own: a response on several lines, with placeholders first in
those of older clients and of subagents; subagents, some of a workflow; a fork that repeats its parent's lines; a cache
kept for an hour; an aborted response; an API error; a gateway's model without a price and without request ids.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parent / "sample"


class Expected(NamedTuple):
    """What a report of one sample session has to say; `cost` in 1e-12 dollar, at list prices."""

    project_path: str
    title: str
    models: tuple[str, ...]
    input: int
    output: int
    cache_creation: int
    cache_read: int
    cost: int
    incomplete: int = 0
    unpriced: tuple[str, ...] = ()


_OPUS, _SONNET, _HAIKU = "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"
_HOUSE = "in-house-coder-2"
_MICRO = 1_000_000  # of 1e-12 dollar

SAMPLE = {
    # The parent of the fork: four Opus responses, two of a subagent, one of each of two workflow agents.
    "5f0c9a1e-7b42-4c1d-9e57-2a64d0b8c311": Expected(
        "/home/ada/webshop",
        "VAT rounded twice at checkout",
        (_HAIKU, _OPUS),
        input=3_685,
        output=2_542,
        cache_creation=30_000,
        cache_read=78_600,
        cost=249_295 * _MICRO,
    ),
    # The fork: only its own two responses, none of those it repeats.
    "c7d2e4f6-1a3b-4c5d-8e9f-70a1b2c3d4e5": Expected(
        "/home/ada/webshop",
        "release note",
        (_OPUS, _SONNET),
        input=24_020,
        output=740,
        cache_creation=0,
        cache_read=23_000,
        cost=99_700 * _MICRO,
    ),
    # An older client: three responses, one never finalised, cache writes for an hour at twice the input price.
    "0b1d2f3a-4c5e-4f60-9a7b-8c9d0e1f2a3b": Expected(
        "/home/ada/notes app",
        "Sync notes over WebDAV",
        (_SONNET,),
        input=35,
        output=4_221,
        cache_creation=35_600,
        cache_read=66_600,
        cost=297_000 * _MICRO,
        incomplete=1,
    ),
    # 5,400 + 640 of these tokens have no price.
    "9e8d7c6b-5a49-4838-a726-150413f2e1d0": Expected(
        "/home/ada/infra",
        "Hosts with the old kernel",
        (_HAIKU, _HOUSE),
        input=11_500,
        output=950,
        cache_creation=1_200,
        cache_read=900,
        cost=9_240 * _MICRO,
        unpriced=(_HOUSE,),
    ),
    # An API error of no model and no tokens, then one response each.
    "3c2b1a09-f8e7-4d6c-b5a4-93827160f5e4": Expected(
        "/home/ada/infra",
        "Slow backup 🐢",
        (_OPUS, _SONNET),
        input=4_510,
        output=3_470,
        cache_creation=25_500,
        cache_read=4_000,
        cost=214_305 * _MICRO,
    ),
}


def materialize(target: Path) -> Path:
    """Lays the sample out in the folder *target*, which is made if need be; what CLAUDE_CONFIG_DIR has to be."""
    for source in SOURCE.rglob("*"):
        if source.is_file():
            copy = target / source.relative_to(SOURCE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())  # no modes: an installed package may be read-only, a copy must not
    return target
