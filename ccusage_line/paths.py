"""Where transcripts are and where our state is, from the environment alone. Tier 0."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

APP = "ccusage-line"
DATABASE = "index.db"  # in the index's folder


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
        whole = _expand(value, environ)
        if os.path.isdir(whole):
            return [whole]
        return [_expand(part.strip(), environ) for part in value.split(",") if part.strip()]
    home = _home(environ)
    xdg = environ.get("XDG_CONFIG_HOME", "") or os.path.join(home, ".config")
    return [os.path.join(_expand(xdg, environ), "claude"), os.path.join(home, ".claude")]


def _projects(folder: str) -> str:
    return folder if os.path.basename(folder.rstrip(os.sep)) == "projects" else os.path.join(folder, "projects")


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME", "") or os.path.expanduser("~")


def _expand(path: str, environ: Mapping[str, str]) -> str:
    if path == "~" or path.startswith("~/"):
        return _home(environ) + path[1:]
    return os.path.expanduser(path)


def state_dir(environ: Mapping[str, str]) -> str:
    """The folder of the index: `CCUSAGE_STATE_DIR`, else the user's state folder (as platformdirs has it)."""
    own = environ.get("CCUSAGE_STATE_DIR", "")
    if own:
        return os.path.abspath(_expand(own, environ))
    if sys.platform == "win32" or sys.platform == "darwin":
        from platformdirs import user_state_dir

        return user_state_dir(APP, appauthor=False)
    base = environ.get("XDG_STATE_HOME", "")
    if not base.strip():
        base = os.path.join(_home(environ), ".local", "state")
    return os.path.join(base, APP)


def index_dir(environ: Mapping[str, str]) -> str:
    """The folder of the index of this set of data directories, so that answers of different sets never mix."""
    from .digest import digest_bytes

    names = b"\0".join(os.fsencode(path) for path in data_dirs(environ))
    return os.path.join(state_dir(environ), digest_bytes(names).hex()[:16])


def private_dir(path: str) -> None:
    """Make *path* a folder of ours alone (0700). Raises PermissionError where another user owns it."""
    if not os.path.isdir(path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.makedirs(path, mode=0o700, exist_ok=True)
    if hasattr(os, "geteuid"):
        found = os.stat(path)
        if found.st_uid != os.geteuid():
            raise PermissionError(f"{path} belongs to another user")
        if found.st_mode & 0o077:
            os.chmod(path, 0o700)
