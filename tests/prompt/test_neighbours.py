"""The snippets beside other people's hooks.

The tools that Debian packages are real, all of them in one start-up file; tests/support/neighbours.py tries more. For
bash-preexec, VS Code and prompts that are built anew each time there are stand-ins with the same kind of hooks.
"""

from __future__ import annotations

import re

import pytest

from ccusage_line.prompt import line as readyline
from neighbours import FIRST, LAST, TOOLS, place, trial
from shells import Shell, World, needs, plain, skip_before, until

BASH = pytest.mark.parametrize("shell", [needs["bash"]])
ZSH = pytest.mark.parametrize("shell", [needs["zsh"]])

PREEXEC = r"""
__bp_imported=defined precmd_functions=() preexec_functions=() __bp_waits=
__bp_invoke() {
    [[ -n $__bp_waits ]] || return
    __bp_waits=
    [[ $BASH_COMMAND == __bp_* ]] || "$preexec_functions" "$BASH_COMMAND"
}
__bp_precmd() {
    local ret=$? each
    BP_PIPESTATUS=("${PIPESTATUS[@]}")
    for each in "${precmd_functions[@]}"; do (exit "$ret"); "$each"; done
}
__bp_interactive_mode() { __bp_waits=on; }
__bp_install() {
    trap __bp_invoke DEBUG
    PROMPT_COMMAND=$'__bp_precmd\n'${PROMPT_COMMAND//__bp_install/:}$'\n__bp_interactive_mode'
    __bp_precmd
    __bp_interactive_mode
}
PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__bp_install
note() { printf '%s\n' "$1" >>~/commands; }
preexec_functions+=(note)
"""

VSCODE = r"""
__vsc_runs=1
__vsc_preexec() { [[ $__vsc_runs == 1 ]] || { __vsc_runs=1; [[ $BASH_COMMAND == __vsc_prompt* ]] || note; }; }
note() { printf '%s\n' "$BASH_COMMAND" >>~/commands; }
__vsc_precmd() {
    __vsc_runs=0
    [[ $PS1 != "${__vsc_custom_PS1-}" ]] || return
    __vsc_original_PS1=$PS1 __vsc_custom_PS1="<$PS1>"
    PS1=$__vsc_custom_PS1
}
__vsc_precmd
__vsc_prompt_cmd() { __vsc_precmd; }
__vsc_prompt_cmd_original() { for each in "${__vsc_original_prompt_command[@]}"; do eval "$each"; done; __vsc_precmd; }
__vsc_original_prompt_command=${PROMPT_COMMAND-}
PROMPT_COMMAND=__vsc_prompt_cmd${PROMPT_COMMAND:+_original}
trap __vsc_preexec DEBUG
"""

# First the PROMPT_COMMAND that puts marks around PS1, then its own copy of bash-preexec.
ITERM = (
    r"""
PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__iterm2_prompt_command
ITERM_PREV_PS1=$PS1
__iterm2_prompt_command() {
    [[ -n ${ITERM_ORIG_PS1+x} && $PS1 == "$ITERM_PREV_PS1" ]] || export ITERM_ORIG_PS1=$PS1
    export PS1='\[<\]'$ITERM_ORIG_PS1'\[>\]'
    export ITERM_PREV_PS1=$PS1
}
"""
    + PREEXEC
)

TITLE = r"""
before() { local all="$? ${PIPESTATUS[*]}"; seen=$all; }
PROMPT_COMMAND+=(before)
trap 'printf "%s\n" "$BASH_COMMAND" >>~/commands' DEBUG
"""

