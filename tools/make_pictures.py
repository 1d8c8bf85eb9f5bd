"""Draw docs/statusline.svg and docs/statusline-gallery.svg from what the statusline really prints.

    python tools/make_pictures.py            write both
    python tools/make_pictures.py --check    exit 1 where they are not what would be written

The lines are those of docs/statusline.md, over the sample that the tests use.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from ccusage_line.statusline import line as statusline  # noqa: E402
from ccusage_line.text import display_width  # noqa: E402
from statusline_samples import ENVIRON, NOW, numbers, payload  # noqa: E402

DOCUMENT = ROOT / "docs" / "statusline.md"
CELL, HEIGHT, SIZE, EDGE = 8.4, 24, 14, 20  # pixels
INK, PAPER, FRAME, FAINT = "#d1d5db", "#111827", "#374151", "#9ca3af"
COLOURS = {"31": "#f87171", "32": "#4ade80", "33": "#facc15", "34": "#60a5fa", "35": "#c084fc", "36": "#22d3ee"}
EMOJI = "Apple Color Emoji, Segoe UI Emoji, Noto Color Emoji, sans-serif"  # else a font may draw them without colour
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m")


class Example(NamedTuple):
    """One entry of the gallery: its heading, the options it shows and the line that the document promises."""

    title: str
    argv: list[str]
    promised: str


def gallery() -> list[Example]:
    """The gallery of the document."""
    pattern = r"^### (.+?)\n\n```sh\nccusage statusline (.+?)\n```\n\n```text\n(.+?)\n```"
    found = re.findall(pattern, DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Example(title, shlex.split(options), promised) for title, options, promised in found]


def rendered(argv: list[str]) -> str:
    """The line that these options make of the sample, in a folder whose branch is known."""
    options = statusline.parse_options(argv)
    if options is None:
        raise SystemExit(f"not options of the statusline: {argv}")
    given = payload() | {"worktree": {"branch": "cart-rounding"}}
    return statusline.render(given, numbers(), options, ENVIRON, NOW)


def pieces(line: str) -> list[tuple[str, str]]:
    """(text, SVG attributes) of each run of one style."""
    found, style = [], ""
    for at, part in enumerate(SEQUENCE.split(line)):
        if at % 2 == 0:
            found.append((part, style))
        elif part in COLOURS:
            style = f' fill="{COLOURS[part]}"'
        else:
            style = {"1": ' font-weight="bold"', "2": f' fill="{FAINT}"'}.get(part, "")
    return [(text, style) for text, style in found if text]


def text_of(line: str, x: float, y: float, ink: str = INK) -> str:
    """One line as SVG, every character on the grid of a terminal whatever the font."""
    spans, column = [], 0
    for text, style in pieces(line):
        for run in re.findall(r"[\x20-\x7e]+|─+|[^\x20-\x7e]", text):
            width = display_width(run)
            if run.strip():
                place = f'x="{x + column * CELL:.1f}" textLength="{width * CELL:.1f}"'
                place += f' font-family="{EMOJI}"' * (width == 2 * len(run))
                spans.append(f"<tspan {place}{style}>{escape(run)}</tspan>")
            column += width
    return f'<text y="{y:.1f}" fill="{ink}" xml:space="preserve">{"".join(spans)}</text>'


def drawing(rows: list[tuple[str, str]], title: str) -> str:
    """An SVG of (line, ink) rows on a dark card."""
    columns = max(display_width(SEQUENCE.sub("", line)) for line, _ in rows)
    width, height = columns * CELL + 2 * EDGE, len(rows) * HEIGHT + 2 * EDGE
    body = [text_of(line, EDGE, EDGE + (at + 0.7) * HEIGHT, ink) for at, (line, ink) in enumerate(rows) if line]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
            f' height="{height:.0f}" role="img" aria-label="{escape(title)}"'
            f' font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}">',
            f"<title>{escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="10" fill="{PAPER}"'
            f' stroke="{FRAME}"/>',
            *body,
            "</svg>\n",
        ]
    )


def pictures() -> dict[Path, str]:
    """What belongs into each file."""
    line = rendered([])
    rule = "─" * display_width(SEQUENCE.sub("", line))
    prompt = [(rule, FRAME), ("> make the cart round half up", INK), (rule, FRAME), (line, INK)]
    rows: list[tuple[str, str]] = []
    for example in gallery():
        rows += [("", INK)] * bool(rows) + [(example.title, FAINT), (rendered(example.argv), INK)]
    return {
        ROOT / "docs" / "statusline.svg": drawing(prompt, "the statusline of ccusage below Claude Code's prompt"),
        ROOT / "docs" / "statusline-gallery.svg": drawing(rows, "five statuslines made with templates"),
    }


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    stale = [path for path, svg in pictures().items() if not path.is_file() or path.read_text(encoding="utf-8") != svg]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date' if check else 'written'}")
        if not check:
            path.write_text(pictures()[path], encoding="utf-8", newline="\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
