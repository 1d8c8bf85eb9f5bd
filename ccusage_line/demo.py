"""The bundled sample: five sessions of an invented developer, for those who have no transcripts yet.

The files in `sample/projects` are shaped like the client's own: a response on several lines, with placeholders first in
those of older clients and of subagents; subagents, some of a workflow; a fork that repeats its parent's lines; a cache
kept for an hour; an aborted response; an API error; a gateway's model without a price and without request ids.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).parent / "sample"


def materialize(target: Path) -> Path:
    """Lay the sample out in *target*, which is made if it is not there; returns what CLAUDE_CONFIG_DIR has to be."""
    for source in SOURCE.rglob("*"):
        if source.is_file():
            copy = target / source.relative_to(SOURCE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())  # no modes: an installed package may be read-only, a copy must not
    return target


@contextmanager
def sample(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Have *environ* name the sample, and a state folder that goes away again."""
    with tempfile.TemporaryDirectory(prefix="ccusage-demo-") as folder:
        environ["CLAUDE_CONFIG_DIR"] = str(materialize(Path(folder) / "data"))
        environ["CCUSAGE_STATE_DIR"] = os.path.join(folder, "state")
        yield
