"""The JSON of sessions: the same bytes as from the json module, and the same value as the Python data."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccusage_line import jsontext
from ccusage_line.session import Entry, ModelUsage, Session, dollars

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z in microseconds
LAST = 253_402_300_799_999_999  # the end of the year 9999


def day_of(us: int) -> str:
    return jsontext.rfc3339(us)[:10]


def standard(value: object, indent: int | None = 2) -> str:
    """Return what the json module writes, with escapes for characters that cannot be printed."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def sums_data(sums):
    kinds = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens")
    return {**dict(zip(kinds, sums, strict=False)), "totalCost": dollars(sums[5])}


def model_data(m):
    sums = sums_data(jsontext.sums_of([m]))
    return {"model": jsontext.short_model(m.name), "modelName": m.name, **sums, "cost": dollars(m.cost)}


def entry_data(e):
    return {
        "timestamp": jsontext.rfc3339(e.timestamp),
        "model": e.model or "unknown",
        "inputTokens": e.input,
        "outputTokens": e.output,
        "cacheCreationTokens": e.cache_creation,
        "cacheReadTokens": e.cache_read,
        "costUSD": dollars(e.cost),
    }


def session_data(session, with_entries=False):
    """Return the keys of a session in their order, with their values."""
    first, last = (None if us is None else jsontext.rfc3339(us) for us in (session.first, session.last))
    return {
        "sessionId": session.id,
        **sums_data(jsontext.sums_of(session.models)),
        "lastActivity": last and last[:10],
        "firstActivityAt": first,
        "lastActivityAt": last,
        "modelsUsed": jsontext.short_models(session.named_models),
        "modelBreakdowns": [model_data(m) for m in session.named_models],
        "projectPath": session.project_path,
        "title": session.title,
        "responses": session.responses,
        "incompleteResponses": session.incomplete,
        "unpricedModels": session.unpriced_models,
        "clientCost": jsontext.finite(session.client_cost),
        "archived": session.archived,
        **({"entries": [entry_data(e) for e in session.entries or ()]} if with_entries else {}),
    }


counts = st.integers(0, 2**53)
costs = st.integers(0, 10**18)
times = st.integers(FIRST, LAST)
# Any text without surrogates, because JSON cannot tell two of them from the character that they form together.
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
    text = jsontext.list_json(found, day_of)
    every = [(0,) * 6, *(jsontext.sums_of(session.models) for session in found)]
    totals = sums_data([sum(column) for column in zip(*every, strict=True)])
    data = {"sessions": [session_data(session) for session in found], "totals": totals}
    assert text == standard(data)
    assert jsontext.list_data(found, day_of) == data


@settings(max_examples=100, deadline=None)
@given(sessions, st.booleans())
def test_one_session_is_what_the_json_module_writes_of_the_same_data(session, with_entries):
    text = jsontext.one_json(session, day_of, with_entries)
    data = session_data(session, with_entries)
    assert text == standard(data)
    assert jsontext.as_data(session, day_of, with_entries) == data


@given(st.text(max_size=30))
@example("".join(map(chr, range(0x100))))
@example("\u202e\u2028\U000e0041\U0001f600")
def test_a_string_is_escaped_as_the_json_module_does_it_and_can_always_be_shown(text):
    ours = jsontext.string_text(text)
    assert ours.isprintable()
    assert ours == standard(text, None)


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


def test_the_sums_and_the_models_of_a_session():
    """Check what the properties above compute with functions of the module itself."""
    told = json.loads(jsontext.one_json(FULL, lambda us: "2026-11-22", entries=True))
    sums = [told[name] for name in told if name.endswith("Tokens")]
    assert sums == [23, 22, 33, 44, 122]
    assert (told["totalCost"], told["lastActivity"]) == (1.75, "2026-11-22")
    assert told["firstActivityAt"] == "2026-11-23T06:19:56.800Z"
    assert told["modelsUsed"] == ["house-1", "opus-4-5", "sonnet-4-5"]
    assert [(model["model"], model["totalTokens"], model["cost"]) for model in told["modelBreakdowns"]] == [
        ("opus-4-5", 10, 1.5),
        ("sonnet-4-5", 100, 0.25),
        ("house-1", 7, 0.0),
    ]
    assert (told["unpricedModels"], told["entries"][0]["model"]) == (["house-1"], "unknown")


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
@example(FIRST)
@example(LAST)
@example(-1)
@example(951_782_400_000_000)  # a leap day
@example(4_107_542_400_000_000)  # 2100 has no leap day
def test_a_time_is_the_one_of_the_calendar(us):
    moment = EPOCH + timedelta(microseconds=us)
    digits = "microseconds" if us % 1000 else "milliseconds"
    assert jsontext.rfc3339(us) == moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


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
