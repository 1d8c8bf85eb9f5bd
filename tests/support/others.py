"""Files of another user, and other things that only root, a namespace or strace can arrange."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OTHER = 4242  # a user without an entry in the password file

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can make another user's files"
)
as_nobody = ("unshare", "--user", f"--map-user={OTHER}")  # words that run a command as a user without an entry
with_namespaces = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*as_nobody, "true"], capture_output=True).returncode != 0,
    reason="unshare is not installed, or may not make a namespace of users",
)


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Yield a folder that other users can reach; only the tester can reach a test's usual folder."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def mounted(path: Path, options: str) -> Iterator[None]:
    """Mount a file system in memory at *path*."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"{options},mode=700", "tmpfs", str(path)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount file systems, on Linux")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def give(path: Path, owner: int = OTHER) -> Path:
    """Change the owner of *path* and everything below it, and return *path*."""
    for place in (path, *path.rglob("*")):
        os.chown(place, owner, owner, follow_symlinks=False)
    return path


def owners(path: Path) -> set[int]:
    """Return the owners of all files and folders at and below *path*."""
    return {place.lstat().st_uid for place in (path, *path.rglob("*"))}


def listing(path: Path) -> dict[str, tuple[int, int, int, bytes | None]]:
    """Return owner, mode, time of change and bytes of everything at and below *path*."""
    return {str(place): _told(place) for place in _all(path)}


def _all(path: Path) -> Iterator[Path]:
    yield path
    yield from path.rglob("*")


def _told(place: Path) -> tuple[int, int, int, bytes | None]:
    stat = place.lstat()
    data = place.read_bytes() if place.is_file() and not place.is_symlink() else None
    return stat.st_uid, stat.st_mode, stat.st_mtime_ns, data
