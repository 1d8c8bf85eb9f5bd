"""The bundled sample: five sessions of an invented developer, for users without transcripts.

The files in `sample/projects` have the form of Claude Code's own: responses on several lines, which begin with
placeholders in older clients and in subagents; subagents, some of a workflow; a fork that repeats its parent's lines; a
1-hour cache; an aborted response; an API error; a gateway's model without a price and request ids.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).parent / "sample"


def materialize(target: Path) -> Path:
    """Copy the sample to *target*, which is created if necessary; return the value for CLAUDE_CONFIG_DIR."""
    for source in SOURCE.rglob("*"):
        if source.is_file():
            copy = target / source.relative_to(SOURCE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())  # without modes: an installed package may be read-only
    return target


@contextmanager
def sample(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Make *environ* refer to the sample and to a temporary state folder."""
    with tempfile.TemporaryDirectory(prefix="ccusage-demo-") as folder:
        environ["CLAUDE_CONFIG_DIR"] = str(materialize(Path(folder) / "data"))
        environ["CCUSAGE_STATE_DIR"] = os.path.join(folder, "state")
        yield
