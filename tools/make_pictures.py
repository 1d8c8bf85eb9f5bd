"""Draw the pictures of the statusline and the reports in docs/ from real output.

    python tools/make_pictures.py            write them
    python tools/make_pictures.py --check    exit 1 if they are out of date

The statuslines are those of docs/statusline.md, rendered from the sample that the tests use; the reports are of a
made-up half year.
"""

from __future__ import annotations

import random
import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from ccusage_line.clock import day_of  # noqa: E402
from ccusage_line.index.slots import Row, Sums  # noqa: E402
from ccusage_line.prompt.line import default_text  # noqa: E402
from ccusage_line.report import block_table, live, period_table, sessions  # noqa: E402
from ccusage_line.report.blocks import Block, add_gaps, edges, set_pauses, set_usage  # noqa: E402
from ccusage_line.report.grid import Look  # noqa: E402
from ccusage_line.report.periods import Periods, day_number  # noqa: E402
from ccusage_line.report.usage import shares  # noqa: E402
from ccusage_line.session import PICO, ModelUsage, Session  # noqa: E402
from ccusage_line.statusline.line import render  # noqa: E402
from ccusage_line.statusline.options import parse_options  # noqa: E402
from ccusage_line.statusline.presets import PRESETS  # noqa: E402
from ccusage_line.text import display_width  # noqa: E402
from live_sample import picture  # noqa: E402
from statusline_samples import ENVIRON, NOW, numbers, payload  # noqa: E402

DOCUMENT = ROOT / "docs" / "statusline.md"
CELL, HEIGHT, SIZE, EDGE = 8.4, 24, 14, 20  # pixels
INK, FRAME, FAINT = "ink", "frame", "faint"  # colours of a row: names of fields of a theme
ARROW = "\ue0b0"  # of Powerline fonts; drawn here as a polygon
EMOJI = "Apple Color Emoji, Segoe UI Emoji, Noto Color Emoji, sans-serif"  # other fonts may draw emoji without colour
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m")
LINK = re.compile(r"\x1b]8;;[^\x1b]*\x1b\\")


class Theme(NamedTuple):
    """The colours of a terminal; `palette` is from red to cyan."""

    ink: str
    paper: str
    frame: str
    faint: str
    palette: tuple[str, str, str, str, str, str]

    def colour(self, code: int) -> str:
        """Return one of the 256 colours: from the palette, the cube or the greys."""
        if code < 16:
            return self.palette[code - 1]
        if code >= 232:
            return "#" + f"{8 + 10 * (code - 232):02x}" * 3
        steps = (0, 95, 135, 175, 215, 255)
        return "#" + "".join(f"{steps[(code - 16) // place % 6]:02x}" for place in (36, 6, 1))


DARK = Theme(
    *("#d1d5db", "#111827", "#374151", "#9ca3af"), ("#f87171", "#4ade80", "#facc15", "#60a5fa", "#c084fc", "#22d3ee")
)
LIGHT = Theme(
    *("#1f2937", "#ffffff", "#d1d5db", "#6b7280"), ("#b91c1c", "#15803d", "#a16207", "#1d4ed8", "#7e22ce", "#0e7490")
)


class Example(NamedTuple):
    """One entry of the gallery: its heading, its options, and the line that the document shows."""

    title: str
    argv: list[str]
    promised: str


def gallery() -> list[Example]:
    """Return the gallery of docs/statusline.md."""
    pattern = r"^### (.+?)\n\n```sh\nccusage statusline (.+?)\n```\n\n```text\n(.+?)\n```"
    found = re.findall(pattern, DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Example(title, shlex.split(options), promised) for title, options, promised in found]


def rendered(argv: list[str]) -> str:
    """Return the line that these options make of the sample."""
    options = parse_options(argv)
    if options is None:
        raise SystemExit(f"not options of the statusline: {argv}")
    return render(payload(), numbers(), options, ENVIRON, NOW)


