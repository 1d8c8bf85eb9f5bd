"""The two decoders yield the same claims: for every line of every corpus, generated trees and hostile lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings

import trees
from ccusage_line.files import load_blake2, load_scanner, public_blake2, public_scanner
from ccusage_line.transcripts import bulk_decoder
from ccusage_line.transcripts import reading as plain
from ccusage_line.transcripts.claims import Claim, objects
from ccusage_line.transcripts.files import Block
from ccusage_line.transcripts.reading import Reading
from lines import record, usage


class Decoded(NamedTuple):
    """What a decoder reads from the lines of a block."""

    claims: list[Any]
    bad: int
    titles: list[str | None]
    client_cost: float | None


def decode(data: bytes, read_block: Callable[..., None]) -> Decoded:
    """Read *data*, whole lines without the last newline, with one of the decoders."""
    reading = Reading()
    block = Block(7, bytearray(b"before\n" + data + b"\n"), 7, 8 + len(data))
    read_block(reading, block, "by-path", True, lambda claim: data[claim.offset - 7 :][: claim.length])
    claims = [[getattr(claim, name) for name in Claim.__slots__ if name != "file"] for claim in reading.claims.values()]
    return Decoded(claims, reading.bad, reading.titles, reading.client_cost)


FACTS = b'{"type":"custom-title","customTitle":"late","sessionId":"x"}'


@pytest.mark.parametrize("zero", [b"", b"\0", b"\0\n\0\n"], ids=["none", "in front", "on lines of their own"])
@pytest.mark.parametrize("read_block", [plain.read_block, bulk_decoder.read_block], ids=["plain", "bulk"])
def test_all_of_a_block_is_read_and_nothing_behind_it(read_block: Callable[..., None], zero: bytes) -> None:
    lines = [written(message=message, request=f"r-{message}") for message in ("m1", "m2", "m3")]
    data = lines[0] + b"\n" + zero + lines[1] + b"\n"
    buffer = bytearray(data + lines[2] + b"\n" + FACTS + b"\n")
    before, reading = bytes(buffer), Reading()
    read_block(reading, Block(0, buffer, 0, len(data)), "by-path", True, lambda claim: b"")
    assert len(reading.claims) == 2
    assert reading.titles == [None] * 3
    assert buffer == before
    buffer.extend(b"x")  # raises BufferError if anything still holds the buffer


def both(data: bytes) -> tuple[Decoded, Decoded]:
    return decode(data, plain.read_block), decode(data, bulk_decoder.read_block)


def written(**changes: Any) -> bytes:
    return json.dumps(record(**changes), separators=(",", ":")).encode()


PLAIN = written()


def with_usage(text: bytes) -> bytes:
    return PLAIN.replace(b'"output_tokens":100', text)


HOSTILE = {
    "plain": PLAIN,
    "spaces": json.dumps(record(), indent=1).replace("\n", " ").encode(),
    "crlf": PLAIN + b"\r",
    "bom": b"\xef\xbb\xbf" + PLAIN,
    "space around": b" \t" + PLAIN + b" ",
    "vertical tab before": b"\x0b" + PLAIN,
    "glued": PLAIN + PLAIN,
    "glued with space": PLAIN + b" " + written(message="m2"),
    "torn, then whole": PLAIN[:150] + PLAIN.replace(b'"cwd"', b'"cwd"'),
    "whole, then torn": PLAIN + PLAIN[:90],
    "garbage, then whole": b"\x00\x00" + PLAIN,
    "NaN elsewhere": PLAIN[:-1] + b',"x":NaN}',
    "infinite count": with_usage(b'"output_tokens":1e999'),
    "negative count": with_usage(b'"output_tokens":-5'),
    "fractional count": with_usage(b'"output_tokens":12.9'),
    "whole float count": with_usage(b'"output_tokens":12.0'),
    "exponent count": with_usage(b'"output_tokens":1e3'),
    "largest count": with_usage(b'"output_tokens":9007199254740992'),
    "too large a count": with_usage(b'"output_tokens":9007199254740993'),
    "boolean count": with_usage(b'"output_tokens":true'),
    "text count": with_usage(b'"output_tokens":"100"'),
    "null count": with_usage(b'"output_tokens":null'),
    "count of 5000 digits": with_usage(b'"output_tokens":' + b"7" * 5000),
    "4301 digits elsewhere": PLAIN[:-1] + b',"x":' + b"7" * 4301 + b"}",
    "4300 digits elsewhere": PLAIN[:-1] + b',"x":' + b"7" * 4300 + b"}",
    "4301 digits in a text": PLAIN[:-1] + b',"x":"' + b"7" * 4301 + b'"}',
    "4301 digits of a fraction": PLAIN[:-1] + b',"x":0.' + b"7" * 4301 + b"}",
    "leading zero": with_usage(b'"output_tokens":007'),
    "repeated key": with_usage(b'"output_tokens":1,"output_tokens":2'),
    "usage then null": PLAIN.replace(b'"usage":{', b'"usage":{"a":1},"usage":{'),
    "usage of text": PLAIN.replace(b'"usage":{', b'"usage":"x","z":{'),
    "message of text": b'{"type":"assistant","message":"\\"usage\\"","timestamp":"2026-05-01T10:00:00Z"}',
    "escaped key": PLAIN.replace(b'"sessionId"', b'"sess\\u0069onId"'),
    "bad UTF-8 in an id": PLAIN.replace(b'"r1"', b'"r\xff1"'),
    "bad UTF-8 elsewhere": PLAIN[:-1] + b',"x":"\xff\xfe"}',
    "bad UTF-8 and glued": PLAIN[:-1] + b',"x":"\xff{}"}' + PLAIN,
    "lone surrogate id": PLAIN.replace(b'"r1"', b'"\\ud800"'),
    "lone surrogate elsewhere": PLAIN[:-1] + b',"x":"\\ud83d"}',
    "encoded surrogate": PLAIN[:-1] + b',"x":"\xed\xa0\x80"}',
    "raw line separator": PLAIN[:-1] + ',"x":"\u2028"}'.encode(),
    "raw control character": PLAIN[:-1] + b',"x":"\x01"}',
    "raw tab": PLAIN[:-1] + b',"x":"\t"}',
    "bad escape": PLAIN[:-1] + b',"x":"\\q"}',
    "trailing comma": PLAIN[:-1] + b",}",
    "nested 900 deep": PLAIN[:-1] + b',"x":' + b"[" * 900 + b"]" * 900 + b"}",
    "nested 6000 deep": PLAIN[:-1] + b',"x":' + b"[" * 6000 + b"]" * 6000 + b"}",
    "usage nested 5000 deep": with_usage(b'"x":' + b"[" * 5000 + b"]" * 5000),
    "nested 4990 deep": PLAIN[:-1] + b',"x":' + b"[" * 4990 + b"]" * 4990 + b"}",
    "nested 10000 deep": PLAIN[:-1] + b',"x":' + b"[" * 10000 + b"]" * 10000 + b"}",
    "an array": b"[" + PLAIN + b"]",
    "a number": b'5 "usage"',
    "no request": written(request=None),
    "no message id": written(message=""),
    "no ids at all": written(message="", request=None, uuid=""),
    "empty session": written(session=""),
    "sessions of numbers": written(requestSessionId=5, forkedFrom={"sessionId": ["x"]}),
    "request session": written(requestSessionId="a", forkedFrom={"sessionId": "b"}),
    "fork": written(forkedFrom={"sessionId": "b", "messageUuid": "c"}),
    "fork of text": written(forkedFrom="b"),
    "user line": written(type="user"),
    "no type": written(type=None),
    "type of a number": written(type=3),
    "sidechain of text": written(isSidechain="true"),
    "cost": written(costUSD=0.25),
    "whole cost": written(costUSD=2),
    "cost between two floats": written(costUSD=2**53 + 1),
    "cost near the largest float": written(costUSD=10**308),
    "cost beyond all floats": written(costUSD=10**309),
    "negative zero cost": written(costUSD=-0.0),
    "boolean cost": written(costUSD=True),
    "huge cost": PLAIN[:-1] + b',"costUSD":1' + b"0" * 400 + b"}",
    "fast in the us": written(tokens=usage(speed="fast", inference_geo="us")),
    "speed of a number": written(tokens=usage(speed=1)),
    "split": written(
        tokens=usage(write=5, cache_creation={"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 9})
    ),
    "split of null": written(tokens=usage(cache_creation=None)),
    "split of a list": written(tokens=usage(cache_creation=[1])),
    "searches": written(tokens=usage(server_tool_use={"web_search_requests": 2})),
    "advisor": written(tokens=usage(iterations=[{"type": "advisor_message", "model": "m", "output_tokens": 3}])),
    "message iteration": written(tokens=usage(iterations=[{"type": "message", "model": None, "output_tokens": 3}])),
    "iterations of junk": written(tokens=usage(iterations=[1, "x", None, {"type": []}])),
    "iterations of an object": written(tokens=usage(iterations={"type": "compaction"})),
    "bad day": written(at="2026-02-30T10:00:00Z"),
    "no zone": written(at="2026-02-28 10:00"),
    "far zone": written(at="2026-02-28T10:00:00.123456789+05:30"),
    "digits of another script": written(at="2026-02-2\u0668T10:00:00Z"),
    "number for a time": written(at=1767225600),
    "model of a number": PLAIN.replace(b'"claude-opus-4-5-20251101"', b"5"),
    "stop reason of a list": written(stop=["end_turn"]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_are_read_alike(name: str) -> None:
    ours, theirs = both(HOSTILE[name])
    assert ours == theirs


def test_hostile_lines_are_of_all_kinds() -> None:
    outcomes = {name: both(line)[0] for name, line in HOSTILE.items()}
    assert outcomes["plain"].claims
    assert len(outcomes["glued with space"].claims) == 2
    assert outcomes["raw control character"].bad == 1
    assert outcomes["nested 10000 deep"].bad == 1
    assert outcomes["nested 4990 deep"].claims
    assert outcomes["user line"] == Decoded([], 0, [None] * 3, None)


def test_every_line_of_every_corpus_is_read_alike(corpus: Path) -> None:
    lines = 0
    for path in corpus.glob("*/*/projects/**/*.jsonl"):
        data = path.read_bytes()
        ours, theirs = both(data)
        assert ours == theirs
        for line in data.split(b"\n"):
            ours, theirs = both(line)
            assert ours == theirs, line[:200]
            lines += bool(ours.claims)
    assert lines > 500


@settings(max_examples=50)
@given(trees.trees())
def test_generated_lines_are_read_alike(tree: trees.Tree) -> None:
    for data in tree.values():
        ours, theirs = both(data)
        assert ours == theirs
        for line in data.split(b"\n"):
            ours, theirs = both(line)
            assert ours == theirs


def test_the_private_parts_of_cpython_equal_the_public_ones() -> None:
    text = '{"a": [1, 2.5, true, null, "x\\u00e9", NaN, {"b": -Infinity}]}'
    private, public = load_scanner()(text, 0), public_scanner()(text, 0)
    assert repr(private) == repr(public)
    text = '["\t", 12]'
    assert load_scanner(strict=False, parse_int=float)(text, 0) == public_scanner(strict=False, parse_int=float)(
        text, 0
    )
    assert load_blake2()(b"x", digest_size=16).digest() == public_blake2()(b"x", digest_size=16).digest()


@pytest.mark.parametrize(
    ("line", "whole", "count"),
    [
        pytest.param(b'{"a":1}{"b":2}', True, 2, id="glued"),
        pytest.param(b'{"a":1}{"b":', False, 1, id="second unfinished"),
        pytest.param(b'{"a":1}x{"type":"t"}', True, 2, id="garbage between"),
        pytest.param(b'{"a":1}x{"type":"t"}', False, 1, id="garbage between, not finished"),
        pytest.param(b'{"a":{"type":"t"}', True, 1, id="torn around a whole one"),
        pytest.param(b'{"a":{"type":"t"}', False, 0, id="unfinished around a whole one"),
        pytest.param(b'{"a":1}x{"b":2}', True, 1, id="garbage before what does not begin as lines do"),
    ],
)
def test_a_line_yields_its_whole_objects(line: bytes, whole: bool, count: int) -> None:
    assert len(objects(line, whole)) == count


def test_an_objects_bytes_stand_where_it_says() -> None:
    line = b'\xef\xbb\xbf \xff{"type":"\xff}"}  {"type":"\xe2\x80\xa8","x":{}}'
    for value, raw, at in objects(line):
        assert line[at : at + len(raw)] == raw
        assert json.loads(raw.decode("utf-8", "replace")) == value
    assert len(objects(line)) == 2
