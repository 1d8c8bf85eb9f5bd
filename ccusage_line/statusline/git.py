"""The branch or commit that is checked out in a folder, read from `.git` without starting git.

On the lean lanes. Every search and every read is bounded; unexpected contents count as no branch.
"""

from __future__ import annotations

import os

from ..files import read_part

HIGHEST = 64  # parent folders to search
_LONGEST = 4096  # bytes of a HEAD or of a worktree's `.git`
_SHORT = 7  # characters of a commit's hash


def head(folder: str) -> str | None:
    """Return the branch of the work tree that holds *folder*, the short hash if HEAD is detached, None outside git."""
    if not os.path.isabs(folder) or "\0" in folder:
        return None
    for _ in range(HIGHEST):
        contents = _read(os.path.join(_git_folder(folder), "HEAD"))
        if contents is not None:
            return _name(contents)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return None


def _git_folder(folder: str) -> str:
    """Return `.git` itself, or the folder to which the `.git` file of a work tree or submodule points."""
    path = os.path.join(folder, ".git")
    contents = _read(path)
    if contents is not None and contents.startswith("gitdir:"):
        return os.path.join(folder, contents[len("gitdir:") :].strip())
    return path


def _name(head: str) -> str | None:
    head = head.strip()
    if head.startswith("ref:"):
        ref = head.removeprefix("ref:").strip()
        name = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ref.removeprefix("refs/")
        return name if name and name != ".invalid" else None  # git's placeholder if refs are stored elsewhere
    if len(head) in (40, 64) and all(c in "0123456789abcdef" for c in head):
        return head[:_SHORT]
    return None


def _read(path: str) -> str | None:
    try:
        return read_part(path, _LONGEST, 0).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
