"""Where transcripts are and where our state is, from the environment alone.

Standard library only: on the lean lanes.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

APP = "ccusage-line"
DATABASE = "index.db"  # in the index's folder
LINES = "prompt"  # the folder of the ready lines, in the state directory and in the index's folder
LOG = "statusline.log"  # in the state directory
NO = ("0", "false", "no", "off")  # what switches a variable of the environment off; anything else is on


def database_identity(folder: str) -> tuple[int, int] | None:
    """Device and inode of the database in an index's folder, None where there is none."""
    try:
        stat = os.stat(os.path.join(folder, DATABASE))
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def data_dirs(environ: Mapping[str, str]) -> list[str]:
    """The folders called `projects` that hold transcripts (A1), sorted real paths, existing or not.

    `CLAUDE_CONFIG_DIR` is one folder if the whole value is one, else a comma list; a folder called `projects` is
    taken as it is. Without it both places Claude Code ever used.
    """
    return sorted({os.path.realpath(_projects(folder)) for folder in config_dirs(environ)})


def config_dirs(environ: Mapping[str, str]) -> list[str]:
    """Claude Code's configuration folders, as named."""
    value = environ.get("CLAUDE_CONFIG_DIR", "")
    if value.strip(" ,"):
        whole = expanded(value, environ)
        if os.path.isdir(whole):
            return [whole]
        return [expanded(part.strip(), environ) for part in value.split(",") if part.strip()]
    home = home_dir(environ)
    xdg = environ.get("XDG_CONFIG_HOME", "") or os.path.join(home, ".config")
    return [os.path.join(expanded(xdg, environ), "claude"), os.path.join(home, ".claude")]


def _projects(folder: str) -> str:
    return folder if os.path.basename(folder.rstrip(os.sep)) == "projects" else os.path.join(folder, "projects")


def home_dir(environ: Mapping[str, str]) -> str:
    return environ.get("HOME", "") or os.path.expanduser("~")


def expanded(path: str, environ: Mapping[str, str]) -> str:
    if path == "~" or path.startswith("~/"):
        return home_dir(environ) + path[1:]
    return os.path.expanduser(path)


def state_dir(environ: Mapping[str, str]) -> str:
    """The folder of the index: `CCUSAGE_STATE_DIR`, else the user's state folder (as platformdirs has it)."""
    own = environ.get("CCUSAGE_STATE_DIR", "")
    if own:
        return os.path.abspath(expanded(own, environ))
    if sys.platform == "win32" or sys.platform == "darwin":
        from platformdirs import user_state_dir

        return user_state_dir(APP, appauthor=False)
    base = environ.get("XDG_STATE_HOME", "")
    if not base.strip():
        base = os.path.join(home_dir(environ), ".local", "state")
    return os.path.join(base, APP)


def index_dir(environ: Mapping[str, str]) -> str:
    """The folder of the index of this set of data directories, so that answers of different sets never mix."""
    from .files import digest_bytes

    names = b"\0".join(os.fsencode(path) for path in data_dirs(environ))
    return os.path.join(state_dir(environ), digest_bytes(names).hex()[:16])
