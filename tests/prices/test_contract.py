"""Contracted rates: what Claude Code's managed settings of an organization change in prices (A10)."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_prices import CLAUDE, PREFIXES, SUFFIXES, spellings, versions

from ccusage_line import answer
from ccusage_line.config import load
from ccusage_line.errors import UserError
from ccusage_line.index import index as index_module
from ccusage_line.prices import embedded, in_use, managed, stored
from ccusage_line.prices.show import show
from ccusage_line.prices.stored import Contract, dependencies, policy_files, policy_path
from ccusage_line.prices.table import PICO, UNIT, Price, PriceTable, cost
from conftest import SHARED, Home
from fuzz import device, fifo, folder
from lines import ID, SONNET, line, usage
from processes import bare_python

N12 = SHARED / "corpus" / "client-2.1.332" / "n12_model_pricing"
OF_N12 = {  # in force when its transcripts were written (CLAUDE-CODE.md A8)
    "multiplier": 0.5,
    "overrides": {"claude-haiku-5-5": {"input": 7, "output": 9, "cacheRead": 1, "cacheWrite": 3}},
}
HAIKU = {"input": 7, "output": 9, "cacheRead": 1, "cacheWrite": 3}
HALVED = tuple(Fraction(rate, 2) for rate in (7, 9, 3, 3, 1))


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the machine's policy, which does not exist yet."""
    path = tmp_path / "policy" / "managed-settings.json"
    monkeypatch.setenv("CCUSAGE_MANAGED_SETTINGS", str(path))
    monkeypatch.setenv("CCUSAGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CCUSAGE_CONFIG", raising=False)
    return path


def agree(policy: Path, value: Any, **more: Any) -> Path:
    """Write a policy with `modelPricing` and other settings, and return its path."""
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text(json.dumps({"cleanupPeriodDays": 30, "modelPricing": value, **more}))
    return policy


def known(model: str) -> Price:
    price = in_use.table().find(model)
    assert price is not None, model
    return price


def contract() -> Contract:
    found = in_use.contract(os.environ)
    assert found is not None
    return found


def listed(model: str) -> Price:
    price = PriceTable(embedded.OVERLAY, embedded.CURRENT, embedded.RETIRED).find(model)
    assert price is not None, model
    return price


def per_million(price: Price) -> tuple[Fraction, ...]:
    """Return the rates for input, output, 5 minute write, 1 hour write and read, in dollars per million tokens."""
    rates = (price.input, price.output, price.write_5m, price.write_1h, price.read)
    return tuple(Fraction(rate * 1_000_000, UNIT) for rate in rates)


# --- what they come to ---


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-haiku-5-5", "us.anthropic.claude-sonnet-4-6", "glm-5"])
@pytest.mark.parametrize("multiplier", [0.5, 0.85, 1.2, 10, 0.1])
def test_a_multiplier_applies_to_every_cost_of_a_response(policy: Path, model: str, multiplier: float) -> None:
    agree(policy, {"multiplier": multiplier})
    price, plain = known(model), listed(model)
    for counts in ((1000, 200, 30, 4, 50_000), (90_000, 0, 20_000, 0, 0)):  # the second is a long prompt to Haiku 5.5
        for searches, fast, us in ((0, False, False), (3, True, True)):
            before = cost(plain, *counts, searches, fast, us)
            after = cost(price, *counts, searches, fast, us)
            assert abs(after - before * Fraction(str(multiplier))) <= 1


def test_a_row_replaces_every_rate_of_its_model(policy: Path) -> None:
    """The row has one rate for both kinds of cache writes, none for long prompts, no factor for fast mode or the US."""
    agree(policy, {"overrides": {"claude-haiku-5-5": HAIKU, "claude-opus-5-5": HAIKU}})
    for model in ("claude-haiku-5-5", "claude-opus-5-5"):
        price = known(model)
        assert per_million(price) == (7, 9, 3, 3, 1)
        assert cost(price, 200_000, 0, 0, 0, 0) == 200_000 * 7 * PICO // 10**6
        assert cost(price, 0, 1000, 0, 0, 0, 2, fast=True, us=True) == 1000 * 9 * PICO // 10**6 + PICO // 50
        assert price.window == listed(model).window
    assert known("claude-opus-5") == listed("claude-opus-5")


