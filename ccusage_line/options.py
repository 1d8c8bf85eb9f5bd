"""The table of all options: spelling, value, and whether the config or the environment may set it.

It holds data alone. The parsers (commands/parser.py), the config's sections (config.py) and the completion of values
(prompt/completion.py) are made from it. The lean lanes (fast.py, statusline/options.py, prompt/command.py) do not load
it; tests/commands/test_options.py compares what they accept with it.
"""

from __future__ import annotations

from .session import MODES


class Option:
    """An option of one or several commands; without dashes, a positional argument or a key of the config alone.

    *kind* is flag, choice, number or text, or names a text that is checked or completed: session, archived (a session
    whose transcripts are gone), project, model, zone, day, file, folder, percentage, seconds, address. An option
    without *help* is accepted but not shown. The config may set an option that has a *meaning*; if it is a flag,
    `--no-NAME` turns it off. The help shows that form, with *help* as its text, for a flag that is on by default.
    """

    def __init__(
        self,
        spelling: str,
        kind: str = "flag",
        help: str = "",
        metavar: str = "",
        *,
        choices: tuple[str, ...] = (),
        default: str = "",
        meaning: str = "",
        variable: str = "",
        dest: str = "",
        nargs: str = "",
    ) -> None:
        self.names = spelling.split()  # short ones first
        self.kind = kind
        self.help = help
        self.metavar = metavar  # the name of the value in the help; empty: argparse's default
        self.choices = choices
        self.default = default  # for a choice the value itself, else a description for docs/config.md
        self.meaning = meaning  # for docs/config.md
        self.variable = variable  # environment variable that overrides the config
        self.key = self.names[-1].strip("-")  # in the config
        self.dest = dest or self.key.replace("-", "_")  # the keyword argument of a command's run()
        self.nargs = nargs  # of a positional argument, as in argparse


# --- options of several commands ------------------------------------------------------------------------------------

# fmt: off
BREAKDOWN = Option("-b --breakdown", help="a row per model under each session", default="false",
                   meaning="a row per model under each session")
COLOR = Option("--color", "choice", "auto, always or never (--no-color)", "WHEN", default="auto",
               choices=("auto", "always", "never"), meaning="when to colour", variable="NO_COLOR, FORCE_COLOR")
CSV = Option("--csv", help="print CSV, with --breakdown a line per model")
COMPACT = Option("--compact", help="fewer columns", default="false", meaning="fewer columns")
DRY_RUN = Option("--dry-run", help="only show what would change")
JQ = Option("-q --jq", "text", "apply a jq expression to the JSON", "EXPR")
JSON = Option("-j --json", help="print JSON")
MODE = Option("-m --mode", "choice", "costs: auto, calculate or display", "MODE", default="auto",
              choices=MODES, meaning="which costs count")
NO_COLOR = Option("--no-color")
PAGER = Option("--pager", help="print long output at once instead of page by page", default="true",
               meaning="show what is longer than the screen page by page")
OFFLINE = Option("-O --offline", help="never use the network", default="false",
                 meaning="never use the network", variable="CCUSAGE_OFFLINE")
LIMIT = Option("-n --limit", "number", "the first N sessions, and the sum of the rest", "N")
ORDER = Option("-o --order", "choice", "desc or asc", "ORDER", default="desc",
               choices=("desc", "asc"), meaning="highest or lowest first")
SORT = Option("--sort", "choice", "by cost, date or tokens", "KEY", default="cost",
              choices=("cost", "date", "tokens"), meaning="what the sessions are sorted by")
PROJECT = Option("-p --project", "project", "project path contains TEXT, any case; . is this folder", "TEXT")
SINCE = Option("-s --since", "day", "last activity on DAY or later (YYYY-MM-DD, today, 7d)", "DAY",
               default="the first day", meaning="the first day that is shown")
TIMEZONE = Option("-z --timezone", "zone", "a zone like Europe/Berlin", "ZONE", default="the system's",
                  meaning="zone of the days")
UNTIL = Option("-u --until", "day", "last activity on DAY or earlier", "DAY")

# --- options of the reports by time ---------------------------------------------------------------------------------

ROW_BREAKDOWN = Option("-b --breakdown", help="a row per model below each row", default="false",
                meaning="a row per model below each row")
TIME_ORDER = Option("-o --order", "choice", "by time: asc or desc", "ORDER", default="asc",
                 choices=("asc", "desc"), meaning="by time, oldest or newest first")
