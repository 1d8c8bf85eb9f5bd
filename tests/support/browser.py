"""Check the pages of `session --html` in Chromium; run by hand, because a browser takes long to install.

    python tests/support/browser.py FOLDER        write pictures of each page to FOLDER, faults to stdout

The pages are the sample and a history with strange titles, at 400, 1000 and 1600 pixels, light and dark. The exit code
is 1 if a page is wider than its window, if its own script did not run, if something in it broke its policy, or if a
script of a transcript ran.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from lines import ID, line

WIDTHS, SCHEMES = (400, 1000, 1600), ("dark", "light")  # Chromium numbers the schemes in this order
STRANGE = (
    "</script><script>document.title='ran'</script>",
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='ran'\">",
)
LONG = "word" * 400
MEASURE = """<script>onload = () => {
  const pages = [...document.querySelectorAll("iframe")].map((frame) => frame.contentDocument);
  const rows = () => [...pages[0].querySelectorAll("#sessions tbody tr")];
  const tokens = () => rows().map((row) => +row.cells[3].textContent.replaceAll(",", ""));
  const [field, buttons] = [pages[0].querySelector("input"), pages[0].querySelectorAll("#sessions button")];
  const wanted = tokens().sort((a, b) => b - a), told = pages.map((page) => page.documentElement.scrollWidth);
  buttons[3].click();
  told.push(+(String(tokens()) === String(wanted)));
  buttons[3].click();
  told.push(+(String(tokens()) === String(wanted.reverse())));
  field.value = rows()[1].cells[6].textContent.toUpperCase();
  field.dispatchEvent(new Event("input"));
  told.push(rows().filter((row) => row.offsetHeight).length);
  document.title = told;
}</script>"""


def pages(folder: Path) -> list[Path]:
    """Write two pages, one of the sample and one of sessions with strange or long titles, models and folders."""
    data = folder / "data" / "projects" / "p"
    data.mkdir(parents=True)
    for n, text in enumerate((*STRANGE, LONG, f"{LONG} {LONG}", "לתקן את הבדיקות")):
        id = f"{n}{ID[1:]}"
        titled = json.dumps({"type": "custom-title", "customTitle": text, "sessionId": id}) + "\n"
        (data / f"{id}.jsonl").write_text(line(f"m{n}", f"r{n}", id, model=text, cwd=f"/{text}") + titled)
    environ = os.environ | {"CLAUDE_CONFIG_DIR": str(data.parent.parent), "CCUSAGE_STATE_DIR": str(folder / "state")}
    made = []
    for command in ("demo", "session"):
        made.append(folder / f"{command}.html")
        words = [sys.executable, "-m", "ccusage_line", command, "--offline", "--html", str(made[-1])]
        subprocess.run(words, env=environ, check=True)
    return made


def chromium(*words: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as profile:
        browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
        usual = (
            "--headless=new",
            "--no-sandbox",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
        )
        return subprocess.run([browser, *usual, *words], capture_output=True, text=True, timeout=120, check=True)


def faults(page: Path) -> list[str]:
    found = []
    for width in WIDTHS:
        for number, scheme in enumerate(SCHEMES):
            look = (f"--window-size={width},2400", f"--blink-settings=preferredColorScheme={number}")
            picture = page.with_name(f"{page.stem}-{width}-{scheme}.png")
            said = chromium(*look, f"--screenshot={picture}", page.as_uri()).stderr
            found += [f"{picture.name}: {text}" for text in said.splitlines() if "CONSOLE" in text]
    shown = chromium("--dump-dom", page.as_uri()).stdout
    if "<title>Claude Code usage</title>" not in shown:
        found.append(f"{page.name}: a script of a transcript ran")
    if shown.count("<button>") != 7:
        found.append(f"{page.name}: its own script did not run")
    frames = "".join(
        f'<iframe width={width} height=900 srcdoc="{escape(page.read_text())}"></iframe>' for width in WIDTHS
    )
    measured = page.with_name("measured.html")  # in frames, because a window is at least 500 pixels wide
    measured.write_text(f"<style>iframe {{ border: 0 }}</style>{frames}{MEASURE}")
    shown = chromium("--dump-dom", measured.as_uri()).stdout
    told = shown.partition("<title>")[2].partition("</title>")[0]
    wanted = ",".join(map(str, (*WIDTHS, 1, 1, 1)))  # sorted down, sorted up, one row left by the filter
    return found if told == wanted else [*found, f"{page.name}: {told}, not {wanted}"]


def main(folder: str) -> int:
    target = Path(folder).resolve()
    found = [fault for page in pages(target) for fault in faults(page)]
    print("\n".join(found) or f"no faults; look at the pictures in {target}")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
