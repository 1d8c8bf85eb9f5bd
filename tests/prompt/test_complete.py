"""What `--id <TAB>` and other options complete, asked as the shells ask and in the shells themselves."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from ccusage_line.index.index import Index
from ccusage_line.paths import data_dirs, index_dir
from ccusage_line.prompt import completion
from processes import bare_python
from shells import EVERY_SHELL, PATIENCE, Shell, World, needs, plain, skip_before, until

OLD, NEW, ODD, GONE = "aaaa1111-0000", "aaaa2222-0000", "bbbb3333-0000", "cccc4444-0000"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with two projects and three sessions, indexed."""
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
    """Return the candidates for a command line, and other output."""
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
def test_id_completes_to_the_newest_sessions(world, line):
    assert ask(world, line) == (["latest", NEW, ODD, OLD], "")


def test_candidates_begin_with_what_was_typed(world):
    assert ask(world, "ccusage session --id aaaa") == ([NEW, OLD], "")
    assert ask(world, "ccusage session --id la") == (["latest"], "")
    assert ask(world, "ccusage session --id zzz") == ([], "")
    assert ask(world, "ccusage session aaaa") == ([NEW, OLD], "")
    world.spend(world.project("web"), session="11112222-3333-4444-8555-666677778888")
    _index(world)
    assert ask(world, "ccusage session --id 8555-6666") == (["8555-666677778888"], "")
    assert ask(world, "ccusage session --id aaaa --json", point=len("ccusage session --id a")) == ([NEW, OLD], "")


def test_candidates_are_described_by_cost_age_and_title(world):
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


def test_without_a_usable_index_there_are_no_candidates_and_no_messages(world):
    database = Path(index_dir(world.environ)) / "index.db"
    for content in (b"no database", None):
        for path in database.parent.glob("index.db*"):
            path.unlink()
        if content is not None:
            database.write_bytes(content)
        assert ask(world, "ccusage session --id ") == ([], "")
        assert database.exists() == (content is not None)


def test_asking_for_ids_imports_neither_argparse_nor_argcomplete(world):
    code = """
import os
from ccusage_line.prompt import completion
assert completion.answer(os.environ)
print(*sys.modules)
"""
    environ = world.environ | {"_ARGCOMPLETE": "1", "COMP_LINE": "ccusage --id ", "COMP_POINT": "13"}
    heavy = {"argparse", "argcomplete", "json", "sqlite3", "platformdirs", "msgspec", "ccusage_line.index.index"}
    assert not heavy & set(bare_python(code, environ).split())


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
    assert ask(world, "ccusage session --since ")[0] == ["today", "yesterday", "7d", "2w", "30d"]
    assert ask(world, "ccusage daily --until to")[0] == ["today"]


def test_only_possible_words_are_candidates(world):
    assert ask(world, "ccusage index path ")[0] == []
    assert "sweep" not in ask(world, "ccusage index ")[0]
    assert {"--cost-source", "--preset"} <= set(ask(world, "ccusage install -- --")[0])
    assert ask(world, "ccusage statusline --preset mini")[0] == ["minimal"]
    assert ask(world, "ccusage prices show claude-")[0] == ["claude-opus-4-5"]


def test_forget_completes_only_to_sessions_without_transcripts(world):
    assert ask(world, "ccusage index forget bbbb")[0] == []
    world.transcript(world.home / "api", ODD).unlink()
    _index(world)
    assert ask(world, "ccusage index forget bbbb")[0] == [ODD]
    assert ask(world, "ccusage index forget aaaa")[0] == []


def test_project_completes_to_projects(world):
    assert ask(world, "ccusage session --project a")[0] == ["api"]
    assert ask(world, f"ccusage session --project {world.home}/w")[0] == [f"{world.home}/web"]


# --- in the shells -----------------------------------------------------------------------------------------------


def _rc(shell: str, world: World) -> str:
    before = {"zsh": "autoload -Uz compinit; compinit -u -d ~/dump\n"}.get(shell, "")
    return before + world.snippet(shell)


def _tabs(terminal: Shell, typed: str, *words: str, tabs: int = 1) -> str:
    """Type, press TAB, and return the screen when it shows all *words*; without any, wait 0.8 seconds."""
    text = ""
    for left in reversed(range(tabs)):
        terminal.send(f"{typed}\t" if not text else "\t")
        text += terminal.read_to(*words, quiet=0.8 if left else PATIENCE) if words else terminal.read(0.8)
        if words and all(word in plain(text) for word in words):
            break
    terminal.send("\x15")  # empties the line; an interrupt could arrive before the completion
    terminal.run("true")
    return plain(text)


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_the_list_of_sessions_shows_cost_age_and_title(shell, world):
    skip_before(shell, (4, 0), "it shows no descriptions")
    with Shell(shell, world, _rc(shell, world)) as terminal:
        _tabs(terminal, "ccusage session --id aaaa", NEW, OLD, "$0.30", "Basket: $(touch pwned) 100% `x`", tabs=2)
    assert not list(world.home.rglob("pwned"))


@pytest.mark.parametrize("shell", [needs["bash"], needs["zsh"]])
def test_there_is_no_completion_if_it_is_switched_off(shell, world):
    rc = _rc(shell, world).replace("__ccusage_completion='1'", "__ccusage_completion=''")
    with Shell(shell, world, rc) as terminal:
        assert NEW not in _tabs(terminal, "ccusage session --id aaaa2")


