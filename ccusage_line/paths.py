"""The paths of transcripts and of our state, from the environment alone. On the lean lanes."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

APP = "ccusage-line"
DATABASE = "index.db"  # in the folder of the index
LINES = "prompt"  # the folder of the ready lines, in the state directory and in the folder of the index
LOG = "statusline.log"  # in the state directory
NO_HOME = os.path.join(os.devnull, "no-home")  # a folder that cannot exist
NO = ("0", "false", "no", "off")  # values that switch an environment variable off; any other value is on


def database_identity(folder: str) -> tuple[int, int] | None:
    """Return device and inode of the database in the folder of an index, or None if there is none."""
    from .files import stat_of

    stat = stat_of(os.path.join(folder, DATABASE))
    return None if stat is None else stat[:2]


def data_dirs(environ: Mapping[str, str]) -> list[str]:
    """Return the `projects` folders that hold transcripts (A1), as sorted real paths, existing or not.

    If `CLAUDE_CONFIG_DIR` as a whole is a folder, it is one, else a comma-separated list; a folder called `projects` is
    used itself. If it is not set, these are the two places that Claude Code has ever used.
    """
    return sorted(named_data_dirs(environ))


def named_data_dirs(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the `projects` folders: real path -> the path as it was named."""
    return {os.path.realpath(folder): folder for folder in map(_projects_folder, config_dirs(environ))}


def config_dirs(environ: Mapping[str, str]) -> list[str]:
    """Return Claude Code's configuration folders, absolute, as they were named. Raises UsageError like `absolute`."""
    value = environ.get("CLAUDE_CONFIG_DIR", "")
    if value.strip(" ,"):
        is_folder = os.path.isdir(_expand(value, environ))
        paths = [value] if is_folder else [part.strip() for part in value.split(",")]
        return [absolute(_expand(path, environ), "CLAUDE_CONFIG_DIR") for path in paths if path]
    return [os.path.join(xdg_dir(environ, "CONFIG", ".config"), "claude"), os.path.join(home_dir(environ), ".claude")]


def absolute(path: str, named_by: str) -> str:
    """Return the absolute form of a path that a user typed. Raises UsageError, naming *named_by*, if the path is
    relative and the working directory no longer exists."""
    try:
        return os.path.abspath(os.path.expanduser(path))
    except OSError:
        from .errors import UsageError

        raise UsageError(f"{named_by} {path!r}: the working directory is gone") from None


def _projects_folder(folder: str) -> str:
    return folder if os.path.basename(folder.rstrip(os.sep)) == "projects" else os.path.join(folder, "projects")


def home_dir(environ: Mapping[str, str]) -> str:
    """Return the user's home, absolute: HOME, else that of the password database, else NO_HOME."""
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        home = _password_home()
    return home if os.path.isabs(home) else NO_HOME


def _password_home() -> str:
    if sys.platform != "win32":
        from pwd import getpwuid

        try:
            return getpwuid(os.getuid()).pw_dir
        except KeyError:
            return ""
    return os.path.expanduser("~")


def xdg_dir(environ: Mapping[str, str], kind: str, usual: str) -> str:
    """Return a base folder: `XDG_<kind>_HOME`, else *usual* in the home. A relative value is ignored, as the XDG
    standard demands: the working directory may be anybody's repository."""
    path = _expand(environ.get(f"XDG_{kind}_HOME", ""), environ)
    return path if os.path.isabs(path) else os.path.join(home_dir(environ), usual)


def absolute_from(environ: Mapping[str, str], variable: str) -> str:
    """Return the absolute path in one of our variables, "" if it is not set. Raises UserError for a relative one,
    because the working directory may be anybody's repository."""
    value = environ.get(variable, "")
    path = _expand(value, environ)
    if value and not os.path.isabs(path):
        from .errors import UserError

        raise UserError(f"{variable} has to be an absolute path, not {value!r}")
    return os.path.abspath(path) if value else ""


def _expand(path: str, environ: Mapping[str, str]) -> str:
    if path == "~" or path.startswith("~/"):
        return home_dir(environ) + path[1:]
    return os.path.expanduser(path)


def state_dir(environ: Mapping[str, str]) -> str:
    """Return our state directory: `CCUSAGE_STATE_DIR`, else the user's. Raises UserError like `absolute_from`."""
    path = absolute_from(environ, "CCUSAGE_STATE_DIR")
    if path:
        return path
    if sys.platform == "win32" or sys.platform == "darwin":
        from platformdirs import user_state_dir

        return user_state_dir(APP, appauthor=False)
    return os.path.join(xdg_dir(environ, "STATE", os.path.join(".local", "state")), APP)


def index_dir(environ: Mapping[str, str], roots: Iterable[str] | None = None) -> str:
    """Return the folder of the index of a set of data directories, so that answers of different sets never mix.

    Pass *roots*, sorted, if you also read transcripts below them: a link that is switched between two calls of
    `data_dirs` would put the transcripts of one set into the index of another.
    """
    from .files import digest_bytes

    names = b"\0".join(os.fsencode(path) for path in (data_dirs(environ) if roots is None else roots))
    return os.path.join(state_dir(environ), digest_bytes(names).hex()[:16])