def test_the_multiplier_applies_to_a_row_too(policy: Path) -> None:
    agree(policy, OF_N12)
    assert per_million(known("claude-haiku-5-5")) == HALVED
    assert cost(known("claude-haiku-5-5"), 0, 0, 0, 0, 0, searches=2) == PICO // 100


def test_a_model_that_no_list_has_costs_what_its_row_says(policy: Path) -> None:
    assert in_use.table().find("house/fast-one") is None
    agree(policy, {"multiplier": 2, "overrides": {"House/Fast-One": HAIKU}})
    for name in ("house/fast-one", "HOUSE/FAST-ONE", "house/fast-one[1m]"):
        assert per_million(known(name)) == (14, 18, 6, 6, 2)
    assert in_use.table().find("fast-one") is None
    assert in_use.table().find("x/house/fast-one") is None


@pytest.mark.parametrize(
    "key",
    [
        "claude-opus-4-6",
        "Claude-Opus-4-6",
        "claude-opus-4-6-20260205",
        "anthropic.claude-opus-4-6-v1",
        "us.anthropic.claude-opus-4-6-v1",
        "xy.anthropic.claude-opus-4-6-v1",
    ],
)
def test_a_row_under_a_name_of_claude_code_covers_every_form_of_the_model(policy: Path, key: str) -> None:
    agree(policy, {"overrides": {key: HAIKU}})
    for prefix in PREFIXES:
        for suffix in SUFFIXES:
            for version in versions(4, 6):
                assert per_million(known(f"{prefix}claude-opus-{version}{suffix}")) == (7, 9, 3, 3, 1)
    assert per_million(known("us.anthropic.claude-opus-4-6-v1")) == (7, 9, 3, 3, 1)
    assert known("claude-opus-4-7") == listed("claude-opus-4-7")


@pytest.mark.parametrize(
    "key",
    ["claude-4.6-opus", "openrouter/anthropic/claude-opus-4.6", "claude-opus-4-6-20990101", "Modèle/claude-opus-4-6"],
)
def test_a_row_under_any_other_name_covers_only_that_name(policy: Path, key: str) -> None:
    agree(policy, {"overrides": {key: HAIKU}})
    assert per_million(known(key)) == (7, 9, 3, 3, 1)
    assert known("claude-opus-4-6") == listed("claude-opus-4-6")


def test_the_very_name_goes_before_a_row_that_covers_it_and_the_earlier_row_before_the_later(policy: Path) -> None:
    rows = {
        "claude-opus-4-6-20260205": {**HAIKU, "input": 1},
        "claude-opus-4-6": {**HAIKU, "input": 2},
        "CLAUDE-OPUS-4-6": {**HAIKU, "input": 3},
        "gateway/claude-opus-4-6": {**HAIKU, "input": 4},
    }
    agree(policy, {"overrides": rows})
    found = {
        name: per_million(known(name))[0] for name in ("claude-opus-4-6", "gateway/claude-opus-4-6", "claude-opus-4.6")
    }
    assert found == {"claude-opus-4-6": 2, "gateway/claude-opus-4-6": 4, "claude-opus-4.6": 1}
    assert [problem for problem in contract().problems if "CLAUDE-OPUS-4-6" in problem]


def test_a_name_that_says_fast_is_not_covered_by_the_models_row(policy: Path) -> None:
    agree(policy, {"multiplier": 0.5, "overrides": {"claude-opus-4-6": HAIKU}})
    assert per_million(known("anthropic/claude-opus-4-6-fast"))[:2] == (15, 75)


def test_own_prices_go_before_contracted_rates(policy: Path, tmp_path: Path) -> None:
    agree(policy, {"multiplier": 0.5, "overrides": {"claude-opus-5": HAIKU}})
    config = tmp_path / "config" / "ccusage-line" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[prices.models."claude-opus-5"]\ninput = 4\noutput = 6\n')
    load(os.environ)
    price = known("us.anthropic.claude-opus-5")
    assert per_million(price)[:2] == (4, 6)
    assert cost(price, 0, 0, 0, 0, 0, searches=1) == PICO // 100
    assert per_million(known("claude-opus-4-8"))[0] == Fraction(5, 2)
    assert [in_use.table().basis(name) for name in ("claude-opus-5", "claude-opus-4-8")] == ["own", "list"]


money = st.one_of(st.integers(0, 10_000), st.floats(0, 10_000))


