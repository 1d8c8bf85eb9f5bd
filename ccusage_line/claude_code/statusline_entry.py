"""The statusLine in Claude Code's settings: which one is ours, and the command that ours runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from io import StringIO

from ..errors import UserError

MODULE = "ccusage_line"
_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # the folder that holds the package
_NAMES = ("ccusage", "ccusage.exe")
_CACHES = {".cache", "Caches", "cache", "Cache", "archive-v0"}
_LITERAL = re.compile(r"'[^']*'|\\.|\"(?:[^\"\\$`]|\\[^$`\n])*\"", re.DOTALL)  # text that a shell and shlex read alike
_SHELL_SYNTAX = re.compile(r"[|&;<>()$`\n\"]")
_MAX_BYTES = 1 << 20  # bytes of a launcher: a script, on Windows after a stub of 100 KB


# --- our own command ---------------------------------------------------------------------------------------------


def executable() -> str:
    """Return the absolute path of our command. Raises UserError if there is only the module to run."""
    launcher = _launcher()
    if launcher is None:
        raise UserError(f"no command `ccusage` beside {sys.executable} or on PATH; install ccusage-line again")
    return launcher


def command(options: str = "") -> str:
    """Return the statusline's command line; *options* are words for the shell."""
    return f"{program()} statusline {options}".rstrip()


def program() -> str:
    """Return our own command as words for the shell that Claude Code uses."""
    launcher = _launcher()
    if launcher is not None:
        return as_word(launcher)
    # by its folder, because `-m` would run a module of our name in the working directory
    return f"{as_word(sys.executable)} -I {as_word(_FOLDER)}"


def _launcher() -> str | None:
    """Return the command that was called, else the one beside its Python, else the first on PATH if it is ours."""
    called = sys.argv[0]
    if os.path.basename(called) in _NAMES:
        path = called if os.path.dirname(called) else _on_path(called)
        if path and os.path.isfile(path):
            return os.path.abspath(path)
    for name in _NAMES:
        beside = os.path.join(os.path.dirname(sys.executable), name)
        if os.path.isfile(beside) and launches_us(beside):
            return os.path.abspath(beside)
    path = _on_path(_NAMES[0])  # as `pip install --user` leaves it
    return path if path and launches_us(path) else None


def _on_path(name: str) -> str | None:
    """Return a program's absolute path on PATH, or None if it is in the working directory (Windows, or "." on PATH)."""
    path = shutil.which(name)
    return path if path and os.path.isabs(path) else None


def is_in_cache(path: str) -> bool:
    """Return whether a path is in the cache of a package runner (uvx, pipx run), which deletes it some day."""
    return not _CACHES.isdisjoint(path.replace("\\", "/").split("/"))


def maintenance_commands(python: str) -> dict[str, str]:
    """Return the commands that maintain the installation of *python*, made by uv, by pipx or else by pip: `path` puts
    its launcher's folder on PATH, `renew` writes the launcher again, `update` installs a newer version."""
    prefix = os.path.dirname(os.path.dirname(python))
    if os.path.exists(os.path.join(prefix, "uv-receipt.toml")):
        update = "uv tool upgrade ccusage-line"
        return {"path": "uv tool update-shell", "renew": f"{update} --reinstall", "update": update}
    if os.path.exists(os.path.join(prefix, "pipx_metadata.json")):
        renew = "pipx upgrade-shared && pipx reinstall ccusage-line"
        return {"path": "pipx ensurepath", "renew": renew, "update": "pipx upgrade ccusage-line"}
    pip, source = f"{shlex.quote(python)} -m pip install", _source(prefix)
    renew = f"{pip} -U pip && {pip} --force-reinstall --no-deps {source}"
    folder = os.path.dirname(_launcher() or python)
    return {"path": path_command(folder), "renew": renew, "update": f"{pip} -U {source}"}


def _source(prefix: str) -> str:
    """Return what pip has to install again: the folder that it installed from (PEP 610), else the package's name."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.request import url2pathname

    try:
        record = json.loads(distribution("ccusage-line").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError, OSError):
        return "ccusage-line"
    scheme, _, path = str(record.get("url")).partition("://")
    if scheme != "file" or prefix != os.path.dirname(os.path.dirname(sys.executable)):
        return "ccusage-line"
    editable = "-e " if record.get("dir_info", {}).get("editable") else ""
    return editable + shlex.quote(url2pathname(path))


def path_command(folder: str) -> str:
    """Return the command that puts a folder in front of PATH."""
    return f'export PATH={shlex.quote(folder)}:"$PATH"'


def launcher_python(launcher: bytes) -> str:
    """Return the interpreter that a launcher names, else ours."""
    first = os.fsdecode(launcher.partition(b"\n")[0]).strip()
    return first[2:] if first.startswith("#!/") and " " not in first else sys.executable


def as_word(path: str, windows: bool = os.name == "nt") -> str:
    """Return *path* as one word of /bin/sh; on Windows with slashes, as Git Bash and PowerShell read them both."""
    return shlex.quote(path.replace("\\", "/") if windows else path)


# --- a statusLine ------------------------------------------------------------------------------------------------


def command_words(value: object) -> list[str]:
    """Return the words of a statusLine's command without variables set before it, or [] if it is no command."""
    return _split_command(value)[1]


def _split_command(value: object) -> tuple[str, list[str]]:
    """Return the variables set before a statusLine's command, as they are written, and the command's words."""
    text = value.get("command") if isinstance(value, dict) else None
    if not isinstance(text, str):
        return "", []
    stream = StringIO(text)
    words = shlex.shlex(stream, posix=True)
    words.whitespace_split, words.commenters = True, ""
    begin = 0
    try:
        while "=" in (word := words.get_token() or "") and word.partition("=")[0].isidentifier():
            begin = stream.tell()
        return text[:begin], [word, *words] if word else []
    except ValueError:
        return "", []


def reusable_parts(value: object) -> tuple[str, list[str]] | None:
    """Return what a new statusLine keeps of ours: the variables set before it, as they are written, and its options.

    Returns None if there is more, which would be lost: other words, a redirection, another command after it.
    """
    variables, words = _split_command(value)
    place = words.index("statusline")
    command = value["command"][len(variables) :].strip() if isinstance(value, dict) else ""
    is_whole = words[1:place] in ([], ["-m", MODULE], ["-I", words[place - 1]])
    return (variables, words[place + 1 :]) if is_whole and not _SHELL_SYNTAX.search(_LITERAL.sub("", command)) else None


def is_ours(value: object, search: str | None = None) -> bool:
    """Return whether a statusLine runs this program, by its path or by a launcher of this package.

    A command named `ccusage` that does not exist counts as ours. *search* replaces PATH.
    """
    words = command_words(value)
    if "statusline" not in words[1:]:
        return False
    if words[1:3] == ["-m", MODULE] or (words[1] == "-I" and os.path.basename(words[2]) == MODULE):
        return True
    path = find_program(words[0], search)
    if path is None:
        return os.path.basename(words[0]) in _NAMES
    return launches_us(path) or os.path.realpath(path) == os.path.realpath(_launcher() or "")


def find_program(word: str, search: str | None = None) -> str | None:
    return shutil.which(os.path.expanduser(word), path=search)


def launches_us(path: str) -> bool:
    return MODULE.encode() in launcher_text(path)


def launcher_text(path: str) -> bytes:
    """Return the contents of a launcher, b"" if it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return b""
