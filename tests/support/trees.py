"""Random transcript trees and their histories, in which ids, times and counts collide as often as possible.

A tree is a dict from paths below `projects/` (with `/`) to their bytes. A history is a list of steps that grow, move,
cut and delete such files, with questions in between; `History` does the steps on a real folder and says what an index
that has followed them must answer. Both come as hypothesis strategies (`trees()`, `histories()`) and, in the same
shapes, from a seed (`seeded_tree`, `seeded_history`) for longer runs.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

import fresh

T = TypeVar("T")
Tree = dict[str, bytes]

SESSIONS = ("s-one", "s-two", "s-three", "s-four")  # not in alphabetical order
PROJECTS = ("-home-ann-web", "-home-ann-api")
MESSAGES = ("msg_1", "msg_2", "msg_3")
REQUESTS = ("req_1", "req_2", "req_3")
UUIDS = tuple(f"uuid-{number}" for number in range(1, 10))
CWDS = ("/home/ann/web", "/home/ann/api", "/home/ann/Bücher 🙂")
HAS_THRESHOLD = "claude-haiku-5-5"  # more expensive above 100,000 tokens
MODELS = (
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-5",
    HAS_THRESHOLD,
    "claude-opus-4-8",  # more expensive when fast
    "claude-unheard-of-9",  # has no price
    fresh.SYNTHETIC,
)
TIMES = (
    "2026-03-01T10:00:00.000Z",
    "2026-03-01T10:00:00Z",  # the same instant in other spellings
    "2026-03-01 10:00",
    "2026-03-01T12:00:00+02:00",
    "2026-03-01T10:00:00.0000009Z",
    "2026-03-01T10:00:01.500Z",
    "2026-03-02T00:30:00.123456Z",
    "2026-03-02T06:00:00-00:30",
    "1969-12-31T23:59:59.999999Z",
)
NO_TIMES = (
    "2026-02-30T00:00:00Z",
    "2026-03-01T24:00:00Z",
    "2026-03-01T10:00:60Z",
    "2026-03-01T10:00:00z",
    "2026-03-01T10Z",
    "2026-03-01",
    " 2026-03-01T10:00:00Z",
    "2026-03-01T10:00:00.Z",
    "2026-03-01T10:00:00+2",
    "0000-01-01T00:00:00Z",
    "\uff12\uff10\uff12\uff16-03-01T10:00:00Z",  # digits, but not ASCII ones
    1772359200,
    None,
)
COUNTS = (0, 1, 2, 10, 1000, 60_000)
RAW = {  # JSON texts that json.dumps would not write
    "beyond-floats": "1e400",
    "too-many-digits": "1" * 4301,
    "at-the-depth-limit": "[" * 4998 + "]" * 4998,
    "over-the-depth-limit": "[" * 4999 + "]" * 4999,
    "lone-surrogate": '"\\ud83d"',
    "control-character": '"a\x01b"',
    "twice-the-key": '5,"input_tokens":7',
}
ODD_COUNTS: tuple[Any, ...] = (
    -1,
    2.7,
    -0.5,
    1e3,
    2**53,
    2**53 + 1,
    float("nan"),
    float("inf"),
    "12",
    True,
    None,
    [],
    "@raw:beyond-floats@",
    "@raw:twice-the-key@",
)


class Dice:
    """A source of choices: `number(n)` returns one of 0 to n - 1, and 0 stands for the simplest choice."""

    def __init__(self, number: Callable[[int], int]) -> None:
        self.number = number

    def pick(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]

    def chance(self, one_in: int) -> bool:
        return self.number(one_in) == one_in - 1

    def between(self, least: int, most: int) -> int:
        return least + self.number(most - least + 1)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        rest = list(items)
        return [rest.pop(self.number(len(rest))) for _ in items]


def dice_of_seed(seed: int) -> Dice:
    return Dice(random.Random(seed).randrange)


# --- records ---------------------------------------------------------------------------------------------------------


def count(dice: Dice) -> Any:
    return dice.pick(ODD_COUNTS) if dice.chance(20) else dice.pick(COUNTS)


def token_fields(dice: Dice) -> dict[str, Any]:
    usage: dict[str, Any] = {"input_tokens": count(dice), "output_tokens": count(dice)}
    if not dice.chance(4):
        usage["cache_creation_input_tokens"] = count(dice)
        usage["cache_read_input_tokens"] = count(dice)
    if dice.chance(3):
        usage["cache_creation"] = dice.pick(
            (
                {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                {"ephemeral_5m_input_tokens": count(dice), "ephemeral_1h_input_tokens": count(dice)},
                {"ephemeral_1h_input_tokens": 2},
                "none",
            )
        )
    return usage


def usage_of(dice: Dice) -> dict[str, Any]:
    usage = token_fields(dice) | circumstances(dice)
    if dice.chance(3):
        usage |= iterations(dice)
    return usage


def circumstances(dice: Dice) -> dict[str, Any]:
    """Return fields of a usage that change the price."""
    found: dict[str, Any] = {}
    if dice.chance(4):
        found["speed"] = dice.pick(("standard", "fast", "", None, 1))
    if dice.chance(5):
        found["inference_geo"] = dice.pick(("us", "not_available", None))
    if dice.chance(5):
        found["server_tool_use"] = dice.pick(({"web_search_requests": 3}, {"web_search_requests": -1}, None))
    return found


KINDS = ("message", "fallback_message", "advisor_message", "compaction", None)


def iterations(dice: Dice) -> dict[str, Any]:
    """Return a usage's `iterations`, and in one shape also the top level that they add up to."""
    shape = dice.number(4)
    if shape == 0:
        return {"iterations": [iteration(dice, dice.pick(KINDS)) for _ in range(dice.between(0, 3))]}
    if shape == 1:
        attempts = [iteration(dice, "message") for _ in range(dice.between(0, 2))]
        attempts.append(iteration(dice, "fallback_message"))
        if dice.chance(5):
            attempts = [{**each, "output_tokens": 0} for each in attempts]
        beside = [iteration(dice, dice.pick(KINDS[2:]))] if dice.chance(2) else []
        return {"iterations": dice.shuffled([*beside, *attempts])}
    if shape == 2:
        return in_parts(dice)
    return {"iterations": dice.pick((None, "message", [7, None, iteration(dice, dice.pick(KINDS)), []]))}


