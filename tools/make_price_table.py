"""Make ccusage_line/prices/embedded.py from LiteLLM's price files (A11).

    python tools/make_price_table.py --current FILE... --retired FILE [--check]

The files are in the format of LiteLLM's `model_prices_and_context_window.json`, whole or an extract; only the models
wanted here are taken. `--current` may be given several times (`--other` is a second name for it, for an extract with
the models of other makers). The table goes to standard output; `--check` compares it with the committed one instead
and exits 1 if they differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ccusage_line.prices.table import ONE, UNIT, part_id  # noqa: E402  # the path above makes the tool run from anywhere

if TYPE_CHECKING:
    from ccusage_line.prices.stored import Packed, Rates

TARGET = ROOT / "ccusage_line" / "prices" / "embedded.py"

Entry = Mapping[str, Any]
Part = dict[str, "Packed"]

# What LiteLLM's files lack or have wrong. ------------------------------------------------------------------------

# Whole entries, in dollars per million tokens.
ADDED: dict[str, dict[str, Any]] = {
    # From the client's own price list (2.1.330) and genai-prices 0.2.3; missing in LiteLLM 1.109.1. It is the client's
    # rule for every model that inference_geo multiplies by 1.1; LiteLLM's entries of fable 5 and 5.1 have it too.
    "claude-fable-5-2": {"input": 8, "output": 40, "read": "0.2", "fast": 2, "us": "1.1", "window": 1_000_000},
    "claude-mythos-5-2": {"input": 8, "output": 40, "read": "0.2", "fast": 2, "us": "1.1", "window": 1_000_000},
}

# Names that cost what another entry costs.
SAME_AS = {
    # Undated names that the client knows; LiteLLM has only their dated forms.
    "claude-opus-4-0": "claude-opus-4-20250514",
    "claude-sonnet-4-0": "claude-sonnet-4-20250514",
    "claude-3-5-haiku": "claude-3-5-haiku-20241022",
    "claude-3-5-sonnet": "claude-3-5-sonnet-20241022",
    "claude-3-7-sonnet": "claude-3-7-sonnet-20250219",
    # Vertex AI's name of the second 3.5 sonnet; LiteLLM has it only behind "vertex_ai/", and without cache prices.
    "claude-3-5-sonnet-v2": "claude-3-5-sonnet-20241022",
    # LiteLLM still has an older price (1 / 5); genai-prices has that of the dated name, and so has the client.
    "claude-3-5-haiku-latest": "claude-3-5-haiku-20241022",
}

# Factors of `speed: fast` that LiteLLM removed after 1.97; the client (2.1.330) still bills 30 / 150 instead of 5 / 25.
FAST = {"claude-opus-4-6": 6, "claude-opus-4-6-20260205": 6, "claude-opus-4-7": 6, "claude-opus-4-7-20260416": 6}

# The client's windows, if they differ from LiteLLM's (which has those of "[1m]" for opus 4.6 and for sonnet 4 and 4.6):
# 200,000 from version 4 to 4.6, a million from 4.7 on. Older versions have LiteLLM's.
LONG_WINDOW_SINCE = (4, 7)
SHORT_WINDOW, LONG_WINDOW = 200_000, 1_000_000

# -----------------------------------------------------------------------------------------------------------------

OTHER_PROVIDERS = {"dashscope", "deepseek", "minimax", "moonshot", "zai"}
OTHER_FAMILIES = ("deepseek-", "glm-", "kimi-", "minimax-", "qwen3")

TIER = re.compile(r"input_cost_per_token(?P<ending>_above_(?P<number>\d+)(?P<k>k?)_tokens)")
VERSION = re.compile(
    r"claude-(?:opus|sonnet|haiku|fable|mythos)-(?P<major>\d)(?:[-.](?P<minor>\d))?(?!\d)"
    r"|claude-(?P<major2>\d)(?:[-.](?P<minor2>\d))?-(?:opus|sonnet|haiku)"
)

HEADER = '''\
"""Embedded prices. Made by tools/make_price_table.py: change that, not this.

{source}, per token in the unit of `table.Price`:
input, output, 5 minute write, 1 hour write, read, threshold, the same five above it, fast and us factor, window;
then the models that cost it.

The prices are taken from LiteLLM's model_prices_and_context_window.json, which is under this licence:

MIT License

Copyright (c) 2023 Berri AI

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
# ruff: noqa: E501
# fmt: off
# One line per price, however long: a change of price is one changed line.

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ccusage_line.prices.stored import Packed


def _by_name(prices: tuple[tuple[Packed, str], ...]) -> dict[str, Packed]:
    return {{name: price for price, names in prices for name in names.split()}}


