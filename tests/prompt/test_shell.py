"""The hook, the segment and the own prompt in real shells on a terminal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from attack import strace
from ccusage_line.prompt import line as readyline
from ccusage_line.prompt import snippets
from ccusage_line.prompt.command import MARKER
from shells import CLOCK_TICK, EVERY_SHELL, SHELLS, Shell, World, needs, plain, skip_before, until

every_shell = pytest.mark.parametrize("shell", EVERY_SHELL)
POSIX = [needs["bash"], needs["zsh"]]
CHECKS = {"bash": ["shellcheck"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}


@pytest.fixture
def project(world: World) -> Path:
    """Make a project whose session has cost $0.10 and whose line is ready."""
    project = world.project("my work")
    world.spend(project)
    world.settle(project)
    return project


def segment(shell: Shell) -> str:
    return shell.value('"$CCUSAGE_TEXT"')


# --- the snippets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_the_snippets_are_clean_for_their_linter(shell):
    command = CHECKS[shell]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    ran = subprocess.run([*command, snippets._snippet(shell)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_rendered_snippet_is_the_same_each_time_and_has_no_open_place(shell):
    options = {"executable": "/opt/it's \\here/ccusage", "state_dir": "/home/ann/state"}
    text = snippets.render(shell, **options)
    assert text == snippets.render(shell, **options)
    assert not re.search(r"'@\w+@'", text)
    assert snippets.render(shell, **options, prompt=False) != text


@every_shell
def test_paths_are_quoted_so_that_the_shell_reads_them_back(shell, world):
    odd = '/opt/it\'s \\ $(x) `y` "here" 🙂/ccusage'
    text = snippets.render(shell, executable=odd, state_dir=odd)
    ran = subprocess.run(
        [shell, "-c", f"{text}\nprintf '%s|%s' \"$__ccusage_exe\" \"$__ccusage_state\""],
        env=world.environ, capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{odd}|{odd}", "")


@pytest.mark.parametrize("shell", POSIX)
def test_a_script_under_set_eu_may_source_it_twice(shell, world):
    script = f"set -eu\n{world.snippet(shell) * 2}\n__ccusage_hook\necho alive"
    ran = subprocess.run([shell, "-c", script], env=world.environ, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "alive\n", "")


@every_shell
def test_sourcing_starts_no_process(shell, world):
    _, made = _traced(shell, world, world.snippet(shell), 0)
    assert made == []


# --- what is shown -----------------------------------------------------------------------------------------------


@every_shell
def test_the_first_prompt_shows_the_ready_line_without_a_word_on_stderr(shell, world, project):
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        assert "$0.10" in terminal.run("true")
        assert segment(terminal).startswith("$0.10")
        screen = plain(terminal.screen)
    for word in ("ccusage_", "error", "No such", "not found", "unbound"):
        assert word not in screen, screen


@every_shell
def test_the_line_of_the_documentation_may_be_typed_too(shell, world, project):
    (world.home / "snippet").write_text(world.snippet(shell))
    typed = "source ~/snippet" if shell == "fish" else 'eval "$(cat ~/snippet)"'
    with Shell(shell, world, "", cwd=project) as terminal:
        terminal.run(typed)
        assert "$0.10" in terminal.run("true")
        for command in ("ccusage session --brea", "true "):
            terminal.send(f"{command}\t\x15")
            terminal.run("true")
        screen = plain(terminal.screen)
    for word in ("ccusage_", "not found", "unbound", "error"):
        assert word not in screen, screen


@every_shell
def test_the_number_of_the_last_job_stays(shell, world, project):
    last = "$last_pid" if shell == "fish" else "$!"
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        terminal.run("sleep 0.01 &")
        before = terminal.value(last)
        world.spend(project)
        terminal.run("true")
        until(lambda: world.line(project).text(readyline.PLAIN).startswith("$0.20"), "the line is new")
        assert terminal.value(last) == before
        assert terminal.run("jobs").count("prompt --refresh") == 0


@pytest.mark.parametrize("shell", [needs["bash"]])
def test_a_shell_without_a_clock_lets_lines_expire_by_its_own_seconds(shell, world, project):
    line = world.line(project)
    now = time.time_ns()
    readyline.write(line.path, "soon over", examined_ns=now, expires=now // 10**9 + 60)
    rc = world.snippet(shell) + "\n__ccusage_now() { __ccusage_reply=; }\n"
    with Shell(shell, world, rc, cwd=project) as terminal:
        assert segment(terminal) == "soon over"
        terminal.run("SECONDS=$((SECONDS + 55))")
        assert segment(terminal) == "soon over"
        terminal.run("SECONDS=$((SECONDS + 6))")
        until(lambda: world.line(project).text(readyline.PLAIN).startswith("$0.10"), "the line is made anew")


@every_shell
def test_a_line_is_made_anew_when_its_time_is_over(shell, world, project):
    skip_before(shell, (4, 2), "it has no clock")
    line = world.line(project)
    now = time.time_ns()
    readyline.write(line.path, "over", examined_ns=now - 10**10, expires=now // 10**9 - 1)
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        until(lambda: world.line(project).text(readyline.PLAIN).startswith("$0.10"), "the line is made anew")
        terminal.run("true")
        assert segment(terminal).startswith("$0.10")


@every_shell
def test_a_change_shows_at_the_second_prompt_after_it(shell, world, project):
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        world.spend(project)
        terminal.run("true")  # notices the change and starts the refresher
        until(lambda: world.line(project).text(readyline.PLAIN).startswith("$0.20"), "the line is new")
        assert "$0.20" in terminal.run("true")


@pytest.mark.parametrize("shell", [needs["zsh"], needs["fish"]])
def test_a_change_is_drawn_as_soon_as_it_is_known(shell, world, project):
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        world.spend(project)
        terminal.run("true")
        until(lambda: "$0.20" in plain(terminal.read(0.1)) or "$0.20" in plain(terminal.screen), "a key-less redraw")


@every_shell
def test_the_first_prompt_ever_makes_the_line(shell, world):
    project = world.project()
    world.spend(project)
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        until(lambda: world.line(project) is not None, "the line is made")
        terminal.run("true")
        assert segment(terminal).startswith("$0.10")


FOLDERS = [
    "sp ace",
    "ünï🙂",
    "$(touch pwned)",
    "`touch pwned`",
    "100%n\\u",
    "new\nline",
    "-dash",
    "long" * 55,
    "a'b\"c",
]


@every_shell
def test_projects_of_any_name_are_found_from_below_and_through_links(shell, world):
    for number, name in enumerate(FOLDERS, 1):
        folder = world.project(name)
        world.spend(folder, output=4000 * number, session=f"s{number}")
        (folder / "below").mkdir()
        (world.home / f"link{number}").symlink_to(folder)
        world.run("prompt", "--refresh", "--cwd", str(folder))
        until(lambda folder=folder: world.line(folder) is not None, name)
    time.sleep(CLOCK_TICK)
    with Shell(shell, world, world.snippet(shell)) as terminal:
        for number, name in enumerate(FOLDERS, 1):
            for way in (f"link{number}", f"link{number}/below"):
                terminal.run(f"cd ~/{way}")
                if name.startswith("long") and not segment(terminal):  # only Python can tell whether it is a project
                    until(lambda: terminal.run("true") and segment(terminal), "the segment is shown")
                assert segment(terminal).startswith(f"$0.{number}0"), (name, way)
        cds = {
            "bash": 'cd -- "$(<~/name)"',
            "zsh": 'cd -- "$(<~/name)"',
            "fish": "cd -- (read -z <~/name | string collect)",
        }
        for number, name in enumerate(FOLDERS, 1):
            if "\n" in name and shell == "fish":
                continue  # fish does not `cd` to such a word
            (world.home / "name").write_text(f"{world.home}/{name}/below")
            terminal.run(cds[shell])
            assert segment(terminal).startswith(f"$0.{number}0"), name
        terminal.run("cd /")
        assert segment(terminal) == ""
    assert not list(world.home.rglob("pwned"))
    assert not Path("pwned").exists()


@pytest.mark.parametrize("shell", EVERY_SHELL)
def test_names_are_munged_alike_whatever_the_locale(shell, world):
    project = world.project("Bücher🙂")
    world.spend(project)
    world.settle(project)
    with Shell(shell, world, world.snippet(shell), cwd=project, LC_ALL="C") as terminal:
        assert segment(terminal).startswith("$0.10")


@every_shell
def test_another_configuration_folder_has_lines_of_its_own(shell, world, project):
    other = world.home / "other config"
    (other / "projects").mkdir(parents=True)
    sets = f"set -gx CLAUDE_CONFIG_DIR '{other}'" if shell == "fish" else f"export CLAUDE_CONFIG_DIR='{other}'"
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        assert segment(terminal).startswith("$0.10")
        terminal.run(sets)
        assert segment(terminal) == ""


@every_shell
@pytest.mark.parametrize("project_there", [True, False], ids=["in a project", "outside of projects"])
def test_a_link_that_leads_to_other_data_is_followed(shell, world, project_there):
    project = world.project("my work")
    sets = {name: world.home / name for name in ("first", "second")}
    for name, output in (("first", 4000), ("second", 8000)):
        world.projects = sets[name] / "projects"
        world.projects.mkdir(parents=True)
        world.spend(project if project_there or name == "second" else world.project("other"), output)
    world.config.joinpath("projects").rmdir()
    world.config.rmdir()
    world.config.symlink_to(sets["first"])
    world.run("prompt", "--refresh", "--cwd", str(project))
    shown = "$0.10" if project_there else ""
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        until(lambda: segment(terminal)[:5] == shown, "the cost of the first set is shown")
        until(lambda: not list(world.state.rglob(MARKER)), "no refresher runs")
        time.sleep(CLOCK_TICK)
        world.config.unlink()
        world.config.symlink_to(sets["second"])
        until(lambda: segment(terminal).startswith("$0.20"), "the cost of the second set is shown")


@every_shell
def test_no_colour_where_none_is_wanted(shell, world, project):
    with Shell(shell, world, world.snippet(shell), cwd=project, NO_COLOR="1") as terminal:
        assert "\x1b" not in terminal.value('"$CCUSAGE_SEGMENT"')
        assert "$0.10" in terminal.run("true")


# --- harmless ----------------------------------------------------------------------------------------------------

EVIL = "T $(touch pwned) ${PATH} `touch pwned` %n %F{red} \\u \\$ !! 'q' \"d\" end"
SHOWN = EVIL.replace("`", "'")
WAYS = {
    "bash": {
        "own": "",
        "by-reference": "PS1='<$CCUSAGE_SEGMENT> '",
        "embedded": "p() { PS1=\"<$CCUSAGE_SEGMENT> \"; }; PROMPT_COMMAND+=$'\\np'",
    },
    "zsh": {
        "own": "",
        "own-with-subst": "setopt prompt_subst",
        "by-reference": "setopt prompt_subst; PROMPT='<$CCUSAGE_SEGMENT> '",
        "embedded": 'p() { PROMPT="<$CCUSAGE_SEGMENT> " }; precmd_functions+=(p)',
        "embedded-with-subst": 'setopt prompt_subst; p() { PROMPT="<$CCUSAGE_SEGMENT> " }; precmd_functions+=(p)',
    },
    "fish": {"own": "", "printed": "function fish_prompt; printf '<%s> ' $CCUSAGE_SEGMENT; end"},
}


@pytest.mark.parametrize(
    ("shell", "way"),
    [
        pytest.param(*needs[shell].values, way, marks=needs[shell].marks, id=f"{shell}-{way}")
        for shell in SHELLS
        for way in WAYS[shell]
    ],
)
def test_text_from_transcripts_is_shown_and_does_nothing(shell, way, world, project):
    line = world.line(project)
    text = f"\x1b[31m{EVIL}\x1b]0;title\x07\x1b[2J"
    now = time.time_ns()
    readyline.write(line.path, text, examined_ns=now, expires=now // 10**9 + 900)
    with Shell(shell, world, world.snippet(shell) + "\n" + WAYS[shell][way], cwd=project) as terminal:
        terminal.run("true")
        screen = plain(terminal.run("true")).replace("\n", "").replace("\r", "")
        assert (SHOWN if shell != "fish" else EVIL) in screen
    assert "\x1b]0;title" not in terminal.screen
    assert not list(world.home.rglob("pwned"))


# --- the user's own things ---------------------------------------------------------------------------------------


@every_shell
def test_the_status_of_the_last_command_stays(shell, world, project):
    status = "$status" if shell == "fish" else "$?"
    pipe = {"bash": "${PIPESTATUS[*]}", "zsh": "$pipestatus", "fish": "$pipestatus"}[shell]
    fails = "sh -c 'exit 7'"
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        terminal.enter(fails)
        assert terminal.value(status) == "7"
        terminal.enter(f"{fails} | true | sh -c 'exit 3'")
        assert terminal.value(f'"{pipe}"') == "7 0 3"


HOOKS = {
    "unset": "",
    "string": "PROMPT_COMMAND=before",
    "string-with-semicolon": "PROMPT_COMMAND='before; '",
    "string-with-comment": "PROMPT_COMMAND='before # say'",
    "array": "PROMPT_COMMAND=(before before2)",
    "array-of-one": "PROMPT_COMMAND=(before)",
}


@pytest.mark.parametrize("hooks", HOOKS.values(), ids=HOOKS)
@pytest.mark.parametrize("shell", [needs["bash"]])
def test_prompt_command_of_any_kind_goes_on_and_sees_what_it_saw(shell, hooks, world, project):
    functions = """
