"""What stands behind `--id <TAB>` and the other options, asked as the shells ask and in the shells themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccusage_line.index.index import Index
from ccusage_line.paths import data_dirs, index_dir
from ccusage_line.prompt import completion
from shells import EVERY_SHELL, PATIENCE, Shell, World, needs, plain

OLD, NEW, ODD = "aaaa1111-0000", "aaaa2222-0000", "bbbb3333-0000"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two projects with three sessions, indexed."""
    world = World(tmp_path)
    web, api = world.project("web"), world.project("api")
    for session, project, output in ((OLD, web, 4000), (ODD, api, 8000), (NEW, web, 12_000)):
        world.spend(project, output, session)
    with world.transcript(web, NEW).open("a") as file:
        file.write('{"type":"ai-title","aiTitle":"not this"}\n')
        file.write(f'{{"type":"custom-title","customTitle":"{TITLE}"}}\n')
    _backdate(world.transcript(web, OLD), "2020-01-01T00:00:00Z")
    _index(world)
    return world


TITLE = "Basket: $(touch pwned) \\u001b[31m100% `x`\\nend"
SHOWN = "Basket: $(touch pwned) 100% `x` end"


def _backdate(path: Path, moment: str) -> None:
    text = path.read_text()
    path.write_text(re.sub(r'(?<="timestamp":")[^"]*', moment, text))


def _index(world: World) -> None:
    index = Index(index_dir(world.environ), data_dirs(world.environ))
    index.refresh()
    index.close()


def ask(world: World, line: str, shell: str = "fish", point: int | None = None, **more: str) -> tuple[list[str], str]:
    """The candidates for a command line, and what was written beside them."""
    environ = world.environ | {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": shell,
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line) if point is None else point),
        **more,
    }
    read, write = os.pipe()
    out = subprocess.run(
        ["bash", "-c", f'exec "$0" 8>&{write}', str(world.ccusage)],
        env=environ, pass_fds=[write], capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with open(read, encoding="utf-8") as file:
        text = file.read()
    assert out.returncode == 0
    return text.split("\n") if text else [], out.stdout + out.stderr


# --- ids ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["ccusage session --id ", "ccusage --id ", "ccusage session --json -i "])
def test_the_newest_sessions_stand_behind_id(world, line):
    assert ask(world, line) == (["latest", NEW, ODD, OLD], "")


def test_what_was_typed_narrows_them(world):
    assert ask(world, "ccusage session --id aaaa") == ([NEW, OLD], "")
    assert ask(world, "ccusage session --id la") == (["latest"], "")
    assert ask(world, "ccusage session --id zzz") == ([], "")
    assert ask(world, "ccusage session --id aaaa --json", point=len("ccusage session --id a")) == ([NEW, OLD], "")


def test_cost_age_and_title_describe_them(world):
    found, _ = ask(world, "ccusage session --id a", _ARGCOMPLETE_DFS="\t")
    assert found == [f"{NEW}\t$0.30, now, {SHOWN}", f"{OLD}\t$0.10, {_days_since_2020()} d ago"]


def _days_since_2020() -> int:
    return int((time.time() - 1_577_836_800) // 86_400)


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_with_an_equals_sign_or_a_quote_argcomplete_answers_the_same(world, quote):
    assert ask(world, f"ccusage session --id {quote}aaaa2") == ([NEW], "")
    assert ask(world, f"ccusage session --id={quote}aaaa2") == ([f"--id={NEW}"], "")


def test_ids_that_need_quoting_are_quoted_by_argcomplete(world):
    world.spend(world.project("web"), session="odd id")
    _index(world)
    assert ask(world, "ccusage session --id odd", "bash")[0] == ["odd\\ id"]
    assert ask(world, "ccusage session --id odd", "fish")[0] == ["odd id"]


def test_without_an_index_or_with_a_broken_one_there_is_nothing_and_no_word(world):
    database = Path(index_dir(world.environ)) / "index.db"
    for content in (b"no database", None):
        for path in database.parent.glob("index.db*"):
            path.unlink()
        if content is not None:
            database.write_bytes(content)
        assert ask(world, "ccusage session --id ") == ([], "")
        assert database.exists() == (content is not None)


def test_asking_for_ids_imports_neither_argparse_nor_argcomplete(world):
    code = (
        "import os, sys; from ccusage_line.prompt import completion; assert completion.answer(os.environ);"
        " print(*sorted(m for m in sys.modules))"
    )
    environ = world.environ | {"_ARGCOMPLETE": "1", "COMP_LINE": "ccusage --id ", "COMP_POINT": "13"}
    here = str(Path(completion.__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {here!r}); {code}"],
        env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    heavy = {"argparse", "argcomplete", "json", "sqlite3", "platformdirs", "msgspec", "ccusage_line.index.index"}
    assert not heavy & set(ran.stdout.split())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "now"), (-5, "now"), (59, "now"), (60, "1 min ago"), (7200, "2 h ago"), (200_000, "2 d ago")],
)
def test_an_age_is_told_in_its_largest_unit(seconds, text):
    assert completion.age(seconds) == text


