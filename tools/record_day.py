"""Record a day in a shell, and draw docs/day.svg from what the screen showed.

    python tools/record_day.py            record and write the picture
    python tools/record_day.py --check    record; exit 1 if the picture is out of date

A zsh runs in a tmux pane, with `ccusage init zsh` in its start-up file and a home of its own, while transcripts grow as
Claude Code writes them. This needs tmux, zsh and what the tests need, and takes a few seconds.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from make_pictures import FAINT, INK, ROOT, SEQUENCE, drawing
from shells import World, moment, until

PICTURE = ROOT / "docs" / "day.svg"
TITLE = "a day in a shell whose prompt shows what the Claude Code session of the project costs"
COLUMNS, LINES = 84, 40
RC = "PROMPT='%B%F{blue}%~%f%b $ '\nunsetopt prompt_sp\n"


class Step(NamedTuple):
    """The explanation of a step, what is typed, and how the next right prompt begins; *growth* comes first."""

    told: str
    typed: str
    shown: str
    growth: tuple[str, int] | None = None  # a project, and the number of responses added to it


DAY = [
    Step("in a project: its newest session, and all of today's", "cd webshop", "$0.11 · $0.11 today"),
    Step("Claude Code has worked meanwhile: the prompt follows by itself", "ls", "$0.30 · $0.30 today", ("webshop", 5)),
    Step("below the project", "cd src/cart", "$0.30 · $0.30 today"),
    Step("another project", "cd ~/notes", "$0.07 · $0.37 today", ("notes", 2)),
    Step("no project", "cd ~/music", ""),
    Step("back again, after a long session", "cd ~/webshop", "$4.62 · $4.69 today", ("webshop", 60)),
]


class Client:
    """A client that writes the transcript of one session as Claude Code does."""

    def __init__(self, world: World, project: Path) -> None:
        self.cwd = project
        self.id = str(uuid.uuid4())
        self.path = world.transcript(project, self.id)
        self.parent: str | None = None
        self.read = 12_000  # tokens of the conversation so far

    def ask(self, prompt: str) -> None:
        """Write the line of a prompt that the user typed."""
        self._write({"type": "user", "message": {"role": "user", "content": prompt}})

    def respond(self) -> None:
        """Write a response in two lines with one message id, the second with its final count. It costs 3 to 10
        cents."""
        self.read += 2000
        ids = {"id": f"msg_{uuid.uuid4().hex}", "role": "assistant", "model": "claude-opus-4-5-20251101"}
        request = f"req_{uuid.uuid4().hex}"
        usage = {"input_tokens": 0, "cache_creation_input_tokens": 2000, "cache_read_input_tokens": self.read}
        for content, output, stop in (("thinking", 2, None), ("text", 600, "end_turn")):
            usage = usage | {"output_tokens": output}
            message = ids | {"content": [{"type": content, content: "..."}], "stop_reason": stop, "usage": usage}
            self._write({"type": "assistant", "requestId": request, "message": message})

    def _write(self, line: dict[str, object]) -> None:
        own = str(uuid.uuid4())
        line = {"parentUuid": self.parent, "isSidechain": False, **line, "uuid": own, "timestamp": moment()}
        line |= {"cwd": str(self.cwd), "sessionId": self.id, "version": "2.1.330"}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self.parent = own


class Pane:
    """A zsh in a tmux pane of its own server."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._tmux = ["tmux", "-S", str(world.home.parent / "socket"), "-f", str(world.home / "tmux.conf")]

    def tmux(self, *words: str) -> str:
        """Run a command of tmux and return its output."""
        ran = subprocess.run([*self._tmux, *words], env=self.world.environ, cwd=self.world.home, capture_output=True)
        return ran.stdout.decode()

    def rows(self) -> list[str]:
        """Return the rows of the screen, with their colours, without the empty ones at the end."""
        return [row.rstrip() for row in self.tmux("capture-pane", "-e", "-p").rstrip().split("\n")]

    def type(self, line: str, shown: str) -> list[str]:
        """Type *line* and return the rows from its prompt to the next one, when that shows *shown*."""
        refreshing = self.world.state / "prompt" / "refreshing"
        until(lambda: not refreshing.exists(), "the refresher of the last prompt ends")  # there is only one at a time
        before = len(self.rows())
        self.tmux("send-keys", line, "Enter")
        until(lambda: len(self.rows()) > before and self.shows(shown), f"{shown!r} after {line!r}")
        return self.rows()[before - 1 :]

    def shows(self, text: str) -> bool:
        """Return whether the last row is a prompt into which nothing is typed, with *text* on its right side."""
        prompt = re.fullmatch(r"~\S* \$ *(.*)", SEQUENCE.sub("", self.rows()[-1]))
        return prompt is not None and (prompt[1].startswith(text) if text else not prompt[1])


@contextmanager
def started(world: World) -> Iterator[Pane]:
    """Start a pane and yield it when it shows its first prompt."""
    (world.home / "tmux.conf").write_text("set -g status off\nset -g default-terminal screen-256color\n")
    (world.home / ".zshrc").write_text(RC + world.snippet("zsh"))
    pane = Pane(world)
    pane.tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "zsh", "-d", "-i")
    try:
        until(lambda: pane.shows(""), "the first prompt")
        yield pane
    finally:
        pane.tmux("kill-server")


def home(folder: Path) -> World:
    """Make a home in which it is about noon, so that the recording does not include midnight."""
    world = World(folder)
    world.environ["TZ"] = f"NOON{(time.gmtime().tm_hour - 12):+d}"
    for path in ("webshop/src/cart", "webshop/tests", "notes", "music"):
        world.project(path)
    return world


def record() -> list[tuple[str, str]]:
    """Return the rows of the picture with their ink: the explanation of each step, and what it showed on the screen."""
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="day-") as folder:
        world = home(Path(folder))
        clients = {name: Client(world, world.project(name)) for name in ("webshop", "notes")}
        work(clients["webshop"], 3)
        world.run("session")  # now the index is complete and a prompt has been shown before
        world.run("prompt", "--refresh")
        with started(world) as pane:
            for step in DAY:
                if step.growth:
                    work(clients[step.growth[0]], step.growth[1])
                screen = pane.type(step.typed, step.shown)
                rows += [("", INK)] * bool(rows) + [(step.told, FAINT)] + [(row, INK) for row in screen]
    return rows


def work(client: Client, responses: int) -> None:
    """Write a prompt and *responses* responses to it."""
    client.ask("make the cart round half up")
    for _ in range(responses):
        client.respond()


def main() -> int:
    for command in ("tmux", "zsh"):
        if shutil.which(command) is None:
            raise SystemExit(f"{command} is not installed")
    svg = drawing(record(), TITLE)
    if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == svg:
        return 0
    if sys.argv[1:] == ["--check"]:
        print(f"{PICTURE.relative_to(ROOT)}: out of date")
        return 1
    PICTURE.write_text(svg, encoding="utf-8", newline="\n")
    print(f"{PICTURE.relative_to(ROOT)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