USED_SINCE = Option("-s --since", "day", "usage on DAY or later (YYYY-MM-DD, today, 7d, 2w)", "DAY",
                    default="the first day", meaning="the first day that is shown")
STARTED_SINCE = Option("-s --since", "day", "blocks from DAY or later (YYYY-MM-DD, today, 7d, 2w)", "DAY",
                       default="the first day", meaning="the first day that is shown")
_REPORT_OPTIONS = (
    JSON,
    JQ,
    CSV,
    USED_SINCE,
    Option("-u --until", "day", "usage on DAY or earlier", "DAY"),
    TIMEZONE, MODE, TIME_ORDER, ROW_BREAKDOWN,
    Option("-i --instances", help="group by project"),
    PROJECT, OFFLINE, COMPACT, PAGER, COLOR, NO_COLOR,
    Option("--locale", "text"),  # of earlier tools: refused with an explanation
)
LAST = Option("--last", "text", "only the last N, including the current one", "N")
CHART = Option("--chart", "choice", "bars or none", "KIND", default="none", choices=("bars", "none"), nargs="?",
               meaning="what is drawn beside and below the table")
DAY_CHART = Option("--chart", "choice", "bars, heat (a calendar) or none", "KIND", default="none",
                   choices=("bars", "heat", "none"), nargs="?", meaning="what is drawn beside and below the table")
