"""The oracle held against what is known without it: servers' ledgers, other counts, and sums made by hand."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import fresh
import trees
from conftest import SHARED

CLIENT = sorted((SHARED / "corpus").glob("client*/*/expected.json"))
PUBLIC = sorted((SHARED / "corpus" / "public").glob("*/expected-oracle.json"))
FOLDERS = sorted((SHARED / "corpus" / "reported").glob("*/"))
NO_CORPUS = [pytest.param(None, marks=pytest.mark.skip(reason=f"no corpus in {SHARED}"), id="no-corpus")]

SECOND = 1_000_000
TEN = 1_772_359_200 * SECOND  # 2026-03-01T10:00:00Z
MICRO_DOLLAR = 1_000_000  # in pico-dollars


@dataclass
class Price:
    """A price entry, its rates in dollars per million tokens times 1e9 (1e-15 dollar per token)."""

    input: int
    output: int
    write_5m: int
    write_1h: int
    read: int
    threshold: int | None = None
    above: tuple[int, int, int, int, int] | None = None
    fast: int = 1000
    us: int = 1000
    web_search: int = 10_000 * MICRO_DOLLAR


def rates(*dollars_per_million: float) -> tuple[int, int, int, int, int]:
    input, output, write_5m, write_1h, read = (round(each * 1e9) for each in dollars_per_million)
    return input, output, write_5m, write_1h, read


PRICES = {
    "opus": Price(*rates(5, 25, 6.25, 10, 0.5), fast=2000, us=1100),
    "haiku": Price(
        *rates(0.1, 0.5, 0.125, 0.2, 0.01), threshold=100_000, above=rates(0.5, 2.5, 0.625, 1, 0.05), us=1100
    ),
}


def line(usage: dict[str, Any] | None = None, message: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """A plain response of session s, 10 tokens in and 5 out, with changes; a field that is `...` is left out."""
    record = {
        "type": "assistant",
        "timestamp": "2026-03-01T10:00:00Z",
        "sessionId": "s",
        "requestId": "req",
        "message": {
            "id": "msg",
            "model": "opus",
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 10, "output_tokens": 5, **(usage or {})},
            **(message or {}),
        },
        **fields,
    }
    record["message"] = {name: value for name, value in record["message"].items() if value is not ...}
    return json.dumps({name: value for name, value in record.items() if value is not ...}).encode()


def reading(files: Mapping[str, bytes | list[bytes]]) -> fresh.Reading:
    """Of files by their paths below `projects/`, each as bytes or as lines."""
    contents = {path: data if isinstance(data, bytes) else b"\n".join([*data, b""]) for path, data in files.items()}
    return fresh.count([fresh.source(path, data) for path, data in contents.items()], PRICES.get)


def session(*lines: bytes, path: str = "p/s.jsonl") -> fresh.FreshSession:
    return reading({path: list(lines)})["s"]


def counted(content: bytes) -> int:
    """How many responses a transcript of these bytes has."""
    return sum(one.responses for one in reading({"p/s.jsonl": content}).values())


# --- A1 --------------------------------------------------------------------------------------------------------------


def test_transcripts_are_found_at_any_depth_and_others_are_not(tmp_path: Path) -> None:
    trees.write_tree(
        {
            "p/a.jsonl": b"",
            "p/a/subagents/agent-1.jsonl": b"",
            "p/.hidden/b.jsonl": b"",
            "c.jsonl": b"",
            "p/journal.jsonl": b"",
            "p/a/tool-results/d.jsonl": b"",
            "p/memory/deep/e.jsonl": b"",
            "p/f.json": b"",
        },
        tmp_path,
    )
    (tmp_path / "projects/p/folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "projects/p/pipe.jsonl")

    names = [path.relative_to(tmp_path / "projects").as_posix() for path in fresh.read([tmp_path]).known_files]

    assert names == ["c.jsonl", "p/.hidden/b.jsonl", "p/a/subagents/agent-1.jsonl", "p/a.jsonl"]


def test_a_file_reached_in_many_ways_is_one_file_under_its_real_path(tmp_path: Path) -> None:
    trees.write_tree({"q/a.jsonl": line()}, tmp_path)
    projects = tmp_path / "projects"
    (projects / "linked").symlink_to(projects / "q")
    (projects / "loop").symlink_to(projects)
    (projects / "again.jsonl").symlink_to(projects / "q/a.jsonl")
    (projects / "z.jsonl").hardlink_to(projects / "q/a.jsonl")

    found = fresh.read([tmp_path, tmp_path, projects])

    assert found.known_files == [projects / "q/a.jsonl"]
    assert found["s"].responses == 1


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, [".config/claude", ".claude"], id="both-defaults"),
        pytest.param({"XDG_CONFIG_HOME": "{home}/xdg"}, ["xdg/claude", ".claude"], id="xdg"),
        pytest.param({"CLAUDE_CONFIG_DIR": "~/one,two"}, ["one,two"], id="a-directory-with-a-comma"),
        pytest.param({"CLAUDE_CONFIG_DIR": "~/xdg , {home}/.claude,"}, ["xdg", ".claude"], id="a-list"),
        pytest.param({"CLAUDE_CONFIG_DIR": "~/absent"}, [], id="what-is-not-there"),
    ],
)
def test_the_environment_names_the_data_directories(
    tmp_path: Path, environ: dict[str, str], expected: list[str]
) -> None:
    for name in (".config/claude", ".claude", "xdg/claude", "one,two"):
        (tmp_path / name).mkdir(parents=True)
    filled = {name: value.replace("{home}", str(tmp_path)) for name, value in environ.items()}

    assert fresh.data_dirs_from_env({"HOME": str(tmp_path), **filled}) == [tmp_path / name for name in expected]


# --- A2 --------------------------------------------------------------------------------------------------------------

OTHER = line(requestId="other")
AS_WRITTEN_BY_A_CLIENT = b'{"type":"assistant",' + OTHER[1:]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(line() + b"\n" + OTHER + b"\n", 2, id="two-lines"),
        pytest.param(line() + b"\r\n" + OTHER + b"\r\n", 2, id="crlf"),
        pytest.param(line() + b"\n" + OTHER, 2, id="last-line-without-newline"),
        pytest.param(line() + b"\n" + OTHER[:-1], 1, id="last-line-still-being-written"),
        pytest.param(b"\xef\xbb\xbf" + line() + b"\n", 1, id="bom"),
        pytest.param(line(cwd="/a\u2028b").replace(b"\\u2028", b"\xe2\x80\xa8") + b"\n", 1, id="raw-line-separator"),
        pytest.param(line(cwd="/a").replace(b'"/a"', b'"\xff\xc3"') + b"\n", 1, id="bad-utf-8"),
        pytest.param(line(cwd="\ud83d") + b"\n", 1, id="lone-surrogate"),
        pytest.param(line(cwd="/a").replace(b'"/a"', b'"\x01"') + b"\n", 0, id="raw-control-character"),
        pytest.param(line() + OTHER + b"\n", 2, id="glued"),
        pytest.param(line() + b" \t " + OTHER + b"\n", 2, id="glued-with-space"),
        pytest.param(b"\0\0" + line() + b"\n\0\n" + OTHER + b" \0\n", 2, id="nul-around-lines"),
        pytest.param(line() + b"\0 \0" + OTHER + b"\0\0", 2, id="nul-between-objects"),
        pytest.param(b"\xef\xbb\xbf\0" + line(), 1, id="nul-after-a-bom"),
        pytest.param(b"\0\xef\xbb\xbf" + line(), 0, id="nul-before-a-bom"),
        pytest.param(line().replace(b'", "', b'",\0"', 1) + b"\n", 0, id="nul-inside-an-object"),
        pytest.param(line()[:50] + AS_WRITTEN_BY_A_CLIENT + b"\n", 1, id="object-after-a-torn-one"),
        pytest.param(line()[:50] + b"\0\0" + AS_WRITTEN_BY_A_CLIENT + b"\n", 1, id="object-after-a-torn-one-and-nul"),
        pytest.param(line()[:50] + b'{"uuid":"u",' + OTHER[1:] + b"\n", 0, id="torn-and-another-beginning"),
        pytest.param(b"[1] " + AS_WRITTEN_BY_A_CLIENT + b"\n", 1, id="object-after-a-list"),
        pytest.param(line()[:50] + AS_WRITTEN_BY_A_CLIENT, 0, id="torn-in-a-line-being-written"),
        pytest.param(line() + b"x" + AS_WRITTEN_BY_A_CLIENT, 1, id="garbage-in-a-line-being-written"),
        pytest.param(line(deep=4711).replace(b"4711", b"[" * 4999 + b"]" * 4999) + b"\n", 1, id="nested-5000-deep"),
        pytest.param(line(deep=4711).replace(b"4711", b"[" * 5000 + b"]" * 5000) + b"\n", 0, id="nested-deeper"),
        pytest.param(line().replace(b'"usage"', b'"usag\\u0065"') + b"\n", 0, id="without-the-word-in-its-bytes"),
    ],
)
def test_the_objects_of_a_line_are_found(content: bytes, expected: int) -> None:
    assert counted(content) == expected


def test_a_bad_line_holds_the_word_usage_and_no_object() -> None:
    torn = line()[:-1]
    lines = [torn, b'"usage"', b"nothing of interest {", line(), b'{"usage": 1}', torn + line(), b"\0" * 9]
    content = b"\n".join([*lines, torn])

    found = reading({"p/s.jsonl": content})

    assert found.bad_lines == 2
    assert found["s"].responses == 1


def test_a_line_beyond_64_mib_is_passed_over_as_bad() -> None:
    longest = 64 * 1024 * 1024
    long = b'{"type":"assistant","pad":"' + b" " * longest + b'",' + OTHER[1:]
    just = b'{"pad":"' + b" " * (longest - len(OTHER) - 10) + b'",' + OTHER[1:]

    found = reading({"p/s.jsonl": [line(), long, just + b" "]})

    assert len(just) + 1 == longest
    assert found.bad_lines == 1
    assert found["s"].responses == 2


# --- A3 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-03-01T10:00:00Z", TEN, id="plain"),
        pytest.param("2026-03-01 10:00", TEN, id="space-no-seconds-no-zone"),
        pytest.param("2026-03-01T10:00:01.5Z", TEN + 1_500_000, id="a-fraction"),
        pytest.param("2026-03-01T10:00:00.1234569Z", TEN + 123_456, id="digits-beyond-microseconds-are-cut"),
        pytest.param("2026-03-01T12:30:00+02:30", TEN, id="offset-east"),
        pytest.param("2026-03-01T05:00-05", TEN, id="offset-west-without-minutes"),
        pytest.param("1969-12-31T23:59:59.999999Z", -1, id="before-the-epoch"),
        pytest.param("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND, id="leap-day"),
        pytest.param("2026-02-29T00:00:00Z", None, id="no-leap-day"),
        pytest.param("2026-03-01T24:00:00Z", None, id="hour-24"),
        pytest.param("2026-03-01T10:00:60Z", None, id="second-60"),
        pytest.param("2026-03-01T10:00:00+24:00", None, id="offset-24"),
        pytest.param("2026-03-01t10:00:00z", None, id="lower-case"),
        pytest.param("2026-03-01T10:00:00.Z", None, id="empty-fraction"),
        pytest.param("2026-03-01", None, id="date-alone"),
        pytest.param("2026-03-01T10:00:00Z\n", None, id="more-behind"),
        pytest.param("\u0662026-03-01T10:00:00Z", None, id="other-digits"),
        pytest.param(1772359200, None, id="number"),
    ],
)
def test_timestamps_are_read_strictly(text: object, expected: int | None) -> None:
    assert fresh.timestamp_of(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", 12),
        ("12.9", 12),
        ("-0.0", 0),
        ("1e3", 1000),
        ("9007199254740992", 2**53),
        ("9007199254740993", 0),
        ("-1", 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("1e400", 0),
        ("1" * 400, 0),
        ("true", 0),
        ('"12"', 0),
        ("null", 0),
        ("[]", 0),
    ],
)
def test_a_count_is_a_finite_number_from_0_to_2_to_the_53(value: str, expected: int) -> None:
    raw = line({"input_tokens": 4711}).replace(b"4711", value.encode())

    assert session(raw).tokens == (expected, 5, 0, 0)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(line(type=...), 1, id="no-type"),
        pytest.param(line(type=None), 1, id="type-null"),
        pytest.param(line(type="user"), 0, id="user"),
        pytest.param(line(type="progress"), 0, id="progress"),
        pytest.param(line(timestamp=...), 0, id="no-time"),
        pytest.param(line(message={"usage": None}), 0, id="usage-null"),
        pytest.param(b'{"type":"user","toolUseResult":' + line()[:-1] + b"}}", 0, id="usage-of-a-tool-result"),
        pytest.param(line(message={"model": "<synthetic>"}), 0, id="synthetic"),
        pytest.param(line(message={"model": "<Synthetic>"}), 1, id="nearly-synthetic"),
        pytest.param(line(isApiErrorMessage=True, version=[], cwd=7), 1, id="odd-neighbours"),
        pytest.param(line(message={"id": 5, "model": {}}, requestId="", uuid=None, sessionId=0), 1, id="no-names"),
    ],
)
def test_only_an_assistants_message_with_usage_and_time_counts(raw: bytes, expected: int) -> None:
    assert counted(raw) == expected


# --- A4 --------------------------------------------------------------------------------------------------------------


def bare(usage: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """A line without `requestId`."""
    return line(usage, requestId=..., **fields)


def nameless(usage: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """A line without `message.id` and, if it is not given, `requestId`."""
    return line(usage, {"id": ...}, **{"requestId": ..., **fields})


MORE = {"input_tokens": 11}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([line(), line(MORE)], 1, id="request"),
        pytest.param([line(), line(requestId="2")], 2, id="another-request"),
        pytest.param([line(), line(message={"id": "msg_2"})], 2, id="request-of-another-message"),
        pytest.param([line(), bare()], 2, id="one-without-request"),
        pytest.param([line(uuid="u"), line(MORE, uuid="u", requestId="2")], 1, id="uuid-under-another-request"),
        pytest.param([line(uuid="u"), bare(MORE, uuid="u", sessionId="t")], 1, id="uuid-where-a-copy-lost-its-request"),
        pytest.param([bare(uuid="u"), bare(MORE, uuid="u", sessionId="t")], 1, id="uuid"),
        pytest.param([bare(uuid="u"), bare(message={"id": "msg_2"}, uuid="u")], 2, id="uuid-of-another-message"),
        pytest.param([bare(uuid="u"), bare(MORE, parentUuid="u", sessionId="t")], 1, id="parent"),
        pytest.param([bare(MORE, uuid="v", parentUuid="u"), bare(uuid="u", parentUuid="v")], 1, id="parents-in-a-ring"),
        pytest.param([bare(parentUuid="u"), bare(MORE, parentUuid="u")], 2, id="parent-that-is-not-there"),
        pytest.param([bare(uuid="u"), bare(MORE, message={"id": "m"}, parentUuid="u")], 2, id="parent-of-another"),
        pytest.param([line(uuid="u"), bare(MORE, parentUuid="u")], 2, id="parent-with-a-request"),
        pytest.param([bare(uuid="u"), line(MORE, parentUuid="u")], 2, id="child-with-a-request"),
        pytest.param([line(uuid="u"), bare(parentUuid="u"), bare(MORE, uuid="u")], 1, id="parent-with-and-without-one"),
        pytest.param([bare(), bare({"output_tokens": 70}, uuid="u")], 1, id="counts"),
        pytest.param([bare(), bare(MORE)], 2, id="more-input"),
        pytest.param([bare(), bare({"cache_read_input_tokens": 1})], 2, id="more-read"),
        pytest.param([bare(), bare({"cache_creation": {"ephemeral_1h_input_tokens": 1}})], 2, id="more-written"),
        pytest.param(
            [
                bare({"cache_creation": {"ephemeral_1h_input_tokens": 1}}),
                bare({"cache_creation_input_tokens": 1}),
            ],
            1,
            id="as-much-written-for-another-time",
        ),
        pytest.param([bare(), bare(sessionId="t")], 2, id="counts-of-another-session"),
        pytest.param([bare(), bare(sessionId=...)], 1, id="counts-of-the-paths-session"),
        pytest.param(
            [line(), line(uuid="u"), bare(MORE, uuid="u"), bare(MORE, uuid="v"), bare(uuid="w", parentUuid="v")],
            1,
            id="through-others",
        ),
    ],
)
def test_lines_of_one_message_hang_together_by_request_uuid_parent_or_counts(lines: list[bytes], expected: int) -> None:
    assert counted(b"\n".join(lines)) == expected
    assert counted(b"\n".join(reversed(lines))) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([nameless(uuid="u"), nameless(MORE, uuid="u", sessionId="t")], 1, id="uuid"),
        pytest.param([nameless(uuid="u", requestId="1"), nameless(MORE, uuid="v", requestId="1")], 1, id="request"),
        pytest.param([nameless(uuid="u"), nameless(MORE, uuid="v", parentUuid="u")], 1, id="parent"),
        pytest.param([nameless(uuid="u"), nameless(uuid="v")], 1, id="counts"),
        pytest.param([nameless(uuid="u"), nameless(uuid="v", sessionId="t")], 2, id="counts-of-another-session"),
        pytest.param([nameless(uuid="u"), bare(uuid="u", parentUuid="u")], 2, id="one-with-a-message"),
        pytest.param([nameless(requestId="1"), nameless(MORE, requestId="1")], 1, id="request-without-uuid"),
        pytest.param([nameless(requestId="1"), nameless(MORE, requestId="1", uuid="u")], 1, id="one-without-uuid"),
        pytest.param([nameless(), nameless() + b" ", b"\t" + nameless()], 1, id="bytes"),
        pytest.param([nameless(), nameless(cwd="/a")], 2, id="other-bytes-with-the-same-counts"),
        pytest.param([nameless(), nameless(uuid="u", parentUuid="v")], 2, id="counts-where-one-has-no-uuid"),
        pytest.param([nameless(uuid="u"), nameless(MORE, parentUuid="u")], 2, id="parent-where-the-child-has-no-uuid"),
    ],
)
def test_lines_without_a_message_hang_together_among_themselves_and_without_a_uuid_by_their_bytes(
    lines: list[bytes], expected: int
) -> None:
    assert counted(b"\n".join(lines)) == expected
    assert counted(b"\n".join(reversed(lines))) == expected


def test_the_same_bytes_in_two_sessions_are_two_responses() -> None:
    pathless = nameless(sessionId=...)

    found = reading({"p/s.jsonl": [pathless], "p/t.jsonl": [pathless], "p/t/subagents/a.jsonl": [pathless]})

    assert {name: one.responses for name, one in found.items()} == {"s": 1, "t": 1}


def test_twenty_thousand_lines_under_one_message_id_are_counted_at_once() -> None:
    lines = [bare({"input_tokens": place // 2}, uuid=f"u{place}") for place in range(20_000)]
    chain = [
        bare({"input_tokens": 50_000 + place}, uuid=f"c{place}", parentUuid=f"c{place - 1}") for place in range(99)
    ]

    assert session(*lines, *reversed(chain)).responses == 10_001


def test_a_sidechain_response_at_the_time_of_a_main_line_of_its_message_is_a_replay() -> None:
    sidechain: dict[str, Any] = {"isSidechain": True, "timestamp": "2026-03-01T11:00:00+01:00"}
    replay = line({"output_tokens": 900}, requestId="req_2", **sidechain)
    later = line({"output_tokens": 70}, isSidechain=True, requestId="req_3", timestamp="2026-03-01T10:00:01Z")
    agent = "p/s/subagents/agent-1.jsonl"

    found = reading({"p/s.jsonl": [line()], agent: [replay, later]})["s"]

    assert found.responses == 2
    assert found.tokens == (20, 75, 0, 0)
    assert "agent-1" in reading({"p/s.jsonl": [line()], agent: [replay]}).by_file
    assert reading({"p/s.jsonl": [line()], agent: [replay]}).by_file["agent-1"].responses == 0
    # a line that its response has lost is of the main chain all the same
    loser = line({"output_tokens": 1}, requestId="1")
    winner = line({"output_tokens": 2}, requestId="1", timestamp=LATER)
    assert session(loser, winner, replay).responses == 1
    # what is no response is none here either, nor is there a replay without a message
    assert session(line(message={"model": "<synthetic>"}), replay).responses == 1
    assert session(nameless(requestId="1"), nameless(requestId="2", **sidechain)).responses == 2


# --- A5 --------------------------------------------------------------------------------------------------------------

LATER = "2026-03-01T10:00:01Z"


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        pytest.param(line(), line({"output_tokens": 9}, isSidechain=True), id="main-chain"),
        pytest.param(line(message={"stop_reason": None}), line({"output_tokens": 4}), id="more-output"),
        pytest.param(line(timestamp=LATER), line({"speed": "fast"}, {"stop_reason": None}), id="a-stop-reason"),
        pytest.param(line({"speed": "standard"}, timestamp=LATER), line(), id="a-speed"),
        pytest.param(line(), line(cwd="/a", timestamp=LATER), id="earlier"),
        pytest.param(line(message={"model": "haiku"}), line(), id="smaller-bytes"),
    ],
)
def test_the_best_line_of_a_response_wins_wherever_it_stands(winner: bytes, loser: bytes) -> None:
    alone = session(winner)

    for files in ([winner, loser], [loser, winner]):
        together = session(*files)
        assert together.entries == alone.entries
        apart = reading({"p/a.jsonl": files[0], "p/b.jsonl": files[1]})["s"]
        assert apart.entries == alone.entries


def test_the_winner_is_taken_whole() -> None:
    lines = [
        line({"output_tokens": 1, "cache_read_input_tokens": 500}, {"model": "haiku"}),
        line({"output_tokens": 70}, timestamp=LATER),
    ]

    found = session(*lines)

    assert found.models["opus"].tokens == (10, 70, 0, 0)
    assert list(found.models) == ["opus"]
    assert found.first == found.last == TEN + SECOND


# --- A6 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("p/x.jsonl", ("x", True)),
        ("x.jsonl", ("x", True)),
        ("p/x/subagents/agent-1.jsonl", ("x", False)),
        ("p/x/subagents/workflows/subagents/agent-1.jsonl", ("x", False)),
        ("p/x/chat.jsonl", ("x", True)),
        ("p/deep/x/chat.jsonl", ("x", True)),
        ("chat.jsonl", ("chat", True)),
        ("subagents/x/subagents/a.jsonl", ("x", False)),
        ("p/subagents/a.jsonl", ("a", False)),
        ("p/.hidden/a.jsonl", ("a", False)),
        ("p/a.b.jsonl", ("a.b", True)),
    ],
)
def test_a_path_names_a_session(path: str, expected: tuple[str, bool]) -> None:
    assert fresh.session_of_path(tuple(path.split("/"))) == expected


def at(time: str, **fields: Any) -> bytes:
    """A line with which a transcript may begin."""
    return json.dumps({"type": "user", "timestamp": f"2026-03-01T{time}Z", **fields}).encode()


def forked(name: str) -> dict[str, Any]:
    return {"forkedFrom": {"sessionId": name, "messageUuid": "u"}}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([line()], "s", id="sessionId"),
        pytest.param([line(sessionId="")], "x", id="path"),
        pytest.param([line(requestSessionId="r")], "r", id="requestSessionId"),
        pytest.param([line(), line(requestSessionId="r"), line(requestSessionId="q")], "q", id="smallest-of-those"),
        pytest.param([line(requestSessionId="", session_id="r")], "s", id="empty-requestSessionId"),
        pytest.param([line(**forked("r"))], "r", id="forkedFrom"),
        pytest.param([line(**forked("r"), requestSessionId="q")], "q", id="requestSessionId-before-forkedFrom"),
        pytest.param([line(**forked("a")), line()], "s", id="a-line-without-forkedFrom-is-before-those-with"),
        pytest.param([line(**forked("r")), line(**forked("q"))], "q", id="copies-of-copies"),
        pytest.param([line(forkedFrom={"sessionId": ""}), line(**forked("a"))], "s", id="forkedFrom-that-names-none"),
        pytest.param([line(forkedFrom="a")], "s", id="forkedFrom-that-is-no-object"),
        pytest.param([line(), line(sessionId="r")], "r", id="the-smaller-id"),
        pytest.param([line(), line(sessionId="r", session_id="s")], "s", id="session_id-chooses"),
        pytest.param([line(session_id="t"), line(sessionId="r", session_id="s")], "s", id="session_id-of-a-claimant"),
        pytest.param([line(session_id="s"), line(sessionId="r", session_id="r")], "r", id="session_id-of-both"),
        pytest.param([line(session_id="a")], "s", id="session_id-makes-no-claimant"),
        pytest.param(
            [line(sessionId="r"), line(sessionId="t"), line(**forked("a"), session_id="t")],
            "t",
            id="session_id-of-a-copy",
        ),
        pytest.param([line(**forked("q")), line(**forked("r"), session_id="r")], "r", id="session_id-among-parents"),
    ],
)
def test_all_lines_of_a_response_say_together_whose_it_is(lines: list[bytes], expected: str) -> None:
    for each in (lines, lines[::-1]):
        assert list(reading({"p/x.jsonl": each}).with_responses) == [expected]
        apart = {f"p/deep/{place}.jsonl": [*each[place:], *each[:place]] for place in range(len(each))}
        if expected != "x":
            assert list(reading(apart).with_responses) == [expected]


@pytest.mark.parametrize(
    ("of_a", "of_b", "expected"),
    [
        pytest.param([at("10:00:01")], [at("10:00:00")], "b", id="earlier"),
        pytest.param([at("10:00:00")], [at("10:00:00")], "a", id="tie"),
        pytest.param([at("10:00:01"), at("09:00:00")], [at("10:00:00")], "b", id="the-first-in-file-order"),
        pytest.param([], [at("10:00:00")], "b", id="none-at-all-is-last"),
        pytest.param([b'{"type":"mode"}', at("", timestamp="soon")], [at("10:00:00")], "b", id="none-that-can-be-read"),
        pytest.param([], [], "a", id="none-on-both"),
        pytest.param(
            [at("10:00:01")],
            [b'{"type":"file-history-snapshot","snapshot":{"timestamp":"2026-03-01T10:00:00Z"}}'],
            "b",
            id="a-snapshots",
        ),
        pytest.param(
            [at("10:00:01")],
            [at("10:00:02", snapshot={"timestamp": "2026-03-01T10:00:00Z"})],
            "a",
            id="its-own-before-its-snapshots",
        ),
        pytest.param(
            [at("10:00:01")],
            [at("", timestamp=5, snapshot={"timestamp": "2026-03-01T10:00:00Z"})],
            "b",
            id="a-snapshots-if-its-own-cannot-be-read",
        ),
        pytest.param(
            [at("10:00:01")], [b'{"message":{"timestamp":"2026-03-01T10:00:00Z"}}'], "a", id="not-one-further-inside"
        ),
        pytest.param([at("10:00:01")], [b'torn{"timestamp":"2026-03-01T10:00:00Z"}'], "a", id="none-in-a-bad-line"),
        pytest.param(
            [at("10:00:01")],
            [at("10:00:00").replace(b"stamp", b"st\\u0061mp")],
            "a",
            id="not-without-the-word-in-its-bytes",
        ),
        pytest.param([at("10:00:01")], [b"\0\0" + at("10:00:00")], "b", id="after-nul"),
        pytest.param([at("10:00:01")], [b"torn" + at("10:00:00").replace(b" ", b"")], "b", id="after-a-torn-object"),
    ],
)
def test_of_several_sessions_that_claim_a_response_the_one_that_began_first_has_it(
    of_a: list[bytes], of_b: list[bytes], expected: str
) -> None:
    late: dict[str, Any] = {"timestamp": "2026-03-01T23:00:00Z"}
    files: dict[str, list[bytes]] = {
        "p/x.jsonl": [line(sessionId="a", **late), line(sessionId="b", **late), line(sessionId="0", **forked("b"))],
        "p/a.jsonl": of_a,
        "p/b.jsonl": of_b,
    }

    assert list(reading(files).with_responses) == [expected]


def test_the_earliest_of_a_sessions_own_transcripts_says_when_it_began_and_no_other_file_does() -> None:
    files: dict[str, bytes | list[bytes]] = {
        "p/x.jsonl": [line(sessionId="a"), line(sessionId="b")],
        "p/a.jsonl": [at("10:00:01")],
        "p/b.jsonl": [at("10:00:02")],
        "p/b/subagents/agent-1.jsonl": [at("09:00:00")],
    }

    assert list(reading(files).with_responses) == ["a"]
    assert list(reading({**files, "q/b.jsonl": at("10:00:00")}).with_responses) == ["b"]  # no newline yet
    assert list(reading({"o/b.jsonl": at("10:00:00"), **files}).with_responses) == ["b"]
    assert list(reading({**files, "q/b.jsonl": at("10:00:00")[:-1]}).with_responses) == ["a"]


def test_a_fork_of_a_fork_has_only_its_own_whatever_marks_its_client_writes() -> None:
    def transcript(name: str, begun: str, *lines: bytes) -> tuple[str, list[bytes]]:
        return f"p/{name}.jsonl", [at(begun, sessionId=name), *lines]

    for copied in ({}, {"session_id": "m"}, {"requestSessionId": "m"}, forked("m")):
        for again in ({}, {"session_id": "m"}, {"requestSessionId": "m"}, forked("b")):
            first = line(sessionId="m", requestId="1", uuid="1")
            in_fork = line(sessionId="b", requestId="1", uuid="1", **copied)
            in_second = line(sessionId="a", requestId="1", uuid="1", **again)
            own = [line(sessionId=name, requestId=name, uuid=name) for name in ("b", "a")]
            copy_of_own = line(sessionId="a", requestId="b", uuid="b", session_id="m")
            files = dict(
                [
                    transcript("m", "09:00:00", first),
                    transcript("b", "10:00:00", in_fork, own[0]),
                    transcript("a", "11:00:00", in_second, copy_of_own, own[1]),
                ]
            )

            found = reading(files)

            assert {name: one.responses for name, one in found.items()} == {"m": 1, "b": 1, "a": 1}
            assert {name: one.files for name, one in found.items()} == {
                "m": {"p/m.jsonl", "p/b.jsonl", "p/a.jsonl"},
                "b": {"p/b.jsonl", "p/a.jsonl"},
                "a": {"p/a.jsonl"},
            }


def test_subagents_belong_to_their_parent_and_a_fork_has_only_its_own() -> None:
    own = line(requestId="1")
    agent = line(message={"id": "msg_2"}, sessionId=..., isSidechain=True)
    copied = line(requestId="1", sessionId="fork", requestSessionId="s")
    new = line(requestId="3", sessionId="fork", requestSessionId="fork")
    files = {"p/s.jsonl": [own], "p/s/subagents/agent-1.jsonl": [agent], "p/fork.jsonl": [copied, new]}

    assert {name: one.responses for name, one in reading(files).items()} == {"s": 2, "fork": 1}


# --- A8, A9 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param({"cache_creation_input_tokens": 100}, (100, 0), id="no-split"),
        pytest.param({"cache_creation_input_tokens": 100, "cache_creation": {}}, (100, 0), id="empty-split"),
        pytest.param(
            {
                "cache_creation_input_tokens": 100,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            },
            (70, 30),
            id="split-covers-a-part",
        ),
        pytest.param(
            {
                "cache_creation_input_tokens": 10,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            },
            (20, 30),
            id="split-is-larger",
        ),
    ],
)
def test_what_the_split_of_cache_writes_does_not_cover_is_of_5_minutes(
    written: dict[str, Any], expected: tuple[int, int]
) -> None:
    short, long = expected
    found = session(line({"input_tokens": 0, "output_tokens": 0, **written}))

    assert found.tokens == (0, 0, short + long, 0)
    assert found.cost("calculate") == short * 6_250_000 + long * 10_000_000


def test_advisor_messages_and_compactions_are_billed_beside_the_response() -> None:
    iterations = [
        {"type": "message", "input_tokens": 9999},
        {"type": "advisor_message", "model": "haiku", "input_tokens": 1000, "output_tokens": 100},
        {"type": "compaction", "input_tokens": 300, "output_tokens": 20, "cache_read_input_tokens": 4},
        "compaction",
    ]
    raw = line({"speed": "fast", "iterations": iterations})
    found = session(raw)

    assert found.responses == 3
    assert found.models["haiku"].tokens == (1000, 100, 0, 0)
    assert found.models["opus"].tokens == (310, 25, 0, 4)
    # haiku: 1000 x 0.1 + 100 x 0.5 micro-dollars; opus twice (fast): 310 x 5 + 25 x 25 + 4 x 0.5
    assert found.models["haiku"].cost["auto"] == 150 * MICRO_DOLLAR
    assert found.models["opus"].cost["auto"] == 2 * 2177 * MICRO_DOLLAR
    # a costUSD covers the whole line
    with_cost = session(line({"iterations": iterations}, costUSD=0.5))
    assert with_cost.cost("auto") == with_cost.cost("display") == 500_000 * MICRO_DOLLAR
    assert with_cost.cost("calculate") == (150 + 2177) * MICRO_DOLLAR
    assert with_cost.tokens == (1310, 125, 0, 4)


def test_an_advisor_is_billed_at_standard_speed_and_where_it_says_it_was() -> None:
    advisor = {"type": "advisor_message", "input_tokens": 1000, "speed": "fast"}
    plain = {"input_tokens": 0, "output_tokens": 0, "speed": "fast", "inference_geo": "us"}

    assert session(line({**plain, "iterations": [advisor]})).cost("auto") == 5500 * MICRO_DOLLAR
    elsewhere = {**advisor, "inference_geo": "eu"}
    assert session(line({**plain, "iterations": [elsewhere]})).cost("auto") == 5000 * MICRO_DOLLAR


DECLINED = {"type": "message", "model": "haiku", "input_tokens": 100, "output_tokens": 40}
ANSWER = {"type": "fallback_message", "model": "opus", "input_tokens": 200, "output_tokens": 70}


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        pytest.param([DECLINED, ANSWER], {"haiku": (100, 40), "opus": (200, 70)}, id="both-have-output"),
        pytest.param([{**DECLINED, "output_tokens": 0}, ANSWER], {"opus": (200, 70)}, id="refused-at-once"),
        pytest.param([DECLINED, {**ANSWER, "output_tokens": -1}], {"haiku": (100, 40)}, id="no-output-in-the-end"),
        pytest.param([{"type": "fallback_message"}], {"opus": (10, 5)}, id="no-output-at-all"),
        pytest.param([DECLINED], {"opus": (10, 5)}, id="no-fallback"),
        pytest.param([DECLINED, "fallback_message", 7], {"opus": (10, 5)}, id="no-fallback-that-is-an-object"),
        pytest.param([{**ANSWER, "model": ""}], {"opus": (200, 70)}, id="the-lines-model"),
        pytest.param([{**ANSWER, "type": "other"}, ANSWER], {"opus": (200, 70)}, id="another-type"),
        pytest.param([{**DECLINED, "model": "<synthetic>"}, ANSWER], {"opus": (200, 70)}, id="a-synthetic-attempt"),
        pytest.param(
            [{"type": "advisor_message", "model": "haiku", "input_tokens": 3}, ANSWER, {"type": "compaction"}],
            {"haiku": (3, 0), "opus": (200, 70)},
            id="others-beside",
        ),
    ],
)
def test_with_a_fallback_each_attempt_with_output_is_billed_instead_of_the_top_level(
    iterations: list[Any], expected: dict[str, tuple[int, int]]
) -> None:
    found = session(line({"iterations": iterations}))

    assert {name: model.tokens[:2] for name, model in found.models.items()} == expected


def test_attempts_and_paused_responses_have_their_own_speed_place_and_searches_else_those_of_the_usage() -> None:
    whole = {"speed": "fast", "inference_geo": "us", "server_tool_use": {"web_search_requests": 9}}
    own = {"speed": "standard", "inference_geo": "eu", "server_tool_use": {"web_search_requests": 1}}
    attempt = {"type": "fallback_message", "output_tokens": 100}
    paused = {"usage": {"output_tokens": 100}}

    def cost(usage: dict[str, Any], message: dict[str, Any] | None = None) -> int:
        return session(line({"input_tokens": 0, "output_tokens": 0, **usage}, message)).cost("auto") // MICRO_DOLLAR

    assert cost({**whole, "iterations": [attempt]}) == 5500
    assert cost({**whole, "iterations": [{**attempt, **own}]}) == 2500 + 10_000
    assert cost(whole, {"pausedResponses": [paused]}) == 90_000 + 5500
    assert cost(whole, {"pausedResponses": [{"usage": {"output_tokens": 100, **own}}]}) == 90_000 + 2500 + 10_000


def test_each_paused_attempt_is_one_more_response() -> None:
    paused = [{"usage": {"input_tokens": 20, "output_tokens": 500}, "requestId": "r0"}, {"usage": None}, {}, 7]
    losing = line({"output_tokens": 1}, {"pausedResponses": [*paused, *paused], "stop_reason": None})

    found = session(losing, line(message={"pausedResponses": paused}))

    assert (found.responses, found.incomplete, found.tokens) == (2, 0, (30, 505, 0, 0))
    assert session(line(message={"pausedResponses": {"usage": paused[0]}})).responses == 1
    cut = session(line(message={"pausedResponses": paused, "stop_reason": None}))
    assert (cut.responses, cut.incomplete) == (2, 2)


def test_a_lines_own_cost_is_that_of_the_first_part_and_covers_the_others() -> None:
    advisor = {"type": "advisor_message", "model": "haiku", "output_tokens": 9}
    paused = {"pausedResponses": [{"usage": {"output_tokens": 8}}]}

    def costs(iterations: list[Any]) -> dict[int, int]:
        found = session(line({"iterations": iterations}, paused, costUSD=0.5))
        assert found.cost("auto") == found.cost("display") == 500_000 * MICRO_DOLLAR
        return {entry.output: entry.cost[0] // MICRO_DOLLAR for entry in found.entries}

    assert costs([advisor]) == {5: 500_000, 9: 0, 8: 0}
    assert costs([advisor, DECLINED, ANSWER]) == {40: 500_000, 70: 0, 9: 0, 8: 0}


def test_what_is_synthetic_bills_nothing_and_is_no_response() -> None:
    synthetic = line({"server_tool_use": {"web_search_requests": 2}}, {"model": "<synthetic>"}, costUSD=3)
    asides = [{"type": kind, "model": "<synthetic>", "output_tokens": 7} for kind in ("advisor_message", "compaction")]

    found = reading({"p/s.jsonl": [synthetic]})

    assert found["s"] == fresh.FreshSession("s", project_path="p", project_paths=frozenset("p"), files={"p/s.jsonl"})
    assert session(line({"iterations": asides})).responses == 1
    # as if it were not there, an attempt too
    attempts = [{**ANSWER, "model": "<synthetic>"}]
    assert session(line({"iterations": attempts})).models == session(line()).models


# --- A10, A11, A12 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "micro_dollars"),
    [
        # 60,000 in, the rest read from the cache, 1000 out
        pytest.param(100_000, 60_000 * 0.1 + 40_000 * 0.01 + 1000 * 0.5, id="at-the-threshold"),
        pytest.param(100_001, 60_000 * 0.5 + 40_001 * 0.05 + 1000 * 2.5, id="above-it-everything-is-dearer"),
    ],
)
def test_a_prompt_over_the_threshold_makes_the_whole_response_dearer(prompt: int, micro_dollars: float) -> None:
    usage = {"input_tokens": 60_000, "cache_read_input_tokens": prompt - 60_000, "output_tokens": 1000}

    assert session(line(usage, {"model": "haiku"})).cost("auto") == round(micro_dollars * MICRO_DOLLAR)


HALF = {"type": "message", "input_tokens": 60_000, "output_tokens": 100, "cache_creation_input_tokens": 8}
WHOLE = {"input_tokens": 120_000, "output_tokens": 200, "cache_creation_input_tokens": 16}


@pytest.mark.parametrize(
    ("usage", "iterations", "micro_dollars"),
    [
        pytest.param({}, [HALF, HALF], 12_000 + 100 + 2, id="each-below-the-threshold"),
        pytest.param({}, [], 60_000 + 500 + 10, id="nothing-is-known-of-parts"),
        pytest.param({"input_tokens": 60_000}, [HALF], 60_000 * 0.1 + 100 + 2, id="only-one"),
        pytest.param({"input_tokens": 120_001}, [HALF, HALF], 60_000.5 + 500 + 10, id="another-sum-of-input"),
        pytest.param({"output_tokens": 202}, [HALF, HALF], 60_000 + 505 + 10, id="another-sum-of-output"),
        pytest.param({"cache_read_input_tokens": 100}, [HALF, HALF], 60_000 + 500 + 10 + 5, id="another-sum-read"),
        pytest.param({"cache_creation_input_tokens": 24}, [HALF, HALF], 60_000 + 500 + 15, id="another-sum-written"),
        pytest.param(
            {"cache_creation": {"ephemeral_1h_input_tokens": 16}},
            [HALF, HALF],
            60_000 + 500 + 16,
            id="for-another-time",
        ),
        pytest.param(
            {"input_tokens": 160_001, "output_tokens": 100},
            [HALF, {"type": "message", "input_tokens": 100_001, "cache_creation_input_tokens": 8}],
            6000 + 50 + 1 + 50_000.5 + 5,
            id="one-of-them-is-dearer",
        ),
        pytest.param({}, [HALF, {**HALF, "type": "other"}], 60_000 + 500 + 10, id="one-of-another-type"),
        pytest.param(
            {},
            [HALF, {"type": "compaction", "output_tokens": 2}, HALF],
            12_000 + 100 + 2 + 1,
            id="another-between-them",
        ),
        pytest.param({}, [HALF, {"type": "fallback_message"}, HALF], 12_000 + 100 + 2, id="attempts-are-their-own"),
        pytest.param(
            {"output_tokens": 0},
            [{**HALF, "output_tokens": 0}, {**HALF, "output_tokens": 0}, {"type": "fallback_message"}],
            60_000 + 10,
            id="attempts-without-output",
        ),
        pytest.param(
            {},
            [{**HALF, "speed": "fast", "inference_geo": "us"}, HALF],
            12_000 + 100 + 2,
            id="its-place-does-not-matter",
        ),
        pytest.param({"inference_geo": "us"}, [HALF, HALF], 1.1 * 12_102, id="the-wholes-place-does"),
    ],
)
def test_several_messages_that_add_up_to_the_top_level_are_priced_each_by_its_own_prompt(
    usage: dict[str, Any], iterations: list[dict[str, Any]], micro_dollars: float
) -> None:
    found = session(line({**WHOLE, **usage, "iterations": iterations}, {"model": "haiku"}))

    assert found.cost("auto") == round(micro_dollars * MICRO_DOLLAR)


@pytest.mark.parametrize(
    ("usage", "micro_dollars"),
    [
        pytest.param({}, 175, id="plain"),  # 10 x 5 + 5 x 25
        pytest.param({"speed": "fast"}, 350, id="fast"),
        pytest.param({"inference_geo": "us"}, 192.5, id="us"),
        pytest.param({"speed": "fast", "inference_geo": "us"}, 385, id="both"),
        pytest.param({"speed": "FAST", "inference_geo": "eu"}, 175, id="neither"),
        pytest.param(
            {"speed": "fast", "server_tool_use": {"web_search_requests": 3}}, 350 + 30_000, id="searches-have-no-factor"
        ),
    ],
)
def test_factors_apply_to_tokens_only(usage: dict[str, Any], micro_dollars: float) -> None:
    assert session(line(usage)).cost("calculate") == micro_dollars * MICRO_DOLLAR


def test_a_cost_is_rounded_once_per_response_half_to_even() -> None:
    fine = {"fine": Price(input=500, output=0, write_5m=0, write_1h=0, read=0, us=1001)}  # half a pico-dollar a token

    def cost(tokens: int, **more: Any) -> int:
        raw = line({"input_tokens": tokens, **more}, {"model": "fine"})
        return fresh.count([fresh.source("p/s.jsonl", raw)], fine.get)["s"].cost("auto")

    assert [cost(tokens) for tokens in (1, 2, 3, 4, 5)] == [0, 1, 2, 2, 2]
    assert cost(1, inference_geo="us") == 1
    in_parts = [{"type": "message", "input_tokens": 1, "output_tokens": place} for place in (2, 2, 1)]
    assert cost(3, iterations=in_parts) == 2


@pytest.mark.parametrize(
    ("cost_usd", "auto", "display"),
    [
        pytest.param(0.25, 250_000, 250_000, id="a-number"),
        pytest.param(0, 0, 0, id="zero-is-a-number"),
        pytest.param("0.25", 175, 0, id="text"),
        pytest.param(True, 175, 0, id="truth-value"),
        pytest.param(float("nan"), 175, 0, id="nan"),
        pytest.param(..., 175, 0, id="absent"),
    ],
)
def test_the_three_modes_use_the_lines_cost_as_they_say(cost_usd: object, auto: int, display: int) -> None:
    found = session(line(costUSD=cost_usd))

    assert {mode: found.cost(mode) // MICRO_DOLLAR for mode in fresh.MODES} == {
        "auto": auto,
        "calculate": 175,
        "display": display,
    }


def test_a_model_without_a_price_costs_nothing_and_is_said() -> None:
    found = session(
        line({"server_tool_use": {"web_search_requests": 1}}, {"model": "mystery"}),
        line(message={"model": "mystery"}, requestId="2", costUSD=0.5),
        line(message={"model": ...}, requestId="3"),
        line({"input_tokens": 0, "output_tokens": 0}, {"model": ""}, requestId="4"),
    )

    assert found.models["mystery"].cost == {"auto": 500_000 * MICRO_DOLLAR, "calculate": 0, "display": 5 * 10**11}
    assert found.models["mystery"].unpriced == {"auto": 1, "calculate": 2, "display": 0}
    assert found.models[""].unpriced == {"auto": 1, "calculate": 1, "display": 0}


def test_a_response_none_of_whose_lines_has_a_stop_reason_is_incomplete() -> None:
    cut = {"stop_reason": None}
    found = session(
        line({"output_tokens": 50}, cut),
        line({"output_tokens": 1}),  # another line of the first: it was finalised
        line(message=cut, requestId="2"),
        line(message={"stop_reason": ""}, requestId="3", timestamp=LATER),
    )

    assert (found.responses, found.incomplete, found.tokens) == (3, 2, (30, 60, 0, 0))
    assert (found.first, found.last) == (TEN, TEN + SECOND)


# --- what is known of a session besides ------------------------------------------------------------------------------


def test_title_and_client_cost_are_the_last_of_the_best_kind_in_its_own_transcript() -> None:
    lines = [
        b'{"type":"custom-title","customTitle":"old"}',
        b'{"type":"custom-title","customTitle":"mine"}{"type":"cost-state","totalCostUSD":0.5}',
        b'{"type":"custom-title","customTitle":""}',
        b'{"type":"ai-title","aiTitle":"guessed"}',
        b'{"type":"cost-state","totalCostUSD":1.25}',
        b'{"type":"cost-state","totalCostUSD":null}',
    ]
    files = {
        "p/s.jsonl": lines,
        "p/t.jsonl": [b'{"type":"summary","summary":"short"}', lines[3]],
        "p/u.jsonl": [b'{"type":"summary","summary":"short"}', line(sessionId="s")],
        "p/s/subagents/agent-1.jsonl": [b'{"type":"custom-title","customTitle":"not this"}'],
    }

    found = reading(files)

    assert {name: (one.title, one.client_cost) for name, one in found.items()} == {
        "s": ("mine", 1.25),
        "t": ("guessed", None),
        "u": ("short", None),
    }


def test_the_project_is_where_the_earliest_response_was_made() -> None:
    early = line(cwd="/early", requestId="1", timestamp="2026-03-01T09:00:00Z")

    assert session(line(cwd="/late"), early).project_path == "/early"
    assert session(line()).project_path == "p"
    assert session(line(), path="s.jsonl").project_path is None


MESSAGE = {"type": "message", "input_tokens": 40, "cache_read_input_tokens": 2}


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        pytest.param(None, 1010, id="the-top-level"),
        pytest.param([{**MESSAGE, "input_tokens": 7}, MESSAGE], 42, id="the-last-iteration"),
        pytest.param([MESSAGE, {"type": "message"}], 42, id="the-last-with-a-prompt"),
        pytest.param([{"type": "message"}], 1010, id="none-with-a-prompt"),
        pytest.param([MESSAGE, {**MESSAGE, "type": "advisor_message"}], 42, id="not-an-advisors"),
        pytest.param([{**MESSAGE, "type": "compaction"}], 1010, id="not-a-compactions"),
        pytest.param([MESSAGE, {"type": "fallback_message", "input_tokens": 5}], 5, id="a-fallbacks"),
        pytest.param([MESSAGE, {"type": "new", "input_tokens": 6}, 8], 6, id="one-of-any-other-kind"),
    ],
)
def test_the_context_is_what_the_last_iteration_was_asked_with(iterations: object, expected: int) -> None:
    found = session(line({"cache_read_input_tokens": 1000, "iterations": iterations}))

    assert found.last_context == (expected, "opus")


def test_the_context_is_that_of_the_last_response_of_the_main_chain() -> None:
    last = "2026-03-01T10:00:02Z"
    agent = line({"input_tokens": 3}, isSidechain=True, requestId="3", timestamp=last)
    synthetic = line(message={"model": "<synthetic>"}, requestId="4", timestamp=last)
    found = session(agent, synthetic, line(MORE, {"model": "haiku"}, requestId="2", timestamp=LATER), line())

    assert found.last_context == (11, "haiku")
    assert session(agent).last_context is None
    assert session(line(), line(MORE, requestId="2")).last_contexts == {(10, "opus"), (11, "opus")}


# --- questions by a file's name --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        pytest.param({}, True, id="none-of-the-marks"),
        pytest.param({"sessionId": ...}, True, id="no-mark-and-no-sessionId"),
        pytest.param({"requestSessionId": "s"}, True, id="requestSessionId-of-itself"),
        pytest.param({"requestSessionId": "r"}, False, id="requestSessionId-of-another"),
        pytest.param({"sessionId": ..., "requestSessionId": "s"}, False, id="requestSessionId-that-the-path-is-not"),
        pytest.param(forked("s"), False, id="forkedFrom"),
        pytest.param({"forkedFrom": {}}, True, id="forkedFrom-of-nobody"),
        pytest.param({"sessionId": "x"}, True, id="the-response-is-this-files"),
        pytest.param({"sessionId": "x", "session_id": "s"}, False, id="the-response-is-anothers"),
        pytest.param({"sessionId": "y", "session_id": "s"}, True, id="neither-is-this-files"),
    ],
)
def test_a_file_name_asks_for_what_the_file_holds_without_copies(copy: dict[str, Any], expected: bool) -> None:
    files = {"p/x.jsonl": [line(**copy)], "p/s.jsonl": [line()] if "session_id" in copy else []}

    found = reading(files).by_file["x"]

    assert (found.responses, found.tokens) == ((1, (10, 5, 0, 0)) if expected else (0, (0, 0, 0, 0)))


def test_a_file_name_asks_for_whole_responses_of_all_files_of_that_name() -> None:
    first, second = line(requestId="1", timestamp=LATER), line(MORE, requestId="2")
    copied = line({"output_tokens": 50}, requestId="1", **forked("s"))
    files = {
        "p/s/subagents/agent-1.jsonl": [first, line({"output_tokens": 1}, requestId="1", **forked("s"))],
        "q/t/subagents/agent-1.jsonl": [first, second],
        "p/fork.jsonl": [copied],
    }

    found = reading(files).by_file

    assert (found["agent-1"].responses, found["agent-1"].tokens) == (2, (21, 55, 0, 0))
    assert found["fork"].responses == 0
    assert found.keys() == {"agent-1", "fork"}


# --- whole trees -----------------------------------------------------------------------------------------------------


IN_NO_TRANSCRIPT = ("compact", "title", "other")  # kinds of requests
NOT_LIST_PRICES = ("n12_model_pricing",)  # contracted rates
ITERATIONS = "n23_iterations"  # its ledger prices top levels only: the client's own total is the truth


def sums(one: fresh.FreshSession) -> dict[str, int]:
    return dict(zip(("input", "output", "cache_write", "cache_read"), one.tokens, strict=True))


@pytest.mark.parametrize("expected", [pytest.param(path, id=path.parent.name) for path in CLIENT] or NO_CORPUS)
def test_every_sessions_tokens_are_those_of_the_servers_ledger(expected: Path) -> None:
    found = fresh.read([expected.parent])
    transcripts = b"".join(path.read_bytes() for path in found.known_files)
    ledger: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(sums(fresh.FreshSession("")), 0))
    cut: dict[str, int] = defaultdict(int)
    for request in json.loads(expected.read_text())["requests"]:
        if request["kind"] in IN_NO_TRANSCRIPT:
            continue
        held = json.dumps(request["message_id"]).encode() in transcripts
        assert held or request["billed"] is None
        if held:
            for kind in ledger[request["session_id"]]:
                seen = request["billed"] or request["seen_by_client_before_cutoff"]
                ledger[request["session_id"]][kind] += seen[kind]
            cut[request["session_id"]] += request["billed"] is None

    assert ledger
    assert {name: sums(one) for name, one in found.with_responses.items()} == ledger
    assert {name: one.incomplete for name, one in found.with_responses.items()} == cut
    assert found.bad_lines == 0


@pytest.mark.parametrize(
    "expected",
    [pytest.param(path, id=path.parent.name) for path in CLIENT if path.parent.name not in NOT_LIST_PRICES]
    or NO_CORPUS,
)
def test_every_sessions_cost_is_the_clients_own_where_its_models_have_prices(expected: Path) -> None:
    in_use = pytest.importorskip("ccusage_line.prices.in_use")
    truth = json.loads(expected.read_text())
    ledger: dict[str, float] = defaultdict(float)
    for request in truth["requests"]:
        if request["billed"] and request["kind"] not in IN_NO_TRANSCRIPT:
            ledger[request["session_id"]] += request["cost_usd"] or 0
    uncertain = {request["session_id"] for request in truth["requests"] if not request["billed"]}
    if expected.parent.name == ITERATIONS:
        ledger = {report["session_id"]: report["total_cost_usd"] for report in truth["client_reports"]}

    found = fresh.read([expected.parent], in_use.table().find)

    assert ledger
    for name in set(ledger) - uncertain:
        assert found[name].cost("auto") == pytest.approx(ledger[name] * fresh.PICO, rel=0, abs=1000), name


@pytest.mark.parametrize("expected", [pytest.param(path, id=path.parent.name) for path in PUBLIC] or NO_CORPUS)
def test_every_models_tokens_are_those_of_a_plain_full_parse(expected: Path) -> None:
    plain = json.loads(expected.read_text())
    found = fresh.read([expected.parent])
    got: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for one in found.values():
        for name, model in one.models.items():
            got[name] = [a + b for a, b in zip(got[name], (*model.tokens, model.responses), strict=True)]

    kinds = ("input", "output", "cache_creation", "cache_read", "lines")
    models = plain["totals"]["d"]["models"]
    assert models
    assert got == {name: [model[kind] for kind in kinds] for name, model in models.items()}
    assert found.bad_lines == plain["stats"]["bad_lines"]


LIST_PRICES = {
    "claude-fable-5": Price(*rates(10, 50, 12.5, 20, 1)),
    "claude-opus-4-8": Price(*rates(5, 25, 6.25, 10, 0.5), fast=2000),
    "claude-opus-5-5": Price(*rates(4, 20, 5, 8, 0.2)),
    "claude-sonnet-4-5": Price(*rates(3, 15, 3.75, 6, 0.3), threshold=200_000, above=rates(6, 22.5, 7.5, 12, 0.6)),
    "claude-sonnet-4-6": Price(*rates(3, 15, 3.75, 6, 0.3)),
}


OPUS, SONNET = "claude-opus-4-8", "claude-sonnet-4-6"
IN_ANOTHER_ORDER = "anthropic/claude-4.6-opus-20260205"  # what that costs is the price table's business
REPORTED: dict[str, tuple[tuple[int, int, int, int], int, dict[str, float]]] = {  # tokens, responses, dollars by model
    "advisor-at-standard-speed": ((1020, 2100, 3000, 4100), 2, {OPUS: 0.08105}),
    "context-of-the-last-iteration": ((30, 900, 0, 300_000), 1, {"claude-sonnet-4-5": 0.12359}),
    "copy-that-lost-its-requestid": ((1000, 100, 0, 0), 1, {SONNET: 0.0045}),
    "declined-attempt-is-billed": ((4, 1800, 10_000, 150_000), 2, {"claude-fable-5": 0.22502, OPUS: 0.07001}),
    "estimate-then-count-without-requestid": ((11_432, 350, 0, 0), 1, {SONNET: 0.039546}),
    "file-name-is-an-id": ((1000, 100, 0, 0), 1, {SONNET: 0.0045}),
    "fork-copies-without-requestid": ((1000, 100, 0, 0), 1, {SONNET: 0.0045}),
    "model-name-in-another-order": ((1_000_000, 0, 0, 0), 1, {IN_ANOTHER_ORDER: 0}),
    "paused-responses-are-billed": ((27, 800, 3100, 23_500), 2, {"claude-opus-5-5": 0.036308}),
    "synthetic-opens-no-block": ((100_000, 1000, 0, 0), 1, {SONNET: 0.315}),
}


def reported(name: str) -> fresh.Reading:
    folder = SHARED / "corpus" / "reported" / name
    if not folder.is_dir():
        pytest.skip(f"no corpus in {SHARED}")
    return fresh.read([folder], LIST_PRICES.get)


@pytest.mark.parametrize("name", sorted({*REPORTED, *(path.name for path in FOLDERS)}))
def test_what_was_reported_as_wrong_is_right(name: str) -> None:
    tokens, responses, dollars = REPORTED[name]

    found = reported(name).with_responses

    assert list(found) == ["s1"]
    assert (found["s1"].tokens, found["s1"].responses, found["s1"].incomplete) == (tokens, responses, 0)
    assert {model: sums.cost["auto"] for model, sums in found["s1"].models.items()} == {
        model: round(each * fresh.PICO) for model, each in dollars.items()
    }


def test_what_was_reported_of_contexts_and_of_names_of_files_is_right() -> None:
    assert reported("context-of-the-last-iteration")["s1"].last_context == (110_010, "claude-sonnet-4-5")
    assert reported("file-name-is-an-id").by_file["my-file"].cost("auto") == 4500 * MICRO_DOLLAR


def facts(found: fresh.Reading) -> dict[tuple[str, str], Any]:
    return {
        (kind, name): (
            one.models,
            one.first,
            one.last,
            one.project_paths,
            one.incomplete,
            one.entries,
            one.last_contexts,
        )
        for kind, sessions in (("session", found), ("file", found.by_file))
        for name, one in sessions.items()
    }


@settings(deadline=None, max_examples=40)
@given(tree=trees.trees())
def test_a_reading_does_not_depend_on_the_order_of_files(tree: trees.Tree) -> None:
    sources = [fresh.source(path, data) for path, data in trees.read_by_a1(tree)]

    assert facts(fresh.count(reversed(sources), PRICES.get)) == facts(fresh.count(sources, PRICES.get))


def tied(one: fresh.Line, other: fresh.Line) -> bool:
    """A4 of two lines, word for word."""
    if one.message_id != other.message_id:
        return False
    neither_asked = one.request_id is None and other.request_id is None
    if one.message_id is None and None in (one.uuid, other.uuid):
        same = one.session_id == other.session_id and one.raw == other.raw
        return same if neither_asked else one.request_id == other.request_id
    if one.request_id is not None and one.request_id == other.request_id:
        return True
    if one.uuid is not None and one.uuid == other.uuid:
        return True
    if not neither_asked:
        return False
    follows = one.parent_uuid is not None and one.parent_uuid == other.uuid
    followed = one.uuid is not None and one.uuid == other.parent_uuid
    counts = [(each.tokens.input, each.tokens.cache_creation, each.tokens.read) for each in (one, other)]
    return follows or followed or (one.session_id == other.session_id and counts[0] == counts[1])


def test_the_lines_of_a_response_are_those_that_hang_together_two_by_two() -> None:
    for seed in range(150):
        lines = [line for response in reading(made_up(seed)).responses for line in response.lines]
        numbers = range(len(lines))
        together = {number: {number} for number in numbers}
        for one, other in itertools.combinations(numbers, 2):
            if together[one] is not together[other] and tied(lines[one], lines[other]):
                together[one] |= together[other]
                together |= dict.fromkeys(together[one], together[one])

        found = {frozenset(map(id, each)) for each in fresh.responses_of(lines)}

        assert found == {frozenset(id(lines[number]) for number in each) for each in together.values()}


@settings(deadline=None, max_examples=40)
@given(tree=trees.trees())
def test_entries_add_up_to_the_totals_and_costs_to_those_of_the_models(tree: trees.Tree) -> None:
    for one in fresh.count([fresh.source(path, data) for path, data in trees.read_by_a1(tree)], PRICES.get).values():
        assert one.responses == len(one.entries) == sum(model.responses for model in one.models.values())
        assert one.incomplete <= one.responses
        kinds = zip(*(entry[2:6] for entry in one.entries), strict=True)
        assert (tuple(map(sum, kinds)) or (0, 0, 0, 0)) == one.tokens
        for place, mode in enumerate(fresh.MODES):
            assert sum(entry.cost[place] for entry in one.entries) == one.cost(mode)


def made_up(seed: int) -> trees.Tree:
    return dict(trees.read_by_a1(trees.seeded_tree(seed, 8)))


def cases(response: fresh.Response, beginnings: Mapping[str, int]) -> dict[str, bool]:
    """Whether *response* is one of those that are easily got wrong."""
    session, lines, parts = response
    requests = {line.request_id for line in lines}
    without, uuids = requests == {None} and len(lines) > 1, {line.uuid for line in lines}
    prompts = {(line.session_id, line.tokens.input, line.tokens.cache_creation, line.tokens.read) for line in lines}
    originals = {line.session_id for line in lines if not line.forked_from}
    asked = any(line.request_session_id for line in lines)
    named = originals & {line.process_session_id for line in lines}
    began = [beginnings[name] for name in originals if name in beginnings]
    open_question = not asked and len(originals) > 1 and len(named) != 1
    iterations = fresh.iterations_of(lines[0].usage)
    kinds = [entry.get("type") for entry in iterations]
    fallback, messages = "fallback_message" in kinds, kinds.count("message")
    long = [tokens.prompt > 100_000 for tokens in parts[0].prompts]
    return {
        "several requests": len(requests - {None}) > 1,
        "a lost request": len(requests) > 1 and None in requests,
        "no request": without,
        "no request and several prompts": without and len(prompts) > 1,
        "tied by nothing but parents": without and len(prompts) == len(uuids) == len(lines),
        "no message": without and lines[0].message_id is None and None not in uuids,
        "the same bytes": without and lines[0].message_id is None and None in uuids,
        "asker named": asked,
        "copies without an original": not originals and not asked,
        "maker named": not asked and len(originals) > 1 and len(named) == 1,
        "begun earlier": open_question and began.count(min(began, default=0)) == 1,
        "begun together": open_question and began.count(min(began, default=0)) != 1,
        "not the smaller id": not asked and originals != set() and session != min(originals),
        "advisor": "advisor_message" in kinds,
        "compaction": "compaction" in kinds,
        "fallback": fallback and parts[0].tokens != lines[0].tokens,
        "fallback without output": fallback and parts[0].tokens == lines[0].tokens,
        "in parts": len(long) > 1,
        "not adding up": messages > 1 and not fallback and len(long) == 1,
        "parts on both sides of the threshold": len(set(long)) > 1,
        "all parts below the threshold": not any(long) and parts[0].tokens.prompt > 100_000,
        "paused": bool(lines[0].paused),
        "a synthetic part": any(
            entry.get("model") == fresh.SYNTHETIC for entry in fresh.objects_in(lines[0].usage.get("iterations"))
        ),
        "one cost for several": len(parts) > 1 and lines[0].cost_usd is not None,
        "a context of its own": fresh.context_of(lines[0]).tokens != lines[0].tokens.prompt,
        "copies": any(fresh.is_copy(line, session) for line in lines),
    }


def test_made_up_trees_hold_every_case_of_the_rules() -> None:
    seen: Counter[str] = Counter()
    lines = responses = 0
    for seed in range(400):
        found = reading(made_up(seed))
        for response in found.responses:
            seen.update(cases(response, found.beginnings))
            lines += len(response.lines)
        responses += len(found.responses)

    assert min(seen.values()) > 3, seen
    assert 2 < lines / responses < 5  # neither alone nor all in one


def test_a_history_leaves_on_disk_what_it_says_and_reads_the_same(tmp_path: Path) -> None:
    read = archived = 0
    for seed in range(80):
        past, root = trees.History(), tmp_path / str(seed)
        for step in trees.seeded_history(seed):
            past.apply(step, root)
        found = fresh.read([root], PRICES.get)
        names = {path.relative_to(root / "projects").as_posix() for path in found.known_files}
        assert names == {path for path, _ in trees.read_by_a1(past.live)}
        expected = past.expected(PRICES.get)
        archived += len(expected.archived)
        if not past.vanished:
            assert facts(expected.sessions) == facts(found)
            assert not expected.archived
            read += len(found.with_responses)
    assert read > 5
    assert archived > 0


def test_a_history_remembers_what_vanished_as_it_was_last_seen() -> None:
    past = trees.History()
    steps: list[trees.Step] = [
        trees.Append("p/s.jsonl", line() + b"\n"),
        trees.Append("p/t.jsonl", line(sessionId="t", requestId="2") + b"\n"),
        trees.Refresh(),
        trees.Append("p/s.jsonl", line(requestId="never seen") + b"\n"),
        trees.Delete("p/s.jsonl"),
        trees.Truncate("p/t.jsonl", 20),
    ]
    for step in steps:
        past.apply(step)

    found = past.expected(PRICES.get)

    assert {name: one.responses for name, one in found.sessions.items()} == {"s": 1, "t": 0}
    assert found.archived == {"s"}
    past.apply(trees.Restore("p/s.jsonl"))
    assert past.expected(PRICES.get).archived == set()