BUILDERS = {
    "around the hook": """
build() { eval "${theirs-}"; PS1='built> '; }
theirs=${PROMPT_COMMAND-}
PROMPT_COMMAND=build
""",
    "after the hook": """
build() { PS1='built> '; }
PROMPT_COMMAND+=(build)
""",
    "in one command with it": """
build() { PS1='built> '; }
PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND;}build"
""",
    "by a command": """
PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND;}PS1='built> '"
""",
    "with a trap": """
build() { waits=; PS1='built> '; waits=yes; }
PROMPT_COMMAND+=(build)
trap '[[ -z ${waits-} ]] || { waits=; printf "%s\\n" "$BASH_COMMAND" >>~/commands; }' DEBUG
""",
}

VSCODE_ZSH = r"""
__vsc_runs=1
__vsc_precmd() {
    [[ -n $__vsc_runs && -n $RPROMPT ]] || return 0
    __vsc_prior=$RPROMPT RPROMPT="%{<%}$RPROMPT%{>%}" __vsc_runs=
}
__vsc_preexec() { __vsc_runs=1; [[ -z $RPROMPT ]] || RPROMPT=$__vsc_prior }
autoload -Uz add-zsh-hook
add-zsh-hook precmd __vsc_precmd
add-zsh-hook preexec __vsc_preexec
"""


def both_orders(tool: str, snippet: str) -> list[str]:
    return [f"{tool}\n{snippet}", f"{snippet}\n{tool}"]


def _commands(world: World) -> list[str]:
    return (world.home / "commands").read_text().splitlines()


@BASH
@pytest.mark.parametrize("order", [0, 1], ids=["theirs first", "ours first"])
@pytest.mark.parametrize("tool", [PREEXEC, VSCODE], ids=["bash-preexec", "vscode"])
def test_every_command_from_the_first_on_is_recorded_and_the_hook_is_not(shell, tool, order, world, project):
    rc = both_orders(tool, world.snippet(shell))[order] + "\nrm -f ~/commands\n"
    with Shell(shell, world, rc, cwd=project) as terminal:
        terminal.enter("")
        terminal.enter("echo two")
        assert terminal.value('"$CCUSAGE_TEXT"').startswith("$0.10")
        if tool == VSCODE:
            assert re.search(r"(?<!<)<\$0\.10[^<>]*>(?!>)", terminal.run("true"))
    assert [each for each in _commands(world) if not each.startswith("printf")][:2] == ["true", "echo two"]
    assert "__ccusage" not in "".join(_commands(world))


@BASH
@pytest.mark.parametrize("order", [0, 1], ids=["theirs first", "ours first"])
@pytest.mark.parametrize("tool", [PREEXEC, ITERM], ids=["first", "last"])
def test_marks_of_iterm2_stand_once_around_the_segment_from_the_first_prompt_on(shell, tool, order, world, project):
    tool = ITERM if tool == ITERM else PREEXEC + ITERM.removesuffix(PREEXEC)
    rc = "PS1='\\[\\]mine> '\n" + both_orders(tool, world.snippet(shell))[order]
    with Shell(shell, world, rc, cwd=project) as terminal:
        drawn = re.findall(r"<*[^<>\r\n]*mine> >*", plain(terminal.screen))
        assert drawn
        assert all(re.fullmatch(r"<\$0\.10[^<>]*mine> >", each) for each in drawn), drawn
        world.spend(project)
        until(lambda: "$0.20" in terminal.enter(""), "the segment follows")
        assert re.search(r"(?<!<)<\$0\.20[^<>]*mine> >(?!>)", terminal.enter("true"))
        terminal.enter("PS1='other> '")
        assert re.search(r"(?<!<)<\$0\.20[^<>]*other> >(?!>)", terminal.enter("true"))


@BASH
@pytest.mark.parametrize("order", [0, 1, 2], ids=["ours last", "ours between", "ours first"])
def test_the_segment_stays_where_ps1_is_built_after_what_bash_preexec_runs(shell, order, world, project):
    lines = ["build() { PS1='built> '; }\nPROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND;}build", PREEXEC]
    lines.insert(2 - order, world.snippet(shell))
    with Shell(shell, world, "\n".join([*lines, "rm -f ~/commands\n"]), cwd=project) as terminal:
        for command in ("echo two", "echo three"):
            assert re.search(r"\$0\.10[^\n]*built> ", terminal.enter(command))
        world.spend(project)
        until(lambda: "$0.20" in terminal.enter(""), "the segment follows")
    assert {"echo two", "echo three"} <= set(_commands(world))
    assert "__ccusage" not in "".join(_commands(world))