@given(st.floats(1e-9, 10), st.tuples(*[money] * 4), st.tuples(*[st.integers(0, 10**6)] * 5))
def test_a_cost_is_that_of_the_clients_formula(
    multiplier: float, row: tuple[float, ...], counts: tuple[int, int, int, int, int]
) -> None:
    rates = dict(zip(("input", "output", "cacheWrite", "cacheRead"), row, strict=True))
    told = json.dumps({"multiplier": multiplier, "overrides": {"m": rates}})
    taken = managed._Rates(json.loads(told, parse_float=Decimal))
    assert taken.problems == []
    agreed = Contract("", (), False, taken.multiplier, taken.rows, taken.id(), [], [])
    price = PriceTable({}, {}, {}, contract=agreed).find("m")
    assert price is not None
    input, output, five, hour, read = counts
    dollars = sum(n * Fraction(rate) for n, rate in zip((input, output, five + hour, read), row, strict=True)) / 10**6
    # Rates are whole numbers of 1e-15 dollars per token, and the multiplier of 1e-12.
    assert abs(cost(price, *counts) - dollars * Fraction(multiplier) * PICO) <= 1 + Fraction(sum(counts), 50)


@given(st.sampled_from(sorted(CLAUDE)), st.data())
def test_a_row_never_counts_for_another_version(model: tuple[str, int, int], data: st.DataObject) -> None:
    agreed = Contract("", (), False, PICO, {"claude-{}-{}-{}".format(*model): (77, 0, 0, 0)}, "1", [], [])
    table = PriceTable(embedded.OVERLAY, embedded.CURRENT, embedded.RETIRED, contract=agreed)
    other = data.draw(st.sampled_from(sorted(CLAUDE.keys() - {model})))
    price = table.find(data.draw(spellings(*other)))
    assert price is None or price.input != 77


@pytest.mark.skipif(not N12.is_dir(), reason=f"no transcripts of the client at {N12}")
def test_sessions_cost_what_the_client_said_at_its_contracted_rates(home: Home) -> None:
    env = {"CLAUDE_CONFIG_DIR": str(N12)}
    agree(home.policy, OF_N12)
    rows = json.loads(home.run("session", "--json", **env).out)["sessions"]
    assert len(rows) == 4
    for row in rows:
        assert row["totalCost"] == pytest.approx(row["clientCost"], abs=1e-12)
        explained = home.run("session", "--id", row["sessionId"], "--explain", **env).out
        assert "not explained" not in explained
    home.policy.unlink()
    ledger = json.loads((N12 / "expected.json").read_text())["by_session"]
    for row in json.loads(home.run("session", "--json", **env).out)["sessions"]:
        assert row["totalCost"] == pytest.approx(ledger[row["sessionId"]]["cost_usd"], abs=1e-9)


# --- the files ---


def test_a_policy_is_where_claude_code_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        found[platform] = policy_path({"CCUSAGE_MANAGED_SETTINGS": ""})
    assert found == {
        "linux": "/etc/claude-code/managed-settings.json",
        "darwin": "/Library/Application Support/ClaudeCode/managed-settings.json",
        "win32": r"C:\Program Files\ClaudeCode\managed-settings.json",
    }


def test_a_variable_names_another_file() -> None:
    assert policy_path({"CCUSAGE_MANAGED_SETTINGS": "~/policy.json", "HOME": "/home/me"}) == "/home/me/policy.json"
    with pytest.raises(UserError, match="absolute"):  # because the working directory may belong to anybody
        policy_path({"CCUSAGE_MANAGED_SETTINGS": "policy.json"})


def test_without_a_policy_only_its_folder_is_checked(policy: Path) -> None:
    assert policy_files(os.environ) == [(str(policy.parent), None)]
    assert dependencies(os.environ)[2:] == [(str(policy.parent), None)]
    plain = in_use.table().fingerprint
    assert in_use.table().contract is None
    policy.parent.mkdir()
    assert policy_files(os.environ) == [(str(policy), None), (str(policy.with_suffix(".d")), None)]
    assert in_use.table().fingerprint == plain
    assert not os.path.exists(os.environ["CCUSAGE_STATE_DIR"])


