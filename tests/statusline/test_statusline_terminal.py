"""What a person sees who tries the statusline in a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ccusage_line.statusline.presets import PRESETS
from conftest import UNHURRIED_COMMAND, Home, Ran
from statusline_samples import payload

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals here")


def typed(home: Home, *args: str, given: object = None) -> Ran:
    """Run the statusline in a terminal: typed, with the keyboard as stdin, or with *given* piped into it.

    If *given* is piped, the output goes to the terminal too.
    """
    import pty

    master, slave = pty.openpty()
    out = slave if given is not None else subprocess.PIPE
    try:
        done = subprocess.run(
            [*UNHURRIED_COMMAND, "statusline", *args],
            env=home.env,
            cwd=home.path,
            stdin=slave if given is None else None,
            input=None if given is None else json.dumps(given).encode(),
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
        shown = done.stdout if given is None else (os.read(master, 65536) if done.returncode == 0 else b"")
    finally:
        os.close(slave)
        os.close(master)
    return Ran(done.returncode, shown.decode().replace("\r\n", "\n"), done.stderr.decode())


def test_the_preview_shows_every_preset_at_the_width_of_the_terminal(home: Home) -> None:
    for columns in (140, 60):
        home.env["COLUMNS"] = str(columns)
        ran = home.run("statusline", "--preview")
        assert (ran.code, ran.err) == (0, "")
        assert [row for row in ran.out.splitlines() if row in PRESETS] == list(PRESETS)
        assert "Opus 4.5 · $0.23 · 25,000 (12%)" in ran.out.splitlines()
        assert ("#42 approved · +156 -23" in ran.out) == (columns == 140)
        assert max(map(len, ran.out.splitlines())) <= columns - 4


def test_the_preview_of_one_line_shows_that(home: Home) -> None:
    assert home.run("statusline", "--preview", "--preset", "minimal").out == "Opus 4.5 · $0.23 · 25,000 (12%)\n"
    assert home.run("statusline", "--preview", "--format", "{title}").out == "Round carts half up\n"


def test_the_preview_is_that_of_a_payload_if_one_is_piped(home: Home) -> None:
    given = json.dumps(payload() | {"model": {"display_name": "Sonnet 9"}})
    ran = home.run("statusline", "--preview", "--no-color", input=given)
    assert (ran.code, ran.err) == (0, "")
    assert "minimal\n\nSonnet 9 · $0.23 · 25,000 (12%)\n" in ran.out
    assert not (home.state / "statusline.log").exists()


def test_without_a_client_the_line_is_shown_over_made_up_numbers(home: Home) -> None:
    ran = typed(home, "--format", "{model} {session_cost}")
    assert (ran.code, ran.out) == (0, "Opus 4.5 $0.23\n")
    assert "sample numbers" in ran.err


@pytest.mark.parametrize("given", [None, {"model": {"display_name": "X"}}], ids=["typed", "piped"])
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--format", "{contxt}"], "--format: no segment {contxt}, did you mean {context}?"),
        (["--format", "{cost}"], "--format: no segment {cost}, did you mean {session_cost}?"),
        (["--format", "{zzz}"], "--format: no segment {zzz}"),
        (["--preset", "loud"], "--preset wants default, minimal"),
        (["--presett", "plan"], "did you mean --preset?"),
    ],
)
def test_a_mistake_is_an_error_that_names_the_nearest(home: Home, given: object, args: list[str], said: str) -> None:
    ran = typed(home, *args, given=given)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_payload_piped_by_a_person_is_shown_and_missing_fields_are_named_not_logged(home: Home) -> None:
    given = {name: value for name, value in payload().items() if name != "version"}
    ran = typed(home, "--format", "{model} {version}", given=given)
    assert (ran.code, ran.out) == (0, "Opus 4.5\n")
    assert ran.err == "ccusage: left out: version: missing\n"
    assert not (home.state / "statusline.log").exists()
    assert home.run("statusline", "--format", "{model} {version}", input=json.dumps(given)).out == "Opus 4.5\n"
    assert "version: missing" in (home.state / "statusline.log").read_text()