@BASH
def test_vscode_sees_no_command_of_ours_where_prompt_command_has_several_elements(shell, world, project):
    rc = f"PROMPT_COMMAND=(true true)\n{world.snippet(shell)}\n{VSCODE}"
    with Shell(shell, world, rc, cwd=project) as terminal:
        assert "$0.10" in terminal.enter("echo one")
    assert "__ccusage" not in "".join(_commands(world))


@BASH
@pytest.mark.parametrize("order", [0, 1], ids=["theirs first", "ours first"])
@pytest.mark.parametrize("title", [TITLE, TITLE.splitlines()[-1]], ids=["beside another", "alone"])
def test_a_debug_trap_sees_what_it_would_see_without_us(shell, title, order, world, project):
    theirs = ["before"] if "before" in title else []
    if theirs:
        skip_before(shell, (4, 0), "PROMPT_COMMAND sees no PIPESTATUS")
    if theirs and order:
        skip_before(shell, (5, 1), "of an array PROMPT_COMMAND only the first element is run")
    rc = both_orders(title, world.snippet(shell))[order]
    with Shell(shell, world, rc, cwd=project) as terminal:
        terminal.enter("rm -f ~/commands")  # has the start-up file, and our check for a trap that is set later
        assert "$0.10" in terminal.enter("echo one")
        assert _commands(world) == [*theirs, "echo one", *theirs]
        terminal.enter("(exit 5) | (exit 6)")
        assert terminal.value('"${seen-}"') == ("6 5 6" if theirs else "")


@BASH
@pytest.mark.parametrize("order", [0, 1], ids=["theirs first", "ours first"])
@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
def test_the_segment_is_in_the_first_prompt_that_is_built_anew_and_in_each_after_it(
    shell, builder, order, world, project
):
    if order and "+=(" in builder:
        skip_before(shell, (5, 1), "of an array PROMPT_COMMAND only the first element is run")
    rc = both_orders(builder, world.snippet(shell))[order]
    with Shell(shell, world, rc, cwd=project) as terminal:
        first = plain(terminal.screen).partition("built> ")[0]
        assert ("$0.10" in first) == (order == 0 or "build()" in builder), (
            "what no function builds is awaited by nothing"
        )
        assert "bash: " not in first
        assert "$0.10" in terminal.enter("sh -c 'exit 4'")
        assert terminal.value('"$?"') == "4"
        traps = terminal.run("trap -p RETURN; declare -Ft")
    assert "trap --" not in traps
    assert " build" not in traps
    if "waits" in builder:
        assert _commands(world)[:3] == ["true", "printf '%s-%s\\n' end 1", "sh -c 'exit 4'"]


@BASH
def test_an_inner_shell_without_the_hook_and_a_read_only_prompt_are_silent(shell, world, project):
    rc = f"export PROMPT_COMMAND\n{world.snippet(shell)}\nPS1='mine> '\nreadonly PS1\n"
    with Shell(shell, world, rc, cwd=project) as terminal:
        terminal.run("true")
        terminal.run("bash --norc --noprofile")
        terminal.run("true")
        screen = terminal.screen
    assert "mine> " in screen
    for word in ("not found", "readonly", "ccusage_"):
        assert word not in screen