def test_parts_of_a_policy_are_merged_by_name_over_the_main_file(policy: Path) -> None:
    agree(policy, {"multiplier": 0.5, "overrides": {"a": HAIKU, "b": HAIKU}})
    parts = policy.with_suffix(".d")
    parts.mkdir()
    agree(parts / "20-b.json", {"multiplier": 0.9, "overrides": {"a": {"input": 8}}})
    agree(parts / "10-a.json", {"multiplier": 0.8, "overrides": {"c": HAIKU}})
    agree(parts / ".30-hidden.json", {"multiplier": 0.1})
    agree(parts / "40-other.txt", {"multiplier": 0.1})
    (parts / "50-silent.json").write_text('{"env": {}}')
    found = contract()
    assert found.multiplier == 9 * PICO // 10
    assert list(found.rows) == ["a", "b", "c"]
    assert found.rows["a"][0] == 8 * UNIT // 10**6
    assert found.problems == []
    assert found.sources == [str(policy), str(parts / "10-a.json"), str(parts / "20-b.json")]


def test_parts_of_a_policy_work_without_the_main_file(policy: Path) -> None:
    parts = policy.with_suffix(".d")
    parts.mkdir(parents=True)
    agree(parts / "rates.json", {"multiplier": 0.5})
    assert per_million(known("claude-opus-5"))[0] == Fraction(5, 2)


GOOD = {"multiplier": 0.5, "overrides": {"good": HAIKU}}


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        pytest.param({"multiplier": 0}, ".multiplier = 0", id="multiplier-zero"),
        pytest.param({"multiplier": -1}, ".multiplier", id="multiplier-negative"),
        pytest.param({"multiplier": 10.5}, ".multiplier", id="multiplier-too-large"),
        pytest.param({"multiplier": 1e-13}, ".multiplier", id="multiplier-vanishing"),
        pytest.param({"multiplier": True}, ".multiplier", id="multiplier-a-truth"),
        pytest.param({"multiplier": "0.5"}, ".multiplier", id="multiplier-a-string"),
        pytest.param({"multiplier": [0.5]}, ".multiplier", id="multiplier-a-list"),
        pytest.param({"overrides": []}, ".overrides", id="rows-a-list"),
        pytest.param({"overrides": {"bad": 7}}, '["bad"]', id="a-row-a-number"),
        pytest.param({"overrides": {"bad": None}}, '["bad"]', id="a-row-null"),
        pytest.param({"overrides": {"bad": {"input": 7, "output": 9, "cacheRead": 1}}}, '["bad"]', id="a-rate-missing"),
        pytest.param({"overrides": {"bad": {**HAIKU, "input": -1}}}, '["bad"]', id="a-rate-negative"),
        pytest.param({"overrides": {"bad": {**HAIKU, "input": 10_001}}}, '["bad"]', id="a-rate-too-large"),
        pytest.param({"overrides": {"bad": {**HAIKU, "output": "9"}}}, '["bad"]', id="a-rate-a-string"),
        pytest.param({"overrides": {"bad": {**HAIKU, "cacheRead": False}}}, '["bad"]', id="a-rate-a-truth"),
        pytest.param({"overrides": {"bad\x1b[31m\n" * 50: 1}}, "overrides", id="a-hostile-name"),
    ],
)
def test_an_invalid_rate_is_ignored_and_reported(policy: Path, broken: dict[str, Any], word: str) -> None:
    value: dict[str, Any] = {**GOOD, **broken}
    if isinstance(broken.get("overrides"), dict):
        value["overrides"] = {**GOOD["overrides"], **broken["overrides"]}  # type: ignore[dict-item]
    agree(policy, value)
    found = contract()
    assert found.multiplier == (PICO if "multiplier" in broken else PICO // 2)
    assert list(found.rows) == ([] if broken.get("overrides") == [] else ["good"])
    (problem,) = found.problems
    assert problem.startswith("modelPricing")
    assert word in problem
    assert problem.isprintable()
    assert len(problem) < 250
    assert problem in show(os.environ, None, False)


@pytest.mark.parametrize("value", [None, {}, {"multiplier": 1}, {"multiplier": None, "overrides": {}}, {"more": 1}])
def test_a_policy_that_changes_no_price_leaves_the_table_as_it_is(policy: Path, value: object) -> None:
    plain = in_use.table().fingerprint
    agree(policy, value)
    assert (in_use.table().fingerprint, in_use.table().contract) == (plain, None)
    assert contract().problems == []


def deep(path: Path) -> None:
    path.write_text('{"modelPricing": ' + '{"overrides":' * 100_000 + "{}" + "}" * 100_001)


def terminal(path: Path) -> None:
    path.symlink_to("/dev/tty")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"modelPricing": {"multiplier": 0.5}}')
        file.truncate(2**36)


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (deep, "is not valid JSON"),
    (fifo, "not a regular file"),
    (folder, "not a regular file"),
    (device, "not a regular file"),
    (terminal, "can't be read"),
    (huge, "larger than"),
    (lambda path: path.write_bytes(b"\xff\xfe"), "is not valid JSON"),
    (lambda path: path.write_bytes(b"\0" * 100), "is not valid JSON"),
    (lambda path: path.write_text('{"modelPricing": {"multiplier": NaN}}'), "is not valid JSON"),
    (lambda path: path.write_text('{"modelPricing": {"multiplier": 0.5}'), "is not valid JSON (line 1)"),
    (lambda path: path.write_text('{"x": 1e99999999999999999999}'), "is not valid JSON"),
    (lambda path: path.write_text(f'{{"x": {"9" * 10_000}}}'), ""),
    (lambda path: path.write_text("[]"), "holds no JSON object"),
]


