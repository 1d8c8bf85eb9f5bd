"""The finder of our own modules: it loads what Python would load, and never anything out of date."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ccusage_line import lean

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Path, Path], object]

SHOW = """
from toy import lean
lean.install()
from toy import one
from toy.room import two
import toy.room
for module in (one, two, toy.room):
    spec = module.__spec__
    print(type(spec.loader).__module__, module.__name__, module.__file__, module.__package__, spec.cached, module.MARK)
print("", toy.room.__path__)
"""
OURS = "toy.lean"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """Make a compiled package with the finder, a module and a subpackage."""
    folder = tmp_path / "toy"
    (folder / "room").mkdir(parents=True)
    shutil.copy(lean.__file__, folder)
    (folder / "__init__.py").touch()
    for name in ("one", "room/__init__", "room/two"):
        (folder / f"{name}.py").write_text("MARK = 'old'\n")
    subprocess.run([sys.executable, "-m", "compileall", "-q", folder], check=True, env=environ())
    return folder


def environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def shown(toy: Path, *options: str, code: str = SHOW) -> list[list[str]]:
    """Return for each module its loader's module, other facts that Python knows about it, and its mark."""
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=toy.parent, env=environ(), capture_output=True, text=True, check=True)
    return [row.split(" ") for row in done.stdout.splitlines()]


def test_modules_have_the_same_attributes_as_if_python_found_them(toy: Path) -> None:
    found, plain = shown(toy), shown(toy, code=SHOW.replace("lean.install()", ""))
    assert [row[0] for row in found[:-1]] == [OURS] * 3
    assert [row[1:] for row in found] == [row[1:] for row in plain]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda source, compiled: source.write_text("MARK = 'newer'\n"), id="source of another size"),
        pytest.param(lambda source, compiled: os.utime(source, (1, 1)), id="source of another time"),
        pytest.param(lambda source, compiled: compiled.unlink(), id="not compiled"),
        pytest.param(lambda source, compiled: compiled.write_bytes(bytes(4) + compiled.read_bytes()[4:]), id="magic"),
        pytest.param(lambda source, compiled: compiled.write_bytes(b""), id="empty"),
    ],
)
def test_a_module_with_an_unexpected_compiled_file_is_left_to_python(toy: Path, change: Change) -> None:
    source, compiled = toy / "one.py", next((toy / "__pycache__").glob("one.*.pyc"))
    change(source, compiled)
    one, two, *_ = shown(toy, "-B")
    assert one[0] != OURS
    assert one[-1] == source.read_text().split("'")[1]
    assert two[0] == OURS


def test_a_folder_for_compiled_files_leaves_everything_to_python(toy: Path, tmp_path: Path) -> None:
    assert OURS not in [row[0] for row in shown(toy, "-X", f"pycache_prefix={tmp_path / 'cache'}")]
