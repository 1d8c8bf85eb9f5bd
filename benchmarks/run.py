"""Time the installed `ccusage` command as whole processes, and print the figures beside their budgets.

    python benchmarks/run.py --mb 275 --sessions 300 --markdown
    python benchmarks/run.py --history ~/.claude --peer /path/to/other/ccusage

B is the wall time of `python -c pass` with the interpreter and environment of the command, P that of another tool's
binary (ccusage 20 in native code); both are timed in the same rounds as the command: B A P, B A P, ... The history is
copied first, because the given transcripts are never written to. The figures inform, they do not gate: the exit code is
1 only if tokens differ, and otherwise 0, whatever the figures are.
"""

from __future__ import annotations

import argparse
import fnmatch
import itertools
import json
import math
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generate import MB, Shape, append_tail, gateway_response, last_assistant_line, write_gateway, write_history

APPENDED = 64 * 1024
SETTLE = 2.2  # seconds after the last write; only then may a published answer be trusted
STALE = 6 * 3600  # seconds after which a generated history is replaced, because a statusline sums the current day
ANSWERS = 8  # the descriptor on which argcomplete's protocol answers
GATEWAY_RESPONSES = 20_000
SLOW_RUNS = 5  # runs of a command that takes half a second or more
TOKENS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")


# --- what must be reached ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Budget:
    """A bound of one figure, in multiples of B or P ("B", "P"), times faster than P ("P/"), "MB", "%" or "+%"."""

    unit: str
    must: float
    hope: float

    def text(self, value: float) -> str:
        shown = f"{value:.3g}" if self.unit != "+%" else f"{value:+.0f}"
        return {"P/": f"{shown} x faster", "+%": f"{shown} %"}.get(self.unit, f"{shown} {self.unit}")

    def verdict(self, value: float) -> str:
        bounds = (self.hope, self.must)
        reached = [value >= b for b in bounds] if self.unit == "P/" else [value <= b for b in bounds]
        return "hope" if reached[0] else "must" if reached[1] else "missed"


ID_UNCHANGED = Budget("B", 1.15, 1.0)
ID_APPENDED = Budget("B", 1.9, 1.6)
GATEWAY_APPENDED = Budget("B", 3, 2)
STATUSLINE_UNCHANGED = Budget("B", 1.15, 1.0)
STATUSLINE_APPENDED = Budget("B", 1.8, 1.5)
GROWTH = Budget("+%", 10, 0)
COMPLETION = Budget("B", 2, 1.5)
PAGE = Budget("B", 120, 60)  # of 10,000 sessions: 3 s if B is 25 ms
FIRST_INDEX = Budget("P", 1.0, 0.8)
FIRST_INDEX_MEMORY = Budget("MB", 90, 50)
INDEX_SIZE = Budget("%", 3, 2)
REPORT = {"few": Budget("B", 5, 4), "many": Budget("B", 20, 12)}  # up to 1,000 sessions, and more
ID_AGAINST_PEER = {"small": Budget("P/", 1.2, 1.5), "large": Budget("P/", 34, 42)}  # up to 20 MB, and more
STATUSLINE_AGAINST_PEER = {"small": Budget("P/", 2, 2.6), "large": Budget("P/", 80, 110)}


# --- running a process ------------------------------------------------------------------------------------------------


@dataclass
class Command:
    """A command line, its environment, its input, and what is called, untimed, before each run."""

    argv: list[str]
    env: dict[str, str]
    payload: Callable[[], bytes] | None = None
    before: Callable[[], object] | None = None
    slow: bool = False  # half a second or more, so it is run less often
    answers: Path | None = None  # the file for what it writes to the descriptor ANSWERS


@dataclass
class Outcome:
    """The result of one process; `wall` is in seconds, `peak` the bytes of its largest process (children included)."""

    wall: float
    code: int
    out: bytes
    err: bytes
    peak: int


@dataclass
class Stats:
    """The runs of one command of a case; `failure` says why there are no useful ones."""

    walls: list[float] = field(default_factory=list)
    failure: str = ""
    out: bytes = b""

    @property
    def median(self) -> float:
        return statistics.median(self.walls) if self.walls else math.nan

    @property
    def p95(self) -> float:
        return sorted(self.walls)[math.ceil(0.95 * len(self.walls)) - 1] if self.walls else math.nan

    def take(self, outcome: Outcome) -> None:
        self.walls.append(outcome.wall)
        self.out = outcome.out
        if outcome.code:
            self.failure = why(outcome)


