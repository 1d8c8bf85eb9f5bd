"""What bad input gets: the right answer from the rest, bounded memory, no file outside of the state folder, no
traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fuzz
from attack import as_anybody, run_behind, run_in, strace
from conftest import Home, Ran, run_after
from lines import ID, OTHER, append, line, record, usage
from others import mounted

resource = pytest.importorskip("resource", reason="limits and permissions need POSIX")

OWN = f"-home-me-proj/{ID}.jsonl"
MB = 1024 * 1024
MAX_LINE = 64 * MB


def outputs(ran: Ran) -> dict[str, int]:
    """Return the output tokens of every session of a report; there must be no warning and no traceback."""
    assert (ran.code, ran.err) == (0, "")
    return {row["sessionId"]: row["outputTokens"] for row in json.loads(ran.out)["sessions"]}


def report(home: Home) -> dict[str, int]:
    return outputs(home.run("session", "--json"))


def one(home: Home, session: str = ID) -> int:
    ran = home.run("session", "--id", session, "--jq", ".outputTokens")
    assert (ran.code, ran.err) == (0, "")
    return int(ran.out)


def status(home: Home) -> dict[str, list[str]]:
    ran = home.run("index", "status")
    assert (ran.code, ran.err) == (0, "")
    told: dict[str, list[str]] = {}
    for row in ran.out.splitlines():
        name, _, value = row.partition("  ")
        told.setdefault(name, []).append(value.strip())
    return told


# --- lines -------------------------------------------------------------------------------------------------------

DEEP = 10_000
BAD_LINES = {
    "broken JSON": b'{"type":"assistant","message":{"usage":{"input_tokens":1,}}}',
    "binary": bytes(range(1, 10)) + b'"usage"' + bytes(range(128, 256)),
    "a bare word": b'"usage"',
    "nested too deep": b'{"usage":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "nested too deep and never closed": b'{"usage":' + b"[" * DEEP,
    "an array": b'[{"message":{"usage":{}}}]',
    "NUL bytes": b"\0" * 5000 + b'"usage"' + b"\0" * 5000,
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_counted_as_such_and_the_rest_is_read(home: Home, name: str) -> None:
    home.write(OWN, line().encode() + BAD_LINES[name] + b"\n" + line("m2", "r2").encode())
    assert report(home) == {ID: 200}
    assert one(home) == 200
    assert status(home)["lines that can't be read"] == ["1"]


WRONG_TYPES: dict[str, dict[str, Any]] = {
    "counts of every wrong type": {
        "message": {"id": "m2", "model": 7, "stop_reason": [], "usage": usage(-1, "9", [], {}, cache_creation="x")}
    },
    "ids of every wrong type": {"requestId": 7, "uuid": {}, "sessionId": ["x"], "cwd": 3, "isSidechain": "yes"},
    "odd costs": {"costUSD": "free", "requestId": "r3"},
    "forks of wrong types": {"forkedFrom": {"sessionId": {"a": 1}}, "requestSessionId": 5, "requestId": "r3"},
    "iterations of wrong types": {
        "message": {"id": "m4", "usage": usage(1, 100, iterations=[None, 3, {"type": 4}, {"type": "compaction"}])}
    },
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_wrong_types_disqualify_nothing_but_themselves(home: Home, name: str) -> None:
    odd = record("m2", "r2") | WRONG_TYPES[name]
    home.write(OWN, line() + json.dumps(odd) + "\n")
    found = report(home)
    assert found == {ID: 100 + (0 if name.startswith("counts") else 100)}
    assert status(home)["lines that can't be read"] == ["0"]


def long_line(length: int) -> bytes:
    """Return a whole assistant line of *length* bytes, without its newline."""
    text = line("big", "big", padding="@")
    return text.replace("@", "x" * (length - len(text) + 2)).encode()


@pytest.mark.parametrize(
    ("length", "expected"),
    [pytest.param(MAX_LINE, 300, id="64 MB"), pytest.param(MAX_LINE + 1, 200, id="one byte more")],
)
def test_a_line_over_64_megabytes_is_passed_over(home: Home, length: int, expected: int) -> None:
    home.write(OWN, line().encode() + long_line(length) + line("m2", "r2").encode())
    assert report(home) == {ID: expected}
    assert one(home) == expected
    assert status(home)["lines that can't be read"] == ["0" if expected == 300 else "1"]


@pytest.mark.parametrize(
    "steps", [pytest.param([], id="at once"), pytest.param([1000, 40 * MB, MAX_LINE], id="growing")]
)
def test_a_line_that_grows_beyond_64_megabytes_does_not_count_what_it_began_with(home: Home, steps: list[int]) -> None:
    """The object at the start of the line counts only while the line is short enough to be read."""
    whole = line("m2", "r2").rstrip("\n").encode() + b" " * (MAX_LINE + 5 * MB)
    path = home.write(OWN, line())
    assert one(home) == 100  # a complete index, in which nothing is provisional
    done = 0
    for step in [*steps, len(whole)]:
        with path.open("ab") as file:
            file.write(whole[done:step])
        done = step
        assert one(home) == (200 if step <= MAX_LINE else 100)
    with path.open("ab") as file:
        file.write(b"\n" + line("m3", "r3").encode())
    assert one(home) == 200
    assert report(home) == {ID: 200}
    assert status(home)["lines that can't be read"] == ["1"]


def test_a_huge_file_without_a_newline_is_passed_over_in_bounded_memory(home: Home) -> None:
    path = home.write(OWN, line())
    with path.open("ab") as file:
        file.truncate(400 * MB)
    limit = 300 * MB  # bytes of address space, less than the file

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    assert outputs(run_in(home, bounded, "session", "--json")) == {ID: 100}
    with path.open("ab") as file:
        file.write(b"\n" + line("m2", "r2").encode())
    ran = run_in(home, bounded, "session", "--id", ID, "--jq", ".outputTokens")
    assert (ran.code, ran.out, ran.err) == (0, "200\n", "")
    assert status(home)["lines that can't be read"] == ["1"]


# --- files -------------------------------------------------------------------------------------------------------


def make_folder(path: Path) -> None:
    (path / "inner").mkdir(parents=True)
    (path / "inner" / "y.jsonl").write_text(line("inner", "inner", "inner"))


KINDS: dict[str, tuple[Callable[[Path], object], bool]] = {  # how it is made, and whether `index status` reports it
    "fifo": (fuzz.fifo, True),
    "socket": (fuzz.a_socket, True),
    "folder": (make_folder, False),
    "link to a device": (fuzz.device, True),
    "dangling link": (fuzz.dangling, True),
    "link to itself": (fuzz.link_to_itself, True),
    "empty": (fuzz.empty, False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_anything_but_a_readable_file_is_skipped_and_reported(home: Home, kind: str) -> None:
    make, told = KINDS[kind]
    home.write(OWN, line())
    odd = home.projects / "-home-me-proj" / "x.jsonl"
    make(odd)
    inner = {"inner": 100} if kind == "folder" else {}
    assert report(home) == {ID: 100} | inner
    assert one(home) == 100
    known = home.run("session", "--id", "x", "--json")
    assert known.code == (0 if kind == "empty" else 3)
    assert "Traceback" not in known.err
    passed_over = status(home).get("not read", [])
    assert [row for row in passed_over if row.startswith(f"{odd}: ")] == passed_over
    assert len(passed_over) == told


@pytest.mark.parametrize("known", [False, True], ids=["never read", "read before"])
@pytest.mark.parametrize("what", ["transcript", "its folder"])
def test_an_unreadable_file_is_reported_and_keeps_what_was_read(home: Home, known: bool, what: str) -> None:
    home.write(OWN, line())
    closed = home.write(f"-home-me-closed/{OTHER}.jsonl", line("n1", "q1", OTHER))
    if known:
        assert report(home) == {ID: 100, OTHER: 100}
    shut = closed if what == "transcript" else closed.parent
    shut.chmod(0)
    try:
        if what == "transcript" and known:
            append(closed, line("n2", "q2", OTHER))  # a change that is not readable
        found = outputs(run_in(home, as_anybody, "session", "--json"))
        told = run_in(home, as_anybody, "index", "status")
    finally:
        shut.chmod(0o700)
    assert found == {ID: 100} | ({OTHER: 100} if known else {})
    assert (told.code, told.err) == (0, "")
    assert f"{shut}: permission denied" in told.out
    again = report(home)
    assert again == {ID: 100, OTHER: 200 if what == "transcript" and known else 100}


# --- while they are read -----------------------------------------------------------------------------------------

IN_MID_READ = """
import os
from ccusage_line.transcripts import reading
old = reading.read_file
def read_file(path, *args, **kwargs):
    change(path)
    return old(path, *args, **kwargs)
