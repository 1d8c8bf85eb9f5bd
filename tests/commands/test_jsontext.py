"""The JSON of sessions: the same bytes as the json module's, the same value as the Python data."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccusage_line import jsontext
from ccusage_line.session import Entry, ModelUsage, Session

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z in microseconds
LAST = 253_402_300_799_999_999  # the end of the year 9999


def day_of(us: int) -> str:
    return jsontext.rfc3339(us)[:10]


def standard(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


counts = st.integers(0, 2**53)
costs = st.integers(0, 10**18)
times = st.integers(FIRST, LAST)
# Any text but surrogates: those JSON can't tell from the character they make together.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = st.one_of(st.sampled_from(["claude-opus-4-20250514", "zai/glm-5", ""]), texts)
usages = st.builds(ModelUsage, names, counts, counts, counts, counts, costs, st.integers(0, 99), st.integers(0, 2))
entries = st.builds(Entry, times, names, counts, counts, counts, counts, costs)
sessions = st.builds(
    Session,
    texts,
    st.lists(usages, max_size=4, unique_by=lambda m: m.name),
    st.none() | times,
    st.none() | times,
    st.none() | texts,
    st.none() | texts,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.none() | st.floats(),
    st.booleans(),
    st.none() | st.lists(entries, max_size=3),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(sessions, max_size=4))
def test_the_list_is_what_the_json_module_writes_of_the_same_data(found):
    text, data = jsontext.list_json(found, day_of), jsontext.list_data(found, day_of)
    assert text == standard(data)
    assert json.loads(text) == data


@settings(max_examples=100, deadline=None)
@given(sessions, st.booleans())
def test_one_session_is_what_the_json_module_writes_of_the_same_data(session, with_entries):
    text = jsontext.one_json(session, day_of, with_entries)
    data = jsontext.as_data(session, day_of, with_entries)
    assert text == standard(data)
    assert json.loads(text) == data
    assert ("entries" in data) == with_entries


@settings(max_examples=100, deadline=None)
@given(sessions)
def test_the_row_of_the_list_is_the_object_of_the_session(session):
    (row,) = json.loads(jsontext.list_json([session], day_of))["sessions"]
    assert row == json.loads(jsontext.one_json(session, day_of))


@given(st.text(max_size=30))
def test_a_string_is_escaped_as_the_json_module_does_it_and_can_always_be_encoded(text):
    ours = jsontext.string_text(text)
    assert ours.encode().decode() == ours
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert ours == json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("code", range(0x100))
def test_every_control_and_latin_character_is_escaped_as_the_json_module_does_it(code):
    assert jsontext.string_text(f"a{chr(code)}b") == json.dumps(f"a{chr(code)}b", ensure_ascii=False)


def test_half_a_surrogate_pair_is_an_escape_beside_what_is_not():
    assert jsontext.string_text('é"\ud83d\n') == '"é\\"\\ud83d\\n"'
    assert json.loads(jsontext.string_text("x\udc80")) == "x\udc80"


FULL = Session(
    "11111111-1111-4111-8111-111111111111",
    [
        ModelUsage("claude-sonnet-4-5-20250929", 10, 20, 30, 40, 250_000_000_000, 1),
        ModelUsage("claude-opus-4-5-20251101", 1, 2, 3, 4, 1_500_000_000_000, 1),
        ModelUsage("house-1", 7, 0, 0, 0, 0, 1, 1),
        ModelUsage("", 5, 0, 0, 0, 0, 1),
    ],
    1_795_414_796_800_000,
    1_795_414_796_800_001,
    "/home/x",
    'a "title"\u202e',
    4,
    1,
    1.75,
    True,
    [Entry(1_795_414_796_800_000, "", 5, 0, 0, 0, 0)],
)


def test_a_session_as_text():
    assert jsontext.one_json(FULL, lambda us: "2026-11-22", entries=True) == (
        """{
  "sessionId": "11111111-1111-4111-8111-111111111111",
  "inputTokens": 23,
  "outputTokens": 22,
  "cacheCreationTokens": 33,
  "cacheReadTokens": 44,
  "totalTokens": 122,
  "totalCost": 1.75,
  "lastActivity": "2026-11-22",
  "firstActivityAt": "2026-11-23T06:19:56.800Z",
  "lastActivityAt": "2026-11-23T06:19:56.800001Z",
  "modelsUsed": [
    "house-1",
    "opus-4-5",
    "sonnet-4-5"
  ],
  "modelBreakdowns": [
    {
      "model": "opus-4-5",
      "modelName": "claude-opus-4-5-20251101",
      "inputTokens": 1,
      "outputTokens": 2,
      "cacheCreationTokens": 3,
      "cacheReadTokens": 4,
      "totalTokens": 10,
      "totalCost": 1.5,
      "cost": 1.5
    },
    {
      "model": "sonnet-4-5",
      "modelName": "claude-sonnet-4-5-20250929",
      "inputTokens": 10,
      "outputTokens": 20,
      "cacheCreationTokens": 30,
      "cacheReadTokens": 40,
      "totalTokens": 100,
      "totalCost": 0.25,
      "cost": 0.25
    },
    {
      "model": "house-1",
      "modelName": "house-1",
      "inputTokens": 7,
      "outputTokens": 0,
      "cacheCreationTokens": 0,
      "cacheReadTokens": 0,
      "totalTokens": 7,
      "totalCost": 0.0,
      "cost": 0.0
    }
  ],
  "projectPath": "/home/x",
  "title": "a \\"title\\"\u202e",
  "responses": 4,
  "incompleteResponses": 1,
  "unpricedModels": [
    "house-1"
  ],
  "clientCost": 1.75,
  "archived": true,
  "entries": [
    {
      "timestamp": "2026-11-23T06:19:56.800Z",
      "model": "unknown",
      "inputTokens": 5,
      "outputTokens": 0,
      "cacheCreationTokens": 0,
      "cacheReadTokens": 0,
      "costUSD": 0.0
    }
  ]
}"""
    )


def test_a_session_without_responses_is_zeros_and_nulls():
    data = json.loads(jsontext.one_json(Session("s", []), day_of, entries=True))
    assert data == {
        "sessionId": "s",
        **dict.fromkeys(["inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens"], 0),
        "totalCost": 0.0,
        **dict.fromkeys(["lastActivity", "firstActivityAt", "lastActivityAt", "projectPath", "title", "clientCost"]),
        "modelsUsed": [],
        "modelBreakdowns": [],
        "responses": 0,
        "incompleteResponses": 0,
        "unpricedModels": [],
        "archived": False,
        "entries": [],
    }


def test_no_data_is_an_empty_list_and_totals_of_zeros():
    data = json.loads(jsontext.list_json([], day_of))
    assert data["sessions"] == []
    assert list(data["totals"].values()) == [0, 0, 0, 0, 0, 0.0]


def test_totals_are_added_as_whole_numbers_before_they_become_dollars():
    tenth = Session("s", [ModelUsage("m", cost=100_000_000_000)])
    assert json.loads(jsontext.list_json([tenth] * 3, day_of))["totals"]["totalCost"] == 0.3


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(-0.0, "0.0", id="minus-zero"),
        pytest.param(float("nan"), "null", id="not-a-number"),
        pytest.param(float("-inf"), "null", id="infinite"),
        pytest.param(3, "3.0", id="whole"),
        pytest.param(1e-7, "1e-07", id="small"),
    ],
)
def test_the_clients_cost_is_a_finite_number_or_null(number, text):
    assert f'"clientCost": {text},' in jsontext.one_json(Session("s", [], client_cost=number), day_of)


@given(times)
def test_a_time_is_the_one_of_the_calendar(us):
    moment = EPOCH + timedelta(microseconds=us)
    digits = "microseconds" if us % 1000 else "milliseconds"
    assert jsontext.rfc3339(us) == moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


@pytest.mark.parametrize("us", [FIRST, LAST, -1, 0, 951_782_400_000_000, 951_868_799_999_999, 4_107_542_400_000_000])
def test_the_ends_of_the_calendar_and_leap_days_are_right(us):
    moment = EPOCH + timedelta(microseconds=us)
    assert jsontext.rfc3339(us)[:10] == moment.date().isoformat()


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("claude-opus-4-5-20251101", "opus-4-5"),
        ("claude-opus-4-20250514", "opus-4"),
        ("claude-3-5-haiku-20241022", "3-5-haiku"),
        ("claude-opus-4-1", "opus-4-1"),
        ("claude-opus-4-1@20250805", "opus-4-1"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet-4-5"),
        ("bedrock/eu.anthropic.claude-opus-4-6-v1", "opus-4-6"),
        ("vertex_ai/claude-3-5-sonnet-v2@20241022", "3-5-sonnet"),
        ("openrouter/anthropic/claude-opus-4.5", "opus-4.5"),
        ("Claude-Opus-5", "Opus-5"),
        ("claude-sonnet-4-5-20250929[1m]", "sonnet-4-5[1m]"),
        ("anthropic.claude-v2:1", "v2:1"),
        ("zai/glm-5", "glm-5"),
        ("zai.glm-4.7", "glm-4.7"),
        ("glm-4.7", "glm-4.7"),
        ("deepseek-v3", "deepseek-v3"),
        ("qwen.qwen3-coder-480b-a35b-v1:0", "qwen3-coder-480b-a35b"),
        ("gpt-4.1-mini", "gpt-4.1-mini"),
    ],
)
def test_a_model_is_called_what_people_call_it(name, short):
    assert jsontext.short_model(name) == short


@pytest.mark.parametrize("name", ["claude-", "/", "a/", "@x", "-v1:0", "[1m]", "-20250929"])
def test_a_name_of_which_nothing_would_stay_is_kept(name):
    assert jsontext.short_model(name) == name


@given(st.text(min_size=1, max_size=30))
def test_a_short_name_is_never_empty(name):
    assert jsontext.short_model(name)


def test_the_hot_path_pays_for_no_module_but_the_session():
    code = """
import sys
before = set(sys.modules)
import ccusage_line.jsontext as j
from ccusage_line.session import ModelUsage, Session
j.one_json(Session("\u00e9\\n", [ModelUsage("claude-x")], 5, 5, title='"'), str, True)
print(*sorted(set(sys.modules) - before - {"__future__"}))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == ["ccusage_line", "ccusage_line.jsontext", "ccusage_line.session"]
