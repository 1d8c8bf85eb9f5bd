"""The accounting rules by worked examples: the index and the plain second implementation (fresh.py) count each, must
agree, and must give the sums made by hand. The corpora compare both too (test_corpus, test_index_exact)."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import fresh
import trees
from ccusage_line.index import refresh, workers
from ccusage_line.index.index import Index
from ccusage_line.prices.table import PriceTable
from ccusage_line.transcripts.claims import timestamp
from ccusage_line.transcripts.reading import BULK
from compare import assert_same

SECOND = 1_000_000
TEN = 1_772_359_200 * SECOND  # 2026-03-01T10:00:00Z
MICRO_DOLLAR = 1_000_000  # in 1e-12 dollars


def rates(*dollars_per_million: float) -> tuple[int, int, int, int, int]:
    input, output, write_5m, write_1h, read = (round(each * 1e9) for each in dollars_per_million)
    return input, output, write_5m, write_1h, read


PRICES = PriceTable(
    {},
    {
        "opus": (*rates(5, 25, 6.25, 10, 0.5), None, None, 2000, 1100, None),
        "haiku": (*rates(0.1, 0.5, 0.125, 0.2, 0.01), 100_000, rates(0.5, 2.5, 0.625, 1, 0.05), 1000, 1100, None),
    },
    {},
)


def line(usage: dict[str, Any] | None = None, message: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """Return a response of session s, 10 tokens in and 5 out, with changes; a field that is `...` is left out."""
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
    """Return the reading of files, given by path below `projects/` as bytes or lines; the index must agree, whichever
    decoder reads them."""
    contents = {path: data if isinstance(data, bytes) else b"\n".join([*data, b""]) for path, data in files.items()}
    base = Path(tempfile.mkdtemp(prefix="ccusage-test-"))
    try:
        trees.write_tree(contents, base / "data")
        found = fresh.read([base / "data"], PRICES.find)
        for least in (BULK, -1):  # bytes above which the bulk decoder reads: it has to say the same as the plain one
            with patch.object(refresh, "BULK", least), patch.object(workers, "BULK", least):
                index = Index(str(base / f"state-{least}"), [str(base / "data" / "projects")], PRICES)
                index.refresh()
            assert_same(index, found)
            for name, one in found.items():
                one.told = index.last_context(name)
            index.close()
    finally:
        shutil.rmtree(base)
    return found


def session(*lines: bytes, path: str = "p/s.jsonl") -> fresh.FreshSession:
    return reading({path: list(lines)})["s"]


def counted(content: bytes) -> int:
    """Return how many responses a transcript of these bytes has, with a newline at its end or without."""
    readings = [reading({"p/s.jsonl": data}) for data in (content, content + b"\n")]
    (count,) = {sum(one.responses for one in found.values()) for found in readings}
    return count


# --- A3 ---------------------------------------------------------------------------------------------------------------


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
    assert fresh.timestamp_of(text) == timestamp(text) == expected


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


# --- A4 ---------------------------------------------------------------------------------------------------------------


def bare(usage: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """Return a line without `requestId`."""
    return line(usage, requestId=..., **fields)


def nameless(usage: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """Return a line without `message.id` and, unless it is given, without `requestId`."""
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
            [bare({"cache_creation": {"ephemeral_1h_input_tokens": 1}}), bare({"cache_creation_input_tokens": 1})],
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


# --- A5 ---------------------------------------------------------------------------------------------------------------

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


# --- A6 ---------------------------------------------------------------------------------------------------------------


def at(time: str, **fields: Any) -> bytes:
    """Return a line with which a transcript may begin."""
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
def test_the_owner_of_a_response_follows_from_all_its_lines(lines: list[bytes], expected: str) -> None:
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
    ],
)
def test_a_response_belongs_to_the_claiming_session_that_began_first(
    of_a: list[bytes], of_b: list[bytes], expected: str
) -> None:
    late: dict[str, Any] = {"timestamp": "2026-03-01T23:00:00Z"}
    files: dict[str, list[bytes]] = {
        "p/x.jsonl": [line(sessionId="a", **late), line(sessionId="b", **late), line(sessionId="0", **forked("b"))],
        "p/a.jsonl": of_a,
        "p/b.jsonl": of_b,
    }

    assert list(reading(files).with_responses) == [expected]


def test_a_session_began_with_the_earliest_of_its_own_transcripts() -> None:
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


# --- A8, A9 -----------------------------------------------------------------------------------------------------------


SPLIT = {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}


@pytest.mark.parametrize(
    ("whole", "split", "expected"),
    [
        pytest.param(100, None, (100, 0), id="no-split"),
        pytest.param(100, {}, (100, 0), id="empty-split"),
        pytest.param(100, SPLIT, (70, 30), id="split-covers-a-part"),
        pytest.param(10, SPLIT, (20, 30), id="split-is-larger"),
    ],
)
def test_cache_writes_outside_the_split_count_as_5_minute_writes(
    whole: int, split: dict[str, int] | None, expected: tuple[int, int]
) -> None:
    short, long = expected
    told = {"cache_creation_input_tokens": whole, "cache_creation": split}
    found = session(line({"input_tokens": 0, "output_tokens": 0, **told}))

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
    # haiku: 1000 x 0.1 + 100 x 0.5 micro-dollars; opus twice (fast): 310 x 5 + 25 x 25 + 4 x 0.5.
    assert found.models["haiku"].cost["auto"] == 150 * MICRO_DOLLAR
    assert found.models["opus"].cost["auto"] == 2 * 2177 * MICRO_DOLLAR
    # A costUSD covers the whole line.
    with_cost = session(line({"iterations": iterations}, costUSD=0.5))
    assert with_cost.cost("auto") == with_cost.cost("display") == 500_000 * MICRO_DOLLAR
    assert with_cost.cost("calculate") == (150 + 2177) * MICRO_DOLLAR
    assert with_cost.tokens == (1310, 125, 0, 4)


def test_an_advisor_is_billed_at_standard_speed_and_in_its_own_region() -> None:
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


def test_attempts_and_paused_responses_have_their_own_speed_region_and_searches_or_those_of_the_usage() -> None:
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


# --- A10, A12 ---------------------------------------------------------------------------------------------------------

HALF = {"type": "message", "input_tokens": 60_000, "output_tokens": 100, "cache_creation_input_tokens": 8}
WHOLE = {"input_tokens": 120_000, "output_tokens": 200, "cache_creation_input_tokens": 16}


@pytest.mark.parametrize(
    ("usage", "iterations", "micro_dollars"),
    [
        pytest.param({}, [HALF, HALF], 12_000 + 100 + 2, id="each-below-the-threshold"),
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
        pytest.param({"inference_geo": "us"}, [HALF, HALF], 1.1 * 12_102, id="the-wholes-place-does"),
    ],
)
def test_several_messages_that_add_up_to_the_top_level_are_priced_each_by_its_own_prompt(
    usage: dict[str, Any], iterations: list[dict[str, Any]], micro_dollars: float
) -> None:
    found = session(line({**WHOLE, **usage, "iterations": iterations}, {"model": "haiku"}))

    assert found.cost("auto") == round(micro_dollars * MICRO_DOLLAR)


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


def test_a_model_without_a_price_costs_nothing_and_is_counted() -> None:
    found = session(
        line({"server_tool_use": {"web_search_requests": 1}}, {"model": "mystery"}),
        line(message={"model": "mystery"}, requestId="2", costUSD=0.5),
        line(message={"model": ...}, requestId="3"),
        line({"input_tokens": 0, "output_tokens": 0}, {"model": ""}, requestId="4"),
    )

    assert found.models["mystery"].cost == {"auto": 500_000 * MICRO_DOLLAR, "calculate": 0, "display": 5 * 10**11}
    assert found.models["mystery"].unpriced == {"auto": 1, "calculate": 2, "display": 0}
    assert found.models[""].unpriced == {"auto": 1, "calculate": 1, "display": 0}


# --- what is known of a session besides -------------------------------------------------------------------------------


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

    assert found.last_context == found.told == (expected, "opus")


def test_the_context_is_that_of_the_last_response_of_the_main_chain() -> None:
    last = "2026-03-01T10:00:02Z"
    agent = line({"input_tokens": 3}, isSidechain=True, requestId="3", timestamp=last)
    synthetic = line(message={"model": "<synthetic>"}, requestId="4", timestamp=last)
    found = session(agent, synthetic, line(MORE, {"model": "haiku"}, requestId="2", timestamp=LATER), line())

    assert found.last_context == found.told == (11, "haiku")
    assert session(agent).last_context is session(agent).told is None
    assert session(line(), line(MORE, requestId="2")).last_contexts == {(10, "opus"), (11, "opus")}


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
def test_a_file_name_as_id_selects_what_the_file_holds_without_copies(copy: dict[str, Any], expected: bool) -> None:
    files = {"p/x.jsonl": [line(**copy)], "p/s.jsonl": [line()] if "session_id" in copy else []}

    found = reading(files).by_file["x"]

    assert (found.responses, found.tokens) == ((1, (10, 5, 0, 0)) if expected else (0, (0, 0, 0, 0)))


# --- what histories are made of ---------------------------------------------------------------------------------------


def made_up(seed: int) -> trees.Tree:
    return dict(trees.read_by_a1(trees.seeded_tree(seed, 8)))


def cases(response: fresh.Response, beginnings: Mapping[str, int]) -> dict[str, bool]:
    """Return whether *response* is one of those that are easily counted wrong."""
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
    for seed in range(250):
        found = fresh.count([fresh.source(path, data) for path, data in made_up(seed).items()], PRICES.find)
        for response in found.responses:
            seen.update(cases(response, found.beginnings))
            lines += len(response.lines)
        responses += len(found.responses)

    assert min(seen.values()) > 1, seen
    assert 2 < lines / responses < 5  # neither each alone nor all in one