# --- everything else ---------------------------------------------------------------------------------------------


def test_commands_options_and_choices_are_completed(world):
    assert "session" in ask(world, "ccusage se")[0]
    assert "--timezone" in ask(world, "ccusage session --ti")[0]
    assert "--breakdown" in ask(world, "ccusage --br")[0]
    assert sorted(ask(world, "ccusage session --mode ")[0]) == ["auto", "calculate", "display"]
    assert ask(world, "ccusage session --mode d")[0] == ["display"]
    assert "Europe/Berlin" in ask(world, "ccusage session -z Europe/B")[0]
    assert ask(world, "ccusage session --since ")[0] == []


def test_projects_stand_behind_project(world):
    assert ask(world, "ccusage session --project a")[0] == ["api"]
    assert ask(world, f"ccusage session --project {world.home}/w")[0] == [f"{world.home}/web"]


# --- in the shells -----------------------------------------------------------------------------------------------


def _rc(shell: str, world: World) -> str:
    before = {"zsh": "autoload -Uz compinit; compinit -u -d ~/dump\n"}.get(shell, "")
    return before + world.snippet(shell)


def _tabs(terminal: Shell, typed: str, *words: str, tabs: int = 1) -> str:
    """The screen after some typing and TAB, once it shows all *words*; without any, what comes within a while."""
    text = ""
    for left in reversed(range(tabs)):
        terminal.send(f"{typed}\t" if not text else "\t")
        text += terminal.read_to(*words, quiet=0.8 if left else PATIENCE) if words else terminal.read(0.8)
        if words and all(word in plain(text) for word in words):
            break
    terminal.send("\x15")  # empties the line in its turn, where an interrupt could come before the completion
    terminal.run("true")
    return plain(text)


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_a_tab_completes_a_session_an_option_and_a_command(shell, world):
    with Shell(shell, world, _rc(shell, world)) as terminal:
        for typed, completed in (
            ("ccusage session --id aaaa2", NEW),
            ("ccusage session --brea", "--breakdown"),
            ("ccusage sessi", "session"),
            (f"{world.ccusage} session --id aaaa2", f"{world.ccusage} session --id {NEW}"[-30:]),
        ):
            assert completed in _tabs(terminal, typed, completed)
    assert "ccusage_" not in plain(terminal.screen)


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_the_list_of_sessions_shows_cost_age_and_title(shell, world):
    with Shell(shell, world, _rc(shell, world)) as terminal:
        _tabs(terminal, "ccusage session --id aaaa", NEW, OLD, "$0.30", "Basket: $(touch pwned) 100% `x`", tabs=2)
    assert not list(world.home.rglob("pwned"))


@pytest.mark.parametrize("shell", [needs["bash"], needs["zsh"]])
def test_no_completion_where_none_is_wanted(shell, world):
    rc = _rc(shell, world).replace("__ccusage_completion='1'", "__ccusage_completion=''")
    with Shell(shell, world, rc) as terminal:
        assert NEW not in _tabs(terminal, "ccusage session --id aaaa2")


@pytest.mark.parametrize("shell", [needs["zsh"]])
def test_completion_is_there_although_compinit_comes_after_it(shell, world):
    rc = world.snippet(shell) + "autoload -Uz compinit; compinit -u -d ~/dump\n"
    with Shell(shell, world, rc) as terminal:
        assert NEW in _tabs(terminal, "ccusage session --id aaaa2", NEW)
        assert terminal.value('"$precmd_functions"') == "__ccusage_hook"
