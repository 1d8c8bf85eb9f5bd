"""Published answers: the numbers of one session in a small file that a reader can check and trust without a database.

An answer holds the stat of every file and folder it depends on. It is written only under the index's write lock, only
of what is committed, and only when no change could hide in the same clock tick as those stats; so a reader trusts it
if every stat is still the same. A refresh removes the answers of every session it changes before it commits.

Beside a session's answer lies what the client said of it to the statusline and no transcript tells: two numbers, which
hold whatever is counted, so a refresh leaves them alone.
"""

from __future__ import annotations

import os

from . import published
from .files import SETTLED, digest_bytes, stat_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .files import Dependency
    from .session import Session

    Said = tuple[int | None, int | None]  # 1e-12 dollar, tokens

FOLDER = "answers"
_SAID = ".said"


class Answer:
    """What is published of one session."""

    dependencies: list[Dependency]  # what it rests on
    last: int | None  # its last activity, in microseconds
    before: str  # its JSON in mode auto, up to the day of last activity
    after: str  # the rest behind that day
    scalars: dict[str, str]  # of that JSON: what `--jq .key` prints
    models: list[tuple[Any, ...]]  # name, four kinds, three costs, responses, unpriced in two modes
    fork: bool  # the session began as a copy of another
    began: int | None  # the first timestamp of its own transcript, in microseconds
    told: tuple[Any, ...]  # the rest of a Session, in the order of _TOLD

    __slots__ = tuple(__annotations__)


_TOLD = ("id", "first", "last", "project_path", "title", "responses", "incomplete", "client_cost", "archived")


def path_of(folder: str, session: str) -> str:
    """Where a session's answer is in an index's folder; ids never become file names."""
    return os.path.join(folder, FOLDER, digest_bytes(session.encode("utf-8", "surrogatepass")).hex())


def read(folder: str, session: str, sources: tuple[str, str]) -> Answer | None:
    """A session's answer, None where there is none that can be trusted; *sources* as prices.stored.sources has them."""
    path = path_of(folder, session)
    value = published.read(path)
    if value is None:
        return None
    of, *fields = value
    if of != sources or not unchanged(fields[0]):
        return None
    answer = Answer()
    for name, field in zip(Answer.__slots__, fields, strict=True):
        setattr(answer, name, field)
    return answer if answer.told[0] == session else None


def unchanged(dependencies: list[Dependency]) -> bool:
    """Whether every file and folder is as it was."""
    return all(stat_of(path) == known for path, known in dependencies)


def settled(dependencies: list[Dependency], now: int) -> bool:
    """Whether no change could hide behind these stats at the moment *now* (ns)."""
    return all(stat is None or max(stat[3], stat[4]) + SETTLED <= now for _, stat in dependencies)


def of_session(session: Session, models: list[tuple[Any, ...]], fork: bool, began: int | None = None) -> Answer:
    """What is to be published of *session*, whose mode is auto; *models*, *fork* and *began* as in Answer."""
    answer = Answer()
    answer.last = session.last
    answer.before, answer.after, answer.scalars = _texts(session)
    answer.models = models
    answer.fork = fork
    answer.began = began
    answer.told = tuple(getattr(session, name) for name in _TOLD)
    return answer


def write(folder: str, sources: tuple[str, str], dependencies: list[Dependency], answer: Answer) -> None:
    """Publish; the caller holds the write lock. *sources* are those in force."""
    answer.dependencies = dependencies
    fields = [getattr(answer, name) for name in Answer.__slots__]
    published.write(path_of(folder, answer.told[0]), (sources, *fields))


def revoke(folder: str, session: str) -> None:
    """Take a session's answer back; raises OSError where that can't be done."""
    published.revoke(path_of(folder, session))


def revoke_all(folder: str) -> None:
    """Take every answer back; raises OSError where that can't be done."""
    try:
        names = os.listdir(os.path.join(folder, FOLDER))
    except FileNotFoundError:
        return
    for name in names:
        if not name.endswith(_SAID):
            published.revoke(os.path.join(folder, FOLDER, name))


def said_path(folder: str, session: str) -> str:
    return path_of(folder, session) + _SAID


def said(folder: str, session: str) -> Said:
    """What the client said of a session: its total before the first response, and the last window; None: unknown."""
    found: Said | None = published.read(said_path(folder, session))
    return found or (None, None)


def keep(folder: str, session: str, found: Said) -> None:
    """Keep what the client said; no lock is held. Where that fails, or there is no index, nothing is kept."""
    if os.path.isdir(folder):
        published.write(said_path(folder, session), found, f".{os.getpid()}")


def _texts(session: Session) -> tuple[str, str, dict[str, str]]:
    """Its JSON before and behind the day of last activity, which depends on the reader's zone, and its scalars."""
    from .jqpath import render
    from .jsontext import data_of, one_json

    zeros, ones = (one_json(session, lambda _, day=day: day) + "\n" for day in ("0000-00-00", "1111-11-11"))  # type: ignore[misc]
    at = next((i for i, (a, b) in enumerate(zip(zeros, ones, strict=True)) if a != b), None)
    before, after = (zeros, "") if at is None else (zeros[:at], zeros[at + len("0000-00-00") :])
    scalars = {key: value for key, value in data_of(zeros).items() if not isinstance(value, (list, dict))}
    del scalars["lastActivity"]
    return before, after, {key: render(value) for key, value in scalars.items()}


def session_of(answer: Answer, mode: str) -> Session:
    """The session an answer tells of, in any mode."""
    from .session import MODES, Session, model_usage

    told = dict(zip(_TOLD, answer.told, strict=True))
    models = [model_usage(name, sums, MODES.index(mode)) for name, *sums in answer.models]
    return Session(models=models, **told)