@pytest.mark.parametrize("shell", [needs["zsh"]])
def test_completion_is_there_although_compinit_comes_after_it(shell, world):
    rc = world.snippet(shell) + "autoload -Uz compinit; compinit -u -d ~/dump\n"
    with Shell(shell, world, rc) as terminal:
        assert NEW in _tabs(terminal, "ccusage session --id aaaa2", NEW)
        assert terminal.value('"$precmd_functions"') == "__ccusage_hook"


LINE = {  # how a key writes the current line to a file
    "bash": """_line() { printf %s "$READLINE_LINE" >~/.line; mv ~/.line ~/line; }
bind -x '"\\C-x\\C-d": _line'
""",
    "zsh": """_line() { print -rn -- "$BUFFER" >~/.line; mv ~/.line ~/line }
zle -N _line
bindkey '^X^D' _line
""",
    "fish": """function _line; commandline >~/.line; mv ~/.line ~/line; end
bind \\cx\\cd _line
""",
}
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
OTHERS = {  # enables completion of other commands, where it is installed
    "bash": f"bind 'set show-all-if-ambiguous on'\n[ ! -r {BASH_COMPLETION} ] || . {BASH_COMPLETION}\n",
    "fish": "set -g fish_complete_path $__fish_data_dir/completions\n",
}
COMPLETED = {  # what completes each of them
    # Where the command may be.
    "true && ccusage sessi": "on",
    "true; ccusage sessi": "on",
    "true | VAR=1 ccusage sessi": "on",
    "time ccusage --brea": "kdown",
    "if ccusage sessi": "on",
    "while VAR=1 ccusage --brea": "kdown",
    "sudo ccusage --brea": "kdown",
    "echo $(ccusage sessi": "on",
    "bin/ccusage sessi": "on",
    "ccusage claude sessi": "on",
    "ccusage session 2>/dev/null --brea": "kdown",
    # Paths.
    "ccusage --config ~/my": ".toml",
    "ccusage --config $HOME/my": ".toml",
    "ccusage --config=my": ".toml",
    "ccusage session --config ~/my": ".toml",
    "ccusage uninstall --settings sp": "\\ ace.toml",
    "ccusage prompt --cwd ~/we": "b/",
    "ccusage session --project ~/we": "b",
    "ccusage session --html ~/my": ".toml",
    # Values.
    "ccusage session --id aaaa2": "222-0000",
    "ccusage --id=aaaa2": "222-0000",
    "ccusage session aaaa2": "222-0000",
    "ccusage index forget ": GONE,
    "ccusage session --since to": "day",
    "ccusage statusline --cost-source bo": "th",
    "ccusage statusline -B emoji-": "text",
    "ccusage install --preset mini": "mal",
    "ccusage install -- --preset mini": "mal",
    "ccusage prices show claude-opus": "-4-5",
    "ccusage daily --chart he": "at",
    "ccusage --vers": "ion",
    "ccusage index path ": "",
}
LISTED = {
    "ccusage ": ("session", "index", "uninstall"),
    "ccusage index ": ("status", "verify", "forget", "path"),
    "ccusage session ": (NEW, OLD, ODD),
    "ccusage session --project ~/": ("~/api", "~/web"),
    "ccusage install --preset ": ("minimal", "two-line"),
    "ccusage install -- --": ("--cost-source", "--preset"),
}


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_a_tab_completes_commands_paths_and_values_wherever_the_command_stands(shell, world):
    skip_before(shell, (4, 0), "its line can't be asked for")
    expected = {typed: f"{typed}{rest}" for typed, rest in COMPLETED.items()}
    expected["ccusage session -z europe/berl"] = "ccusage session -z Europe/Berlin"
    if shell == "bash":  # bash completes no command there
        expected["echo $(ccusage sessi"] = "echo $(ccusage sessi"
        if not BASH_COMPLETION.exists():
            expected["sudo ccusage --brea"] = "sudo ccusage --brea"
    _forgettable(world)
    found, line = {}, world.home / "line"
    with Shell(shell, world, OTHERS.get(shell, "") + _rc(shell, world) + LINE[shell], cwd=world.home) as terminal:
        for typed in expected:
            terminal.send(f"{typed}\t\x18\x04")
            until(line.exists, typed)
            found[typed] = line.read_text().rstrip()
            line.unlink()
            terminal.send("\x15")  # empties the line; an interrupt could arrive before the completion
            terminal.read(0)
        for typed, words in LISTED.items():
            terminal.send(f"{typed}\t")
            text = plain(terminal.read_to(*words))
            assert "--config" not in text
            terminal.send("\x15")
            terminal.run("true")
    assert found == {typed: line.rstrip() for typed, line in expected.items()}
    assert "ccusage_" not in plain(terminal.screen)


def _forgettable(world: World) -> None:
    """Make a session without its transcript, files to name, and a `sudo`, which fish needs to complete after it."""
    world.spend(world.project("api"), 100, GONE)
    _index(world)
    world.transcript(world.project("api"), GONE).unlink()
    _index(world)
    for name in ("my.toml", "sp ace.toml"):
        (world.home / name).touch()
    (world.home / "bin").symlink_to(world.bin)
    (world.bin / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (world.bin / "sudo").chmod(0o755)
