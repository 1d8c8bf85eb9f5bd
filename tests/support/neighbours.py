"""Run the shell snippets beside other people's tools: how each tool is set up, and what shows that it works.

    python tests/support/neighbours.py [FOLDER ...]

This runs every tool alone, after our line and before our line, in real shells on a terminal, and prints a table. A tool
is a command on PATH, or a file of the system or below a FOLDER of checkouts. Any difference from the tool alone is a
fault.
"""

# ruff: noqa: RUF001

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from shells import Shell, World, plain

ALONE, FIRST, LAST = "alone", "ours first", "ours last"
ORDERS = (ALONE, FIRST, LAST)
OWN = {
    "bash": "PS1='me> '",
    "zsh": "PROMPT='me> '; autoload -Uz compinit; compinit -u -d ~/dump",
    "fish": "function fish_prompt; printf 'me> '; end; set fish_greeting",
}
PIPE = {
    "bash": ("(exit 5) | (exit 6)", '"$? ${PIPESTATUS[*]}"'),
    "zsh": ("(exit 5) | (exit 6)", '"$? $pipestatus"'),
    "fish": ("sh -c 'exit 5' | sh -c 'exit 6'", '"$status $pipestatus"'),
}
# Titles and the marks of terminals, except those that VS Code puts around a right prompt.
_MARK = re.compile(r"\x1b\](?!633;[HI])(.*?)(?:\x07|\x1b\\)", re.DOTALL)


class Tool(NamedTuple):
    name: str
    shell: str
    needs: str  # a command, or a file of the system or below a folder of checkouts
    rc: str  # its lines of the start-up file; {it} is the file
    steps: tuple[tuple[str, str], ...] = ()  # keys, and a regular expression for what they show on the screen
    drawn: str = "me> "  # part of a prompt that the tool has changed
    version: str = "date -r {it} +%F"  # a shell command that prints it; for a checkout, the date
    install: str = ""  # its Debian package

    @property
    def id(self) -> str:
        return f"{self.name}-{self.shell}"

    @property
    def redraws(self) -> bool:
        return self.shell != "bash" and self.name not in ("starship", "spaceship")


class Seen(NamedTuple):
    """What a run on a terminal showed."""

    prompt: int  # the number of the first prompt with the segment, or 0
    status: str
    missed: tuple[str, ...]  # keys of the steps without their effect
    marks: tuple[str, ...]
    noise: tuple[str, ...]
    follows: bool  # whether a higher cost is shown: without a key if the shell can do that
    completes: bool


