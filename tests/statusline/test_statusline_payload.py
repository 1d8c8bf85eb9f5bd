"""Reading the client's payload: there is an answer in time, whatever arrives and whenever."""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccusage_line.statusline import payload

PLENTY = 30.0  # seconds; no test waits so long


@contextlib.contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        for descriptor in (reader, writer):
            with contextlib.suppress(OSError):
                os.close(descriptor)


# --- reading -----------------------------------------------------------------------------------------------------


def test_an_object_is_whole_though_the_writer_keeps_its_end_open() -> None:
    with pipe() as (reader, writer):
        os.write(writer, b'{"session_id": "x"}\n')
        began = time.monotonic()
        assert payload.read(reader, PLENTY) == b'{"session_id": "x"}\n'
        assert time.monotonic() - began < PLENTY


def test_pieces_are_put_together() -> None:
    with pipe() as (reader, writer):

        def write() -> None:
            for piece in (b'{"a": {"b": 1}', b', "c": "}', b'"', b"}"):
                os.write(writer, piece)
                time.sleep(0.01)

        thread = threading.Thread(target=write)
        thread.start()
        assert payload.read(reader, PLENTY) == b'{"a": {"b": 1}, "c": "}"}'
        thread.join()


@pytest.mark.parametrize("sent", [b"", b'{"a": ', b"   \n"])
@pytest.mark.skipif(os.name != "posix", reason="no poll here")
def test_a_writer_that_never_ends_is_not_waited_for(sent: bytes) -> None:
    with pipe() as (reader, writer):
        os.write(writer, sent)
        assert payload.read(reader, 0.05) == sent


def test_an_endless_writer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "LIMIT", 300_000)
    with pipe() as (reader, writer):

        def write() -> None:
            with contextlib.suppress(OSError):
                while True:
                    os.write(writer, b"[" * 65_536)

        thread = threading.Thread(target=write)
        thread.start()
        found = payload.read(reader, PLENTY)
        os.close(reader)
        thread.join()
    assert 300_000 <= len(found) <= 300_000 + 65_536
    assert payload.parse(found) is None


def test_ten_megabytes_are_read(tmp_path: Path) -> None:
    data = json.dumps({"session_id": "x", "junk": ["{}" * 50_000] * 100}).encode()
    (tmp_path / "stdin").write_bytes(data)
    descriptor = os.open(tmp_path / "stdin", os.O_RDONLY)
    try:
        found = payload.parse(payload.read(descriptor, PLENTY))
    finally:
        os.close(descriptor)
    assert len(data) > 10_000_000
    assert payload.value_at(found, "session_id") == "x"


def test_a_closed_descriptor_and_a_folder_hold_nothing(tmp_path: Path) -> None:
    with pipe() as (reader, writer):
        os.close(writer)
        assert payload.read(reader, PLENTY) == b""
        os.close(reader)
        assert payload.read(reader, PLENTY) == b""
    if os.name == "posix":
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            assert payload.read(folder, PLENTY) == b""
        finally:
            os.close(folder)


# --- decoding ----------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def same_numbers(value: object) -> object:
    """Convert integers of more than 18 digits to floats, as the payload reader does."""
    if isinstance(value, dict):
        return {key: same_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [same_numbers(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and len(str(value)) > 18:
        return float(value)
    return value


@given(VALUES, st.booleans(), st.booleans())
def test_what_the_json_package_reads_is_read_the_same(value: object, ascii_only: bool, bom: bool) -> None:
    text = f" {json.dumps(value, ensure_ascii=ascii_only)}\r\n"
    data = text.encode("utf-8", "surrogatepass" if ascii_only else "replace")
    expected = same_numbers(json.loads(data.decode()))
    assert payload.parse(b"\xef\xbb\xbf" + data if bom else data) == expected


@given(st.binary())
def test_any_bytes_can_be_parsed(data: bytes) -> None:
    found = payload.parse(data)
    assert found is None or payload.parse(json.dumps(found).encode()) is not None


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"{", b'{"a":}', b'{"a":1}{', b"{'a':1}", b"nul", b"[" * 200_000, b'{"a":' * 200_000, b"\x00", b"-"],
)
def test_what_is_not_json_is_none(data: bytes) -> None:
    assert payload.parse(data) is None


def test_absurd_numbers_and_raw_control_characters_do_not_lose_the_rest() -> None:
    found = payload.parse(b'{"a": NaN, "b": -Infinity, "c": 1' + b"0" * 10_000 + b', "d": "x\x01\ny\xff", "e": 7}')
    assert isinstance(found, dict)
    assert math.isnan(found["a"])
    assert (found["b"], found["c"], found["d"], found["e"]) == (-math.inf, math.inf, "x\x01\ny\ufffd", 7)


# --- questions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_id", "environ", "expected"),
    [
        ("x", {"CLAUDE_CODE_SESSION_ID": "y"}, "x"),
        (None, {"CLAUDE_CODE_SESSION_ID": "y"}, "y"),
        ("", {"CLAUDE_CODE_SESSION_ID": "y"}, "y"),
        (["x"], {}, None),
        (None, {"CLAUDE_CODE_SESSION_ID": ""}, None),
    ],
)
def test_the_session_is_the_payloads_else_the_environments(
    given_id: object, environ: dict[str, str], expected: str | None
) -> None:
    assert payload.session_id({"session_id": given_id}, environ) == expected


@pytest.mark.parametrize("odd", [None, "", 7, ["/x"], "/a\0b"])
def test_an_odd_transcript_path_is_none(odd: object) -> None:
    assert payload.transcript_path({"transcript_path": odd}) is None
    assert payload.transcript_path({"transcript_path": "/x.jsonl"}) == "/x.jsonl"


ODD = [None, "7", True, [], {}, float("nan"), float("inf"), -1.0, 10**400]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:9])
def test_an_odd_reset_is_none(odd: object) -> None:
    assert payload.reported_windows({"rate_limits": {"five_hour": {"resets_at": odd}}}, 0) == {}
    assert payload.reported_windows({"rate_limits": odd}, 0) == {}


@pytest.mark.parametrize(
    ("resets_at", "used", "expected"),
    [
        pytest.param(7.4, 12, {(5, 7_000_000): (12.0, 1)}, id="epoch-seconds"),
        pytest.param("1970-01-01T00:00:07.000Z", 100, {(5, 7_000_000): (100.0, 1)}, id="rfc-3339"),
        pytest.param(7, 100.5, {(5, 7_000_000): (None, 1)}, id="above-a-hundred"),
        pytest.param(7, True, {(5, 7_000_000): (None, 1)}, id="no-number"),
        pytest.param(7, float("nan"), {(5, 7_000_000): (None, 1)}, id="nan"),
        pytest.param(18_001, 1, {}, id="beyond-five-hours"),
        pytest.param(0.000001, 1, {}, id="now"),
    ],
)
def test_a_window_is_told_by_its_end_and_a_percentage(
    resets_at: object, used: object, expected: dict[tuple[int, int], tuple[float | None, int]]
) -> None:
    given = {"rate_limits": {"five_hour": {"resets_at": resets_at, "used_percentage": used}}}
    assert payload.reported_windows(given, 1) == expected
