"""Prices compared with the client's own ledger and with the price lists from which they were made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ccusage_line.prices import embedded
from ccusage_line.prices.in_use import table
from ccusage_line.prices.table import PICO, UNIT, Price, cost
from conftest import ROOT, SHARED

LEDGERS = sorted((SHARED / "corpus").glob("client*/*/expected.json"))
PRICING = SHARED / "pricing"
CLIENT_PRICES = SHARED / "harness" / "client_prices.json"
FIELDS = {
    "input": "input",
    "output": "output",
    "cache_write_5m": "write_5m",
    "cache_write_1h": "write_1h",
    "cache_read": "read",
}

needs_pricing = pytest.mark.skipif(not PRICING.is_dir(), reason=f"no price lists in {PRICING}")
needs_client = pytest.mark.skipif(not CLIENT_PRICES.is_file(), reason=f"no {CLIENT_PRICES}")


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def billed_cost(price: Price, billed: dict[str, Any]) -> int:
    hour = billed["cache_1h"]
    return cost(
        price,
        billed["input"],
        billed["output"],
        max(billed["cache_write"], billed["cache_5m"] + hour) - hour,
        hour,
        billed["cache_read"],
        billed["web_search"],
        fast=billed["speed"] == "fast",
        us=billed["geo"] == "us",
    )


@pytest.mark.skipif(not LEDGERS, reason=f"no client corpus in {SHARED}")
@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}")
def test_every_billed_request_costs_what_the_client_says(ledger: Path) -> None:
    requests = [request for request in load(ledger)["requests"] if request["billed"]]
    assert requests
    for request in requests:
        price = table().find(request["model"])
        if request["cost_usd"] is None:  # the client does not know the model either
            assert price is None
        else:
            assert price is not None
            assert billed_cost(price, request["billed"]) / PICO == pytest.approx(request["cost_usd"], abs=1e-9, rel=0)


@needs_client
def test_every_model_of_the_client_has_its_prices_and_window() -> None:
    models = load(CLIENT_PRICES)["models"]
    assert len(models) > 30
    for name, listed in models.items():
        price = table().find(name)
        assert price is not None, name
        for field, ours in FIELDS.items():
            assert getattr(price, ours) / UNIT * 1e6 == pytest.approx(listed[field], rel=1e-12), (name, field)
        assert price.web_search / PICO == listed["web_search"]
        fast = listed.get("fast", listed)
        for field, ours in FIELDS.items():
            assert getattr(price, ours) * price.fast / 1000 / UNIT * 1e6 == pytest.approx(fast[field], rel=1e-12), name
        if "long_prompt" in listed:
            assert price.threshold == listed["long_prompt"]["above_prompt_tokens"]
            assert price.above is not None
            for rate, field in zip(price.above, FIELDS, strict=True):
                assert rate / UNIT * 1e6 == pytest.approx(listed["long_prompt"][field], rel=1e-12), (name, field)
        if listed["window"] is not None:
            assert price.window == listed["window"], name


@needs_client
def test_every_correction_of_the_list_is_what_the_client_has_too() -> None:
    """A few names of models are listed by the client under another name."""
    models = load(CLIENT_PRICES)["models"]
    other_names = {
        "claude-3-5-haiku-latest": "claude-3-5-haiku",
        "claude-3-5-sonnet-v2": "claude-3-5-sonnet",
        "claude-opus-4-6-20260205": "claude-opus-4-6",
        "claude-opus-4-7-20260416": "claude-opus-4-7",
    }
    assert embedded.OVERLAY.keys() - models.keys() == other_names.keys()
    for name, entry in embedded.OVERLAY.items():
        listed = models[other_names.get(name, name)]
        for rate, field in zip(entry[:5], FIELDS, strict=True):
            assert rate / UNIT * 1e6 == pytest.approx(listed[field], rel=1e-12), (name, field)
        factor = listed["fast"]["input"] / listed["input"] if "fast" in listed else 1
        assert entry[7] / 1000 == factor, name


@needs_pricing
@pytest.mark.parametrize("file", ["litellm-claude.json", "litellm-claude-retired.json", "litellm-other-models.json"])
def test_every_priced_entry_of_the_lists_is_found_by_its_name(file: str) -> None:
    checked = 0
    for name, listed in load(PRICING / file).items():
        if "input_cost_per_token" not in listed or name in embedded.OVERLAY:
            continue
        price = table().find(name)
        assert price is not None, name
        for field, ours in (
            ("input_cost_per_token", price.input),
            ("output_cost_per_token", price.output),
            ("cache_creation_input_token_cost", price.write_5m),
            ("cache_read_input_token_cost", price.read),
        ):
            if field in listed:
                assert ours / UNIT == pytest.approx(listed[field], rel=1e-12, abs=0), (name, field)
        assert price.write_1h == 2 * price.input
        checked += 1
    assert checked > 50


@needs_pricing
def test_the_committed_table_is_what_the_lists_give() -> None:
    command = [sys.executable, str(ROOT / "tools" / "make_price_table.py"), "--check"]
    command += ["--current", str(PRICING / "litellm-claude.json")]
    command += ["--other", str(PRICING / "litellm-other-models.json")]
    command += ["--retired", str(PRICING / "litellm-claude-retired.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