def pieces(line: str, theme: Theme) -> list[tuple[str, str, str]]:
    """Return (text, SVG attributes, background colour) of each run of characters of one style."""
    found, ink, bold, ground = [], "", "", ""
    for at, part in enumerate(SEQUENCE.split(LINK.sub("", line))):
        if at % 2 == 0:
            found.append((part, (f' fill="{ink}"' if ink else "") + bold, ground))
            continue
        codes = [int(code or 0) for code in part.split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                ink, bold, ground = "", "", ""
            elif code == 1:
                bold = ' font-weight="bold"'
            elif code == 2:
                ink = theme.faint
            elif 31 <= code <= 36:
                ink = theme.colour(code - 30)
            elif code in (38, 48):  # followed by 5 and the number of one of the 256
                ink, ground = (theme.colour(codes[1]), ground) if code == 38 else (ink, theme.colour(codes[1]))
                del codes[:2]
    return [piece for piece in found if piece[0]]


def text_of(line: str, x: float, y: float, ink: str, theme: Theme) -> str:
    """Return one line as SVG, with every character on the grid of a terminal, whatever the font."""
    spans, shapes, column = [], [], 0
    for text, style, ground in pieces(line, theme):
        left, top = x + column * CELL, y - 0.7 * HEIGHT
        if ground:
            size = f'width="{display_width(text) * CELL + 0.3:.1f}" height="{HEIGHT}"'
            shapes.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{ground}"/>')
        for run in re.findall(r"[\x20-\x7e]+|─+|[^\x20-\x7e]", text):
            width = display_width(run)
            left = x + column * CELL
            if run == ARROW:
                corners = f"{left:.1f},{top:.1f} {left + CELL:.1f},{top + HEIGHT / 2:.1f} {left:.1f},{top + HEIGHT:.1f}"
                shapes.append(f'<polygon points="{corners}"{style}/>')
            elif run.strip():
                place = f'x="{left:.1f}" textLength="{width * CELL:.1f}"'
                place += f' font-family="{EMOJI}"' * (width == 2 * len(run))
                spans.append(f"<tspan {place}{style}>{escape(run)}</tspan>")
            column += width
    return "".join(shapes) + f'<text y="{y:.1f}" fill="{ink}" xml:space="preserve">{"".join(spans)}</text>'


def drawing(rows: list[tuple[str, str]], title: str, theme: Theme = DARK) -> str:
    """Return an SVG of (line, ink) rows on a card."""
    columns = max(display_width(LINK.sub("", SEQUENCE.sub("", line))) for line, _ in rows)
    width, height = columns * CELL + 2 * EDGE, len(rows) * HEIGHT + 2 * EDGE
    body = [
        text_of(line, EDGE, EDGE + (at + 0.7) * HEIGHT, getattr(theme, ink), theme)
        for at, (line, ink) in enumerate(rows)
        if line
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
            f' height="{height:.0f}" role="img" aria-label="{escape(title)}"'
            f' font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}">',
            f"<title>{escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="10" fill="{theme.paper}"'
            f' stroke="{theme.frame}"/>',
            *body,
            "</svg>\n",
        ]
    )


HOUR = 3_600_000_000  # microseconds
CENT = PICO // 100
TODAY = day_number("2026-11-20")
MODELS = ("claude-opus-4-5-20251101", "claude-haiku-4-5-20251001")


def used(dice: random.Random, period: int, first: int, last: int, scale: float) -> Row:
    """Return what was used in one period."""
    sums = []
    for model, share in zip(MODELS, (1.0, 0.2), strict=True):
        tokens = [int(scale * share * dice.uniform(0.5, 1.5) * most) for most in (9_000, 90_000, 700_000, 9_000_000)]
        cost = int(scale * share * dice.uniform(5, 9) * 10**12)
        sums.append(Sums(model, *tokens, cost, 40, 0, 0, first, last))
    return Row(period, None, 1, sums)


def by_day() -> list[str]:
    """Return the report of the last days with bars, and the calendar of half a year."""
    dice, periods = random.Random(20), Periods("day", "UTC", "monday")
    days = [day for day in range(TODAY - 190, TODAY + 1) if dice.random() < (0.8 if (day + 3) % 7 < 5 else 0.3)]
    rows = [used(dice, day, 0, 0, dice.expovariate(1) + 0.1) for day in days]
    everything = shares(rows, lambda day: day)
    looks = [Look(121, color=True, chart=chart) for chart in ("bars", "heat")]
    hours = {hour: (14 - abs(hour - 14)) ** 3 * 10**10 for hour in range(7, 22)}
    newest, table = everything[-6:], "Claude Code Token Usage Report - Daily"
    below = [
        period_table.chart_lines(of, periods, look, today=TODAY, hours=hours)
        for of, look in zip((newest, everything), looks, strict=True)
    ]
    return [*period_table.render(table, {"": newest}, periods, looks[0], below[0]).splitlines(), "", *below[1]]