def iteration(dice: Dice, kind: str | None) -> dict[str, Any]:
    entry = {"type": kind, **token_fields(dice)}
    if dice.chance(2):
        entry["model"] = dice.pick((*MODELS, "", None))
    return entry | circumstances(dice) if dice.chance(3) else entry


def in_parts(dice: Dice) -> dict[str, Any]:
    """Return several messages that add up to the top level, or nearly, with prompts on both sides of a threshold."""
    parts = []
    whole = dict.fromkeys(
        ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"), 0
    )
    long = 0
    for _ in range(dice.between(2, 3)):
        part = dict.fromkeys(whole, 10)
        part[dice.pick(tuple(whole))] = dice.pick((60_000, 100_001, 0))
        for name, number in part.items():
            whole[name] += number
        split = {"ephemeral_1h_input_tokens": dice.pick((0, part["cache_creation_input_tokens"]))}
        long += split["ephemeral_1h_input_tokens"]
        parts.append({"type": "message", **part, "cache_creation": split})
    if dice.chance(3):
        whole[dice.pick(tuple(whole))] += 1
    if dice.chance(5):
        long = 0
    if dice.chance(4):
        parts.insert(1, iteration(dice, dice.pick(KINDS[1:])))
    return {**whole, "cache_creation": {"ephemeral_1h_input_tokens": long}, "iterations": parts}


def paused(dice: Dice) -> Any:
    """Return attempts that were paused and resumed."""
    one = {"limit": "output", "usage": token_fields(dice) | circumstances(dice), "requestId": dice.pick(REQUESTS)}
    return dice.pick(([one], [one, one], [one, {"usage": None}, {}, 7], one, [], None))


