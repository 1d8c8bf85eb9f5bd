"""Published answers: files with the numbers of one session, which a reader can verify without the database.

An answer contains the stat of every file and folder that it depends on. It is written only under the index's write
lock, only from committed data, and only if no change could hide in the same clock tick as one of those stats. So a
reader trusts it if every stat is unchanged. A refresh deletes the answers of all sessions it changes before it commits.

A second file for each session stores two numbers that the client sent to the statusline and that no transcript
contains. They do not depend on the index, so a refresh does not delete them.
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

    ClientValues = tuple[int | None, int | None]  # 1e-12 dollar, tokens

FOLDER = "answers"
_CLIENT_SUFFIX = ".said"


class Answer:
    """The published answer of one session."""

    dependencies: list[Dependency]  # the files and folders it depends on, with their stats
    last: int | None  # the time of its last activity, in microseconds
    before: str  # its JSON in mode auto, up to the day of last activity
    after: str  # the JSON after that day
    scalars: dict[str, str]  # key of that JSON -> what `--jq .key` prints
    models: list[tuple[Any, ...]]  # name, four token kinds, three costs, responses, unpriced in two modes
    fork: bool  # the session began as a copy of another one
    began: int | None  # the first timestamp of its own transcript, in microseconds
    attributes: tuple[Any, ...]  # the other attributes of a Session, in the order of _ATTRIBUTES

    __slots__ = tuple(__annotations__)


_ATTRIBUTES = ("id", "first", "last", "project_path", "title", "responses", "incomplete", "client_cost", "archived")


def path_of(folder: str, session: str) -> str:
    """Return the path of a session's answer in the index's folder. The name is a digest, never the id itself."""
    return os.path.join(folder, FOLDER, digest_bytes(session.encode("utf-8", "surrogatepass")).hex())


def read(folder: str, session: str, sources: tuple[str, str]) -> Answer | None:
    """Return a session's answer, or None if there is none, or if it is outdated or depends on other *sources*."""
    path = path_of(folder, session)
    value = published.read(path)
    if value is None:
        return None
    own_sources, *fields = value
    if own_sources != sources or not are_unchanged(fields[0]):
        return None
    answer = Answer()
    for name, field in zip(Answer.__slots__, fields, strict=True):
        setattr(answer, name, field)
    return answer if answer.attributes[0] == session else None


def are_unchanged(dependencies: list[Dependency]) -> bool:
    """Return whether every file and folder still has the same stat."""
    return all(stat_of(path) == known for path, known in dependencies)


def are_settled(dependencies: list[Dependency], now: int) -> bool:
    """Return whether these stats are old enough at the time *now* (ns) that any later change would show in them."""
    return all(stat is None or max(stat[3], stat[4]) + SETTLED <= now for _, stat in dependencies)


def of_session(session: Session, models: list[tuple[Any, ...]], fork: bool, began: int | None = None) -> Answer:
    """Return the answer of *session*, whose costs are those of mode auto; *models*, *fork* and *began* as in Answer."""
    answer = Answer()
    answer.last = session.last
    answer.before, answer.after, answer.scalars = _split_json(session)
    answer.models = models
    answer.fork = fork
    answer.began = began
    answer.attributes = tuple(getattr(session, name) for name in _ATTRIBUTES)
    return answer


def write(folder: str, sources: tuple[str, str], dependencies: list[Dependency], answer: Answer) -> None:
    """Publish an answer. The caller holds the write lock; *sources* are the settings files (prices.stored.sources)."""
    answer.dependencies = dependencies
    fields = [getattr(answer, name) for name in Answer.__slots__]
    published.write(path_of(folder, answer.attributes[0]), (sources, *fields))


def revoke(folder: str, session: str) -> None:
    """Delete a session's answer. Raises OSError if that fails."""
    published.revoke(path_of(folder, session))


def revoke_all(folder: str) -> None:
    """Delete all answers. Raises OSError if that fails."""
    try:
        names = os.listdir(os.path.join(folder, FOLDER))
    except FileNotFoundError:
        return
    for name in names:
        if not name.endswith(_CLIENT_SUFFIX):
            published.revoke(os.path.join(folder, FOLDER, name))


def client_path(folder: str, session: str) -> str:
    return path_of(folder, session) + _CLIENT_SUFFIX


def read_client_values(folder: str, session: str) -> ClientValues:
    """Return the cost before the first response and the last context window that the client sent; None if unknown."""
    values: ClientValues | None = published.read(client_path(folder, session))
    return values or (None, None)


def write_client_values(folder: str, session: str, values: ClientValues) -> None:
    """Store what the client sent, without a lock. Does nothing if there is no index or if writing fails."""
    if os.path.isdir(folder):
        published.write(client_path(folder, session), values, f".{os.getpid()}")


def _split_json(session: Session) -> tuple[str, str, dict[str, str]]:
    """Return a session's JSON before and after the day of last activity, which depends on the zone, and its scalars."""
    from .jqpath import render
    from .jsontext import data_of, one_json

    text = one_json(session, lambda _: "") + "\n"
    before, mark, after = text.partition('"lastActivity": "')  # quotes in a string are escaped, so this is the key
    scalars = {key: value for key, value in data_of(text).items() if not isinstance(value, (list, dict))}
    del scalars["lastActivity"]
    return before + mark, after, {key: render(value) for key, value in scalars.items()}


def session_of(answer: Answer, mode: str) -> Session:
    """Return the session of an answer, with the costs of *mode*."""
    from .session import MODES, Session, model_usage

    attributes = dict(zip(_ATTRIBUTES, answer.attributes, strict=True))
    models = [model_usage(name, sums, MODES.index(mode)) for name, *sums in answer.models]
    return Session(models=models, **attributes)
