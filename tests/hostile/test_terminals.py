"""Terminals: nothing in transcripts, server answers or command lines moves a cursor or changes the reading order."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from conftest import Home
from lines import ID, line
from shells import EVERY_SHELL, Shell, World, until

# An OSC that sets the title, a CSI, the C1 forms of both, a right-to-left override, an invisible tag, DEL.
EVIL = "\x1b]0;owned\x07\x1b[31m\x9b31m\x9d0;owned\x9c\u202eabc\u2066\U000e0041\x7f\u2028"
FORBIDDEN = {"Cc", "Cf", "Zl", "Zp"}


def harmful(text: str) -> list[str]:
    """Return the characters that a terminal would obey, except line ends."""
    return [c for c in text.replace("\r\n", "\n") if c != "\n" and unicodedata.category(c) in FORBIDDEN]


@pytest.fixture
def evil(home: Home) -> Home:
    """Return a home with a session whose id, project, model and title are hostile."""
    said = line("m1", session=f"{EVIL}-1", cwd=f"/w/{EVIL}", model=f"claude-{EVIL}")
    title = json.dumps({"type": "custom-title", "customTitle": EVIL, "sessionId": f"{EVIL}-1"}) + "\n"
    home.write("-p/one.jsonl", said + title)
    home.write(f"-p/{ID}.jsonl", line("m2", "r2"))
    return home


@pytest.mark.parametrize(
    "words",
    [
        ("session",),
        ("session", "--breakdown"),
        ("session", "--json"),
        ("session", "--id", f"{EVIL}-1", "--json"),
        ("session", "--id", f"{EVIL}-1", "--json", "--entries"),
        ("session", "--id", f"{EVIL}-1"),
        ("session", "--id", f"{EVIL}-1", "--explain"),
        ("session", "--id", f"no {EVIL}"),
        ("session", "--since", EVIL),
        ("session", "--timezone", EVIL),
        ("session", f"--{EVIL}"),
        ("session", "--mode", EVIL),
        (EVIL,),
        ("daily", "--instances", "--breakdown"),
        ("weekly", "--breakdown", "--json"),
        ("monthly", "--instances", "--json"),
        ("daily", "--instances", "--csv"),
        ("blocks", "--breakdown"),
        ("blocks", "--json"),
        ("live", "--once"),
        ("live", "--once", "--json"),
        ("daily", "--project", EVIL, "--chart", EVIL),
        ("daily", "--locale", EVIL),
        ("index", "forget", EVIL),
        ("index", "status"),
        ("index", "verify"),
        ("prices", "show", EVIL),
        ("install", "--dry-run", "--", f"--format={EVIL}"),
        ("install", "--", EVIL),
        ("--config", f"/x/{EVIL}", "session"),
        ("config", "show"),
        ("doctor",),
        ("prompt", "--for", EVIL),
        ("init", EVIL),
    ],
    ids=lambda words: " ".join(words).replace(EVIL, "EVIL"),
)
def test_no_answer_and_no_error_holds_what_a_terminal_obeys(evil: Home, words: tuple[str, ...]) -> None:
    project = evil.path / ".claude"
    project.mkdir()
    (project / "settings.json").write_text(json.dumps({"statusLine": {"type": "command", "command": EVIL}}))
    ran = evil.run(*words)
    assert harmful(ran.out) == []
    assert harmful(ran.err) == []


@pytest.mark.parametrize("args", [(), ("--id", f"{EVIL}-1"), ("--id", f"{EVIL}-1", "--jq", ".")])
def test_escapes_in_json_are_the_same_text(evil: Home, args: tuple[str, ...]) -> None:
    for _ in range(2):  # counted, then published
        ran = evil.run("session", "--json", *args)
        told = json.loads(ran.out)
        found = told["sessions"][0] if "sessions" in told else told
        ids = [session["sessionId"] for session in told.get("sessions", [found])]
        assert f"{EVIL}-1" in ids


@pytest.mark.parametrize("columns", [1, 2, 5, 19])
def test_a_screen_too_narrow_for_a_number_does_not_take_numbers_apart(home: Home, columns: int) -> None:
    home.write(f"-p/{ID}.jsonl", line())
    for words in (("session",), ("session", "--id", ID), ("daily",), ("blocks",)):
        ran = home.run(*words, COLUMNS=str(columns))
        assert "$0.00" in ran.out
    ran = home.run("statusline", input=json.dumps({"session_id": ID}), COLUMNS=str(columns))
    assert (ran.code, ran.err) == (0, "")


# --- TAB -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_ids_that_a_terminal_would_obey_are_not_offered_on_tab(tmp_path: Path, shell: str) -> None:
    world = World(tmp_path)
    work = world.home / "work"
    for session in (f"aa{EVIL}", "aa11-plain", "aa22-plain"):
        path = world.transcript(work, session.replace("/", "")[:2] + str(len(session)))
        path.write_text(line(session, session, session=session))
    world.run("session", "--json")
    init = "autoload -Uz compinit; compinit -u\n" if shell == "zsh" else ""
    with Shell(shell, world, init + world.snippet(shell), cwd=world.home) as terminal:
        before = len(terminal.screen)
        terminal.send("ccusage session --id aa\t\t")
        terminal.read_to("aa22-plain")
        until(lambda: not terminal.read(0.3), "the list is shown")
        shown = terminal.screen[before:]
    assert "owned" not in shown
    assert not set("\x9b\x9d\u202e\u2066\U000e0041") & set(shown)


def test_by_every_protocol_of_completion_ids_are_harmless(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = world.transcript(world.home, "one")
    path.write_text(line("m", "r", session=f"aa{EVIL}"))
    world.run("session", "--json")
    for words in ("ccusage session --id aa", "ccusage session --id=aa", 'ccusage session --id "aa'):
        ran = world.run(
            _ARGCOMPLETE="1", _ARGCOMPLETE_IFS="\n", _ARGCOMPLETE_DFS="\t", _ARGCOMPLETE_SHELL="fish",
            COMP_LINE=words, COMP_POINT=str(len(words)), _ARGCOMPLETE_STDOUT_FILENAME=str(tmp_path / "out"),
        )  # fmt: skip
        assert ran.returncode == 0
        assert harmful((tmp_path / "out").read_text().replace("\t", "")) == []
