"""Prices and the cost of a response (A10, A11)."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ccusage_line.prices import embedded
from ccusage_line.prices import table as prices
from ccusage_line.prices.in_use import table
from ccusage_line.prices.table import MEMO_LIMIT, NAME_LIMIT, PICO, UNIT, Price, PriceTable, cost, part_id, pico
from conftest import ROOT
from processes import bare_python, load_tool

KINDS = ("input", "output", "write_5m", "write_1h", "read")
MAX_COUNT = 2**53

# Dollars per million tokens in the order of KINDS, as Claude Code 2.1.330 bills them.
CLIENT = {
    "opus 4.0, 4.1": ("15", "75", "18.75", "30", "1.5"),
    "opus 4.5 to 5": ("5", "25", "6.25", "10", "0.5"),
    "opus 5.5": ("4", "20", "5", "8", "0.2"),
    "sonnet 3.5 to 4.6": ("3", "15", "3.75", "6", "0.3"),
    "sonnet 5": ("2", "10", "2.5", "4", "0.2"),
    "sonnet 5.5": ("2", "10", "2.5", "4", "0.1"),
    "haiku 3.5": ("0.8", "4", "1", "1.6", "0.08"),
    "haiku 4.5": ("1", "5", "1.25", "2", "0.1"),
    "haiku 5.5": ("0.1", "0.5", "0.125", "0.2", "0.01"),
    "fable, mythos 5": ("10", "50", "12.5", "20", "1"),
    "fable, mythos 5.1": ("10", "50", "12.5", "20", "0.25"),
    "fable, mythos 5.2": ("8", "40", "10", "16", "0.2"),
}
MODELS = {
    model: kind
    for kind, models in {
        "opus 4.0, 4.1": "claude-opus-4-0 claude-opus-4-20250514 claude-opus-4-1 claude-opus-4-1-20250805",
        "opus 4.5 to 5": (
            "claude-opus-4-5 claude-opus-4-5-20251101 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8 claude-opus-5"
        ),
        "opus 5.5": "claude-opus-5-5",
        "sonnet 3.5 to 4.6": (
            "claude-3-5-sonnet claude-3-5-sonnet-20241022 claude-3-7-sonnet claude-3-7-sonnet-20250219 "
            "claude-sonnet-4-0 claude-sonnet-4-20250514 claude-sonnet-4-5 claude-sonnet-4-5-20250929 "
            "claude-sonnet-4-6"
        ),
        "sonnet 5": "claude-sonnet-5",
        "sonnet 5.5": "claude-sonnet-5-5",
        "haiku 3.5": "claude-3-5-haiku claude-3-5-haiku-20241022",
        "haiku 4.5": "claude-haiku-4-5 claude-haiku-4-5-20251001",
        "haiku 5.5": "claude-haiku-5-5",
        "fable, mythos 5": "claude-fable-5 claude-mythos-5",
        "fable, mythos 5.1": "claude-fable-5-1 claude-mythos-5-1",
        "fable, mythos 5.2": "claude-fable-5-2 claude-mythos-5-2",
    }.items()
    for model in models.split()
}
FAST = {
    "claude-opus-4-6": ("30", "150", "37.5", "60", "3"),
    "claude-opus-4-6-20260205": ("30", "150", "37.5", "60", "3"),
    "claude-opus-4-7": ("30", "150", "37.5", "60", "3"),
    "claude-opus-4-7-20260416": ("30", "150", "37.5", "60", "3"),
    "claude-opus-4-8": ("10", "50", "12.5", "20", "1"),
    "claude-opus-5": ("10", "50", "12.5", "20", "1"),
    "claude-opus-5-5": ("8", "40", "10", "16", "0.4"),
    "claude-fable-5-2": ("16", "80", "20", "32", "0.4"),
    "claude-mythos-5-2": ("16", "80", "20", "32", "0.4"),
    "claude-sonnet-5-5": ("2", "10", "2.5", "4", "0.1"),
}


def known(model: str) -> Price:
    price = table().find(model)
    assert price is not None, f"{model} has no price"
    return price


def tokens(**counts: int) -> tuple[int, int, int, int, int]:
    return tuple(counts.get(kind, 0) for kind in KINDS)  # type: ignore[return-value]


def dollars(text: str) -> int:
    """Return an amount in dollars as a number of 1e-12 dollars, which must be whole."""
    amount = Fraction(text) * PICO
    assert amount.denominator == 1
    return int(amount)


# --- what a response costs ---


@pytest.mark.parametrize("fast", [False, True])
def test_every_token_kind_costs_what_the_client_bills(fast: bool) -> None:
    for model, rates in (FAST if fast else {name: CLIENT[kind] for name, kind in MODELS.items()}).items():
        for kind, per_million in zip(KINDS, rates, strict=True):
            found = cost(known(model), *tokens(**{kind: 1000}), fast=fast)
            assert found == Fraction(per_million) * 1000 / 10**6 * PICO, (model, kind)


@pytest.mark.parametrize(
    ("model", "counts", "extra", "usd"),
    [
        # 40000 + 30000 + 30000 is not more than 100,000.
        pytest.param(
            "claude-haiku-5-5",
            {"input": 40_000, "write_5m": 30_000, "read": 30_000, "output": 1000},
            {},
            "0.00855",
            id="at-the-threshold-the-plain-prices-hold",
        ),
        # One more input token: 40,001 x 0.5 + 30,000 x 0.625 + 30,000 x 0.05 + 1000 x 2.5, per million.
        pytest.param(
            "claude-haiku-5-5",
            {"input": 40_001, "write_5m": 30_000, "read": 30_000, "output": 1000},
            {},
            "0.0427505",
            id="above-it-everything-costs-more-output-too",
        ),
        pytest.param(
            "claude-haiku-5-5",
            {"write_1h": 100_001},
            {},
            "0.100001",
            id="above-it-an-hour-costs-twice-the-higher-input",
        ),
        pytest.param(
            "claude-haiku-5-5",
            {"input": 1, "output": 900_000},
            {},
            "0.4500001",
            id="output-does-not-lengthen-the-prompt",
        ),
        pytest.param(
            "claude-sonnet-4-20250514", {"input": 200_000, "output": 10}, {}, "0.60015", id="sonnet-4-at-200k"
        ),
        pytest.param(
            "claude-sonnet-4-20250514", {"input": 200_001, "output": 10}, {}, "1.200231", id="sonnet-4-above-200k"
        ),
        pytest.param("claude-sonnet-4-0", {"read": 250_000}, {}, "0.15", id="undated-sonnet-4-above-200k"),
        pytest.param("claude-sonnet-4-5", {"read": 250_000}, {}, "0.075", id="sonnet-4-5-has-no-threshold"),
        pytest.param("claude-sonnet-4-6", {"input": 300_000, "output": 1000}, {}, "0.915", id="nor-has-sonnet-4-6"),
        pytest.param("claude-opus-4-6", {"input": 300_000}, {}, "1.5", id="nor-has-opus-4-6"),
        pytest.param("minimax-m3", {"input": 512_001}, {}, "0.3072006", id="thresholds-are-read-from-the-field-name"),
        pytest.param("claude-3-opus-20240229", {"write_1h": 1000}, {}, "0.03", id="1h-write-where-the-list-is-wrong"),
        pytest.param("claude-3-haiku-20240307", {"write_5m": 1000}, {}, "0.0003", id="5m-write-as-listed"),
        pytest.param("claude-3-sonnet-20240229", {"write_5m": 1000}, {}, "0.00375", id="5m-write-where-not-listed"),
        pytest.param("claude-3-sonnet-20240229", {"read": 1000}, {}, "0.0003", id="read-where-not-listed"),
        pytest.param("claude-opus-5", {"input": 1000}, {"us": True}, "0.0055", id="us-inference"),
        pytest.param("claude-opus-5-5", {"input": 1000}, {"us": True, "fast": True}, "0.0088", id="us-and-fast"),
        pytest.param("claude-haiku-4-5", {"input": 1000}, {"us": True, "fast": True}, "0.001", id="no-factors-listed"),
        pytest.param("claude-haiku-4-5", {}, {"searches": 3}, "0.03", id="searches"),
        pytest.param(
            "claude-opus-5-5",
            {"input": 1000},
            {"searches": 1, "us": True, "fast": True},
            "0.0188",
            id="factors-leave-searches-alone",
        ),
        pytest.param("claude-opus-5-5", {}, {}, "0", id="nothing"),
    ],
)
def test_a_response_costs_its_tokens_at_the_prices_of_its_model(
    model: str, counts: dict[str, int], extra: dict[str, int], usd: str
) -> None:
    assert cost(known(model), *tokens(**counts), **extra) == dollars(usd)


counts = st.integers(0, MAX_COUNT)
per_token = st.integers(0, 10**12)
five = st.tuples(per_token, per_token, per_token, per_token, per_token)


ones = (1, 1, 1, 1, 1)


@given(
    plain=five,
    threshold=st.none() | st.integers(0, 10**6),
    above=five,
    factors=st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
    five_counts=st.tuples(*[st.integers(0, 300_000) | counts] * 5),
    more=st.tuples(st.integers(0, 1000), st.booleans(), st.booleans()),
)
@example((100, 100, 100, 100, 100), None, ones, (1, 1), ones, (0, False, False))  # a half goes down to the even number
@example((300, 300, 300, 300, 300), None, ones, (1, 1), ones, (0, False, False))  # a half goes up to the even one
@example((400, 400, 400, 400, 400), None, ones, (1, 1), ones, (0, False, False))  # the kinds are not rounded one by one
def test_cost_is_the_exact_fraction_rounded_once(
    plain: tuple[int, ...],
    threshold: int | None,
    above: tuple[int, ...],
    factors: tuple[int, int],
    five_counts: tuple[int, ...],
    more: tuple[int, bool, bool],
) -> None:
    (fast, us), (searches, is_fast, is_us) = factors, more
    price = Price(*plain, threshold, above if threshold is not None else None, fast, us)
    prompt = five_counts[0] + five_counts[2] + five_counts[3] + five_counts[4]
    rates = above if threshold is not None and prompt > threshold else plain
    exact = sum((Fraction(n * rate, UNIT) for n, rate in zip(five_counts, rates, strict=True)), Fraction(0))
    exact *= Fraction(fast, 1000) if is_fast else 1
    exact *= Fraction(us, 1000) if is_us else 1
    assert cost(price, *five_counts, searches, is_fast, is_us) == round((exact + Fraction(searches, 100)) * PICO)


all_names = sorted({**embedded.RETIRED, **embedded.CURRENT, **embedded.OVERLAY})


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(2.5e-12)  # half, or just below
@example(5e-324)
@example(1e20)
def test_every_finite_recorded_cost_is_rounded_exactly(usd: float) -> None:
    assert pico(usd) == round(Fraction(usd) * PICO)


# --- whose price it is ---


@pytest.mark.parametrize(
    ("model", "same_as"),
    [
        pytest.param("vertex_ai/claude-opus-4-1@20250805", "claude-opus-4-1", id="vertex-with-its-provider"),
        pytest.param("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet-20241022", id="vertex-second-3.5-sonnet"),
        pytest.param("kyma/claude-opus-5-20260101", "kyma/claude-opus-5", id="reseller-kept-less-date"),
        pytest.param("anthropic.claude-opus-4-7-v1:0", "anthropic.claude-opus-4-7", id="bedrock-with-version-suffix"),
        pytest.param(
            "bedrock/us-east-1/anthropic.claude-opus-4-5-20251101-v1:0",
            "anthropic.claude-opus-4-5-20251101-v1:0",
            id="bedrock-path",
        ),
        pytest.param(
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-6",
            "us.anthropic.claude-sonnet-4-6",
            id="bedrock-arn",
        ),
        pytest.param(
            "us.anthropic.claude-sonnet-4-6[1m]", "us.anthropic.claude-sonnet-4-6", id="region-kept-with-mark"
        ),
        pytest.param("us.anthropic.claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1", id="region-kept-less-version"),
        pytest.param(
            "us.anthropic.claude-sonnet-4-5",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            id="region-kept-less-date-and-version",
        ),
        pytest.param("ca.anthropic.claude-opus-5-5", "anthropic.claude-opus-5-5", id="region-not-listed"),
        pytest.param("github_copilot/claude-opus-4.5", "claude-opus-4-5", id="provider-listed-without-a-price"),
        pytest.param("bedrock:us.anthropic.claude-4.6-sonnet", "us.anthropic.claude-sonnet-4-6", id="region-kept"),
        pytest.param("replicate/anthropic/claude-sonnet-4.5", "replicate/anthropic/claude-4.5-sonnet", id="replicate"),
        pytest.param(
            "databricks/databricks-claude-4.6-opus", "databricks/databricks-claude-opus-4-6", id="a-providers-own-entry"
        ),
        pytest.param("CLAUDE_SONNET_4_5_20250929_V1_0", "claude-sonnet-4-5-20250929", id="underscores"),
        pytest.param("claude-sonnet-4-5-20250929-v1:0:200k", "claude-sonnet-4-5-20250929", id="bedrock-window"),
        pytest.param("anthropic/claude-3.5-sonnet-v2@20241022", "claude-3-5-sonnet-20241022", id="second-3.5-sonnet"),
        pytest.param("claude-3.7-sonnet-thought", "claude-3-7-sonnet", id="thinking-of-copilot"),
        pytest.param("claude-opus-4-6-thinking-32000", "claude-opus-4-6", id="a-budget-of-thinking"),
        pytest.param("claude4.6-opus", "claude-opus-4-6", id="glued"),
        pytest.param("github_copilot/claude-opus-4-8-fast", "github_copilot/claude-opus-4.8-fast", id="listed-as-fast"),
        pytest.param("glm-5", "zai/glm-5", id="glm"),
        pytest.param("glm-5.2[1m]", "zai/glm-5.2", id="glm-with-mark"),
        pytest.param("openrouter/z-ai/glm-5", "zai/glm-5", id="glm-behind-its-maker"),
        pytest.param("kimi-k2.5", "moonshot/kimi-k2.5", id="kimi-of-its-maker-not-of-another-host"),
        pytest.param("kimi-k2.7-code", "moonshot/kimi-k2.7-code", id="kimi-listed-twice"),
        pytest.param("deepseek-v3.2", "deepseek/deepseek-v3.2", id="deepseek"),
        pytest.param("MiniMax-M2.5", "minimax/minimax-m2.5", id="minimax"),
        pytest.param("qwen3.7-max", "dashscope/qwen3.7-max", id="qwen"),
    ],
)
def test_a_name_costs_what_another_name_costs(model: str, same_as: str) -> None:
    """The prefixes and decorations of the grammar below are tried with all models."""
    price, listed = known(model), known(same_as)
    assert same_as in all_names
    price.window = listed.window  # "[1m]" asks for a larger one
    assert price == listed


# Input price in dollars per million tokens.
@pytest.mark.parametrize(
    ("model", "input"),
    [
        pytest.param("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", id="us"),
        pytest.param("us-gov.anthropic.claude-opus-5-5", "4.8", id="us-gov"),
        pytest.param("apac.anthropic.claude-opus-4-8", "5.5", id="apac"),
        pytest.param("eu.anthropic.claude-haiku-5-5", "0.11", id="eu"),
        pytest.param("global.anthropic.claude-opus-5", "5", id="global"),
        pytest.param("vertex_ai/claude-3-5-haiku", "1", id="vertex"),
        pytest.param("kyma/claude-opus-5", "6.75", id="reseller"),
        pytest.param("openrouter/anthropic/claude-opus-4.5:batch", "2.5", id="openrouter-batch"),
        pytest.param("databricks/databricks-claude-sonnet-4-5", "2.99999", id="databricks-to-the-last-digit"),
        pytest.param("databricks/databricks-claude-3-7-sonnet", "2.99999", id="databricks-less-float-noise"),
        pytest.param("deepseek-chat", "0.28", id="deepseek-chat"),
    ],
)
def test_a_listed_name_has_its_own_price(model: str, input: str) -> None:
    assert known(model).input == Fraction(input) / 10**6 * UNIT


@pytest.mark.parametrize(
    "model",
    [
        pytest.param("", id="empty"),
        pytest.param("<synthetic>", id="synthetic"),
        pytest.param("unknown", id="unknown"),
        pytest.param("gpt-5", id="gpt"),
        pytest.param("mock/other-model", id="provider-of-nothing"),
        pytest.param("claude", id="maker-alone"),
        pytest.param("claude-unknown-9", id="no-such-family"),
        pytest.param("claude-opus", id="no-version"),
        pytest.param("claude-opus-20250514", id="no-version-but-a-date"),
        pytest.param("claude-opus-40", id="version-without-a-hyphen"),
        pytest.param("claude-opus-4-5-1", id="version-of-three-numbers"),
        pytest.param("claude-opus-4-12345678", id="not-a-date"),
        pytest.param("claude-opus-4-5-fast", id="variant-not-listed"),
        pytest.param("us.anthropic.claude-opus-9-20260101-v1:0", id="region-of-no-model"),
        pytest.param("anthropic.claude-instant", id="a-model-version-is-no-suffix"),
        pytest.param("anthropic.claude-v3", id="a-model-version-is-no-suffix-v3"),
        pytest.param("claude-3-5-sonnet-v9", id="a-model-version-is-no-suffix-v9"),
        pytest.param("notanthropic.claude-opus-5", id="not-a-region"),
        pytest.param("my-claude-opus-5", id="not-a-prefix"),
        pytest.param("claude-4.6", id="a-version-of-no-family"),
        pytest.param("claude-4-opus-6", id="two-versions"),
        pytest.param("claude-opus-04-6", id="a-version-with-a-leading-zero"),
        pytest.param("claude-opus-46", id="a-version-whose-dot-is-missing"),
        pytest.param("claude-opus-4-6-2026-02", id="half-a-date"),
        pytest.param("claude-opus-4-v2-6", id="a-number-behind-a-version-suffix"),
        pytest.param("claude-opus-4-thinking-6", id="a-number-that-is-no-budget"),
        pytest.param("claude-thinking-opus-4-6", id="a-decoration-before-the-family"),
        pytest.param("claude-haiku-opus-4-6", id="two-families"),
        pytest.param("claude-opus-4-6()", id="an-empty-decoration"),
        pytest.param("claude-opus-4-6(high", id="an-open-decoration"),
        pytest.param("claude-opus-4-6-", id="a-dash-behind"),
        pytest.param("claudette-opus-4-6", id="not-claude"),
        pytest.param("qwen3-claude-4.5-opus-distill", id="a-pupil-of-claude"),
        pytest.param("anthropic--claude-opus", id="no-version-behind-a-prefix"),
        pytest.param("~anthropic/claude-opus-latest", id="moving-alias"),
        pytest.param("claude-opus-latest", id="moving-alias-alone"),
        # What these three mean changed with every release (opus: 15, 5 and 4 dollars), so no single price is right.
        pytest.param("opus", id="opus-alone"),
        pytest.param("sonnet", id="sonnet-alone"),
        pytest.param("haiku", id="haiku-alone"),
        pytest.param("glm-6", id="next-glm"),
        pytest.param("glm", id="family-alone"),
        pytest.param("kimi-k2", id="kimi-version-not-listed"),
        pytest.param("somehost/glm-5", id="another-makers-model-at-a-reseller"),
        pytest.param("claude-\u017fonnet-5", id="long-s-that-upper-cases-to-ascii"),
        pytest.param("\u212aimi-k2.5", id="kelvin-sign-that-lower-cases-to-ascii"),
        pytest.param("claude-opus-5 ", id="blank-behind"),
        pytest.param("claude-opus-5\n", id="line-end"),
        pytest.param("\ud800claude-opus-5", id="lone-surrogate"),
        pytest.param("a/" * 99 + "claude-opus-5", id="longer-than-any-name"),
    ],
)
def test_a_name_that_is_not_listed_has_no_price(model: str) -> None:
    assert table().find(model) is None


# --- the names of Claude: a small grammar ---


def makers_own() -> dict[tuple[str, int, int], Price]:
    """Return the price of every Claude model with a version, taken from the names in the table."""
    found = {}
    for name in all_names:
        match = re.fullmatch(r"claude-(?:([a-z]+)-)?(\d)(?:[-.](\d))?(?:-([a-z]+))?(?:-20\d{6})?", name)
        if match and bool(match[1]) != bool(match[4]):
            found[match[1] or match[4], int(match[2]), int(match[3] or 0)] = known(name)
    return found


CLAUDE = makers_own()
PREFIXES = (
    *("", "anthropic/", "somebody/", "openai/anthropic/", "anthropic--", "sap/anthropic--", "anthropic-"),
    *("anthropic:", "databricks-", "system.ai.databricks-", "publishers/anthropic/models/", "gemini-"),
)
BEDROCK = ("anthropic.", "xy.anthropic.", "arn:aws:bedrock:xy-east-1:1:inference-profile/xy.anthropic.")
SUFFIXES = (
    *("", "-latest", "@latest", ":beta", "@default", "-20990101", "@20990101", "-2099-01-01", "-20990101-v1:0"),
    *("-20990101-thinking", "-v1", "-v1:0", "-v1:0:200k", "-thinking", ":thinking", "-think", "-thinking-16k"),
    *("-thinking-latest", "-high", "(xhigh)", "[1m]", "-1m", "-thinking[1m]"),
)
# Words that change the price, or may.
OTHER_PRODUCTS = (
    *(":batch", ":free", ":online", "-batch", "-flex", "-priority", "-lite"),
    *("-mini", "-preview", "-distill"),
)


def versions(major: int, minor: int) -> list[str]:
    return [f"{major}-{minor}", f"{major}.{minor}", f"{major}_{minor}", *([str(major)] if minor == 0 else [])]


@st.composite
def spellings(draw: st.DrawFn, family: str, major: int, minor: int, endings: tuple[str, ...] = SUFFIXES) -> str:
    """Return a name of a model as somebody may write it."""
    version = draw(st.sampled_from(versions(major, minor)))
    core = draw(st.sampled_from([f"claude-{family}-{version}", f"claude-{version}-{family}"]))
    name = draw(st.sampled_from(PREFIXES + BEDROCK)) + core + draw(st.sampled_from(endings))
    return name.upper() if draw(st.booleans()) else name


def without_window(price: Price | None) -> Price | None:
    if price is not None:
        price.window = None
    return price


def test_the_table_lists_the_models_that_the_grammar_is_tried_on() -> None:
    assert len(CLAUDE) >= 20
    assert {("opus", 4, 6), ("sonnet", 3, 5), ("haiku", 3, 0), ("fable", 5, 2)} <= CLAUDE.keys()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_model_has_its_price_under_every_prefix_and_decoration(prefix: str) -> None:
    find = table().find
    for ((family, major, minor), price), suffix in itertools.product(CLAUDE.items(), SUFFIXES):
        for version in versions(major, minor):
            for core in (f"claude-{family}-{version}", f"claude-{version}-{family}"):
                name = prefix + core + suffix
                assert without_window(find(name)) == without_window(price), name


@pytest.mark.parametrize("prefix", BEDROCK)
def test_every_model_of_bedrock_has_its_price_under_every_spelling(prefix: str) -> None:
    for family, major, minor in CLAUDE:
        listed = without_window(table().find(f"anthropic.claude-{family}-{major}-{minor}"))
        for version in versions(major, minor):
            for suffix in SUFFIXES:
                for core in (f"claude-{family}-{version}", f"claude-{version}-{family}"):
                    assert without_window(table().find(prefix + core + suffix)) == listed, (prefix, core, suffix)


@given(st.sampled_from(sorted({family for family, _, _ in CLAUDE})), st.data())
def test_a_version_never_has_the_price_of_another(family: str, data: st.DataObject) -> None:
    major, minor = data.draw(st.tuples(st.integers(0, 12), st.integers(0, 120)))
    assume((family, major, minor) not in CLAUDE)
    assert table().find(data.draw(spellings(family, major, minor))) is None


@given(st.sampled_from(sorted(CLAUDE)), st.data())
def test_what_may_be_another_product_has_no_price(model: tuple[str, int, int], data: st.DataObject) -> None:
    assert table().find(data.draw(spellings(*model, endings=OTHER_PRODUCTS))) is None


@given(st.sampled_from(sorted(CLAUDE)), st.data())
def test_a_price_of_ones_own_counts_under_every_spelling(model: tuple[str, int, int], data: st.DataObject) -> None:
    """It counts for no other model, whichever of its names was used."""
    family, major, minor = model
    version = data.draw(st.sampled_from([f"{major}-{minor}", f"{major}.{minor}"]))
    written = data.draw(st.sampled_from([f"claude-{family}-{version}", f"claude-{version}-{family}"]))
    own = PriceTable({}, embedded.CURRENT, {}, own={written: entry(77)})
    name = data.draw(spellings(*model))
    price = own.find(name)
    assert price.input == 77
    other = data.draw(st.sampled_from(sorted(CLAUDE.keys() - {model})))
    price = own.find(data.draw(spellings(*other)))
    assert price is None or price.input != 77


@pytest.mark.parametrize("model", [model for model in FAST if "sonnet" not in model])
def test_a_name_that_says_fast_costs_what_fast_mode_costs_and_not_twice(model: str) -> None:
    price = known(f"anthropic/{model}-fast")
    expected = [Fraction(text) * 1000 / 10**6 * PICO for text in FAST[model]]
    for is_fast in (False, True):
        assert [cost(price, *tokens(**{kind: 1000}), fast=is_fast) for kind in KINDS] == expected


def test_a_fast_model_whose_factor_is_not_known_has_no_price() -> None:
    assert known("claude-sonnet-5-5").fast == 1000
    assert table().find("claude-sonnet-5-5-fast") is None


WORDS = ("anthropic.", "anthropic--", "claude", "opus", "4.6", "fast", "thinking", "latest", "20260205", "2026", "ai-")
anything = st.text(st.characters(exclude_categories=()), max_size=300)


@given(st.one_of(anything, st.builds("".join, st.lists(st.sampled_from([*all_names, *"/.@-[1m]:v2(k", *WORDS])))))
@example("\x00" * NAME_LIMIT)
@example("claude" * 10_000)
@example("claude/@default")
@example("/" * NAME_LIMIT)
@example("@")
@example("claude-" + "[1m]" * 40)
@example("ai-" * 60 + "claude-opus-5")
@example("claude-opus-4-6" + "-high" * 36)
@example("claude-opus-4-6-fast-fast[1m]")
@example("claude-2026-02")
def test_any_string_may_be_asked_for_in_any_case(name: str) -> None:
    price = table().find(name)
    assert price is None or isinstance(price, Price)
    assert table().find(name) == price
    if name.isascii():
        assert table().find(name.upper()) == price


@given(st.sampled_from(all_names))
def test_every_listed_name_has_a_price_in_any_case(name: str) -> None:
    assert known(name.upper()) == known(name)


def test_the_names_remembered_are_bounded() -> None:
    prices_in_use = PriceTable({}, embedded.CURRENT, {})
    for number in range(3 * MEMO_LIMIT):
        prices_in_use.find(f"claude-opus-{number}")
        assert len(prices_in_use._memo) <= MEMO_LIMIT
    assert prices_in_use.find("claude-opus-5") == prices_in_use.find("CLAUDE-OPUS-5") == known("claude-opus-5")


# Only the input price tells these entries apart.
def entry(input: int) -> prices.Packed:
    return (input, 0, 0, 0, 0, None, None, 1000, 1000, None)


@pytest.mark.parametrize(
    ("overlay", "current", "retired", "input"),
    [
        pytest.param({"claude-x-1": entry(1)}, {"claude-x-1": entry(2)}, {"claude-x-1": entry(3)}, 1, id="overlay"),
        pytest.param({}, {"claude-x-1": entry(2)}, {"claude-x-1": entry(3)}, 2, id="current"),
        pytest.param({}, {}, {"claude-x-1": entry(3)}, 3, id="retired"),
        pytest.param({"claude-x": entry(1)}, {}, {"claude-x-1": entry(3)}, 3, id="the-name-itself-wherever-it-is"),
        pytest.param(
            {},
            {"claude-x-1-20260101": entry(2), "claude-x-1-20260301": entry(4)},
            {"claude-x-1-20260201": entry(3)},
            4,
            id="the-newest-date",
        ),
    ],
)
def test_the_parts_of_a_table_are_asked_in_order(
    overlay: dict[str, prices.Packed], current: dict[str, prices.Packed], retired: dict[str, prices.Packed], input: int
) -> None:
    price = PriceTable(overlay, current, retired).find("claude-x-1")
    assert price.input == input


@pytest.mark.parametrize(
    ("model", "window"),
    [
        pytest.param("claude-haiku-4-5", 200_000, id="haiku-4.5"),
        pytest.param("claude-sonnet-4-20250514", 200_000, id="sonnet-4"),
        pytest.param("claude-sonnet-4-6", 200_000, id="sonnet-4.6"),
        pytest.param("claude-opus-4-6", 200_000, id="opus-4.6"),
        pytest.param("us.anthropic.claude-opus-4-6-v1", 200_000, id="opus-4.6-in-a-region"),
        pytest.param("openrouter/anthropic/claude-sonnet-4.5", 200_000, id="sonnet-4.5-dotted"),
        pytest.param("claude-4-sonnet-20250514", 200_000, id="sonnet-4-in-the-old-order"),
        pytest.param("claude-opus-4-6[1m]", 1_000_000, id="opus-4.6-long"),
        pytest.param("claude-opus-4-7", 1_000_000, id="opus-4.7"),
        pytest.param("claude-haiku-5-5", 1_000_000, id="haiku-5.5"),
        pytest.param("claude-fable-5-2", 1_000_000, id="fable-5.2"),
        pytest.param("claude-mythos-preview", 1_000_000, id="no-version"),
        pytest.param("claude-3-5-haiku", 200_000, id="haiku-3.5"),
        pytest.param("claude-2", 100_000, id="claude-2"),
        pytest.param("glm-5.2", 1_000_000, id="another-maker"),
        pytest.param("replicate/anthropic/claude-3.7-sonnet", None, id="not-known"),
    ],
)
def test_a_model_has_the_window_the_client_gives_it(model: str, window: int | None) -> None:
    assert known(model).window == window


def test_asking_for_the_long_window_leaves_the_short_one_alone() -> None:
    assert known("claude-opus-4-6[1m]").window == 1_000_000
    assert known("claude-opus-4-6").window == 200_000


# --- which prices these are ---


def test_the_embedded_fingerprint_is_that_of_the_embedded_prices() -> None:
    parts = (embedded.OVERLAY, embedded.CURRENT, embedded.RETIRED)
    assert [part_id(part) for part in parts] == [embedded.OVERLAY_ID, embedded.CURRENT_ID, embedded.RETIRED_ID]
    assert table().fingerprint == PriceTable(*parts).fingerprint
    assert table().source == embedded.SOURCE == "LiteLLM 1.109.1"


@pytest.mark.parametrize("which", [0, 1, 2], ids=["overlay", "current", "retired"])
def test_the_fingerprint_changes_with_any_price(which: int) -> None:
    parts = [{"claude-x-1": entry(1)}, {"claude-x-2": entry(2)}, {"claude-x-3": entry(3)}]
    seen = {PriceTable(*parts).fingerprint}
    parts[which] = {"claude-x-9": entry(1)}
    seen.add(PriceTable(*parts).fingerprint)
    for field in range(10):
        changed = list(entry(1))
        changed[field] = (1, 2, 3, 4, 5) if field == 6 else 77
        parts[which] = {"claude-x-9": tuple(changed)}  # type: ignore[dict-item]
        seen.add(PriceTable(*parts).fingerprint)
    assert len(seen) == 12


def test_the_fingerprint_is_short_and_does_not_depend_on_order() -> None:
    one, two = {"a": entry(1), "b": entry(2)}, {"b": entry(2), "a": entry(1)}
    assert PriceTable(one, {}, {}).fingerprint == PriceTable(two, {}, {}).fingerprint
    assert len(PriceTable(one, {}, {}).fingerprint) < 32


def test_every_embedded_name_is_lower_case_and_every_entry_whole() -> None:
    for part in (embedded.OVERLAY, embedded.CURRENT, embedded.RETIRED):
        assert part
        for name, packed in part.items():
            assert name == name.lower()
            assert len(name) < NAME_LIMIT
            assert len(packed) == 10
            assert packed[3] == 2 * packed[0]
            assert (packed[5] is None) == (packed[6] is None)
            if packed[6] is not None:
                assert packed[6][3] == 2 * packed[6][0]
                assert all(high >= low for high, low in zip(packed[6], packed[:5], strict=True))


def test_prices_load_nothing_else(tmp_path: Path) -> None:
    code = """
