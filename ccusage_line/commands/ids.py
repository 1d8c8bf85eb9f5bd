"""Finds the session that a user names, in `--id`, as a bare word or for `index forget`."""

from __future__ import annotations

import os

from ..errors import UnknownSession, UsageError
from ..index import questions
from ..report.sessions import display_ids
from ..text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..index.index import Index
    from ..jsontext import DayOf

LATEST = "latest"
_CANDIDATES = 10  # shown for an ambiguous id
_NEAREST = 3  # shown for an unknown id


def resolve(index: Index, wanted: str, day_of: DayOf, mode: str = "auto") -> str:
    """Return the session id that *wanted* names, in an index that is up to date. It may be an id, the form that a
    report shows, a unique prefix of either, a unique end of an id, or `latest`.

    Raises UsageError if it names several sessions and UnknownSession if it names none. The messages list candidates
    with their costs in *mode* and the days of their last activity.
    """

    def described(id: str) -> str:
        session = index.session(id, mode)
        if session is None or session.last is None:
            return f"{clean(id)}  no usage"
        return f"{clean(id)}  {session.cost_text}  {day_of(session.last)}"

    if wanted == LATEST:
        newest = questions.latest(index)
        if newest is None:
            raise UnknownSession(wanted)
        return newest
    ids = questions.session_ids(index)
    if wanted in ids:
        return wanted
    candidates = _matches(wanted, ids)
    if not candidates:
        similar = _nearest(wanted, ids) if wanted else []
        words = [LATEST] * _is_like_latest(wanted) + [f"--project {wanted}"] * _is_project(index, wanted)
        raise UnknownSession(wanted, words + [described(id) for id in similar])
    return require_one(wanted, candidates, described)


def require_one(wanted: str, candidates: Sequence[str], described: Callable[[str], str] = clean) -> str:
    """Return the one candidate. Raises UsageError, listing them, if there are several."""
    if len(candidates) == 1:
        return candidates[0]
    shown = "".join(f"\n  {described(name)}" for name in candidates[:_CANDIDATES])
    more = f"\n  and {len(candidates) - _CANDIDATES} more" if len(candidates) > _CANDIDATES else ""
    raise UsageError(f"{wanted!r} could be any of{shown}{more}")


def _matches(wanted: str, ids: Sequence[str]) -> list[str]:
    """Return the id shown as *wanted*, else the ids of which it is a prefix, an end or a prefix of the shown form."""
    if not wanted:
        return []
    shown = display_ids(ids)
    whole = [id for id in ids if shown[id] == wanted]
    return whole or [id for id in ids if _is_part(wanted, id, shown[id])]


def _is_part(wanted: str, id: str, shown: str) -> bool:
    return id.endswith(f"-{wanted}") or any(form.startswith(wanted) for form in (id, shown, *_short_forms(id)))


def _short_forms(id: str) -> Iterable[str]:
    """Return the forms in which a report may show an id: its last two and its last three segments."""
    return ("-".join(id.rsplit("-", segments)[-segments:]) for segments in (2, 3))


def _is_like_latest(wanted: str) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(wanted, (LATEST,), cutoff=0.75))


def _is_project(index: Index, wanted: str) -> bool:
    """Return whether *wanted* is the name of a session's project folder."""
    return any(os.path.basename(session.project_path or "") == wanted != "" for session in index.sessions())


def _nearest(wanted: str, ids: Sequence[str]) -> list[str]:
    """Return the ids that, or a form or prefix of which, are spelled most like *wanted*."""
    from difflib import get_close_matches

    by_form: dict[str, list[str]] = {}
    for id in ids:
        for form in (*_short_forms(id), id):
            by_form.setdefault(form, []).append(id)
            by_form.setdefault(form[: len(wanted)], []).append(id)
    similar = [id for form in get_close_matches(wanted, by_form, _NEAREST) for id in by_form[form]]
    return list(dict.fromkeys(similar))[:_NEAREST]