reading.read_file = read_file
from ccusage_line.index import workers, refresh
workers.read_file = refresh.read_file = read_file
def change(path):
"""
CHANGES = {
    "vanishes": ("    os.unlink(path)", None),
    "shrinks": ("    os.truncate(path, LENGTH)", 100),
    "is emptied": ("    os.truncate(path, 0)", 0),
    "is replaced": ("    open(path + '~', 'w').write(OTHER); os.replace(path + '~', path)", 300),
    "becomes a folder": ("    os.unlink(path); os.mkdir(path)", None),
    "becomes a FIFO": ("    os.unlink(path); os.mkfifo(path)", None),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("known", [False, True], ids=["first index", "later"])
def test_a_file_that_changes_just_before_it_is_read(home: Home, change: str, known: bool) -> None:
    """A transcript is replaced after it was found and before it is opened: the next refresh corrects it."""
    path = home.write(OWN, line())
    if known:
        assert report(home) == {ID: 100}
    append(path, line("m2", "r2"))
    statement, expected = CHANGES[change]
    other = line("o1", "o1") + line("o2", "o2") + line("o3", "o3")
    code = IN_MID_READ + statement.replace("LENGTH", str(len(line()))).replace("OTHER", repr(other))
    ran = run_after(home, code, "session", "--json")
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    left = {} if not expected else {ID: expected}
    if expected is None and known:  # A13
        left = {ID: 100}
    assert report(home) == left


def test_a_file_that_shrinks_while_it_is_read_is_counted_as_far_as_it_was_read(home: Home) -> None:
    first, rest = line(), "".join(line(f"m{n}", f"r{n}", padding="x" * 1000) for n in range(100))
    path = home.write(OWN, first + rest)
    code = f"""
        import os
        from ccusage_line.transcripts import files as transcript
        transcript.BLOCK = 4096
        old = transcript.read_into
        def read_into(descriptor, view):
            length = old(descriptor, view)
            if os.path.getsize({str(path)!r}) > 4096:
                os.truncate({str(path)!r}, {len(first)})
            return length
        transcript.read_into = read_into
    """
    ran = run_after(home, code, "session", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert 0 < json.loads(ran.out)["totals"]["outputTokens"] <= 500
    assert path.stat().st_size == len(first)
    assert one(home) == 100
    assert report(home) == {ID: 100}


# --- ids ---------------------------------------------------------------------------------------------------------

HOSTILE = [
    *("../../../etc/passwd", "..", "/etc/passwd", "*", "$(touch pwned)", "; touch `pwned`", "x" * 10_000, "new\nline"),
    *("\x1b[31mred\u202egnp.exe", "-rf", "--json", "' OR 1=1 -- %s%n", "naïve 🙂", " ", "latest", "index.db"),
]


def tree_of(folder: Path, apart: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if apart not in (path, *path.parents)}


@pytest.mark.parametrize("id", HOSTILE, ids=lambda id: ascii(id[:20]))
def test_a_hostile_id_is_an_id_like_any_other(home: Home, id: str) -> None:
    home.write(OWN, line())
    before = tree_of(home.path, home.state)
    asked = home.run("session", f"--id={id}", "--jq", ".sessionId")
    assert (asked.code, asked.out) == ((0, f"{ID}\n") if id == "latest" else (3, "null\n"))
    assert "\x1b" not in asked.err
    assert "Traceback" not in asked.err
    home.write("-home-me-proj/odd.jsonl", line("h1", "h1", id))
    assert report(home) == {ID: 100, id: 100}
    if id != "latest":
        for _ in range(2):
            ran = home.run("session", f"--id={id}", "--json")
            assert (ran.code, ran.err) == (0, "")
            assert json.loads(ran.out)["sessionId"] == id
    text = home.run("session")
    assert text.code == 0
    assert not {"\x1b", "\u202e", "\r"} & set(text.out)
    assert tree_of(home.path, home.state) - before == {str(home.projects / "-home-me-proj" / "odd.jsonl")}
    assert all(path.name.isascii() and len(path.name) < 60 for path in home.state.rglob("*"))


@pytest.mark.parametrize("id", ["nul\\u0000byte", "lone\\ud800surrogate", "\\udcff"], ids=ascii)
def test_ids_that_no_command_line_can_hold_are_counted(home: Home, id: str) -> None:
    text = line("h1", "h1", "@id").replace("@id", id)
    home.write("-home-me-proj/odd.jsonl", text + text.replace("h1", "h2"))
    ran = home.run("session", "--json")
    assert (ran.code, ran.err) == (0, "")
    rows = json.loads(ran.out)["sessions"]
    assert [row["outputTokens"] for row in rows] == [200]
    assert home.run("session").code == 0
    assert report(home) == {rows[0]["sessionId"]: 200}


def test_an_id_that_is_no_unicode_on_the_command_line_is_not_found(home: Home) -> None:
    home.write(OWN, line())
    done = subprocess.run(
        [os.fsencode(sys.executable), b"-m", b"ccusage_line", b"session", b"--json", b"--id", b"\xff\xfe"],
        env=home.env,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, b"null\n")
    assert b"Traceback" not in done.stderr


def test_file_names_of_any_bytes_are_sessions_like_any_other(home: Home) -> None:
    folder = os.fsencode(home.projects) + b"/-home-me-\xff"
    os.makedirs(folder)
    bare = {key: value for key, value in record("b1", "b1").items() if key != "sessionId"}
    with open(folder + b"/bad\xfe\n.jsonl", "w") as file:
        file.write(json.dumps(bare) + "\n")
    for _ in range(2):
        ran = home.run("session", "--json")
        assert (ran.code, ran.err) == (0, "")
        assert [row["outputTokens"] for row in json.loads(ran.out)["sessions"]] == [100]
    ran = home.run("session")
    assert (ran.code, ran.err) == (0, "")
    assert status(home)["transcripts"] == ["1"]


# --- clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moved", [-3600, 3600, -(10**9)], ids=["an hour back", "an hour ahead", "decades back"])
def test_a_wrong_clock_gives_no_stale_answer(home: Home, moved: int) -> None:
    path = home.write(OWN, line())
    code = f"""
        import time
        old = time.time_ns
        time.time_ns = lambda: old() + {moved} * 1_000_000_000
    """
    for number in range(1, 5):
        for _ in range(2):
            ran = run_after(home, code, "session", "--id", ID, "--jq", ".outputTokens")
            assert (ran.code, ran.out, ran.err) == (0, f"{number}00\n", "")
        assert one(home) == number * 100
        append(path, line(f"n{number}", "r"))


COARSE = """
    import os
    class Stat:
        def __init__(self, found):
            self.found = found
            self.st_mtime_ns = found.st_mtime_ns // 2_000_000_000 * 2_000_000_000
            self.st_ctime_ns = found.st_ctime_ns // 2_000_000_000 * 2_000_000_000
        def __getattr__(self, name):
            return getattr(self.found, name)
    class Coarse:  # no plain function: those become methods where a class keeps them
        def __init__(self, real):
            self.real = real
        def __call__(self, *args, **kwargs):
            return Stat(self.real(*args, **kwargs))
    os.stat, os.fstat = Coarse(os.stat), Coarse(os.fstat)
    from ccusage_line.transcripts import files as transcript
    transcript._STAT_PATH = True