before() { local all="$? ${PIPESTATUS[*]}"; seen=$all; return "${all%% *}"; }
before2() { return $?; }
after() { later=$?; }
"""
    after = "PROMPT_COMMAND+=$'\\nafter'" if "(" not in hooks else "PROMPT_COMMAND+=(after)"
    if "(" in hooks:
        skip_before(shell, (5, 1), "of an array PROMPT_COMMAND only the first element is run")
    rc = f"{functions}{hooks}\n{world.snippet(shell) * 2}\n{after}\n"
    with Shell(shell, world, rc, cwd=project) as terminal:
        terminal.enter("(exit 5) | (exit 6)")
        assert terminal.value('"$later"') == "6"
        terminal.enter("(exit 5) | (exit 6)")
        assert terminal.value('"${seen-}"') == ("6 5 6" if hooks else "")
        assert segment(terminal).startswith("$0.10")
        assert terminal.value('"${PROMPT_COMMAND[*]}"').count("__ccusage_hook") == 1


@pytest.mark.parametrize("shell", [needs["zsh"]])
def test_other_precmd_functions_run_once_and_see_the_status(shell, world, project):
    rc = f"""
before() {{ seen=$? }}
after() {{ later=$? }}
precmd_functions=(before)
{world.snippet(shell) * 2}
precmd_functions+=(after)
"""
    with Shell(shell, world, rc, cwd=project) as terminal:
        for name in ("seen", "later"):
            terminal.enter("(exit 6)")
            assert terminal.value(f'"${name}"') == "6"
        assert terminal.value('"$precmd_functions"') == "before __ccusage_hook after"


def assert_shown_and_renewed(terminal: Shell, world: World, project: Path) -> None:
    assert "$0.10" in terminal.run("true")
    world.spend(project)
    terminal.run("true")
    until(lambda: world.line(project).text(readyline.PLAIN).startswith("$0.20"), "the line is new")
    terminal.run("true")
    assert segment(terminal).startswith("$0.20")


@pytest.mark.parametrize("shell", [needs["zsh"]])
def test_options_stay_and_do_not_disturb(shell, world, project):
    options = "nounset ksharrays shwordsplit noglob noclobber warncreateglobal cshnullglob promptsubst nomultibyte"
    rc = f"setopt {options}\nsetopt >~/before\n{world.snippet(shell)}"
    with Shell(shell, world, rc, cwd=project) as terminal:
        assert_shown_and_renewed(terminal, world, project)
        terminal.run("setopt >|~/after")
        assert "ccusage_" not in plain(terminal.screen)
    before, after = ((world.home / name).read_text().split() for name in ("before", "after"))
    assert set(before) ^ set(after) <= {"zle", "monitor", "interactive", "shinstdin"}, "which zsh sets after its rc"


@pytest.mark.parametrize("shell", [needs["bash"]])
def test_options_of_bash_stay_and_do_not_disturb(shell, world, project):
    rc = f"set -uf -o noclobber\nshopt -s nocasematch nullglob\nIFS=x\n{world.snippet(shell)}"
    with Shell(shell, world, rc, cwd=project) as terminal:
        assert_shown_and_renewed(terminal, world, project)
        assert {"f", "u", "C"} <= set(terminal.value('"$-"'))
        assert terminal.value('"$IFS"') == "x"
        assert "ccusage_" not in plain(terminal.screen)


@pytest.mark.parametrize("shell", POSIX)
def test_an_interactive_shell_lives_on_under_set_e(shell, world, project):
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        terminal.run("set -e")
        terminal.run("! true")
        world.spend(project)
        terminal.run("true")
        terminal.run("cd /")
        assert segment(terminal) == ""


@every_shell
def test_what_the_user_shows_on_the_right_stays(shell, world, project):
    own = {"bash": "PS1='mine> '", "zsh": "RPROMPT=mine", "fish": "function fish_right_prompt; printf mine; end"}[shell]
    rc = f"{own}\n{world.snippet(shell)}"
    with Shell(shell, world, rc, cwd=project) as terminal:
        screen = terminal.run("true")
        assert "mine" in screen
        assert ("$0.10" in screen) == (shell == "bash")  # bash has no right prompt, so the segment comes first


@every_shell
def test_without_a_prompt_of_its_own_only_the_variables_are_set(shell, world, project):
    with Shell(shell, world, world.snippet(shell, prompt=False), cwd=project) as terminal:
        assert "$0.10" not in terminal.run("true")
        assert segment(terminal).startswith("$0.10")


@every_shell
def test_a_ccusage_that_is_gone_is_silence(shell, world, project):
    with Shell(shell, world, world.snippet(shell), cwd=project) as terminal:
        world.ccusage.unlink()
        world.spend(project)
        terminal.run("true")
        assert "ccusage" not in plain(terminal.screen).replace("CCUSAGE_TEXT", "")
        assert segment(terminal).startswith("$0.10")
        assert not (world.state / "prompt" / "refreshing").exists()


# --- processes ---------------------------------------------------------------------------------------------------


def _traced(shell: str, world: World, rc: str, prompts: int, cwd: Path | None = None) -> tuple[str, list[str]]:
    """Return the terminal's text, and the processes started by *prompts* prompts (0: by the start-up file)."""
    log = world.home / "trace"
    wrap = strace(log, "fork,vfork,clone,clone3,execve" + ("" if prompts else ",openat,open"))
    prompt = {"fish": "function fish_prompt; printf '> '; end\n"}.get(shell, "PS1='> '\n")
    if not prompts:
        rc = f": >>{world.home}/began\n{rc}\n: >>{world.home}/ended\n"
    with Shell(shell, world, prompt + rc, cwd=cwd, wrap=tuple(wrap)) as terminal:
        terminal.run("true")
        before = len(log.read_text())
        for _ in range(prompts):
            terminal.enter("")
        terminal.run("true")
        text = log.read_text()
    text = text[before:] if prompts else re.search(r"home/began(.*)home/ended", text, re.DOTALL)[1]
    made = [row for row in text.splitlines() if re.search(r"\b(v?fork|clone3?|execve)\(", row)]
    return terminal.screen, [row for row in made if "CLONE_THREAD" not in row]  # fish runs its builtins in threads