@pytest.mark.parametrize(("make", "words"), BROKEN)
@pytest.mark.parametrize("part", [False, True], ids=["the-file", "a-part"])
def test_a_broken_file_of_a_policy_is_ignored_and_reported(
    policy: Path, make: Callable[[Path], object], words: str, part: bool
) -> None:
    parts = policy.with_suffix(".d")
    parts.mkdir(parents=True)
    agree(parts / "50-good.json", GOOD)
    broken = parts / "10-bad.json" if part else policy
    make(broken)
    assert per_million(known("good")) == HALVED
    problems = contract().problems
    if words or problems:  # only newer versions of Python refuse a long number
        assert [str(broken) in problem and words in problem for problem in problems] == [True]


def test_a_link_to_nowhere_is_no_policy(policy: Path) -> None:
    policy.parent.mkdir()
    policy.symlink_to("/nonexistent/x")
    assert in_use.contract(os.environ) is None


# --- the copy for those that never read JSON ---


def settle(monkeypatch: pytest.MonkeyPatch) -> Contract:
    """Read the policy as if its last change were long ago."""
    monkeypatch.setattr(managed, "SETTLED", -(10**18))
    return contract()


def test_a_settled_policy_is_not_read_again(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(policy, OF_N12)
    first = settle(monkeypatch)
    monkeypatch.setattr(managed, "read_contract", None)
    second = contract()
    assert (second.multiplier, second.rows, second.id, second.sources) == (
        first.multiplier,
        first.rows,
        first.id,
        [str(policy)],
    )


def test_using_settled_rates_imports_no_package(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(policy, OF_N12)
    settle(monkeypatch)
    code = """
from ccusage_line.prices import in_use
print(in_use.table().find("claude-sonnet-5-5").input)
heavy = {"json", "re", "decimal", "typing", "ccusage_line.prices.managed", "ccusage_line.config"}
print(*sorted(set(sys.modules) & heavy))
"""
    assert bare_python(code) == "1000000000\n\n"


@pytest.mark.parametrize("change", ["edited", "gone", "part", "another", "another-version"])
def test_a_change_of_the_policy_shows(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    agree(policy, {"multiplier": 0.5})
    settle(monkeypatch)
    before = in_use.table().fingerprint
    assert before.endswith(f"-c{contract().id}")
    expected = 1.0
    if change == "edited":
        agree(policy, {"multiplier": 0.6})
        expected = 0.6
    elif change == "gone":
        policy.unlink()
    elif change == "part":
        policy.with_suffix(".d").mkdir()
        agree(policy.with_suffix(".d") / "x.json", {"multiplier": 0.7})
        expected = 0.7
    elif change == "another":
        monkeypatch.setenv("CCUSAGE_MANAGED_SETTINGS", str(agree(tmp_path / "other" / "x.json", {"multiplier": 0.8})))
        expected = 0.8
    else:
        monkeypatch.setattr("ccusage_line.__version__", "99")
        expected = 0.5
    assert known("claude-opus-5").input == pytest.approx(5_000_000_000 * expected)
    assert (in_use.table().fingerprint == before) is (change == "another-version")


def test_a_policy_changed_just_now_is_read_again_each_time(policy: Path) -> None:
    agree(policy, {"multiplier": 0.5})
    assert contract().multiplier == PICO // 2
    before = policy.stat()
    with open(policy, "r+") as file:
        file.write(policy.read_text().replace("0.5", "0.6"))
    os.utime(policy, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert contract().multiplier == 6 * PICO // 10


def test_contracted_rates_apply_if_nothing_can_be_stored(policy: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    agree(policy, {"multiplier": 0.5})
    assert known("claude-opus-5").input == 2_500_000_000


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:-1], lambda data: data[:40] + b"x" + data[41:]])
def test_a_damaged_copy_of_the_policy_is_made_anew(
    policy: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[bytes], bytes]
) -> None:
    agree(policy, {"multiplier": 0.5})
    settle(monkeypatch)
    path = Path(os.environ["CCUSAGE_STATE_DIR"], stored.Contract.FILE)
    path.write_bytes(spoil(path.read_bytes()))
    assert contract().multiplier == PICO // 2
    assert stored.Contract.load(os.environ["CCUSAGE_STATE_DIR"]) is not None


# --- processes ---


A_DOLLAR = usage(0, 40_000)  # of Opus 4.5


@pytest.fixture
def used(home: Home) -> Home:
    """Return a home with a session of three dollars, old enough for its answer to be published."""
    home.write(
        f"-home-me-proj/{ID}.jsonl", line(tokens=A_DOLLAR) + line("m2", "r2", model=SONNET, tokens=usage(0, 133_334))
    )
    assert home.run("session", "--json").code == 0
    home.settle()
    return home


def asked(home: Home, **env: str) -> float:
    ran = home.run("session", "--id", ID, "--jq", ".totalCost", **env)
    assert ran.code == 0, ran.err
    return float(ran.out)


def line_of(home: Home, **env: str) -> str:
    given = {
        "session_id": ID,
        "model": {"id": SONNET, "display_name": "Sonnet"},
        "context_window": {"current_usage": {"input_tokens": 1}},
    }
    return home.run("statusline", "--format", "{session_cost}", input=json.dumps(given), **env).out.strip()


def published(home: Home) -> bool:
    return any(home.state.glob("*/answers/*"))


def test_no_lane_gives_an_answer_at_other_rates(used: Home) -> None:
    assert asked(used) == pytest.approx(3.00001)
    assert published(used)

    def everywhere() -> tuple[float, float, str]:
        report = json.loads(used.run("session", "--json").out)["totals"]["totalCost"]
        return asked(used), report, line_of(used)

    agree(used.policy, {"multiplier": 0.5})
    assert line_of(used).startswith("$1.50")
    assert everywhere() == (pytest.approx(1.500005), pytest.approx(1.500005), line_of(used))
    used.settle()
    assert asked(used) == asked(used) == pytest.approx(1.500005)
    assert published(used)
    row = {"input": 1, "output": 2.5, "cacheRead": 1, "cacheWrite": 1}
    agree(used.policy, {"multiplier": 1, "overrides": {"claude-opus-4-5": row}})
    assert asked(used) == pytest.approx(2.10001)
    assert line_of(used).startswith("$2.10")
    used.settle()
    assert asked(used) == pytest.approx(2.10001)
    assert published(used)
    used.policy.unlink()
    assert line_of(used).startswith("$3.00")
    assert everywhere()[:2] == (pytest.approx(3.00001), pytest.approx(3.00001))
    assert used.run("index", "verify").code == 0


def test_a_part_that_comes_or_goes_withdraws_what_is_published(used: Home) -> None:
    agree(used.policy, {"multiplier": 0.5})
    used.settle()
    assert asked(used) == asked(used) == pytest.approx(1.500005)
    parts = used.policy.with_suffix(".d")
    parts.mkdir()
    part = agree(parts / "10.json", {"multiplier": 0.1})
    assert asked(used) == pytest.approx(0.300001)
    used.settle()
    assert asked(used) == asked(used) == pytest.approx(0.300001)
    agree(part, {"multiplier": 0.2})
    assert asked(used) == pytest.approx(0.600002)
    part.unlink()
    assert asked(used) == pytest.approx(1.500005)


def test_a_variable_that_names_another_policy_is_obeyed_at_once(used: Home, tmp_path: Path) -> None:
    other = agree(tmp_path / "elsewhere" / "rates.json", {"multiplier": 0.5})
    used.settle()
    for _ in range(2):
        assert asked(used) == asked(used) == pytest.approx(3.00001)
        assert published(used)
        assert asked(used, CCUSAGE_MANAGED_SETTINGS=str(other)) == pytest.approx(1.500005)
    assert line_of(used, CCUSAGE_MANAGED_SETTINGS=str(other)).startswith("$1.50")


def test_nothing_is_published_at_rates_that_have_gone_meanwhile(used: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(used.policy, {"multiplier": 0.5})
    used.settle()
    for name, value in used.env.items():
        monkeypatch.setenv(name, value)
    for module in (answer, index_module):
        monkeypatch.setattr(module, "SETTLED", 100_000_000)
    for gone in (False, True):
        lane = index_module.refresh_one(os.environ, ID, "auto")
        assert sum(model.cost for model in lane.session.models) == 1_500_005_000_000
        if gone:
            used.policy.unlink()
        lane.publish()
        assert published(used) is not gone
        lane.index.close()
        for path in used.state.glob("*/answers/*"):
            path.unlink()


def test_contracted_rates_do_not_change_recorded_costs(home: Home) -> None:
    home.write(f"-p/{ID}.jsonl", line(tokens=A_DOLLAR, costUSD=0.25))
    agree(home.policy, {"multiplier": 0.5})
    costs = {
        mode: json.loads(home.run("session", "--json", "--mode", mode).out)["totals"]["totalCost"]
        for mode in ("auto", "calculate", "display")
    }
    assert costs == {"auto": 0.25, "calculate": 0.5, "display": 0.25}


@pytest.mark.parametrize("make", [fifo, device, huge, deep], ids=lambda make: make.__name__)
def test_no_command_waits_for_a_policy_that_is_no_file(home: Home, make: Callable[[Path], None]) -> None:
    home.write(f"-p/{ID}.jsonl", line(tokens=A_DOLLAR))
    home.policy.parent.mkdir()
    make(home.policy)
    assert asked(home) == 1
    assert any(line_of(home).startswith("$1.00") for _ in range(5))  # a busy machine may need several tries
    assert home.run("prices", "show").code == 0
    ran = home.run("doctor", COLUMNS="1000")
    assert ran.code == 1
    assert re.search(rf"✗ settings +{home.policy}", ran.out)


# --- show and doctor ---


def test_show_says_where_the_rates_come_from(policy: Path) -> None:
    assert "contracted  none" in show(os.environ, None, False)
    assert json.loads(show(os.environ, None, True))["contractedRates"] is None
    agree(policy, OF_N12)
    assert f"contracted  multiplier 0.5, 1 override ({policy})" in show(os.environ, None, False).splitlines()
    assert json.loads(show(os.environ, None, True))["contractedRates"] == {
        "files": [str(policy)],
        "multiplier": 0.5,
        "overrides": 1,
        "ignored": [],
    }


@pytest.mark.parametrize(
    ("model", "basis", "words"),
    [
        ("claude-haiku-5-5", "contract", "your organization's rate x 0.5"),
        ("claude-sonnet-5-5", "list", "your organization's multiplier, on the list price x 0.5"),
    ],
)
def test_show_says_whose_price_a_model_has(policy: Path, model: str, basis: str, words: str) -> None:
    assert "organization" not in show(os.environ, model, False)
    agree(policy, OF_N12)
    assert words in show(os.environ, model, False)
    data = json.loads(show(os.environ, model, True))
    assert data["basis"] == basis
    assert data["input"] == {"contract": 3.5, "list": 1.0}[basis]


def test_show_lists_models_that_only_a_row_names(policy: Path) -> None:
    agree(policy, {"overrides": {"house/quick-1": HAIKU}})
    assert "house/quick-1" in show(os.environ, "quick", False)


def test_doctor_says_that_rates_are_contracted_and_what_is_wrong_with_them(home: Home) -> None:
    agree(home.policy, {**OF_N12, "overrides": {"bad": {}, **OF_N12["overrides"]}})  # type: ignore[dict-item]
    out = home.run("doctor", COLUMNS="1000").out
    assert f"contracted rates: multiplier 0.5, 1 override ({home.policy})" in out
    assert '✗ contracted-rates  managed settings of Claude Code: modelPricing.overrides["bad"] = {}' in out
