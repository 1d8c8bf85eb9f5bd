"""Hostile lines by the thousand: whatever a transcript holds, the index equals a fresh reading of it.

CCUSAGE_HOSTILE_LINES=100000 asks for that many lines; the default is 1,500.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_decoders import HOSTILE, both

import fresh
import trees
from ccusage_line.index.index import Index
from compare import assert_same, find_price
from trees import Dice

LINES = int(os.environ.get("CCUSAGE_HOSTILE_LINES", "1500"))
AT_ONCE = 25  # lines per example

TOKENS = (
    *(b'"usage"', b'-title"', b'"summary"', b'"cost-state"', b'{"type"', b'{"parentUuid"', b'"timestamp"'),
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b".", b"e9", b"null", b"true", b"NaN", b"1" * 50),
    *(b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\xed\xa0\xbd", b"\xef\xbb\xbf", b"\x00", b"\r", b"\n", b" ", b"\t"),
    *(b"\\u0022", b"\x01\x80", b""),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -3, 69_999, 2**53, 2**53 + 1, -(2**70), 0.5, -0.0, 1e300, float("nan"), float("inf")),
    *("", "usage", "assistant", trees.MODELS[0], "fast", "us", "end_turn", "msg_1", "req_1", "\ud800", "\x00é\u2028"),
    *([], {}, [None, 1], {"": [{}]}, {"usage": {"input_tokens": 1}}, [{"type": "message", "output_tokens": 2}]),
)
SMALL = sorted(name for name, line in HOSTILE.items() if len(line) < 10_000)


def spoil(dice: Dice, value: Any) -> None:
    """Replace a value anywhere inside a record."""
    while True:
        key = dice.pick(list(value) if isinstance(value, dict) else range(len(value)))
        if not isinstance(value[key], (dict, list)) or not value[key] or dice.chance(4):
            value[key] = copy.deepcopy(dice.pick(VALUES))
            return
        value = value[key]


def record_line(dice: Dice) -> bytes:
    home = trees.Home("", dice.pick(trees.SESSIONS), dice.chance(4))
    record = copy.deepcopy(dice.pick([*trees.response(dice, home), trees.other_line(dice, home.session)]))
    for _ in range(dice.number(4)):
        spoil(dice, record)
    return trees.written(dice, record)


def hostile_line(dice: Dice) -> bytes:
    """Return a line, often a damaged one; it is several lines if a newline is among the damage."""
    kind = dice.number(10)
    if kind == 0:
        return b"".join(dice.pick(TOKENS) for _ in range(dice.number(9)))
    line = HOSTILE[dice.pick(SMALL)] if dice.chance(5) else record_line(dice)
    if kind < 4:
        for _ in range(dice.between(1, 4)):
            place = dice.number(len(line) + 1)
            line = line[:place] + dice.pick(TOKENS) + line[place + dice.number(5) :]
    elif kind == 4:
        line = line[: dice.number(len(line) + 1)] + line
    elif kind == 5:
        line += record_line(dice)
    return line


@settings(max_examples=LINES // AT_ONCE)
@given(st.integers(0, 2**32))
def test_hostile_lines_are_counted_as_a_fresh_reading_counts_them(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    dice = trees.dice_of_seed(seed)
    found = [hostile_line(dice) for _ in range(AT_ONCE)]
    data = b"\n".join(found) + b"\n" * dice.number(2)
    for each in (data, *found):
        ours, theirs = both(each)
        assert ours == theirs
    base = tmp_path_factory.mktemp("hostile")
    root = base / "data"
    cut = dice.number(len(data) + 1)  # usually in the middle of a line
    first = "-home-ann-web/s-one.jsonl"
    second = "-home-ann-api/s-two/subagents/agent-a1.jsonl"
    trees.write_tree({first: data[:cut], second: b"\n".join(found[::3]) + b"\n"}, root)
    index = Index(str(base / "state"), [str(root / "projects")])
    index.refresh()
    with Path(root, "projects", first).open("ab") as file:
        file.write(data[cut:])
    index.refresh()
    assert_same(index, fresh.read([root], find_price))
    index.close()