'''


def amount(value: object) -> Decimal:
    """Return a price as it was meant, because the files hold products of floats such as 2.9999900000000002e-06."""
    return Decimal(f"{Decimal(str(value)):.12g}")


def units(dollars: Decimal) -> int:
    """Return whole price units; raise ValueError instead of rounding a price."""
    exact = dollars * UNIT
    if exact != int(exact) or exact < 0:
        raise ValueError(f"{dollars} dollars per token is no whole number of units")
    return int(exact)


def rates(input: Decimal, output: Decimal, write: Decimal | None, read: Decimal | None) -> Rates:
    """Return five prices, of which the last three may have to be derived.

    The 1 hour write is always twice the input, because the files' own field is wrong or missing for many models. A
    missing 5 minute write is 1.25 times the input, a missing read a tenth, as for the Claude models that lack them.
    """
    write = input * Decimal("1.25") if write is None else write
    read = input / 10 if read is None else read
    return units(input), units(output), units(write), units(input * 2), units(read)


def tier(entry: Entry) -> tuple[int | None, str]:
    """Return the threshold in the field names and their ending: (200000, "_above_200k_tokens"), or (None, "")."""
    found = [match for match in map(TIER.fullmatch, entry) if match]
    if len(found) > 1:
        raise ValueError(f"more than one threshold: {sorted(match[0] for match in found)}")
    if not found:
        return None, ""
    return int(found[0]["number"]) * (1000 if found[0]["k"] else 1), found[0]["ending"]


def entry_rates(entry: Entry, ending: str = "") -> Rates:
    def field(*names: str) -> Decimal | None:
        return next((amount(entry[name + ending]) for name in names if entry.get(name + ending) is not None), None)

    input, output = field("input_cost_per_token"), field("output_cost_per_token")
    if input is None or output is None:
        raise ValueError(f"no input or output price{ending}")
    read = field("cache_read_input_token_cost", "input_cost_per_token_cache_hit")
    return rates(input, output, field("cache_creation_input_token_cost"), read)


def factor(entry: Entry, name: str) -> int:
    value = (entry.get("provider_specific_entry") or {}).get(name)
    return ONE if value is None else int(amount(value) * ONE)


def client_window(name: str) -> int | None:
    match = VERSION.search(name)
    if not match:
        return None
    version = (int(match["major"] or match["major2"]), int(match["minor"] or match["minor2"] or 0))
    if version < (4, 0):
        return None
    return SHORT_WINDOW if version < LONG_WINDOW_SINCE else LONG_WINDOW


def pack(name: str, entry: Entry) -> Packed:
    threshold, ending = tier(entry)
    return (
        *entry_rates(entry),
        threshold,
        entry_rates(entry, ending) if ending else None,
        factor(entry, "fast"),
        factor(entry, "us"),
        client_window(name) or entry.get("max_input_tokens"),
    )


def wanted(name: str, entry: Entry) -> bool:
    """Return whether a model is wanted: Claude from any provider, and others that people run behind Claude Code.

    Of those others, only the entries of the maker itself are wanted. Entries without a price per token, or with one of
    0 (subscriptions, hours of provisioned throughput), are left out, because their names are looked up by the model
    behind them.
    """
    if not entry.get("input_cost_per_token") or entry.get("output_cost_per_token") is None:
        return False
    if "claude" in name:
        return True
    return entry.get("litellm_provider") in OTHER_PROVIDERS and name.rpartition("/")[2].startswith(OTHER_FAMILIES)


def read_part(paths: Iterable[Path]) -> Part:
    part: Part = {}
    for path in paths:
        for name, entry in json.loads(path.read_text("utf-8")).items():
            if wanted(name.lower(), entry):
                part[name.lower()] = pack(name.lower(), entry)
    return part


def overlay(current: Part, retired: Part) -> Part:
    listed = {**retired, **current}
    part: Part = {}
    for name, given in ADDED.items():
        per_token = {key: Decimal(given[key]) / 1_000_000 for key in ("input", "output", "read")}
        five = rates(per_token["input"], per_token["output"], None, per_token["read"])
        factors = (int(Decimal(given[key]) * ONE) for key in ("fast", "us"))
        part[name] = (*five, None, None, *factors, given["window"])
    for name, other in SAME_AS.items():
        part[name] = listed[other]
    for name, fast in FAST.items():
        part[name] = (*listed[name][:7], fast * ONE, *listed[name][8:])
    return part


def render(current: Part, retired: Part, source: str) -> str:
    lines = [HEADER.format(source=source) + f"SOURCE = {source!r}".replace("'", '"')]
    for title, part in (("OVERLAY", overlay(current, retired)), ("CURRENT", current), ("RETIRED", retired)):
        names: dict[Packed, list[str]] = {}
        for name in sorted(part):
            names.setdefault(part[name], []).append(name)
        lines += ["", f'{title}_ID = "{part_id(part)}"', f"{title} = _by_name(("]
        lines += [f'    ({price}, "{" ".join(same)}"),' for price, same in names.items()]
        lines.append("))")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="make ccusage_line/prices/embedded.py from LiteLLM's price files")
    parser.add_argument("--current", "--other", type=Path, action="append", required=True, metavar="FILE")
    parser.add_argument("--retired", type=Path, action="append", required=True, metavar="FILE")
    parser.add_argument("--source", default="LiteLLM 1.109.1", help="what the current prices are, in words")
    parser.add_argument("--check", action="store_true", help="compare with the committed table; exit 1 if it differs")
    args = parser.parse_args(argv)
    text = render(read_part(args.current), read_part(args.retired), args.source)
    if not args.check:
        sys.stdout.write(text)
        return 0
    if TARGET.read_text("utf-8") == text:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is not what these files give: make it again", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
