"""`ccusage init`: the code that a shell evaluates when it starts."""

from __future__ import annotations

from ..options import INIT
from ..paths import state_dir
from .console import Console
from .parser import Commands, add_command


def add(commands: Commands, name: str) -> None:
    add_command(
        commands,
        name,
        run,
        INIT,
        help="print the shell code for the prompt and completion",
        description='Put `eval "$(ccusage init bash)"` into ~/.bashrc, the same with zsh into ~/.zshrc, or'
        " `ccusage init fish | source` into config.fish.",
    )


def run(console: Console, *, shell: str, no_prompt: bool, no_completion: bool) -> None:
    """Print the snippet for *shell*."""
    from ..claude_code.statusline_entry import executable
    from ..prompt.snippets import render

    where = {"executable": executable(), "state_dir": state_dir(console.environ)}
    console.out(render(shell, **where, prompt=not no_prompt, completion=not no_completion))