"""


def test_a_file_system_of_whole_seconds_gives_no_stale_answer(home: Home) -> None:
    path = home.write(OWN, line())
    for number in range(100, 106):
        for _ in range(2):
            ran = run_after(home, COARSE, "session", "--id", ID, "--jq", ".outputTokens")
            assert (ran.code, ran.out, ran.err) == (0, f"{number}\n", "")
        with path.open("r+") as file:
            file.write(line().replace('"output_tokens":100', f'"output_tokens":{number + 1}'))
        if number == 103:
            time.sleep(2.1)
            ran = run_after(home, COARSE, "session", "--json", "--jq", ".totals.outputTokens")
            assert ran.out == f"{number + 1}\n"


# --- the state folder --------------------------------------------------------------------------------------------


def not_stored(ran: Ran, expected: dict[str, int], why: str = "") -> None:
    """Check that the answer is right, and that one warning says why nothing was stored."""
    assert ran.code == 0, ran.err
    assert {row["sessionId"]: row["outputTokens"] for row in json.loads(ran.out)["sessions"]} == expected
    assert ran.err.startswith("ccusage: warning: the index can't be stored (")
    assert ran.err.count("\n") == 1
    assert why in ran.err


@pytest.mark.parametrize("begun", [False, True], ids=["nothing there", "an index there"])
def test_a_read_only_state_folder_costs_nothing_but_time(home: Home, begun: bool) -> None:
    home.write(OWN, line())
    if begun:
        assert report(home) == {ID: 100}
    home.state.mkdir(exist_ok=True)
    append(home.projects / OWN, line("m2", "r2"))
    folders = [home.state, *(path for path in home.state.rglob("*"))]
    for path in folders:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        before = tree_of(home.state, home.path / "nothing")
        ran = run_in(home, as_anybody, "session", "--json")
        alone = run_in(home, as_anybody, "session", "--id", ID, "--jq", ".outputTokens")
        assert tree_of(home.state, home.path / "nothing") == before
    finally:
        for path in folders:
            path.chmod(0o700)
    not_stored(ran, {ID: 200})
    assert (alone.code, alone.out) == (0, "200\n")
    assert "Traceback" not in alone.err
    assert report(home) == {ID: 200}


@pytest.mark.parametrize("limit", [0, 20_000, 150_000, 400_000])
@pytest.mark.parametrize("begun", [False, True], ids=["nothing there", "an index there"])
def test_a_full_disk_costs_nothing_but_time(home: Home, limit: int, begun: bool) -> None:
    """No file may grow beyond *limit* bytes, so every write to the database can fail as on a full disk."""
    if begun:
        home.write(OWN, line())
        assert report(home) == {ID: 100}
    expected = {}
    for number in range(40):
        name = f"s-{number:02}"
        lines = [line(f"m{number}-{i}", f"r{i}", name, cwd=f"/home/me/{'x' * 50}{i}") for i in range(20)]
        home.write(f"-home-me-proj/{name}.jsonl", "".join(lines))
        expected[name] = 2000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    if begun:
        expected[ID] = 100
    ran = run_in(home, full, "session", "--json")
    if ran.err:
        not_stored(ran, expected)
    else:
        assert limit == 400_000
        assert outputs(ran) == expected
    for _ in range(2):
        alone = run_in(home, full, "session", "--id", "s-07", "--jq", ".outputTokens")
        assert (alone.code, alone.out) == (0, "2000\n")
        assert "Traceback" not in alone.err
    assert report(home) == expected
    assert not list(home.state.rglob("*.corrupt-*"))


@pytest.fixture
def small_disk(home: Home, request: pytest.FixtureRequest) -> Iterator[Home]:
    """Yield a home whose state is on a file system of so many kilobytes."""
    with mounted(home.state, f"size={request.param}k"):
        yield home


@pytest.mark.parametrize(
    ("small_disk", "kilobytes"), [(size, size) for size in (16, 256, 1024)], indirect=["small_disk"]
)
def test_a_small_disk_that_fills_up_costs_nothing_but_time(small_disk: Home, kilobytes: int) -> None:
    home, expected, full = small_disk, {}, False
    for number in range(15):  # some time the history outgrows the disk
        name = f"s-{number:02}"
        lines = [line(f"m{number}-{i}", f"r{i}", name, cwd=f"/home/me/{'x' * 50}{i}") for i in range(4 * number)]
        home.write(f"-home-me-proj/{name}.jsonl", "".join(lines) + '{"type":"user"}\n')
        if lines:
            expected[name] = 100 * len(lines)
        alone = home.run("session", "--id", name, "--jq", ".outputTokens")
        assert (alone.code, alone.out) == (0, f"{100 * len(lines)}\n")
        if number % 5 == 4:
            ran = home.run("session", "--json")
            if ran.err:
                not_stored(ran, expected)
                full = True
            assert outputs(ran._replace(err="")) == expected
            assert "Traceback" not in alone.err
            told = home.run("statusline", input=json.dumps({"session_id": name, "model": {"display_name": "Opus"}}))
            assert (told.code, told.err) == (0, "")
            assert "Opus" in told.out
    assert full == (kilobytes < 512)
    assert not list(home.state.rglob("*.corrupt-*"))
    subprocess.run(["mount", "-o", "remount,size=64m", str(home.state)], check=True)  # now there is room again
    assert report(home) == expected
    assert home.run("index", "verify").code == 0


def test_a_state_folder_that_is_a_file_costs_nothing_but_time(home: Home) -> None:
    home.write(OWN, line())
    home.state.write_text("")
    not_stored(home.run("session", "--json"), {ID: 100})
    assert home.run("session", "--id", ID, "--jq", ".outputTokens").out == "100\n"
    assert home.state.read_text() == ""


def test_an_index_of_another_user_is_not_touched(home: Home) -> None:
    home.write(OWN, line())
    assert report(home) == {ID: 100}
    before = {path: path.stat().st_mtime_ns for path in home.state.rglob("*")}
    append(home.projects / OWN, line("m2", "r2"))
    code = "import os\nos.geteuid = lambda: 4242"
    not_stored(run_after(home, code, "session", "--json"), {ID: 200}, "belongs to another user")
    alone = run_after(home, code, "session", "--id", ID, "--jq", ".outputTokens")
    assert (alone.code, alone.out) == (0, "200\n")
    assert {path: path.stat().st_mtime_ns for path in home.state.rglob("*")} == before


@pytest.mark.parametrize("begun", [False, True], ids=["nothing there", "an index there"])
def test_a_file_system_without_locks_costs_nothing_but_time(home: Home, begun: bool) -> None:
    home.write(OWN, line())
    if begun:
        assert report(home) == {ID: 100}
    append(home.projects / OWN, line("m2", "r2"))
    files = [home.index / f"index.db{suffix}" for suffix in ("", "-wal", "-shm")]
    before = strace(home.path / "trace", "fcntl", "error=ENOLCK", *files)

    def asked(*args: str) -> Ran:
        """Ask, and ask again if the machine is so busy that SQLite's waiting lasts as long as for another process."""
        for _ in range(5):
            ran = run_behind(home, before, "session", *args)
            if "another process has locked it" not in ran.err:
                break
        return ran

    not_stored(asked("--json"), {ID: 200})
    alone = asked("--id", ID, "--jq", ".outputTokens")
    assert (alone.code, alone.out) == (0, "200\n")
    assert "Traceback" not in alone.err


def test_the_state_folder_is_its_owners_alone(home: Home) -> None:
    home.write(OWN, line())
    os.utime(home.projects / OWN, (1_700_000_000, 1_700_000_000))
    old = os.umask(0)
    try:
        for _ in range(2):
            assert report(home) == {ID: 100}
            assert one(home) == 100
    finally:
        os.umask(old)
    assert home.index.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.state.rglob("*")}
    assert all(mode in (0o700, 0o600) for mode in modes.values()), modes