@every_shell
def test_a_hundred_prompts_with_nothing_changed_start_no_process(shell, world, project):
    screen, made = _traced(shell, world, world.snippet(shell), 100, project)
    assert made == []
    assert plain(screen).count("$0.10") >= 100


@every_shell
def test_outside_of_projects_a_prompt_starts_no_process(shell, world, project):
    screen, made = _traced(shell, world, world.snippet(shell), 20, world.home)
    assert made == []
    assert "$0.10" not in plain(screen)


SLOW = """#!/bin/sh
echo "$$" >>{log}
exec sleep 30
"""


@every_shell
def test_at_most_one_refresher_is_started_and_a_dead_ones_place_is_taken(shell, world, project):
    log = world.home / "started"
    world.ccusage.write_text(SLOW.format(log=log))
    world.spend(project)
    with (
        Shell(shell, world, world.snippet(shell), cwd=project) as terminal,
        Shell(shell, world, world.snippet(shell), cwd=project) as other,
    ):
        for _ in range(3):
            terminal.run("true")
            other.run("true")
        until(lambda: log.exists() and log.read_text(), "a refresher is started")
        time.sleep(0.3)  # another one would have started by now
        assert len(log.read_text().split()) == 1
        marker = world.state / "prompt" / "refreshing"
        long_ago = time.time() - 60
        marker.write_text(f"{int(long_ago)}\n")
        os.utime(marker, (long_ago, long_ago))
        terminal.run("true")
        until(lambda: len(log.read_text().split()) == 2, "another refresher is started")
        other.run("true")
        time.sleep(0.3)
        assert len(log.read_text().split()) == 2
    for number in log.read_text().split():
        os.kill(int(number), 9)


# --- the doctor --------------------------------------------------------------------------------------------------


@every_shell
def test_the_doctor_sees_whether_the_shell_has_the_hook_and_the_completion(shell, world):
    start = world.home / {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[shell]
    start.parent.mkdir(parents=True, exist_ok=True)
    start.write_text(f"ccusage init {shell}\n")
    assert "✗ shell-hook " in world.run("doctor", SHELL=f"/bin/{shell}").stdout
    with Shell(shell, world, world.snippet(shell), SHELL=f"/bin/{shell}") as terminal:
        told = terminal.run("ccusage doctor")
        assert "shell-hook " not in told
        assert ("! completion " in told) == (shell == "zsh")  # compinit has not been called
        if shell == "zsh":
            terminal.run('autoload -Uz compinit && compinit -u && eval "$(ccusage init zsh)"')  # as the doctor says
            assert "! completion " not in terminal.run("ccusage doctor")
