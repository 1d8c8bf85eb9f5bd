"""The lanes: which modules each of them may load, and that they all print the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from conftest import Home, Ran, run_after, run_code
from lines import ID, OTHER, SONNET, line, usage

BARE = """
import sys
before = set(sys.modules)
"""
LANE = (
    BARE
    + """
from ccusage_line import fast
answered = fast.answer(sys.argv[1:])
sys.stderr.write(" ".join([str(answered), *sorted(set(sys.modules) - before)]))
"""
)
OURS = {
    "__future__",
    "ccusage_line",
    "ccusage_line.answer",
    "ccusage_line.files",
    "ccusage_line.fast",
    "ccusage_line.paths",
}
LANE_1 = OURS | {"_blake2", "ccusage_line.prices", "ccusage_line.prices.stored", "ccusage_line.published"}
FROM_NUMBERS = {  # modules that print anything but the published text itself
    "ccusage_line.clock",
    "ccusage_line.jsontext",
    "ccusage_line.accounting",
    "ccusage_line.prices",
    "ccusage_line.prices.table",
    "ccusage_line.transcripts",
    "ccusage_line.transcripts.claims",
    "ccusage_line.session",
    "_json",
}
JQ = {"ccusage_line.errors", "ccusage_line.jqpath"}
LANE_2 = (
    LANE_1
    | FROM_NUMBERS
    | {
        "_functools",
        "_sqlite3",
        "ccusage_line.index",
        "ccusage_line.index.schema",
        "ccusage_line.index.index",
        "ccusage_line.prices.stored",
        "ccusage_line.prices.embedded",
        "ccusage_line.prices.in_use",
        "ccusage_line.transcripts.reading",
        "ccusage_line.recent",
        "ccusage_line.index.refresh",
        "ccusage_line.index.rows",
        "ccusage_line.index.sessions",
        "ccusage_line.index.store",
        "ccusage_line.transcripts.files",
    }
)
SETTLED = 2.1  # seconds after which an answer may be published


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home with sessions whose files are old enough for answers to be published."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.write(
        f"-home-me-proj/{ID}.jsonl",
        line(costUSD=0.5)
        + line("m2", "r2", at="2026-05-03T23:30:00Z", model=SONNET)
        + line("m4", "r4", model="house-model", stop=None)
        + '{"type":"custom-title","customTitle":"A \\"title\\" \\u2028 \\ud800 \u6728"}\n',
    )
    home.write(f"-home-me-proj/{ID}/subagents/agent-a1.jsonl", line("m3", "r3", isSidechain=True, agentId="a1"))
    home.write(f"-home-me-other/{OTHER}.jsonl", line("n1", "q1", OTHER, tokens=usage(5, 50)))
    home.write("-home-me-other/empty.jsonl", '{"type":"user"}\n')
    assert home.run("session", "--json").code == 0
    time.sleep(SETTLED)
    return home


def loaded(home: Home, *args: str, input: str = "") -> tuple[bool, set[str]]:
    """Return whether the fast lane answered, and the modules that it loaded on top of a bare start."""
    answered, *modules = run_code(home, LANE, *args, input=input).err.split()
    return answered == "True", {name for name in modules if not name.startswith("encodings")}


def publish(home: Home, session: str = ID) -> None:
    assert home.run("session", "--id", session, "--json").code == 0
    assert any(home.state.glob("*/answers/*"))


def withdraw(home: Home) -> None:
    for path in home.state.glob("*/answers/*"):
        path.unlink()


@pytest.mark.parametrize(
    ("args", "modules"),
    [
        pytest.param(["--json"], LANE_1, id="text as published"),
        pytest.param(["--jq", ".totalCost"], LANE_1, id="a scalar"),
        pytest.param(["--jq", ".modelsUsed[0]"], LANE_1 | FROM_NUMBERS | JQ, id="a path"),
        pytest.param(["--json", "--mode", "calculate"], LANE_1 | FROM_NUMBERS, id="another mode"),
    ],
)
def test_lane_1_loads_no_more_than(used: Home, args: list[str], modules: set[str]) -> None:
    publish(used)
    answered, found = loaded(used, "session", "--id", ID, *args)
    assert answered
    assert found - modules == set()
    assert "ccusage_line.index.index" not in found


@pytest.mark.parametrize(
    ("args", "modules"),
    [pytest.param(["--json"], LANE_2, id="text"), pytest.param(["--jq", ".totalCost"], LANE_2 | JQ, id="a scalar")],
)
def test_lane_2_loads_no_more_than(used: Home, args: list[str], modules: set[str]) -> None:
    withdraw(used)
    answered, found = loaded(used, "session", "--id", ID, *args)
    assert answered
    published = {"ccusage_line.jqpath"}  # publishing renders what `--jq .key` prints
    assert found - modules - published == set()
    assert "_sqlite3" in found


def test_jq_s_own_language_is_left_to_the_command_line_proper_at_once(used: Home) -> None:
    publish(used)
    answered, found = loaded(used, "session", "--id", ID, "--jq", ".totalCost * 2")
    assert not answered
    assert found - OURS - JQ - {"_blake2"} == set()


def test_the_command_line_loads_neither_network_nor_decoder(used: Home) -> None:
    code = BARE + "from ccusage_line import cli\ncli.run(sys.argv[1:])\n"
    code += "sys.stderr.write(' '.join(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code, "session"], env=used.env, capture_output=True, check=True)
    found = set(done.stderr.decode().split())
    assert not {"httpx", "msgspec", "platformdirs", "filelock", "argcomplete", "sqlite3", "json", "asyncio"} & found
    assert not {"typing", "shutil"} & found  # argparse imports them in some cases


@pytest.mark.parametrize("before", ["", "import typing_extensions", "sys.modules['typing_extensions'] = None"])
def test_the_bulk_decoder_does_without_typing_extensions(before: str) -> None:
    told = "print('typing_extensions' in sys.modules, read_block.__module__)"
    code = f"import sys\n{before}\nfrom ccusage_line.index.workers import bulk_reader as t\nread_block = t()\n{told}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().split() == [str(bool(before)), "ccusage_line.transcripts.bulk_decoder"]


FORMS = [
    ["--json"],
    ["-j"],
    ["--jq", ".totalCost"],
    ["-q", ".totalCost"],
    ["--jq=.totalCost"],
    ["--json", "--jq", "."],
    ["--jq", ".title"],
    ["--jq", ".lastActivity"],
    ["--jq", ".responses"],
    ["--jq", ".modelsUsed"],
    ["--jq", ".modelBreakdowns[].modelName"],
    ["--jq", ".nothing.at.all"],
    ["--jq", ".totalCost + 1"],
    ["--jq", "[.inputTokens, .outputTokens] | @csv"],
    ["--jq", ".[["],
    ["--jq", ".entries | length"],
    ["--json", "--entries"],
    ["--json", "--mode", "calculate"],
    ["--json", "-m", "calculate"],
    ["--jq", ".totalCost", "--mode", "display"],
    ["--json", "--mode", "nonsense"],
    ["--json", "--offline"],
    ["--json", "-O", "--no-color"],
    ["--json", "--timezone", "Asia/Tokyo"],
    ["--json", "--color", "always"],
    [],
    ["--no-color"],
    ["--jq"],
    ["--json", "extra"],
    ["-jO"],
    ["-jq", ".totalCost"],
]
OTHERS = [
    ["session", f"--id={ID}", "--json"],
    ["session", "-i", ID, "--json"],
    ["session", f"-i{ID}", "--json"],
    ["session", "--json", "--id", ID, "--id", OTHER],
    ["session", "--id", "1111", "--json"],
    ["session", "--id", "latest", "--json"],
    ["session", "--id", "agent-a1", "--json"],
    ["session", "--id", "empty", "--json"],
    ["session", "--id", "nope", "--json"],
    ["session", "--id", "nope", "--jq", ".totalCost"],
    ["session", "--id", "", "--json"],
    ["--id", ID, "--json"],
]
COMMANDS = [*(["session", "--id", ID, *form] for form in FORMS), *OTHERS]


def by_command_line(home: Home, args: list[str]) -> Ran:
    return run_after(home, "from ccusage_line import fast\nfast.answer = lambda argv: False", *args)


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_every_lane_prints_the_same_bytes(used: Home, args: list[str]) -> None:
    proper = by_command_line(used, args)
    withdraw(used)
    appended = used.run(*args)
    publish(used)
    unchanged = used.run(*args)
    assert appended == proper
    assert unchanged == proper


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "XYZ-13:30"])
def test_the_day_is_that_of_the_readers_zone_in_every_lane(used: Home, zone: str) -> None:
    args = ["session", "--id", ID, "--jq", ".lastActivity"]
    used.env["TZ"] = zone
    try:
        publish(used)
        assert used.run(*args) == by_command_line(used, args)
        args[3:] = ["--json"]
        assert used.run(*args) == by_command_line(used, args)
    finally:
        used.env["TZ"] = "UTC"


def test_a_closed_pipe_is_silent_success_in_the_fast_lane(used: Home) -> None:
    publish(used)
    script = f"'{sys.executable}' -m ccusage_line session --id {ID} --json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], env=used.env, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_nothing_is_lost_when_the_pipe_is_slow(used: Home) -> None:
    publish(used)
    script = f"'{sys.executable}' -m ccusage_line session --id {ID} --json | (sleep 0.2; cat)"
    done = subprocess.run(["bash", "-c", script], env=used.env, capture_output=True, check=True)
    assert json.loads(done.stdout)["sessionId"] == ID
