"""Measure what the prompt hook costs in each shell while nothing changes: microseconds per prompt, processes started.

    python benchmarks/prompt_hook.py [--prompts 2000] [--rounds 5]

Each shell in turn runs the hook many times and not at all; the cost is the difference of the medians. It is measured in
a project (where its line and eight files are examined_ns at), three folders below it, and outside of all projects.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ccusage_line.paths import index_dir, named_data_dirs
from ccusage_line.prompt import line as readyline
from ccusage_line.prompt import snippets

LOOPS = {
    "bash": "for ((i = 0; i < {n}; i++)); do __ccusage_hook; done",
    "zsh": "for ((i = 0; i < {n}; i++)); do __ccusage_hook; done",
    "fish": "for i in (seq {n}); __ccusage_hook; end",
}
START = {"bash": ["bash", "--norc", "--noprofile"], "zsh": ["zsh", "-f"], "fish": ["fish", "--no-config"]}
FILES = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=2000, help="prompts a run")
    parser.add_argument("--rounds", type=int, default=5, help="runs of which the median is taken")
    args = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    with tempfile.TemporaryDirectory(prefix="prompt-hook-") as folder:
        places, environ = _world(Path(folder))
        for shell in LOOPS:
            if shutil.which(shell) is None:
                print(f"{shell:<5} not installed")
                continue
            prices = {name: _price(shell, place, environ, args) for name, place in places.items()}
            print(f"{shell:<5}" + "".join(f"  {name} {price:6.1f} us" for name, price in prices.items()))
            _same(shell, places["in a project"], environ)
    return 0


def _world(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Make a home with a project whose line is ready; return the folders to measure in and the environment."""
    project = folder / "home" / "work" / "web"
    below = project / "src" / "app" / "deep"
    below.mkdir(parents=True)
    outside = folder / "home" / "music" / "albums"
    outside.mkdir(parents=True)
    environ = {
        "HOME": str(folder / "home"),
        "PATH": os.environ["PATH"],
        "CLAUDE_CONFIG_DIR": str(folder / "claude"),
        "CCUSAGE_STATE_DIR": str(folder / "state"),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm",
    }
    transcripts = folder / "claude" / "projects" / readyline.munge(os.path.realpath(project))
    transcripts.mkdir(parents=True)
    files = [transcripts / f"{number}.jsonl" for number in range(FILES)]
    for file in files:
        file.write_text("{}\n")
    time.sleep(0.1)
    index = index_dir(environ)
    readyline.write_scope(environ, str(folder / "state"), index, named_data_dirs(environ))
    examined_ns = time.time_ns()
    path = readyline.path_of(readyline.lines_dir(index), transcripts.name)
    text = "\x1b[36m$1.23\x1b[0m · $4.56 today · \x1b[32m12%\x1b[0m"
    readyline.write(
        path, text, examined_ns=examined_ns, expires=examined_ns // 10**9 + 86_400, dependencies=map(str, files)
    )
    (folder / "snippets").mkdir()
    for shell in LOOPS:
        snippet = snippets.render(shell, executable="/nowhere/ccusage", state_dir=str(folder / "state"))
        (folder / "snippets" / shell).write_text(snippet)
    environ["SNIPPETS"] = str(folder / "snippets")
    return {"in a project": project, "below it": below, "outside": outside}, environ


def _price(shell: str, place: Path, environ: dict[str, str], args: argparse.Namespace) -> float:
    """Return the cost of the hook in microseconds per prompt."""
    times: dict[int, list[float]] = {0: [], args.prompts: []}
    for _ in range(args.rounds):
        for prompts in times:
            started = time.perf_counter()
            _run(shell, place, environ, LOOPS[shell].format(n=prompts))
            times[prompts].append(time.perf_counter() - started)
    none, many = (statistics.median(found) for found in times.values())
    return (many - none) / args.prompts * 1e6


def _run(shell: str, place: Path, environ: dict[str, str], code: str) -> str:
    command = [*START[shell], "-c", f'source "$SNIPPETS/{shell}"\n{code}']
    ran = subprocess.run(command, cwd=place, env=environ, capture_output=True, text=True, check=True)
    return ran.stdout + ran.stderr


def _same(shell: str, place: Path, environ: dict[str, str]) -> None:
    """Check that what was measured is the hook and shows the segment."""
    shown = _run(shell, place, environ, '__ccusage_hook\nprintf %s "$CCUSAGE_TEXT"')
    if shown != "$1.23 · $4.56 today · 12%":
        raise SystemExit(f"{shell} shows {shown!r}")


if __name__ == "__main__":
    raise SystemExit(main())