def text(dice: Dice) -> Any:
    return dice.pick(
        (
            "ok",
            "line\u2028separator and \u0085",
            'says {"type":"assistant"} and "usage"',
            'naïve 🙂 \\ "quoted" \t',
            "@raw:lone-surrogate@",
        )
    )


def content(dice: Dice) -> Any:
    if dice.chance(60):
        return dice.pick(("@raw:at-the-depth-limit@", "@raw:over-the-depth-limit@"))
    if dice.chance(40):
        return dice.pick(("@raw:control-character@", "@raw:too-many-digits@"))
    return [{"type": "text", "text": text(dice)}]


class Home(NamedTuple):
    """Where a response is first written."""

    path: str
    session: str
    sidechain: bool


def response(dice: Dice, home: Home) -> list[dict[str, Any]]:
    """Return the lines of one response, as old and new clients write them; each is the parent of the next."""
    record: dict[str, Any] = {
        "parentUuid": dice.pick((None, *UUIDS)),
        "isSidechain": home.sidechain,
        "sessionId": home.session,
        "cwd": dice.pick(CWDS),
        "type": "assistant",
        "timestamp": dice.pick(NO_TIMES) if dice.chance(25) else dice.pick(TIMES),
        "uuid": dice.pick(UUIDS),
        "requestId": dice.pick(REQUESTS),
    }
    message: dict[str, Any] = {
        "id": dice.pick(MESSAGES),
        "role": "assistant",
        "model": dice.pick(MODELS),
        "content": content(dice),
        "stop_reason": dice.pick(("end_turn", "tool_use", None)),
        "usage": usage_of(dice),
    }
    if dice.chance(4):
        record["session_id"] = dice.pick((home.session, *SESSIONS, "", 7))
    if dice.chance(8):
        record["requestSessionId"] = dice.pick((home.session, *SESSIONS, "", 7))
    if dice.chance(6):
        message["pausedResponses"] = paused(dice)
    if "iterations" in message["usage"] and dice.chance(2):
        message["model"] = HAS_THRESHOLD
    blur(dice, record, message)
    lines = [{**record, "message": message}]
    if dice.chance(2):
        lines = [*earlier_lines(dice, record, message), *lines]
    chain(dice, lines)
    return lines