def why(outcome: Outcome) -> str:
    """Return why a command failed, in words; exit code 2 means that the command does not exist yet."""
    first = outcome.err.decode(errors="replace").strip().splitlines()[-1:] or [""]
    said = "not built" if outcome.code == 2 else f"failed (exit {outcome.code})"
    return f"{said}: {first[0][:100]}" if first[0] else said


def run(command: Command, scratch: Path) -> Outcome:
    """Prepare, start and wait; only from start to end is timed. Output goes to files, because a pipe needs a reader."""
    if command.before:
        command.before()
    names = [scratch / name for name in ("stdin", "stdout", "stderr")]
    names[0].write_bytes(command.payload() if command.payload else b"")
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for name in names[1:]:
        name.write_bytes(b"")
    actions = [
        (os.POSIX_SPAWN_OPEN, fd, str(name), os.O_RDONLY if fd == 0 else write, 0o600) for fd, name in enumerate(names)
    ]
    if command.answers:
        actions.append((os.POSIX_SPAWN_OPEN, ANSWERS, str(command.answers), write, 0o600))
    started = time.perf_counter()
    pid = os.posix_spawn(command.argv[0], command.argv, command.env, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    code = os.waitstatus_to_exitcode(status)
    return Outcome(wall, code, names[1].read_bytes(), names[2].read_bytes(), usage.ru_maxrss * unit)


def peak_memory(command: Command, scratch: Path) -> int:
    """Return the most bytes that the command and its children used at one time, in an extra run, as looking costs time.

    On Linux this is the sum over its session of each process's proportional share, elsewhere the largest process alone.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        return run(command, scratch).peak
    if command.before:
        command.before()
    process = subprocess.Popen(
        command.argv,
        env=command.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(share_of, members(process.pid))))
        time.sleep(0.005)
    return peak


def members(session: int) -> list[int]:
    """Return the processes of a session."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and session_of(int(entry)) == session]


def session_of(pid: int) -> int:
    """Return the session of a process, or 0 if the process is gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def share_of(pid: int) -> int:
    """Return the proportional set size of a process in bytes, or 0 if the process is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:")), 0)
    except OSError:
        return 0


# --- a history to run on ----------------------------------------------------------------------------------------------


class Scene:
    """A private copy of a history, with a home and a state directory of its own."""

    def __init__(self, history: Path, room: Path) -> None:
        self.root, self.state, self.home = room / "history", room / "state", room / "home"
        self.home.mkdir(parents=True)
        shutil.copytree(history / "projects", self.root / "projects", symlinks=True)
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.root),
            "CCUSAGE_STATE_DIR": str(self.state),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "120",
        }
        sized = sorted((p.stat().st_size, p) for p in self.root.glob("projects/*/*.jsonl"))
        self.size = sum(p.stat().st_size for p in self.root.glob("projects/**/*.jsonl"))
        self.transcripts = [p for _, p in sized]
        self.truth, self.forked = read_truth(history)
        self.touched: set[str] = set()
        self.calls = 0

    def typical(self, n: int = 0) -> Path:
        """Return a transcript of about the median size, another one for each n, so that appends do not affect other
        cases."""
        return self.transcripts[min(len(self.transcripts) // 2 + n, len(self.transcripts) - 1)]

    @property
    def big(self) -> Path:
        return self.transcripts[-1]

    def append(self, path: Path) -> None:
        self.calls += 1
        added = append_tail(path, APPENDED, self.calls)
        self.touched.add(path.stem)
        if path.stem in self.truth:
            for key in TOKENS:
                self.truth[path.stem][key] += added[key]

    def payload(self, path: Path) -> bytes:
        """Return a payload as the client sends it; no two are equal, because its clocks go on."""
        self.calls += 1
        last = last_assistant_line(path)
        usage, cwd = last["message"]["usage"], last.get("cwd", "/")
        counts = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        current = {key: usage.get(key, 0) for key in counts}
        prompt = sum(current.values()) - current["output_tokens"]
        percent = min(100, prompt // 2_000)
        document = {
            "session_id": path.stem,
            "transcript_path": str(path),
            "cwd": cwd,
            "model": {"id": last["message"]["model"], "display_name": "Opus 4.5"},
            "workspace": {"current_dir": cwd, "project_dir": cwd, "added_dirs": []},
            "version": last.get("version", ""),
            "output_style": {"name": "default"},
            "cost": {
                "total_cost_usd": 0.25,
                "total_duration_ms": 29_043 + self.calls,
                "total_api_duration_ms": 379,
                "total_lines_added": 6,
                "total_lines_removed": 1,
            },
            "context_window": {
                "total_input_tokens": prompt,
                "total_output_tokens": current["output_tokens"],
                "context_window_size": 200_000,
                "current_usage": current,
                "used_percentage": percent,
                "remaining_percentage": 100 - percent,
            },
            "exceeds_200k_tokens": False,
            "fast_mode": False,
            "thinking": {"enabled": True},
        }
        return json.dumps(document, separators=(",", ":")).encode()


def read_truth(history: Path) -> tuple[dict[str, dict[str, int]], set[str]]:
    """Return the right tokens of each session, and the ids of forks and forked sessions; both empty if it is real."""
    try:
        document = json.loads((history / "truth.json").read_text())
    except FileNotFoundError:
        return {}, set()
    return document["sessions"], {*document["forks"], *document["forks"].values()}


def made_history(work: Path, mb: float, sessions: int, big: int, seed: int) -> Path:
    """Return a generated history below *work*; one of an earlier run is used if it has the same shape and is recent."""
    path = work / f"history-{mb:g}mb-{sessions}-{big}-{seed}"
    if path.exists():
        shape = json.loads((path / "truth.json").read_text())["shape"] if (path / "truth.json").exists() else {}
        if time.time() - shape.get("end", 0) < STALE:
            return path
        shutil.rmtree(path)
    print(f"writing {mb:g} MB, {sessions} sessions to {path}", file=sys.stderr)
    write_history(path, Shape(mb=mb, sessions=sessions, big=big, seed=seed, end=float(int(time.time()))))
    return path


def made_tenfold(chosen: argparse.Namespace) -> Path:
    return made_history(chosen.work, chosen.mb * 10, chosen.sessions * 10, chosen.big, chosen.seed)


# --- the bench --------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    """One line of the table; `value` is in the budget's unit, times are in seconds."""

    case: str
    what: str
    budget: Budget | None = None
    value: float = math.nan
    ours: Stats | None = None
    base: Stats | None = None
    peer: Stats | None = None
    note: str = ""


class Bench:
    """What the cases share: the tools to compare, where they run, and how often."""

    def __init__(
        self,
        ccusage: Path,
        python: str,
        peer: Path | None,
        scene: Scene,
        tenfold: Scene | None,
        runs: int,
        scratch: Path,
    ) -> None:
        self.ccusage, self.python, self.peer = ccusage, python, peer
        self.scene, self.tenfold, self.runs, self.scratch = scene, tenfold, runs, scratch
        self.samples: dict[str, dict[str, list[float]]] = {}

    def ours(self, scene: Scene, *args: str, **more: Any) -> Command:
        return Command([str(self.ccusage), *args], scene.env, **more)

    def other(self, scene: Scene, *args: str, **more: Any) -> Command | None:
        return Command([str(self.peer), *args], scene.env, slow=True, **more) if self.peer else None

    def compare(
        self, case: str, commands: dict[str, Command | None], *, settle: bool = False, runs: int = 0
    ) -> dict[str, Stats]:
        """Run B and the commands in turn, round after round; with *settle*, wait until published answers are trusted.

        What fails the first time is not run again.
        """
        timed = {"B": Command([self.python, "-c", "pass"], self.scene.env)}
        timed.update({name: command for name, command in commands.items() if command})
        stats = {name: Stats() for name in timed}
        for name, command in timed.items():
            stats[name].failure = self.warm(command, settle=False)
        if settle:
            time.sleep(SETTLE)
            for name, command in timed.items():
                if not command.slow and not stats[name].failure:
                    stats[name].failure = self.warm(command, settle=True)
        going = {name: command for name, command in timed.items() if not stats[name].failure}
        rounds = runs or self.runs
        every = max(1, rounds // SLOW_RUNS)
        for n in range(rounds):
            for name, command in going.items():
                if not command.slow or n % every == 0:
                    stats[name].take(run(command, self.scratch))
        self.samples[case] = {name: s.walls for name, s in stats.items()}
        return stats

    def warm(self, command: Command, *, settle: bool) -> str:
        """Run a command untimed, twice if *settle*; return why it failed, or ""."""
        for _ in range(2 if settle else 1):
            outcome = run(command, self.scratch)
        return why(outcome) if outcome.code else ""


Case = Callable[[Bench], "list[Row]"]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    def register(function: Case) -> Case:
        CASES[name] = function
        return function

    return register


def rows(
    name: str, what: str, stats: dict[str, Stats], budget: Budget | None, against: Budget | None = None
) -> list[Row]:
    """Return the rows of a comparison: against B, against P, and the growth of each further contender."""
    ours, base, peer = stats["ours"], stats["B"], stats.get("P")
    note = ours.failure or (f"P: {peer.failure}" if peer and peer.failure else "")
    out = [Row(name, what, budget, ours.median / base.median, ours, base, peer, note)]
    if against and peer:
        out.append(Row(name, f"{what}, against P", against, peer.median / ours.median, ours, base, peer, note))
    for label, grown in stats.items():
        if label not in ("ours", "B", "P"):
            growth = (grown.median / ours.median - 1) * 100
            out.append(Row(name, f"{what}, {label}", GROWTH, growth, grown, base, None, grown.failure))
    return out


def contenders(
    bench: Bench, n: int, make: Callable[[Scene, Path], Command], peer: Callable[[Scene, Path], Command | None]
) -> dict[str, Command | None]:
    """Return the same question about a typical session, the biggest, a typical one in a tenfold history, and for P."""
    scene = bench.scene
    commands: dict[str, Command | None] = {"ours": make(scene, scene.typical(n))}
    if scene.big != scene.typical(n):
        commands[f"in the biggest session ({scene.big.stat().st_size / MB:.1f} MB)"] = make(scene, scene.big)
    if bench.tenfold:
        commands["ten times the history"] = make(bench.tenfold, bench.tenfold.typical(n))
    commands["P"] = peer(scene, scene.typical(n))
    return commands


def of_size(scene: Scene, budgets: dict[str, Budget]) -> Budget:
    return budgets["small" if scene.size <= 20 * MB else "large"]


# --- the cases --------------------------------------------------------------------------------------------------------


def peer_id(bench: Bench) -> Callable[[Scene, Path], Command | None]:
    return lambda scene, path: bench.other(scene, "session", "--id", path.stem, "--json", "--offline")


def peer_statusline(bench: Bench) -> Callable[[Scene, Path], Command | None]:
    return lambda scene, path: bench.other(
        scene, "statusline", "--no-cache", "--offline", payload=lambda: scene.payload(path)
    )


@case("id-unchanged")
def id_unchanged(bench: Bench) -> list[Row]:
    def make(scene: Scene, path: Path) -> Command:
        return bench.ours(scene, "session", "--id", path.stem, "--json")

    stats = bench.compare("id-unchanged", contenders(bench, 0, make, peer_id(bench)), settle=True)
    return rows("id-unchanged", "`session --id X --json`, nothing appended", stats, ID_UNCHANGED)


@case("jq-unchanged")
def jq_unchanged(bench: Bench) -> list[Row]:
    def make(scene: Scene, path: Path) -> Command:
        return bench.ours(scene, "session", "--id", path.stem, "--jq", ".totalCost")

    commands = contenders(bench, 0, make, lambda scene, path: None)
    stats = bench.compare("jq-unchanged", commands, settle=True)
    return rows("jq-unchanged", "`session --id X --jq .totalCost`, nothing appended", stats, ID_UNCHANGED)


@case("gateway-appended")
def gateway_appended(bench: Bench) -> list[Row]:
    """Time a session behind a gateway that sends no request ids and the same message id with every response."""
    history = bench.scratch / "gateway"
    transcript = write_gateway(history, GATEWAY_RESPONSES)
    scene = Scene(history, bench.scratch / "gateway-room")
    (path,) = scene.transcripts
    numbers = itertools.count(GATEWAY_RESPONSES)

    def append() -> None:
        with path.open("ab") as file:
            end = file.tell() + APPENDED
            while file.tell() < end:
                file.write(gateway_response(next(numbers)))

    run(bench.ours(scene, "session", "--json", "--offline"), bench.scratch)
    command = bench.ours(scene, "session", "--id", transcript.stem, "--json", before=append)
    stats = bench.compare("gateway-appended", {"ours": command})
    what = f"the same after 64 KB appended to {GATEWAY_RESPONSES:,} responses without `requestId` under one message id"
    return rows("gateway-appended", what, stats, GATEWAY_APPENDED)


@case("id-appended")
def id_appended(bench: Bench) -> list[Row]:
    def make(scene: Scene, path: Path) -> Command:
        return bench.ours(scene, "session", "--id", path.stem, "--json", before=lambda: scene.append(path))

    stats = bench.compare("id-appended", contenders(bench, 1, make, peer_id(bench)))
    against = of_size(bench.scene, ID_AGAINST_PEER)
    return rows("id-appended", "`session --id X --json` after 64 KB appended", stats, ID_APPENDED, against)


@case("id-at-once")
def id_at_once(bench: Bench) -> list[Row]:
    """Ask again within the two seconds in which a published answer cannot be trusted yet."""
    scene = bench.scene
    path = scene.typical(2)
    command = bench.ours(scene, "session", "--id", path.stem, "--json")

    def before() -> None:
        scene.append(path)
        run(bench.ours(scene, "session", "--id", path.stem, "--json"), bench.scratch)

    command.before = before
    stats = bench.compare("id-at-once", {"ours": command})
    return rows("id-at-once", "`session --id X --json` again at once after 64 KB were counted", stats, None)


@case("statusline-unchanged")
def statusline_unchanged(bench: Bench) -> list[Row]:
    def make(scene: Scene, path: Path) -> Command:
        return bench.ours(scene, "statusline", payload=lambda: scene.payload(path))

    commands = contenders(bench, 0, make, peer_statusline(bench))
    stats = bench.compare("statusline-unchanged", commands, settle=True)
    return rows("statusline-unchanged", "`statusline`, nothing appended", stats, STATUSLINE_UNCHANGED)


@case("statusline-appended")
def statusline_appended(bench: Bench) -> list[Row]:
    def make(scene: Scene, path: Path) -> Command:
        return bench.ours(scene, "statusline", payload=lambda: scene.payload(path), before=lambda: scene.append(path))

    stats = bench.compare("statusline-appended", contenders(bench, 3, make, peer_statusline(bench)))
    against = of_size(bench.scene, STATUSLINE_AGAINST_PEER)
    return rows("statusline-appended", "`statusline` after 64 KB appended", stats, STATUSLINE_APPENDED, against)


def report(bench: Bench, name: str, *words: str) -> list[Row]:
    scene = bench.scene
    sessions = len(scene.transcripts)
    commands = {"ours": bench.ours(scene, *words, "--offline"), "P": bench.other(scene, "claude", *words, "--offline")}
    stats = bench.compare(name, commands, settle=True)
    budget = REPORT["few" if sessions <= 1_000 else "many"]
    return rows(name, f"`{' '.join(words)}` report, index warm, {sessions} sessions", stats, budget)


@case("statusline-at-once")
def statusline_at_once(bench: Bench) -> list[Row]:
    """Call again within the two seconds in which a published answer cannot be trusted yet."""
    scene = bench.scene
    path = scene.typical(4)
    command = bench.ours(scene, "statusline", payload=lambda: scene.payload(path))

    def before() -> None:
        scene.append(path)
        run(bench.ours(scene, "statusline", payload=lambda: scene.payload(path)), bench.scratch)

    command.before = before
    stats = bench.compare("statusline-at-once", {"ours": command})
    return rows("statusline-at-once", "`statusline` again at once after 64 KB were counted", stats, None)


@case("report")
def report_text(bench: Bench) -> list[Row]:
    return report(bench, "report", "session")


@case("report-json")
def report_json(bench: Bench) -> list[Row]:
    return report(bench, "report-json", "session", "--json")


@case("page")
def report_page(bench: Bench) -> list[Row]:
    """Time `session --html` until the whole page is in a file."""
    scene, file = bench.scene, bench.scratch / "page.html"
    stats = bench.compare("page", {"ours": bench.ours(scene, "session", "--offline", "--html", str(file))})
    size = file.stat().st_size / MB if file.exists() else math.nan
    what = f"`session --html`, index warm, {len(scene.transcripts)} sessions, {size:.1f} MB"
    return rows("page", what, stats, PAGE if len(scene.transcripts) > 1_000 else None)


@case("periods")
def report_periods(bench: Bench) -> list[Row]:
    return [row for name in ("daily", "weekly", "monthly") for row in report(bench, name, name)]


@case("blocks")
def report_blocks(bench: Bench) -> list[Row]:
    return report(bench, "blocks", "blocks")


@case("completion")
def completion(bench: Bench) -> list[Row]:
    """Time `ccusage session --id <TAB>` as the shell snippets ask it: candidates on a descriptor of their own."""
    scene, line = bench.scene, "ccusage session --id "
    answer = bench.scratch / "completions"
    command = bench.ours(scene)
    command.answers = answer
    command.env = {
        **scene.env,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\013",
        "_ARGCOMPLETE_SHELL": "bash",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    stats = bench.compare("completion", {"ours": command})
    if not stats["ours"].failure and not answer.read_bytes():
        stats["ours"].failure = "not built: no candidates"
    return rows("completion", f"`--id <TAB>` with {len(scene.transcripts)} sessions", stats, COMPLETION)


@case("first-index")
def first_index(bench: Bench) -> list[Row]:
    """Time the first index, in a state directory that is removed before each run."""
    scene = bench.scene
    state = bench.scratch / "cold-state"
    ours = bench.ours(scene, "session", "--json", "--offline", slow=True)
    ours.env = {**scene.env, "CCUSAGE_STATE_DIR": str(state)}
    ours.before = lambda: shutil.rmtree(state, ignore_errors=True)
    peer = bench.other(scene, "claude", "session", "--json", "--offline")
    stats = bench.compare("first-index", {"ours": ours, "P": peer}, runs=min(bench.runs, SLOW_RUNS))
    what = f"first index of {scene.size / MB:.0f} MB"
    mine, base, other = stats["ours"], stats["B"], stats.get("P")
    ratio = mine.median / other.median if other else math.nan
    out = [Row("first-index", f"{what}: wall time", FIRST_INDEX, ratio, mine, base, other, mine.failure)]
    if mine.failure:
        return out
    note = f"P {peak_memory(peer, bench.scratch) / MB:.0f} MB" if peer else ""
    memory = peak_memory(ours, bench.scratch) / MB
    return [*out, Row("first-index", f"{what}: memory", FIRST_INDEX_MEMORY, memory, note=note)]


@case("index-size")
def index_size(bench: Bench) -> list[Row]:
    scene = bench.scene
    outcome = run(bench.ours(scene, "session", "--json", "--offline"), bench.scratch)
    if outcome.code:
        return [Row("index-size", "index size", INDEX_SIZE, note=why(outcome))]
    transcripts = sum(p.stat().st_size for p in scene.root.glob("projects/**/*.jsonl"))
    index = sum(p.stat().st_size for p in scene.state.rglob("*") if p.is_file())
    note = f"{index / MB:.2f} MB of {transcripts / MB:.0f} MB"
    return [Row("index-size", "index size", INDEX_SIZE, index / transcripts * 100, note=note)]


# --- are the numbers right --------------------------------------------------------------------------------------------


def tokens_of(outcome: Outcome) -> dict[str, dict[str, int]]:
    """Return the token counts of each session of a JSON report, ours or P's."""
    return {s["sessionId"]: {k: s[k] for k in TOKENS} for s in json.loads(outcome.out)["sessions"]}


def differing(left: dict[str, dict[str, int]], right: dict[str, dict[str, int]]) -> set[str]:
    """Return the sessions whose tokens differ; one that only one side has differs if it has any tokens."""
    zero = dict.fromkeys(TOKENS, 0)

    def counts(side: dict[str, dict[str, int]], session: str) -> list[int]:
        return [side.get(session, zero)[key] for key in TOKENS]

    return {session for session in {*left, *right} if counts(left, session) != counts(right, session)}


def check(bench: Bench, when: str) -> tuple[list[str], bool]:
    """Return sentences on whether our tokens equal those of the generator and of P, and whether all is well."""
    scene = bench.scene
    ours = run(bench.ours(scene, "session", "--json", "--offline"), bench.scratch)
    if ours.code:
        return [f"oracle {when}: {why(ours)}"], ours.code == 2
    mine, said, well = tokens_of(ours), [], True
    if scene.truth:
        wrong = differing(mine, scene.truth) | wrong_ids(bench)
        said.append(f"oracle {when}: {verdict(wrong, len(scene.truth))} to what was generated")
        well = not wrong
    if bench.peer:
        command = bench.other(scene, "claude", "session", "--json", "--offline")
        assert command is not None
        wrong = differing(mine, tokens_of(run(command, bench.scratch)))
        # P counts a fork's inherited history for the fork, or none of it for the parent; the sum of both is right.
        real = wrong - scene.forked
        forks = f", {len(wrong - real)} forks and forked ones attributed otherwise by P" if wrong - real else ""
        said.append(f"oracle {when}: {verdict(real, len(mine) - len(wrong - real))} to P{forks}")
        well = well and not real
    return said, well


def wrong_ids(bench: Bench) -> set[str]:
    """Return those of the appended sessions whose `--id` answer is wrong."""
    wrong = set()
    for session in sorted(bench.scene.touched):
        answer = run(bench.ours(bench.scene, "session", "--id", session, "--json"), bench.scratch)
        tokens = json.loads(answer.out) if not answer.code else {}
        if any(tokens.get(key) != bench.scene.truth[session][key] for key in TOKENS):
            wrong.add(session)
    return wrong


def verdict(wrong: set[str], sessions: int) -> str:
    if not wrong:
        return f"{sessions} sessions equal"
    return f"{len(wrong)} differences ({', '.join(sorted(wrong)[:3])})"


# --- the table --------------------------------------------------------------------------------------------------------


def milliseconds(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{seconds * 1000:.1f}"


def times(ours: Stats | None, other: Stats | None) -> str:
    ratio = ours.median / other.median if ours and other else math.nan
    return "" if math.isnan(ratio) else f"{ratio:.3g}"


HEADERS = ("what", "must", "hope", "is", "reached", "median ms", "p95 ms", "B ms", "P ms", "x B", "x P", "note")


def cells(row: Row) -> tuple[str, ...]:
    budget, known = row.budget, not math.isnan(row.value)
    return (
        row.what,
        budget.text(budget.must) if budget else "",
        budget.text(budget.hope) if budget else "",
        budget.text(row.value) if budget and known else "",
        budget.verdict(row.value) if budget and known else "",
        milliseconds(row.ours.median) if row.ours else "",
        milliseconds(row.ours.p95) if row.ours else "",
        milliseconds(row.base.median) if row.base else "",
        milliseconds(row.peer.median) if row.peer else "",
        times(row.ours, row.base),
        times(row.ours, row.peer),
        row.note.replace("|", "/"),
    )


def table(all_rows: list[Row], *, markdown: bool) -> str:
    """Return the rows under their headers, aligned, as a Markdown table if *markdown*."""
    lines = [HEADERS, *map(cells, all_rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEADERS))]
    text = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    if not markdown:
        return "\n".join("  ".join(line).rstrip() for line in text)
    text.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in text)


def surroundings(bench: Bench) -> list[str]:
    """Return on what machine and history the figures were measured."""
    version = subprocess.run([bench.python, "-VV"], capture_output=True, text=True, check=False).stdout.strip()
    load = ", ".join(f"{n:.1f}" for n in os.getloadavg())
    scene = bench.scene
    lines = [
        f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores, load {load}",
        f"B: {version}; {launcher(bench.ccusage)}",
        f"history: {scene.size / MB:.1f} MB, {len(scene.transcripts)} sessions; {bench.runs} runs of each",
    ]
    if bench.tenfold:
        lines.append(f"ten times: {bench.tenfold.size / MB:.1f} MB, {len(bench.tenfold.transcripts)} sessions")
    if bench.peer:
        said = run(Command([str(bench.peer), "--version"], scene.env), bench.scratch).out.decode().strip()
        lines.append(f"P: {said}")
    return lines


def launcher(script: Path) -> str:
    """Return the command's first line, because what starts the command is part of the measured time."""
    return f"launcher {shebang(script) or 'binary'}"


def shebang(script: Path) -> str:
    with open(script, "rb") as file:
        first = file.readline(4096)
    return first[2:].decode(errors="replace").strip() if first.startswith(b"#!") else ""


def interpreter(script: Path) -> str:
    """Return the Python that the console script starts, or the running one if the script does not name it."""
    named = shlex.split(shebang(script))[:1]
    return named[0] if named and "python" in Path(named[0]).name and os.access(named[0], os.X_OK) else sys.executable


# --- command line -----------------------------------------------------------------------------------------------------


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the installed ccusage command.")
    parser.add_argument("--ccusage", type=Path, default=Path(sys.executable).with_name("ccusage"), metavar="PATH")
    parser.add_argument("--peer", type=Path, default=os.environ.get("CCUSAGE_PEER"), help="P's binary (CCUSAGE_PEER)")
    parser.add_argument("--history", type=Path, metavar="DIR", help="a data directory; copied, not written to")
    parser.add_argument("--mb", type=float, default=275, help="else: the size of the history to generate")
    parser.add_argument("--sessions", type=int, default=300)
    parser.add_argument("--big", type=int, default=5_000, help="responses of one session of it; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tenfold", nargs="?", const="", metavar="DIR", help="also ten times as much (DIR, else generated): the growth"
    )
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "ccusage-line-benchmarks")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", default="*", metavar="PATTERN", help=f"of {', '.join(CASES)}")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all samples there")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    chosen = parser.parse_args()
    if not fnmatch.filter(CASES, chosen.only):
        parser.error(f"no case matches {chosen.only!r}; there are {', '.join(CASES)}")
    for path in filter(None, (chosen.ccusage, chosen.peer)):
        if not os.access(path, os.X_OK):
            parser.error(f"cannot run {path}")
    if chosen.history and not (chosen.history / "projects").is_dir():
        parser.error(f"no projects in {chosen.history}")
    return chosen


def main() -> int:
    chosen = options()
    chosen.work.mkdir(parents=True, exist_ok=True)
    history = chosen.history or made_history(chosen.work, chosen.mb, chosen.sessions, chosen.big, chosen.seed)
    room = Path(tempfile.mkdtemp(prefix="run-", dir=chosen.work))
    try:
        scene, tenfold = Scene(history, room / "one"), None
        if chosen.tenfold is not None:
            grown = Path(chosen.tenfold) if chosen.tenfold else made_tenfold(chosen)
            tenfold = Scene(grown, room / "ten")
        python = interpreter(chosen.ccusage)
        scratch = room / "scratch"
        scratch.mkdir()
        bench = Bench(chosen.ccusage.absolute(), python, chosen.peer, scene, tenfold, chosen.runs, scratch)
        return measure(bench, chosen)
    finally:
        shutil.rmtree(room, ignore_errors=True)  # a detached child may still be writing there


def measure(bench: Bench, chosen: argparse.Namespace) -> int:
    for scene in filter(None, (bench.scene, bench.tenfold)):
        run(bench.ours(scene, "session", "--json", "--offline"), bench.scratch)  # the index is complete from here on
    said = [*surroundings(bench)]
    before, well = check(bench, "before")
    all_rows = []
    for name in fnmatch.filter(CASES, chosen.only):
        print(f"{name} ...", file=sys.stderr)
        all_rows += CASES[name](bench)
    after, still_well = check(bench, "after all appends")
    print("\n".join(f"- {line}" for line in (*said, *before, *after)), end="\n\n")
    print(table(all_rows, markdown=chosen.markdown))
    if chosen.json:
        document = {
            "surroundings": said,
            "oracle": [*before, *after],
            "rows": [dict(zip(HEADERS, cells(row), strict=True)) for row in all_rows],
            "seconds": bench.samples,
        }
        chosen.json.write_text(json.dumps(document, indent=1))
    return 0 if well and still_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