START_OF_WEEK = Option("-w --start-of-week", "choice", "first day of weeks, such as monday", "D", default="sunday",
                       choices=("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
                       meaning="the first day of weeks, and of the calendar of `daily`")

TOKEN_LIMIT = Option("-t --token-limit", "text", "tokens per block (500k, 2M), or max, the largest so far", "N")
INTERVAL = Option("--refresh-interval", "seconds", "seconds between two frames, 1 to 60", "N", default="2",
                  meaning="seconds between two frames")
ONCE = Option("--once", help="print one frame and exit")

# --- the options of each command, in the order of its help --------------------------------------------------------

GLOBAL = (  # of every command, in any place
    Option("--config", "file", "read this config file instead of the usual one", "FILE"),
    Option("--debug", help="report on stderr what is done and how long it takes"),
)
SESSION = (
    Option("session", "session", nargs="?"),  # a bare word, the same as --id
    Option("-i --id", "session", "one session: its id or a part of it, file name, latest"),
    JSON,
    JQ,
    CSV,
    Option("--html", "file", "write the list as an HTML page; - is stdout", "FILE"),
    Option("--explain", help="with --id: explain why Claude Code's total differs"),
    Option("--entries", help="with --id and --json or --csv: every response"),
    SINCE, UNTIL, TIMEZONE, MODE, SORT, ORDER, LIMIT, BREAKDOWN, PROJECT, OFFLINE, COMPACT, PAGER,
    COLOR, NO_COLOR,
)
OR_DEMO = Option("--or-demo")  # of session, for the first command in the README
DAILY = (*_REPORT_OPTIONS[:5], LAST, *_REPORT_OPTIONS[5:], DAY_CHART)
WEEKLY = (*_REPORT_OPTIONS[:5], LAST, START_OF_WEEK, *_REPORT_OPTIONS[5:], CHART)
MONTHLY = (*_REPORT_OPTIONS[:5], LAST, *_REPORT_OPTIONS[5:], CHART)
BLOCKS = (
    *_REPORT_OPTIONS[:3],
    STARTED_SINCE,
    Option("-u --until", "day", "blocks that start on DAY or earlier", "DAY"),
    Option("-a --active", help="only the block under way, as a card"),
    Option("-r --recent", help="only blocks of the last three days"),
    TOKEN_LIMIT,
    Option("-n --session-length", "text", "hours per block (default: 5)", "N"),
    *_REPORT_OPTIONS[5:], CHART,
    Option("--live", help="the same as `ccusage live`, with its options"),
    Option("--refresh-interval", "seconds"), Option("--once"),
)
LIVE = (TOKEN_LIMIT, INTERVAL, ONCE, JSON, JQ, TIMEZONE, MODE, OFFLINE, COLOR, NO_COLOR)
FORGET = (
    Option("which", "archived", "one session: its id or a part of it, latest", "SESSION", nargs="?"),
    Option("--project", "project", "project path contains TEXT; . is this folder", "TEXT"),
    Option("--archived", help="sessions whose transcripts no longer exist"),
    Option("--windows", help="what Claude Code reported about the plan's limits"),
)
LOW = Option("--context-low-threshold", "percentage", "yellow from here on (default: 50)", "PERCENT", default="50",
             meaning="below it the context is green")
MEDIUM = Option("--context-medium-threshold", "percentage", "red from here on (default: 80)", "PERCENT", default="80",
                meaning="below it the context is yellow, from it on red")
STATUSLINE = (
    Option("--cost-source", "choice", "auto, ccusage, cc or both", "SOURCE", default="auto",
           choices=("auto", "ccusage", "cc", "both"), meaning="whose session cost is shown"),
    Option("-B --visual-burn-rate", "choice", "off, emoji, text or emoji-text", "HOW", default="off",
           choices=("off", "emoji", "text", "emoji-text"), meaning="how the burn rate is marked"),
    LOW,
    MEDIUM,
    Option("--preset", "choice", "default, minimal, plan, developer, powerline, two-line", "NAME", default="default",
           choices=("default", "minimal", "plan", "developer", "powerline", "two-line"), meaning="a line to choose"),
    Option("--format", "text", "segments in braces: '{model} {session_cost}'", "TEMPLATE",
           default="the default line", meaning="a template of segments"),
    TIMEZONE, MODE,
    Option("--no-color", help="no colours"),
)
PREVIEW = Option("--preview", help="show the presets as they look in this terminal")
IGNORED = (  # of earlier statusline tools: accepted and ignored
    Option("-O --offline"), Option("--no-offline"), Option("--cache"), Option("--no-cache"),
    Option("--refresh-interval", "text"),
)
SETTINGS = Option("--settings", "file", "Claude Code's settings file, if not the usual one", "FILE")
UNINSTALL = (SETTINGS, DRY_RUN)
INSTALL = (
    Option("--force", help="replace any other statusline"),
    Option("--refresh-interval", "number", "also run it every SECONDS (default: 5; 0: never)", "SECONDS"),
    Option("--padding", "number", "columns of space to the left", "COLUMNS"),
    Option("options", "text", nargs="*"),  # of statusline, after `--`
    *UNINSTALL, *STATUSLINE,
)
PRICES_SHOW = (Option("model", "model", "a name in transcripts or reports, or a part of it", "MODEL", nargs="?"), JSON)
PRICES_REFRESH = (Option("-O --offline", help="never use the network"),)
INIT = (
    Option("shell", "choice", "bash, zsh or fish", choices=("bash", "zsh", "fish")),
    Option("--no-prompt", help="only set the variables"),
    Option("--no-completion", help="leave out the completion"),
)
PROMPT = (
    Option("--for", "choice", "starship, p10k or tmux", "WHAT", choices=("starship", "p10k", "tmux"), dest="kind"),
    Option("--cwd", "folder", "the folder whose line is shown", "DIR"),
    Option("--refresh"),
    Option("--redraw", "text"),
)
URL = Option("url", "address", default="LiteLLM's list", meaning="where current prices come from",
             variable="CCUSAGE_PRICES_URL")
# fmt: on

# --- the options that the config may set, by section, in the order of docs/config.md ------------------------------

_TIME_KEYS = (MODE, TIMEZONE, TIME_ORDER, ROW_BREAKDOWN, COMPACT, PAGER, COLOR, OFFLINE)
_PERIOD_KEYS = (*_TIME_KEYS, USED_SINCE)
SECTIONS: dict[str, tuple[Option, ...]] = {
    "session": (MODE, TIMEZONE, SORT, ORDER, BREAKDOWN, COMPACT, PAGER, COLOR, OFFLINE, SINCE),
    "daily": (*_PERIOD_KEYS, DAY_CHART),
    "weekly": (*_PERIOD_KEYS, CHART, START_OF_WEEK),
    "monthly": (*_PERIOD_KEYS, CHART),
    "blocks": (*_TIME_KEYS, STARTED_SINCE, CHART),
    "live": (MODE, TIMEZONE, COLOR, OFFLINE, INTERVAL),
    "statusline": (MODE, TIMEZONE, *STATUSLINE[:6]),
    "prices": (URL,),
}
# Keyword argument of a command -> kind, for the completion of values.
KINDS = {
    option.dest: option.kind for option in (*GLOBAL, *SESSION, *BLOCKS, *FORGET, *PROMPT, *UNINSTALL, *PRICES_SHOW)
}
# Choices of the options whose command checks the values itself, for completion.
CHOICES = {option.dest: option.choices for option in STATUSLINE if option.choices}
