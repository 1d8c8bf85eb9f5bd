"""The templates that `--preset` names, made of what docs/statusline.md explains.

The colours are those of the terminal's palette, so that a line is readable on dark and on light backgrounds. A preset
that sets a background sets the text colour too, and puts no segment on it that has a colour of its own.
"""

from __future__ import annotations

PRESETS = {
    "default": (
        "[🤖 {model}] | [💰 [{session_cost} session][ / {today_cost} today]"
        "[ / {block_cost} block[ ({block_left} left)]]] | [🔥 {burn}] | [🧠 {context}]"
    ),
    "minimal": "{model} · {session_cost} · {context}",
    "plan": (
        r"{model}[ {effort}] · {session_cost} · [\e[2m5h\e[0m {limit_5h}[ \e[2mfor {reset_5h}\e[0m]]"
        r" · [\e[2mweek\e[0m {limit_7d}[ \e[2mfor {reset_7d}\e[0m]] · {spend_limit} · [🧠 {context}]"
    ),
    "developer": (
        r"\e[36m{project}\e[0m[ on \e[35m{branch}\e[0m] · {link:pr|{pr}} · {lines} · {model}[ {effort}]"
        r" · {session_cost} · [🧠 {context}]"
    ),
    "powerline": (
        "[\\e[38;5;255;48;5;24m\\ {model}\\ \\e[0;38;5;24m\ue0b0\\e[0m]"
        "[\\e[38;5;255;48;5;238m\\ {session_cost}[ / {today_cost} today]\\ \\e[0;38;5;238m\ue0b0\\e[0m]"
        "[\\e[38;5;255;48;5;53m\\ {branch}\\ \\e[0;38;5;53m\ue0b0\\e[0m]"
        " {context}"
    ),
    "two-line": (
        r"\e[36m{project}\e[0m[ on \e[35m{branch}\e[0m] · {link:pr|{pr}} · {title} · \e[2m{duration}\e[0m"
        r"\n[🤖 {model}[ {effort}]] | [💰 [{session_cost} session][ / {today_cost} today]]"
        r" | [🧠 {context_bar} {context}]"
    ),
}
