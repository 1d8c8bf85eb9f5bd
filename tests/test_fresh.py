"""The oracle held against what is known without it: servers' ledgers, other counts, and sums made by hand."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import fresh
import trees

SHARED = Path(os.environ.get("CCUSAGE_SHARED") or Path(__file__).resolve().parents[2] / "shared")
CLIENT = sorted((SHARED / "corpus" / "client").glob("*/expected.json"))
PUBLIC = sorted((SHARED / "corpus" / "public").glob("*/expected-oracle.json"))
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
        "uuid": "u",
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
        pytest.param(line()[:50] + AS_WRITTEN_BY_A_CLIENT + b"\n", 1, id="object-after-a-torn-one"),
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
    lines = [torn, b'"usage"', b"nothing of interest {", line(), b'{"usage": 1}', torn + line()]
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
        pytest.param(line(isApiErrorMessage=True, version=[], cwd=7), 1, id="odd-neighbours"),
        pytest.param(line(message={"id": 5, "model": {}}, requestId="", uuid=None, sessionId=0), 1, id="no-names"),
    ],
)
def test_only_an_assistants_message_with_usage_and_time_counts(raw: bytes, expected: int) -> None:
    assert counted(raw) == expected


# --- A4 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(line({"input_tokens": 11}, uuid="v"), 1, id="same-message-and-request"),
        pytest.param(line(requestId="req_2"), 2, id="another-request"),
        pytest.param(line(requestId=...), 2, id="one-without-request"),
    ],
)
def test_message_and_request_id_together_are_the_key(second: bytes, expected: int) -> None:
    assert session(line(), second).responses == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(line({"output_tokens": 70}, requestId=..., uuid="v"), 1, id="more-output"),
        pytest.param(line({"input_tokens": 11}, requestId=...), 2, id="more-input"),
        pytest.param(line({"cache_read_input_tokens": 1}, requestId=...), 2, id="more-read"),
        pytest.param(line({"cache_creation": {"ephemeral_1h_input_tokens": 1}}, requestId=...), 2, id="more-written"),
        pytest.param(line(requestId=..., sessionId="t"), 2, id="another-session"),
    ],
)
def test_without_a_request_id_session_and_prompt_join_the_key(change: bytes, expected: int) -> None:
    assert counted(b"\n".join([line(requestId=...), change])) == expected


def test_without_a_message_id_the_uuid_is_the_key_else_the_bytes() -> None:
    with_uuid = [line(message={"id": ...}), line(message={"id": ...}, requestId="other")]
    bare = line(message={"id": ...}, uuid=...)

    assert session(*with_uuid).responses == 1
    assert session(bare, bare + b" ", b"\t" + bare).responses == 1
    assert session(bare, line(message={"id": ...}, uuid=..., cwd="/a")).responses == 2
    assert session(*with_uuid, bare, line()).responses == 3


def test_a_sidechain_response_at_the_time_of_a_main_line_of_its_message_is_a_replay() -> None:
    replay = line({"output_tokens": 900}, isSidechain=True, requestId="req_2", timestamp="2026-03-01T11:00:00+01:00")
    later = line({"output_tokens": 70}, isSidechain=True, requestId="req_3", timestamp="2026-03-01T10:00:01Z")
    agent = "p/s/subagents/agent-1.jsonl"

    found = reading({"p/s.jsonl": [line()], agent: [replay, later]})["s"]

    assert found.responses == 2
    assert found.tokens == (20, 75, 0, 0)


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


def test_a_line_names_its_session_in_four_ways_the_first_of_which_decides() -> None:
    forked = {"forkedFrom": {"sessionId": "parent"}}
    lines = {
        "asked": line(requestSessionId="asked", **forked, requestId="1"),
        "parent": line(requestSessionId="", **forked, requestId="2"),
        "s": line(forkedFrom={"sessionId": None}, requestId="3"),
        "x": line(sessionId=..., requestId="4"),
    }

    found = reading({"p/x.jsonl": list(lines.values())})

    assert {name: one.responses for name, one in found.items()} == dict.fromkeys(lines, 1)


def test_of_the_sessions_that_lines_of_one_response_name_the_earlier_kind_wins_then_the_smaller() -> None:
    best = line({"output_tokens": 9}, sessionId="b")
    copies = [best, line(sessionId="a"), line(sessionId="0", requestSessionId="z")]

    assert list(reading({"p/b.jsonl": copies[:1], "p/a.jsonl": copies[1:2]}).with_responses) == ["a"]
    assert list(reading({"p/b.jsonl": copies}).with_responses) == ["z"]


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


def test_synthetic_is_no_model_and_costs_nothing() -> None:
    found = session(line({"server_tool_use": {"web_search_requests": 2}}, {"model": "<synthetic>"}, costUSD=3))

    assert list(found.models) == [""]
    assert (found.responses, found.tokens) == (1, (10, 5, 0, 0))
    assert {mode: found.cost(mode) for mode in fresh.MODES} == {"auto": 0, "calculate": 0, "display": 0}
    assert found.models[""].unpriced == {"auto": 0, "calculate": 0, "display": 0}


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

    def cost(tokens: int, **more: str) -> int:
        raw = line({"input_tokens": tokens, **more}, {"model": "fine"})
        return fresh.count([fresh.source("p/s.jsonl", raw)], fine.get)["s"].cost("auto")

    assert [cost(tokens) for tokens in (1, 2, 3, 4, 5)] == [0, 1, 2, 2, 2]
    assert cost(1, inference_geo="us") == 1


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


# --- whole trees -----------------------------------------------------------------------------------------------------


def sums(one: fresh.FreshSession) -> dict[str, int]:
    return dict(zip(("input", "output", "cache_write", "cache_read"), one.tokens, strict=True))


@pytest.mark.parametrize("expected", [pytest.param(path, id=path.parent.name) for path in CLIENT] or NO_CORPUS)
def test_every_sessions_tokens_are_those_of_the_servers_ledger(expected: Path) -> None:
    found = fresh.read([expected.parent])
    transcripts = b"".join(path.read_bytes() for path in found.known_files)
    ledger: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(sums(fresh.FreshSession("")), 0))
    cut: dict[str, int] = defaultdict(int)
    for request in json.loads(expected.read_text())["requests"]:
        if request["kind"] in ("compact", "other"):
            continue
        held = json.dumps(request["message_id"]).encode() in transcripts
        assert held or request["billed"] is None
        if held:
            for kind in ledger[request["session_id"]]:
                seen = request["billed"] or request["seen_by_client_before_cutoff"]
                ledger[request["session_id"]][kind] += seen[kind]
            cut[request["session_id"]] += request["billed"] is None

    billed = {name: one for name, one in found.items() if any(one.tokens)}

    assert ledger
    assert {name: sums(one) for name, one in billed.items()} == ledger
    assert {name: one.incomplete for name, one in billed.items()} == cut
    assert found.bad_lines == 0


@pytest.mark.parametrize("expected", [pytest.param(path, id=path.parent.name) for path in CLIENT] or NO_CORPUS)
def test_every_sessions_cost_is_the_clients_own_where_its_models_have_prices(expected: Path) -> None:
    prices = pytest.importorskip("ccusage_line.prices")
    requests = json.loads(expected.read_text())["requests"]
    ledger: dict[str, float] = defaultdict(float)
    for request in requests:
        if request["billed"] and request["kind"] not in ("compact", "other"):
            ledger[request["session_id"]] += request["cost_usd"] or 0
    uncertain = {request["session_id"] for request in requests if not request["billed"]}

    found = fresh.read([expected.parent], prices.table().find)

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


def facts(found: fresh.Reading) -> dict[str, Any]:
    return {
        name: (one.models, one.first, one.last, one.project_paths, one.incomplete, one.entries)
        for name, one in found.items()
    }


@settings(deadline=None, max_examples=40)
@given(tree=trees.trees())
def test_a_reading_does_not_depend_on_the_order_of_files(tree: trees.Tree) -> None:
    sources = [fresh.source(path, data) for path, data in trees.read_by_a1(tree)]

    assert facts(fresh.count(reversed(sources), PRICES.get)) == facts(fresh.count(sources, PRICES.get))


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