def earlier_lines(dice: Dice, record: dict[str, Any], message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return lines without the final output, often without a stop reason, some with a gateway's estimate of the
    input."""
    stop = dice.pick((message["stop_reason"], None))
    estimated = dice.chance(3)
    lines = []
    for _ in range(dice.between(1, 2)):
        usage = {**fresh.object_of(message["usage"]), **(token_fields(dice) if estimated else {})}
        usage["output_tokens"] = dice.pick((1, 2, 10))
        time = dice.pick(TIMES) if dice.chance(3) else record["timestamp"]
        lines.append({**record, "timestamp": time, "message": {**message, "usage": usage, "stop_reason": stop}})
        if dice.chance(8):
            lines[-1].pop("requestId", None)
    return lines


def chain(dice: Dice, lines: list[dict[str, Any]]) -> None:
    """Set the uuid of each line but the last, which has its own, as the `parentUuid` of the next line."""
    for line, following in itertools.pairwise(lines):
        line["uuid"] = dice.pick(UUIDS)
        following["parentUuid"] = dice.pick(UUIDS) if dice.chance(6) else line["uuid"]


def blur(dice: Dice, record: dict[str, Any], message: dict[str, Any]) -> None:
    """Remove or spoil fields that some writers leave out."""
    for fields, name, spoilt in (
        (record, "requestId", ("", 5)),
        (record, "uuid", ("", None)),
        (record, "sessionId", ("", ["s-one"])),
        (record, "cwd", ("",)),
        (record, "type", (None, "user", "progress")),
        (record, "isSidechain", ("true", 1, None)),
        (message, "id", ("", {})),
        (message, "model", ("", None, 3)),
    ):
        if dice.chance(9 if name != "requestId" else 3):
            if dice.chance(2):
                fields[name] = dice.pick(spoilt)
            else:
                del fields[name]
    if not message.get("id") and not dice.chance(3):
        record.pop("uuid", None)
        record.pop(dice.pick(("requestId", "cwd")), None)
    if dice.chance(5):
        record["costUSD"] = dice.pick((0.25, 0, 1, 0.1234567, "0.5", True, None, float("nan"), 1e-13))
    if dice.chance(6):
        record["isApiErrorMessage"] = True
    if dice.chance(40):
        message["usage"] = dice.pick((None, [], "usage"))


def copy_of(dice: Dice, record: dict[str, Any], session: str) -> dict[str, Any]:
    """Return a line as another transcript may hold it: in a fork, replayed in a sidechain, incomplete, or unchanged."""
    kind = dice.number(7)
    if kind in (0, 6):
        return record
    if kind == 1:
        return in_fork(dice, dice.pick(AGES), record, dice.pick(SESSIONS), session)
    if kind == 2:
        odd = dice.pick(({}, "s-one", {"sessionId": ""}, None, {"sessionId": dice.pick(SESSIONS)}))
        return {**record, "sessionId": session, "session_id": dice.pick(SESSIONS), "forkedFrom": odd}
    if kind == 3:
        return {name: value for name, value in record.items() if name != "requestId"}
    if kind == 4:
        return {**record, "requestId": dice.pick((*REQUESTS, "req_4")), "parentUuid": dice.pick(UUIDS)}
    return {**record, "isSidechain": True, "requestId": dice.pick((*REQUESTS, "req_4"))}


AGES = ("rewritten", "maker named", "asker named", "parent named", "both named", "as it was")


def in_fork(dice: Dice, age: str, record: dict[str, Any], parent: str, session: str) -> dict[str, Any]:
    """Return a line of *parent* as a client of some *age* copies it into the fork *session*."""
    if age == "as it was" or "message" not in record:
        return record
    copied = {**record, "sessionId": session}
    if age == "maker named":
        copied["session_id"] = record.get("session_id") or parent
    if age in ("asker named", "both named"):
        copied["requestSessionId"] = record.get("requestSessionId") or record.get("sessionId")
    if age in ("parent named", "both named"):
        copied["forkedFrom"] = {"sessionId": parent, "messageUuid": record.get("uuid")}
    if dice.chance(8):
        copied.pop("requestId", None)
    return copied


def first_lines(dice: Dice, session: str) -> list[dict[str, Any]]:
    """Return the first lines of a transcript, which may have its first timestamp."""
    time = dice.pick(NO_TIMES) if dice.chance(6) else dice.pick(TIMES)
    snapshot: dict[str, Any] = {"messageId": UUIDS[0], "trackedFileBackups": {}, "timestamp": time}
    user: dict[str, Any] = {"parentUuid": None, "type": "user", "sessionId": session}
    return dice.pick(
        (
            [],
            [{**user, "timestamp": time}],
            [{"type": "file-history-snapshot", "snapshot": snapshot}],
            [{"type": "mode", "sessionId": session}, {**user, "timestamp": dice.pick(NO_TIMES), "snapshot": snapshot}],
            [{**user, "timestamp": time, "snapshot": {"timestamp": dice.pick(TIMES)}}],
            [{"type": "attachment", "message": {"timestamp": time}, "snapshot": [snapshot]}],
        )
    )


def other_line(dice: Dice, session: str) -> dict[str, Any]:
    """Return a line that is no response."""
    usage = usage_of(dice)
    return dice.pick(
        (
            {"type": "user", "uuid": dice.pick(UUIDS), "message": {"role": "user", "content": text(dice)}},
            {"type": "ai-title", "aiTitle": dice.pick(("Fix the tests", "Größer", "", None)), "sessionId": session},
            {"type": "custom-title", "customTitle": dice.pick(("mine", "ours", "")), "sessionId": session},
            {"type": "summary", "summary": dice.pick(("A summary", "Another", 1)), "leafUuid": UUIDS[0]},
            {"type": "cost-state", "sessionId": session, "totalCostUSD": dice.pick((0.5, 2, 0, True, "1", None))},
            {"type": "user", "timestamp": TIMES[0], "toolUseResult": {"usage": usage}},
            {"type": "progress", "timestamp": TIMES[0], "data": {"message": {"id": "msg_1", "usage": usage}}},
            {"type": "assistant", "timestamp": TIMES[0], "usage": usage},
            {"parentUuid": None, "type": "system", "subtype": "compact_boundary"},
        )
    )


# --- bytes -----------------------------------------------------------------------------------------------------------


def written(dice: Dice, record: dict[str, Any]) -> bytes:
    """Return one record as JSON: compact or spaced, ASCII or not, its keys in one of the orders that clients used."""
    order = dice.number(3)
    if order == 1:
        record = {"type": record.get("type"), **record} if "type" in record else record
    elif order == 2:
        record = dict(reversed(record.items()))
    loose = dice.chance(8)
    line = json.dumps(record, ensure_ascii=dice.chance(2), separators=(", ", ": ") if loose else (",", ":"))
    for name, raw in RAW.items():
        line = line.replace(f'"@raw:{name}@"', raw)
    return line.encode("utf-8", "surrogatepass")


GARBAGE = (
    b"",
    b"\0" * 9,
    b"\xff\xfe\x00\x01",
    b'"usage"',
    b'{"type":"assistant","message":{"usage":{"input_tokens":1',
    b"null",
    b"[]{}",
    b'{"usage":}',
)


def spoilt(dice: Dice, line: bytes) -> bytes:
    """Return a line with one of the faults that transcripts have."""
    kind = dice.number(11)
    nul = b"\0" * dice.between(1, 3)
    if kind == 0:
        return line + b"\r"
    if kind == 1:
        return b"\xef\xbb\xbf" + line
    if kind == 2:
        return b" \t" + line + b" "
    if kind == 3:  # invalid UTF-8 inside a string
        return line.replace(b'"ok"', b'"o\xff\xc3k"').replace(b"end_turn", b"end\xe2\x82turn")
    if kind == 4:  # torn, and the next line follows without a newline
        return line[: dice.number(len(line)) + 1] + line
    if kind == 5:
        return dice.pick((b"[", b"7 ", b'"x"', b"}", b"{ ")) + line
    if kind == 6:
        return line[: dice.number(len(line)) + 1]
    if kind == 7:
        return nul + line + nul + dice.pick((b" ", b"\r", b""))
    if kind == 8:
        return line + nul + dice.pick((b"", b" \0", b"\xef\xbb\xbf")) + line
    if kind == 9:  # torn by a crash that left a run of NUL bytes
        return line[: dice.number(len(line)) + 1] + nul + line
    return line + dice.pick((b"", b" ", b"x")) + line


def file_of(dice: Dice, lines: Sequence[bytes]) -> bytes:
    """Join lines to a file; some are spoiled, glued to the next one, or lack the last newline."""
    parts: list[bytes] = []
    for line in lines:
        if dice.chance(12):
            parts.append(dice.pick(GARBAGE) + b"\n")
        parts.append(spoilt(dice, line) if dice.chance(7) else line)
        parts.append(b"" if dice.chance(15) else b"\n")
    whole = b"".join(parts)
    ending = dice.number(7)
    if ending == 4:
        return whole.rstrip(b"\n")
    if ending == 6:
        return whole.rstrip(b"\n") + b"\0\0"
    if ending == 5 and whole:
        return whole[: dice.number(len(whole))]
    return whole


# --- trees -----------------------------------------------------------------------------------------------------------


def home_of(dice: Dice) -> Home:
    project, session = dice.pick(PROJECTS), dice.pick(SESSIONS)
    folder = f"{project}/{session}"
    kind = dice.number(12)
    if kind < 4:
        return Home(f"{folder}.jsonl", session, False)
    if kind < 6:
        return Home(f"{folder}/subagents/agent-a1.jsonl", session, True)
    path = (
        f"{folder}/subagents/workflows/run_1/agent-a2.jsonl",
        f"{project}/agent-a3.jsonl",  # where clients 2.0 wrote it: beside the sessions
        f"{folder}/chat.jsonl",
        f"{session}.jsonl",
        f"{project}/.hidden/{session}.jsonl",
        dice.pick(
            (
                f"{folder}/subagents/workflows/run_1/journal.jsonl",
                f"{folder}/tool-results/{session}.jsonl",
                f"{project}/memory/deep/{session}.jsonl",
                f"{folder}/subagents/agent-a1.meta.json",
                f"{project}/{session}.JSONL",
            )
        ),
    )[kind - 6]
    return Home(path, session, "agent-" in path)


@dataclass
class Transcripts:
    """Files while they are written: each line's bytes, and its record for copies of it."""

    dice: Dice
    lines: dict[str, list[tuple[bytes, dict[str, Any]]]] = field(default_factory=dict)

    def add(self, path: str, record: dict[str, Any], line: bytes | None = None) -> bytes:
        line = line or written(self.dice, record)
        self.lines.setdefault(path, []).append((line, record))
        return line

    def begin(self, home: Home) -> None:
        if home.path not in self.lines:
            self.lines[home.path] = []
            for record in first_lines(self.dice, home.session):
                self.add(home.path, record)

    def respond(self, home: Home, homes: Sequence[Home]) -> None:
        """Write one more response, sometimes with copies in other files."""
        dice = self.dice
        for record in response(dice, home):
            line = self.add(home.path, record)
            if dice.chance(4):
                other = dice.pick(homes)
                copied = copy_of(dice, record, other.session)
                self.add(other.path, copied, line if copied is record else None)
        if dice.chance(2):
            self.add(home.path, other_line(dice, home.session))

    def fork(self, parent: Home, age: str) -> Home:
        """Begin a new session with a copy of what *parent*, which may itself be a fork, has said so far."""
        dice = self.dice
        session = dice.pick(SESSIONS)
        home = Home(f"{dice.pick(PROJECTS)}/{session}.jsonl", session, False)
        said = list(self.lines[parent.path])
        self.begin(home)
        for line, record in said[: dice.between(1, max(1, len(said)))]:
            copied = in_fork(dice, age, record, parent.session, session)
            self.add(home.path, copied, line if copied is record else None)
        return home


def tree(dice: Dice, size: int = 5) -> Tree:
    """Return a tree of about *size* responses in about half as many files."""
    homes = [home_of(dice) for _ in range(dice.between(1, max(2, size // 2)))]
    transcripts = Transcripts(dice)
    for home in homes:
        transcripts.begin(home)
    for _ in range(dice.between(0, size)):
        transcripts.respond(dice.pick(homes), homes)
    original, age = homes[-1], dice.pick(AGES)
    for _ in range(dice.number(4)):
        parent = dice.pick(homes) if dice.chance(2) else homes[-1]
        homes.append(transcripts.fork(parent, dice.pick(AGES) if dice.chance(3) else age))
        if dice.chance(2):
            transcripts.respond(dice.pick(homes[-2:]), homes)
    files = {path: [line for line, _ in lines] for path, lines in transcripts.lines.items()}
    if dice.chance(4):
        del files[original.path]  # as the client does after 30 days; the copies remain
    return {path: file_of(dice, dice.shuffled(each) if dice.chance(5) else each) for path, each in files.items()}


def seeded_tree(seed: int, size: int = 12) -> Tree:
    return tree(dice_of_seed(seed), size)


@st.composite
def trees(draw: st.DrawFn, size: int = 5) -> Tree:
    return tree(Dice(lambda n: draw(st.integers(0, n - 1))), size)


def write_tree(files: Tree, root: Path) -> None:
    """Write *files* below `root/projects`, so that *root* is a data directory."""
    (root / "projects").mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        target = root / "projects" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


# --- histories -------------------------------------------------------------------------------------------------------


class Append(NamedTuple):
    """More bytes at the end of a file, which need not exist yet."""

    path: str
    data: bytes


class Delete(NamedTuple):
    path: str


class Restore(NamedTuple):
    """The return of a deleted file, as the index last saw it."""

    path: str


class Move(NamedTuple):
    """The move of a file to another project folder, by renaming it or by copying it, which makes a new file."""

    path: str
    to: str
    copied: bool


class Truncate(NamedTuple):
    path: str
    size: int


class Replace(NamedTuple):
    """Other bytes of the same length, written over the old ones or as a new file that replaces the old one."""

    path: str
    data: bytes
    in_place: bool


class Ask(NamedTuple):
    """A question for one session (`--id`)."""

    session: str


class Refresh(NamedTuple):
    """A full refresh of the index."""


Step = Append | Delete | Restore | Move | Truncate | Replace | Ask | Refresh


@dataclass
class Expected:
    """What an index must know after a full refresh."""

    sessions: fresh.Reading
    archived: set[str]  # those of `sessions` that have no file any more


@dataclass
class History:
    """A folder of transcripts in time: what exists in it, and what a full refresh last saw of everything.

    `apply` changes files only. A test of an index lets the index refresh or answer at the steps `Refresh` and `Ask`,
    right after `apply` was called with them.
    """

    live: dict[str, bytes] = field(default_factory=dict)
    known: dict[str, bytes] = field(default_factory=dict)  # as of the last refresh at which each file existed
    moved: set[str] = field(default_factory=set)  # paths from which or to which files moved
    asked: bool = False  # whether there was a question since the last refresh

    def apply(self, step: Step, root: Path | None = None) -> None:
        """Do one step, also on the data directory *root* if it is given."""
        if root is not None:
            (root / "projects").mkdir(parents=True, exist_ok=True)
            self._on_disk(step, root / "projects")
        if isinstance(step, Append):
            self.live[step.path] = self.live.get(step.path, b"") + step.data
        elif isinstance(step, Delete):
            del self.live[step.path]
        elif isinstance(step, Restore):
            self.live[step.path] = self.known[step.path]
        elif isinstance(step, Move):
            self.live[step.to] = self.live.pop(step.path)
            self.moved |= {step.path, step.to}
        elif isinstance(step, Truncate):
            self.live[step.path] = self.live[step.path][: step.size]
        elif isinstance(step, Replace):
            self.live[step.path] = step.data
        elif isinstance(step, Ask):
            self.asked = True
        else:
            self.known.update(self.live)
            self.asked = False

    def _on_disk(self, step: Step, projects: Path) -> None:
        if isinstance(step, (Ask, Refresh)):
            return
        path = projects / step.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(step, Append):
            with path.open("ab") as file:
                file.write(step.data)
        elif isinstance(step, Delete):
            path.unlink()
        elif isinstance(step, Restore):
            path.write_bytes(self.known[step.path])
        elif isinstance(step, Truncate):
            os.truncate(path, step.size)
        elif isinstance(step, Replace):
            self._replace(path, step)
        else:
            target = projects / step.to
            target.parent.mkdir(parents=True, exist_ok=True)
            if step.copied:
                shutil.copyfile(path, target)
                path.unlink()
            else:
                path.rename(target)

    @staticmethod
    def _replace(path: Path, step: Replace) -> None:
        if step.in_place:
            with path.open("r+b") as file:
                file.write(step.data)
        else:
            beside = path.with_name("beside.tmp")
            beside.write_bytes(step.data)
            beside.replace(path)

    @property
    def vanished(self) -> dict[str, bytes]:
        """What deleted files held when they were last seen."""
        return {path: data for path, data in self.known.items() if path not in self.live}

    def expected(self, find_price: fresh.FindPrice | None = None) -> Expected:
        """Return what an index must hold after a full refresh now: existing files, and what was seen of deleted
        ones."""
        before = "\0"  # sorts vanished transcripts before the existing ones, whose titles are newer
        sources = [fresh.source(path, data) for path, data in read_by_a1(self.live)]
        sources += [
            fresh.source(path, data)._replace(name=before + path, gone=True) for path, data in read_by_a1(self.vanished)
        ]
        sessions = fresh.count(sources, find_price)
        archived = {
            name
            for name, one in sessions.items()
            if all(file.startswith(before) for file in one.line_files or one.files)
        }
        return Expected(sessions, archived)


def read_by_a1(files: Tree) -> Iterator[tuple[str, bytes]]:
    for path, data in files.items():
        parts = PurePosixPath(path).parts
        if fresh.is_transcript_name(parts) and not {"tool-results", "memory"} & set(parts[:-1]):
            yield path, data


def chunks(dice: Dice, data: bytes) -> list[bytes]:
    """Return *data* cut at up to three places, some in the middle of lines and characters."""
    cuts = sorted({0, len(data), *(dice.between(0, len(data)) for _ in range(dice.between(0, 3)))})
    return [data[start:end] for start, end in itertools.pairwise(cuts)] or [b""]


OTHER_DIGITS = bytes.maketrans(b"12", b"21")


def history(dice: Dice, size: int = 5) -> list[Step]:
    """Return steps that build a tree and disturb it, ending with a refresh.

    Left out are only cases that no rule decides: what a partial refresh saw of a file that vanished before the next
    full one, and a moved file that loses what it had held before the move.
    """
    past = History()
    waiting = {path: chunks(dice, data) for path, data in tree(dice, size).items()}
    put_off: dict[str, list[bytes]] = {}  # what would have been appended to deleted files
    steps: list[Step] = []

    def disturb() -> None:
        for step in disturbance(dice, past):
            past.apply(step)
            steps.append(step)
            if isinstance(step, Move) and step.path in waiting:
                waiting[step.to] = waiting.pop(step.path) + waiting.pop(step.to, [])
            elif isinstance(step, Delete) and step.path in waiting:
                put_off[step.path] = waiting.pop(step.path)
            elif isinstance(step, Restore) and step.path in put_off:
                waiting[step.path] = put_off.pop(step.path)

    while waiting:
        path = dice.pick(sorted(waiting))
        step = Append(path, waiting[path].pop(0))
        past.apply(step)
        steps.append(step)
        if not waiting[path]:
            del waiting[path]
        for _ in range(dice.number(4)):
            disturb()
    return [*steps, Refresh()]


def disturbance(dice: Dice, past: History) -> list[Step]:
    """Return what happens between two appends; empty if the kind that was chosen is impossible now."""
    kind = dice.number(8)
    if kind < 3:
        gone = sorted(set(past.vanished) - past.moved)
        return [Restore(dice.pick(gone))] if gone and dice.chance(3) else [Refresh()]
    if kind == 3:
        return [Ask(dice.pick((*SESSIONS, "agent-a3")))]
    if not past.live:
        return []
    path = dice.pick(sorted(past.live))
    held, seen = past.live[path], past.known.get(path, b"")
    unclear: list[Step] = [Refresh()] if past.asked and held != seen else []
    if kind == 4:
        return [*unclear, Delete(path)]
    if kind == 5:
        project, _, rest = path.partition("/")
        to = f"{PROJECTS[PROJECTS[0] == project]}/{rest}"
        if not rest or to in past.live:
            return []
        lost: list[Step] = [] if held.startswith(seen) else [Refresh()]
        return [*(unclear or lost), Move(path, to, copied=dice.chance(2))]
    if path in past.moved:
        return []
    if kind == 6:
        return [Truncate(path, dice.between(0, len(held)))]
    return [Replace(path, held.translate(OTHER_DIGITS), in_place=dice.chance(2))]


def seeded_history(seed: int, size: int = 8) -> list[Step]:
    return history(dice_of_seed(seed), size)


@st.composite
def histories(draw: st.DrawFn, size: int = 8) -> list[Step]:
    return history(Dice(lambda n: draw(st.integers(0, n - 1))), size)