@ZSH
def test_the_right_side_is_drawn_again_where_vscode_puts_marks_around_it(shell, world, project):
    with Shell(shell, world, f"{world.snippet(shell)}\n{VSCODE_ZSH}", cwd=project) as terminal:
        world.spend(project)
        terminal.enter("")
        until(lambda: "$0.20" in plain(terminal.screen + terminal.read(0.1)), "a redraw without a key")
        terminal.enter("")
        world.spend(project)
        terminal.run("true")
        until(lambda: "$0.30" in plain(terminal.screen + terminal.read(0.1)), "a redraw after a command")
        terminal.run("cd /")
        assert "$0." not in terminal.enter("")
        terminal.run("cd -")
        assert "$0.30" in terminal.enter("")


@ZSH
def test_an_open_menu_of_completions_stays(shell, world, project):
    for number in range(9):
        (project / f"entry{number}").touch()
    slow = world.ccusage.read_text().replace("import sys\n", "import pathlib, sys, time\n")
    wait = "while not pathlib.Path('go').exists(): time.sleep(0.01)\n"
    world.ccusage.write_text(slow.replace("sys.exit", f"{wait}sys.exit"))
    menu = "autoload -Uz compinit; compinit -u -d ~/dump; zstyle ':completion:*' menu select\n"
    with Shell(shell, world, menu + world.snippet(shell), cwd=project) as terminal:
        world.spend(project)
        terminal.enter("")
        terminal.send("ls entry\t\t\t")
        terminal.read_to("entry8")
        terminal.read()
        (project / "go").touch()
        until(lambda: world.line(project).text(readyline.PLAIN).startswith("$0.20"), "the line is new")
        assert terminal.read(0.5) == ""
        terminal.send("\x03")
        assert "$0.20" in terminal.run("true")


@pytest.mark.parametrize("shell", [needs["fish"]])
def test_the_first_prompt_after_direnv_changed_the_account_shows_that_account(shell, world, project):
    other = world.home / "other"
    (other / "projects").mkdir(parents=True)
    direnv = f"""
function direnv_export --on-event fish_prompt
    string match --quiet '*/work' -- $PWD; and set -gx CLAUDE_CONFIG_DIR '{world.config}'
    or set -gx CLAUDE_CONFIG_DIR '{other}'
end
"""
    with Shell(shell, world, world.snippet(shell) + direnv, CLAUDE_CONFIG_DIR=str(other)) as terminal:
        terminal.enter("true")
        assert "$0.10" in terminal.enter("cd ~/work").rpartition("\n")[2]
        assert "$0.10" not in terminal.enter("cd ..").rpartition("\n")[2]


@pytest.mark.parametrize("shell", [needs["fish"]])
def test_the_text_is_given_to_another_fish_once_it_is_exported(shell, world, project):
    tide = "set -gx CCUSAGE_TEXT\n"  # the recipe for tide
    with Shell(shell, world, world.snippet(shell) + tide, cwd=project) as terminal:
        assert terminal.value("(fish --no-config -c 'printf %s $CCUSAGE_TEXT')").startswith("$0.10")
        world.spend(project)
        until(lambda: "$0.20" in terminal.enter(""), "the segment follows")
        assert terminal.value("(fish --no-config -c 'printf %s $CCUSAGE_TEXT')").startswith("$0.20")


@pytest.mark.parametrize(
    ("shell", "order"),
    [
        pytest.param(*needs[shell].values, order, marks=needs[shell].marks, id=f"{shell}-{order}")
        for shell, order in (("bash", FIRST), ("bash", LAST), ("zsh", FIRST), ("zsh", LAST), ("fish", FIRST))
    ],
)
def test_all_tools_that_debian_packages_work_with_the_segment(shell, order, tmp_path):
    skip_before(shell, (4, 0), "the tools themselves do not all work")
    tools = [tool for tool in TOOLS if tool.shell == shell and tool.install]
    for tool in tools:
        if place(tool, ()) is None:
            pytest.skip(f"{tool.install} is not installed")
    seen = trial(tools, order, tmp_path / "trial")
    assert seen._replace(marks=()) == (1, "6 5 6", (), (), (), True, True)
