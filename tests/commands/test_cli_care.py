"""The commands beside the reports (prices, config, install, index), and what reports say about prices."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Home
from lines import ID, line
from price_server import NEW_MODEL, Server, give, listed, with_new_model


@pytest.fixture
def prices_at() -> Iterator[str]:
    """Yield the address of a price list with one new model."""
    server = Server()
    server.answer = give(json.dumps(with_new_model(listed())).encode())
    yield server.address
    server.close()


def test_a_new_model_is_priced_at_once_after_a_refresh(home: Home, prices_at: str) -> None:
    home.write(f"p/{ID}.jsonl", line(model=NEW_MODEL))
    alone = ("session", "--id", ID, "--jq", ".totalCost")
    assert home.run("session", "--jq", ".totals.totalCost").out == "0.0\n"
    assert float(home.run(*alone).out) == 0
    env = {"CCUSAGE_OFFLINE": "", "CCUSAGE_PRICES_URL": prices_at}
    ran = home.run("prices", "refresh", **env)
    assert (ran.code, ran.err) == (0, "")
    assert float(home.run(*alone).out) == pytest.approx(0.00306)
    assert float(home.run("session", "--jq", ".totals.totalCost").out) == pytest.approx(0.00306)
    shown = home.run("statusline", "--format", "{session_cost}", input=json.dumps({"session_id": ID}))
    assert "+?" not in shown.out
    assert NEW_MODEL in home.run("prices", "show", NEW_MODEL).out


@pytest.mark.parametrize(("words", "said"), [([], "0"), (["--no-offline"], "1")])
def test_a_report_refreshes_an_old_table_by_itself_and_offline_never(
    home: Home, prices_at: str, words: list[str], said: str
) -> None:
    home.write(f"p/{ID}.jsonl", line(model=NEW_MODEL))
    cost = ("session", "--jq", ".totals.totalCost")
    for off, variable in ((["--offline"], "0"), ([], "yes")):
        assert float(home.run(*cost, *off, CCUSAGE_OFFLINE=variable, CCUSAGE_PRICES_URL=prices_at).out) == 0
    assert home.run("prices", "refresh", CCUSAGE_OFFLINE="1", CCUSAGE_PRICES_URL=prices_at).code == 1
    asked = home.run(*cost, *words, CCUSAGE_OFFLINE=said, CCUSAGE_PRICES_URL=prices_at)
    assert float(asked.out) == pytest.approx(0.00306)


def test_a_dead_price_server_is_one_warning(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line())
    ran = home.run("session", CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL="http://127.0.0.1:9/none")
    assert ran.code == 0
    assert "$0.00" in ran.out
    assert ran.err.count("\n") == 1
    assert home.run("session", CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL="http://127.0.0.1:9/none").err == ""
    ran = home.run("prices", "refresh", CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL="http://127.0.0.1:9/none")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    "args", [["session", "--id", ID, "--json"], ["session", "--id", ID], ["statusline"], ["live", "--json"]]
)
def test_frequent_commands_never_use_the_network(home: Home, prices_at: str, args: list[str]) -> None:
    home.write(f"p/{ID}.jsonl", line(model=NEW_MODEL))
    ran = home.run(*args, input=json.dumps({"session_id": ID}), CCUSAGE_OFFLINE="", CCUSAGE_PRICES_URL=prices_at)
    assert ran.code == 0
    assert not list(home.state.glob("prices*"))


def test_config_sets_defaults_and_the_command_line_overrules_it(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(costUSD=1.5))
    home.write("p/two.jsonl", line("m2", "r2", "two") + line("m3", "r3", "two", model="claude-haiku-4-5"))
    config = Path(home.run("config", "path").out.strip())
    config.parent.mkdir(parents=True)
    config.write_text('[session]\nmode = "calculate"\nbreakdown = true\n')
    cost = ("session", "--id", ID, "--jq", ".totalCost")
    assert home.run(*cost).out == "0.00255\n"
    assert home.run(*cost, "--mode", "display").out == "1.5\n"
    assert "├─ opus" in home.run("session").out
    assert "├─ opus" not in home.run("session", "--no-breakdown").out
    other = home.path / "other.toml"
    other.write_text('[session]\nmode = "display"\n')
    assert home.run("--config", str(other), *cost, CCUSAGE_CONFIG=str(config)).out == "1.5\n"
    assert "calculate" in home.run("config", "show").out


def test_a_wrong_config_is_one_line_that_names_place_and_spelling(home: Home) -> None:
    config = Path(home.run("config", "path").out.strip())
    config.parent.mkdir(parents=True)
    config.write_text('[session]\nmodee = "calculate"\n')
    ran = home.run("session")
    assert (ran.code, ran.out) == (2, "")
    assert "mode" in ran.err
    assert str(config) in ran.err
    assert home.run("statusline", input="{}").code == 0
    assert home.run("config", "path").code == 0


def test_install_and_uninstall_leave_the_settings_as_they_were(home: Home) -> None:
    settings = home.data / "settings.json"
    settings.write_text('{\n    "model": "opus"\n}\n')
    before = settings.read_bytes()
    assert "statusLine" in home.run("install", "--dry-run").out
    assert settings.read_bytes() == before
    assert home.run("install", "--", "--format", "{model}").code == 0
    assert "statusline" in json.loads(settings.read_text())["statusLine"]["command"]
    assert home.run("install", "--dry-run").out == f"unchanged: {settings}; the old one is {settings}.before-ccusage\n"
    assert home.run("uninstall").code == 0
    assert settings.read_bytes() == before
    refused = home.run("install", "--", "--nonsense")
    assert (refused.code, refused.out) == (2, "")


def test_the_index_is_verified_rebuilt_and_forgets(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line())
    gone = home.write("p/gone.jsonl", line("m2", "r2", "gone"))
    home.run("session")
    gone.unlink()
    assert home.run("index", "verify").code == 0
    with sqlite3.connect(next(home.state.glob("*/index.db"))) as connection:
        connection.execute("UPDATE totals SET output = output + 1")
    connection.close()
    ran = home.run("index", "verify")
    assert (ran.code, ID in ran.out) == (1, True)
    assert home.run("index", "rebuild").out.startswith("rebuilt: 1 transcript (")
    assert home.run("index", "refresh").out.endswith("), 2 sessions\n")
    assert home.run("session", "--id", "gone", "--jq", ".archived").out == "true\n"
    refused = home.run("index", "forget")
    assert (refused.code, refused.out) == (2, "")
    assert home.run("index", "forget", "gome").err.splitlines()[1].startswith("  gone  $")
    assert home.run("index", "forget", "gone-no-one").code == 3
    assert home.run("index", "forget", "go").out == "forgot gone\n"
    assert home.run("session", "--id", "gone", "--json").code == 3
    assert home.run("index", "verify").code == 0


def test_costs_beyond_all_floats_are_still_json(home: Home) -> None:
    home.write(f"p/{ID}.jsonl", line(costUSD=1.7e308) + line("m2", "r2", costUSD=1.7e308))
    ran = home.run("session", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["totals"]["totalCost"] == pytest.approx(1.7976931348623157e308)
    assert home.run("session").code == 0
    assert home.run("session", "--id", ID).code == 0
