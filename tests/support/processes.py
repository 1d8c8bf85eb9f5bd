"""Run code in interpreters of their own, and load scripts that are in no package."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from conftest import ROOT


def bare_python(code: str, env: Mapping[str, str] | None = None, *args: str) -> str:
    """Return what *code* prints in a Python that has this package but no installed ones; fail if stderr is not
    empty."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, *args], capture_output=True, text=True, timeout=60, env=env
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def load_tool(path: Path) -> ModuleType:
    """Load a script beside the package as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module