def _tools() -> Iterator[Tool]:
    yield Tool(
        "DEBUG trap", "bash", "bash",
        r"""trap 'printf "\e]0;%s\a" "${{BASH_COMMAND%%[$'"'"'\n'"'"']*}}"' DEBUG""",
        (("echo tit\"\"led\n", r"\x1b\]0;echo tit\"\"led\x07"),),
        version="echo $BASH_VERSION",
    )  # fmt: skip
    yield Tool(
        "PS1 by command", "bash", "bash", r"""PROMPT_COMMAND=${{PROMPT_COMMAND:+$PROMPT_COMMAND;}}'PS1="built> "'""",
        drawn="built> ", version="echo $BASH_VERSION",
    )  # fmt: skip
    yield Tool(
        "bash-completion", "bash", "/usr/share/bash-completion/bash_completion", ". {it}",
        (("shopt nullglo\t\n", r"nullglob\s+off"),), install="bash-completion",
    )  # fmt: skip
    yield Tool(
        "liquidprompt", "bash", "/usr/share/liquidprompt/liquidprompt",
        "LP_ENABLE_TITLE=1 LP_ENABLE_TITLE_COMMAND=1 LP_ENABLE_LOAD=0 LP_ENABLE_BATT=0\n. {it}",
        (("echo tit''led\n", r"\x1b\]0;[^\x07]*echo tit''led"), ("(exit 4)\n", r"\b4\b.*[#$] ")),
        drawn=r"\[.*:~/work\]", install="liquidprompt",
    )  # fmt: skip
    yield Tool(
        "bash-preexec", "bash", "bash-preexec/bash-preexec.sh",
        ". {it}\nnote() {{ printf '%s\\n' \"$1\" >>~/noted; }}\npreexec_functions+=(note)",
        (("echo one\n", "one"), ("cat ~/noted\n", r": first\s+echo one")),
        version="sed -n 's/# V//p' {it}",
    )  # fmt: skip
    yield Tool(
        "bash-git-prompt", "bash", "bash-git-prompt/gitprompt.sh",
        "GIT_PROMPT_FETCH_REMOTE_STATUS=0 GIT_PROMPT_SHOW_UPSTREAM=0\ngit init -q 2>/dev/null\n. {it}",
        (("(exit 4)\n", r"✘-?4"),), drawn="✔",
    )  # fmt: skip
    yield Tool(
        "oh-my-bash", "bash", "oh-my-bash/oh-my-bash.sh",
        "export OSH={folder} OSH_THEME=robbyrussell DISABLE_AUTO_UPDATE=true\n. {it}", drawn="➜",
    )  # fmt: skip
    yield Tool(
        "ble.sh",
        "bash",
        "ble.sh/out/ble.sh",
        ". {it}",
        (("echo on''e\n", r"\bone\b"),),
        version="sed -n 's/FULLVER := //p' {folder}/../GNUmakefile",
    )
    yield Tool(
        "pure", "zsh", "pure-prompt/pure.zsh",
        "mkdir -p ~/f; ln -sf {folder}/async.zsh ~/f/async; ln -sf {it} ~/f/prompt_pure_setup; fpath+=(~/f)\n"
        "autoload -U promptinit; promptinit; prompt pure",
        (("sleep 0.1\n", r"\x1b\]0;[^\x07]*sleep 0.1"),), drawn="❯",
        version="sed -n '/version/{{s/.*: .\\(.*\\).,/\\1/p;q}}' {folder}/package.json",
    )  # fmt: skip
    yield Tool(
        "spaceship", "zsh", "spaceship-prompt/spaceship.zsh", ". {it}\n" + recipe("spaceship"),
        (("(exit 4)\n", "➜"),), drawn="➜",
        version="echo $SPACESHIP_VERSION",
    )  # fmt: skip
    yield Tool(
        "oh-my-zsh", "zsh", "ohmyzsh/oh-my-zsh.sh",
        "ZSH={folder} ZSH_THEME=robbyrussell plugins=(git) DISABLE_AUTO_UPDATE=true ZSH_DISABLE_COMPFIX=true\n. {it}",
        (("gst\t\n", "git status|not a git"), ("echo a\n", r"\x1b\]2;echo a")), drawn="➜",
    )  # fmt: skip
    yield Tool(
        "powerlevel10k", "zsh", "powerlevel10k/powerlevel10k.zsh-theme",
        "POWERLEVEL9K_DISABLE_GITSTATUS=true POWERLEVEL9K_DISABLE_CONFIGURATION_WIZARD=true\n"
        "POWERLEVEL9K_LEFT_PROMPT_ELEMENTS=(dir prompt_char) POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS=(status ccusage)\n"
        ". {it}\n" + recipe("powerlevel10k"),
        (("(exit 4)\n", "4 ↵"),), drawn="❯", version="echo $P9K_VERSION",
    )  # fmt: skip
    yield Tool(
        "zsh-autosuggestions", "zsh", "/usr/share/zsh-autosuggestions/zsh-autosuggestions.zsh",
        "HISTFILE=~/h HISTSIZE=9 SAVEHIST=9\n. {it}",
        (("echo sug''gested\n", "suggested"), ("ech", "gested"), ("\x15", "")),
        install="zsh-autosuggestions",
    )  # fmt: skip
    yield Tool(
        "zsh-syntax-highlighting", "zsh", "/usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh", ". {it}",
        (("echo", r"\x1b\[32m"), ("\x15", "")),
        install="zsh-syntax-highlighting",
    )  # fmt: skip
    yield Tool(
        "fzf-tab", "zsh", "fzf-tab/fzf-tab.plugin.zsh",
        "touch entry{{1..3}}\n. {it}",
        (("ls entry\t", "entry3"), ("\r", "ls entry1"), ("\x15", "")),
    )  # fmt: skip
    yield Tool(
        "git's prompt", "bash", "/usr/lib/git-core/git-sh-prompt",
        "git init -q 2>/dev/null\n. {it}\n"
        """PROMPT_COMMAND="${{PROMPT_COMMAND:+$PROMPT_COMMAND;}}__git_ps1 '' ' built> '\"""",
        (("git checkout -qb elsewhere\n", r"\(elsewhere\) built> "),), drawn="built> ",
        version="git --version | cut -d' ' -f3",
    )  # fmt: skip
    yield Tool(
        "bash-it", "bash", "bash-it/bash_it.sh",
        "export BASH_IT={folder} BASH_IT_THEME=bobby SCM_CHECK=true\n. {it}", drawn="→",
    )  # fmt: skip
    yield Tool(
        "powerline", "bash", "/usr/share/powerline/bindings/bash/powerline.sh", "POWERLINE_NO_DAEMON=1\n. {it}",
        drawn="work",
        version="dpkg -s powerline | sed -n 's/^Version: //p'",
    )  # fmt: skip
    yield Tool(
        "powerline-shell", "bash", "powerline-shell",
        "update() {{ PS1=$(powerline-shell $?); }}\nPROMPT_COMMAND=\"update${{PROMPT_COMMAND:+; $PROMPT_COMMAND}}\"",
        drawn=" ", version="echo 0.7.0",
    )  # fmt: skip
    iterm = (("echo one\n", r"\x1b\]133;C"),)
    for shell in ("bash", "zsh", "fish"):
        yield Tool("iTerm2", shell, f"iterm2/shell_integration/{shell}", ". {it}", iterm)
    yield Tool(
        "Ghostty", "bash", "ghostty/bash/ghostty.bash", "GHOSTTY_SHELL_FEATURES=title\n. {it}",
        (("echo on''e\n", r"\x1b\]2;echo on''e\x07"),),
    )  # fmt: skip
    yield Tool(
        "Ghostty", "zsh", "ghostty/zsh/ghostty-integration", "GHOSTTY_SHELL_FEATURES=title\n. {it}",
        (("echo on''e\n", r"\x1b\]133;C"),),
    )  # fmt: skip
    yield Tool(
        "Ghostty", "fish", "ghostty/fish/vendor_conf.d/ghostty-shell-integration.fish",
        "set -gx GHOSTTY_SHELL_FEATURES title\n. {it}", (("echo on''e\n", r"\x1b\]133;C"),),
    )  # fmt: skip
    for shell in ("bash", "zsh"):
        yield Tool("WezTerm", shell, "wezterm/wezterm.sh", ". {it}", (("echo one\n", r"\x1b\]133;C"),))
    yield Tool(
        "prezto", "zsh", "prezto/init.zsh",
        "zstyle ':prezto:load' pmodule environment terminal editor history directory completion prompt\n"
        "zstyle ':prezto:module:prompt' theme minimal\nzstyle ':prezto:module:terminal' auto-title yes\n. {it}",
        (("echo on''e\n", r"\x1b\][12];echo"),), drawn=">",
    )  # fmt: skip
    marks = (("echo one\n", r"\x1b\]633;E;echo one"),)
    yield Tool("VS Code", "bash", "vscode/shellIntegration-bash.sh", ". {it}", marks, version="")
    yield Tool("VS Code", "zsh", "vscode/shellIntegration-rc.zsh", "USER_ZDOTDIR=$ZDOTDIR\n. {it}", marks, version="")
    yield Tool(
        "VS Code", "fish", "vscode/shellIntegration.fish", "set -gx TERM_PROGRAM vscode\n. {it}", marks, version=""
    )
    kitty = "/usr/lib/kitty/shell-integration"
    yield Tool(
        "kitty", "bash", f"{kitty}/bash/kitty.bash", "KITTY_SHELL_INTEGRATION=enabled\n. {it}",
        (("true\n", r"\x1b\]133;C"),), install="kitty-shell-integration",
    )  # fmt: skip
    yield Tool(
        "kitty", "zsh", f"{kitty}/zsh/kitty-integration",
        "export KITTY_SHELL_INTEGRATION=enabled\nautoload -Uz -- {it}\nkitty-integration\nunfunction kitty-integration",
        (("true\n", r"\x1b\]133;C"),), install="kitty-shell-integration",
    )  # fmt: skip
    toml = "command_timeout = 5000\n"
    toml += "format = 'star$status$cmd_duration${{custom.ccusage}}> '\n[status]\ndisabled = false\n"
    toml += "[cmd_duration]\nmin_time = 300\nformat = ' took'\n"
    for shell in ("bash", "zsh", "fish"):
        evaluated = "{0} | source" if shell == "fish" else 'eval "$({0})"'
        stars = _quoted(toml + recipe("starship") * (shell != "bash"))  # bash has the segment in PS1
        init = {"starship": "init", "direnv": "hook", "zoxide": "init", "atuin": "init", "mise": "activate"}
        line = {tool: evaluated.format(f"{tool} {word} {shell}") for tool, word in init.items()}
        fails = "sh -c 'exit 4'\n"
        yield Tool(
            "starship", shell, "starship",
            f"printf %s {stars} >~/.config/starship.toml\n{line['starship']}",
            ((fails, "star.*4.*> "), ("sleep 0.4\n", "star took.*> "), ("", "0.5"), ("true\n", r"star(?! took)")),
            drawn="star", version="starship --version | sed -n '1s/starship //p'",
        )  # fmt: skip
        yield Tool(
            "direnv", shell, "direnv", f"echo 'export SEEN=it-is' >.envrc; direnv allow\n{line['direnv']}",
            (("echo $SEEN\n", "it-is"),), install="direnv",
        )  # fmt: skip
        yield Tool(
            "zoxide", shell, "zoxide", f"mkdir -p ~/elsewhere; {line['zoxide']}",
            (("cd ~/elsewhere\n", "elsew"), ("cd ~/work\n", "work"), ("zoxide query elsew\n", "/elsewhere")),
            install="zoxide",
        )  # fmt: skip
        yield Tool(
            "atuin", shell, "atuin", "set -e fish_private_mode\n" * (shell == "fish") + line["atuin"],
            (("echo one\n", "one"), ("atuin history list --format '{command}'\n", r": first\s+echo one")),
            version="atuin --version | cut -d' ' -f2",
        )  # fmt: skip
        yield Tool(
            "mise", shell, "mise",
            f"printf '[env]\\nSEEN = \"it-is\"\\n' >mise.toml; mise trust -q\n{line['mise']}",
            (("echo $SEEN\n", "it-is"),), version="mise --version | cut -d' ' -f1",
        )  # fmt: skip
    for shell in ("bash", "zsh"):
        yield Tool(
            "fzf", shell, f"/usr/share/doc/fzf/examples/key-bindings.{shell}", ". {it}",
            (("echo nee''dle\n", "needle"), ("\x12nee", "1/"), ("\r", "nee''dle"), ("\n", "needle")),
            install="fzf",
        )  # fmt: skip


