"""The segments that are not in the default line; imported only if a template names one of them."""

from __future__ import annotations

import os

from ..session import PICO, money
from .payload import seconds, value_at
from .segments import DEFAULT_SEGMENTS, GREEN, MAX_MILLISECONDS, MAX_USD, RED, clean, context_use, enclose, short, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .segments import View

_MAX_LINES = 1_000_000_000
_MAX_PERCENT = 999  # some clients send more than 100, some send the time of a reset instead
_MAX_SECONDS = 100 * 365 * 86_400
_MAX_PATH = 300  # characters
_MAX_TITLE = 40  # columns
_BAR = 10  # cells


def _percent(view: View, *path: str) -> int | None:
    percent = view.number(_MAX_PERCENT, *path)
    return None if percent is None else int(percent + 0.5)


def _time(view: View, *path: str) -> int | None:
    """Return a field's time in microseconds since the epoch; the client sends seconds, milliseconds or a string."""
    value = value_at(view.payload, *path)
    time = seconds(value)
    if time is not None and 0 < time < _MAX_SECONDS:
        return int(time * 1_000_000)
    if value is not None:
        view.note(".".join(path), "not a time")
    return None


def _context_bar(view: View) -> str:
    _, percent = context_use(view)
    if percent is None:
        return ""
    full = min((percent * _BAR + 50) // 100, _BAR)
    return view.color_by_use(percent, "█" * full + "░" * (_BAR - full))


def _tokens(view: View) -> str:
    """Return the number of all tokens of the session: `950`, `24.9k`, `1.2M`."""
    session = view.numbers.session
    total = session.total if session is not None else 0
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if total >= unit:
            tenths = total * 10 // unit
            return f"{tenths // 10:,}.{tenths % 10}{letter}"
    return str(total) if total > 0 else ""


def _limit(view: View, name: str) -> str:
    """Return the percentage used of one of the plan's limits, or "" if its window is over."""
    used = _percent(view, "rate_limits", name, "used_percentage")
    if used is None or _is_over(view, name):
        return ""
    return view.color_by_use(used, f"{used}%")


def _is_over(view: View, name: str) -> bool:
    resets = _time(view, "rate_limits", name, "resets_at")
    if resets is None or resets > view.now:
        return False
    view.note(f"rate_limits.{name}.resets_at", "in the past")
    return True


def _spend_limit(view: View) -> str:
    """Return the dollars spent, their limit and its period, or the percentage if the client sends no dollars."""
    path = ("rate_limits", "spend_limit")
    used = view.number(MAX_USD, *path, "used_usd")
    limit = view.number(MAX_USD, *path, "limit_usd")
    if used is None or not limit:
        return _limit(view, "spend_limit")
    if _is_over(view, "spend_limit"):
        return ""
    amount = view.color_by_use(used * 100 / limit, money(round(used * PICO)))
    return f"{amount} of {money(round(limit * PICO))}{enclose(' ', view.text(*path, 'period') or '')}"


def _time_left(view: View, *path: str) -> str:
    """Return the time until the time in a field: whole minutes, or seconds below one minute."""
    end = _time(view, *path)
    return "" if end is None or end <= view.now else span(max((end - view.now) // 1_000_000, 1))


def _lines(view: View) -> str:
    added = view.number(_MAX_LINES, "cost", "total_lines_added")
    removed = view.number(_MAX_LINES, "cost", "total_lines_removed")
    if not added and not removed:
        return ""
    return f"{view.paint(GREEN, f'+{int(added or 0)}')} {view.paint(RED, f'-{int(removed or 0)}')}"


def _duration(view: View, field: str) -> str:
    """Return how long the session has been open, or how long it has waited for the API."""
    milliseconds = view.number(MAX_MILLISECONDS, "cost", field)
    return span(int(milliseconds or 0) // 1000)


def _directory(view: View) -> str | None:
    if isinstance(value_at(view.payload, "workspace", "current_dir"), str):
        return view.raw("workspace", "current_dir") or view.raw("cwd")
    return view.raw("cwd")  # an older name of the same field


def _cwd(view: View) -> str:
    path = _directory(view) or ""
    home = view.environ.get("HOME", "").rstrip("/")
    if home and (path == home or path.startswith(home + "/")):
        path = "~" + path[len(home) :]
    return clean(path[-_MAX_PATH:]).strip()


def _project(view: View) -> str:
    """Return the name of the project's folder: the worktree's, else the one in which the session was started."""
    path = view.raw("worktree", "path") or view.raw("workspace", "project_dir")
    if path is None and view.numbers.session is not None:
        path = view.numbers.session.project_path
    path = path or _directory(view) or ""
    return short(os.path.basename(path.rstrip("/" + os.sep)))


def _branch(view: View) -> str:
    """Return the branch, or the short hash of the commit that is checked out."""
    from .git import head

    path = view.raw("worktree", "path") or _directory(view)
    checked_out = head(path) if path and not view.numbers.late else None
    return view.text("worktree", "branch") or "" if checked_out is None else short(checked_out)


def _title(view: View) -> str:
    session = view.numbers.session
    title = view.text("session_name") or (short(session.title or "") if session is not None else "")
    if len(title) * 2 <= _MAX_TITLE:
        return title
    from ..text import cut

    return cut(title, _MAX_TITLE)


def _pr(view: View) -> str:
    """Return the pull request's number and state: `#12 approved`, on GitLab `!12`."""
    number = view.number(_MAX_LINES, "pr", "number")
    if number is None:
        return ""
    sign = "!" if value_at(view.payload, "pr", "kind") == "mr" else "#"
    return f"{sign}{int(number)}{enclose(' ', (view.text('pr', 'review_state') or '').replace('_', ' '))}"


def _repo(view: View) -> str:
    owner, name = view.text("workspace", "repo", "owner"), view.text("workspace", "repo", "name")
    return f"{owner}/{name}" if owner and name else ""


def link_address(view: View, what: str) -> str:
    """Return the URL of the pull request or of the repository, for a link."""
    if what == "pr":
        return view.text("pr", "url") or ""
    host, repo = view.text("workspace", "repo", "host"), _repo(view)
    return f"https://{host}/{repo}" if host and repo else ""


def _style(view: View) -> str:
    style = view.text("output_style", "name") or ""
    return "" if style == "default" else style


def _flag(view: View, shown: str, *path: str) -> str:
    value = value_at(view.payload, *path)
    if value is not True and value is not False:
        view.note_unusable(path, value, "true or false")
    return shown if value is True else ""


def _cache(view: View) -> str:
    """Return the percentage of prompt tokens read from the cache, with `cold` if the next prompt will not find it."""
    ratio = view.number(1, "prompt_cache", "hit_ratio")
    if ratio is None:
        session = view.numbers.session
        prompt = session.input + session.cache_creation + session.cache_read if session is not None else 0
        if session is None or not prompt:
            return ""
        ratio = session.cache_read / prompt
    expires = _time(view, "prompt_cache", "expires_at")
    cold = (expires is not None and expires <= view.now) or value_at(view.payload, "prompt_cache", "warm") is False
    return f"{int(ratio * 100)}%{' cold' if cold else ''}"


# The ranks are those of segments.py.
SEGMENTS: dict[str, tuple[int, Callable[[View], str]]] = {
    **DEFAULT_SEGMENTS,
    "context_bar": (2, _context_bar),
    "tokens": (1, _tokens),
    "limit_5h": (7, lambda view: _limit(view, "five_hour")),
    "limit_7d": (7, lambda view: _limit(view, "seven_day")),
    "reset_5h": (4, lambda view: _time_left(view, "rate_limits", "five_hour", "resets_at")),
    "reset_7d": (4, lambda view: _time_left(view, "rate_limits", "seven_day", "resets_at")),
    "spend_limit": (7, _spend_limit),
    "lines": (1, _lines),
    "duration": (1, lambda view: _duration(view, "total_duration_ms")),
    "api_duration": (0, lambda view: _duration(view, "total_api_duration_ms")),
    "cwd": (1, _cwd),
    "project": (6, _project),
    "branch": (5, _branch),
    "worktree": (2, lambda view: view.text("worktree", "name") or view.text("workspace", "git_worktree") or ""),
    "pr": (2, _pr),
    "repo": (1, _repo),
    "title": (1, _title),
    "agent": (2, lambda view: view.text("agent", "name") or view.text("agent_type") or ""),
    "effort": (2, lambda view: view.text("effort", "level") or ""),
    "thinking": (0, lambda view: _flag(view, "thinking", "thinking", "enabled")),
    "fast": (2, lambda view: _flag(view, "fast", "fast_mode")),
    "vim": (2, lambda view: view.text("vim", "mode") or ""),
    "style": (0, _style),
    "version": (0, lambda view: view.text("version") or ""),
    "cache": (1, _cache),
    "cache_left": (1, lambda view: _time_left(view, "prompt_cache", "expires_at")),
}
