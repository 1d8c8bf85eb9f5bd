"""Which session a word means: for `--id`, a bare word and `index forget`."""

from __future__ import annotations

import os

from ..errors import UnknownSession, UsageError
from ..index import questions
from ..report.sessions import display_ids
from ..session import money
from ..text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..index.index import Index
    from ..jsontext import DayOf

LATEST = "latest"
_CANDIDATES = 10  # shown of an ambiguous id
_NEAREST = 3  # shown of an unknown one


def resolve(index: Index, wanted: str, day_of: DayOf, mode: str = "auto") -> str:
    """The id that *wanted* means in an index that is up to date: an id, a unique beginning of one, the form that a
    report shows or a unique beginning of it, `latest`.

    Raises UsageError where it means several and UnknownSession where it means none; both name candidates with their
    costs in *mode* and the days of their last activity.
    """

    def described(id: str) -> str:
        session = index.session(id, mode)
        if session is None or session.last is None:
            return f"{clean(id)}  no usage"
        return f"{clean(id)}  {money(session.cost, bool(session.unpriced_models))}  {day_of(session.last)}"

    if wanted == LATEST:
        newest = questions.latest(index)
        found = [] if newest is None else [newest]
    else:
        ids = questions.session_ids(index)
        found = [wanted] if wanted in ids else _matches(wanted, ids)
    if not found:
        near = [] if wanted in ("", LATEST) else _nearest(wanted, ids)
        words = [LATEST] * _is_like_latest(wanted) + [f"--project {wanted}"] * _is_project(index, wanted)
        raise UnknownSession(wanted, words + [described(id) for id in near])
    return only(wanted, found, described)


def only(wanted: str, candidates: Sequence[str], described: Callable[[str], str] = clean) -> str:
    """The one candidate; raises UsageError that names them where there are several."""
    if len(candidates) == 1:
        return candidates[0]
    shown = "".join(f"\n  {described(name)}" for name in candidates[:_CANDIDATES])
    more = f"\n  and {len(candidates) - _CANDIDATES} more" if len(candidates) > _CANDIDATES else ""
    raise UsageError(f"{wanted!r} could be any of{shown}{more}")


def _matches(wanted: str, ids: Sequence[str]) -> list[str]:
    """The id that is shown so, else those that begin or end so and those of which the shown form begins so."""
    if not wanted:
        return []
    shown = display_ids(ids)
    whole = [id for id in ids if shown[id] == wanted]
    return whole or [id for id in ids if _is_part(wanted, id, shown[id])]


def _is_part(wanted: str, id: str, shown: str) -> bool:
    return id.endswith(f"-{wanted}") or any(form.startswith(wanted) for form in (id, shown, *_short(id)))


def _short(id: str) -> Iterable[str]:
    """What a report shows of an id where that is unique: its last two segments, or three."""
    return ("-".join(id.rsplit("-", segments)[-segments:]) for segments in (2, 3))


def _is_like_latest(wanted: str) -> bool:
    from difflib import get_close_matches

    return wanted != LATEST and bool(get_close_matches(wanted, (LATEST,), cutoff=0.75))


def _is_project(index: Index, wanted: str) -> bool:
    """Whether a session's folder has that name."""
    return any(os.path.basename(session.project_path or "") == wanted != "" for session in index.sessions())


def _nearest(wanted: str, ids: Sequence[str]) -> list[str]:
    """The ids that are spelt most like *wanted*, whole or as shown, or that begin so."""
    from difflib import get_close_matches

    spelt: dict[str, list[str]] = {}
    for id in ids:
        for form in (*_short(id), id):
            spelt.setdefault(form, []).append(id)
            spelt.setdefault(form[: len(wanted)], []).append(id)
    near = [id for form in get_close_matches(wanted, spelt, _NEAREST) for id in spelt[form]]
    return list(dict.fromkeys(near))[:_NEAREST]
