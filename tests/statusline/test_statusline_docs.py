"""What docs/statusline.md says is true."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from ccusage_line.statusline.fields import SEGMENTS
from ccusage_line.statusline.line import DEFAULT, render
from ccusage_line.statusline.options import WANTS, parse_options
from ccusage_line.statusline.presets import PRESETS
from ccusage_line.statusline.segments import CORE
from ccusage_line.statusline.template import Template
from conftest import ROOT
from processes import load_tool
from statusline_samples import ENVIRON, NOW, numbers, payload

DOCUMENT = (ROOT / "docs" / "statusline.md").read_text(encoding="utf-8")
TOOL = ROOT / "tools" / "make_pictures.py"


PICTURES = load_tool(TOOL)
GALLERY = PICTURES.gallery()


def plain(*argv: str) -> str:
    options = parse_options(["--no-color", *argv])
    assert options is not None
    return render(payload(), numbers(), options, ENVIRON, NOW)


def test_the_gallery_has_five_lines() -> None:
    assert len(GALLERY) == len(re.findall("^### ", DOCUMENT, re.MULTILINE)) == 5


@pytest.mark.parametrize("example", GALLERY, ids=lambda example: example.title)
def test_a_line_of_the_gallery_is_what_it_says(example: tuple[str, list[str], str]) -> None:
    _, argv, promised = example
    assert plain(*argv) == promised


def test_the_default_line_and_its_template_are_those_of_the_document() -> None:
    line, template = re.findall(r"^```text\n(\[?🤖 .+)\n```", DOCUMENT, re.MULTILINE)
    assert plain() == line
    assert template == PRESETS["default"]
    assert Template(template).lines == [list(DEFAULT)]


def test_every_segment_is_documented_with_what_it_shows() -> None:
    rows = re.findall(r"^\| `\{(\w+)\}` \| `(.+?)` \|", DOCUMENT, re.MULTILINE)
    assert [name for name, _ in rows] == list(SEGMENTS)
    for name, example in rows:
        assert plain("--format", f"{{{name}}}") == example


def fields(given: object, before: str = "") -> list[str]:
    if not isinstance(given, dict):
        return [before]
    return [field for key, value in given.items() for field in fields(value, f"{before}.{key}".lstrip("."))]


def test_every_field_of_the_payload_is_shown_or_left_out_with_a_reason() -> None:
    table = DOCUMENT.partition("| field | shows in |\n")[2].partition("\n\n")[0]
    rows = [re.match(r"\| (.+?) \| (.+) \|$", row) for row in table.splitlines()[1:]]
    told = {name: row[2] for row in rows if row for name in re.findall(r"`([\w.]+)`", row[1])}
    for field in fields(payload()):
        parents = [field.rpartition(".")[0] if cut else field for cut in (False, True)]
        assert any(each in told for each in (*parents, field.partition(".")[0])), field
    shown = {name for text in told.values() for name in re.findall(r"\{(\w+)\}", text)}
    assert shown == set(SEGMENTS) - {"block_left"}


def test_the_order_in_which_segments_give_way_is_documented() -> None:
    rows = [
        re.findall(r"`(\w+)`", row)
        for row in re.findall(r"^\| (?:first|then|at last) \| (.+) \|$", DOCUMENT, re.MULTILINE)
    ]
    assert rows.pop(-2) == []  # the row about the words
    *before, core = rows
    ranks = [{SEGMENTS[name][0] for name in row} for row in before]
    assert ranks == [{rank} for rank in range(CORE)]
    assert core == sorted(core, key=lambda name: SEGMENTS[name][0])
    assert {name for row in rows for name in row} == set(SEGMENTS)


def test_every_option_is_documented() -> None:
    assert set(re.findall(r"^\| `(--[a-z-]+)`", DOCUMENT, re.MULTILINE)) == {*WANTS, "--no-color", "--preview"}


def test_the_pictures_are_what_the_statusline_prints() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    "name", ["statusline.svg", "statusline-gallery.svg", "statusline-presets-dark.svg", "statusline-presets-light.svg"]
)
def test_a_picture_is_an_svg_that_the_document_shows(name: str) -> None:
    root = ET.parse(ROOT / "docs" / name).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    shown = "".join(root.itertext()).replace(" ", "")
    assert "Opus4.5" in shown
    assert "$0.23" in shown
    assert f"]({name})" in DOCUMENT
