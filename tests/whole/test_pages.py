"""The man page and docs/commands.md, which tools/make_pages.py writes."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

MAN = ROOT / "docs" / "ccusage.1"


def test_the_pages_are_what_the_parser_says():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_pages.py"), "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_man_page_is_read_without_a_warning():
    done = subprocess.run(["groff", "-man", "-ww", "-Tascii", str(MAN)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "one session: its id or a part of it" in done.stdout


def test_the_man_page_is_installed_where_man_looks_for_it():
    assert f'"docs/{MAN.name}" = "share/man/man1/{MAN.name}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