def _quoted(text: str) -> str:
    return '"' + re.sub(r'([$"\\\\])', r"\\\1", text) + '"'


def recipe(begin: str) -> str:
    return example(begin).replace("{", "{{").replace("}", "}}")


def example(begin: str) -> str:
    """Return the indented lines of docs/shell.md after the paragraph that begins with *begin*."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "shell.md").read_text(encoding="utf-8")
    found = re.search(rf"^\*\*{begin}\*\*.*?\n\n((?:    [^\n]*\n|\n)+)", page, re.MULTILINE | re.DOTALL)
    assert found, begin
    return re.sub("^    ", "", found[1], flags=re.MULTILINE).strip()


TOOLS = tuple(_tools())


def place(tool: Tool, folders: Sequence[Path]) -> str | None:
    """Return the path of the tool, or None if it is not here."""
    if "/" not in tool.needs:
        return shutil.which(tool.needs, path=":".join([*map(str, folders), *World.SYSTEM]))
    return next(
        (str(path) for path in (folder / tool.needs for folder in folders or [Path("/")]) if path.exists()), None
    )


def trial(tools: Sequence[Tool], order: str, folder: Path, folders: Sequence[Path] = ()) -> Seen:
    """Run one shell with the tools and our snippet in *order*, in a new home below *folder*."""
    world = World(folder)
    project = world.project("work")
    (world.home / ".config").mkdir()
    world.spend(project)
    world.settle(project)
    world.environ["PATH"] = ":".join([world.environ["PATH"], *map(str, folders)])
    theirs = []
    for tool in tools:
        it = place(tool, folders)
        assert it
        theirs.append(tool.rc.format(it=it, folder=Path(it).parent))
    shell = tools[0].shell
    ours = [world.snippet(shell)] * (order != ALONE)
    rows = [OWN[shell], *theirs, *ours] if order == LAST else [OWN[shell], *ours, *theirs]
    terminal = Shell(shell, world, "\n".join(rows) + "\n", cwd=project)
    try:
        seen = _watch(terminal, tools, order, lambda: world.spend(project))
        return seen._replace(marks=tuple(mark.replace(str(folder), "") for mark in seen.marks))
    finally:
        terminal.__exit__()


def _watch(terminal: Shell, tools: Sequence[Tool], order: str, spend: Callable[[], None]) -> Seen:
    drawn = next((tool.drawn for tool in tools if tool.drawn != Tool._field_defaults["drawn"]), tools[0].drawn)
    prompt, start = 0, ""
    for number in (1, 2, 3):
        if number > 1:
            terminal.send("\n" if number > 2 else ": first\n")
        text = _until(terminal, drawn, 15)
        if order != ALONE and not prompt and "$0.10" not in text:
            text += terminal.read_to("$0.10", quiet=1.5)
        if "$0.10" in plain(text) and not prompt:
            prompt = number
        if number == 1:
            terminal.read(0.4)
            start = plain(terminal.screen)  # without the titles, because a trap sees the start-up file's commands
            terminal.screen = ""
    missed = tuple(keys for tool in tools for keys, wanted in tool.steps if not _step(terminal, keys, wanted))
    typed, expression = PIPE[terminal.shell]
    terminal.send(f"{typed}\n")
    _until(terminal, drawn)
    status = terminal.value(expression)
    marks = tuple(_MARK.findall(re.sub(r"aid=[0-9-]+", "aid=", terminal.screen)))  # process numbers and random ones
    follows = completes = True
    if order != ALONE:
        spend()
        follows = _follows(terminal, all(tool.redraws for tool in tools))
        terminal.send("ccusage session --breakd")
        _until(terminal, "")
        terminal.send("\t")
        completes = "own" in _until(terminal, "own")
    noise = re.findall(r".*(?:ccusage_|not found|unbound|syntax error|No such file|sh: ).*", start + terminal.screen)
    return Seen(prompt, status, missed, marks, tuple(noise), follows, completes)


def _follows(terminal: Shell, redraws: bool) -> bool:
    """Return whether the session's new cost is shown: without a key, or else at one of the next prompts."""
    cost = r"\$0\.20"
    for _ in range(1 if redraws else 20):
        terminal.send("\n")
        if re.search(cost, _until(terminal, cost, 10 if redraws else 0.5)):
            return True
    return False


