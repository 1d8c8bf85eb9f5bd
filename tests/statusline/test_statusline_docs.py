"""What docs/statusline.md says is so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from ccusage_line.statusline.line import SEGMENTS, WANTS, parse_options, render
from conftest import ROOT
from statusline_samples import ENVIRON, NOW, numbers, payload

DOCUMENT = (ROOT / "docs" / "statusline.md").read_text(encoding="utf-8")
TOOL = ROOT / "tools" / "make_pictures.py"


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_pictures", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PICTURES = tool()
GALLERY = PICTURES.gallery()


def plain(*argv: str) -> str:
    options = parse_options(["--no-color", *argv])
    assert options is not None
    return render(payload() | {"worktree": {"branch": "cart-rounding"}}, numbers(), options, ENVIRON, NOW)


def test_the_gallery_has_five_lines() -> None:
    assert len(GALLERY) == len(re.findall("^### ", DOCUMENT, re.MULTILINE)) == 5


@pytest.mark.parametrize("example", GALLERY, ids=lambda example: example.title)
def test_a_line_of_the_gallery_is_what_it_says(example: tuple[str, list[str], str]) -> None:
    _, argv, promised = example
    assert plain(*argv) == promised


def test_the_default_line_and_its_template_are_those_of_the_document() -> None:
    line, template = re.findall(r"^```text\n(🤖 .+)\n```", DOCUMENT, re.MULTILINE)
    assert plain() == plain("--format", template) == line


def test_every_segment_is_documented_with_what_it_shows() -> None:
    rows = re.findall(r"^\| `\{(\w+)\}` \| `(.+?)` \|", DOCUMENT, re.MULTILINE)
    assert [name for name, _ in rows] == list(SEGMENTS)
    for name, example in rows:
        assert plain("--format", f"{{{name}}}") == example


def test_every_option_is_documented() -> None:
    assert set(re.findall(r"^\| `(--[a-z-]+)`", DOCUMENT, re.MULTILINE)) == {*WANTS, "--no-color"}


def test_the_pictures_are_what_the_statusline_prints() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize("name", ["statusline.svg", "statusline-gallery.svg"])
def test_a_picture_is_an_svg_that_the_document_shows(name: str) -> None:
    root = ET.parse(ROOT / "docs" / name).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    shown = "".join(root.itertext()).replace(" ", "")
    assert "Opus4.5" in shown
    assert "$0.23" in shown
    assert f"]({name})" in DOCUMENT
