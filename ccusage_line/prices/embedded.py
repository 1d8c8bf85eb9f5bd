"""Embedded prices. Made by tools/make_price_table.py: change that, not this.

LiteLLM 1.109.1, per token in the unit of `table.Price`:
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
    return {name: price for price, names in prices for name in names.split()}


SOURCE = "LiteLLM 1.109.1"

OVERLAY_ID = "1e4861f9"
OVERLAY = _by_name((
    ((800000000, 4000000000, 1000000000, 1600000000, 80000000, None, None, 1000, 1000, 200000), "claude-3-5-haiku claude-3-5-haiku-latest"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, None, None, 1000, 1000, 200000), "claude-3-5-sonnet claude-3-5-sonnet-v2 claude-3-7-sonnet"),
    ((8000000000, 40000000000, 10000000000, 16000000000, 200000000, None, None, 2000, 1100, 1000000), "claude-fable-5-2 claude-mythos-5-2"),
    ((15000000000, 75000000000, 18750000000, 30000000000, 1500000000, None, None, 1000, 1000, 200000), "claude-opus-4-0"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 6000, 1100, 200000), "claude-opus-4-6 claude-opus-4-6-20260205"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 6000, 1100, 1000000), "claude-opus-4-7 claude-opus-4-7-20260416"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, 200000, (6000000000, 22500000000, 7500000000, 12000000000, 600000000), 1000, 1000, 200000), "claude-sonnet-4-0"),
))

CURRENT_ID = "d9c49e68"
CURRENT = _by_name((
    ((11000000000, 55000000000, 13750000000, 22000000000, 1100000000, None, None, 1000, 1000, 1000000), "aihubmix/claude-fable-5 apac.anthropic.claude-fable-5 au.anthropic.claude-fable-5 eu.anthropic.claude-fable-5 us.anthropic.claude-fable-5 us.anthropic.claude-mythos-5"),
    ((1100000000, 5500000000, 1375000000, 2200000000, 110000000, None, None, 1000, 1000, 200000), "aihubmix/claude-haiku-4-5 apac.anthropic.claude-haiku-4-5-20251001-v1:0 au.anthropic.claude-haiku-4-5-20251001-v1:0 eu.anthropic.claude-haiku-4-5-20251001-v1:0 jp.anthropic.claude-haiku-4-5-20251001-v1:0 us.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 1000, 1000, 1000000), "aihubmix/claude-opus-4-8-think aihubmix/claude-opus-5 anthropic.claude-opus-4-7 anthropic.claude-opus-4-8 anthropic.claude-opus-5 azure_ai/claude-opus-4-7 azure_ai/claude-opus-4-8 azure_ai/claude-opus-5 deepinfra/anthropic/claude-opus-4-7 deepinfra/anthropic/claude-opus-4-8 deepinfra/anthropic/claude-opus-5 github_copilot/claude-opus-4.8 github_copilot/claude-opus-5 global.anthropic.claude-opus-4-7 global.anthropic.claude-opus-4-8 global.anthropic.claude-opus-5 perplexity/anthropic/claude-opus-4-7 perplexity/anthropic/claude-opus-4-8 perplexity/anthropic/claude-opus-5 vertex_ai/claude-opus-4-7 vertex_ai/claude-opus-4-7@default vertex_ai/claude-opus-4-8 vertex_ai/claude-opus-4-8@default vertex_ai/claude-opus-5 vertex_ai/claude-opus-5@default"),
    ((2000000000, 10000000000, 2500000000, 4000000000, 200000000, None, None, 1000, 1000, 1000000), "aihubmix/claude-sonnet-5 anthropic.claude-sonnet-5 azure_ai/claude-sonnet-5 deepinfra/anthropic/claude-sonnet-5 github_copilot/claude-sonnet-5 global.anthropic.claude-sonnet-5 perplexity/anthropic/claude-sonnet-5 perplexity/anthropic/claude-sonnet-5-5 vertex_ai/claude-sonnet-5 vertex_ai/claude-sonnet-5@default"),
    ((800000000, 4000000000, 1000000000, 1600000000, 80000000, None, None, 1000, 1000, 200000), "anthropic.claude-3-5-haiku-20241022-v1:0 bedrock/us.anthropic.claude-3-5-haiku-20241022-v1:0 eu.anthropic.claude-3-5-haiku-20241022-v1:0 gradient_ai/anthropic-claude-3.5-haiku us.anthropic.claude-3-5-haiku-20241022-v1:0 vercel_ai_gateway/anthropic/claude-3.5-haiku"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, None, None, 1000, 1000, 200000), "anthropic.claude-3-5-sonnet-20240620-v1:0 anthropic.claude-3-5-sonnet-20241022-v2:0 anthropic.claude-3-7-sonnet-20250219-v1:0 anthropic.claude-sonnet-4-6 azure_ai/claude-sonnet-4-5 azure_ai/claude-sonnet-4-6 bedrock/claude_platform/claude-sonnet-4-5 bedrock/invoke/anthropic.claude-3-5-sonnet-20240620-v1:0 claude-sonnet-4-5 claude-sonnet-4-5-20250929 deepinfra/anthropic/claude-sonnet-4-6 eu.anthropic.claude-3-5-sonnet-20240620-v1:0 eu.anthropic.claude-3-5-sonnet-20241022-v2:0 eu.anthropic.claude-3-7-sonnet-20250219-v1:0 github_copilot/claude-sonnet-4.6 global.anthropic.claude-sonnet-4-6 gmi/anthropic/claude-sonnet-4 gmi/anthropic/claude-sonnet-4.5 gradient_ai/anthropic-claude-3.5-sonnet gradient_ai/anthropic-claude-3.7-sonnet perplexity/anthropic/claude-sonnet-4-5 perplexity/anthropic/claude-sonnet-4-6 replicate/anthropic/claude-4-sonnet replicate/anthropic/claude-4.5-sonnet snowflake/claude-3-5-sonnet snowflake/claude-3-7-sonnet snowflake/claude-4-sonnet snowflake/claude-sonnet-4-5 snowflake/claude-sonnet-4-6 us.anthropic.claude-3-5-sonnet-20240620-v1:0 us.anthropic.claude-3-5-sonnet-20241022-v2:0 us.anthropic.claude-3-7-sonnet-20250219-v1:0 vercel_ai_gateway/anthropic/claude-3-5-sonnet vercel_ai_gateway/anthropic/claude-3-5-sonnet-20241022 vercel_ai_gateway/anthropic/claude-3-7-sonnet vercel_ai_gateway/anthropic/claude-3.5-sonnet vercel_ai_gateway/anthropic/claude-3.7-sonnet vercel_ai_gateway/anthropic/claude-4-sonnet vercel_ai_gateway/anthropic/claude-sonnet-4 vercel_ai_gateway/anthropic/claude-sonnet-4.5 vertex_ai/claude-3-5-sonnet vertex_ai/claude-3-5-sonnet@20240620 vertex_ai/claude-3-sonnet vertex_ai/claude-3-sonnet@20240229 vertex_ai/claude-sonnet-4-6 vertex_ai/claude-sonnet-4-6@default"),
    ((3600000000, 18000000000, 4500000000, 7200000000, 360000000, None, None, 1000, 1000, 200000), "anthropic.claude-3-7-sonnet-20240620-v1:0 bedrock/us-gov-east-1/anthropic.claude-sonnet-4-5-20250929-v1:0 bedrock/us-gov-east-1/claude-sonnet-4-5-20250929-v1:0 bedrock/us-gov-west-1/anthropic.claude-sonnet-4-5-20250929-v1:0 bedrock/us-gov-west-1/claude-sonnet-4-5-20250929-v1:0"),
    ((15000000000, 75000000000, 18750000000, 30000000000, 1500000000, None, None, 1000, 1000, 200000), "anthropic.claude-3-opus-20240229-v1:0 anthropic.claude-opus-4-1-20250805-v1:0 anthropic.claude-opus-4-20250514-v1:0 eu.anthropic.claude-3-opus-20240229-v1:0 eu.anthropic.claude-opus-4-1-20250805-v1:0 eu.anthropic.claude-opus-4-20250514-v1:0 gmi/anthropic/claude-opus-4 gradient_ai/anthropic-claude-3-opus us.anthropic.claude-3-opus-20240229-v1:0 us.anthropic.claude-opus-4-1-20250805-v1:0 us.anthropic.claude-opus-4-20250514-v1:0 vercel_ai_gateway/anthropic/claude-3-opus vercel_ai_gateway/anthropic/claude-4-opus vercel_ai_gateway/anthropic/claude-opus-4 vercel_ai_gateway/anthropic/claude-opus-4.1 vertex_ai/claude-3-opus vertex_ai/claude-3-opus@20240229"),
    ((10000000000, 50000000000, 12500000000, 20000000000, 1000000000, None, None, 1000, 1000, 1000000), "anthropic.claude-fable-5 azure_ai/claude-fable-5 deepinfra/anthropic/claude-fable-5 github_copilot/claude-fable-5 github_copilot/claude-opus-4.8-fast global.anthropic.claude-fable-5 perplexity/anthropic/claude-fable-5 vertex_ai/claude-fable-5 vertex_ai/claude-fable-5@default"),
    ((10000000000, 50000000000, 12500000000, 20000000000, 250000000, None, None, 1000, 1000, 1000000), "anthropic.claude-fable-5-1 anthropic.claude-mythos-5-1 azure_ai/claude-fable-5-1 github_copilot/claude-fable-5.1 global.anthropic.claude-fable-5-1 global.anthropic.claude-mythos-5-1 perplexity/anthropic/claude-fable-5-1 vertex_ai/claude-fable-5-1 vertex_ai/claude-fable-5-1@default"),
    ((1000000000, 5000000000, 1250000000, 2000000000, 100000000, None, None, 1000, 1000, 200000), "anthropic.claude-haiku-4-5-20251001-v1:0 anthropic.claude-haiku-4-5@20251001 azure_ai/claude-haiku-4-5 bedrock/claude_platform/claude-haiku-4-5 bedrock_mantle/anthropic.claude-haiku-4-5 claude-haiku-4-5 claude-haiku-4-5-20251001 deepinfra/anthropic/claude-haiku-4-5 github_copilot/claude-haiku-4.5 global.anthropic.claude-haiku-4-5-20251001-v1:0 perplexity/anthropic/claude-haiku-4-5 replicate/anthropic/claude-4.5-haiku snowflake/claude-haiku-4-5 vercel_ai_gateway/anthropic/claude-haiku-4.5 vertex_ai/claude-3-5-haiku vertex_ai/claude-3-5-haiku@20241022 vertex_ai/claude-haiku-4-5 vertex_ai/claude-haiku-4-5@20251001"),
    ((100000000, 500000000, 125000000, 200000000, 10000000, 100000, (500000000, 2500000000, 625000000, 1000000000, 50000000), 1000, 1000, 1000000), "anthropic.claude-haiku-5-5 azure_ai/claude-haiku-5-5 github_copilot/claude-haiku-5.5 global.anthropic.claude-haiku-5-5 vertex_ai/claude-haiku-5-5 vertex_ai/claude-haiku-5-5@default"),
    ((800000000, 2400000000, 1000000000, 1600000000, 80000000, None, None, 1000, 1000, 100000), "anthropic.claude-instant-v1 bedrock/us-east-1/anthropic.claude-instant-v1 bedrock/us-west-2/anthropic.claude-instant-v1"),
    ((27500000000, 137500000000, 34375000000, 55000000000, 2750000000, None, None, 1000, 1000, 1000000), "anthropic.claude-mythos-preview apac.anthropic.claude-mythos-preview au.anthropic.claude-mythos-preview us.anthropic.claude-mythos-preview"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 1000, 1000, 200000), "anthropic.claude-opus-4-5-20251101-v1:0 anthropic.claude-opus-4-6-v1 azure_ai/claude-opus-4-5 azure_ai/claude-opus-4-6 bedrock/claude_platform/claude-opus-4-5 claude-opus-4-5 claude-opus-4-5-20251101 global.anthropic.claude-opus-4-5-20251101-v1:0 global.anthropic.claude-opus-4-6-v1 gmi/anthropic/claude-opus-4.5 perplexity/anthropic/claude-opus-4-5 perplexity/anthropic/claude-opus-4-6 snowflake/claude-4-opus vercel_ai_gateway/anthropic/claude-opus-4.5 vercel_ai_gateway/anthropic/claude-opus-4.6 vertex_ai/claude-opus-4-5 vertex_ai/claude-opus-4-5@20251101 vertex_ai/claude-opus-4-6 vertex_ai/claude-opus-4-6@default"),
    ((4000000000, 20000000000, 5000000000, 8000000000, 200000000, None, None, 1000, 1000, 1000000), "anthropic.claude-opus-5-5 azure_ai/claude-opus-5-5 github_copilot/claude-opus-5.5 global.anthropic.claude-opus-5-5 perplexity/anthropic/claude-opus-5-5 vertex_ai/claude-opus-5-5 vertex_ai/claude-opus-5-5@default"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, 200000, (6000000000, 22500000000, 7500000000, 12000000000, 600000000), 1000, 1000, 200000), "anthropic.claude-sonnet-4-20250514-v1:0 anthropic.claude-sonnet-4-5-20250929-v1:0 apac.anthropic.claude-sonnet-4-20250514-v1:0 claude-sonnet-4-5-20250929-v1:0 eu.anthropic.claude-sonnet-4-20250514-v1:0 global.anthropic.claude-sonnet-4-20250514-v1:0 global.anthropic.claude-sonnet-4-5-20250929-v1:0 us.anthropic.claude-sonnet-4-20250514-v1:0 vertex_ai/claude-sonnet-4-5 vertex_ai/claude-sonnet-4-5@20250929"),
    ((2000000000, 10000000000, 2500000000, 4000000000, 100000000, None, None, 1000, 1000, 1000000), "anthropic.claude-sonnet-5-5 azure_ai/claude-sonnet-5-5 github_copilot/claude-sonnet-5.5 global.anthropic.claude-sonnet-5-5 vertex_ai/claude-sonnet-5-5 vertex_ai/claude-sonnet-5-5@default"),
    ((8000000000, 24000000000, 10000000000, 16000000000, 800000000, None, None, 1000, 1000, 100000), "anthropic.claude-v1 anthropic.claude-v2:1 bedrock/ap-northeast-1/anthropic.claude-v1 bedrock/ap-northeast-1/anthropic.claude-v2:1 bedrock/eu-central-1/anthropic.claude-v1 bedrock/eu-central-1/anthropic.claude-v2:1 bedrock/us-east-1/anthropic.claude-v1 bedrock/us-east-1/anthropic.claude-v2:1 bedrock/us-west-2/anthropic.claude-v1 bedrock/us-west-2/anthropic.claude-v2:1"),
    ((110000000, 550000000, 137500000, 220000000, 11000000, 100000, (550000000, 2750000000, 687500000, 1100000000, 55000000), 1000, 1000, 1000000), "apac.anthropic.claude-haiku-5-5 au.anthropic.claude-haiku-5-5 bedrock_mantle/anthropic.claude-haiku-5-5 eu.anthropic.claude-haiku-5-5 jp.anthropic.claude-haiku-5-5 us.anthropic.claude-haiku-5-5"),
    ((5500000000, 27500000000, 6875000000, 11000000000, 550000000, None, None, 1000, 1000, 1000000), "apac.anthropic.claude-opus-4-7 apac.anthropic.claude-opus-4-8 apac.anthropic.claude-opus-5 au.anthropic.claude-opus-4-7 au.anthropic.claude-opus-4-8 au.anthropic.claude-opus-5 eu.anthropic.claude-opus-4-7 eu.anthropic.claude-opus-4-8 eu.anthropic.claude-opus-5 jp.anthropic.claude-opus-4-7 jp.anthropic.claude-opus-4-8 jp.anthropic.claude-opus-5 us.anthropic.claude-opus-4-7 us.anthropic.claude-opus-4-8 us.anthropic.claude-opus-5"),
    ((4400000000, 22000000000, 5500000000, 8800000000, 220000000, None, None, 1000, 1000, 1000000), "apac.anthropic.claude-opus-5-5 au.anthropic.claude-opus-5-5 bedrock_mantle/anthropic.claude-opus-5-5 eu.anthropic.claude-opus-5-5 jp.anthropic.claude-opus-5-5 us.anthropic.claude-opus-5-5"),
    ((3300000000, 16500000000, 4125000000, 6600000000, 330000000, None, None, 1000, 1000, 200000), "apac.anthropic.claude-sonnet-4-6 au.anthropic.claude-sonnet-4-6 deepinfra/anthropic/claude-3-7-sonnet-latest deepinfra/anthropic/claude-4-sonnet eu.anthropic.claude-sonnet-4-6 jp.anthropic.claude-sonnet-4-6 us.anthropic.claude-sonnet-4-6"),
    ((2200000000, 11000000000, 2750000000, 4400000000, 220000000, None, None, 1000, 1000, 1000000), "apac.anthropic.claude-sonnet-5 au.anthropic.claude-sonnet-5 eu.anthropic.claude-sonnet-5 jp.anthropic.claude-sonnet-5 us.anthropic.claude-sonnet-5"),
    ((2200000000, 11000000000, 2750000000, 4400000000, 110000000, None, None, 1000, 1000, 1000000), "apac.anthropic.claude-sonnet-5-5 au.anthropic.claude-sonnet-5-5 bedrock_mantle/anthropic.claude-sonnet-5-5 eu.anthropic.claude-sonnet-5-5 jp.anthropic.claude-sonnet-5-5 us.anthropic.claude-sonnet-5-5"),
    ((5500000000, 27500000000, 6875000000, 11000000000, 550000000, None, None, 1000, 1000, 200000), "au.anthropic.claude-opus-4-6-v1 eu.anthropic.claude-opus-4-5-20251101-v1:0 eu.anthropic.claude-opus-4-6-v1 us.anthropic.claude-opus-4-5-20251101-v1:0 us.anthropic.claude-opus-4-6-v1"),
    ((3300000000, 16500000000, 4125000000, 6600000000, 330000000, 200000, (6600000000, 24750000000, 8250000000, 13200000000, 660000000), 1000, 1000, 200000), "au.anthropic.claude-sonnet-4-5-20250929-v1:0 eu.anthropic.claude-sonnet-4-5-20250929-v1:0 jp.anthropic.claude-sonnet-4-5-20250929-v1:0 us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ((8000000000, 40000000000, 10000000000, 16000000000, 400000000, None, None, 1000, 1000, 1000000), "azure_ai/claude-opus-5-5-fast"),
    ((2230000000, 7550000000, 2787500000, 4460000000, 223000000, None, None, 1000, 1000, 100000), "bedrock/ap-northeast-1/anthropic.claude-instant-v1"),
    ((10000000000, 50000000000, 12500000000, 20000000000, 1000000000, None, None, 1000, 1100, 1000000), "bedrock/claude_platform/claude-fable-5 claude-fable-5 claude-mythos-5 claude-mythos-preview"),
    ((10000000000, 50000000000, 12500000000, 20000000000, 250000000, None, None, 1000, 1100, 1000000), "bedrock/claude_platform/claude-fable-5-1 claude-fable-5-1 claude-mythos-5-1"),
    ((100000000, 500000000, 125000000, 200000000, 10000000, 100000, (500000000, 2500000000, 625000000, 1000000000, 50000000), 1000, 1100, 1000000), "bedrock/claude_platform/claude-haiku-5-5 claude-haiku-5-5"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 1000, 1100, 200000), "bedrock/claude_platform/claude-opus-4-6 claude-opus-4-6 claude-opus-4-6-20260205"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 1000, 1100, 1000000), "bedrock/claude_platform/claude-opus-4-7 bedrock/claude_platform/claude-opus-4-8 bedrock/claude_platform/claude-opus-5 claude-opus-4-7 claude-opus-4-7-20260416"),
    ((4000000000, 20000000000, 5000000000, 8000000000, 200000000, None, None, 1000, 1100, 1000000), "bedrock/claude_platform/claude-opus-5-5"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, None, None, 1000, 1100, 200000), "bedrock/claude_platform/claude-sonnet-4-6 claude-sonnet-4-6"),
    ((2000000000, 10000000000, 2500000000, 4000000000, 200000000, None, None, 1000, 1100, 1000000), "bedrock/claude_platform/claude-sonnet-5 claude-sonnet-5"),
    ((2000000000, 10000000000, 2500000000, 4000000000, 100000000, None, None, 1000, 1100, 1000000), "bedrock/claude_platform/claude-sonnet-5-5 claude-sonnet-5-5"),
    ((2480000000, 8380000000, 3100000000, 4960000000, 248000000, None, None, 1000, 1000, 100000), "bedrock/eu-central-1/anthropic.claude-instant-v1"),
    ((12000000000, 60000000000, 15000000000, 24000000000, 300000000, None, None, 1000, 1000, 1000000), "bedrock/us-gov-east-1/anthropic.claude-fable-5-1 bedrock/us-gov-west-1/anthropic.claude-fable-5-1 us-gov.anthropic.claude-fable-5-1"),
    ((1200000000, 6000000000, 1500000000, 2400000000, 120000000, None, None, 1000, 1000, 200000), "bedrock/us-gov-east-1/anthropic.claude-haiku-4-5-20251001-v1:0 bedrock/us-gov-west-1/anthropic.claude-haiku-4-5-20251001-v1:0"),
    ((120000000, 600000000, 150000000, 240000000, 12000000, 100000, (600000000, 3000000000, 750000000, 1200000000, 60000000), 1000, 1000, 1000000), "bedrock/us-gov-east-1/anthropic.claude-haiku-5-5 bedrock/us-gov-west-1/anthropic.claude-haiku-5-5 bedrock_mantle/us-gov-west-1/anthropic.claude-haiku-5-5 us-gov.anthropic.claude-haiku-5-5"),
    ((6000000000, 30000000000, 7500000000, 12000000000, 600000000, None, None, 1000, 1000, 1000000), "bedrock/us-gov-east-1/anthropic.claude-opus-4-8 bedrock/us-gov-east-1/anthropic.claude-opus-5 bedrock/us-gov-west-1/anthropic.claude-opus-4-8 bedrock/us-gov-west-1/anthropic.claude-opus-5 us-gov.anthropic.claude-opus-4-8 us-gov.anthropic.claude-opus-5"),
    ((4800000000, 24000000000, 6000000000, 9600000000, 240000000, None, None, 1000, 1000, 1000000), "bedrock/us-gov-east-1/anthropic.claude-opus-5-5 bedrock/us-gov-west-1/anthropic.claude-opus-5-5 bedrock_mantle/us-gov-west-1/anthropic.claude-opus-5-5 us-gov.anthropic.claude-opus-5-5"),
    ((2400000000, 12000000000, 3000000000, 4800000000, 240000000, None, None, 1000, 1000, 1000000), "bedrock/us-gov-east-1/anthropic.claude-sonnet-5 bedrock/us-gov-west-1/anthropic.claude-sonnet-5 us-gov.anthropic.claude-sonnet-5"),
    ((2400000000, 12000000000, 3000000000, 4800000000, 120000000, None, None, 1000, 1000, 1000000), "bedrock/us-gov-east-1/anthropic.claude-sonnet-5-5 bedrock/us-gov-west-1/anthropic.claude-sonnet-5-5 bedrock_mantle/us-gov-west-1/anthropic.claude-sonnet-5-5 us-gov.anthropic.claude-sonnet-5-5"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 2000, 1100, 1000000), "claude-opus-4-8 claude-opus-5"),
    ((4000000000, 20000000000, 5000000000, 8000000000, 200000000, None, None, 2000, 1100, 1000000), "claude-opus-5-5"),
    ((200000000, 400000000, 250000000, 400000000, 40000000, None, None, 1000, 1000, 1000000), "dashscope/deepseek-v4-flash dashscope/deepseek-v4-flash-0731"),
    ((2400000000, 4800000000, 3000000000, 4800000000, 200000000, None, None, 1000, 1000, 1000000), "dashscope/deepseek-v4-pro"),
    ((1400000000, 4400000000, 1750000000, 2800000000, 260000000, None, None, 1000, 1000, 202745), "dashscope/glm-5.1"),
    ((1400000000, 4400000000, 1750000000, 2800000000, 280000000, None, None, 1000, 1000, 1048576), "dashscope/glm-5.2"),
    ((950000000, 4000000000, 1187500000, 1900000000, 190000000, None, None, 1000, 1000, 229376), "dashscope/kimi-k2.7-code"),
    ((150000000, 1200000000, 187500000, 300000000, 15000000, None, None, 1000, 1000, 262144), "dashscope/qwen3-next-80b-a3b-instruct dashscope/qwen3-next-80b-a3b-thinking"),
    ((400000000, 1600000000, 500000000, 800000000, 40000000, None, None, 1000, 1000, 131072), "dashscope/qwen3-vl-235b-a22b-instruct"),
    ((400000000, 4000000000, 500000000, 800000000, 40000000, None, None, 1000, 1000, 131072), "dashscope/qwen3-vl-235b-a22b-thinking"),
    ((160000000, 640000000, 200000000, 320000000, 16000000, None, None, 1000, 1000, 131072), "dashscope/qwen3-vl-32b-instruct"),
    ((160000000, 2870000000, 200000000, 320000000, 16000000, None, None, 1000, 1000, 131072), "dashscope/qwen3-vl-32b-thinking"),
    ((2500000000, 7500000000, 3125000000, 5000000000, 500000000, None, None, 1000, 1000, 991808), "dashscope/qwen3.7-max"),
    ((150000000, 470000000, 200000000, 300000000, 16000000, None, None, 1000, 1000, 991808), "dashscope/qwen3.8-flash"),
    ((2000000000, 6000000000, 2500000000, 4000000000, 250000000, None, None, 1000, 1000, 991808), "dashscope/qwen3.8-max"),
    ((150000000, 470000000, 187500000, 300000000, 16000000, None, None, 1000, 1000, 991808), "dashscope/qwen3.8-omni-flash"),
    ((9999990000, 50000020000, 12499970000, 19999980000, 1000020000, None, None, 1000, 1000, 1000000), "databricks/databricks-claude-fable-5"),
    ((9999990000, 50000020000, 12499970000, 19999980000, 249970000, None, None, 1000, 1000, 1000000), "databricks/databricks-claude-fable-5-1"),
    ((1000020000, 5000030000, 1249990000, 2000040000, 100030000, None, None, 1000, 1000, 200000), "databricks/databricks-claude-haiku-4-5"),
    ((100030000, 500010000, 125020000, 200060000, 10010000, 100000, (500010000, 2499980000, 625030000, 1000020000, 49980000), 1000, 1000, 1000000), "databricks/databricks-claude-haiku-5-5"),
    ((15000020000, 75000100000, 18749990000, 30000040000, 1500030000, None, None, 1000, 1000, 200000), "databricks/databricks-claude-opus-4 databricks/databricks-claude-opus-4-1"),
    ((5000030000, 25000010000, 6250020000, 10000060000, 500010000, None, None, 1000, 1000, 200000), "databricks/databricks-claude-opus-4-5 databricks/databricks-claude-opus-4-6"),
    ((5000030000, 25000010000, 6250020000, 10000060000, 500010000, None, None, 1000, 1000, 1000000), "databricks/databricks-claude-opus-4-7 databricks/databricks-claude-opus-4-8 databricks/databricks-claude-opus-5"),
    ((4000010000, 19999980000, 5000030000, 8000020000, 199990000, None, None, 1000, 1000, 1000000), "databricks/databricks-claude-opus-5-5"),
    ((2999990000, 15000020000, 3749970000, 5999980000, 300020000, None, None, 1000, 1000, 200000), "databricks/databricks-claude-sonnet-4 databricks/databricks-claude-sonnet-4-1 databricks/databricks-claude-sonnet-4-5 databricks/databricks-claude-sonnet-4-6"),
    ((1999970000, 9999990000, 2499980000, 3999940000, 199990000, None, None, 1000, 1000, 1000000), "databricks/databricks-claude-sonnet-5"),
    ((1999970000, 9999990000, 2499980000, 3999940000, 100030000, None, None, 1000, 1000, 1000000), "databricks/databricks-claude-sonnet-5-5"),
    ((16500000000, 82500000000, 20625000000, 33000000000, 1650000000, None, None, 1000, 1000, 200000), "deepinfra/anthropic/claude-4-opus"),
    ((280000000, 420000000, 350000000, 560000000, 28000000, None, None, 1000, 1000, 131072), "deepseek-chat deepseek-reasoner deepseek/deepseek-reasoner"),
    ((300000000, 1200000000, 0, 600000000, 6000000, None, None, 1000, 1000, 1000000), "deepseek-v4-flash deepseek-v4-flash-vision-exp deepseek/deepseek-v4-flash deepseek/deepseek-v4-flash-vision-exp"),
    ((1320000000, 3960000000, 0, 2640000000, 44000000, None, None, 1000, 1000, 1000000), "deepseek-v4-pro deepseek/deepseek-v4-pro"),
    ((280000000, 420000000, 0, 560000000, 28000000, None, None, 1000, 1000, 131072), "deepseek/deepseek-chat"),
    ((270000000, 1100000000, 0, 540000000, 70000000, None, None, 1000, 1000, 65536), "deepseek/deepseek-v3"),
    ((280000000, 400000000, 350000000, 560000000, 28000000, None, None, 1000, 1000, 163840), "deepseek/deepseek-v3.2"),
    ((11000000000, 55000000000, 13750000000, 22000000000, 275000000, None, None, 1000, 1000, 1000000), "eu.anthropic.claude-fable-5-1 us.anthropic.claude-fable-5-1 us.anthropic.claude-mythos-5-1"),
    ((2640000000, 13200000000, 3300000000, 5280000000, 264000000, None, None, 1000, 1000, 1000000), "hostinger_router/claude-sonnet-5"),
    ((13500000000, 67500000000, 16875000000, 27000000000, 1350000000, None, None, 1000, 1000, 1000000), "kyma/claude-fable-5 kyma/claude-fable-5.1"),
    ((1350000000, 6750000000, 1687500000, 2700000000, 135000000, None, None, 1000, 1000, 200000), "kyma/claude-haiku-4-5"),
    ((135000000, 675000000, 168750000, 270000000, 13500000, None, None, 1000, 1000, 1000000), "kyma/claude-haiku-5.5"),
    ((6750000000, 33750000000, 8437500000, 13500000000, 675000000, None, None, 1000, 1000, 1000000), "kyma/claude-opus-4-7 kyma/claude-opus-5"),
    ((5400000000, 27000000000, 6750000000, 10800000000, 270000000, None, None, 1000, 1000, 1000000), "kyma/claude-opus-5.5"),
    ((4050000000, 20250000000, 5062500000, 8100000000, 405000000, None, None, 1000, 1000, 200000), "kyma/claude-sonnet-4-6"),
    ((2700000000, 13500000000, 3375000000, 5400000000, 270000000, None, None, 1000, 1000, 1000000), "kyma/claude-sonnet-5"),
    ((2700000000, 13500000000, 3375000000, 5400000000, 135000000, None, None, 1000, 1000, 1000000), "kyma/claude-sonnet-5.5"),
    ((300000000, 1200000000, 375000000, 600000000, 30000000, None, None, 1000, 1000, 200000), "minimax/minimax-m2"),
    ((300000000, 1200000000, 375000000, 600000000, 30000000, None, None, 1000, 1000, 1000000), "minimax/minimax-m2.1 minimax/minimax-m2.5"),
    ((300000000, 2400000000, 375000000, 600000000, 30000000, None, None, 1000, 1000, 1000000), "minimax/minimax-m2.1-lightning minimax/minimax-m2.5-lightning"),
    ((300000000, 1200000000, 375000000, 600000000, 60000000, 512000, (600000000, 2400000000, 750000000, 1200000000, 120000000), 1000, 1000, 1000000), "minimax/minimax-m3"),
    ((600000000, 3000000000, 750000000, 1200000000, 100000000, None, None, 1000, 1000, 262144), "moonshot/kimi-k2.5"),
    ((950000000, 4000000000, 1187500000, 1900000000, 160000000, None, None, 1000, 1000, 262144), "moonshot/kimi-k2.6"),
    ((950000000, 4000000000, 1187500000, 1900000000, 190000000, None, None, 1000, 1000, 262144), "moonshot/kimi-k2.7-code"),
    ((3000000000, 15000000000, 3000000000, 6000000000, 300000000, None, None, 1000, 1000, 1048576), "moonshot/kimi-k3"),
    ((2000000000, 10000000000, 2000000000, 4000000000, 200000000, None, None, 1000, 1000, 1048576), "moonshot/kimi-k3.1-pro"),
    ((100000000, 500000000, 125000000, 200000000, 10000000, None, None, 1000, 1000, 1000000), "opencode_go/claude-haiku-5-5 perplexity/anthropic/claude-haiku-5-5"),
    ((1000000000, 5000000000, 1250000000, 2000000000, 100000000, None, None, 1000, 1000, None), "replicate/anthropic/claude-3.5-haiku"),
    ((3750000000, 18750000000, 4687500000, 7500000000, 375000000, None, None, 1000, 1000, None), "replicate/anthropic/claude-3.5-sonnet"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, None, None, 1000, 1000, None), "replicate/anthropic/claude-3.7-sonnet"),
    ((3600000000, 18000000000, 4500000000, 7200000000, 360000000, 200000, (7200000000, 27000000000, 9000000000, 14400000000, 720000000), 1000, 1000, 200000), "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ((250000000, 1250000000, 300000000, 500000000, 30000000, None, None, 1000, 1000, 200000), "vercel_ai_gateway/anthropic/claude-3-haiku"),
    ((250000000, 1250000000, 312500000, 500000000, 25000000, None, None, 1000, 1000, 200000), "vertex_ai/claude-3-haiku vertex_ai/claude-3-haiku@20240307"),
    ((100000000, 100000000, 125000000, 200000000, 10000000, None, None, 1000, 1000, 128000), "zai/glm-4-32b-0414-128k"),
    ((600000000, 2200000000, 750000000, 1200000000, 60000000, None, None, 1000, 1000, 128000), "zai/glm-4.5"),
    ((200000000, 1100000000, 250000000, 400000000, 20000000, None, None, 1000, 1000, 128000), "zai/glm-4.5-air"),
    ((1100000000, 4500000000, 1375000000, 2200000000, 110000000, None, None, 1000, 1000, 128000), "zai/glm-4.5-airx"),
    ((2200000000, 8900000000, 2750000000, 4400000000, 220000000, None, None, 1000, 1000, 128000), "zai/glm-4.5-x"),
    ((600000000, 1800000000, 750000000, 1200000000, 60000000, None, None, 1000, 1000, 128000), "zai/glm-4.5v"),
    ((600000000, 2200000000, 0, 1200000000, 110000000, None, None, 1000, 1000, 200000), "zai/glm-4.6 zai/glm-4.7"),
    ((1000000000, 3200000000, 0, 2000000000, 200000000, None, None, 1000, 1000, 200000), "zai/glm-5"),
    ((1200000000, 5000000000, 0, 2400000000, 300000000, None, None, 1000, 1000, 200000), "zai/glm-5-code"),
    ((1400000000, 4400000000, 0, 2800000000, 260000000, None, None, 1000, 1000, 200000), "zai/glm-5.1"),
    ((1400000000, 4400000000, 0, 2800000000, 260000000, None, None, 1000, 1000, 1000000), "zai/glm-5.2 zai/glm-5.3"),
    ((150000000, 500000000, 0, 300000000, 30000000, None, None, 1000, 1000, 1048576), "zai/glm-5.3-flash"),
    ((1200000000, 4000000000, 1500000000, 2400000000, 240000000, None, None, 1000, 1000, 200000), "zai/glm-5v-turbo"),
))

RETIRED_ID = "15c8d86c"
RETIRED = _by_name((
    ((250000000, 1250000000, 312500000, 500000000, 25000000, None, None, 1000, 1000, 200000), "anthropic.claude-3-haiku-20240307-v1:0 apac.anthropic.claude-3-haiku-20240307-v1:0 eu.anthropic.claude-3-haiku-20240307-v1:0 openrouter/anthropic/claude-3-haiku-20240307 us.anthropic.claude-3-haiku-20240307-v1:0"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, None, None, 1000, 1000, 200000), "anthropic.claude-3-sonnet-20240229-v1:0 apac.anthropic.claude-3-5-sonnet-20240620-v1:0 apac.anthropic.claude-3-5-sonnet-20241022-v2:0 apac.anthropic.claude-3-sonnet-20240229-v1:0 claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022 claude-3-5-sonnet-latest claude-3-7-sonnet-20250219 claude-3-7-sonnet-latest claude-3-sonnet-20240229 eu.anthropic.claude-3-sonnet-20240229-v1:0 openrouter/anthropic/claude-3.5-sonnet openrouter/anthropic/claude-3.5-sonnet:beta openrouter/anthropic/claude-3.7-sonnet openrouter/anthropic/claude-3.7-sonnet:beta us.anthropic.claude-3-sonnet-20240229-v1:0 vertex_ai/claude-3-5-sonnet-v2 vertex_ai/claude-3-5-sonnet-v2@20241022 vertex_ai/claude-3-7-sonnet@20250219"),
    ((8000000000, 24000000000, 10000000000, 16000000000, 800000000, None, None, 1000, 1000, 100000), "anthropic.claude-v2 bedrock/ap-northeast-1/anthropic.claude-v2 bedrock/eu-central-1/anthropic.claude-v2 bedrock/us-east-1/anthropic.claude-v2 bedrock/us-west-2/anthropic.claude-v2 claude-2"),
    ((15000000000, 75000000000, 18750000000, 30000000000, 1500000000, None, None, 1000, 1000, 200000), "azure_ai/claude-opus-4-1 claude-3-opus-20240229 claude-3-opus-latest claude-4-opus-20250514 claude-opus-4-1 claude-opus-4-1-20250805 claude-opus-4-20250514 openrouter/anthropic/claude-3-opus openrouter/anthropic/claude-opus-4 openrouter/anthropic/claude-opus-4.1 vertex_ai/claude-opus-4 vertex_ai/claude-opus-4-1 vertex_ai/claude-opus-4-1@20250805 vertex_ai/claude-opus-4@20250514"),
    ((3600000000, 18000000000, 4500000000, 7200000000, 360000000, None, None, 1000, 1000, 200000), "bedrock/us-gov-east-1/anthropic.claude-3-5-sonnet-20240620-v1:0 bedrock/us-gov-west-1/anthropic.claude-3-5-sonnet-20240620-v1:0 bedrock/us-gov-west-1/anthropic.claude-3-7-sonnet-20250219-v1:0"),
    ((300000000, 1500000000, 375000000, 600000000, 30000000, None, None, 1000, 1000, 200000), "bedrock/us-gov-east-1/anthropic.claude-3-haiku-20240307-v1:0 bedrock/us-gov-west-1/anthropic.claude-3-haiku-20240307-v1:0"),
    ((8000000000, 24000000000, 10000000000, 16000000000, 800000000, None, None, 1000, 1000, 200000), "claude-2.1"),
    ((800000000, 4000000000, 1000000000, 1600000000, 80000000, None, None, 1000, 1000, 200000), "claude-3-5-haiku-20241022"),
    ((1000000000, 5000000000, 1250000000, 2000000000, 100000000, None, None, 1000, 1000, 200000), "claude-3-5-haiku-latest openrouter/anthropic/claude-3-5-haiku-20241022 openrouter/anthropic/claude-haiku-4.5 openrouter/~anthropic/claude-haiku-latest"),
    ((250000000, 1250000000, 300000000, 500000000, 30000000, None, None, 1000, 1000, 200000), "claude-3-haiku-20240307 openrouter/anthropic/claude-3-haiku"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, 200000, (6000000000, 22500000000, 7500000000, 12000000000, 600000000), 1000, 1000, 200000), "claude-4-sonnet-20250514 claude-sonnet-4-20250514 openrouter/anthropic/claude-sonnet-4 openrouter/anthropic/claude-sonnet-4.5 openrouter/anthropic/claude-sonnet-4.6 vertex_ai/claude-sonnet-4 vertex_ai/claude-sonnet-4@20250514"),
    ((1630000000, 5510000000, 2037500000, 3260000000, 163000000, None, None, 1000, 1000, 100000), "claude-instant-1"),
    ((163000000, 551000000, 203750000, 326000000, 16300000, None, None, 1000, 1000, 100000), "claude-instant-1.2"),
    ((2999990000, 15000020000, 3749987500, 5999980000, 299999000, None, None, 1000, 1000, 200000), "databricks/databricks-claude-3-7-sonnet"),
    ((11020000000, 32680000000, 13775000000, 22040000000, 1102000000, None, None, 1000, 1000, None), "openrouter/anthropic/claude-2"),
    ((1000000000, 5000000000, 1250000000, 2000000000, 100000000, None, None, 1000, 1000, None), "openrouter/anthropic/claude-3-5-haiku"),
    ((3000000000, 15000000000, 3750000000, 6000000000, 300000000, None, None, 1000, 1000, None), "openrouter/anthropic/claude-3-sonnet"),
    ((10000000000, 50000000000, 12500000000, 20000000000, 1000000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-fable-5"),
    ((10000000000, 50000000000, 12500000000, 20000000000, 250000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-fable-5.1 openrouter/~anthropic/claude-fable-latest"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 125000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-fable-5.1:batch"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-fable-5:batch openrouter/anthropic/claude-opus-4.7 openrouter/anthropic/claude-opus-4.8 openrouter/anthropic/claude-opus-5"),
    ((500000000, 2500000000, 625000000, 1000000000, 50000000, None, None, 1000, 1000, 200000), "openrouter/anthropic/claude-haiku-4.5:batch"),
    ((1630000000, 5510000000, 2037500000, 3260000000, 163000000, None, None, 1000, 1000, None), "openrouter/anthropic/claude-instant-v1"),
    ((7500000000, 37500000000, 9375000000, 15000000000, 750000000, None, None, 1000, 1000, 200000), "openrouter/anthropic/claude-opus-4.1:batch"),
    ((5000000000, 25000000000, 6250000000, 10000000000, 500000000, None, None, 1000, 1000, 200000), "openrouter/anthropic/claude-opus-4.5 openrouter/anthropic/claude-opus-4.6"),
    ((2500000000, 12500000000, 3125000000, 5000000000, 250000000, None, None, 1000, 1000, 200000), "openrouter/anthropic/claude-opus-4.5:batch openrouter/anthropic/claude-opus-4.6:batch"),
    ((2500000000, 12500000000, 3125000000, 5000000000, 250000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-opus-4.7:batch openrouter/anthropic/claude-opus-4.8:batch openrouter/anthropic/claude-opus-5:batch"),
    ((4000000000, 20000000000, 5000000000, 8000000000, 200000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-opus-5.5 openrouter/~anthropic/claude-opus-latest"),
    ((2000000000, 10000000000, 2500000000, 4000000000, 100000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-opus-5.5:batch"),
    ((1500000000, 7500000000, 1875000000, 3000000000, 150000000, 200000, (3000000000, 11250000000, 3750000000, 6000000000, 300000000), 1000, 1000, 200000), "openrouter/anthropic/claude-sonnet-4.5:batch"),
    ((1500000000, 7500000000, 1875000000, 3000000000, 150000000, None, None, 1000, 1000, 200000), "openrouter/anthropic/claude-sonnet-4.6:batch"),
    ((2000000000, 10000000000, 2500000000, 4000000000, 200000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-sonnet-5 openrouter/~anthropic/claude-sonnet-latest"),
    ((1000000000, 5000000000, 1250000000, 2000000000, 100000000, None, None, 1000, 1000, 1000000), "openrouter/anthropic/claude-sonnet-5:batch"),
))
