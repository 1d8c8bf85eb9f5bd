"""`ccusage prices show NAME`: the models that a name in a report, or a part of it, can mean."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccusage_line.config import load
from ccusage_line.errors import UsageError
from ccusage_line.jsontext import short_model
from ccusage_line.prices import in_use
from ccusage_line.prices.show import matching_names, models_text, show
from ccusage_line.text import display_width
from conftest import Home
from lines import ID, line


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CCUSAGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CCUSAGE_CONFIG", raising=False)
    return tmp_path


NAMES = sorted(in_use.table().names())


def models(wanted: str) -> list[str]:
    return [model["model"] for model in json.loads(show(os.environ, wanted, True))["models"]]


@given(st.sampled_from(NAMES), st.sampled_from([str, str.upper]))
def test_what_a_report_prints_of_a_model_finds_it(name: str, spelt: object) -> None:
    short = short_model(name)
    if in_use.table().find(short) is None:
        assert name in matching_names(spelt(short))  # type: ignore[operator]


def test_a_whole_short_name_means_that_version_alone_however_it_is_written() -> None:
    found = models("opus-4-5")
    assert {"claude-opus-4-5", "claude-opus-4-5-20251101", "github_copilot/claude-opus-4.5"} & set(found)
    assert {short_model(name).replace(".", "-") for name in found} == {"opus-4-5"}
    assert models("opus-4.5") == models("4.5-opus") == models("opus-4-5[1m]") == found
    assert {short_model(name) for name in models("opus-4")} == {"opus-4", "opus-4-0", "4-opus"}


def test_a_family_means_all_of_its_models_the_makers_own_first() -> None:
    found = models("sonnet")
    assert found == models("claude-sonnet")
    assert {"claude-sonnet-4-5", "claude-3-5-sonnet", "us.anthropic.claude-sonnet-5-5"} <= set(found)
    assert all("sonnet" in name for name in found)
    of_five = [name for name in found if short_model(name) == "sonnet-5"]
    assert of_five[0] == "claude-sonnet-5"


def test_a_line_is_of_one_price_and_counts_the_names_that_have_it() -> None:
    lines = show(os.environ, "opus-4-5", False).splitlines()
    assert " ".join(lines[0].split()) == "dollars per million tokens input output write 5m write 1h read"
    label, numbers = lines[1].split("more")
    assert label.startswith("claude-opus-4-5 and ")
    assert numbers.split() == ["5", "25", "6.25", "10", "0.5"]
    counted = sum(int(line.split(" and ")[1].split()[0]) if " and " in line else 0 for line in lines[1:])
    assert counted + len(lines) - 1 == len(models("opus-4-5"))


def test_a_higher_price_of_long_prompts_is_shown() -> None:
    (told,) = [line for line in models_text(["claude-haiku-5-5"]).splitlines() if line.startswith("claude-haiku-5-5")]
    assert told.endswith("higher above 100,000")


def own(place: Path, *names: str) -> None:
    """Give the user's config a price for each of these names."""
    config = place / "config" / "ccusage-line" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("".join(f"[prices.models.{json.dumps(name)}]\ninput = 4\noutput = 6\n" for name in names))
    load(os.environ)


def test_own_prices_are_found_by_a_part_of_their_name(place: Path) -> None:
    own(place, "house/quick-7")
    assert models("quick") == ["house/quick-7"]


def test_an_own_name_may_hold_any_letters(place: Path) -> None:
    own(place, "Maison/Modèle-7", "kimi-9", "claude-日本-5")
    for name in ("maison/modèle-7", "MAISON/MODÈLE-7[1m]", "claude-日本-5", "x/Claude-日本-5"):
        assert show(os.environ, name, False).endswith("  your own price, from the config\n")
    assert in_use.table().find("\u212aimi-9") is None
    assert models("modèle") == ["maison/modèle-7"]
    head, told = show(os.environ, "日本", False).splitlines()
    assert display_width(told) == len(head)


@pytest.mark.parametrize("as_json", [True, False])
def test_no_name_moves_the_cursor_or_is_too_long(place: Path, as_json: bool) -> None:
    own(place, "odd\x1b[2J", "odd\u202e\x9b", "odd" * 99)
    for wanted in ("odd", "odd\x1b[2J"):
        told = show(os.environ, wanted, as_json)
        assert told.replace("\n", "").isprintable()
        assert "oddodd" not in told


@pytest.mark.parametrize(
    ("wanted", "near"),
    [("opus-4-99", "opus-4-"), ("sonet", "sonnet"), ("claude-sonnet-4-55", "sonnet-4-5"), ("glm-9.9", "glm-")],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_if_no_model_fits_the_nearest_are_named(wanted: str, near: str, as_json: bool) -> None:
    with pytest.raises(UsageError, match=f"no price known for '{wanted}'; the nearest are [^;]*{near}"):
        show(os.environ, wanted, as_json)


@pytest.mark.parametrize("wanted", ["", "[1m]", "\x00", "\ud800", "x" * 10_000, "claude-", "\u6728", "opus-\u00b2"])
def test_text_that_is_no_model_name_is_an_error(wanted: str) -> None:
    with pytest.raises(UsageError, match="no price known"):
        show(os.environ, wanted, False)


def test_the_command_finds_what_its_report_prints(home: Home) -> None:
    home.write(f"-p/{ID}.jsonl", line(model="anthropic--claude-4.5-opus"))
    (short,) = json.loads(home.run("session", "--json").out)["sessions"][0]["modelsUsed"]
    for name in (short, "opus-4-5"):
        ran = home.run("prices", "show", name)
        assert (ran.code, ran.err) == (0, ""), name
        assert "claude-opus-4-5 and " in ran.out
    ran = home.run("prices", "show", "opus-99")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