def _step(terminal: Shell, keys: str, wanted: str) -> bool:
    if not keys:
        time.sleep(float(wanted))
        return True
    terminal.send(keys)
    return bool(re.search(wanted, _until(terminal, wanted), re.MULTILINE))


def _until(terminal: Shell, wanted: str, seconds: float = 5) -> str:
    """Return the output until *wanted* is found on the raw or the plain screen and the output pauses."""
    text, end = "", time.monotonic() + seconds
    while time.monotonic() < end and not any(re.search(wanted, each, re.MULTILINE) for each in (text, plain(text))):
        new = terminal.read(0.02)
        text += new
        if "\x1b[6n" in new:
            terminal.send("\x1b[2;1R")  # the cursor's position, which fzf asks for
    text += terminal.read(0.06)
    return text + plain(text)


def main(folders: Sequence[str]) -> int:
    places = [Path(folder).resolve() for folder in folders]
    faults, number = 0, itertools.count()
    print("| tool | shell | version | ours first | ours last |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="neighbours-") as name:
        for tool in TOOLS:
            if place(tool, places) is None:
                print(f"| {tool.name} | {tool.shell} | not here | | |", flush=True)
                continue
            # Each run has a folder of its own, because what a tool left running may still write into the last one.
            seen = {order: trial([tool], order, Path(name) / str(next(number)), places) for order in ORDERS}
            cells = [_told(tool, seen[ALONE], seen[order]) for order in (FIRST, LAST)]
            if seen[ALONE].missed:
                cells[0] += f" (alone: missed {seen[ALONE].missed})"
            faults += sum("prompt" not in cell for cell in cells)
            print(f"| {tool.name} | {tool.shell} | {_version(tool, places)} | {' | '.join(cells)} |", flush=True)
    return faults > 0


def _told(tool: Tool, alone: Seen, seen: Seen) -> str:
    faults = [] if seen.prompt else ["no segment"]
    if seen.status != alone.status:
        faults.append(f"status {seen.status!r} instead of {alone.status!r}")
    faults += [f"no effect of {keys!r}" for keys in seen.missed]
    faults += [f"says {line!r}" for line in seen.noise if line not in alone.noise]
    faults += [] if seen.follows else ["does not follow the cost"]
    faults += [] if seen.completes else ["no completion"]
    if _marks(tool, seen) != _marks(tool, alone):
        faults.append(f"marks {seen.marks} instead of {alone.marks}")
    return "; ".join(faults) or f"prompt {seen.prompt}"


def _marks(tool: Tool, seen: Seen) -> Sequence[str]:
    """Return the marks, without the repetitions that fish writes whenever it redraws the prompt."""
    return [mark for mark, _ in itertools.groupby(seen.marks)] if tool.shell == "fish" else seen.marks


def _version(tool: Tool, folders: Sequence[Path]) -> str:
    if tool.install:
        ran = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", tool.install], capture_output=True, text=True)
        return ran.stdout
    it = place(tool, folders) or ""
    code = tool.version.format(it=it, folder=Path(it).parent)
    if "$" in code:
        code = f". {place(tool, folders)} >/dev/null 2>&1; {code}" if "/" in tool.needs else code
    path = ":".join([*World.SYSTEM, *map(str, folders)])
    ran = subprocess.run(
        [tool.shell, "-c", code], capture_output=True, text=True, env={"HOME": "/nowhere", "PATH": path}
    )
    return ran.stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