def by_block() -> list[str]:
    """Return the report of the blocks of three days, and the current block as a card."""
    dice, periods, look = random.Random(9), Periods("day", "UTC"), Look(116, color=True)
    now = (TODAY * 24 + 12) * HOUR
    blocks = [Block(now + begin * HOUR, now + (begin + 5) * HOUR) for begin in (-47, -29, -22, -3)]
    starts = edges(blocks, now)
    rows = [used(dice, starts.index(b.start), b.start + HOUR // 10, b.start + 2 * HOUR, 1.2) for b in blocks]
    set_usage(blocks, rows, starts, now)
    set_pauses(blocks)
    title = "Claude Code Token Usage Report - Session Blocks"
    table = block_table.render(title, {"": add_gaps(blocks, 5 * HOUR)}, periods, look, now, None)
    card = block_table.card(title, blocks[-1], periods, look, now, None, {})
    return [*table.splitlines(), "", *card.splitlines()[3:]]


def by_session() -> list[str]:
    """Return the report that plain `ccusage` prints."""
    dice, made = random.Random(3), []
    spent = (("webshop", 3412, 240), ("webshop", 1870), ("notes", 655, 88), ("infra", 231))  # in cents, by model
    for ago, (project, *cents) in enumerate(spent):
        id = f"5f0c9a1e-7b42-4c1d-{dice.randrange(0x8000, 0xC000):x}-{dice.randrange(16**12):012x}"
        models = []
        for model, cost in zip(MODELS, cents, strict=False):
            tokens = [int(cost * most * dice.uniform(0.6, 1.4)) for most in (30, 130, 900, 11_000)]
            models.append(ModelUsage(model, *tokens, cost * CENT))
        last = (TODAY - ago) * 24 * HOUR
        made.append(Session(id, models, last, last, f"/home/ada/{project}"))
    return sessions.render_list(made, width=126, day_of=day_of("UTC"), color=True).splitlines()


def at_prompt() -> list[str]:
    """Return the prompts of a zsh in a project, before and after Claude Code has worked."""
    rows = []
    for typed, cents, today, context in (("git pull", 23, 123, 12), ("make test", 412, 512, 61), ("", 412, 512, 61)):
        left = f"\x1b[1m\x1b[34m~/webshop\x1b[0m $ {typed}"
        right = default_text(Session("", [ModelUsage(MODELS[0], cost=cents * CENT)]), (today * CENT, False), context)
        space = 84 - display_width(SEQUENCE.sub("", left + right))
        rows += [f"{left}{' ' * space}{right}"]
    return rows


def live_frame() -> list[str]:
    """Return one frame of the live view."""
    foot = live.KEYS, "every 2 s, 4 ms"
    return live.frame(picture(), Look(100, color=True), 16, foot=foot)


def titled(lines: list[tuple[str, list[str]]]) -> list[tuple[str, str]]:
    """Return the rows of statuslines, each below its title, from their titles and options."""
    rows: list[tuple[str, str]] = []
    for title, argv in lines:
        rows += [("", INK)] * bool(rows) + [(title, FAINT), *((row, INK) for row in rendered(argv).split("\n"))]
    return rows


def pictures() -> dict[Path, str]:
    """Return the contents of each picture file."""
    line = rendered([])
    rule = "─" * display_width(SEQUENCE.sub("", line))
    prompt = [(rule, FRAME), ("> make the cart round half up", INK), (rule, FRAME), (line, INK)]
    examples = [(example.title, example.argv) for example in gallery()]
    presets = titled([(name, ["--preset", name]) for name in PRESETS])
    return {
        ROOT / "docs" / "statusline-presets-dark.svg": drawing(presets, "the presets of the statusline on dark", DARK),
        ROOT / "docs" / "statusline-presets-light.svg": drawing(
            presets, "the presets of the statusline on light", LIGHT
        ),
        ROOT / "docs" / "statusline.svg": drawing(prompt, "the statusline of ccusage below Claude Code's prompt"),
        ROOT / "docs" / "statusline-gallery.svg": drawing(titled(examples), "statuslines made with templates"),
        ROOT / "docs" / "report.svg": drawing([(line, INK) for line in by_session()], "the report of all sessions"),
        ROOT / "docs" / "prompt.svg": drawing([(line, INK) for line in at_prompt()], "the segment in a shell's prompt"),
        ROOT / "docs" / "daily.svg": drawing(
            [(line, INK) for line in by_day()], "a report by day, with bars and a calendar"
        ),
        ROOT / "docs" / "live.svg": drawing([(line, INK) for line in live_frame()], "the live view"),
        ROOT / "docs" / "blocks.svg": drawing([(line, INK) for line in by_block()], "a report by 5-hour block"),
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