before = set(sys.modules)
import ccusage_line.prices.table
print(*sorted(set(sys.modules) - before))
before = set(sys.modules)
from ccusage_line.prices.in_use import table
table = table()
print(table.find("claude-opus-5").input, table.fingerprint != "")
print(*sorted(set(sys.modules) - before))
"""
    first, answer, then = bare_python(code, {"CCUSAGE_STATE_DIR": str(tmp_path), "HOME": str(tmp_path)}).splitlines()
    assert set(first.split()) <= {"__future__", "ccusage_line", "ccusage_line.prices", "ccusage_line.prices.table"}
    assert answer == "5000000000 True"
    names = ("files", "paths", "prices.in_use", "prices.stored", "prices.embedded")
    assert {name for name in then.split() if name.startswith("ccusage_line")} == {f"ccusage_line.{n}" for n in names}


# --- how the table is made ---


tool = load_tool(ROOT / "tools" / "make_price_table.py")
PLAIN = {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05}


@pytest.mark.parametrize(
    ("fields", "position", "value"),
    [
        pytest.param({}, 2, 3_750_000_000, id="a-missing-5m-write-is-a-quarter-more-than-input"),
        pytest.param({"cache_creation_input_token_cost": 3.6e-06}, 2, 3_600_000_000, id="5m-write-as-listed"),
        pytest.param({"cache_creation_input_token_cost": 0.0}, 2, 0, id="a-5m-write-may-be-free"),
        pytest.param(
            {"cache_creation_input_token_cost_above_1hr": 6e-05}, 3, 6_000_000_000, id="1h-write-is-twice-input"
        ),
        pytest.param({}, 4, 300_000_000, id="a-missing-read-is-a-tenth-of-input"),
        pytest.param({"cache_read_input_token_cost": 7.5e-08}, 4, 75_000_000, id="read-as-listed"),
        pytest.param({"input_cost_per_token_cache_hit": 7e-08}, 4, 70_000_000, id="read-under-its-other-name"),
        pytest.param({}, 5, None, id="no-threshold"),
        pytest.param({"input_cost_per_token_above_100k_tokens_batches": 1}, 5, None, id="batch-prices-are-not-read"),
        pytest.param({"provider_specific_entry": {"fast": 2.0}}, 7, 2000, id="fast"),
        pytest.param({"provider_specific_entry": {"us": 1.1}}, 8, 1100, id="us"),
        pytest.param({"provider_specific_entry": None}, 8, 1000, id="no-factors"),
        pytest.param({"max_input_tokens": 123}, 9, 123, id="window"),
        pytest.param({"input_cost_per_token": 3.0000000000000004e-06}, 0, 3_000_000_000, id="float-noise-is-removed"),
        pytest.param({"input_cost_per_token": 2.99999e-06}, 0, 2_999_990_000, id="odd-prices-are-exact"),
    ],
)
def test_an_entry_of_a_price_list_is_converted(fields: dict[str, object], position: int, value: object) -> None:
    assert tool.pack("claude-x", {**PLAIN, **fields})[position] == value


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        pytest.param("200k", 200_000, id="200k"),
        pytest.param("131072", 131_072, id="no-k"),
    ],
)
def test_a_threshold_is_read_from_the_field_name(name: str, threshold: int) -> None:
    above = {
        f"input_cost_per_token_above_{name}_tokens": 6e-06,
        f"output_cost_per_token_above_{name}_tokens": 2.25e-05,
        f"cache_read_input_token_cost_above_{name}_tokens": 5e-07,
        f"cache_creation_input_token_cost_above_1hr_above_{name}_tokens": 1.0,
    }
    packed = tool.pack("claude-x", {**PLAIN, **above})
    assert packed[5] == threshold
    assert packed[6] == (6_000_000_000, 22_500_000_000, 7_500_000_000, 12_000_000_000, 500_000_000)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"input_cost_per_token": 1.23e-16}, "no whole number of units", id="finer-than-the-unit"),
        pytest.param({"input_cost_per_token": -3e-06}, "no whole number of units", id="negative"),
        pytest.param(
            {"input_cost_per_token_above_128k_tokens": 1, "input_cost_per_token_above_200k_tokens": 2},
            "more than one threshold",
            id="two-thresholds",
        ),
        pytest.param(
            {"input_cost_per_token_above_200k_tokens": 6e-06}, "no input or output price_above_200k", id="half-a-tier"
        ),
    ],
)
def test_an_entry_that_prices_cannot_express_exactly_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tool.pack("claude-x", {**PLAIN, **fields})


RETIRED_NAMES = sorted(set(tool.SAME_AS.values()) | set(tool.FAST))


def make(tmp_path: Path, current: dict[str, object], *options: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "current.json").write_text(json.dumps(current))
    (tmp_path / "retired.json").write_text(json.dumps(dict.fromkeys(RETIRED_NAMES, PLAIN)))
    files = ["--current", str(tmp_path / "current.json"), "--retired", str(tmp_path / "retired.json")]
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_price_table.py"), *files, *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_only_wanted_models_of_a_price_list_are_taken(tmp_path: Path) -> None:
    listed = {
        "sample_spec": {"input_cost_per_token": 0, "output_cost_per_token": 0, "litellm_provider": "one of them"},
        "gpt-5": {**PLAIN, "litellm_provider": "openai"},
        "claude-New-9": {**PLAIN, "litellm_provider": "anthropic"},
        "github_copilot/claude-new-9": {"litellm_provider": "github_copilot"},
        "zai/glm-9": {**PLAIN, "litellm_provider": "zai"},
        "somehost/glm-9": {**PLAIN, "litellm_provider": "somehost"},
        "moonshot/other": {**PLAIN, "litellm_provider": "moonshot"},
    }
    done = make(tmp_path, listed)
    assert (done.returncode, done.stderr) == (0, "")
    made: dict[str, object] = {}
    exec(compile(done.stdout, "embedded.py", "exec"), made)
    assert list(made["CURRENT"]) == ["claude-new-9", "zai/glm-9"]  # type: ignore[call-overload]
    assert "MIT License\n\nCopyright (c) 2023 Berri AI\n" in str(made["__doc__"])
    assert make(tmp_path, dict(reversed(listed.items()))).stdout == done.stdout


def test_a_table_made_from_other_prices_is_not_the_committed_one(tmp_path: Path) -> None:
    done = make(tmp_path, {"claude-new-9": PLAIN}, "--check")
    assert (done.returncode, done.stdout) == (1, "")
    assert "embedded.py is not what these files give" in done.stderr
