"""Hostile lines by the thousand: whatever a transcript holds, the index is what a fresh reading makes of it.

CCUSAGE_HOSTILE_LINES=100000 asks for as many; here some hundred have to do.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from test_decoders import HOSTILE, both

import fresh
import trees
from ccusage_line.index.index import Index
from compare import assert_same, find_price

LINES = int(os.environ.get("CCUSAGE_HOSTILE_LINES", "1500"))
AT_ONCE = 25  # lines of an example, about

MARKS = (b'"usage"', b'-title"', b'"summary"', b'"cost-state"', b'{"type"', b'{"parentUuid"')
TOKENS = (
    *MARKS,
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b".", b"e9", b"null", b"true", b"NaN", b"1" * 50),
    *(
        b"\xff",
        b"\xc3",
        b"\xe2\x80\xa8",
        b"\xed\xa0\xbd",
        b"\xef\xbb\xbf",
        b"\x00",
        b"\r",
        b"\n",
        b" ",
        b"\t",
        b"\\u0022",
    ),
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70_000),
    st.integers(2**53 - 2, 2**53 + 2),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(("", "usage", "assistant", "claude-opus-4-5-20251101", "fast", "us", "end_turn", "msg_1", "req_1")),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 5).flatmap(lambda n: values if n == 0 else usual)


counts = mostly(st.sampled_from((0, 1, 7, 1000, 60_000)))
split = st.fixed_dictionaries(
    {}, optional={"ephemeral_5m_input_tokens": counts, "ephemeral_1h_input_tokens": counts, "x": values}
)
tokens = {
    "input_tokens": counts,
    "output_tokens": counts,
    "cache_creation_input_tokens": counts,
    "cache_read_input_tokens": counts,
    "cache_creation": mostly(split),
    "server_tool_use": mostly(st.fixed_dictionaries({"web_search_requests": counts})),
    "speed": mostly(st.sampled_from(("fast", "standard"))),
    "inference_geo": mostly(st.sampled_from(("us", "not_available"))),
}
iteration = st.fixed_dictionaries(
    {"type": mostly(st.sampled_from(trees.KINDS))},
    optional={**tokens, "model": mostly(st.sampled_from(trees.MODELS))},
)
usages = st.fixed_dictionaries({}, optional={**tokens, "iterations": mostly(st.lists(mostly(iteration), max_size=2))})
messages = st.fixed_dictionaries(
    {"usage": mostly(usages)},
    optional={
        "id": mostly(st.sampled_from(trees.MESSAGES)),
        "model": mostly(st.sampled_from(trees.MODELS)),
        "stop_reason": mostly(st.sampled_from(("end_turn", None))),
        "pausedResponses": mostly(st.lists(mostly(st.fixed_dictionaries({"usage": mostly(usages)})), max_size=2)),
        "content": values,
    },
)
sessions = mostly(st.sampled_from(trees.SESSIONS))
records = st.fixed_dictionaries(
    {"timestamp": mostly(st.sampled_from(trees.TIMES)), "message": mostly(messages)},
    optional={
        "type": mostly(st.sampled_from(("assistant", "assistant", None, "user"))),
        "requestId": mostly(st.sampled_from(trees.REQUESTS)),
        "uuid": mostly(st.sampled_from(trees.UUIDS)),
        "sessionId": sessions,
        "requestSessionId": sessions,
        "forkedFrom": mostly(st.fixed_dictionaries({"sessionId": sessions})),
        "isSidechain": mostly(st.booleans()),
        "costUSD": mostly(st.floats(-1, 1)),
        "cwd": mostly(st.sampled_from(trees.CWDS)),
        "parentUuid": mostly(st.sampled_from(trees.UUIDS)),
        "session_id": sessions,
    },
)
facts = st.fixed_dictionaries(
    {"type": mostly(st.sampled_from(("custom-title", "ai-title", "summary", "cost-state")))},
    optional={"customTitle": values, "aiTitle": values, "summary": values, "totalCostUSD": values},
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A record as JSON of some kind."""
    value = draw(st.one_of(records, records, records, facts, values))
    separators = draw(st.sampled_from(((",", ":"), (", ", ": "), (" ,", "\t:"))))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators)
    return text.encode("utf-8", "surrogatepass")


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line, often a damaged one; several where a newline is among the damage."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.lists(st.sampled_from(TOKENS) | st.binary(max_size=6), max_size=8).map(b"".join))
    line = HOSTILE[draw(st.sampled_from(SMALL))] if kind == 1 else draw(written())
    if kind in (2, 3):
        for _ in range(draw(st.integers(1, 3))):
            place = draw(st.integers(0, len(line)))
            line = line[:place] + draw(st.sampled_from(TOKENS)) + line[place + draw(st.integers(0, 4)) :]
    elif kind == 4:
        line = line[: draw(st.integers(0, len(line)))] + line
    elif kind == 5:
        line += draw(written())
    return line


SMALL = sorted(name for name, line in HOSTILE.items() if len(line) < 10_000)


@settings(max_examples=LINES // AT_ONCE)
@given(st.lists(lines(), min_size=AT_ONCE - 10, max_size=AT_ONCE + 10), st.integers(0, 100), st.booleans())
def test_hostile_lines_are_counted_as_a_fresh_reading_counts_them(
    found: list[bytes], percent: int, newline: bool
) -> None:
    data = b"\n".join(found) + b"\n" * newline
    ours, theirs = both(data)
    assert ours == theirs
    base = Path(tempfile.mkdtemp(prefix="ccusage-hostile-"))
    try:
        root = base / "data"
        first = root / "projects" / "-home-ann-web" / "s-one.jsonl"
        second = root / "projects" / "-home-ann-api" / "s-two" / "subagents" / "agent-a1.jsonl"
        for path in (first, second):
            path.parent.mkdir(parents=True)
        cut = len(data) * percent // 100  # in the middle of a line, mostly
        first.write_bytes(data[:cut])
        second.write_bytes(b"\n".join(found[::3]) + b"\n")
        index = Index(str(base / "state"), [str(root / "projects")])
        index.refresh()
        with first.open("ab") as file:
            file.write(data[cut:])
        index.refresh()
        assert_same(index, fresh.read([root], find_price))
        index.close()
    finally:
        shutil.rmtree(base)
